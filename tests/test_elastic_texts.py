"""What `nhi elastic` says when the cluster is not there, or lets nobody in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import nhi_watch.hosts.elastic.cluster  # noqa: F401   the program that is run needs its libraries; bare Pythons lack them
from elastic_proxy import answering
from elastic_server import started
from nhi_watch import cli
from nhi_watch.hosts.files import find

Tree = dict[str, Any]
ROOT = Path(__file__).parents[1]
BODY = b'{"error":{"reason":"missing authentication credentials for REST request"},"status":401}'


@pytest.fixture(scope="module")
def closed() -> Iterator[str]:
    """Answers as a secured Elasticsearch answers a stranger."""
    with answering(BODY, 401) as url:
        yield url


def nhi(*arguments: str, **variables: str) -> tuple[int, str]:
    done = started(*arguments, **variables)
    return done.returncode, done.stderr


def test_a_refused_connection_is_one_short_line() -> None:  # `run` says the same, after two minutes of patience
    with socket.socket() as pending:  # bound, but nobody listens
        pending.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{pending.getsockname()[1]}"
        text = f"nhi: cannot reach {url}: connection refused; check the URL, and that the server runs\n"
        assert nhi("setup", "--url", url) == (2, text)


KEYS = {
    "none": ({}, "needs an API key, and none was given: use --api-key-file FILE, or set NHI_ELASTIC_API_KEY"),
    "a wrong one": (
        {"NHI_ELASTIC_API_KEY": "d3Jvbmc6a2V5"},
        "refused the API key (401): give its encoded value, not id:key; it may also have expired",
    ),
}


@pytest.mark.parametrize("command", ["setup", "run"])
@pytest.mark.parametrize(("given", "text"), KEYS.values(), ids=KEYS)
def test_a_closed_server_makes_it_say_how_to_give_a_key_without_showing_it(
    command: str, given: dict[str, str], text: str, closed: str
) -> None:
    assert nhi(command, "--url", closed, **given) == (2, f"nhi: {closed} {text}\n")


def test_a_server_without_tls_is_said_to_be_one(closed: str) -> None:
    code, text = nhi("run", "--url", closed.replace("http:", "https:"))
    assert (code, text.count("\n")) == (2, 1)
    assert text.endswith("; check --ca or --fingerprint, and that the URL has the server's scheme\n")


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
    with answering(orjson.dumps(body), status, product) as url:
        code, said = nhi("setup", "--url", url)
    assert (code, said.count("\n")) == (2, 1) and words in said, said


def test_feedback_writes_the_trail_that_audit_verify_reads() -> None:
    args = cli.parser().parse_args(["elastic", "feedback"])
    assert args.audit == find.trail(cli.parser().parse_args(["audit", "verify"]))


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--budget", "abc", "a number from 0.001 to 1000"),
        ("--timeout", "nan", "a number from 0.1 to 3600"),
        ("--page", "1.5", "a whole number from 1 to 10000"),
        ("--lag", "1" * 5000, "a whole number from 0 to 86400"),
    ],
)
def test_a_number_that_is_none_is_told_its_bounds(
    flag: str, value: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["elastic", "run", flag, value])
    text = f"nhi elastic run: argument {flag}: give {words}; see nhi elastic run --help\n"
    assert capsys.readouterr().err == text
