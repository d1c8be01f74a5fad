"""Techniques on the products of a company that the drawn worlds have beside the simulator's."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.products import entra, m365
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import Technique, technique
from nhi_watch_lab.simulator.products.workers import At

MORE: dict[str, Technique] = {}
"""These techniques by name."""
_NAMES = ["notes", "archive", "scheduler", "assistant", "search", "signature", "survey", "polls", "rooms", "translate"]


@technique("T1528", "initial-access collection", "person", MORE)
def consent_phishing(raid: Raid, cast: Any) -> None:
    """Several people let one app of a stranger in within hours; it reads mail and files in the name of each."""
    company, d = raid.company, raid.dice
    others = [w for w in raid.tenant.alive("entra", "person", raid.day) if w is not cast.person]
    name = f"{d.pick(_NAMES)}-{d.hexes(3)}"
    app = entra.make_app(company, name, company.dice("phished", raid.day, name))
    app.facts["roles"] = d.pick(entra.SCOPES[1:3])
    if not raid.external:
        app.place = company.vendor(d, name)
    for worker in [cast.person, *d.some(others, raid.few(5) - 1)]:
        one = next(each for each in company.people if each.guid == worker.facts["guid"])
        app.facts["delegate"] = one
        raid.do(worker, entra.consent(company, app, app.facts["roles"]), gap=5, inside=True)
        raid.do(worker, entra.user_sign_in(company, (name, app.facts["app"])), gap=900, inside=True)
        raid.many(app, raid.few(25), [m365.mail(company, one), m365.file(company)], gap=5)


@technique("T1098.001", "persistence credential-access", "person sleeper", MORE)
def secret_on_dormant_app(raid: Raid, cast: Any) -> None:
    """A new secret for an app that has slept for weeks; hours later it is used from elsewhere."""
    company, d = raid.company, raid.dice
    key = d.uuid()
    raid.do(cast.person, entra.new_secret(company, cast.sleeper, key), gap=d.pick([300, HOUR, 4 * HOUR]), inside=True)
    sender = raid.sender(cast.sleeper)._replace(key=key)
    looks = [entra.graph(company, "GET", path) for path in d.some(entra.READS, 5)]
    for deed in [entra.sign_in(company), *(d.pick(looks) for _ in range(raid.few(14)))]:
        raid.add(deed(sender, At(raid.clock, d)))
