"""Quiet attacks by somebody who has read the product's code and nothing else: what share of them is listed.

The attacks (`data/red_team.json`) were written down before any of them was measured, without a look at those of
`thief_attacks`, and each says why it should get past the detector. They are played with the tenants, the victims and
the days of `thief`, from two of its places: the victim's own, and a near network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from nhi_watch.detect import model as models
from nhi_watch.detect.ranking import FLOOR, LEAST
from nhi_watch_lab.evaluation import thief
from nhi_watch_lab.evaluation.thief import Measured, Row, Told
from nhi_watch_lab.evaluation.thief_attacks import Aim, Call
from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.products import entra, github, kubernetes
from nhi_watch_lab.simulator.products.company import Company, Repo
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.tables import lists

OWN, NEAR = "the victim's own place and client", "a near network of the same operator; another pod"
ROWS = (Row(OWN, ("own",), asked={"": 0.45}), Row(NEAR, ("near",), asked={"": 0.65}))
_LISTED: Sequence[Mapping[str, Any]] = lists(__file__, "red_team.json/attacks")
WHY: Mapping[tuple[str, str], str] = {(attack["product"], attack["name"]): attack["why"] for attack in _LISTED}
"""Product and attack → why it should get past the detector."""
SHEET = Path("lab", "results", "red_team.csv")
"""What is missed."""


# ---- what each product's records say of a call


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    """A value with the words in braces filled in."""
    if isinstance(value, dict):
        return {name: _filled(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    if isinstance(value, str):
        for word, meant in words.items():
            value = value.replace(f"{{{word}}}", meant)
    return value


def _aws(calls: Sequence[Mapping[str, Any]], aim: Aim) -> Iterable[Call]:
    words = {
        "account": aim.world.account,
        "foreign": aim.foreign,
        "bucket": aim.dice.pick(aim.world.buckets),
        "user": aim.victim,
        "session": aim.dice.ident("ASIA", 16),
    }
    for call in calls:
        yield call["call"], Detail(_filled(call["params"] or None, words), _filled(call.get("answer"), words))


def _kubernetes(calls: Sequence[Mapping[str, Any]], company: Company, dice: Dice) -> list[Deed]:
    return [partial(_ask, company, call, dice.uuid()) for call in calls]


def _ask(company: Company, call: Mapping[str, Any], issued: str, sender: Sender, at: At) -> list[Line]:
    """A request to the API server, in the namespace of the account that sends it or in another."""
    own = sender.facts["namespace"]
    space = {"own": own, "other": "apps" if own == "data" else "data"}.get(call["namespace"], call["namespace"])
    name = {"own": own, "self": sender.facts["account"]}.get(call["name"], call["name"])
    more: Record = {}
    if not space:
        resource, _, part = call["resource"].partition("/")
        thing = {"resource": resource, "name": name, "subresource": part, "apiVersion": "v1"}
        path = "/".join(word for word in (resource, name, part) if word)
        more = {"objectRef": {key: value for key, value in thing.items() if value}, "requestURI": f"/apis/x/v1/{path}"}
    if "body" in call:
        more |= {"level": "Request", "requestObject": call["body"]}
    if call["resource"] == "serviceaccounts/token":
        more["annotations"] = {"authentication.kubernetes.io/issued-credential-id": f"JTI={issued}"}
    asked = kubernetes.call(company, f"{call['verb']} {call['resource']}", space or "x", name, more=more)
    return asked(sender, at)


def _entra(calls: Sequence[Mapping[str, Any]], company: Company, dice: Dice) -> list[Deed]:
    deeds = []
    for call in calls:
        method, _, path = call["request"].partition(" ")
        path = path.replace("{object}", "{id}").replace("{item}", dice.uuid())
        deeds.append(entra.graph(company, method, f"/v1.0{path}", {"POST": 201, "PATCH": 204}.get(method, 200)))
        if "audit" in call:
            deeds.append(_directory(company, call["audit"], dice))
    return deeds


def _directory(company: Company, entry: Mapping[str, Any], dice: Dice) -> Deed:
    changed = [
        entra.changed(name, json.dumps(new), json.dumps(old) if old else "")
        for name, (old, new) in entry["properties"].items()
    ]
    target = {"id": dice.uuid(), "type": entry["type"], "displayName": entry["target"], "modifiedProperties": changed}
    return entra.audit(company, entry["operation"], target)


def _github(calls: Sequence[Mapping[str, Any]], company: Company, dice: Dice) -> list[Deed]:
    repos = dice.some(company.repos, 3)
    created = replace(repos[0], name=f"{company.org}/notes", number=repos[0].number + 7)
    known = {"{repo}": repos[0], "{second}": repos[1], "{third}": repos[-1], "{new}": created}
    return [_entry(company, call, known[call["repo"]]) for call in calls]


def _entry(company: Company, call: Mapping[str, Any], repo: Repo) -> Deed:
    more = {name: value for name, value in call.items() if name not in ("action", "repo")}
    if call["action"] == "api.request":
        return github.api(company, more["request_method"], more["route"], [repo])
    if call["action"].startswith("git."):
        return github.git(company, [repo], call["action"])
    return github.change(company, call["action"], more, [repo])


_PLAYED: Mapping[str, Callable[..., Any]] = dict(zip(thief.PRODUCTS, (_aws, _aws, _kubernetes, _entra, _github)))
ATTACKS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    product: {attack["name"]: partial(play, attack["calls"]) for attack in _LISTED if attack["product"] == product}
    for product, play in _PLAYED.items()
}


def measure(seed: int, identities: int, model: Path = models.FOLDER) -> Measured:
    """All attacks, from both places, on one tenant."""
    return thief.measure(seed, identities, ROWS, model=model, attacks=ATTACKS)


# ---- the page


def reason(attack: Told) -> str:
    """Why an attack is not listed."""
    if not attack.likelihood:
        return "no signal"
    figures = f"{attack.likelihood:.0f}%, risk {attack.risk:.1f}"
    return f"below threshold ({figures})" if attack.risk < LEAST else f"budget ({figures})"


def page(tenants: Sequence[Measured], command: str, model: str) -> str:
    """All of it as Markdown."""
    attacks = [attack for tenant in tenants for attack in tenant.told]
    sizes = " and ".join(str(tenant.ordinary.identities) for tenant in tenants)
    lines = [
        "# Attacks by people who have read the code",
        "",
        f"<!-- Written by `{command}`: change the code, not this page. -->",
        "",
        f"For anyone who asks how far `nhi_watch` (model {model}) finds what its authors had not thought of. "
        f"{len(WHY)} attacks of one to five calls were chosen to get past the detector by somebody who had read its "
        "code but no attack of the laboratory; the list "
        "([red_team.json](../../lab/nhi_watch_lab/evaluation/data/red_team.json)) was fixed before anything was "
        f"measured. Tenants ({sizes} identities, {thief.LEARNT} days of history), victims and budget are those of "
        "[hiding.md](hiding.md). Each call succeeds, at an hour in which the victim works, with its client. Shown: a "
        "listed notable holds a record of the attack on its day. In brackets the 90% interval.",
        "",
        f"| the thief comes from | {' | '.join(thief.PRODUCTS)} | all | asked |",
        "|---" * (3 + len(thief.PRODUCTS)) + "|",
        *(_line(row, attacks) for row in ROWS),
        "",
        f"Each attack that is missed, how it gets past, and why: [{SHEET.name}](../../lab/results/{SHEET.name}). *No "
        f"signal*: a likelihood below {FLOOR:g}%, of which no notable is made. *Below threshold*: a risk below "
        f"{LEAST:g}, which is stored and gets no row. *Budget*: more than that, but others had a greater risk.",
    ]
    return "\n".join(lines) + "\n"


def _line(row: Row, attacks: Sequence[Told]) -> str:
    from_there = [attack for attack in attacks if attack.row == row.name]
    cells = [_share([attack.found for attack in from_there if attack.product == product]) for product in thief.PRODUCTS]
    total = _share([attack.found for attack in from_there])
    return f"| {row.name} | {' | '.join(cells)} | {total} | {row.asked['']:.2f} |"


def _share(shown: Sequence[bool]) -> str:
    if not shown:
        return ""
    low, high = thief.interval(sum(shown), len(shown))
    return f"{mean(shown):.2f} ({low:.2f} to {high:.2f}) of {len(shown)}"


def missed(tenants: Sequence[Measured]) -> Iterable[Sequence[str]]:
    """Rows of the sheet: each attack that a tenant does not show, from which network and why."""
    attacks = [attack for tenant in tenants for attack in tenant.told]
    yield "product", "attack", "how it gets past", "from its own network", "from a near one"
    for (product, name), why in WHY.items():
        same = [attack for attack in attacks if (attack.product, attack.attack) == (product, name)]
        if all(attack.found for attack in same):
            continue
        cells = [
            "; ".join("shown" if attack.found else reason(attack) for attack in same if attack.row == row.name)
            for row in ROWS
        ]
        yield product, name, why, *cells
