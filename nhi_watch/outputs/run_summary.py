"""What run.json says, in the few lines that the terminal and the report show.

The shape that is read here; whatever is missing is not shown:
`created, version, records {read, parsed, rejected, reasons {reason: n}, duplicates}, events, behaviours,
identities, episodes, notables, overflow, budget, alerts {in, out}, seconds {stage: s}, model {id, sha256},
baseline {id}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nhi_watch.outputs.words import amount, clock, visible


class Step(NamedTuple):
    """One number of the funnel."""

    label: str
    number: int


class Fact(NamedTuple):
    """A name and what it says."""

    label: str
    text: str


def funnel(run: Mapping[str, Any]) -> list[Step]:
    """Records → behaviours → identities → notables.

    >>> [tuple(step) for step in funnel({"records": {"read": 9}, "notables": 1})]
    [('records', 9), ('notables', 1)]
    """
    counts = {"records": _inside(run, "records", "read"), **{name: run.get(name) for name in _STEPS}}
    return [Step(name, count) for name, count in counts.items() if isinstance(count, int)]


_STEPS = ("behaviours", "identities", "notables")


def facts(run: Mapping[str, Any]) -> list[Fact]:
    """The rest that a reader wants to know about a run, in the order of interest."""
    said = [
        Fact("Alerts", _alerts(run)),
        Fact("Budget", _budget(run)),
        Fact("Rejected", _rejected(run)),
        Fact("Model", str(_inside(run, "model", "id") or "")),
        Fact("Baseline", str(_inside(run, "baseline", "id") or "")),
        Fact("Written", f"{clock(str(run['created']))} UTC" if run.get("created") else ""),
    ]
    return [Fact(label, visible(text, 200)) for label, text in said if text]


def line(run: Mapping[str, Any]) -> str:
    """One line: the funnel, then alerts, rejects and overflow."""
    steps = " → ".join(f"{amount(step.number)} {step.label}" for step in funnel(run))
    rest = [f"{fact.label.lower()} {fact.text}" for fact in facts(run) if fact.label in _IN_LINE]
    return "; ".join([steps, *rest] if steps else rest)


_IN_LINE = ("Alerts", "Budget", "Rejected")


def _alerts(run: Mapping[str, Any]) -> str:
    came, went = _inside(run, "alerts", "in"), _inside(run, "alerts", "out")
    return "" if came is None or went is None else f"{amount(came)} in, {amount(went)} out"


def _budget(run: Mapping[str, Any]) -> str:
    if run.get("budget") is None:
        return ""
    over = run.get("overflow") or 0
    text = f"{amount(run['budget'])} a day per 1,000 identities"
    return f"{text}, {amount(over)} more not shown" if over else text


def _rejected(run: Mapping[str, Any]) -> str:
    count = _inside(run, "records", "rejected")
    reasons = _inside(run, "records", "reasons") or {}
    if count is None:
        return ""
    parts = ", ".join(f"{reason} {amount(number)}" for reason, number in sorted(reasons.items()))
    return f"{amount(count)} ({parts})" if parts else amount(count)


def _inside(run: Mapping[str, Any], outer: str, inner: str) -> Any:
    part = run.get(outer)
    return part.get(inner) if isinstance(part, Mapping) else None
