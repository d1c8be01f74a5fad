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
    for source, text in sources.items():
        options = text["options"]
        base = f"{sources[options['extend']]['options']['query']} | " if "extend" in options else ""
        yield source, base + options["query"]


def defaults(name: str) -> dict[str, str]:
    """Token → the value with which the dashboard opens."""
    result = {}
    for control in board(name)["inputs"].values():
        token, value = control["options"]["token"], control["options"].get("defaultValue", "")
        if control["type"] == "input.timerange":
            result[f"{token}.earliest"], result[f"{token}.latest"] = value.split(",")
        else:
            result[token] = value
    return result


def filled(text: str, tokens: Mapping[str, str]) -> str:
    """A search with its tokens filled in; |s puts quotes around a value, and escapes what would end them.

    >>> filled("a=$x|s$ b=$y$", {"x": 'q"', "y": "1"})
    'a="q\\\\"" b=1'
    """

    def value(match: re.Match[str]) -> str:
        text = tokens[match[1]]
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if match[2] == "s" else text

    return TOKEN.sub(value, text)


def run(server: Server, name: str, tokens: Mapping[str, str], now: int) -> dict[str, list[Row]]:
    """Data source → its rows, of all searches of a dashboard."""
    sources, result = board(name)["dataSources"], {}
    windows: dict[str, Window] = {}
    for source, text in sources.items():
        if text["type"] == "ds.search":
            times = {end: filled(text, tokens) for end, text in text["options"]["queryParameters"].items()}
            windows[source] = Window(moment(times["earliest"], now), moment(times["latest"], now) + 1)
            result[source] = server.search(filled(text["options"]["query"], tokens), windows[source], now)
    for source, text in sources.items():
        if text["type"] == "ds.chain":
            base, query = text["options"]["extend"], filled(text["options"]["query"], tokens)
            result[source] = server.go_on(query, result[base], (windows[base], now))
    return result
