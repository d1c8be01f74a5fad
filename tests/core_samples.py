"""Small events, records, histories and runs for the tests of the core."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from nhi_watch.context.assets import NO_ASSETS, Assets
from nhi_watch.context.context import Context
from nhi_watch.core import behaviour
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import model, publish
from nhi_watch.detect.engine import BUDGET
from nhi_watch.detect.run import Result
from nhi_watch.detect.scoring import Baselines
from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import day_rows, store
from nhi_watch.state.baseline import Profile, learn_groups, peer_scope, teach
from nhi_watch.state.baseline import lesson as day_lesson
from nhi_watch.state.state import State
from nhi_watch.state.store import TABLES, MemoryStore

TODAY = 20_000
"""The day (2024-10-04) on which samples are scored."""
ACCOUNT = "111111111111"
MACHINE = Identity(
    f"aws:{ACCOUNT}:role:AROAPAYMENTS",
    f"arn:aws:iam::{ACCOUNT}:role/payments-api",
    "role",
    "aws",
    ACCOUNT,
    "",
)
CALL = Event(
    time=TODAY * DAY + 10 * 3600,
    provider="aws",
    account=ACCOUNT,
    identity=MACHINE,
    credential="",
    credential_type="session",
    session="ASIASESSION",
    action="s3:GetObject",
    service="s3",
    access="read",
    outcome="success",
    error="",
    address="52.95.110.1",
    network="52.95.110.0/24",
    agent="boto3",
    region="eu-west-1",
    target="bucket-a",
    target_class="own",
    traits=(),
    issued="",
    record_id="",
)
"""An ordinary call; samples tell only what differs from it."""


class Options(NamedTuple):
    """What a run may be told."""

    budget: float = BUDGET
    assets: Assets = NO_ASSETS


ORDINARY = Options()


def seconds(clock: str) -> int:
    """Seconds into the day of `HH:MM` or `HH:MM:SS`."""
    hours, minutes, *rest = map(int, clock.split(":"))
    return hours * 3600 + minutes * 60 + (rest[0] if rest else 0)


def events(field_sets: Iterable[Any], day: int) -> list[Event]:
    """The events of a day; `time` is `HH:MM`, `who` changes fields of the identity, `repeat` makes several."""
    built = []
    for number, fields in enumerate(field_sets):
        rest = dict(fields)
        who = MACHINE._replace(**rest.pop("who", {}))
        start = day * DAY + seconds(rest.pop("time", "10:00"))
        repeat = rest.pop("repeat", 1)
        if "action" in rest:
            rest.setdefault("service", rest["action"].partition(":")[0])
        if "traits" in rest:
            rest["traits"] = tuple(sorted(rest["traits"]))
        for n in range(repeat):
            record = f"{day}-{number}-{n}"
            built.append(CALL._replace(identity=who, time=start + n % 3000, record_id=record, **rest))
    return built


def whole_days(events: Iterable[Event]) -> dict[str, IdentityDay]:
    """Events of one day by identity."""
    identity_days: dict[str, IdentityDay] = {}
    for event in events:
        identity_days.setdefault(event.identity.id, IdentityDay(event.time // DAY)).add(event)
    return identity_days


def learnt(history: Sequence[Any], today: int = TODAY) -> Baselines:
    """Baselines after days of events: `[{"ago": [30, 1], "events": […]}, …]`; nothing is held back."""
    baselines = Baselines(model.load())
    for day in sorted({today - ago for part in history for ago in _days(part)}):
        past_events = [e for part in history if today - day in _days(part) for e in part["events"]]
        lessons = []
        for name, identity_day in whole_days(events(past_events, day)).items():
            lesson = day_lesson((b, False) for b in identity_day.ordered())
            teach(baselines.own.setdefault(name, Profile()), day, *lesson)
            lessons.append((*lesson, peer_scope(identity_day.identity)))
        learn_groups(baselines.groups, day, lessons)
    for profile in baselines.own.values():
        profile.advance(today)
    return baselines


def _days(part: Any) -> range:
    first, last = part["ago"]
    step: int = part.get("every", 1)
    return range(first, last - 1, -step)


def record(day: int, clock: str, **changes: Any) -> Any:
    """A CloudTrail record of a role; `role`, `session`, `service` and `name` are short cuts."""
    role = changes.pop("role", "payments-api")
    session = changes.pop("session", "ASIA" + role.upper().replace("-", "")[:12])
    time = render(day * DAY + seconds(clock))
    issuer = {
        "type": "Role",
        "principalId": f"AROA{role}",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    plain: dict[str, Any] = {
        "eventVersion": "1.09",
        "eventTime": time,
        "eventSource": f"{changes.pop('service', 's3')}.amazonaws.com",
        "eventName": changes.pop("name", "GetObject"),
        "awsRegion": "eu-west-1",
        "sourceIPAddress": changes.pop("address", "52.95.110.1"),
        "userAgent": changes.pop("agent", "Boto3/1.34.0 md/Botocore#1.34.0"),
        "eventID": changes.pop("id", f"{role}/{time}"),
        "recipientAccountId": ACCOUNT,
        "requestParameters": {"bucketName": changes.pop("bucket", "bucket-a")},
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROA{role}:session",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session",
            "accountId": ACCOUNT,
            "accessKeyId": session,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        },
    }
    plain.update(changes)
    return plain


def run(store: Any, records: Iterable[object], options: Options = ORDINARY) -> Result:
    """One run over a store."""
    going = Going(store, [cloudtrail], options)
    going.feed(records)
    result = going.finish()
    store.commit()
    return result


class Going:
    """A run over a store, fed bit by bit."""

    def __init__(self, store: Any, sources: Sequence[ModuleType] = (cloudtrail,), options: Options = ORDINARY) -> None:
        self._session = Session(store, sources, Context(options.assets), budget=options.budget)

    def feed(self, records: Iterable[object]) -> None:
        """Read some records."""
        self._session.feed(records)

    def finish(self, closes: bool = True) -> Result:
        """Settle what was read."""
        return self._session.finish(closes=closes)


def runs(parts: Iterable[Iterable[object]], options: Options = ORDINARY) -> MemoryStore:
    """The store after several runs."""
    store = MemoryStore()
    for part in parts:
        run(store, part, options)
    return store


def contents(store: Any) -> Any:
    """Everything in a store, as plain values."""
    return {table: {key: plain(table, raw) for key, raw in store.scan(table, "", "\U0010ffff")} for table in TABLES}


def plain(table: str, raw: bytes) -> Any:
    """A row's content; those that only mark something have none."""
    if raw == b"1":
        return True
    return behaviour.to_row(day_rows.unpack(raw)) if table == "day" else store.unpack(raw)


