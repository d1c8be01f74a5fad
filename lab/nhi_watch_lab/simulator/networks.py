"""Public address space of well-known operators, as prefixes of two or three octets; addresses are drawn from it.

The prefixes were written from memory and not checked against registry records.
"""  # noqa: E501

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice
from nhi_watch_lab.tables import table

AWS_EGRESS = table(__file__, "tables.json/aws_egress")
AZURE = "4.227 13.67 13.82 20.1 20.37 20.55 20.83 20.109 20.169 20.232 40.76 40.121 52.226 52.234 52.252"
GOOGLE = "34.66 34.72 34.122 34.136 35.184 35.192 35.222 35.238"
ISPS = table(__file__, "tables.json/isps")
HOSTING = table(__file__, "tables.json/hosting")
VPN = "146.70 37.120.140 37.120.200 89.238.150 89.187.170 156.146.40 138.199.20 185.156.46 194.187.250"
TOR = "185.220.100 185.220.101 185.220.102 109.70.100 199.249.230 171.25.193 23.129.64 185.129.62"
RESIDENTIAL_ABROAD = (
    "14.162 14.180 113.170 27.72 171.240 36.72 36.85 125.163 177.32 187.10 189.60 95.24 178.140"
)


def address(dice: Dice, prefixes: str) -> str:
    """A random host below one of the blank-separated prefixes.

    >>> from nhi_watch_lab.simulator.dice import dice
    >>> address(dice(1), "73.15")
    '73.15.47.24'
    """
    octets = dice.pick(prefixes.split()).split(".")
    while len(octets) < 3:
        octets.append(str(dice.between(0, 255)))
    return ".".join([*octets, str(dice.between(2, 250))])


def neighbour(dice: Dice, host: str) -> str:
    """Another host of the same /24."""
    return f"{host.rsplit('.', 1)[0]}.{dice.between(2, 250)}"


def aws_address(dice: Dice, region: str) -> str:
    """A public EC2 address of the region (or of us-east-1 where none is listed)."""
    return address(dice, AWS_EGRESS.get(region, AWS_EGRESS["us-east-1"]))


def private_address(dice: Dice) -> str:
    """An address within a VPC, as seen behind an interface endpoint."""
    return f"10.{dice.between(0, 60)}.{dice.between(0, 250)}.{dice.between(4, 250)}"
