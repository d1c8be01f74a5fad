"""Writes what a part judged of identities: scores and inventory, each document once; and where each stands now.

Read from the rows of state that wait to be committed. Written before them, so that a killed run is run again and
finds what it wrote: ids are made of content, and the latest document of an identity is replaced only by one that has
seen as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from elasticsearch import Elasticsearch

from nhi_watch.context import assets
from nhi_watch.context.assets import Assets
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.elastic import entity_templates, write
from nhi_watch.hosts.elastic.store import ElasticStore
from nhi_watch.hosts.elastic.store_errors import explained
from nhi_watch.report import ecs_entities
from nhi_watch.report.ecs_entities import Standing, stamped
from nhi_watch.state import inventory
from nhi_watch.state.judged import Ranked
from nhi_watch.state.state import State

Json = dict[str, Any]
_LONGEST_ID = 512
_KIND_OF_CREDENTIALS = "credential"


class Writer:
    """Writes into the streams of one namespace."""

    def __init__(self, client: Elasticsearch, store: ElasticStore, namespace: str) -> None:
        self._client = client
        self._store = store
        self._namespace = namespace

    def write(self, known: Assets, model: str, now: str) -> dict[str, int]:
        """Write what the rows that wait say; returns how many documents are new, by stream, and `latest`.

        Raises:
            StoreError: a document was refused; those before it are written.
        """
        standings = list(self._standings(known, model))
        found = [ecs_entities.identity_asset(s) for s in standings if _is_latest(s)]
        found += map(ecs_entities.credential_asset, self._credentials())
        risk, listed, latest = write.together(
            lambda: self._create(entity_templates.RISK, [ecs_entities.risk(s) for s in standings], now),
            lambda: self._create(entity_templates.INVENTORY, found, now),
            lambda: self._replace([s for s in standings if _is_latest(s)], now),
        )
        return {"risk": risk, "inventory": listed, "latest": latest}

    def _standings(self, known: Assets, model: str) -> Iterator[Standing]:
        """One for each day of a non-human identity that the rows tell of."""
        judged = [(int(key[:6]), State.ranked(key, raw)) for key, raw in self._store.waiting("delta").items()]
        eligible: list[tuple[int, Ranked]] = [(day, ranked) for day, ranked in judged if ranked.eligible]
        facts = inventory.known_of(self._store, {ranked.identity_id for _, ranked in eligible})
        for day, ranked in sorted(eligible):
            fact = facts.get(ranked.identity_id)
            if fact is not None:
                yield Standing(fact, day, ranked, assets.find(known, fact.identity), model)

    def _credentials(self) -> Iterator[inventory.Credential]:
        """Those that changed, and that somebody was seen with; what merely stands for one is none."""
        for key, raw in sorted(self._store.waiting(inventory.TABLE).items()):
            if key.startswith("c/") and not key[2:].startswith(inventory.STANDS):
                credential = inventory.credential_of(raw)
                if credential.identity is not None and credential.identity.kind != _KIND_OF_CREDENTIALS:
                    yield credential

    def _create(self, stream: str, documents: list[Json], now: str) -> int:
        named = {ecs_entities.content_id(document): document for document in documents}
        index = f"{stream}-{self._namespace}"
        with explained(f"writing {index}"):
            known = write.existing(self._client, index, list(named))
            actions = (
                {"_op_type": "create", "_index": index, "_id": name,
                 "_source": stamped(document, self._namespace, now)}
                for name, document in named.items() if name not in known
            )  # fmt: skip
            return list(write.bulk(self._client, actions, index)).count(201)

    def _replace(self, standings: list[Standing], now: str) -> int:
        """An older run's document never replaces a newer one: the version is the last second that was seen."""
        index = f"{entity_templates.LATEST}-{self._namespace}"
        actions = (
            {"_op_type": "index", "_index": index, "_id": latest_id(standing.known.identity.id),
             "version": standing.known.last, "version_type": "external_gte",
             "_source": stamped(ecs_entities.latest(standing), self._namespace, now)}
            for standing in standings
        )  # fmt: skip
        with explained(f"writing {index}"):
            return sum(status in (200, 201) for status in write.bulk(self._client, actions, index))


def _is_latest(standing: Standing) -> bool:
    return standing.day == standing.known.last // DAY


def latest_id(identity: str) -> str:
    """The id of an identity's latest document: its own, or a digest where that is too long.

    >>> latest_id("aws:1:role:AROAX")
    'aws:1:role:AROAX'
    """
    raw = identity.encode("utf-8", "replace")
    return identity if len(raw) <= _LONGEST_ID else f"sha256:{sha256(raw).hexdigest()}"
