"""Proxies for the tests: one that speaks TLS in front of a server, and a forward proxy that wants a password."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_BLOCK = 65_536


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            sink.sendall(block)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _join(item: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_pump, args=(other, item), daemon=True)
    back.start()
    _pump(item, other)
    back.join()


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Give the port of a socket; each connection is served in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=_served, args=(serve, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _served(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        serve(connection)


@contextmanager
def tls(context: ssl.SSLContext, url: str) -> Iterator[int]:
    """Take TLS off in front of `url`; gives the port."""
    target = urlsplit(url)
    address = (target.hostname or "", target.port or 443)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as clear, socket.create_connection(address) as server:
            _join(clear, server)

    with _listening(serve) as port:
        yield port


@contextmanager
def forward(user: str, password: str, asked: list[str], to: tuple[str, int] | None = None) -> Iterator[int]:
    """A forward proxy for http (absolute URLs) and https (CONNECT); gives the port, and fills `asked`.

    `to`: where it leads everything, instead of where it was asked to.
    """
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            block = connection.recv(_BLOCK)
            if not block:
                return
            head += block
        line, _, rest = head.partition(b"\r\n")
        method, target, version = line.decode().split(" ")
        asked.append(f"{method} {target}")
        if f"proxy-authorization: {wanted}".lower().encode() not in head.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        parts = urlsplit(target if "//" in target else f"//{target}")
        with socket.create_connection(to or (parts.hostname or "", parts.port or 80)) as server:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                server.sendall(f"{method} {path} {version}\r\nConnection: close\r\n".encode() + rest)
            _join(connection, server)

    with _listening(serve) as port:
        yield port
