"""What a user would pick instead, over the same real records: events a second of processor time, and what each finds.

`python lab/bench/bench_peers.py --rules FOLDER [--python PYTHON] [--rsigma PROGRAM] [--rounds N] [--quick]
[--page docs/method/peers.md]`

FOLDER holds Sigma's rules for CloudTrail. PYTHON is an interpreter with `azuma` (a Sigma engine) and `pypanther`
(panther's rules and the runner they are tested with). PROGRAM is rsigma, as `cargo install rsigma --version 0.23.0`
builds it. What is not there is left out, and the figures say so.

The records are those of `bench_real.py`, as lines; `nhi score` scores the last day over what was learnt of those
before. What each finds: of DataDog's recorded attack techniques (labelled by their files' names) those of which a
record matches, or is behind a notable of the list; and how much each says of the last ordinary day. The techniques are
added to that day for `nhi`. Whole processes in turn, of each the least processor time; speeds are
without what it takes to begin, which is given beside. `--quick`: a tenth of each day. `--page`: also write the table.

Those records are sparse: each identity makes a few calls. So the speeds of `nhi baseline` and rsigma are measured
over the simulated tenant of `bench_reading.py`, too, whose machines are as busy as real ones.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from _bench import ENVIRONMENT, NHI, OUT, ROOT, write
from bench_reading import DAYS as LASTING
from bench_reading import MACHINES, cost, tenant
from bench_real import SHARED, moved, of_file, real, written

from nhi_watch_lab.evaluation.exams import grouped

DAYS = 8
TECHNIQUES = SHARED / "stratus"
BARE = "import sys, orjson\nfor path in sys.argv[1:]:\n for line in open(path, 'rb'):\n  orjson.loads(line)"

READ = """
import json, sys
from pathlib import Path

def matches(paths):
    for path in paths:
        for line in open(path, "rb"):
            record = json.loads(line)
            for name in matching(record):
                print(record.get("eventID"), name, sep="\\t")
"""
AZUMA = (
    READ
    + """
from azuma import Rule
rules, failed = [], set()
for path in sorted(Path(sys.argv[1]).glob("*.yml")):
    try:
        rules.append(Rule.model_validate_yaml(path.read_text()))
    except Exception as error:
        failed.add(path.name)

def flat(value, path, found):
    for name, inner in value.items():
        found[path + name] = inner
        if isinstance(inner, dict):
            flat(inner, path + name + ".", found)
    return found

def matching(record):
    fields = flat(record, "", {})  # it looks a path up as one name
    for rule in rules:
        try:
            if rule.match(fields):
                yield rule.title
        except Exception:
            failed.add(rule.title)

matches(sys.argv[2:])
print(len(rules), len(failed), file=sys.stderr)
"""
)
PANTHER = (
    READ
    + """
from panther_core.enriched_event import PantherEvent
from pypanther.cache import data_model_cache
from pypanther.get import get_panther_rules
rules, failed = [rule() for rule in get_panther_rules(log_types=["AWS.CloudTrail"], enabled=True)], set()
model = data_model_cache().data_model_of_logtype("AWS.CloudTrail")

def matching(record):
    event = PantherEvent(record, model)
    for rule in rules:
        result = rule.run(event, {}, {})
        if result.detection_exception is not None:
            failed.add(rule.id)
        if result.trigger_alert:
            yield rule.id

matches(sys.argv[2:])
print(len(rules), len(failed), file=sys.stderr)
"""
)


ABOUT = """# Beside other detectors

For anyone who chooses between this and rules. Written by `python lab/bench/bench_peers.py --page PAGE`.

One run over the same real CloudTrail records, {events:,} of one ordinary day as JSON lines. Whole processes in turn; of
each the least processor time of {rounds} rounds, without what it takes to begin. *Found*: of DataDog's {techniques}
recorded attack techniques, added to the last of {days} ordinary days, those of which a record matches a rule or is
behind a notable of the list; each acts in an account of its own under one user name, so most are folded into one row
that names them. `nhi baseline` reads, scores and learns the day; the list is that of `nhi score`.

| | rules | events a second | begins in | techniques found | reports on the ordinary day |
|---|---:|---:|---:|---:|---:|
"""
SIMULATED = """
Over {events:,} records of {days} days of a simulated tenant of {machines} machines, in turn in the same run, without
what each takes to begin:

