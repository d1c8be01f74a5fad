"""What everything else stands on: dice, identities and events, networks, clients."""

import math
import random
from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Sequence, Tuple, TypeVar

from nhi_watch_lab.tables import lists

# ---- seeded randomness that gives the same draws on every Python from 3.9 on

T = TypeVar("T")
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Dice(random.Random):
    """A random.Random seeded with a string, with the draws this package needs."""

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def early(self, items: Sequence[T]) -> T:
        """Pick with a preference for the first ones: things are used unevenly."""
        return items[int(self.random() ** 2.5 * len(items))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def some(self, items: Sequence[T], count: int) -> List[T]:
        pool = list(items)
        self.shuffle(pool)
        return pool[: max(0, count)]

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def wide(self, low: float, high: float) -> float:
        """Log-uniform: every order of magnitude is as likely."""
        return math.exp(self.between(math.log(low), math.log(high)))

    def around(self, median: float, sigma: float) -> float:
        return median * math.exp(self.gauss(0.0, sigma))

    def count(self, mean: float) -> int:
        """Poisson, by a normal approximation when the mean is large."""
        if mean > 30:
            return max(0, int(round(self.gauss(mean, math.sqrt(mean)))))
        limit, product, n = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            n += 1
        return n

    def weighted(self, table: Dict[str, float]) -> str:
        left = self.random() * sum(table.values())
        for name, weight in table.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(table))

    def hexes(self, n: int) -> str:
        return f"{self.getrandbits(4 * n):0{n}x}"

    def digits(self, n: int) -> str:
        return f"{int(self.random() * 9) + 1}" + "".join(self.pick("0123456789") for _ in range(n - 1))

    def base32(self, n: int) -> str:
        bits = self.getrandbits(5 * n)
        return "".join(BASE32[(bits >> (5 * i)) & 31] for i in range(n))

    def alnum(self, n: int) -> str:
        return "".join(self.pick(ALNUM) for _ in range(n))

    def uuid(self) -> str:
        h = self.hexes(32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(self.random() * 4)]}{h[17:20]}-{h[20:]}"


def split(total: int, shares: Sequence[Tuple[str, float]]) -> Dict[str, int]:
    """Whole numbers that add up to the total, in proportion to the shares."""
    weight = sum(share for _, share in shares)
    out: Dict[str, int] = {}
    left, rest = total, weight
    for name, share in shares:
        out[name] = int(round(left * share / rest)) if rest > 0 else 0
        left, rest = left - out[name], rest - share
    return out


# ---- the types: who acts, from where, with what, and one thing done

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
PRODUCTS = ("cloudtrail", "okta", "entra", "m365", "gcp", "github", "kubernetes", "snowflake", "vault")


class Source(NamedTuple):
    """An address as the provider sees it."""

    ip: str
    country: str
    city: str
    org: str
    vpce: str = ""


class Session(NamedTuple):
    """Temporary credentials, or the standing in for them outside of AWS."""

    name: str
    key: str
    start: int
    how: str  # role, key, console, sso, web, service, token


@dataclass
class Principal:
    """One identity of one product, human or not."""

    product: str
    kind: str
    name: str
    id: str
    account: str
    human: bool = False
    extra: Dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name under which the identity appears in its log."""
        if self.product != "cloudtrail":
            return self.name
        if self.kind == "user":
            return f"arn:aws:iam::{self.account}:user/{self.name}"
        return f"arn:aws:iam::{self.account}:role/{self.extra.get('path', '')}{self.name}"


class Event(NamedTuple):
    """Something done; tag is -1, or twice the incident's number, plus one for padding."""

    t: int
    who: Principal
    call: str
    args: Dict[str, str]
    error: str
    source: Source
    agent: str
    session: Session
    tag: int


@dataclass
class Place:
    """Where calls come from: a style and the addresses behind it."""

    style: str
    fixed: List[Source] = field(default_factory=list)
    hosts: int = 1
    life: int = 30 * DAY


@dataclass
class Rhythm:
    style: str
    per_day: float
    hour: float = 3.0
    weekday: int = 0
    monthday: int = 1


class Change(NamedTuple):
    """From this moment on the machine has another client, place or mix."""

    t: int
    what: str
    agent: str
    place: Place
    calls: Tuple[str, ...]


