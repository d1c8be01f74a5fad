"""Fixtures and groups of all tests. What ships to Splunk is tested on bare interpreters too, which lack the client."""

import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("NHI_USED_APPROVALS_FILE", str(Path(tempfile.mkdtemp(prefix="nhi-")) / "used"))

GROUPS = {
    "servers": ("test_elastic_", "test_brief_real", "test_report", "test_splunk_dashboards"),
    "packaging": (
        "test_package", "test_splunk_", "test_training", "test_other_worlds", "test_worlds", "test_simulator",
        "test_open_rules", "test_posture_truth", "test_promises", "test_outputs", "test_products", "test_injection",
        "test_sources_measured", "test_ocsf", "test_not_read", "test_sqlite", "test_attacker", "test_flooding",
        "test_fuzz", "test_response_properties", "test_walk",
    ),
}  # fmt: skip
"""Group → how the names of its files begin: `servers` starts real servers and browsers, `packaging` builds the app,
models or worlds, or takes long; all others are `fast`. The first that fits counts."""
ORDER = (*GROUPS, "fast")
"""In which the groups are run: what takes long begins first, so that no worker is left with it at the end."""


def group_of(file: str) -> str:
    """The group of a test file.

    >>> group_of("test_splunk_dashboards.py"), group_of("test_splunk_parts.py"), group_of("test_links.py")
    ('servers', 'packaging', 'fast')
    """
    return next((name for name, starts in GROUPS.items() if file.startswith(starts)), "fast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its group, and put the groups in order."""
    for item in items:
        item.add_marker(group_of(item.path.name))
    items.sort(key=lambda item: ORDER.index(group_of(item.path.name)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests go to one worker, so do all on an older Elasticsearch: it is started once."""
    from xdist.scheduler import LoadFileScheduling

    from elastic_server import NEWEST, VERSIONS

    scheduler = LoadFileScheduling(config, log)
    file_of, older = scheduler._split_scope, [version for version in VERSIONS if version != NEWEST]
    scheduler._split_scope = lambda node: next((old for old in older if old in node), file_of(node))
    return scheduler


WORKING_FOLDER = Path.cwd()


def _default_state() -> tuple[float, int]:
    """When the state that commands use by default was written, and its size; zeros: there is none."""
    path = WORKING_FOLDER / "nhi-out" / "state.sqlite"
    return (path.stat().st_mtime, path.stat().st_size) if path.exists() else (0.0, 0)


@pytest.fixture(autouse=True)
def _leaves_the_default_state_alone() -> Iterator[None]:
    """A test that names no folder of results would write into its user's state."""
    before = _default_state()
    yield
    assert _default_state() == before, f"this test, or one beside it, wrote {WORKING_FOLDER}/nhi-out/state.sqlite"


if find_spec("hypothesis"):
    from hypothesis import settings

    # a busy machine may pause a test for longer than any deadline
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")

if find_spec("elasticsearch"):
    from elastic_server import elastic, elastic_nodes, elastic_version, pytest_generate_tests

    __all__ = ["elastic", "elastic_nodes", "elastic_version", "pytest_generate_tests"]
