"""The stage: everything done, benign or not, passes through World.act."""
import re
from typing import Dict, List, Optional, Tuple

from . import aws_calls, net, other_calls
from .dice import Dice
from .machines import service_source
from .model import HOUR, Event, Machine, Person, Place, Principal, Session, Source
from .tenant import Tenant, inside

WORDS = re.compile(r"\{(\w+)\}")
TEMPLATES = dict(other_calls.TEMPLATES, cloudtrail=aws_calls.TEMPLATES)
SLOTS: Dict[str, Dict[str, List[str]]] = {p: {call: sorted(set(WORDS.findall(text))) for call, text in calls.items()} for p, calls in TEMPLATES.items()}
ISSUER = {"func": "lambda.amazonaws.com", "inst": "ec2.amazonaws.com", "task": "ecs-tasks.amazonaws.com", "glue": "glue.amazonaws.com", "sm": "sagemaker.amazonaws.com",
          "cfn": "cloudformation.amazonaws.com", "slr": "autoscaling.amazonaws.com"}
OPENERS = {"snowflake": "login", "vault": "login approle"}
# Calls that make a service call another one in the same name.
ON_BEHALF = {"secretsmanager:GetSecretValue": ("kms:Decrypt", "secretsmanager.amazonaws.com"), "ssm:GetParameters": ("kms:Decrypt", "ssm.amazonaws.com"), "athena:StartQueryExecution": ("glue:GetDatabases", "athena.amazonaws.com"),
             "ec2:CreateSnapshot": ("kms:CreateGrant", "ec2.amazonaws.com"), "rds:CreateDBSnapshot": ("kms:DescribeKey", "rds.amazonaws.com")}
NOBODY = -1


