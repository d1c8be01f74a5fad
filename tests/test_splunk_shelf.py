"""Rows on a shelf: what a dictionary would hold, in little memory."""

from __future__ import annotations

import io
import random
import tracemalloc

import pytest

from nhi_watch.hosts.splunk import protocol, shelf
from nhi_watch.hosts.splunk.shelf import of_bytes, of_texts


@pytest.mark.parametrize("held", [0, 700, 1 << 22])
def test_a_shelf_holds_what_a_dictionary_would(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "HELD", held)
    found, wanted, dice = of_bytes(), dict[str, bytes](), random.Random(1)
    for _ in range(2_000):
        key = f"k{dice.randrange(600)}"
        if key in wanted and dice.random() < 0.2:
            del found[key], wanted[key]
        else:
            found[key] = wanted[key] = bytes(dice.randrange(900))
    assert list(found.scan()) == sorted(wanted.items())
    assert list(found.scan("k2", "k5")) == sorted(row for row in wanted.items() if "k2" <= row[0] < "k5")
    assert (len(found), "k" in found, "nobody" in found) == (len(wanted), False, False)


def test_rows_may_be_put_while_a_shelf_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "HELD", 3_000)
    found = of_texts()
    found.update((f"{number:04d}", "x" * 100) for number in range(20))
    seen = []
    for key, _ in found.scan():
        seen.append(key)
        found[f"a{key}"] = "y" * 100
    assert [key for key in seen if key[0] != "a"] == [f"{number:04d}" for number in range(20)]


def test_half_characters_and_empty_texts_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "HELD", 0)
    found = of_texts()
    found.update({"\ud800": "\udfff", "\ue000": "", "z": "\0"})
    assert dict(found) == {"z": "\0", "\ud800": "\udfff", "\ue000": ""}
    assert list(found) == sorted(found)


def test_without_sqlite_all_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "HELD", 0)
    monkeypatch.setattr(shelf, "sqlite3", None)
    found = of_texts()
    found.update({"b": "2", "a": "1"})
    del found["b"]
    assert dict(found) == {"a": "1"}


def test_memory_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "HELD", 1 << 20)
    tracemalloc.start()
    found = of_bytes()
    found.update((f"{number:06d}", random.Random(number).randbytes(1_000)) for number in range(10_000))
    assert sum(len(row) for _, row in found.scan()) == 10_000_000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4_000_000


class _Sum(protocol.Streaming):
    """Takes rows in; tells how many, and of how many bytes the largest piece was."""

    in_pieces = True

    def __init__(self) -> None:
        self.rows = self.most = 0

    def prepare(self, search: protocol.Search) -> tuple[protocol.Metadata, protocol.Messages]:
        return {"type": "reporting"}, []

    def execute(self, body: bytes) -> bytes:
        self.rows, self.most = self.rows + body.count(b"\n") - 1, max(self.most, len(body))
        return b""

    def finish(self) -> tuple[protocol.Body, protocol.Messages]:
        answer = io.BytesIO()
        answer.write(b"rows,most\n%d,%d\n" % (self.rows, self.most))
        return answer, []


def test_a_chunk_comes_in_pieces_and_an_answer_goes_out_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"a,b\n" + b"1,%s\n" % (b"x" * 1_000) * 20_000
    stream = b"".join(
        b"chunked 1.0,%d,%d\n%b%b" % (len(head), len(told), head, told)
        for head, told in ((b'{"action":"getinfo"}', b""), (b'{"action":"execute","finished":true}', body))
    )
    replies = io.BytesIO()
    assert protocol.serve(_Sum(), io.BytesIO(stream), replies) == 0
    rows, most = replies.getvalue().rpartition(b"rows,most\n")[2].split(b",")
    assert int(rows) == 20_000
    assert int(most) < protocol.PIECE + 2_000


def test_a_chunk_that_ends_in_a_piece_is_told() -> None:
    with pytest.raises(protocol.ProtocolError, match="the stream ends after 4 of 9 bytes"):
        list(protocol.pieces(io.BytesIO(b"a\n1\n"), 9))
