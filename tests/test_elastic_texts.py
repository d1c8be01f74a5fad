"""What `nhi elastic` says when the cluster is not there, or lets nobody in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

import nhi_watch.hosts.elastic.cluster  # noqa: F401   the program that is run needs its libraries; bare Pythons lack them
from nhi_watch import cli
from nhi_watch.hosts.files import find

Tree = dict[str, Any]
ROOT = Path(__file__).parents[1]
BODY = b'{"error":{"reason":"missing authentication credentials for REST request"},"status":401}'


class Closed(BaseHTTPRequestHandler):
    """Answers as a secured Elasticsearch answers a stranger; HEAD has no body."""

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(BODY)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_HEAD(self) -> None:
        self.send_response(401)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not into the test's output."""


@contextmanager
def serving(handler: type[Closed]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def closed() -> Iterator[str]:
    with serving(Closed) as url:
        yield url


class Other(Closed):
    """Says that it is some version of something."""

    body, product, status = b"", "Elasticsearch", 200

    def do_HEAD(self) -> None:
        self.send_response(self.status)
        if self.product:
            self.send_header("X-Elastic-Product", self.product)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.body)


def nhi(*arguments: str, key: str = "") -> tuple[int, str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("NHI_ELASTIC")}
    if key:
        told["NHI_ELASTIC_API_KEY"] = key
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=told)
    return done.returncode, done.stderr


def test_a_refused_connection_is_one_short_line() -> None:  # `run` says the same, after two minutes of patience
    with socket.socket() as held:  # bound, but nobody listens
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        told = f"nhi: cannot reach {url}: connection refused; check the URL, and that the server runs\n"
        assert nhi("setup", "--url", url) == (2, told)


@pytest.mark.parametrize("command", ["setup", "run"])
def test_without_a_key_a_closed_server_makes_it_say_how_to_give_one(command: str, closed: str) -> None:
    told = "wants an API key, and none was given: use --api-key-file FILE, or set NHI_ELASTIC_API_KEY\n"
    assert nhi(command, "--url", closed) == (2, f"nhi: {closed} {told}")


@pytest.mark.parametrize("command", ["setup", "run"])
def test_a_wrong_key_is_refused_without_being_shown(command: str, closed: str) -> None:
    told = "refused the API key (401): give its encoded value, not id:key; it may also have expired\n"
    assert nhi(command, "--url", closed, key="d3Jvbmc6a2V5") == (2, f"nhi: {closed} {told}")


def test_a_server_without_tls_is_said_to_be_one(closed: str) -> None:
    code, told = nhi("run", "--url", closed.replace("http:", "https:"))
    assert (code, told.count("\n")) == (2, 1)
    assert told.endswith("; check --ca or --fingerprint, and that the URL's scheme is the server's\n")


_GONE = {"error": {"type": "api_not_available_exception", "reason": "not in serverless mode"}, "status": 410}


@pytest.mark.parametrize(
    ("product", "status", "body", "words"),
    [
        ("", 200, {"nodes": {"a": {"version": "3.2.0"}}}, "OpenSearch, or a proxy in front, is not supported"),
        ("Elasticsearch", 410, _GONE, "Serverless is not supported"),
        ("Elasticsearch", 200, {"nodes": {"a": {"version": "8.11.4"}}}, "8.11 is not supported: use 8.19"),
    ],
)
def test_what_is_not_supported_is_refused_in_one_line(product: str, status: int, body: Tree, words: str) -> None:
    told = type("Told", (Other,), {"body": orjson.dumps(body), "product": product, "status": status})
    with serving(told) as url:
        code, said = nhi("setup", "--url", url)
    assert (code, said.count("\n")) == (2, 1) and words in said, said


def test_feedback_writes_the_trail_that_audit_verify_reads() -> None:
    told = cli.parser().parse_args(["elastic", "feedback"])
    assert told.audit == find.trail(cli.parser().parse_args(["audit", "verify"]))


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [("--budget", "abc", "a number from 0.001 to 1000"), ("--timeout", "nan", "a number from 0.1 to 3600"),
     ("--page", "1.5", "a whole number from 1 to 10000"), ("--lag", "1" * 5000, "a whole number from 0 to 86400")],
)  # fmt: skip
def test_a_number_that_is_none_is_told_its_bounds(
    flag: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["elastic", "run", flag, value])
    told = f"nhi elastic run: argument {flag}: give {words}; see nhi elastic run --help\n"
    assert capsys.readouterr().err == told
