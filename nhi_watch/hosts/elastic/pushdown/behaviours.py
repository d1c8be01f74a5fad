"""Buckets → behaviours, through the source that reads CloudTrail."""

from __future__ import annotations

from typing import Any

from nhi_watch.core.behaviour import RECORDS, SESSIONS, Behaviour, Shape, keep, shape_of, sketch
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.elastic.pushdown import fields
from nhi_watch.hosts.elastic.pushdown.buckets import Bucket
from nhi_watch.hosts.elastic.pushdown.queries import Request
from nhi_watch.hosts.elastic.read import TIMESTAMP
from nhi_watch.intake.days import Days
from nhi_watch.intake.sources import cloudtrail

_TEMPORARY = "ASIA"


class Gatherer:
    """Adds buckets to days. Most are alike but for hour and session: what they mean is remembered."""

    def __init__(self, into: Days) -> None:
        self._into = into
        self._known: dict[tuple[Any, ...], Event] = {}

    def add(self, bucket: Bucket, request: Request) -> None:
        """Take in one bucket.

        Raises:
            RejectError: its values make no Event; the reader would have rejected each of its documents.
        """
        at = request.fields.index(fields.KEY)
        session = bucket.values[at]
        session = session if session is not None and session.startswith(_TEMPORARY) else ""
        key = (request.fields, bucket.values[:at], bool(session) or bucket.values[at], bucket.values[at + 1 :])
        event = self._known.get(key)
        if event is None:
            event = cloudtrail.read(_document(bucket, request))._replace(session="")
            self._known[key] = event
        event, whole = self._into.place(event._replace(time=bucket.first))
        shape = self._into.shape_on(shape_of(event), event.address, event.time // DAY)
        behaviour = whole.behaviour(shape, bucket.hour)
        _count(behaviour, bucket)
        sketch(behaviour, event)
        if session:
            keep(behaviour.sessions, session, SESSIONS)


def _count(behaviour: Behaviour, bucket: Bucket) -> None:
    behaviour.count += bucket.documents
    behaviour.first = min(behaviour.first, bucket.first)
    behaviour.last = max(behaviour.last, bucket.last)
    behaviour.minutes |= bucket.minutes
    for record_id in bucket.record_ids:
        keep(behaviour.record_ids, record_id, RECORDS)


def _document(bucket: Bucket, request: Request) -> dict[str, Any]:
    values = dict(zip(request.fields, bucket.values))
    values.update({TIMESTAMP: render(bucket.first), fields.RECORD: bucket.record_ids[0]})
    return fields.document(values)


def is_bare(behaviour: Behaviour) -> bool:
    """Whether a behaviour has fewer record ids than it would keep: it was grouped by the cluster."""
    return len(behaviour.record_ids) < min(RECORDS, behaviour.count)


def is_trail(shape: Shape) -> bool:
    """Whether a shape can be CloudTrail's: Bedrock's own log, AWS' as well, knows no network and no agent."""
    return shape.identity.provider == "aws" and bool(shape.network or shape.agent)
