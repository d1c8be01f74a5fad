"""One run over the state: what rows of behaviours add → judged → what is to be written.

The judging is that of `nhi score`, over the same rows of state. What is this host's own: which revisions an analyst
would want to see, and that each arrives. A revision stands as `told` in the state before the search has written it;
rows of the index that come by tell that it has. One that has not come is written again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Optional

from nhi_watch.context.context import Context
from nhi_watch.context.networks import Networks
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, MINUTE, render_day
from nhi_watch.detect import blind_spots, feedback, model, telemetry
from nhi_watch.detect.judge import Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.revisions import BELOW, Ranked, Told, due, told
from nhi_watch.detect.run import Result
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.signals import Past
from nhi_watch.detect.telemetry import WINDOW, Gap, Rhythms, gaps, is_silent
from nhi_watch.hosts.splunk.feedback import Given, remember
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, BusyError, Generation, KvStore
from nhi_watch.hosts.splunk.notables import in_event
from nhi_watch.hosts.splunk.parts import Part
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rest import APP, Client, Collection, authorities, trust
from nhi_watch.intake.days import Days
from nhi_watch.state.baseline import peer_scope
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack

AGAIN, TRIES = 11 * MINUTE, 3
"""Seconds after which a revision that was not found in the index is written again, and how often it is tried: one that
a filter of the customer's leaves out never comes."""
MARKS = 500_000
"""Records that are held in memory before they are put into the state, some 150 MB. What was loaded counts too: with an
identity come the records of its whole day."""
PATIENCE, STEP = 120, 5
"""Seconds for which a run waits until another has ended, and from one look to the next."""
FORGET = 400
"""Days after which nothing is known any more of a notable that was written."""
_TOLD, _WHOLE = "splunk/told/", "splunk/whole/"
"""Beginnings of keys of `meta`."""


def collection(search: Search, name: str) -> Optional[Collection]:
    """A collection of this app's, with the session of who searches; None: splunkd gave none."""
    if not search.session or not search.uri:
        return None
    context = trust(search.uri, *authorities())
    return Collection(Client(search.uri, f"Splunk {search.session}", context), name)


def reading(search: Search) -> Optional[KvStore]:
    """The state, for whoever only reads; None: it cannot be reached from here."""
    kept = collection(search, STATE)
    return KvStore(kept) if kept is not None else None


def writing(search: Search) -> Optional[KvStore]:
    """The state, for the one run that may write it.

    Raises:
        BusyError: another run has it.
    """
    kept, generations = collection(search, STATE), collection(search, GENERATIONS)
    if kept is None or generations is None:
        return None
    for left in range(PATIENCE, -1, -STEP):
        try:
            return KvStore(kept, lambda: Generation(generations, search.user or APP, time.time))
        except BusyError:  # noqa: PERF203 - a few looks
            if not left:
                raise
            time.sleep(STEP)
    raise AssertionError("unreachable")


class Written(NamedTuple):
    """What a run has to say."""

    rows: list[Ranked]
    result: Result
    hidden: dict[str, int]
    """Why notables are not shown → how many."""


