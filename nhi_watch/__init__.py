"""Detect stolen and misused non-human identities inside the SIEM that a SOC already has.

What a notebook needs is here, and loaded when it is first used:

>>> import nhi_watch
>>> call = {
...     "eventVersion": "1.09", "eventTime": "2026-03-02T10:00:00Z", "eventSource": "s3.amazonaws.com",
...     "eventName": "GetObject", "awsRegion": "eu-west-1", "sourceIPAddress": "198.51.100.7",
...     "eventID": "1", "recipientAccountId": "111111111111", "userIdentity": {
...         "type": "IAMUser", "principalId": "AIDACI", "userName": "ci", "accountId": "111111111111",
...         "arn": "arn:aws:iam::111111111111:user/ci", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}}
>>> result = nhi_watch.score([call])
>>> result.run["parsed"], result.run["identities"], result.notables
(1, 1, [])

Step by step, with a store that remembers:

>>> session = nhi_watch.Session(nhi_watch.MemoryStore(), nhi_watch.sources())
>>> session.feed([call, {"not": "a log's record"}])
>>> session.batch.rejected
{'unknown_source': 1}
>>> session.finish().run["days"]
['2026-03-02', '2026-03-02']

A source of one's own is an object with `NAME`, `claims` and `read` (`nhi_watch.Source`):

>>> class Ours:
...     NAME = "ours"
...     def claims(self, record): return "who" in record
...     def read(self, record):
...         who = nhi_watch.Identity(f"ours::robot:{record['who']}", record["who"], "service_account", "ours", "", "")
...         return nhi_watch.build_event(record["at"], who, record["did"])
>>> nhi_watch.score([{"who": "robot-1", "did": "ours:Start", "at": 1772445600}], read_by=[Ours()]).run["parsed"]
1
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_MODULES = {
    "score": "hosts.files.library",
    "Session": "detect.session",
    "IntakeBatch": "intake.batch",
    "Source": "intake.sources",
    "Event": "core.event",
    "Identity": "core.event",
    "build_event": "intake.sources",
    "Result": "detect.run",
    "Signal": "detect.signals",
    "Notable": "core.notable",
    "notable_of": "core.notable:from_json",
    "Context": "context.context",
    "Store": "state.store",
    "MemoryStore": "state.store",
    "SqliteStore": "state.sqlite",
    "State": "state.state",
    "load_model": "detect.model:load",
    "sources": "intake.sources:every",
}
"""Name → module below this package, and the name there where it is another."""

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    """Load what is asked for, so that the package itself costs nothing to import (PEP 562)."""
    place = _MODULES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inner = place.partition(":")
    value = getattr(import_module(f"{__name__}.{module}"), inner or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
