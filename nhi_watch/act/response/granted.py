"""What an intrusion made or granted, by name, as the raw records of its notable say it, and what takes each back.

The state holds calls, not what was handed to them. So this is for people to read beside the plan's steps, is made of
the records that are at hand, and counts those that are not. Where a value does not have the shape that AWS allows, no
command is written out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nhi_watch.act.response.actions import shell
from nhi_watch.act.response.targets import PATTERNS
from nhi_watch.detect.explain.brief import quoted
from nhi_watch.intake.shapes.json import parse

_NAME = PATTERNS["aws_name"]
_POLICY = r"arn:aws[a-z-]{0,10}:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]{1,512}"
_SHAPES = {"user-name": _NAME, "role-name": _NAME, "group-name": _NAME, "policy-arn": _POLICY,
           "policy-name": r"[\w+=,.@-]{1,128}", "access-key-id": PATTERNS["aws_key"]}  # fmt: skip


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
"""A call of IAM that makes or grants something → what takes it back; deletions come last, see `told`."""
_BACK = {"".join(word.title() for word in undo.call.split("-")): undo for undo in _UNDO.values()}
"""A call of IAM that takes something back → the same as AWS CLI has it."""


def told(notable: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the notable's successful calls made or granted, log values quoted, grants before what they were given to.

    Args:
        notable: an object of the notable's schema.
        events: record id → its raw form, as far as it is at hand.

    Returns: `call`, `what` (option → quoted value), `record`, `undo` (a line for a shell; "": look it up), `gone` (the
    record by which it was taken back since; "": none at hand). Calls of which records are not at hand: `call`, and how
    many are `missing`.
    """
    records = [(name, record) for name, event in events.items() if (record := _record(event))]
    ended = {_key(_BACK[r["eventName"]], r): (str(r.get("eventTime")), name) for name, r in _by_time(records, _BACK)}
    found = [_told(name, record, ended) for name, record in _by_time(records, _UNDO)]
    made = Counter({f"iam:{name}": 0 for name in _UNDO})
    for entry in notable["timeline"]:
        if entry["action"] in made and entry["outcome"] == "success":
            made[entry["action"]] += entry["count"]
    made.subtract(one["call"] for one in found)
    last = ("iam:CreateUser", "iam:CreateRole")
    found.sort(key=lambda one: (bool(one["gone"]), one["call"] in last, one["call"], one["record"]))
    return [*found, *({"call": call, "missing": count} for call, count in sorted(made.items()) if count > 0)]


def _record(event: Mapping[str, Any]) -> dict[str, Any]:
    """The native record of a call of IAM that was let in; {} for all else."""
    try:
        record = parse(event["raw"])
        own = record["eventSource"] == "iam.amazonaws.com" and not record.get("errorCode")
        return record if own and isinstance(record["eventName"], str) else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _by_time(
    records: Sequence[tuple[str, dict[str, Any]]], calls: Collection[str]
) -> list[tuple[str, dict[str, Any]]]:
    return sorted(((n, r) for n, r in records if r["eventName"] in calls), key=lambda one: str(one[1].get("eventTime")))


def _key(undo: _Undo, record: Mapping[str, Any]) -> tuple[str, ...]:
    return (undo.call, *(_value(record, option) for option in undo.options))


def _told(name: str, record: Mapping[str, Any], ended: Mapping[tuple[str, ...], tuple[str, str]]) -> dict[str, Any]:
    """The one thing that a record made or granted, and the record that took it back since."""
    undo = _UNDO[record["eventName"]]
    values = {option: _value(record, option) for option in undo.options}
    whole = all(re.fullmatch(_SHAPES[option], text, re.ASCII) and text[0] != "-" for option, text in values.items())
    words = [word for option, text in values.items() for word in (f"--{option}", text)]
    what = {option: quoted(text) for option, text in values.items() if text}
    line = shell(("aws", "iam", undo.call, *words)) if whole else ""
    when, gone = ended.get(_key(undo, record), ("", ""))
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
    found: Sequence[Any] = [place.get(name) for place in places if isinstance(place, dict)]
    return next((text for text in found if isinstance(text, str) and text), "")


def lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same for people."""
    if found:
        yield "What it made or granted, by its records; take back what the steps above leave:"
    for one in found:
        if "missing" in one:
            more = f"{one['missing']} more, whose raw records are not at hand"
            yield f"- {one['call']}: {more}; the searches in report.html find them"
            continue
        about = ", ".join(f"{option} {text}" for option, text in one["what"].items())
        yield f"- {one['call']}: {about or 'the record does not say what'} (record {quoted(one['record'])})"
        if one["gone"]:
            yield f"  taken back since (record {quoted(one['gone'])})"
            continue
        yield f"  undo: {one['undo'] or 'not written out: the record does not name all that it takes'}"
