"""An independent simulated world of enterprise log telemetry (an exam, not a product part).

`generate` writes one tenant: native log records per product and the labels of its incidents.
Nothing here is shared with the detector under test or with the other simulator.
"""
from nhi_watch_lab.second_world.world import generate

__all__ = ["generate"]
