"""The jobs behind the commands that work on files: read, score, write what people look at."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.act import audit
from nhi_watch.context import assets, networks, reputation
from nhi_watch.context.context import Context
from nhi_watch.context.networks import SHIPPED
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import OUT_OF_SCOPE, InputError, ModelError, RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.detect import casework, drift, feedback, model, suspicion
from nhi_watch.detect.engine import BUDGET
from nhi_watch.detect.run import Result, ranked
from nhi_watch.detect.session import Session
from nhi_watch.hosts.codec import use_orjson
from nhi_watch.hosts.files import originals, reader, trust
from nhi_watch.hosts.files.common import BELOW, LISTED, demand_own, json_file, write_lists
from nhi_watch.hosts.files.reader.rejects import NAMED, Rejects
from nhi_watch.intake import sources
from nhi_watch.intake.horizon import AHEAD
from nhi_watch.report import jsonlines, run_summary
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore

LEARNT_WITHIN = 28
"""Days within which those with records count as learnt."""
Json = dict[str, Any]
Bytes = Callable[[int], None]
Stage = Callable[[str, int, int], None]
SOURCES = {source.NAME: source for source in sources.every()}
"""Name → source."""


class ScoreJob(NamedTuple):
    """What to score, and where to put what comes of it."""

    paths: Sequence[str]
    out: Path
    state: Optional[Path] = None
    """SQLite file; None: nothing is remembered."""
    budget: float = BUDGET
    learn: bool = True
    source: str = "auto"
    assets: Optional[Path] = None
    networks: Optional[Path] = None
    model: Path = model.FOLDER
    reputation: Sequence[Path] = ()
    """Files of indicators."""
    now: Optional[int] = None
    """By which verdicts, exceptions and patterns take effect and end; None: by the clock."""
    file_bounds: float = 1.0
    """By how much the default bounds of one file are multiplied."""
    lists_weak: bool = True
    """Whether what is below the list is read by anybody: of a baseline it is not."""


# ---- reading


SEVERAL = 2
UNKNOWN = "unknown_source"
"""Why a record is rejected that is of no kind of log that is read."""


class Gathering:
    """Where all goes that is read."""

    def __init__(
        self, session: Session, rejects: Rejects, places: Optional[originals.Originals], closed: int = 0
    ) -> None:
        """`closed`: the day before which the state no longer knows which records it took in."""
        self._session, self._rejects, self._places, self._closed = session, rejects, places, closed
        self.again = 0
        """Records of such days that an earlier run took in from the same place: they count as duplicates."""
        self._of_use: set[str] = set()
        self._refused: Counter[str] = Counter()
        """Pieces of a file that were no record; a file that is none as a whole counts as several."""
        self._unknown: Counter[str] = Counter()
        """Records of a file that no source knows."""

    def read(self, files: reader.InputFiles, moved: Bytes) -> None:
        """Read files."""
        for batch in reader.read_files(files, moved):
            self._feed(batch)

    def _feed(self, batch: reader.Batch) -> None:
        intake_batch, rejects, places = self._session.batch, self._rejects, self._places
        refused = 0

        def refuse(index: int, error: RejectError) -> None:
            nonlocal refused
            if error.reason not in OUT_OF_SCOPE:
                refused += 1
                self._unknown[batch.file] += error.reason == UNKNOWN
                rejects.refuse(batch.where(index), error, lambda: batch.raw(index))

        rejects.pass_over(batch.passed)
        for piece in batch.bad:
            intake_batch.reject(piece.reason)
            rejects.add(piece)
        noting, known = places.noting(batch) if places else None, intake_batch.duplicates

        def note(index: int, event: Event) -> None:
            nonlocal known
            is_fresh, known = intake_batch.duplicates == known, intake_batch.duplicates
            if noting is not None and noting(index, event) and is_fresh and event.time // DAY < self._closed:
                self.again += 1

        self._session.feed(batch.records, refuse, note if noting else None)
        if refused < len(batch.records):
            self._of_use.add(batch.file)
        self._refused[batch.file] += refused + sum(1 if piece.line else SEVERAL for piece in batch.bad)

    def failed(self) -> dict[str, Any]:
        """How many files there are of which nothing could be read, and the first of them; one odd record is no file."""
        files = [file for file in self._useless() if self._unknown[file] < self._refused[file]]
        return {"files": len(files), "named": files[:NAMED]}

    def unknown(self) -> list[reader.Passed]:
        """Files of another program, such as a SIEM's own alerts: no record of theirs is of a kind that a source reads.

        They are no failure, or a folder that holds one would fail for good; a log that is missed is a silent one.
        """
        of_others = [file for file in self._useless() if self._unknown[file] == self._refused[file]]
        return [
            reader.Passed(file, f"no source knows any of its {self._unknown[file]:,} records", may_matter=True)
            for file in of_others
        ]

    def _useless(self) -> list[str]:
        return [file for file, count in self._refused.items() if count >= SEVERAL and file not in self._of_use]


# ---- jobs


@few_collections()
def score(job: ScoreJob, on_bytes: Bytes = lambda n: None, on_stage: Stage = lambda s, d, t: None) -> Result:
    """Score files and write notables.jsonl, report.html, rejects.jsonl and run.json.

    Raises:
        InputError: a path, a table or the state file is wrong.
        ModelError: the model does not match its manifest.
    """
    started = time.perf_counter()
    _prepare(job)
    store = SqliteStore(job.state) if job.state else MemoryStore()
    try:
        with originals.of_state(job.state or job.out / "none") as places:
            result = _run(job, store, on_bytes, on_stage, places)
            is_written = _is_written(job, result)
            if not job.learn and not is_written:
                events = originals.renew(job.out, [*result.notables, *result.below], places)
        if job.learn:
            store.commit()
    finally:
        store.close()
    if job.learn and not (is_written and places.is_known):
        events = _events(job, result, places)
    result.run["seconds"]["total"] = round(time.perf_counter() - started, 3)
    if not is_written:
        write_lists(job.out, job.state, (result.notables, result.below), result.run, events)
    jsonlines.write(job.out / "run.json", [result.run])
    if job.state and job.learn:
        audit.note_change(job.state.parent / audit.NAME, "model", result.run["model"]["sha256"], result.run["model"])
    return result


def _is_written(job: ScoreJob, result: Result) -> bool:
    """Whether nothing came, and the folder holds the lists of an earlier run that are the same: its page is kept."""
    run, before, page = result.run, job.out / "run.json", job.out / "report.html"
    if run["events"] or run["rejected"] or not (before.is_file() and page.is_file()):
        return False
    lists = ((LISTED, result.notables), (BELOW, result.below))
    same = run_summary.page_of(run) == run_summary.page_of(json_file(before, "counts of a run"))
    return same and all(jsonlines.holds(job.out / name, rows) for name, rows in lists)


def _events(job: ScoreJob, result: Result, places: originals.Originals) -> dict[str, dict[str, Any]]:
    """The records behind the notables, of this run and of earlier ones."""
    notables = [*result.notables, *result.below]
    if not job.state:
        return originals.renew(job.out, notables, places)
    store = SqliteStore(job.state.with_name(originals.FILES))
    try:
        places.remember(store)
        events = originals.renew(job.out, notables, places)
        store.commit()
    finally:
        store.close()
    return events


def _prepare(job: ScoreJob) -> None:
    inside = [p for p in job.paths if p != "-" and Path(p).is_dir() and Path(p).resolve() == job.out.resolve()]
    if inside:
        raise InputError(f"--out {job.out} is itself an input; choose another folder for the results")
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {job.out}: cannot make the folder ({error.strerror})") from error
    trust.demand_results(job.out)
    if job.state:
        trust.demand_state(job.state)
        trust.demand_state(job.state.with_name(originals.FILES))


def context_of(job: ScoreJob) -> Context:
    """The customer's tables that the job names.

    Raises:
        InputError: a table is wrong; it names file and line.
    """
    return Context(
        assets.load(job.assets) if job.assets else {},
        reputation.load(job.reputation),
        networks.load(job.networks) if job.networks else SHIPPED,
    )


def _run(
    job: ScoreJob, store: Any, on_bytes: Bytes, on_stage: Stage, places: Optional[originals.Originals] = None
) -> Result:
    use_orjson()
    demand_own(store)
    context = context_of(job)
    asked = list(SOURCES.values()) if job.source == "auto" else [SOURCES[job.source]]
    clock = time.time if job.now is None else lambda: float(job.now or 0)
    rules = model.load(job.model)
    session = Session(store, asked, context, clock, model=rules, budget=job.budget, lists_weak=job.lists_weak)
    state, started = session.state, time.perf_counter()
    with Rejects(job.out / "rejects.jsonl") as rejects:
        files = reader.find(job.paths, job.out)._replace(bounds=reader.Bounds(job.file_bounds))
        gathering = Gathering(session, rejects, places, state.daybook.first_kept)
        gathering.read(files, on_bytes)
    result_started = time.perf_counter()
    result = session.finish(on_stage)
    session.confirm(result.events)  # the lists hold all that stands, so none of them has to arrive
    listed = context.reputation
    result.run["reputation"] = {"indicators": listed.read, "listed": len(listed.table), "refused": listed.refused}
    spreads = _spreads(job.model, str(result.run["model"]["sha256"]))
    result.run["drift"] = drift.to_json(drift.report(store, state.daybook.closed_days, spreads))
    rejects.pass_over(gathering.unknown())
    result.run.update(rejects.to_json(), failed=gathering.failed())
    for name, count in (("too_late", -gathering.again), ("events", -gathering.again), ("duplicates", gathering.again)):
        result.run[name] += count
    result.run["days_known"] = _known(state)
    _demand_events(result.run, job.out)
    in_work = result.run["verdicts"]["in_work"]
    notables, below = lists_of([*result.standing, *result.notables], result.below, in_work)
    said = feedback.standing(feedback.verdicts(store))
    result.run["routines"] = [
        routine for routine in result.run["routines"] if not said.keys() >= set(routine["notables"])
    ]
    result.run["work"] = casework.standing(casework.read_notes(store))
    if not notables:
        first, last = (parse(f"{day}T00:00:00Z") // DAY for day in result.run["days"] or ("1970-01-01",) * 2)
        result.run["most_suspicious"] = suspicion.most_suspicious(state, state.daybook.between(first, last + 1))
    result.run["seconds"]["read"] = round(result_started - started, 3)
    return result._replace(notables=notables, below=below)


def _known(state: State) -> int:
    """Days of the latest weeks that have records: days without are no history, however long ago the first one is."""
    days = state.daybook.days
    return len(state.daybook.between(days[-1] - LEARNT_WITHIN + 1, days[-1] + 1)) if days else 0


def lists_of(
    listed: Iterable[NotableDocument], below: Iterable[NotableDocument], in_work: Collection[str] = ()
) -> tuple[list[NotableDocument], list[NotableDocument]]:
    """What people read, ranked: the list, and what is below it; what is in both is in the list."""
    mine = {notable["id"]: notable for notable in listed}
    listed = ranked(mine.values(), in_work)
    below = [notable for notable in below if notable["id"] not in mine]
    return listed, [{**notable, "rank": rank} for rank, notable in enumerate(ranked(below), len(listed) + 1)]


def _spreads(folder: Path, sha256: str) -> Optional[drift.Spread]:
    """Those of training; damaged ones keep no run from scoring, `nhi health` reports them."""
    try:
        return drift.reference(folder, sha256)
    except ModelError:
        return None


def _demand_events(run: dict[str, Any], out: Path) -> None:
    """A run that understood nothing must not look like an all-clear, nor replace an earlier report."""
    if run["rejected"] and not run["parsed"] and not (OUT_OF_SCOPE | {AHEAD}) & run["rejected"].keys():
        reason = max(run["rejected"], key=lambda name: (run["rejected"][name], name))
        raise InputError(
            f"none of {run['read']:,} records could be read, most of them for {reason}{_detail(out, reason)}; "
            f"see {out / 'rejects.jsonl'}, and check the paths and --source"
        )


def _detail(out: Path, reason: str) -> str:
    """What is said of the first reject of a reason: it names the remedy."""
    with (out / "rejects.jsonl").open(encoding="utf-8") as file:
        lines = (json.loads(line) for line in file)
        detail = next((line["detail"] for line in lines if line["reason"] == reason), "")
    return f" ({clip(detail, 300)})" if detail else ""


@few_collections()
def learn(job: ScoreJob, on_bytes: Bytes = lambda n: None, on_stage: Stage = lambda s, d, t: None) -> dict[str, Any]:
    """Learn files into the state without writing notables for people; returns run.json's content."""
    assert job.state is not None, "learning needs a state file"
    _prepare(job)
    store = SqliteStore(job.state)
    try:
        result = _run(job._replace(lists_weak=False), store, on_bytes, on_stage)
        store.commit()
    finally:
        store.close()
    return result.run
