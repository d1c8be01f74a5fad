"""Exposed credentials: what scanners and providers say has leaked. Logs alone lose the race with a thief.

Read are: trufflehog's and gitleaks' JSON, GitGuardian's incidents (API and webhook), GitHub's secret-scanning alerts
(API, webhook and Elastic's github.secret_scanning) and AWS Health's notices of exposed credentials.

- The identity is the exposed credential's own: its IAM user where a scanner has asked AWS, else the credential
  (`credential`), which other sources' events name as well: an AWS key id; a GitHub token by GitHub's own
  `hashed_token`; the key id of a Google service account; else `sha256:` and 16 hex digits of the secret.
- No secret gets into an Event.
- The time is that of the commit or of the notice; scanners give no time for files that are in no repository, then
  the host's time of indexing is taken, if it has one.
- Operations: SecretFound, SecretVerified (it works), SecretResolved (revoked or called harmless), KeyExposed (AWS).

Traits: secret_alert, verified, public, resolved, quarantine (AWS has put its quarantine policy on the user).

Reject reasons: not_object, bad_json, too_deep, not_exposure, no_secret, no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from base64 import b32decode, b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import account_of
from nhi_watch.core.remembered import remembered
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes.forms import Tree, at, claimant, dataset, every, inner, native, part, rows_of
from nhi_watch.intake.shapes.values import build_event, listed, moment, plain, secret_hash, text, true

# ---- feeds
#
# Findings of each feed in one form.


Row = Mapping[str, Any]
_NO_EXTRA = ("", "", "")


class LeakedSecret(NamedTuple):
    """One leaked secret; kept only while its record is read, because `secrets` are what it says."""

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


def _has(row: Mapping[str, Any], name: str, inner_name: str) -> bool:
    value = row.get(name)
    return value.__class__ is dict and inner_name in value


def _part(row: Row, name: str, other: Row) -> Row:
    value = row.get(name)
    return value if value.__class__ is dict else other


_CREDENTIALS_IN_URL = re.compile(r"//[^/@\s]{1,300}@")


def _place(*parts: object) -> str:
    """Where it lies, short, without the user and password that an address may hold."""
    place_text = ":".join([piece for piece in [plain(p)[:300].partition("?")[0] for p in parts] if piece])
    return _CREDENTIALS_IN_URL.sub("//", place_text) if "@" in place_text else place_text


@remembered(4096)
def _owner(repository: str) -> str:
    """The organisation of a repository's address or name.

    >>> _owner("https://github.com/acme/shop.git"), _owner("acme/shop"), _owner("")
    ('acme', 'acme', '')
    """
    parts = re.sub(r"^\w+://(?:[^/@]*@)?[^/]+/", "", repository).split("/")
    return parts[0] if len(parts) > 1 else ""


def _secrets(row: Row, *names: str) -> tuple[str, ...]:
    return tuple([plain(row.get(name))[:8192] for name in names])


def _trufflehog(row: Row) -> LeakedSecret:
    places, extra = inner(inner(row, "SourceMetadata"), "Data"), inner(row, "ExtraData")
    where: Row = next((v for v in places.values() if v.__class__ is dict), {})
    of = where.get
    repository = plain(of("repository") or of("bucket") or of("image") or of("link"))
    return LeakedSecret(
        secrets=_secrets(row, "Raw", "RawV2", "Redacted"),
        kind=plain(row.get("DetectorName"))[:512],
        time=_spaced(plain(of("timestamp"))),
        place=_place(repository, of("file")),
        owner=_owner(_place(repository)),
        own_id=plain(of("commit"))[:512] + plain(of("line"))[:32],
        verified=row.get("Verified") is True or true(row.get("Verified")),
        public=plain(of("visibility")) in ("0", "public"),
        extra=_asked(extra) if extra else _NO_EXTRA,
    )


def _asked(extra: Row) -> tuple[str, str, str]:
    return plain(extra.get("account"))[:64], plain(extra.get("arn"))[:512], plain(extra.get("user_id"))[:256]


_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})\b", re.ASCII)


def _spaced(content: str) -> str:
    """Go writes times as `2026-03-02 10:00:00 +0100 CET`.

    >>> _spaced("2026-03-02 10:00:00 +0100 CET"), _spaced("2026-03-02T10:00:00Z")
    ('2026-03-02 10:00:00+0100', '2026-03-02T10:00:00Z')
    """
    match = _GO.match(content)
    return match[1] + match[2] if match else content


def _gitleaks(row: Row) -> LeakedSecret:
    of = row.get
    repository = plain(of("Repository") or of("repo"))
    return LeakedSecret(
        secrets=_secrets(row, "Secret", "Match"),
        kind=plain(of("RuleID"))[:512],
        time=of("Date"),
        place=_place(repository, of("File")),
        owner=_owner(repository),
        own_id=plain(of("Fingerprint"))[:512] or plain(of("Commit"))[:256] + plain(of("StartLine"))[:32],
    )


def _gitguardian(row: Row) -> LeakedSecret:
    incident = _part(row, "incident", row)
    first: Tree = next(iter(rows_of(incident.get("occurrences"))), {})
    source = text(at(first, "source.full_name")) or text(at(incident, "source.full_name"))
    matches = [text(v, 8192) for v in every(first, "matches.value") + every(first, "matches.match")]
    return LeakedSecret(
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


def _github(row: Row) -> LeakedSecret:
    alert, repo = _part(row, "alert", row), inner(row, "repository")
    of = alert.get
    repository = plain(repo.get("full_name") or repo.get("name"))[:512]
    address = plain(of("html_url"))[:512]
    action = plain(row.get("action") or of("state"))[:512]
    return LeakedSecret(
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


def _aws_health(row: Row) -> LeakedSecret:
    code = text(at(row, "detail.eventTypeCode")).upper()
    keys = tuple(text(v) for v in every(row, "detail.affectedEntities.entityValue") + every(row, "resources"))
    words = " ".join(text(v, 8192) for v in every(row, "detail.eventDescription.latestDescription"))
    exposed = "EXPOSED" in code or "CREDENTIAL" in code or "COMPROMISED" in code
    account = text(row.get("account")) or text(at(row, "detail.affectedAccount"))
    return LeakedSecret(
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


_FEEDS: dict[str, Callable[[Row], LeakedSecret]] = {
    "trufflehog": _trufflehog,
    "gitleaks": _gitleaks,
    "gitguardian": _gitguardian,
    "github": _github,
    "aws-health": _aws_health,
}


# ---- secrets
#
# From a leaked secret to the name under which other logs know the credential. The secret itself stays behind.


class Secret(NamedTuple):
    """A credential by its public names."""

    provider: str
    account: str
    credential: str
    name: str
    user_id: str = ""
    """The IAM user's unique id, where the scanner asked AWS for it."""


