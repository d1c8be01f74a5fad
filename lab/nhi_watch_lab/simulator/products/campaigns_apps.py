"""Techniques with apps that people let in, and with tokens of identity providers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.products import entra, m365, okta, salesforce, workspace
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import technique


@technique("T1528", "initial-access collection", "person")
def consent_and_mail(raid: Raid, cast: Any) -> None:
    """Somebody is talked into letting an app in; the app reads that person's mail and files."""
    company, d = raid.company, raid.dice
    one = next(each for each in company.people if each.guid == cast.person.facts["guid"])
    name = f"{d.pick(['notes', 'archive', 'scheduler', 'assistant', 'search', 'signature'])}-{d.hexes(3)}"
    app = entra.make_app(company, name, company.dice("consented", raid.day, name))
    app.facts.update({"roles": "Mail.Read Files.Read.All User.Read", "delegate": one})
    if not raid.external:
        app.place = company.vendor(d, name)
    raid.do(cast.person, entra.consent(company, app, d.pick(entra.SCOPES[1:3])), gap=5, inside=True)
    raid.do(cast.person, entra.user_sign_in(company, (name, app.facts["app"])), gap=600, inside=True)
    raid.do(app, entra.graph(company, "GET", "/v1.0/users/{id}/messages"))
    raid.many(app, raid.few(60), [m365.mail(company, one), m365.file(company),
                                  entra.graph(company, "GET", "/v1.0/users/{id}/messages")], gap=3)
    if d.chance(raid.quiet * 0.5):
        raid.do(app, m365.mail(company, one, "Sync"))


@technique("T1550.001", "persistence credential-access collection", "person app")
def reply_address_moved(raid: Raid, cast: Any) -> None:
    """An app's tokens may go to one more address; with such a token, that person's mail is read in the app's name."""
    company, facts = raid.company, cast.person.facts
    one = next(each for each in company.people if each.guid == facts["guid"])
    raid.do(cast.person, entra.reply_address(company, cast.app), gap=1800)
    app = replace(cast.app, facts={**cast.app.facts, "delegate": one, "roles": "Mail.Read User.Read"})
    raid.many(app, raid.few(30), [entra.graph(company, "GET", "/v1.0/users/{id}/messages"), m365.mail(company, one),
                                  entra.graph(company, "GET", "/v1.0/users/{id}")])


@technique("T1114.002", "collection", "mailer")
def mail_app_abused(raid: Raid, cast: Any) -> None:
    """An app that reads some mailboxes reads all of them."""
    company, d = raid.company, raid.dice
    if "delegate" not in cast.mailer.facts:
        raid.do(cast.mailer, entra.sign_in(company))
    for one in d.some(company.people, raid.few(len(company.people))):
        raid.many(cast.mailer, raid.few(6), [m365.mail(company, one)], gap=3)
    if d.chance(0.5):
        raid.many(cast.mailer, raid.few(40), [m365.file(company)], gap=2)


@technique("T1098.003", "persistence privilege-escalation", "okta_token")
def okta_admin(raid: Raid, cast: Any) -> None:
    """A stolen API token makes an app, an administrator and a token."""
    company, d = raid.company, raid.dice
    looks = [okta.event(company, name) for name in ("user.account.update_profile", "group.user_membership.add")]
    raid.many(cast.okta_token, raid.few(2), looks)
    app = okta.thing("AppInstance", "0oa" + d.ident("", 17), "Directory Tools", "Directory Tools")
    secret = okta.thing("ClientSecret", "ocs" + d.ident("", 17), "secret", "unknown")
    steps = [okta.event(company, "application.lifecycle.create", [app]),
             okta.event(company, "app.oauth2.client.lifecycle.create", [app]),
             okta.event(company, "app.oauth2.credentials.lifecycle.create", [app, secret]),
             okta.privilege(company, "Super administrator"),
             okta.event(company, "system.api_token.create", [okta.thing("Token", "00T" + d.ident("", 17), "sync",
                                                                        "unknown")])]
    for step in steps[:: 1 if raid.quiet > 0.5 else 2]:
        raid.do(cast.okta_token, step, gap=40)


@technique("T1528", "initial-access discovery persistence", "okta_app")
def okta_service_app(raid: Raid, cast: Any) -> None:
    """A service app's key signs tokens elsewhere; accounts are changed and logs read."""
    company = raid.company
    raid.do(cast.okta_app, okta.grant(company, "okta.users.manage okta.groups.manage okta.apps.manage"))
    names = ["user.account.reset_password", "user.mfa.factor.reset_all", "group.user_membership.add",
             "user.lifecycle.activate", "application.user_membership.add"]
    raid.many(cast.okta_app, raid.few(9), [okta.event(company, name) for name in raid.dice.some(names, 3)])


@technique("T1528", "initial-access collection exfiltration", "")
def workspace_drive(raid: Raid, cast: Any) -> None:
    """Somebody lets an app in, and the drive is downloaded."""
    company, d = raid.company, raid.dice
    app = workspace.make_app(company, d.between(0, 30), company.dice("drive-app", raid.day, d.hexes(6)))
    app.place = app.facts["person"].place
    raid.do(app, workspace.authorize(company, app, [workspace.NARROW[0], workspace.DRIVE]), gap=300, inside=True)
    if not raid.external:
        app.place = company.vendor(d, app.name)
    calls = [workspace.api(company, app, "drive", name) for name in workspace.METHODS["drive"]]
    raid.do(app, calls[0])
    raid.many(app, raid.few(80), calls, gap=2)


@technique("T1550.001", "collection exfiltration", "reader")
def workspace_app_stolen(raid: Raid, cast: Any) -> None:
    """A known app's refresh tokens, stolen at its vendor, fetch mail and files."""
    company, service = raid.company, raid.dice.pick(["drive", "gmail"])
    calls = [workspace.api(company, cast.reader, service, name) for name in workspace.METHODS[service]]
    raid.many(cast.reader, raid.few(70), calls, gap=3)


@technique("T1199", "initial-access collection exfiltration", "connected")
def third_party_export(raid: Raid, cast: Any) -> None:
    """Tokens of a connected app, stolen at its vendor, export whole objects of Salesforce."""
    company, d = raid.company, raid.dice
    raid.do(cast.connected, salesforce.remote_login(company))
    more = [salesforce.event(company, "RestApi", {"URI": f"/services/data/v62.0/query?q=SELECT+COUNT()+FROM+{name}"})
            for name in salesforce.ENTITIES]
    raid.do(cast.connected, *d.some(more, raid.few(5)))
    raid.wait(HOUR / 4)
    bulk = [salesforce.event(company, kind, rows=40_000) for kind in ("BulkApiResultEventStore", "BulkApi2")]
    raid.many(cast.connected, raid.few(14), bulk, gap=30)
    if d.chance(0.4):
        raid.do(cast.connected, salesforce.event(company, "BulkApi2", {"OPERATION_TYPE": "delete"}, rows=5))
