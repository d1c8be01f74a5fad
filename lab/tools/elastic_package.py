"""Builds the integration package dist/elastic/nhi_watch-VERSION/ and its zip, which Kibana takes under Integrations.

For those who install with Fleet what `nhi elastic setup` installs otherwise: templates, dashboards and rules of the
same names; one of both, not both. Written after elastic/package-spec; tests/test_elastic_package.py says its rules.
`--schemas FOLDER` asks its published schemas of this format's version besides, where they lie in a folder: those of
an integration, `manifest.jsonschema.json` and so on.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import orjson
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from layout import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from nhi_watch import __version__
from nhi_watch.hosts.elastic import kibana, setup
from nhi_watch.report import ecs
from notable_samples import documents

Json = dict[str, Any]
NAME = "nhi_watch"
SPEC = "3.3.0"
_WHEN = "2026-03-13T00:05:00Z"
_LINK = "https://example.com/nhi_watch/CHANGELOG.md"
_CONSTANT = {"data_stream.type": "logs", "data_stream.dataset": "", "data_stream.namespace": "", "event.module": "nhi"}
_TITLES = {"alerts": "Alerts", "health": "Runs of the job"}
_DESCRIPTION = "Alerts about non-human identities that nhi_watch writes, with dashboards and rules."
_SCHEMA = re.compile(r"(manifest|changelog)\.yml|data_stream/\w+/(manifest|lifecycle|fields/fields)\.yml")
"""Files for which there is one."""
_README = f"""# Non-human identities (nhi_watch)

{_DESCRIPTION}

This package holds templates, dashboards and rules. What writes into them is `nhi elastic run`: see docs/elastic.md of
nhi_watch, of which step 2 is done when this package is installed, but for two indices: `nhi elastic setup` makes them.

{{{{event "alerts"}}}}

{{{{fields "alerts"}}}}
"""


def main(arguments: list[str]) -> int:
    """Write it and say where; 1 where a schema refuses something."""
    refused = refusals(Path(arguments[1])) if arguments[:1] == ["--schemas"] else []
    print("\n".join(refused), end="\n" * bool(refused))
    folder = build(ROOT / "dist" / "elastic")
    print(f"{folder.relative_to(ROOT)}: {sum(path.is_file() for path in folder.rglob('*'))} files; beside it its zip")
    return bool(refused)


def names(mapped: Json, path: str = "") -> dict[str, str]:
    """Field → type of all that a mapping holds.

    >>> names(setup.mapping({"mapping": {"type": "long"}, "fields": ["a.b"]}))
    {'a.b': 'long'}
    """
    result: dict[str, str] = {}
    for name, inner in mapped.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        result.update({here: inner["type"]} if "type" in inner else names(inner, here))
    return result


def refusals(schemas: Path) -> list[str]:
    """What the published schemas refuse, a line each: file, place and reason.

    Raises:
        OSError: a schema is not there.
    """
    known: Registry[Any] = Registry(retrieve=lambda uri: _schema(schemas, uri.partition("/integration/")[2]))  # type: ignore[call-arg]
    result = []
    for name in filter(_SCHEMA.fullmatch, files()):
        asked = _schema(schemas, re.sub(r"(?<=data_stream/)\w+/|yml$", "", name) + "jsonschema.json").contents
        errors = Draft202012Validator(asked, registry=known).iter_errors(yaml.safe_load(files()[name]))
        result += [f"{name}: {error.json_path}: {error.message}" for error in errors]
    return result


def _schema(folder: Path, name: str) -> Resource[Any]:
    return Resource.from_contents(orjson.loads((folder / name).read_bytes()))


def build(into: Path) -> Path:
    """Write the package below a folder, and its zip; returns its folder."""
    folder = into / f"{NAME}-{__version__}"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with ZipFile(f"{folder}.zip", "w", ZIP_DEFLATED) as packed:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            packed.write(path, path.relative_to(into))
    return folder


def files() -> dict[str, bytes]:
    """Path → content."""
    content = {
        "manifest.yml": _yaml(_manifest()),
        "changelog.yml": _yaml(_changelog()),
        "docs/README.md": _README.encode(),
        "LICENSE.txt": (ROOT / "LICENSE").read_bytes(),
    }
    for kind in _TITLES:
        content.update(_stream(kind))
    for each in kibana.saved_objects():
        renamed = _renamed(each)
        kind = renamed["type"].replace("-", "_")
        content[f"kibana/{kind}/{renamed['id']}.json"] = _json(renamed)
    for rule in kibana.rules():
        name = f"{rule['rule_id']}_{rule['version']}"
        content[f"kibana/security_rule/{name}.json"] = _json({"id": name, "type": "security-rule", "attributes": rule})
    return content


def _manifest() -> Json:
    return {
        "format_version": SPEC,
        "name": NAME,
        "title": "Non-human identities (nhi_watch)",
        "version": __version__.partition(".dev")[0],
        "description": _DESCRIPTION,
        "type": "integration",
        "source": {"license": "Apache-2.0"},
        "categories": ["security", "credential_management", "advanced_analytics_ueba"],
        "conditions": {
            "kibana": {"version": "^8.19.0 || ^9.0.0"},
            "elastic": {"subscription": "basic", "capabilities": ["security"]},
        },
        "owner": {"github": "nhi-watch/nhi_watch", "type": "community"},
    }


def _changelog() -> list[Json]:
    change = {"description": "Templates, dashboards and rules.", "type": "enhancement", "link": _LINK}
    return [{"version": _manifest()["version"], "changes": [change]}]


def _stream(kind: str) -> dict[str, bytes]:
    dataset, folder = f"nhi.{kind}", f"data_stream/{kind}"
    mapping, sample = setup.mappings()[f"logs-{dataset}"], _sample(kind)
    resolved = {"index_template": {"mappings": {"dynamic": False}}}
    lifecycle = setup.component_templates()[f"logs-{dataset}@settings"]["template"]["lifecycle"]
    stream = {
        f"{folder}/manifest.yml": _yaml(
            {"title": _TITLES[kind], "type": "logs", "dataset": dataset, "elasticsearch": resolved}
        ),
        f"{folder}/fields/fields.yml": _yaml(_fields(mapping, dataset)),
        f"{folder}/lifecycle.yml": _yaml(lifecycle),
    }
    return {**stream, f"{folder}/sample_event.json": _json(sample)} if sample else stream


def _fields(mapping: Json, dataset: str) -> list[Json]:
    constant = {**_CONSTANT, "data_stream.dataset": dataset, "event.dataset": dataset}
    fields: list[Json] = []
    for name, kind in sorted(names(mapping).items()):
        if name in constant:
            value = {"value": constant[name]} if constant[name] else {}
            fields.append({"name": name, "type": "constant_keyword", "description": _described(name), **value})
        else:
            fields.append({"name": name, "type": kind, "description": _described(name)})
    return fields


def _described(name: str) -> str:
    return f"{name.replace('.', ' ').replace('_', ' ').strip('@').capitalize()}."


def _sample(kind: str) -> Json:
    return ecs.alert(documents()[0], created=_WHEN) if kind == "alerts" else {}


def _renamed(each: Json) -> Json:
    """Ids of a package's objects begin with its name."""
    references = [{**reference, "id": _own(reference["id"])} for reference in each["references"]]
    return {**each, "id": _own(each["id"]), "references": references}


def _own(name: str) -> str:
    return f"{NAME}-{name.removeprefix('nhi-')}"


def _yaml(content: Any) -> bytes:
    return yaml.safe_dump(content, sort_keys=False, width=118).encode()


def _json(content: Json) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
