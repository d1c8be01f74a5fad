"""The only exit: which notables people are asked to read, and what became of each since it was last published.

Verdicts, exceptions, expected patterns and routines are applied here and nowhere else. A host writes the events that
it is given, confirms which have arrived (`confirm`), and decides nothing.

- An episode gets a row if, in the seven days before it, fewer cases with a greater expected loss were seen than the
  week's allowance (`ranking.give_rows`); cases that have ended count in their week like any other. A notable that was
  published with a row keeps it.
- A verdict covers the episodes that the analyst had seen. Later ones are listed again if they earn a row themselves.
- A notable shows its newest episode that has a row; while a high or critical one waits for a verdict, weaker ones
  are history. High and critical notables stay until a verdict, others until they were quiet for a week.

| table, key | row |
|---|---|
| notable, pub/id | a notable as it was last published, see `Published`, and its document |
| notable, past/id | the same of one that has ended, which no run reads |
| notable, out/id | nothing: no host has said yet that its last event arrived |
| notable, end/day/id | nothing: the day of the newest episode of one that has ended, by which it is forgotten |
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import OTHER, network_of_source
from nhi_watch.core.documents import FoldedDocument, HistoryFields, ListFields, RevisionDocument, TimelineDocument
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import MAX_RECORD_IDS, MAX_TIMELINE, SEVERITIES, clip, order, risk_of
from nhi_watch.core.status import BY_ROUTINE, CAME_LATE, REASON_LOG_ODDS, is_resolved, is_routine
from nhi_watch.core.timestamps import DAY, HOUR, day_of, parse, render, render_day
from nhi_watch.detect import blind_spots, changes, episodes, feedback, ranking, routines
from nhi_watch.detect.cases import DONE, END, GAP, Case, CaseBook, Cases
from nhi_watch.detect.episodes import NOT_LISTED, Document, EpisodeHead
from nhi_watch.detect.expected import Expected, in_force
from nhi_watch.detect.feedback import Allowed, Verdict, Verdicts
from nhi_watch.detect.routines import Routine
from nhi_watch.state.baseline import peer_scope
from nhi_watch.state.retention import OPEN, RETAIN_DELTAS
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows, pack, unpack, unpack_shared

PUB, CLOSED, OUT = "pub/", "past/", "out/"
PATIENCE = HOUR
"""What hosts that write alerts wait between two revisions of which nothing but counts and times changed."""
CARRIED = 100
"""Entries of the timeline that are carried over from earlier episodes, those with most points."""
MAX_REVISIONS = 100
AT_ONCE = 100
"""Cases whose episodes are read at once."""
GRAVE = SEVERITIES.index("high")
"""Severity from which a notable stays until a verdict, and from which a later episode is shown in its place."""
ENDED = ("merged", "withdrawn")
"""What has become of a notable that stands no longer; it may come back."""
WITHDRAWN = "not unusual when scored again"
"""Why a notable is closed of which no episode is left."""
GONE = "what it was about has ended, or was scored again"
"""The same of an exposure or a blind spot that is no longer found."""
SHOWN = ("new", "grown", "reopened")
"""Events of notables that are in the list."""


class Published(NamedTuple):
    """What was last published of a notable."""

    revision: int = 0
    change: str = ""
    """The last event; "": none yet."""
    headline: str = ""
    """A hash of severity, reasons, identities and whether it has a row: a change of these is published at once."""
    digest: str = ""
    """Of all that the notable says."""
    at: int = 0
    """The data's end at that time."""
    severity: str = ""
    with_row: Sequence[str] = ()
    """Ids of its episodes that had a row."""
    escalated: bool = False
    """Whether the last event was its first row, or a rise in severity."""
    given: int = 0
    """When it got a row that a verdict freed after its day; 0: it had its row from its own day on."""
    source: str = ""
    """A hash of what the document was built from."""
    waiting: Sequence[str] = ()
    """Ids of its episodes for which there was no row."""
    log: changes.Log = ()
    """What was said of it and when, for the morning digest."""


class Publication(NamedTuple):
    """Something to be written by a host, once."""

    change: str
    """new | grown | settled | merged | closed | reopened | withdrawn | below"""
    document: Document
    """With its revision."""
    escalated: bool
    """Its first row in the list, or its severity rose."""