@dataclass
class Machine:
    """A non-human identity and its way of life."""

    who: Principal
    kind: str
    agent: str
    place: Place
    rhythm: Rhythm
    volume: float
    mix: List[Tuple[str, float]]
    rare: List[str]
    session: str
    span: int
    region: str
    born: int
    dies: int
    ordered: bool = True
    failing: float = 0.0
    novelty: float = 0.01
    slots: Dict[str, List[str]] = field(default_factory=dict)
    changes: List[Change] = field(default_factory=list)
    debugged: bool = False


@dataclass
class Person:
    """A human with an identity in several products."""

    name: str
    upn: str
    job: str
    shift: float
    home: Source
    vpn: bool
    diligence: float
    ids: Dict[str, Principal]
    agents: Dict[str, str]
    style: str
    slots: Dict[str, List[str]] = field(default_factory=dict)


# ---- address space by kind of network: public knowledge about who announces what

Block = Tuple[str, str, str, str]


def _blocks(org: str, text: str) -> List[Block]:
    rows = [row.split(None, 2) for row in text.strip().split(";")]
    return [(prefix, country, city.strip(), org) for prefix, country, city in rows]


AWS = _blocks("Amazon.com, Inc.", "3.80 US Ashburn;3.236 US Ashburn;18.207 US Ashburn;34.229 US Ashburn;52.23 US Ashburn;54.159 US Ashburn;"
              "18.216 US Columbus;3.16 US Columbus;34.212 US Boardman;52.36 US Boardman;52.30 IE Dublin;54.77 IE Dublin;"
              "3.120 DE Frankfurt;18.184 DE Frankfurt;13.54 AU Sydney;13.229 SG Singapore")
REGION_CITY = {"us-east-1": "Ashburn", "us-east-2": "Columbus", "us-west-2": "Boardman", "eu-west-1": "Dublin",
               "eu-central-1": "Frankfurt", "ap-southeast-2": "Sydney", "ap-southeast-1": "Singapore"}
KINDS: Dict[str, List[Block]] = {
    "aws": AWS,
    "azure": _blocks("Microsoft Corporation", "20.42 US Boydton;20.81 US Boydton;40.76 US Washington;52.168 US Boydton;4.227 US Phoenix;"
                     "20.106 US Des Moines;172.183 US Boydton;20.54 IE Dublin;20.50 NL Amsterdam;13.80 NL Amsterdam"),
    "gcp": _blocks("Google LLC", "34.68 US Council Bluffs;35.192 US Council Bluffs;34.75 US North Charleston;35.233 BE Brussels;34.89 DE Frankfurt"),
    "isp": _blocks("Lumen Technologies", "63.147 US Denver;65.152 US Dallas;67.134 US Chicago;8.36 US New York")
    + _blocks("BT Business", "81.149 GB London;109.144 GB Leeds") + _blocks("Deutsche Telekom Business", "80.146 DE Munich;62.156 DE Berlin")
    + _blocks("Telstra Enterprise", "203.41 AU Sydney"),
    "home": _blocks("Comcast Cable", "73.162 US San Jose;98.207 US Denver;24.128 US Boston;67.180 US Sacramento")
    + _blocks("Verizon Fios", "71.183 US New York;96.232 US New York") + _blocks("AT&T Internet", "99.45 US Dallas;108.217 US Houston")
    + _blocks("Sky Broadband", "2.121 GB London;90.198 GB Manchester") + _blocks("Vodafone DE", "77.20 DE Cologne;95.88 DE Leipzig")
    + _blocks("Reliance Jio", "49.36 IN Mumbai;157.48 IN Bengaluru") + _blocks("Orange SA", "86.234 FR Paris")
    + _blocks("UPC Polska", "89.64 PL Warsaw") + _blocks("Telstra", "101.183 AU Melbourne"),
    "hosting": _blocks("DigitalOcean, LLC", "134.209 US Santa Clara;159.65 GB London;167.71 NL Amsterdam;138.197 CA Toronto;165.22 SG Singapore")
    + _blocks("Hetzner Online", "65.108 FI Helsinki;5.9 DE Falkenstein;95.216 FI Helsinki") + _blocks("OVH SAS", "51.38 FR Roubaix;54.37 PL Warsaw")
    + _blocks("Vultr", "45.32 US Los Angeles;149.28 SG Singapore") + _blocks("Akamai Connected Cloud", "139.162 JP Tokyo;172.104 DE Frankfurt")
    + _blocks("Contabo GmbH", "173.212 DE Nuremberg") + _blocks("Alibaba Cloud", "47.74 SG Singapore"),
    "vpn": _blocks("M247 Europe", "146.70 RO Bucharest;185.156 GB London;37.120 US New York;193.138 SE Stockholm")
    + _blocks("Datacamp Limited", "89.187 CZ Prague;138.199 US Miami;156.146 US Chicago") + _blocks("Mullvad VPN", "185.213 SE Malmo"),
    "tor": _blocks("Stiftung Erneuerbare Freiheit", "185.220 DE Berlin") + _blocks("Quintex Alliance Consulting", "199.249 US San Angelo")
    + _blocks("Emerald Onion", "23.129 US Seattle"),
    "proxy": _blocks("MTN Nigeria", "105.112 NG Lagos") + _blocks("Viettel", "27.72 VN Hanoi") + _blocks("Telkom Indonesia", "36.80 ID Jakarta")
    + _blocks("Rostelecom", "95.24 RU Moscow") + _blocks("Claro Brasil", "187.36 BR Sao Paulo") + _blocks("Charter", "75.82 US Los Angeles"),
}


