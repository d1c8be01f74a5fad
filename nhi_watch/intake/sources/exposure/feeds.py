"""Findings of each feed in one form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from nhi_watch.intake.shapes.forms import Tree, at, every, inner, rows_of
from nhi_watch.intake.shapes.values import listed, plain, text, true

Row = Mapping[str, Any]
_NO_EXTRA = ("", "", "")


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
    extra: tuple[str, str, str] = _NO_EXTRA
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


def _part(row: Row, name: str, other: Row) -> Row:
    value = row.get(name)
    return value if value.__class__ is dict else other


def finding_of(feed: str, row: Row) -> Finding:
    """The finding in a record of the feed."""
    return _FEEDS[feed](row)


_CREDENTIALS_IN_URL = re.compile(r"//[^/@\s]{1,300}@")


def _place(*parts: object) -> str:
    """Where it lies, short, without the user and password that an address may hold."""
    told = ":".join([part for part in [plain(p)[:300].partition("?")[0] for p in parts] if part])
    return _CREDENTIALS_IN_URL.sub("//", told) if "@" in told else told


@lru_cache(maxsize=4096)
def _owner(repository: str) -> str:
    """The organisation of a repository's address or name.

    >>> _owner("https://github.com/acme/shop.git"), _owner("acme/shop"), _owner("")
    ('acme', 'acme', '')
    """
    parts = re.sub(r"^\w+://(?:[^/@]*@)?[^/]+/", "", repository).split("/")
    return parts[0] if len(parts) > 1 else ""


def _secrets(row: Row, *names: str) -> tuple[str, ...]:
    return tuple([plain(row.get(name))[:8192] for name in names])


def _trufflehog(row: Row) -> Finding:
    places, extra = inner(inner(row, "SourceMetadata"), "Data"), inner(row, "ExtraData")
    where: Row = next((v for v in places.values() if v.__class__ is dict), {})
    of = where.get
    repository = plain(of("repository") or of("bucket") or of("image") or of("link"))
    return Finding(
        secrets=_secrets(row, "Raw", "RawV2", "Redacted"),
        kind=plain(row.get("DetectorName"))[:512],
        time=_spaced(plain(of("timestamp"))),
        place=_place(repository, of("file")),
        owner=_owner(_place(repository)),
        own_id=plain(of("commit"))[:512] + plain(of("line"))[:32],
        verified=row.get("Verified") is True or true(row.get("Verified")),
        public=plain(of("visibility")) in ("0", "public"),
        extra=(plain(extra.get("account"))[:64], plain(extra.get("arn"))[:512], plain(extra.get("user_id"))[:256])
        if extra
        else _NO_EXTRA,
    )


_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})\b", re.ASCII)


def _spaced(told: str) -> str:
    """Go writes times as `2026-03-02 10:00:00 +0100 CET`.

    >>> _spaced("2026-03-02 10:00:00 +0100 CET"), _spaced("2026-03-02T10:00:00Z")
    ('2026-03-02 10:00:00+0100', '2026-03-02T10:00:00Z')
    """
    match = _GO.match(told)
    return match[1] + match[2] if match else told


def _gitleaks(row: Row) -> Finding:
    of = row.get
    repository = plain(of("Repository") or of("repo"))
    return Finding(
        secrets=_secrets(row, "Secret", "Match"),
        kind=plain(of("RuleID"))[:512],
        time=of("Date"),
        place=_place(repository, of("File")),
        owner=_owner(repository),
        own_id=plain(of("Fingerprint"))[:512] or plain(of("Commit"))[:256] + plain(of("StartLine"))[:32],
    )


def _gitguardian(row: Row) -> Finding:
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


def _github(row: Row) -> Finding:
    alert, home = _part(row, "alert", row), inner(row, "repository")
    of = alert.get
    repository = plain(home.get("full_name") or home.get("name"))[:512]
    address = plain(of("html_url"))[:512]
    action = plain(row.get("action") or of("state"))[:512]
    return Finding(
        secrets=_secrets(alert, "secret"),
        kind=plain(of("secret_type"))[:512],
        time=of("updated_at") or of("created_at"),
        place=_place(repository or address),
        owner=plain(inner(row, "organization").get("login"))[:512] or _owner(repository) or _owner(address),
        own_id=address + action,
        verified=of("validity") == "active",
        public=action == "publicly_leaked" or true(of("publicly_leaked")),
        resolved=action == "resolved" or of("state") == "resolved",
        hashed="alert:" + address if address else "",
    )


def _aws_health(row: Row) -> Finding:
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


_FEEDS: dict[str, Callable[[Row], Finding]] = {
    "trufflehog": _trufflehog,
    "gitleaks": _gitleaks,
    "gitguardian": _gitguardian,
    "github": _github,
    "aws-health": _aws_health,
}
