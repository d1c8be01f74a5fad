"""The audit trail: every line seals the one before; what was removed, edited or moved is found and named."""

from __future__ import annotations

import json
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_samples import asked, desk
from nhi_watch.act import audit
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.hosts.files import audit as command


def trail(folder: Path, count: int = 8) -> Path:
    path = folder / audit.NAME
    for number in range(count):
        audit.append(path, "verdict", "alice", {"number": number, "text": "ä\n=1+1"})
    return path


def test_a_whole_trail_holds(tmp_path: Path) -> None:
    path = trail(tmp_path)
    verified = audit.verify(path)
    assert (verified.lines, verified.fault) == (8, "")
    assert asked(command, "verify", out=tmp_path) == {"lines": 8, "head": verified.head.hash, "verified": True}
    assert audit.verify(path, verified.head.hash).fault == ""


def fault_of(path: Path, lines: list[bytes]) -> str:
    path.write_bytes(b"".join(lines))
    with pytest.raises(InputError) as caught:
        desk(command, "verify", out=path.parent)
    return str(caught.value)


def test_a_line_removed_is_named(tmp_path: Path) -> None:
    path = trail(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    for gone in range(7):
        assert f"line {gone + 1} " in fault_of(path, [*lines[:gone], *lines[gone + 1 :]])


def test_lines_edited_moved_inserted_or_cut_are_named(tmp_path: Path) -> None:
    path = trail(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    edited = lines[3].replace(b"alice", b"mallo")
    assert "line 4 was edited" in fault_of(path, [*lines[:3], edited, *lines[4:]])
    assert "line 3 does not follow" in fault_of(path, [*lines[:2], lines[4], *lines[2:4], *lines[5:]])
    assert "line 6 does not follow" in fault_of(path, [*lines[:5], lines[2], *lines[5:]])
    assert "line 8 is cut off" in fault_of(path, [*lines[:7], lines[7][:40]])
    assert "line 2 is cut off or not a JSON" in fault_of(path, [lines[0], b"[1]\n", *lines[1:]])


def test_an_edited_line_with_a_fresh_hash_breaks_the_next(tmp_path: Path) -> None:
    path = trail(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    row = json.loads(lines[3])
    del row["hash"]
    row["by"] = "mallory"
    forged = json.dumps({**row, "hash": audit.digest(row)}).encode() + b"\n"
    assert "line 5 does not follow" in fault_of(path, [*lines[:3], forged, *lines[4:]])


def test_a_new_trail_in_place_of_the_old_one_lacks_the_head_that_was_noted(tmp_path: Path) -> None:
    noted = audit.verify(trail(tmp_path / "old")).head.hash
    audit.append(tmp_path / "new" / audit.NAME, "model", "mallory", {"another": "start"})
    trail(tmp_path / "new", 20)
    with pytest.raises(InputError, match="another trail"):
        desk(command, "verify", "--head", noted, out=tmp_path / "new")


def test_lines_cut_off_at_the_end_show_against_a_head_that_was_noted(tmp_path: Path) -> None:
    path = trail(tmp_path)
    noted = audit.verify(path).head.hash
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:5]))
    assert "lines were cut off" in audit.verify(path, noted).fault


