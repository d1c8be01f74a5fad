"""What the short ids in a notable mean, in words, for those who read it."""

from __future__ import annotations

from functools import lru_cache

from nhi_watch.context import frameworks
from nhi_watch.report.words import spoken

CONTROLS = {
    "rotate_secret": ("Rotate the secret", "Issue a new credential, move the workload, disable the old one."),
    "reduce_privilege": ("Reduce privilege", "Take away what the identity does not need for its usual work."),
}

TACTICS = {
    "reconnaissance": "TA0043",
    "resource-development": "TA0042",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "defense-evasion": "TA0005",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
"""ATT&CK's ids of the tactics, by the short names that `frameworks` uses."""


def framework(id_: str) -> str:
    """The name of a framework entry, or "" when it is not known here (a notable of another version).

    >>> framework("NHI7:2025"), framework("T9999")
    ('Long-Lived Secrets', '')
    """
    try:
        return frameworks.name(id_)
    except frameworks.UnknownIdError:
        return ""


def signal(id_: str) -> str:
    """The title of a signal, or its id as words when it is not known here.

    >>> signal("novel_classes"), signal("of_another_version")
    ('New kinds of sensitive calls', 'Of another version')
    """
    return _titles().get(id_) or spoken(id_)


@lru_cache
def _titles() -> dict[str, str]:
    from nhi_watch.detect.signals import SIGNALS  # here: they are many, and most commands name none

    return {one.name: one.title for one in SIGNALS}


def tactics(techniques: list[str]) -> list[tuple[str, str]]:
    """Ids and names of the first tactic of each technique, without repeats.

    >>> tactics(["T1078.004", "T1078.004", "T1530", "T9999"])
    [('TA0001', 'Initial Access'), ('TA0009', 'Collection')]
    """
    first = [frameworks.tactics(item)[0] for item in techniques if framework(item)]
    return [(TACTICS[name], _title(name)) for name in dict.fromkeys(first)]


def _title(name: str) -> str:
    return name.replace("-", " ").title().replace(" And ", " and ")


def control(id_: str) -> tuple[str, str]:
    """The name of a control and what it means.

    >>> control("quarantine_identity")
    ('Quarantine identity', '')
    """
    return CONTROLS.get(id_, (spoken(id_), ""))
