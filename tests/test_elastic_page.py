"""The page by the letter: a real server with security and TLS of its own, set up and run as docs/elastic.md says."""

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
from elastic_secured import PASSWORD, USER, SecuredNode, key, wait
from elastic_server import VERSIONS, java_for
from need import need
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic import setup
from test_elastic_keys import ADMIN
from test_elastic_run import ROOT, simulated

NEWEST = max(VERSIONS, key=lambda version: int(version.partition(".")[0]))
HERE = simulated()[:60]
SOURCE = "logs-aws.cloudtrail-two"


class Near(NamedTuple):
    """The cluster, the authority that signed its certificate, and one that did not."""

    admin: Elasticsearch
    url: str
    ca: Path
    other_ca: Path


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Near]:
    need(java_for(NEWEST), f"Elasticsearch {NEWEST} needs Java {VERSIONS[NEWEST]} or newer")
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("authorities")
    for name, each in (("ca.pem", authority), ("other.pem", trustme.CA())):
        each.cert_pem.write_to_path(str(folder / name))
    node = SecuredNode(NEWEST, tmp_path_factory.mktemp("near"))
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    node.speak_tls(certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes())
    try:
        url = node.start().replace("127.0.0.1", "localhost")
        with Elasticsearch(
            url, basic_auth=(USER, PASSWORD), request_timeout=60, ca_certs=str(folder / "ca.pem")
        ) as here:
            wait(here)
            fill(here, HERE)
            yield Near(here, url, folder / "ca.pem", folder / "other.pem")
    finally:
        node.remove()


def fill(admin: Elasticsearch, records: Any) -> None:
    when = render(int(time.time()) - 60)
    load(admin, SOURCE, (document(record, False, when) for record in records))


def nhi(near: Near, api_key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("NHI_")}
    told |= {"NHI_ELASTIC_API_KEY": api_key, "NHI_ELASTIC_URL": near.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=told)


def test_elasticsearchs_own_tls_is_trusted_by_its_authority_only(near: Near) -> None:
    namespace = f"tls{time.time_ns()}"
    setup.setup(near.admin, namespace)
    run_key = key(near.admin, setup.api_key_request(namespace, SOURCE))
    flags = ["run", "--namespace", namespace, "--index", SOURCE, "--since", "2025-01-01T00:00:00Z", "--lag", "0"]
    for trusted in ([], ["--ca", str(near.other_ca)], ["--fingerprint", "0" * 64]):
        done = nhi(near, run_key, *flags, *trusted)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith(f"nhi: cannot reach {near.url}: ")
        assert "check --ca or --fingerprint" in done.stderr and run_key not in done.stderr
    done = nhi(near, run_key, *flags, "--ca", str(near.ca), "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["events"] == len(HERE)
    plain = nhi(near._replace(url=near.url.replace("https", "http")), run_key, *flags)
    assert plain.returncode == 2 and plain.stderr.count("\n") == 1, plain.stderr


def test_steps_two_to_four_of_the_page_run_as_they_stand_there(near: Near, tmp_path: Path) -> None:
    """Letter by letter, but for the address, the administrator's password, and Kibana, which is left out."""
    need(shutil.which("curl"), "needs curl")
    load(near.admin, SOURCE, (document(r, False, render(int(time.time()) - 300)) for r in simulated()[120:130]))
    page = (ROOT / "docs" / "elastic.md").read_text("utf-8").partition("## 2. ")[2].partition("## What is written")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    changes = {"https://es.example.com:9200": near.url, "-u elastic": f"-u {USER}:{PASSWORD}",
               " NHI_KIBANA_URL=https://kibana.example.com:5601": ""}  # fmt: skip
    for there, here in changes.items():
        assert there in script
        script = script.replace(there, here)
    program = tmp_path / ".venv" / "bin" / "nhi"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m nhi_watch.cli "$@"\n')
    program.chmod(0o755)
    shutil.copy(near.ca, tmp_path / "ca.pem")
    (tmp_path / "admin.key").write_text(key(near.admin, {"name": "admin", "role_descriptors": {"admin": ADMIN}}))
    told = {name: value for name, value in os.environ.items() if not name.startswith("NHI_")}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert re.search(r"Read [1-9]\d* documents", done.stdout), done.stdout
