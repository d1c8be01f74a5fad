"""`nhi show`: one identity: what it is, does and reaches, its notables, and what is missing for a row of the list."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.core.timestamps import DAY, render, render_day
from nhi_watch.hosts.files import common, listing

if TYPE_CHECKING:
    from nhi_watch.core.event import Identity
    from nhi_watch.detect.scoring import Episode
    from nhi_watch.hosts.files.listing import Row
    from nhi_watch.state.baseline import Profile
    from nhi_watch.state.sqlite import SqliteStore

Json = dict[str, Any]
CANDIDATES = 12
"""Identities that are named where a text fits several."""
_USES = 40
"""Identities that are shown of those that used an address, a key or a session."""
_VALUES = 6
_KEYS = 10
_HABITS = (
    ("calls", "action"),
    ("services", "service"),
    ("operators", "owner"),
    ("networks", "network"),
    ("clients", "agent"),
    ("regions", "region"),
)
"""What people call a dimension of a profile, and its name."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi show` takes."""
    about = (
        "any part of its name or id, a key's id, or one of its notables by rank or id; or an address, a network, "
        "a key or a session: who used it, in all logs that were read"
    )
    parser.add_argument("identity", metavar="IDENTITY", help=about)
    parser.add_argument("--model", type=Path, metavar="DIR", help="folder of another model (default: the one in use)")
    parser.add_argument("--networks", type=Path, metavar="CSV", help="your own networks, as given to `nhi score`")
    parser.add_argument("--all", action="store_true", help="show signals that add little, too")
    parser.add_argument("--logs", action="store_true", help="search the logs for a key or a session")
    common.add_state(parser, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Show an identity.

    Raises:
        InputError: nobody or several are meant; those that may be are named.
    """
    from nhi_watch.hosts.files import trace

    has_list = (args.out / "notables.jsonl").exists() or (args.out / "posture.jsonl").exists()
    rows = listing.with_verdicts(args, listing.rows(args.out), has_ended=True) if has_list else []
    if args.logs or trace.network_of(args.identity) is not None:
        return _show_uses(args, rows, console)
    with common.opened(args, read_only=True) as store:
        facts = _details(args, store, _meant(store, args.identity, rows), rows)
    if args.json:
        common.print_json({**facts, "notables": [listing.flat(row) for row in facts["notables"]]}, console)
    else:
        _show(args, facts, rows, console)
    return 0


def _show_uses(args: argparse.Namespace, rows: Sequence[Row], console: Console) -> int:
    """Who used an address, a key or a session, and which notables hold its records.

    Raises:
        InputError: no log that was read and is still there holds it.
    """
    from nhi_watch.core.notable import short_ids
    from nhi_watch.hosts.files import trace
    from nhi_watch.report import words

    if len(args.identity.strip()) < 3:
        raise InputError(f"{args.identity!r} is too short: give an address, a network, or an id in full")
    uses = trace.search(common.state_of(args), args.identity)
    lost = f"; {uses.lost:,} more that were read are no longer there" if uses.lost else ""
    searched = f"{words.some(uses.files, 'file')} searched{lost}"
    if not uses.uses:
        raise InputError(f"no record holds {uses.text[:60]!r} as an address, key or session ({searched})")
    who = {use.identity.id for use in uses.uses}
    mine = [row for row in rows if not uses.records.isdisjoint(row["record_ids"])]
    others = [row for row in rows if row not in mine and row["identity"]["id"] in who and listing.stands(row)]
    plain = {
        "text": uses.text,
        "files": uses.files,
        "lost": uses.lost,
        "uses": [use.plain() for use in uses.uses],
        "notables": [row["id"] for row in mine],
        "notables_of_them": [row["id"] for row in others],
    }
    if args.json:
        common.print_json(plain, console)
        return 0
    total = sum(sum(use.calls.values()) for use in uses.uses)
    users = words.some(len(uses.uses), "identity")
    common.say(console, f"{uses.text}: {words.some(total, 'call')} by {users}; {searched}")
    for use in uses.uses[:_USES]:
        item = use.plain()
        kinds = ", ".join(f"{name} {count:,}×" for name, count in item["kinds"].items())
        common.say(
            console,
            f"{item['kind']} {item['identity']}  ({item['identity_id']})",
            f"  {words.clock(item['first'])} to {words.clock(item['last'])} UTC: "
            f"{words.some(item['calls'], 'call')}, {item['refused']:,} refused or failed; {kinds}",
        )
    if uses.uses[_USES:]:
        common.say(console, f"and {len(uses.uses) - _USES:,} more identities: --json")
    for title, part in (("Notables that hold these records", mine), ("Other notables of these identities", others)):
        if part:
            common.say(console, f"{title} ({len(part)}):")
            listing.tell(part, short_ids(row["id"] for row in rows), console)
    return 0


# ---- who is meant


class _Matches(NamedTuple):
    identity: Identity
    last: int
    """Second at which it was last seen; 0: not known."""


def _meant(store: SqliteStore, text: str, rows: Sequence[Row]) -> Identity:
    from nhi_watch.state import inventory

    plain = text.strip()
    if plain.isdecimal() and len(plain) < 7:
        return _of_notable(store, next((row for row in rows if str(row["rank"]) == plain), None), plain)
    if len(plain) < 3:
        raise InputError(f"{text!r} is too short: give three letters of a name, an id or a key")
    key = inventory.credential(store, plain)
    known_identities = inventory.known_of(store, [plain, *(user.id for user in (key.users if key else ())[:1])])
    if known_identities:  # an id or a key in full: nobody has to be looked for
        return next(iter(known_identities.values())).identity
    known, keys = inventory.named(store, plain)
    matches = {each.identity.id: _Matches(each.identity, each.last) for each in known}
    by_key = [key.identity for key in keys if plain.lower() in key.id.lower() and key.identity is not None]
    for user in by_key:
        matches.setdefault(user.id, _Matches(user, 0))
    exact = [match.identity for match in matches.values() if plain in _names(match.identity)]
    if len(exact) == 1 or len(matches) == 1:
        return (exact or [match.identity for match in matches.values()])[0]
    if not matches:
        lower = plain.lower()
        fits = [row for row in rows if row["id"].startswith(lower)]
        fits = fits or [row for row in rows if listing.concerns(row, plain)]
        if len({row["identity"]["id"] for row in fits}) <= 1:
            return _of_notable(store, fits[0] if fits else None, plain)
        matches = {row["identity"]["id"]: _Matches(_of_notable(store, row, plain), 0) for row in fits}
    ordered = sorted(matches.values(), key=lambda match: (-match.last, match.identity.name))
    more = f"\n  and {len(ordered) - CANDIDATES:,} more" if len(ordered) > CANDIDATES else ""
    candidates = "".join(f"\n  {_line(match)}" for match in ordered[:CANDIDATES])
    raise InputError(
        f"{len(matches):,} identities match {plain[:60]!r}; give more of a name, or an id:{candidates}{more}"
    )


def _names(identity: Identity) -> tuple[str, ...]:
    return identity.id, identity.name, identity.name.rpartition("/")[2]


def _line(match: _Matches) -> str:
    from nhi_watch.report.words import visible

    seen = f", last seen {render(match.last)[:10]}" if match.last else ""
    return visible(
        f"{match.identity.kind} {match.identity.name or match.identity.id}  ({match.identity.id}{seen})", 200
    )


def _of_notable(store: SqliteStore, row: Optional[Row], text: str) -> Identity:
    """The identity of a notable; there are some that only notables know."""
    from nhi_watch.core.event import Identity
    from nhi_watch.state import inventory

    if row is None:
        raise InputError(
            f"no identity has a name, id or key that contains {text[:60]!r}, and there is no such notable "
            "(--logs searches the logs for it as a session or key)"
        )
    known = inventory.known_of(store, [row["identity"]["id"]]).get(row["identity"]["id"])
    if known is not None:
        return known.identity
    parts = row["identity"]["id"].split(":")
    kind = parts[2] if len(parts) > 2 else ""
    return Identity(row["identity"]["id"], row["identity"]["name"], kind, parts[0], row["identity"]["account"], "")


# ---- what is shown


def _details(args: argparse.Namespace, store: SqliteStore, identity: Identity, rows: Sequence[Row]) -> Json:
    from nhi_watch.context import assets, networks
    from nhi_watch.core.behaviour import IdentityDay
    from nhi_watch.detect import impact, model
    from nhi_watch.detect.scoring import Baselines, score_day
    from nhi_watch.state import inventory
    from nhi_watch.state.baseline import Profile, peer_scope
    from nhi_watch.state.state import State

    state = State(store)
    keys = {f"{day:06d}/{identity.id}": day for day in state.daybook.days}
    last_scored = max((keys[key] for key in store.get("delta", list(keys))), default=None)
    day = max(state.next_open_day() if last_scored is None else last_scored, state.daybook.first_unlearnt)
    identity_day = state.load_some(day, [identity.id]).get(identity.id)
    loaded = model.load(args.model or model.FOLDER)
    baselines = Baselines(loaded, networks.load(args.networks) if args.networks else networks.SHIPPED)
    state.fill(baselines, {identity.id: identity_day or IdentityDay(day)}, day, [peer_scope(identity)])
    profile = baselines.own.get(identity.id) or Profile()
    known_assets = common.load_assets(args.assets)
    asset = assets.find(known_assets, identity)
    seen = inventory.known_of(store, [identity.id]).get(identity.id)
    mine = [row for row in rows if identity.id in (row["identity"]["id"], *(member["id"] for member in row["members"]))]
    acted = identity_day or (
        None if last_scored is None else state.load_some(last_scored, [identity.id]).get(identity.id)
    )
    reach = impact.blast_radius(profile, acted.behaviours.values() if acted else (), today=day)
    facts: Json = {
        "identity": {
            "id": identity.id, "name": identity.name, "kind": identity.kind, "provider": identity.provider,
            "account": identity.account, "owner": asset.owner, "criticality": asset.criticality,
            "environment": asset.environment, "first_seen": render(seen.first) if seen else None,
            "last_seen": render(seen.last) if seen else None,
        },
        "keys": list(_keys(store, identity, profile)),
        "done_to_it": [_change(change) for change in inventory.done_to(store, identity)],
        "usual": _usual(profile, day),
        "reaches": {"text": impact.sentence(reach), "services": sorted(reach.services),
                    "access": impact.privilege(reach), "impact": impact.impact(asset, reach).level},
        "notables": mine,
        "latest": None,
    }  # fmt: skip
    if last_scored is not None:
        episode = score_day(baselines, identity_day) if identity_day is not None else None
        facts["latest"] = _latest(last_scored, episode, (baselines, known_assets), mine, rows)
    return facts


def _keys(store: SqliteStore, identity: Identity, profile: Profile) -> Iterator[Json]:
    from nhi_watch.state import inventory

    used = profile.dimension("credential").values
    recent = sorted(used, key=lambda name: -used[name].last)[:_KEYS]
    for known in filter(None, (inventory.credential(store, name) for name in recent)):
        yield {
            "id": known.id,
            "first_used": render(known.first) if known.first else None,
            "last_used": render(known.last) if known.last else None,
            "changes": [_change(change) for change in known.changes],
            "used_by": [user.id for user in known.users if user.id != identity.id],
        }


def _change(change: Any) -> Json:
    what = " ".join(filter(None, (change.what, change.traits.replace("_", " "))))
    return {"time": render(change.time), "what": what, "by": change.by, "record": change.record_id}


def _usual(profile: Profile, day: int) -> Json:
    habits: Json = {"days": profile.days, "until": render_day(day - 1)}
    for name, dimension in _HABITS:
        values = profile.dimension(dimension).values
        top = sorted(values, key=lambda v: (-values[v].days, -values[v].count, v))
        habits[name] = [{"value": v, "days": values[v].days} for v in top[:_VALUES]]
        habits[f"{name}_known"] = len(values)
    return {**habits, "hours": sorted(map(int, profile.dimension("hour").values))}


def _latest(
    day: int, episode: Optional[Episode], basis: tuple[Any, Any], mine: Sequence[Row], rows: Sequence[Row]
) -> Json:
    """How the latest day was scored, and what is missing for a row."""
    from nhi_watch.core.notable import expected_risk, to_json
    from nhi_watch.detect.explain.notables import build

    date = render_day(day)
    if episode is None:
        return {"day": date, "place": "that day is closed, so it cannot be scored again"}
    baselines, assets = basis
    built = build(episode, baselines, assets)
    document = to_json(built)
    risk = expected_risk(built.likelihood, built.impact)
    row_status = _row_status(date, (episode, risk, built.impact.level), mine, rows)
    return {
        "day": date,
        "loss": risk,
        "place": row_status,
        **{name: document[name] for name in ("likelihood", "severity", "signals", "impact", "record_count")},
    }


def _row_status(date: str, scored: tuple[Episode, float, str], mine: Sequence[Row], rows: Sequence[Row]) -> str:
    from nhi_watch.core.notable import IMPACTS, risk_of
    from nhi_watch.core.timestamps import parse
    from nhi_watch.detect import ranking
    from nhi_watch.detect.scoring import CRITICAL

    episode, risk, level = scored
    kinds = ("compromise", "exposure") if risk >= ranking.LEAST else ("compromise",)  # an exposure may include it
    own = [row for row in mine if row["kind"] in kinds and row["first_time"][:10] <= date <= row["last_time"][:10]]
    for row in sorted(own, key=lambda row: not row["listed"]):
        if listing.is_handled(row):
            why = row.get("verdict") or row["closed_why"]
            return f"none any more: notable {row['rank'] or row['id'][:8]} of it was dealt with ({why})"
        if row["listed"]:
            return f"rank {row['rank']} of the list"
    if not ranking.is_watched(episode):
        return f"none: of kind {episode.identity.kind}, which cannot be stolen"
    if episode.likelihood < ranking.FLOOR:
        return f"none: a likelihood under {ranking.FLOOR:g}% is not a notable"
    if not ranking.is_eligible(episode, episode.likelihood):
        return (
            "none: a person without a key needs a higher likelihood, because people do new things every day: "
            f"{ranking.PEOPLE:g}%, and {CRITICAL:g}% of those with little history"
        )
    if risk < ranking.LEAST:
        need = ranking.LEAST / IMPACTS[level]
        return (
            f"not listed: an expected loss of {risk:g} (likelihood × impact) is less than {ranking.LEAST:g}, "
            f"severity low; at {level} impact that takes a likelihood of {need:.0f}%"
        )
    since = render(max(0, parse(f"{date}T00:00:00Z") - (ranking.WEEK - 1) * DAY))[:10]
    thefts = (row for row in rows if row["kind"] == "compromise")
    graver = sum(risk_of(row) > risk and since <= row["last_time"][:10] <= date for row in thefts)
    return (
        f"not listed: it is severe enough, but {graver:,} more severe ones were listed within the week, and the "
        "budget has no row for more"
    )


# ---- on a terminal


def _show(args: argparse.Namespace, facts: Json, rows: Sequence[Row], console: Console) -> None:
    from rich.text import Text

    from nhi_watch.core.notable import short_ids
    from nhi_watch.report.words import short_name, visible

    who = facts["identity"]
    named = short_name(who)
    kind = "" if named.startswith(f"{who['kind']}/") else f"{who['kind']} "
    console.print(Text(visible(f"{kind}{named}"), "bold"))
    for line in _facts(facts):
        console.print(Text(visible(line, 600)), soft_wrap=True)
    if facts["notables"]:
        console.print(Text(f"Notables ({len(facts['notables'])}):"))
        listing.tell(facts["notables"], short_ids(row["id"] for row in rows), console)
    else:
        console.print(Text("Notables: none, listed or not"))
    for line in _verdict(facts["latest"], args.all, console):
        console.print(Text(visible(line, 600)), soft_wrap=True)


def _facts(facts: Json) -> Iterator[str]:
    who, usual, reaches = facts["identity"], facts["usual"], facts["reaches"]
    yield f"{who['id']}  {who['name']}"
    more = [
        who["provider"],
        f"account {who['account'] or 'unknown'}",
        f"owner {who['owner'] or 'unknown'}",
        who["criticality"] and f"criticality {who['criticality']}",
        who["environment"],
    ]
    yield ", ".join(filter(None, more))
    if who["first_seen"]:
        yield f"First seen {who['first_seen']}, last {who['last_seen']}"
    for key in facts["keys"]:
        changes = "".join(f"; {change['what']} {change['time']} by {change['by']}" for change in key["changes"])
        others = f"; also used by {', '.join(key['used_by'])}" if key["used_by"] else ""
        yield f"Key {key['id']}: used {key['first_used'] or 'never'} to {key['last_used'] or 'never'}{changes}{others}"
    for change in facts["done_to_it"]:
        yield f"Was {change['what']} {change['time']} by {change['by']}"
    if not usual["days"]:
        yield "Usually: there is no history before its latest day"
    elif not any(usual[name] for name, _ in _HABITS):
        yield "Usually: there is no history of it yet, because suspicious days are not learned"
    else:
        yield f"Usually, by {usual['days']} active day{'s'[: usual['days'] != 1]} up to {usual['until']}:"
        for name, _ in _HABITS:
            values = ", ".join(f"{value['value']} ({value['days']} d)" for value in usual[name])
            left = usual[f"{name}_known"] - len(usual[name])
            yield f"  {name}: {values or 'none'}{f' and {left:,} more' if left else ''}"
        yield f"  hours: {_ranges(usual['hours'])} UTC"
    yield f"Reaches: {reaches['text']}; most powerful access {reaches['access']}, impact {reaches['impact']}"


def _ranges(hours: Sequence[int]) -> str:
    """Hours in a row as one.

    >>> _ranges([0, 1, 2, 9, 23])
    '0–2, 9, 23'
    """
    runs: list[list[int]] = []
    for hour in hours:
        if runs and hour == runs[-1][-1] + 1:
            runs[-1].append(hour)
        else:
            runs.append([hour])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _verdict(latest: Any, every: bool, console: Console) -> Iterator[str]:
    from nhi_watch.report import terminal
    from nhi_watch.report.words import amount

    if latest is None:
        yield "It was not scored within the days that are kept"
        return
    if "likelihood" not in latest:
        yield f"Latest day {latest['day']}: {latest['place']}"
        return
    calls = f"{amount(latest['record_count'])} call{'s'[: latest['record_count'] != 1]}"
    yield (
        f"Latest day {latest['day']}: {calls}, likelihood {latest['likelihood']:g}%, severity {latest['severity']} "
        f"(expected loss {latest['loss']:g})"
    )
    if any(signal["value"] for signal in latest["signals"]):
        console.print(terminal.bars(latest, every))
    else:
        yield "Nothing in it is unusual"
    yield f"Row: {latest['place']}"
