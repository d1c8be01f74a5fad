"""Coding agents of the people who write code, and gateways through which applications' agents call tools.

Shapes: Claude Code's OpenTelemetry events in OTLP JSON; Bedrock AgentCore's gateway logs in CloudWatch.
"""

from __future__ import annotations

import json

from nhi_watch_lab.simulator.machines import DAY
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, office, steady
from nhi_watch_lab.tables import lists

TOOLS = ["Read", "Bash", "Edit", "Grep", "Glob", "TodoWrite", "Write", "WebFetch", "Task", "WebSearch", "NotebookEdit"]
SERVERS = lists(__file__, "tables.json/servers")
GATED = [f"{word}___{deed}" for word in ("Orders", "Customers", "Stock", "Invoices", "Tickets", "Refunds", "Reports")
         for deed in ("get", "search", "update", "export")]  # fmt: skip
_MODES = ["acceptEdits", "plan", "default"]
_VERSIONS = ["2.1.96", "2.1.140", "2.1.175"]
_USERS = 0.5
"""Share of the people whose coding agent reports: an assumption."""


def event(company: Company, name: str, told: Record) -> Deed:
    """One of a coding agent's events; values of `told` that can be called are drawn for each."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        attributes = {
            "event.name": name, "event.sequence": d.between(1, 9999), "session.id": sender.session,
            "organization.id": company.uuid("anthropic"), "terminal.type": "xterm", "user.id": facts["device"],
            **facts["signed_in"], **{key: value(d) if callable(value) else value for key, value in told.items()},
        }  # fmt: skip
        nanoseconds = str(int(at.second * 1000)) + "000000"
        log = {"timeUnixNano": nanoseconds, "observedTimeUnixNano": nanoseconds,
               "body": {"stringValue": f"claude_code.{name}"}, "attributes": _attributes(attributes)}  # fmt: skip
        resource = {"service.name": "claude-code", "service.version": facts["version"], "os.type": "linux"}
        scope = {"name": "com.anthropic.claude_code.events", "version": facts["version"]}
        record = {"resourceLogs": [{"resource": {"attributes": _attributes(resource)},
                                    "scopeLogs": [{"scope": scope, "logRecords": [log]}]}]}  # fmt: skip
        return sender.line(at, "ai_agents", name, record)

    return deed


def _attributes(told: Record) -> list[Record]:
    kind = {int: "intValue", bool: "boolValue"}
    return [{"key": key, "value": {kind.get(type(value), "stringValue"): value}} for key, value in told.items()]


def tool(company: Company, name: str, unasked: bool = False) -> Deed:
    """A call of one of the agent's own tools, or of a server's (`SERVER/TOOL`)."""
    server, _, inside = name.rpartition("/")
    called = {"mcp_server_name": server, "mcp_tool_name": inside} if server else {}
    return event(company, "tool_result", {
        "tool_name": "mcp_tool" if server else name, "success": lambda d: "false" if d.chance(0.04) else "true",
        "decision_type": "accept", "duration_ms": lambda d: int(d.lognormal(300, 1)),
        "decision_source": "config" if unasked else lambda d: d.pick(["config", "config", "user_temporary"]),
        "tool_use_id": lambda d: f"toolu_{d.hexes(20)}", **({"tool_parameters": json.dumps(called)} if server else {}),
    })  # fmt: skip


def request(company: Company, model: str, tokens: float = 20_000) -> Deed:
    """A request to the model."""
    return event(company, "api_request", {
        "model": model, "input_tokens": lambda d: int(d.lognormal(tokens, 0.8)),
        "output_tokens": lambda d: int(d.lognormal(900, 0.9)), "request_id": lambda d: f"req_{d.hexes(20)}",
    })  # fmt: skip


def mode(company: Company, to: str) -> Deed:
    """Another mode of asking."""
    return event(company, "permission_mode_changed", {"from_mode": "default", "to_mode": to, "trigger": "shift_tab"})


def connected(company: Company, server: str) -> Deed:
    """A tool server is connected."""
    return event(company, "mcp_server_connection", {"server_name": server, "server_scope": "user",
                                                    "status": "connected", "transport_type": "stdio"})  # fmt: skip


def coder(company: Company, one: Person) -> Worker:
    """The agent of somebody who writes code: tools, a few servers, one more now and then; some never ask."""
    d = company.dice("coding-agent", one.number)
    key = d.chance(0.15)
    who = {} if key else {"user.email": one.email, "user.account_uuid": company.uuid("claude", one.number)}
    worker = Worker(f"agent-{one.login}", "agent", f"claude_code:{one.email}", one.place, "claude-code", zone=one.zone,
                    born=one.born, rotate=DAY // 4)  # fmt: skip
    model = d.pick(["claude-sonnet-4-6", "claude-opus-4-6"])
    worker.facts = {"device": d.hexes(64), "signed_in": who, "version": d.pick(_VERSIONS), "model": model}
    servers = d.some(list(SERVERS), d.between(0, 4))
    tools = [*TOOLS[: d.between(5, len(TOOLS))], *(f"{s}/{t}" for s in servers for t in SERVERS[s][: d.between(1, 4)])]
    rate = d.lognormal(14, 0.7)
    worker.habits = [
        office(rate, [tool(company, name) for name in tools]), office(rate, [request(company, model)]),
        office(0.6, [mode(company, to) for to in _MODES]),
    ]  # fmt: skip
    if servers:
        worker.habits.append(office(1, [connected(company, server) for server in servers]))
    if d.chance(0.2):
        worker.habits.append(office(d.pick([0.05, 0.7]), [mode(company, "bypassPermissions")]))
    for _ in range(d.poisson(0.02 * company.aws.spec.ways.news * company.days)):
        server, since = d.pick(list(SERVERS)), d.between(1, company.days)
        worker.habits.append(office(1.5, [tool(company, f"{server}/{name}") for name in SERVERS[server]], since))
    return worker


def gateway_call(name: str, failed: float = 0.02) -> Deed:
    """A tool called through a gateway."""

    def deed(sender: Sender, at: At) -> list[Line]:
        d, facts = at.dice, sender.facts
        body = {"isError": d.chance(failed), "id": str(d.between(1, 99)),
                "log": f"Executing tool {name} from target {facts['target']}"}  # fmt: skip
        record = {"resource_arn": facts["arn"], "event_timestamp": int(at.second * 1000), "body": body,
                  "account_id": facts["account"], "request_id": d.uuid(), "trace_id": d.hexes(32),
                  "span_id": d.hexes(16)}  # fmt: skip
        return sender.line(at, "ai_agents", name, record)

    return deed


def gateway(company: Company, number: int) -> Worker:
    """A gateway that an application's agent calls all day."""
    d = company.dice("gateway", number)
    name, account = f"gw-{d.hexes(6)}", company.aws.world.account
    worker = Worker(f"agent-{name}", "gateway", f"agentcore:{name}", company.nat("aws", d), "")
    arn = f"arn:aws:bedrock-agentcore:{company.aws.world.home}:{account}:gateway/{name}"
    worker.facts = {"arn": arn, "account": account, "target": f"TGT{d.hexes(5).upper()}"}
    tools = d.some(GATED, d.between(3, 9))
    worker.habits = [steady(d.lognormal(40, 0.8), [gateway_call(one) for one in tools])]
    if d.chance(0.5):
        worker.habits.append(steady(0.1, [gateway_call(one) for one in d.some(GATED, 3)]))
    return worker


def staff(company: Company) -> list[Worker]:
    """Coding agents of half of the people, and a few gateways."""
    coders = [one for one in company.people if company.dice("codes", one.number).chance(_USERS)]
    return [*(coder(company, one) for one in coders), *(gateway(company, n) for n in range(2 + len(coders) // 8))]
