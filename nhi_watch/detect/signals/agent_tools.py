"""An AI agent calls an MCP server, or a tool, that it never used: what it can reach has grown."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView
from nhi_watch.detect.signals._kit import KNOWN_DAYS, listing

NAME = "agent_tools"
TITLE = "Other tools called"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("AML.T0053", "NHI3:2025")
CONTROL = "reduce_privilege"
HEADLINE = 34
ON_ORDINARY_DAYS = True

AGENT = "agent"
MARKS = ("mcp:", "tool:")
"""How the operations of agents' sources begin; a server's tools are the server's, as `mcp:SERVER/TOOL`."""


def _tool(action: str) -> str:
    operation = action.partition(":")[2]
    return operation.partition("/")[0] if operation.startswith(MARKS) else ""


def _new(episode: EpisodeView) -> list[tuple[str, Behaviour]]:
    known = {_tool(action) for action in episode.past.own.dimension("action").values}
    views = [view for view in episode.views if view.shape.identity.kind == AGENT]
    tools = [(_tool(view.shape.action), view) for view in views]
    return [(tool, b) for tool, view in tools if tool and tool not in known for b in view.behaviours]


def value(episode: EpisodeView) -> float | None:
    """log2(1 + number of servers and tools new to the agent); None without history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    return log2(1 + len({tool for tool, _ in _new(episode)}))


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    tools = [tool for tool, _ in _new(episode)]
    return f"tools called for the first time ({len(set(tools))}): {listing(tools, 2)}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The calls."""
    return [b for _, b in _new(episode)]
