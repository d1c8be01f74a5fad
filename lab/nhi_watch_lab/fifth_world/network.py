"""Address space: office, cloud, hosting, VPN and homes. Blocks are drawn per tenant from public-looking /16s."""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

from .chance import Chance

POOLS: Dict[str, List[str]] = {
    "aws": ["3.64", "3.120", "18.156", "18.194", "34.192", "34.224", "35.158", "44.192", "44.224", "52.28", "52.58", "52.200", "54.72", "54.93", "54.161", "54.220", "63.32", "99.80"],
    "azure": ["4.180", "13.69", "13.95", "20.54", "20.76", "20.105", "20.166", "40.68", "40.74", "40.113", "51.105", "51.124", "52.166", "52.232", "104.45"],
    "gcp": ["34.77", "34.78", "34.90", "34.141", "34.147", "35.187", "35.189", "35.195", "35.204", "35.233", "104.155", "104.199"],
    "runner": ["4.150", "4.227", "13.64", "13.83", "20.29", "20.42", "20.57", "20.94", "20.109", "20.161", "20.172", "40.76", "40.84", "52.151", "52.159", "52.250", "64.236", "68.220",
        "172.176", "172.183"],
    "hosting": ["5.75", "45.55", "46.101", "51.15", "65.108", "65.21", "78.46", "88.99", "95.216", "104.248", "128.199", "134.209", "135.181", "138.68", "139.59", "142.93", "157.90",
        "159.65", "159.89", "161.35", "162.55", "164.92", "165.22",
                "167.99", "167.235", "168.119", "178.62", "188.166", "193.70", "206.189", "207.154"],
    "vpn": ["37.19", "45.83", "66.115", "84.17", "89.187", "91.193", "138.199", "143.244", "146.70", "149.22", "154.47", "156.146", "169.150", "185.156", "185.213", "193.32", "194.127",
        "212.102", "217.138"],
    "home": ["2.201", "24.16", "31.16", "46.5", "62.178", "67.161", "71.198", "73.92", "76.102", "77.12", "79.193", "81.154", "84.115", "86.12", "87.122", "91.64", "93.104", "95.90",
        "98.207", "109.192", "176.199", "188.98", "212.186", "217.226"],
    "office": ["62.96", "80.120", "85.115", "91.112", "145.253", "193.158", "194.25", "195.145", "198.147", "204.77", "212.62", "213.61"],
}
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
