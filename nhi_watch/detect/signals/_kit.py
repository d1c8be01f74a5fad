"""What signals look at, what makes one, and what several share.

They look at a `View` (one behaviour's shape) or an `EpisodeView` (one identity's day), against the identity's past.
Each *bits* number says how surprising a value is for this identity, given its peers, the tenant and the world: 2 bits
happen on every fourth active day and count as ordinary, so they are cut to 0.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from math import log2
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from nhi_watch.context import actions
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import ORDER, Behaviour, BehaviourKey
from nhi_watch.core.event import DONE_TO, Identity
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render_day
from nhi_watch.state.baseline import HISTORY, REFUSALS, Profile, is_human, surprisal

ORDINARY = 2.0
"""Bits below this are ordinary."""
NOVEL = 5.0
"""Bits from which a value is called new in evidence and counted by episode signals."""
KNOWN_DAYS = 3
"""Active days from which an identity's targets are known."""
ENOUGH = 7
"""Active days from which a history says how an identity is used."""

Elsewhere = Callable[[str, str], float]


ANONYMOUS = frozenset({"tor", "bad", "vpn"})
"""Kinds of networks that hide who is there, or are known to be bad: they are a fact whatever was seen before."""
MACHINES, OUTSIDE = frozenset({"hosting", "private"}), frozenset({"isp", "mobile", "tor", "bad", "vpn"})
"""Kinds of networks in which machines work, and from which people do: one session belongs to one of them."""


class Baseline(NamedTuple):
    """What is known before a day."""

    today: int
    own: Profile
    elsewhere: Elsewhere
    """(dimension, value) → probability of it on an active day of a peer."""
    tenant: Profile
    world: Elsewhere = lambda dimension, value: 0.3
    """The same of any identity anywhere; what ships with the model."""
    networks: Networks = SHIPPED
    known: Optional[dict[tuple[str, str, bool], float]] = None
    """What `bits` said: a day's shapes ask most of it again."""

    def tenant_bits(self, dimension: str, value: str) -> float:
        """Surprisal of a value for the tenant as a whole: is it new only here, or to everybody?"""
        share = self.tenant.share(dimension, value, self.world(dimension, value), self.today)
        return surprisal(share) if value else 0.0

    def done_bits(self, action: str) -> float:
        """Surprisal, for the tenant, of what others do to an identity; 0 when it is ordinary."""
        surprise = self.tenant_bits("action", action)
        return surprise if surprise >= ORDINARY else 0.0

    def bits(self, dimension: str, value: str, let_in: bool = True) -> float:
        """Surprisal of a value; 0 when it is ordinary or empty. `let_in`: of a call that was, see `Profile.habit`."""
        if not value:
            return 0.0
        habit = self.own.habit(dimension, value, self.today, let_in)
        if habit and 4.0 * habit >= self.own.days + 1:
            return 0.0
        share = self.own.share(dimension, value, self.elsewhere(dimension, value), self.today, habit, let_in)
        surprise = surprisal(share)
        return surprise if surprise >= ORDINARY else 0.0

    @property
    def blank(self) -> bool:
        """Whether nothing at all was learnt yet: then only the world's habits are known."""
        return not self.own.days and not self.tenant.days


class CallFacts(NamedTuple):
    """What the shipped tables say of a call."""

    classes: frozenset[str]
    tactics: tuple[str, ...]
    acts: tuple[actions.Act, ...] = ()


@lru_cache(maxsize=4096)
def facts(service: str, action: str, traits: tuple[str, ...] = ()) -> CallFacts:
    """Sensitivity classes, tactics and acts of an action `service:Operation`; what others did to it is no act."""
    operation = action.partition(":")[2]
    acts = () if DONE_TO in traits else actions.acts(service, operation, traits)
    return CallFacts(frozenset(actions.sensitivity(service, operation)), actions.tactics(service, operation), acts)


