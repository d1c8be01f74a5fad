"""Kibana's HTTP API: as much of it as setting up, criticality and feedback need.

Spaces are part of the URL: `https://kibana.example.com/s/security`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Optional
from urllib.parse import unquote, urlencode

import orjson
import urllib3

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic.connection import Connection

Json = dict[str, Any]
_BUSY = (429, 502, 503, 504)
_REMEDY = {
    401: "refused the API key (401): give one that a Kibana user with these privileges made",
    403: "lacks a privilege (403): Security, Saved Objects Management and Dashboards want All for this key",
    404: "does not have this (404): check the URL, and its space",
}


class Kibana:
    """One space of one Kibana. Every request may be repeated without harm."""

    def __init__(self, where: Connection) -> None:
        """`where.urls` holds Kibana's URL, with the space where it is not the default one."""
        self.name = where.urls[0].rstrip("/")
        options: Json = {"ca_certs": where.ca} if where.ca else {}
        if where.fingerprint:
            options = {"cert_reqs": "CERT_NONE", "assert_fingerprint": where.fingerprint}
        retries = urllib3.Retry(total=4, other=0, backoff_factor=0.3, status_forcelist=_BUSY, allowed_methods=None,
                                raise_on_status=False, redirect=0)  # fmt: skip
        options.update(retries=retries, timeout=urllib3.Timeout(where.timeout))
        self._pool = _through(where.proxy, options) if where.proxy else urllib3.PoolManager(**options)
        self._headers = {"kbn-xsrf": "nhi_watch", "Elastic-Api-Version": "2023-10-31"}
        if where.api_key:
            self._headers["Authorization"] = f"ApiKey {where.api_key}"

    def __enter__(self) -> Kibana:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._pool.clear()

    def get(self, path: str, missing: Any = None, **query: str) -> Any:
        """What is there; `missing` where it is not (404).

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        status, body = self._call("GET", f"{path}?{urlencode(query)}" if query else path, {})
        return missing if status == 404 else self._good(path, status, body)

    def post(self, path: str, body: Json) -> Any:
        """Send a JSON body; gives the answer's.

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        headers = {"Content-Type": "application/json"}
        return self._good(path, *self._call("POST", path, {"body": orjson.dumps(body), "headers": headers}))

    def lines(self, path: str, body: Json) -> Optional[list[Json]]:
        """Send a JSON body; gives an answer of one object a line, None where Kibana finds fault with it (400).

        Raises:
            StoreError: Kibana cannot be reached, or refuses otherwise.
        """
        headers = {"Content-Type": "application/json"}
        status, answer = self._call("POST", path, {"body": orjson.dumps(body), "headers": headers})
        if status == 400:
            return None
        if status != 200:
            self._good(path, status, answer)
        return [self._read(path, line) for line in answer.splitlines() if line.strip()]

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as a form does.

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        fields = {"file": (name, content, "application/x-ndjson")}
        return self._good(path, *self._call("POST", path, {"fields": fields}))

    def _call(self, method: str, path: str, options: Mapping[str, Any]) -> tuple[int, bytes]:
        headers = {**self._headers, **options.get("headers", {})}
        try:
            answer = self._pool.request(method, f"{self.name}{path}", **{**options, "headers": headers})
        except urllib3.exceptions.HTTPError as error:
            reason = str(getattr(error, "reason", None) or error).rpartition(": ")[2][:200]
            raise StoreError(f"cannot reach Kibana at {self.name}: {reason}; check --kibana and --ca") from error
        return answer.status, answer.data

    def _good(self, path: str, status: int, body: bytes) -> Any:
        if status in (200, 201):
            return self._read(path, body)
        raise StoreError(f"Kibana at {self.name} {_REMEDY.get(status) or _said(status, body)}; asked for {path}")

    def _read(self, path: str, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise StoreError(f"{self.name}{path} answered no JSON: is it Kibana's URL?") from error


def _through(proxy: str, options: Json) -> urllib3.ProxyManager:
    """Connections through a proxy; urllib3 itself leaves out who the URL says is asking."""
    who = urllib3.util.parse_url(proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=unquote(who)) if who else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _said(status: int, body: bytes) -> str:
    try:
        message = str(orjson.loads(body).get("message", ""))
    except (orjson.JSONDecodeError, AttributeError):
        message = ""
    return f"answered {status} {message[:300]}".rstrip()
