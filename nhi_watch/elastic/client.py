"""The connection to Elasticsearch: orjson on the wire; the key comes from a file or the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

from elasticsearch import ApiError, AuthenticationException, Elasticsearch, OrjsonSerializer, TransportError
from elasticsearch import ConnectionError as UnreachableError

from nhi_watch.errors import InputError, NhiError, StoreError


class _Orjson(OrjsonSerializer):
    """orjson for the media type in which 8.x and 9.x answer this client."""

    mimetype = "application/vnd.elasticsearch+json"


@dataclass(frozen=True)
class Connection:
    """What it takes to reach a cluster."""

    url: str
    api_key: Optional[str] = field(default=None, repr=False)
    """The encoded key, as `POST /_security/api_key` returns it; not shown in a repr."""
    ca: Optional[str] = None
    """PEM file of the authority that signed the cluster's certificate."""


def connection(url: Optional[str], api_key_file: Optional[str], ca: Optional[str]) -> Connection:
    """Put the connection together from arguments and environment (NHI_ELASTIC_URL, NHI_ELASTIC_API_KEY).

    Raises:
        InputError: no URL, a URL with a password in it, an unreadable or empty key file.
    """
    url = url or os.environ.get("NHI_ELASTIC_URL")
    if not url:
        raise InputError("no Elasticsearch: give --url, or set NHI_ELASTIC_URL")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("--url: want http://host:port or https://host:port")
    if parts.username or parts.password:
        raise InputError("--url must hold no user or password: use --api-key-file or NHI_ELASTIC_API_KEY")
    if ca is not None and not Path(ca).is_file():
        raise InputError(f"--ca: {ca} is not a file")
    key = _read_key(api_key_file) if api_key_file else os.environ.get("NHI_ELASTIC_API_KEY")
    return Connection(url, key or None, ca)


def _read_key(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in ASCII"
        raise InputError(f"--api-key-file: cannot read {path}: {reason}") from None
    if not key or any(c.isspace() for c in key):
        raise InputError(f"--api-key-file: {path} must hold one encoded API key and nothing else")
    return key


def connect(url: str, api_key: Optional[str] = None, ca: Optional[str] = None) -> Elasticsearch:
    """A client; the caller closes it. Nothing is sent yet.

    Retries what failed to connect, timed out, or was turned away for load (429, 502, 503, 504): every
    request that this package makes may be repeated without harm.
    """
    options: dict[str, Any] = {}
    if ca is not None:
        options["ssl_context"] = ssl.create_default_context(cafile=ca)
    return Elasticsearch(
        url,
        api_key=api_key,
        serializers={_Orjson.mimetype: _Orjson(), OrjsonSerializer.mimetype: OrjsonSerializer()},
        request_timeout=120,
        max_retries=4,
        retry_on_timeout=True,
        retry_on_status=(429, 502, 503, 504),
        **options,
    )


@contextmanager
def explained(doing: str, error: type[NhiError] = StoreError) -> Iterator[None]:
    """Turn the client's errors into ours, in one line, with what was being done and what may help."""
    try:
        yield
    except ApiError as problem:
        raise error(f"{doing}: Elasticsearch said {problem.status_code}: {_reason(problem)}") from problem
    except TransportError as problem:
        detail = str(problem).partition("\n")[0][:300]
        raise error(f"{doing}: cannot talk to Elasticsearch: {detail}; check the URL and the CA") from problem


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
            raise StoreError(f"cannot reach {where.url}: {_obstacle(error.__cause__)}") from error
        if isinstance(error.__cause__, AuthenticationException):
            raise StoreError(f"{where.url} {_KEY_REFUSED if where.api_key else _KEY_MISSING}") from error
        raise


_KEY_MISSING = "wants an API key, and none was given: use --api-key-file FILE, or set NHI_ELASTIC_API_KEY"
_KEY_REFUSED = "refused the API key (401): give its encoded value, not id:key; it may also have expired"


def _obstacle(problem: BaseException) -> str:
    """The system's own words at the bottom of the chain of errors, and a remedy."""
    while problem.__cause__ or problem.__context__:
        problem = problem.__cause__ or problem.__context__ or problem
    if isinstance(problem, ssl.SSLError):
        detail = getattr(problem, "verify_message", "") or problem.reason or "TLS failed"
        return f"{detail.lower()}; check --ca, and that the URL's scheme is the server's"
    detail = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)[:200]
    return f"{detail[:1].lower()}{detail[1:]}; check the URL, and that the server runs".replace("\n", " ")


def _reason(problem: ApiError) -> str:
    hints = {
        401: "; check the API key",
        403: "; the API key lacks a privilege: see `nhi elastic setup --api-key-request -`",
    }
    body = problem.body
    cause = body.get("error") if isinstance(body, dict) else None
    text = cause.get("reason") if isinstance(cause, dict) else str(problem.message)
    return f"{str(text)[:300]}{hints.get(problem.status_code, '')}"
