"""Ordinary days around real records, and what an attack looks like when one of their machines makes it."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.baseline import is_human
from nhi_watch_lab.evaluation import folder
from nhi_watch_lab.evaluation.giveaways import without_tool
from nhi_watch_lab.evaluation.replay import grouped

Record = dict[str, Any]
WEEK = 7
KEPT = 0.5
"""Share of a day's records that each day of the week before repeats."""
HOSTING = ("159.65.118.{}", "88.198.44.{}")
"""Space of DigitalOcean and of Hetzner."""
AGENT = "aws-sdk-go-v2/1.17.0 os/linux lang/go/1.18.10 md/GOOS/linux md/GOARCH/amd64"
"""What the attack tool's own library calls itself, where it is not told to use another name."""
_SPACE = uuid.UUID("6f1c9d0a-6d3a-4a44-9a75-0f5b6f6d7c11")


def moved(record: Record, days: int, mark: str) -> Record:
    """The record some days earlier (or later), with an id of its own."""
    time = render(parse(record["eventTime"]) + days * DAY)
    return {
        **record,
        "eventTime": time,
        "eventID": str(uuid.uuid5(_SPACE, f"{record.get('eventID')}{mark}{days}")),
    }


def week_before(records: Sequence[Record]) -> list[Record]:
    """The seven days before a day, each a different half of that day's records.

    So what the day does often is known well, and what it did once is known on some of the days or on none:
    a history with gaps, as a real one has.
    """
    return [moved(r, -back, "week") for back in range(WEEK, 0, -1) for r in records if _kept(r, back)]


def _kept(record: Record, back: int) -> bool:
    digest = hashlib.sha256(f"{record.get('eventID')}|{back}".encode()).digest()
    return digest[0] < 256 * KEPT


class Host(NamedTuple):
    """An ordinary machine that is made to attack."""

    identity: str
    name: str
    records: list[Record]
    """What it did on the day."""


def hosts_of(records: Iterable[Record]) -> list[Host]:
    """Roles and users that hold a credential themselves, with their records, the busiest first.

    Left out: roles that only a service of the provider's uses, since nobody can steal those; and what people
    mostly use by hand.
    """
    found: dict[str, list[Record]] = {}
    own: Counter[str] = Counter()
    names: dict[str, str] = {}
    for record in records:
        event = event_of(record)
        if event is not None and event.identity.kind in ("role", "user"):
            found.setdefault(event.identity.id, []).append(record)
            own[event.identity.id] += _sent_by_itself(event)
            names[event.identity.id] = max(event.identity.name, names.get(event.identity.id, ""))
    order = sorted(found, key=lambda name: (-len(found[name]), name))
    return [Host(name, names[name], found[name]) for name in order if 2 * own[name] > len(found[name])]


def _by_itself(record: Record) -> bool:
    event = event_of(record)
    return event is not None and _sent_by_itself(event)


def _sent_by_itself(event: Event) -> bool:
    """Whether a machine sent the call itself: no service on its behalf, and no person."""
    return not event.network.startswith("service:") and not is_human(event.traits)


def chosen(hosts: Sequence[Host], most: int = 5) -> list[Host]:
    """The busiest ones, and as many from the middle.

    >>> [h.name for h in chosen([Host("", n, []) for n in "abcdefghi"], 2)]
    ['a', 'b', 'd', 'e']
    """
    rest = list(hosts[most:])
    start = max(0, len(hosts) // 2 - most // 2 - most)
    return [*hosts[:most], *rest[start : start + most]]


def event_of(record: Record) -> Event | None:
    """The Event of a record; None where there is none."""
    try:
        return cloudtrail.read(record)
    except RejectError:
        return None


def wholes(records: Sequence[Record]) -> Mapping[str, IdentityDay]:
    """Identity id → its day, of the records of one day."""
    (day,) = grouped(records).values()
    return day


def techniques(data: Path) -> dict[str, list[Record]]:
    """Technique → its real events."""
    files = sorted((data / "cloudtrail" / "stratus").glob("*.json"))
    return {file.stem.removeprefix("aws."): folder.read(file) for file in files}


_DROPPED = ("tlsDetails", "vpcEndpointId", "vpcEndpointAccountId", "sessionCredentialFromConsole")


def grafted(attack: Sequence[Record], host: Host, outside: int | None) -> list[Record]:
    """The attack's calls, made by the host: its identity, account and region, within its active hours.

    From inside they come from the host's own address, with its own agent. From outside (a number, which tells
    hosts apart) they come from a hosting provider, with a plain SDK as agent. Of the attack only calls,
    parameters, answers and errors stay; its account and region are replaced in them as well.
    """
    ordinary = _typical(host.records)
    times = sorted(parse(record["eventTime"]) for record in host.records)
    start, first = times[len(times) // 2], min(parse(record["eventTime"]) for record in attack)
    end = start // DAY * DAY + DAY - 1
    found = []
    for number, record in enumerate(attack):
        when = min(end, start + parse(record["eventTime"]) - first)
        found.append(_as(ordinary, record, render(when), f"{host.identity}|{outside}|{number}", outside))
    return found


def _typical(records: Sequence[Record]) -> Record:
    """The record whose address and agent are the commonest ones of what the host sends itself."""
    records = [record for record in records if _by_itself(record)]
    counts = Counter((r.get("sourceIPAddress"), r.get("userAgent")) for r in records)
    return max(records, key=lambda r: (counts[r.get("sourceIPAddress"), r.get("userAgent")], str(r.get("eventID"))))


def _as(ordinary: Record, attack: Record, time: str, mark: str, outside: int | None) -> Record:
    text = json.dumps(without_tool({k: v for k, v in attack.items() if k not in (*_DROPPED, "userIdentity")}))
    for old, new in _replaced(attack, ordinary):
        text = re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text)
    record: Record = json.loads(text)
    record["eventID"] = str(uuid.uuid5(_SPACE, f"{attack.get('eventID')}{mark}"))
    record["eventTime"] = time
    for field in ("userIdentity", "awsRegion", "recipientAccountId", "sourceIPAddress", "userAgent"):
        record[field] = ordinary.get(field)
    if outside is not None:
        record["sourceIPAddress"] = HOSTING[outside % len(HOSTING)].format(20 + outside)
        record["userAgent"] = AGENT
    return record


def _replaced(attack: Record, ordinary: Record) -> list[tuple[str, str]]:
    pairs = [(attack.get(field), ordinary.get(field)) for field in ("recipientAccountId", "awsRegion")]
    account = (ordinary.get("userIdentity") or {}).get("accountId")
    pairs.append(((attack.get("userIdentity") or {}).get("accountId"), account))
    return [(str(old), str(new)) for old, new in pairs if old and new]
