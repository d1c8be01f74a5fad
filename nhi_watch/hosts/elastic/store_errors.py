"""The Elasticsearch client's errors, turned into ours: one line, what was being done, and what may help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elastic_transport import TlsError
from elasticsearch import ApiError, ConnectionTimeout, TransportError, UnsupportedProductError
from elasticsearch import ConnectionError as UnreachableError

from nhi_watch.core.errors import StoreError

BUSY = frozenset({429, 502, 503, 504})
"""Answers of a server that is overloaded, and of one that is not there behind a proxy that is."""
_NOT_ELASTIC = "the server does not say that it is Elasticsearch: OpenSearch, or a proxy in front, is not supported"
LACKING = "the API key lacks a privilege: see `nhi elastic setup --api-key-request -`"
_LOST = frozenset(
    {
        "search_context_missing_exception",
        "index_closed_exception",
        "illegal_index_shard_state_exception",
        "index_not_found_exception",
        "shard_not_found_exception",
    }
)
"""Kinds of errors after which reading begins anew: a node went, an index was moved, closed or deleted."""


class PassingError(StoreError):
    """The cluster did not answer, or could not: the same may well work in a while."""


@contextmanager
def explained(doing: str, lacking: str = LACKING) -> Iterator[None]:
    """Raise ours in place of the client's errors; `lacking`: what helps where a privilege does.

    Raises:
        PassingError: what may go by itself.
        StoreError: all else.
    """
    try:
        yield
    except UnsupportedProductError as problem:
        raise StoreError(f"{doing}: {_NOT_ELASTIC}") from problem
    except ApiError as problem:
        failed = PassingError if _passes(problem) else StoreError
        raise failed(f"{doing}: Elasticsearch said {problem.status_code}: {reason(problem, lacking)}") from problem
    except TransportError as problem:
        failed = PassingError if away(problem) else StoreError
        detail = str(problem).partition("\n")[0][:300]
        raise failed(f"{doing}: cannot talk to Elasticsearch: {detail}; check the URL and the CA") from problem


def complete(answer: Any, doing: str) -> Any:
    """The answer of a search, if it is a whole one.

    Raises:
        PassingError: a shard or a remote cluster had no part in it, or it was given up half way; names them.
    """
    shards, clusters = answer.get("_shards") or {}, answer.get("_clusters") or {}
    if answer.get("timed_out"):
        raise PassingError(f"{doing}: the search timed out, and half an answer is none")
    if shards.get("failed"):
        raise PassingError(f"{doing}: {shards['failed']} of {shards.get('total')} shards did not answer")
    silent = silent_clusters(clusters)
    if silent:
        raise PassingError(f"{doing}: remote cluster {', '.join(silent)} did not answer")
    return answer


def silent_clusters(clusters: Any) -> list[str]:
    """Names of the clusters that a search across clusters had no whole answer from.

    >>> silent_clusters({"skipped": 1, "details": {"a": {"status": "successful"}, "b": {"status": "skipped"}}})
    ['b']
    """
    if not any(clusters.get(how) for how in ("skipped", "partial", "failed", "running")):
        return []
    details = clusters.get("details") or {}
    named = sorted(name for name, told in details.items() if told.get("status") != "successful")
    return named or ["(the cluster does not say which)"]


def away(error: BaseException) -> bool:
    """Whether nobody answered; a certificate that is not trusted stays so."""
    return isinstance(error, (UnreachableError, ConnectionTimeout)) and not isinstance(error, TlsError)


def _passes(problem: ApiError) -> bool:
    return problem.status_code in BUSY or problem.status_code >= 500 or bool(kinds(problem) & _LOST)


def kinds(problem: ApiError) -> set[str]:
    """Elasticsearch's names for what went wrong, causes included."""
    found: set[str] = set()
    waiting: list[Any] = [problem.body.get("error") if isinstance(problem.body, dict) else None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.add(str(node.get("type", "")))
            waiting += [node.get("caused_by"), node.get("reason")]
            waiting += [*_listed(node.get("root_cause")), *_listed(node.get("failed_shards"))]
    return found


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def reason(problem: ApiError, lacking: str = LACKING) -> str:
    """What the cluster says is wrong, and what may help."""
    body = problem.body
    cause = body.get("error") if isinstance(body, dict) else None
    text = cause.get("reason") if isinstance(cause, dict) else str(problem.message)
    hints = {401: "; check the API key", 403: f"; {lacking}"}
    hint = BLOCKED if _BLOCK in kinds(problem) else hints.get(problem.status_code, "")
    told = str(text)[:300] if text and text != "None" else "it does not say why"
    return f"{told}{hint}"


_BLOCK = "cluster_block_exception"
BLOCKED = "; the index is blocked for writing: free disk space, or take the block away, and run again"


def refused(error: dict[str, Any]) -> str:
    """Why one document of a bulk request was not written, and what helps.

    >>> refused({"type": "mapper_parsing_exception", "reason": "no number"})
    'no number; run `nhi elastic setup`'
    """
    return str(error.get("reason", ""))[:300] + (
        BLOCKED if error.get("type") == _BLOCK else "; run `nhi elastic setup`"
    )
