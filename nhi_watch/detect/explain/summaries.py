"""The summary of a compromise: its first line, what links several identities, and the heaviest reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from nhi_watch.context.networks import Networks
from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.notable import clip
from nhi_watch.core.timestamps import render
from nhi_watch.detect.explain.reasons import Weighed, suspicious_calls
from nhi_watch.detect.history import short
from nhi_watch.detect.linking import NAMED
from nhi_watch.detect.scoring import Episode
from nhi_watch.detect.signals import times
from nhi_watch.state.baseline import Profile


def summary_of(episode: Episode, heavy: list[Weighed], suspicious: list[Behaviour], points: Mapping[int, float]) -> str:
    """The first line, of several identities also that of the oddest other one, then the heaviest reasons."""
    reasons = "; ".join(_reason(part, episode) for part in heavy[:3]) or "a combination of small deviations"
    lead, lines = episode.lead, [_line(episode.lead, suspicious, points)]
    if episode.members:
        lines.append(_linked(episode))
        part_of = {id(b): part for part in episode.members for b in part.view.behaviours()}
        others = (part_of[id(b)] for b in suspicious)
        lines += [
            _line(part, suspicious, points) for part in [next((p for p in others if p is not lead), None)] if part
        ]
    return f"{' '.join(lines)} Why: {reasons}."


def _reason(part: Weighed, episode: Episode) -> str:
    """The evidence, and whose it is where that is not the identity that leads."""
    is_other = part.identity is not None and part.identity != episode.identity
    return f"{part.evidence} ({short(part.identity)})" if is_other and part.identity else part.evidence


def _line(part: Episode, suspicious: Sequence[Behaviour], points: Mapping[int, float]) -> str:
    """The first line of one identity: what of the unusual calls it made, else what is unusual by itself."""
    baseline, own = part.view.baseline, part.view.behaviours()
    mine = {id(b) for b in own}
    own_suspicious = [b for b in suspicious if id(b) in mine] or suspicious_calls(own, points)
    who = f"{part.identity.kind.replace('_', ' ').capitalize()} {short(part.identity)}"
    among = sum(b.count for b in own)
    return first_line(clip(who, 120), own_suspicious, baseline.own, baseline.networks, among, baseline.tenant)


def _linked(episode: Episode) -> str:
    """Which identities the intrusion went through, in order, and what links the first two."""
    shown = [part.identity for part in episode.members[:6]]
    names = " → ".join(clip(f"{identity.provider} {short(identity)}", 80) for identity in shown)
    more = len(episode.members) - 6
    return f"One intrusion across {names}{f' and {more} more' if more > 0 else ''}.{why_linked(episode)}"


def why_linked(episode: Episode) -> str:
    """What the records of two of them share, for the first link."""
    if not episode.links:
        return ""
    link, named = episode.links[0], {part.identity.id: short(part.identity) for part in episode.parts}
    source, other = (clip(named.get(name, name), 80) for name in (link.source, link.target))
    if link.kind == NAMED:
        return f" Linked because {source} touched {clip(link.value, 80)}, a name of {other}, unusual within the hour."
    what = f"{_LINKS.get(link.kind, link.kind)} {clip(link.value, 80)}"
    return f" Linked because the records of {source} and {other} both contain the {what}."


_LINKS = {"sp": "service principal", "arn": "ARN", "oidc": "OIDC subject", "host": "address"}
"""Kind of a link, where people call it something else."""


# ---- the first line: who did what, from where, how that differs, and whether it worked

_ADDRESSES = 2
_CALLS = 2
_FEW = 3
_MOSTLY = 0.8
"""Share of refused calls from which it looks like probing."""


def first_line(
    who: str,
    suspicious: Sequence[Behaviour],
    own: Profile,
    networks: Networks,
    among: int = 0,
    tenant: Optional[Profile] = None,
) -> str:
    """One sentence for readers who have ten seconds.

    `suspicious`: most points first; never empty; `among`: all calls of the day; `tenant`: what others do.
    """
    history = f"{times(own.days, 'active day')} of history" if own.days else "never seen before"
    calls = sum(b.count for b in suspicious)
    refused = sum(b.count for b in suspicious if b.key.outcome == "denied")
    worked = sum(b.count for b in suspicious if b.key.outcome == "success")
    sentence = f"{who} ({history}) made {times(calls, 'unusual call')}{f' among {among:,}' if among > calls else ''}"
    did = f"{sentence} {_when(suspicious)}, {_outcome(calls, refused, worked)}: {_names(suspicious)}"
    parts = [did, _where(suspicious, own, networks, tenant or Profile()), _client(suspicious, own)]
    return "; ".join(part for part in parts if part) + "." + _meaning(calls, refused, worked)


def _when(suspicious: Sequence[Behaviour]) -> str:
    first, last = render(min(b.first for b in suspicious)), render(max(b.last for b in suspicious))
    hours = list(dict.fromkeys((first[11:16], last[11:16])))
    return f"on {first[:10]} {'from' if hours[1:] else 'at'} {' to '.join(hours)} UTC"


def _outcome(calls: int, refused: int, worked: int) -> str:
    """How the calls ended; the rest failed for other reasons than a lack of permission."""
    counts = [(worked, "worked"), (refused, "refused"), (calls - refused - worked, "failed")]
    counted = [(count, how) for count, how in counts if count]
    if calls == 1:
        return "which was refused" if refused else f"which {counted[0][1]}"
    if len(counted) == 1:
        return f"all {counted[0][1]}"
    return ", ".join(f"{count:,} {how}" for count, how in counted)


def _names(suspicious: Sequence[Behaviour]) -> str:
    """The calls with most points; what worked goes first."""
    ordered = sorted(suspicious, key=lambda b: b.key.outcome != "success")
    return _some([b.key.action for b in ordered], _CALLS)


def _where(suspicious: Sequence[Behaviour], own: Profile, networks: Networks, tenant: Profile) -> str:
    """Full addresses, who runs them, and whether the identity was there before."""
    placed = [b for b in suspicious if b.key.network]
    if not placed:
        return ""
    known = own.dimension("network").values if own.days else {}
    new = [b for b in placed if b.key.network not in known]
    usual = [b for b in placed if b.key.network in known]
    groups = [part for part in (new, usual) if part]
    return f"from {' and from '.join(_placed(part, own, networks, tenant) for part in groups)}"


def _placed(alike: Sequence[Behaviour], own: Profile, networks: Networks, tenant: Profile) -> str:
    addresses = [b.addresses[0] if b.addresses else b.key.network for b in alike]
    network = alike[0].key.network
    owner = networks.facts(network).owner
    named = f"{clip(owner, 40)}, " if owner and "/" not in owner and owner not in addresses[0] else ""
    return f"{_some(addresses, _ADDRESSES)} ({named}{_new_place(network, owner, own)}{_others(network, own, tenant)})"


def _others(network: str, own: Profile, tenant: Profile) -> str:
    """That others of the tenant use a network that is new to this identity: the office, or a colleague's home."""
    seen = tenant.dimension("network").values.get(network)
    if seen is None or network in own.dimension("network").values:
        return ""
    return f"; others used it on {seen.days:,} of {times(tenant.days, 'identity day')} of this tenant"


