"""The notation of techniques: steps of calls with counts, odds and lures."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Tuple


@dataclass(frozen=True)
class Step:
    """One call, made low to high times with some odds; refused with the odds 'denied'. Arguments that start with '@' are lures kept for the incident, with '%' drawn anew each time."""
    op: str
    low: int
    high: int
    odds: float
    denied: float
    who: str
    args: Dict[str, Any]
    error: str


@dataclass(frozen=True)
class Technique:
    name: str
    product: str
    steps: Tuple[Step, ...]
    paces: Tuple[str, ...] = ("burst", "hand")
    origin: str = "both"
    signal: str = "call"
    auth: Tuple[str, ...] = ()
    tags: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()
    data: bool = False
    weight: float = 1.0


def s(op: str, low: int = 1, high: int = 0, p: float = 1.0, denied: float = 0.0, who: str = "", error: str = "", **args: Any) -> Step:
    return Step(op, low, max(low, high), p, denied, who, args, error)


def t(name: str, product: str, *steps: Step, paces: str = "burst hand", origin: str = "both", signal: str = "call", auth: str = "", tags: str = "", needs: str = "", data: bool = False,
    weight: float = 1.0) -> Technique:
    return Technique(name, product, steps, tuple(paces.split()), origin, signal, tuple(auth.split()), tuple(tags.split()), tuple(needs.split()), data, weight)
