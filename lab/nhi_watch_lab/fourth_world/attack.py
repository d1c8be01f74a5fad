"""Techniques, and the campaign that plays them.

name | origins | phases apart by //, each product:victims:steps. A step is a call with * counts; ^ marks what
the technique is about, ? what may be left out, @ what it is done to, ~ a blank. Victims are kinds of session
or of machine; `role` is a role taken over with the one before, `new` a user made by it.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from nhi_watch_lab.fourth_world import model
from nhi_watch_lab.fourth_world.calls import AWS_CALLS
from nhi_watch_lab.fourth_world.life import OPENERS, World, local, source_of
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, Dice, Machine, Person, Principal, Session, Source
from nhi_watch_lab.tables import text

# ---- how stolen identities are misused: one line a technique

_TEXT = text(__file__, "techniques.txt")


class Step(NamedTuple):
    call: str
    low: int
    high: int
    core: bool
    optional: bool
    args: Tuple[Tuple[str, str], ...]


class Phase(NamedTuple):
    product: str
    victims: Tuple[str, ...]
    steps: List[Step]


class Technique(NamedTuple):
    name: str
    origins: str
    phases: List[Phase]


def _step(text: str) -> Step:
    body, *pairs = text.lstrip("^?").split("@", 1)
    call, _, counts = body.partition("*")
    low, _, high = (counts or "1").partition("-")
    args = tuple((k, v.replace("~", " ")) for k, v in (pair.split("=", 1) for pair in pairs))
    return Step(call.replace("~", " "), int(low), int(high or low), text[0] == "^", text[0] == "?", args)


def _phase(text: str) -> Phase:
    product, victims, steps = text.split(":", 2)
    return Phase(product, tuple(victims.split(",")), [_step(word) for word in steps.split()])


def _technique(line: str) -> Technique:
    name, origins, phases = line.split("|")
    return Technique(name, origins, [_phase(text) for text in phases.split("//")])


TECHNIQUES: Dict[str, Technique] = {t.name: t for t in map(_technique, _TEXT.strip().splitlines())}
QUIET = "reuse-in-place"


# ---- incidents: who is robbed, by whom, how fast, and every step through World.act

INFRASTRUCTURE = {"hosting": 0.3, "vpn": 0.2, "tor": 0.07, "proxy": 0.12, "home": 0.12, "aws": 0.11, "azure": 0.05, "gcp": 0.03}
# What is looked at before the deed.
SCOUT: Dict[str, List[str]] = {
    "cloudtrail": "sts:GetCallerIdentity iam:GetUser iam:ListUsers iam:ListRoles s3:ListBuckets ec2:DescribeInstances ec2:DescribeRegions iam:ListAttachedRolePolicies lambda:ListFunctions20150331 iam:GetAccountSummary kms:ListKeys rds:DescribeDBInstances ec2:DescribeSecurityGroups organizations:DescribeOrganization cloudtrail:DescribeTrails".split(),
    "okta": ["app.oauth2.token.grant.access_token", "system.import.user.complete", "system.org.rate_limit.warning"], "entra": ["signin"], "m365": ["MailItemsAccessed", "FileAccessed", "SearchQueryPerformed", "ListViewed"],
    "gcp": ["ListProjects", "GetIamPolicy", "storage.buckets.list", "google.iam.admin.v1.ListServiceAccounts", "v1.compute.instances.list"], "github": ["api.request", "git.clone", "git.fetch"],
    "kubernetes": ["create selfsubjectrulesreviews", "list pods", "list namespaces", "get secrets", "list services"], "snowflake": ["login", "showtables", "infoschema", "showgrants"], "vault": ["lookup self", "list kv", "list mounts", "read kv"]}
PACES = {"fast": 0.4, "hand": 0.35, "slow": 0.25}


class Incident(NamedTuple):
    technique: str
    origin: str
    identity: str
    distinguishable: bool
    also: List[str]


class Hand:
    """The attacker's standing while using one identity: source, client and session at a time."""

    def __init__(self, world: World, dice: Dice, origin: str, technique: Technique) -> None:
        self.world, self.dice, self.origin = world, dice, origin
        self.kind = dice.weighted(INFRASTRUCTURE)
        country = world.tenant.ids["country"] if dice.chance(0.15) else ""
        self.sources = [model.address(dice, self.kind, country) for _ in range(dice.randint(2, 9) if dice.chance(0.25) else 1)]
        able = [p for p in world.people if all(phase.product in p.agents for phase in technique.phases)]
        self.insider: Optional[Person] = dice.pick(able) if origin == "inside" and able and dice.chance(0.25) else None
        self.foreign_tool = dice.chance(0.8 if origin == "external" else 0.45)
        self.family = dice.pick(["evil", "evil", "evil", "laptop"]) if origin == "external" else dice.pick(["cli", "evil", "cli"])
        self.own_things = dice.chance(0.35)
        self.agents: Dict[str, str] = {}
        self.taken: Optional[Session] = None
        self.base: Optional[Machine] = None
        account = dice.digits(12)
        self.made: Dict[str, str] = {"strangerid": account, "stranger": f"arn:aws:iam::{account}:{dice.pick(['root', 'user/admin', 'role/ops'])}"}
        self.spots: Dict[str, Tuple[int, Optional[Source], str]] = {}
        self.region = "" if dice.chance(0.8) else dice.pick(world.tenant.regions + list(model.REGION_CITY)[:3])
        self.roams = any(word in technique.name for word in ("mining", "model")) and dice.chance(0.5)

    def _spot(self, m: Machine, t: int) -> Tuple[Source, str]:
        """One host of the victim, kept for a while."""
        since, home, host = self.spots.get(m.who.label, (-DAY, None, ""))
        if home is None or t - since > 50 * MINUTE:
            home, host = self.world.where(m, t, self.dice)
            self.spots[m.who.label] = (t, home, host)
        return home, host

    def stand(self, m: Machine, t: int) -> Tuple[Source, str, Session]:
        world, product = self.world, m.who.product
        home, host = self._spot(self.base or m, t)
        usual = world.agent(self.base or m, t)
        session = self.taken or world.session(m, t, home, host, usual)
        if self.insider:
            return source_of(world, self.insider, t), self.insider.agents[product], session
        if product not in self.agents:
            family = self.family if product == "cloudtrail" or self.family != "cli" else "go"
            self.agents[product] = model.client(self.dice, product, family) if self.foreign_tool and not (self.origin == "inside" and (self.base or m).place.style == "service") else ""
        agent = self.agents[product] or usual
        return (home if self.origin == "inside" else self.dice.pick(self.sources)), agent, session


