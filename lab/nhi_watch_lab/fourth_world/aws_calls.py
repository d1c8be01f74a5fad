"""AWS API calls: service, name, R(ead) or W(rite) with D for data events, request parameters, then > response.

Words in braces are the machine's own things (stock) or are made when the record is written."""
from typing import Dict, List, NamedTuple, Tuple

from . import aws_core, aws_more


class AwsCall(NamedTuple):
    service: str
    name: str
    write: bool
    data: bool
    request: List[Tuple[str, str]]
    response: List[Tuple[str, str]]


def _pairs(words: List[str]) -> List[Tuple[str, str]]:
    return [(k, v.replace("~", " ")) for k, v in (word.split("=", 1) for word in words)]


def _parse(text: str) -> Dict[str, AwsCall]:
    table: Dict[str, AwsCall] = {}
    for line in filter(None, text.splitlines()):
        request, _, response = line.partition(" > ")
        service, name, flags, *words = request.split()
        table[f"{service}:{name}"] = AwsCall(service, name, flags[0] == "W", "D" in flags, _pairs(words), _pairs(response.split()))
    return table


AWS_CALLS = _parse(aws_core.TEXT + aws_more.TEXT)
TEMPLATES: Dict[str, str] = {name: " ".join(v for _, v in call.request + call.response) for name, call in AWS_CALLS.items()}