def address(dice: Dice, kind: str, country: str = "", city: str = "") -> Source:
    """A fresh address of that kind of network, in the country or city when there is one."""
    blocks = [b for b in KINDS[kind] if (not city or b[2] == city) and (not country or b[1] == country)] or KINDS[kind]
    prefix, land, town, org = dice.pick(blocks)
    return Source(f"{prefix}.{int(dice.random() * 256)}.{1 + int(dice.random() * 253)}", land, town, org)


def neighbours(dice: Dice, kind: str, count: int, country: str = "", city: str = "") -> List[Source]:
    """Addresses of one small block, as an office or a vendor rents them."""
    first = address(dice, kind, country, city)
    stem, last = first.ip.rsplit(".", 1)
    return [first._replace(ip=f"{stem}.{1 + (int(last) + i * 3) % 253}") for i in range(count)]


def private(dice: Dice, stem: str) -> Source:
    return Source(f"{stem}.{int(dice.random() * 250)}.{2 + int(dice.random() * 250)}", "", "", "")


# ---- user agents. {cmd} and {api} are filled for each call, as the real tools do

CLIENTS_AWS: Dict[str, List[str]] = lists(__file__, "tables.json/aws")
BROWSERS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{m} Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{m}.0.0.0 Safari/537.36 Edg/14{m}.0.0.0",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:14{m}.0) Gecko/20100101 Firefox/14{m}.0"]
OTHER: Dict[str, Dict[str, List[str]]] = {
    "kubernetes": {"go": ["{tool}/v1.{m}.{q} (linux/amd64) kubernetes/{sha}", "{tool}/v0.0.0 (linux/amd64) kubernetes/$Format"], "laptop": ["kubectl/v1.3{m}.{q} (darwin/arm64) kubernetes/{sha}", "k9s/v0.32.{q} (linux/amd64) kubernetes/{sha}"],
                   "evil": ["kubectl/v1.2{m}.{q} (linux/amd64) kubernetes/{sha}", "curl/8.{m}.0", "python-requests/2.31.0", "peirates/v0.0.0 (linux/amd64) kubernetes/$Format"]},
    "gcp": {"go": ["google-api-go-client/0.5 {tool},gzip(gfe)", "gl-python/3.1{m}.{q} grpc/1.6{m}.1 gax/2.1{m}.{q} gapic/3.{m}.0 gccl/3.{m}.0,gzip(gfe)", "gcloud-java/2.3{m}.0 gl-java/17,gzip(gfe)", "Terraform/1.{m}.{q} (+https://www.terraform.io) terraform-provider-google/5.{m}.0,gzip(gfe)"],
            "laptop": ["google-cloud-sdk gcloud/5{m}0.0.0 command/gcloud.projects invocation-id/{sid} environment/None environment-version/None client-os/MACOSX client-os-ver/24.1.0 client-pltf-arch/arm interactive/True from-script/False python/3.11.9 term/xterm-256color,gzip(gfe)"],
            "evil": ["google-cloud-sdk gcloud/4{m}0.0.0 command/gcloud.iam invocation-id/{sid} environment/None client-os/LINUX client-os-ver/6.{m}.0 client-pltf-arch/x86_64 interactive/True python/3.11.2 term/xterm-256color,gzip(gfe)", "python-requests/2.3{m}.0,gzip(gfe)", "(gzip),gzip(gfe)"]},
    "github": {"go": ["git/2.4{m}.{q}", "go-github/v6{m}", "PyGithub/Python", "octokit-core.js/6.{m}.0 Node.js/20", "GitHubActionsRunner-linux-x64/2.32{m}.0"], "laptop": ["git/2.4{m}.{q} (Apple Git-154)", "GitHub CLI 2.6{m}.0"],
               "evil": ["python-requests/2.3{m}.0", "git/2.3{m}.{q}", "TruffleHog", "curl/8.{m}.0", "octokit-rest.js/20.{m}.0"]},
    "okta": {"go": ["okta-sdk-golang/2.{p}.{q} golang/go1.2{m} linux/amd64", "okta-sdk-java/1{m}.0.0 java/17 Linux/5.10", "python-requests/2.3{m}.0", "Workday-SCIM/2.{m}", "okta-sdk-python/2.{q}.{m} python/3.1{m} Linux/5.15"], "laptop": BROWSERS, "evil": ["python-requests/2.28.{q}", "curl/7.8{m}.0", BROWSERS[0], "Go-http-client/2.0"]},
    "entra": {"go": [""], "laptop": BROWSERS, "evil": ["", "python-requests/2.3{m}.0", "azurehound/v2.{m}.{q}"]},
    "m365": {"go": ["Client=REST;Client=RESTSystem;;", "Client=WebServices;ExchangeServicesClient/15.0{m};", "NONISV|SharePointPnP|PnPCore/1.1{m}", "ISV|{tool}|Backup/{m}.{q}"], "laptop": BROWSERS, "evil": ["Client=REST;Client=RESTSystem;;", "python-requests/2.3{m}.0", "rclone/v1.6{m}.{q}"]},
    "snowflake": {"go": ["JDBC_DRIVER 3.1{m}.{q}", "PYTHON_DRIVER 3.{m}.{q}", "ODBC_DRIVER 3.{m}.{q}", "GO 1.1{m}.{q}", "SPARK_CONNECTOR 2.1{m}.0"], "laptop": ["SNOWFLAKE_UI 1.1.{q}", "PYTHON_DRIVER 3.{m}.{q}", "SNOWSQL 1.3.{q}"], "evil": ["PYTHON_DRIVER 2.{m}.{q}", "JDBC_DRIVER 3.6.{m}", "OTHER rapeflake", "NODEJS_DRIVER 1.{m}.{q}", "OTHER DBeaver_24.{m}"]},
    "vault": {"go": ["Go-http-client/1.1"], "laptop": ["Vault/1.1{m}.{q} (+https://www.vaultproject.io/; go1.2{m})"], "evil": ["curl/8.{m}.0", "python-hvac/2.{m}"]},
}
KERNELS = ["5.10.{p}-2{p}.amzn2.x86_64", "6.1.{p}-1{p}.amzn2023.x86_64", "5.15.0-1{p}-aws", "4.14.{p}-2{p}.amzn2.x86_64"]


