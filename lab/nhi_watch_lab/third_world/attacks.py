"""Techniques, and the intruder who plays them.

victims: product, then optional kinds or powers. Steps: op, `op*2-5` so many times, `?` may be left out, `!` what the
short form keeps, `@user` `@role` `@fed` go on as another user's new key, an assumed role, a federated session;
`>product` goes on as a machine of that product; `own*3-6` the victim's usual work.
"""

from dataclasses import dataclass, field, replace
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from nhi_watch_lab.tables import lists, text
from nhi_watch_lab.third_world.life import by_hand, office_time, refused, steal
from nhi_watch_lab.third_world.logs import console_login, federated_block, role_block, session_name, user_block, write_issue
from nhi_watch_lab.third_world.model import ATTACK_SDKS, DAY, HOUR, MINUTE, Client, Credential, Host, Identity, Rand, World, address

# ---- what thieves do: `name | victims | steps | values`

class Technique(NamedTuple):
    name: str
    product: str
    only: List[str]
    steps: List[str]
    values: List[Tuple[str, str]]

    @property
    def products(self) -> List[str]:
        return [self.product] + [step[1:] for step in self.steps if step.startswith(">")]


TEXT = text(__file__, "techniques.txt")


def parse() -> Dict[str, Technique]:
    found: Dict[str, Technique] = {}
    for line in TEXT.strip().splitlines():
        name, victims, steps, values = [part.strip() for part in (line + " ").split(" |", 3)]
        product, *only = victims.split()
        pairs = [(item.partition("=")[0], item.partition("=")[2].replace("_", " ")) for item in values.split()]
        found[name] = Technique(name, product, only[0].split(",") if only else [], steps.split(), pairs)
    return found


TECHNIQUES = parse()
UNSEEN = "own_work"


# ---- plays the techniques on stolen or misused credentials, after the quiet days

HOMES = [("hosting", 3.5), ("vpn", 2.0), ("tor", 0.8), ("home", 1.7), ("mobile", 0.3), ("azure", 0.4), ("gcp", 0.5),
         ("aws:us-east-1", 0.6), ("aws:eu-central-1", 0.5)]

ROUND = lists(__file__, "tables.json/round")


@dataclass
class Incident:
    """One theft as it unfolds: whose identity, from where, and what it made up on the way."""

    number: int
    technique: Technique
    origin: str
    pace: str
    short: bool
    victim: Identity
    rand: Rand
    home: str = ""
    ips: List[str] = field(default_factory=list)
    client: Optional[Client] = None
    tool: Optional[Client] = None
    values: Dict[str, str] = field(default_factory=dict)
    id: str = ""
    first: int = 0
    last: int = 0


def steps_of(technique: Technique, short: bool, rand: Rand) -> List[str]:
    """The plan as a flat list of steps; the short form keeps one to three of the telling ones."""
    plan: List[str] = []
    for raw in technique.steps:
        core, step = "!" in raw[:2], raw.lstrip("?!")
        if short and not core and not raw.startswith(">"):
            continue
        if not short and raw.startswith("?") and rand.chance(0.45):
            continue
        name, _, times = step.partition("*")
        low, _, high = times.partition("-")
        count = 1 if short or not times else int(rand.logbetween(int(low), int(high or low) + 0.99))
        plan += [name] * count
    if not short and len(plan) < 4:
        around = [raw.lstrip("?!").partition("*")[0] for raw in technique.steps if raw.startswith("?")] + ROUND[technique.product]
        plan = [rand.pick(around) for _ in range(rand.whole(2, 5))] + plan
        plan += [] if any(step.startswith(">") for step in plan) else [rand.pick(around) for _ in range(rand.whole(0, 2))]
    if short:
        plan = plan[:next((n for n, step in enumerate(plan) if step.startswith(">")), len(plan))] or plan
        return [step for step in plan if step[0] not in "@>" and step != "console"][:rand.whole(1, 3)] or plan[:1]
    return plan


