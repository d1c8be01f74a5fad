"""A title tells of the unusual calls alone: their number, time and place; explain's table holds its act."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from core_samples import CALL, MACHINE, TODAY, learnt, record, run, whole_days
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect.explain.notables import build
from nhi_watch.detect.scoring import score_day
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.report.terminal import show_explanation
from nhi_watch.state.store import MemoryStore
from notable_samples import altered, documents
from test_cases import ROOM, until
from test_pipeline import quiet

THIEF = {"address": "185.220.101.4", "agent": "aws-cli/2.1", "session": "ASIATHIEF"}


def title(*records: Any) -> str:
    """Of the one notable of a machine that reads six objects a day."""
    (notable,) = run(MemoryStore(), [*quiet(20), *until(TODAY), *records], ROOM).standing
    return str(notable["title"])


def reads(count: int, **changes: Any) -> list[Any]:
    """Reads as the machine makes them, six an hour."""
    return [record(TODAY, f"{12 + n // 6}:{n % 6}0", id=f"read-{n}", **changes) for n in range(count)]


def test_bulk_reads_are_those_that_are_unusual() -> None:
    routine = [{**each, "eventID": f"own-{n}"} for n, each in enumerate(quiet(1, end=TODAY + 1))]
    said = title(*routine, *reads(60, **THIEF))
    assert "60 bulk reads: s3:GetObject" in said and "from 185.220.101.4" in said
    assert f"{60 + len(routine)} bulk reads" not in said and " at 09:" not in said


def test_a_place_is_said_only_of_the_act_that_came_from_there() -> None:
    """The key was made from the machine's own place, and something else was listed from Tor."""
    made = record(TODAY, "14:00", service="iam", name="CreateAccessKey", id="made")
    said = title(made, record(TODAY, "15:00", service="iam", name="ListUsers", id="listed", **THIEF))
    assert "created" in said and "14:00" in said
    assert "tor" not in said.lower() and "185.220.101.4" not in said


def test_the_act_of_the_title_is_in_the_table_however_many_calls_have_more_points() -> None:
    sample = altered(documents()[0])
    entry = sample["timeline"][0]
    more = [{**entry, "action": f"iam:List{n}", "points": 9.0, "record_id": f"r{n}"} for n in range(60)]
    sample["timeline"] = [*more, {**entry, "action": "s3:DeleteBucket", "points": 3.0, "record_id": "act"}]
    sample["title"] = "Role x: first-time s3:DeleteBucket of logs at 18:15"
    output = io.StringIO()
    show_explanation(sample, Console(file=output, width=160))
    assert "s3:DeleteBucket" in output.getvalue().replace(sample["title"], "")


def said_of(name: str, *events: Any, history: Any) -> tuple[str, str]:
    """Evidence and title phrase of a signal on TODAY."""
    baselines = learnt(history)
    (day,) = whole_days(events).values()
    view = score_day(baselines, day, TODAY).view
    signal = next(signal for signal in SIGNALS if signal.name == name)
    at = SIGNALS.index(signal)
    seen: Any = view if signal.scope == "episode" else max(view.views, key=lambda each: each.values[at] or 0.0)
    return signal.evidence(seen), signal.phrase(seen) if signal.phrase else ""


def at(hour: int, **changes: Any) -> Any:
    return CALL._replace(time=TODAY * DAY + hour * 3600, record_id=f"{hour}", **changes)


def test_a_network_that_was_used_before_is_not_new() -> None:
    hosted = {"network": "159.89.1.0/24", "address": "159.89.1.7"}
    often = {"ago": [30, 1], "events": [{}]}
    evidence, _ = said_of("risky_network", at(9, **hosted), history=[often, {"ago": [9, 8], "events": [hosted]}])
    assert evidence.endswith("seen on 2 of 30 active days")
    evidence, _ = said_of("risky_network", at(9, **hosted), history=[often])
    assert evidence.endswith("new to this identity")


def test_only_a_session_of_aws_is_outside_aws() -> None:
    elsewhere = {"network": "198.51.100.0/24", "address": "198.51.100.7"}
    for provider, phrase in (("aws", "session used outside AWS"), ("salesforce", "its usual network (AWS)")):
        who = MACHINE._replace(provider=provider)
        calls = [at(9, identity=who), at(9, identity=who, **elsewhere)._replace(record_id="other")]
        history = [{"ago": [30, 1], "events": [{"who": {"provider": provider}}]}]
        assert said_of("session_moved", *calls, history=history)[1].endswith(phrase)


def test_an_act_is_first_time_only_if_the_call_was_never_seen() -> None:
    stop = {"action": "cloudtrail:StopLogging", "access": "write"}
    often = {"ago": [30, 1], "events": [{}]}
    calls = (at(9, service="cloudtrail", **stop),)
    assert said_of("grave_act", *calls, history=[often])[1].startswith("first-time cloudtrail:StopLogging")
    seen = [often, {"ago": [9, 9], "events": [stop]}]
    assert said_of("grave_act", *calls, history=seen)[1].startswith("unusual cloudtrail:StopLogging")


# ---- the act of a title

