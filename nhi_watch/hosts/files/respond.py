"""`nhi respond`: plan, approve and export a response. Nothing is changed in anybody's cloud."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find

if TYPE_CHECKING:
    from nhi_watch.act.response.plan import Policy
    from nhi_watch.detect.history import History
    from nhi_watch.state.sqlite import SqliteStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi respond` takes."""
    commands = parser.add_subparsers(dest="respond", required=True, metavar="COMMAND")
    plan = _add(commands, "plan", _plan, "write a dry run: the steps that the policy allows, and what they break")
    plan.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STEP",
        help="propose only this step, by number or action; may be given several times",
    )
    approve = _add(commands, "approve", _approve, "sign a plan")
    approve.add_argument("--by", required=True, metavar="WHO", help="an approver of the policy")
    approve.add_argument("--why", required=True, metavar="TEXT", help="the reason")
    approve.add_argument(
        "--key",
        required=True,
        type=Path,
        metavar="FILE",
        help="the approver's private key; a passphrase is taken from NHI_KEY_PASSPHRASE",
    )
    export = _add(commands, "export", _export, "export an approved plan, once")
    export.add_argument("--to", required=True, choices=("webhook", "soar", "elastic"), help="the format")
    for command in (plan, approve, export):
        command.add_argument("id", metavar="ID", help=find.ABOUT)
        common.add_policy(command)
        common.add_trail(command)
        common.add_state(command, assets=False, now=command is plan)
    setup = _add(commands, "setup", _setup, "make an approver: a key, and a policy of your own that names them")
    setup.add_argument("--by", required=True, metavar="WHO", help="the approver")
    setup.add_argument("--role", default="secops", metavar="ROLE", help="what they approve for (default: secops)")
    setup.add_argument("--key", type=Path, metavar="FILE", help="file for the private key (default: DIR/WHO.pem)")
    setup.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help=f"the policy (default: DIR/{common.POLICY}), created if it does not exist",
    )
    common.add_out(setup)


