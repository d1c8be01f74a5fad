"""Techniques that stay: new users, roles, keys, trust, code that others run."""

from __future__ import annotations

from nhi_watch_lab.simulator import writes
from nhi_watch_lab.simulator.raid import Raid
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.register import technique
from nhi_watch_lab.simulator.shapes import policy
from nhi_watch_lab.simulator.world import WORDS


def _some_role(raid: Raid) -> str:
    return raid.world.role_name(raid.dice.pick(WORDS), raid.dice.pick(raid.world.envs), "app")


@technique("T1098.003", "persistence privilege-escalation")
def role_trust(raid: Raid) -> None:
    """A role trusts a foreign account from now on."""
    raid.do(
        "iam:UpdateAssumeRolePolicy",
        Detail({"roleName": _some_role(raid), "policyDocument": writes.trust(raid.foreign, "ec2")}),
    )


@technique("T1136.003", "persistence privilege-escalation")
def admin_user(raid: Raid) -> None:
    """A new user with all rights and a key, which is then used."""
    name, principal, key = (
        f"svc-{raid.dice.pick(WORDS)}-{raid.dice.pick(['sync', 'ops', 'ci', 'backup'])}",
        raid.dice.ident("AIDA"),
        raid.dice.ident("AKIA", 16),
    )
    raid.do("iam:CreateUser", writes.create_user(raid.world, name, principal))
    raid.do("iam:AttachUserPolicy", Detail({"userName": name, "policyArn": writes.ADMIN}))
    raid.do("iam:CreateAccessKey", writes.create_key(name, key))
    if raid.dice.chance(0.6):
        raid.wait(1800)
        raid.become_user(raid.world.arn("iam", f"user/{name}"), principal, key)
        raid.all_of("sts:GetCallerIdentity iam:ListUsers s3:ListBuckets")


@technique("T1136.003", "persistence privilege-escalation")
def backdoor_role(raid: Raid) -> None:
    """A new role with all rights that a foreign account may assume."""
    name = raid.world.role_name(raid.dice.pick(WORDS), raid.dice.pick(raid.world.envs), "task")
    raid.do(
        "iam:CreateRole",
        writes.create_role(raid.world, name, writes.trust(raid.foreign), raid.dice.ident("AROA")),
    )
    raid.do("iam:AttachRolePolicy", Detail({"roleName": name, "policyArn": writes.ADMIN}))


@technique("T1098.003", "privilege-escalation")
def wide_policy(raid: Raid) -> None:
    """Everything allowed, inline."""
    raid.do(
        "iam:PutRolePolicy",
        Detail({"roleName": _some_role(raid), "policyName": "default", "policyDocument": policy("*", "*")}),
    )


@technique("T1098", "persistence")
def login_profile(raid: Raid) -> None:
    """A console password for a user that had none."""
    name = f"svc-{raid.dice.pick(WORDS)}"
    raid.do("iam:CreateLoginProfile", writes.login_profile(name, False))


@technique("T1546", "persistence")
def function_permission(raid: Raid) -> None:
    """A function that anybody may invoke."""
    who = raid.dice.pick(["*", f"arn:aws:iam::{raid.foreign}:root"])
    raid.do(
        "lambda:AddPermission20150331v2",
        Detail(
            {
                "functionName": raid.dice.pick(raid.world.functions),
                "statementId": f"sid-{raid.dice.hexes(4)}",
                "action": "lambda:InvokeFunction",
                "principal": who,
            }
        ),
    )


@technique("T1525", "persistence execution")
def function_overwrite(raid: Raid) -> None:
    """Other code in a function."""
    if raid.dice.chance(raid.quiet):
        raid.do("lambda:GetFunction20150331v2")
    raid.do(
        "lambda:UpdateFunctionCode20150331v2",
        writes.function_code(
            raid.world, raid.dice.pick(raid.world.functions), raid.victim.region, f"{raid.dice.hexes(40)}="
        ),
    )


@technique("T1525", "persistence execution")
def function_layer(raid: Raid) -> None:
    """A foreign layer in functions."""
    layer = f"arn:aws:lambda:{raid.victim.region}:{raid.foreign}:layer:utils:1"
    for name in raid.dice.some(raid.world.functions, raid.few(3)):
        raid.do("lambda:UpdateFunctionConfiguration20150331v2", writes.function_layers(name, layer))


@technique("T1606", "persistence")
def trust_anchor(raid: Raid) -> None:
    """An own certificate authority may hand out sessions."""
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": "-----BEGIN CERTIFICATE-----\nMIIE3zCCAsegAwIBAgIJAOZL"},
    }
    raid.do(
        "rolesanywhere:CreateTrustAnchor",
        Detail({"enabled": True, "name": f"{raid.dice.pick(WORDS)}-ca", "source": source}),
    )
    roles = [raid.world.arn("iam", f"role/{_some_role(raid)}")]
    raid.do(
        "rolesanywhere:CreateProfile",
        Detail(
            {
                "durationSeconds": 3600,
                "enabled": True,
                "name": f"{raid.dice.pick(WORDS)}-profile",
                "roleArns": roles,
            }
        ),
    )


@technique("T1098", "persistence")
def oidc_provider(raid: Raid) -> None:
    """An own identity provider, and a role that trusts it."""
    host = f"https://login.{raid.dice.pick(WORDS)}-{raid.dice.hexes(4)}.example"
    raid.do(
        "iam:CreateOpenIDConnectProvider",
        Detail({"url": host, "clientIDList": ["sts.amazonaws.com"], "thumbprintList": [raid.dice.hexes(40)]}),
    )
    federated = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{raid.world.arn("iam", "oidc-provider/" + host[8:])}"}},"Action":"sts:AssumeRoleWithWebIdentity"}}]}}'  # noqa: E501
    raid.do("iam:UpdateAssumeRolePolicy", Detail({"roleName": _some_role(raid), "policyDocument": federated}))
