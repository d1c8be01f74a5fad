"""A plan: the steps that a policy allows for a notable, as exact commands in order, with their undoing. A dry run.

The plan is one JSON object. `sha256` is the hash of all the rest, and approvals are bound to it. A plan that comes
back from a file is believed in nothing: each step is made again from the policy and the catalogue and must be alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union, cast

import msgspec

from nhi_watch.act import audit, toml
from nhi_watch.act.audit import canonical
from nhi_watch.act.response import actions
from nhi_watch.act.response.actions import (
    CATALOGUE,
    EITHER,
    KINDS,
    PROVIDERS,
    Action,
    allowed,
    filled,
    parameters,
    shell,
)
from nhi_watch.core.documents import IdentityDocument, NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import ACT, LET_IN, dimensions_of
from nhi_watch.core.timestamps import HOUR, parse, render
from nhi_watch.detect.explain.brief import BriefFact, Own, quoted
from nhi_watch.detect.history import History, IdentityHistory, Sight
from nhi_watch.detect.impact import BANDS
from nhi_watch.state.inventory import Change, Credential
from nhi_watch.state.retention import RETAIN_DAYS

# ---- subjects
#
# What a notable's response is about: the credentials that its records show, and what no longer exists.
#
# A credential comes from any record of the notable, not only from what its panel names: an identity that is linked, or
# that signs in some calls and uses a key in others, has it in its behaviours. What was deleted meanwhile gets no
# command,
# and is said instead, with the record that shows it.


MEMBERS = 10


class Gone(NamedTuple):
    """Something that no longer exists."""

    identity: str
    credential: str
    """"" where it is the identity itself."""
    why: str


class Subjects(NamedTuple):
    """Whom and what to act on."""

    credentials: Mapping[str, list[str]]
    """Identity id → its long-lived credentials that are concerned."""
    gone: tuple[Gone, ...] = ()
    created: frozenset[str] = frozenset()
    """Ids of the identities and credentials that the notable's own identities made."""
    calls: Mapping[str, frozenset[str]] = {}
    """Identity id → what it called for the first time during the notable, as far as days are kept."""

    def left(self, notable: NotableDocument) -> list[IdentityDocument]:
        """The identities that still exist."""
        dead = {goner.identity for goner in self.gone if not goner.credential}
        return [member for member in members_of(notable) if member["id"] not in dead]


def members_of(notable: NotableDocument) -> list[IdentityDocument]:
    """The identities that a response is about."""
    return list(notable.get("members") or [notable["identity"]])[:MEMBERS]


def subjects(history: History, notable: NotableDocument) -> Subjects:
    """The credentials to act on, identity by identity: those in the notable's records, else all that are not dead."""
    members = members_of(notable)
    ids = frozenset(str(member["id"]) for member in members)
    names: dict[str, list[str]] = {}
    gone: list[Gone] = []
    for name in sorted(ids):
        identity_history = history.identities.get(name)
        end = _deleted(identity_history)
        if end is not None:
            gone.append(Gone(name, "", _describe("it no longer exists: deleted", end)))
        names[name] = []
        for credential in _named(notable, identity_history, alone=len(members) == 1):
            dead = _ended(history.credentials.get(credential), ids)
            if dead is None:
                names[name].append(credential)
            elif end is None:
                gone.append(Gone(name, credential, _describe(f"it was {dead.what}", dead)))
    known = {name: history.identities[name] for name in ids if name in history.identities}
    calls = {name: _first_calls(identity_history, notable) for name, identity_history in known.items()}
    return Subjects(names, tuple(gone), _created(history, notable, ids), calls)


def _created(history: History, notable: NotableDocument, ids: frozenset[str]) -> frozenset[str]:
    """What the notable's own made while it lasted: nobody else relies on that."""
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    done = [(name, history.identities[name].done) for name in ids if name in history.identities]
    done += [(credential.id, list(credential.changes)) for credential in history.credentials.values()]
    return frozenset(
        name
        for name, changes in done
        for c in changes
        if c.what == "created" and c.by in ids - {name} and first <= c.time <= last
    )


def _first_calls(identity_history: IdentityHistory, notable: NotableDocument) -> frozenset[str]:
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    before = {action for sight in identity_history.sights if sight.first < first for action in sight.actions}
    during = {
        action
        for sight in identity_history.sights
        if first <= sight.last and sight.first <= last
        for action in sight.actions
    }
    return frozenset(during - before)


