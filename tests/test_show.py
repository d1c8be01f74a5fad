"""`nhi list` and `nhi show`: any notable and any identity is found, and what is missing for a place is said."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from desk_samples import KEY, ROLE, USER, asked, desk, notable, state
from nhi_watch import cli
from nhi_watch.core.errors import InputError
from nhi_watch.core.event import Identity
from nhi_watch.hosts.files import jobs, listing, show
from nhi_watch.report import jsonlines
from nhi_watch.state import inventory
from nhi_watch.state.inventory import Known
from nhi_watch.state.sqlite import SqliteStore

HIGH = notable(rank=1, severity="high", likelihood=70.0, title="ci: a key made")
LOW = notable(identity=ROLE, day=20_400, rank=2, severity="low", likelihood=20.0, title="payments-api: a new place")
BELOW = notable(identity=ROLE, day=20_501, rank=3, severity="informational", likelihood=5.0, listed=False)
BLIND = notable(rank=4, kind="blind_spot", likelihood=0.0, id="b" * 20, title="No log for a day")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of results with a list and what is not listed."""
    folder = state(tmp_path / "out", [HIGH, LOW, BELOW])
    jsonlines.write(folder / "notables.jsonl", [HIGH, LOW, BLIND])
    jsonlines.write(folder / "below.jsonl", [BELOW])
    return folder


def ids(out: Path, *words: object) -> list[str]:
    text: Any = asked(listing, *words, out=out)
    return [item["id"] for item in text]


def test_a_list_is_chosen_by_severity_time_identity_kind_and_place(out: Path) -> None:
    high, low, below, blind = (item["id"] for item in (HIGH, LOW, BELOW, BLIND))
    assert ids(out) == [high, low, blind]
    assert ids(out, "--all") == [high, low, blind, below]
    assert ids(out, "--severity", "high") == [high, blind]
    assert ids(out, "--since", "2026-01-01") == [high, blind]
    assert ids(out, "--identity", "Payments", "--all") == [low, below]
    assert ids(out, "--identity", KEY[-9:].lower()) == [high, blind]
    assert ids(out, "--kind", "blind_spot") == [blind]


def test_a_list_has_likelihood_and_severity_in_columns_of_their_own(out: Path) -> None:
    text = desk(listing, out=out)
    assert "likelihood  severity" in text and "70%  high" in text and "20%  low" in text
    assert "3 notables; 1 more not listed or dealt with: --all." in text
    first = asked(listing, out=out)[0]
    assert tuple(first) == listing.COLUMNS
    assert (first["likelihood"], first["severity"], first["owner"]) == (70.0, "high", "team-build")


def test_what_merely_goes_on_is_one_line_each_below_the_table(out: Path) -> None:
    goes_on = {**LOW, "life": "ongoing", "listed_on": "2026-01-02"}
    jsonlines.write(out / "notables.jsonl", [HIGH, goes_on, BLIND])
    table, _, rest = desk(listing, out=out).partition("Still open (1)\n")
    assert "ci: a key made" in table and "payments-api" not in table
    (line,) = [text for text in rest.splitlines() if "payments-api" in text]
    assert line.startswith("  2  ") and "20% low, since 2026-01-02: " in line
    assert cli.main(["feedback", LOW["id"], "benign", "--by", "me", "--why", "mine", "--out", str(out)]) == 0
    assert "Still open" not in desk(listing, "--all", out=out)


def test_a_list_without_what_was_asked_for_says_what_that_was_and_how_many_there_are(out: Path) -> None:
    text = desk(listing, "--severity", "critical", "--identity", "nobody", out=out)
    options = "--severity critical --identity nobody"
    assert text == f"No notable in the list with {options}; without the filter there are 3.\n"


def test_csv_holds_the_same_and_no_value_of_a_log_is_a_formula(out: Path) -> None:
    jsonlines.write(out / "notables.jsonl", [{**HIGH, "title": '=cmd|"x"!A1, and "more"\n'}])
    rows = list(csv.DictReader(io.StringIO(desk(listing, "--csv", out=out))))
    assert [row["title"] for row in rows] == ['\'=cmd|"x"!A1, and "more" ']
    assert (rows[0]["likelihood"], rows[0]["severity"]) == ("70.0", "high")