_KEY = re.compile(r"(?<![A-Z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Z0-9])")
_GITHUB = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{50,255})")
_GOOGLE_KEY = re.compile(r'"private_key_id"\s*:\s*"([0-9a-f]{20,64})"')
_GOOGLE_MAIL = re.compile(r'"client_email"\s*:\s*"([^"\s]{1,200}@[^"\s]{1,200})"')
_PROVIDERS = ("aws", "github", "gitlab", "okta", "google", "gcp", "azure", "snowflake", "openai", "anthropic")
_ALIASES = {"google": "gcp", "azure": "entra"}


def secret_of(finding: LeakedSecret) -> Secret:
    """The credential that a finding is about; `credential` is "" when it gives none."""
    texts = [secret for secret in finding.secrets if secret]
    for content in texts:
        key = _KEY.search(content)
        if key:
            return _aws(key[0], finding)
    for content in texts:
        token = _GITHUB.search(content)
        if token:
            hashed = github_hash(token[0])
            return Secret("github", "", hashed, f"GitHub token {hashed[:12]}")
        google = _GOOGLE_KEY.search(content)
        if google:
            mail = _GOOGLE_MAIL.search(content)
            return Secret("gcp", "", google[1], mail[1] if mail else f"service-account key {google[1][:12]}")
    return _other(finding, texts)


def _other(finding: LeakedSecret, texts: list[str]) -> Secret:
    kind = finding.kind.lower()
    named = next((name for name in _PROVIDERS if name in kind), "exposure")
    provider = _ALIASES.get(named, named)
    value = secret_hash(texts[0]) if texts else secret_hash(finding.hashed)
    credential = f"sha256:{value}" if value else ""
    return Secret(provider, "", credential, f"{finding.kind[:80] or 'secret'} {value}")


def _aws(key: str, finding: LeakedSecret) -> Secret:
    account, arn, user_id = finding.extra
    account = account or account_of(arn) or account_of_key(key)
    user = user_id.partition(":")[0] if user_id.startswith("AIDA") else ""
    return Secret("aws", account, key, arn if user else f"access key {key}", user)


def github_hash(token: str) -> str:
    """A token's hash as GitHub's audit log has it in `hashed_token`: base64 of SHA-256.

    >>> github_hash("ghp_made_up_for_this_test")
    '5yWUydkdk7yNL1AtwYkUldjKMCas6fcwSz2SmLUZpjs='
    """
    return b64encode(sha256(token.encode()).digest()).decode()


