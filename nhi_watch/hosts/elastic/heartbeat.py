"""A document for each run, also for those that failed: silence is then a finding, and Kibana can alert on it."""

from __future__ import annotations

import os
import socket
import time
from typing import Any, Optional

from elasticsearch import ApiError, Elasticsearch, TransportError

from nhi_watch import __version__
from nhi_watch.core.errors import NhiError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.entity_templates import HEALTH
from nhi_watch.report.ecs import ECS_VERSION

Json = dict[str, Any]
EVERY = 60
"""Seconds between two heartbeats of a run that follows."""
_COUNTS = ("read", "parsed", "duplicates", "events", "identities", "notables")
_LONGEST = 500


def beat(client: Elasticsearch, namespace: str, began: float, outcome: Json) -> Optional[str]:
    """Write that a run went well, or did nothing; returns why that could not be written."""
    return _write(client, namespace, _document(namespace, began, "success", _sentence(outcome), _counts(outcome)))


def failed(client: Elasticsearch, namespace: str, began: float, error: NhiError) -> Optional[str]:
    """Write that a run failed, and what it said; returns why that could not be written."""
    return _write(client, namespace, _document(namespace, began, "failure", str(error)[:_LONGEST], {}))


def _write(client: Elasticsearch, namespace: str, document: Json) -> Optional[str]:
    """Once, and without waiting long: a heartbeat must never keep a run from its work."""
    once = client.options(max_retries=0, request_timeout=10)
    try:
        once.index(index=f"{HEALTH}-{namespace}", op_type="create", document=document)
    except (ApiError, TransportError) as error:
        return str(error).partition("\n")[0][:_LONGEST]
    return None


def _counts(outcome: Json) -> Json:
    if "read" not in outcome:
        return {}
    until = outcome["window"]["until"]
    return {
        **{name: outcome[name] for name in _COUNTS},
        "rejected": sum(outcome["rejected"].values()),
        "alerts": outcome["alerts"]["created"],
        "seconds": outcome["seconds"]["total"],
        "until": until,
        "model": outcome["model"]["id"],
    }


def _sentence(outcome: Json) -> str:
    if "skipped" in outcome:
        return f"nothing done: {outcome['skipped']}"
    return f"read {outcome['read']:,} documents, wrote {outcome['alerts']['created']:,} alerts"


def _document(namespace: str, began: float, outcome: str, message: str, counts: Json) -> Json:
    now = time.time()
    return {
        "@timestamp": render(int(now)),
        "ecs": {"version": ECS_VERSION},
        "message": message,
        "data_stream": {"type": "logs", "dataset": HEALTH.partition("-")[2], "namespace": namespace},
        "event": {
            "kind": "state",
            "category": ["process"],
            "type": ["info"],
            "module": "nhi",
            "dataset": HEALTH.partition("-")[2],
            "action": "nhi-run",
            "outcome": outcome,
            "start": render(int(began)),
            "end": render(int(now)),
            "duration": int((now - began) * 1e9),
            "created": render(int(now)),
            "ingested": render(int(now)),
        },
        "host": {"name": socket.gethostname()},
        "process": {"pid": os.getpid()},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        "nhi": {"health": counts},
    }
