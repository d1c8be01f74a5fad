# ruff: noqa: E501
"""People in AWS: consoles, command lines at home, hurried administrators, debugging."""
from __future__ import annotations

from random import Random

from nhi_watch_lab.second_world import agents, clock, ids
from nhi_watch_lab.second_world.aws_actors import Actor
from nhi_watch_lab.second_world.aws_cast import Cast
from nhi_watch_lab.second_world.aws_jobs import ADMIN, APPLIES, BROWSE, SCAN, expand
from nhi_watch_lab.second_world.aws_log import AwsLog
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators, place
from nhi_watch_lab.second_world.tenant import Person, Tenant

SCAN_CALLS = expand(" ".join(SCAN))


class AwsPeople:
    def __init__(self, tenant: Tenant, cast: Cast, log: AwsLog, rng: Random) -> None:
        self.tenant, self.cast, self.log, self.rng = tenant, cast, log, rng

    def day(self, day: float) -> None:
        for who in self.cast.people:
            night = who.person is not None and who.person.night and self.rng.random() < 0.15
            if clock.works(self.tenant, self.rng, day) or night:
                self.workday(who, day, night)

    def where(self, person: Person) -> Place:
        """Office, VPN, home, phone, or a hotel."""
        return where(self.tenant, self.rng, person)

    def workday(self, who: Actor, day: float, night: bool) -> None:
        rng, habits = self.rng, self.tenant.habits
        assert who.person is not None
        spot = self.where(who.person)
        for _ in range(1 if night else rng.choice([0, 1, 1, 2, 3])):
            t = day + rng.uniform(0, 21600) - self.tenant.offset * 3600 % 86400 if night else clock.office_time(self.tenant, rng, day)
            self.console(who, max(t, day), spot)
        if rng.random() < 0.45:
            self.terminal(who, clock.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["admin"] * (0.5 if who.job == "admin" else 0.08):
            self.admin(who, clock.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["hurry"]:
            self.hurry(who, clock.office_time(self.tenant, rng, day), spot)
        if rng.random() < habits["debug"]:
            self.debug(who, clock.office_time(self.tenant, rng, day), spot)

    def console(self, who: Actor, t: float, spot: Place) -> None:
        assert who.person is not None
        if who.flavour == "user":
            self.login(who, t, spot)
        for calls in self.rng.sample(BROWSE, self.rng.randint(1, 3)):
            t += self.rng.uniform(5, 400)
            for name in expand(" ".join(calls)):
                t += self.rng.expovariate(4.0)
                self.log.call(who, t, name, place=spot, ua=who.person.browser, explore=True, region=self.rng.choice(who.regions[:2]), err=self._err(who))

    def _err(self, who: Actor) -> str:
        return "denied" if self.rng.random() < (0.01 if who.job == "admin" else 0.06) else ""

    def terminal(self, who: Actor, t: float, spot: Place) -> None:
        """Own keys or SSO credentials on the command line; now and then from a second machine."""
        ua = who.uas[-1][1] if self.rng.random() < 0.9 else agents.operator_client(self.rng)
        names = expand(" ".join(self.rng.choice(BROWSE + ADMIN)))
        for name in (["GetCallerIdentity"] if self.rng.random() < 0.5 else []) + names * self.rng.choice([1, 1, 2]):
            t += self.rng.expovariate(0.05)
            self.log.call(who, t, name, place=spot, ua=ua, explore=True, region=self.rng.choice(who.regions[:2]), err=self._err(who), lane=1)

    def admin(self, who: Actor, t: float, spot: Place) -> None:
        assert who.person is not None
        browser = self.rng.random() < 0.5
        for calls in self.rng.sample(ADMIN + APPLIES, self.rng.choice([1, 1, 1, 2, 4])):
            for name in expand(" ".join(calls)):
                t += self.rng.expovariate(0.04)
                self.log.call(who, t, name, place=spot, ua=who.person.browser if browser else who.uas[-1][1], explore=True, err=self._err(who), lane=int(not browser))

    def hurry(self, who: Actor, t: float, spot: Place) -> None:
        """Wrong role, dozens of denied calls, then break-glass."""
        for name in self.rng.choices(SCAN_CALLS + expand(" ".join(self.rng.choice(ADMIN))) * 4, k=self.rng.randint(12, 70)):
            t += self.rng.expovariate(0.2)
            self.log.call(who, t, name, place=spot, ua=who.uas[-1][1], explore=True, err="denied" if self.rng.random() < 0.75 else "", lane=1)
        self.admin(who, t + 200, spot)

    def debug(self, who: Actor, t: float, spot: Place) -> None:
        """A person takes a machine's role, or runs with its key, to see why it fails."""
        machine = self.rng.choice(self.cast.machines)
        if machine.flavour not in ("role", "batch", "user") or not machine.alive(t):
            return
        session = None
        if machine.flavour != "user":
            session = self.log.assume(who, t, machine, name=who.person.login if who.person else "debug", place=spot, ua=who.uas[-1][1], lane=1)
        for name in ["GetCallerIdentity"] + machine.routine[:5] + expand(" ".join(self.rng.choice(BROWSE))):
            t += self.rng.expovariate(0.05)
            self.log.call(machine, t, name, place=spot, ua=who.uas[-1][1], explore=self.rng.random() < 0.5, err=self._err(who), session=session)

    def login(self, who: Actor, t: float, spot: Place) -> None:
        """ConsoleLogin, sometimes mistyped first."""
        if self.rng.random() < 0.06:
            console_login(self.log, who, t - self.rng.uniform(5, 40), spot, who.person.browser if who.person else "", False)
        console_login(self.log, who, t, spot, who.person.browser if who.person else "", True)
        who.console = (t, ids.aws_id(self.rng, "ASIA", who.account.id))


def where(tenant: Tenant, rng: Random, person: Person) -> Place:
    if rng.random() < tenant.habits["travel"]:
        return place(rng, rng.choice(operators("hotel", "mobile", "vpn", "residential")), 1)
    if rng.random() < tenant.habits["remote"]:
        options: tuple[tuple[Place, float], ...] = ((person.home, 5.0), (tenant.vpn, 3.0), (person.mobile, 0.5))
        return rng.choices([p for p, _ in options], weights=[w for _, w in options])[0]
    return tenant.office


def console_login(log: AwsLog, who: Actor, t: float, spot: Place, ua: str, ok: bool, mfa: bool = True) -> None:
    rng, region = log.rng, who.regions[0]
    user: Json = {"type": "IAMUser", "principalId": who.pid, "accountId": who.account.id, "accessKeyId": "", "userName": who.name}
    if ok:
        user = {"type": "IAMUser", "principalId": who.pid, "arn": who.arn, "accountId": who.account.id, "userName": who.name}
    record: Json = {"eventVersion": log.version, "userIdentity": user, "eventTime": ids.iso(t), "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "awsRegion": region, "sourceIPAddress": spot.ip(rng, t), "userAgent": ua}
    if not ok:
        record["errorMessage"] = "Failed authentication"
    record.update({"requestParameters": None, "responseElements": {"ConsoleLogin": "Success" if ok else "Failure"}, "additionalEventData": {"LoginTo": f"https://{region}.console.aws.amazon.com/console/home?region={region}&state=hashArgs%23&isauthcode=true", "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"},
                   "eventID": ids.uuid4(rng), "readOnly": False, "eventType": "AwsConsoleSignIn", "managementEvent": True, "recipientAccountId": who.account.id, "eventCategory": "Management",
                   "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{region}.signin.aws.amazon.com"}})
    log.sink.add("cloudtrail", t, record)
