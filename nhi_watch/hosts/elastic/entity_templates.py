"""Mappings and templates of what is written about identities, and of how runs went."""

from __future__ import annotations

from typing import Any

from nhi_watch.hosts.elastic.fields import DATE, FLOAT, KEYWORD, LONG, TEXT, mapping

Json = dict[str, Any]

RISK = "logs-nhi.risk"
INVENTORY = "logs-nhi.inventory"
HEALTH = "logs-nhi.health"
LATEST = "nhi-entities-latest"
STREAMS = (RISK, INVENTORY, HEALTH)
RETENTION = {RISK: "365d", INVENTORY: "365d", HEALTH: "90d"}

_COMMON = (
    "ecs.version tags data_stream.type data_stream.dataset data_stream.namespace event.kind event.category event.type "
    "event.module event.dataset event.provider event.action service.id service.name service.type service.environment "
    "user.id user.name cloud.provider cloud.account.id related.user observer.vendor observer.product observer.type "
    "observer.version entity.id entity.name entity.type entity.sub_type entity.source service.entity.id related.entity"
)
_DATES = "@timestamp event.created event.ingested"
_SCORE = (
    (FLOAT, "event.risk_score event.risk_score_norm nhi.risk.likelihood"),
    (LONG, "event.severity"),
    (KEYWORD, "nhi.risk.severity nhi.risk.model"),
    (DATE, "event.start event.end nhi.risk.day"),
)
_FACTS = (
    (KEYWORD, "nhi.inventory.what nhi.inventory.owner nhi.inventory.criticality"),
    (DATE, "nhi.inventory.first_seen nhi.inventory.last_seen"),
)
_CREDENTIAL = (
    (KEYWORD, "nhi.inventory.credential nhi.inventory.state"),
    ({"type": "boolean"}, "nhi.inventory.exposed"),
)
_COUNTS = (
    (LONG, "nhi.health.read nhi.health.parsed nhi.health.rejected nhi.health.duplicates nhi.health.alerts "
           "nhi.health.events nhi.health.identities nhi.health.notables event.duration process.pid"),
    (FLOAT, "nhi.health.seconds"),
    (DATE, "event.start event.end nhi.health.until"),
    (KEYWORD, "event.outcome nhi.health.model host.name"),
)  # fmt: skip
_SHARED = ((KEYWORD, _COMMON), (TEXT, "message"), (DATE, _DATES))


def mappings() -> dict[str, Json]:
    """Stream, or the latest index → its mapping; none of them is dynamic, see `templates`."""
    return {
        RISK: mapping(*_SHARED, *_SCORE),
        INVENTORY: mapping(*_SHARED, *_FACTS, *_CREDENTIAL),
        HEALTH: mapping(*_SHARED, *_COUNTS),
        LATEST: mapping(*_SHARED, *_SCORE, *_FACTS),
    }


def component_templates() -> dict[str, Json]:
    """Name → body."""
    settings = {"index": {"number_of_shards": "1", "auto_expand_replicas": "0-1"}}
    found: dict[str, Json] = {}
    for stream in STREAMS:
        found[f"{stream}@mappings"] = {"template": {"mappings": mappings()[stream]}}
        lifecycle = {"data_retention": RETENTION[stream]}
        found[f"{stream}@settings"] = {"template": {"settings": settings, "lifecycle": lifecycle}}
    return found


def index_templates(priority: int) -> dict[str, Json]:
    """Name → body; `@custom` is where an administrator may add or override, and need not exist."""
    found: dict[str, Json] = {}
    for stream in STREAMS:
        found[stream] = {
            "index_patterns": [f"{stream}-*"],
            "data_stream": {},
            "composed_of": [f"{stream}@mappings", f"{stream}@settings", f"{stream}@custom"],
            "ignore_missing_component_templates": [f"{stream}@custom"],
            "priority": priority,
        }
    found[LATEST] = {
        "index_patterns": [f"{LATEST}-*"],
        "template": {
            "mappings": mappings()[LATEST],
            "settings": {"index": {"number_of_shards": "1", "auto_expand_replicas": "0-1"}},
        },
        "priority": priority,
    }
    return found


def privileges(namespace: str) -> list[Json]:
    """What the scheduled job may do with them."""
    return [
        {
            "names": [f"{stream}-{namespace}" for stream in STREAMS],
            "privileges": ["create_doc", "auto_configure", "read", "view_index_metadata"],
        },
        {"names": [f"{LATEST}-{namespace}"], "privileges": ["read", "index", "view_index_metadata"]},
    ]
