"""Where the cluster is and who asks: from arguments, the environment, a file, or the system's keyring.

Secrets never stand among the arguments, because every user of the host can list those: an API key comes from
NHI_ELASTIC_API_KEY, a file or the keyring, a proxy's password from NHI_ELASTIC_PROXY.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional
from urllib.parse import SplitResult, urlsplit

from nhi_watch.core.errors import InputError

TIMEOUT = 120.0
"""Seconds to wait for an answer."""
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}", re.IGNORECASE)
_USER = "nhi_watch"


@dataclass(frozen=True)
class Connection:
    """What it takes to reach a cluster."""

    urls: tuple[str, ...]
    """One or more nodes; empty where a cloud id says where it is."""
    api_key: Optional[str] = field(default=None, repr=False)
    """The encoded key, as `POST /_security/api_key` returns it; not shown in a repr."""
    ca: Optional[str] = None
    """PEM file of the authority that signed the cluster's certificate."""
    fingerprint: Optional[str] = None
    """SHA-256 of a certificate of the cluster's chain, in hex; no authority is needed then."""
    cloud_id: Optional[str] = None
    proxy: Optional[str] = field(default=None, repr=False)
    timeout: float = TIMEOUT

    @property
    def name(self) -> str:
        """How to call the cluster in messages."""
        return ",".join(self.urls) or f"cloud {(self.cloud_id or '').partition(':')[0]}"


@dataclass(frozen=True)
class Told:
    """What the arguments say."""

    url: Optional[str] = None
    cloud_id: Optional[str] = None
    api_key_file: Optional[str] = None
    api_key_keyring: Optional[str] = None
    ca: Optional[str] = None
    fingerprint: Optional[str] = None
    proxy: Optional[str] = None
    timeout: float = TIMEOUT


def connection(told: Told) -> Connection:
    """Put the connection together from arguments and environment (NHI_ELASTIC_*).

    Raises:
        InputError: no URL, a URL with a password in it, an unreadable or empty key, a wrong fingerprint.
    """
    cloud_id = told.cloud_id or (None if told.url else os.environ.get("NHI_ELASTIC_CLOUD_ID"))
    urls = () if cloud_id else _urls(told.url or os.environ.get("NHI_ELASTIC_URL"))
    if told.ca is not None and not Path(told.ca).is_file():
        raise InputError(f"--ca: {told.ca} is not a file")
    if told.fingerprint and not _FINGERPRINT.fullmatch(told.fingerprint):
        raise InputError("--fingerprint: want the SHA-256 of the certificate, 64 hex digits")
    return Connection(
        urls, _key(told), told.ca, told.fingerprint, cloud_id, _proxy(told.proxy), told.timeout
    )  # fmt: skip


def _urls(text: Optional[str]) -> tuple[str, ...]:
    if not text:
        raise InputError("no Elasticsearch: give --url or --cloud-id, or set NHI_ELASTIC_URL")
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    for url in urls:
        parts = _split(url, "--url")
        if parts.username or parts.password:
            raise InputError("--url must hold no user or password: use --api-key-file or NHI_ELASTIC_API_KEY")
    return urls


def _split(url: str, flag: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{flag}: want http://host:port or https://host:port")
    return parts


def _proxy(told: Optional[str]) -> Optional[str]:
    if told and _split(told, "--proxy").password:
        raise InputError("--proxy must hold no password: set NHI_ELASTIC_PROXY")
    url = told or os.environ.get("NHI_ELASTIC_PROXY")
    if url:
        _split(url, "NHI_ELASTIC_PROXY")
    return url or None


def _key(told: Told) -> Optional[str]:
    if told.api_key_file:
        return _from_file(told.api_key_file)
    if told.api_key_keyring:
        return _from_keyring(told.api_key_keyring)
    return os.environ.get("NHI_ELASTIC_API_KEY") or None


def _from_file(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text in ASCII"
        raise InputError(f"--api-key-file: cannot read {path}: {reason}") from None
    return _checked(key, f"--api-key-file: {path}")


def _from_keyring(name: str) -> str:
    """The secret of a service and user in the system's keyring; `SERVICE` alone means the user nhi_watch."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise InputError("--api-key-keyring needs the library keyring: pip install 'nhi_watch[keyring]'") from error
    service, _, user = name.partition(":")
    try:
        key = keyring.get_password(service, user or _USER)
    except KeyringError as error:
        raise InputError(f"--api-key-keyring: the keyring does not open: {error}") from None
    if key is None:
        raise InputError(f"--api-key-keyring: the keyring holds nothing for {service}, user {user or _USER}")
    return _checked(key.strip(), f"--api-key-keyring: {service}")


def _checked(key: str, where: str) -> str:
    if not key or any(c.isspace() for c in key):
        raise InputError(f"{where} must hold one encoded API key and nothing else")
    return key
