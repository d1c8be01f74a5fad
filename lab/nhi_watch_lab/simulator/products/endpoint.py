"""Endpoints: what Elastic Defend, auditd (by Auditbeat) and Sysmon (by Winlogbeat) say of credentials.

Build servers have an address of their own, by which clouds see them; laptops only private ones. Shapes: the packages
`endpoint`, `auditd_manager` and `windows` (data stream `sysmon_operational`) of Elastic's integrations.
"""

from __future__ import annotations

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import HOUR, Machine, Place, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady
from nhi_watch_lab.tables import table

TOOLS = table(__file__, "tables.json/tools")
"""Tool → its program, and the file below the home folder in which its credential lies."""
ODD = {"cat": "/usr/bin/cat", "code": "/usr/share/code/code", "restic": "/usr/bin/restic", "grep": "/usr/bin/grep",
       "rsync": "/usr/bin/rsync", "node": "/usr/bin/node", "bash": "/usr/bin/bash", "vim": "/usr/bin/vim",
       "python3": "/usr/bin/python3.11", "curl": "/usr/bin/curl", "tar": "/usr/bin/tar", "find": "/usr/bin/find"}
"""Other programs that read such files: editors, backups, searches, scripts."""
CLIS = {"aws": ["aws sts get-caller-identity", "aws s3 sync ./dist s3://artifacts", "aws ecr get-login-password"],
        "kubectl": ["kubectl get pods", "kubectl rollout status deploy/api", "kubectl apply -f k8s/"],
        "gcloud": ["gcloud run deploy api", "gcloud auth print-access-token"], "az": ["az account show",
                                                                                      "az login --identity"],
        "gh": ["gh pr list", "gh release create"], "terraform": ["terraform plan", "terraform apply -auto-approve"]}
_PARENTS = ["bash", "zsh", "make", "java", "gitlab-runner", "node", "systemd", "cron"]


def _host(facts: Record) -> Record:
    return {"id": facts["id"], "name": facts["host"], "hostname": facts["host"], "ip": facts["ips"],
            "architecture": "x86_64",
            "os": facts["os"]}


def _user(facts: Record) -> Record:
    return {"id": facts["uid"], "name": facts["user"]}


def _process(d: Dice, name: str, path: str, parent: str, command: str = "") -> Record:
    line = command or name
    return {"entity_id": d.hexes(24), "pid": d.between(800, 60_000), "name": name, "executable": path,
            "command_line": line, "args": line.split(),
            "parent": {"entity_id": d.hexes(24), "pid": d.between(1, 60_000), "name": parent,
                       "executable": f"/usr/bin/{parent}"}}


def _document(sender: Sender, at: At, kind: str, action: str, change: str) -> Record:
    facts = sender.facts
    if facts["sensor"] == "auditd":
        return {"@timestamp": iso(at.second), "agent": {"id": facts["id"], "type": "auditbeat", "version": "8.15.3"},
                "data_stream": {"type": "logs", "dataset": "auditd_manager.auditd", "namespace": "default"},
                "ecs": {"version": "8.0.0"}, "host": _host(facts), "user": _user(facts), "service": {"type": "auditd"},
                "event": {"kind": "event", "module": "auditd", "category": [kind], "type": [change],
                          "outcome": "success",
                          "action": {"open": "opened-file", "exec": "executed"}.get(action, "connected-to")},
                "auditd": {"sequence": at.dice.between(10**5, 10**8), "session": str(at.dice.between(1, 900)),
                           "result": "success", "message_type": "syscall"}}
    return {"@timestamp": iso(at.second), "agent": {"id": facts["id"], "type": "endpoint", "version": "8.15.3"},
            "data_stream": {"type": "logs", "dataset": f"endpoint.events.{kind}", "namespace": "default"},
            "ecs": {"version": "8.10.0"}, "host": _host(facts), "user": _user(facts),
            "event": {"id": at.dice.ident("", 16) + "+++" + at.dice.ident("", 4), "kind": "event", "module": "endpoint",
                      "dataset": f"endpoint.events.{kind}", "category": [kind], "type": [change], "action": action,
                      "outcome": "unknown", "sequence": at.dice.between(1000, 900_000), "created": iso(at.second)},
            "message": f"Endpoint {kind} event"}


