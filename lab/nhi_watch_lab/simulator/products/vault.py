"""HashiCorp Vault: its audit log; entities of pods, pipelines and servers.

Shape: HashiCorp's "Audit devices", entries of type request and response; tokens and accessors are HMACs.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Place, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady

KINDS = ["db", "db", "api-key", "admin", "stripe", "smtp", "redis"]
AGENTS = ["Go-http-client/1.1", "hvac/2.3.0", "vault-agent/1.18.1", "VaultSharp/1.17.5", "curl/8.5.0",
          "node-vault/0.10.2"]


def call(company: Company, operation: str, path: str, mount: str = "kv", refused: bool = False) -> Deed:
    """A call, as request and as response; `{word}` and `{kind}` in the path are drawn."""
    action = f"{operation} {'/'.join(path.split('/')[:2])}"

    def deed(sender: Sender, at: At) -> list[Line]:
        where = path.replace("{word}", at.dice.pick(WORDS)).replace("{kind}", at.dice.pick(KINDS))
        request = _request(sender, at, operation, where, mount)
        auth = _auth(sender, at)
        entry: Record = {"time": iso(at.second, 9), "type": "request", "auth": auth, "request": request}
        answer: Record = {"time": iso(at.second + 0.003, 9), "type": "response", "auth": auth, "request": request}
        if refused:
            entry["error"] = answer["error"] = "1 error occurred:\n\t* permission denied\n\n"
        else:
            answer["response"] = {"mount_type": mount}
            if operation == "read":
                answer["response"]["data"] = {"data": {"value": f"hmac-sha256:{at.dice.hexes(64)}"}}
            elif "create" in where:
                answer["response"]["auth"] = {"accessor": f"hmac-sha256:{at.dice.hexes(64)}", "display_name": "token",
                                              "policies": ["default"], "token_type": "service"}
        return sender.line(at, "vault", action, entry) + sender.line(
            at.later(0.003), "vault", action, answer)

    return deed


def _request(sender: Sender, at: At, operation: str, path: str, mount: str) -> Record:
    return {"id": at.dice.uuid(), "operation": operation, "mount_type": mount, "path": path,
            "namespace": {"id": "root"},
            "client_id": sender.facts["entity"], "remote_address": sender.address,
            "remote_port": at.dice.between(2000, 60000),
            "client_token": f"hmac-sha256:{sender.session}",
            "client_token_accessor": f"hmac-sha256:{sender.session[::-1]}",
            "headers": {"user-agent": [sender.agent]}}


def _auth(sender: Sender, at: At) -> Record:
    facts = sender.facts
    return {"client_token": f"hmac-sha256:{sender.session}", "accessor": f"hmac-sha256:{sender.session[::-1]}",
            "display_name": facts["display"], "policies": ["default", facts["policy"]],
            "token_policies": ["default", facts["policy"]], "entity_id": facts["entity"], "token_type": "service",
            "token_ttl": sender.worker.rotate, "token_issue_time": iso(at.second - at.second % sender.worker.rotate, 0),
            "metadata": facts["metadata"], "policy_results": {"allowed": True}}


def login(company: Company) -> Deed:
    """How an entity gets a token: only the response tells who it is."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        request = _request(sender, at, "update", f"auth/{facts['method']}/login", facts["method"])
        request.update({"client_token": None, "client_token_accessor": None, "client_id": ""})
        made = _auth(sender, at)
        entry = {"time": iso(at.second, 9), "type": "request", "auth": {}, "request": request}
        answer = {"time": iso(at.second + 0.004, 9), "type": "response", "auth": {}, "request": request,
                  "response": {"mount_type": facts["method"], "auth": made}}
        return sender.line(at, "vault", "login", entry) + sender.line(at.later(0.004), "vault", "login", answer)

    return deed


