"""`peek` of a source that reads a native record, or as much of it as a plan makes of a row or a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Optional, Protocol, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.fields import Flat
from nhi_watch.intake.shapes.forms import Tree, native, nested
from nhi_watch.intake.shapes.look import DOCUMENT, FLAT, NATIVE, ROW, UNKNOWN, Form, look
from nhi_watch.intake.shapes.remembered import Clock, Remembered, Taker
from nhi_watch.intake.shapes.times import spelled
from nhi_watch.intake.sources import Peek

Row = Mapping[str, Any]


class Maker(Protocol):
    """Makes as much of a native record as is read out of a row or a document: a `Plan`, or what stands for one."""

    def taker(self, form: Form) -> Optional[Taker]:
        """What takes the values that count out of a record; None: it is not worth remembering."""

    def of(self, found: Row, form: Form) -> Row:
        """The native record; TypeError or AttributeError where that is for `read`."""


Plans = Callable[[Row, Form], Optional[Maker]]


class Peeks:
    """Peeks of all shapes; what was said of rows and documents is remembered."""

    def __init__(self, whole: Callable[[Row], Optional[Peek]], plans: Plans, clock: Clock = spelled) -> None:
        """`whole` peeks into a native record; it may raise TypeError or AttributeError. `plans`: for a found form."""
        self._whole = whole
        self._plans = plans
        self._clock = clock
        self._remembered: dict[tuple[Maker, Form], Callable[[Row], Optional[Peek]]] = {}

    def peek(self, record: object) -> Optional[Peek]:
        """See `nhi_watch.intake.sources`."""
        if record.__class__ is not dict:
            return None
        try:
            found, form = look(cast(Row, record))
            if form is NATIVE:
                return self._whole(found)
            plan = self._plans(found, form) if form is not UNKNOWN else None
            if plan is None:
                return None
            known = self._remembered.get((plan, form)) or self._begun(plan, form)
            return known(found)
        except (TypeError, AttributeError):
            return None

    def _begun(self, plan: Maker, form: Form) -> Callable[[Row], Optional[Peek]]:
        taker, made = plan.taker(form), partial(self._made, plan, form)
        self._remembered[plan, form] = Remembered(made, taker, self._clock).peek if taker else made
        return self._remembered[plan, form]

    def _made(self, plan: Maker, form: Form, found: Row) -> Optional[Peek]:
        try:
            return self._whole(plan.of(found, form))
        except (TypeError, AttributeError):
            return None


class Kept:
    """Instead of a plan: any function that makes a record."""

    def __init__(self, of: Callable[[Row, Form], Row], taker: Optional[Flat] = None) -> None:
        """See `Maker`. Without a taker nothing is remembered: it is cheap, or every record is different.

        Nor is it of nested documents, out of which records are made as quickly as they could be remembered.
        """
        self.of = of
        self._taker = taker

    def taker(self, form: Form) -> Optional[Taker]:
        """See `Maker`."""
        return None if form is DOCUMENT else self._taker


def rows(paths: Optional[Iterable[str]], times: Iterable[str], free: Iterable[str]) -> Kept:
    """All that `_shapes.native` makes of rows. `paths`: what of it is read; None: anything."""
    return Kept(_native, Flat(paths, times, free, listed=False))


def _native(found: Row, form: Form) -> Row:
    try:
        return native(found)[0]
    except RejectError as error:
        raise TypeError("no row") from error


def documents(
    paths: Iterable[str], times: Iterable[str], free: Iterable[str], convert: Callable[[Tree], Row]
) -> Kept:
    """What a function of the source's makes of a nested document. `paths`: what of it is read."""
    return Kept(
        lambda found, form: convert(nested(found) if form is FLAT else cast(Tree, found)),
        Flat([*paths, "event.dataset"], times, free, listed=True),
    )


def as_is(found: Row, form: Form) -> Row:
    """A row whose names have no dots; TypeError where a field has several values."""
    if not {list, dict}.isdisjoint(map(type, found.values())):
        raise TypeError("several values, or an object")
    return found


def of_plans(rows: Optional[Maker], documents: Optional[Maker]) -> Plans:
    """The choice where there is one plan for rows and one for documents."""
    return lambda found, form: rows if form is ROW else documents
