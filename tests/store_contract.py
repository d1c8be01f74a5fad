"""What every store must do; each store's tests subclass `StoreContract` and say how to open one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Optional

import pytest

from nhi_watch.core.errors import StoreError
from nhi_watch.state.store import TABLES, Store

Open = Callable[[], Store]
"""Opens a store on the same place as before; the earlier one was closed."""

END = "\U0010ffff"


def rows(store: Store, table: str = "meta", low: str = "", high: str = END) -> list[tuple[str, bytes]]:
    return list(store.scan(table, low, high))


class StoreContract:
    """A subclass defines the fixture `reopen`: a function that opens an at first empty store."""

    durable = True
    """Rows outlive the object."""

    def test_what_was_put_is_read_at_once(self, reopen: Open) -> None:
        store = reopen()
        store.put("meta", [("a", b"1"), ("b", b"")])
        assert store.get("meta", ["a", "b", "c"]) == {"a": b"1", "b": b""}
        assert rows(store) == [("a", b"1"), ("b", b"")]

    def test_what_was_committed_is_read_at_once(self, reopen: Open) -> None:
        store = reopen()
        store.put("meta", [("a", b"1"), ("b", b"2")])
        store.commit()
        assert store.get("meta", ["b", "b", "a"]) == {"a": b"1", "b": b"2"}
        assert rows(store) == [("a", b"1"), ("b", b"2")]

    def test_put_replaces_and_none_deletes(self, reopen: Open) -> None:
        store = reopen()
        store.put("meta", [("a", b"1"), ("b", b"2"), ("c", b"3")])
        store.commit()
        store.put("meta", [("a", b"4"), ("b", None), ("never", None)])
        for _ in range(2):
            assert store.get("meta", ["a", "b", "c"]) == {"a": b"4", "c": b"3"}
            assert rows(store) == [("a", b"4"), ("c", b"3")]
            store.commit()

    def test_of_two_rows_with_one_key_the_later_counts(self, reopen: Open) -> None:
        store = reopen()
        store.put("meta", [("a", b"1"), ("a", None), ("a", b"2"), ("b", b"3"), ("b", None)])
        assert rows(store) == [("a", b"2")]
        store.commit()
        assert rows(store) == [("a", b"2")]

    def test_a_scan_is_half_open_and_in_order_of_code_points(self, reopen: Open) -> None:
        store = reopen()
        keys = ["", " ", "A", "a", "a|", "b", "é", "\uffee", "\U0001f511"]
        shuffled = random.Random(1).sample(keys, len(keys))
        store.put("meta", [(key, key.encode()) for key in shuffled[::2]])
        store.commit()
        store.put("meta", [(key, key.encode()) for key in shuffled[1::2]])
        assert [key for key, _ in rows(store)] == keys
        assert [key for key, _ in rows(store, low="a", high="b")] == ["a", "a|"]
        assert rows(store, low="b", high="a") == rows(store, low="a", high="a") == []

    def test_tables_do_not_mix(self, reopen: Open) -> None:
        store = reopen()
        for table in TABLES:
            store.put(table, [("k", table.encode())])
        store.commit()
        assert {table: rows(store, table) for table in TABLES} == {t: [("k", t.encode())] for t in TABLES}

    def test_a_table_outside_the_contract_is_refused(self, reopen: Open) -> None:
        store = reopen()
        with pytest.raises(StoreError, match="no such table: other"):
            store.put("other", [("k", b"v")])
        with pytest.raises(StoreError, match="no such table: other"):
            store.get("other", ["k"])

    def test_long_keys_and_all_bytes_survive(self, reopen: Open) -> None:
        store = reopen()
        keys = ["k" * 512, "k" * 511 + "l", "é" * 256]
        store.put("delta", [(key, bytes(range(256)) + key.encode()) for key in keys])
        store.commit()
        assert [key for key, _ in rows(store, "delta")] == keys
        assert store.get("delta", keys)[keys[1]] == bytes(range(256)) + keys[1].encode()

    def test_thousands_of_rows_are_read_page_by_page(self, reopen: Open) -> None:
        store = reopen()
        wanted = [(f"{i:05}", str(i).encode()) for i in range(2_500)]
        store.put("day", wanted)
        store.commit()
        assert rows(store, "day") == wanted
        assert store.get("day", [key for key, _ in wanted]) == dict(wanted)

    def test_rows_may_be_put_during_a_scan(self, reopen: Open) -> None:
        store = reopen()
        store.put("day", [(f"{i:05}", b"old") for i in range(1_500)])
        store.commit()
        for key, _ in store.scan("day", "", END):
            store.put("day", [(key, b"new")])
        assert rows(store, "day") == [(f"{i:05}", b"new") for i in range(1_500)]

    def test_only_what_was_committed_outlives_the_store(self, reopen: Open) -> None:
        if not self.durable:
            return
        store = reopen()
        store.put("meta", [("kept", b"1")])
        store.commit()
        store.put("meta", [("lost", b"2"), ("kept", None)])
        store.close()
        assert rows(reopen()) == [("kept", b"1")]

    def test_any_sequence_of_calls_agrees_with_a_dictionary(self, reopen: Open) -> None:
        store, model, chance = reopen(), dict[str, bytes](), random.Random(7)
        for step in range(60):
            key = chance.choice("abcdef")
            value: Optional[bytes] = None if chance.random() < 0.3 else str(step).encode()
            store.put("profile", [(key, value)])
            model.pop(key, None)
            if value is not None:
                model[key] = value
            if chance.random() < 0.2:
                store.commit()
            assert rows(store, "profile") == sorted(model.items())
            assert store.get("profile", list("abcdef")) == model
