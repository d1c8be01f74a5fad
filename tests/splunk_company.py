"""A simulated company's days as a search head processes them: all that the app writes, for dashboards to read."""

from __future__ import annotations

from pathlib import Path

from core_samples import Going, Options
from nhi_watch.act.posture.checks import look
from nhi_watch.act.posture.finding import FindingLimits, scene
from nhi_watch.context.assets import NO_ASSETS
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect import history
from nhi_watch.hosts.splunk.notables import event_of
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant
from splunk_conf import conf
from splunk_peers import Window
from splunk_server import Server

SPEC = Spec(days=4, machines=15, seed=16, campaigns=5)
GROUP = conf("savedsearches.conf")["NHI Watch - Group Events"]["search"]
"""Twice a day over its events, where a search head runs it every five minutes over what has arrived."""
LIMITS = FindingLimits(secret_days=3, idle_days=3)
"""Days of posture's limits: the company is young."""
BUDGET = "300"


def played(app: Path, python: str = "", spec: Spec = SPEC) -> Server:
    """A search head after the company's last day, on which posture was looked at and a verdict was given."""
    server = Server(app, python)
    server.overrides["nhi_budget"] = BUDGET
    store = MemoryStore()
    going = Going(store, [cloudtrail], Options(float(BUDGET)))
    for day in Tenant(spec).days():
        timed = [(parse(record["eventTime"]), record) for record in day.records]
        midnight = timed[0][0] // DAY * DAY
        end = midnight + DAY - 600
        server.index(timed, "aws:cloudtrail")
        for since, until in ((midnight, end - HOUR), (end - HOUR, end)):
            server.search(GROUP, Window(since, until), end + 300)
        server.scheduled("NHI Watch - Close", end + 420)
        server.scheduled("NHI Watch - Health", end + 540)
        going.feed(day.records)
    going.finish()
    _posture(server, store, now_of(server))
    _verdict(server, now_of(server))
    _below(server, now_of(server))
    text = "`nhi_written` | `nhi_slim` | outputlookup append=true key_field=nhi_id nhi_notables"
    server.search(text, Window(0, now_of(server) + DAY), now_of(server))
    return server


def now_of(server: Server) -> int:
    """The second after which nothing has happened."""
    return max(int(row["_indextime"][0]) for row in server.events)


def _posture(server: Server, store: MemoryStore, now: int) -> None:
    known = history.read(store)
    for document in look(scene(known, None, NO_ASSETS, LIMITS, now), store).notables:
        server.notable(event_of(document, now), now)


def _below(server: Server, now: int) -> None:
    """One not listed: as one that has a place, with another id."""
    text = "`nhi_notables` nhi_kind=compromise nhi_change=new | sort 1 nhi_likelihood"
    (row,) = server.search(text, Window(0, now + DAY), now)
    raw = row["_raw"][0].replace(row["nhi_id"][0], "0" * 20)
    server.notable(raw.replace('"nhi_change":"new"', '"nhi_change":"below"'), now)


def _verdict(server: Server, now: int) -> None:
    search = 'nhi feedback verdict=benign reason="a planned move"'
    text = f"`nhi_notables` nhi_kind=compromise | `nhi_latest` | sort 1 - nhi_likelihood | {search}"
    server.collections["nhi_feedback"] = server.search(text, Window(0, now + DAY), now)
