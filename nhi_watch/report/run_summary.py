"""What run.json says, in the few lines that the terminal and the report show.

The fields that are read here, each of which may be missing and is then not shown:
`read, parsed, events, rejected {reason: n}, too_late, held_aside, passed_over {files, may_matter},
most_suspicious {identity, day, likelihood, signals, records, refused, kinds, calls},
identities, day_count, notables, overflow, below {severity: n}, overflow_highest, cannot_tell [text], budget,
week {places, taken, least}, data_end, alerts_in, verdicts, routines, days [first, last],
seconds {stage: s}, model {id}, baseline {id}, created`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.core.errors import OUT_OF_SCOPE
from nhi_watch.core.notable import BANDS, SEVERITIES
from nhi_watch.report.words import amount, clock, confirmed, in_work, likely, signal, some, visible


class FunnelStep(NamedTuple):
    """One number of the funnel."""

    label: str
    number: int


class SummaryFact(NamedTuple):
    """A name and what it says."""

    label: str
    text: str


def funnel(run: Mapping[str, Any]) -> list[FunnelStep]:
    """Records → identities → notables.

    >>> [tuple(step) for step in funnel({"read": 9, "notables": 1})]
    [('records', 9), ('notable listed', 1)]
    """
    again = bool(run.get("parsed")) and run.get("events") == 0  # whose behaviours an earlier run has counted
    numbers = ((run.get(name), labels) for name, labels in _STEPS.items() if not (again and name in _OF_NEW_RECORDS))
    return [FunnelStep(labels[number != 1], number) for number, labels in numbers if isinstance(number, int)]


_STEPS = {
    "read": ("record", "records"),
    "identities": ("identity", "identities"),
    "notables": ("notable listed", "notables listed"),
}


_OF_NEW_RECORDS = ("identities",)


def facts(run: Mapping[str, Any]) -> list[SummaryFact]:
    """The rest that a reader wants to know about a run, in the order of interest."""
    said = [
        SummaryFact("Days", " to ".join(dict.fromkeys(run.get("days") or ()))),
        SummaryFact("Alerts", _alerts(run)),
        SummaryFact("Not listed", below_the_line(run)),
        SummaryFact("Budget", _budget(run)),
        SummaryFact("Rejected", _rejected(run)),
        SummaryFact("Out of scope", _out_of_scope(run)),
        SummaryFact("Skipped", _passed_over(run)),
        SummaryFact("Blind spots", amount(run["blind_spots"]) if run.get("blind_spots") else ""),
        SummaryFact("Drift", _drift(run)),
        SummaryFact("Handled", _left_out(run)),
        SummaryFact("Model", _id(run, "model")),
        SummaryFact("Baseline", _id(run, "baseline")),
        SummaryFact("Written", f"{clock(str(run['created']))} UTC" if run.get("created") else ""),
    ]
    return [SummaryFact(label, visible(text, 200)) for label, text in said if text]


def page_of(run: Mapping[str, Any]) -> list[Any]:
    """All that a report's page says of its run, without times: two runs alike in it have the same page.

    >>> page_of({"parsed": 9, "events": 9}) == page_of({"parsed": 9, "events": 0})
    False
    """
    shown_facts = [fact for fact in facts(run) if fact.label != "Written"]
    return [
        funnel(run),
        shown_facts,
        routines(run),
        no_notables(run),
        could_not_tell(run),
        confirmed(run),
        [*in_work(run)],
        run.get("work"),
    ]


def routines(run: Mapping[str, Any]) -> list[str]:
    """Sensitive routines that were found while identities were being learnt, a line each: to be looked at once.

    >>> routines({"routines": [{"name": "arn:aws:iam::1:role/rotate", "calls": ["iam:CreateAccessKey"], "days": 3,
    ...                         "places": ["aws boto3"], "since": "2026-03-02"}]})
    ['rotate: iam:CreateAccessKey on 3 days since 2026-03-02, from aws boto3']
    """
    return [
        visible(
            f"{routine['name'].rsplit('/', 1)[-1]}: {_few(routine['calls'])} on {amount(routine['days'])} days since "
            f"{routine['since']}, from {_few(routine['places'])}",
            300,
        )
        for routine in run.get("routines") or ()
    ]


def _few(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


_NAMED = 4
ROUTINES = "Sensitive routines found while learning"
VERDICT_HINT = (
    "Their notables close by themselves; a verdict on those that have closed: "
    "nhi feedback routines benign|confirmed --by WHO --why TEXT"
)


def line(run: Mapping[str, Any]) -> str:
    """One line: the funnel, then alerts, rejects and overflow."""
    steps = " → ".join(f"{amount(step.number)} {step.label}" for step in funnel(run))
    rest = [f"{fact.label.lower()} {fact.text}" for fact in facts(run) if fact.label in _IN_LINE]
    return "; ".join([steps, *rest] if steps else rest)


_IN_LINE = ("Alerts", "Not listed", "Budget", "Rejected", "Out of scope", "Skipped", "Handled", "Blind spots", "Drift")


def doubts(run: Mapping[str, Any]) -> list[str]:
    """What a list cannot tell, so that no notables do not mean that all is well; empty: as far as the logs go they do.

    >>> doubts({"read": 9, "parsed": 9, "events": 9, "rejected": {"unfinished": 4}})
    []
    >>> doubts({"read": 9, "parsed": 8, "events": 8, "rejected": {"not_json": 1}, "too_late": 2})
    ['1 of 9 records could not be read', '2 records arrived after their day was closed']
    """
    read, quarantined = run.get("read"), run.get("held_aside") or 0
    cut = _bad(run).get(CUT, 0)
    bad = sum(_bad(run).values()) - quarantined - cut
    passed = (run.get("passed_over") or {}).get("may_matter") or 0
    highest, known = run.get("overflow_highest") or 0, run.get("days_known") or 0
    left_out = (run.get("verdicts") or {}).get("gravest") or 0
    reasons = [
        (read == 0 or (run.get("parsed") == 0 and not bad), "no record was scored"),
        (bool(run.get("parsed")) and run.get("events") == 0, "all records were scored by an earlier run"),
        (bad, f"{amount(bad)} of {amount(read or bad)} records could not be read"),
        (cut, f"{some(cut, 'file')} ended early, and what followed is missing"),
        (run.get("too_late"), f"{amount(run.get('too_late') or 0)} records arrived after their day was closed"),
        (
            quarantined,
            f"{amount(quarantined)} records are quarantined, because their dates are later than their arrival",
        ),
        (run.get("shared_ids"), f"{amount(run.get('shared_ids') or 0)} records share an id with another record"),
        (
            run.get("folded_records"),
            f"{amount(run.get('folded_records') or 0)} records were aggregated: there were too many to keep apart",
        ),
        (passed, f"{some(passed, 'file')} that may hold records skipped"),
        (0 < known < _WEEK, f"{amount(known)} of {_WEEK} baseline days collected; only obvious attacks show yet"),
        (left_out >= _CRITICAL, "a critical notable that a verdict or exception hides is still active"),
        (highest >= _WORTH, f"an unlisted notable is {likely(highest)} likely; see `nhi list --all`"),
    ]
    return [*(text for holds, text in reasons if holds), *run.get("cannot_tell", ())]


CUT = "truncated_gzip"
"""Why records are rejected of a file that ends early: nobody knows how many."""
_WEEK = 7
"""Days after which an identity has a history, as `detect.model` counts it."""
_CRITICAL, _WORTH = BANDS[0][0], BANDS[2][0]
"""Expected loss of what is never left out in silence, whatever people have said of it; and likelihood of what is never
passed over in silence, although it has no row in the list: what is medium at medium impact."""


def no_notables(run: Mapping[str, Any]) -> str:
    """What is said where there are none: in how much, who was the most suspicious, and what could not be determined.

    >>> no_notables({"read": 9, "parsed": 9, "events": 9, "identities": 1, "day_count": 8, "days_known": 8})
    'No notables in 9 records of 1 identity over 8 days.'
    >>> no_notables({"read": 9, "parsed": 9, "events": 0, "rejected": {}})
    'No notables in 9 records; with caveats: all records were scored by an earlier run.'
    """
    counts = (("in", "read", "record"), ("of", "identities", "identity"), ("over", "day_count", "day"))
    parts = (f"{before} {some(run[name], what)}" for before, name, what in counts if run.get(name))
    why = doubts(run)
    suspect = most_suspicious(run)
    said = f"{' '.join(['No notables', *parts])}{'; with caveats: ' + '; '.join(why) if why else ''}."
    return f"{said} {suspect}" if suspect else said


def most_suspicious(run: Mapping[str, Any]) -> str:
    """The most suspicious identity, what it did, and how likely that is an intrusion; nothing: nobody was scored.

    >>> most_suspicious({"most_suspicious": {"identity": "arn:aws:iam::1:role/app", "day": "2026-03-02", "kinds": 9,
    ...     "likelihood": 4.4, "signals": ["attack_tool"], "records": 40, "refused": 3, "calls": ["iam:CreateUser"]}})
    'Most suspicious: app on 2026-03-02, 4% likely an intrusion (attack tool): 40 calls, 3 refused, iam:CreateUser and \
8 more.'
    """
    episode = run.get("most_suspicious")
    if not episode:
        return ""
    reasons = ", ".join(signal(name).lower() for name in episode["signals"])
    why = f" ({reasons})" if reasons else ""
    refused = f", {amount(episode['refused'])} refused" if episode["refused"] else ""
    more = episode["kinds"] - len(episode["calls"])
    calls = ", ".join(episode["calls"]) + (f" and {amount(more)} more" if more > 0 else "")
    who = episode["identity"].rpartition("/")[2] or episode["identity"]
    return visible(
        f"Most suspicious: {who} on {episode['day']}, {likely(episode['likelihood'])} likely an intrusion{why}: "
        f"{some(episode['records'], 'call')}{refused}, {calls}.",
        600,
    )


def could_not_tell(run: Mapping[str, Any]) -> str:
    """The same caveats where there are notables; nothing: there are none."""
    why = doubts(run)
    return f"Caveats: {'; '.join(why)}." if why else ""


def below_the_line(run: Mapping[str, Any]) -> str:
    """How many notables have no row in the list, and why; nothing: all have one.

    >>> below_the_line({"overflow": 3, "below": {"informational": 3}, "overflow_highest": 9.0})
    '3 notables (3 informational), highest likelihood 9%'
    >>> below_the_line({"overflow": 3, "below": {"low": 2, "high": 1}, "overflow_highest": 55.0})
    '3 notables (1 high, 2 low) without a row, highest likelihood 55%'
    """
    over, highest = (run.get(name) or 0 for name in ("overflow", "overflow_highest"))
    counts = run.get("below") or {}
    text = ", ".join(f"{amount(counts[name])} {name}" for name in reversed(SEVERITIES) if counts.get(name))
    why = (f" ({text})" if text else "") + (" without a row" if counts.keys() - {"informational"} else "")
    sure = f", highest likelihood {likely(highest)}" if highest else ""
    return f"{some(over, 'notable')}{why}{sure}" if over else ""


def _bad(run: Mapping[str, Any]) -> dict[str, int]:
    """Rejects that are no records of other things."""
    reasons = run.get("rejected")
    return {r: n for r, n in reasons.items() if r not in OUT_OF_SCOPE} if isinstance(reasons, Mapping) else {}


def _alerts(run: Mapping[str, Any]) -> str:
    """Only where other products' alerts came in: how many became how few."""
    came = run.get("alerts_in")
    return f"{amount(came)} in, {amount(run.get('notables') or 0)} out" if came else ""


