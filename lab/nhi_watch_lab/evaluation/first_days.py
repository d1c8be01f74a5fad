"""Real logs as a tenant's first day: what is shown, and why. `python -m nhi_watch_lab.evaluation.first_days`.

Each set is one file that somebody tries the product on: nothing was learnt before it. Attacks of public exercises must
have a row, at least four in five of them medium or above; benign sets have no medium, and one row at most.

**Which benign logs may train.** Half of them may be negative controls in training, the other half is for this test
alone, and `half_of` is the only definition of that: a set is of the half that it names, whatever it is cut into.

The logs are beside the project (`shared/data`, whose README describes them) and never part of it. What gives an attack
away there (user agents and names of the exercise) is taken out; accounts, addresses and names that its authors made up
at random are replaced by those of the log around it.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.timestamps import DAY, HOUR, parse, render
from nhi_watch.detect import model as models
from nhi_watch.hosts.files import library
from nhi_watch.report import words

ROOT = Path(__file__).parents[4] / "shared" / "data"
Record = dict[str, Any]
TEST, TRAINING = "test", "training"
CHANGE = "2021-04-15"
"""The first day of m365's half that is for the test."""


def half_of(name: str) -> str:
    """The half that a benign set is of: `boogy`, `grycap`, `console/FILE`, `hkerma/1`, `hkerma/2`, `m365/YYYY-MM-DD`.

    >>> half_of("boogy"), half_of("grycap"), half_of("hkerma/1"), half_of("m365/2021-04-16")
    ('test', 'training', 'training', 'test')
    """
    source, _, part = name.partition("/")
    if source == "console":
        return TEST if int(sha256(part.encode()).hexdigest(), 16) % 2 == 0 else TRAINING
    is_test = {"boogy": True, "grycap": False, "hkerma": part == "2", "m365": part >= CHANGE}[source]
    return TEST if is_test else TRAINING


# ---- the logs


def cloudtrail(path: Path) -> list[Record]:
    """The records of a file of CloudTrail's, whatever holds them."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        return [*map(json.loads, text.splitlines())]
    content = json.loads(text)
    return list(content["Records"] if isinstance(content, dict) else content)


def sessions(root: Path = ROOT) -> Iterator[tuple[str, list[Record]]]:
    """People in the console, each session under its file's name: whose they are, and from where, was taken out."""
    for number, path in enumerate(sorted((root / "cloudtrail" / "console").glob("*.json"))):
        name = f"person{number}"
        who = {
            "type": "IAMUser",
            "principalId": f"AIDAPERSON{number:06}",
            "accountId": HOME,
            "arn": f"arn:aws:iam::{HOME}:user/{name}",
            "userName": name,
            "accessKeyId": f"ASIAPERSON{number:010}",
            "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
        }
        yield (
            f"console/{path.name}",
            [
                {
                    **item,
                    "userIdentity": who,
                    "sourceIPAddress": f"84.112.{number}.7",
                    "recipientAccountId": HOME,
                    "sessionCredentialFromConsole": "true",
                }
                for item in cloudtrail(path)
            ],
        )


HOME = "111122223333"


def kubernetes(root: Path = ROOT) -> list[Record]:
    """hkerma's rows as audit events."""
    with (root / "kubernetes" / "hkerma.csv").open(encoding="utf-8", newline="") as file:
        return [_audited(row) for row in csv.reader(file) if len(row) > 11]


def _audited(row: Sequence[str]) -> Record:
    time, user, verb, uri, ident, stage, code = (row[at] for at in (1, 2, 3, 8, 9, 10, 11))
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": ident, "stage": stage,
        "requestURI": uri, "verb": verb, "user": {"username": user}, "sourceIPs": ["10.0.0.9"],
        "stageTimestamp": time, "requestReceivedTimestamp": time,
        **({"responseStatus": {"code": int(code)}} if code.isdigit() else {}),
    }  # fmt: skip


def unified(root: Path = ROOT) -> list[Record]:
    """m365's records."""
    return [json.loads(line) for line in (root / "m365" / "audit.ndjson").open(encoding="utf-8")]


