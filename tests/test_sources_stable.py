"""What a source answers depends on the record alone, not on what was read before it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nhi_watch.core import registry
from nhi_watch.core.event import Event
from nhi_watch.intake.sources import kubernetes
from nhi_watch_lab.fuzzing import Fuzz, Pair, forgetting, is_stable, outcome, samples

FOLDER = Path(__file__).parent / "data" / "sources"
SOURCES = registry.modules("nhi_watch.intake.sources")
PAIRS = 300


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
def test_fuzzed_pairs_are_read_alike_in_any_order(source: ModuleType) -> None:
    fuzz, clear = Fuzz(source, samples(FOLDER / f"{source.NAME}.jsonl"), 1), forgetting()
    pairs = [fuzz.pair() for _ in range(PAIRS)]
    assert [pair for pair in pairs if not is_stable(source, pair, clear)] == []
    assert sum(isinstance(outcome(source, pair.two), Event) for pair in pairs) > PAIRS // 5


def test_a_source_that_takes_true_for_one_is_found() -> None:
    @lru_cache(maxsize=4096)
    def lru_cache_wrapper(name: str, value: object) -> str:
        return repr(value)

    class Source:
        @staticmethod
        def read(record: Any) -> Any:
            return lru_cache_wrapper("a", record["a"])

    assert not is_stable(Source, Pair({"a": 1}, {"a": True}), lru_cache_wrapper.cache_clear)  # type: ignore[arg-type]
    assert is_stable(Source, Pair({"a": 1}, {"a": 2}), lru_cache_wrapper.cache_clear)  # type: ignore[arg-type]


def test_a_certificate_after_tokens_is_a_key() -> None:
    def called(credential: str, number: int) -> dict[str, Any]:
        extra = {"authentication.kubernetes.io/credential-id": [credential]}
        return {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "auditID": f"id-{number}",
            "stage": "ResponseComplete",
            "verb": "get",
            "requestURI": "/api/v1/namespaces/a/secrets/b",
            "stageTimestamp": "2026-03-02T10:00:00Z",
            "user": {"username": "system:serviceaccount:a:b", "uid": "u1", "extra": extra},
            "objectRef": {"resource": "secrets", "namespace": "a", "name": "b"},
            "responseStatus": {"code": 200},
        }

    tokens = [kubernetes.read(called(f"JTI=7d0b4e51-2f3a-4c1d-9e8f-{number:012x}", number)) for number in range(6)]
    event = kubernetes.read(called("X509SHA256=0a1b2c", 9))
    assert {token.credential_type for token in tokens} == {"session"}
    assert (event.credential, event.credential_type) == ("X509SHA256=0a1b2c", "key")
