"""Techniques that nobody here wrote, each by one established role: `python -m nhi_watch_lab.evaluation.techniques`.

Two public lists give the attacks: calls of CloudTrail that TrailDiscover (CC-BY-4.0) has as seen in real incidents,
each made one to three times, and the techniques of Stratus Red Team (Apache-2.0), as their records have them. Both lie
beside the project (`shared/data`) and are read where they lie; the page names calls and techniques and copies nothing
else.

Each attack is played by the session of a role that has worked for 17 days, in an hour of its work, with its client,
once from its own place and once from a network where it never was, on a tenant of `thief`. It is shown if a listed
notable holds a record of it. A call has the parameters that it has in `data/thief.json`, in Stratus' records or in the
tests of public rules; where none of these has it, it has none, and signals that read parameters are silent.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.context import actions
from nhi_watch.core.notable import BANDS, severity_of
from nhi_watch.detect import model as models
from nhi_watch.detect.signals import facts
from nhi_watch.intake.sources import every
from nhi_watch_lab.evaluation import thief, thief_attacks
from nhi_watch_lab.evaluation.first_days import ROOT, cloudtrail, stripped
from nhi_watch_lab.evaluation.thief import Ground, Hand, Play, Row
from nhi_watch_lab.evaluation.thief_attacks import Aim
from nhi_watch_lab.simulator.basics import dice
from nhi_watch_lab.simulator.products.tenant import events
from nhi_watch_lab.simulator.records import Detail

TIMES = 3
"""How often a call of the list is made at most: as often as its place in the list says, one to three times."""
PLACES = {"own": "its own place", "hoster": "a new network", "household": "a new network"}
ROWS = (Row("own", ("own",)), Row("new", ("hoster", "household")))
SEED, IDENTITIES = 9101, 150
RESULTS = Path(__file__).parents[2] / "results" / "techniques.csv"
COMMAND = "python -m nhi_watch_lab.evaluation.techniques --page docs/method/techniques.md"
Record = dict[str, Any]
Call = thief_attacks.Call


class Technique(NamedTuple):
    """One attack."""

    source: str
    name: str
    tactic: str
    calls: tuple[Call, ...]
    account: str = ""
    """The account that its parameters name; it is replaced by the tenant's."""


# ---- the lists


def of_records(records: Iterable[Record]) -> tuple[Call, ...]:
    """The calls of records of CloudTrail, without who made them."""
    return tuple(
        (
            f"{str(record['eventSource']).partition('.amazonaws')[0]}:{record['eventName']}",
            Detail(
                record.get("requestParameters"),
                record.get("responseElements"),
                record.get("resources"),
                record.get("additionalEventData"),
                str(record.get("errorCode") or ""),
                str(record.get("errorMessage") or ""),
            ),
        )
        for record in records
        if record.get("eventSource") and record.get("eventName")
    )


def stratus(root: Path = ROOT) -> Iterator[Technique]:
    """The techniques of Stratus Red Team."""
    for path in sorted((root / "cloudtrail" / "stratus").glob("*.json")):
        records = [stripped(item) for item in cloudtrail(path)]
        tactic, _, name = path.stem[4:].partition(".")
        tactic = tactic.replace("-", " ")  # as the other list spells them
        account = str(records[0].get("recipientAccountId") or "")
        yield Technique("Stratus Red Team", name, tactic, of_records(records), account)


def known_calls(root: Path = ROOT) -> dict[str, tuple[Call, str]]:
    """`service:Name` → a call with its parameters, and the account that they name; the later a list, the weaker."""
    result: dict[str, tuple[Call, str]] = {}
    for technique in stratus(root):
        for call in technique.calls:
            if not call[1].error:
                result.setdefault(call[0], (call, technique.account))
    for line in (root / "rule-tests" / "panther" / "AWS_CloudTrail.ndjson").open(encoding="utf-8"):
        text = json.loads(line)
        log = text.get("log")
        if text.get("expected") and isinstance(log, dict) and isinstance(log.get("requestParameters"), dict):
            for name, detail in of_records([log]):
                if not detail.error:
                    result.setdefault(name, ((name, detail), str(log.get("recipientAccountId") or "")))
    return result


