"""What the job may and can read and write, asked before anything is read: a search says nothing of what it left out.

A pattern without the right to read it, or in a remote cluster that does not answer, looks like one without documents.
It is left out and named, and its checkpoint stays where it is.
"""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import SplitResult, urlsplit

from elastic_transport import RequestsHttpNode, TlsError, Transport, TransportApiResponse
from elastic_transport import TransportError as TransportError_client
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
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_random_exponential

from nhi_watch.core.errors import InputError, StoreError

# ---- connection
#
# Where the cluster is and who asks: from arguments, the environment, a file, or the system's keyring.
#
# Secrets never stand among the arguments, because every user of the host can list those: an API key comes from
# NHI_ELASTIC_API_KEY, a file or the keyring, a proxy's password from NHI_ELASTIC_PROXY.


TIMEOUT = 120.0
"""Seconds to wait for an answer."""
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}", re.IGNORECASE)
_USER = "nhi_watch"


@dataclass(frozen=True)
class Connection:
    """What it takes to reach a cluster."""

    urls: tuple[str, ...]
    """One or more nodes; empty where a cloud id says where it is."""
    api_key: Optional[str] = field(default=None, repr=False)
    """The encoded key, as `POST /_security/api_key` returns it; not shown in a repr."""
    ca: Optional[str] = None
    """PEM file of the authority that signed the cluster's certificate."""
    fingerprint: Optional[str] = None
    """SHA-256 of a certificate of the cluster's chain, in hex; no authority is needed then."""
    cloud_id: Optional[str] = None
    proxy: Optional[str] = field(default=None, repr=False)
    timeout: float = TIMEOUT

    @property
    def name(self) -> str:
        """How to call the cluster in messages."""
        return ",".join(self.urls) or f"cloud {(self.cloud_id or '').partition(':')[0]}"


@dataclass(frozen=True)
class Told:
    """What the arguments say."""

    url: Optional[str] = None
    cloud_id: Optional[str] = None
    api_key_file: Optional[str] = None
    api_key_keyring: Optional[str] = None
    ca: Optional[str] = None
    fingerprint: Optional[str] = None
    proxy: Optional[str] = None
    timeout: float = TIMEOUT


def connection(told: Told) -> Connection:
    """Put the connection together from arguments and environment (NHI_ELASTIC_*).

    Raises:
        InputError: no URL, a URL with a password in it, an unreadable or empty key, a wrong fingerprint.
    """
    cloud_id = told.cloud_id or (None if told.url else os.environ.get("NHI_ELASTIC_CLOUD_ID"))
    urls = () if cloud_id else _urls(told.url or os.environ.get("NHI_ELASTIC_URL"))
    if told.ca is not None and not Path(told.ca).is_file():
        raise InputError(f"--ca: {told.ca} is not a file")
    if told.fingerprint and not _FINGERPRINT.fullmatch(told.fingerprint):
        raise InputError("--fingerprint: want the SHA-256 of the certificate, 64 hex digits")
    return Connection(
        urls, _key(told), told.ca, told.fingerprint, cloud_id, _proxy(told.proxy), told.timeout
    )  # fmt: skip


def _urls(text: Optional[str]) -> tuple[str, ...]:
    if not text:
        raise InputError("no Elasticsearch: give --url or --cloud-id, or set NHI_ELASTIC_URL")
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    for url in urls:
        parts = _split(url, "--url")
        if parts.username or parts.password:
            raise InputError("--url must hold no user or password: use --api-key-file or NHI_ELASTIC_API_KEY")
    return urls


