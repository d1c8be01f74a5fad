"""Who used an address, a network, a key or a session: the logs that earlier runs read are searched for it again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import originals, reader
from nhi_watch.intake import sources
from nhi_watch.intake.batch import UNFORESEEN, Sources
from nhi_watch.state.sqlite import SqliteStore

_CALLS = 5
Network = Union[IPv4Network, IPv6Network]


class Use:
    """How one identity used it."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.first, self.last = 1 << 40, 0
        self.refused = 0
        self.calls = Counter[str]()
        self.records: list[str] = []

    def add(self, event: Event) -> None:
        """Count an event."""
        self.first, self.last = min(self.first, event.time), max(self.last, event.time)
        self.refused += event.outcome != "success"
        self.calls[event.action] += 1
        self.records.append(event.record_id)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        who = self.identity
        return {"identity": who.name or who.id, "identity_id": who.id, "kind": who.kind, "first": render(self.first),
                "last": render(self.last), "calls": sum(self.calls.values()), "refused": self.refused,
                "kinds": dict(self.calls.most_common(_CALLS)), "records": self.records[:_CALLS]}  # fmt: skip


class UserTrace(NamedTuple):
    """What a search found."""

    text: str
    uses: list[Use]
    """The most recent first."""
    files: int
    """Files that were searched."""
    lost: int
    """Files that earlier runs read and that are no longer there."""
    records: frozenset[str]
    """Ids of the records that hold it."""


def network_of(text: str) -> Optional[Network]:
    """The network that a text names, of one address too; None: it names none.

    >>> str(network_of("203.0.113.7")), network_of("AKIAEXAMPLE")
    ('203.0.113.7/32', None)
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def search(state: Path, text: str) -> UserTrace:
    """Search all files that earlier runs into a state have read, as far as they are still there."""
    text, network, uses = text.strip(), network_of(text), dict[str, Use]()
    known = _files(state)
    there = [name for name in known if Path(name).is_file()]
    seen = set[str]()
    for event in _events(there, text, network):
        if event.record_id not in seen and _has(event, text, network):
            seen.add(event.record_id)
            uses.setdefault(event.identity.id, Use(event.identity)).add(event)
    ordered = sorted(uses.values(), key=lambda item: (-item.last, item.identity.id))
    return UserTrace(text, ordered, len(there), len(known) - len(there), frozenset(seen))


def _files(state: Path) -> list[str]:
    """The files that earlier runs have read."""
    path = state.with_name(originals.FILES)
    if not path.is_file():
        return []
    store = SqliteStore(path, read_only=True)
    try:
        return list(originals.Originals().know(store))
    finally:
        store.close()


def _events(files: list[str], text: str, network: Optional[Network]) -> Iterator[Event]:
    """The events of the records that may hold it; a network's addresses are found by reading all."""
    modules = Sources(sources.every())
    is_spelled_once = network is None or (network.version == 4 and network.num_addresses == 1)
    wanted = json.dumps(text.partition("/")[0] if network is not None else text)[1:-1].encode()
    for batch in reader.read(files) if files else ():
        for index, record in enumerate(batch.records):
            if is_spelled_once and wanted not in batch.raw(index):
                continue
            try:
                yield modules.of(record).read(record)
            except (RejectError, *UNFORESEEN):  # what a run rejected is no event here either
                continue


def _has(event: Event, text: str, network: Optional[Network]) -> bool:
    if network is None:
        return text in (event.credential, event.session, event.issued)
    try:
        return ip_address(event.address) in network
    except ValueError:
        return False
