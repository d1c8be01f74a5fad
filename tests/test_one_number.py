"""A notable has one number, its likelihood: no shipped file speaks of the four that it once had."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nhi_watch.core.notable import to_json
from notable_samples import samples

ROOT = Path(__file__).parents[1]
SHIPPED = ("nhi_watch", "default", "docs", "README.md", "SECURITY.md")
ENDINGS = {".py", ".js", ".j2", ".css", ".json", ".ndjson", ".md", ".csv", ".toml", ".conf", ".xml", ".html"}
ELSEWHERE = ("docs/decisions/", "docs/method/")
"""Decisions and measurements tell of what was."""
GONE = re.compile(
    r"\bp[-_ ]value|both cards|second card|scorecard|score_range|nhi_score\b|nhi_priority|nhi_probability"
    r"|notables?(?:'s)? (?:score|probability|priority)|(?:score|probability|priority) of (?:a|the|its) notable"
    r"|(?<![\"'])[\"'](?:priority|probability|score)[\"']|\.(?:priority|probability|score)\b(?!\()"
    r"|\b(?:the|a|its|their|of|by|highest|same|with|another) scores?\b"
    r"|\bscores? (?:of|is|was|from|would|could|stays)\b",
    re.IGNORECASE,
)
ALLOWED = (
    r"nhi_watch\.score",
    r"`Day\.score`",
    r"\{FILES\}\.score",
    r"\"score\": \"hosts\.files\.library\"",
    r"\(\"score\", \"(?:score logs|list\")",
    r"\"score\": \"nhi score logs",
    r"\"a.toml\", \"score\"",
    r"\('score', Posix",
    r"(?:spent|progress|on_stage)\(\"score\"",
    r"case\.probability",
    r"\"priority\": 250",
    r"Scorecard",
    r"the risk score is its likelihood",
    r"of a label, else of a score from 0 to 100",
)
"""The command, the library's function and the stage of a run; how likely a key was tried; the order of templates in
Elasticsearch; the type of the model; what Kibana calls it; another product's."""


def told() -> list[tuple[Path, int, str]]:
    result = []
    for name in SHIPPED:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.suffix in ENDINGS and not str(file.relative_to(ROOT)).startswith(ELSEWHERE):
                lines = file.read_text("utf-8").splitlines()
                result += [(file.relative_to(ROOT), at, line) for at, line in enumerate(lines, 1)]
    return result


@pytest.mark.slow
def test_no_shipped_file_tells_another_number_of_a_notable() -> None:
    left = [
        f"{file}:{at}: {match[0]}"
        for file, at, line in told()
        if len(line) < 20_000 or file.suffix == ".ndjson"
        for match in GONE.finditer(re.sub("|".join(ALLOWED), "", line))
    ]
    assert left == []


def test_a_notable_holds_no_other_number() -> None:
    gone = {"score", "probability", "p_value", "priority", "score_range"}

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    for sample in samples():
        assert not names(to_json(sample)) & gone and "likelihood" in names(to_json(sample))
