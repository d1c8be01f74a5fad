"""The dashboards: all that they name exists, and every search on them runs on what the app writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import splunk_events
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.hosts.splunk.fields import MANY
from nhi_watch.report.queries import queries as queries_of
from notable_samples import altered, documents
from splunk_app import unpacked
from splunk_boards import NAMES, TOKEN, board, defaults, filled, queries, root, run
from splunk_company import now_of, played
from splunk_conf import conf, expand, stages
from splunk_grammar import check
from splunk_peers import Window
from splunk_process import Row
from splunk_server import Server
from test_splunk_conf import FIELDS

SOURCES = ("ds.search", "ds.chain")
VISUALISATIONS = ("splunk.singlevalue", "splunk.table", "splunk.column", "splunk.bar", "splunk.line")
INPUTS = ("input.timerange", "input.dropdown", "input.text")
HANDLERS = ("drilldown.linkToDashboard", "drilldown.setToken", "drilldown.linkToSearch")
LOOKUPS = {"nhi_feedback"}
WIDTH = 1200
Found = dict[str, dict[str, list[Row]]]
"""Dashboard → data source → its rows."""
each_board = pytest.mark.parametrize("name", NAMES)


def handlers(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(visualisation, event handler) of a dashboard."""
    for visualization in board(name)["visualizations"].values():
        for handler in visualization.get("eventHandlers", ()):
            yield visualization, handler


def columns(name: str, source: str) -> list[str]:
    """What the last `table` of a search leaves."""
    verb, _, rest = stages(filled(dict(queries(name))[source], defaults(name)))[-1].partition(" ")
    return rest.split() if verb == "table" else []


@each_board
def test_a_view_holds_a_definition_of_dashboard_studio_of_types_that_it_has(name: str) -> None:
    assert root(name).attrib == {"version": "2", "theme": "dark"}
    assert 5 <= len(str(root(name).findtext("label"))) <= 80
    definition = board(name)
    assert definition["title"] == root(name).findtext("label")
    assert definition.keys() == {
        "title",
        "description",
        "dataSources",
        "visualizations",
        "inputs",
        "defaults",
        "layout",
    }
    for kind, types in (("dataSources", SOURCES), ("visualizations", VISUALISATIONS), ("inputs", INPUTS)):
        assert {each["type"] for each in definition[kind].values()} <= set(types)
    assert {handler["type"] for _, handler in handlers(name)} <= set(HANDLERS)


@each_board
def test_every_data_source_exists_and_is_used(name: str) -> None:
    definition = board(name)
    named = {each["dataSources"]["primary"] for each in definition["visualizations"].values()}
    named |= {each["dataSources"]["primary"] for each in definition["inputs"].values() if "dataSources" in each}
    extended = {each["options"].get("extend") for each in definition["dataSources"].values()} - {None}
    assert named | extended == set(definition["dataSources"])
    assert {definition["dataSources"][base]["type"] for base in extended} == {"ds.search"}


@each_board
def test_every_visualisation_and_input_has_one_place_and_places_neither_overlap_nor_stick_out(name: str) -> None:
    definition = board(name)
    assert definition["layout"]["type"] == "grid"
    assert sorted(each["item"] for each in definition["layout"]["structure"]) == sorted(definition["visualizations"])
    assert sorted(definition["layout"]["globalInputs"]) == sorted(definition["inputs"])
    places = [each["position"] for each in definition["layout"]["structure"]]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= WIDTH for at in places)
    assert sum(at["w"] * at["h"] for at in places) == WIDTH * max(at["y"] + at["h"] for at in places)
    for a, b in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]


@each_board
def test_every_token_and_time_of_a_search_is_set_by_an_input_and_quoted(name: str) -> None:
    used = [each for _, text in queries(name) for each in TOKEN.findall(text)]
    assert {token for token, _ in used} <= set(defaults(name))
    assert {how for _, how in used} <= {"s"}, "a value from outside must not become syntax"
    for datasource in board(name)["dataSources"].values():
        times = datasource["options"].get("queryParameters", {})
        assert set(times) == (set() if "extend" in datasource["options"] else {"earliest", "latest"})
        assert all(TOKEN.fullmatch(text)[1] in defaults(name) for text in times.values())  # type: ignore[index]


@each_board
def test_every_search_is_in_the_grammar_and_every_field_and_lookup_of_it_exists(name: str) -> None:
    known = {*conf("macros.conf").sections(), *conf("indexes.conf").sections()}
    for source, text in queries(name):
        check(expand(filled(text, defaults(name))))
        assert set(re.findall(r"\bnhi_\w+", text)) - known <= FIELDS | LOOKUPS, source


