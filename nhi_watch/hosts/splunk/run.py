"""One run over the state: what rows of behaviours add → scored → the revisions of notables that are to be written.

The scoring is that of `nhi score`, over the same rows of state, and `detect.publish` says what is to be written. What
is this host's own is that each revision arrives: the state has it before the search has written it, and events of the
index that pass by show that it has arrived. One that has not is written again.

| key of `meta` | row |
|---|---|
| splunk/sent | notable → revision, when it was last sent, how often: of the revisions that have not come |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Optional

from nhi_watch.context.context import Context
from nhi_watch.context.networks import Networks
from nhi_watch.core.behaviour import BEHAVIOURS, IdentityDay
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import MINUTE, render_day
from nhi_watch.detect import late, publish
from nhi_watch.detect.model import Model
from nhi_watch.detect.publish import Publication
from nhi_watch.detect.run import Result
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.session import Session
from nhi_watch.detect.signals import Baseline
from nhi_watch.hosts.splunk.archive import ArchivedStore
from nhi_watch.hosts.splunk.feedback import Given, remember
from nhi_watch.hosts.splunk.gather import SHARDS, Gatherer, Sifted
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, STATE, BusyError, Generation, KvStore
from nhi_watch.hosts.splunk.notables import in_event
from nhi_watch.hosts.splunk.parts import PartialDay
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rest import APP, Client, Collection, authorities, trust
from nhi_watch.hosts.splunk.waiting import Heard, Waiting
from nhi_watch.state import inventory
from nhi_watch.state.baseline import peer_scope
from nhi_watch.state.retention import Daybook
from nhi_watch.state.state import AT_ONCE, UNSCORED, State
from nhi_watch.state.store import Rows, pack, unpack

AGAIN, TRIES = 11 * MINUTE, 3
"""Seconds after which a revision that was not found in the index is sent again, and how often it is tried: one that a
filter of the customer's leaves out never comes."""
MAX_RECORD_HASHES = 500_000
"""Records that are held in memory before they are put into the state, some 150 MB. What was loaded counts too: with an
identity come the records of its whole day."""
PATIENCE, STEP = 120, 5
"""Seconds for which a run waits until another has ended, and from one look to the next."""
MERGING = 60
"""Seconds that a run gives to merging what waits."""
_SENT = "splunk/sent"
_EARLIER = "splunk/told/", "splunk/whole/"
"""Beginnings of the keys under which earlier versions kept what they had written."""


def connected(search: Search) -> Optional[Client]:
    """Splunkd, with the session of who searches; None: it gave none."""
    if not search.session or not search.uri:
        return None
    return Client(search.uri, f"Splunk {search.session}", trust(search.uri, *authorities()))


def reading(search: Search) -> Optional[KvStore]:
    """The state, read-only; None: it cannot be reached from here."""
    client = connected(search)
    return KvStore(Collection(client, STATE)) if client is not None else None


def writing(search: Search) -> Optional[ArchivedStore]:
    """The state, for the one run that may write it.

    Raises:
        BusyError: another run has it.
    """
    client = connected(search)
    if client is None:
        return None
    kept, generations = Collection(client, STATE), Collection(client, GENERATIONS)
    for left in range(PATIENCE, -1, -STEP):
        try:
            claim = partial(Generation, generations, search.user or APP, time.time)
            return ArchivedStore(kept, claim, client.search)
        except BusyError:  # noqa: PERF203 - a few looks
            if not left:
                raise
            time.sleep(STEP)
    raise AssertionError("unreachable")


class RunOutput(NamedTuple):
    """What a run has to say."""

    events: Sequence[Publication]
    """What is to be written of notables."""
    result: Result


