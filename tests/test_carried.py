"""What carriers deliver is read as the record that they carry, whatever it is; what they carry not is nobody's."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event
from nhi_watch.intake.batch import Sources
from nhi_watch.intake.schemas import carried, opened
from nhi_watch.intake.sources import every, gcp, kubernetes

POD: dict[str, Any] = {
    "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1", "stage": "ResponseComplete", "verb": "list",
    "requestURI": "/api/v1/pods", "user": {"username": "u"}, "sourceIPs": ["10.0.0.1"],
    "objectRef": {"resource": "pods"}, "responseStatus": {"code": 200}, "stageTimestamp": "2026-03-02T10:00:00Z",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "protoPayload": {
        "authenticationInfo": {"principalEmail": "ann@example.com"},
        "methodName": "io.k8s.core.v1.pods.exec.create",
        "resourceName": "core/v1/namespaces/default/pods/web-1/exec",
        "serviceName": "k8s.io",
    },
    "insertId": "i-1",
    "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "c", "project_id": "p1"}},
    "timestamp": "2026-03-02T10:00:00Z",
    "logName": "projects/p1/logs/cloudaudit.googleapis.com%2Factivity",
}
TEXT, CODED = json.dumps(POD), b64encode(json.dumps(ENTRY).encode()).decode()


def read(record: object) -> Event:
    inside = opened(record)
    event: Event = Sources(every()).of(inside).read(inside)
    return event


@pytest.mark.parametrize(
    "record",
    [
        {"id": "3", "timestamp": 1772445600000, "message": TEXT},
        {"message": POD, "logGroup": "/aws/eks/c/cluster", "logStream": "kube-apiserver-audit-1"},
        {"_raw": json.dumps({"message": POD, "logGroup": "/aws/eks/c/cluster"}), "_time": "1"},
        {"message": TEXT, "data_stream": {"dataset": "aws.cloudwatch_logs"}, "@timestamp": "2026-03-02T10:00:00Z"},
        {"fields": {"message": [TEXT], "data_stream.dataset": ["aws.cloudwatch_logs"]}},
    ],
)
def test_an_event_of_cloudwatch_is_the_record_that_it_carries(record: dict[str, Any]) -> None:
    assert read(record) == kubernetes.read(POD)


@pytest.mark.parametrize(
    "record",
    [
        {"data": json.dumps(ENTRY), "attributes": {}},
        {"message": {"data": CODED, "messageId": "1"}, "subscription": "projects/p/subscriptions/s"},
        {"_raw": json.dumps({"message": {"data": CODED}, "subscription": "s"}), "_time": "1"},
    ],
)
def test_a_message_of_pubsub_is_the_entry_that_it_carries(record: dict[str, Any]) -> None:
    assert read(record) == gcp.read(ENTRY)


@pytest.mark.parametrize("record", [
    {"message": "hello", "timestamp": 1}, {"message": "{broken", "id": "1"}, {"message": {"data": "%%%"}},
    {"message": TEXT, "verb": "x"}, {"_raw": '{"message": broken'}, {"data": 7}, {"message": []},
])  # fmt: skip
def test_a_carrier_of_nothing_that_is_known_is_left_as_it_is(record: dict[str, Any]) -> None:
    assert not carried.carries(record)
    assert opened(record) == record
    with pytest.raises(RejectError):
        read(record)
