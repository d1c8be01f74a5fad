"""JSON lines, the terminal table and the ECS alert."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from need import need
from nhi_watch import cli, schemas
from nhi_watch.core.errors import InputError
from nhi_watch.detect.run import ranked
from nhi_watch.hosts.files import listing
from nhi_watch.report import ecs, jsonlines, words
from nhi_watch.report.run_summary import facts
from nhi_watch.report.terminal import show
from nhi_watch.report.words import visible
from notable_samples import HOSTILE, altered, documents, run

CREATED = "2026-03-13T00:05:00Z"
ECS_PACKAGE = "@elastic/ecs@9.4.0"


def test_notables_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "out" / "notables.jsonl"
    assert jsonlines.write(path, documents()) == 12
    assert list(jsonlines.read(path)) == documents()
    assert [child.name for child in path.parent.iterdir()] == ["notables.jsonl"]


def test_a_writer_that_dies_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    def dying() -> Iterator[Any]:
        yield {"id": 2}
        raise KeyboardInterrupt

    path = tmp_path / "notables.jsonl"
    jsonlines.write(path, [{"id": 1}])
    with pytest.raises(KeyboardInterrupt):
        jsonlines.write(path, dying())
    assert path.read_text() == '{"id":1}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_the_callers_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"run\.json: cannot be written: "):
        jsonlines.write_run(tmp_path / "file" / "run.json", run())


def test_a_lone_surrogate_is_kept_as_an_escape(tmp_path: Path) -> None:
    path = tmp_path / "notables.jsonl"
    jsonlines.write(path, [{"title": "lone\ud800"}])
    assert path.read_text() == '{"title": "lone\\ud800"}\n'


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notables.jsonl"
    path.write_text('{"id":1}\n[]\n')
    with pytest.raises(InputError, match=r"notables\.jsonl:2: not a JSON object"):
        list(jsonlines.read(path))


def shown(notables: list[Any], width: int, said: Any) -> str:
    stream = io.StringIO()
    show(notables, said, Console(file=stream, width=width))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_the_table_in_eighty_columns() -> None:
    first, second = {**documents()[0], "id": "352b5797c8"}, {**documents()[7], "id": "4e4b6f3800"}
    assert shown([first, second], 80, run(2)) == (
        "New (2)\n"
        "#   likelihood     what happened                                when (UTC)\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        "1   97% critical   Stolen key: credential creation from a Tor   2026-03-09 02:12\n"
        "    352b57         exit                                         for 38 min\n"
        "                   user/deploy-bot, known 58 d, platform…\n"
        "8   52% medium     Exposure: Access key found in a public       2026-03-11 20:00\n"
        "    4e4b6f         repository                                   for 4 min\n"
        "                   user/billing-export, new identity, fi…\n"
        "New first, confirmed last, each by expected loss (likelihood × impact).\n"
        "Caveats: 3 of 184,221 records could not be read.\n"
        "184,221 records → 312 identities → 2 notables listed; alerts 61 in, 2 out; not\n"
        "listed 4 notables; budget 22 rows a week (10 a day per 1,000 identities), 9\n"
        "taken; rejected 3 (bad_time 1, not_json 2)"
    )


def test_of_several_days_the_time_is_that_of_what_is_told_and_the_first_day_is_named() -> None:
    document = documents()[0]
    eve = {"first_time": "2026-03-05T09:00:00Z", "baseline": {"id": "2026-03-08"}}
    unusual = {**document["timeline"][0], "points": 3.0}
    timeline = [{**unusual, "time": f"2026-03-0{day}T10:0{minute}:00Z"} for day, minute in ((5, 0), (9, 1), (9, 4))]
    lines = shown([{**document, **eve, "timeline": timeline}], 100, run(1))
    assert "2026-03-09 10:01" in lines and "for 3 min" in lines and "since 2026-03-05" in lines
    grown = {
        **document,
        **eve,
        "timeline": timeline,
        "revisions": [{"day": "2026-03-09", "time": "2026-03-09T10:31:00Z"}],
    }
    assert "for 30 min" in shown([grown], 100, run(1)), "the last call of its last hour is the end, as in the summary"
    alone = {**document, "last_time": document["first_time"]}
    assert "for 0 s" not in shown([alone], 100, run(1))


def test_what_is_new_comes_first_and_what_is_below_the_line_last() -> None:
    new, old, below = (altered({**documents()[n], "id": f"{n}52b5797c8"}) for n in (0, 1, 2))
    stream = io.StringIO()
    show(
        [new, altered({**old, "life": "ongoing"})],
        run(2),
        Console(file=stream, width=100),
        [altered({**below, "listed": False})],
    )
    lines = stream.getvalue().splitlines()
    titles = [line.strip() for line in lines if line.strip().endswith(")") and line[:1].isupper() and "(1)" in line]
    assert titles == ["New (1)", "Still open (1)", "Not listed (1)"]


def test_what_is_confirmed_stands_below_what_is_to_be_done_in_one_line_each() -> None:
    sure, todo, new = (altered({**documents()[0], "id": f"{n}52b5797c8", "rank": n + 1}) for n in range(3))
    rows = [new, altered({**todo, "life": "ongoing"}), sure]
    said = {**run(3), "verdicts": {"confirmed": {sure["id"]: "ann"}, "in_work": [sure["id"]]}}
    stream = io.StringIO()
    show(rows, said, Console(file=stream, width=160))
    lines = stream.getvalue().splitlines()
    titles = [line.strip() for line in lines if line.strip().endswith("(1)")]
    assert titles == ["New (1)", "Still open (1)", "Confirmed, work in progress (1)"]
    at = lines.index("Confirmed, work in progress (1)")
    assert sure["id"][:6] in lines[at + 1] and "(confirmed)" in lines[at + 1] and not lines[at + 2].strip()
    known = [altered({**row, "verdict": "", "in_work": row is sure, "work": None}) for row in rows]
    assert [line for line in list_of(known, 160) if line.endswith("(1)")] == titles, "nhi list has the same sections"
    assert [row["id"] for row in ranked(rows[::-1], [sure["id"]])][-1] == sure["id"], "its rank is the last, too"
    older = {**run(3), "verdicts": {"confirmed": {sure["id"]: "ann"}}}
    assert [*words.in_work(older)] == [sure["id"]], "run.json of an earlier version does not say who works on what"


def test_what_waits_for_a_verdict_alone_is_one_line() -> None:
    old, older, fresh = (
        altered(
            {
                **documents()[0],
                "id": f"{n}52b5797c8",
                "life": "quiet",
                "last_time": f"2026-03-{day}T10:00:00Z",
                "listed_on": f"2026-03-{day}",
            }
        )
        for n, day in enumerate(("02", "01", "09"))
    )
    stream = io.StringIO()
    read_nothing = {**run(3), "days": [], "data_end": "2026-03-11T00:00:00Z"}
    show([old, older, fresh], read_nothing, Console(file=stream, width=160))
    text = stream.getvalue()
    assert "Still open (3)" in text and fresh["id"][:6] in text
    assert old["id"][:6] not in text and older["id"][:6] not in text
    assert "2 more, quiet for three days: 2 without a verdict; the oldest since 2026-03-01: nhi list shows them" in text


def test_what_was_read_before_has_its_title_on_a_narrow_console() -> None:
    row = altered({**documents()[0], "id": "352b5797c8", "life": "ongoing", "listed_on": "2026-03-02"})
    narrow = words.going_on(row, "352b57", "confirmed, in progress, assigned to bob", 80)
    assert narrow == [
        "  1  352b57  97% critical, since 2026-03-02 (confirmed, in progress, assigned t…",
        "     Stolen key: credential creation from a Tor exit",
    ]
    long = altered({**row, "title": "Exposure: " + "a word of forty letters or so it is not " * 6})
    first, second = words.going_on(long, "352b57", "", 80)[1:]
    assert first.endswith(" letters") and second.endswith("…") and max(len(first), len(second)) <= 80
    (wide,) = words.going_on(row, "352b57", "confirmed", 160)
    assert (
        wide
        == "  1  352b57  97% critical, since 2026-03-02: Stolen key: credential creation from a Tor exit (confirmed)"
    )
    (cut,) = words.going_on(long, "352b57", "confirmed", 120)
    assert cut.endswith("… (confirmed)") and len(cut) == 120, "the verdict is never cut off by a long title"


def list_of(rows: list[Any], width: int) -> list[str]:
    stream = io.StringIO()
    listing.tell(rows, {row["id"]: row["id"][:6] for row in rows}, Console(file=stream, width=width))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_nhi_list_has_the_parts_of_the_run_and_does_not_break_words_on_a_narrow_console() -> None:
    title = "App x: 5 bulk reads, most often elasticloadbalancing:DescribeLoadBalancers from 52.28.115.154"
    rows = [
        altered(
            {**documents()[0], "id": f"{n}52b5797c8", "rank": n, "title": title, "verdict": "", "work": None, **more}
        )
        for n, more in enumerate(
            ({"life": "new"}, {"life": "ongoing"}, {"life": "closed", "listed_on": "2026-03-01"}), 1
        )
    ]
    lines = list_of(rows, 80)
    assert [line for line in lines if line[:1].isalpha()] == ["New (1)", "Still open (1)", "Earlier (1)"]
    assert any("elasticloadbalancing:DescribeLoadBalancers" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_files_that_are_no_logs_are_not_counted_as_those_that_may_be() -> None:
    said = {fact.label: fact.text for fact in facts({"passed_over": {"files": 1, "may_matter": 0}})}
    assert said["Skipped"] == "1 file, not recognized as logs"


def test_what_somebody_confirmed_says_so_on_the_next_day() -> None:
    said = {**run(1), "verdicts": {"confirmed": {documents()[0]["id"]: "ann"}, "in_work": []}}  # it rose since
    assert "confirmed, by ann: user/deploy-bot" in shown([documents()[0]], 100, said)


def test_what_is_settled_stands_apart_with_its_verdict() -> None:
    below, done = (altered({**documents()[n], "id": f"{n}52b5797c8", "listed": False}) for n in (0, 1))
    stream = io.StringIO()
    resolved = altered({**done, "life": "closed", "closed_why": "benign, by alice"})
    show([], run(2), Console(file=stream, width=100), [resolved, below])
    head, _, tail = stream.getvalue().partition("Settled (1)")
    assert "Not listed (1)" in head and "benign, by alice: " in tail and "alice" not in head


def test_without_notables_there_is_one_calm_line() -> None:
    assert shown([], 80, {"read": 3, "rejected": {}, "notables": 0}) == (
        "No notables in 3 records.\n3 records → 0 notables listed; rejected 0"
    )


def test_no_width_breaks_the_table() -> None:
    for width in (1, 2, 7, 20, 39, 59, 60, 61, 99, 100, 101, 500):
        lines = shown(documents(), width, run()).splitlines()
        assert max(map(len, lines)) <= width


def test_log_values_cannot_steer_the_terminal() -> None:
    hostile = [dict(documents()[4], title=value[:200]) for value in HOSTILE]
    text = shown(hostile, 120, {})
    assert not any(char in text for char in "\x1b\x07\r\u202e")
    assert "invoice⟨U+202E⟩gpj.exe" in text


def test_colour_only_on_a_terminal() -> None:
    stream = io.StringIO()
    show(documents(), run(), Console(file=stream, width=100, force_terminal=True, color_system="standard"))
    assert "\x1b[1;31m97% critical" in stream.getvalue()
    assert "\x1b" not in shown(documents(), 100, run())


@pytest.mark.parametrize(
    "words",
    [
        ("score", "{out}/\x1b[31mX\x07\u202e.jsonl", "--out", "{out}/results"),
        ("respond", "setup", "--by", "\x1b[31mX\x07\u202e", "--out", "{out}"),
        ("explain", "\x1b[31mXXXXXX", "--out", "{out}"),
    ],
)
def test_names_of_files_and_people_act_on_no_terminal(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main([word.format(out=tmp_path) for word in words])
    printed = capsys.readouterr()
    assert printed.out + printed.err and not {*"\x1b\x07\u202e"} & {
        *printed.out,
        *printed.err,
    }


def test_an_old_encoding_gets_question_marks_and_no_error() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stream:
        show(documents(), run(), Console(file=stream, width=100))
        stream.flush()
        assert b"184,221 records ? 312 identities" in raw.getvalue()


HIDDEN = [
    ("plain", "plain"),
    ("Zürich 東京", "Zürich 東京"),
    ("a\tb\nc", "a b c"),
    ("zero\u200bwidth", "zero⟨U+200B⟩width"),
    ("lone\ud800", "lone⟨U+D800⟩"),
    ("line\u2028sep", "line⟨U+2028⟩sep"),
    ("api\u3164\u2800\ufe0f\U000e0100", "api⟨U+3164⟩⟨U+2800⟩⟨U+FE0F⟩⟨U+E0100⟩"),
    ("e" + 6 * "\u0301" + "a\u0301", "e" + 4 * "\u0301" + 2 * "⟨U+0301⟩" + "a\u0301"),
    ("x" * 3000, "x" * 1999 + "…"),
]


@pytest.mark.parametrize(("text", "expected"), HIDDEN)
def test_hidden_characters_are_written_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.fixture(scope="session")
def ecs_fields() -> Any:
    """Elastic's own list of fields, fetched from npm once a machine; never part of this project."""
    cache = Path(tempfile.gettempdir()) / "nhi_watch-ecs-9.4.0.tgz"
    if not cache.exists():
        need(shutil.which("npm"), "needs npm to fetch the list of ECS fields")
        with tempfile.TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", ECS_PACKAGE]
            done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
            need(done.returncode == 0, f"needs {ECS_PACKAGE} from npm")
            shutil.copy(next(Path(folder).glob("*.tgz")), cache)
    return flat_fields(cache)


