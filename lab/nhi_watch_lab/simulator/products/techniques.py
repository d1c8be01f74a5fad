"""Techniques on the products of a company: apps, clouds, code, data, hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.machines import HOUR
from nhi_watch_lab.simulator.products import (
    ai,
    azure,
    endpoint,
    entra,
    exposure,
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
from nhi_watch_lab.simulator.products.raid import Raid, technique
from nhi_watch_lab.simulator.products.workers import At
from nhi_watch_lab.simulator.shapes import model_call, s3_object, secret

# ---- techniques with apps that people let in, and with tokens of identity providers

@technique("T1528", "initial-access collection", "person")
def consent_and_mail(raid: Raid, cast: Any) -> None:
    """Somebody is talked into letting an app in; the app reads that person's mail and files."""
    company, d = raid.company, raid.dice
    one = next(each for each in company.people if each.guid == cast.person.facts["guid"])
    name = f"{d.pick(['notes', 'archive', 'scheduler', 'assistant', 'search', 'signature'])}-{d.hexes(3)}"
    app = entra.make_app(company, name, company.dice("consented", raid.day, name))
    app.facts.update({"roles": "Mail.Read Files.Read.All User.Read", "delegate": one})
    if not raid.external:
        app.place = company.vendor(d, name)
    raid.do(cast.person, entra.consent(company, app, d.pick(entra.SCOPES[1:3])), gap=5, inside=True)
    raid.do(cast.person, entra.user_sign_in(company, (name, app.facts["app"])), gap=600, inside=True)
    raid.do(app, entra.graph(company, "GET", "/v1.0/users/{id}/messages"))
    raid.many(app, raid.few(60), [m365.mail(company, one), m365.file(company),
                                  entra.graph(company, "GET", "/v1.0/users/{id}/messages")], gap=3)
    if d.chance(raid.quiet * 0.5):
        raid.do(app, m365.mail(company, one, "Sync"))


@technique("T1550.001", "persistence credential-access collection", "person app")
def reply_address_moved(raid: Raid, cast: Any) -> None:
    """An app's tokens may go to one more address; with such a token, that person's mail is read in the app's name."""
    company, facts = raid.company, cast.person.facts
    one = next(each for each in company.people if each.guid == facts["guid"])
    raid.do(cast.person, entra.reply_address(company, cast.app), gap=1800)
    app = replace(cast.app, facts={**cast.app.facts, "delegate": one, "roles": "Mail.Read User.Read"})
    raid.many(app, raid.few(30), [entra.graph(company, "GET", "/v1.0/users/{id}/messages"), m365.mail(company, one),
                                  entra.graph(company, "GET", "/v1.0/users/{id}")])


@technique("T1114.002", "collection", "mailer")
def mail_app_abused(raid: Raid, cast: Any) -> None:
    """An app that reads some mailboxes reads all of them."""
    company, d = raid.company, raid.dice
    if "delegate" not in cast.mailer.facts:
        raid.do(cast.mailer, entra.sign_in(company))
    for one in d.some(company.people, raid.few(len(company.people))):
        raid.many(cast.mailer, raid.few(6), [m365.mail(company, one)], gap=3)
    if d.chance(0.5):
        raid.many(cast.mailer, raid.few(40), [m365.file(company)], gap=2)


@technique("T1098.003", "persistence privilege-escalation", "okta_token")
def okta_admin(raid: Raid, cast: Any) -> None:
    """A stolen API token makes an app, an administrator and a token."""
    company, d = raid.company, raid.dice
    looks = [okta.event(company, name) for name in ("user.account.update_profile", "group.user_membership.add")]
    raid.many(cast.okta_token, raid.few(2), looks)
    app = okta.thing("AppInstance", "0oa" + d.ident("", 17), "Directory Tools", "Directory Tools")
    secret = okta.thing("ClientSecret", "ocs" + d.ident("", 17), "secret", "unknown")
    steps = [okta.event(company, "application.lifecycle.create", [app]),
             okta.event(company, "app.oauth2.client.lifecycle.create", [app]),
             okta.event(company, "app.oauth2.credentials.lifecycle.create", [app, secret]),
             okta.privilege(company, "Super administrator"),
             okta.event(company, "system.api_token.create", [okta.thing("Token", "00T" + d.ident("", 17), "sync",
                                                                        "unknown")])]
    for step in steps[:: 1 if raid.quiet > 0.5 else 2]:
        raid.do(cast.okta_token, step, gap=40)


