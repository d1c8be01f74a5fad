"""The alert action nhi_notable: what it writes, once, against a double of splunkd and of the collector."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from layout import ROOT
from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk import alert, fields, rest
from nhi_watch.hosts.splunk.rest import Client, Collection, RestError
from splunk_app import interpreter, unpacked
from splunk_conf import conf
from splunk_rest import HEC, SESSION, Double, Fault, certificates, serving

ID = "0123456789abcdef0123"
NOW = 1_790_000_000
Config = dict[str, str]


def notable(name: str = ID, revision: int = 1, severity: str = "high", **told: Any) -> str:
    """An event of sourcetype nhi:notable."""
    document = {
        "id": name, "kind": "compromise", "severity": severity, "revision": revision,
        "first_time": "2026-03-01T10:00:00Z", "last_time": "2026-03-01T11:00:00Z",
        "frameworks": {"owasp_nhi": ["NHI-07"], "nist_csf": ["DE.CM-1"], "mitre_attack": ["T1078.004", "T1552"]},
    }  # fmt: skip
    event = {
        "time": "2026-03-01T11:00:00Z", "nhi_id": name, "nhi_revision": str(revision), "nhi_change": "new",
        "nhi_escalated": "1", "nhi_severity": severity, "nhi_likelihood": "71", "risk_score": "71",
        "nhi_title": "role deploy from a new network", "nhi_summary": "Never seen before.", "nhi_identity": "deploy",
        "nhi_identity_id": "aws:111111111111:role:AROA", "src": "198.51.100.7", **told, "nhi_notable": document,
    }  # fmt: skip
    return json.dumps(event)


def results(folder: Path, *raws: str) -> Path:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([["_raw", "__mv__raw"], *([raw, ""] for raw in raws)])
    path = folder / f"results.{time.monotonic_ns()}.csv.gz"
    path.write_bytes(gzip.compress(out.getvalue().encode()))
    return path


def payload(double: Double, rows: Path, **configuration: str) -> dict[str, Any]:
    return {
        "app": "nhi_watch", "owner": "admin", "results_file": str(rows), "server_uri": double.url,
        "session_key": SESSION, "sid": "scheduler__1", "search_name": "My search",
        "configuration": {"ca": str(double.ca), **configuration},
    }  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with serving(tmp_path_factory.mktemp("tls")) as double:
        yield double


@pytest.fixture
def double(running: Double, monkeypatch: pytest.MonkeyPatch) -> Double:
    url, ca = running.url, running.ca
    running.__init__()  # type: ignore[misc]
    running.url, running.ca = url, ca
    waited: list[float] = []
    monkeypatch.setattr(rest.Client.__init__, "__defaults__", (waited.append,))
    running.waited = waited  # type: ignore[attr-defined]
    return running


@pytest.fixture
def run(double: Double, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def execute(*raws: str, now: int = NOW, **configuration: str) -> tuple[int, str]:
        log = io.StringIO()
        return alert.execute(payload(double, results(tmp_path, *raws), **configuration), log, now), log.getvalue()

    return execute


Run = Callable[..., "tuple[int, str]"]


# ---- as Splunk starts it


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("app"))


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_splunk_starts_it_on_both_pythons_with_the_standard_library_alone(
    app: Path, double: Double, tmp_path: Path, version: str
) -> None:
    script = app / "bin" / "nhi_notable.py"
    told = json.dumps(payload(double, results(tmp_path, notable()))).encode()
    line = [interpreter(version), "-I", "-S", str(script), "--execute"]
    done = subprocess.run(line, input=told, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == "INFO nhi_notable: 1 written, 0 known, 0 failed, 0 no notable\n"
    assert [text for _, text in double.received] == [notable()]


def test_started_by_hand_it_says_who_starts_it() -> None:
    log = io.StringIO()
    assert alert.main([], io.StringIO(), log) == 2
    assert "--execute" in log.getvalue()


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"server_uri": 1, "session_key": "s"}'])
def test_a_payload_that_is_none_is_refused_in_one_line(text: str) -> None:
    log = io.StringIO()
    assert alert.main(["--execute"], io.StringIO(text), log) == 2
    assert log.getvalue().startswith("FATAL nhi_notable: ") and log.getvalue().count("\n") == 1


# ---- what is written


def test_a_revision_goes_into_the_risk_index_as_it_is(run: Run, double: Double) -> None:
    assert run(notable())[0] == 0
    where, text = double.received[0]
    assert (where["index"], where["sourcetype"]) == ("nhi_risk", fields.SOURCETYPE)
    assert text == notable()


def test_the_collector_gets_it_with_the_token_of_the_credential_store(run: Run, double: Double) -> None:
    assert run(notable(), via="collector", url=double.url)[0] == 0
    where, text = double.received[0]
    assert (where["index"], where["sourcetype"], where["time"]) == ("nhi_risk", "nhi:notable", "1772362800")
    assert HEC not in text


# ---- once


def test_the_same_rows_again_write_nothing(run: Run, double: Double) -> None:
    run(notable())
    code, told = run(notable(), notable())
    assert (code, len(double.received)) == (0, 1)
    assert "0 written, 2 known" in told


def test_the_risk_index_gets_each_revision(run: Run, double: Double) -> None:
    run(notable(), notable(revision=2, nhi_escalated="0"), notable(revision=3, severity="critical"))
    assert len(double.received) == 3


def test_two_members_of_a_cluster_at_once_write_each_notable_once(run: Run, double: Double) -> None:
    raws = [notable(f"{number:020x}") for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: run(*raws), range(4)))
    assert [code for code, _ in answers] == [0] * 4
    assert sorted(text for _, text in double.received) == sorted(raws)


def test_a_claim_that_was_never_confirmed_is_taken_over_after_a_while(run: Run, double: Double) -> None:
    key = f"{ID}.1.nhi_risk"
    double.collections["nhi_sent"][key] = {"_key": key, "state": "sending", "time": NOW}
    assert "0 written, 1 known" in run(notable(), now=NOW + alert.STALE - 1)[1]
    assert "1 written, 0 known" in run(notable(), now=NOW + alert.STALE)[1]
    assert double.collections["nhi_sent"][key]["state"] == "sent"


def test_what_was_sent_long_ago_is_forgotten(run: Run, double: Double) -> None:
    run(notable())
    run(notable(f"{1:020x}"), now=NOW + alert.KEPT + 1)
    assert list(double.collections["nhi_sent"]) == [f"{1:020x}.1.nhi_risk"]


# ---- what goes wrong


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again(run: Run, double: Double, status: int) -> None:
    double.faults += [Fault(status, "receivers"), Fault(status, "nhi_sent")]
    code, told = run(notable())
    assert (code, len(double.received)) == (0, 1), told
    assert len(double.waited) == 2  # type: ignore[attr-defined]


def test_the_server_says_how_long_to_wait_within_reason(run: Run, double: Double) -> None:
    double.faults += [
        Fault(503, "receivers", headers=(("Retry-After", "7"),)),
        Fault(503, "receivers", headers=(("Retry-After", "9999"),)),
    ]
    assert run(notable())[0] == 0
    assert double.waited == [7.0, rest.LONGEST_PAUSE]  # type: ignore[attr-defined]


def test_a_claim_whose_answer_was_lost_is_settled_by_a_later_run(run: Run, double: Double) -> None:
    double.faults.append(Fault(0, "nhi_sent", after=True))  # inserted, but the answer never came
    run(notable())
    run(notable(), now=NOW + alert.STALE)
    assert [text for _, text in double.received] == [notable()]


def test_a_server_that_stays_busy_fails_the_run_and_the_next_one_writes(run: Run, double: Double) -> None:
    double.faults += [Fault(503, "receivers")] * rest.ATTEMPTS
    code, told = run(notable(), notable(f"{1:020x}"))
    assert code == 1 and "ERROR nhi_notable: /services/receivers/simple: HTTP 503: Server is busy" in told
    assert "0 written, 0 known, 2 failed" in told, "what holds for the first row is not tried for all others"
    assert run(notable(), notable(f"{1:020x}"))[0] == 0
    assert len(double.received) == 2


def test_an_expired_session_is_named_with_a_remedy(run: Run, double: Double) -> None:
    double.session = "another"
    code, told = run(notable())
    assert code == 1 and "HTTP 401" in told and "the session or token has expired" in told
    assert SESSION not in told


def test_a_session_that_expires_in_the_middle_leaves_a_claim_that_a_later_run_takes_over(
    run: Run, double: Double
) -> None:
    double.faults += [Fault(401, "receivers"), Fault(401, "nhi_sent/")]
    assert run(notable())[0] == 1
    assert run(notable(), now=NOW + alert.STALE)[0] == 0
    assert len(double.received) == 1


def test_a_wrong_token_of_the_collector_is_named(run: Run, double: Double) -> None:
    double.secrets["nhi_watch:collector:"] = "old"
    code, told = run(notable(), via="collector", url=double.url)
    assert code == 1 and "HTTP 403: Invalid token" in told
    assert double.collections["nhi_sent"] == {}, "the claim is given back"


def test_a_missing_token_of_the_collector_is_named(run: Run, double: Double) -> None:
    double.secrets.clear()
    with pytest.raises(RestError, match="no secret nhi_watch:collector; keep the collector's token there"):
        run(notable(), via="collector", url=double.url)


def test_a_row_that_is_no_notable_is_named_and_its_neighbours_written(run: Run, double: Double) -> None:
    code, told = run("", "{}", notable("not-an-id"), notable())
    assert (code, len(double.received)) == (0, 1)
    assert "1 written, 0 known, 0 failed, 3 no notable" in told


@pytest.mark.parametrize("configuration", [
    {"via": "pigeon"}, {"index": "a b|delete"}, {"via": "collector"},
])  # fmt: skip
def test_a_wrong_configuration_says_what_to_write(configuration: Config) -> None:
    with pytest.raises(InputError, match=r"Write|Leave"):
        alert.options(configuration)


def test_a_damaged_results_file_is_an_error(double: Double, tmp_path: Path) -> None:
    path = tmp_path / "results.csv.gz"
    path.write_bytes(gzip.compress(b"_raw\nx\n" * 9999)[:40])
    with pytest.raises(InputError, match="results file"):
        alert.execute(payload(double, path), io.StringIO(), NOW)


# ---- TLS


def test_nothing_is_sent_without_tls() -> None:
    with pytest.raises(InputError, match="https"):
        rest.trust("http://127.0.0.1:8089")


def test_a_certificate_of_another_authority_is_refused_at_once(run: Run, double: Double, tmp_path: Path) -> None:
    other, _ = certificates(tmp_path, "Other")
    code, told = run(notable(), ca=str(other))
    assert code == 1 and "etc/auth/cacert.pem" in told
    assert double.asked == [] and double.waited == []  # type: ignore[attr-defined]


def test_an_authority_of_the_collector_is_trusted_besides_the_one_of_splunk(
    run: Run, double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc" / "auth"
    folder.mkdir(parents=True)
    (folder / "cacert.pem").write_bytes(double.ca.read_bytes())
    other, _ = certificates(folder, "Other")
    monkeypatch.setenv("SPLUNK_HOME", str(tmp_path))
    for spelled in (f"etc/auth/{other.name}", f"$SPLUNK_HOME/etc/auth/{other.name}", str(other), ""):
        assert run(notable(), ca=spelled)[0] == 0
    code, told = run(notable(), ca=str(double.ca), via="collector", url=double.url)
    assert code == 0, told


def test_elsewhere_than_on_the_loopback_the_name_is_compared_strictly() -> None:
    assert rest.trust("https://collector.example.com:8088").check_hostname
    assert not rest.trust("https://127.0.0.1:8089").check_hostname


def test_a_redirect_is_not_followed(double: Double) -> None:
    double.faults.append(Fault(302, headers=(("Location", f"{double.url}/services/receivers/simple"),)))
    client = Client(double.url, f"Splunk {SESSION}", rest.trust(double.url, double.ca))
    with pytest.raises(RestError, match="HTTP 302"):
        client.ask("GET", "/services/x")
    assert len(double.asked) == 1


# ---- the KV store


def test_an_unknown_collection_is_named_with_a_remedy(double: Double) -> None:
    kept = Collection(Client(double.url, f"Splunk {SESSION}", rest.trust(double.url, double.ca)), "nope")
    with pytest.raises(RestError, match="is the app installed and the KV store running"):
        kept.page({}, 1, "_key")


# ---- configuration


def test_every_option_is_configured_specified_and_in_the_form() -> None:
    stanza = conf("alert_actions.conf")["nhi_notable"]
    wanted = {field.name for field in dataclasses.fields(alert.Options)}
    assert {key[6:] for key in stanza if key.startswith("param.")} - {"_cam"} == wanted
    given = {name: stanza[f"param.{name}"] for name in wanted}
    assert alert.options(given) == alert.Options()
    spec = (ROOT / "README" / "alert_actions.conf.spec").read_text("utf-8")
    assert set(re.findall(r"^param\.(\w+) =", spec, re.MULTILINE)) == wanted
    saved = (ROOT / "README" / "savedsearches.conf.spec").read_text("utf-8")
    assert set(re.findall(r"^action\.nhi_notable\.param\.(\w+) =", saved, re.MULTILINE)) == wanted
    form = (ROOT / "default/data/ui/alerts/nhi_notable.html").read_text("utf-8")
    assert set(re.findall(r'name="action\.nhi_notable\.param\.(\w+)"', form)) == wanted
    offered = set(re.findall(r'option value="(\w+)"', form))
    assert offered == set(alert.WAYS)


def test_a_token_that_was_kept_with_its_lines_end_is_used_without(run: Run, double: Double) -> None:
    double.secrets["nhi_watch:collector:"] = f"{HEC}\n"
    assert run(notable(), via="collector", url=double.url)[0] == 0
    assert len(double.received) == 1
