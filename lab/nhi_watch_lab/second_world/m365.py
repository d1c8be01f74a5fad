# ruff: noqa: E501
"""Microsoft 365 unified audit log (Management Activity API form): mail, files, directory."""
from __future__ import annotations

from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot

FILES = ["Budget 2026.xlsx", "Roadmap.pptx", "Contracts.docx", "Payroll Q1.xlsx", "Onboarding.docx", "Architecture.vsdx", "Board minutes.docx", "Credentials rotation.docx", "Customer list.csv", "Audit 2025.pdf"]


class M365(Product):
    name = "m365"
    ops = ["MailItemsAccessed", "FileAccessed", "FileDownloaded", "Send", "FileModified", "SearchQueryPerformed"]
    human_ops = ["New-InboxRule", "Set-Mailbox", "Add-MailboxPermission", "FileDownloaded", "AddedToSecureLink", "SharingSet", "FileSyncDownloadedFull", "New-TransportRule", "Send"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = at_place(rng, rng.choice(["azure-runner", "azure-eu", "aws-us-east-1", "aws-eu-west-1"]), rng.randint(1, 10), 0.03)
            self.add(self.app(rng.choice(self.tenant.words) + rng.choice(["-mailer", "-archiver", "-crm", "-dlp", "-scheduler"]), where, rng.choice([["MailItemsAccessed"], ["FileAccessed"], ["Send"], ["MailItemsAccessed", "MailItemsAccessed"], ["FileDownloaded"]]), 10 ** rng.uniform(0.4, 1.9)))
        for person in self.tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["MailItemsAccessed", "MailItemsAccessed", "FileAccessed", "FileModified", "FileDownloaded", "Send", "FileAccessed"], rng.uniform(2, 8), "person", person=person)
            made.ids = {"app": "00000002-0000-0ff1-ce00-000000000000", "sp": person.ids["entra"]}
            self.add(made)

    def app(self, name: str, where: Place, routine: list[str], runs: float) -> Agent:
        made = Agent(name, "app", where, agents.script_client(self.rng), routine, runs, self.rng.choice(["steady", "office", "night"]))
        made.ids = {"app": ids.uuid4(self.rng), "sp": ids.uuid4(self.rng)}
        return made

    def _common(self, who: Agent, t: float, op: str, kind: int, workload: str, user: str) -> Json:
        return {"CreationTime": ids.iso(t)[:-1], "Id": ids.uuid4(self.rng), "Operation": op, "OrganizationId": self.tenant.directory, "RecordType": kind, "ResultStatus": "Succeeded", "UserKey": who.person.ids["puid"] if who.person else who.ids["sp"],
                "UserType": 0 if who.person else 5, "Version": 1, "Workload": workload, "UserId": user}

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        _, ip = spot(who, place, self.rng, t)
        person = who.person
        if person is None:
            mailbox = who.pick("mailbox", [q.upn for q in self.tenant.people], self.rng, explore)
            person = next(p for p in self.tenant.people if p.upn == mailbox)
        if op in ("MailItemsAccessed", "Send"):
            self._mail(who, t, op, ip, person.upn, ua or who.ua)
        elif "-" in op:
            self._admin(who, t, op, ip, person.upn)
        else:
            self._file(who, t, op, ip, person.upn, ua or who.ua)

    def _mail(self, who: Agent, t: float, op: str, ip: str, owner: str, ua: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 50 if op == "MailItemsAccessed" else 2, "Exchange", owner if who.person else f"ServicePrincipal_{who.ids['sp']}")
        count = rng.randint(1, 6)
        record.update({"AppId": who.ids["app"], "ClientAppId": who.ids["app"], "ClientIPAddress": ip, "ClientInfoString": f"Client=REST;{ua};" if not who.person else "Client=OWA;Action=ViaProxy", "ExternalAccess": False, "InternalLogonType": 0, "LogonType": 0, "LogonUserSid": f"S-1-5-21-{rng.randint(10 ** 8, 4 * 10 ** 9)}-{rng.randint(10 ** 8, 10 ** 9)}-{rng.randint(10 ** 6, 10 ** 8)}",
                       "MailboxGuid": ids.uuid4(rng), "MailboxOwnerUPN": owner, "OrganizationName": self.tenant.domain, "OriginatingServer": f"AM{rng.randint(5, 9)}PR0{rng.randint(1, 9)}MB{rng.randint(1000, 9999)} (15.20.4200.000)\r\n"})
        if op == "MailItemsAccessed":
            record.update({"OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}], "OperationCount": count,
                           "Folders": [{"FolderItems": [{"InternetMessageId": f"<{ids.hexa(rng, 32)}@{self.tenant.domain}>"} for _ in range(count)], "Id": ids.b64(rng, 45), "Path": "\\Inbox"}]})
        else:
            record["Item"] = {"Id": ids.b64(rng, 45), "InternetMessageId": f"<{ids.hexa(rng, 32)}@{self.tenant.domain}>", "Subject": "RE: " + rng.choice(FILES).split(".")[0]}
        self.sink.add("m365", t, record)

    def _admin(self, who: Agent, t: float, op: str, ip: str, owner: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 1, "Exchange", owner if who.person else f"ServicePrincipal_{who.ids['sp']}")
        values = {"New-InboxRule": [("Name", rng.choice(["Invoices", "..", "Newsletter", "Move"])), ("MoveToFolder", rng.choice(["RSS Feeds", "Archive", "Projects"])), ("SubjectOrBodyContainsWords", rng.choice(["invoice;payment", "newsletter", "jira"]))], "Add-MailboxPermission": [("User", rng.choice(self.tenant.people).upn), ("AccessRights", "FullAccess")]}.get(op, [("Identity", owner)])
        record.update({"ClientIP": f"{ip}:{rng.randint(1024, 65000)}", "AppId": who.ids["app"], "ExternalAccess": False, "ObjectId": owner, "OrganizationName": self.tenant.domain, "Parameters": [{"Name": k, "Value": v} for k, v in values], "SessionId": ids.uuid4(rng) if who.person else ""})
        self.sink.add("m365", t, record)

    def _file(self, who: Agent, t: float, op: str, ip: str, owner: str, ua: str) -> None:
        rng = self.rng
        record = self._common(who, t, op, 6, rng.choice(["SharePoint", "OneDrive"]), owner if who.person else f"app@sharepoint_{who.ids['app']}")
        name, site = rng.choice(FILES), f"https://{self.tenant.corp}.sharepoint.com/sites/{who.pick('site', self.tenant.words, rng, False)}/"
        record.update({"ClientIP": ip, "ObjectId": site + "Shared Documents/" + name, "CorrelationId": ids.uuid4(rng), "EventSource": "SharePoint", "ItemType": "File", "ListId": ids.uuid4(rng), "ListItemUniqueId": ids.uuid4(rng), "Site": ids.uuid4(rng), "UserAgent": ua, "WebId": ids.uuid4(rng), "ApplicationId": who.ids["app"], "SourceFileExtension": name.rsplit(".", 1)[-1],
                       "SiteUrl": site, "SourceFileName": name, "SourceRelativeUrl": "Shared Documents", "AppAccessContext": {"AADSessionId": "" if not who.person else ids.uuid4(rng), "ClientAppId": who.ids["app"], "CorrelationId": ids.uuid4(rng), "UniqueTokenId": ids.b64url(rng, 16)}})
        record.pop("ResultStatus")
        self.sink.add("m365", t, record)

    def directory(self, who: Agent, t: float, activity: str, ip: str, target: Json, ua: str) -> None:
        """The unified log's copy of a directory audit, some seconds later."""
        user = who.person.upn if who.person else f"ServicePrincipal_{who.ids['sp']}"
        record = self._common(who, t, activity + ("" if activity.endswith("management") else "."), 8, "AzureActiveDirectory", user)
        record["ResultStatus"] = "Success"
        changed = [{"Name": c["displayName"], "NewValue": c["newValue"], "OldValue": c["oldValue"] or ""} for c in target["modifiedProperties"]]
        actor = [{"ID": user, "Type": 5 if who.person else 1}, {"ID": who.ids["sp"], "Type": 2}, {"ID": "User" if who.person else "ServicePrincipal", "Type": 2}]
        record.update({"ClientIP": ip if who.person else "", "ObjectId": target["userPrincipalName"] or target["id"], "AzureActiveDirectoryEventType": 1, "ExtendedProperties": [{"Name": "additionalDetails", "Value": '{"User-Agent":"' + ua + '"}'}, {"Name": "extendedAuditEventCategory", "Value": target["type"]}], "ModifiedProperties": changed, "Actor": actor,
                       "ActorContextId": self.tenant.directory, "ActorIpAddress": ip if who.person else "", "InterSystemsId": ids.uuid4(self.rng), "IntraSystemId": ids.uuid4(self.rng), "SupportTicketId": "", "Target": [{"ID": f"{target['type']}_{target['id']}", "Type": 2}, {"ID": target["id"], "Type": 2}, {"ID": target["displayName"], "Type": 1}], "TargetContextId": self.tenant.directory})
        self.sink.add("m365", t, record)
