"""The company in all of its logs: repeatable, readable, labelled, linked by proof, without give-aways."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
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
    told = [(line, SOURCES[line.product]) for day in days for line in day.lines]
    kept = [(line, source) for line, source in told if source.claims(line.record)]
    assert {line.product for line, source in told if not source.claims(line.record)} <= {"alerts", "endpoint"}
    return [(line, source.read(line.record)) for line, source in kept]


@pytest.fixture(scope="module")
def campaigns() -> list[tuple[Campaign, Ran]]:
    """Many campaigns, played without the days around them."""
    tenants = [Tenant(Spec(days=10, nhis=220, seed=seed, campaigns=80, quiet_days=3)) for seed in (21, 22, 23)]
    return [(campaign, campaign.run(tenant)) for tenant in tenants for campaign in tenant.campaigns]


def of_technique(campaigns: list[tuple[Campaign, Ran]], name: str) -> Iterator[dict[str, list[Line]]]:
    """The lines of each campaign of a technique, by product."""
    for campaign, ran in campaigns:
        if campaign.technique.name == name:
            found: dict[str, list[Line]] = defaultdict(list)
            for line in ran.lines:
                found[line.product].append(line)
            yield found


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    small = Spec(days=2, nhis=40, seed=5, campaigns=2, quiet_days=0)
    for name in ("a", "b"):
        write(tmp_path / name, small)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert {f.parts[1] for f in files if len(f.parts) > 2} >= {*PRODUCTS} - {"alerts", "exposure"}
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


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


def test_another_seed_is_another_company() -> None:
    first, second = (Tenant(Spec(days=2, nhis=40, seed=seed)) for seed in (1, 2))
    assert first.company.tenant_id != second.company.tenant_id
    assert not {w.who for w in first.workers if "sp" in w.facts} & {w.who for w in second.workers}


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


def test_records_are_in_the_order_of_time_within_their_day(days: list[Day]) -> None:
    for day in days:
        seconds = [line.second for line in day.lines]
        assert seconds == sorted(seconds)
        assert {datetime.fromtimestamp(s, timezone.utc).date().isoformat() for s in seconds} == {day.date}


def test_events_have_the_time_that_was_meant(events: list[tuple[Line, Event]]) -> None:
    assert max(abs(event.time - int(line.second)) for line, event in events) <= 1


def test_no_record_id_occurs_twice(events: list[tuple[Line, Event]]) -> None:
    ids = [(line.product, event.record_id) for line, event in events]
    assert len(ids) == len(set(ids))


def test_machines_and_people_of_every_product_work(tenant: Tenant, events: list[tuple[Line, Event]]) -> None:
    active = {line.who for line, _ in events}
    for product, staff in tenant.staff.items():
        assert any(w.who in active for w in staff if w.human), product
        assert sum(w.who in active for w in staff if not w.human) >= 2, product


def test_labels_point_at_existing_records_of_the_named_identities(
    days: list[Day], events: list[tuple[Line, Event]]
) -> None:
    by_id = {event.record_id: line for line, event in events}
    incidents = [incident for day in days for incident in day.incidents]
    assert len(incidents) == SPEC.campaigns
    for incident in incidents:
        found = [by_id[identifier] for identifier in incident["record_ids"] if identifier in by_id]
        assert len(found) == len(set(incident["record_ids"])) or incident["last_time"] > days[-1].date
        named = {item["name"]: item["products"] for item in incident["identities"]}
        assert all(line.product in named[line.who] for line in found)
        assert set(incident["products"]) <= {line.product for line in found}


def test_quiet_days_have_no_campaign(days: list[Day]) -> None:
    assert not days[0].incidents


def test_each_incident_has_victims_of_its_own(tenant: Tenant) -> None:
    cast = [id(who) for campaign in tenant.campaigns for who in campaign.cast.values()]
    assert len(cast) == len(set(cast))


def test_every_technique_occurs_from_outside_and_from_inside(campaigns: list[tuple[Campaign, Ran]]) -> None:
    assert len(TECHNIQUES) >= 14
    planned = {(campaign.technique.name, campaign.origin) for campaign, ran in campaigns if ran.label}
    assert planned == {(technique, origin) for technique in TECHNIQUES for origin in ORIGINS}


def test_many_techniques_cross_products(campaigns: list[tuple[Campaign, Ran]]) -> None:
    crossing = {c.technique.name for c, ran in campaigns if ran.label and len(ran.label["products"]) > 1}
    assert len(crossing) >= 10


def test_other_products_alert_on_some_campaigns_but_not_on_all(campaigns: list[tuple[Campaign, Ran]]) -> None:
    alerted = [bool(ran.label["alerts"]) for _, ran in campaigns if ran.label]
    assert 0.15 < sum(alerted) / len(alerted) < 0.5


def test_harmless_alerts_outnumber_those_of_campaigns() -> None:
    usual = Tenant(Spec(days=9, nhis=60, seed=4, quiet_days=2))
    days = list(usual.days())
    alerts = sum(line.product == "alerts" for day in days for line in day.lines)
    assert alerts > 2 * sum(incident["alerts"] for day in days for incident in day.incidents)


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
    odd: Counter[tuple[str, str]] = Counter()
    for _, ran in campaigns:
        for line in [line for line in ran.lines if line.product not in ELSEWHERE]:
            odd.update((line.product, word) for word in {line.action, *paths(line.record)} - ordinary[line.product])
    assert not odd


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


def test_a_pipeline_has_one_subject_in_github_and_in_aws(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "token_to_cloud"):
        run = next(line.record for line in lines["github"] if "workflow_run_id" in line.record)
        opened = next(line.record for line in lines["cloudtrail"] if "WithWebIdentity" in line.record["eventName"])
        assert opened["userIdentity"]["userName"].startswith(f"repo:{run['repo']}:")
        key = opened["responseElements"]["credentials"]["accessKeyId"]
        assert key in {line.record["userIdentity"].get("accessKeyId") for line in lines["cloudtrail"]}
        push = next(line.record for line in lines["github"] if line.record["action"] == "git.push")
        assert push["actor_id"] == run["actor_id"] and push["repo"] == run["repo"]


def test_a_service_account_has_one_name_in_the_cluster_and_in_aws(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "pod_to_cloud"):
        subjects = {line.record["userIdentity"].get("userName") for line in lines["cloudtrail"]}
        assert lines["kubernetes"][0].record["user"]["username"] in subjects


def test_an_app_has_one_id_in_consent_graph_and_mail(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "consent_and_mail"):
        consent = lines["entra"][0].record["properties"]
        (app,) = [each["value"] for each in consent["additionalDetails"] if each["key"] == "AppId"]
        graph = [line.record["properties"] for line in lines["entra"] if "requestUri" in line.record["properties"]]
        assert {call["appId"] for call in graph} == {app}
        assert {r.get("AppId") or r.get("ApplicationId") for r in (line.record for line in lines["m365"])} <= {app}


def test_a_new_secret_signs_in_and_its_token_works_in_azure(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "secret_on_app"):
        first, *rest = [line.record["properties"] for line in lines["entra"]]
        signed = next(told for told in rest if "servicePrincipalCredentialKeyId" in told)
        assert signed["servicePrincipalCredentialKeyId"] in json.dumps(first["targetResources"])
        used = {line.record["identity"]["claims"]["uti"] for line in lines["azure"]}
        used |= {told["signInActivityId"] for told in rest if "signInActivityId" in told}
        assert used <= {signed["uniqueTokenIdentifier"]}


def test_a_chain_names_who_asked_for_the_token(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "key_and_chain"):
        told = [line.record["protoPayload"]["authenticationInfo"] for line in lines["gcp"]]
        front = told[0]["principalEmail"]
        chains = [each["serviceAccountDelegationInfo"] for each in told if "serviceAccountDelegationInfo" in each]
        assert chains and all(chain == [{"principalSubject": f"serviceAccount:{front}"}] for chain in chains)


def test_a_key_lies_on_a_host_that_has_the_address_of_its_usual_use(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for campaign, ran in campaigns:
        if campaign.technique.name == "key_file_used_elsewhere" and campaign.origin == "inside":
            hosts = [set(line.record["host"]["ip"]) for line in ran.lines if line.product == "endpoint"]
            used = {line.record["sourceIPAddress"] for line in ran.lines if line.product == "cloudtrail"}
            assert used <= hosts[0]


def test_a_scanner_names_the_key_that_is_used(campaigns: list[tuple[Campaign, Ran]]) -> None:
    for lines in of_technique(campaigns, "scanned_secret_used"):
        keys = {line.record["userIdentity"].get("accessKeyId") for line in lines["cloudtrail"]}
        assert any(key in json.dumps(lines["exposure"][0].record) for key in keys if key)


def test_ordinary_sign_ins_and_runs_link_as_well(days: list[Day]) -> None:
    runs = {line.record["repo"] for day in days for line in day.lines if "workflow_run_id" in line.record}
    subjects = {str(line.record["userIdentity"].get("userName")) for day in days for line in day.lines
                if line.product == "cloudtrail" and "WithWebIdentity" in line.record["eventName"]}  # fmt: skip
    pipelines = [subject for subject in subjects if subject.startswith("repo:")]
    assert pipelines and all(subject.split(":")[1] in runs for subject in pipelines)


def test_files_hold_one_record_a_line_and_a_folder_a_product(tmp_path: Path) -> None:
    labels = write(tmp_path, Spec(days=2, nhis=40, seed=6, campaigns=1, quiet_days=0))
    lines = gzip.decompress((tmp_path / "events" / "okta" / "2025-03-03.ndjson.gz").read_bytes()).splitlines()
    assert all(json.loads(line)["published"].startswith("2025-03-03T") for line in lines)
    assert json.loads((tmp_path / "labels.json").read_bytes()) == labels