class View:
    """One shape in the light of the past. Unknown (None) where nothing was learnt yet."""

    __slots__ = (
        "_new",
        "action",
        "agent",
        "baseline",
        "behaviours",
        "credential",
        "credential_type",
        "error",
        "facts",
        "key",
        "let_in",
        "network",
        "network_facts",
        "owner",
        "quiet",
        "region",
        "remote",
        "service",
        "values",
    )

    def __init__(self, key: BehaviourKey, baseline: Baseline) -> None:
        self.key = key
        let_in, known = key.outcome not in REFUSALS, baseline.known if baseline.known is not None else {}
        self.let_in = let_in
        """Whether it was neither refused nor failed."""
        self.remote = bool(key.network) and not key.network.startswith("service:")
        """Whether it came from somewhere, not from a service acting on somebody's behalf."""

        def bits(dimension: str, value: str) -> float:
            key = dimension, value, let_in
            surprise = known.get(key)
            if surprise is None:
                surprise = known[key] = baseline.bits(dimension, value, let_in)
            return surprise

        self.baseline = baseline
        self.facts = facts(key.service, key.action, key.traits)
        self.network_facts = baseline.networks.facts(key.network)
        # what others did to it is no habit of its own: is it usual in the tenant?
        passive = DONE_TO in key.traits
        self.action = baseline.done_bits(key.action) if passive else bits("action", key.action)
        self.service = 0.0 if passive else bits("service", key.service)
        self.error = bits("error", f"{key.action} {key.error}") if key.error else 0.0
        self.behaviours: list[Behaviour] = []
        self._new: dict[int, list[str]] = {}
        """By id of a behaviour: six signals ask for its new targets."""
        self.values: tuple[Optional[float], ...] = ()
        # where nothing was learnt yet, every place and tool would be new: the answer is None
        blank = baseline.blank
        self.region = 0.0 if blank else bits("region", key.region)
        self.network = 0.0 if blank else bits("network", key.network)
        self.owner = 0.0 if blank else bits("owner", self.network_facts.owner)
        self.agent = 0.0 if blank else bits("agent", key.agent)
        self.credential = 0.0 if blank else bits("credential", key.credential)
        self.credential_type = 0.0 if blank else bits("credential_type", key.credential_type)
        self.quiet = not (
            self.action
            or self.network
            or self.agent
            or self.error
            or self.region
            or self.owner
            or self.service
            or self.credential
            or self.credential_type
            or key.traits
            or self.network_facts.kind in ANONYMOUS
        )
        """Nothing in it is news, and nothing in it is a fact that signals look for."""

    def new_targets(self, behaviour: Behaviour) -> list[str]:
        """Targets of one of its behaviours that the identity never touched; what was refused or failed touched none."""
        new = self._new.get(id(behaviour))
        if new is None:
            new = self.baseline.own.unknown("target", behaviour.targets, self.let_in)
            self._new[id(behaviour)] = new
        return new

    def count_new_targets(self, behaviour: Behaviour) -> int:
        """How many they are, also where there are too many to keep each.

        The kept ones are a sample by hash. At least what exceeds the targets of any two days so far is new.
        """
        new, touched = len(self.new_targets(behaviour)), behaviour.touched
        if touched <= len(behaviour.targets):
            return new
        most = (1 << self.baseline.own.size_of_two_days("targets")) - 1
        return max(new, round(touched * new / len(behaviour.targets)), touched - max(most, len(behaviour.targets)))

    @property
    def novel(self) -> bool:
        """Whether the call itself is new for this identity."""
        return self.action >= NOVEL


class EpisodeView(NamedTuple):
    """All of one identity's day, in the light of the past."""

    views: Sequence[View]
    """One per shape, each with its behaviours (one per hour)."""
    baseline: Baseline

    def behaviours(self) -> list[Behaviour]:
        """All behaviours, in order of time."""
        return sorted((b for v in self.views for b in v.behaviours), key=ORDER)

    def daily(self) -> dict[str, int]:
        """Action → events in the day that were let in."""
        counts: dict[str, int] = {}
        for view in self.views:
            if view.let_in:
                counts[view.key.action] = counts.get(view.key.action, 0) + sum(b.count for b in view.behaviours)
        return counts


