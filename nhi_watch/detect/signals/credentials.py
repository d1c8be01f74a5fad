"""Keys, secrets, sessions: which are used, read, made, found in the open, and by whom."""

from __future__ import annotations

import re
from math import log2

from nhi_watch.context.networks import spelled
from nhi_watch.detect.signals._kit import (
    ORDINARY,
    EpisodeView,
    View,
    apart,
    behaviours_of,
    by_hand,
    call_sentence,
    counted,
    first_used,
    heaviest,
    in_words,
    is_young,
    kind_of_call,
    listing,
    marked,
    most_new,
    new_value,
    place_novelty,
    place_rarity,
    rarity,
    scattered,
    signal,
    times,
    touched_names,
)

SECRETS = "secret_reading"
CREATED = frozenset({"deploy_key", "federated_credential", "new_credential", "new_credential_on_app", "orphan_token"})
"""Traits of records that made a credential, whatever the call is named."""
_CREATED = {
    "iam:CreateLoginProfile": "console password set for {}",
    "iam:UpdateLoginProfile": "console password changed for {}",
    "iam:CreateAccessKey": "access key created for {}",
    "iam:CreateUser": "user {} created",
}
"""What people call it, where the call says more than that a credential was created."""


def _created(view: View) -> str:
    targets = touched_names(view.behaviours)
    created = _CREATED.get(view.key.action, "credential created for {}")
    if targets:
        return created.format(listing(targets, 1))
    if view.key.action not in _CREATED:
        return f"credential created by {view.key.action}"
    return created.replace("{} ", "").replace(" for {}", "")


def _new_secrets(episode: EpisodeView) -> int:
    """How many: those that are kept are only a sample of too many."""
    sampled = len(dict(first_used(episode, SECRETS)))
    return max(sampled, most_new(view for view in episode.views if SECRETS in view.facts.classes))


TABLE = (
    new_value(
        "new_credential",
        "New long-lived key",
        ("T1098.001",),
        "rotate_secret",
        "key ",
        "A long-lived key that the identity was not seen to use before.",
        "credential",
        needs=("credential",),
        dimension="credential",
    ),
    new_value(
        "new_credential_type",
        "New credential type",
        ("T1550.001",),
        "rotate_secret",
        "credential type ",
        "Another kind of credential than usual: a key where there were sessions, a console where there were keys.",
        "credential_type",
    ),
    kind_of_call(
        "credential_creation",
        "Credential created",
        ("T1098.001",),
        "rotate_secret",
        "creates a credential that outlasts the session",
        "Creates a credential that outlasts the session.",
        CREATED,
        headline=9,
        phrase=_created,
    ),
    kind_of_call(
        SECRETS,
        "Secrets read",
        ("T1555.006",),
        "rotate_secret",
        "reads secrets",
        "Reads secrets or passwords, which this identity does not normally do.",
        headline=20,
    ),
    counted(
        "secret_fan_out",
        "Secrets read for the first time",
        ("T1555.006", "T1552.007"),
        "rotate_secret",
        "secrets read for the first time",
        "Reads secrets that this identity never read.",
        "log2(1 + number of secrets new to the identity); None without history.",
        lambda episode: first_used(episode, SECRETS),
        is_young,
        most=2,
        headline=21,
        on_ordinary_days=True,
        number=_new_secrets,
        phrase=lambda day: f"{times(_new_secrets(day), 'secret')} read for the first time",
    ),
)


UNIT = 30.0
"""Days that count one; the log shows first use, so the true age is at least this."""
NEW_ASPECTS = ("action", "network", "agent", "owner", "region")


def _days(view: View) -> int:
    seen = view.baseline.own.dimension("credential").values.get(view.key.credential)
    return view.baseline.today - seen.first if seen is not None else 0


