"""Response: nothing outside the policy is proposed, nothing without valid approval is handed over, nothing twice."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core_samples import record as log
from core_samples import run
from desk_samples import ACCOUNT, DAY_ONE, KEY, NOW, ROLE, USER, asked, desk, notable, state
from need import shared_data
from nhi_watch import cli
from nhi_watch.act import audit
from nhi_watch.act.response import actions, approval, plan
from nhi_watch.act.response.actions import CATALOGUE, PATTERNS, parameters
from nhi_watch.act.response.plan import Policy, Subjects
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import Dimension, NotableIdentity, ObservedValue, Usual
from nhi_watch.core.timestamps import DAY, parse, render
from nhi_watch.detect import history
from nhi_watch.detect.history import History
from nhi_watch.hosts.files import jobs
from nhi_watch.hosts.files import respond as command
from nhi_watch.state.store import MemoryStore
from notable_samples import altered, documents

SECOND = parse(NOW)
NOTHING = plan.Breaks((), ())
ALICE, BOB, EVE = (Ed25519PrivateKey.generate() for _ in range(3))
RULE = """
[[rule]]
name = "keys"
providers = ["aws"]
kinds = ["user"]
impact = "*"
actions = ["aws_deactivate_key", "aws_create_key"]
approvers = ["secops"]
minutes = 60
"""


def raw(key: Ed25519PrivateKey) -> bytes:
    return base64.b64decode(approval.public_text(key))


def approver(name: str, key: Ed25519PrivateKey, role: str = "secops") -> str:
    return f'[[approver]]\nname = "{name}"\nroles = ["{role}"]\nkey = "{approval.public_text(key)}"\n'


def written(folder: Path, *parts: str) -> Path:
    path = folder / "response_policy.toml"
    path.write_text("\n".join(["version = 1", *parts]))
    return path


# ---- the policy


def test_the_shipped_policy_allows_each_action_somewhere_and_nobody_to_approve() -> None:
    shipped = plan.load()
    assert {a for rule in shipped.rules for a in rule.actions} == set(CATALOGUE)
    assert shipped.approvers == ()


OTHER = RULE.replace('"keys"', '"more"')
BAD = [
    ("[[rule]\n", "is not valid TOML"),
    (RULE.replace("aws_deactivate_key", "aws_launch_rockets"), 'rule 1 "keys": unknown actions: aws_launch_rockets'),
    (RULE + OTHER, 'rules "keys" and "more": both allow aws_create_key, aws_deactivate_key for impact critical, high'),
    (RULE + OTHER.replace('"*"', '["low"]').replace('"aws_create_key"', '"aws_delete_key"'), "both allow aws_deactiv"),
    (RULE + RULE.replace("aws_", "gcp_").replace("gcp_create_key", "gcp_disable_key"), "unknown actions"),
    (RULE.replace('["user"]', '["person"]'), "unknown kinds: person"),
    (RULE.replace('"*"', '["severe"]'), "unknown impact: severe"),
    (RULE.replace("minutes = 60", "minutes = 0"), "rule[0].minutes: Expected `int` >= 1"),
    (RULE.replace("minutes = 60", "minutes = true"), "minutes: Expected `int`"),
    (RULE.replace("minutes = 60", ""), "missing required field `minutes`"),
    (RULE + "approvals = 9", "approvals: Expected `int` <= 3"),
    (RULE + "ttl = 5", "unknown field `ttl`"),
    (RULE.replace('actions = ["aws_deactivate_key", "aws_create_key"]', 'actions = "*"'), "actions: Expected `array`"),
    (RULE.replace('approvers = ["secops"]', "approvers = []"), "approvers: Expected `array` of length >= 1"),
    (RULE.replace('name = "keys"', ""), "missing required field `name`"),
    ("rule = 3", "rule: Expected `array`"),
    ('okta_org = "http://evil.example"', "okta_org must be"),
    ('[[approver]]\nname = "a"\nroles = ["secops"]\nkey = "abcd"', "key: Expected `bytes` of length >= 32"),
    (approver("a", ALICE) + approver("b", ALICE), "have the same key"),
    (approver("a", ALICE) + approver("a", BOB), "two approvers are named"),
]


@pytest.mark.parametrize(("text", "says"), BAD, ids=[says for _, says in BAD])
def test_a_wrong_policy_is_refused_with_file_and_rule(text: str, says: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        plan.load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_policy_and_another_version_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        plan.load(tmp_path / "none.toml")
    written(tmp_path).write_text("version = 2")
    with pytest.raises(InputError, match="version: Invalid enum value 2"):
        plan.load(tmp_path / "response_policy.toml")


def test_rules_that_only_look_alike_do_not_overlap(tmp_path: Path) -> None:
    low, high = RULE.replace('"*"', '["low"]'), OTHER.replace('"*"', '["high"]')
    assert len(plan.load(written(tmp_path, low, high)).rules) == 2


# ---- plans


def drafted(document: Any, rules: Policy, *credentials: str) -> Any:
    return plan.draft(document, rules, mine(document["identity"]["id"], *credentials), NOTHING, SECOND)


def mine(name: str, *credentials: str, **more: Any) -> Subjects:
    return Subjects({name: list(credentials)}, **more)


def test_a_plan_for_a_users_key_is_exact_and_in_order() -> None:
    built = drafted(notable(impact=_impact(1.0)), plan.load(), KEY)
    assert [step["action"] for step in built["steps"]] == [
        "aws_deactivate_key",
        "aws_deny_user",
        "aws_create_key",
        "aws_delete_key",
    ]
    first, last = built["steps"][0], built["steps"][-1]
    assert first["shell"] == [f"aws iam update-access-key --user-name ci --access-key-id {KEY} --status Inactive"]
    assert first["undo"] == [f"aws iam update-access-key --user-name ci --access-key-id {KEY} --status Active"]
    assert (last["undo"], last["approvals"], last["minutes"]) == ([], 2, 60)
    assert "cannot be undone" in plan.text(built)


def _impact(weight: float) -> Any:
    from nhi_watch.core.notable import Impact, ImpactFactor

    return Impact("medium", "medium", "", "write", "1 service", (ImpactFactor("criticality", "medium", weight),))


def test_the_higher_the_impact_the_less_is_proposed_and_the_more_approve() -> None:
    counts = [
        [(s["action"], s["approvals"]) for s in drafted(notable(impact=_impact(w)), plan.load(), KEY)["steps"]]
        for w in (1.0, 1.5, 2.0)
    ]
    assert counts[1][1] == ("aws_deny_user", 2)
    assert counts[2] == [("aws_deactivate_key", 2), ("aws_create_key", 1)]


def test_people_choose_what_is_approved_together() -> None:
    draft = drafted(notable(), plan.load(), KEY)
    first, *rest = [step["action"] for step in draft["steps"]]
    assert rest
    item, by_number = plan.only(draft, [first]), plan.only(draft, ["2"])
    assert [(step["n"], step["action"]) for step in by_number["steps"]] == [(2, rest[0])]
    plan.check(by_number, plan.load(), notable(), mine(USER.id, KEY))
    assert [(step["n"], step["action"]) for step in item["steps"]] == [(1, first)]
    plan.check(item, plan.load(), notable(), mine(USER.id, KEY))
    with pytest.raises(InputError, match="is not in the plan; it has"):
        plan.only(draft, ["gcp_disable_key"])


def test_of_two_steps_of_which_one_is_enough_people_choose_before_they_approve() -> None:
    draft = drafted(notable(), plan.load(), KEY)
    plan.demand_choice(draft)
    first, second = (dict(step) for step in draft["steps"][:2])
    first["action"], second["action"] = sorted(next(iter(actions.EITHER)))
    both = {**draft, "steps": [first, second, *draft["steps"][2:]]}
    with pytest.raises(InputError, match=r"steps 1 and 2 are alternatives, and approving would sign both.*--only 1"):
        plan.demand_choice(both)
    plan.demand_choice(plan.only(both, ["1"]))


def test_a_role_is_asked_for_its_sessions() -> None:
    built = drafted(notable(identity=ROLE, impact=_impact(1.0)), plan.load())
    (revoke,) = [s for s in built["steps"] if s["action"] == "aws_revoke_sessions"]
    words = shlex.split(revoke["shell"][0])
    assert words[:5] == ["aws", "iam", "put-role-policy", "--role-name", "payments-api"]
    statement = json.loads(words[-1])["Statement"][0]
    assert statement["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": built["made"]}}


Sample = tuple[str, str, str, str, str]
"""Id, name, account, kind and credential of an identity."""
SAMPLES: dict[str, Sample] = {
    "entra_disable_app": ("entra:app:0298edba-af67-88e6-e08a-f178fb829d78", "mail", "t", "app", ""),
    "entra_revoke_grants": ("entra:app:0298edba-af67-88e6-e08a-f178fb829d78", "mail", "t", "app", ""),
    "entra_delete_secret": ("entra:app:0298edba-af67-88e6-e08a-f178fb829d78", "mail", "t", "app",
                            "a9827ec4-239c-7fae-f22c-3457b6a9e65c"),
    "azure_renew_storage_key": ("azure:storage_key:ledger0:key1(B66E)", "key of ledger0", "ledger0", "storage_key", ""),
    "gcp_disable_key": ("gcp:p1:service_account:job@data-1.iam.gserviceaccount.com", "job", "p1", "service_account",
                        "15f9dbc460568310412d95a581ee2422ea1a9c8d"),
    "gcp_disable_account": ("gcp:p1:service_account:j@data-1.iam.gserviceaccount.com", "j", "", "service_account", ""),
    "github_remove_member": ("github::token:20", "uwe-petrov (token)", "acme", "token", ""),
    "gitlab_revoke_token": ("gitlab::token:10", "Felix (token)", "acme", "token", "240"),
    "kubernetes_renew_account": ("kubernetes::service_account:488", "system:serviceaccount:ingress:operator-2", "",
                                 "service_account", ""),
    "okta_deactivate_app": ("okta::oauth_app:0oaA6VYQH6OVRPV2PTZZ", "Export", "", "oauth_app", ""),
    "okta_revoke_token": ("okta::token:00uNCTYDVGWZGY735WSA", "x", "", "token", "00TXXDOEL4FVHZTX5DUV"),
    "vault_disable_entity": ("vault:entity:c2b1d8bb-b76b-f90a-d1a4-44e35695dbae", "a", "root", "workload", ""),
    "snowflake_disable_user": ("snowflake:acme:user:SVC.LOADER@ACME.EXAMPLE", "l", "ACME", "user", ""),
    "anthropic_deactivate_key": ("anthropic:org_1:key:apikey_c6717f442e2a", "k", "org_1", "key", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in CATALOGUE if not n.startswith("aws_")])
def test_each_action_can_be_written_out_for_an_identity_of_its_kind(name: str) -> None:
    unique, shown, account, kind, credential = SAMPLES[name]
    who = NotableIdentity(unique, shown, kind, unique.partition(":")[0], account, "")
    rules = plan.load()._replace(okta_org="https://acme.okta.com")
    built = drafted(notable(identity=who, impact=_impact(1.0)), rules, *filter(None, [credential]))
    (step,) = [s for s in built["steps"] if s["action"] == name]
    assert all(shlex.split(line) == list(words) for line, words in zip(step["shell"], step["commands"]))
    plan.check(built, rules, notable(identity=who, impact=_impact(1.0)), mine(unique, *filter(None, [credential])))


def test_a_rogue_app_loses_what_it_was_granted() -> None:
    """Each list is asked for at the service principal, and each of its members is deleted; run by a real shell."""
    who = NotableIdentity("entra:app:0298edba-af67-88e6-e08a-f178fb829d78", "mail", "app", "entra", "t", "")
    built = drafted(notable(identity=who, impact=_impact(1.0)), plan.load())
    (step,) = [s for s in built["steps"] if s["action"] == "entra_revoke_grants"]
    az = 'az() { echo "$3 $5" >&2; [ "$3" = DELETE ] || printf "g1\\ng2\\n"; }\n'
    commands = [
        subprocess.run([*words[:2], az + words[2], *words[3:]], capture_output=True, text=True, check=True).stderr
        for words in step["commands"]
    ]
    graph = "https://graph.microsoft.com/v1.0"
    principal = f"{graph}/servicePrincipals(appId='0298edba-af67-88e6-e08a-f178fb829d78')"
    for said, listing, place in zip(commands, ("oauth2PermissionGrants", "appRoleAssignments"), (graph, principal)):
        gone = [f"DELETE {place}/{listing}/{item}" for item in ("g1", "g2")]
        assert said.splitlines() == [f"GET {principal}/{listing}", *gone]


HOSTILE = ["ci; rm -rf /", "$(id)", "`id`", "-rf", "--user", "a b", "x\ny", "x\x00", "ＣＩ", "ci\u202e", "'", '"',
           "{{7*7}}"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_no_api_allows_gets_no_command(name: str) -> None:
    who = NotableIdentity(f"aws:{ACCOUNT}:user:x", f"arn:aws:iam::{ACCOUNT}:user/{name}", "user", "aws", ACCOUNT, "")
    built = drafted(notable(identity=who, impact=_impact(1.0)), plan.load(), KEY)
    assert built["steps"] == []
    assert {left["action"] for left in built["not_proposed"]} >= {"aws_deactivate_key", "aws_delete_key"}


def test_a_plan_that_was_changed_is_refused() -> None:
    document, rules = notable(impact=_impact(1.0)), plan.load()
    secrets = mine(USER.id, KEY)
    built = drafted(document, rules, KEY)
    plan.check(built, rules, document, secrets)
    other = json.loads(json.dumps(built))
    other["steps"][0]["with"]["aws_key"] = "AKIASOMEBODYELSESKEY"
    with pytest.raises(InputError, match="its hash does not fit"):
        plan.check(other, rules, document, secrets)
    with pytest.raises(InputError, match="step 1 is not one"):
        plan.check(plan.sealed(other), rules, document, secrets)
    with pytest.raises(InputError, match="another policy"):
        plan.check(built, rules._replace(sha256="0" * 64), document, secrets)
    with pytest.raises(InputError, match="the notable has changed since"):
        plan.check(built, rules, altered({**document, "revision": document["revision"] + 1}), secrets)
    with pytest.raises(InputError, match="nothing to approve"):
        plan.check(plan.sealed({**built, "steps": []}), rules, document, secrets)
    with pytest.raises(InputError, match="is not a plan"):
        plan.check({"schema": "x"}, rules, document, secrets)


# ---- the whole way, on the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    parts = (approver("alice", ALICE), approver("bob", BOB), approver("carol", EVE, "helpdesk"))
    written(tmp_path, RULE, *parts)
    for name, key in (("alice", ALICE), ("bob", BOB), ("carol", EVE)):
        _write_key(tmp_path / f"{name}.pem", key)
    return state(tmp_path, [notable(), notable(DAY_ONE + 1)])


def _write_key(path: Path, key: Ed25519PrivateKey) -> None:
    from cryptography.hazmat.primitives import serialization as s

    path.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))


def respond(folder: Path, what: str, *words: object, at: str = NOW, which: int = 0) -> Any:
    wanted = notable(DAY_ONE + which)["id"]
    more = ("--policy", folder / "response_policy.toml", *(("--now", at) if what == "plan" else ()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "now", lambda: parse(at))
        return asked(command, what, wanted, *more, *words, out=folder)


def approve(folder: Path, who: str = "alice", at: str = NOW, key: str = "") -> Any:
    file = folder / f"{key or who}.pem"
    return respond(folder, "approve", "--by", who, "--why", "it was stolen", "--key", file, at=at)


def trail(folder: Path) -> list[tuple[str, str]]:
    assert audit.verify(folder / "audit.jsonl").fault == ""
    return [(line["what"], line["by"]) for line in map(json.loads, audit.lines(folder / "audit.jsonl"))]


def test_plan_approve_export_and_never_twice(folder: Path) -> None:
    built = respond(folder, "plan")
    assert [s["action"] for s in built["steps"]] == ["aws_deactivate_key", "aws_create_key"]
    signed = approve(folder)
    assert (signed["plan"], signed["until"]) == (built["sha256"], "2026-03-01T13:00:00Z")
    answer = respond(folder, "export", "--to", "soar")
    container = json.loads(Path(answer["file"]).read_text())
    assert [a["cef"]["action"] for a in container["artifacts"]] == ["aws_deactivate_key", "aws_create_key"]
    assert not any(a["run_automation"] for a in container["artifacts"])
    with pytest.raises(InputError, match="already used"):
        respond(folder, "export", "--to", "soar")
    assert [what for what, _ in trail(folder)] == ["policy", "approval", "export", "refusal"]


Act = Callable[[Path], object]


def _all(*acts: Act) -> Act:
    """One after the other."""
    return lambda folder: [act(folder) for act in acts]


def _planned(folder: Path) -> object:
    return respond(folder, "plan")


def _exported(to: str, *words: str, at: str = NOW, which: int = 0) -> Act:
    return lambda folder: respond(folder, "export", "--to", to, *words, at=at, which=which)


LATE, LATER = "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"
REFUSED: list[tuple[str, Act, str]] = [
    ("no plan", approve, "no plan yet"),
    ("no approval", _all(_planned, _exported("webhook")), "nobody has approved"),
    ("a stranger", _all(_planned, lambda f: _write_key(f / "mallory.pem", EVE), lambda f: approve(f, "mallory")),
     "names no such approver"),
    ("another's key", _all(_planned, lambda f: approve(f, "alice", key="bob")), "forged"),
    ("a wrong role", _all(_planned, lambda f: approve(f, "carol")), "does not let them approve"),
    ("too late", _all(_planned, approve, _exported("elastic", at=LATE)), f"expired at {LATE}"),
    ("too early", _all(_planned, lambda f: approve(f, at=LATER), _exported("elastic")), "in the future"),
    ("another policy", _all(_planned, approve, lambda f: _append(f / "response_policy.toml", OTHER_ORG),
                            _exported("webhook")), "another policy"),
    ("another's plan", _all(_planned, approve, lambda f: respond(f, "plan", which=1), lambda f: _swap(f),
                            _exported("webhook", which=1)), "for another plan"),
]  # fmt: skip


OTHER_ORG = 'okta_org = "https://acme.okta.com"\n'


def _append(path: Path, text: str) -> None:
    path.write_text(text + path.read_text())


def _swap(folder: Path) -> None:
    """Put the approvals of the first notable's plan beside the second one's."""
    first, second = (folder / "response" / f"{notable(DAY_ONE + n)['id']}.approvals.jsonl" for n in (0, 1))
    second.write_bytes(first.read_bytes())


@pytest.mark.parametrize(("act", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_may_not_be_is_refused_in_one_line(act: Callable[[Path], object], says: str, folder: Path) -> None:
    with pytest.raises(InputError, match=says) as caught:
        act(folder)
    assert "\n" not in str(caught.value)


def test_a_refusal_is_in_the_trail_and_approves_nothing(folder: Path) -> None:
    respond(folder, "plan")
    with pytest.raises(InputError):
        approve(folder, "carol")
    assert not list((folder / "response").glob("*.approvals.jsonl"))
    assert trail(folder)[-1] == ("refusal", "carol")


def test_a_rule_for_two_wants_two_people(folder: Path) -> None:
    path = folder / "response_policy.toml"
    path.write_text(path.read_text().replace("minutes = 60", "minutes = 60\napprovals = 2"))
    respond(folder, "plan")
    approve(folder)
    approve(folder)
    with pytest.raises(InputError, match="needs the approval of 2 people, and has 1"):
        respond(folder, "export", "--to", "elastic")
    approve(folder, "bob")
    answer = respond(folder, "export", "--to", "elastic")
    case = json.loads(Path(answer["file"]).read_text())
    assert (case["severity"], case["connector"]["type"], case["owner"]) == ("critical", ".none", "securitySolution")
    assert "Approved by bob" in case["description"]


def test_a_key_is_private_and_goes_into_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "dora.pem"
    public = approval.new_key(path, "correct horse")
    assert path.stat().st_mode & 0o077 == 0
    text = f'[[approver]]\nname = "dora"\nroles = ["secops"]\nkey = "{public}"\n'
    assert plan.load(written(tmp_path, RULE, text)).approvers[0].name == "dora"
    with pytest.raises(InputError, match="cannot be written"):
        approval.new_key(path, "")
    with pytest.raises(InputError, match="check NHI_KEY_PASSPHRASE"):
        approval.read_key(path, "wrong")


def test_what_breaks_is_told_by_last_use() -> None:
    from core_samples import run
    from nhi_watch.act.response import plan
    from nhi_watch.detect import history
    from nhi_watch.detect.exposure import fast
    from test_exposure import LEAK, USUAL

    store = MemoryStore()
    run(store, USUAL)
    fast.tell(store, "AKIARTXV5AHDKEYKEYKE", LEAK, "public-repo")
    tenant_history = history.read(store)
    identity_history = next(
        identity_history for identity_history in tenant_history.identities.values() if identity_history.sights
    )
    who: Any = {"id": identity_history.identity.id}
    consumers = plan.of(tenant_history, notable(), [who])
    assert consumers
    assert [c.last for c in consumers] == sorted((c.last for c in consumers), reverse=True)
    assert consumers[0].last == max(s.last for s in identity_history.sights if s.outcome == "success")


def test_the_calls_of_the_notable_that_were_refused_are_a_use_and_others_are_none() -> None:
    tried = [
        {**by_user(f"10:0{n}"), "sourceIPAddress": address, "errorCode": "AccessDenied"}
        for n, address in enumerate(("198.51.100.7", "198.51.100.7", "192.0.2.7", "203.0.113.7"))
    ]
    worked = {**by_user("10:09"), "sourceIPAddress": "203.0.113.7"}
    consumers = plan.of(lived(*tried, worked), notable(), [altered({"id": USER.id})])
    assert {(c.network, c.events, c.refused, c.suspicious) for c in consumers} == {
        ("198.51.100.0/24", 2, 2, True),
        ("203.0.113.0/24", 2, 1, False),
    }
    breaks = plan.Breaks([plan.plain(c) for c in consumers], ())
    text = plan.text(plan.draft(notable(), plan.load(), mine(USER.id, KEY), breaks, SECOND))
    assert "`198.51.100.0/24`" in text and ": 2 calls, all refused, last " in text and ": 2 calls, 1 refused," in text


def test_parameters_are_whole_or_left_out() -> None:
    for name, pattern in PATTERNS.items():
        assert not [bad for bad in HOSTILE if re.fullmatch(pattern, bad, re.ASCII) and not bad.startswith("-")], name
    who = altered({"id": USER.id, "name": USER.name, "provider": "aws", "kind": "user", "account": ""})
    given = parameters(who, "x", notable())
    assert given["aws_name"] == "ci"
    assert "aws_key" not in given


def test_an_older_state_put_back_does_not_make_an_approval_fresh(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever account does it."""
    respond(folder, "plan")
    approve(folder)
    older = (folder / "state.sqlite").read_bytes()
    respond(folder, "export", "--to", "webhook")
    (folder / "state.sqlite").write_bytes(older)
    monkeypatch.setenv("NHI_USED_APPROVALS_FILE", str(tmp_path / "other_account"))
    with pytest.raises(InputError, match=f"already used at {NOW}"):
        respond(folder, "export", "--to", "webhook")


