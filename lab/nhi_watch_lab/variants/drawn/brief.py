"""The first file of a small drawn tenant in which a theft is one to five calls from a command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nhi_watch_lab.simulator import basics, shapes
from nhi_watch_lab.simulator.basics import WORDS, Dice, dice
from nhi_watch_lab.simulator.machines import DAY, Machine
from nhi_watch_lab.simulator.products import entra, gcp, github, kubernetes, okta, vault
from nhi_watch_lab.simulator.products.raid import Act as ProductAct
from nhi_watch_lab.simulator.products.raid import Raid as ProductRaid
from nhi_watch_lab.simulator.products.raid import Technique as ProductTechnique
from nhi_watch_lab.simulator.products.workers import Deed
from nhi_watch_lab.simulator.raid import REGISTER, Act, Manner, Outlook, Raid, Technique
from nhi_watch_lab.simulator.records import Detail
from nhi_watch_lab.simulator.tenant import IMMUNE, Campaign, Tenant
from nhi_watch_lab.variants.drawn import duties
from nhi_watch_lab.variants.drawn.small import Layer, Span, Told, drawn, log_between

LENGTHS = (400, 4000), (4000, 30_000), (30_000, 86_000)


def brief(seed: int) -> Told:
    """People, and the days as incidents and records."""
    d = dice("brief file", seed)
    length = int(d.pick([log_between(d, *least_and_most) for least_and_most in LENGTHS]))
    return drawn(Layer(140_000, (0.0, 0.0, 0.12), _break_ins, _of_product, 0.7, (1, 2, 4)), seed, length, d)


# ---- accounts: the family's own techniques, cut to their first calls, and a few that are short by nature


def _user_raised(raid: Raid) -> None:
    name = raid.victim.arn.rsplit("/", 1)[-1] if raid.victim.kind == "user" else f"svc-{raid.dice.pick(WORDS)}"
    raid.do("iam:AttachUserPolicy", Detail({"userName": name, "policyArn": shapes.ADMIN}))


def _user_written(raid: Raid) -> None:
    name = f"svc-{raid.dice.pick(WORDS)}"
    document = shapes.policy("*", "*")
    raid.do("iam:PutUserPolicy", Detail({"userName": name, "policyName": "ops", "policyDocument": document}))


def _role_raised(raid: Raid) -> None:
    name = raid.world.role_name(raid.dice.pick(WORDS), raid.dice.pick(raid.world.envs), "app")
    raid.do("iam:AttachRolePolicy", Detail({"roleName": name, "policyArn": shapes.ADMIN}))


def _password_changed(raid: Raid) -> None:
    raid.do("iam:UpdateLoginProfile", Detail({"userName": f"svc-{raid.dice.pick(WORDS)}"}))


def _detector_gone(raid: Raid) -> None:
    if raid.dice.chance(0.6):
        raid.do("guardduty:ListDetectors", Detail({}))
    raid.do("guardduty:DeleteDetector", Detail({"detectorId": raid.dice.hexes(32)}))


def _bucket_lent(raid: Raid) -> None:
    name = raid.dice.pick(raid.world.buckets)
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{raid.foreign}:root"}, "Action": "s3:*",
                 "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    raid.do("s3:PutBucketPolicy", Detail({"bucketName": name, "bucketPolicy": policy}))


def _few_secrets(raid: Raid) -> None:
    d = raid.dice
    raid.do("secretsmanager:ListSecrets")
    for number in range(d.between(4, 16)):
        name = f"{d.pick(raid.world.envs)}/{d.pick(WORDS)}/{d.pick(['db', 'api', 'smtp', 'jwt'])}-{number}"
        raid.do("secretsmanager:GetSecretValue", shapes.secret(raid.world, name, raid.victim.region))


OWN: dict[str, Act] = {
    "user_raised": _user_raised, "user_written": _user_written, "role_raised": _role_raised,
    "password_changed": _password_changed, "detector_gone": _detector_gone, "bucket_lent": _bucket_lent,
    "few_secrets": _few_secrets,
}  # fmt: skip
MOST = {
    "trail_delete": 2, "trail_stop": 2, "trail_selectors": 1, "leave_organization": 1, "flow_logs_delete": 1,
    "unusual_instances": 2, "user_data_execution": 3, "remote_command": 2, "remote_session": 1, "open_ingress": 1,
    "share_image": 1, "share_snapshot": 2, "share_database": 2, "public_bucket": 2, "backdoor_key": 1, "role_trust": 1,
    "admin_user": 3, "backdoor_role": 2, "wide_policy": 1, "login_profile": 1, "function_permission": 1,
    "function_overwrite": 2, "trust_anchor": 2, "oidc_provider": 2, "password_data": 15, "ssm_parameters": 3,
    "federation_token": 1, "key_validation": 2,
}  # fmt: skip
"""The family's technique → the calls that are made of it."""


