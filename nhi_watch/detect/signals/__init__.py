"""Signals, one module each: one reason why a behaviour or an episode is unusual or risky.

A signal module offers:

- `NAME`, `TITLE`: its id, and what people read above its bar
- `SCOPE`: `behaviour` (looks at a View; an episode takes the largest of its views), `episode`, or `linked` (looks at
  the views of several identities that are one intrusion; 0 for an identity that is alone)
- `FRAMEWORKS`: precise framework ids that it is evidence for
- `CONTROL`: the mandatory control that it calls for, `rotate_secret` or `reduce_privilege`
- `value(view_or_episode) -> float | None`: 0 is ordinary, larger is worse; None: cannot tell
- `evidence(view_or_episode) -> str`: one sentence on why, without judging
- `backing(episode) -> list[Behaviour]`, of episode and linked signals: the behaviours behind the value

and where it applies:

- `NEEDS`: fields of an Event (network, agent, region, credential) without which it cannot tell
- `DIMENSION`: the dimension of the baseline that its value is of; else it is about the call
- `HEADLINE`: its place among what people want to read in a title: what was done; 1 comes first
- `PLACE`: its place among the signals that say in a title from where
- `ON_ORDINARY_DAYS`: true of an episode signal that may fire although every call and place is ordinary

A signal that the model does not know counts zero points and says so.

Values are rounded to two decimals before the scorecard reads them, so that all hosts agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple, Optional

from nhi_watch.core import registry
from nhi_watch.core.behaviour import Behaviour

_MOVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _one_line(evidence: Callable[..., str]) -> Callable[..., str]:
    """Log values end up in sentences: what breaks lines or turns text round is replaced."""
    return lambda seen: _MOVING.sub("\N{REPLACEMENT CHARACTER}", evidence(seen))


class Signal(NamedTuple):
    """A signal module as a value."""

    name: str
    title: str
    scope: str
    frameworks: tuple[str, ...]
    control: str
    value: Callable[..., Optional[float]]
    evidence: Callable[..., str]
    backing: Optional[Callable[..., list[Behaviour]]]
    meaning: str
    needs: tuple[str, ...] = ()
    dimension: str = ""
    headline: int = 0
    place: int = 0
    on_ordinary_days: bool = False


def _signal(module: ModuleType) -> Signal:
    return Signal(
        module.NAME, module.TITLE, module.SCOPE, module.FRAMEWORKS, module.CONTROL, module.value,
        _one_line(module.evidence), getattr(module, "backing", None), (module.__doc__ or "").strip(),
        getattr(module, "NEEDS", ()), getattr(module, "DIMENSION", ""), getattr(module, "HEADLINE", 0),
        getattr(module, "PLACE", 0), getattr(module, "ON_ORDINARY_DAYS", False),
    )  # fmt: skip


def load() -> tuple[Signal, ...]:
    """All signals, by name."""
    return tuple(_signal(module) for module in registry.modules("nhi_watch.detect.signals"))


SIGNALS = load()
NAMES = tuple(signal.name for signal in SIGNALS)
