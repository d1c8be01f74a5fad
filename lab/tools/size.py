"""How large the package and its docs are: lines of code, of docstrings, of imports, and words (`make size`)."""

from __future__ import annotations

import ast
import sys
from collections import Counter

from layout import ROOT

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Print the sizes, the whole of the package first."""
    counter = sum(
        (lines(path.read_text("utf-8")) for path in sorted((ROOT / "nhi_watch").rglob("*.py"))), Counter[str]()
    )
    words = {
        name: sum(len(path.read_text("utf-8").split()) for path in (ROOT / "docs").glob(f"{name}*.md"))
        for name in ("", "method/", "decisions/")
    }
    sys.stdout.write("package: " + ", ".join(f"{count:,} {kind}" for kind, count in counter.most_common()) + " lines\n")
    sys.stdout.write("docs: " + ", ".join(f"{count:,} {name or 'for users'}" for name, count in words.items()))
    sys.stdout.write(f", {sum(words.values()):,} words\n")


def lines(text: str) -> Counter[str]:
    """The lines of a module by what they are; every line counts once, and once more in `all`.

    >>> sorted(lines('\"""Said.\"""\\n\\nimport os\\n# why\\nx = os.sep\\n').items())
    [('all', 5), ('blank', 1), ('code', 1), ('comment', 1), ('docstring', 1), ('import', 1)]
    """
    tree, every = ast.parse(text), text.splitlines()
    kinds = {
        number: "blank" if not line.strip() else "comment"
        for number, line in enumerate(every, 1)
        if not line.strip() or line.lstrip().startswith("#")
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            kinds |= dict.fromkeys(_lines_of(node), "import")
        for each in node.body if isinstance(node, DOCUMENTED) else ():
            if _is_text(each):
                kinds |= dict.fromkeys(_lines_of(each), "docstring")
    return Counter({"all": len(every), "code": len(every) - len(kinds)}) + Counter(kinds.values())


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


if __name__ == "__main__":
    main()
