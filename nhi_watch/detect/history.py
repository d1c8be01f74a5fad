"""All that the state holds of each identity, joined: profile, recent behaviours, credentials, who works through it.

Profiles know every value that was ever seen and on which days; behaviours of the last weeks know seconds and
addresses; the inventory knows what was done to credentials. Read when a person or an exposure asks, not on every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Optional

from nhi_watch.core.behaviour import Behaviour, IdentityDay, keep
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect.impact import BlastRadius, blast_radius
from nhi_watch.detect.signals import by_hand, facts
from nhi_watch.state import day_rows, inventory
from nhi_watch.state.baseline import TENANT, Profile, Profiles
from nhi_watch.state.inventory import Change, Credential
from nhi_watch.state.state import State
from nhi_watch.state.store import Rows

RECORDS = 20
ENDS_LOGGED = ("aws", "gcp")
"""Providers whose logs show that a key was switched off or deleted."""


SECRETS = "secret_reading"
"""The class of calls that read secrets."""


class Sight:
    """Recent events of one identity that share credential, network, agent and outcome."""

    __slots__ = (
        "action",
        "actions",
        "addresses",
        "agent",
        "count",
        "credential",
        "first",
        "last",
        "network",
        "outcome",
        "record_ids",
        "secrets",
        "services",
    )

    def __init__(self, b: Behaviour) -> None:
        key = b.key
        self.credential, self.network, self.agent, self.outcome = _key(b)
        self.action = key.action
        """Of the first event."""
        self.first, self.last, self.count = b.first, b.last, 0
        self.addresses: list[str] = []
        self.record_ids: list[str] = []
        self.services: set[str] = set()
        self.actions: set[str] = set()
        self.secrets: set[str] = set()
        """Targets of calls that read secrets."""

    def add(self, b: Behaviour) -> None:
        """Count a behaviour."""
        if (b.first, b.key.action) < (self.first, self.action):
            self.first, self.action = b.first, b.key.action
        self.last = max(self.last, b.last)
        self.count += b.count
        self.services.add(b.key.service)
        self.actions.add(b.key.action)
        if SECRETS in facts(b.key.service, b.key.action, b.key.traits).classes:
            self.secrets.update(b.targets)
        for address in b.addresses:
            keep(self.addresses, address, 3)
        for record in b.record_ids:
            keep(self.record_ids, record, RECORDS)


def _key(b: Behaviour) -> tuple[str, str, str, str]:
    key = b.key
    return key.credential, key.network, key.agent, key.outcome


class IdentityHistory:
    """One identity."""

    def __init__(self, identity: Identity, profile: Profile) -> None:
        self.identity = identity
        self.profile = profile
        """Up to the last day that is stored."""
        self.first = 0
        """Seconds; 0: not known to the second."""
        self.last = 0
        self.sights: list[Sight] = []
        """Of the weeks of which behaviours are kept, each day's and hour's on its own, earliest first."""
        self.credentials: list[Credential] = []
        self.done: list[Change] = []
        """What was done to it by its name."""
        self.callers: set[str] = set()
        """Ids of the identities that obtained its sessions."""
        self.hands: dict[int, str] = {}
        """Recent day on which a person was seen behind it → one record of that; what is held back is among them."""

    def blast_radius(self, identities: Mapping[str, IdentityHistory], today: int) -> BlastRadius:
        """What it reached within the last `REACH_DAYS`, and who works through it."""
        names = [short(identities[i].identity) if i in identities else i for i in self.callers]
        return blast_radius(self.profile, callers=names, today=today)


def short(identity: Identity) -> str:
    """The last part of an identity's name."""
    return identity.name.rsplit("/", 1)[-1] or identity.id


class LogSpan(NamedTuple):
    """What of an account's log was seen."""

    first: int
    last: int


