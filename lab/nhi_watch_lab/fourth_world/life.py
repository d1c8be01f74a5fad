"""The days of a machine: runs by its rhythm, accidents, news, and people who borrow it."""
from datetime import datetime, timedelta, timezone
from typing import Dict, List, Optional

from . import net
from .aws_calls import AWS_CALLS
from .dice import Dice
from .model import DAY, HOUR, MINUTE, Machine, Person, Session
from .people import source_of
from .world import OPENERS, World

ERRORS = {"cloudtrail": ["denied", "throttled", "missing", "invalid", "expired"], "kubernetes": ["denied", "missing", "conflict"], "snowflake": ["invalid", "denied"]}
DEBUG: Dict[str, List[str]] = {
    "cloudtrail": "sts:GetCallerIdentity s3:ListBuckets s3:ListObjects s3:GetObject logs:FilterLogEvents logs:DescribeLogGroups ssm:DescribeParameters ssm:GetParameter secretsmanager:ListSecrets secretsmanager:GetSecretValue iam:GetRole iam:ListAttachedRolePolicies ec2:DescribeInstances sqs:GetQueueAttributes dynamodb:Scan kms:DescribeKey glue:GetTables athena:StartQueryExecution lambda:GetFunction20150331v2 cloudformation:DescribeStackEvents".split(),
    "kubernetes": ["list pods", "get pods/log", "create pods/exec", "get deployments", "list events", "get configmaps", "get secrets", "create selfsubjectaccessreviews", "list secrets", "patch deployments"],
    "gcp": ["ListProjects", "storage.buckets.list", "storage.objects.list", "storage.objects.get", "GetIamPolicy", "google.logging.v2.LoggingServiceV2.ListLogEntries", "google.cloud.bigquery.v2.JobService.Query"],
    "snowflake": ["login", "select", "showtables", "infoschema", "aggregate", "dump", "showgrants"],
    "vault": ["login approle", "lookup self", "read kv", "list kv", "list root", "read policy"],
    "github": ["git.clone", "git.fetch", "api.request", "repo.download_zip", "git.push"],
}


def local(world: World, t: int) -> datetime:
    return datetime.fromtimestamp(t / 1000, timezone.utc) + timedelta(hours=world.tenant.utc)


def runs(world: World, m: Machine, day: int, dice: Dice) -> List[int]:
    """Moments at which the machine sets to work on the day."""
    beat, noon = m.rhythm, local(world, day + 12 * HOUR)
    weekend = noon.weekday() > 4
    fixed = day + int((beat.hour - world.tenant.utc) % 24 * HOUR) + int(dice.gauss(0, 1) * MINUTE)
    if beat.style == "steady":
        gap = DAY / beat.per_day
        phase = gap * (len(m.who.label) * 37 % 100) / 100
        return [day + int((phase + gap * i) % DAY + dice.gauss(0, 0.02) * gap) for i in range(int(round(beat.per_day)))]
    if beat.style == "hourly":
        return [day + int((i * 24 / beat.per_day + beat.hour % 1) * HOUR) + dice.randint(0, 40) * 1000 for i in range(int(beat.per_day))]
    if beat.style in ("office", "deploy"):
        quiet = {"retailer": 0.8, "hospital": 0.6}.get(world.tenant.industry, 0.15) if beat.style == "office" else 0.06
        return [day + int((max(0.0, dice.gauss(13.0, 2.9)) - world.tenant.utc) % 24 * HOUR) for _ in range(dice.count(beat.per_day * (quiet if weekend else 1.0)))]
    if beat.style == "batch":
        return [day + int(dice.random() * DAY) for _ in range(dice.count(beat.per_day))]
    due = {"weekly": noon.weekday() == beat.weekday, "monthly": noon.day == beat.monthday, "quarter": noon.day in (beat.monthday, beat.monthday + 1) and noon.month % 3 == 0}
    return [fixed] if due.get(beat.style, True) else []


def expected(m: Machine) -> float:
    """Runs a day."""
    return {"steady": m.rhythm.per_day, "hourly": m.rhythm.per_day, "office": m.rhythm.per_day, "deploy": m.rhythm.per_day, "batch": m.rhythm.per_day,
            "weekly": 0.14, "monthly": 0.05, "quarter": 0.05}.get(m.rhythm.style, 1.0)


