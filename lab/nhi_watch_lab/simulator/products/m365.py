"""Microsoft 365: the unified audit log, and apps that read mail and files.

Shapes: Microsoft's "Office 365 Management Activity API schema"; `MailItemsAccessed` and SharePoint's file operations.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products import entra
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run

OUTLOOK = "00000002-0000-0ff1-ce00-000000000000"


def _common(company: Company, at: At, operation: str, kind: int, workload: str) -> Record:
    return {"CreationTime": iso(at.second, 0, ""), "Id": at.dice.uuid(), "Operation": operation,
            "OrganizationId": company.tenant_id, "RecordType": kind, "Version": 1, "Workload": workload}


def mail(company: Company, owner: Person | None = None, access: str = "Bind",
         operation: str = "MailItemsAccessed") -> Deed:
    """An app or a person reads or sends mail; of whom, is told or drawn."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        box = owner or facts.get("delegate") or at.dice.pick(company.people)
        as_app = "app" in facts
        record = _common(company, at, operation, 50 if operation == "MailItemsAccessed" else 2, "Exchange")
        record.update({
            "UserKey": f"1003{box.number:012d}", "UserType": 0, "UserId": facts.get("email") or box.email,
            "ResultStatus": "Succeeded", "AppId": facts.get("app", OUTLOOK), "ClientIPAddress": sender.address,
            "ClientAppId": facts.get("app", ""), "ExternalAccess": False, "LogonType": 0, "MailboxOwnerUPN": box.email,
            "MailboxGuid": company.uuid("mailbox", box.number), "OrganizationName": company.domain,
            "ClientInfoString": "Client=REST;Client=RESTSystem;;" if as_app else f"Client=OWA;{sender.agent};",
            "SessionId": sender.session[:32],
        })
        if as_app:
            record["AppAccessContext"] = {"ClientAppId": facts["app"], "UniqueTokenId": entra.token_of(sender)}
        if operation == "MailItemsAccessed":
            items = [{"Id": at.dice.hexes(20), "InternetMessageId": f"<{at.dice.uuid()}@{company.domain}>"}]
            record["OperationProperties"] = [{"Name": "MailAccessType", "Value": access},
                                             {"Name": "IsThrottled", "Value": "False"}]
            record["OperationCount"] = at.dice.between(1, 12)
            record["Folders"] = [{"Path": "\\Inbox", "FolderItems": items}]
        return sender.line(at, "m365", operation, record)

    return deed


def file(company: Company, operation: str = "FileDownloaded", site: str = "") -> Deed:
    """An app or a person reads, changes or shares a file."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        where = site or facts.get("site") or company.sites(at.dice)
        url = f"https://{company.org}.sharepoint.com/sites/{where}/"
        name = f"{at.dice.pick(WORDS)}-{at.dice.between(2019, 2025)}.{at.dice.pick(['xlsx', 'docx', 'pdf', 'pptx'])}"
        record = _common(company, at, operation, 14 if "Link" in operation else 6, "SharePoint")
        record.update({
            "UserKey": f"i:0h.f|membership|{facts['guid'].replace('-', '')[:16]}@live.com" if "guid" in facts
            else "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint",
            "UserType": 0, "UserId": facts.get("email", "app@sharepoint"), "ClientIP": sender.address,
            "ObjectId": f"{url}Shared Documents/{name}", "SiteUrl": url, "SourceFileName": name,
            "UserAgent": sender.agent,
            "ApplicationId": facts.get("app", "08e18876-6177-487e-b8b5-cf950c1e598c"), "ItemType": "File",
            "EventSource": "SharePoint", "SourceRelativeUrl": "Shared Documents", "CorrelationId": at.dice.uuid(),
        })
        if "app" in facts:
            record["AppAccessContext"] = {"ClientAppId": facts["app"], "UniqueTokenId": entra.token_of(sender)}
        return sender.line(at, "m365", operation, record)

    return deed


def mistyped(company: Company) -> Deed:
    """A person's sign-in fails for a wrong password."""

    def deed(sender: Sender, at: At) -> list[Line]:
        record = _common(company, at, "UserLoginFailed", 15, "AzureActiveDirectory")
        record.update({
            "UserKey": sender.facts["guid"], "UserType": 0, "UserId": sender.facts["email"], "ResultStatus": "Failed",
            "ClientIP": sender.address, "ObjectId": OUTLOOK, "ApplicationId": OUTLOOK, "ErrorNumber": "50126",
            "AzureActiveDirectoryEventType": 1, "LogonError": "InvalidUserNameOrPassword",
            "ExtendedProperties": [{"Name": "UserAgent", "Value": sender.agent},
                                   {"Name": "RequestType", "Value": "OAuth2:Authorize"}],
        })  # fmt: skip
        return sender.line(at, "m365", "UserLoginFailed", record)

    return deed


