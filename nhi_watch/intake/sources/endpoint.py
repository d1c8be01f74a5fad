"""Hosts: what touches credentials there. Elastic Defend, and auditd (its text, Auditbeat, integrations).

Read is only what concerns credentials; all else is rejected as `not_credential`, which is counted, not kept:

- `endpoint:CredentialFileRead`: a file that holds a credential was opened (`~/.aws/credentials`, a kubeconfig, a
  workload's token below `/run/secrets`, `.env`, `.npmrc`…), also where it failed; or a program that shows or copies
  files was started on one. `CredentialFileWrite`: such a file was written. `CredentialMemoryRead`: memory or
  environment of another process.
- `endpoint:MetadataAccess`: a connection to a cloud's metadata service, a question for its name, or a command line
  with its address.
- `endpoint:CloudCli`: a cloud's command line (aws, az, gcloud, kubectl, gh, vault…) or a tool of attack was started.

Which files and programs these are is a table to edit: `nhi_watch/context/tables/hosts.json`.

Who acts is a user of a host (`host_user`): the host's id where Elastic's agent gives it, else its name; the user's id,
else the name. The target is the file, the service's address, or a command line's first two words, never its other
arguments. The agent is the program; links are the addresses of the host, under which clouds see who works from there.
A user of macOS or of a Windows that is no server is a person (`workstation`).

Traits: odd_process (no known program for that sort of credential, or one from a folder for temporary files), odd_parent
(a server, an office program or a browser started it), attack_tool, console (somebody sits at a terminal).

Reject reasons: not_object, bad_json, too_deep, not_credential, incomplete (auditd's lines came one by one),
no_identity (neither host nor user), no_time, bad_time, clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, NamedTuple, Optional, cast

from nhi_watch.context import actions
from nhi_watch.context.networks import describe, network_of
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.remembered import remembered
from nhi_watch.intake.shapes.forms import at, dataset, hit, inner, is_alert, native, unflatten
from nhi_watch.intake.shapes.values import bound, build_event, filled, moment, text, true

NAME = "endpoint"
SPLUNK_SOURCETYPES = ("linux:audit", "linux_audit", "auditd")
ELASTIC_INDICES = (
    "logs-endpoint.events.file-*",
    "logs-endpoint.events.process-*",
    "logs-endpoint.events.network-*",
    "logs-auditd_manager.auditd-*",
    "logs-auditd.log-*",
    "auditbeat-*",
)

Row = Mapping[str, Any]
_DATASETS = ("endpoint.events.", "auditd_manager.auditd", "auditd.log")


# ---- files and programs


_TABLES = actions.table("hosts")
_TOOLS = {name: frozenset(class_name["tools"].split()) for name, class_name in _TABLES["files"].items()}
"""Sort of credential → the programs whose it is."""
_PROGRAMS = {name: frozenset(class_name.split()) for name, class_name in _TABLES["programs"].items()}
_CLIS, _RUNTIMES, _SHELLS, _ATTACK = (_PROGRAMS[name] for name in ("clis", "runtimes", "shells", "attack"))
_READERS = _SHELLS | _PROGRAMS["readers"]
_METADATA = frozenset(_TABLES["metadata"].split())
MEMORY = "memory"
_MEMORY = re.compile(r"/proc/\d+/(?:environ|mem)", re.ASCII)
_FILE = re.compile(
    "(?:.*/)?(?:"
    + "|".join(f"(?P<{name}>{'|'.join(entry['paths'])})" for name, entry in _TABLES["files"].items())
    + ")",
    re.DOTALL,
)
_HINTS = re.compile(
    r"\.aws|boto|s3|gcloud|\.json|\.azure|kube|rancher|secrets/|\.docker|auth|npmrc|yarnrc|pypirc|credentials|settings|"
    r"\.gradle|nuget|bundle|netrc|hosts\.yml|config|jenkins|agent\.cfg|\.ssh|keytab|vault|tfstate|keys\.txt|pgpass|cnf|"
    r"snow|databricks|\.dbt|rclone|wrangler|\.pem|okta|\.fly|openai|token|\.env|\.gem|hub"
)
"""Something of each pattern: what has none of it is no such file; it excludes most files."""
_LONGEST = 1024


@remembered(16384)
def file_class(path: str) -> str:
    r"""What sort of credential a file holds; `memory` for another process's memory and environment, "" for none.

    >>> file_class("/srv/ci/.aws/credentials"), file_class("C:\\Users\\ci\\.kube\\config"), file_class("/etc/hosts")
    ('aws', 'kube', '')
    >>> file_class("/run/secrets/eks.amazonaws.com/token"), file_class("/app/.env"), file_class("/.env.example")
    ('workload', 'env', '')
    >>> file_class("/srv/ci/.ssh/authorized_keys"), file_class("/srv/ci/.ssh/id_rsa"), file_class("/proc/77/environ")
    ('', 'ssh', 'memory')
    """
    if len(path) > _LONGEST:
        return ""
    plain_path = path.replace("\\", "/").lower()
    if plain_path.startswith("/proc/"):
        return MEMORY if _MEMORY.fullmatch(plain_path) else ""
    match = _FILE.fullmatch(plain_path) if _HINTS.search(plain_path) else None
    return match.lastgroup or "" if match else ""


_IN_LINE = re.compile(
    r"169\.254\.169\.254|169\.254\.170\.23?\b|fd00:ec2::2(?:54|3)\b|metadata\.(?:google\.internal|azure\.com)|"
    r"100\.100\.100\.200"
)
_SCRIPTED = re.compile(r"(azure)[._]cli|(gcloud)\.py|(awscli)\b", re.IGNORECASE)
_SCRIPTS = {1: "az", 2: "gcloud", 3: "aws"}
_WILD = re.compile(
    r"/(?:var/)?tmp/|/dev/shm/|/proc/\d+/fd/|memfd:|/\.[^/]+/[^/]*$"
    r"|\\(?:appdata\\local\\temp|users\\public|\$recycle\.bin|perflogs)\\",
    re.IGNORECASE,
)
_HOMELY = re.compile(
    r"/\.(?:local|cargo|pyenv|nvm|rbenv|asdf|sdkman|npm|dotnet|krew|vscode[^/]*|cache|venv|volta|bun|deno|rustup|lens|"
    r"terraform\.d|terraform|pulumi|azure|docker|tfenv|goenv|go|jenkins|gradle|m2)/"
)
"""Hidden folders in which tools are installed."""
_ENDS = (".exe", ".cmd", ".bat", ".com", ".py", ".sh")
_NUMBERED = re.compile(r"[-_.]?\d[\d.]*[a-z]?$")
_UNSAFE = re.compile(r"[^a-z0-9._+-]+")
_WORD = re.compile(r"(?!(?:.*\d){5})[a-z][a-z0-9-]{0,31}", re.ASCII)


@remembered(16384)
def program(path: str) -> str:
    r"""A program's name: without folder, version and `.exe`, in lower case.

    >>> program("/usr/bin/python3.11"), program("C:\\Program Files\\Amazon\\AWSCLIV2\\aws.exe"), program("")
    ('python', 'aws', '')
    """
    name = path.replace("\\", "/").rpartition("/")[2].lower()[:120]
    for end in _ENDS:
        name = name.removesuffix(end)
    return _UNSAFE.sub("-", _NUMBERED.sub("", name) or name)[:40]


def cli_of(path: str, second: str, line: str) -> str:
    r"""The cloud's command line that is run, or "": the program itself, or the script that an interpreter runs.

    >>> cli_of("/usr/bin/aws", "", ""), cli_of("/usr/bin/python3", "/usr/bin/gsutil", ""), cli_of("/bin/ls", "", "")
    ('aws', 'gsutil', '')
    >>> cli_of("C:\\az\\python.exe", "-IBm", "python.exe -IBm azure.cli account show")
    'az'
    """
    name = program(path)
    if name in _CLIS:
        return name
    if name not in _RUNTIMES and name not in _SHELLS:
        return ""
    script = program(second) if second else ""
    if script in _CLIS:
        return script
    match = _SCRIPTED.search(line[:1000]) if name == "python" else None
    return _SCRIPTS[match.lastindex or 3] if match else ""


def doing(cli: str, words: Sequence[str]) -> str:
    """What a cloud's command line does: its first two subcommands, never an argument that may be a secret.

    >>> doing("aws", ["sts", "get-caller-identity"]), doing("kubectl", ["get", "secrets", "-A"])
    ('aws sts get-caller-identity', 'kubectl get secrets')
    >>> doing("vault", ["login", "hvs.X9"]), doing("gh", ["--repo", "a/b"])
    ('vault login', 'gh')
    """
    parts = [cli]
    for word in words[:2]:
        if not _WORD.fullmatch(word):
            break
        parts.append(word)
    return " ".join(parts)


def metadata_in(line: str) -> str:
    """The metadata service that a command line names, or "".

    >>> metadata_in("curl -s http://169.254.169.254/latest/meta-data/"), metadata_in("curl https://example.com")
    ('169.254.169.254', '')
    """
    if "169.254." not in line and "metadata." not in line and "fd00:ec2" not in line and "100.100.100" not in line:
        return ""
    match = _IN_LINE.search(line)
    return match[0] if match else ""


@remembered(16384)
def is_unusual_process(path: str, sort: str) -> bool:
    """Whether a program is none that this sort of credential is for: a plain reader, or one from where none belongs.

    >>> tuple(is_unusual_process(f"/usr/bin/{name}", "aws") for name in ("cat", "aws"))
    (True, False)
    >>> is_unusual_process("/srv/shop/api", "workload")
    False
    >>> is_unusual_process("/dev/shm/aws", "aws"), is_unusual_process("/usr/bin/kubectl", "docker")
    (True, True)
    """
    name = program(path)
    if not name or name in _PROGRAMS["keepers"]:
        return False
    tools = _TOOLS.get(sort, frozenset())
    if in_wild_place(path) or (name in _READERS and name not in tools):
        return True
    return bool(tools) and name not in tools and name not in _RUNTIMES


def in_wild_place(path: str) -> bool:
    """Whether a program lies where programs do not belong: folders for temporary files, hidden ones.

    >>> in_wild_place("/dev/shm/x"), in_wild_place("/srv/ci/.local/bin/aws"), in_wild_place("/usr/bin/aws")
    (True, False, False)
    """
    return _WILD.search(path) is not None and not _HOMELY.search(path)


@remembered(4096)
def is_unusual_parent(path: str) -> bool:
    """Whether a program starts no cloud's command line in its ordinary work.

    >>> is_unusual_parent("/usr/sbin/nginx"), is_unusual_parent("/usr/bin/bash"), is_unusual_parent("")
    (True, False, False)
    """
    return program(path) in _PROGRAMS["parents"] or in_wild_place(path)


_LOCAL = re.compile(r"127\.|169\.254\.|0\.0\.0\.0|::1?$|fe80:", re.IGNORECASE)
_DOCKER = "172.17.0.1"
"""The bridge that every host with Docker has."""
_ADDRESSES = 6


def _host_user(facts: ProcessFacts) -> Identity:
    """A user (by its id, else its name) on a host (by its id, else its name)."""
    unique = f"{NAME}:{facts.host}:user:{facts.user_id or facts.user.lower()}"
    shown = f"{facts.user or facts.user_id}@{facts.host_name or facts.host}"
    return Identity(unique[:512], shown[:512], "host_user", NAME, facts.host, facts.human)


def host_links(addresses: Iterable[str]) -> tuple[str, ...]:
    """`host:` and each address by which others see this machine, public ones first.

    >>> host_links(["127.0.0.1", "10.0.0.7", "fe80::1", "198.51.100.7", "172.17.0.1"])
    ('host:198.51.100.7', 'host:10.0.0.7')
    """
    kept = {a for a in addresses if a and a != _DOCKER and not _LOCAL.match(a) and "/" in network_of(a)}
    ordered = sorted(kept, key=lambda a: (describe(network_of(a)).kind == "private", a))
    return tuple(f"host:{address}" for address in ordered[:_ADDRESSES])


# ---- act
#
# What a process did on a host with credentials, the same out of every sensor's records, and the Event of it.


READ, WRITE, MEMORY_READ = "CredentialFileRead", "CredentialFileWrite", "CredentialMemoryRead"
METADATA_ACCESS, CLI = "MetadataAccess", "CloudCli"
_ACCESS = {READ: "read", MEMORY_READ: "read", METADATA_ACCESS: "read", WRITE: "write", CLI: "unknown"}
_ARGUMENTS = 12
_PIECE = re.compile(r'"([^"]*)"|(\S+)')


class Deed(NamedTuple):
    """What was done."""

    operation: str
    sort: str
    """What sort of credential it is about: a class of files, `metadata`, or the command line's name."""
    target: str


