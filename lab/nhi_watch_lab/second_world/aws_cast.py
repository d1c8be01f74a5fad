# ruff: noqa: E501
"""Draws the AWS population of a tenant: machines, vendors, pipelines, service roles, people."""
from __future__ import annotations

from random import Random

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.aws_actors import Actor
from nhi_watch_lab.second_world.aws_jobs import DEPLOYS, JOBS, SERVICE_ROLES, VENDORS, expand
from nhi_watch_lab.second_world.net import Place, aws_operator, operators, place
from nhi_watch_lab.second_world.tenant import Account, Person, Tenant

ENVS = {"lambda": "AWS_Lambda_python3.12", "ecs": "AWS_ECS_FARGATE", "ec2": "", "irsa": ""}


class Cast:
    def __init__(self, tenant: Tenant, rng: Random) -> None:
        self.tenant, self.rng = tenant, rng
        self.machines: list[Actor] = []
        self.vendors: list[Actor] = []
        self.pipelines: list[Actor] = []
        self.services: list[Actor] = []
        self.people: list[Actor] = []

    def everyone(self) -> list[Actor]:
        return self.machines + self.vendors + self.pipelines + self.services + self.people

    def victims(self) -> list[Actor]:
        return self.machines + self.vendors + self.pipelines

    def fill(self, count: int) -> None:
        """`count` AWS identities, people among them."""
        for person in self.tenant.people:
            self._person(person)
        for _ in range(self.rng.randint(2, 5)):
            self._vendor()
        for _ in range(max(2, round(count * self.rng.uniform(0.03, 0.08)))):
            self._pipeline()
        for row in self.rng.sample(SERVICE_ROLES, self.rng.randint(3, len(SERVICE_ROLES))):
            self._service(row)
        while len(self.everyone()) < count:
            self._machine()

    def account(self) -> Account:
        return self.rng.choice(self.tenant.accounts[:1] * 3 + self.tenant.accounts)

    def _base(self, name: str, flavour: str, account: Account, regions: list[str], where: Place, ua: str, routine: list[str], runs: float, rhythm: str) -> Actor:
        kind = "AIDA" if flavour == "user" else "AROA"
        made = Actor(name, flavour, account, regions, ids.aws_id(self.rng, kind, account.id), where, [(0.0, ua)], routine, runs, rhythm, phase=self.rng.random())
        if flavour == "user":
            made.keys = [(0.0, ids.aws_id(self.rng, "AKIA", account.id))]
        made.born = self.tenant.start - self.rng.uniform(10, 900) * 86400
        return made

    def _machine(self) -> None:
        rng, tenant = self.rng, self.tenant
        job = ids.weighted(rng, {name: row[0] for name, row in JOBS.items()})
        _, flavours, rhythm, (low, high), options = JOBS[job]
        flavour, account = rng.choice(flavours.split()), self.account()
        region = tenant.regions[0] if rng.random() < 0.75 else rng.choice(tenant.regions)
        name = tenant.name(account.env if rng.random() < 0.6 else "", rng.choice(tenant.words), job.split("-")[-1], "" if flavour == "user" else rng.choice(["role", "", "svc"]))
        taken = {a.name for a in self.machines}
        while name in taken:
            name = tenant.name(name, str(rng.randint(2, 99)))
        runs = low * (high / low) ** rng.random() if high > low else float(low)
        made = self._base(name, flavour, account, [region], self._where(flavour, account, region, job), agents.sdk(rng, ENVS.get(flavour, "")), expand(rng.choice(options)), runs, rhythm)
        made.job = job
        self._detail(made)
        self._timeline(made)
        self.machines.append(made)

    def _where(self, flavour: str, account: Account, region: str, job: str) -> Place:
        rng, tenant = self.rng, self.tenant
        if flavour == "lambda" and rng.random() < 0.5:
            return place(rng, aws_operator(region), rng.randint(4, 20), rng.choice([0.02, 0.1, 0.3]))   # outside of a VPC
        if flavour == "user":
            far = {"edge": 0.1, "dc": 0.25, "gcp": 0.1, "office": 0.2}
            kind = "edge" if job == "edge-device" else ids.weighted(rng, {**far, "nat": 0.35})
            if kind == "edge":
                return place(rng, rng.choice(operators("residential", "mobile")), rng.randint(2, 15), 0.03)
            choices = {"dc": lambda: place(rng, "equinix-dc", rng.randint(1, 3)), "gcp": lambda: place(rng, rng.choice(operators("cloud", "hosting")), rng.randint(1, 4)), "office": lambda: tenant.office}
            if kind in choices:
                return choices[kind]()
        return tenant.nat(account, region)

    def _detail(self, made: Actor) -> None:
        rng = self.rng
        if made.flavour in ("ec2", "ecs", "irsa", "lambda"):
            made.lanes = rng.choice([1, 1, 1, 2, 2, 3, 4, 8])
            shared = made.place is self.tenant.nat(made.account, made.regions[0])
            if shared and rng.random() < 0.5:
                made.vpce = "vpce-" + ids.hexa(rng, 17)
        if made.flavour == "irsa":
            made.trusted = rng.choice(self.tenant.words + ["kube-system", "monitoring"])
        if made.job == "broken":
            made.fails = {name: rng.uniform(0.85, 1.0) for name in made.routine}
        elif rng.random() < 0.15:
            made.fails = {rng.choice(made.routine): rng.uniform(0.02, 0.5)}
        if made.rhythm in ("steady", "office") and made.runs > 300:
            made.runs = 300.0

    def _timeline(self, made: Actor) -> None:
        """Upgrades, key rotations, births and deaths."""
        rng, tenant = self.rng, self.tenant

        def moment() -> float:
            return tenant.start + rng.uniform(0.05, 0.98) * tenant.days * 86400
        if rng.random() < tenant.habits["upgrades"]:
            env = ENVS.get(made.flavour, "")
            made.uas.append((moment(), agents.sdk(rng, env)))
        if made.keys and rng.random() < tenant.habits["rotation"] * 8:
            made.keys.append((moment(), ids.aws_id(rng, "AKIA", made.account.id)))
        if rng.random() < tenant.habits["births"]:
            made.born = moment()
        elif rng.random() < tenant.habits["deaths"]:
            made.dies = moment()
        if rng.random() < tenant.habits["births"] and len(tenant.regions) > 1:
            made.regions.append(rng.choice(tenant.regions[1:]))

    def _vendor(self) -> None:
        rng, tenant = self.rng, self.tenant
        job = rng.choice(sorted(VENDORS))
        rhythm, client, options = VENDORS[job]
        account = tenant.accounts[0]
        where = place(rng, rng.choice(operators("aws") + ["gcp-us", "azure-runner", "ovh"]), rng.randint(2, 8), rng.choice([0.0, 0.02, 0.1]))
        routine = [] if rhythm == "scan" else expand(rng.choice(options))
        runs = {"steady": rng.uniform(40, 200), "night": 1.5, "scan": rng.uniform(1, 3), "office": rng.uniform(1, 8)}[rhythm]
        made = self._base(tenant.name(job, rng.choice(["integration", "readonly", "vendor"]), str(rng.randint(1, 99))), "vendor", account, list(tenant.regions), where, agents.SDKS[client](rng), routine, runs, rhythm)
        made.job, made.trusted = ("scanner" if rhythm == "scan" else job), ids.digits(rng, 12)
        self.vendors.append(made)

    def _pipeline(self) -> None:
        rng, tenant = self.rng, self.tenant
        first = not self.pipelines
        kind = "terraform" if first or rng.random() < 0.25 else "deploy"
        flavour = rng.choice(["ci", "ci", "ci", "user", "ec2"])
        account = self.account()
        where = tenant.runners if flavour == "ci" else (tenant.nat(account, tenant.regions[0]) if flavour == "ec2" else place(rng, rng.choice(["azure-runner", "gcp-us", "equinix-dc"]), 2, 0.3))
        ua = agents.terraform(rng) if kind == "terraform" else rng.choice([agents.cli(rng, "linux"), agents.boto(rng), agents.js3(rng)])
        name = tenant.name(rng.choice(["gha", "ci", "deploy", "pipeline"]), rng.choice(tenant.words), kind)
        made = self._base(name, flavour, account, list(tenant.regions[:2]), where, ua, expand(" ".join(rng.choice(DEPLOYS))), tenant.habits["deploys"] * rng.uniform(0.3, 2.5), "deploy")
        made.job, made.trusted = kind, rng.choice(["github", "github", "gitlab"]) if flavour == "ci" else ""
        self.pipelines.append(made)

    def _service(self, row: tuple[str, str, str]) -> None:
        rng, tenant = self.rng, self.tenant
        made = self._base(row[0], "slr", tenant.accounts[0], [tenant.regions[0]], tenant.office, row[1], expand(row[2]), 10 ** rng.uniform(0.8, 2.1), "steady")
        made.path, made.trusted, made.job = f"aws-service-role/{row[1]}/", row[1], "service"
        self.services.append(made)

    def _person(self, person: Person) -> None:
        """An SSO user, an IAM user with keys, or both; only some people touch AWS."""
        rng, tenant = self.rng, self.tenant
        if rng.random() < 0.25 and self.people:
            return
        account = self.account()
        if rng.random() < 0.65:
            role = rng.choice(["AdministratorAccess", "PowerUserAccess", "ViewOnlyAccess", "Developer", "DataEngineer"])
            path = f"aws-reserved/sso.amazonaws.com/{tenant.regions[0]}/" if tenant.regions[0] != "us-east-1" else "aws-reserved/sso.amazonaws.com/"
            name = f"AWSReservedSSO_{role}_" + ids.hexa(Random(f"{tenant.seed}{account.id}{role}"), 16)
            made = self._base(name, "sso", account, list(tenant.regions), person.home, person.browser, [], 0.0, "person")
            made.path, made.pid = path, ids.aws_id(Random(f"{tenant.seed}{name}"), "AROA", account.id)
        else:
            made = self._base(person.login, "user", account, list(tenant.regions), person.home, agents.operator_client(rng), [], 0.0, "person")
        made.person, made.job, made.phase = person, "admin" if rng.random() < 0.35 else "person", 0.3 + rng.random() * 0.1
        made.uas.append((0.0, agents.operator_client(rng)))
        self.people.append(made)
