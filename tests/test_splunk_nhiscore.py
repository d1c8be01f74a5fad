"""nhiscore over processes of Splunk's Pythons with nothing installed, and where only its rows matter, in this process.

What it has in common with the other commands is in test_splunk_commands.
"""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY, day_of
from nhi_watch.detect import model
from nhi_watch.detect.scoring import Baselines, EventScorer
from nhi_watch.hosts.splunk.nhiscore import ADDED, FIELDS, NhiScore
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rows import RAW
from nhi_watch.hosts.splunk.tables import LOOKUPS
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import baseline
from nhi_watch.state.baseline import TENANT, Profile, lesson
from nhi_watch.state.state import GROUP, State
from nhi_watch.state.store import TABLES, MemoryStore, pack
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_app import interpreter, unpacked
from splunk_process import BARE, NOBODY, Answer, Row, Session, read, run, run_here
from splunk_rest import splunkd
from splunk_stream import flat, table

ALWAYS = (0, 1 << 40)
EVENT = record(20_151, "10:00", role="app", address="203.0.113.7", agent="Boto3/1.34.0")


@pytest.fixture(scope="module", params=["3.9", "3.13"])
def python(request: pytest.FixtureRequest) -> str:
    return interpreter(request.param)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("apps"))


def here(rows: Sequence[Row], arguments: str = "", session: Session = NOBODY) -> Answer:
    return run_here("nhiscore", LOOKUPS, arguments, rows, ALWAYS, session)


def extracted(records: Sequence[dict[str, Any]]) -> list[Row]:
    return [{**flat(record), RAW: [json.dumps(record)]} for record in records]


def unextracted(records: Sequence[dict[str, Any]]) -> list[Row]:
    return [{RAW: [json.dumps(record)]} for record in records]


def expected(records: Sequence[dict[str, Any]]) -> list[tuple[str, list[str], str]]:
    scorer = EventScorer(Baselines(model.load()))
    events = [cloudtrail.read(record) for record in records]
    scores = [scorer.score(event) for event in events]
    return [(f"{s.likelihood:g}", list(s.reasons), e.identity.id) for s, e in zip(scores, events)]


def told(rows: Sequence[Row]) -> list[tuple[str, list[str], str]]:
    assert not [row["nhi_error"] for row in rows if "nhi_error" in row]
    return [(row["nhi_likelihood"][0], row.get("nhi_reasons", []), row["nhi_identity_id"][0]) for row in rows]


def test_no_third_party_package_can_be_imported_by_the_process_that_is_tested(python: str) -> None:
    code = "import sys; print([p for p in sys.path if 'site-packages' in p or 'dist-packages' in p])"
    assert subprocess.check_output([python, *BARE, "-c", code]) == b"[]\n"


