"""The life of a notable: one intrusion keeps its notable, its id and its place while it goes on.

An episode of an identity of a notable (or of one linked to it) that comes within GONE days of the last one is the next
revision of the same notable. What the notable shows is the likeliest day, but the first on which something
succeeded that was only tried before; timeline and records are of all days; each revision has its own receipt. It is
`new` on the day on which it began or grew: by a first success, another kind of target, a high-impact action on another
target, another place, a class of evidence that it did not have in the days before, or by STEP points of likelihood,
lest a standing false alarm, or what people said of one, shelter a theft.

The row `day/id` of the state holds a notable as it stood at the end of that day, made of the row before and of the
day's episodes alone: so the same records give the same rows, however they were cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Optional

from nhi_watch.context.networks import OTHER, network_of
from nhi_watch.core.life import BY_ROUTINE
from nhi_watch.core.notable import MAX_RECORD_IDS, MAX_TIMELINE, loss_of
from nhi_watch.core.timestamps import DAY, HOUR, day_of, parse, render, render_day
from nhi_watch.detect import ranking
from nhi_watch.detect.signals import facts
from nhi_watch.detect.telemetry import Rhythms, tells_time
from nhi_watch.state.baseline import LEARNING, PLACE, REFUSALS, ROUTINE, Profile
from nhi_watch.state.state import State

GONE = WEEK = 7
"""Days without odd behaviour after which a notable is closed."""
STEP = 10.0
"""Points of likelihood by which it must rise to be new again."""
EVIDENCE = 4.0
"""Points from which a signal that had none before is a new class of evidence."""
FOREIGN = ("moved_outside", "new_owner", "risky_network", "unknown_owner")
"""Signals that say of a place that its operator is news."""
MAX_REVISIONS = 100
CARRIED = 100
"""Entries of the timeline that are carried over from the days before, those with most points."""
MAX_MEMBERS = 50
GOES_ON = "goes on"
NOBODY = {"listed": False, "listed_on": "", "over_budget": False, "folded": None, "folded_into": None}
"""The standing of a notable without a place."""

Document = dict[str, Any]
NO_ROUTINES: Mapping[str, Routine] = {}


def begun(today: Document) -> Document:
    """A day's notable as the first revision of a life."""
    entry = _entry(today, "first seen")
    told = {"life": "new", "first_seen": today["first_time"], "last_grown": today["last_time"], "revisions": [entry]}
    return {**today, **NOBODY, **told}


def go_on(previous: Document, today: Document) -> Document:
    """A notable with one more day's episode, or with one more of the same day."""
    why = growth(previous, today)
    day = _day_of(today)
    face = today if _is_face(previous, today, why) else previous
    entries = _shortened([*previous["revisions"], _entry(today, why or GOES_ON)])
    return {
        **face,
        **{name: previous[name] for name in ("id", "created", "first_seen", *NOBODY)},
        **together(previous, today, face),
        "life": life_on({"revisions": entries}, day),
        "last_grown": today["last_time"] if why else previous["last_grown"],
        "revisions": entries,
    }


def _is_face(previous: Document, today: Document, why: str) -> bool:
    """Whether a day is what the notable shows from then on."""
    if _succeeded(previous, today):
        return True
    if _let_in(previous) and not _let_in(today):
        return False  # what only was refused does not stand before what was let in
    return weight(today) >= weight(previous) or (bool(why) and _day_of(today) - _day_of(previous) > GONE)


def weight(document: Mapping[str, Any]) -> tuple[float, float]:
    """By what the days of a notable are compared; among equally likely ones, such as 99, by their points."""
    return document["likelihood"], round(sum(signal["points"] for signal in document["signals"]), 2)


def life_on(document: Mapping[str, Any], day: int) -> str:
    """Whether what a notable did on a day is news, or only goes on."""
    date = render_day(day)
    is_new = any(one["why"] != GOES_ON for one in document["revisions"] if one["day"] == date)
    return "new" if is_new else "ongoing"


