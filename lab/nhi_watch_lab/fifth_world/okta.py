"""Okta System Log events."""
from __future__ import annotations

from typing import Any, Dict, List

from . import names
from .chance import MIXED, Chance
from .fill import Filler, iso_fraction
from .model import Identity, Op, Place, Record
from .network import ASNS, city_of, kind_of

FILE = "okta_system.ndjson.gz"


def _target(f: Filler, kind: str) -> Dict[str, Any]:
    rng = f.rng
    if kind in ("User", "AppUser"):
        upn = str(f.var("upn"))
        return {"id": "00u" + rng.text(17, MIXED), "type": kind, "alternateId": upn, "displayName": upn.split("@")[0].replace(".", " ").title()}
    if kind == "AppInstance":
        app = str(f.var("oktaapp"))
        return {"id": "0oa" + rng.text(17, MIXED), "type": kind, "alternateId": app, "displayName": app}
    if kind == "access_token":
        return {"id": "AT." + rng.text(43, MIXED), "type": kind, "alternateId": None, "displayName": "Access Token", "detailEntry": {"expires": "3600", "subject": f.who.ids["actor"],
            "hash": "", "scopes": f.known.get("scopes", f.who.ids.get("scopes", "okta.users.read"))}}
    name = str(f.known.get("target") or (f.var("team") if kind in ("UserGroup", "PolicyRule", "PolicyEntity", "NetworkZone") else names.invented(rng)))
    return {"id": "00" + rng.text(18, MIXED), "type": kind, "alternateId": "unknown", "displayName": name}


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    event = op.key[5:]
    city, state, country, lat, lon = city_of(place.ip)
    geo = {"city": city, "state": state, "country": country, "postalCode": None, "geolocation": {"lat": lat, "lon": lon}}
    asn, owner = ASNS.get(kind_of(place.ip), ASNS["private"])
    web = "Mozilla" in place.agent
    agent = {"rawUserAgent": place.agent, "os": ("Mac OS X" if "Mac" in place.agent else "Windows 10" if "Windows" in place.agent else "Linux") if web else "Unknown",
        "browser": ("FIREFOX" if "Firefox" in place.agent else "CHROME") if web else "UNKNOWN"}
    session = "unknown" if not who.human else "102" + who.ids["object"][3:]
    body: Dict[str, Any] = {"actor": {"id": who.ids["object"], "type": who.ids["type"], "alternateId": who.ids["actor"], "displayName": who.ids["display"], "detailEntry": None},
                            "client": {"userAgent": agent, "zone": "null", "device": "Computer" if web else "Unknown", "id": who.ids.get("client"), "ipAddress": place.ip,
                                "geographicalContext": geo}, "device": None,
                            "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None, "issuer": None, "interface": None,
                                "authenticationStep": 0, "rootSessionId": session, "externalSessionId": who.key_at(time) if who.auth == "token" else session},
                            "displayMessage": op.params, "eventType": event, "outcome": {"result": "FAILURE", "reason": "You do not have permission to perform the requested action"
                                if error == "denied" else "GENERAL_NONSUCCESS"} if error else {"result": "SUCCESS", "reason": None},
                            "published": iso_fraction(time, 3, rng), "securityContext": {"asNumber": asn, "asOrg": owner, "isp": owner, "domain": None, "isProxy": False},
                                "severity": "WARN" if error else "INFO",
                            "debugContext": {"debugData": {"requestId": rng.hexs(32), "requestUri": "/api/v1/" + event.split(".")[0] + "s" if not web else "/idp/idx/identify",
                                "url": "/api/v1/" + event.split(".")[0] + "s?" if not web else "/idp/idx/identify?"}}, "legacyEventType": None,
                            "transaction": {"type": "WEB", "id": rng.hexs(32), "detail": {"requestApiTokenId": who.key_at(time)} if who.auth == "token" else {}}, "uuid": rng.uuid(), "version": "0",
                            "request": {"ipChain": [{"ip": place.ip, "geographicalContext": geo, "version": "V4", "source": None}]}, "target": [_target(f,
                                kind) for kind in op.note.split(",") if kind] or None}
    return [Record(FILE, time, body)]
