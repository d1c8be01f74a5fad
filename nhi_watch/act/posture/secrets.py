"""Secrets: too old, without an end, unused, or left behind after a rotation."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_watch.act.posture.exports import NEVER, Secret
from nhi_watch.act.posture.finding import Finding
from nhi_watch.act.posture.matching import Scene
from nhi_watch.act.posture.rhythm import silence
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.detect.history import Life
from nhi_watch.state.inventory import STANDS, Credential

MOST = 55.0
ROOT = 59.0
"""A key of the account's root may do everything."""


def check(scene: Scene) -> Iterator[Finding]:
    """Findings about secrets, from the exports first; the logs speak where no export does."""
    told: set[str] = set()
    for secret in scene.exports.secrets:
        life = scene.life_of(secret)
        told.add(life.identity.id if life else "")
        if secret.active and not _expired(scene, secret):
            yield from _exported(scene, secret, life)
    for life in scene.machines():
        if life.identity.id not in told:
            for credential in life.credentials:
                yield from _seen(scene, life, credential)


def _expired(scene: Scene, secret: Secret) -> bool:
    return 0 < secret.expires < scene.now


def _exported(scene: Scene, secret: Secret, life: Life | None) -> Iterator[Finding]:
    identity, limits = scene.identity_of(secret), scene.limits
    credential = secret.credential or _only_key(life)
    what = credential or f"{secret.label} of {secret.name}"
    age = (scene.now - secret.created) // DAY if secret.created else 0
    end = "it never expires" if secret.expires == NEVER else f"it expires {render(secret.expires)[:10]}"
    if secret.expires == 0:
        end = "its end is not told"
    lasting = secret.expires == NEVER or (secret.created and secret.expires - secret.created > 366 * DAY)
    if age >= limits.secret_days or (lasting and secret.provider in ("github", "entra")):
        evidence = f"{what}: {age} days old ({secret.source}), {end}"
        urgency = ROOT if secret.kind == "root" else _by_age(age)
        yield Finding("long_lived_secret", identity, urgency, evidence, what, credential, (), life)
    if secret.last_used == NEVER:
        idle, told = age, f"never used since it was made {age} days ago"
    elif secret.last_used:
        idle = (scene.now - secret.last_used) // DAY
        told = f"last used {idle} days ago"
    else:
        return
    if idle >= limits.idle_days and not _explained(scene, secret, life, idle):
        yield Finding("unused_secret", identity, 35.0, f"{what}: {told} ({secret.source})", what, credential, (), life)


def _explained(scene: Scene, secret: Secret, life: Life | None, idle: int) -> bool:
    """Whether the identity's rhythm explains that a secret was not used for so long."""
    if secret.last_used == NEVER:
        return False
    if life is not None and life.profile.last >= 0:
        quiet = silence(life.profile, scene.today, scene.limits.idle_days)
        return quiet.verdict in ("within_rhythm", "cannot_tell") and idle - quiet.days < 2
    once = secret.created > 0 and secret.last_used - secret.created < 7 * DAY
    return once and idle <= 400


def _only_key(life: Life | None) -> str:
    """The id of an identity's key where the logs know exactly one that still works."""
    alive = [c.id for c in life.credentials if _ended(c) == 0] if life else []
    return alive[0] if len(alive) == 1 else ""


def _ended(credential: Credential) -> int:
    """When it was switched off, deleted or called revoked; 0: it was not."""
    end = credential.latest("deactivated", "deleted", "resolved", "reactivated")
    return end.time if end is not None and end.what != "reactivated" else 0


def _by_age(days: int) -> float:
    """An urgency of 30, and 5 more for every doubling of 90 days.

    >>> _by_age(90), _by_age(180), _by_age(720), _by_age(9000), _by_age(0)
    (30.0, 35.0, 45.0, 55.0, 30.0)
    """
    urgency, limit = 30.0, 180
    while days >= limit and urgency < MOST:
        urgency, limit = urgency + 5.0, limit * 2
    return urgency


def _seen(scene: Scene, life: Life, credential: Credential) -> Iterator[Finding]:
    """Findings that the logs alone support."""
    if _ended(credential) or credential.id.startswith(STANDS):
        return
    made = credential.latest("created")
    start = made.time if made else credential.first
    if not start:
        return
    age = (scene.now - start) // DAY
    idle = (scene.now - credential.last) // DAY if credential.last else age
    records = (made.record_id,) if made else ()
    if age >= scene.limits.secret_days and idle < scene.limits.idle_days:
        least = "" if made else "at least "
        basis = "created" if made else "first seen in use"
        evidence = f"{credential.id}: {least}{age} days old ({basis} {render(start)[:10]}), and in use"
        yield Finding("long_lived_secret", life.identity, _by_age(age), evidence, credential.id, credential.id, records,
                      life)  # fmt: skip
    if idle >= scene.limits.idle_days:
        yield from _left(scene, life, credential, idle)


def _left(scene: Scene, life: Life, credential: Credential, idle: int) -> Iterator[Finding]:
    """A secret that nobody uses any more and nobody ended."""
    newer = [c.id for c in life.credentials if c.last > credential.last and c.id != credential.id]
    quiet = silence(life.profile, scene.today, scene.limits.idle_days)
    if newer:
        told = f"not used for {idle} days while {newer[0]} is, and never seen switched off"
    elif credential.last == 0:
        told = f"never seen in use since it was made {idle} days ago"
    elif quiet.verdict == "unusual":
        told = f"not used for {idle} days and never seen switched off; {quiet.sentence}"
    else:
        return
    evidence = f"{credential.id}: {told}"
    yield Finding("unused_secret", life.identity, 35.0, evidence, credential.id, credential.id, (), life)
