"""What `nhi elastic doctor --kibana` asks of Kibana: does the rule that makes alerts of ours run, and run well?"""

from __future__ import annotations

from typing import Any

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic import rules
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.kibana_setup import RULES

Json = dict[str, Any]
_GOOD = ("succeeded", "running", "going to run", "")
_NAME = "Kibana rule"


def rule(kibana: Kibana) -> tuple[str, str, str, str]:
    """Name, status, sentence and remedy. A Kibana that does not answer is a status of its own."""
    try:
        found = kibana.get(RULES, rule_id=rules.PROMOTION)
    except StoreError as error:
        return _NAME, "unknown", str(error), ""
    if found is None:
        return _NAME, "fail", "the rule that makes alerts is not installed", "run `nhi elastic setup --kibana URL`"
    if not found.get("enabled"):
        return _NAME, "fail", "the rule that makes alerts is disabled", "enable it in Security > Rules"
    last = (found.get("execution_summary") or {}).get("last_execution") or {}
    status, message = str(last.get("status", "")), str(last.get("message", ""))[:300]
    if status not in _GOOD:
        remedy = "look at it in Security > Rules; where its key has expired, save it once as a user"
        return _NAME, "fail", f"the rule's last run: {status}: {message}", remedy
    return _NAME, "ok", "the rule that makes alerts is enabled", ""
