"""The ledger of the two mandatory controls: what is open, what is done, what is verified, what is overdue.

A control moves by telemetry, or by a recorded exception with an owner and an end; nobody ticks it off.

| status | when |
|---|---|
| open | an exposure, a finding, or a compromise that was listed or confirmed asks for it; overdue after its due date |
| done | to rotate: each credential was switched off, deleted or called revoked; to reduce: a policy was taken away |
| verified | done, and for a day after that the log was read and shows no successful use, and no new grant |
| excepted | somebody answers for leaving it, until a date |

A verdict or an exception that takes the notable off the list takes its controls off the ledger.
What closes a control is done by an identity outside of the notable, after its last unusual call, and the record that
shows it is named: an attacker who deletes the role that he used has rotated nothing.

An identity without a long-lived credential is rotated by revoking its sessions, changing its trust, or deleting it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from nhi_watch.core.documents import ControlDocument, IdentityDocument, NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import clip, dimensions_of
from nhi_watch.core.status import is_resolved
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect import feedback
from nhi_watch.detect.history import History, IdentityHistory
from nhi_watch.state.inventory import Change, Credential
from nhi_watch.state.store import Rows, pack, unpack

TABLE = "ledger"
ENTRIES = ("control/", "control0")
FINDINGS = ("posture/", "posture0")
EXCEPTIONS = ("except/", "except0")
QUIET = DAY
"""How long the log must show nothing after a control was done before it counts as verified."""
DUE_DAYS = {"critical": 1, "high": 3, "medium": 14, "low": 30, "informational": 30}
KEPT_DAYS = 400
"""Days that an entry is kept after it was verified."""
LONGEST_EXCEPTION = 366


class Exemption(NamedTuple):
    """Somebody answers for leaving a control undone."""

    owner: str
    reason: str
    until: int
    made: int


class ControlEntry(NamedTuple):
    """One control of one notable or finding."""

    id: str
    notable: str
    control: str
    """rotate_secret | reduce_privilege"""
    identity: str
    name: str
    owner: str
    credentials: tuple[str, ...]
    """The secrets to rotate; empty: whatever the identity has."""
    required: int
    due: int
    status: str
    done: int
    """Second at which it was done; 0: it is not."""
    evidence: str
    records: tuple[str, ...]
    exemption: Optional[Exemption]
    after: int = 0
    """Second of the notable's last unusual call, or the end of its hour: what was done before closes nothing."""
    suspects: tuple[str, ...] = ()
    """Ids of the identities of the notable, whose own acts close nothing; empty where nobody misused anything."""
    overdue: bool = False
    """Open after its due date."""


class Owner(NamedTuple):
    """How one owner keeps up."""

    owner: str
    open: int
    overdue: int
    """Of those that are open."""
    done: int
    excepted: int
    hours_to_rotate: Optional[float]
    """The median from required to done, of secrets; None: none was rotated yet."""


def entry_id(notable_id: str, control: str, identity: str) -> str:
    """The id of an entry.

    >>> len(entry_id("n", "rotate_secret", "aws:1:user:a"))
    12
    """
    return hashlib.sha256(f"{notable_id}|{control}|{identity}".encode()).hexdigest()[:12]


def follow(
    rows: Rows,
    history: History,
    notables: Iterable[NotableDocument],
    now: int = 0,
    stored: Optional[Sequence[ControlEntry]] = None,
    required: Optional[Required] = None,
) -> list[ControlEntry]:
    """All entries as they stand, with those that the notables ask for; they are put into the store.

    `notables`: as `publish` gives them, so that a verdict or an exception has closed those that it covers.
    `stored`: the entries as they were last assessed, where they were read already; `required`: see `required_by`.
    """
    now = max(now, history.now)
    published = {str(notable["id"]): notable for notable in notables}
    asking = _asking(rows, published.values())
    quiet = published.keys() - {notable["id"] for notable in asking}
    stored = entries(rows) if stored is None else stored
    before = {entry.id: entry for entry in stored if entry.notable not in quiet}
    required = required_by(rows, asking) if required is None else required
    asked = {entry.id: entry for notable in asking for entry in required[notable["id"]]}
    # the controls of a compromise count from the episode that it shows
    compromises = (notable["id"] for notable in asking if notable["kind"] == "compromise")
    newest = {entry.id for name in compromises for entry in required[name]}
    exempt = exemptions(rows)
    standing = []
    for name, entry in sorted({**before, **asked}.items()):
        if name in before:
            old = before[name]
            entry = entry._replace(owner=entry.owner or old.owner)
            if name not in newest or entry.required <= old.required:  # what was required stays required since then
                entry = entry._replace(required=old.required, due=old.due)
        standing.append(_assessed(entry, history, exempt.get(name), now))
    kept = [e for e in standing if e.status != "verified" or now - e.done < KEPT_DAYS * DAY]
    known = {entry.id: entry for entry in stored}
    gone = known.keys() - {e.id for e in kept}
    rows.put(TABLE, [(ENTRIES[0] + e.id, pack(_plain(e))) for e in kept if known.get(e.id) != e])
    rows.put(TABLE, [(ENTRIES[0] + name, None) for name in gone])
    return kept


