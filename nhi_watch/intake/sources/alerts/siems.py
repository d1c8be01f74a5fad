"""Alerts of SIEMs and of rules: Splunk Enterprise Security, Kibana, and Sigma's matches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import Tree, at, dataset, every, hit, is_alert, nested, part
from nhi_watch.intake.shapes.values import first, listed, text
from nhi_watch.intake.sources.alerts.actors import (
    Alert,
    Told,
    by_name,
    first_named,
    key_of,
    kind_of,
    matched,
    of_event,
    severity_of,
)
from nhi_watch.intake.sources.endpoint.host import host_of, host_user

Row = Mapping[str, Any]


# ---- splunk
#
# Notable and risk events of Splunk Enterprise Security: rows of the indexes `notable` and `risk`.
#
# Their raw text is `time, name="value", …` (the stash format). Whom they are about is told in many fields; the first
# that says by itself whose it is (an ARN, a cloud's principal) counts, else a bare name with the product that the
# original sourcetype is of. A risk object of type `system` is a host, no identity, unless a user is told beside it.
# Fields: dev.splunk.com, "Using notable events in search"; docs.splunk.com, "Risk analysis framework in ES".


NOTABLE, RISK = "SplunkES", "SplunkRisk"
_STASH = re.compile(r"^\d{9,10}(?:\.\d+)?, (?=[a-z_]+=)|^\d\d/\d\d/\d{4} [\d:]{8} [+-]\d{4}, (?=[a-z_]+=)", re.ASCII)
_PAIR = re.compile(r'([A-Za-z_][\w.{}:/-]{0,80})="((?:[^"\\]|\\.)*)"')
_MARKS = ("search_name", "rule_name", "rule_title")
_NOTABLES = ("urgency", "security_domain", "rule_title", "rule_description", "info_search_time", "orig_action_name")
_RISKS = ("risk_object", "risk_object_type")
_OUR_SEARCHES = re.compile(r"nhi[_:. ]|NHI[ -]|nhi$", re.ASCII)
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
_SPLUNK_WHO = (
    "userIdentity.arn", "user_arn", "userIdentity.sessionContext.sessionIssuer.arn", "userIdentity.principalId",
    "principal_id", "principalEmail", "risk_object", "user_id", "user", "src_user_id", "src_user", "identity",
)  # fmt: skip
_NAMES = ("user", "src_user", "risk_object", "user_id", "identity", "dest_user")
_APPS = ("app_id", "appId", "application_id", "properties.appId")
_PRINCIPALS = ("servicePrincipalId", "service_principal_id", "properties.servicePrincipalId")
_KEYS = ("userIdentity.accessKeyId", "access_key_id", "accessKeyId", "user_access_key")

_RULES = ("search_name", "rule_name", "rule_title", "source")
_ORIGINS = ("orig_sourcetype", "sourcetype", "orig_source")
_VENDORS = ("orig_sourcetype", "vendor_product", "orig_source", "app")
_ACCOUNTS = ("vendor_account", "aws_account_id", "recipientAccountId", "tenant_id")
_OTHERS = (
    "status_group", "status_label", "calculated_risk_score", "risk_score", "severity", "urgency", "src", "src_ip",
    "sourceIPAddress", "awsRegion", "vendor_region", "risk_object_type", "dest", "orig_host",
)  # fmt: skip
_FIELDS = tuple(dict.fromkeys((
    *_RULES, *_ORIGINS, *_VENDORS, *_ACCOUNTS, *_OTHERS, *_SPLUNK_WHO, *_NAMES, *_APPS, *_PRINCIPALS,
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


def is_splunk(row: Row) -> bool:
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


def splunk(row: Row) -> Told:
    """The alert in a notable or risk event.

    Raises:
        RejectError: own_notable, closed, no_identity.
    """
    of = row.get
    values = (of(name) for name in _FIELDS)
    fields = dict(zip(_FIELDS, (text(one[0] if one.__class__ is list and one else one) for one in values)))
    rule = _first(fields, _RULES)
    if _has_ours(row) or any(_OUR_SEARCHES.match(one) for one in (rule, *(fields[name] for name in _ORIGINS))):
        raise RejectError("own_notable", "our own notable must not come back as another product's alert")
    if "Closed" in (fields["status_group"], fields["status_label"]):
        raise RejectError("closed", "the notable is closed")
    account = _first(fields, _ACCOUNTS)[:64]
    identity = _splunk_identity(fields, _provider(" ".join(fields[name] for name in _VENDORS)), account)
    if identity is None:
        raise RejectError("no_identity", "no user, principal or app is told")
    is_risk = "risk_object" in row and "urgency" not in row and "rule_title" not in row
    score = fields["calculated_risk_score"] or fields["risk_score"] or ("1" if is_risk else "")
    severity = severity_of("" if is_risk else fields["severity"] or fields["urgency"], score)
    credential, session = key_of(text(next(filter(None, map(of, _KEYS)), "")))
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
def _provider(product: str) -> str:
    return next((provider for pattern, provider in _PROVIDERS if pattern.search(product)), "splunk")


def _splunk_identity(row: Mapping[str, str], provider: str, account: str) -> Optional[Identity]:
    found = first_named((row[name] for name in _SPLUNK_WHO), account)
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
    return next((found for found in (by_name(provider, account, name) for name in names) if found), None)


def _ids(row: Mapping[str, str]) -> tuple[str, str]:
    """Application id and object id, as far as they are told."""
    return microsoft.guid(_first(row, _APPS)), microsoft.guid(_first(row, _PRINCIPALS))


def _links(row: Mapping[str, str], identity: Identity) -> tuple[str, ...]:
    """An app's ids; for an identity that is known by its bare name only, that name within the product."""
    if identity.provider == microsoft.ENTRA:
        return tuple(f"{kind}:{product}" for kind, product in zip(("app", "sp"), _ids(row)) if product)
    return (f"name:{identity.provider}:{identity.name.lower()}",) if ":name:" in identity.id else ()


