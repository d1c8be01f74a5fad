"""What attackers write into logs reaches the brief, the report, a dashboard, an alert or a plan as quoted data only.

The strings come from `attack_strings`, written from what attackers do. Each is read out of logs by the product itself
(`by_logs`) and also put into every text of a notable (`by_hand`), which is more than any log can do.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from attack_strings import MARK
from desk_samples import NOW, desk, notable, state
from hostile import ATTACKS, by_hand, by_logs, credentials
from llm_double import Json, endpoint, facts
from need import need
from nhi_watch.act import copilot
from nhi_watch.act.copilot import Endpoint, mask, restore
from nhi_watch.act.response import approval, plan
from nhi_watch.act.response.plan import Subjects
from nhi_watch.detect import feedback
from nhi_watch.detect.explain import brief
from nhi_watch.hosts.files import brief as brief_command
from nhi_watch.hosts.splunk import explain as explaining
from nhi_watch.hosts.splunk.notables import event_of
from nhi_watch.hosts.splunk.rows import read, write
from nhi_watch.report import ecs, html, terminal
from screenshot import browser
from splunk_boards import NAMES, TOKEN, defaults, filled, queries
from splunk_conf import stages

SPAN = re.compile(r"`([^`\n]*)`")
HARMLESS = re.compile(r"[\w .:/@+=,;()#%'…⟨⟩-]*")
HIDING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
POLICY = plan.load()
NOTHING = plan.Breaks((), ())


@pytest.fixture(scope="module")
def documents() -> list[Any]:
    """The hostile notables of both kinds."""
    return [*map(by_hand, ATTACKS), *by_logs()]


def outside(text: str) -> str:
    """What is left of a text when everything between backticks is taken out."""
    assert text.count("`") % 2 == 0
    return SPAN.sub("∎", text)


def is_quoted(text: str) -> None:
    """Nothing of an attack stands outside of backticks, and nothing between them can act."""
    assert MARK not in outside(text).lower()
    for inner in SPAN.findall(text):
        assert HARMLESS.fullmatch(inner), inner
        assert "://" not in inner
    assert not HIDING.search(text)


def test_the_strings_come_through_the_logs(documents: list[Any]) -> None:
    lines = [json.dumps(document) for document in documents[len(ATTACKS) :]]
    assert sum(MARK in text for text in lines) >= 200
    assert {d["identity"]["provider"] for d in documents[len(ATTACKS) :]} == {"aws", "github", "entra"}


def test_the_brief_quotes_them(documents: list[Any]) -> None:
    for document in documents:
        text = brief.text(document)
        is_quoted(text)
        lines = [line for line in text.splitlines() if line]
        assert {line for line in lines if not line.startswith("- ")} <= {brief.QUOTED, *brief.SECTIONS}
        assert sum(line.startswith("- ") for line in lines) == len(brief.facts(document))


def test_the_words_of_a_brief_are_those_of_a_harmless_one() -> None:
    harmless = [fact.words for fact in brief.facts(by_hand("x"))]
    for text in ATTACKS:
        assert [fact.words for fact in brief.facts(by_hand(text))] == harmless


def test_a_plan_quotes_them_and_no_command_holds_one(documents: list[Any]) -> None:
    steps = 0
    for document in documents:
        built = plan.draft(document, POLICY, Subjects(credentials(document)), NOTHING, 1_772_323_200)
        steps += len(built["steps"])
        commands = [[s["commands"], s["shell"], s["undo"], s["with"]] for s in built["steps"]]
        assert MARK not in json.dumps(commands).lower()
        lines = plan.text(built).splitlines()
        is_quoted("\n".join(line for line in lines if not line.startswith(("   run", "   undo"))))
        for kind in approval.KINDS.values():
            handed = json.dumps(kind(built, []), ensure_ascii=False)
            is_quoted(json.loads(f'"{_texts(handed)}"'))
    assert steps > 400


def _texts(plain: str) -> str:
    """The strings of a JSON text, without the commands, of which none holds an attack (see above)."""
    return "" if MARK not in plain.lower() else " ".join(re.findall(r'"((?:[^"\\]|\\.)*pwn3d(?:[^"\\]|\\.)*)"', plain))


def test_the_alert_for_elastic_shows_none_that_hides_and_its_note_quotes_them(documents: list[Any]) -> None:
    for document in documents:
        alert = ecs.alert(document, created="2026-03-01T12:00:00Z")
        is_quoted(alert["nhi"]["brief"])
        for text in (alert["message"], alert["event"]["reason"], alert["rule"]["name"], alert["rule"]["description"]):
            assert not HIDING.search(text) and "\n" not in text
        assert {"kibana", "host", "risk"}.isdisjoint(alert)


def test_splunks_notable_is_one_line_and_says_what_was_in_the_log(documents: list[Any]) -> None:
    for document in documents:
        line = event_of(document, 1_772_323_200)
        assert len(line.splitlines()) == 1 and not HIDING.search(line)
        assert json.loads(line)["nhi_notable"] == document


def test_splunks_explanation_keeps_its_rows_and_its_brief_quotes_them(documents: list[Any]) -> None:
    for document in documents:
        explained = explaining._LINES
        lines = [{"nhi_section": name, **line} for name in explained for line in explained[name](document)]
        names = list(dict.fromkeys(name for line in lines for name in line))
        header, *rows = read(write(names, lines, ("nhi_record_ids",)))
        assert len(rows) == len(lines)
        rows_by_name = [dict(zip(header, row)) for row in rows]
        for row in rows_by_name:
            if row["nhi_section"] == "brief":
                is_quoted(str(row["nhi_text"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboards_search_keeps_its_stages_whatever_a_token_holds(name: str) -> None:
    """A token that a click or an input sets is a log's value; |s quotes it, so it can add no verb."""
    ours = defaults(name)
    for _, query in queries(name):
        open_tokens = {match[1] for match in TOKEN.finditer(query) if match[2] == "s"}
        harmless = [stage.split()[:1] for stage in stages(filled(query, {**ours, **dict.fromkeys(open_tokens, "x")}))]
        for text in ATTACKS:
            tokens = {**ours, **dict.fromkeys(open_tokens, text)}
            assert [stage.split()[:1] for stage in stages(filled(query, tokens))] == harmless


