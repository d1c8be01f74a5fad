"""Misuse of odd identities, and thieves who deploy."""

from __future__ import annotations

from nhi_watch_lab.fourth_world import attack, calls, model
from nhi_watch_lab.fourth_world.attack import TECHNIQUES, Campaign, Hand, Incident, Phase, Technique
from nhi_watch_lab.fourth_world.life import World
from nhi_watch_lab.fourth_world.model import DAY, HOUR, MINUTE, Dice, Machine
from nhi_watch_lab.variants.fourth.benign import Odd, Released, deployment

# ---- what a malicious version looks at, and what it does

LOOKS = {
    "cloudtrail": ["secretsmanager:ListSecrets", "s3:ListBuckets", "iam:ListRoles", "ssm:DescribeParameters",
                   "sts:GetCallerIdentity", "ec2:DescribeInstances"],
    "kubernetes": ["list secrets", "list namespaces", "create selfsubjectrulesreviews", "list serviceaccounts"],
}  # fmt: skip
DEEDS = {
    "cloudtrail": ["secretsmanager:GetSecretValue", "secretsmanager:GetSecretValue", "ssm:GetParameters",
                   "s3:GetObject", "sts:AssumeRole", "iam:CreateAccessKey"],
    "kubernetes": ["get secrets", "get secrets", "create serviceaccounts/token", "create pods/exec"],
}  # fmt: skip


# ---- odd identities as victims


