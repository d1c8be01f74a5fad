"""The layers on the worlds: frozen, the same bytes twice, labels that name records, odd machines and first files."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import import_module
from typing import Any

import pytest

from layout import ROOT
from nhi_watch.core.behaviour import fingerprint
from nhi_watch.core.timestamps import parse
from nhi_watch.detect.signals import NAMES
from nhi_watch_lab.evaluation import exams
from nhi_watch_lab.evaluation.exams import Exam, grouped
from nhi_watch_lab.fifth_world.catalogue import CATALOGUE
from nhi_watch_lab.fourth_world.calls import AWS_CALLS, TABLES
from nhi_watch_lab.fourth_world.life import SLOTS
from nhi_watch_lab.simulator.difficulty import source_hash
from nhi_watch_lab.training.commands import HANDS, VARIANTS, Wanted
from nhi_watch_lab.training.rows import Labelled, blank

LAB = ROOT / "lab" / "nhi_watch_lab"
FROZEN: dict[tuple[str, str, int], str] = {
    ("drawn", "unsteady", 41): "e26a4a61589a720c",
    ("drawn", "first", 51): "b0b8f8fe54b1eace",
    ("drawn", "first", 52): "b8359a4926a5765d",
    ("drawn", "first", 53): "95244ec018ae61bf",
    ("second", "unsteady", 41): "2829a75c4625b10f",
    ("second", "first", 51): "b30266d853f3ac4e",
    ("second", "first", 52): "71590f901ba48b44",
    ("second", "first", 53): "ee8f0a4e98f1a9d9",
    ("third", "unsteady", 41): "66d806a143b561ac",
    ("third", "first", 51): "2dd83c1f5ebdd41c",
    ("third", "first", 52): "0f6ce467ac5f2bda",
    ("third", "first", 53): "1380bd143f9cfa77",
    ("fourth", "unsteady", 41): "3d22ce153509174c",
    ("fourth", "first", 51): "7c7cf0be699af085",
    ("fourth", "first", 52): "be214d511a16ec59",
    ("fourth", "first", 53): "a5ea3bb774ef9163",
    ("fifth", "unsteady", 41): "34cdd8e96d62eaea",
    ("fifth", "first", 51): "ef4e64c5dd43d618",
    ("fifth", "first", 52): "4dd96cec4a3fb677",
    ("fifth", "first", 53): "3cda56476edd0e17",
    ("drawn", "brief", 61): "c3c5ce8f2ce06f0f",
    ("drawn", "brief", 62): "d0b10679a6eab555",
    ("drawn", "brief", 63): "99a9b7be08e49083",
    ("second", "brief", 61): "41a327fd26f79722",
    ("second", "brief", 62): "caef6054e426d3ca",
    ("second", "brief", 63): "6b0cdfc336015c41",
    ("third", "brief", 61): "aa959cb840c7b605",
    ("third", "brief", 62): "6f8034068905e6ef",
    ("third", "brief", 63): "39c6651ac06b6ce2",
    ("fourth", "brief", 61): "8b1f94ef65ba7e52",
    ("fourth", "brief", 62): "0121330426fee9c0",
    ("fourth", "brief", 63): "422d21038aa31691",
    ("fifth", "brief", 61): "ed5c77a9aab6f7af",
    ("fifth", "brief", 62): "33ce3edcdcde9a3f",
    ("fifth", "brief", 63): "09b7f7aaab3e9c09",
    ("fifth", "short", 81): "231159e46e66d9b8",
    ("fifth", "short", 82): "7e76632f6b34d133",
    ("second", "short", 81): "cd536c2f0b4ba846",
    ("second", "short", 82): "dc5884873794c428",
    ("third", "short", 81): "bf9311ac8946d461",
    ("third", "short", 82): "24378474937cf8d0",
    ("drawn", "short", 81): "e0ed74ebe1a29641",
    ("drawn", "short", 82): "986f1d958d5814ed",
    ("fourth", "short", 81): "295f38355331d193",
    ("fourth", "short", 82): "c53224f126be95c1",
}
"""World, layer and seed → SHA-256 over people, incidents and records."""
FAMILIES = sorted({kind for kind, _, _ in FROZEN})
FIRST = range(51, 61)
BRIEF = range(61, 81)


@cache
def made(kind: str, variant: str, seed: int) -> tuple[frozenset[str], list[exams.Raw]]:
    people, days = exams.raw(Exam(kind, seed, variant=variant))
    return people, list(days)


def incidents_of(days: list[exams.Raw]) -> list[dict[str, Any]]:
    return [incident for incidents, _ in days for incident in incidents]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_decision_names_the_sources_that_are_frozen(family: str) -> None:
    decision = (ROOT / "docs" / "decisions" / "0009-worlds.md").read_text("utf-8")
    assert f"| {family} | {source_hash(LAB / 'variants' / family)} |" in decision.partition("| layers |")[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", FROZEN, ids=lambda name: "-".join(map(str, name)))
def test_a_seed_is_a_world(name: tuple[str, str, int]) -> None:
    people, days = made(*name)
    text = json.dumps([sorted(people), days], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == FROZEN[name]


@pytest.mark.slow
def test_labels_name_records_of_their_time(family: str) -> None:
    for _, days in (made(family, "unsteady", 41), *(made(family, "first", seed) for seed in FIRST)):
        ids = {
            mark
            for _, records in days
            for day in grouped(records).values()
            for identity_day in day.values()
            for mark in identity_day.seen
        }
        labelled = [(i["id"], record) for i in incidents_of(days) for record in i["record_ids"]]
        assert len(labelled) == len({record for _, record in labelled})
        assert {fingerprint(record) for _, record in labelled} <= ids
        assert all(incident["record_ids"] for incident in incidents_of(days))


@pytest.mark.slow
def test_one_machine_in_ten_at_least_is_odd_by_nature_and_some_are_victims(family: str) -> None:
    unusual = import_module(f"nhi_watch_lab.variants.{family}").ODD
    people, days = made(family, "unsteady", 41)
    names = {
        identity_day.identity.name
        for _, records in days
        for day in grouped(records).values()
        for identity_day in day.values()
    }
    machines = names - people
    assert sum(any(part in name for part in unusual) for name in machines) >= len(machines) / 10
    victims = [incident["identity"] for incident in incidents_of(days)]
    assert sum(any(part in victim for part in unusual) for victim in victims) >= 5
    assert {incident["origin"] for incident in incidents_of(days)} == {"external", "inside"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fourth", "fifth"])
def test_workloads_do_what_is_new_to_them_within_a_day_of_their_deployment(kind: str) -> None:
    stolen = {record for incident in incidents_of(made(kind, "unsteady", 41)[1]) for record in incident["record_ids"]}
    seen: dict[str, set[str]] = {}
    deployed: dict[str, str] = {}
    followed: set[str] = set()
    for record in cloud_records(kind):
        who, name = role_of(record), record["eventName"]
        known = seen.setdefault(who, set())
        if record["eventID"] not in stolen and known and name not in known and who in deployed:
            hours = (parse(record["eventTime"]) - parse(deployed[who])) / 3600
            followed |= {who} if 0 <= hours <= 24 else set()
        known.add(name)
        if deployment_of(record):
            deployed[deployment_of(record)] = record["eventTime"]
    assert len(followed) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fourth", "fifth"])
def test_some_thieves_deploy_what_then_steals_with_its_own_rights(kind: str) -> None:
    by_id = {record["eventID"]: record for record in cloud_records(kind)}
    result = set()
    for incident in incidents_of(made(kind, "unsteady", 41)[1]):
        records = [by_id[mark] for mark in incident["record_ids"] if mark in by_id]
        brought = {deployment_of(record) for record in records} - {""}
        result |= {incident["origin"] for record in records if role_of(record) in brought}
    assert result == {"external", "inside"}


def cloud_records(kind: str) -> list[dict[str, Any]]:
    days = made(kind, "unsteady", 41)[1]
    records = [record for _, day in days for record in day if "eventSource" in record]
    return sorted(records, key=lambda record: str(record["eventTime"]))


def role_of(record: dict[str, Any]) -> str:
    """The role's name, where a role calls."""
    return str(record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("userName", ""))


