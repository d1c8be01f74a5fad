"""An attacker who knows the product and wants a theft to have no place in the list: a search over his choices.

He holds one key of a machine, or two, or one and an account of his own, and has so many tries for each technique. He
chooses client, address, pace, order, padding and decoys; after each try he sees the product's answer, and goes on from
the best. The world is a small drawn one, or a small one of the independent second world; nothing is tuned on either.

`… -m nhi_watch_lab.evaluation.hiding --drawn 2003 --second 7 --before --page docs/method/hiding.md`: about an hour.
Results lie in out/hiding.json, those of the version before floods took one place in out/hiding_before.json; what these
hold already is not searched again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.detect import model
from nhi_watch.detect.judge import Judge
from nhi_watch.detect.run import Result
from nhi_watch.intake.days import Intake
from nhi_watch.intake.sources import every
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.state import State
from nhi_watch.state.store import TABLES
from nhi_watch_lab.evaluation import earlier, exams
from nhi_watch_lab.evaluation.exams import DRAWN, SECOND, Exam
from nhi_watch_lab.evaluation.incidents import seeds_of

Record = dict[str, Any]
IDENTITIES = {DRAWN: 16, SECOND: 60}
LEARNT = 12
"""Days of ordinary life before the theft."""
AHEAD = 3
"""Days over which it may be spread."""
FOREIGN = "999999999999"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
DENIED = {"errorCode": "AccessDenied", "errorMessage": "not authorized"}
MEANS = ("one key", "two keys", "a key and an account")

Act = tuple[str, str, dict[str, Any]]
"""Service, call, parameters."""
TECHNIQUES: dict[str, tuple[Act, ...]] = {
    "grant": (("iam", "CreateUser", {"userName": "svc"}), ("iam", "CreateAccessKey", {"userName": "svc"}),
              ("iam", "AttachUserPolicy", {"userName": "svc", "policyArn": ADMIN})),
    "secrets": tuple(("secretsmanager", "GetSecretValue", {"secretId": f"prod/{n}"}) for n in range(12)),
    "logging off": (("cloudtrail", "StopLogging", {"name": "main"}), ("cloudtrail", "DeleteTrail", {"name": "main"})),
    "shared snapshot": (("ec2", "CreateSnapshot", {"volumeId": "vol-1"}), ("ec2", "ModifySnapshotAttribute", {
        "snapshotId": "snap-1", "attributeType": "CREATE_VOLUME_PERMISSION",
        "createVolumePermission": {"add": {"items": [{"userId": FOREIGN}]}}})),
    "machines": tuple(("ec2", "RunInstances", {"instanceType": "p4d.24xlarge", "n": n}) for n in range(8)),
}  # fmt: skip
ADDRESSES = ("185.220.101.4", "45.95.147.9", "73.158.61.7")
"""Of Tor, of a hoster, of a household."""
AGENTS = ("aws-cli/2.15.0", "Boto3/1.34.0 md/Botocore#1.34.0", "Mozilla/5.0 (Windows NT 10.0)", "")
"""\"\": the one that the machine itself uses."""
LOOKS = ("DescribeInstances", "DescribeVpcs", "ListBuckets", "ListRoles", "ListFunctions", "DescribeDBInstances")
DECOYS = {"none": 0, "refused by the second key": 1, "odd by the second key": 1, "strangers": 2, "repositories": 2}
"""Kind → the means from which on it may be had."""


class Choice(NamedTuple):
    """What the attacker decides."""

    address: int = 0
    agent: int = 0
    minutes: int = 1
    """Between his acts."""
    days: int = 1
    backwards: bool = False
    usual: int = 0
    """Calls that the machine makes anyway, around each act."""
    looks: int = 0
    """Harmless calls that it never made."""
    refused: int = 0
    """Calls that are refused to it."""
    decoys: str = "none"
    number: int = 0
    """Of decoys a day."""
    before: int = 0
    """Days before the theft on which decoys begin."""


OPTIONS: dict[str, Sequence[Any]] = {
    "address": range(len(ADDRESSES)), "agent": range(len(AGENTS)), "minutes": (1, 10, 60, 180), "days": (1, 2, 3),
    "backwards": (False, True), "usual": (0, 5, 50), "looks": (0, 5, 40), "refused": (0, 10, 60),
    "number": (1, 5, 15, 40), "before": (0, 1, 3),
}  # fmt: skip


class Outcome(NamedTuple):
    """What the product made of a try."""

    is_listed: bool
    place: int
    """1: nothing of the last week in the list stands above it."""
    score: float

    @property
    def ease(self) -> tuple[bool, int, float]:
        """The smaller, the better for the attacker."""
        return self.is_listed, -self.place, self.score


