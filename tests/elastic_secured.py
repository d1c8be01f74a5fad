"""A real Elasticsearch node with security for the tests: a superuser in a file, API keys, basic licence, plain HTTP.

What Elastic's security needs beyond Maven Central is made here: the libraries of SAML, of which classes name types when
they are loaded and use none, as empty interfaces; and three kinds of text analysis.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from elasticsearch import ApiError, Elasticsearch, TransportError

from elastic_server import VERSIONS, Node, cached, describe, jars, java_for, resolve
from need import need
from nhi_watch.hosts.elastic.cluster import Connection, connect

USER, PASSWORD = "admin", "for-the-tests-only"
_HERE = Path(__file__).parent / "elasticsearch_server"
_SALT = b"nhi-watch"
_SAML = re.compile(rb"(?:org/opensaml|net/shibboleth)/[\w/]+/[A-Z]\w*")
_SETTINGS = """xpack.license.self_generated.type: basic
xpack.security.enabled: true
xpack.security.autoconfiguration.enabled: false
xpack.security.authc.realms.file.file1.order: 0
xpack.security.authc.api_key.enabled: true
"""
_TLS = """xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.certificate: http.crt
xpack.security.http.ssl.key: http.key
"""

Json = dict[str, Any]


class Secured(NamedTuple):
    """A running node, and its superuser."""

    url: str
    version: str
    admin: Elasticsearch
    node: Node


def modules(version: str) -> Path:
    """Folder of the modules that security takes."""
    return cached(f"{version}-secured", lambda folder: _make(version, folder))


def _make(version: str, folder: Path) -> None:
    core, security, analysis = (folder / name for name in ("x-pack-core", "x-pack-security", "analysis"))
    resolve(version, "secured.xml", core)
    for jar in (jars(version) / "lib").glob("*.jar"):
        (core / jar.name).unlink(missing_ok=True)
    security.mkdir()
    for jar in core.glob("x-pack-security-*.jar"):
        jar.rename(security / jar.name)
    sources = [_stub(folder / "saml", name) for name in _named(security.glob("*.jar"))]
    _compiled(version, sources, security / "saml.jar")
    analysis.mkdir()
    _compiled(version, [_HERE / "Analysis.java"], analysis / "analysis.jar")
    describe(core, version, "org.elasticsearch.xpack.core.XPackPlugin")
    describe(security, version, "org.elasticsearch.xpack.security.Security", "x-pack-core")
    describe(analysis, version, "Analysis")
    for name in ("saml", "maven", "classes"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _named(archives: Iterable[Path]) -> list[str]:
    """Types of SAML's libraries that some classes name."""
    result: set[bytes] = set()
    for archive in archives:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if name.endswith(".class"):
                    result.update(_SAML.findall(opened.read(name)))
    return sorted(name.decode() for name in result)


def _stub(folder: Path, name: str) -> Path:
    path = folder / f"{name}.java"
    path.parent.mkdir(parents=True, exist_ok=True)
    package, _, last = name.rpartition("/")
    path.write_text(f"package {package.replace('/', '.')};\npublic interface {last} {{}}\n")
    return path


def _compiled(version: str, sources: list[Path], archive: Path) -> None:
    classes = archive.parent.parent / "classes" / archive.stem
    listed = archive.with_suffix(".txt")
    listed.write_text("\n".join(f'"{path}"' for path in sources))
    compiler = [java_for(version) or "java", "-m", "jdk.compiler/com.sun.tools.javac.Main", "-nowarn"]
    library = ":".join(map(str, (jars(version) / "lib").glob("*.jar")))
    release = ["--release", str(VERSIONS[version])]
    subprocess.run([*compiler, *release, "-d", str(classes), "-cp", library, f"@{listed}"], check=True)
    listed.unlink()
    with zipfile.ZipFile(archive, "w") as zip_file:
        for path in sorted(classes.rglob("*.class")):
            zip_file.write(path, path.relative_to(classes))


class SecuredNode(Node):
    """A node with security; `admin` may do everything."""

    def __init__(self, version: str, path: Path) -> None:
        super().__init__(version, path)
        for module in modules(version).iterdir():
            shutil.copytree(module, path / "modules" / module.name)
        self.settings = _SETTINGS
        digest = hashlib.sha256(PASSWORD.encode() + _SALT).digest()
        text = base64.b64encode(_SALT).decode() + base64.b64encode(digest).decode()
        (path / "config" / "users").write_text(f"{USER}:{{SSHA256}}{text}\n")
        (path / "config" / "users_roles").write_text(f"superuser:{USER}\n")

    def speak_tls(self, certificate: bytes, private: bytes) -> None:
        """Serve HTTPS."""
        for name, content in (("http.crt", certificate), ("http.key", private)):
            (self.home / "config" / name).write_bytes(content)
        self.settings += _TLS
        self.scheme = "https"


@contextmanager
def running(version: str, path: Path) -> Iterator[Secured]:
    """Start a node and wait until it lets its superuser in."""
    need(java_for(version), f"Elasticsearch {version} needs Java {VERSIONS[version]} or newer")
    node = SecuredNode(version, path)
    try:
        url = node.start()
        with Elasticsearch(url, basic_auth=(USER, PASSWORD), request_timeout=60) as admin:
            wait(admin)
            yield Secured(url, version, admin, node)
    finally:
        node.remove()


def wait(admin: Elasticsearch, seconds: float = 180.0) -> None:
    """Until keys can be made and are taken: the index of keys comes some seconds after the rest."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            admin.cluster.health(wait_for_status="yellow", timeout="5s")
            admin.security.get_api_key(owner=True)
            return
        except (ApiError, TransportError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def key(admin: Elasticsearch, request: Json) -> str:
    """The encoded key that a request makes."""
    return str(admin.security.create_api_key(**request)["encoded"])


@contextmanager
def keyed(server: Secured, request: Json) -> Iterator[Elasticsearch]:
    """Our client with such a key."""
    with connect(Connection((server.url,), key(server.admin, request), timeout=30)) as client:
        yield client


@pytest.fixture(scope="session")
def secured(elastic_version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One node of a version, started once a session."""
    with running(elastic_version, tmp_path_factory.mktemp("secured")) as server:
        yield server
