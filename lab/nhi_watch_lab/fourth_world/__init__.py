"""An enterprise on AWS that writes its native audit logs, with labelled misuse of non-human identities."""
import json
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, Dict, List

from nhi_watch_lab.fourth_world.attack import Campaign
from nhi_watch_lab.fourth_world.life import World, debug, employ, expected, live, live_person
from nhi_watch_lab.fourth_world.model import DAY, Dice, Machine
from nhi_watch_lab.fourth_world.tenant import found, hire
from nhi_watch_lab.fourth_world.write import stamp, write

__all__ = ["generate"]


def _scale(machines: List[Machine], days: int, identities: int, dice: Dice, scanner: float) -> float:
    """Fit the volumes to a drawn total, the loud scanner to its share; answers the total."""
    target = dice.wide(55_000, 120_000) * identities * days / 7200
    loud = [m for m in machines if m.kind == "scanner"]
    quiet = [m for m in machines if m.kind != "scanner"]
    share = scanner if loud else 0.0
    for group, part in ((loud, share), (quiet, 1 - share)):
        total = sum(max(m.volume, expected(m)) * max(0.0, min(m.dies, m.born + days * DAY) - m.born) / DAY for m in group)
        for m in group:
            m.volume *= min(8.0, max(0.2, target * part / max(1.0, total)))
    return target


def generate(seed: int, out: Path, *, identities: int = 300, days: int = 24, history_days: int = 12, incidents: int = 24, padded: bool = False, start: date = date(2026, 3, 2)) -> None:
    """Write out/events/<product>.ndjson.gz and out/labels.json for one tenant."""
    tenant = found(seed, identities)
    begin = int(datetime(start.year, start.month, start.day, tzinfo=timezone.utc).timestamp()) * 1000
    world = World(tenant, begin, begin + days * DAY)
    world.people = employ(tenant, identities)
    world.machines = hire(tenant, identities, begin, days, history_days)
    dice = tenant.dice("scale")
    _scale(world.machines, days, identities, dice, tenant.habits["scanner"])
    for m in world.machines:
        m.debugged = dice.chance(0.1)
        live(world, m)
    for person in world.people:
        live_person(world, person, 1.0)
    for day in range(begin, world.end, DAY):
        debug(world, day)
    campaign = Campaign(world, begin + history_days * DAY, padded)
    campaign.play(incidents)
    places = write(world, Path(out) / "events")
    _labels(world, campaign, places, Path(out), identities, days, history_days, padded)


def _labels(world: World, campaign: Campaign, places: Dict[int, Any], out: Path, identities: int, days: int, history_days: int, padded: bool) -> None:
    tenant = world.tenant
    rows: List[Dict[str, Any]] = []
    for number, incident in enumerate(campaign.incidents):
        times = [e.t for e in world.events if e.tag == 2 * number]
        row = {"id": f"inc-{number + 1:02d}", "technique": incident.technique, "origin": incident.origin, "identity": incident.identity, "start": stamp(min(times)), "end": stamp(max(times)), "distinguishable": incident.distinguishable, "records": places[2 * number]}
        rows.append(dict(row, padding=places.get(2 * number + 1, [])) if padded else row)
    shown = sorted({who.label if who.product == "cloudtrail" and who.kind == "user" else who.name for p in world.people for who in p.ids.values() if who.kind != "sso"} | {p.upn for p in world.people}
                   | {f"arn:aws:sts::{who.account}:assumed-role/{who.name}/{p.upn}" for p in world.people for who in p.ids.values() if who.kind == "sso"})
    habits = {name: round(value, 4) for name, value in tenant.habits.items()}
    about = {"seed": tenant.seed, "identities": identities, "days": days, "history_days": history_days, "padded": padded, "industry": tenant.industry, "domain": tenant.domain, "accounts": tenant.accounts, "regions": tenant.regions, "products": tenant.products, "people": len(world.people), "habits": habits}
    notes = {"also": {f"inc-{n + 1:02d}": i.also for n, i in enumerate(campaign.incidents) if i.also}}
    text = json.dumps({"world": about, "incidents": rows, "people": shown, "notes": notes}, indent=1, ensure_ascii=False)
    (out / "labels.json").write_text(text + "\n", encoding="utf-8")
