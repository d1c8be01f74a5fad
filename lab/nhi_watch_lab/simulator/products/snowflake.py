"""Snowflake: rows of the views LOGIN_HISTORY and QUERY_HISTORY; service users and analysts.

Shape: Snowflake's "Account Usage" reference. Queries tell no address, only the session's user.
"""

from __future__ import annotations

from nhi_watch_lab.simulator.basics import WORDS, Dice
from nhi_watch_lab.simulator.machines import HOUR, Rhythm
from nhi_watch_lab.simulator.products.company import Company, Person
from nhi_watch_lab.simulator.products.workers import At, Deed, Line, Record, Sender, Worker, iso, run
from nhi_watch_lab.tables import table

TEXTS = table(__file__, "tables.json/texts")
ORDINARY = ["SELECT", "INSERT", "COPY", "MERGE", "SHOW", "DESCRIBE", "USE", "CREATE_TABLE_AS_SELECT", "CREATE",
            "LIST_FILES"]


def login(company: Company, error: int = 0) -> Deed:
    """A row of LOGIN_HISTORY."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts = sender.facts
        record = {
            "EVENT_ID": str(at.dice.between(10**14, 10**15)),
            "EVENT_TIMESTAMP": iso(at.second).replace("T", " ")[:-1] + " -0000",
            "EVENT_TYPE": "LOGIN", "USER_NAME": facts["user"], "CLIENT_IP": sender.address,
            "REPORTED_CLIENT_TYPE": sender.agent.partition("/")[0],
            "REPORTED_CLIENT_VERSION": sender.agent.partition("/")[2],
            "FIRST_AUTHENTICATION_FACTOR": facts["factor"], "SECOND_AUTHENTICATION_FACTOR": facts.get("second"),
            "IS_SUCCESS": "NO" if error else "YES", "ERROR_CODE": error or None,
            "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if error else None, "RELATED_EVENT_ID": "0",
            "CONNECTION": None, "ACCOUNT_NAME": company.org.upper(),
        }
        return sender.line(at, "snowflake", "LOGIN", record)

    return deed


def query(company: Company, kind: str, text: str = "", rows: float = 2000, refused: bool = False) -> Deed:
    """A row of QUERY_HISTORY; `rows` is the median of what comes out."""

    def deed(sender: Sender, at: At) -> list[Line]:
        facts, d = sender.facts, at.dice
        table = d.pick(facts["tables"]) if d.chance(0.9) else d.pick(WORDS).upper()
        told = (text or TEXTS[kind]).format(table=table, day=iso(at.second)[:10], user=facts["user"],
                                            role=facts["role"])
        record: Record = {
            "QUERY_ID": d.uuid(), "QUERY_TEXT": told, "QUERY_TYPE": kind, "USER_NAME": facts["user"],
            "ROLE_NAME": facts["role"], "WAREHOUSE_NAME": "LOAD_WH", "DATABASE_NAME": facts["database"],
            "SCHEMA_NAME": "PUBLIC", "SESSION_ID": str(int(sender.session[:12], 16)),
            "EXECUTION_STATUS": "FAIL" if refused else "SUCCESS", "ERROR_CODE": "003001" if refused else None,
            "ERROR_MESSAGE": "SQL access control error:\nInsufficient privileges" if refused else None,
            "START_TIME": iso(at.second), "END_TIME": iso(at.second + 1.5), "TOTAL_ELAPSED_TIME": d.between(20, 90_000),
            "ROWS_PRODUCED": 0 if refused else int(d.lognormal(rows, 0.8)),
            "BYTES_SCANNED": int(d.lognormal(10**7, 1.5)),
            "ACCOUNT_NAME": company.org.upper(),
        }
        return sender.line(at, "snowflake", kind, record)

    return deed


def service(company: Company, number: int) -> Worker:
    """A service user: loads, transformations, reports of a vendor, exports."""
    d = company.dice("snowflake", number)
    kind = ["ETL", "DBT", "BI", "EXPORT", "LOADER"][number % 5]
    name = f"{d.pick(WORDS).upper()}_{kind}_SVC"
    vendor = kind in ("BI", "LOADER")
    place = company.vendor(d, name) if vendor else d.pick([company.nat("aws", d), company.nat("gcp", d)])
    client = d.pick(["PYTHON_DRIVER/3.12.1", "JDBC_DRIVER/3.19.0", "ODBC_DRIVER/3.4.1", "GO/1.11.2"])
    worker = Worker(f"snowflake-{name}", "service", f"snowflake:user:{name}", place, client)
    worker.facts = {"user": name, "role": f"{kind}_ROLE", "database": d.pick(["PROD", "ANALYTICS"]),
                    "factor": d.pick(["RSA_KEYPAIR", "RSA_KEYPAIR", "PASSWORD"]),
                    "tables": [d.pick(WORDS).upper() for _ in range(d.between(3, 8))]}
    worker.opening = [login(company)]
    usual = {"ETL": ["COPY", "INSERT", "MERGE"], "DBT": ["CREATE_TABLE_AS_SELECT", "SELECT", "MERGE", "SHOW"],
             "BI": ["SELECT", "SHOW", "DESCRIBE"], "EXPORT": ["UNLOAD", "SELECT"], "LOADER": ["COPY", "INSERT"]}[kind]
    acts = [query(company, name, rows=200_000 if name == "UNLOAD" else 3000) for name in usual]
    hourly = Rhythm("every", d.pick([3600, 7200, 14400]), d.between(0, 3500))
    rhythm = d.pick([hourly, Rhythm("cron", at=d.between(0, 22 * HOUR))])
    worker.habits.append(run(rhythm, (acts, d.lognormal(7, 0.6), 6)))
    return worker


def person(company: Company, one: Person) -> Worker:
    """An analyst in Snowsight."""
    d = company.dice("snowflake-person", one.number)
    worker = Worker(f"snowflake-{one.login}", "person", f"snowflake:user:{one.email.upper()}", one.place,
                    "SNOWFLAKE_UI/1.0.0",
                    human=True, zone=one.zone, born=one.born, rotate=8 * HOUR)
    worker.facts = {"user": one.email.upper(), "role": "ANALYST", "database": "ANALYTICS", "factor": "SAML2_ASSERTION",
                    "second": None, "tables": [d.pick(WORDS).upper() for _ in range(9)]}
    worker.opening = [login(company)]
    acts = [query(company, name) for name in ("SELECT", "SELECT", "SHOW", "DESCRIBE", "CREATE_TABLE_AS_SELECT",
                                              "GRANT")]
    acts += [query(company, "GET_FILES", rows=20_000), query(company, "UNLOAD", rows=60_000)]
    worker.habits.append(run(Rhythm("burst", d.lognormal(1.1, 0.5)), (acts, d.lognormal(8, 0.6), 40)))
    return worker


def clients(d: Dice) -> str:
    """A client as drivers and tools report themselves."""
    return d.pick(["PYTHON_DRIVER/3.12.1", "JDBC_DRIVER/3.19.0", "ODBC_DRIVER/3.4.1", "SNOWSQL/1.3.2", "GO/1.11.2"])


def staff(company: Company, count: int) -> list[Worker]:
    """`count` service users, and a quarter of the people."""
    return ([service(company, n) for n in range(count)]
            + [person(company, one) for one in company.people if one.number % 4 == 3])
