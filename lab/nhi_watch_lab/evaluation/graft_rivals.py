"""The rivals on real content: a real attack grafted onto a machine of a real account, found by each at equal budget.

An account of a few dozen identities has room for one notable a day at any of the budgets: found means that no other
machine of that day ranks as high. Each technique is made by up to ten machines, which do not stand for as many cases:
the intervals are over techniques. *without_floor* is ours without a floor, as the rivals have none either: on a day
without an attack they write something all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from nhi_watch.detect import ranking
from nhi_watch.detect.model import Scorecard
from nhi_watch_lab.evaluation.background import Host, chosen, grafted, hosts_of, techniques, week_before, wholes
from nhi_watch_lab.evaluation.counting import BUDGETS, interval
from nhi_watch_lab.evaluation.grafts import ORIGINS, Account, accounts
from nhi_watch_lab.evaluation.incidents import NO_FLOOR, OURS, Progress, our_entry
from nhi_watch_lab.evaluation.learners import learners
from nhi_watch_lab.evaluation.real import halves
from nhi_watch_lab.evaluation.replay import Replay, Replayed
from nhi_watch_lab.evaluation.rivals import Rival, Scores, simple

Record = dict[str, Any]


class Found(NamedTuple):
    """One technique on one host, by one detector."""

    account: str
    technique: str
    origin: str
    detector: str
    above: Optional[int]
    """Machines that rank as high; None: it would not be written."""
    size: int
    """Identities of the day."""

    def at(self, budget: float) -> bool:
        """Whether it is found within a budget."""
        return self.above is not None and self.above < ranking.allowance(budget, self.size)


class Field(NamedTuple):
    """An account's ordinary day, with detectors that know the week before."""

    replay: Replay
    rivals: list[Rival]
    ordinary: dict[str, Replayed]


def compare(model: Scorecard, data: Path, boosting: Any, progress: Progress) -> list[Found]:
    """Every technique on every chosen host of every account, from outside and inside, by every detector."""
    found, attacks = [], techniques(data)
    for account in (each for whole in accounts(data) for each in backgrounds(whole)):
        field = _field(model, account, boosting)
        hosts = chosen([h for h in hosts_of(account.day) if h.identity in field.ordinary])
        for done, (technique, attack) in enumerate(attacks.items()):
            progress(f"rivals on {account.name}", done, len(attacks))
            for origin in ORIGINS:
                items = _attacked(field, attack, hosts, origin)
                size = len(field.ordinary)
                for detector, above in _places(field, items):
                    found.append(Found(account.name, technique, origin, detector, above, size))
    return found


class Background(NamedTuple):
    """A real account's ordinary day, and what lies before it."""

    name: str
    history: list[Record]
    day: list[Record]


def backgrounds(account: Account) -> list[Background]:
    """The whole day after a week that holds most of it; and half of it after the other half, so that much is new."""
    return [
        Background(account.name, week_before(account.day), account.day),
        Background(f"{account.name}, half new", *halves(account.day)),
    ]


def _field(model: Scorecard, account: Background, boosting: Any) -> Field:
    replay, rivals = Replay(model), [*simple(), *learners(boosting)]
    days: dict[int, list[Replayed]] = {}
    for item in replay.run(account.history):
        if item.ranked.eligible:
            days.setdefault(item.day, []).append(item)
    for _, day in sorted(days.items()):
        for rival in rivals:
            rival.score(day)
            rival.learn(day)
    scored = (replay.score(whole) for whole in wholes(account.day).values())
    return Field(replay, rivals, {item.ranked.identity_id: item for item in scored if item.ranked.eligible})


def _attacked(field: Field, attack: Any, hosts: Sequence[Host], origin: str) -> dict[str, Replayed]:
    """Identity → its day with the attack in it."""
    found = {}
    for number, host in enumerate(hosts):
        records = grafted(attack, host, number if origin == "external" else None)
        found[host.identity] = field.replay.score(wholes([*host.records, *records])[host.identity])
    return found


def _places(field: Field, items: Mapping[str, Replayed]) -> Iterator[tuple[str, Optional[int]]]:
    """Detector and place of each attacked machine among the ordinary days of all others."""
    for name, item in items.items():
        mine = our_entry(item)
        others = [our_entry(other) for who, other in field.ordinary.items() if who != name]
        above = sum(entry.written and entry.rank >= mine.rank for entry in others)
        yield OURS, above if mine.written and item.ranked.eligible else None
        yield NO_FLOOR, sum(entry.rank >= mine.rank for entry in others) if item.ranked.eligible else None
    for rival in field.rivals:
        usual, attacked = _scores(rival, field, items)
        for name in items:
            mine_scored = attacked[name]
            above = sum(score > 0 and score >= mine_scored for who, score in usual.items() if who != name)
            yield rival.name, above if mine_scored > 0 else None


def _scores(rival: Rival, field: Field, items: Mapping[str, Replayed]) -> tuple[Scores, Scores]:
    """Scores of the ordinary day, and of the attacked machines on the same scale.

    Some rivals count from the day's least score: what both days share tells how far apart the two scales are.
    """
    usual = rival.score(list(field.ordinary.values()))
    told = rival.score([items.get(name, item) for name, item in field.ordinary.items()])
    same = next((name for name in field.ordinary if name not in items), None)
    apart = 0.0 if same is None else usual[same] - told[same]
    return usual, {name: told[name] + apart for name in items}


def summarise(found: Sequence[Found]) -> dict[str, Any]:
    """Detector → budget → origin → recall with its interval over techniques, and by how much ours is ahead."""
    names = dict.fromkeys(each.detector for each in found)
    return {name: {f"{b:g}": _budget(found, name, b) for b in BUDGETS} for name in names}


def by_background(found: Sequence[Found]) -> dict[str, Any]:
    """Background → detector → origin → recall: all budgets have room for one."""
    parts: dict[str, list[Found]] = {}
    for each in found:
        parts.setdefault(each.account, []).append(each)
    names = dict.fromkeys(each.detector for each in found)
    return {where: {name: _budget(part, name, BUDGETS[0]) for name in names} for where, part in parts.items()}


def _budget(found: Sequence[Found], detector: str, budget: float) -> dict[str, Any]:
    rows = {}
    for origin in ("all", *ORIGINS):
        mine, ours = (_shares(found, who, budget, origin) for who in (detector, OURS))
        gaps = [ours[technique] - share for technique, share in mine.items()]
        rows[origin] = {"techniques": len(mine), **_mean(list(mine.values())), "behind": _mean(gaps)}
    return rows


def _mean(values: Sequence[float]) -> dict[str, Any]:
    return {"recall": round(sum(values) / max(1, len(values)), 4), "interval": list(interval(values))}


def _shares(found: Sequence[Found], detector: str, budget: float, origin: str) -> dict[str, float]:
    """Technique → share of the machines on which it is found."""
    hits: dict[str, list[bool]] = {}
    for each in found:
        if each.detector == detector and origin in ("all", each.origin):
            hits.setdefault(each.technique, []).append(each.at(budget))
    return {technique: sum(told) / len(told) for technique, told in hits.items()}