def _break_ins(tenant: Tenant, machines: list[Machine], span: Span, d: Dice) -> list[Campaign]:
    """One theft, seldom two; mostly of a key that works anywhere, often one that nobody else uses in the file."""
    able = [m for m in machines if m.archetype not in IMMUNE]
    keys = [m for m in able if m.kind == "user"]
    if not keys or d.chance(0.35):
        spare = [m for m in duties.hire(tenant.parts, d.between(8, 16), tenant.spec.days) if m.kind == "user"]
        keys += spare[:1]
    found = list[Campaign]()
    for number in range(1 if d.chance(0.8) else 2):
        pool = keys if keys and d.chance(0.85) else able or keys
        taken = [campaign.victim for campaign in found]
        pool = [m for m in pool if all(m is not other for other in taken)]
        if not pool:
            break
        name = d.pick([*OWN, *MOST])
        at = span.low + int(span.length * (0.02 + 0.85 * d.random()))
        made = Technique(f"brief_{name}", _at(OWN.get(name) or REGISTER[name].act, at % DAY, d), "", (), lambda m: True)
        origin = "external" if d.chance(0.9) else "inside"
        quiet = 0.6 if span.length - (at - span.low) < 600 else 0.3
        manner = Manner(quiet=quiet, most=MOST.get(name, 20), looks=0.0)
        found.append(Campaign(number, at // DAY, made, origin, d.pick(pool), manner))
    return found


def _at(act: Act, second: int, d: Dice) -> Act:
    """A theft that begins at a second, from a place and with a command line of its own."""
    homes = [*basics.ISPS.values(), basics.RESIDENTIAL_ABROAD]
    where = d.pick([*homes, *homes, *basics.HOSTING.values(), basics.VPN, basics.VPN, basics.TOR])
    agent = d.pick([basics.cli, basics.cli, basics.cli, basics.boto3, basics.golang])(d)

    def play(raid: Raid) -> None:
        raid.outlook = Outlook(lambda x: basics.address(x, where), agent)
        raid.move()
        raid.clock = float(second)
        if raid.dice.chance(0.3):
            raid.do("sts:GetCallerIdentity")
        act(raid)

    return play


# ---- companies


Choose = Callable[[ProductRaid, Any], list[Deed]]
SUPER = "Super administrator"


def _deeds(part: str, choose: Choose) -> ProductAct:
    def act(raid: ProductRaid, cast: Any) -> None:
        for deed in choose(raid, getattr(cast, part)):
            raid.do(getattr(cast, part), deed, gap=raid.dice.between(3, 60))

    return act


def _owner(raid: ProductRaid, worker: Any) -> list[Deed]:
    body = {"requestObject": {"kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
                              "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]}}
    return [kubernetes.call(raid.company, "create clusterrolebindings", more=body)]


def _entered(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [kubernetes.call(raid.company, "create pods/exec")] * raid.dice.between(1, 3)


def _minted(raid: ProductRaid, worker: Any) -> list[Deed]:
    account = raid.dice.pick(["default", "deployer", "argocd-server"])
    return [kubernetes.token(raid.company, raid.dice.pick(kubernetes.NAMESPACES), account, raid.dice)]


def _listed(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [kubernetes.call(raid.company, "list secrets", space) for space in raid.dice.some(kubernetes.NAMESPACES, 2)]


def _planted(raid: ProductRaid, worker: Any) -> list[Deed]:
    made = {"fingerprint": f"SHA256:{raid.dice.hexes(40)}", "title": "ci", "read_only": False}
    return [github.change(raid.company, "public_key.create", made, raid.company.repos)]


def _runner(raid: ProductRaid, worker: Any) -> list[Deed]:
    made = {"runner_name": f"runner-{raid.dice.hexes(4)}"}
    return [github.change(raid.company, "repo.register_self_hosted_runner", made, raid.company.repos)]


def _hooked(raid: ProductRaid, worker: Any) -> list[Deed]:
    config = {"config": {"url": f"https://{raid.dice.hexes(6)}.example/in", "content_type": "json"}, "events": ["push"]}
    return [github.change(raid.company, "hook.create", config, raid.company.repos)]


def _secret(raid: ProductRaid, worker: Any) -> list[Deed]:
    others = [w for w in raid.tenant.staff["entra"] if w.kind == "app" and w is not worker]
    return [entra.new_secret(raid.company, raid.dice.pick(others or [worker]), raid.dice.uuid())]


def _raised(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [entra.app_role(raid.company, worker, "RoleManagement.ReadWrite.Directory")]


def _consented(raid: ProductRaid, worker: Any) -> list[Deed]:
    d = raid.dice
    app = entra.make_app(raid.company, d.pick(["rnicrosoft-teams", "0ffice-365", "micros0ft-security"]), d)
    return [entra.consent(raid.company, app, "Mail.ReadWrite Files.Read.All offline_access", admin=True)]


def _key(raid: ProductRaid, worker: Any) -> list[Deed]:
    accounts = [w for w in raid.tenant.staff["gcp"] if w.kind == "service_account"]
    return [gcp.new_key(raid.company, raid.dice.pick(accounts), raid.dice.hexes(40))]


def _project(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [gcp.grant(raid.company, f"user:{raid.dice.pick(WORDS)}{raid.dice.between(10, 99)}@gmail.com", "roles/owner")]


def _sink(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [gcp.call(raid.company, ("sink", "google.logging.v2.ConfigServiceV2.DeleteSink"))]


def _admin(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [okta.privilege(raid.company, SUPER)]


def _token(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [okta.event(raid.company, "system.api_token.create")]


def _factors(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [okta.event(raid.company, "user.mfa.factor.reset_all"),
            okta.event(raid.company, "user.account.reset_password")][: raid.dice.between(1, 2)]  # fmt: skip


def _policy(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [vault.call(raid.company, "update", "sys/policies/acl/{word}", "system"),
            vault.call(raid.company, "update", "auth/token/create", "token")][: raid.dice.between(1, 2)]  # fmt: skip


def _audit(raid: ProductRaid, worker: Any) -> list[Deed]:
    return [vault.call(raid.company, "delete", "sys/audit/file", "system")]


SHORT: dict[str, tuple[str, str, tuple[Choose, ...]]] = {
    "kubernetes": ("service_account", "cluster", (_owner, _entered, _minted, _listed)),
    "github": ("token", "code", (_planted, _runner, _hooked)),
    "entra": ("app", "directory", (_secret, _raised, _consented)),
    "gcp": ("keyed", "project", (_key, _project, _sink)),
    "okta": ("okta_token", "directory", (_admin, _token, _factors)),
    "vault": ("vault", "store", (_policy, _audit)),
}
"""Product → the part that plays it, what is taken, and how."""


def _of_product(product: str) -> list[ProductTechnique]:
    part, word, chosen = SHORT[product]
    return [ProductTechnique(f"brief_{word}{choose.__name__}", _deeds(part, choose), "", (), (part,))
            for choose in chosen]  # fmt: skip
