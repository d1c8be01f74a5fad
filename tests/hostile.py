"""Notables whose every text was chosen by an attacker: through the logs as they are read, and placed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from attack_strings import attacks
from core_samples import ACCOUNT, Going, Options, record
from desk_samples import KEY, MAKES, NETWORK, ROLE, USER, notable
from nhi_watch.core.notable import Control, ImpactFactor, NotableLink, TimelineEntry, clip
from nhi_watch.core.notable import NotableIdentity as Who
from nhi_watch.intake.sources import cloudtrail, entra, github
from nhi_watch.state.store import MemoryStore
from notable_samples import samples

ATTACKS = attacks()
SAMPLES = Path(__file__).parent / "data" / "sources"
DAY = 20_500
_TOR = "185.220.101.4"
_PLACES = {
    "github": ("user_agent", "repo", "actor", "workflow", "hashed_token", "programmatic_access_type", "name"),
    "entra": ("servicePrincipalName", "appDisplayName", "displayName", "userAgent", "resourceDisplayName"),
}
"""Where clients of these logs may put what they like."""


@lru_cache(None)
def by_hand(text: str) -> Any:
    """A notable with an attacker's text in every place that holds text out of a log."""
    who = Who(USER.id, f"arn:aws:iam::{USER.account}:user/{text}", "user", "aws", USER.account, clip(text, 200))
    other = Who(clip(ROLE.id + text, 500), ROLE.name, "role", "aws", ROLE.account, "")
    at = 1_771_236_000
    item = clip(text, 100)
    timeline = (TimelineEntry(at, clip(f"iam:{text}", 256), "success", clip(text, 256), item, 1.0, 2),)
    return notable(
        identity=who,
        members=(who, other),
        title=clip(f"{text}: new network", 200),
        summary=clip(text, 1_000),
        signals=(
            replace(NETWORK, evidence=clip(f"network {text} is new", 500)),
            replace(MAKES, evidence=clip(text, 500)),
        ),
        fresh=(clip(text, 200), clip(f"x{text}", 200)),
        timeline=timeline,
        controls=(
            Control("rotate_secret", True, clip(f"Rotate {text}", 900), "open"),
            Control("reduce_privilege", True, clip(text, 900) or "x", "open"),
        ),
        impact=replace_factors(clip(text, 200)),
        links=(NotableLink(who.id, other.id, "credential", clip(text, 200), (item,)),),
        record_ids=(item,),
        record_count=6,
    )


IMPACT = samples()[0].impact


def replace_factors(text: str) -> Any:
    """An impact whose values somebody else wrote."""
    impact = IMPACT
    factors = (*impact.factors, ImpactFactor("used by", text, 1.0), ImpactFactor("owner", text, 1.0))
    return replace(impact, reach=text, factors=factors)


@lru_cache(None)
def by_logs() -> list[Any]:
    """What the product itself makes of records that attackers wrote: CloudTrail, GitHub, Entra."""
    going = Going(MemoryStore(), [cloudtrail, github, entra], Options(1_000.0))
    going.feed(list(_records()))
    result = going.finish()
    return [*result.standing, *result.below]


def _records() -> Iterator[Any]:
    for number, text in enumerate(ATTACKS):
        yield from _stolen(number, text)
    for name in _PLACES:
        lines = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text("utf-8").splitlines()]
        natives = [line["record"] for line in lines if line.get("shape") == "native" and "event" in line]
        for number, text in enumerate(ATTACKS):
            yield _poisoned(natives[number % len(natives)], name, text)


def _stolen(number: int, text: str) -> Iterator[Any]:
    """A role's session that makes credentials and reads secrets from Tor; its name, its client, what it touches."""
    calls = (
        ("sts", "GetCallerIdentity"),
        ("iam", "CreateAccessKey"),
        ("iam", "AttachUserPolicy"),
        ("secretsmanager", "GetSecretValue"),
        ("s3", "GetObject"),
    )
    for minute, (service, call) in enumerate(calls):
        built = record(DAY, f"10:{minute:02}", role=f"r{number}", service=service, name=call, address=_TOR, agent=text)
        issuer = built["userIdentity"]["sessionContext"]["sessionIssuer"]
        built["userIdentity"]["arn"] = f"arn:aws:sts::{ACCOUNT}:assumed-role/r{number}/{text}"
        built["userIdentity"]["principalId"] += text
        # no peers, whose crowd would be folded: the last word of its name is its own
        name = f"{text}/{''.join(chr(97 + int(digit)) for digit in f'{number:03}')}"
        issuer["userName"], issuer["arn"] = name, f"arn:aws:iam::{ACCOUNT}:role/{name}"
        built["requestParameters"] = {
            "bucketName": text,
            "key": text,
            "userName": text,
            "secretId": text,
            "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        }
        built["errorCode"], built["errorMessage"] = ("", "") if minute else (text, text)
        yield built


def _poisoned(plain: Any, source: str, text: str) -> Any:
    """A record with the text in the places that its writer chooses."""
    if isinstance(plain, dict):
        return {
            k: text if k in _PLACES[source] and isinstance(v, str) else _poisoned(v, source, text)
            for k, v in plain.items()
        }
    return [_poisoned(item, source, text) for item in plain] if isinstance(plain, list) else plain


def credentials(document: Any) -> dict[str, list[str]]:
    """Identity id → secrets, an attacker's text among them."""
    members = document["members"] or [document["identity"]]
    return {member["id"]: [KEY, member["name"]] for member in members}
