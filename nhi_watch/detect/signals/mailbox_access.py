"""Opens somebody's mailbox, sends its mail elsewhere, or hides what arrives."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import call_sentence, marked, marks

NAME = "mailbox_access"
TITLE = "Mailbox opened or hidden"
SCOPE = "behaviour"
FRAMEWORKS: tuple[str, ...] = ("T1098",)
CONTROL = "reduce_privilege"
HEADLINE = 12

MARKS = {"other_mailbox": 1.0, "hides_mail": 1.0, "mailbox_grant": 1.0, "mail_forwarding": 2.0}
"""What was done to a mailbox; mail that leaves weighs more."""


def value(view: View) -> float:
    """Weight of the widest mark, plus the bits by which the call is new; 0 without a mark."""
    return marked(view, MARKS)


def evidence(view: View) -> str:
    """One sentence."""
    return call_sentence(view, f"opens or hides a mailbox ({marks(view, MARKS)})")
