"""The alert document: a notable in ECS 9.4 fields, and the rest under `nhi.*`.

What an analyst filters on goes into ECS fields; `related.entity` is none yet, but what Elastic's integrations write.
Never written, because the stack owns them: `kibana.*`, `user.risk.*`, `host.risk.*`, top-level `risk.*`, and
`event.category: iam`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from nhi_watch import __version__
from nhi_watch.context.networks import is_address
from nhi_watch.core.documents import IdentityDocument, NotableDocument
from nhi_watch.core.notable import clip, risk_of
from nhi_watch.detect.explain import brief
from nhi_watch.report import words
from nhi_watch.report.words import KINDS, short_name, signed, spoken, visible

Json = Mapping[str, Any]

ECS_VERSION = "9.4.0"
DATASET = "nhi.alerts"
SEVERITY_CODES = {"informational": 21, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""`event.severity`, as Kibana's promotion rule maps it."""

_LINK = "/app/dashboards#/view/nhi-dashboard-identity?_a=(query:(language:kuery,query:'event.id:{}'))"
"""To a notable in Kibana; its id is hexadecimal, so nothing of a log gets into the address."""
_TECHNIQUE_URL = "https://attack.mitre.org/techniques/{}/"
_TOP = 5
_LONGEST = 512
LARGEST = 20_000
"""Bytes of a document."""
_RECORDS, _CALLS = 50, 50
"""How many record ids and entries of the timeline are kept at most."""
_WORTH_CUTTING = 100
"""Characters of a text below which nothing is won by halving it."""
_USERS = frozenset(("user", "root", "host_user", "identity_center", "federated"))
"""Kinds of identities that are users to ECS; all others are services."""
_RULES = {
    "compromise": "The identity did something that identities hardly ever do unless they are stolen or misused.",
    "exposure": "Others can read a credential of the identity.",
    "posture": "The identity, its permissions or its secrets are risky.",
    "blind_spot": "Logs are missing, so misuse of identities may go unseen.",
}
_REFERENCE = "https://owasp.org/www-project-non-human-identities-top-10/"


def alert(
    notable: NotableDocument,
    *,
    created: str,
    change: str = "new",
    namespace: str = "default",
    kibana: str = "",
    largest: int = LARGEST,
) -> dict[str, Any]:
    """The document to `create` under `document_id(notable)`.

    Args:
        notable: an object of the notable's schema.
        created: RFC 3339, when the document is written.
        change: new | reopened | escalated | grown | settled | closed | merged | withdrawn | below; only the first
            three are promoted to Kibana alerts, the last to building blocks.
        namespace: of the data stream that it goes to.
        kibana: its URL, for a link to the notable there; "" for none.
        largest: bytes that the document may have.
    """
    document = {
        "@timestamp": notable["last_time"],
        "ecs": {"version": ECS_VERSION},
        "message": visible(f"{notable['title']}: {notable['summary']}"),
        "tags": ["nhi", *notable["frameworks"]["owasp_nhi"], *notable["frameworks"]["nist_csf"]],
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": _event(notable, created, kibana),
        "rule": _rule(notable),
        "observer": {"vendor": "nhi_watch", "product": "nhi_watch", "type": "nhi", "version": __version__},
        **_threat(notable),
        **_who(notable),
        "nhi": _rest(notable, change),
    }
    texts = ((document, "message"), (document["event"], "reason"))
    fit(document, largest, ((document, "nhi"), (document, "related"), *texts))
    document["nhi"]["notable"]["timeline"].sort(key=lambda entry: str(entry["time"]))
    return document


def fit(document: Json, largest: int, places: Iterable[tuple[Any, Any]]) -> None:
    """Make a document small enough: of some places the list or text that takes most room is halved, again and again.

    >>> made = {"kept": "x" * 200, "cut": {"some": [{"text": "y" * 200}] * 40, "id": "1"}}
    >>> fit(made, 1_500, [(made, "cut")])
    >>> len(made["kept"]), len(made["cut"]["some"]), made["cut"]["id"]
    (200, 5, '1')
    """
    while size(document) > largest:
        parts = [part for holder, key in places for part in _parts(holder, key)]
        if not parts:
            return
        _, holder, key = max(parts, key=lambda part: part[0])
        half = len(holder[key]) // 2
        holder[key] = _begun(holder[key], half) if isinstance(holder[key], str) else holder[key][:half]


def _begun(text: str, length: int) -> str:
    """The beginning of a text. Quotes of logs stand between backticks, so it ends with a line, where none is open."""
    end = text.rfind("\n", 0, length)
    return f"{text[:end]}\n…" if end > 0 else "…" if "`" in text else clip(text, length)


def _parts(holder: Any, key: Any) -> Iterator[tuple[int, Any, Any]]:
    """Lists and long texts below a value: their sizes, and where they are."""
    value = holder[key]
    if isinstance(value, str):
        if len(value) > _WORTH_CUTTING:
            yield size(value), holder, key
        return
    if isinstance(value, list) and len(value) > 1:
        yield size(value), holder, key
    for inner in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _parts(value, inner)


