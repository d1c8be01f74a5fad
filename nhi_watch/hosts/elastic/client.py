"""The client: orjson on the wire, patience with a cluster that is busy, and errors that say what to do."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elastic_transport import RequestsHttpNode, TlsError, Transport, TransportApiResponse, TransportError
from elasticsearch import AuthenticationException, Elasticsearch, OrjsonSerializer
from elasticsearch import ConnectionError as UnreachableError
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_random_exponential

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.hosts.elastic.connection import Connection
from nhi_watch.hosts.elastic.store_errors import BUSY, away

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
        except TransportError:
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
        InputError: a proxy is wanted, and the library for it is missing.
    """
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
