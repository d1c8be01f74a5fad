"""`nhi race`: does the notable come before the thief gets anywhere, with logs that arrive late?

Three ways to know: the exposure alone (the fast path), the logs alone, and both. A notable is written at

    exposure:  when the feed tells + delay, if the exposure by itself is at least `high`
    logs:      when the call that makes the day `high` was made + delivery of the log + delay

each at the next run after it. Delay is what the customer's own pipeline adds, to feeds and logs alike. A stage is won
when the notable is written before it is reached.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from math import exp
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from rich.console import Console

from nhi_watch.core.errors import InputError

if TYPE_CHECKING:
    from nhi_watch_lab.evaluation.race_chains import Chain

DELAYS = (0, 1, 5, 15, 30, 45)
"""Minutes between a record's being there and the product's seeing it."""
DELIVERY = 5.0
"""Minutes until CloudTrail has delivered a call, on average (AWS, CloudTrail user guide); it is not guaranteed."""
DRAWS = 60
"""Times to first use that each chain is started at: equal steps through the fitted distribution."""


class Feed(NamedTuple):
    """How soon an exposure becomes known."""

    name: str
    minutes: tuple[float, ...]
    """Equally likely delays of the feed itself."""
    basis: str


FEEDS = (
    Feed("provider's own scan", (67 / 60,), "AWS put its quarantine policy on 67 s after the push (Xebia, 2023)"),
    Feed("own scan, hourly", tuple(float(m) for m in range(3, 60, 6)), "a scan every hour: up to 60 minutes, evenly"),
    Feed("own scan, daily", tuple(72.0 * n + 36 for n in range(20)), "a scan every day: up to 24 hours, evenly"),
)
KNOWN = (("67 s, the fastest published", 67 / 60), ("80 s", 80 / 60), ("127 s", 127 / 60), ("5 min", 5.0),
         ("9 min", 9.0), ("17 min, the published mean", 17.0))  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi race` takes."""
    parser.add_argument("--seed", type=int, default=601, help="the simulated tenant (default: 601)")
    parser.add_argument("--machines", type=int, default=150, help="its machines (default: 150)")
    parser.add_argument("--days", type=int, default=15, help="its days; the last is the race's (default: 15)")
    parser.add_argument("--victims", type=int, default=12, help="chains at most (default: 12)")
    parser.add_argument("--every", type=float, default=1.0, metavar="MIN", help="minutes between runs (default: 1)")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, console: Console) -> int:
    """Play the race and show it.

    Raises:
        InputError: the settings leave nothing to race.
    """
    from nhi_watch_lab.evaluation.race_chains import Setting, chains

    if args.days < 9 or args.machines < 10 or args.victims < 1 or not 0 < args.every <= 60:
        raise InputError("nhi race: needs 9 days, 10 machines, a victim, and runs at least every hour")
    setting = Setting(args.seed, args.machines, args.days, args.victims)
    played = list(chains(setting))
    if not played:
        raise InputError(f"nhi race: no machine of seed {args.seed} has an access key; give more --machines")
    result = figures(played, args.every, setting._asdict())
    if args.page:
        from nhi_watch_lab.evaluation.race_page import render, sheet

        args.page.write_text(render(result), "utf-8")
        args.page.with_suffix(".csv").write_text(sheet(), "utf-8")
    if args.json:
        console.print_json(json.dumps(result))
    else:
        _show(result, console)
    return 0