def growth(previous: Document, today: Document) -> str:
    """Why a notable is new again; "": it only goes on.

    Facts come first: points follow what people said of the days before, and a verdict is about what its giver saw.
    """
    told = (
        ("first success", _succeeded(previous, today)),
        ("another kind of target", _kinds(today) - _kinds(previous)),
        ("another target", _touched(today) - _touched(previous)),
        ("another place", _places(today) - _places(previous) if _is_foreign(today) else set()),
    )
    for what, found in told:
        if found:
            return f"{what}: {', '.join(sorted(found)[:10])}"
    since = _day_of(today) - GONE
    recent = [one for one in previous["revisions"] if day_number(one["day"]) >= since] or previous["revisions"][-1:]
    known = {signal for one in recent for signal in one["signals"]}
    fresh = [s["id"] for s in today["signals"] if s["points"] >= EVIDENCE and s["id"] not in known]
    if fresh:
        return f"new evidence: {', '.join(fresh[:10])}"
    risen = today["likelihood"] - max(one["likelihood"] for one in recent)
    return f"likelihood rose by {risen:.0f} points" if risen >= STEP else ""


def _let_in(document: Document) -> set[str]:
    """The odd calls that succeeded."""
    return {entry["action"] for entry in document["timeline"] if entry["outcome"] not in REFUSALS}


def _succeeded(previous: Document, today: Document) -> set[str]:
    """The calls that succeeded for the first time after they were refused."""
    return _let_in(today) & ({entry["action"] for entry in previous["timeline"]} - _let_in(previous))


def _kinds(document: Document) -> set[str]:
    """The sensitive classes of what succeeded: secrets, data, identities…"""
    return {kind for action in _let_in(document) for kind in facts(action.partition(":")[0], action).classes}


def _touched(document: Document) -> set[str]:
    """What high-impact actions and changes of permissions succeeded on: one more of it is one more deed."""
    told = (entry for entry in document["timeline"] if entry["outcome"] not in REFUSALS and entry["points"] > 0)
    return {f"{entry['action']} of {target}" for entry in told for target in entry.get("targets", ())}


def _places(document: Document) -> set[str]:
    """The networks of the odd calls."""
    return {place_of(entry) for entry in document["timeline"]} - {""}


def place_of(entry: Mapping[str, Any]) -> str:
    """The network of an entry of a timeline, which tells an address or a network; "" where it is not known."""
    source = entry["source"]
    network = source if "/" in source or source.startswith("service:") else network_of(source)
    return "" if network == OTHER else str(network)


def _is_foreign(today: Document) -> bool:
    """Whether somebody else's network is news for the identity, not one more address where it always works."""
    return any(signal["id"] in FOREIGN and signal["value"] for signal in today["signals"])


def _entry(today: Document, why: str) -> Document:
    signals = [signal["id"] for signal in today["signals"] if signal["points"] > 0][:200]
    return {
        "revision": 1, "time": today["last_time"], "day": render_day(_day_of(today)), "likelihood": today["likelihood"],
        "why": why, "identity": today["identity"]["id"], "signals": signals, "receipt": today["receipt"],
    }  # fmt: skip


def _shortened(revisions: list[Document]) -> list[Document]:
    return revisions if len(revisions) <= MAX_REVISIONS else [revisions[0], *revisions[1 - MAX_REVISIONS :]]


def together(previous: Document, today: Document, face: Document) -> Document:
    """What is of all days: times, timeline, records, members."""
    is_same_day = last_day(previous) == _day_of(today)
    carried = sorted(previous["timeline"], key=lambda e: (-e["points"], e["time"], e["action"], e["record_id"]))
    entries = [*carried[: MAX_TIMELINE if is_same_day else CARRIED], *today["timeline"]]
    entries = sorted(entries, key=lambda e: (-e["points"], e["time"], e["action"], e["record_id"]))[:MAX_TIMELINE]
    other = today if face is previous else previous
    records = dict.fromkeys([*face["record_ids"], *other["record_ids"]])
    return {
        "first_time": min(previous["first_time"], today["first_time"]),
        "last_time": max(previous["last_time"], today["last_time"]),
        "timeline": sorted(entries, key=lambda e: (e["time"], e["action"], e["record_id"])),
        "record_ids": list(records)[:MAX_RECORD_IDS],
        "record_count": previous["record_count"] + today["record_count"],
        "members": _members(face, other),
        "links": list({_key(link): link for link in [*face["links"], *other["links"]]}.values())[:200],
    }


def _key(link: Mapping[str, Any]) -> tuple[str, ...]:
    return link["source"], link["target"], link["kind"], link["value"]


def _members(face: Document, other: Document) -> list[Document]:
    known = {one["id"]: one for document in (other, face) for one in (document["identity"], *document["members"])}
    order = dict.fromkeys(one["id"] for d in (face, other) for one in (*d["members"], d["identity"]))
    return [known[name] for name in order][:MAX_MEMBERS] if len(order) > 1 else []


