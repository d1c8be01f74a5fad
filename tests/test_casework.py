"""Notes, who works on what, verdicts on several notables, and the morning digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, Options, run, runs
from desk_samples import DAY_ONE, KEY, MAKES, NETWORK, NOW, asked, desk, notable, state
from nhi_watch.act import audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect import changes, publish
from nhi_watch.detect import feedback as verdicts
from nhi_watch.detect.casework import make_note as noted
from nhi_watch.hosts.files import digest, explain, feedback, find, listing, note
from nhi_watch.report import html, jsonlines
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import MemoryStore, pack, unpack
from test_cases import give_verdict, others, until
from test_pipeline import quiet, raid

BOTH = [notable(), notable(DAY_ONE + 1)]
BY = ("--by", "alice", "--why", "known scanner", "--now", NOW)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A state with two notables, and the list of both."""
    jsonlines.write(tmp_path / "notables.jsonl", [{**item, "rank": rank} for rank, item in enumerate(BOTH, 1)])
    return state(tmp_path, BOTH)


def test_a_note_is_shown_in_list_and_explanation_and_is_on_record(out: Path) -> None:
    who = ("--by", "ann", "--assign", "bob", "--status", "in-progress", "--now", NOW)
    desk(note, "1", "asked the team", *who, out=out)
    answer = asked(note, "1", out=out)
    assert (answer["assignee"], answer["status"], answer["notes"][0]["text"]) == (
        "bob",
        "in progress",
        "asked the team",
    )
    assert "in progress, assigned to bob, 1 note" in desk(listing, out=out)
    row = next(load for load in json.loads(desk(listing, "--json", out=out)) if load["rank"] == 1)
    assert (row["status"], row["assignee"]) == ("in progress", "bob")
    said = desk(explain, "1", out=out)
    assert "Work: in progress, assigned to bob, 1 note" in said and "ann: asked the team; assigned to bob" in said
    (line,) = audit.entries(out / audit.NAME, "note")
    assert (line["by"], line["facts"]["assignee"], line["facts"]["time"]) == ("ann", "bob", NOW)


def test_the_latest_assignment_and_status_stand_and_can_be_taken_back(out: Path) -> None:
    desk(note, "1", "--by", "ann", "--assign", "bob", "--status", "in-progress", "--now", NOW, out=out)
    later = render(parse(NOW) + 60)
    desk(note, "1", "--by", "ann", "--assign", "nobody", "--status", "waiting", "--now", later, out=out)
    answer = asked(note, "1", out=out)
    assert (answer["assignee"], answer["status"], len(answer["notes"])) == ("", "waiting", 2)
    assert "(waiting)" in desk(listing, out=out), "who asked somebody sees that he waits"
    assert asked(note, "2", out=out) is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("1", "x", "--by", " "), "needs --by"),
        (("1", "--by", "ann"), "--by goes with"),
        (("7", "x"), "rank"),
        (("1", " "), "needs a text"),
    ],
)
def test_a_note_that_makes_no_sense_is_refused_and_nothing_is_recorded(
    out: Path, words: tuple[str, ...], why: str
) -> None:
    with pytest.raises(InputError, match=why):
        desk(note, *words, out=out)
    assert not (out / audit.NAME).exists()


def test_a_note_is_bounded_and_a_status_is_one_of_two() -> None:
    assert len(noted("n", "ann", 1, "x" * 9999).text) == 1000
    with pytest.raises(InputError, match="in progress or waiting"):
        noted("n", "ann", 1, status="asleep")


def test_the_page_holds_the_work(out: Path) -> None:
    desk(note, "1", "asked", "--by", "ann", "--now", NOW, out=out)
    work = {BOTH[0]["id"]: asked(note, "1", out=out)}
    (item, other) = html._bounded(BOTH, {}, {"work": work})
    assert (item["work"]["notes"][0]["text"], other["work"]) == ("asked", None)


# ---- verdicts on several


def test_several_ids_get_one_verdict_or_none_does(out: Path) -> None:
    answer = asked(feedback, "1,2", "benign", *BY, out=out)
    assert {verdict["notable_id"] for verdict in answer["verdicts"]} == {item["id"] for item in BOTH}
    assert len([*audit.entries(out / audit.NAME, "verdict")]) == 2
    with pytest.raises(InputError, match="rank"):
        desk(feedback, "1,9", "confirmed", *BY, out=out)
    with pytest.raises(InputError, match="one id"):
        desk(feedback, "1,2", "expected", *BY, "--until", "2026-06-01", "--signal", "new_network", out=out)
    assert len([*audit.entries(out / audit.NAME, "verdict")]) == 2
    assert len(asked(feedback, "1,1", "open", *BY, out=out)["verdicts"]) == 1


