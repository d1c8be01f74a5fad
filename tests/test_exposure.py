"""Exposed credentials: a notable before any misuse, raised and settled as telemetry comes in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from math import exp, isclose
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from core_samples import ACCOUNT, TODAY, events, record, run, seconds
from nhi_watch import cli
from nhi_watch.context.assets import NO_ASSETS, Asset
from nhi_watch.core.behaviour import IdentityDay
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import from_json, risk_of, to_json
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect import history
from nhi_watch.detect.exposure import case, fast
from nhi_watch.detect.exposure.case import PLACES, tried_by
from nhi_watch.detect.model import log_odds_of
from nhi_watch.intake.batch import IntakeBatch
from nhi_watch.intake.sources import exposure
from nhi_watch.report import terminal, words
from nhi_watch.report.words import likely
from nhi_watch.state import inventory
from nhi_watch.state.store import MemoryStore
from notable_samples import held
from test_pipeline import schema

KEY = "AKIARTXV5AHDQAAQEAYE"
LEAK = TODAY * DAY + seconds("10:00")
AFTER = TODAY * DAY + seconds("23:00")


def user(day: int, clock: str, **changes: Any) -> Any:
    """A call of the CI user with its key."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/ci"
    who = {
        "type": "IAMUser",
        "principalId": "AIDACI",
        "arn": arn,
        "accountId": ACCOUNT,
        "accessKeyId": KEY,
        "userName": "ci",
    }
    return record(day, clock, role="ci", userIdentity=who, **changes)


def admin(day: int, clock: str, name: str, **params: str) -> Any:
    return record(day, clock, role="admin", service="iam", name=name, requestParameters=params)


USUAL = [user(day, f"{hour}:10") for day in range(TODAY - 10, TODAY + 1) for hour in (11, 12)]
STRANGE = user(TODAY, "10:02", service="sts", name="GetCallerIdentity", address="185.220.101.4")
OFF = admin(TODAY, "15:00", "UpdateAccessKey", userName="ci", accessKeyId=KEY, status="Inactive")


def store_of(*parts: Iterable[Any]) -> MemoryStore:
    store = MemoryStore()
    run(store, [item for part in parts for item in part])
    return store


def assessed(store: MemoryStore, now: int = AFTER, known: Any = NO_ASSETS) -> list[Any]:
    result = fast.assess(store, history.read(store), known, now)
    for notable in result:
        schema().validate(notable)
        assert to_json(from_json(notable)) == notable
    return result


def told(*parts: Iterable[Any], now: int = AFTER, where: str = "public-repo") -> Any:
    store = store_of(*parts) if parts else MemoryStore()
    fast.tell(store, KEY, LEAK, where)
    (notable,) = assessed(store, now)
    return notable


def signal(notable: Any, name: str) -> Any:
    result: dict[str, Any] = next(signal for signal in notable["signals"] if signal["id"] == name)
    return result


def test_a_key_that_nobody_has_misused_is_a_notable_with_its_identity_reach_and_last_use() -> None:
    notable = told(USUAL, now=LEAK + 60)
    assert notable["kind"] == "exposure"
    assert notable["identity"]["name"] == f"arn:aws:iam::{ACCOUNT}:user/ci"
    assert "last used 2024-10-04T12:10:00Z" in notable["summary"].replace("Last", "last")
    assert notable["impact"]["reach"] == "1 service, 1 region, 1 target"
    assert [c["status"] for c in notable["controls"]] == ["open", "open"]
    assert "NHI2:2025" in notable["frameworks"]["owasp_nhi"]


def test_a_key_never_seen_is_a_notable_too() -> None:
    notable = told(now=LEAK + 300)
    assert notable["identity"]["id"].endswith(f":credential:{KEY}")
    assert notable["severity"] == "high"
    assert notable["likelihood"] == 60.0, "nobody has seen it work"
    assert signal(notable, "still_valid")["cannot_tell"]
    assert signal(notable, "used_since_exposure")["cannot_tell"]