OFTEN = [{"ago": [30, 1], "events": [{}]}]


def titled(*events: Any, history: Any = OFTEN) -> str:
    """Title of the episode of one identity on TODAY."""
    baselines = learnt(history)
    (day,) = whole_days(events).values()
    return build(score_day(baselines, day, TODAY), baselines, {}).title


def test_a_title_without_a_named_act_names_the_most_unusual_call() -> None:
    said = titled(at(10), at(9, service="iam", action="iam:GetUser", access="read", target="alice"))
    assert said.endswith(": first-time iam:GetUser of alice at 09:00")


def test_new_calls_beside_the_most_unusual_one_are_counted_and_the_time_is_that_of_the_named_call() -> None:
    new = [("sqs:GetQueueUrl", 8), ("sns:GetTopicAttributes", 9), ("sns:GetTopicAttributes", 11)]
    calls = [at(hour, service=name[:3], action=name, target="") for name, hour in new]
    said = titled(at(10), *calls).partition(": ")[2]
    assert said in {
        "first-time sqs:GetQueueUrl at 08:00, 1 more new call",
        "first-time sns:GetTopicAttributes (2 calls) at 09:00, 1 more new call",
    }


def test_an_address_stands_only_beside_the_call_that_came_from_it() -> None:
    """The new call came from the usual network, a known one from a new network."""
    elsewhere = {"network": "52.95.111.0/24", "address": "52.95.111.7", "session": "ASIAOTHER"}
    new = at(9, service="iam", action="iam:GetUser", target="alice")
    assert ": first-time iam:GetUser of alice at 09:00, from " in titled(new._replace(**elsewhere))
    assert titled(new, at(12, **elsewhere)).endswith(": first-time iam:GetUser of alice at 09:00")


def test_a_call_that_failed_is_said_to_have_failed() -> None:
    tried = {"outcome": "failed", "error": "NoSuchEntity", "service": "iam"}
    often = [{"ago": [30, 1], "events": [{}, {**tried, "action": "iam:ListUsers"}]}]
    said = titled(at(10), at(9, action="iam:GetUser", target="alice", **tried), history=often)
    assert said.endswith(": first-time iam:GetUser of alice (tried, failed)")


def test_time_and_address_of_bulk_reads_are_those_of_the_named_call() -> None:
    """A list came first, from another address; the most frequent call began later."""
    listed = {"action": "s3:ListBuckets", "access": "list", "target": ""}
    start = at(1, address="52.95.110.9", agent="aws-cli", **listed)
    reads = [at(5 + n // 30, address=f"52.95.110.{20 + n // 30}", agent="aws-cli") for n in range(80)]
    reads = [read._replace(time=read.time + n, record_id=f"r{n}") for n, read in enumerate(reads)]
    said = titled(start, *reads, history=[{"ago": [30, 1], "events": [{}, listed]}])
    assert "81 bulk reads, most often s3:GetObject of bucket-a from 52.95.110.20" in said, said
    assert said.endswith(" at 05:00"), said


def test_a_category_of_calls_is_said_with_the_call() -> None:
    run_instances = {"service": "ec2", "action": "ec2:RunInstances", "access": "cost", "target": "i-1"}
    said = titled(at(10), at(17, **run_instances), at(17, **run_instances)._replace(record_id="second"))
    assert "billable calls: ec2:RunInstances of i-1 (2 calls) at 17:00" in said, said


def test_a_step_inside_a_cluster_is_said_with_the_call() -> None:
    who = MACHINE._replace(id="k8s:c:serviceaccount:a:b", name="system:serviceaccount:a:b", kind="service_account")
    who = who._replace(provider="kubernetes")
    known = {"who": {"id": who.id, "provider": "kubernetes"}, "service": "k8s", "action": "k8s:pods.list"}
    act = {"service": "k8s", "identity": who, "provider": "kubernetes", "access": "permissions"}
    calls = [at(7, action="k8s:clusterrolebindings.create", target="admin-binding", **act)]
    said = titled(*calls, history=[{"ago": [30, 1], "events": [known]}])
    assert "k8s:clusterrolebindings.create of admin-binding" in said, said


def test_the_path_of_a_call_is_not_taken_for_its_target() -> None:
    create = {"service": "vault", "action": "vault:auth.token.create.update", "access": "permissions"}
    minted = {**create, "traits": ("orphan_token",), "target": "auth/token/create"}
    _, phrase = said_of("credential_creation", at(6, **minted), history=OFTEN)
    assert phrase == "credential created by vault:auth.token.create.update"
    _, phrase = said_of("credential_creation", at(6, **{**minted, "target": "auth/token/create/ci"}), history=OFTEN)
    assert phrase == "credential created for ci"


def test_a_report_of_an_exposed_credential_is_not_read_as_sharing() -> None:
    found = {"service": "exposure", "action": "exposure:KeyExposed", "target": "AKIAEXPOSED"}
    report = at(3, traits=("public", "secret_alert"), **found)
    said = titled(at(10), report)
    assert "exposure:KeyExposed of AKIAEXPOSED at 03:00" in said and "outsiders" not in said, said