def known_days(episode: EpisodeView) -> int:
    """Active days from which an episode counts as a habit: of what is only done to an identity, as many as are asked.

    Who is seldom touched never has a history of its own; that others touch it now and then is a habit of the tenant.
    """
    passive = all(DONE_TO in view.key.traits for view in episode.views)
    return max(ENOUGH, episode.baseline.own.days) if passive else episode.baseline.own.days


def is_person(identity: Identity, days: int) -> bool:
    """Whether a directory or the provider says that an identity is a person's: nothing that its holder can bring about.

    A console session, a second factor, a user agent or a session's name makes nobody a person: anyone with a
    machine's key can have all of them. Nor does a name, before HISTORY days: who asks for a certificate chooses one.
    `days`: active ones before today.
    """
    return bool(identity.human) and (identity.human != BY_NAME or days >= HISTORY)


BY_NAME = "user_name"
"""Evidence that an identity is a person's that is nothing but its name."""


def by_hand(key: BehaviourKey) -> bool:
    """Whether the record shows a person at work."""
    return is_human(key.traits)


# ---- a signal


class Signal(NamedTuple):
    """One reason why a behaviour, an episode or several linked identities are unusual or risky."""

    name: str
    title: str
    """What people read above its bar."""
    scope: str
    """`behaviour`, `episode` or `linked`."""
    frameworks: tuple[str, ...]
    """Precise framework ids that it is evidence for."""
    control: str
    """The mandatory control that it calls for: `rotate_secret` or `reduce_privilege`."""
    value: Callable[..., Optional[float]]
    """0 is ordinary, larger is worse; None: cannot tell."""
    evidence: Callable[..., str]
    """One sentence on why, without a verdict."""
    backing: Optional[Callable[..., list[Behaviour]]]
    """Of episode and linked signals: the behaviours behind the value."""
    meaning: str
    counts: str
    """What the number is."""
    needs: tuple[str, ...] = ()
    """Fields of an Event (network, agent, region, credential) without which it cannot tell."""
    dimension: str = ""
    """The dimension of the baseline that its value is of; else it is about the call."""
    headline: int = 0
    """Its place among what people want to read in a title: what was done; 1 comes first."""
    place: int = 0
    """Its place among the signals that say in a title from where."""
    phrase: Optional[Callable[..., str]] = None
    """What a notable's title says of it, where that is more than the signal's title: names and numbers."""
    named: Optional[Callable[..., list[Behaviour]]] = None
    """The calls that the phrase names, where those are not all behind the value."""
    on_ordinary_days: bool = False
    """Of an episode signal: it may fire although every call and place is ordinary."""
    needs_history: bool = True
    """Whether its value is held against what was seen before. What needs no past counts in full on a first day."""
    becomes_habit: bool = True
    """Whether it may become ordinary: attack tools, anonymous networks and stopped logs never do."""


_MOVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
Seen = Any
"""A View or an EpisodeView, by the signal's scope."""
Value = Callable[[Seen], Optional[float]]
Phrase = Callable[[Seen], str]


def signal(scope: str, title: str, frameworks: tuple[str, ...], control: str, **more: Any) -> Callable[[Value], Signal]:
    """Makes a signal of the function that returns its value, see `Signal`."""

    def decorated(value: Value) -> Signal:
        meaning, _, counts = inspect.cleandoc(value.__doc__ or "").rpartition("\n\n")
        return build_signal(
            value.__name__, scope, title, frameworks, control, value, meaning, " ".join(counts.split()), **more
        )

    return decorated


def build_signal(
    name: str,
    scope: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    value: Value,
    meaning: str,
    counts: str,
    evidence: Phrase,
    phrase: Optional[Phrase] = None,
    backing: Optional[Callable[[Seen], list[Behaviour]]] = None,
    **more: Any,
) -> Signal:
    """A signal whose sentences stay on one line, whatever a log holds."""
    single_line = _single_line(phrase) if phrase is not None else None
    return Signal(
        name,
        title,
        scope,
        frameworks,
        control,
        value,
        _single_line(evidence),
        backing,
        meaning,
        counts,
        phrase=single_line,
        **more,
    )


