"""What is known of every identity and every long-lived credential, for longer than behaviours are kept.

Rows of the table `inventory`; each is a merge of facts (smallest, largest, union), so the order of records and
how they were cut into runs change nothing, and taking in a day again changes nothing either.

| key | row |
|---|---|
| i/IDENTITY | the identity's names and kind, and its first and last second |
| c/CREDENTIAL | who used it, from when to when, and what was done to it: created, switched off, deleted, exposed |
| n/ACCOUNT/NAME | what was done to a user, role or service account by name: policies, quarantine, deletion |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, Optional, Protocol

from nhi_watch.core.behaviour import Behaviour, BehaviourKey, IdentityDay
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import HOUR
from nhi_watch.state.store import Rows, pack, pack_plain, unpack

TABLE = "inventory"
CHANGES = 24
"""Changes that are kept of one credential or name: the latest ones."""
USERS = 4
"""Identities that are kept as users of one credential."""
LONGEST = 490
"""Characters of a name in a key: stores take 512 bytes."""


ABOUT = frozenset({"exposure", "alert"})
"""Services of records that are about an identity, not by it."""
STANDS = ("name:", "of:")
"""How the ids of credentials begin that stand for all that an identity has, where none is given."""


class Change(NamedTuple):
    """Something done to a credential, or to an identity by its name."""

    time: int
    what: str
    """created | deactivated | reactivated | deleted | exposed | resolved | quarantined | granted | reduced | revoked"""
    by: str
    """Id of the identity that did it; of an exposure: the feed."""
    about: str
    """Created: for whom. Exposed: where it lay. Granted and reduced: the call."""
    traits: str
    """The record's traits, with commas."""
    record_id: str


class Credential(NamedTuple):
    """A long-lived credential."""

    id: str
    users: tuple[Identity, ...]
    """Who was seen with it, or is said to own it."""
    first: int
    """First use; 0: never seen in use."""
    last: int
    changes: tuple[Change, ...]
    """Earliest first."""

    @property
    def identity(self) -> Optional[Identity]:
        """Whose it is: the identity that used it rather than one that stands for the credential itself."""
        return max(self.users, key=lambda user: (user.kind != "credential", user), default=None)

    def latest(self, *what: str) -> Optional[Change]:
        """The latest change of some kinds."""
        return next((change for change in reversed(self.changes) if change.what in what), None)


class Known(NamedTuple):
    """An identity with the span in which it was seen."""

    identity: Identity
    first: int
    last: int


# What a call does to the credential or the name in its target; only where it succeeded.
_TO_CREDENTIAL = {
    "iam:DeleteAccessKey": "deleted",
    "iam:DeleteServiceSpecificCredential": "deleted",
    "iam.googleapis.com:DeleteServiceAccountKey": "deleted",
    "iam.googleapis.com:DisableServiceAccountKey": "deactivated",
    "iam.googleapis.com:EnableServiceAccountKey": "reactivated",
}
CREATES = ("iam:CreateUser", "iam:CreateRole")
"""Calls that make an identity, by its name."""
_TO_NAME = {
    **dict.fromkeys(CREATES, "created"),
    **{f"iam:{name}": "deleted" for name in ("DeleteUser", "DeleteRole")},
    **{f"iam.googleapis.com:{name}": "deleted" for name in ("DeleteServiceAccount", "DisableServiceAccount")},
    **{f"iam:Attach{kind}Policy": "granted" for kind in ("User", "Role")},
    **{f"iam:Put{kind}Policy": "granted" for kind in ("User", "Role")},
    "iam:AddUserToGroup": "granted",
    **{f"iam:Detach{kind}Policy": "reduced" for kind in ("User", "Role")},
    **{f"iam:Delete{kind}Policy": "reduced" for kind in ("User", "Role")},
    **{f"iam:Put{kind}PermissionsBoundary": "reduced" for kind in ("User", "Role")},
    "iam:RemoveUserFromGroup": "reduced",
    "iam:UpdateAssumeRolePolicy": "revoked",
}
_BY_TRAIT = (("quarantine", "quarantined"), ("sessions_revoked", "revoked"))
MAKES = {
    "iam:CreateAccessKey",
    "iam:CreateServiceSpecificCredential",
    "iam.googleapis.com:CreateServiceAccountKey",
    "iam.googleapis.com:UploadServiceAccountKey",
}
"""Calls that make a long-lived credential."""
_LEAKED = re.compile(
    r"alert:(?:GuardDuty/(?:AttackSequence:IAM/CompromisedCredentials|UnauthorizedAccess:IAMUser/InstanceCredential\w+"
    r"(?:\.\w+)*)|EntraRisk/(?:leakedCredentials|aadConfirmedServicePrincipalCompromise\w*))"
)
"""Alerts of other products that say that a credential is in wrong hands."""
_CREATED = {"new_credential_on_app"}
"""Traits of records that hand a credential out."""