def test_a_terminal_gets_no_character_that_acts(documents: list[Any]) -> None:
    for document in documents:
        shown = io.StringIO()
        console = Console(file=shown, width=200)
        terminal.show_explanation(document, console)
        terminal.show([document], {}, console)
        assert not HIDING.search(shown.getvalue())


# ---- the report, in a real browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    need(shutil.which("chromedriver"), "needs chromium and chromium-driver (apt)")
    with browser(1440, 900) as driver:
        yield driver


SKELETON = """
return [...document.querySelectorAll('*')].map(e => e.tagName + ' ' + e.getAttributeNames().sort().join(' '))
"""


def _skeleton(chromium: Chrome, path: Path, notables: list[Any]) -> list[str]:
    path.write_bytes(html.render(notables, {}).encode("utf-8", "replace"))
    chromium.get(path.as_uri())
    return list(chromium.execute_script(SKELETON))


def test_a_browser_makes_no_element_and_runs_nothing_of_them(chromium: Chrome, tmp_path: Path) -> None:
    hostile = [{**by_hand(text), "rank": number} for number, text in enumerate(ATTACKS, 1)]
    harmless = [{**by_hand(f"x{number}"), "rank": number} for number, _ in enumerate(ATTACKS, 1)]
    plain = _skeleton(chromium, tmp_path / "harmless.html", harmless)
    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # type: ignore[no-untyped-call]
    assert _skeleton(chromium, tmp_path / "hostile.html", hostile) == plain
    _is_quiet(chromium, tmp_path / "hostile.html")


def test_a_browser_is_as_quiet_over_what_came_through_the_logs(chromium: Chrome, tmp_path: Path) -> None:
    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # type: ignore[no-untyped-call]
    _skeleton(chromium, tmp_path / "logs.html", by_logs())
    _is_quiet(chromium, tmp_path / "logs.html")


