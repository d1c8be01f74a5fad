"""GitHub organisation audit log events."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import MIXED, Chance
from .fill import Filler
from .model import Identity, Op, Place, Record
from .network import city_of

FILE = "github_audit.ndjson.gz"
ACCESS = {"app": "GitHub App server-to-server token", "pat": "Personal access token (classic)", "fine": "Fine-grained personal access token", "oauth": "OAuth access token",
    "key": "Public Key (User/Deploy)"}


def _operation(action: str) -> str:
    if "create" in action or "add" in action:
        return "create"
    return "remove" if any(word in action for word in ("destroy", "remove", "delete")) else "modify"


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    tenant = world.tenant
    f = Filler(tenant, who, rng, time, args)
    action = op.key[3:]
    millis = int(time * 1000)
    body: Dict[str, Any] = {"@timestamp": millis, "_document_id": rng.text(22, MIXED), "action": action, "actor": who.ids["actor"], "actor_id": int(who.ids["actorid"]),
        "actor_is_bot": who.auth == "app", "actor_ip": place.ip, "actor_location": {"country_code": city_of(place.ip)[2]},
                            "user_agent": place.agent, "created_at": millis, "org": tenant.github_org, "org_id": tenant.github_org_id, "business": tenant.company,
                                "business_id": tenant.github_org_id // 7}
    if "ghrepo" in f.known or not action.startswith(("org.", "integration_installation", "personal_access", "org_cred")):
        repo = str(f.var("ghrepo"))
        body["repo"] = repo if "/" in repo else f"{tenant.github_org}/{repo}"
        body["repo_id"] = sum(ord(letter) * (index + 11) for index, letter in enumerate(repo)) * 977 + tenant.github_org_id
        body["public_repo"] = False
    if action.startswith("git."):
        ssh = who.auth == "key" or place.agent.startswith("git/") and who.ids.get("ssh") == "1"
        body.update({"repository": body["repo"], "transport_protocol_name": "ssh" if ssh else "http", "transport_protocol": 2 if ssh else 1})
    else:
        body["operation_type"] = "access" if op.read else _operation(action)
        body["request_id"] = f"{rng.hexs(4).upper()}:{rng.hexs(6).upper()}:{rng.hexs(7).upper()}:{rng.hexs(7).upper()}:{rng.hexs(8).upper()}"
    if not (who.human and "Mozilla" in place.agent):
        body["programmatic_access_type"] = ACCESS[who.auth] if who.auth in ACCESS else ACCESS["key"]
        body["hashed_token"] = who.key_at(time)
        body["token_id"] = int(who.ids["tokenid"])
        if who.auth in ("pat", "oauth"):
            body["token_scopes"] = who.ids["scopes"]
    if action.startswith("workflows.") and "event" in f.known:
        body["event"] = f.known["event"]
    if op.params:
        filled = f.fill(op.params)
        filled.update({key: f.known[key] for key in filled if key in f.known})
        body.update(filled)
    return [Record(FILE, time, body)]
