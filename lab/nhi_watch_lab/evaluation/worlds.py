"""All worlds, judged: drawn ones, those by other hands, both padded, the old simulator; and rivals beside ours.

A world's result is kept by the hashes of the model, of the code that reads and judges, and of the world's own sources,
so that a rerun costs nothing. `python -m nhi_watch_lab.evaluation.worlds` is the short form, for tuning.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model as models
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation import exams, kept, open_rules, sigma_rules, unseen, worlds_page, worlds_sum
from nhi_watch_lab.evaluation.exams import DRAWN, HANDS, OLD, Exam
from nhi_watch_lab.evaluation.incidents import Progress, seeds_of, spread
from nhi_watch_lab.evaluation.judged import OURS, Case, Job, Judged, Notable, judge
from nhi_watch_lab.evaluation.learners import BOOSTING, Boosted, Fitted, Signals, boosting, left_out, missing
from nhi_watch_lab.evaluation.rivals import FirstSeen, RarityByDays, Rival
from nhi_watch_lab.evaluation.unseen import Fold

COMMAND = "python -m nhi_watch_lab.evaluation.worlds"
TEST = "3001-3010"
"""Seeds that nothing was ever tuned or selected on."""
VALIDATION = "2001-2020"
HANDS_SEEDS = {"second": "1-10", "third": "1-8", "fourth": "1-4", "fifth": "1-5"}
OLD_SEEDS = "501-504"


class Task(NamedTuple):
    """What is to be judged."""

    model: Scorecard
    exams: Sequence[Exam]
    out: Path
    """Keeps generated days and results."""
    rivals: bool = True
    rules: Optional[Path] = None
    """A folder of Sigma rules."""
    folds: Sequence[Fold] = ()
    """Models that judge techniques which they were not trained on."""
    workers: int = 2


class Work(NamedTuple):
    """One world for one process."""

    exam: Exam
    model: Scorecard
    out: Path
    rivals: bool
    rules: Optional[Path]
    boosting: Any = None
    folds: Sequence[Fold] = ()


def usual(seeds_by_kind: Mapping[str, str], identities: int = 0) -> list[Exam]:
    """The worlds of some seeds, plain and padded; those by other hands where they are there."""
    found = []
    for kind, seeds in seeds_by_kind.items():
        if seeds and exams.is_there(kind):
            variants = (False,) if kind == OLD else (False, True)
            found += [Exam(kind, seed, padded, identities) for padded in variants for seed in seeds_of(seeds)]
    return found


def measure(task: Task, progress: Progress) -> dict[str, Any]:
    """All figures of some worlds, as plain values."""
    boosted = boosting() if task.rivals else None
    works = [Work(exam, task.model, task.out, task.rivals, task.rules, boosted, task.folds) for exam in task.exams]
    told = worlds_sum.summarise(spread(one, works, (progress, "worlds"), task.workers))
    if task.rivals:
        lacking = left_out(boosted)
        told["rivals_left_out"] = {name: lacking[name] for name in ("hbos", BOOSTING) if name in lacking}
    return {**told, **_of_rules(task.rules)}


def _of_rules(folder: Optional[Path]) -> dict[str, Any]:
    if not folder:
        return {}
    rules = sigma_rules.load(folder)
    return {"rules": {"rules": len(rules.rules), "left_out": len(rules.left_out), "why": rules.left_out}}


def one(work: Work) -> Judged:
    """One world's result, worked out or read."""
    path = work.out / "worlds" / f"{_mark(work)}.json"
    if path.exists():
        return _load(json.loads(path.read_text("utf-8")))
    rivals = _rivals(work) if work.rivals else []
    found = judge(Job(work.exam, work.model, work.out / "days", rivals, work.folds))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found) + "\n", "utf-8")
    return found


def _rivals(work: Work) -> list[Rival]:
    found: list[Rival] = [FirstSeen(), RarityByDays()]
    if not missing("hbos"):
        found.append(Fitted("hbos", Signals(), "hbos_on_signals"))
    if work.boosting is not None:
        found.append(Boosted(work.boosting))
    if work.rules:
        found.append(open_rules.OpenRules(open_rules.fired(work.exam, work.rules, work.out / "rules")))
    return found


