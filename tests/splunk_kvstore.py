"""A double of Splunk's KV store, as strict as its documentation: what it does not promise, this one does not do.

| behaviour | where it is documented |
|---|---|
| endpoints, sort, limit, skip, fields; 409 for an `_key` that is there, 404 for one that is not | RESTREF |
| `batch_save` inserts or replaces, `batch_find` answers a list of lists | RESTREF, splunk-sdk `KVStoreCollectionData` |
| operators $gt, $gte, $lt, $lte, $ne, $and, $or, $not and no other | DEV |
| limits of a query, a batch and its answer | LIMITS, stanza [kvstore] |
| a document has 16 MB at most | MONGO |
| writes go to the captain, reads stay local: a member sees them later, in their order | CAPTAIN |
| no transaction: of a batch that fails, a part may be written | MONGO: bulk writes |

RESTREF https://docs.splunk.com/Documentation/Splunk/9.2.4/RESTREF/RESTkvstore
DEV https://dev.splunk.com/enterprise/docs/developapps/manageknowledge/kvstore/usetherestapitomanagekv/
LIMITS https://docs.splunk.com/Documentation/Splunk/9.3.1/Admin/Limitsconf
CAPTAIN https://docs.splunk.com/Splexicon:KVstorecaptain
MONGO https://www.mongodb.com/docs/v4.2/reference/limits/

Never seen on a real Splunk: whether a result that is too large is refused (400 here) or cut short
(`Limits.truncates`), and whether `_key` may
hold a slash (it is a text for MongoDB; in an address it is quoted).
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, NamedTuple, Optional
from urllib.parse import parse_qs, unquote, urlsplit

from nhi_watch.hosts.splunk.rest import RestError

Document = dict[str, Any]
Answer = tuple[int, Any]
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}
ADDRESS = 8_000
"""Longest address of a request: no documentation tells; servers take 8 kB."""


class Limits(NamedTuple):
    """[kvstore] in limits.conf; of a new version and an old one the smaller default."""

    max_documents_per_batch_save: int = 1_000
    max_size_per_batch_save_mb: float = 50
    max_rows_per_query: int = 50_000
    max_queries_per_batch: int = 1_000
    max_size_per_result_mb: float = 50
    max_size_per_batch_result_mb: float = 100
    document_mb: float = 16
    truncates: bool = False
    """Whether a result that is too large is cut short, and not refused: no documentation says which."""


class KvDouble:
    """One member's KV store, or a cluster's captain and a member whose replica follows when it is told to."""

    def __init__(self, names: tuple[str, ...], limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self.limits = limits
        self.captain: dict[str, dict[str, Document]] = {name: {} for name in names}
        self.replica: Optional[dict[str, dict[str, Document]]] = None
        """What reads see; None: the captain's."""
        self._log: list[tuple[str, str, Optional[str]]] = []
        """(collection, key, JSON or None) that the replica has not taken in yet."""
        self._order: dict[str, list[str]] = {}
        """Collection → its keys in order, as the index on `_key` has them."""
        self.stops_after = -1
        """Documents that are written before the store is killed, and answers nothing any more; -1: it goes on."""
        self.documents = 0
        """How many were written."""
        self.costs: dict[str, int] = {"requests": 0, "read": 0, "written": 0}
        """Requests, and bytes of answers and of what was sent."""

    def lag(self) -> None:
        """From here on reads are answered by a replica, which follows with `replicate`."""
        self.replica = {name: dict(rows) for name, rows in self.captain.items()}

    def replicate(self, writes: int = 1 << 60) -> None:
        """Let the replica take in the oldest writes."""
        assert self.replica is not None
        for name, key, text in self._log[:writes]:
            self.replica[name].pop(key, None)
            if text is not None:
                self.replica[name][key] = json.loads(text)
        del self._log[:writes]

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        """Status and JSON; `path` follows `storage/collections/data/`."""
        name, _, key = path.partition("/")
        self.costs["requests"] += 1
        self.costs["written"] += len(body)
        if self.stops_after == 0:
            return _error(503, "KV Store initialization failed.")
        if name not in self.captain:
            return _error(404, f"Application does not contain collection {name}")
        if len(json.dumps(query)) > ADDRESS:
            return _error(414, "Request-URI Too Long")
        status, text = self._route(method, name, key, query, json.loads(body) if body else None)
        self.costs["read"] += len(json.dumps(text)) if text else 0
        return status, text

    def _route(self, method: str, name: str, key: str, query: dict[str, str], text: Any) -> Answer:
        if (method, key) == ("POST", "batch_save"):
            return self._save(name, text)
        if (method, key) == ("POST", "batch_find"):
            return self._find(name, text)
        if method == "GET" and not key:
            asked = {"query": json.loads(query.get("query", "{}")), **{n: v for n, v in query.items() if n != "query"}}
            return self._query(name, asked)
        if method == "DELETE" and not key:
            self._delete(name, json.loads(query.get("query", "{}")))
            return 200, {}
        if method == "POST" and not key:
            if str(text["_key"]) in self.captain[name]:
                return _error(409, "A document with the same key and user already exists.")
            return self._put(name, [text], 201)
        rows = self.captain[name] if method != "GET" or self.replica is None else self.replica[name]
        if key not in rows:
            return _error(404, "Could not find object.")
        if method == "GET":
            return 200, {**rows[key], "_user": "nobody"}
        if method == "DELETE":
            self._write(name, key, None)
            return 200, {}
        return self._put(name, [{**text, "_key": key}], 200)

    def _delete(self, name: str, asked: Document) -> None:
        is_range = set(asked) == {"$and"} and all(set(item) == {"_key"} for item in asked["$and"])
        fits, rows = _condition(asked), self.captain[name]
        gone = self._between(name, asked["$and"]) if is_range else [key for key, row in rows.items() if fits(row)]
        order = self._order.get(name) if is_range else None
        for key in gone:
            self._write(name, key, None)
        if gone and order is not None:
            first = bisect_left(order, gone[0])
            del order[first : first + len(gone)]
            self._order[name] = order

    def _save(self, name: str, documents: list[Document]) -> Answer:
        most, megabytes = self.limits.max_documents_per_batch_save, self.limits.max_size_per_batch_save_mb
        if len(documents) > most:
            return _error(
                400,
                f"Request exceeds API limits - see limits.conf for details. (Too many documents for a "
                f"single batch save, max_documents_per_batch_save={most})",
            )
        if _size(documents) > megabytes * (1 << 20):
            return _error(400, "Request exceeds API limits - see limits.conf for details. (Batch save size=too large)")
        return self._put(name, documents, 200)

    def _put(self, name: str, documents: list[Document], status: int) -> Answer:
        for document in documents:
            if self.stops_after == 0:
                return _error(503, "KV Store initialization failed.")
            self.stops_after -= self.stops_after > 0
            self.documents += 1
            if _size(document) > self.limits.document_mb * (1 << 20):
                return _error(500, "BSONObj size is invalid")
            self._write(name, str(document["_key"]), document)
        keys = [document["_key"] for document in documents]
        return status, keys if status == 200 and len(keys) != 1 else {"_key": keys[0]} if status == 201 else keys

    def _write(self, name: str, key: str, document: Optional[Document]) -> None:
        is_known = self.captain[name].pop(key, None) is not None
        if document is not None:
            self.captain[name][key] = document
        if is_known != (document is not None):
            self._order.pop(name, None)
        if self.replica is not None:
            self._log.append((name, key, None if document is None else json.dumps(document)))

    def _find(self, name: str, queries: list[Document]) -> Answer:
        if len(queries) > self.limits.max_queries_per_batch:
            return _error(400, "Request exceeds API limits - see limits.conf for details. (Too many queries)")
        result = [self._query(name, asked) for asked in queries]
        wrong = next((each for each in result if each[0] != 200), None)
        rows = [text for _, text in result]
        if wrong is None and self.limits.truncates:
            return 200, self._cut(rows, self.limits.max_size_per_batch_result_mb)
        if wrong is None and _size(rows) > self.limits.max_size_per_batch_result_mb * (1 << 20):
            return _error(400, "Request exceeds API limits - see limits.conf for details. (Batch result too large)")
        return wrong or (200, rows)

    def _query(self, name: str, asked: Document) -> Answer:
        rows = self.captain[name] if self.replica is None else self.replica[name]
        query = asked.get("query", {})
        if set(query) == {"_key"} and isinstance(query["_key"], str):
            result = [rows[query["_key"]]] if query["_key"] in rows else []
        elif self.replica is None and set(query) == {"$and"} and all(set(item) == {"_key"} for item in query["$and"]):
            result = [rows[key] for key in self._between(name, query["$and"]) if key in rows]
        else:
            fits = _condition(query)
            result = [row for row in rows.values() if fits(row)]
        for part in reversed([part for part in str(asked.get("sort", "")).split(",") if part]):
            field, _, way = part.partition(":")
            result.sort(key=lambda row: row.get(field, ""), reverse=way == "-1")
        skip, most = int(asked.get("skip", 0)), self.limits.max_rows_per_query
        result = result[skip : skip + min(most, int(asked.get("limit", 0)) or most)]
        if self.limits.truncates:
            result = self._cut([result], self.limits.max_size_per_result_mb)[0]
        if _size(result) > self.limits.max_size_per_result_mb * (1 << 20):
            return _error(400, "Request exceeds API limits - see limits.conf for details. (Result too large)")
        fields = [field for field in str(asked.get("fields", "")).split(",") if field]
        if fields:
            return 200, [{field: row[field] for field in fields if field in row} for row in result]
        return 200, [{**row, "_user": "nobody"} for row in result]

    @staticmethod
    def _cut(answers: list[list[Document]], megabytes: float) -> list[list[Document]]:
        """Documents up to a size, at least one; what is behind is left out without a word."""
        size, kept = 0.0, list[list[Document]]()
        for each in answers:
            kept.append([])
            for document in each:
                is_first, size = not size, size + _size(document)
                if not is_first and size > megabytes * (1 << 20):
                    break
                kept[-1].append(document)
        return kept

    def _between(self, name: str, limits: list[Document]) -> list[str]:
        order = self._order.get(name, [])
        if len(order) != len(self.captain[name]):
            order = self._order[name] = sorted(self.captain[name])
        bounds = {sign: limit for item in limits for sign, limit in item["_key"].items()}
        assert set(bounds) in ({"$gte", "$lt"}, {"$gt", "$lt"}, {"$gte", "$lte"}), bounds
        first = bisect_left(order, bounds["$gte"]) if "$gte" in bounds else bisect_right(order, bounds["$gt"])
        return order[
            first : bisect_left(order, bounds["$lt"]) if "$lt" in bounds else bisect_right(order, bounds["$lte"])
        ]


