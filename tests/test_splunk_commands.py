"""Every command of the packaged app: streams of all kinds to processes of Splunk's Pythons with nothing installed.

What a command says of its rows, and not how it is started or fed, is asked in this process (`here`): a start costs more
than most answers.
"""

from __future__ import annotations

import io
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from need import shared_data
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, render
from nhi_watch.hosts.splunk import fields, health, nhi
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rows import read as read_rows
from nhi_watch.state import inventory
from nhi_watch.state.inventory import Change, Credential, Known
from nhi_watch.state.retention import Daybook
from nhi_watch.state.store import MemoryStore
from splunk_app import interpreter, unpacked
from splunk_process import BARE, Answer, CommandError, Row, read, run, run_here
from splunk_server import stash
from splunk_stream import chunk, getinfo, replies, table

COMMANDS = ("nhiscore", "nhigroup", "nhirank", "nhi explain", "nhi feedback", "nhi health", "nhi identities")
ARGUMENTS = {"nhi feedback": "verdict=benign"}
START = 20_152 * DAY
"""2025-03-05"""
END = START + 8 * DAY
RAID = (
    ("sts", "GetCallerIdentity"),
    ("iam", "ListUsers"),
    ("secretsmanager", "GetSecretValue"),
    ("iam", "CreateAccessKey"),
    ("cloudtrail", "StopLogging"),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("apps"))


@pytest.fixture(scope="module", params=["3.9", "3.13"])
def python(request: pytest.FixtureRequest) -> str:
    return interpreter(request.param)


class Commands:
    """The commands of an app: processes of that Python, or without one the same conversation in this process."""

    def __init__(self, python: str, app: Path) -> None:
        self.python, self.app = python, app
        self.messages: list[list[str]] = []

    def rows(self, command: str, rows: Sequence[Row], arguments: str = "", size: int = 10_000) -> list[Row]:
        name, _, what = command.partition(" ")
        answer = self.answer(name, f"{what} {arguments or ARGUMENTS.get(command, '')}", rows, size)
        self.messages = answer.messages
        return answer.rows

    def answer(self, name: str, text: str, rows: Sequence[Row] = (), size: int = 10_000) -> Answer:
        if self.python:
            return run(self.python, self.app / "bin" / f"{name}.py", text, rows, (START, END), size)
        return run_here(name, self.app / "lookups", text, rows, (START, END))

    def begun(self, command: str) -> tuple[list[str], bytes]:
        """How its process is started, and what it is told first."""
        name, _, what = command.partition(" ")
        words = f"{what} {ARGUMENTS.get(command, '')}".split()
        first = getinfo(words, earliest_time=str(START), latest_time=str(END))
        return [self.python, *BARE, str(self.app / "bin" / f"{name}.py")], first

    def stream(self, command: str, *chunks: bytes) -> tuple[int, bytes, list[tuple[Any, bytes]]]:
        line, first = self.begun(command)
        done = subprocess.run(line, input=first + b"".join(chunks), capture_output=True, timeout=120, check=False)
        return done.returncode, done.stderr, list(replies(io.BytesIO(done.stdout)))


@pytest.fixture(scope="module")
def commands(python: str, app: Path) -> Commands:
    return Commands(python, app)


@pytest.fixture(scope="module")
def here(app: Path) -> Commands:
    return Commands("", app)


def call(day: int, second: int, service: str, name: str, **more: str) -> Any:
    when = {"eventTime": render(START + day * DAY + second), "eventID": f"{day}-{second}-{name}"}
    return record(0, "00:00", service=service, name=name, **when, **more)


def story() -> list[Any]:
    """A machine at its daily work for a week, then a thief with its session."""
    work = [call(day, 36_000 + 600 * n, "s3", "GetObject") for day in range(7) for n in range(6)]
    thief = {"sourceIPAddress": "185.220.101.4", "userAgent": "aws-cli/2.1"}
    return work + [call(7, 50_000 + 60 * n, service, name, **thief) for n, (service, name) in enumerate(RAID)]


def raw(records: Sequence[Any]) -> list[Row]:
    return [
        {"_raw": [json.dumps(r)], "sourcetype": ["aws:cloudtrail"], "_time": [str(START)], "note": ["a", "$b"]}
        for r in records
    ]


