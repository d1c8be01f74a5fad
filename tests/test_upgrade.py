"""The notables of a state of an earlier version carry over, with what was said of them."""

from __future__ import annotations

from typing import Any

from core_samples import TODAY, Options, record, run, runs
from nhi_watch.core.notable import from_json
from nhi_watch.core.timestamps import DAY, HOUR, render_day
from nhi_watch.detect import feedback, publish
from nhi_watch.detect.explain.fields import notable_id
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack, unpack
from test_pipeline import quiet, raid, schema

ROOM = Options(budget=1000.0)
WHO = "aws:111111111111:role:AROApayments-api"
NAME = notable_id(WHO, TODAY)


def others(day: int) -> list[dict[str, Any]]:
    return [record(day, "09:10", role="other")]


def earlier(until: int, revision: int = 4) -> MemoryStore:
    """A state as a version wrote it that kept notables by day: a raid, and a day on which it went on weakly."""
    parts = [quiet(20) + raid() + others(TODAY), *(others(day) for day in range(TODAY + 1, until + 1))]
    store = runs(parts, ROOM)
    documents = publish.stored(store)
    store.put("notable", [(key, None) for key, _ in store.scan("notable", "", "\U0010ffff")])
    for document in documents:
        store.put("notable", [(f"{TODAY:06d}/{document['id']}", pack(_aged({**document, "revision": revision})))])
    book = State(store).daybook
    store.put("meta", [("calendar", pack([book.days, book.closed, book.clock]))])
    return store


def _aged(document: dict[str, Any]) -> dict[str, Any]:
    """Without what earlier versions did not say."""
    usual = document["usual"]
    less = {key: value for key, value in document.items() if key not in ("since", "predecessor")}
    return {
        **less,
        "signals": [{k: v for k, v in signal.items() if k != "identity"} for signal in document["signals"]],
        "usual": {
            **usual,
            "dimensions": [
                {k: v for k, v in dimension.items() if k not in ("identity", "active_days")}
                for dimension in usual["dimensions"]
            ],
        },
    }


def test_a_notable_of_a_closed_day_keeps_its_place_its_revision_and_its_words() -> None:
    store = earlier(TODAY + 3)
    before = next(unpack(raw) for key, raw in store.scan("notable", f"{TODAY:06d}/", f"{TODAY:06d}0"))
    result = run(store, others(TODAY + 4), ROOM)
    (shown,) = result.standing
    assert (shown["id"], shown["revision"], shown["listed_on"]) == (NAME, 4, render_day(TODAY))
    assert [shown[name] for name in ("title", "likelihood", "record_ids")] == [
        before[name] for name in ("title", "likelihood", "record_ids")
    ]
    assert result.events == [] and not State(store).is_earlier
    schema().validate(shown)
    assert from_json(shown).id == NAME
    again = run(store, raid(day=TODAY + 5) + others(TODAY + 5), ROOM)
    assert [(event.change, event.document["revision"]) for event in again.events] == [("grown", 5)]
    assert [revision["day"] for revision in again.standing[0]["revisions"]] == [
        render_day(TODAY),
        render_day(TODAY + 5),
    ]


def test_one_of_an_open_day_is_judged_again_under_the_same_id_and_a_later_revision() -> None:
    store = earlier(TODAY)
    result = run(store, [], ROOM)
    (shown,) = result.standing
    assert shown["id"] == NAME and shown["revision"] in (4, 5)
    assert [event.change for event in result.events] in ([], ["grown"])


def test_a_verdict_of_then_still_holds() -> None:
    store = earlier(TODAY + 3)
    before = next(unpack(raw) for key, raw in store.scan("notable", f"{TODAY:06d}/", f"{TODAY:06d}0"))
    given = feedback.make_verdict(before, "benign", "ann", "ours", (TODAY + 3) * DAY + 20 * HOUR, {})
    feedback.put(store, [given._replace(seen=(), grown=0)])
    assert run(store, others(TODAY + 4), ROOM).standing == []
    assert publish.stored(store)[0]["closed_why"].startswith("benign, by ann")


def test_what_had_ended_can_still_be_explained_and_is_in_no_list() -> None:
    store = earlier(TODAY + 12)
    result = run(store, others(TODAY + 13), ROOM)
    assert (result.standing, result.events) == ([], [])
    (kept,) = publish.stored(store)
    assert (kept["id"], kept["life"]) == (NAME, "closed")
    assert not publish.stored(store, include_closed=False)
