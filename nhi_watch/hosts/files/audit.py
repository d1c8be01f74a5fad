"""`nhi audit`: check the audit trail, or mend its end after a crash."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Optional

from rich.console import Console

from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find, trust

Facts = Mapping[str, Any]
"""What a line of the trail says."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi audit` takes."""
    about = "repair: remove the half-written line that a crash left; the trail records it"
    parser.add_argument("what", choices=("verify", "repair"), help=about)
    parser.add_argument("--head", default="", metavar="HASH", help="hash of a line that must be in the trail")
    common.add_trail(parser)
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Walk the chain, or mend its end.

    Raises:
        InputError: there is no trail, its chain is broken (names the line), or the state holds what it does not show.
        StoreError: it cannot be mended.
    """
    path = find.trail(args)
    lost = audit.repair(path, find.login()) if args.what == "repair" else None
    verified = audit.verify(path, args.head)
    if verified.fault:
        raise InputError(f"{path}: {verified.fault}; the {verified.lines} lines before it hold")
    _demand_on_record(path, common.state_of(args))
    why = trust.fault(path)
    why = f"{path}: {why}" if why else trust.faults_of_state(common.state_of(args))
    if why:
        common.warn(f"{why}, so trail and state may be another account's; compare the head with one noted elsewhere")
    plain = {
        "lines": verified.lines,
        "head": verified.head.hash,
        **({"verified": True} if lost is None else {"lost": lost}),
    }
    done = "" if lost is None else f"Lost: {lost}. " if lost else "Nothing to repair. "
    return common.answer(args, console, plain, f"{done}{verified.lines:,} lines hold; head {verified.head.hash}.")


def _demand_on_record(path: Path, state: Path) -> None:
    """Refuse verdicts and exceptions that were put into the state beside the trail.

    Raises:
        InputError: names the first of them.
    """
    if not state.is_file():
        return
    from nhi_watch.detect import expected, feedback
    from nhi_watch.hosts.files.feedback import plain, to_json
    from nhi_watch.state.sqlite import SqliteStore

    with closing(SqliteStore(state, read_only=True)) as store:
        given, allowed = feedback.verdicts(store), feedback.exceptions(store)
        patterns = expected.patterns(store)
    recorded = _Recorded(path)
    stray = [
        f"the verdict {v.verdict} on {v.notable_id}, by {v.by}" for v in given if not recorded.has_verdict(to_json(v))
    ]
    stray += [
        f"the exception {a.id} for {a.identity_id}, by {a.by}"
        for a in allowed
        if not _agree(plain(a), recorded.exceptions.get(a.id))
    ]
    stray += [
        f"the expected pattern {p.id} for {p.identity_id}, by {p.by}"
        for p in patterns
        if not _agree(expected.plain(p), recorded.patterns.get(p.id))
    ]
    if stray:
        raise InputError(
            f"{state}: {stray[0]}, {f'and {len(stray) - 1:,} more are' if stray[1:] else 'is'} not in the "
            f"trail {path}: the state was changed without it. Give --audit if the trail is "
            "elsewhere; else restore a copy of the state from before, then give the verdicts again"
        )


class _Recorded:
    """What a trail says of verdicts, exceptions and expected patterns."""

    def __init__(self, trail: Path) -> None:
        self.exceptions = _by_id(trail, "exception")
        self.patterns = _by_id(trail, "pattern")
        """As they are now: the end of one is a line of its own."""
        imported = (verdict for facts in _facts(trail, "import") for verdict in facts.get("verdicts", ()))
        self._verdicts: dict[tuple[Any, ...], list[Facts]] = {}
        for facts in chain(_facts(trail, "verdict"), imported, map(_verdict_of, self.exceptions.values())):
            self._verdicts.setdefault(_verdict_key(facts), []).append(facts)

    def has_verdict(self, verdict: Facts) -> bool:
        """Whether a verdict of the state was given so."""
        return any(_agree(verdict, facts) for facts in self._verdicts.get(_verdict_key(verdict), ()))


def _facts(trail: Path, what: str) -> Iterator[Facts]:
    return (_rendered(row["facts"]) for row in audit.entries(trail, what))


def _rendered(facts: Facts) -> Facts:
    """Facts with their times as text: trails hold those of Kibana's verdicts as seconds, too.

    >>> _rendered({"by": "u", "time": 86_400, "until": 0})
    {'by': 'u', 'time': '1970-01-02T00:00:00Z', 'until': None}
    """
    seconds = {name: facts[name] for name in ("time", "created", "until") if isinstance(facts.get(name), int)}
    return {**facts, **{name: render(at) if at or name != "until" else None for name, at in seconds.items()}}


def _by_id(trail: Path, what: str) -> dict[Any, Facts]:
    """The last line of each."""
    return {facts.get("id"): facts for facts in _facts(trail, what)}


def _verdict_key(facts: Facts) -> tuple[Any, ...]:
    return facts.get("notable_id"), facts.get("verdict"), facts.get("by"), facts.get("time")


def _verdict_of(exception: Facts) -> Facts:
    """The verdict that is given with an exception, and has no line of its own."""
    same = ("notable_id", "identity_id", "by", "why", "until")
    facts = {name: exception[name] for name in same if name in exception}
    return {**facts, "verdict": "expected", "time": exception.get("made")}


def _agree(row: Facts, facts: Optional[Facts]) -> bool:
    """Whether a trail's line says the same as a row of the state; lines of earlier versions say less."""
    held = json.loads(json.dumps(row))
    return facts is not None and all(facts[name] == value for name, value in held.items() if name in facts)
