"""Detection rules for Kibana: what makes alerts of ours, and three that watch what the job writes beside them.

`toml` tells one in the form of Elastic's repository of rules, for those who keep detections as code.
"""

from __future__ import annotations

import uuid
from typing import Any

from nhi_watch.report.ecs import DATASET, SEVERITY_CODES

Json = dict[str, Any]
PROMOTION = "nhi-watch-promotion"
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "nhi_watch")
_COMMON: Json = {
    "filters": [], "enabled": True, "to": "now", "author": ["nhi_watch"], "license": "Apache-2.0",
    "tags": ["nhi_watch", "NHI"], "references": [], "false_positives": [], "threat": [], "exceptions_list": [],
    "actions": [], "version": 1,
}  # fmt: skip
_HUNT = """

## Hunt
All that was told of the identity, newest first (put its `service.id` in the place of ID):
```
FROM logs-nhi.alerts-* | WHERE service.id == "ID" AND nhi.change != "merged"
| SORT @timestamp DESC | KEEP @timestamp, nhi.change, event.risk_score, rule.name, event.reason, source.ip
```
Who else came from its addresses (those of `related.ip` in the place of IP):
```
FROM logs-nhi.alerts-* | WHERE related.ip IN ("IP")
| STATS worst = MAX(event.risk_score), latest = MAX(@timestamp) BY service.id | SORT worst DESC
```
What they did, in the logs themselves:
```
FROM logs-aws.cloudtrail-*, logs-azure.*, logs-gcp.audit-* | WHERE source.ip IN ("IP")
| STATS events = COUNT(*), earliest = MIN(@timestamp) BY event.provider, event.action, event.outcome | SORT earliest
```
"""


def promotion() -> Json:
    """First revisions and rises in severity become Kibana alerts, each once.

    It looks further back than it runs: Kibana makes no second alert of a document, and none is lost to a restart.
    """
    return {
        **_COMMON,
        "rule_id": PROMOTION,
        "name": "NHI alerts (nhi_watch)",
        "description": "Makes a Kibana alert of each new notable about a non-human identity, and again when its "
        "severity rises, from low on. Name and severity are those of the notable, the risk score is its likelihood.",
        "type": "query",
        "language": "kuery",
        "index": ["logs-nhi.alerts-*"],
        "query": f"event.kind:alert and data_stream.dataset:{DATASET} and nhi.change:(new or escalated) "
        "and not nhi.notable.severity:informational",
        "interval": "1m",
        "from": "now-24h",
        "timestamp_override": "event.ingested",
        "rule_name_override": "rule.name",
        "risk_score": 47,
        "risk_score_mapping": [{"field": "event.risk_score", "operator": "equals", "value": ""}],
        "severity": "medium",
        "severity_mapping": severity_mapping(),
        "max_signals": 1000,
        "note": "Read event.reason: the signals that raise the likelihood most, each with its sentence. nhi.brief tells "
        "the whole notable in sentences, each with its proof; what stands between backticks is out of a log. nhi.notable holds "
        "the timeline, what would have been normal, and the controls that are called for. Close with a reason, or tag "
        f"with nhi:confirmed or nhi:benign; `nhi elastic feedback` reads both back.{_HUNT}",
    }


def below() -> Json:
    """What has no place, or is informational, is a building block: Kibana hides it until it is asked for."""
    return {
        **promotion(),
        "rule_id": identifier("below"),
        "name": "NHI notables below the line (nhi_watch)",
        "description": "Makes a building block of each of the gravest notables that have no place in the budget, and "
        "of what is informational: not among the alerts until Additional filters > Include building block alerts, and "
        "judged there like any other.",
        "query": f"event.kind:alert and data_stream.dataset:{DATASET} and (nhi.change:below or "
        "(nhi.change:(new or escalated) and nhi.notable.severity:informational))",
        "building_block_type": "default",
    }


def severity_mapping() -> list[Json]:
    """`event.severity` → Kibana's severity, which has none below low."""
    return [
        {"field": "event.severity", "operator": "equals", "value": str(code), "severity": {1: "low"}.get(code, name)}
        for name, code in SEVERITY_CODES.items()
    ]