@technique("T1528", "initial-access discovery persistence", "okta_app")
def okta_service_app(raid: Raid, cast: Any) -> None:
    """A service app's key signs tokens elsewhere; accounts are changed and logs read."""
    company = raid.company
    raid.do(cast.okta_app, okta.grant(company, "okta.users.manage okta.groups.manage okta.apps.manage"))
    names = ["user.account.reset_password", "user.mfa.factor.reset_all", "group.user_membership.add",
             "user.lifecycle.activate", "application.user_membership.add"]
    raid.many(cast.okta_app, raid.few(9), [okta.event(company, name) for name in raid.dice.some(names, 3)])


@technique("T1528", "initial-access collection exfiltration", "")
def workspace_drive(raid: Raid, cast: Any) -> None:
    """Somebody lets an app in, and the drive is downloaded."""
    company, d = raid.company, raid.dice
    app = workspace.make_app(company, d.between(0, 30), company.dice("drive-app", raid.day, d.hexes(6)))
    app.place = app.facts["person"].place
    raid.do(app, workspace.authorize(company, app, [workspace.NARROW[0], workspace.DRIVE]), gap=300, inside=True)
    if not raid.external:
        app.place = company.vendor(d, app.name)
    calls = [workspace.api(company, app, "drive", name) for name in workspace.METHODS["drive"]]
    raid.do(app, calls[0])
    raid.many(app, raid.few(80), calls, gap=2)


@technique("T1550.001", "collection exfiltration", "reader")
def workspace_app_stolen(raid: Raid, cast: Any) -> None:
    """A known app's refresh tokens, stolen at its vendor, fetch mail and files."""
    company, service = raid.company, raid.dice.pick(["drive", "gmail"])
    calls = [workspace.api(company, cast.reader, service, name) for name in workspace.METHODS[service]]
    raid.many(cast.reader, raid.few(70), calls, gap=3)


@technique("T1199", "initial-access collection exfiltration", "connected")
def third_party_export(raid: Raid, cast: Any) -> None:
    """Tokens of a connected app, stolen at its vendor, export whole objects of Salesforce."""
    company, d = raid.company, raid.dice
    raid.do(cast.connected, salesforce.remote_login(company))
    more = [salesforce.event(company, "RestApi", {"URI": f"/services/data/v62.0/query?q=SELECT+COUNT()+FROM+{name}"})
            for name in salesforce.ENTITIES]
    raid.do(cast.connected, *d.some(more, raid.few(5)))
    raid.wait(HOUR / 4)
    bulk = [salesforce.event(company, kind, rows=40_000) for kind in ("BulkApiResultEventStore", "BulkApi2")]
    raid.many(cast.connected, raid.few(14), bulk, gap=30)
    if d.chance(0.4):
        raid.do(cast.connected, salesforce.event(company, "BulkApi2", {"OPERATION_TYPE": "delete"}, rows=5))


# ---- techniques in Entra, Azure, Google Cloud and Kubernetes

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


# ---- techniques that begin where code lies: GitHub and GitLab

def repo_of(raid: Raid, machine: Any) -> Any:
    """The repository whose pipeline assumes an AWS role."""
    return next(repo for repo in raid.company.repos if repo.subject == machine.subject)


def _look(raid: Raid, worker: Any) -> None:
    """Where am I, and what is there?"""
    if raid.dice.chance(0.7):
        raid.do(worker, github.api(raid.company, "GET", "/user", []))
        routes = ["/user/repos", "/orgs/{org}/repos", "/user/orgs", "/orgs/{org}/members"]
        for route in raid.dice.some(routes, raid.few(3)):
            raid.do(worker, github.api(raid.company, "GET", route, []))


def _clone(raid: Raid, worker: Any, most: float) -> None:
    for repo in raid.dice.some(raid.company.repos, raid.few(most)):
        raid.do(worker, github.git(raid.company, [repo], "git.clone"), gap=5)


