"""Okta: the system log, API tokens, OAuth service apps, people.

Shape: Okta's "System Log API" and its list of event types.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person, country
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady

AGENTS = ["okta-sdk-python/2.9.8 python/3.11.9 Linux/5.10", "okta-sdk-java/15.0.0 java/17.0.13 Linux/5.10",
          "Go-http-client/2.0", "python-requests/2.32.3", "terraform-provider-okta/4.11.1 go/1.22 linux/amd64",
          "okta-sdk-golang/5.0.2 golang/1.22.7 linux/amd64", "curl/8.5.0", "axios/1.7.7"]
LIFECYCLE = ["user.lifecycle.create", "user.lifecycle.activate", "user.account.update_profile",
             "group.user_membership.add", "group.user_membership.remove", "application.user_membership.add",
             "user.lifecycle.deactivate", "user.account.reset_password"]
CHANGES = ["application.lifecycle.update", "policy.rule.update", "group.lifecycle.create",
           "application.lifecycle.create"]
RARE = ["app.oauth2.client.lifecycle.create", "app.oauth2.credentials.lifecycle.create", "user.mfa.factor.reset_all",
        "system.api_token.create", "application.lifecycle.create"]


def event(company: Company, name: str, targets: list[Record] | None = None, debug: Record | None = None,
          refused: str = "") -> Deed:
    """One event of the system log; where no targets are given, one that fits the name is drawn."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        browser = sender.agent.startswith("Mozilla")
        detail = {"requestApiTokenId": sender.key} if facts.get("token") else {}
        record: Record = {
            "uuid": d.uuid(), "published": iso(at.second), "eventType": name, "version": "0", "severity": "INFO",
            "legacyEventType": name.replace(".", "_"), "displayMessage": name.replace(".", " ").capitalize(),
            "actor": {"id": facts["id"], "type": facts["type"], "alternateId": facts["alternate"],
                      "displayName": facts["name"], "detailEntry": None},
            "client": {"userAgent": {"rawUserAgent": sender.agent, "os": "Unknown", "browser": "CHROME" if browser
                                     else "UNKNOWN"},
                       "zone": "null", "device": "Computer" if browser else "Unknown", "id": None,
                       "ipAddress": sender.address, "geographicalContext": {"country": country(sender.address)}},
            "device": None,
            "authenticationContext": {"authenticationStep": 0, "externalSessionId": "trs" + sender.session[:22],
                                      "interface": None, "issuer": None},
            "outcome": {"result": "FAILURE" if refused else "SUCCESS", "reason": refused or None},
            "securityContext": {"asNumber": None, "asOrg": None, "isp": None, "domain": None, "isProxy": False},
            "debugContext": {"debugData": {"requestId": d.hexes(26), "requestUri": "/api/v1/users",
                                           "url": "/api/v1/users?",
                                           "threatSuspected": "false", **(debug or {})}},
            "transaction": {"type": "WEB", "id": d.hexes(26), "detail": detail},
            "request": {"ipChain": [{"ip": sender.address, "version": "V4", "source": None}]},
            "target": targets if targets is not None else aim(company, name, d),
        }
        return sender.line(at, "okta", name, record)

    return deed


def aim(company: Company, name: str, d: Dice) -> list[Record] | None:
    """Whom or what an event of that name is about."""
    one = d.pick(company.people)
    user = thing("User", one.okta, one.name, one.email)
    if name.startswith("group."):
        return [user, thing("UserGroup", "00g" + company.dice("group", one.number % 7).ident("", 17), "Team",
                            "unknown")]
    if name.startswith("application.user"):
        return [user, product(company, d)]
    if name.startswith(("application.", "app.")):
        return [product(company, d)]
    if name.startswith(("user.session", "user.authentication.sso")):
        return [product(company, d)]
    return [user] if name.startswith("user.") else [thing("PolicyRule", "0pr" + d.ident("", 17), "Rule", "unknown")]


def thing(kind: str, identifier: str, name: str, alternate: str) -> Record:
    """A target."""
    return {"id": identifier, "type": kind, "alternateId": alternate, "displayName": name, "detailEntry": None}


def product(company: Company, d: Dice) -> Record:
    """One of the apps that people open from Okta."""
    name = d.pick(["Salesforce", "GitHub Enterprise", "AWS IAM Identity Center", "Slack", "Snowflake", "Workday",
                   "Zoom"])
    return thing("AppInstance", "0oa" + company.dice("okta-app", name).ident("", 17), name, name)