def traildiscover(root: Path = ROOT) -> Iterator[Technique]:
    """The calls that were seen in real incidents."""
    text = json.loads((root / "knowledge" / "traildiscover.json").read_text("utf-8"))
    known = known_calls(root)
    for number, item in enumerate(each for each in text if each["usedInWild"]):
        name = f"{item['eventSource'].partition('.amazonaws')[0]}:{item['eventName']}"
        call, account = known.get(name, ((name, Detail()), ""))
        tactic = next(iter(item["mitreAttackTactics"]), "").partition(" - ")[2].lower()
        yield Technique("TrailDiscover", name, tactic, (call,) * (1 + number % TIMES), account)


def ours() -> dict[str, str]:
    """`service:Name` → the attack of `data/thief.json` whose call it is, where that call stands alone or first."""
    steps: Mapping[str, Any] = json.loads(
        (Path(thief_attacks.__file__).parent / "data" / "thief.json").read_text("utf-8")
    )["aws"]
    return {step[0]: name for name, text in steps.items() for step in text[:1] if isinstance(step, list)}


# ---- played


class Shown(NamedTuple):
    """What became of one attack from one place."""

    technique: Technique
    place: str
    listed: bool
    likelihood: float
    signals: tuple[tuple[str, float], ...]
    known: bool
    """Whether each of its calls is one that the role makes anyway."""


def _calls(technique: Technique, aim: Aim) -> Iterator[Call]:
    """With the tenant's account instead of the one that they were recorded in; `aim` makes our own parameters."""
    mine = ours().get(technique.name) if technique.source == "TrailDiscover" else None
    if mine is not None:
        call = next(call for call in thief_attacks.AWS[mine](aim) if call[0] == technique.name)
        yield from (call,) * len(technique.calls)
        return
    for name, detail in technique.calls:
        account = technique.account
        text = json.dumps(detail._asdict())
        yield name, Detail(**json.loads(text.replace(account, aim.world.account) if account else text))


def play(ground: Ground, technique: Technique, victim: thief.Victim, place: str, row: Row) -> Play:
    """The records of one attack."""
    hand = Hand(ground, victim, place, row, dice(ground.seed, technique.source, technique.name, place))
    lines = hand.play(hand.theft(partial(_calls, technique))[0], thief.LEARNT)
    return Play(lines, frozenset(event.record_id for event in events(lines)))


def measure(ground: Ground, techniques: Sequence[Technique]) -> list[Shown]:
    """All of them from both places, as many a day as there are roles, each on a role of its own."""
    victims = ground.victims("AWS role", young=False)
    rows: list[Shown] = []
    for row in ROWS:
        for start in range(0, len(techniques), len(victims)):
            batch = [
                (technique, victim, row.places[(start + n) % len(row.places)])
                for n, (technique, victim) in enumerate(zip(techniques[start:], victims))
            ]
            plays = [play(ground, technique, victim, place, row) for technique, victim, place in batch]
            for (technique, victim, place), answer in zip(batch, ground.answers(plays)):
                usual = {item.action for step in _habits(victim) for item in step.pool.items}
                known = usual.issuperset(call for call, _ in technique.calls)
                shown = Shown(technique, PLACES[place], answer.found, answer.likelihood, answer.signals, known)
                rows.append(shown)
    return rows


def _habits(victim: thief.Victim) -> Iterator[Any]:
    for habit in getattr(victim, "activities", ()):
        yield from habit.steps


# ---- the page

LOW = BANDS[-1][0]


def reason(row: Shown) -> str:
    """Why an attack is not shown, from what the tables say of its calls and what its best notable says."""
    if row.known:
        return "the role makes these calls anyway"
    if row.likelihood >= LOW:
        return f"{severity_of(row.likelihood)}, and the week's list is full of likelier ones"
    facts_of_calls = [facts(*_split(call), _traits(call, detail)) for call, detail in dict(row.technique.calls).items()]
    if any(each.acts for each in facts_of_calls):
        return "an act of a kind that the tables have, weighed too little"
    if any(each.classes for each in facts_of_calls):
        return "sensitive by its class alone, as many ordinary calls are"
    if any(each.tactics for each in facts_of_calls):
        return "a stage of an attack by its table, no class and no act"
    levels = {actions.access(call.partition(":")[0], call.partition(":")[2]) for call, _ in row.technique.calls}
    return f"no table names it ({', '.join(sorted(levels))}): new for the role, and nothing more"


def _split(call: str) -> tuple[str, str]:
    return call.partition(":")[0], call


