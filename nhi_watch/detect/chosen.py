"""Times and ids that somebody seems to have chosen, as blind spots.

Records of the future, which are held aside; records that came too late for their day; one id over many records. One
notable a log, way and day. It claims no intrusion, and its severity is always the same: it asks for a look.

| key of `notable` | row |
|---|---|
| chosen/day/id | the notable's JSON, by the last day with records; of ids, by theirs |
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nhi_watch.context.assets import UNKNOWN
from nhi_watch.core.behaviour import Behaviour, IdentityDay
from nhi_watch.core.life import Receipt
from nhi_watch.core.notable import (
    BaselineRef,
    Control,
    ModelRef,
    Notable,
    NotableIdentity,
    SignalPoints,
    Telemetry,
    Usual,
    clip,
    to_json,
)
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect import blind_spots
from nhi_watch.detect.explain.receipts import digest
from nhi_watch.detect.impact import impact, reach_of
from nhi_watch.intake.horizon import Logs, Wrong, noted
from nhi_watch.intake.shapes.values import unbound
from nhi_watch.state.baseline import Profile
from nhi_watch.state.rows import Rows, pack, unpack

MODEL = "nhi-chosen-1"
RULES = hashlib.sha256(MODEL.encode()).hexdigest()
SEVERITY = "medium"
MOST = 20
"""Logs that are told of a day, those with most records."""
MANY = 5
"""Records from which one id over all of them is told; a proxy's may be in two logs."""
AHEAD, LATE, IDS = "ahead", "late", "ids"

Document = dict[str, Any]


def settle(rows: Rows, day: int, ways: Mapping[str, Logs]) -> list[Document]:
    """Write the blind spots of a run or a day; returns what changed."""
    made = {f"chosen/{day:06d}/{one.id}": to_json(one) for one in (build(day, *each) for each in most(ways))}
    before = {key: unpack(raw) for key, raw in rows.get("notable", [*made]).items()} if made else {}
    told = [(key, blind_spots.revised(one, before.get(key))) for key, one in made.items()]
    changed = [(key, one) for key, one in told if _is_more(one, before.get(key))]
    rows.put("notable", [(key, pack(one)) for key, one in changed])
    return [one for _, one in changed]


def most(ways: Mapping[str, Logs]) -> list[tuple[str, tuple[str, str], Wrong]]:
    """Way, log and what is wrong with it, of the logs with most records."""
    found = [(way, log, wrong) for way, logs in ways.items() for log, wrong in logs.items()]
    return sorted(found, key=lambda one: (-one[2].records, one[:2]))[:MOST]


def _is_more(new: Document, old: Document | None) -> bool:
    """Of times the run that met most of them stands; ids are told of all that the day holds."""
    if old is None or new["signals"][0]["id"] == _SIGNALS[IDS]:
        return new != old
    return bool(new["record_count"] > old["record_count"])


def reused(wholes: Iterable[IdentityDay]) -> Logs:
    """Whose records share an id that should be one record's, as far as a day's samples of ids show it."""
    logs: Logs = {}
    for whole in wholes:
        for log, wrong in sharing(whole.behaviours.values()):
            noted(logs, log, wrong)
    return logs


def sharing(behaviours: Iterable[Behaviour]) -> Iterator[tuple[tuple[str, str], Wrong]]:
    """The log of one identity's behaviours, if many of their records share an id."""
    mine = list(behaviours)
    told = {record for b in mine for record in b.record_ids}
    count = max(Counter(unbound(record) or record for record in told).values(), default=0)
    if count >= MANY:
        identity = mine[0].shape.identity
        first, last = min(b.first for b in mine), max(b.last for b in mine)
        yield (identity.provider, identity.account), Wrong(count, 0, 0, first, last, (identity.name,))


def build(day: int, way: str, log: tuple[str, str], wrong: Wrong, unread: str = "") -> Notable:
    """The notable of one log's records; `unread`: what to do where no host takes them in."""
    provider, account = log
    title, text = (told.format(**_words(log, wrong)) for told in _TOLD[way])
    text += (unread or _READ[way]) if way in _READ else ""
    return Notable(
        id=hashlib.sha256(f"{way}|{provider}|{account}|{day}".encode()).hexdigest()[:20], revision=1,
        kind="blind_spot", rank=1, likelihood=0.0, severity=SEVERITY, title=clip(title, 200), summary=clip(text, 1000),
        identity=NotableIdentity(f"log:{provider}", f"log of {provider}", "log", provider, account, ""),
        created=(day + 1) * DAY - 1, first_time=wrong.first, last_time=wrong.last,
        signals=(SignalPoints(_SIGNALS[way], 0.0, 0.0, float(wrong.records), clip(text, 500), (), False),), timeline=(),
        usual=Usual((), 0, None, None, None), frameworks=blind_spots.frameworks_of(),
        controls=_CONTROLS, impact=impact(UNKNOWN, reach_of(Profile(), ())),
        telemetry=Telemetry((provider,), None, (), False), record_ids=(), record_count=wrong.records,
        model=ModelRef(MODEL, RULES), baseline=BaselineRef(render_day(day - 1)),
        receipt=Receipt(RULES, digest(list(wrong)), digest([])), merged_into=None,
    )  # fmt: skip


def _words(log: tuple[str, str], wrong: Wrong) -> dict[str, str]:
    names = ", ".join(clip(name, 80) for name in wrong.names)
    return {
        "many": f"{wrong.records:,}", "provider": log[0], "log": " ".join(filter(None, log)), "names": names,
        "least": _days(wrong.least), "most": _days(wrong.most),
        "first": render(wrong.first), "last": render(wrong.last),
    }  # fmt: skip


def _days(seconds: int) -> str:
    return f"{seconds / DAY:.1f} days"


_SIGNALS = {AHEAD: "wrong_clock", LATE: "wrong_clock", IDS: "one_id_many_records"}
_TOLD = {
    AHEAD: (
        "Wrong clock? {many} records of {provider} are dated ahead of when they came, by {most}",
        "{many} records of {log} ({names}) are dated {least} to {most} ahead of when they came, {first} to {last}. A "
        "clock is wrong, or somebody chooses the times of what he does. ",
    ),
    LATE: (
        "Wrong clock? {many} records of {provider} came after their day was closed, by {most}",
        "{many} records of {log} ({names}) are dated {first} to {last}, {least} to {most} before the last day with "
        "records. Their log was shipped late, a clock is behind, or somebody chooses the times of what he does. ",
    ),
    IDS: (
        "One id for many records: {many} or more of {provider} share one",
        "{many} or more records of {log} ({names}) from {first} to {last} have the same id, although they tell "
        "different things. Whoever makes a request can choose such an id, so that his records pass for copies of a "
        "harmless one. They were told apart by what they tell, and judged.",
    ),
}
"""Way → title and summary."""
_READ = {
    AHEAD: "They are held aside and judged by nobody: the rejects name file and line. Correct the clock, and give them "
    "again once their day has come.",
    LATE: "They were judged by the habits of today and taught nothing.",
}
"""Way → what became of them, where a host takes them in."""
_CONTROLS = (
    Control("rotate_secret", False, "Nothing is known that would have to be rotated: first find out whose log it is.",
            "not_applicable"),
    Control("reduce_privilege", False, "Whoever writes a log should not choose its times and ids.", "not_applicable"),
)  # fmt: skip
