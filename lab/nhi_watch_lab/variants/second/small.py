"""The first file of a small tenant of the second world: an export of minutes, of an afternoon or of days."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Optional, Union

from nhi_watch_lab.second_world import base, world
from nhi_watch_lab.second_world.attacks import EXPENSIVE, Incident, Scene
from nhi_watch_lab.second_world.base import DAY, Place, Sink, Tenant, place
from nhi_watch_lab.second_world.routine import AwsLife, AwsPeople
from nhi_watch_lab.second_world.saas import Agent, Product
from nhi_watch_lab.second_world.trail import Actor, AwsLog
from nhi_watch_lab.variants.second import extra
from nhi_watch_lab.variants.second.crews import Crew, Recipe, calls, day_of, maybe, ops, run, spread, then
from nhi_watch_lab.variants.second.roster import CHECKS, GCP_LOOK, GITHUB_PLAN, KUBE_APP, KUBE_HANDS, POSTS, crew_of

# ---- break-ins


class Plot(NamedTuple):
    """What a thief does within minutes or an hour."""

    slug: str
    product: str
    gap: tuple[float, float]
    """Seconds between calls, at least and at most, on average."""
    refused: tuple[float, float]
    what: Recipe


QUICK, HANDS = (0.04, 1.2), (4.0, 50.0)
_ADMIN = "CreateUser AttachUserPolicy CreateAccessKey CreateLoginProfile"
_SECRETS = "google.cloud.secretmanager.v1.SecretManagerService."
PLOTS = (
    Plot("enumerate-permissions", "aws", QUICK, (0.3, 0.8), then(calls("GetCallerIdentity"), spread(CHECKS, 60, 150, 2))),
    Plot("look-around", "aws", HANDS, (0.1, 0.5), then(calls("GetCallerIdentity GetUser ListUsers"), spread(CHECKS, 12, 35))),
    Plot("secret-sweep", "aws", QUICK, (0.0, 0.3), lambda crew: ["ListSecrets", *["GetSecretValue"] * crew.rng.randint(20, 90)]),
    Plot("parameter-sweep", "aws", QUICK, (0.0, 0.4), lambda crew: [
        "DescribeParameters", *["GetParameters", "GetParametersByPath"] * crew.rng.randint(9, 35)]),
    Plot("bucket-drain", "aws", QUICK, (0.0, 0.05), lambda crew: [
        "ListBuckets", *["ListObjects"] * crew.rng.randint(2, 12), *["GetObject"] * crew.rng.randint(180, 1400)]),
    Plot("owner-made", "aws", HANDS, (0.0, 0.2), calls(f"GetCallerIdentity ListUsers ListAttachedUserPolicies*2 {_ADMIN}")),
    Plot("role-opened", "aws", HANDS, (0.0, 0.2), calls("ListRoles GetRole*3 UpdateAssumeRolePolicy AttachRolePolicy")),
    Plot("watchers-stopped", "aws", HANDS, (0.0, 0.3), calls("DescribeTrails GetTrailStatus StopLogging ListDetectors UpdateDetector DeleteTrail")),
    Plot("whole-story", "aws", QUICK, (0.1, 0.5), then(calls("GetCallerIdentity"), spread(CHECKS, 15, 60), calls(
        f"ListSecrets GetSecretValue*35 {_ADMIN}"), maybe(0.5, calls("StopLogging ListObjects*3 GetObject*120")))),
    Plot("model-burn", "aws", QUICK, (0.0, 0.3), lambda crew: [
        "ListFoundationModels", *["GetFoundationModelAvailability"] * 4, *["InvokeModel"] * crew.rng.randint(90, 500)]),
    Plot("instance-storm", "aws", HANDS, (0.2, 0.6), calls("DescribeRegions DescribeImages CreateKeyPair RunInstances*12")),
    Plot("cluster-secrets", "kubernetes", QUICK, (0.0, 0.4), ops(["create selfsubjectrulesreviews", "list namespaces", "list secrets", *["get secrets"] * 9], 1, 6)),
    Plot("cluster-rights", "kubernetes", QUICK, (0.4, 0.8), then(ops(["create selfsubjectaccessreviews"], 8, 40), spread(KUBE_HANDS, 6, 12, 2), spread(KUBE_APP, 4, 16))),
    Plot("cluster-owner", "kubernetes", HANDS, (0.0, 0.2), ops(["list clusterrolebindings", "create clusterrolebindings", "create pods/exec", "get secrets", "create daemonsets"], 1, 5)),
    Plot("clone-storm", "github", QUICK, (0.0, 0.1), ops(["git.clone"], 30, 120)),
    Plot("keys-planted", "github", HANDS, (0.0, 0.1), then(ops(["git.clone", "public_key.create", "hook.create"], 1, 4), spread(GITHUB_PLAN, 1, 4))),
    Plot("tenant-consent", "entra", HANDS, (0.0, 0.0), ops(["signin:Microsoft Graph", "audit:Add application", "audit:Add service principal", "audit:Consent to application", "audit:Add delegated permission grant"], 1, 2)),
    Plot("directory-owner", "entra", HANDS, (0.0, 0.0), ops(["signin:Windows Azure Active Directory", "audit:Add user", "audit:Add member to role", "audit:Add service principal credentials"], 1, 3)),
    Plot("mailboxes-drained", "m365", QUICK, (0.0, 0.0), ops(["MailItemsAccessed"], 100, 800)),
    Plot("files-drained", "m365", QUICK, (0.0, 0.0), ops(["SearchQueryPerformed", *["FileDownloaded"] * 8], 15, 100)),
    Plot("project-owner", "gcp", HANDS, (0.0, 0.3), then(spread(GCP_LOOK, 5, 10), ops(["google.iam.admin.v1.CreateServiceAccountKey", "SetIamPolicy"]))),
    Plot("project-secrets", "gcp", QUICK, (0.0, 0.3), ops([f"{_SECRETS}ListSecrets", *[f"{_SECRETS}AccessSecretVersion"] * 8], 3, 10)),
    Plot("vault-emptied", "vault", QUICK, (0.0, 0.3), ops(["list secret/metadata", "read sys/mounts", *["read secret/data"] * 6], 4, 15)),
    Plot("okta-owner", "okta", HANDS, (0.0, 0.0), ops(["user.mfa.factor.reset_all", "user.account.reset_password", "user.account.privilege.grant", "system.api_token.create"], 1, 3)),
    Plot("warehouse-unloaded", "snowflake", QUICK, (0.0, 0.1), ops(["LOGIN", "SHOW", "SELECT_ALL", "UNLOAD", "GET_FILES"], 2, 30)),
)  # fmt: skip
PLACES = {"tor": 3.0, "hosting": 3.0, "vpn": 2.0, "residential": 2.5, "cloud": 1.0, "mobile": 0.5, "hotel": 0.4}
TOOLS: dict[str, tuple[str, ...]] = {
    "aws": ("aws-cli/1.32.23 md/Botocore#1.34.23 ua/2.0 os/linux#6.8.11-amd64 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython",
            "aws-cli/2.15.22 Python/3.11.6 Linux/6.5.0-kali3-amd64 exe/x86_64.kali.2023 prompt/off",
            "Boto3/1.28.57 md/Botocore#1.31.57 ua/2.0 os/linux#6.5.0-kali3-amd64 md/arch#x86_64 lang/python#3.11.6",
            "Boto3/1.34.7 md/Botocore#1.34.7 ua/2.0 os/linux#6.1.0-1parrot1-amd64 md/arch#x86_64 lang/python#3.11.2",
            "TruffleHog", "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.4 md/GOOS#linux md/GOARCH#amd64", "python-requests/2.32.3"),
    "kubernetes": ("kubectl/v1.27.3 (linux/amd64) kubernetes/25b4e43", "Go-http-client/1.1", "python-requests/2.32.3", "curl/8.9.1"),
    "github": ("git/2.45.2", "python-requests/2.32.3", "TruffleHog", "gitleaks/8.18.4"),
    "entra": ("python-requests/2.32.3", "azurehound/v2.2.1", "Python/3.12 aiohttp/3.9.5"),
    "gcp": ("google-cloud-sdk gcloud/480.0.0 command/gcloud.auth.list,gzip(gfe)", "python-requests/2.32.3,gzip(gfe)"),
}  # fmt: skip


# ---- the tenant


class Found(NamedTuple):
    """Who is in the file."""

    actors: list[Actor]
    """Machines of AWS."""
    agents: list[Agent]
    """Those of a product."""
    crews: list[Crew]
    everyone: Sequence[Union[Actor, Agent]] = ()
    """All machines of what the file is of, also those that do nothing in it."""


class Layer(NamedTuple):
    """How the files of a layer are drawn."""

    offset: int
    """What sets its tenants apart from those of other layers."""
    lengths: tuple[tuple[float, float], ...]
    """Seconds that a file covers, at least and at most."""
    crews: tuple[float, ...]
    """Shares of the machines that are odd by nature, of which one is drawn."""
    break_ins: Callable[[Scene, str, Found, tuple[float, float], Random], list[Incident]]
    attacked: float
    """Share of the files in which something is stolen."""


def write(seed: int, out: Path) -> None:
    """Write its logs to `events` and its labels to `labels.json`."""
    lengths = (240, 2400), (3600, 36_000), (60_000, 250_000)
    layer = Layer(60_000, lengths, (0.1, 0.3, 0.6), break_ins, 0.68)
    write_layer(layer, seed, out, Random(f"first second world/{seed}"))


def write_layer(layer: Layer, seed: int, out: Path, rng: Random) -> None:
    """The same of any layer."""
    extra.extend()
    length = rng.choice([rng.uniform(*least_and_most) for least_and_most in layer.lengths])
    size, crowd = max(1, round(20 ** rng.random())), rng.choice([0, 1, 2, 3, 6])
    days = 2 + int(length // DAY)
    begin = float(calendar.timegm(date(2025, rng.randint(1, 12), rng.randint(1, 28)).timetuple()))
    drawn = base.draw(seed + layer.offset, 40, days, begin)
    drawn.habits.update(dynamodb_data=1.0, lambda_data=1.0)
    sink = Sink(out, begin, days)
    scene, life, people = world.stage(drawn, sink, 40, days)
    start = base.office_time(drawn, rng, begin)
    span = start, min(start + length, begin + days * DAY)
    sink.start, sink.end = span
    sink_days = int((span[1] - span[0]) // DAY) + 1
    focus = rng.choice(["aws", "aws", "aws", *sorted(scene.products)])
    everyone = [*scene.cast.machines] if focus == "aws" else scene.products[focus].victims()
    found = settle(scene, drawn, focus, (size, crowd, layer.crews), rng)._replace(everyone=everyone)
    told = layer.break_ins(scene, focus, found, span, rng) if rng.random() < layer.attacked else []
    active(scene, (life, people), found, span, rng)
    for day in range(sink_days):
        sink.flush(day)
    sink.close()
    extras = {"identities": size, "days": days, "history_days": 0, "padded": False, "start": base.iso(begin)[:10]}
    world.labels(out, drawn, sink, told, scene, extras)


def settle(scene: Scene, drawn: Tenant, focus: str, sizes: tuple[int, int, tuple[float, ...]], rng: Random) -> Found:
    """Keep so many machines and people, most of them where the file is from, and some crews."""
    size, crowd, shares = sizes
    posts = [post for post in POSTS if post.product == focus]
    count = round(size * rng.choice(shares)) if posts else 0
    chosen = rng.sample(posts, min(len(posts), count))
    crews = [crew_of(drawn, scene.cast.account(), scene.products, post, number) for number, post in enumerate(chosen)]
    rest = max(size - len(crews), 1)
    actors, agents = list[Actor](), list[Agent]()
    if focus == "aws":
        actors = rng.sample(scene.cast.machines, min(rest, len(scene.cast.machines)))
        everyone = [agent for product in scene.products.values() for agent in product.victims()]
        agents = rng.sample(everyone, rng.choice([0, 0, 0, 2])) if everyone else []
    else:
        usual = [agent for agent in scene.products[focus].victims() if agent not in [crew.who for crew in crews]]
        agents = rng.sample(usual, min(rest, len(usual)))
    for who in (*actors, *agents, *(crew.who for crew in crews)):
        who.born, who.dies = 0.0, 9e18
    scene.cast.machines, scene.cast.vendors, scene.cast.pipelines = actors, [], []
    scene.cast.services = scene.cast.services[: rng.choice([0, 0, 2])] if focus == "aws" else []
    scene.cast.people = rng.sample(scene.cast.people, min(crowd, len(scene.cast.people))) if focus == "aws" else []
    for name, product in scene.products.items():
        humans = rng.sample(product.people(), min(crowd, len(product.people()))) if name == focus else []
        product.agents[:] = [agent for agent in product.agents if agent in agents or agent in humans]
        product.agents += [crew.who for crew in crews if crew.product is product and isinstance(crew.who, Agent)]
    return Found(actors, agents, crews)


def active(
    scene: Scene, lives: tuple[AwsLife, AwsPeople], found: Found, span: tuple[float, float], rng: Random
) -> None:
    """The days as ever, and each machine at least once within the file."""
    life, people = lives
    begin = scene.tenant.start
    life.scale = max(life.scale, 0.2)
    for number in range(scene.tenant.days):
        now = begin + number * DAY
        if now >= span[1]:
            break
        if scene.cast.machines:
            life.day(now)
            people.day(now)
        for product in scene.products.values():
            product.day(now)
        for crew in found.crews:
            day_of(crew, scene.tenant, scene.log, now)
    for actor in found.actors:
        for _ in range(rng.randint(1, 5)):
            life.run(actor, rng.uniform(*span))
    for product in scene.products.values():
        for agent in (agent for agent in found.agents if agent in product.agents):
            for _ in range(rng.randint(1, 5)):
                product.run(agent, rng.uniform(*span))
    for crew in found.crews:
        for chore in rng.sample(list(crew.chores), rng.randint(1, len(crew.chores))):
            run(crew, scene.log, rng.uniform(*span), chore.what(crew))
    for human in scene.cast.people:
        if human.person and rng.random() < 0.7:
            people.console(human, rng.uniform(*span), people.where(human.person))


# ---- how a break-in is played


def break_ins(scene: Scene, focus: str, found: Found, span: tuple[float, float], rng: Random) -> list[Incident]:
    """One, seldom two."""
    who: list[Union[Actor, Agent]] = [*(found.actors if focus == "aws" else found.agents), *(crew.who for crew in found.crews)]
    plots = [plot for plot in PLOTS if plot.product == focus]
    told: list[Incident] = []
    count = min(len(who), len(plots), 1 if rng.random() < 0.75 else 2)
    for number, (victim, plot) in enumerate(zip(rng.sample(who, count), rng.sample(plots, count))):
        own = Random(f"break-in/{scene.tenant.seed}/{number}")
        moment = span[0] + (span[1] - span[0]) * (own.uniform(0.1, 0.85) if number or own.random() < 0.5 else 0.0)
        origin = "external" if own.random() < 0.62 else "inside"
        incident = Incident(
            f"inc-{number + 1:02d}", f"first-{plot.slug}", origin, moment + own.uniform(1, 20), pace="fast"
        )
        _play(scene, incident, plot, victim, span[1], own)
        told.append(incident)
    return told


def _play(scene: Scene, incident: Incident, plot: Plot, victim: Union[Actor, Agent], end: float, rng: Random) -> None:
    crew = Crew(plot.slug, victim, None, (), rng)
    names = plot.what(crew)
    outside = incident.origin == "external"
    kind = rng.choices(list(PLACES), list(PLACES.values()))[0]
    spot = place(rng, rng.choice(base.operators(kind)), rng.choice([1, 1, 1, 4])) if outside else None
    agent = _tool(plot.product, victim, rng) if outside else ""
    refused = rng.uniform(*plot.refused)
    gap = min(rng.uniform(*plot.gap), (end - incident.start) / (2 * len(names) + 1))
    step = _steps(scene, plot, victim, spot, agent)
    incident.identity = victim.arn if isinstance(victim, Actor) else victim.name
    scene.sink.tag = incident.id
    t = incident.start
    denied: dict[str, bool] = {}
    for name in names:
        # who lacks a right lacks it each time
        asked = denied.setdefault(name, rng.random() < refused and name != "GetCallerIdentity")
        step(t, name, asked)
        t += rng.expovariate(1 / gap)
        if t >= end:
            break
    scene.sink.tag = ""


def _tool(product: str, victim: Union[Actor, Agent], rng: Random) -> str:
    tools = TOOLS.get(product)
    if tools and rng.random() < 0.6:
        return rng.choice(tools)
    return base.operator_client(rng) if isinstance(victim, Actor) else victim.ua


def _steps(
    scene: Scene, plot: Plot, victim: Union[Actor, Agent], spot: Optional[Place], agent: str
) -> Callable[[float, str, bool], None]:
    """How one call of the thief's is written down."""
    if isinstance(victim, Actor):
        policy = "arn:aws:iam::aws:policy/AdministratorAccess"
        over = {
            "action": "*",
            "awspolicy": policy,
            "itype": EXPENSIVE[0],
            "principal": "arn:aws:iam::904418231017:root",
        }
        log: AwsLog = scene.log
        return lambda t, name, err: log.call(
            victim, t, name, place=spot, ua=agent, explore=True, over=over, err="denied" if err else ""
        )
    product: Product = scene.products[plot.product]
    more: dict[str, Any] = {"entra": {"role": "Global Administrator", "scope": "Mail.Read Files.Read.All offline_access"},
                            "kubernetes": {"role": "cluster-admin", "privileged": True}, "gcp": {"role": "roles/owner"},
                            "okta": {"group": "Okta-Admins"}}  # fmt: skip
    if plot.slug == "tenant-consent":
        product._target = for_all(product._target)  # type: ignore[attr-defined]
    return lambda t, op, err: product.emit(
        victim, t, op, place=spot, ua=agent, explore=True, err=err, over=more.get(plot.product)
    )


def for_all(target: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An administrator's consent holds for the whole tenant."""

    def made(*given: Any) -> dict[str, Any]:
        found = target(*given)
        changed: Sequence[dict[str, Any]] = found["modifiedProperties"]
        for each in changed:
            if each["displayName"] == "ConsentContext.IsAdminConsent":
                each["newValue"] = '"True"'
            elif each["displayName"] == "ConsentAction.Permissions":
                each["newValue"] = str(each["newValue"]).replace("ConsentType: Principal", "ConsentType: AllPrincipals")
        return found

    return made
