"""Rows of simulated companies: every product's logs, with campaigns that cross them.

Seeds are training's own; the evaluation has others. Episodes follow links here, as they do when they are ranked, so
that signals of several identities together are learnt as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation.replay import Replay, Replayed, grouped, linked
from nhi_watch_lab.simulator.products import Spec, Tenant
from nhi_watch_lab.training.matrix import WIDER, Prior, Row, prior
from nhi_watch_lab.training.techniques import COMPANY, PLAIN

AWS = "aws"
"""Of whose habits the simulated accounts tell more."""
WORTH = 0.3
"""Weight of a company's episode beside one of an account: companies' ordinary days hold more news, and with equal
weight news lost points where it tells more (see docs/decisions/0008)."""
Shares = dict[str, Counter[str]]


class Collected(NamedTuple):
    """What one company gives."""

    rows: list[Row]
    shares: dict[str, Shares]
    """Provider → dimension → value → identity-days of ordinary life."""
    totals: Counter[str]
    """Provider → identity-days of ordinary life."""


def simulate(spec: Spec, model: Scorecard) -> Collected:
    """Rows of one company, and what its identities ordinarily do."""
    replay, found, names = Replay(model), Collected([], {}, Counter()), dict[str, str]()
    for day in Tenant(spec).days():
        replay.label(day.incidents)
        names.update((incident["id"], incident["technique"]) for incident in day.incidents)
        everybody = list(replay.run_days(grouped(line.record for line in day.lines)))
        for item in everybody:
            if item.ranked.eligible and not item.incidents:
                _count(item, found)
        for item in linked(model, everybody):
            if item.ranked.eligible:
                mark = min((COMPANY + names[incident] for incident in item.incidents), default=PLAIN)
                found.rows.append(Row(spec.seed, mark, int(bool(item.incidents)), WORTH, item.episode.values))
    return found


def _count(item: Replayed, found: Collected) -> None:
    provider = item.episode.identity.provider
    if provider == AWS:
        return
    found.totals[provider] += 1
    shares = found.shares.setdefault(provider, {name: Counter() for name in WIDER})
    shapes = {b.shape for b in item.whole.behaviours.values()}
    for name in ("action", "service", "agent"):
        shares[name].update({getattr(shape, name) for shape in shapes} - {""})
    shares["error"].update({f"{s.action} {s.error}" for s in shapes if s.error})


def habits(collected: Sequence[Collected]) -> Iterator[Prior]:
    """Each product's habits: the mean over companies of the share of its own identities' days."""
    for provider in sorted({name for one in collected for name in one.totals}):
        having = [one for one in collected if one.totals[provider]]
        yield prior([one.shares[provider] for one in having], [one.totals[provider] for one in having])


def specs(seeds: Iterable[int], nhis: int, days: int, campaigns: int) -> Iterator[Spec]:
    """The simulated companies of some seeds."""
    return (Spec(days=days, nhis=nhis, seed=seed, campaigns=campaigns) for seed in seeds)
