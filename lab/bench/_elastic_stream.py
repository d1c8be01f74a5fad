"""A live stream of CloudTrail documents for benchmarks: monotonous machines, and now and then a stolen key."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import orjson
from elasticsearch import Elasticsearch

import ecs_shape
from nhi_watch.core.timestamps import DAY, HOUR, render

Tree = dict[str, Any]
_CALLS = (
    ("s3.amazonaws.com", "GetObject", True),
    ("dynamodb.amazonaws.com", "GetItem", True),
    ("sqs.amazonaws.com", "ReceiveMessage", True),
    ("kms.amazonaws.com", "Decrypt", True),
    ("logs.amazonaws.com", "PutLogEvents", False),
)
_THEFT = (
    ("sts.amazonaws.com", "GetCallerIdentity", True),
    ("iam.amazonaws.com", "ListUsers", True),
    ("secretsmanager.amazonaws.com", "GetSecretValue", True),
    ("iam.amazonaws.com", "CreateAccessKey", False),
    ("iam.amazonaws.com", "AttachUserPolicy", False),
    ("cloudtrail.amazonaws.com", "StopLogging", False),
    ("cloudtrail.amazonaws.com", "DeleteTrail", False),
)
_ACCOUNT = "111122223333"


class Stream:
    """Machines that do the same all day, and thieves."""

    def __init__(self, machines: int, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._machines = machines

    def tick(self, count: int, now: float) -> list[Tree]:
        """Records of one moment."""
        return [self._ordinary(self._dice.randrange(self._machines), now) for _ in range(count)]

    def history(self, days: int, now: float) -> Iterator[Tree]:
        """What each machine did in the hours of the days before."""
        midnight = int(now) // DAY * DAY
        for hour in range(midnight - days * DAY, int(now) - HOUR, HOUR):
            yield from (self._ordinary(machine, hour + 60 * (machine % 60)) for machine in range(self._machines))

    def theft(self, machine: int, now: float) -> list[Tree]:
        """What a thief does with the key of a machine, from elsewhere."""
        where = ("45.83.64.1", "aws-cli/2.15.3 md/prompt#off exe/x86_64.kali.2023")
        return [self._record(_machine(machine), call, where, now) for call in _THEFT]

    def _ordinary(self, machine: int, now: float) -> Tree:
        where = (f"52.94.{machine % 250}.7", "Boto3/1.34 Python/3.11 Linux/6.1")
        return self._record(_machine(machine), _CALLS[(machine + self._dice.randrange(2)) % len(_CALLS)], where, now)

    def _record(self, who: Tree, call: tuple[str, str, bool], where: tuple[str, str], now: float) -> Tree:
        service, action, is_read = call
        address, agent = where
        return {
            "eventVersion": "1.10", "userIdentity": who, "eventTime": render(int(now)), "eventSource": service,
            "eventName": action, "awsRegion": "eu-central-1", "sourceIPAddress": address, "userAgent": agent,
            "requestParameters": None, "responseElements": None, "readOnly": is_read, "eventType": "AwsApiCall",
            "eventID": str(uuid.UUID(int=self._dice.getrandbits(128))), "managementEvent": True,
            "recipientAccountId": _ACCOUNT, "eventCategory": "Management",
        }  # fmt: skip


_CREATE = b'{"create":{}}\n'
_CHUNK = 2_000


def body(some: Iterable[Tree]) -> Any:
    """Documents as a bulk request that creates them: bytes, which the client takes although its types do not say so."""
    return b"".join(_CREATE + orjson.dumps(each) + b"\n" for each in some)


def fill(client: Elasticsearch, stream: str, some: Iterator[Tree]) -> int:
    """Write documents and make them searchable; returns how many. The next request is made while one is answered."""
    count, waiting = 0, None
    with ThreadPoolExecutor(1) as pool:
        while chunk := list(islice(some, _CHUNK)):
            request = partial(client.bulk, index=stream, operations=body(chunk), filter_path="errors")
            if waiting is not None:
                assert not waiting.result()["errors"]
            waiting, count = pool.submit(request), count + len(chunk)
        assert waiting is None or not waiting.result()["errors"]
    client.indices.refresh(index=stream)
    return count


def documents(records: list[Tree], ingested: str, original: bool = False) -> list[Tree]:
    """As the integration keeps them."""
    return [ecs_shape.document(record, original, ingested) for record in records]


def _machine(number: int) -> Tree:
    return {"type": "IAMUser", "principalId": f"AIDAMACHINE{number:010d}", "accountId": _ACCOUNT,
            "arn": f"arn:aws:iam::{_ACCOUNT}:user/svc-{number}", "userName": f"svc-{number}",
            "accessKeyId": f"AKIAMACHINE{number:09d}"}  # fmt: skip
