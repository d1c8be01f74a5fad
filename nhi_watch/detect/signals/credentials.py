"""Keys, secrets, sessions: which are used, read, made, found in the open, and by whom."""

from __future__ import annotations

import re
from math import log2

from nhi_watch.context.networks import spelled
from nhi_watch.detect.features import ORDINARY, EpisodeView, View, by_hand
from nhi_watch.detect.signals._kit import (
    behaviour_signal,
    behaviours_of,
    call_sentence,
    episode_signal,
    first_used,
    first_used_sentence,
    first_used_value,
    in_class,
    last_part,
    listing,
    marked,
    marks,
    on_mark,
    place_news,
    rarity,
    times,
)


@behaviour_signal(
    "New long-lived key",
    ("T1098.001",),
    control="rotate_secret",
    needs=("credential",),
    dimension="credential",
    evidence=lambda view: f"key {view.shape.credential} is {rarity(view.credential)} for this identity",
)
def new_credential(view: View) -> float | None:
    """A long-lived key that the identity was not seen to use before.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.credential


def _new_credential_type_evidence(view: View) -> str:
    return f"credential type {view.shape.credential_type} is {rarity(view.credential_type)} for this identity"


@behaviour_signal(
    "New credential type",
    ("T1550.001",),
    control="rotate_secret",
    evidence=_new_credential_type_evidence,
)
def new_credential_type(view: View) -> float | None:
    """Another kind of credential than usual: a key where there were sessions, a console where there were keys.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.credential_type


UNIT = 30.0
"""Days that count one; the log shows first use, so the true age is at least this."""


NEWS = ("action", "network", "agent", "owner", "region")


def _days(view: View) -> int:
    seen = view.past.own.dimension("credential").values.get(view.shape.credential)
    return view.past.today - seen.first if seen is not None else 0


@behaviour_signal(
    "Long-lived key in use",
    ("NHI7:2025",),
    control="rotate_secret",
    needs=("credential",),
    evidence=lambda view: f"key {view.shape.credential} has been in use for at least {_days(view)} days",
)
def key_age(view: View) -> float | None:
    """A long-lived key that has been in use for long: the longer, the more places it may have leaked from.

    Months since the key was first seen, where something about its use is new; None before any history.
    """
    if not view.shape.credential or not any(getattr(view, name) for name in NEWS):
        return 0.0
    return None if view.past.blank else min(24.0, _days(view) / UNIT)


FOUND = {"secret_alert": 1.0, "verified": 2.0, "public": 1.0}
"""It was found; it works; everybody can read it."""


def _exposed_credential_evidence(view: View) -> str:
    how = ", ".join(trait.replace("_", " ") for trait in view.shape.traits if trait in FOUND)
    return f"{view.shape.action} reports an exposed credential ({how})"


@behaviour_signal(
    "Credential exposed",
    ("NHI2:2025", "T1552"),
    control="rotate_secret",
    headline=2,
    evidence=_exposed_credential_evidence,
)
def exposed_credential(view: View) -> float:
    """A scanner or the provider reports an exposed credential of this identity.

    Sum of what is told of the find; 0 where none is told, or it is settled.
    """
    traits = view.shape.traits
    if "secret_alert" not in traits or "resolved" in traits:
        return 0.0
    return sum(FOUND.get(trait, 0.0) for trait in traits)


@behaviour_signal(
    "Key quarantined by the provider",
    ("NHI2:2025", "T1552"),
    control="rotate_secret",
    headline=1,
    evidence=lambda view: f"{view.shape.action} attaches the provider's quarantine policy: a key is exposed",
)
def quarantined(view: View) -> float:
    """The provider has put its quarantine policy on an identity: its key is known to be exposed.

    1 when the quarantine policy is attached.
    """
    return 1.0 if "quarantine" in view.shape.traits else 0.0


_SIGN_IN = re.compile(r"sign-?in|login|logon|token\.grant|\bauth\b", re.IGNORECASE | re.ASCII)


def _signin_anew_evidence(view: View) -> str:
    place = place_news(view)
    how = f"with credential {view.shape.credential}" if view.credential > place else f"from {view.shape.network}"
    return f"{view.shape.action} {how}, {rarity(max(view.credential, place))} for this identity"


