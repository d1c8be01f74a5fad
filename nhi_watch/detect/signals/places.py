"""From where, and with which program: networks, their operators, regions, clients."""

from __future__ import annotations

from nhi_watch.detect.features import ORDINARY, EpisodeView, View
from nhi_watch.detect.signals._kit import (
    above,
    behaviour_signal,
    behaviours_of,
    episode_signal,
    in_the_tenant,
    listing,
    place_news,
    rarity,
    unknown,
)


@behaviour_signal(
    "New network",
    ("T1078.004",),
    control="rotate_secret",
    place=5,
    needs=("network",),
    dimension="network",
    evidence=lambda view: f"network {view.shape.network} is {rarity(view.network)} for this identity",
)
def new_network(view: View) -> float | None:
    """An address range from which the identity was not seen before.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.network


def _new_owner_evidence(view: View) -> str:
    return f"operator {view.network_facts.owner} ({view.network_facts.kind}) is {rarity(view.owner)} for this identity"


@behaviour_signal(
    "New network operator",
    ("T1078.004",),
    control="rotate_secret",
    place=3,
    needs=("network",),
    dimension="network",
    evidence=_new_owner_evidence,
)
def new_owner(view: View) -> float | None:
    """A network operator from which the identity was not seen before: a hosting company instead of its own.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.owner


