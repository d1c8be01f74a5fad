"""Fuzzing that stays: every source in every shape, files, Splunk's protocol and rows, parts, and the state's rows.

`python -m nhi_watch_lab.fuzzing --seconds 1800` (`make fuzz`): guided by coverage where atheris is installed, else by
the same mutations without it. What an input must not do is raise anything but the reader's own error, or come back from
a row as something else. The corpus is the sources' samples and what `tests/data/fuzz` holds: inputs that once did harm.
An input that does harm now is written to out/fuzz/found, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gzip
import io
import json
import os
import struct
import subprocess
import sys
import time
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, NamedTuple, Union

import nhi_watch_lab
from nhi_watch.core.behaviour import IdentityDay, to_row
from nhi_watch.core.errors import NhiError, RejectError
from nhi_watch.core.event import Event
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.files import reader
from nhi_watch.hosts.splunk import parts, protocol
from nhi_watch.hosts.splunk.gather import Gatherer
from nhi_watch.hosts.splunk.parts import WORDS
from nhi_watch.intake.sources import AnySource, every
from nhi_watch.state import day_rows
from nhi_watch.state.baseline import Profile
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore, pack, unpack

GUIDED = """import sys, atheris
with atheris.instrument_imports(include=["nhi_watch"]):
    from nhi_watch_lab import fuzzing
