"""The record inside an alert, read by the source whose it is: the surest way to the identity that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, NamedTuple, Optional

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import Actor, account_of, identify
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.values import google
from nhi_watch.intake.sources.kubernetes import actions as k8s

# ---- told
#
# What an alert of another product tells, whatever the product.


LOW, MEDIUM, HIGH, CRITICAL = "low", "medium", "high", "critical"
_LABELS = {
    "informational": LOW, "information": LOW, "info": LOW, "undefined": LOW, "none": LOW, "low": LOW,
    "medium": MEDIUM, "moderate": MEDIUM, "hidden": MEDIUM, "unknown": MEDIUM,
    "high": HIGH, "severe": HIGH, "critical": CRITICAL, "fatal": CRITICAL,
}  # fmt: skip
_BANDS = ((20.0, LOW), (40.0, LOW), (60.0, MEDIUM), (80.0, HIGH))
_UNSAFE = re.compile(r"[^\w:./!&()+-]+")


class Alert(NamedTuple):
    """All that the Event of an alert depends on, but time, record id, session and target."""

    product: str
    kind: str
    """The product's own name for the sort of alert: a finding type, a rule's name."""
    severity: str
    """low | medium | high | critical"""
    identity: Identity
    account: str
    credential: str = ""
    address: str = ""
    region: str = ""
    links: tuple[str, ...] = ()


class Told(NamedTuple):
    """An alert, and what differs from one of its kind to the next."""

    alert: Alert
    time: object
    record_id: object
    session: str = ""
    target: object = ""


def of_event(product: str, kind: str, severity: str, event: Event) -> Told:
    """The alert about a record that its own source has read."""
    alert = Alert(product, kind, severity, event.identity, event.account, event.credential, event.address,
                  event.region, event.links)  # fmt: skip
    return Told(alert, event.time, "", event.session, event.target)


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str:
    """A rule's name as one word, bounded.

    >>> kind_of("Threat - AWS Key, odd use - Rule"), kind_of("Recon:IAMUser/TorIPCaller")
    ('Threat-AWS-Key-odd-use-Rule', 'Recon:IAMUser/TorIPCaller')
    """
    return re.sub(r"-{2,}", "-", _UNSAFE.sub("-", name[:200])).strip("-")[:100]


@lru_cache(maxsize=1024)
def severity_of(label: str, score: str = "") -> str:
    """The severity of a label, else of a score from 0 to 100; medium where neither tells.

    >>> severity_of("Informational"), severity_of("", "61.5"), severity_of("?", "x")
    ('low', 'high', 'medium')
    """
    found = _LABELS.get(label.strip().lower())
    if found is not None:
        return found
    try:
        number = float(score)
    except ValueError:
        return MEDIUM
    if number != number or number < 0:
        return MEDIUM
    return next((level for most, level in _BANDS if number <= most), CRITICAL)


# ---- who
#
# Whom an alert names: the same identity ids as the product's own source gives, as far as the alert tells them.
#
# An ARN without the unique id behind it gives an identity by name. Its name is the ARN, by which links join it to the
# identity that CloudTrail's records give.


_KEY = re.compile(r"A[KS]IA[A-Z0-9]{12,124}")
_UNIQUE = re.compile(r"(AROA|AIDA)[A-Z0-9]{8,32}(?::(.*))?", re.DOTALL)
_NO_NAMES = frozenset({"", "unknown", "n/a", "none", "null", "-", "anonymous", "undefined", "not available"})


class AwsActor(NamedTuple):
    """How GuardDuty and Security Hub name who acted."""

    kind: str = ""
    """userType: IAMUser, AssumedRole, Role, Root, FederatedUser, AWSAccount, AWSService…"""
    principal: str = ""
    name: str = ""
    """Of the user or role, without path."""
    account: str = ""
    arn: str = ""


@lru_cache(maxsize=4096)
def aws(told: AwsActor) -> Optional[Identity]:
    """The identity of an AWS actor; None where nothing is told.

    >>> aws(AwsActor("AssumedRole", "AROAEXAMPLE:i-1", "app", "111111111111")).id
    'aws:111111111111:role:AROAEXAMPLE'
    >>> aws(AwsActor("IAMUser", "AIDAEXAMPLE", "ci", "111111111111")).name
    'arn:aws:iam::111111111111:user/ci'
    """
    if not (told.principal or told.name or told.arn or told.kind == "Root"):
        return None
    unique, _, session = told.principal.partition(":")
    if told.kind in ("AssumedRole", "Role") or unique.startswith("AROA"):
        arn = told.arn or _arn(told.account, "role", told.name)
        issued = unique if unique.startswith("AROA") else ""
        actor = Actor("AssumedRole", told.principal, _of_session(arn, session), told.account, issuer_id=issued,
                      issuer_arn=arn if ":role/" in arn else "")  # fmt: skip
        return identify(actor)
    if told.kind == "IAMUser" or unique.startswith("AIDA"):
        arn = told.arn or _arn(told.account, "user", told.name)
        return identify(Actor("IAMUser", unique, arn, told.account, told.name))
    return identify(Actor(told.kind, told.principal, told.arn, told.account, told.name, recipient=told.account))


def _arn(account: str, kind: str, name: str) -> str:
    return f"arn:aws:iam::{account}:{kind}/{name}" if account and name else ""


def _of_session(arn: str, session: str) -> str:
    """The ARN of a role's session, from which `identify` takes the person behind an SSO role."""
    if not session or ":role/" not in arn:
        return arn
    return f"{arn.partition(':role/')[0].replace(':iam:', ':sts:')}:assumed-role/{arn.rpartition('/')[2]}/{session}"