def privilege(company: Company, role: str = "") -> Deed:
    """Somebody becomes an administrator of some kind."""

    def deed(sender: Sender, at: At) -> list[Line]:
        granted = role or at.dice.pick(["Help Desk Administrator", "Group Administrator", "Read-only Administrator",
                                        "Super administrator"])
        return event(company, "user.account.privilege.grant", debug={"privilegeGranted": granted})(sender, at)

    return deed


def grant(company: Company, scopes: str) -> Deed:
    """A service app gets an access token."""

    def deed(sender: Sender, at: At) -> list[Line]:
        target = thing("access_token", f"AT.{sender.session}", "Access Token", "unknown")
        target["detailEntry"] = {"expires": iso(at.second + 3600), "subject": sender.facts["id"],
                                 "hash": sender.session}
        debug = {"grantType": "client_credentials", "requestedScopes": scopes, "grantedScopes": scopes,
                 "clientAuthType": "private_key_jwt"}
        return event(company, "app.oauth2.token.grant.access_token", [target], debug)(sender, at)

    return deed


def service_app(company: Company, number: int) -> Worker:
    """An OAuth service app: a token each hour, then lifecycle work."""
    d = company.dice("okta-service", number)
    name = f"{d.pick(['Provisioner', 'HR Feed', 'Access Review', 'Directory Sync', 'SIEM Export'])} {number}"
    client = "0oa" + d.ident("", 17)
    worker = Worker(f"okta-{name}", "oauth_app", f"okta:oauth_app:{client}", company.vendor(d, name), d.pick(AGENTS))
    worker.facts = {"id": client, "type": "PublicClientApp", "alternate": "unknown", "name": name}
    worker.rotate = HOUR
    scopes = " ".join(d.some(["okta.users.read", "okta.users.manage", "okta.groups.read", "okta.groups.manage",
                              "okta.logs.read", "okta.apps.read"], 2))
    acts = [event(company, each) for each in d.some(LIFECYCLE, d.between(1, 3))]
    every = Rhythm("every", d.pick([3600, 7200, 14400]), d.between(0, 3500))
    worker.habits.append(run(every, ([grant(company, scopes)], 1, 2), (acts, d.lognormal(1.4, 0.5), 5)))
    return worker


def token_holder(company: Company, number: int) -> Worker:
    """An API token that an administrator made for a script, a pipeline or a vendor."""
    d = company.dice("okta-token", number)
    owner = company.people[number % len(company.people)]
    place = company.nat("aws", d) if d.chance(0.5) else company.vendor(d, f"okta-token-{number}")
    key = "00T" + d.ident("", 17)
    worker = Worker(f"okta-token-{number}", "token", f"okta:token:{key}", place, d.pick(AGENTS))
    worker.facts = {"id": owner.okta, "type": "User", "alternate": owner.email, "name": owner.name, "token": True}
    worker.keys = [(0, key)]
    acts = [event(company, each) for each in d.some(LIFECYCLE, d.between(1, 3))]
    worker.habits.append(steady(d.lognormal(9, 0.8), acts))
    if d.chance(0.4):
        worker.habits.append(office(d.lognormal(0.6, 0.5), [event(company, each) for each in d.some(CHANGES, 2)]))
    return worker


def person(company: Company, one: Person) -> Worker:
    """Somebody who signs in to everything through Okta; some administer it."""
    d = company.dice("okta-person", one.number)
    worker = Worker(f"okta-{one.login}", "person", f"okta:user:{one.okta}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"id": one.okta, "type": "User", "alternate": one.email, "name": one.name}
    acts = [event(company, "user.authentication.sso"),
            event(company, "user.session.start", debug={"factor": "OKTA_VERIFY_PUSH"}),
            event(company, "user.authentication.auth_via_mfa", debug={"factor": "OKTA_VERIFY_PUSH"}),
            event(company, "user.session.start", refused="INVALID_CREDENTIALS")]
    worker.habits.append(office(d.lognormal(4, 0.5), acts))
    if one.number % 6 == 1:
        rare = [*(event(company, each) for each in [*LIFECYCLE, *CHANGES]), privilege(company)]
        worker.habits.append(office(d.lognormal(2.5, 0.5), rare))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` machine identities, and all people."""
    half = max(1, count // 2)
    found = [service_app(company, n) for n in range(half)] + [token_holder(company, n) for n in range(count - half)]
    return found + [person(company, one) for one in company.people]
