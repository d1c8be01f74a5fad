"""Which module imports which, read from the source text: nothing is imported to find out."""

from __future__ import annotations

import ast
import functools
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "nhi_watch"

LAB = "nhi_watch_lab"
ORDER = ("core", "context", "intake", "state", "detect", "act", "report", "hosts", "cli")
"""The folders of the package as data flows through them: each may import itself and those to its left."""
SHIPPED = frozenset({"core", "context", "intake", "state", "detect", "hosts.splunk"})
"""What goes into the Splunk app: standard library only."""


def folder_of(module: str) -> str:
    """The folder of the package in which a module lies, "" for the package's own face.

    >>> folder_of("nhi_watch.detect.signals.bulk"), folder_of("nhi_watch.cli"), folder_of("nhi_watch")
    ('detect', 'cli', '')
    """
    return module.partition(".")[2].partition(".")[0]


class Import(NamedTuple):
    """One imported module and the line that asks for it."""

    module: str
    line: int


def sources(folder: str) -> list[Path]:
    """Python files below a folder of the project, in order.

    >>> Path(__file__).resolve() in sources("lab/tools")
    True
    """
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
    """Dotted name of a module of the project.

    >>> name_of(ROOT / "nhi_watch" / "state" / "store.py"), name_of(ROOT / "nhi_watch" / "__init__.py")
    ('nhi_watch.state.store', 'nhi_watch')
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree_of(path: Path) -> ast.Module:
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@functools.cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands in it; `from package import module` names the module."""
    return tuple(_imports(tree_of(path), name_of(path), path.name == "__init__.py"))


def _imports(tree: ast.Module, name: str, is_package: bool) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, is_package)
            yield from (Import(_module(base, alias.name), node.lineno) for alias in node.names)


def _absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parents = name.split(".")
    above = parents[: len(parents) - node.level + is_package]
    return ".".join(above + ([node.module] if node.module else []))


def _module(base: str, name: str) -> str:
    place = (ROOT / "lab" if base.startswith(LAB) else ROOT).joinpath(*base.split("."))
    return f"{base}.{name}" if (place / f"{name}.py").exists() or (place / name).is_dir() else base


def ships(module: str) -> bool:
    """Does this module of the package go into the Splunk app?

    >>> ships("nhi_watch.core.event"), ships("nhi_watch.hosts.elastic.run"), ships("nhi_watch.hosts.splunk.rows")
    (True, False, True)
    """
    head, _, rest = module.partition(".")
    if head != PACKAGE:
        return False
    parts = rest.split(".")
    return rest in ("", "hosts") or parts[0] in SHIPPED or ".".join(parts[:2]) in SHIPPED


def standard_library() -> frozenset[str]:
    """Names of the top-level modules of the running interpreter's standard library.

    >>> {"json", "sqlite3", "math", "sys", "__future__"} <= standard_library(), "pytest" in standard_library()
    (True, False)
    """
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return frozenset(known)
    here = Path(sysconfig.get_paths()["stdlib"])
    names = {path.name.partition(".")[0] for path in [*here.iterdir(), *here.glob("lib-dynload/*")]}
    return frozenset(names | set(sys.builtin_module_names))


PACKERS = frozenset({"package", "vendor"})
"""Build the app with the SDK of the environment that they run in; tests of the built app start Splunk's Pythons."""


@functools.cache
def needs_sdk(module: str) -> bool:
    """Whether a module of the app stands on the SDK that the app brings along.

    >>> needs_sdk("nhi_watch.hosts.splunk.nhidemo"), needs_sdk("nhi_watch.hosts.splunk.nhiscore")
    (True, False)
    """
    path = (ROOT / module.replace(".", "/")).with_suffix(".py")
    named = [name for name, _ in imports(path)] if path.exists() and ".splunk." in module else []
    return any(name.startswith("splunklib") or needs_sdk(name) for name in named)


def bare_tests(given: frozenset[str]) -> list[Path]:
    """The test files that reach nothing but the standard library, `given`, and what ships to Splunk."""
    allowed = standard_library() | given
    tests = (path for path in sources("tests") if path.name.startswith("test_"))
    return [path for path in tests if _is_bare(path, allowed, set())]


def _is_bare(path: Path, allowed: frozenset[str], seen: set[Path]) -> bool:
    seen.add(path)
    for module, _ in imports(path):
        local = _local(module)
        if module in PACKERS or needs_sdk(module):
            return False
        if local is not None:
            if local not in seen and not _is_bare(local, allowed, seen):
                return False
        elif not (ships(module) or module.partition(".")[0] in allowed):
            return False
    return True


def _local(module: str) -> Path | None:
    """The file of tests/ or tools/ that an import names, if any."""
    places = [ROOT / folder / f"{module}.py" for folder in ("tests", "lab/tools")]
    return next((place for place in places if place.exists()), None)
