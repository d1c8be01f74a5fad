"""Ways of life of machines: what kinds exist, how many, and what each does.

name | share | session | place | client | rhythm | calls a day | breadth | usual calls | rare calls"""
from typing import Dict, List, NamedTuple, Tuple
from nhi_watch_lab.tables import sections

_TEXT = sections(__file__, "kinds.txt")


class Kind(NamedTuple):
    name: str
    share: float
    session: str
    places: List[str]
    clients: List[str]
    rhythms: List[str]
    volume: float
    breadth: int
    usual: List[str]
    rare: List[str]


def _calls(text: str) -> List[str]:
    return [word.replace("~", " ") for word in text.split()]


def _kind(line: str) -> Tuple[str, Kind]:
    name, share, session, places, clients, rhythms, volume, breadth, usual, rare = line.split("|")
    return name, Kind(name, float(share), session, places.split(), clients.split(), rhythms.split(), float(volume), int(breadth), _calls(usual), _calls(rare))


KINDS: Dict[str, Dict[str, Kind]] = {product: dict(map(_kind, text.strip().splitlines())) for product, text in _TEXT.items()}
# Services that call in the name of a role, by kind.
SERVICES = {"glue": "glue.amazonaws.com", "cfn": "cloudformation.amazonaws.com", "scaling": "autoscaling.amazonaws.com"}
