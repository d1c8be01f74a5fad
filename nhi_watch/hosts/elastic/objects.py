"""Kibana saved objects of the simple kinds, as its export writes them.

`typeMigrationVersion` says which shape an object has, so that a newer Kibana migrates it and does not take it for one
of long ago. The shapes are those of Kibana 8.9 to 8.19, which 9.x imports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

Json = dict[str, Any]

_CORE = "8.8.0"
_VERSIONS = {"index-pattern": "8.0.0", "visualization": "8.5.0", "search": "8.0.0", "dashboard": "8.9.0"}
_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
_WIDTH = 48


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _object(kind: str, name: str, attributes: Json, references: Sequence[Json]) -> Json:
    return {
        "type": kind,
        "id": name,
        "attributes": attributes,
        "references": list(references),
        "coreMigrationVersion": _CORE,
        "typeMigrationVersion": _VERSIONS[kind],
        "managed": False,
    }


def _reference(kind: str, name: str, of: str) -> Json:
    return {"type": kind, "id": of, "name": name}


def _source(query: str, indexed: bool = True) -> Json:
    source: Json = {"query": {"query": query, "language": "kuery"}, "filter": []}
    if indexed:
        source["indexRefName"] = _INDEX
    return {"searchSourceJSON": _text(source)}


def data_view(name: str, pattern: str, title: str) -> Json:
    """A data view over an index pattern."""
    attributes = {"title": pattern, "name": title, "timeFieldName": "@timestamp", "fieldAttrs": "{}",
                  "fieldFormatMap": "{}", "fields": "[]", "runtimeFieldMap": "{}", "sourceFilters": "[]",
                  "allowHidden": False}  # fmt: skip
    return _object("index-pattern", name, attributes, [])


def search(name: str, title: str, what: tuple[str, Sequence[str], tuple[str, str]], query: str) -> Json:
    """A saved search. `what`: data view, columns, and the field and direction by which it is sorted."""
    view, columns, sort = what
    attributes = {"title": title, "description": "", "columns": list(columns), "sort": [list(sort)], "grid": {},
                  "hideChart": True, "isTextBasedQuery": False, "timeRestore": False,
                  "kibanaSavedObjectMeta": _source(query)}  # fmt: skip
    return _object("search", name, attributes, [_reference("index-pattern", _INDEX, view)])


# ---- parts of an aggregation


def count() -> Json:
    """How many documents."""
    return {"type": "count", "params": {}, "schema": "metric"}


def greatest(field: str, label: str) -> Json:
    """The greatest value of a field."""
    return {"type": "max", "params": {"field": field, "customLabel": label}, "schema": "metric"}


def average(field: str, label: str) -> Json:
    """The mean of a field."""
    return {"type": "avg", "params": {"field": field, "customLabel": label}, "schema": "metric"}


def newest(field: str, label: str) -> Json:
    """The field's value in the newest document."""
    params = {"field": field, "customLabel": label, "aggregate": "concat", "size": 1, "sortField": "@timestamp",
              "sortOrder": "desc"}  # fmt: skip
    return {"type": "top_hits", "params": params, "schema": "metric"}


def terms(field: str, label: str, size: int, missing: bool = False) -> Json:
    """One row for each value, those with most of the first metric first."""
    params = {"field": field, "customLabel": label, "size": size, "order": "desc", "orderBy": "1",
              "otherBucket": False, "missingBucket": missing, "missingBucketLabel": "nobody"}  # fmt: skip
    return {"type": "terms", "params": params, "schema": "bucket"}


def histogram() -> Json:
    """One column for each stretch of time."""
    params = {"field": "@timestamp", "interval": "auto", "useNormalizedEsInterval": True, "min_doc_count": 1,
              "drop_partials": False, "scaleMetricValues": False, "extended_bounds": {}}  # fmt: skip
    return {"type": "date_histogram", "params": params, "schema": "segment"}


# ---- visualisations


def _visualisation(name: str, state: Json, view: str, query: str) -> Json:
    numbered = [{"id": str(number), "enabled": True, **each} for number, each in enumerate(state["aggs"], 1)]
    attributes = {"title": state["title"], "description": "", "uiStateJSON": "{}", "version": 1,
                  "visState": _text({**state, "aggs": numbered}),
                  "kibanaSavedObjectMeta": _source(query, bool(view))}  # fmt: skip
    references = [_reference("index-pattern", _INDEX, view)] if view else []
    return _object("visualization", name, attributes, references)


def table(name: str, title: str, view: str, aggs: Sequence[Json], query: str = "") -> Json:
    """Metrics for each combination of terms; sorted by the first metric, unless that is the newest of something."""
    by = "1" if aggs[0]["type"] != "top_hits" else "_key"
    ordered = [{**a, "params": {**a["params"], "orderBy": by}} if a["type"] == "terms" else a for a in aggs]
    params = {"perPage": 25, "showPartialRows": False, "showMetricsAtAllLevels": False, "showTotal": False,
              "totalFunc": "sum", "percentageCol": "", "showToolbar": False, "autoFitRowToContent": False}  # fmt: skip
    return _visualisation(name, {"title": title, "type": "table", "aggs": ordered, "params": params}, view, query)