def _named(notable: NotableDocument, identity_history: Optional[IdentityHistory], alone: bool) -> list[str]:
    """The credentials that the notable's records show; of none, all that the identity has."""
    dimensions = dimensions_of(notable, "credential") if alone else ()
    shown = {o["value"] for d in dimensions for o in d["observed"] if o["value"]}
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    sights = identity_history.sights if identity_history else []
    shown |= {s.credential for s in sights if s.credential and s.last >= first and s.first <= last}
    return sorted(shown or {c.id for c in (identity_history.credentials if identity_history else ())})


def _ended(credential: Optional[Credential], members: frozenset[str]) -> Optional[Change]:
    """What ended a credential; one of the notable's own who switched it off may switch it on again."""
    end = credential.latest("deactivated", "deleted", "reactivated") if credential else None
    if end is None or end.what == "reactivated" or (end.what == "deactivated" and end.by in members):
        return None
    return end


def _deleted(identity_history: Optional[IdentityHistory]) -> Optional[Change]:
    end = (
        next((change for change in reversed(identity_history.done) if change.what == "deleted"), None)
        if identity_history
        else None
    )
    return end if end and identity_history and identity_history.last <= end.time + HOUR else None


def _describe(what: str, change: Change) -> str:
    return f"{what} at {render(change.time)} by {change.by} (record {change.record_id})"


# ---- consumers
#
# What breaks: who was seen to use a credential or an identity, by the behaviours and the call graph of the state.


MOST = 30


class Consumer(NamedTuple):
    """One user of the identity: from where, with what, and when last."""

    identity: str
    credential: str
    """"" where it used none that lasts."""
    network: str
    agent: str
    last: int
    events: int
    suspicious: bool
    """The network is news in the notable: this is likely who must be stopped."""
    refused: int = 0
    """Of the events."""


def of(history: History, notable: NotableDocument, members: Iterable[IdentityDocument]) -> list[Consumer]:
    """The consumers of a notable's identities, the latest use first.

    Who was only refused uses nothing, and is left out unless the notable is about it.
    """
    consumers: dict[tuple[str, str, str, str], Consumer] = {}
    for member in members:
        identity_history, strange = history.identities.get(member["id"]), _strange(notable, member)
        for sight in identity_history.sights if identity_history else ():
            _add(consumers, str(member["id"]), sight, strange)
    kept = [c for c in consumers.values() if c.suspicious or c.refused < c.events]
    most = sorted(kept, key=lambda c: (not c.suspicious, -c.last, c))[:MOST]
    return sorted(most, key=lambda c: (-c.last, c))


def _add(
    consumers: dict[tuple[str, str, str, str], Consumer], identity: str, sight: Sight, strange: frozenset[str]
) -> None:
    key = (identity, sight.credential, sight.network, sight.agent)
    before = consumers.get(key)
    before = before or Consumer(*key, sight.last, 0, sight.network in strange)
    refused = 0 if sight.outcome == "success" else sight.count
    consumers[key] = before._replace(
        last=max(before.last, sight.last), events=before.events + sight.count, refused=before.refused + refused
    )


def callers(history: History, members: Iterable[IdentityDocument]) -> list[str]:
    """Ids of the identities that obtain sessions of the notable's identities."""
    histories = (history.identities.get(member["id"]) for member in members)
    return sorted(
        {caller for identity_history in histories if identity_history for caller in identity_history.callers}
    )[:MOST]


def secrets(history: History, notable: NotableDocument, members: Iterable[IdentityDocument]) -> list[str]:
    """Names of the secrets that were read while the notable lasted: all from a network that is news, else new ones."""
    first, last = parse(notable["first_time"]), parse(notable["last_time"])
    secrets: set[str] = set()
    for member in members:
        identity_history, strange = history.identities.get(member["id"]), _strange(notable, member)
        let_in = [sight for sight in identity_history.sights if sight.outcome == "success"] if identity_history else []
        before = {name for sight in let_in if sight.first < first for name in sight.secrets}
        during = [sight for sight in let_in if first <= sight.last and sight.first <= last]
        secrets.update(
            name for sight in during for name in sight.secrets if sight.network in strange or name not in before
        )
    return sorted(secrets)


