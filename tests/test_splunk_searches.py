"""The scheduled searches, from raw events to notables: what the program `nhi` makes of the same records."""

from __future__ import annotations

import json
import os
import random
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from core_samples import CALL, Going, Options
from nhi_watch.context.assets import Asset, find
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect.publish import SHOWN
from nhi_watch.hosts.splunk import tables
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import cloudtrail, every
from nhi_watch.state import inventory
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant, products
from nhi_watch_lab.simulator.products.workers import Line
from splunk_app import interpreter, unpacked
from splunk_conf import conf
from splunk_peers import Window
from splunk_process import Row
from splunk_server import Server

Record = dict[str, Any]
BUDGET = 300
"""Notables a day per 1,000 identities: many, to compare many."""
DAYS = int(os.environ.get("NHI_SPLUNK_DAYS", "5"))
MORNING, NIGHT = 11 * HOUR, 24 * HOUR - 600
LATE = 20
"""Every so many-th event comes after its day has ended."""


ALWAYS = Window(0, 1 << 40)
DETECTION = "NHI Watch - Stolen or Misused Non-Human Identity"


@lru_cache
def simulated(days_of_it: int = 5) -> tuple[Record, ...]:
    days = Tenant(Spec(days=days_of_it, machines=15, seed=11, campaigns=5)).days()
    return tuple(record for day in days for record in day.records)


@lru_cache
def company() -> tuple[Line, ...]:
    spec = products.Spec(days=4, nhis=30, seed=4, quiet_days=1, campaigns=5)
    return tuple(line for day in products.Tenant(spec).days() for line in day.lines)


