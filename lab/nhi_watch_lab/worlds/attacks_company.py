"""Techniques on a company's products, and through AI agents, that the drawn worlds have beside the simulator's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nhi_watch_lab.simulator.machines import DAY, HOUR
from nhi_watch_lab.simulator.products import ai, ai_agents, entra, m365, workspace
from nhi_watch_lab.simulator.products.ai_agents import GATED, SERVERS
from nhi_watch_lab.simulator.products.pipelines import day_of
from nhi_watch_lab.simulator.products.raid import Raid, Technique, technique
from nhi_watch_lab.simulator.products.workers import At, Deed, Worker

# ---- techniques through AI agents: other tools, other persons, approvals switched off, keys elsewhere, bills run up

AGENTS: dict[str, Technique] = {}
"""These techniques by name."""
_MODELS = ["claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-1"]


def _of_server(raid: Raid, server: str) -> list[Deed]:
    return [ai_agents.tool(raid.company, f"{server}/{name}") for name in SERVERS[server]]


# ---- a tool or a server never used


@technique("AML.T0053", "execution collection exfiltration", "coder", AGENTS)
def agent_lured_to_servers(raid: Raid, cast: Any) -> None:
    """What an agent reads talks it into servers that it never used; it collects there."""
    for server in raid.dice.some(list(SERVERS), raid.few(4)):
        raid.do(cast.coder, ai_agents.connected(raid.company, server), gap=4)
        raid.many(cast.coder, raid.few(8), _of_server(raid, server), gap=5)


@technique("AML.T0053", "execution collection", "gateway", AGENTS)
def gateway_tools_tried(raid: Raid, cast: Any) -> None:
    """Whoever steers an application's agent calls, through its gateway, all that the gateway offers."""
    for name in raid.dice.some(GATED, 2 + raid.few(8)):
        raid.many(cast.gateway, raid.few(5), [ai_agents.gateway_call(name, failed=0.2)], gap=4)


# ---- acting for another person


@technique("T1550.001", "collection", "mailer", AGENTS)
def app_for_another(raid: Raid, cast: Any) -> None:
    """An app that reads some mailboxes is made to act for people for whom it never did."""
    company = raid.company
    for person in raid.dice.some(company.people, raid.few(4)):
        app = replace(cast.mailer, facts={**cast.mailer.facts, "delegate": person, "roles": "Mail.Read Files.Read.All"})
        raid.many(
            app,
            raid.few(8),
            [entra.graph(company, "GET", "/v1.0/users/{id}/messages"), m365.mail(company, person), m365.file(company)],
        )


@technique("T1550.001", "collection exfiltration", "reader", AGENTS)
def workspace_app_for_another(raid: Raid, cast: Any) -> None:
    """An app of Workspace reads in the names of people who never used it."""
    company, service = raid.company, raid.dice.pick(["drive", "gmail"])
    calls = [workspace.api(company, cast.reader, service, name) for name in workspace.METHODS[service]]
    others = [person for person in company.people if person is not cast.reader.facts["person"]]
    for person in raid.dice.some(others, raid.few(4)):
        raid.many(replace(cast.reader, facts={**cast.reader.facts, "person": person}), raid.few(10), calls)


# ---- approvals bypassed


@technique("T1562.001", "defense-evasion execution", "coder", AGENTS)
def agent_unasked(raid: Raid, cast: Any) -> None:
    """Approvals are switched off, and commands run unasked."""
    raid.do(cast.coder, ai_agents.mode(raid.company, "bypassPermissions"), gap=3)
    calls = [ai_agents.tool(raid.company, name, unasked=True) for name in ("Bash", "Bash", "Read", "WebFetch", "Write")]
    raid.many(cast.coder, raid.few(30), calls, gap=4)


@technique("T1562.001", "defense-evasion collection exfiltration", "coder", AGENTS)
def agent_unasked_elsewhere(raid: Raid, cast: Any) -> None:
    """Approvals are switched off, a server is connected, and data goes there."""
    raid.do(cast.coder, ai_agents.mode(raid.company, "bypassPermissions"), gap=3)
    server = raid.dice.pick(["drive", "mail", "browser", "cloud"])
    raid.do(cast.coder, ai_agents.connected(raid.company, server), gap=3)
    raid.many(cast.coder, raid.few(12), [*_of_server(raid, server), ai_agents.tool(raid.company, "Read", True)], gap=4)


# ---- its key outside of its runtime