def test_another_accounts_log_says_nothing_of_a_key_whose_account_is_not_known() -> None:
    store = store_of(USUAL)
    fast.tell(store, "AKIAIOSFODNN7EXAMPLE", LEAK, "public-repo")
    (notable,) = assessed(store)
    assert signal(notable, "used_since_exposure")["cannot_tell"]
    assert notable["likelihood"] == 60.0


def test_what_the_signals_add_makes_the_likelihood() -> None:
    for notable in (told(now=LEAK + 300), told(USUAL), told(USUAL, [STRANGE])):
        ordinary = notable["model"]["ordinary"] or 0.0
        odds = exp(ordinary + sum(signal["log_odds"] for signal in notable["signals"]))
        assert isclose(100 * odds / (1 + odds), notable["likelihood"], abs_tol=0.1)


def test_use_from_a_new_place_raises_it_and_names_the_records() -> None:
    quiet, raised = told(USUAL), told(USUAL, [STRANGE])
    assert quiet["likelihood"] <= 60 < 98 < raised["likelihood"]
    assert STRANGE["eventID"] in signal(raised, "used_since_exposure")["record_ids"]
    assert raised["title"].endswith(f"from Tor; {KEY} was exposed in a public repository")
    assert raised["severity"] == "critical"


def test_a_key_that_was_first_used_after_it_was_exposed_has_no_place_of_its_own() -> None:
    others = [record(day, "09:00", role="other") for day in range(TODAY - 10, TODAY + 1)]
    notable = told(others, [STRANGE], where="chat")
    assert "AKIARTXV5AHDQAAQEAYE was exposed in a private place" in notable["title"]
    assert notable["likelihood"] > 98
    assert "not its places" in signal(notable, "used_since_exposure")["evidence"]


def test_what_only_a_thief_called_is_denied_and_not_kept() -> None:
    more = user(TODAY, "10:03", service="iam", name="ListUsers", address="185.220.101.4")
    same = user(TODAY, "10:04", address="185.220.101.4")
    notable = told(USUAL, [STRANGE, more, same])
    kept, denied = notable["controls"][1]["reason"].split("; deny the rest. Deny ")
    assert kept == "Seen in 90 days: s3:GetObject"
    assert denied.startswith("iam:ListUsers") and "sts:GetCallerIdentity: only the intruder called it" in denied
    (fresh,) = [
        [o["value"] for o in d["observed"] if o["new"]] for d in notable["usual"]["dimensions"] if d["name"] == "action"
    ]
    assert fresh == ["iam:ListUsers", "sts:GetCallerIdentity"]


def test_what_was_odd_before_it_was_told_of_is_not_kept_either() -> None:
    raid = [
        user(TODAY, f"09:{n:02}", service=service, name=name, address="185.220.101.4", agent="aws-cli/2.1")
        for n, (service, name) in enumerate([("iam", "CreateUser"), ("cloudtrail", "StopLogging")])
    ]
    reduce = told(USUAL, raid)["controls"][1]["reason"]
    assert "CreateUser" not in reduce.partition("; deny the rest")[0]
    assert "Deny cloudtrail:StopLogging, iam:CreateUser: only" in reduce


def test_the_place_where_it_always_works_raises_nothing() -> None:
    assert signal(told(USUAL), "used_since_exposure")["value"] == 0.0


def test_while_it_works_in_a_public_place_it_stays_high_however_quiet_the_logs_are() -> None:
    assert told(USUAL)["severity"] == "high"
    assert told(USUAL[:-2], where="private-repo")["severity"] == "low"


@pytest.mark.parametrize("where", ["private-repo", "chat", "unknown", "public-repo"])
def test_a_live_key_that_was_used_after_it_was_exposed_is_high_wherever_it_lay(where: str) -> None:
    notable = told(USUAL, where=where)
    assert notable["likelihood"] >= 60
    assert "it worked at" in signal(notable, "still_valid")["evidence"]


def test_a_key_that_nobody_has_seen_work_is_not_critical() -> None:
    for minutes in (0, 1, 60, 10_000):
        assert told(now=LEAK + 60 * minutes)["likelihood"] <= 60


