"""The shape of the project: which part may import which, and the rules that hold for every file."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from layout import LAB, ORDER, PACKAGE, ROOT, folder_of, imports, name_of, ships, sources, standard_library, tree_of

pytestmark = pytest.mark.slow  # reads the sources, which are the same on every Python
TRAINING_ONLY = {"sklearn", "numpy", "scipy", "joblib", "pyod", "river"}
VENDORED = {"splunklib"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
MACHINE_PATH = re.compile(r"(?<![\w.:])/(?:work|tmp|root|home)/")
MODULES = sources(PACKAGE)
LABORATORY = sources(f"lab/{LAB}")
EXAMS = {ROOT / "lab" / LAB / f"{kind}_world" for kind in ("second", "third", "fourth", "fifth")}
"""Worlds by other hands, as they were handed in."""
TEXTS = {".py", ".md", ".toml", ".conf", ".meta", ".json", ".csv", ".xml", ".j2", ".css", ".js", ".lock", ""}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_flow_one_way() -> None:
    folders = {folder_of(name_of(path)) for path in MODULES}
    assert folders <= {*ORDER, "schemas", ""}, "a new folder needs a place in ORDER of lab/tools/layout.py"
    assert not [
        f"{name(path)}, line {line}: must not import {module}"
        for path in MODULES
        for module, line in imports(path)
        if module.startswith(f"{PACKAGE}.") and not may_import(folder_of(name_of(path)), folder_of(module))
    ]


def may_import(mine: str, other: str) -> bool:
    """The command line is above all; the package's face is above all but that."""
    if other in ("", mine) or not mine:
        return other != "cli" or mine == "cli"
    return other in ORDER and mine in ORDER and ORDER.index(other) < ORDER.index(mine)


def test_the_package_does_not_need_the_laboratory() -> None:
    """The command line asks whether it is installed."""
    assert not [name(path) for path in MODULES for module, _ in imports(path) if module.startswith(LAB)]


def test_no_module_lies_loose_at_the_top() -> None:
    loose = {path.name for path in (ROOT / PACKAGE).glob("*.py")}
    assert loose <= {"__init__.py", "__main__.py", "cli.py"}


CALLS = {"nhi_watch/hosts/elastic/__init__.py: _import_client()"}
"""It keeps the client from importing what a run does not use, and leaves the client as any other import does."""


def test_importing_a_module_changes_nothing_of_others() -> None:
    """A statement of a module that only calls, or sets what belongs to something else, is there for its effect."""
    effects = {
        f"{name(path)}: {ast.unparse(node)}"
        for path in MODULES
        for node in tree_of(path).body
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or (isinstance(node, ast.Assign) and any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in node.targets))
    }
    assert effects == CALLS


def test_no_modules_import_each_other_in_a_circle() -> None:
    """A module without imports from the rest is taken away until nothing is left. Importing a module runs the
    packages above it first."""
    left = {name_of(path): _run_by(path) for path in MODULES}
    left = {name: needs & left.keys() - {name} for name, needs in left.items()}
    while free := [name for name, needs in left.items() if not needs]:
        for name in free:
            del left[name]
        left = {name: needs - set(free) for name, needs in left.items()}
    assert not left


def _run_by(path: Path) -> set[str]:
    """The modules that are run before a module can be, packages above them included, those above itself left out."""
    name = name_of(path)
    named = [module for module, _ in imports(path)]
    above = (module[: at.start()] for module in named for at in re.finditer(r"\.", module))
    return {*named, *(each for each in above if not f"{name}.".startswith(f"{each}."))}


LENT = {"entra.audit", "kubernetes.actions"}
"""Parts of a product's source that another product's log speaks as well: its words, never the source itself."""


@pytest.mark.parametrize("package", [f"{PACKAGE}.intake.sources.", f"{PACKAGE}.detect.signals."])
def test_a_plug_in_does_not_know_its_siblings(package: str) -> None:
    """A plug-in is a file, or a folder with files of its own; what starts with `_`, and LENT, is there for all."""
    for path in MODULES:
        mine = plug_in(name_of(path), package)
        if mine and not mine.startswith("_"):
            others = {m[len(package) :] for m, _ in imports(path) if plug_in(m, package) not in (mine, "")}
            assert not {other for other in others if not other.startswith("_")} - LENT, name(path)


