"""Fills the dashboards with what the app writes of a simulated company: definitions that need no server.

    python lab/tools/dashboards.py out/dashboards [--days 8] [--machines 30] [--seed 16]

Each search becomes a `ds.test` data source that holds its rows, so that board_pictures.py can draw the dashboard.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from layout import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from nhi_watch_lab.simulator import Spec
from splunk_app import interpreter, unpacked
from splunk_boards import NAMES, board, defaults, run
from splunk_company import now_of, played
from splunk_process import Row
from splunk_server import Server


def main(arguments: Sequence[str]) -> int:
    """Write one definition a dashboard."""
    parser = argparse.ArgumentParser(description="Fill the dashboards with a simulated company's rows.")
    parser.add_argument("out", type=Path)
    for name, value in (("--days", 8), ("--machines", 30), ("--seed", 16), ("--campaigns", 8)):
        parser.add_argument(name, type=int, default=value)
    given = parser.parse_args(arguments)
    spec = Spec(days=given.days, machines=given.machines, seed=given.seed, campaigns=given.campaigns)
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = played(unpacked(Path(folder)), interpreter("3.13"), spec)
        for name in NAMES:
            text = json.dumps(filled(server, name), ensure_ascii=False)
            (given.out / f"{name}.json").write_text(text, "utf-8")
            print(given.out / f"{name}.json")
    return 0


def filled(server: Server, name: str) -> dict[str, Any]:
    """A definition whose data sources hold their rows."""
    now, tokens = now_of(server), defaults(name)
    if "identity" in tokens:
        tokens.update(_story(server, name, tokens, now))
    rows = run(server, name, tokens, now)
    definition: dict[str, Any] = json.loads(json.dumps(board(name)))
    tables = {v["dataSources"]["primary"] for v in definition["visualizations"].values() if v["type"] == "splunk.table"}
    for source, rows_of_source in rows.items():
        data = table(rows_of_source, "%Y-%m-%d %H:%M:%S" if source in tables else "%Y-%m-%dT%H:%M:%S.000+00:00")
        definition["dataSources"][source].update(type="ds.test", options={"data": data})
    _inputs(definition, tokens)
    return definition


def _inputs(definition: dict[str, Any], tokens: dict[str, str]) -> None:
    """The inputs as they were set; without those of time, which ask a server what they may offer."""
    definition["inputs"] = {
        name: each for name, each in definition["inputs"].items() if each["type"] != "input.timerange"
    }
    definition["layout"]["globalInputs"] = list(definition["inputs"])
    for each in definition["inputs"].values():
        each["options"]["defaultValue"] = tokens[each["options"]["token"]]


def _story(server: Server, name: str, tokens: dict[str, str], now: int) -> dict[str, str]:
    """Whose story is shown: the identity with the most linked ones, then the highest score."""
    notables = run(server, name, {**tokens, "identity": "*"}, now)["notables"]
    most = max(notables, key=lambda row: (len(row["nhi_members"]), float(row["nhi_likelihood"][0])))
    return {"identity": most["nhi_identity_id"][0], "notable": most["nhi_id"][0]}


def table(rows: Sequence[Row], spelled: str = "%Y-%m-%d %H:%M") -> dict[str, Any]:
    """Rows as the framework's columns.

    >>> table([{"_time": ["60"], "a": ["x", "y"]}, {"b": ["1"]}])["columns"]
    [['1970-01-01 00:01', None], [['x', 'y'], None], [None, '1']]
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [[_cell(row, name, spelled) for row in rows] for name in names]
    return {"fields": [{"name": name} for name in names], "columns": columns}


def _cell(row: Row, name: str, spelled: str) -> Any:
    values = row.get(name) or []
    if name == "_time" and values:
        return datetime.fromtimestamp(int(float(values[0])), timezone.utc).strftime(spelled)
    return values if len(values) > 1 else values[0] if values else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
