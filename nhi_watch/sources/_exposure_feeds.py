"""Findings of each feed in one form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nhi_watch.sources._shapes import Tree, at, every, rows_of
from nhi_watch.sources._values import listed, text, true


class Finding(NamedTuple):
    """One leaked secret; lives only while its record is read, because `secrets` are what it says."""

    secrets: tuple[str, ...]
    """Texts in which the credential or its id may be found, best first."""
    kind: str = ""
    """The feed's name for the sort of secret."""
    time: Any = None
    place: str = ""
    owner: str = ""
    """Who owns the place: an organisation, an account."""
    own_id: str = ""
    verified: bool = False
    public: bool = False
    resolved: bool = False
    quarantined: bool = False
    extra: tuple[str, str, str] = ("", "", "")
    """What a scanner learnt from AWS: account, ARN, user id."""
    hashed: str = ""
    """The feed's own hash of the secret."""


def feed_of(row: Mapping[str, Any]) -> str:
    """Which feed a record is of, by its field names, nested or dotted; "" for none."""
    if "DetectorName" in row and ("SourceMetadata" in row or "SourceName" in row or "Raw" in row):
        return "trufflehog"
    if "RuleID" in row and ("Secret" in row or "Fingerprint" in row):
        return "gitleaks"
    if "gitguardian_url" in row or "incident.gitguardian_url" in row or _has(row, "incident", "gitguardian_url"):
        return "gitguardian"
    if "alert.secret_type" in row or _has(row, "alert", "secret_type"):
        return "github"
    if "secret_type" in row and "html_url" in row and ("state" in row or "secret" in row):
        return "github"
    return "aws-health" if row.get("source") == "aws.health" else ""


def _has(row: Mapping[str, Any], name: str, inner: str) -> bool:
    value = row.get(name)
    return value.__class__ is dict and inner in value


def _part(row: Tree, path: str, other: Tree) -> Tree:
    value = at(row, path)
    return value if value.__class__ is dict else other


def finding_of(feed: str, row: Tree) -> Finding:
    """The finding in a record of the feed."""
    return _FEEDS[feed](row)


_CREDENTIALS_IN_URL = re.compile(r"//[^/@\s]{1,300}@")


def _place(*parts: object) -> str:
    """Where it lies, short, without the user and password that an address may hold."""
    told = ":".join(part for part in (text(p, 300).split("?")[0] for p in parts) if part)
    return _CREDENTIALS_IN_URL.sub("//", told)


def _owner(repository: str) -> str:
    """The organisation of a repository's address or name.

    >>> _owner("https://github.com/acme/shop.git"), _owner("acme/shop"), _owner("")
    ('acme', 'acme', '')
    """
    parts = re.sub(r"^\w+://(?:[^/@]*@)?[^/]+/", "", repository).split("/")
    return parts[0] if len(parts) > 1 else ""


def _trufflehog(row: Tree) -> Finding:
    places = _part(row, "SourceMetadata.Data", {})
    where: Tree = next((v for v in places.values() if v.__class__ is dict), {})
    repository = text(where.get("repository") or where.get("bucket") or where.get("image") or where.get("link"))
    extra = _part(row, "ExtraData", {})
    return Finding(
        secrets=tuple(text(row.get(name), 8192) for name in ("Raw", "RawV2", "Redacted")),
        kind=text(row.get("DetectorName")),
        time=_spaced(text(where.get("timestamp"))),
        place=_place(repository, where.get("file")),
        owner=_owner(_place(repository)),
        own_id=text(where.get("commit")) + text(where.get("line")),
        verified=true(row.get("Verified")),
        public=text(where.get("visibility")) in ("0", "public"),
        extra=(text(at(extra, "account")), text(at(extra, "arn")), text(at(extra, "user_id"))),
    )