def _victims(world: World, phase: Phase, t: int) -> List[Machine]:
    names = set(phase.victims)
    return [m for m in world.machines if m.who.product == phase.product and m.born + DAY // 2 <= t < m.dies - DAY // 2 and m.session not in ("slr", "cfn")
            and ("any" in names or m.session in names or m.kind in names)]


def _visible(world: World, step: Step, product: str) -> bool:
    return product != "cloudtrail" or world.data_events or not AWS_CALLS[step.call].data


def playable(world: World) -> List[Technique]:
    """The techniques for which this tenant has products, victims and eyes."""
    out = []
    for technique in TECHNIQUES.values():
        real = [p for p in technique.phases if p.victims[0] not in ("role", "new")]
        if all(p.product in world.tenant.products and _victims(world, p, world.end - 2 * DAY) for p in real) and any(s.core and _visible(world, s, technique.phases[0].product) for s in technique.phases[0].steps):
            out.append(technique)
    return out


def _choose(world: World, dice: Dice, phase: Phase, t: int, origin: str, used: Set[str]) -> Optional[Machine]:
    """A victim not robbed before for whom, from within, the core is something new."""
    core = {s.call for s in phase.steps if s.core}
    many = any(s.high >= 20 for s in phase.steps if s.core)
    good = [m for m in _victims(world, phase, t) if origin == "external" or many or not core <= {c for c, _ in m.mix}]
    external = origin == "external"
    good = [m for m in good if not (external and m.place.style == "service")]
    alike = [m for m in good if many and core & {c for c, _ in m.mix}]
    good = alike if alike and not external and dice.chance(0.6) else good
    fresh = [m for m in good if m.who.label not in used]
    lively = [m for m in fresh if m.rhythm.style not in ("monthly", "quarter")]
    return dice.pick(lively or fresh or good) if good else None


