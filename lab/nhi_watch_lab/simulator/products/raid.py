"""Rare work, an attacker at work, and the register of techniques.

The same words that misuse needs, so that no word by itself tells misuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Union

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator import basics as clouds
from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import DAY, Machine, office_second
from nhi_watch_lab.simulator.products import (
    ai,
    azure,
    endpoint,
    entra,
    gcp,
    github,
    gitlab,
    kubernetes,
    m365,
    okta,
    pipelines,
    salesforce,
    snowflake,
    vault,
    workspace,
)
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Sender, Worker
from nhi_watch_lab.simulator.raid import PADDED_AT_MOST, Manner, Outlook
from nhi_watch_lab.simulator.raid import Raid as CloudRaid

# ---- what is rare in ordinary life: the few acts of administrators, and what a worker may look at when something is w

_ROUTES = ("/user", "/user/orgs", "/orgs/{org}/repos", "/orgs/{org}/members", "/user/repos",
           "/repos/{owner}/{repo}/actions/secrets", "/repos/{owner}/{repo}/branches", "/repos/{owner}/{repo}/releases",
           "/repos/{owner}/{repo}/contents/{path}", "/repos/{owner}/{repo}/hooks", "/rate_limit", "/orgs/{org}/teams")


def of_administrators(company: Company) -> dict[str, list[Deed]]:
    """Product → what its administrators do now and then."""
    d = company.dice("rare")
    accounts = [gcp.account(company, f"job-{number}", d) for number in range(4)]
    apps = [entra.make_app(company, name, d) for name in ("survey-1", "rota-2", "wiki-3", "board-4")]
    roles = ["User.Read.All", "Mail.Read", "Sites.Read.All"]
    return {
        "entra": [*(entra.consent(company, app, d.pick(entra.SCOPES), d.chance(0.5)) for app in apps),
                  *(entra.fresh_secret(company, app) for app in apps),
                  *(entra.reply_address(company, app) for app in apps[:2]),
                  *(entra.app_role(company, app, d.pick(roles)) for app in apps)],
        "github": [*github.hardenings(company, company.repos),
                   *(github.api(company, "GET", route, company.repos) for route in _ROUTES[:6])],
        "okta": [*(okta.event(company, name) for name in okta.RARE), okta.privilege(company)],
        "gitlab": [gitlab.event(company, name) for name in ("project_export_created", "project_access_token_created")],
        "kubernetes": [kubernetes.call(company, what) for what in kubernetes.RARE],
        "gcp": [gcp.grant(company, f"group:data@{company.domain}", "roles/viewer"),
                *(gcp.fresh_key(company, account) for account in accounts),
                *(gcp.call(company, what) for what in gcp.LOOKS)],
        "snowflake": [snowflake.query(company, name) for name in ("LIST_FILES", "GET_FILES", "UNLOAD")],
        "vault": [vault.call(company, "update", "auth/token/create", "token"),
                  vault.call(company, "list", "secret/metadata/{word}", refused=True)],
        "salesforce": [salesforce.event(company, "BulkApi2", rows=8000)],
        "ai": [ai.openai(company, name) for name in ("ip_allowlist.deleted", "service_account.created",
                                                     "rate_limit.updated")],
    }  # fmt: skip


def looks(company: Company, product: str, worker: Worker) -> list[Deed]:
    """What a worker of a product could do beside its habits, for diagnostics or a release: nothing sensitive."""
    maker = _LOOKS.get(product)
    return maker(company, worker) if maker is not None else []


def _of_github(company: Company, worker: Worker) -> list[Deed]:
    return [*(github.api(company, "GET", route, company.repos) for route in _ROUTES),
            github.git(company, company.repos, "git.clone"), github.git(company, company.repos, "git.push")]


def _of_entra(company: Company, worker: Worker) -> list[Deed]:
    return [entra.graph(company, "GET", path) for path in entra.READS] if "app" in worker.facts else []


def _of_azure(company: Company, worker: Worker) -> list[Deed]:
    if "account" in worker.facts:
        account, key = worker.facts["account"], worker.facts["key"]
        kinds = ("GetBlob", "ListBlobs", "GetBlobProperties", "ListContainers", "PutBlob")
        return [azure.blob(company, account, key, name) for name in kinds]
    names = [name for name in azure.READS + azure.USUAL + azure.DEPLOYS if "listKeys" not in name]
    return [azure.activity(company, name) for name in names]


def _of_m365(company: Company, worker: Worker) -> list[Deed]:
    found = [m365.mail(company), m365.file(company), m365.file(company, "FileAccessed"),
             m365.mail(company, access="Sync")]
    return found + _of_entra(company, worker)


def _of_gcp(company: Company, worker: Worker) -> list[Deed]:
    calls = [*gcp.USUAL, *gcp.LOOKS, *gcp.DEPLOYS]
    return [gcp.call(company, what) for what in calls] if "buckets" in worker.facts else []


def _of_salesforce(company: Company, worker: Worker) -> list[Deed]:
    kinds = ("RestApi", "BulkApi2", "BulkApiResultEventStore", "Report", "ApiTotalUsage", "MetadataApiOperation",
             "DocumentAttachmentDownloads")
    return [salesforce.event(company, kind) for kind in kinds]


def _of_vault(company: Company, worker: Worker) -> list[Deed]:
    return [vault.call(company, "list", "secret/metadata/{word}"),
            vault.call(company, "read", "secret/data/{word}/{kind}"),
            vault.call(company, "read", "auth/token/lookup-self", "token"),
            vault.call(company, "read", "sys/health", "system"),
            vault.call(company, "read", "database/creds/{word}", "database")]


def _of_workspace(company: Company, worker: Worker) -> list[Deed]:
    if worker.human:
        return []
    return [workspace.api(company, worker, service, name)
            for service, names in workspace.METHODS.items() for name in names]


def _of_ai(company: Company, worker: Worker) -> list[Deed]:
    if worker.kind == "key":
        return [ai.anthropic(company, name) for name in ai.ANTHROPIC]
    return [ai.openai(company, name) for name in ai.OPENAI if not name.startswith("service_account")]


def _of_endpoint(company: Company, worker: Worker) -> list[Deed]:
    if worker.facts["sensor"] == "sysmon":
        return []
    return [*(endpoint.read(company, tool) for tool in endpoint.TOOLS), endpoint.metadata(company, "python3"),
            *(endpoint.command(company, tool) for tool in endpoint.CLIS)]


_LOOKS: dict[str, Callable[[Company, Worker], list[Deed]]] = {
    "github": _of_github,
    "entra": _of_entra,
    "azure": _of_azure,
    "m365": _of_m365,
    "okta": lambda company, worker: [okta.event(company, name) for name in okta.LIFECYCLE + okta.CHANGES],
    "gcp": _of_gcp,
    "workspace": _of_workspace,
    "kubernetes": lambda company, worker: [kubernetes.call(company, what) for what in dict.fromkeys(
        [*kubernetes.USUAL, *kubernetes.DEPLOYS, *kubernetes.PEOPLE])],
    "snowflake": lambda company, worker: [snowflake.query(company, kind) for kind in snowflake.ORDINARY],
    "vault": _of_vault,
    "salesforce": _of_salesforce,
    "gitlab": lambda company, worker: [gitlab.event(company, name) for name in gitlab.ORDINARY],
    "ai": _of_ai,
    "endpoint": _of_endpoint,
}


# ---- what an intruder has in hand: credentials of several products, a place, an agent, a clock

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

Role = Union[Worker, Machine]
_AGENTS: dict[str, Callable[[Dice], str]] = {
    "github": github.agents_of, "snowflake": snowflake.clients, "ai": ai.agent, "salesforce": salesforce.agent,
    "entra": lambda d: d.pick(entra.AGENTS), "azure": lambda d: d.pick(entra.AGENTS),
    "m365": lambda d: d.pick(entra.AGENTS),
    "okta": lambda d: d.pick(okta.AGENTS), "gcp": lambda d: d.pick(gcp.AGENTS),
    "gitlab": lambda d: d.pick(gitlab.AGENTS),
    "kubernetes": lambda d: d.pick(kubernetes.AGENTS + kubernetes.KUBECTL), "vault": lambda d: d.pick(vault.AGENTS),
    "blob": lambda d: d.pick(azure.BLOB_AGENTS),
}
"""Agents as legitimate scripts of each product have them: an intruder's are no others."""
ORIGINS = ("external", "inside")


