"""What a tenant is made of: ids, user agents, networks, the tenant itself, its clock, and the sink of records."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import string
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Optional, TypeVar

from nhi_watch_lab.tables import table, text

# ---- identifiers and clocks in the forms the products use

Json = dict[str, Any]
T = TypeVar("T")
ALNUM = string.ascii_letters + string.digits
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
DAY = 86400.0


def uuid4(rng: Random) -> str:
    """A random version 4 UUID."""
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) & 3]}{h[17:20]}-{h[20:]}"


def hexa(rng: Random, n: int) -> str:
    return f"{rng.getrandbits(4 * n):0{n}x}"


def pick_chars(rng: Random, alphabet: str, n: int) -> str:
    return "".join(rng.choices(alphabet, k=n))


def digits(rng: Random, n: int) -> str:
    return str(rng.randint(10 ** (n - 1), 10 ** n - 1))


def aws_id(rng: Random, prefix: str, account: str) -> str:
    """AKIA, ASIA, AROA, AIDA... ids; real key ids carry the account in their first bits."""
    head = (1 << 47) | ((int(account) & ((1 << 40) - 1)) << 7) | rng.getrandbits(7)
    body = base64.b32encode(((head << 32) | rng.getrandbits(32)).to_bytes(10, "big")).decode()
    extra = pick_chars(rng, BASE32, 1) if prefix in ("AROA", "AIDA", "ANPA") else ""
    return prefix + body + extra


def b64(rng: Random, n: int) -> str:
    return base64.b64encode(rng.getrandbits(8 * n).to_bytes(n, "big")).decode()


def b64url(rng: Random, n: int) -> str:
    return base64.urlsafe_b64encode(rng.getrandbits(8 * n).to_bytes(n, "big")).decode().rstrip("=")


def iso(t: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def iso_frac(t: float, places: int = 3) -> str:
    """RFC 3339 with a truncated (never rounded up) fraction."""
    frac = f"{int((t - int(t)) * 10 ** 6):06d}"
    more = f"{int(t * 7919) % 1000:03d}"
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(t)) + (frac + more)[:places] + "Z"


def aws_date(t: float) -> str:
    """The date form inside CloudTrail's response elements: `Mar 2, 2026, 4:05:06 PM`."""
    g = time.gmtime(t)
    hour = g.tm_hour % 12 or 12
    half = "AM" if g.tm_hour < 12 else "PM"
    return time.strftime(f"%b {g.tm_mday}, %Y, {hour}:%M:%S {half}", g)


def weighted(rng: Random, items: dict[T, float]) -> T:
    return rng.choices(list(items), weights=list(items.values()))[0]


def some(rng: Random, items: Sequence[T], low: int, high: int) -> list[T]:
    """Between low and high distinct items (fewer when there are not enough)."""
    return rng.sample(list(items), min(len(items), rng.randint(low, high)))