class World:
    """Collects events of one tenant."""

    def __init__(self, tenant: Tenant, begin: int, end: int) -> None:
        self.tenant, self.begin, self.end = tenant, begin, end
        self.events: List[Event] = []
        self.people: List[Person] = []
        self.machines: List[Machine] = []
        self._hosts: Dict[Tuple[str, int, int], Tuple[Source, str]] = {}
        self._sessions: Dict[Tuple[str, str, int], Session] = {}
        self.partners = [tenant.dice("partner", i).digits(12) for i in range(4)]
        self.data_events = tenant.habits["trail_data"] >= 0.25

    def act(self, dice: Dice, who: Principal, call: str, t: int, source: Source, agent: str, session: Session,
            own: Optional[Dict[str, List[str]]] = None, fresh: float = 0.0, error: str = "", tag: int = NOBODY, args: Optional[Dict[str, str]] = None) -> None:
        """Do one thing; what it needs comes from args, then the actor's own things, then the whole stock."""
        if not self.begin <= t < self.end or (who.product == "cloudtrail" and not self.data_events and aws_calls.AWS_CALLS[call].data):
            return
        chosen = dict(args or {})
        stock = self.tenant.stock[who.account]
        for word in SLOTS[who.product][call]:
            if word not in chosen and stock.get(word):
                chosen[word] = self._thing(dice, stock[word], word, own, fresh)
            elif word in ("stranger", "strangerid") and word not in chosen:
                account = dice.pick(self.tenant.accounts if dice.chance(0.85) else self.partners)
                chosen[word] = account if word == "strangerid" else f"arn:aws:iam::{account}:root"
        self.events.append(Event(t, who, call, chosen, error, source, agent, session, tag))
        if call in ON_BEHALF and who.product == "cloudtrail" and not error and self.tenant.habits["customer_keys"] > 0.5:
            then, service = ON_BEHALF[call]
            self.events.append(Event(t + 90, who, then, {k: v for k, v in chosen.items() if k in ("region", "gluedb")}, "", service_source(service), service, session, tag))

    @staticmethod
    def _thing(dice: Dice, stock: List[str], word: str, own: Optional[Dict[str, List[str]]], fresh: float) -> str:
        if own is None:
            return dice.pick(stock)
        if word not in own:
            own[word] = dice.some(stock, min(len(stock), 1 + int(dice.random() ** 3 * 5)))
        if fresh and dice.chance(fresh):
            own[word].append(dice.pick(stock))
            return own[word][-1]
        return dice.early(own[word])

    def where(self, m: Machine, t: int, dice: Dice) -> Tuple[Source, str]:
        """The address and host from which the machine works at the time."""
        place, label = self.place(m, t), m.who.label
        number = int(dice.random() * place.hosts)
        epoch = (t + number * 7919 * HOUR // 13) // place.life
        key = (label + place.style, number, epoch)
        if key not in self._hosts:
            self._hosts[key] = self._host(m, self.tenant.dice("host", *key), place.style)
        source, host = self._hosts[key]
        if place.style in ("nat", "onprem", "saas", "corp"):
            source = place.fixed[number % len(place.fixed)] if place.style == "nat" else dice.early(place.fixed)
        if place.style == "runner":
            source, host = net.address(dice, "azure"), f"run{dice.randint(10**9, 10**10)}"
        return source, host

    @staticmethod
    def place(m: Machine, t: int) -> Place:
        current = m.place
        for change in m.changes:
            if change.what == "place" and change.t <= t:
                current = change.place
        return current

    @staticmethod
    def agent(m: Machine, t: int) -> str:
        current = m.agent
        for change in m.changes:
            if change.what == "client" and change.t <= t:
                current = change.agent
        return current

    def _host(self, m: Machine, dice: Dice, style: str) -> Tuple[Source, str]:
        host = "i-0" + dice.hexes(16)
        if style == "vpce":
            return inside(dice, m.who.account), host
        if style == "pods":
            return net.private(dice, "10.2"), f"{m.who.name.split(':')[-1]}-{dice.hexes(9)}-{dice.alnum(5).lower()}"
        if style == "service":
            return service_source(m.who.extra.get("service", "ec2.amazonaws.com")), host
        return net.address(dice, "aws", "", net.REGION_CITY[m.region]), host

    def session(self, m: Machine, t: int, source: Source, host: str, agent: str) -> Session:
        """The credentials in use; a new one is announced as the provider does."""
        if m.session == "key" or m.who.product != "cloudtrail":
            rotations = sum(1 for c in m.changes if c.what == "rotate" and c.t <= t)
            dice = self.tenant.dice("key", m.who.label, rotations)
            return Session(host, "AKIA" + dice.base32(16) if m.who.product == "cloudtrail" else dice.hexes(40), self.begin, "key" if m.session == "key" else m.session)
        unit = host if m.session in ("inst", "task", "gha", "ci") else ""
        key = (m.who.label, unit, t // m.span)
        if key not in self._sessions:
            dice = self.tenant.dice("session", *key)
            name = {"func": m.who.name, "inst": host, "task": dice.hexes(32), "irsa": f"{'aws-sdk-java' if 'java' in agent else 'botocore-session'}-{t // (1 if 'java' in agent else 1000)}",
                    "glue": "GlueJobRunnerSession", "sm": "SageMaker", "vendor": m.who.extra.get("vendor", ""), "gha": dice.pick(["GitHubActions", "GitHubActions", f"gha-{dice.randint(10**9, 10**10)}"]),
                    "ci": f"gitlab-{dice.randint(10**5, 10**6)}", "cfn": "AWSCloudFormation", "slr": "AutoScaling"}[m.session]
            self._sessions[key] = Session(name, "ASIA" + dice.base32(16), t - dice.randint(0, 900) * 1000, m.session)
            self.announce(dice, m, t, source, agent, self._sessions[key])
        return self._sessions[key]

    def announce(self, dice: Dice, m: Machine, t: int, source: Source, agent: str, session: Session, tag: int = NOBODY) -> None:
        """The record of the role being taken."""
        args = {"role": m.who.name, "account": m.who.account, "sname": session.name, "newkey": session.key, "aroa": m.who.id, "region": m.region}
        if m.session in ("irsa", "gha"):
            web = Principal("cloudtrail", "web", m.who.extra.get("subject", ""), m.who.id, m.who.account, False, {"role": m.who.name, "how": m.session})
            self.act(dice, web, "sts:AssumeRoleWithWebIdentity", t - 400, source, agent, session, {}, args=args, tag=tag)
        elif m.session == "vendor":
            vendor = Principal("cloudtrail", "account", m.who.extra["vendor"], "AIDA" + self.tenant.dice("v", m.who.label).base32(17), m.who.account, False, {"vendor_account": m.who.extra["vendor_account"]})
            self.act(dice, vendor, "sts:AssumeRole", t - 700, source, agent, session, {}, args=args, tag=tag)
        else:
            name = ISSUER.get(m.session, "ec2.amazonaws.com")
            self.act(dice, Principal("cloudtrail", "service", name, "", m.who.account), "sts:AssumeRole", t - 900, service_source(name), name, session, {}, args=args, tag=tag)
