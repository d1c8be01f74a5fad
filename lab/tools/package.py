"""Builds the Splunk app, dist/nhi_watch-VERSION.tar.gz, from a list of what may be in it.

The same sources give the same bytes: names are sorted, times, owners and modes are fixed. Nothing is taken
because it lies there: local/, dot files, tests, tools, state and the parts of the package that need other
libraries stay out. splunk-sdk is taken from the environment, as it is pinned there (vendor.py).
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import tarfile
from pathlib import Path

import sbom
import vendor
from layout import PACKAGE, ROOT, name_of, ships

APP = "nhi_watch"
PATTERNS = ("bin/*.py", "default/*.conf", "default/data/ui/*/*.xml", "default/data/ui/alerts/*.html", "README/*.spec")
DATA = frozenset({".json", ".gz", ".csv", ".bin"})
"""Endings of data files inside the package; a `.gz` is a compressed table."""
EPOCH = 1_577_836_800
"""2020-01-01: the time of every file in the archive."""


def main() -> int:
    """Write the archive and say where it is."""
    archive = build()
    print(f"{archive.relative_to(ROOT)}: {len(contents())} files, {archive.stat().st_size:,} bytes; beside it its SBOM")
    return 0


def build() -> Path:
    """Write the archive; its path."""
    archive = ROOT / "dist" / f"{APP}-{version()}.tar.gz"
    archive.parent.mkdir(exist_ok=True)
    members = contents()
    archive.write_bytes(pack(members))
    archive.with_name(f"{APP}-{version()}.cdx.json").write_bytes(members[sbom.NAME])
    return archive


def version() -> str:
    """The package's version; app.conf must say the same.

    Raises:
        ValueError: when app.conf says another one.
    """
    init = (ROOT / PACKAGE / "__init__.py").read_text("utf-8")
    own = re.findall(r'^__version__ = "([^"]+)"', init, re.MULTILINE)
    versions = re.findall(r"^version = (.+)$", (ROOT / "default" / "app.conf").read_text("utf-8"), re.MULTILINE)
    if len(own) != 1 or versions != own * 2:
        raise ValueError(f"default/app.conf says version {versions}, nhi_watch/__init__.py says {own}")
    return str(own[0])


def contents() -> dict[str, bytes]:
    """Path inside the app → bytes of every file that ships."""
    chosen = {path.relative_to(ROOT).as_posix(): path for path in _chosen()}
    files = {name: path.read_bytes() for name, path in chosen.items()}
    files["README.md"] = readme((ROOT / "docs" / "splunk.md").read_text("utf-8")).encode()
    files = dict(sorted({**files, **vendor.contents()}.items()))
    return {**files, sbom.NAME: sbom.bom(files, APP, version())}


def readme(page: str) -> str:
    """The page as it reads inside the app: without pictures, and without links to pages that are not there.

    >>> readme("a [b](c.md) [d](#e)\\n| ![p](p.png) |\\n|---|\\n| title |\\n\\nf\\n")
    'a b [d](#e)\\n\\nf\\n'
    """
    page = re.sub(r"(?:^\|.*\n)*^\|.*!\[.*\n(?:^\|.*\n)*", "", page, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]+)\]\((?!#|https:)[^)]+\)", r"\1", page)


def _chosen() -> list[Path]:
    paths = [ROOT / "LICENSE", ROOT / "metadata" / "default.meta"]
    for pattern in PATTERNS:
        paths += ROOT.glob(pattern)
    return [*paths, *filter(_ships, (ROOT / PACKAGE).rglob("*"))]


def _ships(path: Path) -> bool:
    if any(part.startswith((".", "__pycache__")) for part in path.relative_to(ROOT).parts):
        return False
    if path.suffix == ".py":
        return ships(name_of(path))
    return path.suffix in DATA and ships(name_of(path.parent / "__init__.py")) and path.is_file()


def pack(members: dict[str, bytes]) -> bytes:
    """A gzipped tar with one folder, the app's id, on top; the same members give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 9, packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        folders = {str(parent) for name in members for parent in Path(APP, name).parents} - {"."} | {f"{APP}/lookups"}
        for folder in sorted(folders):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0o755))
        for name, data in sorted(members.items()):
            entry = _entry(f"{APP}/{name}", tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, EPOCH
    return entry


if __name__ == "__main__":
    sys.exit(main())
