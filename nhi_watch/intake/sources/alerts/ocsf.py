"""OCSF's Detection and Security Findings (2004, 2001) of any product, as `nhi_watch.intake.schemas.ocsf` hands them on.

Who: the user of the evidence, else of the finding; else the first resource or observable that says by itself whose it
is (an ARN, a service account), since classes lose whom a product meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes import microsoft
from nhi_watch.intake.shapes.forms import at, every
from nhi_watch.intake.shapes.values import first, text
from nhi_watch.intake.sources.alerts import actors
from nhi_watch.intake.sources.alerts.actors import Alert, Told, kind_of, severity_of

Row = Mapping[str, Any]

OURS = "nhi_watch"
"""Product of our own findings (`report.ocsf`)."""
_CLASSES = (2001, 2004)
_CLOSED = ("resolved", "suppressed", "archived", "deleted")
_USERS = ("evidences.actor.user", "evidences.user", "actor.user", "user")
_TOLD = ("type", "uid", "uid_alt", "name", "email_addr")
_CLOUDS = {"aws": "aws", "amazon": "aws", "gcp": "gcp", "google": "gcp", "azure": microsoft.ENTRA,
           "microsoft": microsoft.ENTRA}  # fmt: skip
_MOST = 20


def claims(row: Row) -> bool:
    """Whether a record is such a finding."""
    return row.get("class_uid") in _CLASSES and "metadata" in row


def told(row: Row) -> Told:
    """The alert in a finding.

    Raises:
        RejectError: own_notable, closed, no_identity.
    """
    users = (at(row, path) for path in _USERS)
    user = next((one for one in users if one.__class__ is dict and one), {})
    product, vendor, severity, status, cloud, account, region, address, kind, title = (text(value, 4096) for value in (
        at(row, "metadata.product.name"), at(row, "metadata.product.vendor_name"), row.get("severity"),
        row.get("status") or row.get("state"), at(row, "cloud.provider"),
        at(row, "cloud.account.uid") or at(row, "cloud.account_uid") or at(user, "account.uid"),
        at(row, "cloud.region"), at(row, "evidences.src_endpoint.ip") or at(row, "src_endpoint.ip"),
        first(*(at(row, f"{info}.types") for info in ("finding_info", "finding"))),
        first(at(row, "finding_info.analytic.name"), at(row, "finding_info.title"), at(row, "finding.title")),
    ))  # fmt: skip
    if product == OURS:
        raise RejectError("own_notable", "the finding is our own")
    if status.lower() in _CLOSED:
        raise RejectError("closed", f"the finding is {status[:20].lower()}")
    provider = _CLOUDS.get((cloud or vendor).lower().partition(" ")[0], "") or _word(vendor or product)
    actor = [text(user.get(name), 4096) for name in _TOLD]
    identity = _identity(provider, account[:64], actor) or actors.first_named(_named(row), account[:64])
    if identity is None:
        raise RejectError("no_identity", "the finding names no identity, only a resource or a machine")
    label = re.sub(r"\W+", "", product or vendor)[:40] or "OCSF"
    credential, session = actors.credential_of(text(user.get("credential_uid"), 128))
    alert = Alert(label, kind_of(kind or title), severity_of(severity), identity, account[:64], credential,
                  address[:64], region[:64])  # fmt: skip
    times = ("finding_info.last_seen_time", "finding.last_seen_time", "time", "time_dt")
    time = next((value for value in (at(row, path) for path in times) if value), None)
    unique = first(at(row, "finding_info.uid"), at(row, "finding.uid"), at(row, "metadata.uid"))
    return Told(alert, time, unique, session, _target(row))


def _named(row: Row) -> list[str]:
    found = [*every(row, "resources.uid"), *every(row, "resources.name"), *every(row, "observables.value")]
    return [text(one, 256) for one in found[:_MOST] if one.__class__ is str and "\n" not in one]


def _target(row: Row) -> str:
    service, call = text(at(row, "evidences.api.service.name"), 64), text(at(row, "evidences.api.operation"), 64)
    return f"{service.partition('.')[0]}:{call}" if call else first(at(row, "resources.uid"))


def _word(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())[:40].strip("_") or "ocsf"


def _identity(provider: str, account: str, actor: list[str]) -> Optional[Identity]:
    """Of the user: an AWS actor, a text that says whose it is, else a name within the product."""
    kind, uid, other, name, mail = actor
    if provider == "aws" and (uid or other or name):
        arn = uid if uid.startswith("arn:") else ""
        return actors.aws(actors.AwsActor(kind, other or ("" if arn else uid), name, account, arn))
    return actors.first_named((uid, other, name), account) or actors.by_name(provider, account, mail or name or uid)
