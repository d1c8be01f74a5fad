"""What changed since a verdict: why a notable is back although people had dealt with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nhi_watch.core.life import odd_calls
from nhi_watch.core.notable import clip, dimensions_of

Document = Mapping[str, Any]
BACK = "Back since"
"""How the sentence begins that explains why a notable is listed again after a verdict."""
LONGEST = 900
_NAMED = 4
"""Values of each kind that are named."""
_VALUE = 60
"""Characters of a value that are shown."""


def sentence(document: Document, covered: Sequence[Document], verdict: str) -> str:
    """Why a notable is back, its likelihood then and now, and what of it is new.

    Args:
        document: the notable as it stands: what no verdict covers.
        covered: its episodes that a verdict or an expected pattern covers, as they were then.
        verdict: by what they are covered.
    """
    reason = next((one["evidence"] for one in document["signals"] if one["value"]), document["title"])
    then = max((one["likelihood"] for one in covered), default=0.0)
    known = f" Likelihood {then:g}% then, {document['likelihood']:g}% now." if then else ""
    fresh = [f"{name}: {_named(values)}" for name, values in _fresh(document, covered) if values]
    changes = f"New {'; '.join(fresh)}." if fresh else "No new identity, call, place or target: it happened again."
    return clip(f"{BACK} {verdict}, because {clip(reason, 300)}.{known} {changes}", LONGEST)


def _fresh(document: Document, covered: Sequence[Document]) -> list[tuple[str, list[str]]]:
    """Identities, and calls, places and targets of its unusual calls, that none of the covered episodes has."""
    unusual = [entry for part in odd_calls(document) for entry in part] if document["timeline"] else []
    before = [entry for one in covered for entry in one["timeline"]]
    targets = {target for one in covered for target in _targets(one, one["timeline"])}
    known = {name for one in covered for name in _identities(one)}
    return [
        ("identities", _without(_identities(document), known)),
        ("calls", _without((one["action"] for one in unusual), {one["action"] for one in before})),
        ("places", _without((one["source"] for one in unusual), {one["source"] for one in before})),
        ("targets", _without(_targets(document, unusual), targets)),
    ]  # fmt: skip


def _identities(document: Document) -> list[str]:
    return [one["name"] or one["id"] for one in (document["identity"], *document["members"])]


def _targets(document: Document, entries: Iterable[Document]) -> list[str]:
    observed = (value["value"] for one in dimensions_of(document, "target") for value in one["observed"])
    return [*(target for entry in entries for target in entry.get("targets", ())), *observed]


def _without(values: Iterable[str], known: set[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value and value not in known]


def _named(values: Sequence[str]) -> str:
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(clip(value, _VALUE) for value in values[:_NAMED]) + more
