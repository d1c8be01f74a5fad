"""Identities, machines, and how their sessions begin and turn over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import Dice, Pool, World, browser, dice
from nhi_watch_lab.simulator.records import CLOCK, Actor, Detail, Template, template

# ---- the `userIdentity` variants of CloudTrail

Identity = dict[str, Any]


class Session(NamedTuple):
    """One temporary credential of a role."""

    name: str
    key: str
    created: str
    """RFC 3339."""
    extras: tuple[tuple[str, Any], ...] = ()
    """Further members of `sessionContext`, as `ec2RoleDelivery` or `webIdFederationData`."""
    mfa: bool = False


def assumed_role(arn: str, principal: str, session: Session, invoked_by: str = "") -> Identity:
    """A role's session; `arn` and `principal` (`AROA…`) are the role's."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    issuer = {"type": "Role", "principalId": principal, "arn": arn, "accountId": account, "userName": name}
    context: Identity = {"sessionIssuer": issuer}
    extras = dict(session.extras)
    if "webIdFederationData" in extras:
        context["webIdFederationData"] = extras.pop("webIdFederationData")
    context["attributes"] = {"creationDate": session.created, "mfaAuthenticated": str(session.mfa).lower()}
    context.update(extras)
    identity: Identity = {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session.name}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session.name}",
        "accountId": account,
        "accessKeyId": session.key,
        "sessionContext": context,
    }
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def iam_user(arn: str, principal: str, key: str, console: str = "", mfa: bool = False) -> Identity:
    """An IAM user; with `console` (a creation time) a console session, else a long-lived key."""
    identity: Identity = {
        "type": "IAMUser",
        "principalId": principal,
        "arn": arn,
        "accountId": arn.split(":")[4],
        "accessKeyId": key,
        "userName": arn.rsplit("/", 1)[1],
    }
    if console:
        attributes = {"creationDate": console, "mfaAuthenticated": str(mfa).lower()}
        identity["sessionContext"] = {"attributes": attributes}
    return identity


def federated_user(issuer: Identity, name: str, key: str, created: str) -> Identity:
    """A federated session; `issuer` is the user whose key asked for it, `created` RFC 3339."""
    account = issuer["accountId"]
    kept = ("type", "principalId", "arn", "accountId", "userName")
    context = {
        "sessionIssuer": {member: issuer[member] for member in kept},
        "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
    }
    return {
        "type": "FederatedUser",
        "principalId": f"{account}:{name}",
        "arn": f"arn:aws:sts::{account}:federated-user/{name}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": context,
    }


def aws_service(name: str) -> Identity:
    """A service acting on its own."""
    return {"type": "AWSService", "invokedBy": name}


def web_identity(provider: str, subject: str) -> Identity:
    """Who presents an OIDC token to STS; `provider` is the identity provider's ARN."""
    host = provider.split("/", 1)[1]
    return {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider if "eks" in host else host,
    }


def saml_user(provider: str, name: str) -> Identity:
    """Who presents a SAML assertion to STS."""
    return {
        "type": "SAMLUser",
        "principalId": f"k7Xq2RtLw0eZ8vB1nM4sD6fG9hJ=:{name}",
        "userName": name,
        "identityProvider": f"{provider}=",
    }


def aws_account(account: str, principal: str) -> Identity:
    """A caller from another account, as the resource owner's trail shows it."""
    return {"type": "AWSAccount", "principalId": principal, "accountId": account}


# ---- A machine: who it is, where it sits, how its sessions turn over, what it does and when

HOUR = 3600
DAY = 86_400


class Step(NamedTuple):
    """Part of a run: about `size` calls out of a pool, `gap` seconds between two."""

    pool: Pool[Template]
    size: float = 1.0
    gap: float = 1.0


class Rhythm(NamedTuple):
    """When an activity happens.

    `kind`: steady (`rate` events a day, any time), office (`rate` in working hours), every (each `rate` seconds),
    cron (at second `at` of each `days`-th day), burst (`rate` runs a day in working hours).
    """  # noqa: E501

    kind: str
    rate: float = 1.0
    at: int = 0
    days: int = 1
    offset: int = 0


