"""Notable and risk events of Splunk Enterprise Security: rows of the indexes `notable` and `risk`.

Their raw text is `time, name="value", …` (the stash format). Whom they are about is told in many fields; the first that
says by itself whose it is (an ARN, a cloud's principal) counts, else a bare name with the product that the original
sourcetype is of. A risk object of type `system` is a host, no identity, unless a user is told beside it.
Fields: dev.splunk.com, "Using notable events in search"; docs.splunk.com, "Risk analysis framework in ES".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree
from nhi_watch.intake.shapes.values import listed, text
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import Alert, Told, kind_of, severity_of
from nhi_watch.intake.sources.endpoint.host import host_user

Row = Mapping[str, Any]

NOTABLE, RISK = "SplunkES", "SplunkRisk"
_STASH = re.compile(r"^\d{9,10}(?:\.\d+)?, (?=[a-z_]+=)|^\d\d/\d\d/\d{4} [\d:]{8} [+-]\d{4}, (?=[a-z_]+=)", re.ASCII)
_PAIR = re.compile(r'([A-Za-z_][\w.{}:/-]{0,80})="((?:[^"\\]|\\.)*)"')
_MARKS = ("search_name", "rule_name", "rule_title")
_NOTABLES = ("urgency", "security_domain", "rule_title", "rule_description", "info_search_time", "orig_action_name")
_RISKS = ("risk_object", "risk_object_type")
_OURS = re.compile(r"nhi[_:. ]|NHI[ -]|nhi$", re.ASCII)
_PROVIDERS = (
    (re.compile(r"aws|amazon|cloudtrail", re.I), "aws"),
    (re.compile(r"azure|o365|office|entra|ms:aad|mscs", re.I), microsoft.ENTRA),
    (re.compile(r"google|gcp|gws", re.I), "gcp"),
    (re.compile(r"okta", re.I), "okta"),
    (re.compile(r"github", re.I), "github"),
    (re.compile(r"gitlab", re.I), "gitlab"),
    (re.compile(r"kube|k8s", re.I), "kubernetes"),
    (re.compile(r"salesforce|sfdc", re.I), "salesforce"),
    (re.compile(r"snowflake", re.I), "snowflake"),
    (re.compile(r"vault", re.I), "vault"),
    (re.compile(r"wineventlog|sysmon|linux|audit|endpoint|crowdstrike|xmlwin|osquery", re.I), "endpoint"),
)
_WHO = (
    "userIdentity.arn", "user_arn", "userIdentity.sessionContext.sessionIssuer.arn", "userIdentity.principalId",
    "principal_id", "principalEmail", "risk_object", "user_id", "user", "src_user_id", "src_user", "identity",
)  # fmt: skip
_NAMES = ("user", "src_user", "risk_object", "user_id", "identity", "dest_user")
_APPS = ("app_id", "appId", "application_id", "properties.appId")
_PRINCIPALS = ("servicePrincipalId", "service_principal_id", "properties.servicePrincipalId")
_KEYS = ("userIdentity.accessKeyId", "access_key_id", "accessKeyId", "user_access_key")

_RULES = ("search_name", "rule_name", "rule_title", "source")
_ORIGINS = ("orig_sourcetype", "sourcetype", "orig_source")
_PRODUCTS = ("orig_sourcetype", "vendor_product", "orig_source", "app")
_ACCOUNTS = ("vendor_account", "aws_account_id", "recipientAccountId", "tenant_id")
_OTHERS = (
    "status_group", "status_label", "calculated_risk_score", "risk_score", "severity", "urgency", "src", "src_ip",
    "sourceIPAddress", "awsRegion", "vendor_region", "risk_object_type", "dest", "orig_host",
)  # fmt: skip
_FIELDS = tuple(dict.fromkeys((
    *_RULES, *_ORIGINS, *_PRODUCTS, *_ACCOUNTS, *_OTHERS, *_WHO, *_NAMES, *_APPS, *_PRINCIPALS,
)))  # fmt: skip
_OWN = re.compile(r"(?:^| )nhi[_.]")


def stash(raw: str) -> Tree:
    """The fields of a raw notable or risk event; none where the text is something else.

    >>> stash('1772445601, search_name="Threat - X - Rule", user="ci", risk_score="40"')
    {'search_name': 'Threat - X - Rule', 'user': 'ci', 'risk_score': '40', '_time': '1772445601'}
    """
    if not _STASH.match(raw[:60]):
        return {}
    found: Tree = {}
    for match in _PAIR.finditer(raw[:200_000]):
        value = match[2].replace('\\"', '"').replace("\\\\", "\\")
        known = found.get(match[1])
        found[match[1]] = value if known is None else [*listed(known), value]
    stamp = raw.partition(",")[0]
    if stamp.replace(".", "", 1).isdigit():
        found["_time"] = stamp
    return found


def claims(row: Row) -> bool:
    """Whether a row is a notable or risk event, by its fields or its raw text."""
    raw = row.get("_raw")
    if raw.__class__ is str and _STASH.match(raw[:60]):
        return any(f"{mark}=" in raw for mark in _MARKS)
    if not any(mark in row for mark in _MARKS):
        return False
    return any(name in row for name in _NOTABLES) or all(name in row for name in _RISKS)


def row_of(record: Row) -> Row:
    """The fields of a row: extracted, and out of the raw text where they are not."""
    raw = record.get("_raw")
    if raw.__class__ is not str:
        return record
    return {**stash(raw), **{k: v for k, v in record.items() if v not in ("", None)}}


def told(row: Row) -> Told:
    """The alert in a notable or risk event.

    Raises:
        RejectError: own_notable, closed, no_identity.
    """
    of = row.get
    values = (of(name) for name in _FIELDS)
    fields = dict(zip(_FIELDS, (text(one[0] if one.__class__ is list and one else one) for one in values)))
    rule = _first(fields, _RULES)
    if _has_ours(row) or any(_OURS.match(one) for one in (rule, *(fields[name] for name in _ORIGINS))):
        raise RejectError("own_notable", "our own notable must not come back as another product's alert")
    if "Closed" in (fields["status_group"], fields["status_label"]):
        raise RejectError("closed", "the notable is closed")
    account = _first(fields, _ACCOUNTS)[:64]
    identity = _identity(fields, _provider(" ".join(fields[name] for name in _PRODUCTS)), account)
    if identity is None:
        raise RejectError("no_identity", "no user, principal or app is told")
    is_risk = "risk_object" in row and "urgency" not in row and "rule_title" not in row
    score = fields["calculated_risk_score"] or fields["risk_score"] or ("1" if is_risk else "")
    severity = severity_of("" if is_risk else fields["severity"] or fields["urgency"], score)
    credential, session = actors.key_of(text(next(filter(None, map(of, _KEYS)), "")))
    alert = Alert(
        RISK if is_risk else NOTABLE, kind_of(rule), severity, identity, identity.account or account, credential,
        _first(fields, ("src", "src_ip", "sourceIPAddress"))[:128], _first(fields, ("awsRegion", "vendor_region"))[:64],
        _links(fields, identity),
    )  # fmt: skip
    unique = of("event_id") or ":".join(text(of(name), 120) for name in ("orig_sid", "orig_rid") if of(name))
    target = of("object") or of("dest") or of("threat_object") or of("object_id") or ""
    return Told(alert, _second(of("orig_time") or of("_time") or of("time")), unique, session, target)


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields[name]), "")


def _second(value: object) -> object:
    """Seconds since the epoch, which Splunk tells as text, as a number."""
    if value.__class__ is list and value:
        value = value[0]
    seconds = value.partition(".")[0] if isinstance(value, str) else ""
    return int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 19 else value


def _has_ours(row: Row) -> bool:
    """Whether it has fields that only our own notables have."""
    names = " ".join(row)
    return _OWN.search(names) is not None if "nhi" in names else False


@lru_cache(maxsize=1024)
def _provider(told_: str) -> str:
    return next((provider for pattern, provider in _PROVIDERS if pattern.search(told_)), "splunk")


def _identity(row: Mapping[str, str], provider: str, account: str) -> Optional[Identity]:
    found = actors.first_named((row[name] for name in _WHO), account)
    if found is not None:
        return found
    if provider == microsoft.ENTRA and any(_ids(row)):
        return microsoft.app(account, *_ids(row), row["user"])
    is_host = row["risk_object_type"] == "system"
    names = [row[name] for name in _NAMES if not (is_host and name == "risk_object")]
    if provider == "endpoint":
        host = (row["dest"] or row["orig_host"] or (row["risk_object"] if is_host else "")).lower()
        user = next((name for name in names if name and name.lower() != "unknown"), "")
        return host_user(host[:128], "", user[:128]) if host and user else None
    return next((found for found in (actors.by_name(provider, account, name) for name in names) if found), None)


def _ids(row: Mapping[str, str]) -> tuple[str, str]:
    """Application id and object id, as far as they are told."""
    return microsoft.guid(_first(row, _APPS)), microsoft.guid(_first(row, _PRINCIPALS))


def _links(row: Mapping[str, str], identity: Identity) -> tuple[str, ...]:
    """An app's ids; for an identity that is known by its bare name only, that name within the product."""
    if identity.provider == microsoft.ENTRA:
        return tuple(f"{kind}:{told_}" for kind, told_ in zip(("app", "sp"), _ids(row)) if told_)
    return (f"name:{identity.provider}:{identity.name.lower()}",) if ":name:" in identity.id else ()
