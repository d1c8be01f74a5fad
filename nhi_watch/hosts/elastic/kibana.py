"""Kibana: as much of its HTTP API as is needed, and what `nhi elastic setup` installs there; twice changes nothing.

Rules, data views and dashboards lie in `kibana_objects` as NDJSON that Kibana imports, by hand as well. Saved objects
are of the simple kinds that 8.9 wrote and every later version migrates; nothing in them comes from a log. Spaces are
part of the URL: `https://kibana.example.com/s/security`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote, urlencode

import orjson
import urllib3

from nhi_watch.core.errors import StoreError
from nhi_watch.detect.health import ERROR, OK, UNKNOWN, Check, check
from nhi_watch.hosts.elastic.cluster import Connection
from nhi_watch.hosts.elastic.setup import SetupStep, holds

Json = dict[str, Any]
_BUSY = (429, 502, 503, 504)
_REMEDY = {
    401: "refused the API key (401): give one that a Kibana user with these privileges made",
    403: "lacks a privilege (403): Security, Saved Objects Management and Dashboards need All for this key",
    404: "does not have this (404): check the URL, and its space",
}


class Kibana:
    """One space of one Kibana. Every request may be repeated without harm."""

    def __init__(self, where: Connection) -> None:
        """`where.urls` holds Kibana's URL, with the space where it is not the default one."""
        self.name = where.urls[0].rstrip("/")
        options: Json = {"ca_certs": where.ca} if where.ca else {}
        if where.fingerprint:
            options = {"cert_reqs": "CERT_NONE", "assert_fingerprint": where.fingerprint}
        retries = urllib3.Retry(
            total=4,
            other=0,
            backoff_factor=0.3,
            status_forcelist=_BUSY,
            allowed_methods=None,
            raise_on_status=False,
            redirect=0,
        )
        options.update(retries=retries, timeout=urllib3.Timeout(where.timeout))
        self._pool = _through(where.proxy, options) if where.proxy else urllib3.PoolManager(**options)
        self._headers = {"kbn-xsrf": "nhi_watch", "Elastic-Api-Version": "2023-10-31"}
        if where.api_key:
            self._headers["Authorization"] = f"ApiKey {where.api_key}"

    def close(self) -> None:
        """End its connections."""
        self._pool.clear()

    def get(self, path: str, missing: Any = None, **query: str) -> Any:
        """What is there; `missing` where it is not (404).

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        status, body = self._call("GET", f"{path}?{urlencode(query)}" if query else path, {})
        return missing if status == 404 else self._good(path, status, body)

    def post(self, path: str, body: Json) -> Any:
        """Send a JSON body; gives the answer's.

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        headers = {"Content-Type": "application/json"}
        return self._good(path, *self._call("POST", path, {"body": orjson.dumps(body), "headers": headers}))

    def lines(self, path: str, body: Json) -> Optional[list[Json]]:
        """Send a JSON body; gives an answer of one object a line, None where Kibana finds fault with it (400).

        Raises:
            StoreError: Kibana cannot be reached, or refuses otherwise.
        """
        headers = {"Content-Type": "application/json"}
        status, answer = self._call("POST", path, {"body": orjson.dumps(body), "headers": headers})
        if status == 400:
            return None
        if status != 200:
            self._good(path, status, answer)
        return [self._read(path, line) for line in answer.splitlines() if line.strip()]

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a file as a form does.

        Raises:
            StoreError: Kibana cannot be reached, or refuses.
        """
        fields = {"file": (name, content, "application/x-ndjson")}
        return self._good(path, *self._call("POST", path, {"fields": fields}))

    def _call(self, method: str, path: str, options: Mapping[str, Any]) -> tuple[int, bytes]:
        headers = {**self._headers, **options.get("headers", {})}
        try:
            answer = self._pool.request(method, f"{self.name}{path}", **{**options, "headers": headers})
        except urllib3.exceptions.HTTPError as error:
            reason = str(getattr(error, "reason", None) or error).rpartition(": ")[2][:200]
            raise StoreError(f"cannot reach Kibana at {self.name}: {reason}; check --kibana and --ca") from error
        return answer.status, answer.data

    def _good(self, path: str, status: int, body: bytes) -> Any:
        if status in (200, 201):
            return self._read(path, body)
        raise StoreError(f"Kibana at {self.name} {_REMEDY.get(status) or _said(status, body)}; asked for {path}")

    def _read(self, path: str, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise StoreError(f"{self.name}{path} did not answer with JSON: is it Kibana's URL?") from error


def _through(proxy: str, options: Json) -> urllib3.ProxyManager:
    """Connections through a proxy; urllib3 itself leaves out who the URL says is asking."""
    who = urllib3.util.parse_url(proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=unquote(who)) if who else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def _said(status: int, body: bytes) -> str:
    try:
        message = str(orjson.loads(body).get("message", ""))
    except (orjson.JSONDecodeError, AttributeError):
        message = ""
    return f"answered {status} {message[:300]}".rstrip()


# ---- what is shipped

FOLDER = Path(__file__).with_name("kibana_objects")
PROMOTION = "nhi-watch-promotion"
"""`rule_id` of the rule that makes Kibana alerts of ours."""
EXTERNAL_ALERTS = "eb079c62-4481-4d6e-9643-3ca499df7aaa"
"""`rule_id` of Elastic's own rule "External Alerts", which would promote every revision."""
MARK = "nhi_watch assets "
"""Dashboards end their description with it and a digest, by which setup sees whether they are up to date."""
_RULES, _OBJECTS, _EXCEPTION = "nhi-rules.ndjson", "nhi-saved-objects.ndjson", "external-alerts-exception.json"


