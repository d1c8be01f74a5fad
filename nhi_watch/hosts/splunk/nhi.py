"""The reporting search command nhi, with what people ask of notables and of the app behind its name:

`nhi explain`, `nhi feedback`, `nhi health`, `nhi identities`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.splunk import explain, feedback, fields, health
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Options, Search, parse, serve
from nhi_watch.hosts.splunk.rows import Body, ChunkColumns, Line, Row, read, write
from nhi_watch.hosts.splunk.run import reading
from nhi_watch.state import inventory
from nhi_watch.state.inventory import Credential, Known


class Identities:
    """All non-human identities that were learnt, for Enterprise Security's identities and the page Posture."""

    def __init__(self, search: Search, options: Mapping[str, str]) -> None:
        self._search = search

    def take(self, columns: ChunkColumns, row: Row) -> None:
        """No row is needed."""

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """One row an identity."""
        state, now = reading(self._search), int(self._search.latest or time.time())
        known = inventory.identities(state) if state is not None else {}
        since = _keys(inventory.credentials(state)) if state is not None else {}
        rows = [
            _line(each, since.get(name, []), now) for name, each in sorted(known.items()) if not each.identity.human
        ]
        return fields.IDENTITY, rows, []


def _keys(credentials: Iterable[Credential]) -> dict[str, list[int]]:
    """Identity id → since when each of its long-lived credentials is there."""
    since: dict[str, list[int]] = {}
    for credential in credentials:
        created, ended = credential.latest("created"), credential.latest("deleted", "created")
        if credential.identity is not None and not (ended is not None and ended.what == "deleted"):
            begun = created.time if created is not None else credential.first
            since.setdefault(credential.identity.id, []).extend([begun] if begun else [])
    return since


def _line(known: Known, keys: Sequence[int], now: int) -> Line:
    who = known.identity
    cells = (
        who.id,
        who.name,
        who.kind,
        who.provider,
        who.account,
        render(known.first),
        render(known.last),
        str(max(0, now - known.last) // DAY),
        str(len(keys)),
        str(max(0, now - min(keys)) // DAY) if keys else "",
    )
    return dict(zip(fields.IDENTITY, cells))


class QuestionKind(NamedTuple):
    """One kind of question."""

    make: Callable[[Search, Mapping[str, str]], Any]
    """Gives an object with `take(columns, row)` and `answer() -> (names of fields, rows, messages)`."""
    options: Options
    needed: list[str]


KINDS = {
    "explain": QuestionKind(explain.Explain, explain.OPTIONS, explain.NEEDED),
    "feedback": QuestionKind(feedback.Feedback, feedback.OPTIONS, feedback.NEEDED),
    "health": QuestionKind(health.Health, health.OPTIONS, health.NEEDED),
    "identities": QuestionKind(Identities, {}, []),
}


class Nhi:
    """The command."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        """Which question it is.

        Raises:
            InputError: none of ours, or an option is wrong.
        """
        what = search.arguments[0] if search.arguments else ""
        if what not in KINDS:
            raise InputError(f"nhi: {what[:40]!r} is unknown. Write nhi {'|'.join(KINDS)}")
        kind = KINDS[what]
        self._asked = kind.make(search, parse(f"nhi {what}", kind.options, search.arguments[1:]))
        return {"type": "reporting", "required_fields": kind.needed}, []

    def execute(self, body: Body) -> bytes:
        """Take in a chunk."""
        rows = read(body)
        columns = ChunkColumns(next(rows, []))
        for row in rows:
            self._asked.take(columns, row)
        return b""

    def finish(self) -> tuple[bytes, Messages]:
        """The answer."""
        names, lines, messages = self._asked.answer()
        many = [name for name in names if any(not isinstance(line.get(name, ""), str) for line in lines)]
        return (write(names, lines, many) if lines else b""), messages


def main(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer splunkd until it has had enough; the process's exit code."""
    return serve(Nhi(), requests, replies)
