"""The customer's own list of networks (`lookups/nhi_networks.csv`): it goes before every other table.

Scoring sees /24 and /48, so a row for a smaller range speaks for the whole /24 or /48 that holds it; of two
rows that cover the same network the longer prefix wins.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Union

from nhi_watch.core.errors import InputError

KINDS = frozenset(
    ("hosting", "isp", "mobile", "education", "business", "tor", "vpn", "private", "service", "unknown")
)
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
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(_numbered(file, path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV in UTF-8: {error}") from error
    found: dict[_Net, _Row] = {}
    for number, row in lines:
        net = _cidr(row[0], f"{path}, line {number}")
        if net in found:
            raise InputError(f"{path}, line {number}: {net} is listed twice; keep one row")
        found[net] = _owner_and_kind(row, f"{path}, line {number}")
    return _by_length(found)


def _numbered(file: Iterable[str], path: Path) -> list[tuple[int, list[str]]]:
    reader = csv.reader(file)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if not set(NEEDED) <= set(header) <= set(COLUMNS):
        raise InputError(f"{path}, line 1: the header must be {','.join(COLUMNS)}")
    places = [header.index(name) for name in NEEDED]
    rows = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise InputError(f"{path}, line {reader.line_num}: {len(row)} columns instead of {len(header)}")
        rows.append((reader.line_num, [row[place].strip() for place in places]))
    return rows


def _cidr(text: str, where: str) -> _Net:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InputError(f"{where}: not a network such as 198.51.100.0/24: {error}") from error


def _owner_and_kind(row: list[str], where: str) -> _Row:
    owner, kind = row[1], row[2].lower()
    if not 0 < len(owner) <= 64:
        raise InputError(f"{where}: owner must have 1 to 64 characters")
    if kind not in KINDS:
        raise InputError(f"{where}: unknown kind {kind[:40]!r}; use one of {', '.join(sorted(KINDS))}")
    return owner, kind


def _by_length(found: dict[_Net, _Row]) -> Rows:
    rows: Rows = {}
    for net in sorted(found, key=lambda net: net.prefixlen):
        bits = _BITS[net.version]
        drop = max(bits - net.prefixlen, 0)
        value = int(net.network_address) >> (net.max_prefixlen - bits)
        rows.setdefault((net.version, drop), {})[value >> drop] = found[net]
    return dict(sorted(rows.items()))
