"""Evidence for what is ranked: all record ids of behaviours that the cluster has grouped with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import Identity
from nhi_watch.hosts.elastic.pushdown import fields
from nhi_watch.hosts.elastic.pushdown.behaviours import is_bare
from nhi_watch.hosts.elastic.pushdown.buckets import CannotPushError
from nhi_watch.hosts.elastic.pushdown.queries import any_of
from nhi_watch.hosts.elastic.pushdown.trail import Trail

_NAMED = ("role", "user", "identity_center")
"""Kinds of identities whose id holds the principal's id, as the documents have it."""


class Evidence:
    """Asks the cluster again, about those days of identities that may become notables, in full."""

    def __init__(self, trail: Trail, until: int) -> None:
        self._trail = trail
        self._until = until
        self.asked = 0
        """How many days of identities were asked about."""

    def complete(self, wholes: Iterable[IdentityDay]) -> None:
        """Fill in the record ids and minutes that are missing. What changed since stays as it is."""
        bare = [whole for whole in wholes if any(map(is_bare, whole.behaviours.values()))]
        self.asked += len(bare)
        for narrow in (True, False):
            if bare:
                self._ask(bare, narrow)
            bare = [whole for whole in bare if any(map(is_bare, whole.behaviours.values()))]

    def _ask(self, bare: list[IdentityDay], narrow: bool) -> None:
        who = [_clause(whole.identity) for whole in bare]
        known = [clause for clause in who if clause is not None]
        if narrow and len(known) < len(who):
            return
        hours = {b.hour for whole in bare for b in whole.behaviours.values() if is_bare(b)}
        try:
            found = self._trail.whole(hours, self._until, any_of(*known) if narrow else None)
        except CannotPushError:
            return
        for whole in bare:
            _fill(whole, found.get(whole.day, {}))


def _clause(identity: Identity) -> Optional[dict[str, Any]]:
    """Documents in which the identity may act, and perhaps others; None: its id does not tell."""
    if identity.kind not in _NAMED:
        return None
    name = identity.id.split(":", 4)[3]
    return any_of(
        {"term": {fields.ISSUER_ID: name}},
        {"term": {fields.PRINCIPAL: name}},
        {"prefix": {fields.PRINCIPAL: f"{name}:"}},
    )


def _fill(whole: IdentityDay, found: Mapping[str, IdentityDay]) -> None:
    """Identities are told apart here again: the documents may be others' as well."""
    same = found.get(whole.identity.id)
    for key, behaviour in whole.behaviours.items():
        full = same.behaviours.get(key) if same is not None else None
        if full is not None and full.count == behaviour.count and is_bare(behaviour):
            behaviour.record_ids = full.record_ids
            behaviour.minutes = full.minutes
