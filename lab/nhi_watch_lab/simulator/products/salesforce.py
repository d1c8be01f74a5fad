"""Salesforce: event log files, login events and the setup audit trail; connected apps, integration users, people.

Shape: Salesforce's "Object Reference: EventLogFile Supported Event Types" and "LoginEventStream".
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, office, run

AGENTS = ["python-requests/2.32.3", "Java (JAXB)/11", "jsforce/3.4.0", "simple-salesforce/1.12.6", "Go-http-client/2.0",
          "Apache-HttpClient/4.5.14", "axios/1.7.7"]
ENTITIES = ["Contact", "Account", "Opportunity", "Case", "Lead", "Task"]


def event(company: Company, kind: str, more: Record | None = None, rows: float = 0) -> Deed:
    """A row of an event log file; `rows` is the median of the records in a job."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        entity = d.pick(facts.get("entities", ENTITIES))
        record: Record = {
            "EVENT_TYPE": kind, "TIMESTAMP": iso(at.second)[:-1].replace("-", "").replace(":", "").replace("T", ""),
            "TIMESTAMP_DERIVED": iso(at.second), "REQUEST_ID": d.ident("", 22), "ORGANIZATION_ID": company.salesforce,
            "USER_ID": facts["user"], "USER_ID_DERIVED": facts["user"] + "AAA", "USER_NAME": facts["email"],
            "SOURCE_IP": sender.address, "CLIENT_IP": sender.address, "REQUEST_STATUS": "S",
            "RUN_TIME": d.between(8, 3000), "CPU_TIME": d.between(2, 400), "SESSION_KEY": sender.session[:16],
        }
        if "app" in facts:
            record.update({"CONNECTED_APP_ID": facts["app"], "CONNECTED_APP_NAME": facts["name"],
                           "CLIENT_ID": facts["client"]})
        if kind in ("RestApi", "BulkApi2", "BulkApiResultEventStore", "Report"):
            record["ENTITY_NAME"] = entity
            record["RECORDS_PROCESSED" if "Bulk" in kind else "ROWS_PROCESSED"] = int(d.lognormal(rows or 40, 0.8))
        if kind == "RestApi":
            record.update({"METHOD": "GET", "URI": f"/services/data/v62.0/query?q=SELECT+{entity}", "STATUS_CODE": 200})
        if kind == "Login":
            record.update({"LOGIN_STATUS": "LOGIN_NO_ERROR", "BROWSER_TYPE": sender.agent, "LOGIN_TYPE": "i"})
        if kind.startswith("Bulk"):
            record["JOB_ID"] = "750" + d.ident("", 12)
        if kind == "BulkApi2":
            record["OPERATION_TYPE"] = d.pick(["query", "query", "insert", "upsert", "delete"])
        record["USER_AGENT"] = sender.agent
        record.update(more or {})
        return sender.line(at, "salesforce", kind, record)

    return deed


def remote_login(company: Company, status: str = "Success") -> Deed:
    """A connected app's token is used: an event of the login stream."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        record = {"EventDate": iso(at.second), "EventIdentifier": at.dice.uuid(), "UserId": facts["user"] + "AAA",
                  "Username": facts["email"], "SourceIp": sender.address, "Status": status,
                  "LoginType": "Remote Access 2.0",
                  "Application": facts["name"], "LoginUrl": "login.salesforce.com", "ApiType": "N/A",
                  "UserType": "Standard"}
        return sender.line(at, "salesforce", "Login", record)

    return deed


def setup(company: Company, action: str, section: str) -> Deed:
    """An entry of the setup audit trail."""

    def deed(sender: Sender, at: At) -> list[Line]:
        record = {"Action": action, "CreatedById": sender.facts["user"] + "AAA", "Id": "0Ym" + at.dice.ident("", 15),
                  "CreatedDate": iso(at.second)[:-1] + "+0000", "Section": section,
                  "Display": f"{action} by {sender.facts['email']}"}
        return sender.line(at, "salesforce", action, record)

    return deed


def user_id(company: Company, name: object) -> str:
    """A user's id of 15 characters."""
    return "005" + company.dice("salesforce-user", name).ident("", 12)


def connected_app(company: Company, number: int) -> Worker:
    """A vendor's connected app, with the rights of an integration user."""
    d = company.dice("salesforce-app", number)
    name = ["Support Chat", "Marketing Mailer", "Data Warehouse Sync", "Quote Builder", "Phone Dialer",
            "Contract Signer",
            "Lead Enricher", "Backup Cloud"][number % 8]
    worker = Worker(f"salesforce-{name}-{number}", "app", f"salesforce:app:{name}", company.vendor(d, name),
                    d.pick(AGENTS))
    worker.facts = {"app": "0H4" + d.ident("", 12), "name": name, "client": "3MVG9" + d.ident("", 60),
                    "user": user_id(company, name), "email": f"integration.{number}@{company.domain}",
                    "entities": d.some(ENTITIES, d.between(1, 3))}
    worker.opening, worker.rotate = [remote_login(company)], 12 * HOUR
    acts = [event(company, kind) for kind in d.some(["RestApi", "ApiConnectedApp", "RestApi", "ApiTotalUsage"], 2)]
    rhythm = d.pick([Rhythm("every", d.pick([1800, 3600]), d.between(0, 1700)), Rhythm("burst", 8)])
    worker.habits.append(run(rhythm, (acts, d.lognormal(4, 0.6), 3)))
    if "Sync" in name or "Backup" in name:
        bulk = [event(company, "BulkApiResultEventStore", rows=30_000), event(company, "BulkApi2", rows=30_000)]
        worker.habits.append(run(Rhythm("cron", at=d.between(0, 6 * HOUR)), (bulk, 8, 20)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """Somebody of sales, and now and then an administrator."""
    d = company.dice("salesforce-person", one.number)
    user = user_id(company, one.number)
    worker = Worker(f"salesforce-{one.login}", "person", f"salesforce:user:{user}", one.place, one.browser, human=True,
                    zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"user": user, "email": one.email}
    worker.opening = [event(company, "Login")]
    acts = [event(company, "LightningPageView"), event(company, "URI"), event(company, "Report", rows=300)]
    worker.habits.append(office(d.lognormal(8, 0.6), acts))
    if one.number % 6 == 2:
        rare = [("changedprofile", "Manage Users"), ("createduser", "Manage Users"), ("PermSetAssign", "Manage Users"),
                ("insertConnectedApplication", "Connected Apps"), ("changedpassword", "Manage Users")]
        worker.habits.append(office(0.8, [setup(company, *each) for each in rare]))
    return worker


def agent(d: Dice) -> str:
    """An agent of scripts against Salesforce."""
    return d.pick(AGENTS)


def staff(company: Company, count: int) -> list[Worker]:
    """`count` connected apps, and a third of the people."""
    return ([connected_app(company, n) for n in range(count)]
            + [person(company, one) for one in company.people if one.number % 3 == 2])