class Raid:
    """One campaign while it runs; every record that it leaves is in `lines`."""

    def __init__(self, tenant: Tenant, day: int, origin: str, d: Dice) -> None:
        self.tenant, self.company, self.origin, self.dice, self.day = tenant, tenant.company, origin, d, day
        self.quiet = d.pick([0.3, 0.3, 0.6, 1.0])
        """How much is done: 0.3 a little, 1 everything at once."""
        zone = tenant.company.people[0].zone
        working = origin == "inside" or d.chance(0.4)
        second = office_second(zone, d) if working else d.between(0, DAY - 5400)
        self.clock = self.company.midnight(day) + second + d.random()
        self.lines: list[Line] = []
        self.issued: list[Line] = []
        """How the log shows that AWS sessions were issued to their owner; not part of the incident."""
        self._draw = _outside(tenant, d)
        self.address = self._draw(d)
        self._agents: dict[str, str] = {}
        self._mine = d.chance(0.4)
        """Whether the victims' own agents are copied."""
        self._sessions: dict[str, str] = {}
        self.manner = Manner()
        self._padded = 0

    @property
    def external(self) -> bool:
        """Whether it comes from elsewhere than the victim does."""
        return self.origin == "external"

    def few(self, most: float) -> int:
        """At least one, at most about `most`; fewer when quiet."""
        return max(1, round(most * self.quiet * (0.5 + self.dice.random())))

    def wait(self, seconds: float) -> None:
        """Do nothing for about that long."""
        self.clock += seconds * (0.5 + self.dice.random())

    def move(self) -> None:
        """Another exit of the same provider."""
        self.address = self._draw(self.dice)

    def sender(self, worker: Worker, inside: bool | None = None) -> Sender:
        """A worker in the intruder's hands: from its own place, or from the intruder's with a session of its own."""
        second = (self.clock - self.company.midnight(0)) % DAY
        own = worker.sender(self.company.seed, pipelines.day_of(self.company, self.clock), second)
        if not self.external if inside is None else inside:
            return own
        session = self._sessions.setdefault(worker.name, self.dice.hexes(32))
        return own._replace(address=self.address, agent=self.agent(worker), session=session)

    def agent(self, worker: Worker) -> str:
        """The agent used with a worker's credential from outside."""
        short = worker.name.partition("-")[0]
        product = {"gh": "github", "storage": "blob", "k8s": "kubernetes"}.get(short, short)
        if self._mine or product not in _AGENTS:
            return worker.agent
        return self._agents.setdefault(product, _AGENTS[product](self.dice))

    def do(self, worker: Worker, *deeds: Deed, gap: float = 8, inside: bool | None = None) -> None:
        """One or more deeds in a worker's name."""
        for deed in deeds:
            if self.manner.most and len(self.lines) >= self.manner.most:
                return
            self.add(deed(self.sender(worker, inside), At(self.clock, self.dice)), gap)
            for harmless in self._padding(worker):
                self.add(harmless(self.sender(worker, inside), At(self.clock, self.dice)), gap)

    def _padding(self, worker: Worker) -> list[Deed]:
        """Harmless deeds that hide one of its own: the worker's usual ones, and looks around."""
        count = self.dice.poisson(self.manner.padding) if self.manner.padding else 0
        count = min(count, PADDED_AT_MOST - self._padded)
        usual = [deed for habit in worker.habits for step in habit.steps for deed in step.pool.items]
        product = next((p for p, staff in self.tenant.staff.items() for w in staff if w.name == worker.name), "")
        deeds = usual + looks(self.company, product, worker) if count else []
        found = [self.dice.pick(deeds) for _ in range(count)] if deeds else []
        self._padded += len(found)
        return found

    def many(self, worker: Worker, count: int, deeds: list[Deed], gap: float = 4) -> None:
        """So many deeds, each drawn from some."""
        for _ in range(count):
            self.do(worker, self.dice.pick(deeds), gap=gap)

    def habits(self, worker: Worker, count: int) -> None:
        """What the worker does anyway."""
        deeds = [deed for habit in worker.habits for step in habit.steps for deed in step.pool.items]
        self.many(worker, count, deeds)

    def add(self, lines: list[Line], gap: float = 8) -> None:
        """Records that were made elsewhere."""
        self.lines += lines
        self.wait(gap if self.quiet > 0.5 else gap * 6)

    def cloud(self, machine: Machine, inside: bool | None = None, fresh: bool = False) -> CloudRaid:
        """A hand on an AWS identity, at this moment and from this place; give it back with `landed`.

        `fresh`: with a session that is issued now, to the intruder; else with the one that its owner has.
        """
        machine = replace(machine, rotate=0) if fresh else machine
        near = not self.external if inside is None else inside
        raid = CloudRaid(self.company.aws, machine, self.day, "inside" if near else "external", self.dice)
        raid.quiet, raid.manner = self.quiet, self.manner
        agent = machine.agent_on(self.day)
        if not self._mine:
            agent = self.dice.pick([clouds.boto3, clouds.golang, clouds.cli, clouds.boto3])(self.dice)
        raid.outlook = Outlook(lambda _: self.address, agent)
        raid.move()
        raid.clock = max(0.0, self.clock - self.company.midnight(self.day))
        raid._job = raid.clock  # a pipeline's session begins now
        return raid

    def landed(self, raid: CloudRaid) -> None:
        """Take over what an AWS hand did, and how its session was issued."""
        self.clock = self.company.midnight(self.day) + raid.clock
        mine = raid.victim.rotate == 0
        for day, _, record in raid.openings:
            if mine and raid.origin == "external":
                record.update({"sourceIPAddress": self.address, "userAgent": raid.outlook.agent})
            opened = pipelines.cloud_lines([record], self.company.midnight(day))
            (self.lines if mine else self.issued).extend(opened)
        for day, _, record in raid.out:
            self.lines += pipelines.cloud_lines([record], self.company.midnight(day))


