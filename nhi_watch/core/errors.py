"""One error tree. Each error says what is wrong, where, and what to do about it."""

from __future__ import annotations


class NhiError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(NhiError):
    """The caller's input or configuration is wrong: exit code 2."""


class RejectError(NhiError):
    """One record cannot become an Event; `reason` is a short code that run.json counts by.

    >>> str(RejectError("no_time", "eventTime is missing"))
    'no_time: eventTime is missing'
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


OUT_OF_SCOPE = frozenset(
    ("not_credential", "unfinished", "closed", "posture", "sample_finding", "own_notable", "other_log")
)
"""Reasons of records that were understood and are none of our business, such as Kubernetes' RequestReceived, which
comes again with its outcome, or an alert that is closed: counted, never kept, for they would bury what could not be
understood."""


class ModelError(NhiError):
    """A model file does not match its manifest, or cannot be read."""


class StoreError(NhiError):
    """State cannot be read or written."""
