"""Microsoft Entra ID: sign-ins, audit, Graph activity, in the envelope of diagnostic settings; apps and people.

Shapes: Microsoft's references of `SignInLogs`, `AADServicePrincipalSignInLogs`, `AuditLogs` and
`MicrosoftGraphActivityLogs`.
An app's sign-in id (`uniqueTokenIdentifier`) comes again in Graph, Exchange and Azure: it proves the link.
"""

from __future__ import annotations

import base64

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person, country
from nhi_watch_lab.simulator.products.workers import (
    At,
    Deed,
    Habit,
    Line,
    Record,
    Sender,
    Worker,
    iso,
    office,
    run,
    steady,
)

GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
AZURE = ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013")
EXCHANGE = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
VAULT = ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")
AGENTS = ["python-requests/2.32.3", "Microsoft.Graph.Client/5.62.0 (.NET 8.0)", "msal-python/1.31",
          "Go-http-client/2.0", "PostmanRuntime/7.42.0", "axios/1.7.7", "Microsoft Power Automate",
          "Mozilla/5.0 (compatible; PowerShell/7.4.6)",
          "azsdk-python-identity/1.19.0 Python/3.12.7 (Linux)", "Java-http-client/17.0.13"]
READS = ["/v1.0/users", "/v1.0/groups", "/v1.0/users/{id}", "/v1.0/groups/{id}/members",
         "/v1.0/sites/{id}/drive/root/children",
         "/v1.0/deviceManagement/managedDevices", "/v1.0/auditLogs/signIns", "/v1.0/directoryRoles",
         "/v1.0/applications", "/v1.0/servicePrincipals", "/v1.0/users/{id}/messages",
         "/v1.0/reports/getOffice365ActiveUserDetail(period='D7')"]
PROVISIONING = ["Add member to group", "Update user", "Remove member from group", "Add user", "Update application"]
SCOPES = ["User.Read", "Mail.Read Files.Read.All offline_access", "Mail.ReadWrite User.Read",
          "Calendars.Read User.Read", "Files.Read.All User.Read"]


def token_of(sender: Sender) -> str:
    """The id of the session's access token, as sign-in, Graph, Exchange and Azure all give it."""
    return base64.urlsafe_b64encode(bytes.fromhex(sender.session)).decode().rstrip("=")


def envelope(company: Company, at: At, category: str, operation: str, told: Record) -> Record:
    """A record as Azure's diagnostic settings wrap it."""
    return {
        "time": iso(at.second + 30 + 200 * at.dice.random(), 7),
        "resourceId": f"/tenants/{company.tenant_id}/providers/Microsoft.aadiam",
        "operationName": operation, "operationVersion": "1.0", "category": category,
        "tenantId": company.tenant_id, "resultSignature": "None", "durationMs": 0,
        "correlationId": at.dice.uuid(), "Level": "4", "properties": told,
    }


