"""Calls and trades beyond the frozen world's tables, and the trades' clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from nhi_watch_lab.fourth_world import calls, life, model
from nhi_watch_lab.fourth_world.model import Dice
from nhi_watch_lab.tables import sections

# ---- calls: put beside the frozen world's own while a variant is being made, and taken away again, because
# the frozen world picks among all the calls that its tables hold

KUBERNETES_SLOTS = ["k8sname", "ns"]
REPOSITORY = ["ghrepo"]


@contextmanager
def further_calls() -> Iterator[None]:
    """The frozen world's tables with the calls of `data/calls.txt` in them."""
    texts = sections(__file__, "calls.txt")
    aws = calls._parse(texts.pop("cloudtrail"))
    others = {product: _rows(text) for product, text in texts.items()}
    for name, call in aws.items():
        assert name not in calls.AWS_CALLS, name
        calls.AWS_CALLS[name] = call
        life.SLOTS["cloudtrail"][name] = _slots(" ".join(value for _, value in call.request + call.response))
    for product, rows in others.items():
        for name, row in rows.items():
            assert name not in calls.TABLES[product], name
            calls.TABLES[product][name] = row
            known = {"kubernetes": KUBERNETES_SLOTS, "github": REPOSITORY}
            life.SLOTS[product][name] = known.get(product) or _slots(" ".join(row))
    try:
        yield
    finally:
        for name in aws:
            del calls.AWS_CALLS[name], life.SLOTS["cloudtrail"][name]
        for product, rows in others.items():
            for name in rows:
                del calls.TABLES[product][name], life.SLOTS[product][name]


def _rows(text: str) -> dict[str, tuple[str, ...]]:
    return {row.split("|")[0]: tuple(row.split("|")[1:]) for row in text.strip("\n").splitlines()}


def _slots(text: str) -> list[str]:
    return sorted(set(life.WORDS.findall(text)))


# ---- trades


class Trade(NamedTuple):
    """A way of life that is odd by nature; a column of `data/trades.txt` each."""

    name: str
    product: str
    share: float
    sessions: tuple[str, ...]
    places: tuple[str, ...]
    clients: tuple[str, ...]
    nouns: tuple[str, ...]
    rhythm: str
    runs: tuple[int, int]
    """Runs on a day of work, at least and at most."""
    chores: tuple[int, int]
    """Chores in a run, likewise."""
    refused: float
    fresh: float
    """How often a call is about something new to the identity."""
    every: tuple[str, ...]
    """What each run begins with."""
    deck: tuple[tuple[str, ...], ...]
    """The chores: calls that belong together."""


def _calls(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for word in text.split():
        call, _, count = word.partition("*")
        found += [call.replace("~", " ")] * int(count or 1)
    return tuple(found)


def _span(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high)


@cache
def trades() -> tuple[Trade, ...]:
    """All trades, in the order of the table."""
    found: list[Trade] = []
    texts = sections(__file__, "trades.txt")
    code = tuple(_calls(line.split("|")[1]) for line in texts.pop("chores").strip().splitlines())
    for product, text in texts.items():
        for line in text.strip().splitlines():
            name, share, sessions, places, clients, nouns, rhythm, runs, chores, *rest = line.split("|")
            refused, fresh, every, deck = rest
            found.append(Trade(
                name, product, float(share), tuple(sessions.split()), tuple(places.split()), tuple(clients.split()),
                tuple(nouns.split()), rhythm, _span(runs), _span(chores), float(refused), float(fresh), _calls(every),
                code if deck == "@" else tuple(map(_calls, deck.split(";"))),
            ))  # fmt: skip
    return tuple(found)


# ---- clients; versions are drawn as the frozen world draws them

GO = "aws-sdk-go-v2/1.3{m}.{q} ua/2.1 os/linux lang/go#1.2{m}.{q} md/GOOS#linux md/GOARCH#amd64 api/{api}#1.{p}.{q}"
CLIENTS = {
    "pulumi": "APN/1.0 Pulumi/1.0 PulumiAws/6.{p}.{m} (+https://www.pulumi.com) " + GO,
    "crossplane": "crossplane-provider-aws/v1.1{m}.{q} " + GO,
    "tofu": "google-api-go-client/0.5 OpenTofu/1.{m}.{q} (+https://opentofu.org) Terraform-Plugin-SDK/2.3{m}.0"
            " terraform-provider-google/6.{q}.0,gzip(gfe)",
    "argocd": "argocd-application-controller/v0.0.0 (linux/amd64) kubernetes/$Format",
    "strimzi": "fabric8-kubernetes-client/6.1{m}.{q}",
    "certmanager": "cert-manager-controller/v1.1{m}.{q} (linux/amd64) cert-manager/{sha}",
    "eso": "external-secrets/v0.0.0 (linux/amd64) kubernetes/$Format",
    "velero": "velero-server/v1.1{m}.{q} (linux/amd64) {sha}",
    "helm": "Helm/3.1{m}.{q}",
    "kubectl": "kubectl/v1.3{m}.{q} (linux/amd64) kubernetes/{sha}",
}  # fmt: skip


def client(dice: Dice, product: str, family: str, tool: str) -> str:
    """One concrete client of a family, ours or the frozen world's."""
    if family in CLIENTS:
        return model.versions(dice, CLIENTS[family], tool)
    return model.client(dice, product, family, tool)
