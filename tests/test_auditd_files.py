"""Files of auditd's lines: one record an event, however its lines are mingled, and every line accounted for."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

from nhi_watch.hosts.files import reader


def lines_of(serial: int, node: str = "") -> list[str]:
    head = f"{f'node={node} ' if node else ''}type={{}} msg=audit(1772445600.155:{serial}): "
    return [
        head.format(kind) + rest for kind, rest in (("SYSCALL", "a=1"), ("CWD", 'cwd="/"'), ("PATH", f"name={serial}"))
    ]


def read(path: Path) -> tuple[list[Any], list[tuple[int, str]], list[int]]:
    records: list[Any] = []
    bad: list[tuple[int, str]] = []
    where: list[int] = []
    for batch in reader.read([str(path)]):
        records += batch.records
        bad += [(piece.line, piece.reason) for piece in batch.bad]
        where += [batch.where(index).line for index in range(len(batch.records))]
        mine: list[Any] = batch.records
        assert [batch.raw(index).decode() for index in range(len(mine))] == [record["_raw"] for record in mine]
    return records, bad, where


def test_mingled_lines_are_put_together_by_time_serial_and_node(tmp_path: Path) -> None:
    events = [lines_of(1), lines_of(2), lines_of(1, "web-1")]
    mingled = [event[step] for step in range(3) for event in events]
    path = tmp_path / "audit.log"
    path.write_text("\n".join(mingled), encoding="utf-8")
    records, bad, where = read(path)
    assert [r["_raw"] for r in records] == ["\n".join(event) for event in events] and not bad
    assert where == [1, 2, 3]


def test_the_end_of_an_event_gives_it_at_once_and_strange_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    end = "type=EOE msg=audit(1772445600.155:1): "
    path.write_text("\n".join([*lines_of(1), end, "", "hello", *lines_of(2)]) + "\n", encoding="utf-8")
    records, bad, where = read(path)
    assert [len(r["_raw"].split("\n")) for r in records] == [4, 3]
    assert (bad, where) == ([(6, "not_auditd")], [1, 7])


def test_a_large_packed_file_is_read_in_bounded_memory_and_no_event_is_lost(tmp_path: Path) -> None:
    dice = random.Random(7)
    pending: list[list[str]] = []
    out: list[str] = []
    for serial in range(4000):
        pending.append(lines_of(serial))
        while pending and (len(pending) > 8 or dice.random() < 0.5):
            event = dice.choice(pending)
            out.append(event.pop(0))
            pending = [e for e in pending if e]
    out += [line for event in pending for line in event]
    path = tmp_path / "audit.log.gz"
    path.write_bytes(gzip.compress("\n".join(out).encode()))
    records, bad, _ = read(path)
    assert not bad and sorted(r["_raw"] for r in records) == sorted("\n".join(lines_of(n)) for n in range(4000))
