"""What Kibana imports: every line parses, references close, ids are unique, every field is one that we write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

import elastic_package
from kibana_double import kuery
from nhi_watch.core.notable import severity_of
from nhi_watch.hosts.elastic import kibana as assets
from nhi_watch.hosts.elastic import setup
from nhi_watch.report import ecs

Tree = dict[str, Any]
WIDTH = 48
OBJECTS = assets.saved_objects()
BY_ID = {(each["type"], each["id"]): each for each in OBJECTS}
MAPPED = {f"{name}-*": elastic_package.names(mapping) for name, mapping in setup.mappings().items()}
MAPPED[f"{setup.NOTABLES}-*"] = MAPPED[f"{setup.ALERTS}-*"]
"""Index pattern → field → type."""
BANDS = {"low": (0, 21), "medium": (22, 47), "high": (48, 73), "critical": (74, 100)}
"""Kibana's severities and the risk scores that it means by them."""


OPTIONAL = {"index", "timestamp_override", "rule_name_override", "building_block_type", "investigation_fields"}
BASE = OPTIONAL | {
    "actions", "author", "description", "enabled", "exceptions_list", "false_positives", "filters", "from", "interval",
    "language", "license", "max_signals", "name", "note", "query", "references", "risk_score", "risk_score_mapping",
    "rule_id", "severity", "severity_mapping", "tags", "threat", "to", "type", "version",
}  # fmt: skip
LANGUAGE = {"query": "kuery", "esql": "esql"}


def of_kind(kind: str) -> list[Tree]:
    return [each for each in OBJECTS if each["type"] == kind]


# ---- files


def test_ids_are_unique_and_references_close_backwards() -> None:
    assert len(BY_ID) == len(OBJECTS) == len({each["id"] for each in OBJECTS})
    seen: set[tuple[str, str]] = set()
    for each in OBJECTS:
        assert {(r["type"], r["id"]) for r in each["references"]} <= seen, f"{each['id']} refers to what comes later"
        names = [r["name"] for r in each["references"]]
        assert len(names) == len(set(names))
        seen.add((each["type"], each["id"]))
    used = {(r["type"], r["id"]) for each in OBJECTS for r in each["references"]}
    assert set(BY_ID) - used == {(d["type"], d["id"]) for d in of_kind("dashboard")}, "nothing lies about unused"


# ---- fields


def view_of(each: Tree) -> str:
    (name,) = (r["id"] for r in each["references"] if r["type"] == "index-pattern")
    return str(BY_ID["index-pattern", name]["attributes"]["title"])


def named_in(query: str) -> list[str]:
    return re.findall(r"([\w.@]+)\s*:", query)


def fields_of(each: Tree) -> Iterator[str]:
    attributes = each["attributes"]
    source = orjson.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    yield from named_in(source["query"]["query"])
    yield from attributes.get("columns", ())
    yield from (field for field, _ in attributes.get("sort", ()))
    for agg in orjson.loads(attributes.get("visState", '{"aggs": []}'))["aggs"]:
        yield from (agg["params"][name] for name in ("field", "sortField") if name in agg["params"])


SHOWN = [each for each in (*of_kind("search"), *of_kind("visualization")) if each["references"]]