def sign_in(company: Company, resource: tuple[str, str] = GRAPH, error: int = 0) -> Deed:
    """An app gets a token for a resource."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        managed = facts["credential"] == "managedIdentity"
        category = "ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs"
        told: Record = {
            "id": at.dice.uuid(), "createdDateTime": iso(at.second, 7, "+00:00"), "appId": facts["app"],
            "servicePrincipalId": facts["sp"], "servicePrincipalName": facts["name"],
            "status": {"errorCode": error}, "resourceDisplayName": resource[0], "resourceId": resource[1],
            "uniqueTokenIdentifier": token_of(sender), "isInteractive": False,
            "authenticationProcessingDetails": [], "flaggedForReview": False,
        }
        if error:
            told["status"]["failureReason"] = "Invalid client secret provided."
        if not managed:
            told.update({
                "ipAddress": sender.address, "location": {"countryOrRegion": country(sender.address)},
                "servicePrincipalCredentialKeyId": sender.key, "clientCredentialType": facts["credential"],
                "crossTenantAccessType": "none", "appOwnerTenantId": facts["owner"],
                "riskLevelDuringSignIn": "none", "riskState": "none",
            })  # fmt: skip
        record = envelope(company, at, category, "Sign-in activity", told)
        record["resultType"] = str(error)
        if not managed:
            record["callerIpAddress"] = sender.address
        return sender.line(at, "entra", category, record)

    return deed


def user_sign_in(company: Company, app: tuple[str, str], resource: tuple[str, str] = GRAPH, mfa: bool = True,
                 error: int = 0) -> Deed:  # fmt: skip
    """A person signs in to an app (name, id) in a browser; `error` 50126: the password was mistyped."""

    def deed(sender: Sender, at: At) -> list[Line]:
        told = {
            "id": at.dice.uuid(), "createdDateTime": iso(at.second, 7, "+00:00"), "userId": sender.facts["guid"],
            "userPrincipalName": sender.facts["email"], "appId": app[1], "appDisplayName": app[0],
            "ipAddress": sender.address, "userAgent": sender.agent, "status": {"errorCode": error},
            "location": {"countryOrRegion": country(sender.address)}, "resourceDisplayName": resource[0],
            "resourceId": resource[1], "isInteractive": True, "clientAppUsed": "Browser",
            "authenticationRequirement": "multiFactorAuthentication" if mfa else "singleFactorAuthentication",
            "uniqueTokenIdentifier": token_of(sender), "riskLevelDuringSignIn": "none", "riskState": "none",
        }
        if error:
            told["status"]["failureReason"] = "Error validating credentials due to invalid username or password."
        record = envelope(company, at, "SignInLogs", "Sign-in activity", told)
        record["resultType"], record["callerIpAddress"] = str(error), sender.address
        return sender.line(at, "entra", "SignInLogs", record)

    return deed


def graph(company: Company, method: str, path: str, status: int = 200) -> Deed:
    """A call of Microsoft Graph; `{id}` in the path becomes a person's or a thing's id."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        thing = at.dice.pick(company.people).guid if "/users/" in path else at.dice.uuid()
        told: Record = {
            "timeGenerated": iso(at.second, 7), "location": "West Europe", "requestId": at.dice.uuid(),
            "operationId": at.dice.uuid(), "clientRequestId": at.dice.uuid(), "apiVersion": path.split("/")[1],
            "requestMethod": method, "responseStatusCode": status, "aadTenantId": company.tenant_id,
            "durationMs": at.dice.between(20, 900), "responseSizeBytes": at.dice.between(200, 90_000),
            "signInActivityId": token_of(sender), "appId": facts["app"], "ipAddress": sender.address,
            "userAgent": sender.agent, "requestUri": f"https://graph.microsoft.com{path.replace('{id}', thing)}",
            "servicePrincipalId": facts["sp"], "clientAuthMethod": "1", "roles": facts["roles"],
        }
        if "delegate" in facts:
            told.update({"servicePrincipalId": None, "clientAuthMethod": "0", "scopes": facts["roles"],
                         "userId": facts["delegate"].guid, "roles": ""})
        record = envelope(company, at, "MicrosoftGraphActivityLogs", "Microsoft Graph Activity", told)
        record["resultSignature"], record["callerIpAddress"] = str(status), sender.address
        return sender.line(at, "entra", f"{method} {path}", record)

    return deed


def audit(company: Company, activity: str, target: Record, details: Record | None = None) -> Deed:
    """An entry of the directory's audit log, by a person or an app."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        person = {"id": facts.get("guid"), "userPrincipalName": facts.get("email"), "ipAddress": sender.address}
        app = {"displayName": facts.get("name"), "appId": facts.get("app"), "servicePrincipalId": facts.get("sp")}
        told = {
            "id": f"Directory_{at.dice.uuid()}_{at.dice.ident('', 5)}_{at.dice.between(10**7, 10**8)}",
            "category": "ApplicationManagement", "correlationId": at.dice.uuid(), "activityDisplayName": activity,
            "activityDateTime": iso(at.second, 7, "+00:00"), "loggedByService": "Core Directory",
            "operationType": "Update", "result": "success", "resultReason": "",
            "initiatedBy": {"user": person} if "guid" in facts else {"app": app}, "targetResources": [target],
            "additionalDetails": [{"key": "User-Agent", "value": sender.agent},
                                  *({"key": key, "value": value} for key, value in (details or {}).items())],
        }
        record = envelope(company, at, "AuditLogs", activity, told)
        record["callerIpAddress"] = sender.address
        return sender.line(at, "entra", activity.strip(), record)

    return deed


def changed(name: str, new: str, old: str = "") -> Record:
    """One of a target's modified properties."""
    return {"displayName": name, "oldValue": old or None, "newValue": new}


