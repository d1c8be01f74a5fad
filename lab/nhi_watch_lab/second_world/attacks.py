"""Techniques, as tables, and the attacker who plays them.

Origins: e = from elsewhere, i = from the identity's own network with its own client. Taken from
public reports and catalogues (Stratus Red Team, TrailDiscover, MITRE ATT&CK, Pacu; see README).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Callable, NamedTuple, Optional

from nhi_watch_lab.second_world import base
from nhi_watch_lab.second_world.base import Json, Place, Sink, Tenant, outside, place
from nhi_watch_lab.second_world.routine import BROWSE, READ_NAMES, Cast, console_login, expand
from nhi_watch_lab.second_world.saas import SCOPES, Agent, Entra, Product
from nhi_watch_lab.second_world.trail import POLICIES, Actor, AwsLog, Session, web_identity
from nhi_watch_lab.tables import text

# ---- AWS techniques, as tables: reconnaissance | the attack itself | what is repeated, how often

class Technique(NamedTuple):
    origins: str
    flavours: str
    recon: list[str]
    core: list[str]
    loop: list[str]
    low: int
    high: int


_TABLE = text(__file__, "plot_aws.txt")


def _parse() -> dict[str, Technique]:
    found = {}
    for line in _TABLE.strip().replace("ecs.ListClusters", "ListClusters").splitlines():
        slug, origins, flavours, recon, core, loop, low, high = line.split("|")
        found[slug] = Technique(origins, flavours, recon.split(), core.split(), loop.split(), int(low), int(high))
    return found


AWS: dict[str, Technique] = _parse()
EXPENSIVE = ["g5.12xlarge", "p3.2xlarge", "c5.18xlarge", "g4dn.xlarge", "c7g.4xlarge"]


# ---- techniques against the other products, in the same table form: product, kinds of victims

class SaasTechnique(NamedTuple):
    product: str
    origins: str
    kinds: str
    recon: list[str]
    core: list[str]
    loop: list[str]
    low: int
    high: int
    over: dict[str, object]


def _ops(text: str) -> list[str]:
    return [op.strip() for op in text.split(",") if op.strip()]


_PLOT_SAAS_TABLE = text(__file__, "plot_saas.txt")
# details that make a step hostile where the operation alone is ordinary
OVERS: dict[str, dict[str, object]] = {
    "github-visibility-change": {"visibility": "public", "public_repo": True}, "okta-privilege-grant": {"group": "Okta-Admins"}, "entra-app-role-escalation": {"role": "RoleManagement.ReadWrite.Directory"},
    "gcp-iam-policy-backdoor": {"role": "roles/owner"}, "k8s-privileged-pod": {"privileged": True}, "k8s-daemonset-persistence": {"privileged": True}, "k8s-rbac-escalation": {"role": "cluster-admin"}}


def _plot_saas_parse() -> dict[str, SaasTechnique]:
    found = {}
    for line in _PLOT_SAAS_TABLE.strip().splitlines():
        slug, product, origins, kinds, recon, core, loop, low, high = line.split("|")
        found[slug] = SaasTechnique(product, origins, kinds, _ops(recon), _ops(core), _ops(loop), int(low), int(high), OVERS.get(slug, {}))
    return found


SAAS: dict[str, SaasTechnique] = _plot_saas_parse()


# ---- an attacker's hand: pace, place, client, noise; and the padding that hides it

COMMON = [name for group in BROWSE for name in expand(" ".join(group))]
PACES = {"fast": (0.3, 4.0), "hands": (8.0, 120.0), "slow": (500.0, 2600.0)}


@dataclass
class Incident:
    id: str
    technique: str
    origin: str
    start: float
    identity: str = ""
    distinguishable: bool = True
    day: int = 0
    pace: str = "hands"


@dataclass
class Scene:
    """Everything that attackers can reach."""
    tenant: Tenant
    sink: Sink
    log: AwsLog
    cast: Cast
    products: dict[str, Product]
    taken: list[int] = field(default_factory=list)


class Attacker:
    def __init__(self, scene: Scene, incident: Incident, rng: Random) -> None:
        self.scene, self.incident, self.rng, self.t = scene, incident, rng, incident.start
        self.external = incident.origin == "external"
        self.place: Optional[Place] = outside(rng, scene.tenant) if self.external else None
        self.ua = ""
        self.noise = rng.choice([0.0, 0.2, 0.5, 0.9])
        self.denied = rng.choice([0.0, 0.0, 0.05, 0.2, 0.4])
        self.volume = rng.choice([0.0, 0.15, 0.3, 0.5, 0.7, 1.0])
        self.times: list[float] = []
        self.lane = rng.randrange(64)            # one host or one stolen session, not all of them
        self.victim: Optional[Actor] = None
        self.agent: Optional[tuple[Product, Agent]] = None
        self.session: Optional[Session] = None    # set when the attacker made a session of its own

    def wait(self, low: float, high: float) -> None:
        self.t += self.rng.uniform(low, high)

    def tick(self) -> float:
        low, high = PACES[self.incident.pace]
        self.t += self.rng.uniform(low, high) * self.rng.choice([0.3, 1.0, 1.0, 2.0])
        self.times.append(self.t)
        return self.t

    def count(self, low: int, high: int) -> int:
        """How often the repeated part happens: loud, quiet or in between; slow attackers do less."""
        limit = min(high, 50) if self.incident.pace == "slow" else high
        return low + round((limit - low) * self.volume * self.rng.random())

    def aws(self, who: Actor, names: list[str], over: Optional[Json] = None, core: bool = True) -> None:
        for name in names:
            err = "denied" if self.rng.random() < (self.denied * (0.4 if core else 1.0)) else ""
            self.scene.log.call(who, self.tick(), name, place=self.place, ua=self.ua, explore=True, over=over, err=err, region=self.rng.choice(who.regions), lane=self.lane % who.lanes, session=self.session)

    def prepare(self, who: Actor) -> None:
        """Where the attacker sits: elsewhere with another client, or inside with the victim's own."""
        self.incident.identity, self.victim = who.arn, who
        if self.external:
            self.ua = base.operator_client(self.rng) if self.rng.random() < 0.8 else who.ua(self.t)
        elif who.flavour == "ci":
            self.place = place(self.rng, who.place.operator, 1)

    def prepare_agent(self, who: Agent, product: Product) -> None:
        self.agent = (product, who)
        self.incident.identity = who.name if product.name != "entra" else f"{who.name} ({who.ids.get('app', '')})"
        if self.external:
            same = product.name in ("snowflake", "vault") or self.rng.random() < 0.3
            self.ua = who.ua if same else self._client(product)

    def _client(self, product: Product) -> str:
        from nhi_watch_lab.second_world.saas import KUBECTL
        makers = {"github": base.git, "gcp": base.gcp}
        if product.name == "kubernetes":
            return self.rng.choice(KUBECTL + ["curl/8.5.0", "Go-http-client/2.0", "Python-urllib/3.11"])
        return makers.get(product.name, base.script_client)(self.rng)

    def saas(self, product: Product, who: Agent, ops: list[str], over: Optional[Json] = None, core: bool = True) -> None:
        for op in ops:
            err = self.rng.random() < (0.0 if core else self.denied)
            product.emit(who, self.tick(), op, place=self.place, ua=self.ua, explore=True, err=err, over=over)

    # padding: the attack stays complete; these records only surround it

    def pad(self) -> None:
        if self.victim:
            self.pad_aws(self.victim)
        elif self.agent:
            self.pad_saas(*self.agent)

    def pad_aws(self, who: Actor) -> None:
        rng = self.rng
        low, high = min(self.times), max(self.times) + 1800
        for _ in range(rng.randint(4, 14)):
            t = rng.uniform(low, high)
            for name in who.routine[:6]:
                t += rng.expovariate(1.0)
                self.scene.log.call(who, t, name, place=self.place, ua=self.ua, lane=self.lane % who.lanes)
        for _ in range(rng.randint(3, 9)):
            self.scene.log.call(who, rng.uniform(low, high), rng.choice(READ_NAMES), place=self.place, ua=self.ua)
        alive = [m for m in self.scene.cast.machines if m.alive(low) and m is not who]
        for other in rng.sample(alive, min(len(alive), rng.randint(8, 30))):
            # around the attack, not only during it: a crowd of small news of the same days
            self.scene.log.call(other, rng.uniform(low - 14400, high + 43200), rng.choice(rng.choice([READ_NAMES, COMMON])))

    def pad_saas(self, product: Product, who: Agent) -> None:
        rng = self.rng
        low, high = min(self.times), max(self.times) + 1800
        for _ in range(rng.randint(4, 14)):
            for op in who.routine:
                product.emit(who, rng.uniform(low, high), op, place=self.place, ua=self.ua)
        others = [a for a in product.victims() if a is not who and a.born <= low < a.dies]
        for other in rng.sample(others, min(len(others), rng.randint(5, 20))):
            product.emit(other, rng.uniform(low - 14400, high + 43200), rng.choice(product.ops))


