"""Odd sources and indices that change between or during runs, on real servers: what is there is read, once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import pytest
from elasticsearch.helpers import bulk

from ecs_shape import document, load, mappings
from elastic_server import Server, nhi
from elastic_story import records
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic import read, report, setup, store
from nhi_watch.hosts.elastic.read import SOURCES, Item
from nhi_watch.report.queries import originals_of
from nhi_watch_lab.evaluation.forms import ocsf as mapped
from test_elastic_run import SINCE, Place, essence, fill, from_files, place
from test_sources import SAMPLES, outcome_of

__all__ = ["place"]

Tree = dict[str, Any]
KEPT = ("original", "ingested")


@lru_cache
def told() -> tuple[Tree, ...]:
    return tuple(records())


@pytest.fixture(scope="session")
def wanted() -> list[NotableDocument]:
    notables = from_files(told())
    assert len(notables) >= 2, "there must be something to compare"
    return notables


def ingested() -> str:
    return render(int(time.time()) - 60)


def plain_index(place: Place, name: str, changed: dict[str, Tree] | None = None) -> None:
    """An ordinary index beside the stream, some of whose fields are mapped otherwise."""
    root = mappings()
    for field, kind in (changed or {}).items():
        *steps, last = field.split(".")
        node = root["properties"]
        for step in steps:
            node = node[step]["properties"]
        node[last] = kind
    place.client.indices.create(index=name, mappings=root, settings={"number_of_replicas": 0})


def halves(place: Place, changed: dict[str, Tree] | None = None) -> str:
    """The records in two ordinary indices, of which the second is mapped otherwise; returns their pattern."""
    first, second = f"{place.source}.a", f"{place.source}.b"
    place.client.indices.delete_index_template(name=place.source)
    plain_index(place, first)
    plain_index(place, second, changed)
    built = [document(r, False, ingested()) for r in told()]
    load(place.client, first, built[: len(built) // 2])
    load(place.client, second, built[len(built) // 2 :])
    return f"{place.source}.*"


# ---- times


def test_what_is_dated_ahead_is_read_once_its_day_has_come_unless_it_is_known_when_it_came(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the time of ingestion a document goes by its own; what came before it happened stays held aside."""
    late = int(time.time()) + 3 * DAY
    ahead = [{**record, "eventTime": render(late)} for record in told()[:3]]
    load(place.client, place.source, (document(record, False, None) for record in ahead[:2]))
    load(place.client, place.source, [document(ahead[2], False, ingested())])
    assert place.run()["rejected"] == {"ahead": 1}
    real = store.now
    monkeypatch.setattr(store, "now", lambda *where: real(*where) + 3 * DAY + 60)
    done = place.run()
    assert done["events"] == 2


# ---- shapes


def test_documents_with_the_original_and_no_fields_are_read_from_it(
    place: Place, wanted: list[NotableDocument]
) -> None:
    built = (document(r, True, ingested()) for r in told())
    load(
        place.client,
        place.source,
        ({"@timestamp": d["@timestamp"], "event": {name: d["event"][name] for name in KEPT}} for d in built),
    )
    place.run(since=SINCE)
    place.stand(wanted)


@pytest.mark.parametrize("event", [None, {"ingested": ingested()}], ids=["message", "message and time"])
def test_raw_records_in_a_stream_that_is_named_for_them_need_no_dataset(
    place: Place, wanted: list[NotableDocument], event: Tree | None
) -> None:
    name = f"{place.source}.a"
    place.client.indices.create(index=name, mappings={"dynamic": False, "properties": mappings()["properties"]})
    kept = {"event": event} if event else {}
    load(place.client, name, ({"@timestamp": r["eventTime"], **kept, "message": json.dumps(r)} for r in told()))
    place.run(pattern=name, since=SINCE)
    place.stand(wanted)


def test_a_report_finds_raw_records_also_where_their_text_is_not_indexed(
    place: Place, wanted: list[NotableDocument]
) -> None:
    name = f"{place.source}.text"
    place.client.indices.create(index=name, mappings={"dynamic": False, "properties": {"@timestamp": {"type": "date"}}})
    load(place.client, name, ({"@timestamp": r["eventTime"], "message": json.dumps(r)} for r in told()))
    for notable in wanted:
        asked = set(originals_of(notable))
        result = {each["id"] for each in report.of(place.client, [name], notable, asked)}
        assert asked and result == asked
    place.client.indices.delete(index=name)


