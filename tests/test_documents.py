"""An array that is split at once gives what it gives when it is gone through bracket by bracket."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.hosts.files import reader
from nhi_watch.hosts.files.reader import documents

VALUES: tuple[Any, ...] = (
    1,
    "a",
    'a "quoted" },{ text\\',
    "\ud800",
    None,
    [{"b": 1}, {"c": [{}, {}]}],
    {"d": {}},
    "x" * 700,
    "ä",
)
DAMAGE = (b"", b"},{", b"\\", b'"', b"[", b"}", b"\x00", b",,", b"\xff", b"{]", b"\n{")


def made(dice: random.Random) -> bytes:
    """A document with an array of records, most of them whole, in one of many spellings."""
    members: list[Any] = [
        {f"k{n}": dice.choice(VALUES) for n in range(dice.randrange(6))}
        if dice.random() < 0.97
        else dice.choice(VALUES)
        for _ in range(dice.randrange(120))
    ]
    document = members if dice.random() < 0.5 else {"Records": members, **({"end": [1]} if dice.random() < 0.3 else {})}
    text = json.dumps(document, indent=dice.choice([None, None, 1]), ensure_ascii=dice.random() < 0.7)
    raw = text.encode("utf-8", "surrogatepass")
    for _ in range(dice.choice([0, 0, 1, 3])):
        at = dice.randrange(len(raw) + 1)
        raw = raw[:at] + dice.choice(DAMAGE) + raw[at + dice.randrange(3) :]
    return raw if dice.random() < 0.8 else raw[: dice.randrange(len(raw) + 1)]


def read(path: Path) -> tuple[list[Any], list[Any]]:
    """Records with their lines and bytes, and what is none."""
    batches = list(reader.read([str(path)]))
    where = [(b.where(n).line, b.records[n], b.raw(n)) for b in batches for n in range(len(b.records))]
    return where, [bad for b in batches for bad in b.bad]


@pytest.mark.parametrize("seed", range(60))
def test_members_are_the_same_however_they_are_split(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(made(random.Random(seed)))
    for name, size in (("MAX_DOCUMENT", 0), ("_SPLIT", 3_000), ("_TAIL", 1_500), ("_AHEAD", 4_000)):
        monkeypatch.setattr(documents, name, size)
    split = read(path)
    monkeypatch.setattr(documents._TextWindow, "members", lambda window: [])
    assert split == read(path)


def test_an_array_is_split_and_a_wrong_member_costs_that_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT", 0)
    monkeypatch.setattr(documents, "_SPLIT", 3_000)
    path = tmp_path / "a.json"
    members = [json.dumps({"n": n, "of": [{"a": 1}, {"b": 2}]}) for n in range(1_000)]
    members[500] = '{"n": 500, "wrong": tru}'
    path.write_text('{"Records": [' + ",".join(members) + "]}")
    walked = list[Any]()
    walk = documents._walk

    def watched(window: Any) -> Any:
        for piece in walk(window):
            walked.append(piece)
            yield piece

    monkeypatch.setattr(documents, "_walk", watched)
    records, bad = read(path)
    assert [record["n"] for _, record, _ in records] == [n for n in range(1_000) if n != 500]
    assert [line for line, _, _ in records] == [n for n in range(1, 1_001) if n != 501]
    assert [(item.line, item.reason) for item in bad] == [(501, "not_json")]
    assert sum(isinstance(piece, documents._Piece) for piece in walked) < 600, "the others were split"
