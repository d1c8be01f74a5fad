"""How much history does it need? The same attacks on one day, judged after 0 to 30 days of history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation.incidents import Incident, Job, one_tenant
from nhi_watch_lab.evaluation.kept import tenant_days
from nhi_watch_lab.evaluation.labelled import Labelled
from nhi_watch_lab.evaluation.summary import recalls
from nhi_watch_lab.simulator import Spec

HISTORY = (0, 1, 3, 7, 14, 30)
"""Days learnt before the attacks."""
WARM = 30


class Work(NamedTuple):
    """One tenant, whose campaigns all begin on day WARM, its last one."""

    spec: Spec
    model: Scorecard
    kept: Optional[Path] = None


def spec_of(spec: Spec) -> Spec:
    """The same tenant with a month of quiet and one day of campaigns."""
    return Spec(WARM + 1, spec.machines, spec.seed, campaigns=spec.campaigns, quiet_days=WARM)


def cold(work: Work) -> dict[int, list[Incident]]:
    """Days of history → how the incidents that a log can tell fared."""
    days = list(tenant_days(work.spec, work.kept))
    found = {}
    for history in HISTORY:
        part = Labelled(days[WARM - history :], 0, 0)
        job = Job(work.spec, work.model, rivals=False, own=part)
        found[history] = [i for i in one_tenant(job).incidents if i.distinguishable]
    return found


def summarise(tenants: Sequence[Mapping[int, Sequence[Incident]]]) -> dict[str, Any]:
    """Days of history → recalls; and what share of the warm recall is there on day 0."""
    curve = {str(h): recalls([i for tenant in tenants for i in tenant[h]]) for h in HISTORY}
    share = {
        budget: _share(curve["0"][budget]["all"]["recall"], warm["all"]["recall"])
        for budget, warm in curve[str(WARM)].items()
    }
    return {"tenants": len(tenants), "recall": curve, "day_0_share_of_warm": share}


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0
