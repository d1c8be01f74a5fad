"""What checks look at: histories, exports and thresholds; and which export belongs to which identity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional, Union

from nhi_watch.act.posture.exports import Exports, Grant, Ownership, Secret
from nhi_watch.context.assets import Assets
from nhi_watch.core.event import Identity
from nhi_watch.detect.history import History, Life
from nhi_watch.state.baseline import Profile

_NOT_MACHINES = frozenset({"service", "anonymous", "identity_center", "account", "credential", "host_user"})


class Limits(NamedTuple):
    """From when on something is a finding."""

    secret_days: int = 90
    """Age of a long-lived secret."""
    idle_days: int = 90
    """Silence of an identity, a secret or a call."""


class Scene(NamedTuple):
    """All that the checks look at."""

    history: History
    exports: Exports
    assets: Assets
    limits: Limits
    now: int
    by_name: dict[str, Life]
    """Names and ids, in lower case → life; of several with one name the latest, since it took the name over."""

    @property
    def today(self) -> int:
        """The day of `now`."""
        return self.now // 86_400

    def machines(self) -> Iterator[Life]:
        """Lives of non-human identities that exist as far as the logs tell."""
        lives = (life for life in self.history.lives.values() if is_machine(life) and not is_gone(life))
        return (life for life in lives if not self._made_again(life))

    def _made_again(self, life: Life) -> bool:
        """Whether its ARN belongs to somebody else by now: it was deleted and made again under the same name."""
        identity = life.identity
        return identity.name.startswith("arn:") and self.by_name[identity.name.lower()] is not life

    def life_of(self, told: Union[Secret, Grant, Ownership]) -> Optional[Life]:
        """The life that an export speaks of."""
        return self.by_name.get(told.owner.lower())

    def identity_of(self, told: Union[Secret, Grant, Ownership]) -> Identity:
        """The identity of an export: the one of the logs, or one made of what the export tells."""
        life = self.life_of(told)
        if life is not None:
            return life.identity
        account = "" if isinstance(told, Ownership) else told.account
        unique = told.owner.rpartition("/")[2] if told.provider == "aws" else told.owner
        name = told.owner if told.provider == "aws" else told.name
        return Identity(f"{told.provider}:{account}:{told.kind}:{unique}"[:512], name, told.kind, told.provider,
                        account, "")  # fmt: skip


def scene(history: History, exports: Exports, assets: Assets, limits: Limits, now: int) -> Scene:
    """The scene of a look at `now` (0: the latest second in the logs)."""
    index: dict[str, Life] = {}
    for name, life in sorted(history.lives.items(), key=lambda pair: (-pair[1].last, pair[0])):
        for key in (life.identity.name.lower(), name.rpartition(":")[2].lower()):
            index.setdefault(key, life)
    return Scene(history, exports, assets, limits, max(now, history.now), index)


def is_machine(life: Life) -> bool:
    """Whether an identity is non-human: not named as a person's, and not mostly used by hand."""
    identity = life.identity
    return identity.kind not in _NOT_MACHINES and not identity.human and human_share(life.profile) <= 0.5


def is_gone(life: Life) -> bool:
    """Whether it was deleted and did nothing since."""
    ends = [change.time for change in life.done if change.what == "deleted"]
    return bool(ends) and life.last <= max(ends)


def human_share(profile: Profile) -> float:
    """Share of active days on which a person was seen behind it."""
    seen = profile.dimension("human").values.get("yes")
    return seen.days / max(1, profile.days) if seen else 0.0
