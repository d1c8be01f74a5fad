"""Signals, in files by theme: reasons why a behaviour, an episode or linked identities are unusual or risky.

A signal is a function that tells its value, under the decorator that makes it a `Signal`:

- its name is the signal's id; `behaviour_signal` looks at a View (an episode takes the largest of its views),
  `episode_signal` at an EpisodeView, `linked_signal` at the views of several identities that are one intrusion
- its docstring has two paragraphs: what the signal means, and what its number counts
- the decorator has the title, framework ids, the control it calls for, `evidence`, and of episode and linked signals
  `backing`; [`Signal`](_kit.py) says what else

Whatever of that kind stands in a file of this folder is a signal. One that the model does not know counts zero points
and says so. Values are rounded to two decimals before the model reads them, so that all hosts agree.
"""

from __future__ import annotations

from nhi_watch.core import registry
from nhi_watch.detect.signals._kit import Signal

__all__ = ["NAMES", "SIGNALS", "Signal", "load"]


def load() -> tuple[Signal, ...]:
    """All signals, by name."""
    modules = registry.modules("nhi_watch.detect.signals")
    found = {each.name: each for module in modules for each in vars(module).values() if isinstance(each, Signal)}
    return tuple(found[name] for name in sorted(found))


SIGNALS = load()
NAMES = tuple(signal.name for signal in SIGNALS)