def _budget(run: Mapping[str, Any]) -> str:
    """How many rows the budget has for a week, how many of them are taken, and what a further one has to exceed.

    >>> _budget({"budget": 10.0, "week": {"places": 14, "taken": 9, "least": 10}})
    '14 rows a week (10 a day per 1,000 identities), 9 taken'
    >>> _budget({"budget": 10.0, "week": {"places": 14, "taken": 14, "least": 19.8}, "over_budget": 1})
    '14 rows a week (10 a day per 1,000 identities), 14 taken, 1 critical beyond it; a new row needs a loss above 19.8'
    """
    if run.get("budget") is None:
        return ""
    week = run.get("week") or {}
    rate = f"{run['budget']:g} a day per 1,000 identities"
    if not week:
        return rate
    text = f"{some(week['places'], 'row')} a week ({rate}), {amount(week['taken'])} taken"
    text += f", {amount(run['over_budget'])} critical beyond it" if run.get("over_budget") else ""
    is_full = week["taken"] >= week["places"]
    return text + (f"; a new row needs a loss above {week['least']:g}" if is_full else "")


def _rejected(run: Mapping[str, Any]) -> str:
    reasons = run.get("rejected")
    if not isinstance(reasons, Mapping):
        return ""
    bad = _bad(run)
    parts = ", ".join(f"{reason} {amount(number)}" for reason, number in sorted(bad.items()))
    total = amount(sum(bad.values()))
    return f"{total} ({parts})" if parts else total