def is_wide_consent(record: Record) -> bool:
    """Whether somebody consents for the tenant, or for himself to an app that reads mail and files."""
    return record.get("Operation") == "Consent to application." and (
        "AllPrincipals" in json.dumps(record) or "Mail.Read" in json.dumps(record)
    )


# ---- sets: a file that somebody tries the product on

ATTACK, BENIGN, MADE_UP = "attack", "benign", "made up"


class Set(NamedTuple):
    """Some records, given as a tenant's first day."""

    name: str
    kind: str
    records: list[Record]
    theft: frozenset[str] = frozenset()
    """Ids of the attack's records; empty: all of them are."""
    half: str = TEST
    """Benign sets of the other half may have been in training: they are shown, but not counted."""


GIVEN_AWAY = re.compile(r"stratus(?:[-_ ]?red[-_ ]?team)?", re.IGNORECASE)
"""In user agents and names; what follows it distinguishes secrets, and stays."""


def stripped(record: Record) -> Record:
    """The record without what names the exercise."""
    plain = {**record, "userAgent": AGENT} if GIVEN_AWAY.search(str(record.get("userAgent"))) else record
    renamed: Record = json.loads(GIVEN_AWAY.sub("ops-runner", json.dumps(plain)))
    return renamed


AGENT = "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 botocore/2.4.5"
HOUSEHOLD = "84.112.7.9"


def on_background(attack: Sequence[Record], background: Sequence[Record]) -> Set:
    """One technique among the calls of a benign account, by its people and roles, from a household.

    Account, names, addresses and region were drawn at random by the authors, a file each: they are replaced.
    """
    account = str(background[0].get("recipientAccountId"))
    begin = parse(background[0]["eventTime"])
    first = min(parse(item["eventTime"]) for item in attack)
    moved = []
    for item in map(stripped, attack):
        text = json.dumps(item).replace(str(item.get("recipientAccountId")), account)
        plain = json.loads(re.sub(r":user/[\w.+@-]+", ":user/deployer", text))
        plain.update(
            eventTime=render(begin + parse(item["eventTime"]) - first),
            awsRegion="eu-west-1",
            recipientAccountId=account,
            userAgent=AGENT,
        )
        if "amazonaws" not in str(item.get("sourceIPAddress")):
            plain["sourceIPAddress"] = HOUSEHOLD
        moved.append(plain)
    return Set("", ATTACK, [*background, *moved], frozenset(str(item["eventID"]) for item in moved))


def attacks(root: Path = ROOT) -> Iterator[Set]:
    """Public exercises."""
    folder = root / "cloudtrail"
    invictus = [stripped(item) for path in sorted((folder / "invictus").glob("*.json")) for item in cloudtrail(path)]
    yield Set("invictus", ATTACK, invictus)
    background = cloudtrail(folder / "boogy.json")
    for path in sorted((folder / "stratus").glob("*.json")):
        yield on_background(cloudtrail(path), background)._replace(name=f"stratus/{path.stem[4:]}")
    days = _by_day(unified(root), "CreationTime")
    for day, records in days.items():
        consents = [record for record in records if is_wide_consent(record)]
        for app in sorted({str(consent.get("ObjectId")) for consent in consents}):
            mine = frozenset(str(consent["Id"]) for consent in consents if consent.get("ObjectId") == app)
            others = {str(consent["Id"]) for consent in consents} - mine
            kept = [record for record in records if record["Id"] not in others]
            yield Set(f"m365/consent {day} {app[:8]}", ATTACK, kept, mine)