@behaviour_signal(
    "New region",
    ("T1535",),
    control="reduce_privilege",
    needs=("region",),
    dimension="region",
    evidence=lambda view: f"region {view.shape.region} is {rarity(view.region)} for this identity",
)
def new_region(view: View) -> float | None:
    """A region in which the identity was not active before.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.region


@behaviour_signal(
    "New client",
    (),
    control="rotate_secret",
    needs=("agent",),
    dimension="agent",
    evidence=lambda view: f"client {view.shape.agent} is {rarity(view.agent)} for this identity",
)
def new_agent(view: View) -> float | None:
    """A client program that the identity did not use before; versions are left out, so upgrades are no news.

    Surprisal in bits; None before anything was learnt.
    """
    return None if view.past.blank else view.agent


@behaviour_signal(
    "Network rare in the tenant",
    ("T1078.004",),
    control="rotate_secret",
    place=4,
    needs=("network",),
    dimension="network",
    evidence=lambda view: f"network {in_the_tenant(view, 'network', view.shape.network)}",
)
def unknown_network(view: View) -> float | None:
    """A network that is new not only for the identity: nobody in the tenant works from there.

    Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt.
    """
    return unknown(view, "network", view.shape.network)


@behaviour_signal(
    "Network operator rare in the tenant",
    ("T1078.004",),
    control="rotate_secret",
    needs=("network",),
    dimension="network",
    evidence=lambda view: f"operator {in_the_tenant(view, 'owner', view.network_facts.owner)}",
)
def unknown_owner(view: View) -> float | None:
    """An operator of networks that is new not only for the identity: nobody in the tenant works from there.

    Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt.
    """
    bits = unknown(view, "owner", view.network_facts.owner)
    return bits if bits is None or bits >= ORDINARY else 0.0


@behaviour_signal(
    "Client rare in the tenant",
    (),
    control="rotate_secret",
    needs=("agent",),
    dimension="agent",
    evidence=lambda view: f"client {in_the_tenant(view, 'agent', view.shape.agent)}",
)
def unknown_agent(view: View) -> float | None:
    """A client program that is new not only for the identity: hardly anybody in the tenant uses it.

    Surprisal in bits for the tenant, where it is new for the identity; None before anything was learnt.
    """
    return unknown(view, "agent", view.shape.agent)


RISK = {"tor": 3.0, "bad": 3.0, "vpn": 2.0, "hosting": 1.0}
"""By kind of network: who would operate a machine identity from there?"""


def _risky_network_evidence(view: View) -> str:
    facts = view.network_facts
    owner = facts.owner or "an unknown operator"
    return f"{view.shape.network} is a {facts.kind} network of {owner}, new to this identity"


@behaviour_signal(
    "Risky network",
    ("T1090",),
    control="rotate_secret",
    needs=("network",),
    dimension="network",
    evidence=_risky_network_evidence,
)
def risky_network(view: View) -> float | None:
    """An anonymising or badly reputed network that is not the identity's own.

    0 for a known operator; 1 hosting, 2 VPN, 3 Tor or a listed network.
    """
    if view.past.blank and RISK.get(view.network_facts.kind, 0.0) < 2.0:
        return None
    return RISK.get(view.network_facts.kind, 0.0) if view.owner or view.past.blank else 0.0


def _listed_address_evidence(view: View) -> str:
    return f"{view.shape.action} came from {view.shape.network or 'an address'}, which is on a blocklist"


@behaviour_signal(
    "Address on a blocklist",
    ("DE.AE-07", "T1090"),
    control="rotate_secret",
    dimension="network",
    evidence=_listed_address_evidence,
)
def listed_address(view: View) -> float:
    """The address is on a list of bad addresses.

    1, plus the bits by which the place is new for the identity; 0 where no list names the address.
    """
    return 1.0 + place_news(view) if "listed" in view.shape.traits else 0.0


HOME = ("private", "service")


def _moved_outside_evidence(view: View) -> str:
    usual = ", ".join(sorted(view.past.own.dimension("owner").values)[:3]) or ""
    now = view.network_facts.owner or view.shape.network
    return f"usually from {usual}, now from {now}" if usual else f"no earlier network known; now {now}"


@behaviour_signal(
    "Workload used from outside its networks",
    ("T1078.004", "NHI2:2025"),
    control="rotate_secret",
    place=2,
    needs=("network",),
    dimension="network",
    evidence=_moved_outside_evidence,
)
def moved_outside(view: View) -> float | None:
    """A workload that lives in a cloud, a private network or a service shows up elsewhere.

    Bits by which the operator is new, where the identity has a home of another kind; None without history.
    """
    if not view.past.own.days:
        return None
    return view.owner if view.remote and view.network_facts.kind not in HOME else 0.0


MARKS = frozenset({"third_party", "delegated"})


def _third_party_moved_evidence(view: View) -> str:
    place = view.network_facts.owner or view.shape.network
    return f"third-party app is used from {place}, {rarity(view.owner)} for it"


@behaviour_signal(
    "Third-party app from a new network",
    ("NHI3:2025", "T1199"),
    control="rotate_secret",
    place=1,
    needs=("network",),
    dimension="network",
    evidence=_third_party_moved_evidence,
)
def third_party_moved(view: View) -> float | None:
    """Another company's app works from an operator that is not its own: its tokens may have left its vendor.

    Bits by which the operator of the network is new for such an app; None without history.
    """
    if not MARKS.intersection(view.shape.traits):
        return 0.0
    return view.owner if view.past.own.days else None


@behaviour_signal(
    "Attack tool",
    ("T1078.004",),
    control="rotate_secret",
    needs=("agent",),
    dimension="agent",
    evidence=lambda view: f"the client {view.shape.agent} names an attack tool or an attacker's system",
)
def attack_tool(view: View) -> float:
    """A client program that is made for attacking, or an operating system made for it.

    1 when seen and not usual here.
    """
    return 1.0 if "attack_tool" in view.shape.traits and (view.agent or view.past.blank or view.action) else 0.0


def _new(episode: EpisodeView) -> list[View]:
    return above(list(episode.views), "region")


def _region_fan_out_evidence(episode: EpisodeView) -> str:
    names = [view.shape.region for view in _new(episode)]
    return f"new regions in one day ({len(set(names))}): {listing(names)}"


@episode_signal(
    "Many new regions",
    ("T1535",),
    control="reduce_privilege",
    needs=("region",),
    dimension="region",
    evidence=_region_fan_out_evidence,
    backing=lambda episode: behaviours_of(_new(episode)),
)
def region_fan_out(episode: EpisodeView) -> float | None:
    """Active in several regions that are new for the identity.

    Number of regions that are new for the identity; None before anything was learnt.
    """
    return None if episode.past.blank else float(len({view.shape.region for view in _new(episode)}))


def _pairs(episode: EpisodeView) -> list[View]:
    places: dict[tuple[str, int], dict[str, View]] = {}
    for view in episode.views:
        if view.shape.credential and view.remote:
            for b in view.behaviours:
                places.setdefault((view.shape.credential, b.hour), {})[view.shape.network] = view
    found = [view for views in places.values() if len(views) > 1 for view in views.values()]
    return sorted(found, key=lambda view: (-view.network, view.shape))


def _two_places_evidence(episode: EpisodeView) -> str:
    pairs = _pairs(episode)
    return f"key {pairs[0].shape.credential} was used within one hour from {listing([v.shape.network for v in pairs])}"


@episode_signal(
    "One key used from two networks within an hour",
    ("T1078.004", "T1552"),
    control="rotate_secret",
    needs=("network",),
    on_ordinary_days=True,
    evidence=_two_places_evidence,
    backing=lambda episode: behaviours_of(_pairs(episode)),
)
def two_places(episode: EpisodeView) -> float | None:
    """One long-lived key is used from two operators' networks in the same hour.

    Bits of the less usual of the two networks; None before anything was learnt.
    """
    pairs = _pairs(episode)
    if episode.past.blank:
        return None
    return pairs[0].network + pairs[0].owner if pairs else 0.0