def _asking(rows: Rows, notables: Iterable[NotableDocument]) -> list[NotableDocument]:
    """The notables whose controls are due: listed ones that people have not dealt with, and what they confirmed."""
    confirmed = feedback.confirmed(rows)
    return [
        n for n in notables if not is_resolved(n) and (n["kind"] != "compromise" or n["listed"] or n["id"] in confirmed)
    ]


def task(entry: ControlEntry, history: History, since: int) -> str:
    """What a control comes to for its identity: what an intrusion made is deleted, and a role has no secret to rotate.

    `since`: the first second of its notable; what was made before that is not the intrusion's.
    """
    identity_history = history.identities.get(entry.identity)
    if entry.control != "rotate_secret" or identity_history is None:
        return entry.control.replace("_", " ")
    secrets = [history.credentials.get(name) for name in _concerned(entry, identity_history)]
    if _was_created(entry, identity_history.done, since):
        return f"delete {identity_history.identity.kind.replace('_', ' ')}"
    if secrets and all(secret and _was_created(entry, secret.changes, since) for secret in secrets):
        return "delete key"
    return "end sessions" if identity_history.identity.kind == "role" and not secrets else "rotate secret"


def _was_created(entry: ControlEntry, changes: Iterable[Change], since: int) -> bool:
    """Whether the notable's own made what these changes were done to, while it lasted."""
    return any(
        c.what == "created" and since <= c.time <= entry.after and c.by in entry.suspects and c.by != entry.identity
        for c in changes
    )


def entries(rows: Rows) -> list[ControlEntry]:
    """The entries as they were last assessed."""
    return [_entry(unpack(raw)) for _, raw in rows.scan(TABLE, *ENTRIES)]


def to_check(
    rows: Rows,
    stored: Iterable[ControlEntry],
    history: History,
    notables: Iterable[NotableDocument],
    required: Required,
) -> set[str]:
    """Ids of the identities whose behaviours decide on a control: those of what was done, and may have been in vain."""
    standing = [*stored, *(entry for notable in _asking(rows, notables) for entry in required[notable["id"]])]
    return {entry.identity for entry in standing if _proof(entry, history) is not None}


Required = Mapping[str, Sequence[ControlEntry]]
"""Id of a notable whose controls are due → the entries that it asks for."""


def required_by(rows: Rows, notables: Iterable[NotableDocument]) -> Required:
    """The entries that notables ask for, of those whose controls are due."""
    return {notable["id"]: _asked(notable) for notable in _asking(rows, notables)}


def _asked(notable: NotableDocument) -> list[ControlEntry]:
    """The entries that a notable's required controls open; the pairs belong to its members, in their order."""
    members = notable.get("members") or [notable["identity"]]
    met: dict[str, int] = {}
    controls, misuse = [], _misuse(notable)
    for control in notable["controls"]:
        number = met[control["id"]] = met.get(control["id"], -1) + 1
        member = members[min(number, len(members) - 1)]
        if control["required"]:
            controls.append(_open(notable, control["id"], member, misuse))
    return controls


