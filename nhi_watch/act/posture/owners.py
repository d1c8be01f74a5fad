"""Identities that nobody needs or nobody answers for, and machines' identities that people use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_watch.act.posture.finding import Finding
from nhi_watch.act.posture.matching import Scene
from nhi_watch.act.posture.rhythm import Silence, silence
from nhi_watch.context import assets
from nhi_watch.core.timestamps import render_day
from nhi_watch.detect.history import Life, short
from nhi_watch.state import inventory


def dormant(scene: Scene) -> Iterator[Finding]:
    """Identities whose silence their rhythm does not explain."""
    for life in scene.machines():
        quiet = silence(life.profile, scene.today, scene.limits.idle_days)
        if quiet.verdict == "unusual":
            evidence = f"{short(life.identity)}: {quiet.sentence}"
            yield Finding("dormant_identity", life.identity, 30.0, evidence, life=life)


def rare(scene: Scene) -> Iterator[tuple[Life, Silence]]:
    """Silent identities of which the logs cannot tell whether they will come back."""
    for life in scene.machines():
        quiet = silence(life.profile, scene.today, scene.limits.idle_days)
        if quiet.verdict in ("cannot_tell", "within_rhythm") and quiet.days >= scene.limits.idle_days:
            yield life, quiet


def orphaned(scene: Scene) -> Iterator[Finding]:
    """Identities without an owner: by the customer's table, by their cloud, or because their maker is gone."""
    for one in scene.exports.unowned:
        evidence = f"{one.name}: no owner is registered ({one.source})"
        yield Finding("orphaned_identity", scene.identity_of(one), 25.0, evidence, life=scene.life_of(one))
    for life in scene.machines():
        gone = _maker_gone(scene, life)
        if gone:
            yield Finding("orphaned_identity", life.identity, 40.0, f"{short(life.identity)}: {gone}", life=life)
        elif scene.assets and not assets.find(scene.assets, life.identity).owner and _active(scene, life):
            evidence = f"{short(life.identity)}: active, but the asset table names no owner"
            yield Finding("orphaned_identity", life.identity, 20.0, evidence, life=life)


def _active(scene: Scene, life: Life) -> bool:
    return scene.today - life.profile.last < scene.limits.idle_days


def _maker_gone(scene: Scene, life: Life) -> str:
    """Who made its credential and was deleted since; "" if nobody."""
    for credential in life.credentials:
        made = credential.latest("created")
        maker = scene.history.lives.get(made.by) if made else None
        if maker is None or maker is life:
            continue
        ends = [c for c in scene.history.names.get(inventory.name_key(maker.identity), ()) if c.what == "deleted"]
        if ends and maker.last <= ends[-1].time and maker.identity.kind != "role":
            return f"{credential.id} was made by {short(maker.identity)}, who was deleted since"
    return ""


def used_by_people(scene: Scene) -> Iterator[Finding]:
    """Machines' identities behind which a person was seen: a console, a browser, a second factor."""
    for life in scene.machines():
        seen = life.profile.dimension("human").values.get("yes")
        days = max(seen.days if seen else 0, len(life.hands))
        last = max([seen.last if seen else 0, *life.hands])
        if not days or scene.today - last > scene.limits.idle_days:
            continue
        evidence = (
            f"{short(life.identity)}: a person (console, browser or second factor) was seen on {days} of "
            f"{life.profile.days} active days, last on {render_day(last)}"
        )
        records = tuple(life.hands[day] for day in sorted(life.hands))
        yield Finding("human_use", life.identity, 35.0 + 10.0 * (days >= 3), evidence, records=records, life=life)


def plain(life: Life, quiet: Silence) -> dict[str, Any]:
    """A rare identity for `posture.json`."""
    return {"identity": life.identity.id, "name": life.identity.name, "verdict": quiet.verdict, "why": quiet.sentence}
