"""Trials that somebody would make before he trusts the score, each in small worlds drawn for it.

`python -m nhi_watch_lab.evaluation.trials --page docs/method/trials.md`; `--only NAMES` runs some of them.

- `people`: 50 people who work in the console and have keys, for 30 days; keys of five of them are stolen; beside them
  pipelines whose runners, clients and calls change all the time. The whole product at its usual budget.
- `cold`: a thousand objects read within an hour in an account without history, three worlds. The whole product.
- `quiet`: slow discovery and sessions used in parallel, all from inside. *Found at B* as in worlds.md.
- `padded`: the same attacks, plain and hidden among harmless calls. *Found at 10*, as in worlds.md.
- `poison`: days until an attacker who knows model and caps passes unseen, see `poison`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nhi_watch.core.notable import SEVERITIES
from nhi_watch.detect import model as models
from nhi_watch.detect.judge import Judge
from nhi_watch.detect.model import Scorecard
from nhi_watch.intake.days import Intake
from nhi_watch.state.memory import MemoryStore
from nhi_watch.state.state import State
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import poison
from nhi_watch_lab.evaluation.exams import DRAWN, Exam
from nhi_watch_lab.evaluation.exams import TRIALS as WORLDS
from nhi_watch_lab.evaluation.judged import BUDGETS, Job, Judged, judge
from nhi_watch_lab.evaluation.replay import SOURCES
from nhi_watch_lab.simulator import Spec
from nhi_watch_lab.worlds.days import account
from nhi_watch_lab.worlds.world import World

PEOPLE, QUIET, PADDED, POISON = (5001, 5002), (5011, 5012, 5013), (5021, 5022), (5031, 5032)
COLD = (5041, 5042, 5043)
"""Seeds that nothing was ever tuned or selected on."""
GRAVE = SEVERITIES[SEVERITIES.index("high") :]
Json = dict[str, Any]


def lived(world: World, card: Scorecard) -> tuple[list[Json], list[Json]]:
    """The notables of all days of a world as they last stood, and its incidents."""
    state, incidents = State(MemoryStore()), list[Json]()
    intake, judge_ = Intake(SOURCES, load_day=state.load_day), Judge(state, card)
    for day in worlds.days(world):
        incidents += day.incidents
        intake.feed([record for _, record in day.records], lambda index, error: None)
        judge_.relieve(intake.days)
    judge_.settle(intake.days)
    return [n for n in state.every_notable() if n["kind"] == "compromise"], incidents


def listed_of(notables: Sequence[Json], incident: Json) -> list[Json]:
    """The listed notables that hold records of an incident."""
    records = set(incident["record_ids"])
    return [n for n in notables if n["listed"] and records & set(n["record_ids"])]


def people(card: Scorecard, out: Path) -> Json:
    """People with two doors, and pipelines without a place of their own."""
    told: Counter[str] = Counter()
    most = 0
    for seed in PEOPLE:
        world = WORLDS["people"](worlds.draw(seed, identities=40, history=20, company=False))
        notables, incidents = lived(world, card)
        tenant = account(world)
        human = {m.arn for m in tenant.people}
        bad = {name for incident in incidents for name in incident["identities"]}
        calm = Counter(n["identity"]["name"] for n in notables if n["listed"])
        grave = {n["identity"]["name"] for n in notables if n["severity"] in GRAVE}
        pipelines = {m.arn for m in tenant.machines if m.clients} - bad
        most = max([most, *(calm[name] for name in pipelines)])
        told.update(
            people=len(human), grave_of_people=len(grave & human - bad),
            listed_of_people=len(calm.keys() & human - bad),
            stolen=len(incidents), found=sum(bool(listed_of(notables, i)) for i in incidents),
            outside=sum(i["origin"] == "external" for i in incidents), pipelines=len(pipelines),
            found_outside=sum(bool(listed_of(notables, i)) for i in incidents if i["origin"] == "external"),
            of_pipelines=sum(calm[name] for name in pipelines),
        )  # fmt: skip
    return {**told, "most_of_a_pipeline": most}


def cold(card: Scorecard, out: Path) -> Json:
    """Blunt thefts where nobody has a past."""
    found = []
    for seed in COLD:
        world = WORLDS["cold"](worlds.draw(seed, identities=60, history=0, company=False))
        notables, incidents = lived(world, card)
        for incident in incidents:
            mine = listed_of(notables, incident)
            best = max((n["score"] for n in mine), default=0.0)
            found.append({"seed": seed, "technique": incident["technique"], "listed": bool(mine), "score": best})
    return {"thefts": found}


def _judged(card: Scorecard, out: Path, trial: str, seeds: Sequence[int], padded: bool = False) -> list[Judged]:
    exams = [Exam(DRAWN, seed, padded, 60, trial) for seed in seeds]
    return [judge(Job(exam, card, out / "days")) for exam in exams]


def quiet(card: Scorecard, out: Path) -> Json:
    """What is done slowly, or beside the owner."""
    cases = [(case, each) for each in _judged(card, out, "quiet", QUIET) for case in each.cases if case.distinguishable]
    return {
        technique: {"incidents": len(mine), **{f"at {b:g}": sum(c.found(j.room(b)) for c, j in mine) for b in BUDGETS}}
        for technique in sorted({case.technique for case, _ in cases})
        for mine in [[(c, j) for c, j in cases if c.technique == technique]]
    }


def padded(card: Scorecard, out: Path) -> Json:
    """The same worlds, plain and padded."""
    found = {}
    for name, hides in (("plain", False), ("padded", True)):
        told = _judged(card, out, "dense", PADDED, hides)
        cases = [(case, each) for each in told for case in each.cases if case.distinguishable]
        found[name] = {"incidents": len(cases), "found": sum(c.found(j.room(BUDGETS[0])) for c, j in cases)}
    return found


def poisoned(card: Scorecard, out: Path) -> Json:
    """A month of one account, then patience."""
    works = [poison.Work(Spec(30, 60, seed, campaigns=16), card) for seed in POISON]
    return poison.capped([fate for work in works for fate in poison.poison(work, caps=(True,))])


TRIALS: Mapping[str, Callable[[Scorecard, Path], Json]] = {
    "people": people, "cold": cold, "quiet": quiet, "padded": padded, "poison": poisoned,
}  # fmt: skip


# ---- the page


def page(result: Json) -> str:
    """The figures as Markdown: no number is typed by hand."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Json) -> Iterator[str]:
    yield "# Trials\n\nFor: whoever wants to know what to expect of the score in one situation.\n"
    yield "<!-- Written by `python -m nhi_watch_lab.evaluation.trials --page FILE`: do not edit. -->\n"
    yield f"Model {result['model']}; simulated worlds of 40 to 110 identities, of seeds that nothing was tuned on.\n"
    yield "| trial | asked | measured |\n|---|---|---|"
    for name, told in result["trials"].items():
        yield from _ROWS[name](told)


