"""The title of a compromise: who did what, how often and when it first succeeded, and from where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Optional

from nhi_watch.context.networks import Networks, spelled
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain.reasons import OF_VOLUME, Weighed
from nhi_watch.detect.history import short
from nhi_watch.detect.scoring import REASON_POINTS, Episode
from nhi_watch.detect.signals import NOVEL, SIGNALS, bulk_phrase, most_read, of_targets, times
from nhi_watch.state.baseline import REFUSALS

HEADLINES = [s.name for s in sorted(SIGNALS, key=lambda s: s.headline) if s.headline]
"""What people want to read in a title, in this order: what was done comes before how unusual it was."""
PLACES = [s.name for s in sorted(SIGNALS, key=lambda s: s.place) if s.place]


def title_of(episode: Episode, parts: list[Weighed], suspicious: Sequence[Behaviour]) -> str:
    """Who: what was done, and from where if the network is new; else the most unusual call.

    `suspicious`: most points first. Counts, times and networks are theirs alone: what is routine that day is in no
    title, unless nothing else is.
    """
    unusual = {id(b) for b in suspicious}
    parts = [_naming_call(_of_unusual(part, unusual), suspicious) for part in parts]
    reasons = {
        part.signal.name: part
        for part in parts
        if ((part.value or 0.0) >= NOVEL or part.points >= REASON_POINTS) and not _of_report(part)
    }
    routine = {name for name, part in reasons.items() if part.backing and unusual.isdisjoint(map(id, part.backing))}
    reasons = {name: part for name, part in reasons.items() if name not in routine} or reasons
    names = [name for name in HEADLINES if name in reasons and not reasons.keys() & _SAYS_MORE.get(name, frozenset())]
    names = _worded(sorted(names, key=lambda name: not _worked(reasons[name])), reasons)  # what succeeded comes first
    first = {id(b) for b in reasons[names[0]].backing} if names else set()
    names[1:] = [
        name
        for name in names[1:]
        if (names[0] in _HOW and name not in OF_VOLUME) or not first.issuperset(id(b) for b in reasons[name].backing)
    ]
    acts, more = [reasons[name] for name in names[:2]], list[str]()
    if not acts:
        act, more = _most_unusual(episode, parts, suspicious)
        acts = [act]
    what = [_done(act, act is acts[0]) for act in acts] + more
    for end in (_REFUSED, _FAILED):
        if len(what) > 1 and all(word.endswith(end) for word in what):
            what = [*(word.removesuffix(end) for word in what[:-1]), what[-1].replace("(tried,", "(both tried,")]
    networks = episode.view.baseline.networks
    placed = (reasons[name] for name in PLACES if name in reasons and reasons[name].points >= REASON_POINTS)
    sources = filter(None, (_place(part, acts[0].named, networks) for part in placed))
    where = "" if " from " in " ".join(what) else next(sources, "")
    return f"{_who(episode, acts[0].identity)}: {', '.join(what)}{where}"


def _of_unusual(part: Weighed, unusual: Set[int]) -> Weighed:
    """A reason by those of its calls that are unusual, where some are."""
    backing = [b for b in part.backing if id(b) in unusual]
    if not backing or len(backing) == len(part.backing):
        return part
    if part.signal.name in _READS:
        return part._replace(backing=backing, phrase=bulk_phrase(backing), named=most_read(backing))
    named = [b for b in part.named if id(b) in unusual]
    return part._replace(backing=backing, named=named or part.named)


def _naming_call(part: Weighed, suspicious: Sequence[Behaviour]) -> Weighed:
    """With the call, where the signal's title is only a category of calls."""
    if part.signal.phrase or part.signal.name in _HOW or not part.backing:
        return part
    backing = {id(b) for b in part.backing}
    named = _alike([b for b in suspicious if id(b) in backing] or part.backing)
    return part._replace(phrase=f"{part.phrase}: {_call(named)}", named=named)


def _most_unusual(
    episode: Episode, parts: Sequence[Weighed], suspicious: Sequence[Behaviour]
) -> tuple[Weighed, list[str]]:
    """The new call with most points, else any call with most, for a title where no signal says what was done; and how
    many more calls are new."""
    profiles = {id(b): part.view.baseline.own for part in episode.parts for b in part.view.behaviours()}
    new = [b for b in suspicious if not profiles[id(b)].knows("action", b.key.action, b.key.outcome not in REFUSALS)]
    named = _alike(new or suspicious)
    more = len({b.key.action for b in new} - {named[0].key.action})
    vehicle = next(part for part in parts if part.signal.name not in _REFUSALS)  # a refusal is to be said
    phrase = f"{'first-time' if new else 'unusual'} {_call(named)}"
    act = vehicle._replace(phrase=phrase, backing=named, named=named, identity=named[0].key.identity)
    return act, [times(more, "more new call")] if more else []


