"""Precision and recall of posture findings on simulated tenants whose faults are known.

Tenants are short, so the limits are too: an identity is idle after `IDLE` days and a key is old after `OLD`.
What is known, and by what, never by the product's own reading:

| finding | true for |
|---|---|
| dormant_identity | machines that this module stops; those that it makes yearly or fortnightly must not be named |
| unused_secret | keys that the simulator replaced and nobody switched off, and the keys of stopped machines |
| long_lived_secret | keys in use at the end whose first day is `OLD` days back or more |
| human_use | machines in whose sessions this module puts a person at a console |
| shared_environments | identities whose raw records and name tell of two environments, by the world's own words; not \
measured where those are single letters, which nobody could guess |
| over_privileged | machines seen for 30 days that this module grants twice the services; others get what they call |
| orphaned_identity | active machines that the table of assets, which names all others, leaves out |
| reused_credential | keys that this module also lets another program use from elsewhere, and roles that several \
machines were seen to assume |

What renamed machines leave behind, and what started stopped ones,
is left out of dormant_identity.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.act.posture.checks import look
from nhi_watch.act.posture.finding import FindingLimits, scene
from nhi_watch.act.posture.rights import authorization_details
from nhi_watch.context import actions
from nhi_watch.context.assets import Asset, Assets
from nhi_watch.core.errors import RejectError
from nhi_watch.core.identity import subject_of
from nhi_watch.detect import history
from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.evaluation.harness import seeds_of
from nhi_watch_lab.evaluation.reading import table
from nhi_watch_lab.simulator import Spec, Tenant
from nhi_watch_lab.simulator.basics import dice
from nhi_watch_lab.simulator.machines import Machine, Rhythm

# ---- owners, and credentials with several users

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


def plan_shared(tenant: Tenant, days: int) -> Shared:
    """Choose them."""
    d = dice(tenant.spec.seed, "shared")
    machines = [m for m in tenant.machines if m.kind in ("role", "user") and not m.human]
    users = [m for m in machines if m.kind == "user" and m.keys and m.born == 0 and m.dies > days and m.volume > 0.2]
    nobody = d.some(machines, max(PLANTED, len(machines) // 8))
    return Shared(frozenset(m.arn for m in nobody), frozenset(m.arn for m in d.some(users, min(PLANTED, len(users)))))


def doubled(rows: Sequence[dict[str, Any]], second: frozenset[str]) -> list[dict[str, Any]]:
    """A day's records, and for each of those users one call of the other program with the same key."""
    result, done = [], set()
    for row in rows:
        arn, key = str(row["userIdentity"].get("arn")), str(row["userIdentity"].get("accessKeyId", ""))
        if arn in second and key not in done and key.startswith("AKIA") and not row.get("errorCode"):
            done.add(key)
            result.append({**row, **_ELSEWHERE, "eventID": f"second-{row['eventID']}"})
    return [*rows, *result]


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


# ---- all other faults

DAYS = 50
IDLE = 12
OLD = 30
MEASURED = (
    "dormant_identity",
    "unused_secret",
    "long_lived_secret",
    "human_use",
    "shared_environments",
    "over_privileged",
    "orphaned_identity",
    "reused_credential",
)
PRODUCTION = ("prod", "prd", "live", "p")
Truth = dict[str, set[str]]
"""Kind of finding → what it is true for: the ARN, or the key's id where it is about a key."""


class Plan(NamedTuple):
    """What was planted in a tenant."""

    stopped: list[Machine]
    yearly: list[Machine]
    fortnightly: list[Machine]
    by_hand: list[Machine]
    left_out: set[str]
    """Names of identities of which nobody can say whether they are still needed."""


