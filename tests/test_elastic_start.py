"""What a process of `nhi elastic run` imports: it is started every few minutes."""

from __future__ import annotations

import subprocess
import sys

import elasticsearch
import pytest

UNUSED = (f"{elasticsearch.__name__}._async.client", "httpx", "jinja2", "numpy", "pyarrow")


def imported(code: str) -> str:
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", UNUSED)
def test_a_run_does_not_import_what_it_never_uses(module: str) -> None:
    code = "import sys, nhi_watch.hosts.elastic.commands, elasticsearch as e; print(e.__file__, {!r} in sys.modules)"
    where, modules = imported(code.format(module)).rsplit(" ", 1)
    assert where.endswith("__init__.py") and modules == "False"


def test_a_program_that_uses_the_job_as_a_library_still_has_all_of_the_client() -> None:
    code = """
import nhi_watch.hosts.elastic.run
import httpx
from elasticsearch import AsyncElasticsearch, Elasticsearch, helpers
import elasticsearch
assert hasattr(AsyncElasticsearch, "search") and not hasattr(elasticsearch, "nothing")
print(httpx.__name__)
"""
    assert imported(code) == "httpx"


def test_a_client_that_was_imported_before_stays_as_it_is() -> None:
    code = """
import elasticsearch
before = elasticsearch.AsyncElasticsearch
import nhi_watch.hosts.elastic.run
print(elasticsearch.AsyncElasticsearch is before)
"""
    assert imported(code) == "True"