def note(rows: Rows, identity_days: Iterable[IdentityDay], since_loaded: bool = False) -> None:
    """Take in the facts of some identities' days; `since_loaded`: of what was added since they were loaded."""
    facts = _Facts()
    for identity_day in identity_days:
        facts.take(identity_day.identity, identity_day.changed() if since_loaded else identity_day.behaviours.values())
    keep(rows, facts.credentials.values(), facts.names, facts.identities.values())


def keep(
    rows: Rows,
    credentials: Iterable[Credential] = (),
    names: Optional[dict[str, list[Change]]] = None,
    identities: Iterable[Known] = (),
) -> None:
    """Merge facts into the rows that are there; rows that stay the same are not written."""
    fresh: dict[str, list[Any]] = {f"c/{c.id[:LONGEST]}": _plain(c) for c in credentials}
    fresh.update((f"n/{name[:LONGEST]}", [list(change) for change in done]) for name, done in (names or {}).items())
    fresh.update((f"i/{known.identity.id}"[:LONGEST], _plain(known)) for known in identities)
    before = rows.get(TABLE, list(fresh))
    changed: list[tuple[str, Optional[bytes]]] = []
    for key, row in fresh.items():
        old = unpack(before[key]) if key in before else None
        merged = _MERGES[key[0]](old, row)
        if merged != old:
            changed.append((key, pack_plain(merged) if key[0] == "i" else pack(merged)))
    rows.put(TABLE, changed)


def credential(rows: Rows, name: str) -> Optional[Credential]:
    """One credential; None when nothing is known of it."""
    key = f"c/{name[:LONGEST]}"
    raw = rows.get(TABLE, [key]).get(key)
    return _credential(unpack(raw)) if raw is not None else None


def credentials(rows: Rows) -> Iterator[Credential]:
    """All credentials, by id."""
    return (_credential(unpack(raw)) for _, raw in rows.scan(TABLE, "c/", "c0"))


def identities(rows: Rows) -> dict[str, Known]:
    """All identities by id."""
    every = (_known(raw) for _, raw in rows.scan(TABLE, "i/", "i0"))
    return {known.identity.id: known for known in every}


class Searched(Rows, Protocol):
    """A store in which texts can be looked for."""

    def find(self, table: str, keys: tuple[str, str], part: str, in_values: bool = True) -> Iterable[tuple[str, bytes]]:
        """Rows that may hold a text."""


def named(rows: Searched, part: str) -> tuple[list[Known], list[Credential]]:
    """Identities with a text in their id or name, and long-lived credentials with one in their id, whatever its case.

    Reads what holds the text alone: there may be very many identities.
    """
    wanted = part.lower()
    known_identities = [_known(raw) for _, raw in rows.find(TABLE, ("i/", "i0"), part)]
    keys = [credential_of(raw) for _, raw in rows.find(TABLE, ("c/", "c0"), part, in_values=False)]
    return [
        known for known in known_identities if wanted in f"{known.identity.id}\n{known.identity.name}".lower()
    ], keys


@lru_cache(maxsize=16_384)
def _known(raw: bytes) -> Known:
    """The identity of a row; decoded once, for each round asks for all of them."""
    row = unpack(raw)
    return Known(Identity(*row[0]), row[1], row[2])


