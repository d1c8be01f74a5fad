"""The steps by which stolen keys are turned into model invocations: probe, test, unlock, abuse, cover up."""

from __future__ import annotations

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.detect.features import EpisodeView, View
from nhi_watch.detect.signals._kit import behaviours_of

NAME = "llmjacking"
TITLE = "LLMjacking chain"
SCOPE = "episode"
FRAMEWORKS: tuple[str, ...] = ("T1496.004", "AML.CS0030")
CONTROL = "rotate_secret"
HEADLINE = 5


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


def value(episode: EpisodeView) -> float:
    """Number of distinct steps that are new for the identity; a single probe counts nothing."""
    steps = _steps(episode)
    return float(len(steps)) if set(steps) - {"probe"} else 0.0


def evidence(episode: EpisodeView) -> str:
    """One sentence."""
    return f"steps of model abuse that are new here: {', '.join(sorted(_steps(episode), key=ORDER.index))}"


def backing(episode: EpisodeView) -> list[Behaviour]:
    """The steps."""
    return behaviours_of([view for views in _steps(episode).values() for view in views])
