"""What `nhi elastic setup` installs: mappings, templates, and the request for a key of least privilege."""

from __future__ import annotations

from typing import Any

from nhi_watch.hosts.elastic import access, intel
from nhi_watch.hosts.elastic import store as state
from nhi_watch.hosts.elastic.hits import SOURCES
from nhi_watch.intake import schemas

Json = dict[str, Any]
KEYWORD: Json = {"type": "keyword", "ignore_above": 1024}
LONG_KEYWORD: Json = {"type": "keyword", "ignore_above": 8191}
TEXT: Json = {"type": "text"}
DATE: Json = {"type": "date"}
FLOAT: Json = {"type": "float"}
LONG: Json = {"type": "long"}
IP: Json = {"type": "ip"}

_NAMED_ONLY = ("alerts", "endpoint")
"""Sources that are read only where `--index` names their indices: endpoints write more than all others together, and
among Kibana's alerts are those that it made of ours."""
SOURCE_INDICES = ",".join(
    dict.fromkeys(
        p for each in (*SOURCES, *schemas.every()) if each.NAME not in _NAMED_ONLY for p in each.ELASTIC_INDICES
    )
)
ALERTS = "logs-nhi.alerts"
HEALTH = "logs-nhi.health"
STATE = "nhi-state"
ANALYSTS = ".alerts-security.alerts-*"
"""Kibana's own alerts, from which `nhi elastic feedback` reads what analysts said; one for each space."""
READ = ("read", "view_index_metadata")
"""What it takes to read an index, and to ask how its fields are mapped."""
RETENTION = {ALERTS: "365d", HEALTH: "90d"}
PRIORITY = 250
"""Above Elastic's own templates for logs-*-* (100) and those of its integrations (200)."""

_BY_TYPE: tuple[tuple[Json, str], ...] = (
    (
        KEYWORD,
        "ecs.version tags data_stream.type data_stream.dataset data_stream.namespace event.kind "
        "event.category event.type event.module event.dataset event.provider event.id event.code "
        "event.action event.url event.reference rule.id rule.uuid rule.name rule.category "
        "rule.ruleset rule.version rule.author rule.license rule.reference threat.framework "
        "threat.tactic.id threat.tactic.name threat.tactic.reference threat.technique.id "
        "threat.technique.name threat.technique.reference threat.technique.subtechnique.id "
        "threat.technique.subtechnique.name threat.technique.subtechnique.reference service.id "
        "service.name service.type service.environment user.id user.name cloud.provider "
        "cloud.account.id cloud.region source.address related.user related.entity service.entity.id entity.id "
        "entity.name entity.type entity.sub_type entity.source observer.vendor observer.product "
        "observer.type observer.version host.name user_agent.original nhi.change nhi.notable.id "
        "nhi.notable.kind nhi.notable.severity nhi.notable.impact.level nhi.notable.merged_into "
        "nhi.notable.identity.id "
        "nhi.notable.identity.kind nhi.notable.identity.owner nhi.notable.signals.id "
        "nhi.notable.controls.id nhi.notable.controls.status nhi.notable.frameworks.owasp_nhi "
        "nhi.notable.frameworks.nist_csf nhi.notable.frameworks.mitre_attack nhi.notable.record_ids "
        "nhi.notable.model.id nhi.notable.model.sha256 nhi.notable.baseline.id",
    ),
    (LONG_KEYWORD, "event.reason rule.description"),
    (TEXT, "message nhi.brief"),
    (DATE, "@timestamp event.created event.ingested event.start event.end nhi.notable.created"),
    (
        FLOAT,
        "event.risk_score event.risk_score_norm nhi.notable.likelihood nhi.notable.signals.log_odds",
    ),
    (LONG, "event.severity nhi.notable.revision nhi.notable.rank nhi.notable.record_count"),
    (IP, "source.ip related.ip"),
)


_HEALTH: tuple[tuple[Json, str], ...] = (
    (
        KEYWORD,
        "ecs.version data_stream.type data_stream.dataset data_stream.namespace event.kind event.category event.type "
        "event.module event.dataset event.action event.outcome observer.vendor observer.product observer.type "
        "observer.version host.name nhi.health.model",
    ),
    (TEXT, "message"),
    (DATE, "@timestamp event.created event.ingested event.start event.end nhi.health.until"),
    (
        LONG,
        "nhi.health.read nhi.health.parsed nhi.health.rejected nhi.health.duplicates nhi.health.alerts "
        "nhi.health.events nhi.health.identities nhi.health.notables event.duration process.pid",
    ),
    (FLOAT, "nhi.health.seconds"),
)