class SplunkRun:
    """Takes days in, and settles them."""

    def __init__(self, store: Rows, context: Context, budget: float, now: int, given: Optional[Given] = None) -> None:
        """`given`: what people decided; None: nobody was asked."""
        if given is not None:
            remember(store, given)
        self._rows, self._now = store, now
        self._context, self._budget = context, budget
        self._session = self._begin()
        self._state, self.days = self._session.state, self._session.batch
        self._waiting = Waiting(store, self._state, now)
        self._loaded = 0

    def _begin(self) -> Session:
        clock = float(self._now)
        return Session(
            self._rows,
            (),
            self._context,
            lambda: clock,
            budget=self._budget,
            patience=publish.PATIENCE,
            until=self._now,
        )

    @property
    def book(self) -> Daybook:
        """The days of the state."""
        return self._state.daybook

    def take_many(self, day: int, gatherer: Gatherer) -> None:
        """The same of many identities: parts without news wait."""
        heard: Heard = {}

        def sieve(texts: list[str]) -> Sifted:
            novel, streams = self._waiting.set_aside(day, texts)
            for stream, hours in streams.items():
                heard[stream] = heard.get(stream, 0) | hours
            return novel

        self.take(day, gatherer.of(day, sieve), many=True)
        self._session.heard(day, {stream: [hours, 0, 0, []] for stream, hours in heard.items()})
        self.days.parsed += self._waiting.events
        self._waiting.events = 0

    def take(self, day: int, shards: Iterable[Mapping[str, PartialDay]], many: bool = False) -> None:
        """Add parts of a day to what the state holds of it; `many`: it is noted what of its identities is known."""
        for some in shards:
            self.days.parsed += sum(partial_day.events() for partial_day in some.values())
            self._merge(day, self._novel_of(day, some) if self.book.is_closed(day) else some, many)
        self._bound(day)

    def _novel_of(self, day: int, some: Mapping[str, PartialDay]) -> dict[str, PartialDay]:
        """The parts of a closed day that show something new. What their day held, to recognize copies, is read of these
        alone: it may be far away."""
        identity_days, crowded = dict[str, IdentityDay](), dict[str, PartialDay]()
        for name, partial_day in some.items():
            if len(partial_day.slots) < BEHAVIOURS:
                partial_day.give(identity_days.setdefault(name, IdentityDay(day)))
            else:
                crowded[name] = partial_day
        inventory.note(self._rows, identity_days.values())
        fresh = late.novel_days(self._state, identity_days.values())
        return {**{identity_day.identity.id: some[identity_day.identity.id] for identity_day in fresh}, **crowded}

    def _merge(self, day: int, some: Mapping[str, PartialDay], notes: bool, briefly: bool = False) -> None:
        self.days.fetch((day, name) for name in some)
        for name, partial_day in some.items():
            partial_day.give(self.days.identity_day(name, day))
        identity_days = {name: self.days[day][name] for name in some}
        if notes and not self.book.is_closed(day):
            self._waiting.note(day, identity_days)
        for name in identity_days.keys() - self._waiting.suspicious(day).keys() if briefly else ():
            _brief(identity_days[name])
        self._loaded += sum(len(identity_day.seen) for identity_day in identity_days.values())
        if self._loaded > MAX_RECORD_HASHES:
            self._put(day)

    def _put(self, day: int) -> None:
        self._bound(day)
        self._session.put()
        self._loaded = 0

    def merge_waiting(self) -> None:
        """Merge what waits of the shards whose turn it is; before parts are taken in."""
        until = time.time() + MERGING
        for shard in self._waiting.due():
            self._merge_shard(shard)
            if time.time() > until:
                return

    def _merge_shard(self, shard: int, last: Optional[int] = None) -> bool:
        """Merge what waits of a shard, of days up to `last`; whether there was anything."""
        is_any = False
        for day, parts in self._waiting.of(shard, last):
            is_any, names = True, sorted(parts)
            actor = self._waiting.suspects(day)
            # to be scored, although nothing may be new: a notable has all calls of suspects
            self._rows.put("day", [(f"{UNSCORED}{day:06d}/{name}", b"1") for name in names if name in actor])
            for start in range(0, len(names), AT_ONCE):
                some = names[start : start + AT_ONCE]
                self._merge(day, {name: parts[name] for name in some}, notes=True, briefly=True)
            self._put(day)
        return is_any

    def _bound(self, day: int) -> None:
        """Fold those who are too many, and forget who brought nothing."""
        if day in self.days:
            self.days.bound(day)
            for name in [name for name, identity_day in self.days[day].items() if not identity_day.behaviours]:
                del self.days[day][name]

    def process(self, seen: Iterable[str] = (), closes: bool = True) -> RunOutput:
        """Score what grew, and say what is to be written.

        `seen`: events of notables that came by; `closes=False`: closing days is left to `close`.
        """
        self._import()
        publish.confirm(self._rows, _revisions(seen))
        result = self._session.finish(closes=closes, live=True)
        return RunOutput(self._due(), result)

    def close(self, flush: Callable[[], None], until: float) -> bool:
        """Close days that are due, batch by batch, each flushed; False: some of it is left to the next run.

        It ends at `until`, unless more than one day waits: a look back brings a day with each run.
        """
        closed, due = self.book.closed, self.book.due(self.book.clock)

        def goes_on() -> bool:
            flush()
            return time.time() < until or len(self.to_close()) > 1

        for shard in range(SHARDS) if closed < due and self._waiting.has_any() else ():
            if self._merge_shard(shard, due) and not goes_on():
                return False
        self._state.put_calendar()
        session = self._begin()
        self._state = session.state
        is_done = session.close(goes_on)
        if is_done and self.book.closed > closed:
            self._waiting.forget(self.book.first_open)
        return is_done

    @property
    def closing(self) -> str:
        """The day whose close is not ended, as a date; "": there is none."""
        return render_day(self.book.first_unlearnt) if self.book.learnt < self.book.closed else ""

    def to_close(self) -> list[int]:
        """The days that `close` is to close."""
        return self.book.between(self.book.first_unlearnt, self.book.due(self.book.clock) + 1)

    # ---- what has not come yet

    def _due(self) -> list[Publication]:
        """Revisions to be sent: new ones, and those that were sent and have not come."""
        before = self._sent()
        after, due = dict[str, tuple[int, int, int]](), list[Publication]()
        given_up = dict[str, int]()
        for event in publish.unconfirmed(self._rows):
            name, revision = event.document["id"], event.document["revision"]
            last, at, tries = before.get(name, (0, 0, 0))
            if last != revision:
                at, tries = self._now, 0
            if self._now - at >= AGAIN * tries:
                if tries == TRIES:
                    given_up[name] = revision
                    continue
                at, tries = self._now, tries + 1
                due.append(event)
            after[name] = (revision, at, tries)
        publish.confirm(self._rows, given_up)
        if after != before:
            self._rows.put("meta", [(_SENT, pack(after))])
        return due

    def _sent(self) -> dict[str, tuple[int, int, int]]:
        raw = self._rows.get("meta", [_SENT]).get(_SENT)
        return {name: (revision, at, tries) for name, (revision, at, tries) in unpack(raw).items()} if raw else {}

    def _import(self) -> None:
        """Take over from an earlier version up to which revision it has written each notable."""
        rows, documents = (dict(self._rows.scan("meta", low, low[:-1] + "0")) for low in _EARLIER)
        if rows:
            publish.imported(self._rows, {key[len(_EARLIER[0]) :]: unpack(raw)[0] for key, raw in rows.items()})
            self._rows.put("meta", [(key, None) for key in (*rows, *documents)])


