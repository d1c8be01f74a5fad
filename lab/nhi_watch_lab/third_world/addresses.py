"""Whose network an address belongs to. First bytes are real owners' ranges, the rest is drawn."""
from typing import Dict, List, Tuple

from .rand import Rand

# owner -> prefixes; a number range a-b may stand in the second byte
RANGES: Dict[str, str] = {
    "aws:us-east-1": "3.80-95 18.204-215 34.192-207 44.192-223 52.0-7 54.80-91 54.144-175 98.80-95 100.24-31",
    "aws:us-west-2": "34.208-223 35.80-95 44.224-255 52.10-13 52.24-43 54.184-191 54.200-203 54.212-218",
    "aws:eu-west-1": "3.248-255 34.240-255 52.16-19 52.48-51 54.72-79 54.154-155 54.194-195 63.32-35",
    "aws:eu-central-1": "3.64-79 3.120-127 18.156-159 18.184-199 35.156-159 52.28-29 52.57-59",
    "aws:ap-southeast-2": "3.24-27 3.104-107 13.54-55 13.210-211 52.62-65 54.66-66 54.252-253",
    "aws:us-east-2": "3.12-23 3.128-151 18.116-119 18.188-191 18.216-227 52.14-15",
    "azure": "4.148-157 4.227-249 13.64-107 20.1-127 20.160-255 40.64-127 40.74-89 52.136-191 172.128-191 104.40-47",
    "gcp": "34.64-91 34.100-147 34.168-173 35.184-203 35.220-247 104.154-199",
    "home": "24.1-255 67.160-191 68.32-63 71.56-63 71.192-239 73.1-255 76.16-31 76.88-127 82.1-47 86.1-31 "
            "90.192-255 92.16-31 99.1-127 174.48-63 81.96-111 109.144-159 188.28-31 203.192-219 58.160-175 "
            "189.96-107 177.32-63 49.36-39 103.80-99 122.160-183 41.208-215 85.64-79 93.192-255 77.160-191",
    "office": "12.32-47 50.200-239 64.124-127 65.112-127 96.64-79 199.66-69 216.200-239 62.96-99 80.146-159 "
              "213.86-95 217.32-47 203.40-59 195.243-253",
    "mobile": "172.56-59 174.192-239 107.77-127 92.40-41 82.132-137 106.192-223 80.187-187",
    "hosting": "159.65-65 159.89-89 167.99-99 167.71-71 138.68-68 142.93-93 164.90-92 65.108-109 95.216-217 "
               "135.181-181 5.161-161 51.68-91 54.36-38 145.239-239 45.32-33 45.76-77 108.61-61 149.28-28 "
               "172.104-105 139.162-162 194.5-36 185.82-93 212.47-47 91.92-92 89.58-58 45.142-155",
    "vpn": "146.70-70 185.156-159 193.27-29 193.138-138 185.213-217 37.19-19 84.17-17 89.187-187 91.207-219 "
           "138.199-199 156.146-146 169.150-150 185.195-199 194.110-127 198.54-54 209.222-222",
    "tor": "185.220-220 45.154-154 23.129-129 199.249-249 171.25-25 109.70-70 192.42-42 204.8-8",
    "vendor": "52.20-23 54.208-211 34.225-239 35.160-163 44.224-239 34.120-123 20.42-55 104.196-199 165.225-225",
}
PLACES: Dict[str, List[Tuple[str, str, str, str, float, float]]] = {
    "US": [("Austin", "Texas", "78701", "America/Chicago", 30.27, -97.74), ("Boston", "Massachusetts", "02110",
            "America/New_York", 42.36, -71.06), ("Seattle", "Washington", "98101", "America/Los_Angeles", 47.61, -122.33),
           ("Denver", "Colorado", "80202", "America/Denver", 39.74, -104.99)],
    "GB": [("London", "England", "EC1A", "Europe/London", 51.51, -0.13), ("Leeds", "England", "LS1", "Europe/London",
            53.8, -1.55)],
    "DE": [("Berlin", "Land Berlin", "10115", "Europe/Berlin", 52.52, 13.41)],
    "NL": [("Amsterdam", "North Holland", "1012", "Europe/Amsterdam", 52.37, 4.9)],
    "IN": [("Bengaluru", "Karnataka", "560001", "Asia/Kolkata", 12.97, 77.59)],
    "AU": [("Sydney", "New South Wales", "2000", "Australia/Sydney", -33.87, 151.21)],
    "PL": [("Warsaw", "Mazovia", "00-001", "Europe/Warsaw", 52.23, 21.01)],
    "BR": [("Sao Paulo", "Sao Paulo", "01000", "America/Sao_Paulo", -23.55, -46.63)],
    "RO": [("Bucharest", "Bucuresti", "010011", "Europe/Bucharest", 44.43, 26.1)],
    "SG": [("Singapore", "Singapore", "018956", "Asia/Singapore", 1.29, 103.85)],
}
COUNTRIES = list(PLACES)
OWNERS = {"home": ("comcast", 7922), "office": ("att services inc", 7018), "mobile": ("t-mobile usa", 21928),
          "hosting": ("digitalocean llc", 14061), "vpn": ("m247 europe srl", 9009), "tor": ("foundation for applied "
          "privacy", 208323), "gcp": ("google llc", 396982), "azure": ("microsoft corporation", 8075)}


def _expand(text: str) -> List[Tuple[int, int, int]]:
    pairs = []
    for item in text.split():
        first, second = item.split(".")
        low, _, high = second.partition("-")
        pairs.append((int(first), int(low), int(high or low)))
    return pairs


_TABLE = {owner: _expand(text) for owner, text in RANGES.items()}
_OWNER_OF = [(a, low, high, owner) for owner, rows in _TABLE.items() for a, low, high in rows]


def address(rand: Rand, owner: str) -> str:
    """A public address of an owner: `aws:<region>`, `azure`, `home`, `hosting`, `vpn`, `tor`…"""
    first, low, high = rand.pick(_TABLE.get(owner) or _TABLE["aws:us-east-1"])
    if owner == "tor" and first == 185:
        return f"185.220.{rand.whole(100, 103)}.{rand.whole(2, 254)}"
    return f"{first}.{rand.whole(low, high)}.{rand.whole(0, 255)}.{rand.whole(1, 254)}"


def private(rand: Rand, octet: int) -> str:
    return f"10.{octet}.{rand.whole(0, 191)}.{rand.whole(4, 254)}"


def geography(ip: str) -> Tuple[str, Tuple[str, str, str, str, float, float], str, int]:
    """(country, city row, network name, AS number) of an address: always the same for its /16."""
    parts = ip.split(".")
    first, second = int(parts[0]), int(parts[1])
    rand = Rand("geo", first, second)
    owner = next((o for a, low, high, o in _OWNER_OF if a == first and low <= second <= high), "hosting")
    if owner.startswith("aws") or owner == "vendor":
        name, number = "amazon.com inc.", 14618
    else:
        name, number = OWNERS.get(owner, ("amazon.com inc.", 16509))
    country = rand.weighted([(c, 12.0 if c == "US" else 1.5) for c in COUNTRIES])
    return country, rand.pick(PLACES[country]), name, number
