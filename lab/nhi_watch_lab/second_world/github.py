# ruff: noqa: E501
"""GitHub audit log (organization or enterprise API form), after GitHub's audit log documentation."""
from __future__ import annotations

import hashlib
from random import Random
from typing import Optional

from nhi_watch_lab.second_world import agents, ids
from nhi_watch_lab.second_world.ids import Json
from nhi_watch_lab.second_world.net import Place, operators
from nhi_watch_lab.second_world.net import place as at_place
from nhi_watch_lab.second_world.saas import Agent, Product, spot
from nhi_watch_lab.second_world.sink import Sink
from nhi_watch_lab.second_world.tenant import Tenant

GIT = {"git.clone", "git.fetch", "git.push"}
OPS: list[str] = ["git.clone", "git.fetch", "git.push", "repo.download_zip", "pull_request.create", "pull_request.merge", "repo.create", "workflows.created_workflow_run", "workflows.completed_workflow_run", "protected_branch.policy_override", "repo.add_topic", "issue_comment.update"]
HUMAN: list[str] = ["public_key.create", "repo.access", "org.add_member", "org.update_member", "team.add_repository", "team.add_member", "repo.add_member", "personal_access_token.request_created", "personal_access_token.access_granted", "integration_installation.create", "oauth_authorization.create",
                    "org_credential_authorization.grant", "protected_branch.create", "protected_branch.destroy", "protected_branch.update_admin_enforced", "hook.create", "repo.actions_enabled", "org.update_actions_secret", "repo.create_actions_secret", "repo.update_actions_secret", "environment.create_actions_secret",
                    "repo.register_self_hosted_runner", "repo.remove_self_hosted_runner", "workflows.delete_workflow_run", "workflows.disable_workflow", "repo.destroy", "repo.transfer", "secret_scanning_alert.resolve", "org.oauth_app_access_approved", "repo.set_actions_fork_pr_approvals_policy", "repository_ruleset.update", "git.clone", "repo.download_zip"]
OPERATION = {"create": "create", "add": "create", "destroy": "remove", "remove": "remove", "delete": "remove", "grant": "create", "granted": "create", "access": "access", "download": "access", "register": "create"}


