"""Cost follows the news: what is grouped at once, whose rows ranking reads, how a large day is read bucket by bucket.

The commands run in this process.
"""

from __future__ import annotations

import gzip
import json
import random
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from nhi_watch.core.behaviour import to_row
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.hosts.splunk import awake, fields, parts
from nhi_watch.hosts.splunk.blind import Seen
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.spool import BUCKETS, Spool
from nhi_watch.intake.sources import cloudtrail
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_process import Answer, Row, run_here
from splunk_stream import table

DAYS = 9


@lru_cache
def simulated() -> tuple[tuple[dict[str, Any], ...], ...]:
    days = Tenant(Spec(days=DAYS, machines=8, seed=5, campaigns=4, events=4_500)).days()
    return tuple(tuple(day.records) for day in days)


def midnight(day: int) -> int:
    return parse(simulated()[day][0]["eventTime"]) // DAY * DAY


def raw(records: tuple[dict[str, Any], ...]) -> list[Row]:
    return [{"_raw": [json.dumps(record)], "sourcetype": ["aws:cloudtrail"]} for record in records]


def group(folder: Path, rows: list[Row], options: str = "") -> list[Row]:
    return run_here("nhigroup", folder, options, rows, (0, 0)).rows


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of lookups after eight days."""
    folder = tmp_path_factory.mktemp("lookups")
    rows = [row for records in simulated()[:-1] for row in group(folder, raw(records))]
    answer = run_here("nhilearn", folder, "", rows, (midnight(0), midnight(DAYS - 1) + 14 * HOUR))
    body = table(list(fields.names(fields.BASELINE)), answer.rows)
    (folder / "nhi_baseline.csv.gz").write_bytes(gzip.compress(body))
    return folder


def rank(folder: Path, rows: list[Row], options: str = "") -> Answer:
    """Notables; how others were judged is looked at in test_splunk_judged."""
    start = midnight(DAYS - 1)
    answer = run_here("nhirank", folder, f"budget=300 {options}", rows, (start, start + DAY - 1))
    return answer._replace(rows=[row for row in answer.rows if "nhi_judged" not in row])


def scores(answer: Answer) -> dict[str, str]:
    return {row["nhi_id"][0]: row["nhi_score"][0] for row in answer.rows}


def keys_of(rows: list[Row]) -> set[str]:
    return {row["nhi_key"][0] for row in rows if row.get("nhi_key")}


def wakes(folder: Path, keys: set[str]) -> None:
    (folder / awake.FILE).write_text("\n".join(["nhi_key", *sorted(keys)]) + "\n", "utf-8")


def test_only_news_is_grouped_at_once_and_joined_with_all_else_it_counts_once(learnt: Path) -> None:
    today = raw(simulated()[-1])
    news, everything = group(learnt, today, "only=news"), group(learnt, today)
    assert 0 < len(keys_of(news)) < len(keys_of(everything))
    assert {tuple(row["nhi_news"]) for row in news if "nhi_part" in row} == {("1",)}
    assert not any("nhi_news" in row for row in everything)
    assert sum(int(row["nhi_events"][0]) for row in news if "nhi_events" in row) < len(today) / 2
    both = group(learnt, [*news, *everything])
    assert {row["nhi_key"][0]: row["nhi_events"] for row in both if "nhi_key" in row} == {
        row["nhi_key"][0]: row["nhi_events"] for row in everything
    }
    assert scores(rank(learnt, both)) == scores(rank(learnt, everything)) != {}


def test_who_did_nothing_but_trifles_comes_with_all_else(learnt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = raw(simulated()[-1])
    found = []
    for floor in (0.0, FLOOR, 101.0):
        monkeypatch.setattr("nhi_watch.hosts.splunk.awake.FLOOR", floor)
        found.append(keys_of(group(learnt, today, "only=news")))
    assert found[0] > found[1] > found[2], "trifles wait; what is grave, and what tells of credentials, does not"


def test_what_is_usual_leaves_the_rhythm_of_its_log_at_once(learnt: Path) -> None:
    today = raw(simulated()[-1])
    seen, wanted = Seen(), Seen()
    for row in group(learnt, group(learnt, today, "only=news")):
        if "nhi_rhythm" in row:
            seen.take(row["nhi_rhythm"][0])
    for row in group(learnt, today):
        wanted.add(*parts.unpack(row["nhi_part"][0]))
    told = {day: {stream: (each.hours, each.fields) for stream, each in streams.items()}
            for day, streams in seen.days(0).items()}  # fmt: skip
    assert told == {day: {stream: (each.hours, each.fields) for stream, each in streams.items()}
                    for day, streams in wanted.days(0).items()}  # fmt: skip
    with pytest.raises(RejectError, match="nhi_rhythm"):
        seen.take("x")


def test_without_a_baseline_all_is_news(tmp_path: Path) -> None:
    today = raw(simulated()[0])
    assert keys_of(group(tmp_path, today, "only=news")) == keys_of(group(tmp_path, today))


def test_who_is_awake_gives_the_notables_of_all_and_the_rest_is_counted(learnt: Path, tmp_path: Path) -> None:
    for path in learnt.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    today = raw(simulated()[-1])
    news, everything = group(learnt, today, "only=news"), group(learnt, today)
    wakes(tmp_path, keys_of(news))
    let_by = group(tmp_path, everything, "only=awake")
    left_out = sum(int(row["nhi_asleep"][0]) for row in let_by if row.get("nhi_asleep"))
    assert left_out == len(keys_of(everything) - keys_of(news)) > 0
    assert scores(rank(tmp_path, let_by, "only=awake")) == scores(rank(learnt, everything))


def test_nothing_ends_where_some_are_asleep(learnt: Path, tmp_path: Path) -> None:
    for path in learnt.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    everything = group(learnt, raw(simulated()[-1]))
    known: list[Row] = [
        {"_raw": row["_raw"], "sourcetype": ["nhi:notable"]} for row in rank(learnt, everything).rows
    ]
    count: Row = {"nhi_day_number": [str(midnight(DAYS - 1) // DAY)], "nhi_parts": ["1"]}
    wakes(tmp_path, {"0" * 16})
    let_by = group(tmp_path, everything, "only=awake")
    assert rank(tmp_path, [*let_by, *known, count], "only=awake show=changed").rows == []
    quiet = [row for row in everything if row["nhi_key"][0] not in {key for one in rank(learnt, everything).rows
                                                                    for key in one["nhi_keys"]}]  # fmt: skip
    stripped = [{**row, "_raw": [row["_raw"][0].replace("_events\"", "_formerly\"")]} for row in known]
    ended = rank(learnt, [*quiet, *stripped, count], "show=changed").rows
    assert {row["nhi_change"][0] for row in ended} == {"withdrawn"}, "a run over all may end them"


def test_an_indexer_with_an_older_list_ranks_nobody(learnt: Path, tmp_path: Path) -> None:
    everything = group(learnt, raw(simulated()[-1]))
    wakes(tmp_path, keys_of(everything))
    let_by = group(tmp_path, everything, "only=awake")
    wakes(tmp_path, {"0" * 16})
    answer = rank(tmp_path, let_by, "only=awake")
    assert answer.rows == [] and "another list" in answer.messages[-1][1]


def test_without_a_baseline_a_list_that_lacks_somebody_ranks_nobody(tmp_path: Path) -> None:
    """All are awake then: half an answer has made such a list, and who is judged without the others may seem odd."""
    everything = group(tmp_path, raw(simulated()[-1]))
    wakes(tmp_path, set(sorted(keys_of(everything))[1:]))
    answer = rank(tmp_path, group(tmp_path, everything, "only=awake"), "only=awake")
    assert answer.rows == [] and "the list lacks some" in answer.messages[-1][1]
    wakes(tmp_path, keys_of(everything))
    again = rank(tmp_path, group(tmp_path, everything, "only=awake"), "only=awake")
    assert not any("the list lacks some" in text for _, text in again.messages)


def test_a_day_is_learnt_once_all_of_it_is_grouped(tmp_path: Path) -> None:
    first, second = (raw(records) for records in simulated()[:2])
    soon = midnight(1) + HOUR
    news, everything = group(tmp_path, first, "only=news"), group(tmp_path, first)

    def learn(rows: list[Row], until: int, options: str = "") -> list[Row]:
        return run_here("nhilearn", tmp_path, options, rows, (midnight(0), until)).rows

    assert learn([*news, *everything], soon, "late=false") == [], "what was grouped after midnight is not here yet"
    later = group(tmp_path, second[:1])
    assert learn([*everything, *later], soon, "late=false") == learn(everything, soon) != []
    assert learn(everything, midnight(1) + 14 * HOUR, "late=false") != [], "no more will come"
    body = table(list(fields.names(fields.BASELINE)), learn([*everything, *later], soon))
    (tmp_path / "nhi_baseline.csv.gz").write_bytes(gzip.compress(body))
    more = [*everything, *group(tmp_path, first[:5]), *later]
    assert learn(more, soon, "late=false") == learn([], soon)
    assert learn(more, soon) != learn([], soon)


def test_a_stored_row_keeps_as_many_record_ids_as_are_asked_for(tmp_path: Path) -> None:
    rows = group(tmp_path, group(tmp_path, raw(simulated()[0])), "records=1")
    unpacked = [parts.unpack(row["nhi_part"][0])[1] for row in rows]
    assert {len(behaviour.record_ids) for part in unpacked for behaviour, _ in part.slots.values()} == {1}


# ---- the spool


@pytest.mark.parametrize("held", [1, 10_000, 1 << 30])
def test_what_is_spooled_comes_back_all_of_one_identity_together_and_again(held: int) -> None:
    spool, dice = Spool(held), random.Random(3)
    told = [(dice.choice((4, 5)), f"key-{dice.randrange(900)}", f"text-{n}") for n in range(3_000)]
    for each in told:
        spool.add(*each)
    assert spool.days() == {4, 5}
    for day in (4, 5, 5):
        buckets = list(spool.of(day))
        assert 1 < len(buckets) <= BUCKETS
        assert sorted(text for texts in buckets for text in texts) == sorted(text for d, _, text in told if d == day)
        where = {text: number for number, texts in enumerate(buckets) for text in texts}
        mine = [(key, where[text]) for d, key, text in told if d == day]
        assert len(set(mine)) == len({key for key, _ in mine})
    assert list(spool.of(6)) == []


def test_a_held_day_is_what_was_gathered_and_a_damaged_part_costs_itself() -> None:
    plain, held = Gatherer(), Gatherer(hold=True)
    for record in simulated()[0]:
        plain.add(cloudtrail.read(record))
    rows = [{"nhi_part": [parts.pack(part)], "nhi_key": [parts.key_of(name)], "nhi_day": ["2025-03-03"]}
            for (_, name), part in plain.parts.items()]  # fmt: skip
    rows.append({"nhi_part": ["AAAA"], "nhi_key": ["0" * 16], "nhi_day": ["2025-03-03"]})
    held.feed(table(["nhi_part", "nhi_key", "nhi_day"], rows))
    (day,) = held.days()
    found = {name: whole for wholes in held.wholes(day) for name, whole in wholes.items()}
    assert {name: to_row(whole) for name, whole in found.items()} == {
        name: to_row(part.whole()) for (_, name), part in plain.parts.items()
    }
    assert held.rejected == {"bad_part": 1}
    with pytest.raises(RejectError):
        parts.rows_of("x")
