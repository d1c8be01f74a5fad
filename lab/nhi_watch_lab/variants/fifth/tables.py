"""Callings, procedures and calls beyond the frozen world's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from nhi_watch_lab.fifth_world import techniques
from nhi_watch_lab.fifth_world.catalogue import CATALOGUE
from nhi_watch_lab.fifth_world.model import Chance, Op
from nhi_watch_lab.fifth_world.techniques import Technique
from nhi_watch_lab.tables import sections, text

# ---- calls: in the frozen world's catalogue only while a variant is being made, because it draws from all there are


@contextmanager
def further_calls() -> Iterator[None]:
    """The frozen world's catalogue with the calls of `data/calls.txt` in it."""
    added: list[str] = []
    try:
        for line in text(__file__, "calls.txt").strip().splitlines():
            key, flags, params = line.split("|", 2)
            assert key not in CATALOGUE, key
            CATALOGUE[key] = Op(key, "aws", flags == "r", False, json.loads(params), None, "")
            added.append(key)
        yield
    finally:
        for key in added:
            del CATALOGUE[key]


# ---- procedures: what a ticket asks for


class Step(NamedTuple):
    """One call of a procedure."""

    op: str
    low: int
    high: int
    odds: float
    wait: float
    """Hours that pass before it, where it is not done at once."""
    args: tuple[tuple[str, str], ...]
    refused: float = 0.0


class Calling(NamedTuple):
    """A trade that is odd by nature; a column of `data/callings.txt` each."""

    name: str
    product: str
    share: float
    auth: tuple[str, ...]
    nets: tuple[str, ...]
    clients: tuple[str, ...]
    style: str
    tickets: tuple[float, float]
    """Tickets on a day of work."""
    refused: float
    opening: tuple[Step, ...]
    procedures: tuple[str, ...]


def _step(text: str) -> Step:
    op, _, options = text.lstrip().partition(" -- ")
    low, high, odds, wait, refused, args = 1, 1, 1.0, 0.0, 0.0, []
    for word in options.split():
        name, _, value = word.partition("=")
        if name == "n":
            first, _, last = value.partition("-")
            low, high = int(first), int(last or first)
        elif name == "p":
            odds = float(value)
        elif name == "wait":
            wait = float(value)
        elif name == "d":
            refused = float(value)
        else:
            args.append((name, value.replace("~", " ")))
    return Step(op if options else op.rstrip("\n"), low, high, odds, wait, tuple(args), refused)


def _steps(text: str) -> tuple[Step, ...]:
    return tuple(map(_step, text.split(" ; ")))


def _rows(name: str) -> list[str]:
    """The lines of a table without its headings."""
    return text(__file__, name).strip().splitlines()[1:]


@cache
def procedures() -> dict[str, tuple[Step, ...]]:
    """Name → steps."""
    return {name: _steps(steps) for name, _, steps in (row.partition("|") for row in _rows("procedures.txt"))}


@cache
def callings() -> tuple[Calling, ...]:
    """All callings, in the order of the table."""
    found: list[Calling] = []
    for row in _rows("callings.txt"):
        name, product, share, auth, nets, clients, style, tickets, refused, opening, words = row.split("|")
        low, _, high = tickets.partition("-")
        known = tuple(
            p
            for word in words.split()
            for p in procedures()
            if p == word or (word.endswith("-") and p.startswith(word))
        )
        found.append(Calling(
            name, product, float(share), tuple(auth.split()), tuple(nets.split()), tuple(clients.split()), style,
            (float(low), float(high)), float(refused), _steps(opening), known,
        ))  # fmt: skip
    return tuple(found)


# ---- deeds of thieves, in the same notation


@cache
def deeds(section: str) -> tuple[Technique, ...]:
    """The techniques of a part of `data/deeds.txt`."""
    found: list[Technique] = []
    for row in sections(__file__, "deeds.txt")[section].strip().splitlines():
        name, product, words = row.split("|")
        steps = [_theft(step) for step in _steps(words)]
        data = any(CATALOGUE[step.op].data for step in steps if step.op in CATALOGUE)
        found.append(techniques.t(name, product, *steps, data=data))
    return tuple(found)


def _theft(step: Step) -> techniques.Step:
    args = {name: plain(value) for name, value in step.args}
    return techniques.Step(step.op, step.low, step.high, step.odds, step.refused, "", args, "")


def plain(text: str) -> Any:
    """What a word of the tables stands for: a truth value, a number, or itself."""
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


# ---- clients


def agent(name: str, rng: Chance) -> str:
    """The client of a tool that the frozen world has not."""
    small, patch, short = rng.randint(1, 9), rng.randint(0, 9), rng.hexs(7)
    sdk = f"aws-sdk-go-v2/1.{rng.randint(30, 39)}.{patch} os/linux lang/go#1.23.{patch} md/GOOS#linux md/GOARCH#amd64"
    return {
        "pulumi": f"APN/1.0 Pulumi/1.0 PulumiAws/6.{rng.randint(30, 80)}.0 (+https://www.pulumi.com) {sdk}",
        "crossplane": f"upjet-provider-aws/v1.{small}.{patch} {sdk}",
        "argocd": "argocd-application-controller/v0.0.0 (linux/amd64) kubernetes/$Format",
        "strimzi": f"fabric8-kubernetes-client/6.{rng.randint(9, 13)}.{patch}",
        "certmanager": f"cert-manager-controller/v1.{rng.randint(12, 16)}.{patch} (linux/amd64) cert-manager/{short}",
        "eso": "external-secrets/v0.0.0 (linux/amd64) kubernetes/$Format",
        "velero": f"velero-server/v1.{rng.randint(12, 15)}.{patch} (linux/amd64) {short}",
    }[name]
