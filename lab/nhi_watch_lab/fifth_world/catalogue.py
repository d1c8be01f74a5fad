"""Reads the catalogues into Op objects."""
from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List

from nhi_watch_lab.fifth_world.model import Op
from nhi_watch_lab.tables import sections, text

READ_VERBS = ("get", "list", "watch")


def _lines(table: str) -> List[str]:
    """The lines of a table; a line that starts with blanks continues the one before."""
    return re.sub(r"\n +", "", table.strip("\n")).split("\n")


def _cells(line: str) -> List[str]:
    return (line.split("|") + ["", "", "", ""])[:5]


def _json(cell: str) -> Any:
    return json.loads(cell) if cell else None


def _ops() -> Iterator[Op]:
    """AWS: service:Name | r(ead) w(rite) d(ata event) | request parameters | response elements | resource type:variable."""
    for line in _lines(text(__file__, "aws.txt")):
        row = _cells(line.replace(", @message | limit", ", @message # limit"))
        yield Op(row[0], "aws", "r" in row[1], "d" in row[1], _json(row[2].replace("# limit", "| limit")), _json(row[3]), row[4])
    for product, lines in sections(__file__, "others.txt").items():
        for row in map(_cells, _lines(lines)):
            if product in ("okta", "snowflake", "vault"):
                yield Op(row[0], product, "r" in row[1], False, row[2], None, row[3])
            else:
                yield Op(row[0], product, "r" in row[1], "d" in row[1], _json(row[2]), row[3], row[4])


CATALOGUE: Dict[str, Op] = {op.key: op for op in _ops()}


def find(key: str) -> Op:
    """The operation of a key; Kubernetes keys ('k8s/verb resource.group/sub') describe themselves."""
    op = CATALOGUE.get(key)
    if op is None:
        if not key.startswith("k8s/"):
            raise KeyError(key)
        verb, _, rest = key[4:].partition(" ")
        op = CATALOGUE[key] = Op(key, "kubernetes", verb in READ_VERBS, False, verb, None, rest)
    return op
