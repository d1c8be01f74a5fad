"""Two real clusters with security, one of them behind TLS, connected by a key and by certificates' rules.

Of the newest version only, and with the trial licence that connections by keys take: two servers take a while to start.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
import trustme
from elasticsearch import Elasticsearch

from ecs_shape import document, load
from elastic_secured import PASSWORD, TRIAL, USER, SecuredNode, key, wait
from elastic_server import NEWEST, VERSIONS, java_for
from need import need
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import setup, windows
from nhi_watch.hosts.elastic.cluster import Connection, connect
from nhi_watch.hosts.elastic.run import Job, run
from nhi_watch.hosts.elastic.store import ElasticStore
from test_elastic_keys import ADMIN
from test_elastic_run import ROOT, SINCE, simulated

Tree = dict[str, Any]
HERE, THERE = simulated()[:60], simulated()[60:100]
SOURCE = "logs-aws.cloudtrail-two"
_FAR = """remote_cluster_server.enabled: true
remote_cluster.port: 0
xpack.security.remote_cluster_server.ssl.enabled: false
"""
_NEAR = "xpack.security.remote_cluster_client.ssl.enabled: false\n"
_ACCESS: Tree = {"name": "near", "access": {"search": [{"names": ["logs-*"]}]}}
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class Pair(NamedTuple):
    """The near cluster, which the job asks; `paris` is the far one by key, `rome` the same one by certificates."""

    near: Elasticsearch
    url: str
    ca: Path
    other_ca: Path
    far: SecuredNode


def reached(url: str, **options: Any) -> Elasticsearch:
    admin = Elasticsearch(url, basic_auth=(USER, PASSWORD), request_timeout=60, **options)
    wait(admin)
    return admin


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    need(java_for(NEWEST), f"Elasticsearch {NEWEST} needs Java {VERSIONS[NEWEST]} or newer")
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("authorities")
    for name, each in (("ca.pem", authority), ("other.pem", trustme.CA())):
        each.cert_pem.write_to_path(str(folder / name))
    nodes = [SecuredNode(NEWEST, tmp_path_factory.mktemp(name)) for name in ("far", "near")]
    far, near = nodes
    for node in nodes:
        node.settings = node.settings.replace(*TRIAL)
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    near.speak_tls(certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes())
    far.settle(_FAR)
    try:
        with reached(far.start()) as there:
            given = there.perform_request("POST", "/_security/cross_cluster/api_key", headers=_JSON, body=_ACCESS)
            fill(there, THERE)
        near.settle(_NEAR, f"cluster.remote.paris.credentials={given['encoded']}\n")
        url = near.start().replace("127.0.0.1", "localhost")
        with reached(url, ca_certs=str(folder / "ca.pem")) as here:
            known = {"paris": far.address("remote_cluster"), "rome": far.address("transport"), "dead": "127.0.0.1:1"}
            seeds = {name: {"seeds": [where], "skip_unavailable": True} for name, where in known.items()}
            here.cluster.put_settings(persistent={"cluster": {"remote": seeds}})
            fill(here, HERE)
            yield Pair(here, url, folder / "ca.pem", folder / "other.pem", far)
    finally:
        for node in nodes:
            node.remove()


def fill(admin: Elasticsearch, records: Any) -> None:
    when = render(int(time.time()) - 60)
    load(admin, SOURCE, (document(record, False, when) for record in records))


def own(pair: Pair, pattern: str, asked: str = "") -> tuple[Job, Elasticsearch]:
    """A namespace of its own, and a client with the documented key."""
    namespace = f"two{time.time_ns()}"
    setup.setup(pair.near, namespace)
    request = setup.api_key_request(namespace, asked or pattern)
    where = Connection((pair.url,), key(pair.near, request), ca=str(pair.ca), timeout=30)
    return Job(pattern, namespace, SINCE, lag=0), connect(where)


def checkpoints(pair: Pair, job: Job) -> dict[str, Any]:
    store = ElasticStore(pair.near, job.state)
    return windows.checkpoints(store, job.pattern.split(","))


@pytest.mark.parametrize("name", ["paris", "rome"])
def test_both_clusters_are_read_with_the_documented_key_and_the_dead_one_is_named(pair: Pair, name: str) -> None:
    job, client = own(pair, f"{SOURCE},{name}:{SOURCE},dead:{SOURCE}")
    with client:
        done = run(client, job)
    assert [each["index"] for each in done["unread"]] == [f"dead:{SOURCE}"]
    assert done["unread"][0]["why"] == "remote cluster dead does not answer"
    assert done["events"] == len(HERE) + len(THERE), done
    told = checkpoints(pair, job)
    assert told[f"dead:{SOURCE}"] is None and told[f"{name}:{SOURCE}"] and told[SOURCE]


@pytest.mark.parametrize("name", ["paris", "rome"])
def test_a_key_that_was_not_made_for_the_remote_is_told_so(pair: Pair, name: str) -> None:
    job, client = own(pair, f"logs-x-*,{name}:{SOURCE}", "logs-x-*")
    with client:
        done = run(client, job)
    (unread,) = done["unread"]
    assert unread["index"] == f"{name}:{SOURCE}"
    told = "cannot be searched: action [" if name == "paris" else "shows no such index, and the API key lacks read"
    assert unread["why"].startswith(f"remote cluster {name} {told}")
    assert "make the key anew" in unread["why"]
    assert checkpoints(pair, job)[f"{name}:{SOURCE}"] is None


def nhi(pair: Pair, api_key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("NHI_")}
    told |= {"NHI_ELASTIC_API_KEY": api_key, "NHI_ELASTIC_URL": pair.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=told)


def test_elasticsearchs_own_tls_is_trusted_by_its_authority_only(pair: Pair) -> None:
    namespace = f"tls{time.time_ns()}"
    setup.setup(pair.near, namespace)
    run_key = key(pair.near, setup.api_key_request(namespace, SOURCE))
    flags = ["run", "--namespace", namespace, "--index", SOURCE, "--since", "2025-01-01T00:00:00Z", "--lag", "0"]
    for trusted in ([], ["--ca", str(pair.other_ca)], ["--fingerprint", "0" * 64]):
        done = nhi(pair, run_key, *flags, *trusted)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith(f"nhi: cannot reach {pair.url}: ")
        assert "check --ca or --fingerprint" in done.stderr and run_key not in done.stderr
    done = nhi(pair, run_key, *flags, "--ca", str(pair.ca), "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["events"] == len(HERE)
    plain = nhi(pair._replace(url=pair.url.replace("https", "http")), run_key, *flags)
    assert plain.returncode == 2 and plain.stderr.count("\n") == 1, plain.stderr


def test_steps_two_to_four_of_the_page_run_as_they_stand_there(pair: Pair, tmp_path: Path) -> None:
    """Letter by letter, but for the address, the administrator's password, and Kibana, which is left out."""
    need(shutil.which("curl"), "needs curl")
    load(pair.near, SOURCE, (document(r, False, render(int(time.time()) - 300)) for r in simulated()[120:130]))
    page = (ROOT / "docs" / "elastic.md").read_text("utf-8").partition("## 2. ")[2].partition("## What is written")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    changes = {"https://es.example.com:9200": pair.url, "-u elastic": f"-u {USER}:{PASSWORD}",
               " NHI_KIBANA_URL=https://kibana.example.com:5601": ""}  # fmt: skip
    for there, here in changes.items():
        assert there in script
        script = script.replace(there, here)
    program = tmp_path / ".venv" / "bin" / "nhi"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m nhi_watch.cli "$@"\n')
    program.chmod(0o755)
    shutil.copy(pair.ca, tmp_path / "ca.pem")
    (tmp_path / "admin.key").write_text(key(pair.near, {"name": "admin", "role_descriptors": {"admin": ADMIN}}))
    told = {name: value for name, value in os.environ.items() if not name.startswith("NHI_")}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert re.search(r"Read [1-9]\d* documents", done.stdout), done.stdout


def test_a_remote_that_dies_keeps_its_checkpoint_while_the_others_go_on(pair: Pair) -> None:
    """The last one: the far cluster does not come back."""
    job, client = own(pair, f"{SOURCE},paris:{SOURCE}")
    with client:
        run(client, job)
        before = checkpoints(pair, job)
        pair.far.kill()
        fill(pair.near, simulated()[100:120])
        time.sleep(1.1)
        done = run(client, job._replace(since=None))
    after = checkpoints(pair, job)
    assert done["unread"] == [{"index": f"paris:{SOURCE}", "why": "remote cluster paris does not answer"}]
    assert after[SOURCE] > before[SOURCE] and after[f"paris:{SOURCE}"] == before[f"paris:{SOURCE}"]
