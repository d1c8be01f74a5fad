"""Opens a way into hosts: commands, sessions, serial consoles."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, in_class

NAME = "remote_access"
TITLE = "Remote access to hosts"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1021.007",)
CONTROL = "reduce_privilege"
HEADLINE = 14


def value(view: View) -> float:
    """Bits by which the call is new for the identity, where it is of this kind."""
    return in_class(view, "remote_access")


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, "gives access to hosts")
