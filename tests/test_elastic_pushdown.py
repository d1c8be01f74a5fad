"""What the cluster groups gives the notables that reading every document gives, on real servers."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ecs_shape import document, load
from elastic_server import Server
from elastic_story import Story, records
from flood_samples import newcomers
from nhi_watch.core import crowd
from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.hosts.elastic import windows
from nhi_watch.hosts.elastic.pushdown import buckets, choice, fields
from nhi_watch.hosts.elastic.pushdown.choice import Look, Sample
from nhi_watch.hosts.elastic.run import run
from nhi_watch.intake import days

Tree = dict[str, Any]


@pytest.fixture
def story(elastic: Server) -> Iterator[Story]:
    made = Story(elastic)
    yield made
    made.close()


def fill(story: Story, chosen: list[Tree], original: bool = False) -> None:
    load(story.client, story.source, (document(r, original, render(int(time.time()) - 1)) for r in chosen))


def both(story: Story) -> tuple[Tree, Tree]:
    """One job reads every document, the other one lets the cluster group them."""
    read = run(story.client, story.job(story.calm, push_from=windows.NEVER))
    return read, run(story.client, story.job(story.wild, push_from=1))


def test_grouped_by_the_cluster_the_notables_are_the_same_and_late_records_join_them(story: Story) -> None:
    whole = records()
    late = whole[5::40]
    fill(story, [record for number, record in enumerate(whole) if number % 40 != 5])
    read, pushed = both(story)
    assert pushed["push_down"]["documents"] > 0.7 * read["read"], "the cluster must have grouped most of them"
    assert pushed["push_down"]["why_not"] == []
    assert (pushed["read"], pushed["rejected"]) == (read["read"], read["rejected"])
    story.same()
    fill(story, late)
    again, pushed_again = both(story)
    assert pushed_again["events"] == len(late) == again["events"]
    assert story.same() >= 3


def test_what_the_cluster_cannot_group_is_read_and_the_run_says_why(story: Story) -> None:
    fill(story, records()[:1000], original=True)
    _, pushed = both(story)
    assert pushed["push_down"]["documents"] == 0
    assert pushed["push_down"]["why_not"] == [
        "documents keep event.original, which tells more than the fields that can be aggregated"
    ]
    story.same()


def test_newcomers_beyond_the_bound_are_folded_as_the_reader_folds_them(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two parts, and made anew when more comes: who stays himself depends on who is there, and on nothing else."""
    for module in (crowd, days):
        monkeypatch.setattr(module, "NEWCOMERS", 12)
    whole = [*records(2), *newcomers(60, parse("2025-03-04T00:00:00Z") // DAY)]
    fill(story, whole[::2])
    both(story)
    fill(story, whole[1::2])
    read, pushed = both(story)
    assert pushed["push_down"]["why_not"] == [] and pushed["push_down"]["documents"] > 0
    assert pushed["folded_records"] == read["folded_records"] > 0
    story.same()


def test_too_many_groups_are_left_to_the_reader(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MOST", 30)
    fill(story, records()[:800])
    _, pushed = both(story)
    assert pushed["push_down"]["why_not"][0].startswith("there are more than 30 groups in ")
    story.same()


def test_records_that_lie_there_twice_are_counted_once(story: Story) -> None:
    fill(story, [*records()[:800], *records()[100:120]])
    read, pushed = both(story)
    assert read["events"] == pushed["events"] == 800
    assert pushed["push_down"]["why_not"] == [
        "some records lie there twice, and only the reader leaves one of them out"
    ]
    story.same()


# ---- where it pays


def alike(number: int, of: int) -> list[Tree]:
    """So many records of one hour, which make so many behaviours."""
    first = next(r for r in records() if r["eventName"] == "GetCallerIdentity" or "requestParameters" not in r)
    return [
        {**first, "eventTime": "2025-03-03T10:00:00Z", "eventID": f"alike-{of}-{i}", "userAgent": f"tool{i % of}/1.0"}
        for i in range(number)
    ]


@pytest.mark.parametrize(("behaviours", "chosen"), [(4, True), (300, False)])
def test_it_is_chosen_by_how_alike_documents_are(
    story: Story, behaviours: int, chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "FIXED", 500)
    monkeypatch.setattr(choice, "REQUEST", 1)
    fill(story, alike(600, behaviours))
    done = run(story.client, story.job(story.wild))
    assert (done["push_down"]["documents"] > 0) == chosen
    assert done["events"] == 600


def hours_seen(bursts: int, groups: int) -> tuple[dict[int, int], dict[int, Sample]]:
    """Hours of thirty documents in so many groups, and some of three hundred that are alike."""
    sizes = [300 if hour < bursts else 30 for hour in range(400)]
    random.Random(1).shuffle(sizes)
    hours = {hour * HOUR: size for hour, size in enumerate(sizes)}
    alone = groups if groups == 30 else 0
    return hours, {start: Sample(300, 33, 1, 0, 0) if size == 300 else Sample(30, 30, groups, alone, 0)
                   for start, size in hours.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("bursts", "groups", "providers", "pays"), [(0, 1, 5, True), (20, 30, 5, False), (0, 1, 60, False)]
)
def test_some_busy_hours_do_not_stand_for_all_and_each_service_costs_a_request(
    bursts: int, groups: int, providers: int, pays: bool
) -> None:
    hours, seen = hours_seen(bursts, groups)
    named = [*list(fields.TARGET_KEYS)[:providers]]
    assert choice.cheaper(hours, choice.typical(hours), Look(seen, tuple(named))) == pays


def test_few_documents_are_read_without_asking(story: Story) -> None:
    fill(story, alike(600, 1))
    assert run(story.client, story.job(story.wild))["push_down"]["documents"] == 0
