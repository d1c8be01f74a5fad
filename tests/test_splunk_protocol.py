"""The chunked protocol: what is answered, and what is done with a stream that makes no sense."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk.protocol import (
    Messages,
    Metadata,
    ProtocolError,
    Search,
    Streaming,
    read_head,
    serve,
    write_reply,
)
from splunk_stream import chunk, getinfo, replies


class Echo(Streaming):
    """A command that hands bodies back, and refuses the argument `bad`."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        if "bad" in search.arguments:
            raise InputError("'bad' is no option. Write good")
        return {"type": "streaming", "required_fields": search.arguments}, self._messages

    def execute(self, body: Iterable[bytes]) -> bytes:
        return b"".join(body)


def converse(given: bytes, messages: Messages = []) -> tuple[int, list[tuple[Metadata, bytes]]]:  # noqa: B006
    out = io.BytesIO()
    code = serve(Echo(messages), io.BytesIO(given), out)
    return code, list(replies(io.BytesIO(out.getvalue())))


def execute(body: bytes = b"", finished: bool = False) -> bytes:
    return chunk({"action": "execute", "finished": finished}, body)


def test_getinfo_is_answered_with_type_and_fields() -> None:
    assert converse(getinfo(["a", "b"])) == (0, [({"type": "streaming", "required_fields": ["a", "b"]}, b"")])


def test_messages_go_into_the_inspector() -> None:
    _, answers = converse(getinfo(), [("INFO", "no baseline yet")])
    assert answers[0][0]["inspector"] == {"messages": [["INFO", "no baseline yet"]]}


def test_each_request_gets_one_reply_and_the_last_says_finished() -> None:
    given = getinfo() + execute(b"a\n1\n") + execute() + execute(b"a\n2\n", finished=True)
    code, answers = converse(given)
    assert code == 0
    assert answers[1:] == [
        ({"finished": False}, b"a\n1\n"), ({"finished": False}, b""), ({"finished": True}, b"a\n2\n"),
    ]  # fmt: skip


def test_a_preview_chunk_is_answered_as_any_other() -> None:
    given = getinfo() + chunk({"action": "execute", "preview": True, "finished": False}, b"a\n1\n")
    assert converse(given)[1][1] == ({"finished": False}, b"a\n1\n")


def test_a_wrong_argument_ends_the_search_with_a_message_whose_inspector_stands_before_the_error() -> None:
    code, answers = converse(getinfo(["bad"]) + execute(b"a\n1\n", finished=True))
    text = "'bad' is no option. Write good"
    assert (code, len(answers)) == (1, 1)
    assert list(answers[0][0].items()) == [
        ("inspector", {"messages": [["ERROR", text]]}), ("finished", True), ("error", text),
    ]  # fmt: skip


def test_no_request_no_answer() -> None:
    assert converse(b"") == (0, [])


NONSENSE = {
    "no header": (b"GET / HTTP/1.1\r\n", "expected 'chunked 1.0,<bytes>,<bytes>'"),
    "another version": (b"chunked 2.0,2,0\n{}", "expected 'chunked 1.0,<bytes>,<bytes>'"),
    "endless header": (b"chunked 1.0," + b"9" * 100_000, "expected 'chunked 1.0,<bytes>,<bytes>'"),
    "metadata cut off": (b"chunked 1.0,200,0\n{", "the stream ends after 1 of 200 bytes"),
    "body cut off": (b"chunked 1.0,2,9\n{}abc", "the stream ends after 3 of 9 bytes"),
    "metadata no JSON": (b"chunked 1.0,3,0\n{a}", "metadata is not JSON"),
    "metadata no object": (b"chunked 1.0,2,0\n[]", "metadata is not a JSON object"),
    "no getinfo": (execute(b"a\n1\n"), "expected the action getinfo first, got 'execute'"),
    "no execute": (getinfo() + getinfo(), "expected the action execute, got 'getinfo'"),
    "arguments no list": (chunk({"action": "getinfo", "searchinfo": {"args": "x"}}), "args is no list"),
}


@pytest.mark.parametrize(("given", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_with_a_message(given: bytes, message: str) -> None:
    code, answers = converse(given)
    assert code == 1
    assert message in answers[-1][0]["error"]
    assert answers[-1][0]["finished"] is True


def test_a_length_beyond_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "request"
    path.write_bytes(b"chunked 1.0,999999999999999,0\n{}")
    with path.open("rb") as stream, pytest.raises(ProtocolError, match=r"memory|ends after 2"):
        read_head(stream)


def test_metadata_that_is_no_utf_8_is_still_read() -> None:
    assert read_head(io.BytesIO(b'chunked 1.0,9,0\n{"a":"\xff"}')) == ({"a": "\ufffd"}, 0)


def test_an_error_of_the_reader_is_an_error_of_ours() -> None:
    with pytest.raises(ProtocolError):
        read_head(io.BytesIO(b"chunked 1.0,1,0\n"))


def test_lengths_are_counted_in_bytes() -> None:
    out = io.BytesIO()
    write_reply(out, {"error": "ü"}, "ü\n".encode())
    assert out.getvalue() == b'chunked 1.0,18,3\n{"error":"\\u00fc"}\xc3\xbc\n'


def test_a_pipe_that_the_search_closed_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    given = getinfo() + execute(b"a\n" + b"1\n" * 100_000)
    replies_to: BinaryIO = os.fdopen(writing, "wb")
    with replies_to:
        assert serve(Echo([]), io.BytesIO(given), replies_to) == 0