def plug_in(module: str, package: str) -> str:
    """The name of the plug-in that a module belongs to; empty: none of this package."""
    return module[len(package) :].partition(".")[0] if module.startswith(package) else ""


def test_what_ships_to_splunk_imports_only_the_standard_library_and_itself() -> None:
    for path in (path for path in MODULES if ships(name_of(path))):
        allowed = standard_library() | (VENDORED if "splunk" in name_of(path) else set())
        foreign = {module for module, _ in imports(path) if not ships(module) and top(module) not in allowed}
        assert not foreign, name(path)


def test_splunk_entry_points_import_only_the_standard_library_and_what_ships() -> None:
    allowed = standard_library()
    foreign = {
        f"{name(path)}: {module}"
        for path in sources("bin")
        for module, _ in imports(path)
        if not ships(module) and top(module) not in allowed
    }
    assert not foreign


def test_only_training_imports_what_learns_or_unpickles() -> None:
    rest = [*MODULES, *(path for path in LABORATORY if ".training" not in name_of(path))]
    learning = TRAINING_ONLY | PICKLES
    assert not [name(path) for path in rest if learning & {top(module) for module, _ in imports(path)}]


def top(module: str) -> str:
    return module.partition(".")[0]


def test_only_the_command_line_prints_configures_logging_exits_or_catches_everything() -> None:
    rest = (path for path in MODULES if name_of(path) != f"{PACKAGE}.cli")
    assert not [f"{name(path)}, line {line}: {what}" for path in rest for line, what in reserved(tree_of(path))]


def reserved(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What only the command line may do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in RESERVED:
            yield node.lineno, ast.unparse(node.func)
        elif isinstance(node, ast.ExceptHandler) and catches_everything(node.type) and not raises_again(node):
            yield node.lineno, "except of everything"
        elif isinstance(node, ast.Raise) and node.exc and ast.unparse(node.exc).startswith("SystemExit"):
            yield node.lineno, "raise SystemExit"


RESERVED = {"print", "logging.basicConfig", "sys.exit", "os._exit", "exit", "quit"}


def catches_everything(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(catches_everything(each) for each in caught.elts)
    return caught is None or ast.unparse(caught) in ("Exception", "BaseException")


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Tidying up and passing the error on hides nothing."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_a_splunk_entry_point_has_at_most_15_lines_of_code() -> None:
    assert not [name(path) for path in sources("bin") if len(code_lines(path)) > 15]


def code_lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_no_file_names_a_path_of_one_machine() -> None:
    """Worlds by other hands are exams: their records name paths of made-up machines, and nobody may read them."""
    files = {
        f"{name(path)}:{number}"
        for path in own_files(lambda path: path.suffix in TEXTS and path != Path(__file__))
        if not EXAMS.intersection(path.parents)
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    }
    assert not files


def own_files(wanted: Callable[[Path], bool]) -> list[Path]:
    """Files of the project itself: no environment, no output, no dot folder but .ci."""
    folders = [PACKAGE, "lab", "bin", "tests", "docs", "default", "metadata", "lookups", ".ci"]
    files = [*ROOT.glob("*"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    ours = (path for path in files if path.is_file() and "__pycache__" not in path.parts and path.name != ".git")
    return sorted(path for path in ours if wanted(path))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))], ids=name)
def test_links_of_pages_lead_somewhere(page: Path) -> None:
    for file, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text("utf-8")):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not heading or heading in headings(target), f"{file}#{heading}"


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in titles}


def test_every_dependency_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8").partition("[project.scripts]")[0]
    wanted = re.findall(r'"([A-Za-z][\w-]*)\s*(?:[<>=~!]=?[^"]*)?"', project.partition("dependencies = [")[2])
    assert "orjson" in wanted
    assert not [each for each in wanted if not re.search(rf"\b{each}\b", reasons)]


def test_the_lock_pins_every_requirement_with_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert pins
    assert not [pin.split()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]
