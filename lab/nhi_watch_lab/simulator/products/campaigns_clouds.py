"""Techniques in Entra, Azure, Google Cloud and Kubernetes."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.products import azure, entra, gcp, kubernetes
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import technique
from nhi_watch_lab.simulator.products.workers import At
from nhi_watch_lab.simulator.shapes import secret


@technique("T1098.001", "persistence discovery", "person azure")
def secret_on_app(raid: Raid, cast: Any) -> None:
    """A second secret for an app; with it a sign-in, then the directory and the subscriptions are listed."""
    company, d = raid.company, raid.dice
    key = d.uuid()
    raid.do(cast.person, entra.new_secret(company, cast.azure, key), gap=900)
    sender = raid.sender(cast.azure)._replace(key=key)
    _as(raid, sender, entra.sign_in(company, entra.AZURE), entra.sign_in(company))
    looks = [entra.graph(company, "GET", path) for path in entra.READS]
    looks += [azure.activity(company, name, refused=d.chance(0.2)) for name in azure.READS]
    for deed in d.some(looks, raid.few(14)):
        _as(raid, sender, deed)
    if d.chance(0.5):
        last = [azure.activity(company, "Microsoft.Storage/storageAccounts/listKeys/action"),
                azure.activity(company, "Microsoft.Authorization/roleAssignments/write", body=azure.grant(d)),
                entra.app_role(company, cast.azure, d.pick(["RoleManagement.ReadWrite.Directory", "Mail.Read"]))]
        _as(raid, sender, d.pick(last))


def _as(raid: Raid, sender: Any, *deeds: Any) -> None:
    for deed in deeds:
        raid.add(deed(sender, At(raid.clock, raid.dice)))


@technique("T1528", "initial-access discovery", "app")
def app_secret_stolen(raid: Raid, cast: Any) -> None:
    """An app's own secret in other hands: a sign-in, then Graph."""
    company = raid.company
    raid.do(cast.app, entra.sign_in(company))
    raid.many(cast.app, raid.few(20), [entra.graph(company, "GET", path) for path in raid.dice.some(entra.READS, 6)])


@technique("T1078.004", "initial-access discovery", "sleeper")
def dormant_app(raid: Raid, cast: Any) -> None:
    """An app that slept for weeks signs in and looks around."""
    company = raid.company
    raid.do(cast.sleeper, entra.sign_in(company))
    raid.habits(cast.sleeper, raid.few(8))
    raid.many(cast.sleeper, raid.few(6), [entra.graph(company, "GET", path) for path in raid.dice.some(entra.READS, 4)])


@technique("T1552.005", "lateral-movement credential-access collection", "managed storage")
def managed_to_blobs(raid: Raid, cast: Any) -> None:
    """A machine's managed identity lists a storage account's keys, and a key downloads the blobs."""
    company, d = raid.company, raid.dice
    raid.do(cast.managed, entra.sign_in(company, entra.AZURE), inside=True)
    for name in d.some(azure.READS, raid.few(5)):
        raid.do(cast.managed, azure.activity(company, name), inside=not raid.external)
    account, key = cast.storage.facts["account"], cast.storage.facts["key"]
    scope = (f"/subscriptions/{company.subscriptions[0]}/resourceGroups/rg-data/providers/Microsoft.Storage/"
             f"storageAccounts/{account}")
    listing = azure.activity(company, "Microsoft.Storage/storageAccounts/listKeys/action", scope=scope)
    raid.do(cast.managed, listing, gap=300, inside=not raid.external)
    raid.do(cast.storage, azure.blob(company, account, key, "ListBlobs"))
    raid.many(cast.storage, raid.few(60), [azure.blob(company, account, key)], gap=2)


@technique("T1078.004", "initial-access privilege-escalation collection exfiltration", "keyed account")
def key_and_chain(raid: Raid, cast: Any) -> None:
    """A leaked key of one service account mints tokens of another, which copies buckets."""
    company, d = raid.company, raid.dice
    for what in d.some(gcp.LOOKS, raid.few(4)):
        raid.do(cast.keyed, gcp.call(company, what, refused=d.chance(0.3)))
    raid.do(cast.keyed, gcp.mint(company, cast.account), gap=60)
    behind = gcp.through(cast.account, cast.keyed)
    raid.do(behind, gcp.call(company, ("bucket", "storage.buckets.list")))
    acts = [gcp.call(company, gcp.READ), gcp.call(company, ("bucket", "storage.objects.list"))]
    raid.many(behind, raid.few(80), acts, gap=2)
    if d.chance(raid.quiet):
        raid.do(behind, gcp.call(company, gcp.QUERY))


@technique("T1098.001", "persistence privilege-escalation", "account")
def key_minting(raid: Raid, cast: Any) -> None:
    """A workload's service account makes keys for others, and grants itself more."""
    company, d = raid.company, raid.dice
    for what in d.some(gcp.LOOKS, raid.few(4)):
        raid.do(cast.account, gcp.call(company, what, refused=d.chance(0.3)))
    for _ in range(raid.few(3)):
        other = d.pick([w for w in raid.tenant.staff["gcp"] if w.kind == "service_account" and w is not cast.account])
        raid.do(cast.account, gcp.new_key(company, other, d.hexes(40)), gap=40)
    if d.chance(0.5):
        raid.do(cast.account, gcp.grant(company, f"serviceAccount:{cast.account.facts['email']}", "roles/editor"))


@technique("T1552.007", "credential-access privilege-escalation lateral-movement", "pod")
def pod_to_cloud(raid: Raid, cast: Any) -> None:
    """Out of a pod: tokens are minted, secrets read, and the pod's AWS role is used abroad."""
    company, d, pod = raid.company, raid.dice, cast.pod
    for what in d.some(["list pods", "list serviceaccounts", "create selfsubjectrulesreviews", "list namespaces"],
                       raid.few(4)):
        raid.do(pod, kubernetes.call(company, what, refused=d.chance(0.25)), inside=True)
    names = [w.facts["account"] for w in raid.tenant.staff["kubernetes"] if "account" in w.facts]
    for name in d.some(names, raid.few(3)):
        raid.do(pod, kubernetes.token(company, pod.facts["namespace"], name, d), inside=True)
    raid.many(pod, raid.few(8), [kubernetes.call(company, "get secrets"), kubernetes.call(company, "list secrets")])
    raid.wait(HOUR / 4)
    cloud = raid.cloud(pod.facts["role"], fresh=True)
    cloud.do("sts:GetCallerIdentity")
    cloud.all_of("s3:ListBuckets secretsmanager:ListSecrets ec2:DescribeInstances iam:ListRoles")
    for name in d.some(cloud.world.secrets, raid.few(5)):
        cloud.do("secretsmanager:GetSecretValue", secret(cloud.world, name, pod.facts["role"].region))
    raid.landed(cloud)


@technique("T1552.007", "discovery credential-access persistence", "service_account")
def cluster_sweep(raid: Raid, cast: Any) -> None:
    """A service account reads the secrets of every namespace, runs commands in pods, binds itself a role."""
    company, d = raid.company, raid.dice
    for space in d.some(kubernetes.NAMESPACES, raid.few(7)):
        raid.do(cast.service_account, kubernetes.call(company, "list secrets", space, refused=d.chance(0.4)))
        raid.many(cast.service_account, raid.few(4), [kubernetes.call(company, "get secrets", space)])
    raid.many(cast.service_account, raid.few(3), [kubernetes.call(company, "create pods/exec"),
                                                  kubernetes.call(company, "get pods/log")])
    if d.chance(0.5):
        raid.do(cast.service_account, kubernetes.call(company, "create rolebindings"))
