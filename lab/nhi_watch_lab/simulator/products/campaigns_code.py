"""Techniques that begin where code lies: GitHub and GitLab."""

from __future__ import annotations

from typing import Any

from nhi_watch_lab.simulator.products import github, gitlab
from nhi_watch_lab.simulator.products.raid import Raid
from nhi_watch_lab.simulator.products.register import technique
from nhi_watch_lab.simulator.products.workers import At
from nhi_watch_lab.simulator.shapes import secret


def repo_of(raid: Raid, machine: Any) -> Any:
    """The repository whose pipeline assumes an AWS role."""
    return next(repo for repo in raid.company.repos if repo.subject == machine.subject)


def _look(raid: Raid, worker: Any) -> None:
    """Where am I, and what is there?"""
    if raid.dice.chance(0.7):
        raid.do(worker, github.api(raid.company, "GET", "/user", []))
        routes = ["/user/repos", "/orgs/{org}/repos", "/user/orgs", "/orgs/{org}/members"]
        for route in raid.dice.some(routes, raid.few(3)):
            raid.do(worker, github.api(raid.company, "GET", route, []))


def _clone(raid: Raid, worker: Any, most: float) -> None:
    for repo in raid.dice.some(raid.company.repos, raid.few(most)):
        raid.do(worker, github.git(raid.company, [repo], "git.clone"), gap=5)


@technique("T1552.001", "initial-access collection execution credential-access", "token pipeline")
def token_to_cloud(raid: Raid, cast: Any) -> None:
    """A leaked token clones, pushes a workflow, and the workflow's AWS role reads secrets."""
    repo, d = repo_of(raid, cast.pipeline), raid.dice
    _look(raid, cast.token)
    _clone(raid, cast.token, 12)
    raid.wait(1200)
    raid.do(cast.token, github.git(raid.company, [repo], "git.push"), gap=10)
    runner = At(raid.clock, d)
    raid.lines += github.workflow_run(raid.company, repo, "push", raid.sender(cast.token), runner, d.between(40, 300))
    raid.wait(25)
    cloud = raid.cloud(cast.pipeline, inside=True, fresh=True)
    cloud.do("sts:GetCallerIdentity")
    if d.chance(raid.quiet):
        cloud.do("secretsmanager:ListSecrets")
    for name in d.some(cloud.world.secrets, raid.few(9)):
        cloud.do("secretsmanager:GetSecretValue", secret(cloud.world, name, cast.pipeline.region))
    raid.landed(cloud)


@technique("T1213.003", "initial-access collection", "token")
def mass_clone(raid: Raid, cast: Any) -> None:
    """A token clones what it can see."""
    _look(raid, cast.token)
    _clone(raid, cast.token, len(raid.company.repos))


@technique("T1528", "collection", "bot")
def app_key_stolen(raid: Raid, cast: Any) -> None:
    """A GitHub App's private key mints tokens elsewhere; the token reads all that the app is installed on."""
    company = raid.company
    raid.do(cast.bot, github.api(company, "GET", "/installation/repositories", []))
    reads = [github.api(company, "GET", "/repos/{owner}/{repo}/contents/{path}", company.repos),
             github.git(company, company.repos, "git.clone"),
             github.api(company, "GET", "/repos/{owner}/{repo}/actions/secrets", company.repos)]
    raid.many(cast.bot, raid.few(30), reads)


@technique("T1098.001", "persistence execution", "token")
def runner_and_key(raid: Raid, cast: Any) -> None:
    """A deploy key and a runner of the intruder's stay behind; a workflow from a fork is let run."""
    company, d = raid.company, raid.dice
    repo = d.pick(company.repos)
    _look(raid, cast.token)
    steps = github.hardenings(company, [repo])
    chosen = d.some(steps, max(1, round(3 * raid.quiet)))
    raid.do(cast.token, *chosen, gap=60)
    if d.chance(0.6):
        raid.wait(600)
        starter, event = raid.sender(cast.token), d.pick(["pull_request_target", "workflow_dispatch"])
        raid.lines += github.workflow_run(company, repo, event, starter, At(raid.clock, d), d.between(60, 900))


@technique("T1552.001", "collection credential-access persistence", "gitlab")
def gitlab_token(raid: Raid, cast: Any) -> None:
    """A GitLab token pulls projects, reads variables, registers a runner, makes itself a second token."""
    company, d = raid.company, raid.dice
    raid.many(cast.gitlab, raid.few(10), [gitlab.event(company, "repository_git_operation")])
    if d.chance(0.6):
        raid.do(cast.gitlab, gitlab.event(company, "project_export_created"))
    more = [gitlab.event(company, "project_access_token_created", ("ProjectAccessToken", "ci")),
            gitlab.event(company, "set_runner_associated_projects", ("Ci::Runner", "runner")),
            gitlab.event(company, "ci_variable_created", ("Ci::Variable", "DEPLOY"))]
    raid.do(cast.gitlab, *d.some(more, raid.few(2)), gap=40)
