# ruff: noqa: E501
"""Entra ID: service principal sign-ins, user sign-ins, directory audits (Graph JSON form)."""
from __future__ import annotations

import json
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.m365 import M365
from nhi_watch_lab.second_world.net import Place, operators
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant
from nhi_watch_lab.tables import table

RESOURCES: dict[str, str] = {"Microsoft Graph": "00000003-0000-0000-c000-000000000000", "Azure Key Vault": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Windows Azure Service Management API": "797f4846-ba00-4fd7-ba43-dac1f8f63013", "Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000",
                             "Azure Storage": "e406a681-f3d4-42a8-90b6-c2b029497af1", "Office 365 Management APIs": "c5393580-f805-4401-95e8-94b7a6ef2fc2", "Office 365 SharePoint Online": "00000003-0000-0ff1-ce00-000000000000", "Windows Azure Active Directory": "00000002-0000-0000-c000-000000000000"}
PORTALS: dict[str, str] = {"Office 365 Exchange Online": "00000002-0000-0ff1-ce00-000000000000", "Azure Portal": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Microsoft Teams": "1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Azure CLI": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "OfficeHome": "4765445b-32c6-49b0-83e6-1d93765276ca", "Microsoft Graph Command Line Tools": "14d82eec-204b-4c2f-b7e8-296a70dab67e"}
# activity: service, category, operation type, kind of the target
AUDITS: dict[str, tuple[str, str, str, str]] = table(__file__, "tables.json/audits")
SCOPES = ["User.Read openid profile", "Mail.Read offline_access User.Read", "Calendars.Read User.Read", "Files.Read.All offline_access", "Mail.ReadWrite Mail.Send offline_access", "Contacts.Read User.Read"]


class Entra(Product):
    name = "entra"
    ops = ["signin:" + r for r in RESOURCES] + ["audit:Add member to group", "audit:Update user", "audit:Add user", "audit:Remove member from group"]
    human_ops = ["audit:" + a for a in AUDITS]

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float, m365: M365) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.m365 = m365
        self.principals: dict[str, str] = {r: ids.uuid4(rng) for r in list(RESOURCES) + list(PORTALS)}

    def app(self, name: str, where: Place, routine: list[str], runs: float, rhythm: str) -> Agent:
        made = Agent(name, "app", where, agents.script_client(self.rng), routine, runs, rhythm)
        made.ids = {"app": ids.uuid4(self.rng), "sp": ids.uuid4(self.rng), "object": ids.uuid4(self.rng), "key": ids.uuid4(self.rng), "credential": self.rng.choice(["clientSecret", "clientSecret", "clientAssertion"])}
        return made

    def populate(self, machines: int) -> None:
        rng, tenant = self.rng, self.tenant
        for _ in range(machines):
            where = rng.choice([tenant.nat(tenant.accounts[0], tenant.regions[0]), at_place(rng, rng.choice(["azure-runner", "azure-eu"]), rng.randint(1, 12), 0.02), tenant.office, at_place(rng, rng.choice(operators("aws", "cloud", "datacentre")), rng.randint(1, 4))])
            name = tenant.name(rng.choice(["app", "spn", "sp", ""]), rng.choice(tenant.words), rng.choice(["connector", "sync", "backup", "automation", "terraform", "reader"]))
            routine = ["signin:" + rng.choice(list(RESOURCES))] if rng.random() < 0.8 else ["signin:Microsoft Graph", "audit:" + rng.choice(["Add member to group", "Update user", "Remove member from group"])]
            dormant = rng.random() < 0.15
            made = self.add(self.app(name, where, routine, 0.0 if dormant else 10 ** rng.uniform(0.3, 1.8), "office" if dormant else rng.choice(["steady", "office", "night"])))
            made.fail = rng.choice([0.0] * 8 + [0.02, 0.95])
        for person in tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["login:" + p for p in PORTALS] + ["login:OfficeHome"] * 3, rng.uniform(1, 5), "person", person=person)
            made.ids = {"sp": person.ids["entra"]}
            self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        kind, _, what = op.partition(":")
        where, ip = spot(who, place, self.rng, t)
        if kind == "signin":
            self._app_sign_in(who, t, what, where, ip, err, over or {})
        elif kind == "login":
            self._user_sign_in(who, t, what, where, ip, ua, err)
        else:
            self._audit(who, t, what, ip, ua, over or {})

    @staticmethod
    def _where(where: Place) -> Json:
        return {"city": where.city, "state": where.state, "countryOrRegion": where.country, "geoCoordinates": {"altitude": None, "latitude": where.lat, "longitude": where.lon}}

    def _app_sign_in(self, who: Agent, t: float, resource: str, where: Place, ip: str, err: bool, over: Json) -> None:
        rng = self.rng
        fault = {"errorCode": 7000215, "failureReason": "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.", "additionalDetails": None}
        record: Json = {"id": ids.uuid4(rng), "createdDateTime": ids.iso(t), "userDisplayName": None, "userPrincipalName": None, "userId": "", "appId": who.ids["app"], "appDisplayName": who.name, "ipAddress": ip, "clientAppUsed": None, "userAgent": None, "correlationId": ids.uuid4(rng), "conditionalAccessStatus": "notApplied",
                        "originalRequestId": None, "isInteractive": False, "tokenIssuerName": None, "tokenIssuerType": "AzureAD", "processingTimeInMilliseconds": rng.randint(18, 320), "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": [], "resourceDisplayName": resource, "resourceId": RESOURCES[resource],
                        "resourceTenantId": self.tenant.directory, "homeTenantId": self.tenant.directory, "authenticationMethodsUsed": [], "authenticationRequirement": None, "signInIdentifier": None, "servicePrincipalName": who.name, "servicePrincipalId": who.ids["sp"], "signInEventTypes": ["servicePrincipal"], "servicePrincipalCredentialKeyId": over.get("key") or who.ids["key"],
                        "servicePrincipalCredentialThumbprint": "", "clientCredentialType": who.ids["credential"], "uniqueTokenIdentifier": ids.b64url(rng, 16), "incomingTokenType": "none", "authenticationProtocol": "none", "resourceServicePrincipalId": self.principals[resource], "crossTenantAccessType": "none", "autonomousSystemNumber": where.asn, "federatedCredentialId": "",
                        "status": fault if err else {"errorCode": 0, "failureReason": None, "additionalDetails": None}, "deviceDetail": None, "location": self._where(where), "appliedConditionalAccessPolicies": [], "authenticationProcessingDetails": [{"key": "Azure AD App Authentication Library", "value": "Family: MSAL Library: MSAL.Python 1.31.0 Platform: Python"}] if who.phase < 0.4 else [], "networkLocationDetails": []}
        self.sink.add("entra_sp_signins", t, record)

    def _user_sign_in(self, who: Agent, t: float, app: str, where: Place, ip: str, ua: str, err: bool) -> None:
        rng, agent, person = self.rng, ua or who.ua, who.person
        assert person is not None
        record: Json = {"id": ids.uuid4(rng), "createdDateTime": ids.iso(t), "userDisplayName": person.name, "userPrincipalName": person.upn, "userId": person.ids["entra"], "appId": PORTALS[app], "appDisplayName": app, "ipAddress": ip, "clientAppUsed": "Browser" if "Mozilla" in agent else "Mobile Apps and Desktop clients", "userAgent": agent, "correlationId": ids.uuid4(rng), "conditionalAccessStatus": "success",
                        "isInteractive": True, "tokenIssuerType": "AzureAD", "processingTimeInMilliseconds": rng.randint(60, 700), "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": [], "resourceDisplayName": "Microsoft Graph", "resourceId": RESOURCES["Microsoft Graph"], "resourceTenantId": self.tenant.directory, "homeTenantId": self.tenant.directory,
                        "authenticationRequirement": "multiFactorAuthentication", "signInEventTypes": ["interactiveUser"], "servicePrincipalId": "", "uniqueTokenIdentifier": ids.b64url(rng, 16), "incomingTokenType": "none", "authenticationProtocol": "none", "autonomousSystemNumber": where.asn,
                        "status": {"errorCode": 50126, "failureReason": "Error validating credentials due to invalid username or password.", "additionalDetails": None} if err else {"errorCode": 0, "failureReason": "Other.", "additionalDetails": "MFA requirement satisfied by claim in the token"},
                        "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows10" if "Windows" in agent else "MacOs", "browser": "Chrome", "isCompliant": False, "isManaged": False, "trustType": ""}, "location": self._where(where), "appliedConditionalAccessPolicies": []}
        self.sink.add("entra_signins", t, record)

    def _audit(self, who: Agent, t: float, activity: str, ip: str, ua: str, over: Json) -> None:
        rng = self.rng
        service, category, operation, kind = AUDITS[activity]
        by: Json = {"app": None, "user": {"id": who.person.ids["entra"], "displayName": None, "userPrincipalName": who.person.upn, "ipAddress": ip, "userType": None, "homeTenantId": None, "homeTenantName": None}} if who.person else {"user": None, "app": {"appId": None, "displayName": who.name, "servicePrincipalId": who.ids["sp"], "servicePrincipalName": None}}
        target = self._target(activity, kind, over)
        correlation = ids.uuid4(rng)
        record: Json = {"id": f"Directory_{correlation}_{ids.pick_chars(rng, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 5)}_{rng.randint(10 ** 7, 10 ** 8)}", "category": category, "correlationId": correlation, "result": "success", "resultReason": "", "activityDisplayName": activity, "activityDateTime": ids.iso_frac(t, 7), "loggedByService": service, "operationType": operation,
                        "initiatedBy": by, "targetResources": [target], "additionalDetails": [{"key": "User-Agent", "value": ua or (who.ua if who.person else "Microsoft Azure Graph Client Library")}] + ([{"key": "AppId", "value": target["id"]}] if kind in ("Application", "ServicePrincipal") else [])}
        self.sink.add("entra_audit", t, record)
        self.m365.directory(who, t, activity, ip, target, ua or who.ua)

    def _target(self, activity: str, kind: str, over: Json) -> Json:
        rng = self.rng
        person, apps = rng.choice(self.tenant.people), [a for a in self.agents if a.kind == "app"]
        app = over.get("app") or rng.choice(apps)
        changed: list[Json] = []
        if "secrets" in activity or "credentials" in activity:
            key = over.get("key") or ids.uuid4(rng)
            changed = [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": json.dumps([f"[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName={rng.choice(['prod', 'rotation-2026', 'key1', 'terraform', 'tmp'])}]"])}]
        elif "onsent" in activity or "permission grant" in activity:
            changed = [{"displayName": "ConsentContext.IsAdminConsent", "oldValue": None, "newValue": '"False"'}, {"displayName": "ConsentAction.Permissions", "oldValue": None, "newValue": f'"[] => [[Id: {ids.b64url(rng, 24)}, ClientId: {app.ids["sp"]}, PrincipalId: {person.ids["entra"]}, ResourceId: {self.principals["Microsoft Graph"]}, ConsentType: Principal, Scope: {over.get("scope") or rng.choice(SCOPES)}]]; "'}]
        elif "role" in activity:
            changed = [{"displayName": "AppRole.Value" if "app role" in activity else "Role.DisplayName", "oldValue": None, "newValue": '"' + str(over.get("role") or rng.choice(["Mail.Read", "User.Read.All", "Directory.Read.All", "Application.ReadWrite.All"] if "app role" in activity else ["Global Reader", "User Administrator", "Application Administrator", "Global Administrator"])) + '"'}]
        label, ident, upn = (app.name, app.ids["sp" if kind == "ServicePrincipal" else "object"], None) if kind in ("Application", "ServicePrincipal") else (person.name, person.ids["entra"], person.upn) if kind == "User" else (rng.choice(["sg-engineering", "sg-finance", "All Staff", "Default policy"]), ids.uuid4(rng), None)
        return {"id": ident, "displayName": label, "type": kind, "userPrincipalName": upn, "groupType": "unknownFutureValue" if kind == "Group" else None, "modifiedProperties": changed}
