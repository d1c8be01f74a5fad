"""How the evaluation counts, on days made by hand; and that it repeats."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from need import need, shared_data
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch_lab.evaluation import (
    background,
    folder,
    giveaways,
    grafts,
    incidents,
    learners,
    real,
    rivals,
    run,
    summary,
)
from nhi_watch_lab.evaluation.counting import Entry, average_precision, brier, calibration, interval, places
from nhi_watch_lab.evaluation.incidents import OURS, Incident
from nhi_watch_lab.evaluation.replay import Replay, Replayed
from nhi_watch_lab.simulator import Spec

SMALL = Spec(days=9, machines=24, seed=7, campaigns=4)


def bad(rank: float, *names: str) -> Entry:
    return Entry((rank,), frozenset(names), True)


def benign(rank: float, written: bool = True) -> Entry:
    return Entry((rank,), frozenset(), written)


# ---- the rules


def test_the_published_page_is_of_the_model_that_ships() -> None:
    docs = Path(__file__).parents[1] / "docs"
    assert model.load().id in (docs / "method" / "worlds.md").read_text("utf-8"), "run evaluation.worlds anew"
    assert model.load().id in (docs / "method" / "model_card.md").read_text("utf-8")


def test_only_benign_entries_above_use_the_budget() -> None:
    assert places([bad(5, "a"), bad(4, "b"), benign(3), bad(2, "c")]) == {"a": 0, "b": 0, "c": 1}


def test_a_tie_counts_against_the_detector() -> None:
    assert places([bad(5, "a"), benign(5), benign(5)]) == {"a": 2}


def test_an_entry_that_swallows_several_incidents_finds_none() -> None:
    assert places([bad(5, "a", "b"), benign(1)]) == {}


def test_an_incident_takes_the_best_of_its_own_entries() -> None:
    assert places([benign(4), bad(5, "a"), bad(3, "a"), bad(6, "a", "b")]) == {"a": 0}


def test_what_stays_below_the_floor_neither_finds_nor_stands_in_the_way() -> None:
    hidden = Entry((9.0,), frozenset("a"), False)
    assert places([hidden, bad(2, "b"), benign(3, written=False)]) == {"b": 0}


WHOSE = incidents.Whose("role", 3)


def incident(above: int, size: int, day: int = 8) -> Incident:
    return Incident("i", 1, 8, "t", "inside", True, {OURS: [(day, above, size)]}, None, None, WHOSE, None, [])


@pytest.mark.parametrize(
    ("above", "size", "budget", "found"),
    [(0, 300, 3, True), (1, 300, 3, False), (2, 300, 10, True), (3, 300, 10, False), (0, 5, 1, True)],
)
def test_an_incident_is_found_if_fewer_benign_notables_than_allowed_are_above_it(
    above: int, size: int, budget: float, found: bool
) -> None:
    assert incident(above, size).found(budget) is found


def test_an_incident_is_found_on_any_of_its_days() -> None:
    late = incident(9, 300)._replace(places={OURS: [(8, 9, 300), (9, 0, 300)]})
    assert late.found(3)


# ---- figures


def test_average_precision_takes_equal_scores_together() -> None:
    assert average_precision([(1.0, True), (1.0, False), (0.0, True)]) == round((1 / 2 + 2 / 3) / 2, 4)


def test_an_interval_repeats_and_holds_its_mean() -> None:
    hits = [1.0] * 30 + [0.0] * 10
    assert interval(hits) == interval(hits) == pytest.approx((0.6, 0.875), abs=0.08)


def test_telling_the_base_rate_has_no_skill() -> None:
    assert brier([(0.25, True), (0.25, False), (0.25, False), (0.25, False)])["skill"] == 0.0


def test_calibration_error_is_the_mean_distance_over_bins_of_equal_size() -> None:
    told = [(0.1, False)] * 50 + [(0.9, True)] * 50
    assert calibration(told)["error"] == 0.1
    assert [b["n"] for b in calibration(told)["bins"]] == [10] * 10


# ---- rivals


def record(who: str, action: str, number: int, **more: Any) -> dict[str, Any]:
    service, _, name = action.partition(":")
    return {
        "eventVersion": "1.08",
        "eventTime": f"2025-03-{3 + number // 100:02}T10:{number % 60:02}:00Z",
        "eventID": f"{who}-{action}-{number}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": more.pop("address", "52.16.3.4"),
        "userAgent": "Boto3/1.26.0",
        "recipientAccountId": "111111111111",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROA{who}:s",
            "arn": f"arn:aws:sts::111111111111:assumed-role/{who}/s",
            "accountId": "111111111111",
            "accessKeyId": more.pop("key", "ASIAEXAMPLE000000001"),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": f"AROA{who}",
                    "arn": f"arn:aws:iam::111111111111:role/{who}",
                    "accountId": "111111111111",
                }
            },
        },
        **more,
    }


def episodes(*records: dict[str, Any]) -> list[Replayed]:
    return list(Replay(model.load()).run(records))


def told(rival: rivals.Rival, learnt: list[Replayed], day: list[Replayed]) -> dict[str, float]:
    rival.learn(learnt)
    return {name.rpartition(":")[2]: score for name, score in rival.score(day).items()}


YESTERDAY = [record("A", "s3:GetObject", n) for n in range(9)] + [record("B", "s3:GetObject", 9)]
TODAY = [record("A", "s3:GetObject", 100), record("B", "s3:GetObject", 101), record("B", "iam:ListUsers", 102)]


def test_first_seen_counts_new_actions() -> None:
    found = told(rivals.FirstSeen(), episodes(*YESTERDAY), episodes(*TODAY))
    assert found == {"AROAA": 0.0, "AROAB": 1.0}


def test_rarity_takes_the_rarest_action_by_the_identity_s_own_events() -> None:
    found = told(rivals.Rarity(), episodes(*YESTERDAY), episodes(*TODAY))
    assert found["AROAA"] == pytest.approx(0.0513, abs=1e-4)  # -ln(9.5 / 10)
    assert found["AROAB"] == pytest.approx(1.3863, abs=1e-4)  # -ln(0.5 / 2)


def test_rarity_by_days_counts_a_busy_day_once() -> None:
    found = told(rivals.RarityByDays(), episodes(*YESTERDAY), episodes(*TODAY))
    assert found["AROAA"] == pytest.approx(0.2877, abs=1e-4)  # -ln(1.5 / 2)
    assert found["AROAB"] == pytest.approx(1.3863, abs=1e-4)


def test_first_network_counts_sessions_that_moved_and_no_others() -> None:
    moved = [record("A", "s3:GetObject", 1), record("A", "s3:GetObject", 2, address="159.65.1.1")]
    fresh = [record("B", "s3:GetObject", 3), record("B", "s3:GetObject", 4, address="159.65.1.1", key="ASIAOTHER")]
    assert told(rivals.FirstNetwork(), [], episodes(*moved, *fresh)) == {"AROAA": 1.0, "AROAB": 0.0}


def test_first_network_remembers_a_session_over_midnight() -> None:
    rival, before = rivals.FirstNetwork(), episodes(record("A", "s3:GetObject", 1))
    rival.score(before)
    later = episodes(record("A", "s3:GetObject", 100, address="159.65.1.1"))
    assert told(rival, before, later) == {"AROAA": 1.0}


@pytest.mark.parametrize("name", [*learners.LIBRARIES, *(f"{name}_on_signals" for name in learners.LIBRARIES)])
def test_a_learner_finds_a_day_with_many_new_calls_more_anomalous(name: str) -> None:
    lacking = learners.missing(name.partition("_on_signals")[0])
    need(not lacking, f"needs {lacking}: make rivals")
    days = [
        [record(f"M{m}", f"s3:Get{n % (1 + m % 3)}", 100 * day + n) for m in range(20) for n in range(3 + m)]
        for day in range(4)
    ]
    loud = [record("M3", f"ec2:Describe{n}", 340 + n) for n in range(30)]
    scores = []
    for last in (days[3], [*days[3], *loud]):
        (rival,) = (rival for rival in learners.learners() if rival.name == name)
        replay = Replay(model.load())
        *before, today = [list(replay.run(day)) for day in [*days[:3], last]]
        for day in before * 5:  # half-space trees judge nothing before their first 250 rows
            rival.score(day)
            rival.learn(day)
        scores.append(rival.score(today)["aws:111111111111:role:AROAM3"])
    assert scores[1] > scores[0] >= 0


def test_what_cannot_run_is_named_with_what_it_lacks() -> None:
    told = learners.left_out(object())
    assert all(learners.missing(name) for name in told)
    assert learners.BOOSTING in learners.left_out(None)
    assert {*told, *(rival.name for rival in learners.learners())} >= set(learners.LIBRARIES)


# ---- give-aways, background and grafts


def test_the_tool_s_name_leaves_no_trace_at_any_depth() -> None:
    tree = {"StratusRedTeam": [{"a": "arn:x/Stratus-Red-Team-role"}, ["stratus_red_team"], 3, None]}
    assert "stratus" not in json.dumps(giveaways.without_tool(tree)).lower()


def test_the_attacker_gets_the_operator_s_other_agent() -> None:
    attack = record("A", "s3:GetObject", 1, userAgent="stratus-red-team_1f", sourceIPAddress="10.0.0.1")
    others = [record("A", "s3:GetObject", n, userAgent="Terraform", sourceIPAddress="10.0.0.1") for n in (2, 3)]
    far = [record("A", "s3:GetObject", n, userAgent="console", sourceIPAddress="10.9.9.9") for n in range(9)]
    first = giveaways.stripped([attack, *others, *far])[0]
    assert first["userAgent"] == "Terraform"
    assert giveaways.is_attack(attack) and not giveaways.is_attack(first)


def test_no_record_of_the_attacked_account_keeps_the_tool_s_name() -> None:
    records = folder.read(shared_data("cloudtrail") / "invictus")
    assert sum(map(giveaways.is_attack, records)) == 214
    assert "stratus" not in json.dumps(giveaways.stripped(records)).lower()


def test_the_week_before_a_day_repeats_half_of_it_with_ids_of_their_own() -> None:
    day = [record("A", "s3:GetObject", n) for n in range(60)]
    week = background.week_before(day)
    days = ["02-24", "02-25", "02-26", "02-27", "02-28", "03-01", "03-02"]
    assert sorted({r["eventTime"][5:10] for r in week}) == days
    assert 150 < len({r["eventID"] for r in week}) == len(week) < 270


def graft(outside: int | None) -> dict[str, Any]:
    attack = record("X", "cloudtrail:StopLogging", 7, recipientAccountId="999999999999", awsRegion="xx-fake-1r")
    attack["userAgent"] = "stratus-red-team_1f"
    attack["requestParameters"] = {"name": "arn:aws:cloudtrail:xx-fake-1r:999999999999:trail/stratus-red-team-t"}
    host = background.Host("aws:111111111111:role:AROAA", "A", YESTERDAY[:9])
    return background.grafted([attack], host, outside)[0]


def test_a_graft_from_inside_is_the_machine_s_own_in_all_but_the_call() -> None:
    found = graft(None)
    assert {
        k: found[k] for k in ("userIdentity", "sourceIPAddress", "userAgent", "awsRegion", "recipientAccountId")
    } == {
        k: YESTERDAY[0][k] for k in ("userIdentity", "sourceIPAddress", "userAgent", "awsRegion", "recipientAccountId")
    }
    assert found["eventName"] == "StopLogging"
    assert found["requestParameters"]["name"] == "arn:aws:cloudtrail:eu-west-1:111111111111:trail/platform-t"
    assert found["eventTime"][:10] == "2025-03-03"


def test_a_graft_from_outside_comes_from_a_hosting_network_with_a_plain_sdk() -> None:
    found = [graft(n) for n in (0, 1)]
    assert [r["sourceIPAddress"] for r in found] == ["159.65.118.20", "88.198.44.21"]
    assert {r["userAgent"] for r in found} == {background.AGENT}
    assert "stratus" not in json.dumps(found).lower() and "999999999999" not in json.dumps(found)


def test_people_and_services_are_no_hosts() -> None:
    served = [record("S", "s3:GetObject", n, address="lambda.amazonaws.com") for n in range(3)]
    person = [record("P", "s3:GetObject", n, sessionCredentialFromConsole="true") for n in range(3)]
    found = background.hosts_of([*served, *person, *YESTERDAY])
    assert [host.name.rpartition("/")[2] for host in found] == ["A", "B"]


def test_real_grafts_keep_nothing_of_the_tool_s_fake_world() -> None:
    data = shared_data("cloudtrail").parent
    (account, _) = grafts.accounts(data)
    host = account.hosts[0]
    for attack in background.techniques(data).values():
        text = json.dumps(background.grafted(attack, host, 0)).lower()
        fake = {r["recipientAccountId"] for r in attack} | {r["awsRegion"] for r in attack}
        assert "stratus" not in text
        assert not [each for each in fake if each.lower() in text]


def test_halves_of_a_log_share_no_record() -> None:
    before, after = real.halves(YESTERDAY)
    assert {r["eventTime"][:10] for r in before} == {"2025-03-02"}
    assert len(before) == len(after) == 5 and not {r["eventID"] for r in before} & {r["eventID"] for r in after}


def test_each_role_of_an_anonymised_log_gets_an_id_of_its_own() -> None:
    one = record("A", "s3:GetObject", 1)
    one["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROASAME"
    other = record("B", "s3:GetObject", 2)
    other["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROASAME"
    ids = [
        r["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] for r in folder.repaired([one, other, one])
    ]
    assert ids[0] == ids[2] != ids[1]


def test_a_folder_without_records_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no records there"):
        folder.read(tmp_path)


# ---- the whole


def test_the_same_tenant_gives_the_same_figures() -> None:
    first, second = (summary.summarise([incidents.one_tenant(incidents.Job(SMALL, model.load()))]) for _ in range(2))
    assert first == second
    assert first["tenants"] == 1 and first["recall_with_indistinguishable"]["10"]["all"]["incidents"] == 4
    assert set(first["rivals"]) >= {OURS, "first_seen", "rarity", "rarity_by_days"}


def test_days_kept_in_a_file_give_the_same_figures_as_the_simulator(tmp_path: Path) -> None:
    jobs = [incidents.Job(SMALL, model.load(), False, folder) for folder in (None, tmp_path, tmp_path)]
    fresh, kept, again = (incidents.one_tenant(job) for job in jobs)
    assert fresh == kept == again
    assert len(list(tmp_path.glob("tenant-*.jsonl.gz"))) == 1


WRONG = {"--seeds": "x", "--data": "nowhere", "--only": "nothing", "--folder": "nowhere", "--stream-seeds": "y",
         "--drawn": "z", "--rules": "nowhere"}  # fmt: skip


@pytest.mark.parametrize(("option", "value"), WRONG.items())
def test_wrong_options_are_named(option: str, value: str, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    with pytest.raises(InputError, match=f"{option} .*{value}"):
        run.run(parser.parse_args([option, value, "--out", str(tmp_path)]), Console(file=io.StringIO()))