def poisson(rng: Random, mean: float) -> int:
    """A small Poisson draw; the normal approximation is good enough above 30."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, mean ** 0.5)))
    limit, n, product = 2.718281828459045 ** -mean, 0, rng.random()
    while product > limit:
        n, product = n + 1, product * rng.random()
    return n


def okta_id(rng: Random, prefix: str) -> str:
    return prefix + pick_chars(rng, ALNUM, 17 - len(prefix)) + "5d7"


# ---- user agents. People, vendors, machines and attackers draw from the same generators

KERNELS = ["6.1.128-136.201.amzn2023.x86_64", "5.10.234-225.910.amzn2.x86_64", "6.8.0-1021-aws",
           "5.15.0-130-generic", "6.8.0-52-generic", "6.11.0-19-generic", "6.12.13-amd64", "6.6.87.2-microsoft-standard-WSL2",
           "5.15.167.4-microsoft-standard-WSL2", "6.1.0-31-amd64", "4.14.355-275.582.amzn2.x86_64"]
MACS = ["23.6.0", "24.3.0", "24.5.0", "25.1.0"]


def _py(rng: Random) -> str:
    return rng.choice(["3.9.21", "3.10.12", "3.11.11", "3.12.8", "3.12.9", "3.13.2", "3.8.20"])


def cli(rng: Random, os: str = "") -> str:
    """AWS CLI v2, mostly; v1 survives on old hosts."""
    family = os or rng.choice(["linux", "linux", "mac", "win"])
    if family == "linux" and rng.random() < 0.15:
        return f"aws-cli/1.{rng.randint(29, 38)}.{rng.randint(0, 40)} md/Botocore#1.{rng.randint(31, 36)}.{rng.randint(0, 90)} ua/2.0 os/linux#{rng.choice(KERNELS)} md/arch#x86_64 lang/python#{_py(rng)} md/pyimpl#CPython cfg/retry-mode#legacy botocore/1.{rng.randint(31, 36)}.{rng.randint(0, 90)}"
    place = {"linux": f"os/linux#{rng.choice(KERNELS)} md/distrib#{rng.choice(['ubuntu.22', 'ubuntu.24', 'amzn.2023', 'debian.12'])}",
             "mac": f"os/macos#{rng.choice(MACS)}", "win": "os/windows#10"}[family]
    arch = "arm64" if family == "mac" else "x86_64"
    return (f"aws-cli/2.{rng.randint(15, 27)}.{rng.randint(0, 60)} md/awscrt#0.{rng.randint(19, 26)}.{rng.randint(0, 3)} ua/2.0 {place} "
            f"md/arch#{arch} lang/python#{_py(rng)} md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off")


def boto(rng: Random, env: str = "") -> str:
    n = rng.randint(0, 90)
    minor = rng.randint(34, 40)
    extra = f" exec-env/{env}" if env else ""
    return (f"Boto3/1.{minor}.{n} md/Botocore#1.{minor}.{n} ua/2.0 os/linux#{rng.choice(KERNELS)} md/arch#x86_64 "
            f"lang/python#{_py(rng)} md/pyimpl#CPython{extra} cfg/retry-mode#{rng.choice(['legacy', 'standard'])} Botocore/1.{minor}.{n}")


def go2(rng: Random, env: str = "") -> str:
    extra = f" exec-env/{env}" if env else ""
    return (f"aws-sdk-go-v2/1.{rng.randint(24, 36)}.{rng.randint(0, 5)} os/linux lang/go#1.{rng.randint(21, 24)}.{rng.randint(0, 9)} "
            f"md/GOOS#linux md/GOARCH#{rng.choice(['amd64', 'arm64'])}{extra} api/{rng.choice(['sts', 'ec2', 's3', 'ssm'])}#1.{rng.randint(28, 60)}.{rng.randint(0, 9)}")


def go1(rng: Random) -> str:
    return f"aws-sdk-go/1.{rng.randint(44, 55)}.{rng.randint(0, 330)} (go1.{rng.randint(18, 23)}.{rng.randint(0, 12)}; linux; amd64)"


def java2(rng: Random, env: str = "") -> str:
    extra = f" exec-env/{env}" if env else ""
    return (f"aws-sdk-java/2.{rng.randint(20, 31)}.{rng.randint(0, 90)} ua/2.0 os/Linux#{rng.choice(KERNELS)} lang/java#{rng.choice(['17.0.14', '21.0.6', '11.0.26'])} "
            f"md/OpenJDK_64-Bit_Server_VM#{rng.choice(['17.0.14+7-LTS', '21.0.6+7-LTS'])} md/vendor#{rng.choice(['Amazon.com_Inc.', 'Eclipse_Adoptium'])} md/en{extra} cfg/retry-mode#legacy io/sync http/Apache")


def js3(rng: Random, env: str = "") -> str:
    node = rng.choice(["18.20.6", "20.18.2", "22.13.1", "22.14.0"])
    extra = f" exec-env/{env}" if env else ""
    return f"aws-sdk-js/3.{rng.randint(450, 760)}.0 ua/2.1 os/linux#{rng.choice(KERNELS)} lang/js md/nodejs#{node} api/{rng.choice(['s3', 'dynamodb', 'sts', 'secrets-manager'])}#3.{rng.randint(450, 760)}.0{extra} m/E"


def terraform(rng: Random) -> str:
    provider = f"5.{rng.randint(40, 99)}.{rng.randint(0, 1)}"
    return (f"APN/1.0 HashiCorp/1.0 Terraform/1.{rng.randint(5, 11)}.{rng.randint(0, 9)} (+https://www.terraform.io) terraform-provider-aws/{provider} "
            f"(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.{rng.randint(30, 36)}.{rng.randint(0, 5)} ua/2.1 os/linux lang/go#1.23.{rng.randint(3, 9)} md/GOOS#linux md/GOARCH#amd64")


def browser(rng: Random) -> str:
    chrome = rng.randint(131, 145)
    return weighted(rng, {
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36": 4.0,
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36": 4.0,
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{chrome}.0.0.0 Safari/537.36 Edg/{chrome}.0.0.0": 2.0,
        f"Mozilla/5.0 (X11; Linux x86_64; rv:{chrome - 1}.0) Gecko/20100101 Firefox/{chrome - 1}.0": 1.0,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15": 1.0})


def tool(rng: Random) -> str:
    """Odd clients: people's desktop tools, scripts without an SDK, old libraries."""
    return weighted(rng, {f"S3 Browser/{rng.choice(['11.7.5', '12.0.1', '12.4.7'])} (https://s3browser.com)": 1.0,
                          f"python-requests/2.{rng.choice(['28.2', '31.0', '32.3'])}": 2.0, "Go-http-client/1.1": 1.0,
                          f"[Cyberduck/9.{rng.randint(0, 1)}.{rng.randint(0, 4)} (Mac OS X/15.3) (aarch64)]": 1.0,
                          f"rclone/v1.{rng.randint(62, 69)}.{rng.randint(0, 2)}": 1.0, f"curl/8.{rng.randint(4, 12)}.0": 1.0})


