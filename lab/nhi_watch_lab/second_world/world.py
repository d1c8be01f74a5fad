# ruff: noqa: E501
"""Puts a tenant together, plays its days, writes the labels."""
from __future__ import annotations

import calendar
import json
from datetime import date
from pathlib import Path
from random import Random

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world import base as tenants
from nhi_watch_lab.second_world.attacks import AWS, SAAS, STORY_NEEDS, STORY_ORIGINS, Incident, Scene, play
from nhi_watch_lab.second_world.base import DAY, Json, Sink, Tenant
from nhi_watch_lab.second_world.routine import AwsLife, AwsPeople, Cast
from nhi_watch_lab.second_world.saas import M365, Entra, Gcp, GitHub, Kubernetes, Okta, Product, Snowflake, Vault
from nhi_watch_lab.second_world.trail import AwsLog

SHARES = {"github": 0.3, "okta": 0.12, "entra": 0.2, "m365": 0.08, "gcp": 0.16, "kubernetes": 0.25, "vault": 0.1, "snowflake": 0.08}


def generate(seed: int, out: Path, *, identities: int = 300, days: int = 24, history_days: int = 12, incidents: int = 24, padded: bool = False, start: date = date(2026, 3, 2)) -> None:
    """Write one tenant's records and labels below `out`."""
    begin = float(calendar.timegm(start.timetuple()))
    drawn = tenants.draw(seed, identities, days, begin)
    sink = Sink(Path(out), begin, days)
    scene, life, people = stage(drawn, sink, identities, days)
    plots = plan(drawn, scene, days, history_days, incidents)
    told: list[Incident] = []
    for day in range(days):
        told += act(scene, plots, told, day, padded)
        now = begin + day * DAY
        life.day(now)
        people.day(now)
        for product in scene.products.values():
            product.day(now)
        sink.flush(day)
    sink.close()
    labels(Path(out), drawn, sink, told, scene, {"identities": identities, "days": days, "history_days": history_days, "padded": padded, "start": start.isoformat()})


def stage(drawn: Tenant, sink: Sink, identities: int, days: int) -> tuple[Scene, AwsLife, AwsPeople]:
    """The population: two thirds of the identities in AWS, the rest in the other products."""
    rng = Random(f"cast/{drawn.seed}")
    cast = Cast(drawn, rng)
    cast.fill(round(identities * rng.uniform(0.6, 0.7)))
    small = identities / 300 * days / 24
    load = sum(m.runs * len(m.routine) for m in cast.machines + cast.services + cast.vendors if m.rhythm in ("steady", "office"))
    scale = 0.62 * drawn.habits["records"] * small / max(1.0, load * days)
    log = AwsLog(drawn, sink, Random(f"log/{drawn.seed}"))
    products = saas(drawn, sink, identities, 0.0)
    busy = sum(a.runs * len(a.routine) for p in products.values() for a in p.agents if a.kind != "person") * days
    for product in products.values():
        product.scale = 0.25 * drawn.habits["records"] * small / max(1.0, busy)
    scene = Scene(drawn, sink, log, cast, products)
    return scene, AwsLife(drawn, cast, log, Random(f"life/{drawn.seed}"), scale), AwsPeople(drawn, cast, log, Random(f"people/{drawn.seed}"))


def saas(drawn: Tenant, sink: Sink, identities: int, scale: float) -> dict[str, Product]:
    rng = Random(f"saas/{drawn.seed}")
    made: dict[str, Product] = {}
    kinds = {"github": GitHub, "okta": Okta, "gcp": Gcp, "kubernetes": Kubernetes, "vault": Vault, "snowflake": Snowflake}
    for name, kind in kinds.items():
        if name in drawn.products:
            made[name] = kind(drawn, sink, Random(f"{name}/{drawn.seed}"), scale)
    if "entra" in drawn.products:
        mail = M365(drawn, sink, Random(f"m365/{drawn.seed}"), scale)
        made["m365"] = mail
        made["entra"] = Entra(drawn, sink, Random(f"entra/{drawn.seed}"), scale, mail)
    whole = sum(SHARES[n] for n in made)
    for name, product in made.items():
        product.populate(max(4, round(identities * 0.34 * SHARES[name] / whole * rng.uniform(0.7, 1.3))))  # type: ignore[attr-defined]
        product.automate()
    return made