def plan(tenant: Tenant) -> Plan:
    """Choose machines, and change when they work."""
    d = dice(tenant.spec.seed, "posture")
    recreated = {m.arn for m in tenant.machines if m.dies < DAYS}
    free = [
        m
        for m in tenant.machines
        if m.kind in ("role", "user")
        and not m.human
        and m.born == 0
        and m.arn not in recreated
        and m.archetype not in ("sleeper", "scanner", "person")
        and m.volume > 0.2
    ]
    chosen = d.some(free, min(len(free), 4 * PLANTED))
    stopped, yearly, fortnightly, by_hand = (chosen[n::4] for n in range(4))
    left_out = set(recreated)
    for machine in stopped:
        left_out |= {machine.parent.arn if machine.parent else "", subject_of(machine.subject)}
        machine.dies = DAYS - IDLE - d.between(4, 10)
    for machine in yearly:
        _on_days(machine, 400, d.between(5, DAYS - IDLE - 2))
    for machine in fortnightly:
        _on_days(machine, 14, d.between(0, 3))
    return Plan(stopped, yearly, fortnightly, by_hand, left_out)


def _on_days(machine: Machine, every: int, first: int) -> None:
    """Let all that a machine does happen on each so-manieth day only."""
    for activity in machine.activities:
        activity.rhythm = Rhythm("cron", at=activity.rhythm.at or 36_000, days=every, offset=first)
    machine.at_start = []


def records(tenant: Tenant, planted: Plan) -> Iterator[list[dict[str, Any]]]:
    """The tenant's days, with a person at work in some machines' sessions in the last week."""
    hands = {machine.arn for machine in planted.by_hand}
    for number, day in enumerate(tenant.days()):
        rows: list[dict[str, Any]] = list(day.records)
        if number in (DAYS - 6, DAYS - 3):
            done: set[str] = set()
            for row in day.records:
                arn = _role_of(row)
                if arn in hands and arn not in done:
                    done.add(arn)
                    rows.append({**row, "sessionCredentialFromConsole": "true", "eventID": f"hand-{row['eventID']}"})
        yield rows


def _role_of(row: Mapping[str, Any]) -> str:
    who = row["userIdentity"]
    issuer = who.get("sessionContext", {}).get("sessionIssuer", {})
    return str(issuer.get("arn") or who.get("arn") or "")


