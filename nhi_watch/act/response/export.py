"""An approved plan in the shape that a webhook, Splunk SOAR or Elastic's cases take.

Shapes: docs.splunk.com "REST Containers" and "REST Artifacts" (`POST /rest/container` with `artifacts`), and
elastic.co "Create a case" (`POST /api/cases`). No automation is started by what is handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from nhi_watch.act.response import plan as plans
from nhi_watch.core.errors import InputError

Json = Mapping[str, Any]
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SEVERITY = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
SECONDS = 20.0


def webhook(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """The plan and its approvals as they are."""
    return {"type": "nhi_watch.act.response.approved", "plan": dict(plan), "approvals": [dict(a) for a in approvals]}


def soar(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """A container with one artifact a step."""
    severity = {"critical": "high"}.get(_SEVERITY[plan["severity"]], _SEVERITY[plan["severity"]])
    artifacts = [
        {
            "name": f"Step {step['n']}: {step['what']}", "label": "nhi_response", "run_automation": False,
            "source_data_identifier": f"{plan['sha256'][:20]}-{step['n']}", "severity": severity,
            "cef": {"action": step["action"], "identity": step["identity"], "commands": step["shell"],
                    "undo": step["undo"], "with": step["with"]},
        }
        for step in plan["steps"]
    ]  # fmt: skip
    return {
        "name": _title(plan), "label": "events", "description": plans.text(plan), "severity": severity,
        "source_data_identifier": plan["sha256"], "status": "new", "artifacts": artifacts,
        "data": {"approvals": [dict(a) for a in approvals]},
    }  # fmt: skip


def elastic(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """A case of Elastic Security without a connector."""
    signed = [f"Approved by {a['by']} until {a['until']}, nonce {a['nonce']}" for a in approvals]
    return {
        "title": _title(plan)[:160], "description": "\n".join([plans.text(plan), *signed])[:30_000],
        "tags": ["nhi_watch", "approved"], "severity": _SEVERITY[plan["severity"]], "owner": "securitySolution",
        "settings": {"syncAlerts": False},
        "connector": {"id": "none", "name": "none", "type": ".none", "fields": None},
    }  # fmt: skip


def _title(plan: Json) -> str:
    return f"Approved response to notable {plan['notable']}: {len(plan['steps'])} steps"


class Kind(NamedTuple):
    """One receiver."""

    make: Callable[[Json, Sequence[Json]], dict[str, Any]]
    headers: Mapping[str, str]
    token: tuple[str, str]
    """Header and its beginning, for the token."""


KINDS = {
    "webhook": Kind(webhook, {}, ("Authorization", "Bearer ")),
    "soar": Kind(soar, {}, ("ph-auth-token", "")),
    "elastic": Kind(elastic, {"kbn-xsrf": "true"}, ("Authorization", "ApiKey ")),
}


def address(url: str) -> str:
    """A URL that may be posted to: https, or http on this machine.

    Raises:
        InputError: it may not.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"--url {url[:100]!r}: no URL ({error})") from error
    if parts.scheme == "https" and host and not parts.username:
        return url
    if parts.scheme == "http" and host in _LOCAL and not parts.username:
        return url
    raise InputError(f"--url {url[:100]!r}: give https://…, without a user in it; http only on this machine")


def token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: there is none.
    """
    try:
        told = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no token can be read here") from error
    if not told.isprintable() or not told:
        raise InputError(f"{path}: no token can be read here")
    return told


def post(kind: str, url: str, secret: str, payload: Json) -> int:
    """Send a payload; the status that was answered. Redirects are not followed.

    Raises:
        InputError: it was not taken.
    """
    where = KINDS[kind]
    headers = {**where.headers, **({where.token[0]: where.token[1] + secret} if secret else {})}
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = client.post(url, json=dict(payload), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputError(f"{url[:200]}: not delivered ({type(error).__name__})") from error
    if not 200 <= answer.status_code < 300:
        raise InputError(f"{url[:200]}: not taken (status {answer.status_code})")
    return answer.status_code
