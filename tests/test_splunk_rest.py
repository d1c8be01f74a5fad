"""How splunkd is asked: again while it is busy, over TLS alone, against a double of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.splunk import rest
from nhi_watch.hosts.splunk.rest import Client, Collection, RestError
from splunk_rest import SESSION, Double, Fault, certificates, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with serving(tmp_path_factory.mktemp("tls")) as double:
        yield double


@pytest.fixture
def double(running: Double) -> Double:
    url, ca = running.url, running.ca
    running.__init__()  # type: ignore[misc]
    running.url, running.ca = url, ca
    return running


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def kept(double: Double, waited: list[float]) -> Collection:
    return collection(double, double.ca, waited)


def collection(double: Double, ca: Path, waited: list[float], name: str = "nhi_state") -> Collection:
    return Collection(Client(double.url, f"Splunk {SESSION}", rest.trust(double.url, ca), waited.append), name)


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again(kept: Collection, double: Double, waited: list[float], status: int) -> None:
    double.faults += [Fault(status, "nhi_state")] * 2
    assert kept.insert({"_key": "a", "v": ""})
    assert (list(double.collections["nhi_state"]), waited) == (["a"], [1.0, 2.0])


def test_the_server_says_how_long_to_wait_within_reason(
    kept: Collection, double: Double, waited: list[float]
) -> None:
    double.faults += [Fault(503, "nhi_state", headers=(("Retry-After", told),)) for told in ("7", "9999")]
    kept.page({}, 1, "_key")
    assert waited == [7.0, rest.LONGEST_PAUSE]


def test_a_server_that_stays_busy_is_named(kept: Collection, double: Double) -> None:
    double.faults += [Fault(503, "nhi_state")] * rest.ATTEMPTS
    with pytest.raises(RestError, match="nhi_state: HTTP 503: Server is busy"):
        kept.page({}, 1, "_key")


def test_an_expired_session_is_named_with_a_remedy(kept: Collection, double: Double) -> None:
    double.session = "another"
    with pytest.raises(RestError, match=r"HTTP 401.*the session has expired") as told:
        kept.page({}, 1, "_key")
    assert SESSION not in str(told.value)


def test_an_unknown_collection_is_named_with_a_remedy(double: Double) -> None:
    with pytest.raises(RestError, match="is the app installed and the KV store running"):
        collection(double, double.ca, [], "nope").page({}, 1, "_key")


# ---- TLS


def test_nothing_is_sent_without_tls() -> None:
    with pytest.raises(InputError, match="https"):
        rest.trust("http://127.0.0.1:8089")


def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "cacert.pem").write_text("none", "utf-8")
    with pytest.raises(InputError, match="no certificates of authorities"):
        rest.trust("https://127.0.0.1:8089", tmp_path / "cacert.pem")


def test_a_certificate_of_another_authority_is_refused_at_once(
    double: Double, tmp_path: Path, waited: list[float]
) -> None:
    other, _ = certificates(tmp_path, "Other")
    with pytest.raises(RestError, match=r"etc/auth/cacert\.pem"):
        collection(double, other, waited).page({}, 1, "_key")
    assert (double.asked, waited) == ([], [])


def test_elsewhere_than_on_the_loopback_the_name_is_compared_strictly() -> None:
    assert rest.trust("https://splunk.example.com:8089").check_hostname
    assert not rest.trust("https://127.0.0.1:8089").check_hostname


def test_a_redirect_is_not_followed(double: Double) -> None:
    double.faults.append(Fault(302, headers=(("Location", f"{double.url}/services/y"),)))
    client = Client(double.url, f"Splunk {SESSION}", rest.trust(double.url, double.ca))
    with pytest.raises(RestError, match="HTTP 302"):
        client.ask("GET", "/services/x")
    assert len(double.asked) == 1
