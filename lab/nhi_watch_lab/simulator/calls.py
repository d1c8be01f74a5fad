"""Any call of an account as a template."""

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice
from nhi_watch_lab.simulator.records import Template, template
from nhi_watch_lab.simulator.shapes import GENERIC, SHAPES, plain
from nhi_watch_lab.simulator.world import World
from nhi_watch_lab.simulator.writes import CHANGES

_ALL = {**SHAPES, **CHANGES}


def call(world: World, dice: Dice, action: str, region: str = "") -> Template:
    """A template of an action with ordinary parameters, chosen by the dice."""
    place = region or world.home
    if action.startswith(("iam:", "route53:", "cloudfront:", "organizations:", "support:", "ce:")):
        place = "us-east-1"
    shape = _ALL.get(action) or GENERIC.get(action.split(":")[0], plain)
    return template(world.account, place, action, shape(world, dice, place))
