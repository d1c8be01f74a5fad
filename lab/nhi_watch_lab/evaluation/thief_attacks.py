"""What a thief does with a stolen credential of a machine, product by product, as public descriptions tell it.

Each attack (`data/thief.json`) is the shortest sequence of calls that reaches its aim: no look around, no probe of
whose key it is, nothing refused. Sources: the techniques of Stratus Red Team, Pacu, ROADtools and TruffleHog's and
MITRE's descriptions; call names and parameters as the providers' references of their logs have them.

A step in AWS is an action with its parameters, response, resources and further values. Words in braces are made when it
is played: see `Aim.word`. Steps are repeated so many `times`, for `each` of an account's things, or for `some` of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from nhi_watch_lab.simulator.basics import Dice, World
from nhi_watch_lab.simulator.products import entra, github, kubernetes
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.workers import Deed
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.shapes import s3_listing, s3_object
from nhi_watch_lab.tables import lists

Call = tuple[str, Detail]
"""`service:Name` and what the call says."""
_WORD = re.compile(r"\{(\w+?)(\d*)(?::(\w+))?\}")


class Aim(NamedTuple):
    """Where an AWS attack is played."""

    world: World
    dice: Dice
    region: str
    foreign: str
    """The thief's own account."""
    victim: str = ""
    """The name of the identity whose credential is stolen."""

    def things(self, kind: str) -> list[str]:
        """The account's things of a kind."""
        return list(getattr(self.world, kind if kind.endswith("s") else f"{kind}s"))

    def word(self, known: dict[str, Any], match: re.Match[str]) -> Any:
        """What a word in braces stands for; one with a mark, as in {hex16:a}, stays the same throughout an attack."""
        placeholder, kind, number, mark = match[0], match[1], int(match[2] or 0), match[3]
        if placeholder in known:
            return known[placeholder]
        if kind == "role":
            built: Any = self.world.role_name("payments", self.world.envs[0], "admin")
        elif kind in ("region", "foreign"):
            built = getattr(self, kind)
        elif kind in ("account", "trail"):
            built = getattr(self.world, kind)
        elif kind == "uuid":
            built = self.dice.uuid()
        elif kind == "hex":
            built = self.dice.hexes(number)
        elif kind.isupper():
            built = self.dice.ident(kind, number)
        elif kind == "instances":
            built = self.dice.some(self.world.instances, int(mark))
        else:
            built = self.dice.pick(self.things(kind))
        if mark:
            known[placeholder] = built
        return built

    def filled(self, value: Any, known: dict[str, Any]) -> Any:
        """A value with its words made, in the order in which they stand."""
        if isinstance(value, dict):
            return {name: self.filled(inner, known) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner, known) for inner in value]
        if not isinstance(value, str):
            return value
        match = _WORD.fullmatch(value)
        return self.word(known, match) if match else _WORD.sub(lambda result: str(self.word(known, result)), value)


Attack = Callable[[Aim], Iterable[Call]]


def _played(steps: list[Any], aim: Aim, known: dict[str, Any] | None = None) -> Iterator[Call]:
    known = {} if known is None else known
    for step in steps:
        if isinstance(step, list):
            yield step[0], Detail(*aim.filled(step[1:], known))
            continue
        over = step.get("times", 0) * [""]
        if "each" in step:
            over = aim.things(step["each"])[: step.get("first")]
        elif "some" in step:
            over = aim.dice.some(aim.things(step["some"][0]), step["some"][1])
        for number, item in enumerate(over):
            known |= {"{each}": item, "{n}": number}
            yield from _played(step["steps"], aim, known)


def _objects(a: Aim) -> Iterable[Call]:
    name = a.dice.pick(a.world.buckets)
    yield "s3:ListObjects", s3_listing(a.world, a.dice, a.region, name)
    for n in range(250):
        key = f"customers/{n:04}/{a.dice.hexes(8)}.parquet"
        yield "s3:GetObject", s3_object(a.world, a.dice, a.region, name, key)


_STEPS = partial(lists, __file__)
AWS: Mapping[str, Attack] = {
    "s3 bulk read": _objects,
    **{name: partial(_played, steps) for name, steps in _STEPS("thief.json/aws").items()},
}

# ---- other products: an attack is a list of deeds

Deeds = Callable[[Company, Dice], "list[Deed]"]


def _k8s(calls: list[list[Any]], company: Company, dice: Dice) -> list[Deed]:
    """Calls of [what, namespace, name, the request's body where the audit level is Request]; [what]: in all at once."""
    deeds = []
    for what, *where in calls:
        if not where:
            resource = what.partition(" ")[2]
            thing = {"resource": resource, "apiVersion": "v1"}
            details = {"objectRef": thing, "requestURI": f"/api/v1/{resource}?limit=500"}
            deeds.append(kubernetes.call(company, what, "x", "", more=details))
            continue
        body = {"level": "Request", "requestObject": where[2]} if where[2:] else None
        deeds.append(kubernetes.call(company, what, where[0], where[1], more=body))
    return deeds


def _entra(steps: list[Any], company: Company, dice: Dice) -> list[Deed]:
    """Calls of Graph, and changes that the directory's audit log records, too."""
    deeds = []
    for step in steps:
        if isinstance(step, list):
            deeds.append(entra.graph(company, *step))
        elif "times" in step:
            deeds += [entra.graph(company, *call) for call in step["calls"] * step["times"]]
        else:
            deeds.append(entra.audit(company, step["activity"], {"id": dice.uuid(), **step["target"]}))
    return deeds


def _github(steps: list[Any], company: Company, dice: Dice) -> list[Deed]:
    deeds: list[Deed] = []
    for step in steps:
        if "api" in step:
            method, route, status = step["api"]
            deeds += [github.api(company, method, route, company.repos, status)] * step.get("times", 1)
            continue
        for repo in dice.some(company.repos, step.get("repos", 1)):
            if "git" in step:
                deeds.append(github.git(company, [repo], step["git"]))
            else:
                where = None if "everywhere" in step else [repo]
                deeds.append(github.change(company, step["change"], step.get("more", {}), where))
    return deeds


def _deeds(play: Callable[[list[Any], Company, Dice], list[Deed]], product: str) -> dict[str, Deeds]:
    return {name: partial(play, steps) for name, steps in _STEPS(f"thief.json/{product}").items()}


KUBERNETES: Mapping[str, Deeds] = _deeds(_k8s, "kubernetes")
ENTRA: Mapping[str, Deeds] = _deeds(_entra, "entra")
GITHUB: Mapping[str, Deeds] = _deeds(_github, "github")
