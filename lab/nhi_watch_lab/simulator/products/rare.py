"""What is rare in ordinary life: the few acts of administrators, and what a worker may look at when something is wrong.

The same words that misuse needs, so that no word by itself tells misuse.
"""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator.products import (
    ai,
    azure,
    endpoint,
    entra,
    gcp,
    github,
    gitlab,
    kubernetes,
    m365,
    okta,
    salesforce,
    snowflake,
    vault,
    workspace,
)
from nhi_watch_lab.simulator.products.company import Company
from nhi_watch_lab.simulator.products.workers import Deed, Worker

_ROUTES = ("/user", "/user/orgs", "/orgs/{org}/repos", "/orgs/{org}/members", "/user/repos",
           "/repos/{owner}/{repo}/actions/secrets", "/repos/{owner}/{repo}/branches", "/repos/{owner}/{repo}/releases",
           "/repos/{owner}/{repo}/contents/{path}", "/repos/{owner}/{repo}/hooks", "/rate_limit", "/orgs/{org}/teams")


def of_administrators(company: Company) -> dict[str, list[Deed]]:
    """Product → what its administrators do now and then."""
    d = company.dice("rare")
    accounts = [gcp.account(company, f"job-{number}", d) for number in range(4)]
    apps = [entra.make_app(company, name, d) for name in ("survey-1", "rota-2", "wiki-3", "board-4")]
    roles = ["User.Read.All", "Mail.Read", "Sites.Read.All"]
    return {
        "entra": [*(entra.consent(company, app, d.pick(entra.SCOPES), d.chance(0.5)) for app in apps),
                  *(entra.fresh_secret(company, app) for app in apps),
                  *(entra.reply_address(company, app) for app in apps[:2]),
                  *(entra.app_role(company, app, d.pick(roles)) for app in apps)],
        "github": [*github.hardenings(company, company.repos),
                   *(github.api(company, "GET", route, company.repos) for route in _ROUTES[:6])],
        "okta": [*(okta.event(company, name) for name in okta.RARE), okta.privilege(company)],
        "gitlab": [gitlab.event(company, name) for name in ("project_export_created", "project_access_token_created")],
        "kubernetes": [kubernetes.call(company, what) for what in kubernetes.RARE],
        "gcp": [gcp.grant(company, f"group:data@{company.domain}", "roles/viewer"),
                *(gcp.fresh_key(company, account) for account in accounts),
                *(gcp.call(company, what) for what in gcp.LOOKS)],
        "snowflake": [snowflake.query(company, name) for name in ("LIST_FILES", "GET_FILES", "UNLOAD")],
        "vault": [vault.call(company, "update", "auth/token/create", "token"),
                  vault.call(company, "list", "secret/metadata/{word}", refused=True)],
        "salesforce": [salesforce.event(company, "BulkApi2", rows=8000)],
        "ai": [ai.openai(company, name) for name in ("ip_allowlist.deleted", "service_account.created",
                                                     "rate_limit.updated")],
    }  # fmt: skip


def looks(company: Company, product: str, worker: Worker) -> list[Deed]:
    """What a worker of a product could do beside its habits, for diagnostics or a release: nothing sensitive."""
    maker = _LOOKS.get(product)
    return maker(company, worker) if maker is not None else []


def _of_github(company: Company, worker: Worker) -> list[Deed]:
    return [*(github.api(company, "GET", route, company.repos) for route in _ROUTES),
            github.git(company, company.repos, "git.clone"), github.git(company, company.repos, "git.push")]


def _of_entra(company: Company, worker: Worker) -> list[Deed]:
    return [entra.graph(company, "GET", path) for path in entra.READS] if "app" in worker.facts else []


def _of_azure(company: Company, worker: Worker) -> list[Deed]:
    if "account" in worker.facts:
        account, key = worker.facts["account"], worker.facts["key"]
        kinds = ("GetBlob", "ListBlobs", "GetBlobProperties", "ListContainers", "PutBlob")
        return [azure.blob(company, account, key, name) for name in kinds]
    names = [name for name in azure.READS + azure.USUAL + azure.DEPLOYS if "listKeys" not in name]
    return [azure.activity(company, name) for name in names]


def _of_m365(company: Company, worker: Worker) -> list[Deed]:
    found = [m365.mail(company), m365.file(company), m365.file(company, "FileAccessed"),
             m365.mail(company, access="Sync")]
    return found + _of_entra(company, worker)


def _of_gcp(company: Company, worker: Worker) -> list[Deed]:
    calls = [*gcp.USUAL, *gcp.LOOKS, *gcp.DEPLOYS]
    return [gcp.call(company, what) for what in calls] if "buckets" in worker.facts else []


def _of_salesforce(company: Company, worker: Worker) -> list[Deed]:
    kinds = ("RestApi", "BulkApi2", "BulkApiResultEventStore", "Report", "ApiTotalUsage", "MetadataApiOperation",
             "DocumentAttachmentDownloads")
    return [salesforce.event(company, kind) for kind in kinds]


def _of_vault(company: Company, worker: Worker) -> list[Deed]:
    return [vault.call(company, "list", "secret/metadata/{word}"),
            vault.call(company, "read", "secret/data/{word}/{kind}"),
            vault.call(company, "read", "auth/token/lookup-self", "token"),
            vault.call(company, "read", "sys/health", "system"),
            vault.call(company, "read", "database/creds/{word}", "database")]


def _of_workspace(company: Company, worker: Worker) -> list[Deed]:
    if worker.human:
        return []
    return [workspace.api(company, worker, service, name)
            for service, names in workspace.METHODS.items() for name in names]


def _of_ai(company: Company, worker: Worker) -> list[Deed]:
    if worker.kind == "key":
        return [ai.anthropic(company, name) for name in ai.ANTHROPIC]
    return [ai.openai(company, name) for name in ai.OPENAI if not name.startswith("service_account")]


def _of_endpoint(company: Company, worker: Worker) -> list[Deed]:
    if worker.facts["sensor"] == "sysmon":
        return []
    return [*(endpoint.read(company, tool) for tool in endpoint.TOOLS), endpoint.metadata(company, "python3"),
            *(endpoint.command(company, tool) for tool in endpoint.CLIS)]


_LOOKS: dict[str, Callable[[Company, Worker], list[Deed]]] = {
    "github": _of_github,
    "entra": _of_entra,
    "azure": _of_azure,
    "m365": _of_m365,
    "okta": lambda company, worker: [okta.event(company, name) for name in okta.LIFECYCLE + okta.CHANGES],
    "gcp": _of_gcp,
    "workspace": _of_workspace,
    "kubernetes": lambda company, worker: [kubernetes.call(company, what) for what in dict.fromkeys(
        [*kubernetes.USUAL, *kubernetes.DEPLOYS, *kubernetes.PEOPLE])],
    "snowflake": lambda company, worker: [snowflake.query(company, kind) for kind in snowflake.ORDINARY],
    "vault": _of_vault,
    "salesforce": _of_salesforce,
    "gitlab": lambda company, worker: [gitlab.event(company, name) for name in gitlab.ORDINARY],
    "ai": _of_ai,
    "endpoint": _of_endpoint,
}
