"""What processes that share the reading of a window tell each other, as documents of the state's index.

The run that has the lease puts down a plan: stretches of event time, cut at full hours. Whoever helps claims one
by a lease of its own, which expires where it dies, and puts down what it read as rows of days. Nothing of this is
state: it belongs to one attempt, and is deleted after it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic.read import Span, Window
from nhi_watch.hosts.elastic.store_errors import BUSY, PassingError, explained, refused

_TABLE = "slices"
_PLAN = "slices|plan"
_SWEPT = 2_000
_CHUNK = 4_000_000
"""Bytes of rows in a document; a third more once they are text."""

Json = dict[str, Any]


class Plan(NamedTuple):
    """What is shared."""

    attempt: str
    window: Window
    spans: tuple[Span, ...]
    page: int
    lists: str
    """Digest of all that must be alike where records are read: version, networks, lists of addresses."""


class Result(NamedTuple):
    """What one slice holds."""

    parsed: int
    duplicates: int
    alerts: int
    rejected: dict[str, int]
    rejects: list[list[str]]
    """Index, id and reason of the first rejected documents."""
    is_whole: bool
    """False: a record of another hour was among them, so the run reads the slice itself."""
    rows: list[bytes]
    """Days of identities with something new; of their behaviours, those of the slice's hours."""


class Board:
    """Where plan and results are put down."""

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self._index = index

    def plan(self) -> Optional[Plan]:
        """The plan that is under way."""
        raw = self._get([_PLAN])[_PLAN]
        if raw is None:
            return None
        plain = orjson.loads(raw)
        ranges, own = (tuple((low, high) for low, high in plain["window"].pop(name)) for name in ("ranges", "own"))
        window = Window(**plain["window"], ranges=ranges, own=own)
        return Plan(**{**plain, "window": window, "spans": tuple(Span(*ends) for ends in plain["spans"])})

    def publish(self, plan: Plan) -> None:
        """Put a plan down, and take away what is left of one before it."""
        self._sweep()
        plain = {**plan._asdict(), "window": plan.window._asdict(), "spans": [list(span) for span in plan.spans]}
        self._write({_PLAN: orjson.dumps(plain)})

    def _sweep(self) -> None:
        """What was left by a run that was killed, and by helpers that were slower than it."""
        ours = [{"term": {"table": _TABLE}}, {"prefix": {"key": f"{_TABLE}|"}}]
        with explained(f"reading {self._index}"):
            found = self._client.search(
                index=self._index,
                query={"bool": {"should": ours, "minimum_should_match": 1}},
                source=False,
                size=_SWEPT,
            )
        left = [hit["_id"] for hit in found["hits"]["hits"]]
        if left:
            self._write(dict.fromkeys(left))

    def clear(self, plan: Plan) -> None:
        """Take away all that belongs to a plan."""
        names = [_PLAN]
        heads = self._get([_head(plan, number) for number in range(len(plan.spans))])
        for number, (name, raw) in enumerate(heads.items()):
            chunks = orjson.loads(raw)["chunks"] if raw is not None else 0
            names += [name, f"lease|{claim(plan, number)}", *(f"{name}|{chunk}" for chunk in range(chunks))]
        self._write(dict.fromkeys(names))

    def done(self, plan: Plan) -> frozenset[int]:
        """Numbers of the slices that somebody has read."""
        names = {_head(plan, number): number for number in range(len(plan.spans))}
        return frozenset(names[name] for name, raw in self._get(list(names)).items() if raw is not None)

    def put(self, plan: Plan, number: int, result: Result) -> None:
        """Put down a result; its head last, for that says that it is there."""
        name, chunks = _head(plan, number), list(_chunks(result.rows))
        for at, chunk in enumerate(chunks):
            self._write({f"{name}|{at}": chunk})
        self._write({name: orjson.dumps({**result._asdict(), "rows": None, "chunks": len(chunks)})})

    def get(self, plan: Plan, number: int) -> Result:
        """The result of a slice that is done."""
        name = _head(plan, number)
        raw = self._get([name])[name]
        if raw is None:
            raise PassingError(f"{name} is gone from {self._index}")
        head = orjson.loads(raw)
        rows: list[bytes] = []
        for at in range(head.pop("chunks")):
            (chunk,) = self._get([f"{name}|{at}"]).values()
            rows += _rows(chunk or b"")
        return Result(**{**head, "rows": rows})

    def _get(self, names: Sequence[str]) -> dict[str, Optional[bytes]]:
        with explained(f"reading {self._index}"):
            found = self._client.mget(index=self._index, ids=list(names))["docs"]
        return {name: b64decode(d["_source"]["value"]) if d.get("found") else None for name, d in zip(names, found)}

    def _write(self, values: dict[str, Optional[bytes]]) -> None:
        operations: list[Json] = []
        for name, value in values.items():
            if value is None:
                operations.append({"delete": {"_id": name}})
            else:
                document = {"table": _TABLE, "key": name, "value": b64encode(value).decode()}
                operations += [{"index": {"_id": name}}, document]
        with explained(f"writing {self._index}"):
            answer = self._client.bulk(index=self._index, operations=operations)
        for item in answer["items"] if answer["errors"] else ():
            (result,) = item.values()
            if "error" in result:
                failed = PassingError if result["status"] in BUSY else StoreError
                raise failed(f"cannot write {self._index}: {refused(result['error'])}")


def claim(plan: Plan, number: int) -> str:
    """The name of the lease on a slice."""
    return f"slices|{plan.attempt}|{number}"


def _head(plan: Plan, number: int) -> str:
    return f"slices|{plan.attempt}|{number}|result"


def _chunks(rows: Sequence[bytes]) -> Iterator[bytes]:
    """Rows, each behind its length, in documents of bounded size.

    >>> list(_chunks([b"ab", b""])), _rows(b"\\x00\\x00\\x00\\x02ab\\x00\\x00\\x00\\x00")
    ([b'\\x00\\x00\\x00\\x02ab\\x00\\x00\\x00\\x00'], [b'ab', b''])
    """
    chunk = bytearray()
    for row in rows:
        if chunk and len(chunk) + len(row) > _CHUNK:
            yield bytes(chunk)
            chunk.clear()
        chunk += len(row).to_bytes(4, "big") + row
    if chunk:
        yield bytes(chunk)


def _rows(chunk: bytes) -> list[bytes]:
    rows, at = [], 0
    while at < len(chunk):
        end = at + 4 + int.from_bytes(chunk[at : at + 4], "big")
        rows.append(chunk[at + 4 : end])
        at = end
    return rows