def body(rows: Sequence[Row]) -> bytes:
    return table(sorted({name for row in rows for name in row}), rows)


def execute(content: bytes = b"", finished: bool = False, preview: bool = False) -> bytes:
    return chunk({"action": "execute", "finished": finished, "preview": preview}, content)


# ---- what holds for all of them


@pytest.mark.parametrize("command", COMMANDS)
def test_empty_chunks_previews_and_headers_without_rows_get_an_answer_each(commands: Commands, command: str) -> None:
    header = table(["_raw", "sourcetype"], [])
    nothing = [execute(finished=True)]
    for chunks in (nothing, [execute(), execute(header), execute(preview=True), execute(header, finished=True)]):
        code, errors, answers = commands.stream(command, *chunks)
        assert (code, errors) == (0, b"")
        assert [reply["finished"] for reply, _ in answers[1:]] == [*[False] * (len(chunks) - 1), True]


@pytest.mark.parametrize("command", COMMANDS)
def test_rows_of_every_kind_of_rubbish_never_end_a_search(commands: Commands, command: str) -> None:
    rows: list[Row] = [
        {}, {"_raw": ["{"]}, {"_raw": ["[" * 10_000]}, {"_raw": ["\ufffd\x00"]}, {"nhi_part": ["x"]},
        {"nhi_notable": ['{"nhi_notable": 1}']}, {"nhi_notable": ["x"]}, {"count": ["x"], "sourcetype": ["y"]},
        {"nhi_error": ["x"], "nhi_events": ["many"]}, {"nhi_id": ["../../x"]}, {"_raw": ["x" * 1_000_000]},
        {"_raw": ["a", "b"]},
    ]  # fmt: skip
    code, errors, answers = commands.stream(command, execute(body(rows)), execute(body(rows), finished=True))
    assert (code, errors.decode()[-500:], len(answers)) == (0, "", 3)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_search_that_is_stopped_leaves_no_traceback(commands: Commands, command: str) -> None:
    line, first = commands.begun(command)
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(first)
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"chunked 1.0,")
    process.stdout.close()
    process.stdin.write(execute(body(raw(story()))) + execute(finished=True))
    process.stdin.close()
    assert (process.wait(60), process.stderr.read()) == (0, b"")
    process.stderr.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_option_is_answered_with_what_to_write_instead(here: Commands, command: str) -> None:
    with pytest.raises(CommandError, match=rf"^{command}: 'colour=red' is not an option. Write {command}"):
        here.rows(command, [], "colour=red")


