"""The first file of a small drawn tenant: of an account mostly, else of one of a company's products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import parse
from nhi_watch_lab import worlds
from nhi_watch_lab.simulator import basics, shapes
from nhi_watch_lab.simulator.basics import WORDS, Dice, dice
from nhi_watch_lab.simulator.machines import DAY, Activity, Machine, Rhythm, office_second
from nhi_watch_lab.simulator.products.raid import REGISTER as PRODUCT_TECHNIQUES
from nhi_watch_lab.simulator.products.raid import Technique as ProductTechnique
from nhi_watch_lab.simulator.products.tenant import Campaign as ProductCampaign
from nhi_watch_lab.simulator.products.tenant import cast_of
from nhi_watch_lab.simulator.raid import REGISTER, Act, Manner, Outlook, Raid, Technique
from nhi_watch_lab.simulator.records import READS, Detail, actions, denied
from nhi_watch_lab.simulator.tenant import IMMUNE, ORIGINS, Campaign, Tenant
from nhi_watch_lab.variants.drawn import duties, workers
from nhi_watch_lab.variants.drawn.duties import CHECKED
from nhi_watch_lab.worlds.company import peaceful
from nhi_watch_lab.worlds.days import Day, of_account, of_company, peaceful_account, people_of
from nhi_watch_lab.worlds.world import World

Told = tuple[frozenset[str], Iterator[tuple[list[dict[str, Any]], list[Any]]]]
PARTS = {"kubernetes": "pod service_account", "github": "token bot", "entra": "app sleeper", "gcp": "keyed account",
         "okta": "okta_token okta_app", "vault": "vault"}  # fmt: skip
"""Products whose file may be a tenant's first, and which of a technique's parts its machines play."""


class Span(NamedTuple):
    """The time that a file covers."""

    low: int
    """Seconds of the first day."""
    length: int

    @property
    def days(self) -> int:
        """So many days it touches."""
        return (self.low + self.length - 1) // DAY + 1

    def holds(self, second: float) -> bool:
        """Whether the file shows a second, counted from the first day's midnight."""
        return self.low <= second < self.low + self.length


class Layer(NamedTuple):
    """How the files of a layer are drawn."""

    offset: int
    """What sets its worlds apart from those of other layers."""
    odd: tuple[float, ...]
    """Shares of the machines that are odd by nature, of which one is drawn."""
    break_ins: Callable[[Tenant, list[Machine], Span, Dice], list[Campaign]]
    """What is stolen from an account."""
    techniques: Callable[[str], list[ProductTechnique]]
    """What may be stolen from one of a company's products."""
    attacked: float
    """Share of the files in which something is stolen."""
    people: tuple[int, ...] = (0, 1, 2, 4)
    """How many people an account has at work, of which one is drawn."""


def first(seed: int) -> Told:
    """People, and the days as incidents and records."""
    d = dice("first file", seed)
    length = int(d.pick([log_between(d, 300, 3000), log_between(d, 3600, 40_000), log_between(d, 50_000, 260_000)]))
    return drawn(Layer(40_000, (0.1, 0.3, 0.6), _break_ins, _of_product, 0.6), seed, length, d)


def drawn(layer: Layer, seed: int, length: int, d: Dice) -> Told:
    """A file of a layer that covers so many seconds; of a company whole days."""
    world = worlds.draw(layer.offset + seed, company=seed % 4 == 0)
    span = Span(0, DAY * d.between(1, 3)) if world.company else Span(min(DAY - 301, office_second(0, d)), length)
    start = (date.fromisoformat(world.start) + timedelta(days=d.between(0, 6))).isoformat()
    size = max(1, round(log_between(d, 1, 22)))
    world = world._replace(
        start=start, identities=40, history=0, attacked=span.days, agents=0, incidents=0, volume=min(world.volume, 30)
    )
    attacked = dice("broken into", seed).chance(layer.attacked)
    if world.company:
        return _company(world, span, layer.techniques if attacked else None, d)
    return _account(world, span, (size, layer), layer.break_ins if attacked else None, d)


def log_between(d: Dice, low: float, high: float) -> float:
    return float(low * (high / low) ** d.random())


def _shown(
    days: Iterator[Day], start: str, span: Span, product: str = ""
) -> Iterator[tuple[list[dict[str, Any]], list[Any]]]:
    """What the file holds; an incident of which it holds nothing is none."""
    zero = parse(f"{start}T00:00:00Z")
    for day in days:
        records, ids = list[Any](), set[str]()
        for name, record in day.records:
            when, record_id = _time_of(record)
            if (not product or name == product) and span.holds(when - zero):
                records.append(record)
                ids.add(record_id)
        incidents = [
            {**one, "record_ids": [each for each in one["record_ids"] if each in ids]} for one in day.incidents
        ]
        if records:
            yield [one for one in incidents if one["record_ids"]], records