@behaviour_signal(
    "Machine sign-in from a new network or with a new credential",
    ("T1078.004", "T1098.001"),
    control="rotate_secret",
    evidence=_signin_anew_evidence,
)
def signin_anew(view: View) -> float | None:
    """A machine signs in from an operator's network, or with a credential, that it never used.

    Bits by which network or credential is new, where a machine signs in; None without history.
    """
    if view.shape.identity.human or not _SIGN_IN.search(view.shape.action):
        return 0.0
    return max(view.credential, place_news(view)) if view.past.own.days else None


DOUBTS = {"legacy_auth": 1.0, "device_code": 1.0, "proxy": 1.0, "root_token": 1.0, "threat_suspected": 2.0,
    "risky_signin": 2.0, "token_reuse": 3.0}  # fmt: skip
"""What the product said of the session."""


@behaviour_signal(
    "Risky sign-in",
    ("NHI4:2025", "T1550.001"),
    control="rotate_secret",
    headline=32,
    evidence=lambda view: call_sentence(view, f"is a risky sign-in ({marks(view, DOUBTS)})"),
)
def suspect_session(view: View) -> float:
    """The product that let it in had doubts of its own, or the way in was a weak one.

    Weight of the widest mark, plus the bits by which the call is new; 0 without a mark.
    """
    return marked(view, DOUBTS)


def _human_use_evidence(view: View) -> str:
    marks = ", ".join(trait for trait in view.shape.traits if trait in ("console", "mfa"))
    return f"{view.shape.action} was made interactively ({marks}) with a machine identity"


@behaviour_signal(
    "Human use of a machine identity",
    ("NHI10:2025", "DE.CM-03"),
    control="rotate_secret",
    headline=3,
    evidence=_human_use_evidence,
)
def human_use(view: View) -> float | None:
    """A person at work (console session, second factor) with an identity that machines use.

    Whoever holds a machine's key can sign in to a console with it. It grows with the days on which nobody did, and one
    such day makes no habit of it: log2((active days + 1) / (days on which a person was seen + 1)), 0 below 2; None
    while it has no history.
    """
    if not by_hand(view.shape) or view.shape.identity.human:
        return 0.0
    own = view.past.own
    if not own.days:
        return None
    seen = own.dimension("human").values.get("yes")
    bits = log2((own.days + 1) / ((seen.days if seen else 0) + 1))
    return bits if bits >= ORDINARY else 0.0


CREDENTIAL_CREATION_MARKS = frozenset(
    {"deploy_key", "federated_credential", "new_credential", "new_credential_on_app", "orphan_token"}
)
"""Traits of records that made one, whatever the call is named."""


_CREATED = {
    "iam:CreateLoginProfile": "console password set for {}",
    "iam:UpdateLoginProfile": "console password changed for {}",
    "iam:CreateAccessKey": "access key created for {}",
    "iam:CreateUser": "user {} created",
}
"""What people call it, where the call says more than that a credential was created."""


def _credential_creation_phrase(view: View) -> str:
    targets = [last_part(target) for b in view.behaviours for target in b.targets]
    created = _CREATED.get(view.shape.action, "credential created for {}")
    return created.format(listing(targets, 1)) if targets else created.replace("{} ", "").replace(" for {}", "")


