"""What calls machines are given: ways of a tenant, mixes of calls, rare and regular duties."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import WORDS, Dice, Pool, World, dice
from nhi_watch_lab.simulator.machines import HOUR, Activity, Machine, Place, Rhythm, Step
from nhi_watch_lab.simulator.records import READS, WRITES, Detail, Template, actions, denied, template
from nhi_watch_lab.simulator.shapes import Shape, call, s3_copy, s3_object, secret
from nhi_watch_lab.tables import lists, table

# ---- what differs from tenant to tenant in how it lives: rates of change, jobs, people, pipelines, networks


class Ways(NamedTuple):
    """The ways of one tenant. The defaults are those of `nhi simulate`; `worlds.draw` draws others."""

    news: float = 1.0
    """Factor on how often a machine does what it never did: 1 makes news on about 1.25% of machine-days."""
    upgrades: float = 1.0
    """Factor on how often a client is upgraded: 1 is 0.12 times a month and machine, and twice a month for a fleet."""
    moves: float = 1.0
    """Factor on how often gateways, vendors' servers and regions change: 1 is 0.12 times a month and gateway."""
    own_moves: float = 0.0
    """How often a month a host or vendor with an address of its own gets another one."""
    rotation: float = 1.0
    """Factor on new keys, new schedules and re-created roles: 1 is about 0.2 times a month and machine."""
    turnover: float = 1.0
    """Factor on machines that come, and that go under another name: 1 is 0.09 times a month and machine."""
    weekly: float = 0.0
    """Share of the machines with a weekly job of calls that they make at no other time."""
    monthly: float = 0.0
    """The same for monthly jobs."""
    chores: float = 0.0
    """Share of the machines with a daily duty that looks bad: refused calls, new keys, changed permissions."""
    bulk: float = 0.0
    """Share of the machines that once in these weeks copy hundreds or thousands of objects; one in four is new then."""
    ci_news: float = 1.0
    """Factor on how much of what a pipeline does comes out of the long tail instead of its own list."""
    dynamic_ci: float = 0.0
    """Share of the pipelines whose runners and clients change all the time, and their calls more than the others'."""
    static_ci: float = 0.0
    """Share of the other pipelines whose runner has one address."""
    own_address: float = 0.0
    """Share of the hosts with a public address of their own, instead of a shared gateway's."""
    roaming: float = 0.0
    """Share of the gateways that use another address of their region in each session."""
    both_doors: int = 0
    """IAM users who work in the console and have a long-lived key for the command line, too."""
    errors: float = 0.0
    """Share of all calls that fail for a reason of their own: throttled, not there, not valid."""
    tail: float = 1.4
    """Exponent of the long tail of what people, deployers and scanners read: the larger, the less is new."""
    travel: float = 0.03
    """Share of people's sessions from trains, hotels and telephones."""
    mistakes: float = 0.0
    """Share of people's calls that are refused or malformed."""
    seldom: float = 0.0
    """Share of the people and pipelines that now and then do what is almost only an intruder's act elsewhere."""
    vpn: float = 0.0
    """Share of people's sessions on the road that go through a commercial VPN or a line abroad."""
    federation: float = 0.0
    """Share of the vendors' and servers' keys that work in federated sessions."""
    hosting: float = 0.0
    """Share of the vendors' and servers' keys that are used from a hosting provider."""
    debugging: float = 1.0
    """Factor on how often a person works with a machine's credential: 1 is about weekly for 200 machines."""
    false_alerts: float = 1.0
    """Factor on other products' alerts about nothing: 1 is 2.2 a day and 100 machine identities of a company."""
    weekend: float = 0.06
    """How likely somebody who works in office hours works on a day of the weekend."""
    spread: float = 1.3
    """Sigma of the log-normal volumes of machines."""
    scanners: float = 1.0
    """Factor on the share of scanners."""
    failing: float = 1.0
    """Factor on the share of machines that always fail."""
    pipelines: float = 1.0
    """Factor on the share of CI roles and infrastructure deployers."""
    keys: float = 1.0
    """Factor on the share of users with long-lived keys in vendors' and servers' hands."""


DEFAULT = Ways()


# ---- what the machines of one account share: templates, subnets, runners

_SENSITIVE = {  # what deployers seldom do
    *["iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:PutUserPolicy", "cloudtrail:StopLogging"],
    *["ec2:ModifySnapshotAttribute", "ec2:ModifyImageAttribute", "rds:ModifyDBSnapshotAttribute", "s3:DeleteBucket"],
    *["kms:ScheduleKeyDeletion", "ec2:DeleteFlowLogs", "iam:AttachUserPolicy", "iam:CreateOpenIDConnectProvider"],
    *["cloudtrail:PutEventSelectors", "ssm:SendCommand", "iam:UpdateAssumeRolePolicy", "ec2:ModifyInstanceAttribute"],
}
_FEW = table(__file__, "tables.json/few")


