"""Labelled telemetry of a believable account, with campaigns.

`Tenant(Spec(days=28, machines=300, seed=1)).days()` yields a `Day` (records and labels) at a time;
`write(folder, spec)` makes files of it.
"""

from nhi_watch_lab.simulator.tenant import TECHNIQUES, Day, Spec, Tenant, write

__all__ = ["Day", "Spec", "TECHNIQUES", "Tenant", "write"]
