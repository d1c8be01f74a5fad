"""The streaming search command nhiscore: adds likelihood, severity, reasons and framework ids to each event.

What a row is answered depends on the texts of a few fields and on the event's day, so answers are kept by those texts,
and behind them by the shape of the Event on a day: other sessions of the same identity have the same.
"""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Optional, Union

from nhi_watch.core.behaviour import BehaviourKey, key_of_event
from nhi_watch.core.errors import NhiError, StoreError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import model
from nhi_watch.detect.scoring import BehaviourScore, EventScorer
from nhi_watch.hosts.splunk import tables
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Option, Search, Streaming, parse, serve
from nhi_watch.hosts.splunk.rows import RAW, Answer, Body, Later, Row, annotate, multivalue, render, values_of
from nhi_watch.hosts.splunk.run import StateBaselines, known_days, reading
from nhi_watch.intake.batch import FORESEEN
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.shapes.json import parse as parse_json
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.state import State

SINGLE = (
    "nhi_likelihood",
    "nhi_severity",
    "nhi_identity",
    "nhi_identity_id",
    "nhi_identity_kind",
    "nhi_error",
)
MULTI = ("nhi_reasons", "nhi_owasp_nhi", "nhi_nist_csf", "nhi_mitre_attack")
ADDED = (*SINGLE, *(name for field in MULTI for name in (field, f"__mv_{field}")))
FIELDS = tuple(
    name for name in cloudtrail.SPLUNK_FIELDS if not name.startswith(("requestParameters.", "resources{}.ARN"))
)
"""Extracted fields on which a likelihood depends. What a call touched does not count for it; where it does
(policies, sharing, …) `_raw` is read."""
OPTIONS = {"input": Option("auto", "auto|fields|raw", ("auto", "fields", "raw"))}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
"""Times whose day, in UTC, is their first ten characters; others are parsed again for each event."""
_DATE = 10
_EXTRACTED = 5_000
"""Splunk's JSON extraction stops after this many characters: from there on, `_raw` is read."""
_MOST = 50_000
"""Answers that are kept, a kilobyte each; when there are more, the cache is cleared."""
_DAYS = 8
"""Days of which profiles are held, those of some identities each: rows may come in any order."""
_LONGEST = 300
_NO_FIELDS = "no_fields: neither extracted fields nor _raw; write nhiscore before stats, table or fields"
Memory = dict[Any, bytes]


class CloudTrailColumns:
    """Where the fields of CloudTrail stand in the rows of a chunk."""

    def __init__(self, header: Row) -> None:
        places = {name: index for index, name in enumerate(header)}
        self._used = [(name, places[name], places.get(f"__mv_{name}")) for name in (*FIELDS, RAW) if name in places]
        self.names = tuple(name for name, _, _ in self._used)
        self.are_extracted = places.keys() >= {"eventName", "eventSource", "eventTime"}
        """Whether the rows have their fields; else the event is in `_raw`."""
        self._time, self._name, self._raw = (places.get(name, -1) for name in ("eventTime", "eventName", RAW))
        shape = [index for name, index, _ in self._used if name not in ("eventTime", "eventID", RAW)]
        self._shape = itemgetter(*shape, *shape[:1]) if shape else tuple
        self._many = [index for _, _, index in self._used if index is not None]

    def key(self, row: Row) -> Optional[tuple[Any, ...]]:
        """The texts on which a row's answer hangs, and its day; None where it hangs on more."""
        time, raw = row[self._time], row[self._raw] if self._raw >= 0 else ""
        is_complete = row[self._name] and len(raw) <= _EXTRACTED and _TIME.fullmatch(time)
        if not is_complete or any(map(row.__getitem__, self._many)):
            return None
        return self.names, time[:_DATE], self._shape(row)

    def record(self, row: Row) -> dict[str, Any]:
        """The row as the source reads it: extracted fields, or the record in `_raw` where there are none."""
        tree: dict[str, Any] = {}
        for name, index, many in self._used:
            if row[index]:
                tree[name] = values_of(row[many]) if many is not None and row[many] else row[index]
        if "eventName" in tree:
            if len(tree.get(RAW, "")) <= _EXTRACTED and not cloudtrail.is_deep(tree["eventName"]):
                tree.pop(RAW, None)  # what is remembered goes by the fields, so these alone answer
            tree.setdefault("userIdentity.type", None)  # by which a row is known that has neither that nor `_raw`
            return tree
        try:
            record = parse_json(tree.get(RAW, ""))
        except (ValueError, TypeError, AttributeError, RecursionError):  # `_raw` may be several texts, or none
            record = None
        return record if isinstance(record, dict) else tree  # for the source to refuse in its own words


