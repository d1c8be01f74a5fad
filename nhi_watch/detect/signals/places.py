"""From where, and with which program: networks, their operators, regions, clients."""

from __future__ import annotations

from nhi_watch.detect.signals._kit import (
    ANONYMOUS,
    MACHINES,
    NOVEL,
    ORDINARY,
    OUTSIDE,
    EpisodeView,
    Named,
    View,
    behaviours_of,
    counted,
    is_blank,
    listing,
    new_value,
    place_novelty,
    rarity,
    signal,
    times,
    unknown_value,
)


def _regions(episode: EpisodeView) -> Named:
    return [(view.key.region, b) for view in episode.views if view.region >= NOVEL for b in view.behaviours]


TABLE = (
    new_value(
        "new_network",
        "New network",
        ("T1078.004",),
        "rotate_secret",
        "network ",
        "An address range from which the identity was not seen before.",
        "network",
        place=5,
        needs=("network",),
        dimension="network",
    ),
    new_value(
        "new_owner",
        "New network operator",
        ("T1078.004",),
        "rotate_secret",
        "operator ",
        "A network operator from which the identity was not seen before: a hosting company instead of its own.",
        "owner",
        place=3,
        needs=("network",),
        dimension="network",
    ),
    new_value(
        "new_region",
        "New region",
        ("T1535",),
        "reduce_privilege",
        "region ",
        "A region in which the identity was not active before.",
        "region",
        needs=("region",),
        dimension="region",
    ),
    new_value(
        "new_agent",
        "New client",
        (),
        "rotate_secret",
        "client ",
        "A client program that the identity did not use before; versions are left out, so upgrades do not count.",
        "agent",
        needs=("agent",),
        dimension="agent",
    ),
    unknown_value(
        "unknown_network",
        "Network rare in the tenant",
        ("T1078.004",),
        "rotate_secret",
        "network",
        "A network that is new not only for the identity: no identity in the tenant works from there.",
        "network",
        place=4,
        needs=("network",),
        dimension="network",
    ),
    unknown_value(
        "unknown_owner",
        "Network operator rare in the tenant",
        ("T1078.004",),
        "rotate_secret",
        "operator",
        "An operator of networks that is new not only for the identity: nobody in the tenant works from there.",
        "owner",
        ORDINARY,
        needs=("network",),
        dimension="network",
    ),
    unknown_value(
        "unknown_agent",
        "Client rare in the tenant",
        (),
        "rotate_secret",
        "client",
        "A client program that is new not only for the identity: hardly any identity in the tenant uses it.",
        "agent",
        needs=("agent",),
        dimension="agent",
    ),
    counted(
        "region_fan_out",
        "Many new regions",
        ("T1535",),
        "reduce_privilege",
        "new regions in one day",
        "Active in several regions that are new for the identity.",
        "Number of regions that are new for the identity; None before there is any history.",
        _regions,
        is_blank,
        float,
        needs=("region",),
        dimension="region",
    ),
)


RISK = {"tor": 3.0, "bad": 3.0, "vpn": 2.0, "hosting": 1.0}
"""By kind of network: who would operate a machine identity from there?"""


def _risky_network(view: View) -> str:
    owner = view.network_facts.owner or "an unknown operator"
    own = view.baseline.own
    seen = own.dimension("owner").values.get(view.network_facts.owner)
    is_new = bool(own.days) and view.key.network not in own.dimension("network").values
    before = (
        f", seen on {seen.days:,} of {times(own.days, 'active day')}" if seen else ", new to this identity" * is_new
    )
    return f"{view.key.network} is a {view.network_facts.kind} network of {owner}{before}"


@signal(
    "behaviour",
    "Risky network",
    ("T1090",),
    "rotate_secret",
    needs=("network",),
    dimension="network",
    needs_history=False,
    becomes_habit=False,
    evidence=_risky_network,
)
def risky_network(view: View) -> float | None:
    """An anonymising or badly reputed network, or a hosting company that is not the identity's own.

    2 VPN, 3 Tor or a listed network, however often it was used; 1 hosting, 0 for a known operator.
    """
    kind = view.network_facts.kind
    if kind in ANONYMOUS:
        return RISK[kind]
    if view.baseline.blank:
        return None
    return RISK.get(kind, 0.0) if view.owner else 0.0


def _listed_address(view: View) -> str:
    return f"{view.key.action} came from {view.key.network or 'an address'}, which is on a blocklist"


@signal(
    "behaviour",
    "Address on a blocklist",
    ("DE.AE-07", "T1090"),
    "rotate_secret",
    dimension="network",
    needs_history=False,
    evidence=_listed_address,
)
def listed_address(view: View) -> float:
    """The address is on a list of bad addresses.

    1, plus the bits by which the place is new for the identity; 0 where no list names the address.
    """
    return 1.0 + place_novelty(view) if "listed" in view.key.traits else 0.0