def _outside(tenant: Tenant, d: Dice) -> Callable[[Dice], str]:
    """Hosting mostly; VPNs, residential lines, clouds, the victim's own country."""
    world = tenant.company.aws.world
    provider = d.pick(list(basics.HOSTING.values()))
    options: list[tuple[float, str]] = [
        (0.32, provider), (0.18, basics.VPN), (0.05, basics.TOR), (0.10, basics.RESIDENTIAL_ABROAD),
        (0.07, basics.ISPS[world.country]), (0.12, basics.AWS_EGRESS[world.home]), (0.08, basics.AZURE),
        (0.08, basics.GOOGLE),
    ]  # fmt: skip
    at, chosen = d.random(), provider
    for share, prefixes in options:
        if at < share:
            chosen = prefixes
            break
        at -= share
    return lambda x: basics.address(x, chosen)


# ---- the register of techniques, and who can be a victim of which

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

Cast = Mapping[str, Any]
"""Part → the worker or machine that plays it."""
Act = Callable[[Raid, Any], None]
Candidates = Callable[["Tenant", int], Sequence[Any]]



class Technique(NamedTuple):
    """One way to misuse identities."""

    name: str
    act: Act
    mitre: str
    tactics: tuple[str, ...]
    parts: tuple[str, ...]


