"""Who acts on a host: a user of that host, by immutable ids where the log has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import describe, network_of
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.shapes.forms import at
from nhi_watch.intake.shapes.values import event, first, text
from nhi_watch.intake.sources.endpoint.programs import (
    MEMORY,
    METADATA,
    cli_of,
    doing,
    file_class,
    is_attack_tool,
    is_reader,
    metadata_in,
    odd_parent,
    odd_process,
    program,
)

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


# ---- act
#
# What a process did on a host with credentials, the same out of every sensor's records, and the Event of it.


READ, WRITE, MEMORY_READ = "CredentialFileRead", "CredentialFileWrite", "CredentialMemoryRead"
METADATA_ACCESS, CLI = "MetadataAccess", "CloudCli"
_ACCESS = {READ: "read", MEMORY_READ: "read", METADATA_ACCESS: "read", WRITE: "write", CLI: "unknown"}
_ARGUMENTS = 12
_PIECE = re.compile(r'"([^"]*)"|(\S+)')


class Deed(NamedTuple):
    """What was done."""

    operation: str
    sort: str
    """What sort of credential it is about: a class of files, `metadata`, or the command line's name."""
    target: str


class Facts(NamedTuple):
    """All that an Event depends on, but time, record id, session and target."""

    operation: str
    sort: str
    host: str
    """Its id, else its name."""
    host_name: str
    user_id: str
    user: str
    process: str
    """The program's path, else its name."""
    parent: str
    human: str
    interactive: bool
    error: str
    """EACCES, ENOENT…; "" where it went well."""
    addresses: tuple[str, ...]
    """Of the host."""


class Parts(NamedTuple):
    """A record of a host, read as far as it is cheap."""

    shape: tuple[object, ...]
    """The sensor's name and the raw values of which its `facts_of` makes Facts."""
    time: object
    record_id: str
    session: str
    target: str


def of_file(path: str, writes: bool) -> Optional[Deed]:
    """What it means that a file was opened; None where it holds no credential."""
    sort = file_class(path) if path else ""
    if not sort:
        return None
    if sort == MEMORY:
        return None if writes else Deed(MEMORY_READ, sort, path[:256])
    return Deed(WRITE if writes else READ, sort, path[:256])


def of_connection(*addresses: str) -> Optional[Deed]:
    """What it means that a connection was made, or a name was asked for; None where it is no metadata service."""
    found = next((address for address in addresses if address in METADATA), "")
    return Deed(METADATA_ACCESS, "metadata", found) if found else None


def of_program(path: str, arguments: Sequence[str], line: str) -> Optional[Deed]:
    """What it means that a program was started; None where it concerns no credential.

    >>> of_program("/usr/bin/cat", ["cat", "/srv/.aws/credentials"], "cat /srv/.aws/credentials")
    Deed(operation='CredentialFileRead', sort='aws', target='/srv/.aws/credentials')
    >>> of_program("/usr/bin/ls", ["ls"], "ls")
    """
    second = arguments[1] if len(arguments) > 1 else ""
    cli = cli_of(path, second, line)
    if cli:
        words = arguments[1:4] if program(path) == cli else arguments[2:5] if program(second) == cli else ()
        return Deed(CLI, cli, doing(cli, words))
    service = metadata_in(line)
    if service:
        return Deed(METADATA_ACCESS, "metadata", service)
    if is_attack_tool(path) or (second and is_attack_tool(second)):
        return Deed(CLI, program(path), program(path))
    if not is_reader(path):
        return None
    for argument in arguments[1:_ARGUMENTS]:
        name = argument.lstrip("@<")
        sort = file_class(name) if "/" in name or "\\" in name or name[:1] == "." else ""
        if sort:
            return Deed(MEMORY_READ if sort == MEMORY else READ, sort, name[:256])
    return None


def arguments_of(line: str) -> list[str]:
    """A command line in pieces.

    >>> arguments_of('"C:\\\\Program Files\\\\aws.exe" s3 ls')
    ['C:\\\\Program Files\\\\aws.exe', 's3', 'ls']
    """
    return [match[1] or match[2] or "" for match in _PIECE.finditer(line[:4096])][: _ARGUMENTS + 1]


@lru_cache(maxsize=8192)
def event_of(facts: Facts) -> Event:
    """The Event of facts, without what differs from record to record."""
    odd = odd_process(facts.process, facts.sort) if facts.operation != CLI else False
    marks = {
        "odd_process": odd,
        "odd_parent": facts.parent and odd_parent(facts.parent),
        "attack_tool": is_attack_tool(facts.process),
        "console": facts.interactive,
    }
    denied = facts.error in ("EACCES", "EPERM")
    return event(
        0, host_user(facts.host, facts.user_id, facts.user, facts.host_name, facts.human),
        f"{PROVIDER}:{facts.operation}", account=facts.host, access=_ACCESS[facts.operation], marks=marks,
        outcome="denied" if denied else "failure" if facts.error else "success", error=facts.error,
        agent=facts.sort if facts.operation == CLI else program(facts.process), links=host_links(facts.addresses),
    )  # fmt: skip

