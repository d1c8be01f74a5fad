"""The frameworks' ids are data; one that is not known is refused."""

from __future__ import annotations

import json
import re

import pytest

from need import shared_data
from nhi_watch.context import frameworks
from nhi_watch.core.errors import NhiError

THREATS = (
    "T1078.004 T1528 T1550.001 T1552 T1552.001 T1552.005 T1555.006 T1098.001 T1098.003 T1098.006 T1136.003 "
    "T1548.005 T1606 T1199 T1195 T1087.004 T1526 T1580 T1619 T1562.008 T1530 T1537 T1496.001 T1496.004"
)
TACTICS = {
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
    "reconnaissance",
    "resource-development",
}


def test_what_the_product_and_its_threats_name_is_known() -> None:
    frameworks.check(frameworks.ALWAYS)
    frameworks.check(f"NHI{number}:2025" for number in range(1, 11))
    frameworks.check(f"DE.CM-{number:02}" for number in (1, 3, 6, 9))
    frameworks.check(["RS.MA", "RS.AN", "RS.MI", "GV.RR", "PR.AA"])
    frameworks.check(f"DE.AE-{number:02}" for number in (2, 3, 4, 6, 7, 8))
    frameworks.check([*THREATS.split(), "AML.CS0030"])


def test_unknown_ids_are_all_named() -> None:
    with pytest.raises(NhiError, match=r"unknown framework ids: T0000, NHI11:2025; add them"):
        frameworks.check(["T0000", "T1528", "NHI11:2025"])


@pytest.mark.parametrize("ask", [frameworks.name, frameworks.tactics, frameworks.framework_of])
def test_asking_about_an_unknown_id_is_refused(ask: object) -> None:
    with pytest.raises(frameworks.UnknownIdError):
        ask("DE.CM-2")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("item", "name", "tactics"),
    [
        (
            "T1078.004",
            "Valid Accounts: Cloud Accounts",
            ("initial-access", "persistence", "privilege-escalation", "defense-evasion"),
        ),
        ("T1496.004", "Resource Hijacking: Cloud Service Hijacking", ("impact",)),
        ("T1528", "Steal Application Access Token", ("credential-access",)),
        ("NHI10:2025", "Human Use of NHI", ()),
        ("AML.CS0030", "LLM Jacking", ()),
    ],
)
def test_an_id_has_its_name_and_tactics(item: str, name: str, tactics: tuple[str, ...]) -> None:
    assert (frameworks.name(item), frameworks.tactics(item)) == (name, tactics)


def test_only_techniques_have_tactics_and_all_have() -> None:
    for item, entry in frameworks._entries().items():
        assert bool(entry.tactics) == (entry.framework == "mitre_attack"), item
        assert set(entry.tactics) <= TACTICS
        assert entry.name


def test_every_technique_that_the_shared_list_of_abused_calls_names_is_known_but_a_revoked_one() -> None:
    calls = json.loads(shared_data("knowledge/traildiscover.json").read_text(encoding="utf-8"))
    columns = ("mitreAttackTechniques", "mitreAttackSubTechniques")
    texts = [str(text) for call in calls for column in columns for text in call[column]]
    ids = {match[0] for text in texts if (match := re.match(r"T\d{4}(?:\.\d{3})?", text))}
    assert len(ids) > 50
    frameworks.check(sorted(ids - {"T1089"}))
    with pytest.raises(frameworks.UnknownIdError):
        frameworks.check(["T1089"])
