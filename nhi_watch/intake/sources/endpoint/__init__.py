"""Hosts: what touches credentials there. Elastic Defend, Sysmon, and auditd (its text, Auditbeat, integrations).

Read is only what concerns credentials; all else is rejected as `not_credential`, which is counted, not kept:

- `endpoint:CredentialFileRead`: a file that holds a credential was opened (`~/.aws/credentials`, a kubeconfig, a
  workload's token below `/run/secrets`, `.env`, `.npmrc`…), also where it failed; or a program that shows or copies
  files was started on one. `CredentialFileWrite`: such a file was written. `CredentialMemoryRead`: memory or
  environment of another process, or of lsass.
- `endpoint:MetadataAccess`: a connection to a cloud's metadata service, a question for its name, or a command line
  with its address.
- `endpoint:CloudCli`: a cloud's command line (aws, az, gcloud, kubectl, gh, vault…) or a tool of attack was started.

Who acts is a user of a host (`host_user`): the host's id where Elastic's agent tells it, else its name; the user's id,
else the name. The target is the file, the service's address, or a command line's first two words, never its other
arguments. The agent is the program; links are the addresses of the host, under which clouds see who works from there.
A user of macOS or of a Windows that is no server is a person (`workstation`).

Traits: odd_process (no known program for that sort of credential, or one from a folder for temporary files), odd_parent
(a server, an office program or a browser started it), attack_tool, console (somebody sits at a terminal).

Reject reasons: not_object, bad_json, too_deep, not_credential, incomplete (auditd's lines came one by one),
no_identity (neither host nor user), no_time, bad_time, clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional, cast

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.shapes.forms import at, dataset, hit, is_alert, native, unflatten
from nhi_watch.intake.shapes.values import bound, filled, moment, text
from nhi_watch.intake.sources.endpoint import logs
from nhi_watch.intake.sources.endpoint.host import Facts, Parts, event_of

NAME = "endpoint"
SPLUNK_SOURCETYPES = ("XmlWinEventLog:Microsoft-Windows-Sysmon/Operational", "linux:audit", "linux_audit", "auditd")
ELASTIC_INDICES = (
    "logs-endpoint.events.file-*", "logs-endpoint.events.process-*", "logs-endpoint.events.network-*",
    "logs-windows.sysmon_operational-*", "logs-auditd_manager.auditd-*", "logs-auditd.log-*", "auditbeat-*",
    "winlogbeat-*",
)  # fmt: skip

Row = Mapping[str, Any]

_DATASETS = ("endpoint.events.", "windows.sysmon_operational", "auditd_manager.auditd", "auditd.log")
_SYSMON = "windows.sysmon_operational"
_NOT_OURS = "no credential is concerned"
_FACTS: dict[str, Callable[[tuple[object, ...]], Facts]] = {
    logs.NAME: logs.facts_of,
    logs.NAME_SYSMON: logs.facts_of_sysmon,
    logs.NAME_AUDITD: logs.facts_of_auditd,
}


def claims(record: object) -> bool:
    """Whether the record is one of a host's sensors, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return logs.is_auditd(raw) or logs.is_xml(raw) or _in_raw(raw)
    if dataset(row).startswith(_DATASETS):
        return True
    document = hit(row)
    if is_alert(document):
        return False
    return _module(document) or logs.is_row(row)


def _in_raw(raw: str) -> bool:
    if raw[:8] == '{"Event"':
        return logs.SYSMON in raw
    return raw[:1] == "{" and '"endpoint.events.' in raw and '"kibana.alert.' not in raw


def _module(document: Row) -> bool:
    """Whether a beat's document is of Sysmon or auditd."""
    event = document.get("event")
    if event.__class__ is dict:
        module, provider = event.get("module"), event.get("provider")
    else:
        module, provider = document.get("event.module"), document.get("event.provider")
    return text(module, 20) in ("auditd", "sysmon") or text(provider, 40) == logs.SYSMON


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    found = _parts(record)
    if found is None:
        raise RejectError("not_credential", _NOT_OURS)
    facts = _FACTS[str(found.shape[0])](found.shape)
    if not facts.host or not (facts.user_id or facts.user):
        raise RejectError("no_identity", "the host or the user is not told")
    time, target = moment(found.time), found.target
    event = event_of(facts)
    told = str(time), event.identity.id, event.action, event.outcome, target, facts.process
    record_id = bound(found.record_id, *told)
    return filled(event, time, record_id, found.session, target, target, facts.process)


def _parts(record: object) -> Optional[Parts]:
    if record.__class__ is dict:
        row = cast(Row, record)
        raw = row.get("_raw")
        if raw.__class__ is str and raw[:1] != "{":
            return _of_text(raw, row)
        if logs.is_row(row):
            return _of_tree(row)
        document = hit(row)
        if document.get("event").__class__ is dict and not any("." in name for name in document):
            return _of_document(document)
        if any("{}" in name for name in row):
            return _of_document(unflatten(row))
    tree, _ = native(record)
    return _of_tree(tree)


def _of_tree(tree: Row) -> Optional[Parts]:
    if logs.is_row(tree):
        return logs.parts_sysmon(logs.of_row(tree))
    return _of_document(tree)


def _of_text(raw: str, row: Row) -> Optional[Parts]:
    """Of auditd's lines or of Sysmon's XML; None for other text, which needs parsing."""
    if logs.is_auditd(raw):
        return logs.parts_auditd(raw, text(row.get("host"), 200))
    if logs.is_xml(raw):
        return logs.parts_sysmon(logs.of_xml(raw))
    return None


def _of_document(document: Row) -> Optional[Parts]:
    told = text(at(document, "event.provider"), 40)
    if "winlog" in document and (dataset(document) == _SYSMON or told == logs.SYSMON):
        return logs.parts_sysmon(logs.of_document(document))
    return logs.parts(document)
