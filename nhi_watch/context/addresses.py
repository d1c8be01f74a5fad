"""What is an IP address, and what is a name or a network."""

from __future__ import annotations

import ipaddress


def is_address(text: str) -> bool:
    """Whether a text is one IP address.

    >>> is_address("2001:db8::1"), is_address("198.51.100.0/24"), is_address("s3.amazonaws.com")
    (True, False, False)
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