def test_events_in_chunks_of_any_size_are_scored_as_the_core_scores_the_native_record(python: str, app: Path) -> None:
    records = [record for day in Tenant(Spec(days=2, machines=20, seed=3)).days() for record in day.records]
    script = app / "bin" / "nhiscore.py"
    answer = run(python, script, "", extracted(records), ALWAYS, len(records) // 2 + 1)
    assert told(answer.rows) == expected(records)
    assert len({row["nhi_likelihood"][0] for row in answer.rows}) >= 3
    assert told(run(python, script, "", extracted(records[:60]), ALWAYS, 1).rows) == told(answer.rows[:60])
    assert told(here(unextracted(records), "input=raw").rows) == told(answer.rows)
    [[level, text]] = answer.messages
    assert level == "INFO" and text.startswith("nhiscore: nothing learnt yet: scored against the prior")


def test_fields_are_asked_for_as_the_input_needs_them() -> None:
    asked = {args: here([], args).info["required_fields"] for args in ("", "input=raw", "input=fields")}
    assert asked == {"": [*FIELDS, RAW], "input=raw": [RAW], "input=fields": [*FIELDS]}


AS_IF_PLAIN: dict[str, Row] = {
    "not extracted": unextracted([EVENT])[0],
    "extracted twice": {name: values * 2 for name, values in flat(EVENT).items()},
    "answered before": {**flat(EVENT), "nhi_likelihood": ["100"]},
}


@pytest.mark.parametrize("row", AS_IF_PLAIN.values(), ids=AS_IF_PLAIN)
def test_a_row_in_another_shape_is_scored_as_the_plain_one(row: Row) -> None:
    assert told(here([row]).rows) == expected([EVENT])


def test_fields_answer_alone_where_raw_tells_something_else() -> None:
    """Answers are remembered by the fields: a row whose text was changed must not get, or give, another one's."""
    denied = {RAW: [json.dumps({**EVENT, "errorCode": "AccessDenied"})]}
    first, second = flat(EVENT), {**flat(EVENT), **denied}
    assert told(here([first, second]).rows) == told(here([second, first]).rows) == expected([EVENT, EVENT])


def test_all_cells_of_an_event_stand_beside_what_came() -> None:
    changed = {**EVENT, "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com"}
    given = {**extracted([changed])[0], "note": ["a", "$b"]}
    [row] = here([given]).rows
    assert {name: values for name, values in row.items() if not name.startswith("nhi_")} == given
    assert {name for name in row if name.startswith("nhi_")} == {n for n in ADDED if n[0] != "_"} - {"nhi_error"}
    assert row["nhi_identity"] == ["arn:aws:iam::111111111111:role/app"] and row["nhi_identity_kind"] == ["role"]
    assert "NHI-07" in row["nhi_owasp_nhi"] and "DE.CM-1" in row["nhi_nist_csf"]
    assert row["nhi_mitre_attack"] and row["nhi_reasons"]
    assert 0 < float(row["nhi_likelihood"][0]) <= 100


def test_a_chunk_with_other_fields_is_not_answered_from_memory() -> None:
    failed, plain = {**EVENT, "errorCode": "AccessDenied"}, {**EVENT, "errorMessage": "AccessDenied"}
    command = scoring(LOOKUPS)
    bodies = [
        table([name for name in FIELDS if name != absent], [flat(item)])
        for item, absent in ((failed, "errorMessage"), (plain, "errorCode"))
    ]
    assert cloudtrail.read(failed).error != cloudtrail.read(plain).error
    assert told([row for body in bodies for row in read(command.execute(body))]) == expected([failed, plain])


def scoring(lookups: Path) -> NhiScore:
    command = NhiScore(lookups)
    command.prepare(Search([]))
    return command


def test_bytes_that_are_no_utf_8_do_not_harm() -> None:
    body = table(FIELDS, [flat(EVENT)]).replace(b"Boto3/1.34.0", b"Boto3/\xff\xfe")
    [row] = read(scoring(LOOKUPS).execute(body))
    assert row["userAgent"][0].encode("utf-8", "surrogateescape") == b"Boto3/\xff\xfe"
    assert row["nhi_likelihood"]


def test_half_a_character_in_json_does_not_harm(python: str, app: Path) -> None:
    text = json.dumps({**EVENT, "userIdentity": {"type": "IAMUser", "userName": "x"}}).replace('"x"', '"\\ud800"')
    [row] = run(python, app / "bin" / "nhiscore.py", "input=raw", [{RAW: [text]}], ALWAYS).rows
    assert row["nhi_identity"] == ["\N{REPLACEMENT CHARACTER}"]


BROKEN: dict[str, tuple[Row, str]] = {
    "nothing at all": ({}, "no_fields: neither extracted fields nor _raw"),
    "no JSON": ({RAW: ["{"]}, "bad_json"),
    "JSON of another kind": ({RAW: ["[1, 2]"]}, "not_object"),
    "too deep": ({RAW: ["[" * 100_000]}, ""),
    "no time": ({**flat(EVENT), "eventTime": []}, "no_time: eventTime is missing"),
    "a time that is none": ({**flat(EVENT), "eventTime": ["2025-13-44T99:99:99Z"]}, "bad_time"),
    "years away": ({**flat(EVENT), "eventTime": ["1999-01-01T00:00:00Z"]}, "clock"),
    "wrong type": ({RAW: [json.dumps({**EVENT, "userIdentity": ["x"]})]}, "bad_type"),
}


@pytest.mark.parametrize(("row", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_row_gets_an_error_and_no_score_and_its_neighbours_theirs(row: Row, reason: str) -> None:
    (good,) = extracted([EVENT])
    rows = here([good, row, good]).rows
    assert ["nhi_likelihood" in each for each in rows] == [True, False, True]
    assert rows[1]["nhi_error"][0].startswith(reason) and len(rows[1]["nhi_error"][0]) <= 300


WRONG = [{"a": 1}, ["a"], 7, True, None, 1e308, "x" * 1_000_000, "=cmd()", "\u202e\x00<b>"]


@pytest.mark.parametrize("name", ["eventName", "userAgent", "awsRegion", "recipientAccountId", "errorCode"])
def test_values_of_wrong_types_never_end_a_search(name: str) -> None:
    rows = here(unextracted([{**EVENT, name: value} for value in WRONG]), "input=raw").rows
    assert [("nhi_likelihood" in row) != ("nhi_error" in row) for row in rows] == [True] * len(WRONG)


def test_addresses_that_the_customers_lists_name_are_marked(tmp_path: Path) -> None:
    header = "indicator,source,confidence,valid_from,valid_until,comment"
    (tmp_path / "nhi_reputation.csv").write_text(f"{header}\n203.0.113.7,feed,90,2025-03-04,2025-03-04,\n", "utf-8")
    command = scoring(tmp_path)
    command.execute(table(FIELDS, [flat(EVENT), flat({**EVENT, "sourceIPAddress": "203.0.113.8"})]))
    assert sorted(shape.traits for shape, _ in command._by_event) == [(), ("listed",)]


NAMES = b"eventID,eventName,eventSource,eventTime,recipientAccountId,userIdentity.arn,__mv_userIdentity.arn,_raw"
ROW = b"1,GetObject,s3.amazonaws.com,2025-03-04T10:00:00Z,111111111111,arn:aws:iam::111111111111:root,,{}"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ROW.removesuffix(b"{}"), id="neither _raw nor a type"),
        pytest.param(ROW.replace(b",,{}", b",$x$;$y$,{}"), id="several values that look like one"),
    ],
)
def test_a_row_is_answered_as_if_it_had_come_first(tmp_path: Path, other: bytes) -> None:
    answers = []
    for rows in ([other], [ROW, ROW, other]):
        answers.append(scoring(tmp_path).execute(b"\n".join([NAMES, *rows, b""])).splitlines()[-1])
    assert answers[0] == answers[1] != other


