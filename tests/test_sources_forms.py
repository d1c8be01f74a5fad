"""Records as they come in bad ways: padded names, times in other forms, nulls and other types in place of all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from types import ModuleType
from typing import Any, Union

import pytest

from layout import ROOT
from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from trees import Steps, changed, nodes

SOURCES = registry.modules("nhi_watch.intake.sources")
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
RUBBISH: tuple[object, ...] = (
    None, "", " ", "-", "null", "\x00\u2028", "x" * 3000, 0, -1, 7.5, 10**30, math.nan, True, [], [None], ["a", "b"],
    [[]], [{}], {}, {"a": None}, {"value": "x"}, "{\"a\":", "[1]",
)  # fmt: skip


def natives(source: ModuleType) -> Iterator[tuple[Any, Event]]:
    """The first sample of each native group, with its Event."""
    path = ROOT / "tests" / "data" / "sources" / f"{source.NAME}.jsonl"
    for sample in map(json.loads, path.read_text("utf-8").splitlines()):
        if "event" in sample and sample["shape"].startswith("native") and "_raw" not in sample["record"]:
            yield sample["record"], source.read(sample["record"])


def outcome(source: ModuleType, record: object) -> Union[Event, str]:
    try:
        event: Event = source.read(record)
    except RejectError as reject:
        return reject.reason
    return event


@each_source
def test_rubbish_in_place_of_every_value_gives_an_event_or_a_reject(source: ModuleType) -> None:
    tried = 0
    for record, _ in natives(source):
        for number, (steps, _) in enumerate(list(nodes(record))):
            for rubbish in RUBBISH[number % 3 :: 3]:
                built = changed(record, steps, rubbish)
                assert isinstance(outcome(source, built), (Event, str)), (steps, rubbish)
                assert source.claims(built) in (True, False)
                tried += 1
    assert tried > 500, f"{tried} values replaced instead of 500: add native samples, or samples with more fields"


FORMS: dict[str, Callable[[datetime], object]] = {
    "RFC 3339": lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "milliseconds": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.123Z"),
    "seven digits": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.1234567Z"),
    "nanoseconds": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
    "offset": lambda t: (t + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
    "offset of zero": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.123+00:00"),
    "no zone": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S"),
    "blank": lambda t: t.strftime("%Y-%m-%d %H:%M:%S.123"),
    "UTC in words": lambda t: t.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "seconds": lambda t: int(t.timestamp()),
    "seconds as text": lambda t: f"{t.timestamp():.3f}",
    "milliseconds since": lambda t: int(t.timestamp() * 1000),
    "milliseconds since, as text": lambda t: str(int(t.timestamp() * 1000)),
    "microseconds since": lambda t: int(t.timestamp() * 1e6),
    "nanoseconds since": lambda t: str(int(t.timestamp()) * 10**9),
    "ASP.NET": lambda t: f"/Date({int(t.timestamp() * 1000)})/",
    "American": lambda t: t.strftime("%m/%d/%Y %I:%M:%S %p"),
}
STRICT = {"cloudtrail", "endpoint"}
"""Sources that refuse forms which their products never write."""


@each_source
def test_a_time_in_another_form_is_the_same_time_or_refused_never_another(source: ModuleType) -> None:
    wrong, understood = [], set()
    for record, event in natives(source):
        for steps in times_of(source, record, event):
            for name, form in FORMS.items():
                built = changed(record, steps, form(datetime.fromtimestamp(event.time, timezone.utc)))
                result = outcome(source, built)
                if isinstance(result, Event) and result.time == event.time:
                    understood.add(name)
                elif result not in ("bad_time", "clock", "no_identity"):  # Sigma: of a record that is not read, nobody
                    wrong.append((steps, name, result if isinstance(result, str) else result.time - event.time))
    assert wrong == []
    assert {"RFC 3339", "milliseconds", "offset"} <= understood
    assert source.NAME in STRICT or understood == set(FORMS), set(FORMS) - understood


def times_of(source: ModuleType, record: Any, event: Event) -> Iterator[Steps]:
    """Where the record's time is: a value that moves the Event by what it is moved itself."""
    for steps, value in nodes(record):
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            later = datetime.fromtimestamp(event.time + 7200, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            result = outcome(source, changed(record, steps, later))
            if isinstance(result, Event) and result.time == event.time + 7200:
                yield steps


OWN_WORDS = {"exposure", "endpoint"}
"""Sources whose operations are our words, not the log's."""


@each_source
def test_padded_names_of_actions_are_the_same_action(source: ModuleType) -> None:
    wrong, tried = [], 0
    for record, event in natives(source):
        for steps, value in nodes(record):
            if not isinstance(value, str) or not bare(value) or bare(value) not in bare(event.action):
                continue
            if not named_by(source, changed(record, steps, "Unheard" + value), event):
                continue
            tried += 1
            for padded in (value + " ", " " + value, value + "\t"):
                result = outcome(source, changed(record, steps, padded))
                if not isinstance(result, Event) or result.action != event.action:
                    wrong.append((steps, padded, result if isinstance(result, str) else result.action))
    assert wrong == [], "strip blanks around the action's name"
    assert tried or source.NAME in OWN_WORDS, "no field of its samples names the operation"


def bare(name: str) -> str:
    """A name without what spellings differ in."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def named_by(source: ModuleType, record: Any, event: Event) -> bool:
    """Whether another word in a record makes it another action."""
    result = outcome(source, record)
    return isinstance(result, Event) and result.action != event.action and result.service == event.service
