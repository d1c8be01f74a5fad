"""`nhi.toml`: what is read of it, what comes before it, and what its errors name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core_samples import record
from nhi_watch import cli

DAYS = range(20_500, 20_503)


@pytest.fixture
def home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with logs, from which the program runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    for day in DAYS:
        (tmp_path / "logs" / f"{day}.json").write_text(json.dumps(record(day, "10:00:00")) + "\n")
    return tmp_path


def test_a_score_without_arguments_reads_what_the_file_names(home_folder: Path) -> None:
    (home_folder / "assets.csv").write_text(
        "identity,criticality,owner,environment,comment\npayments-api,high,team-pay,,\n"
    )
    (home_folder / "nhi.toml").write_text(
        'paths = ["logs/*.json"]\nout = "results"\nstate = "here/state.sqlite"\nassets = "assets.csv"\nbudget = 5\n'
    )
    (home_folder / "here").mkdir()
    assert cli.main(["score"]) == 0
    run = json.loads((home_folder / "results" / "run.json").read_text())
    assert (run["read"], run["budget"]) == (len(DAYS), 5.0)
    assert (home_folder / "here" / "state.sqlite").is_file()


def test_other_commands_find_the_same_results_and_the_same_tables(
    home_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home_folder / "assets.csv").write_text(
        "identity,criticality,owner,environment,comment\npayments-api,high,team-pay,,\n"
    )
    (home_folder / "nhi.toml").write_text('paths = "logs"\nout = "results"\nassets = "assets.csv"\n')
    assert cli.main(["score"]) == 0
    capsys.readouterr()
    assert cli.main(["show", "payments-api", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identity"]["owner"] == "team-pay"
    assert cli.main(["list"]) == cli.main(["controls"]) == cli.main(["feedback", "list"]) == 0


def test_what_is_typed_comes_before_the_file_and_paths_count_from_its_folder(home_folder: Path) -> None:
    (home_folder / "etc").mkdir()
    (home_folder / "etc" / "my.toml").write_text('paths = ["../logs"]\nout = "results"\nbudget = 5\n')
    assert cli.main(["--config", "etc/my.toml", "score", "--budget", "7"]) == 0
    run = json.loads((home_folder / "etc" / "results" / "run.json").read_text())
    assert (run["read"], run["budget"]) == (len(DAYS), 7.0)
    item = str(home_folder / "logs" / f"{DAYS[0]}.json")
    assert cli.main(["--config=etc/my.toml", "score", item, "--out", "other"]) == 0
    assert json.loads((home_folder / "other" / "run.json").read_text())["read"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bugdet = 5", "nhi.toml: Object contains unknown field `bugdet`"),
        ("budget = 'much'", "nhi.toml: budget: Expected `float | null`, got `str`"),
        ("budget = true", "nhi.toml: budget: Expected `float | null`, got `bool`"),
        ("paths = []", "nhi.toml: paths: Expected `array` of length >= 1"),
        ("paths = ['none/*.gz']", "nhi.toml: paths: nothing matches none/*.gz"),
        ("assets = 'gone.csv'", "nhi.toml: assets: there is no file gone.csv"),
        ("reputation = ['gone.json']", "nhi.toml: reputation: there is no file gone.json"),
        ("notify = 3", "nhi.toml: notify: Expected `object | null`, got `int`"),
        ("[notify]\ndetail = 'title'", "nhi.toml: notify: needs receivers: urls"),
        ("[notify]\nurls = ['json://x']\ndetail = 'all'", "nhi.toml: notify.detail: Invalid enum value 'all'"),
        ("[notify]\nurls = ['json://x']\nmin_severity = 'big'", "nhi.toml: notify.min_severity: Invalid enum value"),
        ("[notify]\nurls = ['json://x']\nafter_score = 1", "nhi.toml: notify.after_score: Expected `bool`"),
        ("[notify]\nurls_file = 'gone'", "nhi.toml: notify.urls_file: there is no file gone"),
        ("budget 5", "nhi.toml: the configuration is not valid TOML"),
    ],
)
def test_an_error_names_the_file_and_the_key(
    home_folder: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (home_folder / "nhi.toml").write_text(text)
    assert cli.main(["score"]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def test_a_file_that_is_named_must_be_there_and_without_paths_it_is_said_what_to_do(
    home_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--config", "gone.toml", "score"]) == 2
    assert "gone.toml: the configuration cannot be read" in capsys.readouterr().err
    assert cli.main(["score"]) == 2
    assert "write them as paths into nhi.toml" in capsys.readouterr().err


def test_the_example_is_read_as_it_stands(home_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of its lines, those in comments too, once what it names is there."""
    example = Path(__file__).parent.parent / "examples" / "nhi.toml"
    lines = [line[1:].lstrip() if line.startswith("#") else line for line in example.read_text().splitlines()[2:]]
    text = "\n".join(lines).replace("/var/log/cloudtrail", "logs")
    (home_folder / "nhi.toml").write_text(text.replace("after_score = true", "after_score = false"))
    header = "identity,criticality,owner,environment,comment\n"
    for name, text in (
        ("assets.csv", header),
        ("networks.csv", "cidr,owner,kind,comment\n"),
        ("bad_addresses.csv", "203.0.113.9\n"),
        ("notify.urls", "json://127.0.0.1:1/x\n"),
    ):
        (home_folder / name).write_text(text)
    assert cli.main(["score"]) == 0, capsys.readouterr().err
