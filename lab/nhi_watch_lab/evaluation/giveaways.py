"""Takes out of real attack records what gives them away: the attack tool's own name, wherever it stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

Record = dict[str, Any]

_TOOL = re.compile(r"stratus[-_ ]?red[-_ ]?team|stratus", re.IGNORECASE)
PLAIN = "platform"
"""What stands in the place of the tool's name."""


def is_attack(record: Record) -> bool:
    """Whether the tool made the call: its user agent begins with its name.

    Terraform, which set up what was attacked, carries the name at the end of its own.
    """
    return str(record.get("userAgent")).lstrip("[").startswith("stratus-red-team")


def without_tool(value: Any) -> Any:
    """The same tree with the tool's name replaced in every text and key, at any depth.

    >>> without_tool({"StratusRedTeam": ["a stratus-red-team-role", 1]})
    {'platform': ['a platform-role', 1]}
    """
    if isinstance(value, str):
        return _TOOL.sub(PLAIN, value)
    if isinstance(value, dict):
        return {without_tool(key): without_tool(each) for key, each in value.items()}
    return [without_tool(each) for each in value] if isinstance(value, list) else value


def stripped(records: Sequence[Record]) -> list[Record]:
    """Records in which the tool's calls carry the agent that the operator uses otherwise; no name remains.

    The agent is the commonest one, by a program, of the same address; the tool ran on the operator's machine.
    """
    agents = _agents(records)
    return [without_tool(_with_agent(r, agents(r)) if is_attack(r) else r) for r in records]


def _with_agent(record: Record, agent: str) -> Record:
    return {**record, "userAgent": agent}


def _agents(records: Sequence[Record]) -> Callable[[Record], str]:
    everywhere: Counter[str] = Counter()
    by_address: dict[str, Counter[str]] = {}
    for record in records:
        agent = str(record.get("userAgent") or "")
        if is_attack(record) or not agent or ".amazonaws.com" in agent or agent == "AWS Internal":
            continue
        everywhere[agent] += 1
        by_address.setdefault(str(record.get("sourceIPAddress")), Counter())[agent] += 1

    def agent_of(record: Record) -> str:
        counts = by_address.get(str(record.get("sourceIPAddress"))) or everywhere
        return max(sorted(counts), key=lambda each: counts[each]) if counts else ""

    return agent_of
