"""The days of a world, what is missing in its records, and its files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nhi_watch_lab.simulator.products.tenant import Tenant as CompanyTenant
from nhi_watch_lab.simulator.products.workers import Line
from nhi_watch_lab.simulator.records import Record
from nhi_watch_lab.simulator.tenant import Spec, Tenant, plan_oddities
from nhi_watch_lab.worlds.company import company, names, told_twice
from nhi_watch_lab.worlds.world import World, plan

# ---- records as pipelines leave them that trim or lose fields


def without(record: Record, lacks: tuple[str, ...]) -> Record:
    """The same record of CloudTrail without `agent`, `session` or `read_only`.

    >>> without({"userAgent": "x", "readOnly": True, "userIdentity": {}}, ("agent",))
    {'readOnly': True, 'userIdentity': {}}
    """
    if not lacks:
        return record
    kept = dict(record)
    if "agent" in lacks:
        kept.pop("userAgent", None)
    if "read_only" in lacks:
        kept.pop("readOnly", None)
    if "session" in lacks:
        kept["userIdentity"] = _without_session(record["userIdentity"])
    return kept


def _without_session(identity: Record) -> Record:
    """No temporary key and nothing on when and how the session began; who it belongs to stays."""
    kept = dict(identity)
    if str(kept.get("accessKeyId", "")).startswith("ASIA"):
        del kept["accessKeyId"]
    context = kept.pop("sessionContext", None)
    if context and "sessionIssuer" in context:
        kept["sessionContext"] = {"sessionIssuer": context["sessionIssuer"]}
    return kept


# ---- the days of a world: its records, and the attacks that begin on each

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
    yield from _company(world) if world.company else _account(world)


def people(world: World) -> list[str]:
    """Names of the human principals, as nhi_watch's sources read them."""
    tenant = company(world) if world.company else None
    return people_of(tenant.company.aws if tenant else account(world), tenant)


def people_of(cloud: Tenant, tenant: CompanyTenant | None = None) -> list[str]:
    """The same of an account, and of the company that it belongs to."""
    result = {p.arn for p in cloud.people} | {p.subject for p in cloud.people if p.session in ("sso", "cli")}
    return sorted(result | set(names(tenant) if tenant else ()))


def account(world: World) -> Tenant:
    """The AWS account of a world, with its attacks."""
    tenant = peaceful_account(world)
    tenant.campaigns = plan(world, tenant)
    tenant.oddities = plan_oddities(tenant)
    return tenant


def peaceful_account(world: World) -> Tenant:
    """The AWS account of a world, before attacks and oddities are planned."""
    volume = round(world.volume * world.identities * world.days)
    spec = Spec(
        world.days,
        world.identities,
        world.seed,
        world.start,
        campaigns=0,
        events=volume,
        quiet_days=world.history,
        human_share=world.people,
        ways=world.ways,
    )
    return Tenant(spec)


def _account(world: World) -> Iterator[Day]:
    yield from of_account(world, account(world))


def of_account(world: World, tenant: Tenant) -> Iterator[Day]:
    """The days of an account that is made already."""
    for day in tenant.days():
        # Attacks are added last: without this they would come last of their second, too.
        records = sorted(day.records, key=itemgetter("eventTime", "eventID"))
        lacking = [("cloudtrail", without(record, world.missing)) for record in records]
        yield Day(day.date, lacking, [_told(incident) for incident in day.incidents], day.oddities)


def _company(world: World) -> Iterator[Day]:
    yield from of_company(world, company(world))


def of_company(world: World, tenant: CompanyTenant) -> Iterator[Day]:
    """The days of a company that is made already."""
    for day in tenant.days():
        lines = sorted(day.lines, key=lambda line: (line.second, str(line.record.get("eventID", ""))))
        incidents = [_told(each, told_twice(tenant, lines, each)) for each in day.incidents]
        yield Day(day.date, [(line.product, _lacking(line, world)) for line in lines], incidents, day.oddities)


def _lacking(line: Line, world: World) -> Record:
    return without(line.record, world.missing) if line.product == "cloudtrail" else line.record


def _told(incident: Incident, more: Sequence[str] = ()) -> Incident:
    """A label in the words of all products."""
    kept = {key: value for key, value in incident.items() if key not in ("names", "identities")}
    ids = list(dict.fromkeys([*incident["record_ids"], *more]))
    details = {"record_ids": ids, "identity": incident["names"][0], "identities": incident["names"]}
    return {**kept, **details}


# ---- A world as files


def write(world: World, folder: Path) -> dict[str, Any]:
    """Writes `events/YYYY-MM-DD.ndjson.gz` (a company: `events/<product>/…`) and `labels.json`; returns the labels.

    Raises:
        OSError: the folder cannot be written.
    """
    labels: dict[str, Any] = {"incidents": [], "benign_oddities": []}
    for day in days(world):
        _write_day(folder / "events", day, world.company)
        labels["incidents"] += day.incidents
        labels["benign_oddities"] += day.oddities
    labels["humans"], labels["seed"] = people(world), world.seed
    labels["world"] = {**world._asdict(), "ways": world.ways._asdict()}
    packed = orjson.dumps(labels, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    (folder / "labels.json").write_bytes(packed)
    return labels


def _write_day(folder: Path, day: Day, company: bool) -> None:
    rows: dict[str, list[bytes]] = {}
    for product, record in day.records:
        packed = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        rows.setdefault(product if company else "", []).append(packed)
    for product, lines in sorted(rows.items()):
        (folder / product).mkdir(parents=True, exist_ok=True)
        path = folder / product / f"{day.date}.ndjson.gz"
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, 0) as file:
            file.write(b"".join(lines))