def test_it_worked_and_it_reached_nothing_do_not_stand_in_one_notable() -> None:
    fresh = told([user(TODAY, "10:30")])  # its first and only day: no profile knows it yet
    assert "it worked at" in signal(fresh, "still_valid")["evidence"]
    old = told(USUAL, now=AFTER + 400 * DAY)
    for notable in (fresh, old):
        texts = " ".join(
            [
                notable["summary"],
                *(c["reason"] for c in notable["controls"]),
                *(s["evidence"] for s in notable["signals"]),
            ]
        )
        assert "nothing seen" not in texts and "Nothing used it" not in texts
    assert "s3" in signal(fresh, "reached")["evidence"]


def test_switching_it_off_settles_it() -> None:
    notable = told(USUAL, [OFF])
    assert notable["severity"] == "low", "somebody may have tried it before"
    assert signal(notable, "still_valid")["value"] == 0.0
    assert notable["controls"][0]["status"] == "done"


def test_a_key_that_works_after_it_was_switched_off_is_not_dead() -> None:
    notable = told(USUAL, [OFF, user(TODAY, "16:00")])
    assert signal(notable, "still_valid")["value"] == 1.0


def test_a_key_that_was_dead_before_it_leaked_was_tried_by_nobody() -> None:
    early = admin(TODAY, "09:00", "DeleteAccessKey", userName="ci", accessKeyId=KEY)
    notable = told(USUAL[:-2], [early])
    assert (notable["likelihood"], notable["severity"]) == (0.0, "informational")


def test_the_exposure_may_be_older_than_the_log() -> None:
    store = store_of(USUAL)
    fast.tell(store, KEY, LEAK - 400 * DAY, "public-repo")
    (notable,) = assessed(store)
    assert signal(notable, "used_since_exposure")["cannot_tell"]
    assert "no log of its account covers" in signal(notable, "used_since_exposure")["evidence"]


def test_a_users_quarantine_by_aws_exposes_all_its_keys() -> None:
    policy = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
    store = store_of(USUAL, [admin(TODAY, "10:01", "AttachUserPolicy", userName="ci", policyArn=policy)])
    (notable,) = assessed(store)
    assert KEY in notable["title"]
    assert signal(notable, "still_valid")["evidence"].startswith("quarantined")


def test_a_quarantined_user_without_known_keys_is_a_notable() -> None:
    policy = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine"
    store = store_of([admin(TODAY, "10:01", "AttachUserPolicy", userName="nobody", policyArn=policy)])
    (notable,) = assessed(store)
    assert notable["identity"]["name"] == "nobody"


def test_only_news_makes_a_new_revision() -> None:
    store = store_of(USUAL)
    fast.tell(store, KEY, LEAK, "public-repo")
    changed = [[n for n in run(store, part).changed if n["kind"] == "exposure"] for part in ([], [], [OFF])]
    assert [[n["revision"] for n in part] for part in changed] == [[1], [], [2]]
    assert len({n["id"] for part in changed for n in part}) == 1
    (standing,) = fast.assess(store, history.read(store), NO_ASSETS, AFTER + 60)
    assert standing["revision"] == 2, "a command that looks between runs shows the revision that was published"


def test_the_cheap_way_of_an_ordinary_run_finds_the_same() -> None:
    store = store_of(USUAL, [STRANGE])
    fast.tell(store, KEY, LEAK, "public-repo")
    expected = fast.assess(store, history.read(store), NO_ASSETS, AFTER)
    cheap = fast.refresh(store, history.read_some(store, ()), NO_ASSETS, AFTER)
    assert cheap == expected != []
    quiet = store_of(USUAL)
    assert fast.refresh(quiet, history.read_some(quiet, ()), NO_ASSETS) == []


def test_the_owner_and_the_blast_radius_rank_it() -> None:
    store = store_of(USUAL)
    fast.tell(store, KEY, LEAK, "public-repo")
    (plain,) = assessed(store)
    (owned,) = assessed(store, known={"ci": Asset("critical", "team-ci", "production")})
    assert owned["identity"]["owner"] == "team-ci"
    assert risk_of(owned) > risk_of(plain)


