"""Models and AI agents: who runs, unlocks and pays for them, and what agents reach."""

from __future__ import annotations

from math import log2

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import (
    KNOWN_DAYS,
    behaviour_signal,
    behaviours_of,
    call_sentence,
    episode_signal,
    first_used,
    first_used_sentence,
    first_used_value,
    in_class,
    listing,
    place_news,
    rarity,
)


@behaviour_signal(
    "AI models run",
    ("T1496.004",),
    control="rotate_secret",
    headline=18,
    evidence=lambda view: call_sentence(view, "runs a paid AI model"),
)
def model_invocation(view: View) -> float:
    """Invokes generative models, as this identity does not do.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "model_invocation")


@behaviour_signal(
    "AI model access enabled",
    ("T1496.004", "AML.CS0030"),
    control="reduce_privilege",
    evidence=lambda view: call_sentence(view, "enables access to AI models"),
)
def model_unlock(view: View) -> float:
    """Enables access to generative models: agreements, use-case forms, quota increases.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "model_unlock")


CLASS = "model_invocation"


@episode_signal(
    "New AI models run",
    ("T1496.004", "AML.CS0030"),
    control="rotate_secret",
    headline=19,
    on_ordinary_days=True,
    evidence=lambda episode: first_used_sentence(episode, CLASS, "AI models run"),
    phrase=lambda episode: f"new AI model run: {listing([name for name, _ in first_used(episode, CLASS)], 1)}",
    backing=lambda episode: [b for _, b in first_used(episode, CLASS)],
)
def model_changed(episode: EpisodeView) -> float | None:
    """Runs models that this identity never ran.

    log2(1 + number of models new to the identity); None without history.
    """
    return first_used_value(episode, CLASS)


STEPS = {
    "probe": ("GetCallerIdentity", "ListFoundationModels", "GetFoundationModelAvailability",
    "ListFoundationModelAgreementOffers", "GetUseCaseForModelAccess",
              "GetModelInvocationLoggingConfiguration"),
    "unlock": ("PutUseCaseForModelAccess", "CreateFoundationModelAgreement", "PutFoundationModelEntitlement",
               "CreateServiceSpecificCredential"),
    "abuse": ("InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"),
    "cover": ("DeleteModelInvocationLoggingConfiguration",),
}  # fmt: skip


ORDER = ("probe", "test", "unlock", "abuse", "cover")


STEP_OF = {operation: step for step, operations in STEPS.items() for operation in operations}


def _steps(episode: EpisodeView) -> dict[str, list[View]]:
    steps: dict[str, list[View]] = {}
    for view in episode.views:
        step = STEP_OF.get(view.shape.action.partition(":")[2])
        if step and view.action:
            steps.setdefault("test" if step == "abuse" and view.shape.outcome != "success" else step, []).append(view)
    return steps


def _llmjacking_evidence(episode: EpisodeView) -> str:
    return f"LLMjacking steps new to this identity: {', '.join(sorted(_steps(episode), key=ORDER.index))}"


@episode_signal(
    "LLMjacking",
    ("T1496.004", "AML.CS0030"),
    control="rotate_secret",
    headline=5,
    evidence=_llmjacking_evidence,
    backing=lambda episode: behaviours_of([view for views in _steps(episode).values() for view in views]),
)
def llmjacking(episode: EpisodeView) -> float:
    """The steps by which stolen keys are turned into model invocations: probe, test, unlock, abuse, cover up.

    Number of distinct steps that are new for the identity; a single probe counts nothing.
    """
    steps = _steps(episode)
    return float(len(steps)) if set(steps) - {"probe"} else 0.0


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


def _agent_elsewhere_evidence(view: View) -> str:
    place = view.network_facts.owner or view.shape.network
    return f"an AI agent's credential is used from {place} with {view.shape.agent or 'no client'}, " + rarity(
        max(place_news(view), view.agent)
    )


@behaviour_signal(
    "AI agent's key used from a new place",
    ("T1528", "NHI2:2025"),
    control="rotate_secret",
    place=6,
    needs=("network",),
    evidence=_agent_elsewhere_evidence,
)
def agent_elsewhere(view: View) -> float | None:
    """The key or role of an AI agent works outside of its runtime: from another place, or with another client.

    Bits by which the operator, the network or the client is new for an agent; None without history.
    """
    if not _is_agent(view):
        return 0.0
    return max(place_news(view), view.agent) if view.past.own.days else None


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


def _agent_tools_evidence(episode: EpisodeView) -> str:
    tools = [tool for tool, _ in _new(episode)]
    return f"tools called for the first time ({len(set(tools))}): {listing(tools, 2)}"


@episode_signal(
    "AI agent calls new tools",
    ("AML.T0053", "NHI3:2025"),
    control="reduce_privilege",
    headline=34,
    on_ordinary_days=True,
    evidence=_agent_tools_evidence,
    backing=lambda episode: [b for _, b in _new(episode)],
)
def agent_tools(episode: EpisodeView) -> float | None:
    """An AI agent calls an MCP server, or a tool, that it never used: what it can reach has grown.

    log2(1 + number of servers and tools new to the agent); None without history.
    """
    if episode.past.own.days < KNOWN_DAYS:
        return None
    return log2(1 + len({tool for tool, _ in _new(episode)}))
