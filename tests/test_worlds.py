"""The drawn worlds: repeatable, unlike one another, labelled, without give-aways."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from nhi_watch.cli import main
from nhi_watch.core import registry
from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab import worlds
from nhi_watch_lab.simulator.tenant import ORIGINS
from nhi_watch_lab.worlds import Day, World
from nhi_watch_lab.worlds.attacks_company import AGENTS
from nhi_watch_lab.worlds.company import company as company_of
from nhi_watch_lab.worlds.days import account
from nhi_watch_lab.worlds.world import TECHNIQUES, plan

SMALL = worlds.draw(3, identities=40, history=4, company=False)
COMPANY = worlds.draw(4, identities=60, history=4, company=True)._replace(incidents=10, volume=10, agents=10)


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """All days of a small account."""
    return list(worlds.days(SMALL))


def test_a_seed_is_a_world_on_every_python() -> None:
    assert worlds.draw(7) == worlds.draw(7)
    total = hashlib.sha256()
    for day in worlds.days(worlds.draw(5, identities=30, history=1, company=False)):
        for record in day.records:
            total.update(json.dumps(record).encode())
    assert total.hexdigest()[:16] == "fa1be7bcb2843896"


def test_what_is_given_changes_nothing_else() -> None:
    drawn, given = worlds.draw(9), worlds.draw(9, padded=True, history=0)
    assert given == drawn._replace(padded=True, history=0)


def test_worlds_differ_in_every_parameter() -> None:
    many = [worlds.draw(seed) for seed in range(80)]
    drawn = set(World._fields) - {"padded", "stolen_keys", "only"}
    assert all(len({getattr(world, name) for world in many}) > 1 for name in drawn)
    ways = [world.ways for world in many]
    assert all(len({getattr(way, name) for way in ways}) > 2 for name in ways[0]._fields)
    assert all(30 <= world.identities <= 3000 and 5 <= world.history <= 30 for world in many)


def test_records_are_in_the_order_of_time_and_claimed_by_their_source(days: list[Day]) -> None:
    for day in days:
        times = [record["eventTime"] for _, record in day.records]
        assert times == sorted(times)
        assert all(time.startswith(day.date) for time in times)
    ids = [record["eventID"] for day in days for _, record in day.records]
    assert len(ids) == len(set(ids))


def test_labels_name_records_and_identities_as_the_sources_read_them(days: list[Day]) -> None:
    events = {e.record_id: e for day in days for _, r in day.records for e in [cloudtrail.read(r)]}
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == SMALL.incidents
    for incident in incidents:
        found = [events[name] for name in incident["record_ids"]]
        assert {event.identity.name for event in found} == set(incident["identities"])
        assert incident["identity"] == incident["identities"][0]
    assert all(i["first_time"].startswith(day.date) for day in days for i in day.incidents)


def test_history_has_no_attack_and_half_of_the_attacks_come_from_inside(days: list[Day]) -> None:
    assert not [day for day in days[: SMALL.history] if day.incidents]
    origins = Counter(i["origin"] for day in days for i in day.incidents)
    assert origins["inside"] >= origins["external"] > 0


def test_a_padded_attacker_does_the_same_and_more() -> None:
    def sizes(padded: bool) -> Counter[str]:
        world = worlds.draw(3, identities=40, history=4, company=False, padded=padded)
        found = (incident for day in worlds.days(world) for incident in day.incidents)
        return Counter({incident["id"]: len(incident["record_ids"]) for incident in found})

    plain, padded = sizes(False), sizes(True)
    assert plain.keys() == padded.keys()
    assert sum(padded.values()) > sum(plain.values()) + 20


def test_people_have_both_doors_and_stay_people(days: list[Day]) -> None:
    world = SMALL._replace(ways=SMALL.ways._replace(both_doors=3), missing=())
    humans, doors = set(worlds.people(world)), Counter[tuple[str, bool]]()
    for day in worlds.days(world):
        for _, record in day.records:
            identity = record["userIdentity"]
            if identity["type"] == "IAMUser" and identity["arn"] in humans:
                doors[identity["arn"], "sessionContext" in identity] += 1
    users = {arn for arn, _ in doors}
    assert sum((arn, True) in doors and (arn, False) in doors for arn in users) >= 3


@pytest.mark.parametrize(("lacks", "field"), [("agent", "userAgent"), ("read_only", "readOnly")])
def test_what_a_log_lacks_is_in_no_record(lacks: str, field: str) -> None:
    for day in worlds.days(worlds.draw(5, identities=30, history=1, company=False)._replace(missing=(lacks,))):
        assert not [1 for _, record in day.records if field in record]


def test_files_hold_what_the_days_hold(tmp_path: Path, days: list[Day]) -> None:
    labels = worlds.write(SMALL, tmp_path)
    lines = gzip.decompress((tmp_path / "events" / f"{days[0].date}.ndjson.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [record for _, record in days[0].records]
    assert labels["incidents"] == [incident for day in days for incident in day.incidents]
    assert json.loads((tmp_path / "labels.json").read_bytes())["humans"] == worlds.people(SMALL)


@pytest.fixture(scope="module")
def company() -> list[Day]:
    """All days of a small company."""
    return list(worlds.days(COMPANY))


def test_a_company_has_attacks_in_its_account_and_in_its_products(company: list[Day]) -> None:
    incidents = [incident for day in company for incident in day.incidents]
    ids = [incident["id"] for incident in incidents]
    assert len(ids) == len(set(ids)) == COMPANY.incidents + COMPANY.agents
    assert all(i["first_time"].startswith(day.date) for day in company for i in day.incidents)
    assert {True, False} == {"products" in incident for incident in incidents}
    assert {product for day in company for product, _ in day.records} >= {"cloudtrail", "entra", "github", "m365"}


def test_labels_of_a_company_name_records_and_identities_as_the_sources_read_them(company: list[Day]) -> None:
    sources = {m.__name__.rpartition(".")[2]: m for m in registry.modules("nhi_watch.intake.sources")}
    names = {e.record_id: e.identity.name for day in company for p, r in day.records for e in [sources[p].read(r)]}
    for incident in [incident for day in company for incident in day.incidents]:
        assert set(incident["record_ids"]) <= names.keys()
        assert set(incident["identities"]) <= {names[record] for record in incident["record_ids"]}


def test_people_of_a_company_are_named_as_the_sources_read_them(company: list[Day]) -> None:
    sources = {m.__name__.rpartition(".")[2]: m for m in registry.modules("nhi_watch.intake.sources")}
    humans, seen = set(worlds.people(COMPANY)), set()
    for day in company[:3]:
        for product, record in day.records:
            seen.add((product, sources[product].read(record).identity.name))
    assert {product for product, name in seen if name in humans} >= {"cloudtrail", "entra", "m365", "github", "okta"}


def test_attacks_through_agents_come_on_top_and_change_nothing_of_the_rest(company: list[Day]) -> None:
    assert COMPANY.agents == 10
    without = list(worlds.days(COMPANY._replace(agents=0)))
    for day, less in zip(company, without):
        more = Counter(json.dumps(record) for _, record in day.records)
        more.subtract(json.dumps(record) for _, record in less.records)
        assert min(more.values()) == 0 and sum(more.values()) > 0
        assert [incident for incident in day.incidents if incident["id"] < "incident-5000"] == less.incidents
    through = [i for day in company for i in day.incidents if i["technique"] in AGENTS]
    assert len(through) == COMPANY.agents
    assert {"inside"} == {i["origin"] for i in through if i["products"] == ["ai_agents"]}


def test_every_technique_through_agents_leaves_records_that_its_source_reads() -> None:
    for name in AGENTS:
        world = COMPANY._replace(agents=2, incidents=0, only=(name,), identities=120, padded=True)
        tenant = company_of(world)
        assert {campaign.technique.name for campaign in tenant.campaigns} == {name}
        for campaign in tenant.campaigns:
            told = campaign.run(tenant).label
            assert told is not None and told["names"]


def test_every_technique_is_dealt_from_outside_and_from_inside() -> None:
    dealt = Counter[tuple[str, str]]()
    for seed in range(12):
        world = worlds.draw(seed, identities=250, company=False)._replace(incidents=80, volume=1)
        dealt.update((c.technique.name, c.origin) for c in plan(world, account(world)))
    assert set(dealt) == {(technique, origin) for technique in TECHNIQUES for origin in ORIGINS}


def test_a_world_without_history_is_attacked_from_the_first_days_on() -> None:
    world = worlds.draw(6, identities=60, history=0, company=False)._replace(
        incidents=6, volume=5, attacked=4, only=("bulk_read", "stranger_bulk_read")
    )
    days = list(worlds.days(world))
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == 6
    assert [incident for day in days[:3] for incident in day.incidents]
    assert all(len(incident["record_ids"]) > 700 for incident in incidents)


def test_stolen_keys_of_people_are_used_where_asked_for() -> None:
    world = worlds.draw(6, identities=90, company=False)._replace(incidents=8, volume=5, stolen_keys=1.0)
    world = world._replace(ways=world.ways._replace(both_doors=20))
    tenant = account(world)
    assert len(tenant.campaigns) == 8
    assert {c.victim.arn for c in tenant.campaigns} <= {person.arn for person in tenant.people}


def test_the_program_writes_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--padded", "--out", str(tmp_path)]) == 2
    assert "--padded needs --world" in capsys.readouterr().err