class ProcessFacts(NamedTuple):
    """All that an Event depends on, but time, record id, session and target."""

    operation: str
    sort: str
    host: str
    """Its id, else its name."""
    host_name: str
    user_id: str
    user: str
    process: str
    """The program's path, else its name."""
    parent: str
    human: str
    interactive: bool
    error: str
    """EACCES, ENOENT…; "" where it went well."""
    addresses: tuple[str, ...]
    """Of the host."""


Parts = tuple[ProcessFacts, object, str, str, str]
"""Facts, time, record id, session, target."""


def of_file(path: str, writes: bool) -> Optional[Deed]:
    """What it means that a file was opened; None where it holds no credential."""
    sort = file_class(path) if path else ""
    if not sort:
        return None
    if sort == MEMORY:
        return None if writes else Deed(MEMORY_READ, sort, path[:256])
    return Deed(WRITE if writes else READ, sort, path[:256])


def of_connection(*addresses: str) -> Optional[Deed]:
    """What it means that a connection was made, or a name was asked for; None where it is no metadata service."""
    address = next((address for address in addresses if address in _METADATA), "")
    return Deed(METADATA_ACCESS, "metadata", address) if address else None


def of_program(path: str, arguments: Sequence[str], line: str) -> Optional[Deed]:
    """What it means that a program was started; None where it concerns no credential.

    >>> of_program("/usr/bin/cat", ["cat", "/srv/.aws/credentials"], "cat /srv/.aws/credentials")
    Deed(operation='CredentialFileRead', sort='aws', target='/srv/.aws/credentials')
    >>> of_program("/usr/bin/ls", ["ls"], "ls")
    """
    second = arguments[1] if len(arguments) > 1 else ""
    cli = cli_of(path, second, line)
    if cli:
        words = arguments[1:4] if program(path) == cli else arguments[2:5] if program(second) == cli else ()
        return Deed(CLI, cli, doing(cli, words))
    service = metadata_in(line)
    if service:
        return Deed(METADATA_ACCESS, "metadata", service)
    if program(path) in _ATTACK or (second and program(second) in _ATTACK):
        return Deed(CLI, program(path), program(path))
    if program(path) not in _READERS:
        return None
    for argument in arguments[1:_ARGUMENTS]:
        name = argument.lstrip("@<")
        sort = file_class(name) if "/" in name or "\\" in name or name[:1] == "." else ""
        if sort:
            return Deed(MEMORY_READ if sort == MEMORY else READ, sort, name[:256])
    return None


