"""The cluster: how it is reached, what its errors mean, and what the key may read and write there.

That is asked before anything is read: a pattern without the right to read it looks like one without documents. It is
left out and named, and its checkpoint stays where it is.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import SplitResult, urlsplit

from elastic_transport import RequestsHttpNode, TlsError, Transport, TransportApiResponse
from elasticsearch import (
    ApiError,
    AuthenticationException,
    ConnectionTimeout,
    Elasticsearch,
    OrjsonSerializer,
    TransportError,
    UnsupportedProductError,
)
from elasticsearch import ConnectionError as UnreachableError
from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_attempt
from tenacity.wait import wait_random_exponential

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.hosts.codec import use_orjson

# ---- connection
#
# Where the cluster is and who asks: from arguments, the environment, or a file.
#
# Secrets never stand among the arguments, because every user of the host can list those: an API key comes from
# NHI_ELASTIC_API_KEY or a file, a proxy's password from NHI_ELASTIC_PROXY.


TIMEOUT = 120.0
"""Seconds to wait for an answer."""
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}", re.IGNORECASE)


@dataclass(frozen=True)
class Connection:
    """What it takes to reach a cluster."""

    urls: tuple[str, ...]
    """One or more nodes."""
    api_key: Optional[str] = field(default=None, repr=False)
    """The encoded key, as `POST /_security/api_key` returns it; not shown in a repr."""
    ca: Optional[str] = None
    """PEM file of the authority that signed the cluster's certificate."""
    fingerprint: Optional[str] = None
    """SHA-256 of a certificate of the cluster's chain, in hex; no authority is needed then."""
    proxy: Optional[str] = field(default=None, repr=False)
    timeout: float = TIMEOUT

    @property
    def name(self) -> str:
        """How to call the cluster in messages."""
        return ",".join(self.urls)


@dataclass(frozen=True)
class ConnectionArgs:
    """What the arguments say."""

    url: Optional[str] = None
    api_key_file: Optional[str] = None
    ca: Optional[str] = None
    fingerprint: Optional[str] = None
    proxy: Optional[str] = None
    timeout: float = TIMEOUT


def connection(given: ConnectionArgs) -> Connection:
    """Put the connection together from arguments and environment (NHI_ELASTIC_*).

    Raises:
        InputError: no URL, a URL with a password in it, an unreadable or empty key, a wrong fingerprint.
    """
    urls = _urls(given.url or os.environ.get("NHI_ELASTIC_URL"))
    if given.ca is not None and not Path(given.ca).is_file():
        raise InputError(f"--ca: {given.ca} is not a file")
    if given.fingerprint and not _FINGERPRINT.fullmatch(given.fingerprint):
        raise InputError("--fingerprint: give the SHA-256 of the certificate, 64 hex digits")
    return Connection(urls, _key(given), given.ca, given.fingerprint, _proxy(given.proxy), given.timeout)


def _urls(text: Optional[str]) -> tuple[str, ...]:
    if not text:
        raise InputError("no Elasticsearch URL: give --url, or set NHI_ELASTIC_URL")
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    for url in urls:
        parts = _split(url, "--url")
        if parts.username or parts.password:
            raise InputError("--url must not contain a user or password: use --api-key-file or NHI_ELASTIC_API_KEY")
    return urls


