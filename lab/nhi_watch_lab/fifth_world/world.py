"""The one door through which every record is written, whoever acts."""
from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from nhi_watch_lab.fifth_world import others
from nhi_watch_lab.fifth_world.model import UPPER, Chance, Identity, Place, Record, Ref, Streams, block, stream
from nhi_watch_lab.fifth_world.tenant import Tenant

from . import aws
from .catalogue import find

RENDERERS: Dict[str, Callable[..., List[Record]]] = {"aws": aws.render, "gcp": others.render, "github": others.github_render, "kubernetes": others.kube_render, "entra": others.audit,
    "azure": others.activity, "m365": others.management, "okta": others.okta_render, "snowflake": others.snowflake_render, "vault": others.vault_render}


class Sink:
    """Holds records as text until they are sorted and written."""

    def __init__(self) -> None:
        self.files: Dict[str, List[Tuple[float, int, int, str]]] = {}
        self.count = 0

    def add(self, record: Record, tie: int) -> Ref:
        self.count += 1
        text = json.dumps(record.body, separators=(",", ":"), ensure_ascii=False)
        self.files.setdefault(record.file, []).append((record.time, tie, self.count, text))
        return Ref(record.file, self.count, record.time)

    def write(self, folder: Path, wanted: Dict[int, int]) -> None:
        """Writes all files in order of time and notes the line of each wanted record."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(self.files):
            rows = sorted(self.files[name], key=_stamp_of(name))
            for line, row in enumerate(rows, 1):
                if row[2] in wanted:
                    wanted[row[2]] = line
            with open(folder / name, "wb") as raw, gzip.GzipFile(filename="", mode="wb", compresslevel=5, fileobj=raw, mtime=0) as packed:
                packed.write("".join(row[3] + "\n" for row in rows).encode("utf-8"))


def _stamp_of(name: str) -> Callable[[Tuple[float, int, int, str]], Tuple[float, int, int]]:
    whole = name.startswith(("cloudtrail", "m365"))
    return lambda row: (float(int(row[0])) if whole else round(int(row[0] * 1000) / 1000, 3), row[1], row[2])


class World:
    """A tenant with its identities and its log."""

    def __init__(self, seed: int, tenant: Tenant, streams: Streams) -> None:
        self.seed, self.tenant, self.streams = seed, tenant, streams
        self.sink = Sink()
        self.machines: List[Identity] = []
        self.people: List[Identity] = []
        self.sessions: Dict[str, Dict[str, Any]] = {}
        self.outages: List[Tuple[float, float, str, float]] = []
        self.attacking = False
        self.issued: List[Ref] = []

    def act(self, who: Identity, key: str, time: float, rng: Chance, place: Optional[Place] = None, args: Optional[Dict[str, Any]] = None, error: str = "") -> List[Ref]:
        """One call by somebody; returns what it left in the log."""
        if not self.tenant.start <= time < self.tenant.end:
            return []
        op = find(key)
        where = place or rng.choice(who.places_at(time))
        before = len(self.issued)
        records = RENDERERS[op.product](self, who, op, time, rng, where, dict(args or {}), error)
        refs = [self.sink.add(record, rng.getrandbits(30)) for record in records]
        if not self.attacking and refs:
            who.used.add(key)
            who.nets.add(block(where.ip))
            who.count += 1
            who.history += time < self.tenant.cut
        elif where.host.startswith("@"):
            refs = self.issued[before:] + refs
        return refs

    def issue(self, who: Identity, session: Dict[str, Any], place: Place, rng: Chance) -> None:
        """The record of a role being taken, by the host that owns the session."""
        own = place if place.host.startswith("@") else next((item for item in who.places_at(session["begun"]) if item.host == place.host), place)
        record = aws.issue_record(self, who, session, own, rng)
        self.issued.append(self.sink.add(record, rng.getrandbits(30)))

    def services(self) -> None:
        """What AWS's services do of their own accord."""
        for account in self.tenant.accounts:
            rng = self.streams("services", account.id)
            for _ in range(rng.poisson(rng.log_between(3, 30) * self.tenant.days)):
                self.sink.add(aws.service_record(self, account, self.tenant.start + rng.random() * self.tenant.days * 86400.0, rng), rng.getrandbits(30))

    def login(self, who: Identity, time: float, rng: Chance, place: Place) -> None:
        if self.tenant.start <= time < self.tenant.end:
            self.sink.add(aws.console_login(self, who, time, rng, place), rng.getrandbits(30))

    def session_number(self, who: Identity, place: Place, time: float) -> int:
        return int(stream(self.seed, "snowsession", who.name, place.ip, int((time - who.phase) // 14400)).digits(14))

    def vault_token(self, who: Identity, place: Place, time: float) -> Dict[str, Any]:
        length = 3600.0 if who.dynamic else 32 * 3600.0
        begun = ((time - who.phase) // length) * length + who.phase
        mark = f"vault|{who.name}|{place.host}|{begun:.0f}"
        if mark not in self.sessions:
            rng = stream(self.seed, mark)
            self.sessions[mark] = {"token": rng.hexs(64), "accessor": rng.hexs(64), "begun": begun}
        return self.sessions[mark]

    def failing(self, product: str, key: str, time: float, rng: Chance) -> bool:
        """Whether an outage takes this call."""
        for start, end, what, share in self.outages:
            if start <= time < end and key.startswith(what):
                return rng.chance(share)
        return False


def new_key(product: str, rng: Chance) -> str:
    """A credential id as the product writes it."""
    if product == "aws":
        return "AKIA" + rng.text(16, UPPER)
    if product in ("entra", "azure", "m365"):
        return rng.uuid()
    if product == "gcp":
        return rng.hexs(40)
    if product == "github":
        return rng.text(43, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") + "="
    return "00T" + rng.text(17)
