"""Episodes follow identity links: one intrusion is one notable, with the records that prove it."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_samples import CALL, TODAY, answer, record, run
from nhi_watch.core.behaviour import Behaviour, key_of_event
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import from_json, to_json
from nhi_watch.detect.explain import brief
from nhi_watch.detect.explain.fields import notable_id
from nhi_watch.detect.explain.summaries import why_linked
from nhi_watch.detect.linking import HOLDERS, NEAR, _called, _names, _owner, _touched, join
from nhi_watch.detect.scoring import Link
from nhi_watch.detect.signals.alerts import passed_on
from nhi_watch.state.state import Trace
from nhi_watch.state.store import MemoryStore
from test_pipeline import ROOM, quiet, raid, schema, scored

READER = "vault-reader"
STOLEN = "ASIASTOLENSESSION001"


def assumes(session: str = STOLEN, clock: str = "14:06") -> Any:
    """The raided machine asks for a session of another role."""
    return record(
        TODAY,
        clock,
        service="sts",
        name="AssumeRole",
        address="185.220.101.4",
        agent="aws-cli/2.1",
        requestParameters={"roleArn": f"arn:aws:iam::111111111111:role/{READER}", "roleSessionName": "x"},
        responseElements={"credentials": {"accessKeyId": session}},
        id="assumed",
    )


def used(session: str = STOLEN) -> list[Any]:
    """The other role does what it never did."""
    calls = (("secretsmanager", "GetSecretValue"), ("secretsmanager", "ListSecrets"), ("iam", "CreateAccessKey"))
    return [
        record(
            TODAY,
            f"14:1{n}",
            role=READER,
            session=session,
            service=service,
            name=name,
            address="185.220.101.4",
            agent="aws-cli/2.1",
            id=f"used-{n}",
        )
        for n, (service, name) in enumerate(calls)
    ]


HISTORY = quiet(20) + quiet(20, role=READER)


def found(*parts: list[Any]) -> list[Any]:
    _, results = scored(*parts)
    return [n for n in results[-1].notables if n["first_time"].startswith("2024-10-04")]


def test_a_role_used_in_a_stolen_session_is_part_of_the_theft() -> None:
    (notable,) = found(HISTORY + raid() + [assumes()] + used())
    assert [member["name"].rsplit("/")[-1] for member in notable["members"]] == ["payments-api", READER]
    (link,) = notable["links"]
    assert (link["kind"], link["value"], link["record_ids"]) == ("credential", STOLEN, ["assumed", "used-0"])
    assert {entry["identity"] for entry in notable["timeline"]} == {member["id"] for member in notable["members"]}
    assert {f"used-{n}" for n in range(3)} < set(notable["record_ids"])
    assert "One intrusion across" in notable["summary"] and " with " in notable["title"].partition(":")[0]


def test_the_notable_of_several_validates_comes_back_and_names_the_controls_of_each() -> None:
    (notable,) = found(HISTORY + raid() + [assumes()] + used())
    schema().validate(notable)
    assert to_json(from_json(notable)) == notable
    assert [control["id"] for control in notable["controls"]] == ["rotate_secret", "reduce_privilege"] * 2
    assert READER in notable["controls"][2]["reason"]


def lists_secrets(day: int, clock: str = "09:40", **more: Any) -> Any:
    return record(day, clock, role=READER, service="secretsmanager", name="ListSecrets", **more)


def test_what_is_said_of_an_identity_is_computed_for_that_identity() -> None:
    """The reader lists secrets each day; the machine that took its session never did, and creates no keys itself."""
    known = [lists_secrets(day) for day in range(TODAY - 15, TODAY)]
    (notable,) = found(HISTORY + known + raid(steps=2) + [assumes()] + used())
    machine, reader = (member["id"] for member in notable["members"])
    calls = {d["identity"]: d for d in notable["usual"]["dimensions"] if d["name"] == "action"}
    assert {value["value"]: value["days"] for value in calls[reader]["usual"]}["secretsmanager:ListSecrets"] == 15
    seen = {who: {o["value"]: (o["new"], o["count"]) for o in calls[who]["observed"]} for who in calls}
    assert seen[machine] == dict.fromkeys(("sts:GetCallerIdentity", "iam:ListUsers", "sts:AssumeRole"), (True, 1))
    assert seen[reader]["secretsmanager:ListSecrets"] == (False, 1) and seen[reader]["iam:CreateAccessKey"] == (True, 1)
    first, second = notable["summary"].partition(" Why: ")[0].split(" One intrusion across ")
    assert "iam:CreateAccessKey" not in first and "made 3 unusual calls" in first
    assert f"Role {READER} (20 active days of history) made " in second and "iam:CreateAccessKey" in second
    text = brief.text(notable)
    assert "`secretsmanager:ListSecrets` was never" not in text
    assert f"The action `iam:CreateAccessKey` was never seen with `{notable['members'][1]['name']}` before." in text
    assert {s["identity"] for s in notable["signals"] if s["id"] == "credential_minted"} <= {reader}


def test_each_linked_identity_that_is_new_is_said_to_be_new() -> None:
    (notable,) = found(quiet(20) + raid() + [assumes()] + used())
    text = brief.text(notable)
    assert f"The identity `{notable['members'][1]['name']}` was never seen before" in text
    assert "`s3:GetObject` was never seen" not in text and "with this identity" not in text
    assert f"was never seen with `{notable['members'][0]['name']}` before." in text


def test_a_session_that_nobody_handed_out_links_nobody() -> None:
    assert [n["members"] for n in found(HISTORY + raid() + [assumes("ASIAANOTHERSESSION1")] + used())] == [[], []]


def test_a_deploy_that_hands_sessions_to_ordinary_work_links_nobody() -> None:
    ordinary = [{**r, "eventID": f"today-{n}"} for n, r in enumerate(quiet(1, role=READER, end=TODAY + 1))]
    for r in ordinary:
        r["userIdentity"]["accessKeyId"] = STOLEN
    (notable,) = found(HISTORY + raid() + [assumes()] + ordinary)
    assert notable["members"] == []


def test_a_link_that_comes_late_merges_what_was_written_before() -> None:
    first, second = HISTORY + raid() + used(), [assumes()]
    store, (before, after) = scored(first, second)
    assert len([n for n in before.notables if n["first_time"].startswith("2024-10-04")]) == 2
    (merged,) = [n for n in after.changed if n["merged_into"]]
    lead = notable_id("aws:111111111111:role:AROApayments-api", TODAY)
    assert (merged["id"], merged["merged_into"]) == (notable_id(f"aws:111111111111:role:AROA{READER}", TODAY), lead)
    assert merged["revision"] == 2
    schema().validate(merged)
    at_once = MemoryStore()
    run(at_once, first + second, ROOM)
    assert answer(store) == answer(at_once)


def test_a_second_run_over_the_same_records_changes_nothing() -> None:
    records = HISTORY + raid() + [assumes()] + used()
    _, (_, again) = scored(records, records)
    assert again.changed == []


# ---- the rules of joining, on traces


def trace(name: str, first: int = 100, **fields: Any) -> Trace:
    handles = {
        key: {handle: f"{name}-{handle}" for handle in fields.get(key, ())}
        for key in ("names", "given", "used", "addresses", "touched")
    }
    return Trace(
        name,
        fields.get("eligible", True),
        first,
        handles["names"],
        fields.get("own", ()),
        handles["given"],
        handles["used"],
        handles["addresses"],
        handles["touched"],
        fields.get("is_person", False),
    )


def members(*traces: Trace) -> list[tuple[str, ...]]:
    return [group.members for group in join(traces)]


def test_an_application_known_to_two_logs_is_one_actor() -> None:
    assert members(trace("entra", 10, names=["app:1", "sp:2"]), trace("m365", 20, names=["app:1"])) == [
        ("entra", "m365")
    ]


def test_two_logs_that_never_meet_are_joined_by_one_that_knows_both_names_though_nothing_in_it_is_news() -> None:
    between = trace("entra", 0, names=["app:1", "sp:2"])
    assert members(trace("azure", 10, names=["sp:2"]), between, trace("m365", 20, names=["app:1"])) == [
        ("azure", "m365")
    ]


def test_a_workload_that_only_swaps_its_token_stands_between_its_repository_and_its_role() -> None:
    repository = trace("github", 10, names=["oidc:repo:acme/shop"])
    web = trace("web", 0, names=["oidc:repo:acme/shop"], given=["ASIA1"])
    role = trace("role", 20, used=["ASIA1"])
    assert members(repository, web, role) == [("github", "role")]
    assert members(repository._replace(first=0), web, role) == []


def test_roles_that_one_ordinary_workload_assumed_are_not_one_intrusion() -> None:
    web = trace("web", 0, given=["ASIA1", "ASIA2"])
    assert members(web, trace("a", 10, used=["ASIA1"]), trace("b", 20, used=["ASIA2"])) == []


def test_who_consented_is_linked_to_the_application_that_came_of_it() -> None:
    person = trace("ada", 10, given=["app-guid"], eligible=False)
    (group,) = join([person, trace("app", 20, names=["app:app-guid"])])
    assert (group.lead, group.members, group.links[0].source) == ("app", ("ada", "app"), "ada")


def warehouse(first: int = 700, name: str = "ETL_LOADER_SVC") -> Trace:
    handle = f"name:snowflake:{name.lower()}"
    return trace("snowflake:x:user:7", first, names=[handle], own=(handle,))


def vault(first: int = 100, target: str = "etl-loader-svc", name: str = "vault:x:role:1") -> Trace:
    return trace(name, first, touched=[target])


def test_who_touched_what_bears_the_name_of_another_product_s_identity_is_linked_if_that_one_soon_makes_news() -> None:
    (group,) = join([vault(), warehouse()])
    assert [(link.kind, link.value) for link in group.links] == [("named", "etl-loader-svc")]
    assert members(vault(first=0), warehouse()) == members(vault(), warehouse(first=0)) == []  # no news, no link
    assert members(vault(), warehouse(first=99)) == members(vault(), warehouse(first=100 + NEAR + 1)) == []
    assert members(vault(name="snowflake:x:user:8"), warehouse()) == []  # one product knows its own by their ids
    crowd = [vault(name=f"vault:x:role:{n}") for n in range(HOLDERS + 1)]
    assert members(*crowd, warehouse()) == []
    names = [f"etl-loader-{n}" for n in range(HOLDERS + 1)]
    many = [trace(f"snowflake:x:user:{n}", 200, names=[h], own=(h,)) for n in names for h in [f"name:snowflake:{n}"]]
    assert members(vault()._replace(touched=dict.fromkeys(names, "r")), *many) == []


def test_who_works_on_a_person_s_account_is_not_linked_to_what_that_person_does_elsewhere() -> None:
    handle = "name:entra:ann@example.com"
    ann = trace("entra:x:user:7", 700, names=[handle], own=(handle,))
    help_desk = trace("okta::token:1", 100, touched=["ann@example.com"])
    assert members(help_desk, ann) == [("okta::token:1", "entra:x:user:7")]
    assert members(help_desk, ann._replace(is_person=True)) == []


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("named", "etl", "Linked because ann touched etl, a name of loader, unusual within the hour."),
        ("credential", "ASIA1", "Linked because the records of ann and loader both contain the credential ASIA1."),
        ("host", "192.0.2.7", "Linked because the records of ann and loader both contain the address 192.0.2.7."),
    ],
)
def test_why_two_are_linked_is_said_by_what_was_compared(kind: str, value: str, said: str) -> None:
    ann, loader = (Identity(f"vault:x:role:{name}", name, "role", "vault", "x", "") for name in ("ann", "loader"))
    parts = [SimpleNamespace(identity=identity) for identity in (ann, loader)]
    episode: Any = SimpleNamespace(links=[Link(ann.id, loader.id, kind, value, ("r1", "r2"))], parts=parts)
    assert why_linked(episode) == f" {said}"


def test_who_pushed_to_the_repository_of_a_pipeline_is_linked_to_the_role_that_it_then_assumed() -> None:
    subject = "oidc:repo:acme/shop:ref:refs/heads/main"
    pipeline = trace("aws:1:web_identity:x", 0, names=[subject], own=(subject,), given=["ASIA1"])
    pushed = trace("github::token:1", 100, touched=["acme/shop", "shop"])
    role = trace("aws:1:role:r", 200, used=["ASIA1"])
    assert members(pushed, pipeline, role) == [("github::token:1", "aws:1:role:r")]
    assert members(pushed._replace(touched={"acme/other": "r"}), pipeline, role) == []


def test_a_token_and_the_person_whose_it_is_are_one_actor() -> None:
    token = Identity("github::token:7", "ada (token)", "token", "github", "acme", "")
    assert _owner(token) == ("name:github:ada",) and _owner(token._replace(kind="user")) == ()
    person = trace("user", 20, names=["name:github:ada"], own=("name:github:ada",), eligible=False)
    assert members(trace("token", 10, names=_owner(token)), person) == [("token", "user")]


@pytest.mark.parametrize(
    ("names", "handed_on"),
    [
        (("SpFraudConnector", "SpFraudConnector"), 0),
        (("lea", "lea (token)"), 0),
        (("arn:aws:iam::1:role/Deploy", "deploy", "reader"), 1),
    ],
)
def test_an_actor_whom_two_logs_know_hands_nothing_on_to_itself(names: tuple[str, ...], handed_on: int) -> None:
    views: Any = [
        SimpleNamespace(quiet=False, key=SimpleNamespace(traits=(), identity=SimpleNamespace(name=name)))
        for name in names
    ]
    assert passed_on.value(SimpleNamespace(views=views)) == handed_on


def test_names_are_told_as_targets_have_them() -> None:
    assert _touched(["storageAccounts/acmex0", "secret/data/db", "acme/Shop_API"]) == [
        "acme/shop-api",
        "acmex0",
        "secret/data/db",
        "shop-api",
        "storageaccounts/acmex0",
    ]
    key = trace("azure::storage_key:acmex0", names=["name:azure:key of acmex0"], own=("name:azure:key of acmex0",))
    assert [name for name, _ in _called(key)] == ["acmex0"]


def test_an_exposed_key_and_its_user_are_linked() -> None:
    assert members(trace("leak", 10, used=["AKIA1"]), trace("user", 20, used=["AKIA1"])) == [("leak", "user")]


@pytest.mark.parametrize(("later", "linked"), [(0, True), (NEAR, True), (NEAR + 1, False), (-1, False)])
def test_a_host_is_linked_to_what_works_from_its_address_soon_after(later: int, linked: bool) -> None:
    host = trace("host", 10_000, names=["host:192.0.2.9"])
    key = trace("key", 10_000 + later, addresses=["192.0.2.9"])
    assert bool(members(host, key)) is linked


def test_people_of_one_host_are_not_one_actor() -> None:
    assert members(trace("ada", names=["host:192.0.2.9"]), trace("bob", names=["host:192.0.2.9"])) == []


def test_a_name_that_was_deleted_and_made_again_joins_nobody() -> None:
    own: dict[str, Any] = {"names": ["arn:role/app"], "own": ("arn:role/app",)}
    assert members(trace("old", **own), trace("new", **own)) == []
    assert members(trace("old", **own), trace("bedrock", names=["arn:role/app"])) == [("bedrock", "old")]


def test_an_alert_that_knows_only_a_bare_name_joins_the_one_who_has_it() -> None:
    own: dict[str, Any] = {"names": ["name:okta:sync"], "own": ("name:okta:sync",)}
    alert = trace("alert", names=["name:okta:sync"])
    assert members(trace("app", 10, **own), alert) == [("app", "alert")]
    assert members(trace("app", 10, **own), trace("app made again", 20, **own), alert) == []


def test_a_log_that_knows_no_ids_tells_of_the_one_who_has_the_name() -> None:
    own: dict[str, Any] = {"names": ["name:aws:app"], "own": ("name:aws:app",)}
    ids = "aws:1:role:App", "aws:1:role:AROA1", "aws:1:role:AROA2", "aws:2:role:App"
    by_name, known, again, elsewhere = (trace(name, 10 + n, **own) for n, name in enumerate(ids))
    assert members(by_name, known) == [("aws:1:role:App", "aws:1:role:AROA1")]
    for others in ((known, again), (by_name, known, again), (by_name, elsewhere), (elsewhere, known)):
        assert members(*others) == [], "the name of several"


def test_for_whom_an_app_acts_is_no_name_of_the_app() -> None:
    acted = Behaviour(key_of_event(CALL), TODAY * 24 + 10)
    acted.take(CALL._replace(links=("app:1", "user:ann@example.com")))
    assert _names(acted) == ["app:1"]


def test_a_handle_that_many_hold_proves_nothing() -> None:
    crowd = [trace(f"app-{n}", names=["app:shared"]) for n in range(HOLDERS + 1)]
    assert members(*crowd) == []
    assert len(members(*crowd[:HOLDERS])[0]) == HOLDERS


def test_nobody_eligible_nothing_is_joined() -> None:
    assert members(trace("ada", names=["app:1"], eligible=False), trace("b", names=["app:1"], eligible=False)) == []


TEXTS = st.sets(st.sampled_from(["app:1", "sp:2", "oidc:3", "host:4", "5", "6"]), max_size=3)
TRACES = st.builds(
    lambda name, first, eligible, names, given, used, addresses: trace(
        name, first, eligible=eligible, names=names, given=given, used=used, addresses=addresses
    ),
    st.sampled_from("abcdefghij"),
    st.integers(0, 9000),
    st.booleans(),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
)


@given(st.lists(TRACES, max_size=10, unique_by=lambda t: t.identity_id), st.randoms(use_true_random=False))
def test_groups_are_disjoint_hold_only_news_and_do_not_depend_on_the_order(
    traces: list[Trace], dice: random.Random
) -> None:
    groups = join(traces)
    known = {t.identity_id: t for t in traces}
    names = [name for group in groups for name in group.members]
    assert len(names) == len(set(names))
    assert all(known[name].first for name in names)
    assert all(len(group.members) > 1 and known[group.lead].eligible for group in groups)
    mixed = list(traces)
    dice.shuffle(mixed)
    assert join(mixed) == groups