def _brief(identity_day: IdentityDay) -> None:
    """Keep fewer ids of the records of a day on which nothing is odd: they would be half of its row."""
    for behaviour in identity_day.behaviours.values():
        del behaviour.record_ids[1:]


def _revisions(events: Iterable[str]) -> dict[str, int]:
    """Notable → its highest revision among events."""
    revisions: dict[str, int] = {}
    for text in events:
        with suppress(RejectError):
            document = in_event(text)
            revisions[document["id"]] = max(document["revision"], revisions.get(document["id"], 0))
    return revisions


class StateBaselines(Baselines):
    """What a state knows, for events of one day; without one, a cold start with what ships with the model."""

    def __init__(self, model: Model, networks: Networks, state: Optional[State], today: int) -> None:
        super().__init__(model, networks)
        self._state = state
        # of a closed day: the profiles as they have learnt it
        self._eve = max(today, state.daybook.first_unlearnt) if state is not None else today

    def prefetch(self, identities: Iterable[Identity]) -> None:
        """Load what is known of some identities and of their peers, with a few requests for all of them."""
        if self._state is None:
            return
        self.shed()
        missing = [identity for identity in identities if identity.id not in self.own]
        days = {identity.id: IdentityDay(self._eve) for identity in missing}
        if missing:
            self._state.fill(self, days, self._eve, {peer_scope(identity) for identity in missing})

    def baseline(self, identity: Identity, today: int) -> Baseline:
        """What is known of an identity on the eve of `today`."""
        if identity.id not in self.own:
            self.prefetch([identity])
        return super().baseline(identity, today)


def known_days(state: Optional[State]) -> str:
    """What is scored against, for the user."""
    days = state.daybook.days if state is not None else []
    if days:
        return f"{len(days)} days known, the last {render_day(days[-1])}"
    return (
        "nothing learnt yet: scored against the prior that ships with the model, with more false alarms; look "
        "back on the page Set up"
    )
