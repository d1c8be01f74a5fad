"""Records → IdentityDays: `Intake(sources, context)` reads and counts, `IntakeBatch` is what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Optional, cast

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.core import registry
from nhi_watch.core.behaviour import CROWD_ENDS, NEWCOMERS, IdentityDay, Known, anonymous, fold, nobody, stand_in
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, done_to
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import DAY
from nhi_watch.intake import schemas
from nhi_watch.intake.horizon import RECEIVED, Horizon, day_received
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.shapes.forms import Tree, dataset, hit, is_alert, native, record_in
from nhi_watch.intake.shapes.values import bound, text, unbound
from nhi_watch.intake.sources import AnySource

Key = tuple[int, str]
"""UTC day and identity id."""
Load = Callable[[Iterable[Key]], Mapping[Key, IdentityDay]]
"""What a state holds of some identity-days."""
OnReject = Callable[[int, RejectError], None]
OnEvent = Callable[[int, Event], None]
Received = Callable[[object], Optional[int]]


def nothing(keys: Iterable[Key]) -> Mapping[Key, IdentityDay]:
    """What is held where nothing is remembered."""
    return {}


class _Nobody:
    """Stands for a source where none knows a record: else it would be read, and refused, as another's log."""

    NAME = ""

    @staticmethod
    def claims(record: object) -> bool:
        return False

    @staticmethod
    def read(record: object) -> Event:
        tree, _ = native(record)  # says what is wrong if it is no record at all
        raise refusal(cast(Tree, record), tree)


NOBODY = cast(AnySource, _Nobody)
"""The source of records that no source claims."""


UNFORESEEN = (TypeError, ValueError, LookupError, AttributeError, OverflowError, OSError, RecursionError)
"""What a reader may raise at values that nobody foresaw; OSError of times."""


def reject_of(error: BaseException) -> RejectError:
    """The reject that such an error makes of its record: no record ends the reading of others."""
    if isinstance(error, RejectError):
        return error
    if isinstance(error, RecursionError):
        return RejectError("too_deep", "nested too deeply")
    return RejectError("unforeseen", f"values of unexpected types ({type(error).__name__}: {error})")


class _Foreseen:
    """Makes rejects of such errors, for who reads records one by one."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, UNFORESEEN):
            raise reject_of(error) from error


FORESEEN = _Foreseen()


class Sources:
    """Which source a record is of: the one that claimed the last record is asked first."""

    def __init__(self, modules: Sequence[AnySource]) -> None:
        self._modules = modules
        self._last = modules[0] if modules else NOBODY

    def of(self, record: object, otherwise: AnySource = NOBODY) -> AnySource:
        """The source that claims a record. The only one there is reads all: it says what is wrong."""
        source = self.claimant(record, otherwise)
        tree = _text_in(record) if source is not otherwise else None
        return source if tree is None or source.claims(tree) else self.claimant(tree, source)

    def claimant(self, record: object, otherwise: AnySource = NOBODY) -> AnySource:
        """The source that claims a record by its fields alone: that of one that holds no text with another in it."""
        if self._last.claims(record):
            return self._last
        for source in self._modules:
            if source.claims(record):
                self._last = source
                return source
        return self._modules[0] if len(self._modules) == 1 else otherwise


@cache
def kept_apart() -> frozenset[str]:
    """Names of which a record has one at its top that a schema may carry, or that may hold another one as text, or of
    which somebody wrote down when it was received. All others are as their product wrote them."""
    return frozenset({"_raw", *RECEIVED}.union(*(schema.MARKS for schema in schemas.every())))


def _text_in(record: object) -> Optional[Tree]:
    """The object that a row's text holds. Sources look for words in a text, and a client can write those anywhere."""
    raw = record.get("_raw") if isinstance(record, dict) else None
    return record_in(raw[max(raw.find("{"), 0) :]) if isinstance(raw, str) else None