WRONG = {
    "nhiscore raw": "nhiscore: 'raw' is not an option. Write nhiscore",
    "nhiscore input=xml": "nhiscore: input=xml is unknown. Write input=auto|fields|raw",
    "nhigroup input=xml": "nhigroup: input=xml is unknown. Write input=raw|fields",
    "nhirank budget=lots": "nhirank: budget=lots is not <notables a day per 1,000 identities>. Write budget=10",
    "nhirank state=read": "nhirank: state=read is unknown. Write state=none|write",
    "nhi": "nhi: '' is unknown. Write nhi explain|feedback|health|identities",
    "nhi learn": "nhi: 'learn' is unknown. Write nhi explain|feedback|health|identities",
    "nhi explain id=x": "nhi explain: id=x is not <id of a notable>. Write id=0123456789abcdef0123",
    "nhi feedback reason=x": "nhi feedback: a verdict is missing. Write verdict=confirmed|benign|expected|duplicate",
    "nhi feedback verdict=maybe": "nhi feedback: verdict=maybe is unknown. Write verdict=confirmed|benign|expected",
    "nhi feedback verdict=expected": "nhi feedback: verdict=expected needs an end. Write until=",
    "nhi feedback verdict=expected until=2001-01-01": "nhi feedback: until=2001-01-01 must lie within",
    "nhi feedback verdict=expected until=2026-13-41": "nhi feedback: until=2026-13-41 is not a date. Write until=",
    "nhi feedback verdict=benign until=2027-01-01": "nhi feedback: until, signal and value need verdict=expected",
    "nhi health show={x}": "nhi health: show={x} is unknown. Write show=all|problems",
    "nhi health show=x": "nhi health: show=x is unknown. Write show=all|problems",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_value_is_answered_with_what_to_write_instead(here: Commands, line: str) -> None:
    command, _, arguments = line.partition(" ")
    with pytest.raises(CommandError) as raised:
        here.answer(command, arguments)
    assert str(raised.value).startswith(WRONG[line])


# ---- grouping


def test_many_chunks_and_one_give_the_same_notables(commands: Commands) -> None:
    result = []
    for size in (1, 7, 10_000):
        parts = commands.rows("nhigroup", raw(story()), size=size)
        result.append([row["nhi_id"] + row["nhi_likelihood"] for row in commands.rows("nhirank", parts, size=size)])
    assert len(result[0]) == 1 and result[0] == result[1] == result[2]


def test_50_000_events_in_a_chunk(commands: Commands) -> None:
    event = story()[0]
    rows = [{"_raw": [json.dumps({**event, "eventID": str(n)})]} for n in range(50_000)]
    parts = commands.rows("nhigroup", rows, size=50_000)
    assert sum(int(part["nhi_events"][0]) for part in parts) == 50_000
    assert {(part["nhi_day"][0], part["nhi_key"][0]) for part in parts} == {("2025-03-05", parts[0]["nhi_key"][0])}
    scored = commands.rows("nhiscore", rows, "input=raw", size=50_000)
    assert [row["_raw"] for row in scored] == [row["_raw"] for row in rows]
    assert len({tuple(row["nhi_likelihood"]) for row in scored}) == 1


def test_a_field_of_a_megabyte_and_bytes_that_are_no_utf_8(commands: Commands) -> None:
    long = {**story()[0], "userAgent": "x" * 1_000_000}
    wrong = body(raw([{**story()[1], "userAgent": "XX"}])).replace(b"XX", b"\xff\xfe")
    _, errors, answers = commands.stream("nhigroup", execute(body(raw([long]))), execute(wrong, finished=True))
    part, failed = (row for _, content in answers[1:] for row in read(content))
    assert (errors, part["nhi_events"]) == (b"", ["1"])
    assert failed["nhi_error"][0].startswith("invalid_utf8: bytes that are no UTF-8: set CHARSET")


def test_extracted_fields_are_read_where_raw_is_no_json(here: Commands) -> None:
    row = {
        "_raw": ["QUERY_ID=1, …"],
        "USER_NAME": ["ETL"],
        "QUERY_ID": ["q1"],
        "QUERY_TYPE": ["SELECT"],
        "EXECUTION_STATUS": ["SUCCESS"],
        "START_TIME": ["2025-03-05 10:00:00.000 -0000"],
        "ACCOUNT_NAME": ["A"],
        "sourcetype": ["snowflake:query_history"],
    }
    (part,) = here.rows("nhigroup", [row], "input=fields")
    assert part["nhi_events"] == ["1"]


def test_real_cloudtrail_is_grouped_without_a_reject(here: Commands) -> None:
    records = json.loads(shared_data("cloudtrail/boogy.json").read_text("utf-8"))
    records = records["Records"] if isinstance(records, dict) else records
    rows = here.rows("nhigroup", raw(records), size=500)
    assert not [row for row in rows if "nhi_error" in row]
    (grouped,) = {sum(int(row["nhi_events"][0]) for row in rows)}
    assert grouped == len({record["eventID"] for record in records})


# ---- learning, ranking, explaining


def test_the_thief_is_found_explained_and_judged(commands: Commands) -> None:
    parts = commands.rows("nhigroup", raw(story()))
    (notable,) = commands.rows("nhirank", parts)
    assert notable["nhi_severity"][0] in ("medium", "high", "critical")
    assert notable["nhi_identity"] == ["arn:aws:iam::111111111111:role/payments-api"]
    assert (notable["nhi_change"], notable["nhi_escalated"], notable["nhi_revision"]) == (["new"], ["1"], ["1"])
    assert json.loads(notable["annotations"][0])["owasp_nhi"][0] == "NHI-07"
    assert 1 <= int(notable["risk_score"][0]) <= 100
    assert set(notable["nhi_record_ids"]) == {item["eventID"] for item in story()[-len(RAID) :]}
    assert notable["src"] == ["185.220.101.4"]
    event = {"_raw": notable["_raw"], "sourcetype": ["nhi:notable"]}
    (lake,) = commands.rows("nhirank", parts, "format=ocsf")
    finding = json.loads(lake["_raw"][0])
    assert (finding["class_uid"], finding["finding_info"]["uid"]) == (2004, notable["nhi_id"][0])
    lines = commands.rows("nhi explain", [event], f"id={notable['nhi_id'][0]}")
    sections = {line["nhi_section"][0] for line in lines}
    assert sections == {"signal", "usual", "observed", "timeline", "control", "impact", "brief"}
    points = [float(line["nhi_points"][0]) for line in lines if line["nhi_section"] == ["signal"]]
    assert points == sorted(points, reverse=True) and sum(points) > 2
    (verdict,) = commands.rows("nhi feedback", [notable], 'verdict=confirmed reason="key was stolen"')
    assert (verdict["nhi_id"], verdict["verdict"], verdict["analyst"]) == (notable["nhi_id"], ["confirmed"], ["admin"])


def test_a_log_that_was_silent_for_days_is_a_blind_spot(here: Commands) -> None:
    work = [call(day, 36_000 + 600 * n, "s3", "GetObject") for day in (*range(8), 12, 13) for n in range(6)]
    rows = here.rows("nhirank", here.rows("nhigroup", raw(work)))
    assert len({row["nhi_id"][0] for row in rows}) == len(rows)


def test_the_state_is_not_written_without_a_session(here: Commands) -> None:
    with pytest.raises(CommandError, match="state=write needs a search head: splunkd gave no session"):
        here.rows("nhirank", here.rows("nhigroup", raw(story())), "state=write")


def test_every_row_for_the_summary_index_is_short_enough_for_splunk_to_see_whole(here: Commands) -> None:
    """[kv] maxchars: an event is cut to 10,240 characters before fields are looked for."""
    many = [call(0, n % 86_000, f"service{n % 700}", "GetObject") | {"eventID": f"id-{n}"} for n in range(9_000)]
    rows = here.rows("nhigroup", raw(many))
    assert len(rows) > 1
    assert max(len(stash(row)) for row in rows) < 10_240
    assert sum(int(row["nhi_events"][0]) for row in rows) == len(many)
    joined = here.rows("nhigroup", rows)
    assert sum(int(row["nhi_events"][0]) for row in joined) == len(many)
    again = here.rows("nhigroup", [*rows, *rows])
    assert sum(int(row["nhi_events"][0]) for row in again) == len(many), "a record that comes twice counts once"


@contextmanager
def filled(commands: Commands, tables: Mapping[str, str], add: bool = False) -> Iterator[None]:
    """The customer's tables with these texts, or these lines more."""
    paths = {commands.app / "lookups" / name: text for name, text in tables.items()}
    before = {path: path.read_text("utf-8") for path in paths}
    try:
        for path, text in paths.items():
            path.write_text(before[path] * add + text, "utf-8")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text, "utf-8")


