"""What is known of owners and of credentials with several users, in the tenants that posture is measured on.

| finding | true for |
|---|---|
| orphaned_identity | active machines that the table of assets, which names all others, leaves out |
| reused_credential | keys that this module also lets another program use from elsewhere, and roles that several \
machines were seen to assume |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.context.assets import Asset, Assets
from nhi_watch.core.identity import subject_of
from nhi_watch_lab.simulator import Tenant
from nhi_watch_lab.simulator.dice import dice
from nhi_watch_lab.simulator.machines import Machine

PLANTED = 5
LEAST_DAYS = 3
"""Days side by side after which two programs are two applications."""
_ELSEWHERE = {"sourceIPAddress": "35.190.0.17", "userAgent": "rclone/v1.66"}
Row = Mapping[str, Any]


class Shared(NamedTuple):
    """What was planted."""

    nobody: frozenset[str]
    """ARNs that the table of assets leaves out."""
    second: frozenset[str]
    """Users whose key another program uses as well."""


def plan(tenant: Tenant, days: int) -> Shared:
    """Choose them."""
    d = dice(tenant.spec.seed, "shared")
    machines = [m for m in tenant.machines if m.kind in ("role", "user") and not m.human]
    users = [m for m in machines if m.kind == "user" and m.keys and m.born == 0 and m.dies > days and m.volume > 0.2]
    nobody = d.some(machines, max(PLANTED, len(machines) // 8))
    return Shared(frozenset(m.arn for m in nobody), frozenset(m.arn for m in d.some(users, min(PLANTED, len(users)))))


def doubled(rows: Sequence[dict[str, Any]], second: frozenset[str]) -> list[dict[str, Any]]:
    """A day's records, and for each of those users one call of the other program with the same key."""
    found, done = [], set()
    for row in rows:
        arn, key = str(row["userIdentity"].get("arn")), str(row["userIdentity"].get("accessKeyId", ""))
        if arn in second and key not in done and key.startswith("AKIA") and not row.get("errorCode"):
            done.add(key)
            found.append({**row, **_ELSEWHERE, "eventID": f"second-{row['eventID']}"})
    return [*rows, *found]


def assets_of(arns: Iterable[str], tenant: Tenant, shared: Shared) -> Assets:
    """A table that names an owner for everybody but those who were left out; workloads go by their subject's name."""
    names = {*arns, *(subject_of(machine.subject) for machine in tenant.machines if machine.subject)}
    return {name: Asset("", "team", "") for name in names if name not in shared.nobody}


class Users:
    """Who used a key and who took a role, by the raw records."""

    def __init__(self, tenant: Tenant) -> None:
        self._people = {person.arn for person in tenant.people}
        self._by_issuer: dict[str, set[str]] = {}
        self._doubled: dict[str, int] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Note what a day's records say."""
        for row in rows:
            who = row["userIdentity"]
            if str(row["eventID"]).startswith("second-"):
                self._doubled[who["accessKeyId"]] = self._doubled.get(who["accessKeyId"], 0) + 1
            role = (row.get("requestParameters") or {}).get("roleArn")
            caller = str(who.get("sessionContext", {}).get("sessionIssuer", {}).get("arn") or who.get("arn") or "")
            machine = caller and caller not in self._people and not row.get("errorCode")
            if role and machine and str(row["eventName"]).startswith("AssumeRole"):
                self._by_issuer.setdefault(str(role), set()).add(caller)

    def reused(self, machines: Iterable[Machine]) -> set[str]:
        """Keys of two programs, and roles that several machines took."""
        known = {machine.arn for machine in machines if not machine.human}
        keys = {key for key, days in self._doubled.items() if days >= LEAST_DAYS}
        return keys | {role for role, takers in self._by_issuer.items() if len(takers & known) > 1}
