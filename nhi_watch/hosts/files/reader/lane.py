"""The fast lane: lines of native CloudTrail records → IdentityDays, without making objects of what nobody reads.

msgspec checks a line as strictly as orjson does (a number too large for a double apart, which `_batch.loads`
lets pass, too) and reads only the fields that matter. What is not ordinary (DEEP calls, other shapes, wrong types,
text that is not ASCII, rare spellings of time) is left to the caller, who reads it the long way: that way is the
reference, and tests hold the lane to it. (Left lines come later than others of their batch. So of two different
records with one id, another one may count: the first one read does.)

A line's userIdentity is the same bytes throughout a session, so it is remembered whole. All else that makes
a shape is a tuple, which leads to a slot: the Behaviour to which the line counts, if its hour is the slot's.
Most lines need not even that: they are a known one's bytes but for time, id and parameters (`_lane_cut`).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Optional

import orjson

from nhi_watch.core.behaviour import ADDRESSES, RECORDS, Shape, fingerprint, keep, shape_of
from nhi_watch.core.errors import RejectError
from nhi_watch.core.timestamps import DAY, HOUR
from nhi_watch.hosts.files.reader import lane_cut as cut
from nhi_watch.hosts.files.reader.lane_records import REFUSALS, TARGET_KEYS, Line, decode_actor, decode_line
from nhi_watch.hosts.files.reader.lane_slot import Slot, hour_of, owners_of, target_of
from nhi_watch.intake.days import Grouping
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.intake.sources.cloudtrail import _trimmed as trimmed
from nhi_watch.intake.sources.cloudtrail.native import _TARGET as LONGEST_TARGET
from nhi_watch.intake.sources.cloudtrail.native import PATHS
from nhi_watch.intake.sources.cloudtrail.traits import DEEP

_Key = tuple[object, ...]
_Actor = cut.Actor

SLOTS = 40_000
"""Shapes remembered."""
ACTORS = 20_000
"""Spellings of userIdentity remembered; one has about 600 bytes."""
_TIMES = {f":{m:02}:{s:02}Z": (m * 60 + s, 1 << m) for m in range(60) for s in range(60)}
"""Rest of a time after its hour → seconds and the minute's bit."""
_CLOCKS = {text.encode(): told for text, told in _TIMES.items()}
_NO_OWNERS: tuple[None, str] = (None, "")
_NOBODY: _Actor = (None, "")
"""The number of a userIdentity that only the long way can read."""
_BEFORE = PATHS.index("userIdentity.type")


_Found = tuple[int, Slot, Line, str, str]
"""Index of the line, its slot, the line, its session, and the first resource's ARN."""


