"""Feedback: verdicts stay on record, exceptions are narrow and end, a flood does not blind anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk_samples import DAY_ONE, KEY, MAKES, NETWORK, NOW, ROLE, USER, asked, desk, notable, signal, state
from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.status import is_resolved
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.detect import feedback, publish
from nhi_watch.detect.feedback import Allowed, Verdict
from nhi_watch.hosts.files import feedback as command
from nhi_watch.state.store import MemoryStore
from notable_samples import altered

SECOND = parse(NOW)
ONE = notable()
TWO = notable(DAY_ONE + 1)
BY = ("--by", "alice", "--why", "known scanner", "--now", NOW)
NARROW = ("--signal", "new_network", "--value", "198.51.100.0/24", "--until", "2026-06-01")


def verdict(
    name: str, what: str = "benign", by: str = "bob", time: int = SECOND, severity: str = "critical"
) -> Verdict:
    return Verdict(name, "i", "2026-02-16", what, by, time, "why", 0, "", time - 7200, severity)


def allowed(signal_id: str, value: str, identity: str = USER.id, until: int = SECOND + DAY) -> Allowed:
    return Allowed(f"{signal_id}{value}"[:12], identity, signal_id, value, until, "alice", "why", SECOND, ONE["id"])


# ---- verdicts


def test_a_verdict_is_recorded_shown_and_in_the_trail(tmp_path: Path) -> None:
    state(tmp_path, [ONE, TWO])
    desk(command, ONE["id"], "confirmed", *BY, out=tmp_path)
    answer = asked(command, "list", out=tmp_path)
    assert [(v["notable_id"], v["verdict"], v["by"]) for v in answer["verdicts"]] == [(ONE["id"], "confirmed", "alice")]
    assert answer["hours_to_decide"] == pytest.approx((SECOND - parse(ONE["created"])) / 3600, abs=0.01)
    (line,) = [json.loads(line) for line in audit.lines(tmp_path / "audit.jsonl")]
    assert (line["what"], line["by"], line["facts"]["notable_id"]) == ("verdict", "alice", ONE["id"])


WRONG = [
    ((ONE["id"], "harmless", *BY), "give one of"),
    ((ONE["id"], "benign", "--now", NOW), "a verdict needs --by and --why"),
    (("ffffff", "benign", *BY), "no notable's id begins with"),
    (("2-4", "benign", *BY), "give ids or ranks with commas"),
    ((ONE["id"], "expected", *BY), "needs an end"),
    ((ONE["id"], "expected", *BY, "--until", "2021-06-30"), "days of 2026-03-"),
    ((ONE["id"], "expected", *BY, "--until", "2028-01-01"), "within 366 days of 2026-03-"),
    ((ONE["id"], "benign", *BY, "--until", "2026-04-01"), "--until goes only with the verdict expected"),
    ((ONE["id"], "duplicate", *BY), "needs --of"),
    ((ONE["id"], "duplicate", *BY, "--of", ONE["id"]), "another notable"),
    ((ONE["id"], "benign", *BY, *NARROW[:4]), "go only with the verdict expected"),
    ((ONE["id"], "expected", *BY, *NARROW[:3], "203.0.113.0/24", *NARROW[4:]), "has: 198.51.100.0/24"),
    ((ONE["id"], "expected", *BY, "--signal", "nonsense", *NARROW[2:]), "unknown; give one of this notable's: new_net"),
    ((ONE["id"], "expected", *BY, *NARROW[2:]), "--value needs --signal"),
    ((ONE["id"], "expected", *BY, "--signal", "key_age", *NARROW[2:]), "not among the reasons"),
]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[says for _, says in WRONG])
def test_a_wrong_verdict_is_one_clear_line_and_records_nothing(
    words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    state(tmp_path, [ONE])
    with pytest.raises(InputError, match=says):
        desk(command, *words, out=tmp_path)
    assert asked(command, "list", out=tmp_path)["verdicts"] == []
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_verdict_that_is_taken_back_holds_no_more(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    desk(command, ONE["id"], "benign", *BY, out=tmp_path)
    desk(command, ONE["id"], "open", *BY[:-1], "2026-03-01T12:00:01Z", out=tmp_path)
    assert asked(command, "list", out=tmp_path)["verdicts"] == []


def test_a_verdict_names_the_likelier_day_that_it_covers_as_well(tmp_path: Path) -> None:
    earlier = {
        "revision": 1, "time": "2026-02-20T09:00:00Z", "day": "2026-02-20", "likelihood": 97.0, "why": "first seen",
        "identity": ONE["identity"]["id"], "signals": [], "receipt": ONE["receipt"],
    }  # fmt: skip
    state(tmp_path, [{**ONE, "likelihood": 16.0, "revisions": [earlier, {**earlier, "likelihood": 11.0}]}])
    said = desk(command, ONE["id"], "benign", *BY, out=tmp_path)
    assert f"{ONE['id'][:8]} is 16% likely, and the verdict covers its 97% of 2026-02-20 as well" in said
    assert "covers" not in desk(command, ONE["id"], "confirmed", *BY[:-1], "2026-03-01T13:00:00Z", out=tmp_path)


def test_the_latest_verdict_holds_but_nobody_takes_back_what_another_confirmed() -> None:
    given = [verdict("a", "confirmed", "alice", 10), verdict("a", "benign", "bob", 20)]
    assert feedback.standing(given)["a"].verdict == "confirmed"
    given.append(verdict("a", "benign", "alice", 30))
    assert feedback.standing(given)["a"].verdict == "benign"


def test_a_verdict_that_does_not_hold_is_not_said_to_be_recorded_alone(tmp_path: Path) -> None:
    """Another's confirmed one holds, and in a replay one that was given by a later clock."""
    state(tmp_path, [ONE, TWO])
    desk(command, ONE["id"], "confirmed", *BY, out=tmp_path)
    bob = ("--by", "bob", "--why", "no", "--now", "2026-03-01T13:00:00Z")
    said = desk(command, ONE["id"], "benign", *bob, out=tmp_path)
    assert f"is benign. {ONE['id']}" not in said and "is benign." not in said
    assert "holds (confirmed, by alice of 2026-03-01): only alice can withdraw it." in said
    said = desk(command, f"{ONE['id']},{TWO['id']}", "benign", *bob[:-1], "2026-03-01T14:00:00Z", out=tmp_path)
    assert "Recorded: 1 notables are benign." in said and "only alice can withdraw it" in said
    earlier = desk(command, TWO["id"], "benign", *bob[:-1], "2026-03-01T11:00:00Z", out=tmp_path)
    assert "holds (benign, by bob of 2026-03-01): it is later." in earlier
    assert "is benign." in desk(command, TWO["id"], "benign", *bob[:-1], "2026-03-01T15:00:00Z", out=tmp_path)


