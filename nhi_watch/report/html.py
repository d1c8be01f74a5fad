"""The HTML report: one file without outside requests, in which every log value is text and nothing else.

Three walls: jinja2 escapes every expression; `visible` writes out hidden characters and bounds lengths;
the page's own policy allows only this style sheet and this script, by hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nhi_watch.core.notable import KINDS, SEVERITIES
from nhi_watch.report import meanings, pictures, run_summary, words

Json = Mapping[str, Any]

# Together these keep 500 notables below 15 MB.
_MARKS, _RECORDS, _SIGNALS = 8_000, 20_000, 12_000
_BELOW = 200
"""Notables below the line that the page holds."""


def render(notables: Sequence[Json], run: Json, below: Sequence[Json] = ()) -> str:
    """The report of a run.

    Args:
        notables: objects of the notable's schema, ranked.
        run: the object of run.json; what it lacks is not shown.
        below: what has no place in the list, ranked; the first of them are shown at its end.
    """
    shown = [*notables, *below[:_BELOW]]
    style, script = _asset("report.css"), _asset("report.js")
    return _environment().get_template("report.html.j2").render(
        notables=notables,
        shown=shown,
        # Ours alone, never from data: the only two texts that are not escaped.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=_policy(style, script),
        funnel=run_summary.funnel(run),
        facts=run_summary.facts(run),
        doubts=run_summary.doubts(run),
        seconds=run.get("seconds") or {},
        overflow=run.get("overflow") or 0,
        overflow_highest=run.get("overflow_highest") or 0,
        by_severity=_tally(shown, "severity", tuple(reversed(SEVERITIES))),
        by_kind=_tally(shown, "kind", KINDS),
        marks=_share(_MARKS, shown, 15, 150),
        shown_signals=_share(_SIGNALS, shown, 20, 200),
        shown_records=_share(_RECORDS, shown, 20, 1000),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        amount=words.amount,
        clock=words.clock,
        duration=words.span,
        percent=words.percent,
        short=words.short_name,
        signed=words.signed,
        spoken=words.spoken,
    )
    environment.globals.update(
        pictures=pictures, framework=meanings.framework, control=meanings.control, kinds=words.KINDS,
        part_of=words.part_of,
    )  # fmt: skip
    return environment


def _harmless(value: Any) -> Any:
    """Applied to every expression of the template, before it is escaped."""
    return words.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> str:
    return resources.files("nhi_watch.report").joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _tally(notables: Sequence[Json], field: str, order: Sequence[str]) -> list[tuple[str, int]]:
    counts = Counter(notable[field] for notable in notables)
    return [(name, counts[name]) for name in order if counts[name]]


def _share(whole: int, notables: Sequence[Json], low: int, high: int) -> int:
    return max(low, min(high, whole // max(len(notables), 1)))
