"""How a notable is named on the command line: by its rank in the last list, or by six letters of its id or more."""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import TODAY, record
from desk_samples import DAY_ONE, NOW, asked, desk, notable, state
from need import shared_data
from nhi_watch import cli
from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.core.notable import short_ids
from nhi_watch.detect import feedback as verdicts
from nhi_watch.hosts.files import brief, common, explain, feedback, find, jobs, respond
from nhi_watch.report import jsonlines
from nhi_watch.state.sqlite import SqliteStore
from test_pipeline import quiet, raid

IDS = ["99aabbccdd", "35f0000000", "35f0000011", "352b579911", "1234567a00"]
HEX = st.lists(st.text("0123456789abcdef", min_size=20, max_size=20), min_size=1, max_size=40, unique=True)


@pytest.mark.parametrize("name", ["99", "35", "352", "1234567", "6", "99999999999999999999"])
def test_a_bare_number_is_a_rank_or_an_error_and_never_the_start_of_an_id(name: str) -> None:
    with pytest.raises(InputError, match="bare number is a rank"):
        find.chosen(name, IDS, {1: IDS[0]})
    assert find.chosen("1", IDS, {1: IDS[4]}) == IDS[4]


@pytest.mark.parametrize("altered", [None, {}, {"provisional": "x"}, []])
def test_a_notable_of_the_state_that_was_altered_is_refused_and_no_defect_of_ours(
    tmp_path: Path, altered: object
) -> None:
    stored = notable()
    path = state(tmp_path, [{**stored, "telemetry": altered}]) / "state.sqlite"
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=f"row of {stored['id']} in the state was altered .*telemetry"):
        find.notable_of(store, stored["id"], tmp_path)
    store.close()


def test_six_letters_are_enough_fewer_are_not_and_two_of_a_kind_are_named() -> None:
    assert find.chosen("352b57", IDS, {}) == find.chosen("352B5799", IDS, {}) == "352b579911"
    with pytest.raises(InputError, match="too short"):
        find.chosen("352b5", IDS, {})
    with pytest.raises(InputError, match="2 notables' ids begin with '35f000': 35f000000, 35f000001;"):
        find.chosen("35f000", IDS, {})
    with pytest.raises(InputError, match="no notable's id begins"):
        find.chosen("abcdef", IDS, {})


