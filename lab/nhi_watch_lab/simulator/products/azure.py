"""Azure: the activity log, blob storage, and managed identities and apps that work there.

Shapes: Microsoft's "Azure activity log event schema" and `StorageBlobLogs`.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products import entra
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady

_ID = "http://schemas.microsoft.com/identity/claims/"
BLOB_AGENTS = ["azsdk-python-storage-blob/12.23.1 Python/3.11.9", "AzCopy/10.27.0", "rclone/v1.68.1"]
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
READS = ["Microsoft.Compute/virtualMachines/read", "Microsoft.KeyVault/vaults/read",
         "Microsoft.Storage/storageAccounts/read", "Microsoft.Network/networkSecurityGroups/read",
         "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Authorization/roleAssignments/read",
         "Microsoft.ContainerService/managedClusters/read", "Microsoft.Web/sites/read", "Microsoft.Sql/servers/read"]
DEPLOYS = ["Microsoft.Resources/deployments/write", "Microsoft.Web/sites/write", "Microsoft.Web/sites/restart/action",
           "Microsoft.ContainerService/managedClusters/write", "Microsoft.Compute/virtualMachines/write",
           "Microsoft.Storage/storageAccounts/write", "Microsoft.Network/networkSecurityGroups/securityRules/write",
           "Microsoft.KeyVault/vaults/write", "Microsoft.Insights/diagnosticSettings/write"]
USUAL = ["Microsoft.Compute/virtualMachines/start/action", "Microsoft.Compute/virtualMachines/deallocate/action",
         "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Compute/snapshots/write",
         "Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.Web/sites/config/list/action",
         "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"]


def resource(company: Company, operation: str, d: Dice) -> str:
    """A resource to which an operation may belong."""
    provider, *kinds = operation.split("/")
    parts = [f"{kind}/{d.pick(WORDS)}-{d.pick(['prod', 'dev'])}" for kind in kinds[:-1] if kind != "subscriptions"]
    group = f"/subscriptions/{company.subscriptions[0 if d.chance(0.7) else 1]}/resourceGroups/rg-{d.pick(WORDS[:12])}"
    return f"{group}/providers/{provider}/{'/'.join(parts)}"


def claims(company: Company, sender: Sender) -> Record:
    """The token's claims as the activity log shows them."""
    facts = sender.facts
    told: Record = {"aud": "https://management.azure.com/", "uti": entra.token_of(sender),
                    _ID + "tenantid": company.tenant_id}
    if "guid" in facts:
        told.update({"appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "appidacr": "2", "name": facts["email"],
                     _ID + "objectidentifier": facts["guid"], _UPN: facts["email"],
                     "http://schemas.microsoft.com/claims/authnmethodsreferences": "pwd,mfa"})
        return told
    told.update({"appid": facts["app"], "appidacr": "2" if facts["credential"] == "managedIdentity" else "1",
                 "idtyp": "app", _ID + "objectidentifier": facts["sp"]})
    if facts["credential"] == "managedIdentity":
        told["xms_mirid"] = (f"/subscriptions/{company.subscriptions[0]}/resourcegroups/rg-identity/providers/"
                             f"Microsoft.ManagedIdentity/userAssignedIdentities/{facts['name']}")
    return told