def arguments_of(line: str) -> list[str]:
    """A command line in pieces.

    >>> arguments_of('"C:\\\\Program Files\\\\aws.exe" s3 ls')
    ['C:\\\\Program Files\\\\aws.exe', 's3', 'ls']
    """
    return [match[1] or match[2] or "" for match in _PIECE.finditer(line[:4096])][: _ARGUMENTS + 1]


@remembered(8192)
def event_of(facts: ProcessFacts) -> Event:
    """The Event of facts, without what differs from record to record."""
    marked_traits = {
        "odd_process": facts.operation != CLI and is_unusual_process(facts.process, facts.sort),
        "odd_parent": facts.parent and is_unusual_parent(facts.parent),
        "attack_tool": program(facts.process) in _ATTACK,
        "console": facts.interactive,
    }
    denied = facts.error in ("EACCES", "EPERM")
    return build_event(
        0,
        _host_user(facts),
        f"{NAME}:{facts.operation}",
        account=facts.host,
        access=_ACCESS[facts.operation],
        marks=marked_traits,
        outcome="denied" if denied else "failure" if facts.error else "success",
        error=facts.error,
        agent=facts.sort if facts.operation == CLI else program(facts.process),
        links=host_links(facts.addresses),
    )


# ---- ecs
#
# Elastic Defend's file, process and network events, and auditd's as Auditbeat and the Auditd integrations parse them.
#
# Fields: elastic/endpoint-package, custom_documentation; elastic/beats, auditbeat module auditd. Opening a file is
# logged by `open` (Defend reports it for paths that its policy calls sensitive) or `opened-file` (auditd). An open that
# fails with EACCES, EPERM or ENOENT is logged as well.


