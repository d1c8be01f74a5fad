"""The reporting search command nhihealth: what arrives, what is missing, and which signals that costs.

It takes five kinds of rows, mixed: `tstats count max(_indextime) AS nhi_indexed … by sourcetype _time span=1h`,
parts of nhigroup, notables, verdicts, and its own earlier rows on logs, which tell how late each comes. With
`show=blind_spots` it answers with notables of logs that are silent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator

from splunklib.searchcommands import Configuration

from nhi_watch.core.behaviour import Shape
from nhi_watch.core.errors import InputError, ModelError, RejectError
from nhi_watch.detect import model
from nhi_watch.hosts.splunk import blind, fields, health, lookup, parts, reasons, sdk, tables, verdicts
from nhi_watch.hosts.splunk.columns import Columns
from nhi_watch.hosts.splunk.health import Bucket, Check
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.nhigroup import RAW
from nhi_watch.hosts.splunk.options import Option, parse
from nhi_watch.hosts.splunk.protocol import Messages, Search
from nhi_watch.hosts.splunk.sdk import Line, Reporting
from nhi_watch.hosts.splunk.spots import Spots
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import every

OPTIONS = {
    "baseline": Option(lookup.DEFAULT, "<lookup file>", pattern=r"\w[\w.-]{0,99}", example=lookup.DEFAULT),
    "budget": Option("10", "<notables a day per 1,000 identities>", pattern=r"\d{1,4}(\.\d{1,3})?", example="10"),
    "of": Option("all", "all|logs|behaviours", ("all", "logs", "behaviours")),
    "show": Option("all", "all|problems|blind_spots", ("all", "problems", "blind_spots")),
}
_LOGS = tuple(each for each in (*every(), *schemas.every()) if each.SPLUNK_SOURCETYPES)
_CHECKED = ["nhi_check", "nhi_source", "nhi_lag_minutes"]
_VERDICT = [name for name in fields.names(fields.FEEDBACK) if name not in ("_key", *RAW)]


@Configuration(required_fields=[*RAW, "count", "nhi_indexed", *_VERDICT, *_CHECKED])
class NhiHealthCommand(Reporting):
    """The command: gathers all rows, answers when they have ended."""

    def start(self, search: Search) -> None:
        """What to look at."""
        options = parse("nhihealth", OPTIONS, search.arguments)
        self._earliest = search.earliest
        self._now = int(search.latest or time.time())
        self._baseline, self._show, self._of = options["baseline"], options["show"], options["of"]
        self._budget = float(options["budget"])
        self._lookups = tables.LOOKUPS
        self._seen: dict[str, list[Bucket]] = {}
        self._shapes: set[Shape] = set()
        self._rejected: dict[str, int] = {}
        self._notables: list[dict[str, str]] = []
        self._late: dict[str, int] = {}
        """Log → seconds by which its events come late, as an earlier check has found."""
        self._read = 0
        self._spots = Spots()

    def take(self, columns: Columns, row: Row) -> None:
        """Take in a row of any of the five kinds."""
        packed, notable = columns.part(row), columns.notable(row)
        try:
            if packed:
                name, part = parts.unpack(packed)
                self._spots.seen.add(name, part)
                self._spots.misdated.look(part)
                self._shapes.update(shape for shape, _ in part.slots)
                self._read += part.events()
            elif columns.rhythm(row):
                told = columns.rhythm(row)
                if not self._spots.misdated.take(told):
                    self._spots.seen.take(told)
            elif notable:
                self._notables.append({k: v for k, v in json.loads(notable).items() if isinstance(v, str)})
                self._spots.remember(notable)
            elif columns.failed(row):
                self._reject(reasons.code_of(columns.cell(row, "nhi_error")), columns.errors(row))
            elif columns.cell(row, "nhi_check"):
                self._late[columns.cell(row, "nhi_source")] = 60 * int(columns.cell(row, "nhi_lag_minutes") or 0)
            elif columns.verdict(row):
                verdicts.take(columns.verdict(row), self._spots.given)
            elif columns.is_grouped(row):
                cells = (columns.cell(row, name) for name in ("_time", "count", "nhi_indexed"))
                bucket = Bucket(*(int(float(text or 0)) for text in cells))
                self._seen.setdefault(columns.cell(row, "sourcetype").lower(), []).append(bucket)
        except (ValueError, AttributeError, OverflowError, RecursionError, RejectError):
            self._reject("bad_row", 1)

    def _reject(self, reason: str, count: int) -> None:
        self._rejected[reason] = self._rejected.get(reason, 0) + count

    def answer(self) -> tuple[list[str], Iterable[Line], Messages]:
        """One row a check, or one a blind spot."""
        if self._show == "blind_spots":
            return self._blind()
        found: list[Check] = []
        if self._of != "behaviours":
            found += [*self._of_sources(), *self._of_baseline(), _of_model(), *self._of_tables()]
        if self._of != "logs":
            found += self._of_behaviours()
        if self._show == "problems":
            found = [one for one in found if one["nhi_status"] in ("warn", "error")]
        return fields.names(fields.HEALTH), found, []

    def _of_behaviours(self) -> Iterator[Check]:
        yield from health.missing(self._shapes)
        if self._read or self._rejected:
            yield health.parsing(self._rejected, self._read)
        yield from health.budget(self._notables)

    def _blind(self) -> tuple[list[str], Iterable[Line], Messages]:
        table = lookup.table(self._lookups, self._baseline)
        types = {each.NAME: each.SPLUNK_SOURCETYPES for each in _LOGS}
        late = {**self._late, **blind.lateness(self._seen, types)}
        clock = blind.Clock(self._now, late)
        rows, messages = self._spots.finish(table, self._earliest, clock, self._lookups, self._budget)
        return fields.names(fields.NOTABLE), rows, messages

    def _of_sources(self) -> list[Check]:
        if self._seen:
            return list(health.sources(_LOGS, self._seen, self._now))
        return [] if self._read or self._rejected or self._notables else [health.nothing()]

    def _of_baseline(self) -> list[Check]:
        try:
            table = lookup.table(self._lookups, self._baseline)
            return [health.baseline(table, self._now), health.drifted(table, model.load(), model.FOLDER)]
        except (InputError, ModelError) as error:
            return [health.check(("baseline", self._baseline), "error", str(error))]

    def _of_tables(self) -> list[Check]:
        messages = [*tables.load_networks(self._lookups)[1], *tables.load_assets(self._lookups)[1]]
        messages += tables.load_reputation(self._lookups)[1] + verdicts.load_exceptions(self._lookups)[1]
        wrong = [health.check(("tables", "lookups"), "error", text) for _, text in messages]
        return wrong or [health.check(("tables", "lookups"), "ok", "the tables that you fill can be read")]


def _of_model() -> Check:
    try:
        card = model.load()
    except ModelError as error:
        return health.check(("model", "scorecard"), "error", str(error))
    return health.check(("model", card.id), "ok", f"model {card.id}, sha256 {card.sha256[:16]}…")


def main() -> None:
    """Answer splunkd until it has had enough."""
    sdk.main(NhiHealthCommand)
