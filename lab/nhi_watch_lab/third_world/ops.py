"""The operations there are, and the jobs that are made of them.

rate is runs a day (median), length calls a run. A rare op is one a new version or an odd day may bring.
"""

from typing import Dict, List, NamedTuple, Tuple

from nhi_watch_lab.tables import text
from nhi_watch_lab.third_world.model import Op

# ---- what AWS machines do for a living: `kind name power schedule rate length clients | usual ops | rare ops`

class Job(NamedTuple):
    kind: str
    name: str
    power: str
    schedule: str
    rate: float
    length: int
    clients: List[str]
    ops: List[Tuple[str, float]]
    rare: List[str]
    weight: float


TEXT = text(__file__, "aws_jobs.txt")


def _ops(text: str) -> List[Tuple[str, float]]:
    pairs = []
    for item in text.split():
        name, _, weight = item.partition("*")
        pairs.append((name, float(weight or 1)))
    return pairs


def parse(text: str) -> List[Job]:
    jobs = []
    for line in text.strip().splitlines():
        head, ops, rare, weight = line.split(" | ")
        kind, name, power, schedule, rate, length, clients = head.split()
        jobs.append(Job(kind, name, power, schedule, float(rate), int(length), clients.split(","), _ops(ops), rare.split(),
                        float(weight)))
    return jobs


JOBS = parse(TEXT)


# ---- the AWS calls of this world: `service Name,Name kind params [| response]`, kinds as in model.Op

AWS_OPS_TEXT = text(__file__, "aws_ops.txt")


def catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in AWS_OPS_TEXT.strip().splitlines():
        head, _, reply = line.partition(" | ")
        service, names, kind, *params = head.split(" ", 3)
        for name in names.split(","):
            key = f"{service}:{name.replace('20150331v2', '').replace('20150331', '')}"
            found[key] = Op(key, "cloudtrail", service, name, kind, params[0].strip() if params else "", reply.strip())
    return found


# ---- operations and jobs outside AWS. `key | name as logged | kind | params`, prefix = product

PRODUCTS = {"k8s": "kubernetes", "gh": "github", "okta": "okta", "entra": "entra", "m365": "m365", "gcp": "gcp",
            "vault": "vault"}
OTHER_OPS_TEXT = text(__file__, "other_ops.txt")
JOBS_TEXT = text(__file__, "other_ops_jobs_text.txt")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
KINDS = ("pods pods.exec pods.log pods.status configmaps secrets services endpoints namespaces nodes nodes.status nodes.proxy "
         "serviceaccounts serviceaccounts.token events deployments daemonsets statefulsets cronjobs jobs roles rolebindings "
         "clusterroles clusterrolebindings ingresses leases selfsubjectrulesreviews selfsubjectaccessreviews "
         "validatingwebhookconfigurations mutatingwebhookconfigurations").split()


def other_ops_catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in OTHER_OPS_TEXT.strip().splitlines():
        key, name, kind, params = line.split(" | ", 3)
        prefix = key.partition(":")[0]
        found[key] = Op(key, PRODUCTS[prefix], prefix, name, kind, params, "")
    for verb in VERBS:
        for resource in KINDS:
            key = f"k8s:{verb}/{resource}"
            found[key] = Op(key, "kubernetes", "k8s", f"{verb}/{resource}", "R" if verb in VERBS[:3] else "W", "", "")
    return found


OTHER_OPS_JOBS: List[Job] = parse(JOBS_TEXT)