def _mark(work: Work) -> str:
    code = kept.code_hash((*kept.READING, *kept.JUDGING)), kept.code_hash(("evaluation",), exams.LAB)
    rules = open_rules.folder_hash(work.rules) if work.rules else ""
    cards = work.model.sha256, *(fold.card.sha256 for fold in work.folds)
    told = (cards, exams.mark(work.exam), code, work.rivals, rules, missing("hbos"), bool(work.boosting))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


def _load(row: Sequence[Any]) -> Judged:
    exam, days, identities, cases, benign, calibration = row
    made = [Case._make([*case[:-1], _notable(case[-1])]) for case in cases]
    told = [notable for each in benign if (notable := _notable(each))]
    return Judged(Exam(*exam), days, identities, made, told, [tuple(each) for each in calibration])


def _notable(row: Optional[Sequence[Any]]) -> Optional[Notable]:
    return None if row is None else Notable._make([*row[:-1], {name: tuple(told) for name, told in row[-1].items()}])


# ---- the short form


def main(arguments: Sequence[str]) -> None:
    """Judge some worlds and say how each fares."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--drawn", default="", metavar="SEEDS", help=f"as in {VALIDATION}; {TEST} are for the end")
    for kind in (*HANDS, OLD):
        parser.add_argument(f"--{kind}", default="", metavar="SEEDS")
    parser.add_argument("--identities", type=int, default=0, help="0: as drawn")
    parser.add_argument("--plain", action="store_true", help="without the padded variants")
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--no-boosting", action="store_true", help="leave out the rival that training must precede")
    parser.add_argument("--rules", type=Path, metavar="DIR")
    parser.add_argument("--unseen", type=Path, metavar="DIR", help="models that were trained without some techniques")
    parser.add_argument("--costly", type=int, metavar="N",
                        help="boosting, --rules and --unseen in the first N worlds of each kind alone, not padded")
    parser.add_argument("--model", type=Path, default=models.FOLDER, metavar="DIR")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--missed", type=int, default=0, metavar="N", help="missed incidents shown, with what outranks")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the figures there, as Markdown")
    args = parser.parse_args(arguments)
    chosen = usual({kind: getattr(args, kind) for kind in (DRAWN, *HANDS, OLD)}, args.identities)
    chosen = [exam for exam in chosen if not (args.plain and exam.padded)]
    if not chosen:
        raise InputError("name seeds: --drawn, --old, or of a world by other hands, as --second")
    began = time.perf_counter()
    card = models.load(args.model)
    works = _works(args, card, chosen)
    found = spread(one, works, (lambda stage, done, total: None, ""), args.workers)
    if args.page:
        result = {"model": card._asdict(), "worlds": {**worlds_sum.summarise(found), **_of_rules(args.rules)}}
        worlds_page.write(args.page, result, f"{COMMAND} {' '.join(arguments)}")
    lines = worlds_sum.digest(found, args.missed)
    sys.stdout.write("\n".join(lines) + f"\n{time.perf_counter() - began:.0f} s; {OURS} {card.id}\n")


def _works(args: argparse.Namespace, card: Scorecard, chosen: Sequence[Exam]) -> list[Work]:
    boosted = boosting() if args.rivals and not args.no_boosting else None
    folds = unseen.load(args.unseen) if args.unseen else ()
    costly = set(chosen)
    if args.costly is not None:
        kinds = ([e for e in chosen if e.kind == kind and not e.padded] for kind in {e.kind for e in chosen})
        costly = {exam for plain in kinds for exam in plain[: args.costly]}
    return [
        Work(exam, card, args.out, args.rivals, args.rules, boosted, folds) if exam in costly
        else Work(exam, card, args.out, args.rivals, None)
        for exam in chosen
    ]  # fmt: skip


if __name__ == "__main__":
    # under its importable name, so that worker processes and this one share the same types
    from nhi_watch_lab.evaluation.worlds import main as run

    run(sys.argv[1:])
