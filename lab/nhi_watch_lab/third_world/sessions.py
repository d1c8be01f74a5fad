"""Hosts come and go, temporary keys expire: whose credential is in use where, at a moment."""
from dataclasses import replace
from typing import List, Tuple

from . import aws_log
from .addresses import address, private
from .clients import Client
from .model import Credential, Host, Identity, Op, Person, Record, World
from .rand import DAY, HOUR, Rand

LASTING = 10**15
HANDS = {"cloudtrail": [("cli2", 8.0), ("boto3", 2.0), ("terraform", 0.4), ("cli1", 0.4)], "kubernetes": [("kubectl", 9.0),
         ("k8s-py", 0.6), ("curl", 0.5), ("helm", 0.5)], "github": [("git", 6.0), ("ghcli", 2.0), ("requests", 1.0), ("curl", 0.6)],
         "okta": [("curl", 2.0), ("requests", 3.0), ("browser", 2.0), ("okta-py", 1.0)], "entra": [("browser", 1.0), ("requests",
         3.0), ("axios", 1.0), ("curl", 1.0)], "m365": [("requests", 3.0), ("axios", 1.0), ("go-http", 1.0), ("browser", 1.0)],
         "gcp": [("gcloud", 5.0), ("gcp-py", 3.0), ("curl", 0.5)], "vault": [("vault-agent", 3.0), ("curl", 2.0), ("go-http", 1.0)]}


def by_hand(rand: Rand, product: str, own: bool = False) -> Client:
    """What someone at a keyboard uses on a product, colleague or thief."""
    return Client(rand, rand.weighted(HANDS[product]), own=own)


def refused(world: World, who: Identity, op: Op) -> bool:
    """Whether the identity lacks the permission: the same answer every time it asks."""
    if op.name in ("GetCallerIdentity", "GetSessionToken") or op.name.startswith("create/selfsubject") or "sign" in op.name:
        return False
    power = {"narrow": 1.0, "wide": 0.35, "admin": 0.04}[who.power]
    known = op.key in who.rare or any(op.key == key for key, _ in who.ops)
    chance = 0.02 if known else (0.4 if op.service in who.families else 0.75) * power
    return Rand(world.seed, "grant", who.unique, op.key).u() < chance


def egress(world: World, who: Identity, day: int, rand: Rand) -> str:
    """A public address the identity's calls leave from."""
    if who.place == "nat" or (who.place == "fixed" and not who.fixed):
        return rand.pick(who.account.egress(day))
    if who.place == "fixed":
        moved = who.extra.get("moved")
        return rand.pick(moved[1]) if moved and moved[1] and day >= moved[0] else rand.pick(who.fixed)
    if who.place == "gha":
        return address(rand, "azure")
    if who.place == "private":
        return private(rand, who.account.octet)
    return address(rand, f"aws:{who.account.region}")


def new_host(world: World, who: Identity, time: int, rand: Rand) -> Host:
    day = world.day(time)
    life = int(who.host_days * rand.between(0.5, 1.5) * DAY)
    name = {"lambda": who.name, "ecs": rand.hex(32), "ec2": "i-0" + rand.hex(16), "gha": rand.digits(11),
            "terraform": rand.digits(11), "linked": who.name.replace("AWSServiceRoleFor", "")}.get(who.kind, rand.hex(8))
    if who.kind in ("gha", "terraform") or who.place in ("gha", "pool"):
        life = int(rand.between(0.15, 1.0) * HOUR)
    if who.place == "fixed" or who.kind == "user":
        life = int(rand.between(0.3, 6) * DAY)
    inner = private(rand, who.account.octet) if who.place in ("nat", "own") and who.kind != "saas" else ""
    return Host(name, egress(world, who, day, rand), inner, who.client, time + life)


def open_other(world: World, time: int, who: Identity, host: Host, rand: Rand, tag: str = "") -> Credential:
    """A credential of a product other than AWS; Vault writes down its login."""
    if who.product == "vault":
        life = int(rand.between(0.5, 3) * HOUR) if who.job != "operator" else 30 * DAY
        cred = Credential("hmac-sha256:" + rand.hex(64), "hmac-sha256:" + rand.hex(64), time, time + life, {}, host.ip, host.client)
        world.do(time, who, "vault:login", cred, rand, tag=tag)
        return cred
    block: Record = who.extra.get("user", {})
    return Credential(str(who.extra.get("token", who.unique)), who.name, time, LASTING, block, host.ip, host.client)


def open_credential(world: World, time: int, who: Identity, host: Host, rand: Rand, tag: str = "") -> Credential:
    opener = aws_log.open_session if who.product == "cloudtrail" else open_other
    cred = opener(world, time, who, host, rand, tag)
    if not tag:
        who.sessions.append(cred)
    return cred


def current(world: World, time: int, who: Identity, rand: Rand, hosts: int = 0) -> Credential:
    """The credential in use on one of the identity's hosts at this time, new ones where old ones ended."""
    slot = rand.whole(0, (hosts or who.hosts) - 1)
    host = who.slots.get(slot)
    if host is None or host.until <= time:
        host = who.slots[slot] = new_host(world, who, time, rand)
    elif host.client is not who.client:
        host.client, host.credential = who.client, None
    if host.credential is None or host.credential.expires <= time:
        host.credential = open_credential(world, time, who, host, rand)
    return host.credential


def lend(world: World, time: int, who: Identity, person: Person, rand: Rand) -> Credential:
    """A colleague takes the machine's role or key to their own desk."""
    client = person.laptop if who.product == "cloudtrail" else by_hand(rand, who.product)
    desk = Host(person.login, person.where(rand), "", client, time)
    if who.product == "cloudtrail" and who.kind != "user":
        mine = [a for a in person.accounts.get("sso", []) if a.account is who.account] or person.accounts.get("sso", [])
        key = "ASIA" + rand.letters(16)
        cred = Credential(key, person.login, time, time + HOUR, aws_log.role_block(who, person.login, key, time), desk.ip, client)
        via = {"type": "AWSAccount", "principalId": "AIDA" + rand.letters(17), "accountId": who.account.id}
        if mine:
            via = aws_log.role_block(mine[0], person.mail, "ASIA" + rand.letters(16), time - rand.whole(60000, 6000000))
        shown = replace(who, kind="chained", extra={"via": via}, sessions=[], slots={})
        aws_log.write_issue(world, time, shown, desk, cred, rand)
        return cred
    return open_other(world, time, who, desk, rand) if who.product != "cloudtrail" else aws_log.open_session(
        world, time, who, desk, rand)


def alive(who: Identity, time: int) -> List[Credential]:
    return [cred for cred in who.sessions if cred.created <= time < cred.expires]


def steal(who: Identity, time: int, until: int, rand: Rand) -> Tuple[int, Credential]:
    """A live credential of the victim at or after this time; (0, …) when there is none before until."""
    now = alive(who, time)
    if now:
        return time, rand.pick(now)
    later = [cred for cred in who.sessions if time <= cred.created < until]
    if not later:
        raise LookupError(who.label)
    cred = rand.pick(later[:3])
    return cred.created + int(rand.between(20, 900) * 1000), cred
