"""The curves of evaluate.json as tables of texts: for the terminal, the Markdown page and the HTML page alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch_lab.evaluation.incidents import OURS

Figures = Mapping[str, Any]
ORIGINS = ("all", "external", "inside")


class Sheet(NamedTuple):
    """One table with what must be known to read it."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def told(figure: Figures) -> str:
    """A share with its interval.

    >>> told({"recall": 0.5, "interval": [0.4, 0.6]})
    '0.500 (0.40–0.60)'
    """
    low, high = figure["interval"]
    return f"{figure['recall']:.3f} ({low:.2f}–{high:.2f})"


def sheets(result: Figures) -> Iterator[Sheet]:
    """All curves that were measured."""
    for name, make in _SHEETS.items():
        if name in result:
            yield from make(result[name])


def _heads(first: str) -> list[str]:
    return [first, *(f"{origin} at {budget}" for budget in ("10", "3") for origin in ORIGINS)]


def _cells(recalls: Figures) -> list[str]:
    return [told(recalls[budget][origin]) for budget in ("10", "3") for origin in ORIGINS]


def _real_rivals(table: Figures) -> Iterator[Sheet]:
    rows = [[name, *_cells(row), told(row["3"]["all"]["behind"])] for name, row in table.items()]
    count = table[OURS]["3"]["all"]["techniques"]
    yield Sheet("The rivals on real content", [*_heads("detector"), "behind at 3"], rows,
                f"A real attack ({count} techniques) by machines of two real accounts, see below; these accounts are "
                "so small that every budget has room for one notable a day: found means first of its day. Intervals "
                "are over techniques.")  # fmt: skip


def _backgrounds(figures: Figures) -> Iterator[Sheet]:
    places = [(where, origin) for where in figures for origin in ORIGINS[1:]]
    names = next(iter(figures.values()))
    rows = [[name, *(told(figures[where][name][origin]) for where, origin in places)] for name in names]
    yield Sheet("The rivals on each real background", ["detector", *(f"{w}, {o}" for w, o in places)], rows,
                "Before the whole day lies a week of which each day is a different half of it, so that next to nothing "
                "is new but the attack. *Half new*: half of the day after the other half, so that much is. "
                "*without_floor* is ours without a floor, as the rivals have none: on a day without an attack they "
                "write something all the same.")  # fmt: skip


def _budget(figures: Figures) -> Iterator[Sheet]:
    heads = ["budget", "days within it", "room", "over the threshold", "written", "without room", "days with such",
             "recall external", "recall inside", "benign beside campaigns"]  # fmt: skip
    rows = [
        [budget, f"{row['days_within']} of {row['days']}", f"{row['room']:.2f}", f"{row['over']:.2f}",
         f"{row['written']:.2f}", str(row["overflow"]), str(row["days_with_overflow"]),
         told(row["recall"]["external"]), told(row["recall"]["inside"]),
         f"{row['benign_written_beside_campaigns']:.2f}"]
        for budget, row in figures["budgets"].items()
    ]  # fmt: skip
    many = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in figures["happenings"].items())
    yield Sheet("A budget that holds", heads, rows,
                f"{figures['tenants']} tenants (seeds {', '.join(map(str, figures['seeds']))}) over "
                f"{figures['days_a_tenant']} ordinary days with {many}. Rates are benign notables a day per 1,000 "
                "identities; a day has room for one at least. *Over the threshold*: what the quiet weeks made worth "
                "a notable, before the cap. Recall is of the same tenants with campaigns, under the same thresholds.")
    apart = [
        [budget, f"{row['over_on_days_like_others']:.2f}", str(row["over_on_days_unlike_others"]["days"]),
         f"{row['over_on_days_unlike_others']['rate']:.2f}", f"{row['over_on_days_unlike_others']['written']:.2f}"]
        for budget, row in figures["budgets"].items()
    ]  # fmt: skip
    heads = ["budget", "over, other days", "days of an upgrade or a moved gateway", "over on them", "written"]
    yield Sheet("Where exchangeability breaks", heads, apart,
                "On a day on which a fleet gets a new agent or a gateway moves, today is not like the last weeks: more "
                "passes the threshold than was expected, and the cap holds.")  # fmt: skip


