"""Snowflake LOGIN_HISTORY and QUERY_HISTORY rows."""
from __future__ import annotations

from typing import Any, Dict, List

from .chance import Chance
from .fill import Filler, iso_fraction
from .model import Identity, Op, Place, Record

FACTORS = {"password": "PASSWORD", "keypair": "RSA_KEYPAIR", "oauth": "OAUTH_ACCESS_TOKEN", "sso": "SAML2_ASSERTION"}
CLIENTS = {"PythonConnector": "PYTHON_DRIVER", "JDBC": "JDBC_DRIVER", "Go": "GO_DRIVER", "ODBC": "ODBC_DRIVER", "Snowflake": "SNOWFLAKE_UI", "SnowSQL": "SNOWSQL"}


def _login(who: Identity, time: float, rng: Chance, place: Place, error: str) -> Record:
    family, version = place.agent.rsplit(" ", 1)
    body = {"EVENT_ID": int(rng.digits(14)), "EVENT_TIMESTAMP": iso_fraction(time, 3, rng), "EVENT_TYPE": "LOGIN", "USER_NAME": who.name, "CLIENT_IP": place.ip,
        "REPORTED_CLIENT_TYPE": CLIENTS[family.split(" ")[0]], "REPORTED_CLIENT_VERSION": version, "FIRST_AUTHENTICATION_FACTOR": FACTORS[who.auth],
            "SECOND_AUTHENTICATION_FACTOR": None, "IS_SUCCESS": "NO" if error else "YES", "ERROR_CODE": 390100 if error else None,
                "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if error else None, "RELATED_EVENT_ID": 0, "CONNECTION": None}
    return Record("snowflake_login.ndjson.gz", time, body)


def render(world: Any, who: Identity, op: Op, time: float, rng: Chance, place: Place, args: Dict[str, Any], error: str) -> List[Record]:
    if op.key == "snow/login":
        return [_login(who, time, rng, place, error)]
    f = Filler(world.tenant, who, rng, time, args)
    kind, text = op.note, str(f.fill(op.params))
    ids = who.ids
    session = world.session_number(who, place, time)
    scale = float(f.known.get("rows", ids["rows"]))
    rows = int(rng.lognormvariate(0, 0.8) * scale) if kind in ("SELECT", "COPY", "MERGE", "INSERT", "UNLOAD", "CREATE_TABLE_AS_SELECT") and not error else 0
    if "COUNT(*)" in text or "CURRENT_USER" in text:
        rows = 1
    elapsed = int(rng.lognormvariate(6.5, 1))
    reading = kind in ("SELECT", "UNLOAD")
    body: Dict[str, Any] = {"QUERY_ID": f"01b{rng.hexs(5)}-{rng.hexs(4)}-{rng.hexs(4)}-{rng.hexs(4)}-{rng.hexs(12)}", "QUERY_TEXT": text, "DATABASE_NAME": f.known.get("sdb",
        ids["database"]), "SCHEMA_NAME": f.known.get("sschema", "PUBLIC"), "QUERY_TYPE": kind, "SESSION_ID": session, "USER_NAME": who.name,
                            "ROLE_NAME": f.known.get("role", ids["role"]), "WAREHOUSE_NAME": f.known.get("swarehouse", ids["warehouse"]), "WAREHOUSE_SIZE": "X-Small",
                                "QUERY_TAG": ids.get("tag", ""), "EXECUTION_STATUS": "FAIL" if error else "SUCCESS", "ERROR_CODE": ("003001" if error == "denied" else "000630") if error else None,
                            "ERROR_MESSAGE": ("SQL access control error: Insufficient privileges to operate on object"
                                if error == "denied" else "Statement reached its statement or warehouse timeout") if error else None, "START_TIME": iso_fraction(time, 3, rng),
                                    "END_TIME": iso_fraction(time + elapsed / 1000, 3, rng), "TOTAL_ELAPSED_TIME": elapsed,
                            "BYTES_SCANNED": rows * rng.randint(60, 400), "ROWS_PRODUCED": rows, "ROWS_INSERTED": rows if kind in ("INSERT", "MERGE", "COPY") else 0,
                                "ROWS_UNLOADED": rows if kind == "UNLOAD" else 0, "BYTES_WRITTEN_TO_RESULT": rows * 120 if reading else 0, "OUTBOUND_DATA_TRANSFER_CLOUD": None,
                                    "OUTBOUND_DATA_TRANSFER_BYTES": 0,
                            "CLIENT_APPLICATION_ID": place.agent, "RELEASE_VERSION": "9." + str(2 + int((time - world.tenant.start) // 604800)) + ".1"}
    return [Record("snowflake_query.ndjson.gz", time, body)]


