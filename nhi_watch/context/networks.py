"""Network: the scored form of a source address, and who runs it.

An address becomes a /24 (IPv4), a /48 (IPv6), a service's name, or `other`: the same on every host, so that
the same event is as likely everywhere. Owner and kind come from one shipped table
(`tables/networks.json`, built by `lab/tools/build_networks.py`) and from the customer's own list.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple, Optional, Union

from nhi_watch.core.errors import InputError

# ---- network list
#
# The customer's own list of networks (`lookups/nhi_networks.csv`): it goes before every other table.
#
# Scoring sees /24 and /48, so a row for a smaller range speaks for the whole /24 or /48 that holds it; of two
# rows that cover the same network the longer prefix wins.


KINDS = frozenset(["hosting", "isp", "mobile", "education", "business", "tor", "vpn", "private", "service", "unknown"])
COLUMNS = ["cidr", "owner", "kind", "comment"]
NEEDED = COLUMNS[:3]
"""Splunk leaves out a column in which no row has a value, and may write them in another order."""
_BITS = {4: 24, 6: 48}

_Net = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_Row = tuple[str, str]
Rows = dict[tuple[int, int], dict[int, _Row]]


def read(path: Path) -> Rows:
    """(IP version, dropped low bits of the /24 or /48) → remaining value → owner and kind.

    The longest prefix comes first.

    Raises:
        InputError: naming file and line, when the file or a row is wrong.
    """
    table: dict[_Net, _Row] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, restkey="", restval=None)
            rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
            if not set(NEEDED) <= set(rows.fieldnames) <= set(COLUMNS):
                raise InputError(f"{path}, line 1: the header must be {','.join(COLUMNS)}")
            for row in rows:
                where = f"{path}, line {rows.line_num}"
                cells = [cell for name, cell in row.items() if name and cell is not None]
                cells += row.get("", ())  # what is beyond the header
                if any(cell.strip() for cell in cells):
                    if len(cells) != len(rows.fieldnames):
                        raise InputError(f"{where}: {len(cells)} columns instead of {len(rows.fieldnames)}")
                    net, row_owner = _parse_row(row["cidr"].strip(), row["owner"].strip(), row["kind"].strip(), where)
                    if net in table:
                        raise InputError(f"{where}: {net} is listed twice; keep one row")
                    table[net] = row_owner
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV in UTF-8: {error}") from error
    return _by_length(table)


def _parse_row(cidr: str, owner: str, kind: str, where: str) -> tuple[_Net, _Row]:
    try:
        net = ipaddress.ip_network(cidr)
    except ValueError as error:
        raise InputError(f"{where}: not a network such as 198.51.100.0/24: {error}") from error
    if not 0 < len(owner) <= 64:
        raise InputError(f"{where}: owner must have 1 to 64 characters")
    if kind.lower() not in KINDS:
        raise InputError(f"{where}: unknown kind {kind[:40].lower()!r}; use one of {', '.join(sorted(KINDS))}")
    return net, (owner, kind.lower())


def _by_length(table: dict[_Net, _Row]) -> Rows:
    rows: Rows = {}
    for net in sorted(table, key=lambda net: net.prefixlen):
        bits = _BITS[net.version]
        drop = max(bits - net.prefixlen, 0)
        value = int(net.network_address) >> (net.max_prefixlen - bits)
        rows.setdefault((net.version, drop), {})[value >> drop] = table[net]
    return dict(sorted(rows.items()))


# ---- networks


TABLE = Path(__file__).with_name("tables") / "networks.json"
OTHER = "other"
_ABROAD = "vpce:of:"

_MAPPED = b"\0" * 10 + b"\xff\xff"
_SERVICE = re.compile(r"([a-z][a-z0-9-]{0,40}(?:\.[a-z][a-z0-9-]{0,40})?)\.amazonaws\.com(?:\.cn)?")
_REGION = re.compile(r"\.[a-z]{2}(?:-[a-z]+)+-\d+$")
_INTERNAL = {"aws internal": "service:internal", "gce-internal-ip": "service:internal"}


class Network(NamedTuple):
    """Who runs a network, as far as the tables show."""

    owner: str
    """Short and lower case, as in `aws`; "" when not known."""
    kind: str
    """hosting | isp | mobile | education | business | tor | vpn | private | service | unknown"""


UNKNOWN = Network("", "unknown")
_PRIVATE = Network("", "private")


def network_of(address: str) -> str:
    """The scored network of an address as logged; never raises.

    >>> network_of("198.51.100.7"), network_of("2001:db8:1:2::3"), network_of("::ffff:198.51.100.7")
    ('198.51.100.0/24', '2001:db8:1::/48', '198.51.100.0/24')
    >>> network_of("lambda.amazonaws.com"), network_of("AWS Internal"), network_of("a host"), network_of("")
    ('service:lambda', 'service:internal', 'other', '')
    """
    if not address:
        return ""
    try:
        if ":" in address:
            return _prefix_of_ipv6(inet_pton(AF_INET6, address.partition("%")[0]))
        return _prefix_of_ipv4(inet_pton(AF_INET, address))
    except (OSError, ValueError):
        return _name_of_service(address)


def network_of_source(source: str) -> str:
    """The network of what a timeline says that calls came from: an address, or a network already.

    >>> network_of_source("198.51.100.7"), network_of_source("198.51.100.0/24"), network_of_source("service:lambda")
    ('198.51.100.0/24', '198.51.100.0/24', 'service:lambda')
    """
    return source if "/" in source or source.startswith("service:") else network_of(source)


def _prefix_of_ipv4(packed: bytes) -> str:
    return f"{packed[0]}.{packed[1]}.{packed[2]}.0/24"


def _prefix_of_ipv6(packed: bytes) -> str:
    if packed.startswith(_MAPPED):
        return _prefix_of_ipv4(packed[12:])
    groups = [packed[i] << 8 | packed[i + 1] for i in (0, 2, 4)]
    while groups and not groups[-1]:
        groups.pop()
    return ":".join(f"{group:x}" for group in groups) + "::/48"


def _name_of_service(address: str) -> str:
    if len(address) > 120:
        return OTHER
    lowered = address.strip().lower()
    match = _SERVICE.fullmatch(lowered)
    # `ec2-198-51-100-7.compute-1.amazonaws.com` is a machine's host name, not a service.
    if match and ".compute" not in lowered:
        return "service:" + _REGION.sub("", match[1])
    return _INTERNAL.get(lowered, OTHER if lowered else "")


OwnList = Mapping[tuple[int, int], Mapping[int, tuple[str, str]]]
"""The customer's list as `read` gives it."""
NO_LIST: OwnList = {}


