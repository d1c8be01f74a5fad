"""Indicators of bad addresses out of Elastic's threat-intelligence streams (`logs-ti_*`), beside those of files.

Only documents that tell an address and were written lately are asked for: an indicator without an end of its own counts
for 90 days after it was last seen, so older ones could not count any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from nhi_watch.context import reputation
from nhi_watch.context.reputation import Indicator, Reputation
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic import read
from nhi_watch.intake.shapes.json import parse

STREAMS = "logs-ti_*"
_ADDRESS = "threat.indicator.ip"
_SPAN = 2 * reputation.DECAY_DAYS * DAY
"""How far back documents are asked for: streams write an indicator again while they see it."""


def load(client: Elasticsearch, files: Sequence[Path], pattern: str, now: int) -> Reputation:
    """The reputation that files tell, and the streams of a pattern; "" for no streams.

    Raises:
        InputError: a file is wrong.
        StoreError: the streams cannot be read.
    """
    told = chain.from_iterable(map(reputation.read, files))
    streamed = _indicators(client, pattern, now) if pattern else iter(())
    return reputation.gather(chain(told, islice(streamed, reputation.LIMIT)))


def _indicators(client: Elasticsearch, pattern: str, now: int) -> Iterator[Indicator]:
    recent = {"range": {read.TIMESTAMP: {"gte": render(max(0, now - _SPAN))}}}
    wanted: dict[str, Any] = {"bool": {"filter": [{"exists": {"field": _ADDRESS}}, recent]}}
    for page in read.pages(client, pattern, wanted):
        for hit in page:
            yield reputation.of_document(parse(bytes(hit.source)))
