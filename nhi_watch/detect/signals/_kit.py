"""A signal as a value, the decorators that make one, and what several signals share."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Mapping
from math import log2
from typing import Any, NamedTuple, Optional, TypeVar

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.notable import clip
from nhi_watch.detect.features import NOVEL, EpisodeView, View

KNOWN_DAYS = 3
"""Active days from which an identity's targets are known."""

Seen = TypeVar("Seen")
_MOVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


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
    """One sentence on why, without judging."""
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
    on_ordinary_days: bool = False
    """Of an episode signal: it may fire although every call and place is ordinary."""


def behaviour_signal(
    title: str, frameworks: tuple[str, ...], *, control: str, evidence: Callable[[View], str], **more: Any
) -> Callable[[Callable[[View], Optional[float]]], Signal]:
    """Of one behaviour's shape; an episode takes the largest of its views."""
    return _decorator("behaviour", evidence, title=title, frameworks=frameworks, control=control, backing=None, **more)


def episode_signal(
    title: str, frameworks: tuple[str, ...], *, control: str, evidence: Callable[[EpisodeView], str],
    backing: Callable[[EpisodeView], list[Behaviour]], **more: Any,
) -> Callable[[Callable[[EpisodeView], Optional[float]]], Signal]:  # fmt: skip
    """Of one identity's day."""
    return _decorator("episode", evidence, title=title, frameworks=frameworks, control=control, backing=backing, **more)


def linked_signal(
    title: str, frameworks: tuple[str, ...], *, control: str, evidence: Callable[[EpisodeView], str],
    backing: Callable[[EpisodeView], list[Behaviour]], **more: Any,
) -> Callable[[Callable[[EpisodeView], Optional[float]]], Signal]:  # fmt: skip
    """Of the views of several identities that are one intrusion; 0 for an identity that is alone."""
    return _decorator("linked", evidence, title=title, frameworks=frameworks, control=control, backing=backing, **more)


def _decorator(
    scope: str, evidence: Callable[[Seen], str], phrase: Optional[Callable[[Seen], str]] = None, **more: Any
) -> Callable[[Callable[[Seen], Optional[float]]], Signal]:
    def signal(value: Callable[[Seen], Optional[float]]) -> Signal:
        meaning, _, counts = inspect.cleandoc(value.__doc__ or "").rpartition("\n\n")
        return Signal(
            name=value.__name__, scope=scope, value=value, evidence=_one_line(evidence), meaning=meaning,
            phrase=_one_line(phrase) if phrase is not None else None,
            counts=" ".join(counts.split()), **more,
        )  # fmt: skip

    return signal


def _one_line(evidence: Callable[[Seen], str]) -> Callable[[Seen], str]:
    """Log values end up in sentences: what breaks lines or turns text round is replaced."""
    return lambda seen: _MOVING.sub("\N{REPLACEMENT CHARACTER}", evidence(seen))


def in_class(view: View, name: str) -> float:
    """How new the call is for the identity, if it belongs to a sensitivity class; else 0."""
    return view.action if name in view.facts.classes else 0.0


def on_mark(view: View, traits: frozenset[str]) -> float:
    """How new the call is for the identity, if it has one of some traits; else 0."""
    return view.action if traits.intersection(view.shape.traits) else 0.0


