"""A plan: the steps that a policy allows for a notable, as exact commands in order, with their undoing. A dry run.

The plan is one JSON object. `sha256` is the hash of all the rest, and approvals are bound to it. A plan that comes
back from a file is believed in nothing: each step is made again from the policy and the catalogue and must be alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from nhi_watch.act import audit
from nhi_watch.act.audit import canonical
from nhi_watch.act.response import granted
from nhi_watch.act.response.actions import CATALOGUE, Action, shell
from nhi_watch.act.response.policy import Policy, Rule, level, rule_for
from nhi_watch.act.response.subjects import Subjects, members_of
from nhi_watch.act.response.targets import parameters
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain.brief import Fact, Own, quoted
from nhi_watch.state.retention import RETAIN_DAYS

SCHEMA = "nhi-watch/plan/1"
CREDENTIALS = 20
_SHOWN = 10
"""Consumers that people are shown."""
_OF_CREDENTIAL = frozenset({"aws_key", "secret_id", "gcp_key", "okta_token", "number", "anthropic_key"})


class Breaks(NamedTuple):
    """What stops working, as `consumers` found it."""

    consumers: Sequence[Mapping[str, Any]]
    callers: Sequence[str]


def draft(
    notable: Mapping[str, Any], policy: Policy, subjects: Subjects, breaks: Breaks, now: int,
    made: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """The plan of a notable; `made`: see `granted.told`."""
    impact, steps = level(notable), []
    left = [{"action": f"anything with {quoted(one.credential)}" if one.credential else "anything",
             "identity": quoted(one.identity), "why": quoted(one.why)} for one in subjects.gone]  # fmt: skip
    for member in subjects.left(notable):
        found, missing = _steps(notable, policy, member, subjects)
        steps += found
        left += missing
    steps.sort(key=lambda s: (CATALOGUE[s["action"]].order, s["identity"], s["action"], canonical(s["with"])))
    for number, step in enumerate(steps, 1):
        step["n"] = number
    plan = {
        "schema": SCHEMA, "notable": notable["id"], "revision": notable["revision"], "severity": notable["severity"],
        "impact": impact, "about": quoted(notable["title"]), "made": render(now),
        "policy": {"name": policy.name, "sha256": policy.sha256}, "steps": steps, "not_proposed": left,
        "granted": list(made),
        "breaks": {"consumers": list(breaks.consumers), "callers": [quoted(c) for c in breaks.callers]},
    }  # fmt: skip
    return sealed(plan)


def only(plan: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The plan with the steps of some actions alone, in their order: what is approved together is chosen by people.

    Raises:
        InputError: the plan has no such action.
    """
    there = [step["action"] for step in plan["steps"]]
    unknown = sorted(set(names) - set(there))
    has = ", ".join(there) or "none"
    _demand(not unknown, "--only", f"{', '.join(unknown)[:100]} is not in the plan; it has {has}")
    steps = [step for step in plan["steps"] if step["action"] in names]
    return sealed({**plan, "steps": [{**step, "n": number} for number, step in enumerate(steps, 1)]})


