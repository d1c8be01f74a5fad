"""What speaks for an ordinary explanation of a notable, and what against: facts from the logs, beside the likelihood.

A new scheduled job and an intruder both make calls that an identity never made. An analyst asks when the calls
were made, from where, with which client, and whether colleagues do the same. None of it changes the likelihood; a
client chooses its times and how it names itself, so both are said as facts and prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Optional

from nhi_watch.context.networks import network_of_source
from nhi_watch.core.documents import DimensionDocument, NotableDocument, TimelineDocument
from nhi_watch.core.notable import clip, dimensions_of
from nhi_watch.core.status import face_day, tells_calls, unusual_calls
from nhi_watch.core.timestamps import parse
from nhi_watch.state.baseline import Profile

SPREAD = 12
"""Hours of a day from which calls are spread over it."""
REPEATED = 4
"""Hours in which a call is made at the same minute, so that it is said."""
NEAR = 2
"""Minutes that count as the same minute."""
USED = 3
"""Earlier days from which a network or a client is its own."""
_NAMED = 3
"""Calls and networks that a sentence names."""


class Evidence(NamedTuple):
    """Sentences, each of which is a fact."""

    ordinary: Sequence[str]
    """What speaks for an ordinary explanation."""
    against: Sequence[str]


class Colleagues(NamedTuple):
    """What others do, from the profiles of closed days."""

    own: Profile
    peers: Profile
    """Of the identity's peers, itself included."""
    tenant: Profile


def weigh(notable: NotableDocument, colleagues: Optional[Colleagues] = None) -> Evidence:
    """What speaks for an ordinary explanation of the unusual calls that a notable shows, and what against.

    Of a notable without calls of its own, such as a silent log, nothing is said. `colleagues`: None where no state is
    at hand.
    """
    if not notable["timeline"] or not tells_calls(notable):
        return Evidence((), ())
    day = face_day(notable)
    calls = [entry for entry in unusual_calls(notable)[0] if entry["time"][:10] == day]
    if not calls:
        return Evidence((), ())
    others = [entry for entry in unusual_calls(notable)[1] if entry["time"][:10] < day]
    places = _Places(notable, calls, colleagues)
    ordinary = [*_times(calls), *_same_time(calls, others), *places.usual(), *_peers(calls, colleagues)]
    return Evidence(ordinary, [*places.strange(), *_refusals(calls), *_alone(calls, colleagues)])


# ---- when


def _times(calls: Sequence[TimelineDocument]) -> Iterator[str]:
    """Calls at a fixed minute, on the full or half hour, or all day long."""
    hours = sorted({entry["time"][:13] for entry in calls})
    if len(hours) >= SPREAD:
        yield f"the unusual calls are spread over {len(hours)} hours of the day"
    by_action: dict[str, list[int]] = {}
    for entry in calls:
        by_action.setdefault(entry["action"], []).append(int(entry["time"][14:16]))
    regular = [(action, minutes) for action, minutes in by_action.items() if len(minutes) >= REPEATED]
    for action, minutes in regular[:_NAMED]:
        start = _same_minute(minutes)
        if start is not None:
            yield f"{clip(action, 80)} begins about :{start:02} in each of {len(minutes)} hours"
    first = min(entry["time"] for entry in calls)
    if len(hours) < SPREAD and first[14:16] in ("00", "30"):
        what = "full" if first[14:16] == "00" else "half"
        yield f"the first unusual call was at {first[11:19]}, within a minute of the {what} hour, as schedules have it"


def _same_minute(minutes: Sequence[int]) -> Optional[int]:
    """The minute of the hour within NEAR of which all are; None: there is no such.

    >>> _same_minute([5, 6, 5, 7]), _same_minute([59, 0, 1, 0]), _same_minute([1, 20, 40])
    (5, 59, None)
    """
    for start in sorted(set(minutes)):
        if all((minute - start) % 60 <= NEAR for minute in minutes):
            return start
    return None


def _same_time(calls: Sequence[TimelineDocument], others: Sequence[TimelineDocument]) -> Iterator[str]:
    """The same beginning on other days of the notable."""
    firsts: dict[str, int] = {}
    for entry in sorted((*calls, *others), key=lambda entry: entry["time"]):
        firsts.setdefault(entry["time"][:10], _minute_of_day(entry["time"]))
    if len(firsts) < 2:
        return
    at = [*firsts.values()][-1]
    if all(min((each - at) % 1440, (at - each) % 1440) <= NEAR for each in firsts.values()):
        yield f"on each of {len(firsts)} days the unusual calls begin about {at // 60:02}:{at % 60:02} UTC"


def _minute_of_day(time: str) -> int:
    return int(time[11:13]) * 60 + int(time[14:16])


# ---- from where, and with what


