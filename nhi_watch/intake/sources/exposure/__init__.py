"""Exposed credentials: what scanners and providers say has leaked. Logs alone lose the race with a thief.

Read are: trufflehog's and gitleaks' JSON, GitGuardian's incidents (API and webhook), GitHub's secret-scanning alerts
(API, webhook and Elastic's github.secret_scanning) and AWS Health's notices of exposed credentials.

- The identity is the exposed credential's own: its IAM user where a scanner has asked AWS, else the credential
  (`credential`), which other sources' events name as well: an AWS key id; a GitHub token by GitHub's own
  `hashed_token`; the key id of a Google service account; else `sha256:` and 16 hex digits of the secret.
- No secret gets into an Event.
- The time is that of the commit or of the notice; scanners tell no time for files that are in no repository, then
  the host's time of indexing is taken, if it has one.
- Operations: SecretFound, SecretVerified (it works), SecretResolved (revoked or called harmless), KeyExposed (AWS).

Traits: secret_alert, verified, public, resolved, quarantine (AWS has put its quarantine policy on the user).

Reject reasons: not_object, bad_json, too_deep, not_exposure, no_secret, no_time, bad_time, clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from nhi_watch.context import actions
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import render
from nhi_watch.intake.shapes.forms import dataset, native, part
from nhi_watch.intake.shapes.times import moment
from nhi_watch.intake.sources.exposure.feeds import Finding, feed_of, finding_of
from nhi_watch.intake.sources.exposure.secrets import Secret, secret_of

NAME = "exposure"
SPLUNK_SOURCETYPES = ("trufflehog", "gitleaks", "gitguardian:incident", "github:secret_scanning", "aws:health")
"""Names by convention: no add-on of the vendors' sets one."""
ELASTIC_INDICES = ("logs-github.secret_scanning-*", "logs-trufflehog*", "logs-gitleaks*", "logs-gitguardian*")

Row = Mapping[str, Any]

_DATASETS = ("github.secret_scanning", "trufflehog", "gitleaks", "gitguardian")
_RAW = (
    ('"DetectorName"', '"SourceMetadata"'),
    ('"RuleID"', '"Fingerprint"'),
    ('"gitguardian_url"', '"detector"'),
    ('"secret_type"', '"html_url"'),
    ('"aws.health"', '"eventTypeCode"'),
)


def claims(record: object) -> bool:
    """Whether the record is a finding of one of the feeds, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Mapping[str, Any], record)
    raw: Any = row.get("_raw")
    if raw.__class__ is str:
        return any(one in raw and two in raw for one, two in _RAW)
    return bool(feed_of(row)) or _dataset(row) != ""


def _dataset(row: Mapping[str, Any]) -> str:
    told = dataset(row)
    return next((known for known in _DATASETS if told == known or told.startswith(known + ".")), "")


def _digest(finding: Finding) -> str:
    """A stand-in for what a finding says of the secret; "" where it says nothing."""
    told = "\n".join(finding.secrets).strip()
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest() if told else finding.hashed


def _state(finding: Finding) -> str:
    """Verified, public, resolved, quarantined: a letter each."""
    held = (finding.verified, finding.public, finding.resolved, finding.quarantined)
    return "".join([letter for letter, holds in zip("vprq", held) if holds])


def _id_of(feed: str, finding: Finding, when: str) -> str:
    return f"{feed}:{finding.own_id[:150]}:{_digest(finding)[:16]}:{_state(finding)}:{when}"


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    row, is_ecs = native(record)
    kept = row.get("@timestamp") if is_ecs else cast(Mapping[str, Any], record).get("_time")
    found = _of_ecs(row) if is_ecs else row
    feed = feed_of(found)
    if not feed:
        raise RejectError("not_exposure", "no finding of a feed that is known")
    finding = finding_of(feed, found)
    secret = secret_of(finding)
    if not secret.credential:
        raise RejectError("no_secret", "the finding names no credential, not even by a hash")
    time = moment(finding.time or kept)
    return _event(feed, finding, secret)._replace(time=time, record_id=_id_of(feed, finding, render(time)))


def _of_ecs(document: Row) -> Row:
    return part(document, _dataset(document))


# Nothing is remembered here: the values would hold secrets.


def _event(feed: str, finding: Finding, secret: Secret) -> Event:
    operation = _operation(feed, finding)
    told = {
        "secret_alert": True,
        "verified": finding.verified,
        "public": finding.public,
        "resolved": finding.resolved,
        "quarantine": finding.quarantined,
    }
    return Event(
        time=0,
        provider=secret.provider,
        account=secret.account or finding.owner[:128],
        identity=_identity(secret),
        credential=secret.credential,
        credential_type="key",
        session="",
        action=f"exposure:{operation}",
        service="exposure",
        access=actions.access("exposure", operation),
        outcome="success",
        agent=feed,
        target=finding.place[:200],
        traits=tuple(sorted(trait for trait, holds in told.items() if holds)),
        links=_links(secret, finding.extra[1]),
    )


def _links(secret: Secret, arn: str) -> tuple[str, ...]:
    """A GitHub token by its hash, an AWS user by its ARN where the user's own id is not told."""
    if secret.provider == "github":
        return (f"token:{secret.credential}",)
    return (f"arn:{arn}",) if secret.provider == "aws" and arn and not secret.user_id else ()


def _operation(feed: str, finding: Finding) -> str:
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
