"""What is lost without a signal or a field: recalls beside those of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation.ablation import WITHOUT
from nhi_watch_lab.evaluation.counting import BUDGETS, interval
from nhi_watch_lab.evaluation.incidents import NO_THRESHOLD, Incident
from nhi_watch_lab.evaluation.summary import recalls


def by_signal(incidents: Sequence[Incident]) -> dict[str, Any]:
    """Signal → budget → recall lost, with the interval of the paired differences; the largest loss first.

    Floor and cap alone hold back here, on both sides: the threshold of the quiet weeks belongs to the whole model.
    """
    lost = {name: {f"{b:g}": _lost(incidents, f"{WITHOUT}{name}", b) for b in BUDGETS} for name in NAMES}
    return dict(sorted(lost.items(), key=lambda row: (-row[1]["10"]["recall"], -row[1]["3"]["recall"], row[0])))


def _lost(incidents: Sequence[Incident], without: str, budget: float) -> dict[str, Any]:
    gaps = [float(i.found(budget, NO_THRESHOLD)) - float(i.found(budget, without)) for i in incidents]
    return {"recall": round(sum(gaps) / max(1, len(gaps)), 4), "interval": list(interval(gaps))}


def by_field(told: Mapping[str, Sequence[Incident]]) -> dict[str, Any]:
    """Missing field ("" for none) → recalls."""
    return {name or "nothing": recalls(incidents) for name, incidents in told.items()}
