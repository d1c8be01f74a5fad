"""GitLab, which the data team runs itself: streamed audit events; project tokens, personal tokens, people.

Shape: GitLab's "Audit event streaming" payload.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run, steady

AGENTS = ["git/2.43.0", "python-gitlab/4.13.0", "git/2.39.5", "Go-http-client/2.0", "curl/8.5.0",
          "gitlab-runner 17.5.3"]
CHANGES = ["project_access_token_created", "deploy_key_added", "merge_request_merged", "protected_branch_created",
           "ci_variable_created", "set_runner_associated_projects", "user_access_locked", "project_created"]
ORDINARY = ["merge_request_merged", "protected_branch_created", "project_created", "repository_git_operation",
            "merge_request_created", "release_created"]


def event(company: Company, name: str, target: tuple[str, str] | None = None) -> Deed:
    """One audit event; `target` is its type and details where it is not the project."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        project = d.pick(facts["projects"])
        number = 100 + sum(map(ord, project)) % 9000
        kind, details = target or ("Project", project)
        about: Record = {"target_id": number if kind == "Project" else d.between(100, 9999), "target_type": kind,
                         "target_details": details, "entity_path": f"{company.org}/{project}",
                         "ip_address": sender.address}
        more = {"author_name": facts["name"], "author_class": "User", "user_agent": sender.agent,
                "custom_message": name.replace("_", " ").capitalize()}
        if sender.key:
            more[facts["token"]] = int(sender.key)
        record = {"id": d.uuid(), "author_id": facts["number"], "entity_id": number, "entity_type": "Project",
                  "details": {**about, **more}, "created_at": iso(at.second), "event_type": name,
                  "author_name": facts["name"], **about}
        return sender.line(at, "gitlab", name, record)

    return deed


def projects(company: Company, count: int, *names: object) -> list[str]:
    """Some of the data team's projects."""
    d = company.dice("gitlab-projects", *names)
    return [f"{word}-{d.pick(['pipeline', 'models', 'dags'])}" for word in d.some(WORDS[:24], count)]


def robot(company: Company, number: int) -> Worker:
    """A project's bot with its access token."""
    d = company.dice("gitlab-bot", number)
    mine = projects(company, d.between(1, 3), number)
    name = f"project_{1000 + number}_bot_{d.hexes(8)}"
    worker = Worker(f"gitlab-{name}", "bot", f"gitlab:bot:{name}", company.nat(d.pick(["aws", "gcp"]), d),
                    d.pick(AGENTS))
    worker.facts = {"name": name, "number": 5000 + number, "projects": mine, "token": "token_id"}
    worker.keys = [(0, str(d.between(1000, 9999)))]
    rhythm = d.pick([Rhythm("every", 3600, d.between(0, 3500)), Rhythm("every", 900, d.between(0, 800))])
    worker.habits.append(run(rhythm, ([event(company, "repository_git_operation")], 1.3, 4)))
    if d.chance(0.4):
        worker.habits.append(steady(1.5, [event(company, "merge_request_merged")]))
    return worker


def person(company: Company, one: Person) -> list[Worker]:
    """An engineer in a browser, and the same one's personal access token."""
    d = company.dice("gitlab-person", one.number)
    facts = {"name": one.name, "number": 7 + one.number, "projects": projects(company, 5, one.number), "token": ""}
    browser = Worker(f"gitlab-{one.login}", "person", f"gitlab:user:{one.number}", one.place, one.browser, facts,
                     human=True,
                     zone=one.zone, born=one.born, rotate=8 * HOUR)
    acts = [event(company, "merge_request_merged"), event(company, "login_success_with_standard"),
            *(event(company, name) for name in CHANGES)]
    browser.habits.append(office(d.lognormal(1.6, 0.6), acts))
    token = Worker(f"gitlab-token-{one.login}", "token", f"gitlab:token:{one.number}", one.place, d.pick(AGENTS),
                   {**facts, "token": "personal_access_token_id"}, zone=one.zone, born=one.born)
    token.keys = [(0, str(d.between(100, 999)))]
    token.habits.append(office(d.lognormal(5, 0.6), [event(company, "repository_git_operation")]))
    return [browser, token]


def staff(company: Company, count: int) -> list[Worker]:
    """`count` bots, and a third of the people with a token each."""
    found = [robot(company, n) for n in range(count)]
    for one in company.people:
        if one.number % 3 == 0:
            found += person(company, one)
    return found