def flat_fields(archive: Path) -> Any:
    """`EcsFlat` out of the package: JavaScript that node turns into JSON."""
    need(shutil.which("node"), "needs node to read the list of ECS fields")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
        script = "console.log(JSON.stringify(require('./package').EcsFlat))"
        done = subprocess.run(["node", "-e", script], cwd=folder, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted paths and values of a document's fields."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path, node


def faults(document: Any, fields: Any) -> list[str]:
    """What ECS says against a document, `nhi.*`, `data_stream` and what the integrations add to it apart."""
    result = []
    for path, value in leaves(document):
        if path.startswith(("nhi.", "data_stream.", "related.entity")):
            continue
        if path not in fields:
            result.append(f"{path}: unknown")
            continue
        field = fields[path]
        if ("array" in field.get("normalize", [])) != isinstance(value, list):
            result.append(f"{path}: array or not")
        allowed = {item["name"] for item in field.get("allowed_values", [])}
        values = value if isinstance(value, list) else [value]
        result += [f"{path}: {item} not allowed" for item in values if allowed and item not in allowed]
        result += [f"{path}: not a {field['type']}" for item in values if not fits(field["type"], item)]
    return result


def fits(kind: str, value: Any) -> bool:
    if kind in ("float", "long"):
        return isinstance(value, (int, float) if kind == "float" else int)
    return isinstance(value, str) and (kind != "date" or value.endswith("Z"))


def test_every_alert_is_ecs(ecs_fields: Any) -> None:
    assert len(ecs_fields) == 2605
    assert [faults(ecs.alert(notable, created=CREATED), ecs_fields) for notable in documents()] == [[]] * 12


def test_an_alert_carries_the_score_the_severity_the_reasons_and_the_identity() -> None:
    alert = ecs.alert(documents()[0], created=CREATED)
    assert alert["event"]["severity"] == 99
    assert alert["event"]["risk_score"] == 100.0, "the expected loss, by which we rank"
    assert alert["nhi"]["notable"]["likelihood"] == 97.3
    assert alert["rule"]["name"] == "NHI compromise" and alert["message"].startswith(documents()[0]["title"])
    assert alert["event"]["reason"].startswith(
        "Network novelty +2.81: 185.220.101.0/24 (Tor exit) was never seen with this identity"
    )
    assert alert["user"]["id"] == alert["user"]["entity"]["id"] == "aws:111122223333:user:deploy-bot"
    linked = ecs.alert(documents()[0], created=CREATED, kibana="https://kibana.example.com/s/soc")["event"]["url"]
    assert linked.startswith("https://kibana.example.com/s/soc/app/") and documents()[0]["id"] in linked
    assert alert["threat"]["technique"]["id"] == ["T1078", "T1136", "T1098", "T1555"]
    children = alert["threat"]["technique"]["subtechnique"]
    assert children["id"] == ["T1078.004", "T1136.003", "T1098.001", "T1555.006"]
    assert alert["tags"][:2] == ["nhi", "NHI-07"]
    assert alert["nhi"]["change"] == "new"
    cut = {name: documents()[0][name] for name in ("rank", "record_ids", "signals", "timeline")}
    assert {**alert["nhi"]["notable"], **cut} == documents()[0]


def test_every_address_of_a_call_is_related_and_no_network_is() -> None:
    notable: Any = json.loads(json.dumps(documents()[0]))
    notable["timeline"][-1]["also_from"] = ["198.51.100.7", "203.0.113.0/24", "*"]
    before, after = (ecs.alert(each, created=CREATED)["related"].get("ip", []) for each in (documents()[0], notable))
    assert set(after) - set(before) == {"198.51.100.7"}


def test_an_identity_is_a_user_or_a_service_and_never_both() -> None:
    for notable in documents():
        alert = ecs.alert(notable, created=CREATED)
        kind = "user" if notable["identity"]["kind"] in ("user", "root") else "service"
        assert [name for name in ("user", "service") if name in alert] == alert["entity"]["type"] == [kind]
        assert alert[kind]["id"] == alert["entity"]["id"] == notable["identity"]["id"]


def _largest(schema: Any, root: Any) -> Any:
    """The largest value that a schema allows; what it does not bound, as a log might have it."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    kinds = schema.get("type", "string")
    kind = next(each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null")
    if "enum" in schema or "const" in schema:
        return schema.get("const", [value for value in schema.get("enum", [None]) if value is not None][-1])
    if kind == "object":
        return {key: _largest(inner, root) for key, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_largest(schema.get("items", {}), root) for _ in range(schema.get("maxItems", 50))]
    if kind == "string":
        if "pattern" in schema or schema.get("format") == "date-time":
            return CREATED if schema == root["$defs"]["time"] else "ab" * 10
        return ("\u4e00`" + "x" * 9_000)[: schema.get("maxLength", 2_000)]
    return {"integer": 9, "number": 9.5, "boolean": True}[kind]


def test_the_largest_notable_that_the_schema_allows_is_an_alert_of_20_kb_at_most(ecs_fields: Any) -> None:
    first, path = documents()[0], Path(schemas.__file__).with_name("notable.schema.json")
    schema = json.loads(path.read_text("utf-8"))
    kept = {name: first[name] for name in ("frameworks", "model", "baseline", "receipt", "telemetry")}
    largest = altered(
        {**_largest(schema, schema), **kept, "kind": "compromise", "severity": "critical", "merged_into": None}
    )
    for signal, known in zip(largest["signals"], itertools.cycle(first["signals"])):
        signal["id"] = known["id"]
    assert len(json.dumps(largest)) > 1_000_000
    alert = ecs.alert(largest, created=CREATED, kibana="https://kibana.example.com")
    size = len(json.dumps(alert, ensure_ascii=False, separators=(",", ":")).encode())
    assert 10_000 < size <= 20_000 and faults(alert, ecs_fields) == []
    assert alert["nhi"]["brief"].count("`") % 2 == 0


def test_only_addresses_become_source_ip() -> None:
    notable = documents()[0]
    assert "source" not in ecs.alert(notable, created=CREATED)
    notable["timeline"][0]["source"] = "185.220.101.7"
    alert = ecs.alert(notable, created=CREATED)
    assert alert["source"] == {"ip": "185.220.101.7", "address": "185.220.101.7"}
    assert alert["related"]["ip"] == ["185.220.101.7"]


def test_nothing_that_the_stack_owns_is_written() -> None:
    paths = [path for notable in documents() for path, _ in leaves(ecs.alert(notable, created=CREATED))]
    assert not [path for path in paths if path.startswith(("kibana.", "user.risk.", "host.risk.", "risk."))]


def test_each_revision_of_a_notable_has_a_document_id_of_its_own() -> None:
    first, second = documents()[:2]
    assert ecs.document_id(first) == ecs.document_id(altered({**first, "rank": 9, "created": CREATED}))
    grown = altered({**first, "revision": first["revision"] + 1})
    assert len({ecs.document_id(item) for item in (first, second, grown)}) == 3


def test_a_reader_who_has_seen_enough_gets_no_message_and_no_defect() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "nhi_watch.cli", "model", "show"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_below_the_line_the_gravest_comes_first_and_no_new_trifle() -> None:
    grave, trifle = (
        altered({**documents()[0], "id": name, "listed": False, "severity": severity, "life": status})
        for name, severity, status in (("a", "high", "ongoing"), ("b", "low", "new"))
    )
    listed = [altered({**item, "listed": True}) for item in (grave, trifle)]
    assert [item["id"] for item in ranked([trifle, grave])] == ["a", "b"]
    assert [item["id"] for item in ranked(listed)] == ["b", "a"]
