"""Bad addresses out of Elastic's threat-intelligence streams, on real servers: what counts, and what does not."""

from __future__ import annotations

from pathlib import Path

from elasticsearch.helpers import bulk

from elastic_server import Server
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.hosts.elastic import read

NOW = parse("2026-03-02T12:00:00Z")
TODAY = NOW // DAY
STREAM = "logs-ti_nhi.test-default"
MAPPINGS = {"properties": {"@timestamp": {"type": "date"}, "threat.indicator.ip": {"type": "ip"}}}


def told(ago: int, address: str, **more: object) -> dict[str, object]:
    """A document of a stream, written some days ago."""
    seen = render(NOW - ago * DAY)
    indicator = {"ip": address, "provider": "feed", "type": "ipv4-addr", "last_seen": seen}
    return {"@timestamp": seen, "threat": {"indicator": {**indicator, **more}}}


def test_streams_tell_addresses_beside_those_of_files(elastic: Server, tmp_path: Path) -> None:
    documents = [
        told(1, "198.51.100.7"),
        told(80, "198.51.100.8"),
        told(95, "198.51.100.9"),
        told(400, "198.51.100.10"),
        told(1, "198.51.100.11", confidence="Low"),
        told(1, "10.0.0.1"),
        {"@timestamp": render(NOW), "threat": {"indicator": {"type": "url"}}},
        {**told(1, "198.51.100.12"), "opencti": {"indicator": {"valid_until": render(NOW - DAY)}}},
    ]
    client = elastic.client
    client.indices.create(index=STREAM, mappings=MAPPINGS)
    try:
        bulk(client, ({"_index": STREAM, "_source": document} for document in documents), refresh=True)
        path = tmp_path / "list.txt"
        path.write_text("203.0.113.9\n", encoding="utf-8")
        reputation = read.load(client, [path], read.STREAMS, NOW)
    finally:
        client.indices.delete(index=STREAM)
    listed = [n for n in range(7, 13) if reputation.find(f"198.51.100.{n}", TODAY)]
    assert listed == [7, 8] and reputation.find("203.0.113.9", TODAY)
    assert reputation.refused == {"private": 1, "weak": 1} and reputation.read == 7


def test_no_stream_is_no_mistake(elastic: Server) -> None:
    assert len(read.load(elastic.client, [], "logs-ti_none*", NOW).table) == 0
    assert len(read.load(elastic.client, [], "", NOW).table) == 0
