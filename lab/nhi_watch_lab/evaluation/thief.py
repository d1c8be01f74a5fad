"""A thief who has read the code and the shipped model: what share of his thefts is listed, by where he comes from.

A company of machine identities in AWS, Kubernetes, Entra and GitHub lives 17 days in peace, which are learnt day by
day. On the next day credentials of machines are stolen and used, each for one attack of `thief_attacks`: many attacks
at once, each on a victim of its own, against a copy of the state. A day takes in records until the second midnight
after it, so what was done on the last two days is added to the state as it stands when they are over; what begins
earlier is added to the state of the day after it began, and the days from there on are lived through anew. The week's
allowance at the default budget is raised by the number of attacks, so that an attack competes with what the tenant's
ordinary week gives and with no other attack. The thief waits for an hour in which his victim works, uses the victim's
client, looks at nothing first and is refused nothing. An attack is found if a listed notable holds a record of it.

Usual calls that precede an attack do not count. Steps of the theft itself that are taken on earlier days, to make them
a habit of the victim, do: a thief who has a row on the eve is shown before he strikes. What becomes of a thief whose
preparation has no row is a share of its own. Most attacks are one to three calls: of these each day of preparation
is the theft itself, and the last day its repetition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple, Union

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import risk_of
from nhi_watch.core.status import tells_calls
from nhi_watch.detect import model as models
from nhi_watch.detect import ranking
from nhi_watch.detect.engine import BUDGET
from nhi_watch.detect.run import Result
from nhi_watch.detect.session import Session
from nhi_watch.intake.sources import every
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab import worlds
from nhi_watch_lab.evaluation import thief_attacks
from nhi_watch_lab.evaluation.mornings import copied
from nhi_watch_lab.simulator import archetypes, basics
from nhi_watch_lab.simulator.basics import Dice, dice
from nhi_watch_lab.simulator.machines import DAY, Machine, Moment, federated_user, open_session
from nhi_watch_lab.simulator.products.tenant import Spec, Tenant, events
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Worker
from nhi_watch_lab.simulator.records import CLOCK, Actor, Detail, Record, Template, stamp, template

LEARNT = 17
"""Days before that of the theft."""
DAYS = 3
"""Days that an attack may take, the last that of the theft."""
LONGEST = 10
"""Days that it may be prepared for before."""
KEPT = (LEARNT - LONGEST + 1, LEARNT - 2, LEARNT - 1, LEARNT)
"""Days after which the state is kept: they and the days before them are open."""
YOUNG = 4
"""Active days of the identities that are hardly known."""
FOREIGN = "447100004471"
LOGS = ("cloudtrail", "kubernetes", "entra", "github")
PRODUCTS = ("AWS role", "AWS user's key", "Kubernetes", "Entra app", "GitHub token")
Attacks = Mapping[str, Mapping[str, Any]]
"""Product → name → how it is played."""
ATTACKS: Attacks = dict(
    zip(
        PRODUCTS,
        (thief_attacks.AWS, thief_attacks.AWS, thief_attacks.KUBERNETES, thief_attacks.ENTRA, thief_attacks.GITHUB),
    )
)
PROVIDERS = {"aws": "AWS", "kubernetes": "Kubernetes", "entra": "Entra", "github": "GitHub"}

Victim = Union[Machine, Worker]


class Row(NamedTuple):
    """Where a thief comes from, and how he goes about it."""

    name: str
    places: tuple[str, ...]
    """Attacks take turns."""
    before: tuple[int, ...] = ()
    """How many usual calls he makes from there on each of the days before, the last the eve."""
    thirds: bool = False
    """The theft is spread over three days, the last that of the others."""
    every: int = 0
    """Each so many steps of the theft he makes on each of the days before too, others each day: oddness as a habit."""
    prepared: int = 0
    """For so many days."""
    nth: int = 1
    """Only each so many attacks are played, for the days before are to be lived through anew for each ten of them."""
    disguised: bool = False
    """User agent and session name are those of automation."""
    console: bool = False
    """Sessions of the web console made of the machine's keys."""
    young: bool = False
    """The victim has a history of YOUNG days."""
    component: bool = False
    """The victim is a component of a cluster, by its certificate."""
    asked: Mapping[str, float] = {}
    """Product → the share that is asked for; "" stands for each."""