def options(scene: Scene) -> dict[str, str]:
    """Techniques that this tenant's products allow, with their origins."""
    found = {slug: row.origins for slug, row in AWS.items()}
    found.update({slug: row.origins for slug, row in SAAS.items() if row.product in scene.products})
    found.update({slug: origins for slug, origins in STORY_ORIGINS.items() if all(n in scene.products for n in STORY_NEEDS.get(slug, []))})
    return found


def plan(drawn: Tenant, scene: Scene, days: int, history: int, count: int) -> list[Incident]:
    """When, what, from where; about half of each origin, few of them undistinguishable."""
    rng = Random(f"plot/{drawn.seed}")
    allowed = options(scene)
    queue = sorted(allowed)
    rng.shuffle(queue)
    hidden = rng.randint(0, 2) if count >= 22 else 0
    plots: list[Incident] = []
    for n in range(count):
        moment = drawn.start + rng.uniform(history, days - 0.3) * DAY
        if rng.random() < 0.5:    # attackers are not all asleep in office hours
            moment = drawn.start + (int(rng.uniform(history, days)) + rng.uniform(0.3, 0.75)) * DAY
        want = "i" if n % 2 else "e"
        slug = "routine-mimicry" if n % 2 and hidden > n // 2 else next((s for s in queue if want in allowed[s]), rng.choice(sorted(allowed)))
        if slug in queue:
            queue.remove(slug)
        origin = "inside" if want == "i" else "external"
        pace = base.weighted(rng, {"fast": 4.0, "hands": 4.0, "slow": 1.5})
        plots.append(Incident(f"inc-{n + 1:02d}", slug, origin, moment, day=int((moment - drawn.start) // DAY), pace=pace))
    scene.tenant.habits["hidden"] = float(hidden)
    return plots


def act(scene: Scene, plots: list[Incident], told: list[Incident], day: int, padded: bool) -> list[Incident]:
    """Play the incidents that begin on a day; a story without a victim is replaced by another one."""
    done: list[Incident] = []
    allowed = options(scene)
    for incident in plots:
        if incident.day != day:
            continue
        rng = Random(f"attack/{scene.tenant.seed}/{incident.id}")
        for _ in range(12):
            if play(scene, incident, rng, padded):
                done.append(incident)
                break
            incident.technique = rng.choice(sorted(s for s, o in allowed.items() if incident.origin[0] in o))
    return done


def labels(out: Path, drawn: Tenant, sink: Sink, told: list[Incident], scene: Scene, extra: Json) -> None:
    rows: list[Json] = []
    for incident in sorted(told, key=lambda i: i.id):
        records = sink.labels.get(incident.id, [])
        if not records:
            continue
        low, high = sink.spans[incident.id]
        row: Json = {"id": incident.id, "technique": incident.technique, "origin": incident.origin, "identity": incident.identity, "start": base.iso(low), "end": base.iso(high),
                     "distinguishable": incident.distinguishable, "pace": incident.pace, "records": sorted(records)}
        if extra["padded"]:
            row["padding"] = sorted(sink.labels.get(incident.id + "/padding", []))
        rows.append(row)
    names = sorted({p.upn for p in drawn.people} | {p.name for p in drawn.people} | {a.arn for a in scene.cast.people if a.flavour == "user"} | {f"arn:aws:sts::{a.account.id}:assumed-role/{a.name}/{a.person.upn}" for a in scene.cast.people if a.person and a.flavour == "sso"}
                   | {a.name for product in scene.products.values() for a in product.people()})
    world: Json = {"seed": drawn.seed, **extra, "trade": drawn.trade, "corp": drawn.corp, "domain": drawn.domain, "regions": drawn.regions, "accounts": [a.id for a in drawn.accounts], "products": sorted(drawn.products), "habits": {k: round(v, 5) for k, v in sorted(drawn.habits.items())}, "records": dict(sorted(sink.lines.items()))}
    notes: Json = {"padding": "records an attacker made only to hide; the attack's own are under records", "novelty": "habits.novelty is the chance that an ordinary machine does something new on a day"}
    (out / "labels.json").write_text(json.dumps({"world": world, "incidents": rows, "people": names, "notes": notes}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
