"""One real attack, made by one ordinary machine of a real account: does that machine come first?

`python -m nhi_watch_lab.evaluation.grafts` shows which do not, and why.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nhi_watch.core.notable import severity_of
from nhi_watch.detect import model as models
from nhi_watch.detect.model import Scorecard
from nhi_watch.detect.ranking import FLOOR
from nhi_watch_lab.evaluation import folder
from nhi_watch_lab.evaluation.background import Host, chosen, grafted, hosts_of, techniques, week_before, wholes
from nhi_watch_lab.evaluation.incidents import our_entry
from nhi_watch_lab.evaluation.real import lines, named, real
from nhi_watch_lab.evaluation.replay import Replay, Replayed

Record = dict[str, Any]
Progress = Callable[[str, int, int], None]
ORIGINS = ("external", "inside")


class Account(NamedTuple):
    """A real account on one of its days, with a week before it."""

    name: str
    day: list[Record]
    hosts: list[Host]


class Graft(NamedTuple):
    """One technique on one host."""

    account: str
    technique: str
    origin: str
    host: str
    won: bool
    """High or critical, and first of the day."""
    rank: int
    episode: dict[str, Any]


def accounts(data: Path) -> list[Account]:
    """boogy's only day, with its ids repaired; and the day of grycap with most events."""
    logs = data / "cloudtrail"
    boogy = folder.repaired(folder.read(logs / "boogy.json"))
    grycap = folder.read(logs / "grycap.ndjson")
    busiest = max(Counter(str(r.get("eventTime"))[:10] for r in grycap).items(), key=lambda row: row[1])[0]
    days = {"boogy": boogy, "grycap": [r for r in grycap if str(r.get("eventTime"))[:10] == busiest]}
    return [Account(name, day, hosts_of(day)) for name, day in days.items()]


class Ground:
    """An account whose week was learnt and whose day was scored, without any attack."""

    def __init__(self, model: Scorecard, account: Account) -> None:
        self.account = account
        self._replay = Replay(model)
        for _ in self._replay.run(week_before(account.day)):
            pass
        self._ordinary = {w.identity.id: self._replay.score(w) for w in wholes(account.day).values()}

    def hosts(self) -> list[Host]:
        """The machines that attacks are grafted on: no persons."""
        return chosen([h for h in self.account.hosts if self._ordinary[h.identity].ranked.eligible])

    def graft(self, technique: str, attack: Sequence[Record], number: int, host: Host, origin: str) -> Graft:
        """The host's day with the attack in it, among the ordinary days of all others."""
        records = grafted(attack, host, number if origin == "external" else None)
        item = self._replay.score(wholes([*host.records, *records])[host.identity])
        rank = self._rank(item)
        loud = item.ranked.eligible and severity_of(item.ranked.score) in ("high", "critical")
        told = {**named(item), "eligible": item.ranked.eligible}
        return Graft(self.account.name, technique, origin, host.name, loud and rank == 1, rank, told)

    def _rank(self, item: Replayed) -> int:
        mine = our_entry(item).rank
        others = (o for name, o in self._ordinary.items() if name != item.ranked.identity_id)
        return 1 + sum(o.ranked.eligible and our_entry(o).rank >= mine for o in others)


def all_grafts(model: Scorecard, data: Path, progress: Progress) -> list[Graft]:
    """Every technique on every chosen host of every account, from outside and from inside."""
    found, attacks = [], techniques(data)
    for account in accounts(data):
        ground = Ground(model, account)
        for done, (technique, attack) in enumerate(attacks.items()):
            progress(f"grafts on {account.name}", done, len(attacks))
            for number, host in enumerate(ground.hosts()):
                found += [ground.graft(technique, attack, number, host, origin) for origin in ORIGINS]
    return found


def summarise(grafts: Sequence[Graft]) -> dict[str, Any]:
    """Account → origin → for how many techniques most hosts come first, the share by technique, the failures."""
    groups: dict[str, dict[str, list[Graft]]] = {}
    for graft in grafts:
        groups.setdefault(graft.account, {}).setdefault(graft.origin, []).append(graft)
    return {name: {origin: _origin(part) for origin, part in rest.items()} for name, rest in groups.items()}


def _origin(grafts: Sequence[Graft]) -> dict[str, Any]:
    shares = {}
    for technique in dict.fromkeys(g.technique for g in grafts):
        won = [g.won for g in grafts if g.technique == technique]
        shares[technique] = _share(won)
    return {
        "hosts": len({g.host for g in grafts}),
        "techniques": len(shares),
        "won_on_most_hosts": sum(share > 0.5 for share in shares.values()),
        "won_on_all_hosts": sum(share == 1 for share in shares.values()),
        "share_of_grafts": _share([g.won for g in grafts]),
        "share_first": _share([g.rank == 1 and g.episode["score"] >= FLOOR for g in grafts]),
        "share_high_or_critical": _share([g.episode["severity"] in ("high", "critical") for g in grafts]),
        "by_technique": shares,
        "failures": [_failure(g) for g in grafts if not g.won],
    }


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _failure(graft: Graft) -> dict[str, Any]:
    return {"technique": graft.technique, "host": graft.host, "rank": graft.rank, **graft.episode}


def digest(result: Mapping[str, Any]) -> Iterator[str]:
    """The figures in lines, for tuning: one failure a technique."""
    for account, origins in result.items():
        for origin, figures in origins.items():
            yield (
                f"grafts on {account} {origin}: {figures['won_on_most_hosts']} of {figures['techniques']} "
                f"techniques on most of {figures['hosts']} hosts; of all grafts {figures['share_of_grafts']}, "
                f"first {figures['share_first']}, high or critical {figures['share_high_or_critical']}"
            )
            seen = set()
            for failure in figures["failures"]:
                if failure["technique"] not in seen:
                    seen.add(failure["technique"])
                    share = figures["by_technique"][failure["technique"]]
                    yield f"  {failure['technique']} won {share}; {_failure_line(failure)}"


def _failure_line(failure: Mapping[str, Any]) -> str:
    signals = sorted(failure["signals"].items(), key=lambda row: -row[1][1])
    top = ", ".join(f"{name}={value}({points:+.2f})" for name, (value, points) in signals if abs(points) >= 0.1)
    host = failure["host"].rsplit("/", 1)[-1]
    eligible = "" if failure["eligible"] else " NOT ELIGIBLE"
    return f"{host} rank {failure['rank']} score {failure['score']}{eligible}: {top}"


def main(arguments: Sequence[str]) -> None:
    """Write what real data shows, for tuning."""
    model, data = models.load(), Path(arguments[0] if arguments else "../shared/data")
    told = lines(real(model, data))
    told += digest(summarise(all_grafts(model, data, lambda stage, done, total: None)))
    sys.stdout.write("\n".join(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