def _plan(world: World, dice: Dice, phase: Phase, pace: str, brief: bool) -> List[Step]:
    steps = [s for s in phase.steps if _visible(world, s, phase.product) and not (s.optional and dice.chance(0.35))]
    if brief:
        core = [s for s in steps if s.core]
        return [s._replace(low=1, high=1) for s in core[-dice.randint(1, 3):]]
    limit = {"fast": 1.0, "hand": 0.3, "slow": 0.4}[pace]
    plan: List[Step] = []
    for s in steps:
        count = max(s.low if s.high < 10 else 1, int(dice.wide(s.low, s.high + 0.99) * (limit if s.high >= 10 else 1.0)))
        plan += [s] * count
    if len(plan) < 4 and dice.chance(0.75):
        plan = [Step(dice.pick(SCOUT[phase.product]), 1, 1, False, True, ()) for _ in range(dice.randint(2, 6))] + plan
    return plan


def _moment(world: World, dice: Dice, earliest: int, span: int, working_hours: bool) -> int:
    latest = max(earliest + 1, world.end - span - HOUR)
    for _ in range(40):
        t = int(dice.between(earliest, latest))
        if not working_hours or (7 <= local(world, t).hour <= 20 and local(world, t).weekday() < 5):
            break
    return t


class Campaign:
    """Plays all incidents of a tenant."""

    def __init__(self, world: World, history_end: int, padded: bool) -> None:
        self.world, self.earliest, self.padded = world, history_end, padded
        self.used: Set[str] = set()
        self.incidents: List[Incident] = []

    def play(self, count: int) -> None:
        dice = self.world.tenant.dice("campaign")
        quiet = min(dice.pick([0, 1, 1, 2]), count // 8)
        techniques = playable(self.world)
        dice.shuffle(techniques)
        for i in range(count * 4):
            if len(self.incidents) >= count - quiet or not techniques:
                break
            self._incident(self.world.tenant.dice("incident", i), techniques[i % len(techniques)])
        for i in range(quiet):
            self._quiet(self.world.tenant.dice("quiet", i), {m.who.label: m for m in self.world.machines})

    def _origin(self, dice: Dice, technique: Technique) -> str:
        if technique.origins != "b":
            return {"e": "external", "i": "inside"}[technique.origins]
        outside = sum(1 for i in self.incidents if i.origin == "external")
        return "external" if outside * 2 < len(self.incidents) or (outside * 2 == len(self.incidents) and dice.chance(0.5)) else "inside"

    def _incident(self, dice: Dice, technique: Technique) -> None:
        world, origin = self.world, self._origin(dice, technique)
        pace, brief = dice.weighted(PACES), dice.chance(world.tenant.habits["brief"])
        hand = Hand(world, dice, origin, technique)
        plans = [_plan(world, dice, phase, pace, brief and i == 0) for i, phase in enumerate(technique.phases)]
        plans = plans[:1] if brief else plans
        span = int(dice.between(0.7, 5.5) * DAY) if pace == "slow" else 0
        span = min(span, int((world.end - self.earliest) * 0.7))
        steps = sum(map(len, plans))
        gap: Callable[[], float] = {"fast": lambda: dice.wide(0.15, 5) * 1000, "hand": lambda: dice.wide(12, 500) * 1000, "slow": lambda: dice.wide(0.3, 1.7) * span / max(1, steps)}[pace]
        t = _moment(world, dice, self.earliest, span + HOUR * 6, hand.insider is not None)
        denied = dice.pick([0.0, 0.05, 0.3, 0.7])
        victim: Optional[Machine] = None
        number, start, also = len(self.incidents), len(world.events), []
        first: Optional[Machine] = None
        for phase, plan in zip(technique.phases, plans):
            victim = self._next(dice, phase, t, origin, hand, victim, number)
            if victim is None:
                break
            also += [victim.who.label] if first else []
            if first is None:
                first = victim
                self._names(dice, technique, hand, victim)
            for step in plan:
                self._step(dice, hand, victim, step, t, number, denied)
                t = min(t + int(gap()) + 50, world.end - 1)
        if first and any(e.tag == 2 * number for e in world.events[start:]):
            self.used.add(first.who.label)
            self.incidents.append(Incident(technique.name, origin, first.who.label, True, also))

    def _next(self, dice: Dice, phase: Phase, t: int, origin: str, hand: Hand, before: Optional[Machine], number: int) -> Optional[Machine]:
        """The identity of the phase: a victim, a role taken with the last one's rights, or a user made by it."""
        world, hand.taken, hand.base = self.world, None, None
        if phase.victims[0] == "new" and before:
            hand.taken, hand.base = Session("", hand.made["akia"], t, "console" if "signin" in phase.steps[0].call else "key"), before
            known = [m.who for m in world.machines if m.who.kind == "user" and (m.who.account, m.who.name) == (before.who.account, hand.made["user"])]
            who = known[0] if known else Principal("cloudtrail", "user", hand.made["user"], hand.made["aida"], before.who.account)
            return Machine(who, "new", before.agent, before.place, before.rhythm, 1.0, before.mix, [], "key", DAY, before.region, t, world.end)
        if phase.victims[0] == "role" and before:
            roles = [m for m in world.machines if m.who.kind == "role" and m.session not in ("slr", "cfn", "vendor") and m is not before]
            if not roles:
                return None
            m = dice.pick(roles)
            source, agent, session = hand.stand(before, t)
            hand.base, hand.taken = before, Session(dice.pick([f"botocore-session-{t // 1000}", before.who.name[:30], "admin", dice.hexes(8), m.who.name]), "ASIA" + dice.base32(16), t, "role")
            args = {"role": m.who.name, "account": m.who.account, "sname": hand.taken.name, "newkey": hand.taken.key, "aroa": m.who.id, "region": before.region}
            world.act(dice, before.who, "sts:AssumeRole", t - 900, source, agent, session, None, tag=2 * number, args=args)
            return m
        return _choose(world, dice, phase, t, origin, self.used)

    def _names(self, dice: Dice, technique: Technique, hand: Hand, victim: Machine) -> None:
        """The user that a later phase will be: its name, id and key are what the records of its making say."""
        if technique.phases[-1].victims[0] == "new":
            made = any(s.call == "iam:CreateUser" for s in technique.phases[0].steps)
            name = dice.pick(self.world.tenant.apps) + dice.pick(["-svc", "-backup", "_admin", "-ro"]) if made else dice.pick(self.world.tenant.things(victim.who.account, "user"))
            hand.made = {**hand.made, "user": name, "newuser": name, "akia": "AKIA" + dice.base32(16), "aida": "AIDA" + dice.base32(17)}

    def _step(self, dice: Dice, hand: Hand, victim: Machine, step: Step, t: int, number: int, denied: float) -> None:
        world = self.world
        source, agent, session = hand.stand(victim, t)
        args = {"region": dice.pick(list(model.REGION_CITY)) if hand.roams else hand.region or victim.region, "host": session.name, **hand.made, **dict(step.args)}
        error = "denied" if dice.chance(denied * (0.4 if step.core else 1.0)) else ""
        opener = OPENERS.get(victim.who.product)
        if opener and step.call != "login" and dice.chance(0.15):
            world.act(dice, victim.who, "login kubernetes" if victim.session == "k8s" else opener, t - 600, source, agent, session, victim.slots, tag=2 * number)
        world.act(dice, victim.who, step.call, t, source, agent, session, dict(victim.slots) if hand.own_things and dice.chance(0.5) else None, 0.0, error, 2 * number, args)
        if self.padded:
            for _ in range(dice.count(1.3)):
                call = dice.weighted(dict(victim.mix))
                world.act(dice, victim.who, call, min(t + dice.randint(20, 4000), world.end - 1), source, agent, session, victim.slots, 0.02, "", 2 * number + 1, {"region": victim.region, "host": session.name})

    def _quiet(self, dice: Dice, machines: Dict[str, Machine]) -> None:
        """One to three of the victim's usual calls on its usual things, in its place: nobody can tell."""
        world, number = self.world, len(self.incidents)
        times = sorted((e.t, e.who.label) for e in world.events if e.tag < 0 and e.t > self.earliest and e.who.label in machines and e.who.label not in self.used)
        t, label = dice.pick(times) if times else (0, "")
        if label not in machines:
            return
        victim = machines[label]
        source, host = world.where(victim, t, dice)
        session = world.session(victim, t, source, host, world.agent(victim, t))
        before = len(world.events)
        for i in range(dice.randint(1, 3)):
            world.act(dice, victim.who, dice.weighted(dict(victim.mix)), t + (i + 1) * dice.randint(900, 9000), source, world.agent(victim, t), session, victim.slots, tag=2 * number, args={"host": host, "region": victim.region})
        if len(world.events) > before:
            self.used.add(label)
            self.incidents.append(Incident(QUIET, "inside", label, False, []))
