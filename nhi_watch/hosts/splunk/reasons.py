"""Why rows could not be read or were left out, in words that say what to do; the codes are those of docs/sources.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nhi_watch.hosts.splunk.protocol import Messages

_WORDS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
DAMAGED = _WORDS["damaged"]
"""Code → what to do."""
LEFT_OUT = _WORDS["left_out"]
"""Code → what is left out on purpose."""
_LONGEST = 1_000


def spelled(code: str) -> str:
    """A reason as `nhi_error` words it.

    >>> spelled("clock"), spelled("new_code")
    ('clock: the time is before 2006 or after 2100: correct the clock of what wrote it', 'new_code')
    """
    words = DAMAGED.get(code) or (f"left out: {LEFT_OUT[code]}" if code in LEFT_OUT else "")
    return f"{code}: {words}" if words else code


def code_of(text: str) -> str:
    """The code in what `spelled` has written.

    >>> code_of("clock: the time is …"), code_of("")
    ('clock', 'unknown')
    """
    return text.partition(":")[0][:60] or "unknown"


def messages(command: str, rejected: Mapping[str, int]) -> Messages:
    """What could not be read, and what was left out on purpose, each as one message.

    >>> messages("nhirank", {"clock": 1, "closed": 2})[1]
    ('INFO', 'nhirank: left out 2 events: 2 alerts that are closed or resolved')
    """
    bad = {code: count for code, count in rejected.items() if code not in LEFT_OUT}
    messages: Messages = []
    if bad:
        text = "; ".join(f"{count:,} {spelled(code)}" for code, count in _ordered(bad))
        messages.append(("WARN", f"{command}: could not read {_amount(sum(bad.values()))}: {text}"[:_LONGEST]))
    rest = {code: count for code, count in rejected.items() if code in LEFT_OUT}
    if rest:
        text = ", ".join(f"{count:,} {LEFT_OUT[code]}" for code, count in _ordered(rest))
        messages.append(("INFO", f"{command}: left out {_amount(sum(rest.values()))}: {text}"[:_LONGEST]))
    return messages


def folded(command: str, count: int) -> Messages:
    """That identities or behaviours of a day were aggregated: too many to keep apart.

    >>> folded("nhirank", 0), folded("nhirank", 1)
    ([], [('WARN', 'nhirank: 1 event was aggregated: too many to keep apart')])
    """
    text = "1 event was" if count == 1 else f"{count:,} events were"
    return [("WARN", f"{command}: {text} aggregated: too many to keep apart")] if count else []


def _ordered(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _amount(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
