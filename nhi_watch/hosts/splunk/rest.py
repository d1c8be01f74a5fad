"""Splunk's REST API as far as the state needs it, with the standard library.

Nothing but HTTPS, and certificates are verified. A search head asks its own splunkd by a loopback address, for which
no certificate is issued: there the name is not compared, but the certificate must still come from Splunk's own
authority (`etc/auth/cacert.pem`) or one that the system trusts. Splunk's own is older than the strict rules of
Python 3.13, which are left out there too.

Source: REST API Reference Manual, KV store endpoints.
"""

from __future__ import annotations

import json
import os
import ssl
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from http.client import BadStatusLine, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Optional, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from nhi_watch.core.errors import InputError, StoreError

APP = "nhi_watch"
ATTEMPTS = 4
TIMEOUT = 30
LONGEST_PAUSE = 30
BUSY = frozenset({429, 502, 503, 504})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LARGE = 8 << 20
"""Characters of an answer from which it may have been cut short: the smallest limit, on any version, is 50 MB, and an
administrator may have lowered it."""
EXPORT = f"/servicesNS/nobody/{APP}/search/v2/jobs/export"
FORM = "application/x-www-form-urlencoded"
SEARCHING = 300
"""Seconds for which a search may say nothing."""
Document = Mapping[str, Any]
_Answer = TypeVar("_Answer")


class RestError(StoreError):
    """Splunk has answered with an error; `status` is that of HTTP, 0 where there was no answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class RefusedError(Exception):
    """An answer other than of success. No redirect is followed: it would carry the session key to another server."""

    def __init__(self, status: int, reason: str, retry_after: str, body: bytes) -> None:
        super().__init__(status)
        self.status, self.reason, self.retry_after, self.body = status, reason, retry_after, body


def authorities() -> list[Path]:
    """The file with the certificate of Splunk's own authority, where there is one."""
    own = Path(os.environ.get("SPLUNK_HOME", "")) / "etc" / "auth" / "cacert.pem"
    return [own] if own.is_file() else []


