"""The catalogue of actions, `actions.toml`: what an action may be aimed at, and what an intrusion made or granted.

Each command is a list of arguments; a shell never sees a value unquoted. Nothing here runs anything.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from nhi_watch.act import toml
from nhi_watch.context.actions import access, acts, permissions, sensitivity
from nhi_watch.core.behaviour import TARGETS
from nhi_watch.core.documents import IdentityDocument, NotableDocument
from nhi_watch.core.notable import dimensions_of
from nhi_watch.core.status import LIGHT, tells_calls, unusual_least
from nhi_watch.detect.explain.brief import quoted
from nhi_watch.intake.shapes.json import parse

Params = Mapping[str, str]
Commands = tuple[tuple[str, ...], ...]


class Action(NamedTuple):
    """Something that a policy may allow to be proposed: a table of `actions.toml`, which says what its keys mean."""

    id: str
    provider: str
    kinds: tuple[str, ...]
    control: str
    """rotate_secret | reduce_privilege"""
    what: str
    breaks: str
    needs: tuple[str, ...]
    order: int
    do: Commands
    undo: Commands
    of: str = ""


def shell(command: tuple[str, ...]) -> str:
    """A command as one line for a shell.

    >>> shell(("aws", "x", "a b;c"))
    "aws x 'a b;c'"
    """
    return " ".join(map(shlex.quote, command))


def _read() -> Iterator[Action]:
    tables = toml.load(Path(__file__).with_name("actions.toml"), dict[str, dict[str, Any]], "catalogue")
    for name, row in tables.items():
        do, undo = (tuple(tuple(shlex.split(line)) for line in row.pop(way, ())) for way in ("do", "undo"))
        fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        yield Action(name, do=do, undo=undo, **fields)


CATALOGUE = {action.id: action for action in _read()}
"""Action id → action."""


def filled(commands: Commands, params: Params) -> Commands:
    """Commands with their parameters; several calls become the texts of a list of JSON.

    >>> filled((("aws", "--document", '["{calls}"]', "{aws_name}"),), {"calls": "a:B,c:D", "aws_name": "x"})
    (('aws', '--document', '["a:B", "c:D"]', 'x'),)
    """
    given = {**params, "calls": params.get("calls", "").replace(",", '", "')}
    return tuple(tuple(_PARAMETER.sub(lambda match: given[match[1]], word) for word in words) for words in commands)


_PARAMETER = re.compile(r"\{([a-z_]+)\}")
EITHER = (
    frozenset({"aws_deny_user", "aws_deny_new_calls_user"}),
    frozenset({"aws_deny_role", "aws_deny_new_calls_role"}),
    frozenset({"gcp_disable_account", "gcp_disable_key"}),
)
"""Actions of which one is enough: the first stops all of the identity, the other what is odd of it."""

PROVIDERS = tuple(sorted({action.provider for action in CATALOGUE.values()}))
KINDS = tuple(sorted({kind for action in CATALOGUE.values() for kind in action.kinds}))


# ---- targets
#
# What an action may be aimed at: the parameters that an identity's id, name and credentials hold, strictly checked.
#
# Names in logs are chosen by those who created the resource. A value that does not have exactly the shape that the
# vendor's API allows is left out, and the actions that need it are not proposed.


_CALLS = 20
"""Calls that a step names."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
PATTERNS = {
    "aws_key": r"A[KS]IA[A-Z0-9]{12,124}",
    "aws_name": r"[\w+=,.@-]{1,64}",
    "calls": r"[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}(?:,[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}){0,19}",
    "before": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "app_id": _UUID,
    "secret_id": _UUID,
    "storage": r"[a-z0-9]{3,24}",
    "slot": r"key[12]",
    "email": rf"{_LABEL}@{_LABEL}\.iam\.gserviceaccount\.com",
    "gcp_key": r"[0-9a-f]{40}",
    "org": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "login": r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})",
    "number": r"[1-9]\d{0,18}",
    "okta_app": r"0oa[A-Za-z0-9]{17}",
    "okta_token": r"00T[A-Za-z0-9]{17}",
    "okta_org": r"https://[a-z0-9-]{1,63}\.okta(?:preview|-emea)?\.com",
    "namespace": _LABEL,
    "service_account": rf"{_LABEL}(?:\.{_LABEL}){{0,3}}",
    "entity": _UUID,
    "sf_user": r"[A-Z0-9_.@$-]{1,120}",
    "anthropic_key": r"apikey_[A-Za-z0-9]{8,64}",
}
"""Parameter → what its value must be as a whole (ASCII only)."""

