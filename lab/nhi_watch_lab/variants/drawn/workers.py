"""Workers of a company's other products that are odd by nature: operators, planners, desks, turners, people's tokens."""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import DAY, HOUR, Place, Rhythm
from nhi_watch_lab.simulator.products import entra, gcp, github, kubernetes, okta, vault
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.tenant import Tenant
from nhi_watch_lab.simulator.products.workers import Deed, Habit, Worker, run

_APPLYING = [f"{verb} {thing}" for verb in ("create", "patch") for thing in ["deployments", "services", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "ingresses", "cronjobs", "networkpolicies", "poddisruptionbudgets", "horizontalpodautoscalers", "customresourcedefinitions", "namespaces"]]  # fmt: skip
_OPERATING = {
    "argocd-application-controller": (["get deployments", "list pods", "get configmaps"], 8, _APPLYING, 1.6, 5),
    "strimzi-cluster-operator": (["list kafkas", "get secrets", "list pods"], 10, [
        "create secrets", "update secrets", "create rolebindings", "create clusterrolebindings", "create serviceaccounts", "delete pods",
        "update kafkausers", "patch kafkatopics", "create networkpolicies", "create configmaps"], 0.5, 4),
    "cert-manager-controller": (["list certificates", "get secrets", "update leases"], 6, [
        "create certificaterequests", "create orders", "create challenges", "create pods", "create services", "create ingresses",
        "delete ingresses", "create secrets", "update secrets", "create serviceaccounts/token"], 0.5, 6),
    "external-secrets-operator": (["list externalsecrets", "get secrets", "create serviceaccounts/token"], 12, [
        "create secrets", "update secrets", "list secrets", "get externalsecrets"], 0.6, 4),
    "velero-restore": (["list namespaces", "list secrets", "list configmaps"], 1, _APPLYING, 0.07, 20),
    "runner-scale-set": (["list pods"], 12, [
        "create pods", "create secrets", "create serviceaccounts", "create rolebindings", "delete pods", "delete secrets"], 4, 4),
    "kubectl-token": (["list pods"], 1, [
        "list pods", "get pods/log", "create pods/exec", "get secrets", "patch deployments", "delete pods", "create jobs",
        "create selfsubjectaccessreviews", "get configmaps", "create serviceaccounts/token"], 1.1, 4),
}  # fmt: skip
_GITHUB = ["repo.create", "team.add_member", "team.remove_member", "team.add_repository", "repo.add_member", "repo.remove_member", "repo.create_actions_secret", "repo.update_actions_secret", "org.update_actions_secret", "environment.create_actions_secret", "repository_ruleset.update", "protected_branch.create", "protected_branch.destroy", "hook.create", "hook.config_changed", "public_key.create", "public_key.delete", "org.add_member", "org.remove_member", "org.update_member", "repo.archived", "integration_installation.create"]  # fmt: skip
_JOINING = (
    ["user.lifecycle.create", "user.lifecycle.activate", "application.user_membership.add", "group.user_membership.add"]
)
_LEAVING = ["user.lifecycle.suspend", "user.session.clear", "application.user_membership.remove", "user.lifecycle.deactivate", "group.user_membership.remove"]
_DESK = ["user.account.unlock", "user.account.reset_password", "user.mfa.factor.reset_all", "user.mfa.factor.deactivate", "user.account.expire_password"]
_OKTA = ["application.lifecycle.create", "application.lifecycle.update", "policy.rule.update", "policy.lifecycle.update", "group.lifecycle.create", "group.privilege.grant", "zone.update", "system.api_token.create", "app.oauth2.client.lifecycle.create"]  # fmt: skip
_ENTRA_JOIN = ["Add user", "Update user", "Add member to group", "Change user license", "Disable account", "Delete user",
               "Update StsRefreshTokenValidFrom Timestamp", "Remove member from group"]  # fmt: skip
_ENTRA_PLAN = ["Add application", "Update application", "Add service principal", "Add owner to application", "Add service principal credentials",
               "Remove service principal credentials", "Add delegated permission grant", "Add group", "Add owner to group",
               "Add app role assignment to service principal", "Add member to role", "Update conditional access policy"]  # fmt: skip
