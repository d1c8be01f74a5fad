"""What is peculiar to one account: number, regions, names, networks, resources, habits."""

from __future__ import annotations

from dataclasses import dataclass, field

from nhi_watch_lab.simulator import networks
from nhi_watch_lab.simulator.dice import dice
from nhi_watch_lab.tables import lists

WORDS = lists(__file__, "tables.json/words")
_ENVS = [["prod", "staging", "dev"], ["prd", "stg"], ["live", "test"], ["p", "q", "d"]]
_STYLES = [
    lambda w, e, k: f"{w}-{e}-{k}-role",
    lambda w, e, k: f"{e}-{w}-{k}",
    lambda w, e, k: f"{w.title()}{k.title()}{e.title()}Role",
    lambda w, e, k: f"svc-{w}-{k}-{e}",
    lambda w, e, k: f"{k}_{w}_{e}",
]
_REGIONS = list(networks.AWS_EGRESS)


@dataclass
class World:
    """One account; everything follows from the seed."""

    seed: int
    account: str = ""
    org: str = ""
    home: str = ""
    regions: list[str] = field(default_factory=list)
    country: str = ""
    envs: list[str] = field(default_factory=list)
    style: int = 0
    partners: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    office: list[str] = field(default_factory=list)
    vpn: str = ""
    endpoint: str = ""
    eks: str = ""

    def role_name(self, word: str, env: str, kind: str) -> str:
        """A role's name in this account's convention."""
        return str(_STYLES[self.style](word, env, kind))

    def arn(self, service: str, rest: str, region: str = "") -> str:
        """An ARN in this account."""
        return f"arn:aws:{service}:{region}:{self.account}:{rest}"

    @property
    def trail(self) -> str:
        """The ARN of the account's trail."""
        return self.arn("cloudtrail", f"trail/{self.org}-management-events", self.home)


def make_world(seed: int, machines: int) -> World:
    """The account of a seed; resources in proportion to the machines."""
    d = dice(seed, "world")
    world = World(seed, account=f"{d.between(100_000_000_000, 989_999_999_999)}")
    world.org = f"{d.pick(WORDS)}{d.pick(['works', 'labs', 'ware', 'hub', 'ly', 'stack'])}"
    world.home = d.pick(_REGIONS)
    world.regions = [world.home, *d.some([r for r in _REGIONS if r != world.home], d.between(0, 2))]
    world.country = d.pick(list(networks.ISPS))
    world.envs = d.pick(_ENVS)
    world.style = d.between(0, len(_STYLES) - 1)
    world.partners = [f"{d.between(100_000_000_000, 989_999_999_999)}" for _ in range(3)]
    world.office = [networks.address(d, networks.ISPS[world.country]) for _ in range(d.between(1, 2))]
    world.vpn = networks.aws_address(d, world.home) if d.chance(0.5) else networks.address(d, networks.GOOGLE)
    world.endpoint = f"vpce-0{d.hexes(16)}"
    world.eks = d.hexes(32).upper()
    _resources(world, machines)
    return world


def _resources(world: World, machines: int) -> None:
    d = dice(world.seed, "resources")
    count = 12 + machines // 6
    for _ in range(count):
        word, env = d.pick(WORDS), d.pick(world.envs)
        suffix = d.pick(["data", "logs", "uploads", "artifacts", "exports", "backup", "lake", "assets"])
        world.buckets.append(f"{world.org}-{word}-{env}-{suffix}")
        world.secrets.append(
            f"{env}/{word}/{d.pick(['db', 'api-key', 'smtp', 'oauth', 'redis', 'stripe', 'webhook'])}-{d.ident('', 6)}"  # noqa: E501
        )
        world.keys.append(world.arn("kms", f"key/{d.uuid()}", world.home))
        world.instances.append(f"i-0{d.hexes(16)}")
        world.functions.append(
            f"{word}-{env}-{d.pick(['handler', 'worker', 'consumer', 'sync', 'api', 'cron'])}"
        )
        world.databases.append(f"{word}-{env}-db")
