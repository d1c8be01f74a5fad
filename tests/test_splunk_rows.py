"""Adding columns to CSV: nothing of what came is changed, whatever it is."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.hosts.splunk.rows import Answer, Row, annotate, multivalue, read, render, values_of


def size(header: Row) -> Answer:
    """Answers with the number of characters in the row."""
    return lambda row: render([str(sum(map(len, row)))]).encode()


def always(answer: bytes) -> Answer:
    return lambda row: answer


def test_the_new_cells_stand_behind_the_text_that_came() -> None:
    body = b'a,"b",_chunked_idx\n1,"x ""y"", z",0\n"2",,1\n'
    assert annotate(body, ["n"], size) == b'a,b,_chunked_idx,n\n1,"x ""y"", z",0,10\n"2",,1,2\n'


@pytest.mark.parametrize("odd", [b"\0", b"\r"])
def test_what_the_csv_module_refuses_is_read_as_a_replacement_and_sent_back_as_it_was(odd: bytes) -> None:
    assert annotate(b"a,b\nx" + odd + b"y,2\n", ["n"], size) == b"a,b,n\nx" + odd + b"y,2,4\n"


def test_rows_of_the_wrong_width_are_made_as_wide_as_the_header() -> None:
    assert annotate(b"a,b\n1\n1,2,3\n", ["n"], size) == b"a,b,n\n1,,1\n1,2,2\n"


def test_a_column_that_is_there_already_is_replaced_with_its_multivalue() -> None:
    assert annotate(b"n,a,__mv_n\n7,1,$7$;$8$\n", ["n"], size) == b"a,n\n1,9\n"


def test_a_quote_that_is_never_closed_does_not_lose_the_rows_before_it() -> None:
    assert annotate(b'a,b\n1,2\n"3,4\n', ["n"], size).startswith(b"a,b,n\n1,2,2\n")


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(st.lists(st.lists(ANY_TEXT, min_size=3, max_size=3), max_size=8))
def test_any_table_comes_back_with_its_cells_and_one_more(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    answered = annotate(text.getvalue().encode(), ["n"], lambda header: always(b",new\n")).decode()
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
