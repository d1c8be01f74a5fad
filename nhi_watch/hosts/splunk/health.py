"""What an app can tell of its own health: silent sources, missing fields, what could not be read, the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import NamedTuple

from nhi_watch.core.behaviour import Shape
from nhi_watch.core.timestamps import HOUR, day_of, render
from nhi_watch.detect import drift
from nhi_watch.detect.cannot_tell import NEEDS
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.telemetry import LATE, is_silent, longest_pause
from nhi_watch.hosts.splunk import reasons
from nhi_watch.hosts.splunk.lookup import Table, describe
from nhi_watch.hosts.splunk.rows import Cell
from nhi_watch.hosts.splunk.tablestore import DRIFT, TableStore, day_in

UNREAD = 0.01
"""Share of events that could not be read from which it is a warning."""
STALE_DAYS = 2
_NAMED = 6
Check = dict[str, Cell]


class Bucket(NamedTuple):
    """What `tstats` says of one sourcetype in one hour."""

    start: int
    events: int
    indexed: int
    """When the last of them arrived."""


def check(about: tuple[str, str], status: str, text: str, **more: Cell) -> Check:
    """One row."""
    return {"nhi_check": about[0], "nhi_source": about[1], "nhi_status": status, "nhi_text": text, **more}


def sources(known: Sequence[ModuleType], seen: Mapping[str, list[Bucket]], now: int) -> Iterator[Check]:
    """One row a source: whether it is there, silent, or late; and one a sourcetype of the customer's own."""
    for source in known:
        types = [name.lower() for name in source.SPLUNK_SOURCETYPES]
        buckets = sorted(bucket for name in types for bucket in seen.get(name, ()))
        yield _source(source.NAME, buckets, now)
    for name in customers_own(seen, (source.SPLUNK_SOURCETYPES for source in known)):
        yield _source(name, sorted(seen[name]), now)


def customers_own(seen: Mapping[str, object], usual: Iterable[Iterable[str]]) -> list[str]:
    """The sourcetypes that are of no source of ours: whose log they are, nobody tells, so each stands for itself.

    >>> customers_own({"okta": 1, "my:okta": 1}, [["Okta"]])
    ['my:okta']
    """
    return sorted(seen.keys() - {name.lower() for names in usual for name in names})


def nothing() -> Check:
    """The row where no log was found at all."""
    text = "no event of any log in the time searched: choose a longer time, set the macros of your logs and the macro"
    return check(("source", "all"), "unknown", f"{text} nhi_sourcetypes, or search with a role that sees their indexes")


def _source(name: str, buckets: list[Bucket], now: int) -> Check:
    about = ("source", name)
    if not buckets:
        text = f"no event in the time searched; where you have this log, set the macro nhi_{name} to its index"
        return check(about, "unknown", text)
    end = max(min(bucket.start + HOUR, bucket.indexed) for bucket in buckets)
    silent, usual = max(0, now - end), longest_pause(bucket.start for bucket in buckets)
    late = int(median(max(0, bucket.indexed - bucket.start - HOUR) for bucket in buckets))
    told: dict[str, Cell] = {
        "nhi_last_event": render(end), "nhi_silent_minutes": str(silent // 60), "nhi_lag_minutes": str(late // 60),
        "nhi_events": str(sum(bucket.events for bucket in buckets)),
    }  # fmt: skip
    if is_silent(silent, usual):
        text = f"silent for {silent // 60} minutes; its longest pause before was {usual // 60}: check its input"
        return check(about, "error", text, **told)
    if late > LATE:
        return check(about, "warn", f"events arrive more than {late // 60} minutes late: notables come as late", **told)
    return check(about, "ok", "events arrive", **told)


def missing(shapes: Iterable[Shape]) -> Iterator[Check]:
    """One row a provider: the fields that none of its events had, and the signals that this costs."""
    had: dict[str, set[str]] = {}
    for shape in shapes:
        had.setdefault(shape.identity.provider, set()).update(name for name in NEEDS if getattr(shape, name))
    for provider, there in sorted(had.items()):
        lacking = [name for name in NEEDS if name not in there]
        lost = [signal for name in lacking for signal in NEEDS[name]]
        if lost:
            text = f"no event of {provider} tells {', '.join(lacking)}: {len(lost)} signals cannot tell"
            yield check(("fields", provider), "warn", text, nhi_missing=lacking, nhi_lost_signals=lost)
        else:
            yield check(("fields", provider), "ok", "events have the fields that signals need")


def parsing(rejected: Mapping[str, int], read: int) -> Check:
    """What could not be read."""
    bad = sum(count for code, count in rejected.items() if code not in reasons.LEFT_OUT)
    told = "; ".join(text.partition(": ")[2] for _, text in reasons.messages("", rejected))
    share = bad / (bad + read) if bad else 0.0
    if share > UNREAD:
        return check(("parsing", "all"), "warn", f"{share:.1%} of events cannot be read: {told}"[:1_000])
    return check(("parsing", "all"), "ok", f"{read:,} events read" + (f"; {told}" if told else ""))


def baseline(table: Table, now: int) -> Check:
    """Whether the baseline is there and of yesterday."""
    about = ("baseline", "nhi_baseline")
    if table.last < 0:
        text = "no baseline yet: enable the search NHI Watch - Learn, and run NHI Watch - Learn History once"
        return check(about, "error", text)
    old = day_of(now) - table.last
    if old > STALE_DAYS:
        return check(about, "warn", f"{describe(table)}: {old} days old; look at the search NHI Watch - Learn")
    return check(about, "ok", describe(table))


def drifted(table: Table, card: Scorecard, folder: Path) -> Check:
    """Whether scores and signals are spread as in training, and as a week before.

    Raises:
        ModelError: the spreads in training, which ship with the model, are damaged.
    """
    days = sorted(day_in(key) for key in table.kept["meta"] if key.startswith(DRIFT))
    found = drift.report(TableStore(table, table.last + 1), days, drift.reference(folder, card.sha256))
    about = ("drift", card.id)
    if found.since_training is None and found.since_last_week is None:
        return check(about, "unknown", f"drift is told from {drift.ENOUGH} identity-days a week on, after two weeks")
    since = (("training", found.since_training), ("the week before", found.since_last_week))
    moved = [(one, when) for when, all_of_it in since for one in all_of_it or () if one.status != "ok"]
    if not moved:
        return check(about, "ok", "scores and signals are spread as before")
    told = ", ".join(f"{one.name} by {one.shift:g} since {when}" for one, when in moved[:_NAMED])
    status = "error" if any(one.status == "error" for one, _ in moved) else "warn"
    return check(about, status, f"moved: {told}; look what changed in the logs, or train anew"[:500])


def budget(told: Iterable[Mapping[str, str]]) -> Iterator[Check]:
    """Whether notables of the latest day were left out for want of room."""
    ranked = max(told, key=lambda row: (row.get("nhi_first_time", "")[:10], row.get("nhi_overflow", "")), default=None)
    if ranked is None:
        return
    left = int(ranked.get("nhi_overflow") or 0)
    text = f"{left} episodes had no room, the highest with score {ranked.get('nhi_overflow_highest', '')}"
    day = ranked.get("nhi_first_time", "")[:10]
    yield check(("budget", day), "warn" if left else "ok", text if left else "every episode over the floor had room")
