"""Who acts on a host: a user of that host, by immutable ids where the log has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from nhi_watch.context.networks import describe, network_of
from nhi_watch.core.event import Identity
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.values import first, text

PROVIDER = "endpoint"
KIND = "host_user"
_LOCAL = re.compile(r"127\.|169\.254\.|0\.0\.0\.0|::1?$|fe80:", re.IGNORECASE)
_DOCKER = "172.17.0.1"
"""The bridge that every host with Docker has."""
ADDRESSES = 6
_SEEN = 64


@lru_cache(maxsize=8192)
def host_user(host: str, unique: str, name: str, host_name: str = "", human: str = "") -> Identity:
    """The identity of a user (its id, else its name) on a host (its id, else its name).

    >>> host_user("web-1", "33", "www-data").id, host_user("web-1", "", "CORP\\\\Svc").id
    ('endpoint:web-1:user:33', 'endpoint:web-1:user:corp\\\\svc')
    >>> host_user("4f3c", "33", "www-data", "web-1").name
    'www-data@web-1'
    """
    told = unique or name.lower() or "unknown"
    shown = f"{name or unique or 'unknown'}@{host_name or host}"
    return Identity(f"{PROVIDER}:{host}:user:{told}"[:512], shown[:512], KIND, PROVIDER, host, human)


def host_links(addresses: Iterable[str]) -> tuple[str, ...]:
    """`host:` and each address by which others see this machine, public ones first.

    >>> host_links(["127.0.0.1", "10.0.0.7", "fe80::1", "198.51.100.7", "172.17.0.1"])
    ('host:198.51.100.7', 'host:10.0.0.7')
    """
    return _links(tuple(addresses)[:_SEEN])


@lru_cache(maxsize=4096)
def _links(addresses: tuple[str, ...]) -> tuple[str, ...]:
    kept = {a for a in addresses if a and a != _DOCKER and not _LOCAL.match(a) and "/" in network_of(a)}
    ordered = sorted(kept, key=lambda a: (describe(network_of(a)).kind == "private", a))
    return tuple(f"host:{address}" for address in ordered[:ADDRESSES])


def host_of(document: Mapping[str, Any]) -> tuple[str, str]:
    """Id and name of the host in a nested ECS document: the id where Elastic's own agent tells it, else the name.

    Sysmon and auditd tell a host by its name wherever else their records lie, so there the name is the id.

    >>> host_of({"host": {"id": "4f3c", "name": "Web-1"}, "event": {"module": "endpoint"}})
    ('4f3c', 'web-1')
    >>> host_of({"host": {"id": "4f3c", "name": "Web-1"}, "event": {"module": "auditd"}})
    ('web-1', 'web-1')
    """
    name = first(at(document, "winlog.computer_name"), at(document, "host.name"), at(document, "host.hostname"))
    name = name.lower()[:200]
    told = text(at(document, "host.id"), 200)
    is_own = text(at(document, "agent.type")) == "endpoint" or text(at(document, "event.module")) == "endpoint"
    return (told if is_own and told else name or told), name
