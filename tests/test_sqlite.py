"""Both local stores keep the contract; the SQLite file survives kills and refuses what it should."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Union

import pytest

from nhi_watch.core.errors import StoreError
from nhi_watch.state.sqlite import SqliteStore, _make_private
from nhi_watch.state.store import MemoryStore
from store_contract import Open, StoreContract

Make = Callable[[], Union[MemoryStore, SqliteStore]]


@pytest.fixture(params=["memory", "sqlite", "sqlite in memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    makers: dict[str, Make] = {
        "memory": MemoryStore,
        "sqlite": lambda: SqliteStore(tmp_path / "state.db"),
        "sqlite in memory": lambda: SqliteStore(":memory:"),
    }
    return makers[request.param]


class TestSqlite(StoreContract):
    """What every store must do."""

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Open:
        return lambda: SqliteStore(tmp_path / "state.db")


class TestMemory(StoreContract):
    """The same, but that it does not look after a table's name."""

    durable = False

    @pytest.fixture
    def reopen(self) -> Open:
        return MemoryStore

    def test_a_table_outside_the_contract_is_refused(self, reopen: Open) -> None:
        with pytest.raises(KeyError):
            reopen().put("other", [])


VALUES = [b"x", b"\0", bytes(range(256)) * 9, b"x" * 70_000, b"\x78\x01" + b"q" * 254]


@pytest.mark.parametrize("value", VALUES)
def test_any_bytes_come_back_as_they_were(make: Make, value: bytes) -> None:
    store = make()
    store.put("meta", [("k", value)])
    store.commit()
    assert store.get("meta", ["k"]) == {"k": value}


def test_a_commit_without_changes_is_fine(make: Make) -> None:
    store = make()
    store.commit()
    store.put("day", [])
    store.commit()
    assert list(store.scan("day", "", "~")) == []


CHILD = """
import os, signal, sys
from nhi_watch.state.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
store.put("day", [(str(number), b"new") for number in range(20_000)])
if sys.argv[2] == "commit":
    store.commit()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("when", "left"), [("before", {b"old": 20_000}), ("commit", {b"new": 20_000})])
def test_a_kill_leaves_the_state_before_or_after_the_commit(tmp_path: Path, when: str, left: dict[bytes, int]) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    store.put("day", [(str(number), b"old") for number in range(20_000)])
    store.commit()
    store.close()
    assert subprocess.run([sys.executable, "-c", CHILD, str(path), when], check=False).returncode == -9
    values = [value for _, value in SqliteStore(path).scan("day", "", "~")]
    assert {value: values.count(value) for value in values} == left


def test_a_second_run_is_told_that_the_state_is_in_use(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "s.db")
    first.put("day", [("a", b"1")])
    first.commit()
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"s\.db: the state is in use by another run; wait for it"):
        SqliteStore(tmp_path / "s.db", busy_seconds=0.2)
    assert 0.1 < time.monotonic() - started < 3
    first.close()
    assert SqliteStore(tmp_path / "s.db").get("day", ["a"]) == {"a": b"1"}


def test_a_run_that_waits_gets_the_state_when_the_first_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom nhi_watch.state.sqlite import SqliteStore\n"
        "store = SqliteStore(sys.argv[1]); print('open', flush=True); time.sleep(0.5); store.close()"
    )
    path = str(tmp_path / "s.db")
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        SqliteStore(path).close()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"precious text\n" * 100)
    with pytest.raises(StoreError, match="this is not a state file; name another one with --state"):
        SqliteStore(path)
    assert path.read_bytes() == b"precious text\n" * 100


def test_a_damaged_file_is_told_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    store.put("day", [(f"{number:06}", b"v" * 100) for number in range(20_000)])
    store.commit()
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="the state file is damaged; restore a copy"):
        list(SqliteStore(path).scan("day", "", "~"))


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "s.db").close()
    database = sqlite3.connect(tmp_path / "s.db")
    database.execute("PRAGMA user_version = 5")
    database.close()
    with pytest.raises(StoreError, match="has version 5, this program reads up to 4; update the program"):
        SqliteStore(tmp_path / "s.db")


def test_a_file_of_an_older_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 3")
    database.close()
    with pytest.raises(StoreError, match="has version 3, this program writes 4; name a new file"):
        SqliteStore(path)


@pytest.mark.parametrize("version", [0, 4])
def test_the_database_of_another_program_is_refused_and_kept(tmp_path: Path, version: int) -> None:
    path = tmp_path / "s.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE customers (name)")
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_damaged_value_is_told_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = SqliteStore(path)
    store.put("day", [("a", b"v" * 1000)])
    store.commit()
    store.close()
    database = sqlite3.connect(path)
    database.execute("UPDATE day SET value = x'78ffff'")
    database.commit()
    database.close()
    store = SqliteStore(path)
    for broken in (lambda: store.get("day", ["a"]), lambda: list(store.scan("day", "", "~"))):
        with pytest.raises(StoreError, match="the state file is damaged; restore a copy"):
            broken()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened; check that its folder exists"):
        SqliteStore(tmp_path / "none" / "s.db")


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_seconds(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    started = time.monotonic()
    store.put("delta", ((f"{number:08}", b"%d" % number * 20) for number in range(100_000)))
    store.commit()
    assert sum(1 for _ in store.scan("delta", "", "~")) == 100_000
    assert time.monotonic() - started < 15


def test_no_altered_byte_of_the_file_is_read_as_if_nothing_were(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    rows = [(f"{n:06d}/identity-{n}", bytes([n]) * (n % 7 * 90) + str(n).encode()) for n in range(90)]
    store = SqliteStore(path)
    store.put("day", rows)
    store.commit()
    store.close()
    original, altered = path.read_bytes(), 0
    for at in range(50, len(original), len(original) // 12):
        path.write_bytes(original[:at] + bytes([original[at] ^ 0x41]) + original[at + 1 :])
        try:
            store = SqliteStore(path)
            assert list(store.scan("day", "", "\U0010ffff")) == rows
            store.close()
        except StoreError:
            altered += 1
    assert altered >= 2  # the rest is room that holds nothing


def test_a_state_without_content_is_refused_and_a_new_one_never_is_without(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.touch()
    with pytest.raises(StoreError, match=r"state\.sqlite: the state file is empty.*move it away and learn again"):
        SqliteStore(path)
    assert path.stat().st_size == 0
    path.unlink()
    _make_private(str(path))
    assert path.stat().st_size > 0 and path.stat().st_mode & 0o777 == 0o600
    SqliteStore(path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]