def answer(store: Any) -> Any:
    """What must not depend on how the input was cut up: of closed days notables, identity-days and lessons; profiles.

    Left out: revisions, which count what changed on the way.
    """
    tables, closed = contents(store), State(store).daybook.closed
    rows = {
        table: {key: row for key, row in tables[table].items() if key[:6].isdigit() and int(key[:6]) <= closed}
        for table in ("day", "delta", "notable")
    }
    for notable in [*rows["notable"].values(), *_by_day(tables["notable"], closed, "blind/").values()]:
        notable.pop("revision")
        for revision in notable["revisions"]:
            revision.pop("revision")
    rows["notable"].update(_by_day(tables["notable"], closed, "blind/"))
    rows["case"] = {key[5:]: row for key, row in tables["notable"].items() if key[:5] in ("case/", "done/")}
    profiles = {key: row for key, row in tables["profile"].items() if not key.startswith("eve/")}
    meta = _by_day(tables["meta"], closed, "rhythm/", "drift/", "base/")
    return {**rows, "profile": profiles, "inventory": tables["inventory"], "meta": meta}


def shown(store: Any) -> Any:
    """The notables as people see them: id → document, without what records publishing.

    Nor receipts: counts of calls that are no news reach the habits of the next day with the close.
    """
    result: dict[str, Any] = {item["id"]: item for item in publish.stored(store) if item["kind"] == "compromise"}
    for item in result.values():
        for entry in item["revisions"]:
            del entry["receipt"]
    return {
        name: {key: value for key, value in item.items() if key not in ("revision", "rank", "receipt")}
        for name, item in result.items()
        if item["closed_why"] != publish.WITHDRAWN and not item["merged_into"]
    }


def _by_day(table: Any, closed: int, *kinds: str) -> Any:
    """The rows of closed days whose keys begin so."""
    of = {key: kind for key in table for kind in kinds if key.startswith(kind)}
    return {key: table[key] for key, kind in of.items() if int(key[len(kind) :][:6]) <= closed}