UNKNOWN, FOREIGN = 4.0, 8.0
"""A network that no table knows may be the customer's own way out; an operator's is not."""


def _instance_outside(view: View) -> str:
    place = view.network_facts.owner or view.key.network
    return f"{view.key.action} with a session that EC2 handed to a machine came from {place}, outside AWS"


@signal(
    "behaviour",
    "Machine's session used outside AWS",
    ("T1552.005", "T1550.001"),
    "rotate_secret",
    place=2,
    needs=("network",),
    dimension="network",
    needs_history=False,
    evidence=_instance_outside,
)
def instance_outside(view: View) -> float:
    """A session that EC2 hands to a machine through its metadata is used from a network outside AWS.

    4, or 8 where the network is known to be somebody else's, plus the bits by which the place is new for the identity;
    0 where the customer lists the network as private.
    """
    if "instance_outside" not in view.key.traits or view.network_facts.kind == "private":
        return 0.0
    least = FOREIGN if view.network_facts.kind in OUTSIDE | {"hosting"} else UNKNOWN
    return least + (0.0 if view.baseline.blank else place_novelty(view))


OWN_NETWORKS = ("private", "service")


def _moved_outside(view: View) -> str:
    usual = ", ".join(sorted(view.baseline.own.dimension("owner").values)[:3])
    now = view.network_facts.owner or view.key.network
    return f"usually from {usual}, now from {now}" if usual else f"no earlier network known; now {now}"


@signal(
    "behaviour",
    "Workload used from outside its networks",
    ("T1078.004", "NHI2:2025"),
    "rotate_secret",
    place=2,
    needs=("network",),
    dimension="network",
    evidence=_moved_outside,
)
def moved_outside(view: View) -> float | None:
    """A workload of a cloud, a private network or a service shows up elsewhere.

    Bits by which the operator is new, where the identity has a home of another kind; None without history.
    """
    if not view.baseline.own.days:
        return None
    return view.owner if view.remote and view.network_facts.kind not in OWN_NETWORKS else 0.0


GRANT_TRAITS = frozenset({"third_party", "delegated"})


def _third_party_moved(view: View) -> str:
    place = view.network_facts.owner or view.key.network
    return f"third-party app is used from {place}: {rarity(view, view.owner, 'owner', view.network_facts.owner)}"


@signal(
    "behaviour",
    "Third-party app from a new network",
    ("NHI3:2025", "T1199"),
    "rotate_secret",
    place=1,
    needs=("network",),
    dimension="network",
    evidence=_third_party_moved,
)
def third_party_moved(view: View) -> float | None:
    """Another company's app works from an operator that is not its own: its tokens may have left its vendor.

    Bits by which the operator of the network is new for such an app; None without history.
    """
    if GRANT_TRAITS.isdisjoint(view.key.traits):
        return 0.0
    return view.owner if view.baseline.own.days else None


@signal(
    "behaviour",
    "Attack tool",
    ("T1078.004",),
    "rotate_secret",
    needs=("agent",),
    dimension="agent",
    needs_history=False,
    becomes_habit=False,
    evidence=lambda view: f"the client {view.key.agent} names an attack tool or an attacker's system",
)
def attack_tool(view: View) -> float:
    """A client program that is made for attacking, or an operating system made for it. It never becomes ordinary.

    1 when seen.
    """
    return 1.0 if "attack_tool" in view.key.traits else 0.0


def _pairs(episode: EpisodeView) -> list[View]:
    places: dict[tuple[str, int], dict[str, View]] = {}
    for view in episode.views:
        if view.key.credential and view.remote:
            for b in view.behaviours:
                places.setdefault((view.key.credential, b.hour), {})[view.key.network] = view
    pairs = [view for views in places.values() if len(views) > 1 for view in views.values()]
    return sorted(pairs, key=lambda view: (-view.network, view.key))


def _two_places(episode: EpisodeView) -> str:
    pairs = _pairs(episode)
    return f"key {pairs[0].key.credential} was used within one hour from {listing([v.key.network for v in pairs])}"


@signal(
    "episode",
    "One key used from two networks within an hour",
    ("T1078.004", "T1552"),
    "rotate_secret",
    needs_history=False,
    needs=("network",),
    on_ordinary_days=True,
    evidence=_two_places,
    backing=lambda episode: behaviours_of(_pairs(episode)),
)
def two_places(episode: EpisodeView) -> float | None:
    """One long-lived key is used from two operators' networks in the same hour.

    Bits of the less usual of the two networks; without any history 2, where one is for machines and the other
    for people, else None.
    """
    pairs = _pairs(episode)
    if episode.baseline.blank and pairs:
        kinds = {view.network_facts.kind for view in pairs}
        return 2.0 if kinds & MACHINES and kinds & OUTSIDE else None
    return pairs[0].network + pairs[0].owner if pairs else 0.0