def _time_of(record: Any) -> tuple[float, str]:
    """A record's time and id, as sources read them."""
    from nhi_watch_lab.evaluation.exams import time_and_id

    when, record_id = time_and_id(record)
    return float(when), record_id


# ---- accounts


def _account(
    world: World, span: Span, sizes: tuple[int, Layer],
    break_ins: Callable[[Tenant, list[Machine], Span, Dice], list[Campaign]] | None, d: Dice,
) -> Told:  # fmt: skip
    tenant, (size, layer) = peaceful_account(world), sizes
    odd = round(size * d.pick(list(layer.odd)))
    chosen = duties.hire(tenant.parts, odd, world.days) if odd else []
    usual = [m for m in tenant.machines if m.kind in ("role", "user") and m.activities]
    chosen += d.some(usual, max(0 if chosen else 1, size - len(chosen)))
    services = [m for m in tenant.machines if m.kind == "service"]
    for machine in chosen:
        _hurry(machine, span, d)
    tenant.machines = [*chosen, *d.some(services, d.pick([0, 0, 1, 3]))]
    tenant.people = d.some(tenant.people, d.pick(list(layer.people)))
    for person in tenant.people:
        _hurry(person, span, d)
    tenant.load = max(tenant.load, 1.0)
    tenant.campaigns = break_ins(tenant, chosen, span, d) if break_ins else []
    return frozenset(people_of(tenant)), _shown(of_account(world, tenant), world.start, span)