def deployment_of(record: dict[str, Any]) -> str:
    """The workload that a call brings out anew; "": it is no such call."""
    named = {
        "UpdateFunctionCode20150331v2": "functionName",
        "RegisterTaskDefinition": "family",
        "CreateDeployment": "applicationName",
        "PutImage": "repositoryName",
    }
    return str((record["requestParameters"] or {}).get(named.get(record["eventName"], ""), ""))


@pytest.mark.parametrize("kind", ["fourth", "fifth"])
def test_the_frozen_tables_hold_further_calls_only_while_a_variant_is_made(kind: str) -> None:
    tables = import_module(f"nhi_watch_lab.variants.{kind}.tables")
    fourth: list[dict[str, Any]] = [AWS_CALLS, SLOTS["cloudtrail"], *TABLES.values()]
    frozen: list[dict[str, Any]] = fourth if kind == "fourth" else [CATALOGUE]
    before = [set(table) for table in frozen]
    with tables.further_calls():
        assert set(frozen[0]) > before[0]
    assert [set(table) for table in frozen] == before


def test_first_files_are_small_with_and_without_a_break_in(family: str) -> None:
    worlds = [made(family, "first", seed)[1] for seed in FIRST]
    sizes = [len({who for _, records in days for day in grouped(records).values() for who in day}) for days in worlds]
    assert 1 <= min(sizes) <= 5 and max(sizes) <= 60
    broken_into = sum(bool(incidents_of(days)) for days in worlds)
    assert 3 <= broken_into <= 8


