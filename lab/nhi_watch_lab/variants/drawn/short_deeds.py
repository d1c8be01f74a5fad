"""What is done in thefts of one to five calls: of an account, and of each product of a company."""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator import shapes
from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.products import azure, gcp, github, gitlab, kubernetes, okta, salesforce, snowflake, vault
from nhi_watch_lab.simulator.products.raid import Raid as ProductRaid
from nhi_watch_lab.simulator.products.workers import Deed, Record, Worker
from nhi_watch_lab.simulator.raid import Act, Raid
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.variants.drawn.brief import MOST as FIRST_CALLS
from nhi_watch_lab.variants.drawn.brief import OWN, SHORT

# ---- accounts: those of first files, and what is taken one by one


def _secrets(raid: Raid) -> None:
    d = raid.dice
    for number in range(d.between(1, 5)):
        name = f"{d.pick(raid.world.envs)}/{d.pick(WORDS)}/{d.pick(['db', 'api', 'smtp', 'jwt'])}-{number}"
        raid.do("secretsmanager:GetSecretValue", shapes.secret(raid.world, name, raid.victim.region))


def _detector(raid: Raid) -> None:
    raid.do("guardduty:DeleteDetector", Detail({"detectorId": raid.dice.hexes(32)}))


ACCOUNT: dict[str, Act] = {
    **{name: act for name, act in OWN.items() if name not in ("few_secrets", "detector_gone")},
    "secrets": _secrets, "detector": _detector,
}  # fmt: skip
NAMES = [*ACCOUNT, *(name for name in FIRST_CALLS if name not in ("key_validation", "federation_token"))]
"""Without the check of a key, which takes nothing, and without what goes on in another session."""
MOST = {name: most for name, most in FIRST_CALLS.items() if most < 5}


# ---- companies

Choose = Callable[[ProductRaid, Worker], list[Deed]]
SYSTEM = "kube-system"


def _verb(what: str, least: int = 1, most: int = 1, namespace: str = "") -> Choose:
    """A request to the cluster that tells what it is by itself."""

    def choose(raid: ProductRaid, worker: Worker) -> list[Deed]:
        count = raid.dice.between(least, most)
        return [kubernetes.call(raid.company, what, namespace) for _ in range(count)]

    choose.__name__ = "_" + "_".join([*what.replace("/", " ").split(), *namespace.split("-")]).rstrip("_")
    return choose


def _object(d: Dice, what: str, kind: str, body: Record, raid: ProductRaid, space: str = SYSTEM) -> Deed:
    """A request whose body the log keeps."""
    made = {"kind": kind, "metadata": {"name": f"{d.pick(WORDS)}-agent"}, **body}
    return kubernetes.call(raid.company, what, space, more={"level": "RequestResponse", "requestObject": made})


def _escape(d: Dice) -> Record:
    """A pod that sees the node."""
    container = {"name": "agent", "image": d.pick(["alpine:3.20", "busybox:1.36", "ubuntu:24.04"])}
    host: Record = {"hostPID": True, "hostNetwork": True} if d.chance(0.5) else {}
    if d.chance(0.6):
        container = {**container, "securityContext": {"privileged": True}}  # type: ignore[dict-item]
    return {**host, "containers": [container], "volumes": [{"name": "root", "hostPath": {"path": "/"}}]}


def _owner(raid: ProductRaid, worker: Worker) -> list[Deed]:
    role = raid.dice.pick(["cluster-admin", "cluster-admin", "admin"])
    account = {"kind": "ServiceAccount", "name": "default", "namespace": raid.dice.pick(kubernetes.NAMESPACES)}
    body: Record = {"roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [account]}
    return [_object(raid.dice, "create clusterrolebindings", "ClusterRoleBinding", body, raid)]


def _bound(raid: ProductRaid, worker: Worker) -> list[Deed]:
    body: Record = {"roleRef": {"kind": "ClusterRole", "name": "admin"},
                    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]}  # fmt: skip
    return [_object(raid.dice, "create rolebindings", "RoleBinding", body, raid)]


def _host_pod(raid: ProductRaid, worker: Worker) -> list[Deed]:
    made = _object(raid.dice, "create pods", "Pod", {"spec": _escape(raid.dice)}, raid)
    return [made, kubernetes.call(raid.company, "create pods/exec", SYSTEM)][: raid.dice.between(1, 2)]


def _daemons(raid: ProductRaid, worker: Worker) -> list[Deed]:
    body: Record = {"spec": {"template": {"spec": _escape(raid.dice)}}}
    return [_object(raid.dice, "create daemonsets", "DaemonSet", body, raid)]


def _tokens(raid: ProductRaid, worker: Worker) -> list[Deed]:
    d = raid.dice
    names = d.some(["default", "deployer", "argocd-server", "cluster-autoscaler"], d.between(1, 3))
    return [kubernetes.token(raid.company, d.pick(kubernetes.NAMESPACES), name, d) for name in names]