def work(world: World, dice: Dice, m: Machine, t: int, calls: List[str], fresh: float = 0.0, error: float = 0.0, moved: bool = False, region: str = "") -> None:
    """One run: the calls in turn from one host with one session."""
    source, host = world.where(m, t, dice)
    if moved and m.place.style not in ("service", "pods", "vpce"):
        source = net.address(dice, "aws" if m.place.style in ("nat", "hosts", "aws") else dice.pick(["azure", "isp", "hosting"]))
    agent = world.agent(m, t)
    session = world.session(m, t, source, host, agent)
    gap = 40 + int(world.tenant.dice("gap", m.who.label).wide(0.03, 25) * 1000)
    failing = m.failing if t >= max([c.t for c in m.changes if c.what == "fail"], default=0) else 0.0
    opener = OPENERS.get(m.who.product)
    if opener:
        world.act(dice, m.who, "login kubernetes" if m.session == "k8s" else opener, t - 900, source, agent, session, m.slots, error="denied" if error > 0.9 else "")
    for call in calls:
        wrong = ""
        if (failing and call == m.mix[0][0] and dice.chance(failing)) or dice.chance(error):
            wrong = "denied"
        elif dice.chance(world.tenant.habits["errors"]):
            wrong = dice.pick(ERRORS.get(m.who.product, ["denied"]))
        args = {"host": host, "region": region or m.region}
        world.act(dice, m.who, call, t, source, agent, session, m.slots, fresh, wrong, args=args)
        t += int(gap * dice.wide(0.4, 2.5))


def _usual(m: Machine, dice: Dice, t: int, count: int) -> List[str]:
    calls = list(m.mix)
    for change in m.changes:
        if change.what == "calls" and change.t <= t:
            calls += [(call, 0.6) for call in change.calls]
    if m.ordered:
        turn = [call for call, weight in calls for _ in range(max(1, int(weight)))]
        return [turn[i % len(turn)] for i in range(count)]
    table = dict(calls)
    return [dice.weighted(table) for _ in range(count)]


def _news(world: World, dice: Dice, m: Machine, day: int, size: int) -> None:
    """Something the machine has not done before, for a good reason."""
    t, what = day + int(dice.random() * DAY), dice.pick(["rare", "rare", "fresh", "burst", "odd", "region", "errors", "moved", "tour"])
    usual = _usual(m, dice, t, max(1, size))
    if what == "rare" and m.rare:
        work(world, dice, m, t, usual[:3] + [dice.pick(m.rare) for _ in range(dice.randint(1, 4))] + usual[3:5])
    elif what == "burst":
        work(world, dice, m, t, _usual(m, dice, t, int(size * dice.wide(4, 30)) % 600), fresh=0.1)
    elif what == "tour":
        family = [c for c in _kin(m) if c not in dict(m.mix)]
        work(world, dice, m, t, usual[:2] + dice.some(family, dice.randint(1, 5)), fresh=0.5, error=dice.pick([0.0, 0.0, 0.5]))
    else:
        work(world, dice, m, t, usual, 0.6 if what == "fresh" else 0.0, 0.7 if what == "errors" else 0.0, what == "moved",
             dice.pick(list(net.REGION_CITY)) if what == "region" else "")


def _kin(m: Machine) -> List[str]:
    """Read calls of the services the machine already uses."""
    if m.who.product != "cloudtrail":
        return m.rare or [call for call, _ in m.mix]
    services = {call.split(":")[0] for call, _ in m.mix}
    return [name for name, call in AWS_CALLS.items() if call.service in services and not call.write and not name.startswith("sts:Assume")]