class NhiScore(Streaming):
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._by_texts: Memory = {}
        self._by_event: Memory = {}
        self._of_days: dict[int, tuple[StateBaselines, EventScorer]] = {}
        self._waiting: dict[int, set[Identity]] = {}
        """Day → identities of the chunk of which answers wait: what is known of them is asked for at once."""
        self._later: dict[Any, Later] = {}
        """Texts → the answer that waits."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Load model and baseline; say which fields are needed."""
        options = parse("nhiscore", OPTIONS, search.arguments)
        loaded = model.load()
        listed, messages = tables.load_reputation(self._lookups)
        networks, more = tables.load_networks(self._lookups)
        messages += more
        rows = reading(search)
        try:
            state = State(rows) if rows is not None else None
        except StoreError as error:  # an event can be scored without it
            messages.append(("WARN", f"nhiscore: the history cannot be read: {error}"))
            state = None
        self._make = partial(StateBaselines, loaded, networks, state)
        self._mark = listed.mark
        fields = {"auto": [*FIELDS, RAW], "fields": [*FIELDS], "raw": [RAW]}[options["input"]]
        kind = "stateful" if state is not None else "streaming"  # what was learnt is on the search head alone
        reply: Metadata = {"type": kind, "required_fields": fields}
        return reply, [("INFO", f"nhiscore: {known_days(state)}"), *messages]

    def execute(self, body: Body) -> bytes:
        """The chunk with the new columns."""
        return annotate(body, ADDED, self._bind)

    def _bind(self, header: Row) -> Answer:
        return partial(self._row, CloudTrailColumns(header))

    def _row(self, columns: CloudTrailColumns, row: Row) -> Union[bytes, Later]:
        key = columns.key(row) if columns.are_extracted else None
        answer = (self._by_texts.get(key) or self._later.get(key)) if key else None
        return answer if answer is not None else self._answer(columns.record(row), key)

    def _answer(self, record: dict[str, Any], key: Any) -> Union[bytes, Later]:
        """The cells for a Splunk event or a record; `key`: by which the next one with the same texts has the same."""
        try:
            with FORESEEN:
                event = cloudtrail.read(opened(record))
            repeats = key and not cloudtrail.is_deep(record.get("eventName"))
            day = event.time // DAY
            behaviour_key = key_of_event(self._mark(event._replace(time=day * DAY)))
        except (NhiError, ValueError, RecursionError) as error:
            return failed(str(error) if record else _NO_FIELDS)
        answer = self._by_event.get((behaviour_key, day))
        if answer is None:
            self._waiting.setdefault(day, set()).add(behaviour_key.identity)
            later = partial(self._scored, event, behaviour_key, key if repeats else None)
            if repeats:
                self._later[key] = later
            return later
        if repeats:
            _remember(self._by_texts, key, answer)
        return answer

    def _scored(self, event: Event, behaviour_key: BehaviourKey, key: Any) -> bytes:
        """The cells of an event, once its whole chunk was read.

        Raises:
            StoreError: the KV store does not answer.
        """
        waiting, self._waiting, self._later = self._waiting, {}, {}
        for of_day, identities in sorted(waiting.items()):
            self._scorer(of_day)[0].prefetch(identities)
        day = event.time // DAY
        answer = self._by_event.get((behaviour_key, day))
        if answer is None:
            answer = scored(event, self._scorer(day)[1].score_key(behaviour_key, day))
            _remember(self._by_event, (behaviour_key, day), answer)
        if key:
            _remember(self._by_texts, key, answer)
        return answer

    def _scorer(self, day: int) -> tuple[StateBaselines, EventScorer]:
        scorer = self._of_days.get(day)
        if scorer is None:
            if len(self._of_days) >= _DAYS:
                self._of_days.clear()
            baselines = self._make(day)
            scorer = self._of_days[day] = (baselines, EventScorer(baselines))
        return scorer


def _remember(memory: Memory, key: Any, answer: bytes) -> None:
    if len(memory) >= _MOST:
        memory.clear()
    memory[key] = answer


def scored(event: Event, score: BehaviourScore) -> bytes:
    """The cells of an event, as `rows.Answer` gives them."""
    identity = event.identity
    numbers = (f"{score.likelihood:g}", score.severity)
    many = (score.reasons, score.owasp_nhi, score.nist_csf, score.mitre_attack)
    cells = [*numbers, identity.name, identity.id, identity.kind, ""]
    return _clean(render(cells + [cell for values in many for cell in multivalue(values)]))


def failed(reason: str) -> bytes:
    """The cells of an event that could not be read."""
    cells = {**dict.fromkeys(ADDED, ""), "nhi_error": reason[:_LONGEST]}
    return _clean(render(list(cells.values())))


def _clean(cells: str) -> bytes:
    """Without half characters, which JSON can spell and UTF-8 cannot."""
    return cells.encode("utf-8", "replace")


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiScore(), requests, replies)
