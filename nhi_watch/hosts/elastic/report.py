"""`nhi elastic report`: what stands in the state on Elasticsearch, as a folder to explain, brief and plan from.

The state is copied; the documents behind the notables are fetched as far as the key may read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.timestamps import DAY, HOUR, parse, stretches
from nhi_watch.detect import ranking
from nhi_watch.detect.publish import is_shown
from nhi_watch.hosts.elastic import cluster, read, setup
from nhi_watch.hosts.elastic.read import Hit
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.files import common, find, jobs, originals
from nhi_watch.hosts.files.originals import event
from nhi_watch.intake.shapes.json import parse as parse_json
from nhi_watch.report import html, jsonlines
from nhi_watch.report.queries import names, originals_of, quoted, without_suffix
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import TABLES, Store

# ---- documents
#
# The documents behind a notable, by index and id. Nothing of them is kept: they are looked for when somebody asks.
#
# A document is found if it reads as the same record, whatever field holds the record's id, and also where none does.


Json = dict[str, Any]
_PAGES = 5
"""Of a search: so many are looked through for the records of one notable."""
_UNINDEXED: Json = {"match_all": {}}
"""Asked last, for records that lie as text in a field that is not indexed: their hours alone can be asked for."""


def of(client: Elasticsearch, patterns: Sequence[str], notable: NotableDocument, ids: set[str]) -> Iterator[Json]:
    """Those of these records of a notable that are there: `id`, `index`, `document`, `raw`, whether that is `cut`.

    Raises:
        StoreError: the indices cannot be searched.
    """
    left = set(ids)
    by_id: Json = {"terms": {"event.id": sorted({word for name in ids for word in without_suffix(name)})}}
    by_whom: Json = {"query_string": {"query": " OR ".join(map(quoted, names(notable))), "lenient": True}}
    for wanted in (by_id, by_whom, _UNINDEXED) if patterns else ():
        for hit, name in _hits(client, ",".join(patterns), _query(notable, left, wanted)) if left else ():
            if name in left:
                left.discard(name)
                yield event(name, {"index": hit.index, "document": hit.id}, _raw(hit))


def _hits(client: Elasticsearch, pattern: str, query: Json) -> Iterator[tuple[Hit, str]]:
    """The hits that are records, each with its record's id; none where the indices cannot be asked so."""
    try:
        for page in islice(read.pages(client, pattern, query), _PAGES):
            yield from ((hit, read_event.record_id) for hit, read_event in read.events_of(page)[0])
    except StoreError as error:
        if not isinstance(error.__cause__, BadRequestError):  # such as more fields than a query may have clauses
            raise


def _query(notable: NotableDocument, left: set[str], wanted: Json) -> Json:
    """Documents that are wanted, in the hours in which the records that are left happened."""
    when = {entry["record_id"]: _hour(entry["time"]) for entry in notable["timeline"]}
    first, last = parse(notable["first_time"]) // DAY * DAY, parse(notable["last_time"]) // DAY * DAY
    ranges = ((first, last + DAY),)  # a record may be one of its identity's day, before or after what is unusual
    spans = stretches({when[name] for name in left}, HOUR) if left <= when.keys() else ranges
    hours = [{"range": {read.TIMESTAMP: read.ends(*span)}} for span in spans]
    return {"bool": {"filter": [read.any_of(hours), wanted]}}


def _hour(time: str) -> int:
    return parse(time) // HOUR * HOUR


def _raw(hit: Hit) -> bytes:
    """The record as it was logged, where the document keeps that; else the document."""
    tree = parse_json(bytes(hit.source))
    event_fields = tree.get("event")
    kept = event_fields.get("original") if isinstance(event_fields, dict) else tree.get("event.original")
    return kept.encode("utf-8", "replace") if isinstance(kept, str) else bytes(hit.source)


# ---- the folder


_STATE = "state.sqlite"
_END = "\U0010ffff"


def write(client: Elasticsearch, namespace: str, pattern: str, out: Path) -> Json:
    """Write report.html, notables.jsonl, events.jsonl, run.json and a copy of the state; returns what was written.

    Raises:
        InputError: the folder holds a state of its own.
        StoreError: the cluster cannot be read.
    """
    index = f"{setup.STATE}-{namespace}"
    with closing(ElasticStore(client, index)) as source, closing(_copied(source, out / _STATE, index)) as store:
        parts: dict[bool, list[NotableDocument]] = {True: [], False: []}
        for notable in find.every(store):
            parts[is_shown(notable)].append(notable)
        lists = jobs.lists_of(parts[True], parts[False])
        counts: Json = ranking.counted(*lists)
    reach = cluster.readable_patterns(client, pattern.split(","), setup.READ)
    notables = [*lists[0], *lists[1][: html.BELOW]]
    records = (record for each in notables for record in of(client, reach.patterns, each, set(originals_of(each))))
    events = {record["id"]: record for record in records}
    jsonlines.write(out / originals.NAME, events.values())
    common.write_lists(out, out / _STATE, lists, counts, events)
    jsonlines.write(out / "run.json", [counts])
    unread = [each._asdict() for each in reach.unread]
    return {**counts, "below": len(lists[1]), "events": len(events), "unread": unread}


def _copied(source: Store, path: Path, index: str) -> SqliteStore:
    common.folder(path.parent)
    target = SqliteStore(path)
    copied = target.get("meta", [common.COPY])
    if not copied and next(target.scan("meta", "", _END), None):
        target.close()
        raise InputError(f"{path} is the state of a run on files: name another folder with --out")
    for table in TABLES:
        target.put(table, [(key, None) for key, _ in target.scan(table, "", _END)])
        target.put(table, source.scan(table, "", _END))
    target.put("meta", [(common.COPY, index.encode())])
    target.commit()
    return target
