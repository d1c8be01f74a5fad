"""The third world with machines that are odd by nature, as a tenant's first file, and with thefts of a few calls."""

from collections.abc import Iterator
from typing import Any

from nhi_watch_lab.evaluation.exams import written
from nhi_watch_lab.variants.third import brief as brief_file
from nhi_watch_lab.variants.third import odd, small, tenant
from nhi_watch_lab.variants.third import short as short_thefts

ODD = tuple(each.name for each in odd.MACHINES)
"""What the names of odd machines hold."""


def unsteady(seed: int) -> tuple[frozenset[str], Iterator[Any]]:
    """People, and days of incidents and records, of a tenant with at least one odd machine in ten."""
    return written(lambda folder: tenant.write(seed, folder))


def first(seed: int) -> tuple[frozenset[str], Iterator[Any]]:
    """The same of a small tenant's first file."""
    return written(lambda folder: small.write(seed, folder))


def brief(seed: int) -> tuple[frozenset[str], Iterator[Any]]:
    """The same of a small tenant's first file in which a theft is one to five calls."""
    return written(lambda folder: brief_file.write(seed, folder))


def short(seed: int) -> tuple[frozenset[str], Iterator[Any]]:
    """The same of a grown tenant in which a theft is one to five calls of an identity with a past."""
    return written(lambda folder: short_thefts.write(seed, folder))