def tables_of(commands: Commands) -> list[tuple[str, str]]:
    """What nhi health says of the tables."""
    rows = commands.rows("nhi health", [])
    return [(row["nhi_status"][0], row["nhi_text"][0]) for row in rows if row["nhi_check"] == ["tables"]]


def test_a_wrong_table_of_the_customer_is_named_and_left_out(commands: Commands) -> None:
    with filled(commands, {"nhi_networks.csv": "nonsense,me,hosting,\n"}, add=True):
        rows = commands.rows("nhirank", commands.rows("nhigroup", raw(story())))
        for shown in (commands.messages, commands.answer("nhiscore", "").messages):
            assert [text for level, text in shown if level == "WARN" and "nhi_networks.csv, line 2" in text]
        assert [status for status, _ in tables_of(commands)] == ["error"]
    assert len(rows) == 1


TABLES = {
    "nhi_networks.csv": '"kind","cidr","owner"\n"business","198.51.100.0/24","corp"\n',
    "nhi_assets.csv": '"criticality","identity"\n"high","payments-api"\n',
    "nhi_owners.csv": '"identity","owner"\n"payments-api","team-pay"\n',
    "nhi_reputation.csv": '"indicator","source"\n"203.0.113.7","mine"\n',
}
"""As outputlookup writes them: without columns in which no row has a value, in any order."""