@behaviour_signal(
    "Credential created",
    ("T1098.001",),
    control="rotate_secret",
    headline=9,
    phrase=_credential_creation_phrase,
    evidence=lambda view: call_sentence(view, "creates a credential that outlasts the session"),
)
def credential_creation(view: View) -> float:
    """Makes a credential that outlives the session.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return max(in_class(view, "credential_creation"), on_mark(view, CREDENTIAL_CREATION_MARKS))


@behaviour_signal(
    "Secrets read",
    ("T1555.006",),
    control="rotate_secret",
    headline=20,
    evidence=lambda view: call_sentence(view, "reads secrets"),
)
def secret_reading(view: View) -> float:
    """Reads secrets or passwords, as this identity does not do.

    Bits by which the call is new for the identity, where it is of this kind.
    """
    return in_class(view, "secret_reading")


CLASS = "secret_reading"


@episode_signal(
    "Secrets read for the first time",
    ("T1555.006", "T1552.007"),
    control="rotate_secret",
    headline=21,
    on_ordinary_days=True,
    evidence=lambda episode: first_used_sentence(episode, CLASS, "secrets read"),
    phrase=lambda episode: f"{times(len(dict(first_used(episode, CLASS))), 'secret')} read for the first time",
    backing=lambda episode: [b for _, b in first_used(episode, CLASS)],
)
def secret_fan_out(episode: EpisodeView) -> float | None:
    """Reads secrets that this identity never read.

    log2(1 + number of secrets new to the identity); None without history.
    """
    return first_used_value(episode, CLASS)


HOST_CREDENTIAL_MARKS = {"odd_process": 1.0, "odd_parent": 2.0}


@behaviour_signal(
    "Credentials read on a host",
    ("T1552.001", "T1552.005"),
    control="rotate_secret",
    headline=22,
    evidence=lambda view: (
        f"{view.shape.action} by {view.shape.agent or 'a program'} ({marks(view, HOST_CREDENTIAL_MARKS)})"
    ),
)
def host_credential(view: View) -> float:
    """A program that has no business with credentials reads them on a host.

    Weight of how odd the program is, plus the bits by which program and act are new; 0 for the usual ones.
    """
    weight = max((HOST_CREDENTIAL_MARKS.get(trait, 0.0) for trait in view.shape.traits), default=0.0)
    return weight + max(view.action, view.agent) if weight else 0.0


def _moved(episode: EpisodeView) -> list[View]:
    homes: dict[str, dict[str, View]] = {}
    for view in episode.views:
        if view.remote:
            for session in {s for b in view.behaviours for s in b.sessions}:
                homes.setdefault(session, {})[_place(view)] = view
    found = {id(v): v for views in homes.values() if len(views) > 1 for v in views.values()}
    return sorted(found.values(), key=lambda view: (-view.owner - view.network, view.shape))


def _place(view: View) -> str:
    """The operator where it is known: one operator's addresses change all the time."""
    return view.network_facts.owner or view.shape.network


def _session_moved_phrase(episode: EpisodeView) -> str:
    moved = _moved(episode)
    home = [view for view in moved if not view.owner]
    outside = spelled(home[-1].network_facts) if home else ""
    return f"session used outside {outside}" if outside else "session used on two networks"


@episode_signal(
    "Session used from two networks",
    ("T1550.001", "T1552.005"),
    control="rotate_secret",
    needs=("network",),
    on_ordinary_days=True,
    headline=3,
    evidence=lambda episode: f"one session was used from {listing([_place(view) for view in _moved(episode)])}",
    phrase=_session_moved_phrase,
    backing=lambda episode: behaviours_of(_moved(episode)[:1]),
)
def session_moved(episode: EpisodeView) -> float:
    """One temporary session is used from networks of two operators: it left the place it was issued to.

    1 plus the bits of the less usual place; 0 when every session stayed.
    """
    moved = _moved(episode)
    return 1.0 + moved[0].owner + moved[0].network if moved else 0.0


def _shared(episode: EpisodeView) -> list[View]:
    """Views of sessions that more than one program used, the least usual program first."""
    programs: dict[str, dict[str, View]] = {}
    for view in episode.views:
        if view.remote and view.shape.agent:
            for session in {s for b in view.behaviours for s in b.sessions}:
                programs.setdefault(session, {})[view.shape.agent] = view
    found = {id(v): v for views in programs.values() if len(views) > 1 for v in views.values() if v.agent}
    return sorted(found.values(), key=lambda view: (-view.agent, view.shape))


def _session_two_clients_evidence(episode: EpisodeView) -> str:
    shared = _shared(episode)
    sessions = {s for b in behaviours_of(shared[:1]) for s in b.sessions}
    others = [v.shape.agent for v in episode.views if sessions & {s for b in v.behaviours for s in b.sessions}]
    return f"one session was used by the clients {listing(others)}"


@episode_signal(
    "Session used by two clients",
    ("T1550.001", "T1552.005"),
    control="rotate_secret",
    needs=("agent",),
    evidence=_session_two_clients_evidence,
    backing=lambda episode: behaviours_of(_shared(episode)[:1]),
)
def session_two_clients(episode: EpisodeView) -> float:
    """One temporary session is used with two programs: a copy of it works beside its owner.

    Bits by which the less usual program is new; 0 when every session had one program, or all of them are known.
    """
    shared = _shared(episode)
    return shared[0].agent if shared else 0.0