class Thefts(Campaign):  # type: ignore[misc, unused-ignore]
    """The family's campaign, of which a part goes for odd identities."""

    def __init__(self, world: World, history_end: int, odd: list[Odd]) -> None:
        super().__init__(world, history_end, False)
        self.odd = {one.machine.who.label for one in odd}
        self.preferring = False

    def rob(self, count: int) -> None:
        """Incidents whose first victim is odd by nature."""
        dice = self.world.tenant.dice("thefts")
        self.preferring = True
        techniques = [t for t in attack.playable(self.world) if self._able(t.phases[0])]
        dice.shuffle(techniques)
        aim = len(self.incidents) + count
        for i in range(count * 4):
            if len(self.incidents) >= aim or not techniques:
                break
            self._incident(self.world.tenant.dice("theft", i), techniques[i % len(techniques)])
        self.preferring = False

    def _able(self, phase: Phase) -> bool:
        return any(m.who.label in self.odd for m in attack._victims(self.world, phase, self.world.end - 2 * DAY))

    def _next(
        self, dice: Dice, phase: Phase, t: int, origin: str, hand: Hand, before: Machine | None, number: int
    ) -> Machine | None:
        """An odd victim first, where the log can tell: from inside its core has to be new to the victim."""
        if self.preferring and before is None and phase.victims[0] not in ("new", "role"):
            core = {s.call for s in phase.steps if s.core}
            able = [
                m for m in attack._victims(self.world, phase, t)
                if m.who.label in self.odd and m.who.label not in self.used and m.place.style != "service"
                and (origin == "external" or not core <= {call for call, _ in m.mix})
            ]  # fmt: skip
            if able:
                return dice.pick(able)
        return super()._next(dice, phase, t, origin, hand, before, number)

    # ---- thieves who deploy: a workload is brought out anew, and steals with its own rights

    def deploy(self, chosen: list[Released], count: int) -> None:
        """Malicious releases: by a deployer's stolen credential, or by the usual deployer's poisoned pipeline."""
        dice = self.world.tenant.dice("malicious")
        able = [p for p in chosen if p.workload.who.label not in self.used and p.deployer.dies > self.world.end]
        for i, pair in enumerate(dice.some(able, count)):
            self._malicious(self.world.tenant.dice("malicious", i), pair)

    def _malicious(self, dice: Dice, pair: Released) -> None:
        world, number = self.world, len(self.incidents)
        outside = dice.chance(0.5)
        hand = Hand(
            world,
            dice,
            "external" if outside else "inside",
            TECHNIQUES["lambda-backdoor" if pair.deployer.who.product == "cloudtrail" else "cluster-secrets"],
        )
        hand.insider = None
        t = attack._moment(world, dice, self.earliest, 8 * HOUR, dice.chance(0.6))
        out = self._bring_out(dice, hand, pair, t, number, outside)
        if out:
            self._exfiltrate(dice, pair.workload, out, number)
        if any(e.tag == 2 * number for e in world.events):
            self.used |= {pair.workload.who.label, pair.deployer.who.label}
            origin = "external" if outside else "inside"
            self.incidents.append(
                Incident(
                    "release-by-thief" if outside else "release-poisoned",
                    origin,
                    pair.workload.who.label,
                    True,
                    [pair.deployer.who.label],
                )
            )

    def _bring_out(self, dice: Dice, hand: Hand, pair: Released, t: int, number: int, outside: bool) -> int:
        """The deployment: by the thief from elsewhere, or within a run of the usual deployer."""
        m, by = pair
        source, agent, session = hand.stand(by, t)
        agent = agent if outside else self.world.agent(by, t)
        prelude = (
            ["sts:GetCallerIdentity", "lambda:GetFunction20150331v2"]
            if by.who.product == "cloudtrail"
            else ["list deployments", "get secrets"]
        )
        if not outside:
            for call, _ in by.mix[:3]:
                self.world.act(
                    dice,
                    by.who,
                    call,
                    t,
                    source,
                    agent,
                    session,
                    by.slots,
                    args={"host": session.name, "region": m.region},
                )
                t += int(dice.wide(0.5, 30) * 1000)
        steps: list[tuple[str, dict[str, str]]] = [(call, {}) for call in prelude if outside]
        for call, args in steps + deployment(m):
            self.world.act(
                dice,
                by.who,
                call,
                t,
                source,
                agent,
                session,
                by.slots,
                args={"host": session.name, "region": m.region, **args},
                tag=2 * number,
            )
            t += int(dice.wide(0.5, 90) * 1000)
        return t + int(dice.wide(0.5, 240) * MINUTE)

    def _exfiltrate(self, dice: Dice, m: Machine, t: int, number: int) -> None:
        """What the new version does besides its work: from the workload's own place, with its own client."""
        known = {call for call, _ in m.mix}
        deed = dice.pick(DEEDS[m.who.product])
        if m.who.product == "cloudtrail" and calls.AWS_CALLS[deed].data and not self.world.data_events:
            deed = "secretsmanager:GetSecretValue"
        fresh = [call for call in LOOKS[m.who.product] if call not in known]
        steps = dice.some(fresh, dice.randint(1, 3)) + [deed] * (
            int(dice.wide(2, 45)) if deed not in ("iam:CreateAccessKey", "create pods/exec") else dice.randint(1, 2)
        )
        gap, denied = dice.wide(0.4, 200), dice.pick([0.0, 0.0, 0.2, 0.5])
        source, host = self.world.where(m, t, dice)
        session = self.world.session(m, t, source, host, self.world.agent(m, t))
        for call in steps:
            wrong = "denied" if dice.chance(denied) else ""
            self.world.act(
                dice,
                m.who,
                call,
                t,
                source,
                self.world.agent(m, t),
                session,
                None,
                0.0,
                wrong,
                2 * number,
                {"host": host, "region": m.region},
            )
            t = min(t + int(gap * dice.wide(0.4, 2.5) * 1000), self.world.end - 1)


def strangers(dice: Dice) -> list[model.Source]:
    """Where somebody sits who is none of the tenant's: one or several addresses of one network."""
    kind = dice.weighted({"tor": 0.22, "hosting": 0.3, "home": 0.2, "vpn": 0.16, "proxy": 0.06, "aws": 0.06})
    return [model.address(dice, kind) for _ in range(dice.pick([1, 1, 2, 5] if kind != "tor" else [1, 3, 6]))]


def technique(line: str) -> Technique:
    """A technique in the family's notation."""
    return attack._technique(line)
