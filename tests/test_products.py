"""The company in all of its logs: repeatable, readable, labelled, linked by proof, without give-aways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from nhi_watch import registry
from nhi_watch.simulator.products import PRODUCTS, Day, Spec, Tenant, write
from nhi_watch.simulator.products.workers import Line

SPEC = Spec(days=6, nhis=90, seed=11, campaigns=16, quiet_days=1)
GIVE_AWAYS = re.compile(r"stratus|attack|evil|hacker|backdoor|exfil|victim|adversary|raid|intruder", re.I)


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """All days of a small company."""
    return list(Tenant(SPEC).days())


def lines_of(days: list[Day]) -> Iterator[Line]:
    for day in days:
        yield from day.lines


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    small = Spec(days=2, nhis=40, seed=5, campaigns=2, quiet_days=0)
    for name in ("a", "b"):
        write(tmp_path / name, small)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert {f.parts[1] for f in files if len(f.parts) > 2} >= {*PRODUCTS} - {"alerts", "exposure"}
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_every_record_is_claimed_first_by_its_own_source_and_read_by_it(days: list[Day]) -> None:
    sources = registry.modules("nhi_watch.sources")
    seen: set[str] = set()
    for line in lines_of(days):
        record = orjson.loads(orjson.dumps(line.record))
        source = next(each for each in sources if each.claims(record))
        assert line.product == source.NAME
        assert abs(source.read(record).time - line.second) < 900
        seen.add(line.product)
    assert seen == set(PRODUCTS)


def test_no_record_id_occurs_twice(days: list[Day]) -> None:
    sources = {source.NAME: source for source in registry.modules("nhi_watch.sources")}
    ids = [(line.product, sources[line.product].read(line.record).record_id) for line in lines_of(days)]
    assert len(ids) == len(set(ids))
