"""The dashboards of default/: their definitions, their tokens, and their searches as the stand-in runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from layout import ROOT
from splunk_peers import Window
from splunk_process import Row
from splunk_server import Server, moment

VIEWS = ROOT / "default" / "data" / "ui" / "views"
SETUP = "nhi_setup"
"""The one page in simple XML."""
NAMES = sorted(path.stem for path in VIEWS.glob("*.xml") if path.stem != SETUP)
TOKEN = re.compile(r"\$([\w.]+)(?:\|(\w))?\$")
Definition = dict[str, Any]


@lru_cache
def root(name: str) -> ElementTree.Element:
    """The view's XML."""
    return ElementTree.fromstring((VIEWS / f"{name}.xml").read_text("utf-8"))


@lru_cache
def board(name: str) -> Definition:
    """The definition inside a view."""
    return dict(json.loads(root(name).findtext("definition") or ""))


def queries(name: str) -> Iterator[tuple[str, str]]:
    """Data source → its search; a chained one follows what it extends."""
    sources = board(name)["dataSources"]
    for source, told in sources.items():
        options = told["options"]
        base = f"{sources[options['extend']]['options']['query']} | " if "extend" in options else ""
        yield source, base + options["query"]


def defaults(name: str) -> dict[str, str]:
    """Token → the value with which the dashboard opens."""
    found = {}
    for told in board(name)["inputs"].values():
        token, value = told["options"]["token"], told["options"].get("defaultValue", "")
        if told["type"] == "input.timerange":
            found[f"{token}.earliest"], found[f"{token}.latest"] = value.split(",")
        else:
            found[token] = value
    return found


def filled(text: str, tokens: Mapping[str, str]) -> str:
    """A search with its tokens filled in; |s puts quotes around a value, and escapes what would end them.

    >>> filled("a=$x|s$ b=$y$", {"x": 'q"', "y": "1"})
    'a="q\\\\"" b=1'
    """

    def value(match: re.Match[str]) -> str:
        told = tokens[match[1]]
        return '"' + told.replace("\\", "\\\\").replace('"', '\\"') + '"' if match[2] == "s" else told

    return TOKEN.sub(value, text)


def run(server: Server, name: str, tokens: Mapping[str, str], now: int) -> dict[str, list[Row]]:
    """Data source → its rows, of all searches of a dashboard."""
    sources, found = board(name)["dataSources"], {}
    windows: dict[str, Window] = {}
    for source, told in sources.items():
        if told["type"] == "ds.search":
            times = {end: filled(text, tokens) for end, text in told["options"]["queryParameters"].items()}
            windows[source] = Window(moment(times["earliest"], now), moment(times["latest"], now) + 1)
            found[source] = server.search(filled(told["options"]["query"], tokens), windows[source], now)
    for source, told in sources.items():
        if told["type"] == "ds.chain":
            base, query = told["options"]["extend"], filled(told["options"]["query"], tokens)
            found[source] = server.go_on(query, found[base], (windows[base], now))
    return found