def _add(commands: Any, name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    added.set_defaults(act=run)
    return added


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked.

    Raises:
        InputError: it may not be done, or something is wrong; the audit trail says so too.
    """
    done: int = args.act(args, console)
    return done


# ---- what all three need


class Desk:
    """The notable, the policy, and what the state knows of its identities."""

    def __init__(self, args: argparse.Namespace, store: SqliteStore, callers: bool = False) -> None:
        """`callers`: look in every identity's days for who works through the notable's."""
        from nhi_watch.act import audit
        from nhi_watch.act.response import plan
        from nhi_watch.detect import history

        self.args, self.store = args, store
        self.now = common.seconds(args.now, "--now") if hasattr(args, "now") else audit.now()
        self.policy: Policy = plan.load(common.policy_of(args) or plan.SHIPPED)
        self.notable = find.notable_of(store, args.id, args.out)
        names = [str(member["id"]) for member in plan.members_of(self.notable)]
        read = history.read if callers else partial(history.read_some, names=names)
        self.history: History = read(store)
        self.subjects = plan.subjects(self.history, self.notable)
        self.trail = find.trail(args)
        audit.note_change(self.trail, "policy", self.policy.file_sha256, {"name": self.policy.name})

    def file(self, ending: str) -> Path:
        """A file of this notable's response."""
        return common.folder(self.args.out / "response") / f"{self.notable['id']}.{ending}"

    def note(self, what: str, facts: dict[str, Any]) -> None:
        """One line of the trail."""
        by = getattr(self.args, "by", None) or find.login()
        find.note(self.args, what, by, {**facts, "notable": self.notable["id"]})


@contextmanager
def _desk(args: argparse.Namespace, callers: bool = False) -> Iterator[Desk]:
    with common.opened(args) as store:
        desk = Desk(args, store, callers)
        try:
            yield desk
        except InputError as error:
            desk.note("refusal", {"command": args.respond, "why": str(error)[:500]})
            raise


# ---- the commands


def _plan(args: argparse.Namespace, console: Console) -> int:
    from nhi_watch.act.response import actions, plan
    from nhi_watch.hosts.files import originals
    from nhi_watch.report import jsonlines

    with _desk(args, callers=True) as desk:
        members = plan.members_of(desk.notable)
        seen = [plan.plain(c) for c in plan.of(desk.history, desk.notable, members)]
        breaks = plan.Breaks(seen, plan.callers(desk.history, members))
        known = actions.effects(desk.notable, originals.of(args.out, desk.notable))
        if any("missing" in approval_row for approval_row in known):  # the report keeps a few records of a notable
            with originals.of_state(args.state or args.out / "state.sqlite") as places:
                events = {event["id"]: event for event in places.read({*desk.notable["record_ids"]})}
            known = actions.effects(desk.notable, events)
        known += actions.read_secrets(desk.notable, plan.secrets(desk.history, desk.notable, members))
        draft = plan.draft(desk.notable, desk.policy, desk.subjects, breaks, desk.now, known)
        draft = plan.only(draft, args.only) if args.only else draft
        jsonlines.write_run(desk.file("plan.json"), draft)
        with jsonlines.replacing(desk.file("plan.md")) as stream:
            stream.write(plan.text(draft).encode())
        desk.file("approvals.jsonl").unlink(missing_ok=True)
        text = f"Written to {desk.file('plan.json')}."
        if plan.alternatives(draft):
            pairs = ", ".join(f"{first} or {other}" for first, other in plan.alternatives(draft))
            kept = f"{common.program()} respond plan {desk.notable['id']} {plan.choice(draft)}"
            text += f" Choose among its steps: {pairs}.\nNext: {kept} {_given(args, 'out', 'state', 'policy')}"
        else:
            text += f"\nNext: {_again(desk, frozenset())}" if draft["steps"] else " It has no step to approve."
    return common.answer(args, console, draft, f"{plan.text(draft)}\n{text}")


def _given(args: argparse.Namespace, *names: str) -> str:
    """The options of this command that the next one needs, too."""
    named = ((f"--{name}", getattr(args, name)) for name in names)
    return " ".join(shlex.join((name, str(value))) for name, value in named if value)


def _again(desk: Desk, approved: frozenset[str]) -> str:
    """The command that approves a plan, after the one that makes an approver where nobody is left to approve."""
    args, who = desk.args, "ANOTHER" if approved else "YOU"
    nobody = {approver.name for approver in desk.policy.approvers} <= approved
    setup = f"{common.program()} respond setup --by {who} {_given(args, 'out', 'policy')}; then " if nobody else ""
    key = f"{shlex.quote(str(args.out))}/{who}.pem"
    return (
        f"{setup}{common.program()} respond approve {desk.notable['id']} --by {who} --why REASON --key {key} "
        f"{_given(args, 'out', 'state', 'policy')}"
    )


def _read_plan(desk: Desk) -> dict[str, Any]:
    from nhi_watch.act.response import plan
    from nhi_watch.act.response.approval import AHEAD
    from nhi_watch.core.timestamps import render

    path = desk.file("plan.json")
    if not path.exists():
        raise InputError(f"{path}: no plan yet; write one with nhi respond plan {desk.notable['id']}")
    document = common.json_file(path, "plan")
    plan.check(document, desk.policy, desk.notable, desk.subjects)
    if str(document["made"]) > render(desk.now + AHEAD):
        raise InputError(
            f"{document['notable']}: the plan was made in the future, at {document['made']}; make the plan again"
        )
    return document


def _approve(args: argparse.Namespace, console: Console) -> int:
    from nhi_watch.act.response import approval, plan
    from nhi_watch.report import jsonlines

    with _desk(args) as desk:
        draft = _read_plan(desk)
        plan.demand_choice(draft)
        key = approval.read_key(args.key, os.environ.get("NHI_KEY_PASSPHRASE", ""))
        signed = approval.approve(draft, args.by, args.why, key, desk.now)
        approval.check(signed, draft, desk.policy, desk.now)
        steps = ", ".join(step["action"] for step in draft["steps"])
        find.about_to(
            console,
            f"{args.by} approves {steps} until {signed['until']}, for {find.summary_line(desk.notable)}",
            args.json,
        )
        desk.note("approval", signed)
        approval.keep(desk.file("approvals.jsonl"), signed)
        people = frozenset(str(row["by"]) for row in jsonlines.read(desk.file("approvals.jsonl")))
        needed = max(int(step["approvals"]) for step in draft["steps"])
        given = _given(args, "out", "state", "policy")
        handed = f"{common.program()} respond export {draft['notable']} --to webhook|soar|elastic {given}"
        following = handed if len(people) >= needed else _again(desk, people)
    text = (
        f"Approved by {args.by} until {signed['until']}: plan {signed['plan']}; it has {len(people)} of {needed} "
        f"approvals.\nNext: {following}"
    )
    return common.answer(args, console, signed, text)


def _export(args: argparse.Namespace, console: Console) -> int:
    from nhi_watch.act.response import approval
    from nhi_watch.report import jsonlines

    with _desk(args) as desk:
        draft = _read_plan(desk)
        path, where = desk.file("approvals.jsonl"), desk.file(f"{args.to}.json")
        if not path.exists():
            raise InputError(f"{path}: nobody has approved the plan; nhi respond approve {desk.notable['id']}")
        signed = list(jsonlines.read(path))
        approvals = approval.check_all(approval.used_by_trail(desk.trail), signed, draft, desk.policy, desk.now)
        find.about_to(
            console,
            f"the approvals of {', '.join(valid.by for valid in approvals)} are used up to hand over "
            f"{find.summary_line(desk.notable)}",
            args.json,
        )
        approval.spend(approval.ledger(), approvals, desk.now)
        jsonlines.write_run(where, approval.KINDS[args.to](draft, signed))
        facts = {"to": args.to, "plan": draft["sha256"], "nonces": [valid.nonce for valid in approvals]}
        desk.note("export", facts)
    return common.answer(args, console, {**facts, "file": str(where)}, f"Written to {where}.")


def _setup(args: argparse.Namespace, console: Console) -> int:
    from nhi_watch.act.response import approval

    path = args.policy or common.folder(args.out) / common.POLICY
    key = args.key or args.out / f"{re.sub(r'[^A-Za-z0-9._-]', '_', args.by)[:60]}.pem"
    approval.add_approver(path, (args.by, args.role), key, os.environ.get("NHI_KEY_PASSPHRASE", ""))
    document = {"by": args.by, "role": args.role, "policy": str(path), "key": str(key)}
    given = "" if path == args.out / common.POLICY else f" --policy {shlex.quote(str(path))}"
    return common.answer(
        args,
        console,
        document,
        f"{args.by} approves as {args.role} by {path}, which plan, approve and "
        f"export {'use from now on' if not given else 'are given as' + given}.\nThe private key is in "
        f"{key}; move it to where only its owner can read it.",
    )
