"""Approvals: who said yes to which plan, when, why and until when, signed with Ed25519 (RFC 8032).

An approval is bound to the plan's hash and to the policy's. The public key that counts is the one in the policy, never
one that the approval brings along. Each approval can be used once: what was used stands in the audit trail, and in a
file of the account's own that no option names (`ledger`), so that an older copy of the trail does not make it fresh.
Time is the machine's, not the caller's.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from nhi_watch.act import audit
from nhi_watch.act.audit import canonical
from nhi_watch.act.response import plan as plans
from nhi_watch.act.response.plan import SHIPPED, Approver, Policy, demand, load, parsed
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import parse, render

SCHEMA = "nhi-watch/approval/1"
FIELDS = ("schema", "plan", "policy", "notable", "by", "why", "made", "until", "nonce", "signature")
LEDGER_FILE = "NHI_USED_APPROVALS_FILE"
AHEAD = 300
"""Seconds by which clocks may differ."""
_DOMAIN = b"nhi-watch approval\n"


class ValidApproval(NamedTuple):
    """An approval that holds."""

    by: str
    nonce: str
    until: int


def new_key(path: Path, passphrase: str) -> str:
    """Write a fresh private key that only its owner can read; returns the public one as the policy has it.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    seal: Any = serialization.NoEncryption()
    if passphrase:
        seal = serialization.BestAvailableEncryption(passphrase.encode())
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"{path}: the key cannot be written here ({error.strerror})") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
    return public_text(key)


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key as a line of text."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def read_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """A private key that `new_key` wrote.

    Raises:
        InputError: there is none, it is of another kind, or the passphrase is wrong.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase.encode() or None)
    except OSError as error:
        raise InputError(f"{path}: no key found ({error.strerror}); make one with `nhi respond setup`") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: the key cannot be read; check NHI_KEY_PASSPHRASE") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: the key is not Ed25519; make one with `nhi respond setup`")
    return key


def minutes_of(plan: Mapping[str, Any]) -> int:
    """For how long an approval of the plan holds: as long as the strictest of its rules says."""
    return min(int(step["minutes"]) for step in plan["steps"])


def approve(plan: Mapping[str, Any], by: str, why: str, key: Ed25519PrivateKey, now: int) -> dict[str, str]:
    """A signed approval of a plan that `plan.check` let pass.

    Raises:
        InputError: the reason is missing.
    """
    if not why.strip():
        raise InputError("an approval needs --why, the reason")
    approval = {
        "schema": SCHEMA,
        "plan": plan["sha256"],
        "policy": plan["policy"]["sha256"],
        "notable": plan["notable"],
        "by": by,
        "why": why.strip()[:500],
        "made": render(now),
        "until": render(now + minutes_of(plan) * 60),
        "nonce": secrets.token_hex(16),
    }
    return {**approval, "signature": base64.b64encode(key.sign(_message(approval))).decode()}


def _message(approval: Mapping[str, Any]) -> bytes:
    return _DOMAIN + canonical({name: approval[name] for name in FIELDS if name != "signature"}).encode()


def check(approval: Mapping[str, Any], plan: Mapping[str, Any], policy: Policy, now: int) -> ValidApproval:
    """Demand that one approval holds for a plan at `now`.

    Raises:
        InputError: it is none, forged, for another plan or policy, by somebody who may not, or has expired.
    """
    where = f"approval by {str(approval.get('by'))[:60]!r}"
    fine = set(approval) == {*FIELDS} and all(isinstance(v, str) for v in approval.values())
    demand(fine and approval["schema"] == SCHEMA, where, "it is not an approval")
    approver = next((a for a in policy.approvers if a.name == approval["by"]), None)
    demand(approver is not None, where, f"{policy.name} names no such approver; `nhi respond setup` makes one")
    assert approver is not None
    demand(_signed(approval, approver), where, "it is forged: the signature does not fit the key in the policy")
    demand(
        approval["plan"] == plan["sha256"] and approval["notable"] == plan["notable"], where, "it is for another plan"
    )
    demand(approval["policy"] == policy.sha256, where, "it was given under another policy")
    made_at, until = _time(where, approval["made"]), _time(where, approval["until"])
    demand(made_at <= now + AHEAD, where, f"it was given in the future, at {approval['made']}")
    demand(until == made_at + minutes_of(plan) * 60, where, "it is valid for longer than the policy allows")
    demand(now < until, where, f"it expired at {approval['until']}")
    denied = [s for s in plan["steps"] if not approver.roles & {*s["approvers"]}]
    demand(not denied, where, f"the policy does not let them approve {denied[0]['action'] if denied else ''}")
    return ValidApproval(approver.name, approval["nonce"], until)


