"""The first line of a notable says who did what, from where, how it differs, and whether it worked."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from core_samples import TODAY, Options, record, run
from nhi_watch.context.networks import SHIPPED
from nhi_watch.core.behaviour import Behaviour, BehaviourKey
from nhi_watch.core.event import Identity
from nhi_watch.core.status import unusual_least
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.detect.explain.summaries import first_line
from nhi_watch.report import terminal
from nhi_watch.state.baseline import Profile, ProfileDimension
from nhi_watch.state.store import MemoryStore
from notable_samples import altered, documents

WHO = Identity("aws:1:role:AROA1", "ci", "role", "aws", "1", "")
NOON = 20_000 * DAY + 12 * HOUR


def behaviour(count: int, **changes: Any) -> Behaviour:
    address = changes.pop("address", "20.55.1.9")
    network = address.rpartition(".")[0] + ".0/24" if address else ""
    plain = BehaviourKey(
        WHO, "1", "", "session", "s3:PutObject", "s3", "write", network, "boto3", "eu-west-1", "success", "", "own", ()
    )
    behaviour = Behaviour(plain._replace(**changes), NOON // HOUR)
    for number in range(count):
        behaviour.add(NOON + number, 0, f"r{number}")
    behaviour.addresses = [address] if address else []
    return behaviour


def history(**values: str) -> Profile:
    known = Profile()
    known.days = 30
    for name, value in values.items():
        known.dimensions[name] = ProfileDimension()
        known.dimensions[name].learn([(value, 1, 1)], 1)
    return known


def line(*unusual: Behaviour, own: Profile) -> str:
    return first_line("Role ci", unusual, own, SHIPPED)


def test_a_network_that_others_of_the_tenant_use_says_so() -> None:
    """The office is new for a machine, a colleague's home for a token; a thief's place is neither."""
    tenant = history(network="20.99.1.0/24")
    home = first_line("Role ci", [behaviour(2, address="20.99.1.9")], USUAL, SHIPPED, tenant=tenant)
    assert "from 20.99.1.9 (azure, new network; operator seen on 1 of 30 active days; others" in home
    assert "; others used it on 1 of 30 identity days of this tenant)" in home
    assert "others" not in first_line("Role ci", [behaviour(2, address="20.88.1.9")], USUAL, SHIPPED, tenant=tenant)
    assert "others" not in first_line("Role ci", [behaviour(2)], USUAL, SHIPPED, tenant=USUAL)


DENIED = {"outcome": "denied", "error": "AccessDenied"}
USUAL = history(network="20.55.1.0/24", owner="azure", agent="boto3")


@pytest.mark.parametrize(("behaviours", "own", "text"), [
    ([behaviour(108, **DENIED, address="20.99.1.9", action="iam:CreateUser"), behaviour(1, address="20.99.1.9")], USUAL,
     "Role ci (30 active days of history) made 109 unusual calls on 2024-10-04 from 12:00 to 12:01 UTC, 1 worked, "
     "108 refused: s3:PutObject and iam:CreateUser; from 20.99.1.9 (azure, new network; operator seen on 1 of 30 "
     "active days); client boto3 as usual. Little of that went through: "
     "somebody is probing, or a deployment is broken."),
    ([behaviour(5, **DENIED)], USUAL,
     "Role ci (30 active days of history) made 5 unusual calls on 2024-10-04 at 12:00 UTC, all refused: s3:PutObject; "
     "from 20.55.1.9 (azure, a network that it uses); client boto3 as usual. Nothing of that went through: "
     "somebody is probing, or a deployment is broken."),
    ([behaviour(1, agent="aws-cli", address="185.220.101.4")], USUAL,
     "Role ci (30 active days of history) made 1 unusual call on 2024-10-04 at 12:00 UTC, which worked: s3:PutObject; "
     "from 185.220.101.4 (tor, never used by it before); new client aws-cli."),
    ([behaviour(1, **DENIED, address="", agent="")], Profile(),
     "Role ci (never seen before) made 1 unusual call on 2024-10-04 at 12:00 UTC, which was refused: s3:PutObject."),
    ([behaviour(2, outcome="failure"), behaviour(1, action="a:B"), behaviour(1, action="a:C")], Profile(),
     "Role ci (never seen before) made 4 unusual calls on 2024-10-04 at 12:00 UTC, 2 worked, 2 failed: a:B, a:C and 1 "
     "more; from 20.55.1.9 (azure, its first network); client boto3."),
])  # fmt: skip
def test_the_first_line(behaviours: list[Behaviour], own: Profile, text: str) -> None:
    assert line(*behaviours, own=own) == text


def shown(notable: Any, every: bool = False) -> str:
    stream = io.StringIO()
    first = notable["timeline"][1]["record_id"]
    raw = {first: {"file": "day.json", "line": 9, "raw": '{"userAgent": "aws-cli/2.15.30 md/Botocore#1.34"}'}}
    terminal.show_explanation(notable, Console(file=stream, width=200), raw, every)
    return stream.getvalue()


def test_explain_tells_both_ends_the_share_refused_and_the_whole_user_agent() -> None:
    text = shown(documents()[0])
    assert "First unusual call: 2026-03-09T02:14:00Z iam:ListUsers denied" in text and "(day.json:9)" in text
    assert "Last unusual call: 2026-03-09T02:33:00Z secretsmanager:GetSecretValue" in text
    assert "Unusual calls: 20, 2 of them refused or failed; from 185.220.101.0/24" in text
    assert "User agent: aws-cli/2.15.30 md/Botocore#1.34" in text


def test_what_was_odd_on_other_days_is_told_apart_so_that_counts_agree_with_the_summary() -> None:
    """A weak day before a theft belongs to its notable; it is not where the theft begins."""
    notable = documents()[0]
    before = {
        **notable["timeline"][0],
        "time": "2026-03-06T00:53:00Z",
        "action": "ses:GetSendQuota",
        "points": 2.7,
        "count": 7,
    }
    text = shown({**notable, "timeline": [before, *notable["timeline"]], "baseline": {"id": "2026-03-08"}})
    assert "First unusual call: 2026-03-09T02:14:00Z iam:ListUsers denied" in text and "Unusual calls: 20, 2 of" in text
    assert "On other days, 2026-03-06T00:53:00Z: 7 unusual calls" in text
    assert "ses:GetSendQuota" not in text.partition("time (UTC)")[0]
    assert re.search(r"2026-03-06 00:53:00 +7 .*ses:GetSendQuota", text), "it is part of the timeline"


def test_explain_shows_the_timeline_without_routine_calls_and_counts_what_is_left_out() -> None:
    notable = documents()[0]
    routine = altered({**notable["timeline"][0], "action": "s3:GetObject", "points": 0.0, "count": 1200})
    document = altered({**notable, "timeline": [routine, *notable["timeline"]]})
    others = [entry for entry in document["timeline"] if entry["points"] < unusual_least(document)]
    calls = sum(entry["count"] for entry in others)
    said, every = shown(document), shown(document, every=True)
    assert "s3:GetObject" not in said and "s3:GetObject" in every
    assert f"Left out: {calls:,} routine calls in {len(others)} rows; show them with --all" in said
    assert "Left out" not in every
    many = [{**notable["timeline"][-1], "action": f"iam:Call{n}", "points": 50.0 + n, "count": 1} for n in range(40)]
    cut = shown({**notable, "timeline": many})
    assert "iam:Call39" in cut and "iam:Call9 " not in cut, "those with most points are shown"
    assert "Left out: 10 unusual calls in 10 rows; show them with --all" in cut


def test_a_silent_log_is_explained_without_empty_tables() -> None:
    (silent,) = [document for document in documents() if document["kind"] == "blind_spot"]
    silent = altered({**silent, "record_count": 0, "record_ids": [], "usual": {**silent["usual"], "dimensions": []}})
    stream = io.StringIO()
    terminal.show_explanation(silent, Console(file=stream, width=200))
    assert "usual" not in stream.getvalue() and stream.getvalue().endswith("Records: 0\n")


def test_explain_folds_what_adds_little_unless_asked() -> None:
    notable = documents()[0]
    assert "the rest" in shown(notable) and "Machines of this kind never use MFA" not in shown(notable)
    assert "Machines of this kind never use MFA" in shown(notable, every=True)


def test_explain_adds_up_from_the_ordinary_day_and_says_what_makes_the_severity() -> None:
    notable = documents()[0]
    text = shown(notable)
    assert "97% likely" in text and "+2.81 ████████████" in text
    assert "In log-odds: an ordinary day −4.72, the signals +8.31, together +3.59, which is 97.3%" in text
    assert "Severity critical: likelihood 97.3 × 1.15 (impact high) = 111.9, capped at 100;" in text
    assert "Without the records of “Network novelty”: 48.6%" in text
    assert "Impact: high; raised by criticality (high), environment (production)" in text


def test_what_claims_no_intrusion_shows_its_severity_and_no_likelihood() -> None:
    silent = next(document for document in documents() if document["kind"] == "blind_spot")
    text = shown({**silent, "timeline": documents()[0]["timeline"]})
    assert text.startswith("LOW  ") and "likel" not in text and "log-odds" not in text


def title(*unusual: tuple[str, ...], **changes: Any) -> str:
    """Of what a role does that read objects for ten days: services, calls, and errors where there is one."""
    usual = [record(day, f"{hour}:00") for day in range(TODAY - 10, TODAY) for hour in (9, 10, 11)]
    calls = [
        record(
            TODAY,
            f"10:{n:02}",
            service=service,
            name=name,
            address="185.220.101.4",
            **{**changes, **({"errorCode": error[0]} if error else {})},
        )
        for n, (service, name, *error) in enumerate(unusual)
    ]
    (shown,) = run(MemoryStore(), [*usual, *calls], Options(budget=300.0)).notables
    return str(shown["title"])


def test_what_failed_in_whole_is_said_once() -> None:
    tried = title(("iam", "CreateOpenIDConnectProvider"), ("iam", "CreateAccessKey"), errorCode="AccessDenied")
    assert tried.count("tried") == 1 and "access key created (both tried, refused)" in tried


def test_a_title_begins_with_what_succeeded_with_its_count_and_time() -> None:
    """What was refused says so itself, and nothing of the rest."""
    provider = ("iam", "CreateOpenIDConnectProvider")
    text = title(("iam", "CreateAccessKey", "AccessDenied"), provider, provider)
    assert text.endswith(
        "first-time iam:CreateOpenIDConnectProvider (2 calls) at 10:01, access key created (tried, refused), from Tor"
    )


def test_one_call_is_one_act() -> None:
    """A password for somebody is a credential and a grant, too; a title says which."""
    assert title(("iam", "CreateLoginProfile"), requestParameters={"userName": "ops"}).startswith(
        "Role payments-api: console password set for ops at 10:00, from "
    )


def test_what_is_odd_is_counted_among_all_calls_of_the_day() -> None:
    text = first_line("Role ci", [behaviour(2)], USUAL, SHIPPED, among=80)
    assert "made 2 unusual calls among 80 on 2024-10-04 at 12:00 UTC, all worked: s3:PutObject" in text