class IntakeBatch(dict[int, dict[str, IdentityDay]]):
    """What was read: UTC day → identity id → IdentityDay. What a state holds of one is loaded when it is touched."""

    def __init__(
        self,
        load: Load = nothing,
        context: Context = NO_CONTEXT,
        now: Optional[int] = None,
        known: Known = nobody,
        newcomers: Callable[[int], int] = lambda day: 0,
    ) -> None:
        """`newcomers`: how many of a day a state holds that were never seen before it."""
        super().__init__()
        self.horizon = Horizon(now)
        self.recent = 0
        """The day that was touched last."""
        self.parsed = 0
        self.duplicates = 0
        self.shared = 0
        """Records that say something else than the one that had their id first."""
        self.alerts = 0
        """Events that are other products' alerts, each counted once."""
        self.rejected: dict[str, int] = {}
        """Reason → records that became no Event."""
        self._put = 0
        self._new: dict[int, set[str]] = {}
        """Day → those that were never seen before it, and whom no state holds."""
        self._buffered: dict[int, int] = {}
        """Day → how many such a state holds."""
        self._asked: set[Key] = set()
        """Identity-days of which it was asked what is held."""
        self._load = load
        self._known = known
        self._newcomers = newcomers
        self._reputation = context.reputation
        self._lists = len(context.reputation.table) > 0

    @property
    def buffered(self) -> int:
        """How many records were taken in since the days were last put away."""
        return self.parsed - self._put

    def add(self, event: Event, from_alert: bool = False) -> None:
        """Count an event; a record that was here before counts as a duplicate."""
        self.parsed += 1
        event = self._reputation.mark(event) if self._lists else event
        if not (self._take(event) or (not from_alert and self._take_apart(event))):
            self.duplicates += 1
        elif from_alert:
            self.alerts += 1
        if event.about is not None:
            done = done_to(event)
            _ = self._take(done) or self._take_apart(done)

    def _take(self, event: Event) -> bool:
        number = event.time // DAY
        day = self.get(number)
        identity_day = day.get(event.identity.id) if day is not None else None
        if identity_day is None:
            event, identity_day = self.place(event)
        self.recent = number
        return identity_day.add(event)

    def _take_apart(self, event: Event) -> bool:
        """Count what is no copy of the record that had its id first; a client may give many records the same id.

        Alerts come again under their id with what has changed, and what a source has bound to its content is a copy.
        """
        if unbound(event.record_id) or self.place(event)[1].may_hold(event):
            return False
        content = str(event.time), event.action, event.outcome, event.target, event.network
        taken = self._take(event._replace(record_id=bound(event.record_id, *content)))
        self.shared += taken
        return taken

    def place(self, event: Event) -> tuple[Event, IdentityDay]:
        """Where an event belongs: to its identity, or to who stands for the many that are new on its day."""
        number, name = event.time // DAY, event.identity.id
        self.recent = number
        day = self.get(number)
        identity_day = day.get(name) if day is not None else None
        if identity_day is None:
            identity_day = self._loaded(number, name)
            if identity_day is None and self._is_over_limit(number, name):
                event = event._replace(identity=stand_in(event.identity), traits=anonymous(event.traits))
                return event, self.identity_day(event.identity.id, number)
            self.setdefault(number, {})[name] = identity_day = identity_day or IdentityDay(number)
        return event, identity_day

    def fetch(self, keys: Iterable[Key]) -> None:
        """Load what is held of some identity-days, at once: a store may be far away."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._asked]
        if missing:
            self._asked.update(missing)
            for (number, name), identity_day in self._load(missing).items():
                self.setdefault(number, {})[name] = identity_day

    def _loaded(self, number: int, name: str) -> Optional[IdentityDay]:
        if (number, name) in self._asked:
            return self.get(number, {}).get(name)
        self._asked.add((number, name))
        return self._load([(number, name)]).get((number, name))

    def _is_over_limit(self, number: int, name: str) -> bool:
        """Whether somebody comes who is new, after NEWCOMERS that were new on the day."""
        count = self._buffered.get(number)
        if count is None:
            count = self._buffered[number] = self._newcomers(number)
        day = self.get(number, {})
        if count + len(day) < NEWCOMERS or name.endswith(CROWD_ENDS):
            return False
        new = self._new.get(number)
        if new is None:
            new = self._new[number] = {n for n, w in day.items() if not (w.stored or self._is_known(n, number))}
        if name in new or self._is_known(name, number):
            return False
        if count + len(new) >= NEWCOMERS:
            return True
        new.add(name)
        return False

    def _is_known(self, name: str, number: int) -> bool:
        return any(name in identity_days for day, identity_days in self.items() if day < number) or self._known(
            name, number
        )

    def bound(self, number: int) -> None:
        """Fold those who are too many, after identities were put into a day otherwise."""
        day, count = self.get(number, {}), self._newcomers(number)
        if count + len(day) > NEWCOMERS:
            new = (n for n, w in day.items() if not (w.stored or n.endswith(CROWD_ENDS) or self._is_known(n, number)))
            for name in sorted(new)[max(0, NEWCOMERS - count) :]:
                identity_day = day.pop(name)
                fold(identity_day, self.identity_day(stand_in(identity_day.identity).id, number))

    def reject(self, reason: str, records: int = 1) -> None:
        """Count records that became no Event."""
        self.rejected[reason] = self.rejected.get(reason, 0) + records

    def take_changed(self) -> dict[int, dict[str, IdentityDay]]:
        """Day → identity-days to which something was added; they are here no more, and are loaded when touched again.

        The caller has to put them into the state before more is read.
        """
        grown = {
            day: {
                name: identity_day
                for name, identity_day in self[day].items()
                if len(identity_day.seen) != identity_day.stored
            }
            for day in sorted(self)
        }
        self.clear()
        self._asked.clear()
        self._put = self.parsed
        return {day: identity_days for day, identity_days in grown.items() if identity_days}

    def identity_day(self, identity_id: str, number: int) -> IdentityDay:
        """The IdentityDay of an identity, made when first asked for."""
        self.recent = number
        identity_day = self.get(number, {}).get(identity_id)
        if identity_day is None:
            identity_day = self._loaded(number, identity_id) or IdentityDay(number)
            self.setdefault(number, {})[identity_id] = identity_day
        return identity_day


class Intake:
    """Reads records of any of some sources into days: the one loop in which every host's records are read and counted.

    >>> intake = Intake([])
    >>> intake.feed([{"a": "record"}])
    >>> intake.batch.rejected
    {'unknown_source': 1}
    """

    def __init__(
        self,
        sources: Sequence[AnySource],
        context: Context = NO_CONTEXT,
        load: Load = nothing,
        now: Optional[int] = None,
        received: Received = day_received,
        known: Known = nobody,
        newcomers: Callable[[int], int] = lambda day: 0,
    ) -> None:
        """`load` gives what a state holds of identity-days; `now` is the reader's clock, this machine's if None;
        `received` says on which day a record was received, `known` who was seen before a day, `newcomers` how many
        of a day a state holds that were not."""
        self.batch = IntakeBatch(load, context, now, known, newcomers)
        self._sources = Sources(sources)
        self._received = received

    def feed(
        self,
        records: Iterable[object],
        on_reject: OnReject = lambda index, error: None,
        on_event: Optional[OnEvent] = None,
    ) -> None:
        """Take in a batch; rejects are counted, and reported with their index in the batch, as events are if asked."""
        source_of, claimant, batch, received = self._sources.of, self._sources.claimant, self.batch, self._received
        demand, is_native = batch.horizon.demand, kept_apart().isdisjoint
        events: list[tuple[int, Event, bool]] = []
        for index, kept in enumerate(records):
            try:
                as_written = kept.__class__ is dict and is_native(kept)
                record = kept if as_written else opened(kept)
                source = claimant(record) if as_written else source_of(record)
                event = source.read(record)
                demand(event, None if as_written else received(kept))
            except (RejectError, *UNFORESEEN) as error:  # noqa: PERF203 - one record of many
                self._refuse(index, error, on_reject)
            else:
                events.append((index, event, source.NAME == "alerts"))
        batch.fetch({(event.time // DAY, event.identity.id): None for _, event, _ in events})
        for index, event, alert in events:
            batch.add(event, alert)
            if on_event is not None:
                on_event(index, event)

    def _refuse(self, index: int, error: BaseException, on_reject: OnReject) -> None:
        """Count a reject. A variable beside the records that holds it would keep all of them until garbage is looked
        for, which long records put off: its traceback holds that variable's frame."""
        reject = reject_of(error)
        self.batch.reject(reject.reason)
        on_reject(index, reject)


