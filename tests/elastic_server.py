"""A real Elasticsearch node for the tests: Maven Central's jars, a free port, a temporary folder.

The jars of a version are fetched once into the user's cache. The node picks its own port, tells it in
a file, and ends with the process that started it, however that one ends.

NHI_TEST_ELASTIC=URL takes a server that runs already: for one who tests again and again.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple, Optional
from unittest.mock import patch

import pytest
from elasticsearch import Elasticsearch

from need import need
from nhi_watch import cli
from nhi_watch.hosts.elastic.cluster import Connection, connect

VERSIONS = {"8.19.21": 17, "9.5.3": 21}
"""Version of the server → oldest Java that runs it."""
NEWEST = max(VERSIONS, key=lambda version: int(version.partition(".")[0]))
RUNNING = os.environ.get("NHI_TEST_ELASTIC", "")
FIRST = int(time.time()) if RUNNING else 0
"""Where the numbers in names of tests begin."""

ROOT = Path(__file__).parents[1]
_HERE = ROOT / "tests" / "elasticsearch_server"
_DESCRIPTOR = """name={name}
description=for the tests
version={version}
elasticsearch.version={version}
java.version=17
classname={plugin}
extended.plugins={extends}
"""
_SETTINGS = """cluster.name: nhi-{pid}
node.portsfile: true
network.host: 127.0.0.1
http.port: {port}
transport.port: 0
cluster.routing.allocation.disk.threshold_enabled: false
cluster.max_shards_per_node: 10000
{discovery}
"""
_SINGLE = "node.name: test\ncluster.initial_master_nodes: [test]"
_JOINS = "node.name: second\nnode.roles: [data, ingest]\ndiscovery.seed_hosts: ['{seeds}']"
"""A node that may be lost: the first one alone is master."""
_LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%p][%c{1.}]%marker %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""
_FOR_TESTS = ("-Xms512m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""A node that runs for minutes is not worth being compiled well, which takes more than half of its processor time."""


class Server(NamedTuple):
    """A running node."""

    url: str
    version: str
    client: Elasticsearch


def java_for(version: str) -> str | None:
    """Path of a java that is new enough for the version."""
    by_session = [os.environ.get("JAVA_HOME", ""), *map(str, sorted(Path("/usr/lib/jvm").glob("*")))]
    candidates = ["java", *(f"{home}/bin/java" for home in by_session if home)]
    return next((java for java in candidates if _release(java) >= VERSIONS[version]), None)


def _release(java: str) -> int:
    if shutil.which(java) is None:
        return 0
    text = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    words = text.split('"')
    return int(words[1].split(".")[0]) if len(words) > 1 and words[1].split(".")[0].isdigit() else 0


def jars(version: str) -> Path:
    """Folder with lib/ and modules/ of a version; fetched by Maven when it is not there yet."""
    return cached(version, lambda folder: _fetch(version, folder))


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nhi-watch" / "elasticsearch"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / name).exists():
            part = cache / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            make(part)
            part.rename(cache / name)
    return cache / name


def _fetch(version: str, folder: Path) -> None:
    library, module = folder / "lib", folder / "modules" / "transport-netty4"
    resolve(version, "pom.xml", library)
    module.mkdir(parents=True)
    for pattern in ("netty-*", "transport-netty4-*", "elasticsearch-ssl-config-*"):
        for jar in library.glob(pattern):
            jar.rename(module / jar.name)
    describe(module, version, "org.elasticsearch.transport.netty4.Netty4Plugin")


def resolve(version: str, pom: str, into: Path) -> None:
    """Let Maven copy what one of our lists of jars names."""
    need(shutil.which("mvn"), "needs Maven to fetch Elasticsearch")
    work = into.parent / "maven"
    work.mkdir(parents=True, exist_ok=True)
    shutil.copy(_HERE / pom, work / "pom.xml")
    command = ["mvn", "-q", "-B", f"-Dserver.version={version}", "dependency:copy-dependencies"]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={into}"]
    subprocess.run([*command, *options], cwd=work, check=True, stdout=subprocess.DEVNULL)


def describe(module: Path, version: str, plugin: str, extends: str = "") -> None:
    """Make a folder of jars a module of the server."""
    text = _DESCRIPTOR.format(name=module.name, version=version, plugin=plugin, extends=extends)
    (module / "plugin-descriptor.properties").write_text(text)


