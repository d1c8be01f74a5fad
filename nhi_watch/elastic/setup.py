"""`nhi elastic setup`: installs what is missing or different, and says what; twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from nhi_watch.elastic import templates
from nhi_watch.stores.elastic_errors import explained

Json = dict[str, Any]


class Step(NamedTuple):
    """One thing that the cluster should have."""

    kind: str
    """component template | index template | index"""
    name: str
    change: str
    """create | update | none"""
    apply: Callable[[], object]


def steps(client: Elasticsearch, namespace: str) -> Iterator[Step]:
    """What the cluster should have, compared with what it has; nothing is changed until `apply` is called."""
    for name, body in templates.component_templates().items():
        yield _component(client, name, body)
    for name, body in templates.index_templates().items():
        yield _index_template(client, name, body)
    for name, template in templates.own_indices(namespace):
        yield _index(client, name, template)


def setup(client: Elasticsearch, namespace: str, dry_run: bool = False) -> list[Step]:
    """Bring the cluster to what `steps` wants; returns every step, also those without a change.

    Raises:
        StoreError: the cluster refused, for example because the key may not manage templates.
    """
    done = []
    with explained("nhi elastic setup"):
        for step in steps(client, namespace):
            if step.change != "none" and not dry_run:
                step.apply()
            done.append(step)
    return done


def _component(client: Elasticsearch, name: str, body: Json) -> Step:
    answer = client.options(ignore_status=404).cluster.get_component_template(name=name).body
    found = [each["component_template"] for each in answer.get("component_templates", [])]
    put = client.cluster.put_component_template
    return Step("component template", name, _change(found, body), lambda: put(name=name, body=body))


def _index_template(client: Elasticsearch, name: str, body: Json) -> Step:
    answer = client.options(ignore_status=404).indices.get_index_template(name=name).body
    found = [each["index_template"] for each in answer.get("index_templates", [])]
    put = client.indices.put_index_template
    return Step("index template", name, _change(found, body), lambda: put(name=name, body=body))


def _index(client: Elasticsearch, name: str, template: str) -> Step:
    """The index takes mapping and settings from its template; an existing one gets fields that it lacks."""
    wanted = templates.index_templates()[template]["template"]["mappings"]
    if not client.indices.exists(index=name):
        return Step("index", name, "create", lambda: client.indices.create(index=name))
    found = client.indices.get_mapping(index=name).body
    change = _change([each["mappings"] for each in found.values()], wanted)
    return Step("index", name, change, lambda: client.indices.put_mapping(index=name, body=wanted))


def _change(found: list[Json], wanted: Json) -> str:
    if not found:
        return "create"
    return "none" if all(holds(each, wanted) for each in found) else "update"


def holds(found: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is there; the server adds defaults, and writes some values as text.

    >>> holds({"index": {"number_of_shards": "1"}, "more": 1}, {"index": {"number_of_shards": 1}})
    True
    >>> holds({"dynamic": "false"}, {"dynamic": False}), holds({"a": [1, 2]}, {"a": [1]})
    (True, False)
    """
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            (not value and name not in found) or holds(found.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(holds(f, w) for f, w in zip(found, wanted))
    return _text(found) == _text(wanted)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else str(value)
