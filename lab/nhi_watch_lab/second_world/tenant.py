# ruff: noqa: E501
"""Draws a tenant: trade, size, naming, accounts, regions, networks, products, habits."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from nhi_watch_lab.second_world.ids import Json, digits, hexa, some, uuid4, weighted
from nhi_watch_lab.second_world.net import Place, aws_operator, operators, place
from nhi_watch_lab.tables import table

TRADES = table(__file__, "tables.json/trades")
FIRST = ("anna ben carla david elena felix grace hugo irene jonas kira liam mara nils olga paul quinn rosa simon tara "
         "uma victor wendy xavier yara zoe amir bea chen dana emre fatima goran hana ivan jana kofi lena mateo nadia "
         "oscar priya rafael sara tomas ursula vikram willa yusuf zara").split()
LAST = ("adams becker costa dubois evans fischer garcia hansen ito jansen kowalski larsen meyer novak okafor patel quist "
        "rossi schmidt tanaka ueda varga weber xu young zhang ali berg cohen diaz eriksen flores gupta huber ivanova jung "
        "khan lopez moretti nguyen olsen petrov reyes silva turner vogel wang yilmaz").split()
CORPS = ("northwind brightwater kestrel halden orbis marlowe tessera vantage quillon arbor solenne cobalt meridian fjord "
         "lumen pelican harrow zephyr castell dovetail").split()
REGIONS = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "eu-west-2", "ap-southeast-2", "ap-northeast-1"]
OFFSETS = {"us-east-1": -5, "us-east-2": -5, "us-west-2": -8, "eu-west-1": 0, "eu-central-1": 1, "eu-west-2": 0, "ap-southeast-2": 10, "ap-northeast-1": 9}
OFFICES = {"us": ["level3-office", "cogent-office"], "eu": ["colt-office", "versatel-office"], "ap-southeast": ["telstra-office"], "ap-northeast": ["ocn-office"]}
HOMES = {"us": ["comcast", "att", "charter"], "eu": ["dtag", "bt", "orange", "telia"], "ap-southeast": ["telstra-home", "telstra-home", "airtel"], "ap-northeast": ["ocn-home"]}
MOBILES = {"us": ["verizon-mobile", "tmobile-us"], "eu": ["o2-mobile", "vodafone-mobile"], "ap-southeast": ["optus"], "ap-northeast": ["docomo"]}


@dataclass
class Account:
    id: str
    name: str
    env: str
    pools: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Person:
    name: str
    upn: str
    login: str
    home: Place
    mobile: Place
    browser: str
    ids: Json
    night: bool = False


@dataclass
class Tenant:
    seed: int
    rng: Random
    trade: str
    corp: str
    domain: str
    words: list[str]
    sep: str
    style: str
    regions: list[str]
    accounts: list[Account]
    products: set[str]
    offset: int
    office: Place
    vpn: Place
    runners: Place
    people: list[Person]
    start: float
    days: int
    habits: dict[str, float]
    directory: str = ""
    partners: list[str] = field(default_factory=list)
    nats: dict[str, Place] = field(default_factory=dict)

    def name(self, *parts: str) -> str:
        """A resource or identity name in the tenant's own style."""
        bits = [p for p in parts if p]
        if self.style == "camel":
            return "".join(b[:1].upper() + b[1:] for p in bits for b in p.replace("_", "-").split("-"))
        return self.sep.join(bits)

    def nat(self, account: Account, region: str) -> Place:
        """The NAT gateways of an account in a region."""
        key = f"{account.id}/{region}"
        if key not in self.nats:
            made = place(self.rng, aws_operator(region), self.rng.randint(1, 3))
            if self.rng.random() < self.habits["nat_moves"]:
                when = self.start + self.rng.uniform(0.2, 0.98) * self.days * 86400
                made.moves.append((when, [made.address(self.rng) for _ in range(self.rng.randint(1, 3))]))
            self.nats[key] = made
        return self.nats[key]