def benign(root: Path = ROOT) -> Iterator[Set]:
    """Logs of ordinary work, whole."""
    folder = root / "cloudtrail"
    yield Set("boogy", BENIGN, cloudtrail(folder / "boogy.json"), half=half_of("boogy"))
    for day, records in _by_day(cloudtrail(folder / "grycap.ndjson"), "eventTime").items():
        yield Set(f"grycap {day}", BENIGN, records, half=half_of("grycap"))
    for name, records in sessions(root):
        yield Set(name, BENIGN, records, half=half_of(name))
    events = kubernetes(root)
    for number, part in enumerate((events[: len(events) // 2], events[len(events) // 2 :]), 1):
        yield Set(f"hkerma/{number}", BENIGN, part, half=half_of(f"hkerma/{number}"))
    for day, records in _by_day(unified(root), "CreationTime").items():
        if not any(map(is_wide_consent, records)):
            yield Set(f"m365/{day}", BENIGN, records, half=half_of(f"m365/{day}"))


def _by_day(records: Iterable[Record], field: str) -> dict[str, list[Record]]:
    days: dict[str, list[Record]] = {}
    for record in records:
        days.setdefault(str(record[field])[:10], []).append(record)
    return dict(sorted(days.items()))


LENGTHS = {"ten minutes": 600, "an hour": HOUR}
TIMES = ("eventTime", "stageTimestamp", "CreationTime")


def cut(case: Set) -> Iterator[Set]:
    """A benign set, and its first ten minutes and first hour where those hold less."""
    yield case
    times = [_time(record) for record in case.records]
    before = len(times)
    for name, seconds in reversed(LENGTHS.items()):
        part = [item for item, time in zip(case.records, times) if time < min(times) + seconds]
        if len(part) < before:
            yield case._replace(name=f"{case.name}, {name}", records=part)
        before = len(part)


def _time(record: Record) -> int:
    text = next(str(record[name]) for name in TIMES if name in record)
    return parse(text if text.endswith("Z") else f"{text}Z")


# ---- the made-up day: an old role, Tor, Kali in the user agent, 40 secrets, an administrator

NOON = 20_500 * DAY + 12 * HOUR
PLACES = {"tor": "185.220.101.9", "household": HOUSEHOLD}
KALI = "aws-cli/2.9.1 Python/3.11 Linux/6.1.0-kali9-amd64"


def _call(role: str, minute: float, service: str, name: str, address: str, agent: str, **params: Any) -> Record:
    issuer = {
        "type": "Role",
        "principalId": f"AROA{role.upper()}",
        "arn": f"arn:aws:iam::{HOME}:role/{role}",
        "accountId": HOME,
        "userName": role,
    }
    return {
        "eventVersion": "1.09", "eventTime": render(int(NOON + minute * 60)), "eventSource": f"{service}.amazonaws.com",
        "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": address, "userAgent": agent,
        "eventID": f"{role}-{name}-{minute}", "recipientAccountId": HOME, "requestParameters": params,
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROA{role.upper()}:s", "accountId": HOME,
            "arn": f"arn:aws:sts::{HOME}:assumed-role/{role}/s", "accessKeyId": f"ASIA{role.upper():_<16}",
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
        },
    }  # fmt: skip


def _work() -> list[Record]:
    return [
        _call(role, minute, "s3", name, "52.95.110.1", "Boto3/1.34.0 md/Botocore#1.34.0", bucketName=f"{role}-data")
        for role in ("orders", "mailer", "reports", "search")
        for minute in range(0, 300, 10)
        for name in ("GetObject", "PutObject")
    ]


def made_up_day(place: str = "tor", tool: bool = True, secrets: int = 40, admin: bool = True) -> Set:
    """A role's session stolen on the first day that is read, among its own and others' work."""
    where = PLACES[place], KALI if tool else AGENT
    stolen = [_call("reports", 120, "sts", "GetCallerIdentity", *where)]
    stolen += [
        _call("reports", 121 + n / 10, "secretsmanager", "GetSecretValue", *where, secretId=f"prod/{n}")
        for n in range(secrets)
    ]
    if admin:
        policy = "arn:aws:iam::aws:policy/AdministratorAccess"
        stolen += [
            _call("reports", 126, "iam", "CreateUser", *where, userName="svc-backup"),
            _call("reports", 126.5, "iam", "AttachUserPolicy", *where, userName="svc-backup", policyArn=policy),
            _call("reports", 127, "iam", "CreateAccessKey", *where, userName="svc-backup"),
        ]
    return Set("", MADE_UP, [*_work(), *stolen], frozenset(str(item["eventID"]) for item in stolen))


def on_a_cluster() -> Set:
    """The same by a service account's token: secrets of all namespaces, an administrator's binding."""

    def call(minute: float, who: str, verb: str, resource: str, name: str, stolen: bool, body: Any = None) -> Record:
        time = render(int(NOON + minute * 60))
        ref = {"resource": resource, "namespace": "" if "cluster" in resource else "shop", "name": name}
        return {
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request" if body else "Metadata",
            "auditID": f"{who}-{resource}-{name}-{minute}", "stage": "ResponseComplete", "verb": verb,
            "requestURI": f"/api/v1/{resource}", "user": {"username": f"system:serviceaccount:shop:{who}"},
            "sourceIPs": [PLACES["tor"] if stolen else "10.8.0.7"], "responseStatus": {"code": 200},
            "userAgent": "kubectl/v1.31 (linux/amd64) kali" if stolen else "client-go/v0.31",
            "objectRef": {key: value for key, value in ref.items() if value}, "stageTimestamp": time,
            "requestReceivedTimestamp": time, **({"requestObject": body} if body else {}),
        }  # fmt: skip

    work = [call(minute, who, "get", "configmaps", "settings", False) for who in ("api", "web") for minute in range(60)]
    stolen = [call(120 + n / 10, "api", "get", "secrets", f"s{n}", True) for n in range(40)]
    stolen.append(call(125, "api", "create", "clusterrolebindings", "x", True, {"roleRef": {"name": "cluster-admin"}}))
    return Set("", MADE_UP, [*work, *stolen])


TENANT = "3f1b6c2a-0d4e-4a8b-9c57-1e2d3f405162"


def in_entra() -> Set:
    """The same by an app's secret: mails of all, a secret for another app, a directory role."""

    def call(minute: float, app: str, method: str, path: str, stolen: bool) -> Record:
        time, address = render(int(NOON + minute * 60)), PLACES["tor"] if stolen else "20.50.2.9"
        return {
            "time": time, "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
            "operationName": "Microsoft Graph Activity", "category": "MicrosoftGraphActivityLogs", "tenantId": TENANT,
            "resultSignature": "200", "callerIpAddress": address,
            "properties": {
                "requestId": f"{app}-{minute}-{path}", "requestMethod": method, "responseStatusCode": 200,
                "requestUri": f"https://graph.microsoft.com/v1.0{path}", "ipAddress": address, "timeGenerated": time,
                "appId": f"5d0c1c9e-7a11-4f0e-8f3b-{app}", "servicePrincipalId": f"b7e2f4a6-1c3d-4e5f-9a8b-{app}",
                "userAgent": "python-requests/2.32.3 kali" if stolen else "python-requests/2.32.3",
                "clientAuthMethod": "1", "signInActivityId": f"token-{app}-{stolen}", "roles": "Mail.Read",
            },
        }  # fmt: skip

    other = "1f2e3d4c-5b6a-4789-8abc-def012345678"
    apps = "0a1b2c3d4e5f", "0a1b2c3d4e60"
    work = [call(minute, app, "GET", "/users", False) for app in apps for minute in range(60)]
    stolen = [call(120 + n / 10, "0a1b2c3d4e5f", "GET", f"/users/{other}/messages", True) for n in range(200)]
    stolen += [
        call(141, "0a1b2c3d4e5f", "POST", f"/applications/{other}/addPassword", True),
        call(142, "0a1b2c3d4e5f", "POST", "/roleManagement/directory/roleAssignments", True),
    ]
    return Set("", MADE_UP, [*work, *stolen])


def made_up() -> Iterator[Set]:
    """The day and its variations."""
    yield made_up_day()._replace(name="simulated day")
    yield made_up_day(place="household")._replace(name="simulated day, from a household")
    yield made_up_day(tool=False)._replace(name="simulated day, without the tool")
    yield made_up_day(admin=False)._replace(name="simulated day, without the administrator")
    yield made_up_day(secrets=20)._replace(name="simulated day, half the secrets")
    yield on_a_cluster()._replace(name="simulated day on Kubernetes")
    yield in_entra()._replace(name="simulated day in Entra")


# ---- what is shown


class Shown(NamedTuple):
    """What the product says of a set."""

    rows: int
    severity: str
    """Of the gravest row; of attacks, of those that hold a record of it. Empty: there is none."""
    likelihood: float
    why: tuple[str, ...]
    """Signals that raise it most."""


GRAVE = ("medium", "high", "critical")


def shown(case: Set, model: Path = models.FOLDER) -> Shown:
    """Score a set as somebody would who has nothing else."""
    result = library.score(case.records, model=model)
    listed = [notable for notable in result.notables if notable["kind"] != "blind_spot"]
    rows = [n for n in listed if not case.theft or not case.theft.isdisjoint(n["record_ids"])]
    best = max(rows or listed or result.below, key=lambda n: float(n["likelihood"]), default=None)
    if best is None:
        return Shown(0, "", 0.0, ())
    heavy, _ = words.signal_bars(best)
    why = tuple(signal["id"] for signal in sorted(heavy, key=lambda signal: -signal["log_odds"])[:4])
    counted = rows if case.kind != BENIGN else listed
    return Shown(len(counted), best["severity"] if counted else "", float(best["likelihood"]), why)


def is_as_expected(case: Set, row: Shown) -> bool:
    """Medium or above for an attack, high or above for the made-up day, at most one low row for what is benign."""
    if case.kind == ATTACK:
        return row.severity in GRAVE
    if case.kind == MADE_UP:
        return row.severity in GRAVE[1:]
    return row.severity not in GRAVE and row.rows <= 1


SETS: dict[str, Callable[[], Iterator[Set]]] = {
    "made-up": made_up,
    "attacks": attacks,
    "benign": lambda: (part for case in benign() for part in cut(case)),
}


def main() -> int:
    """Print the table; exit code 1 where an expectation is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(SETS), nargs="+", default=list(SETS), help="some kinds of sets alone")
    parser.add_argument("--model", type=Path, default=models.FOLDER, help="another model's folder")
    args = parser.parse_args()
    rows: list[tuple[Set, Shown]] = []
    for kind in args.only:
        for case in SETS[kind]():
            row = shown(case, args.model)
            rows.append((case, row))
            verdict = "as expected" if is_as_expected(case, row) else "NOT as expected"
            verdict = "training" if case.half == TRAINING else verdict
            cells = (
                case.kind,
                case.name,
                f"{len(case.records)} records",
                f"{row.rows} rows",
                row.severity or "no row",
                f"{row.likelihood:g}%",
                verdict,
                ", ".join(row.why),
            )
            sys.stdout.write(" | ".join(cells) + "\n")
    lines = [*summary(rows)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if all(line.endswith("met") for line in lines) else 1


SHARE = 0.8
"""Of the attacks of medium severity or above."""


def summary(result: Sequence[tuple[Set, Shown]]) -> Iterator[str]:
    """What is asked for, and what there is."""
    stolen = [row for case, row in result if case.kind == ATTACK]
    if stolen:
        rows, grave = sum(row.rows > 0 for row in stolen), sum(row.severity in GRAVE for row in stolen)
        yield _line(f"attacks with a row: {rows} of {len(stolen)}", rows == len(stolen))
        yield _line(f"attacks of medium and above: {grave} of {len(stolen)}", grave >= SHARE * len(stolen))
    for kind in (MADE_UP, BENIGN):
        expected = [is_as_expected(case, row) for case, row in result if case.kind == kind and case.half == TEST]
        if expected:
            yield _line(f"{kind}: {sum(expected)} of {len(expected)} as expected", all(expected))


def _line(text: str, is_met: bool) -> str:
    return f"{text}: {'met' if is_met else 'missed'}"


if __name__ == "__main__":
    sys.exit(main())
