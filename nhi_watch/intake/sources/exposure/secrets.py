"""From a leaked secret to the name under which other logs know the credential. The secret itself stays behind."""

from __future__ import annotations

import re
from base64 import b32decode, b64encode
from hashlib import sha256
from typing import NamedTuple

from nhi_watch.core.identity import account_of
from nhi_watch.intake.shapes.values import secret_hash
from nhi_watch.intake.sources.exposure.feeds import Finding


class Secret(NamedTuple):
    """A credential by its public names."""

    provider: str
    account: str
    credential: str
    name: str
    user_id: str = ""
    """The IAM user's unique id, where the scanner asked AWS for it."""


_KEY = re.compile(r"(?<![A-Z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Z0-9])")
_GITHUB = re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{50,255})")
_GOOGLE_KEY = re.compile(r'"private_key_id"\s*:\s*"([0-9a-f]{20,64})"')
_GOOGLE_MAIL = re.compile(r'"client_email"\s*:\s*"([^"\s]{1,200}@[^"\s]{1,200})"')
_PROVIDERS = ("aws", "github", "gitlab", "okta", "google", "gcp", "azure", "snowflake", "openai", "anthropic")
_ALIASES = {"google": "gcp", "azure": "entra"}


def secret_of(finding: Finding) -> Secret:
    """The credential that a finding is about; `credential` is "" when it tells none."""
    texts = [told for told in finding.secrets if told]
    for told in texts:
        key = _KEY.search(told)
        if key:
            return _aws(key[0], finding)
    for told in texts:
        token = _GITHUB.search(told)
        if token:
            hashed = github_hash(token[0])
            return Secret("github", "", hashed, f"GitHub token {hashed[:12]}")
        google = _GOOGLE_KEY.search(told)
        if google:
            mail = _GOOGLE_MAIL.search(told)
            return Secret("gcp", "", google[1], mail[1] if mail else f"service-account key {google[1][:12]}")
    return _other(finding, texts)


def _other(finding: Finding, texts: list[str]) -> Secret:
    kind = finding.kind.lower()
    named = next((name for name in _PROVIDERS if name in kind), "exposure")
    provider = _ALIASES.get(named, named)
    value = secret_hash(texts[0]) if texts else secret_hash(finding.hashed)
    credential = f"sha256:{value}" if value else ""
    return Secret(provider, "", credential, f"{finding.kind[:80] or 'secret'} {value}")


def _aws(key: str, finding: Finding) -> Secret:
    account, arn, user_id = finding.extra
    account = account or account_of(arn) or account_of_key(key)
    user = user_id.partition(":")[0] if user_id.startswith("AIDA") else ""
    return Secret("aws", account, key, arn if user else f"access key {key}", user)


def github_hash(token: str) -> str:
    """A token's hash as GitHub's audit log has it in `hashed_token`: base64 of SHA-256.

    >>> github_hash("ghp_made_up_for_this_test")
    '5yWUydkdk7yNL1AtwYkUldjKMCas6fcwSz2SmLUZpjs='
    """
    return b64encode(sha256(token.encode()).digest()).decode()


def account_of_key(key: str) -> str:
    """The account that an access key id encodes, or "" for keys from before 2019 (`AKIAI…`, `AKIAJ…`).

    Bits 1 to 40 of the part after the prefix, read as base 32 (T. Be'ery, "A short note on AWS KEY ID", 2023).

    >>> account_of_key("ASIAQNZGKIQY56JQ7WML"), account_of_key("AKIAIOSFODNN7EXAMPLE")
    ('029608264753', '')
    """
    if key[4] in "IJ":
        return ""
    number = int.from_bytes(b32decode(key[4:])[:6], "big")
    return f"{(number & 0x7FFFFFFFFF80) >> 7:012}"
