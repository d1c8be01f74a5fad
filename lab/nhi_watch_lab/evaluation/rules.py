"""Rules that others wrote, with their test events: do our points put what must fire above what must not?

`python -m nhi_watch_lab.evaluation.rules --page docs/method/rules.md` reads `../shared/data/rule-tests/panther`.
Nothing was tuned on it. Each event is scored alone, as if it were all that was ever seen: so only what a call is by
itself can tell, not who makes it nor how often. A rule that needs several events, or a list of allowed names that a
customer keeps, cannot be met that way; *alike* counts the pairs in which both events got the same points. The events
are hand-edited: where one lacks the time that its source needs, it gets one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.scoring import Baselines, score_day, weighed
from nhi_watch.intake.days import Intake
from nhi_watch_lab.evaluation.page import as_csv
from nhi_watch_lab.evaluation.replay import SOURCES

DATA = Path("..") / "shared" / "data" / "rule-tests" / "panther"
LOGS = (
    "AWS_Bedrock", "AWS_CloudTrail", "AWS_GuardDuty", "AWS_Security", "Amazon_EKS", "Anthropic", "Azure_", "GCP_Audit",
    "GSuite", "GitHub", "Microsoft365", "Okta", "OpenAI", "Salesforce", "Snowflake",
)  # fmt: skip
"""Beginnings of the names of the logs that our sources read."""
PEOPLE = re.compile(
    r"log-?in(?!Profile)|sign-?in|MFA|password|brute|travel|rogue|lockout|stuffing|twostep|advancedprotection|"
    r"calendar|docowner|drive\.?overly|drivevis|externalfile|device|suspended|banned|moderators|inviteexternal|"
    r"support|rate\.limits|suspicious\.activity|reported|chat\.access|mobile|user\.joined|RootPassword|Root\.?Login",
    re.IGNORECASE,
)
"""Rules by name that are about people: how they sign in, their devices, documents, calendars and help desks."""
WORST = 10
TIMES = ("requestReceivedTimestamp", "timestamp", "published", "@timestamp", "time", "activityDateTime")
"""Where sources look for the time of an event that is without one."""
NOON = "2025-03-03T12:00:00Z"


class Told(NamedTuple):
    """What one event got."""

    points: Optional[float]
    """The sum; None where no source reads the event."""
    why: str
    """The signals with points, the heaviest first; or why it was not read."""
    call: str = ""
    """Its action."""


class Rule(NamedTuple):
    """A rule and its events."""

    log: str
    name: str
    must: list[Told]
    must_not: list[Told]

    def pairs(self) -> Counter[str]:
        """How many pairs are right, alike, wrong, or unread (what must fire is not read)."""
        return Counter(_verdict(one, other) for one in self.must for other in self.must_not)


def _verdict(one: Told, other: Told) -> str:
    if one.points is None:
        return "unread"
    if other.points is None or one.points > other.points:
        return "right"
    return "alike" if one.points == other.points else "wrong"


def told(record: Mapping[str, Any], baselines: Baselines) -> Told:
    """The points of one event by itself."""
    days, reason = _read(record)
    if reason == "no_time":
        days, reason = _read({**record, **dict.fromkeys(TIMES, NOON)})
    if not days:
        return Told(None, f"not read: {reason}")
    episode = score_day(baselines, days[0])
    why = ", ".join(signal.name for points, signal, _ in weighed(episode.values, episode.points)[:3] if points > 0.05)
    return Told(episode.total, why, episode.view.views[0].shape.action)


def _read(record: Mapping[str, Any]) -> tuple[list[IdentityDay], str]:
    grouping, reasons = Intake(SOURCES), [""]
    grouping.feed([record], lambda index, reject: reasons.append(reject.reason))
    return [whole for day in grouping.days.values() for whole in day.values() if whole.behaviours], reasons[-1]


def rules(folder: Path, scorecard: Scorecard) -> tuple[list[Rule], list[str]]:
    """The rules about NHIs, each with its events' points; and the names of those about people.

    Raises:
        InputError: no test events are there.
    """
    baselines, found, people = Baselines(scorecard), dict[tuple[str, str], Rule](), set[str]()
    for log, test in _tests(folder):
        name = test["rule_id"]
        if PEOPLE.search(name):
            people.add(name)
            continue
        rule = found.setdefault((log, name), Rule(log, name, [], []))
        (rule.must if test["expected"] else rule.must_not).append(told(test["log"], baselines))
    return list(found.values()), sorted(people)


def _tests(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    files = sorted(path for path in folder.glob("*.ndjson") if path.name.startswith(LOGS))
    if not files:
        raise InputError(f"{folder}: no *.ndjson of rule tests there; point --data at the folder")
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            yield path.stem, json.loads(line)


def summarise(found: Sequence[Rule]) -> dict[str, Any]:
    """Pairs by log, and the worst rules."""
    paired = [rule for rule in found if rule.must and rule.must_not]
    logs = {log: _count([rule for rule in paired if rule.log == log]) for log in sorted({r.log for r in paired})}
    worst = sorted(paired, key=lambda rule: (_share(rule.pairs()), -rule.pairs().total(), rule.name))[:WORST]
    return {
        "logs": logs, "all": _count(paired), "unpaired": len(found) - len(paired),
        "worst": [_plain(rule) for rule in worst],
    }  # fmt: skip


def _count(group: Sequence[Rule]) -> dict[str, int]:
    pairs: Counter[str] = Counter()
    for rule in group:
        pairs.update(rule.pairs())
    return {"rules": len(group), **{name: pairs[name] for name in VERDICTS}}


def _share(pairs: Mapping[str, int]) -> float:
    total = sum(pairs.get(name, 0) for name in VERDICTS)
    return pairs.get("right", 0) / total if total else 0.0


VERDICTS = ("right", "alike", "wrong", "unread")


def _plain(rule: Rule) -> dict[str, Any]:
    pairs = rule.pairs()
    return {
        "log": rule.log, "rule": rule.name, "pairs": pairs.total(), **{name: pairs[name] for name in VERDICTS},
        "why": because(rule), "must": _reasons(rule.must), "must_not": _reasons(rule.must_not),
    }  # fmt: skip


def because(rule: Rule) -> str:
    """Why our points do not tell the rule's events apart, from what they hold."""
    fires, silent = {one.call for one in rule.must}, {one.call for one in rule.must_not}
    if "" in fires:
        return "what must fire is not read"
    if fires & silent:
        return "the same call on both sides: its parameters, or a list of who may, make the difference"
    if any("new_error" in one.why for one in rule.must_not):
        return "what must not fire was refused, and a refusal is news to us"
    return "other calls on both sides, as new and as sensitive to us"