class _Places:
    """The networks and clients of the unusual calls, beside those of the identity's earlier days."""

    def __init__(
        self, notable: NotableDocument, calls: Sequence[TimelineDocument], colleagues: Optional[Colleagues]
    ) -> None:
        self._calls, self._colleagues, self._day = calls, colleagues, parse(f"{face_day(notable)}T00:00:00Z") // 86_400
        self._networks = _usual_days(notable, "network")
        self._agents = dimensions_of(notable, "agent")
        self._credentials = dimensions_of(notable, "credential")
        self._days = max([notable["usual"]["active_days"], *(d["active_days"] for d in self._agents)])
        self._seen = list(dict.fromkeys(filter(None, map(_network, calls))))

    def usual(self) -> Iterator[str]:
        """Its own networks and client, and networks that others of the tenant use."""
        known = [self._networks.get(network, 0) for network in self._seen]
        if known and min(known) >= USED:
            named = _some(self._seen)
            yield f"every unusual call came from {named}, used on {_days(min(known), self._days)}"
        agents = [value for item in self._agents for value in item["observed"]]
        if agents and self._days >= USED and not any(value["new"] for value in agents):
            yield f"every client of the day is known from its {self._days:,} earlier active days, as it names itself"
        for network in self._new()[:_NAMED]:
            days = self._others(network)
            if days >= USED:
                yield f"{network}, new to it, was used by others of this tenant on {days:,} identity days"

    def strange(self) -> Iterator[str]:
        """Networks, clients and credentials that are new."""
        new = self._new()
        if new:
            count = sum(entry["count"] for entry in self._calls if _network(entry) in new)
            total = sum(entry["count"] for entry in self._calls)
            unknown = self._colleagues is not None and not any(map(self._others, new))
            tail = ", where nobody else of this tenant was seen either" if unknown else ""
            yield f"{count:,} of {total:,} unusual calls came from {_some(new)}, never used by it before{tail}"
        for name, items in (("client", self._agents), ("credential", self._credentials)):
            fresh = list(_fresh(items))
            if fresh:
                yield f"new {name}: {_some(fresh)}"

    def _new(self) -> list[str]:
        return [network for network in self._seen if not self._networks.get(network)] if self._days else []

    def _others(self, network: str) -> int:
        """Identity days, of closed days before this one, on which others of the tenant used a network."""
        if self._colleagues is None:
            return 0
        return _beside(self._colleagues.tenant, self._colleagues.own, "network", network, self._day)


def _usual_days(notable: NotableDocument, name: str) -> dict[str, int]:
    """Value → days on which it was used before. Of those that are known but not listed, that they were used at all."""
    days: dict[str, int] = {}
    for item in dimensions_of(notable, name):
        days.update({value["value"]: 1 for value in item["observed"] if not value["new"]})
        days.update({value["value"]: value["days"] for value in item["usual"]})
    return days


def _fresh(items: Iterable[DimensionDocument]) -> Iterator[str]:
    """New values of an identity that has others."""
    for item in items:
        if item["usual"]:
            yield from (value["value"] for value in item["observed"] if value["new"])


def _network(entry: TimelineDocument) -> str:
    return network_of_source(entry["source"])


# ---- who else


def _peers(calls: Sequence[TimelineDocument], colleagues: Optional[Colleagues]) -> Iterator[str]:
    """Unusual calls that the identity's peers make."""
    if colleagues is None:
        return
    actions = _actions(calls)
    done = {action: _beside(colleagues.peers, colleagues.own, "action", action) for action in actions}
    shared = [action for action in actions if done[action] >= USED]
    if shared:
        named = ", ".join(f"{clip(action, 80)} on {done[action]:,} identity days" for action in shared[:_NAMED])
        yield f"peers make {len(shared)} of the {len(actions)} unusual calls, too: {named}"


def _alone(calls: Sequence[TimelineDocument], colleagues: Optional[Colleagues]) -> Iterator[str]:
    """Unusual calls that nobody else of the tenant makes."""
    if colleagues is None or not colleagues.tenant.days:
        return
    actions = _actions(calls)
    alone = [a for a in actions if not _beside(colleagues.tenant, colleagues.own, "action", a)]
    if alone:
        yield f"{len(alone)} of the {len(actions)} unusual calls nobody else of this tenant makes: {_some(alone)}"


def _actions(calls: Sequence[TimelineDocument]) -> list[str]:
    """What was called; another product's alert is no call."""
    return list(dict.fromkeys(entry["action"] for entry in calls if not entry["action"].startswith("alert:")))


def _beside(group: Profile, own: Profile, name: str, value: str, before: int = 1 << 40) -> int:
    """Identity days of a group with a value, without the identity's own; 0 if it was first seen on a later day."""
    seen, mine = group.dimension(name).values.get(value), own.dimension(name).values.get(value)
    if seen is None or seen.first >= before:
        return 0
    return max(0, seen.days - (mine.days if mine else 0))


def _refusals(calls: Sequence[TimelineDocument]) -> Iterator[str]:
    refused = sum(entry["count"] for entry in calls if entry["outcome"] == "denied")
    if refused:
        yield f"{refused:,} of {sum(entry['count'] for entry in calls):,} unusual calls were refused"


# ---- words


def lines(evidence: Evidence) -> list[str]:
    """The evidence as it is printed; that nothing speaks for an ordinary explanation is said, too.

    >>> lines(Evidence((), ("new client: curl",)))
    ['For an ordinary explanation: nothing in the logs', 'Against it:', '  new client: curl']
    """
    ordinary = [f"  {text}" for text in evidence.ordinary]
    against = ["Against it:", *(f"  {text}" for text in evidence.against)] if evidence.against else []
    return [f"For an ordinary explanation:{'' if ordinary else ' nothing in the logs'}", *ordinary, *against]


def _some(values: Sequence[str]) -> str:
    more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
    return ", ".join(clip(value, 80) for value in values[:_NAMED]) + more


def _days(number: int, known: int) -> str:
    return (
        f"{number:,} of its {known:,} earlier active days" if known > number else f"all {known:,} earlier active days"
    )