def endpoint_of(account: str, endpoint: str) -> str:
    """The scored network of a VPC endpoint in somebody else's account: hosting that this account rents.

    >>> describe(endpoint_of("222222222222", "vpce-1"))
    Network(owner='AWS account 222222222222', kind='hosting')
    """
    return f"{_ABROAD}{account}/{endpoint}"


def describe(network: str, own: OwnList = NO_LIST) -> Network:
    """Owner and kind of a network in the form that `network_of` returns; never raises.

    The customer's list comes first, then private ranges, then the shipped table.

    >>> describe("10.1.2.0/24"), describe("service:lambda").owner, describe("other").kind
    (Network(owner='', kind='private'), 'lambda', 'unknown')
    """
    if network.startswith("service:"):
        return Network(network[8:], "service")
    if network.startswith(_ABROAD):
        return Network(f"AWS account {network[len(_ABROAD) :].partition('/')[0]}", "hosting")
    key = _key(network)
    if key is None:
        return UNKNOWN
    return _custom(*key, own) or (_PRIVATE if _is_private(*key) else _shipped(*key))


def _key(network: str) -> Optional[tuple[int, int]]:
    """IP version and the first 24 or 48 bits as an integer."""
    base = network.partition("/")[0]
    try:
        if ":" in base:
            return 6, int.from_bytes(inet_pton(AF_INET6, base)[:6], "big")
        return 4, int.from_bytes(inet_pton(AF_INET, base)[:3], "big")
    except (OSError, ValueError):
        return None


def _custom(version: int, prefix: int, own: OwnList) -> Optional[Network]:
    for (row_version, drop), rows in own.items():
        if row_version == version and prefix >> drop in rows:
            return Network(*rows[prefix >> drop])
    return None


