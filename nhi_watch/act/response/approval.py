"""Approvals: who said yes to which plan, when, why and until when, signed with Ed25519 (RFC 8032).

An approval is bound to the plan's hash and to the policy's. The public key that counts is the one in the policy, never
one that the approval brings along. Each approval can be used once: what was used stands in the state, in the audit
trail, and in a file of the account's own that no option names (`ledger`), so that older copies of the others do not
make it fresh. Time is the machine's, not the caller's.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import pwd
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import urlsplit

import httpx
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from nhi_watch.act import audit
from nhi_watch.act.audit import canonical
from nhi_watch.act.response import plan as plans
from nhi_watch.act.response.plan import SHIPPED, Approver, Policy, demand, load
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.timestamps import parse, render
from nhi_watch.state.store import Rows

SCHEMA = "nhi-watch/approval/1"
FIELDS = ("schema", "plan", "policy", "notable", "by", "why", "made", "until", "nonce", "signature")
TABLE = "ledger"
LEDGER_FILE = "NHI_USED_APPROVALS_FILE"
AHEAD = 300
"""Seconds by which clocks may differ."""
_DOMAIN = b"nhi-watch approval\n"


class Checked(NamedTuple):
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
        raise InputError(f"{path}: no key here ({error.strerror}); make one with `nhi respond key`") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path}: no key that can be read; is NHI_KEY_PASSPHRASE right?") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: the key is not Ed25519; make one with `nhi respond key`")
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
        raise InputError("an approval needs --why: somebody answers for it")
    told = {
        "schema": SCHEMA, "plan": plan["sha256"], "policy": plan["policy"]["sha256"], "notable": plan["notable"],
        "by": by, "why": why.strip()[:500], "made": render(now), "until": render(now + minutes_of(plan) * 60),
        "nonce": secrets.token_hex(16),
    }  # fmt: skip
    return {**told, "signature": base64.b64encode(key.sign(_message(told))).decode()}


def _message(told: Mapping[str, Any]) -> bytes:
    return _DOMAIN + canonical({name: told[name] for name in FIELDS if name != "signature"}).encode()


def check(approval: Mapping[str, Any], plan: Mapping[str, Any], policy: Policy, now: int) -> Checked:
    """Demand that one approval holds for a plan at `now`.

    Raises:
        InputError: it is none, forged, for another plan or policy, by somebody who may not, or has expired.
    """
    where = f"approval by {str(approval.get('by'))[:60]!r}"
    fine = set(approval) == {*FIELDS} and all(isinstance(v, str) for v in approval.values())
    demand(fine and approval["schema"] == SCHEMA, where, "it is no approval")
    approver = next((a for a in policy.approvers if a.name == approval["by"]), None)
    demand(approver is not None, where, f"{policy.name} names no such approver; put the lines that `nhi respond key` "
            "prints into a policy of your own, and give it with --policy to plan, approve and export")  # fmt: skip
    assert approver is not None
    demand(_signed(approval, approver), where, "it is forged: the signature does not fit the key in the policy")
    demand(approval["plan"] == plan["sha256"] and approval["notable"] == plan["notable"], where,
            "it is for another plan")  # fmt: skip
    demand(approval["policy"] == policy.sha256, where, "it was given under another policy")
    made, until = _time(where, approval["made"]), _time(where, approval["until"])
    demand(made <= now + AHEAD, where, f"it was given in the future, at {approval['made']}")
    demand(until == made + minutes_of(plan) * 60, where, "it claims to hold for longer than the policy allows")
    demand(now < until, where, f"it expired at {approval['until']}")
    denied = [s for s in plan["steps"] if not approver.roles & {*s["approvers"]}]
    demand(not denied, where, f"the policy does not let them approve {denied[0]['action'] if denied else ''}")
    return Checked(approver.name, approval["nonce"], until)


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
    used: Callable[[str], Optional[str]], approvals: Sequence[Mapping[str, Any]], plan: Mapping[str, Any],
    policy: Policy, now: int,
) -> list[Checked]:  # fmt: skip
    """Demand that enough people approved a plan, and that no approval was used before: `used` says when it was.

    Raises:
        InputError: what is missing or wrong with any of them.
    """
    found = [check(approval, plan, policy, now) for approval in approvals]
    for one in found:
        before = used(one.nonce)
        demand(before is None, f"approval by {one.by!r}", f"it was used before, at {before}; approve anew")
    people, needed = {one.by for one in found}, max(int(step["approvals"]) for step in plan["steps"])
    demand(len(people) >= needed, f"plan of {plan['notable']}",
            f"it needs the approval of {needed} people, and has {len(people)}")  # fmt: skip
    return found


def used_at(rows: Rows, nonce: str) -> Optional[str]:
    """When an approval was used; None: it was not."""
    key = f"used/{nonce[:100]}"
    raw = rows.get(TABLE, [key]).get(key)
    return raw.decode() if raw is not None else None


def used_by_trail(trail: Path) -> dict[str, str]:
    """Nonce → when it was used, by the audit trail.

    Raises:
        InputError: the trail does not verify, so what it says of uses may be less than was.
    """
    if not trail.exists():
        return {}
    told = audit.verify(trail)
    demand(not told.fault, f"{trail}", f"{told.fault}; before that is cleared up, nothing is handed over")
    exports = audit.found(trail, "export")
    return {str(nonce): row["time"] for row in exports for nonce in row["facts"].get("nonces", ())}


def ledger() -> Path:
    """Where an account keeps which approvals it used: in its home by the system's list, whatever HOME says."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path(os.environ.get(LEDGER_FILE) or home / ".local" / "state" / "nhi_watch" / "used_approvals")