def test_a_filter_needs_the_code_of_exactly_the_list_that_was_shown(out: Path) -> None:
    shown = asked(feedback, "matching", "benign", "--identity", KEY, *BY, out=out)
    assert sorted(shown["matching"]) == sorted(item["id"] for item in BOTH)
    assert not (out / audit.NAME).exists(), "nothing is recorded yet"
    with pytest.raises(InputError, match="not the code"):
        desk(feedback, "matching", "benign", "--identity", KEY, "--confirm", "00000000", *BY, out=out)
    desk(feedback, "1", "benign", *BY, out=out)
    with pytest.raises(InputError, match="not the code"):
        desk(feedback, "matching", "benign", "--identity", KEY, "--confirm", shown["confirm"], *BY, out=out)
    item = asked(feedback, "matching", "benign", "--title", BOTH[0]["title"][:9].upper(), *BY, out=out)
    assert item["matching"] == [BOTH[1]["id"]], "who has a verdict keeps it"
    code = ("--title", BOTH[0]["title"][:9], "--confirm", item["confirm"])
    done = asked(feedback, "matching", "benign", *code, *BY, out=out)
    assert [each["notable_id"] for each in done["verdicts"]] == [BOTH[1]["id"]]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("matching", "benign", *BY), "needs --identity or --title"),
        (("matching", "benign", "--title", "no such", *BY), "no listed notable"),
        (("matching", "nonsense", "--identity", KEY, *BY), "verdict 'nonsense'"),
        (("1", "benign", "--identity", KEY, *BY), "go only with"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(out: Path, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(InputError, match=why):
        desk(feedback, *words, out=out)


# ---- the digest


def counts(digest: digest.Digest) -> dict[str, int]:
    return {name: len(notables) for name, notables in digest.parts.items() if notables}


def test_a_digest_tells_new_changed_back_and_resolved() -> None:
    room = Options(budget=1000.0)
    store = runs([quiet(20) + raid(steps=2) + until(TODAY)], room)
    assert counts(digest.make(store)) == {"new": 1}
    run(store, others(TODAY + 1), room)
    assert counts(digest.make(store, (TODAY + 1) * DAY + HOUR)) == {}, "nothing became of it"
    run(store, raid(day=TODAY + 2) + others(TODAY + 2), room)
    assert set(counts(digest.make(store))) <= {"new", "changed"}, "its severity rose"
    document = digest.make(store, 0).parts["new"][0]
    give_verdict(store, "benign", (TODAY + 2) * DAY + 20 * HOUR, document)
    text = digest.make(store)
    assert (counts(text), text.standing) == ({"resolved": 1}, 0), "a verdict counts at once"
    assert text.parts["resolved"][0]["closed_why"].endswith("from the next run on")
    run(store, others(TODAY + 3), room)
    text = digest.make(store)
    assert counts(text) == {"resolved": 1}
    assert digest.lines(text, {})[-1] == "  1 notable by verdicts: nhi feedback list"
    assert counts(digest.make(store, (TODAY + 4) * DAY)) == {}, "that run was read already"
    run(store, raid(day=TODAY + 4) + others(TODAY + 4), room)
    assert counts(digest.make(store)) == {"back": 1}
    (row,) = digest.make(store).parts["back"]
    assert find.standing(store, [row]) == {}, "the verdict does not cover what came later: the list shows it"


def published(document: Any, change: str) -> MemoryStore:
    """A state in which that became of a notable in the last run."""
    store = MemoryStore()
    publish.put(store, [document])
    (key, raw), *_ = store.scan("notable", "pub/", "pub0")
    plain, stored_document = unpack(raw)
    record = publish.Published(*plain)._replace(change=change, at=TODAY * DAY)
    store.put("notable", [(key, pack([list(record), stored_document]))])
    return store


def test_what_lost_its_row_without_a_verdict_is_not_called_resolved() -> None:
    """Of a notable that was benign a new alert came, which has no row."""
    text = digest.make(published({**notable(), "listed": False, "life": "ongoing"}, "closed"), 0)
    assert counts(text) == {"changed": 1} and text.standing == 0
    assert digest.DISPLACED in digest.lines(text, {notable()["id"]: "abc"})[-1]
    gone = published(
        {**notable(), "listed": False, "life": "closed", "closed_why": "nothing unusual for 7 days"}, "closed"
    )
    assert counts(digest.make(gone, 0)) == {"resolved": 1}


def grown(then: Any, now: Any, at: int) -> str:
    """What a digest says of a notable that was published at two times."""
    log = changes.extended((), None, then, at)
    return changes.since_time(now, changes.extended(log, (then, at), now, at + 12 * HOUR), at + HOUR)


def test_a_digest_says_what_changed() -> None:
    then = notable(likelihood=40.0, severity="medium")
    at = parse(then["last_time"]) + 1
    assert grown(then, then, at) == "only counts and times"
    call = {**then["timeline"][1], "time": render(at + 2 * HOUR), "points": 9.0}
    again = {**then, "timeline": [*then["timeline"], {**call, "source": "198.51.100.9", "count": 3}]}
    assert grown(then, again, at) == f"3 more unusual calls, the last at {render(at + 2 * HOUR)[:16]}Z", (
        "another address of the same network is nothing new"
    )
    entry = {**call, "action": "iam:DeleteUser", "source": "192.0.2.7", "targets": ["bob"]}
    now = {
        **notable(likelihood=72.0, severity="high", signals=(NETWORK, MAKES)),
        "timeline": [*then["timeline"], entry],
        "members": [then["identity"], {**then["identity"], "id": "other", "name": "bob"}],
    }
    assert grown(then, now, at) == (
        "likelihood 40% → 72%; severity medium → high; new identities: bob; "
        "new calls: iam:DeleteUser; addresses: 192.0.2.7; targets: bob; "
        f"new reason: {MAKES.evidence}"
    )


def test_changes_within_an_hour_are_one_entry_and_a_log_is_bounded() -> None:
    log, last = changes.extended((), None, notable(likelihood=1.0), 0), notable(likelihood=1.0)
    for number in range(1, 100):
        now = notable(likelihood=1.0 + number % 50)
        log = changes.extended(log, (last, number * 1800), now, number * 1800)
        last = now
    assert len(log) == 30 and log[-1][:2] == [99 * 1800, 50.0]
    assert changes.extended(log, (last, 0), last, 100 * 1800) == log, "nothing changed"
    older = changes.extended((), (notable(likelihood=40.0), 7), notable(likelihood=41.0), 9)
    assert [entry[:2] for entry in older] == [[7, 40.0], [9, 41.0]], "an earlier version kept no log"


def test_the_digest_of_a_run_says_how_the_likelihood_rose() -> None:
    room = Options(budget=1000.0)
    store = runs([quiet(20) + raid(steps=2) + until(TODAY)], room)
    before = publish.stored(store)[0]["likelihood"]
    run(store, raid(day=TODAY + 1, steps=5) + others(TODAY + 1), room)
    now = publish.stored(store)[0]["likelihood"]
    made = digest.make(store, (TODAY + 1) * DAY)
    (document,) = [*made.parts["changed"], *made.parts["new"]]
    text = changes.since_time(document, publish.latest(store)[0][0].log, (TODAY + 1) * DAY)
    assert text.startswith(f"likelihood {before:.0f}% → {now:.0f}%") and "new calls: " in text
    assert made.changes == ({document["id"]: text} if made.parts["changed"] else {})


def test_what_is_confirmed_is_a_section_of_its_own_until_it_becomes_more_severe() -> None:
    room = Options(budget=1000.0)
    store = runs([quiet(20) + raid(steps=2) + until(TODAY)], room)
    (document,) = publish.stored(store)
    give_verdict(store, "confirmed", TODAY * DAY + 20 * HOUR, document)
    made = digest.make(store)
    assert (counts(made), [item["id"] for item in made.confirmed]) == ({}, [document["id"]])
    assert digest.lines(made, {document["id"]: "abc"})[-2:] == [
        "Confirmed, work in progress (1)",
        f"  {digest.line(document, 'abc')}",
    ]
    assert made.headline.endswith("; 1 listed in all, 1 of them confirmed")
    assert run(store, others(TODAY + 1), room).run["verdicts"]["in_work"] == [document["id"]]
    (given,) = verdicts.standing(verdicts.verdicts(store)).values()
    less = {document["id"]: given._replace(severity="high")}
    assert document["severity"] == "critical" and not verdicts.in_work(less, [document]), "it is to be read again"
    assert verdicts.in_work({document["id"]: given._replace(severity="")}, [document]), "an export names no severity"


def test_what_a_pattern_resolved_is_said_with_the_severity_of_what_it_covers() -> None:
    """A pattern up to low covers the newest episode; that of last week was medium, and benign."""
    first: Any = {"revision": 1, "time": NOW, "day": NOW[:10], "why": "first seen", "identity": "a", "signals": [],
                  "receipt": {"model": "", "signals": "", "baseline": ""}, "identities": ["a"]}  # fmt: skip
    entries = [
        {**first, "likelihood": 48.0, "severity": "medium", "title": "the old one"},
        {**first, "revision": 2, "likelihood": 23.0, "severity": "low", "title": "the new one"},
        {**first, "revision": 3, "likelihood": 4.0, "severity": "informational", "title": "little"},
    ]
    document = {**notable(), "likelihood": 48.0, "severity": "medium", "revisions": entries, "life": "closed"}
    store = published({**document, "closed_why": "expected pattern abc, by ann on 2026-03-01"}, "settled")
    assert digest.lines(digest.make(store, 0), {notable()["id"]: "abc"})[-1].startswith("  abc  23% low: the new one")


def test_the_digest_is_printed_and_goes_with_nothing_but_a_time(out: Path) -> None:
    answer: dict[str, Any] = json.loads(desk(listing, "--digest", "--json", out=out))
    assert set(answer) == {"since", "listed", "confirmed", *digest.PARTS}
    assert "listed in all" in desk(listing, "--digest", "--since", "2026-02-01", out=out)
    for words in (("--severity", "high"), ("--all",), ("--csv",), ("--identity", "x"), ("--kind", "posture")):
        with pytest.raises(InputError, match="--digest goes with"):
            desk(listing, "--digest", *words, out=out)
    store = SqliteStore(out / "state.sqlite", read_only=True)
    assert verdicts.verdicts(store) == []
    store.close()