def fits(world: World, who: Identity, technique: Technique, origin: str) -> bool:
    if who.product != technique.product or not who.sessions or who.kind in ("linked", "entra-mi"):
        return False
    if technique.only and who.kind not in technique.only and who.power not in technique.only:
        return False
    return not (origin == "external" and who.kind == "k8s-node")


def choose(world: World, technique: Technique, origin: str, used: Set[int], rand: Rand) -> Optional[Identity]:
    """A victim able to do at least part of it, preferably; each machine at most once."""
    begin = world.at(world.history, 0)
    able = [m for m in world.machines if id(m) not in used and fits(world, m, technique, origin)
            and any(c.expires > begin for c in m.sessions)]
    telling = [world.ops[s.lstrip("?!").split("*")[0]] for s in technique.steps if "!" in s[:2]
               and s.lstrip("?!").split("*")[0] in world.ops]
    strong = [m for m in able if not telling or not refused(world, m, telling[0])]
    pool = strong if strong and rand.chance(0.75) else able
    return rand.pick(pool) if pool else None


def equip(world: World, incident: Incident, rand: Rand) -> None:
    """The thief's networks, clients and the names they will use."""
    product = incident.technique.product
    incident.home = rand.weighted(HOMES)
    incident.ips = [address(rand, incident.home) for _ in range(1 if rand.chance(0.7) else rand.whole(2, 5))]
    incident.client = Client(rand, rand.weighted(ATTACK_SDKS), own=rand.chance(0.5)) if product == "cloudtrail" else by_hand(
        rand, product, own=True)
    if rand.chance(0.15):
        incident.client = incident.victim.client
    if incident.origin == "inside" and rand.chance(0.25):
        incident.tool = by_hand(rand, product)
    incident.values = dict(incident.technique.values)
    incident.values["foreign"] = rand.digits(12) if incident.origin == "external" or rand.chance(0.7) else world.accounts[0].id
    incident.values["member"] = f"user:{rand.letters(7).lower()}{rand.whole(1, 99)}@gmail.com"
    if incident.values.get("cidr") and rand.chance(0.5):
        incident.values["cidr"] = f"{incident.ips[0]}/32"


def disguise(world: World, incident: Incident, who: Identity, cred: Credential) -> Credential:
    """The credential as this thief presents it: from outside, or in the workload's own clothes."""
    rand = incident.rand
    if incident.origin == "inside":
        tool = incident.tool if incident.tool and who.product == incident.technique.product else None
        return replace(cred, client=tool or cred.client)
    client = incident.client
    if client is None or who.product != incident.technique.product:
        client = incident.client = by_hand(rand, who.product, own=True)
    return replace(cred, ip=rand.pick(incident.ips), private="", service="", client=client)


def take(world: World, incident: Incident, who: Identity, time: int) -> Tuple[int, Credential]:
    """The stolen credential at this time; a web-identity token may be changed for keys by the thief."""
    rand = incident.rand
    time, cred = steal(who, time, world.at(world.days, -HOUR), rand)
    shown = disguise(world, incident, who, cred)
    if incident.origin == "external" and who.kind in ("irsa", "gha") and rand.chance(0.25):
        host = Host(rand.digits(11), shown.ip, "", shown.client, time)
        key, name = "ASIA" + rand.letters(16), session_name(who, host, time, rand)
        shown = replace(shown, key=key, name=name, created=time, expires=time + HOUR, block=role_block(who, name, key, time))
        write_issue(world, time, who, host, shown, rand, incident.id)
        time += rand.whole(1000, 30000)
    return time, shown


def pause(world: World, incident: Incident, rand: Rand) -> float:
    if incident.pace == "fast":
        return rand.waiting(1800) + 30
    if incident.pace == "hand":
        return rand.waiting(40000) + 2000 if rand.chance(0.93) else rand.waiting(30 * MINUTE)
    return rand.waiting(9 * HOUR)