def fits(who: Actor, flavours: str, t: float) -> bool:
    ready = who.alive(t - 86400) and who.alive(t + 86400) and who.flavour != "slr" and who.runs > 0
    return ready and ((flavours == "any" and who.flavour != "vendor") or who.flavour in flavours.split())


def choose(rng: Random, scene: Scene, flavours: str, t: float) -> Optional[Actor]:
    """A victim that was not used before."""
    fit = [m for m in scene.cast.victims() if fits(m, flavours, t) and id(m) not in scene.taken]
    if not fit:
        return None
    who = rng.choice(fit)
    scene.taken.append(id(who))
    return who


def choose_agent(rng: Random, scene: Scene, product: Product, kinds: str, t: float, dormant: bool = False) -> Optional[Agent]:
    fit = [a for a in product.victims() if a.kind in kinds.split() and id(a) not in scene.taken and a.born < t - 86400 and t + 86400 < a.dies and (a.runs == 0.0) == dormant]
    if not fit:
        return None
    who = rng.choice(fit)
    scene.taken.append(id(who))
    return who


def new_account(rng: Random) -> str:
    return base.digits(rng, 12)


# ---- plays incidents: the table techniques, and those that need a story of their own

Story = Callable[[Attacker], bool]


def play(scene: Scene, incident: Incident, rng: Random, padded: bool) -> bool:
    """Run one incident; False when the tenant has no fitting victim."""
    hand = Attacker(scene, incident, rng)
    scene.sink.tag = incident.id
    try:
        story = STORIES.get(incident.technique)
        if story:
            done = story(hand)
        elif incident.technique in AWS:
            done = table_aws(hand)
        else:
            done = table_saas(hand)
        if done and padded and hand.times and incident.distinguishable:
            scene.sink.tag = incident.id + "/padding"
            hand.pad()
        return done
    finally:
        scene.sink.tag = ""