def test_neither_an_older_state_nor_an_older_trail_makes_an_approval_fresh(folder: Path, tmp_path: Path) -> None:
    """All that options can name, as it was before: state, trail with its head and key, plan and approval."""
    respond(folder, "plan")
    approve(folder)
    older = shutil.copytree(folder, tmp_path / "older")
    respond(folder, "export", "--to", "webhook")
    with pytest.raises(InputError, match=f"already used at {NOW}"):
        respond(older, "export", "--to", "webhook")
    assert not [*(older / "response").glob("*.webhook.json")]


def test_where_it_cannot_be_kept_that_an_approval_was_used_nothing_is_handed_over(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    respond(folder, "plan")
    approve(folder)
    (tmp_path / "aim").touch()
    (tmp_path / "link").symlink_to(tmp_path / "aim")
    for place in (tmp_path, tmp_path / "aim" / "x", tmp_path / "link"):
        monkeypatch.setenv("NHI_USED_APPROVALS_FILE", str(place))
        with pytest.raises(InputError, match="cannot be kept here"):
            respond(folder, "export", "--to", "webhook")
    monkeypatch.delenv("NHI_USED_APPROVALS_FILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path not in approval.ledger().parents


def test_a_trail_that_was_cut_hands_nothing_over(folder: Path) -> None:
    respond(folder, "plan")
    approve(folder)
    older = (folder / "state.sqlite").read_bytes()
    respond(folder, "export", "--to", "webhook")
    (folder / "state.sqlite").write_bytes(older)
    path = folder / audit.NAME
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(InputError, match="it was already used"):
        respond(folder, "export", "--to", "webhook")


@pytest.mark.parametrize("what", ["approve", "export"])
def test_nobody_chooses_the_time_of_an_approval(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"approve": ["--by", "alice", "--why", "x", "--key", "x.pem"], "export": ["--to", "webhook"]}[what]
    with pytest.raises(SystemExit):
        cli.main(["respond", what, "1", *given, "--out", str(folder), "--now", "2020-01-01"])
    assert "--now" in capsys.readouterr().err


def test_one_command_makes_a_policy_with_a_first_approver(tmp_path: Path) -> None:
    state(tmp_path, [notable(impact=_impact(0.5))])
    answer = asked(command, "setup", "--by", "dora", out=tmp_path)
    assert Path(answer["key"]).stat().st_mode & 0o077 == 0
    wanted = notable()["id"]
    built = asked(command, "plan", wanted, "--only", "aws_deactivate_key", "--now", NOW, out=tmp_path)
    assert built["policy"]["name"] == "response_policy.toml"
    asked(command, "approve", wanted, "--by", "dora", "--why", "stolen", "--key", answer["key"], out=tmp_path)
    assert Path(asked(command, "export", wanted, "--to", "webhook", out=tmp_path)["file"]).exists()
    asked(command, "setup", "--by", "emil", out=tmp_path)
    assert [a.name for a in plan.load(tmp_path / "response_policy.toml").approvers] == ["dora", "emil"]
    asked(command, "setup", "--by", '\U0001f600 "x" \\n', "--key", tmp_path / "odd.pem", out=tmp_path)
    assert plan.load(tmp_path / "response_policy.toml").approvers[2].name == '\U0001f600 "x" \\n'
    for words, says in (
        (("--by", "dora", "--key", tmp_path / "x"), "already in the policy"),
        (("--by", "fritz", "--role", "boss"), "the policy's rules know: owner, secops"),
    ):
        with pytest.raises(InputError, match=says):
            desk(command, "setup", *words, out=tmp_path)


def _next(text: str) -> list[list[str]]:
    """The commands after "Next: ", as arguments of this program."""
    (line,) = [line.removeprefix("Next: ") for line in text.splitlines() if line.startswith("Next: ")]
    return [shlex.split(part)[1:] for part in line.split("; then ")]


def test_the_next_command_that_is_printed_works_from_the_plan_to_the_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state(tmp_path, [notable(impact=_impact(1.6))])
    assert cli.main(["respond", "plan", notable()["id"], "--out", str(tmp_path), "--now", NOW]) == 0
    text = capsys.readouterr().out
    for number in (1, 2):
        steps = _next(text)
        assert [words[1] for words in steps] == ["setup", "approve"]
        assert [cli.main(words) for words in steps] == [0, 0], capsys.readouterr().err
        text = capsys.readouterr().out
        assert f"it has {number} of 2 approvals" in text
    (export,) = _next(text)
    export[export.index("webhook|soar|elastic")] = "soar"
    assert cli.main(export) == 0


# ---- whom and what to act on


def lived(*records: Any) -> History:
    store = MemoryStore()
    run(store, json.loads(json.dumps(records).replace("111111111111", ACCOUNT)))
    return history.read(store)


def by_user(clock: str, name: str = "GetObject", key: str = KEY, **params: str) -> Any:
    who = {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE",
        "arn": USER.name,
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "userName": "ci",
    }
    service = "iam" if "Key" in name or "Role" in name else "s3"
    return log(DAY_ONE, clock, service=service, name=name, userIdentity=who, id=f"u{clock}", requestParameters=params)


def linked() -> Any:
    """A notable of a user and a role, whose panel does not say whose the key was."""
    return {**notable(), "members": [_member(USER), _member(ROLE)], "last_time": render(DAY_ONE * DAY + 20 * 3600)}


def _member(who: NotableIdentity) -> Any:
    return {
        "id": who.id,
        "name": who.name,
        "kind": who.kind,
        "provider": who.provider,
        "account": who.account,
        "owner": who.owner,
    }


def test_the_key_comes_from_any_record_of_the_notable() -> None:
    subjects = plan.subjects(lived(by_user("10:01"), by_user("10:05", key="")), linked())
    assert subjects.credentials[USER.id] == [KEY]
    built = plan.draft(linked(), plan.load(), subjects, NOTHING, SECOND)
    assert ("aws_deactivate_key", KEY) in [(s["action"], s["with"].get("aws_key")) for s in built["steps"]]
    plan.check(built, plan.load(), linked(), subjects)


def test_a_user_whom_records_name_without_an_arn_can_be_acted_on() -> None:
    who = altered({**_member(USER), "name": "ci"})
    assert parameters(who, KEY, notable())["aws_name"] == "ci"
    assert "aws_name" not in parameters(altered({**who, "id": f"aws:{ACCOUNT}:user:ci"}), KEY, notable())
    assert "aws_name" not in parameters(altered({**who, "name": "ci; rm -rf /"}), KEY, notable())


def test_what_no_longer_exists_is_said_and_gets_no_command() -> None:
    role = log(DAY_ONE, "10:02", role="payments-api", id="role")
    role["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROAEXAMPLE"
    delete_key = by_user("11:00", "DeleteAccessKey", userName="ci", accessKeyId=KEY)
    delete_role = by_user("11:01", "DeleteRole", roleName="payments-api")
    subjects = plan.subjects(lived(role, by_user("10:01"), delete_key, delete_role), linked())
    assert {(gone.identity, gone.credential) for gone in subjects.gone} == {(USER.id, KEY), (ROLE.id, "")}
    built = plan.draft(linked(), plan.load(), subjects, NOTHING, SECOND)
    assert not [s for s in built["steps"] if "payments-api" in str(s["with"]) or KEY in str(s["with"])]
    text = plan.text(built)
    assert "no longer exists: deleted at" in text and f"anything with `{KEY}`" in text and "record u11" in text


def making() -> list[Any]:
    """The records of a role that makes a user, gives it all, and a key."""
    return [
        {**log(DAY_ONE, f"10:0{n}", role="payments-api", service="iam", name=name, id=f"r{n}",
               requestParameters={"userName": "ci", **more}), "responseElements": answer}
        for n, (name, more, answer) in enumerate([
            ("CreateUser", {}, None),
            ("AttachUserPolicy", {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, None),
            ("CreateAccessKey", {}, {"accessKey": {"accessKeyId": KEY, "userName": "ci", "status": "Active"}}),
        ])
    ]  # fmt: skip


def made_by_the_role() -> tuple[Any, Subjects]:
    """The role makes the user, and works with it."""
    doing = making()
    for item in doing:
        item["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROAEXAMPLE"
    calm = log(DAY_ONE - 1, "10:00", role="payments-api", id="calm")
    calm["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROAEXAMPLE"
    actions = plan_dimension("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey", "s3:ListBuckets")
    document = altered({**linked(), "usual": {**linked()["usual"], "dimensions": [actions]}})
    return document, plan.subjects(lived(calm, *doing, by_user("10:20", "ListBuckets")), document)


def plan_dimension(*fresh: str) -> Any:
    return {"name": "action", "usual": [], "observed": [{"value": item, "new": True, "count": 1} for item in fresh]}


def test_what_the_intrusion_made_is_stripped_and_deleted_and_gets_no_new_key() -> None:
    document, subjects = made_by_the_role()
    assert subjects.created == {USER.id, KEY}
    built = plan.draft(document, plan.load(), subjects, NOTHING, SECOND)
    steps = [(s["action"], s["with"]["aws_name"]) for s in built["steps"]]
    assert [name for name, who in steps if who == "ci" and name != "aws_deny_user"] == [
        "aws_deactivate_key",
        "aws_detach_made_user",
        "aws_delete_key",
        "aws_delete_made_user",
    ]
    assert not [name for name, who in steps if "made" in name and who == "payments-api"]
    text = plan.text(built)
    assert "aws iam detach-user-policy" in text and "aws iam delete-user --user-name ci" in text
    plan.check(built, plan.load(), document, subjects)
    with pytest.raises(InputError, match="is not one that"):
        plan.check(built, plan.load(), document, subjects._replace(created=frozenset()))


def raw_of(*records: Any) -> dict[str, Any]:
    return {f"r{n}": {"id": f"r{n}", "raw": json.dumps(record)} for n, record in enumerate(records)}


def test_what_was_made_and_granted_is_named_from_the_records_with_what_takes_it_back() -> None:
    calls = ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateAccessKey")
    timeline = [{"action": call, "outcome": "success", "count": 1, "time": NOW, "points": 1.0} for call in calls]
    document, subjects = made_by_the_role()
    document = altered({**document, "timeline": timeline})
    effects = actions.effects(document, raw_of(*making()))
    text = plan.text(plan.draft(document, plan.load(), subjects, NOTHING, SECOND, effects))
    part = text[text.index("What it made, granted") :].partition("\n\n")[0].splitlines()[1:]
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert part == [
        f"- iam:AttachUserPolicy: user-name `ci`, policy-arn `{admin}` (record `r1`)",
        f"  undo: aws iam detach-user-policy --user-name ci --policy-arn {admin}",
        f"- iam:CreateAccessKey: user-name `ci`, access-key-id `{KEY}` (record `r2`)",
        f"  undo: aws iam delete-access-key --user-name ci --access-key-id {KEY}",
        "- iam:CreateUser: user-name `ci` (record `r0`)",
        "  undo: aws iam delete-user --user-name ci",
        "- iam:CreateAccessKey: 1 more, whose raw records are not available; the searches in report.html find them",
    ]


def _done(call: str, count: int = 1, targets: tuple[str, ...] = (), **more: Any) -> Any:
    return {
        "action": call,
        "outcome": "success",
        "count": count,
        "time": NOW,
        "points": 9.0,
        "targets": [*targets],
        **more,
    }


def test_all_of_high_impact_that_worked_is_listed_with_its_targets() -> None:
    timeline = [
        _done("cloudtrail:StopLogging", targets=("trail/a",)),
        _done("ec2:ModifySnapshotAttribute", 2, ("snap-1",)),
        _done("ec2:ModifySnapshotAttribute", 1, ("snap-1", "snap-2")),
        _done("ec2:RunInstances", 3),
        _done("ec2:RunInstances", 4, outcome="denied"),
        _done("bedrock:InvokeModel", 5),
        _done("s3:GetObject", 6),
        _done("ec2:TerminateInstances", 7, points=0.0),
    ]
    effects = actions.effects(altered({**notable(), "timeline": timeline}), {})
    assert list(actions.lines(effects))[1:] == [
        "- cloudtrail:StopLogging, 1 call: `trail/a`",
        "- ec2:ModifySnapshotAttribute, 3 calls: `snap-1`, `snap-2`",
        "- ec2:RunInstances, 3 calls",
    ]


def test_the_secrets_that_were_read_are_to_be_rotated() -> None:
    def reads(day: int, clock: str, name: str, address: str) -> Any:
        return {
            **log(
                day,
                clock,
                service="secretsmanager",
                name="GetSecretValue",
                address=address,
                requestParameters={"secretId": name},
                id=f"{name}{clock}",
            ),
            "userIdentity": by_user("10:00")["userIdentity"],
        }

    tenant_habits, strange = "203.0.113.7", "198.51.100.7"
    refused = {**reads(DAY_ONE, "10:05", "no", strange), "errorCode": "AccessDenied"}
    lived_ = lived(
        reads(DAY_ONE - 1, "10:00", "own", tenant_habits),
        reads(DAY_ONE - 1, "10:01", "both", tenant_habits),
        reads(DAY_ONE, "10:02", "own", tenant_habits),
        reads(DAY_ONE, "10:03", "both", strange),
        reads(DAY_ONE, "10:04", "new", tenant_habits),
        refused,
    )
    names = plan.secrets(lived_, notable(), [altered({"id": USER.id})])
    assert names == ["both", "new"]

    def text(names: list[str], *calls: Any) -> list[str]:
        return list(actions.lines(actions.read_secrets(altered({**notable(), "timeline": calls}), names)))[1:]

    assert text(names) == ["- rotate the 2 secrets it read:", "  `both`", "  `new`"]
    assert text(names[:1]) == ["- rotate the secret it read:", "  `both`"]
    assert text([f"s{n}" for n in range(24)])[0] == "- rotate the 24 or more secrets it read:"
    unnamed = text([], _done("secretsmanager:GetSecretValue", 15))
    assert unnamed == ["- rotate the secrets it read, by 15 calls; no record names them"]
    assert text([], _done("s3:GetObject")) == []


def test_what_was_taken_back_since_needs_no_command_and_what_came_after_does() -> None:
    def record(event: str, minute: int, name: str) -> Any:
        return {
            "eventName": event,
            "eventSource": "iam.amazonaws.com",
            "eventTime": f"2026-03-09T02:{minute:02d}:00Z",
            "requestParameters": {"roleName": name},
        }

    story = (
        record("CreateRole", 1, "gone"),
        record("DeleteRole", 2, "gone"),
        record("DeleteRole", 3, "again"),
        record("CreateRole", 4, "again"),
    )
    lines = [*actions.lines(actions.effects(altered({**notable(), "timeline": []}), raw_of(*story)))][1:]
    assert lines == [
        "- iam:CreateRole: role-name `again` (record `r3`)",
        "  undo: aws iam delete-role --role-name again",
        "- iam:CreateRole: role-name `gone` (record `r0`)",
        "  undone since (record `r1`)",
    ]


@pytest.mark.parametrize("name", ["ci; rm -rf /", "-x", "$(id)", "", 7])
def test_what_a_record_names_in_no_shape_of_aws_is_never_part_of_a_command(name: Any) -> None:
    record = {"eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "requestParameters": {"userName": name}}
    refused = {**record, "errorCode": "AccessDenied", "requestParameters": {"userName": "ci"}}
    junk = [{**record, "requestParameters": None, "responseElements": {"user": [1]}}, [], 3]
    effects = actions.effects(altered({**notable(), "timeline": []}), raw_of(record, refused, *junk))
    assert [item["undo"] for item in effects] == ["", ""] and not any("$(" in line for line in actions.lines(effects))


def test_the_new_calls_of_one_of_several_are_its_own() -> None:
    document, subjects = made_by_the_role()
    built = plan.draft(document, plan.load(), subjects, NOTHING, SECOND)
    (deny,) = [s for s in built["steps"] if s["action"] == "aws_deny_new_calls_role"]
    assert deny["with"]["calls"] == "iam:AttachUserPolicy,iam:CreateAccessKey,iam:CreateUser"


def test_of_two_steps_of_which_one_is_enough_each_names_the_other() -> None:
    document, subjects = made_by_the_role()
    built = plan.draft(document, plan.load(), subjects, NOTHING, SECOND)
    number = {step["action"]: step["n"] for step in built["steps"] if step["identity"] == f"`{ROLE.id}`"}
    every, new = number["aws_deny_role"], number["aws_deny_new_calls_role"]
    text = plan.text(built)
    assert f"either this or step {new};" in text and f"either this or step {every};" in text
    assert "either this" not in plan.text(plan.only(built, [str(new)]))


def test_a_policy_denies_permissions_and_nothing_that_no_policy_stops() -> None:
    """Calls are named as CloudTrail names them; a policy that named `s3:ListBuckets` would deny nothing."""
    seen = (
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
        "s3:ListBuckets",
        "lambda:Invoke20150331",
        "signin:ConsoleLogin",
        "iam:CreateUser",
    )
    observed = tuple(ObservedValue(name, True, 1) for name in seen)
    document = notable(identity=ROLE, usual=Usual((Dimension("action", (), observed),), 9, None, None, None))
    assert parameters(document["identity"], "", document)["calls"] == (
        "iam:CreateUser,lambda:InvokeFunction,s3:ListAllMyBuckets"
    )


def test_a_key_that_the_intrusion_made_for_a_user_who_was_there_is_deleted_and_not_renewed() -> None:
    subjects = mine(USER.id, KEY, created=frozenset({KEY}))
    built = plan.draft(notable(impact=_impact(1.0)), plan.load(), subjects, NOTHING, SECOND)
    assert [s["action"] for s in built["steps"]] == ["aws_deactivate_key", "aws_deny_user", "aws_delete_key"]


def test_a_step_for_what_is_gone_meanwhile_is_refused() -> None:
    document, secrets = notable(impact=_impact(1.0)), mine(USER.id, KEY)
    built = plan.draft(document, plan.load(), secrets, NOTHING, SECOND)
    with pytest.raises(InputError, match="is not one that"):
        plan.check(built, plan.load(), document, secrets._replace(gone=(plan.Gone(USER.id, "", "deleted"),)))


def test_a_real_intrusion_is_planned_with_its_stolen_key_and_the_role_it_made_is_not_rotated(tmp_path: Path) -> None:
    jobs.score(
        jobs.ScoreJob([str(shared_data("cloudtrail/invictus"))], tmp_path, tmp_path / "state.sqlite", budget=1000)
    )
    first = json.loads((tmp_path / "notables.jsonl").read_text("utf-8").splitlines()[0])
    built = asked(command, "plan", "1", out=tmp_path)
    assert "AKIATFQR7NSC8Q4X20BJ" in [s["with"].get("aws_key") for s in built["steps"]]
    assert [item for item in built["granted"] if item.get("undo", "").startswith("aws iam detach-")]
    assert "no longer exists" in " ".join(left["why"] for left in built["not_proposed"])
    assert first["controls"][2]["reason"].endswith("do not rotate it, delete it and its keys.")
    assert not [item for item in built["granted"] if "missing" in item], "all that it made is read again from the files"
    (deny,) = [s for s in built["steps"] if s["action"] == "aws_deny_new_calls_user"]
    assert {"iam:AttachUserPolicy", "cloudtrail:StopLogging"} <= {*deny["with"]["calls"].split(",")}, "the gravest"
    assert {control["status"] for control in first["controls"]} == {"open"}


def test_a_plan_without_steps_advises_no_approval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (silent,) = [document for document in documents() if document["kind"] == "blind_spot"]
    state(tmp_path, [silent])
    assert cli.main(["respond", "plan", silent["id"], "--out", str(tmp_path), "--now", NOW]) == 0
    text = capsys.readouterr().out
    assert "For this notable the policy proposes no step" in text and "It has no step to approve." in text
    assert "Next:" not in text


@pytest.mark.parametrize(
    ("level", "let_in", "says"),
    [
        ("low", ("all refused", 0.5), "Impact low, because all of it was refused; it could reach: medium, severity"),
        (
            "low",
            ("20% of the likelihood without the refused calls", 0.6),
            "Impact low, because refused calls count half; it could reach: medium, severity",
        ),
        ("medium", ("yes", 1.0), "Impact medium (what it could reach), severity"),
    ],
)
def test_the_impact_is_the_one_of_the_page_with_its_reason(level: str, let_in: tuple[str, float], says: str) -> None:
    from nhi_watch.core.notable import LET_IN, ImpactFactor

    of = _impact(1.0)
    document = notable(impact=replace(of, level=level, factors=(*of.factors, ImpactFactor(LET_IN, *let_in))))
    assert says in plan.text(drafted(document, plan.load(), KEY))


def test_what_obtains_sessions_is_told_with_what_to_look_at() -> None:
    kinds = ("service:ec2", "web_identity:token.actions.githubusercontent.com:repo:a/b", "user:AIDA", "role:AROA")
    callers = [f"aws:{ACCOUNT}:{kind}" for kind in kinds]
    built = plan.draft(notable(identity=ROLE), plan.load(), mine(ROLE.id), plan.Breaks((), callers), SECOND)
    assert [line for line in plan.text(built).splitlines() if "obtained" in line] == [
        f"- sessions are obtained by `{callers[0]}`; look at the instance, function or task that uses the role: "
        "anyone who can reach it gets new sessions",
        f"- sessions are obtained by `{callers[1]}`; look at the workflow that gets them",
        f"- sessions are obtained by `{callers[2]}`; rotate its credential",
        f"- sessions are obtained by `{callers[3]}`",
    ]


def test_a_use_without_address_or_client_says_so() -> None:
    use = {"identity": "`app`", "credential": "``", "network": "``", "agent": "``", "events": 13, "refused": 0,
           "last_use": "2026-03-01T10:00:00Z", "suspicious": False}  # fmt: skip
    built = plan.draft(notable(), plan.load(), mine(USER.id, KEY), plan.Breaks((use,), ()), SECOND)
    assert "- `app` from (unknown) by (unknown): 13 calls" in plan.text(built)