@lru_cache(maxsize=8)
def trust(url: str, *files: Path) -> ssl.SSLContext:
    """Whom to trust at a URL: the system's authorities, which take long to read, and those in files.

    Raises:
        InputError: the URL is not HTTPS, or a file is no certificate.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise InputError(f"{url[:200]!r} is not an https:// address; nothing is sent without TLS")
    context = ssl.create_default_context()
    try:
        for path in files:
            context.load_verify_locations(str(path))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{path}: no certificates of authorities ({error})") from error
    if parts.hostname in LOOPBACK:
        context.check_hostname = False
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class Client:
    """One server and how to show who asks. Waits and asks again while it is busy or does not answer.

    One connection serves all requests: a run makes about a hundred, and each handshake takes longer than most answers.
    """

    def __init__(
        self, url: str, authorization: str, context: ssl.SSLContext, pause: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Authorization": authorization, "User-Agent": APP}
        self._connection = HTTPSConnection(parts.hostname or "", parts.port, context=context)
        self._pause = pause
        weakref.finalize(self, self._connection.close)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON, and give the answer's; None where that is empty.

        Raises:
            RestError: an error that stays after all attempts, or no JSON; says what to do where that is known.
        """
        sent = None if body is None else json.dumps(body).encode()

        def answered() -> Any:
            text = self._once(method, path, sent)
            return json.loads(text) if text.strip() and method != "DELETE" else None

        return self._insisting(path, answered)

    def search(self, text: str, earliest: int, latest: int) -> list[dict[str, str]]:
        """The rows of a search over a stretch of time, as many as there are; `text` is what follows `search`.

        Raises:
            RestError: it failed, or a part of the answer is missing.
        """
        form = urlencode(
            {
                "search": f"search {text}",
                "earliest_time": earliest,
                "latest_time": latest,
                "output_mode": "json",
                "preview": 0,
                "allow_partial_results": 0,
            }
        ).encode()
        return self._insisting(EXPORT, lambda: _rows(self._once("POST", EXPORT, form, FORM, SEARCHING)))

    def _insisting(self, path: str, answered: Callable[[], _Answer]) -> _Answer:
        """Ask until there is an answer."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return answered()
            except RefusedError as error:
                wait = _pause_of(error, attempt)
                if error.status not in BUSY or attempt == ATTEMPTS:
                    raise RestError(error.status, f"{_where(path)}: {_error_text(error)}") from error
            except (OSError, HTTPException) as error:
                wait = 2.0 ** (attempt - 1)
                if isinstance(error, ssl.SSLCertVerificationError) or attempt == ATTEMPTS:
                    raise RestError(0, f"{_where(path)}: no answer: {error}{_advice(error)}"[:500]) from error
            except ValueError as error:
                raise RestError(0, f"{_where(path)}: the answer is not JSON") from error
            self._pause(wait)
        raise AssertionError("unreachable")

    def _once(
        self, method: str, path: str, body: Optional[bytes], kind: str = "application/json", timeout: int = TIMEOUT
    ) -> bytes:
        headers = {**self._headers, **({"Content-Type": kind} if body is not None else {})}
        was_open = self._connection.sock is not None
        try:
            return self._exchanged(method, path, body, headers, timeout)
        except (ConnectionError, BadStatusLine, ssl.SSLEOFError):
            if not was_open:
                raise
        return self._exchanged(method, path, body, headers, timeout)  # splunkd closed what was idle

    def _exchanged(
        self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str], timeout: int
    ) -> bytes:
        connection = self._connection
        try:
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            connection.request(method, self._prefix + path, body, headers)
            reply = connection.getresponse()
            text = reply.read()
        except BaseException:
            connection.close()  # the next request opens another
            raise
        if reply.status >= 300:
            raise RefusedError(reply.status, reply.reason, reply.headers.get("Retry-After", ""), text)
        return text


def _rows(answer: bytes) -> list[dict[str, str]]:
    """The rows of a search's export: a line of JSON for each, and for messages.

    Raises:
        RestError: one of these says that the search failed.

    >>> _rows(b'{"preview": false, "result": {"a": "1"}}\\n{"preview": false, "lastrow": true}\\n')
    [{'a': '1'}]
    """
    rows = []
    for line in answer.splitlines():
        text = json.loads(line) if line.strip() else {}
        wrong = [message for message in text.get("messages", ()) if message.get("type") in ("FATAL", "ERROR")]
        if wrong:
            raise RestError(0, f"{EXPORT}: the search failed: {wrong[0].get('text')}"[:500])
        if "result" in text and not text.get("preview"):
            rows.append(text["result"])
    return rows


def _where(path: str) -> str:
    return path.partition("?")[0]


def _pause_of(error: RefusedError, attempt: int) -> float:
    text = error.retry_after
    return min(float(text), LONGEST_PAUSE) if text.isdecimal() else 2.0 ** (attempt - 1)


def _error_text(error: RefusedError) -> str:
    """What an error answer says, and what to do about it."""
    text = error.body[:2_000].decode("utf-8", "replace")
    try:
        answer = json.loads(text)
        text = answer.get("text") or "; ".join(str(each.get("text", "")) for each in answer["messages"])
    except (ValueError, AttributeError, KeyError, TypeError):
        text = " ".join(text.split())
    return f"HTTP {error.status}: {text[:300] or error.reason}{_REMEDIES.get(error.status, '')}"


_REMEDIES = {
    401: "; the session has expired or is wrong",
    403: "; the role lacks a capability",
    404: "; is the app installed and the KV store running?",
}


def _advice(reason: object) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "; add the authority's certificate to etc/auth/cacert.pem"
    return ""


class Collection:
    """A collection of this app's KV store."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._path = f"/servicesNS/nobody/{APP}/storage/collections/data/{quote(name, safe='')}"

    def _of(self, key: str) -> str:
        return f"{self._path}/{quote(key, safe='')}"

    def insert(self, document: Document) -> bool:
        """Put a document with its `_key`; False: there is one with this key, and it stays."""
        try:
            self._client.ask("POST", self._path, document)
        except RestError as error:
            if error.status == 409:
                return False
            raise
        return True

    def replace(self, key: str, document: Document) -> None:
        """Put a document in place of the one with this key."""
        self._client.ask("POST", self._of(key), document)

    def delete_where(self, query: Document) -> None:
        """Remove all documents that fit."""
        self._client.ask("DELETE", f"{self._path}?{urlencode({'query': json.dumps(query)})}")

    def page(self, query: Document, limit: int, sort: str, field: str = "") -> list[dict[str, Any]]:
        """At most so many documents that fit; `sort`: a field, with a minus for the largest first; `field`: of each
        only this one."""
        order = f"{sort[1:]}:-1" if sort.startswith("-") else sort
        parameters = {"query": json.dumps(query), "sort": order, "limit": limit, **({"fields": field} if field else {})}
        asked = urlencode(parameters)
        return list(self._client.ask("GET", f"{self._path}?{asked}"))

    def find(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The documents that exist among keys; as many as one batch of queries takes, fewer where they are large.

        A large answer may lack documents that exist (max_size_per_batch_result_mb): what it lacks is asked for again.
        """
        if not keys:
            return
        try:
            asked = [{"query": {"_key": key}} for key in keys]
            rows = self._client.ask("POST", f"{self._path}/batch_find", asked)
        except RestError as error:  # max_size_per_batch_result_mb
            if len(keys) == 1 or error.status not in (400, 413, 500):
                raise
            half = len(keys) // 2
            yield from self.find(keys[:half])
            yield from self.find(keys[half:])
            return
        documents = [document for each in rows for document in each]
        yield from documents
        if sum(len(document.get("v", "")) for document in documents) >= LARGE:
            there = {document["_key"] for document in documents}
            yield from self.find([key for key in keys if key not in there])

    def save(self, documents: Sequence[Document]) -> None:
        """Put documents, as many as one batch takes; one with a known `_key` replaces the old one."""
        self._client.ask("POST", f"{self._path}/batch_save", documents)
