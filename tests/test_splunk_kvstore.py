"""The state in the KV store: the contract of stores, its limits, who may write, and how splunkd is asked over TLS."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from nhi_watch.core.errors import InputError, StoreError
from nhi_watch.hosts.splunk import kvstore, rest
from nhi_watch.hosts.splunk.kvstore import GENERATIONS, KEPT, LEASE, STATE, BusyError, Generation, KvStore
from nhi_watch.hosts.splunk.rest import Client, Collection, RestError
from splunk_kvstore import Direct, KvDouble, Limits
from splunk_rest import SESSION, Double, Fault, certificates, serving
from store_contract import Open, StoreContract

NOW = 1_790_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def made(limits: Limits = Limits()) -> KvDouble:  # noqa: B008 - immutable
    return KvDouble((STATE, GENERATIONS), limits)


def collection(double: KvDouble, name: str) -> Collection:
    return Collection(cast(Client, Direct(double)), name)


def opened(double: KvDouble, clock: Clock, owner: str = "sh1") -> KvStore:
    return KvStore(collection(double, STATE), lambda: Generation(collection(double, GENERATIONS), owner, clock))


@pytest.fixture
def double() -> KvDouble:
    return made()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestContract(StoreContract):
    """What every store must do, over HTTPS."""

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Open]:
        with serving(tmp_path) as server:
            client = Client(server.url, f"Splunk {SESSION}", rest.trust(server.url, server.ca))
            ticks = count(NOW, 10 * LEASE)  # each run a long time after the one before, which may not have ended

            def store() -> KvStore:
                at = next(ticks)
                kept = Collection(client, STATE)
                return KvStore(kept, lambda: Generation(Collection(client, GENERATIONS), "sh1", lambda: at))

            yield store


def test_of_two_members_that_begin_together_one_is_refused(double: KvDouble, clock: Clock) -> None:
    double.lag()  # each member's replica shows that nobody holds the state
    opened(double, clock, "sh1")
    with pytest.raises(BusyError, match="another search has started to rank"):
        opened(double, clock, "sh2")


def test_a_run_that_is_going_on_is_left_alone(double: KvDouble, clock: Clock) -> None:
    opened(double, clock, "sh1")
    clock.now += LEASE - 60
    with pytest.raises(BusyError, match="sh1 began holds the state until it ends, or for 1 minutes"):
        opened(double, clock, "sh2")


def test_a_run_that_died_is_succeeded_and_can_write_no_more(double: KvDouble, clock: Clock) -> None:
    first = opened(double, clock, "sh1")
    first.put("meta", [("a", b"old")])
    clock.now += LEASE + 1
    second = opened(double, clock, "sh2")
    clock.now -= 200  # the first one's clock is slow: it does not know that its time is over
    with pytest.raises(StoreError, match="took too long"):
        first.commit()
    second.put("meta", [("a", b"new")])
    second.commit()
    assert KvStore(collection(double, STATE)).get("meta", ["a"]) == {"a": b"new"}


def test_one_that_died_while_it_wrote_is_succeeded_after_its_period(double: KvDouble, clock: Clock) -> None:
    first = opened(double, clock)
    first.put("meta", [(f"{n}", b"x") for n in range(1_500)])
    double.stops_after = 1_200
    with pytest.raises(RestError, match="503"):
        first.commit()
    double.stops_after = -1
    clock.now += LEASE + 1
    with pytest.raises(BusyError, match="or for 15 minutes if it no longer runs"):
        opened(double, clock)
    clock.now += LEASE
    opened(double, clock)


class Slow(Direct):
    """Each request of some kinds takes its time."""

    def __init__(self, double: KvDouble, clock: Clock, seconds: float, path: str) -> None:
        super().__init__(double)
        self._clock, self._seconds, self._path = clock, seconds, path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._clock.now += self._seconds * (self._path in path)
        return super().ask(method, path, body)


def slowed(double: KvDouble, clock: Clock, seconds: float, path: str) -> KvStore:
    slow = Collection(cast(Client, Slow(double, clock, seconds, path)), STATE)
    return KvStore(slow, lambda: Generation(collection(double, GENERATIONS), "sh1", clock))


@pytest.mark.parametrize("writes", [True, False])
def test_a_run_that_works_for_hours_keeps_the_state(double: KvDouble, clock: Clock, writes: bool) -> None:
    """A close of 100,000 identities took longer than a lease, and was started again for ever."""
    store = slowed(double, clock, 300, "batch_save" if writes else "query")
    if not writes:
        store.put("day", [(f"{n:05d}", bytes(40_000)) for n in range(1_000)])
        store.flush()
    began = clock.now
    for number in range(24):
        if writes:
            store.put("day", [(f"{number:05d}", b"x")])
            store.flush()
        else:
            assert len(list(store.scan("day", f"{40 * number:05d}", f"{40 * number + 20:05d}"))) == 20
        with pytest.raises(BusyError, match="sh1 began holds the state"):
            opened(double, clock, "sh2")
    assert clock.now - began >= 2 * 3_600
    store.commit()
    opened(double, clock, "sh2")


def test_behind_a_piece_of_work_of_more_than_a_period_nothing_is_written(double: KvDouble, clock: Clock) -> None:
    store = slowed(double, clock, LEASE + 1, "batch_save")
    store.put("meta", [(f"{n:05d}", b"x") for n in range(9_500)])
    with pytest.raises(StoreError, match="took too long"):
        store.commit()
    assert len(double.captain[STATE]) == 2_000, "two periods were taken before"


def test_a_run_whose_clock_is_behind_stops_at_the_next_link(double: KvDouble, clock: Clock) -> None:
    first = opened(double, clock, "sh1")
    first.put("meta", [("a", b"old")])
    first.flush()
    clock.now += 2 * LEASE + 1
    second = opened(double, clock, "sh2")
    clock.now -= 4 * 60
    first.put("meta", [("a", b"older")])
    with pytest.raises(StoreError, match="took too long"):
        first.flush()
    second.put("meta", [("a", b"new")])
    second.commit()
    assert KvStore(collection(double, STATE)).get("meta", ["a"]) == {"a": b"new"}


def test_much_is_written_before_the_end_and_one_that_fails_then_is_run_again(
    double: KvDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kvstore, "MAX_BUFFERED", 10_000)
    store = opened(double, clock)
    for number in range(50):
        store.put("day", [(f"{number:05d}", b"x" * 900)])
    assert store.get("day", ["00000"]) == {"00000": b"x" * 900}
    assert len(list(store.scan("day", "", ":"))) == 50, "what lies far and what is held"
    assert 40 <= len(double.captain[STATE]) < 50
    store.close()
    again = opened(double, clock)
    again.put("day", [(f"{number:05d}", b"y") for number in range(50)])
    again.commit()
    assert {row for _, row in again.scan("day", "", ":")} == {b"y"}


def test_who_sees_a_closed_generation_sees_all_that_it_wrote(double: KvDouble, clock: Clock) -> None:
    store = opened(double, clock)
    store.put("meta", [(f"{n:04d}", b"x") for n in range(1_500)])
    double.lag()
    store.commit()
    writes = len(double._log)
    for step in range(0, writes, 100):
        double.replicate(100)
        try:
            opened(double, clock)
        except BusyError:
            continue
        assert len(list(KvStore(collection(double, STATE)).scan("meta", "", ":"))) == 1_500, step
        return
    raise AssertionError("nobody can ever go on")


def test_rows_are_written_in_the_order_in_which_they_were_put(double: KvDouble, clock: Clock) -> None:
    store = opened(double, clock)
    store.put("delta", [(f"{n:04d}", b"x") for n in range(1_100)])
    store.put("delta", [("0500", None)])
    store.put("day", [("0001", b"last")])
    double.stops_after = 1_100
    with pytest.raises(RestError):
        store.commit()
    assert "day/0001" not in double.captain[STATE]
    assert "delta/1099" in double.captain[STATE]


def test_a_run_that_was_cut_off_is_written_again_by_the_next(double: KvDouble, clock: Clock) -> None:
    """One that died between two batches leaves rows that replace themselves."""
    for stop in (0, 1, 999, 1_000, 1_001, 2_499):
        store = opened(double, clock)
        store.put("day", [(f"{n:05d}", b"%d" % stop) for n in range(2_500)])
        double.stops_after = stop
        with pytest.raises(RestError):
            store.commit()
        double.stops_after = -1
        clock.now += 3 * LEASE
        store = opened(double, clock)
        store.put("day", [(f"{n:05d}", b"%d" % stop) for n in range(2_500)])
        store.commit()
        assert {row for _, row in store.scan("day", "", ":")} == {b"%d" % stop}


@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(max_documents_per_batch_save=1_000, max_size_per_batch_save_mb=50),
        Limits(max_size_per_result_mb=0.01, max_size_per_batch_result_mb=0.01),
        Limits(max_size_per_result_mb=0.01, truncates=True),
    ],
)
def test_batches_stay_within_the_limits(limits: Limits, clock: Clock) -> None:
    double = made(limits)
    store = opened(double, clock)
    rows = {f"{n:05d}": random.Random(n).randbytes(900) for n in range(2_345)}
    store.put("day", rows.items())
    store.commit()
    assert dict(store.scan("day", "", ":")) == rows
    some = sorted(rows)[::3]
    assert store.get("day", some) == {name: rows[name] for name in some}


def test_answers_that_are_cut_short_lose_no_row(clock: Clock) -> None:
    """2,000 rows of busy identity-days pass 50 MB; a short page was taken for the end, and its day learnt in part."""
    double = made(Limits(truncates=True))
    store = opened(double, clock)
    rows = {f"020001/{n:05d}": bytes(31_000 if n > 300 else 100) for n in range(3_000)}
    store.put("day", rows.items())
    store.commit()
    assert dict(store.scan("day", "020001/", "0200010")) == rows
    double.limits = Limits(max_size_per_batch_result_mb=10, truncates=True)
    some = [f"020001/{n:05d}" for n in range(290, 800)]
    assert store.get("day", some) == {name: rows[name] for name in some}


def test_pages_of_large_rows_are_small(double: KvDouble, clock: Clock) -> None:
    store = opened(double, clock)
    store.put("day", [(f"{n:05d}", bytes(31_000)) for n in range(1_000)])
    store.commit()
    largest = 0

    class Watched(Direct):
        """Remembers the largest answer."""

        def ask(self, method: str, path: str, body: Any = None) -> Any:
            nonlocal largest
            double.costs["read"] = 0
            result = super().ask(method, path, body)
            largest = max(largest, double.costs["read"])
            return result

    read = KvStore(Collection(cast(Client, Watched(double)), STATE))
    assert len(list(read.scan("day", "", ":"))) == 1_000
    assert largest < 10 << 20


def test_rows_of_many_megabytes_are_sent_apart_and_one_too_large_is_told(double: KvDouble, clock: Clock) -> None:
    store = opened(double, clock)
    store.put("day", [(f"{n}", b"x" * (9 << 20)) for n in range(5)])
    store.commit()
    assert len(double.captain[STATE]) == 5
    store.put("day", [("6", b"x" * (13 << 20))])
    with pytest.raises(StoreError, match=r"the row day/6 has 18,\d+,\d+ bytes"):
        store.commit()


def test_only_what_is_asked_for_is_read(double: KvDouble, clock: Clock) -> None:
    store = opened(double, clock)
    store.put("profile", [(f"{n:05d}", b"x" * 500) for n in range(5_000)])
    store.commit()
    double.costs.update(requests=0, read=0)
    store.get("profile", [f"{n:05d}" for n in range(0, 5_000, 100)])
    assert double.costs["requests"] == 1
    assert double.costs["read"] < 50 * 900


def test_an_altered_row_is_told(double: KvDouble, clock: Clock) -> None:
    double.captain[STATE]["meta/a"] = {"_key": "meta/a", "v": "no base64!"}
    with pytest.raises(StoreError, match="'meta/a' of the KV store was altered"):
        opened(double, clock).get("meta", ["a"])


def test_a_run_that_had_nothing_to_write_or_failed_lets_the_next_one_in(double: KvDouble, clock: Clock) -> None:
    opened(double, clock).commit()
    opened(double, clock).close()
    failed = opened(double, clock)
    failed.put("meta", [("a", b"1")])
    failed.close()
    assert opened(double, clock).get("meta", ["a"]) == {}


def test_old_generations_are_forgotten(double: KvDouble, clock: Clock) -> None:
    for number in range(20):
        store = opened(double, clock)
        store.put("meta", [("n", b"%d" % number)])
        store.commit()
    assert len(double.captain[GENERATIONS]) <= 2 * (KEPT + 1)


def test_whoever_only_reads_claims_nothing(double: KvDouble) -> None:
    store: Any = KvStore(collection(double, STATE))
    store.put("meta", [("a", b"1")])
    with pytest.raises(StoreError, match="opened read-only"):
        store.commit()
    assert double.captain[GENERATIONS] == {}


def test_rows_that_were_never_there_cost_no_deletion(double: KvDouble, clock: Clock) -> None:
    """A run takes back two marks for each identity that it scores, and hardly any of them has one."""
    store = opened(double, clock)
    store.put("day", [(f"{n:05d}", b"x") for n in range(0, 1_000, 100)])
    store.commit()
    double.costs["requests"] = 0
    store = opened(double, clock)
    store.put("day", [row for n in range(1_000) for row in ((f"{n:05d}", None), (f"x{n:05d}", b"x"))])
    store.commit()
    assert [key for key in double.captain[STATE] if key.startswith("day/0")] == []
    assert double.costs["requests"] < 12, "a batch, two looks, a deletion, and the generation"


# ---- how splunkd is asked: again while it is busy, over TLS alone


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with serving(tmp_path_factory.mktemp("tls")) as double:
        yield double


@pytest.fixture
def splunkd(running: Double) -> Double:
    url, ca = running.url, running.ca
    running.__init__()  # type: ignore[misc]
    running.url, running.ca = url, ca
    return running


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def kept(splunkd: Double, waited: list[float]) -> Collection:
    return reached(splunkd, splunkd.ca, waited)


def reached(splunkd: Double, ca: Path, waited: list[float], name: str = "nhi_state") -> Collection:
    return Collection(Client(splunkd.url, f"Splunk {SESSION}", rest.trust(splunkd.url, ca), waited.append), name)


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again(kept: Collection, splunkd: Double, waited: list[float], status: int) -> None:
    splunkd.faults += [Fault(status, "nhi_state")] * 2
    assert kept.insert({"_key": "a", "v": ""})
    assert (list(splunkd.collections["nhi_state"]), waited) == (["a"], [1.0, 2.0])


def test_the_server_says_how_long_to_wait_within_reason(kept: Collection, splunkd: Double, waited: list[float]) -> None:
    splunkd.faults += [Fault(503, "nhi_state", headers=(("Retry-After", seconds),)) for seconds in ("7", "9999")]
    kept.page({}, 1, "_key")
    assert waited == [7.0, rest.LONGEST_PAUSE]


def test_what_ends_it_is_named_with_a_remedy(kept: Collection, splunkd: Double) -> None:
    with pytest.raises(RestError, match="is the app installed and the KV store running"):
        reached(splunkd, splunkd.ca, [], "nope").page({}, 1, "_key")
    splunkd.faults += [Fault(503, "nhi_state")] * rest.ATTEMPTS
    with pytest.raises(RestError, match="nhi_state: HTTP 503: Server is busy"):
        kept.page({}, 1, "_key")
    splunkd.session = "another"
    with pytest.raises(RestError, match=r"HTTP 401.*the session has expired") as raised:
        kept.page({}, 1, "_key")
    assert SESSION not in str(raised.value)


# ---- TLS


def test_nothing_is_sent_without_tls_or_certificates_of_authorities(tmp_path: Path) -> None:
    (tmp_path / "cacert.pem").write_text("none", "utf-8")
    for scheme, words in (("http", "https"), ("https", "no certificates of authorities")):
        with pytest.raises(InputError, match=words):
            rest.trust(f"{scheme}://127.0.0.1:8089", tmp_path / "cacert.pem")


def test_a_certificate_of_another_authority_is_refused_at_once(
    splunkd: Double, tmp_path: Path, waited: list[float]
) -> None:
    other, _ = certificates(tmp_path, "Other")
    with pytest.raises(RestError, match=r"etc/auth/cacert\.pem"):
        reached(splunkd, other, waited).page({}, 1, "_key")
    assert (splunkd.asked, waited) == ([], [])


def test_elsewhere_than_on_the_loopback_the_name_is_compared_strictly() -> None:
    assert rest.trust("https://splunk.example.com:8089").check_hostname
    assert not rest.trust("https://127.0.0.1:8089").check_hostname


def test_a_redirect_is_not_followed(splunkd: Double) -> None:
    splunkd.faults.append(Fault(302, headers=(("Location", f"{splunkd.url}/services/y"),)))
    client = Client(splunkd.url, f"Splunk {SESSION}", rest.trust(splunkd.url, splunkd.ca))
    with pytest.raises(RestError, match="HTTP 302"):
        client.ask("GET", "/services/x")
    assert len(splunkd.asked) == 1


# ---- the connection


def test_all_requests_of_a_client_use_one_connection(kept: Collection, splunkd: Double) -> None:
    for number in range(20):
        kept.save([{"_key": str(number), "v": ""}])
    assert (len(kept.page({}, 50, "_key")), splunkd.connections) == (20, 1)


def test_a_connection_that_splunkd_has_closed_meanwhile_is_opened_again_without_waiting(
    kept: Collection, splunkd: Double, waited: list[float]
) -> None:
    kept.save([{"_key": "a", "v": ""}])
    splunkd.faults.append(Fault(0, "nhi_state"))
    assert len(kept.page({}, 50, "_key")) == 1
    assert (splunkd.connections, waited) == (2, [])
