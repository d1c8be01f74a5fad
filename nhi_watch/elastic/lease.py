"""A lease on the state: two runs never work at the same time.

It is one document of the state index, replaced only by who has seen its latest version (`if_seq_no`,
`if_primary_term`). Each write renews it first: whoever lost it is stopped before it writes. It expires,
so that a killed run blocks the next ones for minutes, not for ever.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import orjson
from elasticsearch import ConflictError, Elasticsearch

from nhi_watch.elastic.client import explained
from nhi_watch.errors import StoreError
from nhi_watch.timestamps import render

SECONDS = 300
"""How long a lease lasts without a renewal; a run renews it with every page read and every bulk request."""
_ID = "lease|run"


class LeaseHeldError(StoreError):
    """Another run works, or was killed a few minutes ago."""


class Lease:
    """The right to work on one state index. The clocks of hosts that share a state must agree to a minute."""

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
        self._version: dict[str, int] = {}
        self._renewed = 0.0

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            LeaseHeldError: somebody else has it; the message says who, and until when.
        """
        with explained("taking the lease"):
            found = self._client.options(ignore_status=404).get(index=self._index, id=_ID).body
            if not found.get("found"):
                self._write(self._seconds, {"op_type": "create"})
                return
            row = orjson.loads(b64decode(found["_source"]["value"]))
            if row["until"] > self._clock():
                until = render(int(row["until"]))
                raise LeaseHeldError(f"another run ({row['holder']}) has {self._index} until {until} at most")
            self._version = {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
            self._write(self._seconds, self._version)

    def renew(self) -> None:
        """Prolong the lease; called before each write.

        Raises:
            LeaseHeldError: it had expired, and another run has taken it.
        """
        with explained("renewing the lease"):
            self._write(self._seconds, self._version)

    def keep(self) -> None:
        """Renew when a quarter of the time is over: cheap enough for every page."""
        if self._clock() - self._renewed > self._seconds / 4:
            self.renew()

    def release(self) -> None:
        """Let the next run begin at once; what was lost already is left alone."""
        with explained("releasing the lease"):
            try:
                self._write(0, self._version)
            except LeaseHeldError:
                return

    def _write(self, seconds: int, condition: dict[str, Any]) -> None:
        now = self._clock()
        value = orjson.dumps({"holder": self._holder, "until": now + seconds})
        document = {"table": "lease", "key": "run", "value": b64encode(value).decode()}
        try:
            answer = self._client.options(max_retries=0).index(
                index=self._index, id=_ID, document=document, refresh=True, **condition
            )
        except ConflictError as error:
            raise LeaseHeldError(f"another run has taken {self._index}; this one stops") from error
        self._version = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
        self._renewed = now
