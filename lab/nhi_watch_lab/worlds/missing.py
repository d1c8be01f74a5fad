"""Records as pipelines leave them that trim or lose fields."""

from __future__ import annotations

from nhi_watch_lab.simulator.records import Record


def without(record: Record, lacks: tuple[str, ...]) -> Record:
    """The same record of CloudTrail without `agent`, `session` or `read_only`.

    >>> without({"userAgent": "x", "readOnly": True, "userIdentity": {}}, ("agent",))
    {'readOnly': True, 'userIdentity': {}}
    """
    if not lacks:
        return record
    kept = dict(record)
    if "agent" in lacks:
        kept.pop("userAgent", None)
    if "read_only" in lacks:
        kept.pop("readOnly", None)
    if "session" in lacks:
        kept["userIdentity"] = _without_session(record["userIdentity"])
    return kept


def _without_session(identity: Record) -> Record:
    """No temporary key and nothing on when and how the session began; who it belongs to stays."""
    kept = dict(identity)
    if str(kept.get("accessKeyId", "")).startswith("ASIA"):
        del kept["accessKeyId"]
    context = kept.pop("sessionContext", None)
    if context and "sessionIssuer" in context:
        kept["sessionContext"] = {"sessionIssuer": context["sessionIssuer"]}
    return kept