def _alike(calls: Sequence[Behaviour]) -> list[Behaviour]:
    """The first call that succeeded, else the first, with all others of that name by the same identity."""
    first = next((b for b in calls if b.key.outcome == "success"), calls[0])
    return [b for b in calls if (b.key.action, b.key.identity) == (first.key.action, first.key.identity)]


def _call(alike: Sequence[Behaviour]) -> str:
    return alike[0].key.action + of_targets(alike)


def _of_report(part: Weighed) -> bool:
    """Whether it rests on a scanner's reports of an exposed credential alone: a report of a public place is nothing
    that the identity shared."""
    is_report = bool(part.backing) and all("secret_alert" in b.key.traits for b in part.backing)
    return is_report and part.signal.name not in _HOW


_READS = ("mass_taking", "mass_by_stranger")
"""Signals that say in a title how much was read."""
_SAYS_MORE = {
    "secret_reading": {"secret_fan_out"},
    "model_invocation": {"model_changed", "llmjacking"},
    "spending": {"model_changed", "llmjacking", "cost_surge", "model_invocation"},
    "mass_taking": {"mass_by_stranger", "first_targets", "secret_fan_out"},
    "bulk": {"mass_taking", "mass_by_stranger", "first_targets"},
    "trust_change": {"powerful_grant"},
    "logging_tampered": {"grave_act"},
}
"""Signal → those that say the same in a title, and more of it."""


_HOW = frozenset({"quarantined", "exposed_credential", "human_use", "session_moved", "host_to_elsewhere", "llmjacking"})
"""Signals of how an identity was used: what was done stands beside them. Of what was done, one call is one act."""


def _who(episode: Episode, did: Optional[Identity]) -> str:
    """What the identity is and is called, and with whom it is linked: first with the one that acted."""
    others = [part.identity for part in episode.members if part.identity != episode.identity]
    others.sort(key=lambda identity: identity != did)
    names = [f"{_kind(identity)} {clip(short(identity), 80)}" for identity in (episode.identity, *others[:1])]
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return f"{names[0][:1].upper()}{names[0][1:]}{f' with {names[1]}' if others else ''}{more}"


def _kind(identity: Identity) -> str:
    kind = identity.kind.replace("_", " ") or "identity"
    return {"agent": "AI agent", "ai agent": "AI agent"}.get(kind, kind)


_SEVEREST = "severest_act"
_WITH_TARGETS = ("credential_creation", "app_consent", "app_changed", "grave_act")
"""Signals that say in a title to what or whom it was done."""


def _worded(names: list[str], reasons: Mapping[str, Weighed]) -> list[str]:
    """The severest act goes by the signal that names its target, where one is about the same calls."""
    if names[:1] != [_SEVEREST]:
        return names
    calls = {id(b) for b in reasons[_SEVEREST].backing}
    same = [name for name in _WITH_TARGETS if name in names and calls <= {id(b) for b in reasons[name].backing}]
    return [*same[:1], *(name for name in names if name not in (_SEVEREST, *same[:1]))] if same else names


def _done(part: Weighed, is_first: bool = False) -> str:
    """What was done, of the first act also how often and when it first succeeded; or that it was only tried."""
    phrase = clip(part.phrase, 140)
    worked = _succeeded(part.named) or _succeeded(part.backing)
    if not worked:
        refused = all(b.key.outcome == "denied" for b in part.backing)
        is_plain = part.signal.name in _REFUSALS or not part.backing
        return phrase if is_plain else phrase + (_REFUSED if refused else _FAILED)
    if not is_first:
        return phrase
    count = sum(b.count for b in worked)
    often = f" ({times(count, 'call')})" if count > 1 and not _NUMBER.search(phrase) else ""
    return f"{phrase}{often} at {render(min(b.first for b in worked))[11:16]}"


def _succeeded(calls: Iterable[Behaviour]) -> list[Behaviour]:
    return [b for b in calls if b.key.outcome == "success"]


def _worked(part: Weighed) -> bool:
    return not part.backing or bool(_succeeded(part.backing))


_NUMBER = re.compile(r"(?<!and )\b[\d,]+ ")
"""A count that the phrase has already; "and 2 more" is of names."""


_REFUSED = " (tried, refused)"
_FAILED = " (tried, failed)"
"""Said once where it is so of all acts of a title."""
_REFUSALS = frozenset({"permission_probing", "permission_test", "new_error"})
"""Signals of refusals: that they did not succeed goes without saying, and would be said of the rest."""


def _place(part: Weighed, acts: Sequence[Behaviour], networks: Networks) -> str:
    """From where, if the place is that of what the title says was done: `acts`."""
    own = {b.key.network for b in acts}
    first = next((b for b in part.backing if not own or b.key.network in own), None)
    if first is None or not first.key.network:
        return ""
    operator = spelled(networks.facts(first.key.network))
    if not operator or "/" in operator:  # nobody is known to run it: the address says more
        operator = next(iter(first.addresses), first.key.network)
    return f", from {operator}"