def test_a_table_that_outputlookup_wrote_without_its_empty_columns_is_read(commands: Commands) -> None:
    with filled(commands, TABLES):
        assert [text for _, text in tables_of(commands)] == ["your lookup tables can be read"]


# ---- feedback and health


def thief(commands: Commands, *more: Row, arguments: str = "") -> list[Row]:
    return commands.rows("nhirank", [*commands.rows("nhigroup", raw(story())), *more], arguments)


def test_what_was_judged_harmless_is_left_out_until_somebody_confirms_it(here: Commands) -> None:
    (notable,) = thief(here)
    (benign,) = here.rows("nhi feedback", [notable], 'verdict=benign reason="a drill"')
    assert thief(here, benign) == []
    assert [text for _, text in here.messages if "not listed because of verdicts and exceptions: 1 benign" in text]
    confirmed = {**benign, "verdict": ["confirmed"], "analyst": ["boss"]}
    (back,) = thief(here, benign, confirmed)
    assert back["nhi_id"] == notable["nhi_id"]


def test_a_notable_of_which_exceptions_cover_every_reason_is_left_out(here: Commands) -> None:
    (notable,) = thief(here)
    document = json.loads(notable["_raw"][0])["nhi_notable"]
    pairs = [(s["id"], s["evidence"]) for s in document["signals"] if s["points"] >= 0.25 and not s["cannot_tell"]]
    until = render(int(time.time()) + 30 * DAY)
    verdict = {
        "verdict": ["expected"],
        "nhi_id": notable["nhi_id"],
        "identity": notable["nhi_identity_id"],
        "until": [until],
    }
    rows: list[Row] = [{**verdict, "signal": [signal], "value": [value]} for signal, value in pairs]
    assert len(thief(here, *rows[1:])) == 1, "one reason is not covered"
    assert thief(here, *rows) == []


@pytest.mark.parametrize("cells", [{"verdict": "nonsense"}, {"verdict": "benign", "time": "yesterday"}])
def test_a_verdict_that_is_none_is_counted_and_hides_nothing(here: Commands, cells: dict[str, str]) -> None:
    wrong = {"nhi_id": ["0" * 20], **{name: [value] for name, value in cells.items()}}
    rows = thief(here, wrong)
    assert [row for row in rows if row.get("nhi_id")]
    assert [row for row in rows if row.get("nhi_error", [""])[0].startswith("bad_verdict: ")]


def test_owners_come_from_their_own_table_where_assets_name_nobody(here: Commands) -> None:
    (notable,) = thief(here)
    assert not notable.get("nhi_owner")
    with filled(here, {"nhi_owners.csv": "payments-api,team-pay,,\n"}, add=True):
        (owned,) = thief(here)
        with filled(here, {"nhi_assets.csv": "payments-api,critical,,production,\n"}, add=True):
            (both,) = thief(here)
    assert owned["nhi_owner"] == both["nhi_owner"] == ["team-pay"]
    assert both["nhi_criticality"] == ["critical"]


def test_an_exception_is_narrow_and_ends_and_a_row_that_cannot_be_judged_is_named_and_not_kept(here: Commands) -> None:
    until = render(int(time.time()) + 30 * DAY)[:10]
    arguments = f"verdict=expected signal=new_network value=198.51.100.0/24 until={until}"
    known = {"nhi_id": ["0" * 20], "nhi_identity_id": ["aws:1:role:X"]}
    (good,) = here.rows("nhi feedback", [known, {"nhi_id": ["1" * 20]}, {"x": ["y"]}], arguments)
    assert [good[name][0] for name in ("identity", "signal", "value", "until")] == [
        "aws:1:role:X",
        "new_network",
        "198.51.100.0/24",
        f"{until}T00:00:00Z",
    ]
    nothing, nobody = (text for level, text in here.messages if level == "WARN")
    assert nothing.startswith("nhi feedback: no verdict on 1 of the rows: no nhi_id: give rows of `nhi_notables`")
    assert nobody.startswith("nhi feedback: no verdict on 1 of the rows: no nhi_identity_id: ")


