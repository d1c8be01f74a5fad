"""Baseline: on how many days each value of each dimension was seen, by identity, by peers, by the tenant.

A day of one identity is a *delta*, a function of that day's behaviours; a profile is the fold of deltas in
the order of days. Learning a day again replaces its delta, so it changes nothing. A day counts once per
value, however often the value occurred in it, and brings at most `NEW_VALUES` new values a dimension: one
bad day cannot teach much.

What looked bad is kept apart until it has come back on several days from places that are known, see `Profile.hold`:
what an identity does every day becomes its habit, even if sensitive; what a thief does once is never learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log2
from typing import Any, NamedTuple, Optional

from nhi_watch.context import actions
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import Behaviour, BehaviourKey
from nhi_watch.core.event import BEHALF, DONE_TO, Identity

LEARNING = 14
"""Days after it was first seen in which a scope is being learnt: all that it does is new, also what it does daily."""
HISTORY = 7
"""Active days from which an identity's days count at home, and a name may stand for a person."""
RETURNS = 3
"""Days on which what looks bad must have come before it is learnt, while its scope is being learnt."""
REPEATS = 7
"""The same afterwards, from places that are known."""
CLEARS_AFTER = 21
"""Days on which something that looks bad must have come from a place, after LEARNING, before the place is known."""
QUARANTINE = 30
"""Days after which what looked bad and did not come back is forgotten: the count starts again."""
NEW_VALUES = 100
"""Values a dimension that one day can teach."""
VALUES = 400
"""Values a dimension that a profile keeps: the most recently seen ones."""
HALF_LIFE = 60
"""Days after which what was not seen again counts half."""
GRACE = 8
"""Days within which nothing decays, so that weekly jobs stay known."""

SHARED = ("action", "service", "access", "region", "network", "owner", "agent", "credential_type", "error", "act")
"""The dimensions in which identities are compared with each other."""
REACHED = ("action", "service", "access", "region", "target")
"""The dimensions that show what an identity reaches."""
REFUSABLE = (*REACHED, "network", "owner", "agent")
"""The dimensions of which is known whether a value came with a success."""
REFUSED = "refused "
"""Dimension `refused NAME`: days on which a value of one of REFUSABLE was only refused, or failed."""
REFUSALS = ("denied", "failure")
PLACE = "place"
"""Dimension `OWNER AGENT` of what looked bad: whose network (the network itself, if nobody's), and by which client."""
ANONYMOUS = ("tor:", "vpn:", "bad:")
"""Beginnings of places where nobody works by habit: the kinds of their networks."""
ROUTINE = "routine"
"""Dimension of the calls that looked bad and were learnt within LEARNING days: a sensitive routine."""
HABIT = "habit"
"""Dimension `SIGNAL:BIN` → the identity's own days that had a signal's value in a bin, see `detect.habits`."""
SIGNAL = "signal"
"""The same of the tenant: identity-days of all identities with a history, machines and people apart."""
EVERY = "*"
"""The value that every counted identity-day has."""
KEPT = {SIGNAL: 10_000, HABIT: 1_000}
"""Dimensions that keep more values than VALUES."""
ALIKE = 5
"""Identities of a peer group that count in a day for one value of SIGNAL: else many made-up ones could dilute it."""

Delta = dict[str, dict[str, int]]
"""Dimension → value → count of events in one day; of the dimensions that shapes have, of those that were let in."""


def bucket(count: int) -> int:
    """Powers of two: the size class of a count.

    >>> [bucket(n) for n in (0, 1, 2, 3, 4, 1000)]
    [0, 1, 2, 2, 3, 10]
    """
    return count.bit_length()


class SeenValue:
    """What is known of one value."""

    __slots__ = ("count", "days", "first", "last", "peak", "top")

    def __init__(self, days: int, count: int, first: int, last: int, top: int, peak: int = -1) -> None:
        self.days = days
        self.count = count
        self.first = first
        self.last = last
        self.top = top
        """Size class that two days reached: one large day alone does not make the next one ordinary."""
        self.peak = top if peak < 0 else peak
        """Size class of the largest day."""

    def grow(self, *sizes: int) -> None:
        """Take in the size classes of further days."""
        self.top, self.peak = sorted((self.top, self.peak, *sizes))[-2:]

    def weight(self, today: int) -> float:
        """Days seen, decayed to what they are worth today."""
        gap = today - self.last - GRACE
        return float(self.days) if gap <= 0 else self.days * 0.5 ** (gap / HALF_LIFE)


