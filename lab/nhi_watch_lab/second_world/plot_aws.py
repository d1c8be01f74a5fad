# ruff: noqa: E501
"""AWS techniques, as tables: reconnaissance | the attack itself | what is repeated, how often.

Origins: e = from elsewhere, i = from the identity's own network with its own client. Taken from
public reports and catalogues (Stratus Red Team, TrailDiscover, MITRE ATT&CK, Pacu; see README).
"""
from __future__ import annotations

from typing import NamedTuple
from nhi_watch_lab.tables import text


class Technique(NamedTuple):
    origins: str
    flavours: str
    recon: list[str]
    core: list[str]
    loop: list[str]
    low: int
    high: int


_TABLE = text(__file__, "plot_aws.txt")


def _parse() -> dict[str, Technique]:
    found = {}
    for line in _TABLE.strip().replace("ecs.ListClusters", "ListClusters").splitlines():
        slug, origins, flavours, recon, core, loop, low, high = line.split("|")
        found[slug] = Technique(origins, flavours, recon.split(), core.split(), loop.split(), int(low), int(high))
    return found


AWS: dict[str, Technique] = _parse()
EXPENSIVE = ["g5.12xlarge", "p3.2xlarge", "c5.18xlarge", "g4dn.xlarge", "c7g.4xlarge"]