def hostile(hand: Attacker) -> Json:
    """Parameters that point at the attacker."""
    account = new_account(hand.rng)
    return {"partner": account, "principal": f"arn:aws:iam::{account}:{hand.rng.choice(['root', 'user/admin', 'role/ops'])}", "action": "*", "itype": hand.rng.choice(EXPENSIVE), "awspolicy": "arn:aws:iam::aws:policy/" + hand.rng.choice(POLICIES[:3])}


def days(hand: Attacker) -> list[float]:
    """Most attackers come once; some come back on the following days."""
    extra = hand.rng.choice([0, 0, 0, 0, 1, 2])
    return [hand.incident.start + 86400 * n + (hand.rng.uniform(-9000, 9000) if n else 0.0) for n in range(extra + 1)]


def surroundings(hand: Attacker) -> list[str]:
    """Most attackers look around before or after; a few do only what they came for."""
    size = hand.rng.choice([0, 3, 4, 6, 9, 14]) if hand.volume else 0
    groups = [n for group in hand.rng.sample(BROWSE, 4) for n in expand(" ".join(group))]
    return hand.rng.sample(groups, min(size, len(groups)))


def table_aws(hand: Attacker) -> bool:
    row, rng = AWS[hand.incident.technique], hand.rng
    who = choose(rng, hand.scene, row.flavours, hand.incident.start)
    if who is None:
        return False
    hand.prepare(who)
    if hand.incident.technique == "insider-with-machine-key":
        hand.ua = rng.choice(["", base.operator_client(rng)])    # on the machine's own host
    over = hostile(hand)
    for moment in days(hand):
        hand.t = moment
        hand.aws(who, [n for n in row.recon if rng.random() < hand.noise], over, core=False)
        hand.aws(who, row.core, over)
        if hand.incident.technique == "federation-token-survival":
            hand.session = Session(base.aws_id(rng, "ASIA", who.account.id), "backup-sync", hand.t, 0, "")
        hand.aws(who, surroundings(hand), over, core=False)
        repeat = hand.count(row.low, row.high) if row.loop else 0
        hand.aws(who, [row.loop[rng.randrange(len(row.loop))] for _ in range(repeat)], over)
    return True


