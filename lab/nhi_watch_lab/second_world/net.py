# ruff: noqa: E501
"""Networks that requests come from: real operators' published ranges, drawn addresses."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Optional

# operator: kind, ASN, name, country, state, city, latitude, longitude, prefixes
_TABLE = """
digitalocean|hosting|14061|DigitalOcean, LLC|US|New Jersey|North Bergen|40.80|-74.01|167.99 138.68 64.227 159.65
digitalocean-eu|hosting|14061|DigitalOcean, LLC|NL|Noord-Holland|Amsterdam|52.35|4.94|178.62 188.166 146.190
hetzner|hosting|24940|Hetzner Online GmbH|DE|Bayern|Nuremberg|49.45|11.07|65.108 95.216 88.198 116.203
hetzner-us|hosting|212317|Hetzner Online GmbH|US|Virginia|Ashburn|39.04|-77.48|5.161 178.156
ovh|hosting|16276|OVH SAS|FR|Hauts-de-France|Gravelines|50.98|2.12|51.38 54.36 51.91
vultr|hosting|20473|The Constant Company, LLC|US|Texas|Dallas|32.78|-96.80|45.32 149.28 45.77
linode|hosting|63949|Akamai Connected Cloud|GB|England|London|51.51|-0.12|172.104 139.162 176.58
contabo|hosting|51167|Contabo GmbH|DE|Bayern|Munich|48.13|11.57|161.97 173.249 144.91
leaseweb|hosting|60781|LeaseWeb Netherlands B.V.|NL|Noord-Holland|Haarlem|52.38|4.63|5.79 85.17
alibaba|hosting|45102|Alibaba (US) Technology Co., Ltd.|SG||Singapore|1.35|103.81|47.88 8.219
m247-vpn|vpn|9009|M247 Europe SRL|RO|Bucuresti|Bucharest|44.43|26.10|146.70 185.183 37.120
datacamp-vpn|vpn|212238|Datacamp Limited|US|New York|New York|40.71|-74.00|143.244 156.146 149.102
mullvad|vpn|39351|31173 Services AB|SE|Skane|Malmo|55.60|13.00|193.138 185.213
proton-vpn|vpn|62371|Proton AG|CH|Zurich|Zurich|47.37|8.54|185.159 149.88
tor-a|tor|60729|Stiftung Erneuerbare Freiheit|DE|Berlin|Berlin|52.52|13.40|185.220
tor-b|tor|53667|FranTech Solutions|US|Nevada|Las Vegas|36.17|-115.13|199.195 198.98
comcast|residential|7922|Comcast Cable Communications, LLC|US|Illinois|Chicago|41.87|-87.62|73.22 98.206 24.12
att|residential|7018|AT&T Services, Inc.|US|Texas|Austin|30.26|-97.74|99.108 107.192 76.195
charter|residential|20115|Charter Communications|US|North Carolina|Charlotte|35.22|-80.84|71.75 174.96
dtag|residential|3320|Deutsche Telekom AG|DE|Hessen|Frankfurt am Main|50.11|8.68|87.150 91.33 79.201
bt|residential|2856|British Telecommunications PLC|GB|England|Manchester|53.48|-2.24|86.148 81.152 109.147
orange|residential|3215|Orange S.A.|FR|Ile-de-France|Paris|48.85|2.35|90.84 86.215
telia|residential|3301|Telia Company AB|SE|Stockholm|Stockholm|59.32|18.07|78.72 90.224
vivo|residential|27699|TELEFONICA BRASIL S.A|BR|Sao Paulo|Sao Paulo|-23.55|-46.63|177.68 189.46
rostelecom|residential|12389|Rostelecom|RU|Moscow|Moscow|55.75|37.61|95.24 188.254
airtel|residential|24560|Bharti Airtel Ltd.|IN|Karnataka|Bengaluru|12.97|77.59|122.171 106.51
viettel|residential|7552|Viettel Group|VN|Ha Noi|Hanoi|21.02|105.84|171.224 117.1
verizon-mobile|mobile|22394|Verizon Wireless|US|Georgia|Atlanta|33.74|-84.38|174.198 174.215
tmobile-us|mobile|21928|T-Mobile USA, Inc.|US|Washington|Seattle|47.60|-122.33|172.58 172.56
o2-mobile|mobile|6805|Telefonica Germany GmbH|DE|Bayern|Munich|48.13|11.57|176.3 46.114
vodafone-mobile|mobile|25135|Vodafone UK Limited|GB|England|London|51.51|-0.12|92.40 148.252
jio|mobile|55836|Reliance Jio Infocomm Limited|IN|Maharashtra|Mumbai|19.07|72.87|49.36 157.33
hotel-wifi|hotel|11404|Wave Broadband|US|California|San Francisco|37.77|-122.41|64.124 216.9
hotel-eu|hotel|8560|Swisscom Event Networks|CH|Geneva|Geneva|46.20|6.14|195.186 194.230
azure-runner|cloud|8075|Microsoft Corporation|US|Virginia|Boydton|36.66|-78.38|20.57 20.109 52.234 172.183 13.105
azure-eu|cloud|8075|Microsoft Corporation|NL|Noord-Holland|Amsterdam|52.37|4.89|20.61 40.114 51.124
gcp-us|cloud|396982|Google LLC|US|Iowa|Council Bluffs|41.26|-95.86|34.66 35.192 34.122
gcp-eu|cloud|396982|Google LLC|BE|Hainaut|Saint-Ghislain|50.47|3.81|34.76 35.195
aws-us-east-1|aws|14618|Amazon.com, Inc.|US|Virginia|Ashburn|39.04|-77.48|3.80 3.218 34.200 44.194 52.2 54.156 18.204
aws-us-east-2|aws|16509|Amazon.com, Inc.|US|Ohio|Columbus|39.96|-82.99|3.12 3.128 18.188 18.216 52.14
aws-us-west-2|aws|16509|Amazon.com, Inc.|US|Oregon|Boardman|45.83|-119.70|34.208 35.80 44.224 52.24 54.184
aws-eu-west-1|aws|16509|Amazon.com, Inc.|IE|Leinster|Dublin|53.34|-6.26|34.240 52.16 54.72 63.32 3.248
aws-eu-central-1|aws|16509|Amazon.com, Inc.|DE|Hessen|Frankfurt am Main|50.11|8.68|3.64 3.120 18.156 18.184 52.28
aws-eu-west-2|aws|16509|Amazon.com, Inc.|GB|England|London|51.51|-0.12|3.8 13.40 18.130 35.176
aws-ap-southeast-2|aws|16509|Amazon.com, Inc.|AU|New South Wales|Sydney|-33.86|151.20|3.24 13.54 52.62 54.66
aws-ap-northeast-1|aws|16509|Amazon.com, Inc.|JP|Tokyo|Tokyo|35.68|139.69|3.112 13.112 18.176 52.68
aws-sa-east-1|aws|16509|Amazon.com, Inc.|BR|Sao Paulo|Sao Paulo|-23.55|-46.63|18.228 54.94 52.67
level3-office|office|3356|Level 3 Parent, LLC|US|Colorado|Denver|39.73|-104.98|4.16 8.44
cogent-office|office|174|Cogent Communications|US|District of Columbia|Washington|38.90|-77.03|38.104 154.54
colt-office|office|8220|COLT Technology Services Group Limited|GB|England|London|51.51|-0.12|213.86 62.96
versatel-office|office|8881|1&1 Versatel GmbH|DE|Nordrhein-Westfalen|Dusseldorf|51.22|6.77|62.214 212.7
ocn-office|office|4713|NTT Communications Corporation|JP|Tokyo|Tokyo|35.68|139.69|153.149 122.1
telstra-office|office|1221|Telstra Limited|AU|New South Wales|Sydney|-33.86|151.20|203.45 139.130
ocn-home|residential|4713|NTT Communications Corporation|JP|Kanagawa|Yokohama|35.44|139.63|153.170 180.6
telstra-home|residential|1221|Telstra Limited|AU|Victoria|Melbourne|-37.81|144.96|1.128 58.160
docomo|mobile|9605|NTT DOCOMO, INC.|JP|Tokyo|Tokyo|35.68|139.69|49.96 1.72
optus|mobile|4804|SingTel Optus Pty Ltd|AU|New South Wales|Sydney|-33.86|151.20|49.180 101.112
equinix-dc|datacentre|15830|Equinix (EMEA) Acquisition Enterprises B.V.|NL|Noord-Holland|Amsterdam|52.37|4.89|213.239 91.203
"""


@dataclass
class Place:
    """Where an identity calls from: a pool of addresses, and how often a fresh one appears."""
    operator: str
    kind: str
    asn: int
    org: str
    country: str
    state: str
    city: str
    lat: float
    lon: float
    nets: list[str]
    pool: list[str] = field(default_factory=list)
    fresh: float = 0.0
    moves: list[tuple[float, list[str]]] = field(default_factory=list)

    def at(self, t: float) -> list[str]:
        """The pool in use at a time (NAT gateways are replaced now and then)."""
        pool = self.pool
        for when, new in self.moves:
            if t >= when:
                pool = new
        return pool

    def address(self, rng: Random) -> str:
        return f"{rng.choice(self.nets)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"

    def ip(self, rng: Random, t: float, lane: Optional[int] = None) -> str:
        pool = self.at(t)
        if not pool or (self.fresh and rng.random() < self.fresh):
            return self.address(rng)
        return pool[lane % len(pool)] if lane is not None else rng.choice(pool)


def _parse() -> dict[str, tuple[str, int, str, str, str, str, float, float, list[str]]]:
    rows = {}
    for line in _TABLE.strip().splitlines():
        f = line.split("|")
        rows[f[0]] = (f[1], int(f[2]), f[3], f[4], f[5], f[6], float(f[7]), float(f[8]), f[9].split())
    return rows


_ROWS = _parse()


def place(rng: Random, operator: str, size: int = 1, fresh: float = 0.0) -> Place:
    """A pool of `size` addresses at an operator; size 0 means every request is from a new one."""
    kind, asn, org, country, state, city, lat, lon, nets = _ROWS[operator]
    made = Place(operator, kind, asn, org, country, state, city, lat, lon, nets, [], fresh)
    made.pool = [made.address(rng) for _ in range(size)]
    return made


def operators(*kinds: str) -> list[str]:
    return [name for name, row in _ROWS.items() if row[0] in kinds]


def aws_operator(region: str) -> str:
    name = "aws-" + region
    return name if name in _ROWS else "aws-us-east-2"


def private_ip(rng: Random) -> str:
    return f"10.{rng.randint(0, 60)}.{rng.randint(0, 255)}.{rng.randint(4, 254)}"
