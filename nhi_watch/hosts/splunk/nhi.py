"""The reporting search command nhi, with what people ask of notables and of the app behind its name:

`nhi explain`, `nhi feedback`, `nhi health`, `nhi identities`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk import explain, feedback, health
from nhi_watch.hosts.splunk.protocol import Messages, Metadata, Options, Search, parse, serve
from nhi_watch.hosts.splunk.rows import Body, ChunkColumns, Line, Row, read, write
from nhi_watch.hosts.splunk.run import reading
from nhi_watch.state import inventory


class Identities:
    """All non-human identities that were learnt, for Enterprise Security's asset and identity framework."""

    def __init__(self, search: Search, options: Mapping[str, str]) -> None:
        self._search = search

    def take(self, columns: ChunkColumns, row: Row) -> None:
        """No row is needed."""

    def answer(self) -> tuple[Sequence[str], list[Line], Messages]:
        """One row an identity."""
        state = reading(self._search)
        known = inventory.identities(state) if state is not None else {}
        rows: list[Line] = [
            {"nhi_identity_id": known_identity.identity.id, "nhi_identity": known_identity.identity.name,
             "nhi_identity_kind": known_identity.identity.kind, "nhi_account": known_identity.identity.account}
            for _, known_identity in sorted(known.items()) if not known_identity.identity.human
        ]  # fmt: skip
        return ["nhi_identity_id", "nhi_identity", "nhi_identity_kind", "nhi_account"], rows, []


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
