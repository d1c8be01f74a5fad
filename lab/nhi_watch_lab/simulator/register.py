"""The register of techniques."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nhi_watch_lab.simulator.machines import Machine
from nhi_watch_lab.simulator.raid import Raid

Act = Callable[[Raid], None]


class Technique(NamedTuple):
    """One way to misuse an identity."""

    name: str
    act: Act
    mitre: str
    tactics: tuple[str, ...]
    fits: Callable[[Machine], bool]


REGISTER: dict[str, Technique] = {}
"""All techniques by name, in the order of definition."""


def technique(
    mitre: str,
    tactics: str,
    fits: Callable[[Machine], bool] = lambda m: True,
    register: dict[str, Technique] = REGISTER,
) -> Callable[[Act], Act]:
    """Registers a technique under its function's name."""

    def add(act: Act) -> Act:
        register[act.__name__] = Technique(act.__name__, act, mitre, tuple(tactics.split()), fits)
        return act

    return add
