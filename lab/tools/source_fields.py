"""What each field of a log is good for, found out by leaving it out: of the samples of sources, and of signals.

A field *feeds* what changes in the Event of some sample that lacks it. A signal *needs* a value of the Event if no
sample of it fires where that value is always missing, today and in the history.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from layout import ROOT

sys.path.append(str(ROOT / "tests"))

from core_samples import TODAY, events, learnt, whole_days
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.detect.scoring import views_of
from nhi_watch.detect.signals import EpisodeView, Signal

SAMPLES = ROOT / "tests" / "data"
BLANK: dict[str, Any] = {
    "account": "", "credential": "", "credential_type": "none", "session": "", "access": "unknown",
    "outcome": "success", "error": "", "network": "", "agent": "", "region": "", "target": "", "target_class": "",
    "traits": [], "issued": "",
}  # fmt: skip
"""Values of an Event that signals look at, as they are where a log does not have them."""
_HASHED = re.compile(r"[0-9a-fA-F-]{20,}")
_TEXTS = 300


class Field(NamedTuple):
    """One field of a log."""

    path: str
    feeds: tuple[str, ...]
    """Values of the Event, in its order; traits by name."""
    lost: tuple[str, ...]
    """What is then missing."""
    rejects: tuple[str, ...]
    """Reasons of records that are refused without it."""


# ---- sources


def fields_of(source: ModuleType) -> list[Field]:
    """The fields of a source's native records that anything depends on, by path."""
    feeds: dict[str, set[str]] = {}
    lost: dict[str, set[str]] = {}
    rejects: dict[str, set[str]] = {}
    for sample in _lines(SAMPLES / "sources" / f"{source.NAME}.jsonl"):
        if "event" not in sample or not sample["shape"].startswith("native"):
            continue
        event = source.read(sample["record"])
        for path, record in _lacking(sample["record"]):
            changed = _read(source, record)
            if isinstance(changed, str):
                rejects.setdefault(path, set()).add(changed)
            elif changed != event:
                feeds.setdefault(path, set()).update(_changed(event, changed))
                lost.setdefault(path, set()).update(_lost(event, changed))
    names = sorted({*feeds, *rejects}, key=lambda path: (path.count("."), path))
    return [
        Field(name, _ordered(feeds.get(name, ())), _ordered(lost.get(name, ())), tuple(sorted(rejects.get(name, ()))))
        for name in names
    ]


def _lines(path: Any) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _read(source: ModuleType, record: Any) -> Event | str:
    try:
        event: Event = source.read(record)
    except RejectError as reject:
        return reject.reason
    return event


def _lacking(record: Any) -> Iterator[tuple[str, Any]]:
    """The record without each of its leaves in turn, with the path of what it lacks."""
    for steps in list(_leaves(record)):
        built = node = copy.copy(record)
        for step in steps[:-1]:
            node[step] = copy.copy(node[step])
            node = node[step]
        del node[steps[-1]]
        yield _shown(steps), built


def _leaves(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict) and tree:
        for name, inner in tree.items():
            yield from _leaves(inner, (*at, name))
    elif isinstance(tree, list) and any(isinstance(inner, (dict, list)) for inner in tree):
        for index, inner in enumerate(tree):
            yield from _leaves(inner, (*at, index))
    elif at:
        yield at


def _shown(steps: tuple[Any, ...]) -> str:
    text = ".".join("[]" if isinstance(step, int) else step for step in steps).replace(".[]", "[]")
    return _HASHED.sub("…", text)


def _changed(event: Event, changed: Event) -> Iterator[str]:
    for name, was, now in zip(Event._fields, event, changed):
        if was == now:
            continue
        if name == "traits":
            yield from (f"trait {trait}" for trait in sorted(set(event.traits) ^ set(changed.traits)))
        elif name not in ("service", "provider"):
            yield name


def _lost(event: Event, changed: Event) -> Iterator[str]:
    empty = ("", "unknown", "none", ())
    for name, was, now in zip(Event._fields, event, changed):
        if was not in empty and now in empty and name not in ("service", "provider", "traits"):
            yield name


def _ordered(names: Any) -> tuple[str, ...]:
    order = {name: index for index, name in enumerate(Event._fields)}
    return tuple(sorted(names, key=lambda name: (order.get(name, len(order)), name)))


# ---- signals


def needs_of(signal: Signal) -> dict[str, str]:
    """Value of the Event → what becomes of the signal without it: `silent` or `cannot tell`; or `weaker`, in part."""
    firing = [s for s in _lines(SAMPLES / "signals" / f"{signal.name}.jsonl") if s["fires"] is True]
    result = {}
    for name in BLANK:
        values = [_value(signal, _without(sample, name)) for sample in firing]
        still = sum(bool(value and value > 0) for value in values)
        if not still:
            result[name] = "cannot tell" if None in values else "silent"
        elif still < len(values):
            result[name] = "some cases silent"
    return result


def _without(sample: dict[str, Any], name: str) -> dict[str, Any]:
    built = copy.deepcopy(sample)
    for event in [*built["events"], *(event for part in built["history"] for event in part["events"])]:
        event[name] = BLANK[name]
    return built


def _value(signal: Signal, sample: dict[str, Any]) -> float | None:
    todays = events(sample["events"], TODAY)
    baseline = learnt(sample["history"]).baseline(todays[0].identity, TODAY)
    whole_days_read = whole_days(todays).values()
    episode = EpisodeView(
        [view for identity_day in whole_days_read for view in views_of(identity_day.ordered(), baseline)], baseline
    )
    if signal.scope != "behaviour":
        return signal.value(episode)
    values = [signal.value(view) for view in episode.views]
    return None if set(values) == {None} else max(value or 0.0 for value in values)


# ---- for the pages


def needs_in_words(signal: Signal) -> str:
    """What a signal needs of an Event, in words; "": the action alone.

    >>> from nhi_watch.detect.signals import SIGNALS
    >>> [needs_in_words(signal) for signal in SIGNALS if signal.name in ("attack_tool", "risky_network")]
    ['traits', 'network (cannot tell)']
    """
    words = {"silent": "", "cannot tell": " (cannot tell)", "some cases silent": " (in part)"}
    needs = sorted(needs_of(signal).items(), key=lambda need: need[1] == "some cases silent")
    return ", ".join(f"{name}{words[what]}" for name, what in needs)


def about_source(source: ModuleType) -> Iterator[list[str]]:
    """Rows: field, what it feeds, what a record is without it."""
    for field in fields_of(source):
        rejected = f"refused: {', '.join(field.rejects)}" if field.rejects else ""
        missing = f"missing: {', '.join(field.lost)}" if field.lost else ""
        changed = [name for name in field.feeds if name not in field.lost]
        other = f"changed or empty: {', '.join(changed)}" if changed else ""
        feeds = ", ".join(field.feeds) or "everything"
        yield [field.path, feeds[:_TEXTS], "; ".join(filter(None, (rejected, missing, other)))[:_TEXTS]]