OWN = {"AWS role": 0.60, "AWS user's key": 0.80, "Kubernetes": 0.60, "Entra app": 0.60, "GitHub token": 0.60}
ROWS = (
    Row("Tor, a hoster", ("tor", "hoster")),
    Row("a household", ("household",)),
    Row("a near network of the same operator; another pod", ("near",), asked={"": 0.85}),
    Row("the victim's own place and client", ("own",), asked=OWN),
    Row("through the VPC endpoint", ("endpoint",)),
    Row("through CloudFormation", ("cloudformation",)),
    Row("after one usual call on the eve: a hoster", ("hoster",), (1,), asked={"": 0.90}),
    Row("after one usual call on the eve: a household", ("household",), (1,), asked={"": 0.90}),
    Row("after two days of a few usual calls: a hoster, a household", ("hoster", "household"), (3, 3),
        asked={"": 0.90}),
    Row("in thirds over three days: a near network", ("near",), thirds=True, asked={"": 0.85}),
    Row("in thirds over three days: a hoster, a household", ("hoster", "household"), thirds=True, asked={"": 0.85}),
    Row("a console session made of the machine's keys, four days old", ("tor", "hoster", "household"), console=True,
        young=True, asked={"": 0.95}),
    Row("the same, an old identity, one console call from there on the eve", ("near", "hoster", "household"), (1,),
        console=True, asked={"": 0.95}),
    Row("a quarter of the theft on the eve: a hoster, a household", ("hoster", "household"), every=4, prepared=1,
        asked={"": 0.75}),
    Row("a quarter of the theft on the eve: the victim's own place", ("own",), every=4, prepared=1, asked={"": 0.50}),
    Row("a tenth of the theft on each of three days before: a hoster, a household", ("hoster", "household"), every=10,
        prepared=3, asked={"": 0.75}),
    Row("a tenth of the theft on each of three days before: the victim's own place", ("own",), every=10, prepared=3,
        asked={"": 0.50}),
    Row("a tenth of the theft on each of ten days before: a hoster, a household", ("hoster", "household"), every=10,
        prepared=LONGEST, nth=2, asked={"": 0.75}),
    Row("a tenth of the theft on each of ten days before: the victim's own place", ("own",), every=10,
        prepared=LONGEST, nth=2, asked={"": 0.50}),
    Row("as Terraform, GitHubActions or Pulumi: a hoster, a household", ("hoster", "household"), disguised=True),
    Row("as Terraform, GitHubActions or Pulumi: the victim's own place", ("own",), disguised=True),
    Row("a node's certificate: another pod", ("near",), component=True, asked={"": 0.85}),
    Row("a node's certificate: the node itself", ("own",), component=True, asked={"": 0.60}),
)  # fmt: skip
DISGUISES = (
    ("APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.4", "terraform"),
    ("aws-sdk-nodejs/2.1692.0 linux/v20.18.0 configure-aws-credentials-for-github-actions promise", "GitHubActions"),
    ("APN/1.0 Pulumi/1.0 pulumi-aws/6.58.0 aws-sdk-go-v2/1.32.4", "pulumi"),
)
"""User agent, session name."""
_AWS_ONLY = {"endpoint", "cloudformation"}


def applies(row: Row, product: str) -> bool:
    """Whether a row makes sense for a product."""
    if row.component:
        return product == "Kubernetes"
    return product.startswith("AWS") or not (row.console or row.disguised or _AWS_ONLY.issuperset(row.places))


class Told(NamedTuple):
    """What became of one attack."""

    row: str
    product: str
    attack: str
    found: bool
    likelihood: float
    """The highest of a notable with a record of it, listed or not; 0: there is none."""
    signals: tuple[tuple[str, float], ...]
    """Of that notable: name and points, the heaviest first."""
    risk: float = 0.0
    """Of that notable."""
    is_early: bool = False
    """Whether a step of its preparation was listed on a day before."""

    @property
    def is_shown(self) -> bool:
        """Whether it was listed, or its preparation was."""
        return self.found or self.is_early


