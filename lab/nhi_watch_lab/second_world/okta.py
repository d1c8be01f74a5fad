# ruff: noqa: E501
"""Okta System Log events (API v1 LogEvent), after Okta's documentation and public samples."""
from __future__ import annotations

from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, geo, spot

# event: display message, legacy type, uri, target kinds
EVENTS: dict[str, tuple[str, str, str, str]] = {
    "user.session.start": ("User login to Okta", "core.user_auth.login_success", "/api/v1/authn", ""),
    "user.authentication.sso": ("User single sign on to app", "app.auth.sso", "/app/{app}/sso/saml", "AppInstance"),
    "user.authentication.auth_via_mfa": ("Authentication of user via MFA", "core.user.factor.attempt_success", "/api/v1/authn/factors/verify", ""),
    "user.session.end": ("User logout from Okta", "core.user_auth.logout_success", "/login/signout", ""),
    "app.oauth2.as.token.grant.access_token": ("OAuth2 access token is granted", "app.oauth2.as.token.grant.access_token_success", "/oauth2/v1/token", "access_token"),
    "app.oauth2.token.grant.access_token": ("OAuth2 access token is granted", "app.oauth2.token.grant.access_token_success", "/oauth2/v1/token", "access_token"),
    "user.lifecycle.create": ("Create Okta user", "core.user.config.user_creation.success", "/api/v1/users", "User"),
    "user.lifecycle.activate": ("Activate Okta user", "core.user.config.user_activated", "/api/v1/users", "User"),
    "user.lifecycle.deactivate": ("Deactivate Okta user", "core.user.config.user_deactivated", "/api/v1/users/lifecycle/deactivate", "User"),
    "user.account.update_profile": ("Update user profile for Okta", "core.user.config.profile_update", "/api/v1/users", "User"),
    "user.account.reset_password": ("Fired when the user's Okta password is reset", "core.user.config.password_reset", "/api/v1/users/lifecycle/reset_password", "User"),
    "user.mfa.factor.reset_all": ("Reset all factors for user", "core.user.factor.reset_all", "/api/v1/users/lifecycle/reset_factors", "User"),
    "user.mfa.factor.activate": ("Activate factor or authenticator enrollment method for user", "core.user.factor.activate", "/api/v1/users/factors", "User"),
    "group.user_membership.add": ("Add user to group membership", "core.user_group_member.user_add", "/api/v1/groups/users", "UserGroup User"),
    "group.user_membership.remove": ("Remove user from group membership", "core.user_group_member.user_remove", "/api/v1/groups/users", "UserGroup User"),
    "application.user_membership.add": ("Add user to application membership", "app.generic.provision.assign_user_to_app", "/api/v1/apps/users", "AppInstance User"),
    "group.privilege.grant": ("Grant group privilege", "core.group.privilege.grant", "/api/v1/groups/roles", "UserGroup"),
    "user.account.privilege.grant": ("Grant user privilege", "core.user.admin_privilege.granted", "/api/v1/users/roles", "User"),
    "system.api_token.create": ("Create API token", "api.token.create", "/api/internal/tokens", "Token"),
    "system.api_token.revoke": ("Revoke API token", "api.token.revoke", "/api/internal/tokens", "Token"),
    "system.idp.lifecycle.create": ("Create identity provider", "system.idp.lifecycle.create", "/api/v1/idps", "IdP"),
    "policy.rule.update": ("Update policy rule", "policy.rule.updated", "/api/v1/policies/rules", "PolicyRule"),
    "policy.lifecycle.update": ("Update policy", "policy.updated", "/api/v1/policies", "PolicyEntity"),
    "zone.update": ("Update network zone", "network_zone.updated", "/api/v1/zones", "NetworkZone"),
    "application.lifecycle.create": ("Create application", "app.generic.config.app_created", "/api/v1/apps", "AppInstance"),
    "app.oauth2.client.lifecycle.create": ("Create OAuth client", "app.oauth2.client.lifecycle.create", "/oauth2/v1/clients", "AppInstance"),
    "application.lifecycle.update": ("Update application", "app.generic.config.app_updated", "/api/v1/apps", "AppInstance"),
    "user.session.access_admin_app": ("User accessing Okta admin app", "app.admin.sso", "/admin/sso/request", "AppInstance")}
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
