"""The drawn worlds with machines that are odd by nature, as a tenant's first file, and with short thefts."""

from __future__ import annotations

from nhi_watch_lab.variants.drawn import duties, workers
from nhi_watch_lab.variants.drawn.brief import brief
from nhi_watch_lab.variants.drawn.short import short
from nhi_watch_lab.variants.drawn.small import first
from nhi_watch_lab.variants.drawn.tenant import unsteady

ODD = (*(duty.name for duty in duties.DUTIES), *workers.ODD)
"""What the names of odd machines hold."""
__all__ = ["ODD", "brief", "first", "short", "unsteady"]
