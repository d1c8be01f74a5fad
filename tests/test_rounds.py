"""Many rounds of one process: what they keep, skip or decode once leaves every row as it would have been."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from core_samples import TODAY, contents, record
from nhi_watch.core.behaviour import BEHAVIOURS, IdentityDay, to_row
from nhi_watch.core.documents import NotableDocument
from nhi_watch.detect import episodes, feedback, publish
from nhi_watch.detect.day import Day
from nhi_watch.detect.explain import hours
from nhi_watch.detect.explain.hours import Hours
from nhi_watch.detect.scoring import Episode
from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state import day_rows
from nhi_watch.state import store as stores
from nhi_watch.state.kept_days import HourlyLikelihoods, KeptDays
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack, unpack

Records = list[dict[str, Any]]
ROLES = ("payments-api", "billing", "ci-deploy", "reports")
ACTIONS = (
    ("s3", "GetObject"),
    ("s3", "PutObject"),
    ("iam", "CreateAccessKey"),
    ("iam", "ListUsers"),
    ("secretsmanager", "GetSecretValue"),
    ("ec2", "DescribeInstances"),
    ("cloudtrail", "StopLogging"),
)
PLACES = ("52.95.110.1", "52.95.110.2", "185.220.101.4", "198.51.100.7")


def usual(day: int) -> Records:
    return [record(day, f"{hour:02}:{at:02}", role=role) for at, role in enumerate(ROLES) for hour in range(7, 19)]


HISTORY = [record for day in range(TODAY - 12, TODAY) for record in usual(day)]


def drawn(dice: Random) -> Records:
    """Two days: usual calls, odd ones, a credential that several roles use, copies and shared ids."""
    records = [*usual(TODAY), *usual(TODAY + 1)]
    for _ in range(dice.randrange(3, 40)):
        service, name = dice.choice(ACTIONS)
        clock = f"{dice.randrange(24):02}:{dice.randrange(60):02}"
        more = {"session": "ASIASHARED"} if dice.random() < 0.2 else {}
        more |= {"id": f"shared{dice.randrange(4)}"} if dice.random() < 0.2 else {}
        records.append(
            record(
                TODAY + dice.randrange(2),
                clock,
                role=dice.choice(ROLES),
                service=service,
                name=name,
                address=dice.choice(PLACES),
                bucket=f"bucket-{dice.randrange(5)}",
                **more,
            )
        )
    records += dice.sample(records, 5)
    return sorted(records, key=lambda each: str(each["eventTime"]))


def cut(records: Records, dice: Random) -> list[Records]:
    at = sorted(dice.sample(range(len(records)), dice.randrange(2, 12)))
    return [records[low:high] for low, high in zip([0, *at], [*at, len(records)])]


class Rounds:
    """Rounds over a store that has learnt HISTORY."""

    def __init__(self, kept: KeptDays | None) -> None:
        self.store, self._kept, self.now = MemoryStore(), kept, (TODAY + 2) * 86_400
        self.round(HISTORY)

    def round(self, records: Records) -> list[tuple[str, Any]]:
        """One of them; what it published."""
        session = Session(self.store, [cloudtrail], clock=lambda: self.now, kept=self._kept)
        session.feed(records)
        events = session.finish().events
        session.confirm(events)
        return [(event.change, event.document) for event in events]

    def give_verdict(self, verdict: str) -> None:
        """A verdict on the first notable that waits for one; `open` takes it back."""
        documents = sorted((d for d in _published(self.store) if d["listed"]), key=lambda d: str(d["id"]))
        if documents:
            self.now += 60
            feedback.put(self.store, [feedback.make_verdict(documents[0], verdict, "ann", "seen", self.now, {})])


def _published(store: MemoryStore) -> list[NotableDocument]:
    return [unpack(raw)[1] for _, raw in store.scan("notable", "pub/", "pub0")]


@contextmanager
def without_shortcuts() -> Iterator[None]:
    """Each round rewrites the episodes of its days, decodes each row itself, and reads cases one by one."""
    never = property(lambda day: False, lambda day, value: None)
    with ExitStack() as stack:
        stack.enter_context(patch.object(Day, "is_unchanged", never, create=True))
        stack.enter_context(patch.object(publish, "AT_ONCE", 1))
        for module in (episodes, publish):
            stack.enter_context(patch.object(module, "unpack_shared", unpack))
        yield


@pytest.mark.parametrize("seed", range(12))
def test_rounds_that_keep_days_and_skip_what_nothing_changed_give_the_same_rows(seed: int) -> None:
    dice = Random(seed)
    parts = cut(drawn(dice), dice)
    quick, plain = Rounds(KeptDays(limit=dice.choice((40, 10_000)))), Rounds(None)
    for number, part in enumerate(parts):
        if number in (2, 4):
            verdict = dice.choice(("benign", "confirmed", "open"))
            quick.give_verdict(verdict)
            plain.give_verdict(verdict)
        published = quick.round(part)
        with without_shortcuts():
            assert published == plain.round(part)
        assert contents(quick.store) == contents(plain.store)


class _CheckedHours(Hours):
    """Compares each hour with what is found of it without what earlier rounds have found."""

    def __init__(self, episode: Episode, known: HourlyLikelihoods | None) -> None:
        super().__init__(episode, known)
        plain = Hours(episode)
        assert [self._at(hour) for hour in self._hours] == [plain._at(hour) for hour in plain._hours]


def test_an_hour_is_scored_again_if_its_day_grew_until_then_or_the_day_before_taught_more() -> None:
    scored = dict[bool, int]()
    for is_kept in (True, False):
        rounds, dice = Rounds(KeptDays() if is_kept else None), Random(3)
        with (
            patch.object(episodes, "Hours", _CheckedHours),
            patch.object(hours, "_likelihood_until", wraps=hours._likelihood_until) as until,
        ):
            for _ in range(4):
                records = drawn(dice)
                dice.shuffle(records)  # earlier hours grow, and so does the day before
                for part in cut(records, dice):
                    rounds.round(part)
        scored[is_kept] = until.call_count
    assert scored[True] < scored[False]


def test_the_episodes_of_all_cases_that_changed_are_read_in_one_request() -> None:
    rounds = Rounds(None)
    thefts = [
        record(TODAY, f"12:{at:02}", role=role, service="iam", name="CreateAccessKey", address="185.220.101.4")
        for at, role in enumerate(ROLES[:3])
    ]
    with patch.object(rounds.store, "get", wraps=rounds.store.get) as get:
        assert len(rounds.round([*usual(TODAY), *thefts])) >= len(thefts)
    documents = [call for call in get.call_args_list if any(key.startswith(f"{TODAY:06d}/") for key in call.args[1])]
    assert [call.args[0] for call in documents].count("notable") == 1


def test_a_kept_day_is_what_the_store_would_load() -> None:
    kept = KeptDays()
    rounds = Rounds(kept)
    for part in cut(drawn(Random(5)), Random(5)):
        rounds.round(part)
        state = State(rounds.store)
        for day, name in list(kept._days):
            mine, (loaded,) = kept._days[day, name], state.load_some(day, [name]).values()
            assert to_row(mine) == to_row(loaded)
            assert (mine.stored, mine.counted, mine.scored) == (loaded.stored, loaded.counted, loaded.scored)
            assert loaded.kinds <= mine.kinds and not mine.fresh


def test_what_a_failed_round_took_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that ends badly may have changed the days that it took."""
    kept = KeptDays()
    rounds = Rounds(kept)
    rounds.round(usual(TODAY)[:20])
    before = len(kept)
    Session(rounds.store, [cloudtrail], kept=kept).feed(usual(TODAY)[20:30])  # and no finish
    assert len(kept) < before
    counted = sum(day.events() for _, day in State(rounds.store).each_of(TODAY))
    assert (counted, rounds.round(usual(TODAY)[20:30])) == (20, [])
    assert sum(day.events() for _, day in State(rounds.store).each_of(TODAY)) == 30