def _split(url: str, flag: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{flag}: give http://host:port or https://host:port")
    return parts


def _proxy(proxy: Optional[str]) -> Optional[str]:
    if proxy and _split(proxy, "--proxy").password:
        raise InputError("--proxy must not contain a password: set NHI_ELASTIC_PROXY")
    url = proxy or os.environ.get("NHI_ELASTIC_PROXY")
    if url:
        _split(url, "NHI_ELASTIC_PROXY")
    return url or None


def _key(given: ConnectionArgs) -> Optional[str]:
    path = given.api_key_file
    if not path:
        return os.environ.get("NHI_ELASTIC_API_KEY") or None
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in ASCII"
        raise InputError(f"--api-key-file: cannot read {path}: {reason}") from None
    if not key or any(c.isspace() for c in key):
        raise InputError(f"--api-key-file: {path} must contain one encoded API key and nothing else")
    return key


# ---- store errors
#
# The Elasticsearch client's errors, turned into ours: one line, what was being done, and what may help.


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
"""Kinds of errors after which reading starts again: a node went, an index was moved, closed or deleted."""


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
        PassingError: a shard had no part in it, or it was given up half way.
    """
    shards = answer.get("_shards") or {}
    if answer.get("timed_out"):
        raise PassingError(f"{doing}: the search timed out, so its partial results were discarded")
    if shards.get("failed"):
        raise PassingError(f"{doing}: {shards['failed']} of {shards.get('total')} shards did not answer")
    return answer


def away(error: BaseException) -> bool:
    """Whether nobody answered; a certificate that is not trusted stays so."""
    return isinstance(error, (UnreachableError, ConnectionTimeout)) and not isinstance(error, TlsError)


def _passes(problem: ApiError) -> bool:
    return problem.status_code in BUSY or problem.status_code >= 500 or bool(kinds(problem) & _LOST)


def kinds(problem: ApiError) -> set[str]:
    """Elasticsearch's names for what went wrong, causes included."""
    kinds: set[str] = set()
    waiting: list[Any] = [problem.body.get("error") if isinstance(problem.body, dict) else None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            kinds.add(str(node.get("type", "")))
            waiting += [node.get("caused_by"), node.get("reason")]
            waiting += [*_listed(node.get("root_cause")), *_listed(node.get("failed_shards"))]
    return kinds


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def reason(problem: ApiError, lacking: str = LACKING) -> str:
    """What the cluster says is wrong, and what may help."""
    body = problem.body
    cause = body.get("error") if isinstance(body, dict) else None
    text = cause.get("reason") if isinstance(cause, dict) else str(problem.message)
    hints = {401: "; check the API key", 403: f"; {lacking}"}
    hint = BLOCKED if _BLOCK in kinds(problem) else hints.get(problem.status_code, "")
    message = str(text)[:300] if text and text != "None" else "without giving a reason"
    return f"{message}{hint}"


_BLOCK = "cluster_block_exception"
BLOCKED = "; the index is blocked for writing: free disk space, or remove the block, and run again"


def refused(error: dict[str, Any]) -> str:
    """Why one document of a bulk request was not written, and what helps.

    >>> refused({"type": "mapper_parsing_exception", "reason": "no number"})
    'no number; run `nhi elastic setup`'
    """
    return str(error.get("reason", ""))[:300] + (
        BLOCKED if error.get("type") == _BLOCK else "; run `nhi elastic setup`"
    )


# ---- client
#
# The client: orjson on the wire, patience with a cluster that is busy, and errors that say what to do.


ATTEMPTS = 6
STRANGER = 401
_POINT_IN_TIME = b'{"pit_id"'


class _Orjson(OrjsonSerializer):
    """orjson for the media type in which 8.x and 9.x answer this client."""

    mimetype = "application/vnd.elasticsearch+json"

    def loads(self, data: bytes) -> Any:
        """An answer's JSON; a page of a point in time is left as it is, `read` picks out what it needs."""
        return bytes(data) if data.startswith(_POINT_IN_TIME) else super().loads(data)


class _ForgottenError(UnreachableError):
    """The cluster does not know a key that it took; the library's own class would say `connection error` alone."""

    def __str__(self) -> str:
        return str(self.message)


class _Patient(Transport):
    """Asks again after a random while, each time a longer one, when the cluster was busy or away.

    Every request that this package makes may be repeated without harm; those that may not set `max_retries=0`.
    """

    _is_known = False
    """Whether the cluster has taken the key: if that is suddenly unknown, the cluster restarts, and its index of keys
    is there some seconds later than the rest."""

    def perform_request(self, method: str, target: str, **options: Any) -> TransportApiResponse:
        attempts = 1 if options.pop("max_retries", None) == 0 else ATTEMPTS
        retrying = Retrying(
            retry=retry_if_exception(away) | retry_if_result(lambda answer: answer.meta.status in BUSY),
            wait=wait_random_exponential(multiplier=0.2, max=8),
            stop=stop_after_attempt(attempts),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        answer: TransportApiResponse = retrying(self._asked, method, target, **options)
        return answer

    def _asked(self, method: str, target: str, **options: Any) -> TransportApiResponse:
        answer = super().perform_request(method, target, max_retries=0, **options)
        if answer.meta.status == STRANGER and self._is_known:
            raise _ForgottenError(
                "401: the cluster no longer knows a key that it accepted before: it restarts, or the key has expired"
            )
        self._is_known = self._is_known or answer.meta.status not in (STRANGER, *BUSY)
        return answer


def connect(where: Connection) -> Elasticsearch:
    """A client; the caller closes it. Nothing is sent yet.

    Raises:
        InputError: a proxy is wanted, and the library for it is missing; or a certificate for a server without any.
    """
    if (where.ca or where.fingerprint) and any(url.startswith("http://") for url in where.urls):
        raise InputError("--ca and --fingerprint need https://; leave them out, or give the https:// address")
    use_orjson()
    options: dict[str, Any] = {}
    if where.ca is not None:
        options["ca_certs"] = where.ca
    if where.fingerprint is not None:
        options["ssl_assert_fingerprint"] = where.fingerprint
    if where.proxy is not None:
        options["node_class"] = _through(where.proxy)
    return Elasticsearch(
        list(where.urls),
        api_key=where.api_key,
        serializers={_Orjson.mimetype: _Orjson(), OrjsonSerializer.mimetype: OrjsonSerializer()},
        request_timeout=where.timeout,
        transport_class=_Patient,
        **options,
    )


def _through(proxy: str) -> type[RequestsHttpNode]:
    """Nodes that are reached through a proxy; the environment's own settings for proxies do not count then."""

    class Proxied(RequestsHttpNode):
        def __init__(self, config: Any) -> None:
            try:
                super().__init__(config)
            except ValueError as error:
                raise InputError("--proxy needs the library requests: pip install 'nhi_watch[proxy]'") from error
            self.session.trust_env = False
            self.session.proxies = {"http": proxy, "https": proxy}

    return Proxied


@contextmanager
def reached(where: Connection) -> Iterator[None]:
    """Say of a cluster that cannot be reached, or that lets nobody in, which one it is and what to do.

    Raises:
        StoreError: in place of the one that names only what was being done at that moment.
    """
    try:
        yield
    except StoreError as error:
        if isinstance(error.__cause__, UnreachableError):
            raise StoreError(f"cannot reach {where.name}: {_obstacle(error.__cause__)}") from error
        if isinstance(error.__cause__, AuthenticationException):
            raise StoreError(f"{where.name} {_KEY_REFUSED if where.api_key else _KEY_MISSING}") from error
        raise


_KEY_MISSING = "needs an API key, and none was given: use --api-key-file FILE, or set NHI_ELASTIC_API_KEY"
_KEY_REFUSED = "refused the API key (401): give its encoded value, not id:key; it may also have expired"


def _obstacle(problem: BaseException) -> str:
    """The system's own words at the bottom of the chain of errors, and a remedy."""
    untrusted = isinstance(problem, TlsError)
    while problem.__cause__ or problem.__context__:
        problem = problem.__cause__ or problem.__context__ or problem
    if isinstance(problem, ssl.SSLError):
        detail = getattr(problem, "verify_message", "") or problem.reason or "TLS failed"
        return f"{detail.lower()}; check --ca or --fingerprint, and that the URL has the server's scheme"
    detail = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)[:200]
    remedy = "--ca or --fingerprint, and that the URL has the host name of the certificate" if untrusted else _AWAY
    return f"{detail[:1].lower()}{detail[1:].rstrip('.')}; check {remedy}".replace("\n", " ")


_AWAY = "the URL, and that the server runs"


# ---- access


Json = dict[str, Any]
REMEDY = "make a new key as `nhi elastic setup --api-key-request -` says, with the same --namespace and --index"
NO_SECURITY = (400, 404, 405, 500)
"""Answers of a cluster without security to a question about privileges."""
_NAMED = 3
"""Patterns of a line at most."""
REMOTE = re.compile(r"[^:<>]+:(?!:)")
ELSEWHERE = "it is in another cluster: run the job there"


class Unread(NamedTuple):
    """A pattern that is left out."""

    pattern: str
    why: str


class ReadablePatterns(NamedTuple):
    """What can be read."""

    patterns: tuple[str, ...]
    unread: tuple[Unread, ...] = ()


def together(unread: Iterable[tuple[str, str]]) -> list[str]:
    """What cannot be read, and why: a line for each reason.

    >>> together([("a", "no right"), ("b", "away"), ("c", "no right"), ("d", "no right"), ("e", "no right")])
    ['a, c, d and 1 more: no right', 'b: away']
    """
    by_reason: dict[str, list[str]] = {}
    for pattern, why in unread:
        by_reason.setdefault(why, []).append(pattern)
    more = {why: f" and {len(names) - _NAMED} more" for why, names in by_reason.items() if len(names) > _NAMED}
    return [f"{', '.join(names[:_NAMED])}{more.get(why, '')}: {why}" for why, names in by_reason.items()]


def lacking(client: Elasticsearch, wanted: Sequence[Json]) -> dict[str, list[str]]:
    """Index pattern → privileges on it that the key lacks; nothing on a cluster without security.

    Raises:
        StoreError: the cluster does not say.
    """
    try:
        response = client.security.has_privileges(index=list(wanted))
    except ApiError as problem:
        if problem.status_code in NO_SECURITY:
            return {}
        raise
    lacking = {name: [each for each, has in may.items() if not has] for name, may in response["index"].items()}
    return {name: sorted(missing) for name, missing in lacking.items() if missing}


def demand(client: Elasticsearch, own: Sequence[Json], others: Sequence[Json] = ()) -> dict[str, list[str]]:
    """Make sure of the job's own indices; returns what is lacking of the others.

    Raises:
        StoreError: the key lacks something of its own; it says what.
    """
    with explained("asking for privileges"):
        missing = lacking(client, [*own, *others])
    owned = {name for each in own for name in each["names"]}
    if text := "; ".join(f"{', '.join(what)} on {name}" for name, what in sorted(missing.items()) if name in owned):
        raise StoreError(f"the API key lacks a privilege: {text}; {REMEDY}")
    return missing


def readable_patterns(
    client: Elasticsearch, patterns: Iterable[str], privileges: Sequence[str], own: Sequence[Json] = ()
) -> ReadablePatterns:
    """Which patterns can be read now.

    Raises:
        StoreError: the cluster does not say, or what the job needs of its `own` is lacking.
    """
    listed = tuple(dict.fromkeys(patterns))
    why = {pattern: ELSEWHERE for pattern in listed if REMOTE.match(pattern)}
    local = [pattern for pattern in listed if pattern not in why]
    asked = [{"names": local, "privileges": list(privileges)}] if local else []
    for name, what in (demand(client, own, asked) if own or asked else {}).items():
        why[name] = f"the API key lacks {', '.join(what)} on it; {REMEDY}"
    unread = tuple(Unread(pattern, why[pattern]) for pattern in listed if pattern in why)
    readable = ReadablePatterns(tuple(pattern for pattern in listed if pattern not in why), unread)
    if own and not readable.patterns:
        raise StoreError(f"nothing can be read: {'; '.join(together(unread))}"[:1000])
    return readable