class Direct:
    """The double where no network is wanted: `rest.Client` as far as collections ask for it."""

    def __init__(self, double: KvDouble) -> None:
        self.double = double

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON."""
        parts = urlsplit(path.partition("/storage/collections/data/")[2])
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        sent = b"" if body is None else json.dumps(body).encode()
        status, text = self.double.answer(method, unquote(parts.path), query, sent)
        if status >= 400:
            raise RestError(status, f"{parts.path}: HTTP {status}: {text['messages'][0]['text']}")
        return json.loads(json.dumps(text))


def _size(document: Any) -> int:
    if isinstance(document, list):
        return sum(_size(each) for each in document)
    return sum(len(str(value)) + len(name) + 8 for name, value in document.items())


def _condition(query: Document) -> Callable[[Document], bool]:
    """What a query asks for; an operator that is not documented is refused."""
    parts: list[Callable[[Document], bool]] = []
    for name, text in query.items():
        if name in ("$and", "$or"):
            inner, each = [_condition(item) for item in text], all if name == "$and" else any
            parts.append(lambda row, inner=inner, each=each: each(item(row) for item in inner))  # type: ignore[misc]
        elif name == "$not":
            inside = _condition(text)
            parts.append(lambda row, item=inside: not item(row))  # type: ignore[misc]
        elif isinstance(text, dict):
            assert set(text) <= {*_ORDER, "$ne"}, f"no operator of the KV store's: {text}"
            parts.append(lambda row, name=name, asked=text: _compared(row.get(name), asked))  # type: ignore[misc]
        else:
            assert not name.startswith("$"), f"no operator of the KV store's: {name}"
            parts.append(lambda row, name=name, text=text: bool(row.get(name) == text))  # type: ignore[misc]
    return lambda row: all(part(row) for part in parts)


def _compared(value: Any, asked: Document) -> bool:
    """MongoDB compares within one type only."""
    for sign, limit in asked.items():
        if sign == "$ne":
            if value == limit:
                return False
        elif type(value) is not type(limit) or not _ORDER[sign](value, limit):
            return False
    return True


def _error(status: int, text: str) -> Answer:
    return status, {"messages": [{"type": "ERROR", "text": text}]}
