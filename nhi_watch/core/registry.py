"""Finds the plug-ins of a folder: a source is one of its modules, signals lie in some."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names(package: str) -> list[str]:
    """The names of the public modules of a package, in order; none of them is imported.

    >>> "cloudtrail" in names("nhi_watch.intake.sources")
    True
    """
    parent = importlib.import_module(package)
    return sorted(info.name for info in pkgutil.iter_modules(parent.__path__) if not info.name.startswith("_"))


def modules(package: str) -> list[ModuleType]:
    """Every public module of a package, ordered by name.

    >>> "nhi_watch.detect.signals.novelty" in [module.__name__ for module in modules("nhi_watch.detect.signals")]
    True
    """
    return [importlib.import_module(f"{package}.{name}") for name in names(package)]
