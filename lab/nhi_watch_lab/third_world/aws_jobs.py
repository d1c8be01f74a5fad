"""What AWS machines do for a living: `kind name power schedule rate length clients | usual ops | rare ops`.

rate is runs a day (median), length calls a run. A rare op is one a new version or an odd day may bring.
"""
from typing import List, NamedTuple, Tuple
from nhi_watch_lab.tables import text


class Job(NamedTuple):
    kind: str
    name: str
    power: str
    schedule: str
    rate: float
    length: int
    clients: List[str]
    ops: List[Tuple[str, float]]
    rare: List[str]
    weight: float


TEXT = text(__file__, "aws_jobs.txt")


def _ops(text: str) -> List[Tuple[str, float]]:
    pairs = []
    for item in text.split():
        name, _, weight = item.partition("*")
        pairs.append((name, float(weight or 1)))
    return pairs


def parse(text: str) -> List[Job]:
    jobs = []
    for line in text.strip().splitlines():
        head, ops, rare, weight = line.split(" | ")
        kind, name, power, schedule, rate, length, clients = head.split()
        jobs.append(Job(kind, name, power, schedule, float(rate), int(length), clients.split(","), _ops(ops), rare.split(),
                        float(weight)))
    return jobs


JOBS = parse(TEXT)