| | events a second | of orjson alone | of rsigma |
|---|---:|---:|---:|
"""
NAMES = {
    "bare orjson": "orjson alone, parsing each line",
    "nhi baseline": "nhi_watch",
    "rsigma": "rsigma 0.23 (Rust), Sigma's CloudTrail rules",
    "azuma": "azuma (Python), the same rules",
    "panther": "panther's CloudTrail rules in their Python runner",
}


class Matched(NamedTuple):
    """What a program said of the records of a file."""

    pairs: list[tuple[str, str]]
    """Record id and rule of each match."""
    rules: str
    """What it says of its rules."""
    seconds: float
    """Of the processor."""


class Speeds(NamedTuple):
    """What programs take for one file."""

    events: int
    events_a_second: dict[str, int]
    """By program, without what it takes to begin."""
    seconds: dict[str, float]
    """The least of all rounds."""
    matched: dict[str, Matched]
    """By peer."""


class Peer(NamedTuple):
    """A program that prints, a line each, which records match which rule."""

    name: str
    command: list[str]
    """Before the files."""
    is_json: bool = False
    """Whether its lines are objects that hold the record (rsigma), or an id and a rule."""

    def matched(self, path: Path) -> Matched:
        """What it matches in a file of lines."""
        before = os.times()
        more = ["--include-event"] if self.is_json else []
        words = [*self.command, f"@{path}" if self.is_json else str(path), *more]
        done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=False)
        if done.returncode:
            sys.exit(f"{self.name}: {done.stderr[-500:]}")
        after, lines = os.times(), done.stdout.splitlines()
        if self.is_json:
            matches = [orjson.loads(line) for line in lines if line.startswith("{")]
            pairs = [(item["event"]["eventID"], item["rule_title"]) for item in matches]
        else:
            pairs = [(line.split("\t")[0], line.split("\t")[1]) for line in lines]
        return Matched(pairs, done.stderr.strip()[-80:], sum(after[2:4]) - sum(before[2:4]))


def peers(args: argparse.Namespace) -> tuple[list[Peer], dict[str, str]]:
    """Those that are there; and why others are not."""
    peers, left_out = list[Peer](), dict[str, str]()
    if args.rsigma and args.rules:
        peers.append(Peer("rsigma", [args.rsigma, "engine", "eval", "--rules", args.rules, "--event"], is_json=True))
    else:
        left_out["rsigma"] = "no --rsigma, or no --rules"
    for name, module, program in (("azuma", "azuma", AZUMA), ("panther", "pypanther", PANTHER)):
        here = subprocess.run([args.python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0
        if here and (args.rules or name != "azuma"):
            peers.append(Peer(name, [args.python, "-c", program, args.rules or ""]))
        else:
            left_out[name] = f"{args.python} has no {module}, or no --rules"
    return peers, left_out


class Records(NamedTuple):
    """Where the records are."""

    days: list[Path]
    """Ordinary ones; the last is scored."""
    attacks: Path
    """The techniques' records, as if of the last day."""
    technique_of: dict[str, str]
    """Record id → its technique."""
    actor_of: dict[str, str]
    """Record id → the identity that acts in it."""


def records(step: int) -> Records:
    """The records as lines, day by day; of the ordinary ones each `step`th."""
    every = list(real())[::step]
    days = [written(every, day) for day in range(DAYS)]
    path, lines = OUT / "data" / "techniques.ndjson", list[bytes]()
    technique_of, actor_of = dict[str, str](), dict[str, str]()
    for file in sorted(TECHNIQUES.rglob("*json")):
        for record in of_file(file):
            moved_record = {**record, **moved(record, DAYS - 1)}
            technique_of[moved_record["eventID"]] = file.stem
            for identities in grouped([moved_record]).values():
                actor_of.update((moved_record["eventID"], identity) for identity in identities)
            lines.append(orjson.dumps(moved_record))
    path.write_bytes(b"\n".join(lines) + b"\n")
    return Records(days, path, technique_of, actor_of)


def ours(records: Records) -> dict[str, Any]:
    """What is in the list of the last day, with and without the techniques' records."""
    out, state = OUT / "peers", OUT / "peers.sqlite"
    state.unlink(missing_ok=True)
    run([NHI, "baseline", *records.days[:-1], "--out", out, "--state", state])
    run([NHI, "score", records.days[-1], "--out", out, "--state", state, "--no-learn"])
    ordinary = listed(out)
    run([NHI, "score", records.days[-1], records.attacks, "--out", out, "--state", state, "--no-learn"])
    notables = listed(out)
    behind = {record for notable in notables for record in notable["record_ids"]}
    folded = {identity for notable in notables if notable["folded"] for identity in notable["folded"]["ids"]}
    found_techniques = {
        name
        for record, name in records.technique_of.items()
        if record in behind or records.actor_of.get(record) in folded
    }
    return {
        "techniques": len(found_techniques),
        "of": len(set(records.technique_of.values())),
        "notables_of_a_day": len(ordinary),
    }


def run(command: list[Any]) -> None:
    """A command of ours; 2: it has found something."""
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
    if done.returncode not in (0, 2):
        sys.exit(done.stderr[-500:])


