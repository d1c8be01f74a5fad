"""Whose network an address belongs to. First bytes are real owners' ranges, the rest is drawn."""
from typing import Dict, List, Tuple

from .rand import Rand
from nhi_watch_lab.tables import table

# owner -> prefixes; a number range a-b may stand in the second byte
RANGES: Dict[str, str] = table(__file__, "tables.json/ranges")
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