@technique("T1552.001", "initial-access collection execution credential-access", "token pipeline")
def token_to_cloud(raid: Raid, cast: Any) -> None:
    """A leaked token clones, pushes a workflow, and the workflow's AWS role reads secrets."""
    repo, d = repo_of(raid, cast.pipeline), raid.dice
    _look(raid, cast.token)
    _clone(raid, cast.token, 12)
    raid.wait(1200)
    raid.do(cast.token, github.git(raid.company, [repo], "git.push"), gap=10)
    runner = At(raid.clock, d)
    raid.lines += github.workflow_run(raid.company, repo, "push", raid.sender(cast.token), runner, d.between(40, 300))
    raid.wait(25)
    cloud = raid.cloud(cast.pipeline, inside=True, fresh=True)
    cloud.do("sts:GetCallerIdentity")
    if d.chance(raid.quiet):
        cloud.do("secretsmanager:ListSecrets")
    for name in d.some(cloud.world.secrets, raid.few(9)):
        cloud.do("secretsmanager:GetSecretValue", secret(cloud.world, name, cast.pipeline.region))
    raid.landed(cloud)


@technique("T1213.003", "initial-access collection", "token")
def mass_clone(raid: Raid, cast: Any) -> None:
    """A token clones what it can see."""
    _look(raid, cast.token)
    _clone(raid, cast.token, len(raid.company.repos))


@technique("T1528", "collection", "bot")
def app_key_stolen(raid: Raid, cast: Any) -> None:
    """A GitHub App's private key mints tokens elsewhere; the token reads all that the app is installed on."""
    company = raid.company
    raid.do(cast.bot, github.api(company, "GET", "/installation/repositories", []))
    reads = [github.api(company, "GET", "/repos/{owner}/{repo}/contents/{path}", company.repos),
             github.git(company, company.repos, "git.clone"),
             github.api(company, "GET", "/repos/{owner}/{repo}/actions/secrets", company.repos)]
    raid.many(cast.bot, raid.few(30), reads)


@technique("T1098.001", "persistence execution", "token")
def runner_and_key(raid: Raid, cast: Any) -> None:
    """A deploy key and a runner of the intruder's stay behind; a workflow from a fork is let run."""
    company, d = raid.company, raid.dice
    repo = d.pick(company.repos)
    _look(raid, cast.token)
    steps = github.hardenings(company, [repo])
    chosen = d.some(steps, max(1, round(3 * raid.quiet)))
    raid.do(cast.token, *chosen, gap=60)
    if d.chance(0.6):
        raid.wait(600)
        starter, event = raid.sender(cast.token), d.pick(["pull_request_target", "workflow_dispatch"])
        raid.lines += github.workflow_run(company, repo, event, starter, At(raid.clock, d), d.between(60, 900))


@technique("T1552.001", "collection credential-access persistence", "gitlab")
def gitlab_token(raid: Raid, cast: Any) -> None:
    """A GitLab token pulls projects, reads variables, registers a runner, makes itself a second token."""
    company, d = raid.company, raid.dice
    raid.many(cast.gitlab, raid.few(10), [gitlab.event(company, "repository_git_operation")])
    if d.chance(0.6):
        raid.do(cast.gitlab, gitlab.event(company, "project_export_created"))
    more = [gitlab.event(company, "project_access_token_created", ("ProjectAccessToken", "ci")),
            gitlab.event(company, "set_runner_associated_projects", ("Ci::Runner", "runner")),
            gitlab.event(company, "ci_variable_created", ("Ci::Variable", "DEPLOY"))]
    raid.do(cast.gitlab, *d.some(more, raid.few(2)), gap=40)


# ---- techniques against data, secrets and models: Snowflake, Vault, storage keys, AI services

@technique("T1213.006", "initial-access collection exfiltration", "warehouse")
def warehouse_export(raid: Raid, cast: Any) -> None:
    """A service user signs in from elsewhere, looks at tables and unloads them."""
    _export(raid, cast.warehouse)