class History:
    """Every life, and how far the logs reach."""

    def __init__(self) -> None:
        self.identities: dict[str, IdentityHistory] = {}
        self.names: dict[str, list[Change]] = {}
        self.spans: dict[tuple[str, str], LogSpan] = {}
        """(provider, account) → first and last second at which one of its identities was seen."""
        self.credentials: dict[str, Credential] = {}
        self.first_day = 0
        """The first day of which anything is remembered."""
        self.now = 0
        """The latest second seen in any log."""

    @property
    def today(self) -> int:
        """The day of `now`."""
        return self.now // DAY

    def owner_of(self, credential: Credential) -> Optional[IdentityHistory]:
        """The life of who used a credential, or for whom it was made."""
        for user in sorted(credential.users, key=lambda u: u.kind == "credential"):
            if user.id in self.identities:
                return self.identities[user.id]
        created = credential.latest("created")
        maker = self.identities.get(created.by) if created else None
        if created is None or not created.about or maker is None:
            return None
        key = f"{maker.identity.account}/{created.about.rpartition('/')[2]}"
        return next(
            (
                identity_history
                for identity_history in self.identities.values()
                if inventory.name_key(identity_history.identity) == key
            ),
            None,
        )

    def end_of(self, credential: Credential) -> Optional[Change]:
        """What ended a credential, or made it work again, the latest of that.

        That somebody calls it revoked or harmless in a feed is believed only where no log would show it: of a key that
        was seen in use, the account's log shows that it is switched off.
        """
        ends = ("deactivated", "deleted", "reactivated")
        end = credential.latest(*ends, "resolved")
        who = credential.identity
        if (
            end is None
            or end.what != "resolved"
            or not credential.last
            or who is None
            or who.provider not in ENDS_LOGGED
        ):
            return end
        span = self.span_of(who.provider, who.account)
        return credential.latest(*ends) if span and span.first <= end.time < span.last else end

    def span_of(self, provider: str, account: str) -> Optional[LogSpan]:
        """How far the log of an account reaches; any account's where the account is not known."""
        spans = [s for (p, a), s in self.spans.items() if p == provider and account in (a, "")]
        return LogSpan(min(s.first for s in spans), max(s.last for s in spans)) if spans else None


def read(rows: Rows) -> History:
    """The whole history in a store; brings the inventory up to date with the behaviours that are kept."""
    state, history = State(rows), History()
    seen: dict[str, IdentityHistory] = {}
    edges = _Edges()
    for day in state.daybook.days:
        identity_days = state.load_day(day)
        inventory.note(rows, identity_days.values())
        for name, identity_day in identity_days.items():
            _recent(seen.setdefault(name, IdentityHistory(identity_day.identity, Profile())), identity_day)
            edges.take(name, identity_day)
    profiles = state.scopes(state.next_open_day()).own if state.daybook.days else {}
    _read_identities(history, rows, seen, profiles)
    for caller, callee in edges.pairs(history.identities):
        history.identities[callee].callers.add(caller)
    return history


def read_some(rows: Rows, names: Iterable[str]) -> History:
    """The history of some identities; of the others only their names and spans. Callers are not looked for."""
    history = History()
    _read_identities(history, rows, *_lived(rows, names))
    return history


def fill(history: History, rows: Rows, names: Iterable[str]) -> None:
    """Add to a history what some of its identities did."""
    seen, profiles = _lived(rows, (name for name in names if name in history.identities))
    for name, profile in profiles.items():
        identity_history = history.identities[name]
        identity_history.profile = profile
        if name in seen:
            identity_history.sights, identity_history.hands = seen[name].sights, seen[name].hands


def _lived(rows: Rows, names: Iterable[str]) -> tuple[dict[str, IdentityHistory], dict[str, Profile]]:
    """What some identities did: of the days that are kept, and up to the last one."""
    state, seen, baselines = State(rows), dict[str, IdentityHistory](), Profiles()
    wanted = sorted(set(names))
    if not wanted:
        return seen, baselines.own
    keys = [f"{day:06d}/{name}" for day in state.daybook.days for name in wanted]
    for key, raw in sorted(rows.get("day", keys).items()):
        identity_day = day_rows.unpack(raw)
        _recent(seen.setdefault(key[7:], IdentityHistory(identity_day.identity, Profile())), identity_day)
    baselines.groups = {TENANT: Profile()}  # not needed here, and not to be loaded
    state.fill(baselines, {name: IdentityDay(0) for name in wanted}, state.next_open_day())
    return seen, baselines.own


