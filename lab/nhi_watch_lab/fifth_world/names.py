"""Vocabularies and the makers of names."""
from __future__ import annotations

from typing import Callable, List

from .chance import Chance

SYSTEMS = ["billing", "orders", "catalog", "pricing", "ledger", "payroll", "claims", "checkout", "search", "notify", "identity", "profile", "media", "fraud", "returns", "shipping",
    "inventory", "invoices", "loyalty", "reports", "metrics", "events", "ingest",
           "crm", "forecast", "tickets", "documents", "contracts", "scoring", "routing", "telemetry", "warehouse", "gateway", "session", "quotes", "tax", "sensors", "maps", "feeds",
               "partners", "risk", "archive", "exports", "consent", "onboarding"]
PARTS = ["api", "worker", "sync", "batch", "core", "svc", "job", "export", "loader", "proxy", "engine", "bridge", "hub", "runner", "agent", "backend", "stream", "reader", "writer", "service"]
TEAMS = ["platform", "payments", "data", "growth", "security", "logistics", "core-infra", "finance", "mobile", "ml", "support", "analytics", "sre", "web"]
ENVS = ["prod", "prod", "prod", "staging", "dev"]
FIRST = ["anna", "ben", "carla", "david", "elena", "felix", "greta", "hugo", "ines", "jonas", "katja", "leo", "maria", "nils", "olga", "paul", "rosa", "stefan", "tina", "uwe", "vera",
    "wim", "yara", "zoe", "amir", "bianca", "chen", "dmitri", "emeka", "fatima", "george",
         "hana", "ivan", "julia", "kofi", "lena", "marco", "nadia", "oscar", "priya", "ravi", "sara", "tom", "ursula", "viktor", "wanda", "xin", "yusuf"]
LAST = ["bauer", "fischer", "novak", "rossi", "dubois", "kowalski", "jansen", "larsen", "murphy", "patel", "singh", "okafor", "tanaka", "garcia", "silva", "weber", "huber", "smith",
    "jones", "brown", "ivanova", "popescu", "horvat", "schmidt", "keller", "meyer", "nguyen",
        "ahmed", "costa", "berg", "lind", "moreau", "ricci", "vogel", "wolf", "adams", "baker", "clark", "evans", "reed"]
COMPANY = ["norvia", "altrex", "brightfold", "cedarline", "datavane", "elmora", "fernwell", "glintworks", "harborly", "inventra", "junipr", "kestrelo", "lumenaut", "meridon", "nimbria",
    "oakhaven", "pellucid", "quanterra", "rivulet", "solvanta"]
VENDORS = ["cloudlens", "costpilot", "metricly", "postureone", "fivepipe", "lookdash", "okular", "sentrix", "backuply", "syncwise", "peoplehub", "mailvault"]
NOTES = ["Created by automation", "nightly run", "Managed by Terraform", "before upgrade", "restore test", "Temporary", "cleanup", "see ticket", "ops request", "weekly copy", "migration",
    "Bump dependencies", "Fix build", "Update config", "hotfix"]


def machine(rng: Chance, style: int, kind: str) -> str:
    """A machine's name in the tenant's style."""
    system, part, env, team = rng.choice(SYSTEMS), rng.choice(PARTS), rng.choice(ENVS), rng.choice(TEAMS)
    short = kind.split("-")[0]
    return [f"{env}-{system}-{part}", f"{system}-{part}", f"svc-{system}-{short}", f"{team}-{system}-{short}", f"{system}_{part}_{env}", f"{system.capitalize()}{part.capitalize()}Role"][style % 6]


def person(rng: Chance) -> str:
    return f"{rng.choice(FIRST)}.{rng.choice(LAST)}"


def invented(rng: Chance) -> str:
    """The name of a new thing, as anybody might choose it."""
    return rng.pick([(f"{rng.choice(SYSTEMS)}-{rng.choice(PARTS)}", 4), (f"{rng.choice(TEAMS)}-{rng.choice(PARTS)}-{rng.text(4)}", 2), (f"tmp-{rng.text(6)}", 1),
        (f"{rng.choice(SYSTEMS)}{rng.randint(1, 99)}", 2), (f"svc-{rng.choice(SYSTEMS)}", 2), (f"test-{rng.choice(SYSTEMS)}", 1), (f"BedrockAPIKey-{rng.text(4)}", 0.15)])


def domain(rng: Chance) -> str:
    return f"{rng.choice(COMPANY)}{rng.choice(['', '-', ''])}{rng.choice(['hq', 'labs', 'cloud', 'app', 'data', 'net', 'ops', 'mail'])}.{rng.choice(['com', 'io', 'net', 'dev', 'org'])}"


def bucket(rng: Chance, company: str) -> str:
    return f"{company}-{rng.choice(SYSTEMS)}-{rng.choice(['data', 'logs', 'assets', 'exports', 'backups', 'artifacts', 'raw', 'reports', 'uploads'])}-{rng.choice(['prod', 'prod', 'dev', 'eu', 'us'])}"


def many(make: Callable[[], str], count: int) -> List[str]:
    """Distinct names in the order made."""
    found: List[str] = []
    for _ in range(count * 8):
        name = make()
        if name not in found:
            found.append(name)
        if len(found) >= count:
            break
    return found
