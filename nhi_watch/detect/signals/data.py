"""What happens to data: opened, shared, taken out in one go, deleted; and to mailboxes."""

from __future__ import annotations

from nhi_watch.detect.features import View
from nhi_watch.detect.signals._kit import behaviour_signal, call_sentence, in_class, marked, marks, place_news

OPENINGS = {"shared_outside": 2.0, "open_ingress": 1.0, "public": 2.0}


def _opened_outside_evidence(view: View) -> str:
    how = ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in OPENINGS)
    return call_sentence(view, f"gives outsiders access ({how})")


@behaviour_signal(
    "Access given to outsiders",
    ("T1537",),
    control="reduce_privilege",
    headline=11,
    evidence=_opened_outside_evidence,
)
def opened_outside(view: View) -> float:
    """Something was opened to another account, to everybody or to the whole internet.

    Weight of the widest opening, plus the bits by which the call is new; 0 where nothing was opened.
    """
    widest = max((OPENINGS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return widest + view.action if widest else 0.0


@behaviour_signal(
    "Data sharing changed",
    ("T1537",),
    control="reduce_privilege",
    headline=24,
    evidence=lambda view: call_sentence(view, "changes who can access data"),
)
def sharing(view: View) -> float:
    """Changes who outside can access data.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "sharing")


@behaviour_signal(
    "Bulk export",
    ("T1567", "T1530"),
    control="reduce_privilege",
    headline=13,
    evidence=lambda view: call_sentence(view, "exports data in bulk"),
)
def mass_export(view: View) -> float:
    """A full mailbox, database, drive or list of secrets is exported at once.

    Bits by which the call, or the place that it comes from, is new, where it exports in bulk.
    """
    return max(view.action, place_news(view)) if "mass_export" in view.shape.traits else 0.0


@behaviour_signal(
    "Data or resources deleted",
    ("T1485",),
    control="reduce_privilege",
    headline=16,
    evidence=lambda view: call_sentence(view, "deletes data or resources"),
)
def destruction(view: View) -> float:
    """Deletes data or capacity.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "destruction")


MARKS = {"other_mailbox": 1.0, "hides_mail": 1.0, "mailbox_grant": 1.0, "mail_forwarding": 2.0}
"""What was done to a mailbox; mail that leaves weighs more."""


@behaviour_signal(
    "Mailbox access or rules changed",
    ("T1098",),
    control="reduce_privilege",
    headline=12,
    evidence=lambda view: call_sentence(view, f"accesses a mailbox or changes its rules ({marks(view, MARKS)})"),
)
def mailbox_access(view: View) -> float:
    """Opens somebody's mailbox, sends its mail elsewhere, or hides what arrives.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, MARKS)