class ProfileDimension:
    """The values of one dimension, and how many of them were seen on a single day only."""

    __slots__ = ("once", "values")

    def __init__(self) -> None:
        self.values: dict[str, SeenValue] = {}
        self.once = 0

    def learn(self, values: Iterable[tuple[str, int, int]], day: int) -> None:
        """One more day of some values: each with its count, and how many identities share it."""
        known = self.values
        for value, count, weight in values:
            seen = known.get(value)
            if seen is None:
                known[value] = SeenValue(weight, count, day, day, 0, bucket(count))
                self.once += weight == 1
                continue
            self.once -= seen.days == 1
            seen.days += weight
            seen.count += count
            if day < seen.first:
                seen.first = day
            if day > seen.last:
                seen.last = day
            size = bucket(count)
            if size > seen.top:  # on most days it is no larger than on two days before
                seen.grow(size)

    def forget(self, before: int) -> None:
        """Forget what was not seen since a day."""
        self.values = {value: seen for value, seen in self.values.items() if seen.last >= before}

    def move(self, values: Iterable[str], other: ProfileDimension) -> None:
        """Let another dimension know some values as this one does."""
        for value in values:
            seen, known = self.values.pop(value), other.values.get(value)
            if known is None:
                other.values[value] = seen
                other.once += seen.days == 1
                continue
            other.once -= known.days == 1
            known.days += seen.days
            known.count += seen.count
            known.first, known.last = min(known.first, seen.first), max(known.last, seen.last)
            known.grow(seen.top, seen.peak)

    def trim(self, limit: int = VALUES) -> None:
        """Forget what was not seen for longest, beyond a limit."""
        if len(self.values) <= limit * 1.25:
            return
        order = sorted(self.values, key=lambda v: (-self.values[v].last, -self.values[v].days, v))
        self.values = {v: self.values[v] for v in order[:limit]}
        self.once = sum(seen.days == 1 for seen in self.values.values())


_NOTHING = ProfileDimension()


