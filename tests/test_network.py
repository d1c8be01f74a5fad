"""Addresses become networks; networks have an owner and a kind; the customer's list goes first."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nhi_watch.context import networks
from nhi_watch.core.errors import InputError

ROOT = Path(__file__).parents[1]
HEADER = "cidr,owner,kind,comment\n"
KINDS = networks.KINDS


@pytest.fixture
def own_list(tmp_path: Path) -> Path:
    """A place for the customer's list."""
    return tmp_path / "networks.csv"


@pytest.mark.parametrize("address", ["\ud800", ":\ud800"])
def test_half_a_character_is_another_network(address: str) -> None:
    assert networks.network_of(address) == "other"


@given(st.ip_addresses(v=4))
def test_ipv4_is_cut_to_24_bits(address: ipaddress.IPv4Address) -> None:
    assert networks.network_of(str(address)) == str(ipaddress.ip_network(f"{address}/24", strict=False))


@given(st.ip_addresses(v=6))
def test_ipv6_is_cut_to_48_bits_and_mapped_addresses_are_ipv4(address: ipaddress.IPv6Address) -> None:
    mapped = address.ipv4_mapped
    expected = ipaddress.ip_network(f"{mapped or address}/{24 if mapped else 48}", strict=False)
    assert networks.network_of(str(address)) == str(expected)


@given(st.text() | st.from_regex(r"[0-9a-f.:%]{0,30}") | st.from_regex(r"[a-z.-]{0,90}\.amazonaws\.com"))
@example("::%")
@example("\x00.amazonaws.com")
def test_no_text_makes_it_fail_and_every_result_can_be_described(address: str) -> None:
    result = networks.network_of(address)
    assert len(result) <= 120
    assert networks.describe(result).kind in KINDS


@given(st.text())
def test_describing_any_text_does_not_fail(text: str) -> None:
    assert networks.describe(text).kind in KINDS


@pytest.mark.parametrize(
    ("address", "owner", "kind"),
    [
        ("52.95.110.1", "aws", "hosting"),
        ("2600:1f18::1", "aws", "hosting"),
        ("20.42.0.1", "azure", "hosting"),
        ("34.82.1.5", "google", "hosting"),
        ("140.82.121.4", "github", "hosting"),
        ("95.216.1.1", "hetzner", "hosting"),
        ("2a01:4f8::1", "hetzner", "hosting"),
        ("51.68.1.1", "ovh", "hosting"),
        ("165.22.1.1", "digitalocean", "hosting"),
        ("185.220.101.5", "tor", "tor"),
        ("73.1.2.3", "comcast", "isp"),
        ("80.130.1.1", "deutsche-telekom", "isp"),
        ("209.141.40.1", "frantech", "hosting"),
        ("31.97.1.1", "hostinger", "hosting"),
        ("192.168.7.7", "", "private"),
        ("100.64.0.1", "", "private"),
        ("100.127.255.1", "", "private"),
        ("100.128.0.1", "tmobile-us", "mobile"),
        ("172.31.0.9", "", "private"),
        ("172.32.0.9", "tmobile-us", "mobile"),
        ("fd00::1", "", "private"),
        ("169.254.169.254", "", "private"),
        ("203.0.113.9", "", "unknown"),
        ("2001:db8::1", "", "unknown"),
        ("lambda.amazonaws.com", "lambda", "service"),
        ("nonsense", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_the_shipped_table_knows_who_runs_a_network(address: str, owner: str, kind: str) -> None:
    assert networks.describe(networks.network_of(address)) == (owner, kind)


def test_an_endpoint_of_another_account_is_no_place_of_ours() -> None:
    assert networks.describe("vpce:of:999999999999/vpce-1") == ("AWS account 999999999999", "hosting")


def test_the_customers_list_goes_before_every_other(own_list: Path) -> None:
    rows = "52.95.110.0/24,office,business,ours\n10.0.0.0/8,cellar,hosting,\n2001:db8::/32,lab,education,\n"
    own_list.write_text(HEADER + rows, encoding="utf-8")
    own = networks.load(own_list)
    assert len(own) == 3
    assert own.describe("52.95.110.0/24") == ("office", "business")
    assert own.describe("52.95.111.0/24") == ("aws", "hosting")
    assert own.describe("10.9.9.0/24") == ("cellar", "hosting")
    assert own.describe("2001:db8:7::/48") == ("lab", "education")


def test_the_longest_prefix_wins_and_a_single_address_speaks_for_its_24(own_list: Path) -> None:
    rows = "203.0.0.0/16,wide,isp,\n203.0.113.7/32,gateway,vpn,\n203.0.113.0/24,office,business,\n"
    rows += "0.0.0.0/0,world,unknown,\n"
    own_list.write_text(HEADER + rows, encoding="utf-8")
    own = networks.load(own_list)
    assert own.describe("203.0.113.0/24").owner == "gateway"
    assert own.describe("203.0.112.0/24").owner == "wide"
    assert own.describe("9.9.9.0/24").owner == "world"


def test_two_lists_stand_beside_each_other(own_list: Path) -> None:
    own_list.write_text(HEADER + "203.0.113.0/24,first,business,\n", encoding="utf-8")
    first = networks.load(own_list)
    own_list.write_text(HEADER + "203.0.113.0/24,second,vpn,\n", encoding="utf-8")
    second = networks.load(own_list)
    owners = [each.facts("203.0.113.0/24").owner for each in (first, second, networks.SHIPPED)]
    assert owners == ["first", "second", "203.0.0.0/16"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: the header must be cidr,owner,kind,comment"),
        ("cidr,owner\n", "line 1: the header must be"),
        (HEADER + "198.51.100.0/24,a,isp\n", "line 2: 3 columns instead of 4"),
        (HEADER + "\n198.51.100.7/24,a,isp,\n", "line 3: not a network such as"),
        (HEADER + "198.51.100.0/24,,isp,\n", "line 2: owner must have 1 to 64 characters"),
        (HEADER + f"198.51.100.0/24,{'a' * 65},isp,\n", "line 2: owner must have"),
        (HEADER + "198.51.100.0/24,a,moon,\n", "line 2: unknown kind 'moon'; use one of business, education"),
        (HEADER + "198.51.100.0/24,a,isp,\n" * 2, "line 3: 198.51.100.0/24 is listed twice"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(own_list: Path, content: str, message: str) -> None:
    own_list.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        networks.load(own_list)
    assert str(caught.value).startswith(f"{own_list}, {message}")


def test_a_file_that_cannot_be_read_is_named(own_list: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        networks.load(own_list)
    own_list.write_bytes(HEADER.encode() + b"\xff\xfe\n")
    with pytest.raises(InputError, match="cannot be read"):
        networks.load(own_list)


@pytest.mark.parametrize(("family", "bits"), [("ipv4", 24), ("ipv6", 48)])
def test_the_shipped_ranges_are_sorted_disjoint_and_within_bounds(family: str, bits: int) -> None:
    table = json.loads(networks.TABLE.read_text(encoding="utf-8"))
    first, last, owner = table[family]
    assert len(first) == len(last) == len(owner) > 1000
    assert all(low <= high for low, high in zip(first, last))
    assert all(high < low for high, low in zip(last, first[1:]))
    assert first[0] >= 0
    assert last[-1] < 1 << bits
    assert {table["networks"][index][1] for index in owner} <= KINDS


def test_importing_reads_no_table() -> None:
    code = "import nhi_watch.context.networks as n; print(n._table.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.split() == [b"0"]
