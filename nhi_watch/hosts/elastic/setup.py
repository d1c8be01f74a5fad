"""`nhi elastic setup`: installs what is missing or different, and says what; twice changes nothing.

It upgrades what an earlier version installed, data streams that exist included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, BadRequestError, Elasticsearch

from nhi_watch import __version__
from nhi_watch.core.errors import StoreError
from nhi_watch.hosts.elastic import read
from nhi_watch.hosts.elastic.cluster import explained, kinds
from nhi_watch.hosts.elastic.read import SOURCES
from nhi_watch.intake import schemas

# ---- templates
#
# What `nhi elastic setup` installs: mappings, templates, and the request for a key of least privilege.


Json = dict[str, Any]
_NAMED_ONLY = ("alerts", "endpoint")
"""Sources that are read only where `--index` names their indices: endpoints write more than all others together, and
alerts are other products' judgement."""
_READ = [each for each in (*SOURCES, *schemas.every()) if each.NAME not in _NAMED_ONLY]
SOURCE_INDICES = ",".join(dict.fromkeys(name for each in _READ for name in each.ELASTIC_INDICES))
ALERTS = "logs-nhi.alerts"
HEALTH = "logs-nhi.health"
STATE = "nhi-state"
NOTABLES = "nhi-notables"
"""The latest revision of each notable, for dashboards: KQL cannot ask the stream of all revisions for it."""
ANALYSTS = ".alerts-security.alerts-*"
"""Kibana's own alerts, from which `nhi elastic feedback` reads what analysts said; one for each space."""
READ = ("read", "view_index_metadata")
"""What it takes to read an index, and to ask how its fields are mapped."""
FIELDS = Path(__file__).with_name("fields.json")
"""Stream → what people filter on, by how it is mapped; lists of names with blanks between."""
TEMPLATES: dict[str, dict[str, Json]] = orjson.loads(Path(__file__).with_name("templates.json").read_bytes())
"""All else of component and index templates, by name.

Their priority is above that of Elastic's own for logs-*-* (100) and of its integrations (200). `@custom` is where an
administrator may add or override, and need not exist. The state's index has one shard: bulk items are then executed in
order; a replica where there is a second node. What was deleted is remembered for longer than any request takes, so that
a stuck one cannot bring it back; rows that were replaced are kept for minutes, not for half a day. Its keywords sort by
their UTF-8 bytes, which is the order of code points.
"""


def mapping(*by_type: Json) -> Json:
    """A mapping of the fields named, each list with its type.

    Not dynamic: log contents are an attacker's, and must not grow the mapping.

    >>> mapping({"mapping": {"type": "long"}, "fields": ["a.b c"]})
    {'dynamic': False, 'properties': {'a': {'properties': {'b': {'type': 'long'}}}, 'c': {'type': 'long'}}}
    """
    root: Json = {"dynamic": False, "properties": {}}
    for each in by_type:
        for name in " ".join(each["fields"]).split():
            *steps, last = name.split(".")
            node = root["properties"]
            for step in steps:
                node = node.setdefault(step, {"properties": {}})["properties"]
            node[last] = each["mapping"]
    return root


def mappings() -> dict[str, Json]:
    """Stream → every field that people filter on; the rest of a document is kept, but not indexed."""
    return {stream: mapping(*by_type) for stream, by_type in orjson.loads(FIELDS.read_bytes()).items()}


def component_templates() -> dict[str, Json]:
    """Name → body."""
    mapped = {f"{stream}@mappings": {"template": {"mappings": each}} for stream, each in mappings().items()}
    return {**mapped, **TEMPLATES["component"]}


def index_templates() -> dict[str, Json]:
    """Name → body."""
    return TEMPLATES["index"]


def api_key_request(namespace: str, source: str = SOURCE_INDICES) -> Json:
    """Body of `POST /_security/api_key` for the scheduled job."""
    role = role_request(namespace, source)
    return {"name": f"nhi-run-{namespace}", "expiration": "90d", "role_descriptors": {"nhi_run": role}}


