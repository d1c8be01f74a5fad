"""`nhi notify`: each receiver is told once of what is new or graver, and no failure stops a run."""

from __future__ import annotations

import email
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from desk_samples import ROLE, USER, notable, state
from nhi_watch import cli
from nhi_watch.report import jsonlines
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import pack, unpack
from notify_servers import Web, hosted, mail, web


@pytest.fixture
def server() -> Iterator[Web]:
    with web() as double:
        yield double


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits a second between two messages to the same receiver."""
    from apprise import URLBase

    monkeypatch.setattr(URLBase, "request_rate_per_sec", 0)


def desk(folder: Path, *notables: dict[str, Any]) -> Path:
    """A folder of results with these notables, ranked."""
    out = folder / "out"
    if not (out / "state.sqlite").exists():
        state(out, notables)
    jsonlines.write(out / "notables.jsonl", [{**item, "rank": n} for n, item in enumerate(notables, 1)])
    return out


def configured(folder: Path, *urls: str, more: str = "") -> str:
    path = folder / "nhi.toml"
    path.write_text(f'paths = ["log.json"]\nout = "out"\n[notify]\nurls = {json.dumps(urls)}\n{more}\n')
    return str(path)


def notify(config: str, *words: str) -> int:
    return cli.main(["--config", config, "notify", *words])


CRITICAL, LOW = notable(title="ci: a key made"), notable(identity=ROLE, severity="low", likelihood=20.0)


def test_each_notable_is_sent_once_and_once_more_when_it_is_graver(tmp_path: Path, server: Web) -> None:
    medium = notable(severity="medium", likelihood=50.0)
    desk(tmp_path, medium, LOW)
    config = configured(tmp_path, server.url())
    assert [notify(config), notify(config)] == [0, 0]
    assert [took["title"] for _, took in server.took] == [f"[MEDIUM 50%] {medium['title']}"]
    desk(tmp_path, CRITICAL, LOW)
    assert [notify(config), notify(config)] == [0, 0]
    assert [took["title"] for _, took in server.took][1:] == ["[CRITICAL 91%] ci: a key made"]
    assert "more severe than when it was sent (medium)" in server.took[1][1]["message"]


def test_what_an_earlier_version_sent_is_not_sent_again(tmp_path: Path, server: Web) -> None:
    desk(tmp_path, CRITICAL)
    config = configured(tmp_path, server.url())
    assert notify(config) == 0
    store = SqliteStore(tmp_path / "out" / "state.sqlite")
    rows = dict(store.scan("ledger", "sent/", "sent0"))
    ((name, receiver),) = (key.removeprefix("sent/").split("/") for key in rows)
    sent = {receiver: unpack(*rows.values())}
    store.put("ledger", [*((key, None) for key in rows), (f"sent/{name}", pack(sent)), ("sent/gone", pack(sent))])
    store.commit()
    store.close()
    assert notify(config) == 0
    assert len(server.took) == 1


def test_what_a_receiver_refused_is_sent_by_the_next_run_and_to_no_other_again(
    tmp_path: Path, server: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    desk(tmp_path, CRITICAL)
    with web() as other:
        config = configured(tmp_path, server.url(), other.url())
        server.status = 500
        assert notify(config) == 2
        assert "1 of 2 receivers could not be reached; the next run tries again" in capsys.readouterr().err
        server.status = 200
        assert [notify(config), notify(config)] == [0, 0]
        assert (len(server.took), len(other.took)) == (2, 1)  # refused, taken; taken


def test_a_message_without_an_answer_is_not_sent_again(
    tmp_path: Path, server: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    desk(tmp_path, CRITICAL)
    config = configured(tmp_path, server.url())
    server.delay = 2.0
    assert notify(config) == 0
    assert "1 sent without an answer, not sent again" in capsys.readouterr().out
    server.delay = 0.0
    assert (notify(config), len(server.took)) == (0, 1)


def test_a_run_that_was_killed_while_it_sent_sends_nothing_twice(
    tmp_path: Path, server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    desk(tmp_path, CRITICAL, notable(identity=ROLE))
    config = configured(tmp_path, server.url())
    sent: Any = NotifyJSON.send

    def killed(self: Any, *args: Any, **more: Any) -> bool:
        sent(self, *args, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(NotifyJSON, "send", killed)
    assert notify(config) == 130
    monkeypatch.undo()
    assert (notify(config), len(server.took)) == (0, 1)


@pytest.mark.parametrize("status", ["quiet", "closed"])
def test_what_is_over_dealt_with_or_below_the_line_is_told_nobody(tmp_path: Path, server: Web, status: str) -> None:
    out = desk(
        tmp_path,
        CRITICAL,
        notable(identity=ROLE, life=status),
        notable(identity=ROLE, day=20_501, listed=False),
    )
    config = configured(tmp_path, server.url())
    words = ["feedback", CRITICAL["id"], "benign", "--by", "me", "--why", "mine", "--out", str(out)]
    assert (cli.main(words), notify(config), server.took) == (0, 0, [])


def test_a_title_leaves_the_house_and_a_summary_only_where_it_is_asked_for(tmp_path: Path, server: Web) -> None:
    desk(tmp_path, notable(title="ci: a key made", summary="It made a key."))
    notify(configured(tmp_path, server.url("a")))
    notify(configured(tmp_path, server.url("b"), more='detail = "summary"'))
    title, summary = (took["message"] for _, took in server.took)
    assert "It made a key." in summary and USER.id in summary and "owner team-build" in summary
    assert "It made a key." not in title and USER.id not in title and "111122223333" not in title
    assert all(record_id not in json.dumps(server.took) for record_id in CRITICAL["record_ids"])


def test_names_out_of_a_log_mention_nobody_and_link_nowhere(tmp_path: Path, server: Web) -> None:
    desk(tmp_path, notable(title="<!channel> @everyone http://x.example\nSubject: y"))
    notify(configured(tmp_path, server.url()))
    assert server.took[0][1]["title"] == "[CRITICAL 91%] ‹!channel› (at)everyone http[:]//x.example Subject: y"


def test_a_digest_is_one_message_with_titles_alone_and_counts_what_is_less_severe(
    tmp_path: Path, server: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    desk(tmp_path, notable(title="ci: @everyone made a key", summary="It made a key."), LOW)
    config = configured(tmp_path, server.url())
    assert notify(config, "--digest", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert server.took == [], "nothing leaves with --dry-run"
    assert notify(config, "--digest") == 0
    ((_, took),) = server.took
    assert took["title"].startswith("nhi_watch: 2 new, 0 changed, 0 back, 0 resolved since ")
    first, rest = took["message"].split("\n")
    assert first.startswith("new: [CRITICAL 91%] ci: (at)everyone made a key; nhi explain ")
    assert rest == "and 1 more: nhi list --digest" and took["title"] in shown
    assert "It made a key." not in took["message"] and USER.id not in took["message"]
    assert notify(config) == 0 and len(server.took) == 2, "what is to be sent once is still sent"


def test_of_very_many_most_are_counted(tmp_path: Path, server: Web) -> None:
    desk(tmp_path, *(notable(day=day) for day in range(20_500, 20_525)))
    config = configured(tmp_path, server.url())
    assert [notify(config), notify(config)] == [0, 0]
    titles = [took["title"] for _, took in server.took]
    assert (len(titles), titles[-1]) == (21, "nhi_watch: 5 more notables of severity medium and above")


def test_mail_is_sent_by_smtp(tmp_path: Path) -> None:
    desk(tmp_path, CRITICAL)
    with mail() as (port, took):
        config = configured(tmp_path, f"mailto://127.0.0.1:{port}?from=nhi@example.org&to=soc@example.org")
        assert [notify(config), notify(config)] == [0, 0]
    assert len(took) == 1
    message = email.message_from_string(took[0])
    assert (message["Subject"], message["To"]) == ("[CRITICAL 91%] ci: a key made", "soc@example.org")


def test_slack_teams_and_pagerduty_are_sent_what_they_understand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(tmp_path, CRITICAL)
    urls = (
        "slack://TAAAAAAAA/BAAAAAAAA/abcdefghijklmnopqrstuvwx",
        "workflows://prod-1.westeurope.logic.azure.com/abcdef0123456789/secretsignature",
        "pagerduty://integrationkey@apikey",
    )
    with hosted(tmp_path) as there:
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        config = configured(tmp_path, *urls)
        assert [notify(config), notify(config)] == [0, 0]
        took = {host.split("/")[0].split(":")[0]: body for host, body in there.web.took}
    assert len(there.web.took) == 3
    assert all("ci: a key made" in json.dumps(body) for body in took.values())
    assert took["events.pagerduty.com"]["payload"]["severity"] in ("critical", "error")
    assert took["hooks.slack.com"]["attachments"]
    assert took["prod-1.westeurope.logic.azure.com"]["attachments"]


def test_an_address_that_is_none_is_named_without_its_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk(tmp_path, CRITICAL)
    assert notify(configured(tmp_path, "slak://TOPSECRET")) == 2
    printed = capsys.readouterr()
    assert (
        "receiver 1 (slak:…) is not an address that apprise supports" in printed.err and "TOPSECRET" not in printed.err
    )


def theft(path: Path) -> None:
    """Two quiet weeks, and then a role's session is used from elsewhere, by another program, for what it never did."""
    days = [record(day, f"10:0{n}:00") for day in range(20_500, 20_514) for n in range(3)]
    calls = [
        ("sts", "GetCallerIdentity"),
        ("iam", "CreateAccessKey"),
        ("secretsmanager", "GetSecretValue"),
        ("iam", "AttachUserPolicy"),
        ("ec2", "DescribeSnapshots"),
        ("cloudtrail", "StopLogging"),
    ]
    unusual = [
        record(20_514, f"12:{n:02}:00", service=s, name=name, address="185.156.46.132", agent="aws-cli/2.15")
        for n, (s, name) in enumerate(calls)
    ]
    path.write_text("".join(json.dumps(day) + "\n" for day in [*days, *unusual]))


def test_a_score_tells_by_itself_and_goes_on_where_nobody_answers(
    tmp_path: Path, server: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    theft(tmp_path / "log.json")
    config = configured(tmp_path, server.url(), "json://127.0.0.1:1/x")
    assert cli.main(["--config", config, "score"]) == 0
    printed = capsys.readouterr()
    assert "json://127.0.0.1:1/x: 1 not sent, the next run tries again" in printed.err and "Report:" in printed.out
    assert cli.main(["--config", config, "score"]) == 0
    assert len(server.took) == 1
    quiet = configured(tmp_path, server.url("other"), more="after_score = false")
    assert (cli.main(["--config", quiet, "score"]), len(server.took)) == (0, 1)
