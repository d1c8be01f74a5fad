"""What Kibana shows and promotes: detection rules, data views and dashboards, as NDJSON that Kibana imports.

Saved objects are of the simple kinds that 8.x and 9.x both import: aggregation-based visualisations and saved
searches, each in a panel of its own. Nothing here comes from a log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import orjson

from nhi_watch.hosts.elastic import rules
from nhi_watch.hosts.elastic.objects import (
    Json,
    average,
    control,
    count,
    dashboard,
    data_view,
    greatest,
    markdown,
    newest,
    over_time,
    search,
    table,
    terms,
)
from nhi_watch.report.ecs import DATASET

EXTERNAL_ALERTS = "eb079c62-4481-4d6e-9643-3ca499df7aaa"
"""`rule_id` of Elastic's own rule "External Alerts", which would promote every revision."""
MARK = "nhi_watch assets "
"""Dashboards end their description with it and a digest, by which setup sees whether they are up to date."""

_ALERTS, _HEALTH = "nhi-alerts", "nhi-health"
_PROMOTED = "nhi.change : (new or escalated)"
_BELOW = "nhi.change : below"


def external_alerts_exception() -> Json:
    """Body of `POST /api/detection_engine/rules/ID/exceptions` of the rule "External Alerts"."""
    entry = {"field": "data_stream.dataset", "operator": "included", "type": "match", "value": DATASET}
    item = {
        "name": "nhi_watch has a promotion rule of its own",
        "description": "Every revision of a notable is a document; only new and escalated ones are to become alerts.",
        "type": "simple",
        "entries": [entry],
    }
    return {"items": [item]}


def saved_objects() -> list[Json]:
    """Data views, then what refers to them, then dashboards."""
    views = [
        data_view(_ALERTS, "logs-nhi.alerts-*", "NHI alerts"),
        data_view(_HEALTH, "logs-nhi.health-*", "NHI runs"),
    ]
    panels = [*_ranked(), *_identity(), *_health()]
    return [*views, *panels, *_dashboards(_digest([*views, *panels]))]


def _ranked() -> list[Json]:
    columns = ("nhi.notable.priority", "event.risk_score", "nhi.notable.severity", "service.name", "service.id",
               "rule.name", "event.reason", "nhi.change")  # fmt: skip
    ranked = (_ALERTS, columns, ("nhi.notable.priority", "desc"))
    return [
        search("nhi-notables", "NHI notables, ranked", ranked, _PROMOTED),
        search("nhi-below", "NHI notables below the line", ranked, _BELOW),
        over_time("nhi-by-severity", "NHI alerts by severity", _ALERTS, [count()], ("event.severity", _PROMOTED)),
        table("nhi-worst", "NHI identities by score", _ALERTS,
              [greatest("event.risk_score", "score"), newest("nhi.notable.severity", "severity"),
               newest("service.name", "name"), terms("service.id", "identity", 25),
               terms("nhi.notable.identity.owner", "owner", 1, missing=True)], _PROMOTED),
        table("nhi-signals", "NHI signals behind alerts", _ALERTS,
              [count(), terms("nhi.notable.signals.id", "signal", 20)], _PROMOTED),
        table("nhi-controls", "NHI controls called for", _ALERTS,
              [count(), terms("nhi.notable.controls.id", "control", 10),
               terms("nhi.notable.controls.status", "status", 3)], _PROMOTED),
        table("nhi-attack", "NHI ATT&CK techniques", _ALERTS, [count(), terms("threat.technique.id", "technique", 15)],
              _PROMOTED),
    ]  # fmt: skip


def _identity() -> list[Json]:
    alert_columns = ("event.risk_score", "nhi.notable.severity", "nhi.change", "rule.name", "event.reason",
                     "source.ip", "nhi.notable.revision")  # fmt: skip
    return [
        markdown("nhi-identity-help", "NHI identity: how to use",
                 "Pick an identity above. Or click the plus beside one on *NHI notables*, pin the filter, and come "
                 "here. The score of a day is that of its worst episode; a day without a point had no event."),
        over_time("nhi-score", "NHI score of notables", _ALERTS, [greatest("event.risk_score", "score")],
                  ("service.id", "")),
        search("nhi-revisions", "NHI revisions of notables", (_ALERTS, alert_columns, ("@timestamp", "desc")), ""),
    ]  # fmt: skip


