"""The coverage ledger, docs/method/coverage.md: what is detected, responded to, governed, each cell proven by a sample.

A cell is filled only by running something: a sample that makes a signal, a finding or an exposure fire (detect), the
plan that the shipped policy drafts for the notable that comes of it (respond), and the entry that opens for its
controls in the ledger, with an owner and a due date (govern). Whatever has no such proof says "not covered".

Run as a program it writes the page; a test fails where the page is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "lab" / "tools")]

from core_samples import TODAY, events, learnt, whole_days
from layout import ROOT
from nhi_watch.act.response import plan
from nhi_watch.context import frameworks
from nhi_watch.context.assets import Asset
from nhi_watch.core.notable import to_json
from nhi_watch.detect import feedback, ledger, linking
from nhi_watch.detect.explain import brief, notables
from nhi_watch.detect.history import History
from nhi_watch.detect.scoring import score_day
from nhi_watch.detect.signals import SIGNALS
from nhi_watch.hosts.splunk.notables import event_of
from nhi_watch.report import ecs
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.evaluation.reading import as_csv
from test_exposure import LEAK, STRANGE, USUAL, told, user
from test_posture import ALIVE, both, details, looked, works
from test_signals import FOLDER, value_of

PAGE = ROOT / "docs" / "method" / "coverage.md"
SHEET, ATTACK = (ROOT / "lab" / "results" / f"{name}.csv" for name in ("coverage", "coverage_attack"))
NO = "**not covered**"
TEAM = Asset("high", "team-pay", "production")
OWNED = Asset("high", "team-pay", "")
FUNCTIONS = ("detect", "respond", "govern")


class Proof(NamedTuple):
    """Something that fired, and what followed from it."""

    name: str
    """Of the signal, the finding or the exposure."""
    sample: str
    ids: tuple[str, ...]
    """Framework ids that it carries of its own."""
    actions: tuple[str, ...]
    """That the shipped policy plans for it."""
    controls: tuple[str, ...]
    """That the ledger follows up, with owner and due date."""
    reached: tuple[str, ...]
    """Outcomes of the CSF that were reached with its notable."""


def proofs() -> list[Proof]:
    """Every sample that fires, with what followed."""
    return [*_signals(), *_findings(), *_exposures()]


def _signals() -> Iterator[Proof]:
    for signal in SIGNALS:
        for text in (FOLDER / f"{signal.name}.jsonl").read_text("utf-8").splitlines():
            sample = json.loads(text)
            if sample["fires"] is True:
                document = _fired(signal, sample)
                if document is not None:
                    yield _proof(signal.name, sample["sample"], signal.frameworks, document)
                    break


def _fired(signal: Any, sample: Any) -> Any | None:
    """The notable of a sample whose signal fires indeed; None: it does not."""
    todays, baselines = events(sample["events"], TODAY), learnt(sample["history"])
    parts = {name: score_day(baselines, identity_day) for name, identity_day in whole_days(todays).items()}
    lead = todays[0].identity.id
    episode = parts[lead] if len(parts) == 1 else linking.joined(linking.Group(lead, tuple(parts), ()), parts)
    value, _ = value_of(signal, episode.view)
    return to_json(notables.build(episode, baselines, dict.fromkeys(parts, TEAM))) if value else None


def _findings() -> Iterator[Proof]:
    for kind, (sample, look) in FINDINGS.items():
        notables = [n for n in look().notables if n["signals"][0]["id"] == kind]
        assert notables, f"{kind} has no finding: {sample}"
        carried = {i for n in notables for ids in n["frameworks"].values() for i in ids}
        yield _proof(kind, sample, sorted(carried - {*frameworks.ALWAYS}), notables[0])


def _exposures() -> Iterator[Proof]:
    for sample, document in (
        ("a key in a public repository, not used since", told(USUAL)),
        ("a key in a public repository, used from Tor two minutes later", told(USUAL, [STRANGE])),
    ):
        carried = [i for ids in document["frameworks"].values() for i in ids if i not in frameworks.ALWAYS]
        yield _proof("exposed_secret", sample, carried, document)


def _proof(name: str, sample: str, ids: Iterable[str], document: Any) -> Proof:
    members = plan.members_of(document)
    keys = [o["value"] for d in document["usual"]["dimensions"] if d["name"] == "credential" for o in d["observed"]]
    subjects = plan.Subjects({str(members[0]["id"]): keys})
    built = plan.draft(document, plan.load(), subjects, plan.Breaks((), ()), LEAK)
    followed = [e for e in ledger.follow(MemoryStore(), History(), [document], LEAK) if e.due and e.owner]
    actions, controls = sorted({s["action"] for s in built["steps"]}), sorted({e.control for e in followed})
    reached = _reached(document, tuple(actions), tuple(controls))
    return Proof(name, sample, tuple(ids), tuple(actions), tuple(controls), reached)


def _owned(look: Callable[..., Any], *args: Any, **more: Any) -> Callable[[], Any]:
    known = dict.fromkeys(("payments-api", "orders-stg", "orders-prod", "ci", "shared", "other", "old", "never"), OWNED)
    return lambda: look(*args, **{"known": known, **more})


def _crossing() -> list[Any]:
    from core_samples import record

    buckets = ("orders-stg-data", "orders-prod-data", "billing-prod-data")
    return [
        record(TODAY - day, "10:00", role="orders-stg", bucket=bucket, id=f"{day}{bucket}")
        for day in (3, 2, 1)
        for bucket in buckets
    ] + works([3, 2, 1], role="orders-prod", bucket="orders-prod-data")


def _by_hand() -> list[Any]:
    hands = works([3], sessionCredentialFromConsole="true", service="iam", name="ListUsers")
    return [*works(range(60, 0, -1)), *[{**hand, "eventID": "hands"} for hand in hands]]


def _left_behind() -> list[Any]:
    return [user(TODAY - day, "10:00") for day in range(200, 120, -1)]


def _stopped() -> list[Any]:
    return [*works(range(300, 150, -1), role="old"), *ALIVE]


def _unmade() -> list[Any]:
    calls = ("PutObject", "DeleteObject", "CreateBucket", "DeleteBucket", "PutBucketPolicy", "CopyObject")
    writes = [
        {**work, "eventName": call, "eventID": f"{call}{n}"}
        for call in calls
        for n, work in enumerate(works(range(200, 120, -1)))
    ]
    return [*writes, *works(range(200, 0, -1))]


FINDINGS: dict[str, tuple[str, Callable[[], Any]]] = {
    "long_lived_secret": (
        "a key in daily use for 200 days",
        _owned(looked, [user(TODAY - day, "10:00") for day in range(200, 0, -1)]),
    ),
    "unused_secret": ("a daily key silent for 120 days", _owned(looked, [*_left_behind(), *ALIVE])),
    "dormant_identity": ("a daily job silent for 150 days", _owned(looked, _stopped())),
    "orphaned_identity": (
        "active, and the table of assets names no owner",
        lambda: looked([*works([3, 2, 1]), *ALIVE], known={"payments-api": TEAM}),
    ),
    "human_use": ("a console session in a machine's role", _owned(looked, _by_hand())),
    "shared_environments": ("a role of staging that writes to production", _owned(looked, _crossing())),
    "reused_credential": ("one key, two applications at the same time", _owned(looked, both(range(9, 0, -1)))),
    "over_privileged": ("four services granted, one used", _owned(looked, works(range(60, 0, -1)), details())),
    "unused_rights": ("a busy role that stopped writing", _owned(looked, _unmade())),
}


# ---- the page


def rows(proofs: Iterable[Proof], names: Iterable[str]) -> Iterator[list[str]]:
    """For each id its cells: what detects, responds and governs."""
    every = list(proofs)
    for name in names:
        mine = [proof for proof in every if name in proof.ids]
        yield [f"{name} {frameworks.name(name)}", _detect(mine), _respond(mine), _govern(mine)]


def _detect(mine: Iterable[Proof]) -> str:
    return ", ".join(dict.fromkeys(f"`{proof.name}`" for proof in mine)) or NO


def _respond(mine: Iterable[Proof]) -> str:
    return ", ".join(sorted({f"`{action}`" for proof in mine for action in proof.actions})) or NO


def _govern(mine: Iterable[Proof]) -> str:
    return ", ".join(sorted({control.replace("_", " ") for proof in mine for control in proof.controls})) or NO


def attack_sheet(proofs: Iterable[Proof]) -> str:
    """CSV: every technique, what detects it, and the OWASP risks that the same signals carry."""
    every, risks = list(proofs), set(_ids("owasp_nhi"))
    techniques = []
    for name, (title, detect, *_) in zip(_ids("mitre_attack"), rows(every, _ids("mitre_attack"))):
        carried = {risk for proof in every if name in proof.ids for risk in risks.intersection(proof.ids)}
        techniques.append([title, detect.replace("`", "").strip("*"), " ".join(sorted(carried))])
    return as_csv(["technique", "detect", "OWASP risks"], techniques)


def _ids(framework: str) -> list[str]:
    path = Path(frameworks.__file__).with_name(f"{framework}.json")
    return [i for i in json.loads(path.read_text("utf-8"))["entries"] if i not in frameworks.ALWAYS]


MARK = "<!-- Written by `make docs` (tests/coverage_ledger.py): change the code, not this page. -->"
INTRO = """\
For anyone who must show what is covered.