def _single_line(phrase: Phrase) -> Phrase:
    """Log values end up in sentences: what breaks lines or turns text round is replaced."""
    return lambda seen: _MOVING.sub("\N{REPLACEMENT CHARACTER}", phrase(seen))


# ---- signals of one kind, which differ by the rows of a table


def kind_of_call(
    name: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    does: str,
    meaning: str,
    traits: frozenset[str] = frozenset(),
    **more: Any,
) -> Signal:
    """Of calls of the sensitivity class that is named as the signal, or whose records have one of some traits."""

    def value(view: View) -> float:
        return view.action if name in view.facts.classes or not traits.isdisjoint(view.key.traits) else 0.0

    counts = "Bits by which the call is new for the identity, where it is of this kind."
    return build_signal(
        name,
        "behaviour",
        title,
        frameworks,
        control,
        value,
        meaning,
        counts,
        lambda view: call_sentence(view, does),
        **more,
    )


def new_value(
    name: str, title: str, frameworks: tuple[str, ...], control: str, noun: str, meaning: str, of: str, **more: Any
) -> Signal:
    """Of a dimension (an attribute of View) whose value is new for the identity; a place or a client always is in the
    beginning: then None."""
    always = of in ("action", "service")

    def value(view: View) -> float | None:
        bits: float = getattr(view, of)
        return bits if always or not view.baseline.blank else None

    def evidence(view: View) -> str:
        kind = f" ({view.network_facts.kind})" if of == "owner" else ""
        return f"{noun}{_value(view, of)}{kind}: {rarity(view, getattr(view, of), of, _value(view, of))}"

    counts = "Surprisal in bits." if always else "Surprisal in bits; None before there is any history."
    return build_signal(name, "behaviour", title, frameworks, control, value, meaning, counts, evidence, **more)


def unknown_value(
    name: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    noun: str,
    meaning: str,
    of: str,
    least: float = 0.0,
    **more: Any,
) -> Signal:
    """The same of a value that is new for the identity, and rare in the tenant: of `least` bits there."""

    def value(view: View) -> float | None:
        if view.baseline.blank:
            return None
        bits = view.baseline.tenant_bits(of, _value(view, of)) if getattr(view, of) >= NOVEL else 0.0
        return bits if bits >= least else 0.0

    def evidence(view: View) -> str:
        return f"{noun} {_value(view, of)}: {_rarity_in_tenant(view.baseline, of, _value(view, of))}"

    counts = "Surprisal in bits for the tenant, where it is new for the identity; None before there is any history."
    return build_signal(name, "behaviour", title, frameworks, control, value, meaning, counts, evidence, **more)


def _value(view: View, of: str) -> str:
    return view.network_facts.owner if of == "owner" else str(getattr(view.key, of))


Named = list[tuple[str, Behaviour]]
"""Things that a day shows, each with a behaviour that shows it."""


def counted(
    name: str,
    title: str,
    frameworks: tuple[str, ...],
    control: str,
    says: str,
    meaning: str,
    counts: str,
    names_of: Callable[[EpisodeView], Named],
    cold: Callable[[EpisodeView], bool] = lambda episode: False,
    scale: Callable[[int], float] = lambda number: log2(1 + number),
    most: int = 4,
    number: Callable[[EpisodeView], int] = lambda episode: 0,
    **more: Any,
) -> Signal:
    """Of how many different things a day shows: `scale` of their number, None while the past is `cold`.

    `number`: how many there are where `names_of` need not name all of them.
    """

    def size(episode: EpisodeView) -> int:
        return max(number(episode), len({name for name, _ in names_of(episode)}))

    def evidence(episode: EpisodeView) -> str:
        names = [bare(name) for name, _ in names_of(episode)]
        return f"{says} ({size(episode)}): {listing(names, most, size(episode))}"

    def value(episode: EpisodeView) -> float | None:
        return None if cold(episode) else scale(size(episode))

    return build_signal(
        name,
        "episode",
        title,
        frameworks,
        control,
        value,
        meaning,
        counts,
        evidence,
        backing=lambda episode: [b for _, b in names_of(episode)],
        **more,
    )