def known_of(rows: Rows, names: Iterable[str]) -> dict[str, Known]:
    """Those of some identities of which something is known, by id."""
    keys = {f"i/{name}"[:LONGEST]: name for name in names}
    return {keys[key]: _known(raw) for key, raw in rows.get(TABLE, list(keys)).items()}


def credential_of(row: bytes) -> Credential:
    """A row whose key begins with `c/`."""
    return _credential(unpack(row))


def every_name(rows: Rows) -> dict[str, list[Change]]:
    """`ACCOUNT/NAME` → what was done to it, earliest first."""
    return {key[2:]: [Change(*row) for row in unpack(raw)] for key, raw in rows.scan(TABLE, "n/", "n0")}


def done_to(rows: Rows, identity: Identity) -> list[Change]:
    """What others did to an identity by its name, earliest first."""
    key = f"n/{name_key(identity)}"[:LONGEST]
    raw = rows.get(TABLE, [key]).get(key)
    return [Change(*row) for row in unpack(raw)] if raw is not None else []


def name_key(identity: Identity) -> str:
    """Under which name others do something to an identity.

    >>> name_key(Identity("i", "arn:aws:iam::111111111111:user/ci", "user", "aws", "111111111111", ""))
    '111111111111/ci'
    """
    return _name_key(identity.account, identity.name)


def _name_key(account: str, name: str) -> str:
    return f"{account}/{name.rpartition('/')[2]}"


class _Facts:
    """What some days show."""

    def __init__(self) -> None:
        self.credentials: dict[str, Credential] = {}
        self.names: dict[str, list[Change]] = {}
        self.identities: dict[str, Known] = {}

    def take(self, identity: Identity, behaviours: Iterable[Behaviour]) -> None:
        first, last = 0, 0
        telling: dict[int, bool] = {}  # by id: hashing a shape takes longer than all else here
        uses: dict[str, tuple[int, int]] = {}
        for b in behaviours:
            key = b.key
            if key.service not in ABOUT:
                first, last = min(first or b.first, b.first), max(last, b.last)
            if id(key) not in telling:
                telling[id(key)] = tells(key)
            if b.issued or telling[id(key)]:
                self._behaviour(identity, b)
            if key.credential and key.service not in ABOUT:
                start, end = uses.get(key.credential, (b.first, b.last))
                uses[key.credential] = min(start, b.first), max(end, b.last)
        for name, (start, end) in uses.items():
            self._add(Credential(name, (identity,), start, end, ()))
        if first and identity.kind != "credential":  # those stand for an exposed one, nobody acts as them
            self._merge_identity(Known(identity, first, last))

    def _behaviour(self, identity: Identity, b: Behaviour) -> None:
        key = b.key
        if key.service == "exposure":
            self._exposed(identity, b)
        elif key.service == "alert":
            name = key.credential or f"of:{identity.id}"
            product = key.action.partition(":")[2].partition("/")[0]
            traits = ",".join(sorted({*key.traits, "used"}))
            change = Change(b.first, "exposed", product, key.action, traits, b.record_ids[0])
            self._add(Credential(name, (identity,), 0, 0, (change,)))
        elif key.outcome == "success":
            for name, change in _to_credentials(identity, b):
                self._add(Credential(name, (), 0, 0, (change,)))
            for target, change in _to_names(identity, b):
                done = self.names.setdefault(_name_key(key.account, target), [])
                self.names[_name_key(key.account, target)] = _union(done, [change])

    def _exposed(self, identity: Identity, b: Behaviour) -> None:
        what = "resolved" if "resolved" in b.key.traits else "exposed"
        traits = ",".join(b.key.traits)
        for place in b.targets or [""]:
            change = Change(b.first, what, b.key.agent, place, traits, b.record_ids[0])
            self._add(Credential(b.key.credential, (identity,), 0, 0, (change,)))

    def _add(self, fact: Credential) -> None:
        if fact.id:
            known = self.credentials.get(fact.id)
            plain = _merge_credential(_plain(known) if known else None, _plain(fact))
            self.credentials[fact.id] = _credential(plain)

    def _merge_identity(self, known: Known) -> None:
        before = self.identities.get(known.identity.id)
        plain = _merge_identity(_plain(before) if before else None, _plain(known))
        self.identities[known.identity.id] = Known(Identity(*plain[0]), plain[1], plain[2])