def test_thefts_of_brief_files_are_a_few_calls_of_machines_within_a_day(family: str) -> None:
    worlds = [made(family, "brief", seed)[1] for seed in BRIEF if family != "drawn" or seed % 4]
    incidents = [incident for days in worlds for incident in incidents_of(days)]
    assert len(worlds) / 2 <= len(incidents) <= len(worlds) * 1.5
    sizes = sorted(len(incident["record_ids"]) for incident in incidents)
    assert sizes[len(sizes) * 3 // 4] <= 5 and sizes[-1] <= 40
    assert all(incident["technique"].startswith("brief") for incident in incidents)
    assert all(len(days) <= 3 for days in worlds)
    assert {"external", "inside"} >= {incident["origin"] for incident in incidents} >= {"external"}


@pytest.mark.slow
def test_short_thefts_are_a_few_calls_of_established_identities_mostly_from_their_own_place(family: str) -> None:
    _, days = made(family, "short", 82)
    incidents = incidents_of(days)
    assert 28 <= len(incidents) <= 36
    sizes = sorted(len(incident["record_ids"]) for incident in incidents)
    assert sizes[-1] <= 6 and sizes[len(sizes) // 2] <= 3
    from_outside = sum(incident["origin"] == "external" for incident in incidents)
    assert 0.05 <= from_outside / len(incidents) <= 0.4
    stolen = {record: incident["id"] for incident in incidents for record in incident["record_ids"]}
    active: dict[str, set[int]] = {}
    for _, records in days:
        for day, identity_days in grouped(records).items():
            for who in identity_days:
                active.setdefault(who, set()).add(day)
    marks = {fingerprint(record): incident for record, incident in stolen.items()}
    robbed = {
        marks[mark]: len([other for other in active[who] if other < day])
        for _, records in days
        for day, identity_days in grouped(records).items()
        for who, identity_day in identity_days.items()
        for mark in identity_day.seen & marks.keys()
    }
    assert len(robbed) == len(incidents)
    assert sorted(robbed.values())[len(robbed) // 10] >= 3


def test_what_is_severe_is_mostly_stolen_in_brief_files_and_deployments_do_it_too() -> None:
    at = NAMES.index("severest_act")
    severe: dict[bool, list[bool]] = {True: [], False: []}
    for family in FAMILIES:
        for seed in [seed for seed in BRIEF if family != "drawn" or seed % 4]:
            replay = Labelled(blank({}))
            for incidents, records in made(family, "brief", seed)[1]:
                replay.label(incidents)
                for item in replay.run_days(grouped(records)):
                    severe[bool(item.incidents)].append((item.episode.values[at] or 0.0) >= 5)
    stolen, ordinary = (sum(hits) / len(hits) for hits in (severe[True], severe[False]))
    assert stolen > 10 * ordinary > 0


def test_each_variant_that_is_trained_on_is_there() -> None:
    for name, sources in Wanted().families((140, 50)).items():
        hand, _, variant = name.partition(" ")
        assert f" {variant}" in VARIANTS or not variant
        for source in sources:
            if isinstance(source, Exam) and source.variant:
                assert hasattr(import_module(f"nhi_watch_lab.variants.{hand}"), source.variant)
    assert all(len(seeds) <= len(VARIANTS) for seeds in HANDS.values())