def is_blank(episode: EpisodeView) -> bool:
    """Whether nothing at all was learnt yet."""
    return episode.baseline.blank


def is_young(episode: EpisodeView) -> bool:
    """Whether the targets of the identity are not known yet."""
    return episode.baseline.own.days < KNOWN_DAYS


def calls_of(views: Iterable[View]) -> Named:
    """The calls of some views."""
    return [(view.key.action, b) for view in views for b in view.behaviours]


def first_used(episode: EpisodeView, name: str) -> Named:
    """What calls of a sensitivity class aim at that the identity never touched."""
    views = [view for view in episode.views if name in view.facts.classes]
    return [(target, b) for view in views for b in view.behaviours for target in view.new_targets(b)]


def most_new(views: Iterable[View]) -> int:
    """The most targets never touched that one behaviour of some views has: each keeps only a sample of too many."""
    return max((view.count_new_targets(b) for view in views for b in view.behaviours), default=0)


# ---- what several share


def heaviest(view: View, weights: Mapping[str, float]) -> float:
    """The weight of the heaviest trait; 0 without any that has one."""
    traits = view.key.traits
    return max([weights.get(trait, 0.0) for trait in traits]) if traits else 0.0


def marked(view: View, weights: Mapping[str, float]) -> float:
    """Weight of the heaviest trait, plus the bits by which the call is new; 0 without such a trait."""
    weight = heaviest(view, weights)
    return weight + view.action if weight else 0.0


def in_words(view: View, weights: Iterable[str], called: Mapping[str, str] = MappingProxyType({})) -> str:
    """The traits that have a weight, in words; `called`: what people call some of them."""
    names = (trait for trait in view.key.traits if trait in weights)
    return ", ".join(called.get(name, name.replace("_", " ")) for name in names)


def place_novelty(view: View) -> float:
    """Bits by which the place is new for the identity: the operator of the network, or half of the network's own."""
    return max(view.owner, view.network / 2)


def place_rarity(view: View) -> str:
    """How usual the place is, by the part of it that is the news."""
    if view.owner >= view.network / 2:
        return rarity(view, view.owner, "owner", view.network_facts.owner)
    return rarity(view, view.network, "network", view.key.network)


def call_sentence(view: View, what: str) -> str:
    """Says which call it was and how new it is."""
    tried = {"success": "", "denied": f" (refused: {view.key.error})"}
    end = tried.get(view.key.outcome, f" (failed: {view.key.error})")
    return f"{view.key.action}{end} {what}; {rarity(view, view.action, 'action', view.key.action)}"


def rarity(view: View, surprise: float, of: str = "", value: str = "") -> str:
    """How usual a value of a dimension is for the identity, and the history that says so."""
    own = view.baseline.own
    if not surprise:
        return "ordinary for this identity"
    if of == "action" and DONE_TO in view.key.traits:  # what others did to it
        return _rarity_in_tenant(view.baseline, of, value)
    if not own.days:
        return f"{expected(surprise)} for a new identity"
    history = f"{times(own.days, 'active day')} of this identity"
    seen = own.dimension(of).values.get(value)
    if seen is None:
        return f"not seen in {history}" + (f" ({expected(surprise)})" if surprise < _RAREST else "")
    only = "only refused before, " if view.let_in and not own.times_let_in(of, value) else ""
    return f"{only}seen on {seen.days:,} of {history}, last on {render_day(seen.last)}"


def _rarity_in_tenant(baseline: Baseline, of: str, value: str) -> str:
    """The same for the tenant, whose days are those of its identities together."""
    seen = baseline.tenant.dimension(of).values.get(value)
    history = f"{times(baseline.tenant.days, 'identity day')} of this tenant"
    return f"seen on {seen.days:,} of {history}" if seen is not None else f"not in the baseline of {history}"