def operator_client(rng: Random) -> str:
    """What someone at a keyboard, honest or not, uses against AWS."""
    draw = rng.random()
    if draw < 0.55:
        return cli(rng)
    return boto(rng) if draw < 0.8 else (go2(rng) if draw < 0.87 else tool(rng))


SDKS = {"boto": boto, "go2": go2, "java2": java2, "js3": js3}


def sdk(rng: Random, env: str = "") -> str:
    name = weighted(rng, {"boto": 4.0, "go2": 2.0, "java2": 2.0, "js3": 2.0})
    return SDKS[name](rng, env)


def script_client(rng: Random) -> str:
    """Clients of web APIs outside AWS."""
    return weighted(rng, {f"python-requests/2.{rng.choice(['28.2', '31.0', '32.3'])}": 3.0, f"axios/1.{rng.randint(4, 8)}.{rng.randint(0, 6)}": 1.0,
                          "Go-http-client/2.0": 2.0, f"okhttp/4.{rng.randint(9, 12)}.0": 1.0, f"curl/8.{rng.randint(4, 12)}.0": 1.0,
                          f"Python/3.{rng.randint(10, 13)} aiohttp/3.{rng.randint(8, 11)}.{rng.randint(0, 9)}": 1.0})


def git(rng: Random) -> str:
    return weighted(rng, {f"git/2.{rng.randint(34, 48)}.{rng.randint(0, 4)}": 5.0, f"git/2.{rng.randint(39, 48)}.{rng.randint(0, 3)} (Apple Git-154)": 2.0,
                          "JGit/6.10.0.202406032230-r": 0.5, f"git/2.{rng.randint(40, 48)}.1.windows.1": 1.0})


GCP_CLIENTS: dict[str, float] = {"google-cloud-sdk gcloud": 2.0, "google-api-go-client": 3.0, "python": 3.0, "java": 1.0, "terraform": 1.0}


