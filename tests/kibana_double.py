"""A Kibana of our own for the tests: as much of its HTTP API as is used, written from its documentation.

- saved objects, import and export: multipart, `overwrite`, conflicts, missing references, 400 where one is absent;
- saved objects, schemas of 8.8 and 8.9, from which 8.19 and 9.x migrate: which attributes each kind may have;
- detection engine, rules, their import and exceptions, signals/status: 404, `rule_id` and `id`, an error for each rule;
- all of it: `kbn-xsrf`, `ApiKey`, a space in the path.

What the detection engine does with a rule is done by `promote`, over the real server's documents.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import orjson
from elasticsearch import Elasticsearch

Tree = dict[str, Any]
KEY = "a2liYW5hOmtleQ=="
_TEXT: Tree = {"type": "string"}
_META: Tree = {"type": "object", "properties": {"searchSourceJSON": _TEXT}, "additionalProperties": False}
_NUMBER: Tree = {"type": "number"}
_TRUTH: Tree = {"type": "boolean"}


def _closed(required: tuple[str, ...], **fields: Tree) -> Tree:
    return {"type": "object", "required": list(required), "properties": fields, "additionalProperties": False}


SCHEMAS: dict[str, Tree] = {
    "index-pattern": _closed(
        ("title",),
        title=_TEXT,
        name=_TEXT,
        timeFieldName=_TEXT,
        fieldAttrs=_TEXT,
        fieldFormatMap=_TEXT,
        fields=_TEXT,
        runtimeFieldMap=_TEXT,
        sourceFilters=_TEXT,
        allowHidden=_TRUTH,
        typeMeta=_TEXT,
        type=_TEXT,
    ),
    "visualization": _closed(
        ("title",),
        title=_TEXT,
        description=_TEXT,
        version=_NUMBER,
        kibanaSavedObjectMeta=_META,
        uiStateJSON=_TEXT,
        visState=_TEXT,
        savedSearchRefName=_TEXT,
    ),
    "search": _closed(
        ("title", "kibanaSavedObjectMeta"),
        title=_TEXT,
        description=_TEXT,
        columns={"type": "array", "items": _TEXT},
        sort={"type": "array", "items": {"type": "array", "items": _TEXT, "maxItems": 2}},
        grid={"type": "object"},
        rowHeight=_NUMBER,
        hideChart=_TRUTH,
        isTextBasedQuery=_TRUTH,
        usesAdHocDataView=_TRUTH,
        timeRestore=_TRUTH,
        kibanaSavedObjectMeta=_META,
        viewMode=_TEXT,
        rowsPerPage=_NUMBER,
        breakdownField=_TEXT,
        hideAggregatedPreview=_TRUTH,
    ),
    "dashboard": _closed(
        ("title",),
        title=_TEXT,
        description=_TEXT,
        kibanaSavedObjectMeta=_META,
        timeRestore=_TRUTH,
        timeFrom=_TEXT,
        timeTo=_TEXT,
        panelsJSON=_TEXT,
        optionsJSON=_TEXT,
        hits=_NUMBER,
        version=_NUMBER,
        refreshInterval=_closed(("pause", "value"), pause=_TRUTH, value=_NUMBER, display=_TEXT, section=_NUMBER),
        controlGroupInput={
            "type": "object",
            "properties": {
                "panelsJSON": _TEXT,
                "controlStyle": _TEXT,
                "chainingSystem": _TEXT,
                "ignoreParentSettingsJSON": _TEXT,
            },
        },
    ),
}
"""Kind → schema of its attributes."""
VERSIONS = {"index-pattern": "8.0.0", "visualization": "8.5.0", "search": "8.0.0", "dashboard": "8.9.0"}
"""Kind → its last migration before there were model versions: what is older is migrated, what is newer refused."""

_REQUIRED = ("name", "description", "risk_score", "severity", "type", "rule_id")


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Kibana:
    """What this Kibana holds. `alerts`: the index in which statuses are changed, with the client that reaches it."""

    def __init__(self, space: str = "", alerts: Optional[tuple[Elasticsearch, str]] = None) -> None:
        self.space = space
        self.alerts = alerts
        self.rules: dict[str, Tree] = {}
        self.objects: dict[tuple[str, str], Tree] = {}
        self.exceptions: dict[str, list[Tree]] = {}
        self.asked: list[tuple[str, str]] = []
        self.busy = 0
        """So many requests are answered with 503 first."""
        self.url = ""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of an answer."""
        self.asked.append((method, target))
        if self.busy:
            self.busy -= 1
            return 503, b"busy"
        try:
            return 200, self._do(method, target, headers, body)
        except _RefusedError as refused:
            problem = {"statusCode": refused.status, "error": "x", "message": refused.message}
            return refused.status, orjson.dumps(problem)

    def _do(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        if headers.get("Authorization") != f"ApiKey {KEY}":
            raise _RefusedError(401, "[security_exception]: missing authentication credentials")
        if method == "POST" and not headers.get("kbn-xsrf"):
            raise _RefusedError(400, "Request must contain a kbn-xsrf header.")
        parts = urlsplit(target)
        prefix = f"/s/{self.space}" if self.space else ""
        if not parts.path.startswith(f"{prefix}/api/"):
            raise _RefusedError(404, "Not Found")
        path, query = parts.path[len(prefix) :], dict(parse_qsl(parts.query))
        for wanted, pattern, serve in self._routes():
            match = re.fullmatch(pattern, path)
            if match and wanted == method:
                text = serve(query, self._content(headers, body), *match.groups())
                return text if isinstance(text, bytes) else orjson.dumps(text)
        raise _RefusedError(404, "Not Found")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        return [
            ("GET", "/api/detection_engine/rules", self._rule),
            ("POST", "/api/detection_engine/rules/_import", self._import_rules),
            ("POST", "/api/detection_engine/rules/([^/]+)/exceptions", self._except),
            ("GET", "/api/exception_lists/items/_find", self._exceptions),
            ("POST", "/api/detection_engine/signals/status", self._status),
            ("POST", "/api/saved_objects/_import", self._import_objects),
            ("POST", "/api/saved_objects/_export", self._export),
        ]

    @staticmethod
    def _content(headers: Mapping[str, str], body: bytes) -> Any:
        kind = headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            _, part = form.walk()
            if part.get_param("name", header="content-disposition") != "file":
                raise _RefusedError(400, "[request body.file]: expected value of type [Stream]")
            lines = bytes(part.get_payload(decode=True)).splitlines()
            return [orjson.loads(line) for line in lines if line.strip()]
        return orjson.loads(body) if body else None

    # ---- rules

    def _rule(self, query: Tree, body: None) -> Tree:
        try:
            return self.rules[query["rule_id"]]
        except KeyError:
            raise _RefusedError(404, f'rule_id: "{query.get("rule_id")}" not found') from None

    def _import_rules(self, query: Tree, lines: list[Tree]) -> Tree:
        rules = [line for line in lines if "rule_id" in line]
        errors = []
        for rule in rules:
            missing = [name for name in _REQUIRED if name not in rule]
            if missing:
                error = {"status_code": 400, "message": f"{missing[0]}: Required"}
                errors.append({"rule_id": rule["rule_id"], "error": error})
            elif rule["rule_id"] in self.rules and query.get("overwrite") != "true":
                text = f'rule_id: "{rule["rule_id"]}" already exists'
                errors.append({"rule_id": rule["rule_id"], "error": {"status_code": 409, "message": text}})
            else:
                self.add_rule(rule)
        return {
            "success": not errors,
            "success_count": len(rules) - len(errors),
            "rules_count": len(rules),
            "errors": errors,
            "exceptions_errors": [],
            "exceptions_success": True,
            "exceptions_success_count": 0,
        }

    def add_rule(self, rule: Tree) -> None:
        """Keep a rule as Kibana tells it afterwards: with an id, defaults, and a revision."""
        before = self.rules.get(rule["rule_id"], {})
        added = {
            "id": before.get("id", str(uuid.uuid4())),
            "immutable": False,
            "updated_by": "elastic",
            "revision": before.get("revision", -1) + 1,
            "output_index": "",
            "related_integrations": [],
            "required_fields": [],
            "setup": "",
        }
        self.rules[rule["rule_id"]] = {**added, **rule}

    def _except(self, query: Tree, body: Tree, rule_id: str) -> list[Tree]:
        rule = next((rule for rule in self.rules.values() if rule["id"] == rule_id), None)
        if rule is None:
            raise _RefusedError(404, "Unable to add exception to rule - rule not found")
        for item in body["items"]:
            if not {"name", "description", "type", "entries"} <= set(item) or not item["entries"]:
                raise _RefusedError(400, "[request body]: items.0: Required")
        listed = rule.setdefault("exceptions_list", [])
        if not listed:
            listed.append(
                {
                    "id": str(uuid.uuid4()),
                    "list_id": str(uuid.uuid4()),
                    "type": "rule_default",
                    "namespace_type": "single",
                }
            )
        self.exceptions.setdefault(listed[0]["list_id"], []).extend(body["items"])
        return list(body["items"])

    def _exceptions(self, query: Tree, body: None) -> Tree:
        data = self.exceptions.get(query["list_id"])
        if data is None:
            raise _RefusedError(404, f'exception list id: "{query["list_id"]}" does not exist')
        return {"data": data, "page": 1, "per_page": int(query["per_page"]), "total": len(data)}

    def _status(self, query: Tree, body: Tree) -> Tree:
        if body["status"] not in ("open", "acknowledged", "closed", "in-progress") or not body["signal_ids"]:
            raise _RefusedError(400, "[request body]: status: Invalid enum value")
        assert self.alerts is not None, "this double was given no alerts"
        client, index = self.alerts
        changed = {"kibana.alert.workflow_status": body["status"]}
        for each in body["signal_ids"]:
            client.update(index=index, id=each, doc=changed, refresh=True)
        return {"updated": len(body["signal_ids"]), "failures": []}

    # ---- saved objects

    def _import_objects(self, query: Tree, lines: list[Tree]) -> Tree:
        objects = [line for line in lines if "type" in line]
        there = set(self.objects) | {(each["type"], each["id"]) for each in objects}
        errors = []
        for each in objects:
            problem = self._fault(each, there, query.get("overwrite") == "true")
            if problem:
                errors.append({"id": each["id"], "type": each["type"], "meta": {}, "error": problem})
        if not errors:
            self.objects.update({(each["type"], each["id"]): each for each in objects})
        answer: Tree = {"success": not errors, "successCount": len(objects) - len(errors), "warnings": []}
        return {**answer, "errors": errors} if errors else answer

    def _fault(self, each: Tree, there: set[tuple[str, str]], overwrite: bool) -> Optional[Tree]:
        if each["type"] not in SCHEMAS:
            return {"type": "unsupported_type"}
        if not overwrite and (each["type"], each["id"]) in self.objects:
            return {"type": "conflict"}
        missing = [{"type": r["type"], "id": r["id"]} for r in each["references"] if (r["type"], r["id"]) not in there]
        if missing:
            return {"type": "missing_references", "references": missing}
        if each["typeMigrationVersion"] != VERSIONS[each["type"]]:
            return {"type": "unknown", "message": "of another version than this Kibana's", "statusCode": 422}
        try:
            jsonschema.validate(each["attributes"], SCHEMAS[each["type"]])
        except jsonschema.ValidationError as error:
            return {"type": "unknown", "message": error.message, "statusCode": 400}
        return None

    def _export(self, query: Tree, body: Tree) -> bytes:
        names = [(each["type"], each["id"]) for each in body["objects"]]
        missing = [{"id": id_, "type": kind} for kind, id_ in names if (kind, id_) not in self.objects]
        if missing:
            raise _RefusedError(400, f"Error fetching objects to export: {missing}")
        return b"".join(orjson.dumps(self.objects[name]) + b"\n" for name in names)


@contextmanager
def serving(kibana: Kibana) -> Iterator[Kibana]:
    """Answer on a free port of this host."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = kibana.answer(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the base class)
            """Not into the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        space = f"/s/{kibana.space}" if kibana.space else ""
        kibana.url = f"http://127.0.0.1:{server.server_port}{space}"
        try:
            yield kibana
        finally:
            server.shutdown()
            thread.join()


# ---- what the detection engine does


def kuery(text: str) -> Tree:
    """A query of Elasticsearch for the KQL that the rule uses: `field:value and field:(one or other)`.

    >>> kuery("a:b and c.d:(e or f)")
    {'bool': {'filter': [{'terms': {'a': ['b']}}, {'terms': {'c.d': ['e', 'f']}}]}}
    """
    filters = []
    for part in text.split(" and "):
        field, _, values = part.partition(":")
        filters.append({"terms": {field.strip(): values.strip().strip("()").split(" or ")}})
    return {"bool": {"filter": filters}}


ALERTS: Tree = {
    "dynamic": True,
    "properties": {
        "@timestamp": {"type": "date"},
        "event": {"properties": {"id": {"type": "keyword"}, "dataset": {"type": "keyword"}}},
        "kibana.alert": {"properties": {
            **{name: {"type": "keyword"} for name in (
                "uuid", "workflow_status", "workflow_tags", "workflow_reason", "workflow_user", "severity")},
            "workflow_status_updated_at": {"type": "date"}, "risk_score": {"type": "float"}}},
    },
}  # fmt: skip
"""As much of the mapping of Kibana's alerts as is asked for; their dots are part of the names."""


def promote(client: Elasticsearch, rule: Tree, index: str, stream: str) -> list[Tree]:
    """Make an alert of each document that the rule's query finds, as a rule of type query does; each once."""
    if not client.indices.exists(index=index):
        client.indices.create(index=index, mappings={**ALERTS, "dynamic": False}, settings={"number_of_replicas": 0})
    client.indices.refresh(index=stream)
    result = client.search(index=stream, query=kuery(rule["query"]), size=1000)["hits"]["hits"]
    built = []
    for hit in result:
        alert = _promoted(hit, rule)
        client.index(index=index, id=alert["kibana.alert.uuid"], document=alert, refresh=True)
        built.append(alert)
    return built


def _promoted(hit: Tree, rule: Tree) -> Tree:
    source = hit["_source"]
    severity = rule["severity"]
    for each in rule["severity_mapping"]:
        if str(_at(source, each["field"])) == each["value"]:
            severity = each["severity"]
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{hit['_index']}{hit['_id']}{rule['rule_id']}")
    return {
        **{name: value for name, value in source.items() if name in ("event", "service", "rule", "message")},
        "@timestamp": source["event"]["ingested"],
        "kibana.alert.uuid": str(name),
        "kibana.alert.severity": severity,
        "kibana.alert.risk_score": _at(source, rule["risk_score_mapping"][0]["field"]),
        "kibana.alert.rule.name": _at(source, rule["rule_name_override"]),
        "kibana.alert.workflow_status": "open",
        "kibana.alert.workflow_tags": [],
    }


def _at(source: Tree, path: str) -> Any:
    node: Any = source
    for step in path.split("."):
        node = node[step]
    return node