sys.exit(fuzzing.main(sys.argv[1:]))
"""
ROOT = Path(nhi_watch_lab.__path__[0]).parents[1]
SAMPLES = ROOT / "tests" / "data" / "sources"
HARMFUL = ROOT / "tests" / "data" / "fuzz"
SOURCES = tuple(every())
RUBBISH: tuple[Any, ...] = (
    None, "", "-", "null", 0, -1, 1, True, 1.5, 10**19, -(10**40), 1e308, [], {}, [[]], ["a", "b"], {"a": {"b": 1}},
    "\ud800", "\0", "9" * 400, "a" * 3_000, "2024-02-30T25:61:61Z", "::ffff:1.2.3.4", "{", '{"a": [1, 2]}', "%s%n",
)  # fmt: skip
_NEST = 200
Steps = tuple[Any, ...]
_LONGEST = 60
"""Of a word."""
_TABLES = 2
"""Memories of so few entries hold tables that a process loads once, not what records said."""


class Target(NamedTuple):
    """What is fuzzed."""

    run: Callable[[bytes], None]
    """Raises where an input does harm."""
    corpus: Callable[[], Iterator[bytes]]


# ---- records


def read_record(data: bytes) -> None:
    """Every source that claims a record reads it to an Event or a reject; its day survives a row."""
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return
    for source in SOURCES:
        for identity_day in _day_of(source, record) if source.claims(record) else ():
            assert to_row(day_rows.unpack(day_rows.pack(identity_day))) == to_row(identity_day), (
                "a row holds another day"
            )


def _day_of(source: AnySource, record: object) -> Iterator[IdentityDay]:
    """The day of one record, unless it is a reject."""
    try:
        event = source.read(record)
    except RejectError:
        return
    identity_day = IdentityDay(event.time // DAY)
    identity_day.add(event)
    yield identity_day


def records() -> Iterator[bytes]:
    """The samples of every source, in every shape."""
    for source in SOURCES:
        for record in samples(SAMPLES / f"{source.NAME}.jsonl"):
            yield json.dumps(record).encode()


# ---- files


def read_file(data: bytes) -> None:
    """A file of any layout is read to its end, each piece of it as a record or as something that is none."""
    with os.fdopen(os.memfd_create("fuzz"), "r+b", buffering=0) as file:
        file.write(data)
        moved: list[int] = []
        for batch in reader.read([f"/proc/self/fd/{file.fileno()}"], moved.append):
            assert all(isinstance(batch.raw(index), bytes) for index in range(len(batch.records)))
            assert all(piece.reason for piece in batch.bad)
        assert sum(moved) <= len(data), "more was read than is there"


def files() -> Iterator[bytes]:
    """Some samples in every layout."""
    for source in SOURCES:
        some = [json.dumps(record).encode() for record in samples(SAMPLES / f"{source.NAME}.jsonl")[:3]]
        yield from (b"\n".join(some), b'{"Records": [' + b", ".join(some) + b"]}", gzip.compress(b"\n".join(some)))
        yield json.dumps([json.loads(item) for item in some], indent=1).encode()
    yield b'_time,_raw,host\n"1","{""eventName"": ""x""}",h\n2,"a\nb",c\n'
    stamp = b"msg=audit(1604994496.155:92733):"
    yield b"type=SYSCALL " + stamp + b" success=yes\ntype=PATH " + stamp + b' name="/srv/.env"\ntype=EOE ' + stamp
    yield b'{"messageType": "DATA_MESSAGE", "logEvents": [{"message": "{\\"kind\\": \\"Event\\"}"}, {"message": "x"}]}'
    yield b'{"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [{"a": 1}, {"b": 2}]}]}]}'


# ---- Splunk


class _Nothing(protocol.Streaming):
    def prepare(self, search: protocol.Search) -> tuple[protocol.Metadata, protocol.Messages]:
        return {"type": "streaming"}, []

    def execute(self, body: Iterable[bytes]) -> bytes:
        Gatherer().feed(body)
        return b""


def converse(data: bytes) -> None:
    """A command answers whatever it is sent."""
    protocol.serve(_Nothing(), io.BytesIO(data), io.BytesIO())


def conversations() -> Iterator[bytes]:
    """A whole conversation with each kind of rows."""
    info = b'{"action": "getinfo", "searchinfo": {"args": [], "earliest_time": "0", "latest_time": "1"}}'
    partial_day = parts.PartialDay(20_000)
    bodies = [
        b"",
        b"_raw\n" + _quoted(b'{"eventName": "GetObject"}'),
        b"eventName,count,first\r\nGetObject,3,1\r\n",
        b"nhi_part\n" + parts.pack([partial_day]).encode() + b"\n",
        b'a,"b\n""c",d\n1,2\n',
    ]
    for body in bodies:
        yield _chunk(info, b"") + _chunk(b'{"action": "execute", "finished": true}', body)


def _quoted(text: bytes) -> bytes:
    return b'"' + text.replace(b'"', b'""') + b'"\n'


def _chunk(metadata: bytes, body: bytes) -> bytes:
    return b"chunked 1.0,%d,%d\n" % (len(metadata), len(body)) + metadata + body


def read_part(data: bytes) -> None:
    """A part is read, or refused; so is one that holds a text that was tampered with, and is whole otherwise."""
    for text in (data.decode("utf-8", "replace"), _around(data)):
        with suppress(RejectError):
            for partial_day in parts.unpack(text).values():
                partial_day.give(IdentityDay(partial_day.day))


def _around(data: bytes) -> str:
    """A part with a record for each behaviour that the text of a row names, and with the text."""
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        number = len(json.loads(data)[4]) // day_rows.ROW
        packed = struct.pack("<BBBHII", parts.VERSION, parts.MARK, 1, 1, number, number)
        packed += bytes(range(parts.MARK)) * number + b"\1" * number
        return urlsafe_b64encode(packed + day_rows.deflated(data, WORDS)).decode()
    return ""


def packed_parts() -> Iterator[bytes]:
    """A part of each day that the samples make."""
    for identity_day in _wholes():
        partial_day = parts.PartialDay(identity_day.day)
        partial_day.slots = {key: (b, set(list(identity_day.seen)[:1])) for key, b in identity_day.behaviours.items()}
        yield parts.pack([partial_day]).encode()
        yield _text_of(identity_day)
    yield urlsafe_b64encode(b"\2")


def _text_of(identity_day: IdentityDay) -> bytes:
    return zlib.decompressobj().decompress(day_rows.pack(identity_day))


# ---- the state


def read_state(data: bytes) -> None:
    """Whatever a row of any table holds, the state says so or works with it: what is packed is a list of JSON."""
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        return
    store = MemoryStore()
    row_values = plain if isinstance(plain, list) and len(plain) == len(_ROWS) else [plain] * len(_ROWS)
    for (table, key), row in zip(_ROWS, row_values):
        store.put(table, [(key, pack(row))])
    with suppress(NhiError):
        state = State(store)
        state.scored(20_000)
        state.fill(state.scopes(20_001), {"i": IdentityDay(20_001)}, 20_001)


_ROWS = ("delta", "020000/i"), ("profile", "i"), ("profile", "group/019999"), ("meta", "days")


def states() -> Iterator[bytes]:
    """Rows as a run leaves them."""
    delta = [{"action": {"s3:GetObject": 1}}, {}, "peer:role:a", 1.0, 0.5, 0.1, True, None, None, 3, ""]
    profile = [19_999, 1, 19_999, 19_999, 0, {"action": {"s3:GetObject": [1, 1, 19_999, 19_999, 1]}}, []]
    yield json.dumps([delta, profile, {"tenant": profile}, [[19_999, 20_000], 0]]).encode()


def read_row(data: bytes) -> None:
    """A damaged row is reported as such; so is one whose text was tampered with."""
    for read, raw in product((unpack, day_rows.unpack), (data, zlib.compress(data, 1))):
        with suppress(NhiError):
            read(raw)


def rows() -> Iterator[bytes]:
    """Rows of days."""
    for identity_day in _wholes():
        yield day_rows.pack(identity_day)
        yield _text_of(identity_day)
    yield pack([Profile().days])


def _wholes() -> Iterator[IdentityDay]:
    for source in SOURCES:
        for record in samples(SAMPLES / f"{source.NAME}.jsonl")[:4]:
            yield from _day_of(source, record)


TARGETS = {
    "records": Target(read_record, records),
    "files": Target(read_file, files),
    "protocol": Target(converse, conversations),
    "parts": Target(read_part, packed_parts),
    "state": Target(read_state, states),
    "rows": Target(read_row, rows),
}


# ---- mutations


def mutated(data: bytes, dice: Random) -> bytes:
    """Something like an input: of JSON values are replaced, of other bytes some are changed, left out or doubled."""
    try:
        tree = json.loads(data)
        places = [path for path, _ in leaves(tree)]
    except (ValueError, RecursionError):
        tree, places = None, []
    for _ in range(dice.randint(1, 4)):
        if places and dice.random() < 0.8:
            tree = _changed(tree, dice.choice(places), dice)
            data = json.dumps(tree).encode()
        else:
            data = _bytes(data, dice)
    return data


def _changed(tree: Any, path: tuple[Any, ...], dice: Random) -> Any:
    value = dice.choice(RUBBISH)
    for _ in range(_NEST if dice.random() < 0.01 else 0):
        value = [value]
    try:
        return replaced(tree, path[: dice.randint(1, len(path))], value)
    except (TypeError, KeyError, IndexError, ValueError):  # what it was in has been replaced before
        return tree


def _bytes(data: bytes, dice: Random) -> bytes:
    start = dice.randint(0, len(data))
    end = min(len(data), start + dice.choice((0, 1, 1, 4, 40)))
    middle = dice.choice((b"", data[start:end] * 2, bytes([dice.randint(0, 255)]), b"9" * 20, b"\xff\xfe", b"-1"))
    return data[:start] + middle + data[end:]


def corpus(name: str) -> list[bytes]:
    """The inputs from which a target's fuzzing begins."""
    folder = HARMFUL / name
    return [*TARGETS[name].corpus(), *(path.read_bytes() for path in sorted(folder.glob("*")))]