def _export(raid: Raid, worker: Any) -> None:
    company, d = raid.company, raid.dice
    raid.do(worker, snowflake.login(company))
    looks = [snowflake.query(company, name) for name in ("SHOW", "DESCRIBE", "LIST_FILES")]
    raid.many(worker, raid.few(8), looks, gap=10)
    tables = d.some([word.upper() for word in WORDS], raid.few(12))
    for table in tables:
        wanted = f"COPY INTO @exports/{table} FROM {table} FILE_FORMAT = (TYPE = PARQUET)"
        raid.do(worker, snowflake.query(company, "UNLOAD", wanted, rows=300_000), gap=20)
        if d.chance(raid.quiet * 0.6):
            raid.do(worker, snowflake.query(company, "GET_FILES", rows=30_000))


@technique("T1555.006", "credential-access discovery", "vault")
def vault_sweep(raid: Raid, cast: Any) -> None:
    """A token lists and reads secrets that are none of its own."""
    company, d = raid.company, raid.dice
    if raid.external:
        raid.do(cast.vault, vault.login(company))
    for _ in range(raid.few(5)):
        raid.do(cast.vault, vault.call(company, "list", "secret/metadata/{word}", refused=d.chance(0.4)))
    for _ in range(raid.few(14)):
        raid.do(cast.vault, vault.call(company, "read", "secret/data/{word}/{kind}", refused=d.chance(0.3)))
    if d.chance(0.4):
        raid.do(cast.vault, vault.call(company, "update", "auth/token/create", "token"))


@technique("T1555.006", "credential-access lateral-movement exfiltration", "vault warehouse")
def vault_to_warehouse(raid: Raid, cast: Any) -> None:
    """The warehouse's password is read in Vault and used a little later from the same place."""
    company, d = raid.company, raid.dice
    if raid.external:
        raid.do(cast.vault, vault.login(company))
    name = cast.warehouse.facts["user"].lower().replace("_", "-")
    raid.do(cast.vault, vault.call(company, "list", "secret/metadata/snowflake"))
    for path in [*d.some(["secret/data/{word}/db", "secret/data/{word}/api-key"], raid.few(2)),
                 f"secret/data/snowflake/{name}"]:
        raid.do(cast.vault, vault.call(company, "read", path))
    raid.wait(900)
    _export(raid, cast.warehouse)


@technique("T1530", "collection exfiltration", "storage")
def storage_key_used(raid: Raid, cast: Any) -> None:
    """A storage account's key in other hands downloads its blobs."""
    company, facts = raid.company, cast.storage.facts
    raid.many(cast.storage, raid.few(4), [azure.blob(company, facts["account"], facts["key"], "ListBlobs")])
    raid.many(cast.storage, raid.few(90), [azure.blob(company, facts["account"], facts["key"])], gap=2)


@technique("T1496", "resource-hijacking impact", "assistant")
def model_spend(raid: Raid, cast: Any) -> None:
    """An AWS identity invokes models by the hundred, on the victim's bill; Bedrock's own log shows it as well."""
    d, cloud = raid.dice, raid.cloud(cast.assistant)
    model = d.pick(["anthropic.claude-3-5-sonnet-20241022-v2:0", "anthropic.claude-3-opus-20240229-v1:0"])
    cloud.all_of("sts:GetCallerIdentity bedrock:ListFoundationModels bedrock:GetModelInvocationLoggingConfiguration")
    for region in d.some(["us-east-1", "us-west-2", "eu-central-1"], raid.few(3)):
        for _ in range(raid.few(50)):
            name = d.pick(["bedrock:InvokeModel", "bedrock:Converse", "bedrock:InvokeModelWithResponseStream"])
            cloud.send(cloud.made(name, model_call(cloud.world, d, region, model), region), 3)
    raid.landed(cloud)
    made = [line for line in raid.lines if line.product == "cloudtrail"]
    raid.lines += ai.invocations(raid.company.seed, made)


@technique("T1098.001", "persistence defense-evasion resource-hijacking", "openai")
def openai_admin_key(raid: Raid, cast: Any) -> None:
    """An administration key makes service accounts and keys, and raises limits."""
    company, d = raid.company, raid.dice
    steps = [ai.openai(company, "service_account.created"), ai.openai(company, "api_key.created",
                                                                      {"data": {"scopes": ["all"]}}),
             ai.openai(company, "rate_limit.updated"), ai.openai(company, "project.created"),
             ai.openai(company, "invite.sent"), ai.openai(company, "ip_allowlist.deleted")]
    for step in d.some(steps, raid.few(7)):
        raid.do(cast.openai, step, gap=30)