class Ground:
    """A world as it stands before the theft, and the machines whose keys were stolen."""

    def __init__(self, exam: Exam) -> None:
        self._sources = tuple(every())
        self.today = 0
        """The day of the theft."""
        self.victims: list[Record] = []
        """One record of each machine: the stolen key's, and the second one's."""
        self._model, store = model.load(), MemoryStore()
        quiet = self._ordinary(exam)
        self._run(store, [one for day, records in quiet.items() if day < self.today for one in records])
        self._stores = [store]
        """As they stand before the day of the theft, and when it and each later day is over: what he lets alone stays
        scored."""
        for day in range(self.today, self.today + AHEAD):
            self._run(store := _copy(store), quiet.get(day, ()))
            self._stores.append(store)
        self._pick([one for records in quiet.values() for one in records])

    def _ordinary(self, exam: Exam) -> dict[int, list[Record]]:
        """UTC day → records, without the world's own incidents."""
        found: dict[int, list[Record]] = {}
        bad: set[str] = set()
        for number, (incidents, records) in enumerate(exams.raw(exam)[1]):
            bad.update(str(record_id) for label in incidents for record_id in label["record_ids"])
            if number >= LEARNT + AHEAD:
                break
            times = [parse(r["eventTime"]) for r in records if isinstance(r.get("eventTime"), str)]
            if number == LEARNT:
                self.today = max(times) // DAY
            found.setdefault(max(times) // DAY, []).extend(r for r in records if str(r.get("eventID")) not in bad)
        return found

    def _pick(self, records: Sequence[Record]) -> None:
        """The machines that work most in the log."""
        seen: dict[str, list[Record]] = {}
        for record in records:
            who = record.get("userIdentity")
            issuer = who.get("sessionContext", {}).get("sessionIssuer", {}) if isinstance(who, dict) else {}
            name = issuer.get("arn", "")
            if name and ":role/aws" not in name and "errorCode" not in record:
                seen.setdefault(name, []).append(record)
        ordered = sorted(seen.values(), key=len, reverse=True)
        self.victims = [one[-1] for one in ordered[:2]]

    def answer(self, records: Sequence[Record], theft: frozenset[str]) -> Outcome:
        """What becomes of a theft, on the evening of the last day with records of his."""
        last = max(parse(record["eventTime"]) // DAY for record in records)
        store = _copy(self._stores[1 + last - self.today])
        listed = [n for n in self._run(store, records).standing if n["life"] != "closed"]
        mine = [n for n in listed if theft & set(n["record_ids"])]
        if not mine:
            return Outcome(False, 0, 0.0)
        best = max(mine, key=lambda n: n["priority"])
        return Outcome(True, 1 + sum(n["priority"] > best["priority"] for n in listed), best["score"])

    def _run(self, store: MemoryStore, records: Sequence[Record]) -> Result:
        state = State(store)
        intake = Intake(self._sources, load_day=state.load_day)
        judge = Judge(state, self._model)
        for start in range(0, len(records), 2_000):
            intake.feed(records[start : start + 2_000])
            judge.relieve(intake.days)
        return judge.settle(intake.days)


def _copy(store: MemoryStore) -> MemoryStore:
    made = MemoryStore()
    for table in TABLES:
        made.put(table, list(store.scan(table, "", "\U0010ffff")))
    return made


# ---- what he writes


class Script:
    """The records of one choice."""

    def __init__(self, ground: Ground, acts: Sequence[Act], choice: Choice) -> None:
        self._ground, self._choice, self._acts = ground, choice, acts
        self.theft: list[Record] = []
        self._number = 0

    def records(self) -> list[Record]:
        """The theft, what pads it, and the decoys."""
        choice, victim = self._choice, self._ground.victims[0]
        acts = self._acts[::-1] if choice.backwards else self._acts
        found: list[Record] = []
        for n, act in enumerate(acts):
            when = self._second(n * choice.days // len(acts), 8 * 3600 + n * choice.minutes * 60 % (15 * 3600))
            self.theft.append(self._call(victim, act, when))
            found += [self._usual(victim, when + k) for k in range(choice.usual)]
        for n in range(choice.looks):
            name = LOOKS[n % len(LOOKS)] + str(n // len(LOOKS) or "")
            found.append(self._call(victim, ("ec2", name, {}), self._second(0, n)))
        for n in range(choice.refused):
            found.append({**self._call(victim, ("iam", f"Get{n}", {}), self._second(0, n)), **DENIED})
        return [*found, *self.theft, *self._decoys()]

    def _second(self, day: int, second: int) -> int:
        return (self._ground.today + day) * DAY + second

    def _decoys(self) -> Iterator[Record]:
        choice = self._choice
        for day in range(-choice.before, choice.days):
            for n in range(choice.number if choice.decoys != "none" else 0):
                yield from self._decoy(n, day)

    def _decoy(self, n: int, day: int) -> Iterator[Record]:
        name, when = f"{n}x{day}", self._second(day, 60 + n)
        if self._choice.decoys.endswith("second key"):
            act = list(TECHNIQUES.values())[n % len(TECHNIQUES)][0]
            made = self._call(self._ground.victims[-1], act, when)
            yield {**made, **DENIED} if self._choice.decoys.startswith("refused") else made
            return
        who = _stranger(name) if self._choice.decoys == "strangers" else _repository(name)
        acts: Sequence[Act] = [acts[0] for acts in TECHNIQUES.values()]
        if self._choice.decoys == "repositories":
            acts = [("sts", "AssumeRoleWithWebIdentity", {})]
        for act in acts:
            yield {**self._call(self._ground.victims[0], act, when), "userIdentity": who, **DENIED}

    def _usual(self, victim: Record, when: int) -> Record:
        return {**victim, "eventTime": render(when), "eventID": self._id()}

    def _call(self, victim: Record, act: Act, when: int) -> Record:
        service, name, parameters = act
        made = self._usual(victim, when)
        made.update(eventSource=f"{service}.amazonaws.com", eventName=name, requestParameters=parameters)
        made.update(sourceIPAddress=ADDRESSES[self._choice.address], readOnly=name.startswith(("Get", "List", "Desc")))
        made["userAgent"] = AGENTS[self._choice.agent] or victim.get("userAgent", "")
        for other in ("responseElements", "resources", "additionalEventData", "errorCode", "errorMessage"):
            made.pop(other, None)
        return made

    def _id(self) -> str:
        self._number += 1
        return f"hiding-{self._number}"


def _stranger(name: str) -> Record:
    issuer = {"type": "Role", "principalId": f"AROAX{name}", "arn": f"arn:aws:iam::{FOREIGN}:role/{name}",
              "accountId": FOREIGN, "userName": name}  # fmt: skip
    return {"type": "AssumedRole", "principalId": f"AROAX{name}:s", "accountId": FOREIGN, "accessKeyId": f"ASIA{name}",
            "arn": f"arn:aws:sts::{FOREIGN}:assumed-role/{name}/s",
            "sessionContext": {"sessionIssuer": issuer}}  # fmt: skip


def _repository(name: str) -> Record:
    host = "token.actions.githubusercontent.com"
    subject = f"repo:evil/{name}:ref:refs/heads/main"
    return {"type": "WebIdentityUser", "principalId": f"{host}:sts.amazonaws.com:{subject}", "userName": subject,
            "identityProvider": host}  # fmt: skip


# ---- the search


def search(ground: Ground, technique: str, means: int, tries: int) -> dict[str, Any]:
    """The best that an attacker found: half of the tries at random, the rest near the best."""
    dice = random.Random(f"{technique}/{means}")
    plain = _try(ground, technique, Choice())
    best, choice, hidden = plain, Choice(), 0
    for n in range(tries):
        wanted = _drawn(dice, means) if n < tries // 2 else _near(dice, choice, means)
        told = _try(ground, technique, wanted)
        hidden += not told.is_listed
        if told.ease < best.ease:
            best, choice = told, wanted
    chosen = {name: value for name, value in choice._asdict().items() if value != getattr(Choice(), name)}
    return {"plain": list(plain), "tries": tries, "hidden": hidden, "best": list(best), "choice": chosen}


def _try(ground: Ground, technique: str, choice: Choice) -> Outcome:
    script = Script(ground, TECHNIQUES[technique], choice)
    records = script.records()
    return ground.answer(records, frozenset(record["eventID"] for record in script.theft))


def _drawn(dice: random.Random, means: int) -> Choice:
    told = {name: dice.choice(values) for name, values in OPTIONS.items()}
    return Choice(**told, decoys=dice.choice(_kinds(means)))


def _near(dice: random.Random, choice: Choice, means: int) -> Choice:
    names = dice.sample([*OPTIONS, "decoys"], 2)
    return choice._replace(**{n: dice.choice(OPTIONS[n] if n in OPTIONS else _kinds(means)) for n in names})


def _kinds(means: int) -> list[str]:
    return [kind for kind, least in DECOYS.items() if least in (0, means)]


# ---- the page

ABOUT = """# An attacker who knows the product

For: whoever asks what hides a theft. Written by `python -m nhi_watch_lab.evaluation.hiding {command}`
with model {model}.

He uses a stolen key of a machine from outside (Tor, a hoster, a household) and searches over client, address, pace,
order, padding and decoys for what keeps the theft out of the list at 10 notables a day per 1,000 identities: half of
the tries at random, the rest near the best so far. *plain*: the theft without any of it. A result is the place in the
list (1: nothing stands above it) and the score, or *hidden*. *before*: the same search on the version before floods
took one place ([decision 12](../decisions/0012-floods.md)), which drew drawn companies without AI agents. A theft is
clear if plain it scores 80 or more. Nothing was tuned on these worlds. What the table lacks was not searched.

"""
HEAD = ("| world | technique | means | plain | tries before | hidden | best | tries | hidden | best | his choice |",
        "|---" * 11 + "|")  # fmt: skip


def page(now: dict[str, Any], before: dict[str, Any], command: str) -> str:
    """All results as a table."""
    rows = [*HEAD]
    for name, told in now.items():
        cells = [*name.split("/"), _told(told["plain"]), *_row(before.get(name)), *_row(told),
                 ", ".join(f"{key} {value}" for key, value in told["choice"].items())]  # fmt: skip
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return ABOUT.format(command=command, model=model.load().id) + "\n".join(rows) + "\n"


def is_written(text: str) -> bool:
    """Whether a page has the words and the techniques of this program, and nothing else."""
    command = text.partition("evaluation.hiding ")[2].partition("`")[0]
    about = ABOUT.format(command=command, model=text.partition("with model ")[2].partition(".")[0])
    head, *rows = text.removeprefix(about).split("\n|---", 1)
    names = {tuple(row.split(" | ")[1:3]) for row in "".join(rows).splitlines()[1:]}
    return text.startswith(about) and head == HEAD[0] and names == {*product(TECHNIQUES, MEANS)}


def _row(told: Optional[dict[str, Any]]) -> list[Any]:
    return [told["tries"], told["hidden"], _told(told["best"])] if told else ["", "", ""]


def _told(outcome: Sequence[Any]) -> str:
    return f"place {outcome[1]}, {outcome[2]}" if outcome[0] else "hidden"


def _before(given: Sequence[str], out: Path) -> dict[str, Any]:
    """What the same search finds in the earlier version."""
    name = "lab/nhi_watch_lab/evaluation/{}.py".format
    with earlier.tree(earlier.BEFORE_BOUNDS, name("hiding"), name("earlier")) as folder:
        earlier.run(folder, ["-m", "nhi_watch_lab.evaluation.hiding", *given, "--out", str(out.resolve())])
    told: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return told


def main(arguments: Sequence[str]) -> None:
    """Let the attacker search, and write what he found."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--drawn", default="", metavar="SEEDS")
    parser.add_argument("--second", default="", metavar="SEEDS")
    parser.add_argument("--tries", type=int, default=200, help="for each technique; the three means share them")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--before", action="store_true", help="search on the version before floods took one place, too")
    parser.add_argument("--out", type=Path, default=Path("out/hiding.json"))
    args = parser.parse_args(arguments)
    chosen = [Exam(kind, seed, False, IDENTITIES[kind]) for kind, seeds in ((DRAWN, args.drawn), (SECOND, args.second))
              for seed in (seeds_of(seeds) if seeds else ())]  # fmt: skip
    found: dict[str, Any] = json.loads(args.out.read_text("utf-8")) if args.out.exists() else {}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    worlds = [f"--{name}={value}" for name, value in (("drawn", args.drawn), ("second", args.second)) if value]
    given = [*worlds, f"--tries={args.tries}"]
    before = _before(given, args.out.with_name("hiding_before.json")) if args.before else {}
    command = " ".join([*given, *["--before"] * args.before])

    def tell() -> None:
        """What is known so far: a search that is cut short leaves what it found."""
        args.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        if args.page:
            args.page.write_text(page(found, before, command), "utf-8")

    tell()
    for exam in chosen:
        ground: Optional[Ground] = None
        for technique, (means, name) in product(TECHNIQUES, enumerate(MEANS)):
            key = f"{exam.name}/{technique}/{name}"
            if key not in found:
                ground = ground or Ground(exam)
                found[key] = search(ground, technique, means, -(-args.tries // len(MEANS)))
                tell()
                sys.stdout.write(f"{key}: {json.dumps(found[key])}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