def wanted(*batches: Iterable[Record]) -> dict[str, float]:
    """Notable id → score, as from files."""
    store = MemoryStore()
    for records in batches:
        going = Going(store, every(), Options(BUDGET))
        going.feed(records)
        standing = going.finish().standing
    result = {notable["id"]: notable["likelihood"] for notable in standing}
    assert len(result) >= 3, "what is simulated must give something to compare"
    return result


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One whose commands run in this process."""
    server = Server(unpacked(tmp_path))
    server.overrides["nhi_budget"] = str(BUDGET)
    return server


def arrivals(records: tuple[Record, ...]) -> Iterator[tuple[int, list[Record]]]:
    """Second of arrival → records: twice a day; some a night late, some twice."""
    dice = random.Random(7)
    batches: dict[int, list[Record]] = {}
    for record in records:
        time = parse(record["eventTime"])
        day = time // DAY * DAY
        at = day + (MORNING if time - day < MORNING else NIGHT)
        if dice.randrange(LATE) == 0:
            at += DAY // 2
        batches.setdefault(at, []).append(record)
        if dice.randrange(LATE) == 0:
            batches.setdefault(at + DAY // 2, []).append(record)
    yield from sorted(batches.items())


def live(server: Server) -> int:
    """Let the days pass as the schedule has them; the second at which all has arrived."""
    for at, records in arrivals(simulated(DAYS)):
        server.index(((parse(record["eventTime"]), record) for record in records), "aws:cloudtrail", at)
        server.scheduled("NHI Watch - Group Events", at + 120)
        server.scheduled("NHI Watch - Group Late", at + 1800)
        server.scheduled("NHI Watch - Rank", at + 240)
        server.scheduled("NHI Watch - Group Events", at + 300)  # a window that overlaps
        server.scheduled("NHI Watch - Rank", at + 420)
    return at + 3600


def likelihoods(rows: dict[str, Row]) -> dict[str, float]:
    return {name: float(row["nhi_likelihood"][0]) for name, row in rows.items()}


def test_the_scheduled_searches_find_what_the_program_finds(server: Server) -> None:
    end = live(server)
    server.scheduled("NHI Watch - Close", end)
    assert likelihoods(server.standing()) == wanted(*(records for _, records in arrivals(simulated(DAYS))))
    assert [text for level, text in server.messages if level in ("WARN", "ERROR")] == []
    listed = {row["nhi_id"][0] for row in server.collections["nhi_notables"] if row["nhi_change"][0] in SHOWN}
    assert listed == set(server.standing()), "what dashboards list is what stands"


def test_a_company_in_all_of_its_logs_gives_what_the_program_finds(server: Server) -> None:
    """By commands that are processes, as splunkd starts them."""
    server.python = interpreter("3.13")
    known = (each for each in (*every(), *schemas.every()) if each.SPLUNK_SOURCETYPES)
    types = {each.NAME: each.SPLUNK_SOURCETYPES[0] for each in known}

    end = int(max(line.second for line in company())) // DAY * DAY + DAY - 1
    for product in {line.product for line in company()}:
        mine = [(line.second, line.record) for line in company() if line.product == product]
        server.index(mine, types[product])
    server.backfill(end // DAY - 4, end // DAY, end)
    assert likelihoods(server.standing()) == wanted(line.record for line in company())
    written = sum(row["index"] == ["nhi_risk"] for row in server.events)
    server.scheduled("NHI Watch - Close", end + 300)
    assert written == sum(row["index"] == ["nhi_risk"] for row in server.events), "nothing is written twice"
    health = server.scheduled("NHI Watch - Health", end)
    statuses = {row["nhi_source"][0]: row["nhi_status"][0] for row in health if row["nhi_check"] == ["source"]}
    assert statuses.keys() == types.keys()
    assert {name for name, status in statuses.items() if status == "unknown"} == set(types) - {
        line.product for line in company()
    }
    assert statuses["cloudtrail"] == "ok"
    assert [row["nhi_status"] for row in health if row["nhi_check"] == ["history"]] == [["ok"]]
    explained(server, end)


def explained(server: Server, end: int) -> None:
    """An event in the index is short, and the state has the story."""
    rows = server.standing()
    name = max(rows, key=lambda name: float(rows[name]["nhi_likelihood"][0]))
    assert max(len(row["_raw"][0]) for row in server.events if row["index"] == ["nhi_risk"]) < 20_000
    lines = server.search(f"`nhi_notables` nhi_id={name} | nhi explain id={name}", ALWAYS, end)
    assert {"signal", "timeline", "control", "usual", "brief"} <= {line["nhi_section"][0] for line in lines}
    assert not [line for line in lines if "nhi_error" in line]


def ranked_once(server: Server) -> int:
    end = parse(simulated()[-1]["eventTime"]) + 180
    server.index(((parse(r["eventTime"]), r) for r in simulated()), "aws:cloudtrail", end - 120)
    server.search(GROUP, ALWAYS._replace(latest=end + 1), end)
    server.search(RANK, ALWAYS._replace(latest=end + 1), end + 60)
    return end


RANK = conf("savedsearches.conf")["NHI Watch - Rank"]["search"]
GROUP = conf("savedsearches.conf")["NHI Watch - Group Events"]["search"]


def test_a_verdict_in_the_kv_store_withdraws_a_notable_on_the_next_run(server: Server) -> None:
    end = ranked_once(server)
    before = server.standing()
    with_verdict = max(before, key=lambda name: float(before[name]["nhi_likelihood"][0]))
    text = 'nhi feedback verdict=benign reason="a drill"'
    server.collections["nhi_feedback"] = server.search(f"`nhi_notables` nhi_id={with_verdict} | {text}", ALWAYS, end)
    server.scheduled("NHI Watch - Rank", end + 420)
    assert set(before) - set(server.standing()) == {with_verdict}
    server.collections["nhi_feedback"] = []
    server.scheduled("NHI Watch - Rank", end + 720)
    assert set(server.standing()) == set(before), "a verdict that is taken back brings it back"


def test_what_a_slow_clock_hid_from_group_is_read_again_once_a_day_and_no_hour_twice(tmp_path: Path) -> None:
    """An indexer whose clock is two minutes behind dates arrivals before windows that are over: a fifth was lost."""
    (tmp_path / "lookups").mkdir()
    server, records = Server(tmp_path), simulated()[:600]
    timed = [(parse(record["eventTime"]), record) for record in records]
    end = max(time for time, _ in timed) // HOUR * HOUR + HOUR
    for number in range(5):
        server.index(timed[number::5], "aws:cloudtrail", end - 400 * (number == 3))
    group = conf("savedsearches.conf")["NHI Watch - Group Events"]["search"]
    server.search(group, Window(0, end + DAY, end - 300, end + 1), end + 60)

    def read() -> int:
        (row,) = server.search("`nhi_behaviours` | nhigroup | stats sum(nhi_events) AS n", Window(0, end + DAY), end)
        return int(row["n"][0])

    assert read() == 480
    server.scheduled("NHI Watch - Close", end + 4 * HOUR)
    assert read() == 600
    count = len(server.events)
    server.steps |= {f"again/{hour}" for hour in range(end // HOUR)}
    server.scheduled("NHI Watch - Close", end + 5 * HOUR)
    assert len(server.events) == count


def test_enterprise_security_gets_each_finding_once_with_risk_by_severity(server: Server) -> None:
    end = ranked_once(server)
    rows = server.search(conf("savedsearches.conf")[DETECTION]["search"], ALWAYS, end + 120)
    standing = server.standing()
    due = {name for name, row in standing.items() if row["nhi_severity"][0] in ("medium", "high", "critical")}
    assert {row["nhi_id"][0] for row in rows} == due != set()
    for row in rows:
        name, severity = row["nhi_id"][0], row["nhi_severity"][0]
        fields = [item for item in row if item.startswith(("user_", "system_")) and "".join(row[item])]
        assert fields == [*["user_agent"] * ("nhi_agents" in standing[name]), f"user_{severity}", f"system_{severity}"]
        assert row["severity"] == [severity]
        assert row[f"user_{severity}"] == list(dict.fromkeys([*row["user"], *standing[name].get("nhi_members", ())]))
        assert all("/" not in address for address in row["src"]), "a network is no address"
        assert "risk_score" not in row and not [item for item in row if item.startswith("nhi_notable")]
        techniques = standing[name].get("nhi_mitre_attack", [])
        assert json.loads(row["annotations"][0]).get("mitre_attack", []) == techniques


def test_a_disposition_of_a_closed_finding_is_a_verdict(server: Server) -> None:
    end = ranked_once(server)
    standing = server.standing()
    first, second, third, *_ = sorted(standing)
    review = {"status_group": "Closed", "reviewer": "ada", "review_time": end + 100, "comment": "planned"}

    def find(name: str, **more: object) -> None:
        identity = standing[name]["nhi_identity_id"][0]
        row = {"nhi_id": name, "nhi_identity_id": identity, "search_name": DETECTION, **more}
        server._add({"_raw": [json.dumps(row)], "_time": [str(end)], "_indextime": [str(end)], "index": ["notable"],
                     "sourcetype": ["modular_alerts:notable"], "source": [DETECTION]})  # fmt: skip

    find(first, **review, disposition="disposition:2")
    find(second, **{**review, "status_group": "Open"}, disposition="disposition:2")
    find(third, **review, disposition="disposition:6")
    for _ in range(2):
        server.scheduled("NHI Watch - Enterprise Security Verdicts", end + 200)
    (kept,) = server.collections["nhi_feedback"]
    assert [kept[name][0] for name in ("nhi_id", "verdict", "analyst")] == [first, "benign", "ada"]
    assert kept["time"] == [render(end + 100)]
    server.scheduled("NHI Watch - Rank", end + 420)
    assert set(standing) - set(server.standing()) == {first}
    (own,) = server.search(f"`nhi_notables` nhi_id={first} | head 1 | nhi feedback verdict=confirmed", ALWAYS, end)
    server.collections["nhi_feedback"] = [own]
    server.scheduled("NHI Watch - Enterprise Security Verdicts", end + 900)
    assert server.collections["nhi_feedback"] == [own], "the newer verdict stays"


def test_threat_intelligence_of_enterprise_security_becomes_a_list_that_signals_read(server: Server) -> None:
    rows = [{"ip": ["198.51.100.7"], "description": ["botnet"], "weight": ["60"]}, {"domain": ["x.example"]}]
    server.collections["ip_intel"] = rows
    server.collections["identity_lookup_expanded"] = []
    server.scheduled("NHI Watch - Enterprise Security Sync", DAY)
    listed, messages = tables.load_reputation(server.app / "lookups")
    assert messages == []
    record = {**simulated()[0], "sourceIPAddress": "198.51.100.7"}
    assert "listed" in listed.mark(cloudtrail.read(record)).traits
    assert "listed" not in listed.mark(cloudtrail.read(simulated()[0])).traits


LEARNT = [
    Identity("aws:1:role:AROAEXAMPLE", "arn:aws:iam::1:role/app", "role", "aws", "1", ""),
    Identity("aws:1:role:AROAOTHER", "arn:aws:iam::1:role/other", "role", "aws", "1", ""),
    Identity("entra:1:user:x", "ada@example.com", "user", "entra", "1", "yes"),
]
"""Two roles, and a person."""


def test_identities_go_to_enterprise_security_and_owners_come_from_there(tmp_path: Path) -> None:
    server = Server(tmp_path)
    (tmp_path / "lookups").mkdir()
    whole_days = [IdentityDay(9) for _ in LEARNT]
    for identity_day, identity in zip(whole_days, LEARNT):
        identity_day.add(CALL._replace(identity=identity, time=9 * DAY, record_id="x"))
    store = MemoryStore()
    inventory.note(store, whole_days)
    for key, raw in store.scan("inventory", "", "\U0010ffff"):
        document = {"_key": f"inventory/{key}", "v": b64encode(raw).decode()}
        server.splunkd.kv.captain["nhi_state"][document["_key"]] = document
    own = "identity,criticality,owner,environment,comment\nother,high,team-b,,\n"
    server.lookup(tables.ASSETS).write_text(own)
    names = [f"arn:aws:iam::1:role/{name}" for name in ("app", "other")]
    rows = [{"identity": [name, "x"], "priority": ["Low"], "managedBy": ["team-a"]} for name in names]
    server.collections["identity_lookup_expanded"] = [*rows, {"identity": ["ada"], "priority": ["critical"]}]
    server.scheduled("NHI Watch - Enterprise Security Sync", DAY)
    published = server.lookup("nhi_identities.csv").read_text().splitlines()
    assert published == [
        "identity,priority,managedBy,bunit,category",
        "aws:1:role:AROAEXAMPLE|arn:aws:iam::1:role/app,,,1,non_human_identity|role",
        "aws:1:role:AROAOTHER|arn:aws:iam::1:role/other,high,team-b,1,non_human_identity|role",
    ]
    assets, messages = tables.load_assets(tmp_path / "lookups")
    found_assets = [find(assets, identity) for identity in LEARNT[:2]]
    assert found_assets == [Asset("low", "team-a", ""), Asset("high", "team-b", "")], (
        "the customer's own table goes first"
    )
    assert messages == []