def rules() -> list[Json]:
    """Detection rules, the one that makes alerts of ours first."""
    return [orjson.loads(line) for line in (FOLDER / _RULES).read_bytes().splitlines()]


def saved_objects() -> list[Json]:
    """Data views, then what refers to them, then dashboards."""
    raw = (FOLDER / _OBJECTS).read_bytes()
    digest = hashlib.sha256(raw).hexdigest()[:12].encode()
    return [orjson.loads(line) for line in raw.replace(f"{MARK}DIGEST".encode(), MARK.encode() + digest).splitlines()]


def external_alerts_exception() -> Json:
    """Body of `POST /api/detection_engine/rules/ID/exceptions` of the rule "External Alerts"."""
    body: Json = orjson.loads((FOLDER / _EXCEPTION).read_bytes())
    return body


def ndjson(objects: Iterable[Json]) -> bytes:
    """One object a line."""
    return b"".join(orjson.dumps(each) + b"\n" for each in objects)


# ---- setup

API = "/api/detection_engine/rules"
_OURS_TO_SET = frozenset({"enabled", "exceptions_list", "actions", "alert_suppression", "version"})
"""What people change of a rule in Kibana is theirs: whether it runs, its exceptions, actions and suppression."""


def setup(kibana: Kibana, dry_run: bool = False) -> list[SetupStep]:
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


def _steps(kibana: Kibana) -> Iterator[SetupStep]:
    for rule in rules():
        yield SetupStep("Kibana rule", rule["name"], _rule_change(kibana, rule), partial(_install_rule, kibana, rule))
    change = _objects_change(kibana)
    yield SetupStep("Kibana saved objects", "NHI dashboards", change, lambda: _install_objects(kibana))
    yield from _external(kibana)


def _rule_change(kibana: Kibana, rule: Json) -> str:
    installed = kibana.get(API, rule_id=rule["rule_id"])
    if installed is None:
        return "create"
    wanted = {name: value for name, value in rule.items() if name not in _OURS_TO_SET}
    return "none" if holds(installed, wanted) else "update"


