"""What `nhi elastic setup --kibana` installs: rules, data views and dashboards; twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic import assets, rules
from nhi_watch.hosts.elastic.kibana import Kibana
from nhi_watch.hosts.elastic.setup import Step, holds

Json = dict[str, Any]
RULES = "/api/detection_engine/rules"
_OURS_TO_SET = frozenset({"enabled", "exceptions_list", "actions", "version"})
"""What people change of a rule in Kibana is theirs: whether it runs, its exceptions and its actions."""


def setup(kibana: Kibana, dry_run: bool = False) -> list[Step]:
    """Bring Kibana to what this version wants; returns every step, also those without a change.

    Raises:
        StoreError: Kibana refused.
    """
    done = []
    for step in _steps(kibana):
        if step.change != "none" and not dry_run:
            step.apply()
        done.append(step)
    return done


def _steps(kibana: Kibana) -> Iterator[Step]:
    for rule in rules.every():
        yield Step("Kibana rule", rule["name"], _rule_change(kibana, rule), partial(_install_rule, kibana, rule))
    change = _objects_change(kibana)
    yield Step("Kibana saved objects", "NHI dashboards", change, lambda: _install_objects(kibana))
    yield from _external(kibana)


def _rule_change(kibana: Kibana, rule: Json) -> str:
    found = kibana.get(RULES, rule_id=rule["rule_id"])
    if found is None:
        return "create"
    wanted = {name: value for name, value in rule.items() if name not in _OURS_TO_SET}
    return "none" if holds(found, wanted) else "update"


def _install_rule(kibana: Kibana, rule: Json) -> None:
    """A rule that is there keeps what people set of it."""
    found = kibana.get(RULES, missing={}, rule_id=rule["rule_id"])
    kept = {name: found[name] for name in _OURS_TO_SET - {"version"} if name in found}
    content = assets.ndjson([{**rule, **kept}])
    answer = kibana.upload(f"{RULES}/_import?overwrite=true", "nhi-rule.ndjson", content)
    if not answer.get("success"):
        raise StoreError(f"Kibana did not take the rule: {_first(answer.get('errors', []))}")


def _objects_change(kibana: Kibana) -> str:
    """By the digest that every dashboard's description ends with."""
    wanted = {each["id"]: each["attributes"]["description"] for each in _dashboards()}
    body = {"objects": [{"type": "dashboard", "id": name} for name in wanted], "excludeExportDetails": True}
    found = kibana.lines("/api/saved_objects/_export", body)
    if found is None:
        return "create"  # Kibana refuses to export what is not there
    described = {each.get("id"): each.get("attributes", {}).get("description") for each in found}
    return "none" if all(described.get(name) == told for name, told in wanted.items()) else "update"


def _dashboards() -> list[Json]:
    return [each for each in assets.saved_objects() if each["type"] == "dashboard"]


def _install_objects(kibana: Kibana) -> None:
    path = "/api/saved_objects/_import?overwrite=true"
    answer = kibana.upload(path, "nhi-saved-objects.ndjson", assets.objects_file())
    if not answer.get("success"):
        raise StoreError(f"Kibana did not take the dashboards: {_first(answer.get('errors', []))}")


def _external(kibana: Kibana) -> Iterator[Step]:
    """An exception for Elastic's own promotion rule, where that is installed."""
    rule = kibana.get(RULES, rule_id=assets.EXTERNAL_ALERTS)
    if rule is None:
        return
    wanted = assets.external_alerts_exception()
    path = f"{RULES}/{rule['id']}/exceptions"
    change = "none" if _is_excepted(kibana, rule, wanted) else "create"
    yield Step("Kibana exception", "External Alerts", change, lambda: kibana.post(path, wanted))


def _is_excepted(kibana: Kibana, rule: Json, wanted: Json) -> bool:
    lists = [each["list_id"] for each in rule.get("exceptions_list", [])]
    found: list[Json] = []
    for name in lists:
        query = {"list_id": name, "per_page": "1000"}
        found += kibana.get("/api/exception_lists/items/_find", {"data": []}, **query)["data"]
    return any(holds(each.get("entries"), wanted["items"][0]["entries"]) for each in found)


def _first(errors: Sequence[Json]) -> str:
    """What Kibana says of the first object that it refused."""
    if not errors:
        return "it does not say why"
    error = errors[0].get("error", {})
    return str(error.get("message") or error.get("type") or errors[0])[:300]