def _habits(rng: Random) -> dict[str, float]:
    """How awkward this tenant's ordinary life is."""
    return {"novelty": 10 ** rng.uniform(-3.0, -1.3), "nat_moves": rng.uniform(0.02, 0.4), "upgrades": rng.uniform(0.02, 0.3),
            "births": rng.uniform(0.01, 0.08), "deaths": rng.uniform(0.01, 0.06), "deploys": rng.uniform(0.3, 3.0), "admin": rng.uniform(0.2, 1.2),
            "hurry": rng.uniform(0.01, 0.08), "debug": rng.uniform(0.005, 0.05), "remote": rng.uniform(0.15, 0.7), "travel": rng.uniform(0.005, 0.04),
            "denied": rng.uniform(0.0, 0.03), "dynamodb_data": float(rng.random() < 0.4), "lambda_data": float(rng.random() < 0.4),
            "records": 10 ** rng.uniform(4.9, 5.25), "weekend": rng.uniform(0.02, 0.2), "rotation": rng.uniform(0.0, 0.03)}


def _products(rng: Random) -> set[str]:
    found = {"cloudtrail", "github"}
    if rng.random() < 0.85:
        found |= {"entra", "m365"}
    if rng.random() < 0.6 or "entra" not in found:
        found.add("okta")
    for product, chance in (("gcp", 0.7), ("kubernetes", 0.85), ("vault", 0.5), ("snowflake", 0.5)):
        if rng.random() < chance:
            found.add(product)
    return found


def person(rng: Random, domain: str, zone: str, taken: set[str]) -> Person:
    """A human: home and mobile networks, a browser, ids in the products."""
    while True:
        first, last = rng.choice(FIRST), rng.choice(LAST)
        if first + last not in taken:
            taken.add(first + last)
            break
    login = weighted(rng, {first[0] + last: 2.0, f"{first}-{last}": 2.0, f"{first}{last}": 1.0, f"{last}{rng.randint(1, 99)}": 0.5})
    from nhi_watch_lab.second_world.agents import browser
    ids: Json = {"entra": uuid4(rng), "github": rng.randint(20000, 190000000), "okta": hexa(rng, 12), "puid": "1003200" + hexa(rng, 9).upper()}
    return Person(f"{first.title()} {last.title()}", f"{first}.{last}@{domain}", login, place(rng, rng.choice(HOMES[zone]), 1, 0.02),
                  place(rng, rng.choice(MOBILES[zone]), 3, 0.5), browser(rng), ids, rng.random() < 0.12)


def _accounts(rng: Random, corp: str) -> list[Account]:
    envs = ["prod", "dev"] + some(rng, ["stage", "data", "security", "shared", "sandbox", "ml"], 0, 4)
    return [Account(digits(rng, 12), f"{corp}-{env}", env) for env in envs]


def draw(seed: int, identities: int, days: int, start: float) -> Tenant:
    """The tenant of a seed."""
    rng = Random(f"second-world/{seed}")
    trade, corp = rng.choice(sorted(TRADES)), rng.choice(CORPS)
    home = rng.choice(REGIONS)
    zone = "-".join(home.split("-")[:2]) if home.startswith("ap") else home.split("-")[0]
    domain = corp + rng.choice([".com", ".io", ".eu", "-group.com", "labs.net", ".co"])
    regions = [home] + some(rng, [r for r in REGIONS if r != home], 0, 3)
    style = rng.choice(["sep", "sep", "camel"])
    taken: set[str] = set()
    people = [person(rng, domain, zone, taken) for _ in range(max(6, round(identities * rng.uniform(0.13, 0.22))))]
    vpn = place(rng, aws_operator(home) if rng.random() < 0.5 else rng.choice(OFFICES[zone]), rng.randint(1, 3))
    made = Tenant(seed, rng, trade, corp, domain, TRADES[trade].split(), rng.choice(["-", "-", "_"]), style, regions, _accounts(rng, corp), _products(rng),
                  OFFSETS[home], place(rng, rng.choice(OFFICES[zone]), rng.randint(1, 4)), vpn, place(rng, "azure-runner", 0), people, start, days, _habits(rng))
    made.directory = uuid4(rng)
    made.partners = [digits(rng, 12) for _ in range(rng.randint(3, 7))]
    return made


def outside(rng: Random, tenant: Tenant) -> Place:
    """Where somebody without the tenant's networks calls from (attackers, testers, new vendors)."""
    kind = weighted(rng, {"hosting": 4.0, "vpn": 2.5, "tor": 0.7, "residential": 2.0, "aws": 1.5, "cloud": 1.0, "mobile": 0.6})
    return place(rng, rng.choice(operators(kind)), rng.choice([1, 1, 1, 2, 5]), rng.choice([0.0, 0.0, 0.05, 0.4]))