class Ordinary(NamedTuple):
    """What the tenant's ordinary days gave, from the eighth on: all of it false."""

    identities: int
    days: int
    listed: Mapping[str, int]
    """Provider → notables."""


class Play(NamedTuple):
    """The records of one attack and of what prepares it."""

    lines: list[Line]
    theft: frozenset[str]
    """Ids of the records of the attack."""
    prepared: frozenset[str] = frozenset()
    """Ids of those steps of it that were taken on earlier days."""


class Answer(NamedTuple):
    """What became of it: whether it is listed, the highest likelihood, its signals, and the risk."""

    found: bool
    likelihood: float
    signals: tuple[tuple[str, float], ...]
    risk: float = 0.0
    is_early: bool = False


def _answer(notables: Sequence[NotableDocument], theft: frozenset[str]) -> Answer:
    mine = [n for n in notables if not theft.isdisjoint(n["record_ids"])]
    if not mine:
        return Answer(False, 0.0, ())
    best = max(mine, key=lambda n: (n["listed"], n["likelihood"]))
    signals = tuple((s["id"], s["points"]) for s in best["signals"])
    return Answer(best["listed"], best["likelihood"], signals, risk_of(best))


class Ground:
    """A company after the day of the theft, without a theft."""

    def __init__(self, seed: int, identities: int, model: Path = models.FOLDER) -> None:
        world = worlds.draw(seed, company=True)
        spec = Spec(LEARNT + 1, identities, seed, campaigns=0, volume=min(20.0, world.volume), ways=world.ways)
        self.tenant = Tenant(spec)
        self.seed = seed
        self._model, self._sources = models.load(model), tuple(every())
        self._seconds: dict[str, list[list[int]]] = {}
        """Who → seconds of each day in which he works."""
        self._told: set[str] = set()
        """Who stands in the list anyway: nobody is robbed who is watched."""
        self._young = self._staffed()
        self._after: dict[int, MemoryStore] = {}
        """The state after each of KEPT, without a theft."""
        self._days: dict[int, list[Record]] = {}
        """The records of the days after the first of them, without a theft."""
        self.ordinary = self._live()

    def _staffed(self) -> list[Machine]:
        """More users with keys, and a few of the machines made newcomers: returns these."""
        cloud = self.tenant.company.aws
        users = [archetypes.vendor_key(cloud.parts, dice(self.seed, "user", n), f"vendor-{n}") for n in range(8)]
        for user in users:
            user.volume = max(user.volume, 8.0)  # he waits for an hour of work: they have some each day
        cloud.machines += users
        young = [m for m in cloud.machines if m.kind == "role" and m.session in ("lambda", "sdk")][:4] + users[:3]
        for machine in young:
            machine.born = LEARNT - YOUNG
        return young

    def _live(self) -> Ordinary:
        store, matches, today = MemoryStore(), dict[str, str](), set[str]()
        for number, day in enumerate(self.tenant.days()):
            lines = [line for line in day.lines if line.product in LOGS]
            today = {line.who for line in lines}
            for line in lines:
                second = int(line.second - self.tenant.company.midnight(number))
                days = self._seconds.setdefault(_who(line), [[] for _ in range(LEARNT + 1)])
                days[number].append(second)
            if number > KEPT[0]:
                self._days[number] = [line.record for line in lines]
            result = self._run(store, [line.record for line in lines])
            if number in KEPT:
                self._after[number] = copied(store)
            if number >= 7:
                matches.update((n["id"], n["identity"]["provider"]) for n in _compromises(result))
        one_each = {_who(line): line for line in lines}
        told_of = {n["identity"]["name"] for n in _compromises(result)}
        self._told = {who for who, line in one_each.items() if any(e.identity.name in told_of for e in events([line]))}
        listed = {name: sum(text == key for text in matches.values()) for key, name in PROVIDERS.items()}
        return Ordinary(len(today), LEARNT - 6, listed)

    def _run(self, store: MemoryStore, records: Sequence[Record], budget: float = BUDGET) -> Result:
        session = Session(store, self._sources, model=self._model, budget=budget)
        session.feed(records)
        return session.finish()

    def victims(self, product: str, young: bool, component: bool = False) -> list[Victim]:
        """Whose credentials are stolen: who works on the day, with a history or without; components or accounts."""
        cloud, staff = self.tenant.company.aws, self.tenant.staff
        machines = [m for m in cloud.machines if (m in self._young) == young]
        candidates: Sequence[Victim]
        if product == "AWS role":
            candidates = [
                m
                for m in machines
                if m.kind == "role"
                and m.session in ("lambda", "sdk", "web", "instance")
                and m.archetype not in ("failing", "terraform")
            ]
        elif product.startswith("AWS"):
            candidates = [m for m in machines if m.kind == "user" and m.archetype == "vendor"]
        else:
            account = "node" if component else "service_account"
            log, kinds = {
                "Kubernetes": ("kubernetes", account),
                "Entra app": ("entra", "app"),
                "GitHub token": ("github", "token app"),
            }[product]
            candidates = [w for w in staff[log] if w.kind in kinds.split()]
        days = self._seconds
        at_work = [
            item for item in candidates if (key := _key(item)) in days and days[key][LEARNT] and key not in self._told
        ]
        return dice(self.seed, "victims", product).some(at_work, 10)

    def moment(self, victim: Victim, day: int) -> int:
        """A second in the middle of the victim's work on a day, or on that of the theft if it did not work then."""
        days = self._seconds[_key(victim)]
        seconds = sorted(days[day] or days[LEARNT])
        return min(seconds[len(seconds) // 2], DAY - 3000)

    def answers(self, plays: Sequence[Play]) -> list[Answer]:
        """What the product makes of thefts of one day."""
        lines = sorted((line for play in plays for line in play.lines), key=lambda line: line.second)
        allowance = ranking.week_allowance(BUDGET, self.ordinary.identities) + len(plays)
        budget = 1000 * allowance / (ranking.WEEK * self.ordinary.identities)
        midnight = self.tenant.company.midnight
        begin = max(number for number in KEPT if lines[0].second >= midnight(number - 1))
        if any(play.prepared for play in plays):
            begin = min(begin, LEARNT - 1)  # what the eve alone shows is to be seen
        store = copied(self._after[begin])
        early = [line.record for line in lines if line.second < midnight(begin + 1)]
        result, shown_before = self._run(store, early, budget), set[str]()
        for number in range(begin + 1, LEARNT + 1):
            shown_before.update(record for n in _compromises(result) if n["listed"] for record in n["record_ids"])
            unusual = [line.record for line in lines if midnight(number) <= line.second < midnight(number + 1)]
            result = self._run(store, [*self._days[number], *unusual], budget)
        notables = [n for n in [*result.standing, *result.below] if tells_calls(n)]
        return [
            _answer(notables, play.theft)._replace(is_early=not shown_before.isdisjoint(play.prepared))
            for play in plays
        ]


def _compromises(result: Result) -> Iterator[NotableDocument]:
    return (n for n in result.standing if tells_calls(n))


def _who(line: Line) -> str:
    """The machine behind a line of CloudTrail, or the worker."""
    if line.product != "cloudtrail":
        return line.who
    who = line.record["userIdentity"]
    return str(who.get("sessionContext", {}).get("sessionIssuer", {}).get("arn") or who.get("arn", ""))


def _key(victim: Victim) -> str:
    return victim.arn if isinstance(victim, Machine) else victim.who


# ---- what he does


class Hand:
    """A thief with one victim's credential, at a place."""

    def __init__(self, ground: Ground, victim: Victim, place: str, row: Row, d: Dice) -> None:
        self._ground, self._victim, self._row, self._dice = ground, victim, row, d
        self._place, self._address = place, ""
        if place in ("tor", "hoster", "household"):
            world = ground.tenant.company.aws.world
            ranges = {
                "tor": basics.TOR,
                "hoster": d.pick([*basics.HOSTING.values()]),
                "household": basics.ISPS[world.country],
            }
            self._address = basics.address(d, ranges[place])
        self._browser = basics.browser(d)
        self._disguise = d.pick(DISGUISES) if row.disguised else ("", "")

    def _at(self, address: str) -> str:
        """The address he comes from, where the victim has this one."""
        if self._place == "near":
            if not self._address:
                item, two, three, _ = address.split(".")
                self._address = f"{item}.{two}.{(int(three) + 1 + self._dice.between(0, 200)) % 250}.77"
            return self._address
        return self._address or address

    def theft(self, attack: Any) -> list[list[Any]]:
        """The steps of an attack, day by day, the last day that of the theft."""
        tenant = self._ground.tenant
        steps: list[Any]
        if isinstance(self._victim, Machine):
            world, region = tenant.company.aws.world, self._victim.region
            aim = thief_attacks.Aim(world, self._dice, region, FOREIGN, self._victim.arn.rpartition("/")[2])
            steps = [
                template(world.account, "us-east-1" if action.startswith("iam:") else region, action, detail)
                for action, detail in attack(aim)
            ]
        else:
            steps = attack(tenant.company, self._dice)
        if self._row.prepared:
            interval_steps = min(self._row.every, len(steps))
            return [*(steps[day % interval_steps :: interval_steps] for day in range(self._row.prepared)), steps]
        if not self._row.thirds:
            return [steps]
        last = len(steps) - 1
        return [
            [step for n, step in enumerate(steps) if (last - n) * DAYS // len(steps) == left]
            for left in reversed(range(DAYS))
        ]

    def usual(self, count: int) -> list[Any]:
        """What the victim does anyway, so many times."""
        if isinstance(self._victim, Machine):
            pools = [step.pool for habit in self._victim.activities for step in habit.steps]
            return [self._dice.pick(pools).draw(self._dice) for _ in range(count)]
        deeds = [step.pool for habit in self._victim.habits for step in habit.steps]
        return [self._dice.pick(deeds).draw(self._dice) for _ in range(count)]

    def play(self, steps: Iterable[Any], day: int) -> list[Line]:
        """The records of some steps on a numbered day."""
        second, lines = self._ground.moment(self._victim, day), list[Line]()
        for step in steps:
            lines += self._cloud(step, day, second) if isinstance(step, Template) else self._work(step, day, second)
            second += 8
        return lines

    def _work(self, deed: Deed, day: int, second: int) -> list[Line]:
        assert isinstance(self._victim, Worker)
        company = self._ground.tenant.company
        sender = self._victim.sender(company.seed, day, second)
        return deed(sender._replace(address=self._at(sender.address)), At(company.midnight(day) + second, self._dice))

    def _cloud(self, aws_template: Template, day: int, second: int) -> list[Line]:
        assert isinstance(self._victim, Machine)
        cloud = self._ground.tenant.company.aws
        moment = Moment(day, cloud.date(day), second)
        actor = open_session(cloud.world, self._victim, moment, self._victim.session_at(second)).actor
        if self._row.console:
            actor = self._console(actor, moment)
        if self._row.disguised:
            actor = self._as_automation(actor)
        record = stamp(aws_template, self._placed(actor), moment.date, second, self._dice)
        when = self._ground.tenant.company.midnight(day) + second
        return [Line(when, "cloudtrail", self._victim.arn, aws_template.action, record)]

    def _console(self, actor: Actor, moment: Moment) -> Actor:
        """The same credential in a browser: of a role by a link to sign in, of a user by a federation token first."""
        who = actor.identity
        if who["type"] == "IAMUser":
            created = moment.date + CLOCK[max(0, moment.second - 60)]
            who = federated_user(who, "ops", self._dice.ident("ASIA", 16), created)
        return actor._replace(identity=who, agent=self._browser, console=True, vpce="")

    def _as_automation(self, actor: Actor) -> Actor:
        agent, name = self._disguise
        who = actor.identity
        if who["type"] == "AssumedRole":
            who = {
                **who,
                **{
                    field: f"{who[field].rpartition(mark)[0]}{mark}{name}"
                    for field, mark in (("arn", "/"), ("principalId", ":"))
                },
            }
        return actor._replace(identity=who, agent=agent)

    def _placed(self, actor: Actor) -> Actor:
        if self._place == "endpoint":
            endpoint = self._ground.tenant.company.aws.world.endpoint
            return actor._replace(address=f"10.17.3.{self._dice.between(4, 250)}", vpce=endpoint)
        if self._place == "cloudformation":
            name = "cloudformation.amazonaws.com"
            return Actor({**actor.identity, "invokedBy": name}, name, name)
        away = self._at(actor.address) if actor.address[:1].isdigit() else actor.address
        return actor._replace(address=away, vpce=actor.vpce if self._place in ("own", "near") else "")


def played(
    ground: Ground, row: Row, product: str, name: str, victim: Victim, place: str, attacks: Attacks = ATTACKS
) -> Play:
    """The records of one attack."""
    hand = Hand(ground, victim, place, row, dice(ground.seed, row.name, product, name))
    lines: list[Line] = []
    for back, count in enumerate(reversed(row.before), 1):
        lines += hand.play(hand.usual(count), LEARNT - back)
    days = hand.theft(attacks[product][name])
    played_on = [hand.play(steps, LEARNT + 1 - len(days) + n) for n, steps in enumerate(days)]
    preparation: list[Line] = []
    if row.prepared:
        preparation = [line for early in played_on[:-1] for line in early]
        played_on = played_on[-1:]
    stolen = [line for part in played_on for line in part]
    if row.console:
        stolen = [*_signed_in(hand, stolen), *stolen]
    theft, prepared = (frozenset(event.record_id for event in events(part)) for part in (stolen, preparation))
    return Play([*lines, *preparation, *stolen], theft, prepared)


def _signed_in(hand: Hand, lines: Sequence[Line]) -> list[Line]:
    """The sign-in to the console that begins a session there."""
    first = lines[0].record
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    built = template(
        first["recipientAccountId"],
        "us-east-1",
        "signin:ConsoleLogin",
        Detail(None, {"ConsoleLogin": "Success"}, extra=extra),
    )
    actor = Actor(first["userIdentity"], first["sourceIPAddress"], first["userAgent"])
    second = int(first["eventTime"][11:13]) * 3600 + int(first["eventTime"][14:16]) * 60
    record = stamp(built, actor, first["eventTime"][:10], second, hand._dice)
    return [lines[0]._replace(second=lines[0].second - 30, record=record)]


class Measured(NamedTuple):
    """One tenant: what its ordinary days gave, and all attacks on it."""

    seed: int
    ordinary: Ordinary
    told: list[Told]


def measure(
    seed: int,
    identities: int,
    rows: Sequence[Row] = ROWS,
    every_nth: int = 1,
    model: Path = models.FOLDER,
    attacks: Attacks = ATTACKS,
) -> Measured:
    """All attacks of some rows (or each n-th of them) on one tenant."""
    ground, attempts = Ground(seed, identities, model), list[Told]()
    for row in rows:
        nth = max(every_nth, row.nth)
        waiting = {product: _dealt(ground, row, product, nth, attacks) for product in PRODUCTS if applies(row, product)}
        while any(waiting.values()):
            dealt = {product: batches.pop() for product, batches in waiting.items() if batches}
            batch = [(product, *item) for product, items in dealt.items() for item in items]
            plays = [played(ground, row, *item, attacks) for item in batch]
            attempts += [Told(row.name, item[0], item[1], *said) for item, said in zip(batch, ground.answers(plays))]
    return Measured(seed, ground.ordinary, attempts)


def _dealt(
    ground: Ground, row: Row, product: str, every_nth: int, attacks: Attacks
) -> list[list[tuple[str, Victim, str]]]:
    """Batches of attacks on a product, each attack of a batch on another victim: name, victim, place.

    Users' attacks are dealt backwards, so that no two of a batch are the same.
    """
    names = [name for n, name in enumerate(attacks[product]) if n % every_nth == 0]
    names = names[::-1] if "user" in product else names
    victims = ground.victims(product, row.young, row.component)
    size = len(victims)
    return (
        [
            [
                (name, victim, row.places[(start + n) % len(row.places)])
                for n, (name, victim) in enumerate(zip(names[start : start + size], victims))
            ]
            for start in range(0, len(names), size or 1)
        ]
        if size
        else []
    )


def measured(
    seeds: Sequence[int],
    identities: int,
    rows: Sequence[Row] = ROWS,
    every_nth: int = 1,
    workers: int = 2,
    model: Path = models.FOLDER,
) -> list[Measured]:
    """Several tenants, spread over processes."""
    item = partial(measure, identities=identities, rows=rows, every_nth=every_nth, model=model)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(item, seeds))


# ---- the page


def page(runs: Sequence[Measured], command: str, model: str, sheet: str) -> str:
    """All of it as Markdown; `sheet`: the file of what is missed, as the page links it."""
    attempts = [item for each in runs for item in each.told]
    sizes = {product: len({item.attack for item in attempts if item.product == product}) for product in PRODUCTS}
    lines = [
        "# A thief who has read the code", "", f"<!-- Written by `{command}`: change the code, not this page. -->", "",
        f"For anyone who asks what an attacker who knows `nhi_watch` and its model ({model}) can hide. He has stolen "
        "one credential of a machine and uses it in an hour in which it works, with its client, without looking around "
        f"and without refused calls. Attacks: {', '.join(f'{product} {size}' for product, size in sizes.items())}. "
        f"Tenants of {' and '.join(str(each.ordinary.identities) for each in runs)} identities with {LEARNT} days of "
        "history. Each attack has a victim of its own on a copy of the tenant; the week's allowance is raised by the "
        "number of attacks, so that each competes with what the tenant's ordinary week lists. Shares are of attacks of "
        "which a listed notable holds a record. Where steps of the theft are taken on days before, a row for these "
        "counts as well; a line below says what becomes of those that have none until the last day.",
        "", f"| the thief comes | {' | '.join(PRODUCTS)} |", "|---" * (1 + len(PRODUCTS)) + "|",
        *(line for row in ROWS for line in _lines(row, attempts)), "",
        "In brackets the 90% interval, then what is asked for. Of attacks that are prepared for "
        f"{LONGEST} days every second one is played. Notables of the same tenants' ordinary days, without an attack:",
        "",
        "| tenant | identities | days | listed | by product |", "|---|---|---|---|---|", *map(_quiet, runs), "",
        f"What is not listed from the victim's own place: [hiding.csv]({sheet}).",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def interval(listed: int, of: int) -> tuple[float, float]:
    """In which the share lies in nine of ten cases (Wilson 1927); attacks are taken as a sample of their kind.

    >>> [round(end, 2) for end in interval(9, 10)]
    [0.65, 0.98]
    """
    z = 1.645
    middle, half = (listed + z * z / 2) / (of + z * z), z * sqrt(listed * (of - listed) / of + z * z / 4) / (of + z * z)
    return middle - half, middle + half


def _lines(row: Row, attempts: Sequence[Told]) -> Iterator[str]:
    """Those of a row of the page; of a thief who prepares his theft also: those whom nobody has seen prepare it."""
    mine = [[item for item in attempts if (item.row, item.product) == (row.name, product)] for product in PRODUCTS]
    yield _line(row.name, [_share_of(row, product, items) for product, items in zip(PRODUCTS, mine)])
    if row.prepared:
        unseen = [[item.found for item in items if not item.is_early] for items in mine]
        counts = [f"{sum(found)} of {len(found)}" if found else "" for found in unseen]
        yield _line("… those without a row until then", counts)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _share_of(row: Row, product: str, attempts: Sequence[Told]) -> str:
    """The share that is shown, its interval, and what is asked for; "" without an attack."""
    if not attempts:
        return ""
    shown = [item.is_shown for item in attempts]
    asked = row.asked.get(product) or row.asked.get("")
    low, high = interval(sum(shown), len(shown))
    return f"{mean(shown):.2f} ({low:.2f} to {high:.2f})" + (f", asked {asked:.2f}" if asked else "")


def _quiet(run: Measured) -> str:
    by_product = ", ".join(f"{name} {count}" for name, count in run.ordinary.listed.items())
    ordinary = run.ordinary
    return f"| {run.seed} | {ordinary.identities} | {ordinary.days} | {sum(ordinary.listed.values())} | {by_product} |"


def missed(runs: Sequence[Measured]) -> Iterator[tuple[str, ...]]:
    """What is not listed from the victim's own place, for a CSV file beside the page."""
    own = next(row for row in ROWS if row.places == ("own",))
    yield "product", "attack", "tenant", "likelihood"
    for product in PRODUCTS:
        for each in runs:
            mine = (item for item in each.told if (item.row, item.product) == (own.name, product) and not item.found)
            yield from ((product, item.attack, str(each.seed), f"{item.likelihood:.0f}") for item in mine)