def test_a_feed_s_record_is_enough() -> None:
    leak = {"RuleID": "aws", "Secret": KEY, "Match": KEY, "Date": render(LEAK), "File": "a/.env"}
    store = store_of(USUAL)
    day = IdentityDay(TODAY)
    day.add(exposure.read(leak))
    inventory.note(store, [day])
    (notable,) = assessed(store)
    assert notable["identity"]["name"].endswith("user/ci")
    assert "a/.env" in notable["summary"]


def fed(*findings: Any, used: Iterable[Any] = USUAL) -> MemoryStore:
    store, batch = store_of(used), IntakeBatch()
    for finding in findings:
        batch.add(exposure.read(finding))
    inventory.note(store, [identity_day for day in batch.values() for identity_day in day.values()])
    return store


def test_planted_findings_bury_no_key_that_is_in_use_and_take_few_places() -> None:
    leak = {"RuleID": "aws", "Secret": KEY, "Date": render(LEAK), "File": "a/.env"}
    planted = [
        {**leak, "Secret": f"hunter{n:04}hunter", "RuleID": "generic", "Date": render(LEAK - n)} for n in range(300)
    ]
    store = fed(leak, *planted)
    documents = assessed(store)
    assert len(documents) == fast.OWN + 1 and KEY in documents[0]["title"]
    lead = next(n for n in documents if n["folded"])
    assert (lead["folded"]["origin"], lead["folded"]["count"]) == ("findings of gitleaks", 300 - fast.OWN + 1)
    assert "280 more credentials reported by gitleaks" in lead["summary"]
    assert assessed(store) == documents
    assert len(assessed(fed(leak, *planted[: fast.OWN]))) == fast.OWN + 1


RESOLVED = {
    "gitguardian_url": "https://x",
    "id": 7,
    "status": "RESOLVED",
    "date": render(LEAK + 3600),
    "occurrences": [{"matches": [{"value": KEY}]}],
    "detector": {"name": "aws"},
}


def test_nobody_s_word_ends_a_key_of_which_the_log_shows_that_it_was_not_switched_off() -> None:
    leak = {"RuleID": "aws", "Secret": KEY, "Date": render(LEAK), "File": "a/.env"}
    used = [*USUAL, record(TODAY, "20:00", role="other")]
    (open_,) = assessed(
        fed(leak, RESOLVED, used=[item for item in used if item["eventTime"] < render(LEAK)] + used[-1:])
    )
    assert signal(open_, "still_valid")["value"] == 1.0 and open_["severity"] != "informational"
    (off,) = assessed(fed(leak, RESOLVED, used=[*used, OFF]))
    assert signal(off, "still_valid")["value"] == 0.0
    (unseen,) = assessed(fed({**leak}, RESOLVED, used=used[-1:]))
    assert signal(unseen, "still_valid")["value"] == 0.0, "no log would show it: nobody has seen that key"


def test_an_alert_of_leaked_credentials_exposes_all_that_an_identity_has() -> None:
    who = {"id": f"aws:{ACCOUNT}:user:AIDACI", "name": f"arn:aws:iam::{ACCOUNT}:user/ci", "kind": "user"}
    fields = {"action": "alert:EntraRisk/leakedCredentials", "service": "alert", "traits": ["alert"], "who": who}
    store = store_of(USUAL, [STRANGE])
    day = IdentityDay(TODAY)
    for event in events([{**fields, "time": "10:00"}], TODAY):
        day.add(event)
    inventory.note(store, [day])
    (notable,) = assessed(store)
    assert "the keys of ci" in notable["title"]
    assert notable["likelihood"] == 99.0
    assert signal(notable, "used_since_exposure")["value"] == 1.0


@pytest.mark.parametrize("key", ["", "no", "with space", "a\nb", "x" * 300, "ghp_" + "a" * 30, "A/b+" * 10])
def test_what_is_no_id_is_refused_in_one_line_and_not_repeated(key: str) -> None:
    with pytest.raises(InputError) as error:
        fast.tell(MemoryStore(), key, LEAK, "paste")
    assert "\n" not in str(error.value)
    assert len(key) < 5 or key not in str(error.value)


