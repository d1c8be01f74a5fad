"""docs/sources.csv says what each field is good for: found by leaving it out."""

from __future__ import annotations

from types import ModuleType

import pytest

from nhi_watch.core import registry
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.intake.sources import okta
from source_fields import Field, fields_of, needs_of

SOURCES = registry.modules("nhi_watch.intake.sources")
BY_NAME = {signal.name: signal for signal in SIGNALS}


def test_a_field_that_is_left_out_is_told_with_all_that_hangs_on_it() -> None:
    by_path = {field.path: field for field in fields_of(okta)}
    assert by_path["published"] == Field("published", (), (), ("no_time",))
    assert by_path["request.ipChain[].ip"].lost == ("address", "network")
    assert {"credential", "identity"} <= set(by_path["transaction.detail.requestApiTokenId"].feeds)
    assert "displayMessage" not in by_path


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
def test_every_source_has_fields_for_who_what_and_when(source: ModuleType) -> None:
    fields = fields_of(source)
    fed = {name for field in fields for name in field.feeds} | {reason for field in fields for reason in field.rejects}
    missing = {"identity", "record_id"} - fed
    assert not missing, f"no field of its samples decides {missing}: a record that names nobody is of kind anonymous"
    assert fed & {"time", "no_time"} or source.NAME == "kubernetes"  # it has three times, any of which will do
    assert fed & {"action", "no_action", "not_exposure", "not_credential"}


def test_a_signal_that_lacks_what_it_needs_says_that_it_cannot_tell_or_nothing() -> None:
    assert needs_of(BY_NAME["risky_network"])["network"] == "cannot tell"
    assert needs_of(BY_NAME["key_age"]) == {"credential": "silent"}
    assert "network" not in needs_of(BY_NAME["secret_reading"])