def _install_rule(kibana: Kibana, rule: Json) -> None:
    """A rule that is there keeps what people set of it."""
    installed = kibana.get(API, missing={}, rule_id=rule["rule_id"])
    kept = {name: installed[name] for name in _OURS_TO_SET - {"version"} if name in installed}
    content = ndjson([{**rule, **kept}])
    answer = kibana.upload(f"{API}/_import?overwrite=true", "nhi-rule.ndjson", content)
    if not answer.get("success"):
        raise StoreError(f"Kibana rejected the rule: {_first(answer.get('errors', []))}")


def _objects_change(kibana: Kibana) -> str:
    """By the digest that every dashboard's description ends with."""
    wanted = {each["id"]: each["attributes"]["description"] for each in _dashboards()}
    body = {"objects": [{"type": "dashboard", "id": name} for name in wanted], "excludeExportDetails": True}
    installed = kibana.lines("/api/saved_objects/_export", body)
    if installed is None:
        return "create"  # Kibana refuses to export what is not there
    described = {each.get("id"): each.get("attributes", {}).get("description") for each in installed}
    return "none" if all(described.get(name) == expected for name, expected in wanted.items()) else "update"


def _dashboards() -> list[Json]:
    return [each for each in saved_objects() if each["type"] == "dashboard"]


def _install_objects(kibana: Kibana) -> None:
    path = "/api/saved_objects/_import?overwrite=true"
    answer = kibana.upload(path, _OBJECTS, ndjson(saved_objects()))
    if not answer.get("success"):
        raise StoreError(f"Kibana rejected the dashboards: {_first(answer.get('errors', []))}")


def _external(kibana: Kibana) -> Iterator[SetupStep]:
    """An exception for Elastic's own promotion rule, where that is installed."""
    rule = kibana.get(API, rule_id=EXTERNAL_ALERTS)
    if rule is None:
        return
    wanted = external_alerts_exception()
    path = f"{API}/{rule['id']}/exceptions"
    change = "none" if _is_excepted(kibana, rule, wanted) else "create"
    yield SetupStep("Kibana exception", "External Alerts", change, lambda: kibana.post(path, wanted))


def _is_excepted(kibana: Kibana, rule: Json, wanted: Json) -> bool:
    lists = [each["list_id"] for each in rule.get("exceptions_list", [])]
    items: list[Json] = []
    for name in lists:
        query = {"list_id": name, "per_page": "1000"}
        items += kibana.get("/api/exception_lists/items/_find", {"data": []}, **query)["data"]
    return any(holds(each.get("entries"), wanted["items"][0]["entries"]) for each in items)


def _first(errors: Sequence[Json]) -> str:
    """What Kibana says of the first object that it refused."""
    if not errors:
        return "without giving a reason"
    error = errors[0].get("error", {})
    return str(error.get("message") or error.get("type") or errors[0])[:300]


# ---- the doctor's question

_GOOD = ("succeeded", "running", "going to run", "")
_NAME = "kibana rule"


def rule_runs(kibana: Kibana) -> Check:
    """Whether the rule runs. A Kibana that does not answer is a status of its own."""
    try:
        rule = kibana.get(API, rule_id=PROMOTION)
    except StoreError as error:
        return check(_NAME, UNKNOWN, str(error))
    if rule is None:
        remedy = "run `nhi elastic setup --kibana URL`"
        return check(_NAME, ERROR, "the rule that makes alerts is not installed", remedy=remedy)
    if not rule.get("enabled"):
        return check(_NAME, ERROR, "the rule that makes alerts is disabled", remedy="enable it in Security > Rules")
    last = (rule.get("execution_summary") or {}).get("last_execution") or {}
    status, message = str(last.get("status", "")), str(last.get("message", ""))[:300]
    if status not in _GOOD:
        remedy = "look at it in Security > Rules; where its key has expired, save it once as a user"
        return check(_NAME, ERROR, f"the rule's last run: {status}: {message}", remedy=remedy)
    return check(_NAME, OK, "the rule that makes alerts is enabled")
