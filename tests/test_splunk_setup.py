"""From nothing to the first notable: the sample, and the steps of the page Set up."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

import vendor
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.hosts.splunk import steps
from nhi_watch.hosts.splunk.notables import in_event
from splunk_app import interpreter, unpacked
from splunk_boards import SETUP, VIEWS, defaults
from splunk_boards import run as run_board
from splunk_conf import conf, expand
from splunk_grammar import check
from splunk_peers import Window
from splunk_process import Answer, CommandError, Session, run
from splunk_search import matcher
from splunk_server import Server

NOW = 1_800_000_000


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_the_sample_comes_as_notables_of_today_on_both_of_splunk_s_pythons(tmp_path: Path, version: str) -> None:
    answer: Answer = run(interpreter(version), unpacked(tmp_path) / "bin" / "nhidemo.py", "", [], (0, NOW))
    now = int(time.time())
    assert len(answer.rows) >= 10 and answer.info["generating"] is True
    assert {row["nhi_kind"][0] for row in answer.rows} >= {"compromise", "posture"}
    events = [json.loads(row["_raw"][0]) for row in answer.rows]
    for row, event in zip(answer.rows, events):
        assert in_event(row["_raw"][0])["id"] == row["nhi_id"][0]
        assert event["nhi_likelihood"] == row["nhi_likelihood"][0] and "nhi_score" not in event
        assert parse(event["nhi_notable"]["first_time"]) <= parse(event["nhi_notable"]["last_time"]) <= now
    assert now - 2 * HOUR <= max(parse(event["time"]) for event in events) <= now - HOUR


COLLECT = 'collect index=nhi_risk sourcetype="nhi:notable" source=nhi_demo addinfo=false'


def test_no_search_but_those_of_dashboards_reads_the_sample_and_it_can_be_hidden(tmp_path: Path) -> None:
    server = Server(unpacked(tmp_path), interpreter("3.13"))
    server.search(f"| nhidemo | {COLLECT}", Window(0, NOW), NOW)
    assert server.search("`nhi_written`", Window(0, 1 << 40), NOW) == []
    server.search(steps.SHOWN, Window(0, NOW), NOW)
    listed = server.search("| inputlookup nhi_notables | `nhi_in_time`", Window(0, 1 << 40), NOW)
    assert len(listed) >= 10 and max(len(row["nhi_signals"]) for row in listed) > 1
    mine = {name: [""] for name in listed[0]} | {"nhi_id": ["mine"], "_key": ["mine"]}
    mine.pop("nhi_sample")
    server.collections["nhi_notables"].append(mine)
    server.search(steps.HIDDEN, Window(0, NOW), NOW)
    assert [row["nhi_id"] for row in server.collections["nhi_notables"]] == [["mine"]]


def test_a_new_user_sees_the_sample_as_the_page_says_and_one_click_further_its_story(tmp_path: Path) -> None:
    server = Server(unpacked(tmp_path), interpreter("3.13"))
    now = int(time.time())
    server.search(f"| nhidemo | {COLLECT} | stats count AS Notables", Window(0, now), now)
    server.search(steps.SHOWN, Window(0, now), now)
    boards = {name: run_board(server, name, defaults(name), now) for name in ("nhi_notables", "nhi_posture")}
    ranked = boards["nhi_notables"]["ranked"]
    assert len(ranked) >= 5 and boards["nhi_notables"]["by_day"] and boards["nhi_posture"]["ranked"]
    chosen = {"identity": ranked[0]["Identifier"][0], "notable": ranked[0]["Notable"][0]}
    story = run_board(server, "nhi_story", {**defaults("nhi_story"), **chosen}, now)
    assert all(story[name] for name in ("choices", "points", "evidence", "usual", "timeline", "controls", "decisions"))


class Head:
    """A search head in memory."""

    def __init__(self) -> None:
        self.macros = {"nhi_indexes": conf("macros.conf")["nhi_indexes"]["definition"]}
        self.on: list[str] = []
        self.ran: list[tuple[str, int]] = []
        self.kept: set[str] = set()
        self.fails_on = -1
        self.an_hour = 1
        """Events."""
        self.rows: list[Mapping[str, str]] = []

    def oneshot(self, search: str, earliest: int = 0, latest: int = 0) -> list[Mapping[str, str]]:
        assert search in (steps.FIND, steps.SHOWN, steps.HIDDEN, steps.COUNT)
        if latest:
            return [
                {"sourcetype": "a", "_time": str(earliest + hour * HOUR), "count": str(self.an_hour)}
                for hour in range(24)
            ]
        return self.rows

    def macro(self, name: str) -> str:
        return self.macros[name]

    def set_macro(self, name: str, definition: str) -> None:
        self.macros[name] = definition

    def enable(self, name: str) -> None:
        assert name in conf("savedsearches.conf")
        self.on.append(name)

    def enabled(self, name: str) -> bool:
        return name in self.on

    def run(self, name: str, earliest: int, latest: int) -> bool:
        assert name in conf("savedsearches.conf") and latest > earliest
        self.ran.append((name, earliest // DAY))
        return earliest // DAY != self.fails_on

    def done(self) -> set[str]:
        return set(self.kept)

    def note(self, key: str) -> None:
        self.kept.add(key)


def test_logs_are_found_by_what_their_add_ons_give_and_what_cannot_be_read_is_said() -> None:
    head = Head()
    head.rows = [
        {"index": "aws", "sourcetype": "aws:cloudtrail", "source": "s3", "count": "5", "last": "1"},
        {"index": "win", "sourcetype": "XmlWinEventLog", "source": "XmlWinEventLog:Security", "count": "9"},
        {"index": "linux", "sourcetype": "auditd", "source": "audit.log", "count": "7", "last": "1"},
        {"index": "aws", "sourcetype": "aws:cloudtrail:lake", "source": "l", "count": "1", "last": "1"},
        {"index": "k", "sourcetype": "kube:apiserver-audit", "source": "a.log", "count": "2", "last": "1"},
    ]
    logs = {row["Log"]: (row["Index"], row["Events"], row["Advice"][:8]) for row in steps.find(head)}
    assert logs == {
        "ocsf": ("aws", 1, "name its"),
        "cloudtrail": ("aws", 5, "name its"),
        "endpoint": ("linux", 7, "name its"),
        "kubernetes": ("k", 2, "name its"),
    }
    assert [row["Log"] for row in steps.find(Head())] == ["none"]


def test_what_was_named_is_what_the_macros_find() -> None:
    head = Head()
    list(steps.name_indexes(head, "okta, aws aws"))
    assert head.macros["nhi_indexes"] == 'index IN ("aws", "okta")'
    fits = matcher(expand("`nhi_cloudtrail`", head.macros))
    assert fits({"index": ["aws"], "sourcetype": ["aws:cloudtrail"]})
    assert not fits({"index": ["other"], "sourcetype": ["aws:cloudtrail"]})


@pytest.mark.parametrize("text", ["", "*", "aws*", 'x") OR index=*', "Aws", "a b;c"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    head = Head()
    with pytest.raises(InputError, match="indexes=aws"):
        list(steps.name_indexes(head, text))
    assert "nhi_name_your_indexes" in head.macros["nhi_indexes"]


def test_the_backfill_goes_day_by_day_and_goes_on_where_it_stopped() -> None:
    head = Head()
    head.fails_on = 17
    assert [row["Status"] for row in steps.backfill(head, 4, 20)] == ["done", "failed"]
    assert [(name[12:], day) for name, day in head.ran] == [
        ("Group Events", 16),
        ("Group Rows", 16),
        ("Rank", 16),
        ("Group Events", 17),
    ], "the earliest day first, for each is scored by those before"
    head.fails_on, head.ran = -1, []
    assert [row["Status"] for row in steps.backfill(head, 4, 20)] == ["done before", "done", "done", "done"]
    assert [day for name, day in head.ran if name.endswith("Rank")] == [17, 18, 19]


def test_a_look_back_over_many_events_goes_hour_by_hour_and_judges_whole_days() -> None:
    """A day of 100 million events made 80 million rows, which one search had to sort."""
    head = Head()
    head.an_hour = steps.SLICE // 2
    list(steps.backfill(head, 2, 20))
    assert [sum(name.endswith(kind) for name, _ in head.ran) for kind in ("Events", "Rows", "Rank")] == [24, 24, 2]


def test_nothing_is_switched_on_before_an_index_was_named_and_then_all_of_it() -> None:
    head = Head()
    with pytest.raises(InputError, match="no index was named"):
        list(steps.enable(head, steps.ALWAYS))
    list(steps.name_indexes(head, "aws"))
    list(steps.enable(head, steps.ALWAYS))
    assert [row["Status"] for row in steps.status(head)] == ["done", "to do", "done"]
    saved = conf("savedsearches.conf")
    scheduled = {name for name in saved.sections() if saved[name]["enableSched"] == "1"}
    assert {f"NHI Watch - {name}" for name in (*steps.ALWAYS, *steps.SECURITY)} == scheduled


REFUSED = {
    "an asterisk": ('do=indexes indexes="*"', "is not an index name"),
    "no splunkd": ("do=status", "splunkd does not answer"),
    "too many days": ("do=backfill days=900", "days"),
    "an unknown step": ("do=everything", "everything"),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_a_step_that_cannot_be_done_is_answered_in_a_line(
    tmp_path: Path, version: str, arguments: str, says: str
) -> None:
    script = unpacked(tmp_path) / "bin" / "nhisetup.py"
    try:
        answer = run(interpreter(version), script, arguments, [], (0, NOW), session=Session("https://127.0.0.1:9", "x"))
    except CommandError as error:
        assert says in str(error)
        return
    assert [text for level, text in answer.messages if level == "ERROR" and says in text] and answer.rows == []


# ---- the page

PAGE = ElementTree.parse(VIEWS / f"{SETUP}.xml").getroot()
PANELS = list(PAGE.iter("panel"))
QUERIES = [(panel, str(query.text)) for panel in PANELS for query in panel.iter("query")]


def set_by(panel: ElementTree.Element) -> set[str]:
    return {each.attrib["token"] for kind in ("set", "input") for each in panel.iter(kind)}


@pytest.mark.parametrize(("panel", "text"), QUERIES, ids=[text[:40] for _, text in QUERIES])
def test_what_changes_anything_waits_for_a_click(panel: ElementTree.Element, text: str) -> None:
    depends = panel.attrib.get("depends", "").strip("$")
    check(re.sub(r"\$\w+(\|s)?\$", "x", expand(text)))
    used = set(re.findall(r"\$(\w+)", text))
    assert used <= {depends}
    assert depends or text.startswith(("| nhisetup |", "| makeresults")), "it would run when the page is opened"


def test_every_token_is_set_by_a_click_or_an_input() -> None:
    there = {token for panel in PANELS for token in set_by(panel)}
    assert {panel.attrib["depends"].strip("$") for panel in PANELS if "depends" in panel.attrib} <= there
    passed = {name for each in PAGE.iter("set") for name in re.findall(r"\$(\w+)\$", each.text or "")}
    assert passed == {"indexes", "days", "es"} <= there
    [typed] = [text for _, text in QUERIES if "indexes=" in text]
    assert "$saved|s$" in typed, "a text that somebody types is quoted"


def test_the_libraries_that_ship_are_those_that_were_looked_at() -> None:
    names = set(vendor.contents())
    assert {"lib/splunklib/client.py", "lib/splunklib/searchcommands/__init__.py", "lib/deprecation.py"} <= names
    assert not [name for name in names if "modularinput" in name or not name.endswith(".py")]
