"""Detection rules for Kibana: what makes alerts of ours, and one that watches the job.

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
        "severity rises. Name, severity and risk score are those of the notable.",
        "type": "query",
        "language": "kuery",
        "index": ["logs-nhi.alerts-*"],
        "query": f"event.kind:alert and data_stream.dataset:{DATASET} and nhi.change:(new or escalated)",
        "interval": "1m",
        "from": "now-24h",
        "timestamp_override": "event.ingested",
        "rule_name_override": "rule.name",
        "risk_score": 47,
        "risk_score_mapping": [{"field": "event.risk_score", "operator": "equals", "value": ""}],
        "severity": "medium",
        "severity_mapping": severity_mapping(),
        "max_signals": 1000,
        "note": "Read event.reason: the signals with most points, each with its sentence. nhi.brief tells the whole "
        "notable in sentences, each with its proof; what stands between backticks is out of a log. nhi.notable holds "
        "the timeline, what would have been normal, and the controls that are called for. Close with a reason, or tag "
        f"with nhi:confirmed or nhi:benign; `nhi elastic feedback` reads both back.{_HUNT}",
    }


def below() -> Json:
    """What has no place in the budget becomes a building block: Kibana hides these until they are asked for."""
    return {
        **promotion(),
        "rule_id": identifier("below"),
        "name": "NHI notables below the line (nhi_watch)",
        "description": "Makes a building block of each of the gravest notables that have no place in the budget: not "
        "among the alerts until Additional filters > Include building block alerts, and judged there like any other.",
        "query": f"event.kind:alert and data_stream.dataset:{DATASET} and nhi.change:below",
        "building_block_type": "default",
    }


def severity_mapping() -> list[Json]:
    """`event.severity` → Kibana's severity; informational and low are one."""
    codes = {code: name for name, code in SEVERITY_CODES.items()}
    return [
        {"field": "event.severity", "operator": "equals", "value": str(code), "severity": name}
        for code, name in sorted(codes.items())
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


def _watching(what: str, name: str, severity: str, score: int) -> Json:
    told = {"rule_id": identifier(what), "name": name, "severity": severity, "risk_score": score, "from": "now-24h"}
    return {**_COMMON, **told, "max_signals": 100, "severity_mapping": [], "risk_score_mapping": []}


def identifier(what: str) -> str:
    """A UUID that stays."""
    return str(uuid.uuid5(_SPACE, what))


def every() -> list[Json]:
    """All of them, the one that makes alerts of ours first."""
    return [promotion(), below(), silent()]


# ---- as a file of a repository of rules

_NOT_TOLD = {"enabled", "version", "exceptions_list", "actions", "filters"}


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
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if not isinstance(value, str):
        return str(value).lower()
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{plain}"""' if "\n" in value else f'"{plain}"'
