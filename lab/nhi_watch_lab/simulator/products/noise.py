"""Alerts and findings about nothing: what other products say of busy, moved or clumsy identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.products import alerts, exposure
from nhi_watch_lab.simulator.products.workers import At, Line

if TYPE_CHECKING:
    from nhi_watch_lab.simulator.products.tenant import Tenant

_PER_DAY = 2.2
"""False alerts a day and 100 machine identities: an assumption."""


def of_day(tenant: Tenant, number: int, lines: list[Line], d: Dice) -> list[Line]:
    """The harmless alerts and exposure findings of a day, most of them about what happened a lot."""
    found: list[Line] = []
    scale = tenant.spec.nhis / 100
    for _ in range(d.poisson(_PER_DAY * tenant.spec.ways.false_alerts * scale)):
        line = d.pick(lines)
        found += about(tenant, line, number, d)
    for _ in range(d.poisson(0.35 * scale)):
        at = At(tenant.company.midnight(number) + 86_300 * d.random(), d)
        found += exposure.harmless(tenant.company, d, at)
    return found


def about(tenant: Tenant, line: Line, number: int, d: Dice) -> list[Line]:
    """An alert of a product that watches the log of a line, about who acts in it."""
    company, at = tenant.company, At(line.second + 30 + 400 * d.random(), d)
    address = address_of(line)
    if line.product == "cloudtrail":
        machine = next((m for m in company.aws.machines if line.who == f"aws:{m.arn}" and m.kind in ("role", "user")),
                       None)
        if machine is None:
            return []
        make = alerts.guardduty if d.chance(0.7) else alerts.security_hub
        if d.chance(0.8):
            return make(company, machine, number, at, alerts.kind_for(machine, d), address or "203.0.113.9")
        named = {"user": machine.arn, "src": address}
        return alerts.notable(company, line, at, alerts.rule_for(line.product, d), named)
    if line.product in ("entra", "azure", "m365"):
        worker = next((w for w in tenant.workers if w.who == line.who and ("sp" in w.facts or "guid" in w.facts)), None)
        if worker is None or worker.kind == "managed":
            return []
        kinds = alerts.USER_RISKS if "guid" in worker.facts else alerts.RISKS
        return alerts.entra_risk(company, worker, at, d.pick(list(kinds)), address)
    if line.product == "endpoint":
        return alerts.kibana(company, line, at, alerts.rule_for(line.product, d))
    named = named_in(line)
    return alerts.notable(company, line, at, alerts.rule_for(line.product, d), named) if named else []


def address_of(line: Line) -> str:
    """The address in a record, in the places where these products have it."""
    record = line.record
    for value in (record.get("sourceIPAddress"), record.get("actor_ip"), record.get("callerIpAddress"),
                  record.get("ClientIP"),
                  record.get("ClientIPAddress"), record.get("ipAddress"), record.get("SOURCE_IP"),
                  record.get("CLIENT_IP")):
        if isinstance(value, str) and value[:1].isdigit():
            return value.partition(":")[0]
    client = record.get("client") or {}
    return str(client.get("ipAddress") or "") if isinstance(client, dict) else ""


def named_in(line: Line) -> dict[str, str]:
    """Whom a notable about a record names, in the fields that an add-on extracts; nothing where none does."""
    record, address = line.record, address_of(line)
    src = {"src": address} if address else {}
    if line.product == "github" and record.get("actor"):
        return {"user": str(record["actor"]), **src}
    if line.product == "okta":
        return {"user": str(record["actor"]["alternateId"]), **src} if record["actor"]["type"] == "User" else {}
    if line.product == "gcp":
        email = record["protoPayload"]["authenticationInfo"].get("principalEmail")
        return {"user": str(email), "principalEmail": str(email), **src} if email else {}
    if line.product in ("snowflake", "salesforce"):
        user = record.get("USER_NAME") or record.get("Username")
        return {"user": str(user), **src} if user else {}
    if line.product == "kubernetes":
        return {"user": str(record["user"]["username"]), "src": record["sourceIPs"][0]}
    return {}
