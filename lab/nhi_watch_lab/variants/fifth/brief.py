"""A tenant's first file in which a theft is one to five calls by hand, and deployments make the same calls in dozens."""

from __future__ import annotations

from nhi_watch_lab.fifth_world import clients
from nhi_watch_lab.fifth_world.attack import Incident
from nhi_watch_lab.fifth_world.model import DAY, HOUR, Chance, Identity, Place, stream
from nhi_watch_lab.fifth_world.techniques import Technique
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth import benign, first
from nhi_watch_lab.variants.fifth.first import Plan, Raid
from nhi_watch_lab.variants.fifth.tables import Calling, callings, deeds

BASE = 950_000
"""Its tenants are none of the family's other ones."""
CARRIED = {"user", "token", "pat", "sp", "gkey", "keypair", "password", "approle", "client"}
"""Credentials that work wherever they are brought."""
DEPLOYERS = ("opentofu", "pulumi", "rollout", "entracode", "oktacode", "orgcode", "bicep")
SHELLS = {
    "aws": [("awscli", 6.0), ("boto3", 2.0), ("gosdk", 0.6)], "kubernetes": [("kubectl", 4.0), ("curl", 1.0)],
    "gcp": [("gcloud", 4.0), ("gpython", 1.0)], "azure": [("azcli", 4.0), ("requests", 1.0)],
    "entra": [("azcli", 3.0), ("requests", 2.0)], "github": [("ghcli", 3.0), ("curl", 2.0), ("git", 1.0)],
}  # fmt: skip
NETS = [("home", 0.42), ("hosting", 0.22), ("vpn", 0.18), ("aws", 0.08), ("tor", 0.1)]


def make(seed: int) -> tuple[World, list[Incident]]:
    """The world of a seed, and its incidents."""
    rng = stream("brief file", seed)
    seconds = rng.choice([rng.log_between(600, 2 * HOUR), rng.log_between(2 * HOUR, DAY)])
    wanted = first.plan(rng)._replace(
        seconds=seconds, attacks=rng.pick([(0, 3.0), (1, 5.0), (2, 1.5)]), busy=rng.pick([(0, 6.0), (1, 1.0)]),
        strange=0.06,
    )  # fmt: skip
    wanted = wanted._replace(machines=max(wanted.machines, rng.randint(1, 12)))
    world, done = first.made(wanted, BASE + seed, rng, lambda world, at, done: _play(world, seed, at, done))
    if rng.chance(0.15):
        _deploy(world, wanted, stream(seed, "brief deployment"))
    return world, done


def _play(world: World, seed: int, number: int, done: list[Incident]) -> Incident | None:
    rng = stream(seed, "brief raid", number)
    victim = _victim(world, rng, [one.who.label for one in done])
    if victim is None:
        return None
    technique = _technique(world, victim, rng, [one.technique.name for one in done])
    if technique is None:
        return None
    incident = Short(world, technique, victim, "external" if rng.chance(0.9) else "inside", rng, brief=True)
    incident.carry_out()
    return incident if incident.refs else None


def _deploy(world: World, wanted: Plan, rng: Chance) -> None:
    """Someone applies all of a stack: severe acts are among its dozens of calls."""
    able = [c for c in callings() if c.product in wanted.products and c.name in DEPLOYERS]
    taken = {who.name.lower().replace("_", "-"): 1 for who in world.machines}
    for one in benign.hire(world, [rng.choice(able)], rng, taken) if able else []:
        begin = world.tenant.start + rng.random() * wanted.seconds
        benign.Work(world, one, rng).session(begin, int(rng.log_between(6, 30)))


def _victim(world: World, rng: Chance, robbed: list[str]) -> Identity | None:
    """A machine whose credential works anywhere, at times one that nobody else uses in the file."""
    able = [who for who in world.machines if who.auth in CARRIED and who.label not in robbed]
    others = [who for who in world.machines if who.auth in ("ec2", "lambda", "ecs", "sa") and who.label not in robbed]
    if others and rng.chance(0.2):
        return rng.choice(others)
    if not able or rng.chance(0.3):
        fit: list[Calling] = [c for c in callings() if c.product in world.tenant.products and set(c.auth) & CARRIED]
        able = [one.who for one in benign.hire(world, [rng.choice(fit)], rng, {})] if fit else able
        able = [who for who in able if who.auth in CARRIED] or able
    return rng.choice(able) if able else None


def _technique(world: World, who: Identity, rng: Chance, played: list[str]) -> Technique | None:
    seen = bool(world.tenant.habits["data_events"])
    fit = [t for t in deeds("brief") if t.product == who.product and t.name not in played and (seen or not t.data)]
    return rng.choice(fit) if fit else None


class Short(Raid):
    """An incident of a few calls from a command line."""

    def _seats(self) -> list[Place]:
        if self.origin == "inside":
            return []
        rng, product = self.rng, self.who.product
        agent = clients.make(rng.pick(SHELLS[product]), rng) if product in SHELLS else clients.loose(product, rng)
        net = rng.pick(NETS)
        ip = f"{rng.choice(first.TOR)}.{rng.randint(2, 253)}" if net == "tor" else self._elsewhere(net)
        return [Place(ip, agent)]
