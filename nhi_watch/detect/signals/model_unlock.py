"""Opens access to generative models: agreements, use-case forms, quota increases."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "model_unlock"
TITLE = "Model access unlocked"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1496.004", "AML.CS0030")
CONTROL = "reduce_privilege"


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "model_unlock")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "opens access to models")
