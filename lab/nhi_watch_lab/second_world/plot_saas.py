# ruff: noqa: E501
"""Techniques against the other products, in the same table form: product, kinds of victims."""
from __future__ import annotations

from typing import NamedTuple
from nhi_watch_lab.tables import text


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


_TABLE = text(__file__, "plot_saas.txt")
# details that make a step hostile where the operation alone is ordinary
OVERS: dict[str, dict[str, object]] = {
    "github-visibility-change": {"visibility": "public", "public_repo": True}, "okta-privilege-grant": {"group": "Okta-Admins"}, "entra-app-role-escalation": {"role": "RoleManagement.ReadWrite.Directory"},
    "gcp-iam-policy-backdoor": {"role": "roles/owner"}, "k8s-privileged-pod": {"privileged": True}, "k8s-daemonset-persistence": {"privileged": True}, "k8s-rbac-escalation": {"role": "cluster-admin"}}


def _parse() -> dict[str, SaasTechnique]:
    found = {}
    for line in _TABLE.strip().splitlines():
        slug, product, origins, kinds, recon, core, loop, low, high = line.split("|")
        found[slug] = SaasTechnique(product, origins, kinds, _ops(recon), _ops(core), _ops(loop), int(low), int(high), OVERS.get(slug, {}))
    return found


SAAS: dict[str, SaasTechnique] = _parse()