def _health() -> list[Json]:
    columns = ("event.outcome", "message", "host.name", "nhi.health.read", "nhi.health.rejected", "nhi.health.alerts",
               "nhi.health.seconds", "nhi.health.until")  # fmt: skip
    return [
        over_time("nhi-runs", "NHI runs", _HEALTH, [count()], ("event.outcome", "")),
        over_time("nhi-read", "NHI documents read", _HEALTH, [_sum("nhi.health.read", "read")], ("", "")),
        over_time("nhi-seconds", "NHI seconds a run", _HEALTH, [average("nhi.health.seconds", "seconds")], ("", "")),
        table("nhi-last", "NHI newest of each stream", _HEALTH,
              [newest("@timestamp", "last run"), newest("nhi.health.until", "read until"),
               terms("data_stream.namespace", "namespace", 10)]),
        search("nhi-log", "NHI runs, newest first", (_HEALTH, columns, ("@timestamp", "desc")), ""),
    ]  # fmt: skip


def _sum(field: str, label: str) -> Json:
    return {"type": "sum", "params": {"field": field, "customLabel": label}, "schema": "metric"}


def _dashboards(digest: str) -> Iterable[Json]:
    told = f"({MARK}{digest})"
    yield dashboard(
        ("nhi-dashboard-notables", "NHI notables", f"What to look at first. {told}"),
        [("search", "nhi-notables", 48, 18), ("visualization", "nhi-worst", 24, 14),
         ("visualization", "nhi-by-severity", 24, 14), ("visualization", "nhi-signals", 16, 12),
         ("visualization", "nhi-controls", 16, 12), ("visualization", "nhi-attack", 16, 12),
         ("search", "nhi-below", 48, 14)], "now-7d",
    )  # fmt: skip
    yield dashboard(
        ("nhi-dashboard-identity", "NHI identity", f"One identity: its notables over time. {told}"),
        [("visualization", "nhi-identity-help", 48, 5), ("visualization", "nhi-score", 48, 10),
         ("search", "nhi-revisions", 48, 14)], "now-90d",
        [control("nhi-pick", _ALERTS, "service.id", "Identity")],
    )  # fmt: skip
    yield dashboard(
        ("nhi-dashboard-health", "NHI health", f"Whether the job runs, and what it reads. {told}"),
        [("visualization", "nhi-last", 24, 10), ("visualization", "nhi-runs", 24, 10),
         ("visualization", "nhi-read", 24, 10), ("visualization", "nhi-seconds", 24, 10),
         ("search", "nhi-log", 48, 14)], "now-24h",
    )  # fmt: skip


def _digest(objects: list[Json]) -> str:
    return hashlib.sha256(orjson.dumps(objects, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def ndjson(objects: Iterable[Json]) -> bytes:
    """One object a line."""
    return b"".join(orjson.dumps(each) + b"\n" for each in objects)


def rules_file() -> bytes:
    """What `POST /api/detection_engine/rules/_import` takes, with the line that an export ends with."""
    told = rules.every()
    return ndjson([*told, {"exported_count": len(told), "exported_rules_count": len(told), "missing_rules": [],
                           "missing_rules_count": 0}])  # fmt: skip


def objects_file() -> bytes:
    """What `POST /api/saved_objects/_import` takes, with the line that an export ends with."""
    objects = saved_objects()
    summary = {"exportedCount": len(objects), "missingRefCount": 0, "missingReferences": [],
               "excludedObjectsCount": 0, "excludedObjects": []}  # fmt: skip
    return ndjson([*objects, summary])


def _plain(name: str) -> str:
    """A file's name: "NHI alerts (nhi_watch)" → nhi_alerts."""
    return name.partition(" (")[0].lower().replace(" ", "_")


def files() -> dict[str, bytes]:
    """Name → content of every file that `--assets DIR` writes."""
    return {
        "nhi-rules.ndjson": rules_file(),
        "nhi-saved-objects.ndjson": objects_file(),
        **{f"{_plain(rule['name'])}.toml": rules.toml(rule).encode() for rule in rules.every()},
        "external-alerts-exception.json": orjson.dumps(external_alerts_exception(), option=orjson.OPT_INDENT_2) + b"\n",
    }
