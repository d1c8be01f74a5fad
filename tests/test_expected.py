"""Expected patterns: what they cover, what they never do, the proof before one is saved, and that they end."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, Options, run, runs
from desk_samples import DAY_ONE, ROLE, USER, asked, desk, notable, state
from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect import expected, feedback, publish
from nhi_watch.detect.expected import Pattern
from nhi_watch.detect.feedback import Verdict
from nhi_watch.hosts.files import audit as audit_command
from nhi_watch.hosts.files import expect
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from notable_samples import altered
from test_cases import now, others, until
from test_pipeline import odd, quiet, raid

ROOM = Options(budget=1000.0)
GIVEN = TODAY * DAY + 20 * HOUR
NOW = "2026-03-01T12:00:00Z"
SAID = ("--by", "ann", "--why", "nightly job", "--until", "2026-04-01", "--now", NOW)


def given(document: Any, until: int = GIVEN + 30 * DAY) -> Verdict:
    return Verdict(document["id"], document["identity"]["id"], "", "expected", "ann", GIVEN, "a job", until, "", 0, "")


def of(document: Any, *calls: str, places: tuple[str, ...] = ()) -> Pattern:
    return expected.make(document, calls, places, given(document))


def raided() -> MemoryStore:
    return runs([quiet(20) + raid() + until(TODAY)], ROOM)


def lasting(store: MemoryStore, pattern: Pattern) -> None:
    """Runs of samples are years ago: the pattern holds as of now."""
    expected.put(store, pattern._replace(until=int(time.time()) + DAY))


def test_what_a_pattern_covers_is_not_listed_and_counted_and_what_goes_beyond_it_is() -> None:
    store = raided()
    pattern = of(now(store))
    lasting(store, pattern)
    result = run(store, others(TODAY + 1), ROOM)
    assert ([event.change for event in result.events], result.standing) == (["settled"], [])
    assert result.run["verdicts"]["hidden"] == {pattern.name: 1}
    assert result.run["verdicts"]["gravest"] > 80, "a critical one is never left out in silence"
    assert now(store)["closed_why"] == f"{pattern.name}, by ann on {render(GIVEN)[:10]}"
    again = run(store, raid(day=TODAY + 2) + others(TODAY + 2), ROOM)
    assert (again.standing, again.run["verdicts"]["hidden"]) == ([], {pattern.name: 1})
    (back,) = run(store, odd("payments-api", "DeleteUser", TODAY + 3) + others(TODAY + 3), ROOM).standing
    assert back["since"].startswith("Back since") and "New calls: iam:DeleteUser." in back["since"]


def test_a_pattern_that_ended_hides_nothing_and_its_end_is_one_that_hosts_wait_for() -> None:
    store = raided()
    pattern = of(now(store))
    expected.put(store, pattern)
    assert expected.next_end(store, GIVEN) == pattern.until
    assert expected.in_force(store, pattern.until) == [] and expected.in_force(store, GIVEN) == [pattern]
    assert len(run(store, others(TODAY + 1), ROOM).standing) == 1, "it ended years ago"
    lasting(store, pattern._replace(ended=GIVEN))
    assert len(run(store, others(TODAY + 2), ROOM).standing) == 1


def test_a_confirmed_notable_is_hidden_by_no_pattern_and_the_proof_says_so_before() -> None:
    store = raided()
    pattern = of(now(store))
    assert expected.preview(State(store), pattern) == ((now(store)["id"],), 1, (), ())
    feedback.put(store, [feedback.make_verdict(now(store), "confirmed", "bob", "theft", GIVEN, {})])
    assert expected.preview(State(store), pattern).confirmed == (now(store)["id"],)
    lasting(store, pattern)
    assert [item["id"] for item in run(store, others(TODAY + 1), ROOM).standing] == [now(store)["id"]]


def test_of_a_confirmed_notable_that_is_no_longer_kept_nothing_is_proved() -> None:
    store = raided()
    lost = Verdict("gone", now(store)["identity"]["id"], "", "confirmed", "bob", GIVEN, "theft", 0, "", 0, "critical")
    feedback.put(store, [lost])
    assert expected.preview(State(store), of(now(store))).unproved == ("gone",)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "iam:DeleteUser"},
        {"source": "192.0.2.1"},
        {"source": ""},
        {"action": "s3:PutObject"},
    ],
)
def test_one_unusual_call_beyond_it_is_enough(changes: dict[str, str]) -> None:
    document = notable()
    pattern = of(document, "sts:GetCallerIdentity", "iam:CreateAccessKey", places=("198.51.100.0/24",))
    assert pattern.covers(document)
    beyond = {**document["timeline"][1], **changes}
    assert not pattern.covers(altered({**document, "timeline": [*document["timeline"], beyond]}))
    assert pattern.covers(altered({**document, "timeline": [*document["timeline"], {**beyond, "points": 0.0}]})), (
        "routine"
    )


def test_a_star_in_a_logs_name_of_a_call_is_no_wildcard_of_the_pattern_that_it_suggests() -> None:
    document = notable()
    named = [{**entry, "action": "s3:Get*"} for entry in document["timeline"]]
    pattern = of(altered({**document, "timeline": named}))
    assert pattern.covers(altered({**document, "timeline": named}))
    other = [{**entry, "action": "s3:GetObject"} for entry in document["timeline"]]
    assert not pattern.covers(altered({**document, "timeline": other}))
    assert of(document, "s3:Get*").covers(altered({**document, "timeline": other})), "people may say it"


@pytest.mark.parametrize(
    ("source", "place", "is_covered"),
    [
        ("198.51.100.7", "198.51.100.0/28", True),
        ("198.51.100.77", "198.51.100.0/28", False),
        ("198.51.100.0/24", "198.51.100.0/28", False),
        ("198.51.100.0/24", "198.51.0.0/16", True),
        ("2001:db8::/64", "198.51.0.0/16", False),
        ("lambda.amazonaws.com", "lambda.amazonaws.com", True),
        ("198.51.100.7/x", "198.51.100.0/28", False),
    ],
)
def test_a_place_covers_what_lies_in_it_as_a_whole(source: str, place: str, is_covered: bool) -> None:
    document = notable()
    placed = [{**entry, "source": source} for entry in document["timeline"]]
    calls = sorted({entry["action"] for entry in placed})
    assert of(document, *calls, places=(place,)).covers(altered({**document, "timeline": placed})) is is_covered


NEAR = "185.220.101.99"


@pytest.mark.parametrize(
    ("addresses", "places", "is_covered"),
    [
        ((), ("185.220.101.4",), True),
        ((NEAR,), ("185.220.101.4",), False),
        ((NEAR,), ("185.220.101.4", NEAR), True),
        ((NEAR,), ("185.220.101.0/24",), True),
        (("185.220.101.5", "185.220.101.6"), ("185.220.101.4", "185.220.101.5", "185.220.101.6"), False),
        (("185.220.101.5", "185.220.101.6"), ("185.220.101.0/24",), True),
    ],
    ids=["itself", "one beside it", "both", "their network", "more than are kept", "the network of many"],
)
def test_a_pattern_of_an_address_covers_no_other_of_its_network(
    addresses: tuple[str, ...], places: tuple[str, ...], is_covered: bool
) -> None:
    """In the same hour, by the same calls and client: only the addresses tell them apart."""
    store = raided()
    calls = sorted({entry["action"] for entry in now(store)["timeline"]})
    lasting(store, expected.make(now(store), calls, places, given(now(store))))
    beside = [
        {**item, "sourceIPAddress": address, "eventID": f"{address}{n}"}
        for address in addresses
        for n, item in enumerate(raid(day=TODAY + 2))
    ]
    result = run(store, raid(day=TODAY + 2) + beside + others(TODAY + 2), ROOM)
    assert (result.standing == []) is is_covered


def test_the_pattern_that_a_notable_suggests_names_all_places_that_it_covers() -> None:
    beside = [{**item, "sourceIPAddress": NEAR, "eventID": f"beside{n}"} for n, item in enumerate(raid())]
    store = runs([quiet(20) + raid() + beside + until(TODAY)], ROOM)
    pattern = of(now(store))
    assert pattern.places == ["185.220.101.4", NEAR]
    assert pattern.covers(now(store))


def test_it_covers_nothing_more_severe_of_nobody_else_and_nothing_that_was_cut() -> None:
    document = notable(severity="medium")
    pattern = of(document)
    assert pattern.covers(document)
    changes: dict[str, Any]
    for changes in (
        {"severity": "high"},
        {"identity": notable(identity=ROLE)["identity"]},
        {"kind": "exposure"},
        {"timeline": document["timeline"] * 250},
        {"timeline": []},
        {"members": [document["identity"], notable(identity=ROLE)["identity"]]},
    ):
        assert not pattern.covers(altered({**document, **changes})), changes


@pytest.mark.parametrize(
    ("call", "wanted", "is_covered"),
    [
        ("s3:GetObject", "s3:Get*", True),
        ("s3:PutObject", "s3:Get*", False),
        ("S3:GetObject", "s3:Get*", False),
        ("cloudtrail:StopLogging", "cloudtrail:Stop*", False),
        ("cloudtrail:StopLogging", "cloudtrail:StopLogging", True),
        ("iam:CreateAccessKey", "iam:Create*", False),
        ("iam:AttachUserPolicy", "iam:Attach*", False),
        ("secretsmanager:GetSecretValue", "secretsmanager:Get*", False),
    ],
)
def test_a_wildcard_never_stands_for_a_sensitive_call(call: str, wanted: str, is_covered: bool) -> None:
    document = notable()
    entry = {**document["timeline"][0], "action": call, "points": 9.0}
    assert of(document, wanted).covers(altered({**document, "timeline": [entry]})) == is_covered


@pytest.mark.parametrize(("calls", "places", "why"), [
    (["*"], [], "name the service"), (["iam:*"], [], "name the service"), (["i*:GetUser"], [], "name the service"),
    ([], ["0.0.0.0/0"], "/16"), ([], ["10.0.0.0/8"], "/16"), ([], ["2001:db8::/16"], "/32"), ([], ["*"], "give an add"),
    ([], [" "], "give an address"), (["s3:Get*"] * 41, [], "more than 40"),
])  # fmt: skip
def test_a_pattern_that_is_too_wide_is_refused(calls: list[str], places: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        expected.make(notable(), calls, places, given(notable()))


def test_it_needs_an_end_a_reason_and_one_identity() -> None:
    for end in (0, GIVEN, GIVEN + 91 * DAY):
        with pytest.raises(InputError, match="within 90 days"):
            expected.make(notable(), [], [], given(notable(), end))
    with pytest.raises(InputError, match="needs --by and --why"):
        expected.make(notable(), [], [], given(notable())._replace(why=""))
    several = altered({**notable(), "members": [notable()["identity"], notable(identity=ROLE)["identity"]]})
    with pytest.raises(InputError, match="links several identities"):
        expected.make(several, [], [], given(notable()))


# ---- the command


def folder(tmp_path: Path) -> Path:
    return state(tmp_path, [notable(), notable(DAY_ONE + 1)])


def test_the_command_previews_saves_lists_and_ends(tmp_path: Path) -> None:
    out, name = folder(tmp_path), notable()["id"]
    text = desk(expect, name, *SAID, out=out)
    assert "Nothing is saved yet" in text and "Every notable that was confirmed would still be listed" in text
    assert asked(expect, "list", out=out) == {"patterns": []}
    saved = asked(expect, name, *SAID, "--call", "s3:Get*", "--from", "198.51.100.0/24", "--save", out=out)
    (row,) = asked(expect, "list", "--now", NOW, out=out)["patterns"]
    assert (row["id"], row["state"], row["calls"], row["by"]) == (saved["id"], "in force", ["s3:Get*"], "ann")
    (fact,) = [item["facts"] for item in audit.entries(out / audit.NAME, "pattern")]
    assert (fact["id"], fact["why"], fact["until"]) == (row["id"], "nightly job", "2026-04-01T00:00:00Z")
    desk(audit_command, "verify", out=out)
    assert asked(expect, "hidden", row["id"], out=out) == {"notables": []}
    desk(expect, "end", row["id"], "--by", "bob", "--why", "job is gone", "--now", NOW, out=out)
    assert asked(expect, "list", "--now", NOW, out=out)["patterns"][0]["state"] == "ended 2026-03-01"
    desk(audit_command, "verify", out=out)
    with pytest.raises(InputError, match="ended already"):
        desk(expect, "end", row["id"], "--by", "bob", "--why", "again", "--now", NOW, out=out)


def test_a_pattern_put_beside_the_trail_is_noticed(tmp_path: Path) -> None:
    out = folder(tmp_path)
    desk(expect, notable()["id"], *SAID, "--save", out=out)
    store = SqliteStore(out / "state.sqlite")
    expected.put(store, expected.patterns(store)[0]._replace(until=parse("2027-01-01T00:00:00Z")))
    store.commit()
    store.close()
    with pytest.raises(InputError, match=r"the expected pattern .* not in the trail"):
        desk(audit_command, "verify", out=out)


def test_one_that_may_hide_a_confirmed_notable_is_not_saved(tmp_path: Path) -> None:
    out = folder(tmp_path)
    store = SqliteStore(out / "state.sqlite")
    feedback.put(store, [feedback.make_verdict(notable(), "confirmed", "bob", "theft", parse(NOW) - 60, {})])
    store.commit()
    store.close()
    with pytest.raises(InputError, match="it was not saved"):
        desk(expect, notable()["id"], *SAID, "--save", out=out)
    assert asked(expect, "list", out=out) == {"patterns": []} and not (out / audit.NAME).exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("1",), "rank"),
        (("zz",), "too short"),
        (("hidden",), "which pattern: give 6 letters"),
        (("end", "abcdef12"), "needs|takes --by"),
        (("NAME", "extra", *SAID), "nothing may follow"),
        (("NAME", "--until", "soon"), "give a time"),
        (("NAME",), "needs --by and --why; it needs an end"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    named = [notable()["id"] if word == "NAME" else word for word in words]
    with pytest.raises(InputError, match=why):
        desk(expect, *named, out=folder(tmp_path))


def test_nothing_that_a_client_writes_is_in_the_row_of_a_pattern() -> None:
    row = json.dumps(expected.plain(of(notable(identity=USER))))
    assert "agent" not in row and "session" not in row and publish.PUB not in row