def mapping(*by_type: tuple[Json, str]) -> Json:
    """A mapping of the fields named (with blanks between), each list with its type.

    Not dynamic: log contents are an attacker's, and must not grow the mapping.

    >>> mapping((LONG, "a.b c"))
    {'dynamic': False, 'properties': {'a': {'properties': {'b': {'type': 'long'}}}, 'c': {'type': 'long'}}}
    """
    root: Json = {"dynamic": False, "properties": {}}
    for kind, names in by_type:
        for name in names.split():
            *steps, last = name.split(".")
            node = root["properties"]
            for step in steps:
                node = node.setdefault(step, {"properties": {}})["properties"]
            node[last] = kind
    return root


def names(mapped: Json, path: str = "") -> dict[str, str]:
    """Field → type of all that a mapping holds.

    >>> names(mapping((LONG, "a.b")))
    {'a.b': 'long'}
    """
    found: dict[str, str] = {}
    for name, inner in mapped.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        found.update({here: inner["type"]} if "type" in inner else names(inner, here))
    return found


def mappings() -> dict[str, Json]:
    """Stream → every field that people filter on; the rest of a document is kept, but not indexed."""
    return {ALERTS: mapping(*_BY_TYPE), HEALTH: mapping(*_HEALTH)}


def component_templates() -> dict[str, Json]:
    """Name → body."""
    settings = {"index": {"number_of_shards": "1", "auto_expand_replicas": "0-1"}}
    found: dict[str, Json] = {}
    for stream, mapped in mappings().items():
        found[f"{stream}@mappings"] = {"template": {"mappings": mapped}}
        lifecycle = {"data_retention": RETENTION[stream]}
        found[f"{stream}@settings"] = {"template": {"settings": settings, "lifecycle": lifecycle}}
    return found


def index_templates() -> dict[str, Json]:
    """Name → body. `@custom` is where an administrator may add or override, and need not exist."""
    found: dict[str, Json] = {}
    for stream in mappings():
        found[stream] = {
            "index_patterns": [f"{stream}-*"],
            "data_stream": {},
            "composed_of": [f"{stream}@mappings", f"{stream}@settings", f"{stream}@custom"],
            "ignore_missing_component_templates": [f"{stream}@custom"],
            "priority": PRIORITY,
        }
    found[STATE] = {
        "index_patterns": [f"{STATE}-*"],
        "template": {"mappings": state.MAPPINGS, "settings": state_settings()},
        "priority": PRIORITY,
    }
    return found


def own_indices(namespace: str) -> list[tuple[str, str]]:
    """(index, its template) of every ordinary index that setup makes; data streams are made by the first write."""
    return [(f"{STATE}-{namespace}", STATE)]


def state_settings() -> Json:
    """One shard, so that rows are written in order; a replica where there is a second node."""
    return {"index": {**state.SETTINGS["index"], "auto_expand_replicas": "0-1"}}


def api_key_request(namespace: str, source: str = SOURCE_INDICES) -> Json:
    """Body of `POST /_security/api_key` for the scheduled job."""
    role = role_request(namespace, source)
    return {"name": f"nhi-run-{namespace}", "expiration": "90d", "role_descriptors": {"nhi_run": role}}


def role_request(namespace: str, source: str = SOURCE_INDICES) -> Json:
    """Body of `PUT /_security/role/nhi_run` for the scheduled job: no cluster privilege, and only these indices.

    `delete` is for rows of the state that are too old; nothing else is ever deleted. Patterns of remote clusters
    (`cluster:pattern`) are asked for twice: clusters that are connected by keys go by `remote_indices`, those that are
    connected by certificates by what the key may do with indices of that name.
    """
    patterns = source.split(",")
    indices = [
        {"names": list(dict.fromkeys(map(access.bare, patterns))), "privileges": list(READ)},
        *own(namespace),
        {"names": [ANALYSTS, intel.STREAMS], "privileges": list(READ)},
    ]
    remote = [_remote(name, patterns) for name in dict.fromkeys(map(access.cluster, patterns)) if name]
    return {"cluster": [], "indices": indices, **({"remote_indices": remote} if remote else {})}


def own(namespace: str) -> list[Json]:
    """What the job may do with its own indices."""
    return [
        {
            "names": [f"{ALERTS}-{namespace}", f"{HEALTH}-{namespace}"],
            "privileges": ["create_doc", "auto_configure", "read", "view_index_metadata"],
        },
        {"names": [f"{STATE}-{namespace}"], "privileges": ["read", "index", "delete", "view_index_metadata"]},
    ]


def _remote(name: str, patterns: list[str]) -> Json:
    names = [access.bare(pattern) for pattern in patterns if access.cluster(pattern) == name]
    return {"clusters": [name], "names": names, "privileges": ["read", "read_cross_cluster", "view_index_metadata"]}
