"""The second world with crews that are odd by nature, as a tenant's first file, and with thefts of a few calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_watch_lab.evaluation.exams import written
from nhi_watch_lab.variants.second import brief as brief_file
from nhi_watch_lab.variants.second import roster, small, tenant
from nhi_watch_lab.variants.second import short as short_thefts

ODD = tuple(sorted({post.title for post in roster.POSTS}))
"""What the names of odd identities hold."""


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
