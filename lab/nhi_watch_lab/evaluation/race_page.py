"""The race's figures → docs/method/race.md: no number is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from nhi_watch.detect.exposure.timing import OBSERVED, PLACES
from nhi_watch_lab.evaluation.page import as_csv, table
from nhi_watch_lab.evaluation.race import DELIVERY, FEEDS

Figures = Mapping[str, Any]


def render(result: Figures) -> str:
    """The page, in Markdown."""
    return "\n\n".join([_head(result), _won(result), _known(result), _sources()]) + "\n"


def _head(result: Figures) -> str:
    setting, seen, exposure = result["setting"], result["seen"], result["exposure"]
    feeds = "; ".join(f"*{feed.name}*: {feed.basis}" for feed in FEEDS)
    model = f"`{result['model']['id']}` (SHA-256 `{result['model']['sha256'][:16]}…`)"
    high = seen["chains"] - seen["never_high"]
    return f"""# Race

For whoever asks whether a notable comes before the thief. Written by `nhi race --page`; no number is typed by hand.

An access key is exposed in a public repository and turned into model invocations. {seen["chains"]} chains of the
simulator's LLMjacking technique (seed {setting["seed"]}, {setting["machines"]} machines, {setting["days"]} days of
history), each begun at {setting["draws"]} times to first use by [the timing model](#the-timing-model). Model {model}.

The exposure by itself scores {exposure["score"]:.0f} a minute after it. The logs make {high} of {seen["chains"]} chains
*high*, {seen["median_seconds"]} s after the first call (median); they arrive {DELIVERY:.0f} minutes late, as CloudTrail
does on average. *Delay* is the customer's own pipeline; runs are {setting["every"]:g} min apart. Feeds: {feeds}.

**Lost is lost.** 0% means that the thief was there first in every chain."""


def _won(result: Figures) -> str:
    """A row for each feed, and for the logs alone; with a delay only of the feed that wins without one."""
    stages: Sequence[str] = result["stages"]
    ways = {way: by_delay for way, by_delay in result["won"].items() if not way.endswith(_AND_LOGS)}
    rows = [
        [way, f"{d} min", *(_percent(by_delay[str(d)][stage]["share"]) for stage in stages)]
        for way, by_delay in ways.items()
        for d in _SHOWN[: 1 + (way == FEEDS[0].name)]
    ]
    return "## Share of chains in which the notable came first\n\n" + table(["known by", "delay", *stages], rows)


_AND_LOGS = ", and logs"
_SHOWN = (0, 15)
"""Minutes of delay that the page shows; the figures hold all of `DELAYS`."""


def _percent(share: Optional[float]) -> str:
    return "–" if share is None else f"{share:.0%}"


def _known(result: Figures) -> str:
    stages: Sequence[str] = result["stages"]
    known = {name: [ways[FEEDS[0].name][stage] for stage in stages] for name, ways in result["known"].items()}
    rows = [[name, *map(_percent, won)] for name, won in known.items() if set(won) != {1}]
    first = "; ".join(name for name, won in known.items() if set(won) == {1})
    return (
        f"## The published cases, known by the {FEEDS[0].name}, without any delay of one's own\n\n"
        + table(["time to first use", *stages], rows)
        + f"\n\nThe notable is first at every stage: {first or 'none'}."
    )


def _sources() -> str:
    rows = [[p.name.replace("_", " "), f"{p.tried:.0%}", f"{p.median:,.1f} min", f"{p.sigma:.2f}"]
            for p in PLACES.values()]  # fmt: skip
    return (
        "## The timing model\n\n"
        "P(tried within t) = tried × Φ((ln t − μ) / σ), fitted to [published times](race.csv). *Tried* is assumed "
        "everywhere; a public service's harvest and all of private and unknown places, too.\n\n"
        + table(["place", "ever tried", "median", "σ"], rows)
    )


def sheet() -> str:
    """The published times, as CSV."""
    rows = ([f"{o.minutes * 60:.0f}", ", ".join(o.places).replace("_", " "), o.source] for o in OBSERVED)
    return as_csv(["seconds", "used for", "source"], rows)
