"""The text that the report's ES|QL looks for, asked of real servers: it finds the records and no others.

The servers of the tests are made of jars that have neither ES|QL nor KQL; QSTR is a `query_string` query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from elastic_server import Server
from nhi_watch.report.queries import queries
from notable_samples import altered, documents

INDEX = "nhi-test-hunting"


@pytest.fixture
def filled(elastic: Server) -> Iterator[Server]:
    for number in range(6):
        body = {"event": {"id": f"rec-{number}:x"}, "user": {"id": "deploy-bot" if number < 4 else "deploy"}}
        elastic.client.index(index=INDEX, document=body)
    elastic.client.indices.refresh(index=INDEX)
    yield elastic
    elastic.client.indices.delete(index=INDEX)


@pytest.mark.both_versions("queries are parsed by the server")
def test_the_text_finds_the_records_and_what_the_identity_did(filled: Server) -> None:
    texts = dict(queries(altered({**documents()[0], "record_ids": ["rec-1:x", "rec-2:x"]})))
    for what, count in (("the records behind it", 2), ("everything it did in that time", 4)):
        match = re.search(r'QSTR\(("(?:[^"\\]|\\.)*")\)', texts[what]["ES|QL"])
        assert match
        answer = filled.client.search(index=INDEX, query={"query_string": {"query": json.loads(match[1])}})
        assert answer["hits"]["total"]["value"] == count
