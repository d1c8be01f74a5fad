"""Reads the app's configuration, and searches in it: macros expanded, cut at their pipes."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from layout import ROOT
from splunk_eval import Scope, expression, spelled

_MACRO = re.compile(r"`(\w+)`")
_COMMENT = re.compile(r"```.*?```", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]|]|[^"\[\]|]+')


@lru_cache
def conf(name: str) -> configparser.RawConfigParser:
    """A file of default/."""
    parser = configparser.RawConfigParser(strict=True, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    text = (ROOT / "default" / name).read_text("utf-8").replace("\\\n", " ")
    parser.read_string(text)
    return parser


def expand(text: str, overrides: Mapping[str, str] = MappingProxyType({}), now: int = 0) -> str:
    """A search without macros and comments; `overrides` are what lies in local/macros.conf.

    >>> expand("`nhi_behaviours` | nhigroup ```one row an identity```")
    'index=nhi_summary source=nhi_behaviour | nhigroup '
    """
    text = _COMMENT.sub("", text)
    while _MACRO.search(text):
        text = _MACRO.sub(lambda match: overrides.get(match[1]) or _definition(match[1], now), text)
    return text


OF_OTHERS = {"notable": "search index=notable"}
"""Macros of other apps, of which tests say what they find: Enterprise Security's adds status and disposition."""


def _definition(name: str, now: int) -> str:
    if name in OF_OTHERS:
        return OF_OTHERS[name]
    stanza = conf("macros.conf")[name]
    if stanza["iseval"] == "0":
        return stanza["definition"]
    return spelled(expression(stanza["definition"])(Scope({}, now)))[0]


def stages(text: str) -> list[str]:
    """A search cut at the pipes that are in neither quotes nor brackets.

    >>> stages('| tstats count | append [search a | head 1] | where x="|"')
    ['tstats count', 'append [search a | head 1]', 'where x="|"']
    """
    result, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += {"[": 1, "]": -1}.get(token, 0)
        if token == "|" and not depth:
            result.append("")
        else:
            result[-1] += token
    return [stage.strip() for stage in result if stage.strip()]
