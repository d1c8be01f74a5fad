"""The baseline as a Splunk lookup file: columns scope, day, profile; plain CSV or gzipped.

`scope` is an identity's id, a peer group or the tenant; `day` the last day that the profile knows, `profile`
its JSON. A scope may have several days: an event is held against the latest one before its own day. Profiles
are only parsed when an event needs them, so a large baseline costs a search little.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Optional

from nhi_watch import baseline
from nhi_watch.baseline import Profile
from nhi_watch.errors import InputError, StoreError
from nhi_watch.event import Identity
from nhi_watch.model import Scorecard
from nhi_watch.scoring import TENANT, Baselines, peer_scope
from nhi_watch.timestamps import render_day
from nhi_watch.view import Past

COLUMNS = ["scope", "day", "profile"]
DEFAULT = "nhi_baseline"
_REMEDY = "export it again with nhi baseline"
_NAME = re.compile(r"\w[\w.-]{0,99}", re.ASCII)

Days = tuple[list[int], list[str]]
"""Days in order, and the profile of each as JSON."""


class LookupBaselines(Baselines):
    """Baselines of a lookup file; without rows, a cold start with what ships with the model."""

    def __init__(self, model: Scorecard, scopes: dict[str, Days]) -> None:
        super().__init__(model)
        self._scopes = scopes
        self._loaded = -1
        self._parsed: dict[tuple[str, int], Profile] = {}
        """(scope, day of its row) → a profile that no day changes, because nothing in it waits."""

    def past(self, identity: Identity, today: int) -> Past:
        """What is known of an identity on the eve of `today`."""
        if today != self._loaded:
            self.own, self.groups, self._loaded = {}, {}, today
        self._load(self.own, identity.id)
        self._load(self.groups, TENANT)
        self._load(self.groups, peer_scope(identity))
        return super().past(identity, today)

    def _load(self, profiles: dict[str, Profile], scope: str) -> None:
        if scope not in profiles:
            profile = self._profile(scope)
            profile.advance(self._loaded)
            profiles[scope] = profile

    def _profile(self, scope: str) -> Profile:
        """The scope's latest row before the day; where all are later, the earliest: better than none."""
        days, texts = self._scopes.get(scope, ([], []))
        if not days:
            return Profile()
        row = max(0, bisect_left(days, self._loaded) - 1)
        parsed = self._parsed.get((scope, row))
        if parsed is None:
            parsed = self._parse(scope, texts[row])
            if not parsed.pending:
                self._parsed[scope, row] = parsed
        return parsed

    @staticmethod
    def _parse(scope: str, text: str) -> Profile:
        try:
            return baseline.from_row(json.loads(text))
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"the baseline's row of {scope} is damaged ({error}); {_REMEDY}") from error

    def describe(self) -> str:
        """What there is, for the user."""
        if not self._scopes:
            return "no baseline yet: scored against the prior that ships with the model"
        last = max(days[-1] for days, _ in self._scopes.values())
        return f"baseline up to {render_day(last)}, {len(self._scopes)} scopes"


def load(model: Scorecard, folder: Path, name: str) -> LookupBaselines:
    """The baseline that a lookup file holds; a missing default file means a cold start.

    Raises:
        InputError: the name is no plain name, a named file is missing, or the file is no baseline.
    """
    path = _find(folder, name)
    if path is None:
        return LookupBaselines(model, {})
    scopes: dict[str, Days] = {}
    for day, scope, profile in sorted(_rows(path)):
        days, texts = scopes.setdefault(scope, ([], []))
        days.append(day)
        texts.append(profile)
    return LookupBaselines(model, scopes)


def _find(folder: Path, name: str) -> Optional[Path]:
    if not _NAME.fullmatch(name):
        raise InputError(f"baseline={name}: write the name of a lookup file, as in baseline={DEFAULT}")
    found = [path for path in (folder / f"{name}.csv.gz", folder / f"{name}.csv") if path.is_file()]
    if not found and name != DEFAULT:
        raise InputError(f"baseline={name}: this app has no lookup file {name}.csv or {name}.csv.gz")
    return found[0] if found else None


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    try:
        with (gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")) as raw:
            reader = csv.reader(io.TextIOWrapper(raw, "utf-8", newline=""))
            if next(reader, None) != COLUMNS:
                raise InputError(f"{path.name}: the first line is not {','.join(COLUMNS)}; {_REMEDY}")
            for row in reader:
                scope, day, profile = row
                yield int(day), scope, profile
    except (OSError, EOFError, ValueError, csv.Error) as error:
        raise InputError(f"{path.name}: cannot be read ({error}); {_REMEDY}") from error


def save(path: Path, profiles: Iterable[tuple[str, Profile]]) -> int:
    """Write a baseline as a lookup file, gzipped where the name ends so; the number of rows.

    The same profiles give the same bytes, and the file is replaced as a whole.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = sorted((scope, profile.as_of, _plain(profile)) for scope, profile in profiles)
    writer.writerows(rows)
    data = text.getvalue().encode("utf-8")
    new = path.with_name(path.name + ".new")
    new.write_bytes(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)
    new.replace(path)
    return len(rows)


def _plain(profile: Profile) -> str:
    return json.dumps(baseline.to_row(profile), separators=(",", ":"))