_RAREST = 12
"""Bits from which a number of days would claim a precision that no history has."""


def expected(surprise: float) -> str:
    """A surprisal in words.

    >>> expected(4.0), expected(10.0), expected(30.0)
    ('expected on 1 day in 16', 'expected on 1 day in 1,000', 'expected on less than 1 day in 4,000')
    """
    if surprise >= _RAREST:
        return "expected on less than 1 day in 4,000"
    days = 2.0**surprise
    return f"expected on 1 day in {round(days):,}" if days < 100 else f"expected on 1 day in {_round(days):,}"


def _round(number: float) -> int:
    digits = len(str(int(number))) - 1
    return int(round(number, -digits))


def calls_in_words(views: list[View], *, targets: bool = True) -> str:
    """Which calls how often, of what, from where and with which program, in words."""
    count = sum(b.count for b in behaviours_of(views))
    touched = [target for b in behaviours_of(views) for target in b.targets] if targets else []
    places = [view.network_facts.owner or view.key.network for view in views if view.key.network]
    agents = [view.key.agent for view in views if view.key.agent]
    calls = listing([view.key.action for view in views], 2) + (f" ({times(count, 'call')})" if count > 1 else "")
    calls += f" of {listing(touched, 2)}" if touched else ""
    calls += f" from {listing(places, 2)}" if places else ""
    calls += f" with {listing(agents, 2)}" if agents else ""
    refused = all(view.key.outcome != "success" for view in views)
    return f"{calls}, refused" if refused else calls


def bulk_phrase(reads: Sequence[Behaviour], count: int = 0) -> str:
    """Bulk reads in a title: how many, the most frequent call, and of what and from which address that one was made.

    `count`: how many, where that is not all of them.
    """
    top, calls = most_frequent(reads), {b.key.action for b in reads}
    often = ", most often " if len(calls) > 1 else ": "
    text = times(count or sum(b.count for b in reads), f"bulk {read_word(reads)}") + often + top[0].key.action
    target, address = _most(Counter(touched_names(top)), "target"), _most(_sources(top), "address")
    return text + (f" of {target}" if target else "") + (f" from {address}" if address else "")


def most_read(reads: Sequence[Behaviour]) -> list[Behaviour]:
    """The reads that `bulk_phrase` names: the most frequent call, from its most frequent address."""
    top = most_frequent(reads)
    places = _sources(top)
    address = min(places, key=lambda place: _by_frequency(places, place))
    return [b for b in top if _source(b) == address]


def most_frequent(behaviours: Sequence[Behaviour]) -> list[Behaviour]:
    """Those of the call that was made most often, of several the first by name."""
    calls = Counter[str]()
    for b in behaviours:
        calls[b.key.action] += b.count
    top = min(calls, key=lambda call: _by_frequency(calls, call))
    return [b for b in behaviours if b.key.action == top]


def _source(b: Behaviour) -> str:
    return b.addresses[0] if b.addresses else b.key.network


def _sources(reads: Sequence[Behaviour]) -> Counter[str]:
    places = Counter[str]()
    for b in reads:
        places[_source(b)] += b.count
    return places


def _by_frequency(counts: Counter[str], name: str) -> tuple[bool, int, str]:
    """Sorts the most frequent first, of equally frequent ones the first by name, and what has no name last."""
    return not name, -counts[name], name


KEY_SERVICE = "kms"
"""Calls that use a key (`kms:Sign`) count as reads, for they change nothing; they read no data."""


def read_word(reads: Sequence[View | Behaviour]) -> str:
    """What one read is called; another word where only keys are used."""
    return "key use" if reads and all(each.key.service == KEY_SERVICE for each in reads) else "read"


