"""Which documents the cluster may group, and the requests that group them.

A document is left to the reader when a fact about its behaviour lies where no aggregation sees it: deep in the
parameters of some calls, in a value too long to be indexed, in `event.original`, or in how two fields depend on
each other. Values come from logs: they stand in `term` and `terms` clauses only, never in a query's syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.core.identity import PERSON, SSO_ROLE
from nhi_watch.core.timestamps import HOUR, render
from nhi_watch.hosts.elastic.pushdown import fields
from nhi_watch.hosts.elastic.read import INGESTED, TIMESTAMP
from nhi_watch.hosts.elastic.read import stretches as stretches_of
from nhi_watch.intake.sources.cloudtrail.traits import DEEP

Json = dict[str, Any]
_SESSIONS = ["AssumedRole", "FederatedUser"]
_YEARS = {"gte": "2006-01-01T00:00:00Z", "lt": "2100-01-01T00:00:00Z"}


class Request(NamedTuple):
    """One grouping of documents."""

    query: Json
    fields: tuple[str, ...]


def all_of(*filters: Json, without: Sequence[Json] = ()) -> Json:
    """Every filter holds, and none of `without`."""
    return {"bool": {"filter": list(filters), "must_not": list(without)}}


def any_of(*ways: Json) -> Json:
    """One of them holds."""
    return {"bool": {"should": list(ways), "minimum_should_match": 1}}


def exists(field: str) -> Json:
    """The field has a value that is indexed."""
    return {"exists": {"field": field}}


def stretches(hours: Iterable[int], most: int) -> list[list[int]]:
    """Hours in order, cut into at most that many pieces of about the same length.

    >>> stretches([5, 1, 2, 9, 3], 2)
    [[1, 2, 3], [5, 9]]
    """
    ordered = sorted(hours)
    length = max(1, -(-len(ordered) // most))
    return [ordered[start : start + length] for start in range(0, len(ordered), length)]


def within(hours: Iterable[int], until: int) -> Json:
    """Documents of some hours that were ingested before `until`."""
    known = any_of({"range": {INGESTED: {"lt": render(until)}}}, all_of(without=[exists(INGESTED)]))
    return all_of(spans(hours), known)


def spans(hours: Iterable[int]) -> Json:
    """Documents that happened in some hours.

    >>> [clause["range"]["@timestamp"]["lt"] for clause in spans([0, 1, 5])["bool"]["should"]]
    ['1970-01-01T02:00:00Z', '1970-01-01T06:00:00Z']
    """
    ends = stretches_of(hours, 1)
    return any_of(*({"range": {TIMESTAMP: {"gte": render(a * HOUR), "lt": render(b * HOUR)}}} for a, b in ends))


def pushable(left_out: Iterable[str] = ()) -> Json:
    """Documents of which an aggregation sees all that their behaviour depends on, but for calls that are left out."""
    told = [*fields.SHARED, *fields.PERSONAL, fields.KEY, fields.ARN, *fields.PARAMETERS]
    too_long = {"terms": {"_ignored": [*told, fields.MESSAGE, fields.RECORD]}}
    parameters = any_of(exists(fields.JAVA), {"term": {"_ignored": fields.JAVA}})
    touching = {"terms": {fields.PROVIDER: sorted(fields.TARGET_KEYS)}}
    return all_of(
        exists(fields.ACTION),
        exists(fields.PROVIDER),
        exists(fields.RECORD),
        any_of(*(exists(name) for name in (fields.KIND, fields.RECIPIENT, fields.VERSION))),
        {"range": {TIMESTAMP: _YEARS}},
        without=[
            {"terms": {fields.ACTION: sorted({*DEEP, *left_out})}},
            {"term": {fields.KIND: PERSON}},
            too_long,
            all_of(exists(fields.MESSAGE), without=[exists(fields.ERROR)]),
            all_of(exists(fields.IP), without=[exists(fields.ADDRESS)]),
            all_of(touching, parameters, without=[exists(fields.FLATTENED)]),
        ],
    )


def requests(documents: Json, providers: Iterable[str], told: frozenset[str]) -> list[Request]:
    """The groupings that together hold each of the documents once.

    A field more takes the cluster longer for every document, so fields that no document has are left out, and
    sessions of roles, the bulk of all, are grouped by the parameters of one service at a time; `providers` are the
    services that occur, `told` the fields.
    """
    wanted = _requests(documents, {p: keys for p in providers if (keys := _keys(p, told))})
    return [each._replace(fields=tuple(name for name in each.fields if name in told or name == fields.KEY))
            for each in wanted]  # fmt: skip


def _keys(provider: str, told: frozenset[str]) -> tuple[str, ...]:
    return tuple(key for key in fields.TARGET_KEYS.get(provider, ()) if key in told)


def _requests(documents: Json, targets: Mapping[str, Sequence[str]]) -> list[Request]:
    of_roles = _of_roles()
    shared, by_arn = (*fields.SHARED, fields.KEY), (*fields.SHARED, fields.KEY, fields.ARN)
    if not targets:
        return [
            Request(all_of(documents, of_roles), by_arn),
            Request(all_of(documents, without=[of_roles]), (*by_arn, *fields.PERSONAL)),
        ]
    named = any_of(*(_names_target(provider, keys) for provider, keys in targets.items()))
    every = sorted({key for keys in targets.values() for key in keys})
    return [
        *(Request(all_of(documents, _names_target(provider, keys), of_roles), (*shared, *keys))
          for provider, keys in targets.items()),
        Request(all_of(documents, named, without=[of_roles]), (*shared, *every, *fields.PERSONAL)),
        Request(all_of(documents, of_roles, without=[named]), by_arn),
        Request(all_of(documents, without=[named, of_roles]), (*by_arn, *fields.PERSONAL)),
    ]  # fmt: skip


def _of_roles() -> Json:
    """Sessions of roles that are not people's: `cloudtrail.read` looks at the issuer and not at the session."""
    return all_of(
        {"terms": {fields.KIND: _SESSIONS}},
        exists(fields.ISSUER_ID),
        {"prefix": {fields.KEY: "ASIA"}},
        exists(fields.ISSUER_ARN),
        without=[{"wildcard": {fields.ISSUER_ARN: f"*{SSO_ROLE}*"}}],
    )


def _names_target(provider: str, keys: Sequence[str]) -> Json:
    return all_of({"term": {fields.PROVIDER: provider}}, any_of(*(exists(key) for key in keys)))