def _traits(call: str, detail: Detail) -> tuple[str, ...]:
    """What its parameters say, as the product reads them."""
    service, _, name = call.partition(":")
    record = {
        "eventVersion": "1.11", "eventTime": "2026-01-01T00:00:00Z", "eventSource": f"{service}.amazonaws.com",
        "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "10.0.0.1", "userAgent": "x", "eventID": "x",
        "recipientAccountId": "1" * 12, "requestParameters": detail.params, "responseElements": detail.response,
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAX:s", "accountId": "1" * 12,
                         "arn": f"arn:aws:sts::{'1' * 12}:assumed-role/x/s", "accessKeyId": "ASIAX"},
    }  # fmt: skip
    source = next(each for each in every() if each.claims(record))
    traits: tuple[str, ...] = source.read(record).traits
    return traits


def page(rows: Sequence[Shown], model: str) -> str:
    """All of it as Markdown."""
    lines = [
        "# Techniques of public lists",
        "",
        f"<!-- Written by `{COMMAND}`: change the code, not this page. -->",
        "",
        "For anyone who asks which techniques are not shown, and why. Attacks are the calls that "
        "[TrailDiscover](https://traildiscover.cloud) (Adan Alvarez, CC-BY-4.0) lists as seen in real incidents, each "
        "made one to three times and nothing else, and the techniques of [Stratus Red "
        "Team](https://stratus-red-team.cloud). The session of a role that has worked for "
        f"{thief.LEARNT} days makes them in an hour of its work, with its client, from its own network and from a new "
        f"one. Shown: a listed notable holds a record of it, beside what the tenant's ordinary week lists (model "
        f"{model}, tenant {SEED}).",
        "",
        "| list | techniques | shown from its own network | shown from a new one |",
        "|---|---|---|---|",
    ]
    sources = dict.fromkeys(row.technique.source for row in rows)
    lines += (_share(name, [row for row in rows if row.technique.source == name]) for name in sources)
    lines += [
        "",
        "By the first tactic that the list names:",
        "",
        "| tactic | techniques | own network | new network |",
        "|---|---|---|---|",
    ]
    tactics = Counter(row.technique.tactic for row in rows)
    lines += (
        _share(tactic or "none", [row for row in rows if row.technique.tactic == tactic])
        for tactic, _ in tactics.most_common()
    )
    lines += ["", "Why the others are not shown:", "", "| reason | own network | new network |", "|---|---|---|"]
    missed = Counter((reason(row), row.place) for row in rows if not row.listed)
    for why in dict.fromkeys(why for (why, _), _ in missed.most_common()):
        lines.append(f"| {why} | {missed[why, PLACES['own']]} | {missed[why, PLACES['hoster']]} |")
    sheet = f"[{RESULTS.name}](../../lab/results/{RESULTS.name})"
    lines += ["", f"Each technique, with the signals that weigh most: {sheet}."]
    return "\n".join(lines) + "\n"


def _share(name: str, rows: Sequence[Shown]) -> str:
    cells = []
    for place in (PLACES["own"], PLACES["hoster"]):
        mine = [row.listed for row in rows if row.place == place]
        cells.append(f"{sum(mine)} ({sum(mine) / max(1, len(mine)):.2f})")
    return f"| {name} | {len({(row.technique.source, row.technique.name) for row in rows})} | {' | '.join(cells)} |"


def table(rows: Sequence[Shown]) -> Iterator[tuple[str, ...]]:
    """A row for each technique and place."""
    yield "list", "technique", "tactic", "calls", "place", "shown", "likelihood", "reason", "signals"
    for row in rows:
        heavy = " ".join(name for name, _ in sorted(row.signals, key=lambda each: -each[1])[:4])
        technique = row.technique
        yield (
            technique.source,
            technique.name,
            technique.tactic,
            str(len(technique.calls)),
            row.place,
            "yes" if row.listed else "no",
            f"{row.likelihood:.0f}",
            "" if row.listed else reason(row),
            heavy,
        )


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nth", type=int, default=1, help="only each n-th technique")
    parser.add_argument("--model", type=Path, default=models.FOLDER, help="another model's folder")
    parser.add_argument("--page", type=Path, help="also write the page, and the table in lab/results")
    args = parser.parse_args()
    rows = measure(Ground(SEED, IDENTITIES, args.model), [*stratus(), *traildiscover()][:: args.nth])
    text = page(rows, models.load(args.model).id)
    sys.stdout.write(text)
    if args.page:
        args.page.write_text(text, "utf-8")
        with RESULTS.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table(rows))


if __name__ == "__main__":
    main()