def table_saas(hand: Attacker) -> bool:
    row, rng = SAAS[hand.incident.technique], hand.rng
    product = hand.scene.products[row.product]
    who = choose_agent(rng, hand.scene, product, row.kinds, hand.incident.start)
    if who is None:
        return False
    hand.prepare_agent(who, product)
    over = dict(row.over)
    for moment in days(hand):
        hand.t = moment
        hand.saas(product, who, [op for op in row.recon if rng.random() < max(hand.noise, 0.5 if hand.external else 0.0)], core=False)
        for op in row.core:
            hand.saas(product, who, [op], over if op in row.core[:1] or row.product != "github" else None)
        if hand.volume and product.ops:
            hand.saas(product, who, rng.choices(product.ops, k=rng.choice([0, 2, 4, 6, 9])), core=False)
        repeat = hand.count(row.low, row.high) if row.loop else 0
        hand.saas(product, who, [rng.choice(row.loop) for _ in range(repeat)], over)
    return True


# stories

def slow_discovery(hand: Attacker) -> bool:
    """A call each twenty minutes or so, for a day or two."""
    who = choose(hand.rng, hand.scene, "any", hand.incident.start)
    if who is None:
        return False
    hand.prepare(who)
    names = [n for group in hand.rng.sample(BROWSE, 8) for n in expand(" ".join(group))]
    for name in names[:hand.rng.randint(14, 60)]:
        hand.wait(700, 1700)
        hand.times.append(hand.t)
        hand.scene.log.call(who, hand.t, name, place=hand.place, ua=hand.ua, explore=True, err="denied" if hand.rng.random() < hand.denied else "", lane=hand.lane % who.lanes)
    return True


def login_profile(hand: Attacker) -> bool:
    """A console password for another user, and the login."""
    who = choose(hand.rng, hand.scene, "any", hand.incident.start)
    users = [a for a in hand.scene.cast.machines if a.flavour == "user" and a is not who and who is not None and a.account is who.account]
    if who is None or not users:
        return False
    hand.prepare(who)
    other = hand.rng.choice(users)
    hand.aws(who, ["ListUsers", hand.rng.choice(["CreateLoginProfile", "UpdateLoginProfile"])], {"user": other.name})
    console_login(hand.scene.log, other, hand.tick(), hand.place or who.place, base.browser(hand.rng), True, mfa=False)
    return True


def poisoned_pipeline(hand: Attacker) -> bool:
    """The CI role does something else in the middle of a run, from a runner like any other."""
    fit = [p for p in hand.scene.cast.pipelines if id(p) not in hand.scene.taken]
    if not fit:
        return False
    who = hand.rng.choice(fit)
    hand.scene.taken.append(id(who))
    hand.prepare(who)
    hand.incident.pace = "fast"
    theft = hand.rng.choice(["ListSecrets GetSecretValue*9", "GetParametersByPath*3 DescribeParameters GetParameters*6", "ListBuckets ListObjects*2 GetObject*15", "CreateUser CreateAccessKey AttachUserPolicy", "GetRole UpdateAssumeRolePolicy", "ListFunctions20150331 GetFunction20150331v2*7"])
    hand.aws(who, ["GetCallerIdentity"] + expand(theft), hostile(hand))
    return True