def _hurry(machine: Machine, span: Span, d: Dice) -> None:
    """It does something within the file: what it does seldom, it may do just then."""
    machine.born, machine.dies = 0, 1 << 30
    for activity in d.some(machine.activities, d.between(1, 2)):
        if activity.steps:
            at = span.low + d.between(0, max(1, span.length - 1))
            now = Activity(Rhythm("cron", at=at % DAY), activity.steps, at // DAY, at // DAY + 1, scale=False)
            machine.activities.append(now)


# ---- how an account is broken into


def _ask(raid: Raid, gap: float, action: str, detail: Detail | None = None, refused: bool = False) -> None:
    made = raid.made(action, detail)
    raid.send(denied(made, str(raid.actor().identity.get("arn", ""))) if refused else made, gap)


def _probe(raid: Raid, gap: float) -> None:
    """Everything is asked, much of it refused."""
    d, share = raid.dice, 0.25 + 0.6 * raid.dice.random()
    _ask(raid, gap, "sts:GetCallerIdentity")
    for action in d.some(CHECKED, d.between(40, 170)):
        _ask(raid, gap, action, refused=d.chance(share))


def _glance(raid: Raid, gap: float) -> None:
    _ask(raid, gap, "sts:GetCallerIdentity")
    for action in raid.dice.some(actions(READS), raid.dice.between(8, 30)):
        _ask(raid, gap, action, refused=raid.dice.chance(0.35))


def _secrets(raid: Raid, gap: float) -> None:
    d = raid.dice
    _ask(raid, gap, "secretsmanager:ListSecrets")
    for number in range(d.between(18, 80)):
        name = f"{d.pick(raid.world.envs)}/{d.pick(WORDS)}/{d.pick(['db', 'api', 'smtp', 'jwt'])}-{number}"
        _ask(raid, gap, "secretsmanager:GetSecretValue", shapes.secret(raid.world, name, raid.victim.region))


def _objects(raid: Raid, gap: float) -> None:
    d, bucket = raid.dice, raid.dice.pick(raid.world.buckets)
    _ask(raid, gap, "s3:ListBuckets")
    for _ in range(d.between(1, 9)):
        _ask(raid, gap, "s3:ListObjects", shapes.s3_listing(raid.world, d, raid.victim.region, bucket))
    for _ in range(d.between(150, 1300)):
        key = f"{d.pick(WORDS)}/{d.between(2021, 2025)}/{d.hexes(8)}.{d.pick(['csv', 'json', 'pdf', 'gz'])}"
        _ask(raid, gap / 4, "s3:GetObject", shapes.s3_object(raid.world, d, raid.victim.region, bucket, key))


def _owner(raid: Raid, gap: float) -> None:
    d = raid.dice
    name = f"{d.pick(WORDS)}-{d.pick(['ops', 'sync', 'support'])}"
    for look in ("sts:GetCallerIdentity", "iam:ListUsers", "iam:ListAttachedUserPolicies"):
        _ask(raid, gap, look)
    _ask(raid, gap, "iam:CreateUser", shapes.create_user(raid.world, name, d.ident("AIDA")))
    _ask(raid, gap, "iam:AttachUserPolicy", Detail({"userName": name, "policyArn": shapes.ADMIN}))
    _ask(raid, gap, "iam:CreateAccessKey", shapes.create_key(name, d.ident("AKIA", 16)))
    if d.chance(0.5):
        _ask(raid, gap, "iam:CreateLoginProfile", shapes.login_profile(name, False))


def _all_of_it(raid: Raid, gap: float) -> None:
    for part in (_glance, _secrets, _owner):
        part(raid, gap)
    if raid.dice.chance(0.4):
        REGISTER["trail_stop"].act(raid)


def _probe_and_objects(raid: Raid, gap: float) -> None:
    _probe(raid, gap)
    _objects(raid, gap)


Blunt = Callable[[Raid, float], None]
BLUNT: dict[str, Blunt] = {
    "probe": _probe, "glance": _glance, "secrets": _secrets, "objects": _objects, "owner": _owner, "all_of_it": _all_of_it,
    "probe_and_objects": _probe_and_objects,
}  # fmt: skip
BORROWED = (
    "unusual_instances",
    "admin_user",
    "role_trust",
    "login_profile",
    "trail_stop",
    "secrets_harvest",
    "recon_burst",
)
TOOLS = (
    "aws-cli/2.12.7 Python/3.11.4 Linux/6.3.0-kali1-amd64 exe/x86_64.kali.2023 prompt/off command/sts.get-caller-identity",
    "Boto3/1.26.165 Python/3.11.2 Linux/6.1.0-kali9-amd64 Botocore/1.29.165",
    "TruffleHog",
    "python-requests/2.31.0",
    "Boto3/1.33.2 md/Botocore#1.33.2 ua/2.0 os/linux#6.5.0-13parrot1-amd64 md/arch#x86_64 lang/python#3.11.2",
    "aws-sdk-go-v2/1.21.2 os/linux lang/go#1.20.7 md/GOOS#linux md/GOARCH#amd64",
    "S3 Browser/11.6.7 (https://s3browser.com)",
)


def _break_ins(tenant: Tenant, machines: list[Machine], span: Span, d: Dice) -> list[Campaign]:
    able = [m for m in machines if m.archetype not in IMMUNE]
    count = min(len(able), 1 if d.chance(0.75) else 2)
    found = list[Campaign]()
    for number, victim in enumerate(d.some(able, count)):
        name = d.pick([*BLUNT, *BLUNT, *BORROWED])
        at = span.low + int(span.length * (0.05 + 0.8 * d.random() if number or d.chance(0.5) else 0.0))
        origin = "external" if d.chance(0.65) else "inside"
        act = _at(name, at % DAY, min(d.pick([0.2, 1.0, 4.0, 12.0]), (span.low + span.length - at) / 200), d)
        made = Technique(f"first_{name}", act, "", (), lambda machine: True)
        found.append(Campaign(number, at // DAY, made, origin, victim, Manner(quiet=1.0, looks=0.0)))
    return found


def _at(name: str, second: int, gap: float, d: Dice) -> Act:
    """A raid that begins at a second, from a place and with a program of its own."""
    abroad = [basics.TOR, basics.TOR, basics.VPN, basics.RESIDENTIAL_ABROAD]
    where = d.pick([*abroad, *basics.ISPS.values(), *basics.HOSTING.values()])
    tool = d.pick(TOOLS) if d.chance(0.45) else ""

    def play(raid: Raid) -> None:
        raid.outlook = Outlook(lambda x: basics.address(x, where), tool or raid.outlook.agent)
        raid.move()
        raid.clock = float(second)
        if name in BLUNT:
            BLUNT[name](raid, gap)
        else:
            REGISTER[name].act(raid)

    return play


# ---- companies


def _of_product(product: str) -> list[ProductTechnique]:
    return [t for t in PRODUCT_TECHNIQUES.values() if set(t.parts) <= set(PARTS[product].split())]


def _company(world: World, span: Span, techniques: Callable[[str], list[ProductTechnique]] | None, d: Dice) -> Told:
    tenant = peaceful(world)
    workers.hire(tenant)
    product = d.pick([name for name in PARTS if name in tenant.staff])
    staff = tenant.staff[product]
    machines, people = [w for w in staff if not w.human], [w for w in staff if w.human]
    tenant.staff[product] = d.some(machines, d.between(2, 14)) + d.some(people, d.between(0, 4))
    tenant.happenings = []
    able = techniques(product) if techniques else []
    tenant.campaigns = []
    for number, technique in enumerate(d.some(able, len(able))):
        cast = cast_of(tenant, technique, 0, set(), d)
        if cast is not None:
            tenant.campaigns = [ProductCampaign(number, 0, technique, d.pick(ORIGINS), cast)]
            break
    days = _shown(of_company(world, tenant), world.start, span, product)
    return frozenset(people_of(tenant.company.aws, tenant)), days