class Parts:
    """Shared pieces of one account; each is made from its own dice."""

    def __init__(self, world: World, ways: Ways = DEFAULT) -> None:
        self.world, self.ways = world, ways
        d = dice(world.seed, "parts")
        self._reads = [call(world, d, action) for action in actions(READS)]
        self._writes = [call(world, d, action) for action in actions(WRITES)]
        self.identity = Pool([call(world, d, "sts:GetCallerIdentity")])
        self.subnets = [
            self._gateway(region, f"nat-{world.seed}-{region}-{number}")
            for number in range(4)
            for region in world.regions
        ]

    def _gateway(self, region: str, name: str) -> Place:
        fixed = not dice("roaming", name).chance(self.ways.roaming)
        return Place(self._nat(region), fixed=fixed, name=name)

    @staticmethod
    def _nat(region: str) -> Callable[[Dice], str]:
        return lambda d: basics.aws_address(d, region)

    def region(self, d: Dice) -> str:
        """The home region mostly."""
        return self.world.home if d.chance(0.8) else d.pick(self.world.regions)

    def subnet(self, d: Dice) -> Place:
        """A shared NAT gateway, or where hosts have addresses of their own such a one."""
        if self.ways.own_address and d.chance(self.ways.own_address):
            return self.own_host(d)
        return d.pick(self.subnets)

    def own_host(self, d: Dice) -> Place:
        """A host with an address of its own."""
        return Place(self._nat(self.region(d)), name=f"host-{d.hexes(12)}")

    def private(self, d: Dice) -> Place:
        """Behind a VPC endpoint: a private address per session."""
        return Place(basics.private_address, fixed=False, vpce=self.world.endpoint, name=f"vpce-{d.hexes(6)}")

    def runner(self, d: Dice) -> Place:
        """A self-hosted runner, or a hosted one."""
        if d.chance(0.5):
            return self.subnet(d)
        return Place(lambda x: basics.address(x, basics.AZURE), fixed=False, name=f"runner-{d.hexes(6)}")

    def own(self, machine: Machine, action: str, d: Dice) -> list[Template]:
        """Templates of an action on what belongs to this machine: its bucket, its secret."""
        world, region = self.world, machine.region
        if action == "secretsmanager:GetSecretValue":
            return [template(world.account, region, action, secret(world, name, region)) for name in machine.secrets]
        if action in ("s3:GetObject", "s3:PutObject") and machine.buckets:
            return [template(world.account, region, action, self._object(machine, d)) for _ in range(_FEW[action])]
        return [call(world, d, action, region) for _ in range(_FEW.get(action, 1))]

    def _object(self, machine: Machine, d: Dice) -> Detail:
        key = f"{d.pick(['in', 'out', 'daily', 'raw'])}/{d.hexes(8)}.json"
        return s3_object(self.world, d, machine.region, d.pick(machine.buckets), key)

    def some_reads(self, d: Dice, count: int) -> list[Template]:
        """A deployer's or scanner's own choice of reads."""
        return d.some(self._reads, count)

    def some_writes(self, d: Dice, count: int) -> list[Template]:
        """A deployer's own choice of changes: none that is sensitive."""
        return d.some([t for t in self._writes if t.action not in _SENSITIVE], count)

    def reads(self, d: Dice) -> Pool[Template]:
        """All reads in an order of this user's own, with a long tail."""
        return Pool.zipf(d.some(self._reads, len(self._reads)), self.ways.tail)

    def writes(self, d: Dice) -> Pool[Template]:
        """All changes, the sensitive ones seldom, with a long tail."""
        order = d.some(self._writes, len(self._writes))
        return Pool(
            order, [(0.12 if t.action in _SENSITIVE else 1.0) / (rank + 2) ** 1.5 for rank, t in enumerate(order)]
        )


# ---- words of intruders in honest mouths: a person says each of them once a month, an account hears some every week


def _host(world: World, d: Dice, region: str) -> Detail:
    return Detail({"instanceId": d.pick(world.instances)})


def _user_data(world: World, d: Dice, region: str) -> Detail:
    return Detail({"instanceId": d.pick(world.instances), "attribute": "userData"})


