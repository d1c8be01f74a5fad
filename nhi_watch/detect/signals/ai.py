"""Models and AI agents: who runs, unlocks and pays for them, and what agents reach."""

from __future__ import annotations

from nhi_watch.detect.signals._kit import (
    EpisodeView,
    Named,
    View,
    behaviours_of,
    counted,
    first_used,
    is_young,
    kind_of_call,
    listing,
    place_novelty,
    place_rarity,
    rarity,
    signal,
)

RUN = "model_invocation"
AGENT = "agent"
TOOLS = ("mcp:", "tool:")
"""How the operations of agents' sources begin; a server's tools are the server's, as `mcp:SERVER/TOOL`."""


def _tool(action: str) -> str:
    operation = action.partition(":")[2]
    return operation.partition("/")[0] if operation.startswith(TOOLS) else ""


def _new_tools(episode: EpisodeView) -> Named:
    views = [view for view in episode.views if view.key.identity.kind == AGENT]
    known = {_tool(action) for action in episode.baseline.own.done("action")} if views else set[str]()
    tools = [(_tool(view.key.action), view) for view in views]
    return [(tool, b) for tool, view in tools if tool and tool not in known for b in view.behaviours]


TABLE = (
    kind_of_call(
        RUN,
        "AI models run",
        ("T1496.004",),
        "rotate_secret",
        "runs a paid AI model",
        "Invokes generative models, which this identity does not normally do.",
        headline=18,
    ),
    kind_of_call(
        "model_unlock",
        "AI model access enabled",
        ("T1496.004", "AML.CS0030"),
        "reduce_privilege",
        "enables access to AI models",
        "Enables access to generative models: agreements, use-case forms, quota increases.",
    ),
    counted(
        "model_changed",
        "New AI models run",
        ("T1496.004", "AML.CS0030"),
        "rotate_secret",
        "AI models run for the first time",
        "Runs models that this identity never ran.",
        "log2(1 + number of models new to the identity); None without history.",
        lambda episode: first_used(episode, RUN),
        is_young,
        most=2,
        headline=19,
        on_ordinary_days=True,
        phrase=lambda episode: f"new AI model run: {listing([name for name, _ in first_used(episode, RUN)], 1)}",
    ),
    counted(
        "agent_tools",
        "AI agent calls new tools",
        ("AML.T0053", "NHI3:2025"),
        "reduce_privilege",
        "tools called for the first time",
        "An AI agent calls an MCP server, or a tool, that it never used: what it can reach has grown.",
        "log2(1 + number of servers and tools new to the agent); None without history.",
        _new_tools,
        is_young,
        most=2,
        headline=34,
        on_ordinary_days=True,
    ),
)


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
        step = STEP_OF.get(view.key.action.partition(":")[2])
        if step and view.action:
            steps.setdefault("test" if step == "abuse" and view.key.outcome != "success" else step, []).append(view)
    return steps


@signal(
    "episode",
    "LLMjacking",
    ("T1496.004", "AML.CS0030"),
    "rotate_secret",
    headline=5,
    evidence=lambda day: f"LLMjacking steps new to this identity: {', '.join(sorted(_steps(day), key=ORDER.index))}",
    backing=lambda day: behaviours_of([view for views in _steps(day).values() for view in views]),
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
    if view.key.identity.kind == AGENT:
        return True
    seen = view.baseline.own.dimension("service").values
    days = max((seen[name].days for name in SERVICES if name in seen), default=0)
    return days >= HALF * max(1, view.baseline.own.days)


def _agent_elsewhere(view: View) -> str:
    place = view.network_facts.owner or view.key.network
    is_client = view.agent > place_novelty(view)
    novelty = rarity(view, view.agent, "agent", view.key.agent) if is_client else place_rarity(view)
    return f"an AI agent's credential is used from {place} with {view.key.agent or 'no client'}, {novelty}"


@signal(
    "behaviour",
    "AI agent's key used from a new place",
    ("T1528", "NHI2:2025"),
    "rotate_secret",
    place=6,
    needs=("network",),
    evidence=_agent_elsewhere,
)
def agent_elsewhere(view: View) -> float | None:
    """The key or role of an AI agent works outside of its runtime: from another place, or with another client.

    Bits by which the operator, the network or the client is new for an agent; None without history.
    """
    if not _is_agent(view):
        return 0.0
    return max(place_novelty(view), view.agent) if view.baseline.own.days else None