@given(HEX)
def test_the_short_id_that_is_shown_is_always_taken(ids: list[str]) -> None:
    for ident, short in short_ids(ids).items():
        assert len(short) >= 6 and (not short.isdigit() or short == ident)
        assert find.chosen(short, ids, {}) == ident


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state with two notables, and a list in which the second is the first."""
    both = [notable(), notable(DAY_ONE + 1)]
    jsonlines.write(tmp_path / "notables.jsonl", [{**both[1], "rank": 1}, {**both[0], "rank": 2}])
    return state(tmp_path, both)


def test_every_command_takes_rank_and_short_id(folder: Path) -> None:
    for name, day in (("1", DAY_ONE + 1), ("2", DAY_ONE), (notable()["id"][:7], DAY_ONE)):
        wanted = notable(day)["id"]
        assert asked(explain, name, out=folder)["id"] == wanted
        assert asked(respond, "plan", name, out=folder)["notable"] == wanted
        said = asked(feedback, name, "benign", "--by", "a", "--why", "b", "--now", NOW, out=folder)
        assert said["notable_id"] == wanted
        assert f"`{wanted}`" in desk(brief, name, out=folder)
    for module, more in ((explain, ()), (respond, ()), (feedback, ("benign", "--by", "a", "--why", "b")), (brief, ())):
        words = ("plan",) if module is respond else ()
        with pytest.raises(InputError, match="rank 99: the list has 2 rows"):
            desk(module, *words, "99", *more, out=folder)


def test_the_short_ids_of_the_table_are_those_that_commands_take(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = desk(explain, "1", out=folder)
    (short,) = set(re.findall(r"nhi (?:brief|feedback|respond plan) ([0-9a-f]{6,20})", shown))
    assert asked(explain, short, out=folder)["id"] == notable(DAY_ONE + 1)["id"]


def test_a_silent_log_is_not_sent_to_the_plan_which_nobody_is_in(tmp_path: Path) -> None:
    silent = {**notable(), "kind": "blind_spot", "record_ids": [], "record_count": 0}
    shown = desk(explain, silent["id"], out=state(tmp_path, [silent]))
    assert "Next: nhi brief" in shown and "respond plan" not in shown


def test_explain_names_the_people_whose_network_is_new_to_an_identity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thief's network is nobody's; that of a colleague is a colleague's, however many accounts he has."""
    home = "185.220.101.9"
    people = [person(day, name, home) for day in range(TODAY - 5, TODAY) for name in ("ann@x.io", "Ann", "ben@x.io")]
    for named, records in (
        ("", raid()),
        ("People who use 185.220.101.0/24: ann@x.io (5 days), ben@x.io (5 days)", [*people, *raid()]),
    ):
        out = tmp_path / str(len(records))
        path = tmp_path / f"{len(records)}.json"
        path.write_text("\n".join(map(json.dumps, [*quiet(20), *records])))
        assert cli.main(["score", str(path), "--out", str(out)]) == 0
        capsys.readouterr()
        assert cli.main(["explain", "1", "--out", str(out)]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert ("People who use" in text) == bool(named) and named in text, text


def person(day: int, name: str, address: str) -> Any:
    """A call of a person whose role is of single sign-on."""
    made = record(day, "10:00", address=address, id=f"{name}{day}")
    issuer = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    made["userIdentity"].update(principalId=f"AROASSO:{name}", arn=f"arn:aws:sts::111111111111:assumed-role/x/{name}")
    made["userIdentity"]["sessionContext"]["sessionIssuer"].update(arn=issuer, principalId="AROASSO")
    return made


def test_what_is_recorded_is_said_before_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["feedback", "1", "confirmed", "--by", "alice", "--why", "seen", "--out", str(folder)]
    assert cli.main(words) == 0
    text = capsys.readouterr().out
    wanted = notable(DAY_ONE + 1)
    assert text.index(f"Recording: confirmed, by alice, of notable {wanted['id']}") < text.index("Recorded:")
    assert wanted["title"][:30] in text
    assert cli.main([*words, "--json"]) == 0
    both = capsys.readouterr()
    assert json.loads(both.out)["notable_id"] == wanted["id"] and "Recording:" in both.err
    with pytest.raises(InputError):
        desk(feedback, "35", "benign", "--by", "a", "--why", "b", out=folder)
    store = SqliteStore(folder / "state.sqlite")
    assert {v.notable_id for v in verdicts.verdicts(store)} == {wanted["id"]}
    store.close()


def test_explain_says_what_was_judged_and_asks_no_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "1", "--out", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "then give your verdict" in text and "Verdict:" not in text
    asked_for = ["feedback", "1", "confirmed", "--by", "alice", "--why", "seen in chat", "--out", str(folder)]
    assert cli.main(asked_for) == cli.main(["explain", "1", "--out", str(folder)]) == 0
    text = capsys.readouterr().out
    assert "Verdict: confirmed, by alice on " in text and ": seen in chat\nNext: nhi brief" in text
    assert "then give your verdict" not in text


def test_what_comes_next_names_the_state_and_the_program_as_they_were_given(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "my state.sqlite"
    (folder / "state.sqlite").rename(moved)
    monkeypatch.setattr(sys, "argv", [".venv/bin/nhi"])
    assert cli.main(["explain", "1", "--out", str(folder), "--state", str(moved)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Next: "))
    first = line.removeprefix("Next: ").split("; ")[0]
    name = find.short(folder, notable(DAY_ONE + 1)["id"])
    assert first == f".venv/bin/nhi brief {name} --out {folder} --state '{moved}'"
    assert cli.main(shlex.split(first)[1:]) == 0
    assert common.place(folder, folder / "state.sqlite") == f"--out {folder}"


@pytest.mark.parametrize(("words", "seconds"), [(("explain", "1"), 0.5), (("brief", "1"), 1.0)])
def test_what_an_analyst_waits_for_is_there_at_once(words: tuple[str, ...], seconds: float, tmp_path: Path) -> None:
    jobs.score(
        jobs.ScoreJob([str(shared_data("cloudtrail/invictus"))], tmp_path, tmp_path / "state.sqlite", budget=1000)
    )
    command = [sys.executable, "-m", "nhi_watch.cli", *words, "--out", str(tmp_path)]
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < seconds  # the processor's time: the machine may be busy with others' work


HEAVY = (
    "nhi_watch.detect.engine",
    "nhi_watch.hosts.elastic",
    "nhi_watch_lab.evaluation",
    "httpx",
    "jinja2",
    "elasticsearch",
)


@pytest.mark.parametrize("name", ["explain", "brief"])
def test_what_is_not_needed_is_not_loaded(name: str, folder: Path) -> None:
    code = (
        f"import sys; from nhi_watch import cli; cli.main([{name!r}, '1', '--out', {str(folder)!r}]); "
        "print('LOADED', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    wanted = HEAVY if name == "brief" else (*HEAVY, "nhi_watch.detect.scoring")
    assert [module for module in loaded if module.startswith(wanted)] == []