def test_health_names_the_silent_source_the_missing_field_and_what_it_costs(here: Commands) -> None:
    hours = range(8 * 24)
    alive = [bucket("aws:cloudtrail", hour) for hour in hours]
    silent = [bucket(name, hour) for name in ("OktaIM2:log", "my:okta") for hour in hours if hour < 7 * 24]
    late = [bucket("github:cloud:audit", hour, delay=3 * 3600) for hour in hours]
    bare = [{k: v for k, v in item.items() if k not in ("userAgent", "awsRegion")} for item in story()]
    parts = here.rows("nhigroup", raw(bare))
    rows = here.rows("nhi health", [*alive, *silent, *late, *parts])
    by_source = {row["nhi_source"][0]: row for row in rows}
    assert by_source["cloudtrail"]["nhi_status"] == ["ok"] and by_source["my:okta"]["nhi_status"] == ["error"]
    assert by_source["okta"]["nhi_status"] == ["error"] and int(by_source["okta"]["nhi_silent_minutes"][0]) == 24 * 60
    assert by_source["github"]["nhi_status"] == ["warn"]
    assert by_source["vault"]["nhi_status"] == ["unknown"] and "nhi_json_logs" in by_source["vault"]["nhi_text"][0]
    assert set(by_source["aws"]["nhi_missing"]) >= {"region"} and "new_region" in by_source["aws"]["nhi_lost_signals"]
    assert by_source["nhi_state"]["nhi_status"] == ["unknown"], "no session here"
    problems = here.rows("nhi health", [*alive, *silent], "show=problems")
    assert {row["nhi_status"][0] for row in problems} == {"error"}


def test_health_says_so_where_a_close_does_not_end() -> None:
    book = Daybook([20_000, 20_001, 20_002], closed=20_000, clock=20_002, learnt=19_999)
    statuses = [health.baseline(book, 20_002 * DAY + hours * HOUR)["nhi_status"] for hours in (5, 6)]
    assert statuses == ["ok", "warn"]


def test_health_says_so_where_no_log_is_found_at_all(here: Commands) -> None:
    (source_row,) = [row for row in here.rows("nhi health", []) if row["nhi_check"] == ["source"]]
    assert (source_row["nhi_source"], source_row["nhi_status"]) == (["all"], ["unknown"])
    parts = here.rows("nhigroup", raw(story()))
    assert not [row for row in here.rows("nhi health", parts) if row["nhi_check"] == ["source"]]


def test_identities_tell_how_long_they_are_silent_and_how_old_their_keys_are(monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = MemoryStore(), 20_200 * DAY
    robot = Identity("aws:1:user:AIDAROBOT", "arn:aws:iam::1:user/robot", "user", "aws", "1", "")
    quiet = robot._replace(id="aws:1:role:AROAQUIET", kind="role")
    person = robot._replace(id="aws:1:user:AIDAPERSON", human="maria")

    def key(number: int, first: int, *changes: tuple[int, str]) -> Credential:
        made = tuple(Change(time, what, "", "", "", "") for time, what in changes)
        return Credential(f"AKIA{number}", (robot,), first, now, made)

    created, used = now - 400 * DAY, now - 90 * DAY
    keys = [key(1, used, (created, "created")), key(2, used), key(3, used, (created, "created"), (used, "deleted"))]
    known = [Known(robot, created, now - HOUR), Known(quiet, created, used), Known(person, created, used)]
    inventory.keep(store, keys, identities=known)
    monkeypatch.setattr(nhi, "reading", lambda search: store)
    command = nhi.Nhi()
    command.prepare(Search(["identities"], latest=now))
    header, *rows = read_rows(command.finish()[0])
    assert header == list(fields.IDENTITY)
    result = {row[0]: row[-3:] for row in rows}
    assert result == {quiet.id: ["90", "0", ""], robot.id: ["0", "2", "400"]}


def bucket(sourcetype: str, hour: int, delay: int = 60) -> Row:
    start = START + hour * 3600
    indexed = str(start + 3540 + delay)
    return {"sourcetype": [sourcetype], "_time": [str(start)], "count": ["5"], "nhi_indexed": [indexed]}