_READS = frozenset({"open", "access", "opened-file", "opened"})
_WRITES = frozenset({"creation", "modification", "overwrite", "rename", "created", "renamed", "changed-file", "wrote"})
_STARTS = frozenset({"exec", "start", "executed", "process_started"})
_CONNECTS = frozenset(
    {
        "connection_attempted",
        "connect",
        "connected-to",
        "lookup_requested",
        "lookup_result",
        "ipv4_connection_attempt_event",
    }
)
_ERRORS = {"-13": "EACCES", "-1": "EPERM", "-2": "ENOENT", "EACCES": "EACCES", "EPERM": "EPERM", "ENOENT": "ENOENT"}
_NO_TTY = ("", "(none)", "?", "unset", "none")
_LOGONS = ("Interactive", "RemoteInteractive", "CachedInteractive", "CachedRemoteInteractive")
_ACCOUNTS = ("S-1-5-21-", "S-1-12-1-")
"""SIDs of accounts that are none of Windows's own."""


def _of_document(document: Row) -> Optional[Parts]:
    """What a nested document says; None where it concerns no credential."""
    said, audit = inner(document, "event"), inner(document, "auditd")
    deed = _deed(document, said.get("action"), audit)
    if deed is None:
        return None
    process, system = inner(document, "process"), inner(inner(document, "host"), "os")
    above, data, code = inner(process, "parent"), inner(audit, "data"), at(document, "error.code")
    (host_id, host_name, user_id, user, domain, program_, parent, tty, logon, exit_code) = (
        text(value, 400)
        for value in (
            at(document, "host.id"),
            at(document, "host.name") or at(document, "host.hostname"),
            at(document, "user.id"),
            at(document, "user.name"),
            at(document, "user.domain"),
            process.get("executable") or process.get("name"),
            above.get("executable") or above.get("name"),
            data.get("tty"),
            at(process, "Ext.session_info.logon_type"),
            code or data.get("exit"),
        )
    )
    name = host_name.lower()[:200]
    is_own = "endpoint" in (at(document, "agent.type"), said.get("module"))
    failed = said.get("outcome") == "failure" or audit.get("result") == "fail"
    addresses = at(document, "host.ip")
    facts = ProcessFacts(
        *deed[:2],
        (host_id if is_own and host_id else name or host_id)[:200],
        name,
        user_id[:128],
        f"{domain}\\{user}" if domain and user and "\\" not in user else user[:128],
        program_,
        parent,
        _human(text(system.get("type")), text(system.get("name")), user_id),
        true(process.get("interactive")) or logon in _LOGONS or bool(audit and tty not in _NO_TTY),
        _ERRORS.get(exit_code, exit_code[:20] or "failure") if failed else "",
        tuple(text(address, 64) for address in (addresses if addresses.__class__ is list else [addresses])[:16]),
    )
    session = audit.get("session") or at(process, "entry_leader.entity_id") or at(process, "session_leader.entity_id")
    return facts, document.get("@timestamp"), _record_id(document, said, audit), text(session, 200), deed.target


