"""Finds the plug-ins of a folder: one module, one source or signal."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules(package: str) -> list[ModuleType]:
    """Every public module of a package, ordered by name.

    >>> "nhi_watch.signals.new_action" in [module.__name__ for module in modules("nhi_watch.signals")]
    True
    """
    parent = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules(parent.__path__) if not info.name.startswith("_"))
    return [importlib.import_module(f"{package}.{name}") for name in names]
