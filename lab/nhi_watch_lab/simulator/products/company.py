"""A medium company: one AWS account, and tenants of the other products; ids, networks, people, resources.

The AWS account is that of `nhi_watch_lab.simulator.tenant`, unchanged. Its deployers' OIDC subjects become
repositories, its pods service accounts of a cluster, its people the people of every product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple

from nhi_watch_lab.simulator import basics, tenant
from nhi_watch_lab.simulator.basics import WORDS, Dice, browser, dice
from nhi_watch_lab.simulator.machines import DAY, Machine, Place
from nhi_watch_lab.simulator.parts import DEFAULT, Ways

_COUNTRIES = {
    "US": [basics.AWS_EGRESS["us-east-1"], basics.AWS_EGRESS["us-west-2"], basics.AWS_EGRESS["us-east-2"],
           basics.AZURE, basics.GOOGLE, basics.ISPS["us"], basics.HOSTING["digitalocean"],
           basics.HOSTING["linode"], basics.HOSTING["vultr"]],
    "DE": [basics.AWS_EGRESS["eu-central-1"], basics.ISPS["de"], basics.HOSTING["hetzner"],
           basics.HOSTING["contabo"], basics.TOR],
    "IE": [basics.AWS_EGRESS["eu-west-1"]],
    "GB": [basics.AWS_EGRESS["eu-west-2"], basics.ISPS["gb"], basics.VPN],
    "SG": [basics.AWS_EGRESS["ap-southeast-1"], basics.HOSTING["alibaba"]],
    "JP": [basics.AWS_EGRESS["ap-northeast-1"], basics.ISPS["jp"]],
    "FR": [basics.ISPS["fr"], basics.HOSTING["ovh"]],
    "ES": [basics.ISPS["es"]],
    "IN": [basics.ISPS["in"]],
    "VN": ["14.162 14.180 113.170 27.72 171.240"], "CN": ["36.72 36.85"], "BR": ["177.32 187.10 189.60"],
    "ID": ["125.163"], "RU": ["95.24 178.140"],
}
_BY_PREFIX = {prefix: code for code, lists in _COUNTRIES.items() for text in lists for prefix in text.split()}


def country(address: str) -> str:
    """Roughly where an address is, as products write beside it.

    >>> country("91.12.3.4"), country("10.0.0.1")
    ('DE', 'US')
    """
    one, two, three = address.split(".")[:3]
    return _BY_PREFIX.get(f"{one}.{two}.{three}") or _BY_PREFIX.get(f"{one}.{two}") or "US"


@dataclass
class Person:
    """Somebody who works there, with the ids that products gave them."""

    number: int
    email: str
    login: str
    place: Place
    browser: str
    zone: int
    guid: str
    okta: str
    google: str
    born: int = 0
    system: str = "linux"

    @property
    def name(self) -> str:
        """As people write it."""
        return self.login.replace(".", " ").title()


@dataclass
class Repo:
    """A repository and what its pipeline may do elsewhere."""

    name: str
    number: int
    public: bool = False
    subject: str = ""
    """The OIDC subject of its deployments; empty: it deploys nowhere."""
    deploys: str = ""
    """aws | gcp | entra | nothing"""


@dataclass
class Company:
    """One company; everything follows from the seed."""

    seed: int
    days: int
    start: str
    aws: tenant.Tenant
    tenant_id: str = ""
    subscriptions: list[str] = field(default_factory=list)
    projects: list[str] = field(default_factory=list)
    project_numbers: dict[str, str] = field(default_factory=dict)
    customer: str = ""
    cluster: str = ""
    salesforce: str = ""
    people: list[Person] = field(default_factory=list)
    repos: list[Repo] = field(default_factory=list)
    nats: dict[str, list[Place]] = field(default_factory=dict)
    """Cloud → its NAT gateways."""

    @property
    def org(self) -> str:
        """The short name that all products use."""
        return self.aws.world.org

    @property
    def domain(self) -> str:
        """The mail domain."""
        return f"{self.org}.example"

    def midnight(self, day: int) -> float:
        """Seconds since the epoch at the start of a numbered day."""
        return datetime.fromisoformat(self.start).replace(tzinfo=timezone.utc).timestamp() + day * DAY

    def dice(self, *names: object) -> Dice:
        """Dice of their own for whatever is named."""
        return dice(self.seed, "company", *names)

    def uuid(self, *names: object) -> str:
        """A fixed GUID for whatever is named."""
        return self.dice("uuid", *names).uuid()

    def sites(self, d: Dice) -> str:
        """A SharePoint site or a team."""
        return d.pick(["finance", "hr", "sales", "engineering", "legal", "board", "projects", "support"])

    def nat(self, cloud: str, d: Dice) -> Place:
        """One of a cloud's shared gateways."""
        return d.pick(self.nats[cloud])

    def vendor(self, d: Dice, name: str) -> Place:
        """Where a service provider's machines are: one address, or a range of a cloud."""
        owners = [basics.GOOGLE, basics.AWS_EGRESS["us-east-1"], basics.AWS_EGRESS["us-west-2"], basics.AZURE,
                  basics.HOSTING["digitalocean"], basics.HOSTING["hetzner"], basics.HOSTING["ovh"]]
        home = d.pick(owners)
        octets = ".".join(basics.address(d, home).split(".")[:3])
        return Place(lambda x: basics.address(x, octets), fixed=d.chance(0.6), name=f"vendor-{name}")

    def runner(self, name: str) -> Place:
        """Hosted runners of CI: another address each job."""
        clouds = [basics.AZURE]
        d = self.dice("runner", name)
        if d.chance(self.aws.spec.ways.dynamic_ci):
            clouds += d.some([basics.GOOGLE, *basics.AWS_EGRESS.values()], d.between(1, 4))
        if len(clouds) > 1:
            return Place(lambda x: basics.address(x, x.pick(clouds)), fixed=False, name=f"hosted-{name}")
        return Place(lambda x: basics.address(x, basics.AZURE), fixed=False, name=f"hosted-{name}")

    def deployers(self) -> list[Machine]:
        """The AWS roles that pipelines assume."""
        return [m for m in self.aws.machines if m.session == "ci"]

    def pods(self) -> list[Machine]:
        """The AWS roles that are bound to service accounts."""
        return [m for m in self.aws.machines if m.session == "web"]