def _people(told: Json) -> Iterator[str]:
    days = f"{told['people']} people (50 a world with console and keys), 30 days"
    yield (f"| {days} | no high or critical | {told['grave_of_people']} with one, {told['listed_of_people']} with a "
           "listed notable |")  # fmt: skip
    yield (f"| stolen keys of people | all found | {told['found']} of {told['stolen']} ({told['found_outside']} of the "
           f"{told['outside']} used from outside) |")  # fmt: skip
    yield (f"| {told['pipelines']} CI roles with dynamic runners, 30 days | at most one notable each | at most "
           f"{told['most_of_a_pipeline']}, {told['of_pipelines']} in all |")  # fmt: skip


def _cold(told: Json) -> Iterator[str]:
    thefts = told["thefts"]
    listed = sum(theft["listed"] for theft in thefts)
    scores = ", ".join(f"{theft['score']:g}" for theft in thefts)
    yield (f"| cold theft of about 1,000 objects, {len(COLD)} worlds | a notable each | {listed} of {len(thefts)} "
           f"(scores {scores}) |")  # fmt: skip


def _quiet(told: Json) -> Iterator[str]:
    for name, row in told.items():
        yield f"| {name} from inside | 0.70 at 10 | {_share(row['at 10'], row['incidents'])}, {row['at 3']} at 3 |"


def _padded(told: Json) -> Iterator[str]:
    plain, hidden = (_share(told[name]["found"], told[name]["incidents"]) for name in ("plain", "padded"))
    yield f"| attackers who pad | cost at most 0.05 at 10 | plain {plain}, padded {hidden} |"


def _poison(told: Json) -> Iterator[str]:
    for name, who in (("best_strategy", "any attacker"), ("never_written", "attackers that no notable told")):
        days = told[name]
        yield (f"| poisoning, {who}, of {told['seen_without_poisoning']} | at least 14 days, median 45 | least "
               f"{days['least']}, median {days['median']} |")  # fmt: skip


def _share(found: int, of: int) -> str:
    return f"{found / max(1, of):.2f} ({found} of {of})"


_ROWS: Mapping[str, Callable[[Json], Iterator[str]]] = {
    "people": _people, "cold": _cold, "quiet": _quiet, "padded": _padded, "poison": _poison,
}  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Run the trials; what was measured before by the same model is kept in a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--only", default=",".join(TRIALS), metavar="NAMES")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where trials.json goes")
    args = parser.parse_args(arguments)
    card = models.load()
    path = args.out / "trials.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    trials = kept.get("trials", {}) if kept.get("model") == card.id else {}
    for name in args.only.split(","):
        began = time.process_time()
        trials[name] = TRIALS[name](card, args.out)
        sys.stderr.write(f"{name}: {json.dumps(trials[name])}, {time.process_time() - began:.0f} s of processor time\n")
        args.out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"model": card.id, "trials": trials}, indent=1) + "\n", "utf-8")
    text = page({"model": card.id, "trials": {name: trials[name] for name in TRIALS if name in trials}})
    if args.page:
        args.page.write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    # under its importable name, so that worker processes and this one share the same types
    from nhi_watch_lab.evaluation.trials import main as run

    run(sys.argv[1:])
