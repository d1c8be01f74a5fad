"""What ties the logs together in ordinary life: pipelines that work in clouds, and keys that lie on hosts.

A run in GitHub comes before the role session in AWS, the token in Google Cloud, the sign-in in Entra; a server reads
its key file before the key is used.
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_watch_lab.simulator.basics import dice
from nhi_watch_lab.simulator.difficulty import who
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products import endpoint, entra, gcp, github
from nhi_watch_lab.simulator.products.company import Company, Repo
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, office, run


def cloud_lines(records: list[Record], midnight: float) -> list[Line]:
    """CloudTrail's records as lines; `midnight` is that of their day."""
    found = []
    for record in records:
        text = record["eventTime"]
        second = midnight + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
        found.append(Line(second, "cloudtrail", f"aws:{who(record)}", f"{record['eventSource']}:{record['eventName']}",
                          record))
    return found


def starters(company: Company, developers: list[Worker], lines: list[Line], day: int) -> Iterator[Line]:
    """The run of a pipeline before each of its role sessions in AWS."""
    repos = {repo.subject: repo for repo in company.repos if repo.deploys == "aws"}
    for line in lines:
        if line.record["eventName"] != "AssumeRoleWithWebIdentity":
            continue
        repo = repos.get(line.record["userIdentity"].get("userName", ""))
        if repo is not None:
            d = dice(company.seed, "run", line.record["eventID"])
            before = max(company.midnight(day), line.second - 25 - 60 * d.random())
            yield from pushed(company, developers, repo, At(before, d), day)


def pushed(company: Company, developers: list[Worker], repo: Repo, at: At, day: int,
           event: str = "push") -> Iterator[Line]:
    """Somebody pushes or merges, and a run starts."""
    d = at.dice
    alive = [each for each in developers if each.alive(day)]
    if alive:
        starter = d.pick(alive[: 1 + int(3 * d.random())] if d.chance(0.5) else alive)
        sender = starter.sender(company.seed, day, at.second % 86_400)
        yield from github.workflow_run(company, repo, event, sender, at, d.between(60, 900))


def google(company: Company, developers: list[Worker], front: Worker) -> None:
    """A pipeline that deploys to Google Cloud without a key."""
    repo, deployer, deeds = front.facts["repo"], front.facts["deployer"], front.facts["deeds"]

    def deed(sender: Sender, at: At) -> list[Line]:
        day = day_of(company, at.second)
        found = list(pushed(company, developers, repo, at, day))
        at = at.later(20 + 40 * at.dice.random())
        found += gcp.mint(company, deployer)(sender, at)
        for _ in range(at.dice.between(2, 7)):
            at = at.later(12 * at.dice.random() + 1)
            found += deeds[int(len(deeds) * at.dice.random() ** 2)](sender, at)  # the last ones seldom
        return found

    d = company.dice("google-runs", front.name)
    front.habits.append(run(Rhythm("burst", d.lognormal(1.3, 0.5)), ([deed], 1, 1)))
    front.rotate = HOUR // 4


def microsoft(company: Company, developers: list[Worker], worker: Worker, repo: Repo) -> None:
    """An app that deploys from a repository: its sign-ins begin with a run."""
    def deed(sender: Sender, at: At) -> list[Line]:
        found = list(pushed(company, developers, repo, at, day_of(company, at.second)))
        return found + entra.sign_in(company, entra.AZURE)(sender, at.later(30 + 30 * at.dice.random()))

    worker.opening = [deed]


def tests(company: Company, developers: list[Worker]) -> Worker:
    """Runs that deploy nothing; in public repositories some come from forks."""
    def deed(sender: Sender, at: At) -> list[Line]:
        repo = at.dice.pick(company.repos)
        event = at.dice.pick(["push", "pull_request", "pull_request", "schedule", "workflow_dispatch"])
        if repo.public and at.dice.chance(0.3):
            event = "pull_request_target"
        return list(pushed(company, developers, repo, at, day_of(company, at.second), event))

    worker = Worker("gh-tests", "pipelines", "github:workflows", company.runner("tests"), "")
    worker.habits.append(office(4.0 * len(company.repos) ** 0.7, [deed]))
    return worker


def day_of(company: Company, second: float) -> int:
    """The number of the day in which a second lies."""
    return int((second - company.midnight(0)) // 86_400)


def key_reads(company: Company, servers: list[Worker], lines: list[Line], day: int) -> Iterator[Line]:
    """The tool on a server opens the key file before some of the calls with the key that lies there."""
    by_user = {f"aws:{server.facts['machine'].arn}": server for server in servers if server.facts.get("machine")}
    last: dict[str, float] = {}
    d = dice(company.seed, "key reads", day)
    for line in lines:
        server = by_user.get(line.who)
        if server is None or line.second - last.get(line.who, 0) < 3600 or not d.chance(0.5):
            continue
        last[line.who] = line.second
        at = At(max(company.midnight(day), line.second - 1 - 2 * d.random()), d)
        sender = server.sender(company.seed, day, at.second % 86_400)
        yield from _reader(company, server)(sender, at)


def _reader(company: Company, server: Worker) -> Deed:
    agent = server.facts["machine"].agent
    return endpoint.read(company, "aws" if agent.startswith("aws-cli") else "python3")