# ---- what is said of a record that no source knows: what it seems to be, and what is read that is near to it


_OTLP = {"resourceSpans": "traces", "resourceMetrics": "metrics"}
_OURS = "nhi."
_SHOWN = 6
_AZURE = "the activity log, storage, key vaults, AKS's audit log, and Entra ID's logs that name who acts"


def refusal(record: Mapping[str, Any], tree: Tree) -> RejectError:
    """How a record of no source is refused: Google Cloud's logs of flows or applications hold nobody's acts, alerts of
    the SIEM's rules rate records that are read, so both are none of our business; what else it is, nobody knows.

    >>> refusal({}, {"logName": "projects/p/logs/compute.googleapis.com%2Fvpc_flows", "insertId": "1"}).reason
    'other_log'
    >>> refusal({}, {"logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "1"}).reason
    'unknown_source'
    """
    if is_alert(hit(record)) or dataset(record).startswith(_OURS):
        return RejectError("other_log", "an alert of a SIEM rule, or one that nhi wrote: the records are read instead")
    audit, log = "cloudaudit.googleapis.com", text(tree.get("logName"))
    if "logName" not in tree or "insertId" not in tree or audit in log:
        return RejectError("unknown_source", _why(record, tree))
    name = log.rpartition("/")[2][:60]
    return RejectError("other_log", f"Google Cloud's log {name!r} is not an audit log; these are read: {audit}")