def test_what_people_dealt_with_since_the_run_is_not_in_the_list(out: Path) -> None:
    words = ["feedback", HIGH["id"], "benign", "--by", "me", "--why", "mine", "--out", str(out)]
    assert cli.main(words) == 0
    assert ids(out) == [LOW["id"], BLIND["id"]]
    assert "benign" in desk(listing, "--all", out=out)


def test_a_list_is_read_while_a_run_has_the_state(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["feedback", HIGH["id"], "benign", "--by", "me", "--why", "mine", "--out", str(out)])
    capsys.readouterr()
    running = SqliteStore(out / "state.sqlite")
    running.put("meta", [("x", b"x")])
    assert cli.main(["list", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    running.close()
    assert "ci: a key made" in printed.out and "verdicts given since the last run are not known" in printed.err


def test_a_list_without_results_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run `nhi score` first"):
        desk(listing, out=tmp_path)


# ---- show


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two roles and a user over nine days, of whom one does something odd on the last."""
    folder = tmp_path_factory.mktemp("show")
    days = range(20_500, 20_509)
    rows = [record(day, "10:00:00", role=role) for day in days for role in ("payments-api", "payments-web")]
    issuer = {
        "type": "IAMUser",
        "principalId": USER.id.rpartition(":")[2],
        "arn": USER.name,
        "userName": "ci",
        "accountId": "111122223333",
        "accessKeyId": KEY,
    }
    rows += [record(day, "11:00:00", role="x", id=f"ci/{day}", userIdentity=issuer) for day in days]
    rows += [
        record(days[-1], "23:00:00", address="185.156.46.132", agent="aws-cli/2", service="iam", name=name)
        for name in ("ListUsers", "ListRoles")
    ]
    (folder / "log.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    jobs.score(jobs.ScoreJob([str(folder / "log.json")], folder / "out", folder / "out" / "state.sqlite"))
    return folder / "out"


@pytest.mark.parametrize("text", ["payments-api", "AROApayments-api", "ROLE/Payments-A", "ments-api"])
def test_an_identity_is_found_by_any_part_of_its_name_or_id(known: Path, text: str) -> None:
    assert asked(show, text, out=known)["identity"]["name"].endswith("role/payments-api")


@pytest.mark.parametrize("text", [KEY, KEY[3:12], "user/ci"])
def test_a_user_is_found_by_its_key_too(known: Path, text: str) -> None:
    answer = asked(show, text, out=known)
    assert answer["identity"]["id"] == USER.id
    assert [key["id"] for key in answer["keys"]] == [KEY]


def test_where_several_fit_they_are_named(known: Path) -> None:
    with pytest.raises(InputError, match=r"2 identities match 'payments'") as raised:
        desk(show, "payments", out=known)
    assert all(f"role/payments-{name}" in str(raised.value) for name in ("api", "web"))
    with pytest.raises(InputError, match="no identity has a name, id or key that contains 'zzz'"):
        desk(show, "zzz", out=known)


def test_what_it_is_does_and_reaches_is_told(known: Path, tmp_path: Path) -> None:
    assets = tmp_path / "assets.csv"
    assets.write_text("identity,criticality,owner,environment,comment\npayments-web,high,team-pay,production,\n")
    answer = asked(show, "payments-web", "--assets", assets, out=known)
    assert (answer["identity"]["owner"], answer["identity"]["criticality"]) == ("team-pay", "high")
    usual = answer["usual"]
    assert (usual["days"], usual["calls"], usual["hours"]) == (8, [{"value": "s3:GetObject", "days": 8}], [10])
    assert usual["networks"] == [{"value": "52.95.110.0/24", "days": 8}]
    assert answer["reaches"]["services"] == ["s3"] and answer["reaches"]["access"] == "read"
    shown = " ".join(desk(show, "payments-web", "--assets", assets, out=known).split())
    assert "calls: s3:GetObject (8 d)" in shown and "hours: 10 UTC" in shown and "owner team-pay" in shown


def test_a_quiet_day_is_no_notable_and_it_is_said_why(known: Path) -> None:
    answer = asked(show, "payments-web", out=known)
    assert answer["notables"] == [] and answer["latest"]["likelihood"] < 1
    assert answer["latest"]["place"] == "none: a likelihood under 1% is not a notable"


def test_the_odd_day_has_its_signals_points_and_what_is_missing_for_a_place(known: Path) -> None:
    answer = asked(show, "payments-api", out=known)
    latest = answer["latest"]
    assert latest["day"] == "2026-02-24" and {s["id"] for s in latest["signals"]} >= {"new_action", "new_network"}
    place = answer["latest"]["place"]
    listed = [item for item in answer["notables"] if item["listed"]]
    if listed:
        assert place == f"rank {listed[0]['rank']} of the list"
    else:
        assert place.startswith("not listed: an expected loss of") and "takes a likelihood of" in place
    notables = [*jsonlines.read(known / "notables.jsonl"), *jsonlines.read(known / "below.jsonl")]
    assert latest["likelihood"] == next(n["likelihood"] for n in notables if "payments-api" in n["identity"]["id"])


def test_a_notable_leads_to_its_identity_by_rank_and_by_id(out: Path) -> None:
    for name in ("1", HIGH["id"], HIGH["id"][:7]):
        assert asked(show, name, out=out)["identity"]["id"] == USER.id


def test_what_was_dealt_with_has_no_place_any_more(known: Path, tmp_path: Path) -> None:
    copied = tmp_path / "out"
    shutil.copytree(known, copied)
    both = [*jsonlines.read(copied / "notables.jsonl"), *jsonlines.read(copied / "below.jsonl")]
    mine = next(n for n in both if "payments-api" in n["identity"]["id"])
    cli.main(["feedback", mine["id"], "benign", "--by", "me", "--why", "mine", "--out", str(copied)])
    place = asked(show, "payments-api", out=copied)["latest"]["place"]
    assert place == f"none any more: notable {mine['rank']} of it was dealt with (benign)"


def spent(folder: Path, *words: str) -> float:
    """Seconds of the processor that a command takes, the least of three times."""
    result, env = [], {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder.parent / "cache")}
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "nhi_watch.cli", *words, "--out", str(folder)]
        subprocess.run(command, capture_output=True, check=True, env=env)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(result[1:])


def test_among_100_000_identities_both_take_hardly_longer(known: Path, tmp_path: Path) -> None:
    """In all 0.15 and 0.3 s on a machine that does nothing else: most of it is Python's start."""
    few = spent(known, "show", "payments-api")
    copied = tmp_path / "out"
    shutil.copytree(known, copied)
    store = SqliteStore(copied / "state.sqlite")
    names = (f"arn:aws:iam::111122223333:role/service/worker-{n}" for n in range(100_000))
    inventory.keep(
        store,
        identities=(
            Known(Identity(f"aws:111122223333:role:AROA{n:017d}", name, "role", "aws", "111122223333", ""), 1, 2)
            for n, name in enumerate(names)
        ),
    )
    store.commit()
    store.close()
    assert spent(copied, "show", "payments-api") < few + 0.2
    assert spent(copied, "list", "--all") < few + 0.1, "which does less, but a busy machine may say otherwise"


# ---- an address, a key or a session


def test_who_used_an_address_a_network_a_key_or_a_session_is_told_of_all_logs(known: Path) -> None:
    text = asked(show, "185.156.46.132", out=known)
    (use,) = text["uses"]
    assert use["identity"].endswith("role/payments-api") and (use["calls"], use["refused"]) == (1, 0)
    assert [*use["kinds"]] == ["iam:ListUsers"]
    assert asked(show, "185.156.46.0/24", out=known)["uses"] == text["uses"]
    assert {use["identity"] for use in asked(show, KEY, "--logs", out=known)["uses"]} == {USER.name}
    said = desk(show, "185.156.46.132", out=known)
    assert "1 call by 1 identity; 1 file searched" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("198.18.0.1",), "no record holds"),
        (("no-such-session", "--logs"), "no record holds"),
        (("no-such-session",), "--logs searches"),
        (("ab", "--logs"), "too short"),
    ],
)
def test_what_no_log_holds_is_said(known: Path, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(InputError, match=why):
        desk(show, *words, out=known)
