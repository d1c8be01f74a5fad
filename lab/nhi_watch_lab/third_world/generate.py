"""One tenant, start to end: live, attack, write the logs and the labels."""
import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any, Dict, List, Tuple

from . import people
from .attacks import Incident, attack
from .life import live
from .model import World
from .rand import iso
from .techniques import UNSEEN
from .tenant import found


def write_events(world: World, folder: Path) -> Tuple[Dict[str, int], Dict[str, List[List[Any]]]]:
    """Write each product's records in time order; their numbers, and the places of the tagged ones by tag."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: Dict[str, int] = {}
    places: Dict[str, List[List[Any]]] = {}
    for product in sorted(world.sink.entries):
        name = f"{product}.ndjson.gz"
        with open(folder / name, "wb") as raw, gzip.GzipFile("", "wb", 5, raw, 0) as file:
            entries = sorted(e for e in world.sink.entries[product] if e.time >= world.start)
            counts[product] = len(entries)
            for number, entry in enumerate(entries, 1):
                file.write(entry.line.encode() + b"\n")
                if entry.tag:
                    places.setdefault(entry.tag, []).append([name, number])
    return counts, places


def names(world: World) -> List[str]:
    """Humans as the logs call them: ARNs, session ARNs, principal names, logins."""
    listed = set()
    for person in world.staff:
        listed.add(person.mail)
        for kind, held in person.accounts.items():
            for who in held:
                session = f"arn:aws:sts::{who.account.id}:assumed-role/{who.name}/{person.mail}"
                listed.add(session if kind == "sso" else who.label)
    return sorted(listed)


def label(incident: Incident, places: Dict[str, List[List[Any]]], padded: bool) -> Dict[str, Any]:
    row: Dict[str, Any] = {"id": incident.id, "technique": incident.technique.name, "origin": incident.origin,
                           "identity": incident.victim.label, "start": iso(incident.first), "end": iso(incident.last),
                           "distinguishable": incident.technique.name != UNSEEN, "records": places.get(incident.id, [])}
    if padded:
        row["padding"] = places.get(incident.id + "+", [])
    return row


def generate(seed: int, out: Path, *, identities: int = 300, days: int = 24, history_days: int = 12, incidents: int = 24,
             padded: bool = False, start: date = date(2026, 3, 2)) -> None:
    """Write one tenant's native audit logs to out/events and its labels to out/labels.json."""
    world = found(seed, start, days, history_days, identities)
    people.hire(world, max(3, identities - len(world.machines)))
    for machine in world.machines:
        live(world, machine)
    people.work(world)
    played = attack(world, incidents, padded)
    counts, places = write_events(world, Path(out) / "events")
    habits = {key: value for key, value in sorted(world.habits.items())}
    described = {"seed": seed, "identities": identities, "days": days, "history_days": history_days, "padded": padded,
                 "start": start.isoformat(), "company": world.company, "accounts": [a.id for a in world.accounts],
                 "habits": habits, "records": counts}
    labels = {"world": described, "incidents": [label(i, places, padded) for i in played if places.get(i.id)],
              "people": names(world), "notes": {}}
    (Path(out) / "labels.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
