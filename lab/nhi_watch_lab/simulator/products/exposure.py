"""Exposure feeds: GitHub's secret-scanning webhooks, TruffleHog's output, AWS Health events of exposed keys.

Most findings are harmless: test fixtures, keys that are long dead, a colleague's sandbox.
"""

from __future__ import annotations

from datetime import datetime, timezone

from nhi_watch_lab.simulator.basics import Dice
from nhi_watch_lab.simulator.products.company import Company, Repo
from nhi_watch_lab.simulator.products.workers import At, Line, Record, iso


def scanning(company: Company, repo: Repo, key: str, at: At, kind: str = "amazon_aws_access_key_id",
             valid: str = "unknown",
             who: str = "") -> list[Line]:
    """A secret-scanning alert of GitHub, as its webhook."""
    number = at.dice.between(1, 900)
    url = f"https://github.com/{repo.name}/security/secret-scanning/{number}"
    alert: Record = {"number": number, "created_at": iso(at.second, 0), "updated_at": None, "html_url": url,
                     "secret_type": kind, "secret_type_display_name": kind.replace("_", " ").title(), "secret": key,
                     "state": "open", "resolution": None, "validity": valid, "publicly_leaked": repo.public,
                     "multi_repo": False, "push_protection_bypassed": False}
    record = {"action": "created", "alert": alert, "sender": {"login": "github", "type": "User"},
              "repository": {"id": repo.number, "full_name": repo.name, "private": not repo.public},
              "organization": {"login": company.org}}
    return [Line(at.second, "exposure", who or f"exposed:{key}", "secret_scanning", record)]


def trufflehog(company: Company, repo: Repo, key: str, arn: str, at: At, verified: bool, who: str = "") -> list[Line]:
    """A finding of a nightly TruffleHog run."""
    when = datetime.fromtimestamp(int(at.second), timezone.utc).strftime("%Y-%m-%d %H:%M:%S +0000")
    git = {"commit": at.dice.hexes(40), "file": at.dice.pick(["deploy/.env", "ci/config.yml", "scripts/upload.sh",
                                                              "test/fixtures.py"]),
           "email": f"dev <dev@{company.domain}>", "repository": f"https://github.com/{repo.name}.git",
           "timestamp": when,
           "line": at.dice.between(1, 200)}
    told = {"account": company.aws.world.account, "arn": arn,
            "resource_type": "Access key"} if verified else {"resource_type": "Access key"}
    record = {"SourceMetadata": {"Data": {"Git": git}}, "SourceID": 1, "SourceType": 16,
              "SourceName": "trufflehog - git",
              "DetectorType": 2, "DetectorName": "AWS", "DecoderName": "PLAIN", "Verified": verified, "Raw": key,
              "RawV2": f"{key}:{at.dice.hexes(40)}", "Redacted": key, "ExtraData": told, "StructuredData": None}
    return [Line(at.second, "exposure", who or f"exposed:{key}", "trufflehog", record)]


def health(company: Company, key: str, at: At, who: str = "") -> list[Line]:
    """AWS has found a key in public."""
    kind = "AWS_RISK_CREDENTIALS_EXPOSED"
    detail = {"eventArn": f"arn:aws:health:global::event/RISK/{kind}/{kind}_{at.dice.hexes(12)}", "service": "RISK",
              "eventTypeCode": kind, "eventTypeCategory": "issue", "statusCode": "open",
              "startTime": datetime.fromtimestamp(int(at.second), timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT"),
              "eventDescription": [{"language": "en_US", "latestDescription": "An access key was found in public."}],
              "affectedEntities": [{"entityValue": key}]}
    record = {"version": "0", "id": at.dice.uuid(), "detail-type": "AWS Health Event", "source": "aws.health",
              "account": company.aws.world.account, "time": iso(at.second, 0), "region": "us-east-1",
              "resources": [key],
              "detail": detail}
    return [Line(at.second, "exposure", who or f"exposed:{key}", "aws_health", record)]


def harmless(company: Company, d: Dice, at: At) -> list[Line]:
    """A finding about nothing that is in use, or about a real user's key that nobody else has seen."""
    repo, users = d.pick(company.repos), [m for m in company.aws.machines if m.kind == "user" and m.keys]
    if users and d.chance(0.35):
        user = d.pick(users)
        who = f"aws:{user.arn}"
        if d.chance(0.25):
            return health(company, user.keys[0][1], at, who=who)
        if d.chance(0.5):
            return scanning(company, repo, user.keys[0][1], at, valid=d.pick(["active", "unknown"]), who=who)
        return trufflehog(company, repo, user.keys[0][1], user.arn, at, d.chance(0.6), who=who)
    key = d.ident("AKIA", 16)
    if d.chance(0.6):
        return scanning(company, repo, key, at, valid=d.pick(["inactive", "inactive", "unknown"]))
    return trufflehog(company, repo, key, "", at, False)