def test_a_verdict_of_a_replay_that_has_ended_by_the_machines_clock_says_so(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    said = desk(command, ONE["id"], "expected", *BY, "--until", "2026-03-20", out=tmp_path)
    assert f"it holds in runs with `nhi score --now {NOW}` or later" in said


def test_verdicts_go_to_another_state_as_they_are(tmp_path: Path) -> None:
    state(tmp_path / "a", [ONE, TWO])
    desk(command, ONE["id"], "confirmed", *BY, out=tmp_path / "a")
    desk(command, TWO["id"], "duplicate", *BY, "--of", ONE["id"], out=tmp_path / "a")
    file = tmp_path / "verdicts.jsonl"
    desk(command, "export", file, out=tmp_path / "a")
    row, other = [json.loads(line) for line in file.read_text().splitlines()]
    assert row == {
        "notable_id": ONE["id"],
        "identity_id": USER.id,
        "day": "2026-02-16",
        "verdict": "confirmed",
        "by": "alice",
        "why": "known scanner",
        "time": NOW,
    }
    assert other["duplicate_of"] == ONE["id"]
    state(tmp_path / "b", [ONE, TWO])
    assert asked(command, "import", file, "--now", NOW, out=tmp_path / "b") == {"imported": 2}
    there = asked(command, "list", out=tmp_path / "b")["verdicts"]
    assert there == asked(command, "list", out=tmp_path / "a")["verdicts"]


def test_splunks_lookup_is_read_as_well(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    file = tmp_path / "nhi_feedback.csv"
    file.write_text(f"nhi_id,identity,time,verdict,reason,analyst\n{ONE['id']},{USER.id},{NOW},benign,a test,carol\n")
    desk(command, "import", file, "--now", NOW, out=tmp_path)
    assert asked(command, "list", out=tmp_path)["verdicts"][0]["by"] == "carol"


def test_a_table_without_times_is_of_now(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    file = tmp_path / "verdicts.csv"
    file.write_text(f"notable_id,verdict,by,why\n{ONE['id']},benign,carol,a test\n")
    desk(command, "import", file, "--now", NOW, out=tmp_path)
    assert asked(command, "list", out=tmp_path)["verdicts"][0]["time"] == NOW


def test_an_import_with_one_wrong_line_imports_nothing_and_names_it(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    good = {"notable_id": ONE["id"], "verdict": "benign", "by": "a", "why": "b", "time": NOW}
    for bad, says in (
        (("{"), "not JSON"),
        (json.dumps({**good, "notable_id": "x"}), "no notable"),
        (json.dumps({**good, "time": "then"}), "line 2"),
        (json.dumps({**good, "verdict": "y"}), "line 2"),
        (json.dumps({**good, "time": "2027-01-01T00:00:00Z"}), "after now"),
    ):
        file = tmp_path / "in.jsonl"
        file.write_text(json.dumps(good) + "\n" + bad + "\n")
        with pytest.raises(InputError, match=says):
            desk(command, "import", file, "--now", NOW, out=tmp_path)
    assert asked(command, "list", out=tmp_path)["verdicts"] == []


# ---- exceptions


def test_an_exception_shows_what_it_would_hide_before_it_is_saved(tmp_path: Path) -> None:
    state(tmp_path, [ONE, TWO, notable(DAY_ONE + 2, signals=(NETWORK, MAKES)), notable(DAY_ONE, ROLE)])
    answer = asked(command, ONE["id"], "expected", *BY, *NARROW, out=tmp_path)
    assert not answer["saved"]
    assert sorted(answer["would_hide"]["others"]) == sorted([ONE["id"], TWO["id"]])
    assert asked(command, "exceptions", out=tmp_path)["exceptions"] == []
    desk(command, ONE["id"], "expected", *BY, *NARROW, "--save", out=tmp_path)
    (saved,) = asked(command, "exceptions", "--now", NOW, out=tmp_path)["exceptions"]
    assert (saved["identity_id"], saved["signal"], saved["value"]) == (USER.id, "new_network", "198.51.100.0/24")
    assert not saved["ended"]
    assert asked(command, "exceptions", "--now", "2026-07-01", out=tmp_path)["exceptions"][0]["ended"]


def test_an_exception_that_would_hide_a_confirmed_incident_shows_it_first_and_is_not_saved(tmp_path: Path) -> None:
    state(tmp_path, [ONE, TWO])
    desk(command, TWO["id"], "confirmed", *BY, out=tmp_path)
    text = desk(command, ONE["id"], "expected", *BY, *NARROW, out=tmp_path)
    assert text.index(f"CONFIRMED incident {TWO['id']}") < text.index(f"would have hidden {ONE['id']}")
    with pytest.raises(InputError, match="1 confirmed"):
        desk(command, ONE["id"], "expected", *BY, *NARROW, "--save", out=tmp_path)
    assert asked(command, "exceptions", out=tmp_path)["exceptions"] == []
    desk(command, ONE["id"], "expected", *BY, *NARROW, "--save", "--despite-confirmed", out=tmp_path)
    assert len(asked(command, "exceptions", out=tmp_path)["exceptions"]) == 1


def test_an_expected_notable_offers_its_narrow_exceptions(tmp_path: Path) -> None:
    state(tmp_path, [notable(signals=(NETWORK, MAKES))])
    text = desk(command, ONE["id"], "expected", *BY, "--until", "2026-06-01", out=tmp_path)
    assert "--signal new_network --value '198.51.100.0/24'" in text
    assert "--signal credential_creation --value 'iam:CreateAccessKey'" in text


COVERED = [allowed("new_network", "198.51.100.0/24")]


def test_an_exception_hides_only_what_it_names() -> None:
    assert feedback.hidden(ONE, COVERED, SECOND)
    assert not feedback.hidden(ONE, [], SECOND)
    assert not feedback.hidden(ONE, COVERED, SECOND + DAY), "it has ended"
    assert not feedback.hidden(notable(identity=ROLE), COVERED, SECOND), "another identity"
    assert not feedback.hidden(notable(fresh=["198.51.100.0/24", "192.0.2.0/24"]), COVERED, SECOND), "another value too"
    assert not feedback.hidden(notable(signals=(NETWORK, MAKES)), COVERED, SECOND), "another reason too"
    assert not feedback.hidden(notable(kind="exposure"), COVERED, SECOND)
    assert not feedback.hidden(notable(members=(USER, ROLE)), COVERED, SECOND), "a linked intrusion"


def test_two_exceptions_hide_what_has_two_reasons() -> None:
    both = [*COVERED, allowed("credential_creation", "iam:CreateAccessKey")]
    assert feedback.hidden(notable(signals=(NETWORK, MAKES)), both, SECOND)


def test_a_list_that_may_be_cut_hides_nothing() -> None:
    many = [f"198.51.{n}.0/24" for n in range(6)]
    assert not feedback.hidden(notable(fresh=many), [allowed("new_network", value) for value in many], SECOND)


def verdicts_on(store: MemoryStore, notables: list[Any], now: int) -> list[str]:
    """What has closed each notable as it is shown at a time; "": nothing has."""
    shown = publish.as_of(store, notables, now)
    return [item["closed_why"].partition(",")[0] if is_resolved(item) else "" for item in shown]


def test_verdicts_and_exceptions_close_notables_and_confirmed_ones_stay_open() -> None:
    store = MemoryStore()
    others = [notable(DAY_ONE + n) for n in range(2, 5)]
    feedback.put(store, [verdict(others[0]["id"]), verdict(others[1]["id"], "confirmed")])
    feedback.put_allowed(store, COVERED[0])
    loud = notable(DAY_ONE + 9, signals=(signal("spending", 3.0, "starts machines that cost", 3),))
    assert verdicts_on(store, [ONE, *others[:2], loud], SECOND) == ["excepted", "benign", "", ""]


def test_an_expected_notable_comes_back_when_its_time_is_over() -> None:
    store = MemoryStore()
    feedback.put(store, [verdict(ONE["id"], "expected")._replace(until=SECOND + 10)])
    assert verdicts_on(store, [ONE], SECOND) == ["expected"]
    assert verdicts_on(store, [ONE], SECOND + 11) == [""]


def test_what_became_graver_after_its_verdict_comes_back() -> None:
    store, seen = MemoryStore(), {**ONE, "likelihood": 50.0, "severity": "medium"}
    feedback.put(store, [verdict(ONE["id"], severity="medium")])
    assert verdicts_on(store, [{**seen, "likelihood": 55.0}], SECOND) == ["benign"]
    assert verdicts_on(store, [{**seen, "severity": "high"}], SECOND) == [""]
    feedback.put(store, [verdict(ONE["id"], severity="medium", time=SECOND + 1)._replace(created=0)])
    again = verdicts_on(store, [{**seen, "severity": "high"}], SECOND)
    assert again == ["benign"], "it is not known what was seen"


def test_a_verdict_is_no_word_on_what_logs_told_after_it_whenever_that_was_done() -> None:
    """A daily batch: the verdict of ten o'clock, and of nine o'clock what the logs of the next night tell."""
    store, seen = MemoryStore(), altered({**ONE, "revisions": [{}], "last_grown": render(SECOND - 3 * DAY)})
    feedback.put(store, [feedback.make_verdict(seen, "benign", "alice", "known", SECOND, {})])
    assert verdicts_on(store, [seen], SECOND) == ["benign"]
    assert verdicts_on(store, [{**seen, "last_grown": render(SECOND - 3600)}], SECOND) == [""]
    late = feedback.make_verdict(
        altered({**seen, "last_grown": render(SECOND + 60)}), "benign", "alice", "known", SECOND, {}
    )
    assert late.grown == SECOND, "an import: its giver cannot have seen what came after"


def test_an_exposure_has_no_exceptions_of_signals(tmp_path: Path) -> None:
    state(tmp_path, [{**ONE, "kind": "exposure"}])
    text = desk(command, ONE["id"], "expected", *BY, "--until", "2026-04-01", out=tmp_path)
    assert "nhi controls" in text and "--signal" not in text
    with pytest.raises(InputError, match="nhi controls --except"):
        desk(command, ONE["id"], "expected", *BY, *NARROW, out=tmp_path)


def test_a_run_leaves_out_what_was_dealt_with_and_says_so(tmp_path: Path) -> None:
    from core_samples import record
    from nhi_watch.hosts.files import jobs

    usual = [record(day, f"{hour}:00") for day in range(20_480, 20_501) for hour in (10, 11, 12)]
    calls = ("ListUsers", "CreateAccessKey", "CreateUser", "AttachUserPolicy", "DeleteTrail", "PutUserPolicy")
    raid = [
        record(20_500, f"10:0{n}", service="iam", name=name, address="185.220.101.4", agent="aws-cli/2.9")
        for n, name in enumerate(calls)
    ]
    (tmp_path / "log.json").write_text("\n".join(map(json.dumps, [*usual, *raid])))
    job = jobs.ScoreJob(
        [str(tmp_path / "log.json")], tmp_path / "out", tmp_path / "out" / "state.sqlite", budget=1_000.0
    )
    (item,) = jobs.score(job).notables
    desk(command, item["id"], "benign", "--by", "alice", "--why", "planned", out=tmp_path / "out")
    again = jobs.score(job)
    assert (again.notables, again.run["verdicts"]["hidden"]) == ([], {"benign": 1})
    entries = [json.loads(line)["what"] for line in audit.lines(tmp_path / "out" / "audit.jsonl")]
    assert entries == ["model", "verdict"], "the model once, when it was first used"


VALUES = st.text(min_size=1, max_size=20)


@given(st.lists(VALUES, min_size=1, max_size=4, unique=True), st.lists(VALUES, max_size=4))
def test_nothing_is_hidden_by_exceptions_for_other_values(fresh: list[str], excepted: list[str]) -> None:
    document = notable(fresh=fresh)
    assert feedback.hidden(document, [allowed("new_network", v) for v in excepted], SECOND) == (
        set(fresh) <= set(excepted)
    )


def test_the_credential_of_a_notable_is_no_exception_of_its_network() -> None:
    assert not feedback.hidden(ONE, [allowed("new_network", KEY)], SECOND)


def test_all_that_a_verdict_lacks_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        feedback.make_verdict(notable(), "expected", "", " ", 0, {})
    assert all(word in str(caught.value) for word in ("--by", "--why", "--until"))
    with pytest.raises(InputError) as caught:
        feedback.make_verdict(notable(), "", "alice", "", 0, {})
    assert "confirmed" in str(caught.value) and "--why" in str(caught.value) and "--by" not in str(caught.value)


def test_verdicts_are_applied_by_publish_alone() -> None:
    """Verdicts decide where a day is cut, and whom they teach."""
    detect = Path(publish.__file__).parent
    texts = {path.stem: path.read_text("utf-8") for path in detect.rglob("*.py")}
    users = {name for name, text in texts.items() if re.search(r"feedback import .*\bVerdicts\b", text)}
    assert users == {"engine", "publish"}