_ARN = re.compile(
    r"arn:aws[a-z-]{0,10}:iam::(?P<account>\d{12}):(?:user|role)/(?:[\w+=,.@-]{1,128}/){0,8}(?P<name>[\w+=,.@-]{1,64})",
    re.ASCII,
)
"""A whole ARN, or none: the end of something that only looks like one could name somebody else."""


def allowed(name: str, value: str) -> bool:
    """Whether a value has the shape of a parameter.

    >>> allowed("aws_name", "ci-deploy"), allowed("aws_name", "x; rm -rf /"), allowed("aws_name", "-x")
    (True, False, False)
    """
    return not value.startswith("-") and re.fullmatch(PATTERNS[name], value, re.ASCII) is not None


def parameters(
    member: IdentityDocument, credential: str, notable: NotableDocument, calls: frozenset[str] = frozenset()
) -> dict[str, str]:
    """All parameters that one identity, one of its credentials ("" for none) and the notable hold.

    `calls`: what this identity called for the first time; needed where the notable is of several.
    """
    raw = {**_of_identity(member), **_of_credential(member, credential)}
    made_at = str(cast("Mapping[str, Any]", notable).get("made") or "")
    raw["before"] = max(notable["last_time"], made_at)  # nothing issued until the plan is left alive
    raw["calls"] = ",".join(_fresh_calls(notable, member, calls))
    return {name: value for name, value in sorted(raw.items()) if allowed(name, value)}


def _of_identity(member: IdentityDocument) -> dict[str, str]:
    name, unique = str(member["name"]), str(member["id"])
    provider, kind, last = member["provider"], member["kind"], unique.rpartition(":")[2]
    if provider == "aws":
        arn = _ARN.fullmatch(name)
        if arn:
            return {"aws_name": arn["name"]} if arn["account"] == (member["account"] or arn["account"]) else {}
        # Some records of a user name it without its ARN; that AWS gave it a unique id says that it is one of IAM's.
        return {"aws_name": name} if kind == "user" and last.startswith("AIDA") else {}
    if provider == "kubernetes":
        parts = name.split(":")
        is_service_account = len(parts) == 4 and name.startswith("system:serviceaccount:")
        return {"namespace": parts[2], "service_account": parts[3]} if is_service_account else {}
    if provider == "github":
        return {"org": str(member["account"]), "login": name.removesuffix(" (token)") if kind == "token" else name}
    fixed = {"entra": "app_id", "gcp": "email", "vault": "entity", "snowflake": "sf_user", "okta": "okta_app"}
    if provider == "azure" and kind == "storage_key":
        return {"storage": str(member["account"]), "slot": last.partition("(")[0]}
    return {fixed[provider]: last} if provider in fixed else {}


def _of_credential(member: IdentityDocument, credential: str) -> dict[str, str]:
    kinds = {
        "aws": "aws_key",
        "entra": "secret_id",
        "gcp": "gcp_key",
        "okta": "okta_token",
        "gitlab": "number",
        "anthropic": "anthropic_key",
    }
    provider = member["provider"]
    if provider == "anthropic" and not credential:
        credential = str(member["id"]).rpartition(":")[2]
    return {kinds[provider]: credential} if provider in kinds else {}


def _fresh_calls(notable: NotableDocument, member: IdentityDocument, calls: frozenset[str]) -> list[str]:
    """Permissions of calls that were news, those with most points: what the panel shows, and of what was odd what this
    one made. What its usual calls need stays allowed."""
    if member["provider"] != "aws":
        return []
    dimensions = dimensions_of(notable, "action", str(member["id"]))
    seen = [o for d in dimensions for o in d["observed"]]
    fresh = {o["value"] for o in seen if o["new"] and "," not in o["value"]}
    fresh = fresh & calls if len(notable.get("members") or ()) > 1 else fresh
    points = {entry["action"]: entry["points"] for entry in sorted(notable["timeline"], key=lambda e: e["points"])}
    fresh |= {action for action in calls if points.get(action, 0.0) >= LIGHT}
    usual = {known for d in dimensions for value in d["usual"] for known in permissions(value["value"])}
    ordered = sorted(fresh, key=lambda value: (-points.get(value, 0.0), value))
    fit = dict.fromkeys(known for value in ordered for known in permissions(value) if known not in usual)
    return sorted([value for value in fit if allowed("calls", value)][:_CALLS])


