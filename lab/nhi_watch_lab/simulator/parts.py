"""What the machines of one account share: templates, subnets, runners."""

from __future__ import annotations

from collections.abc import Callable

from nhi_watch_lab.simulator import networks
from nhi_watch_lab.simulator.calls import call
from nhi_watch_lab.simulator.catalogue import READS, WRITES, actions
from nhi_watch_lab.simulator.dice import Dice, Pool, dice
from nhi_watch_lab.simulator.machines import Machine, Place
from nhi_watch_lab.simulator.records import Detail, Template, template
from nhi_watch_lab.simulator.shapes import s3_object, secret
from nhi_watch_lab.simulator.ways import DEFAULT, Ways
from nhi_watch_lab.simulator.world import World
from nhi_watch_lab.tables import table

_SENSITIVE = {  # what deployers seldom do
    *[
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:PutUserPolicy",
        "cloudtrail:StopLogging",
    ],
    *[
        "ec2:ModifySnapshotAttribute",
        "ec2:ModifyImageAttribute",
        "rds:ModifyDBSnapshotAttribute",
        "s3:DeleteBucket",
    ],
    *[
        "kms:ScheduleKeyDeletion",
        "ec2:DeleteFlowLogs",
        "iam:AttachUserPolicy",
        "iam:CreateOpenIDConnectProvider",
    ],
    *[
        "cloudtrail:PutEventSelectors",
        "ssm:SendCommand",
        "iam:UpdateAssumeRolePolicy",
        "ec2:ModifyInstanceAttribute",
    ],
}
_FEW = table(__file__, "tables.json/few")


class Parts:
    """Shared pieces of one account; each is made from its own dice."""

    def __init__(self, world: World, ways: Ways = DEFAULT) -> None:
        self.world, self.ways = world, ways
        d = dice(world.seed, "parts")
        self._reads = [call(world, d, action) for action in actions(READS)]
        self._writes = [call(world, d, action) for action in actions(WRITES)]
        self.identity = Pool([call(world, d, "sts:GetCallerIdentity")])
        self.subnets = [
            self._gateway(region, f"nat-{world.seed}-{region}-{number}")
            for number in range(4)
            for region in world.regions
        ]

    def _gateway(self, region: str, name: str) -> Place:
        fixed = not dice("roaming", name).chance(self.ways.roaming)
        return Place(self._nat(region), fixed=fixed, name=name)

    @staticmethod
    def _nat(region: str) -> Callable[[Dice], str]:
        return lambda d: networks.aws_address(d, region)

    def region(self, d: Dice) -> str:
        """The home region mostly."""
        return self.world.home if d.chance(0.8) else d.pick(self.world.regions)

    def subnet(self, d: Dice) -> Place:
        """A shared NAT gateway, or where hosts have addresses of their own such a one."""
        if self.ways.own_address and d.chance(self.ways.own_address):
            return self.own_host(d)
        return d.pick(self.subnets)

    def own_host(self, d: Dice) -> Place:
        """A host with an address of its own."""
        return Place(self._nat(self.region(d)), name=f"host-{d.hexes(12)}")

    def private(self, d: Dice) -> Place:
        """Behind a VPC endpoint: a private address per session."""
        return Place(
            networks.private_address, fixed=False, vpce=self.world.endpoint, name=f"vpce-{d.hexes(6)}"
        )

    def runner(self, d: Dice) -> Place:
        """A self-hosted runner, or a hosted one."""
        if d.chance(0.5):
            return self.subnet(d)
        return Place(lambda x: networks.address(x, networks.AZURE), fixed=False, name=f"runner-{d.hexes(6)}")

    def own(self, machine: Machine, action: str, d: Dice) -> list[Template]:
        """Templates of an action on what belongs to this machine: its bucket, its secret."""
        world, region = self.world, machine.region
        if action == "secretsmanager:GetSecretValue":
            return [
                template(world.account, region, action, secret(world, name, region))
                for name in machine.secrets
            ]
        if action in ("s3:GetObject", "s3:PutObject") and machine.buckets:
            return [
                template(world.account, region, action, self._object(machine, d)) for _ in range(_FEW[action])
            ]
        return [call(world, d, action, region) for _ in range(_FEW.get(action, 1))]

    def _object(self, machine: Machine, d: Dice) -> Detail:
        key = f"{d.pick(['in', 'out', 'daily', 'raw'])}/{d.hexes(8)}.json"
        return s3_object(self.world, d, machine.region, d.pick(machine.buckets), key)

    def some_reads(self, d: Dice, count: int) -> list[Template]:
        """A deployer's or scanner's own choice of reads."""
        return d.some(self._reads, count)

    def some_writes(self, d: Dice, count: int) -> list[Template]:
        """A deployer's own choice of changes: none that is sensitive."""
        return d.some([t for t in self._writes if t.action not in _SENSITIVE], count)

    def reads(self, d: Dice) -> Pool[Template]:
        """All reads in an order of this user's own, with a long tail."""
        return Pool.zipf(d.some(self._reads, len(self._reads)), self.ways.tail)

    def writes(self, d: Dice) -> Pool[Template]:
        """All changes, the sensitive ones seldom, with a long tail."""
        order = d.some(self._writes, len(self._writes))
        return Pool(
            order,
            [(0.12 if t.action in _SENSITIVE else 1.0) / (rank + 2) ** 1.5 for rank, t in enumerate(order)],
        )
