"""HashiCorp Vault audit log lines (responses)."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import MIXED, Chance
from .fill import Filler, iso, iso_fraction
from .model import Identity, Op, Place, Record

FILE = "vault_audit.ndjson.gz"
MOUNTS = {"secret": "kv", "aws": "aws", "database": "database", "pki": "pki", "transit": "transit", "sys": "system", "auth": "token"}


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    f = Filler(world.tenant, who, rng, time, args)
    operation, path = op.params, str(f.fill(op.response if op.response else op.note))
    ids = who.ids
    token = world.vault_token(who, place, time)
    login = op.key == "vault/login"
    mount = path.split("/")[0]
    auth: Dict[str, Any] = {"client_token": "hmac-sha256:" + token["token"], "accessor": "hmac-sha256:" + token["accessor"], "display_name": ids["display"],
        "policies": ids["policies"].split(","), "token_policies": ids["policies"].split(","), "policy_results": {"allowed": error != "denied"},
                            "metadata": {"role_name": ids["role"]} if not who.human else {"username": who.name}, "entity_id": ids["entity"], "token_type": "service", "token_ttl": 3600,
                                "token_issue_time": iso(token["begun"])}
    request: Dict[str, Any] = {"id": rng.uuid(), "client_id": ids["entity"], "operation": operation, "mount_point": (f"auth/{ids['mount']}/" if login else mount + "/"),
        "mount_type": ids["mount"] if login else MOUNTS.get(mount, "kv"), "mount_running_version": "v1.18.1+builtin.vault", "namespace": {"id": "root"}, "path": path,
                               "remote_address": place.ip, "remote_port": rng.randint(32768, 60999), "headers": {"user-agent": [place.agent]}}
    if not login:
        request.update({"client_token": auth["client_token"], "client_token_accessor": auth["accessor"]})
    if operation == "update":
        request["data"] = {"role": "hmac-sha256:" + rng.hexs(64)} if login else {"payload": "hmac-sha256:" + rng.hexs(64)}
    response: Dict[str, Any] = {"mount_type": request["mount_type"], "mount_accessor": f"{request['mount_type']}_{ids['accessor']}"}
    if login and not error:
        response["auth"] = dict(auth)
    if op.read and not error:
        response["data"] = {"data": "hmac-sha256:" + rng.hexs(64)}
    if op.key in ("vault/db_creds", "vault/aws_creds"):
        response["secret"] = {"lease_id": path + "/" + rng.text(24, MIXED)}
    body: Dict[str, Any] = {"time": iso_fraction(time, 9, rng), "type": "response", "auth": auth, "request": request, "response": response}
    if error:
        body["error"] = "1 error occurred:\n\t* permission denied\n\n" if error == "denied" else "1 error occurred:\n\t* internal error\n\n"
    return [Record(FILE, time, body)]