def live(world: World, m: Machine) -> None:
    """All days of one machine."""
    dice, size = world.tenant.dice("life", m.who.label), m.volume / expected(m)
    for day in range(world.begin, world.end, DAY):
        for t in runs(world, m, day, dice):
            if m.born <= t < m.dies and not (m.rhythm.style in ("steady", "office") and dice.chance(0.04)):
                count = max(1, dice.count(size * (dice.around(1.0, 0.5) if m.rhythm.style != "steady" else 1.0)))
                calls = _usual(m, dice, t, count)
                if m.rhythm.style == "deploy" and m.rare and dice.chance(0.12):
                    calls.insert(len(calls) // 2, dice.pick(m.rare))
                work(world, dice, m, t, calls, fresh=0.02 if m.rhythm.style == "deploy" else 0.002)
        if m.born <= day < m.dies:
            if dice.chance(min(0.3, m.novelty)):
                _news(world, dice, m, day, int(size))
            elif dice.chance(world.tenant.habits["bursts"]):
                t = day + int(dice.random() * DAY)
                work(world, dice, m, t, _usual(m, dice, t, min(400, int(m.volume * dice.wide(1, 8)) + 1)), fresh=0.05)


def borrowed(dice: Dice, world: World, person: Person, m: Machine, t: int) -> Optional[Session]:
    """The session of a person who uses the machine's identity; the taking of a role is recorded."""
    source = source_of(world, person, t)
    if m.who.product != "cloudtrail" or m.session == "key":
        return world.session(m, t, source, "", person.agents.get(m.who.product, ""))
    taker = person.ids.get("cloudtrail")
    if taker is None:
        return None
    session = Session(dice.pick([person.name, person.upn, f"{person.name}-debug", f"botocore-session-{t // 1000}"]), "ASIA" + dice.base32(16), t, "role")
    args = {"role": m.who.name, "account": m.who.account, "sname": session.name, "newkey": session.key, "aroa": m.who.id, "region": m.region}
    own = Session(person.upn, "ASIA" + dice.base32(16), t - dice.randint(60, 3000) * 1000, "sso" if taker.kind == "sso" else "key")
    world.act(dice, taker, "sts:AssumeRole", t - 1500, source, person.agents["cloudtrail"], own, {}, args=args)
    return session


def debug(world: World, day: int) -> None:
    """On-call people and developers at work with machines' roles and keys."""
    dice = world.tenant.dice("debug", day)
    able = [m for m in world.machines if m.who.product in DEBUG and m.born <= day < m.dies and m.session not in ("slr", "cfn", "vendor")]
    if dice.chance(0.05):
        _verify_keys(world, dice, day + int(dice.random() * DAY), [m for m in able if m.who.kind == "user"])
    favourites = [m for m in able if m.debugged] or able
    for _ in range(dice.count(world.tenant.habits["debugging"]) + (dice.randint(3, 9) if dice.chance(0.05) else 0)):
        m = dice.pick(favourites if dice.chance(0.7) else able)
        person = dice.pick([p for p in world.people if p.job in ("platform", "developer", "data")] or world.people)
        hour = dice.gauss(14, 3) if dice.chance(0.8) else dice.between(0, 24)
        t = day + int((hour - person.shift) % 24 * HOUR)
        session = borrowed(dice, world, person, m, t)
        if session is None or m.who.product not in person.agents:
            continue
        pool = DEBUG[m.who.product] + [call for call, _ in m.mix] * 3
        for i in range(int(dice.wide(2, 30))):
            call = dice.pick(pool) if i else DEBUG[m.who.product][0]
            world.act(dice, m.who, call, t, source_of(world, person, t), person.agents[m.who.product], session, m.slots, 0.3, "denied" if dice.chance(0.08) else "", args={"region": m.region})
            t += int(dice.wide(2, 240) * 1000)


def _verify_keys(world: World, dice: Dice, t: int, keys: List[Machine]) -> None:
    """The security team's search for leaked secrets tries each key it finds."""
    agent, source = dice.pick(["TruffleHog", "gitleaks-verify/1.2", "python-requests/2.31.0"]), dice.pick(world.tenant.nats[world.tenant.accounts[0]])
    for m in dice.some(keys, dice.randint(1, 8)):
        world.act(dice, m.who, "sts:GetCallerIdentity", t, source, agent, world.session(m, t, source, "", agent), {}, args={"region": "us-east-1"})
        t += dice.randint(200, 90_000)
