"""What commands say of rows that they could not read: every reason in words, and what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

from layout import PACKAGE, sources
from nhi_watch.hosts.splunk import reasons
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.nhiscore import NhiScore
from nhi_watch.hosts.splunk.protocol import Search
from nhi_watch.hosts.splunk.rows import write

CODE = re.compile(r'(?:RejectError|reject)\(\s*"(\w+)"')


def test_every_reason_that_can_come_in_splunk_has_words() -> None:
    ships = [path for path in sources(PACKAGE) if {"sources", "splunk"} & {*path.parts}]
    found = {code for path in ships for code in CODE.findall(path.read_text("utf-8"))}
    assert len(found) > 15
    assert found <= reasons.DAMAGED.keys() | reasons.LEFT_OUT.keys()


def test_what_is_damaged_is_a_warning_with_a_remedy_and_what_is_left_out_is_none() -> None:
    [(level, text), (other, left)] = reasons.messages("nhirank", {"bad_json": 2, "clock": 1, "closed": 7})
    assert (level, other) == ("WARN", "INFO")
    assert text.startswith("nhirank: could not read 3 events: 2 bad_json: the JSON is cut off or damaged: raise")
    assert left == "nhirank: left out 7 events: 7 alerts that are closed or resolved"
    assert reasons.messages("nhirank", {"x": 1}) == [("WARN", "nhirank: could not read 1 event: 1 x")]


def test_reasons_are_counted_by_their_code_wherever_they_come_from() -> None:
    gatherer = Gatherer()
    told = [reasons.spelled("clock"), "clock", "own words"]
    rows = "".join(f'"{text}",2\n' for text in told)
    gatherer.feed(f"nhi_error,nhi_events\n{rows}".encode())
    assert gatherer.rejected == {"clock": 4, "own words": 2}


ODD = {"class_uid": 6003, "metadata": {"version": "1.1.0", "product": {"name": "CloudTrail", "vendor_name": "AWS"}},
       "unmapped": [{"key": [], "value": 1}], "time": 1772445600000, "api": {"operation": "ListBuckets"},
       "cloud": {"provider": "AWS"}}  # fmt: skip


def test_one_event_of_odd_types_ends_no_search(tmp_path: Path) -> None:
    chunk = write(["_raw"], [{"_raw": json.dumps(ODD)}])
    gatherer = Gatherer()
    gatherer.feed(chunk)
    assert gatherer.rejected == {"unforeseen": 1}
    command = NhiScore(tmp_path)
    command.prepare(Search(arguments=[]))
    assert b"unforeseen" in command.execute(chunk)
