"""What signals look at: one behaviour's shape, or one episode, against the past of its identity.

Each *bits* number says how surprising a value is for this identity, given its peers, the tenant and the
world: 2 bits happen on every fourth active day and count as ordinary, so they are cut to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Optional

from nhi_watch.context import actions
from nhi_watch.context.networks import SHIPPED, Networks
from nhi_watch.core.behaviour import ORDER, Behaviour, Shape
from nhi_watch.core.event import DONE_TO, Identity
from nhi_watch.state.baseline import HISTORY, REFUSALS, Profile, bits, is_human

ORDINARY = 2.0
"""Bits below this are no news."""
NOVEL = 5.0
"""Bits from which a value is called new in evidence and counted by episode signals."""

KNOWN_DAYS = 7
"""Active days from which a history says how an identity is used."""

Elsewhere = Callable[[str, str], float]


class Past(NamedTuple):
    """What is known on the eve of a day."""

    today: int
    own: Profile
    elsewhere: Elsewhere
    """(dimension, value) → probability of it on an active day of a peer."""
    tenant: Profile
    world: Elsewhere = lambda dimension, value: 0.3
    """The same of any identity anywhere; what ships with the model."""
    networks: Networks = SHIPPED

    def tenant_bits(self, dimension: str, value: str) -> float:
        """Surprisal of a value for the tenant as a whole: is it new only here, or to everybody?"""
        share = self.tenant.share(dimension, value, self.world(dimension, value), self.today)
        return bits(share) if value else 0.0

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
        share = self.own.share(dimension, value, self.elsewhere(dimension, value), self.today, habit)
        surprise = bits(share)
        return surprise if surprise >= ORDINARY else 0.0

    @property
    def blank(self) -> bool:
        """Whether nothing at all was learnt yet: then only the world's habits can be told."""
        return not self.own.days and not self.tenant.days


class Facts(NamedTuple):
    """What the shipped tables say of a call."""

    classes: frozenset[str]
    tactics: tuple[str, ...]
    acts: tuple[actions.Act, ...] = ()


@lru_cache(maxsize=4096)
def facts(service: str, action: str, traits: tuple[str, ...] = ()) -> Facts:
    """Sensitivity classes, tactics and acts of an action `service:Operation`; what others did to it is no act."""
    operation = action.partition(":")[2]
    acts = () if DONE_TO in traits else actions.acts(service, operation, traits)
    return Facts(frozenset(actions.sensitivity(service, operation)), actions.tactics(service, operation), acts)


class View:
    """One shape in the light of the past. Unknown (None) where nothing was learnt yet."""

    __slots__ = ("action", "agent", "behaviours", "credential", "credential_type", "error", "facts", "network",
                 "network_facts", "owner", "past", "points", "region", "service", "shape", "values")  # fmt: skip

    def __init__(self, shape: Shape, past: Past) -> None:
        self.shape = shape
        let_in = shape.outcome not in REFUSALS

        def bits(dimension: str, value: str) -> float:
            return past.bits(dimension, value, let_in)

        self.past = past
        self.facts = facts(shape.service, shape.action, shape.traits)
        self.network_facts = past.networks.facts(shape.network)
        # what others did to it is no habit of its own: is it usual in the tenant?
        passive = DONE_TO in shape.traits
        self.action = past.done_bits(shape.action) if passive else bits("action", shape.action)
        self.service = 0.0 if passive else bits("service", shape.service)
        self.error = bits("error", f"{shape.action} {shape.error}") if shape.error else 0.0
        self.behaviours: list[Behaviour] = []
        self.values: tuple[Optional[float], ...] = ()
        self.points = 0.0
        # where nothing was learnt yet, every place and tool would be new: that cannot be told
        blank = past.blank
        self.region = 0.0 if blank else bits("region", shape.region)
        self.network = 0.0 if blank else bits("network", shape.network)
        self.owner = 0.0 if blank else bits("owner", self.network_facts.owner)
        self.agent = 0.0 if blank else bits("agent", shape.agent)
        self.credential = 0.0 if blank else bits("credential", shape.credential)
        self.credential_type = 0.0 if blank else bits("credential_type", shape.credential_type)

    @property
    def quiet(self) -> bool:
        """Nothing in it is news, and nothing in it is a fact that signals look for."""
        return not (
            self.action or self.network or self.agent or self.error or self.region or self.owner
            or self.service or self.credential or self.credential_type or self.shape.traits
        )  # fmt: skip

    def new_targets(self, behaviour: Behaviour) -> list[str]:
        """Targets of one of its behaviours that the identity never touched; what was refused or failed touched none."""
        own, let_in = self.past.own, self.shape.outcome not in REFUSALS
        return [target for target in behaviour.targets if not own.knows("target", target, let_in)]

    @property
    def novel(self) -> bool:
        """Whether the call itself is new for this identity."""
        return self.action >= NOVEL

    @property
    def remote(self) -> bool:
        """Whether it came from somewhere, not from a service acting on somebody's behalf."""
        return bool(self.shape.network) and not self.shape.network.startswith("service:")


class EpisodeView(NamedTuple):
    """All of one identity's day, in the light of the past."""

    views: Sequence[View]
    """One per shape, each with its behaviours (one per hour)."""
    past: Past

    def behaviours(self) -> list[Behaviour]:
        """All behaviours, in order of time."""
        return sorted((b for v in self.views for b in v.behaviours), key=ORDER)

    def daily(self) -> dict[str, int]:
        """Action → events in the day."""
        counts: dict[str, int] = {}
        for view in self.views:
            action = view.shape.action
            counts[action] = counts.get(action, 0) + sum(b.count for b in view.behaviours)
        return counts


def known_days(episode: EpisodeView) -> int:
    """Active days from which an episode counts as a habit: of what is only done to an identity, as many as are asked.

    Who is seldom touched never has a history of its own; that others touch it now and then is a habit of the tenant.
    """
    passive = all(DONE_TO in view.shape.traits for view in episode.views)
    return max(KNOWN_DAYS, episode.past.own.days) if passive else episode.past.own.days


def is_person(identity: Identity, days: int) -> bool:
    """Whether a directory or the provider says that an identity is a person's: nothing that its holder can bring about.

    A console session, a second factor, a user agent or a session's name makes nobody a person: whoever holds a
    machine's key can have all of them. Nor does a name, before HISTORY days: who asks for a certificate chooses one.
    `days`: active ones before today.
    """
    return bool(identity.human) and (identity.human != BY_NAME or days >= HISTORY)


BY_NAME = "user_name"
"""Evidence that an identity is a person's that is nothing but its name."""


def by_hand(shape: Shape) -> bool:
    """Whether the record shows a person at work."""
    return is_human(shape.traits)