def activity(company: Company, operation: str, refused: bool = False, body: str = "", scope: str = "") -> Deed:
    """An operation on a resource."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, target = sender.facts, scope or resource(company, operation, at.dice)
        kind = "User" if "guid" in facts else "ServicePrincipal"
        told: Record = {"eventCategory": "Administrative", "entity": target, "message": operation,
                        "hierarchy": company.tenant_id}
        if body:
            told["requestbody"] = body
        record = {
            "time": iso(at.second, 7), "resourceId": target.upper() if at.dice.chance(0.3) else target,
            "operationName": operation.upper() if at.dice.chance(0.3) else operation, "category": "Administrative",
            "resultType": "Failure" if refused else "Success",
            "resultSignature": "Failed.Forbidden" if refused else "Succeeded.OK",
            "durationMs": str(at.dice.between(10, 4000)), "callerIpAddress": sender.address,
            "correlationId": at.dice.uuid(), "level": "Information", "location": "global",
            "tenantId": company.tenant_id, "properties": told,
            "identity": {"authorization": {"scope": target, "action": operation, "evidence": {
                "role": facts.get("azure_role", "Contributor"),
                "roleAssignmentScope": target.partition("/resourceG")[0],
                "principalId": (facts.get("guid") or facts.get("sp", "")).replace("-", ""), "principalType": kind}},
                "claims": claims(company, sender)},
        }
        return sender.line(at, "azure", operation, record)

    return deed


def blob(company: Company, account: str, key: str, operation: str = "GetBlob") -> Deed:
    """Access to a blob with an account key or a shared access signature (its hash)."""

    def deed(sender: Sender, at: At) -> list[Line]:
        path = f"/{account}/{at.dice.pick(WORDS)}/{at.dice.pick(WORDS)}-{at.dice.hexes(6)}.parquet"
        group = f"/subscriptions/{company.subscriptions[0]}/resourceGroups/rg-data/providers/Microsoft.Storage"
        record = {
            "time": iso(at.second, 7), "category": "StorageWrite" if operation == "PutBlob" else "StorageRead",
            "resourceId": f"{group}/storageAccounts/{account}/blobServices/default", "operationName": operation,
            "operationVersion": "2023-11-03", "schemaVersion": "1.0", "statusCode": 200, "statusText": "Success",
            "durationMs": at.dice.between(3, 300),
            "callerIpAddress": f"{sender.address}:{at.dice.between(2000, 60000)}",
            "correlationId": at.dice.uuid(), "location": "westeurope",
            "identity": {"type": "SAS" if "Sas" in key else "AccountKey", "tokenHash": key},
            "properties": {"accountName": account, "userAgentHeader": sender.agent, "objectKey": path,
                           "serviceType": "blob", "requestHeaderSize": 380,
                           "responseBodySize": at.dice.between(10**3, 10**7)},
        }
        return sender.line(at, "azure", operation, record)

    return deed


def managed(company: Company, number: int) -> Worker:
    """A managed identity of a machine or a service."""
    d = company.dice("managed", number)
    worker = entra.make_app(company, f"id-{d.pick(WORDS)}-{number}", d, "managedIdentity")
    worker.kind, worker.keys, worker.place = "managed", [], company.nat("azure", d)
    worker.facts["owner"], worker.rotate = company.tenant_id, 24 * HOUR
    worker.opening = [entra.sign_in(company, d.pick([entra.AZURE, entra.VAULT]))]
    usual = [activity(company, name) for name in d.some(USUAL + READS[:4], d.between(1, 3))]
    worker.habits.append(steady(d.lognormal(14, 0.8), usual))
    return worker


def deployer(company: Company, number: int) -> Worker:
    """An app that deploys from pipelines: bursts in working hours."""
    d = company.dice("azure-deployer", number)
    worker = entra.make_app(company, f"deploy-{d.pick(WORDS)}-{number}", d,
                            "federatedIdentityCredential" if number % 2 else "clientSecret")
    worker.facts["owner"], worker.place = company.tenant_id, company.runner(worker.name)
    worker.opening = [entra.sign_in(company, entra.AZURE)]
    reads = [activity(company, name) for name in d.some(READS, 4)]
    writes = [activity(company, name) for name in d.some(DEPLOYS, 4)]
    rhythm = Rhythm("burst", d.lognormal(1.3, 0.6))
    worker.habits.append(run(rhythm, (reads, 4, 2), (writes, d.lognormal(4, 0.5), 6)))
    if d.chance(0.4):
        granted = activity(company, "Microsoft.Authorization/roleAssignments/write", body=grant(d))
        worker.habits.append(office(0.2, [granted]))
    return worker


def grant(d: Dice, role: str = "acdd72a7-3385-48ef-bd42-f606fba81ae7") -> str:
    """The request of a role assignment; the role is Reader where not told."""
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return f'{{"Properties": {{"PrincipalId": "{d.uuid()}", "RoleDefinitionId": "{definition}"}}}}'


def keyholder(company: Company, number: int) -> Worker:
    """A program with the key of a storage account."""
    d = company.dice("storage-key", number)
    account = f"{company.org}{d.pick(WORDS)}{number}"[:24]
    key = f"key1({d.hexes(64).upper()})" + (f",SasSignature({d.hexes(64).upper()})" if number % 2 else "")
    worker = Worker(f"storage-{account}", "storage_key", f"azure:storage_key:{account}", company.nat("azure", d),
                    d.pick(BLOB_AGENTS))
    worker.facts = {"account": account, "key": key}
    calls = [blob(company, account, key, name) for name in ("GetBlob", "PutBlob", "ListBlobs")]
    worker.habits.append(run(Rhythm("cron", at=d.between(0, 20 * HOUR)), (calls, d.lognormal(18, 0.6), 4)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """An operator in the portal."""
    d = company.dice("azure-person", one.number)
    worker = Worker(f"azure-{one.login}", "person", f"entra:user:{one.guid}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"guid": one.guid, "email": one.email, "azure_role": "Contributor"}
    acts = [activity(company, name) for name in d.some(READS + USUAL + DEPLOYS, 12)]
    worker.habits.append(office(d.lognormal(4, 0.7), acts))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` machine identities, and a third of the people."""
    third = max(1, count // 3)
    found = [managed(company, n) for n in range(max(1, count - 2 * third))]
    found += [deployer(company, n) for n in range(third)] + [keyholder(company, n) for n in range(third)]
    return found + [person(company, one) for one in company.people if one.number % 3 == 0]
