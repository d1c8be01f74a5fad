"""Public address space of well-known operators, as prefixes of two or three octets; addresses are drawn from it.

The prefixes were written from memory and not checked against registry records.
"""  # noqa: E501

from __future__ import annotations

from nhi_watch_lab.simulator.dice import Dice

AWS_EGRESS = {
    "us-east-1": "3.80 3.208 18.204 34.192 34.224 44.192 52.0 52.54 54.80 54.144",
    "us-east-2": "3.12 3.128 18.116 18.188 52.14",
    "us-west-2": "34.208 35.80 44.224 52.24 54.184 54.212",
    "eu-west-1": "34.240 52.16 52.48 54.72 54.154 63.32",
    "eu-central-1": "3.64 3.120 18.156 18.184 35.156 52.28",
    "eu-west-2": "3.8 18.130 35.176 52.56",
    "ap-southeast-1": "13.212 13.228 18.136 54.169 54.254",
    "ap-northeast-1": "13.112 18.176 35.72 52.192 54.64",
}
AZURE = "4.227 13.67 13.82 20.1 20.37 20.55 20.83 20.109 20.169 20.232 40.76 40.121 52.226 52.234 52.252"
GOOGLE = "34.66 34.72 34.122 34.136 35.184 35.192 35.222 35.238"
ISPS = {
    "us": "73.15 73.48 73.162 73.223 24.18 24.130 71.163 71.178 76.87 76.169 98.207 108.28",
    "de": "79.200 79.214 91.12 91.48 84.137 84.160 93.201 93.232 87.138",
    "gb": "86.130 86.155 81.134 81.152 109.148",
    "fr": "90.15 90.76 86.193 86.215 92.130",
    "es": "83.36 83.57 88.8 88.22",
    "in": "49.36 49.43 106.196 106.210",
    "jp": "126.15 126.72 60.94 118.8",
}
HOSTING = {
    "digitalocean": "104.131 159.65 167.99 138.68 178.62 206.189 165.227 64.227",
    "hetzner": "88.198 95.216 65.108 135.181 116.202 78.46",
    "ovh": "51.68 51.75 54.36 145.239 51.89 137.74",
    "linode": "45.33 45.79 139.162 172.104",
    "vultr": "45.32 45.76 108.61 149.28",
    "contabo": "161.97 173.249 207.180 62.171",
    "alibaba": "47.74 47.88 47.91 47.245",
}
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
