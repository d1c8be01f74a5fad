"""Keys, TLS and proxies; nothing secret is shown; what logs say is never a query's syntax."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from attack_strings import MARK, attacks
from ecs_shape import document, load
from elastic_server import ROOT, Server, environment, started
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.cluster import Connection, ConnectionArgs, _Patient, connect, connection
from nhi_watch.hosts.elastic.kibana import Kibana
from test_elastic_run import SINCE, Place, essence, from_files, simulated
from tls_proxy import forward, tls

Tree = dict[str, Any]
SECRET = "c2VjcmV0LWlkOnNlY3JldC1rZXktb2YtdGhlLWpvYg=="


# ---- TLS, in front of a real server


class Secured:
    """A server behind TLS, the authority that signed its certificate, and one that did not."""

    def __init__(self, port: int, certificate: bytes, folder: Path) -> None:
        self.url = f"https://localhost:{port}"
        der = ssl.PEM_cert_to_DER_cert(certificate.decode())
        self.fingerprint = hashlib.sha256(der).hexdigest()
        self.ca, self.other_ca = folder / "ca.pem", folder / "other.pem"


@pytest.fixture(scope="module")
def secured(elastic: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with tls(context, elastic.url) as port:
        secured = Secured(port, certificate.cert_chain_pems[0].bytes(), folder)
        authority.cert_pem.write_to_path(str(secured.ca))
        trustme.CA().cert_pem.write_to_path(str(secured.other_ca))
        yield secured


def count(where: Connection) -> int:
    with connect(where) as client:
        return int(client.cluster.health()["number_of_nodes"])


def test_an_authority_or_a_fingerprint_is_what_it_takes(secured: Secured) -> None:
    colons = ":".join(secured.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    for given in (
        ConnectionArgs(secured.url, ca=str(secured.ca)),
        ConnectionArgs(secured.url, fingerprint=secured.fingerprint),
        ConnectionArgs(secured.url, fingerprint=colons),
    ):
        assert count(connection(given)) == 1


@pytest.mark.parametrize("flag", ["none", "other ca", "other fingerprint", "other name"])
def test_a_certificate_that_is_not_trusted_ends_it_in_one_line(secured: Secured, flag: str) -> None:
    flags = {
        "none": [],
        "other ca": ["--ca", str(secured.other_ca)],
        "other fingerprint": ["--fingerprint", "0" * 64],
        "other name": ["--ca", str(secured.ca)],
    }[flag]
    url = secured.url.replace("localhost", "127.0.0.1") if flag == "other name" else secured.url
    done = started("setup", "--url", url, "--dry-run", *flags, NHI_ELASTIC_API_KEY=SECRET)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert done.stderr.startswith(f"nhi: cannot reach {url}: ") and "check --ca or --fingerprint" in done.stderr
    assert SECRET not in done.stderr


def test_the_program_works_through_tls(secured: Secured) -> None:
    done = started("setup", "--url", secured.url, "--ca", str(secured.ca), "--dry-run", "--json", "--namespace", "tls")
    assert done.returncode == 0, done.stderr
    assert {step["change"] for step in orjson.loads(done.stdout)["steps"]} <= {"none", "create", "update"}


def test_kibana_is_reached_with_the_same_authority_or_fingerprint(secured: Secured) -> None:
    for trusted in (
        ConnectionArgs(secured.url, ca=str(secured.ca)),
        ConnectionArgs(secured.url, fingerprint=secured.fingerprint),
    ):
        with closing(Kibana(connection(trusted))) as kibana:
            assert kibana.get("/_cluster/health")["number_of_nodes"] == 1
    for wrong in (
        ConnectionArgs(secured.url),
        ConnectionArgs(secured.url, fingerprint="1" * 64),
        ConnectionArgs(secured.url, ca=str(secured.other_ca)),
    ):
        with closing(Kibana(connection(wrong))) as kibana, pytest.raises(StoreError, match="check --kibana and --ca"):
            kibana.get("/_cluster/health")


# ---- proxies


def test_a_proxy_with_a_password_leads_to_the_server(
    elastic: Server, secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with forward("me", "p@ss-word", asked) as port:
        way = f"http://me:p%40ss-word@127.0.0.1:{port}"
        variables = {"NHI_ELASTIC_PROXY": way}
        for flags in (["--url", elastic.url], ["--url", secured.url, "--ca", str(secured.ca)]):
            done = started("setup", *flags, "--dry-run", "--json", **variables)
            assert done.returncode == 0, done.stderr
        assert [line.split(" ")[0] for line in asked if "CONNECT" in line]
        assert [line for line in asked if line.startswith(f"GET {elastic.url}/")]
        wrong = way.replace("p%40ss-word", "wrong")
        refused = started("setup", "--url", elastic.url, "--dry-run", NHI_ELASTIC_PROXY=wrong)
        assert refused.returncode == 2 and "wrong" not in refused.stderr.replace("wrong:", ""), refused.stderr
        monkeypatch.setenv("NHI_ELASTIC_PROXY", way)
        for trusted in (ConnectionArgs(elastic.url), ConnectionArgs(secured.url, ca=str(secured.ca))):
            with closing(Kibana(connection(trusted))) as kibana:
                assert kibana.get("/_cluster/health")["number_of_nodes"] == 1
        stranger = connection(ConnectionArgs(elastic.url, proxy=f"http://127.0.0.1:{port}"))
        with closing(Kibana(stranger)) as kibana, pytest.raises(StoreError, match="407"):
            kibana.get("/_cluster/health")


def test_a_password_among_the_arguments_is_refused() -> None:
    for flags in (ConnectionArgs("http://x:1", proxy="http://me:secret@p:1"), ConnectionArgs("http://me:secret@x:1")):
        with pytest.raises(InputError, match="must not contain") as raised:
            connection(flags)
        assert "secret" not in str(raised.value)


# ---- secrets


def test_the_key_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("NHI_ELASTIC_API_KEY", "ZnJvbTplbnY=")
    keys = [ConnectionArgs("http://x:1", api_key_file=str(file)), ConnectionArgs("http://x:1")]
    assert [connection(key).api_key for key in keys] == [SECRET, "ZnJvbTplbnY="]
    with pytest.raises(InputError, match="cannot read"):
        connection(ConnectionArgs("http://x:1", api_key_file=str(tmp_path)))
    file.write_text("id:key and more")
    with pytest.raises(InputError, match="must contain one encoded API key") as raised:
        connection(keys[0])
    assert "id:key" not in str(raised.value)


@pytest.mark.parametrize("given", [{"ca": "ca.pem"}, {"fingerprint": "0" * 64}])
def test_a_certificate_for_a_server_without_any_is_a_wrong_argument(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="need https://"):
        connect(Connection(("http://127.0.0.1:9200",), api_key="x", **given))


def test_a_connection_does_not_show_its_secrets() -> None:
    shown = repr(Connection(("http://x:1",), SECRET, proxy="http://me:secret@p:1"))
    assert SECRET not in shown and "secret" not in shown


def test_even_the_libraries_logs_do_not_show_the_key(elastic: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        with connect(Connection((elastic.url,), SECRET)) as client:
            client.search(index="logs-none-*", query={"match_all": {}})
        with closing(Kibana(Connection((elastic.url,), SECRET))) as kibana:
            kibana.get("/_cluster/health")
    assert caplog.records, "something is logged at this level"
    assert SECRET not in caplog.text and base64.b64decode(SECRET).decode() not in caplog.text


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_the_list_of_processes_does_not_show_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET)
    with silent() as port:
        command = [sys.executable, "-m", "nhi_watch.cli", "elastic", "run", "--url", f"http://127.0.0.1:{port}"]
        variables = environment(NHI_ELASTIC_PROXY="")
        running = subprocess.Popen(
            [*command, "--api-key-file", str(file)], cwd=ROOT, env=variables, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not (Path("/proc") / str(running.pid) / "cmdline").read_bytes():
                time.sleep(0.05)
            shown = b"".join(path.read_bytes() for path in Path(f"/proc/{running.pid}").glob("task/*/cmdline"))
        finally:
            running.kill()
            running.wait()
    assert b"nhi_watch.cli" in shown and SECRET.encode() not in shown


# ---- values from events

SYNTAX = {
    "query_string", "simple_query_string", "script", "script_score", "script_fields", "runtime_mappings", "wildcard",
    "regexp", "prefix", "fuzzy", "multi_match", "match", "match_phrase", "template",
}  # fmt: skip
"""Parts of a query that read a text as something else than a value."""
AS_VALUES = {"term", "terms", "ids", "after", "search_after", "gt", "gte", "lt", "lte", "include"}
_WRITES = ("/_bulk", "/_doc/", "/_create/")


def hostile() -> list[Tree]:
    """A day of ordinary records in which every text that an attacker chooses is an attack."""
    texts = [text for text in attacks(3) if "\ud800" not in text]
    built = []
    for number, record in enumerate(simulated()[:240]):
        attack = texts[number % len(texts)]
        identity = {**record["userIdentity"], "arn": f"{record['userIdentity'].get('arn', '')}{attack}"[:1500]}
        built.append({**record, "userIdentity": identity, "userAgent": attack, "eventID": f"{number}-{attack}"[:200],
                     "errorCode": attack[:100], "awsRegion": attack[:40],
                     "requestParameters": {"bucketName": attack, "userName": attack, "roleArn": attack}})  # fmt: skip
    return built


def strings(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a tree with the names above it; names are texts as well."""
    if isinstance(node, dict):
        for name, inner in node.items():
            yield (*path, "name of a field"), name
            yield from strings(inner, (*path, name))
    elif isinstance(node, (list, tuple)):
        for inner in node:
            yield from strings(inner, path)
    elif isinstance(node, str):
        yield path, node


