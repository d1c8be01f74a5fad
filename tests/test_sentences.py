"""What the product says to people: each sentence stands in a table beside the one that it replaced, in words of the
field.

`data/sentences.csv` holds, for each signal, its title, what a notable's title says of it, and the evidence of each of
its samples that fires, and what the controls and the plan ask for: `said` is compared with what the product says now,
`before` is what it said earlier.
A new sentence is added there by hand, so that somebody has read it once.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nhi_watch.detect.signals import SIGNALS
from test_controls import reasons
from test_signals import BY_NAME, sampled, samples, value_of

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).parent / "data" / "sentences.csv"
OURS = (
    r"on the eve", r"whole(?! number)", r"told", r"tells? of", r"in mass", r"leans?", r"lives", r"shapes?",
    r"hardly known", r"lets in", r"way into", r"made news", r"makes news", r"come to stay", r"nobody takes back",
    r"never touched", r"daily bread", r"lies in the open", r"what .{1,30} is worth", r"by hands that",
    r"worth your time", r"nowhere known", r"spell(?:s|ed) out", r"1 active days", r"somebody hardly",
)  # fmt: skip
"""Words that only this project understands, or that have to be read twice."""
BANNED = re.compile(rf"\b(?:{'|'.join(OURS)})\b", re.IGNORECASE)
SAY = ("detect/signals", "detect/explain", "detect/exposure", "report", "hosts/files", "act", "context/tables")
"""Folders of the package whose sentences people read."""


def table() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def produced() -> Iterator[tuple[str, str, str]]:
    """Signal, what it is, sentence."""
    for signal in SIGNALS:
        yield signal.name, "title", signal.title
    for each in samples():
        name, sample = each.values
        if sample["fires"] is not True:
            continue
        _, seen = value_of(BY_NAME[name], sampled(sample))
        yield name, sample["sample"], BY_NAME[name].evidence(seen)
        phrase = BY_NAME[name].phrase
        if phrase is not None:
            yield name, f"in a title: {sample['sample']}", phrase(seen)


def asked() -> Iterator[tuple[str, str, str]]:
    """The same of the controls, the ledger's tasks and the plan."""
    from nhi_watch.act.response import actions, plan

    unusual = [
        {"action": "iam:CreateUser"},
        {"action": "sts:GetCallerIdentity"},
        {"action": "ec2:RunInstances", "outcome": "denied"},
    ]
    rotate, reduce = reasons(unusual, [{"ago": [20, 1], "events": [{}]}])
    yield "rotate_secret", "control of a role", rotate
    yield "reduce_privilege", "control: a call that worked, one that no policy stops, and a refused one", reduce
    impacts = (("low", "because all of it was refused"), ("low", "because refused calls count half"), ("medium", ""))
    for own, why in impacts:
        text = plan._impact_line({"own_impact": {"level": own, "why": why}, "impact": "medium"})
        yield "plan", f"impact: {why or 'as on the page'}", text
    use = {
        "identity": "`app`",
        "credential": "``",
        "network": "`192.0.2.0/24`",
        "agent": "`boto3`",
        "events": 7,
        "last_use": "2026-03-01T10:00:00Z",
    }
    uses = [{**use, "refused": n, "suspicious": new} for n, new in ((7, True), (1, True), (0, False))]
    callers = [f"`aws:1:{kind}`" for kind in ("service:ec2", "web_identity:idp:repo", "user:AIDA", "role:AROA")]
    for line in plan._breaks_lines({"consumers": uses, "callers": callers}):
        yield "plan", "consumers", line
    result = [
        {"call": "cloudtrail:StopLogging", "count": 1, "targets": ["`trail`"]},
        {"call": "ec2:RunInstances", "count": 3, "targets": []},
        {"secrets": ["`a`", "`b`"], "calls": 2},
        {"secrets": ["`a`"], "calls": 1},
        {"secrets": [], "calls": 15},
    ]
    for line in actions.lines(result):
        yield "plan", "made, changed or read", line


def test_every_sentence_of_a_signal_stands_in_the_table() -> None:
    written_down, said = {(row["signal"], row["where"], row["said"]) for row in table()}, {*produced(), *asked()}
    missing = [f"{signal},{where},,{text}" for signal, where, text in sorted(said - written_down)]
    assert not missing, f"read these rows, and add them to {TABLE.name}: {missing}"
    assert sorted(written_down - said) == [], f"{TABLE.name} has rows that nothing says any more"