class Raw:
    """What the raw records say of each ARN, read without the product."""

    def __init__(self, envs: Sequence[str]) -> None:
        self._env = re.compile(r"[\w-]*(?<![a-z0-9])(" + "|".join(map(re.escape, envs)) + r")(?![a-z0-9])[\w-]*")
        self.envs: dict[str, dict[str, set[str]]] = {}
        """ARN → environment → names that tell it."""
        self.calls: dict[str, set[tuple[str, str]]] = {}
        self.days: dict[str, set[int]] = {}
        self.keys: dict[str, list[int]] = {}

    def take(self, number: int, rows: Iterable[Mapping[str, Any]]) -> None:
        """Note what a day's records say."""
        for row in rows:
            arn = _role_of(row)
            self.calls.setdefault(arn, set()).add((row["eventSource"].partition(".")[0], row["eventName"]))
            self.days.setdefault(arn, set()).add(number)
            key = row["userIdentity"].get("accessKeyId", "")
            if key.startswith("AKIA"):
                self.keys.setdefault(key, []).append(number)
            for leaf in _leaves(row.get("requestParameters")):
                for match in self._env.finditer(leaf.lower()):
                    self.envs.setdefault(arn, {}).setdefault(match[1], set()).add(match[0])

    def sides(self, arn: str) -> dict[bool, set[str]]:
        """Production or not → the names that show it; its own name is enough by itself."""
        names: dict[bool, set[str]] = {}
        for env, texts in self.envs.get(arn, {}).items():
            names.setdefault(env in PRODUCTION, set()).update(texts)
        for match in self._env.finditer(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", arn.rpartition("/")[2]).lower()):
            names.setdefault(match[1] in PRODUCTION, set()).update((arn, match[0]))
        return names


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _leaves(inner)


def truth(tenant: Tenant, planted: Plan, raw: Raw, granted: set[str]) -> Truth:
    """What should be found."""
    machines = [m for m in tenant.machines if m.kind in ("role", "user") and not m.human and m.arn in raw.days]
    old: set[str] = set()
    unused: set[str] = set()
    for machine in machines:
        for number, (since, key) in enumerate(machine.keys):
            seen = raw.keys.get(key)
            if seen is None:
                continue
            replaced = number < len(machine.keys) - 1 and DAYS - max(seen) > IDLE
            if replaced or machine in planted.stopped:
                unused.add(key)
            elif DAYS - min(seen) > OLD and DAYS - max(seen) <= IDLE and since <= DAYS - OLD:
                old.add(key)
    sides = ((machine.arn, raw.sides(machine.arn)) for machine in machines)
    crossing = {arn for arn, names in sides if len(names) == 2 and min(map(len, names.values())) >= 2}
    hands = {m.arn for m in planted.by_hand if raw.days.get(m.arn, set()) & {DAYS - 6, DAYS - 3}}
    stopped = {m.arn for m in planted.stopped if len(raw.days.get(m.arn, ())) > 1}
    true = {
        "dormant_identity": stopped,
        "unused_secret": unused,
        "long_lived_secret": old,
        "human_use": hands,
        "shared_environments": crossing,
        "over_privileged": granted,
    }
    if min(map(len, tenant.world.envs)) == 1:
        del true["shared_environments"]
    return true


EXTRA = ("redshift", "glue", "athena", "sagemaker", "backup", "kinesis", "elasticache", "transfer", "states", "batch",
         "ecs", "eks", "dms", "emr")  # fmt: skip


def grants(tenant: Tenant, raw: Raw, seed: int) -> tuple[str, set[str]]:
    """Authorization details: about half of the machines may do what they do, the rest much more; and who those are."""
    d, wide = dice(seed, "grants"), set()
    document: dict[str, list[dict[str, Any]]] = {"RoleDetailList": [], "UserDetailList": []}
    for machine in tenant.machines:
        calls = raw.calls.get(machine.arn)
        if machine.kind not in ("role", "user") or not calls or len(raw.days[machine.arn]) < 2:
            continue
        used = sorted({f"{p}:{actions.canonical(name)}" for source, name in calls for p in actions.prefixes(source)})
        services = {call.partition(":")[0] for call in used}
        spare = [f"{name}:*" for name in EXTRA if name not in services][: max(4, len(services) + 1)]
        more = d.chance(0.5) and len(spare) > len(services)
        if more and DAYS - 1 - min(raw.days[machine.arn]) >= 30:
            wide.add(machine.arn)
        kind = machine.kind.capitalize()
        statement = {"Effect": "Allow", "Action": [*used, *spare] if more else used, "Resource": "*"}
        inline = [{"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}]
        item = {f"{kind}Name": machine.arn.rpartition("/")[2], "Arn": machine.arn, f"{kind}PolicyList": inline}
        document[f"{kind}DetailList"].append(item)
    return json.dumps(document), wide


def measure(seed: int, machines: int = 80) -> dict[str, Any]:
    """Counts of one tenant: for each kind, how many were found rightly, wrongly, and not at all."""
    tenant = Tenant(Spec(DAYS, machines, seed, campaigns=0))
    planted = plan(tenant)
    shared, users = plan_shared(tenant, DAYS), Users(tenant)
    raw, store = Raw(tenant.world.envs), MemoryStore()
    session = Session(store, [cloudtrail])
    for number, record in enumerate(records(tenant, planted)):
        rows = doubled(record, shared.second)
        raw.take(number, rows)
        users.take(rows)
        session.feed(rows, _no_reject)
    session.finish()
    document, wide = grants(tenant, raw, seed)
    tenant_history = history.read(store)
    known = assets_of(raw.days, tenant, shared)
    look_at = scene(tenant_history, authorization_details(document), known, FindingLimits(OLD, IDLE), 0)
    summary = look(look_at, store).summary
    true = truth(tenant, planted, raw, wide)
    true["orphaned_identity"] = {arn for arn in shared.nobody if DAYS - 1 - max(raw.days.get(arn, {-DAYS})) < IDLE}
    true["reused_credential"] = users.reused(tenant.machines)
    return _counts(summary, true, planted)


def _no_reject(index: int, reject: RejectError) -> None:
    raise AssertionError(f"record {index} of the simulator was rejected: {reject}")


def _counts(summary: Mapping[str, Any], true: Truth, planted: Plan) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for kind in [k for k in MEASURED if k in true]:
        named = {_about(f) for f in summary["findings"] if f["kind"] == kind}
        named -= planted.left_out if kind == "dormant_identity" else set()
        right, wrong, missed = named & true[kind], named - true[kind], true[kind] - named
        counts[kind] = {"right": len(right), "wrong": len(wrong), "missed": len(missed)}
    idle = {f["identity"]["name"] for f in summary["findings"] if f["kind"] == "dormant_identity"}
    for name, machines in (("yearly", planted.yearly), ("fortnightly", planted.fortnightly)):
        counts[name] = {"jobs": len(machines), "called_idle": len(idle & {m.arn for m in machines})}
    return counts


def _about(finding: Mapping[str, Any]) -> str:
    """What a finding is about: a key, or an ARN."""
    by_key = "secret" in finding["kind"] or finding["kind"] == "reused_credential"
    return str((by_key and finding["credential"]) or finding["identity"]["name"])


def summarise(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums over tenants, with precision and recall."""
    kinds = {}
    for kind in MEASURED:
        total = {
            name: sum(item[kind][name] for item in measured if kind in item) for name in ("right", "wrong", "missed")
        }
        reported, true = total["right"] + total["wrong"], total["right"] + total["missed"]
        kinds[kind] = {
            **total,
            "precision": round(total["right"] / reported, 3) if reported else None,
            "recall": round(total["right"] / true, 3) if true else None,
        }
    jobs = {
        name: {part: sum(item[name][part] for item in measured) for part in ("jobs", "called_idle")}
        for name in ("yearly", "fortnightly")
    }
    return {"tenants": len(measured), "days": DAYS, "limits": {"idle": IDLE, "old": OLD}, "kinds": kinds, **jobs}


def page(summary: Mapping[str, Any], seeds: Sequence[int]) -> str:
    """docs/method/posture_measured.md."""
    rows = [
        [
            kind.replace("_", " "),
            f"{item['right']}",
            f"{item['wrong']}",
            f"{item['missed']}",
            _share(item["precision"]),
            _share(item["recall"]),
        ]
        for kind, item in summary["kinds"].items()
    ]
    jobs = [[name, str(summary[name]["jobs"]), str(summary[name]["called_idle"])] for name in ("yearly", "fortnightly")]
    limits = summary["limits"]
    return f"""# Posture, measured

For anyone who asks how often posture is right.

Written by `python -m nhi_watch_lab.evaluation.posture_truth {",".join(map(str, seeds))} --page FILE`.

{summary["tenants"]} simulated tenants of {summary["days"]} days with known faults; idle after {limits["idle"]} days,
old after {limits["old"]}. The truth is what was planted and the raw records, never the product's own reading: see
`lab/nhi_watch_lab/evaluation/posture_truth.py`. Unused rights have no row, because the simulator does not know either
whether a call that stopped is still needed.

{table(["finding", "right", "wrong", "missed", "precision", "recall"], rows)}

Jobs that run seldom must not be called idle:

{table(["rhythm", "jobs", "called idle"], jobs)}
"""


def _share(share: Optional[float]) -> str:
    return "–" if share is None else f"{share:.3f}"


def main(arguments: Sequence[str]) -> None:
    """Measure on simulated tenants, and print the figures."""
    parser = argparse.ArgumentParser(description="Posture measured on simulated tenants with planted faults.")
    parser.add_argument("seeds", help="as in 701,702")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the figures as a Markdown page")
    args = parser.parse_args(arguments)
    seeds = seeds_of(args.seeds)
    summary = summarise([measure(seed) for seed in seeds])
    if args.page:
        args.page.write_text(page(summary, seeds), "utf-8")
    sys.stdout.write(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
