"""What a day costs is bounded by its records: neither invented names nor dates end a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core_samples import ACCOUNT, TODAY, Options, answer, record, run, runs
from flood_samples import tenant, theft
from nhi_watch.core.notable import risk_of
from nhi_watch.detect.day import CROWD, CROWD_ORIGIN
from nhi_watch.state.store import MemoryStore

Records = list[dict[str, Any]]


def invented(number: int, day: int = TODAY) -> Records:
    """Newcomers that do grave things, each with a first word of its own, from an address of its own."""
    return [
        record(
            day,
            f"00:1{minute}",
            role=f"{word(n)}-x",
            service=service,
            name=name,
            address=f"{n % 97 + 11}.{n // 97}.7.9",
            id=f"{day}-{n}-{minute}",
        )
        for n in range(number)
        for minute, (service, name) in enumerate([("iam", "CreateUser"), ("secretsmanager", "GetSecretValue")])
    ]


def word(number: int) -> str:
    """A name of letters alone."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")


def test_a_days_newcomers_beyond_a_crowd_are_one_whatever_their_names_and_the_theft_stays_first() -> None:
    done = run(MemoryStore(), [*tenant(), *invented(2 * CROWD), *theft()], Options(10.0))
    assert done.notables[0]["identity"]["name"] == f"arn:aws:iam::{ACCOUNT}:role/payments-api"
    notables = [*done.standing, *done.below]
    ((crowd, folded),) = [(n, f) for n in notables if (f := n["folded"]) and f["origin"] == CROWD_ORIGIN]
    assert folded["count"] + CROWD == 2 * CROWD
    assert len([item for item in notables if item["identity"]["name"].endswith("-x")]) == CROWD + 1
    least = min(risk_of(item) for item in notables if item["identity"]["name"].endswith("-x") and not item["folded"])
    assert risk_of(crowd) <= least, "the gravest keep a notable each"


def test_a_crowd_is_the_same_however_its_records_are_cut_and_goes_on_the_day_after() -> None:
    built = [*invented(CROWD + 30), *invented(CROWD + 40, TODAY + 1)]
    parts = [[*tenant(), *built[:150]], built[150:400], built[400:]]
    assert answer(runs([[*tenant(), *built]])) == answer(runs(parts))


class Counting(MemoryStore):
    """Counts how often it is gone through."""

    scans = 0

    def scan(self, table: str, low: str, high: str) -> Iterator[tuple[str, bytes]]:
        """As in any store."""
        self.scans += 1
        return super().scan(table, low, high)


def test_what_dates_without_records_cost_grows_with_their_number_alone() -> None:
    few, many = Counting(), Counting()
    for store, number in ((few, 100), (many, 400)):
        run(store, [record(TODAY - 2 * n, "10:00") for n in range(number)])
    assert many.scans < 4.5 * few.scans