def _deed(document: Row, content: object, audit: Row) -> Optional[Deed]:
    action = content if content.__class__ is str else text(content, 60)
    if action in _READS:
        data = inner(audit, "data")
        return of_file(_path(document, audit), opens_to_write(data.get(_OPEN.get(text(data.get("syscall"), 20), ""))))
    if action in _WRITES:
        return of_file(_path(document, audit), True)
    if action in _STARTS:
        return _program(document)
    if action in _CONNECTS:
        question = inner(inner(document, "dns"), "question")
        spoken = inner(inner(audit, "summary"), "object").get("primary") if audit else None
        other = inner(document, "destination").get("ip")
        return of_connection(text(other, 64), text(question.get("name"), 200), text(spoken, 200))
    return None


def _path(document: Row, audit: Row) -> str:
    path = inner(document, "file").get("path")
    content = path if path.__class__ is str else text(path, 1100)
    if not audit or content.startswith("/"):
        return content
    content = text(at(audit, "summary.object.primary"), 1100) or content
    folder = text(at(document, "process.working_directory"), 1000)
    return f"{folder}/{content}" if folder and not content.startswith("/") else content


def opens_to_write(flags: object) -> bool:
    """Whether flags of open(2) in hexadecimal let a file be written: O_WRONLY is 1, O_RDWR 2.

    >>> opens_to_write("0"), opens_to_write("80000"), opens_to_write("241"), opens_to_write("x")
    (False, False, True, False)
    """
    try:
        return bool(int(text(flags, 20), 16) & 3)
    except ValueError:
        return False