@pytest.mark.parametrize("fields", [{}, {"event": {"dataset": "custom.app"}}, {"event": {"dataset": "okta.system"}}])
def test_what_a_log_of_another_product_quotes_is_no_record_of_cloudtrail(place: Place, fields: Tree) -> None:
    """The stream's name and the dataset say whose the log is; the text may quote anything."""
    names = {True: f"logs-okta.system-{place.namespace}q", False: f"app-{place.namespace}"}
    for name in names.values():
        load(place.client, name, [{"@timestamp": told()[0]["eventTime"], **fields, "message": json.dumps(told()[0])}])
    done = place.run(pattern=",".join(names.values()), since=SINCE)
    place.client.indices.delete(index=list(names.values()))
    assert (done["read"], done["events"]) == (2, 0)


def test_a_run_that_understands_nothing_fails_and_says_why(place: Place) -> None:
    name = f"app-{place.namespace}"
    load(place.client, name, [{"@timestamp": r["eventTime"], "message": json.dumps(r)} for r in told()[:9]])
    flags = ("--url", place.url, "--namespace", place.namespace, "--index", name, "--lag", "0")
    done = nhi("run", *flags, "--since", render(SINCE))
    why = "none of 9 documents could be read (9 unknown_source); unknown_source: no source recognizes it (its fields: "
    assert done.returncode == 2 and why in done.stdout
    (beat,) = place.written()
    assert beat["event"]["outcome"] == "failure" and why in beat["message"]
    built = [document(r, True, ingested()) for r in told()[:8]]
    load(place.client, name, built)
    done = nhi("run", *flags, "--since", render(SINCE))
    assert done.returncode == 0 and "warning: only 8 of 17 documents could be read (9 unknown_source)" in done.stdout
    beat = place.written()[-1]
    assert beat["event"]["outcome"] == "success" and "only 8 of 17" in beat["message"]
    place.client.indices.delete(index=name)


def test_documents_with_neither_original_nor_fields_are_rejected_and_named(place: Place) -> None:
    bare = [{"@timestamp": "2025-03-03T00:00:00Z", "event": {"ingested": ingested(), "kind": "event"}}] * 3
    load(place.client, place.source, bare)
    done = place.run(since=SINCE)
    assert (done["read"], done["parsed"], sum(done["rejected"].values())) == (3, 0, 3)
    assert len({reject["id"] for reject in done["rejects"]}) == 3


def test_what_security_lake_holds_in_ocsf_gives_the_same_notables_and_findings(
    place: Place, wanted: list[NotableDocument]
) -> None:
    name = f"{place.source}.a"
    when = {"type": "date"}
    dates = {"@timestamp": when, "event": {"properties": {"ingested": when, "dataset": {"type": "keyword"}}}}
    place.client.indices.create(index=name, mappings={"dynamic": False, "properties": dates})
    event = {"dataset": "amazon_security_lake.iam", "ingested": ingested()}
    load(place.client, name, ({"@timestamp": r["eventTime"], "event": event, "ocsf": mapped(r)} for r in told()))
    place.run(pattern=name, since=SINCE, ocsf=True)
    # a finding in OCSF takes its part of an alert's 20 kB, so signals and timeline may be cut shorter
    kept = itemgetter("id", "likelihood", "severity", "title", "record_count")
    assert [*map(kept, place.notables())] == [*map(kept, wanted)]
    assert [alert["ocsf"]["finding_info"]["uid"] == alert["event"]["id"] for alert in place.alerts()] == [True] * len(
        wanted
    )


@pytest.mark.both_versions("what templates and mappings do depends on the version")
@pytest.mark.parametrize(
    "changed",
    [
        {"event.ingested": {"type": "keyword"}},
        {"source.ip": {"type": "keyword"}, "event.action": {"type": "text"}, "cloud.region": {"type": "text"}},
    ],
    ids=["time of ingestion", "fields"],
)
def test_indices_that_map_fields_otherwise_are_read_as_well(
    place: Place, wanted: list[NotableDocument], changed: dict[str, Tree]
) -> None:
    place.run(pattern=halves(place, changed), since=SINCE)
    place.stand(wanted)  # what an alert keeps of the largest is less, for it has 20 kB at most