def size(document: Any) -> int:
    """Bytes of a document; texts of logs may hold halves of characters, which are made visible as it is written."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def document_id(notable: NotableDocument) -> str:
    """One for each revision of a notable."""
    return hashlib.sha256(f"{notable['id']}|{notable['revision']}".encode()).hexdigest()


def _event(notable: NotableDocument, created: str, kibana: str) -> dict[str, Any]:
    fields = {
        "kind": "alert", "category": ["intrusion_detection"], "type": ["info"], "module": "nhi", "dataset": DATASET,
        "provider": notable["identity"]["provider"], "id": notable["id"], "code": notable["kind"],
        "action": "nhi-notable", "created": created, "start": notable["first_time"], "end": notable["last_time"],
        "severity": SEVERITY_CODES[notable["severity"]], "risk_score": risk_of(notable),
        "risk_score_norm": risk_of(notable), "reason": _reason(notable),
    }  # fmt: skip
    return {**fields, "url": kibana + _LINK.format(notable["id"])} if kibana else fields


def _reason(notable: NotableDocument) -> str:
    """The signals that add most, each with its sentence."""
    top = [signal for signal in notable["signals"] if signal["log_odds"] > 0][:_TOP]
    parts = (f"{spoken(s['id'])} {signed(s['log_odds'])}: {s['evidence']}" for s in top)
    return visible(" | ".join(parts) or notable["summary"])


def _rule(notable: NotableDocument) -> dict[str, Any]:
    return {
        "id": f"nhi-{notable['kind'].replace('_', '-')}",
        "name": f"NHI {KINDS[notable['kind']].lower()}",
        "description": _RULES[notable["kind"]],
        "category": notable["kind"],
        "ruleset": "nhi_watch",
        "version": notable["model"]["id"],
        "author": ["nhi_watch"],
        "license": "Apache-2.0",
        "reference": _REFERENCE,
    }


def _threat(notable: NotableDocument) -> dict[str, Any]:
    techniques = notable["frameworks"]["mitre_attack"]
    if not techniques:
        return {}
    tactics, children = words.tactics(techniques), [item for item in techniques if "." in item]
    technique: dict[str, Any] = _entries(list(dict.fromkeys(item.partition(".")[0] for item in techniques)))
    return {
        "threat": {
            "framework": "MITRE ATT&CK",
            "tactic": {"id": [id_ for id_, _ in tactics], "name": [name for _, name in tactics]},
            "technique": {**technique, **({"subtechnique": _entries(children)} if children else {})},
        }
    }


def _entries(ids: list[str]) -> dict[str, list[str]]:
    return {
        "id": ids,
        "name": [words.framework(item) or item for item in ids],
        "reference": [_TECHNIQUE_URL.format(item.replace(".", "/")) for item in ids],
    }


def _who(notable: NotableDocument) -> dict[str, Any]:
    identity, addresses = notable["identity"], _addresses(notable)
    is_user = identity["kind"] in _USERS
    actor = {"id": identity["id"], "name": visible(short_name(identity), _LONGEST)}
    if not is_user:
        actor |= {"name": visible(identity["name"], _LONGEST), "type": identity["kind"]}
        actor |= {"environment": notable["impact"]["environment"]} if notable["impact"]["environment"] else {}
    who: dict[str, Any] = {
        "user" if is_user else "service": {**actor, "entity": {"id": identity["id"]}},
        "entity": entity(identity),
        "cloud": {"provider": identity["provider"], "account": {"id": identity["account"]}},
        "related": {"user": _each("name", notable), "entity": _each("id", notable)},
    }
    if addresses:
        who["source"] = {"ip": addresses[0], "address": addresses[0]}
        who["related"]["ip"] = addresses
    return who


def entity(identity: IdentityDocument) -> dict[str, Any]:
    """ECS' `entity.*`. The entity store goes by `entity.id` and `service.entity.id`: names are shared by several."""
    kind = "user" if identity["kind"] in _USERS else "service"
    fields = {"id": visible(identity["id"], _LONGEST), "name": visible(identity["name"], _LONGEST)}
    return {**fields, "type": [kind], "sub_type": identity["kind"], "source": "nhi_watch"}


def _each(what: Literal["id", "name"], notable: NotableDocument) -> list[str]:
    """Of the identity and of those linked to it."""
    return list(
        dict.fromkeys(visible(identity[what], _LONGEST) for identity in (notable["identity"], *notable["members"]))
    )


def _addresses(notable: NotableDocument) -> list[str]:
    """IP addresses of the timeline, the ones with most points first; networks are not addresses."""
    entries = sorted(notable["timeline"], key=lambda entry: -entry["points"])
    first = (entry["source"] for entry in entries)
    further = (place for entry in entries for place in entry.get("also_from", ()))
    return list(dict.fromkeys(place for place in (*first, *further) if is_address(place)))[:50]


def _rest(notable: NotableDocument, change: str) -> dict[str, Any]:
    """The notable, with the most unusual records and calls; the change decides on promotion.

    `brief` is the alert's note: the notable in sentences, as `nhi brief` writes them. A rank is of one run's list.
    """
    kept = {name: value for name, value in notable.items() if name != "rank"}
    kept["record_ids"] = notable["record_ids"][:_RECORDS]
    kept["signals"] = [{**signal, "record_ids": signal["record_ids"][:1]} for signal in notable["signals"]]
    kept["timeline"] = sorted(notable["timeline"], key=lambda entry: -entry["points"])[:_CALLS]
    return {"change": change, "brief": brief.text(notable), "notable": kept}