def test_days_that_are_too_many_go_and_the_last_one_used_goes_last() -> None:
    kept, each = KeptDays(limit=30), 1 + 10
    for number, name in enumerate("abc"):
        kept.give(TODAY, {name: _day(number)})
    assert len(kept) == 30 // each and kept.take(TODAY, "a") is None
    assert kept.take(TODAY, "c") is not None


def test_a_crowded_day_is_kept_as_it_is_stored() -> None:
    """Behaviours that were folded into others leave their marks with the records'."""
    kept, day = KeptDays(limit=10**9), _day(0)
    for number in range(BEHAVIOURS + 50):
        _add(day, number, name=f"Get{number}")
    loaded = day_rows.unpack(day_rows.pack(day))
    kept.give(TODAY, {"a": day})
    mine = kept.take(TODAY, "a")
    assert mine is day and mine.seen == loaded.seen and mine.stored == loaded.stored and not mine.folded
    for both in (mine, loaded):
        _add(both, 7777, name="GetMore")
    assert to_row(mine) == to_row(loaded) and mine.has_changes() == loaded.has_changes()


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_crowded_day_that_grows_is_stored_in_parts_without_what_was_folded(is_kept: bool) -> None:
    day, plain, lengths, folded = _day(0), _day(0), [], 0
    for both in (day, plain):
        for number in range(1, BEHAVIOURS + 50):
            _add(both, number, name=f"Get{number}")
    for part in range(8):
        row = day_rows.stored_row(day)
        lengths.append(len(row.raw) > row.first_part)
        loaded = day_rows.unpack(row.raw)
        day.row = row
        day.mark_stored()
        assert (to_row(loaded), loaded.kinds, loaded.seen) == (to_row(day), day.kinds, day.seen)
        assert (loaded.stored, loaded.counted, loaded.row) == (day.stored, day.counted, day.row)
        day = day if is_kept else loaded
        for number in range(60):
            for both in (day, plain):  # some of the first are folded again before the part is stored
                _add(both, 3000 + 60 * part + number, name=f"GetMore{part}-{number}")
                _add(both, 6000 + 60 * part + number, service="iam", name=f"CreateAccessKey{part}-{number}")
        folded += len(day.gone)
    assert to_row(day_rows.unpack(day_rows.stored_row(day).raw)) == to_row(plain)
    assert any(lengths) and folded > 20


def test_a_row_that_a_process_asks_for_again_is_decoded_once() -> None:
    raw = pack({"a": ["row"]})
    assert stores.unpack_shared(raw) is stores.unpack_shared(bytes(bytearray(raw)))
    assert stores.unpack_shared(pack({"a": ["another"]})) == {"a": ["another"]}


def _day(number: int) -> IdentityDay:
    day = IdentityDay(TODAY)
    _add(day, number)
    return day


def _add(day: IdentityDay, number: int, **more: Any) -> None:
    clock = f"{number // 60 % 24:02}:{number % 60:02}"
    day.add(cloudtrail.read(record(TODAY, clock, id=f"record{number}", **more)))
