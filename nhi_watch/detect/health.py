"""Checks of health: what `nhi health`, `nhi elastic doctor` and Splunk's `nhi health` ask, and how they answer.

Each host asks what it can; a check has the same name, the same severities and the same remedy on each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

ERROR, WARN, UNKNOWN, OK = "error", "warn", "unknown", "ok"
STATUSES = (ERROR, WARN, UNKNOWN, OK)
"""The most severe first. Unknown: it could not be found out, which is no problem by itself."""
PROBLEMS = (ERROR, WARN)
UNREAD = 0.01
"""Share of records that could not be read from which it is a warning."""
STALE_DAYS = 2
"""Days after which a history without a newer day is old."""
NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class Question(NamedTuple):
    """What a check asks."""

    meaning: str
    remedy: str
    """What to do where the answer is a problem, unless the answer names something better."""


CHECKS: Mapping[str, Question] = MappingProxyType(
    {
        "source": Question("does each log arrive as often as before?", "check its collection"),
        "fields": Question("do events have the fields that signals need?", "check how the log is collected and parsed"),
        "parsing": Question("can the records be read?", "see the reasons of the rejected records"),
        "late": Question("do records arrive while their day is open?", "collect them sooner"),
        "history": Question("is there a recent history to compare with?", "run it every day"),
        "model": Question("does the model match its manifest?", "install the app or package again"),
        "drift": Question("are scores and signals distributed as before?", "find out what changed in the logs"),
        "blind spot": Question("did a silent log leave anything unwatched?", "read the notable about it"),
        "budget": Question("was a notable left out for want of room?", "raise the budget, or give verdicts"),
        "tables": Question("can your own tables be read?", "correct the line that is named"),
        "connection": Question("does the cluster answer?", "check address, certificate and key"),
        "privileges": Question("may the key do what the job needs?", "grant what it lacks"),
        "key": Question("does the key expire soon?", "make a new one"),
        "state": Question("is the state's index there?", "run `nhi elastic setup`"),
        "heartbeat": Question("did the last run end well, and not too long ago?", "look at the job's own output"),
        "reach": Question("can all source indices be read?", "grant the key to read them, or leave them out"),
        "progress": Question("does the job get on?", "look at the job's output"),
        "set aside": Question("was anything given up?", "read it again after an upgrade"),
        "mapping": Question("are times mapped as dates?", "correct the index template, and roll over"),
        "backlog": Question("how much waits to be read?", "run it more often"),
        "kibana rule": Question("does the rule that makes alerts run?", "look at it in Security > Rules"),
    }
)
"""Name of a check → its question."""


class Check(NamedTuple):
    """A question and its answer."""

    name: str
    """One of CHECKS."""
    about: str
    """The log, provider, model or index that it is about; "": there is only one."""
    status: str
    """error | warn | unknown | ok"""
    text: str
    remedy: str = ""
    facts: Mapping[str, Any] = NO_FACTS
    """The same for programs."""

    @property
    def advice(self) -> str:
        """The answer with its remedy."""
        return f"{self.text}; {self.remedy}" if self.remedy else self.text


def check(name: str, status: str, text: str, about: str = "", remedy: Optional[str] = None, **facts: Any) -> Check:
    """An answer. Of a problem it has the remedy of its question, unless another is given."""
    usual = CHECKS[name].remedy
    if remedy is None:
        remedy = usual if status in PROBLEMS else ""
    return Check(name, about, status, text, remedy, facts)


def worst(checks: Iterable[Check]) -> str:
    """The status that counts: error, warn or ok.

    >>> worst([check("key", OK, ""), check("drift", UNKNOWN, "")]), worst([check("key", WARN, "")])
    ('ok', 'warn')
    """
    statuses = {each.status for each in checks}
    return next((status for status in PROBLEMS if status in statuses), OK)


def to_json(answer: Check) -> dict[str, Any]:
    """A check for programs; nothing is said of what it does not have."""
    plain = {"check": answer.name, "about": answer.about, "status": answer.status, "text": answer.text}
    more = {"remedy": answer.remedy, "facts": dict(answer.facts)}
    return {**plain, **{name: value for name, value in more.items() if value}}


def questions(names: Sequence[str]) -> str:
    """What some checks ask, a line each, for `--help`."""
    return "\n".join(f"  {name:<12} {CHECKS[name].meaning}" for name in names)


# ---- checks that several hosts make


def model_check(model_id: str, sha256: str) -> Check:
    """Of a model that was loaded, and so matches its manifest."""
    return check("model", OK, f"matches its manifest, SHA-256 {sha256[:16]}…", model_id)


def fields_check(about: str, lacking: Sequence[str], needs: Mapping[str, Sequence[str]]) -> Check:
    """`lacking`: the fields that no event of a log has; `needs`: field → the signals that need it."""
    lost = [signal for name in lacking for signal in needs[name]]
    if not lost:
        return check("fields", OK, "events have the fields that signals need", about)
    text = f"no event has {', '.join(lacking)}: {len(lost)} signals cannot tell: {', '.join(lost)}"
    return check("fields", WARN, text, about, missing=[*lacking], lost_signals=lost)


def parsing_check(bad: int, read: int, details: str) -> Check:
    """`bad`: records that could not be read; `read`: those that could; `details`: the reasons."""
    share = bad / (bad + read) if bad else 0.0
    text = f"{share:.1%} of the records could not be read" if bad else f"{read:,} records read"
    return check("parsing", WARN if share > UNREAD else OK, f"{text}{': ' * bool(details)}{details}"[:1_000])