def _why(record: Mapping[str, Any], tree: Tree) -> str:
    """Why a record, whose own tree is given, is of no source, and what to do.

    >>> _why({}, {"resourceSpans": []})
    'OpenTelemetry traces, which are not read: send the logs (resourceLogs)'
    >>> _why({"event": {"dataset": "aws.vpcflow"}}, {})[:97]
    "no source recognizes the dataset 'aws.vpcflow'; similar ones that are read: aws.cloudtrail, aws.g"
    """
    kind = next((kind for name, kind in _OTLP.items() if name in tree), "")
    if kind:
        return f"OpenTelemetry {kind}, which are not read: send the logs (resourceLogs)"
    if "TimeGenerated" in tree or "TimeGenerated [UTC]" in tree:
        return "a row of Log Analytics without its table's name: export it with its columns Type and TenantId"
    category = text(tree.get("category"), 60)
    if category and ("resourceId" in tree or "tenantId" in tree):
        return f"Azure's category {category!r} is not read; these are: {_AZURE}"
    known_by = (("dataset", dataset(record)), ("sourcetype", text(record.get("sourcetype"))))
    return next(filter(None, (_by_name(*pair) for pair in known_by)), "") or _by_fields(tree)


def _by_fields(tree: Tree) -> str:
    names = ", ".join(str(name)[:40] for name in list(tree)[:_SHOWN])
    return f"no source recognizes it (its fields: {names}); if it is from a supported log, name that with --source"


@remembered(256)
def _by_name(kind: str, name: str) -> str:
    if not name:
        return ""
    known, (package, dot, _) = _known(kind), name.partition("." if kind == "dataset" else ":")
    near = [name for name in known if name.startswith(package + dot)] or get_close_matches(name, known, 3, 0.6)
    shown = "similar ones that are read: " + ", ".join(near[:_SHOWN]) if near else "nothing similar is read"
    return f"no source recognizes the {kind} {name[:60]!r}; {shown}"


@cache
def _known(kind: str) -> tuple[str, ...]:
    """Datasets of Elastic's integrations, or Splunk's sourcetypes."""
    sources = registry.modules("nhi_watch.intake.sources")
    if kind == "sourcetype":
        return tuple(name for source in sources for name in source.SPLUNK_SOURCETYPES)
    indices = (index for source in sources for index in source.ELASTIC_INDICES if index.startswith("logs-"))
    return tuple(sorted(index[len("logs-") :].rpartition("-")[0] for index in indices))
