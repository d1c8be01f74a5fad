"""The key or role of an AI agent works outside of its runtime: from another place, or with another client."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import place_news, rarity

NAME = "agent_elsewhere"
TITLE = "An AI agent's key elsewhere"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1528", "NHI2:2025")
CONTROL = "rotate_secret"
NEEDS = ("network",)
PLACE = 6

SERVICES = ("bedrock", "bedrock-agentcore", "openai", "anthropic", "aiplatform", "microsoft.cognitiveservices")
"""What agents call for a living."""
HALF = 0.5
"""Share of its active days on which an agent calls one of them."""


def _is_agent(view: View) -> bool:
    if view.shape.identity.kind == "agent":
        return True
    seen = view.past.own.dimension("service").values
    days = max((seen[name].days for name in SERVICES if name in seen), default=0)
    return days >= HALF * max(1, view.past.own.days)


def value(view: View) -> float | None:
    """Bits by which the operator, the network or the client is new for an agent; None without history."""
    if not _is_agent(view):
        return 0.0
    return max(place_news(view), view.agent) if view.past.own.days else None


def evidence(view: View) -> str:
    """One sentence."""
    place = view.network_facts.owner or view.shape.network
    return f"an AI agent's credential works from {place} with {view.shape.agent or 'no client'}, " + rarity(
        max(place_news(view), view.agent)
    )
