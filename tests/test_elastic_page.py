"""The page by the letter: a real server with security and TLS of its own, set up and run as docs/elastic.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from elasticsearch import Elasticsearch

from ecs_shape import document, load
from elastic_secured import PASSWORD, USER, SecuredNode, key, wait
from elastic_server import NEWEST, ROOT, VERSIONS, environment, java_for, started
from need import need
from nhi_watch.core.timestamps import render
from test_elastic_keys import ADMIN
from test_elastic_run import simulated

SOURCE = "logs-aws.cloudtrail-two"


class Near(NamedTuple):
    """The cluster, and the authority that signed its certificate."""

    admin: Elasticsearch
    url: str
    ca: Path


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Near]:
    need(java_for(NEWEST), f"Elasticsearch {NEWEST} needs Java {VERSIONS[NEWEST]} or newer")
    authority, ca = trustme.CA(), tmp_path_factory.mktemp("authorities") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    node = SecuredNode(NEWEST, tmp_path_factory.mktemp("near"))
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    node.speak_tls(certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes())
    try:
        url = node.start().replace("127.0.0.1", "localhost")
        with Elasticsearch(url, basic_auth=(USER, PASSWORD), request_timeout=60, ca_certs=str(ca)) as here:
            wait(here)
            yield Near(here, url, ca)
    finally:
        node.remove()


def test_steps_two_to_four_of_the_page_run_as_they_stand_there(near: Near, tmp_path: Path) -> None:
    """Letter by letter, but for the address, the administrator's password, and Kibana, which is left out."""
    need(shutil.which("curl"), "needs curl")
    load(near.admin, SOURCE, (document(r, False, render(int(time.time()) - 300)) for r in simulated()[:70]))
    page = (ROOT / "docs" / "elastic.md").read_text("utf-8").partition("## 2. ")[2].partition("## What is written")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    changes = {
        "https://es.example.com:9200": near.url,
        "-u elastic": f"-u {USER}:{PASSWORD}",
        " NHI_KIBANA_URL=https://kibana.example.com:5601": "",
    }
    for there, here in changes.items():
        assert there in script
        script = script.replace(there, here)
    program = tmp_path / ".venv" / "bin" / "nhi"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m nhi_watch.cli "$@"\n')
    program.chmod(0o755)
    shutil.copy(near.ca, tmp_path / "ca.pem")
    (tmp_path / "admin.key").write_text(key(near.admin, {"name": "admin", "role_descriptors": {"admin": ADMIN}}))
    command = ["bash", "-euc", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert re.search(r"Read [1-9]\d* documents", done.stdout), done.stdout
    plain = started("setup", "--url", near.url.replace("https", "http"), "--dry-run")
    assert (plain.returncode, plain.stderr.count("\n")) == (2, 1), plain.stderr
