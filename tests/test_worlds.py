"""The drawn worlds: repeatable, unlike one another, labelled, without give-aways."""

from __future__ import annotations

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
from nhi_watch_lab.worlds import Day
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


def test_labels_name_records_and_identities_as_the_sources_read_them(days: list[Day]) -> None:
    events = {e.record_id: e for day in days for _, r in day.records for e in [cloudtrail.read(r)]}
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == SMALL.incidents
    for incident in incidents:
        labelled = [events[name] for name in incident["record_ids"]]
        assert {event.identity.name for event in labelled} == set(incident["identities"])
        assert incident["identity"] == incident["identities"][0]
    assert all(i["first_time"].startswith(day.date) for day in days for i in day.incidents)


def test_a_padded_attacker_does_the_same_and_more() -> None:
    def sizes(padded: bool) -> Counter[str]:
        world = worlds.draw(3, identities=40, history=4, company=False, padded=padded)
        result = (incident for day in worlds.days(world) for incident in day.incidents)
        return Counter({incident["id"]: len(incident["record_ids"]) for incident in result})

    plain, padded = sizes(False), sizes(True)
    assert plain.keys() == padded.keys()
    assert sum(padded.values()) > sum(plain.values()) + 20


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
    records = ((sources[product], record) for day in company for product, record in day.records)
    names = {
        e.record_id: e.identity.name
        for source, record in records
        if source.claims(record)
        for e in [source.read(record)]
    }
    for incident in [incident for day in company for incident in day.incidents]:
        assert set(incident["record_ids"]) <= names.keys()
        assert set(incident["identities"]) <= {names[record] for record in incident["record_ids"]}


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
            label = campaign.run(tenant).label
            assert label is not None and label["names"]


def test_every_technique_is_dealt_from_outside_and_from_inside() -> None:
    dealt = Counter[tuple[str, str]]()
    for seed in range(12):
        world = worlds.draw(seed, identities=250, company=False)._replace(incidents=80, volume=1)
        dealt.update((c.technique.name, c.origin) for c in plan(world, account(world)))
    assert set(dealt) == {(technique, origin) for technique in TECHNIQUES for origin in ORIGINS}


def test_the_program_writes_a_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--padded", "--out", str(tmp_path)]) == 2
    assert "--padded needs --world" in capsys.readouterr().err
