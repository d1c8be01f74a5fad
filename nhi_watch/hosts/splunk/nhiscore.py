"""The streaming search command nhiscore: adds likelihood, severity, reasons and framework ids to each event.

What a row is answered depends on the raw texts of a few fields and on the event's day, so answers are kept
by those texts: a row that is like one before it costs a few cuts and a look-up. Four memories, each coarser:
texts of the row on a day, shape of the record on a day (other sessions of the same identity), shape of the
record (its Event), shape of the Event on a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from nhi_watch.core.behaviour import shape_of
from nhi_watch.core.errors import InputError, NhiError, StoreError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import model
from nhi_watch.detect.scoring import BehaviourScore, EventScorer
from nhi_watch.hosts.splunk import tables
from nhi_watch.hosts.splunk.extracted import FIELDS, FIRST, Columns
from nhi_watch.hosts.splunk.lines import RAW, Row
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Search, Streaming, serve
from nhi_watch.hosts.splunk.rows import Answers, annotate, multivalue, render
from nhi_watch.hosts.splunk.run import StateBaselines, reading
from nhi_watch.intake.days import FORESEEN
from nhi_watch.intake.schemas import opened
from nhi_watch.intake.sources import cloudtrail

SINGLE = (
    "nhi_likelihood", "nhi_severity", "nhi_identity", "nhi_identity_id", "nhi_identity_kind",
    "nhi_error",
)  # fmt: skip
MULTI = ("nhi_reasons", "nhi_owasp_nhi", "nhi_nist_csf", "nhi_mitre_attack")
ADDED = (*SINGLE, *(name for field in MULTI for name in (field, f"__mv_{field}")))

_TEXTS, _SHAPES = 50_000, 20_000
"""Answers kept by texts (half a kilobyte each) and in each other memory (a kilobyte and more); when there are more,
that memory starts anew."""

Memory = dict[Any, bytes]


class Options(NamedTuple):
    """What may be written behind the command's name."""

    source: str = "cloudtrail"
    input: str = "auto"


_USAGE = "nhiscore [input=auto|fields|raw] [source=cloudtrail]"
_CHOICES = {"source": ("cloudtrail",), "input": ("auto", "fields", "raw")}


def parse_options(arguments: Iterable[str]) -> Options:
    """The options of a command line.

    Raises:
        InputError: says what to write instead.

    >>> parse_options(["input=raw"])
    Options(source='cloudtrail', input='raw')
    """
    told: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in Options._fields or not equals:
            raise InputError(f"nhiscore: {argument!r} is no option. Write {_USAGE}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise InputError(f"nhiscore: {name}={value} is unknown. Write {name}={'|'.join(_CHOICES[name])}")
        told[name] = value
    return Options(**told)


class NhiScore(Streaming):
    """The command: one instance answers all chunks of a search."""

    def __init__(self, lookups: Path = tables.LOOKUPS) -> None:
        self._lookups = lookups
        self._by_texts: Memory = {}
        self._texts_of: Row = []
        """The fields whose texts those are: another chunk may have others."""
        self._by_event: Memory = {}

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Load model and baseline; say which fields are needed."""
        options = parse_options(search.arguments)
        card = model.load()
        listed, messages = tables.load_reputation(self._lookups)
        networks, more = tables.load_networks(self._lookups)
        messages += more
        state = reading(search)
        try:
            baselines = StateBaselines(card, networks, state)
        except StoreError as error:  # an event can be judged without it
            messages.append(("WARN", f"nhiscore: what was learnt cannot be read: {error}"))
            state, baselines = None, StateBaselines(card, networks, None)
        self._scorer, self._mark = EventScorer(baselines), listed.mark
        fields = {"auto": [*FIELDS, FIRST, RAW], "fields": [*FIELDS, FIRST], "raw": [RAW]}[options.input]
        kind = "stateful" if state is not None else "streaming"  # what was learnt is on the search head alone
        reply: Metadata = {"type": kind, "required_fields": fields}
        return reply, [("INFO", f"nhiscore: {baselines.describe()}"), *messages]

    def execute(self, body: bytes) -> bytes:
        """The chunk with the new columns."""
        return annotate(body, ADDED, self._bind)

    def _bind(self, header: Row) -> Answers:
        columns = Columns(header)
        if not columns.is_extracted:
            return Answers(lambda row: self._answer(columns.record(row))[0])
        if columns.names != self._texts_of:
            self._by_texts.clear()
            self._texts_of = columns.names
        key, memory = columns.key, self._by_texts
        return Answers(partial(self._row, columns), lambda cells: memory.get(key(cells)))

    def _row(self, columns: Columns, row: Row) -> bytes:
        """The answer to a row of extracted fields that had to be read."""
        key = columns.key([cell.encode("utf-8", "surrogateescape") for cell in row])
        known = self._by_texts.get(key)
        if known is not None:
            return known
        found, repeats = self._answer(columns.record(row))
        if repeats and key is not None and columns.plain(row):
            _remember(self._by_texts, key, found, _TEXTS)
        return found

    def _answer(self, record: dict[str, Any]) -> tuple[bytes, bool]:
        """The cells for a Splunk event or a record, and whether the next one with the same texts has the same."""
        try:
            with FORESEEN:
                event = cloudtrail.read(opened(record))
            return self._scored(event, event.time // DAY), not cloudtrail.is_deep(record.get("eventName"))
        except (NhiError, ValueError, RecursionError) as error:
            return failed(str(error) if record else _NO_FIELDS), False

    def _scored(self, event: Event, day: int) -> bytes:
        key = (shape_of(self._mark(event._replace(time=day * DAY))), day)
        known = self._by_event.get(key)
        if known is None:
            known = scored(event, self._scorer.score_shape(*key))
            _remember(self._by_event, key, known)
        return known


def _remember(memory: dict[Any, Any], key: Any, answer: Any, most: int = _SHAPES) -> None:
    if len(memory) >= most:
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


_LONGEST = 300
_NO_FIELDS = "no_fields: neither extracted fields nor _raw; write nhiscore before stats, table or fields"


def _clean(cells: str) -> bytes:
    """Without half characters, which JSON can spell and UTF-8 cannot."""
    return cells.encode("utf-8", "replace")


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(NhiScore(), requests, replies)