@signal(
    "behaviour",
    "Long-lived key in use",
    ("NHI7:2025",),
    "rotate_secret",
    needs=("credential",),
    evidence=lambda view: f"key {view.key.credential} has been in use for at least {_days(view)} days",
)
def key_age(view: View) -> float | None:
    """A long-lived key that has been in use for long: the longer, the more places it may have leaked from.

    Months since the key was first seen, where something about its use is new; None before any history.
    """
    if not view.key.credential or not any(getattr(view, name) for name in NEW_ASPECTS):
        return 0.0
    return None if view.baseline.blank else min(24.0, _days(view) / UNIT)


LEAK_WEIGHTS = {"secret_alert": 1.0, "verified": 2.0, "public": 1.0}
"""It was found; it works; everybody can read it."""


@signal(
    "behaviour",
    "Credential exposed",
    ("NHI2:2025", "T1552"),
    "rotate_secret",
    headline=2,
    evidence=lambda view: f"{view.key.action} reports an exposed credential ({in_words(view, LEAK_WEIGHTS)})",
)
def exposed_credential(view: View) -> float:
    """A scanner or the provider reports an exposed credential of this identity.

    Sum of what the find says; 0 where it says nothing, or it is settled.
    """
    traits = view.key.traits
    if "secret_alert" not in traits or "resolved" in traits:
        return 0.0
    return sum(LEAK_WEIGHTS.get(trait, 0.0) for trait in traits)


@signal(
    "behaviour",
    "Key quarantined by the provider",
    ("NHI2:2025", "T1552"),
    "rotate_secret",
    headline=1,
    evidence=lambda view: f"{view.key.action} attaches the provider's quarantine policy: a key is exposed",
)
def quarantined(view: View) -> float:
    """The provider has put its quarantine policy on an identity: its key is known to be exposed.

    1 when the quarantine policy is attached.
    """
    return 1.0 if "quarantine" in view.key.traits else 0.0


_SIGN_IN = re.compile(r"sign-?in|login|logon|token\.grant|\bauth\b", re.IGNORECASE | re.ASCII)


def _signin_anew(view: View) -> str:
    if view.credential > place_novelty(view):
        seen = rarity(view, view.credential, "credential", view.key.credential)
        return f"{view.key.action} with credential {view.key.credential}: {seen}"
    return f"{view.key.action} from {view.key.network}: {place_rarity(view)}"


@signal(
    "behaviour",
    "Machine sign-in from a new network or with a new credential",
    ("T1078.004", "T1098.001"),
    "rotate_secret",
    evidence=_signin_anew,
)
def signin_anew(view: View) -> float | None:
    """A machine signs in from an operator's network, or with a credential, that it never used.

    Bits by which network or credential is new, where a machine signs in; None without history.
    """
    if view.key.identity.human or not _SIGN_IN.search(view.key.action):
        return 0.0
    return max(view.credential, place_novelty(view)) if view.baseline.own.days else None


DOUBTS = {
    "legacy_auth": 1.0,
    "device_code": 1.0,
    "proxy": 1.0,
    "root_token": 1.0,
    "threat_suspected": 2.0,
    "risky_signin": 2.0,
    "token_reuse": 3.0,
}
"""What the product said of the session."""