def sealed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan with its hash."""
    body = {name: value for name, value in plan.items() if name != "sha256"}
    return {**body, "sha256": audit.digest(body)}


def _steps(
    notable: Mapping[str, Any], policy: Policy, member: Mapping[str, Any], subjects: Subjects
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
        given = [_given(notable, policy, member, one, subjects) for one in each]
        made = [_step(action, rule, member, one) for one in given]
        whole = [step for step in made if step is not None]
        steps += whole
        if not whole:
            left.append({"action": action.id, "identity": quoted(member["id"]), "why": _missing(action, given)})
    return steps, left


def _meant(action: Action, member: Mapping[str, Any], subjects: Subjects) -> bool:
    """Whether an action is for what the intrusion made, or for what it stole, as this identity is."""
    own = subjects.credentials.get(member["id"], ())
    if action.of == "made":
        return member["id"] in subjects.made
    whole = member["id"] in subjects.made or (bool(own) and subjects.made.issuperset(own))
    return not (action.of == "stolen" and whole)


def _missing(action: Action, given: Sequence[Mapping[str, str]]) -> str:
    """What of that which an action needs is in no record."""
    lacks = [name for name in action.needs if not any(name in one for one in given)] or list(action.needs)
    return f"no record holds {', '.join(map(_name, lacks))} in the shape that the API allows"


def _name(parameter: str) -> str:
    return _NAMES.get(parameter, f"the {parameter.replace('_', ' ')}")


_NAMES = {
    "aws_key": "a long-lived access key", "aws_name": "the user's or role's name",
    "calls": "a call that was new", "secret_id": "the secret's id",
    "okta_org": "the organisation's address (okta_org of the policy)",
}  # fmt: skip


def _given(
    notable: Mapping[str, Any], policy: Policy, member: Mapping[str, Any], credential: str, subjects: Subjects
) -> dict[str, str]:
    given = parameters(member, credential, notable, subjects.calls.get(member["id"], frozenset()))
    return {**given, "okta_org": policy.okta_org} if policy.okta_org else given


def _step(
    action: Action, rule: Rule, member: Mapping[str, Any], given: Mapping[str, str]
) -> Optional[dict[str, Any]]:
    if not all(name in given for name in action.needs):
        return None
    params = {name: given[name] for name in action.needs}
    return {
        "n": 0, "action": action.id, "what": action.what, "control": action.control, "identity": quoted(member["id"]),
        "provider": member["provider"], "kind": member["kind"], "with": params,
        "commands": [list(c) for c in action.do(params)], "shell": [shell(c) for c in action.do(params)],
        "undo": [shell(c) for c in action.undo(params)], "breaks": action.breaks, "rule": rule.name,
        "approvers": sorted(rule.approvers), "approvals": rule.approvals, "minutes": rule.minutes,
    }  # fmt: skip


# ---- what comes back from a file


def check(
    plan: Mapping[str, Any], policy: Policy, notable: Mapping[str, Any], subjects: Subjects
) -> None:
    """Demand that a plan is what `draft` would have made under this policy for this notable as it stands now.

    Raises:
        InputError: what is wrong; nothing of the plan may be used.
    """
    where = f"plan of {str(plan.get('notable'))[:40]!r}"
    _demand(plan.get("schema") == SCHEMA and isinstance(plan.get("steps"), list), where, "it is no plan")
    body = {name: value for name, value in plan.items() if name != "sha256"}
    _demand(plan.get("sha256") == audit.digest(body), where, "it was changed: its hash does not fit")
    told = plan.get("policy")
    _demand(isinstance(told, dict) and told.get("sha256") == policy.sha256, where,
            f"it was made under another policy than {policy.name} is now; make it anew")  # fmt: skip
    now = (notable["id"], notable["revision"], level(notable), notable["severity"])
    _demand((plan.get("notable"), plan.get("revision"), plan.get("impact"), plan.get("severity")) == now, where,
            "the notable is another one by now; make the plan anew")  # fmt: skip
    alive = {quoted(member["id"]) for member in subjects.left(notable)}
    _demand(bool(plan["steps"]), where, "it proposes nothing, so there is nothing to approve")
    for step in plan["steps"]:
        alike = isinstance(step, dict) and _alike(step, policy, notable, subjects)
        _demand(alike and step["identity"] in alive, where,
                f"step {str(step.get('n') if isinstance(step, dict) else step)[:20]} is not one that {policy.name} "
                "and the catalogue give")  # fmt: skip


def _alike(
    step: Mapping[str, Any], policy: Policy, notable: Mapping[str, Any], subjects: Subjects
) -> bool:
    """Whether a step is exactly the one that the catalogue makes for one of the notable's identities."""
    action = CATALOGUE.get(str(step.get("action")))
    member = next((m for m in members_of(notable) if quoted(m["id"]) == step.get("identity")), None)
    rule = rule_for(policy, action.id, member, level(notable)) if action and member else None
    if action is None or member is None or rule is None or not _meant(action, member, subjects):
        return False
    mine = [*subjects.credentials.get(member["id"], ())][:CREDENTIALS]
    made = (_step(action, rule, member, _given(notable, policy, member, one, subjects)) for one in [*mine, ""])
    return any(one is not None and {**one, "n": step.get("n")} == dict(step) for one in made)


