"""Who acts behind an address of Google's, in Cloud Audit Logs and Workspace's reports alike, or behind an ARN alone.

- A service account is its address: the logs tell its unique id only where it is the target. A deleted account
  that came back is told apart where the log says `deleted:…?uid=…`.
- Google's own agents (`service-1@gcp-sa-….iam.gserviceaccount.com`) are services: they act by Google's rules.
- A federated workload is the pool and the part of its subject that stays (`identity.subject_of`).
- Any other address is a person's account.
"""

from __future__ import annotations

import re

from nhi_watch.core.event import Identity
from nhi_watch.core.identity import subject_of

GCP = "gcp"
_LONGEST = 512
_MACHINE = "gserviceaccount.com"
_PROJECT = re.compile(r"[^@]+@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com")
_AGENT = re.compile(
    r"service-\d+@.*|[^@]+@(?:gcp-sa-[a-z0-9-]+\.iam|system|cloudservices|containerregistry|.*\.google\.com\.iam)"
    r"\.gserviceaccount\.com"
)
_POOL = re.compile(
    r".*?/(?:locations/[^/]+/)?(workloadIdentityPools|workforcePools)/([^/]+)/(?:subject/)?(.+)", re.DOTALL
)


def google(told: str, project: str = "") -> Identity:
    """The identity of an address or a principal's name, within a project or organisation.

    >>> google("app@shop.iam.gserviceaccount.com").id, google("serviceAccount:a@b.iam.gserviceaccount.com").kind
    ('gcp:shop:service_account:app@shop.iam.gserviceaccount.com', 'service_account')
    >>> google("user:ann@example.com").human, google("").kind
    ('google_account', 'anonymous')
    >>> pools = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools"
    >>> google(f"{pools}/ci/subject/repo:a/b:ref:x").id
    'gcp::web_identity:ci:repo:a/b'
    """
    if "://" in told:
        return _federated(told, project)
    name = told.removeprefix("deleted:").partition(":")[2] if _typed(told) else told
    address, _, unique = name.partition("?uid=")
    address = address.strip().lower()
    if not address or address == "anonymous":
        return _make(project, "anonymous", "anonymous", "anonymous")
    if address.endswith((_MACHINE, "svc.id.goog")) or ".svc.id.goog[" in address:
        return _machine(address, unique, project)
    if "serviceaccount:" in told.lower():  # an account of a domain-wide kind, whatever its address
        return _make(project, f"service_account:{address}", address, "service_account")
    return _make("", f"user:{address}", address, "user", "google_account")


def _typed(told: str) -> bool:
    return told.startswith(("user:", "serviceAccount:", "deleted:", "group:", "domain:"))


def _machine(address: str, unique: str, project: str) -> Identity:
    match = _PROJECT.fullmatch(address)
    if _AGENT.fullmatch(address):
        return _make(project, f"service:{address}", address, "service")
    path = f"service_account:{address}" + (f":{unique}" if unique else "")
    return _make(match[1] if match else project, path, address, "service_account")


def _federated(told: str, project: str) -> Identity:
    match = _POOL.fullmatch(told)
    if match is None:
        return _make("", f"federated:{told}", told, "federated")
    kind, pool, subject = match.groups()
    if kind == "workforcePools":
        return _make("", f"federated:{pool}:{subject}", subject, "federated", "workforce_pool")
    stays = subject_of(subject)
    return _make("", f"web_identity:{pool}:{stays}", stays, "web_identity")


def _make(account: str, path: str, name: str, kind: str, human: str = "") -> Identity:
    return Identity(f"{GCP}:{account}:{path}"[:_LONGEST], name[:_LONGEST], kind, GCP, account, human)


def known_by_arn(identity: Identity) -> tuple[Identity, tuple[str, ...]]:
    """The identity, and the ARN among its links; where its id is made of the name, its name is no ARN.

    The ARN then is what links it to the identity that CloudTrail knows by its unique id.

    >>> identity = Identity("aws:111111111111:role:app", "arn:aws:iam::111111111111:role/app", "role", "aws", "", "")
    >>> known, links = known_by_arn(identity)
    >>> known.name, links
    ('role/app', ('arn:arn:aws:iam::111111111111:role/app',))
    >>> known_by_arn(identity._replace(id="aws:111111111111:role:AROAEXAMPLE"))[1]
    ()
    """
    arn = identity.name
    if not arn.startswith("arn:") or identity.id.rpartition(":")[2] != arn.rpartition("/")[2]:
        return identity, ()
    return identity._replace(name=arn.split(":", 5)[-1]), (f"arn:{arn}",)
