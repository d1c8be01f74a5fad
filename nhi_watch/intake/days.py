"""Records → IdentityDays: `Intake(sources, context)` reads and counts, `Days` is what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Optional, cast

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core.behaviour import IdentityDay, Shape
from nhi_watch.core.crowd import NEWCOMERS, CrowdOfDay, Known, anonymous, fold, nobody, stand_in
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, done_to
from nhi_watch.core.timestamps import DAY
from nhi_watch.intake import strangers
from nhi_watch.intake.contract import AnySource
from nhi_watch.intake.horizon import Horizon, received
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.shapes.forms import Tree, native, record_in
from nhi_watch.intake.shapes.values import bound, unbound

LoadDay = Callable[[int], dict[str, IdentityDay]]
OnReject = Callable[[int, RejectError], None]
OnEvent = Callable[[int, Event], None]
Received = Callable[[object], Optional[int]]


class _Nobody:
    """Stands for a source where none knows a record: else it would be read, and refused, as another's log."""

    NAME = ""

    @staticmethod
    def claims(record: object) -> bool:
        return False

    @staticmethod
    def read(record: object) -> Event:
        tree, _ = native(record)  # says what is wrong if it is no record at all
        raise strangers.refusal(cast(Tree, record), tree)


NOBODY = cast(AnySource, _Nobody)
"""The source of records that no source claims."""


class _Foreseen:
    """Makes a reject of what a reader raises at values that nobody foresaw: no record ends the reading of others."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if error is None:
            return
        if isinstance(error, RecursionError):
            raise RejectError("too_deep", "nested too deeply") from error
        if isinstance(error, (TypeError, ValueError, LookupError, AttributeError, OverflowError, OSError)):  # of times
            raise RejectError("unforeseen", f"values of odd types ({type(error).__name__}: {error})") from error


FORESEEN = _Foreseen()


class Sources:
    """Which source a record is of: the one that claimed the last record is asked first."""

    def __init__(self, modules: Sequence[AnySource]) -> None:
        self._modules = modules
        self._last = modules[0] if modules else NOBODY

    def of(self, record: object, otherwise: AnySource = NOBODY) -> AnySource:
        """The source that claims a record. The only one there is reads all: it says what is wrong."""
        source = self._claimant(record, otherwise)
        told = _text_in(record) if source is not otherwise else None
        return source if told is None or source.claims(told) else self._claimant(told, source)

    def _claimant(self, record: object, otherwise: AnySource) -> AnySource:
        if self._last.claims(record):
            return self._last
        for source in self._modules:
            if source.claims(record):
                self._last = source
                return source
        return self._modules[0] if len(self._modules) == 1 else otherwise


def _text_in(record: object) -> Optional[Tree]:
    """The object that a row's text holds. Sources look for words in a text, and a client can write those anywhere."""
    raw = record.get("_raw") if isinstance(record, dict) else None
    return record_in(raw[max(raw.find("{"), 0) :]) if isinstance(raw, str) else None


