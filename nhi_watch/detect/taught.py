"""Which verdicts move points on which day; and what else a tenant's state says besides its profiles."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import drift
from nhi_watch.detect.feedback import Verdict, standing, verdicts
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Local, Taught
from nhi_watch.detect.verdict_days import LASTS, Lesson, by_scope
from nhi_watch.state.rows import Rows


def lessons(given: Sequence[Verdict], day: int) -> list[Lesson]:
    """What verdicts teach on a day: those that count, and say what holds; of a notable and account one a day."""
    known = [v for v in given if v.since <= day]
    held = {(v.notable_id, v.verdict) for v in standing(known).counted if v.verdict in ("confirmed", "benign")}
    recent = [v for v in known if day < v.since + LASTS and (v.notable_id, v.verdict) in held]
    once = {(v.notable_id, v.by, v.time // DAY): v for v in recent}
    return [Lesson(tuple(v.scopes), v.verdict == "confirmed", v.by, v.bins) for v in once.values()]


def by(given: Sequence[Verdict]) -> Taught:
    """What verdicts say on a day, by scope."""
    return lambda day: by_scope(lessons(given, day)) if given else {}


def kept(rows: Rows, card: Scorecard) -> Local:
    """What a state says of verdicts, and of how far the tenant is from what the model was calibrated on."""
    spreads = drift.usual(card)
    return Local(by(verdicts(rows)), lambda day: drift.trust(rows, day, card, spreads))