def _signed(approval: Mapping[str, str], approver: Approver) -> bool:
    try:
        signature = base64.b64decode(approval["signature"], validate=True)
        if base64.b64encode(signature).decode() != approval["signature"]:
            return False  # base64 has several spellings of the same bytes: only one is what was signed
        Ed25519PublicKey.from_public_bytes(approver.key).verify(signature, _message(approval))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _time(where: str, text: str) -> int:
    try:
        return parse(text)
    except RejectError as error:
        raise InputError(f"{where}: {error}") from error


def keep(path: Path, signed: Mapping[str, str]) -> None:
    """Put an approval beside its plan.

    Raises:
        InputError: it cannot be written, or a link is in its place.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(signed) + "\n")
    except OSError as error:
        raise InputError(f"{path}: the approval cannot be kept here ({error.strerror})") from error


def check_all(
    used: Mapping[str, str], approvals: Sequence[Mapping[str, Any]], plan: Mapping[str, Any], policy: Policy, now: int
) -> list[ValidApproval]:
    """Demand that enough people approved a plan, and that no approval was used before (`used`: nonce → when).

    Raises:
        InputError: what is missing or wrong with any of them.
    """
    checked = [check(approval, plan, policy, now) for approval in approvals]
    for approval in checked:
        text = f"it was already used at {used.get(approval.nonce)}; approve again"
        demand(approval.nonce not in used, f"approval by {approval.by!r}", text)
    people, needed = {approval.by for approval in checked}, max(int(step["approvals"]) for step in plan["steps"])
    demand(
        len(people) >= needed,
        f"plan of {plan['notable']}",
        f"it needs the approval of {needed} people, and has {len(people)}",
    )
    return checked


def used_by_trail(trail: Path) -> dict[str, str]:
    """Nonce → when it was used, by the audit trail.

    Raises:
        InputError: the trail does not verify, so what it says of uses may be less than was.
    """
    if not trail.exists():
        return {}
    verified = audit.verify(trail)
    demand(not verified.fault, f"{trail}", f"{verified.fault}; nothing is exported until that is resolved")
    exports = audit.entries(trail, "export")
    return {str(nonce): row["time"] for row in exports for nonce in row["facts"].get("nonces", ())}


def ledger() -> Path:
    """Where an account keeps which approvals it used: in its home by the system's list, whatever HOME says."""
    home_folder = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path(os.environ.get(LEDGER_FILE) or home_folder / ".local" / "state" / "nhi_watch" / "used_approvals")


