"""GitHub: entries of an organisation's audit log, and who makes them.

Shapes: GitHub's documentation "Audit log events for your organization"; git and API events as they are streamed.
"""

from __future__ import annotations

from nhi_watch_lab.simulator import basics
from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import DAY, HOUR, Place, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person, Repo, country
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, office, run, steady

_GIT = ["git/2.39.5", "git/2.43.0", "git/2.47.1", "git/2.34.1"]
_API = ["python-requests/2.32.3", "Go-http-client/2.0", "octokit.js/4.0.2", "GitHub CLI 2.62.0", "axios/1.7.7",
        "curl/8.5.0", "go-github/v66.0.0"]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
APPS = ["Renovate", "Codecov", "Snyk", "Release Please", "Backstage", "Datadog", "SonarCloud", "Slack", "Linear",
        "Jira", "Mergify", "Chromatic"]


def token(d: Dice) -> str:
    """A token's hash as the log shows it: base64 of a SHA-256."""
    return "".join(d.pick(_LETTERS + "+/") for _ in range(43)) + "="


def entry(company: Company, sender: Sender, at: At, action: str, more: Record) -> list[Line]:
    """One entry of the audit log."""
    millis = int(at.second * 1000)
    facts = sender.facts
    record: Record = {
        "@timestamp": millis,
        "_document_id": "".join(at.dice.pick(_LETTERS + "-_") for _ in range(22)),
        "action": action,
        "actor": facts["actor"],
        "actor_id": facts["actor_id"],
        "actor_is_bot": facts.get("bot", False),
        "actor_ip": sender.address,
        "actor_location": {"country_code": country(sender.address)},
        "business": company.org,
        "business_id": 7000 + company.seed % 997,
        "created_at": millis,
        "operation_type": "access" if action.startswith(("git.c", "git.f", "repo.down", "api.")) else "modify",
        "org": company.org,
        "org_id": 500000 + company.seed % 99991,
        "user_agent": sender.agent,
    }
    record.update(facts.get("access", {}))
    if sender.key and "programmatic_access_type" in record:
        record["hashed_token"] = sender.key
    elif facts.get("bot"):
        record["hashed_token"] = f"{sender.session}{sender.session[:11]}="
    record.update(more)
    return sender.line(at, "github", action, record)


def on(repo: Repo) -> Record:
    """How entries name a repository."""
    return {"repo": repo.name, "repo_id": repo.number, "public_repo": repo.public}


def git(company: Company, repos: list[Repo], action: str = "git.fetch", ssh: bool = False) -> Deed:
    """Git traffic with one of some repositories."""
    transport = {"transport_protocol": 2 if ssh else 1, "transport_protocol_name": "ssh" if ssh else "http"}

    def deed(sender: Sender, at: At) -> list[Line]:
        return entry(company, sender, at, action, {**transport, **on(at.dice.pick(repos))})

    return deed


def api(company: Company, method: str, route: str, repos: list[Repo], status: int = 200) -> Deed:
    """A call of the REST API."""

    def deed(sender: Sender, at: At) -> list[Line]:
        told = {"request_category": "api", "request_method": method, "route": route, "status_code": status,
                "query_string": "per_page=100" if method == "GET" else ""}
        if "{repo}" in route and repos:
            told.update(on(at.dice.pick(repos)))
        return entry(company, sender, at, "api.request", told)

    return deed


def change(company: Company, action: str, more: Record, repos: list[Repo] | None = None) -> Deed:
    """Anything else that the audit log knows."""

    def deed(sender: Sender, at: At) -> list[Line]:
        told = {**more, **(on(at.dice.pick(repos)) if repos else {})}
        return entry(company, sender, at, action, told)

    return deed


def hardenings(company: Company, repos: list[Repo]) -> list[Deed]:
    """A new deploy key, a new runner, a new rule for runs of forks: what administrators and intruders both do."""

    def key(sender: Sender, at: At) -> list[Line]:
        made = {"fingerprint": f"SHA256:{at.dice.hexes(40)}", "title": at.dice.pick(["ci", "deploy", "build"]),
                "read_only": at.dice.chance(0.5)}
        return change(company, "public_key.create", made, repos)(sender, at)

    def runner(sender: Sender, at: At) -> list[Line]:
        made = {"runner_name": f"runner-{at.dice.hexes(4)}"}
        return change(company, "repo.register_self_hosted_runner", made, repos)(sender, at)

    policy = {"policy": "first_time_contributors"}
    return [key, runner, change(company, "repo.set_actions_fork_pr_approvals_policy", policy, repos)]


