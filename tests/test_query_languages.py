"""Searches that people copy are parsed by their languages' grammars: Elasticsearch's own for ES|QL, Kibana's for KQL.

SPL is checked in test_originals, where jq is run. No server here has the ES|QL module, so nothing is executed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from need import need
from nhi_watch.hosts.elastic import kibana
from nhi_watch.report.queries import queries
from notable_samples import altered, documents

PACKAGES = (
    "antlr4-python3-runtime==4.13.1",
    "esql-parser==9.1.3",
    "genutility==0.0.123",
    "kibana-ql==0.2",
    "parsimonious==0.11.0",
    "regex==2026.11.19",
    "typing-extensions==4.16.0",
)
"""esql-parser is made of Elasticsearch's grammar (Elastic License 2.0): fetched once a machine, never part of this."""
Check = Callable[[str], Any]
HOSTILE = ['a"b', "c\\d", "e'f", "g:response", "$(id)", "`x`", "a\nb", "OR", "*"]


@pytest.fixture(scope="module")
def grammars() -> Path:
    version = ".".join(map(str, sys.version_info[:2]))
    cache = Path(tempfile.gettempdir()) / f"nhi_watch-grammars-{version}"
    if not (cache / "done").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(cache), *PACKAGES]
        done = subprocess.run(command, capture_output=True, check=False)
        need(done.returncode == 0, f"needs {', '.join(PACKAGES)} from PyPI")
        (cache / "done").touch()
    return cache


@pytest.fixture
def esql(grammars: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Text → what is wrong with it."""
    monkeypatch.syspath_prepend(str(grammars))
    antlr, listening = import_module("antlr4"), import_module("antlr4.error.ErrorListener")
    lexing, parsing = (import_module(f"esql_parser.EsqlBase{part}") for part in ("Lexer", "Parser"))

    def check(text: str) -> list[str]:
        wrong: list[str] = []
        errors = listening.ErrorListener()
        errors.syntaxError = lambda _, symbol, line, column, message, error: wrong.append(message)
        lexer = lexing.EsqlBaseLexer(antlr.InputStream(text))
        parser = parsing.EsqlBaseParser(antlr.CommonTokenStream(lexer))
        for each in (lexer, parser):
            each.removeErrorListeners()
            each.addErrorListener(errors)
        parser.singleStatement()
        return wrong

    return check


@pytest.fixture
def kql(grammars: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Text → its tree; raises where it is none."""
    monkeypatch.syspath_prepend(str(grammars))
    parser = import_module("kibana_ql").KqlParser()
    return lambda text: parser.ast(parser.parse(text))


def spelled(language: str) -> list[str]:
    """The searches of a notable with records of awkward names."""
    notable = altered({**documents()[0], "record_ids": HOSTILE})
    return [by_language[language] for _, by_language in queries(notable, [{"raw": " ".join(HOSTILE)}])]


def test_what_people_copy_as_esql_is_esql(esql: Check) -> None:
    assert esql("FROM logs | WHERE x ==") and not esql("FROM logs | WHERE x == 1"), "the grammar tells"
    searches = spelled("ES|QL")
    assert len(searches) == 2 and [esql(text) for text in searches] == [[], []]


def test_what_people_copy_as_kql_is_kql_and_keeps_the_names(kql: Check) -> None:
    records, meanwhile = spelled("KQL")
    quoted = re.findall(r"'value': (?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", str(kql(records)))
    values = {(item or other).encode().decode("unicode_escape") for item, other in quoted}
    assert {'a"b', "c\\d", "e'f", "g:response"} <= values and kql(meanwhile)


@pytest.mark.parametrize("rule", kibana.rules(), ids=lambda rule: rule["name"])
def test_rules_and_their_hunts_are_what_they_say(rule: Any, esql: Check, kql: Check) -> None:
    texts = re.findall(r"```\n(.*?)```", rule["note"], re.DOTALL)
    texts += [rule["query"]] if rule["language"] == "esql" else []
    assert [wrong for text in texts for wrong in esql(text)] == []
    assert rule["language"] == "esql" or kql(rule["query"])


def test_panels_ask_in_kql(kql: Check) -> None:
    searches = re.findall(r'"query\\*": *\\*"((?:[^"\\]|\\.)+?)\\*"', kibana.ndjson(kibana.saved_objects()).decode())
    asked = {text for text in searches if text.startswith("nhi.")}
    assert len(asked) >= 2 and all(kql(text) for text in asked)
