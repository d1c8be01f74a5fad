"""The days of a world: its records, and the attacks that begin on each."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.simulator.oddities import plan_oddities
from nhi_watch_lab.simulator.records import Record
from nhi_watch_lab.simulator.tenant import Spec, Tenant
from nhi_watch_lab.worlds.missing import without
from nhi_watch_lab.worlds.plan import plan
from nhi_watch_lab.worlds.world import World

Incident = dict[str, Any]
"""`id`, `technique`, `origin` (external or inside), `identity` (the name of whose records come first), `identities`
(all names), `distinguishable`, `record_ids`, `first_time`, `last_time`, `tactics`, `mitre`."""


class Day(NamedTuple):
    """One day of a world."""

    date: str
    records: list[tuple[str, Record]]
    """Product and native record, in order of time."""
    incidents: list[Incident]
    """Those that begin on this day."""
    oddities: list[Incident]
    """Benign things that look bad and are worth studying."""


def days(world: World) -> Iterator[Day]:
    """Day after day, the history first; memory does not grow with the days."""
    yield from _account(world)


def people(world: World) -> list[str]:
    """Names of the human principals, as nhi_watch's sources read them."""
    tenant = account(world)
    return sorted({p.arn for p in tenant.people} | {p.subject for p in tenant.people if p.session in ("sso", "cli")})


def account(world: World) -> Tenant:
    """The AWS account of a world, with its attacks."""
    volume = round(world.volume * world.identities * world.days)
    spec = Spec(world.days, world.identities, world.seed, world.start, campaigns=0, events=volume,
                quiet_days=world.history, human_share=world.people, ways=world.ways)  # fmt: skip
    tenant = Tenant(spec)
    tenant.campaigns = plan(world, tenant)
    tenant.oddities = plan_oddities(tenant)
    return tenant


def _account(world: World) -> Iterator[Day]:
    for day in account(world).days():
        names = {r["eventID"]: r for r in day.records} if day.incidents else {}
        records = sorted(day.records, key=itemgetter("eventTime", "eventID"))
        lacking = [("cloudtrail", without(record, world.missing)) for record in records]
        yield Day(day.date, lacking, [_told(i, names) for i in day.incidents], day.oddities)


def _told(incident: Incident, records: dict[str, Record]) -> Incident:
    """A label in the words of all products."""
    shown = [records[r] for r in incident["record_ids"] if r in records]
    names = list(dict.fromkeys(cloudtrail.read(record).identity.name for record in shown))
    names = names or [item["arn"] for item in incident["identities"]]
    return {**incident, "identity": names[0], "identities": names}