def _spaced(told: str) -> str:
    """Go writes times as `2026-03-02 10:00:00 +0100 CET`.

    >>> _spaced("2026-03-02 10:00:00 +0100 CET"), _spaced("2026-03-02T10:00:00Z")
    ('2026-03-02 10:00:00+0100', '2026-03-02T10:00:00Z')
    """
    match = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})\b", told)
    return match[1] + match[2] if match else told


def _gitleaks(row: Tree) -> Finding:
    return Finding(
        secrets=tuple(text(row.get(name), 8192) for name in ("Secret", "Match")),
        kind=text(row.get("RuleID")),
        time=row.get("Date"),
        place=_place(row.get("Repository") or row.get("repo"), row.get("File")),
        owner=_owner(text(row.get("Repository") or row.get("repo"))),
        own_id=text(row.get("Fingerprint")) or text(row.get("Commit")) + text(row.get("StartLine")),
    )


def _gitguardian(row: Tree) -> Finding:
    incident = _part(row, "incident", row)
    first: Tree = next(iter(rows_of(incident.get("occurrences"))), {})
    source = text(at(first, "source.full_name")) or text(at(incident, "source.full_name"))
    matches = [text(v, 8192) for v in every(first, "matches.value") + every(first, "matches.match")]
    return Finding(
        secrets=tuple(matches),
        kind=text(at(incident, "detector.name")) or text(at(incident, "detector.display_name")),
        time=incident.get("date") or row.get("timestamp"),
        place=_place(source, first.get("filepath") or at(first, "file_path")),
        owner=_owner(source),
        own_id=text(incident.get("id")) + text(row.get("action")),
        verified=text(incident.get("validity")) == "valid",
        public=text(at(first, "source.visibility")) == "public" or "PUBLICLY_EXPOSED" in listed(incident.get("tags")),
        resolved=text(incident.get("status")).upper() in ("RESOLVED", "IGNORED"),
        hashed=text(incident.get("secret_hash")) or text(incident.get("hmsl_hash")),
    )


def _github(row: Tree) -> Finding:
    alert = _part(row, "alert", row)
    repository = text(at(row, "repository.full_name")) or text(at(row, "repository.name"))
    address = text(alert.get("html_url"))
    action = text(row.get("action")) or text(alert.get("state"))
    return Finding(
        secrets=(text(alert.get("secret"), 8192),),
        kind=text(alert.get("secret_type")),
        time=alert.get("updated_at") or alert.get("created_at"),
        place=_place(repository or address),
        owner=text(at(row, "organization.login")) or _owner(repository) or _owner(address),
        own_id=address + action,
        verified=text(alert.get("validity")) == "active",
        public=true(alert.get("publicly_leaked")) or action == "publicly_leaked",
        resolved=action == "resolved" or text(alert.get("state")) == "resolved",
        hashed="alert:" + address if address else "",
    )


def _aws_health(row: Tree) -> Finding:
    code = text(at(row, "detail.eventTypeCode")).upper()
    keys = tuple(text(v) for v in every(row, "detail.affectedEntities.entityValue") + every(row, "resources"))
    words = " ".join(text(v, 8192) for v in every(row, "detail.eventDescription.latestDescription"))
    exposed = "EXPOSED" in code or "CREDENTIAL" in code or "COMPROMISED" in code
    account = text(row.get("account")) or text(at(row, "detail.affectedAccount"))
    return Finding(
        secrets=(*keys, words) if exposed else (),
        kind="aws",
        time=row.get("time"),
        place=" ".join(dict.fromkeys(key for key in keys if key))[:200],
        owner=account,
        own_id=text(at(row, "detail.eventArn")) or text(row.get("id")),
        verified=exposed,
        public=exposed,
        resolved=text(at(row, "detail.statusCode")) == "closed",
        quarantined="quarantine" in words.lower(),
        extra=(account, "", ""),
    )


_FEEDS: dict[str, Callable[[Tree], Finding]] = {
    "trufflehog": _trufflehog,
    "gitleaks": _gitleaks,
    "gitguardian": _gitguardian,
    "github": _github,
    "aws-health": _aws_health,
}