_GCP = [("iam", "google.iam.admin.v1.CreateServiceAccount"), ("iam", "google.iam.admin.v1.CreateServiceAccountKey"), ("project", "SetIamPolicy"),
        ("compute", "v1.compute.instances.insert"), ("compute", "v1.compute.instances.setMetadata"), ("bucket", "storage.buckets.update"),
        ("bucket", "storage.buckets.create"), ("run", "google.cloud.run.v1.Services.ReplaceService"),
        ("sink", "google.logging.v2.ConfigServiceV2.UpdateSink"), ("pubsub", "google.pubsub.v1.Publisher.CreateTopic")]  # fmt: skip
_VAULT = [("update", "sys/policies/acl/{word}", "system"), ("update", "auth/kubernetes/role/{word}", "kubernetes"),
          ("update", "auth/approle/role/{word}/secret-id", "approle"), ("update", "database/roles/{word}", "database"),
          ("update", "pki/roles/{word}", "pki"), ("update", "sys/mounts/{word}", "system"), ("update", "auth/token/create", "token")]  # fmt: skip
ODD = (*_OPERATING, "terraform-org", "laptop-token", "release-bot", "helpdesk-bot", "people-lifecycle", "terraform-directory",
       "secret-rotator", "terraform-google", "desk-key", "terraform-vault")  # fmt: skip


def hire(tenant: Tenant) -> None:
    """Odd workers in each product that the company has."""
    company = tenant.company
    makers: dict[str, Callable[[Company], list[Worker]]] = {
        "kubernetes": _kubernetes, "github": _github, "okta": _okta, "entra": _entra, "gcp": _gcp, "vault": _vault,
    }  # fmt: skip
    for product, make in makers.items():
        if product in tenant.staff:
            tenant.staff[product] += make(company)


def _home(company: Company, d: Dice, name: str) -> Place:
    flat, wanders = basics.address(d, basics.ISPS[company.aws.world.country]), d.pick([0.02, 0.15, 0.4])
    everywhere = [*basics.ISPS.values()]
    return Place(
        lambda x: basics.address(x, x.pick(everywhere)) if x.chance(wanders) else flat, fixed=False, name=f"home-{name}"
    )


def _bursts(d: Dice, rate: float, acts: list[Deed], size: float, gap: float = 4.0) -> Habit:
    return run(Rhythm("burst", rate * d.lognormal(1, 0.4)), (d.some(acts, len(acts)), size, gap))