@pytest.mark.both_versions("queries are parsed by the server")
def test_what_logs_say_is_a_value_in_every_query(elastic: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place, records = Place(elastic), hostile()
    load(place.client, place.source, (document(r, False, render(int(time.time()) - 60)) for r in records))
    sent: list[tuple[str, Any]] = []
    plain = _Patient.perform_request

    def heard(self: Any, method: str, target: str, **options: Any) -> Any:
        sent.append((target, options.get("body")))
        return plain(self, method, target, **options)

    monkeypatch.setattr(_Patient, "perform_request", heard)
    done = place.run(since=SINCE)
    assert done["parsed"] + sum(done["rejected"].values()) == len(records)
    assert essence(place.notables()) == essence(from_files(records))
    place.run(since=SINCE)
    monkeypatch.undo()
    assert len(sent) > 20
    assert not [target for target, _ in sent if MARK in target]
    queries = [body for target, body in sent if body and not any(write in target for write in _WRITES)]
    strings_by_path = [pair for body in queries for pair in strings(body)]
    marked = {path for path, text in strings_by_path if MARK in text}
    assert not [path for path in marked if not AS_VALUES & set(path) or SYNTAX & set(path)]
    assert not [path for path, _ in strings_by_path if {"query_string", "simple_query_string", "script"} & set(path)]
    place.client.indices.delete(index=f"nhi-state-{place.namespace}")
