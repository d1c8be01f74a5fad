"""What the job may and can read and write, asked before anything is read: a search says nothing of what it left out.

A pattern without the right to read it, or in a remote cluster that does not answer, looks like one without documents.
It is left out and named, and its checkpoint stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from elasticsearch import ApiError, Elasticsearch

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic.client import STRANGER
from nhi_watch.hosts.elastic.store_errors import explained, reason, silent_clusters

Json = dict[str, Any]
REMEDY = "make the key anew as `nhi elastic setup --api-key-request -` says, with the same --namespace and --index"
_NO_SECURITY = (400, 404, 405, 500)
"""Answers of a cluster without security to a question about privileges."""
_CLUSTER = re.compile(r"([^:<>]+):(?!:)")


class Unread(NamedTuple):
    """A pattern that is left out."""

    pattern: str
    why: str


class Reach(NamedTuple):
    """What can be read."""

    patterns: tuple[str, ...]
    unread: tuple[Unread, ...] = ()


def cluster(pattern: str) -> str:
    """The remote cluster that a pattern names; "" for one of the cluster itself.

    >>> cluster("paris:logs-aws.cloudtrail-*"), cluster("logs-x-*"), cluster("logs-x-*::data")
    ('paris', '', '')
    """
    found = _CLUSTER.match(pattern)
    return found.group(1) if found and not pattern.startswith("-") else ""


def bare(pattern: str) -> str:
    """The pattern as the cluster that it is of names it.

    >>> bare("paris:logs-x-*"), bare("logs-x-*")
    ('logs-x-*', 'logs-x-*')
    """
    name = cluster(pattern)
    return pattern[len(name) + 1 :] if name else pattern


def by_cluster(pattern: str) -> list[str]:
    """Patterns of one cluster together: a point in time is over one.

    >>> by_cluster("a-*,paris:a-*,b-*")
    ['a-*,b-*', 'paris:a-*']
    """
    found: dict[str, list[str]] = {}
    for each in pattern.split(","):
        found.setdefault(cluster(each), []).append(each)
    return [",".join(patterns) for patterns in found.values()]


def lacking(client: Elasticsearch, wanted: Sequence[Json]) -> dict[str, list[str]]:
    """Index pattern → privileges on it that the key lacks; nothing on a cluster without security.

    Raises:
        StoreError: the cluster does not tell.
    """
    try:
        told = client.security.has_privileges(index=list(wanted))
    except ApiError as problem:
        if problem.status_code in _NO_SECURITY:
            return {}
        raise
    found = {name: [each for each, has in may.items() if not has] for name, may in told["index"].items()}
    return {name: sorted(missing) for name, missing in found.items() if missing}


def demand(client: Elasticsearch, wanted: Sequence[Json]) -> None:
    """Make sure of the job's own indices.

    Raises:
        StoreError: the key lacks something; it says what.
    """
    with explained("asking for privileges"):
        missing = lacking(client, wanted)
    if missing:
        named = "; ".join(f"{', '.join(what)} on {name}" for name, what in sorted(missing.items()))
        raise StoreError(f"the API key lacks a privilege: {named}; {REMEDY}")


def reach(client: Elasticsearch, patterns: Iterable[str], privileges: Sequence[str]) -> Reach:
    """Which patterns can be read now.

    Raises:
        StoreError: the cluster itself does not tell.
    """
    listed = tuple(dict.fromkeys(patterns))
    local = [pattern for pattern in listed if not cluster(pattern)]
    with explained("asking for privileges"):
        missing = lacking(client, [{"names": local, "privileges": list(privileges)}]) if local else {}
    why = {name: f"the API key lacks {', '.join(what)} on it; {REMEDY}" for name, what in missing.items()}
    with explained("asking remote clusters"):
        for name in sorted({cluster(pattern) for pattern in listed} - {""}):
            why.update(_unread(client, name, [each for each in listed if cluster(each) == name], privileges))
    unread = tuple(Unread(pattern, why[pattern]) for pattern in listed if pattern in why)
    return Reach(tuple(pattern for pattern in listed if pattern not in why), unread)


def _unread(client: Elasticsearch, name: str, patterns: Sequence[str], privileges: Sequence[str]) -> dict[str, str]:
    """Pattern of a remote cluster → why it cannot be read.

    A cluster that is connected by certificates goes by what the key may do with indices of that name here, and answers
    as if there were none where that is nothing.
    """
    silent, _ = _asked(client, name, patterns)
    if silent:
        return dict.fromkeys(patterns, silent)
    missing = lacking(client, [{"names": [bare(each) for each in patterns], "privileges": list(privileges)}])
    doubtful = {each: missing[bare(each)] for each in patterns if bare(each) in missing}
    return {
        each: f"remote cluster {name} shows no such index, and the API key lacks {', '.join(what)} on it; {REMEDY}"
        for each, what in doubtful.items() if not _asked(client, name, [each])[1]
    }  # fmt: skip


def _asked(client: Elasticsearch, name: str, patterns: Sequence[str]) -> tuple[str, int]:
    """Why a remote cluster cannot be searched ("": it can), and over how many shards."""
    try:
        told = client.options(max_retries=0).search(
            index=",".join(patterns), size=0, track_total_hits=False, ignore_unavailable=True
        )
    except ApiError as problem:
        if problem.status_code == STRANGER:
            raise
        return f"remote cluster {name} cannot be searched: {reason(problem)}", 0
    clusters = told.body.get("_clusters") or {}
    if not silent_clusters(clusters):
        return "", int(told.body["_shards"]["total"])
    failures = clusters.get("details", {}).get(name, {}).get("failures") or [{}]
    why = failures[0].get("reason") or {}
    if why.get("type") == "security_exception":
        return f"remote cluster {name} cannot be searched: {str(why.get('reason'))[:200]}; {REMEDY}", 0
    return f"remote cluster {name} does not answer", 0