def _split(url: str, flag: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{flag}: want http://host:port or https://host:port")
    return parts


def _proxy(told: Optional[str]) -> Optional[str]:
    if told and _split(told, "--proxy").password:
        raise InputError("--proxy must hold no password: set NHI_ELASTIC_PROXY")
    url = told or os.environ.get("NHI_ELASTIC_PROXY")
    if url:
        _split(url, "NHI_ELASTIC_PROXY")
    return url or None


def _key(told: Told) -> Optional[str]:
    if told.api_key_file:
        return _from_file(told.api_key_file)
    if told.api_key_keyring:
        return _from_keyring(told.api_key_keyring)
    return os.environ.get("NHI_ELASTIC_API_KEY") or None


def _from_file(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in ASCII"
        raise InputError(f"--api-key-file: cannot read {path}: {reason}") from None
    return _checked(key, f"--api-key-file: {path}")


def _from_keyring(name: str) -> str:
    """The secret of a service and user in the system's keyring; `SERVICE` alone means the user nhi_watch."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise InputError("--api-key-keyring needs the library keyring: pip install 'nhi_watch[keyring]'") from error
    service, _, user = name.partition(":")
    try:
        key = keyring.get_password(service, user or _USER)
    except KeyringError as error:
        raise InputError(f"--api-key-keyring: the keyring does not open: {error}") from None
    if key is None:
        raise InputError(f"--api-key-keyring: the keyring holds nothing for {service}, user {user or _USER}")
    return _checked(key.strip(), f"--api-key-keyring: {service}")


def _checked(key: str, where: str) -> str:
    if not key or any(c.isspace() for c in key):
        raise InputError(f"{where} must hold one encoded API key and nothing else")
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


# ---- client
#
# The client: orjson on the wire, patience with a cluster that is busy, and errors that say what to do.


ATTEMPTS = 6
STRANGER = 401
GRACE = 120.0
"""Seconds for which a key that was taken, and is suddenly unknown, is put down to a restart of the cluster: its index
of keys is there some seconds later than the rest. They count from the last request accepted, or that found nobody."""
_POINT_IN_TIME = b'{"pit_id"'


class _Orjson(OrjsonSerializer):
    """orjson for the media type in which 8.x and 9.x answer this client."""

    mimetype = "application/vnd.elasticsearch+json"

    def loads(self, data: bytes) -> Any:
        """An answer's JSON; a page of a point in time is left as it is, `read` picks out what it needs."""
        return bytes(data) if data.startswith(_POINT_IN_TIME) else super().loads(data)


class _Patient(Transport):
    """Asks again after a random while, each time a longer one, when the cluster was busy or away.

    Every request that this package makes may be repeated without harm; those that may not set `max_retries=0`.
    """

    _accepted = 0.0
    """When the cluster last took the key, or was away after it had."""

    def perform_request(self, method: str, target: str, **options: Any) -> TransportApiResponse:
        patient = options.pop("max_retries", None) != 0
        known = Retrying(
            retry=retry_if_result(self._is_forgotten),
            wait=wait_random_exponential(multiplier=0.5, max=5),
            stop=stop_after_delay(GRACE / 2),
            retry_error_callback=_last,
        )
        try:
            answer: TransportApiResponse = known(self._asked, patient, method, target, **options)
        except TransportError_client:
            self._accepted = self._accepted and time.monotonic()  # the grace begins when it is back
            raise
        if answer.meta.status in BUSY:
            self._accepted = self._accepted and time.monotonic()
        elif answer.meta.status != STRANGER:
            self._accepted = time.monotonic()
        return answer

    def _is_forgotten(self, answer: TransportApiResponse) -> bool:
        """Whether the cluster does not know a key that it took a moment ago."""
        since = time.monotonic() - self._accepted
        return answer.meta.status == STRANGER and bool(self._accepted) and since < GRACE

    def _asked(self, patient: bool, method: str, target: str, **options: Any) -> TransportApiResponse:
        once = super().perform_request
        if not patient:
            return once(method, target, max_retries=0, **options)
        retrying = Retrying(
            retry=retry_if_exception(away) | retry_if_result(lambda answer: answer.meta.status in BUSY),
            wait=wait_random_exponential(multiplier=0.2, max=8),
            stop=stop_after_attempt(ATTEMPTS),
            retry_error_callback=_last,
        )
        answer: TransportApiResponse = retrying(once, method, target, max_retries=0, **options)
        return answer


def _last(state: RetryCallState) -> Any:
    assert state.outcome is not None, "there was at least one attempt"
    return state.outcome.result()


def connect(where: Connection) -> Elasticsearch:
    """A client; the caller closes it. Nothing is sent yet.

    Raises:
        InputError: a proxy is wanted, and the library for it is missing; or a certificate for a server without any.
    """
    if (where.ca or where.fingerprint) and any(url.startswith("http://") for url in where.urls):
        raise InputError("--ca and --fingerprint are for https://; leave them out, or give the https:// address")
    options: dict[str, Any] = {"cloud_id": where.cloud_id} if where.cloud_id else {"hosts": list(where.urls)}
    if where.ca is not None:
        options["ca_certs"] = where.ca
    if where.fingerprint is not None:
        options["ssl_assert_fingerprint"] = where.fingerprint
    if where.proxy is not None:
        options["node_class"] = _through(where.proxy)
    return Elasticsearch(
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


_KEY_MISSING = "wants an API key, and none was given: use --api-key-file FILE, or set NHI_ELASTIC_API_KEY"
_KEY_REFUSED = "refused the API key (401): give its encoded value, not id:key; it may also have expired"


def _obstacle(problem: BaseException) -> str:
    """The system's own words at the bottom of the chain of errors, and a remedy."""
    untrusted = isinstance(problem, TlsError)
    while problem.__cause__ or problem.__context__:
        problem = problem.__cause__ or problem.__context__ or problem
    if isinstance(problem, ssl.SSLError):
        detail = getattr(problem, "verify_message", "") or problem.reason or "TLS failed"
        return f"{detail.lower()}; check --ca or --fingerprint, and that the URL's scheme is the server's"
    detail = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)[:200]
    remedy = "--ca or --fingerprint, and that the URL names what the certificate does" if untrusted else _AWAY
    return f"{detail[:1].lower()}{detail[1:].rstrip('.')}; check {remedy}".replace("\n", " ")


_AWAY = "the URL, and that the server runs"


# ---- access


Json = dict[str, Any]
REMEDY = "make the key anew as `nhi elastic setup --api-key-request -` says, with the same --namespace and --index"
NO_SECURITY = (400, 404, 405, 500)
"""Answers of a cluster without security to a question about privileges."""
_NAMED = 3
"""Patterns of a line at most."""
_CLUSTER = re.compile(r"([^:<>]+):(?!:)")


class Unread(NamedTuple):
    """A pattern that is left out."""

    pattern: str
    why: str


class Reach(NamedTuple):
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
        if problem.status_code in NO_SECURITY:
            return {}
        raise
    found = {name: [each for each, has in may.items() if not has] for name, may in told["index"].items()}
    return {name: sorted(missing) for name, missing in found.items() if missing}


def demand(client: Elasticsearch, own: Sequence[Json], others: Sequence[Json] = ()) -> dict[str, list[str]]:
    """Make sure of the job's own indices; returns what is lacking of the others.

    Raises:
        StoreError: the key lacks something of its own; it says what.
    """
    with explained("asking for privileges"):
        missing = lacking(client, [*own, *others])
    owned = {name for each in own for name in each["names"]}
    if told := "; ".join(f"{', '.join(what)} on {name}" for name, what in sorted(missing.items()) if name in owned):
        raise StoreError(f"the API key lacks a privilege: {told}; {REMEDY}")
    return missing


def reach(
    client: Elasticsearch, patterns: Iterable[str], privileges: Sequence[str], own: Sequence[Json] = ()
) -> Reach:
    """Which patterns can be read now.

    Raises:
        StoreError: the cluster itself does not tell, or what the job needs of its `own` is lacking.
    """
    listed = tuple(dict.fromkeys(patterns))
    local = [pattern for pattern in listed if not cluster(pattern)]
    asked = [{"names": local, "privileges": list(privileges)}] if local else []
    missing = demand(client, own, asked) if own or asked else {}
    why = {name: f"the API key lacks {', '.join(what)} on it; {REMEDY}" for name, what in missing.items()}
    with explained("asking remote clusters"):
        for name in sorted({cluster(pattern) for pattern in listed} - {""}):
            why.update(_unread(client, name, [each for each in listed if cluster(each) == name], privileges))
    unread = tuple(Unread(pattern, why[pattern]) for pattern in listed if pattern in why)
    found = Reach(tuple(pattern for pattern in listed if pattern not in why), unread)
    if own and not found.patterns:
        raise StoreError(f"nothing can be read: {'; '.join(together(unread))}"[:1000])
    return found


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