def tells(key: BehaviourKey) -> bool:
    """Whether a behaviour shows credentials, its own or others'."""
    return bool(
        key.action in _TO_CREDENTIAL
        or key.action in _TO_NAME
        or key.action == "iam:UpdateAccessKey"
        or key.service == "exposure"
        or "quarantine" in key.traits
        or (key.service == "alert" and _LEAKED.fullmatch(key.action))
    )


def _to_credentials(identity: Identity, b: Behaviour) -> Iterator[tuple[str, Change]]:
    """(credential, what was done to it); a call counts at the last second of its behaviour, a new one at the first."""
    key = b.key
    traits, record = ",".join(key.traits), b.record_ids[0]
    if key.action in MAKES or _CREATED & set(key.traits):
        owner = b.targets[0] if len(b.targets) == 1 else identity.name if not b.targets else ""
        for name in b.issued:
            yield name, Change(b.first, "created", identity.id, owner, traits, record)
    what = _TO_CREDENTIAL.get(key.action, "")
    if key.action == "iam:UpdateAccessKey":
        what = "deactivated" if "deactivated" in key.traits else "reactivated"
    if what:
        for target in b.targets:
            yield target.rpartition("/")[2], Change(b.last, what, identity.id, target, traits, record)


def _to_names(identity: Identity, b: Behaviour) -> Iterator[tuple[str, Change]]:
    key = b.key
    what = next((w for trait, w in _BY_TRAIT if trait in key.traits), _TO_NAME.get(key.action, ""))
    if what and key.service != "exposure":
        for target in b.targets:
            yield target, Change(b.last, what, identity.id, key.action, ",".join(key.traits), b.record_ids[0])


# ---- merging plain rows


def _merge_credential(old: Optional[list[Any]], new: list[Any]) -> list[Any]:
    if old is None:
        return new
    name, users, first, last, changes = new
    both = {user[0]: list(user) for user in sorted([*old[1], *users])}  # the fullest spelling of an id comes last
    starts = [time for time in (old[2], first) if time]
    return [
        name,
        [both[i] for i in sorted(both)][:USERS],
        min(starts, default=0),
        max(old[3], last),
        [list(c) for c in _union([Change(*c) for c in old[4]], [Change(*c) for c in changes])],
    ]


def _merge_identity(old: Optional[list[Any]], new: list[Any]) -> list[Any]:
    if old is None:
        return new
    return [max(old[0], new[0]), min(old[1], new[1]), max(old[2], new[2])]


def _merge_name(old: Optional[list[Any]], new: list[Any]) -> list[Any]:
    return [list(c) for c in _union([Change(*c) for c in old or ()], [Change(*c) for c in new])]


_MERGES = {"c": _merge_credential, "i": _merge_identity, "n": _merge_name}


def _union(first: Iterable[Change], other: Iterable[Change]) -> list[Change]:
    """One change for each behaviour: it may have grown since it was taken in before."""
    kept: dict[tuple[object, ...], Change] = {}
    for change in (*first, *other):
        key = (change.time // HOUR, *change[1:5])
        old = kept.get(key, change)
        time = (min if change.what in _AT_FIRST else max)(old.time, change.time)
        kept[key] = change._replace(time=time, record_id=min(old.record_id, change.record_id))
    return sorted(kept.values())[-CHANGES:]


_AT_FIRST = {"created", "exposed", "resolved"}
"""Changes that count from the first second of their behaviour; the others count from the last."""


def _plain(fact: Any) -> list[Any]:
    """Nested tuples as lists, as JSON gives them back."""
    return [_plain(part) if isinstance(part, tuple) else part for part in fact]


def _credential(row: list[Any]) -> Credential:
    name, users, first, last, changes = row
    return Credential(
        name, tuple(Identity(*user) for user in users), first, last, tuple(Change(*change) for change in changes)
    )
