"""The packaged command, driven as splunkd drives it: a process of Splunk's Pythons, with nothing installed."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from check_python import find
from need import need
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.timestamps import DAY, day_of, parse
from nhi_watch.detect import model
from nhi_watch.detect.scoring import Baselines, EventScorer
from nhi_watch.hosts.splunk.extracted import FIELDS, FIRST
from nhi_watch.hosts.splunk.lines import RAW
from nhi_watch.hosts.splunk.nhiscore import ADDED, NhiScore
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.tables import LOOKUPS
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.intake.sources.cloudtrail.traits import DEEP
from nhi_watch.state import baseline
from nhi_watch.state.baseline import TENANT, Profile, lesson
from nhi_watch.state.state import GROUP, State
from nhi_watch.state.store import TABLES, MemoryStore, pack
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_app import unpacked
from splunk_process import Session, run_here
from splunk_rest import splunkd
from splunk_stream import chunk, flat, getinfo, replies, table

BARE = ("-I", "-S", "-B")
"""No site-packages, no environment, no user's folder."""
EVENT: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole", "principalId": "AROAEXAMPLE:i-1", "accountId": "111111111111",
        "arn": "arn:aws:sts::111111111111:assumed-role/app/i-1", "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::111111111111:role/app",
            "accountId": "111111111111", "userName": "app",
        }},
    },
    "eventTime": "2025-03-04T10:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
    "awsRegion": "eu-central-1", "sourceIPAddress": "203.0.113.7", "userAgent": "Boto3/1.34.0",
    "recipientAccountId": "111111111111", "eventID": "90a92bbb-8fc7-2344-1c2e-300000000001",
}  # fmt: skip

