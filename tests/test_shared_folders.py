"""Those who share a folder choose no settings and hide no notable: what others may write is refused, or reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from desk_samples import DAY_ONE, NOW, USER, asked, desk, notable, state
from flood_samples import tenant, theft
from nhi_watch import cli
from nhi_watch.act import audit as act_audit
from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect import feedback as verdicts
from nhi_watch.detect.expected import Pattern
from nhi_watch.detect.feedback import Allowed, Verdict
from nhi_watch.hosts.files import audit, expect, feedback
from nhi_watch.state.sqlite import SqliteStore
from nhi_watch.state.store import pack, unpack

SAID = ("--by", "alice", "--why", "a test of ours", "--now", NOW)
Shown = pytest.CaptureFixture[str]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of logs below the one in which the program runs."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(record(20_500, "10:00:00")) + "\n")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("given", [["."], ["a.json"], [".."], []])
def test_settings_among_the_logs_are_refused_and_those_in_use_are_named(
    logs: Path, given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    out = ["--out", str(logs.parent / "results")]
    (logs / "nhi.toml").write_text("budget = 5\n" + ("" if given else "paths = 'a.json'\n"))
    monkeypatch.chdir(logs)
    assert cli.main(["score", *given, *out]) == 2
    error = capsys.readouterr().err
    assert "nhi.toml lies among the logs" in error and "--config" in error and not (logs.parent / "results").exists()
    assert cli.main(["--config", "nhi.toml", "score", *given, *out]) == 0
    assert f"using the settings in {logs / 'nhi.toml'}" in capsys.readouterr().err
    monkeypatch.chdir(logs.parent)
    assert cli.main(["score", "logs", *out]) == 0
    assert "using the settings" not in capsys.readouterr().err


def test_receivers_among_the_logs_of_earlier_runs_are_told_nothing(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    out = ["--out", str(logs.parent / "results")]
    assert cli.main(["score", "logs", *out]) == 0
    (logs / "nhi.toml").write_text("[notify]\nurls = 'json://attacker.example'\n")
    monkeypatch.chdir(logs)
    for more in ([], ["--dry-run"], ["--test"], ["--digest"], ["--state", str(logs / "planted.sqlite")]):
        assert cli.main(["notify", *out, *more]) == 2
        assert "nhi.toml lies among the logs" in capsys.readouterr().err
    assert cli.main(["--config", "nhi.toml", "notify", *out, "--dry-run"]) == 0


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_settings_that_others_may_write_are_refused(logs: Path, mode: int, capsys: Shown) -> None:
    settings = logs.parent / "nhi.toml"
    settings.write_text("paths = 'logs'\n")
    settings.chmod(mode)
    for command in (["score"], ["list"]):
        assert cli.main(command) == 2
        error = capsys.readouterr().err
        assert f"other accounts may write it (mode {mode:04o})" in error and "chmod go-w" in error
    settings.chmod(0o644)
    assert cli.main(["score"]) == 0
    assert f"using the settings in {settings}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("part", "mode"),
    [
        ("", 0o777),
        ("state.sqlite", 0o666),
        ("state.sqlite-journal", 0o660),
        ("state.sqlite", 0o660),
    ],
)
def test_a_planted_state_is_refused_and_named(logs: Path, part: str, mode: int, capsys: Shown) -> None:
    """Another account's is, too; that needs two accounts."""
    assert cli.main(["score", "logs"]) == 0
    planted = Path("nhi-out") / part
    if not planted.exists():
        planted.touch()
    planted.chmod(mode)
    for command in (["score", "logs"], ["baseline", "logs"], ["feedback", "list"]):
        assert cli.main(command) == 2
        assert f"{planted}: other accounts may write it (mode {mode:04o})" in capsys.readouterr().err
    assert cli.main(["show", "payments-api"]) == 0, "who may only read is warned"
    assert "another account may have written" in capsys.readouterr().err


