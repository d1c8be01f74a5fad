"""A key that is exposed and then misused is one critical notable, whichever came first, in every host."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import exp, isclose
from pathlib import Path
from typing import Any

import pytest

from core_samples import TODAY, record, run, runs
from nhi_watch import cli
from nhi_watch.core.notable import from_json, to_json
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect import model
from nhi_watch.detect.engine import Scorer
from nhi_watch.detect.explain import brief, claims
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.run import Result
from nhi_watch.hosts.files import find
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from notable_samples import held
from splunk_conf import conf
from splunk_peers import Window
from splunk_server import Server
from test_exposure import KEY, admin, user
from test_pipeline import schema

Record = dict[str, Any]
POLICY = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
TOR = "185.220.101.4"
DAYS = range(TODAY - 10, TODAY + 4)
USUAL = [user(day, f"{hour}:10") for day in DAYS for hour in (11, 12)]
OTHERS = [record(day, "09:00", role=f"other-{n}") for day in DAYS for n in range(3)]
CALLS = (("sts", "GetCallerIdentity"), ("iam", "ListUsers"), ("iam", "CreateUser"), ("cloudtrail", "StopLogging"))
BUDGET = "300"


def raid(day: int, clock: str = "10") -> list[Record]:
    """What a thief does with the key, from Tor."""
    return [
        user(day, f"{clock}:{n:02}", service=service, name=name, address=TOR, agent="aws-cli/2.1")
        for n, (service, name) in enumerate(CALLS)
    ]


def exposed(day: int, clock: str = "10:30") -> list[Record]:
    """AWS finds the key in public, and quarantines its user."""
    return [admin(day, clock, "AttachUserPolicy", userName="ci", policyArn=POLICY)]


def story(*parts: Iterable[Record]) -> list[Record]:
    return sorted(
        [*USUAL, *OTHERS, *(item for part in parts for item in part)], key=lambda item: str(item["eventTime"])
    )


ORDERS = {
    "used at once": story(exposed(TODAY), raid(TODAY, "11")),
    "used before it was known": story(raid(TODAY), exposed(TODAY, "12:00")),
    "used the day after": story(exposed(TODAY), raid(TODAY + 1)),
    "known two days later": story(raid(TODAY), exposed(TODAY + 2)),
}


def scored(folder: Path, records: list[Record], name: str = "log") -> list[Record]:
    """What `nhi score` lists."""
    log = folder / f"{name}.json"
    log.write_text(json.dumps({"Records": records}), "utf-8")
    assert cli.main(["score", str(log), "--out", str(folder / "out"), "--budget", BUDGET]) == 0
    return listed(folder)


def listed(folder: Path) -> list[Record]:
    with (folder / "out" / "notables.jsonl").open(encoding="utf-8") as file:
        notables = [json.loads(line) for line in file]
    for notable in notables:
        schema().validate(notable)
        assert to_json(from_json(notable)) == notable
    return notables


def of_the_key(notables: Iterable[Any]) -> list[Any]:
    names = ((item, {item["identity"]["id"], *(m["id"] for m in item["members"])}) for item in notables)
    return [item for item, its_names in names if any(":AIDACI" in name for name in its_names)]


def told(notable: Record) -> list[Any]:
    """What is the same however the days were cut: all but when it was written, and as which revision."""
    names = ("id", "kind", "likelihood", "severity", "title", "record_ids", "members", "timeline", "listed")
    return [*(notable[name] for name in names), [[s["id"], s["log_odds"]] for s in notable["signals"]]]


@pytest.mark.parametrize("records", ORDERS.values(), ids=ORDERS)
def test_an_exposure_and_the_odd_calls_of_its_key_are_one_critical_notable(
    records: list[Record], tmp_path: Path
) -> None:
    (item,) = of_the_key(scored(tmp_path, records))
    assert (item["kind"], item["severity"]) == ("exposure", "critical")
    assert item["title"].startswith("User ci") and "from Tor" in item["title"]
    assert item["title"].endswith(f"; {KEY} was exposed in a public repository")
    assert {f"{service}:{name}" for service, name in CALLS} <= {entry["action"] for entry in item["timeline"]}
    assert any(entry["action"] == "exposure:quarantined" for entry in item["timeline"])
    assert item["record_count"] == len(item["record_ids"]), "what both tell of counts once"
    assert {"rotate_secret", "reduce_privilege"} == {control["id"] for control in item["controls"]}


@pytest.mark.parametrize("records", ORDERS.values(), ids=ORDERS)
def test_any_schedule_comes_to_the_same_notable(records: list[Record], tmp_path: Path) -> None:
    expected = told(*of_the_key(scored(tmp_path, records)))
    daily = tmp_path / "daily"
    daily.mkdir()
    for day in DAYS:
        some = [record for record in records if parse(record["eventTime"]) // DAY == day]
        for part, half in enumerate((some[::2], some[1::2])):
            result = scored(daily, half, f"{day}-{part}")
    assert [told(item) for item in of_the_key(result)] == [expected]


def test_what_it_adds_up_to_is_what_it_says(tmp_path: Path) -> None:
    for n, records in enumerate(ORDERS.values()):
        folder = tmp_path / str(n)
        folder.mkdir()
        (item,) = of_the_key(scored(folder, records))
        odds = exp(item["model"]["ordinary"] + sum(signal["log_odds"] for signal in item["signals"]))
        assert isclose(100 * odds / (1 + odds), item["likelihood"], abs_tol=0.1)
        assert "of an intrusion is `" in brief.text(item)


def test_the_odd_calls_keep_their_own_notable_as_part_of_it_by_which_they_are_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (item,) = of_the_key(scored(tmp_path, ORDERS["used the day after"]))
    (part,) = item["folded"]["ids"]
    assert cli.main(["explain", part, "--out", str(tmp_path / "out")]) == 0
    assert cli.main(["verify", part, "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert cli.main(["explain", item["id"], "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert cli.main(["show", KEY, "--json", "--out", str(tmp_path / "out")]) == 0
    text = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in text["notables"]] == [item["id"]]
    assert "First unusual call" in shown and "In log-odds" in shown
    assert "was exposed in a public repository" in held((tmp_path / "out" / "report.html").read_text("utf-8"))


def test_a_person_who_reports_the_key_gets_the_one_notable_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (before,) = of_the_key(scored(tmp_path, story(raid(TODAY))))
    assert before["kind"] == "compromise"
    since = render(TODAY * DAY + 12 * HOUR)
    assert cli.main(["exposed", KEY, "--since", since, "--where", "public-repo", "--out", str(tmp_path / "out")]) == 0
    (after,) = of_the_key(listed(tmp_path))
    assert after["folded"]["ids"] == [before["id"]]
    assert after["likelihood"] >= before["likelihood"]
    capsys.readouterr()
    assert cli.main(["controls", "--json", "--out", str(tmp_path / "out")]) == 0
    asked = {entry["notable"] for entry in json.loads(capsys.readouterr().out)["controls"]}
    assert after["id"] in asked and before["id"] not in asked


def test_calls_that_people_called_harmless_are_no_part_of_an_exposure(tmp_path: Path) -> None:
    (before,) = of_the_key(scored(tmp_path, story(raid(TODAY))))
    out = ["--out", str(tmp_path / "out")]
    assert cli.main(["feedback", before["id"], "benign", "--by", "ann", "--why", "a drill", *out]) == 0
    assert cli.main(["exposed", KEY, "--since", render((TODAY + 3) * DAY), "--where", "public-repo", *out]) == 0
    (alone,) = [item for item in of_the_key(listed(tmp_path)) if item["id"] != before["id"]]
    assert (alone["kind"], alone["folded"]) == ("exposure", None)
    assert alone["title"].startswith("Exposure: ")


def test_a_verdict_on_it_settles_both(tmp_path: Path) -> None:
    records = ORDERS["used the day after"]
    (item,) = of_the_key(scored(tmp_path, records))
    out = ["--out", str(tmp_path / "out")]
    assert cli.main(["feedback", item["id"], "benign", "--by", "ann", "--why", "our own canary", *out]) == 0
    assert of_the_key(scored(tmp_path, [record(DAYS[-1], "20:00", role="other-1")], "later")) == []


def test_odd_calls_with_another_key_of_the_same_user_stay_by_themselves() -> None:
    """On a day on which the exposed one was not used."""
    other = [
        {**item, "userIdentity": {**item["userIdentity"], "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}}
        for item in raid(TODAY + 1)
    ]
    rest = [item for item in story() if parse(item["eventTime"]) // DAY != TODAY + 1]
    store = runs([[*rest, *other]])
    fast.tell(store, KEY, TODAY * DAY + 10 * HOUR, "public-repo")
    assert sorted(item["kind"] for item in of_the_key(settled(store).standing)) == ["compromise", "exposure"]


def settled(store: MemoryStore) -> Result:
    return Scorer(State(store), model.load(), budget=float(BUDGET)).process(IntakeBatch())


def test_hosts_are_told_once_that_the_first_one_goes_on_as_part_of_the_other() -> None:
    records = ORDERS["known two days later"]
    cut = (TODAY + 2) * DAY
    early = [record for record in records if parse(record["eventTime"]) < cut]
    store = runs([early])
    (first,) = of_the_key(settled(store).standing)
    result = run(store, [record for record in records if parse(record["eventTime"]) >= cut])
    (notable,) = of_the_key(result.standing)
    changed = {item["id"]: item for item in result.changed}
    assert changed[first["id"]]["merged_into"] == notable["id"]
    assert changed[first["id"]]["life"] == "closed"
    folded = changed[notable["id"]]["folded"]
    assert folded is not None and folded["ids"] == [first["id"]]
    marked = next(item for item in find.every(store) if item["id"] == first["id"])
    assert (marked["listed"], marked["merged_into"]) == (False, notable["id"])
    assert all(check.holds is not False for check in claims.verify(store, model.load(), marked))


SAVED = conf("savedsearches.conf")


def test_splunk_finds_the_same(tmp_path: Path) -> None:
    records = ORDERS["known two days later"]
    (wanted,) = of_the_key(scored(tmp_path, records))
    (tmp_path / "lookups").mkdir()
    server = Server(tmp_path)
    server.overrides["nhi_budget"] = BUDGET
    for day in DAYS:
        some = [(parse(record["eventTime"]), record) for record in records if parse(record["eventTime"]) // DAY == day]
        end = day * DAY + DAY - 600
        server.index(some, "aws:cloudtrail", end)
        server.search(SAVED["NHI Watch - Group Events"]["search"], Window(0, end + DAY, end, end + 1), end + 60)
        server.scheduled("NHI Watch - Rank", end + 240)
        server.scheduled("NHI Watch - Close", end + 420)
    rows = server.search("`nhi_notables` | `nhi_latest`", Window(0, 1 << 40), end + DAY)
    mine = [row for row in rows if ":AIDACI" in row["nhi_identity_id"][0]]
    assert [(row["nhi_id"][0], row["nhi_severity"][0], float(row["nhi_likelihood"][0])) for row in mine] == [
        (wanted["id"], "critical", wanted["likelihood"])
    ]