def role_request(namespace: str, source: str = SOURCE_INDICES) -> Json:
    """The scheduled job's role: no cluster privilege, and only these indices.

    `delete` is for rows of the state, and latest revisions, that are too old; nothing else is ever deleted.
    """
    indices = [
        {"names": list(dict.fromkeys(source.split(","))), "privileges": list(READ)},
        *own(namespace),
        {"names": [ANALYSTS, read.STREAMS], "privileges": list(READ)},
    ]
    return {"cluster": [], "indices": indices}


def own(namespace: str) -> list[Json]:
    """What the job may do with its own indices."""
    streams, rows = ([f"{name}-{namespace}" for name in names] for names in ((ALERTS, HEALTH), (STATE, NOTABLES)))
    return [
        {"names": streams, "privileges": ["create_doc", "auto_configure", "read", "view_index_metadata"]},
        {"names": rows, "privileges": ["read", "index", "delete", "view_index_metadata"]},
    ]


# ---- setup


_MANAGED = "nhi_watch"
_OLDEST = (8, 19)
_REMEDY = "setup needs an administrator's key, not the job's: step 2 of docs/elastic.md has its privileges"


class SetupStep(NamedTuple):
    """One thing that the cluster should have."""

    kind: str
    """component template | index template | index | mapping of data stream"""
    name: str
    change: str
    """create | update | none"""
    apply: Callable[[], object]
    what: tuple[str, ...] = ()
    """Paths of what an update changes."""


def steps(client: Elasticsearch, namespace: str) -> Iterator[SetupStep]:
    """What the cluster should have, compared with what it has; nothing is changed until `apply` is called."""
    components = component_templates()
    for name, body in components.items():
        yield _component(client, name, _signed(body))
    for name, body in index_templates().items():
        yield _index_template(client, name, _signed(body))
    yield _index(client, f"{STATE}-{namespace}", index_templates()[STATE]["template"]["mappings"])
    yield _index(client, f"{NOTABLES}-{namespace}", mappings()[ALERTS])
    for name, body in index_templates().items():
        if "data_stream" in body:
            yield from _streams(client, name, components[f"{name}@mappings"]["template"]["mappings"])


def _signed(body: Json) -> Json:
    """A template with the version that it came with."""
    return {**body, "_meta": {"managed_by": _MANAGED, "version": __version__}}


def setup(client: Elasticsearch, namespace: str, dry_run: bool = False) -> list[SetupStep]:
    """Bring the cluster to what `steps` wants; returns every step, also those without a change.

    Raises:
        StoreError: the cluster refused, for example because the key may not manage templates; or what is there
            was installed by a later version.
    """
    with explained("nhi elastic setup", _REMEDY):
        _supported(client)
        planned = list(steps(client, namespace))
        for step in planned:
            if step.change != "none" and not dry_run:
                step.apply()
    return planned


def _supported(client: Elasticsearch) -> None:
    """Refuse what was never tried.

    Raises:
        StoreError: the cluster is serverless, or too old.
    """
    try:
        nodes = client.nodes.info(metric="_none").body["nodes"].values()
    except ApiError as problem:
        if "api_not_available_exception" in kinds(problem):
            raise StoreError("Elasticsearch Serverless is not supported: use a cluster of 8.19 or 9") from problem
        raise
    oldest = min((tuple(map(int, node["version"].split(".")[:2])) for node in nodes), default=_OLDEST)
    if oldest < _OLDEST:
        raise StoreError(f"Elasticsearch {oldest[0]}.{oldest[1]} is not supported: use 8.19 or later, or 9")


def _component(client: Elasticsearch, name: str, body: Json) -> SetupStep:
    answer = client.options(ignore_status=404).cluster.get_component_template(name=name).body
    templates = [each["component_template"] for each in answer.get("component_templates", [])]
    put = client.cluster.put_component_template
    return _step("component template", name, (templates, body), lambda: put(name=name, body=body))