def _program(document: Row) -> Optional[Deed]:
    process = inner(document, "process")
    line = process.get("command_line")
    line = line[:4096] if line.__class__ is str else text(line, 4096)
    argument_list = process.get("args")
    if argument_list.__class__ is list:
        arguments = [argument if argument.__class__ is str else text(argument) for argument in argument_list[:13]]
    else:
        arguments = arguments_of(line or text(argument_list))
    path = process.get("executable") or process.get("name")
    path = path if path.__class__ is str else text(path, 400)
    return of_program(path, arguments, line or " ".join(arguments))


def _human(kind: str, system: str, unique: str) -> str:
    """Whether it is a person's own machine: macOS, or Windows that is no server, and an account of somebody."""
    if kind == "macos":
        return "workstation" if unique.isascii() and unique.isdigit() and 500 < int(unique[:9]) < 60_000 else ""
    if kind != "windows" or "Server" in system or not system:
        return ""
    return "workstation" if unique.startswith(_ACCOUNTS) else ""


def _record_id(document: Row, event: Row, audit: Row) -> str:
    """Defend's id; of auditd the time and the serial number, which are one event's on a host."""
    number = text(audit.get("sequence") or event.get("sequence"), 20) if audit else ""
    if number:
        host = inner(document, "host")
        name = text(host.get("name") or host.get("hostname") or host.get("id"), 200).lower()
        return f"auditd:{name}:{moment(document.get('@timestamp'))}:{number}"[:256]
    return text(event.get("id"), 200)


# ---- auditd
#
# auditd's own text: the lines of one event, which share `msg=audit(seconds.milliseconds:serial)`.
#
# A read of a watched file is SYSCALL, CWD and PATH; a program's start SYSCALL and EXECVE; a connection SYSCALL and
# SOCKADDR. The lines must come together (`stats list(_raw)` by the serial in Splunk; files are put together when they
# are read): a PATH alone names nobody. Enriched logs name users behind a group separator (`UID="ci"`).
# A line names its host only where auditd.conf says so (name_format) or the SIEM does; else all count as one, `unknown`.
# Format: github.com/linux-audit/audit-documentation, "Audit Event Parsing".