@technique("T1528", "initial-access persistence", "openai", AGENTS)
def openai_key_elsewhere(raid: Raid, cast: Any) -> None:
    """A service account's key does its usual work elsewhere, and looks a little further."""
    usual = [deed for habit in cast.openai.habits for step in habit.steps for deed in step.pool.items]
    _elsewhere(raid, cast.openai, [*usual, ai.openai(raid.company, "api_key.created")], raid.few(12))


@technique("T1528", "initial-access collection", "anthropic", AGENTS)
def anthropic_key_elsewhere(raid: Raid, cast: Any) -> None:
    """An application's key does what it always does, from elsewhere."""
    usual = [deed for habit in cast.anthropic.habits for step in habit.steps for deed in step.pool.items]
    _elsewhere(raid, cast.anthropic, usual, raid.few(40))


def _elsewhere(raid: Raid, worker: Worker, deeds: list[Deed], count: int) -> None:
    """From the intruder's place, or inside from another gateway of the company's with the same client."""
    for _ in range(count):
        sender = raid.sender(worker)
        if not raid.external:
            cloud = "azure" if worker.place in raid.company.nats["gcp"] else "gcp"
            place = raid.company.nats[cloud][raid.day % 3]
            sender = sender._replace(address=place.address(day_of(raid.company, raid.clock), raid.dice))
        raid.add(raid.dice.pick(deeds)(sender, At(raid.clock, raid.dice)), 20)


# ---- bills run up


@technique("T1496.004", "impact", "coder", AGENTS)
def agent_burns_tokens(raid: Raid, cast: Any) -> None:
    """A loop sends the agent's model one long text after another, for hours."""
    raid.many(cast.coder, 30 + raid.few(250), [ai_agents.request(raid.company, cast.coder.facts["model"], 90_000)], 10)


@technique("T1496.004", "impact", "coder", AGENTS)
def agent_sold(raid: Raid, cast: Any) -> None:
    """The agent's account is sold on: many models, sessions and texts, at hours that are not the owner's."""
    raid.clock = raid.company.midnight(raid.day) + raid.dice.between(0, DAY // 3)
    calls = [ai_agents.request(raid.company, model, 40_000) for model in _MODELS]
    raid.many(cast.coder, 30 + raid.few(160), calls, gap=20)


# ---- techniques on the products of a company that the drawn worlds have beside the simulator's

MORE: dict[str, Technique] = {}
"""These techniques by name."""
_NAMES = ["notes", "archive", "scheduler", "assistant", "search", "signature", "survey", "polls", "rooms", "translate"]


@technique("T1528", "initial-access collection", "person", MORE)
def consent_phishing(raid: Raid, cast: Any) -> None:
    """Several people let one app of a stranger in within hours; it reads mail and files in the name of each."""
    company, d = raid.company, raid.dice
    others = [w for w in raid.tenant.alive("entra", "person", raid.day) if w is not cast.person]
    name = f"{d.pick(_NAMES)}-{d.hexes(3)}"
    app = entra.make_app(company, name, company.dice("phished", raid.day, name))
    app.facts["roles"] = d.pick(entra.SCOPES[1:3])
    if not raid.external:
        app.place = company.vendor(d, name)
    for worker in [cast.person, *d.some(others, raid.few(5) - 1)]:
        person = next(each for each in company.people if each.guid == worker.facts["guid"])
        app.facts["delegate"] = person
        raid.do(worker, entra.consent(company, app, app.facts["roles"]), gap=5, inside=True)
        raid.do(worker, entra.user_sign_in(company, (name, app.facts["app"])), gap=900, inside=True)
        raid.many(app, raid.few(25), [m365.mail(company, person), m365.file(company)], gap=5)


@technique("T1098.001", "persistence credential-access", "person sleeper", MORE)
def secret_on_dormant_app(raid: Raid, cast: Any) -> None:
    """A new secret for an app that has slept for weeks; hours later it is used from elsewhere."""
    company, d = raid.company, raid.dice
    key = d.uuid()
    raid.do(cast.person, entra.new_secret(company, cast.sleeper, key), gap=d.pick([300, HOUR, 4 * HOUR]), inside=True)
    sender = raid.sender(cast.sleeper)._replace(key=key)
    looks = [entra.graph(company, "GET", path) for path in d.some(entra.READS, 5)]
    for deed in [entra.sign_in(company), *(d.pick(looks) for _ in range(raid.few(14)))]:
        raid.add(deed(sender, At(raid.clock, d)))
