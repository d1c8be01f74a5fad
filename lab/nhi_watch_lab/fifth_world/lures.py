"""What intruders reach for: other people's things, outside accounts, new names."""
from __future__ import annotations

from typing import Any, Callable, Dict, List

from . import names
from .chance import Chance
from .fill import Filler
from .model import Identity
from .tenant import FAR_REGIONS
from .world import World

BIG_MODELS = ["anthropic.claude-opus-4-20250514-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"]
DENY_NAMES = {"stable": "table"}


class Lures:
    """Values of one incident: '@name' stays, '%name' is drawn anew."""

    def __init__(self, world: World, who: Identity, rng: Chance) -> None:
        self.world, self.who, self.rng = world, who, rng
        self.kept: Dict[str, Any] = {}
        self.known = False

    def resolve(self, value: Any) -> Any:
        if not isinstance(value, str) or value[:1] not in "@%" or len(value) < 2:
            return value
        name = value[1:]
        if value[0] == "%":
            return self.draw(name)
        if name not in self.kept:
            self.kept[name] = self.draw(name)
        return self.kept[name]

    def _foreign(self, pool: List[str], own: List[str]) -> str:
        """Something that is not the victim's own, if there is such."""
        others = [item for item in pool if item not in own]
        self.known = self.known or not others
        return self.rng.choice(others or pool or [self.rng.text(8)])

    def draw(self, name: str) -> Any:
        maker = SPECIAL.get(name)
        if maker is not None:
            return maker(self)
        account, tenant = self.who.account, self.world.tenant
        plain = DENY_NAMES.get(name, name)
        own = self.who.things.get(plain, []) + [str(habit.args[plain]) for habit in self.who.habits if plain in habit.args]
        if account is not None and account.things.get(name):
            return self._foreign(account.things[name], own)
        if name in tenant.things:
            return self._foreign(tenant.things[name], own)
        return Filler(tenant, self.who, self.rng, tenant.cut).var(name)

    def outside(self) -> str:
        if "account" not in self.kept:
            self.kept["account"] = self.rng.digits(12)
        return str(self.kept["account"])

    def outside_arn(self) -> str:
        return f"arn:aws:iam::{self.outside()}:" + self.rng.choice(["root", "root", "role/" + self.rng.choice(names.SYSTEMS)])


def _trust(lures: Lures) -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}]}' % lures.outside_arn()


def _share(lures: Lures) -> str:
    return '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"%s","Resource":"*"}]}' % (lures.outside_arn(), lures.rng.choice(["*", "kms:Decrypt",
        "secretsmanager:GetSecretValue", "ecr:BatchGetImage"]))


def _peer_role(lures: Lures) -> str:
    account = lures.rng.choice(lures.world.tenant.accounts)
    role = lures.rng.choice(account.things["rolename"] + ["OrganizationAccountAccessRole", "OrganizationAccountAccessRole", "admin"])
    return f"arn:aws:iam::{account.id}:role/{role}"


def _object(lures: Lures) -> str:
    return f"{lures.rng.choice(lures.world.tenant.things['service'])}-{lures.rng.choice(['config', 'creds', 'tls'])}"


def _own_bucket(lures: Lures) -> str:
    return lures.rng.choice(lures.who.things.get("bucket") or ["data"])


def _sink(lures: Lures) -> str:
    return f"{lures.rng.choice(names.VENDORS + names.COMPANY)}-{lures.rng.choice(names.SYSTEMS)}-{lures.rng.text(5)}"


SPECIAL: Dict[str, Callable[[Lures], Any]] = {
    "account": lambda l: l.outside(), "outsidearn": lambda l: l.outside_arn(), "outsidetrust": _trust, "outsideshare": _share, "sink": _sink, "newname": lambda l: names.invented(l.rng),
        "NEWNAME": lambda l: names.invented(l.rng).upper().replace("-", "_"),
    "self": lambda l: l.who.ids.get("username", l.rng.choice((l.who.account.things["user"] if l.who.account else None) or ["admin"])), "selfrole": lambda l: l.who.ids.get("rolename",
        "admin"), "role": lambda l: l._foreign(l.who.account.things["rolename"] if l.who.account else [], [l.who.ids.get("rolename", "")]),
    "user": lambda l: l._foreign(l.who.account.things["user"] if l.who.account else [], [l.who.ids.get("username", "")]),
        "admin": lambda l: "arn:aws:iam::aws:policy/" + l.rng.choice(["AdministratorAccess", "AdministratorAccess", "PowerUserAccess", "IAMFullAccess"]),
            "bedrockpolicy": lambda l: "arn:aws:iam::aws:policy/AmazonBedrockFullAccess",
    "anything": lambda l: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}', "peerrole": _peer_role,
        "region": lambda l: l.rng.choice(FAR_REGIONS + l.world.tenant.regions), "gpu": lambda l: l.rng.choice(["g5.2xlarge", "p3.2xlarge", "c6a.8xlarge", "c6i.xlarge"]),
    "bigmodel": lambda l: l._foreign(BIG_MODELS, l.who.things.get("model", [])), "bedrockuser": lambda l: "BedrockAPIKey-" + l.rng.text(4), "ownbucket": _own_bucket,
        "kms": lambda l: l._foreign(l.who.account.things["kmsarn"] if l.who.account else [], l.who.things.get("kmsarn", [])),
    "phone": lambda l: f"arn:aws:sns:{l.who.region}:{l.who.account.id if l.who.account else ''}:" + names.invented(l.rng), "domain": lambda l: names.domain(l.rng),
        "stranger": lambda l: names.person(l.rng).replace(".", l.rng.choice(["-", "", "_"])) + str(l.rng.randint(1, 99)),
    "branch": lambda l: l.rng.choice([f"feature/{l.rng.choice(names.SYSTEMS)}-{l.rng.randint(1, 999)}", f"dependabot/npm-{l.rng.text(5)}", "develop"]),
        "gmember": lambda l: l.rng.choice([f"user:{names.person(l.rng).replace('.', '')}@gmail.com",
            f"serviceAccount:{names.invented(l.rng)}@{l.rng.choice(names.COMPANY)}-{l.rng.text(4)}.iam.gserviceaccount.com"]),
    "graphrole": lambda l: l.rng.choice(["RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All", "Mail.ReadWrite"]), "resource": lambda l: l._foreign(["Azure Key Vault",
        "Azure Storage", "Office 365 Exchange Online", "Windows Azure Service Management API"], [l.who.ids.get("resource", "")]), "kobject": _object,
    "kaccount": lambda l: l.rng.choice(["default", "cluster-admin", "argocd-application-controller", "deployer"]), "stage": lambda l: l.rng.hexs(8).upper()}