def names(document: Mapping[str, Any]) -> set[str]:
    """Ids of all identities of a notable."""
    return {document["identity"]["id"], *(one["id"] for one in document["members"])}


def _origin(document: Mapping[str, Any]) -> str:
    return document["folded"]["origin"] if document["folded"] else ""


def day_number(text: str) -> int:
    """The day of a date.

    >>> day_number("2024-10-04")
    20000
    """
    return day_of(parse(f"{text}T00:00:00Z"))


def _day_of(document: Mapping[str, Any]) -> int:
    """The day that what a notable shows was scored on: the one after its baseline's last."""
    return day_number(document["baseline"]["id"]) + 1


def last_day(document: Mapping[str, Any]) -> int:
    """The day of a notable's latest revision; of one that has none, that of its last second."""
    if document["revisions"]:
        return day_number(document["revisions"][-1]["day"])
    return parse(document["last_time"]) // DAY


class Routine(NamedTuple):
    """What an identity did on several of its first days, from its own places, although it looks bad."""

    identity: str
    name: str
    calls: list[str]
    days: int
    """On how many the most frequent of the calls came, until it was learnt and since."""
    places: list[str]
    since: str
    """The date of the first of them."""
    found: str
    """The date of the last day that made it a routine."""
    is_all: bool
    """Whether nothing else that looked bad is left of the identity."""
    notables: list[str]


def routines(state: State, documents: Iterable[Mapping[str, Any]]) -> dict[str, Routine]:
    """Identity → its sensitive routine, of those of some notables that have one.

    Only notables of an identity's first days are asked about: profiles are large, and others have none.
    """
    told: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for document in documents:
        is_early = document["revisions"] and document["usual"]["active_days"] < LEARNING
        for one in (document["identity"], *document["members"]) if is_early else ():
            known[one["id"]] = one["name"]
            if document["id"] not in told.setdefault(one["id"], []):
                told[one["id"]].append(document["id"])
    found = ((name, profile) for name, profile in state.profiles(told).items() if ROUTINE in profile.dimensions)
    return {name: _routine(profile, name, known[name], told[name]) for name, profile in found}


def _routine(profile: Profile, identity: str, name: str, notables: list[str]) -> Routine:
    found, known = profile.dimension(ROUTINE).values, profile.dimension("action").values
    seen = [known[call] for call in found if call in known] or list(found.values())
    return Routine(
        identity, name, sorted(found), max(one.days for one in seen), sorted(profile.dimension(PLACE).values),
        render_day(min(one.first for one in seen)), render_day(max(one.last for one in found.values())),
        profile.is_settled, notables,
    )  # fmt: skip


def told_of(found: Mapping[str, Routine]) -> list[dict[str, Any]]:
    """Routines as run.json has them, the latest first."""
    return [one._asdict() for one in sorted(found.values(), key=lambda r: (r.found, r.identity), reverse=True)]


def _is_routine(document: Mapping[str, Any], known: Mapping[str, Routine]) -> bool:
    """Whether a notable told of nothing but routines: nothing in it is newer than they are, and nothing else waits."""
    of = [known.get(name) for name in names(document)]
    grown = document["last_grown"][:10]
    return bool(known) and all(one is not None and one.is_all and grown <= one.found for one in of)


def as_of(document: Document, end: int, known: Mapping[str, Routine] = NO_ROUTINES) -> Document:
    """Its life as it stands at the data's end: quiet after a day without anything odd, closed after GONE.

    What began or grew is new for a day: runs of five minutes show yesterday's late news after midnight, and daily runs
    show none twice. What has no revisions by day (an exposure, a finding, a blind spot) goes by when it came; a blind
    spot comes on the day after, since only then its day is over.
    """
    if not document["revisions"]:
        came = parse(document["created"]) + DAY * (document["kind"] == "blind_spot")
        return {**document, "life": "new" if came >= end - DAY else "ongoing"}
    gap = (end - 1) // DAY - last_day(document)
    if document["merged_into"]:
        return {**document, "life": "closed", "closed_why": f"part of {document['merged_into']}"}
    if _is_routine(document, known):
        days = max(known[name].days for name in names(document))
        return {**document, "life": "closed", "closed_why": f"{BY_ROUTINE}: done on {days} days from its own places"}
    if gap > GONE:
        return {**document, "life": "closed", "closed_why": f"nothing odd for {GONE} days"}
    if gap > 1:
        return {**document, "life": "quiet"}
    return {**document, "life": "ongoing"} if parse(document["last_grown"]) < end - DAY else document