def use(rows: Rows, found: Sequence[Checked], now: int) -> None:
    """Mark approvals as used, in the account's ledger first.

    Raises:
        InputError: one was used before by this account, with whatever state and trail, or that cannot be kept.
    """
    _spend(ledger(), found, now)
    rows.put(TABLE, [(f"used/{one.nonce[:100]}", render(now).encode()) for one in found])


def _spend(path: Path, found: Sequence[Checked], now: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            used = dict(line.split(" ", 1) for line in file.read().splitlines() if " " in line)
            for one in found:
                demand(one.nonce not in used, f"approval by {one.by!r}",
                        f"it was used before, at {used.get(one.nonce)}; approve anew")  # fmt: skip
            file.write("".join(f"{one.nonce} {render(now)}\n" for one in found))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{path}: which approvals were used cannot be kept here ({error.strerror}), so nothing is "
                         f"handed over; name a file of this account's with {LEDGER_FILE}") from error  # fmt: skip


# ---- approvers
#
# Naming an approver in a policy of one's own, in one go: the key, and the lines that the policy needs.


def add_approver(path: Path, who: tuple[str, str], key: Path, passphrase: str) -> Policy:
    """Make a key for an approver (name, role), and name them in a policy, made as shipped where there is none.

    Raises:
        InputError: the policy or the name is wrong, or the key's file is there already; nothing is changed then.
    """
    text = (path if path.exists() else SHIPPED).read_text("utf-8")
    taken = path.exists() and any(one.name == who[0] for one in load(path).approvers)
    demand(not taken, f"{path}", f'approver "{who[0][:60]}" is named already')
    demand(bool(who[0].strip()) and len(who[0]) <= 100, "--by", "give a name of at most 100 characters")
    known = sorted({role for rule in load(path if path.exists() else SHIPPED).rules for role in rule.approvers})
    demand(who[1] in known, f"--role {who[1][:40]!r}", f"the policy's rules know: {', '.join(known)}")
    # A basic string of TOML is spelled like one of JSON.
    name, role = (json.dumps(one, ensure_ascii=False) for one in who)
    public = new_key(key, passphrase)
    _put(path, f'{text.rstrip()}\n\n[[approver]]\nname = {name}\nroles = [{role}]\nkey = "{public}"\n')
    return load(path)


def _put(path: Path, text: str) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        load(Path(name))  # before it counts: what TOML cannot spell must not spoil the policy
        Path(name).replace(path)
    except InputError as error:
        Path(name).unlink()
        raise InputError(f"{path}: {str(error).partition(': ')[2]}") from error
    except OSError as error:
        raise InputError(f"{path}: the policy cannot be written ({error.strerror})") from error


# ---- export
#
# An approved plan in the shape that a webhook, Splunk SOAR or Elastic's cases take.
#
# Shapes: docs.splunk.com "REST Containers" and "REST Artifacts" (`POST /rest/container` with `artifacts`), and
# elastic.co "Create a case" (`POST /api/cases`). No automation is started by what is handed over.


Json = Mapping[str, Any]
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SEVERITY = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
SECONDS = 20.0


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
        "name": _title(plan), "label": "events", "description": plans.text(plan), "severity": severity,
        "source_data_identifier": plan["sha256"], "status": "new", "artifacts": artifacts,
        "data": {"approvals": [dict(a) for a in approvals]},
    }  # fmt: skip


def elastic(plan: Json, approvals: Sequence[Json]) -> dict[str, Any]:
    """A case of Elastic Security without a connector."""
    signed = [f"Approved by {a['by']} until {a['until']}, nonce {a['nonce']}" for a in approvals]
    return {
        "title": _title(plan)[:160], "description": "\n".join([plans.text(plan), *signed])[:30_000],
        "tags": ["nhi_watch", "approved"], "severity": _SEVERITY[plan["severity"]], "owner": "securitySolution",
        "settings": {"syncAlerts": False},
        "connector": {"id": "none", "name": "none", "type": ".none", "fields": None},
    }  # fmt: skip


def _title(plan: Json) -> str:
    return f"Approved response to notable {plan['notable']}: {len(plan['steps'])} steps"


class Kind(NamedTuple):
    """One receiver."""

    make: Callable[[Json, Sequence[Json]], dict[str, Any]]
    headers: Mapping[str, str]
    token: tuple[str, str]
    """Header and its beginning, for the token."""


KINDS = {
    "webhook": Kind(webhook, {}, ("Authorization", "Bearer ")),
    "soar": Kind(soar, {}, ("ph-auth-token", "")),
    "elastic": Kind(elastic, {"kbn-xsrf": "true"}, ("Authorization", "ApiKey ")),
}


def address(url: str) -> str:
    """A URL that may be posted to: https, or http on this machine.

    Raises:
        InputError: it may not.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"--url {url[:100]!r}: no URL ({error})") from error
    if parts.scheme == "https" and host and not parts.username:
        return url
    if parts.scheme == "http" and host in _LOCAL and not parts.username:
        return url
    raise InputError(f"--url {url[:100]!r}: give https://…, without a user in it; http only on this machine")


def token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: there is none.
    """
    try:
        told = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no token can be read here") from error
    if not told.isprintable() or not told:
        raise InputError(f"{path}: no token can be read here")
    return told


def post(kind: str, url: str, secret: str, payload: Json) -> int:
    """Send a payload; the status that was answered. Redirects are not followed.

    Raises:
        InputError: it was not taken.
    """
    where = KINDS[kind]
    headers = {**where.headers, **({where.token[0]: where.token[1] + secret} if secret else {})}
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = client.post(url, json=dict(payload), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputError(f"{url[:200]}: not delivered ({type(error).__name__})") from error
    if not 200 <= answer.status_code < 300:
        raise InputError(f"{url[:200]}: not taken (status {answer.status_code})")
    return answer.status_code

