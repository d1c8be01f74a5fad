"""An alert about the job itself: that it failed, or gave a part of its documents up. Kibana's rule promotes it.

Each is written once a day for what it says, whatever is run again.
"""

from __future__ import annotations

import socket
from hashlib import sha256
from typing import Any, Optional

from elasticsearch import ApiError, ConflictError, Elasticsearch, TransportError

from nhi_watch import __version__
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.templates import ALERTS
from nhi_watch.report.ecs import DATASET, ECS_VERSION, SEVERITY_CODES
from nhi_watch.report.words import visible

Json = dict[str, Any]
_SCORE = 73.0
_DAY = 10


def tell(client: Elasticsearch, namespace: str, now: float, title: str, why: str) -> Optional[str]:
    """Write one, without waiting long; returns why that could not be done."""
    when = render(int(now))
    name = sha256(f"{namespace}|{title}|{why}|{when[:_DAY]}".encode("utf-8", "replace")).hexdigest()
    once = client.options(max_retries=0, request_timeout=10)
    try:
        once.create(index=f"{ALERTS}-{namespace}", id=name, document=_document(namespace, when, (name, title, why)))
    except ConflictError:
        return None
    except (ApiError, TransportError) as error:
        return str(error).partition("\n")[0][:300]
    return None


def _document(namespace: str, when: str, what: tuple[str, str, str]) -> Json:
    name, title, why = what
    return {
        "@timestamp": when,
        "ecs": {"version": ECS_VERSION},
        "message": visible(f"{title}: {why}"),
        "tags": ["nhi"],
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": {
            "kind": "alert", "category": ["intrusion_detection"], "type": ["info"], "module": "nhi", "dataset": DATASET,
            "id": f"job:{name}", "code": "job", "action": "nhi-run", "created": when, "ingested": when,
            "severity": SEVERITY_CODES["high"], "risk_score": _SCORE, "risk_score_norm": _SCORE,
            "reason": visible(why),
        },
        "rule": {"id": "nhi-job", "name": visible(title, 200), "category": "job", "ruleset": "nhi_watch",
                 "version": __version__, "author": ["nhi_watch"], "license": "Apache-2.0"},
        "service": {"id": f"nhi_watch:{namespace}", "name": f"nhi_watch ({namespace})", "type": "job"},
        "host": {"name": socket.gethostname()},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        "nhi": {"change": "new"},
    }  # fmt: skip
