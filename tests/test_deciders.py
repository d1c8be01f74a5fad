"""What a client can write decides nothing but what docs/deciders.csv grants: the table is held to the code."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from core_samples import record
from nhi_watch.core.event import Event, Identity
from nhi_watch.intake.batch import Sources
from nhi_watch.intake.sources import cloudtrail, every
from nhi_watch.state.baseline import is_human
from test_sources import GOOD
from trees import changed, leaves

PAGE = Path(__file__).parents[1] / "docs" / "deciders.csv"
HOSTILE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120 Safari/537.36", "CloudTrailEvent",
    "AWSReservedSSO_Admin_0123456789abcdef", "signin.amazonaws.com", "console.amazonaws.com", "AWS Internal", "root",
    '"audit.k8s.io/v1"', "kibana.alert.uuid", "2099-01-01T00:00:00Z", "\ud800", "x" * 5_000, "",
)  # fmt: skip
NOT_OF_CLIENTS = {"modifiedProperties", "detector"}
"""Parts below which a display name is one that the product gives to its own properties."""


class Decider(NamedTuple):
    """A row of the table."""

    what: str
    names: frozenset[str]
    by: str
    feeds: frozenset[str]
    decides: str


def table() -> list[Decider]:
    rows = list(csv.reader(PAGE.read_text("utf-8").splitlines()))[1:]
    return [Decider(what, _code(names), by, _code(feeds), decides) for what, names, by, feeds, decides in rows]


def _code(cell: str) -> frozenset[str]:
    return frozenset(re.findall(r"`([^`]+)`", cell))


CLIENTS = [row for row in table() if row.by == "client"]
WRITTEN = [row for row in CLIENTS if not any("." in name or "sourceIPs" in name for name in row.names)]
"""Those whose values stand in fields of their own."""


def unlike(event: Event, other: Event) -> set[str]:
    """The fields in which two events differ; those of identities by themselves."""
    names = {name for name, a, b in zip(Event._fields, event, other) if a != b and name != "identity"}
    pairs = zip(Identity._fields, event.identity, other.identity)
    return names | {f"identity.{name}" for name, a, b in pairs if a != b}


def test_the_table_tells_every_value_of_an_event_and_who_may_decide() -> None:
    known = {name for name in Event._fields if name != "identity"} | {f"identity.{name}" for name in Identity._fields}
    assert {name for row in table() for name in row.feeds} == known
    assert {row.by.partition(";")[0] for row in table()} == {"provider", "client", "us"}
    of_clients = {name for row in CLIENTS for name in row.feeds}
    assert not of_clients & {"time", "identity.id", "identity.kind", "identity.human", "identity.account", "network"}
    assert not [row for row in CLIENTS if {"who", "person", "when"} & {*re.findall(r"\w+", row.decides)}]


@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: row.what)
def test_a_client_changes_nothing_but_what_its_row_feeds(row: Decider) -> None:
    tried, moved = 0, set()
    for source, sample in GOOD:
        if sample["shape"] != "native" or source.NAME == "vault":  # Vault itself gives its display names
            continue
        text, before = sample["record"], source.read(sample["record"])
        for path, _ in leaves(text):
            named = [step for step in path if isinstance(step, str)]
            if not named or named[-1] not in row.names or NOT_OF_CLIENTS & {*named}:
                continue
            for value in HOSTILE:
                built = changed(text, path, value)
                after = source.read(built)  # and is no reject
                where = (source.NAME, ".".join(named), value[:40])
                assert (where, unlike(before, after) - row.feeds) == (where, set())
                assert (where, is_human(after.traits)) == (where, is_human(before.traits))
                assert (where, Sources(every()).of(built)) == (where, source)
                moved |= unlike(before, after)
                tried += 1
    assert tried >= len(HOSTILE)
    assert moved == row.feeds  # a table that grants more than the code takes would hide the next hole


@pytest.mark.parametrize("session", HOSTILE[:-1])
def test_the_name_of_a_roles_session_decides_nothing(session: str) -> None:
    plain = record(20_000, "10:00")
    who = {
        **plain["userIdentity"],
        "principalId": f"AROApayments-api:{session}",
        "arn": f"arn:aws:sts::111111111111:assumed-role/payments-api/{session}",
    }
    before, after = cloudtrail.read(plain), cloudtrail.read({**plain, "userIdentity": who})
    assert unlike(before, after) == set()