class Profile:
    """What one scope (an identity, a peer group, the tenant) did up to and including day `as_of`."""

    __slots__ = ("as_of", "days", "dimensions", "first", "gaps", "last", "waiting")

    def __init__(self) -> None:
        self.as_of = -1
        self.days = 0
        """Active days; of a group: active days of all its identities together."""
        self.first = -1
        self.last = -1
        self.gaps = 0
        """The longest pause so far, in days."""
        self.dimensions: dict[str, ProfileDimension] = {}
        self.waiting: dict[str, ProfileDimension] = {}
        """What looked bad, and is not learnt yet."""

    def dimension(self, name: str) -> ProfileDimension:
        """One dimension; an empty one when nothing is known."""
        return self.dimensions.get(name, _NOTHING)

    def done(self, name: str, since: int = 0) -> set[str]:
        """The values of a dimension, seen on day `since` or later, that were not refused on each of their days."""
        refused = self.dimension(REFUSED + name).values
        return {
            v
            for v, s in self.dimension(name).values.items()
            if s.last >= since and (v not in refused or s.days > refused[v].days)
        }

    def has_done(self, name: str) -> bool:
        """Whether any value of a dimension was not refused on each of its days, see `done`."""
        refused = self.dimension(REFUSED + name).values
        return any(v not in refused or s.days > refused[v].days for v, s in self.dimension(name).values.items())

    def knows(self, name: str, value: str, let_in: bool = True) -> bool:
        """Whether a value came before; `let_in`: a value that was only refused did not."""
        return value in self.dimension(name).values if not let_in else self.times_let_in(name, value) > 0

    def unknown(self, name: str, values: Iterable[str], let_in: bool = True) -> list[str]:
        """Those of some values that it does not know, see `knows`."""
        known = self.dimension(name).values
        if let_in and self.dimension(REFUSED + name).values:
            return [value for value in values if value not in known or not self.knows(name, value)]
        return [value for value in values if value not in known]

    def size_of_two_days(self, name: str) -> int:
        """The size class that two days reached, of a dimension of size classes: one large day alone is no habit."""
        days = 0
        for size, seen in sorted(self.dimension(name).values.items(), key=lambda item: -int(item[0])):
            days += seen.days
            if days > 1:
                return int(size)
        return 0

    def times_let_in(self, name: str, value: str) -> int:
        """On how many days a value came with a success."""
        seen = self.dimension(name).values.get(value)
        refused = self.dimension(REFUSED + name).values.get(value) if seen is not None else None
        return 0 if seen is None else seen.days - (refused.days if refused is not None else 0)

    def learn(self, day: int, delta: Delta, identities: int = 1) -> None:
        """Fold in one day. Days must come in order."""
        if identities:
            if self.last >= 0:
                self.gaps = max(self.gaps, day - self.last - 1)
            self.days += identities
            self.first = day if self.first < 0 else self.first
            self.last = day
        self._learn(day, delta)
        self.as_of = max(self.as_of, day)

    def _learn(self, day: int, delta: Delta) -> None:
        for name, values in delta.items():
            dimension = self.dimensions.get(name)
            if dimension is None:
                dimension = self.dimensions[name] = ProfileDimension()
            weighted = name in KEPT
            dimension.learn(((value, count, count if weighted else 1) for value, count in values.items()), day)
            dimension.trim(KEPT.get(name, VALUES))

    def learn_group(self, day: int, group: GroupDay) -> None:
        """Fold in one day of many identities; each counts once per value."""
        for name, values in group.shares.items():
            dimension = self.dimensions.setdefault(name, ProfileDimension())
            dimension.learn(((value, values[value][1], values[value][0]) for value in sorted(values)), day)
            dimension.trim()
        self.learn(day, {}, group.size)

    def hold(self, day: int, delta: Delta) -> None:
        """Keep apart what looked bad on a day, and learn of it what has come back often enough.

        On a day with a strange place nothing is learnt. Once all calls of a day are known, so is what else they say
        (hours, amounts, targets).
        """
        need = RETURNS if self.is_young(day) else REPEATS
        for name, values in delta.items():
            dimension = self.waiting.setdefault(name, ProfileDimension())
            dimension.forget(day - QUARANTINE)
            dimension.learn(((value, count, 1) for value, count in values.items()), day)
            dimension.trim(KEPT.get(name, VALUES))
        if not all(self._is_known(place, day) for place in delta.get(PLACE, ())):
            return
        back = {n: [v for v in values if self.waiting[n].values[v].days >= need] for n, values in delta.items()}
        calls = back.get("action", [])
        if calls and self.is_young(day):
            self._learn(day, {ROUTINE: {call: self.waiting["action"].values[call].count for call in calls}})
        is_complete = len(calls) == len(delta.get("action", ()))
        for name, values in delta.items():
            self._release(name, list(values) if is_complete and name not in _SEPARATELY else back[name])

    def free(self, delta: Delta) -> None:
        """Learn what waits of a delta: somebody has said that it is fine."""
        for name, values in delta.items():
            if name in self.waiting:
                self._release(name, [value for value in values if value in self.waiting[name].values])

    @property
    def is_clear(self) -> bool:
        """Whether no call and no place waits that looked bad."""
        return not any(self.waiting[name].values for name in ("action", PLACE) if name in self.waiting)

    def is_young(self, day: int) -> bool:
        """Whether the scope is still being learnt on a day."""
        return day - self.first < LEARNING

    def _is_known(self, place: str, day: int) -> bool:
        """Whether what looks bad has come from a place often enough: see LEARNING and SETTLES.

        Who is still being learnt has the place from where it does all else, or it has no other.
        """
        source, _, agent = place.partition(" ")
        waits = self.waiting[PLACE].values[place].days
        seen_values = (self.dimension(name).values.get(source) for name in ("owner", "network"))
        is_own = any(seen is not None and seen.days >= RETURNS for seen in seen_values)
        if place in self.dimension(PLACE).values or waits >= CLEARS_AFTER:
            return True
        if self.is_young(day) and not source.startswith(ANONYMOUS):
            return waits >= RETURNS and (is_own or not self.dimension("network").values)
        client = self.dimension("agent").values.get(agent)
        return is_own and client is not None and client.days >= RETURNS

    def _release(self, name: str, values: Sequence[str]) -> None:
        if values:  # a dimension without values would say more than none, see `share`
            known = self.dimensions.setdefault(name, ProfileDimension())
            self.waiting[name].move(values, known)
            known.trim(KEPT.get(name, VALUES))

    def advance(self, day: int) -> None:
        """Bring the profile to its state before `day`."""
        self.as_of = max(self.as_of, day - 1)

    def habit(self, name: str, value: str, today: int, let_in: bool = True) -> float:
        """On how many days a value came, as far as they make a habit: none of fewer than RETURNS do.

        What came on each day of a younger scope counts. `let_in`: days on which it was only refused make none.
        """
        seen = self.dimension(name).values.get(value)
        if seen is None:
            return 0.0
        days = self.times_let_in(name, value) if let_in else seen.days
        return seen.weight(today) * days / seen.days if days >= min(RETURNS, self.days) > 0 else 0.0

    def once(self, name: str, let_in: bool = True) -> int:
        """How many values of a dimension came on a single day; `let_in`: without those that were refused on it."""
        refused = self.dimension(REFUSED + name).once if let_in else 0
        return max(0, self.dimension(name).once - refused)

    def share(
        self, name: str, value: str, elsewhere: float, today: int, weight: Optional[float] = None, let_in: bool = True
    ) -> float:
        """Probability that an active day of this scope holds the value.

        The days on which it was seen, plus what is expected of news: `once + 1` values were seen on a single
        day, so among D days news is expected on (once + 1) / D of them (Good 1953, "The population frequencies
        of species"); which value it will be, `elsewhere` says. Without history it is `elsewhere`. `weight`: what the
        value counts, if not all its days (`habit`); `let_in` as in `once`: vain attempts make news no likelier.

        >>> Profile().share("action", "s3:GetObject", 0.25, 20000)
        0.25
        """
        dimension = self.dimensions.get(name)
        if dimension is None or not self.days:
            return elsewhere
        if weight is None:
            seen = dimension.values.get(value)
            weight = seen.weight(today) if seen is not None else 0.0
        share = (weight + (self.once(name, let_in) + 1) * elsewhere) / (self.days + 1)
        return share if share < 1.0 else 1.0