class Parts:
    """A cast as attributes: `cast.token`, `cast.role`."""

    def __init__(self, cast: Cast) -> None:
        self.__dict__.update(cast)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


REGISTER: dict[str, Technique] = {}
"""All techniques by name, in the order of definition."""


def technique(mitre: str, tactics: str, parts: str, register: dict[str, Technique] = REGISTER) -> Callable[[Act], Act]:
    """Registers a technique under its function's name; `parts` names whom it needs, see `PARTS`."""

    def add(act: Act) -> Act:
        register[act.__name__] = Technique(act.__name__, act, mitre, tuple(tactics.split()), tuple(parts.split()))
        return act

    return add


def _workers(product: str, kinds: str, more: Callable[[Any], bool] = lambda w: True) -> Candidates:
    return lambda tenant, day: [w for w in tenant.alive(product, kinds, day) if more(w)]


def _machines(fits: Callable[[Any], bool]) -> Candidates:
    def found(tenant: Tenant, day: int) -> list[Any]:
        machines = tenant.company.aws.machines
        return [m for m in machines if fits(m) and m.born <= max(0, day - 3) and m.dies > day + 2]

    return found


def _pods(tenant: Tenant, day: int) -> Sequence[Any]:
    living = {id(m) for m in _machines(lambda m: m.session == "web")(tenant, day)}
    return [w for w in tenant.alive("kubernetes", "service_account", day) if id(w.facts["role"]) in living]