def client(dice: Dice, product: str, family: str, tool: str = "") -> str:
    """One concrete client: its versions are drawn once and then stay."""
    texts = CLIENTS_AWS[family] if product == "cloudtrail" else OTHER[product].get(family, OTHER[product]["go"])
    return versions(dice, dice.early(texts) if family == "evil" else dice.pick(texts), tool)


def browser(dice: Dice) -> str:
    return versions(dice, dice.pick(BROWSERS))


def versions(dice: Dice, text: str, tool: str = "") -> str:
    text = text.replace("{k}", dice.pick(KERNELS)).replace("{tool}", tool or "app").replace("{sid}", dice.hexes(12)).replace("{sha}", dice.hexes(7))
    return text.replace("{p}", str(dice.randint(20, 190))).replace("{m}", str(dice.randint(0, 4))).replace("{q}", str(dice.randint(0, 19)))


def upgrade(dice: Dice, agent: str) -> str:
    """The same client some versions later: numbers after the first dot move."""
    parts = agent.split(".")
    for i in range(1, len(parts)):
        digits = parts[i].split(" ")[0].split("/")[0].split("-")[0]
        if digits.isdigit() and dice.chance(0.7):
            parts[i] = str(int(digits) + dice.randint(1, 9)) + parts[i][len(digits):]
    return ".".join(parts)