def is_human(traits: tuple[str, ...]) -> bool:
    """Whether the provider vouches that a person is at work: a console session, or MFA; not what a client writes."""
    return "console" in traits or "mfa" in traits


def surprisal(share: float) -> float:
    """Surprisal of a probability, in bits, to one decimal; at most 30.

    >>> surprisal(1.0), surprisal(0.25), surprisal(0.0)
    (0.0, 2.0, 30.0)
    """
    return 30.0 if share < 1e-9 else round(-log2(share), 1) + 0.0


TENANT = "tenant"
PEERS = "peer:"
"""Beginning of the scopes of peers."""


_ACCOUNT = "system:serviceaccount:"


def peer_scope(identity: Identity) -> str:
    """The scope of an identity's peers: its kind, and the first word of its name; of a cluster's account its namespace.

    >>> peer_scope(Identity("i", "arn:aws:iam::1:role/payments-api-7", "role", "aws", "1", ""))
    'peer:role:payments'
    >>> peer_scope(Identity("i", "system:serviceaccount:shop:api", "service_account", "kubernetes", "", ""))
    'peer:service_account:shop'
    """
    if identity.name.startswith(_ACCOUNT):
        return f"{PEERS}{identity.kind}:{identity.name[len(_ACCOUNT) :].partition(':')[0][:63]}"
    last = identity.name.rsplit("/", 1)[-1].lower()
    word = ""
    for letter in last:
        if letter.isalpha():
            word += letter
        elif len(word) > 2:
            break
        else:
            word = ""
    return f"{PEERS}{identity.kind}:{word[:24]}"


MAX_BUFFERED = 20_000
"""Profiles of identities that are held in memory: about 400 MB."""


class Profiles:
    """The profiles of all scopes before a day."""

    def __init__(self) -> None:
        self.own: dict[str, Profile] = {}
        """By identity id."""
        self.groups: dict[str, Profile] = {}
        """Of peers, and of the tenant as a whole."""

    def shed(self) -> None:
        """Forget identities' profiles when there are very many: a state has them."""
        if len(self.own) > MAX_BUFFERED:
            self.own.clear()


Lesson = tuple[Delta, Delta, str]
"""What an identity's day teaches at once, what only when it has come back, and the scope of its peers: "" where it
teaches no group."""


_SEPARATELY = ("action", f"{REFUSED}action", PLACE)
"""Dimensions of which each value must come back by itself."""


