"""Blind spots as notables: which log was silent, for how long, and how much of the tenant could not be watched.

One a provider and day. It claims no intrusion, so its likelihood is 0; its severity follows the share of the tenant's
identities of an ordinary day whose log was silent, and is at least low.
What was seen of a silent stream's identities stays a notable, but signals that look at a day as a whole and show
nothing cannot tell there, and the likelihood is given as a range.

| key of `notable` | row |
|---|---|
| blind/day/provider | the notable's JSON |
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from nhi_watch.context.assets import UNKNOWN
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.documents import NotableDocument, SignalDocument, TelemetryDocument
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import ModelRef, Notable, Usual, clip, to_json
from nhi_watch.core.status import Receipt
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.detect.explain.claims import ClaimCheck, day_scored, digest
from nhi_watch.detect.explain.fields import control_of, identity_of, make, notable_id, signal_of
from nhi_watch.detect.habits import TenantHabits
from nhi_watch.detect.impact import blast_radius, impact
from nhi_watch.detect.model import MACHINE, Model
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.signals import NAMES
from nhi_watch.detect.telemetry import (
    EPISODE_SIGNALS,
    FIELDLESS,
    NO_LOG,
    WINDOW,
    Gap,
    RhythmDays,
    RhythmRows,
    Rhythms,
    bounds,
    find_gaps,
    gathered,
    is_silent,
    tells_time,
)
from nhi_watch.state.baseline import Profile
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack

SHARES = ((0.8, "critical"), (0.6, "high"), (0.4, "medium"))
"""Share of the identities that could not be watched from which a severity begins."""
MODEL = "nhi-telemetry-1"
RULES = hashlib.sha256(MODEL.encode()).hexdigest()
NAMED = 5
"""Accounts that are named."""


def process_day(rows: Rows, days: RhythmDays, day: int, gaps: Sequence[Gap]) -> None:
    """Make the blind spots of a day that is over, in place of those it had."""
    low, high = f"blind/{day:06d}/", f"blind/{day:06d}0"
    before = dict(rows.scan("notable", low, high))
    notables = {}
    for rank, provider in enumerate(sorted({gap.stream.provider for gap in gaps}), 1):
        document = to_json(build(days, day, [gap for gap in gaps if gap.stream.provider == provider]))
        notables[f"{low}{clip(provider, 64)}"] = pack({**document, "rank": rank})
    rows.put("notable", [(key, raw) for key, raw in notables.items() if before.get(key) != raw])
    rows.put("notable", [(key, None) for key in before if key not in notables])


def stored(rows: Rows, since: int = 0) -> list[NotableDocument]:
    """The blind spots that are kept of a day and of later ones, by day."""
    return [unpack(raw) for _, raw in rows.scan("notable", f"blind/{max(0, since):06d}/", "blind0")]


def build(days: RhythmDays, day: int, gaps: Sequence[Gap]) -> Notable:
    """The notable of one provider's silent streams."""
    provider = gaps[0].stream.provider
    share = _share(days, day, gaps)
    first, last = min(gap.since for gap in gaps), max(gap.until for gap in gaps) - 1
    description, accounts = _describe(gaps), sorted({gap.stream.account for gap in gaps})
    log = Identity(
        f"log:{provider}", f"log of {provider}", "log", provider, accounts[0] if len(accounts) == 1 else "", ""
    )
    why = f"Find out why the log of {provider} is silent: its collection, its permissions, or somebody who stopped it."
    return make(
        notable_id("blind_spot", provider, day),
        "blind_spot",
        identity_of(log),
        f"Blind spot: no log of {provider} {_span(gaps)}{_of(accounts)}",
        f"{description} No log that was read shows what happened in that time: this is not an all-clear.",
        when=((day + 1) * DAY - 1, first, last),
        eve=day - 1,
        severity=next((name for least, name in SHARES if share >= least), "low"),
        signals=[signal_of("silent_log", description, round(max(gap.until - gap.since for gap in gaps) / HOUR, 2))],
        usual=Usual((), _active_days(days, day, gaps), None, first - 1, None),
        ids=["T1562.008"],
        controls=[
            control_of("rotate_secret", f"{why} No secret is known that needs to be rotated.", "not_applicable"),
            control_of("reduce_privilege", "Few identities should be able to stop a log.", "not_applicable"),
        ],
        impact=impact(UNKNOWN, blast_radius(Profile())),
        sources=[provider],
        missing=[missing(gap) for gap in gaps[:NAMED]],
        model=ModelRef(MODEL, RULES),
        receipt=receipt(days, day, gaps),
    )


