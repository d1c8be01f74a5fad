"""What is promised of notables: the budget on ordinary weeks, ten incidents in one day, the report's size, speed.

`python lab/bench/bench_notables.py [--sizes 30,300,3000] [--days 9] [--page docs/method/walk.md]`: processor seconds of
whole processes, the least of three; the tenants are simulated, and scored as by `nhi score`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _bench import nhi, write

from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.detect.ranking import week_allowance
from nhi_watch.hosts.files import jobs
from nhi_watch.report import html
from nhi_watch_lab.simulator import Spec, Tenant
from notable_samples import many

Json = dict[str, Any]
SEED = 41
EVENTS = 12
"""A machine's events a day, about."""
THIEF = (
    ("sts", "GetCallerIdentity"),
    ("iam", "ListUsers"),
    ("secretsmanager", "GetSecretValue"),
    ("iam", "CreateAccessKey"),
    ("iam", "AttachUserPolicy"),
)
INCIDENTS = 10


def ordinary(machines: int, days: int) -> Iterator[list[Json]]:
    """The records of ordinary days, day by day."""
    spec = Spec(days=days, machines=machines, seed=SEED, campaigns=0, events=EVENTS * machines * days)
    yield from (day.records for day in Tenant(spec).days())


def score_all(days: list[list[Json]], folder: Path) -> Json:
    """What `nhi score` writes of them: its run.json, and its list."""
    path = folder / "log.ndjson"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(record)}\n" for day in days for record in day)
    result = jobs.score(jobs.ScoreJob([str(path)], folder, folder / "state.sqlite"))
    return {"run": result.run, "listed": result.notables, "below": result.below}


def budget(machines: int, days: int) -> Json:
    """Places taken in ordinary weeks: the most of any seven days, against the allowance."""
    with tempfile.TemporaryDirectory() as folder:
        scored = score_all(list(ordinary(machines, days)), Path(folder))
    dates = sorted(item["listed_on"] for item in scored["listed"] if item["listed_on"] and not item["over_budget"])
    most = max((sum(start <= date < _after(start, 7) for date in dates) for start in dates), default=0)
    return {
        "identities": scored["run"]["identities"],
        "events": scored["run"]["events"],
        "most_in_7_days": most,
        "allowed": week_allowance(scored["run"]["budget"], machines),
        "over_budget": scored["run"]["over_budget"],
        "below": scored["run"]["overflow"],
        "rank_share": _rank_share(scored["run"]),
    }


def _after(date: str, days: int) -> str:
    return render(parse(f"{date}T00:00:00Z") + days * DAY)[:10]


def _rank_share(run: Json) -> float:
    return round(float(run["seconds"].get("rank", 0.0)) / float(run["seconds"]["total"]), 4)


def incidents(machines: int = 300, days: int = 9) -> Json:
    """Ten machines' sessions stolen on the last day (people's SSO roles are none): how many are listed."""
    every = list(ordinary(machines, days))
    roles: dict[str, Json] = {}
    for record in every[-1]:
        arn = record["userIdentity"].get("arn", "")
        issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer")
        if ":assumed-role/" in arn and issuer and "AWSReservedSSO" not in arn:
            roles.setdefault(issuer["arn"], record)
    stolen = dict(sorted(roles.items())[:: max(1, len(roles) // INCIDENTS)][:INCIDENTS])
    for number, record in enumerate(stolen.values()):
        every[-1] += theft(record, number)
    with tempfile.TemporaryDirectory() as folder:
        scored = score_all(every, Path(folder))
    named = {who["name"] for item in scored["listed"] for who in (item["identity"], *item["members"])}
    return {
        "incidents": len(stolen),
        "listed": len(named & stolen.keys()),
        "others_listed": len(named - stolen.keys()),
        "over_budget": scored["run"]["over_budget"],
        "folded": scored["run"]["folded"],
    }


def theft(record: Json, number: int) -> Iterator[Json]:
    """The calls of a thief with a machine's session, from a network of his own, at the end of the day."""
    for step, (service, name) in enumerate(THIEF):
        yield {
            **record, "eventSource": f"{service}.amazonaws.com", "eventName": name, "eventID": f"thief-{number}-{step}",
            "sourceIPAddress": f"185.220.{100 + number}.7", "userAgent": "aws-cli/2.15.30 Python/3.11",
            "eventTime": f"{record['eventTime'][:10]}T22:{number:02}:{step:02}Z", "requestParameters": None,
            "responseElements": None, "errorCode": None, "resources": [], "readOnly": False,
        }  # fmt: skip


def hand() -> Json:
    """What an analyst waits for, on the demo's state."""
    with tempfile.TemporaryDirectory() as folder:
        data, out = f"{folder}/data", f"{folder}/out"
        built = ("simulate", "--days", "14", "--machines", "120", "--seed", "7", "--campaigns", "8", "--out", data)
        for words in (built, ("score", f"{data}/events", "--out", out)):
            nhi(*words)
        run = json.loads(Path(out, "run.json").read_text("utf-8"))
        asked = {
            "version": ("--version",),
            "explain": ("explain", "1", "--out", out),
            "brief": ("brief", "1", "--out", out),
        }
        return {
            **{name: min(round(nhi(*words).processor, 3) for _ in range(3)) for name, words in asked.items()},
            "rank_share": _rank_share(run),
        }


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="30,300,3000")
    parser.add_argument("--days", type=int, default=9)
    parser.add_argument("--page", type=Path, help="write the figures at the end of this page")
    args = parser.parse_args()
    result: Json = {
        "hand": hand(),
        "report_mb": round(len(html.render(many(5_000), {}).encode()) / 1e6, 2),
        "incidents": incidents(),
        "budget": {},
    }
    for size in args.sizes.split(","):
        result["budget"][size] = {"days": args.days, **budget(int(size), args.days)}
    write(result)
    if args.page:
        before = args.page.read_text("utf-8").partition(MARK)[0]
        args.page.write_text(f"{before}{MARK}{figures(result)}", "utf-8")


MARK = "\n## Figures\n\n<!-- Written by lab/bench/bench_notables.py --page -->\n"


def figures(result: Json) -> str:
    """The figures as a table."""
    hand, ten = result["hand"], result["incidents"]
    weeks = result["budget"].items()
    rows = [
        ("`nhi --version`, processor seconds of the whole process", f"{hand['version']:.3f}", "0.15"),
        ("`nhi explain` on the demo's state", f"{hand['explain']:.2f}", "0.5"),
        ("`nhi brief` without a model", f"{hand['brief']:.2f}", "1"),
        ("share of the demo's run that builds notables", f"{hand['rank_share']:.1%}", "20%"),
        *((f"the same, {size} machines, {text['events']:,} events", f"{text['rank_share']:.1%}", "20%")
          for size, text in weeks),
        ("report of 5,000 notables, MB", f"{result['report_mb']}", "10"),
        (f"of {ten['incidents']} thefts in one day of 300 machines listed", f"{ten['listed']}", f"{ten['incidents']}"),
        *((f"most places taken in 7 ordinary days, {size} machines", f"{text['most_in_7_days']}", f"{text['allowed']}")
          for size, text in weeks),
    ]  # fmt: skip
    lines = "\n".join(f"| {what} | {is_now} | {asked} |" for what, is_now, asked in rows)
    return f"\n| what | now | asked |\n|---|---|---|\n{lines}\n"


if __name__ == "__main__":
    main()
