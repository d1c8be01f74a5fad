"""A bad road to a server: an HTTP proxy on loopback that loses, delays, cuts and refuses some of what passes.

What it does is drawn from a seed. A request may be lost before the server sees it (`drop`), answered by the proxy
in the server's place (429, 502, 503), kept for a while (`delay`), done without anybody being told (`lose`), or its
answer may end in the middle (`cut`).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

FAULTS = ("drop", "delay", "lose", "cut", "429", "502", "503")
_DELAY = 0.3
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Road(ThreadingHTTPServer):
    """Listens on a port of its own, and passes requests on to `target` (host:port)."""

    daemon_threads = True

    def __init__(self, target: str, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.target = target
        self._share = share
        self._dice = random.Random(seed)
        self._lock = Lock()
        self.done: Counter[str] = Counter()
        """How often each fault occurred, and `passed`."""

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def draw(self) -> str:
        """What happens to the next request."""
        with self._lock:
            fault = self._dice.choice(FAULTS) if self._dice.random() < self._share else "passed"
            self.done[fault] += 1
            return fault


@contextmanager
def bad_road(target: str, share: float, seed: int = 1) -> Iterator[Road]:
    """A proxy in front of `target`, a URL, with faults for that share of requests."""
    with _running(Road(target.removeprefix("http://"), share, seed)) as road:
        yield road


@contextmanager
def away_for(target: str, requests: int, answer: str, after: int) -> Iterator[Road]:
    """A proxy that answers so to so many requests, after the first ones."""
    with _running(_Away(target.removeprefix("http://"), (after, requests), answer)) as road:
        yield road


@contextmanager
def answering(body: bytes, status: int = 200, product: str = "Elasticsearch") -> Iterator[str]:
    """The URL of a server that answers every request with this; HEAD has no body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in (("X-Elastic-Product", product), ("Content-Type", "application/json")):
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if self.command != "HEAD" else b"")

        do_POST = do_HEAD = do_GET  # noqa: N815 (names of http.server)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base class)
            """Quietly."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Away(Road):
    def __init__(self, target: str, when: tuple[int, int], answer: str) -> None:
        super().__init__(target, 0.0, 1)
        self._good, self._bad = when
        self._answer = answer

    def draw(self) -> str:
        """Some are refused."""
        with self._lock:
            self._good -= 1
            if self._good < 0 and self._bad:
                self._bad -= 1
                self.done[self._answer] += 1
                return self._answer
        return super().draw()


@contextmanager
def _running(road: Road) -> Iterator[Road]:
    """Serve in a thread."""
    with road:
        Thread(target=road.serve_forever, daemon=True).start()
        try:
            yield road
        finally:
            road.shutdown()


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Road

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (as the base class)
        """Quietly."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.draw()
        if fault.isdigit():
            self._send(int(fault), [("Content-Type", "text/plain")], b"busy")
        elif fault == "drop":
            self._hang_up()
        else:
            time.sleep(_DELAY if fault == "delay" else 0)
            status, headers, answer = self._ask(body)
            if fault == "lose":
                self._hang_up()
            else:
                self._send(status, headers, answer, len(answer) // 2 if fault == "cut" else None)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass  # noqa: N815 - as the base class wants

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        server = HTTPConnection(self.server.target, timeout=120)
        try:
            server.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = server.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError:
            return 502, [("Content-Type", "text/plain")], b"nobody there"
        finally:
            server.close()

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, only: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:only])
        if only is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