def workflow_run(company: Company, repo: Repo, event: str, starter: Sender, at: At, seconds: float) -> list[Line]:
    """A run of a repository's pipeline, from its creation to its end; `starter` is who pushed."""
    number = at.dice.between(10**10, 2 * 10**10)
    told = {"event": event, "head_branch": "main", "head_sha": at.dice.hexes(40), "name": "deploy",
            "workflow_id": 40_000_000 + repo.number % 9973, "workflow_run_id": number, **on(repo)}
    plain = starter._replace(worker=_as_person(starter.worker, repo))
    made = entry(company, plain, at, "workflows.created_workflow_run", told)
    ended = {**told, "conclusion": "success" if at.dice.chance(0.93) else "failure", "run_attempt": 1}
    return made + entry(company, plain, at.later(seconds), "workflows.completed_workflow_run", ended)


def _as_person(worker: Worker, repo: Repo) -> Worker:
    """Runs are logged under the name of who started them, without their token; the pipeline is who acts."""
    facts = {key: value for key, value in worker.facts.items() if key != "access"}
    return Worker(worker.name, "workflow", f"github:workflow:{repo.name}", worker.place, worker.agent, facts)


def person(company: Company, one: Person, d: Dice) -> Worker:
    """A developer in a browser, and with git over SSH."""
    worker = Worker(f"gh-{one.login}", "person", f"github:user:{one.login}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"actor": one.login.replace(".", "-"), "actor_id": 20_000_000 + one.number * 37}
    mine = d.some(company.repos, d.between(2, 6))
    acts = [change(company, name, {}, mine) for name in
            ("pull_request.create", "pull_request.merge", "issue_comment.create", "pull_request_review.submit")]
    worker.habits.append(office(d.lognormal(5, 0.6), acts))
    rare = [change(company, name, more, mine) for name, more in (
        ("protected_branch.create", {}), ("repo.create", {"visibility": "private"}), ("hook.create", {}),
        ("repo.add_member", {"permission": "write"}), ("environment.create_actions_secret", {"key": "TOKEN"}),
        ("public_key.create", {"fingerprint": f"SHA256:{d.hexes(40)}", "title": "ci", "read_only": True}))]
    worker.habits.append(office(d.lognormal(0.15, 0.6), rare))
    return worker


def laptop(company: Company, one: Person, d: Dice) -> Worker:
    """A developer's personal access token or SSH key, used by git and by scripts."""
    classic = d.chance(0.5)
    worker = Worker(f"gh-token-{one.login}", "token", f"github:token:{one.login}", one.place, d.pick(_GIT),
                    zone=one.zone, born=one.born)
    access = {"programmatic_access_type": "Personal access token (classic)", "token_id": d.between(10**8, 10**9),
              "token_scopes": d.pick(["repo,workflow,read:org", "repo,read:org", "repo,workflow"])}
    if not classic:
        access = {"programmatic_access_type": "Fine-grained personal access token", "token_id": d.between(10**6, 10**7)}
    worker.facts = {"actor": one.login.replace(".", "-"), "actor_id": 20_000_000 + one.number * 37, "access": access}
    worker.keys = [(0, token(d))]
    worker.zone = one.zone
    mine = d.some(company.repos, d.between(2, 6))
    worker.habits.append(office(d.lognormal(9, 0.7), [git(company, mine, name) for name in ("git.fetch", "git.push")]))
    worker.habits.append(office(d.lognormal(0.3, 0.6), [git(company, company.repos, "git.clone")]))
    if d.chance(0.4):
        calls = [api(company, "GET", route, mine) for route in
                 ("/repos/{owner}/{repo}/pulls", "/repos/{owner}/{repo}/actions/runs", "/user/repos")]
        worker.habits.append(office(d.lognormal(4, 0.8), calls))
    return worker


def app(company: Company, number: int) -> Worker:
    """A GitHub App with an installation token: reads and comments from its vendor's machines."""
    d = company.dice("github-app", number)
    name = APPS[number % len(APPS)]
    slug = name.lower().replace(" ", "-")
    worker = Worker(f"gh-app-{slug}", "app", f"github:app:{slug}", company.vendor(d, slug), d.pick(_API))
    access = {"programmatic_access_type": "GitHub App server-to-server token", "integration": name}
    worker.facts = {"actor": f"{slug}[bot]", "actor_id": 30_000_000 + number * 101, "bot": True, "access": access}
    worker.rotate = HOUR
    mine = d.some(company.repos, max(3, len(company.repos) // 2))
    routes = d.some(["/repos/{owner}/{repo}/pulls", "/repos/{owner}/{repo}/contents/{path}",
                     "/repos/{owner}/{repo}/commits", "/repos/{owner}/{repo}/issues", "/installation/repositories"], 3)
    worker.habits.append(steady(d.lognormal(25, 0.6), [api(company, "GET", route, mine) for route in routes]))
    if d.chance(0.5):
        worker.habits.append(steady(6, [change(company, "pull_request.create", {}, mine),
                                        git(company, mine, "git.push")]))
    if d.chance(0.5):
        nightly = Rhythm("cron", at=d.between(0, DAY - HOUR))
        worker.habits.append(run(nightly, ([git(company, mine, "git.clone")], len(mine) * 0.7, 6)))
    return worker


def oauth_app(company: Company, number: int) -> Worker:
    """An OAuth app that a developer has let in: it acts under that name."""
    d = company.dice("oauth-app", number)
    name, one = d.pick(["Deploy Hub", "Sprint Board", "Doc Portal", "Merge Helper"]), d.pick(company.people)
    place = company.vendor(d, f"oauth{number}")
    worker = Worker(f"gh-oauth-{number}", "oauth_app", f"github:oauth_app:{number}", place, d.pick(_API))
    access = {"programmatic_access_type": "OAuth access token", "oauth_application": name,
              "oauth_application_id": 900_000 + number * 17}
    worker.facts = {"actor": one.login.replace(".", "-"), "actor_id": 20_000_000 + one.number * 37, "access": access}
    worker.keys = [(0, token(d))]
    mine = d.some(company.repos, d.between(3, 8))
    calls = [api(company, "GET", route, mine) for route in ("/repos/{owner}/{repo}/pulls", "/user/repos",
                                                            "/repos/{owner}/{repo}/issues")]
    worker.habits.append(steady(d.lognormal(14, 0.7), calls))
    return worker


def robot(company: Company, number: int) -> Worker:
    """A machine user's token on a build host or at a vendor's; some make a backup of everything each night."""
    d = company.dice("github-robot", number)
    backup = number % 3 == 0
    word = "backup" if backup else d.pick(["build", "release", "sync", "docs", "deploy"])
    name = f"{company.org}-{word}-{number}"
    place = company.nat("aws", d) if d.chance(0.6) else company.vendor(d, name)
    worker = Worker(f"gh-{name}", "token", f"github:token:{name}", place, d.pick(_GIT if backup else _API))
    access = {"programmatic_access_type": "Personal access token (classic)", "token_id": d.between(10**8, 10**9),
              "token_scopes": d.pick(["repo", "repo,workflow", "repo,admin:repo_hook", "repo,workflow,admin:org"])}
    worker.facts = {"actor": name, "actor_id": 21_000_000 + number * 53, "access": access}
    worker.keys = [(0, token(d))]
    mine = company.repos if backup else d.some(company.repos, d.between(1, 4))
    if backup:
        worker.habits.append(run(Rhythm("cron", at=d.between(0, 5 * HOUR)), ([git(company, mine, "git.clone")],
                                                                             len(mine), 3)))
    else:
        calls = [git(company, mine, "git.fetch"), api(company, "GET", "/repos/{owner}/{repo}/releases", mine),
                 api(company, "POST", "/repos/{owner}/{repo}/statuses/{sha}", mine, 201)]
        worker.habits.append(steady(d.lognormal(18, 0.8), calls))
        worker.habits.append(steady(d.lognormal(1.2, 0.8), [git(company, mine, "git.push")]))
    return worker


def deploy_key(company: Company, number: int) -> Worker:
    """A deploy key: one repository, one server."""
    d = company.dice("deploy-key", number)
    repo, key = d.pick(company.repos), token(d)
    worker = Worker(f"gh-deploy-key-{number}", "deploy_key", f"github:deploy_key:{key[:12]}", company.nat("aws", d),
                    d.pick(_GIT))
    worker.facts = {"actor": "deploy_key", "actor_id": None, "access": {"programmatic_access_type": "Deploy key"}}
    worker.keys = [(0, key)]
    every = Rhythm("every", d.pick([600, 1800, 3600]), d.between(0, 599))
    worker.habits.append(run(every, ([git(company, [repo], "git.fetch", ssh=True)], 1, 1)))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` machine identities, and the people beside them."""
    half = max(1, count // 3)
    found = [app(company, n) for n in range(min(half, len(APPS)))] + [robot(company, n) for n in range(half)]
    rest = count - 2 * half
    found += [oauth_app(company, n) for n in range(max(1, rest // 3))]
    found += [deploy_key(company, n) for n in range(max(1, rest - rest // 3))]
    for one in company.people:
        d = company.dice("developer", one.number)
        if d.chance(0.7):
            found += [person(company, one, d), laptop(company, one, d)]
    return found


def hosted(company: Company, repo: Repo) -> Place:
    """Where jobs of a repository run."""
    return company.runner(repo.name)


def agents_of(d: Dice) -> str:
    """An agent as scripts against GitHub have it."""
    return d.pick(_GIT + _API)


def outside(d: Dice) -> str:
    """An address of no cloud: a contributor's."""
    return basics.address(d, basics.ISPS[d.pick(list(basics.ISPS))])
