"""The stand-in is as strict as Splunk: what it lets pass that Splunk refuses hides a fault of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.splunk.fields import SOURCETYPE
from splunk_eval import EvalError, Scope, expression
from splunk_grammar import check
from splunk_peers import Fault, Window
from splunk_process import Row
from splunk_roles import role
from splunk_search import matcher
from splunk_server import APPENDED, CUTOFF, MAXCHARS, Server, _extracted

ROW: Row = {"nhi_kind": ["blind_spot"], "n": ["40"], "many": ["a", "B"]}
ALWAYS = Window(0, 1 << 40)


def where(text: str) -> object:
    return expression(text)(Scope(ROW, 1_000_000))


WHERE = {
    "a wildcard is a star": ('nhi_kind="blind*"', False),
    "letters' case counts": ('nhi_kind="Blind_Spot"', False),
    "a bare word is a field": ("nhi_kind=blind_spot", None),
    "numbers are compared as numbers": ("n >= 5", True),
    "what is missing is neither": ("missing < 5", None),
    "like has its own wildcards": ('like(nhi_kind, "blind%")', True),
    "and before or": ('nhi_kind="x" AND n=1 OR n=40', True),
}


@pytest.mark.parametrize(("text", "result"), WHERE.values(), ids=WHERE)
def test_where_evaluates_an_expression(text: str, result: object) -> None:
    assert where(text) is result


SEARCH = {
    "a star is a wildcard": ('nhi_kind="blind*"', True),
    "letters' case does not count": ('nhi_kind="BLIND_spot"', True),
    "a bare word is a value": ("nhi_kind=blind_spot", True),
    "any of many values fits": ("many=b", True),
    "not equal needs a value": ("missing!=1", False),
    "NOT does not": ("NOT missing=1", True),
}


@pytest.mark.parametrize(("text", "result"), SEARCH.values(), ids=SEARCH)
def test_search_looks_for_values(text: str, result: bool) -> None:
    assert matcher(text)(ROW) is result


@pytest.mark.parametrize("text", ["len(nhi_id) > 0", "a=1 b=2 OR c=3", "a=1 earliest=-1h"])
def test_a_condition_that_search_reads_otherwise_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        matcher(text)


WRONG = [
    "index=a | collect index=b adinfo=false", "index=a | outputlookup overide_if_empty=false x.csv",
    "index=a | tstats count",
    "index=a | inputlookup nhi_feedback", "index=a | head limit 5", "index=a | sort - n", "index=a | table",
    "index=a | append search index=b", "| tstats count where nhi_id=1 by _time span=1h", "index=a | frobnicate",
    "(index=a earliest=-1d) OR index=b", "index=a earliest=yesterday", "index=a | stats count BY",
    "index=a | dedup 5keep=1 x", "index=a | where nhi_kind IN (", "index=a | append maxtme=5 [search index=b]",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_the_reference_does_not_have_is_refused(text: str) -> None:
    with pytest.raises((AssertionError, EvalError, IndexError)):
        check(text)


def test_fields_of_a_long_event_are_looked_for_where_splunk_does() -> None:
    pairs = f'a="1", b="{"x" * MAXCHARS}", c="2"'
    row = {"_raw": [pairs], "sourcetype": ["stash"]}
    assert set(_extracted(row)) == {"a", "_raw", "sourcetype"}
    text = json.dumps({"a": "1", "b": ["y", "x" * CUTOFF], "c": "2"})
    assert set(_extracted({"_raw": [text], "sourcetype": ["nhi:notable"]})) & {"a", "b{}", "c"} == {"a", "b{}"}


# ---- peers, limits, permissions


def filled_server(tmp_path: Path, peers: int = 4) -> Server:
    server = Server(tmp_path, peers=peers)
    for number in range(12):
        server.index([(100 + number, {"number": number})], "x")
    return server


def test_an_appended_search_ends_after_its_time_and_its_rows(tmp_path: Path) -> None:
    server = filled_server(tmp_path)
    server.faults = [Fault(1, "late")]
    assert len(server.search("index=nothing | append [search index=main]", ALWAYS, 10_000)) == 9
    server.faults = []
    server.events *= 1000
    assert len(server.search("index=nothing | append [search index=main]", ALWAYS, 10_000)) == APPENDED


def test_a_scheduled_search_fails_where_a_peer_does_and_writes_nothing(tmp_path: Path) -> None:
    server = filled_server(tmp_path)
    server.faults = [Fault(2, "down")]
    assert server.scheduled("NHI Watch - Group Events", DAY) == []
    assert server.failed == ["NHI Watch - Group Events"] and not [r for r in server.events if r["index"] != ["main"]]


def test_an_analyst_sees_notables_and_behaviours_and_gives_verdicts_and_no_more(tmp_path: Path) -> None:
    server = filled_server(tmp_path)
    server.notable('{"time": "1970-01-02T00:00:00Z", "nhi_id": "x"}', DAY)
    server.role = role("nhi_analyst")
    assert server.search("index=main", ALWAYS, DAY) == []
    assert len(server.search(f'index=nhi_risk sourcetype="{SOURCETYPE}"', ALWAYS, DAY)) == 1
    server.search('| makeresults | eval _key="1" | outputlookup append=true key_field=_key nhi_feedback', ALWAYS, DAY)
    with pytest.raises(AssertionError, match="may not write nhi_notables"):
        server.search('| makeresults | eval _key="1" | outputlookup override_if_empty=false nhi_notables', ALWAYS, DAY)