def _reasons(events: Sequence[Told]) -> str:
    return "; ".join(sorted({event.why or "no signal" for event in events}))


# ---- the page


def page(result: Mapping[str, Any], people: Sequence[str], scorecard: Scorecard) -> str:
    """The figures as Markdown."""
    whole = result["all"]
    total = sum(whole[name] for name in VERDICTS)
    why = Counter(one["why"] for one in result["worst"])
    return "\n".join([
        "# Rules that others wrote\n",
        "<!-- Written by `python -m nhi_watch_lab.evaluation.rules --page FILE`: do not edit. -->\n",
        "For whoever compares it with rules that others wrote.\n",
        f"Model {scorecard.id}. Unit tests of the rules of panther-analysis (Apache-2.0, hand-edited): for each rule",
        "about NHIs, each event on which it must fire against each on which it must not. *Right*: our points put the",
        "first above the second. *Unread*: no source of ours reads what must fire.\n",
        _explained(), f"**{_percent(whole['right'], total)} of {total} pairs are right**, "
        f"{_percent(whole['alike'], total)} alike. {result['unpaired']} rules have events of one kind only;",
        f"{len(people)} rules are about people's sign-ins, devices and documents and are left out (the command names",
        "them). By log: [rules.csv](rules.csv).\n",
        "**The worst rules**, and why:\n", *(f"- {count}: {reason}" for reason, count in why.most_common()), "",
        ", ".join(f"`{one['rule']}` ({one['right']} of {one['pairs']})" for one in result["worst"]) + ".",
    ]) + "\n"  # fmt: skip


def sheet(result: Mapping[str, Any]) -> str:
    """The pairs by log, as CSV."""
    rows = ([log, *_cells(count)] for log, count in {**result["logs"], "all": result["all"]}.items())
    return as_csv(["log", "rules", "pairs", *VERDICTS], rows)


def _explained() -> str:
    text = (__doc__ or "").partition("Nothing was")
    return text[1] + text[2].rstrip() + "\n"


def _cells(count: Mapping[str, int]) -> list[str]:
    total = sum(count[name] for name in VERDICTS)
    return [str(count["rules"]), str(total), *(_percent(count[name], total) for name in VERDICTS)]


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def main(arguments: Sequence[str]) -> None:
    """Score others' test events and say how many pairs are in the right order."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help=f"rules' test events (default: {DATA})")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    args = parser.parse_args(arguments)
    scorecard = model.load()
    found, people = rules(args.data, scorecard)
    summary = summarise(found)
    text = page(summary, people, scorecard)
    if args.page:
        args.page.write_text(text, "utf-8")
        args.page.with_suffix(".csv").write_text(sheet(summary), "utf-8")
    sys.stdout.write(f"{text}\nLeft out: {', '.join(people)}.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
