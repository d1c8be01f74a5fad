"""Others' rules: which pairs of their test events our points put in the right order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core_samples import record
from nhi_watch.core.errors import InputError
from nhi_watch.detect import model
from nhi_watch_lab.evaluation import rules


def write(folder: Path, *tests: tuple[str, bool, dict[str, Any]]) -> Path:
    lines = [json.dumps({"rule_id": rule, "expected": fires, "log": log}) for rule, fires, log in tests]
    (folder / "AWS_CloudTrail.ndjson").write_text("\n".join(lines) + "\n")
    return folder


HARMLESS = record(20_000, "10:00", name="GetObject")
STOPPED = record(20_000, "10:00", service="cloudtrail", name="StopLogging")


def test_a_pair_is_right_alike_wrong_or_unread(tmp_path: Path) -> None:
    write(tmp_path, ("Logs.Stopped", True, STOPPED), ("Logs.Stopped", False, HARMLESS), ("Same", True, STOPPED),
          ("Same", False, STOPPED), ("Odd", True, HARMLESS), ("Odd", False, STOPPED), ("Broken", True, {"a": 1}),
          ("Broken", False, HARMLESS), ("Console.Login", True, STOPPED))  # fmt: skip
    found, people = rules.rules(tmp_path, model.load())
    told = {rule.name: dict(rule.pairs()) for rule in found}
    assert told == {"Logs.Stopped": {"right": 1}, "Same": {"alike": 1}, "Odd": {"wrong": 1}, "Broken": {"unread": 1}}
    assert people == ["Console.Login"]
    reasons = {rule.name: rules.because(rule) for rule in found}
    assert reasons["Same"].startswith("the same call") and reasons["Odd"].startswith("other calls")
    assert reasons["Broken"] == "what must fire is not read"


def test_an_event_without_a_time_gets_one(tmp_path: Path) -> None:
    event = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "auditID": "a",
             "verb": "get", "user": {"username": "system:serviceaccount:shop:web"},
             "objectRef": {"resource": "secrets", "name": "db"},
             "responseStatus": {"code": 200}}  # fmt: skip
    write(tmp_path, ("Secrets", True, event), ("Secrets", False, {}))
    found, _ = rules.rules(tmp_path, model.load())
    assert found[0].must[0].points is not None, found


def test_the_page_names_the_worst_rules_and_counts_every_pair(tmp_path: Path) -> None:
    write(tmp_path, ("Logs.Stopped", True, STOPPED), ("Logs.Stopped", False, HARMLESS), ("Odd", True, HARMLESS),
          ("Odd", False, STOPPED), ("Lonely", True, STOPPED))  # fmt: skip
    found, people = rules.rules(tmp_path, model.load())
    result = rules.summarise(found)
    assert (result["all"]["right"], result["all"]["wrong"], result["unpaired"]) == (1, 1, 1)
    assert [one["rule"] for one in result["worst"]] == ["Odd", "Logs.Stopped"]
    text = rules.page(result, people, model.load())
    assert "**50% of 2 pairs are right**" in text and "`Odd` (0 of 1)" in text
    assert "all,2,2,50%,0%,50%,0%" in rules.sheet(result)


def test_a_folder_without_tests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.ndjson"):
        rules.rules(tmp_path, model.load())