_LINE = re.compile(r"(?:node=(\S+) )?type=([A-Z_0-9]+) msg=audit\((\d{1,12})(?:\.\d+)?:(\d{1,20})\): ?(.*)", re.ASCII)
_FIELD = re.compile(r'([A-Za-z_]\w{0,30})=(?:"([^"]*)"|(\S+))', re.ASCII)
_LINES = 200
_KEPT = frozenset({"SYSCALL", "EXECVE", "CWD", "PATH", "SOCKADDR", "PROCTITLE"})
_OPEN = {"2": "a1", "257": "a2", "56": "a2", "open": "a1", "openat": "a2"}
"""System call (x86-64 and arm64) → the argument that holds the flags."""
_UNSET = ("4294967295", "-1", "unset")

Fields = dict[str, str]


def _is_auditd(raw: str) -> bool:
    return raw[:5] in ("type=", "node=") and "msg=audit(" in raw[:300]


def _of_auditd(raw: str, host: str) -> Optional[Parts]:
    """What the lines of an event say; None where it concerns no credential.

    Raises:
        RejectError: incomplete: there is no SYSCALL among them.
    """
    if not _may_concern(raw):
        return None
    node, stamp, serial, lines = _lines(raw)
    calls = [rest for kind, rest in lines if kind == "SYSCALL"]
    call = _fields(calls[0]) if calls else {}
    deed = _deed_auditd(call, lines)
    if deed is None:
        return None
    if not calls:
        raise RejectError("incomplete", "the SYSCALL line is missing: lines of one event must come together")
    name = (node or host or "unknown").lower()[:200]
    uid, user, tty, success, code, session = (
        text(call.get(value), 400) for value in ("uid", "UID", "tty", "success", "exit", "ses")
    )
    error = _ERRORS.get(code, code[:20] or "failure") if success == "no" else ""
    facts = ProcessFacts(
        *deed[:2],
        name,
        name,
        uid[:64],
        user[:128],
        _plain(call, "exe") or _plain(call, "comm"),
        "",
        "",
        tty not in _NO_TTY,
        error,
        (),
    )
    session = "" if session in _UNSET else session[:64]
    return facts, int(stamp), f"auditd:{name}:{stamp}:{serial}"[:256], session, deed.target


_EXE = re.compile(r' exe="([^"]{1,400})"')
_NAME = re.compile(r' name=(?:"([^"]{1,1024})"|([0-9A-F]{6,2048}))')
_HEXED = ("A9FEA9FE", "A9FEAA02", "A9FEAA17", "646464C8", "FD000EC2")
"""Addresses of metadata services as they stand in a SOCKADDR."""


def _may_concern(raw: str) -> bool:
    """Whether an event may concern a credential; most do not, and need not be taken apart."""
    if "type=EXECVE" in raw:
        match = _EXE.search(raw)
        known = (_CLIS, _RUNTIMES, _READERS, _ATTACK)
        return match is None or any(program(match[1]) in names for names in known) or bool(metadata_in(raw))
    if "type=SOCKADDR" in raw:
        return any(mark in raw for mark in _HEXED)
    if "type=PATH" not in raw:
        return False
    return any(hexed or not name.startswith("/") or file_class(name) for name, hexed in _NAME.findall(raw))


def _lines(raw: str) -> tuple[str, str, str, list[tuple[str, str]]]:
    """Node, seconds, serial number, and the kind and rest of each line of the first event."""
    node, stamp, serial = "", "", ""
    lines = []
    for piece in raw.split("\n", _LINES)[:_LINES]:
        match = _LINE.match(piece)
        if match and (not serial or match[4] == serial):
            node, stamp, serial = match[1] or node, match[3], match[4]
            if match[2] in _KEPT:
                lines.append((match[2], match[5]))
    return node, stamp, serial, lines


def _fields(rest: str) -> Fields:
    return {name: quoted or bare for name, quoted, bare in _FIELD.findall(rest.replace("\x1d", " ")[:8192])}