def teach(profile: Profile, day: int, now: Delta, later: Delta) -> None:
    """Fold a day into an identity's own profile."""
    profile.advance(day)
    profile.learn(day, {name: values for name, values in now.items() if name != SIGNAL})
    profile.hold(day, later)


class GroupDay:
    """One day of a group: of how many identities, and how many of them had each value."""

    def __init__(self) -> None:
        self.size = 0
        self.shares: dict[str, dict[str, list[int]]] = {name: {} for name in SHARED}
        """Dimension → value → identities, events."""

    def add(self, delta: Delta) -> None:
        """Count an identity; what was only refused to it is no habit of its peers."""
        self.size += 1
        for name, values in self.shares.items():
            refused = delta.get(REFUSED + name, ())
            for value, count in delta.get(name, {}).items():
                if value in refused:
                    continue
                share = values.setdefault(value, [0, 0])
                share[0] += 1
                share[1] += count


def learn_groups(groups: dict[str, Profile], day: int, lessons: Iterable[Lesson]) -> None:
    """Fold a day of all identities into the profiles of their peers and of the tenant."""
    members, own_counts = {TENANT: GroupDay()}, _TenantCounts()
    for now, _, scope in lessons:
        if not scope:
            continue
        for group in (TENANT, scope):
            members.setdefault(group, GroupDay()).add(now)
        own_counts.add(now, scope)
    for scope, member in members.items():
        groups.setdefault(scope, Profile()).learn_group(day, member)
    tenant = groups[TENANT]
    tenant.advance(day)
    tenant.learn(day, {SIGNAL: own_counts.counts}, 0)


class _TenantCounts:
    """Value of SIGNAL → identity-days, of a peer group ALIKE at most; every day is counted as a day."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._alike: dict[tuple[str, str], int] = {}

    def add(self, delta: Delta, scope: str) -> None:
        """Count an identity's day."""
        for value in delta.get(SIGNAL, ()):
            seen = self._alike[scope, value] = self._alike.get((scope, value), 0) + 1
            if seen <= ALIKE or value.endswith(EVERY):
                self.counts[value] = self.counts.get(value, 0) + 1


# ---- to and from plain values, for stores and lookups


def to_row(profile: Profile) -> list[Any]:
    """Plain lists that `from_row` turns into the same Profile."""
    dimensions, waiting = _plain(profile.dimensions), _plain(profile.waiting)
    return [profile.as_of, profile.days, profile.first, profile.last, profile.gaps, dimensions, waiting]


def _plain(dimensions: dict[str, ProfileDimension]) -> dict[str, dict[str, list[int]]]:
    return {
        name: {v: [s.days, s.count, s.first, s.last, s.top, s.peak] for v, s in dimension.values.items()}
        for name, dimension in sorted(dimensions.items())  # an empty one says more than none, see `share`
    }


def from_row(row: list[Any]) -> Profile:
    """The Profile that `to_row` wrote; what waited for a date in an earlier version starts waiting again."""
    profile = Profile()
    profile.as_of, profile.days, profile.first, profile.last, profile.gaps, dimensions, waiting = row
    profile.dimensions = _dimensions(dimensions)
    profile.waiting = _dimensions(waiting) if isinstance(waiting, dict) else {}
    return profile


def _dimensions(plain: dict[str, dict[str, list[int]]]) -> dict[str, ProfileDimension]:
    dimensions: dict[str, ProfileDimension] = {}
    for name, values in plain.items():
        dimension = dimensions[name] = ProfileDimension()
        dimension.values = {v: SeenValue(*numbers) for v, numbers in values.items()}
        dimension.once = sum(seen.days == 1 for seen in dimension.values.values())
    return dimensions


# ---- what a day teaches


class DayLesson(NamedTuple):
    """What one identity's day teaches: at once, and what only when it has come back."""

    now: Delta
    later: Delta