def test_results_of_another_account_are_refused(logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    assert cli.main(["score", "logs"]) == 0
    status = Path("nhi-out").stat()
    fields = [*status[:4], 4711, *status[5:]]
    monkeypatch.setattr(Path, "lstat", lambda path: type(status)(fields))
    assert cli.main(["score", "logs"]) == 2
    assert "it belongs to another account (uid 4711)" in capsys.readouterr().err


def put(folder: Path, verdict: Verdict, exception: bool) -> None:
    """Write into the state beside the trail."""
    store = SqliteStore(folder / "state.sqlite")
    verdicts.put(store, [verdict])
    if exception:
        until = DAY_ONE * DAY + 90 * DAY
        built = Allowed("0" * 12, USER.id, "new_network", "198.51.100.0/24", until, "eve", "x", 1, verdict.notable_id)
        verdicts.put_allowed(store, built)
    store.commit()
    store.close()


def test_a_verdict_or_an_exception_beside_the_trail_is_found(tmp_path: Path) -> None:
    first, second = notable(), notable(DAY_ONE + 1)
    folder = state(tmp_path / "out", [first, second])
    desk(feedback, first["id"], "benign", *SAID, out=folder)
    except_it = ("--until", "2026-06-01", "--signal", "new_network", "--value", "198.51.100.0/24", "--save")
    desk(feedback, second["id"], "expected", *SAID, *except_it, out=folder)
    desk(feedback, "export", tmp_path / "given.jsonl", out=folder)
    desk(feedback, "import", tmp_path / "given.jsonl", "--now", NOW, out=folder)
    assert asked(audit, "verify", out=folder)["verified"] is True
    planted = verdicts.make_verdict(second, "benign", "eve", "nothing", DAY_ONE * DAY + 20 * DAY, {})
    put(folder, planted, exception=False)
    with pytest.raises(InputError, match=f"verdict benign on {second['id']}, by eve, is not in the trail"):
        desk(audit, "verify", out=folder)
    put(folder, planted, exception=True)
    with pytest.raises(InputError, match="by eve, and 1 more are not in the trail"):
        desk(audit, "verify", out=folder)


def test_verdicts_of_kibana_whose_times_an_earlier_version_wrote_as_seconds_are_in_the_trail(tmp_path: Path) -> None:
    first = notable()
    folder = state(tmp_path / "out", [first])
    given = verdicts.make_verdict(first, "benign", "u_analyst", "Kibana: closed", DAY_ONE * DAY + 20 * DAY, {})
    put(folder, given, exception=False)
    trail = folder / "audit.jsonl"
    act_audit.append(trail, "verdict", given.by, {**given._asdict(), "from": "kibana", "state": "nhi-state-default"})
    assert asked(audit, "verify", out=folder)["verified"] is True
    put(folder, given._replace(time=given.time + 1), exception=False)
    with pytest.raises(InputError, match="by u_analyst, is not in the trail"):
        desk(audit, "verify", out=folder)


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("verdict/", {"until": DAY_ONE * DAY + 900 * DAY}),
        ("verdict/", {"seen": [(DAY_ONE + 30, [USER.id], DAY_ONE * DAY + 31 * DAY, 4)]}),
        ("allow/", {"value": "0.0.0.0/0"}),
        ("allow/", {"identity_id": "aws:1:role:OTHER"}),
        ("pattern/", {"calls": ["s3:*"], "severity": "critical"}),
        ("pattern/", {"ended": 0}),
    ],
)
def test_a_verdict_an_exception_or_a_pattern_that_was_widened_beside_the_trail_is_found(
    tmp_path: Path, what: str, changes: dict[str, Any]
) -> None:
    first, second = notable(), notable(DAY_ONE + 1)
    folder = state(tmp_path / "out", [first, second])
    desk(feedback, first["id"], "benign", *SAID, out=folder)
    until = ("--until", "2026-04-01", "--save")
    desk(feedback, second["id"], "expected", *SAID, *until, "--signal", "new_network", "--value", "198.51.100.0/24",
         out=folder)  # fmt: skip
    desk(expect, first["id"], *SAID, *until, out=folder)
    with closing(SqliteStore(folder / "state.sqlite")) as store:
        ((_, raw),) = store.scan("ledger", "pattern/", "pattern0")
    desk(expect, "end", Pattern(*unpack(raw)).id, *SAID, out=folder)
    assert asked(audit, "verify", out=folder)["verified"] is True
    kind = {"verdict/": Verdict, "allow/": Allowed, "pattern/": Pattern}[what]
    with closing(SqliteStore(folder / "state.sqlite")) as store:
        key, raw = next(iter(store.scan("ledger", what, f"{what[:-1]}0")))
        store.put("ledger", [(key, pack(list(kind(*unpack(raw))._replace(**changes))))])
        store.commit()
    with pytest.raises(InputError, match="not in the trail"):
        desk(audit, "verify", out=folder)


def test_a_trail_that_others_may_write_is_told(tmp_path: Path, capsys: Shown) -> None:
    first = notable()
    folder = state(tmp_path / "out", [first])
    desk(feedback, first["id"], "benign", *SAID, out=folder)
    capsys.readouterr()
    for name, mode, told in (
        ("audit.jsonl", 0o600, False),
        ("audit.jsonl", 0o666, True),
        ("audit.jsonl", 0o600, False),
        ("state.sqlite", 0o666, True),
        ("state.sqlite", 0o600, False),
        ("", 0o777, True),
    ):
        (folder / name).chmod(mode)
        assert cli.main(["audit", "verify", "--out", str(folder)]) == 0
        assert ("other accounts may write it" in capsys.readouterr().err) is told


def lines(records: list[Any]) -> Iterator[str]:
    return (json.dumps(record) + "\n" for record in records)


def test_a_score_tells_how_many_notables_verdicts_hide(logs: Path, capsys: Shown) -> None:
    (logs / "a.json").write_text("".join(lines([*tenant(), *theft()])))
    assert cli.main(["score", "logs"]) == 0
    assert cli.main(["feedback", "1", "benign", "--by", "alice", "--why", "a test of ours"]) == 0
    capsys.readouterr()
    assert cli.main(["score", "logs"]) == 0
    assert "keep 1 notable off the list; `nhi audit verify`" in capsys.readouterr().err