def _is_quiet(chromium: Chrome, path: Path) -> None:
    """Every notable is opened; nothing is requested, complains, leads away or was changed."""
    for link in chromium.find_elements(By.CSS_SELECTOR, ".item a")[:8]:
        link.click()
    script = "return [document.title, location.href.split('#')[0], document.scripts.length, typeof window.pwn3d]"
    title, where, scripts, planted = chromium.execute_script(script)
    assert (MARK in title, where, scripts, planted) == (False, path.as_uri(), 1, "undefined")
    assert chromium.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed, base, form, input[autofocus]") == []
    links = chromium.execute_script(
        "return [...document.querySelectorAll('[href],[src]')].map("
        "e => e.getAttribute('href') || e.getAttribute('src'))"
    )
    assert not [link for link in links if MARK in link]
    requested = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]  # type: ignore[no-untyped-call]
    urls = {m["params"]["request"]["url"] for m in requested if m["method"] == "Network.requestWillBeSent"}
    assert {url for url in urls if MARK in url} == set()
    assert chromium.get_log("browser") == []  # type: ignore[no-untyped-call]


# ---- a model that does whatever it is told


def obedient(request: Json) -> str:
    """It does what it reads: repeats every sentence that looks like an order, no matter who wrote it."""
    text = "\n".join(message["content"] for message in request["messages"])
    orders = [line for line in text.splitlines() if re.search(rf"(?i){MARK}|ignore|benign|approved|system:", line)]
    return "\n".join([*orders, *(f"{text} [{name}]" for name, _, text in facts(request))])


def test_a_model_is_shown_no_word_of_them_so_that_it_has_nothing_to_obey() -> None:
    for document in by_logs():
        assert MARK not in mask(brief.facts(document)).prompt.lower()
    with endpoint(obedient) as (url, met):
        for document in map(by_hand, ATTACKS):
            written = copilot.write(brief.facts(document), Endpoint(url, "m"))
            assert written.fault == "" and written.held > 0
            is_quoted(copilot.render(written))
    assert len(met) == len(ATTACKS)
    assert MARK not in json.dumps(met, ensure_ascii=False).lower()


def test_a_model_that_was_turned_all_the_same_is_not_heard() -> None:
    """It says each string outright: alone, with a proof, and inside a true sentence."""
    document = notable()
    facts = brief.facts(document)
    masked = mask(facts)
    name, true = next(iter(masked.words.items()))
    fine = {restore(true, masked)}
    for text in ATTACKS:
        proof = f"[{name}]"
        lines = (text, f"{text} {proof}", f"{true} {text} {proof}", f"{text} {true} {proof}", f"{true} {proof} {text}")
        for line in lines:
            written = copilot.assemble(facts, masked, line)
            assert MARK not in copilot.render(written).lower()
            assert {line.text for line in written.lines if line.worded} <= fine


def _repeats(said: str, request: Json) -> str:
    return f"{said}\n{said} [f1]"


def test_the_brief_on_the_command_line_quotes_them_with_a_turned_model(tmp_path: Path) -> None:
    documents = [{**by_hand(text), "id": f"{number:020x}"} for number, text in enumerate(ATTACKS[::20])]
    state(tmp_path, documents)
    for number, document in enumerate(documents):
        with endpoint(partial(_repeats, ATTACKS[::20][number])) as (url, _):
            words = (document["id"], "--now", NOW, "--llm", url, "--llm-model", "m")
            text = desk(brief_command, *words, out=tmp_path)
        is_quoted(text.rpartition("Of ")[0])
        assert MARK not in text.rpartition("Of ")[2]


# ---- what people type, and tables for spreadsheets


def test_an_exception_is_offered_in_words_that_a_terminal_can_show(documents: list[Any]) -> None:
    from nhi_watch.report.words import visible

    for document in documents:
        for signal, value in feedback.choices(document):
            assert not HIDING.search(visible(f"{signal} {value}"))


@pytest.mark.parametrize("name", ["4711", "123456789012345", "2026-03-01T12:00:00Z", "3.14"])
def test_a_name_of_digits_is_masked_like_any_other(name: str) -> None:
    document = notable()
    document["identity"] = {**document["identity"], "name": name, "owner": name}
    prompt = mask(brief.facts(document)).prompt
    assert name not in prompt
    assert f" {document['record_count']} records, " in prompt and f" from {document['first_time']}" in prompt
