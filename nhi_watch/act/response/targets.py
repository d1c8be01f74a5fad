"""What an action may be aimed at: the parameters that an identity's id, name and credentials hold, strictly checked.

Names in logs are chosen by whoever made the thing. A value that does not have exactly the shape that the vendor's API
allows is left out, and the actions that need it are not proposed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nhi_watch.core.life import LIGHT

_CALLS = 20
"""Calls that a step names."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PATTERNS = {
    "aws_key": r"A[KS]IA[A-Z0-9]{12,124}",
    "aws_name": r"[\w+=,.@-]{1,64}",
    "calls": r"[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}(?:,[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}){0,19}",
    "before": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "app_id": _UUID,
    "secret_id": _UUID,
    "storage": r"[a-z0-9]{3,24}",
    "slot": r"key[12]",
    "email": rf"{_LABEL}@{_LABEL}\.iam\.gserviceaccount\.com",
    "gcp_key": r"[0-9a-f]{40}",
    "org": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "login": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "number": r"[1-9]\d{0,18}",
    "okta_app": r"0oa[A-Za-z0-9]{17}",
    "okta_token": r"00T[A-Za-z0-9]{17}",
    "okta_org": r"https://[a-z0-9-]{1,63}\.okta(?:preview|-emea)?\.com",
    "namespace": _LABEL,
    "service_account": rf"{_LABEL}(?:\.{_LABEL}){{0,3}}",
    "entity": _UUID,
    "sf_user": r"[A-Z0-9_.@$-]{1,120}",
    "anthropic_key": r"apikey_[A-Za-z0-9]{8,64}",
}
"""Parameter → what its value must be as a whole (ASCII only)."""

_ARN = re.compile(
    r"arn:aws[a-z-]{0,10}:iam::(?P<account>\d{12}):(?:user|role)/(?:[\w+=,.@-]{1,128}/){0,8}(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)
"""A whole ARN, or none: the end of something that only looks like one could name somebody else."""


def allowed(name: str, value: str) -> bool:
    """Whether a value has the shape of a parameter.

    >>> allowed("aws_name", "ci-deploy"), allowed("aws_name", "x; rm -rf /"), allowed("aws_name", "-x")
    (True, False, False)
    """
    return not value.startswith("-") and re.fullmatch(PATTERNS[name], value, re.ASCII) is not None


def parameters(
    member: Mapping[str, Any], credential: str, notable: Mapping[str, Any], calls: frozenset[str] = frozenset()
) -> dict[str, str]:
    """All parameters that one identity, one of its credentials ("" for none) and the notable hold.

    `calls`: what this identity called for the first time; needed where the notable is of several.
    """
    raw = {**_of_identity(member), **_of_credential(member, credential)}
    raw["before"] = notable["last_time"]  # its end, which its control says, too
    raw["calls"] = ",".join(_fresh_calls(notable, member, calls))
    return {name: value for name, value in sorted(raw.items()) if allowed(name, value)}


def _of_identity(member: Mapping[str, Any]) -> dict[str, str]:
    name, unique = str(member["name"]), str(member["id"])
    provider, kind, last = member["provider"], member["kind"], unique.rpartition(":")[2]
    if provider == "aws":
        arn = _ARN.fullmatch(name)
        if arn:
            return {"aws_name": arn["name"]} if arn["account"] == (member["account"] or arn["account"]) else {}
        # Some records of a user name it without its ARN; that AWS gave it a unique id says that it is one of IAM's.
        return {"aws_name": name} if kind == "user" and last.startswith("AIDA") else {}
    if provider == "kubernetes":
        parts = name.split(":")
        whole = len(parts) == 4 and name.startswith("system:serviceaccount:")
        return {"namespace": parts[2], "service_account": parts[3]} if whole else {}
    if provider == "github":
        return {"org": str(member["account"]), "login": name.removesuffix(" (token)") if kind == "token" else name}
    fixed = {"entra": "app_id", "gcp": "email", "vault": "entity", "snowflake": "sf_user", "okta": "okta_app"}
    if provider == "azure" and kind == "storage_key":
        return {"storage": str(member["account"]), "slot": last.partition("(")[0]}
    return {fixed[provider]: last} if provider in fixed else {}


def _of_credential(member: Mapping[str, Any], credential: str) -> dict[str, str]:
    kinds = {"aws": "aws_key", "entra": "secret_id", "gcp": "gcp_key", "okta": "okta_token", "gitlab": "number",
             "anthropic": "anthropic_key"}  # fmt: skip
    provider = member["provider"]
    if provider == "anthropic" and not credential:
        credential = str(member["id"]).rpartition(":")[2]
    return {kinds[provider]: credential} if provider in kinds else {}


def _fresh_calls(notable: Mapping[str, Any], member: Mapping[str, Any], calls: frozenset[str]) -> list[str]:
    """Calls that were news, those with most points: what the panel shows, and of what was odd what this one made."""
    if member["provider"] != "aws":
        return []
    seen = [o for d in notable["usual"]["dimensions"] if d["name"] == "action" for o in d["observed"]]
    fresh = {o["value"] for o in seen if o["new"] and "," not in o["value"]}
    fresh = fresh & calls if len(notable.get("members") or ()) > 1 else fresh
    points = {entry["action"]: entry["points"] for entry in sorted(notable["timeline"], key=lambda e: e["points"])}
    fresh |= {action for action in calls if points.get(action, 0.0) >= LIGHT}
    fit = (value for value in fresh if allowed("calls", value))
    return sorted(sorted(fit, key=lambda value: (-points.get(value, 0.0), value))[:_CALLS])