def principal(worker: Worker, *modified: Record) -> Record:
    """A service principal as a target."""
    return {"id": worker.facts["sp"], "displayName": worker.facts["name"], "type": "ServicePrincipal",
            "modifiedProperties": list(modified)}


def new_secret(company: Company, worker: Worker, key: str) -> Deed:
    """A client secret is added to an app."""
    old = [f"[KeyIdentifier={value},KeyType=Password,KeyUsage=Verify,DisplayName=]" for _, value in worker.keys]
    new = [*old, f"[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName=]"]
    quoted = ["[" + ",".join(f'"{each}"' for each in keys) + "]" for keys in (new, old)]
    target = {"id": worker.facts["object"], "displayName": worker.facts["name"], "type": "Application",
              "modifiedProperties": [changed("KeyDescription", *quoted),
                                     changed("Included Updated Properties", '"KeyDescription"')]}
    activity = "Update application \u2013 Certificates and secrets management "
    return audit(company, activity, target, {"AppId": worker.facts["app"]})


def reply_address(company: Company, worker: Worker) -> Deed:
    """One more address to which an app's tokens may be sent."""

    def deed(sender: Sender, at: At) -> list[Line]:
        name, d = worker.facts["name"], at.dice
        host = d.pick([f"{name}.{company.domain}", f"{name}-{d.hexes(4)}.azurewebsites.net", f"{name}.vercel.app"])
        old = f'{{"AddressType":0,"Address":"https://{name}.{company.domain}/login"}}'
        new = f'{old},{{"AddressType":0,"Address":"https://{host}/callback"}}'
        target = {"id": worker.facts["object"], "displayName": name, "type": "Application", "modifiedProperties": [
            changed("AppAddress", f"[{new}]", f"[{old}]"), changed("Included Updated Properties", '"AppAddress"')]}
        return audit(company, "Update application", target, {"AppId": worker.facts["app"]})(sender, at)

    return deed


def fresh_secret(company: Company, worker: Worker) -> Deed:
    """The same with another secret each time."""
    return lambda sender, at: new_secret(company, worker, at.dice.uuid())(sender, at)


def consent(company: Company, worker: Worker, scopes: str, admin: bool = False) -> Deed:
    """Somebody lets an app in."""
    kind = "AllPrincipals" if admin else "Principal"
    granted = f'"[] => [[Id: x, ClientId: {worker.facts["sp"]}, ConsentType: {kind}, Scope: {scopes}]]; "'
    target = principal(worker, changed("ConsentContext.IsAdminConsent", f'"{admin}"'),
                       changed("ConsentContext.OnBehalfOfAll", f'"{admin}"'),
                       changed("ConsentAction.Permissions", granted))
    return audit(company, "Consent to application", target, {"AppId": worker.facts["app"]})


def app_role(company: Company, worker: Worker, role: str) -> Deed:
    """An app gets a role in Graph."""
    target = {"id": company.uuid("graph-sp"), "displayName": GRAPH[0], "type": "ServicePrincipal",
              "modifiedProperties": [
        changed("AppRole.Value", f'"{role}"'), changed("ServicePrincipal.ObjectID", f'"{worker.facts["sp"]}"'),
        changed("ServicePrincipal.AppId", f'"{worker.facts["app"]}"')]}
    return audit(company, "Add app role assignment to service principal", target, {"AppId": worker.facts["app"]})