@each_board
def test_a_table_shows_only_what_exists_or_was_renamed(name: str) -> None:
    for source, text in queries(name):
        tables = [stage.split()[1:] for stage in stages(filled(text, defaults(name))) if stage.startswith("table ")]
        result = re.findall(r" AS (\w+)|\beval (\w+)=|, (\w+)=", text)
        built = {each for names in result for each in names if each} | {"count"}
        assert {word for words in tables for word in words if not word.startswith(("nhi_", "_"))} <= built, source


@each_board
def test_a_click_passes_on_columns_that_the_table_has_to_tokens_that_somebody_reads(name: str) -> None:
    for table, handler in handlers(name):
        there = {f"row.{column}.value" for column in columns(name, table["dataSources"]["primary"])}
        options, target = handler["options"], name
        if handler["type"] == "drilldown.linkToSearch":
            texts = (options["query"], options["earliest"], options["latest"])
            assert {token for text in texts for token, _ in TOKEN.findall(text)} <= there | set(defaults(name))
            is_verdict = options["query"].endswith("| outputlookup append=true key_field=_key nhi_feedback")
            assert is_verdict or options["query"].startswith("((`nhi_json_logs`) OR (`nhi_field_logs`)) ")
            continue
        if handler["type"] == "drilldown.linkToDashboard":
            assert options["app"] == conf("app.conf")["id"]["name"]
            target = options["dashboard"]
        assert {each["token"] for each in options["tokens"]} <= set(defaults(target))
        assert {each.get("value") or each.get("key") for each in options["tokens"]} <= there | set(defaults(name))


@each_board
def test_nothing_found_is_no_alarm_and_only_what_leads_on_looks_like_a_link(name: str) -> None:
    for visualization in board(name)["visualizations"].values():
        assert set(visualization["options"].get("columnFormat", ())) <= set(
            columns(name, visualization["dataSources"]["primary"])
        )
        color = visualization["options"].get("majorColor", "#FFFFFF")
        assert (
            color in ("#FFFFFF", "#5CC05C")
            or "rangeValue" in color
            or visualization["title"] == "Highest likelihood (%)"
        )
        if visualization["options"].get("drilldown") == "all":
            shown = columns(name, visualization["dataSources"]["primary"])
            blue = [each for each in shown if "rowColors" not in visualization["options"]["columnFormat"].get(each, {})]
            assert len(blue) == 1


@each_board
def test_signals_and_columns_are_named_in_words(name: str) -> None:
    for source, text in queries(name):
        last = stages(text)[-1]
        assert not last.startswith("table") or "nhi_signals" not in last or source in ("standing", "findings")
    for visualization in board(name)["visualizations"].values():
        if visualization["type"] == "splunk.table":
            named = columns(name, visualization["dataSources"]["primary"])
            assert named and not [each for each in named if each.startswith(("_", "nhi_"))]


def test_a_click_on_a_verdict_keeps_it(boards: Found) -> None:
    text = board("nhi_story")["visualizations"]["v_decide"]["eventHandlers"][0]["options"]["query"]
    row = boards["nhi_notables"]["standing"][0]
    tokens = {"notable": row["nhi_id"][0], "identity": row["nhi_identity_id"][0], "row.Verdict.value": "benign"}
    server = SERVERS[0]
    kept = server.search(filled(text, tokens), Window(0, 1 << 40), now_of(server))
    assert [(item["nhi_id"], item["verdict"]) for item in kept] == [(row["nhi_id"], ["benign"])]
    assert kept[0] in server.collections["nhi_feedback"]


def test_a_star_in_an_identitys_or_a_records_id_is_no_wildcard(tmp_path: Path) -> None:
    """Clients that name a session, a tag or a request choose a part of such an id."""
    server, names = Server(tmp_path), ("app:*", "app:other")
    for number, name in enumerate(names):
        event = {
            "time": "2026-03-01T10:00:00Z",
            "nhi_id": f"{number:020d}",
            "nhi_revision": "1",
            "nhi_change": "new",
            "nhi_identity_id": name,
            "nhi_likelihood": "80",
        }
        server.notable(json.dumps(event), 1_772_360_000)
    tokens = {**defaults("nhi_story"), "time.earliest": "-30d", "time.latest": "now", "notable": ""}
    boards = run(server, "nhi_story", {**tokens, "identity": "app:*"}, 1_772_370_000)
    assert [row["nhi_identity_id"] for row in boards["notables"]] == [["app:*"]]
    assert len(run(server, "nhi_story", {**tokens, "identity": "app:other"}, 1_772_370_000)["notables"]) == 1
    server.index([(1_772_360_000, {"id": name}) for name in ("a-*", "a-1")], "aws:cloudtrail")
    query = next(h["options"]["query"] for _, h in handlers("nhi_story") if "row.Record" in str(h))
    rows = server.search(filled(query, {"row.Record.value": "a-*"}), Window(0, 1 << 40), 1_772_370_000)
    assert [json.loads(row["_raw"][0])["id"] for row in rows] == ["a-*"]