def marked(view: View, weights: Mapping[str, float]) -> float:
    """Weight of the heaviest trait, plus the bits by which the call is new; 0 without such a trait."""
    heaviest = max((weights.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return heaviest + view.action if heaviest else 0.0


def marks(view: View, weights: Mapping[str, float]) -> str:
    """The traits that have a weight, in words."""
    return ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in weights)


def place_news(view: View) -> float:
    """Bits by which the place is new for the identity: the operator of the network, or half of the network's own."""
    return max(view.owner, view.network / 2)


def unknown(view: View, dimension: str, value: str) -> float | None:
    """Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt."""
    if view.past.blank:
        return None
    return view.past.tenant_bits(dimension, value) if getattr(view, dimension) >= NOVEL else 0.0


def in_the_tenant(view: View, dimension: str, value: str) -> str:
    """How rare a value is in the tenant, in words."""
    return f"{value} is {rarity(view.past.tenant_bits(dimension, value))} in this tenant"


def first_used(episode: EpisodeView, name: str) -> list[tuple[str, Behaviour]]:
    """What calls of a sensitivity class aim at that the identity never touched, with the behaviour that does."""
    views = [view for view in episode.views if name in view.facts.classes]
    return [(target, b) for view in views for b in view.behaviours for target in view.new_targets(b)]


def first_used_value(episode: EpisodeView, name: str) -> float | None:
    """log2(1 + number of targets never touched before); None without history."""
    if episode.past.own.days < KNOWN_DAYS:
        return None
    return log2(1 + len({target for target, _ in first_used(episode, name)}))


def first_used_sentence(episode: EpisodeView, name: str, what: str) -> str:
    """How many and which."""
    targets = [bare(target) for target, _ in first_used(episode, name)]
    return f"{what} for the first time ({len(set(targets))}): {listing(targets, 2)}"


def call_sentence(view: View, what: str) -> str:
    """Says which call it was and how new it is."""
    tried = {"success": "", "denied": f" (refused: {view.shape.error})"}
    end = tried.get(view.shape.outcome, f" (failed: {view.shape.error})")
    return f"{view.shape.action}{end} {what}; {rarity(view.action)} for this identity"


def rarity(bits: float) -> str:
    """A surprisal in words.

    >>> rarity(0.0), rarity(4.0), rarity(10.0), rarity(30.0)
    ('ordinary', 'expected on 1 day in 16', 'expected on 1 day in 1,000', 'practically never expected')
    """
    if not bits:
        return "ordinary"
    if bits >= 12:  # a larger number would claim a precision that no history has
        return "practically never expected"
    days = 2.0**bits
    return f"expected on 1 day in {round(days):,}" if days < 100 else f"expected on 1 day in {_round(days):,}"


def _round(number: float) -> int:
    digits = len(str(int(number))) - 1
    return int(round(number, -digits))


def made_by(views: list[View], *, targets: bool = True) -> str:
    """Which calls how often, of what, from where and with which program, in words."""
    count = sum(b.count for b in behaviours_of(views))
    touched = [target for b in behaviours_of(views) for target in b.targets] if targets else []
    places = [view.network_facts.owner or view.shape.network for view in views if view.shape.network]
    agents = [view.shape.agent for view in views if view.shape.agent]
    told = listing([view.shape.action for view in views], 2) + (f" ({times(count, 'call')})" if count > 1 else "")
    told += f" of {listing(touched, 2)}" if touched else ""
    told += f" from {listing(places, 2)}" if places else ""
    told += f" with {listing(agents, 2)}" if agents else ""
    refused = all(view.shape.outcome != "success" for view in views)
    return f"{told}, refused" if refused else told


def bulk_phrase(views: list[View], count: int) -> str:
    """Bulk reads in a title: how many, the most frequent call, and of what and from which address that one was made."""
    calls, targets, places = Counter[str](), Counter[str](), Counter[str]()
    for view in views:
        calls[view.shape.action] += sum(b.count for b in view.behaviours)
    top = min(calls, key=lambda call: (-calls[call], call))
    for b in behaviours_of([view for view in views if view.shape.action == top]):
        targets.update(map(last_part, b.targets))
        places[b.addresses[0] if b.addresses else b.shape.network] += b.count
    often = ", most often " if len(calls) > 1 else ": "
    told = f"{times(count, f'bulk {read_word(views)}')}{often}{top}"
    return told + "".join(f"{word}{_most(names)}" for word, names in ((" of ", targets), (" from ", places))
                          if _most(names))  # fmt: skip


KEY_SERVICE = "kms"
"""Calls that use a key (`kms:Sign`) count as reads, for they change nothing; they read no data."""


def read_word(views: list[View]) -> str:
    """What one read is called; another word where only keys are used."""
    return "key use" if views and all(view.shape.service == KEY_SERVICE for view in views) else "read"


def _most(names: Counter[str]) -> str:
    """The most frequent, and how many more; of equally frequent ones the first by name.

    >>> _most(Counter(a=1, b=2)), _most(Counter(a=1))
    ('b (+1 more)', 'a')
    """
    ordered = sorted((name for name in names if name), key=lambda name: (-names[name], name))
    return clip(ordered[0], 40) + (f" (+{len(ordered) - 1} more)" if len(ordered) > 1 else "") if ordered else ""


def last_part(name: str) -> str:
    """What people call a role, an app, a bucket or a secret: the last part of its name.

    >>> last_part("arn:aws:iam::1:role/admin"), last_part("arn:aws:s3:::data"), last_part("https://x.example/")
    ('admin', 'data', 'https://x.example/')
    """
    rest = name.rpartition("/")[2] or name
    return rest.rpartition(":")[2] or rest if name.startswith("arn:") else rest


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


def behaviours_of(views: list[View]) -> list[Behaviour]:
    """The behaviours of some views."""
    return [b for view in views for b in view.behaviours]


def listing(values: list[str], most: int = 4) -> str:
    """Some values in words.

    >>> listing(["b", "a", "a"]), listing(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    distinct = sorted(set(values))
    more = len(distinct) - most
    return ", ".join(distinct[:most]) + (f" and {more} more" if more > 0 else "")


def above(views: list[View], name: str) -> list[View]:
    """The views in which one dimension (an attribute of View) is new."""
    return [view for view in views if getattr(view, name) >= NOVEL]