def _token_hosts(tenant: Tenant, day: int) -> Sequence[Any]:
    living = set(map(id, tenant.alive("github", "token", day)))
    return [w for w in tenant.alive("endpoint", "host_user", day) if id(w.facts.get("robot")) in living]


def _servers(tenant: Tenant, day: int) -> Sequence[Any]:
    living = {id(m) for m in _machines(lambda m: m.kind == "user" and bool(m.key_on(day)))(tenant, day)}
    return [w for w in tenant.alive("endpoint", "host_user", day) if id(w.facts.get("machine")) in living]


def _agents(kind: str) -> Candidates:
    return lambda tenant, day: [w for w in tenant.agents if w.kind == kind and w.born <= max(0, day - 3)]


PARTS: dict[str, Candidates] = {
    "token": _workers("github", "token", lambda w: "workflow" in w.facts["access"].get("token_scopes", "workflow")),
    "bot": _workers("github", "app oauth_app"),
    "developer": _workers("github", "person"),
    "pipeline": _machines(lambda m: m.session == "ci"),
    "user": _machines(lambda m: m.kind == "user" and m.archetype != "sleeper"),
    "server": _servers,
    "token_host": _token_hosts,
    "app": _workers("entra", "app"),
    "sleeper": _workers("entra", "sleeper"),
    "mailer": _workers("m365", "app"),
    "azure": _workers("azure", "app"),
    "managed": _workers("azure", "managed"),
    "storage": _workers("azure", "storage_key"),
    "person": _workers("entra", "person"),
    "okta_token": _workers("okta", "token"),
    "okta_app": _workers("okta", "oauth_app"),
    "keyed": _workers("gcp", "service_account", lambda w: bool(w.keys)),
    "account": _workers("gcp", "service_account", lambda w: bool(w.habits) and not w.keys),
    "pod": _pods,
    "service_account": _workers("kubernetes", "service_account"),
    "vault": _workers("vault", "entity", lambda w: not w.human),
    "warehouse": _workers("snowflake", "service"),
    "connected": _workers("salesforce", "app"),
    "gitlab": _workers("gitlab", "bot token"),
    "openai": _workers("ai", "service_account"),
    "anthropic": _workers("ai", "key"),
    "assistant": _machines(lambda m: m.kind == "user" or m.session in ("instance", "lambda", "sdk")),
    "reader": _workers("workspace", "app"),
    "coder": _agents("agent"),
    "gateway": _agents("gateway"),
}
"""Part → who can play it on a day."""