def _recent(identity_history: IdentityHistory, identity_day: IdentityDay) -> None:
    """Take in one identity's day."""
    identity_history.identity = max(identity_history.identity, identity_day.identity)
    hours: dict[tuple[int, tuple[str, str, str, str]], Sight] = {}
    for b in identity_day.ordered():
        if b.key.service in inventory.ABOUT:
            continue
        sight = hours.get((b.hour, _key(b)))
        if sight is None:
            sight = hours[b.hour, _key(b)] = Sight(b)
        sight.add(b)
        if by_hand(b.key):
            identity_history.hands.setdefault(identity_day.day, b.record_ids[0])
    identity_history.sights += hours.values()


def _read_identities(
    history: History, rows: Rows, seen: Mapping[str, IdentityHistory], profiles: Mapping[str, Profile]
) -> None:
    history.credentials = {credential.id: credential for credential in inventory.credentials(rows)}
    history.names = inventory.every_name(rows)
    known = inventory.identities(rows)
    nothing = Profile()
    for name in sorted({*known, *seen, *profiles}):
        identity = known[name].identity if name in known else seen[name].identity if name in seen else _spelled(name)
        if identity.kind == "credential":
            continue
        identity_history, profile = seen.get(name), profiles.get(name) or nothing
        if identity_history is None:
            identity_history = IdentityHistory(identity, profile)
        history.identities[name] = identity_history
        identity_history.identity, identity_history.profile = identity, profile
        if name in known:
            identity_history.first, identity_history.last = known[name].first, known[name].last
            _span(history, (identity.provider, identity.account), known[name])
        identity_history.done = history.names.get(inventory.name_key(identity), [])
    history.now = max((identity_history.last for identity_history in history.identities.values()), default=0) or max(
        (change.time for credential in history.credentials.values() for change in credential.changes), default=0
    )  # what is said of a credential moves no clock where there are logs
    firsts = (
        identity_history.first // DAY for identity_history in history.identities.values() if identity_history.first
    )
    history.first_day = min([*firsts, *(p.first for p in profiles.values() if p.first >= 0)], default=history.today)
    for credential in history.credentials.values():
        owner = history.owner_of(credential)
        if owner is not None:
            owner.credentials.append(credential)


def _span(history: History, place: tuple[str, str], known: inventory.Known) -> None:
    span = history.spans.get(place)
    if span is None:
        history.spans[place] = LogSpan(known.first, known.last)
    elif known.first < span.first or known.last > span.last:
        history.spans[place] = LogSpan(min(span.first, known.first), max(span.last, known.last))


def _spelled(name: str) -> Identity:
    """An identity from its id alone, `PROVIDER:ACCOUNT:KIND:…`: an older state kept no names.

    >>> _spelled("aws:111111111111:role:AROAX").kind
    'role'
    """
    provider, _, rest = name.partition(":")
    account, _, rest = rest.partition(":")
    kind, _, unique = rest.partition(":")
    return Identity(name, unique or kind or name, kind, provider, account, "")


class _Edges:
    """Who works through whom: by sessions that were handed out, and by roles that were asked for."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._used: dict[str, str] = {}
        self._asked: set[tuple[str, str]] = set()

    def take(self, name: str, identity_day: IdentityDay) -> None:
        """Note what one identity's day handed out, used and asked for."""
        for b in identity_day.behaviours.values():
            self._given.update(dict.fromkeys(b.issued, name))
            self._used.update(dict.fromkeys(b.sessions, name))
            if "AssumeRole" in b.key.action and b.key.outcome == "success":
                self._asked.update((name, target) for target in b.targets)

    def pairs(self, identities: Mapping[str, IdentityHistory]) -> Iterator[tuple[str, str]]:
        """(caller, callee) pairs."""
        yield from self._pairs(identities, ((giver, self._used.get(s, "")) for s, giver in self._given.items()))
        by_name = {identity_history.identity.name: name for name, identity_history in identities.items()}
        yield from self._pairs(identities, ((name, by_name.get(target, "")) for name, target in self._asked))

    @staticmethod
    def _pairs(
        identities: Mapping[str, IdentityHistory], pairs: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[str, str]]:
        return ((a, b) for a, b in pairs if a != b and a in identities and b in identities)
