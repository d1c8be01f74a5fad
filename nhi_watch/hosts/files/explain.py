"""`nhi explain`: why a notable is as likely as it is."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Optional

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import dimensions_of
from nhi_watch.core.status import tells_calls
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.files import common, find, note
from nhi_watch.report import words

if TYPE_CHECKING:
    from nhi_watch.detect.explain import ordinary
    from nhi_watch.state.store import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi explain` takes."""
    parser.add_argument("id", metavar="ID", help=find.ABOUT)
    parser.add_argument("--all", action="store_true", help="also show routine calls, and signals that add little")
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Show one notable.

    Raises:
        InputError: there is no such notable, or no results at all.
    """
    from nhi_watch.hosts.files import originals
    from nhi_watch.report import terminal

    notable = _notable(args)
    if args.json:
        common.print_json(notable, console)
    else:
        terminal.show_explanation(notable, console, originals.of(args.out, notable), args.all)
        verdict, work = _said(args, notable)
        lines = (
            *_ordinary(args, notable),
            *_colleagues(args, notable),
            *work,
            verdict,
            _next(args, notable, bool(verdict)),
        )
        common.say(console, *filter(None, lines))
    return 0


def _next(args: argparse.Namespace, notable: NotableDocument, has_verdict: bool) -> str:
    nhi, name, place = common.program(), find.short(args.out, notable["id"]), common.place(args.out, args.state)
    text = f"Next: {nhi} brief {name} {place}"
    text += f"; {nhi} respond plan {name} {place}" if notable["record_ids"] else ""  # a silent log: nobody to act on
    said = f"; then give your verdict: {nhi} feedback {name} confirmed|benign --by YOU --why REASON {place}"
    return text if has_verdict else text + said


def _said(args: argparse.Namespace, notable: NotableDocument) -> tuple[str, list[str]]:
    """What people said that it was, "" where nothing yet; and who works on it, with notes."""
    if not common.state_of(args).exists():
        return "", []
    with common.opened(args, read_only=True) as store:
        given, work = find.verdicts(store).get(notable["id"]), find.work(store).get(notable["id"])
    verdict = f"Verdict: {given.verdict}, by {given.by} on {render(given.time)[:10]}: {given.why}" if given else ""
    return verdict, [f"Work: {notes[0]}", *notes[1:]] if work and (notes := note.lines(work)) else []


def _ordinary(args: argparse.Namespace, notable: NotableDocument) -> list[str]:
    """What speaks for an ordinary explanation of a notable, and what against; see `detect.explain.ordinary`."""
    from nhi_watch.detect.explain import ordinary

    if not tells_calls(notable):
        return []
    colleagues = None
    if common.state_of(args).exists():
        with common.opened(args, read_only=True) as store:
            colleagues = _profiles(store, notable)
    return ordinary.lines(ordinary.weigh(notable, colleagues))


def _profiles(rows: Rows, notable: NotableDocument) -> Optional[ordinary.Colleagues]:
    """The identity's own profile, its peers' and the tenant's, of closed days; None before a day was closed."""
    from nhi_watch.core.behaviour import IdentityDay
    from nhi_watch.core.event import Identity
    from nhi_watch.detect.explain.ordinary import Colleagues
    from nhi_watch.state.baseline import TENANT, Profile, Profiles, peer_scope
    from nhi_watch.state.state import State

    state, profiles, who = State(rows), Profiles(), notable["identity"]
    if not state.daybook.closed_days:
        return None
    scope = peer_scope(Identity(who["id"], who["name"], who["kind"], who["provider"], who["account"], ""))
    state.fill(profiles, {who["id"]: IdentityDay(0)}, state.daybook.first_unlearnt, [scope])
    groups = profiles.groups
    return Colleagues(profiles.own[who["id"]], groups.get(scope, Profile()), groups.get(TENANT, Profile()))


_NETWORKS, _PEOPLE = 3, 3
"""New networks of which it is said who else uses them, and how many people are named of each."""
_OFFICE = 5
"""People from whom on a network is likelier the company's own than a colleague's home."""


def _colleagues(args: argparse.Namespace, notable: NotableDocument) -> list[str]:
    """Which other people use a network that is new to a notable's identity: an office, or a colleague's home."""
    if not common.state_of(args).exists():
        return []
    observed = (value for d in dimensions_of(notable, "network") for value in d["observed"])
    networks = list(dict.fromkeys(value["value"] for value in observed if value["new"]))[:_NETWORKS]
    if not networks:
        return []
    own = {who["id"] for who in (notable["identity"], *notable["members"])}
    with common.opened(args, read_only=True) as store:
        used = _people_on(store, networks, own)
    lines = []
    for network, others in used.items():
        named = ", ".join(f"{name} ({words.some(days, 'day')})" for name, days in others[:_PEOPLE])
        more = f" and {len(others) - _PEOPLE:,} more" if len(others) > _PEOPLE else ""
        hint = (
            "; if it is the company's own, name it in a table for nhi score --networks"
            if len(others) >= _OFFICE
            else ""
        )
        lines += [f"People who use {network}: {named}{more}{hint}"] if others else []
    return lines


def _people_on(rows: Rows, networks: Iterable[str], but: Collection[str] = ()) -> dict[str, list[tuple[str, int]]]:
    """Network → the names of the people who used it and on how many days, most days first; `but`: ids of identities
    that do not count. A person's accounts in several products are one person. Reads the profiles of people alone."""
    from nhi_watch.core.behaviour import IdentityDay
    from nhi_watch.state import inventory
    from nhi_watch.state.baseline import TENANT, Profile, Profiles
    from nhi_watch.state.state import State

    known = (found.identity for found in inventory.identities(rows).values())
    people = {identity.id: identity.name for identity in known if identity.is_person and identity.id not in but}
    state, profiles = State(rows), Profiles()
    profiles.groups = {TENANT: Profile()}  # not needed here, and not to be loaded
    state.fill(profiles, {name: IdentityDay(0) for name in people}, state.next_open_day())
    users: dict[str, list[tuple[str, int]]] = {}
    for network in networks:
        days: dict[str, tuple[int, str]] = {}
        for name, shown in people.items():
            use = profiles.own[name].dimension("network").values.get(network)
            if use is not None:
                shown = shown.rpartition("/")[2]
                login = _SEPARATORS.sub(".", shown.lower().partition("@")[0])
                days[login] = max(days.get(login, (0, "")), (use.days, shown))
        users[network] = sorted(
            ((shown, count) for count, shown in days.values()), key=lambda item: (-item[1], item[0])
        )
    return users


_SEPARATORS = re.compile(r"[-_ ]")


def _notable(args: argparse.Namespace) -> NotableDocument:
    """That of the list; else that of the state, where exposures, findings and blind spots are, too."""
    path = args.out / "notables.jsonl"
    if not path.exists() and not common.state_of(args).exists():
        raise InputError(f"{path}: not there; run `nhi score` first, or give its folder with --out")
    notable = find.listed(args.out, args.id)
    if notable is not None:
        return notable
    with common.opened(args, read_only=True) as store:
        return find.notable_of(store, args.id, args.out)
