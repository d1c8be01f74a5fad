# ruff: noqa: E501
"""Okta System Log events (API v1 LogEvent), after Okta's documentation and public samples."""
from __future__ import annotations

from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, geo, spot
from nhi_watch_lab.tables import table

# event: display message, legacy type, uri, target kinds
EVENTS: dict[str, tuple[str, str, str, str]] = table(__file__, "tables.json/events")
APPS = ["Salesforce", "Slack", "Office 365", "AWS IAM Identity Center", "Workday", "Zoom", "Jira Cloud", "GitHub Enterprise Cloud", "Snowflake", "Datadog"]


class Okta(Product):
    name = "okta"
    ops = ["user.account.update_profile", "group.user_membership.add", "group.user_membership.remove", "user.lifecycle.create", "user.lifecycle.activate", "user.lifecycle.deactivate", "application.user_membership.add", "user.account.reset_password", "application.lifecycle.update"]
    human_ops = [e for e in EVENTS if not e.startswith(("user.session.s", "user.session.e", "user.auth", "app.oauth2.as", "app.oauth2.token"))]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            kind = rng.choice(["api_token", "service_app"])
            grant = "app.oauth2.token.grant.access_token" if rng.random() < 0.6 else "app.oauth2.as.token.grant.access_token"
            routine = [grant] if kind == "service_app" and rng.random() < 0.7 else rng.choice([["user.account.update_profile"], ["group.user_membership.add", "group.user_membership.remove"], ["user.lifecycle.create", "user.lifecycle.activate", "application.user_membership.add"], ["user.lifecycle.deactivate"]])
            where = rng.choice([self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("cloud", "aws", "datacentre")), rng.randint(1, 4))])
            made = Agent(rng.choice(["svc-", "integration-", ""]) + rng.choice(self.tenant.words) + rng.choice(["-sync", "-provisioner", "-hr", "-scim", "-automation"]), kind, where, agents.script_client(rng), routine, 10 ** rng.uniform(0.2, 1.6), rng.choice(["steady", "office", "night"]))
            made.ids = {"id": ids.okta_id(rng, "00u" if kind == "api_token" else "0oa"), "token": ids.okta_id(rng, "00T")}
            self.add(made)
        for person in self.tenant.people:
            made = Agent(person.name, "person", person.home, person.browser, ["user.session.start", "user.authentication.auth_via_mfa", "user.authentication.sso", "user.authentication.sso", "user.authentication.sso"], rng.uniform(1, 5), "person", person=person)
            made.ids = {"id": ids.okta_id(rng, "00u"), "token": ""}
            self.add(made)

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        where, ip = spot(who, place, rng, t)
        message, legacy, uri, kinds = EVENTS[op]
        agent = ua or who.ua
        login = who.person.upn if who.person else (f"{who.name}@{self.tenant.domain}" if who.kind == "api_token" else who.ids["id"])
        request, path = ids.b64url(rng, 20), uri.replace("{app}", "app_" + ids.hexa(rng, 8))
        debug: Json = {"requestId": request, "dtHash": ids.hexa(rng, 64), "requestUri": path, "url": path + "?"}
        if "token.grant" in op:
            debug.update({"grantType": "client_credentials", "requestedScopes": "okta.users.read okta.groups.manage", "grantedScopes": "okta.users.read okta.groups.manage", "clientAuthType": "private_key_jwt"})
        transaction: Json = {"type": "WEB", "id": request, "detail": {}}
        if who.kind == "api_token":
            transaction["detail"] = {"requestApiTokenId": who.ids["token"]}
        session = None if who.kind != "person" else "idx" + ids.b64url(rng, 16)
        record: Json = {"actor": {"id": who.ids["id"], "type": "PublicClientApp" if who.kind == "service_app" else "User", "alternateId": login, "displayName": who.name, "detailEntry": None},
                        "client": {"userAgent": {"rawUserAgent": agent, "os": self._os(agent), "browser": "CHROME" if "Chrome" in agent else "UNKNOWN"}, "zone": "null", "device": "Computer" if "Mozilla" in agent else "Unknown", "id": who.ids["id"] if who.kind == "service_app" else None, "ipAddress": ip, "geographicalContext": {**geo(where), "postalCode": None}},
                        "device": None, "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None, "interface": None, "authenticationStep": 0, "rootSessionId": session, "externalSessionId": session or "unknown"},
                        "displayMessage": message, "eventType": op, "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS" if "session" in op else "VERIFICATION_ERROR"} if err else {"result": "SUCCESS", "reason": None}, "published": ids.iso_frac(t),
                        "securityContext": {"asNumber": where.asn, "asOrg": where.org.lower(), "isp": where.org.lower(), "domain": None, "isProxy": where.kind == "tor"}, "severity": "WARN" if err else "INFO", "debugContext": {"debugData": debug}, "legacyEventType": legacy,
                        "transaction": transaction, "uuid": ids.uuid4(rng), "version": "0", "request": {"ipChain": [{"ip": ip, "geographicalContext": {**geo(where), "postalCode": None}, "version": "V4", "source": None}]}, "target": self._targets(who, kinds, over or {})}
        self.sink.add("okta", t, record)

    @staticmethod
    def _os(agent: str) -> str:
        return "Windows 10" if "Windows NT" in agent else ("Mac OS X" if "Mac OS X" in agent else ("Linux" if "Linux" in agent else "Unknown"))

    def _targets(self, who: Agent, kinds: str, over: Json) -> Optional[list[Json]]:
        found: list[Json] = []
        for kind in kinds.split():
            person = self.rng.choice(self.tenant.people)
            label = {"User": person.name, "UserGroup": over.get("group") or self.rng.choice(["Engineering", "AWS-Admins", "Everyone", "Finance", "Contractors", "VPN-Users", "Okta-Admins"]), "AppInstance": over.get("app") or who.pick("app", APPS, self.rng, False), "Token": who.name, "access_token": "Access Token"}.get(kind, kind + " 1")
            found.append({"id": ids.okta_id(self.rng, "00u" if kind == "User" else "00g" if kind == "UserGroup" else "0oa"), "type": kind, "alternateId": person.upn if kind == "User" else ("unknown" if kind != "AppInstance" else label), "displayName": label, "detailEntry": None})
        return found or None