def _index_template(client: Elasticsearch, name: str, body: Json) -> SetupStep:
    answer = client.options(ignore_status=404).indices.get_index_template(name=name).body
    templates = [each["index_template"] for each in answer.get("index_templates", [])]
    put = client.indices.put_index_template
    return _step("index template", name, (templates, body), lambda: put(name=name, body=body))


def _index(client: Elasticsearch, name: str, wanted: Json) -> SetupStep:
    """The index takes mapping and settings from its template; an existing one gets fields that it lacks."""
    if not client.indices.exists(index=name):
        return SetupStep("index", name, "create", lambda: client.indices.create(index=name))
    mappings = [each["mappings"] for each in client.indices.get_mapping(index=name).body.values()]
    return _step("index", name, (mappings, wanted), lambda: client.indices.put_mapping(index=name, body=wanted))


def _streams(client: Elasticsearch, name: str, wanted: Json) -> Iterator[SetupStep]:
    """Data streams keep the mapping that they were made with; those that exist get fields that they lack.

    It goes by the index that is written to, which has the highest number: older ones may keep a field's old type.
    """
    response = client.indices.get_mapping(index=f"{name}-*", ignore_unavailable=True, allow_no_indices=True)
    newest: dict[str, Json] = {}
    for index in sorted(response.body, key=lambda name: name.rsplit("-", 1)[-1]):
        stream = index.partition(".ds-")[2].rsplit("-", 2)[0]
        if stream:
            newest[stream] = response.body[index]["mappings"]
    for stream, mapping in sorted(newest.items()):
        step = _step("mapping of data stream", stream, ([mapping], wanted), partial(_remap, client, stream, wanted))
        if step.change != "none":
            yield step


def _remap(client: Elasticsearch, stream: str, wanted: Json) -> None:
    """Add fields; where one changed its type, what is written from now on goes into a new backing index."""
    try:
        client.indices.put_mapping(index=stream, body=wanted)
    except BadRequestError:
        client.indices.rollover(alias=stream)


def _step(kind: str, name: str, bodies: tuple[list[Json], Json], apply: Callable[[], object]) -> SetupStep:
    existing, wanted = bodies
    if not existing:
        return SetupStep(kind, name, "create", apply)
    for each in existing:
        version = str((each.get("_meta") or {}).get("version") or "")
        if _numbers(version) > _numbers(__version__):
            raise StoreError(f"{name} was installed by version {version}, this is {__version__}: upgrade the program")
    what = sorted({path for each in existing for path in differences(each, wanted)})
    return SetupStep(kind, name, "update" if what else "none", apply, tuple(what))


def _numbers(version: str) -> list[int]:
    """Comparable parts of a version.

    >>> _numbers("0.10.1") > _numbers("0.9"), _numbers("")
    (True, [])
    """
    return [int(part) for part in version.split(".") if part.isdigit()]


def holds(existing: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is there."""
    return not differences(existing, wanted)


def differences(existing: Any, wanted: Any, path: str = "") -> list[str]:
    """Paths of what is wanted and not there; the server adds defaults, and writes some values as text.

    >>> differences({"index": {"number_of_shards": "1"}, "more": 1}, {"index": {"number_of_shards": 1}})
    []
    >>> differences({"dynamic": "false"}, {"dynamic": False}), differences({"a": {"b": [1, 2]}}, {"a": {"b": [1]}})
    ([], ['a.b'])
    """
    if isinstance(wanted, dict):
        if not isinstance(existing, dict):
            return [path]
        named = ((f"{path}.{name}" if path else name, name, value) for name, value in wanted.items())
        return [
            each
            for inner, name, value in named
            if value or name in existing
            for each in differences(existing.get(name), value, inner)
        ]
    if isinstance(wanted, list):
        same = isinstance(existing, list) and len(existing) == len(wanted)
        return [] if same and not any(differences(f, w) for f, w in zip(existing, wanted)) else [path]
    return [] if _text(existing) == _text(wanted) else [path]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else str(value)
