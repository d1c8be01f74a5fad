"""What is said of a record that no source knows: what it seems to be, and what is read that is near to it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.shapes.forms import Tree, dataset
from nhi_watch.intake.shapes.values import text

_OTLP = {"resourceSpans": "traces", "resourceMetrics": "metrics"}
_SHOWN = 6
_AZURE = "the activity log, storage, key vaults, AKS's audit log, and Entra ID's logs that name who acts"


def refusal(record: Mapping[str, Any], tree: Tree) -> RejectError:
    """How a record of no source is refused: Google Cloud's logs of flows or applications tell nobody's acts, and are
    none of our business; what else it is, nobody knows.

    >>> refusal({}, {"logName": "projects/p/logs/compute.googleapis.com%2Fvpc_flows", "insertId": "1"}).reason
    'other_log'
    >>> refusal({}, {"logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "insertId": "1"}).reason
    'unknown_source'
    """
    audit, log = "cloudaudit.googleapis.com", text(tree.get("logName"))
    if "logName" not in tree or "insertId" not in tree or audit in log:
        return RejectError("unknown_source", told(record, tree))
    name = log.rpartition("/")[2][:60]
    return RejectError("other_log", f"Google Cloud's log {name!r} is no audit log: read are those of {audit}")


def told(record: Mapping[str, Any], tree: Tree) -> str:
    """Why a record, whose own tree is given, is of no source, and what to do.

    >>> told({}, {"resourceSpans": []})
    'OpenTelemetry traces, of which nothing is read: send the logs (resourceLogs)'
    >>> told({"event": {"dataset": "aws.vpcflow"}}, {})[:85]
    "no source knows the dataset 'aws.vpcflow'; near to it are read: aws.cloudtrail, aws.g"
    """
    kind = next((kind for name, kind in _OTLP.items() if name in tree), "")
    if kind:
        return f"OpenTelemetry {kind}, of which nothing is read: send the logs (resourceLogs)"
    if "TimeGenerated" in tree or "TimeGenerated [UTC]" in tree:
        return "a row of Log Analytics that does not say of which table: export it with its columns Type and TenantId"
    category = text(tree.get("category"), 60)
    if category and ("resourceId" in tree or "tenantId" in tree):
        return f"Azure's category {category!r} is not read: read are {_AZURE}"
    known_by = (("dataset", dataset(record)), ("sourcetype", text(record.get("sourcetype"))))
    return next(filter(None, (_by_name(*one) for one in known_by)), "") or _by_fields(tree)


def _by_fields(tree: Tree) -> str:
    names = ", ".join(str(name)[:40] for name in list(tree)[:_SHOWN])
    return f"no source knows it (its fields: {names}); if it is of a log that we read, name it by --source"


@lru_cache(maxsize=256)
def _by_name(kind: str, name: str) -> str:
    if not name:
        return ""
    known, (package, dot, _) = _known(kind), name.partition("." if kind == "dataset" else ":")
    near = [one for one in known if one.startswith(package + dot)] or get_close_matches(name, known, 3, 0.6)
    shown = "near to it are read: " + ", ".join(near[:_SHOWN]) if near else "nothing near to it is read"
    return f"no source knows the {kind} {name[:60]!r}; {shown}"


@cache
def _known(kind: str) -> tuple[str, ...]:
    """Datasets of Elastic's integrations, or Splunk's sourcetypes."""
    sources = registry.modules("nhi_watch.intake.sources")
    if kind == "sourcetype":
        return tuple(name for source in sources for name in source.SPLUNK_SOURCETYPES)
    indices = (index for source in sources for index in source.ELASTIC_INDICES if index.startswith("logs-"))
    return tuple(sorted(index[len("logs-") :].rpartition("-")[0] for index in indices))
