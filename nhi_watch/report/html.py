"""The HTML report: one file without outside requests, in which every log value is text and nothing else.

The notables lie in the page as compressed JSON; its script makes text nodes of them and nothing else, with hidden
characters written out, and the page's own policy allows only this style sheet and this script, by hash.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nhi_watch.core.documents import NotableDocument, framework_ids
from nhi_watch.core.notable import BANDS, KINDS, MAX_TIMELINE, SEVERITIES, short_ids
from nhi_watch.core.status import LIGHT, face_day, lowers, tells_calls, unusual_least
from nhi_watch.report import run_summary, words
from nhi_watch.report.jsonlines import as_line
from nhi_watch.report.queries import originals_of, queries

Json = Mapping[str, Any]

# Together these keep 5,000 notables below 10 MB.
_MARKS, _RECORDS, _SIGNALS, _RAW = 40_000, 60_000, 40_000, 12_000_000
BELOW = 200
"""Notables not listed that the page holds."""
_SCRIPTS = ("words.js", "pictures.js", "detail.js", "report.js")


def render(
    notables: Sequence[NotableDocument],
    run: Json,
    below: Sequence[NotableDocument] = (),
    events: Mapping[str, Json] | None = None,
    place: str = "--out nhi-out",
) -> str:
    """The report of a run.

    Args:
        notables: objects of the notable's schema, ranked.
        run: the object of run.json; what it lacks is not shown.
        below: what has no place in the list, ranked; the first of them are shown at its end.
        events: record id → `file`, `line` and `raw` of the records behind the notables, as far as they are at hand.
        place: options that name the folder of results and the state, for the commands that the page offers.
    """
    shown = [*notables, *below[:BELOW]]
    style, script = _asset("report.css"), "\n".join(map(_asset, _SCRIPTS))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            notables=notables,
            shown=shown,
            # Ours alone, never from data: the only texts that are not escaped.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            data=_packed(
                {
                    **_meant(shown),
                    "notables": list(_bounded(shown, events or {}, run)),
                    "place": place,
                    "confirmed": words.confirmed(run),
                }
            ),
            policy=_policy(style, script),
            funnel=run_summary.funnel(run),
            facts=run_summary.facts(run),
            routines=run_summary.routines(run),
            of_routines=(run_summary.ROUTINES, run_summary.VERDICT_HINT),
            no_notables=run_summary.no_notables(run),
            could_not_tell=run_summary.could_not_tell(run),
            ordered=words.ORDERED,
            below_the_line=run_summary.below_the_line(run),
            seconds=run.get("seconds") or {},
            overflow=run.get("overflow") or 0,
            by_kind=_tally(shown, "kind", KINDS),
            by_severity=_tally(shown, "severity", tuple(reversed(SEVERITIES))),
        )
    )


def _bounded(shown: Sequence[NotableDocument], events: Mapping[str, Json], run: Json) -> Iterator[dict[str, Any]]:
    """What the page holds of each notable."""
    short = short_ids(str(notable["id"]) for notable in shown)
    marks, signals = _share(_MARKS, shown, 15, 500), _share(_SIGNALS, shown, 20, 200)
    records, raw = _share(_RECORDS, shown, 20, 1000), _share(_RAW, shown, 1_000, 200_000)
    for notable in shown:
        shown_events = dict(_fitting(notable, events, raw))
        yield {
            **notable,
            "signals": _heaviest(notable["signals"], signals, "log_odds"),
            "timeline": _heaviest(notable["timeline"], marks, "points"),
            "sum": words.sum_of(notable),
            "why_severity": words.severity_line(notable),
            "why_impact": words.impact_line(notable),
            "record_ids": notable["record_ids"][:records],
            "links": notable.get("links", ())[:50],
            "left_out": {
                "signals": max(0, len(notable["signals"]) - signals),
                "timeline": max(0, len(notable["timeline"]) - marks),
            },
            "short": short[notable["id"]],
            "part": words.part_of(notable, words.in_work(run)),
            "is_going_on": words.is_going_on(notable, words.in_work(run)),
            "is_back": words.is_back(notable),
            "work": (run.get("work") or {}).get(notable["id"]),
            "odd_from": unusual_least(notable) if tells_calls(notable) else LIGHT,
            "face_day": face_day(notable) if tells_calls(notable) else "",
            "events": shown_events,
            "controls": [{**control, "heading": words.heading(control)} for control in notable["controls"]],
            "all_refused": words.all_refused(notable),
            "claims": [signal["id"] for signal in notable["signals"] if lowers(notable, signal)],
            "tells_calls": tells_calls(notable),
            "queries": queries(notable, [*shown_events.values()]),
            "is_cut": len(notable["timeline"]) >= MAX_TIMELINE,
        }


def _fitting(notable: NotableDocument, events: Mapping[str, Json], room: int) -> Iterator[tuple[str, Json]]:
    """The raw records of a notable that the page has room for, those with most points first."""
    for name in originals_of(notable):
        event = events.get(name)
        if event is not None:
            room -= len(event["raw"])
            if room < 0:
                return
            yield name, event


def _heaviest(items: Sequence[Json], limit: int, by: str) -> list[Json]:
    """Those that weigh most, in the order given."""
    kept = sorted(range(len(items)), key=lambda number: -abs(items[number][by]))[:limit]
    return [items[number] for number in sorted(kept)]


def _meant(shown: Sequence[NotableDocument]) -> dict[str, Any]:
    """What the ids in the notables mean."""
    ids = {name for notable in shown for name in framework_ids(notable)}
    controls = {control["id"] for notable in shown for control in notable["controls"]}
    signals = {signal["id"] for notable in shown for signal in notable["signals"]}
    return {
        "signals": {name: words.signal(name) for name in sorted(signals)},
        "frameworks": {name: words.framework(name) for name in sorted(ids)},
        "controls": {name: words.control(name) for name in sorted(controls)},
        "kinds": words.KINDS,
        "lines": [low for low, _ in BANDS],
    }


def _packed(value: Json) -> Markup:
    """As base64, in which there is nothing to escape."""
    return Markup(base64.b64encode(gzip.compress(as_line(value), 4, mtime=0)).decode())  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(amount=words.amount, likely=words.likely)
    environment.globals.update(kinds=words.KINDS)
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


def _share(total: int, notables: Sequence[NotableDocument], low: int, high: int) -> int:
    return max(low, min(high, total // max(len(notables), 1)))
