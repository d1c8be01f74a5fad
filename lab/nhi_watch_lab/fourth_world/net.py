"""Address space by kind of network: public knowledge about who announces what."""
from typing import Dict, List, Tuple

from .dice import Dice
from .model import Source

Block = Tuple[str, str, str, str]


def _blocks(org: str, text: str) -> List[Block]:
    rows = [row.split(None, 2) for row in text.strip().split(";")]
    return [(prefix, country, city.strip(), org) for prefix, country, city in rows]


AWS = _blocks("Amazon.com, Inc.", "3.80 US Ashburn;3.236 US Ashburn;18.207 US Ashburn;34.229 US Ashburn;52.23 US Ashburn;54.159 US Ashburn;"
              "18.216 US Columbus;3.16 US Columbus;34.212 US Boardman;52.36 US Boardman;52.30 IE Dublin;54.77 IE Dublin;"
              "3.120 DE Frankfurt;18.184 DE Frankfurt;13.54 AU Sydney;13.229 SG Singapore")
REGION_CITY = {"us-east-1": "Ashburn", "us-east-2": "Columbus", "us-west-2": "Boardman", "eu-west-1": "Dublin",
               "eu-central-1": "Frankfurt", "ap-southeast-2": "Sydney", "ap-southeast-1": "Singapore"}
KINDS: Dict[str, List[Block]] = {
    "aws": AWS,
    "azure": _blocks("Microsoft Corporation", "20.42 US Boydton;20.81 US Boydton;40.76 US Washington;52.168 US Boydton;4.227 US Phoenix;"
                     "20.106 US Des Moines;172.183 US Boydton;20.54 IE Dublin;20.50 NL Amsterdam;13.80 NL Amsterdam"),
    "gcp": _blocks("Google LLC", "34.68 US Council Bluffs;35.192 US Council Bluffs;34.75 US North Charleston;35.233 BE Brussels;34.89 DE Frankfurt"),
    "isp": _blocks("Lumen Technologies", "63.147 US Denver;65.152 US Dallas;67.134 US Chicago;8.36 US New York")
    + _blocks("BT Business", "81.149 GB London;109.144 GB Leeds") + _blocks("Deutsche Telekom Business", "80.146 DE Munich;62.156 DE Berlin")
    + _blocks("Telstra Enterprise", "203.41 AU Sydney"),
    "home": _blocks("Comcast Cable", "73.162 US San Jose;98.207 US Denver;24.128 US Boston;67.180 US Sacramento")
    + _blocks("Verizon Fios", "71.183 US New York;96.232 US New York") + _blocks("AT&T Internet", "99.45 US Dallas;108.217 US Houston")
    + _blocks("Sky Broadband", "2.121 GB London;90.198 GB Manchester") + _blocks("Vodafone DE", "77.20 DE Cologne;95.88 DE Leipzig")
    + _blocks("Reliance Jio", "49.36 IN Mumbai;157.48 IN Bengaluru") + _blocks("Orange SA", "86.234 FR Paris")
    + _blocks("UPC Polska", "89.64 PL Warsaw") + _blocks("Telstra", "101.183 AU Melbourne"),
    "hosting": _blocks("DigitalOcean, LLC", "134.209 US Santa Clara;159.65 GB London;167.71 NL Amsterdam;138.197 CA Toronto;165.22 SG Singapore")
    + _blocks("Hetzner Online", "65.108 FI Helsinki;5.9 DE Falkenstein;95.216 FI Helsinki") + _blocks("OVH SAS", "51.38 FR Roubaix;54.37 PL Warsaw")
    + _blocks("Vultr", "45.32 US Los Angeles;149.28 SG Singapore") + _blocks("Akamai Connected Cloud", "139.162 JP Tokyo;172.104 DE Frankfurt")
    + _blocks("Contabo GmbH", "173.212 DE Nuremberg") + _blocks("Alibaba Cloud", "47.74 SG Singapore"),
    "vpn": _blocks("M247 Europe", "146.70 RO Bucharest;185.156 GB London;37.120 US New York;193.138 SE Stockholm")
    + _blocks("Datacamp Limited", "89.187 CZ Prague;138.199 US Miami;156.146 US Chicago") + _blocks("Mullvad VPN", "185.213 SE Malmo"),
    "tor": _blocks("Stiftung Erneuerbare Freiheit", "185.220 DE Berlin") + _blocks("Quintex Alliance Consulting", "199.249 US San Angelo")
    + _blocks("Emerald Onion", "23.129 US Seattle"),
    "proxy": _blocks("MTN Nigeria", "105.112 NG Lagos") + _blocks("Viettel", "27.72 VN Hanoi") + _blocks("Telkom Indonesia", "36.80 ID Jakarta")
    + _blocks("Rostelecom", "95.24 RU Moscow") + _blocks("Claro Brasil", "187.36 BR Sao Paulo") + _blocks("Charter", "75.82 US Los Angeles"),
}


def address(dice: Dice, kind: str, country: str = "", city: str = "") -> Source:
    """A fresh address of that kind of network, in the country or city when there is one."""
    blocks = [b for b in KINDS[kind] if (not city or b[2] == city) and (not country or b[1] == country)] or KINDS[kind]
    prefix, land, town, org = dice.pick(blocks)
    return Source(f"{prefix}.{int(dice.random() * 256)}.{1 + int(dice.random() * 253)}", land, town, org)


def neighbours(dice: Dice, kind: str, count: int, country: str = "", city: str = "") -> List[Source]:
    """Addresses of one small block, as an office or a vendor rents them."""
    first = address(dice, kind, country, city)
    stem, last = first.ip.rsplit(".", 1)
    return [first._replace(ip=f"{stem}.{1 + (int(last) + i * 3) % 253}") for i in range(count)]


def private(dice: Dice, stem: str) -> Source:
    return Source(f"{stem}.{int(dice.random() * 250)}.{2 + int(dice.random() * 250)}", "", "", "")
