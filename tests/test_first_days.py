"""First days: what absolute signals say of the made-up day and its variations, and which benign logs may train."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from need import shared_data
from nhi_watch import cli
from nhi_watch.detect import model
from nhi_watch.detect.scoring import Baselines, score_day
from nhi_watch.detect.signals import NAMES
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import every
from nhi_watch.report import run_summary
from nhi_watch_lab.evaluation import first_days
from nhi_watch_lab.evaluation.first_days import TEST, TRAINING, Set

CARD = model.load()
MADE_UP = {case.name: case for case in first_days.made_up()}


def values_of(item: Set) -> list[dict[str, float]]:
    """Of each identity-day, as a first day; the most blatant first."""
    intake = Intake(every())
    intake.feed(item.records)
    assert not set(intake.batch.rejected) - {"unfinished"}
    result = [
        {name: value for name, value in zip(NAMES, score_day(Baselines(CARD), identity_day, day).values) if value}
        for day, identity_days in intake.batch.items()
        for identity_day in identity_days.values()
    ]
    return sorted(result, key=lambda values: -values.get("blatant", 0.0))


@pytest.mark.parametrize("name", [*MADE_UP])
def test_a_made_up_day_shows_several_signs_and_the_work_around_it_none(name: str) -> None:
    theft, *work = values_of(MADE_UP[name])
    assert theft["blatant"] >= 5.0
    assert (
        len(
            [
                sign
                for sign in (
                    "attack_tool",
                    "risky_network",
                    "secrets_in_hour",
                    "grave_kinds",
                    "objects_in_hour",
                    "session_moved",
                )
                if sign in theft
            ]
        )
        >= 3
    )
    assert work
    assert not any("blatant" in values for values in work)


def test_each_part_of_the_made_up_day_adds_to_it() -> None:
    full = values_of(first_days.made_up_day())[0]["blatant"]
    for less in ({"place": "household"}, {"tool": False}, {"secrets": 20}, {"admin": False}):
        assert values_of(first_days.made_up_day(**less))[0]["blatant"] < full, less


def test_three_signs_weigh_more_than_their_sum() -> None:
    """Without the administrator: a place, a tool and an amount are left, and no benign day has three."""
    assert values_of(first_days.made_up_day(admin=False))[0]["blatant"] >= 10.0


SEVERE = {
    "cloudtrail-stop": 10, "organizations-leave": 10, "vpc-remove-flow-logs": 10, "cloudtrail-delete": 7,
    "cloudtrail-event-selectors": 7, "iam-create-admin-user": 12, "iam-create-user-login-profile": 10,
    "iam-backdoor-user": 7, "iam-backdoor-role": 7, "rolesanywhere-create-trust-anchor": 10, "ec2-share-ami": 7,
    "lambda-backdoor-function": 10, "port-22-ingress": 7, "rds-share-snapshot": 5,
}  # fmt: skip


def test_one_call_of_a_severe_kind_has_a_value_on_the_first_day() -> None:
    shared_data("README.md")
    sets = {attack.name: attack for attack in first_days.attacks()}
    for part, least in SEVERE.items():
        (case,) = (each for name, each in sets.items() if name.endswith(part))
        stolen = [record for record in case.records if str(record["eventID"]) in case.theft]
        most = max(values.get("severest_act", 0.0) for values in values_of(case._replace(records=stolen)))
        assert most >= least, case.name


def test_people_with_a_second_factor_do_nothing_that_is_severe() -> None:
    shared_data("README.md")
    for case in first_days.benign():
        if case.half == TRAINING and case.name.startswith(("console", "m365")):
            assert max(values.get("severest_act", 0.0) for values in values_of(case)) <= 5.0, case.name


def test_signs_are_the_same_on_the_first_day_and_after_a_month_of_the_same() -> None:
    """A value that habit takes back is still there: habits weigh it, signals do not know them."""
    theft = values_of(first_days.made_up_day())[0]
    assert theft["attack_tool"] == 1.0
    assert theft["risky_network"] == 3.0


@pytest.mark.parametrize(("log", "most"), [("boogy", 0.0), ("console", 0.0), ("hkerma", 5.0), ("grycap", 0.0)])
def test_benign_logs_show_no_two_signs_at_once(log: str, most: float) -> None:
    shared_data("README.md")
    for case in first_days.benign():
        if case.name.startswith(log):
            assert values_of(case)[0].get("blatant", 0.0) <= most, case.name


def test_the_exercise_s_names_and_clients_are_taken_out() -> None:
    shared_data("README.md")
    sets = [attack for attack in first_days.attacks() if not attack.name.startswith("m365")]
    assert len(sets) == 27
    for case in sets:
        assert "stratus" not in json.dumps(case.records), case.name
        assert case.name == "invictus" or len(case.theft) < len(case.records)


def test_halves_are_those_of_the_controls() -> None:
    """Training reads its half alone, and this test the other one."""
    from nhi_watch_lab.variants import controls

    folder = shared_data("README.md").parent
    sessions = {name for name, _ in first_days.sessions() if first_days.half_of(name) == TRAINING}
    trained = {str(record["userIdentity"]["userName"]) for record in controls.SETS["console"].read(folder)}
    assert {f"console-{Path(name).stem}" for name in sessions} == trained
    assert first_days.half_of("grycap") == TRAINING
    assert {first_days.half_of(f"m365/{item['CreationTime'][:10]}") for item in controls.SETS["m365"].read(folder)} == {
        TRAINING
    }
    events = first_days.kubernetes()
    assert [item["auditID"] for item in controls.SETS["hkerma"].read(folder)] == [
        event["auditID"] for event in events[: len(events) // 2]
    ]
    assert first_days.half_of("boogy") == first_days.half_of("hkerma/2") == TEST


def test_a_run_without_a_row_names_the_most_suspicious(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Never "No notables" alone."""
    records = first_days.made_up_day(place="household", tool=False, secrets=3, admin=False).records
    log = tmp_path / "a.json"
    log.write_text("\n".join(map(json.dumps, records)))
    assert cli.main(["score", str(log), "--out", str(tmp_path / "out")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert "No notables in 244 records of 4 identities over 1 day; with caveats: 1 of 7 baseline days" in shown
    assert "Most suspicious: reports on 2026-02-16, " in shown
    assert "likely an intrusion (" in shown
    assert "secretsmanager:GetSecretValue" in shown
    assert run["most_suspicious"]["records"] == 64
    assert "Most suspicious" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert run_summary.most_suspicious({}) == ""
