"""The company in all of its logs: repeatable, readable, labelled, linked by proof, without give-aways."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from layout import ROOT
from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch_lab.simulator.difficulty import source_hash
from nhi_watch_lab.simulator.products import PRODUCTS, TECHNIQUES, Day, Spec, Tenant, write
from nhi_watch_lab.simulator.products.difficulty import products_hash
from nhi_watch_lab.simulator.products.raid import ORIGINS
from nhi_watch_lab.simulator.products.tenant import Campaign, Ran
from nhi_watch_lab.simulator.products.workers import Line

SPEC = Spec(days=5, nhis=90, seed=11, campaigns=14, quiet_days=1)
GIVE_AWAYS = ("stratus", "attack", "evil", "hacker", "backdoor", "exfil", "victim", "adversary", "intruder", "stolen")
"""Words that no record may hold; kinds of alert that have them are harmless ones' as well."""
SOURCES = {source.NAME: source for source in registry.modules("nhi_watch.intake.sources")}


@pytest.fixture(scope="module")
def tenant() -> Tenant:
    return Tenant(SPEC)


@pytest.fixture(scope="module")
def days(tenant: Tenant) -> list[Day]:
    """All days of a small company."""
    return list(tenant.days())


@pytest.fixture(scope="module")
def events(days: list[Day]) -> list[tuple[Line, Event]]:
    """Every record as its source reads it; no source knows alerts of a SIEM's rules, and Sysmon's records."""
    lines = [(line, SOURCES[line.product]) for day in days for line in day.lines]
    kept = [(line, source) for line, source in lines if source.claims(line.record)]
    assert {line.product for line, source in lines if not source.claims(line.record)} <= {"alerts", "endpoint"}
    return [(line, source.read(line.record)) for line, source in kept]


@pytest.fixture(scope="module")
def campaigns() -> list[tuple[Campaign, Ran]]:
    """Many campaigns, played without the days around them."""
    tenants = [Tenant(Spec(days=10, nhis=220, seed=seed, campaigns=80, quiet_days=3)) for seed in (21, 22, 23)]
    return [(campaign, campaign.run(tenant)) for tenant in tenants for campaign in tenant.campaigns]


def test_bytes_are_the_recorded_ones_on_every_python() -> None:
    total = hashlib.sha256()
    for day in Tenant(Spec(days=2, nhis=40, seed=5, campaigns=4, quiet_days=0)).days():
        for line in day.lines:
            total.update(json.dumps(line.record).encode())
    assert total.hexdigest()[:16] == "ac755cce0357b4e9"


def test_the_decision_names_the_sources_that_are_frozen() -> None:
    decision = (ROOT / "docs" / "decisions" / "0003-simulator.md").read_text("utf-8")
    assert products_hash() in decision
    assert source_hash() in decision


def test_every_record_is_claimed_first_by_its_own_source(days: list[Day]) -> None:
    seen: Counter[str] = Counter()
    for line in (line for day in days for line in day.lines):
        record = orjson.loads(orjson.dumps(line.record))
        source = next((each for each in SOURCES.values() if each.claims(record)), None)
        if source is None and line.product in ("alerts", "endpoint"):
            continue  # alerts of a SIEM's rules, and Sysmon's records
        assert source is not None and line.product == source.NAME, record
        seen[line.product] += 1
    assert set(seen) == set(PRODUCTS)


def test_events_have_the_time_that_was_meant(events: list[tuple[Line, Event]]) -> None:
    assert max(abs(event.time - int(line.second)) for line, event in events) <= 1


def test_no_record_id_occurs_twice(events: list[tuple[Line, Event]]) -> None:
    ids = [(line.product, event.record_id) for line, event in events]
    assert len(ids) == len(set(ids))


def test_labels_point_at_existing_records_of_the_named_identities(
    days: list[Day], events: list[tuple[Line, Event]]
) -> None:
    by_id = {event.record_id: line for line, event in events}
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == SPEC.campaigns
    for incident in incidents:
        lines = [by_id[identifier] for identifier in incident["record_ids"] if identifier in by_id]
        assert len(lines) == len(set(incident["record_ids"])) or incident["last_time"] > days[-1].date
        named = {item["name"]: item["products"] for item in incident["identities"]}
        assert all(line.product in named[line.who] for line in lines)
        assert set(incident["products"]) <= {line.product for line in lines}


def test_every_technique_occurs_from_outside_and_from_inside(campaigns: list[tuple[Campaign, Ran]]) -> None:
    assert len(TECHNIQUES) >= 14
    planned = {(campaign.technique.name, campaign.origin) for campaign, ran in campaigns if ran.label}
    assert planned == {(technique, origin) for technique in TECHNIQUES for origin in ORIGINS}


# ---- nothing gives a campaign away


def test_no_name_or_agent_gives_a_campaign_away(days: list[Day]) -> None:
    for line in (line for day in days for line in day.lines if line.product != "alerts"):
        text = orjson.dumps(line.record).decode().lower()
        assert not [word for word in GIVE_AWAYS if word in text], text


ELSEWHERE = ("alerts", "cloudtrail", "ai")
"""Alerts draw their kinds from the table of the harmless ones; AWS's words are those of the frozen simulator."""


def test_campaigns_use_the_words_and_the_fields_of_ordinary_life(campaigns: list[tuple[Campaign, Ran]]) -> None:
    ordinary: dict[str, set[str]] = defaultdict(set)
    for seed in (31, 32):
        for day in Tenant(Spec(days=12, nhis=160, seed=seed, campaigns=0)).days():
            for line in day.lines:
                ordinary[line.product].update({line.action, *paths(line.record)})
    counter: Counter[tuple[str, str]] = Counter()
    for _, ran in campaigns:
        for line in [line for line in ran.lines if line.product not in ELSEWHERE]:
            counter.update((line.product, word) for word in {line.action, *paths(line.record)} - ordinary[line.product])
    assert not counter


def paths(value: Any, above: str = "") -> Iterator[str]:
    """Where a record has values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{above}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{above}[]")
    else:
        yield above


# ---- the proofs by which logs can be joined


def test_files_hold_one_record_a_line_and_a_folder_a_product(tmp_path: Path) -> None:
    labels = write(tmp_path, Spec(days=2, nhis=40, seed=6, campaigns=1, quiet_days=0))
    lines = gzip.decompress((tmp_path / "events" / "okta" / "2025-03-03.ndjson.gz").read_bytes()).splitlines()
    assert all(json.loads(line)["published"].startswith("2025-03-03T") for line in lines)
    assert json.loads((tmp_path / "labels.json").read_bytes()) == labels
