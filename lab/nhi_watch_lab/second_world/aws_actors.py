# ruff: noqa: E501
"""Who calls AWS: machines and people, their sessions, their sticky habits."""
from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.aws_fill import pool
from nhi_watch_lab.second_world.net import Place, private_ip
from nhi_watch_lab.second_world.tenant import Account, Person, Tenant

TTL = {"lambda": 12 * 3600.0, "ec2": 6 * 3600.0, "ecs": 6 * 3600.0, "irsa": 3600.0, "vendor": 3600.0, "ci": 3600.0, "batch": 3600.0, "sso": 8 * 3600.0, "role": 3600.0, "slr": 3600.0}


@dataclass
class Session:
    key: str
    name: str
    created: float
    lane: int
    host: str


@dataclass
class Actor:
    """One AWS identity. `flavour` says how it gets credentials; `user` has long-lived keys."""
    name: str
    flavour: str
    account: Account
    regions: list[str]
    pid: str
    place: Place
    uas: list[tuple[float, str]]
    routine: list[str]
    runs: float
    rhythm: str
    lanes: int = 1
    path: str = ""
    keys: list[tuple[float, str]] = field(default_factory=list)
    vpce: str = ""
    job: str = ""
    fails: dict[str, float] = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)
    born: float = 0.0
    dies: float = 9e18
    person: Optional[Person] = None
    trusted: str = ""
    phase: float = 0.0
    open_ips: float = 0.0
    sessions: dict[tuple[int, int], Session] = field(default_factory=dict)
    announced: dict[str, bool] = field(default_factory=dict)
    console: tuple[float, str] = (0.0, "")

    @property
    def arn(self) -> str:
        kind = "user" if self.flavour == "user" else "role"
        return f"arn:aws:iam::{self.account.id}:{kind}/{self.path}{self.name}"

    def alive(self, t: float) -> bool:
        return self.born <= t < self.dies

    def ua(self, t: float) -> str:
        current = self.uas[0][1]
        for when, ua in self.uas:
            current = ua if t >= when else current
        return current

    def key(self, t: float) -> str:
        current = self.keys[0][1]
        for when, key in self.keys:
            current = key if t >= when else current
        return current

    def session(self, tenant: Tenant, t: float, lane: int = 0) -> Session:
        """The session that is live at a time; a pure function of time, so nobody can break its clock."""
        ttl = TTL.get(self.flavour, 3600.0)
        shift = (self.phase + lane * 0.37) % 1.0 * ttl
        slot = int((t - shift) // ttl)
        if (lane, slot) not in self.sessions:
            own = f"{tenant.seed}/{self.pid}/{self.person.upn if self.person else self.name}/{lane}"
            rng = Random(f"{own}/{slot}")
            created = slot * ttl + shift
            lane_rng = Random(own)
            self.sessions[lane, slot] = Session(ids.aws_id(rng, "ASIA", self.account.id), session_name(self, tenant, rng, lane_rng, created), created, lane, private_ip(lane_rng))
        return self.sessions[lane, slot]

    def pick(self, tenant: Tenant, kind: str, rng: Random) -> str:
        """A resource that this identity always uses."""
        if kind not in self.pools:
            whole = pool(tenant, self.account, kind)
            size = len(whole) if self.job in ("scanner", "backup", "admin") else rng.choice([1, 1, 2, 3])
            self.pools[kind] = rng.sample(whole, min(size, len(whole)))
        return rng.choice(self.pools[kind])


def session_name(who: Actor, tenant: Tenant, rng: Random, lane_rng: Random, created: float) -> str:
    """Session names as each service or SDK gives them."""
    if who.person:
        return who.person.upn
    if who.flavour == "ec2":
        return "i-" + ids.hexa(lane_rng, 17)
    if who.flavour == "lambda":
        return who.name.replace("role", "fn").replace("Role", "Fn")
    if who.flavour == "ecs":
        return ids.hexa(rng, 32)
    if who.flavour == "ci":
        return rng.choice(["GitHubActions", "GitHubActions", f"run-{ids.digits(rng, 11)}"]) if who.trusted == "github" else f"gitlab-{ids.digits(rng, 9)}"
    if who.flavour == "batch":
        return f"job-{ids.hexa(rng, 16)}"
    if who.flavour == "vendor":
        return {"monitoring": "DatadogAWSIntegration", "cost": f"cost-ingest-{ids.hexa(rng, 8)}", "security": "WizScanner"}.get(who.job, who.job or "integration")
    if who.flavour == "irsa":
        style = lane_rng.choice(["botocore", "go", "java", "js"])
        return {"botocore": f"botocore-session-{int(created)}", "go": f"{int(created * 1e9) + rng.randint(0, 10 ** 9)}", "java": f"aws-sdk-java-{int(created * 1000)}", "js": f"token-file-web-identity-{int(created * 1000)}"}[style]
    return f"botocore-session-{int(created)}"