def plain(consumer: Consumer) -> dict[str, Any]:
    """A consumer as it stands in a plan: log values quoted."""
    quoted_values = {name: quoted(getattr(consumer, name)) for name in ("identity", "credential", "network", "agent")}
    return {
        **quoted_values,
        "last_use": render(consumer.last),
        "events": consumer.events,
        "refused": consumer.refused,
        "suspicious": consumer.suspicious,
    }


def _strange(notable: NotableDocument, member: IdentityDocument) -> frozenset[str]:
    """Networks that are news of one of the notable's identities."""
    seen = dimensions_of(notable, "network", str(member["id"]))
    return frozenset(o["value"] for d in seen for o in d["observed"] if o["new"])


# ---- policy
#
# `response_policy.toml`: which action may be proposed for what, who may approve it, and for how long.
#
# What no rule allows is not proposed. Two rules that allow the same action for the same provider, kind and impact are
# refused, because it would not be clear who may approve; so is every key and every word that is not known.


SHIPPED = Path(__file__).with_name("response_policy.toml")
LEVELS = ("low", "medium", "high", "critical")
LONGEST = 7 * 24 * 60
"""Minutes for which an approval may hold."""
_MOST = 3
"""Approvals that a rule may ask for."""


Words = Annotated[frozenset[Annotated[str, msgspec.Meta(min_length=1)]], msgspec.Meta(min_length=1)]
OrAll = Union[Literal["*"], Words]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"\S")]


class Approver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who may approve."""

    name: Name
    roles: Words
    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    """The public Ed25519 key."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[rule]]`."""

    name: Name
    providers: OrAll
    kinds: OrAll
    impact: OrAll
    actions: Words
    approvers: Words
    """Roles."""
    approvals: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] = 1
    minutes: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)]


class _PolicyFile(msgspec.Struct, forbid_unknown_fields=True):
    version: Literal[1]
    rule: list[Rule] = []
    approver: list[Approver] = []
    okta_org: str = ""


class Policy(NamedTuple):
    """The whole file."""

    rules: tuple[Rule, ...]
    approvers: tuple[Approver, ...]
    okta_org: str
    sha256: str
    """Of the rules, as they are read: who approves may change, and a plan and its approvals stay what they are."""
    name: str
    file_sha256: str = ""
    """Of the whole file."""


def level(notable: NotableDocument) -> str:
    """How bad it is to stop what a notable is about: its impact, whatever was done with it, let in or refused.

    >>> level({"impact": {"factors": [{"name": "environment", "weight": 1.5}, {"name": "let in", "weight": 0.5}]}})
    'high'
    >>> level({"impact": {"factors": [{"name": "act", "weight": 2.0}]}})
    'medium'
    """
    weight = prod(factor["weight"] for factor in notable["impact"]["factors"] if factor["name"] not in (ACT, LET_IN))
    return next((name for least, name in BANDS if weight >= least), "low")


def rule_for(policy: Policy, action: str, member: IdentityDocument, impact: str) -> Optional[Rule]:
    """The rule that lets an action be proposed for an identity; None: it may not be."""
    known = CATALOGUE.get(action)
    if known is None or known.provider != member["provider"] or member["kind"] not in known.kinds:
        return None
    return next(
        (
            r
            for r in policy.rules
            if action in r.actions
            and member["provider"] in r.providers
            and member["kind"] in r.kinds
            and impact in r.impact
        ),
        None,
    )


