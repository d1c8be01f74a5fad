"""How critical identities are, between the customer's table and Kibana's asset criticality of `entity.id`.

An identity is told by its id, `service.id` in our documents: several may share a `service.name`. What people set for
a name in Kibana is pulled as well.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

from elasticsearch import Elasticsearch

from nhi_watch.context import assets
from nhi_watch.context.assets import Assets
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.event import Identity
from nhi_watch.hosts.elastic import entity_templates
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.store_errors import explained

Json = dict[str, Any]
LEVELS = {"low": "low_impact", "medium": "medium_impact", "high": "high_impact", "critical": "extreme_impact"}
_OURS = {theirs: ours for ours, theirs in LEVELS.items()}
_FIELD, _BY_NAME = "entity.id", "service.name"
_PAGE = 1_000
"""Kibana takes and gives at most so many records at once."""
_HEADER = ("identity", "criticality", "owner", "environment", "comment")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class Pulled(NamedTuple):
    """What was written into a table."""

    rows: int
    left_out: int
    """Names that a spreadsheet would take for a formula."""


def push(client: Elasticsearch, kibana: Kibana, namespace: str, table: Assets) -> int:
    """Tell Kibana how critical each identity is that was seen and stands in the table; returns how many.

    Raises:
        StoreError: Elasticsearch or Kibana refuses; it names the first record that Kibana did not take.
    """
    records: list[Json] = []
    sent = 0
    for name, level in _levels(client, f"{entity_templates.LATEST}-{namespace}", table):
        records.append({"id_field": _FIELD, "id_value": name, "criticality_level": level})
        if len(records) == _PAGE:
            sent, records = sent + _send(kibana, records), []
    return sent + (_send(kibana, records) if records else 0)


def _send(kibana: Kibana, records: list[Json]) -> int:
    answer = kibana.post("/api/asset_criticality/bulk", {"records": records})
    if answer["errors"]:
        first = answer["errors"][0]
        refused = len(answer["errors"])
        raise StoreError(f"Kibana did not take {refused} records of criticality: {first['message'][:300]}")
    return len(records)


def _levels(client: Elasticsearch, index: str, table: Assets) -> Iterator[tuple[str, str]]:
    """(`service.id`, level) of every identity that was seen and is in the table."""
    for source in _entities(client, index):
        service = source["service"]
        cloud = source["cloud"]
        identity = Identity(service["id"], service["name"], service["type"], cloud["provider"], "", "")
        level = LEVELS.get(assets.find(table, identity).criticality)
        if level:
            yield service["id"], level


def _entities(client: Elasticsearch, index: str) -> Iterator[Json]:
    after: Optional[list[Any]] = None
    while True:
        with explained(f"reading {index}"):
            found = client.search(
                index=index, query={"match_all": {}}, source={"includes": ["service", "cloud.provider"]}, size=_PAGE,
                sort=[{"service.id": "asc"}, {"_doc": "asc"}], search_after=after,
            )["hits"]["hits"]  # fmt: skip
        yield from (hit["_source"] for hit in found)
        if len(found) < _PAGE:
            return
        after = found[-1]["sort"]


def pull(kibana: Kibana, path: Path) -> Pulled:
    """Write Kibana's criticality of services as a table for `--assets`.

    Raises:
        StoreError: Kibana refuses.
        InputError: the file cannot be written.
    """
    names = dict(_listed(kibana))
    kept = {name: level for name, level in sorted(names.items()) if not name.startswith(_FORMULAS)}
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            writer.writerows((name, level, "", "", "from Kibana") for name, level in kept.items())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    return Pulled(len(kept), len(names) - len(kept))


def _listed(kibana: Kibana) -> Iterator[tuple[str, str]]:
    page = 1
    while True:
        query = {"page": str(page), "per_page": str(_PAGE), "sort_field": "id_value", "sort_direction": "asc"}
        records = kibana.get("/api/asset_criticality/list", **query)["records"]
        for record in records:
            if record["id_field"] in (_FIELD, _BY_NAME) and record["criticality_level"] in _OURS:
                yield record["id_value"], _OURS[record["criticality_level"]]
        if len(records) < _PAGE:
            return
        page += 1
