"""Scores, inventory and latest documents of identities: valid ECS, each once, equal to what the state holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elastic_server import Server
from nhi_watch.context.assets import UNKNOWN, Asset
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.elastic import entity_templates, fields, templates
from nhi_watch.report import ecs_entities
from nhi_watch.report.ecs_entities import Standing
from nhi_watch.state.inventory import Change, Credential, Known
from nhi_watch.state.judged import Ranked
from test_elastic_run import SINCE, Place, fill, leaves, simulated
from test_outputs import ecs_fields, faults

__all__ = ["ecs_fields"]

Tree = dict[str, Any]
NOW = "2026-03-13T00:05:00Z"
ROLE = Identity("aws:1:role:AROAX", "arn:aws:iam::1:role/ci", "role", "aws", "1", "")
OWNED = Asset("high", "team-a", "production")


def standing(score: float = 61.5, last: int = 20_000 * DAY + 7200, asset: Asset = OWNED) -> Standing:
    return Standing(Known(ROLE, 19_000 * DAY + 5, last), 20_000, Ranked(ROLE.id, score, 0.5, 0.9, True), asset, "m1")


def credential(**changes: Any) -> Credential:
    made = Change(19_990 * DAY, "created", "aws:1:user:me", "ci", "", "r1")
    return Credential("AKIAEXAMPLE", (ROLE,), 19_991 * DAY, 20_000 * DAY + 9, (made,))._replace(**changes)


def every_document() -> list[Tree]:
    documents = [
        ecs_entities.risk(standing()),
        ecs_entities.identity_asset(standing()),
        ecs_entities.latest(standing()),
    ]
    documents += [ecs_entities.identity_asset(standing(asset=UNKNOWN)), ecs_entities.credential_asset(credential())]
    return [ecs_entities.stamped(document, "default", NOW) for document in documents]


# ---- the documents


def test_every_document_is_ecs(ecs_fields: Tree) -> None:
    assert [faults(document, ecs_fields) for document in every_document()] == [[]] * 5


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(max_size=900),
    account=st.text(max_size=40),
    score=st.floats(0, 100, allow_nan=False),
    last=st.integers(20_000 * DAY, 20_001 * DAY - 1),
    owner=st.text(max_size=50),
)
def test_whatever_a_log_says_the_documents_stay_ecs_and_small(
    ecs_fields: Tree, name: str, account: str, score: float, last: int, owner: str
) -> None:
    identity = Identity(f"aws:{account}:role:{name}", name, "role", "aws", account, "")
    ranked = Ranked(identity.id, score, 0.0, 0.1, True)
    made = Standing(Known(identity, 1, last), 20_000, ranked, Asset("low", owner, ""), "m")
    for make in (ecs_entities.risk, ecs_entities.identity_asset, ecs_entities.latest):
        document = ecs_entities.stamped(make(made), "n", NOW)
        assert faults(document, ecs_fields) == []
        assert all(len(value) <= 2000 for _, value in leaves_with_values(document) if isinstance(value, str))
        str(document).encode()  # no lone surrogates: they could not be sent


def leaves_with_values(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from leaves_with_values(inner, f"{path}.{name}" if path else name)
    else:
        yield path, node


def test_nothing_that_the_stack_owns_is_written() -> None:
    paths = {path for document in every_document() for path in leaves(document)}
    owned = ("kibana.", "risk.", "user.risk.", "host.risk.", "service.risk.", "entity.risk.")
    assert not [path for path in paths if path.startswith(owned)]
    assert not [d for d in every_document() if "iam" in d["event"].get("category", [])]


def test_every_field_is_mapped() -> None:
    mapped = {name: set(fields.names(body)) for name, body in entity_templates.mappings().items()}
    risk, asset, latest, bare, key = every_document()
    for document, stream in ((risk, "logs-nhi.risk"), (asset, "logs-nhi.inventory"), (latest, "nhi-entities-latest"),
                             (bare, "logs-nhi.inventory"), (key, "logs-nhi.inventory")):  # fmt: skip
        assert set(leaves(document)) - mapped[stream] == set()


@pytest.mark.parametrize(
    ("score", "code"), [(0.0, 21), (39.9, 21), (40.0, 47), (59.9, 47), (60.0, 73), (79.9, 73), (80.0, 99), (100.0, 99)]
)
def test_severity_follows_the_bands_of_notables(score: float, code: int) -> None:
    assert ecs_entities.risk(standing(score))["event"]["severity"] == code


def test_the_inventory_is_the_same_until_a_day_later_or_a_change() -> None:
    def inventory_id(made: Standing) -> str:
        return ecs_entities.content_id(ecs_entities.identity_asset(made))

    first = inventory_id(standing())
    assert inventory_id(standing(last=20_000 * DAY + 80_000, score=9.0)) == first
    assert inventory_id(standing(last=20_001 * DAY)) != first
    assert inventory_id(standing(asset=UNKNOWN)) != first


def test_a_credential_says_whether_it_works_and_was_exposed() -> None:
    off = Change(20_000 * DAY, "deactivated", "aws:1:user:me", "", "", "r2")
    leaked = Change(20_000 * DAY, "exposed", "feed", "a repository", "", "r3")
    told = ecs_entities.credential_asset(credential(changes=(off, leaked)))["nhi"]["inventory"]
    assert (told["state"], told["exposed"]) == ("deactivated", True)
    assert ecs_entities.credential_asset(credential())["nhi"]["inventory"]["state"] == "active"


# ---- on real servers


@pytest.fixture
def place(elastic: Server) -> Iterator[Place]:
    made = Place(elastic)
    yield made
    for name in (f"nhi-state-{made.namespace}", f"nhi-entities-latest-{made.namespace}"):
        made.client.indices.delete(index=name, ignore_unavailable=True)


def found(place: Place, stream: str) -> list[Tree]:
    index = f"{stream}-{place.namespace}"
    place.client.indices.refresh(index=index)
    answer = place.client.search(index=index, size=5000, sort=[{"@timestamp": "asc"}])
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def by_identity_and_day(documents: list[Tree]) -> dict[tuple[str, str], float]:
    return {(d["service"]["id"], d["nhi"]["risk"]["day"]): d["event"]["risk_score"] for d in documents}


def test_one_score_for_each_identity_and_day_and_nothing_twice(place: Place, ecs_fields: Tree) -> None:
    fill(place, simulated())
    first = place.run(since=SINCE)["entities"]
    scores, assets, latest = (
        found(place, name) for name in ("logs-nhi.risk", "logs-nhi.inventory", "nhi-entities-latest")
    )
    assert (first["risk"], first["inventory"]) == (len(scores), len(assets))
    assert len(by_identity_and_day(scores)) == len(scores) > 50
    assert {d["service"]["id"] for d in scores} == {d["service"]["id"] for d in latest}
    notables = {
        (n["identity"]["id"], n["first_time"][:10]): n["score"] for n in place.notables()
        if not n["members"][1:] and len(n["revisions"]) == 1 and n["first_time"][:10] == n["last_time"][:10]
    }
    told = {(name, day[:10]): score for (name, day), score in by_identity_and_day(scores).items()}
    assert notables and all(told[key] == pytest.approx(score) for key, score in notables.items())
    assert [f for d in (*scores, *assets, *latest) for f in faults(d, ecs_fields)] == []
    place.client.indices.rollover(alias=f"logs-nhi.risk-{place.namespace}")
    place.client.indices.rollover(alias=f"logs-nhi.inventory-{place.namespace}")
    place.client.indices.delete(index=f"nhi-state-{place.namespace}")
    place.client.indices.create(index=f"nhi-state-{place.namespace}")
    again = place.run(since=SINCE)
    assert again["events"] > 0, "without its state it works anew"
    assert (again["entities"]["risk"], again["entities"]["inventory"]) == (0, 0)
    assert again["alerts"]["created"] == 0
    assert len(found(place, "logs-nhi.risk")) == len(scores)


def test_the_latest_document_is_of_the_last_day_and_never_goes_back(place: Place) -> None:
    records = simulated()
    fill(place, records)
    place.run(since=SINCE)
    latest = found(place, "nhi-entities-latest")
    scores = by_identity_and_day(found(place, "logs-nhi.risk"))
    for document in latest:
        days = [day for name, day in scores if name == document["service"]["id"]]
        assert document["nhi"]["risk"]["day"] == max(days)
        assert document["event"]["risk_score"] == scores[document["service"]["id"], max(days)]
    name, index = latest[0]["service"]["id"], f"nhi-entities-latest-{place.namespace}"
    with pytest.raises(Exception, match="version"):
        place.client.index(index=index, id=name, document={}, version=1, version_type="external_gte")


def test_what_is_only_learnt_is_not_written(place: Place) -> None:
    fill(place, simulated()[:300])
    assert place.run(since=SINCE, alerts=False)["entities"] == {"risk": 0, "inventory": 0, "latest": 0}
    assert not place.client.indices.exists(index=f"logs-nhi.risk-{place.namespace}")


def test_the_key_for_the_job_may_write_them_and_nothing_of_the_stack() -> None:
    role = templates.api_key_request("prod")["role_descriptors"]["nhi_run"]
    may = {name: each["privileges"] for each in role["indices"] for name in each["names"]}
    assert "create_doc" in may["logs-nhi.risk-prod"] and "delete" not in may["logs-nhi.risk-prod"]
    assert may["nhi-entities-latest-prod"] == ["read", "index", "view_index_metadata"]
    assert may[".alerts-security.alerts-*"] == ["read", "view_index_metadata"]
    assert role["cluster"] == []
