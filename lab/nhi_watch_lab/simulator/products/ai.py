"""AI services: Bedrock's invocation log beside CloudTrail, audit logs of OpenAI and Anthropic organisations.

Shapes: AWS "Monitor model invocation", OpenAI "Audit logs", Anthropic "Compliance API, activities".
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_watch_lab.simulator.basics import Dice, dice
from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, steady

AGENTS = ["python-httpx/0.27.2", "OpenAI/Python 1.54.3", "Anthropic/Python 0.39.0", "node-fetch/1.0",
          "Go-http-client/2.0",
          "axios/1.7.7", "curl/8.5.0", "langchain/0.3.7"]
OPENAI = ["api_key.created", "api_key.updated", "api_key.deleted", "service_account.created", "project.created",
          "rate_limit.updated", "user.added", "invite.sent", "login.succeeded"]
_INVOKES = {"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"}


def invocations(seed: int, lines: list[Line]) -> Iterator[Line]:
    """Bedrock's own log of what CloudTrail's lines say; an invocation that was refused has no answer."""
    for line in lines:
        cloud = line.record
        if cloud["eventSource"] != "bedrock.amazonaws.com" or cloud["eventName"] not in _INVOKES:
            continue
        d = dice(seed, "invocation", cloud["eventID"])
        record: Record = {
            "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": cloud["eventTime"],
            "accountId": cloud["recipientAccountId"], "region": cloud["awsRegion"], "requestId": cloud["requestID"],
            "operation": cloud["eventName"],
            "modelId": (cloud["requestParameters"] or {}).get("modelId", "amazon.titan-text"),
            "identity": {"arn": cloud["userIdentity"].get("arn", "")},
            "input": {"inputContentType": "application/json", "inputTokenCount": int(d.lognormal(600, 0.9))},
            "output": {"outputContentType": "application/json", "outputTokenCount": int(d.lognormal(300, 0.8))},
        }
        if "errorCode" in cloud:
            record["errorCode"], record["output"] = cloud["errorCode"], {}
        yield Line(line.second, "ai", line.who, cloud["eventName"], record)


def openai(company: Company, name: str, told: Record | None = None) -> Deed:
    """An entry of an OpenAI organisation's audit log, by a key or in a browser."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        if "person" in facts:
            one: Person = facts["person"]
            actor: Record = {"type": "session", "session": {"user": {"id": f"user-{one.guid[:12]}", "email": one.email},
                                                            "ip_address": sender.address, "user_agent": sender.agent}}
        else:
            actor = {"type": "api_key", "api_key": {"type": "service_account", "id": sender.key,
                                                    "service_account": {"id": facts["account"]}}}
        kind = name.partition(".")[0].replace("_", "-")
        thing = f"{ {'api-key': 'key', 'service-account': 'svc'}.get(kind, kind)}-{d.hexes(16)}"
        record = {"id": f"audit_log-{d.hexes(20)}", "object": "organization.audit_log", "type": name,
                  "effective_at": int(at.second), "actor": actor,
                  "project": {"id": facts.get("project", "proj_main"), "name": facts.get("project", "main")},
                  name: {"id": thing, **(told or {})}}
        return sender.line(at, "ai", name, record)

    return deed


def anthropic(company: Company, name: str, told: Record | None = None) -> Deed:
    """An activity of an Anthropic organisation, by a key or in a browser."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        network = {"ip_address": sender.address, "user_agent": sender.agent}
        if "person" in facts:
            one: Person = facts["person"]
            actor = {"type": "user_actor", "email_address": one.email, "user_id": f"user_{one.guid[:12]}", **network}
        else:
            actor = {"type": "api_actor", "api_key_id": sender.key, **network}
        more = {"api_key_id": f"apikey_{at.dice.hexes(12)}"} if "api_key" in name else {}
        record = {"id": f"activity_{at.dice.hexes(22)}", "created_at": iso(at.second), "type": name, "actor": actor,
                  "organization_id": f"org_{company.uuid('anthropic')[:12]}", **more, **(told or {})}
        return sender.line(at, "ai", name, record)

    return deed


ANTHROPIC = ["claude_file_uploaded", "claude_chat_created", "claude_chat_viewed", "claude_project_viewed",
             "claude_file_viewed", "compliance_activities_listed", "claude_project_created"]


def assistant(company: Company, number: int) -> Worker:
    """An application's key at Anthropic: files and chats, all day."""
    d = company.dice("anthropic", number)
    key = f"apikey_{d.hexes(12)}"
    place = d.pick([company.nat("aws", d), company.nat("gcp", d), company.vendor(d, key)])
    worker = Worker(f"ai-{key}", "key", f"anthropic:key:{key}", place, d.pick(AGENTS))
    worker.keys = [(0, key)]
    acts = [anthropic(company, name) for name in d.some(ANTHROPIC, d.between(2, 4))]
    worker.habits.append(steady(d.lognormal(20, 0.8), acts))
    return worker


def administrator(company: Company, number: int) -> Worker:
    """An OpenAI service account of the platform team that hands out keys."""
    d = company.dice("openai", number)
    account = f"svc-{d.hexes(16)}"
    worker = Worker(f"ai-{account}", "service_account", f"openai:service_account:{account}", company.nat("aws", d),
                    d.pick(AGENTS))
    worker.facts = {"account": account, "project": f"proj_{d.hexes(10)}"}
    worker.keys = [(0, f"key_{d.hexes(16)}")]
    acts = [openai(company, name) for name in d.some(OPENAI[:6], d.between(2, 3))]
    worker.habits.append(steady(d.lognormal(3, 0.6), acts))
    return worker


def person(company: Company, one: Person) -> Worker:
    """A developer in the consoles of both."""
    d = company.dice("ai-person", one.number)
    worker = Worker(f"ai-{one.login}", "person", f"ai:user:{one.guid}", one.place, one.browser, human=True,
                    zone=one.zone,
                    born=one.born, rotate=8 * HOUR)
    worker.facts = {"person": one}
    acts = [openai(company, "login.succeeded"), anthropic(company, "claude_chat_created"),
            anthropic(company, "claude_chat_viewed"), openai(company, "api_key.created",
                                                             {"data": {"scopes": ["api.model"]}})]
    worker.habits.append(office(d.lognormal(2, 0.7), acts))
    if one.number % 5 == 4:
        rare = [openai(company, name) for name in OPENAI] + [anthropic(company, "platform_api_key_created")]
        rare.append(openai(company, "ip_allowlist.updated", {"allowed_ips": [company.aws.world.office[0] + "/32"]}))
        worker.habits.append(office(0.5, rare))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` keys, and a third of the people."""
    half = max(1, count // 2)
    found = [assistant(company, n) for n in range(half)]
    found += [administrator(company, n) for n in range(max(1, count - half))]
    return found + [person(company, one) for one in company.people if one.number % 3 == 1]


def agent(d: Dice) -> str:
    """An agent of scripts against these services."""
    return d.pick(AGENTS)
