"""The machine's clock, for what nobody may choose on the command line: approvals and the audit trail."""

from __future__ import annotations

import time


def now() -> int:
    """Seconds since 1970, by the machine."""
    return int(time.time())
