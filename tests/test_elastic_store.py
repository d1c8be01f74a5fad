"""ElasticStore, on real servers: the contract of all stores, and what only this one does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from elastic_server import FIRST, Server
from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic import setup
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.store import ElasticStore, document_id
from store_contract import Open, StoreContract, rows

pytestmark = pytest.mark.both_versions("locks, bulk writes and errors are the server's")

_numbers = count(FIRST)


@pytest.fixture
def index(elastic: Server) -> Iterator[str]:
    name = f"nhi-state-test{next(_numbers)}"
    elastic.client.indices.create(index=name, **setup.index_templates()[setup.STATE]["template"])
    yield name
    elastic.client.indices.delete(index=name)


@pytest.fixture
def reopen(elastic: Server, index: str) -> Open:
    return lambda: ElasticStore(elastic.client, index)


class TestElasticStore(StoreContract):
    pass


class TestElasticStoreThatRemembers(StoreContract):
    @pytest.fixture
    def reopen(self, elastic: Server, index: str) -> Open:
        return lambda: ElasticStore(elastic.client, index, remember=True)


def test_what_was_read_or_written_once_is_not_read_again(elastic: Server, index: str) -> None:
    store = ElasticStore(elastic.client, index, remember=True)
    store.put("day", [("1/a", b"1"), ("1/b", b"2")])
    assert rows(store, "day", "1/", "10") == [("1/a", b"1"), ("1/b", b"2")]
    store.commit()
    elastic.client.delete(index=index, id=document_id("day", "1/a"), refresh=True)
    assert store.get("day", ["1/a", "1/c"]) == {"1/a": b"1"}
    assert rows(store, "day", "1/", "10") == [("1/a", b"1"), ("1/b", b"2")]
    store.close()
    assert rows(store, "day", "1/", "10") == [("1/b", b"2")]


def test_tables_that_are_empty_are_not_asked(elastic: Server, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ElasticStore(elastic.client, index, remember=True)
    asked: list[str] = []
    for name in ("search", "mget"):
        monkeypatch.setattr(elastic.client, name, _noted(asked, name, getattr(elastic.client, name)))
    store.look()
    for day in range(9):
        assert rows(store, "day", f"{day}/", f"{day}0") == [] and store.get("delta", [f"{day}/a"]) == {}
        store.put("day", [(f"{day}/a", b"1")])
    store.commit()
    assert rows(store, "day", "3/", "30") == [("3/a", b"1")] and asked == ["search"]


def test_what_every_run_reads_takes_one_search(elastic: Server, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ElasticStore(elastic.client, index)
    for table, begin in (("meta", "meta"), ("notable", "pub/"), ("inventory", "c/"), ("profile", "profile")):
        before.put(table, [(f"{begin}{n:04d}", b"1") for n in range(700)])
    before.put("notable", [("020000/kept of a closed day", b"1"), ("past/ended", b"1")])
    before.put("day", [("000001/a", b"1"), ("news/000001/a", b"1")])
    before.commit(refresh=False)
    store = ElasticStore(elastic.client, index, remember=True)
    asked: list[str] = []
    for name in ("search", "mget"):
        monkeypatch.setattr(elastic.client, name, _noted(asked, name, getattr(elastic.client, name)))
    store.put("meta", [("meta0001", b"2"), ("meta0002", None)])
    store.commit(refresh=False)
    store.look()
    assert asked == ["search"] * 3, "2,101 rows are three pages"
    result = rows(store, "meta")
    assert result[:2] == [("meta0000", b"1"), ("meta0001", b"2")] and len(result) == 699, (
        "what was written since counts"
    )
    assert len(rows(store, "notable", "pub/", "pub0")) == len(rows(store, "inventory")) == 700
    assert rows(store, "day", "news/", "news0") == [("news/000001/a", b"1")] and rows(store, "ledger") == []
    assert len(asked) == 3
    assert len(rows(store, "profile")) == 700 and len(asked) == 4
    assert len(rows(store, "notable", "past/", "past0")) == 1 and len(asked) == 5, "what no run reads was not fetched"


def _noted(asked: list[str], name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    def noting(**options: Any) -> Any:
        asked.append(name)
        return ask(**options)

    return noting


def test_rows_of_a_process_that_died_are_scanned_at_once(elastic: Server, index: str) -> None:
    document = {"table": "meta", "key": "k", "value": "MQ=="}
    elastic.client.index(index=index, id=document_id("meta", "k"), document=document)
    assert rows(ElasticStore(elastic.client, index)) == [("k", b"1")]


def test_a_store_without_its_index_says_what_to_do(elastic: Server) -> None:
    with pytest.raises(StoreError, match=r"^nhi-state-none does not exist: run `nhi elastic setup` first$"):
        ElasticStore(elastic.client, "nhi-state-none")


def test_a_guard_that_objects_keeps_rows_out_of_the_index(elastic: Server, index: str) -> None:
    def object_() -> None:
        raise StoreError("another run took over")

    store = ElasticStore(elastic.client, index, object_)
    store.put("meta", [("k", b"1")])
    with pytest.raises(StoreError, match="took over"):
        store.commit()
    assert rows(ElasticStore(elastic.client, index)) == []


def test_chunks_are_written_in_the_order_of_the_puts(elastic: Server, index: str) -> None:
    allowed = iter([True, False])

    def once() -> None:
        if not next(allowed):
            raise StoreError("stopped")

    store = ElasticStore(elastic.client, index, once)
    store.put("meta", [(f"{i:04}", b"x") for i in reversed(range(1_500))])
    with pytest.raises(StoreError, match="stopped"):
        store.commit()
    result = [key for key, _ in rows(ElasticStore(elastic.client, index))]
    assert result == [f"{i:04}" for i in range(500, 1_500)]


def test_rows_that_do_not_fit_the_mapping_are_an_error_with_the_index_in_it(elastic: Server) -> None:
    name = "nhi-state-wrong"
    elastic.client.indices.create(index=name, mappings={"properties": {"value": {"type": "long"}}})
    store = ElasticStore(elastic.client, name)
    store.put("meta", [("k", b"x")])
    with pytest.raises(StoreError, match=f"^cannot write {name}: "):
        store.commit()
    elastic.client.indices.delete(index=name)


def test_a_server_that_is_not_there_is_a_store_error() -> None:
    with (
        connect(Connection(("http://127.0.0.1:9",))) as client,
        pytest.raises(StoreError, match=r"^cannot read nhi-state-x"),
    ):
        ElasticStore(client, "nhi-state-x")