class Days(dict[int, dict[str, IdentityDay]]):
    """What was read: UTC day → identity id → IdentityDay. What a store holds of a day is loaded when it is touched."""

    def __init__(
        self, load_day: LoadDay = lambda day: {}, context: Context = NO_CONTEXT, now: Optional[int] = None,
        known: Known = nobody,
    ) -> None:  # fmt: skip
        super().__init__()
        self.horizon = Horizon(now)
        self.recent = 0
        """The day that was touched last."""
        self.parsed = 0
        self.duplicates = 0
        self.shared = 0
        """Records that tell something else than the one that had their id first."""
        self.alerts = 0
        """Events that are other products' alerts, each counted once."""
        self.rejected: dict[str, int] = {}
        """Reason → records that became no Event."""
        self._settled = 0
        self.gone: dict[int, list[str]] = {}
        """Day → identities of which a state holds a row, and which are folded now, see `crowd`."""
        self._crowds: dict[int, CrowdOfDay] = {}
        self._load_day = load_day
        self._known = known
        self._reputation = context.reputation
        self._lists = len(context.reputation.table) > 0

    @property
    def held(self) -> int:
        """How many records were taken in since days were last settled."""
        return self.parsed - self._settled

    def add(self, event: Event, is_alert: bool = False) -> None:
        """Count an event; a record that was here before counts as a duplicate."""
        self.parsed += 1
        event = self._reputation.mark(event) if self._lists else event
        if not (self._take(event) or (not is_alert and self._take_apart(event))):
            self.duplicates += 1
        elif is_alert:
            self.alerts += 1
        if event.about is not None:
            done = done_to(event)
            _ = self._take(done) or self._take_apart(done)

    def _take(self, event: Event) -> bool:
        event, whole = self.place(event)
        return whole.add(event)

    def _take_apart(self, event: Event) -> bool:
        """Count what is no copy of the record that had its id first; whoever writes a log may give many records one.

        Alerts come again under their id with what has changed, and what a source has bound to its content is a copy.
        """
        if unbound(event.record_id) or self.place(event)[1].may_hold(event):
            return False
        told = str(event.time), event.action, event.outcome, event.target, event.network
        taken = self._take(event._replace(record_id=bound(event.record_id, *told)))
        self.shared += taken
        return taken

    def place(self, event: Event) -> tuple[Event, IdentityDay]:
        """Where an event belongs: to its identity, or to who stands for the many that are new on its day."""
        number = event.time // DAY
        day = self._day(number)
        whole = day.get(event.identity.id)
        if whole is None:
            if len(day) >= NEWCOMERS and self._is_folded(event.identity.id, number):
                event = event._replace(identity=stand_in(event.identity), traits=anonymous(event.traits))
            whole = self.identity_day(event.identity.id, number)
        return event, whole

    def _is_folded(self, name: str, number: int) -> bool:
        """Whether who comes is one of too many; somebody else may have to go."""
        goes = self._crowd(number).who_goes(name)
        if goes and goes != name:
            self._fold(goes, number)
        return goes == name

    def bound(self, number: int) -> None:
        """Fold those who are too many, after identities were put into a day otherwise."""
        self._crowds.pop(number, None)
        if len(self[number]) > NEWCOMERS:
            for name in self._crowd(number).too_many():
                self._fold(name, number)

    def _crowd(self, number: int) -> CrowdOfDay:
        crowd = self._crowds.get(number)
        if crowd is None:
            crowd = self._crowds[number] = CrowdOfDay(self[number], lambda name: self._is_known(name, number))
        return crowd

    def _fold(self, name: str, number: int) -> None:
        whole = self[number].pop(name)
        fold(whole, self.identity_day(stand_in(whole.identity).id, number))
        if whole.stored:
            self.gone.setdefault(number, []).append(name)

    def _is_known(self, name: str, number: int) -> bool:
        return any(name in wholes for day, wholes in self.items() if day < number) or self._known(name, number)

    def put(self, day: int, wholes: Mapping[str, IdentityDay]) -> None:
        """Take in a day that a host has gathered by itself."""
        self[day] = dict(wholes)
        self.parsed += sum(whole.events() for whole in wholes.values())

    def reject(self, reason: str, records: int = 1) -> None:
        """Count records that became no Event."""
        self.rejected[reason] = self.rejected.get(reason, 0) + records

    def shape_on(self, shape: Shape, address: str, day: int) -> Shape:
        """The shape of what comes from an address on a day: as it is, or with the trait that a list gives it."""
        traits = self._reputation.traits(shape.traits, address, day)
        return shape if traits is shape.traits else shape._replace(traits=traits)

    def changed(self) -> dict[int, list[str]]:
        """Day → ids of the identities to which something was added."""
        grown = {
            day: [name for name, whole in wholes.items() if len(whole.seen) != whole.stored]
            for day, wholes in self.items()
        }
        return {day: names for day, names in sorted(grown.items()) if names}

    def restart(self, day: int, wholes: dict[str, IdentityDay]) -> None:
        """All that was read so far is settled, but for one day; others are loaded again when touched."""
        self.clear()
        self[day] = wholes
        self._settled = self.parsed - sum(whole.events() for whole in wholes.values())

    def identity_day(self, identity_id: str, number: int) -> IdentityDay:
        """The IdentityDay of an identity, made when first asked for."""
        day = self._day(number)
        whole = day.get(identity_id)
        if whole is None:
            whole = day[identity_id] = IdentityDay(number)
        return whole

    def _day(self, number: int) -> dict[str, IdentityDay]:
        self.recent = number
        day = self.get(number)
        if day is None:
            self._crowds.pop(number, None)
            day = self[number] = self._load_day(number)
        return day


class Intake:
    """Reads records of any of some sources into days: the one loop in which every host's records are read and counted.

    >>> intake = Intake([])
    >>> intake.feed([{"a": "record"}])
    >>> intake.days.rejected
    {'unknown_source': 1}
    """

    def __init__(
        self, sources: Sequence[AnySource], context: Context = NO_CONTEXT, load_day: LoadDay = lambda day: {},
        now: Optional[int] = None, received: Received = received, known: Known = nobody,
    ) -> None:  # fmt: skip
        """`load_day` gives what a state holds of a day already; `now` is the reader's clock, this machine's if None;
        `received` tells on which day a record was received, `known` who was seen before a day."""
        self.days = Days(load_day, context, now, known)
        self._sources = Sources(sources)
        self._received = received

    def feed(
        self, records: Iterable[object], on_reject: OnReject = lambda index, error: None,
        on_event: Optional[OnEvent] = None,
    ) -> None:  # fmt: skip
        """Take in a batch; rejects are counted, and reported with their index in the batch, as events are if asked."""
        source_of, days, received = self._sources.of, self.days, self._received
        demand = days.horizon.demand
        for index, kept in enumerate(records):
            try:
                with FORESEEN:
                    record = opened(kept)
                    source = source_of(record)
                    event = source.read(record)
                demand(event, received(kept))
            except RejectError as reject:  # noqa: PERF203 - one record of many
                days.reject(reject.reason)
                on_reject(index, reject)
            else:
                days.add(event, source.NAME == "alerts")
                if on_event is not None:
                    on_event(index, event)
