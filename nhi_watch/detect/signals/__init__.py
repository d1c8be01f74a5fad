"""Signals, in files by theme: reasons why a behaviour, an episode or linked identities are unusual or risky.

A signal is a function that returns its value, under the decorator `signal`:

- its name is the signal's id; its scope says what it looks at: `behaviour` at a View (an episode takes the largest of
  its views), `episode` at an EpisodeView, `linked` at the views of several identities that are one intrusion (0 for an
  identity that is alone)
- its docstring has two paragraphs: what the signal means, and what its number counts
- the decorator has the title, framework ids, the control it calls for, `evidence`, and of episode and linked signals
  `backing`; [`Signal`](_kit.py) says what else

Signals of one sort (calls of a kind, new values, counts) are rows of a theme's `TABLE`.
One that the model does not know counts zero points. Values are rounded to two decimals before the model
reads them, so that all hosts agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from nhi_watch.core import registry
from nhi_watch.detect.signals._kit import (
    KEY_SERVICE,
    NOVEL,
    Baseline,
    Elsewhere,
    EpisodeView,
    Signal,
    View,
    bulk_phrase,
    by_hand,
    facts,
    is_person,
    known_days,
    listing,
    most_read,
    of_targets,
    times,
)

__all__ = ["ABSOLUTE", "KEY_SERVICE", "NAMES", "NOVEL", "SIGNALS", "UNTAUGHT", "Elsewhere", "EpisodeView", "Baseline",
           "Signal", "View", "bulk_phrase", "by_hand", "facts", "is_person", "known_days", "listing",
           "most_read", "of", "of_targets", "times"]  # fmt: skip


def of(theme: ModuleType) -> Iterator[Signal]:
    """The signals of a file."""
    yield from (each for each in vars(theme).values() if isinstance(each, Signal))
    yield from getattr(theme, "TABLE", ())


SIGNALS = tuple(
    sorted((each for theme in registry.modules(__name__) for each in of(theme)), key=lambda signal: signal.name)
)
NAMES = tuple(signal.name for signal in SIGNALS)
ABSOLUTE = frozenset(signal.name for signal in SIGNALS if not signal.needs_history)
"""Signals that need no past: they count in full on a tenant's first day."""
UNTAUGHT = frozenset(signal.name for signal in SIGNALS if not signal.becomes_habit)
"""Signals that never become habits: attack tools, anonymity networks, stopped logs."""
