"""One harness: worlds × detectors × budgets → one table. What is found is what stands in the list.

Each generator is judged by a model that never saw it (`--leave-out`, the default), or all by one model. Ours is what
`nhi_watch.score` lists, by the product's own code from records to list. Rivals order identity-days by a number of their
own; their list follows the same rule: a place for what is among the gravest A of seven days, and a notable goes on for
a week. Worlds hold some thirty times as many incidents as life: what these take of a budget is added to it, so that a
budget of 10 leaves room for ten others a day and 1,000 identities.

- found: an incident of which a listed notable holds a record (ours), or a listed identity-day is part (rivals)
- false: listed notables that hold no record of any incident, a day and 1,000 identities that are active a day and
  were seen before
- calibration: notables from the least likelihood on, incidents weighed down to PREVALENCE of identity-days
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, product
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple, Optional

from rich.console import Console

import nhi_watch
from nhi_watch.core.errors import InputError
from nhi_watch.core.life import tells_calls
from nhi_watch.core.notable import SEVERITIES
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.cases import GAP as GONE
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam, Replay, grouped
from nhi_watch_lab.evaluation.rivals import FirstSeen, OpenRules, RarityByDays, Rival, fired, load

OURS = "nhi_watch"
BUDGETS = (10.0, 3.0)
"""Notables a day per 1,000 identities."""
SEEDS = {"drawn": "3001-3003", "old": "501-502", "second": "4-6", "third": "7,9,11", "fourth": "4-6", "fifth": "4-6"}
"""Judged by default: none of them is trained on, but their generators' other seeds may be."""
PREVALENCE = 0.0075
"""Incidents by identity-days at which calibration and precision are told, as in training."""
SHOWN = 5.0
"""Likelihood from which notables, listed or not, count for calibration."""
COMMAND = "python -m nhi_watch_lab.evaluation.harness"


Incident = Mapping[str, Any]


class Case(NamedTuple):
    """One incident."""

    technique: str
    origin: str
    """external | inside"""
    found: bool


class Told(NamedTuple):
    """One notable of ours, for calibration."""

    likelihood: float
    severity: str
    bad: bool
    listed: bool
    age: int
    """Days since the tenant was first seen."""


class Judged(NamedTuple):
    """One world, one detector, one budget."""

    world: str
    hand: str
    detector: str
    budget: float
    cases: list[Case]
    false: int
    identity_days: float
    """Of the test, of identities that were seen before."""
    told: list[Told]


class World(NamedTuple):
    """A world at hand."""

    exam: Exam
    incidents: list[dict[str, Any]]
    days: list[list[Any]]
    """Records, day by day."""

    @property
    def start(self) -> int:
        """The day on which the test begins: that of the first incident."""
        return first_day(self.incidents)

    @property
    def tested(self) -> int:
        """Days of the test."""
        last = max(parse(one.get("start") or one["first_time"]) for one in self.incidents) // DAY
        return last - self.start + 1


def first_day(incidents: Iterable[Incident]) -> int:
    """The day of the first incident."""
    return min(parse(one.get("start") or one["first_time"]) for one in incidents) // DAY


def world_of(exam: Exam) -> World:
    """Make a world."""
    days = list(exams.raw(exam)[1])
    return World(exam, [one for incidents, _ in days for one in incidents], [records for _, records in days])


# ---- ours


def compromises(
    incidents: Sequence[Incident], days: Iterable[Iterable[Any]], model: Path, budget: float, identity_days: float
) -> list[tuple[dict[str, Any], frozenset[str]]]:
    """The notables that `nhi_watch.score` makes of days, each with the incidents of which it holds a record."""
    crowd = 1000 * len(incidents) / max(1.0, identity_days)
    result = nhi_watch.score(chain.from_iterable(days), budget=budget + crowd, model=model)
    owner = {record: one["id"] for one in incidents for record in one["record_ids"]}
    return [(notable, frozenset(owner[record] for record in notable["record_ids"] if record in owner))
            for notable in (*result.standing, *result.below) if tells_calls(notable)]  # fmt: skip


