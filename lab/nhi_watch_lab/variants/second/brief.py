"""The first file of a small tenant of the second world in which a theft is one to five calls from a command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Union

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.attacks import EXPENSIVE, Incident, Scene
from nhi_watch_lab.second_world.base import Place, place
from nhi_watch_lab.second_world.routine import expand
from nhi_watch_lab.second_world.saas import KUBECTL, Agent, Product
from nhi_watch_lab.second_world.trail import Actor
from nhi_watch_lab.variants.second import small
from nhi_watch_lab.variants.second.small import Found, Layer

# ---- what is done: `call*3`, and `?call` at times only


class Errand(NamedTuple):
    """A theft, after public reports of intrusions."""

    slug: str
    product: str
    steps: str
    detail: dict[str, Any]


def _aws(slug: str, steps: str, **detail: Any) -> Errand:
    return Errand(slug, "aws", steps, detail)


def _other(slug: str, product: str, *steps: str, **detail: Any) -> Errand:
    return Errand(slug, product, "|".join(steps), detail)


ADMINISTRATOR = {"awspolicy": "arn:aws:iam::aws:policy/AdministratorAccess", "action": "*"}
ERRANDS = (
    _aws("trail-off", "?DescribeTrails StopLogging"),
    _aws("trail-gone", "StopLogging DeleteTrail"),
    _aws("trail-narrowed", "?GetEventSelectors PutEventSelectors"),
    _aws("trail-of-one-region", "UpdateTrail"),
    _aws("detector-off", "?ListDetectors UpdateDetector"),
    _aws("flow-logs-gone", "?DescribeFlowLogs DeleteFlowLogs"),
    _aws("out-of-the-organization", "LeaveOrganization"),
    _aws("key-of-a-colleague", "?ListUsers CreateAccessKey"),
    _aws("keys-of-colleagues", "?ListUsers CreateAccessKey*2"),
    _aws("password-of-a-colleague", "CreateLoginProfile"),
    _aws("new-password", "?ListUsers UpdateLoginProfile"),
    _aws("administrator-user", "CreateUser AttachUserPolicy ?CreateAccessKey", **ADMINISTRATOR),
    _aws("rights-attached", "?GetCallerIdentity AttachUserPolicy", **ADMINISTRATOR),
    _aws("rights-written", "?GetCallerIdentity PutUserPolicy", **ADMINISTRATOR),
    _aws("role-raised", "AttachRolePolicy", **ADMINISTRATOR),
    _aws("role-rewritten", "?GetRole PutRolePolicy", **ADMINISTRATOR),
    _aws("role-handed-out", "?GetRole UpdateAssumeRolePolicy"),
    _aws("role-for-outsiders", "CreateRole AttachRolePolicy", **ADMINISTRATOR),
    _aws("certificates-trusted", "CreateTrustAnchor ?CreateProfile"),
    _aws("provider-trusted", "CreateOpenIDConnectProvider"),
    _aws("saml-trusted", "CreateSAMLProvider"),
    _aws("bucket-handed-out", "?ListBuckets PutBucketPolicy"),
    _aws("disk-handed-out", "?DescribeSnapshots ModifySnapshotAttribute"),
    _aws("image-handed-out", "ModifyImageAttribute"),
    _aws("database-handed-out", "?DescribeDBSnapshots ModifyDBSnapshotAttribute"),
    _aws("function-rewritten", "UpdateFunctionCode20150331v2"),
    _aws("commands-run", "?DescribeInstances SendCommand*2 ?GetCommandInvocation"),
    _aws("shell-opened", "StartSession"),
    _aws("start-script", "StopInstances ModifyInstanceAttribute ?StartInstances"),
    _aws("expensive-machines", "RunInstances*2", itype=EXPENSIVE[0]),
    _aws("door-to-the-world", "AuthorizeSecurityGroupIngress", cidr="0.0.0.0/0", port="22"),
    _aws("machine-passwords", "?DescribeInstances GetPasswordData*12"),
    _aws("secrets-in-a-row", "ListSecrets GetSecretValue*8"),
    _aws("secrets-at-once", "BatchGetSecretValue*2"),
    _aws("parameters-at-once", "?DescribeParameters GetParameters*3"),
    _aws("console-session", "GetFederationToken"),
    _aws("who-am-i", "GetCallerIdentity ?ListBuckets ?GetSendQuota"),
    _other("cluster-owner", "kubernetes", "create clusterrolebindings", role="cluster-admin"),
    _other("pod-entered", "kubernetes", "?list pods", "create pods/exec"),
    _other("token-asked", "kubernetes", "create serviceaccounts/token", "?create serviceaccounts/token"),
    _other("secrets-listed", "kubernetes", "list secrets", "?list secrets"),
    _other("on-each-node", "kubernetes", "create daemonsets", privileged=True),
    _other("certificate-asked", "kubernetes", "create certificatesigningrequests"),
    _other("secret-for-an-app", "entra", "?signin:Microsoft Graph", "audit:Add service principal credentials"),
    _other("app-raised", "entra", "audit:Add app role assignment to service principal",
           role="RoleManagement.ReadWrite.Directory"),
    _other("look-alike", "entra", "?audit:Add service principal", "audit:Consent to application",
           scope="Mail.ReadWrite Files.Read.All offline_access"),
    _other("directory-raised", "entra", "audit:Add member to role", role="Global Administrator"),
    _other("domain-federated", "entra", "audit:Set federation settings on domain"),
    _other("deploy-key", "github", "public_key.create", "?git.clone"),
    _other("workflow", "github", "git.push", "workflows.created_workflow_run"),
    _other("runner", "github", "repo.register_self_hosted_runner"),
    _other("hook", "github", "hook.create"),
    _other("made-public", "github", "repo.access", visibility="public", public_repo=True),
    _other("token-minted", "okta", "system.api_token.create"),
    _other("admin-made", "okta", "user.account.privilege.grant", group="Okta-Admins"),
    _other("factors-reset", "okta", "user.mfa.factor.reset_all", "?user.account.reset_password"),
    _other("second-provider", "okta", "system.idp.lifecycle.create"),
    _other("account-key", "gcp", "?google.iam.admin.v1.ListServiceAccounts", "google.iam.admin.v1.CreateServiceAccountKey"),
    _other("project-owner", "gcp", "SetIamPolicy", role="roles/owner"),
    _other("sink-gone", "gcp", "google.logging.v2.ConfigServiceV2.DeleteSink"),
    _other("firewall-open", "gcp", "v1.compute.firewalls.insert"),
    _other("login-keys", "gcp", "v1.compute.instances.setMetadata"),
    _other("mailbox-rule", "m365", "New-InboxRule"),
    _other("policy-rewritten", "vault", "update sys/policies/acl", "?update auth/token/create"),
    _other("user-made", "snowflake", "LOGIN", "CREATE_USER", "GRANT"),
)  # fmt: skip
PLACES = {"residential": 4.0, "mobile": 0.8, "vpn": 1.8, "hosting": 2.2, "cloud": 0.8, "tor": 0.9, "hotel": 0.4}
WORKED = {"user", "pat", "oauth", "api_token", "service_app", "app", "approle", "service"}
"""Machines whose credential works wherever it is brought."""
LAYER_OFFSET = 90_000


def write(seed: int, out: Path) -> None:
    """Write its logs to `events` and its labels to `labels.json`."""
    lengths = (300, 4000), (4000, 30_000), (30_000, 86_000)
    layer = Layer(LAYER_OFFSET, lengths, (0.0, 0.0, 0.12), break_ins, 0.7)
    small.write_layer(layer, seed, out, Random(f"brief second world/{seed}"))


# ---- how it is done


def break_ins(scene: Scene, focus: str, found: Found, span: tuple[float, float], rng: Random) -> list[Incident]:
    """One theft, seldom two."""
    fit = [errand for errand in ERRANDS if errand.product == focus]
    told: list[Incident] = []
    for number, errand in enumerate(rng.sample(fit, min(len(fit), 1 if rng.random() < 0.8 else 2))):
        own = Random(f"errand/{scene.tenant.seed}/{number}")
        victim = _victim(found, focus, [incident.identity for incident in told], own)
        if victim is not None:
            moment = span[0] + (span[1] - span[0]) * own.uniform(0.02, 0.9)
            origin = "external" if own.random() < 0.9 else "inside"
            incident = Incident(f"inc-{number + 1:02d}", f"brief-{errand.slug}", origin, moment, pace="hands")
            incident.identity = name_of(victim)
            with _tagged(scene, incident):
                _play(scene, errand, victim, (moment, span[1]), outside=origin == "external", rng=own)
            told.append(incident)
    return told


def name_of(victim: Union[Actor, Agent]) -> str:
    return victim.arn if isinstance(victim, Actor) else victim.name


def _victim(found: Found, focus: str, robbed: list[str], rng: Random) -> Union[Actor, Agent, None]:
    """Mostly one whose credential works anywhere; often one that nobody else uses in the file."""
    machines: list[Union[Actor, Agent]] = [*found.actors] if focus == "aws" else [*found.agents]
    present = [*machines, *(crew.who for crew in found.crews)]
    able = [who for who in [*present, *found.everyone] if name_of(who) not in robbed]
    kinds = [who.flavour if isinstance(who, Actor) else who.kind for who in able]
    carried = [who for who, kind in zip(able, kinds) if kind in WORKED]
    pool = carried if carried and rng.random() < 0.8 else able
    return rng.choice(pool) if pool else None


@contextmanager
def _tagged(scene: Scene, incident: Incident) -> Iterator[None]:
    scene.sink.tag = incident.id
    yield
    scene.sink.tag = ""


def _play(
    scene: Scene, errand: Errand, victim: Union[Actor, Agent], span: tuple[float, float], outside: bool, rng: Random
) -> None:
    kind = rng.choices(list(PLACES), list(PLACES.values()))[0]
    spot = place(rng, rng.choice(base.operators(kind)), 1) if outside else None
    shell = shell_of(errand.product, victim, rng) if outside else ""
    steps = expand(errand.steps) if errand.product == "aws" else errand.steps.split("|")
    t = span[0]
    for step in steps:
        name = step.lstrip("?")
        if step == name or rng.random() < 0.5:
            _call(scene, errand, victim, (t, name, spot, shell))
            t = min(t + rng.uniform(2, 70), span[1] - 1)


def _call(scene: Scene, errand: Errand, victim: Union[Actor, Agent], call: tuple[float, str, Place | None, str]) -> None:
    t, name, spot, shell = call
    if isinstance(victim, Actor):
        principal = f"arn:aws:iam::{scene.tenant.partners[0]}:root"
        over = {"principal": principal, **errand.detail}
        scene.log.call(victim, t, name, place=spot, ua=shell, explore=True, over=over)
        return
    product = scene.products[errand.product]
    with for_the_tenant(product, victim, errand):
        product.emit(victim, t, name, place=spot, ua=shell, explore=True, over=errand.detail)


@contextmanager
def for_the_tenant(product: Product, victim: Agent, errand: Errand) -> Iterator[None]:
    """A look-alike app's consent holds for the whole tenant."""
    if errand.slug != "look-alike":
        yield
        return
    usual: Any = product._target  # type: ignore[attr-defined]
    app = replace(victim, name=("Micros0ft Teams", "Offlce 365", "rnicrosoft Office")[len(victim.name) % 3])
    made = small.for_all(lambda activity, kind, over: usual(activity, kind, {**over, "app": app}))
    product._target = made  # type: ignore[attr-defined]
    try:
        yield
    finally:
        product._target = usual  # type: ignore[attr-defined]


def shell_of(product: str, victim: Union[Actor, Agent], rng: Random) -> str:
    if isinstance(victim, Actor):
        return rng.choice([base.cli, base.cli, base.cli, base.boto, base.go2])(rng)
    made = {"github": base.git, "gcp": base.gcp}.get(product, base.script_client)
    return rng.choice([*KUBECTL[:4], "curl/8.5.0"]) if product == "kubernetes" else made(rng)
