"""The scheduled searches, from raw events to notables: what the program `nhi` makes of the same records."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import Going, Options
from nhi_watch.context.assets import Asset, find
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.hosts.splunk import tables
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import cloudtrail, every
from nhi_watch.state.memory import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant, products
from nhi_watch_lab.simulator.products.workers import Line
from splunk_app import interpreter, unpacked
from splunk_peers import Window
from splunk_process import Row
from splunk_server import Server

Record = dict[str, Any]
BUDGET = 300
"""Notables a day per 1,000 identities: many, to compare many."""
DAYS = int(os.environ.get("NHI_SPLUNK_DAYS", "5"))
"""More than five are lived in this process: fourteen take two minutes."""
MORNING, NIGHT = 11 * HOUR, 24 * HOUR - 600
LATE = 20
"""Every so many-th event comes after its day has ended."""


ALWAYS = Window(0, 1 << 40)


@lru_cache
def simulated(days_of_it: int = 5) -> tuple[Record, ...]:
    days = Tenant(Spec(days=days_of_it, machines=15, seed=11, campaigns=5)).days()
    return tuple(record for day in days for record in day.records)


@lru_cache
def company() -> tuple[Line, ...]:
    spec = products.Spec(days=4, nhis=30, seed=4, quiet_days=1, campaigns=5)
    return tuple(line for day in products.Tenant(spec).days() for line in day.lines)


def wanted(records: Iterable[Record]) -> dict[str, float]:
    """Notable id → score, as from files."""
    going = Going(MemoryStore(), every(), Options(BUDGET))
    going.feed(records)
    found = {notable["id"]: notable["score"] for notable in going.finish().notables}
    assert len(found) >= 3, "what is simulated must give something to compare"
    return found


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return with_budget(Server(unpacked(tmp_path), interpreter("3.13")))


@pytest.fixture
def server_of_days(tmp_path: Path) -> Server:
    return with_budget(Server(unpacked(tmp_path), interpreter("3.13") if DAYS <= 5 else ""))


def with_budget(made: Server) -> Server:
    made.overrides["nhi_budget"] = str(BUDGET)
    return made


def arrivals(records: tuple[Record, ...]) -> Iterator[tuple[int, list[Record]]]:
    """Second of arrival → records: twice a day; some a night late, a few three days late, some twice."""
    dice = random.Random(7)
    batches: dict[int, list[Record]] = {}
    for record in records:
        time = parse(record["eventTime"])
        day = time // DAY * DAY
        at = day + (MORNING if time - day < MORNING else NIGHT)
        if dice.randrange(LATE) == 0:
            at += dice.choice([DAY, DAY, DAY, 3 * DAY])
        batches.setdefault(at, []).append(record)
        if dice.randrange(LATE) == 0:
            batches.setdefault(at + DAY // 2, []).append(record)
    yield from sorted(batches.items())


def live(server: Server) -> int:
    """Let the days pass as the schedule has them; the second at which all has arrived."""
    for at, records in arrivals(simulated(DAYS)):
        server.index(((parse(record["eventTime"]), record) for record in records), "aws:cloudtrail", at)
        server.scheduled("NHI Watch - Group Events", at + 300)
        server.scheduled("NHI Watch - Group Events", at + 420)  # a window that overlaps
        server.scheduled("NHI Watch - Group All Events", at + 425)
        server.scheduled("NHI Watch - Group Late Events", at + 430)
        server.scheduled("NHI Watch - Learn", at + 440)
        server.scheduled("NHI Watch - Learn Late", at + 445)
        server.scheduled("NHI Watch - Count", at + 450)
        server.scheduled("NHI Watch - Awake", at + 455)
        server.scheduled("NHI Watch - Rank", at + 480)
        server.scheduled("NHI Watch - Rank All", at + 500)
    return at + 500


def standing(server: Server) -> dict[str, Row]:
    """Notable id → the latest revision of those that stand, as a dashboard finds them."""
    last = max(int(row["_indextime"][0]) for row in server.events)
    rows = server.search("`nhi_notables` | `nhi_latest`", Window(0, last + DAY), last)
    return {row["nhi_id"][0]: row for row in rows}


def scores(found: dict[str, Row]) -> dict[str, float]:
    return {name: float(row["nhi_score"][0]) for name, row in found.items()}


def test_the_scheduled_searches_find_what_the_program_finds(server_of_days: Server) -> None:
    server = server_of_days
    end = live(server)
    server.scheduled("NHI Watch - Rank Late", end + 600)
    found = standing(server)
    assert scores(found) == wanted(simulated(DAYS))
    wrong = {text.partition(":")[2][:15] for level, text in server.messages if level in ("WARN", "ERROR")}
    assert wrong == {" learnt nothing"}, "before anything had come"


def test_a_company_in_all_of_its_logs_gives_what_the_program_finds(server: Server) -> None:
    known = (each for each in (*every(), *schemas.every()) if each.SPLUNK_SOURCETYPES)
    types = {each.NAME: each.SPLUNK_SOURCETYPES[0] for each in known}
    end = int(max(line.second for line in company())) // DAY * DAY + DAY - 1
    for product in {line.product for line in company()}:
        mine = [(line.second, line.record) for line in company() if line.product == product]
        server.index(mine, types[product])
    server.backfill(end // DAY - 4, end // DAY, end)
    server.scheduled("NHI Watch - Rank Late", end)
    assert scores(standing(server)) == wanted(line.record for line in company())
    server.scheduled("NHI Watch - Learn History", end + DAY)
    server.scheduled("NHI Watch - Retire", end + DAY)
    assert server.scheduled("NHI Watch - Rank Late", end) == [], "nothing changes by learning"
    health = server.scheduled("NHI Watch - Health", end)
    alerts_of(server, end)
    told = {row["nhi_source"][0]: row["nhi_status"][0] for row in health if row["nhi_check"] == ["source"]}
    assert told.keys() == types.keys()
    assert {name for name, status in told.items() if status == "unknown"} == set(types) - {
        line.product for line in company()
    }
    assert told["cloudtrail"] == "ok"


def alerts_of(server: Server, end: int) -> None:
    found = standing(server)
    server.scheduled("NHI Watch - Enterprise Security Risk", end + 120)
    finding = server.scheduled("NHI Watch - Enterprise Security Notables", end + 120)
    due = {name for name, row in found.items() if float(row["nhi_score"][0]) >= 40}
    assert {row["nhi_id"][0] for row in finding} == {row["nhi_id"][0] for _, row in server.alerts} == due


def test_a_verdict_in_the_kv_store_withdraws_a_notable_on_the_next_run(server: Server) -> None:
    records = simulated()
    server.index(((parse(r["eventTime"]), r) for r in records), "aws:cloudtrail", parse(records[-1]["eventTime"]) + 60)
    end = parse(records[-1]["eventTime"]) + 360
    server.scheduled("NHI Watch - Group Events", end)
    server.scheduled("NHI Watch - Rank", end)
    before = standing(server)
    judged = max(before, key=lambda name: float(before[name]["nhi_priority"][0]))
    told = 'nhifeedback verdict=benign reason="a drill"'
    server.collections["nhi_feedback"] = server.search(f"`nhi_notables` nhi_id={judged} | {told}", ALWAYS, end)
    server.scheduled("NHI Watch - Rank", end + 300)
    assert set(before) - set(standing(server)) == {judged}


def test_threat_intelligence_of_enterprise_security_becomes_a_list_that_signals_read(server: Server) -> None:
    found = [{"ip": ["198.51.100.7"], "description": ["botnet"], "weight": ["60"]}, {"domain": ["x.example"]}]
    server.collections["ip_intel"] = found
    server.scheduled("NHI Watch - Threat Intelligence", DAY)
    listed, messages = tables.load_reputation(server.app / "lookups")
    assert messages == []
    record = {**simulated()[0], "sourceIPAddress": "198.51.100.7"}
    assert "listed" in listed.mark(cloudtrail.read(record)).traits
    assert "listed" not in listed.mark(cloudtrail.read(simulated()[0])).traits


LEARNT = [
    '[["aws:1:role:AROAEXAMPLE","arn:aws:iam::1:role/app","role","aws","1",""],5,9]',
    '[["aws:1:role:AROAOTHER","arn:aws:iam::1:role/other","role","aws","1",""],5,9]',
    '[["entra:1:user:x","ada@example.com","user","entra","1","yes"],5,9]',
]
"""How the baseline knows two roles, and a person."""


def test_identities_go_to_enterprise_security_and_owners_come_from_there(tmp_path: Path) -> None:
    server = Server(tmp_path)
    rows = ["scope,day,profile,deltas"]
    rows += ['inventory/i/{},0,"{}",'.format(json.loads(p)[0][0], p.replace('"', '""')) for p in LEARNT]
    (tmp_path / "lookups").mkdir()
    server.lookup("nhi_baseline.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    own = "identity,criticality,owner,environment,comment\nother,high,team-b,,\n"
    server.lookup(tables.ASSETS).write_text(own)
    names = [f"arn:aws:iam::1:role/{name}" for name in ("app", "other")]
    told = [{"identity": [name, "x"], "priority": ["Low"], "managedBy": ["team-a"]} for name in names]
    server.collections["identity_lookup_expanded"] = [*told, {"identity": ["ada"], "priority": ["critical"]}]
    server.scheduled("NHI Watch - Enterprise Security Owners", DAY)
    server.scheduled("NHI Watch - Enterprise Security Identities", DAY)
    published = server.lookup("nhi_identities.csv").read_text().splitlines()
    assert published == [
        "identity,priority,managedBy,bunit,category",
        "aws:1:role:AROAEXAMPLE|arn:aws:iam::1:role/app,,,1,non_human_identity|role",
        "aws:1:role:AROAOTHER|arn:aws:iam::1:role/other,high,team-b,1,non_human_identity|role",
    ]
    assets, messages = tables.load_assets(tmp_path / "lookups")
    known = [Identity(*json.loads(profile)[0]) for profile in LEARNT[:2]]
    found = [find(assets, identity) for identity in known]
    assert found == [Asset("low", "team-a", ""), Asset("high", "team-b", "")], "the customer's own table goes first"
    assert messages == []