class GitHub(Product):
    name = "github"
    ops = OPS
    human_ops = HUMAN

    def __init__(self, tenant: Tenant, sink: Sink, rng: Random, scale: float) -> None:
        super().__init__(tenant, sink, rng, scale)
        self.org, self.org_id, self.business_id = tenant.corp, rng.randint(10 ** 6, 2 * 10 ** 8), rng.randint(1000, 99999)
        tails = ["api", "web", "worker", "infra", "sdk", "docs", "ui", "jobs", "terraform", "charts", "mobile", "lib"]
        self.repos = sorted({f"{self.org}/{w}-{rng.choice(tails)}" for w in tenant.words for _ in range(rng.randint(2, 6))} | {f"{self.org}/infra", f"{self.org}/monorepo"})
        self.workflows = ["build", "test", "deploy", "release", "nightly", "lint", "codeql"]

    def populate(self, machines: int) -> None:
        rng = self.rng
        for _ in range(machines):
            kind = ids.weighted(rng, {"app": 3.0, "pat": 3.0, "deploy_key": 3.0, "oauth": 1.5})
            routine = rng.choice([["git.clone"], ["git.fetch"], ["git.fetch", "git.push"], ["workflows.created_workflow_run", "git.clone", "workflows.completed_workflow_run"], ["pull_request.create"], ["git.clone", "repo.download_zip"], ["pull_request.create", "pull_request.merge"]])
            where = rng.choice([self.tenant.runners, self.tenant.nat(self.tenant.accounts[0], self.tenant.regions[0]), at_place(rng, rng.choice(operators("cloud", "aws", "hosting")), rng.randint(1, 6), 0.02)])
            word = rng.choice(self.tenant.words)
            name = {"app": f"{word}-bot[bot]", "pat": f"{self.org}-{word}-ci", "deploy_key": f"deploy-{word}", "oauth": f"{rng.choice(['sonar', 'snyk', 'linear', 'vercel', 'drift', 'codecov'])}-{self.org}"}[kind]
            self.add(self._agent(name, kind, where, agents.git(rng) if kind != "oauth" else agents.script_client(rng), routine, 10 ** rng.uniform(0.3, 1.9), rng.choice(["office", "office", "steady", "night"])))
        for person in self.tenant.people:
            if rng.random() < 0.6:
                made = self._agent(f"{person.login}-{self.org[:4]}" if rng.random() < 0.5 else person.login, "person", person.home, agents.git(rng), ["git.fetch", "git.fetch", "git.push", "git.clone", "pull_request.create", "pull_request.merge"], rng.uniform(1, 9), "person")
                made.person = person
                self.add(made)

    def _agent(self, name: str, kind: str, where: Place, ua: str, routine: list[str], runs: float, rhythm: str) -> Agent:
        made = Agent(name, kind, where, ua, routine, runs, rhythm)
        made.ids = {"actor_id": self.rng.randint(10 ** 6, 2 * 10 ** 8), "token": ids.hexa(self.rng, 40), "token_id": self.rng.randint(10 ** 8, 3 * 10 ** 9), "session": self.rng.randint(10 ** 8, 10 ** 9)}
        return made

    def emit(self, who: Agent, t: float, op: str, *, place: Optional[Place] = None, ua: str = "", explore: bool = False, err: bool = False, over: Optional[Json] = None) -> None:
        rng = self.rng
        where, ip = spot(who, place, rng, t)
        repo = str((over or {}).get("repo") or who.pick("repo", self.repos, rng, explore))
        record: Json = {"@timestamp": int(t * 1000), "_document_id": ids.b64url(rng, 16), "action": op, "actor": who.name, "actor_id": who.ids["actor_id"], "actor_ip": ip, "actor_location": {"country_code": where.country},
                        "business": self.org, "business_id": self.business_id, "created_at": int(t * 1000), "org": self.org, "org_id": self.org_id}
        if not op.startswith(("org.", "team.", "personal", "oauth", "org_")):
            record.update({"repo": repo, "repo_id": 10 ** 8 + int(hashlib.sha1(repo.encode()).hexdigest()[:7], 16), "public_repo": False, "visibility": "private"})
        web = who.kind == "person" and op in HUMAN and op not in GIT and not ua
        record["user_agent"] = ua or (who.person.browser if web and who.person else who.ua)
        if op in GIT:
            self._git(record, who, repo)
        else:
            record["operation_type"] = next((v for k, v in OPERATION.items() if k in op), "modify")
        if web:
            record["actor_session"] = who.ids["session"]
            record["request_id"] = ":".join(ids.hexa(rng, 4).upper() for _ in range(5))
        else:
            self._token(record, who)
        if who.person:
            record["external_identity_nameid"] = who.person.upn
        self._detail(record, who, op, repo, t, err)
        record.update(over or {})
        self.sink.add("github", t, record)

    def _git(self, record: Json, who: Agent, repo: str) -> None:
        ssh = who.kind == "deploy_key" or (who.kind == "person" and who.phase < 0.4)
        for key in ("created_at", "operation_type"):
            record.pop(key, None)
        record.update({"repository": repo, "repository_public": False, "transport_protocol": 2 if ssh else 1, "transport_protocol_name": "ssh" if ssh else "http", "user": "", "user_id": 0})

    def _token(self, record: Json, who: Agent) -> None:
        kinds = {"app": "GitHub App server-to-server token", "pat": "Personal access token (classic)", "deploy_key": "Public Key (User/Deploy)", "oauth": "OAuth access token", "person": "Public Key (User/Deploy)" if who.phase < 0.4 else "Fine-grained personal access token"}
        record["programmatic_access_type"] = kinds[who.kind]
        if record["programmatic_access_type"].startswith("Public"):
            return
        # app tokens live an hour; the others stay
        seed = who.ids["token"] + (str(record["@timestamp"] // 3600000) if who.kind == "app" else "")
        record["hashed_token"] = ids.b64(Random(seed), 32)
        record["token_id"] = who.ids["token_id"]
        if who.kind in ("pat", "oauth"):
            record["token_scopes"] = "repo,read:org,workflow" if who.phase < 0.5 else "repo"

    def _detail(self, record: Json, who: Agent, op: str, repo: str, t: float, err: bool) -> None:
        rng = self.rng
        if op.startswith("workflows."):
            flow = who.pick("workflow", self.workflows, rng, False)
            record.update({"name": flow, "head_branch": rng.choice(["main", "main", "develop", f"feature/{ids.hexa(rng, 5)}"]), "head_sha": ids.hexa(rng, 40), "event": rng.choice(["push", "pull_request", "schedule", "workflow_dispatch"]), "workflow_id": 10 ** 6 + len(flow) * 991, "workflow_run_id": 13 * 10 ** 9 + int(t * 10) % 10 ** 9, "run_attempt": 1, "run_number": rng.randint(1, 4000), "trigger_id": None})
            if "completed" in op:
                record.update({"conclusion": "failure" if err or rng.random() < 0.12 else "success", "completed_at": ids.iso_frac(t), "started_at": ids.iso_frac(t - rng.uniform(20, 900))})
        elif op == "public_key.create":
            record.update({"title": rng.choice(["laptop", "ci", "deploy", "new-key"]), "fingerprint": "SHA256:" + ids.b64(rng, 32).rstrip("="), "read_only": "false"})
        elif "secret" in op:
            record["key"] = rng.choice(["AWS_ROLE", "NPM_TOKEN", "DOCKER_PASSWORD", "SLACK_WEBHOOK", "SONAR_TOKEN"])
        elif op.startswith(("org.add", "team.add_member", "repo.add_member", "org.update_member")):
            record.update({"user": rng.choice(self.tenant.people).login, "permission": rng.choice(["read", "write", "admin"])})
        elif op == "repo.access":
            record.update({"visibility": rng.choice(["internal", "private", "public"]), "previous_visibility": "private"})
        elif "register_self_hosted" in op:
            record.update({"runner_name": "runner-" + ids.hexa(rng, 6), "runner_id": rng.randint(1, 9999), "runner_labels": ["self-hosted", "linux", "x64"]})
        elif op.startswith(("integration_installation", "oauth_")):
            record.update({"integration": rng.choice(["renovate", "codecov", "sentry-io", "linear", "drift-sync", "snyk"]), "name": "app"})
