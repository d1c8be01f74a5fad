"""A native CloudTrail record as Splunk and Elastic would hold it: written from their documents, for tests."""

from __future__ import annotations

import json
from typing import Any

from nhi_watch_lab.evaluation.forms import ecs, ecs_flat, java, splunk_fields

Tree = dict[str, Any]
__all__ = ["ecs", "ecs_flat", "ecs_hit", "ecs_original", "java", "splunk_fields", "splunk_raw"]


def splunk_raw(record: Tree) -> Tree:
    """An event of which only `_raw` is asked for."""
    return {"_raw": json.dumps(record), "_time": "1700000000", "sourcetype": "aws:cloudtrail"}


def ecs_hit(record: Tree) -> Tree:
    """A search hit that holds `fields`, every value in a list, and no `_source`."""
    flat = ecs_flat(record)
    resources = flat.pop("aws.cloudtrail.resources", [])
    fields = {name: value if isinstance(value, list) else [value] for name, value in flat.items()}
    for leaf in ("account_id", "arn"):
        values = [r[leaf] for r in resources if isinstance(r, dict) and leaf in r]
        if values:
            fields["aws.cloudtrail.resources." + leaf] = values
    return {"_index": ".ds-logs-aws.cloudtrail-default-000001", "_id": "x", "fields": fields}


def ecs_original(record: Tree) -> Tree:
    """A document that preserves the original event."""
    document = ecs(record)
    document["event"]["original"] = json.dumps(record)
    return document