def gcp(rng: Random) -> str:
    kind = weighted(rng, GCP_CLIENTS)
    return {"google-cloud-sdk gcloud": f"google-cloud-sdk gcloud/{rng.randint(480, 512)}.0.0 command/gcloud.invocation-id/{uuid4(rng).replace('-', '')} environment/None environment-version/None client-os/LINUX client-os-ver/{rng.choice(KERNELS)} interactive/False from-script/True python/3.11.9 term/dumb,gzip(gfe)",
            "google-api-go-client": f"google-api-go-client/0.5 gax-go/2.{rng.randint(11, 14)}.0 gl-go/1.{rng.randint(20, 24)}.{rng.randint(0, 9)},gzip(gfe)",
            "python": f"gl-python/3.{rng.randint(9, 12)}.{rng.randint(0, 9)} grpc/1.{rng.randint(58, 70)}.0 gax/2.{rng.randint(15, 24)}.0 gccl/2.{rng.randint(10, 19)}.0,gzip(gfe)",
            "java": f"gcloud-java/2.{rng.randint(30, 49)}.0 Google-API-Java-Client/2.{rng.randint(2, 7)}.0 Google-HTTP-Java-Client/1.{rng.randint(43, 46)}.0 (gzip),gzip(gfe)",
            "terraform": f"Terraform/1.{rng.randint(5, 11)}.{rng.randint(0, 9)} (+https://www.terraform.io) Terraform-Plugin-SDK/2.{rng.randint(30, 36)}.0 terraform-provider-google/6.{rng.randint(1, 22)}.0,gzip(gfe)"}[kind]


# ---- networks that requests come from: real operators' published ranges, drawn addresses

# operator: kind, ASN, name, country, state, city, latitude, longitude, prefixes
_TABLE = text(__file__, "net.txt")


@dataclass
class Place:
    """Where an identity calls from: a pool of addresses, and how often a fresh one appears."""
    operator: str
    kind: str
    asn: int
    org: str
    country: str
    state: str
    city: str
    lat: float
    lon: float
    nets: list[str]
    pool: list[str] = field(default_factory=list)
    fresh: float = 0.0
    moves: list[tuple[float, list[str]]] = field(default_factory=list)

    def at(self, t: float) -> list[str]:
        """The pool in use at a time (NAT gateways are replaced now and then)."""
        pool = self.pool
        for when, new in self.moves:
            if t >= when:
                pool = new
        return pool

    def address(self, rng: Random) -> str:
        return f"{rng.choice(self.nets)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"

    def ip(self, rng: Random, t: float, lane: Optional[int] = None) -> str:
        pool = self.at(t)
        if not pool or (self.fresh and rng.random() < self.fresh):
            return self.address(rng)
        return pool[lane % len(pool)] if lane is not None else rng.choice(pool)


def _parse() -> dict[str, tuple[str, int, str, str, str, str, float, float, list[str]]]:
    rows = {}
    for line in _TABLE.strip().splitlines():
        f = line.split("|")
        rows[f[0]] = (f[1], int(f[2]), f[3], f[4], f[5], f[6], float(f[7]), float(f[8]), f[9].split())
    return rows


_ROWS = _parse()


def place(rng: Random, operator: str, size: int = 1, fresh: float = 0.0) -> Place:
    """A pool of `size` addresses at an operator; size 0 means every request is from a new one."""
    kind, asn, org, country, state, city, lat, lon, nets = _ROWS[operator]
    made = Place(operator, kind, asn, org, country, state, city, lat, lon, nets, [], fresh)
    made.pool = [made.address(rng) for _ in range(size)]
    return made


def operators(*kinds: str) -> list[str]:
    return [name for name, row in _ROWS.items() if row[0] in kinds]


def aws_operator(region: str) -> str:
    name = "aws-" + region
    return name if name in _ROWS else "aws-us-east-2"


def private_ip(rng: Random) -> str:
    return f"10.{rng.randint(0, 60)}.{rng.randint(0, 255)}.{rng.randint(4, 254)}"


# ---- draws a tenant: trade, size, naming, accounts, regions, networks, products, habits

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


# ---- when things happen: rhythms of machines and of people

def weekday(t: float) -> int:
    return time.gmtime(t).tm_wday


def monthday(t: float) -> int:
    return time.gmtime(t).tm_mday


def office_time(tenant: Tenant, rng: Random, day: float) -> float:
    """A moment in the tenant's working day, sometimes late."""
    hour = rng.gauss(13.2, 2.7) if rng.random() < 0.93 else rng.uniform(0, 24)
    return day + ((hour - tenant.offset) * 3600.0) % DAY + rng.random()


def works(tenant: Tenant, rng: Random, day: float) -> bool:
    return rng.random() < (tenant.habits["weekend"] if weekday(day) >= 5 else 0.88)


