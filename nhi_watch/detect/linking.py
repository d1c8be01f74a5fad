"""Identity links: which identities of a day are one intrusion, each with the records that prove it.

A proof is a *handle*: a text that the records of both identities hold. Two kinds count:

- names: what several logs call the same actor, such as an application's id or a token's subject (`Event.links`,
  and for AWS the identity's own ARN or subject)
- credentials: one identity's record handed it out (`Event.issued`), another's unusual records were made with it
- names of what was touched: one identity's records have as their target the identity of another product (a secret under
  its name, a storage account, the repository of its pipeline), and that one is unusual within the hour. Not people:
  others work on their accounts every day, and people do new things every day

Links alone prove nothing bad: a deploy hands sessions to every role. So only episodes that are unusual themselves are
joined, a credential counts only where the unusual calls were made with it, and a handle that many share proves nothing.
An ordinary identity may stand between two, as a workload does that only swaps its token for a role's session.

Names are not identities: an ARN that two identities of one day own (deleted and made again) joins nobody, unless one
of the two is that name, in a log that knows no ids.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from nhi_watch.core.behaviour import Behaviour
from nhi_watch.core.event import BEHALF, Identity
from nhi_watch.detect.ranking import FLOOR
from nhi_watch.detect.scoring import NOVELTY_POINTS, Episode, Link, features_together, values_together
from nhi_watch.detect.signals import EpisodeView
from nhi_watch.state.state import Handles, Trace

HOLDERS = 8
"""A handle that more identities of a day hold is a shared thing (a gateway's address, a hub), no proof."""
GIVEN = 1_000
"""Handed-out credentials that are remembered of an identity's day."""
NEAR = 3_600
"""Seconds within which a credential is used after it was read on a host, for the address to count as proof."""
CREDENTIAL = "credential"
UNOWNED = ("service", "anonymous")
"""Kinds that work for everybody: what they hand out says nothing of who asked."""
HOST = "host"
NAMED = "named"
SHORTEST = 5
"""Letters of a name that is distinguished from a word."""
REUSED = ("arn", "name")
"""Kinds of names that another may have had before: two owners in one day, and they prove nothing."""


class Group(NamedTuple):
    """The identities of one intrusion."""

    lead: str
    """Of those that may lead, the one that was unusual first: it gives the notable its id."""
    members: tuple[str, ...]
    """By their first unusual call; the lead is one of them."""
    links: tuple[Link, ...]


def trace_of(episode: Episode, eligible: bool) -> Optional[Trace]:
    """What an episode holds for links; None where it can have no part in any."""
    if episode.identity.kind in UNOWNED:
        return None
    novel = _novel_behaviours(episode)
    behaviours = [b for view in episode.view.views for b in view.behaviours]
    telling = novel or any(b.issued or _names(b) for b in behaviours)
    if not telling:
        return None
    own = _own_names(episode.identity)
    names = _handles((b, _names(b)) for b in behaviours)
    for name in (*own, *_owner(episode.identity)):
        names.setdefault(name, behaviours[0].record_ids[0])
    return Trace(
        episode.identity.id,
        eligible,
        min((b.first for b in novel), default=0),
        names,
        own,
        _handles((b, b.issued) for b in behaviours),
        _handles((b, _used(b)) for b in novel),
        _handles((b, b.addresses) for b in behaviours) if novel else {},
        _handles((b, _touched(b.targets)) for b in behaviours) if novel else {},
        episode.identity.is_person,
    )


def _names(behaviour: Behaviour) -> list[str]:
    """Without the people for whom it acts: they are not the actor."""
    return [link for link in behaviour.links if not link.startswith(BEHALF)]


def _novel_behaviours(episode: Episode) -> list[Behaviour]:
    """The behaviours that are unusual by themselves; all of them where only the whole day is."""
    if episode.likelihood < FLOOR:
        return []
    views = episode.view.views
    novel_views = [view for view in views if episode.bound.total(view.values) >= NOVELTY_POINTS]
    return [b for view in novel_views or views for b in view.behaviours]


def _own_names(identity: Identity) -> tuple[str, ...]:
    """What logs that do not know its id may call it.

    `arn:` and an ARN, `oidc:` and a subject; `name:`, its provider and its bare name, as others' alerts have it.
    """
    name = identity.name
    bare = f"name:{identity.provider}:{name.rpartition('/')[2].lower()}"
    if identity.kind == "web_identity":
        return f"oidc:{name}", bare
    return (f"arn:{name}", bare) if name.startswith("arn:") else (bare,)


_SHOWN = " (token)"


def _owner(identity: Identity) -> tuple[str, ...]:
    """The name of whose token it is: the same actor, whose records do not all name the token."""
    is_token = identity.kind == "token" and identity.name.endswith(_SHOWN)
    return (f"name:{identity.provider}:{identity.name[: -len(_SHOWN)].lower()}",) if is_token else ()


def _touched(targets: Iterable[str]) -> list[str]:
    """Names that an identity may have, of what a behaviour was about: the target, and the last part of it."""
    plain = map(_plain, targets)
    return sorted({name for value in plain for name in (value, value.rpartition("/")[2]) if len(name) >= SHORTEST})


def _called(trace: Trace) -> list[tuple[str, str]]:
    """What others' targets may call an identity, each with a record: its bare name, a pipeline's repository.

    A person is not called anything: an account that a help desk resets, or an app gets consent for, hands nothing over.
    """
    calls = []
    for handle in () if trace.is_person else trace.own:
        kind, _, value = handle.partition(":")
        if kind == "oidc":
            calls += [(_plain(part), trace.names[handle]) for part in value.split(":")[1:2] if "/" in part]
        elif kind == "name":
            calls.append((_plain(value.partition(":")[2].removeprefix("key of ")), trace.names[handle]))
    return calls


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _used(behaviour: Behaviour) -> list[str]:
    """Its credentials; in whose name it acted is none, for many may act in one."""
    credential = behaviour.key.credential
    sessions = [session for session in behaviour.sessions if not session.startswith("as:")]
    return [*sessions, credential] if credential else sessions


def _handles(pairs: Iterable[tuple[Behaviour, Sequence[str]]]) -> dict[str, str]:
    handles: dict[str, str] = {}
    for behaviour, texts in pairs:
        for text in texts:
            if len(handles) < GIVEN:
                handles.setdefault(text, behaviour.record_ids[0])
    return handles


def join(traces: Iterable[Trace]) -> list[Group]:
    """The groups of identities of a day that are one intrusion each; identities that are alone are left out.

    >>> ci = Trace("ci", True, 60, {}, (), {"ASIA1": "r1"}, {"AKIA": "r1"}, {})
    >>> role = Trace("role", True, 120, {}, (), {}, {"ASIA1": "r2"}, {})
    >>> [(group.lead, group.members) for group in join([role, ci])]
    [('ci', ('ci', 'role'))]
    """
    known = {trace.identity_id: trace for trace in sorted(traces, key=lambda t: t.identity_id)}
    forest, proofs = _Forest(known), _same_actor(known)
    forest.join(proofs)
    named = _named(known, _began(known, forest))
    forest.join(named)
    awake = {forest.root(name) for name, trace in known.items() if trace.first}
    handed = [link for link in _handed_over(known) if forest.root(link.source) in awake]
    proofs += [*named, *_same_credential(known), *_from_host(known), *handed]
    forest.join(proofs)
    groups = (_group([known[name] for name in tree], proofs) for tree in forest.trees())
    return [group for group in groups if group is not None]


class _Forest:
    """Disjoint sets of identity ids (Galler and Fischer 1964)."""

    def __init__(self, names: Iterable[str]) -> None:
        self._up = {name: name for name in names}

    def root(self, name: str) -> str:
        while self._up[name] != name:
            self._up[name] = self._up[self._up[name]]
            name = self._up[name]
        return name

    def join(self, links: Iterable[Link]) -> None:
        for link in links:
            low, high = sorted((self.root(link.source), self.root(link.target)))
            self._up[high] = low

    def trees(self) -> list[list[str]]:
        trees: dict[str, list[str]] = {}
        for name in self._up:
            trees.setdefault(self.root(name), []).append(name)
        return [names for names in trees.values() if len(names) > 1]


def _holders(traces: Iterable[tuple[str, Handles]]) -> dict[str, list[tuple[str, str]]]:
    """Handle → (identity id, record) of each that holds it; handles that prove nothing are left out."""
    holders: dict[str, list[tuple[str, str]]] = {}
    for name, handles in traces:
        for handle, record in handles.items():
            holders.setdefault(handle, []).append((name, record))
    return {handle: holders for handle, holders in holders.items() if len(holders) <= HOLDERS}


def _same_actor(known: Mapping[str, Trace]) -> list[Link]:
    """Links between identities that logs know under one name."""
    links = []
    for handle, holders in _holders((name, trace.names) for name, trace in known.items()).items():
        kind, _, value = handle.partition(":")
        owners = [name for name, _ in holders if handle in known[name].own]
        if kind != HOST and not (kind in REUSED and _owned_twice(handle, owners)):
            links += _links_of_handle(holders, kind, value)
    return links


def _same_credential(known: Mapping[str, Trace]) -> list[Link]:
    """Links between identities that made unusual calls with one credential, such as an exposed key and its user."""
    used = _holders((name, trace.used) for name, trace in known.items())
    return [link for handle, holders in used.items() for link in _links_of_handle(holders, CREDENTIAL, handle)]


def _links_of_handle(holders: Sequence[tuple[str, str]], kind: str, value: str) -> list[Link]:
    """Links of all who hold a handle with the first of them."""
    (first, record), *others = holders
    return [Link(first, other, kind, value, (record, proof)) for other, proof in others]


def _owned_twice(handle: str, owners: Sequence[str]) -> bool:
    """Whether a name is that of several identities: not if one log knows the id, and another only the name."""
    called = f":{re.split('[:/]', handle.lower())[-1]}"
    by_name = sum(owner.lower().endswith(called) for owner in owners)
    kinds = {tuple(owner.split(":")[:3]) for owner in owners}
    return len(owners) > 1 and (len(owners), by_name, len(kinds)) != (2, 1, 1)


def _handed_over(known: Mapping[str, Trace]) -> list[Link]:
    """Links from who handed a credential out, or put it in place, to who then made unusual calls with it."""
    givers = _holders((name, trace.given) for name, trace in known.items())
    return [
        Link(giver, name, CREDENTIAL, handle, (given, record))
        for name, trace in known.items()
        if trace.first
        for handle, record in _credentials_of(trace)
        for giver, given in givers.get(handle, ())
        if giver != name
    ]


def _credentials_of(trace: Trace) -> list[tuple[str, str]]:
    """Credentials, and the ids of the application that they are of."""
    named = [(name.partition(":")[2], record) for name, record in trace.names.items() if name[:4] in ("app:", "sp:")]
    return [*trace.used.items(), *named]


def _from_host(known: Mapping[str, Trace]) -> list[Link]:
    """Links from a host on which credentials were read to who worked from its address, and soon was unusual."""
    users = _holders((name, trace.addresses) for name, trace in known.items())
    return [
        Link(name, user, HOST, handle.partition(":")[2], (record, proof))
        for name, trace in known.items()
        for handle, record in trace.names.items()
        if trace.first and handle.startswith(f"{HOST}:")
        for user, proof in users.get(handle.partition(":")[2], ())
        if user != name and 0 <= known[user].first - trace.first <= NEAR
    ]


def _began(known: Mapping[str, Trace], forest: _Forest) -> dict[str, int]:
    """Identity → when it, an identity that is the same actor, or who worked with what it handed out was unusual."""
    used: dict[str, int] = {}
    for trace in known.values():
        if trace.first:
            used.update(
                (handle, min(trace.first, used.get(handle, trace.first))) for handle, _ in _credentials_of(trace)
            )
    began: dict[str, int] = {}
    for name, trace in known.items():
        starts = [trace.first] if trace.first else [used[handle] for handle in trace.given if handle in used]
        root = forest.root(name)
        began.update((root, min(start, began.get(root, start))) for start in starts)
    return {name: began.get(forest.root(name), 0) for name in known}


def _named(known: Mapping[str, Trace], began: Mapping[str, int]) -> list[Link]:
    """Links from who touched what bears the name of another product's identity to that one, if it soon was unusual.

    Who touches many such takes stock of what is there, and hands nothing over.
    """
    touched = _holders((name, trace.touched) for name, trace in known.items() if trace.first)
    links = [
        Link(source, name, NAMED, called, (record, proof))
        for name, trace in known.items()
        for called, proof in _called(trace)
        for source, record in touched.get(called, ())
        if source.partition(":")[0] != name.partition(":")[0] and 0 <= began[name] - known[source].first <= NEAR
    ]
    often = Counter(link.source for link in links)
    return [link for link in links if often[link.source] <= HOLDERS]


def _group(tree: Sequence[Trace], links: Sequence[Link]) -> Optional[Group]:
    members = sorted((trace for trace in tree if trace.first), key=lambda t: (t.first, t.identity_id))
    lead = next((trace.identity_id for trace in members if trace.eligible), "")
    if len(members) < 2 or not lead:
        return None
    names = {trace.identity_id for trace in tree}
    inside = sorted({link for link in links if link.source in names})
    return Group(lead, tuple(trace.identity_id for trace in members), tuple(inside))


def joined(group: Group, episodes: Mapping[str, Episode]) -> Episode:
    """The episode of a group: each signal has its largest value of a member, linked ones that of the whole group."""
    lead = episodes[group.lead]
    members = tuple(episodes[name] for name in group.members)
    views = [view for member in members for view in member.view.views]
    values = values_together([(member.values, member.view) for member in members])
    return lead._replace(
        view=EpisodeView(views, lead.view.baseline),
        values=values,
        features=features_together(members, values),
        quarantined=frozenset(key for member in members for key in member.quarantined),
        members=members,
        links=group.links,
    )
