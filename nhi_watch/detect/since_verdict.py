"""What changed since a verdict: why a notable is back although people had dealt with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nhi_watch.core.documents import NotableDocument, TimelineDocument
from nhi_watch.core.notable import clip, dimensions_of
from nhi_watch.core.status import unusual_calls

Document = NotableDocument
BACK = "Back since"
"""How the sentence begins that explains why a notable is listed again after a verdict."""
LONGEST = 900
_NAMED = 4
"""Values of each kind that are named."""
_VALUE = 60
"""Characters of a value that are shown."""


def sentence(document: Document, covered: Sequence[NotableDocument], verdict: str) -> str:
    """What of a notable is new, why it is back, and its likelihood when the verdict was given and now.

    Args:
        document: the notable as it stands: what no verdict covers.
        covered: its episodes that a verdict or an expected pattern covers, as they were then; last the one that was
            shown.
        verdict: by what they are covered.
    """
    judged = {signal["evidence"] for item in covered for signal in item["signals"]}
    reasons = [signal["evidence"] for signal in document["signals"] if signal["value"]]
    reason = next((text for text in reasons if text not in judged), next(iter(reasons), document["title"]))
    then = covered[-1]["likelihood"] if covered else 0.0
    known = f" Likelihood {then:g}% then, {document['likelihood']:g}% now." if then else ""
    fresh = [f"{name}: {_named(values)}" for name, values in _fresh(document, covered) if values]
    changes = f"New {'; '.join(fresh)}." if fresh else "No new identity, call, place or target: it happened again."
    return clip(f"{BACK} {verdict}. {changes} Because {clip(reason, 300)}.{known}", LONGEST)


def _fresh(document: Document, covered: Sequence[NotableDocument]) -> list[tuple[str, list[str]]]:
    """Identities, and calls, addresses and targets of its unusual calls, that none of the covered episodes has."""
    unusual = [entry for part in unusual_calls(document) for entry in part] if document["timeline"] else []
    before = [entry for item in covered for entry in item["timeline"]]
    targets = {target for item in covered for target in _targets(item, item["timeline"])}
    known = {name for item in covered for name in _identities(item)}
    return [
        ("identities", _without(_identities(document), known)),
        ("calls", _without((item["action"] for item in unusual), {item["action"] for item in before})),
        ("addresses", _without((item["source"] for item in unusual), {item["source"] for item in before})),
        ("targets", _without(_targets(document, unusual), targets)),
    ]


def _identities(document: Document) -> list[str]:
    return [item["name"] or item["id"] for item in (document["identity"], *document["members"])]


def _targets(document: Document, entries: Iterable[TimelineDocument]) -> list[str]:
    observed = (value["value"] for item in dimensions_of(document, "target") for value in item["observed"])
    return [*(target for entry in entries for target in entry.get("targets", ())), *observed]


def _without(values: Iterable[str], known: set[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value and value not in known]


def _named(values: Sequence[str]) -> str:
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(clip(value, _VALUE) for value in values[:_NAMED]) + more
