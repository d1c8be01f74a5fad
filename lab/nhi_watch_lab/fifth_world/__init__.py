"""Generates one enterprise tenant's native audit logs with labelled misuse of machine identities."""
from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Dict, List

from nhi_watch_lab.fifth_world import life, makers
from nhi_watch_lab.fifth_world.attack import commit, labels
from nhi_watch_lab.fifth_world.model import Streams
from nhi_watch_lab.fifth_world.tenant import Tenant

from . import episodes
from .world import World

__all__ = ["generate"]


def build(seed: int, identities: int, days: int, history_days: int, start: date) -> World:
    """The tenant and its benign life."""
    streams = Streams(seed)
    world = World(seed, Tenant(streams, identities, days, history_days, start), streams)
    life.hire(world, max(2, int(identities * world.tenant.habits["people_share"])))
    makers.populate(world, identities)
    life.scale(world)
    episodes.plan_outages(world)
    makers.change_all(world)
    for machine in list(world.machines):
        life.live(world, machine)
    for person in world.people:
        life.work(world, person)
    episodes.befall(world)
    world.services()
    return world


def _people(world: World) -> List[str]:
    found: Dict[str, int] = {}
    for who in world.people:
        found[who.label] = 1
        if who.auth == "user" and who.product == "aws":
            found[who.ids["username"]] = 1
        if who.product != "aws":
            found[who.name] = 1
    return sorted(found)


def generate(seed: int, out: Path, *, identities: int = 300, days: int = 24, history_days: int = 12, incidents: int = 24, padded: bool = False, start: date = date(2026, 3, 2)) -> None:
    """Writes out/events/<product>.ndjson.gz and out/labels.json."""
    world = build(seed, identities, days, history_days, start)
    done = commit(world, incidents, padded)
    lines = {ref.number: 0 for incident, padding in done for ref in incident.refs + padding}
    folder = Path(out)
    world.sink.write(folder / "events", lines)
    body: Dict[str, Any] = {"world": {"seed": seed, "identities": identities, "days": days, "history_days": history_days, "padded": padded, "start": start.isoformat(),
        "products": world.tenant.products, "habits": world.tenant.habits},
                            "incidents": labels(done, lines, padded), "people": _people(world), "notes": {"machines": len(world.machines), "records": world.sink.count}}
    (folder / "labels.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

