"""A family of worlds: tenants drawn one by one with other rates of change, people, pipelines, networks and attacks.

`draw(seed)` gives a `World`, `days(world)` its records and labels day by day, `people(world)` the names of its humans,
`write(world, folder)` files. Training sees many worlds, validation others.
"""

from nhi_watch_lab.worlds import company, world
from nhi_watch_lab.worlds.days import Day, days, people, write
from nhi_watch_lab.worlds.world import World, draw

TECHNIQUES = (*world.TECHNIQUES, *company.TECHNIQUES)
"""Names of all techniques, those of accounts first."""

__all__ = ["Day", "TECHNIQUES", "World", "days", "draw", "people", "write"]