@pytest.mark.both_versions("what templates and mappings do depends on the version")
def test_an_index_with_an_odd_mapping_loses_no_late_documents_of_others_in_any_pattern(place: Place) -> None:
    """Beside a healthy index in each of the default patterns there is one that maps `event.ingested` otherwise."""
    patterns = [name.replace("*", f"*{place.namespace}x*") for name in setup.SOURCE_INDICES.split(",")]
    names = {
        f"{pattern.replace('*', '')}-{end}": ("date", ("keyword", "text")[number % 2])[end == "odd"]
        for number, pattern in enumerate(patterns)
        for end in ("date", "odd")
    }
    for kind in ("date", "keyword", "text"):
        fields = {"@timestamp": {"type": "date"}, "event": {"properties": {"ingested": {"type": kind}}}}
        chosen = [name for name, of in names.items() if of == kind]
        body = {"mappings": {"dynamic": False, "properties": fields}}
        place.client.indices.put_index_template(
            name=f"{place.namespace}{kind}", index_patterns=chosen, priority=400, template=body
        )
    now, fresh = int(time.time()), iter(told())

    def arrive(ago: int) -> None:
        records = ({**next(fresh), "eventTime": render(now - ago - 300)} for _ in names)
        built = (
            {"_index": name, "_source": document(record, True, render(now - ago))}
            for name, record in zip(names, records)
        )
        bulk(place.client, built, refresh=True)

    arrive(60)
    pattern = ",".join(patterns)
    first = place.run(pattern=pattern)
    assert (first["read"], first["unread"]) == (len(names), [])
    arrive(660)
    result = place.run(pattern=pattern)
    place.client.indices.delete(index=list(names))
    assert (result["read"], result["late"], result["duplicates"]) == (len(names), len(names), 0)


def test_an_index_whose_timestamp_is_no_date_is_named_and_keeps_no_other_from_being_read(place: Place) -> None:
    plain_index(place, f"{place.source}.a")
    plain_index(place, f"{place.source}.b", {"@timestamp": {"type": "keyword"}})
    for end in "ab":
        load(place.client, f"{place.source}.{end}", [document(r, True, ingested()) for r in told()[:10]])
    done = place.run(pattern=f"{place.source}.*", since=SINCE)
    assert done.get("read") == 10 and [each["index"] for each in done["unread"]] == [f"{place.source}.b"]


def test_indices_that_are_dated_in_a_format_of_their_own_are_read(place: Place) -> None:
    plain_index(place, f"{place.source}.a", {"event.ingested": {"type": "date", "format": "epoch_millis"}})
    built = document(told()[0], True, ingested())
    built["event"]["ingested"] = int(time.time() - 60) * 1000
    load(place.client, f"{place.source}.a", [built])
    assert place.run(pattern=f"{place.source}.*", since=SINCE)["read"] == 1


def test_a_document_that_tells_no_time_belongs_to_the_first_span(place: Place) -> None:
    name = f"{place.source}.a"
    date = {"properties": {"event": {"properties": {"ingested": {"type": "date"}}}}}
    place.client.indices.create(index=name, mappings=date)
    place.client.index(index=name, document={"event": {"ingested": ingested()}}, refresh=True)
    window = read.Window(name, 0, int(time.time()))
    spans = (read.TimeSpan(None, 3600), read.TimeSpan(3600, None), read.TimeSpan())
    queries = [read.query(window, read.clocks(place.client, name), span) for span in spans]
    assert [place.client.count(index=name, query=query)["count"] for query in queries] == [1, 0, 1]


# ---- rollover


def test_a_rollover_of_the_alerts_between_a_killed_run_and_the_next_makes_none_twice(
    place: Place, wanted: list[NotableDocument]
) -> None:
    fill(place, told())
    place.killed("confirm")
    assert len(place.alerts()) == len(wanted), "they are written, and the state does not know it"
    place.client.indices.rollover(alias=f"logs-nhi.alerts-{place.namespace}")
    place.run(wait=10.0)
    place.stand(wanted)
    assert len(place.alerts()) == len(wanted)
    assert len(place.client.indices.get(index=f".ds-logs-nhi.alerts-{place.namespace}-*")) == 2


def test_a_rollover_of_the_source_between_two_runs_loses_nothing(place: Place, wanted: list[NotableDocument]) -> None:
    cut = len(told()) // 2
    fill(place, told()[:cut])
    place.run(since=SINCE)
    place.client.indices.rollover(alias=place.source)
    fill(place, told()[cut:])
    place.run()
    place.stand(wanted)


# ---- indices that are taken away in the middle