# ---- kibana
#
# Kibana's detection alerts (`.alerts-security.alerts-*`): a copy of the event that matched, and `kibana.alert.*`.
#
# Fields: elastic.co/guide, "Alert schema". The event's own source reads the copy; alerts that hold none (thresholds,
# new terms, sequences) are read from what they group by. Building blocks are told again by the alert that is built on
# them.


_OUR_DATA = "nhi."
_KIBANA_WHO = (
    "aws.cloudtrail.user_identity.arn", "gcp.audit.authentication_info.principal_email", "user.id", "user.name",
    "user.email", "kubernetes.audit.user.username",
)  # fmt: skip


def is_kibana(row: Row) -> bool:
    """Whether a record is an alert of Kibana's, or one of ours in its data stream."""
    document = hit(row)
    if is_alert(document):
        inner = document.get("kibana")
        return "kibana.alert.uuid" in document or (inner.__class__ is dict and "alert" in inner)
    return dataset(row).startswith(_OUR_DATA)


def kibana(row: Row) -> Told:
    """The alert in a document.

    Raises:
        RejectError: own_notable, closed, building_block, no_action, no_identity.
    """
    tree = nested(hit(row))
    alert = at(tree, "kibana.alert")
    if is_ours(tree):
        raise RejectError("own_notable", "our own alert must not come back as another product's")
    if alert.__class__ is not dict:
        raise RejectError("no_action", "kibana.alert is no object")
    if text(alert.get("workflow_status")) == "closed":
        raise RejectError("closed", "the alert is closed")
    if alert.get("building_block_type"):
        raise RejectError("building_block", "the alert that is built on it tells it again")
    inner = {k: v for k, v in tree.items() if k != "kibana"}
    kind = kind_of(first(at(alert, "rule.name"), at(alert, "rule.rule_id")))
    severity = severity_of(text(alert.get("severity")), text(alert.get("risk_score")))
    time = alert.get("original_time") or alert.get("start") or tree.get("@timestamp")
    event = matched(inner)
    if event is not None:
        return of_event("Kibana", kind, severity, event)._replace(time=time, record_id=alert.get("uuid"))
    identity = _kibana_identity(inner, alert)
    if identity is None:
        raise RejectError("no_identity", "the alert names no identity")
    address = first(at(inner, "source.ip"), at(inner, "source.address"))[:128]
    made = Alert("Kibana", kind, severity, identity, identity.account, "", address, text(at(inner, "cloud.region"), 64))
    return Told(made, time, alert.get("uuid"))


def is_ours(tree: Tree) -> bool:
    """Whether it is one of our own alerts, or one that a rule made of it."""
    for path in ("event.dataset", "data_stream.dataset", "event.module", "kibana.alert.original_event.dataset",
                 "kibana.alert.original_event.module"):  # fmt: skip
        if f"{text(at(tree, path), 100)}.".startswith(_OUR_DATA):
            return True
    return False


def _kibana_identity(inner: Row, alert: Row) -> Optional[Identity]:
    account = text(at(inner, "cloud.account.id"), 64)
    grouped = [text(one) for one in every(alert, "threshold_result.terms.value") + every(alert, "new_terms")]
    texts = [first(at(inner, path)) for path in _KIBANA_WHO]
    found = first_named((*texts, *grouped), account)
    if found is not None:
        return found
    host, name = host_of(inner)
    unique, user = first(at(inner, "user.id"))[:128], first(at(inner, "user.name"))[:128]
    return host_user(host, unique, user, name) if host and (unique or user) else None


# ---- sigma
#
# Matches of Sigma rules on files: the JSON of Chainsaw, Hayabusa and Zircolite.
#
# Chainsaw (`hunt --json`, `--jsonl`) and Zircolite hold the record that matched: its own source reads it. Of Windows
# events only the host and the user are read, as of Hayabusa's timeline (`json-timeline`). A Zircolite result holds all
# matches of a rule; it is one alert, of the first match that names an identity.


