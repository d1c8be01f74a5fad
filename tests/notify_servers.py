"""Receivers of notifications on this machine: a web server, a mail server, Slack's, Teams' and PagerDuty's hosts."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import trustme

from tls_proxy import forward

HOSTS = ("hooks.slack.com", "prod-1.westeurope.logic.azure.com", "events.pagerduty.com")


class Web:
    """A web server that answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.took: list[tuple[str, Any]] = []
        """Host and path, and the JSON."""
        self.status = 200
        self.delay = 0.0
        """Seconds before it answers."""
        self.port = 0

    def url(self, path: str = "x") -> str:
        """Its address, as apprise writes it."""
        return f"json://127.0.0.1:{self.port}/{path}?cto=2&rto=1"


@contextmanager
def web(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    """A web server while the block runs."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.took.append((f"{self.headers['Host']}{self.path}", json.loads(body)))
            time.sleep(web.delay)
            answer = b"ok" if "slack" in self.headers["Host"] else b'{"status": "success"}'
            self.send_response(202 if web.status == 200 and "pagerduty" in self.headers["Host"] else web.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    web.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


class Hosted(NamedTuple):
    """The web server that stands for HOSTS, and what sends programs there."""

    web: Web
    environment: dict[str, str]


@contextmanager
def hosted(folder: Path) -> Iterator[Hosted]:
    """Slack's, Teams' and PagerDuty's hosts, behind a proxy that leads all of them here."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    with web(context) as server, forward("a", "b", [], ("127.0.0.1", server.port)) as port:
        proxy = f"http://a:b@127.0.0.1:{port}"
        yield Hosted(server, {"HTTPS_PROXY": proxy, "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"), "NO_PROXY": ""})


@contextmanager
def mail() -> Iterator[tuple[int, list[str]]]:
    """A mail server: its port, and the messages that it took."""
    took: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    took.append(b"".join(lines).decode())
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1], took
        server.shutdown()