def _cold(figures: Figures) -> Iterator[Sheet]:
    rows = [[f"{history} days", *_cells(row)] for history, row in figures["recall"].items()]
    shares = ", ".join(f"{share:.2f} at {budget}" for budget, share in figures["day_0_share_of_warm"].items())
    yield Sheet("Cold start", _heads("history"), rows,
                f"The same attacks, all on one day of {figures['tenants']} tenants, after so many days of history. "
                f"Day 0 has this share of the warm recall: {shares}.")  # fmt: skip


def _poisoning(figures: Figures) -> Iterator[Sheet]:
    rows = []
    for caps, name in ((True, "with_caps"), (False, "without_caps")):
        ways = {**figures[name], "the best of them": figures["best_strategy" if caps else "best_strategy_without_caps"]}
        rows += [_days(f"{way}, {'with' if caps else 'without'} caps", row) for way, row in ways.items()]
    rows.append(_days("the best of them, with caps, never written before", figures["never_written"]))
    first = figures["fastest"][:6]
    fastest = ", ".join(f"{f['technique']} {f['origin']} {f['days']} ({f['strategy']})" for f in first)
    heads = ["attacker", "least", "10%", "median", "30 days or more", f"not in {figures['limit']}"]
    yield Sheet("Poisoning", heads, rows,
                "Days until an attack of the evaluation passes unseen, by an attacker who knows model, baseline and "
                "caps and makes progress each day. *repeat*: the whole attack daily, seen or not, and nobody reacts; "
                "*creep*: daily what passes unseen, at least one act; *noise*: the same with harmless news around it. "
                "*Never written before*: no notable told of the attacker until his attack passed; a notable of the "
                "first day is one that people have seen. "
                f"{figures['seen_without_poisoning']} of {figures['attacks']} attacks; the others pass on some day "
                f"without any poisoning. Fastest: {fastest or 'none'}.")  # fmt: skip


def _days(name: str, row: Figures) -> list[str]:
    return [name, *(str(row[key]) for key in ("least", "p10", "median")), f"{row['share_at_least_30_days']:.0%}",
            str(row["never_within_limit"])]  # fmt: skip


def _signals(figures: Figures) -> Iterator[Sheet]:
    rows = [[name, told(row["10"]), told(row["3"])] for name, row in figures.items()]
    yield Sheet("Without each signal", ["signal", "recall lost at 10", "recall lost at 3"], rows,
                "The shipped scorecard with one signal's value taken as ordinary; nothing is trained anew. A negative "
                "number: benign days lose more by it than attacks do.")  # fmt: skip


def _fields(figures: Figures) -> Iterator[Sheet]:
    rows = [[name, *_cells(row)] for name, row in figures["recall"].items()]
    yield Sheet("Where logs lack a field", _heads("missing"), rows,
                f"{figures['tenants']} tenants whose logs never had the field: baselines lack it as well, and signals "
                "that need it cannot tell.")  # fmt: skip


def _prevalence(figures: Figures) -> Iterator[Sheet]:
    rows = [
        [f"× {factor}", f"{row['prevalence']:.5f}", f"{row['average_precision']:.3f}",
         f"{row['precision_of_notables']:.3f}", f"{row['calibration_error']:.3f}",
         f"{row['calibration_error_corrected']:.3f}"]
        for factor, row in figures.items()
    ]  # fmt: skip
    heads = ["attacks", "prevalence", "average precision", "precision of notables", "calibration error", "corrected"]
    yield Sheet("Prevalence shift", heads, rows,
                "Each attacked day counts as fewer or more. Recall does not depend on it. *Corrected*: after the odds "
                "were multiplied by the factor, which is what verdicts do.")  # fmt: skip


def _splits(simulated: Figures) -> Iterator[Sheet]:
    for name, parts in simulated.get("splits", {}).items():
        rows = [[key, str(row["10"]["all"]["incidents"]), *_cells(row)] for key, row in parts.items()]
        yield Sheet(f"By {name}", [name, "incidents", *_heads("")[1:]], rows)


_SHEETS = {
    "simulated": _splits, "real_rivals": _real_rivals, "real_rivals_by_background": _backgrounds,
    "budget": _budget, "cold_start": _cold, "poisoning": _poisoning,
    "signals": _signals, "fields": _fields, "prevalence": _prevalence,
}  # fmt: skip