def _kubernetes(company: Company) -> list[Worker]:
    found = []
    for name, (usual, times, acts, rate, size) in _OPERATING.items():
        d = company.dice("odd", name)
        worker = kubernetes.service_account(company, d.pick(["platform", name.split("-")[0]]), f"{name}-{d.hexes(2)}")
        if name == "kubectl-token":
            worker.place, worker.agent = _home(company, d, name), d.pick(kubernetes.KUBECTL)
        rhythm = Rhythm("every", DAY // times, d.between(0, HOUR))
        worker.habits = [run(rhythm, ([kubernetes.call(company, what) for what in usual], 3, 2)),
                         _bursts(d, rate, [kubernetes.call(company, what) for what in acts], size)]  # fmt: skip
        found.append(worker)
    return found


def _github(company: Company) -> list[Worker]:
    found = []
    for number, name in enumerate(("terraform-org", "laptop-token", "laptop-token", "release-bot")):
        d = company.dice("odd", name, number)
        worker = github.robot(company, 901 + 3 * number)
        login = f"{name}-{d.pick(WORDS)}"
        worker.name, worker.who, worker.facts["actor"] = f"gh-{login}", f"github:token:{login}", login
        mine = d.some(company.repos, max(1, len(company.repos) // 3))
        if name == "laptop-token":
            worker.place = _home(company, d, login)
            acts = [
                github.git(company, mine, "git.fetch"),
                github.git(company, mine, "git.push"),
                github.git(company, mine, "git.clone"),
            ]
            rare = [
                *github.hardenings(company, mine),
                github.change(company, "repo.create_actions_secret", {"key": "TOKEN"}, mine),
            ]
            worker.habits = [_bursts(d, 1.4, acts, 3, 60), _bursts(d, 0.06, rare, 1.5), _bursts(d, 0.04, acts[2:], 14)]
        elif name == "terraform-org":
            worker.place = company.runner(login)
            plan = [github.change(company, each, {"user": d.pick(company.people).login}, mine) for each in _GITHUB]
            worker.habits = [_bursts(d, 0.8, plan, 4)]
        else:
            worker.place = company.runner(login)
            acts = [github.git(company, mine, "git.push"), github.change(company, "protected_branch.policy_override", {}, mine),
                    github.change(company, "release.published", {}, mine)]  # fmt: skip
            worker.habits = [_bursts(d, 0.6, acts, 4)]
        found.append(worker)
    return found


def _okta(company: Company) -> list[Worker]:
    def events(names: list[str]) -> list[Deed]:
        return [okta.event(company, each) for each in names]

    found = []
    for number, name in enumerate(("people-lifecycle", "helpdesk-bot", "terraform-directory")):
        d = company.dice("odd-okta", name)
        worker = okta.service_app(company, 901 + number)
        label = f"{name} {d.pick(WORDS)}"
        worker.name, worker.facts["name"] = f"okta-{label}", label
        worker.place = company.runner(label) if name.startswith("terraform") else company.vendor(d, label)
        worker.habits = {
            "people-lifecycle": [_bursts(d, 0.6, events(_JOINING), 5), _bursts(d, 0.3, events(_LEAVING), 4)],
            "helpdesk-bot": [_bursts(d, 1.8, events(_DESK), 2), _bursts(d, 0.04, [okta.privilege(company)], 1)],
            "terraform-directory": [_bursts(d, 0.6, events(_OKTA), 4)],
        }[name]
        found.append(worker)
    return found


def _entra(company: Company) -> list[Worker]:
    found = []
    for name, activities, rate, size in (
        ("people-lifecycle", _ENTRA_JOIN, 0.8, 5), ("helpdesk-bot", ["Reset user password", "Enable account", "Update user", "Add member to group"], 1.8, 2),
        ("terraform-directory", _ENTRA_PLAN, 0.9, 4), ("secret-rotator", _ENTRA_PLAN[4:6], 0.25, 3),
    ):  # fmt: skip
        d = company.dice("odd-entra", name)
        worker = entra.make_app(company, f"{name}-{d.pick(WORDS)}", d)
        worker.place = company.runner(worker.name) if name.startswith("terraform") else company.vendor(d, worker.name)
        acts = list[Deed]()
        for activity in activities:
            one = d.pick(company.people)
            kind = "Application" if "application" in activity.lower() else "User"
            target = {"id": one.guid, "displayName": one.name, "type": kind, "modifiedProperties": []}
            acts.append(entra.audit(company, activity, target))
        worker.habits = [_bursts(d, rate, acts, size)]
        if name == "secret-rotator":
            other = entra.make_app(company, f"{d.pick(WORDS)}-portal", d)
            worker.habits.append(_bursts(d, 0.2, [entra.fresh_secret(company, other)], 2))
        found.append(worker)
    return found


def _gcp(company: Company) -> list[Worker]:
    found = []
    for name in ("terraform-google", "desk-key"):
        d = company.dice("odd-gcp", name)
        worker = gcp.account(company, f"{name}-{d.pick(WORDS)}", d)
        if name == "desk-key":
            worker.keys, worker.place = [(0, d.hexes(40))], _home(company, d, name)
            worker.habits = [_bursts(d, 1.1, [gcp.call(company, what) for what in (gcp.QUERY, gcp.READ)], 4, 30),
                             _bursts(d, 0.08, [gcp.call(company, what) for what in (gcp.SECRET, *gcp.LOOKS)], 4)]  # fmt: skip
        else:
            worker.place = company.runner(worker.name)
            worker.habits = [_bursts(d, 1.0, [gcp.call(company, what) for what in gcp.LOOKS], 7),
                             _bursts(d, 0.8, [gcp.call(company, what) for what in _GCP if what[0] in gcp.SERVICES], 4)]  # fmt: skip
        found.append(worker)
    return found


def _vault(company: Company) -> list[Worker]:
    d = company.dice("odd-vault")
    worker = vault.entity(company, f"terraform-vault-{d.pick(WORDS)}", "approle", company.runner("vault"), d)
    acts = [vault.call(company, *each) for each in _VAULT]
    worker.habits = [_bursts(d, 0.8, acts, 4)]
    return [worker]