def listed(out: Path) -> list[dict[str, Any]]:
    """The notables of the list."""
    lines = (out / "notables.jsonl").read_text("utf-8").splitlines()
    return [item for item in map(json.loads, lines) if item["listed"]]


def theirs(peer: Peer, records: Records, ordinary: list[tuple[str, str]], rules: str) -> dict[str, Any]:
    """What matches of the techniques, and of the last ordinary day."""
    attacks, *_ = peer.matched(records.attacks)
    matched_techniques = {records.technique_of[record] for record, _ in attacks if record in records.technique_of}
    return {
        "techniques": len(matched_techniques),
        "of": len(set(records.technique_of.values())),
        "matches_of_a_day": len(ordinary),
        "rules_that_match_on_it": len({rule for _, rule in ordinary}),
        "rules": rules,
    }


def speeds(path: Path, compared: Sequence[Peer], rounds: int) -> Speeds:
    """What each program takes for a file of lines, and what the peers match in it."""
    first, out = OUT / "data" / "first.ndjson", OUT / "peers-speed"
    first.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n")
    seconds: dict[str, list[float]] = defaultdict(list)
    matched: dict[str, Matched] = {}
    for _ in range(rounds):
        for logs, what in ((first, " begins"), (path, "")):
            shutil.rmtree(out, ignore_errors=True)
            commands = {
                "bare orjson": [sys.executable, "-c", BARE, str(logs)],
                "nhi baseline": [NHI, "baseline", str(logs), "--out", str(out)],
            }
            for name, command in commands.items():
                seconds[name + what].append(cost(command).seconds)
            for peer in compared:
                matched[peer.name] = peer.matched(logs)
                seconds[peer.name + what].append(matched[peer.name].seconds)
    least = {name: min(each) for name, each in seconds.items()}
    events = sum(1 for _ in path.open("rb"))
    names = [name for name in least if not name.endswith(" begins")]
    speed = {name: round((events - 1) / max(0.01, least[name] - least[name + " begins"])) for name in names}
    return Speeds(events, speed, least, matched)


def page(figures: dict[str, Any], rounds: int) -> str:
    """The table as the documentation has it."""
    finds, seconds = {**figures["finds"], "nhi baseline": figures["finds"]["nhi"]}, figures["seconds"]
    rows = []
    for name, speed in figures["events_a_second"].items():
        found = finds.get(name)
        reports = found.get("matches_of_a_day", found.get("notables_of_a_day")) if found else ""
        said = [f"{found['techniques']} of {found['of']}", f"{reports:,}"] if found else ["", ""]
        loaded = re.search(r"\d+", found.get("rules", "")) if found else None
        cells = [NAMES[name], loaded[0] if loaded else "", f"{speed:,}", f"{seconds[name + ' begins']:.2f} s", *said]
        rows.append(f"| {' | '.join(cells)} |")
    left_out = [f"- {NAMES[name]}: {why}" for name, why in figures["left_out"].items()]
    about = ABOUT.format(events=figures["events"], rounds=rounds, days=DAYS, techniques=figures["finds"]["nhi"]["of"])
    simulated = SIMULATED.format(events=figures["simulated"]["events"], machines=MACHINES, days=LASTING)
    more = figures["simulated"]["events_a_second"]
    for name, speed in more.items():
        of_others = [f"{speed / more[other]:.2f}" if other in more else "" for other in ("bare orjson", "rsigma")]
        simulated += f"| {' | '.join([NAMES[name], f'{speed:,}', *of_others])} |\n"
    return about + "\n".join([*rows, *([""] if left_out else []), *left_out]) + "\n" + simulated


def main() -> int:
    """Run everything in turn, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", metavar="FOLDER", help="Sigma's rules for CloudTrail")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with azuma and pypanther")
    parser.add_argument("--rsigma", default=shutil.which("rsigma"), metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--page", type=Path, help="the page of the documentation that is to hold the table")
    args = parser.parse_args()
    compared, left_out = peers(args)
    lines = tenant()["lines"] / "cloudtrail.ndjson"
    simulated = speeds(lines, [peer for peer in compared if peer.name == "rsigma"], args.rounds)
    corpus = records(10 if args.quick else 1)
    events, speed, least, matched = speeds(corpus.days[-1], compared, args.rounds)
    found = {peer.name: theirs(peer, corpus, matched[peer.name].pairs, matched[peer.name].rules) for peer in compared}
    figures = {
        "events": events,
        "events_a_second": speed,
        "seconds": least,
        "finds": {"nhi": ours(corpus), **found},
        "left_out": left_out,
        "simulated": {"events": simulated.events, "events_a_second": simulated.events_a_second},
    }
    write(figures)
    if args.page:
        args.page.write_text(page(figures, args.rounds), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