def receipt(days: RhythmDays, day: int, gaps: Sequence[Gap]) -> Receipt:
    """Hashes of the rule, of what was found, and of the rhythms that were looked at."""
    streams = sorted({gap.stream for gap in gaps})
    looked = [[n, *s, *days[n][s]] for n in sorted(days) if day - WINDOW <= n <= day for s in streams if s in days[n]]
    return Receipt(RULES, digest([list(gap) for gap in gaps]), digest(looked))


def _share(days: RhythmDays, day: int, gaps: Sequence[Gap]) -> float:
    """Identities of an ordinary day whose stream was silent, of all."""
    before = [rhythms for number, rhythms in days.items() if day - WINDOW <= number < day]
    everybody = sum(rhythm.identities for rhythms in before for rhythm in rhythms.values()) / max(1, len(before))
    silent = {gap.stream: gap.identities for gap in gaps}
    return min(1.0, sum(silent.values()) / max(1.0, everybody))


def _active_days(days: RhythmDays, day: int, gaps: Sequence[Gap]) -> int:
    return sum(any(gap.stream in days[n] for gap in gaps) for n in days if day - WINDOW <= n < day)


def missing(gap: Gap) -> str:
    """What is missing, in a few words."""
    account = f" {gap.stream.account}" if gap.stream.account else ""
    end = "on" if gap.open else f"until {render(gap.until)}"
    return clip(f"no log of {gap.stream.provider}{account} from {render(gap.since)} {end}", 128)


def _span(gaps: Sequence[Gap]) -> str:
    longest = max(gaps, key=lambda gap: gap.until - gap.since)
    return f"for {(longest.until - longest.since) // HOUR} hours"


def _of(accounts: Sequence[str]) -> str:
    named = [account for account in accounts if account]
    if not named:
        return ""
    more = f" and {len(named) - 2} more accounts" if len(named) > 2 else ""
    return f" ({', '.join(clip(account, 40) for account in named[:2])}{more})"


def _describe(gaps: Sequence[Gap]) -> str:
    before = "its longest pause in the weeks before was"
    texts = [f"{missing(gap)}; {before} {gap.pause // HOUR} h" for gap in gaps[:NAMED]]
    more = f"; and {len(gaps) - NAMED} more" if len(gaps) > NAMED else ""
    return f"{'. '.join(text[0].upper() + text[1:] for text in texts)}{more}."


def verify(rows: Rows, notable: NotableDocument) -> list[ClaimCheck]:
    """Look for the silence again in the rhythms that are stored, and compare the receipt."""
    day, stored_receipt = day_scored(notable), notable["receipt"]
    if notable["signals"][0]["id"] != "silent_log":
        return [ClaimCheck("signals", None, "the state does not keep what was checked: see the rejects and the log")]
    state = State(rows)
    if day not in state.daybook.days:
        return [ClaimCheck("signals", None, "retention has removed this day's log volume from the state")]
    days = Rhythms(rows).days([*state.daybook.between(day - WINDOW, day), day])
    silent = [gap for gap in find_gaps(days, day) if gap.stream.provider == notable["identity"]["provider"]]
    mine = receipt(days, day, silent)
    return [
        ClaimCheck("model", mine.model == stored_receipt["model"], MODEL),
        ClaimCheck("baseline", mine.baseline == stored_receipt["baseline"], f"SHA-256 {mine.baseline[:16]}…"),
        ClaimCheck("signals", mine.signals == stored_receipt["signals"], f"{len(silent)} silent streams"),
    ]


# ---- what it means for the notables of that day


def widened(
    document: NotableDocument, tenant_habits: Callable[[], TenantHabits], gaps: Iterable[Gap]
) -> NotableDocument:
    """A notable with what missing telemetry leaves open: which signals cannot tell, and the range of its likelihood.

    Whatever was said before of silent logs is taken back first.
    """
    signals = [s for s in document["signals"] if not s["evidence"].startswith(_SILENT)]
    places = {(identity["provider"], identity["account"]) for identity in [document["identity"], *document["members"]]}
    mine = [gap for gap in gaps if tuple(gap.stream) in places]
    blind = {s["id"] for s in signals if s["evidence"].startswith(FIELDLESS)}
    seen = [m for m in document["telemetry"]["missing"] if not m.startswith(_LOG)]
    if mine:
        unlit = sorted(set(EPISODE_SIGNALS) - {signal["id"] for signal in signals})
        signals += [_lost(name, mine[0]) for name in unlit]
        blind.update(unlit)
    known_range = list(bounds(tenant_habits(), signals, blind & set(NAMES))) if blind else []
    telemetry: TelemetryDocument = {**document["telemetry"], "missing": [*seen, *map(missing, mine)][:50]}
    return {**document, "signals": signals[:200], "likelihood_range": known_range, "telemetry": telemetry}


