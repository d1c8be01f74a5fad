"""Thefts that other tests try on files and in Splunk, on Elasticsearch."""

from __future__ import annotations

import time
from pathlib import Path

from core_samples import TODAY
from nhi_watch.core.timestamps import DAY, parse
from test_console import ACTS, CONSOLE, act, on_the_eve, tenant, told
from test_elastic_run import Place, fill, place
from test_exposure_misuse import DAYS, ORDERS, of_the_key, scored
from test_pipeline import quiet

__all__ = ["place"]


def test_elasticsearch_finds_the_same_and_ends_the_alert_of_the_first(place: Place, tmp_path: Path) -> None:
    records = ORDERS["known two days later"]
    (wanted,) = of_the_key(scored(tmp_path, records))
    now, cut = int(time.time()), (TODAY + 2) * DAY
    fill(place, [record for record in records if parse(record["eventTime"]) < cut], ingested=now - 5000)
    fill(place, [record for record in records if parse(record["eventTime"]) >= cut], ingested=now - 5)
    place.run(lag=3000, since=DAYS[0] * DAY)
    (first,) = of_the_key(place.notables())
    place.run()
    latest = {notable["id"]: notable for notable in sorted(place.notables(), key=lambda item: int(item["revision"]))}
    assert latest[first["id"]]["merged_into"] == wanted["id"]
    latest_notable = latest[wanted["id"]]
    assert [latest_notable[name] for name in ("severity", "likelihood", "title")] == [
        wanted[name] for name in ("severity", "likelihood", "title")
    ]


def test_whoever_opens_a_console_with_a_machine_s_key_stays_a_machine(place: Place) -> None:
    fill(place, tenant() + quiet(17, "ledger") + on_the_eve() + act(ACTS["an administrator"], **CONSOLE))
    place.run(since=(TODAY - 20) * DAY)
    assert len(told(place.notables())) == 1
