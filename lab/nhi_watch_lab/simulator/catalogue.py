# ruff: noqa: E501 - tables of long texts that read best unbroken
"""What an account's explorers (people, deployers, scanners) call: a broad list of real CloudTrail event names."""

from __future__ import annotations
from nhi_watch_lab.tables import table, text

READS = text(__file__, "catalogue_reads.txt")

WRITES = text(__file__, "catalogue_writes.txt")

_READ_PREFIXES = table(__file__, "tables.json/read_prefixes")
_READ_NAMES = {
    *[
        "AssumeRole",
        "AssumeRoleWithWebIdentity",
        "AssumeRoleWithSAML",
        "Decrypt",
        "Encrypt",
        "Sign",
        "GenerateDataKey",
        "GenerateMac",
    ],
    *["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream", "AccessKubernetesApi"],
    *["GenerateCredentialReport", "StartQuery", "ValidateTemplate", "Query", "Scan", "Verify"],
}


def actions(text: str) -> list[str]:
    """`service:Name` of a table above, in its order.

    >>> actions("kms: Sign Verify")
    ['kms:Sign', 'kms:Verify']
    """
    rows = (line.split(":") for line in text.strip().splitlines())
    return [f"{service}:{name}" for service, names in rows for name in names.split()]


def is_read(name: str) -> bool:
    """What CloudTrail's `readOnly` says for an event name."""
    return name in _READ_NAMES or name.startswith(_READ_PREFIXES)
