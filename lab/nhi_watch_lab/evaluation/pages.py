"""The figures of mornings, wherever they are written: docs/method/mornings.md, and parts of README and model card.

`nhi evaluate --pages` writes all of them, and `python -m nhi_watch_lab.evaluation.pages` again from what a run kept.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nhi_watch_lab.evaluation import figures, mornings
from nhi_watch_lab.evaluation.figures import Figures, Interval, Resampled, calibration, families_of, mean_of_families
from nhi_watch_lab.evaluation.mornings import JUDGED, OURS, SMALL, UNJUDGED, Arm, Tenant

LOOKED_AT = ("third 7", "fifth 4")
"""Worlds that were looked at when bands of severity and the rule of freed places were chosen."""
ROOT = Path(__file__).parents[3]
PAGE = Path("docs", "method", "mornings.md")
README, MODEL_CARD = Path("README.md"), Path("docs", "method", "model_card.md")
BEGINS, ENDS = "<!-- figures: written by nhi evaluate --pages -->", "<!-- end of figures -->"
SIDES: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("outside", lambda f: f.outside),
    ("inside", lambda f: f.inside),
)
ERRORS = (0.05, 0.12)
"""Aims of calibration: pooled, and in each family."""
PRECISION = {"critical": 0.85, "high": 0.65}
"""Aims: share of intrusions."""


def write(tenants: Sequence[Tenant], how: str, root: Path = ROOT) -> None:
    """Write the page, and put the figures into README and model card."""
    (root / PAGE).write_text(page(tenants, how), "utf-8")
    for path, lines in ((README, summary(tenants)), (MODEL_CARD, [truth(tenants)])):
        text = (root / path).read_text("utf-8")
        (root / path).write_text(replaced(text, lines), "utf-8")


def replaced(text: str, lines: Sequence[str]) -> str:
    """A text with other lines between the marks of figures.

    >>> replaced(f"a\\n{BEGINS}\\nold\\n{ENDS}\\nb", ["new"]) == f"a\\n{BEGINS}\\nnew\\n{ENDS}\\nb"
    True
    """
    built, count = re.subn(
        f"{re.escape(BEGINS)}\\n.*?{re.escape(ENDS)}",
        lambda _: "\n".join([BEGINS, *lines, ENDS]),
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{count} places for figures instead of one")
    return built


def page(tenants: Sequence[Tenant], how: str) -> str:
    """All of it as Markdown."""
    return "\n".join([
        "# Mornings", "", "For analysts and detection engineers: what the list asks to be read, and what it shows.", "",
        "<!-- Written by `nhi evaluate --pages`: change the code, not this page. -->", "", how, "",
        *summary(tenants), "", *_WHAT, "", *_by_family(tenants), "", *_by_kind(tenants), "", *_compared(tenants), "",
        *_calibrated(tenants),
    ]) + "\n"  # fmt: skip


_WHAT = f"""{(mornings.__doc__ or "").partition(chr(10) * 2)[2].strip()}

- shown: an incident is shown if a new row of the morning after one of its own days holds a record of it
- first 5, first 10: so many benign rows at most stand before it
- benign: new rows without a record of any incident, a day per 1,000 identities
- repeats: benign new rows of notables that were a new row on an earlier morning
- high or critical: benign new rows of that severity
- read: all lines, new and still open, without those of incidents; notables that were quiet for three days and wait for
  a verdict are one line together
- waiting: how many notables that one line stands for