@technique("T1528", "collection", "anthropic")
def assistant_key(raid: Raid, cast: Any) -> None:
    """An application's key reads chats, files and projects of the organisation."""
    company = raid.company
    names = ["claude_chat_viewed", "claude_file_viewed", "claude_project_viewed", "compliance_activities_listed"]
    raid.many(cast.anthropic, raid.few(60), [ai.anthropic(company, name) for name in names], gap=4)


# ---- techniques that begin with a secret that lay about: on a host, in a repository

def _in_cloud(raid: Raid, machine: Any, inside: bool | None = None) -> None:
    """What is done with an AWS key: a look around, then data."""
    cloud, d = raid.cloud(machine, inside), raid.dice
    cloud.do("sts:GetCallerIdentity")
    looks = ["s3:ListBuckets", "iam:ListUsers", "iam:GetUser", "ec2:DescribeInstances", "secretsmanager:ListSecrets"]
    cloud.all_of(" ".join(d.some(looks, 4)))
    if d.chance(0.5):
        for name in d.some(cloud.world.secrets, raid.few(6)):
            cloud.do("secretsmanager:GetSecretValue", secret(cloud.world, name, machine.region))
    else:
        bucket = d.pick(machine.buckets or cloud.world.buckets)
        for _ in range(raid.few(40)):
            key = f"exports/{d.between(2019, 2025)}/{d.hexes(8)}.csv"
            cloud.send(cloud.made("s3:GetObject", s3_object(cloud.world, d, machine.region, bucket, key)), 1)
    raid.landed(cloud)


@technique("T1552.001", "credential-access lateral-movement collection", "server")
def key_file_used_elsewhere(raid: Raid, cast: Any) -> None:
    """A program on a server reads the key file; minutes later the key works elsewhere."""
    company, d = raid.company, raid.dice
    if d.chance(0.4):
        raid.do(cast.server, endpoint.metadata(company, d.pick(["curl", "python3"])), inside=True)
    program = d.pick(list(endpoint.ODD))
    others = [name for name in ("git", "docker", "kubectl", "npm", "ssh") if d.chance(raid.quiet * 0.6)]
    for tool in d.some(["aws", *others], 1 + len(others)):
        raid.do(cast.server, endpoint.read(company, tool, program=program), gap=2, inside=True)
    raid.wait(d.pick([120, 300, 900, 3600]))
    _in_cloud(raid, cast.server.facts["machine"])


@technique("T1552.001", "credential-access collection", "token_host")
def token_off_a_host(raid: Raid, cast: Any) -> None:
    """A git credential is read on a build server; its machine user's token clones repositories."""
    company, d, token = raid.company, raid.dice, cast.token_host.facts["robot"]
    for tool in d.some(["git", "gh", "npm"], raid.few(2)):
        raid.do(cast.token_host, endpoint.read(company, tool, program=d.pick(list(endpoint.ODD))), gap=2, inside=True)
    raid.wait(d.pick([300, 1200]))
    raid.do(token, github.api(company, "GET", "/user/repos", []))
    for repo in d.some(company.repos, raid.few(20)):
        raid.do(token, github.git(company, [repo], "git.clone"), gap=5)


@technique("T1552.001", "initial-access discovery collection", "user")
def scanned_secret_used(raid: Raid, cast: Any) -> None:
    """A key in a repository: a scanner finds it, and so does somebody else."""
    company, d, user = raid.company, raid.dice, cast.user
    who, repo = f"aws:{user.arn}", d.pick(company.repos)
    key, at = user.key_on(raid.day), At(raid.clock, d)
    found = [exposure.scanning(company, repo, key, at, valid=d.pick(["active", "unknown"]), who=who)]
    if d.chance(0.4):
        found.append(exposure.health(company, key, at.later(d.between(60, 900)), who=who))
    if d.chance(0.3):
        found = [exposure.trufflehog(company, repo, key, user.arn, at, True, who=who)]
    for lines in found:
        raid.lines += lines
    raid.wait(d.pick([90, 600, 1800, 7200]))
    _in_cloud(raid, user)
