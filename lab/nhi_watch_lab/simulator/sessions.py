"""Sessions: which credential a machine holds at a moment, from where, and the record that issued it."""

from __future__ import annotations

from typing import NamedTuple

from nhi_watch_lab.simulator.agents import browser
from nhi_watch_lab.simulator.dice import Dice, dice
from nhi_watch_lab.simulator.identities import (
    Session,
    assumed_role,
    aws_account,
    aws_service,
    federated_user,
    iam_user,
    saml_user,
    web_identity,
)
from nhi_watch_lab.simulator.machines import DAY, Machine
from nhi_watch_lab.simulator.records import CLOCK, Actor, Detail, Template, template
from nhi_watch_lab.simulator.world import World

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
    return template(
        account, "us-east-1", "signin:ConsoleLogin", Detail(None, {"ConsoleLogin": "Success"}, extra=extra)
    )


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
        host = world.instances[
            dice(world.seed, machine.name, "host", at.day // 5).between(0, len(world.instances) - 1)
        ]
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
        more = {
            "subjectFromWebIdentityToken": machine.subject,
            "provider": provider,
            "audience": "sts.amazonaws.com",
        }
        detail, action = (
            detail._replace(response={**detail.response, **more}),
            "sts:AssumeRoleWithWebIdentity",
        )
    elif kind in ("sso", "cli"):
        provider = world.arn("iam", "saml-provider/AWSSSO_4f1c_DO_NOT_DELETE")
        agent = browser(dice(machine.name))
        caller, action = (
            Actor(saml_user(provider, machine.subject), actor.address, agent),
            "sts:AssumeRoleWithSAML",
        )
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