def _open(
    notable: NotableDocument, control: str, member: IdentityDocument, misuse: tuple[int, tuple[str, ...]]
) -> ControlEntry:
    required = parse(notable["created"])
    rotate = control == "rotate_secret" and len(notable.get("members") or ()) < 2
    credentials = _credentials(notable) if rotate else ()
    return ControlEntry(
        entry_id(notable["id"], control, member["id"]),
        notable["id"],
        control,
        member["id"],
        member["name"],
        member["owner"] or notable["identity"]["owner"],
        credentials,
        required,
        required + DUE_DAYS[notable["severity"]] * DAY,
        "open",
        0,
        "",
        (),
        None,
        *misuse,
    )


def _misuse(notable: NotableDocument) -> tuple[int, tuple[str, ...]]:
    """The last second of what was unusual, and who is under suspicion."""
    compromise = notable["kind"] == "compromise"
    unusual_entries = [
        e
        for e in notable["timeline"]
        if (e["points"] > 0 if compromise else not e["action"].startswith(PUBLISHED_KEYS))
    ]
    if notable["kind"] not in ("compromise", "exposure") or not (compromise or unusual_entries):
        return 0, ()
    last = parse(notable["last_time"])
    if unusual_entries:
        latest = max(e["time"] for e in unusual_entries)  # all are written alike, so texts are in the order of times
        last = min(last, parse(latest) // HOUR * HOUR + HOUR - 1)
    members = notable.get("members") or [notable["identity"]]
    return last, tuple(sorted({notable["identity"]["id"], *(m["id"] for m in members)}))


PUBLISHED_KEYS = ("exposure:", "credential:")
"""What an exposure's timeline shows besides uses."""


def _credentials(notable: NotableDocument) -> tuple[str, ...]:
    return tuple(sorted({o["value"] for d in dimensions_of(notable, "credential") for o in d["observed"]}))


# ---- what telemetry says


class _Proof(NamedTuple):
    """That a control was done, and since when."""

    time: int
    sentence: str
    records: tuple[str, ...]


def _assessed(entry: ControlEntry, history: History, exemption: Optional[Exemption], now: int) -> ControlEntry:
    identity_history, proof = history.identities.get(entry.identity), _proof(entry, history)
    if proof is not None:
        status, sentence = _checked(entry, identity_history, proof, history)
        return entry._replace(
            status=status,
            overdue=status == "open" and now > entry.due,
            done=proof.time,
            evidence=sentence,
            records=proof.records,
            exemption=exemption,
        )
    if exemption is not None and exemption.until > now:
        evidence = f"excepted until {render(exemption.until)} by {exemption.owner}: {exemption.reason}"
        return entry._replace(
            status="excepted", overdue=False, done=0, evidence=evidence, records=(), exemption=exemption
        )
    ended = f"the exception of {exemption.owner} ended {render(exemption.until)}; " if exemption else ""
    evidence, records = _own_acts(entry, identity_history, history)
    return entry._replace(
        status="open",
        overdue=now > entry.due,
        done=0,
        records=records,
        exemption=exemption,
        evidence=f"{ended}nothing in the logs shows that it was done{evidence}",
    )


def _proof(entry: ControlEntry, history: History) -> Optional[_Proof]:
    identity_history = history.identities.get(entry.identity)
    return (
        _rotated(entry, identity_history, history)
        if entry.control == "rotate_secret"
        else _reduced(entry, identity_history)
    )


def _closes(entry: ControlEntry, change: Change) -> bool:
    """Whether a change may close a control: by somebody outside of the notable, after its last unusual call."""
    return change.time > entry.after and change.by not in entry.suspects


def _own_acts(
    entry: ControlEntry, identity_history: Optional[IdentityHistory], history: History
) -> tuple[str, tuple[str, ...]]:
    """What the notable's own identities did that looks as if it closed the control."""
    known = [history.credentials[name] for name in _concerned(entry, identity_history) if name in history.credentials]
    ends = [(name.id, c) for name in known for c in name.changes if c.what in ("deactivated", "deleted")]
    closing = ("deleted", "revoked") if entry.control == "rotate_secret" else ("deleted", "reduced")
    named = (
        [(identity_history.identity.name, c) for c in identity_history.done if c.what in closing]
        if identity_history
        else []
    )
    both = [*(ends if entry.control == "rotate_secret" else ()), *named]
    own = [(what, c) for what, c in both if c.time >= entry.required and not _closes(entry, c)]
    acts = [f"{clip(what, 80)} {c.what} at {render(c.time)} by {c.by} (record {c.record_id})" for what, c in own[:2]]
    why = "; does not count, because the notable's own identity did it or it came before the last unusual call: "
    return (f"{why}{', '.join(acts)}", tuple(c.record_id for _, c in own[:2])) if acts else ("", ())


def _rotated(entry: ControlEntry, identity_history: Optional[IdentityHistory], history: History) -> Optional[_Proof]:
    concerned = _concerned(entry, identity_history)
    if not concerned:
        return _by_name(entry, identity_history, ("deleted", "revoked"))
    ends: list[Change] = []
    for name in concerned:
        known = history.credentials.get(name)
        end = history.end_of(known) if known else None
        if end is None or end.what == "reactivated" or not _closes(entry, end):
            return _by_name(entry, identity_history, ("deleted",))
        ends.append(end)
    last = max(ends)
    text = ", ".join(
        f"{name} {end.what} {render(end.time)} by {end.by} (record {end.record_id})"
        for name, end in zip(concerned, ends)
    )
    return _Proof(last.time, text + _replacement(entry, identity_history), tuple(end.record_id for end in ends))


def _concerned(entry: ControlEntry, identity_history: Optional[IdentityHistory]) -> tuple[str, ...]:
    """The credentials to rotate: those that the notable names, else all that existed when it was made."""
    if entry.credentials or identity_history is None:
        return entry.credentials
    return tuple(sorted(c.id for c in identity_history.credentials if (_born(c) or entry.required) <= entry.required))


def _born(credential: Credential) -> int:
    change = credential.latest("created")
    return change.time if change else credential.first


def _replacement(entry: ControlEntry, identity_history: Optional[IdentityHistory]) -> str:
    """The credential that took over, if one did."""
    others = (c for c in identity_history.credentials if c.id not in entry.credentials) if identity_history else ()
    fresh = [c.id for c in others if _born(c) >= entry.required]
    return f"; new: {', '.join(sorted(fresh)[:3])}" if fresh else ""


def _reduced(entry: ControlEntry, identity_history: Optional[IdentityHistory]) -> Optional[_Proof]:
    return _by_name(entry, identity_history, ("deleted", "reduced"))


def _by_name(entry: ControlEntry, identity_history: Optional[IdentityHistory], what: Sequence[str]) -> Optional[_Proof]:
    done = (
        [c for c in identity_history.done if c.what in what and c.time >= entry.required and _closes(entry, c)]
        if identity_history
        else []
    )
    if not done:
        return None
    last = done[-1]
    call = last.about if ":" in last.about else last.what
    text = f"{call} at {render(last.time)} by {last.by} (record {last.record_id})"
    return _Proof(last.time, text, (last.record_id,))


def _checked(
    entry: ControlEntry, identity_history: Optional[IdentityHistory], proof: _Proof, history: History
) -> tuple[str, str]:
    """Verified, done, or open again because it was used after all."""
    later = _later(entry, identity_history, proof)
    if later:
        return "open", f"{proof.sentence}; but {later}"
    account = entry.identity.split(":")[1] if entry.identity.count(":") > 1 else ""
    span = history.span_of(entry.identity.partition(":")[0], account)
    if span is None or span.last < proof.time + QUIET:
        return "done", f"{proof.sentence}; verified once the log shows a day without use"
    return "verified", f"{proof.sentence}; not used since, log read until {render(span.last)}"


def _later(entry: ControlEntry, identity_history: Optional[IdentityHistory], proof: _Proof) -> str:
    """What speaks against a control that was done."""
    if identity_history is None:
        return ""
    if entry.control == "reduce_privilege":
        again = next((c for c in reversed(identity_history.done) if c.what == "granted" and c.time > proof.time), None)
        return f"{again.about} granted again at {render(again.time)}" if again else ""
    concerned = _concerned(entry, identity_history)
    used = [s.last for s in identity_history.sights if s.credential in concerned and s.outcome == "success"]
    return f"it was used at {render(max(used))}" if used and max(used) > proof.time else ""


def put_findings(rows: Rows, notables: Iterable[NotableDocument]) -> None:
    """Keep the posture's notables of the latest look, in place of those of the one before."""
    fresh = {FINDINGS[0] + n["id"]: pack(n) for n in notables}
    before = [key for key, _ in rows.scan(TABLE, *FINDINGS)]
    rows.put(TABLE, [(key, None) for key in before if key not in fresh])
    rows.put(TABLE, list(fresh.items()))


def findings(rows: Rows) -> list[NotableDocument]:
    """The posture's notables of the latest look."""
    return [unpack(raw) for _, raw in rows.scan(TABLE, *FINDINGS)]


# ---- exceptions


def exempt(rows: Rows, name: str, exemption: Exemption) -> ControlEntry:
    """Record an exception for the entry whose id begins with `name`.

    Raises:
        InputError: no entry or several begin so; the exception lacks an owner or a reason, or ends too late.
    """
    matches = [entry for entry in entries(rows) if entry.id.startswith(name)] if name else []
    if len(matches) != 1:
        raise InputError(f"{len(matches)} controls begin with {name[:40]!r}; `nhi controls` lists their ids")
    if not exemption.owner.strip() or not exemption.reason.strip():
        raise InputError("an exception needs --owner and --reason")
    if not exemption.made < exemption.until <= exemption.made + LONGEST_EXCEPTION * DAY:
        raise InputError(f"--until {render(exemption.until)[:10]}: give a day within the next {LONGEST_EXCEPTION}")
    kept = exemption._replace(owner=clip(exemption.owner.strip(), 100), reason=clip(exemption.reason.strip(), 300))
    rows.put(TABLE, [(EXCEPTIONS[0] + matches[0].id, pack(list(kept)))])
    return matches[0]


def exemptions(rows: Rows) -> dict[str, Exemption]:
    """Entry id → the exception that was recorded for it last."""
    scanned = rows.scan(TABLE, *EXCEPTIONS)
    return {key[len(EXCEPTIONS[0]) :]: Exemption(*unpack(raw)) for key, raw in scanned}


# ---- what people look at

_SHOWN = {"done": "done", "verified": "done", "excepted": "not_applicable"}


def with_status(
    notables: Iterable[NotableDocument],
    standing: Iterable[ControlEntry],
    required: Required = MappingProxyType({}),
) -> list[NotableDocument]:
    """The notables with the status of each control as the ledger has it; `required`: see `required_by`."""
    standing = list(standing)
    status = {entry.id: _SHOWN.get(entry.status, "open") for entry in standing}
    followed = {entry.notable for entry in standing}
    documents: list[NotableDocument] = []
    for notable in notables:
        if notable["id"] not in followed:
            documents.append({**notable})
            continue
        asked = iter(required.get(notable["id"]) or _asked(notable))
        controls: list[ControlDocument] = []
        for control in notable["controls"]:
            known = status.get(next(asked).id) if control["required"] else None
            controls.append({**control, "status": known or control["status"]})
        documents.append({**notable, "controls": controls})
    return documents


def by_owner(standing: Iterable[ControlEntry]) -> list[Owner]:
    """How each owner keeps up, the one with most overdue first."""
    groups: dict[str, list[ControlEntry]] = {}
    for entry in standing:
        groups.setdefault(entry.owner or "no owner", []).append(entry)
    return sorted((_owner(name, own) for name, own in groups.items()), key=lambda o: (-o.overdue, -o.open, o.owner))


def _owner(name: str, own: Sequence[ControlEntry]) -> Owner:
    counts = {status: sum(entry.status == status for entry in own) for status in {e.status for e in own}}
    spent = [max(0, e.done - e.required) / 3600 for e in own if e.control == "rotate_secret" and e.done]
    return Owner(
        name,
        counts.get("open", 0),
        sum(entry.overdue for entry in own),
        counts.get("done", 0) + counts.get("verified", 0),
        counts.get("excepted", 0),
        round(median(spent), 1) if spent else None,
    )


def _plain(entry: ControlEntry) -> list[Any]:
    return [list(part) if isinstance(part, tuple) else part for part in entry]


def _entry(row: list[Any]) -> ControlEntry:
    entry = ControlEntry(*row)  # older rows lack the last parts
    exemption = Exemption(*entry.exemption) if entry.exemption else None
    return entry._replace(
        credentials=tuple(entry.credentials),
        records=tuple(entry.records),
        exemption=exemption,
        suspects=tuple(entry.suspects),
    )