def _lost(name: str, gap: Gap) -> SignalDocument:
    return {
        "id": name, "points": 0.0, "log_odds": 0.0, "value": None, "evidence": NO_LOG.format(missing(gap)),
        "record_ids": [], "cannot_tell": True, "without": None, "bin": 0, "identity": "",
    }  # fmt: skip


_LOG = "no log of "
_SILENT = NO_LOG.format(_LOG)

# ---- by the reader's clock: the log that was switched off may be the only one, and no later day begins

LATE = 2 * HOUR
"""Seconds by which the events of a log may come after they happened."""


def by_clock(rows: Rows, now: int) -> None:
    """Put the blind spots of yesterday and today into the state, as they stand at `now`."""
    today, until = now // DAY, now - LATE
    days = Rhythms(rows).days(range(today - WINDOW - 1, today + 1))
    for day in (today - 1, today):
        silent = _silent(days, day, until)
        if silent:
            process_day(rows, days, day, silent)


def _silent(days: RhythmDays, day: int, now: int) -> list[Gap]:
    """The silences that a day was the first to show, each up to its end or to now."""
    before = {(gap.stream, gap.since) for gap in find_gaps(days, day - 1)}
    fresh = (gap for gap in find_gaps(days, day) if (gap.stream, gap.since) not in before)
    followed = (_followed(gap, days, now) for gap in fresh)
    return [gap for gap in followed if is_silent(gap.until - gap.since, gap.pause)]


def _followed(gap: Gap, days: RhythmDays, now: int) -> Gap:
    later = (
        day * DAY + hour * HOUR
        for day in sorted(days)
        if day >= gap.since // DAY and gap.stream in days[day]
        for hour in range(24)
        if days[day][gap.stream].hours >> hour & 1
    )
    end = next((second for second in later if second >= gap.since), None)
    return gap._replace(until=now, open=True) if end is None else gap._replace(until=end, open=False)


# ---- in the course of a run


class BlindSpotMonitor:
    """What a run makes of the logs' rhythms, day by day. A day is scored once a later one has begun."""

    def __init__(self, state: State, model: Model) -> None:
        self._state = state
        self._model = model
        self._rhythms = Rhythms(state.rows)
        self._days: RhythmDays = {}
        self._gaps: list[Gap] = []
        self._day = 0
        self._is_over = False
        self.days_looked_at = set[int]()

    @staticmethod
    def gathered(before: RhythmRows, identity_days: Iterable[IdentityDay]) -> RhythmRows:
        """The rhythms of some of a day's identities, and of those before."""
        return gathered(before, identity_days)

    def note(self, day: int, rhythms: RhythmRows) -> None:
        """Take in all of a day, as `gathered` gave it."""
        self._rhythms.note(day, rhythms)

    def grown(self, day: int, identity_days: Iterable[IdentityDay]) -> None:
        """Take in what came of a day since its identity-days were loaded."""
        self._rhythms.grow(day, identity_days)

    def heard(self, day: int, rhythms: RhythmRows) -> None:
        """Take in that logs spoke on a day."""
        self._rhythms.join(day, rhythms)

    def begun(self, days: Sequence[int], now: int) -> list[int]:
        """Which of some days in order have begun, so that those before are over.

        A provider dates something on them; or it is such a day by the reader's own clock, lest a provider's silence
        goes unheard where hosts alone speak on. Where there are hosts alone, their dates have to do.
        `now`: seconds since the epoch.
        """
        known = self._rhythms.days(days)
        timed_days = {day for day, streams in known.items() if any(map(tells_time, streams))}
        return [day for day in days if not timed_days or day in timed_days or 0 <= now // DAY - day <= 1]

    def look(self, day: int, later: Sequence[int]) -> None:
        """Look for silence on a day; `later` are the days after it that have `begun`, in order."""
        self._day = day
        self._is_over = bool(later) and later[0] <= day + WINDOW  # a wrong clock, years ahead, ends no day
        known = [*self._state.daybook.between(day - WINDOW, day), day]
        self._days = self._rhythms.days(known) if self._is_over else {}
        self._gaps = find_gaps(self._days, day) if self._is_over else []

    def widened(self, document: NotableDocument) -> NotableDocument:
        """A notable of the day that is looked at, with what silent logs leave open."""
        return widened(document, self._tenant_habits, self._gaps)

    def _tenant_habits(self) -> TenantHabits:
        """What signals were worth on the day that is looked at."""
        return Baselines.of(self._model, self._state.groups_on(self._day)).tenant_habits(self._day)[MACHINE]

    def end(self) -> None:
        """Make the blind spots of the day."""
        process_day(self._state.rows, self._days, self._day, self._gaps)
        self.days_looked_at.add(self._day)

    @property
    def has_gaps(self) -> bool:
        """Whether a log was silent on the day that is looked at."""
        return bool(self._gaps)
