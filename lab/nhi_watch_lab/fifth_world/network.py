"""Address space: office, cloud, hosting, VPN and homes. Blocks are drawn per tenant from public-looking /16s."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

from .chance import Chance
from nhi_watch_lab.tables import lists

POOLS: Dict[str, List[str]] = lists(__file__, "tables.json/pools")
CITIES = [("Frankfurt am Main", "Hesse", "DE", 50.11, 8.68), ("Dublin", "Dublin City", "IE", 53.34, -6.26), ("London", "England", "GB", 51.5, -0.12), ("Ashburn", "Virginia", "US", 39.04, -77.48),
          ("Amsterdam", "North Holland", "NL", 52.37, 4.89), ("Seattle", "Washington", "US", 47.6, -122.33), ("Paris", "Ile-de-France", "FR", 48.85, 2.35), ("Singapore", "", "SG", 1.35, 103.81),
          ("Warsaw", "Mazovia", "PL", 52.22, 21.01), ("Bengaluru", "Karnataka", "IN", 12.97, 77.59), ("Vienna", "Vienna", "AT", 48.2, 16.37), ("Toronto", "Ontario", "CA", 43.65, -79.38)]
ASNS = {"aws": (16509, "amazon.com inc."), "azure": (8075, "microsoft corporation"), "gcp": (15169, "google llc"), "runner": (8075, "microsoft corporation"), "hosting": (14061,
    "digitalocean llc"), "vpn": (212238, "datacamp limited"),
        "home": (3320, "deutsche telekom ag"), "office": (6805, "telefonica germany"), "private": (64512, "private")}


def kind_of(ip: str) -> str:
    front = ".".join(ip.split(".")[:2])
    for name, blocks in POOLS.items():
        if front in blocks:
            return name
    return "private"


def city_of(ip: str) -> Tuple[Any, ...]:
    """One address block always maps to the same town."""
    parts = [int(part) for part in ip.split(".")] if ip[:1].isdigit() else [0, 0]
    return CITIES[(parts[0] * 7 + parts[1] * 3) % len(CITIES)]


class Network:
    """The address plan of one tenant."""

    def __init__(self, rng: Chance) -> None:
        self.offices = [self.address(rng, "office") for _ in range(rng.randint(1, 4))]
        self.vpn_exits = [self.address(rng, rng.pick([("office", 2), ("aws", 1), ("vpn", 1)])) for _ in range(rng.randint(1, 3))]
        self.nats = {pool: [self.address(rng, pool) for _ in range(rng.randint(1, 6))] for pool in ("aws", "azure", "gcp")}
        self.runner_blocks = rng.sample(POOLS["runner"], rng.randint(4, len(POOLS["runner"])))
        self.vpcs = [f"10.{rng.randint(0, 250)}" for _ in range(rng.randint(1, 5))]
        self.vendor_blocks = rng.sample(POOLS["hosting"], 6) + rng.sample(POOLS["aws"], 4) + rng.sample(POOLS["gcp"], 3)
        self.endpoint = "vpce-" + rng.hexs(17)
        self.datacentre = [self.address(rng, "office") for _ in range(rng.randint(1, 3))]

    def address(self, rng: Chance, pool: str) -> str:
        front = rng.choice(POOLS[pool])
        return f"{front}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"

    def draw(self, rng: Chance, net: str) -> str:
        """One address of a named part of the tenant's network."""
        if net in ("vpc", "pod"):
            return f"{rng.choice(self.vpcs)}.{rng.randint(0, 63)}.{rng.randint(4, 250)}"
        if net == "public":
            return self.address(rng, "aws")
        if net in ("nat", "nat-aws"):
            return rng.choice(self.nats["aws"])
        if net == "nat-azure":
            return rng.choice(self.nats["azure"])
        if net == "nat-gcp":
            return rng.choice(self.nats["gcp"])
        if net == "runner":
            return f"{rng.choice(self.runner_blocks)}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"
        if net == "vendor":
            return f"{rng.choice(self.vendor_blocks)}.{rng.randint(0, 255)}.{rng.randint(2, 253)}"
        if net == "dc":
            return rng.choice(self.datacentre)
        if net == "office":
            return rng.choice(self.offices)
        if net == "corpvpn":
            return rng.choice(self.vpn_exits)
        return self.address(rng, net)