@dataclass
class Activity:
    """A habit: a rhythm and either a mix of calls (`steady`, `office`) or a run of steps."""

    rhythm: Rhythm
    steps: list[Step]
    since: int = 0
    until: int = 1 << 30
    scale: bool = True
    """Whether its volume follows the tenant's volume factor."""

    def active(self, day: int) -> bool:
        """Whether it happens at all on a day."""
        return self.since <= day < self.until


@dataclass
class Place:
    """Where a machine's packets come from; shared by the machines of a subnet."""

    draw: Callable[[Dice], str]
    """Makes an address for a session."""
    fixed: bool = True
    """One address for all sessions, until it moves."""
    vpce: str = ""
    moves: list[int] = field(default_factory=list)
    """Days on which the address changes."""
    name: str = ""

    def address(self, day: int, dice_of_session: Dice) -> str:
        """The address of a session that starts on a day."""
        if not self.fixed:
            return self.draw(dice_of_session)
        return self.draw(dice(self.name, sum(1 for move in self.moves if move <= day)))


@dataclass
class Machine:
    """One identity with its habits. A person is one too, with `human` set."""

    name: str
    archetype: str
    kind: str
    """role | user | service | account"""
    arn: str
    principal: str
    region: str
    place: Place
    agent: str
    session: str
    """instance | lambda | web | ci | sdk | chained | sso | console | cli | key | federation | service | foreign"""
    rotate: int = 12 * HOUR
    human: bool = False
    activities: list[Activity] = field(default_factory=list)
    at_start: list[Step] = field(default_factory=list)
    """What each new session does first."""
    keys: list[tuple[int, str]] = field(default_factory=list)
    """A user's access keys with the day from which each is used."""
    agents: list[tuple[int, str]] = field(default_factory=list)
    """Agents after an upgrade, with its day."""
    clients: list[str] = field(default_factory=list)
    """Agents of which each session uses one; empty: always the one of `agent_on`."""
    principals: list[tuple[int, str]] = field(default_factory=list)
    """Immutable ids after a re-creation, with its day."""
    born: int = 0
    dies: int = 1 << 30
    growth: float = 0.0
    """Growth of its volume per day, e.g. 0.01."""
    volume: float = 1.0
    subject: str = ""
    """The OIDC subject, the e-mail address, or the parent's ARN."""
    zone: int = 0
    """Hours ahead of UTC in which its people live."""
    weekend: float = 0.06
    """How likely it works office hours on a day of the weekend."""
    secrets: list[str] = field(default_factory=list)
    buckets: list[str] = field(default_factory=list)
    parent: Machine | None = None

    @property
    def phase(self) -> int:
        """Seconds by which its sessions turn over before the full period."""
        return crc32(self.name.encode()) % (self.rotate or DAY)

    def session_at(self, second: int) -> int:
        """Which of the day's sessions is valid at a second."""
        return (second + self.phase) // self.rotate if self.rotate else second

    def session_start(self, number: int) -> int:
        """The second at which the numbered session of a day was issued; the first one at midnight."""
        return max(0, number * self.rotate - self.phase) if self.rotate else number

    def alive(self, day: int) -> bool:
        """Whether it exists on a day."""
        return self.born <= day < self.dies

    def agent_on(self, day: int) -> str:
        """Its agent on a day, after upgrades."""
        return _latest(self.agents, day) or self.agent

    def principal_on(self, day: int) -> str:
        """Its immutable id on a day."""
        return _latest(self.principals, day) or self.principal

    def key_on(self, day: int) -> str:
        """The access key in use on a day, or nothing."""
        return _latest(self.keys, day)


def _latest(changes: list[tuple[int, str]], day: int) -> str:
    return next((value for since, value in reversed(changes) if since <= day), "")


def moments(machine: Machine, activity: Activity, day: int, load: float, d: Dice) -> Iterator[tuple[int, bool]]:
    """(second of the day, whether a whole run starts there); `load` scales what may be scaled."""
    kind, rate, at, days, offset = activity.rhythm
    load = load * machine.volume * (1 + machine.growth) ** day if activity.scale else 1.0
    if kind == "steady":
        for _ in range(d.poisson(rate * load * d.lognormal(1, 0.15))):
            yield int(d.random() * DAY), False
    elif kind == "every":
        first = at % max(1, int(rate))
        for second in range(first, DAY, max(60, int(rate / max(load, 0.02)))):
            yield min(DAY - 1, second + d.between(0, 3)), True
    elif kind == "cron":
        if day % days == offset % days:
            yield min(DAY - 1, at + d.between(0, 40)), True
    elif weekday(day) < 5 or d.chance(machine.weekend):
        for _ in range(d.poisson(rate * load * d.lognormal(1, 0.4))):
            yield office_second(machine.zone, d), kind == "burst"