_KINDS = ("individual", "aggregate")
_USERS = ("User", "SrcUser", "SubjectUserName", "TgtUser", "TargetUserName")
_DOMAINS = {"SubjectUserName": "SubjectDomainName", "TargetUserName": "TargetDomainName"}
_TIMES = ("UtcTime", "SystemTime", "TimeCreated", "@timestamp", "timestamp", "eventTime")
_NOBODY = ("", "-", "n/a", "(n/a)", "unknown")
_ZONED = re.compile(r"(\d{4}-\d\d-\d\d) ([\d:.]+) ?([+-]\d\d:\d\d|Z)")
_DETAIL = re.compile(r"\s*([A-Za-z]\w{0,40}): (.*)", re.DOTALL)


def is_sigma(row: Row) -> bool:
    """Whether a record is a match as one of the three tools writes it."""
    if "RuleTitle" in row and "Level" in row and "Computer" in row:
        return True
    if "rule_level" in row and "matches" in row and "title" in row:
        return True
    return "group" in row and ("document" in row or "documents" in row) and row.get("kind") in _KINDS


def sigma(row: Row) -> Told:
    """The alert in a match.

    Raises:
        RejectError: no_identity.
    """
    if "RuleTitle" in row:
        return _hayabusa(row)
    title, level = first(row.get("name"), row.get("title")), first(row.get("level"), row.get("rule_level"))
    rule = first(row.get("id"), title)
    for number, record in enumerate(_records(row)):
        found = _of_record(record, kind_of(title), severity_of(level))
        if found is not None:
            where = found.record_id or f"{text(row.get('timestamp'), 60)}:{number}"
            time = found.time or row.get("timestamp")
            return found._replace(time=time, record_id=f"{rule[:100]}:{where}"[:256])
    raise RejectError("no_identity", "no record that matched names an identity")


def _records(row: Row) -> Iterator[Row]:
    """The records that matched, of Chainsaw's documents and Zircolite's matches."""
    documents = [*listed(row.get("document")), *listed(row.get("documents"))]
    for one in [*(at(document, "data") for document in documents), *listed(row.get("matches"))]:
        if one.__class__ is dict:
            yield one


def _of_record(record: Row, kind: str, severity: str) -> Optional[Told]:
    event = matched(record)
    if event is not None:
        return of_event("Sigma", kind, severity, event)._replace(record_id=event.record_id)
    system, data = part(record, "Event.System"), part(record, "Event.EventData")
    fields: Row = data or record
    computer = first(system.get("Computer"), record.get("Computer"))
    identity = _user_of(computer, fields)
    if identity is None:
        return None
    number = first(system.get("EventRecordID"), record.get("EventRecordID"))
    stamp = at(system, "TimeCreated_attributes.SystemTime") or at(system, "TimeCreated.#attributes.SystemTime")
    time = stamp or next((fields[name] for name in _TIMES if fields.get(name)), None)
    alert = Alert("Sigma", kind, severity, identity, identity.account)
    return Told(alert, time, f"{computer}:{number}" if number else "", "", _touched(fields))


def _hayabusa(row: Row) -> Told:
    details = _details(row.get("Details")) or _details(row.get("AllFieldInfo"))
    more = _details(row.get("ExtraFieldInfo"))
    computer = text(row.get("Computer"), 200)
    identity = _user_of(computer, details) or _user_of(computer, more)
    if identity is None:
        raise RejectError("no_identity", "the match names a host but no user")
    title = text(row.get("RuleTitle"), 200)
    level = text(row.get("Level"), 20).lower()
    alert = Alert("Sigma", kind_of(title), severity_of({"crit": "critical", "med": "medium"}.get(level, level)),
                  identity, identity.account)  # fmt: skip
    unique = ":".join(text(row.get(name), 80) for name in ("RuleID", "RecordID") if row.get(name)) or title
    time = _ZONED.sub(r"\1T\2\3", text(row.get("Timestamp"), 60))
    return Told(alert, time, f"{unique}:{computer}"[:256], "", _touched({**more, **details}))


def _details(value: object) -> Row:
    """Hayabusa's details: an object, or `Name: value ¦ Name: value`."""
    if value.__class__ is dict:
        return value
    pieces = (_DETAIL.fullmatch(piece) for piece in text(value, 4096).split(" ¦ "))
    return {piece[1]: piece[2] for piece in pieces if piece}


def _user_of(computer: str, fields: Row) -> Optional[Identity]:
    host = computer.strip().lower()[:200]
    for name in _USERS:
        user = text(fields.get(name), 128)
        if host and user.lower() not in _NOBODY:
            domain = text(fields.get(_DOMAINS.get(name, "")), 64)
            return host_user(host, "", f"{domain}\\{user}" if domain and "\\" not in user else user)
    return None


def _touched(fields: Row) -> str:
    """The file or program that it is about; never a command line, which may hold secrets."""
    return first(*(fields.get(name) for name in ("TargetFilename", "Image", "Proc", "Path", "TargetImage")))[:200]