def test_a_star_in_a_chosen_id_shows_no_other_identitys_verdicts(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.collections["nhi_feedback"] = [
        {"identity": [name], "verdict": ["benign"], "time": ["1"], "nhi_id": [name]} for name in ("app:*", "app:other")
    ]
    tokens = {**defaults("nhi_story"), "time.earliest": "-30d", "time.latest": "now", "notable": ""}
    with_verdict = run(server, "nhi_story", {**tokens, "identity": "app:*"}, 1_772_370_000)["verdicts"]
    assert [row["Notable"] for row in with_verdict] == [["app:*"]]


def test_a_star_in_a_chosen_id_is_no_wildcard_in_a_search_to_copy(tmp_path: Path) -> None:
    server, notable = Server(tmp_path), altered({**documents()[0], "record_ids": ["a-*", "b"]})
    time = int(parse(notable["first_time"]))
    server.index([(time, {"id": name}) for name in ("a-*", "a-1", "b")], "aws:cloudtrail")
    search = dict(queries_of(notable))["the records behind it"]["SPL"]
    rows = server.search(search.removeprefix("search "), Window(0, 1 << 40), time + DAY)
    assert sorted(json.loads(row["_raw"][0])["id"] for row in rows) == ["a-*", "b"]


SERVERS: list[Server] = []
EMPTY = {"exposed"}
"""Searches for what this company does not have."""


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Found:
    server = played(unpacked(tmp_path_factory.mktemp("app")))
    SERVERS[:] = [server]
    now = now_of(server)
    tokens = {name: {**defaults(name), "score": "0"} for name in NAMES}
    linked = [row for row in server.standing().values() if row.get("nhi_members")]
    tokens["nhi_story"].update(identity=linked[0]["nhi_identity_id"][0], notable=linked[0]["nhi_id"][0])
    return {name: run(server, name, tokens[name], now) for name in NAMES}


@each_board
def test_every_search_finds_something_and_every_column_of_the_main_tables_is_filled(boards: Found, name: str) -> None:
    assert {source for source, _ in queries(name) if not boards[name][source]} <= EMPTY
    main = {"nhi_notables": "ranked", "nhi_story": "evidence", "nhi_posture": "ranked", "nhi_health": "sources"}[name]
    assert not {column for column in columns(name, main) if not any(row.get(column) for row in boards[name][main])}


def test_what_dashboards_list_is_the_latest_of_what_was_written_in_little_room(boards: Found) -> None:
    server = SERVERS[0]
    now = now_of(server)
    window = Window(now - 30 * DAY, now + 1)
    by_id = {row["nhi_id"][0]: row for row in server.search("`nhi_written` | `nhi_latest`", window, now)}
    listed = {row["nhi_id"][0]: row for row in server.search("| inputlookup nhi_notables | `nhi_in_time`", window, now)}
    listed = {name: row for name, row in listed.items() if row["nhi_change"][0] not in ("settled", "closed")}
    names = ("nhi_revision", "nhi_likelihood", "nhi_signals", "nhi_controls")
    assert {i: [row[n] for n in names] for i, row in listed.items()} == {
        i: [row.get(n, [""]) for n in names] for i, row in by_id.items()
    }
    assert server.search("| inputlookup nhi_notables | `nhi_in_time`", Window(0, 1), now) == []
    written = sum(len(row["_raw"][0]) for row in server.events if row["sourcetype"] == ["nhi:notable"])
    assert sum(len(json.dumps(row)) for row in server.collections["nhi_notables"]) < written


def test_every_list_in_a_notable_is_found_under_its_own_name() -> None:
    stanza = conf("props.conf")["nhi:notable"]
    assert {name: stanza[f"EVAL-{name}"] for name in MANY} == {name: f"'{name}{{}}'" for name in MANY}


def test_findings_of_posture_become_events_that_the_dashboard_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], boards: Found
) -> None:
    (notable, *_) = [json.loads(row["_raw"][0])["nhi_notable"] for row in SERVERS[0].events if _is_posture(row)]
    path = tmp_path / "posture.jsonl"
    path.write_text(json.dumps(notable) + "\n", "utf-8")
    assert splunk_events.main([str(path)]) == 0
    text = json.loads(capsys.readouterr().out)
    assert (text["nhi_kind"], text["nhi_id"], text["nhi_notable"]) == ("posture", notable["id"], notable)
    path.write_text("{}\n", "utf-8")
    assert splunk_events.main([str(path)]) == 2
    assert "no notables, one a line" in capsys.readouterr().err


def _is_posture(row: Row) -> bool:
    return row["sourcetype"] == ["nhi:notable"] and '"nhi_kind":"posture"' in row["_raw"][0]