@pytest.mark.parametrize("secret", ["A/b+" * 10, "ghp_" + "a" * 36, "sk-ant-" + "a" * 40])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_secret_is_never_printed(
    secret: str, form: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["exposed", secret, "--where", "chat", "--out", str(tmp_path), *form]) == 2
    printed = capsys.readouterr()
    assert "looks like the secret itself" in " ".join(printed.err.split())
    assert secret[:12] not in printed.out + printed.err


TIMES = st.floats(0.01, 1e6)


@given(st.sampled_from(sorted(PLACES)), TIMES, TIMES, TIMES, st.floats(0, 1))
def test_time_makes_it_likelier_and_quiet_logs_less_likely(
    name: str, item: float, other: float, seen: float, coverage: float
) -> None:
    place, (soon, late) = PLACES[name], sorted([item, other])
    seen = min(seen, soon)
    before, after = (tried_by(place, minutes, seen, coverage) for minutes in (soon, late))
    assert 0 <= before <= after <= place.tried
    assert before <= place.by(soon) + 1e-12
    assert isclose(tried_by(place, late), place.by(late))


def test_the_fit_is_the_mean_and_deviation_of_the_logarithms() -> None:
    mu, sigma = case.fit([1.0, 10.0, 100.0])
    assert isclose(exp(mu), 10.0)
    assert isclose(exp(sigma), 10 ** (2 / 3) ** 0.5)


def cli_run(*args: object) -> int:
    return cli.main([str(arg) for arg in args])


def test_the_command_writes_the_list_and_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ("exposed", KEY, "--where", "https://pastebin.com/a", "--since", render(LEAK), "--out", tmp_path)
    assert cli_run(*base, "--now", render(LEAK + 600)) == 0
    assert KEY in capsys.readouterr().out
    assert cli_run("explain", "1", "--out", tmp_path) == 0
    assert "paste site" in held((tmp_path / "report.html").read_text("utf-8"))
    assert "--state" not in held((tmp_path / "report.html").read_text("utf-8"))


def test_the_report_s_commands_name_a_state_that_lies_elsewhere(tmp_path: Path) -> None:
    state = tmp_path / "elsewhere.sqlite"
    assert (
        cli_run(
            "exposed",
            KEY,
            "--where",
            "chat",
            "--since",
            render(LEAK),
            "--now",
            render(LEAK + 600),
            "--out",
            tmp_path / "out",
            "--state",
            state,
        )
        == 0
    )
    assert f"--state {state}" in held((tmp_path / "out" / "report.html").read_text("utf-8"))


@pytest.mark.parametrize(
    "args, says",
    [
        (("exposed", "ghp_" + "a" * 30), "looks like the secret"),
        (("exposed", KEY, "--since", "yesterday"), "--since"),
        (("exposed", KEY, "--since", "2999-01-01"), "future"),
        (("exposed", KEY, "--where", " "), "--where"),
        (("exposed",), "no such state"),
    ],
)
def test_wrong_input_is_one_clear_line(
    args: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli_run(*args, "--out", tmp_path / "new") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_help_lists_the_words_for_places_and_each_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["exposed", "--help"])
    shown = "".join(capsys.readouterr().out.split())  # a word may be broken over lines
    for word in case.WORDS:
        assert word in shown and case.demand_place(word) == word
    with pytest.raises(InputError, match="public-repo"):
        case.demand_place("somewhere")


@pytest.mark.parametrize("minutes", [1, 60, 3 * 24 * 60])
def test_an_exposure_has_one_likelihood_on_its_page(minutes: int) -> None:
    """What the title line, the summary and the bars say is the same number."""
    notable = told(USUAL, now=LEAK + 60 * minutes)
    shown = io.StringIO()
    terminal.show_explanation(notable, Console(file=shown, width=400))
    percents = set(re.findall(r"(\d+(?:\.\d+)?)%", shown.getvalue()))
    assert percents <= {f"{notable['likelihood']:g}", likely(notable["likelihood"]).rstrip("%")}, shown.getvalue()
    added = sum(signal["log_odds"] for signal in words.signal_bars(notable)[0])
    assert isclose(added, log_odds_of(notable["likelihood"]), abs_tol=0.15), "the bars that are shown add up to it"
