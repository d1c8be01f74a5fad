"""The documents behind a notable, by index and id. Nothing of them is kept: they are looked for when somebody asks.

A document is found if it reads as the same record, whatever field holds the record's id, and also where none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from nhi_watch.context.context import Context
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import HOUR, parse
from nhi_watch.hosts.elastic import access, hits, read
from nhi_watch.hosts.elastic.hits import SOURCES, Hit, Item
from nhi_watch.hosts.files.originals import event
from nhi_watch.intake.shapes.json import parse as parse_json
from nhi_watch.report.queries import names, quoted, without_suffix

Json = dict[str, Any]
_PAGES = 5
"""Of a search: so many are looked through for the records of one notable."""


def of(client: Elasticsearch, patterns: Sequence[str], notable: Mapping[str, Any], ids: set[str]) -> Iterator[Json]:
    """Those of these records of a notable that are there: `id`, `index`, `document`, `raw`, whether that is `cut`.

    Raises:
        StoreError: the indices cannot be searched.
    """
    left = set(ids)
    by_id: Json = {"terms": {"event.id": sorted({word for name in ids for word in without_suffix(name)})}}
    by_whom: Json = {"query_string": {"query": " OR ".join(map(quoted, names(notable))), "lenient": True}}
    for wanted, pattern in product((by_id, by_whom), access.by_cluster(",".join(patterns)) if patterns else ()):
        for hit, name in _found(client, pattern, _query(notable, left, wanted)) if left else ():
            if name in left:
                left.discard(name)
                yield event(name, {"index": hit.index, "document": hit.id}, _raw(hit))


def _found(client: Elasticsearch, pattern: str, query: Json) -> Iterator[tuple[Hit, str]]:
    """The hits that are records, each with its record's id; none where the indices cannot be asked so."""
    try:
        for page in islice(read.pages(client, pattern, query), _PAGES):
            yield from _named(page)
    except StoreError as error:
        if not isinstance(error.__cause__, BadRequestError):  # such as more fields than a query may have clauses
            raise


def _query(notable: Mapping[str, Any], left: set[str], wanted: Json) -> Json:
    """Documents that are wanted, in the hours in which the records that are left happened."""
    when = {entry["record_id"]: _hour(entry["time"]) for entry in notable["timeline"]}
    whole = ((_hour(notable["first_time"]), _hour(notable["last_time"]) + HOUR),)
    spans = read.stretches({when[name] for name in left}, HOUR) if left <= when.keys() else whole
    hours = [{"range": {read.TIMESTAMP: read.ends(*span)}} for span in spans]
    return {"bool": {"filter": [read.any_of(hours), wanted]}}


def _hour(time: str) -> int:
    return parse(time) // HOUR * HOUR


def _named(page: Sequence[Hit]) -> list[tuple[Hit, str]]:
    found: list[tuple[Hit, str]] = []
    intake = hits.intake_of(SOURCES, Context())
    intake.feed(map(Item, page), on_event=lambda index, told: found.append((page[index], told.record_id)))
    return found


def _raw(hit: Hit) -> bytes:
    """The record as it was logged, where the document keeps that; else the document."""
    whole = parse_json(bytes(hit.source))
    told = whole.get("event")
    kept = told.get("original") if isinstance(told, dict) else whole.get("event.original")
    return kept.encode("utf-8", "replace") if isinstance(kept, str) else bytes(hit.source)