def silent() -> Json:
    """The job has left no heartbeat for half an hour.

    It runs once an hour, and looks for those that fell silent within the last one: one alert for each silence.
    """
    return {
        **_watching("silent", "NHI job is silent (nhi_watch)", "high", 73),
        "description": "The job that scores non-human identities has left no heartbeat for half an hour: nothing that "
        "came in since then was looked at.",
        "type": "esql",
        "language": "esql",
        "query": "FROM logs-nhi.health-* | STATS latest = MAX(@timestamp) BY data_stream.namespace "
        "| WHERE latest < NOW() - 30 minutes AND latest >= NOW() - 95 minutes",
        "interval": "1h",
        "note": "Look at the scheduler and the job's own output, and run `nhi elastic doctor`. Nothing is lost: the "
        "next run reads from the last checkpoint. Where a job runs less often than every 30 minutes, make a copy of "
        "this rule with a longer time.",
    }


def exposed() -> Json:
    """A long-lived credential that was told to be exposed and is not deleted."""
    return {
        **_watching("exposed", "NHI credential is exposed (nhi_watch)", "high", 73),
        "description": "A long-lived credential of a non-human identity was reported as exposed, and is not deleted.",
        "type": "query",
        "language": "kuery",
        "index": ["logs-nhi.inventory-*"],
        "query": "nhi.inventory.what:credential and nhi.inventory.exposed:true and nhi.inventory.state:(active or "
        "deactivated)",
        "interval": "5m",
        "timestamp_override": "event.ingested",
        "note": "Rotate it, then delete it: `entity.id` is the credential, `service.id` whose it is. One that is "
        f"deactivated can be made active again by whoever may do so.{_HUNT}",
    }


def fresh() -> Json:
    """An identity that was not seen for a month."""
    return {
        **_watching("fresh", "NHI identity is new (nhi_watch)", "low", 21),
        "enabled": False,
        "description": "A non-human identity that was not seen in the last 30 days. Off at first: in a young tenant "
        "every identity is new.",
        "type": "new_terms",
        "language": "kuery",
        "index": ["logs-nhi.inventory-*"],
        "query": "nhi.inventory.what:identity",
        "new_terms_fields": ["entity.id"],
        "history_window_start": "now-30d",
        "interval": "5m",
        "timestamp_override": "event.ingested",
        "note": f"Find its owner, and give it one in the table of assets. What made it is in the logs.{_HUNT}",
    }


def _watching(what: str, name: str, severity: str, score: int) -> Json:
    told = {"rule_id": identifier(what), "name": name, "severity": severity, "risk_score": score, "from": "now-24h"}
    return {**_COMMON, **told, "max_signals": 100, "severity_mapping": [], "risk_score_mapping": []}


def identifier(what: str) -> str:
    """A UUID that stays."""
    return str(uuid.uuid5(_SPACE, what))


def every() -> list[Json]:
    """All of them, the one that makes alerts of ours first."""
    return [promotion(), below(), silent(), exposed(), fresh()]


# ---- as a file of a repository of rules

_NOT_TOLD = {"enabled", "version", "exceptions_list", "actions", "filters", "new_terms_fields", "history_window_start"}


def toml(rule: Json) -> str:
    """The rule as TOML, with the metadata that goes before it."""
    told = {name: value for name, value in rule.items() if name not in _NOT_TOLD and value not in ([], "")}
    if told["rule_id"] == PROMOTION:
        told["rule_id"] = identifier(PROMOTION)
    lines = ["[metadata]", 'creation_date = "2026/11/27"', 'integration = ["nhi_watch"]', 'maturity = "production"',
             'updated_date = "2026/11/27"', "", "[rule]"]  # fmt: skip
    tables = {name: value for name, value in told.items() if name.endswith("_mapping")}
    lines += [f"{name} = {_value(value)}" for name, value in sorted(told.items()) if name not in tables]
    for name, entries in sorted(tables.items()):
        for entry in entries:
            lines += ["", f"[[rule.{name}]]", *(f"{key} = {_value(value)}" for key, value in entry.items())]
    if rule["type"] == "new_terms":
        fields, start = rule["new_terms_fields"], rule["history_window_start"]
        lines += ["", "[rule.new_terms]", 'field = "new_terms_fields"', f"value = {_value(fields)}",
                  "[[rule.new_terms.history_window_start]]", 'field = "history_window_start"',
                  f"value = {_value(start)}"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if not isinstance(value, str):
        return str(value).lower()
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{plain}"""' if "\n" in value else f'"{plain}"'