@signal(
    "behaviour",
    "Risky sign-in",
    ("NHI4:2025", "T1550.001"),
    "rotate_secret",
    headline=32,
    evidence=lambda view: call_sentence(view, f"is a risky sign-in ({in_words(view, DOUBTS)})"),
)
def suspect_session(view: View) -> float:
    """The product that let it in had doubts of its own, or the way in was a weak one.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, DOUBTS)


def _human_use(view: View) -> str:
    return f"{view.key.action} was made interactively ({in_words(view, ('console', 'mfa'))}) with a machine identity"


@signal(
    "behaviour",
    "Human use of a machine identity",
    ("NHI10:2025", "DE.CM-03"),
    "rotate_secret",
    headline=3,
    evidence=_human_use,
)
def human_use(view: View) -> float | None:
    """A person at work (console session, second factor) with an identity that machines use.

    Anyone who holds a machine's key can sign in to a console with it. It grows with the days on which nobody did, and
    one such day makes no habit of it: log2((active days + 1) / (days on which a person was seen + 1)), 0 below 2; None
    while it has no history.
    """
    if not by_hand(view.key) or view.key.identity.human:
        return 0.0
    own = view.baseline.own
    if not own.days:
        return None
    seen = own.dimension("human").values.get("yes")
    bits = log2((own.days + 1) / ((seen.days if seen else 0) + 1))
    return bits if bits >= ORDINARY else 0.0


PROCESSES = {"odd_process": 1.0, "odd_parent": 2.0}


@signal(
    "behaviour",
    "Credentials read on a host",
    ("T1552.001", "T1552.005"),
    "rotate_secret",
    headline=22,
    evidence=lambda view: f"{view.key.action} by {view.key.agent or 'a program'} ({in_words(view, PROCESSES)})",
)
def host_credential(view: View) -> float:
    """A program that has no business with credentials reads them on a host.

    Weight of how odd the program is, plus the bits by which program and act are new; 0 for the usual ones.
    """
    weight = heaviest(view, PROCESSES)
    return weight + max(view.action, view.agent) if weight else 0.0


def _sessions(view: View) -> set[str]:
    return {session for b in view.behaviours for session in b.sessions}


def _moved(episode: EpisodeView) -> list[View]:
    """Views of sessions that were used in several places, the least usual place first."""
    return sorted(apart(episode, _place), key=lambda view: (-view.owner - view.network, view.key))


def _place(view: View) -> str:
    """The operator where it is known: one operator's addresses change all the time."""
    return view.network_facts.owner or view.key.network


def _session_moved_phrase(episode: EpisodeView) -> str:
    known_places = [view for view in _moved(episode) if not view.owner]
    outside = spelled(known_places[-1].network_facts) if known_places else ""
    if not outside:
        return "session used on two networks"
    is_its_cloud = outside.lower() == known_places[-1].key.identity.provider
    return f"session used outside {outside}" if is_its_cloud else f"session used outside its usual network ({outside})"


@signal(
    "episode",
    "Session used from two networks",
    ("T1550.001", "T1552.005"),
    "rotate_secret",
    needs=("network",),
    on_ordinary_days=True,
    headline=3,
    phrase=_session_moved_phrase,
    needs_history=False,
    evidence=lambda episode: f"one session was used from {listing([_place(view) for view in _moved(episode)])}",
    backing=lambda episode: behaviours_of(_moved(episode)[:1]),
)
def session_moved(episode: EpisodeView) -> float:
    """One temporary session is used from networks of two operators: it left the place it was issued to.

    1, or 4 where one place is for machines and the other for people, plus the bits of the less usual place; 0 when
    every session stayed.
    """
    moved = _moved(episode)
    return (FAR if scattered(episode) else 1.0) + moved[0].owner + moved[0].network if moved else 0.0


FAR = 4.0


def _shared(episode: EpisodeView) -> list[View]:
    """Views of sessions that several programs used, the least usual program first."""
    views = apart(episode, lambda view: view.key.agent)
    return sorted((view for view in views if view.agent), key=lambda view: (-view.agent, view.key))


def _session_two_clients(episode: EpisodeView) -> str:
    sessions = {session for view in _shared(episode)[:1] for session in _sessions(view)}
    others = [view.key.agent for view in episode.views if sessions & _sessions(view)]
    return f"one session was used by the clients {listing(others)}"


@signal(
    "episode",
    "Session used by two clients",
    ("T1550.001", "T1552.005"),
    "rotate_secret",
    needs=("agent",),
    evidence=_session_two_clients,
    backing=lambda episode: behaviours_of(_shared(episode)[:1]),
)
def session_two_clients(episode: EpisodeView) -> float:
    """One temporary session is used with two programs: a copy of it works beside its owner.

    Bits by which the less usual program is new; 0 when every session had one program, or all of them are known.
    """
    shared = _shared(episode)
    return shared[0].agent if shared else 0.0
