"""What thieves do: `name | victims | steps | values`.

victims: product, then optional kinds or powers. Steps: op, `op*2-5` so many times, `?` may be left out, `!` what the
short form keeps, `@user` `@role` `@fed` go on as another user's new key, an assumed role, a federated session;
`>product` goes on as a machine of that product; `own*3-6` the victim's usual work.
"""
from typing import Dict, List, NamedTuple, Tuple
from nhi_watch_lab.tables import text


class Technique(NamedTuple):
    name: str
    product: str
    only: List[str]
    steps: List[str]
    values: List[Tuple[str, str]]

    @property
    def products(self) -> List[str]:
        return [self.product] + [step[1:] for step in self.steps if step.startswith(">")]


TEXT = text(__file__, "techniques.txt")


def parse() -> Dict[str, Technique]:
    found: Dict[str, Technique] = {}
    for line in TEXT.strip().splitlines():
        name, victims, steps, values = [part.strip() for part in (line + " ").split(" |", 3)]
        product, *only = victims.split()
        pairs = [(item.partition("=")[0], item.partition("=")[2].replace("_", " ")) for item in values.split()]
        found[name] = Technique(name, product, only[0].split(",") if only else [], steps.split(), pairs)
    return found


TECHNIQUES = parse()
UNSEEN = "own_work"
