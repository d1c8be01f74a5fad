"""Labelled telemetry of a believable company in all of its logs, with campaigns that cross products.

`Tenant(Spec(days=14, nhis=150, seed=1)).days()` yields a `Day` (lines and labels) at a time; `write(folder, spec)`
makes files of it. Volumes, rhythms and rates of change are assumptions; record shapes follow the products'
documentation.
"""

from nhi_watch_lab.simulator.products.tenant import PRODUCTS, TECHNIQUES, Day, Spec, Tenant, write

__all__ = ["Day", "PRODUCTS", "Spec", "TECHNIQUES", "Tenant", "write"]