def other_user(world: World, incident: Incident, who: Identity) -> Identity:
    """Another IAM user of the account, whose key the thief makes, or one just created."""
    users = [i for i in world.machines + world.people if i.kind == "user" and i.account is who.account and i is not who]
    name = incident.values.get("user") or incident.values.get("newname") or "svc-user"
    for user in users:
        if user.name == name:
            return user
    made = replace(who, name=name, kind="user", label=f"arn:aws:iam::{who.account.id}:user/{name}",
                   unique="AIDA" + incident.rand.letters(17), sessions=[], slots={}, resources={}, power="admin")
    return made


def turn(world: World, incident: Incident, step: str, who: Identity, time: int, cred: Credential) -> Tuple[Identity, Credential]:
    """Go on as someone else the first identity opened the door to."""
    rand = incident.rand
    if step == "@user":
        user = other_user(world, incident, who)
        key = incident.values.get("akia") or "AKIA" + rand.letters(16)
        return user, replace(cred, key=key, name=user.name, block=user_block(user, key))
    if step == "@fed":
        key = "ASIA" + rand.letters(16)
        return who, replace(cred, block=federated_block(who, incident.values.get("newname", "ops"), key, time), key=key)
    roles = [m for m in world.machines if m.product == "cloudtrail" and m.account is who.account and m is not who
             and m.kind not in ("user", "linked", "saas")]
    role = next((m for m in roles if m.name == incident.values.get("role")), rand.pick(roles) if roles else who)
    key, name = "ASIA" + rand.letters(16), rand.pick([cred.name, "session", f"botocore-session-{time // 1000}", who.name])
    shown = replace(role, kind="chained", extra=dict(role.extra, via=cred.block), sessions=[], slots={})
    assumed = replace(cred, key=key, name=name, created=time, expires=time + HOUR, block=role_block(shown, name, key, time))
    write_issue(world, time, shown, Host(name, cred.ip, "", cred.client, time), assumed, rand, incident.id)
    return role, assumed


def fix_names(world: World, incident: Incident, step: str, who: Identity, time: int) -> None:
    """Names that later steps refer to stay the same through an incident."""
    texts = world.ops[step].params
    for name in ("newname", "user", "akia", "session"):
        if f"${name}" in texts + world.ops[step].reply and name not in incident.values and name != "session":
            incident.values[name] = world.value(name, who, time, incident.rand, True)
    if step == "iam:CreateUser":
        incident.values["user"] = incident.values["newname"]


def perform(world: World, incident: Incident, who: Identity, step: str, cred: Credential, time: int) -> None:
    rand = incident.rand
    tag = incident.id
    own = step == "own" or step not in world.ops
    key = rand.weighted(who.ops) if own and who.ops else ("sts:GetCallerIdentity" if own else step)
    if not own and world.ops[key].kind == "W":
        fix_names(world, incident, key, who, time)
    values = {} if own else {k: v for k, v in incident.values.items() if k not in ("namespace",)}
    values.pop("role", None)
    if not own and key in ("iam:CreateUser", "iam:CreateAccessKey") and "akia" not in values:
        values["akia"] = incident.values.setdefault("akia", "AKIA" + rand.letters(16))
    elif "CreateAccessKey" not in key:
        values.pop("akia", None)
    error = "denied" if refused(world, who, world.ops[key]) else ("throttled" if rand.chance(0.004) else "")
    world.do(time, who, key, cred, rand, tag=tag, error=error, wide=not own, given=values)
    incident.first = incident.first or time
    incident.last = max(incident.last, time)


def pad(world: World, incident: Incident, who: Identity, cred: Credential, time: int) -> int:
    """Harmless calls of the victim's own kind, to blur what is being done."""
    rand = incident.rand
    for _ in range(rand.count(1.4)):
        key = rand.weighted(who.ops) if who.ops else "sts:GetCallerIdentity"
        error = "denied" if refused(world, who, world.ops[key]) else ""
        world.do(time, who, key, cred, rand, tag=incident.id + "+", error=error)
        time += int(rand.waiting(2500)) + 100
    return time