def test_what_the_state_knows_makes_the_ordinary_ordinary() -> None:
    event, store = cloudtrail.read(EVENT), MemoryStore()
    state, known = State(store), habit(40)
    state.daybook.add(day_of(event.time) - 1)
    state.daybook.closed = state.daybook.learnt = day_of(event.time) - 1
    state.finish()
    row = pack(baseline.to_row(known))
    store.put("profile", [(event.identity.id, row), (f"{GROUP}{TENANT}", row)])
    server = splunkd()
    for name in TABLES:
        for key, raw in store.scan(name, "", "\U0010ffff"):
            document = {"_key": f"{name}/{key}", "v": b64encode(raw).decode()}
            server.kv.captain["nhi_state"][document["_key"]] = document
    unusual = {**EVENT, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser"}
    answer = here(unextracted([EVENT, unusual]), "input=raw", Session(server.url, server.session))
    assert answer.info["type"] == "stateful", "what was learnt is on the search head alone"
    assert answer.messages[0][1] == "nhiscore: 1 days known, the last 2025-03-03"
    ordinary, elsewhere = answer.rows
    assert len([item for item in server.asked if "batch_find" in item]) <= 5, "for all identities of a chunk and day"
    assert float(ordinary["nhi_likelihood"][0]) <= float(elsewhere["nhi_likelihood"][0])
    assert (ordinary.get("nhi_reasons"), elsewhere["nhi_reasons"] != []) == (None, True)


def test_the_identities_of_a_chunk_are_asked_for_at_once_and_each_day_by_itself() -> None:
    """Three requests an identity took 30 ms each; and rows of two days in turn had it all asked for again."""
    server, store = splunkd(), MemoryStore()
    state = State(store)
    state.daybook.add(20_140)
    state.finish()
    for key, raw in store.scan("meta", "", "\U0010ffff"):
        server.kv.captain["nhi_state"][f"meta/{key}"] = {"_key": f"meta/{key}", "v": b64encode(raw).decode()}
    events = [record(day, "10:00", role=f"app-{number}") for number in range(60) for day in (20_150, 20_151)]
    answer = here(unextracted(events), "input=raw", Session(server.url, server.session))
    assert len(answer.rows) == 120 and not [row for row in answer.rows if "nhi_error" in row]
    assert len({row["nhi_identity_id"][0] for row in answer.rows}) == 60
    assert len([item for item in server.asked if "batch_find" in item]) < 20


def habit(days: int) -> Profile:
    """What EVENT teaches when it happens on so many days before its own."""
    event, known = cloudtrail.read(EVENT), Profile()
    for day in range(day_of(event.time) - days, day_of(event.time)):
        identity_day = IdentityDay(day)
        identity_day.add(event._replace(time=day * DAY + 36_000))
        known.learn(day, lesson((behaviour, False) for behaviour in identity_day.ordered()).now)
    return known