class CaseView(NamedTuple):
    """A case: which of its episodes verdicts cover, have a row, and are shown."""

    case: Case
    face: EpisodeHead
    """The episode that the notable shows."""
    with_row: tuple[EpisodeHead, ...]
    """Episodes that no verdict covers and that have a row; the first gave the notable its row."""
    covered: Mapping[str, Verdict]
    """Episode id → the verdict that covers it."""
    over: bool
    """It is critical, and has its row although the allowance was used up."""
    since: int
    """When it got its row, or when its severity last rose; 0: it has none."""


# ---- the notables as they stand


class RunNotables(NamedTuple):
    """The notables of a run."""

    documents: dict[str, Document]
    """All that are not closed, those of the days that the run scored, and those that are part of others, by id."""
    routines: dict[str, Routine]
    week: ranking.Week


class Publisher:
    """Which notables of a state people see, and what changed since they were last published."""

    def __init__(self, state: State, book: CaseBook, said: Verdicts, patience: int = 0) -> None:
        """`said`: people's verdicts, as of the host's clock.

        `patience`: seconds of event time between two revisions of which nothing but counts and times changed.
        """
        self._state, self._book, self._said, self._patience = state, book, said, patience
        self._allowed = feedback.exceptions(state.rows)
        self._expected = Expected(state.rows, in_force(state.rows, said.now))
        known = _rows(state.rows, PUB, unpack_shared)
        self._known = {name: (published, document) for name, published, document in known}
        """The documents are never changed: rounds of one process share them."""
        self._noted: dict[str, Published] = {}
        """What this run notes of a notable, beside its events."""
        self._ended: set[str] = set()
        """Ids of closed notables, which only a verdict or a new episode opens again."""
        self._recalled: set[str] = set()
        """Ids of those that had ended."""
        self._recall(said.reopened)

    def published(self, name: str) -> Published:
        """What was last published of a notable."""
        return self._noted.get(name) or (self._known[name][0] if name in self._known else Published())

    def notables(self, allowance: int, end: int, days: Iterable[int] = ()) -> RunNotables:
        """The notables as they stand. `end`: the data's end; `days`: those that this run scored."""
        self._book.restore(self._said.reopened)
        cases, scored_days = self._book.now(), set(days)
        self._recall({name for case in cases for name in (case.id, *case.absorbed)})
        views, beyond, week = self._views([case for case in cases if case.rows], allowance, end)
        documents = self._documents(views)
        known = routines.of(self._state, documents.values())
        for view in views:
            document = documents[view.case.id]
            documents[view.case.id] = {**document, **self._stamps(view, document, end, known)}
        _fold([documents[name] for name in sorted(beyond)], render_day((end - 1) // DAY))
        kept = {v.case.id for v in views if not scored_days or any(head.day in scored_days for head in v.case.heads)}
        shown = {name for name in documents if name in kept or self.published(name).change in SHOWN}
        standing = {name: documents[name] for name in documents if name in shown or name not in self._ended}
        self._ended -= kept  # until a run scores other days: one that reads nothing new shows the same list
        weak = [*self._book.weak, *(head for case in cases if not case.rows for head in case.heads)]
        standing.update(self._weak(weak, end))
        standing.update((name, _part(self._known[name][1], into)) for name, into in self._parts(cases, standing))
        return RunNotables({name: _timed(document, end) for name, document in standing.items()}, known, week)

    def _recall(self, names: Collection[str]) -> None:
        """Bring back what is known of notables that had ended."""
        asked = [CLOSED + name for name in sorted({*names} - self._known.keys())]
        for key, raw in (self._state.rows.get("notable", asked) if asked else {}).items():
            name, (plain, document) = key[len(CLOSED) :], unpack_shared(raw)
            if document is None:
                self._noted[name] = Published(*plain)
            else:
                self._known[name] = (Published(*plain), document)
                self._recalled.add(name)

    def _parts(self, cases: Cases, standing: Mapping[str, Document]) -> Iterator[tuple[str, str]]:
        """Ids of notables that became part of others: by a new link, or by what their day consists of now."""
        absorbed = {name: case.id for case in cases for name in case.absorbed}
        for name, (before, document) in self._known.items():
            if name in absorbed:
                yield name, absorbed[name]
            elif document["kind"] == "compromise" and name not in standing and name not in self._ended:
                into = next(iter(cases.of(document)), None)
                if into is not None and before.change and before.change not in ("withdrawn", "below"):
                    yield name, into.id

    def _weak(self, heads: Sequence[EpisodeHead], end: int) -> Iterator[tuple[str, Document]]:
        """The notables of episodes that are too weak to be listed and part of no case."""
        documents = episodes.documents(self._state.rows, heads)
        for head in heads:
            if head.id in documents:
                gap = (end - 1) // DAY - head.day
                status = "closed" if gap > GAP else "quiet" if gap > 1 else "ongoing"
                yield head.id, {**documents[head.id], **_history([head], {}), **NOT_LISTED, "life": status}

    # ---- how a case stands

    def _views(self, cases: Sequence[Case], allowance: int, end: int) -> tuple[list[CaseView], set[str], ranking.Week]:
        """Each case as it stands; ids of the critical ones without a row; how much of the week is used."""
        covered = {case.id: self._covered(case) for case in cases}
        kept = {name for case in cases for name in self.published(case.id).with_row}
        waited = {name for case in cases for name in self.published(case.id).waiting}
        asking = [
            head.reached
            for case in cases
            for head in case.rows
            if head.id not in {*kept, *covered[case.id]}
            and (head.id not in waited or head.reached >= end - ranking.WEEK * DAY)
        ]
        ended = self._book.ended(min([end, *asking]) // DAY - ranking.WEEK)
        covered.update((case.id, self._covered(case)) for case in ended)
        rows = [(case.id, head) for case in (*cases, *ended) for head in case.rows]
        with_verdict = {head.id for name, head in rows if head.id in covered[name]}
        given = ranking.give_rows(rows, allowance, kept, with_verdict, waited, end)
        views = [_view(case, covered[case.id], given) for case in cases]
        beyond = {v.case.id for v in views if not v.with_row and any(h.id in given.beyond for h in v.case.rows)}
        return views, beyond, ranking.week(rows, allowance, end)

    def _covered(self, case: Case) -> dict[str, Verdict]:
        """Episode id → the verdict or expected pattern that covers it; a confirmed notable is hidden by no pattern."""
        said = self._said.covered(case.heads, case.id)
        return said if self._said.is_confirmed(case.id) else {**self._expected.covered(case), **said}

    def _documents(self, views: Sequence[CaseView]) -> dict[str, Document]:
        """The notable of each case; those that are made of the same as before are not made again."""
        documents, changed = dict[str, Document](), list[CaseView]()
        for view in views:
            name, source = view.case.id, _source(view)
            before = self.published(name)
            if name in self._known and before.source == source:
                documents[name] = {**self._known[name][1]}
            else:
                self._noted[name] = before._replace(source=source)
                changed.append(view)
        for start in range(0, len(changed), AT_ONCE):  # a request for each would be most of a run on Splunk
            some = changed[start : start + AT_ONCE]
            parts = episodes.documents(self._state.rows, [head for view in some for head in view.case.heads])
            documents.update((view.case.id, self._document(view, parts)) for view in some)
        return {view.case.id: documents[view.case.id] for view in views}

    def _document(self, view: CaseView, parts: Mapping[str, Document]) -> Document:
        """What its face says, and the history of all its episodes."""
        wanted = [view.face.id, *(head.id for head in view.case.heads if head.id not in view.covered)]
        document = _document(view, {name: parts[name] for name in wanted if name in parts})
        if view.covered and view.with_row:
            with_verdict = [head for head in view.case.heads if head.id in view.covered and head.id in parts]
            by_row = sorted(with_verdict, key=lambda head: head.is_row)  # rows last: shown
            covered = [parts[head.id] for head in by_row]
            document["since"] = changes.since_verdict(document, covered, _given(view))
        return document

    def _stamps(self, view: CaseView, document: Document, end: int, known: Mapping[str, Routine]) -> ListFields:
        """What does not follow from a case's episodes alone."""
        case, before, since = view.case, self.published(view.case.id), view.since
        if since and before.change and before.change not in SHOWN and since < end - DAY:
            before = before._replace(given=end - 1)
        since = max(since, before.given) if since else 0
        with_row = [head.id for head in view.with_row]
        waiting = [head.id for head in case.rows if head.id not in {*with_row, *view.covered}]
        self._noted[case.id] = before._replace(with_row=with_row, waiting=waiting)
        resolved = self._resolution(view, document, known)
        gap = (end - 1) // DAY - case.last_day
        is_grave = any(SEVERITIES.index(head.severity) >= GRAVE for head in view.with_row)
        stays = is_grave and not resolved and not self._said.is_confirmed(case.id)
        why = resolved
        newest, kept = max(head.day for head in case.heads), self._state.daybook.days
        is_old = newest < (kept or [0])[0]
        if case.successor or is_old or (gap > GAP and not stays):
            quiet = f"no verdict in {RETAIN_DELTAS} days" if is_old and stays else f"nothing unusual for {GAP} days"
            why = resolved or (f"continues as {case.successor}" if case.successor else quiet)
            if newest < self._state.daybook.first_unlearnt:
                self._ended.add(case.id)
        is_new = bool(since) and since >= end - DAY  # whenever its calls were: nobody has read it yet
        status = "closed" if why else "new" if is_new else "quiet" if gap > 1 else "ongoing"
        return {
            **NOT_LISTED,
            "predecessor": case.predecessor or None,
            "life": status,
            "closed_why": why,
            "since": document["since"] if view.covered and view.with_row else _since(view, end),
            "listed": bool(view.with_row) and not resolved and not case.successor,
            "listed_on": render_day(since // DAY) if since else "",
            "over_budget": view.over,
        }

    def _resolution(self, view: CaseView, document: Document, known: Mapping[str, Routine]) -> str:
        """How people, or what was learnt, have dealt with a notable; "": nobody has."""
        rows = view.case.rows
        if all(head.id in view.covered for head in rows):
            return feedback.named(view.covered[rows[-1].id])
        if self._said.is_confirmed(view.case.id):
            return ""
        if feedback.hidden(document, self._allowed, self._said.now):
            return "excepted"
        days = routines.days_of(document, known)
        return f"{BY_ROUTINE}: done on {days} days from its own places" if days else ""

    def blind_spots(self, end: int) -> list[Document]:
        """Those of the last days, and older ones that are not closed yet."""
        since = (end - 1) // DAY - GAP - OPEN
        recent = {document["id"]: document for document in blind_spots.stored(self._state.rows, since)}
        self._recall(recent.keys())
        older = {
            name: document
            for name, (_, document) in self._known.items()
            if document["kind"] == "blind_spot" and day_of(parse(document["created"])) < since
        }
        return [*{**older, **recent}.values()]

    def single_row(self, document: Document, end: int) -> Document:
        """An exposure or a blind spot as it stands: it is new for a day; a blind spot comes when its day is over."""
        came = parse(document["created"]) + DAY * (document["kind"] == "blind_spot")
        resolved = self._said.resolution(document)
        is_old = document["kind"] == "blind_spot" and came < end - GAP * DAY
        stays = SEVERITIES.index(document["severity"]) >= GRAVE and not self._said.is_confirmed(document["id"])
        stays = stays and came // DAY >= (self._state.daybook.days or [0])[0]
        why = resolved or (f"nothing unusual for {GAP} days" if is_old and not stays else "")
        status = "closed" if why else "new" if came >= end - DAY else "ongoing"
        return {**document, "life": status, "closed_why": why, "listed": document["listed"] and not resolved}

    # ---- what became of them

    def publish(self, documents: Sequence[Document], end: int) -> list[Publication]:
        """The events of this run; the notables are put into the state. Their `revision` is set.

        `documents`: all that stand, exposures and blind spots too, as a reader sees them.
        """
        events, rows = [], dict[str, tuple[Published, Document]]()
        for document in documents:
            name, before = document["id"], self.published(document["id"])
            what = _change(document, before, end, self._patience)
            after = self._after(document, before, what, end) if what else before
            document["revision"] = max(after.revision, 1)
            if what:
                events.append(Publication(what, document, _is_escalated(document, before, what)))
            if document["kind"] == "blind_spot" and document["life"] == "closed":
                self._ended.add(name)
            if document["kind"] != "compromise" or name in self._noted or name in self._known:
                rows[name] = (after, document)
        for name, last in self._withdrawn({document["id"] for document in documents}):
            before = self.published(name)
            if last["kind"] == "compromise" or before.change in SHOWN:
                after = _published(last, before, "withdrawn", end)
                last["revision"] = after.revision
                rows[name] = (after, last)
                events.append(Publication("withdrawn", last, False))
            self._ended.add(name)
        self._put(rows)
        self._state.rows.put("notable", [(OUT + event.document["id"], b"1") for event in events])
        return sorted(events, key=lambda event: order(event.document))

    def _after(self, document: Document, before: Published, what: str, end: int) -> Published:
        known = self._known.get(document["id"])
        last = (known[1], before.at) if known and before.change else None
        log = changes.extended(before.log, last, document, end)
        return _published(document, before, what, end)._replace(log=log)

    def _withdrawn(self, names: set[str]) -> Iterator[tuple[str, Document]]:
        """Notables of which nothing is left, for a day was scored again or an exposure has ended."""
        for name, (before, document) in self._known.items():
            is_left = name in names or name in self._ended or not before.change or before.change in ENDED
            if not is_left or (document["kind"] != "compromise" and name not in names):
                why = WITHDRAWN if document["kind"] == "compromise" else GONE
                yield name, {**document, "life": "closed", "closed_why": why}

    def _put(self, fresh: Mapping[str, tuple[Published, Document]]) -> None:
        """Keep what has changed; what is closed for good where no run reads it."""
        retired = self._book.retire(self._ended)
        ended = dict.fromkeys(self._ended, -1)
        ended.update(
            (name, max(head.day for head in case.heads)) for case in retired for name in (case.id, *case.absorbed)
        )
        rows: list[tuple[str, Optional[bytes]]] = []
        for name in sorted({*fresh, *(ended.keys() & self._known.keys())}):
            row = fresh.get(name) or self._known[name]
            is_known = row == self._known.get(name)
            if is_known and (name in self._recalled) == (name in ended):
                continue
            if name in ended:
                day = max(ended[name], day_of(parse(row[1]["last_time"])))
                rows += [(PUB + name, None), (CLOSED + name, _pack(*row)), (f"{END}{day:06d}/{name}", b"1")]
            else:
                rows += [(PUB + name, _pack(*row)), *([(CLOSED + name, None)] if name in self._recalled else ())]
        self._state.rows.put("notable", rows)


def confirm(rows: Rows, arrived: Mapping[str, int]) -> None:
    """Note which revisions have arrived where a host writes them: id → revision."""
    waiting = {event.document["id"]: event.document["revision"] for event in _waiting(rows, list(arrived))}
    rows.put("notable", [(OUT + name, None) for name in waiting if waiting[name] <= arrived[name]])


def unconfirmed(rows: Rows) -> list[Publication]:
    """Events of which no host has said that they arrived: those of this run, and of one that was cut off."""
    names = [key[len(OUT) :] for key, _ in rows.scan("notable", OUT, OUT[:-1] + "0")]
    return sorted(_waiting(rows, names), key=lambda event: order(event.document))


def _waiting(rows: Rows, names: Sequence[str]) -> Iterator[Publication]:
    keys = [key[len(OUT) :] for key in rows.get("notable", [OUT + name for name in names])]
    for raw in rows.get("notable", [where + name for where in (PUB, CLOSED) for name in keys]).values():
        plain, document = unpack(raw)
        if document is not None:
            yield Publication(Published(*plain).change, document, Published(*plain).escalated)


def forget(rows: Rows, first: int) -> None:
    """Forget the notables that have ended and whose newest episode is of a day before `first`."""
    old = [key for key, _ in rows.scan("notable", END, f"{END}{first:06d}/")]
    if not old:
        return
    later = {key[len(END) + 7 :] for key, _ in rows.scan("notable", f"{END}{first:06d}/", END[:-1] + "0")}
    names = sorted({key[len(END) + 7 :] for key in old} - later)  # one that came back may have ended twice
    rows.put("notable", [(key, None) for key in (*old, *(where + name for where in (CLOSED, DONE) for name in names))])


def documents(rows: Rows, names: Iterable[str]) -> dict[str, Document]:
    """Notables as they were last published, by id, of those that the state has."""
    stored_rows = rows.get("notable", [where + name for name in names for where in (CLOSED, PUB)])
    pairs = ((key.partition("/")[2], unpack(raw)[1]) for key, raw in stored_rows.items())
    return {name: document for name, document in pairs if document is not None}


def as_of(rows: Rows, notables: Iterable[Document], now: int) -> list[Document]:
    """Notables with the verdicts and exceptions as they hold at `now`, for commands between two runs."""
    said, allowed = Verdicts(rows, now), feedback.exceptions(rows)
    return [_with_verdict(document, said, allowed) for document in notables]


def _with_verdict(document: Document, said: Verdicts, allowed: Sequence[Allowed]) -> Document:
    why = said.resolution(document)
    if not why and not said.is_confirmed(document["id"]):
        is_hidden = feedback.hidden(document, allowed, said.now)
        why = "excepted" if is_hidden else document["closed_why"] * is_routine(document)
    if why:
        return {**document, "life": "closed", "closed_why": why}
    return {**document, "life": "ongoing", "closed_why": ""} if is_resolved(document) else document


def stored(rows: Rows, include_closed: bool = True) -> list[Document]:
    """All notables as they were last published; `include_closed`: also those that have ended."""
    return [document for where in (PUB, *([CLOSED] if include_closed else ())) for _, _, document in _rows(rows, where)]


def latest(rows: Rows) -> list[tuple[Published, Document]]:
    """What was last published of each notable, and its document; also of those that have ended."""
    return [(published, document) for where in (PUB, CLOSED) for _, published, document in _rows(rows, where)]


def put(rows: Rows, documents: Iterable[Document]) -> None:
    """Keep notables as published that were published elsewhere, as by an earlier version."""
    rows.put("notable", [(PUB + document["id"], _pack(published(document), document)) for document in documents])


def published(document: Document, with_row: Sequence[str] = ()) -> Published:
    """The record of a notable that was published elsewhere; `with_row`: its episodes that had a row."""
    change = "new" if is_shown(document) else "below"
    return Published(
        document["revision"],
        change,
        _headline(document),
        _said(document),
        severity=document["severity"],
        with_row=with_row,
    )


def imported(rows: Rows, revisions: Mapping[str, int]) -> None:
    """Note up to which revision a host has published notables: id → revision. No revision number goes back."""
    confirm(rows, revisions)
    for where in (PUB, CLOSED):
        stored_rows = rows.get("notable", [where + name for name in revisions])
        known = {key[len(where) :]: unpack(raw) for key, raw in stored_rows.items()}
        imported_rows = {name: (Published(*plain), document) for name, (plain, document) in known.items()}
        rows.put(
            "notable",
            [
                (where + name, _pack(row._replace(revision=revisions[name]), document))
                for name, (row, document) in imported_rows.items()
                if row.revision < revisions[name]
            ],
        )
        revisions = {name: number for name, number in revisions.items() if name not in known}
    rows.put("notable", [(CLOSED + name, _pack(Published(number), None)) for name, number in revisions.items()])


def _rows(rows: Rows, where: str, decode: Callable[[bytes], Any] = unpack) -> Iterator[tuple[str, Published, Document]]:
    for key, raw in rows.scan("notable", where, where[:-1] + "0"):
        plain, document = decode(raw)
        if document is not None:
            yield key[len(where) :], Published(*plain), document


def _pack(published: Published, document: Optional[Document]) -> bytes:
    return pack([list(published), document])


# ---- one case


def _view(case: Case, covered: Mapping[str, Verdict], given: ranking.ListedRows) -> CaseView:
    open_rows = [head for head in case.rows if head.id not in covered]
    at = next((n for n, head in enumerate(open_rows) if head.id in given.regular or head.id in given.over), None)
    with_row = open_rows[at:] if at is not None else []
    peak, since = -1, 0
    for head in with_row:
        if SEVERITIES.index(head.severity) > peak:
            peak, since = SEVERITIES.index(head.severity), head.reached
    shown = [head for head in with_row if peak < GRAVE or SEVERITIES.index(head.severity) >= GRAVE]
    face = shown[-1] if shown else max(open_rows or case.rows, key=lambda head: (head.risk, head.day))
    over = bool(with_row) and with_row[0].id in given.over and with_row[0].id not in given.regular
    return CaseView(case, face, tuple(with_row), covered, over, since)


def _source(view: CaseView) -> str:
    """A hash of what a case's document is built from."""
    covered = {name: feedback.named(verdict) for name, verdict in view.covered.items()}
    parts = [[head.id, head.digest, covered.get(head.id, "")] for head in view.case.heads]
    content = [view.face.id, view.case.id, view.case.predecessor, parts, bool(view.with_row)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _document(view: CaseView, parts: Mapping[str, Document]) -> Document:
    """Title, summary, likelihood, reasons of the face; timeline and records of all that no verdict covers."""
    case, face = view.case, parts[view.face.id]
    others = [parts[head.id] for head in case.heads if head.id in parts and head.id != view.face.id]
    carried = sorted((e for document in others for e in _of_other_day(document, face)), key=_weight)[:CARRIED]
    timeline = sorted([*face["timeline"], *carried], key=_weight)[:MAX_TIMELINE]
    records = dict.fromkeys(record for document in (face, *others) for record in document["record_ids"])
    face_ids = list(view.face.folded)
    folded: FoldedDocument = {"origin": clip(view.face.origin, 300), "count": view.face.size, "ids": face_ids}
    return {
        **face,
        **_history(case.heads, view.covered),
        "id": case.id,
        "timeline": sorted(timeline, key=lambda e: (e["time"], e["action"], e["record_id"])),
        "record_ids": list(records)[:MAX_RECORD_IDS],
        "record_count": face["record_count"] + sum(document["record_count"] for document in others),
        "folded": folded if view.face.origin else None,
    }


def _of_other_day(document: Document, face: Document) -> list[TimelineDocument]:
    """A document's timeline, in which who acted is named where the document that is shown does not say it."""
    member_ids = {member["id"] for member in face["members"]}
    names = {who["id"]: who["name"] or who["id"] for who in (document["identity"], *document["members"])}
    lead, entries = document["identity"]["id"], list[TimelineDocument]()
    for entry in document["timeline"]:
        who = entry["identity"] or lead
        is_clear = who in member_ids or (not member_ids and who == face["identity"]["id"])
        name = (who if member_ids else "") if is_clear else names.get(who, who)
        entries.append({**entry, "identity": name})
    return entries


def _weight(entry: TimelineDocument) -> tuple[Any, ...]:
    return -entry["points"], entry["time"], entry["action"], entry["record_id"]


def _history(heads: Sequence[EpisodeHead], covered: Mapping[str, Verdict]) -> HistoryFields:
    """The fields that describe a notable's episodes."""
    entries, peak = list[RevisionDocument](), -1
    for number, head in enumerate(heads, 1):
        severity, verdict = SEVERITIES.index(head.severity), covered.get(head.id)
        why = (
            CAME_LATE
            if head.own_day != head.day
            else f"{verdict.verdict}, by {verdict.by}"
            if verdict
            else "first seen"
            if number == 1
            else "too weak to be listed"
            if not head.is_row
            else f"severity rose to {head.severity}"
            if severity > peak
            else "still active"
        )
        peak = max(peak, severity)
        entries.append({
            "revision": number, "time": render(head.last), "day": render_day(head.own_day),
            "likelihood": head.likelihood, "why": why, "identity": head.lead, "signals": list(head.signals),
            "receipt": {**head.receipt}, "title": head.title, "severity": head.severity,
            "identities": list(head.members)[:50],
        })  # fmt: skip
    most = len(entries) > MAX_REVISIONS
    return {
        "revisions": [entries[0], *entries[1 - MAX_REVISIONS :]] if most else entries,
        "first_seen": render(min(head.first for head in heads)),
        "last_grown": render(max(head.last for head in heads if head.is_row == heads[-1].is_row)),
    }


def _given(view: CaseView) -> str:
    """The latest of the verdicts that cover part of a case, in words."""
    verdict = max(view.covered.values(), key=lambda verdict: verdict.time)
    return f"the verdict of {render(verdict.time)[:10]} ({verdict.verdict}, by {verdict.by})"


def _since(view: CaseView, end: int) -> str:
    """Says that a new notable is older than the episode that it shows; "": it is not."""
    if len(view.with_row) < 2 or view.face.reached < end - DAY:
        return ""
    return f"New; active since {render_day(view.with_row[0].own_day)}"


def _part(document: Document, into: str) -> Document:
    """The last revision of a notable that is part of another."""
    return {**document, "merged_into": into, "life": "closed", "closed_why": f"part of {into}"}


def _timed(document: Document, end: int) -> Document:
    """Whether what a notable last did lies in the data's last hour: that hour may still grow."""
    is_open = document["last_time"][:13] == render(end - HOUR)[:13]
    return {**document, "telemetry": {**document["telemetry"], "provisional": is_open}}


# ---- one event

_SAID = ("title", "summary", "severity", "likelihood", "likelihood_range", "record_count", "last_time", "merged_into")
"""What a reader sees first of a notable."""


def is_shown(document: Mapping[str, Any]) -> bool:
    """Whether a notable is in the morning list."""
    return bool(document["listed"] and document["life"] != "closed" and not document["merged_into"])


def _change(document: Document, before: Published, end: int, patience: int) -> str:
    """The event of a notable, of all that may have become of it; "": none."""
    was_shown = before.change in SHOWN
    if document["merged_into"]:
        return "merged" if before.change and before.change != "merged" else ""
    if not is_shown(document):
        if was_shown:
            return "settled" if is_resolved(document) else "closed"
        is_row = document["life"] != "closed" and risk_of(document) >= ranking.LEAST
        return (
            "below"
            if is_row and (before.change not in ("below", "settled") or _headline(document) != before.headline)
            else ""
        )
    if not was_shown:
        return "reopened" if before.change in ENDED else "new"
    if _headline(document) != before.headline:
        return "grown"
    return "grown" if _said(document) != before.digest and end - before.at >= patience else ""


def _published(document: Document, before: Published, what: str, end: int) -> Published:
    revision = max(before.revision + 1, document["revision"])
    return before._replace(
        revision=revision,
        change=what,
        headline=_headline(document),
        digest=_said(document),
        at=end,
        severity=document["severity"],
        escalated=_is_escalated(document, before, what),
    )


def _is_escalated(document: Document, before: Published, what: str) -> bool:
    if what == "grown":
        return SEVERITIES.index(document["severity"]) > SEVERITIES.index(before.severity)
    return what in SHOWN


def _headline(document: Mapping[str, Any]) -> str:
    reasons = sorted(signal["id"] for signal in document["signals"] if signal["log_odds"] >= REASON_LOG_ODDS)
    members = sorted({document["identity"]["id"], *(member["id"] for member in document["members"])})
    return _hash([document["severity"], reasons, members])


def _said(document: Mapping[str, Any]) -> str:
    return _hash([document[name] for name in _SAID])


def _hash(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


# ---- critical ones beyond every budget


def _fold(documents: Sequence[Document], date: str) -> None:
    """List one for each origin that criticals beyond the second cap share; it represents the others."""
    for origin, (lead, *others) in _origins(
        [document for document in documents if document["life"] != "closed"]
    ).items():
        lead["listed"], lead["listed_on"], lead["over_budget"] = True, lead["listed_on"] or date, True
        if others:
            ids = [document["id"] for document in others]
            lead["folded"] = {"origin": clip(origin, 300), "count": 1 + len(ids), "ids": ids[: episodes.FOLDED]}
        for document in others:
            document["folded_into"] = lead["id"]


def _origins(documents: Sequence[Document]) -> dict[str, list[Document]]:
    """Network, else group of peers → notables, the most severe first."""
    ordered = sorted(documents, key=order)
    shared = Counter(_network(document) for document in ordered)
    by_origin: dict[str, list[Document]] = {}
    for document in ordered:
        place, who = _network(document), document["identity"]
        peers = peer_scope(Identity(who["id"], who["name"], who["kind"], who["provider"], who["account"], ""))
        by_origin.setdefault(f"network {place}" if place and shared[place] > 1 else peers, []).append(document)
    return by_origin


def _network(document: Document) -> str:
    """Where what has most points came from; "" where that is not known."""
    entry = max(document["timeline"], key=lambda e: (e["points"], e["time"]), default=None)
    source = entry["source"] if entry else ""
    network = network_of_source(source)
    return "" if network == OTHER else str(network)