def weekday(day: int) -> int:
    """0 is Monday: day 0 of every tenant is one."""
    return day % 7


def office_second(zone: int, d: Dice) -> int:
    """A second of a working day, most of them around late morning and mid-afternoon."""
    hour = 9 + 8 * d.random() + (1.5 * d.normal() if d.chance(0.15) else 0)
    return int((hour - zone) * HOUR) % DAY


def lambda_place(region: str, name: str) -> Place:
    """A function outside a VPC: another address of the region for each session."""
    return Place(lambda d: basics.aws_address(d, region), fixed=False, name=name)


# ---- sessions: which credential a machine holds at a moment, from where, and the record that issued it

_EXPIRES = "Mar 3, 2025, 6:00:00 PM"


class Opening(NamedTuple):
    """A new session, and the call that opened it (with its sender), if the log shows one."""

    actor: Actor
    call: Template | None = None
    caller: Actor | None = None


class Moment(NamedTuple):
    """A second of a numbered day with its date."""

    day: int
    date: str
    second: int


def open_session(world: World, machine: Machine, at: Moment, bucket: int) -> Opening:
    """The machine's session that is valid at a moment; `bucket` tells sessions of a day apart."""
    d = dice(world.seed, "session", machine.name, at.day, bucket)
    address = machine.place.address(at.day, d)
    agent = d.pick(machine.clients) if machine.clients else machine.agent_on(at.day)
    if machine.kind == "service":
        return Opening(Actor(aws_service(machine.agent), machine.agent, machine.agent))
    if machine.kind == "account":
        return Opening(Actor(aws_account(machine.arn.split(":")[4], machine.principal), address, agent))
    if machine.kind == "user":
        return _user(machine, at, bucket, Actor({}, address, agent, machine.place.vpce))
    return _role(world, machine, at, bucket, Actor({}, address, agent, machine.place.vpce))


def _user(machine: Machine, at: Moment, bucket: int, actor: Actor) -> Opening:
    d = dice("console", machine.principal, at.day, bucket)
    if machine.session == "federation":
        return _federated(machine, at, bucket, actor)
    if machine.session != "console":
        key = machine.key_on(at.day)
        return Opening(actor._replace(identity=iam_user(machine.arn, machine.principal, key)))
    created = at.date + CLOCK[machine.session_start(bucket)]
    identity = iam_user(machine.arn, machine.principal, d.ident("ASIA", 16), created, mfa=True)
    login = {key: value for key, value in identity.items() if key not in ("accessKeyId", "sessionContext")}
    return Opening(
        actor._replace(identity=identity, console=True),
        console_login(machine, mfa=True),
        actor._replace(identity=login),
    )


def _federated(machine: Machine, at: Moment, bucket: int, actor: Actor) -> Opening:
    """A session that a user's key asked STS for, and in which the work is done."""
    user = iam_user(machine.arn, machine.principal, machine.key_on(at.day))
    created, name = at.date + CLOCK[machine.session_start(bucket)], machine.name.rsplit("-", 1)[0][:32]
    key = dice("federation", machine.principal, at.day, bucket).ident("ASIA", 16)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    asked = Detail({"name": name, "durationSeconds": 43_200, "policy": policy})
    call = template(machine.arn.split(":")[4], machine.region, "sts:GetFederationToken", asked)
    return Opening(actor._replace(identity=federated_user(user, name, key, created)), call,
                   actor._replace(identity=user))  # fmt: skip


def console_login(machine: Machine, mfa: bool) -> Template:
    """A successful ConsoleLogin."""
    extra = {
        "LoginTo": "https://console.aws.amazon.com/console/home",
        "MobileVersion": "No",
        "MFAUsed": "Yes" if mfa else "No",
    }
    account = machine.arn.split(":")[4]
    return template(account, "us-east-1", "signin:ConsoleLogin", Detail(None, {"ConsoleLogin": "Success"}, extra=extra))