def provisional(document: Document, end: int) -> Document:
    """Whether what a notable last did lies in the data's last hour: that hour may still grow."""
    open_now = document["last_time"][:13] == render(end - HOUR)[:13]
    return {**document, "telemetry": {**document["telemetry"], "provisional": open_now}}


def closed(document: Document, why: str) -> Document:
    """A notable that people have dealt with."""
    return {**document, "listed": False, "life": "closed", "closed_why": why}


def standing(state: State) -> list[Document]:
    """All notables that the state keeps, by day and rank, as they stand on its last day."""
    end, documents = end_of(state), state.every_notable()
    known = routines(state, documents)
    return [as_of(document, end, known) for document in documents]


def end_of(state: State) -> int:
    """The data's end, however long ago a notable was: that of the last hour of which a provider told."""
    rhythms = Rhythms(state.rows)
    day = next(iter(rhythms.since_told(state.daybook.days)), 0)
    streams = rhythms.days([day]).get(day, {})
    told = [*filter(tells_time, streams)] or list(streams)
    hours = [streams[stream].hours for stream in told]
    return day * DAY + (max(hours, default=0).bit_length() * HOUR or DAY)


class Lives:
    """The notables that go on, day by day: loaded once, and then kept up as days are written."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, tuple[int, Document]] = {}
        self._day: Optional[int] = None

    def begin(self, day: int) -> None:
        """Bring what is known to the eve of a day."""
        since = day - GONE if self._day is None else max(day - GONE, self._day + 1)
        rows = self._state.notables_between(since, day)
        self._known.update((document["id"], (number, document)) for number, document in rows)
        self._known = {name: row for name, row in self._known.items() if row[0] >= day - GONE}
        self._day = day

    def of(self, identities: set[str], origin: str = "") -> list[Document]:
        """The notables that go on of any of some identities, or of an origin if one is told, the oldest first."""
        found = [
            d for _, d in self._known.values()
            if goes_on(d) and (names(d) & identities or (origin and _origin(d) == origin))
        ]  # fmt: skip
        return sorted(found, key=lambda d: (d["first_seen"], d["id"]))

    def alive(self, name: Optional[str]) -> bool:
        """Whether a notable goes on."""
        return name in self._known and not self._known[name][1]["merged_into"]

    def losses(self, day: int, but: set[str]) -> list[float]:
        """The expected losses of what stood in the six days before a day, listed or not; `but`: ids left out."""
        found = (d for n, d in self._known.values() if day - WEEK < n < day and d["id"] not in but)
        losses = (loss_of(d) for d in found if not d["merged_into"])
        return [loss for loss in losses if loss >= ranking.LEAST]

    def put(self, day: int, documents: Iterable[Document]) -> None:
        """Take in a day's rows."""
        self._known.update((document["id"], (day, document)) for document in documents)


def goes_on(document: Document) -> bool:
    """Whether more may become part of it: a trifle that never had a place begins nothing, and hosts that write only the
    gravest do not know it."""
    had_place = document["listed"] or document["folded_into"] is not None
    return not document["merged_into"] and (had_place or loss_of(document) >= ranking.LEAST)


def numbered(document: Document, previous: Optional[Document], old: Optional[Document], day: int) -> Document:
    """A notable with its revision: one more than before where something of it changed."""
    if old is not None and told(document) == told(old):
        return {**document, "revision": old["revision"], "revisions": old["revisions"]}
    before = [one["revision"] for one in (previous, old) if one is not None]
    number, date = 1 + max(before, default=0), render_day(day)
    entries = [{**one, "revision": number} if one["day"] == date else one for one in document["revisions"]]
    return {**document, "revision": number, "revisions": entries}


VOLATILE = frozenset({"revision", "rank", "telemetry", "created", "revisions"})
"""What may change in a notable without making a new revision of it; of its revisions, their numbers."""


def told(document: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a notable tells, for comparing."""
    days = document.get("revisions") or ()
    entries = [{name: value for name, value in one.items() if name != "revision"} for one in days]
    return {name: value for name, value in document.items() if name not in VOLATILE}, entries
