"""Names of the code are the field's: no word of the idiom that the project once had is left in the package."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from layout import LAB, PACKAGE, sources, tree_of

pytestmark = pytest.mark.slow  # reads the sources, which are the same on every Python
IDIOM = frozenset({
    "told", "found", "one", "whole", "wholes", "life", "lives", "settle", "settles", "settled", "held", "odd", "past",
    "news", "home", "homes", "card", "cards", "scorecard", "loss", "losses", "acting", "relieve", "made",
    "judge", "judges", "judged", "judging", "unjudged", "whose",
})  # fmt: skip
FROZEN = frozenset({"second_world", "third_world", "fourth_world", "fifth_world", "variants", "simulator", "worlds"})
"""Folders of the laboratory whose bytes are not to change (decisions 3 and 9)."""
EXCEPTIONS = {
    "life": "a key of a notable's JSON",
    "made": "a key of exceptions, exemptions and rules, as stored and exported",
    "told": "a key of `nhi verify --json`",
    "found": "a key of a routine in run.json",
    "held": "a key of `nhi brief --json`",
    "made_at": "when an approval or a plan was made",
    "whole_number": "plain English",
    "whole_part": "plain English",
    "home_folder": "plain English",
    "one_identity": "plain English",
    "is_one": "plain English",
    "NotFoundError": "a class of the Elasticsearch client",
    "_differs_by_one": "plain English",
    "HALF_LIFE": "plain English",
}
"""Name → why it stays."""


def names(tree: ast.Module) -> Iterator[str]:
    """All that a file names: what it defines, binds, reads and passes by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, (ast.arg, ast.keyword)):
            yield node.arg or ""
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name


def words(name: str) -> set[str]:
    """The words of a name.

    >>> sorted(words("_TheOddCalls")), sorted(words("is_settled"))
    (['calls', 'odd', 'the'], ['is', 'settled'])
    """
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")) - {""}


def idioms() -> dict[str, set[str]]:
    """Name of a word of the idiom → the files that use it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sources(PACKAGE):
        for name in names(tree_of(path)):
            if words(name) & IDIOM:
                found[name].add(path.name)
    return found


def imported(tree: ast.Module) -> set[str]:
    """What a file imports at its top."""
    imports = (node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)))
    return {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}


def bound(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    """The names of a function's parameters, and those that it assigns."""
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}


def hidden_imports() -> Iterator[str]:
    """Names that a function binds although its file imports them: anyone who reads one takes it for the other."""
    for path in (path for path in (*sources(PACKAGE), *sources(f"lab/{LAB}")) if not FROZEN & {*path.parts}):
        tree = tree_of(path)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                yield from (f"{path.name}:{node.lineno} {name}" for name in sorted(bound(node) & imported(tree)))


PROSE = re.compile(r"\b(?:judge[sd]?|judging|told|tells|whoever|lives|anew)\b", re.IGNORECASE)
"""Words at which readers stopped: scored, given a verdict; given, says, shows; anyone who; is kept; again."""
_CODE = re.compile(r"`[^`]*`")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Docstrings and comments of a file by their lines, without what is quoted as code."""
    text = path.read_text("utf-8")
    statements = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr))
    starts = {node.lineno for node in statements if isinstance(node.value, ast.Constant)}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start[0] in starts):
            yield token.start[0], _CODE.sub("", token.string)


def test_no_docstring_or_comment_has_a_word_at_which_readers_stopped() -> None:
    texts = [(path.name, *found) for path in sources(PACKAGE) for found in prose(path)]
    assert len(texts) > 3_000
    assert [f"{name}:{line}: {hit[0]}" for name, line, text in texts for hit in PROSE.finditer(text)] == []


def test_no_name_is_of_the_idiom_but_those_with_a_reason() -> None:
    assert {name: files for name, files in idioms().items() if name not in EXCEPTIONS} == {}


def test_every_exception_is_still_in_use() -> None:
    assert set(EXCEPTIONS) <= set(idioms())


OLD_CLASSES = frozenset({
    "Told", "Found", "Scorecard", "Days", "Home", "Life", "Watch", "Reach", "Shape", "Past", "Part", "Whole", "Acting",
})  # fmt: skip
"""What classes and types were called before they had the field's names."""


def test_no_class_or_type_has_its_old_name() -> None:
    defined = {
        getattr(node, "name", "") or ast.unparse(getattr(node, "targets", [ast.Name("")])[0])
        for path in sources(PACKAGE)
        for node in tree_of(path).body
        if isinstance(node, (ast.ClassDef, ast.Assign))
    }
    assert len(defined) > 500 and defined & OLD_CLASSES == set()


def test_no_two_classes_of_the_package_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sources(PACKAGE):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.name)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_local_name_hides_what_its_file_imports() -> None:
    assert sorted(hidden_imports()) == []
