"""A double of splunkd's REST API, over TLS, as far as it is asked: the KV store, and searches that are exported.

Built after the REST API Reference Manual (KV store; search/v2/jobs/export: a line of JSON for each row, and messages in
an answer of status 200 where a search failed). It can be told to be busy, to cut the connection, or to let the
session expire. Its certificate is signed by an authority as Splunk ships it: no key usage, no key identifiers, another
name than the loopback address.
"""

from __future__ import annotations

import atexit
import datetime
import json
import os
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from splunk_conf import conf
from splunk_kvstore import KvDouble
from splunk_peers import SearchFailedError

SESSION = "session-key-of-the-search"
DATA = "/servicesNS/nobody/nhi_watch/storage/collections/data/"
EXPORT = "/servicesNS/nobody/nhi_watch/search/v2/jobs/export"
Exported = Callable[[str, int, int], list[dict[str, str]]]
"""The rows of a search over a stretch of time."""


class Fault(NamedTuple):
    """How to answer a request instead of doing what it asks for."""

    status: int
    """0: cut the connection."""
    path: str = ""
    """Only requests whose path holds this."""
    headers: tuple[tuple[str, str], ...] = ()


class Lines(list[dict[str, Any]]):
    """An answer of a line of JSON for each."""


class Double:
    """What the server holds."""

    def __init__(self) -> None:
        self.kv = KvDouble(tuple(name for name in conf("collections.conf").sections() if name.startswith("nhi_")))
        self.collections = self.kv.captain
        self.asked: list[str] = []
        """Method and path of every request."""
        self.faults: list[Fault] = []
        self.export: Optional[Exported] = None
        """What runs searches; None: none may be run."""
        self.exported = 0
        """Searches that were run."""
        self.session = SESSION
        self.connections = 0
        """Connections that were opened."""
        self.url = ""
        self.ca = Path()
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, text: str, body: bytes) -> tuple[int, Any, tuple[tuple[str, str], ...]]:
        """Status, JSON and headers."""
        with self._lock:
            parts = urlsplit(target)
            self.asked.append(f"{method} {parts.path}")
            fault = next((f for f in self.faults if f.path in parts.path), None)
            if fault is not None:
                self.faults.remove(fault)
                return fault.status, {"messages": [{"type": "ERROR", "text": "Server is busy"}]}, fault.headers
            return (*self._route(method, target, text, body), ())

    def _route(self, method: str, target: str, text: str, body: bytes) -> tuple[int, Any]:
        parts = urlsplit(target)
        if text != f"Splunk {self.session}":
            return 401, {"messages": [{"type": "WARN", "text": "call not properly authenticated"}]}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith(DATA):
            return self.kv.answer(method, unquote(parts.path[len(DATA) :]), query, body)
        if parts.path == EXPORT and method == "POST":
            return 200, self._exported({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return 404, {"messages": [{"type": "ERROR", "text": "Not Found"}]}

    def _exported(self, form: dict[str, str]) -> Lines:
        """Lines of JSON, previews among them, which are no rows of the answer."""
        assert form["output_mode"] == "json" and form["allow_partial_results"] == "0", form
        self.exported += 1
        try:
            if self.export is None:
                raise SearchFailedError("the role may not search the index")
            rows = self.export(form["search"], int(form["earliest_time"]), int(form["latest_time"]))
        except SearchFailedError as error:
            return Lines([{"preview": False, "messages": [{"type": "FATAL", "text": str(error)}]}])
        lines = [{"preview": False, "offset": number, "result": row} for number, row in enumerate(rows)]
        shown = [{**item, "preview": True} for item in lines[:1]]
        return Lines([*shown, *lines, {"preview": False, "lastrow": True}])


def encoded(answer: Any) -> bytes:
    """The body of an answer."""
    lines = answer if isinstance(answer, Lines) else [answer]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@contextmanager
def serving(folder: Path, name: str = "SplunkServerDefaultCert") -> Iterator[Double]:
    """A running double; `name` is what its certificate is issued for."""
    double = Double()
    double.ca, chain = certificates(folder, name)
    end = started(double, chain)
    try:
        yield double
    finally:
        end()


def splunkd() -> Double:
    """A double that runs as long as the tests do, under the authority of etc/auth/cacert.pem."""
    double = Double()
    double.ca, chain = _home()
    started(double, chain)
    return double


@lru_cache(maxsize=1)
def _home() -> tuple[Path, Path]:
    """Splunk's home for commands, with a certificate."""
    path = Path(tempfile.mkdtemp(prefix="splunk-home-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    auth = path / "etc" / "auth"
    auth.mkdir(parents=True)
    ca, chain = certificates(auth, "SplunkServerDefaultCert")
    shutil.copyfile(ca, auth / "cacert.pem")
    os.environ["SPLUNK_HOME"] = str(path)
    return auth / "cacert.pem", chain


def started(double: Double, chain: Path) -> Callable[[], None]:
    """Let a double answer; returns what ends it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body of an answer are written one after the other

        def setup(self) -> None:
            double.connections += 1
            super().setup()

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            text = self.headers.get("Authorization", "")
            status, answer, headers = double.answer(self.command, self.path, text, body)
            if not status:
                self.close_connection = True
                return
            data = encoded(answer)
            self.send_response(status)
            for header, value in (*headers, ("Content-Length", str(len(data)))):
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 (names of http.server)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    double.url = f"https://127.0.0.1:{server.server_port}"

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def certificates(folder: Path, name: str) -> tuple[Path, Path]:
    """(the authority's certificate, the server's with its key), as bare as Splunk's own."""
    authority, mine = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    # A name of its own: OpenSSL looks an authority up by name, and SPLUNK_HOME may hold that of another double.
    issuer = f"SplunkCommonCA {x509.random_serial_number():x}"[:64]
    signed = _certificate(issuer, (issuer, authority), authority.public_key(), True)
    server = _certificate(name, (issuer, authority), mine.public_key(), False)
    ca, chain = folder / f"{name}.ca.pem", folder / f"{name}.pem"
    ca.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key = mine.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(key + server.public_bytes(serialization.Encoding.PEM))
    return ca, chain


def _certificate(
    name: str, issuer: tuple[str, rsa.RSAPrivateKey], key: rsa.RSAPublicKey, is_authority: bool
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(named(issuer[0]), named(name), key, x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    if is_authority:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=False)
    return builder.sign(issuer[1], hashes.SHA256())