def _role(world: World, machine: Machine, at: Moment, bucket: int, actor: Actor) -> Opening:
    d = dice(world.seed, "role-session", machine.name, at.day, bucket)
    at = at._replace(second=machine.session_start(bucket))
    name, extras, mfa = _session_name(world, machine, at, d)
    key, created = d.ident("ASIA", 16), at.date + CLOCK[machine.session_start(bucket)]
    principal = machine.principal_on(at.day)
    identity = assumed_role(machine.arn, principal, Session(name, key, created, extras, mfa))
    if machine.session == "servicelinked":
        return Opening(Actor({**identity, "invokedBy": machine.agent}, machine.agent, machine.agent))
    actor = actor._replace(identity=identity, console=machine.session == "sso")
    return _issued(world, machine, at, actor, issued(machine, principal, name, key))


def issued(machine: Machine, principal: str, name: str, key: str) -> Detail:
    """What STS says when it hands out a session of a role; `principal` is the role's immutable id."""
    account, role = machine.arn.split(":")[4], machine.arn.rsplit("/", 1)[1]
    credentials = {"accessKeyId": key, "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS", "expiration": _EXPIRES}
    user = {"assumedRoleId": f"{principal}:{name}", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}"}
    resources = [{"accountId": account, "type": "AWS::IAM::Role", "ARN": machine.arn}]
    made = {"credentials": credentials, "assumedRoleUser": user}
    return Detail({"roleArn": machine.arn, "roleSessionName": name}, made, resources)


def _session_name(
    world: World, machine: Machine, at: Moment, d: Dice
) -> tuple[str, tuple[tuple[str, object], ...], bool]:
    kind = machine.session
    if kind == "instance":
        host = world.instances[dice(world.seed, machine.name, "host", at.day // 5).between(0, len(world.instances) - 1)]
        return host, (("ec2RoleDelivery", "2.0"),), False
    if kind == "lambda":
        return machine.name.rsplit("/", 1)[-1][:60], (), False
    if kind in ("web", "ci"):
        provider = provider_of(world, machine)
        host = provider if kind == "web" else "token.actions.githubusercontent.com"
        extras = (("webIdFederationData", {"federatedProvider": host, "attributes": {}}),)
        number = at.day * DAY + at.second
        name = f"botocore-session-17410{number:07d}" if kind == "web" else f"GitHubActions-{number}"
        return name, extras, False
    if kind in ("sso", "cli"):
        return machine.subject, (), False
    return f"{machine.name.rsplit('/', 1)[-1][:20]}-{d.between(10**9, 10**10 - 1)}", (), False


def provider_of(world: World, machine: Machine) -> str:
    """The ARN of the OIDC provider that vouches for a machine."""
    if machine.session == "ci":
        return world.arn("iam", "oidc-provider/token.actions.githubusercontent.com")
    return world.arn("iam", f"oidc-provider/oidc.eks.{world.home}.amazonaws.com/id/{world.eks}")


def _issued(world: World, machine: Machine, at: Moment, actor: Actor, detail: Detail) -> Opening:
    """The STS call that handed out a role's session, by the kind of session."""
    kind, action = machine.session, "sts:AssumeRole"
    if kind in ("web", "ci"):
        provider = provider_of(world, machine)
        caller = actor._replace(identity=web_identity(provider, machine.subject))
        more = {"subjectFromWebIdentityToken": machine.subject, "provider": provider, "audience": "sts.amazonaws.com"}
        detail, action = (detail._replace(response={**detail.response, **more}), "sts:AssumeRoleWithWebIdentity")
    elif kind in ("sso", "cli"):
        provider = world.arn("iam", "saml-provider/AWSSSO_4f1c_DO_NOT_DELETE")
        agent = browser(dice(machine.name))
        caller, action = (Actor(saml_user(provider, machine.subject), actor.address, agent), "sts:AssumeRoleWithSAML")
    elif machine.parent is not None:
        caller = open_session(world, machine.parent, at, machine.parent.session_at(at.second)).actor
    elif kind == "foreign":
        vendor = aws_account(machine.subject, f"AROA{machine.principal[4:][::-1]}:worker")
        caller = Actor(vendor, actor.address, actor.agent)
    else:
        service = {"lambda": "lambda.amazonaws.com", "instance": "ec2.amazonaws.com"}.get(
            kind, "ecs-tasks.amazonaws.com"
        )
        caller = Actor(aws_service(service), service, service)
    return Opening(actor, template(world.account, machine.region, action, detail), caller)
