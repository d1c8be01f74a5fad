"""Set-up in Kibana, and what analysts say there: against a double of it, with a real Elasticsearch."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from elastic_server import FIRST, Server, nhi
from kibana_double import KEY, Kibana, promote, serving
from nhi_watch import cli
from nhi_watch.act import audit
from nhi_watch.core.errors import StoreError
from nhi_watch.core.notable import risk_of
from nhi_watch.core.timestamps import render
from nhi_watch.detect import feedback
from nhi_watch.hosts.elastic import analysts
from nhi_watch.hosts.elastic import kibana as assets
from nhi_watch.hosts.elastic.cluster import Connection
from nhi_watch.hosts.elastic.kibana import Kibana as Client
from nhi_watch.hosts.files.feedback import to_json
from test_elastic_run import SINCE, Place, fill, simulated

Tree = dict[str, Any]
EVERYTHING = [*[("Kibana rule", "create")] * len(assets.rules()), ("Kibana saved objects", "create")]
QUIET = [(kind, "none") for kind, _ in EVERYTHING]


@pytest.fixture(params=["", "soc"], ids=["default space", "space"])
def kibana(request: pytest.FixtureRequest) -> Iterator[Kibana]:
    with serving(Kibana(space=request.param)) as running:
        yield running


def client(kibana: Kibana, **changes: Any) -> closing[Client]:
    return closing(Client(replace(Connection((kibana.url,), KEY, timeout=10), **changes)))


def changes(kibana: Kibana, dry_run: bool = False) -> list[tuple[str, str]]:
    with client(kibana) as reached:
        return [(step.kind, step.change) for step in assets.setup(reached, dry_run)]


# ---- setup


def test_a_dry_run_changes_nothing_and_a_second_run_finds_nothing_to_do(kibana: Kibana) -> None:
    assert changes(kibana, dry_run=True) == EVERYTHING
    assert (kibana.rules, kibana.objects) == ({}, {})
    assert changes(kibana) == EVERYTHING
    assert set(kibana.rules) == {rule["rule_id"] for rule in assets.rules()}
    assert len(kibana.objects) == len(assets.saved_objects())
    before = len(kibana.asked)
    assert changes(kibana) == QUIET
    assert not [path for method, path in kibana.asked[before:] if "import" in path]


def test_an_upgrade_brings_the_rule_up_to_date_and_keeps_what_people_set(kibana: Kibana) -> None:
    changes(kibana)
    rule = kibana.rules[assets.PROMOTION]
    theirs = {
        "enabled": False,
        "exceptions_list": [{"id": "1", "list_id": "l", "type": "rule_default"}],
        "actions": [{"id": "mail", "group": "default", "params": {}}],
    }
    rule.update({**theirs, "query": "event.kind:alert", "interval": "5m"})
    old = kibana.objects["dashboard", "nhi-dashboard-health"]
    old["attributes"] = {**old["attributes"], "description": f"Old. ({assets.MARK}000000000000)"}
    assert changes(kibana) == [("Kibana rule", "update"), *QUIET[1:-1], ("Kibana saved objects", "update")]
    now = kibana.rules[assets.PROMOTION]
    assert {name: now[name] for name in theirs} == theirs
    assert (now["query"], now["interval"]) == (assets.rules()[0]["query"], "1m")
    assert changes(kibana) == QUIET


def test_a_dashboard_that_somebody_deleted_is_made_again(kibana: Kibana) -> None:
    changes(kibana)
    del kibana.objects["dashboard", "nhi-dashboard-notables"]
    assert changes(kibana) == [*QUIET[:-1], ("Kibana saved objects", "create")]


def test_elastics_own_promotion_rule_is_told_once_to_leave_ours_out(kibana: Kibana) -> None:
    kibana.add_rule({"rule_id": assets.EXTERNAL_ALERTS, "name": "External Alerts", "type": "query"})
    assert {change for _, change in changes(kibana)} == {"create"}
    assert {change for _, change in changes(kibana)} == {"none"}
    (items,) = kibana.exceptions.values()
    assert [item["entries"][0]["value"] for item in items] == ["nhi.alerts"]


def test_what_kibana_refuses_is_told_with_its_words(kibana: Kibana) -> None:
    gone = {"references": [{"type": "index-pattern", "id": "gone", "name": "x"}]}
    broken = [{**each, **gone} for each in assets.saved_objects()]
    with client(kibana) as reached:
        answer = reached.upload("/api/saved_objects/_import", "x.ndjson", assets.ndjson(broken))
    assert not answer["success"] and answer["errors"][0]["error"]["type"] == "missing_references"


WRONG: list[tuple[Tree, str]] = [
    ({"api_key": None}, "refused the API key"),
    ({"urls": ("http://127.0.0.1:9",)}, "cannot reach Kibana at http://127.0.0.1:9"),
]


@pytest.mark.parametrize(("changed", "words"), WRONG)
def test_what_is_wrong_is_one_line_that_says_what_to_do(kibana: Kibana, changed: Tree, words: str) -> None:
    with client(kibana, **changed) as reached, pytest.raises(StoreError, match=words) as raised:
        assets.setup(reached)
    assert "\n" not in str(raised.value) and KEY not in str(raised.value)


def test_a_wrong_space_is_told(kibana: Kibana) -> None:
    with client(kibana, urls=(f"{kibana.url}/s/none",)) as reached, pytest.raises(StoreError, match="and its space"):
        reached.post("/api/detection_engine/signals/status", {"signal_ids": [], "status": "closed"})


# ---- the doctor


def test_the_doctor_says_whether_the_rule_makes_alerts(kibana: Kibana) -> None:
    def said() -> tuple[str, ...]:
        with client(kibana) as reached:
            answer = assets.rule_runs(reached)
            return answer.status, answer.text

    assert said() == ("error", "the rule that makes alerts is not installed")
    changes(kibana)
    assert said() == ("ok", "the rule that makes alerts is enabled")
    rule = kibana.rules[assets.PROMOTION]
    rule["execution_summary"] = {"last_execution": {"status": "failed", "message": "the API key is gone"}}
    assert said() == ("error", "the rule's last run: failed: the API key is gone")
    rule["enabled"] = False
    assert said() == ("error", "the rule that makes alerts is disabled")
    with client(kibana, api_key=None) as stranger:
        assert assets.rule_runs(stranger).status == "unknown"


# ---- analysts


_numbers = count(FIRST)


class Played(Place):
    """A place where a run wrote alerts; each test promotes them into an index of its own."""

    def promoted(self) -> list[Tree]:
        """Alerts as Kibana makes them of what the run wrote."""
        self.promotions = f".alerts-security.alerts-{self.namespace}-{next(_numbers)}"
        return promote(self.client, assets.rules()[0], self.promotions, self.stream)

    @property
    def stream(self) -> str:
        return f"logs-nhi.alerts-{self.namespace}"


@pytest.fixture(scope="module")
def place(elastic: Server) -> Iterator[Played]:
    played = Played(elastic)
    fill(played, simulated())
    played.run(since=SINCE)
    yield played
    played.close()
    for index in played.client.indices.get(
        index=f".alerts-security.alerts-{played.namespace}-*", expand_wildcards="all"
    ):
        played.client.indices.delete(index=index)


def deal(place: Played, alert: Tree, **said: Any) -> None:
    fields = {f"kibana.alert.{name}": value for name, value in said.items()}
    place.client.update(index=place.promotions, id=alert["kibana.alert.uuid"], doc=fields, refresh=True)


def take(place: Played, now: int) -> analysts.Taken:
    store = place.store()
    taken = analysts.take(store, analysts.said(place.client, now, place.promotions), now)
    store.commit()
    store.close()
    return taken


def test_only_first_and_escalated_revisions_become_alerts_with_our_severity(place: Played) -> None:
    alerts = place.promoted()
    written = {alert["event"]["id"]: alert for alert in place.alerts()}
    assert len(alerts) == len(written) > 2
    for alert in alerts:
        ours = written[alert["event"]["id"]]
        low = "low" if ours["nhi"]["notable"]["severity"] == "informational" else ours["nhi"]["notable"]["severity"]
        assert alert["kibana.alert.severity"] == low
        assert alert["kibana.alert.risk_score"] == ours["event"]["risk_score"] == risk_of(ours["nhi"]["notable"])
        assert alert["kibana.alert.rule.name"] == ours["rule"]["name"]
    other = f"{place.stream}.other"
    for change, more in (("grown", 0), ("settled", 0), ("merged", 0), ("reopened", 1), ("escalated", 2)):
        document = {**place.alerts()[0], "nhi": {**place.alerts()[0]["nhi"], "change": change}}
        place.client.index(index=other, op_type="create", document=document, refresh=True)
        assert len(promote(place.client, assets.rules()[0], place.promotions, other)) == more


def test_what_analysts_said_becomes_verdicts_once(place: Played) -> None:
    first, second, third, fourth, *_ = place.promoted()
    now = int(time.time())
    when = {"workflow_status_updated_at": "2026-01-02T03:04:05Z", "workflow_user": "u_analyst"}
    deal(place, first, workflow_status="closed", workflow_reason="false_positive", **when)
    deal(place, second, workflow_status="open", workflow_tags=["nhi:confirmed"], **when)
    deal(place, third, workflow_status="acknowledged", **when)
    deal(place, fourth, workflow_status="closed", workflow_tags=["False Positive", "mine"], **when)
    taken = take(place, now)
    said = {verdict.notable_id: verdict for verdict in taken.verdicts}
    wanted = {first["event"]["id"]: "benign", second["event"]["id"]: "confirmed", fourth["event"]["id"]: "benign"}
    assert {name: verdict.verdict for name, verdict in said.items()} == wanted
    assert (taken.undecided, taken.unknown) == (1, 0)
    assert said[first["event"]["id"]].why == "Kibana: closed as false_positive"
    assert {verdict.by for verdict in taken.verdicts} == {"u_analyst"}
    take(place, now + 60)
    store = place.store()
    again = [verdict for verdict in feedback.verdicts(store) if verdict.notable_id in said]
    plain = [sorted(orjson.dumps(list(verdict)) for verdict in each) for each in (again, taken.verdicts)]
    assert plain[0] == plain[1], "the same again adds nothing"
    store.close()


def test_who_changes_their_mind_is_believed(place: Played) -> None:
    *_, alert = place.promoted()
    now = int(time.time())
    deal(
        place,
        alert,
        workflow_status="closed",
        workflow_reason="false_positive",
        workflow_user="u",
        workflow_status_updated_at="2026-01-02T03:04:05Z",
    )
    take(place, now)
    deal(place, alert, workflow_reason="true_positive", workflow_status_updated_at="2026-01-03T03:04:05Z")
    take(place, now)
    store = place.store()
    pending = feedback.standing(feedback.verdicts(store))
    store.close()
    assert pending[alert["event"]["id"]].verdict == "confirmed"


def test_what_is_expected_or_a_duplicate_is_said_by_tags_and_a_wrong_tag_keeps_no_other_verdict_back(
    place: Played,
) -> None:
    first, second, third, fourth, *_ = place.promoted()
    now = int(time.time())
    when = {"workflow_status_updated_at": render(now - 60), "workflow_user": "u_tags"}
    ends = render(now + 40 * 86_400)[:10]
    deal(place, first, workflow_status="closed", workflow_tags=[f"nhi:expected:{ends}"], **when)
    deal(place, second, workflow_status="closed", workflow_tags=[f"nhi:duplicate:{first['event']['id']}"], **when)
    deal(place, third, workflow_status="closed", workflow_tags=["nhi:expected"], **when)
    deal(place, fourth, workflow_status="closed", workflow_tags=["nhi:duplicate:nobody"], **when)
    taken = take(place, now)
    said = {verdict.notable_id: verdict for verdict in taken.new if verdict.by == "u_tags"}
    assert {name: verdict.verdict for name, verdict in said.items()} == {
        first["event"]["id"]: "expected",
        second["event"]["id"]: "duplicate",
        third["event"]["id"]: "expected",
    }
    assert render(said[first["event"]["id"]].until)[:10] == ends
    assert said[second["event"]["id"]].duplicate_of == first["event"]["id"]
    assert said[third["event"]["id"]].until == now - 60 + 30 * 86_400
    assert [each for each in taken.wrong if fourth["event"]["id"] in each and "nhi:duplicate:nobody" in each]


def test_alerts_of_merged_notables_are_closed_and_no_others(place: Played) -> None:
    first, *others = place.promoted()
    alert = place.alerts()[0]
    merged = {**alert, "nhi": {"change": "merged"}, "event": {**alert["event"], "id": first["event"]["id"]}}
    place.client.index(index=place.stream, op_type="create", document=merged, refresh=True)
    with serving(Kibana(alerts=(place.client, place.promotions))) as kibana, client(kibana) as reached:
        assert analysts.close_merged(place.client, reached, place.stream, place.promotions) == 1
        assert analysts.close_merged(place.client, reached, place.stream, place.promotions) == 0
    hits = place.client.search(index=place.promotions, size=1000)["hits"]["hits"]
    closed = [h["_source"]["event"]["id"] for h in hits if h["_source"]["kibana.alert.workflow_status"] == "closed"]
    assert closed == [first["event"]["id"]] and len(others) == len(hits) - 1


# ---- the program


def asked(url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return nhi(*arguments, NHI_ELASTIC_URL=url, NHI_ELASTIC_API_KEY=KEY, **environment)


def test_the_program_sets_both_up_and_takes_feedback_that_audit_finds_in_the_copied_state(
    place: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--namespace", place.namespace, "--json"]
    alert, *_ = place.promoted()
    for index in place.client.indices.get(index=f".alerts-security.alerts-{place.namespace}-*", expand_wildcards="all"):
        if index != place.promotions:
            place.client.indices.delete(index=index)
    deal(place, alert, workflow_status="closed", workflow_reason="true_positive", workflow_user="u")
    with serving(Kibana()) as kibana:
        done = asked(place.url, "setup", *common, NHI_KIBANA_URL=kibana.url)
        assert [s["change"] for s in orjson.loads(done.stdout)["steps"][-2:]] == ["create", "create"], done.stderr
        trail = ["--audit", str(tmp_path / "audit.jsonl")]
        done = asked(place.url, "feedback", *common, *trail)
        heard = orjson.loads(done.stdout)
        assert (heard["verdicts"], heard["unknown"], "closed" in heard) == (1, 0, False), done.stderr
        done = asked(place.url, "feedback", *common, *trail, "--kibana", kibana.url)
        assert orjson.loads(done.stdout) == {**heard, "new": 0, "closed": 0}, done.stderr
        (line,) = map(orjson.loads, audit.lines(tmp_path / "audit.jsonl"))
        assert (line["what"], line["by"], line["facts"]["verdict"]) == ("verdict", "u", "confirmed")
        assert line["facts"]["notable_id"] == alert["event"]["id"]
    copied = asked(place.url, "report", "--namespace", place.namespace, "--out", str(tmp_path))
    assert copied.returncode == 0, copied.stderr
    with closing(place.store()) as store:
        rows = [(verdict.by, to_json(verdict)) for verdict in feedback.verdicts(store)]
    others = [(by, row) for by, row in rows if row["time"] != line["facts"]["time"]]
    for by, row in others:  # of other tests, which keep no trail
        audit.append(tmp_path / audit.NAME, "verdict", by, row)
    assert cli.main(["audit", "verify", "--state", str(tmp_path / "state.sqlite"), "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["lines"] == len(others) + 1