def _demand(condition: bool, where: str, what: str) -> None:
    if not condition:
        raise InputError(f"{where}: {what}")


# ---- for people


def facts(plan: Mapping[str, Any]) -> list[Fact]:
    """The steps as sentences of a brief."""
    told = []
    for step in plan["steps"]:
        words = "Step {0} is {1}, allowed by the rule {2}; approvals needed: {3}."
        values = (Own(step["n"]), step["what"].lower(), step["rule"], Own(step["approvals"]))
        told.append(Fact("Response", words, values, (f"step:{step['n']}",)))
    return told


def text(plan: Mapping[str, Any]) -> str:
    """The dry run for people: Markdown in which every log value is quoted."""
    lines = [f"Plan for notable {quoted(plan['notable'])}: {plan['about']}",
             f"Impact {plan['impact']} (what it could reach), severity {plan['severity']} (likelihood × impact), "
             f"made {plan['made']}, SHA-256 {plan['sha256']}",
             "A dry run: nothing was changed, and nothing is until people run what was approved.", ""]  # fmt: skip
    for step in plan["steps"]:
        lines += _step_lines(step)
    if not plan["steps"]:
        lines += ["The policy proposes nothing that can be written out for this notable.", ""]
    found = [*granted.lines(plan.get("granted") or ())]
    lines += [*found, *[""][: len(found)], *_breaks_lines(plan["breaks"]), ""]
    lines += [f"Not proposed: {left['action']} for {left['identity']}: {left['why']}" for left in plan["not_proposed"]]
    return "\n".join(lines).rstrip() + "\n"


def _step_lines(step: Mapping[str, Any]) -> list[str]:
    who = f"{step['approvals']} of {', '.join(step['approvers'])}, for {step['minutes']} minutes"
    return [
        f"{step['n']}. {step['what']} ({step['action']}, {step['control'].replace('_', ' ')})",
        f"   identity: {step['identity']}", f"   approval: {who} (rule {quoted(step['rule'])})",
        *(f"   run:  {line}" for line in step["shell"]),
        *(f"   undo: {line}" for line in step["undo"] or ["cannot be taken back"]),
        f"   breaks: {step['breaks']}", "",
    ]  # fmt: skip


def _breaks_lines(breaks: Mapping[str, Any]) -> Iterable[str]:
    seen = "What was seen to use it, what is new first, then the latest:"
    none = f"Nothing was seen to use it with success in the {RETAIN_DAYS} days before the data's end that are kept."
    yield seen if breaks["consumers"] else none
    ordered = sorted(breaks["consumers"], key=lambda c: not c["suspicious"])
    for c in ordered[:_SHOWN]:
        odd = ", NEW in this notable" if c["suspicious"] else ""
        secret = f" with {c['credential']}" if c["credential"] != "``" else ""
        calls = f"{c['events']} call{'s'[: c['events'] != 1]}"
        network, agent = (told if told != "``" else "(not told)" for told in (c["network"], c["agent"]))
        yield f"- {c['identity']}{secret} from {network} by {agent}: {calls}, last {c['last_use']}{odd}"
    if len(ordered) > _SHOWN:
        yield f"- and {len(ordered) - _SHOWN} more, in the plan's JSON"
    yield from (f"- sessions are obtained by {caller}" for caller in breaks["callers"])