def test_no_sentence_of_the_table_uses_a_word_that_is_ours_alone() -> None:
    assert [row["said"] for row in table() if BANNED.search(row["said"])] == []


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module that hold words, without docstrings and what documents an attribute."""
    tree = ast.parse(path.read_text("utf-8"))
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documents:
            continue
        if " " in node.value.strip():
            yield node.lineno, node.value


@pytest.mark.parametrize("folder", SAY)
def test_no_string_that_people_read_uses_a_word_that_is_ours_alone(folder: str) -> None:
    result = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "nhi_watch" / folder).rglob("*.py"))
        for line, text in sentences(path)
        if BANNED.search(text)
    ]
    for page in (ROOT / "nhi_watch" / folder).rglob("*.j2"):
        result += [f"{page.name}: {hit.group()}" for hit in BANNED.finditer(page.read_text("utf-8"))]
    for script in (ROOT / "nhi_watch" / folder).rglob("*.js"):
        quoted = re.findall(r'"([^"`\\n]* [^"`\\n]*)"', script.read_text("utf-8"))
        result += [f"{script.name}: {text}" for text in quoted if BANNED.search(text)]
    assert result == []


@pytest.mark.parametrize("page", ["README.md", "docs/notables.md", "docs/notify.md", "docs/exposure.md"])
def test_the_pages_for_analysts_use_no_word_that_is_ours_alone(page: str) -> None:
    lines = (ROOT / page).read_text("utf-8").splitlines()
    assert [line for line in lines if BANNED.search(line)] == []


STUMBLED = (
    r"tells one number", r"whoever", r"odd calls?", r"lets a shell", r"graver", r"gravest", r"in sentences",
    r"practically never", r"blunt theft", r"(?:was|were) learnt", r"passed over", r"by their look", r"the house",
    r"defect of ours", r"anew", r"listed for nothing", r"come true oftener", r"oftener", r"none of our business",
    r"secret lies with", r"not meant to be used", r"works in other", r"nobody named", r"typed on each",
    r"stands in the list", r"made-up", r"another hand", r"made of", r"in several ways at once", r"goes on",
    r"below the line", r"handed over", r"hand it over", r"somebody answers for", r"needs a look", r"takes? it away",
    r"mend(?:s|ed)?", r"could not tell", r"that is none", r"is none", r"lies open", r"where it lay", r"never let in",
    r"goes by what", r"be told apart", r"nobody reads? on", r"little but", r"as it should be", r"as they should be",
)  # fmt: skip
"""Phrases at which people stopped who read a text for the first time; each was replaced by the field's own words."""
STUMBLES = re.compile(rf"\b(?:{'|'.join(STUMBLED)})\b", re.IGNORECASE)
ALLOWED = {
    ("docs/method/hiding.md", "made of"): "a row of a table that a measurement writes",
    ("docs/method/splunk_scale.md", "goes on"): "a page that a measurement writes",
    ("nhi_watch/act/response/actions.toml", "is none"): "a comment about logs, which nobody is shown",
}
"""(file, phrase) → why it stays."""


def written() -> Iterator[tuple[str, str]]:
    """Every text that users read: strings of the package, pages, and what Splunk, Kibana and the report show."""
    package = ROOT / "nhi_watch"
    for path in sorted(package.rglob("*.py")):
        yield from ((str(path.relative_to(ROOT)), text) for _, text in sentences(path))
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "method").glob("*.md"), ROOT / "README.md"]
    shown = [
        *package.rglob("*.j2"),
        *package.rglob("*.js"),
        *package.rglob("*.toml"),
        *package.rglob("*.ndjson"),
        *(ROOT / "default").rglob("*.xml"),
        ROOT / "docs" / "signals.csv",
        ROOT / "SECURITY.md",
    ]
    yield from ((str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in (*pages, *shown))
    for path in sorted((ROOT / "default").glob("*.conf")):
        lines = (line for line in path.read_text("utf-8").splitlines() if line.startswith("description"))
        yield from ((str(path.relative_to(ROOT)), line) for line in lines)


def test_no_text_for_users_has_a_phrase_at_which_people_stopped() -> None:
    result = {
        (file, hit.group().lower(), text[max(0, hit.start() - 40) : hit.end() + 40])
        for file, text in written()
        for hit in STUMBLES.finditer(text)
    }
    assert sorted(item for item in result if item[:2] not in ALLOWED) == []
    assert set(ALLOWED) <= {item[:2] for item in result}, "an exception that nothing needs any more"
