"""Techniques against data, secrets and models: Snowflake, Vault, storage keys, AI services."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.products import ai, azure, snowflake, vault
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import technique
from nhi_watch_lab.simulator.shapes import model_call


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
