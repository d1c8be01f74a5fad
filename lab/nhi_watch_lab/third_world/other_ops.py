"""Operations and jobs outside AWS. `key | name as logged | kind | params`, prefix = product."""
from typing import Dict, List

from .aws_jobs import Job, parse
from .model import Op
from nhi_watch_lab.tables import text

PRODUCTS = {"k8s": "kubernetes", "gh": "github", "okta": "okta", "entra": "entra", "m365": "m365", "gcp": "gcp",
            "vault": "vault"}
TEXT = text(__file__, "other_ops.txt")
JOBS_TEXT = text(__file__, "other_ops_jobs_text.txt")
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
KINDS = ("pods pods.exec pods.log pods.status configmaps secrets services endpoints namespaces nodes nodes.status nodes.proxy "
         "serviceaccounts serviceaccounts.token events deployments daemonsets statefulsets cronjobs jobs roles rolebindings "
         "clusterroles clusterrolebindings ingresses leases selfsubjectrulesreviews selfsubjectaccessreviews "
         "validatingwebhookconfigurations mutatingwebhookconfigurations").split()


def catalogue() -> Dict[str, Op]:
    found: Dict[str, Op] = {}
    for line in TEXT.strip().splitlines():
        key, name, kind, params = line.split(" | ", 3)
        prefix = key.partition(":")[0]
        found[key] = Op(key, PRODUCTS[prefix], prefix, name, kind, params, "")
    for verb in VERBS:
        for resource in KINDS:
            key = f"k8s:{verb}/{resource}"
            found[key] = Op(key, "kubernetes", "k8s", f"{verb}/{resource}", "R" if verb in VERBS[:3] else "W", "", "")
    return found


JOBS: List[Job] = parse(JOBS_TEXT)