def lesson(behaviours: Iterable[tuple[Behaviour, bool]], networks: Networks = SHIPPED) -> DayLesson:
    """The delta of a day from its behaviours, each with whether it looks bad; no value is in both."""
    now: Delta = {}
    later: Delta = {}
    pairs = list(behaviours)
    _gather([b for b, bad in pairs if not bad], now, networks)
    _gather([b for b, bad in pairs if bad], later, networks)
    rest = {name: {v: n for v, n in values.items() if v not in now.get(name, ())} for name, values in later.items()}
    later = {name: values for name, values in rest.items() if values}
    if later:
        later[PLACE] = _places((b for b, bad in pairs if bad), networks)
    for name, refused in _refused([b for b, _ in pairs], networks).items():
        for delta in (now, later):
            refused_values = {v: n for v, n in delta.get(name, {}).items() if v in refused}
            if refused_values:
                delta[REFUSED + name] = refused_values
    return DayLesson(_capped(now), _capped(later))


def _places(behaviours: Iterable[Behaviour], networks: Networks) -> dict[str, int]:
    """Where behaviours came from, see `baseline.PLACE`."""
    places: dict[str, int] = {}
    for b in behaviours:
        facts = networks.facts(b.key.network)
        source = f"{facts.kind}:{facts.owner}"
        source = source if source.startswith(ANONYMOUS) else facts.owner or b.key.network
        if source:
            place = f"{source} {b.key.agent}"
            places[place] = places.get(place, 0) + b.count
    return places


def _refused(behaviours: list[Behaviour], networks: Networks) -> dict[str, set[str]]:
    """Dimension of REFUSABLE → its values of a day that never came with a success."""
    refused = [b for b in behaviours if b.key.outcome in REFUSALS]
    if not refused:
        return {}
    by_name: Delta = {}
    let: Delta = {}
    _gather(refused, by_name, networks)
    _gather([b for b in behaviours if b.key.outcome not in REFUSALS], let, networks)
    return {name: by_name[name].keys() - let.get(name, {}).keys() for name in REFUSABLE if name in by_name}


def _gather(behaviours: list[Behaviour], delta: Delta, networks: Networks) -> None:
    targets: set[str] = set()
    people: set[str] = set()
    hours: dict[str, int] = {}
    counts: dict[int, tuple[BehaviourKey, int]] = {}  # by id: hashing a shape takes longer than all else here
    taken = 0
    for b in behaviours:
        let_in = b.count if b.key.outcome not in REFUSALS else 0  # what is refused takes nothing, however often
        taken += let_in
        counts[id(b.key)] = (b.key, counts.get(id(b.key), _NONE)[1] + let_in)
        hours[_HOURS[b.hour % 24]] = hours.get(_HOURS[b.hour % 24], 0) + b.count
        targets.update(b.targets)
        if b.links and let_in:
            people.update(link for link in b.links if link.startswith(BEHALF))
    for key, count in counts.values():
        for name, value in facts(key, networks):
            values = delta.setdefault(name, {})
            values[value] = values.get(value, 0) + count
    if behaviours:
        delta.setdefault("act", {})[EVERY] = 1  # so that a profile distinguishes "never" from "not asked yet"
        delta["volume"] = {str(bucket(taken)): 1}
        delta["hour"] = hours
        delta["target"] = dict.fromkeys(sorted(targets), 1)
        if people:
            delta[BEHALF] = dict.fromkeys(sorted(people), 1)
        delta["targets"] = {str(bucket(max(len(targets), *(b.touched for b in behaviours)))): 1}


_HOURS = tuple(map(str, range(24)))
_NONE = (None, 0)


def facts(key: BehaviourKey, networks: Networks = SHIPPED) -> list[tuple[str, str]]:
    """What a behaviour's shape says in each dimension that it has."""
    facts = [
        ("action", key.action),
        ("service", key.service),
        ("access", key.access),
        ("region", key.region),
        ("network", key.network),
        ("owner", networks.facts(key.network).owner),
        ("agent", key.agent),
        ("credential_type", key.credential_type),
        ("credential", key.credential),
    ]
    if key.error:
        facts.append(("error", f"{key.action} {key.error}"))
    if is_human(key.traits):
        facts.append(("human", "yes"))
    if key.outcome == "success" and DONE_TO not in key.traits:
        operation = key.action.partition(":")[2]
        facts.extend(("act", act.kind) for act in actions.acts(key.service, operation, key.traits))
    return [(name, value) for name, value in facts if value]


def _capped(delta: Delta) -> Delta:
    capped = {}
    for name, values in delta.items():
        if len(values) > NEW_VALUES:
            top = sorted(values, key=lambda v: (-values[v], v))[:NEW_VALUES]
            values = {v: values[v] for v in top}
        capped[name] = values
    return capped
