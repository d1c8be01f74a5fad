"""Readers under fuzzing, half a minute in CI, a moment elsewhere; and what once did harm does none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nhi_watch.core.errors import StoreError
from nhi_watch.state import day_rows
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack
from nhi_watch_lab import fuzzing
from nhi_watch_lab.fuzzing import HARMFUL, TARGETS, Target, corpus, tried

SECONDS = 4.0 if os.environ.get("CI") else 1.5
"""For each of the targets."""


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_does_harm(name: str) -> None:
    count, harmful = tried(name, SECONDS, int.from_bytes(os.urandom(4), "big"))
    assert harmful == [] and count > 5


@pytest.mark.parametrize("path", sorted(HARMFUL.glob("*/*")), ids=lambda path: path.name)
def test_what_once_did_harm_does_none(path: Path) -> None:
    TARGETS[path.parent.name].run(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_read_as_it_is(name: str) -> None:
    for data in corpus(name):
        TARGETS[name].run(data)


def test_a_planted_defect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(data: bytes) -> None:
        if b"null" in data:
            raise KeyError("null")

    monkeypatch.setitem(TARGETS, "planted", Target(run, lambda: iter([b'{"a": {"b": [1, "c"]}}'])))
    assert tried("planted", 5, 1)[1]


def test_a_damaged_row_is_told_as_such() -> None:
    for raw in (b"", b"\0", pack([1]), pack({"a": 1}), pack("x")):
        with pytest.raises(StoreError, match="a row of the state is damaged"):
            day_rows.unpack(raw)
    store = MemoryStore()
    store.put("meta", [("calendar", pack(7))])
    with pytest.raises(StoreError, match="damaged"):
        State(store)


def test_the_program_tells_what_it_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "find_spec", lambda name: None)
    assert fuzzing.main(["--seconds", "1", "--only", "rows", "--out", str(tmp_path)]) == 0
    assert "rows: " in capsys.readouterr().out
