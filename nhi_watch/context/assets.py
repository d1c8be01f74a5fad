"""The customer's table of assets: how critical an identity is, who owns it, where it runs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from nhi_watch.core.errors import InputError
from nhi_watch.core.event import Identity

CRITICALITY = {"low": 0.6, "medium": 1.0, "high": 1.5, "critical": 2.0}
ENVIRONMENT = {"production": 1.2, "prod": 1.2}


class Asset(NamedTuple):
    """One row of `lookups/nhi_assets.csv`."""

    criticality: str
    owner: str
    environment: str


UNKNOWN = Asset("", "", "")
Assets = Mapping[str, Asset]
NO_ASSETS: Assets = MappingProxyType({})


def load(path: Path) -> Assets:
    """Identity id or name → Asset.

    Raises:
        InputError: the file cannot be read, a column is missing, or a criticality is unknown.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if "identity" not in (rows.fieldnames or ()):
                raise InputError(f"{path}, line 1: the header must be identity,criticality,owner,environment,comment")
            return dict(_row(path, number, row) for number, row in enumerate(rows, 2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}; give a CSV file as shipped in lookups/nhi_assets.csv") from error


def _row(path: Path, line: int, row: dict[str, str]) -> tuple[str, Asset]:
    identity = (row.get("identity") or "").strip()
    criticality = (row.get("criticality") or "").strip().lower()
    if not identity or (criticality and criticality not in CRITICALITY):
        raise InputError(
            f"{path}, line {line}: needs an identity, and a criticality out of {', '.join(CRITICALITY)}; "
            f"found {identity!r}, {criticality!r}"
        )
    return identity, Asset(criticality, (row.get("owner") or "").strip(), (row.get("environment") or "").strip())


def find(assets: Assets, identity: Identity, is_own: bool = True) -> Asset:
    """The asset of an identity: by id, else by full name, else by the last part of its name.

    `is_own`: whether it is known to be one of the tenant's own; the last part of others' names is what they like.
    """
    names = (identity.id, identity.name, identity.name.rsplit("/", 1)[-1])
    return next((assets[name] for name in names[: 2 + is_own] if name in assets), UNKNOWN)
