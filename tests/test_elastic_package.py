"""The integration package keeps the rules of elastic/package-spec 3.3, which are said again here in short."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "lab" / "tools"))

import elastic_package  # noqa: E402
from test_outputs import leaves  # noqa: E402

FILES = elastic_package.files()
TOP = {"manifest.yml", "changelog.yml", "LICENSE.txt", "docs", "data_stream", "kibana"}
MANIFEST = {
    "format_version",
    "name",
    "title",
    "version",
    "description",
    "type",
    "source",
    "categories",
    "conditions",
    "owner",
}
CATEGORIES = {"advanced_analytics_ueba", "cloud", "credential_management", "iam", "security"}
"""Those of the list that could be ours."""
VERSION = r"\d+\.\d+\.\d+(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
FIELD = re.compile(r"[\-*_/@A-Za-z0-9]+(\.[\-*_/@A-Za-z0-9]+)*")
TYPES = {"constant_keyword", "keyword", "date", "float", "long", "ip", "boolean", "text", "match_only_text", "wildcard"}
REQUIRED = {
    "data_stream.type": "constant_keyword",
    "data_stream.dataset": "constant_keyword",
    "data_stream.namespace": "constant_keyword",
    "@timestamp": "date",
}
KIBANA = {"dashboard", "visualization", "search", "index_pattern", "security_rule"}
STREAMS = sorted({name.split("/")[1] for name in FILES if name.startswith("data_stream/")})


def read(name: str) -> Any:
    return orjson.loads(FILES[name]) if name.endswith(".json") else yaml.safe_load(FILES[name])


def test_only_known_files_are_in_it_and_the_required_ones_are() -> None:
    assert {name.split("/")[0] for name in FILES} == TOP
    assert "docs/README.md" in FILES
    for name in FILES:
        assert re.fullmatch(
            r"[\w.]+|docs/README\.md|kibana/\w+/[\w-]+\.json"
            r"|data_stream/[a-z0-9][a-z0-9_]+[a-z0-9]/(manifest\.yml|lifecycle\.yml|sample_event\.json|fields/\w+\.yml)",
            name,
        ), name


def test_the_manifest_is_closed_and_the_changelog_begins_with_its_version() -> None:
    text = read("manifest.yml")
    assert set(text) == MANIFEST and text["type"] == "integration"
    assert re.fullmatch(r"[a-z0-9_]+", text["name"]) and set(text["categories"]) <= CATEGORIES
    assert re.fullmatch(VERSION, text["version"]) and re.fullmatch(VERSION, text["format_version"])
    assert set(text["owner"]) == {"github", "type"} and re.fullmatch(r"[\w-]+/[\w-]+", text["owner"]["github"])
    assert text["conditions"]["elastic"]["subscription"] == "basic"
    newest = read("changelog.yml")[0]
    assert newest["version"] == text["version"]
    for change in newest["changes"]:
        assert set(change) == {"description", "type", "link"}
        assert change["type"] in ("breaking-change", "bugfix", "enhancement", "deprecation")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_declares_each_field_once_and_all_that_are_required(stream: str) -> None:
    text = read(f"data_stream/{stream}/manifest.yml")
    assert set(text) == {"title", "type", "dataset", "elasticsearch"} and text["type"] == "logs"
    assert text["elasticsearch"] == {"index_template": {"mappings": {"dynamic": False}}}
    assert re.fullmatch(r"\d+d", read(f"data_stream/{stream}/lifecycle.yml")["data_retention"])
    listed = read(f"data_stream/{stream}/fields/fields.yml")
    kinds = {field["name"]: field["type"] for field in listed}
    assert len(kinds) == len(listed) < 2048
    for field in listed:
        assert set(field) <= {"name", "type", "description", "value"} and FIELD.fullmatch(field["name"])
        assert field["type"] in TYPES
    assert REQUIRED.items() <= kinds.items()


@pytest.mark.parametrize("stream", [name for name in STREAMS if f"data_stream/{name}/sample_event.json" in FILES])
def test_a_sample_event_has_no_field_that_is_not_declared(stream: str) -> None:
    sample = read(f"data_stream/{stream}/sample_event.json")
    listed = {field["name"]: field for field in read(f"data_stream/{stream}/fields/fields.yml")}
    known = {name for name, _ in leaves(sample)}
    assert {name for name in known - set(listed) if not name.startswith("nhi.notable.")} == set()
    flat = dict(leaves(sample))
    assert all(flat.get(name, each.get("value")) == each.get("value", flat.get(name)) for name, each in listed.items())


def test_objects_are_named_as_the_package_and_refer_to_each_other_only() -> None:
    objects = {name: read(name) for name in FILES if name.startswith("kibana/")}
    assert {name.split("/")[1] for name in objects} == KIBANA
    names = {(saved["type"], saved["id"]) for saved in objects.values()}
    for name, text in objects.items():
        _, kind, file = name.split("/")
        assert text["id"] == file.removesuffix(".json") and text["type"].replace("-", "_") == kind
        assert kind == "security_rule" or text["id"].startswith("nhi_watch-")
        assert {(each["type"], each["id"]) for each in text.get("references", ())} <= names