Every cell was filled by running a sample, named in [coverage.csv](../../lab/results/coverage.csv): *detect* is the
signal, finding or exposure that fires; *respond* what the shipped `response_policy.toml` plans for its notable;
*govern* the controls that are then followed up. NHI-07 and DE.CM-1, which every notable carries, prove nothing here.
How often a thing is found: [posture](posture_measured.md)."""


def sheet(proofs: Iterable[Proof]) -> str:
    """CSV: every proof by itself, with its sample and what followed from it."""
    heads = ["signal, finding or exposure", "sample", "carries", "actions planned", "controls followed up"]
    return as_csv(heads, ([p.name, p.sample, *map(" ".join, (p.ids, p.actions, p.controls))] for p in proofs))


def page(proofs: list[Proof]) -> str:
    """What docs/method/coverage.md should say."""
    attack = [row[1] != NO for row in rows(proofs, _ids("mitre_attack"))]
    lines = ["# Coverage", "", MARK, "", INTRO, "",
             "## OWASP NHI Top 10 × NIST CSF", "", *_table(["what", *FUNCTIONS], rows(proofs, _ids("owasp_nhi"))),
             "", "## NIST CSF", "", *_table(["outcome", "proof"], _outcomes(proofs)), "", "## ATT&CK", "",
             f"Signals prove {sum(attack)} of the {len(attack)} techniques that sources may name; which, and for which "
             "risk of OWASP's: [coverage_attack.csv](../../lab/results/coverage_attack.csv)."]  # fmt: skip
    return "\n".join(lines) + "\n"


HOW = {
    "DE.AE-02": "signals weighed, each with its evidence",
    "DE.AE-04": "factors of the impact shown",
    "DE.AE-06": "an alert for Elastic and an event for Splunk written",
    "RS.AN": "a brief written, each sentence cited",
    "RS.MA": "a verdict taken, on a severity and a due date",
    "RS.MI": "a plan drafted",
    "GV.RR": "its control opened in the ledger for a named owner",
    "PR.AA": "its control opened in the ledger",
}
"""Outcomes that the product reaches with every notable, and how."""


def _reached(document: Any, actions: tuple[str, ...], controls: tuple[str, ...]) -> tuple[str, ...]:
    facts = brief.facts(document)
    reached = {
        "DE.AE-02": all(signal["evidence"] for signal in document["signals"] if signal["points"] > 0),
        "DE.AE-04": bool(document["impact"]["factors"]),
        "DE.AE-06": bool(ecs.alert(document, created=document["created"]) and event_of(document, LEAK)),
        "RS.AN": bool(facts) and all(fact.cites for fact in facts),
        "RS.MA": bool(feedback.make_verdict(document, "confirmed", "ann", "seen", LEAK, {}).verdict),
        "RS.MI": bool(actions),
        "GV.RR": bool(controls),
        "PR.AA": bool(controls),
    }
    return tuple(name for name, fine in reached.items() if fine)


def _outcomes(proofs: list[Proof]) -> Iterator[list[str]]:
    """What carries an outcome's id, and with how many of the notables the product reaches it."""
    for name in _ids("nist_csf"):
        mine = [proof for proof in proofs if name in proof.ids]
        count = sum(name in proof.reached for proof in proofs)
        cells = [f"{count} of {len(proofs)} notables: {HOW[name]}"] if count else []
        cells += [_detect(mine)] if mine else []
        yield [f"{name} {frameworks.name(name)}", "; ".join(cells) or NO]


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


if __name__ == "__main__":
    every = proofs()
    PAGE.write_text(page(every), "utf-8")
    SHEET.write_text(sheet(every), "utf-8")
    ATTACK.write_text(attack_sheet(every), "utf-8")