def starts(tenant: Tenant, rng: Random, rhythm: str, runs: float, phase: float, day: float) -> list[float]:
    """The moments of a day at which a machine's routine begins."""
    if rhythm == "night":
        base = day + ((1.0 + 5 * phase - tenant.offset) * 3600.0) % DAY
        return [base + i * 3600.0 + rng.uniform(0, 240) for i in range(max(1, round(runs)))]
    if rhythm == "weekly":
        return [day + ((phase * 24) * 3600.0) % DAY + rng.uniform(0, 60)] if weekday(day) == int(phase * 70) % 7 else []
    if rhythm == "monthly":
        return [day + phase * 80000.0 + rng.uniform(0, 900)] if monthday(day) == 1 + int(phase * 270) % 27 else []
    if rhythm == "office":
        level = runs * (0.25 if weekday(day) >= 5 else 1.0) * rng.lognormvariate(0, 0.5)
        return sorted(office_time(tenant, rng, day) if rng.random() < 0.75 else day + rng.uniform(0, DAY) for _ in range(poisson(rng, level)))
    return _steady(rng, runs, phase, day)


def _steady(rng: Random, runs: float, phase: float, day: float) -> list[float]:
    """A timer with jitter, for most; machines fed by traffic are irregular."""
    if phase < 0.65:
        count = max(1, round(runs))
        step = DAY / count
        return [day + (i + phase * 7 % 1.0) * step + rng.uniform(0, min(step * 0.1, 20)) for i in range(count)]
    wave = [day + rng.uniform(0, DAY) for _ in range(poisson(rng, runs))]
    return sorted(t for t in wave if rng.random() < 0.75 + 0.25 * math.sin(t / DAY * 2 * math.pi + phase * 6))


# ---- collects records, writes each product's file in order of time, keeps the labels

Row = tuple[float, int, str, str]


class Sink:
    """Buckets by day, so that memory holds about a day and lines get their numbers in order."""

    def __init__(self, out: Path, start: float, days: int) -> None:
        self.folder = out / "events"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start, self.end = start, start + days * DAY
        self.tag = ""                       # set while an attacker acts; benign life leaves it empty
        self.labels: dict[str, list[tuple[str, int]]] = {}
        self.spans: dict[str, tuple[float, float]] = {}
        self.lines: dict[str, int] = {}
        self._buckets: dict[int, dict[str, list[Row]]] = {}
        self._files: dict[str, io.BufferedWriter] = {}
        self._zips: dict[str, gzip.GzipFile] = {}
        self._seq = 0
        self._done = -1

    def add(self, product: str, t: float, record: Json, tag: Optional[str] = None) -> None:
        """Keep a record unless it lies outside of the world's time."""
        day = int((t - self.start) // DAY)
        if not self.start <= t < self.end or day <= self._done:
            return
        self._seq += 1
        row = (t, self._seq, json.dumps(record, separators=(",", ":"), ensure_ascii=False), self.tag if tag is None else tag)
        self._buckets.setdefault(day, {}).setdefault(product, []).append(row)

    def flush(self, day: int) -> None:
        """Write everything of a day; later records for it are lost."""
        for product, rows in sorted(self._buckets.pop(day, {}).items()):
            rows.sort(key=lambda r: (r[0], r[1]))
            self._write(product, rows)
        self._done = day

    def _write(self, product: str, rows: list[Row]) -> None:
        name, out = product + ".ndjson.gz", self._open(product)
        for t, _, line, tag in rows:
            out.write(line.encode() + b"\n")
            self.lines[product] = number = self.lines.get(product, 0) + 1
            if tag:
                self.labels.setdefault(tag, []).append((name, number))
                low, high = self.spans.get(tag, (t, t))
                self.spans[tag] = (min(low, t), max(high, t))

    def _open(self, product: str) -> gzip.GzipFile:
        if product not in self._zips:
            raw = open(self.folder / (product + ".ndjson.gz"), "wb")
            self._files[product] = raw
            # an empty name and mtime 0 keep the bytes the same from run to run
            self._zips[product] = gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=raw, mtime=0)
        return self._zips[product]

    def close(self) -> None:
        for product, zipped in self._zips.items():
            zipped.close()
            self._files[product].close()
