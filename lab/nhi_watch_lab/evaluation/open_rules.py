"""Open rules with an allow-list as a rival: what a SOC has that runs Sigma's rules and hushes what keeps firing.

Each identity's day gets the sum of the risks of the rules that fired on it. A rule that fired for the same identity
within the last ALLOWED days is on its allow-list and counts nothing (docs/decisions/0010-open-rules.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY
from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.evaluation import sigma_rules
from nhi_watch_lab.evaluation.replay import Replayed
from nhi_watch_lab.evaluation.rivals import Scores

RISK = {"informational": 1.0, "low": 21.0, "medium": 47.0, "high": 73.0, "critical": 99.0}
"""Level → risk: what Elastic gives its own rules of that severity; informational ones hardly count."""
ALLOWED = 4
"""Days for which a rule that fired for an identity is on its allow-list."""


class Fired(NamedTuple):
    """A rule that fired for an identity on a day."""

    day: int
    identity: str
    rule: str
    risk: float


class OpenRules:
    """The rival."""

    name = "open_rules"

    def __init__(self, fired: Sequence[Fired]) -> None:
        self._fired: dict[int, dict[str, dict[str, float]]] = {}
        for one in fired:
            self._fired.setdefault(one.day, {}).setdefault(one.identity, {})[one.rule] = one.risk

    def score(self, day: Sequence[Replayed]) -> Scores:
        """Risk by identity."""
        return {item.ranked.identity_id: self._risk(item.day, item.ranked.identity_id) for item in day}

    def _risk(self, day: int, identity: str) -> float:
        allowed = {rule for back in range(1, ALLOWED + 1) for rule in self._on(day - back, identity)}
        return sum(risk for rule, risk in self._on(day, identity).items() if rule not in allowed)

    def _on(self, day: int, identity: str) -> dict[str, float]:
        return self._fired.get(day, {}).get(identity, {})

    def learn(self, day: Sequence[Replayed]) -> None:
        """What fired is known beforehand."""


def fired(days: Sequence[Sequence[object]], rules: Sequence[sigma_rules.Rule]) -> list[Fired]:
    """All that fires in a world's records."""
    return sorted({one for records in days for one in _fired(records, rules)})


def _fired(records: Sequence[object], rules: Sequence[sigma_rules.Rule]) -> Iterator[Fired]:
    for record in records:
        if not cloudtrail.claims(record):
            continue
        hit = [rule for rule in rules if rule.matches(record)]
        if not hit:
            continue
        try:
            event = cloudtrail.read(record)
        except RejectError:
            continue
        for rule in hit:
            yield Fired(event.time // DAY, event.identity.id, rule.name, RISK[rule.level])
