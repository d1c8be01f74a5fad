"""The figures across products → docs/method/products.md: no number is typed by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nhi_watch_lab.evaluation.page import as_csv, table
from nhi_watch_lab.simulator.products import Spec

NAMES = {
    "together": "all sources, episodes follow links",
    "not_linked": "all sources, episodes alone",
    "by_source": "source by source",
}


def page(result: Mapping[str, Any], specs: Sequence[Spec], meaning: str) -> str:
    """The figures as Markdown; `meaning` says what is counted."""
    return "\n".join(_lines(result, specs, meaning)) + "\n"


def _lines(result: Mapping[str, Any], specs: Sequence[Spec], meaning: str) -> Iterator[str]:
    spec, total = specs[0], result["totals"]
    yield "# Across products\n\nFor: whoever asks what reading all logs together gains.\n"
    yield "<!-- Written by `python -m nhi_watch_lab.evaluation.products --page FILE`: do not edit. -->\n"
    yield (
        f"Model {result['model']['id']}; {len(specs)} simulated companies (seeds {specs[0].seed} to {specs[-1].seed}) "
        f"of {spec.nhis} machine identities and {spec.days} days in 17 logs. Volumes, rhythms and campaigns are "
        "assumptions: no multi-day log of these products with labels is public.\n"
    )
    yield meaning
    heads = ["incidents", "scored", "found at 10 a day", "as one notable", "joined", "notables a day that hold one"]
    rows = [_row(f"{name}, {row['found']['incidents']}", way, row)
            for name, ways in result["recall"].items() for way, row in ways.items()]  # fmt: skip
    yield "\n" + table(heads, rows)
    yield f"\nNot counted: {result['unlike']} incidents that no log can tell from ordinary use."
    yield (f"{total['records']:,} records and {total['alerts']:,} alerts of other products went in; "
           f"{total['together']:,} notables came out in {total['days']} days "
           f"({total['by_source']:,} source by source).\n")  # fmt: skip
    yield "By technique: [products.csv](products.csv)."


def sheet(result: Mapping[str, Any]) -> str:
    """How many incidents of each technique were found, as CSV."""
    rows = ([name, *(row[way] for way in ("incidents", "together", "as_one", "by_source"))]
            for name, row in result["techniques"].items())  # fmt: skip
    return as_csv(["technique", "incidents", "found", "as one", "source by source"], rows)


def _row(incidents: str, way: str, row: Mapping[str, Any]) -> list[str]:
    shares = (_share(row[name]) for name in ("found", "as_one", "joined"))
    return [incidents, NAMES[way], *shares, str(row["notables_each"])]


def _share(told: Mapping[str, Any]) -> str:
    low, high = told["interval"]
    return f"{told['recall']:.3f} ({told['found']}; {low:.2f} to {high:.2f})"