def _new_place(network: str, owner: str, own: Profile) -> str:
    if not own.days:
        return "its first network"
    if network in own.dimension("network").values:
        return "a network that it uses"
    seen = own.dimension("owner").values.get(owner)
    if seen is None:
        return "never used by it before"
    return f"new network; operator seen on {seen.days:,} of {times(own.days, 'active day')}"


def _client(suspicious: Sequence[Behaviour], own: Profile) -> str:
    agents = [b.key.agent for b in suspicious if b.key.agent]
    known = own.dimension("agent").values
    new = [agent for agent in agents if agent not in known] if own.days else []
    if not agents:
        return ""
    return f"new client {_some(new, 2)}" if new else f"client {_some(agents, 2)}{' as usual' if own.days else ''}"


def _meaning(calls: int, refused: int, worked: int) -> str:
    """What that looks like, where the share that was refused shows it."""
    if calls < _FEW or refused < _MOSTLY * calls:
        return ""
    return f" {'Little' if worked else 'Nothing'} of that went through: somebody is probing, or a deployment is broken."


def _some(names: Iterable[str], most: int) -> str:
    """The first distinct names, and how many more there are.

    >>> _some(["a", "b", "a", "c", "d"], 2)
    'a, b and 2 more'
    """
    distinct = list(dict.fromkeys(names))
    shown = [clip(name, 80) for name in distinct[:most]]
    more = len(distinct) - most
    return f"{', '.join(shown)} and {more} more" if more > 0 else " and ".join(shown)
