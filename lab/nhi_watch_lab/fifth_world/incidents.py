"""Chooses techniques, victims and moments for a tenant, and makes the labels."""
from __future__ import annotations

import math
from typing import Any, Dict, List, Optional, Tuple

from . import techniques_aws, techniques_aws2, techniques_other
from .attack import Incident
from .chance import stream
from .fill import iso
from .model import DAY, Identity, Ref, block
from .steps import Technique
from .world import World


def all_techniques() -> List[Technique]:
    first, second, other = techniques_aws, techniques_aws2, techniques_other
    return first.access() + first.theft() + second.harm() + second.cost() + second.execution() + other.cluster() + other.code() + other.google() + other.azure() + other.directory() + other.stores()


def _fits(world: World, technique: Technique, who: Identity, origin: str, taken: List[str]) -> bool:
    """Whether a machine can be the victim of a technique in such a way that the log can tell."""
    if who.product != technique.product or who.label in taken or who.auth in ("service", "system") or "pentest" in who.name:
        return False
    if who.history < (1 if "old" in who.kind.tags else 5) or who.gone < world.tenant.cut + 3 * DAY or who.born > world.tenant.cut - DAY:
        return False
    if origin == "inside" and who.dynamic and not any(world.tenant.cut <= begun < min(world.tenant.end, who.gone) - 0.4 * DAY for begun, _ in who.runs):
        return False
    if technique.auth and who.auth not in technique.auth or technique.tags and not any(tag in who.kind.tags for tag in technique.tags):
        return False
    if who.product == "aws" and who.account is not None and any("user" in step.args.values() or step.args.get("user") == "@user" for step in technique.steps) and len(who.account.things["user"]) < 2:
        return False
    if origin == "external" and who.product == "entra" and who.auth == "mi" or who.auth == "node" and origin == "external":
        return False
    if origin == "inside" and technique.signal == "call":
        sure = [step.op.replace("become", "sts:AssumeRole") for step in technique.steps if step.odds == 1.0 and step.low > 0 and not step.who]
        return any(op not in who.used for op in sure)
    if technique.signal == "amount":
        return "s3:GetObject" in who.used and who.count < 600
    if technique.signal == "none":
        return all(step.op in who.used for step in technique.steps) and who.count > 80
    return True


class Planner:
    """Draws incidents one after another."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.streams("incidents")
        products = world.tenant.products
        self.techniques = [item for item in all_techniques() if item.product in products and all(need in products for need in item.needs) and (world.tenant.habits["data_events"] or not item.data)]
        self.drawn: Dict[str, int] = {}
        self.taken: List[str] = []

    def _draw(self, origin: str, blind: bool, brief: bool) -> Optional[Tuple[Technique, Identity]]:
        rng = self.rng
        pool = [item for item in self.techniques if item.origin in (origin, "both") and (item.signal == "none") == blind]
        pool = [item for item in pool if sum(step.high for step in item.steps) <= 3] if brief and not blind else pool
        share = rng.random()
        aws = [item for item in pool if item.product == "aws"]
        pool = aws if share < 0.6 and aws else [item for item in pool if item.product != "aws"] or aws
        weights = [(item, (item.weight or 1.0) * 0.25 ** self.drawn.get(item.name, 0)) for item in pool]
        for _ in range(12):
            if not weights:
                return None
            technique = rng.pick(weights)
            able = [who for who in self.world.machines if _fits(self.world, technique, who, origin, self.taken)]
            if able:
                return technique, rng.choice(able)
        return None

    def one(self, number: int, origin: str, blind: bool, brief: bool = False) -> Optional[Incident]:
        for attempt in range(30):
            found = self._draw(origin, blind, brief)
            if found is None:
                continue
            technique, who = found
            incident = Incident(self.world, technique, who, origin, stream(self.world.seed, "incident", number, attempt), brief)
            incident.carry_out()
            if incident.refs:
                self.drawn[technique.name] = self.drawn.get(technique.name, 0) + 1
                self.taken.append(who.label)
                return incident
        return None


def tells(incident: Incident) -> bool:
    """Whether something in the log sets the incident apart from its victim's life."""
    who, technique = incident.who, incident.technique
    if technique.signal == "none":
        return False
    if incident.origin == "external":
        return all(block(place.ip) not in who.nets for place in incident.places)
    if technique.signal == "target" and not incident.lures.known or technique.signal == "amount":
        return True
    return any(op not in who.used for op in incident.used)


def commit(world: World, count: int, padded: bool) -> List[Tuple[Incident, List[Ref]]]:
    planner = Planner(world)
    rng = planner.rng
    inside = count // 2
    origins = ["inside"] * inside + ["external"] * (count - inside)
    rng.shuffle(origins)
    blind = min(rng.pick([(0, 4.0), (1, 3.0), (2, 1.0)]), count // 8)
    short = rng.sample(range(count), int(round(count * rng.uniform(0.1, 0.25))))
    done: List[Tuple[Incident, List[Ref]]] = []
    for number, origin in enumerate(origins):
        hidden = origin == "inside" and blind > 0
        incident = planner.one(number, origin, hidden, number in short) or planner.one(number + 1000, origin, False)
        blind -= int(hidden)
        if incident is not None:
            done.append((incident, []))
    if padded:
        done = [(incident, incident.pad(stream(world.seed, "padding", number))) for number, (incident, _) in enumerate(done)]
    return sorted(done, key=lambda item: min(ref.time for ref in item[0].refs))


def _lines(refs: List[Ref], lines: Dict[int, int]) -> List[List[Any]]:
    return [[ref.file, lines[ref.number]] for ref in sorted(refs, key=lambda ref: (ref.file, lines[ref.number]))]


def labels(done: List[Tuple[Incident, List[Ref]]], lines: Dict[int, int], padded: bool) -> List[Dict[str, Any]]:
    out = []
    for number, (incident, padding) in enumerate(done, 1):
        times = [ref.time for ref in incident.refs]
        label: Dict[str, Any] = {"id": f"inc-{number:02d}", "technique": incident.technique.name, "origin": incident.origin, "identity": incident.who.label,
            "start": iso(math.floor(min(times))), "end": iso(math.ceil(max(times))), "distinguishable": tells(incident), "records": _lines(incident.refs, lines)}
        if padded:
            label["padding"] = _lines(padding, lines)
        out.append(label)
    return out
