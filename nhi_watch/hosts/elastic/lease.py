"""A lease on the state: two runs never work at the same time.

It is one document of the state index, replaced only by who has seen its latest version (`if_seq_no`,
`if_primary_term`). It is prolonged before writes: whoever lost it is stopped before it writes. It expires,
so that a killed run blocks the next ones for minutes, not for ever. Each holder has a higher generation than the one
before; rows of the state are written under it, so that what a former holder sent is refused however late it arrives.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, NamedTuple, Optional

import orjson
from elasticsearch import ApiError, ConflictError, Elasticsearch, TransportError

from nhi_watch.core.errors import StoreError
from nhi_watch.core.timestamps import render
from nhi_watch.hosts.elastic.store_errors import BUSY, away, explained

SECONDS = 300
"""How long a lease lasts without a renewal; a run renews it while it reads and before it writes."""
_KEY = "run"
_ID = f"lease|{_KEY}"
_ATTEMPTS = 6
_PAUSE = 1.0


class LeaseHeldError(StoreError):
    """Another run works, or was killed a few minutes ago."""


class Held(NamedTuple):
    """What the document says, and which version of it that is."""

    holder: str
    until: float
    version: dict[str, int]
    generation: int = 0
    """Grows with each holder; 0: of a time before there were any."""


def held(client: Elasticsearch, index: str) -> Optional[Held]:
    """Who has the lease, or had it last; read in real time."""
    found = client.options(ignore_status=404).get(index=index, id=_ID).body
    if not found.get("found"):
        return None
    row = orjson.loads(b64decode(found["_source"]["value"]))
    version = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
    return Held(row["holder"], row["until"], version, row.get("generation", 0))


class Lease:
    """The right to work on one state index. `clock` should be the cluster's, which all hosts share."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        seconds: int = SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._index = index
        self._seconds = seconds
        self._clock = clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._condition: dict[str, Any] = {"op_type": "create"}
        self._renewed = 0.0
        self.generation = 0
        """Under which this holder writes; 0: it never had the lease."""

    def acquire(self, wait: float = 0.0) -> None:
        """Take the lease; where another run has it, wait for it so many seconds.

        Raises:
            LeaseHeldError: somebody else has it; the message says who, and until when.
        """
        deadline = self._clock() + wait
        with explained("taking the lease"):
            while True:
                found = held(self._client, self._index)
                if found is None or found.until <= self._clock():
                    self._condition = dict(found.version) if found else {"op_type": "create"}
                    self.generation = max(found.generation + 1 if found else 1, int(self._clock()))
                    return self._write(self._seconds)
                if self._clock() >= deadline:
                    until = render(int(found.until))
                    raise LeaseHeldError(f"another run ({found.holder}) has {self._index} until {until} at most")
                time.sleep(min(_PAUSE, max(0.05, found.until - self._clock())))

    def renew(self) -> None:
        """Prolong the lease.

        Raises:
            LeaseHeldError: it had expired, and another run has taken it.
        """
        with explained("renewing the lease"):
            self._write(self._seconds)

    def keep(self) -> int:
        """Renew when a quarter of the time is over: cheap enough for every page and every write.

        Returns the generation under which to write.
        """
        if self._clock() - self._renewed > self._seconds / 4:
            self.renew()
        return self.generation

    def release(self) -> None:
        """Let the next run begin at once; what was lost already, or never taken, is left alone."""
        if not self._renewed:
            return
        with explained("releasing the lease"):
            try:
                self._write(0)
            except LeaseHeldError:
                return

    def _write(self, seconds: int) -> None:
        """Replace the document that was seen last. Where no answer came back, look whether it was done."""
        now = self._clock()
        row = {"holder": self._holder, "until": now + seconds, "generation": self.generation}
        document = {"table": "lease", "key": _KEY, "value": b64encode(orjson.dumps(row)).decode()}
        put = self._client.options(max_retries=0).index
        for attempt in range(_ATTEMPTS):
            try:
                answer = put(index=self._index, id=_ID, document=document, **self._condition)
                self._condition = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
                break
            except (ApiError, TransportError) as error:
                if attempt == _ATTEMPTS - 1 or not _unsure(error):
                    raise
                if self._is_done(now + seconds):
                    break
        self._renewed = now

    def _is_done(self, until: float) -> bool:
        """Whether a write that seemed to fail took place; its version is taken over.

        Raises:
            LeaseHeldError: another run has written since.
        """
        found = held(self._client, self._index)
        if found is None:
            self._condition = {"op_type": "create"}
            return False
        if found.holder == self._holder:
            self._condition = dict(found.version)
            return found.until == until
        if found.version != self._condition:
            raise LeaseHeldError(taken(self._index))
        return False


def taken(index: str) -> str:
    """What is said when the lease was lost."""
    return f"another run has taken {index}; this one stops"


def _unsure(error: Exception) -> bool:
    """Whether the write may have taken place although it seemed to fail, or may yet if tried again."""
    return isinstance(error, ConflictError) or away(error) or getattr(error, "status_code", 0) in BUSY