@lru_cache(maxsize=4096)
def named(told: str, account: str = "") -> Optional[Identity]:
    """The identity in a text that says by itself whose it is: an ARN, a unique id of AWS, a principal of a cloud.

    >>> named("arn:aws:sts::111111111111:assumed-role/app/i-1").id
    'aws:111111111111:role:app'
    >>> named("build@shop.iam.gserviceaccount.com").kind, named("ann")
    ('service_account', None)
    """
    told = told.strip()[:512]
    if told.startswith("arn:"):
        return _by_arn(told)
    unique = _UNIQUE.fullmatch(told)
    if unique:
        return aws(AwsActor("AssumedRole" if unique[1] == "AROA" else "IAMUser", told, "", account))
    if told.endswith("gserviceaccount.com") or told.startswith(("serviceAccount:", "principal://", "principalSet://")):
        return google(told, account)
    if told.startswith("system:serviceaccount:"):
        return k8s.identify(told)
    return None


def _by_arn(told: str) -> Optional[Identity]:
    account = account_of(told)
    if ":assumed-role/" in told:
        return identify(Actor("AssumedRole", arn=told))
    if ":role/" in told:
        return identify(Actor("AssumedRole", issuer_arn=told, arn=told))
    if ":user/" in told:
        return identify(Actor("IAMUser", arn=told))
    return identify(Actor("Root", arn=told, account=account)) if told.endswith(":root") else None


def first_named(texts: Iterable[str], account: str = "") -> Optional[Identity]:
    """The identity in the first text that says whose it is."""
    return next((found for found in (named(told, account) for told in texts if told) if found), None)


def by_name(provider: str, account: str, name: str) -> Optional[Identity]:
    """The identity of a bare name within a product; None where the name is none.

    >>> by_name("okta", "", "Ci@example.com").id, by_name("okta", "", "unknown")
    ('okta::name:ci@example.com', None)
    """
    told = name.strip()[:256]
    if told.lower() in _NO_NAMES:
        return None
    if provider == microsoft.ENTRA:
        return microsoft.user(account, "", told)
    if provider == "gcp" and "@" in told:
        return google(told, account)
    if provider == "aws":
        return aws(AwsActor("IAMUser", "", told, account))
    if provider == k8s.PROVIDER:
        return k8s.identify(told)
    return Identity(f"{provider}:{account}:name:{told.lower()}"[:512], told, "user", provider, account, "")


def credential_of(key: str) -> tuple[str, str]:
    """An access key id as credential (long-lived) or session (temporary).

    >>> credential_of("AKIAIOSFODNN7EXAMPLE"), credential_of("ASIAIOSFODNN7EXAMPLE"), credential_of("x")
    (('AKIAIOSFODNN7EXAMPLE', ''), ('', 'ASIAIOSFODNN7EXAMPLE'), ('', ''))
    """
    if not _KEY.fullmatch(key):
        return "", ""
    return (key, "") if key.startswith("AKIA") else ("", key)


def key_of(key: str) -> tuple[str, str]:
    """Credential and session of a key that a product says was used; its temporary keys are told by how they begin.

    >>> key_of("ASIA-1"), key_of("AKIAIOSFODNN7EXAMPLE")
    (('', 'ASIA-1'), ('AKIAIOSFODNN7EXAMPLE', ''))
    """
    return ("", key[:128]) if key[:4] == "ASIA" else (credential_of(key)[0], "")


# ---- matched


_NOT_ASKED = ("alerts", "exposure")


@cache
def _sources() -> tuple[ModuleType, ...]:
    found = registry.modules("nhi_watch.intake.sources")
    return tuple(source for source in found if source.__name__.rpartition(".")[2] not in _NOT_ASKED)


def matched(record: Mapping[str, Any]) -> Optional[Event]:
    """The Event of a record of any other source; None where no source knows it, or it cannot be read."""
    for source in _sources():
        if source.claims(record):
            try:
                event: Event = source.read(record)
            except RejectError:
                continue
            return event
    return None

