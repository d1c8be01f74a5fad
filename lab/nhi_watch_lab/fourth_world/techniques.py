"""How stolen identities are misused: one line a technique.

name | origins | phases apart by //, each product:victims:steps. A step is a call with * counts; ^ marks what
the technique is about, ? what may be left out, @ what it is done to, ~ a blank. Victims are kinds of session
or of machine; `role` is a role taken over with the one before, `new` a user made by it."""
from typing import Dict, List, NamedTuple, Tuple
from nhi_watch_lab.tables import text

_TEXT = text(__file__, "techniques.txt")


class Step(NamedTuple):
    call: str
    low: int
    high: int
    core: bool
    optional: bool
    args: Tuple[Tuple[str, str], ...]


class Phase(NamedTuple):
    product: str
    victims: Tuple[str, ...]
    steps: List[Step]


class Technique(NamedTuple):
    name: str
    origins: str
    phases: List[Phase]


def _step(text: str) -> Step:
    body, *pairs = text.lstrip("^?").split("@", 1)
    call, _, counts = body.partition("*")
    low, _, high = (counts or "1").partition("-")
    args = tuple((k, v.replace("~", " ")) for k, v in (pair.split("=", 1) for pair in pairs))
    return Step(call.replace("~", " "), int(low), int(high or low), text[0] == "^", text[0] == "?", args)


def _phase(text: str) -> Phase:
    product, victims, steps = text.split(":", 2)
    return Phase(product, tuple(victims.split(",")), [_step(word) for word in steps.split()])


def _technique(line: str) -> Technique:
    name, origins, phases = line.split("|")
    return Technique(name, origins, [_phase(text) for text in phases.split("//")])


TECHNIQUES: Dict[str, Technique] = {t.name: t for t in map(_technique, _TEXT.strip().splitlines())}
QUIET = "reuse-in-place"
