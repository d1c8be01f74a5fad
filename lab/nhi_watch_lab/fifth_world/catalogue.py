"""Reads the catalogues into Op objects."""
from __future__ import annotations

import json
import re
from typing import Any, Dict, List

from . import ops_aws, ops_aws2, ops_other
from .model import Op

READ_VERBS = ("get", "list", "watch")


def _lines(text: str) -> List[str]:
    """The lines of a table; a line that starts with blanks continues the one before."""
    return re.sub(r"\n +", "", text.strip("\n")).split("\n")


def _rows(text: str) -> List[List[str]]:
    return [line.split("|") for line in _lines(text)]


def _json(text: str) -> Any:
    return json.loads(text) if text else None


def _aws() -> List[Op]:
    ops = []
    for text in (ops_aws.COMPUTE, ops_aws2.IDENTITY, ops_aws2.STORAGE, ops_aws2.SECURITY):
        for line in _lines(text):
            row = (line.replace(", @message | limit", ", @message # limit").split("|") + ["", "", "", ""])[:5]
            params = _json(row[2].replace("# limit", "| limit"))
            ops.append(Op(row[0], "aws", "r" in row[1], "d" in row[1], params, _json(row[3]), row[4]))
    return ops


def _others() -> List[Op]:
    ops = []
    for product, text in (("gcp", ops_other.GCP), ("azure", ops_other.AZURE), ("entra", ops_other.ENTRA), ("m365", ops_other.M365), ("github", ops_other.GITHUB)):
        for row in _rows(text):
            row = (row + ["", "", "", ""])[:5]
            ops.append(Op(row[0], product, "r" in row[1], "d" in row[1], _json(row[2]), row[3], row[4]))
    for product, text in (("okta", ops_other.OKTA), ("snowflake", ops_other.SNOWFLAKE), ("vault", ops_other.VAULT)):
        for row in _rows(text):
            ops.append(Op(row[0], product, "r" in row[1], False, row[2], None, row[3]))
    return ops


CATALOGUE: Dict[str, Op] = {op.key: op for op in _aws() + _others()}


def find(key: str) -> Op:
    """The operation of a key; Kubernetes keys ('k8s/verb resource.group/sub') describe themselves."""
    op = CATALOGUE.get(key)
    if op is None:
        if not key.startswith("k8s/"):
            raise KeyError(key)
        verb, _, rest = key[4:].partition(" ")
        op = CATALOGUE[key] = Op(key, "kubernetes", verb in READ_VERBS, False, verb, None, rest)
    return op
