"""The figures of mornings, wherever they are written: docs/method/mornings.md, its tables in lab/results, and parts of
README and model card.

`nhi evaluate --pages` writes all of them, and `python -m nhi_watch_lab.evaluation.pages` again from what a run kept.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nhi_watch_lab.evaluation import figures, mornings
from nhi_watch_lab.evaluation.figures import Figures, Interval, Resampled, calibration, families_of, mean_of_families
from nhi_watch_lab.evaluation.mornings import NO_VERDICTS, OURS, SMALL, WITH_VERDICTS, Arm, Tenant
from nhi_watch_lab.training.fit import PREVALENCE

LOOKED_AT = ("third 7", "fifth 4")
"""Worlds that were looked at when bands of severity and the rule of freed places were chosen."""
ROOT = Path(__file__).parents[3]
PAGE, DETAILS = Path("docs", "method", "mornings.md"), Path("lab", "results", "mornings.md")
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
    """Write the page and its tables, and put the figures into README and model card."""
    (root / PAGE).write_text(page(tenants), "utf-8")
    (root / DETAILS).parent.mkdir(parents=True, exist_ok=True)
    (root / DETAILS).write_text(details(tenants, how), "utf-8")
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


def page(tenants: Sequence[Tenant]) -> str:
    """What a reader of the docs needs: the means, what they mean, and whether the likelihood is true."""
    return "\n".join(
        [
            "# Mornings\n",
            "For analysts and detection engineers: how much the list asks people to read, and what it shows.\n",
            f"{_MARK}\n",
            *summary(tenants),
            f"\n{_WHAT}\n",
            *_calibrated(tenants),
            "",
        ]
    )


def details(tenants: Sequence[Tenant], how: str) -> str:
    """The tables behind the page: by family, by kind of world, beside other detectors."""
    return "\n".join(
        [
            "# Mornings: the tables\n",
            "For detection engineers; what is measured: [mornings](../../docs/method/mornings.md).\n",
            f"{_MARK}\n\n{how}\n\n{_COLUMNS}\n",
            *_by_family(tenants),
            "",
            *_by_kind(tenants),
            "",
            *_compared(tenants),
            "",
        ]
    )


_MARK = "<!-- Written by `nhi evaluate --pages`: change the code, not this page. -->"
_WHAT = f"""A tenant's history is scored at once, as on installation; from the day before its first incident on, the
list is read every morning. In the second column somebody gives the correct verdict on what the history left, and each
morning on every new row.

- shown: a new row of the morning after one of the incident's days holds one of its records
- among the first 10 rows: fewer than ten benign rows stand before it
- benign: new rows without a record of any incident
- repeats: benign new rows of notables that were a new row on an earlier morning
- lines to read: new and still open rows without those of incidents; notables that were quiet for three days and wait
  for a verdict share one line

These worlds hold some thirty times as many incidents as real tenants, so the budget is raised by what incidents take,
and a row's place is counted among benign rows alone. Intervals hold nine of ten of {figures.RESAMPLED:,} resamples of
families, of tenants within each, and of incidents and mornings within each tenant.

By family and kind of world, and beside other detectors: [the tables](../../lab/results/mornings.md)."""
_COLUMNS = f"""Benign rows are counted a day per 1,000 identities; repeats, high or critical ones and lines a morning,
for a company of {figures.COMPANY} identities. *Waiting*: how many notables the one line stands for. In brackets the 90%
interval."""
_RIVALS = """Other detectors are given the identity-days of the runs without verdicts, at each day's end. Of each, the
highest are taken until they give as many benign rows as ours gave that tenant at the same budget. The rules of the
morning are ours: an identity-day is a row unless its identity had one in the six days before. People are candidates
where our list has them, and on the days of incidents, which spares the others what people do otherwise."""


def _of(tenants: Sequence[Tenant], arm: Arm, detector: str = OURS) -> list[Tenant]:
    return [t for t in tenants if (t.detector, t.budget, t.verdicts) == (detector, *arm)]


def _span(interval: Interval, digits: int = 2) -> str:
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def summary(tenants: Sequence[Tenant]) -> list[str]:
    """The means, as the README has them, too."""
    arms = [_of(tenants, arm) for arm in (NO_VERDICTS, WITH_VERDICTS)]
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
        "| mean of families (90% interval) | no verdicts | correct verdicts each morning |",
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
    for arm in (NO_VERDICTS, WITH_VERDICTS):
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
        ("unsteady: one machine in ten does unusual things as its job", lambda t: "unsteady" in t.world),
        (f"all but {' and '.join(LOOKED_AT)}, which were looked at before", lambda t: t.world not in LOOKED_AT),
    ]
    yield "## By kind of world\n"
    yield "| verdicts | worlds | tenants | shown outside | inside | benign a day per 1,000 | benign high or critical |"
    yield "|---" * 7 + "|"
    for arm in (NO_VERDICTS, WITH_VERDICTS):
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
    yield "## Beside other detectors, at as many benign rows\n"
    yield _RIVALS
    yield "\nCells of families: outside, inside. Ahead: ours less theirs, 90% interval."
    for arm in (NO_VERDICTS, SMALL):
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
    for arm in (NO_VERDICTS, SMALL):
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
        f"Another detector shows more: {'; '.join(result)}."
        if result
        else "No other detector shows more in any family, on either side."
    )


def truth(tenants: Sequence[Tenant]) -> str:
    """In one line, for the model card, too."""
    mine = _of(tenants, NO_VERDICTS)
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
    pooled = calibration(_of(tenants, NO_VERDICTS))
    yield "## Whether the likelihood is true\n"
    yield (
        f"Notables of {mornings.NOTABLE:g}% and more, or with a row, as they were last seen, without verdicts. "
        f"Incidents are weighted to {PREVALENCE:.1%} of identity-days.\n"
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