def make_app(company: Company, name: str, d: Dice, credential: str = "clientSecret") -> Worker:
    """An app of this or of another tenant, without habits."""
    app = d.uuid()
    foreign = d.chance(0.2)
    place = company.vendor(d, name) if foreign or d.chance(0.3) else company.nat("azure", d)
    worker = Worker(f"entra-{name}", "app", f"entra:app:{app}", place, d.pick(AGENTS))
    worker.rotate = HOUR
    worker.facts = {"app": app, "sp": d.uuid(), "object": d.uuid(), "name": name, "credential": credential,
                    "owner": d.uuid() if foreign else company.tenant_id,
                    "roles": " ".join(d.some(["User.Read.All", "Group.Read.All", "Directory.Read.All", "Mail.Read",
                                              "Files.Read.All", "Sites.Read.All", "AuditLog.Read.All"], 3))}
    worker.keys = [(0, d.uuid())]
    worker.opening = [sign_in(company)]
    return worker


def reader(company: Company, number: int) -> Worker:
    """An app that reads the directory, mail or sites."""
    d = company.dice("entra-app", number)
    words = ["hr-sync", "mail-archive", "directory-export", "license-report", "device-inventory", "helpdesk-bot",
             "signature-manager", "meeting-rooms", "crm-connector", "intranet-search", "siem-export", "backup-365"]
    credential = d.pick(["clientSecret", "clientSecret", "clientAssertion"])
    worker = make_app(company, f"{words[number % len(words)]}-{number // len(words) or ''}".rstrip("-"), d, credential)
    calls = [graph(company, "GET", path) for path in d.some(READS, d.between(2, 4))]
    rhythm = d.pick([Rhythm("every", d.pick([900, 3600, 7200]), d.between(0, 3000)),
                     Rhythm("cron", at=d.between(0, 22 * HOUR)), Rhythm("burst", 3)])
    worker.habits.append(run(rhythm, (calls, min(30.0, d.lognormal(4, 0.7)), 2)))
    if d.chance(0.3):
        worker.habits.append(steady(d.lognormal(2, 0.8), [graph(company, "PATCH", "/v1.0/users/{id}", 204)]))
    if d.chance(0.3):  # it provisions: what it changes is in the directory's audit log, too
        target = {"id": d.uuid(), "displayName": "Licensed users", "type": "Group", "modifiedProperties": []}
        acts = [audit(company, name, target) for name in d.some(PROVISIONING, 2)]
        worker.habits.append(steady(d.lognormal(3, 0.8), acts))
    return worker


def person(company: Company, one: Person) -> Worker:
    """Somebody who signs in to things; some administer the directory."""
    d = company.dice("entra-person", one.number)
    worker = Worker(f"entra-{one.login}", "person", f"entra:user:{one.guid}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"guid": one.guid, "email": one.email}
    apps = [("Office 365 Exchange Online", EXCHANGE[1]), ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"),
            ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264")]
    worker.habits.append(office(d.lognormal(3, 0.5), [user_sign_in(company, each) for each in apps]))
    tool = make_app(company, d.pick(["survey", "polls", "whiteboard", "rooms", "translate"]), d)
    worker.habits.append(office(0.04, [consent(company, tool, d.pick(SCOPES))]))
    if one.number % 6 == 0:
        target = {"id": d.uuid(), "displayName": "All staff", "type": "Group", "modifiedProperties": []}
        acts = [*PROVISIONING, "Update group"]
        worker.habits.append(office(d.lognormal(2, 0.6), [audit(company, name, target) for name in acts]))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` apps that read Graph, a few of them asleep for weeks, and all people."""
    apps = [reader(company, n) for n in range(count)]
    for number, app in enumerate(apps[:: 5]):
        d = company.dice("asleep", number)
        rhythm = Rhythm("cron", at=d.between(0, 22 * HOUR), days=d.pick([30, 45, 60]), offset=d.between(0, 6))
        app.habits, app.kind = [Habit(rhythm, app.habits[0].steps)], "sleeper"
    return apps + [person(company, one) for one in company.people]