def _lists(raid: ProductRaid, worker: Worker) -> list[Deed]:
    spaces = raid.dice.some([s for s in kubernetes.NAMESPACES if s != worker.facts.get("namespace")], 3)
    return [kubernetes.call(raid.company, "list secrets", space) for space in spaces[: raid.dice.between(1, 3)]]


def _of_others(raid: ProductRaid, worker: Worker) -> list[Deed]:
    spaces = raid.dice.some([s for s in kubernetes.NAMESPACES if s != worker.facts.get("namespace")], 5)
    return [kubernetes.call(raid.company, "get secrets", space) for space in spaces[: raid.dice.between(1, 5)]]


def _warehouse(raid: ProductRaid, worker: Worker) -> list[Deed]:
    d = raid.dice
    tables = d.some([word.upper() for word in WORDS], d.between(1, 4))
    texts = [f"COPY INTO @exports/{table} FROM {table} FILE_FORMAT = (TYPE = PARQUET)" for table in tables]
    return [snowflake.query(raid.company, "UNLOAD", text, rows=300_000) for text in texts]


def _fetched(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [snowflake.query(raid.company, "GET_FILES", rows=30_000)] * raid.dice.between(1, 4)


def _code_token(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [gitlab.event(raid.company, "project_access_token_created", ("ProjectAccessToken", "ci"))]


def _code_runner(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [gitlab.event(raid.company, "set_runner_associated_projects", ("Ci::Runner", "runner"))]


def _code_variable(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [gitlab.event(raid.company, "ci_variable_created", ("Ci::Variable", "DEPLOY"))] * raid.dice.between(1, 2)


def _role_given(raid: ProductRaid, worker: Worker) -> list[Deed]:
    operation = "Microsoft.Authorization/roleAssignments/write"
    return [azure.activity(raid.company, operation, body=azure.grant(raid.dice))]


def _account_keys(raid: ProductRaid, worker: Worker) -> list[Deed]:
    operation = "Microsoft.Storage/storageAccounts/listKeys/action"
    return [azure.activity(raid.company, operation) for _ in range(raid.dice.between(1, 3))]


def _disk_copied(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [azure.activity(raid.company, "Microsoft.Compute/snapshots/write")] * raid.dice.between(1, 2)


def _customers(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [salesforce.event(raid.company, "BulkApi2", rows=200_000) for _ in range(raid.dice.between(1, 4))]


def _minted(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [gcp.call(raid.company, gcp.SECRET) for _ in range(raid.dice.between(1, 5))]


def _cloned(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [github.git(raid.company, raid.company.repos, "git.clone") for _ in range(raid.dice.between(2, 5))]


def _collaborator(raid: ProductRaid, worker: Worker) -> list[Deed]:
    more = {"user": f"{raid.dice.pick(WORDS)}-{raid.dice.hexes(3)}"}
    return [github.change(raid.company, "repo.add_member", more, raid.company.repos)]


def _provider(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [okta.event(raid.company, "system.idp.lifecycle.create")]


def _read(raid: ProductRaid, worker: Worker) -> list[Deed]:
    d = raid.dice
    paths = [f"secret/data/{d.pick(WORDS)}/{d.pick(['db', 'api', 'root'])}" for _ in range(d.between(1, 5))]
    return [vault.call(raid.company, "read", path) for path in paths]


def _token_made(raid: ProductRaid, worker: Worker) -> list[Deed]:
    return [vault.call(raid.company, "update", "auth/token/create", "token")]


KUBERNETES: list[Choose] = [
    _owner, _bound, _host_pod, _daemons, _tokens, _lists, _of_others, _verb("create pods/exec", 1, 4),
    _verb("create pods/portforward", 1, 2), _verb("patch daemonsets", 1, 2, SYSTEM), _verb("patch deployments", 1, 3, SYSTEM),
    _verb("patch configmaps", 1, 2, SYSTEM), _verb("patch clusterroles"), _verb("patch clusterrolebindings"),
    _verb("update secrets", 1, 2, SYSTEM), _verb("create cronjobs", 1, 1, SYSTEM), _verb("create nodes/proxy", 1, 3),
    _verb("create mutatingwebhookconfigurations"),
]  # fmt: skip
PRODUCTS: dict[str, list[Choose]] = {
    "kubernetes": KUBERNETES,
    "github": [*SHORT["github"][2], _cloned, _collaborator],
    "entra": [*SHORT["entra"][2]],
    "gcp": [*SHORT["gcp"][2], _minted],
    "okta": [*SHORT["okta"][2], _provider],
    "vault": [*SHORT["vault"][2], _read, _token_made],
    "snowflake": [_warehouse, _fetched],
    "gitlab": [_code_token, _code_runner, _code_variable],
    "azure": [_role_given, _account_keys, _disk_copied],
    "salesforce": [_customers],
}
VICTIMS = {"kubernetes": "service_account", "github": "token app oauth_app", "entra": "app", "gcp": "service_account",
           "okta": "token oauth_app", "vault": "entity", "snowflake": "service", "gitlab": "bot token",
           "azure": "app managed", "salesforce": "app"}  # fmt: skip
"""Product → the kinds of its workers that are robbed."""