def entity(company: Company, name: str, method: str, place: Place, d: Dice) -> Worker:
    """An entity without habits; `method` is how it signs in."""
    worker = Worker(f"vault-{name}", "entity", f"vault:entity:{name}", place, d.pick(AGENTS))
    metadata = {"role_name": name} if method == "approle" else {"role": name}
    worker.facts = {"entity": d.uuid(), "display": f"{method}-{name}", "policy": name, "method": method,
                    "metadata": metadata}
    worker.rotate, worker.opening = d.pick([1, 4, 12]) * HOUR, [login(company)]
    return worker


def pod(company: Company, number: int) -> Worker:
    """The entity of a service account, which signs in with its token."""
    d = company.dice("vault-pod", number)
    pods = company.pods()
    _, _, space, account = pods[number % len(pods)].subject.split(":") if pods else ("", "", "apps", f"app-{number}")
    worker = entity(company, f"{space}-{account}", "kubernetes", company.nat("aws", d), d)
    worker.facts["metadata"] = {"role": account, "service_account_name": account, "service_account_namespace": space,
                                "service_account_uid": company.dice("k8s", space, account).uuid()}
    worker.habits.append(steady(d.lognormal(20, 0.8), _own(company, d, account[:12])))
    return worker


def _own(company: Company, d: Dice, name: str) -> list[Deed]:
    found = [call(company, "read", f"secret/data/{name}/{word}") for word in d.some(WORDS, d.between(1, 3))]
    if d.chance(0.4):
        found.append(call(company, "read", f"database/creds/{name}", "database"))
    found.append(call(company, "update", "auth/token/renew-self", "token"))
    if d.chance(0.2):
        found.append(call(company, "update", f"transit/encrypt/{name}", "transit"))
    return found


def server(company: Company, number: int) -> Worker:
    """A server or a pipeline with an AppRole."""
    d = company.dice("vault-server", number)
    name = f"{d.pick(WORDS)}-{d.pick(['deploy', 'batch', 'server', 'ci'])}-{number}"
    place = d.pick([company.nat("aws", d), company.runner(name), company.nat("gcp", d)])
    worker = entity(company, name, "approle", place, d)
    rhythm = d.pick([Rhythm("every", d.pick([3600, 14400]), d.between(0, 3500)), Rhythm("burst", 2)])
    worker.habits.append(run(rhythm, (_own(company, d, name[:12]), d.lognormal(4, 0.5), 2)))
    if d.chance(0.25):
        wide = [call(company, "list", "secret/metadata/{word}"), call(company, "read", "secret/data/{word}/{kind}")]
        worker.habits.append(run(Rhythm("cron", at=d.between(0, 22 * HOUR)), (wide, 9, 2)))
    if d.chance(0.2):
        worker.habits.append(steady(3, [call(company, "read", f"secret/data/{d.pick(WORDS)}/db", refused=True)]))
    return worker


def person(company: Company, one: Person) -> Worker:
    """An operator who signs in with single sign-on."""
    d = company.dice("vault-person", one.number)
    worker = entity(company, f"oidc-{one.login}", "oidc", one.place, d)
    worker.agent, worker.human, worker.zone, worker.born = one.browser, True, one.zone, one.born
    worker.facts.update({"display": f"oidc-{one.email}", "metadata": {"email": one.email}})
    acts = [call(company, "read", "secret/data/{word}/{kind}"), call(company, "list", "secret/metadata/{word}"),
            call(company, "update", "secret/data/{word}/api-key"), call(company, "read", "sys/policies/acl/{word}",
                                                                        "system"),
            call(company, "update", "auth/approle/role/{word}/secret-id", "approle"),
            call(company, "update", "sys/policies/acl/{word}", "system")]
    worker.habits.append(office(d.lognormal(2, 0.6), acts))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` entities of machines, and a fifth of the people."""
    half = max(1, count // 2)
    found = [pod(company, n) for n in range(min(half, len(company.pods())))]
    found += [server(company, n) for n in range(count - len(found))]
    return found + [person(company, one) for one in company.people if one.number % 5 == 2]