def read(company: Company, tool: str, path: str = "", program: str = "", parent: str = "") -> Deed:
    """A program opens a credential file: that of a tool, by the tool itself where no other program is named."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        name = program or tool
        executable = TOOLS[tool][0] if not program else ODD[program]
        where = f"{facts['home']}/{path or TOOLS[tool][1]}"
        document = _document(sender, at, "file", "open", "access")
        document["file"] = {"path": where, "name": where.rsplit("/", 1)[1], "extension": where.rpartition(".")[2]}
        document["process"] = _process(d, name, executable, parent or d.pick(_PARENTS))
        if facts["sensor"] == "auditd":
            document["auditd"]["data"] = {"syscall": "openat", "tty": "(none)", "arch": "x86_64"}
            document["auditd"]["summary"] = {"actor": {"primary": facts["user"], "secondary": facts["user"]},
                                             "how": executable,
                                             "object": {"primary": where, "type": "file"}}
        return sender.line(at, "endpoint", f"read {TOOLS[tool][1]}", document)

    return deed


def command(company: Company, tool: str, line: str = "", parent: str = "") -> Deed:
    """A cloud's command line is run."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        told = line or d.pick(CLIS[tool])
        document = _document(sender, at, "process", "exec", "start")
        document["process"] = _process(d, tool, TOOLS[tool][0], parent or d.pick(_PARENTS), told)
        if facts["sensor"] == "auditd":
            document["auditd"]["data"] = {"syscall": "execve", "tty": "(none)", "arch": "x86_64"}
            document["auditd"]["summary"] = {"actor": {"primary": facts["user"], "secondary": facts["user"]},
                                             "how": TOOLS[tool][0], "object": {"primary": TOOLS[tool][0],
                                                                               "type": "file"}}
        return sender.line(at, "endpoint", f"run {tool}", document)

    return deed


def metadata(company: Company, program: str) -> Deed:
    """A program asks the instance metadata service."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        document = _document(sender, at, "network", "connection_attempted", "start")
        path = TOOLS[program][0] if program in TOOLS else ODD[program]
        document["process"] = _process(d, program, path, d.pick(_PARENTS))
        document["destination"] = {"ip": "169.254.169.254", "port": 80}
        document["source"] = {"ip": facts["ips"][0], "port": d.between(30_000, 60_000)}
        document["network"] = {"transport": "tcp", "type": "ipv4", "direction": "egress"}
        if facts["sensor"] == "auditd":
            document["auditd"]["data"] = {"syscall": "connect", "tty": "(none)", "arch": "x86_64"}
            document["auditd"]["summary"] = {"actor": {"primary": facts["user"], "secondary": facts["user"]},
                                             "how": path,
                                             "object": {"primary": "169.254.169.254", "secondary": "80",
                                                        "type": "socket"}}
        return sender.line(at, "endpoint", "metadata", document)

    return deed


def windows_command(company: Company, tool: str, line: str, parent: str = "powershell") -> Deed:
    """A cloud's command line on Windows: Sysmon's event 1."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        image, above = f"C:\\Program Files\\{tool}\\{tool}.exe", f"C:\\Windows\\System32\\{parent}.exe"
        domain, user = "CORP", facts["user"]
        told = line or d.pick(CLIS[tool])
        data = {"CommandLine": told, "Image": image, "ParentImage": above, "User": f"{domain}\\{user}",
                "ProcessGuid": "{" + d.uuid() + "}", "ParentProcessGuid": "{" + d.uuid() + "}",
                "ProcessId": str(d.between(900, 30_000)),
                "UtcTime": iso(at.second)[:-1].replace("T", " "), "ParentCommandLine": above,
                "IntegrityLevel": "Medium"}
        document = {
            "@timestamp": iso(at.second), "agent": {"id": facts["id"], "type": "winlogbeat", "version": "8.15.3"},
            "data_stream": {"type": "logs", "dataset": "windows.sysmon_operational", "namespace": "default"},
            "event": {"code": "1", "kind": "event", "module": "sysmon", "provider": "Microsoft-Windows-Sysmon",
                      "category": ["process"], "type": ["start"], "action": "Process creation",
                      "created": iso(at.second)},
            "winlog": {"channel": "Microsoft-Windows-Sysmon/Operational", "event_id": "1", "event_data": data,
                       "record_id": d.between(10**5, 10**8), "computer_name": facts["host"],
                       "provider_name": "Microsoft-Windows-Sysmon"},
            "host": _host(facts), "user": {"id": facts["uid"], "name": user, "domain": domain},
            "process": {"entity_id": data["ProcessGuid"], "pid": int(data["ProcessId"]), "name": f"{tool}.exe",
                        "executable": image,
                        "command_line": told, "args": told.split(), "parent": {"executable": above,
                                                                               "name": f"{parent}.exe"}},
        }
        return sender.line(at, "endpoint", f"run {tool}", document)

    return deed