def _parameters(world: World, d: Dice, region: str) -> Detail:
    names = [f"/{d.pick(world.envs)}/{d.pick(WORDS)}/{d.pick(['password', 'url'])}" for _ in range(d.between(1, 10))]
    return Detail({"names": names, "withDecryption": True})


def _copy(world: World, d: Dice, region: str) -> Detail:
    return s3_copy(world, d, region, d.pick(world.buckets), f"{d.pick(WORDS)}/{d.hexes(8)}", d.pick(world.keys))


def _mail(world: World, d: Dice, region: str) -> Detail:
    return Detail({"emailAddress": f"news@{d.pick(WORDS)}-{d.hexes(3)}.example"})


def _token(world: World, d: Dice, region: str) -> Detail:
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    return Detail({"name": d.pick(["reporting", "sync", "export"]), "durationSeconds": 3600, "policy": policy})


def _ssh(world: World, d: Dice, region: str) -> Detail:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
    return Detail({"instanceId": d.pick(world.instances), "instanceOSUser": "ec2-user", "sSHPublicKey": key})


def _open(world: World, d: Dice, region: str) -> Detail:
    block = dict.fromkeys(("BlockPublicPolicy", "RestrictPublicBuckets", "BlockPublicAcls", "IgnorePublicAcls"), True)
    name = d.pick(world.buckets)
    return Detail({"bucketName": name, "publicAccessBlock": "", "PublicAccessBlockConfiguration": block})


def _anchor(world: World, d: Dice, region: str) -> Detail:
    data = {"x509CertificateData": "-----BEGIN CERTIFICATE-----\nMIIE3zCCAsegAwIBAgIJAOZL"}
    source = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data}
    return Detail({"enabled": True, "name": f"{d.pick(WORDS)}-ca", "source": source})


def _profile(world: World, d: Dice, region: str) -> Detail:
    role = world.arn("iam", f"role/{world.role_name(d.pick(WORDS), d.pick(world.envs), 'app')}")
    name = f"{d.pick(WORDS)}-profile"
    return Detail({"durationSeconds": 3600, "enabled": True, "name": name, "roleArns": [role]})


def _model(world: World, d: Dice, region: str) -> Detail:
    return Detail({"modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0"})


