"""What everything else stands on: dice, networks, user agents, and the names and numbers of an account."""

from __future__ import annotations

import hashlib
import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, TypeVar

from nhi_watch_lab.tables import lists, table

# ---- A seeded generator whose draws are the same on every Python from 3.9 on

T = TypeVar("T")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Dice(random.Random):
    """Only `random()` and `getrandbits()` of the base class are used: these two never changed."""

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`, each as likely as the other."""
        return items[int(self.random() * len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """Up to `count` different items, in random order."""
        left = list(items)
        return [left.pop(int(self.random() * len(left))) for _ in range(min(count, len(left)))]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def normal(self) -> float:
        """Standard normal, by Box and Muller, without the base class's hidden state."""
        return math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())

    def lognormal(self, median: float, sigma: float) -> float:
        """Log-normal: the usual shape of volumes."""
        return median * math.exp(sigma * self.normal())

    def poisson(self, mean: float) -> int:
        """Poisson; by the normal approximation from 30 on."""
        if mean > 30:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        limit, product, count = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            count += 1
        return count

    def uuid(self) -> str:
        """Random text in the form of a UUID."""
        text = f"{self.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def hexes(self, length: int) -> str:
        """`length` lower-case hexadecimal digits."""
        return f"{self.getrandbits(4 * length):0{length}x}"

    def ident(self, prefix: str, length: int = 17) -> str:
        """An AWS unique id, as in `AROA…` or `AKIA…`."""
        return prefix + "".join(self.pick(_LETTERS) for _ in range(length))


def dice(*names: object) -> Dice:
    """A generator of its own for whatever `names` name: one thing more does not change another.

    >>> dice(1, "a").between(1, 1000), dice(1, "a").between(1, 1000), dice(1, "b").between(1, 1000)
    (3, 3, 44)
    """
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return Dice(int.from_bytes(digest[:8], "big"))


class Pool(Generic[T]):
    """Items with weights, drawn by bisection."""

    def __init__(self, items: Sequence[T], weights: Sequence[float] | None = None) -> None:
        self.items = list(items)
        self._sums = list(accumulate(weights or [1.0] * len(self.items)))

    def weights(self, total: float) -> list[float]:
        """The weights of all items, scaled so that they sum up to `total`."""
        return [(high - low) * total / self._sums[-1] for low, high in zip([0.0, *self._sums], self._sums)]

    def draw(self, dice: Dice) -> T:
        """One item, as likely as its weight says."""
        return self.items[bisect_right(self._sums, dice.random() * self._sums[-1])]

    @classmethod
    def zipf(cls, items: Sequence[T], exponent: float = 1.0) -> Pool[T]:
        """The first item is the most likely one; long tail."""
        return cls(items, [1 / (rank + 1) ** exponent for rank in range(len(items))])


# ---- public address space of well-known operators, as prefixes of two or three octets; addresses are drawn from it

AWS_EGRESS = table(__file__, "tables.json/aws_egress")
AZURE = "4.227 13.67 13.82 20.1 20.37 20.55 20.83 20.109 20.169 20.232 40.76 40.121 52.226 52.234 52.252"
GOOGLE = "34.66 34.72 34.122 34.136 35.184 35.192 35.222 35.238"
ISPS = table(__file__, "tables.json/isps")
HOSTING = table(__file__, "tables.json/hosting")
VPN = "146.70 37.120.140 37.120.200 89.238.150 89.187.170 156.146.40 138.199.20 185.156.46 194.187.250"
TOR = "185.220.100 185.220.101 185.220.102 109.70.100 199.249.230 171.25.193 23.129.64 185.129.62"
RESIDENTIAL_ABROAD = "14.162 14.180 113.170 27.72 171.240 36.72 36.85 125.163 177.32 187.10 189.60 95.24 178.140"


def address(dice: Dice, prefixes: str) -> str:
    """A random host below one of the blank-separated prefixes.

    >>> address(dice(1), "73.15")
    '73.15.47.24'
    """
    octets = dice.pick(prefixes.split()).split(".")
    while len(octets) < 3:
        octets.append(str(dice.between(0, 255)))
    return ".".join([*octets, str(dice.between(2, 250))])


def neighbour(dice: Dice, host: str) -> str:
    """Another host of the same /24."""
    return f"{host.rsplit('.', 1)[0]}.{dice.between(2, 250)}"


def aws_address(dice: Dice, region: str) -> str:
    """A public EC2 address of the region (or of us-east-1 where none is listed)."""
    return address(dice, AWS_EGRESS.get(region, AWS_EGRESS["us-east-1"]))


def private_address(dice: Dice) -> str:
    """An address within a VPC, as seen behind an interface endpoint."""
    return f"10.{dice.between(0, 60)}.{dice.between(0, 250)}.{dice.between(4, 250)}"


# ---- user-agent strings as the SDKs, tools and browsers of 2024 and 2025 send them

BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
]


def browser(dice: Dice) -> str:
    """A browser of a desktop."""
    return dice.pick(BROWSERS).format(v=dice.between(128, 136))


def boto3(dice: Dice, env: str = "") -> str:
    """Boto3; `env` is the execution environment, as in `AWS_Lambda_python3.12`."""
    minor, patch = dice.between(26, 37), dice.between(0, 160)
    python = dice.pick(["3.9.18", "3.10.14", "3.11.9", "3.12.3"])
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"Boto3/1.{minor}.{patch} md/Botocore#1.{minor}.{patch} ua/2.0 os/linux#5.10.230-223.885.amzn2.x86_64 "
        f"md/arch#x86_64 lang/python#{python} md/pyimpl#CPython{exec_env} cfg/retry-mode#legacy Botocore/1.{minor}.{patch}"
    )


def java(dice: Dice, env: str = "") -> str:
    """AWS SDK for Java 2."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-java/2.{dice.between(20, 30)}.{dice.between(0, 160)} Linux/5.10.230-223.885.amzn2.x86_64 "
        f"OpenJDK_64-Bit_Server_VM/17.0.{dice.between(8, 13)}+7 Java/17.0.{dice.between(8, 13)} "
        f"vendor/Eclipse_Adoptium io/sync http/Apache cfg/retry-mode/legacy{exec_env}"
    )


def golang(dice: Dice, env: str = "") -> str:
    """AWS SDK for Go 2."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-go-v2/1.{dice.between(24, 36)}.{dice.between(0, 5)} os/linux lang/go#1.{dice.between(21, 24)}.{dice.between(0, 9)} "
        f"md/GOOS#linux md/GOARCH#amd64{exec_env}"
    )


def javascript(dice: Dice, env: str = "") -> str:
    """AWS SDK for JavaScript 3."""
    exec_env = f" exec-env/{env}" if env else ""
    return (
        f"aws-sdk-js/3.{dice.between(400, 780)}.0 ua/2.0 os/linux#5.10.230-223.885.amzn2.x86_64 lang/js "
        f"md/nodejs#20.{dice.between(8, 18)}.{dice.between(0, 3)}{exec_env}"
    )


def cli(dice: Dice, system: str = "linux") -> str:
    """AWS CLI 2 on a person's or a server's machine."""
    kernel = {"linux": "linux#6.8.0-45-generic", "mac": "macos#23.6.0", "windows": "windows#10"}[system]
    return (
        f"aws-cli/2.{dice.between(13, 27)}.{dice.between(0, 30)} md/awscrt#0.{dice.between(19, 26)}.{dice.between(0, 9)} "
        f"ua/2.0 os/{kernel} md/arch#{'arm64' if system == 'mac' else 'x86_64'} lang/python#3.11.8 md/pyimpl#CPython "
        "cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#sts.get-caller-identity"
    )


def terraform(dice: Dice) -> str:
    """Terraform's AWS provider."""
    return (
        f"APN/1.0 HashiCorp/1.0 Terraform/1.{dice.between(5, 11)}.{dice.between(0, 7)} (+https://www.terraform.io) "
        f"terraform-provider-aws/5.{dice.between(40, 95)}.0 (+https://registry.terraform.io/providers/hashicorp/aws) "
        f"aws-sdk-go-v2/1.{dice.between(26, 36)}.{dice.between(0, 5)} os/linux lang/go#1.22.7 md/GOOS#linux md/GOARCH#amd64"
    )


def ssm_agent(dice: Dice) -> str:
    """The SSM agent on an instance."""
    return f"aws-sdk-go/1.44.260 (go1.{dice.between(19, 22)}.12; linux; amd64) amazon-ssm-agent/3.3.{dice.between(100, 1900)}.0"


SDKS = [boto3, java, golang, javascript]


# ---- what is peculiar to one account: number, regions, names, networks, resources, habits

WORDS = lists(__file__, "tables.json/words")
_ENVS = [["prod", "staging", "dev"], ["prd", "stg"], ["live", "test"], ["p", "q", "d"]]
_STYLES = [
    lambda w, e, k: f"{w}-{e}-{k}-role",
    lambda w, e, k: f"{e}-{w}-{k}",
    lambda w, e, k: f"{w.title()}{k.title()}{e.title()}Role",
    lambda w, e, k: f"svc-{w}-{k}-{e}",
    lambda w, e, k: f"{k}_{w}_{e}",
]
_REGIONS = list(AWS_EGRESS)


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
    world.country = d.pick(list(ISPS))
    world.envs = d.pick(_ENVS)
    world.style = d.between(0, len(_STYLES) - 1)
    world.partners = [f"{d.between(100_000_000_000, 989_999_999_999)}" for _ in range(3)]
    world.office = [address(d, ISPS[world.country]) for _ in range(d.between(1, 2))]
    world.vpn = aws_address(d, world.home) if d.chance(0.5) else address(d, GOOGLE)
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
        world.functions.append(f"{word}-{env}-{d.pick(['handler', 'worker', 'consumer', 'sync', 'api', 'cron'])}")
        world.databases.append(f"{word}-{env}-db")