def role_hopping(hand: Attacker) -> bool:
    """From one role into the next, two or three times, and a look around in each."""
    chain = [choose(hand.rng, hand.scene, flavours, hand.incident.start) for flavours in ("any", "role batch", "role batch")]
    actors = [a for a in chain if a]
    if len(actors) < 2:
        return False
    hand.prepare(actors[0])
    for here, there in zip(actors, actors[1:]):
        name = hand.rng.choice(["AWSCLI-Session", f"botocore-session-{int(hand.t)}", hand.rng.choice(hand.scene.tenant.words)])
        hand.session = hand.scene.log.assume(here, hand.tick(), there, name=name, place=hand.place, ua=hand.ua) if hand.session is None else nested(hand, here, there, name)
        hand.aws(there, ["GetCallerIdentity"] + hand.rng.sample(["ListBuckets", "ListSecrets", "DescribeInstances", "ListRoles", "GetObject"], 3))
    return True


def nested(hand: Attacker, here: Actor, there: Actor, name: str) -> Session:
    """The next hop starts from the session that the hop before made."""
    made = Session(base.aws_id(hand.rng, "ASIA", there.account.id), name, hand.t, 0, "10.0.9.20")
    hand.aws(here, ["AssumeRole"], {"rolearn": there.arn, "asia": made.key, "sessname": name, "aroa": there.pid, "account": there.account.id})
    return made


def github_to_cloud(hand: Attacker) -> bool:
    """A stolen GitHub token starts a workflow on a branch; its OIDC subject takes the cloud role."""
    scene, rng = hand.scene, hand.rng
    roles = [p for p in scene.cast.pipelines if p.flavour == "ci" and p.trusted == "github" and id(p) not in scene.taken]
    token = choose_agent(rng, scene, scene.products["github"], "pat app", hand.incident.start)
    if token is None or not roles:
        return False
    role = rng.choice(roles)
    hand.prepare_agent(token, scene.products["github"])
    hand.incident.identity = f"{token.name} -> {role.arn}"
    repo = {"repo": f"{scene.tenant.corp}/{role.job}"}
    hand.saas(scene.products["github"], token, ["git.clone", "git.push", "workflows.created_workflow_run"], dict(repo))
    runner, t = place(rng, "azure-runner", 1), hand.tick()
    session = role.session(scene.tenant, t)
    subject = f"repo:{scene.tenant.corp}/{role.job}:ref:refs/heads/{rng.choice(['fix', 'feature', 'chore'])}-{base.hexa(rng, 4)}"
    if session.key not in role.announced:
        role.announced[session.key] = True
        scene.sink.add("cloudtrail", session.created, web_identity(scene.log, role, session, subject, runner.ip(rng, t), role.ua(t)))
    hand.place, hand.ua = runner, ""
    hand.aws(role, ["GetCallerIdentity"] + rng.choice([["ListSecrets"] + ["GetSecretValue"] * 6, ["ListBuckets", "ListObjects"] + ["GetObject"] * 10]))
    return True


def vault_to_cloud(hand: Attacker) -> bool:
    """Vault's dynamic credentials are taken and used against the cloud."""
    scene = hand.scene
    vault = scene.products["vault"]
    who = choose_agent(hand.rng, scene, vault, "approle", hand.incident.start)
    key = choose(hand.rng, scene, "user", hand.incident.start)
    if who is None or key is None:
        return False
    hand.prepare(key)
    hand.prepare_agent(who, vault)
    hand.incident.identity = f"{who.name} -> {key.arn}"
    hand.saas(vault, who, ["list secret/metadata", "read aws/creds", "read secret/data", "read aws/creds"])
    hand.ua = "" if not hand.external else base.operator_client(hand.rng)
    hand.aws(key, ["GetCallerIdentity", "ListBuckets"] + ["GetObject"] * hand.count(3, 25))
    return True


def consent_phishing(hand: Attacker) -> bool:
    """A person consents to a hostile app; the app then reads the mailbox from elsewhere."""
    entra = hand.scene.products["entra"]
    assert isinstance(entra, Entra)
    person = hand.rng.choice(entra.people())
    where = hand.place or place(hand.rng, "azure-eu", 2)
    app = entra.app(hand.rng.choice(["Document Viewer", "PDF Merge", "Meeting Notes", "Mail Sync Pro", "OneDrive Upgrade"]), where, [], 0.0, "office")
    hand.incident.identity = f"{app.name} ({app.ids['app']})"
    for op in ["audit:Add service principal", "audit:Add delegated permission grant", "audit:Consent to application"]:
        entra.emit(person, hand.tick(), op, over={"app": app, "scope": hand.rng.choice([s for s in SCOPES if "offline" in s])})
    read_mail(hand, app, where_people=[person])
    return True