# ---- granted
#
# What an intrusion made or granted, by name, as the raw records of its notable say it, and what takes each back.
#
# The state holds calls, not what was handed to them. So this is for people to read beside the plan's steps, is made of
# the records that are at hand, and counts those that are not. Where a value does not have the shape that AWS allows, no
# command is written out.


_NAME = PATTERNS["aws_name"]
_POLICY = r"arn:aws[a-z-]{0,10}:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}"
_PATTERNS = {
    "user-name": _NAME,
    "role-name": _NAME,
    "group-name": _NAME,
    "policy-arn": _POLICY,
    "policy-name": r"[\w+=,.@-]{1,128}",
    "access-key-id": PATTERNS["aws_key"],
}


class _Undo(NamedTuple):
    """What takes a call back: the call of AWS CLI, and its options."""

    call: str
    options: tuple[str, ...]


_UNDO = {
    "CreateUser": _Undo("delete-user", ("user-name",)),
    "CreateRole": _Undo("delete-role", ("role-name",)),
    "CreateAccessKey": _Undo("delete-access-key", ("user-name", "access-key-id")),
    "CreateLoginProfile": _Undo("delete-login-profile", ("user-name",)),
    "AttachUserPolicy": _Undo("detach-user-policy", ("user-name", "policy-arn")),
    "AttachRolePolicy": _Undo("detach-role-policy", ("role-name", "policy-arn")),
    "AttachGroupPolicy": _Undo("detach-group-policy", ("group-name", "policy-arn")),
    "PutUserPolicy": _Undo("delete-user-policy", ("user-name", "policy-name")),
    "PutRolePolicy": _Undo("delete-role-policy", ("role-name", "policy-name")),
    "PutGroupPolicy": _Undo("delete-group-policy", ("group-name", "policy-name")),
    "AddUserToGroup": _Undo("remove-user-from-group", ("group-name", "user-name")),
}
"""A call of IAM that makes or grants something → what takes it back; deletions come last, see `effects`."""
_BACK = {"".join(word.title() for word in undo.call.split("-")): undo for undo in _UNDO.values()}
"""A call of IAM that takes something back → the same as AWS CLI has it."""


