"""What differs from tenant to tenant in how it lives: rates of change, jobs, people, pipelines, networks."""

from __future__ import annotations

from typing import NamedTuple


class Ways(NamedTuple):
    """The ways of one tenant. The defaults are those of `nhi simulate`; `worlds.draw` draws others."""

    news: float = 1.0
    """Factor on how often a machine does what it never did: 1 makes news on about 1.25% of machine-days."""
    upgrades: float = 1.0
    """Factor on how often a client is upgraded: 1 is 0.12 times a month and machine, and twice a month for a fleet."""
    moves: float = 1.0
    """Factor on how often gateways, vendors' servers and regions change: 1 is 0.12 times a month and gateway."""
    own_moves: float = 0.0
    """How often a month a host or vendor with an address of its own gets another one."""
    rotation: float = 1.0
    """Factor on new keys, new schedules and re-created roles: 1 is about 0.2 times a month and machine."""
    turnover: float = 1.0
    """Factor on machines that come, and that go under another name: 1 is 0.09 times a month and machine."""
    weekly: float = 0.0
    """Share of the machines with a weekly job of calls that they make at no other time."""
    monthly: float = 0.0
    """The same for monthly jobs."""
    chores: float = 0.0
    """Share of the machines with a daily duty that looks bad: refused calls, new keys, changed permissions."""
    bulk: float = 0.0
    """Share of the machines that once in these weeks copy hundreds or thousands of objects; one in four is new then."""
    ci_news: float = 1.0
    """Factor on how much of what a pipeline does comes out of the long tail instead of its own list."""
    dynamic_ci: float = 0.0
    """Share of the pipelines whose runners and clients change all the time, and their calls more than the others'."""
    static_ci: float = 0.0
    """Share of the other pipelines whose runner has one address."""
    own_address: float = 0.0
    """Share of the hosts with a public address of their own, instead of a shared gateway's."""
    roaming: float = 0.0
    """Share of the gateways that use another address of their region in each session."""
    both_doors: int = 0
    """IAM users who work in the console and have a long-lived key for the command line, too."""
    errors: float = 0.0
    """Share of all calls that fail for a reason of their own: throttled, not there, not valid."""
    tail: float = 1.4
    """Exponent of the long tail of what people, deployers and scanners read: the larger, the less is new."""
    travel: float = 0.03
    """Share of people's sessions from trains, hotels and telephones."""
    mistakes: float = 0.0
    """Share of people's calls that are refused or malformed."""
    seldom: float = 0.0
    """Share of the people and pipelines that now and then do what is almost only an intruder's act elsewhere."""
    vpn: float = 0.0
    """Share of people's sessions on the road that go through a commercial VPN or a line abroad."""
    federation: float = 0.0
    """Share of the vendors' and servers' keys that work in federated sessions."""
    hosting: float = 0.0
    """Share of the vendors' and servers' keys that are used from a hosting provider."""
    debugging: float = 1.0
    """Factor on how often a person works with a machine's credential: 1 is about weekly for 200 machines."""
    false_alerts: float = 1.0
    """Factor on other products' alerts about nothing: 1 is 2.2 a day and 100 machine identities of a company."""
    weekend: float = 0.06
    """How likely somebody who works in office hours works on a day of the weekend."""
    spread: float = 1.3
    """Sigma of the log-normal volumes of machines."""
    scanners: float = 1.0
    """Factor on the share of scanners."""
    failing: float = 1.0
    """Factor on the share of machines that always fail."""
    pipelines: float = 1.0
    """Factor on the share of CI roles and infrastructure deployers."""
    keys: float = 1.0
    """Factor on the share of users with long-lived keys in vendors' and servers' hands."""


DEFAULT = Ways()
