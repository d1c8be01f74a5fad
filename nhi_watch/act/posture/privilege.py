"""Rights that are not used: granted against used where grants are given; used alone otherwise, which says so."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from nhi_watch.act.posture.exports import Grant
from nhi_watch.act.posture.finding import Finding
from nhi_watch.act.posture.matching import Scene, is_gone, is_machine
from nhi_watch.act.posture.rhythm import calls_unused
from nhi_watch.context import actions
from nhi_watch.detect.history import Life, short
from nhi_watch.detect.impact import privilege, reach_of
from nhi_watch.detect.signals._kit import listing

ENOUGH_DAYS = 30
"""Days of history before unused rights are called so."""
UNUSED_SHARE = 0.5
LEAST_SERVICES = 3
MANY_CALLS = 5


def granted(scene: Scene) -> Iterator[Finding]:
    """Grants that are far larger than what was used."""
    for grant in scene.exports.grants:
        life = scene.life_of(grant)
        if life is not None and (not is_machine(life) or is_gone(life)):
            continue
        found = _broad(scene, grant, life) or _services(scene, grant, life)
        if found is not None:
            yield found


def _seen_days(scene: Scene, life: Life | None) -> int:
    """Days for which the identity was watched; of one that was never seen: for which anything was."""
    first = life.profile.first if life is not None and life.profile.first >= 0 else scene.history.first_day
    return scene.today - first


def _broad(scene: Scene, grant: Grant, life: Life | None) -> Finding | None:
    """Administrators' rights with somebody who does not administrate."""
    used = reach_of(life.profile) if life else None
    level = privilege(used) if used else "nothing"
    if not grant.broad or level == "permissions" or _seen_days(scene, life) < ENOUGH_DAYS:
        return None
    services = listing(sorted(used.services)) if used and used.services else "nothing"
    evidence = (
        f"{grant.name}: granted {grant.broad} ({grant.source}); in {_seen_days(scene, life)} days it used {services}, "
        f"at most at the level {level!r}"
    )
    return Finding("over_privileged", scene.identity_of(grant), 50.0, evidence, grant.broad, life=life)


def _services(scene: Scene, grant: Grant, life: Life | None) -> Finding | None:
    """Services that are granted and were never used."""
    prefixes = {pattern.partition(":")[0].lower() for pattern in grant.allowed} - {"*", ""}
    used = _used_prefixes(life)
    unused = sorted(prefixes - used)
    days = _seen_days(scene, life)
    few = len(prefixes) < LEAST_SERVICES or len(unused) < UNUSED_SHARE * len(prefixes)
    if few or days < ENOUGH_DAYS or life is None:
        return None
    evidence = (
        f"{grant.name}: granted {len(prefixes)} services ({grant.source}), used {len(prefixes) - len(unused)} "
        f"in {days} days; never {listing(unused, 6)}"
    )
    urgency = 30.0 + 10.0 * any(_grants_rights(pattern) for pattern in grant.allowed)
    return Finding("over_privileged", scene.identity_of(grant), urgency, evidence, listing(unused, 12), life=life)


def _used_prefixes(life: Life | None) -> set[str]:
    """Prefixes of IAM of the services that an identity used, ever: rights for a yearly job are used.

    What is odd is learnt late: until then it is in the behaviours alone.
    """
    if life is None:
        return set()
    services = set(life.profile.dimension("service").values).union(*(sight.services for sight in life.sights))
    return {prefix for service in services for prefix in actions.prefixes(service)}


_RIGHTS = ("iam:passrole", "iam:createaccesskey", "iam:attachrolepolicy", "iam:putrolepolicy",
           "iam:createpolicyversion")  # fmt: skip


def _grants_rights(pattern: str) -> bool:
    """Whether a pattern lets its holder get more rights.

    >>> _grants_rights("iam:*"), _grants_rights("iam:Put*"), _grants_rights("s3:GetObject")
    (True, True, False)
    """
    return any(fnmatchcase(call, pattern.lower()) for call in _RIGHTS)


def no_longer_used(scene: Scene) -> Iterator[Finding]:
    """Calls that a busy identity stopped making, where no grants were given: what it may do is not known."""
    known = {scene.identity_of(grant).id for grant in scene.exports.grants}
    for life in scene.machines():
        busy = scene.today - life.profile.last < ENOUGH_DAYS and life.profile.days >= ENOUGH_DAYS
        if not busy or life.identity.id in known:
            continue
        unused = [c for c in calls_unused(life.profile, scene.today, scene.limits.idle_days) if _matters(c)]
        if len(unused) >= MANY_CALLS:
            evidence = (
                f"{short(life.identity)}: {len(unused)} kinds of writing calls were not made for "
                f"{scene.limits.idle_days} days or more, such as {listing(unused)}; what it is granted is not known"
            )
            yield Finding("unused_rights", life.identity, 20.0, evidence, listing(unused, 12), life=life)


def _matters(action: str) -> bool:
    service, _, operation = action.partition(":")
    return actions.access(service, operation) in ("permissions", "write", "cost")