def _worker(company: Company, host: str, user: str, place: Place, d: Dice) -> Worker:
    worker = Worker(f"endpoint-{host}", "host_user", f"endpoint:{host}:{user}", place, "")
    worker.facts = {"host": host, "id": d.uuid(), "user": user, "uid": str(d.between(990, 1100)),
                    "home": "/".join(("", "home", user)),
                    "ips": [basics.private_address(d)], "sensor": "defend", "tools": d.some(list(TOOLS), 4),
                    "os": {"family": "debian", "type": "linux", "platform": "ubuntu", "version": "22.04",
                           "name": "Ubuntu"}}
    return worker


def server(company: Company, number: int, machine: Machine | None = None) -> Worker:
    """A build or batch server; `machine` is the AWS user whose key lies on it."""
    d = company.dice("server", number)
    host = f"{company.org}-{d.pick(['build', 'batch', 'runner', 'jump'])}-{number}"
    user = d.pick(["ci", "deploy", "svc", "jenkins"])
    own = Place(lambda x: basics.aws_address(x, company.aws.world.home), name=f"server-{company.seed}-{number}")
    place = machine.place if machine else own
    worker = _worker(company, host, user, place, d)
    worker.facts["sensor"] = d.pick(["defend", "auditd"])
    worker.facts["ips"] = [worker.facts["ips"][0], place.address(0, d)]
    worker.facts["machine"] = machine
    tools = ["aws", *d.some([name for name in TOOLS if name != "aws"], 3)] if machine else worker.facts["tools"]
    worker.facts["tools"] = tools
    acts = [read(company, name) for name in tools] + [command(company, name) for name in tools if name in CLIS]
    worker.habits.append(run(Rhythm("every", d.pick([900, 1800, 3600]), d.between(0, 800)), (acts, 2.0, 5)))
    if d.chance(0.6):
        worker.habits.append(steady(20, [metadata(company, d.pick(["aws", "python3"]))]))
    if d.chance(0.5):
        backup = [read(company, name, program="restic", parent="cron") for name in tools]
        worker.habits.append(run(Rhythm("cron", at=d.between(0, 5 * HOUR)), (backup, 3, 1)))
    worker.habits.append(steady(0.15, [read(company, d.pick(tools), program=d.pick(list(ODD))) for _ in range(3)]))
    return worker


def laptop(company: Company, one: Person) -> Worker:
    """A developer's machine."""
    d = company.dice("laptop", one.number)
    worker = _worker(company, f"{one.login.replace('.', '-')}-{one.system[:3]}", one.login, one.place, d)
    worker.human, worker.zone, worker.born = True, one.zone, one.born
    if one.system == "mac":
        worker.facts.update({"home": f"/Users/{one.login}", "os": {"type": "macos", "family": "darwin",
                                                                   "name": "macOS"}})
    if one.system == "windows":
        worker.facts.update({"sensor": "sysmon",
                             "uid": f"S-1-5-21-{d.between(10**8, 10**9)}-{d.between(10**8, 10**9)}-1{one.number:03d}",
                             "os": {"type": "windows", "family": "windows", "name": "Windows 11 Pro"}})
        acts = [windows_command(company, name, "") for name in d.some(list(CLIS), 3)]
        worker.habits.append(office(d.lognormal(4, 0.6), acts))
        return worker
    tools = worker.facts["tools"]
    acts = [read(company, name) for name in tools] + [command(company, name, parent="zsh") for name in tools
                                                      if name in CLIS]
    worker.habits.append(office(d.lognormal(9, 0.6), acts))
    odd = [read(company, d.pick(tools), program=name) for name in d.some(list(ODD), 4)]
    worker.habits.append(office(d.lognormal(0.35, 0.7), odd))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` servers, some of them with AWS keys on them, and half of the people's laptops."""
    d, office = company.dice("keyed"), company.aws.world.office
    keyed = [m for m in company.aws.machines
             if m.kind == "user" and m.place.fixed and m.place.address(0, d) not in office]
    found = [server(company, n, keyed[n] if n < len(keyed) and n < count // 2 else None) for n in range(count)]
    return found + [laptop(company, one) for one in company.people if one.number % 2 == 0]
