"""How many benign rows of a morning come within a day of the identity's own deployment.

`python lab/bench/bench_deployments.py --models FOLDER [--seed 72] [--families second third fourth fifth]`: unsteady
tenants, days scored in turn at the default budget, each family by the model in FOLDER that never saw it
(`model-FAMILY`). A row follows a deployment when a record of that day or of the day before deploys something and names
the identity without being made by it. This is the most that separate habits for such days could remove: decision 25.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from _bench import write

import nhi_watch
from nhi_watch.detect.engine import BUDGET
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.evaluation import mornings
from nhi_watch_lab.evaluation.exams import Exam
from nhi_watch_lab.evaluation.harness import World, world_of

DEPLOYMENT = re.compile(
    r'"(?:UpdateFunctionCode|CreateFunction|RegisterTaskDefinition|UpdateService|PublishVersion|UpdateStack'
    r"|ExecuteChangeSet)|Services\.(?:Update|Replace|Create)Service|deployments\.(?:patch|update|create)"
    r'|"verb": ?"(?:patch|update|create)".{0,400}"resource": ?"(?:deployments|statefulsets|daemonsets|cronjobs)"',
    re.IGNORECASE,
)
"""In a record's text: code, a task, a stack or a rollout that replaces what a workload runs."""
CALLER = r'"(?:arn|userName|username|actor|principalEmail)": ?"[^"]*'


class Row(NamedTuple):
    """A new row of a morning."""

    is_benign: bool
    follows: bool
    """Whether a deployment of the identity was in the logs on that day or on the day before."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=["second", "third", "fourth", "fifth"])
    parser.add_argument("--seed", type=int, default=72, help="of the tenants (default: %(default)s)")
    parser.add_argument("--models", type=Path, required=True, help="folder of the models, one for each family left out")
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    for family in args.families:
        world = world_of(Exam(family, args.seed, variant="unsteady"))
        rows = [*rows_of(world, args.models / f"model-{family}")]
        for name, is_benign in (("benign", True), ("true", False)):
            some = [row for row in rows if row.is_benign is is_benign]
            figures.setdefault(family, {})[name] = {"rows": len(some), "follow": sum(row.follows for row in some)}
    benign = [each["benign"] for each in figures.values()]
    rows_total, follow = sum(each["rows"] for each in benign), sum(each["follow"] for each in benign)
    write({**figures, "benign": {"rows": rows_total, "follow": follow, "share": round(follow / max(1, rows_total), 2)}})


def rows_of(world: World, model: Path) -> Iterator[Row]:
    """The new rows of all mornings from the first attack on."""
    store, sizes = MemoryStore(), list[int]()
    attacked = {record for incident in world.incidents for record in incident["record_ids"]}
    eve = list[str]()
    day = -1
    for records in filter(None, world.days):
        today = deployments(records)
        identities = mean(sizes[-5:]) if sizes else 1.0
        crowd = mornings.crowd(world, identities) if day + 1 >= world.start else 0.0
        result = nhi_watch.score(records, store=store, budget=BUDGET + crowd, model=model)
        day = max(State(store).daybook.days)
        if day < world.start:
            sizes.append(result.run["identities"])
        else:
            for notable in mornings.list_of(result.standing)[0]:
                name = re.split(r"[/:]", notable["identity"]["name"])[-1]
                yield Row(attacked.isdisjoint(notable["record_ids"]), follows(name, [*eve, *today]))
        eve = today


def deployments(records: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of the records that deploy something."""
    return [line for line in map(json.dumps, records) if DEPLOYMENT.search(line)]


def follows(name: str, texts: Sequence[str]) -> bool:
    """Whether a deployment names the identity, and somebody else made it.

    >>> follows("pay-role", ['{"userIdentity": {"arn": "role/ci"}, "requestParameters": {"taskRoleArn": "pay-role"}}'])
    True
    >>> follows("ci", ['{"userIdentity": {"arn": "role/ci"}, "requestParameters": {"taskRoleArn": "pay-role"}}'])
    False
    """
    by_itself = re.compile(CALLER + re.escape(name))
    return any(name in text and not by_itself.search(text) for text in texts)


if __name__ == "__main__":
    main()
