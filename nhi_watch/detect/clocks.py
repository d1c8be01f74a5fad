"""Clocks that are wrong, as blind spots: records of the future that are held aside, and records that came too late.

One a log, way and day. No probability can be counted, so the score is always the same: it asks for a look. Whoever
writes times of his own choice is told with the log, the identities and the distance.

| key of `notable` | row |
|---|---|
| clock/day/id | the notable's JSON, by the last day with records |
"""

from __future__ import annotations

import hashlib
from typing import Any

from nhi_watch.context.assets import UNKNOWN
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
    severity_of,
    to_json,
)
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.detect import blind_spots
from nhi_watch.detect.explain.receipts import digest
from nhi_watch.detect.impact import impact, reach_of
from nhi_watch.intake.horizon import Logs, Wrong
from nhi_watch.state.baseline import Profile
from nhi_watch.state.rows import Rows, pack, unpack

MODEL = "nhi-clocks-1"
RULES = hashlib.sha256(MODEL.encode()).hexdigest()
SIGNAL = "wrong_clock"
SCORE = 40.0
MOST = 20
"""Logs that are told of a day, those with most records."""

Document = dict[str, Any]


def settle(rows: Rows, day: int, ahead: Logs, late: Logs) -> list[Document]:
    """Write the blind spots of what a run held aside or had to judge too late; returns what changed."""
    found = [(log, wrong, way) for way, logs in (("ahead", ahead), ("late", late)) for log, wrong in logs.items()]
    found.sort(key=lambda one: (-one[1].records, one[0]))
    made = [to_json(build(day, *one)) for one in found[:MOST]]
    keys = [f"clock/{day:06d}/{one['id']}" for one in made]
    before = {key: unpack(raw) for key, raw in rows.get("notable", keys).items()} if keys else {}
    changed = []
    for key, one in zip(keys, made):
        old = before.get(key)
        if old is None or one["record_count"] > old["record_count"]:
            changed.append(blind_spots.revised(one, old))
            rows.put("notable", [(key, pack(changed[-1]))])
    return changed


def build(day: int, log: tuple[str, str], wrong: Wrong, way: str) -> Notable:
    """The notable of one log's records."""
    provider, account = log
    text = _told(log, wrong, way)
    return Notable(
        id=hashlib.sha256(f"{SIGNAL}|{way}|{provider}|{account}|{day}".encode()).hexdigest()[:20], revision=1,
        kind="blind_spot", rank=1, score=SCORE, probability=SCORE / 100, p_value=None, priority=SCORE / 100,
        severity=severity_of(SCORE), title=clip(_title(provider, wrong, way), 200), summary=clip(text, 1000),
        identity=NotableIdentity(f"log:{provider}", f"log of {provider}", "log", provider, account, ""),
        created=(day + 1) * DAY - 1, first_time=wrong.first, last_time=wrong.last,
        signals=(SignalPoints(SIGNAL, 0.0, round(wrong.most / DAY, 2), clip(text, 500), (), False),), timeline=(),
        usual=Usual((), 0, None, None, None), frameworks=blind_spots.frameworks_of(),
        controls=_CONTROLS, impact=impact(UNKNOWN, reach_of(Profile(), ())),
        telemetry=Telemetry((provider,), None, (), False), record_ids=(), record_count=wrong.records,
        model=ModelRef(MODEL, RULES), baseline=BaselineRef(render_day(day - 1)),
        receipt=Receipt(RULES, digest(list(wrong)), digest([])), merged_into=None,
    )  # fmt: skip


def _title(provider: str, wrong: Wrong, way: str) -> str:
    told = "are dated ahead of when they came" if way == "ahead" else "came after their day was closed"
    return f"Wrong clock? {wrong.records:,} records of {provider} {told}, by {_days(wrong.most)}"


def _told(log: tuple[str, str], wrong: Wrong, way: str) -> str:
    names = ", ".join(clip(name, 80) for name in wrong.names)
    distance = f"{_days(wrong.least)} to {_days(wrong.most)}"
    what = f"{wrong.records:,} records of {' '.join(filter(None, log))} ({names})"
    when = f"from {render(wrong.first)} to {render(wrong.last)}"
    if way == "ahead":
        return (
            f"{what} are dated {distance} ahead of when they came, {when}. A clock is wrong, or somebody chooses the "
            "times of what he does. They are held aside and judged by nobody: the rejects name file and line. Correct "
            "the clock, and give them again once their day has come."
        )
    return (
        f"{what} are dated {when}, {distance} before the last day with records. Their log was shipped late, a clock is "
        "behind, or somebody chooses the times of what he does. They were judged by the habits of today and taught "
        "nothing."
    )


def _days(seconds: int) -> str:
    return f"{seconds / DAY:.1f} days"


_CONTROLS = (
    Control("rotate_secret", False, "Nothing is known that would have to be rotated: first find out whose clock it is.",
            "not_applicable"),
    Control("reduce_privilege", False, "Whoever writes a log should not choose its times.", "not_applicable"),
)  # fmt: skip