def after_the_first_page(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Let something happen once, when the first page has been read."""
    real, waiting = read.pages, [happens]

    def pages(*arguments: Any) -> Iterator[Any]:
        for hits in real(*arguments):
            yield hits
            while waiting:
                waiting.pop()()

    monkeypatch.setattr(read, "pages", pages)


@pytest.mark.parametrize("deed", ["close", "delete"])
def test_an_index_that_goes_while_it_is_read_takes_only_its_own_documents_along(
    place: Place, wanted: list[NotableDocument], monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    pattern = halves(place)
    lost = f"{place.source}.b"
    after_the_first_page(monkeypatch, partial(getattr(place.client.indices, deed), index=lost))
    done = place.run(pattern=pattern, since=SINCE)
    assert done["read"] == len(told()) // 2
    assert essence(place.notables()) == essence(from_files(told()[: len(told()) // 2]))
    if deed == "close":
        place.client.indices.open(index=lost, wait_for_active_shards=1)
        place.run(pattern=pattern, since=SINCE)
        place.stand(wanted)


@pytest.mark.parametrize("index", ["nhi-state-{}", ".ds-logs-nhi.alerts-{}-*"], ids=["state", "stream"])
def test_an_index_that_becomes_read_only_stops_the_run_and_nothing_is_lost(
    place: Place, wanted: list[NotableDocument], monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    fill(place, told()[:1_600])  # so many that an alert is written, and its stream is there
    place.run(since=SINCE)
    fill(place, told()[1_600:])
    name = index.format(place.namespace)
    block = partial(place.client.indices.put_settings, index=name)
    after_the_first_page(monkeypatch, partial(block, settings={"index.blocks.read_only": True}))
    with pytest.raises(StoreError, match="blocked for writing"):
        place.run(patience=1.0)
    block(settings={"index.blocks.read_only": None})
    place.run(wait=10.0)
    place.stand(wanted)
    assert len(place.alerts()) == len({(n["id"], n["revision"]) for n in place.notables()})


def test_the_frozen_tier_is_left_out_of_whatever_is_read() -> None:
    wanted = read.query(read.Window("logs-x-*", 0, 1), read.Clocks(read.INGESTED))
    assert {"terms": {"_tier": ["data_frozen"]}} in wanted["bool"]["must_not"]


# ---- texts in texts


def test_half_a_character_in_the_text_of_an_event_sets_no_document_aside(place: Place) -> None:
    """As `event.original` and as CloudTrail's LookupEvents tell it; the state can be read by the next run as well."""
    built = []
    for number, record in enumerate(told()):
        halved = json.dumps({**record, "userAgent": "a\ud800\0\udc00"})
        inner = json.dumps({"EventId": record["eventID"], "CloudTrailEvent": halved})
        item = document(record, True, ingested())
        item["event"]["original"] = halved if number % 2 else inner
        built.append(item)
    load(place.client, place.source, built)
    done = place.run()
    assert (done["rejected"], done["events"]) == ({}, len(built))
    assert place.notables()
    load(place.client, place.source, [document({**told()[0], "eventID": "one more"}, True, ingested())])
    assert place.run()["events"] == 1


# ---- samples of the integrations


def test_samples_of_every_integration_are_read_through_an_index_as_they_are_from_a_file(elastic: Server) -> None:
    shaped = [(source, sample["record"]) for source, sample in SAMPLES if sample["shape"].startswith("ecs")]
    sources = [(source, record.get("_source", record)) for source, record in shaped]
    kept = [(source, record) for source, record in sources if not {"_id", "_index"} & set(record)]
    assert len(kept) > 500 and len({source.NAME for source, _ in kept}) > 15
    index = f"samples-{time.time_ns()}"
    date = {"@timestamp": {"type": "date", "ignore_malformed": True}}
    elastic.client.indices.create(index=index, mappings={"dynamic": False, "properties": date})
    sent = ({"_index": index, "_id": str(number), "_source": record} for number, (_, record) in enumerate(kept))
    bulk(elastic.client, sent, refresh=True)
    result = {int(hit.id): Item(hit) for page in read.pages(elastic.client, index, {"match_all": {}}) for hit in page}
    elastic.client.indices.delete(index=index)
    for number, (source, record) in enumerate(kept):
        native = result[number].record()
        assert [each.NAME for each in SOURCES if each.claims(native)] == [source.NAME], record
        assert outcome_of(source, native) == outcome_of(source, record), record