class Run:
    """Takes days in, and settles them."""

    def __init__(self, store: Rows, context: Context, budget: float, now: int) -> None:
        self._rows, self._now = store, now
        self._state = State(store)
        self._context, self._budget = context, budget
        self._judge = Judge(self._state, model.load(), context, budget)
        self._loaded = 0
        self.days = Days(self._state.load, context, now, self._state.known, self._state.newcomers)

    def take(self, day: int, found: Iterable[Mapping[str, Part]]) -> None:
        """Add parts of a day to what the state holds of it."""
        for some in found:
            self.days.fetch((day, name) for name in some)
            for name, part in some.items():
                self.days.parsed += part.events()
                part.give(self.days.identity_day(name, day))
            self._loaded += sum(len(self.days[day][name].seen) for name in some)
            if self._loaded > MARKS:
                self._bound(day)
                self._judge.put(self.days)
                self._loaded = 0
        self._bound(day)

    def _bound(self, day: int) -> None:
        """Fold those who are too many, and forget who brought nothing."""
        if day in self.days:
            self.days.bound(day)
            for name in [name for name, whole in self.days[day].items() if not whole.behaviours]:
                del self.days[day][name]

    def settle(self, given: Optional[Given], seen: Iterable[str], closes: bool = True) -> Written:
        """Judge what grew, and say what is to be written; `given`: None where nobody was asked what people decided,
        `seen`: events of notables that came by; `closes=False`: closing days is left to `close`."""
        if given is not None:
            remember(self._rows, given)
        result = self._judge.settle(self.days, closes=closes)
        spots = by_clock(self._rows, self._now)
        here = {document["id"] for document in spots}
        standing = [*(d for d in result.standing if d["id"] not in here), *spots]
        applied = feedback.apply(self._rows, standing, self._now)
        hidden = Counter(applied.hidden) + Counter(result.run["verdicts"]["hidden"])
        known = dict(self._known())
        self._see(known, seen)
        rows = [*self._changed(result, applied.shown, known), *self._again(known, result.run)]
        self._keep(rows, known)
        return Written(rows, result, dict(hidden))

    def close(self, flush: Callable[[], None], until: float) -> bool:
        """Close days that are due, batch by batch, each flushed; False: some of it is left to the next run.

        It ends at `until`, unless more than one day waits: a look back brings a day with each run.
        """
        book = self._state.daybook

        def goes_on() -> bool:
            flush()
            return time.time() < until or len(book.between(book.first_unlearnt, book.due(book.clock) + 1)) > 1

        return Judge(self._state, model.load(), self._context, self._budget).close(self._now, goes_on)

    @property
    def closing(self) -> str:
        """The day whose close is not ended, as a date; "": there is none."""
        book = self._state.daybook
        return render_day(book.first_unlearnt) if book.learnt < book.closed else ""

    # ---- what was told

    def _known(self) -> Iterator[tuple[str, Told]]:
        for key, raw in self._rows.scan("meta", _TOLD, _TOLD[:-1] + "0"):
            yield key[len(_TOLD) :], Told(*unpack(raw))

    def _see(self, known: dict[str, Told], events: Iterable[str]) -> None:
        for text in events:
            try:
                document = in_event(text)
            except RejectError:
                continue
            one = known.get(document["id"])
            if one is not None and document["revision"] >= one.revision and not one.seen:
                known[document["id"]] = one._replace(seen=True)
                self._put(document["id"], known[document["id"]])

    def _changed(self, result: Result, shown: list[dict[str, Any]], known: Mapping[str, Told]) -> Iterator[Ranked]:
        listed = {document["id"] for document in shown}
        below = [document for document in result.gravest if document["id"] not in listed]
        for document in (*shown, *below):
            before, is_listed = known.get(document["id"]), document["id"] in listed
            what = due(document, is_listed, before, self._now)
            if what is not None:
                revision = max(document["revision"], before.revision + 1 if before else 1)
                yield Ranked({**document, "revision": revision}, *what, result.run)
        merged = {one["id"]: one for one in result.changed if one["merged_into"]}
        first = (self._state.daybook.days or [0])[0]
        for name, before in known.items():
            if name in listed or before.ended or before.change == BELOW or before.day < first:
                continue
            ended = merged.get(name) or whole(self._rows, name)
            if ended is not None:
                revised = {**ended, "revision": before.revision + 1}
                yield Ranked(revised, "merged" if name in merged else "withdrawn", False, result.run)

    def _again(self, known: Mapping[str, Told], run: Mapping[str, Any]) -> Iterator[Ranked]:
        """What was written, and never came."""
        for name, one in known.items():
            if not one.seen and one.tries < TRIES and self._now - one.at >= AGAIN * one.tries:
                document = whole(self._rows, name)
                if document is not None:
                    yield Ranked({**document, "revision": one.revision}, one.change, one.escalated, run)

    def _keep(self, rows: list[Ranked], known: Mapping[str, Told]) -> None:
        for one in rows:
            name, before = one.document["id"], known.get(one.document["id"])
            is_again = before is not None and before.revision == one.document["revision"]
            fresh = told(one, self._now)
            self._put(name, before._replace(tries=before.tries + 1) if before and is_again else fresh)
            self._rows.put("meta", [(f"{_WHOLE}{name}", pack(one.document))])
        for name, past in known.items():
            if past.day < self._now // DAY - FORGET:
                self._rows.put("meta", [(f"{_TOLD}{name}", None), (f"{_WHOLE}{name}", None)])

    def _put(self, name: str, one: Told) -> None:
        self._rows.put("meta", [(f"{_TOLD}{name}", pack(list(one)))])