def play(world: World, incident: Incident, padded: bool) -> None:
    """Walk the plan from the first stolen credential to the last call."""
    rand, who = incident.rand, incident.victim
    equip(world, incident, rand)
    days = world.days - world.history
    day = world.history + rand.between(0, max(0.2, days * (0.6 if incident.pace == "slow" else 0.97)))
    start = world.at(int(day), office_time(world, rand) if rand.chance(0.5) else rand.between(0, DAY - HOUR))
    time, cred = take(world, incident, who, start)
    end = world.at(world.days, -MINUTE)
    lasting = True
    for step in steps_of(incident.technique, incident.short, rand):
        if time >= end:
            break
        if step.startswith(">"):
            later = choose(world, Technique("", step[1:], [], [], []), incident.origin, set(), rand)
            if later is None:
                break
            who, (time, cred) = later, take(world, incident, later, time + int(rand.between(1, 40) * MINUTE))
            continue
        if step.startswith("@"):
            who, cred = turn(world, incident, step, who, time, cred)
            lasting = step == "@user"
            continue
        if step == "console":
            cred = replace(cred, client=Client(rand, rand.pick(["browser", "firefox", "safari"])))
            console_login(world, time, who, cred, rand, mfa=False, tag=incident.id)
            key = "ASIA" + rand.letters(16)
            cred = replace(cred, key=key, block=dict(cred.block, accessKeyId=key))
            time += int(pause(world, incident, rand))
            continue
        if cred.expires <= time and lasting:
            time, cred = take(world, incident, who, time)
        elif incident.pace == "slow" and incident.origin == "external" and rand.chance(0.3):
            incident.ips.append(address(rand, incident.home))
            cred = disguise(world, incident, who, cred)
        perform(world, incident, who, step, cred, time)
        time += int(pause(world, incident, rand))
        if padded and incident.technique.name != UNSEEN:
            time = pad(world, incident, who, cred, time)


def deck(world: World, count: int, rand: Rand) -> List[Technique]:
    """Techniques the tenant's products allow, each once before any comes twice."""
    products = {m.product for m in world.machines}
    usual = [t for t in TECHNIQUES.values() if t.name != UNSEEN and set(t.products) <= products]
    hidden = min(world.habits["indistinguishable"], count // 8)
    found = [TECHNIQUES[UNSEEN]] * hidden
    while len(found) < count:
        found += rand.shuffled(usual)
    return rand.shuffled(found[:count])


def attack(world: World, count: int, padded: bool) -> List[Incident]:
    """All incidents of a tenant. Their tags on the records are the labels."""
    rand = Rand(world.seed, "attacks")
    found: List[Incident] = []
    used: Set[int] = set()
    origins = rand.shuffled(["external", "inside"] * (count // 2 + 1))
    plans = deck(world, count, rand)
    open_plans = [number for number, technique in enumerate(plans) if technique.name != UNSEEN]
    short = set(rand.some(open_plans, round(world.habits["short_incidents"] * count)))
    for number, technique in enumerate(plans):
        own = Rand(world.seed, "incident", number)
        origin = "inside" if technique.name == UNSEEN else origins[number]
        for _ in range(6):
            victim = choose(world, technique, origin, used, own)
            if victim is None:
                break
            pace = own.weighted([("fast", 4.0), ("hand", 4.0), ("slow", 2.5)])
            incident = Incident(number, technique, origin, pace, number in short, victim, own, id=f"incident-{number + 1:03d}")
            used.add(id(victim))
            try:
                play(world, incident, padded)
            except LookupError:
                if not incident.first:
                    continue
            if incident.first:
                found.append(incident)
                break
    return found
