"""Health: each host's checks come from one table, with one name and one set of severities."""

from __future__ import annotations

import ast

import pytest

from layout import PACKAGE, sources, tree_of
from nhi_watch.detect import health
from nhi_watch.detect.health import CHECKS, ERROR, OK, UNKNOWN, WARN, check

HOSTS = ("files", "elastic", "splunk")


def asked(host: str) -> set[str]:
    """Names of the checks that the code of a host, and what all hosts share, makes."""
    calls = (
        node
        for path in [*sources(f"{PACKAGE}/hosts/{host}"), *sources(f"{PACKAGE}/detect")]
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("check", "health.check")
    )
    return {str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant)}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_asks_nothing_that_is_not_in_the_table(host: str) -> None:
    assert asked(host) <= set(CHECKS) | {"kibana rule"}


def test_every_question_of_the_table_is_asked_by_a_host() -> None:
    assert set(CHECKS) - {"kibana rule"} == set().union(*map(asked, HOSTS))


def test_a_problem_has_the_remedy_of_its_question_unless_another_is_given() -> None:
    assert check("key", ERROR, "it expires").advice == "it expires; make a new one"
    assert check("key", WARN, "it expires", remedy="see step 3").advice == "it expires; see step 3"
    assert [check("key", status, "x").advice for status in (OK, UNKNOWN)] == ["x", "x"]


def test_no_check_has_a_name_that_nobody_defined() -> None:
    with pytest.raises(KeyError):
        check("log", OK, "")


def test_programs_get_what_people_read() -> None:
    found = check("source", WARN, "late", "aws", silent=3)
    assert health.to_json(found) == {
        "check": "source",
        "about": "aws",
        "status": "warn",
        "text": "late",
        "remedy": "check its collection",
        "facts": {"silent": 3},
    }