Worlds hold some thirty times as many incidents as life, so the budget is raised by what these take; a row's place in
the list is counted among benign rows alone, so that incidents do not compete with each other. Every tenant is judged
twice at a budget of {UNJUDGED.budget:g}: nobody says anything, and somebody gives the true verdict on what the history
left and on every new row each morning. Figures a morning are scaled to a company of {figures.COMPANY} identities.
Intervals hold nine of ten of {figures.RESAMPLED:,} resamples of families, of tenants within each, and of incidents and
mornings within each tenant.""".split("\n")


def _of(tenants: Sequence[Tenant], arm: Arm, detector: str = OURS) -> list[Tenant]:
    return [t for t in tenants if (t.detector, t.budget, t.verdicts) == (detector, *arm)]


def _span(interval: Interval, digits: int = 2) -> str:
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def summary(tenants: Sequence[Tenant]) -> list[str]:
    """What the README says, too."""
    arms = [_of(tenants, arm) for arm in (UNJUDGED, JUDGED)]
    means, spread = [mean_of_families(mine) for mine in arms], [Resampled(mine) for mine in arms]
    rows: list[tuple[str, Callable[[Figures], float], int]] = [
        ("incidents from outside shown on their day (aim: .95)", lambda f: f.outside, 2),
        ("from inside the victim's network (aim: .72)", lambda f: f.inside, 2),
        ("among the first 10 rows, outside (aim: .90)", lambda f: f.first[-1][0], 2),
        ("among the first 10 rows, inside (aim: .55)", lambda f: f.first[-1][1], 2),
        ("benign new rows a day per 1,000 identities (aim: 10, with verdicts 6)", lambda f: f.benign, 1),
        ("repeats a morning (aim: 1)", lambda f: f.repeats, 2),
        ("benign high or critical a day (aim: 0.3)", lambda f: f.graver, 2),
        ("lines to read, new and still open (aim: 15)", lambda f: f.read, 1),
    ]
    families, count = families_of(tenants), sum(means[0].counts)
    lines = [
        f"{len(arms[0])} companies of {len(families)} families of worlds, {count} incidents; rates are for a company "
        f"of {figures.COMPANY} identities.",
        "",
        "| mean of families (90% interval) | nobody judges | true verdicts each morning |",
        "|---|---|---|",
    ]
    for name, value, digits in rows:
        cells = (
            f"{value(figure_set):.{digits}f} ({_span(each.interval(value), digits)})"
            for figure_set, each in zip(means, spread)
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _by_family(tenants: Sequence[Tenant]) -> Iterator[str]:
    yield "## By family\n"
    yield (
        "| verdicts | family | incidents (outside, inside) | shown outside | inside | first 10 | first 5 | benign a "
        "day per 1,000 | repeats a morning | benign high or critical | lines read | waiting |"
    )
    yield "|---" * 12 + "|"
    for arm in (UNJUDGED, JUDGED):
        mine, said = _of(tenants, arm), "true" if arm.verdicts else "none"
        for family in families_of(mine):
            yield f"| {said} | {family} | {_cells([t for t in mine if t.family == family])} |"


def _cells(tenants: Sequence[Tenant]) -> str:
    item, spread = figures.figures(tenants), Resampled(tenants)
    shares = (f"{value(item):.2f} ({_span(spread.interval(value))})" for _, value in SIDES)
    first = [f"{outside:.2f}, {inside:.2f}" for outside, inside in reversed(item.first)]
    rates = (
        f"{item.benign:.1f}",
        f"{item.repeats:.2f}",
        f"{item.graver:.2f}",
        f"{item.read:.1f}",
        f"{item.waiting:.1f}",
    )
    return " | ".join((f"{item.counts[0]}, {item.counts[1]}", *shares, *first, *rates))


def _by_kind(tenants: Sequence[Tenant]) -> Iterator[str]:
    """Worlds of earlier versions, unchanged, beside those that came later."""
    kinds: list[tuple[str, Callable[[Tenant], bool]]] = [
        ("as their generators make them, unchanged since earlier versions", lambda t: "unsteady" not in t.world),
        ("unsteady: one machine in ten is odd by nature", lambda t: "unsteady" in t.world),
        (f"all but {' and '.join(LOOKED_AT)}, which were looked at before", lambda t: t.world not in LOOKED_AT),
    ]
    yield "## By kind of world\n"
    yield "| verdicts | worlds | tenants | shown outside | inside | benign a day per 1,000 | benign high or critical |"
    yield "|---" * 7 + "|"
    for arm in (UNJUDGED, JUDGED):
        for name, wanted in kinds:
            mine = [t for t in _of(tenants, arm) if wanted(t)]
            if mine:
                means, said = mean_of_families(mine), "true" if arm.verdicts else "none"
                yield (
                    f"| {said} | {name} | {len(mine)} | {means.outside:.2f} | {means.inside:.2f} | {means.benign:.1f} "
                    f"| {means.graver:.2f} |"
                )


def _compared(tenants: Sequence[Tenant]) -> Iterator[str]:
    """Rivals at as many benign rows."""
    detectors, families = list(dict.fromkeys(t.detector for t in tenants)), families_of(tenants)
    yield "## Beside rivals, at as many benign rows\n"
    yield "Nobody judges. Cells of families: outside, inside. Ahead: ours less the rival's, 90% interval."
    for arm in (UNJUDGED, SMALL):
        resampled = Resampled(ours) if (ours := _of(tenants, arm)) else None
        yield f"\nAt a budget of {arm.budget:g}:\n"
        yield (
            f"| detector | outside | inside | ours ahead, outside | inside | benign a day per 1,000 "
            f"| {' | '.join(families)} |"
        )
        yield "|---" * (6 + len(families)) + "|"
        for detector in detectors:
            mine = _of(tenants, arm, detector)
            if not mine or resampled is None:
                continue
            item, ahead = mean_of_families(mine), ["", ""]
            if detector != OURS:
                other = Resampled(mine)
                ahead = [_span(resampled.ahead_of(other, value)) for _, value in SIDES]
            by_family = [figures.figures([t for t in mine if t.family == family]) for family in families]
            cells = (f"{f.outside:.2f}, {f.inside:.2f}" for f in by_family)
            yield (
                f"| {detector} | {item.outside:.2f} | {item.inside:.2f} | {' | '.join(ahead)} | {item.benign:.1f} "
                f"| {' | '.join(cells)} |"
            )
    yield from _behind(tenants, detectors, families)


def _behind(tenants: Sequence[Tenant], detectors: Sequence[str], families: Sequence[str]) -> Iterator[str]:
    """Where a rival shows more."""
    result = []
    for arm in (UNJUDGED, SMALL):
        for family in families:
            ours = figures.figures(t for t in _of(tenants, arm) if t.family == family)
            for detector in detectors[1:]:
                theirs = figures.figures(t for t in _of(tenants, arm, detector) if t.family == family)
                result += [
                    f"{detector} in {family} from {side} at {arm.budget:g} ({value(theirs):.2f}, ours "
                    f"{value(ours):.2f})"
                    for side, value in SIDES
                    if value(theirs) > value(ours)
                ]
    yield ""
    yield (
        f"A rival shows more: {'; '.join(result)}." if result else "No rival shows more in any family, on either side."
    )


def truth(tenants: Sequence[Tenant]) -> str:
    """In one line, for the model card, too."""
    mine = _of(tenants, UNJUDGED)
    pooled = calibration(mine)
    if not pooled.tenths:
        return "How far likelihoods are from the truth was not measured."
    errors = {family: calibration([t for t in mine if t.family == family]).error for family in families_of(mine)}
    by_family = ", ".join(f"{family} {error:.3f}" for family, error in errors.items())
    shares = (
        f"of {name} ones {pooled.severities[name][0]:.0%} (aim: {aim:.0%})"
        for name, aim in PRECISION.items()
        if name in pooled.severities
    )
    return (
        f"Mean distance between likelihood and truth: {pooled.error:.3f} pooled (aim: {ERRORS[0]:g}); by family "
        f"{by_family} (aim: {ERRORS[1]:g} in each). Rows that are intrusions: {', '.join(shares)}."
    )


def _calibrated(tenants: Sequence[Tenant]) -> Iterator[str]:
    pooled = calibration(_of(tenants, UNJUDGED))
    yield "## Whether the likelihood is true\n"
    yield (
        f"Notables of {mornings.NOTABLE:g}% and more, or with a row, as they were last seen; nobody judges. "
        f"Incidents are weighed to {figures.PREVALENCE:.2%} of identity-days.\n"
    )
    yield truth(tenants)
    yield "\n| likelihood | intrusions | notables |"
    yield "|---|---|---|"
    yield from (f"| {said:.0%} | {true:.0%} | {count} |" for said, true, count in pooled.tenths)
    yield "\n| severity | intrusions among those with a row | with a row |"
    yield "|---|---|---|"
    for name, (share, count) in reversed([*pooled.severities.items()]):
        yield f"| {name} | {share:.0%} | {count} |"


def main() -> None:
    """Write the pages again from what a run kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "kept",
        type=Path,
        nargs="?",
        default=Path("out/evaluate/mornings.json"),
        metavar="FILE",
        help="mornings.json of a run (default: %(default)s)",
    )
    tenants, how = mornings.read(parser.parse_args().kept)
    write(tenants, how)


if __name__ == "__main__":
    main()