class Node:
    """A node whose data stays in `home` while it is killed and started again, on the port that it had before."""

    def __init__(self, version: str, path: Path, heap: str = "", joins: Optional[Node] = None) -> None:
        self.version = version
        self.home = path
        self.settings = ""
        """More lines of its configuration."""
        self.scheme = "http"
        self._options = (f"-Xms{heap}", f"-Xmx{heap}") if heap else _FOR_TESTS
        self._port = 0
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._library = f"{jars(version)}/lib/*"
        shutil.copytree(jars(version) / "modules", path / "modules")
        for name in ("config", "logs", "plugins"):
            (path / name).mkdir()
        (path / "config" / "log4j2.properties").write_text(_LOGGING)
        self._discovery = _SINGLE if joins is None else _JOINS.format(seeds=joins.address("transport"))

    def start(self) -> str:
        """Start it and wait until it listens; returns its URL."""
        java = java_for(self.version)
        need(java, f"Elasticsearch {self.version} needs Java {VERSIONS[self.version]} or newer")
        settings = _SETTINGS.format(pid=os.getpid(), port=self._port, discovery=self._discovery) + self.settings
        (self.home / "config" / "elasticsearch.yml").write_text(settings)
        for ports in (self.home / "logs").glob("*.ports"):
            ports.unlink()
        command = [str(java), *self._options, "-cp", self._library, str(_HERE / "Server.java"), str(self.home)]
        with (self.home / "server.log").open("a") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        url = f"{self.scheme}://{self.address('http')}"
        self._port = int(url.rpartition(":")[2])
        return url

    @property
    def pid(self) -> int:
        """Of its process; 0: not started."""
        return self._process.pid if self._process is not None else 0

    @property
    def processor(self) -> float:
        """Seconds of processor time that it took so far."""
        return processor(self.pid)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Kill it, and start it again without waiting for it to be ready."""
        self.kill()
        self.start()

    def remove(self) -> None:
        """End it, and take its data away."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def address(self, kind: str) -> str:
        """Host and port; waits until the node has written them down."""
        assert self._process is not None, "not started"
        deadline = time.monotonic() + 300
        ports = self.home / "logs" / f"{kind}.ports"
        while time.monotonic() < deadline and self._process.poll() is None:
            if ports.exists() and ports.read_text().strip():
                return ports.read_text().split()[0]
            time.sleep(0.1)
        pytest.fail(f"Elasticsearch did not start: {(self.home / 'server.log').read_text()[-2000:]}")


def processor(pid: int) -> float:
    """Seconds of processor time that a process took so far; on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(version: str, path: Path, heap: str = "") -> Iterator[Server]:
    """Start a node in `path`, give it, and end it when the caller is done; with a heap it is one to measure."""
    node = Node(version, path, heap)
    try:
        url = node.start()
        with connect(Connection((url,))) as client:
            client.cluster.health(wait_for_status="yellow", timeout="60s")
            yield Server(url, version, client)
    finally:
        node.remove()


def running(url: str) -> Iterator[Server]:
    """A server that runs already; tests that ran on it before have used other names."""
    with connect(Connection((url,))) as client:
        for name in client.indices.get(index="nhi-state-*").body:
            client.indices.delete(index=name)
        (node,) = client.nodes.info()["nodes"].values()
        yield Server(url, node["version"], client)


@pytest.fixture(scope="session")
def elastic_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Gives the node of a version, which runs until the session ends."""
    with ExitStack() as stack:

        @cache
        def node(version: str) -> Server:
            start = running(RUNNING) if RUNNING else run(version, tmp_path_factory.mktemp("elastic"))
            return stack.enter_context(contextmanager(lambda: start)())

        yield node


def nhi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`nhi elastic` in this process, with nothing of NHI_… but what is told; test_elastic_texts starts processes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NHI_")}
    out, error = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, {**kept, **environment}, clear=True), redirect_stdout(out), redirect_stderr(error):
        code = cli.main(["elastic", *arguments])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), error.getvalue())


def environment(**variables: str) -> dict[str, str]:
    """Of a process of its own: nothing of NHI_… and of proxies but what is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NHI_", "HTTP", "http"))}
    return {**kept, **variables}


def started(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`nhi elastic` in a process of its own."""
    command = [sys.executable, "-m", "nhi_watch.cli", "elastic", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment(**variables))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test on Elasticsearch runs on the newest version; one that is marked `both_versions`, with why, on each."""
    if "elastic_version" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_versions")
        chosen = [""] if RUNNING else sorted(VERSIONS) if both else [NEWEST]
        metafunc.parametrize("elastic_version", chosen, indirect=True, scope="session")


@pytest.fixture(scope="session")
def elastic_version(request: pytest.FixtureRequest) -> str:
    """Of the server that a test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def elastic(elastic_version: str, elastic_nodes: Callable[[str], Server]) -> Server:
    """One node of a version, started once a session; data is the tests' own: use distinct names."""
    return elastic_nodes(elastic_version)