def _out_of_scope(run: Mapping[str, Any]) -> str:
    count = sum((run.get("rejected") or {}).values()) - sum(_bad(run).values())
    return amount(count) if count else ""


def _passed_over(run: Mapping[str, Any]) -> str:
    passed = run.get("passed_over") or {}
    if not passed.get("files"):
        return ""
    matter = passed["may_matter"]
    note = f"{amount(matter)} of which may hold records" if matter else "not recognized as logs"
    return f"{some(passed['files'], 'file')}, {note}"


def _left_out(run: Mapping[str, Any]) -> str:
    """What people have dealt with, by verdict or exception."""
    hidden = (run.get("verdicts") or {}).get("hidden") or {}
    return ", ".join(f"{amount(number)} {why}" for why, number in sorted(hidden.items()))


def _drift(run: Mapping[str, Any]) -> str:
    """What moved, by its population stability index: where nothing did, nothing is said."""
    drift = run.get("drift") or {}
    parts = []
    for name, since in (("since_last_week", "the week before"), ("since_training", "training")):
        moved = [number for number, index in (drift.get(name) or {}).items() if index > _MOVED]
        if moved:
            more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
            named = ", ".join(signal(number).lower() for number in moved[:3])
            parts.append(f"{named}{more} {'differs' if len(moved) == 1 else 'differ'} from {since}")
    return f"{'; '.join(parts)}{_READ}" if parts else ""


_MOVED = 0.1
_READ = ": read likelihoods with care (see nhi health)"


def _id(run: Mapping[str, Any], part: str) -> str:
    return str((run.get(part) or {}).get("id") or "")
