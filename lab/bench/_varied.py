"""Records out of samples: the same doings again, with other ids, times, sessions and targets.

Which values of a record are its id, its session and its target is found out by changing each in turn and reading
the record again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple, Optional

import orjson

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.values import moment

HOURS = 24
TARGETS = 24
_RARE = ("permissions", "tagging")
_EVERYDAY = {"browser", "console", "mfa", "delegated", "third_party", "cross_account", "impersonation", "token_minted"}
_NEAR = 2 * 3600
_GUID_END = re.compile(r"(?<=-)[0-9a-fA-F]{12}\b")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|\d{14}(?=\.)")
_TEXTS = ("_raw", "original", "message", "CloudTrailEvent", "log")
"""Fields that hold a record's own text."""

Path = tuple[Any, ...]


class Places(NamedTuple):
    """Where in a record what varies is."""

    ids: list[Path]
    sessions: list[Path]
    targets: list[Path]
    times: list[Path]


def varied(source: ModuleType, records: list[Any], times: int) -> Iterator[Any]:
    """Each record again and again, the hours in order; what is noteworthy, for each twentieth.

    Real logs of CloudTrail are 91% reading; the samples are there to show what is rare.
    """
    known = [(record, places(source, record), source.read(record)) for record in records]
    rare = [_is_rare(event) for _, _, event in known]
    spare = set(rare) == {True, False}
    number = 0
    for hour in range(HOURS):
        for turn in range(times // HOURS):
            for (record, where, event), seldom in zip(known, rare):
                if seldom and spare and (hour % 2 or turn):
                    continue
                number += 1
                yield _again(record, where, (number, hour, hour * 3600 + turn * 60 - event.time % 3600))


def _is_rare(event: Event) -> bool:
    """Whether it changes rights, hands out a credential, lacks an id or has a trait that ordinary work has not."""
    odd = event.access in _RARE or event.issued or event.record_id.startswith("sha256:")
    return bool(odd) or not _EVERYDAY.issuperset(event.traits)


def _again(record: Any, where: Places, told: tuple[int, int, int]) -> Any:
    number, hour, shift = told
    made = orjson.loads(orjson.dumps(record))
    for paths, text in ((where.ids, number), (where.sessions, hour), (where.targets, number % TARGETS)):
        for path in paths:
            _change(made, path, lambda value, text=text: other(value, text))
    for path in where.times:
        _change(made, path, lambda value: later(value, shift))
    return made


def places(source: ModuleType, record: Any) -> Places:
    """Found by trying."""
    base = source.read(record)
    found = Places([], [], [], [])
    for path in list(leaves(record)):
        value = _at(record, path)
        if _is_time(value, base.time):
            found.times.append(path)
            continue
        made = orjson.loads(orjson.dumps(record))
        _change(made, path, lambda value: other(value, 77))
        changed = _differs(source, made, base)
        if changed == {"record_id"}:
            # Else it is a word that the id is made of, as a result or a type is.
            if any(map(str.isdigit, str(value))):
                found.ids.append(path)
        elif changed and changed <= {"record_id", "session"}:
            found.sessions.append(path)
        elif changed and changed <= {"record_id", "target"}:
            found.targets.append(path)
    return found


def _differs(source: ModuleType, record: Any, base: Event) -> Optional[set[str]]:
    try:
        event: Event = source.read(record)
    except RejectError:
        return None
    return {name for name, one, two in zip(Event._fields, base, event) if one != two}


def other(value: Any, number: int) -> Any:
    """Another value of the same sort."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return value + number * 1000
    ending = _GUID_END.search(value)
    if ending:
        return f"{value[: ending.start()]}{number:012x}{value[ending.end() :]}"
    return f"{value}{number:x}"


def later(value: Any, shift: int) -> Any:
    """A time so many seconds later, in its own spelling."""
    if isinstance(value, (int, float)):
        return value + shift * (1000 if value > 10**11 else 1)
    if value.isdigit():
        return str(later(int(value), shift))
    match = _STAMP.search(value)
    if match is None:
        return value
    plain = re.sub(r"\D", "", match[0])
    then = moment("{}-{}-{}T{}:{}:{}Z".format(*re.findall(r"(....)(..)(..)(..)(..)(..)", plain)[0])) + shift
    form = "%Y%m%d%H%M%S" if match[0].isdigit() else f"%Y-%m-%d{match[0][10]}%H:%M:%S"
    return value[: match.start()] + time.strftime(form, time.gmtime(then)) + value[match.end() :]


def _is_time(value: Any, second: int) -> bool:
    if isinstance(value, str):
        stamp = _STAMP.match(value)
        if stamp and stamp[0].isdigit():
            return True
        value = stamp[0] if stamp else value if value.isdigit() else None
    if value is None or isinstance(value, (bool, dict, list)):
        return False
    try:
        return abs(moment(value) - second) <= _NEAR
    except RejectError:
        return False


def leaves(tree: Any, at: Path = ()) -> Iterator[Path]:
    """The paths of all values that are no containers; a text that is a record's own is gone into."""
    if isinstance(tree, str) and at and at[-1] in _TEXTS and tree[:1] == "{":
        yield from leaves(orjson.loads(tree), (*at, None))
        return
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if steps is None:
        yield at
        return
    for step, inner in steps:
        yield from leaves(inner, (*at, step))


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        tree = orjson.loads(tree) if step is None else tree[step]
    return tree


def _change(tree: Any, path: Path, by: Any) -> None:
    """Change a value in place; inside a text, the text."""
    if None in path:
        cut = path.index(None)
        inner = orjson.loads(_at(tree, path[:cut]))
        _change(inner, path[cut + 1 :], by)
        _at(tree, path[: cut - 1])[path[cut - 1]] = orjson.dumps(inner).decode()
        return
    node = _at(tree, path[:-1])
    node[path[-1]] = by(node[path[-1]])
