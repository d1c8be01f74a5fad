"""One attack in the order of a public one, for the demo: a stolen key of an IAM user does in an hour, from one address,
what the dataset invictus-ir/aws_dataset (MIT) holds of Stratus Red Team: looks around, reads secrets, stays, blinds the
trail, shares snapshots, starts machines. Parts are those of the simulator, which is frozen and knows nothing of it.
"""

from __future__ import annotations

from nhi_watch_lab.simulator import Tenant, techniques
from nhi_watch_lab.simulator.raid import Manner, Raid, Technique
from nhi_watch_lab.simulator.tenant import Campaign

NUMBER = 900
"""Beyond any campaign's own: it seeds the dice."""


def public_attack(raid: Raid) -> None:
    """A stolen user key: reconnaissance, secrets, a backdoor user, the trail stopped, snapshots shared, machines."""
    raid.all_of("sts:GetCallerIdentity iam:ListUsers iam:ListRoles ec2:DescribeInstances s3:ListBuckets")
    for part in (
        techniques.secrets_harvest,
        techniques.login_profile,
        techniques.trail_stop,
        techniques.share_snapshot,
        techniques.unusual_instances,
        techniques.admin_user,
    ):
        raid.wait(300)
        part(raid)


def add(tenant: Tenant) -> None:
    """Play it two days before the end, with the key of the oldest user that no other incident touches."""
    taken = {campaign.victim.name for campaign in tenant.campaigns}
    day = max(0, tenant.spec.days - 3)
    alive = (m for m in tenant.machines if m.born == 0 and m.dies > day + 2)
    users = [m for m in alive if m.kind == "user" and m.name not in taken]
    if users:
        tactics = ("discovery", "credential-access", "persistence", "defense-evasion", "exfiltration", "impact")
        technique = Technique("public_attack", public_attack, "T1078.004", tactics, lambda machine: True)
        tenant.campaigns.append(Campaign(NUMBER, day, technique, "external", users[0], Manner(quiet=1.0, looks=0.0)))