def ours(world: World, model: Path, budget: float, identity_days: float) -> Judged:
    """What `nhi_watch.score` lists of a world."""
    told = compromises(world.incidents, world.days, model, budget, identity_days)
    found = [(n, of) for n, of in told if n["listed"] or n["likelihood"] >= SHOWN]
    hit = {name for n, of in found if n["listed"] for name in of}
    first = min((parse(n["first_time"]) // DAY for n, _ in found), default=0)
    seen = [
        Told(n["likelihood"], n["severity"], bool(of), n["listed"], parse(n["first_time"]) // DAY - first)
        for n, of in found if parse(n["last_time"]) // DAY >= world.start
    ]  # fmt: skip
    false = sum(one.listed and not one.bad for one in seen)
    return Judged(world.exam.name, world.exam.kind, OURS, budget, _cases(world, hit), false, identity_days, seen)


def _cases(world: World, found: Collection[str]) -> list[Case]:
    return [Case(one["technique"], one["origin"], one["id"] in found)
            for one in world.incidents if one.get("distinguishable", True)]  # fmt: skip


# ---- rivals


class _List:
    """The list of a detector that gives each identity-day a number."""

    def __init__(self, allowance: int) -> None:
        self._allowance = allowance
        self._stood: dict[str, tuple[int, float, bool]] = {}
        """Identity → last day, the highest number, whether it is listed."""
        self.found: set[str] = set()
        self.false = 0

    def day(self, day: int, told: Iterable[tuple[str, float, frozenset[str]]]) -> None:
        """Take in a day's identities with their numbers and incidents."""
        self._stood = {who: one for who, one in self._stood.items() if one[0] >= day - GONE}
        for who, score, incidents in sorted(told, key=lambda one: (-one[1], one[0])):
            _, most, was_listed = self._stood.get(who, (0, 0.0, False))
            graver = sum(name != who and one[1] >= score for name, one in self._stood.items())
            is_listed = was_listed or graver < self._allowance
            self._stood[who] = day, max(score, most), is_listed
            if is_listed:
                self.found |= incidents
                self.false += not incidents and not was_listed


def rivals(world: World, detectors: Sequence[Rival], card: Scorecard) -> tuple[list[Judged], float]:
    """What rivals list of a world at each budget; and the identity-days of the test, of identities seen before."""
    replay, size = Replay(card), 0
    replay.label(world.incidents)
    lists: dict[tuple[str, float], _List] = {}
    for records in world.days:
        for everybody in replay.by_day(grouped(records)):
            items = [item for item in everybody if item.ranked.eligible]
            told = {one.name: one.score(items) for one in detectors}
            if everybody[0].day >= world.start:
                known = sum(item.episode.view.past.own.days > 0 for item in items)
                size += known
                for name, budget in product(told, BUDGETS):
                    ids = [(item.ranked.identity_id, item.incidents) for item in items]
                    rows = ((who, told[name].get(who, 0.0), incidents) for who, incidents in ids)
                    if (name, budget) not in lists:
                        crowd = 1000 * len(world.incidents) / max(1, world.tested * known)
                        lists[name, budget] = _List(ranking.week_allowance(budget + crowd, known))
                    lists[name, budget].day(everybody[0].day, [row for row in rows if row[1] > 0])
            for one in detectors:
                one.learn(items)
    named = (world.exam.name, world.exam.kind)
    return [Judged(*named, name, budget, _cases(world, told.found), told.false, float(size), [])
            for (name, budget), told in lists.items()], float(size)  # fmt: skip


# ---- all worlds


class Task(NamedTuple):
    """One world for one process."""

    exam: Exam
    model: Path
    rivals: Sequence[Rival]
    rules: Optional[Path] = None
    """A folder of Sigma rules, which with an allow-list are a rival."""


def judge(task: Task) -> list[Judged]:
    """All that is measured in one world."""
    world, card = world_of(task.exam), models.load(task.model)
    made = [*task.rivals]
    if task.rules:
        made.append(OpenRules(fired(world.days, load(task.rules).rules)))
    found, size = rivals(world, made, card)
    return [*(ours(world, task.model, budget, size) for budget in BUDGETS), *found]


def measured(tasks: Sequence[Task], workers: int) -> list[Judged]:
    """Every world, spread over processes: new ones, since threads of a library that learns do not survive a fork."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [one for each in pool.map(judge, tasks) for one in each]


def left_out(kept: Path, workers: int, out: Path) -> dict[str, tuple[Path, Optional[Rival]]]:
    """Hand → the model that never saw it, written into a folder, and boosting on our signals that never did either."""
    from nhi_watch_lab.training import calibrate, commands, fit, write
    from nhi_watch_lab.training.learners import Boosting

    wanted, prior = commands.Wanted(), json.loads(commands.PRIOR.read_text("utf-8"))
    families = commands.training_rows(wanted, kept, workers=workers)
    forests = fit.Forests(families, workers)
    seen = calibrate.told(forests, wanted.families(commands.SIZE), families, prior, kept, workers)
    found: dict[str, tuple[Path, Optional[Rival]]] = {}
    for hand in forests.hands:
        folder = out / f"without-{hand}"
        folder.mkdir(parents=True, exist_ok=True)
        write.write(folder, write.document(calibrate.fitted(forests, seen, hand), prior), f"all but {hand}")
        others = [worlds for name, worlds in families.items() if fit.hand_of(name) != hand]
        found[hand] = folder, Boosting(fit.even(others))
    return found


# ---- one table


class Line(NamedTuple):
    """What one detector reaches with one generator at one budget."""

    hand: str
    detector: str
    budget: float
    outside: Optional[float]
    """Share of incidents from outside that stand in the list; None: there are none."""
    inside: Optional[float]
    counts: tuple[int, int]
    false: float
    """False notables a day per 1,000 identities."""


def table(found: Iterable[Judged]) -> list[Line]:
    """By generator, detector and budget; a generator's worlds are one."""
    alike: dict[tuple[str, str, float], list[Judged]] = {}
    for one in found:
        alike.setdefault((one.hand, one.detector, one.budget), []).append(one)
    return [_line(*key, alike[key]) for key in sorted(alike, key=lambda key: (key[1], key[0], -key[2]))]


def _line(hand: str, detector: str, budget: float, worlds: Sequence[Judged]) -> Line:
    cases = [case for one in worlds for case in one.cases]
    inside = [case.found for case in cases if case.origin == "inside"]
    outside = [case.found for case in cases if case.origin != "inside"]
    days = sum(one.identity_days for one in worlds)
    return Line(
        hand, detector, budget, mean(outside) if outside else None, mean(inside) if inside else None,
        (len(outside), len(inside)), 1000 * sum(one.false for one in worlds) / max(1.0, days),
    )  # fmt: skip


class Sure(NamedTuple):
    """Whether the likelihood says how often notables are intrusions."""

    error: float
    """Mean distance of likelihood and truth over deciles, weighed by their size."""
    deciles: list[tuple[float, float, int]]
    """Mean likelihood (0 to 1), share of intrusions, notables."""
    severities: dict[str, tuple[float, int]]
    """Severity → share of intrusions among the listed, and how many are listed."""


def sure(found: Sequence[Judged]) -> Sure:
    """Calibration and precision over ours at the first budget, incidents weighed down to PREVALENCE."""
    rows = [(told, _weight(one) if told.bad else 1.0)
            for one in found if (one.detector, one.budget) == (OURS, BUDGETS[0]) for told in one.told]  # fmt: skip
    whole, deciles, error = sum(weight for _, weight in rows), list[tuple[float, float, int]](), 0.0
    for low in range(0, 100, 10):
        part = [(t, w) for t, w in rows if low <= t.likelihood < low + 10 or (low == 90 and t.likelihood >= 90)]
        weight = sum(w for _, w in part)
        if weight:
            said = sum(t.likelihood * w for t, w in part) / weight / 100
            true = sum(w for t, w in part if t.bad) / weight
            deciles.append((said, true, len(part)))
            error += weight * abs(said - true) / whole
    severities = {}
    for severity in SEVERITIES:
        part = [(t, w) for t, w in rows if t.severity == severity and t.listed]
        if part:
            severities[severity] = sum(w for t, w in part if t.bad) / sum(w for _, w in part), len(part)
    return Sure(error, deciles, severities)


def _weight(one: Judged) -> float:
    """By what an incident counts so that they are PREVALENCE of a world's identity-days."""
    return min(1.0, PREVALENCE * one.identity_days / max(1, len(one.cases)))


def page(found: Sequence[Judged], how: str) -> str:
    """All of it as Markdown."""
    ours = [one for one in found if one.detector == OURS]
    told = [
        "# How good the list is", "", "For anyone who asks what the list finds and what it costs.", "",
        f"<!-- Written by `{COMMAND}`: change the code, not this page. -->", "", how, "",
        "Share of incidents that stand in the list, from outside and from inside the victim's network, at two budgets; "
        "false ones are listed notables that hold no record of any incident, a day and 1,000 identities. Rivals by "
        "generator: [likelihood.csv](likelihood.csv).", "",
        "| detector | generator | incidents (outside, inside) | outside at 10 | inside at 10 | false at 10 "
        "| outside at 3 | inside at 3 | false at 3 |", "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for detector, mine, hands in _detectors(table(found)):
        if detector == OURS:
            told += (f"| {' | '.join(_by_budget(mine, detector, hand))} |" for hand in hands)
        told.append(f"| **{detector}** | mean of generators | | {' | '.join(_summed(mine, hands, mean))} |")
        told.append(f"| **{detector}** | worst generator | | {' | '.join(_summed(mine, hands, min))} |")
    return "\n".join([*told, *_truth(ours)]) + "\n"


def by_generator(found: Sequence[Judged]) -> Iterator[tuple[str, ...]]:
    """The table of the page with the rivals' figures by generator, for a CSV file beside it."""
    yield ("detector", "generator", "incidents", *(f"{what} at {at:g}" for at in BUDGETS for what in _FIGURES))
    for detector, mine, hands in _detectors(table(found)):
        yield from (_by_budget(mine, detector, hand) for hand in hands)


def _detectors(lines: Sequence[Line]) -> Iterator[tuple[str, dict[tuple[str, float], Line], list[str]]]:
    """Each detector with its lines by generator and budget, and the generators in order."""
    for detector in dict.fromkeys(line.detector for line in lines):
        mine = {(line.hand, line.budget): line for line in lines if line.detector == detector}
        yield detector, mine, sorted({hand for hand, _ in mine})


_FIGURES = ("outside", "inside", "false")


def _by_budget(mine: Mapping[tuple[str, float], Line], detector: str, hand: str) -> tuple[str, ...]:
    ten, three = (mine[hand, budget] for budget in BUDGETS)
    return detector, hand, f"{ten.counts[0]}, {ten.counts[1]}", *_cells(ten), *_cells(three)


def _truth(ours: Sequence[Judged]) -> list[str]:
    """The part of the page on calibration and precision."""
    by_hand = {hand: sure([one for one in ours if one.hand == hand]) for hand in sorted({one.hand for one in ours})}
    whole, errors = sure(ours), ", ".join(f"{hand} {one.error:.3f}" for hand, one in by_hand.items())
    deciles = (f"| {said:.0%} | {true:.0%} | {count} |" for said, true, count in whole.deciles)
    severities = (f"| {name} | {share:.0%} | {count} |" for name, (share, count) in reversed(whole.severities.items()))
    return [
        "", "## Whether the likelihood is true", "",
        f"Notables of {SHOWN:g}% and more, incidents weighed to {PREVALENCE:.2%} of identity-days. Error: "
        f"{whole.error:.3f} pooled; {errors}.", "",
        "| likelihood | intrusions | notables |", "|---|---|---|", *deciles, "",
        "| severity | intrusions among the listed | listed |", "|---|---|---|", *severities,
    ]  # fmt: skip


def _cells(line: Line) -> tuple[str, str, str]:
    return _share(line.outside), _share(line.inside), f"{line.false:.1f}"


def _share(told: Optional[float]) -> str:
    return "" if told is None else f"{told:.2f}"


def _summed(
    lines: Mapping[tuple[str, float], Line], hands: Sequence[str], by: Callable[[list[float]], float]
) -> list[str]:  # fmt: skip
    cells = []
    for budget in BUDGETS:
        for name in ("outside", "inside"):
            known = [value for hand in hands if (value := getattr(lines[hand, budget], name)) is not None]
            cells.append(_share(by(known) if known else None))
        cells.append(f"{(max if by is min else by)([lines[hand, budget].false for hand in hands]):.1f}")
    return cells


# ---- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi evaluate` takes."""
    for kind, seeds in SEEDS.items():
        parser.add_argument(f"--{kind}", default=seeds, metavar="SEEDS", help=f"worlds to judge (default: {seeds})")
    parser.add_argument("--one-model", action="store_true",
                        help="judge all worlds by one model, not each by one that never saw its generator")  # fmt: skip
    parser.add_argument("--model", type=Path, default=models.FOLDER, metavar="DIR",
                        help="that model (default: the shipped one)")  # fmt: skip
    parser.add_argument("--padded", action="store_true", help="worlds in which attackers hide among harmless calls")
    parser.add_argument("--rules", type=Path, metavar="DIR",
                        help="a folder of Sigma rules: with an allow-list, a rival")  # fmt: skip
    parser.add_argument("--mornings", action="store_true",
                        help="judge what is read each morning, without and with verdicts")  # fmt: skip
    parser.add_argument("--no-rivals", action="store_true", help="judge ours alone")
    parser.add_argument("--kept", type=Path, default=Path("out/training"), metavar="DIR",
                        help="rows of training worlds (default: %(default)s)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    parser.add_argument("--out", type=Path, default=Path("out/evaluate"), metavar="DIR",
                        help="gets models and evaluate.json (default: %(default)s)")  # fmt: skip
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")


def run(args: argparse.Namespace, console: Console) -> int:
    """Measure, write and show.

    Raises:
        InputError: seeds are no numbers, or a generator is not in this tree.
    """
    from nhi_watch_lab.training import commands

    args.out.mkdir(parents=True, exist_ok=True)
    exams_told = [Exam(kind, seed, args.padded) for kind in SEEDS for seed in seeds_of(getattr(args, kind))]
    if args.one_model:
        known: dict[str, tuple[Path, Optional[Rival]]] = dict.fromkeys(SEEDS, (args.model, None))
        how = f"By one model, {models.load(args.model).id}."
    else:
        known = left_out(args.kept, args.workers, args.out)
        how = f"Each generator by a model trained on the others: {commands.Wanted().told}."
    if args.mornings:
        return _mornings(args, console, known, f"{how} Worlds: {', '.join(exam.name for exam in exams_told)}.")
    tasks = [Task(exam, folder, [] if args.no_rivals else _rivals(boosting), args.rules)
             for exam in exams_told for folder, boosting in [known[exams.family_of(exam.kind)]]]  # fmt: skip
    found = measured(tasks, args.workers)
    (args.out / "evaluate.json").write_text(json.dumps([one._asdict() for one in found], indent=1) + "\n", "utf-8")
    told = page(found, f"{how} Worlds: {', '.join(exam.name for exam in exams_told)}.")
    if args.page:
        args.page.write_text(told, "utf-8")
        with args.page.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(by_generator(found))
    console.print(told, markup=False, soft_wrap=True)
    return 0


def _mornings(
    args: argparse.Namespace, console: Console, known: Mapping[str, tuple[Path, Optional[Rival]]], how: str
) -> int:
    from nhi_watch_lab.evaluation import mornings

    tasks = [mornings.Task(Exam(kind, seed, args.padded), known[exams.family_of(kind)][0])
             for kind in SEEDS for seed in seeds_of(getattr(args, kind))]  # fmt: skip
    found = mornings.measured(tasks, args.workers)
    mornings.write(found, args.out / "mornings.json")
    text = mornings.page(found, how)
    if args.page:
        args.page.write_text(text, "utf-8")
    console.print(text, markup=False, soft_wrap=True)
    return 0


def _rivals(boosting: Optional[Rival]) -> list[Rival]:
    from nhi_watch_lab.training.learners import Histograms

    return [FirstSeen(), RarityByDays(), Histograms(), *([boosting] if boosting else [])]


def seeds_of(text: str) -> list[int]:
    """Numbers, as in 1,3 or 5-7.

    >>> seeds_of("1,3,5-7")
    [1, 3, 5, 6, 7]

    Raises:
        InputError: they are none.
    """
    try:
        ends = [part.partition("-") for part in text.split(",") if part.strip()]
        return [seed for low, _, high in ends for seed in range(int(low), int(high or low) + 1)]
    except ValueError as error:
        raise InputError(f"seeds {text!r}: give numbers, as in 1001-1016 or 1,3") from error


def main() -> None:
    """The command by itself."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.split("\n")[0] if __doc__ else "")
    add_arguments(parser)
    run(parser.parse_args(), Console())


if __name__ == "__main__":
    main()
