"""Google Workspace: token, login, admin and drive activities of the Reports API; third-party apps and people.

Shape: Google's "Admin SDK Reports API", `activities`.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run

DRIVE, MAIL = "https://www.googleapis.com/auth/drive", "https://mail.google.com/"
NARROW = ["openid", "https://www.googleapis.com/auth/userinfo.email",
          "https://www.googleapis.com/auth/calendar.readonly"]
METHODS = {"drive": ["drive.files.list", "drive.files.get", "drive.files.export"],
           "gmail": ["gmail.users.messages.list", "gmail.users.messages.get"],
           "calendar": ["calendar.events.list", "calendar.events.get"]}


def activity(company: Company, application: str, kind: str, name: str, parameters: Record) -> Deed:
    """One activity with one event."""

    def deed(sender: Sender, at: At) -> list[Line]:
        one: Person = sender.facts["person"]
        told = [{"name": key, "multiValue": value} if isinstance(value, list)
                else {"name": key, "boolValue": value} if isinstance(value, bool)
                else {"name": key, "value": value} for key, value in {**parameters, **_drawn(name, at.dice)}.items()]
        record = {
            "kind": "admin#reports#activity",
            "id": {"time": iso(at.second), "uniqueQualifier": f"-{at.dice.between(10**18, 9 * 10**18)}",
                   "applicationName": application, "customerId": company.customer},
            "etag": f'"{at.dice.hexes(32)}"',
            "actor": {"callerType": "USER", "email": one.email, "profileId": one.google},
            "ipAddress": sender.address, "events": [{"type": kind, "name": name, "parameters": told}],
        }
        return sender.line(at, "workspace", str(parameters.get("method_name", name)), record)

    return deed


def _drawn(name: str, d: Dice) -> Record:
    """What belongs to events about documents."""
    if name not in ("view", "download", "edit", "change_document_visibility"):
        return {}
    return {"doc_id": d.hexes(44), "doc_title": f"{d.pick(WORDS)} {d.between(2019, 2025)}", "doc_type": "document"}


def authorize(company: Company, app: Worker, scopes: list[str]) -> Deed:
    """A person lets an app in; the app is who acts in the log's eyes."""
    told = {"client_id": app.facts["client"], "app_name": app.facts["name"], "client_type": "WEB", "scope": scopes}
    return activity(company, "token", "auth", "authorize", told)


def api(company: Company, app: Worker, service: str, method: str) -> Deed:
    """An app calls an API in a person's name."""
    told = {"client_id": app.facts["client"], "app_name": app.facts["name"], "client_type": "WEB",
            "api_name": service, "method_name": method, "num_response_bytes": "1024"}
    return activity(company, "token", "auth", "activity", told)


def download(company: Company) -> Deed:
    """A file leaves the drive."""
    return activity(company, "drive", "access", "download", {"visibility": "private", "owner": "team"})


def make_app(company: Company, number: int, d: Dice) -> Worker:
    """A third party's app without habits; everything it does is in one person's name."""
    word = d.pick(["Mail Merge", "Meeting Notes", "Sheet Sync", "Form Builder", "Slides Helper", "CRM Link",
                   "Doc Signer",
                   "Calendar Buddy", "Backup Drive", "Task Board"])
    client = f"{d.between(10**11, 10**12 - 1)}-{d.hexes(32)}.apps.googleusercontent.com"
    place = company.vendor(d, f"{word}{number}")
    worker = Worker(f"workspace-{word}-{number}", "app", f"workspace:app:{client}", place, "")
    worker.facts = {"client": client, "name": word if number < 10 else f"{word} {number}",
                    "person": d.pick(company.people)}
    return worker


def app(company: Company, number: int) -> Worker:
    """An app that somebody uses: it is let in again now and then, and polls."""
    d = company.dice("workspace-app", number)
    worker = make_app(company, number, d)
    service = d.pick(list(METHODS))
    scopes = [NARROW[0], {"drive": DRIVE, "gmail": MAIL, "calendar": NARROW[2]}[service]]
    calls = [api(company, worker, service, method) for method in METHODS[service]]
    rhythm = d.pick([Rhythm("every", d.pick([1800, 3600, 7200]), d.between(0, 1700)), Rhythm("burst", 5)])
    worker.habits.append(run(rhythm, (calls, d.lognormal(3, 0.6), 3)))
    worker.habits.append(office(0.15, [authorize(company, worker, scopes)]))
    if service == "drive" and d.chance(0.6):
        worker.habits.append(run(Rhythm("cron", at=d.between(0, 22 * HOUR)), ([calls[1]], d.lognormal(25, 0.7), 2)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """Somebody who signs in and works on documents; some administer."""
    d = company.dice("workspace-person", one.number)
    worker = Worker(f"workspace-{one.login}", "person", f"workspace:user:{one.google}", one.place, "", human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"person": one}
    login = {"login_type": "google_password", "is_second_factor": True, "is_suspicious": False}
    acts = [activity(company, "drive", "access", "view", {"visibility": "private"}),
            activity(company, "drive", "access", "edit", {"visibility": "private"}),
            activity(company, "login", "login", "login_success", login), download(company)]
    worker.habits.append(office(d.lognormal(6, 0.6), acts))
    rare = [activity(company, "drive", "acl_change", "change_document_visibility",
                     {"visibility": "people_with_link", "visibility_change": "external"}),
            activity(company, "login", "login", "login_failure", {"login_type": "google_password"})]
    worker.habits.append(office(0.15, rare))
    if one.number % 8 == 3:
        told = {"USER_EMAIL": company.people[-1].email, "DOMAIN_NAME": company.domain}
        acts = [activity(company, "admin", "USER_SETTINGS", name, told) for name in
                ("CREATE_USER", "CHANGE_PASSWORD", "ADD_USER_TO_GROUP", "SUSPEND_USER")]
        worker.habits.append(office(1.2, acts))
    return worker


def staff(company: Company, count: int) -> list[Worker]:
    """`count` apps, and half of the people."""
    return [app(company, n) for n in range(count)] + [person(company, one) for one in company.people if one.number % 2]