class StateBaselines(Baselines):
    """What a state knows, for events of one day; without one, a cold start with what ships with the model."""

    def __init__(self, card: Scorecard, networks: Networks, state: Optional[State], today: int) -> None:
        super().__init__(card, networks)
        self._state = state
        # of a closed day: the profiles as they have learnt it
        self._eve = max(today, state.daybook.first_unlearnt) if state is not None else today

    def prefetch(self, identities: Iterable[Identity]) -> None:
        """Load what is known of some identities and of their peers, with a few requests for all of them."""
        if self._state is None:
            return
        self.shed()
        missing = [one for one in identities if one.id not in self.own]
        days = {one.id: IdentityDay(self._eve) for one in missing}
        if missing:
            self._state.fill(self, days, self._eve, {peer_scope(one) for one in missing})

    def past(self, identity: Identity, today: int) -> Past:
        """What is known of an identity on the eve of `today`."""
        if identity.id not in self.own:
            self.prefetch([identity])
        return super().past(identity, today)


def known_days(state: Optional[State]) -> str:
    """What is scored against, for the user."""
    days = state.daybook.days if state is not None else []
    if days:
        return f"{len(days)} days known, the last {render_day(days[-1])}"
    return ("nothing learnt yet: scored against the prior that ships with the model, with more false alarms; look "
            "back on the page Set up")  # fmt: skip


def whole(rows: Rows, name: str) -> Optional[dict[str, Any]]:
    """The whole document of a notable that was written."""
    raw = rows.get("meta", [f"{_WHOLE}{name}"]).get(f"{_WHOLE}{name}")
    return dict(unpack(raw)) if raw else None


# ---- blind spots by the clock: the log that was switched off may be the only one, and no later day begins


LATE = 2 * HOUR
"""Seconds by which the events of a log may come after they happened."""


def by_clock(rows: Rows, now: int) -> list[dict[str, Any]]:
    """Put the blind spots of yesterday and today into the state, as they stand now; returns them."""
    today, until = now // DAY, now - LATE
    days = Rhythms(rows).days(range(today - WINDOW - 1, today + 1))
    found: list[dict[str, Any]] = []
    for day in (today - 1, today):
        silent = _silent(days, day, until)
        if silent:
            found += blind_spots.settle(rows, days, day, silent).notables
    return found


def _silent(days: telemetry.Days, day: int, now: int) -> list[Gap]:
    """The silences that a day was the first to show, each up to its end or to now."""
    before = {(gap.stream, gap.since) for gap in gaps(days, day - 1)}
    fresh = (gap for gap in gaps(days, day) if (gap.stream, gap.since) not in before)
    followed = (_followed(gap, days, now) for gap in fresh)
    return [gap for gap in followed if is_silent(gap.until - gap.since, gap.pause)]


def _followed(gap: Gap, days: telemetry.Days, now: int) -> Gap:
    later = (
        day * DAY + hour * HOUR
        for day in sorted(days)
        if day >= gap.since // DAY and gap.stream in days[day]
        for hour in range(24)
        if days[day][gap.stream].hours >> hour & 1
    )
    end = next((second for second in later if second >= gap.since), None)
    return gap._replace(until=now, open=True) if end is None else gap._replace(until=end, open=False)