class Lane:
    """Feeds a Grouping with lines; `take` is for `files.read`."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._epoch = grouping.epoch
        self._slots: dict[_Key, Slot] = {}
        self._shapes: dict[Shape, Shape] = {}
        self._actors: dict[bytes, Optional[_Actor]] = {}
        self._numbers: dict[_Key, int] = {}
        """What of a userIdentity makes the shape → a number that stands for it in keys."""
        self._known = cut.Pieces[Slot]()

    def take(self, lines: Sequence[bytes]) -> list[int]:
        """Count the lines that are ordinary; the indexes of the others, for the long way."""
        left: list[int] = []
        if self._epoch != self._grouping.epoch:
            self._epoch = self._grouping.epoch
            for slot in self._slots.values():
                slot.close()
        sure = all(map(bytes.isascii, lines))
        strange = self._count_known(lines, sure)
        self._count(self._found(lines, strange, left), left)
        return left

    def _count_known(self, lines: Sequence[bytes], sure: bool) -> list[int]:
        """Count the lines whose pieces are known; the indexes of the others. Written out for speed."""
        strange: list[int] = []
        heads, pieces, clocks, decode = self._known.heads, self._known.pieces, _CLOCKS, cut.decode_rest
        time, parameters, record, middle, tail = cut.TIME, cut.PARAMETERS, cut.ID, cut.MIDDLE, cut.TAIL
        clock_at, hour_at, limit, longest = middle - 7, middle - 20, RECORDS, LONGEST_TARGET
        events = duplicates = 0
        for index, line in enumerate(lines):
            at = line.find(time)
            start = line.find(parameters, at)
            end = line.find(record, start)
            actor = heads.get(line[:at])
            if end < 0 or actor is None or not (sure or line.isascii()):
                strange.append(index)
                continue
            found = pieces.get((actor[0], line[at + middle : start], line[end + tail :]))
            moment = clocks.get(line[at + clock_at : at + middle])
            if found is None or moment is None:
                strange.append(index)
                continue
            try:
                rest = decode(b"{" + line[start : end + tail] + b'"}')
                record_id = rest.eventID
                mark = int(record_id[19:23] + record_id[24:], 16) if len(record_id) == 36 else -1
            except (*REFUSALS, ValueError):
                mark = -1
            if mark < 0:
                strange.append(index)
                continue
            slot, target = found
            hour = line[at + hour_at : at + clock_at]
            if slot.raw != hour and not (hour.isascii() and self._turn(slot, hour.decode(), mark)):
                strange.append(index)
                continue
            events += 1
            seen = slot.seen
            if mark in seen:
                duplicates += 1
                continue
            seen.add(mark)
            seconds = slot.start + moment[0]
            behaviour = slot.behaviour
            behaviour.count += 1
            behaviour.minutes |= moment[1]
            if seconds < behaviour.first:
                behaviour.first = seconds
            if seconds > behaviour.last:
                behaviour.last = seconds
            ids = slot.ids
            if len(ids) < limit:
                insort(ids, record_id)  # it is new, for its mark is
            elif record_id < ids[-1]:
                del ids[-1]
                insort(ids, record_id)
            session = actor[1]
            if session is not slot.session:
                slot.meet(session)
            params = rest.requestParameters
            if params is not None and slot.key:
                value = getattr(params, slot.key)
                found_text = value if value.__class__ is str else ""
                target = found_text[:longest] or target_of(params, slot.keys) or target
            if target != slot.target:
                slot.reach(target)
        self._grouping.parsed += events
        self._grouping.duplicates += duplicates
        return strange

    def _found(self, lines: Sequence[bytes], indexes: list[int], left: list[int]) -> list[_Found]:
        """The slot of each line that has one. Written out for speed, as is `_count`."""
        found: list[_Found] = []
        decode, slots, actors, remember = decode_line, self._slots, self._actors, self._known.remember
        for index in indexes:
            text = lines[index]
            try:
                line = decode(text)
            except REFUSALS:
                left.append(index)
                continue
            user = bytes(line.userIdentity)
            actor = actors.get(user)
            if actor is None:
                actor = self._actor(user)
            error = line.errorCode
            if error is None and line.errorMessage:
                error = "Unspecified"
            owners, arn = owners_of(line.resources) if line.resources else _NO_OWNERS
            key = (
                actor[0], line.eventName, line.eventSource, line.sourceIPAddress, line.userAgent, line.awsRegion,
                error, line.recipientAccountId, owners, line.vpcEndpointId, line.readOnly,
                line.sessionCredentialFromConsole,
            )  # fmt: skip
            slot = slots.get(key)
            plain = text.isascii()
            if slot is None and plain:
                slot = self._meet(key, line.eventName, text)
            if slot is None or not plain:
                left.append(index)
            else:
                remember(text, actor, (slot, arn))
                found.append((index, slot, line, actor[1], arn))
        return found

    def _count(self, found: list[_Found], left: list[int]) -> None:
        events = duplicates = 0
        times = _TIMES
        for index, slot, line, session, arn in found:
            time, record_id = line.eventTime, line.eventID
            moment = times.get(time[13:])
            mark = fingerprint(record_id)
            if moment is None or (slot.hour != time[:13] and not self._turn(slot, time[:13], mark)):
                left.append(index)
                continue
            events += 1
            if mark in slot.seen:
                duplicates += 1
                continue
            slot.seen.add(mark)
            seconds = slot.start + moment[0]
            behaviour = slot.behaviour
            behaviour.count += 1
            behaviour.minutes |= moment[1]
            if seconds < behaviour.first:
                behaviour.first = seconds
            if seconds > behaviour.last:
                behaviour.last = seconds
            ids = slot.ids
            if len(ids) < RECORDS or record_id < ids[-1]:
                keep(ids, record_id, RECORDS)
            if session is not slot.session:
                slot.meet(session)
            params = line.requestParameters
            target = arn if params is None else target_of(params, slot.keys) or arn
            if target != slot.target:
                slot.reach(target)
        self._grouping.parsed += events
        self._grouping.duplicates += duplicates

    def _actor(self, user: bytes) -> _Actor:
        """Number and session of a userIdentity, which is remembered."""
        try:
            who = decode_actor(user)
        except REFUSALS:
            return _NOBODY
        context, person = who.sessionContext, who.onBehalfOf
        issuer = context.sessionIssuer if context else None
        attributes = context.attributes if context else None
        raw = (
            *(None,) * _BEFORE, who.type, who.principalId, who.arn, who.accountId, who.accessKeyId, who.userName,
            who.invokedBy, issuer and issuer.principalId, issuer and issuer.arn,
            attributes and attributes.mfaAuthenticated, None, None, who.identityProvider,
            person and person.userId, None, "",
        )  # fmt: skip
        shape, session = trimmed(raw)
        if len(self._actors) >= ACTORS:
            self._actors.clear()
        number = self._numbers.setdefault(shape, len(self._numbers))
        found = self._actors[user] = (number, session)
        return found

    def _meet(self, key: _Key, name: str, text: bytes) -> Optional[Slot]:
        """A slot for a shape that is new, by the long way; None for what only the long way can do."""
        if name in DEEP or key[0] is None:
            return None
        try:
            event = cloudtrail.read(orjson.loads(text))
        except (RejectError, orjson.JSONDecodeError):
            return None
        if len(self._slots) >= SLOTS:
            for memory in (self._slots, self._shapes, self._actors, self._numbers):
                memory.clear()
            self._known.forget()
            return None  # numbers start anew: this line's key has an old one
        shape = shape_of(event)
        shape = self._shapes.setdefault(shape, shape)
        keys = TARGET_KEYS.get(str(key[2]), ())
        slot = self._slots[key] = Slot(shape, event.address, keys)
        return slot

    def _turn(self, slot: Slot, hour: str, mark: int) -> bool:
        """Turn a slot to another hour; False where the long way must say what a line is."""
        number = hour_of(hour)
        if number < 0:
            return False
        whole = self._grouping.identity_day(slot.shape.identity.id, number * HOUR // DAY)
        if mark in whole.seen:
            return False  # else a duplicate that looks different would leave an empty behaviour
        shape = self._grouping.shape_on(slot.shape, slot.address, whole.day)
        behaviour = whole.behaviour(shape, number)
        if slot.address:
            keep(behaviour.addresses, slot.address, ADDRESSES)
        slot.hour, slot.raw, slot.start = hour, hour.encode(), number * HOUR
        slot.behaviour, slot.seen, slot.ids = behaviour, whole.seen, behaviour.record_ids
        slot.session = slot.target = ""
        return True
