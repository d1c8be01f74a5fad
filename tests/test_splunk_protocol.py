"""What splunkd and a command say to each other: chunks, streams that make no sense, rows that cannot be read.

What every command answers to chunks of all kinds is in test_splunk_commands.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layout import PACKAGE, sources
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk import reasons
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.nhiscore import NhiScore
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
from nhi_watch.hosts.splunk.rows import Answer, Row, annotate, multivalue, read, render, values_of, write
from splunk_stream import chunk, getinfo, replies


class Echo(Streaming):
    """A command that hands bodies back, and refuses the argument `bad`."""

    def prepare(self, search: Search) -> tuple[Metadata, Messages]:
        if "bad" in search.arguments:
            raise InputError("'bad' is not an option. Write good")
        return {"type": "streaming", "required_fields": search.arguments}, []

    def execute(self, body: Iterable[bytes]) -> bytes:
        return b"".join(body)


def converse(given: bytes) -> tuple[int, list[tuple[Metadata, bytes]]]:
    out = io.BytesIO()
    code = serve(Echo(), io.BytesIO(given), out)
    return code, list(replies(io.BytesIO(out.getvalue())))


def execute(body: bytes = b"", finished: bool = False) -> bytes:
    return chunk({"action": "execute", "finished": finished}, body)


def test_no_request_no_answer() -> None:
    assert converse(b"") == (0, [])


def test_a_wrong_argument_ends_the_search_with_a_message_whose_inspector_stands_before_the_error() -> None:
    code, answers = converse(getinfo(["bad"]) + execute(b"a\n1\n", finished=True))
    text = "'bad' is not an option. Write good"
    assert (code, len(answers)) == (1, 1)
    assert list(answers[0][0].items()) == [
        ("inspector", {"messages": [["ERROR", text]]}),
        ("finished", True),
        ("error", text),
    ]


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
    "arguments no list": (chunk({"action": "getinfo", "searchinfo": {"args": "x"}}), "args is not a list"),
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


def test_lengths_are_counted_in_bytes() -> None:
    out = io.BytesIO()
    write_reply(out, {"error": "ü"}, "ü\n".encode())
    assert out.getvalue() == b'chunked 1.0,18,3\n{"error":"\\u00fc"}\xc3\xbc\n'


# ---- adding columns: nothing of what came is changed, whatever it is


def size(header: Row) -> Answer:
    """Answers with the number of characters in the row."""
    return lambda row: render([str(sum(map(len, row)))]).encode()


def always(answer: bytes) -> Answer:
    return lambda row: answer


SIZED = {
    "behind the text that came": (
        b'a,"b",_chunked_idx\n1,"x ""y"", z",0\n"2",,1\n',
        b'a,b,_chunked_idx,n\n1,"x ""y"", z",0,10\n"2",,1,2\n',
    ),
    "a zero byte": (b"a,b\nx\0y,2\n", b"a,b,n\nx\0y,2,4\n"),
    "a carriage return": (b"a,b\nx\ry,2\n", b"a,b,n\nx\ry,2,4\n"),
    "as wide as the header": (b"a,b\n1\n1,2,3\n", b"a,b,n\n1,,1\n1,2,2\n"),
    "there already, with its multivalue": (b"n,a,__mv_n\n7,1,$7$;$8$\n", b"a,n\n1,9\n"),
    "a quote that is never closed": (b'a,b\n1,2\n"3,4\n', b"a,b,n\n1,2,2\n"),
}


@pytest.mark.parametrize(("body", "answered"), SIZED.values(), ids=SIZED)
def test_a_new_cell_stands_behind_what_came(body: bytes, answered: bytes) -> None:
    assert annotate(body, ["n"], size).startswith(answered)


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(st.lists(st.lists(ANY_TEXT, min_size=3, max_size=3), max_size=8))
def test_any_table_comes_back_with_its_cells_and_one_more(rows: list[list[str]]) -> None:
    output = io.StringIO()
    csv.writer(output, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    answered = annotate(output.getvalue().encode(), ["n"], lambda header: always(b",new\n")).decode()
    assert list(csv.reader(io.StringIO(answered, newline="")))[1:] == [[*row, "new"] for row in rows]


ODD = st.text(st.sampled_from('",{}\n\ra'), max_size=12)


@given(st.lists(ODD, max_size=6))
def test_rows_are_read_as_the_csv_module_reads_them(parts: list[str]) -> None:
    text = "".join(f"{part}\n" for part in ["a,_raw,b", *(part.replace("\r", "") for part in parts)])
    known = [row for row in csv.reader(io.StringIO(text, newline="\n")) if row]
    assert list(read(text.encode())) == [[*row, "", "", ""][:3] for row in known]


@given(st.binary())
def test_any_bytes_below_a_header_come_back_unchanged_where_the_rows_are_as_wide_as_it(body: bytes) -> None:
    line = b"x" + body.replace(b",", b"").replace(b'"', b"").replace(b"\n", b"")
    answered = annotate(b"a\n" + line + b"\n", ["n"], lambda header: always(b",1\n"))
    assert answered == b"a,n\n" + line + b",1\n"


@given(st.lists(st.text(), min_size=2, max_size=5))
def test_multivalues_can_be_read_back(values: list[str]) -> None:
    assert values_of(multivalue(values)[1]) == values


# ---- what is said of rows that could not be read

CODE = re.compile(r'(?:RejectError|reject)\(\s*"(\w+)"')


def test_every_reason_that_can_come_in_splunk_has_words() -> None:
    ships = [path for path in sources(PACKAGE) if {"sources", "splunk"} & {*path.parts}]
    codes = {code for path in ships for code in CODE.findall(path.read_text("utf-8"))}
    assert len(codes) > 15
    assert codes <= reasons.DAMAGED.keys() | reasons.LEFT_OUT.keys()


def test_what_is_damaged_is_a_warning_with_a_remedy_and_what_is_left_out_is_none() -> None:
    [(level, text), (other, left)] = reasons.messages("nhirank", {"bad_json": 2, "clock": 1, "closed": 7})
    assert (level, other) == ("WARN", "INFO")
    assert text.startswith("nhirank: could not read 3 events: 2 bad_json: the JSON is cut off or damaged: raise")
    assert left == "nhirank: left out 7 events: 7 alerts that are closed or resolved"
    assert reasons.messages("nhirank", {"x": 1}) == [("WARN", "nhirank: could not read 1 event: 1 x")]


def test_reasons_are_counted_by_their_code_wherever_they_come_from() -> None:
    gatherer = Gatherer()
    reasons_given = [reasons.spelled("clock"), "clock", "own words"]
    rows = "".join(f'"{text}",2\n' for text in reasons_given)
    gatherer.feed(f"nhi_error,nhi_events\n{rows}".encode())
    assert gatherer.rejected == {"clock": 4, "own words": 2}


WRY = {
    "class_uid": 6003,
    "metadata": {"version": "1.1.0", "product": {"name": "CloudTrail", "vendor_name": "AWS"}},
    "unmapped": [{"key": [], "value": 1}],
    "time": 1772445600000,
    "api": {"operation": "ListBuckets"},
    "cloud": {"provider": "AWS"},
}


def test_one_event_of_odd_types_ends_no_search(tmp_path: Path) -> None:
    chunk = write(["_raw"], [{"_raw": json.dumps(WRY)}])
    gatherer = Gatherer()
    gatherer.feed(chunk)
    assert gatherer.rejected == {"unforeseen": 1}
    command = NhiScore(tmp_path)
    command.prepare(Search(arguments=[]))
    assert b"unforeseen" in command.execute(chunk)
