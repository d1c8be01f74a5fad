"""Lists of bad addresses: every form of file, what is refused, and that an event is marked by address and day alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_watch.context import reputation
from nhi_watch.context.context import Context
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, parse
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail

TODAY = parse("2026-03-02T00:00:00Z") // DAY
ADDRESS = "198.51.100.7"


def loaded(folder: Path, content: str, name: str = "feed.csv") -> reputation.Reputation:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return reputation.load([path])


def names(reputation: reputation.Reputation, *addresses: str, day: int = TODAY) -> list[str]:
    listings = [reputation.find(address, day) for address in addresses]
    return [listing.source if listing else "" for listing in listings]


def stix(pattern: str, **more: Any) -> dict[str, Any]:
    base = {"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern_type": "stix", "name": "stix"}
    return {**base, "pattern": pattern, "valid_from": "2026-01-01T00:00:00Z", **more}


# ---- forms of files


def test_our_own_csv_tells_source_confidence_and_days(tmp_path: Path) -> None:
    rows = f"{ADDRESS},feed,80,2026-03-01,2026-03-03,why\n203.0.113.0/24,wide,,,,\n"
    lists = loaded(tmp_path, f"{reputation.COLUMNS}\n{rows}")
    assert lists.find(ADDRESS, TODAY) == reputation.Listing("feed", 80, TODAY - 1, TODAY + 1)
    assert names(lists, ADDRESS, day=TODAY + 2) == names(lists, ADDRESS, day=TODAY - 2) == [""]
    assert names(lists, "203.0.113.255", "203.0.114.0") == ["wide", ""]


def test_the_lookup_that_ships_is_empty_and_can_be_read() -> None:
    lists = reputation.load([Path(__file__).parents[1] / "lookups" / "nhi_reputation.csv"])
    assert len(lists.table) == 0 and not lists.refused


def test_splunks_ip_intel_is_read(tmp_path: Path) -> None:
    splunk = loaded(tmp_path, f"description,ip,weight\nscanner,{ADDRESS},60\nold,203.0.113.9,5\n", "ip_intel.csv")
    assert names(splunk, ADDRESS, "203.0.113.9") == ["ip_intel", ""] and splunk.refused == {"weak": 1}


def test_plain_lists_may_hold_remarks_ranges_and_six(tmp_path: Path) -> None:
    reputation = loaded(
        tmp_path, f"# from somewhere\n{ADDRESS}\n203.0.113.0/24 ; SBL1\n2001:db8:1::/48\n\n", "drop.txt"
    )
    assert names(reputation, ADDRESS, "203.0.113.77", "2001:db8:1:2::3", "::ffff:198.51.100.7") == ["drop"] * 4


def test_a_stix_bundle_is_walked_and_what_is_not_understood_is_counted(tmp_path: Path) -> None:
    bundle: dict[str, Any] = {
        "type": "bundle",
        "id": "bundle--1",
        "objects": [
            {"type": "identity", "id": "identity--1", "name": "x"},
            stix(f"[ipv4-addr:value = '{ADDRESS}']", valid_until="2026-03-02T12:00:00Z"),
            stix("[ipv4-addr:value ISSUBSET '203.0.113.0/24' OR ipv6-addr:value = '2001:db8::1']"),
            stix("[ipv4-addr:value = '192.0.2.1' AND url:value = 'x']"),
            stix("[file:hashes.MD5 = 'x']"),
            stix("[ipv4-addr:value = '192.0.2.2']", revoked=True),
            stix("[ipv4-addr:value = '192.0.2.3']", confidence=10),
            stix("[ipv4-addr:value = '192.0.2.4']", valid_until="soon"),
            stix("[ipv4-addr:value = '192.0.2.5']", valid_from="2026-03-03T00:00:00Z"),
        ],
        "extra": {"objects": 1},
    }
    reputation = loaded(tmp_path, json.dumps(bundle), "bundle.json")
    assert names(reputation, ADDRESS, "203.0.113.3", "2001:db8::1") == ["stix"] * 3
    assert names(reputation, ADDRESS, day=TODAY + 1) == [""]
    assert names(reputation, *(f"192.0.2.{n}" for n in range(1, 6))) == [""] * 5
    assert reputation.refused == {"bad_time": 1, "not_understood": 1, "revoked": 1, "weak": 1} and reputation.read == 9
    lines = "\n".join(json.dumps(item) for item in bundle["objects"])
    for content in (json.dumps(bundle["objects"]), lines, json.dumps({"more": False, **bundle})):
        again = loaded(tmp_path, content, "other.json")
        assert (len(again.table), again.refused) == (len(reputation.table), reputation.refused)


def test_documents_of_elastics_threat_streams_end_when_they_say_or_ninety_days_after_they_were_seen() -> None:
    seen = {"@timestamp": "2026-03-01T00:00:00Z", "threat": {"indicator": {"ip": ADDRESS, "provider": "abuse"}}}
    ended = {"threat.indicator.ip": ["203.0.113.9"], "opencti.indicator.valid_until": ["2026-03-02T00:00:00Z"]}
    decayed = {"threat": {"indicator": {"ip": "203.0.113.10"}}, "misp": {"attribute": {"decayed": True}}}
    lists = reputation.gather(map(reputation.of_object, ({"_source": seen}, {"fields": ended}, {"_source": decayed})))
    assert names(lists, ADDRESS, "203.0.113.9", "203.0.113.10") == ["abuse", "elastic", ""]
    assert names(lists, ADDRESS, "203.0.113.9", day=TODAY + 89) == ["abuse", ""]
    assert names(lists, ADDRESS, day=TODAY + 90) == [""]


# ---- what is refused


def test_ranges_that_would_mark_ones_own_house_or_half_of_the_world_are_refused(tmp_path: Path) -> None:
    rows = (
        "10.1.2.3\n192.168.0.0/24\n127.0.0.1\n169.254.169.254\n224.0.0.1\nfe80::1\nfd00::1\n::1\n0.0.0.0/0\n"
        "5.0.0.0/7\n2000::/3\nnot an address\n300.1.1.1\n1.2.3.4/33\n"
    )
    reputation = loaded(tmp_path, rows, "list.txt")
    assert reputation.refused == {"no_address": 3, "private": 8, "too_wide": 3} and len(reputation.table) == 0


def test_no_more_than_a_million_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reputation, "LIMIT", 2)
    lists = loaded(tmp_path, "192.0.2.1\n192.0.2.2\n192.0.2.3\n", "list.txt")
    assert (len(lists.table), lists.refused) == (2, {"too_many": 1})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,color\nx,y\n", "no column of addresses"),
        ('{"type": "bundle", "objects": [{]}', "no JSON of indicators"),
        ("[1, 2", "no JSON of indicators"),
        ("\x80", "cannot be read as indicators"),
    ],
)
def test_a_file_of_no_known_form_is_the_callers_mistake(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "feed"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        reputation.load([path])
    with pytest.raises(InputError, match="cannot be read"):
        reputation.load([tmp_path / "missing"])


# ---- the table


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)), max_size=30), st.integers(0, 2**32 - 1))
def test_the_table_finds_what_a_walk_over_the_ranges_finds(ranges: list[tuple[int, int]], address: int) -> None:
    table = reputation.Table()
    listing = reputation.Listing("x", 60, 0, reputation.FOREVER)
    for number, length in ranges:
        table.add((32, number), length, listing)
    for candidate in (address, *(number for number, _ in ranges)):
        walked = any(candidate >> (32 - length) == number >> (32 - length) for number, length in ranges)
        assert any(table.find((32, candidate))) is walked


def test_what_two_lists_tell_is_valid_as_long_as_either_says(tmp_path: Path) -> None:
    rows = f"{ADDRESS},a,40,,2026-03-01,\n{ADDRESS},b,90,,2026-03-05,\n{ADDRESS},c,50,,2026-03-04,\n"
    lists = loaded(tmp_path, f"{reputation.COLUMNS}\n{rows}")
    assert len(lists.table) == 1
    assert names(lists, ADDRESS, day=TODAY + 3) == ["b"] and names(lists, ADDRESS, day=TODAY + 4) == [""]


def test_a_range_of_two_addresses_is_taken_apart(tmp_path: Path) -> None:
    reputation = loaded(tmp_path, "ip,weight\n198.51.100.3-198.51.100.9,60\n198.51.0.0-198.52.255.255,60\n")
    listed = [bool(reputation.find(f"198.51.100.{n}", TODAY)) for n in range(1, 12)]
    assert listed == [n in range(3, 10) for n in range(1, 12)] and reputation.refused == {"no_address": 1}


@given(st.text(max_size=40) | st.binary(max_size=20).map(lambda b: b.decode("latin-1")))
def test_no_address_is_an_exception(address: str) -> None:
    assert reputation.NOTHING.find(address, TODAY) is None
    table = reputation.gather([reputation.Indicator((address,), "x", 60)])
    assert len(table.table) + sum(table.refused.values()) >= 1


# ---- the effect


def call(address: str, time: str, number: int = 0) -> dict[str, Any]:
    """A call of a user of AWS."""
    user = {
        "type": "IAMUser",
        "principalId": "AIDAMADEUP",
        "arn": "arn:aws:iam::111111111111:user/ci",
        "accountId": "111111111111",
        "accessKeyId": "AKIAMADEUP",
        "userName": "ci",
    }
    return {"eventVersion": "1.09", "userIdentity": user, "eventTime": time, "eventSource": "s3.amazonaws.com",
            "eventName": "ListBuckets", "awsRegion": "eu-west-1", "sourceIPAddress": address, "userAgent": "Boto3/1.34",
            "requestParameters": None, "eventID": f"00000000-0000-4000-8000-{number:012x}",
            "recipientAccountId": "111111111111"}  # fmt: skip


def event(address: str, time: str = "2026-03-02T10:00:00Z") -> Event:
    return cloudtrail.read(call(address, time))


def test_an_event_from_a_listed_address_gets_the_trait_once(tmp_path: Path) -> None:
    lists = loaded(tmp_path, f"{ADDRESS}\n", "list.txt")
    marked = lists.mark(event(ADDRESS))
    assert marked.traits == tuple(sorted({*event(ADDRESS).traits, "listed"}))
    assert lists.mark(marked) is marked
    other = event("198.51.100.8")
    assert lists.mark(other) is other and reputation.NOTHING.mark(marked) is marked


def grouped(reputation: reputation.Reputation, records: list[dict[str, Any]]) -> list[tuple[str, int, tuple[str, ...]]]:
    def refuse(index: int, error: RejectError) -> None:
        raise error

    grouping = Intake([cloudtrail], Context(reputation=reputation))
    grouping.feed(records, refuse)
    behaviours = [b for day in grouping.batch.values() for identity_day in day.values() for b in identity_day.ordered()]
    return sorted((b.key.network, b.count, b.key.traits) for b in behaviours)


def records_of(*times: tuple[str, str]) -> list[dict[str, Any]]:
    return [call(address, time, number) for number, (address, time) in enumerate(times)]


def test_two_addresses_of_one_network_do_not_share_a_behaviour_when_one_is_listed(tmp_path: Path) -> None:
    lists = loaded(tmp_path, f"{ADDRESS}\n", "list.txt")
    times = [f"2026-03-02T10:0{n}:00Z" for n in range(4)]
    records = records_of(*zip([ADDRESS, "198.51.100.8"] * 2, times))
    assert grouped(lists, records) == [("198.51.100.0/24", 2, ()), ("198.51.100.0/24", 2, ("listed",))]
    assert grouped(reputation.NOTHING, records) == [("198.51.100.0/24", 4, ())]


def test_a_shape_that_is_remembered_is_judged_anew_on_each_day(tmp_path: Path) -> None:
    lists = loaded(tmp_path, f"{reputation.COLUMNS}\n{ADDRESS},x,60,2026-03-02,2026-03-02,\n")
    hours = [(ADDRESS, f"2026-03-0{day}T{hour:02}:00:00Z") for day in (1, 2, 3) for hour in (1, 2)]
    traits_of_days = [traits for _, _, traits in grouped(lists, records_of(*hours))]
    assert sorted(traits_of_days) == [(), (), (), (), ("listed",), ("listed",)]