def _deed_auditd(call: Fields, lines: list[tuple[str, str]]) -> Optional[Deed]:
    by_kind = {kind: rest for kind, rest in lines if kind in ("EXECVE", "SOCKADDR", "CWD")}
    if "EXECVE" in by_kind:
        fields = _fields(by_kind["EXECVE"])
        arguments = [_unhexed(fields[f"a{n}"]) for n in range(13) if f"a{n}" in fields] or [""]
        return of_program(_plain(call, "exe") or arguments[0], arguments, " ".join(arguments))
    if "SOCKADDR" in by_kind:
        return of_connection(_address(_fields(by_kind["SOCKADDR"]).get("saddr", "")))
    folder = _plain(_fields(by_kind.get("CWD", "")), "cwd")
    flags = call.get(_OPEN.get(call.get("SYSCALL") or call.get("syscall", ""), ""), "0")
    for kind, rest in lines:
        if kind == "PATH":
            name = _plain(_fields(rest), "name")
            path = name if name.startswith("/") or not folder else f"{folder}/{name}"
            deed = of_file(path, opens_to_write(flags))
            if deed is not None:
                return deed
    return None


def _plain(fields: Fields, name: str) -> str:
    """A value that auditd writes as hexadecimal when it holds blanks or signs."""
    content = fields.get(name, "")
    return "" if content in ("(null)", "?") else _unhexed(content)


@remembered(4096)
def _unhexed(content: str) -> str:
    """Text out of hexadecimal, where it is that.

    >>> _unhexed("2F7372762F6120622E656E76"), _unhexed("/usr/bin/cat"), _unhexed("cafe")
    ('/srv/a b.env', '/usr/bin/cat', 'cafe')
    """
    if len(content) < 6 or len(content) % 2 or not re.fullmatch(r"[0-9A-F]+", content):
        return content
    return bytes.fromhex(content).decode("utf-8", "replace").rstrip("\0").replace("\0", " ")


@remembered(4096)
def _address(saddr: str) -> str:
    """The address in a socket's address as the kernel lays it out; "" where it is of another family.

    >>> _address("02000050A9FEA9FE0000000000000000"), _address("0100")
    ('169.254.169.254', '')
    >>> _address("0A00005000000000FD000EC2" + "0" * 20 + "0254")
    'fd00:ec2::254'
    """
    try:
        content = bytes.fromhex(saddr[:56])
    except ValueError:
        return ""
    if content[:2] == b"\x02\x00" and len(content) >= 8:
        return inet_ntop(AF_INET, content[4:8])
    if content[:2] == b"\x0a\x00" and len(content) >= 24:
        return inet_ntop(AF_INET6, content[8:24])
    return ""


# ---- endpoint


def claims(record: object) -> bool:
    """Whether the record is one of a host's sensors, in any of its shapes."""
    if record.__class__ is not dict:
        return False
    row = cast(Row, record)
    raw = row.get("_raw")
    if raw.__class__ is str:
        return _is_auditd(raw) or (raw[:1] == "{" and '"endpoint.events.' in raw and '"kibana.alert.' not in raw)
    if dataset(row).startswith(_DATASETS):
        return True
    hit_row = hit(row)
    return not is_alert(hit_row) and text(_module(hit_row), 20) == "auditd"


def _module(document: Row) -> object:
    event = document.get("event")
    return event.get("module") if event.__class__ is dict else document.get("event.module")


def read(record: object) -> Event:
    """The full reading.

    Raises:
        RejectError: with one of the reasons above.
    """
    parts = _parts(record)
    if parts is None:
        raise RejectError("not_credential", "no credential is involved")
    facts, record_parts, unique, session, target = parts
    if not facts.host or not (facts.user_id or facts.user):
        raise RejectError("no_identity", "the host or the user is missing")
    time, event = moment(record_parts), event_of(facts)
    content = str(time), event.identity.id, event.action, event.outcome, target, facts.process
    return filled(event, time, bound(unique, *content), session, target, target, facts.process)


def _parts(record: object) -> Optional[Parts]:
    if record.__class__ is dict:
        row = cast(Row, record)
        raw = row.get("_raw")
        if raw.__class__ is str and raw[:1] != "{":
            return _of_auditd(raw, text(row.get("host"), 200)) if _is_auditd(raw) else None
        document = hit(row)
        if document.get("event").__class__ is dict and not any("." in name for name in document):
            return _of_document(document)
        if any("{}" in name for name in row):
            return _of_document(unflatten(row))
    return _of_document(native(record)[0])
