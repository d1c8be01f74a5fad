"""A record of no source is rejected by name, with what is read that is near to it; never read as another's."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_watch.core import registry
from nhi_watch.core.errors import RejectError
from nhi_watch.intake.batch import NOBODY, Sources
from nhi_watch.intake.schemas import opened

SOURCES = registry.modules("nhi_watch.intake.sources")
STRANGERS: dict[str, tuple[dict[str, Any], str]] = {
    "traces": ({"resourceSpans": [{"scopeSpans": []}]}, "OpenTelemetry traces, .*send the logs"),
    "metrics": ({"resourceMetrics": [{}]}, "OpenTelemetry metrics"),
    "other dataset": (
        {"@timestamp": "2026-03-02T10:00:00Z", "data_stream": {"dataset": "aws.vpcflow"}, "event": {}},
        "'aws.vpcflow'; similar ones that are read: aws.cloudtrail, aws.guard",
    ),
    "misspelt dataset": ({"event": {"dataset": "githb.audit"}}, "similar ones that are read: github.audit"),
    "far dataset": ({"event": {"dataset": "zscaler_zia.web"}}, "nothing similar is read"),
    "sourcetype": ({"_raw": '{"a": 1}', "sourcetype": "aws:config"}, "'aws:config'; similar .*aws:cloudtrail"),
    "azure": (
        {"time": "2026-03-02T10:00:00Z", "category": "AppGwLog", "operationName": "x", "resourceId": "/S/1"},
        "Azure's category 'AppGwLog' is not read; these are: the activity log",
    ),
    "google": ({"insertId": "1", "logName": "projects/1/logs/requests", "jsonPayload": {}}, "'requests' is not an"),
    "log analytics": ({"TimeGenerated [UTC]": "3/2/2026, 10:00:00 AM", "AppId": "a"}, "its columns Type and TenantId"),
    "config": ({"fileVersion": "1.0", "configurationItems": []}, "its fields: fileVersion, configurationItems"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_named_and_what_is_near_to_it(name: str) -> None:
    record, text = STRANGERS[name]
    with pytest.raises(RejectError, match=text) as error:
        inside = opened(record)
        source = Sources(SOURCES).of(inside, NOBODY)
        assert source is NOBODY, f"{source.NAME} must not read it"
        source.read(inside)
    assert error.value.reason.startswith("other_log" if name == "google" else "unknown_")