def spend(path: Path, approvals: Sequence[ValidApproval], now: int) -> None:
    """Mark approvals as used in an account's ledger.

    Raises:
        InputError: one was used before by this account, with whatever state and trail, or that cannot be kept.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            used = dict(line.split(" ", 1) for line in file.read().splitlines() if " " in line)
            for approval in approvals:
                demand(
                    approval.nonce not in used,
                    f"approval by {approval.by!r}",
                    f"it was already used at {used.get(approval.nonce)}; approve again",
                )
            file.write("".join(f"{approval.nonce} {render(now)}\n" for approval in approvals))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path}: which approvals were used cannot be kept here ({error.strerror}), so nothing is "
            f"exported; name a file that this account owns with {LEDGER_FILE}"
        ) from error


# ---- approvers
#
# Naming an approver in a policy of one's own, in one go: the key, and the lines that the policy needs.


def add_approver(path: Path, who: tuple[str, str], key: Path, passphrase: str) -> Policy:
    """Make a key for an approver (name, role), and name them in a policy, made as shipped where there is none.

    Raises:
        InputError: the policy or the name is wrong, or the key's file is there already; nothing is changed then.
    """
    base = path if path.exists() else SHIPPED
    policy, text = load(base), base.read_text("utf-8")
    taken = base is path and any(approver.name == who[0] for approver in policy.approvers)
    demand(not taken, f"{path}", f'approver "{who[0][:60]}" is already in the policy')
    demand(bool(who[0].strip()) and len(who[0]) <= 100, "--by", "give a name of at most 100 characters")
    known = sorted({role for rule in policy.rules for role in rule.approvers})
    demand(who[1] in known, f"--role {who[1][:40]!r}", f"the policy's rules know: {', '.join(known)}")
    # A basic string of TOML is spelled like one of JSON.
    name, role = (json.dumps(part, ensure_ascii=False) for part in who)
    public = new_key(key, passphrase)
    text = f'{text.rstrip()}\n\n[[approver]]\nname = {name}\nroles = [{role}]\nkey = "{public}"\n'
    extended = parsed(path, text.encode())  # before it counts: what TOML cannot spell must not spoil the policy
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        fresh.touch(0o600)
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise InputError(f"{path}: the policy cannot be written ({error.strerror})") from error
    return extended


# ---- export
#
# An approved plan in the shape that a webhook, Splunk SOAR or Elastic's cases take.
#
# Shapes: docs.splunk.com "REST Containers" and "REST Artifacts" (`POST /rest/container` with `artifacts`), and
# elastic.co "Create a case" (`POST /api/cases`). No automation is started by what is handed over.


Json = Mapping[str, Any]
_SEVERITY = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}


def webhook(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """The plan and its approvals as they are."""
    return {"type": "nhi_watch.act.response.approved", "plan": dict(plan), "approvals": [dict(a) for a in approvals]}


def soar(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """A container with one artifact a step."""
    severity = {"critical": "high"}.get(_SEVERITY[plan["severity"]], _SEVERITY[plan["severity"]])
    artifacts = [
        {
            "name": f"Step {step['n']}: {step['what']}", "label": "nhi_response", "run_automation": False,
            "source_data_identifier": f"{plan['sha256'][:20]}-{step['n']}", "severity": severity,
            "cef": {"action": step["action"], "identity": step["identity"], "commands": step["shell"],
                    "undo": step["undo"], "with": step["with"]},
        }
        for step in plan["steps"]
    ]  # fmt: skip
    return {
        "name": _title(plan),
        "label": "events",
        "description": plans.text(plan),
        "severity": severity,
        "source_data_identifier": plan["sha256"],
        "status": "new",
        "artifacts": artifacts,
        "data": {"approvals": [dict(a) for a in approvals]},
    }


def elastic(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """A case of Elastic Security without a connector."""
    signed = [f"Approved by {a['by']} until {a['until']}, nonce {a['nonce']}" for a in approvals]
    return {
        "title": _title(plan)[:160],
        "description": "\n".join([plans.text(plan), *signed])[:30_000],
        "tags": ["nhi_watch", "approved"],
        "severity": _SEVERITY[plan["severity"]],
        "owner": "securitySolution",
        "settings": {"syncAlerts": False},
        "connector": {"id": "none", "name": "none", "type": ".none", "fields": None},
    }


def _title(plan: Json) -> str:
    return f"Approved response to notable {plan['notable']}: {len(plan['steps'])} steps"


KINDS: Mapping[str, Callable[[Json, Sequence[Json]], dict[str, Any]]] = {
    "webhook": webhook,
    "soar": soar,
    "elastic": elastic,
}