class Habits(NamedTuple):
    """How a company lives, see `Spec` of the tenant."""

    human_share: float = 0.4
    volume: float = 40
    ways: Ways = DEFAULT


def make_company(seed: int, days: int, start: str, nhis: int, habits: Habits = Habits()) -> Company:  # noqa: B008
    """The company of a seed; two fifths of its machine identities are AWS roles and users."""
    machines = max(12, round(nhis * 0.4))
    events = round(habits.volume * machines * days)
    spec = tenant.Spec(days, machines, seed, start=start, campaigns=0, human_share=habits.human_share, events=events,
                       ways=habits.ways)  # fmt: skip
    company = Company(seed, days, start, tenant.Tenant(spec))
    d = company.dice("ids")
    company.tenant_id, company.cluster = d.uuid(), f"{company.org}-prod"
    company.subscriptions = [d.uuid() for _ in range(2)]
    company.projects = [f"{company.org}-{env}" for env in ("prod", "data", "dev")]
    company.project_numbers = {name: f"{d.between(10**11, 10**12 - 1)}" for name in company.projects}
    company.customer = "C0" + d.ident("", 7).lower()
    company.salesforce = "00D" + d.ident("", 12)
    company.aws.people = list({person.name: person for person in company.aws.people}.values())  # no namesakes
    company.people = [_person(company, number, machine) for number, machine in enumerate(
        each for each in company.aws.people if each.session != "key"  # that is another door of the same person
    )]
    company.repos = _repos(company, nhis)
    for cloud, ranges in (("gcp", basics.GOOGLE), ("azure", basics.AZURE)):
        company.nats[cloud] = [_nat(company, cloud, ranges, number) for number in range(3)]
    company.nats["aws"] = company.aws.parts.subnets
    return company


def _nat(company: Company, cloud: str, ranges: str, number: int) -> Place:
    d = company.dice("nat", cloud, number)
    place = Place(lambda x: basics.address(x, ranges), name=f"{cloud}-nat-{company.seed}-{number}")
    moves = d.poisson(0.1 * company.aws.spec.ways.moves * company.days / 30)
    place.moves.extend(d.between(1, max(1, company.days - 1)) for _ in range(moves))
    return place


def _person(company: Company, number: int, machine: Machine) -> Person:
    d = company.dice("person", number)
    email = machine.subject if "@" in machine.subject else f"{machine.name}@{company.domain}"
    login = email.partition("@")[0]
    return Person(number, email, login, machine.place, browser(d), machine.zone, d.uuid(), "00u" + d.ident("", 17),
                  f"1{d.between(10**19, 10**20 - 1)}", machine.born, d.pick(["mac", "linux", "windows"]))


def _repos(company: Company, nhis: int) -> list[Repo]:
    """A repository for each AWS deployer, and others: libraries, sites, pipelines to other clouds."""
    found: dict[str, Repo] = {}
    for machine in company.deployers():
        name = machine.subject.split(":")[1]
        found.setdefault(name, Repo(name, 10**8 + len(found) * 7919, subject=machine.subject, deploys="aws"))
    d = company.dice("repos")
    for index in range(8 + nhis // 6):
        word = d.pick(WORDS)
        name = f"{company.org}/{word}-{d.pick(['service', 'lib', 'web', 'jobs', 'charts', 'etl', 'docs', 'sdk'])}"
        deploys = ["gcp", "entra", "nothing", "nothing"][index % 4]
        subject = "" if deploys == "nothing" else f"repo:{name}:ref:refs/heads/main"
        public = deploys == "nothing" and d.chance(0.25)
        found.setdefault(name, Repo(name, 10**8 + len(found) * 7919, public, subject, deploys))
    return list(found.values())
