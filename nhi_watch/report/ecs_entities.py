"""Documents about identities in ECS 9.4 fields: how likely each was misused on a day, what there is, and where it is now.

| document | `event.kind` | one for each |
|---|---|---|
| risk | state | identity, day and likelihood |
| asset | asset | identity or long-lived credential, and day on which something about it changed |
| latest | state | identity; a newer one replaces it |

Never written, because the stack owns them: `risk.*`, `user.risk.*`, `host.risk.*`, `service.risk.*`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from nhi_watch import __version__
from nhi_watch.context.assets import Asset
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import severity_of
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.report.ecs import ECS_VERSION, SEVERITY_CODES, entity
from nhi_watch.report.words import short_name, visible
from nhi_watch.state.inventory import Credential, Known
from nhi_watch.state.judged import Ranked

Json = dict[str, Any]

RISK = "nhi.risk"
INVENTORY = "nhi.inventory"
_NAME = 512


class Standing(NamedTuple):
    """How an identity stood on a day."""

    known: Known
    day: int
    ranked: Ranked
    asset: Asset
    model: str
    """Id of the model."""


def risk(standing: Standing) -> Json:
    """The identity's likelihood of one day; `stamped` adds when and where it is written."""
    severity = severity_of(standing.ranked.loss)
    start = standing.day * DAY
    event = {
        "kind": "state",
        "type": ["info"],
        "action": "nhi-risk",
        "severity": SEVERITY_CODES[severity],
        "risk_score": standing.ranked.likelihood,
        "risk_score_norm": standing.ranked.likelihood,
        "start": render(start),
        "end": render(start + DAY - 1),
    }
    return {
        "@timestamp": render(start),
        "message": visible(f"{standing.known.identity.name}: {standing.ranked.likelihood:g}% likely an intrusion"),
        "event": {**_event(RISK, standing.known.identity), **event},
        **_who(standing.known.identity, standing.asset),
        "nhi": {"risk": _risk(standing, severity)},
    }


def identity_asset(standing: Standing) -> Json:
    """What is known of an identity; the same until a day later or something but the time changes."""
    known, asset = standing.known, standing.asset
    return {
        "@timestamp": render(known.last // DAY * DAY),
        "message": visible(f"{known.identity.name}: {known.identity.kind} of {known.identity.provider}"),
        "event": {**_event(INVENTORY, known.identity), **_ASSET},
        **_who(known.identity, asset),
        "nhi": {"inventory": {"what": "identity", **_facts(known, asset)}},
    }


def credential_asset(credential: Credential) -> Json:
    """What is known of a long-lived credential that somebody was seen with."""
    identity = credential.identity
    assert identity is not None, "the caller asks for credentials with a user"
    change = credential.latest("deleted", "deactivated", "reactivated", "created")
    state = {"deleted": "deleted", "deactivated": "deactivated"}.get(change.what if change else "", "active")
    facts = {
        "what": "credential",
        "credential": visible(credential.id, _NAME),
        "state": state,
        "exposed": credential.latest("exposed") is not None,
        "first_seen": _day(credential.first),
        "last_seen": _day(credential.last),
    }
    when = max([credential.last, *(one.time for one in credential.changes)])
    return {
        "@timestamp": render(when // DAY * DAY),
        "message": visible(f"credential {credential.id} of {identity.name}: {state}"),
        "event": {**_event(INVENTORY, identity), **_ASSET},
        **_who(identity, None),
        "entity": entity(credential.id, credential.id, "credential"),
        "nhi": {"inventory": {name: value for name, value in facts.items() if value is not None}},
    }


def latest(standing: Standing) -> Json:
    """Where the identity stands now; its likelihood is that of `nhi.risk.day`, the last day on which it was seen."""
    document = risk(standing)
    return {
        **document,
        "@timestamp": render(standing.known.last),
        "nhi": {**document["nhi"], "inventory": {"what": "identity", **_facts(standing.known, standing.asset)}},
    }


def stamped(document: Json, namespace: str, now: str) -> Json:
    """The document as it is written: where, and when."""
    stream = {"type": "logs", "dataset": document["event"]["dataset"], "namespace": namespace}
    event = {**document["event"], "created": now, "ingested": now}
    return {**document, "data_stream": stream, "event": event}


def content_id(document: Json) -> str:
    """Deterministic: the same content always gets the same id; taken before it is stamped."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


_ASSET = {"kind": "asset", "category": ["configuration"], "type": ["info"], "action": "nhi-inventory"}


def _event(dataset: str, identity: Identity) -> Json:
    return {"module": "nhi", "dataset": dataset, "provider": identity.provider}


def _risk(standing: Standing, severity: str) -> Json:
    return {
        "likelihood": standing.ranked.likelihood,
        "severity": severity,
        "day": render(standing.day * DAY),
        "model": standing.model,
    }


def _facts(known: Known, asset: Asset) -> Json:
    """Times by the day: an inventory is not written anew with every event."""
    told = {"owner": visible(asset.owner, _NAME), "criticality": asset.criticality}
    times = {"first_seen": _day(known.first), "last_seen": _day(known.last)}
    return {name: value for name, value in {**told, **times}.items() if value}


def _day(seconds: int) -> str | None:
    return render(seconds // DAY * DAY) if seconds else None


def _who(identity: Identity, asset: Asset | None) -> Json:
    name = visible(identity.name, _NAME)
    unique = visible(identity.id, _NAME)
    service: Json = {"id": unique, "name": name, "type": identity.kind, "entity": {"id": unique}}
    if asset is not None and asset.environment:
        service["environment"] = visible(asset.environment, _NAME)
    return {
        "ecs": {"version": ECS_VERSION},
        "tags": ["nhi"],
        "service": service,
        "entity": entity(identity.id, identity.name, identity.kind),
        "user": {"id": unique, "name": visible(short_name(_named(identity)), _NAME)},
        "cloud": {"provider": identity.provider, "account": {"id": visible(identity.account, _NAME)}},
        "related": {"user": [name], "entity": [unique]},
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
    }


def _named(identity: Identity) -> Mapping[str, Any]:
    return {"id": identity.id, "name": identity.name}