def load(path: Path = SHIPPED) -> Policy:
    """Read and check a policy.

    Raises:
        InputError: names the file, the rule, and what is wrong with it.
    """
    try:
        return parsed(path, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: the policy cannot be read ({error.strerror})") from error


def parsed(path: Path, raw: bytes) -> Policy:
    """As `load`, of what is to be written there."""
    policy_file = toml.parsed(path, raw, _PolicyFile, "policy")
    org = policy_file.okta_org
    demand(not org or allowed("okta_org", org), f"{path}", "okta_org must be such as https://example.okta.com")
    rules = tuple(
        _rule(f'{path}, rule {number} "{rule.name[:60]}"', rule) for number, rule in enumerate(policy_file.rule, 1)
    )
    _distinct(path, rules, policy_file.approver)
    return Policy(
        rules, tuple(policy_file.approver), org, _digest(rules, org), path.name, hashlib.sha256(raw).hexdigest()
    )


def _digest(rules: tuple[Rule, ...], org: str) -> str:
    tables = map(msgspec.structs.astuple, rules)
    plain = [[sorted(part) if isinstance(part, frozenset) else part for part in table] for table in tables]
    return hashlib.sha256(canonical({"okta_org": org, "rules": plain}).encode()).hexdigest()


def _rule(where: str, rule: Rule) -> Rule:
    """A rule with its words for "*", all of which are known."""
    known = {"providers": PROVIDERS, "kinds": KINDS, "impact": LEVELS, "actions": CATALOGUE}
    for name, among in known.items():
        words = frozenset(among) if getattr(rule, name) == "*" else getattr(rule, name)
        unknown = sorted(words.difference(among))
        demand(not unknown, where, f"unknown {name}: {', '.join(unknown)[:100]}; known: {', '.join(among)}")
        rule = msgspec.structs.replace(rule, **{name: words})
    return rule


def _distinct(path: Path, rules: Sequence[Rule], approvers: Sequence[Approver]) -> None:
    """No two rules for the same thing; no two names of one person."""
    for first_rule, other in combinations(rules, 2):
        demand(first_rule.name != other.name, f"{path}", f'two rules are named "{first_rule.name[:60]}"')
        shared, impact = _shared(first_rule, other), sorted(set(first_rule.impact) & set(other.impact))
        demand(
            not (shared and impact),
            f'{path}, rules "{first_rule.name[:60]}" and "{other.name[:60]}"',
            f"both allow {', '.join(shared[:3])} for impact {', '.join(impact)}",
        )
    for first, second in combinations(approvers, 2):
        demand(first.name != second.name, f"{path}", f'two approvers are named "{first.name[:60]}"')
        demand(
            first.key != second.key,
            f"{path}",
            f'approvers "{first.name[:60]}" and "{second.name[:60]}" have the same key',
        )


def _shared(first: Rule, other: Rule) -> list[str]:
    """Actions that both rules allow for a provider and kind that the action is for."""
    providers, kinds = ({*getattr(first, of)} & {*getattr(other, of)} for of in ("providers", "kinds"))
    both = sorted(first.actions & other.actions)
    return [a for a in both if CATALOGUE[a].provider in providers and kinds & {*CATALOGUE[a].kinds}]


def demand(condition: bool, where: str, what: str) -> None:
    """Refuse what does not hold.

    Raises:
        InputError: says where and what.
    """
    if not condition:
        raise InputError(f"{where}: {what}")


# ---- plan


SCHEMA = "nhi-watch/plan/1"
CREDENTIALS = 20
_SHOWN = 10
"""Consumers that people are shown."""
_OF_CREDENTIAL = frozenset({"aws_key", "secret_id", "gcp_key", "okta_token", "number", "anthropic_key"})


class Breaks(NamedTuple):
    """What stops working, as `consumers` found it."""

    consumers: Sequence[Mapping[str, Any]]
    callers: Sequence[str]


def _dated(notable: NotableDocument, made_at: str) -> NotableDocument:
    """The notable with the time of the plan, which `actions.parameters` looks for."""
    return cast(NotableDocument, {**notable, "made": made_at})


def draft(
    notable: NotableDocument,
    policy: Policy,
    subjects: Subjects,
    breaks: Breaks,
    now: int,
    granted: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The plan of a notable; `granted`: see `actions.effects`."""
    impact, steps = level(notable), []
    notable = _dated(notable, render(now))
    left = [
        {
            "action": f"anything with {quoted(goner.credential)}" if goner.credential else "anything",
            "identity": quoted(goner.identity),
            "why": quoted(goner.why),
        }
        for goner in subjects.gone
    ]
    for member in subjects.left(notable):
        plan_steps, missing = _steps(notable, policy, member, subjects)
        steps += plan_steps
        left += missing
    steps.sort(key=lambda s: (CATALOGUE[s["action"]].order, s["identity"], s["action"], canonical(s["with"])))
    for number, step in enumerate(steps, 1):
        step["n"] = number
    plan = {
        "schema": SCHEMA, "notable": notable["id"], "revision": notable["revision"], "severity": notable["severity"],
        "impact": impact, "own_impact": _own_impact(notable), "about": quoted(notable["title"]), "made": render(now),
        "policy": {"name": policy.name, "sha256": policy.sha256}, "steps": steps, "not_proposed": left,
        "granted": list(granted),
        "breaks": {"consumers": list(breaks.consumers), "callers": [quoted(c) for c in breaks.callers]},
    }  # fmt: skip
    return sealed(plan)


def _own_impact(notable: NotableDocument) -> dict[str, str]:
    """The notable's impact as its page has it, and why it is less than what could be reached."""
    let_in = next((f["value"] for f in notable["impact"]["factors"] if f["name"] == LET_IN), "yes")
    known = {"yes": "", "all refused": "because all of it was refused"}
    return {"level": notable["impact"]["level"], "why": known.get(let_in, "because refused calls count half")}


def only(plan: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The plan with some of its steps alone, by number or action: what is approved together is chosen by people.

    The steps keep their numbers.

    Raises:
        InputError: the plan has no such step.
    """
    unknown = sorted(set(names).difference(*({str(step["n"]), step["action"]} for step in plan["steps"])))
    has = ", ".join(f"{step['n']} {step['action']}" for step in plan["steps"]) or "none"
    demand(not unknown, "--only", f"{', '.join(unknown)[:100]} is not in the plan; it has {has}")
    steps = [step for step in plan["steps"] if {str(step["n"]), step["action"]} & {*names}]
    return sealed({**plan, "steps": steps})


def sealed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with its hash."""
    body = {name: value for name, value in plan.items() if name != "sha256"}
    return {**body, "sha256": audit.digest(body)}


def _steps(
    notable: NotableDocument, policy: Policy, member: IdentityDocument, subjects: Subjects
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The steps for one identity, and what the policy allows but cannot be written out."""
    steps: list[dict[str, Any]] = []
    left = []
    for action in CATALOGUE.values():
        rule = rule_for(policy, action.id, member, level(notable))
        if rule is None or not _meant(action, member, subjects):
            continue
        credentials = subjects.credentials.get(member["id"], ())
        each = list(credentials)[:CREDENTIALS] or [""] if _OF_CREDENTIAL & {*action.needs} else [""]
        given = [_given(notable, policy, member, value, subjects) for value in each]
        candidates = [_step(action, rule, member, values) for values in given]
        complete = [step for step in candidates if step is not None]
        steps += complete
        if not complete:
            left.append({"action": action.id, "identity": quoted(member["id"]), "why": _missing(action, given)})
    return steps, left


def _meant(action: Action, member: IdentityDocument, subjects: Subjects) -> bool:
    """Whether an action is for what the intrusion made, or for what it stole, as this identity is."""
    own = subjects.credentials.get(member["id"], ())
    if action.of == "made":
        return member["id"] in subjects.created
    is_own = member["id"] in subjects.created or (bool(own) and subjects.created.issuperset(own))
    return not (action.of == "stolen" and is_own)


def _missing(action: Action, given: Sequence[Mapping[str, str]]) -> str:
    """What of that which an action needs is in no record."""
    lacks = [name for name in action.needs if not any(name in values for values in given)] or list(action.needs)
    return f"no record holds {', '.join(map(_name, lacks))} in the form that the API allows"


def _name(parameter: str) -> str:
    return _NAMES.get(parameter, f"the {parameter.replace('_', ' ')}")


_NAMES = {
    "aws_key": "a long-lived access key",
    "aws_name": "the user's or role's name",
    "calls": "a new call that a policy can deny",
    "secret_id": "the secret's id",
    "okta_org": "the organisation's address (okta_org of the policy)",
}


def _given(
    notable: NotableDocument, policy: Policy, member: IdentityDocument, credential: str, subjects: Subjects
) -> dict[str, str]:
    given = parameters(member, credential, notable, subjects.calls.get(member["id"], frozenset()))
    return {**given, "okta_org": policy.okta_org} if policy.okta_org else given


def _step(action: Action, rule: Rule, member: IdentityDocument, given: Mapping[str, str]) -> Optional[dict[str, Any]]:
    if not all(name in given for name in action.needs):
        return None
    params = {name: given[name] for name in action.needs}
    do = filled(action.do, params)
    return {
        "n": 0, "action": action.id, "what": action.what, "control": action.control, "identity": quoted(member["id"]),
        "provider": member["provider"], "kind": member["kind"], "with": params,
        "commands": [list(c) for c in do], "shell": [shell(c) for c in do],
        "undo": [shell(c) for c in filled(action.undo, params)], "breaks": action.breaks, "rule": rule.name,
        "approvers": sorted(rule.approvers), "approvals": rule.approvals, "minutes": rule.minutes,
    }  # fmt: skip


# ---- what comes back from a file


def check(plan: Mapping[str, Any], policy: Policy, notable: NotableDocument, subjects: Subjects) -> None:
    """Demand that a plan is what `draft` would have made under this policy for this notable as it stands now.

    Raises:
        InputError: what is wrong; nothing of the plan may be used.
    """
    where = f"plan of {str(plan.get('notable'))[:40]!r}"
    demand(plan.get("schema") == SCHEMA and isinstance(plan.get("steps"), list), where, "it is not a plan")
    body = {name: value for name, value in plan.items() if name != "sha256"}
    demand(plan.get("sha256") == audit.digest(body), where, "it was changed: its hash does not fit")
    policy_digest = plan.get("policy")
    demand(
        isinstance(policy_digest, dict) and policy_digest.get("sha256") == policy.sha256,
        where,
        f"it was made under another policy than {policy.name} is now; make the plan again",
    )
    now = (notable["id"], notable["revision"], level(notable), notable["severity"])
    demand(
        (plan.get("notable"), plan.get("revision"), plan.get("impact"), plan.get("severity")) == now,
        where,
        "the notable has changed since; make the plan again",
    )
    made_at = plan.get("made")
    notable = _dated(notable, made_at if isinstance(made_at, str) else "")
    alive = {quoted(member["id"]) for member in subjects.left(notable)}
    demand(bool(plan["steps"]), where, "it proposes no step, so there is nothing to approve")
    for step in plan["steps"]:
        alike = isinstance(step, dict) and _alike(step, policy, notable, subjects)
        demand(
            alike and step["identity"] in alive,
            where,
            f"step {str(step.get('n') if isinstance(step, dict) else step)[:20]} is not one that {policy.name} "
            "and the catalogue give",
        )


def _alike(step: Mapping[str, Any], policy: Policy, notable: NotableDocument, subjects: Subjects) -> bool:
    """Whether a step is exactly the one that the catalogue makes for one of the notable's identities."""
    action = CATALOGUE.get(str(step.get("action")))
    member = next((m for m in members_of(notable) if quoted(m["id"]) == step.get("identity")), None)
    rule = rule_for(policy, action.id, member, level(notable)) if action and member else None
    if action is None or member is None or rule is None or not _meant(action, member, subjects):
        return False
    mine = [*subjects.credentials.get(member["id"], ())][:CREDENTIALS]
    steps = (_step(action, rule, member, _given(notable, policy, member, value, subjects)) for value in [*mine, ""])
    return any(alike_step is not None and {**alike_step, "n": step.get("n")} == dict(step) for alike_step in steps)


# ---- for people


def facts(plan: Mapping[str, Any]) -> list[BriefFact]:
    """The steps as sentences of a brief."""
    lines = []
    for step in plan["steps"]:
        either = _either(step, plan)
        also = ", or else step {5}" if either else ""
        words = f"Step {{0}} is {{1}} for {{2}}{also}, allowed by the rule {{3}}; approvals needed: {{4}}."
        values = (
            Own(step["n"]),
            step["what"].lower(),
            step["identity"].strip("`"),
            step["rule"],
            Own(step["approvals"]),
            *map(Own, either),
        )
        lines.append(BriefFact("Response", words, values, (f"step:{step['n']}",)))
    return lines


def _either(step: Mapping[str, Any], plan: Mapping[str, Any]) -> list[int]:
    """The number of the step in whose place this one may be done: one of the two is enough."""
    pair = next((pair for pair in EITHER if step["action"] in pair), frozenset())
    return [
        other["n"]
        for other in plan["steps"]
        if other["action"] in pair - {step["action"]} and other["identity"] == step["identity"]
    ][:1]


def demand_choice(plan: Mapping[str, Any]) -> None:
    """Demand that a plan has no two steps of which one is enough: both together break more than is needed.

    Raises:
        InputError: it has; the command that chooses is named.
    """
    pairs = alternatives(plan)
    if pairs:
        raise InputError(
            f"steps {pairs[0][0]} and {pairs[0][1]} are alternatives, and approving would sign both: choose with "
            f"nhi respond plan {plan['notable']} {choice(plan)}"
        )


def alternatives(plan: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Numbers of steps of which one is enough, the earlier one first."""
    return [(step["n"], other) for step in plan["steps"] for other in _either(step, plan) if step["n"] < other]


def choice(plan: Mapping[str, Any]) -> str:
    """Options of `nhi respond plan` that keep the first of all alternatives."""
    others = {other for _, other in alternatives(plan)}
    return " ".join(f"--only {step['n']}" for step in plan["steps"] if step["n"] not in others)


def text(plan: Mapping[str, Any]) -> str:
    """The dry run for people: Markdown in which every log value is quoted."""
    lines = [
        f"Plan for notable {quoted(plan['notable'])}: {plan['about']}",
        f"{_impact_line(plan)}, severity {plan['severity']} (likelihood × impact), "
        f"made {plan['made']}, SHA-256 {plan['sha256']}",
        "A dry run: nothing was changed, and nothing will be until people run what was approved.",
        "",
    ]
    for step in plan["steps"]:
        lines += _step_lines(step, _either(step, plan))
    if not plan["steps"]:
        lines += ["For this notable the policy proposes no step that can be written out.", ""]
    granted_lines = [*actions.lines(plan.get("granted") or ())]
    lines += [*granted_lines, *[""][: len(granted_lines)], *_breaks_lines(plan["breaks"]), ""]
    lines += [f"Not proposed: {left['action']} for {left['identity']}: {left['why']}" for left in plan["not_proposed"]]
    return "\n".join(lines).rstrip() + "\n"


def _impact_line(plan: Mapping[str, Any]) -> str:
    """What was refused weighs less in the notable's impact, and whole in what its identity could reach."""
    own, could = plan["own_impact"], plan["impact"]
    if own["level"] == could:
        return f"Impact {could} (what it could reach)"
    return f"Impact {', '.join(filter(None, own.values()))}; it could reach: {could}"


def _step_lines(step: Mapping[str, Any], either: Sequence[int]) -> list[str]:
    who = f"{step['approvals']} of {', '.join(step['approvers'])}, for {step['minutes']} minutes"
    return [
        f"{step['n']}. {step['what']} ({step['action']}, {step['control'].replace('_', ' ')})",
        *(f"   either this or step {number}; choose with --only" for number in either),
        f"   identity: {step['identity']}",
        f"   approval: {who} (rule {quoted(step['rule'])})",
        *(f"   run:  {line}" for line in step["shell"]),
        *(f"   undo: {line}" for line in step["undo"] or ["cannot be undone"]),
        f"   breaks: {step['breaks']}",
        "",
    ]


def _breaks_lines(breaks: Mapping[str, Any]) -> Iterable[str]:
    seen = "Seen using it (new first, then most recent):"
    none = f"Nothing used it successfully in the last {RETAIN_DAYS} days of data."
    yield seen if breaks["consumers"] else none
    ordered = sorted(breaks["consumers"], key=lambda c: not c["suspicious"])
    for c in ordered[:_SHOWN]:
        mark = ", NEW in this notable" if c["suspicious"] else ""
        secret = f" with {c['credential']}" if c["credential"] != "``" else ""
        calls = f"{c['events']} call{'s'[: c['events'] != 1]}{_refused(c)}"
        network, agent = (value if value != "``" else "(unknown)" for value in (c["network"], c["agent"]))
        yield f"- {c['identity']}{secret} from {network} by {agent}: {calls}, last {c['last_use']}{mark}"
    if len(ordered) > _SHOWN:
        yield f"- and {len(ordered) - _SHOWN} more, in the plan's JSON"
    yield from (f"- sessions are obtained by {caller}{_source(caller)}" for caller in breaks["callers"])


_SOURCES = {
    "service": "look at the instance, function or task that uses the role: anyone who can reach it gets new sessions",
    "web_identity": "look at the workflow that gets them",
    "user": "rotate its credential",
}
"""Kind of an identity that obtains sessions → what to do so that a thief gets no new ones."""


def _source(caller: str) -> str:
    kind = caller.strip("`").split(":", 3)[2:3]
    label = _SOURCES.get(kind[0]) if kind else None
    return f"; {label}" if label else ""


def _refused(consumer: Mapping[str, Any]) -> str:
    refused = consumer["refused"]
    return f", {'all' if refused == consumer['events'] else refused} refused" if refused else ""
