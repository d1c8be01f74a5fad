"""A document for each run, also for those that failed: silence is then a finding, and Kibana can alert on it."""

from __future__ import annotations

import os
import socket
import traceback
from pathlib import Path
from typing import Any, NamedTuple, Optional

from elasticsearch import ApiError, Elasticsearch, TransportError

from nhi_watch import __version__
from nhi_watch.core.errors import NhiError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.templates import HEALTH
from nhi_watch.report.ecs import ECS_VERSION

Json = dict[str, Any]
_COUNTS = ("read", "parsed", "duplicates", "events", "identities", "notables")
_LONGEST = 500


class Times(NamedTuple):
    """When a run began and ended, in seconds since the epoch as the cluster has them."""

    began: float
    now: float


def beat(client: Elasticsearch, namespace: str, times: Times, outcome: Json) -> Optional[str]:
    """Write how a run went, or that it did nothing; returns why that could not be written."""
    how = "failure" if troubles(outcome) else "success"
    return _write(client, namespace, _document(namespace, times, (how, _sentence(outcome)), _counts(outcome)))


def failed(client: Elasticsearch, namespace: str, times: Times, error: BaseException) -> Optional[str]:
    """Write that a run failed, and of what; returns why that could not be written."""
    return _write(client, namespace, _document(namespace, times, ("failure", described(error)), {}))


def described(error: BaseException) -> str:
    """What an error says; of one that is a defect its name and place, too.

    >>> described(ValueError("no"))
    'ValueError: no'
    """
    if isinstance(error, NhiError):
        return str(error)[:_LONGEST]
    trace = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(trace[-1].filename).name}:{trace[-1].lineno})" if trace else ""
    return f"{type(error).__name__}: {str(error)[: _LONGEST // 2]}{place}"


def troubles(outcome: Json) -> list[str]:
    """What went wrong although the run ended, a sentence each."""
    aside = [f"set aside {each['documents']:,} documents of {each['index']}: {each['why']}"
             for each in outcome.get("set_aside", ())]  # fmt: skip
    return aside + [f"not read: {each['index']}: {each['why']}" for each in outcome.get("unread", ())]


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
        told = f"nothing done: {outcome['skipped']}"
    else:
        told = f"read {outcome['read']:,} documents, wrote {outcome['alerts']['created']:,} alerts"
    return "; ".join([told, *troubles(outcome)])[:_LONGEST]


def _document(namespace: str, times: Times, how: tuple[str, str], counts: Json) -> Json:
    began, now = times
    outcome, message = how
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