def rule(company: Company, name: str, parameters: dict[str, str]) -> Deed:
    """A cmdlet of Exchange, such as a new inbox rule."""

    def deed(sender: Sender, at: At) -> list[Line]:
        record = _common(company, at, name, 1, "Exchange")
        record.update({
            "UserKey": sender.facts["guid"], "UserType": 2, "UserId": sender.facts["email"], "ResultStatus": "True",
            "ClientIP": f"{sender.address}:{at.dice.between(2000, 60000)}", "AppId": OUTLOOK, "ClientAppId": "",
            "ObjectId": f"EURPR01A.PROD.OUTLOOK.COM/{company.domain}/{sender.facts['email']}", "ExternalAccess": False,
            "Parameters": [{"Name": key, "Value": value} for key, value in parameters.items()],
        })
        return sender.line(at, "m365", name, record)

    return deed


def mail_app(company: Company, number: int) -> Worker:
    """An app that reads mail or files for a living, in everybody's or in one person's name."""
    d = company.dice("m365-app", number)
    kinds = ["archive", "crm", "assistant", "scheduler", "records", "search", "signature", "migration"]
    worker = entra.make_app(company, f"{kinds[number % len(kinds)]}-{d.pick(WORDS)}", d)
    delegated = number % 3 == 2
    worker.facts["roles"] = "Mail.Read Files.Read.All User.Read" if number % 2 else "Mail.ReadWrite Sites.Read.All"
    boxes = d.some(company.people, d.between(1, 5))
    if delegated:
        worker.facts["delegate"], worker.opening = boxes[0], []
        boxes = boxes[:1]
    worker.facts["site"] = company.sites(d)
    reads = [entra.graph(company, "GET", "/v1.0/users/{id}/messages"), *(mail(company, box) for box in boxes)]
    if number % 2:
        reads += [file(company), file(company, "FileAccessed")]
    rhythm = d.pick([Rhythm("every", d.pick([1800, 3600, 7200]), d.between(0, 1700)), Rhythm("burst", 6)])
    worker.habits.append(run(rhythm, (reads, d.lognormal(4, 0.5), 3)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """Somebody who reads mail and files."""
    d = company.dice("m365-person", one.number)
    worker = Worker(f"m365-{one.login}", "person", f"entra:user:{one.email}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"guid": one.guid, "email": one.email}
    acts = [mail(company, one), file(company, "FileAccessed"), file(company), file(company, "FileModified"),
            mail(company, one, operation="Send")]
    worker.habits.append(office(d.lognormal(9, 0.6), acts))
    rare = [file(company, "AnonymousLinkCreated"), file(company, "SharingSet"),
            rule(company, "New-InboxRule", {"Name": "Newsletters", "MoveToFolder": "Read later"})]
    worker.habits.append(office(d.lognormal(0.12, 0.7), rare))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` apps, and two thirds of the people."""
    return ([mail_app(company, n) for n in range(count)]
            + [person(company, one) for one in company.people if one.number % 3])