@pytest.mark.parametrize("each", SHOWN, ids=lambda each: each["id"])
def test_every_field_is_mapped_where_it_is_looked_for_and_none_that_is_grouped_or_sorted_by_is_text(each: Tree) -> None:
    mapped = MAPPED[view_of(each)]
    assert set(fields_of(each)) - set(mapped) == set()
    aggs = orjson.loads(each["attributes"].get("visState", '{"aggs": []}'))["aggs"]
    ordered = [agg["params"]["field"] for agg in aggs if agg["type"] == "terms"]
    ordered += [name for name, _ in each["attributes"].get("sort", ())]
    numbers = [agg["params"]["field"] for agg in aggs if agg["type"] in ("max", "avg", "sum")]
    assert not [name for name in ordered if mapped[name] == "text"]
    assert not [name for name in numbers if mapped[name] not in ("long", "float", "date")]
    source = orjson.loads(each["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    assert source["indexRefName"] in {r["name"] for r in each["references"]}


@pytest.mark.parametrize("view", of_kind("index-pattern"), ids=lambda view: view["id"])
def test_a_data_view_shows_an_index_of_ours_that_has_its_time(view: Tree) -> None:
    attributes = view["attributes"]
    assert MAPPED[attributes["title"]][attributes["timeFieldName"]] == "date"


# ---- visualisations and dashboards, as Kibana reads them

SCHEMAS_OF = {
    "table": {"metric": (1, 99), "bucket": (0, 99)},
    "histogram": {"metric": (1, 99), "segment": (0, 1), "group": (0, 3)},
    "markdown": {},
}
"""Kind of visualisation → the places for aggregations, and how many each takes."""


@pytest.mark.parametrize("each", of_kind("visualization"), ids=lambda each: each["id"])
def test_a_visualisation_has_the_aggregations_that_its_kind_takes(each: Tree) -> None:
    state = orjson.loads(each["attributes"]["visState"])
    assert state["title"] == each["attributes"]["title"]
    places = SCHEMAS_OF[state["type"]]
    used = [agg["schema"] for agg in state["aggs"]]
    assert set(used) <= set(places)
    assert all(low <= used.count(name) <= high for name, (low, high) in places.items())
    ids = [agg["id"] for agg in state["aggs"]]
    assert ids == [str(number) for number in range(1, len(ids) + 1)]
    for agg in state["aggs"]:
        order = agg["params"].get("orderBy", "_key")
        metrics = [m["id"] for m in state["aggs"] if m["schema"] == "metric" and m["type"] != "top_hits"]
        assert order == "_key" or order in metrics


@pytest.mark.parametrize("board", of_kind("dashboard"), ids=lambda board: board["id"])
def test_panels_lie_side_by_side_and_each_shows_something(board: Tree) -> None:
    panels = orjson.loads(board["attributes"]["panelsJSON"])
    references = {r["name"]: r for r in board["references"]}
    covered: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridData"]
        assert panel["panelIndex"] == grid["i"] and panel["embeddableConfig"] is not None
        assert references[f"{panel['panelIndex']}:{panel['panelRefName']}"]["type"] == panel["type"]
        columns, rows = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
        cells = {(x, y) for x in columns for y in rows}
        assert grid["x"] + grid["w"] <= WIDTH and not cells & covered
        covered |= cells
    assert len({panel["panelIndex"] for panel in panels}) == len(panels) >= 3


@pytest.mark.parametrize("board", of_kind("dashboard"), ids=lambda board: board["id"])
def test_a_control_picks_from_a_field_of_its_data_view(board: Tree) -> None:
    group = board["attributes"].get("controlGroupInput")
    if group is None:
        assert board["id"] != "nhi-dashboard-identity", "an identity has to be picked somewhere"
        return
    references = {r["name"]: r["id"] for r in board["references"]}
    for name, panel in orjson.loads(group["panelsJSON"]).items():
        assert panel["type"] == "optionsListControl" and panel["explicitInput"]["id"] == name
        view = BY_ID["index-pattern", references[f"controlGroup_{name}:optionsListDataView"]]
        assert MAPPED[view["attributes"]["title"]][panel["explicitInput"]["fieldName"]] == "keyword"


def test_every_dashboard_says_which_version_of_ours_it_is() -> None:
    record_hashes = {
        re.search(rf"{re.escape(assets.MARK)}([0-9a-f]{{12}})\)$", d["attributes"]["description"])
        for d in of_kind("dashboard")
    }
    assert None not in record_hashes and len({mark.group(1) for mark in record_hashes if mark}) == 1


# ---- the rule


@pytest.mark.parametrize("rule", assets.rules(), ids=lambda rule: rule["name"])
def test_a_rule_has_what_kibana_wants(rule: Tree) -> None:
    """By the schemas of elastic/detection-rules 8.14, said again: closed lists, patterns, and a kind's own fields."""
    assert BASE - OPTIONAL <= set(rule) <= BASE and rule["language"] == LANGUAGE[rule["type"]]
    assert re.fullmatch(r"[a-zA-Z0-9].+?[a-zA-Z0-9\[\]()]", rule["name"])
    assert rule["severity"] in BANDS and BANDS[rule["severity"]][0] <= rule["risk_score"] <= BANDS[rule["severity"]][1]
    assert re.fullmatch(r"\d+[mshd]", rule["interval"]) and re.fullmatch(r"now-\d+[mhd]", rule["from"])


@pytest.mark.parametrize("rule", assets.rules(), ids=lambda rule: rule["name"])
def test_a_rule_and_its_hunts_ask_for_fields_that_are_there(rule: Tree) -> None:
    hunts = [hunt for hunt in re.findall(r"```\n(.*?)```", rule["note"], re.DOTALL) if "logs-nhi" in hunt]
    for text in [rule["query"], *hunts] if rule["type"] == "esql" else hunts:
        (stream,) = re.findall(r"FROM (logs-nhi\.\w+-\*)", text)
        assert set(re.findall(r"@?[a-z_]+(?:\.[a-z_]+)+", text.replace(stream, ""))) <= set(MAPPED[stream])
    if rule["type"] != "esql":
        (stream,) = rule["index"]
        asked = [*named_in(rule["query"]), rule["timestamp_override"], rule.get("rule_name_override", "@timestamp")]
        asked += [each["field"] for each in (*rule["severity_mapping"], *rule["risk_score_mapping"])]
        asked += rule["investigation_fields"]["field_names"]
        assert set(asked) <= set(MAPPED[stream]) and kuery(rule["query"])


def test_what_is_below_low_or_below_the_line_makes_no_alert_unless_somebody_wants_it() -> None:
    asked = {rule["query"].rpartition(":")[2]: rule["enabled"] for rule in assets.rules() if rule["type"] == "query"}
    assert asked == {"(new or reopened or escalated)": True, "below": False}
    assert set(ecs.SEVERITY_CODES) == {severity_of(risk) for risk in range(101)}
    assert [each["severity"] for each in assets.rules()[0]["severity_mapping"]] == list(BANDS)


@pytest.mark.parametrize("risk", [0.0, 14.9, 15.0, 39.9, 40.0, 59.9, 60.0, 79.9, 80.0, 100.0])
def test_a_notable_has_the_same_severity_in_kibana(risk: float) -> None:
    ours = severity_of(risk)
    code = ecs.SEVERITY_CODES[ours]
    (theirs,) = (each["severity"] for each in assets.rules()[0]["severity_mapping"] if each["value"] == str(code))
    assert theirs == ("low" if ours == "informational" else ours)
    low, high = BANDS[theirs]
    assert low <= code <= high


def test_the_rule_that_would_promote_everything_is_told_to_leave_ours_out() -> None:
    (item,) = assets.external_alerts_exception()["items"]
    assert [(e["field"], e["operator"], e["value"]) for e in item["entries"]] == [
        ("data_stream.dataset", "included", ecs.DATASET)
    ]
    assert "event.kind:alert" in assets.rules()[0]["query"], "so does Elastic's own rule ask"