def account_of_key(key: str) -> str:
    """The account that an access key id encodes, or "" for keys from before 2019 (`AKIAI…`, `AKIAJ…`).

    Bits 1 to 40 of the part after the prefix, read as base 32 (T. Be'ery, "A short note on AWS KEY ID", 2023).

    >>> account_of_key("ASIAQNZGKIQY56JQ7WML"), account_of_key("AKIAIOSFODNN7EXAMPLE")
    ('029608264753', '')
    """
    if key[4] in "IJ":
        return ""
    number = int.from_bytes(b32decode(key[4:])[:6], "big")
    return f"{(number & 0x7FFFFFFFFF80) >> 7:012}"


# ---- exposure


NAME = "exposure"
SPLUNK_SOURCETYPES = ("trufflehog", "gitleaks", "gitguardian:incident", "github:secret_scanning", "aws:health")
"""Names by convention: no add-on of the vendors' sets one."""
ELASTIC_INDICES = ("logs-github.secret_scanning-*", "logs-trufflehog*", "logs-gitleaks*", "logs-gitguardian*")


_DATASETS = ("github.secret_scanning", "trufflehog", "gitleaks", "gitguardian")
_RAW = (
    ('"DetectorName"', '"SourceMetadata"'),
    ('"RuleID"', '"Fingerprint"'),
    ('"gitguardian_url"', '"detector"'),
    ('"secret_type"', '"html_url"'),
    ('"aws.health"', '"eventTypeCode"'),
)


def _is_text(raw: str) -> bool:
    return any(mark in raw and two in raw for mark, two in _RAW)


claims = claimant(lambda row: feed_of(row) != "", _is_text, *_DATASETS, *(f"{name}.*" for name in _DATASETS))
"""Whether the record is a finding of one of the feeds, in any of its shapes."""


def _dataset(row: Mapping[str, Any]) -> str:
    dataset_name = dataset(row)
    return next((known for known in _DATASETS if dataset_name == known or dataset_name.startswith(known + ".")), "")


def _digest(finding: LeakedSecret) -> str:
    """A stand-in for what a finding says of the secret; "" where it says nothing."""
    content = "\n".join(finding.secrets).strip()
    return sha256(content.encode("utf-8", "surrogatepass")).hexdigest() if content else finding.hashed


def _state(finding: LeakedSecret) -> str:
    """Verified, public, resolved, quarantined: a letter each."""
    flags = (finding.verified, finding.public, finding.resolved, finding.quarantined)
    return "".join([letter for letter, holds in zip("vprq", flags) if holds])


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    kept = row.get("@timestamp") if is_ecs else cast(Mapping[str, Any], record).get("_time")
    fields = part(row, _dataset(row)) if is_ecs else row
    feed = feed_of(fields)
    if not feed:
        raise RejectError("not_exposure", "not a finding of a known feed")
    finding = _FEEDS[feed](fields)
    secret = secret_of(finding)
    if not secret.credential:
        raise RejectError("no_secret", "the finding names no credential, not even a hash")
    time = moment(finding.time or kept)
    content = f"{finding.own_id[:150]}:{_digest(finding)[:16]}:{_state(finding)}"
    return _event(feed, finding, secret)._replace(time=time, record_id=f"{feed}:{content}:{render(time)}")


# Nothing is remembered here: the values would hold secrets.


def _event(feed: str, finding: LeakedSecret, secret: Secret) -> Event:
    operation = _operation(feed, finding)
    marked_traits = {
        "secret_alert": True,
        "verified": finding.verified,
        "public": finding.public,
        "resolved": finding.resolved,
        "quarantine": finding.quarantined,
    }
    return build_event(
        0,
        _identity(secret),
        f"exposure:{operation}",
        account=secret.account or finding.owner[:128],
        credential=secret.credential,
        credential_type="key",
        access=actions.access("exposure", operation),
        agent=feed,
        target=finding.place[:200],
        marks=marked_traits,
        links=_links(secret, finding.extra[1]),
    )


def _links(secret: Secret, arn: str) -> tuple[str, ...]:
    """A GitHub token by its hash, an AWS user by its ARN where the user's own id is not given."""
    if secret.provider == "github":
        return (f"token:{secret.credential}",)
    return (f"arn:{arn}",) if secret.provider == "aws" and arn and not secret.user_id else ()


def _operation(feed: str, finding: LeakedSecret) -> str:
    if finding.resolved:
        return "SecretResolved"
    if feed == "aws-health":
        return "KeyExposed"
    return "SecretVerified" if finding.verified else "SecretFound"


def _identity(secret: Secret) -> Identity:
    if secret.user_id:
        identifier = f"aws:{secret.account}:user:{secret.user_id}"
        return Identity(identifier[:512], secret.name[:512], "user", "aws", secret.account, "")
    identifier = f"{secret.provider}:{secret.account}:credential:{secret.credential}"
    return Identity(identifier[:512], secret.name[:512], "credential", secret.provider, secret.account, "")
