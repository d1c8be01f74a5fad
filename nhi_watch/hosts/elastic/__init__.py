"""The scheduled jobs on Elasticsearch and the assets that they install.

A job may be started every few minutes. Importing the client in full would take longer than all the rest of an idle
run: it brings its asynchronous twin, httpx, and pyarrow with numpy where they are installed. None is used here, so they
are hidden while the client is imported; the twin is still there for a program that asks for it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_TWIN, _NAME = "elasticsearch._async.client", "AsyncElasticsearch"
_OPTIONAL = "aiohttp", "httpx", "pandas", "pyarrow"
"""What the client can do without: a module that is None in `sys.modules` counts as not installed."""


def _import_client() -> None:
    if "elasticsearch" in sys.modules:
        return
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    placeholder = ModuleType(_TWIN)
    setattr(placeholder, _NAME, type(_NAME, (), {}))
    sys.modules.update({_TWIN: placeholder, **dict.fromkeys(hidden)})  # type: ignore[dict-item]
    try:
        client = importlib.import_module("elasticsearch")
        importlib.import_module("elasticsearch.helpers")
    finally:
        for name in (_TWIN, *hidden):
            del sys.modules[name]
    delattr(client, _NAME)
    setattr(client, "__getattr__", _twin)  # noqa: B010 - of a module, which has no such name for mypy


def _twin(name: str) -> object:
    if name != _NAME:
        raise AttributeError(f"module 'elasticsearch' has no attribute {name!r}")
    return getattr(importlib.import_module(_TWIN), name)


_import_client()
