"""A finding, and what it looks like as a notable of kind `posture`.

A finding says what could be used, not that it is: it claims no intrusion, so its likelihood is 0, and its severity
follows an urgency by kind and evidence, of which the highest is medium: what happens comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional

from nhi_watch.context.assets import Asset, Assets
from nhi_watch.core.event import Identity
from nhi_watch.core.notable import Dimension, ModelRef, Notable, ObservedValue, clip
from nhi_watch.core.status import Receipt
from nhi_watch.core.timestamps import DAY
from nhi_watch.detect.explain.claims import digest
from nhi_watch.detect.explain.fields import control_of, identity_of, make, notable_id, signal_of, usual_of
from nhi_watch.detect.history import History, IdentityHistory, short
from nhi_watch.detect.impact import BlastRadius, impact
from nhi_watch.state import baseline
from nhi_watch.state.baseline import Profile

MODEL = "posture-rules-1"


class FindingKind(NamedTuple):
    """One sort of finding."""

    title: str
    ids: tuple[str, ...]
    """Framework ids that the evidence supports."""
    rotate: str
    """What to do about the secret; "": nothing."""
    reduce: str
    """What to do about the rights; "": nothing."""


KINDS = {
    "long_lived_secret": FindingKind(
        "Long-lived secret",
        ("NHI7:2025", "PR.AA"),
        "Replace {what} by a new one, preferably short-lived; disable the old one, watch, delete it.",
        "",
    ),
    "unused_secret": FindingKind(
        "Unused secret", ("NHI1:2025", "PR.AA"), "Disable {what}; delete it if nothing breaks.", ""
    ),
    "dormant_identity": FindingKind(
        "Dormant identity",
        ("NHI1:2025", "PR.AA"),
        "Disable its credentials, or forbid assuming it.",
        "Remove its permissions; delete it if nothing breaks.",
    ),
    "orphaned_identity": FindingKind(
        "No owner", ("NHI1:2025", "GV.RR"), "", "Find an owner, or remove its permissions."
    ),
    "human_use": FindingKind(
        "Used by a person",
        ("NHI10:2025", "DE.CM-03"),
        "Replace the credential that the person uses; give people accounts of their own.",
        "",
    ),
    "shared_environments": FindingKind(
        "One identity across environments",
        ("NHI8:2025", "PR.AA"),
        "",
        "Give each environment its own identity, without access to the others.",
    ),
    "reused_credential": FindingKind(
        "One identity for several applications",
        ("NHI9:2025", "PR.AA"),
        "Give each application its own credential, then replace the shared one.",
        "",
    ),
    "over_privileged": FindingKind(
        "More permissions than it uses", ("NHI5:2025", "PR.AA"), "", "Remove permissions that were not used: {what}."
    ),
    "unused_rights": FindingKind(
        "Permissions for calls that it no longer makes",
        ("NHI5:2025", "PR.AA"),
        "",
        "Remove unless a rare job needs them: {what}.",
    ),
}


MEDIUM = 40.0
"""Urgency from which a finding is medium; below it is low."""


class Finding(NamedTuple):
    """One thing that is wrong with one identity."""

    kind: str
    identity: Identity
    urgency: float
    """0 to 59: posture is never more urgent than what happens."""
    evidence: str
    """One sentence, with numbers and where they come from."""
    what: str = ""
    """What is to be rotated or taken away."""
    credential: str = ""
    records: tuple[str, ...] = ()
    identity_history: Optional[IdentityHistory] = None

    @property
    def id(self) -> str:
        """The same for the same thing, whenever one looks."""
        subject = self.credential or self.what * (self.kind in _BY_WHAT)
        return notable_id("posture", self.kind, self.identity.id, subject)


_BY_WHAT = ("long_lived_secret", "unused_secret")
"""Kinds of which one identity may have several, one for each secret."""


def build(finding: Finding, reach: BlastRadius, asset: Asset, now: int) -> Notable:
    """The notable."""
    kind, identity, identity_history, what = (
        KINDS[finding.kind],
        finding.identity,
        finding.identity_history,
        finding.what or "its secrets",
    )
    profile = identity_history.profile if identity_history else Profile()
    first = profile.first * DAY if profile.first >= 0 else now
    named = [Dimension("credential", (), (ObservedValue(clip(finding.credential, 200), False, 0),))]
    return make(
        finding.id,
        "posture",
        identity_of(identity, asset.owner),
        f"Posture: {clip(short(identity), 80)}: {kind.title[0].lower()}{kind.title[1:]}",
        finding.evidence,
        when=(now, min(first, now), now),
        eve=now // DAY,
        severity="medium" if finding.urgency >= MEDIUM else "low",
        signals=[signal_of(finding.kind, finding.evidence, round(finding.urgency, 1), records=finding.records)],
        controls=[
            control_of(
                name, text.format(what=what) or "Nothing to do for this finding.", "open" if text else "not_applicable"
            )
            for name, text in (("rotate_secret", kind.rotate), ("reduce_privilege", kind.reduce))
        ],
        impact=impact(asset, reach),
        ids=kind.ids,
        sources=[identity.provider],
        usual=usual_of(
            profile, named if finding.credential else [], identity_history.last if identity_history else None
        ),
        record_ids=finding.records,
        record_count=len(finding.records),
        model=ModelRef(MODEL, RULES),
        receipt=Receipt(RULES, digest([finding.kind, finding.urgency]), digest(baseline.to_row(profile))),
    )


RULES = digest({name: list(kind) for name, kind in KINDS.items()})
"""The SHA-256 of the rules."""


# ---- rhythm
#
# Whether silence means that nobody needs an identity any more: a job that runs once a year is silent 364 days.
#
# | what is known | silence is unusual when |
# |---|---|
# | active in more than one week | it is longer than the limit and than 1.5 × the longest pause so far |
# | all activity within one week | never: it may come back every year. Longer than 400 days it is unusual all the same |
#
# The second row is why a log of less than a year says *cannot tell* about what ran only once.


YEAR = 400
"""Days after which even a yearly job should have come back."""
ONCE = 7
"""All activity within so many days counts as one run."""
STRETCH = 1.5


class Silence(NamedTuple):
    """How long an identity was silent, and what that means."""

    days: int
    verdict: str
    """unusual | within_rhythm | cannot_tell | short"""
    sentence: str


def silence(profile: Profile, today: int, limit: int) -> Silence:
    """The silence of an identity on a day.

    >>> monthly = Profile()
    >>> for day in (0, 30, 60, 90): monthly.learn(day, {})
    >>> [silence(monthly, day, 20).verdict for day in (100, 120, 150)]
    ['short', 'within_rhythm', 'unusual']
    """
    if profile.last < 0:
        return Silence(0, "cannot_tell", "never seen in the logs")
    days = today - profile.last
    if days < limit:
        return Silence(days, "short", f"last seen {days} days ago")
    span = profile.last - profile.first + 1
    if span <= ONCE:
        return _once(days, span)
    pause = profile.gaps
    text = f"silent for {days} days; its longest pause in the {span} days before was {pause}"
    return Silence(days, "unusual" if days > STRETCH * (pause + 1) else "within_rhythm", text)


def _once(days: int, span: int) -> Silence:
    if days > YEAR:
        return Silence(days, "unusual", f"silent for {days} days after a single run of {span} days")
    return Silence(days, "cannot_tell", f"ran once, {days} days ago: it may be a yearly job")


def calls_unused(profile: Profile, today: int, limit: int) -> list[str]:
    """Calls that a busy identity has not made for longer than its own rhythm of making them explains.

    A call seen on fewer than three days has no rhythm yet and is left alone.
    """
    unused = []
    for action, seen in profile.dimension("action").values.items():
        if seen.days < 3:
            continue
        between = (seen.last - seen.first) / (seen.days - 1)
        if today - seen.last > max(limit, 3 * between):
            unused.append(action)
    return sorted(unused)


# ---- scene
#
# What checks look at: histories, grants and thresholds; and which grant belongs to which identity.


_NOT_MACHINES = frozenset({"service", "anonymous", "identity_center", "account", "credential", "host_user"})


class FindingLimits(NamedTuple):
    """From when on something is a finding."""

    secret_days: int = 90
    """Age of a long-lived secret."""
    idle_days: int = 90
    """Silence of an identity, a secret or a call."""


class Grant(NamedTuple):
    """What a user or role of AWS may do."""

    owner: str
    """Its ARN."""
    name: str
    account: str
    kind: str
    allowed: tuple[str, ...]
    """Patterns of actions, `service:Operation` with `*`."""
    broad: str
    """Why the grant is broad by itself, or ""."""
    last_used: int


class Scene(NamedTuple):
    """All that the checks look at."""

    history: History
    grants: Optional[Sequence[Grant]]
    """None: they were not given."""
    assets: Assets
    limits: FindingLimits
    now: int
    by_name: dict[str, IdentityHistory]
    """Names and ids, in lower case → life; of several with one name the latest, since it took the name over."""

    @property
    def today(self) -> int:
        """The day of `now`."""
        return self.now // 86_400

    def machines(self) -> Iterator[IdentityHistory]:
        """Histories of non-human identities that, by the logs, still exist."""
        candidates = (
            identity_history
            for identity_history in self.history.identities.values()
            if is_machine(identity_history) and not is_gone(identity_history)
        )
        return (identity_history for identity_history in candidates if not self._is_recreated(identity_history))

    def _is_recreated(self, identity_history: IdentityHistory) -> bool:
        """Whether its ARN belongs to somebody else by now: it was deleted and made again under the same name."""
        identity = identity_history.identity
        return identity.name.startswith("arn:") and self.by_name[identity.name.lower()] is not identity_history

    def history_of(self, grant: Grant) -> Optional[IdentityHistory]:
        """The life that a grant speaks of."""
        return self.by_name.get(grant.owner.lower())

    def identity_of(self, grant: Grant) -> Identity:
        """The identity of a grant: the one of the logs, or one built from the grant."""
        identity_history, unique = self.history_of(grant), grant.owner.rpartition("/")[2]
        identity = Identity(
            f"aws:{grant.account}:{grant.kind}:{unique}"[:512], grant.owner, grant.kind, "aws", grant.account, ""
        )
        return identity if identity_history is None else identity_history.identity


def scene(
    history: History, grants: Optional[Sequence[Grant]], assets: Assets, limits: FindingLimits, now: int
) -> Scene:
    """The scene of a look at `now` (0: the latest second in the logs)."""
    index: dict[str, IdentityHistory] = {}
    for name, identity_history in sorted(history.identities.items(), key=lambda pair: (-pair[1].last, pair[0])):
        for key in (identity_history.identity.name.lower(), name.rpartition(":")[2].lower()):
            index.setdefault(key, identity_history)
    return Scene(history, grants, assets, limits, max(now, history.now), index)


def is_machine(identity_history: IdentityHistory) -> bool:
    """Whether an identity is non-human: not named as a person's, and not mostly used by hand."""
    identity = identity_history.identity
    return identity.kind not in _NOT_MACHINES and not identity.human and human_share(identity_history.profile) <= 0.5


def is_gone(identity_history: IdentityHistory) -> bool:
    """Whether it was deleted and did nothing since."""
    ends = [change.time for change in identity_history.done if change.what == "deleted"]
    return bool(ends) and identity_history.last <= max(ends)


def human_share(profile: Profile) -> float:
    """Share of active days on which a person was seen behind it."""
    seen = profile.dimension("human").values.get("yes")
    return seen.days / max(1, profile.days) if seen else 0.0