SELDOM: dict[str, Shape] = {
    "ec2:GetPasswordData": _host,
    "ec2:DescribeInstanceAttribute": _user_data,
    "ssm:GetParameters": _parameters,
    "s3:CopyObject": _copy,
    "ses:VerifyEmailIdentity": _mail,
    "sts:GetFederationToken": _token,
    "ec2-instance-connect:SendSSHPublicKey": _ssh,
    "ssm:StartSession": lambda w, d, r: Detail({"target": d.pick(w.instances)}),
    "s3:PutBucketPublicAccessBlock": _open,
    "rolesanywhere:CreateTrustAnchor": _anchor,
    "rolesanywhere:CreateProfile": _profile,
    "bedrock:PutUseCaseForModelAccess": lambda w, d, r: Detail({"formData": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
    "bedrock:PutFoundationModelEntitlement": _model,
    "cloudtrail:DeleteTrail": lambda w, d, r: Detail({"name": f"{w.trail}-{d.pick(WORDS)}"}),
    "ses:PutAccountSuppressionAttributes": lambda w, d, r: Detail({"suppressedReasons": ["BOUNCE"]}),
    "bedrock:CreateFoundationModelAgreement": lambda w, d, r: Detail(
        {"modelId": "amazon.titan-embed-text-v2:0", "offerToken": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    ),
    "bedrock:GetFoundationModelAvailability": lambda w, d, r: Detail({"maxResults": 100}),
    "ssm:GetCommandInvocation": lambda w, d, r: Detail({"commandId": d.uuid(), "instanceId": d.pick(w.instances)}),
    "bedrock:DeleteModelInvocationLoggingConfiguration": lambda w, d, r: Detail(),
}
"""Action → what an honest call of it says."""


def seldom(world: World, d: Dice, names: list[str]) -> list[Template]:
    """A template of each of some of the SELDOM."""
    return [template(world.account, world.home, name, SELDOM[name](world, d, world.home)) for name in names]


def now_and_then(world: World, d: Dice, who: str) -> Activity:
    """A person's or a pipeline's own few of them, every week or two; some are refused. `who`: the caller's ARN."""
    calls = [call for name in d.some(list(SELDOM), d.between(1, 5)) for call in seldom(world, d, [name] * 3)]
    calls = [denied(call, who) if d.chance(0.3) else call for call in calls]
    return Activity(Rhythm("burst", d.lognormal(0.12, 0.7)), [Step(Pool(calls), 2, 30)], scale=False)


# ---- what machines do again and again: weekly and monthly jobs, duties that look bad, pipelines that always move

_DUTIES = lists(__file__, "tables.json/duties")
"""Duties that some machine has every day and that are an intruder's words elsewhere: an assumption."""


def regular(parts: Parts, d: Dice, machine: Machine, days: int) -> None:
    """Gives a machine the jobs of its tenant's calendar."""
    ways = parts.ways
    if machine.archetype in ("service", "servicelinked", "sleeper", "partner"):
        return
    if ways.own_moves and machine.place.fixed and machine.place not in parts.subnets:
        moves = d.poisson(ways.own_moves * days / 30)
        machine.place.moves += [d.between(1, max(1, days - 1)) for _ in range(moves)]
    if machine.archetype == "vendor" and d.chance(ways.federation):
        machine.session = "federation"
    if machine.archetype == "vendor" and d.chance(ways.hosting):
        provider = d.pick(list(basics.HOSTING.values()))
        name, fixed = f"hosted-{machine.name}", d.chance(0.7)
        machine.place = Place(lambda x: basics.address(x, provider), fixed=fixed, name=name)
    for share, period in ((ways.weekly, 7), (ways.monthly, 30)):
        if d.chance(share):
            calls = parts.some_reads(d, d.between(2, 8)) + parts.some_writes(d, d.between(0, 3))
            rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR), days=period, offset=d.between(0, period - 1))
            steps = [Step(Pool([each]), d.pick([1, 1, d.lognormal(6, 0.9)]), d.pick([1, 4, 30])) for each in calls]
            machine.activities.append(Activity(rhythm, steps, scale=False))
    if d.chance(ways.chores):
        calls = [call(parts.world, d, name, machine.region) for name in d.pick(_DUTIES).split()]
        if d.chance(0.3):
            calls = seldom(parts.world, d, d.some(list(SELDOM), d.between(1, 3)))
        if d.chance(0.35):
            calls = [denied(each, machine.arn) for each in calls]
        since = 0 if d.chance(0.75) else d.between(1, max(1, days - 1))
        step = Step(Pool(calls), max(len(calls), d.lognormal(12, 0.9)), d.pick([1, 4, 30]))
        rhythm = Rhythm("cron", at=d.between(0, 23 * HOUR))
        machine.activities.append(Activity(rhythm, [step], since=since, scale=False))
    if machine.buckets and machine.kind in ("role", "user") and d.chance(ways.bulk):
        _copies(parts, d, machine, d.between(1, max(1, days - 1)))


def _copies(parts: Parts, d: Dice, machine: Machine, day: int) -> None:
    """A migration, a restore, an export: objects by the hundred within an hour or three."""
    calls = [t for _ in range(20) for t in parts.own(machine, "s3:GetObject", d)]
    if d.chance(0.25):
        machine.born = max(machine.born, day)
    steps = [Step(Pool(parts.own(machine, "s3:ListObjects", d)), 3), Step(Pool(calls), d.lognormal(700, 0.6), 3)]
    rhythm = Rhythm("cron", at=d.between(0, 20 * HOUR))
    machine.activities.append(Activity(rhythm, steps, since=day, until=day + 1, scale=False))


def runners(parts: Parts, machine: Machine) -> None:
    """Where and with what a pipeline's jobs run, and how much of what they do they never did before."""
    d, ways = dice(parts.world.seed, "runners", machine.name), parts.ways
    if d.chance(ways.dynamic_ci):
        clouds = d.some([basics.AZURE, basics.GOOGLE, basics.HOSTING["hetzner"],
                         *basics.AWS_EGRESS.values()], d.between(2, 5))  # fmt: skip
        machine.place = Place(lambda x: basics.address(x, x.pick(clouds)), fixed=False, name=machine.name)
        makers = [basics.cli, basics.boto3, basics.javascript, basics.golang, basics.terraform]
        machine.clients = [d.pick(makers)(d) for _ in range(d.between(3, 12))]
        sizes = d.lognormal(6, 0.7) * ways.ci_news, d.lognormal(2, 0.7) * ways.ci_news
        tail = [Step(parts.reads(d), sizes[0], 2), Step(parts.writes(d), sizes[1], 5)]
        rhythm = Rhythm("burst", d.lognormal(2, 0.7))
        machine.activities.append(Activity(rhythm, [Step(parts.identity), *tail], scale=False))
    elif d.chance(ways.static_ci):
        machine.place = parts.own_host(d)
    if d.chance(ways.seldom):
        machine.activities.append(now_and_then(parts.world, d, machine.arn))