def over_time(name: str, title: str, view: str, metrics: Sequence[Json], by: tuple[str, str]) -> Json:
    """A column chart over time. `by`: the field that splits columns, or "", and a query."""
    field, query = by
    split = [{**terms(field, field, 8), "schema": "group"}] if field else []
    series = [{"show": True, "type": "histogram", "mode": "stacked", "data": {"id": str(number), "label": ""},
               "valueAxis": "ValueAxis-1", "drawLinesBetweenPoints": True, "lineWidth": 2, "showCircles": True}
              for number, _ in enumerate(metrics, 1)]  # fmt: skip
    params = {
        "type": "histogram", "grid": {"categoryLines": False}, "addTooltip": True, "addLegend": bool(field),
        "legendPosition": "right", "times": [], "addTimeMarker": False, "labels": {"show": False},
        "categoryAxes": [{"id": "CategoryAxis-1", "type": "category", "position": "bottom", "show": True,
                          "scale": {"type": "linear"}, "labels": {"show": True, "truncate": 100}, "title": {},
                          "style": {}}],
        "valueAxes": [{"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": True,
                       "scale": {"type": "linear", "mode": "normal"}, "title": {"text": ""}, "style": {},
                       "labels": {"show": True, "rotate": 0, "filter": False, "truncate": 100}}],
        "seriesParams": series,
        "thresholdLine": {"show": False, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
        "palette": {"type": "palette", "name": "default"},
    }  # fmt: skip
    state = {"title": title, "type": "histogram", "aggs": [*metrics, histogram(), *split], "params": params}
    return _visualisation(name, state, view, query)


def markdown(name: str, title: str, text: str) -> Json:
    """A panel of text."""
    params = {"markdown": text, "fontSize": 12, "openLinksInNewTab": False}
    return _visualisation(name, {"title": title, "type": "markdown", "aggs": [], "params": params}, "", "")


# ---- dashboards


def control(name: str, view: str, field: str, title: str) -> tuple[str, Json, Json]:
    """A list to pick a value from: its id, its panel and its reference."""
    panel = {"type": "optionsListControl", "order": 0, "grow": True, "width": "large",
             "explicitInput": {"id": name, "fieldName": field, "title": title, "singleSelect": True,
                               "selectedOptions": [], "enhancements": {}}}  # fmt: skip
    return name, panel, _reference("index-pattern", f"controlGroup_{name}:optionsListDataView", view)


def dashboard(
    words: tuple[str, str, str],
    panels: Sequence[tuple[str, str, int, int]],
    since: str,
    controls: Sequence[tuple[str, Json, Json]] = (),
) -> Json:
    """A dashboard. `words`: id, title, description; `panels`: kind and id of what is shown, width and height."""
    name, title, description = words
    laid, references = _laid(panels)
    attributes: Json = {
        "title": title, "description": description, "version": 1, "timeRestore": True, "timeFrom": since,
        "timeTo": "now", "refreshInterval": {"pause": True, "value": 60_000}, "panelsJSON": _text(laid),
        "optionsJSON": _text({"useMargins": True, "syncColors": False, "syncCursor": True, "syncTooltips": False,
                              "hidePanelTitles": False}),
        "kibanaSavedObjectMeta": _source("", indexed=False),
    }  # fmt: skip
    if controls:
        ignored = dict.fromkeys(("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations"), False)
        attributes["controlGroupInput"] = {
            "controlStyle": "oneLine", "chainingSystem": "HIERARCHICAL", "showApplySelections": False,
            "ignoreParentSettingsJSON": _text(ignored),
            "panelsJSON": _text({each: panel for each, panel, _ in controls}),
        }  # fmt: skip
    return _object("dashboard", name, attributes, [*references, *(reference for _, _, reference in controls)])


def _laid(panels: Sequence[tuple[str, str, int, int]]) -> tuple[list[Json], list[Json]]:
    """Panels from left to right, a new row where one is full; and their references."""
    laid: list[Json] = []
    references: list[Json] = []
    x = y = tallest = 0
    for number, (kind, shown, width, height) in enumerate(panels, 1):
        if x + width > _WIDTH:
            x, y, tallest = 0, y + tallest, 0
        at, panel = str(number), f"panel_{number}"
        laid.append({"type": kind, "panelIndex": at, "embeddableConfig": {"enhancements": {}}, "panelRefName": panel,
                     "gridData": {"x": x, "y": y, "w": width, "h": height, "i": at}})  # fmt: skip
        references.append(_reference(kind, f"{at}:{panel}", shown))
        x, tallest = x + width, max(tallest, height)
    return laid, references
