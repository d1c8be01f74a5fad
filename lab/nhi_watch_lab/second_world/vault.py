# ruff: noqa: E501
"""HashiCorp Vault audit device (JSON) and Snowflake's LOGIN_HISTORY and QUERY_HISTORY rows."""
from __future__ import annotations

from random import Random
from typing import Optional

from nhi_watch_lab.second_world import ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators, private_ip
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot

MOUNTS = {"secret": "kv", "database": "database", "aws": "aws", "auth": "token", "sys": "system", "transit": "transit", "pki": "pki", "identity": "identity"}


class Vault(Product):
    name = "vault"
    ops = ["read secret/data", "list secret/metadata", "read database/creds", "update auth/token/renew-self", "read aws/creds", "update transit/encrypt", "update pki/issue", "read sys/health"]
    human_ops = ["list secret/metadata", "read secret/data", "update sys/policies/acl", "update auth/approle/role", "read sys/auth", "list auth/approle/role", "update auth/token/create", "read sys/mounts", "read database/creds", "update sys/audit", "read aws/creds", "update auth/userpass/users"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = at_place(rng, "equinix-dc", 0)
            where.pool = [private_ip(rng) for _ in range(rng.randint(1, 4))]
            routine = rng.choice([["update auth/approle/login", "read secret/data"], ["read secret/data"], ["read database/creds"], ["update auth/token/renew-self", "read secret/data"], ["update transit/encrypt"], ["read aws/creds"], ["update pki/issue"]])
            made = Agent(f"{rng.choice(['approle', 'kubernetes', 'jwt'])}-{rng.choice(self.tenant.words)}-{rng.choice(['api', 'worker', 'ci'])}", "approle", where, "Go-http-client/1.1", routine, 10 ** rng.uniform(0.7, 1.9), rng.choice(["steady", "office"]))
            self.add(self._ids(made))
        for person in self.tenant.people:
            if rng.random() < 0.15:
                self.add(self._ids(Agent("oidc-" + person.upn, "person", self.tenant.vpn, person.browser, ["read secret/data", "list secret/metadata", "read sys/mounts"], rng.uniform(0.5, 3), "person", person=person)))

    def _ids(self, made: Agent) -> Agent:
        rng = self.rng
        made.ids = {"entity": ids.uuid4(rng), "token": "hmac-sha256:" + ids.hexa(rng, 64), "accessor": "hmac-sha256:" + ids.hexa(rng, 64), "policies": ["default", made.name.split("-")[1]]}
        return made

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        _, ip = spot(who, place, rng, t)
        verb, base = op.split(" ", 1)
        leaf = {"secret/data": f"/{self.tenant.accounts[0].env}/{who.pick('secret', [f'{w}/{k}' for w in self.tenant.words for k in ('db', 'api', 'smtp')], rng, explore)}", "database/creds": "/" + who.pick("role", [w + "-rw" for w in self.tenant.words], rng, explore), "aws/creds": "/" + who.pick("aws", [w + "-deploy" for w in self.tenant.words], rng, explore),
                "transit/encrypt": "/" + who.pick("key", self.tenant.words, rng, explore), "pki/issue": "/internal", "secret/metadata": f"/{self.tenant.accounts[0].env}/"}.get(base, "")
        mount = base.split("/")[0]
        auth: Json = {"accessor": who.ids["accessor"], "client_token": who.ids["token"], "display_name": who.name, "entity_id": who.ids["entity"], "policies": who.ids["policies"], "policy_results": {"allowed": not err}, "token_policies": who.ids["policies"], "token_issue_time": ids.iso(t - t % 3600 - 60 * who.phase), "token_ttl": 3600, "token_type": "service"}
        request: Json = {"client_id": who.ids["entity"], "client_token": who.ids["token"], "client_token_accessor": who.ids["accessor"], "id": ids.uuid4(rng), "mount_accessor": f"{MOUNTS.get(mount, 'kv')}_{ids.hexa(Random(mount), 8)}", "mount_class": "auth" if mount == "auth" else "secret", "mount_point": mount + "/", "mount_type": MOUNTS.get(mount, "kv"),
                         "namespace": {"id": "root"}, "operation": verb, "path": base + leaf, "remote_address": ip, "remote_port": rng.randint(20000, 65000)}
        error: Json = {"error": "1 error occurred:\n\t* permission denied\n\n"} if err else {}
        self.sink.add("vault", t, {"time": ids.iso_frac(t, 9), "type": "request", "auth": auth, "request": request, **error})
        response: Json = {"mount_accessor": request["mount_accessor"], "mount_class": request["mount_class"], "mount_point": mount + "/", "mount_type": request["mount_type"]}
        later = t + rng.uniform(0.001, 0.02)
        self.sink.add("vault", later, {"time": ids.iso_frac(later, 9), "type": "response", "auth": auth, "request": request, "response": response, **error})


QUERIES = {"SELECT": "SELECT {c} FROM {t} WHERE updated_at > '{d}'", "MERGE": "MERGE INTO {t} USING stage_{t} ON {t}.id = stage_{t}.id WHEN MATCHED THEN UPDATE SET v = 1", "COPY": "COPY INTO {t} FROM @raw_stage/{t}/ FILE_FORMAT = (TYPE = PARQUET)", "INSERT": "INSERT INTO {t} SELECT * FROM stage_{t}", "SHOW": "SHOW TABLES IN SCHEMA ANALYTICS.PUBLIC",
           "UNLOAD": "COPY INTO @~/{t}_export FROM (SELECT * FROM {t}) FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP)", "GET_FILES": "GET @~/{t}_export file:///tmp/", "CREATE_USER": "CREATE USER {t}_SVC DEFAULT_ROLE = PUBLIC", "GRANT": "GRANT ROLE SYSADMIN TO USER {t}_SVC", "ALTER_USER": "ALTER USER {t}_SVC SET RSA_PUBLIC_KEY='{c}'", "DESCRIBE": "DESCRIBE TABLE {t}",
           "CREATE_STAGE": "CREATE TEMPORARY STAGE tmp_{t}", "SELECT_ALL": "SELECT * FROM {t}", "USE": "USE WAREHOUSE LOAD_WH", "SHOW_USERS": "SHOW USERS"}


class Snowflake(Product):
    name = "snowflake"
    ops = ["SELECT", "SHOW", "DESCRIBE", "INSERT", "COPY", "SELECT_ALL", "CREATE_STAGE", "UNLOAD"]
    human_ops = ["SHOW_USERS", "UNLOAD", "GET_FILES", "SELECT_ALL", "CREATE_USER", "GRANT", "ALTER_USER", "CREATE_STAGE"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            where = rng.choice([self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("aws", "cloud")), rng.randint(1, 4))])
            made = Agent("SVC_" + rng.choice(self.tenant.words).upper() + rng.choice(["_DBT", "_LOADER", "_BI", "_REVERSE_ETL"]), "service", where, rng.choice(["JDBC_DRIVER 3.16.1", "PYTHON_CONNECTOR 3.12.1", "GO_DRIVER 1.11.2", "ODBC_DRIVER 3.4.1"]), ["LOGIN"] + rng.choice([["SELECT"] * 3, ["COPY", "MERGE"], ["INSERT", "SELECT"], ["MERGE"]]), 10 ** rng.uniform(0.4, 1.5), rng.choice(["steady", "office", "night"]))
            self.add(made)
        for person in self.tenant.people:
            if rng.random() < 0.3:
                self.add(Agent(person.upn.upper(), "person", person.home, "SNOWFLAKE_UI 1.0", ["LOGIN", "SELECT", "SELECT", "SHOW", "DESCRIBE"], rng.uniform(1, 7), "person", person=person))

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        _, ip = spot(who, place, rng, t)
        client, _, version = (ua or who.ua).partition(" ")
        stamp = ids.iso_frac(t)
        if op == "LOGIN":
            record: Json = {"EVENT_ID": rng.randint(10 ** 14, 10 ** 15), "EVENT_TIMESTAMP": stamp, "EVENT_TYPE": "LOGIN", "USER_NAME": who.name, "CLIENT_IP": ip, "REPORTED_CLIENT_TYPE": client, "REPORTED_CLIENT_VERSION": version, "FIRST_AUTHENTICATION_FACTOR": "PASSWORD" if who.kind == "person" or who.phase < 0.5 else "RSA_KEYPAIR", "SECOND_AUTHENTICATION_FACTOR": "DUO_PUSH" if who.kind == "person" else None,
                            "IS_SUCCESS": "NO" if err else "YES", "ERROR_CODE": 390100 if err else None, "ERROR_MESSAGE": "INCORRECT_USERNAME_PASSWORD" if err else None, "RELATED_EVENT_ID": 0, "CONNECTION": None}
            self.sink.add("snowflake_logins", t, record)
            return
        table = who.pick("table", [w.upper() for w in self.tenant.words], rng, explore)
        rows = int(rng.lognormvariate(6, 2)) if op in ("SELECT", "SELECT_ALL", "UNLOAD") else 0
        session = ids.digits(Random(f"{who.name}{int(t // 3600)}"), 14)
        record = {"QUERY_ID": "01" + ids.uuid4(rng)[2:], "QUERY_TEXT": QUERIES[op].format(t=table, c="id, name, amount", d=ids.iso(t - 86400)), "DATABASE_NAME": "ANALYTICS", "SCHEMA_NAME": "PUBLIC", "QUERY_TYPE": op.split("_ALL")[0], "SESSION_ID": session, "USER_NAME": who.name, "ROLE_NAME": who.name.split("@")[0] + "_ROLE", "WAREHOUSE_NAME": "LOAD_WH", "WAREHOUSE_SIZE": "Small", "EXECUTION_STATUS": "FAIL" if err else "SUCCESS",
                  "ERROR_CODE": "003001" if err else None, "ERROR_MESSAGE": "SQL access control error: Insufficient privileges" if err else None, "START_TIME": stamp, "END_TIME": ids.iso_frac(t + rng.expovariate(0.5)), "TOTAL_ELAPSED_TIME": rng.randint(40, 9000), "BYTES_SCANNED": rows * rng.randint(80, 900), "ROWS_PRODUCED": rows, "CLIENT_APPLICATION_ID": who.ua.replace("_DRIVER", "").replace("_CONNECTOR", "Connector")}
        self.sink.add("snowflake_queries", t, record)