def figures(played: Sequence[Chain], every: float, setting: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of the race."""
    from nhi_watch.detect import model
    from nhi_watch.detect.exposure.timing import PLACES
    from nhi_watch_lab.evaluation.race_chains import STAGES, exposure_severity

    score, probability = exposure_severity("public-repo")
    starts = list(draws(PLACES["public_repo"].mu, PLACES["public_repo"].sigma))
    card = model.load()
    return {
        "setting": {**setting, "every": every, "draws": DRAWS, "delivery": DELIVERY},
        "model": {"id": card.id, "sha256": card.sha256},
        "exposure": {"score": score, "probability": probability, "pages": score >= 60},
        "stages": list(STAGES),
        "chains": [{**chain._asdict(), "stages": list(chain.stages)} for chain in played],
        "seen": _seen(played),
        "won": {way: {str(d): _shares(played, starts, way, d, every) for d in DELAYS} for way in _ways()},
        "known": {name: {way: _known(played, minutes, way, every) for way in _ways()} for name, minutes in KNOWN},
    }


def draws(mu: float, sigma: float) -> Iterator[float]:
    """Minutes to first use, in equal steps through a lognormal: the same in every run.

    >>> [round(m, 1) for m in draws(0.0, 1.0)][:: DRAWS // 3]
    [0.1, 0.7, 1.6]
    """
    normal = NormalDist()
    return (exp(mu + sigma * normal.inv_cdf((n + 0.5) / DRAWS)) for n in range(DRAWS))


def _ways() -> list[str]:
    return ["logs alone", *(feed.name for feed in FEEDS), *(f"{feed.name}, and logs" for feed in FEEDS)]


def _written(chain: Chain, start: float, way: str, delay: float, every: float) -> Iterator[float]:
    """Minutes after the exposure at which the notable is written, for each equally likely delay of the feed."""
    logs = start + chain.seen / 60 + DELIVERY + delay if chain.seen is not None else None
    if way == "logs alone":
        yield _next_run(logs, every)
        return
    feed = next(feed for feed in FEEDS if way.startswith(feed.name))
    for minutes in feed.minutes:
        told = minutes + delay
        yield _next_run(min(told, logs) if way.endswith("and logs") and logs is not None else told, every)


def _next_run(minutes: Optional[float], every: float) -> float:
    """The end of the run that sees it; infinite when nothing is seen.

    >>> _next_run(1.2, 1.0), _next_run(None, 1.0)
    (2.0, inf)
    """
    return float("inf") if minutes is None else -(-minutes // every) * every


def _shares(played: Sequence[Chain], starts: Sequence[float], way: str, delay: float, every: float) -> dict[str, Any]:
    """Stage → share of chains in which the notable was first, and how many there were."""
    from nhi_watch_lab.evaluation.race_chains import STAGES

    won, of = [0.0] * len(STAGES), [0] * len(STAGES)
    for chain in played:
        for start in starts:
            written = list(_written(chain, start, way, delay, every))
            for number, stage in enumerate(chain.stages):
                if stage is not None:
                    of[number] += 1
                    won[number] += sum(w < start + stage / 60 for w in written) / len(written)
    return {
        name: {"won": round(won[n], 2), "of": of[n], "share": round(won[n] / of[n], 4) if of[n] else None}
        for n, name in enumerate(STAGES)
    }


def _known(played: Sequence[Chain], start: float, way: str, every: float) -> dict[str, Any]:
    """Stage shares of one published time, without any delay of one's own."""
    return {name: cell["share"] for name, cell in _shares(played, [start], way, 0, every).items()}


def _seen(played: Sequence[Chain]) -> dict[str, Any]:
    """With which call the logs show it."""
    seen = sorted(chain.seen for chain in played if chain.seen is not None)
    return {
        "chains": len(played),
        "never_high": len(played) - len(seen),
        "median_seconds": seen[len(seen) // 2] if seen else None,
        "slowest_seconds": seen[-1] if seen else None,
    }


def _show(result: Mapping[str, Any], console: Console) -> None:
    from rich import box
    from rich.table import Table

    seen = result["seen"]
    high, score = seen["chains"] - seen["never_high"], result["exposure"]["score"]
    console.print(f"{seen['chains']} chains; the exposure alone scores {score:.0f}; the logs make {high} of them high, "
                  f"half of those within {seen['median_seconds']} s of the first call.", soft_wrap=True)  # fmt: skip
    for way, by_delay in result["won"].items():
        table = Table(title=f"{way}: share of chains in which the notable came first", title_justify="left",
                      box=box.SIMPLE_HEAD)  # fmt: skip
        table.add_column("delay")
        for stage in result["stages"]:
            table.add_column(stage, justify="right")
        for delay, cells in by_delay.items():
            table.add_row(f"{delay} min", *(_percent(cells[stage]["share"]) for stage in result["stages"]))
        console.print(table)


def _percent(share: Optional[float]) -> str:
    return "no chain" if share is None else f"{share:.0%}"
