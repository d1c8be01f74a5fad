"""Secrets in what is kept of the input: masked character by character, so that the shape still tells what is wrong.

Rejects hold original bytes, and logs hold tokens. A letter becomes `x` or `X`, a digit `0`; what tells the kind of a
token (`ghp_`, `Bearer`) stays, and so does everything around it. Length and place of all bytes stay the same.
"""

from __future__ import annotations

import re

_TOKENS = (
    rb"gh[pousr]_|github_pat_|glpat-|gl[a-z]{2,6}t-|xox[abeoprs]-|xapp-|sk-|rk_live_|sk_live_|hv[sbr]\.|AIza|ya29\.|npm_|"
    rb"pypi-|dop_v1_|dckr_pat_|SG\.|shpat_|ATATT|lin_api_|nvapi-|hf_|eyJ|FwoG|IQoJ"
)
_TOKEN = rb"(?<![\w-])(?P<mark>" + _TOKENS + rb")(?P<token>[\w+/=.~-]{16,})"
_BEARER = rb"(?P<scheme>\b(?i:bearer|basic|ssws|splunk|apikey)\s{1,4})(?P<bearer>[\w+/=.~-]{8,})"
_PEM = rb"(?P<begin>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?P<pem>.*?)(?=-----END|\Z)"
_URL = rb"(?P<user>://[^\s:/@\"]{1,100}:)(?P<word>[^\s/@\"]{1,200})(?=@)"
_NAMED = (
    rb"(?P<name>(?i:passw(?:or)?d|passphrase|pwd|secret|secret_?access_?key|token|api_?key|private_?key|client_?secret|"
    rb"authorization|cookie|credentials?|signature|sig)\\{0,3}[\"']?\s{0,4}[:=]\s{0,4})"
    rb"(?:(?P<quote>\\{0,3}[\"'])(?P<quoted>(?:\\.|.)*?)(?=(?P=quote)|\Z)|(?P<kind>(?i:bearer|basic|ssws|splunk|apikey)\s{1,4})?(?P<bare>[^\s\"',;&{}\[\]\\]{4,}))"
)
_AWS = (
    rb"(?<![\w/+=])(?P<aws>(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}\d)"
    rb"[A-Za-z0-9/+]{40})(?![\w/+=])"
)
_SECRET = re.compile(b"|".join((_PEM, _NAMED, _BEARER, _TOKEN, _URL, _AWS)), re.DOTALL)
_VALUES = ("pem", "quoted", "bare", "bearer", "token", "word", "aws")
_CHARACTER = re.compile(rb"\\.|[A-Z]|[a-z]|\d", re.DOTALL)


def redact(raw: bytes) -> bytes:
    """The bytes with every secret masked that can be told by its look or by its name.

    >>> redact(b'{"user":"ann","password":"Hunter2!","note":"ghp_0123456789abcdefABCD"}')
    b'{"user":"ann","password":"Xxxxxx0!","note":"ghp_0000000000xxxxxxXXXX"}'
    """
    return _SECRET.sub(_masked, raw)


def _masked(found: re.Match[bytes]) -> bytes:
    name = next(name for name in _VALUES if found[name] is not None)
    before, after = found[0][: found.start(name) - found.start()], found[0][found.end(name) - found.start() :]
    return before + _CHARACTER.sub(_shape, found[name]) + after


def _shape(found: re.Match[bytes]) -> bytes:
    char = found[0]
    if char[:1] == b"\\":
        return char
    return b"0" if char.isdigit() else b"X" if char.isupper() else b"x"