def test_nothing_is_added_to_a_damaged_trail(tmp_path: Path) -> None:
    path = trail(tmp_path)
    before = path.read_bytes()
    for damaged in (before[:-5], before + b"{}\n"):
        path.write_bytes(damaged)
        with pytest.raises(StoreError):
            audit.append(path, "verdict", "a", {})
        assert path.read_bytes() == damaged


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """No file can grow beyond a size, as on a disk that is full: what fits is written, then it fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_leaves_the_trail_as_it_was(tmp_path: Path) -> None:
    path = trail(tmp_path)
    before = path.read_bytes()
    with full_after(len(before) + 20), pytest.raises(StoreError, match="nothing was added"):
        audit.append(path, "verdict", "alice", {})
    assert path.read_bytes() == before
    assert audit.append(path, "verdict", "alice", {}).seq == 9
    assert audit.verify(path).fault == ""


def test_only_the_owner_may_read_the_trail(tmp_path: Path) -> None:
    trail(tmp_path)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"audit.jsonl": 0o600}


def test_a_link_in_the_place_of_the_trail_is_not_written_through(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "audit.jsonl").symlink_to(precious)
    with pytest.raises(StoreError):
        trail(tmp_path / "out")
    assert precious.read_bytes() == b"mine"


def repaired(folder: Path) -> tuple[str, dict[str, Any]]:
    answer = asked(command, "repair", out=folder)
    path = folder / audit.NAME
    assert audit.verify(path).fault == ""
    return answer["lost"], json.loads(list(audit.lines(path))[-1])


def test_half_a_line_is_cut_away_and_the_trail_says_so(tmp_path: Path) -> None:
    path = trail(tmp_path)
    before = path.read_bytes()
    path.write_bytes(before + b'{"seq":9,"time":"20')
    lost, last = repaired(tmp_path)
    assert "line 9 was cut off" in lost
    assert path.read_bytes().startswith(before)
    assert (last["what"], last["seq"], last["facts"]["lost"]) == ("repair", 9, lost)
    assert next(tmp_path.glob("*.torn-*")).read_bytes() == b'{"seq":9,"time":"20'
    assert asked(command, "repair", out=tmp_path)["lost"] == ""


def test_an_edited_line_is_no_accident_and_is_left_alone(tmp_path: Path) -> None:
    path = trail(tmp_path)
    for spoilt in (path.read_bytes().replace(b"alice", b"mallo", 1), path.read_bytes().replace(b'"seq"', b'"sea"', 1)):
        path.write_bytes(spoilt)
        with pytest.raises(InputError, match="restore a copy"):
            desk(command, "repair", out=tmp_path)
        assert path.read_bytes() == spoilt


def test_a_missing_trail_and_a_folder_in_its_place_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no audit trail"):
        desk(command, "verify", out=tmp_path)
    (tmp_path / audit.NAME).mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        audit.append(tmp_path / audit.NAME, "verdict", "a", {})


def test_writers_at_the_same_time_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / audit.NAME
    writers = [threading.Thread(target=trail, args=(tmp_path, 10)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert audit.verify(path)[::2] == (40, "")


def test_a_change_of_model_or_policy_is_noted_once(tmp_path: Path) -> None:
    path = tmp_path / audit.NAME
    changes = [audit.note_change(path, "model", sha, {"id": "m"}) for sha in ("a", "a", "b", "b", "a")]
    audit.note_change(path, "policy", "p", {})
    assert changes == [True, False, True, False, True]
    assert [json.loads(line)["facts"]["before"] for line in audit.lines(path)] == [None, "a", "b", None]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_any_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = trail(tmp_path_factory.mktemp("trail"), 4)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    before = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.write_bytes(content)
    verified = audit.verify(path)
    if not verified.fault:  # a change that JSON does not see, such as \u00E4 for \u00e4, says the same as before
        assert [json.loads(line) for line in path.read_bytes().splitlines()] == before


@pytest.mark.slow
def test_a_hundred_thousand_lines_are_checked_in_seconds(tmp_path: Path) -> None:
    path, last, rows = tmp_path / audit.NAME, audit.START, []
    for seq in range(1, 100_001):
        body = {"seq": seq, "time": "2026-03-01T12:00:00Z", "what": "verdict", "by": "a", "facts": {}, "prev": last}
        last = audit.digest(body)
        rows.append(audit.canonical({**body, "hash": last}))
    path.write_text("\n".join(rows) + "\n")
    started = time.perf_counter()
    assert audit.verify(path)[::2] == (100_000, "")
    assert time.perf_counter() - started < 120