def tried(name: str, seconds: float, seed: int) -> tuple[int, list[bytes]]:
    """How many mutated inputs were tried, and those that did harm (at most ten)."""
    dice, known, until = Random(f"{name}/{seed}"), corpus(name), time.monotonic() + seconds
    count, harmful = 0, list[bytes]()
    while time.monotonic() < until and len(harmful) < 10:
        data = mutated(dice.choice(known), dice)
        count += 1
        try:
            TARGETS[name].run(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            harmful.append(data)
    return count, harmful


# ---- pairs of records: what a source answers to one must not depend on what it has read before. A few values of a
# sample are replaced by the source's own words (texts of its code and of its samples, some with an ending) or by
# rubbish; the second of a pair is the first with one or two more values replaced, as records in a log are alike


class Pair(NamedTuple):
    """Two records of one source."""

    one: Any
    two: Any


def samples(path: Path) -> list[Any]:
    """The records of a file of samples that are objects."""
    records = (json.loads(line)["record"] for line in path.read_text("utf-8").splitlines())
    return [record for record in records if isinstance(record, dict)]


def words(source: ModuleType, records: Iterable[Any]) -> list[str]:
    """Texts of a source's code and of its samples."""
    file = Path(str(source.__file__))
    files = file.parent.glob("*.py") if file.name == "__init__.py" else [file]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    texts |= {value for record in records for _, value in leaves(record) if isinstance(value, str)}
    return sorted(word for word in texts if 0 < len(word) <= _LONGEST)


def leaves(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """The values that are no containers; a text that holds an object is gone into, with None as the step."""
    if isinstance(tree, dict):
        steps: Iterable[tuple[Any, Any]] = tree.items()
    elif isinstance(tree, list):
        steps = enumerate(tree)
    elif isinstance(tree, str) and tree[:1] == "{" and at:
        try:
            steps = [(None, json.loads(tree))]
        except ValueError:
            steps = []
    else:
        steps = []
    inside = False
    for step, inner in steps:
        inside = True
        yield from leaves(inner, (*at, step))
    if not inside and at:
        yield at, tree


def replaced(tree: Any, path: Steps, value: Any) -> Any:
    """A record with another value at a path.

    >>> replaced({"a": '{"b": [1, 2]}'}, ("a", None, "b", 1), 3)
    {'a': '{"b": [1, 3]}'}
    """
    if not path:
        return value
    step, *rest = path
    if step is None:
        return json.dumps(replaced(json.loads(tree), tuple(rest), value))
    built = copy.copy(tree)
    built[step] = replaced(tree[step], tuple(rest), value)
    return built


class Fuzz:
    """Makes pairs of records of one source."""

    def __init__(self, source: ModuleType, records: list[Any], seed: int) -> None:
        self._random = Random(f"{source.NAME} {seed}")
        self._records = [(record, [path for path, _ in leaves(record)]) for record in records]
        self._words = words(source, records)

    def pair(self) -> Pair:
        """Two records that differ in one or two values."""
        record, places = self._random.choice(self._records)
        item = self._changed(record, places, self._random.randint(0, 3))
        return Pair(item, self._changed(item, places, self._random.randint(1, 2)))

    def _changed(self, record: Any, places: list[Steps], count: int) -> Any:
        for _ in range(count):
            with suppress(TypeError, KeyError, IndexError, ValueError):  # what it was in has been replaced before
                record = replaced(record, self._random.choice(places), self._value())
        return record

    def _value(self) -> Any:
        turn = self._random.random()
        if turn < 0.25:
            return self._random.choice(RUBBISH)
        word = self._random.choice(self._words)
        return word if turn < 0.7 else f"{word}{self._random.randint(0, 99)}"


def forgetting() -> Callable[[], None]:
    """What clears all that modules of the package remember of values, as in a process that has just begun."""
    memories = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("nhi_watch.")
        for value in vars(module).values()
        if hasattr(value, "cache_clear") and (value.cache_info().maxsize or 0) > _TABLES
    }
    clears = [value.cache_clear for value in memories.values()]

    def clear() -> None:
        for each in clears:
            each()

    return clear


def outcome(source: ModuleType, record: Any) -> Union[Event, str]:
    """The Event, or the reason why there is none."""
    try:
        event: Event = source.read(record)
    except RejectError as reject:
        return reject.reason
    return event


def is_stable(source: ModuleType, pair: Pair, clear: Callable[[], None]) -> bool:
    """Whether each of two records is read alike by a process that has read nothing and after the other one."""
    clear()
    item, two_after = outcome(source, pair.one), outcome(source, pair.two)
    clear()
    two, one_after = outcome(source, pair.two), outcome(source, pair.one)
    return repr(item) == repr(one_after) and repr(two) == repr(two_after)


# ---- guided by coverage


def guided(name: str, seconds: int, folder: Path) -> int:
    """Let atheris fuzz a target in this process; it ends the process."""
    import atheris

    seeds = folder / name
    seeds.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus(name)):
        (seeds / f"seed-{number}").write_bytes(data)

    def mutator(data: bytes, size: int, seed: int) -> bytes:
        return mutated(data, Random(seed))[:size]

    path = folder / "found"
    path.mkdir(exist_ok=True)
    options = [sys.argv[0], f"-max_total_time={seconds}", "-max_len=20000", f"-artifact_prefix={path}/{name}-"]
    atheris.Setup([*options, str(seeds)], TARGETS[name].run, custom_mutator=mutator)
    atheris.Fuzz()
    return 0


def main(arguments: Sequence[str]) -> int:
    """Fuzz every target for a share of the time; exit code 1 where an input does harm."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(TARGETS))
    parser.add_argument("--guided", choices=sorted(TARGETS), help="this target alone, by atheris, in this process")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz")
    args = parser.parse_args(arguments)
    if args.guided:
        return guided(args.guided, args.seconds, args.out)
    wanted, failed = [args.only] if args.only else list(TARGETS), False
    for name in wanted:
        failed |= _one(name, args.seconds // len(wanted), args)
    return int(failed)


def _one(name: str, seconds: int, args: argparse.Namespace) -> bool:
    """Whether an input of a target does harm."""
    if find_spec("atheris"):
        command = [sys.executable, "-c", GUIDED, "--guided", name, "--seconds", str(seconds), "--out", str(args.out)]
        return subprocess.call(command) != 0  # noqa: S603 - ourselves
    count, harmful = tried(name, seconds, args.seed)
    sys.stdout.write(f"{name}: {count} inputs, {len(harmful)} do harm\n")
    for number, data in enumerate(harmful):
        path = args.out / "found" / f"{name}-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return bool(harmful)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