Cells = dict[str, str]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app as `make package` builds it, unpacked."""
    return unpacked(tmp_path_factory.mktemp("apps"))


@pytest.fixture(scope="session", params=["3.9", "3.13"])
def python(request: pytest.FixtureRequest) -> str:
    found = find(request.param)
    need(found, f"needs Python {request.param}")
    return str(found)


class Command:
    """The command's process: `answers` are the replies after getinfo's."""

    def __init__(self, python: str, app: Path) -> None:
        self.line = [python, *BARE, str(app / "bin" / "nhiscore.py")]

    def run(self, *chunks: bytes, args: Sequence[str] = ()) -> list[tuple[dict[str, Any], bytes]]:
        given = getinfo(args) + b"".join(chunks)
        done = subprocess.run(self.line, input=given, capture_output=True, timeout=120, check=False)
        assert done.stderr == b""
        found = list(replies(io.BytesIO(done.stdout)))
        assert done.returncode == (1 if "error" in found[-1][0] else 0)
        return found

    def rows(self, *bodies: bytes, args: Sequence[str] = ()) -> list[Cells]:
        chunks = [
            chunk({"action": "execute", "finished": n == len(bodies)}, body) for n, body in enumerate(bodies, 1)
        ]
        found = self.run(*chunks, args=args)
        assert len(found) == len(bodies) + 1
        return [row for _, body in found[1:] for row in read(body)]


@pytest.fixture(scope="session")
def command(python: str, app: Path) -> Command:
    return Command(python, app)


def read(body: bytes) -> list[Cells]:
    csv.field_size_limit(2**31 - 1)
    return list(csv.DictReader(io.StringIO(body.decode("utf-8", "surrogateescape"), newline="")))


def extracted(records: Sequence[dict[str, Any]], raw: bool = True) -> bytes:
    rows = [{**flat(record), **({RAW: [json.dumps(record)]} if raw else {})} for record in records]
    return table([*FIELDS, RAW] if raw else FIELDS, rows)


def unextracted(records: Sequence[dict[str, Any]]) -> bytes:
    return table([RAW], [{RAW: [json.dumps(record)]} for record in records])


@pytest.fixture(scope="session")
def simulated() -> list[dict[str, Any]]:
    return [record for day in Tenant(Spec(days=2, machines=20, seed=3)).days() for record in day.records]


def test_getinfo_asks_for_the_fields_and_tells_that_nothing_was_learnt_yet(command: Command) -> None:
    [(reply, body)] = command.run()
    [[level, text]] = reply["inspector"]["messages"]
    assert level == "INFO" and text.startswith("nhiscore: nothing learnt yet: scored against the prior")
    assert "look back on the page Set up" in text
    assert reply == {
        "type": "streaming",
        "required_fields": [*FIELDS, FIRST, RAW],
        "inspector": {"messages": [["INFO", text]]},
    }
    assert body == b""


def test_no_third_party_package_can_be_imported_by_the_process_that_is_tested(python: str) -> None:
    code = "import sys; print([p for p in sys.path if 'site-packages' in p or 'dist-packages' in p])"
    assert subprocess.check_output([python, *BARE, "-c", code]) == b"[]\n"


def expected(records: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    scorer = EventScorer(Baselines(model.load()))
    events = [cloudtrail.read(record) for record in records]
    scores = [scorer.score(event) for event in events]
    return [(f"{s.likelihood:g}", "\n".join(s.reasons), e.identity.id) for s, e in zip(scores, events)]


def told(rows: Sequence[Cells]) -> list[tuple[str, str, str]]:
    assert not [row["nhi_error"] for row in rows if row["nhi_error"]]
    return [(row["nhi_likelihood"], row["nhi_reasons"], row["nhi_identity_id"]) for row in rows]


def test_extracted_fields_are_scored_as_the_core_scores_the_native_record(
    command: Command, simulated: list[dict[str, Any]]
) -> None:
    half = len(simulated) // 2
    rows = command.rows(extracted(simulated[:half]), extracted(simulated[half:]))
    assert told(rows) == expected(simulated)
    assert len({row["nhi_likelihood"] for row in rows}) > 3


def test_raw_events_are_scored_as_the_core_scores_the_native_record(
    command: Command, simulated: list[dict[str, Any]]
) -> None:
    assert told(command.rows(unextracted(simulated), args=["input=raw"])) == expected(simulated)


def test_events_without_extraction_are_read_from_raw_unasked(command: Command) -> None:
    body = table([*FIELDS, RAW], [{RAW: [json.dumps(EVENT)]}])
    assert told(command.rows(body)) == expected([EVENT])


def test_all_cells_of_an_event(command: Command) -> None:
    record = {**EVENT, "eventName": "DeleteTrail", "eventSource": "cloudtrail.amazonaws.com"}
    [row] = command.rows(extracted([record]))
    assert {name for name in row if name.startswith(("nhi_", "__mv_nhi_"))} == set(ADDED)
    assert row["nhi_identity"] == "arn:aws:iam::111111111111:role/app"
    assert row["nhi_identity_kind"] == "role"
    assert row["nhi_error"] == ""
    assert "NHI-07" in row["nhi_owasp_nhi"].split("\n")
    assert "DE.CM-1" in row["nhi_nist_csf"].split("\n")
    assert row["nhi_mitre_attack"]
    assert row["nhi_reasons"]
    assert 0 < float(row["nhi_likelihood"]) <= 100


def test_what_came_is_sent_back_untouched_with_its_index(command: Command) -> None:
    body = table([*FIELDS, RAW, "note"], [{**flat(EVENT), "note": ["a", "$b"]}] * 2)
    rows = command.rows(body)
    assert [{k: v for k, v in row.items() if "nhi_" not in k} for row in rows] == read(body)
    assert [row["_chunked_idx"] for row in rows] == ["0", "1"]


def test_empty_chunks_and_headers_without_rows_get_an_answer_each(command: Command) -> None:
    header = extracted([])
    empty = chunk({"action": "execute", "finished": False})
    found = command.run(empty, chunk({"action": "execute", "finished": False}, header), empty)
    assert [(reply, read(body)) for reply, body in found[1:]] == [({"finished": False}, [])] * 3


def test_a_search_that_finds_nothing_is_finished_at_once(command: Command) -> None:
    assert command.run(chunk({"action": "execute", "finished": True}))[1:] == [({"finished": True}, b"")]


def test_many_small_chunks_and_a_preview_give_what_one_large_chunk_gives(command: Command) -> None:
    records = [{**EVENT, "eventName": name} for name in ("GetObject", "PutObject", "ListBuckets") * 20]
    whole = command.rows(extracted(records))
    chunks = [
        chunk({"action": "execute", "preview": n % 2 == 0, "finished": False}, extracted([record]))
        for n, record in enumerate(records)
    ]
    parts = [row for _, body in command.run(*chunks)[1:] for row in read(body)]
    assert told(parts) == told(whole)


def test_a_chunk_with_other_fields_is_not_answered_from_memory(command: Command) -> None:
    failed, plain = {**EVENT, "errorCode": "AccessDenied"}, {**EVENT, "errorMessage": "AccessDenied"}
    bodies = [table([name for name in FIELDS if name != absent], [flat(record)])
              for record, absent in ((failed, "errorMessage"), (plain, "errorCode"))]  # fmt: skip
    wanted = expected([failed, plain])
    assert cloudtrail.read(failed).error != cloudtrail.read(plain).error
    assert told(command.rows(*bodies)) == wanted


def test_50_000_rows_in_a_chunk(command: Command) -> None:
    event = flat(EVENT)
    rows = [{**event, "eventID": [f"{n}"], "eventTime": [f"2025-03-04T10:{n % 60:02d}:00Z"]} for n in range(50_000)]
    found = command.rows(table(FIELDS, rows))
    assert [row["eventID"] for row in found] == [str(n) for n in range(50_000)]
    assert {row["nhi_likelihood"] for row in found} == {expected([EVENT])[0][0]}


def test_a_field_of_a_megabyte(command: Command) -> None:
    [row] = command.rows(extracted([{**EVENT, "userAgent": "x" * 1_000_000}]))
    assert (len(row["userAgent"]), row["nhi_error"], row["nhi_severity"] != "") == (1_000_000, "", True)


def test_bytes_that_are_no_utf_8_do_not_harm(command: Command) -> None:
    body = extracted([EVENT], raw=False).replace(b"Boto3/1.34.0", b"Boto3/\xff\xfe")
    [row] = command.rows(body)
    assert row["userAgent"].encode("utf-8", "surrogateescape") == b"Boto3/\xff\xfe"
    assert row["nhi_likelihood"]


def test_half_a_character_in_json_does_not_harm(command: Command) -> None:
    text = json.dumps({**EVENT, "userIdentity": {"type": "IAMUser", "userName": "x"}}).replace('"x"', '"\\ud800"')
    [row] = command.rows(table([RAW], [{RAW: [text]}]), args=["input=raw"])
    assert row["nhi_identity"] == "\N{REPLACEMENT CHARACTER}"


def test_fields_extracted_twice_count_once(command: Command) -> None:
    doubled = {name: values * 2 for name, values in flat(EVENT).items()}
    assert told(command.rows(table(FIELDS, [doubled]))) == expected([EVENT])


def test_old_answers_of_another_search_step_are_replaced(command: Command) -> None:
    body = table([*FIELDS, "nhi_likelihood"], [{**flat(EVENT), "nhi_likelihood": ["100"]}])
    assert told(command.rows(body)) == expected([EVENT])


BROKEN = {
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
def test_a_broken_row_gets_an_error_and_no_score_and_its_neighbours_theirs(
    command: Command, row: dict[str, list[str]], reason: str
) -> None:
    good = {**flat(EVENT), RAW: [json.dumps(EVENT)]}
    rows = command.rows(table([*FIELDS, RAW], [good, row, good]))
    assert [bool(each["nhi_likelihood"]) for each in rows] == [True, False, True]
    assert rows[1]["nhi_error"] and rows[1]["nhi_error"].startswith(reason)
    assert len(rows[1]["nhi_error"]) <= 300


WRONG = [{"a": 1}, ["a"], 7, True, None, 1e308, "x" * 100_000, "=cmd()", "\u202e\x00<b>"]


@pytest.mark.parametrize("name", ["eventName", "userAgent", "awsRegion", "recipientAccountId", "errorCode"])
def test_values_of_wrong_types_never_end_a_search(command: Command, name: str) -> None:
    rows = command.rows(unextracted([{**EVENT, name: value} for value in WRONG]), args=["input=raw"])
    assert [bool(row["nhi_likelihood"]) != bool(row["nhi_error"]) for row in rows] == [True] * len(WRONG)


OPTIONS = {
    "no option": (["colour=red"], "nhiscore: 'colour=red' is no option. Write nhiscore [input="),
    "no value": (["raw"], "nhiscore: 'raw' is no option. Write nhiscore"),
    "wrong value": (["input=xml"], "nhiscore: input=xml is unknown. Write input=auto|fields|raw"),
    "wrong source": (["source=okta"], "nhiscore: source=okta is unknown. Write source=cloudtrail"),
}


@pytest.mark.parametrize(("args", "message"), OPTIONS.values(), ids=OPTIONS)
def test_a_wrong_option_is_answered_with_what_to_write_instead(
    command: Command, args: list[str], message: str
) -> None:
    [(reply, _)] = command.run(args=args)
    assert reply["error"].startswith(message)
    assert reply["inspector"]["messages"] == [["ERROR", reply["error"]]]


def test_input_says_which_fields_are_needed(command: Command) -> None:
    asked = {args: command.run(args=[args])[0][0]["required_fields"] for args in ("input=raw", "input=fields")}
    assert asked == {"input=raw": [RAW], "input=fields": [*FIELDS, FIRST]}


@pytest.mark.parametrize("empty", [True, False], ids=["with an empty eventTime", "without eventTime"])
def test_rows_of_stats_are_scored_as_their_events(
    command: Command, simulated: list[dict[str, Any]], empty: bool
) -> None:
    records = [record for record in simulated if record["eventName"] not in DEEP][:400]
    gone = ("eventTime", "eventID")
    rows = [
        {**{name: v for name, v in flat(record).items() if name not in gone}, FIRST: [f"{second}.000"], "count": ["7"]}
        for record in records
        for second in [parse(record["eventTime"])]
    ]
    names = [name for name in FIELDS if empty or name not in gone]
    found = command.rows(table([*names, FIRST, "count"], rows), args=["input=fields"])
    assert told(found) == expected(records)
    assert {row["count"] for row in found} == {"7"}
    [wrong] = command.rows(table([*names, FIRST], [{**rows[0], FIRST: ["x"]}]), args=["input=fields"])
    assert wrong["nhi_error"].startswith("bad_time")


def test_a_wrong_row_in_a_table_of_the_customer_is_told_and_the_table_left_out(command: Command, app: Path) -> None:
    path = app / "lookups" / "nhi_networks.csv"
    before = path.read_bytes()
    path.write_bytes(before + b"300.1.2.3/24,me,hosting,\n")
    [(reply, _)] = command.run()
    path.write_bytes(before)
    (_, (level, text)) = reply["inspector"]["messages"]
    assert level == "WARN" and text.startswith("left out nhi_networks.csv, line 2: not a network")


def test_addresses_that_the_customers_lists_name_are_marked(tmp_path: Path) -> None:
    header = "indicator,source,confidence,valid_from,valid_until,comment"
    (tmp_path / "nhi_reputation.csv").write_text(f"{header}\n203.0.113.7,feed,90,2025-03-04,2025-03-04,\n", "utf-8")
    command = NhiScore(tmp_path)
    command.prepare(Search([]))
    command.execute(extracted([EVENT, {**EVENT, "sourceIPAddress": "203.0.113.8"}]))
    assert sorted(shape.traits for shape, _ in command._by_event) == [(), ("listed",)]


NAMES = b"eventID,eventName,eventSource,eventTime,first,recipientAccountId,userIdentity.arn,__mv_userIdentity.arn,_raw"
ROW = b"1,GetObject,s3.amazonaws.com,2025-03-04T10:00:00Z,,111111111111,arn:aws:iam::111111111111:root,,{}"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ROW.removesuffix(b"{}"), id="neither _raw nor a type"),
        pytest.param(ROW.replace(b",,{}", b",$x$;$y$,{}"), id="several values that look like one"),
        pytest.param(ROW.replace(b"2025-03-04T10:00:00Z,", b",1741082400"), id="no time but of a group, and _raw"),
    ],
)
def test_a_row_is_answered_as_if_it_had_come_first(tmp_path: Path, other: bytes) -> None:
    answers = []
    for rows in ([other], [ROW, ROW, other]):
        command = NhiScore(tmp_path)
        command.prepare(Search([]))
        answers.append(command.execute(b"\n".join([NAMES, *rows, b""])).splitlines()[-1])
    assert answers[0] == answers[1] != other


def test_a_search_that_is_stopped_leaves_no_traceback(command: Command, simulated: list[dict[str, Any]]) -> None:
    process = subprocess.Popen(
        command.line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(getinfo())
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"chunked 1.0,")
    process.stdout.close()
    process.stdin.write(chunk({"action": "execute", "finished": False}, extracted(simulated)))
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_stream_that_ends_in_the_middle_ends_the_command(command: Command) -> None:
    given = getinfo() + chunk({"action": "execute", "finished": True}, extracted([EVENT]))[:-10]
    done = subprocess.run(command.line, input=given, capture_output=True, timeout=60, check=False)
    last, _ = list(replies(io.BytesIO(done.stdout)))[-1]
    assert (done.returncode, done.stderr) == (1, b"")
    assert last["error"].startswith("the stream ends after ")


def test_what_the_state_knows_makes_the_ordinary_ordinary() -> None:
    event, store = cloudtrail.read(EVENT), MemoryStore()
    state, known = State(store), habit(40)
    state.daybook.add(day_of(event.time) - 1)
    state.daybook.close(day_of(event.time) - 1)
    state.finish()
    row = pack(baseline.to_row(known))
    store.put("profile", [(event.identity.id, row), (f"{GROUP}{TENANT}", row)])
    server = splunkd()
    for name in TABLES:
        for key, raw in store.scan(name, "", "\U0010ffff"):
            document = {"_key": f"{name}/{key}", "v": b64encode(raw).decode()}
            server.kv.captain["nhi_state"][document["_key"]] = document
    odd = {**EVENT, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser"}
    rows = [{"_raw": [json.dumps(one)]} for one in (EVENT, odd)]
    answer = run_here("nhiscore", LOOKUPS, "input=raw", rows, (0, 1 << 40), Session(server.url, server.session))
    assert answer.info["type"] == "stateful", "what was learnt is on the search head alone"
    assert answer.messages[0][1] == "nhiscore: 1 days known, the last 2025-03-03"
    ordinary, elsewhere = answer.rows
    assert float(ordinary["nhi_likelihood"][0]) <= float(elsewhere["nhi_likelihood"][0])
    assert (ordinary.get("nhi_reasons"), elsewhere["nhi_reasons"] != []) == (None, True)


def habit(days: int) -> Profile:
    """What EVENT teaches when it happens on so many days before its own."""
    event, known = cloudtrail.read(EVENT), Profile()
    for day in range(day_of(event.time) - days, day_of(event.time)):
        whole = IdentityDay(day)
        whole.add(event._replace(time=day * DAY + 36_000))
        known.learn(day, lesson((behaviour, False) for behaviour in whole.ordered()).now)
    return known
