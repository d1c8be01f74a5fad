"""AKS's audit log: Azure's diagnostic log holds each record as text, which Elastic's pipeline may have opened."""

from __future__ import annotations

from nhi_watch.intake.shapes.forms import Tree, at, object_of, part
from nhi_watch.intake.shapes.microsoft import PLATFORM

FORWARDED = ("kube-audit", "kube-audit-admin")
"""Categories of the diagnostic log that are the cluster's audit log."""


def opened(found: Tree) -> Tree:
    """The record that AKS's diagnostic log holds, with the time of the log where it tells none.

    Raises:
        RejectError: bad_json, too_deep, not_object.
    """
    document = found if "category" in found else part(found, PLATFORM)
    told = at(document, "properties.log")
    if document.get("category") not in FORWARDED or not isinstance(told, (str, dict)):
        return found
    inside = told if isinstance(told, dict) else object_of(told)
    return {"timestamp": found.get("time") or found.get("@timestamp"), **inside}