# RFC 1918, 6598 (carrier-grade NAT), 3927, 1122, 2544, 4193, 4291; documentation prefixes are left out
# because samples and tests use them as if they were public.
_PRIVATE_RANGES = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 "
    "198.18.0.0/15 ::/48 fc00::/7 fe80::/10"
)


@cache
def _private_bounds(version: int) -> list[tuple[int, int]]:
    bounds = []
    for text in _PRIVATE_RANGES.split():
        key = _key(text)
        if key is not None and key[0] == version:
            free = (24 if version == 4 else 48) - int(text.partition("/")[2])
            bounds.append((key[1], key[1] + (1 << free) - 1))
    return bounds


def _is_private(version: int, prefix: int) -> bool:
    return any(first <= prefix <= last for first, last in _private_bounds(version))


class _Ranges(NamedTuple):
    """Sorted, disjoint, closed ranges of prefixes."""

    first: list[int]
    last: list[int]
    owner: list[int]


@cache
def _table() -> tuple[list[Network], dict[int, _Ranges]]:
    content = json.loads(TABLE.read_text(encoding="utf-8"))
    networks = [Network(owner, kind) for owner, kind in content["networks"]]
    return networks, {4: _Ranges(*content["ipv4"]), 6: _Ranges(*content["ipv6"])}


def _shipped(version: int, prefix: int) -> Network:
    networks, tables = _table()
    ranges = tables[version]
    index = bisect_right(ranges.first, prefix) - 1
    if index < 0 or prefix > ranges.last[index]:
        return UNKNOWN
    return networks[ranges.owner[index]]


class Networks:
    """Operators and kinds of networks: the customer's list, if any, goes before the shipped table."""

    def __init__(self, own: OwnList = NO_LIST) -> None:
        self._own = own
        self.facts = lru_cache(maxsize=4096)(self._facts)
        """Network → operator and kind; where the operator is not known, the wider prefix stands for it."""

    def __len__(self) -> int:
        """How many networks the customer's list names."""
        return sum(map(len, self._own.values()))

    def __bool__(self) -> bool:
        return True

    def describe(self, network: str) -> Network:
        """Owner and kind of a network in the form that `network_of` returns; never raises."""
        return describe(network, self._own)

    def _facts(self, network: str) -> Network:
        known = self.describe(network)
        return known if known.owner or "/" not in network else known._replace(owner=_wider(network))


SHIPPED = Networks()
"""Only what ships."""


def load(path: Path) -> Networks:
    """Networks with the customer's list (`cidr,owner,kind,comment`).

    Raises:
        InputError: naming file and line, when a row is wrong.
    """
    return Networks(read(path))


def network_facts(network: str) -> Network:
    """Operator and kind of a network by the shipped table.

    >>> network_facts("198.51.100.0/24").owner
    '198.51.0.0/16'
    """
    return SHIPPED.facts(network)


_SPELLED = {
    "apple-private-relay": "Apple Private Relay",
    "att": "AT&T",
    "aws": "AWS",
    "bt": "BT",
    "ibm": "IBM Cloud",
    "digitalocean": "DigitalOcean",
    "github": "GitHub",
    "google": "Google Cloud",
    "ovh": "OVH",
    "protonvpn": "Proton VPN",
}


def spelled(facts: Network) -> str:
    """An operator as people write it, with what it is where that matters.

    >>> spelled(Network("mullvad", "vpn")), spelled(Network("aws", "hosting")), spelled(Network("", "unknown"))
    ('Mullvad VPN', 'AWS', '')
    """
    name = _SPELLED.get(facts.owner) or (facts.owner.capitalize() if facts.owner.isalpha() else facts.owner)
    return f"{name} VPN" if facts.kind == "vpn" and name and facts.owner not in _SPELLED else name


def _wider(network: str) -> str:
    if ":" in network:
        return ":".join(network.split(":")[:2]) + "::/32"
    return ".".join(network.split(".")[:2]) + ".0.0/16"


# ---- addresses
#
# What is an IP address, and what is a name or a network.


def is_address(text: str) -> bool:
    """Whether a text is one IP address.

    >>> is_address("2001:db8::1"), is_address("198.51.100.0/24"), is_address("s3.amazonaws.com")
    (True, False, False)
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
