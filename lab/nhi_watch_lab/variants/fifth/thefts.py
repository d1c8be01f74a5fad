"""Misuse of odd identities, and thieves who deploy."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.fifth_world import clients
from nhi_watch_lab.fifth_world.attack import Incident, Planner, _fits
from nhi_watch_lab.fifth_world.model import DAY, Chance, Identity, Place, block, stream
from nhi_watch_lab.fifth_world.techniques import Step, Technique, t
from nhi_watch_lab.fifth_world.world import World
from nhi_watch_lab.variants.fifth.benign import Odd, Release, steps_of
from nhi_watch_lab.variants.fifth.tables import deeds


class Robber(Planner):  # type: ignore[misc, unused-ignore]
    """The family's planner, whose victims are odd identities."""

    def __init__(self, world: World, odd: list[Odd], taken: list[str]) -> None:
        super().__init__(world)
        self.rng = world.streams("robber")
        self.victims, self.taken = [one.who for one in odd], taken

    def _draw(self, origin: str, blind: bool, brief: bool) -> tuple[Technique, Identity] | None:
        """A technique, and an odd identity that it fits; the log has to be able to tell."""
        pool = [item for item in self.techniques if item.origin in (origin, "both") and item.signal != "none"]
        if brief:
            pool = [item for item in pool if sum(step.high for step in item.steps) <= 3]
        free = [who for who in self.victims if who.label not in self.taken]
        for _ in range(25):
            if not free or not pool:
                return None
            who = self.rng.choice(free)
            able = [
                (item, item.weight * 0.3 ** self.drawn.get(item.name, 0))
                for item in pool
                if item.weight and item.product == who.product and _fits(self.world, item, who, origin, self.taken)
            ]
            if able:
                return self.rng.pick(able), who
        return None


# ---- thieves who deploy: the workload steals with its own rights, from its own place


class Rollout(Incident):  # type: ignore[misc, unused-ignore]
    """A malicious version: brought out with a stolen credential from elsewhere, or in the usual deployer's own run."""

    def __init__(self, world: World, release: Release, origin: str, rng: Chance) -> None:
        self.deployer = release.deployer
        product = release.workload.product
        steps = rng.choice([deed for deed in deeds("version") if deed.product == product]).steps
        name = "version_by_thief" if origin == "external" else "version_by_poisoned_pipeline"
        super().__init__(world, t(name, product, *steps, origin=origin), release.workload, origin, rng)

    def _seats(self) -> list[Place]:
        """Where the thief sits: in no block that the deployer ever used."""
        if self.origin == "inside":
            return []
        net, agent = self.rng.choice(["hosting", "vpn", "home", "aws"]), clients.loose(self.who.product, self.rng)
        ip = self.world.tenant.network.address(self.rng, net)
        while block(ip) in self.deployer.nets | self.who.nets:
            ip = self.world.tenant.network.address(self.rng, net)
        return [Place(ip, agent)]

    def _begin(self) -> float:
        tenant = self.world.tenant
        self.run: Place | None = None
        last = min(tenant.end, self.who.gone, self.deployer.gone) - 0.6 * DAY
        runs = [item for item in self.deployer.runs if tenant.cut <= item[0] < last]
        if self.origin == "inside" and runs:
            begun, self.door = self.rng.choice(runs)
            return begun + self.rng.uniform(5, 200)
        time = tenant.cut + self.rng.random() * max(600.0, last - tenant.cut)
        if self.origin == "inside":
            self.door = self.rng.choice(self.deployer.places_at(time))
        else:
            host = self.rng.choice(self.deployer.places_at(time)).host
            session = f"@{time - 30:.0f}|GitHubActions" if self.deployer.auth in ("oidc", "chain") else host
            self.door = self.places[0]._replace(host=session)
        return time

    def place(self, who: Identity, time: float) -> Place:
        """The deployer's door for the deployment; the workload always works at home."""
        if who is self.deployer:
            return self.door
        seats = self.who.places_at(time)
        return seats[self._index(len(seats))] if who is self.who else super().place(who, time)

    def carry_out(self) -> None:
        """The deployment, then what it brought."""
        self.gap, self.world.attacking = self.rng.log_between(1, 25), True
        ahead = (
            ["sts:GetCallerIdentity", "lambda:ListFunctions20150331"]
            if self.who.product == "aws"
            else ["k8s/list deployments.apps"]
        )
        steps: list[tuple[str, dict[str, Any]]] = [(op, {}) for op in ahead if self.origin == "external"]
        for op, args in steps + steps_of(self.who):
            self.call(Step(op, 1, 1, 1.0, 0.0, "", args, ""), self.deployer)
        self.time += self.rng.log_between(20, 9000)
        self.gap = self.rng.log_between(0.5, 240)
        for step in self.technique.steps:
            if self.rng.chance(step.odds):
                for _ in range(self.rng.randint(step.low, step.high)):
                    self.call(step, self.who)
        self.world.attacking = False


def deploying(world: World, found: list[Release], count: int, taken: list[str]) -> list[Incident]:
    """As many malicious versions as can be had; half of them by a thief from elsewhere."""
    rng = world.streams("malicious")
    done: list[Incident] = []
    last = {
        release.workload.label: release
        for release in found
        if release.workload.history and release.workload.gone > world.tenant.end
    }
    for number, release in enumerate(rng.sample(list(last.values()), min(len(last), count))):
        incident = Rollout(
            world, release, "external" if number % 2 == 0 else "inside", stream(world.seed, "malicious", number)
        )
        incident.carry_out()
        if incident.refs:
            taken += [release.workload.label, release.deployer.label]
            done.append(incident)
    return done
