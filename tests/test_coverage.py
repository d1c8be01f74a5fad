"""The coverage ledger: written from what fires, and never staler than the code."""

from __future__ import annotations

import pytest

from coverage_ledger import ATTACK, FINDINGS, NO, PAGE, SHEET, Proof, attack_sheet, page, proofs, rows, sheet
from nhi_watch.act.posture.finding import KINDS
from nhi_watch.detect.signals import SIGNALS


@pytest.fixture(scope="module")
def proven() -> list[Proof]:
    return proofs()


def test_the_page_says_what_the_samples_prove(proven: list[Proof]) -> None:
    assert page(proven) == PAGE.read_text("utf-8"), "stale: run make docs"
    assert sheet(proven) == SHEET.read_text("utf-8"), "stale: run make docs"
    assert attack_sheet(proven) == ATTACK.read_text("utf-8"), "stale: run make docs"


def test_every_signal_and_every_kind_of_finding_is_proven(proven: list[Proof]) -> None:
    assert {proof.name for proof in proven} == {signal.name for signal in SIGNALS} | {*KINDS, "exposed_secret"}
    assert FINDINGS.keys() == KINDS.keys()


def test_every_proof_ends_in_a_plan_and_in_a_control_that_is_followed_up(proven: list[Proof]) -> None:
    # nothing to stop; a host's own user, whom no cloud knows; an agent, whose tools only its own settings take away
    planless = ("unused_secret", "host_credential", "agent_tools")
    assert [proof.name for proof in proven if not proof.actions and proof.name not in planless] == []
    assert [p.name for p in proven if not p.controls and p.name not in ("orphaned_identity", "exposed_secret")] == []


def test_what_nothing_proves_is_not_covered(proven: list[Proof]) -> None:
    (none,) = rows(proven, ["NHI6:2025"])
    assert none[1:] == [NO, NO, NO]
    only = [proof for proof in proven if proof.name == "key_age"]
    (old,) = rows(only, ["NHI7:2025"])
    assert old[1].startswith("`key_age`") and NO not in old