def _most(names: Counter[str], what: str) -> str:
    """The most frequent, and how many more; of equally frequent ones the first by name.

    >>> _most(Counter(a=1, b=2), "target"), _most(Counter(a=1), "target"), _most(Counter(a=1, b=2, c=1), "address")
    ('b (+1 target)', 'a', 'b (+2 addresses)')
    """
    ordered = sorted(filter(None, names), key=lambda name: _by_frequency(names, name))
    more = len(ordered) - 1
    plural = "" if more == 1 else "es" if what.endswith("s") else "s"
    return clip(ordered[0], 40) + (f" (+{more} {what}{plural})" if more > 0 else "") if ordered else ""


def last_part(name: str) -> str:
    """What people call a role, an app, a bucket or a secret: the last part of its name.

    >>> last_part("arn:aws:iam::1:role/admin"), last_part("arn:aws:s3:::data"), last_part("https://x.example/")
    ('admin', 'data', 'https://x.example/')
    """
    rest = name.rpartition("/")[2] or name
    return rest.rpartition(":")[2] or rest if name.startswith("arn:") else rest


_STEPS = re.compile(r"[.:/]")


def touched_names(behaviours: Iterable[Behaviour]) -> list[str]:
    """What people call the targets, without those that are only the path of the call itself (`auth/token/create`)."""
    return [
        last_part(target)
        for b in behaviours
        for target in b.targets
        if "/" not in target or not {*_STEPS.split(b.key.action)}.issuperset(target.strip("/").split("/"))
    ]


def of_targets(behaviours: Iterable[Behaviour]) -> str:
    """What calls touched, to stand behind their names; "" where they touched nothing."""
    touched = touched_names(behaviours)
    return f" of {listing(touched, 1)}" if touched else ""


def bare(name: str) -> str:
    """An ARN without its first five parts, which are the same for all of an account.

    >>> bare("arn:aws:secretsmanager:eu-west-1:1:secret:d/chat"), bare("bucket-a")
    ('secret:d/chat', 'bucket-a')
    """
    return name.split(":", 5)[5] if name.startswith("arn:") and name.count(":") > 4 else name


def times(count: int, what: str) -> str:
    """A count and what is counted.

    >>> times(1, "active day"), times(1200, "call")
    ('1 active day', '1,200 calls')
    """
    return f"{count:,} {what}{'s'[: count != 1]}"


def novel_views(episode: EpisodeView) -> list[View]:
    """Views of calls that are new for the identity."""
    return [view for view in episode.views if view.novel]


def apart(episode: EpisodeView, of: Callable[[View], str]) -> list[View]:
    """Views of sessions that were used with several of something."""
    pairs = [(view, of(view)) for view in episode.views if view.remote]
    if len({value for _, value in pairs if value}) < 2:  # most days: no need to go through their sessions
        return []
    by_session: dict[str, dict[str, View]] = {}
    for view, value in pairs:
        sessions = {session for b in view.behaviours for session in b.sessions} if value else ()
        for session in sessions:
            by_session.setdefault(session, {})[value] = view
    return list({id(v): v for views in by_session.values() if len(views) > 1 for v in views.values()}.values())


def scattered(episode: EpisodeView) -> bool:
    """Whether one session of a machine was used where machines work, and where people do."""
    return any(not view.key.identity.human for view in apart(episode, _side))


def _side(view: View) -> str:
    kind = view.network_facts.kind
    return "machines" if kind in MACHINES else "outside" if kind in OUTSIDE else ""


def behaviours_of(views: list[View]) -> list[Behaviour]:
    """The behaviours of some views."""
    return [b for view in views for b in view.behaviours]


def listing(values: list[str], most: int = 4, of: int = 0) -> str:
    """Some values in words; `of`: how many there are, where that is more.

    >>> listing(["b", "a", "a"]), listing(list("abcdef")), listing(["a", "b"], 1, 600)
    ('a, b', 'a, b, c, d and 2 more', 'a and 599 more')
    """
    distinct = sorted(set(values))
    more = max(of, len(distinct)) - most
    return ", ".join(distinct[:most]) + (f" and {more} more" if more > 0 else "")