def effects(notable: NotableDocument, events: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the notable's successful calls made or granted, log values quoted, grants before what they were given to.

    Args:
        notable: an object of the notable's schema.
        events: record id → its raw form, as far as it is at hand.

    Returns: `call`, `what` (option → quoted value), `record`, `undo` (a line for a shell; "": look it up), `gone` (the
    record by which it was taken back since; "": none at hand). Calls of which records are not at hand: `call`, and how
    many are `missing`. Other acts, see `_acts`: `call`, `count`, `targets`.
    """
    records = [(name, record) for name, event in events.items() if (record := _record(event))]
    ended = {
        _key_granted(_BACK[r["eventName"]], r): (str(r.get("eventTime")), name) for name, r in _by_time(records, _BACK)
    }
    effects = [_effect(name, record, ended) for name, record in _by_time(records, _UNDO)]
    created = Counter({f"iam:{name}": 0 for name in _UNDO})
    for entry in notable["timeline"]:
        if entry["action"] in created and entry["outcome"] == "success":
            created[entry["action"]] += entry["count"]
    created.subtract(effect["call"] for effect in effects)
    last = ("iam:CreateUser", "iam:CreateRole")
    effects.sort(key=lambda effect: (bool(effect["gone"]), effect["call"] in last, effect["call"], effect["record"]))
    missing = [{"call": call, "missing": count} for call, count in sorted(created.items()) if count > 0]
    return [*effects, *missing, *_acts(notable)]


def _acts(notable: NotableDocument) -> list[dict[str, Any]]:
    """What else of the notable's unusual calls has a high impact, changes permissions or costs, in their order."""
    by_name: dict[str, dict[str, Any]] = {}
    for entry in _unusual(notable):
        call = entry["action"]
        if call.removeprefix("iam:") not in _UNDO and (entry.get("targets") or _grave(call)):
            act = by_name.setdefault(call, {"call": call, "count": 0, "targets": []})
            act["count"] += entry["count"]
            act["targets"] += [t for t in map(quoted, entry.get("targets", ())) if t not in act["targets"]]
    return list(by_name.values())


def _unusual(notable: NotableDocument) -> list[Mapping[str, Any]]:
    """The unusual calls that were let in."""
    least = unusual_least(notable) if tells_calls(notable) else LIGHT
    return [e for e in notable["timeline"] if e["outcome"] == "success" and e["points"] >= least]


def _grave(call: str) -> bool:
    service, _, operation = call.partition(":")
    level = access(service, operation)
    costs = level == "cost" and "model_invocation" not in sensitivity(service, operation)
    return costs or level == "permissions" or any(act.grave for act in acts(service, operation))


def read_secrets(notable: NotableDocument, names: Sequence[str]) -> list[dict[str, Any]]:
    """The secrets that a notable's calls read, by name; by the count of its unusual calls where no name is known."""
    reads = [e for e in _unusual(notable) if "secret_reading" in sensitivity(*e["action"].split(":", 1))]
    calls = sum(entry["count"] for entry in reads)
    return [{"secrets": list(map(quoted, names)), "calls": calls}] if names or calls else []


def _record(event: Mapping[str, Any]) -> dict[str, Any]:
    """The native record of a call of IAM that was let in; {} for all else."""
    try:
        record = parse(event["raw"])
        own = record["eventSource"] == "iam.amazonaws.com" and not record.get("errorCode")
        return record if own and isinstance(record["eventName"], str) else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _by_time(records: Sequence[tuple[str, dict[str, Any]]], calls: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(
        ((n, r) for n, r in records if r["eventName"] in calls), key=lambda item: str(item[1].get("eventTime"))
    )


def _key_granted(undo: _Undo, record: Mapping[str, Any]) -> tuple[str, ...]:
    return (undo.call, *(_value(record, option) for option in undo.options))


def _effect(name: str, record: Mapping[str, Any], ended: Mapping[tuple[str, ...], tuple[str, str]]) -> dict[str, Any]:
    """The one thing that a record made or granted, and the record that took it back since."""
    undo = _UNDO[record["eventName"]]
    values = {option: _value(record, option) for option in undo.options}
    is_complete = all(
        re.fullmatch(_PATTERNS[option], text, re.ASCII) and text[0] != "-" for option, text in values.items()
    )
    words = [word for option, text in values.items() for word in (f"--{option}", text)]
    what = {option: quoted(text) for option, text in values.items() if text}
    line = shell(("aws", "iam", undo.call, *words)) if is_complete else ""
    when, gone = ended.get(_key_granted(undo, record), ("", ""))
    gone = gone if when >= str(record.get("eventTime")) else ""
    return {"call": f"iam:{record['eventName']}", "what": what, "record": name, "undo": line, "gone": gone}


def _value(record: Mapping[str, Any], option: str) -> str:
    """What a record says of an option: what was asked for, else what AWS answered; a key is its asker's by default."""
    first, *rest = option.split("-")
    name = first + "".join(word.title() for word in rest)
    answer = record.get("responseElements") or {}
    places = [record.get("requestParameters") or {}, *answer.values(), record.get("userIdentity") or {}]
    if option == "access-key-id":
        places = places[1:-1]
    values: Sequence[Any] = [place.get(name) for place in places if isinstance(place, dict)]
    return next((text for text in values if isinstance(text, str) and text), "")


def lines(granted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same for people."""
    if granted:
        yield "What it made, granted, changed or read; undo what the steps above leave:"
    for item in granted:
        if "secrets" in item or "count" in item:
            yield from _act_lines(item)
            continue
        if "missing" in item:
            more = f"{item['missing']} more, whose raw records are not available"
            yield f"- {item['call']}: {more}; the searches in report.html find them"
            continue
        about = ", ".join(f"{option} {text}" for option, text in item["what"].items())
        yield f"- {item['call']}: {about or 'the record does not name the target'} (record {quoted(item['record'])})"
        if item["gone"]:
            yield f"  undone since (record {quoted(item['gone'])})"
            continue
        yield f"  undo: {item['undo'] or 'not written out: the record lacks a parameter that the undo needs'}"


def _act_lines(act: Mapping[str, Any]) -> Iterator[str]:
    if "count" in act:
        about = f": {', '.join(act['targets'])}" if act["targets"] else ""
        yield f"- {act['call']}, {act['count']} call{'s'[: act['count'] != 1]}{about}"
        return
    names = act["secrets"]
    if not names:
        yield f"- rotate the secrets it read, by {act['calls']} call{'s'[: act['calls'] != 1]}; no record names them"
        return
    many = f"{len(names)}{' or more' * (len(names) >= TARGETS)}"  # of each hour, so many targets are kept
    yield f"- rotate the {many} secrets it read:" if len(names) > 1 else "- rotate the secret it read:"
    yield from (f"  {name}" for name in names)
