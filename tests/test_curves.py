"""The curves of the evaluation on a tiny tenant, a user's own labelled logs, and the pages made of all of it."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch.detect.signals import NAMES
from nhi_watch.state.baseline import REPEATS
from nhi_watch_lab.evaluation import (
    ablation,
    card,
    cold,
    graft_rivals,
    html,
    incidents,
    kept,
    labelled,
    losses,
    page,
    poison,
    prevalence,
    run,
    summary,
)
from nhi_watch_lab.evaluation.incidents import NO_THRESHOLD, OURS, Scored
from nhi_watch_lab.evaluation.replay import Replay
from nhi_watch_lab.simulator import Spec, write

Days = dict[tuple[str, bool], poison.Passing]
SMALL = Spec(days=9, machines=24, seed=7, campaigns=4)


@cache
def small() -> incidents.TenantResult:
    return incidents.one_tenant(incidents.Job(SMALL, model.load(), rivals=False, ablate=True))


# ---- signals and fields


def test_without_a_signal_that_says_nothing_all_stays_as_it_is() -> None:
    days = kept.tenant_days(SMALL, None)
    replay = Replay(model.load())
    items = [item for _, day in zip(range(3), days) for item in replay.run_days(day.days)]
    plain = [incidents.our_entry(item) for item in items]
    changed = 0
    for index, (name, found) in enumerate(ablation.entries(items, plain)):
        assert name == NAMES[index]
        for item, before, after in zip(items, plain, found):
            assert item.episode.values[index] or after == before
            changed += after != before
    assert changed > 0


def test_what_is_lost_without_a_signal_is_told_of_every_signal_the_most_first() -> None:
    lost = losses.by_signal(small().incidents)
    assert set(lost) == set(NAMES)
    told = [row["10"]["recall"] for row in lost.values()]
    assert told == sorted(told, reverse=True)


@pytest.mark.parametrize("field", ablation.FIELDS)
def test_logs_without_a_field_hold_the_same_records_and_nothing_of_the_field(field: str) -> None:
    (day,) = [day for number, day in enumerate(kept.tenant_days(SMALL, None)) if number == 2]
    lacking = ablation.without_field(day, field)
    for number, wholes in day.days.items():
        for name, whole in wholes.items():
            other = lacking.days[number][name]
            assert (other.events(), other.seen, other.identity) == (whole.events(), whole.seen, whole.identity)
            for shape, _ in other.behaviours:
                assert all(getattr(shape, key) == value for key, value in ablation.FIELDS[field].items())
    emptied = {"target": "targets", "session": "sessions", "source address": "addresses"}.get(field)
    if emptied:
        behaviours = [b for w in lacking.days.values() for whole in w.values() for b in whole.behaviours.values()]
        assert not any(getattr(b, emptied) for b in behaviours)


# ---- cold start, prevalence, poisoning


def test_the_same_attacks_are_judged_after_more_and_more_history() -> None:
    spec = cold.spec_of(replace(SMALL, campaigns=3))
    told = cold.cold(cold.Work(spec, model.load()))
    assert set(told) == set(cold.HISTORY)
    names = [{incident.id for incident in found} for found in told.values()]
    assert names[0] and all(each == names[0] for each in names)
    figures = cold.summarise([told])
    assert set(figures["recall"]) == {"0", "1", "3", "7", "14", "30"}
    assert figures["day_0_share_of_warm"]["10"] >= 0


def scored(probability: float, bad: bool) -> Scored:
    return Scored(1, 8, 100 * probability, probability, 0.0, bad, 0)


def test_rarer_attacks_make_notables_less_precise_and_correcting_the_odds_mends_the_probability() -> None:
    episodes = [scored(0.5 + n / 1e7, n % 2 == 0) for n in range(2000)]
    told = prevalence.shift(episodes, episodes)
    assert told["1"]["precision_of_notables"] == 0.5 and told["1"]["calibration_error"] < 0.001
    rare = told["0.1"]
    assert rare["precision_of_notables"] == round(0.1 / 1.1, 4)
    assert rare["calibration_error"] == pytest.approx(0.5 - 0.1 / 1.1, abs=5e-3)
    assert rare["calibration_error_corrected"] == pytest.approx(0.0, abs=5e-3)


def test_a_raid_that_is_repeated_daily_stays_news_until_it_has_come_back_often() -> None:
    ground = poison.Ground(poison.Work(Spec(14, 30, 7, campaigns=6), model.load()))
    assert ground.attacks and len(ground.cycle) == poison.CYCLE
    loud = [attack for attack in ground.attacks if not ground.passes_anyway(attack)]
    assert loud
    days = {caps: [ground.days(attack, "repeat", caps) for attack in loud] for caps in (True, False)}
    held, free = (median(poison.LIMIT if d.days is None else d.days for d in days[caps]) for caps in (True, False))
    assert held >= REPEATS > free


def test_attacks_that_pass_anyway_are_counted_apart() -> None:
    slow, fast = poison.Passing(40, 0), poison.Passing(3, 3)
    ways: Days = {(way, caps): slow if caps else fast for way in poison.STRATEGIES for caps in (True, False)}
    ways["creep", True] = poison.Passing(12, 1)
    figures = poison.summarise([poison.Fate("a", "t", "inside", ways), poison.Fate("b", "t", "inside", {})])
    assert (figures["attacks"], figures["seen_without_poisoning"]) == (2, 1)
    assert figures["best_strategy"]["least"] == 12 and figures["best_strategy_without_caps"]["least"] == 3
    assert figures["never_written"]["least"] == 40, "creep was written once"
    assert figures["fastest"][0]["strategy"] == "creep"


# ---- rivals on real content


def test_an_account_s_day_has_room_for_one_and_intervals_are_over_techniques() -> None:
    found = [
        graft_rivals.Found("a", technique, "inside", who, above, 40)
        for technique in ("x", "y")
        for who, above in ((OURS, 0), ("first_seen", 1), ("rarity", None))
    ]
    told = graft_rivals.summarise(found)
    assert [told[who]["3"]["inside"]["recall"] for who in (OURS, "first_seen", "rarity")] == [1.0, 0.0, 0.0]
    assert told["first_seen"]["10"]["all"]["behind"] == {"recall": 1.0, "interval": [1.0, 1.0]}


# ---- a user's own logs


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    write(folder, SMALL)
    return folder


def test_a_folder_with_labels_gives_the_figures_of_the_simulator_itself(logs: Path) -> None:
    own = labelled.load(logs, logs / "labels.json")
    assert len(own.days) == SMALL.days and own.rejected == 0
    job = incidents.Job(SMALL, model.load(), rivals=False, own=own)
    told, known = incidents.one_tenant(job), small()
    assert told.episodes == known.episodes
    assert {i.id: i.places[NO_THRESHOLD] for i in told.incidents if NO_THRESHOLD in i.places} == {
        i.id: i.places[NO_THRESHOLD] for i in known.incidents if NO_THRESHOLD in i.places
    }


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    return parser.parse_args(list(words))


def test_the_command_measures_a_folder_and_writes_its_pages(logs: Path, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=150)
    args = arguments("--folder", str(logs), "--out", str(tmp_path), "--page", str(tmp_path / "page.md"))
    assert run.run(args, console) == 0
    result = json.loads((tmp_path / "evaluate.json").read_text())
    assert result["simulated"]["recall_with_indistinguishable"]["10"]["all"]["incidents"] == 4
    assert result["simulated"]["time_to_detect_records"]["n"] > 0
    assert "first_seen" in result["simulated"]["rivals"]
    assert (tmp_path / "page.md").read_text() == page.render(result)
    assert (tmp_path / "evaluate.html").read_text() == html.render(result)


LABELS: list[tuple[Any, str]] = [
    ({}, "must hold"),
    ({"incidents": []}, "names no incidents"),
    ({"incidents": [3]}, "incident 1 is no object"),
    ({"incidents": [{"id": "a"}]}, "incident 1 needs record_ids"),
    ({"incidents": [{"record_ids": ["x"], "origin": "afar"}]}, "neither external nor inside"),
    ({"incidents": [{"record_ids": ["nowhere"]}]}, "none of the records of incident 'incident-1'"),
]


@pytest.mark.parametrize(("labels", "said"), LABELS)
def test_labels_that_cannot_be_used_are_named(labels: Any, said: str, logs: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(InputError, match=said):
        labelled.load(logs, tmp_path / "labels.json")


# ---- the command and its pages


def test_the_command_measures_the_parts_asked_for_and_keeps_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no real logs are beside it
    size = ["--seeds", "7", "--machines", "24", "--days", "9", "--campaigns", "4", "--workers", "1"]
    for part in ("fields", "signals"):
        assert run.run(arguments(*size, "--only", part, "--out", "o"), Console(file=io.StringIO(), width=150)) == 0
    result = json.loads(Path("o/evaluate.json").read_text())
    assert {"fields", "signals"} <= set(result) and set(result["machine"]["seconds"]) == {"fields", "signals"}
    assert result["model"]["sha256"] == model.load().sha256
    assert "Where logs lack a field" in page.render(result)


@cache
def everything() -> dict[str, Any]:
    """A result with every part, of which most are made of one tiny tenant."""
    told = summary.summarise([small()])
    recalls = told["recall"]
    ways: Days = {(way, caps): poison.Passing(40, 1) for way in poison.STRATEGIES for caps in (True, False)}
    return {
        "model": {"id": "nhi-x", "sha256": "0" * 64},
        "settings": {"folder": "<script>alert(1)</script>", "resamples": 10, "versions": {"python": "3"}},
        "machine": {"cores": 2, "workers": 1, "seconds": {"own": 1.0}},
        "simulated": {**told, "days": 9, "by_technique": {"<img src=x>": recalls}},
        "prevalence": prevalence.shift(small().episodes, summary.notables([small()], 10.0)),
        "cold_start": {"tenants": 1, "recall": {"0": recalls, "30": recalls}, "day_0_share_of_warm": {"10": 0.4}},
        "poisoning": poison.summarise([poison.Fate("a", "t", "inside", ways)]),
        "signals": losses.by_signal(small().incidents),
        "fields": {"tenants": 1, "recall": losses.by_field({"": small().incidents, "region": small().incidents})},
        "real_rivals": graft_rivals.summarise([graft_rivals.Found("a", "x", "inside", OURS, 0, 40)]),
    }


def test_the_html_page_asks_for_nothing_and_escapes_every_text() -> None:
    text = html.render(everything())
    assert "<script" not in text and "<img" not in text and "&lt;img src=x&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("<svg") >= 8


def test_the_card_says_which_targets_were_missed() -> None:
    rows = {name: state for name, _, _, state in card.targets(everything())}
    assert rows["day 0, share of warm recall"] == "missed"
    assert rows["days of poisoning, median"] == "reached"
    manifest = {"versions": {}, "date": "2026-01-01", "signals": [], "training_data_sha256": "0" * 64}
    told = card.render(everything(), manifest)
    assert "missed" in told and "How to switch it off" in told
