"""What somebody does to hide a theft among decoys: records of CloudTrail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core_samples import ACCOUNT, TODAY, record
from test_pipeline import quiet, raid

Records = list[dict[str, Any]]
FOREIGN = "999999999999"
DENIED = {"errorCode": "AccessDenied", "errorMessage": "not authorized"}
PROBES = (
    ("iam", "CreateUser"),
    ("iam", "AttachUserPolicy"),
    ("ec2", "RunInstances"),
    ("bedrock", "InvokeModel"),
    ("secretsmanager", "GetSecretValue"),
)
ROLES = ("payments-api", *(f"worker{letter}-job" for letter in "abcdefgh"))


def tenant(days: int = 20) -> Records:
    """Machines with a history."""
    return [item for role in ROLES for item in quiet(days, role)]


def theft(day: int = TODAY) -> Records:
    """What nobody may miss, late in the day."""
    return raid(day=day)


def repository(name: str, day: int = TODAY, clock: str = "00:01") -> Any:
    """A repository that is refused a role."""
    host = "token.actions.githubusercontent.com"
    subject = f"repo:{name}:ref:refs/heads/main"
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    who = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    return record(
        day,
        clock,
        service="sts",
        name="AssumeRoleWithWebIdentity",
        address="20.55.1.9",
        id=f"{name}/{day}",
        agent="aws-cli/2.1",
        userIdentity=who,
        **DENIED,
    )


def stranger(name: str, day: int = TODAY, account: str = FOREIGN) -> Records:
    """A role of another account that is refused all that it asks for."""
    return [
        record(
            day,
            f"00:{minute:02}",
            service=service,
            name=call,
            address="198.51.100.7",
            agent="aws-cli/2.1",
            id=f"{account}{name}{day}/{minute}",
            userIdentity=foreign(name, account),
            **DENIED,
        )
        for minute, (service, call) in enumerate(PROBES)
    ]


def foreign(name: str, account: str = FOREIGN) -> Any:
    """The `userIdentity` of another account's role."""
    issuer = {
        "type": "Role",
        "principalId": f"AROAEVIL{name}",
        "arn": f"arn:aws:iam::{account}:role/{name}",
        "accountId": account,
        "userName": name,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEVIL{name}:s",
        "accountId": account,
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/s",
        "accessKeyId": f"ASIA{name}".upper(),
        "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
    }


def probing(role: str, day: int = TODAY) -> Records:
    """A second stolen key, which is refused all that it asks for."""
    return [
        record(
            day,
            f"00:{minute:02}",
            role=role,
            service=service,
            name=name,
            address="185.220.101.9",
            agent="aws-cli/2.1",
            id=f"{role}{day}p{minute}",
            awsRegion=region,
            **DENIED,
        )
        for minute, (service, name) in enumerate(PROBES)
        for region in ("us-east-1", "ap-south-1", "sa-east-1")
    ]


def mixed(role: str, day: int = TODAY) -> Records:
    """A second stolen key, which is refused all but its machine's own work, and a question that nobody is refused."""
    asked = record(day, "00:30", role=role, service="sts", name="GetCallerIdentity", id=f"{role}{day}asked")
    return [*probing(role, day), asked, *quiet(1, role, day + 1)]


def namesake(name: str, day: int = TODAY) -> Records:
    """A new role, named like whatever somebody likes, that is let in once."""
    asked = record(
        day,
        "00:30",
        role=name,
        service="sts",
        name="GetCallerIdentity",
        address="185.220.101.9",
        agent="aws-cli/2.1",
        id=f"{name}{day}asked",
    )
    return [*probing(name, day), asked]


def newcomers(number: int, day: int = TODAY) -> Iterator[Any]:
    """Roles of which each is seen once, doing the same odd thing."""
    for n in range(number):
        yield record(
            day,
            "00:10",
            role=f"runner-{n}",
            service="iam",
            name="ListUsers",
            address="198.51.100.9",
            id=f"newcomer{n}/{day}",
        )