def read_mail(hand: Attacker, app: Agent, where_people: Optional[list[Agent]] = None) -> None:
    m365 = hand.scene.products["m365"]
    reader = Agent(app.name, "app", hand.place or app.place, base.script_client(hand.rng), [], 0.0, "office", ids=app.ids)
    if where_people:
        reader.pools["mailbox"] = [str(p.person.upn) for p in where_people if p.person]
    for _ in range(hand.count(4, 45)):
        m365.emit(reader, hand.tick(), hand.rng.choice(["MailItemsAccessed", "MailItemsAccessed", "FileDownloaded"]), place=hand.place, ua=hand.ua, explore=not where_people)


def dormant_app_secret(hand: Attacker) -> bool:
    """A new secret on an app that nobody used, a sign-in with it, then mail through Graph."""
    entra = hand.scene.products["entra"]
    app = choose_agent(hand.rng, hand.scene, entra, "app", hand.incident.start, dormant=True)
    admin = hand.rng.choice(entra.people())
    if app is None:
        return False
    hand.prepare_agent(app, entra)
    key = base.uuid4(hand.rng)
    entra.emit(admin, hand.tick(), "audit:Update application – Certificates and secrets management", place=hand.place if hand.rng.random() < 0.5 else None, over={"app": app, "key": key})
    hand.wait(60, 40000)
    for _ in range(hand.rng.randint(1, 5)):
        entra.emit(app, hand.tick(), "signin:Microsoft Graph", place=hand.place, over={"key": key})
        read_mail(hand, app)
    return True


def saas_vendor_theft(hand: Attacker) -> bool:
    """Tokens of an integration (a chat or CRM vendor's) used from elsewhere in several products."""
    scene, rng = hand.scene, hand.rng
    names = [n for n in ("github", "m365", "gcp", "snowflake", "okta") if n in scene.products]
    first = True
    for name, kinds, ops in (("github", "oauth", ["git.clone", "repo.download_zip"]), ("m365", "app", ["MailItemsAccessed", "FileDownloaded"]), ("snowflake", "service", ["LOGIN", "SHOW", "SELECT_ALL", "UNLOAD"])):
        who = choose_agent(rng, scene, scene.products[name], kinds, hand.incident.start) if name in names else None
        if who is None or (not first and rng.random() < 0.4):
            continue
        hand.prepare_agent(who, scene.products[name])
        hand.saas(scene.products[name], who, ops * hand.count(2, 12))
        first = False
    return not first


def routine_mimicry(hand: Attacker) -> bool:
    """Nothing but what the machine always does: no log can tell it apart."""
    who = choose(hand.rng, hand.scene, "lambda ecs irsa ec2 user", hand.incident.start)
    if who is None or not who.routine:
        return False
    hand.prepare(who)
    hand.incident.distinguishable = False
    for _ in range(hand.rng.randint(1, 2)):
        for name in who.routine[:6]:
            hand.scene.log.call(who, hand.tick(), name)
        hand.wait(600, 4000)
    return True


STORIES: dict[str, Story] = {"slow-discovery": slow_discovery, "iam-login-profile": login_profile, "poisoned-pipeline": poisoned_pipeline, "role-hopping": role_hopping, "github-token-to-cloud-role": github_to_cloud, "vault-to-cloud": vault_to_cloud,
                             "consent-phishing": consent_phishing, "dormant-app-new-secret": dormant_app_secret, "saas-vendor-token-theft": saas_vendor_theft, "routine-mimicry": routine_mimicry}
STORY_ORIGINS = {"slow-discovery": "ei", "iam-login-profile": "ei", "poisoned-pipeline": "i", "role-hopping": "ei", "github-token-to-cloud-role": "e", "vault-to-cloud": "ei", "consent-phishing": "e", "dormant-app-new-secret": "e", "saas-vendor-token-theft": "e"}
STORY_NEEDS: dict[str, list[str]] = {"github-token-to-cloud-role": ["github"], "vault-to-cloud": ["vault"], "consent-phishing": ["entra", "m365"], "dormant-app-new-secret": ["entra", "m365"]}
