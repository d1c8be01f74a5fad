"""AKS's audit log: Azure's diagnostic log holds each record as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nhi_watch.intake.shapes.forms import Tree, at, dataset, hit, object_of, part
from nhi_watch.intake.shapes.values import listed

_AZURE = "azure.platformlogs"
FORWARDED = ("kube-audit", "kube-audit-admin")
"""Categories of the diagnostic log that are the cluster's audit log."""


def category(row: Mapping[str, Any]) -> object:
    """Which of Azure's diagnostic logs a record is of."""
    told = row.get("category")
    if told is not None or dataset(row) != _AZURE:
        return told
    document = hit(row)
    return listed(document.get(f"{_AZURE}.category") or at(document, f"{_AZURE}.category") or [None])[0]


def opened(found: Tree) -> Tree:
    """The record that AKS's diagnostic log holds as text, with the time of the log where it tells none.

    Raises:
        RejectError: bad_json, too_deep, not_object.
    """
    document = found if "category" in found else part(found, _AZURE)
    told = at(document, "properties.log")
    if document.get("category") not in FORWARDED or not isinstance(told, str):
        return found
    return {"timestamp": found.get("time") or found.get("@timestamp"), **object_of(told)}
