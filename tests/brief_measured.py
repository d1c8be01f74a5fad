"""Measures the briefs of simulated incidents: `python tests/brief_measured.py` writes docs/method/brief_measured.md.

What is counted is found by other means than those that write a brief: every number, time and id of its text must stand
in the notable's JSON or in the plan's, and each citation must name one of their records, signals or steps.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "lab" / "tools")]

from core_samples import Going, Options
from layout import ROOT
from llm_double import copying, endpoint, plain
from llm_real import BEGIN
from nhi_watch.act import copilot
from nhi_watch.act.copilot import Endpoint, mask
from nhi_watch.act.response import plan
from nhi_watch.core.status import unusual_calls
from nhi_watch.detect import model
from nhi_watch.detect.explain import brief
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant
from test_brief import falsehoods

PAGE = ROOT / "docs" / "method" / "brief_measured.md"
SEEDS = (621, 622, 623, 624, 625)
OURS = {"100"}
"""Numbers of the brief's own words: "of 100"."""
_NUMBER = re.compile(r"(?<![\w⟨+])\d[\d.,:TZ-]*\d(?:Z\b)?|(?<![\w⟨+])\d\b")
_CITED = re.compile(r"\[((?:notable|record|signal|step):[^\[\]]+)\]$")


class Told(NamedTuple):
    """One incident's notable, the plan for it, and its brief."""

    incident: str
    document: dict[str, Any]
    plan: dict[str, Any]
    facts: list[brief.BriefFact]

    @property
    def text(self) -> str:
        """As people read it."""
        return brief.render(self.facts)


def incidents(seed: int, days: int = 16, machines: int = 60, campaigns: int = 40) -> Iterator[Told]:
    """The notable of each incident of a simulated tenant that has one, whatever its rank."""
    going = Going(MemoryStore(), [cloudtrail], Options(1_000.0))
    labels: list[dict[str, Any]] = []
    for day in Tenant(Spec(days=days, machines=machines, seed=seed, campaigns=campaigns)).days():
        labels += day.incidents
        going.feed(day.records)
    result = going.finish()
    standing = [*result.standing, *result.below]
    for label in labels:
        mine = {*label["record_ids"]}
        matches = next((n for n in standing if mine & {*n["record_ids"]}), None)
        if matches is not None:
            yield told(f"{seed}/{label['id']}", matches)


def told(name: str, document: Any) -> Told:
    """The brief of a notable with the steps of the shipped policy."""
    members = plan.members_of(document)
    keys = [o["value"] for d in document["usual"]["dimensions"] if d["name"] == "credential" for o in d["observed"]]
    subjects = plan.Subjects({str(members[0]["id"]): keys})
    built = plan.draft(document, plan.load(), subjects, plan.Breaks((), ()), 1_772_323_200)
    return Told(name, document, built, brief.facts(document, plan.facts(built)))


def untraceable(item: Told) -> list[str]:
    """Numbers, times and ids of a brief that neither the notable nor the plan holds."""
    pending = json.dumps([item.document, item.plan], ensure_ascii=False)
    numbers = {*_numbers(pending), *OURS, *_counts(item.document)}
    missing = [number for number in _numbers(_uncited(item.text)) if number not in numbers]
    return missing + [cite for cite in _citations(item.text) if not _exists(cite, item)]


def _numbers(text: str) -> set[str]:
    """Numbers as they are said: 91.0 and 91 are one."""
    numbers = {match.group().rstrip(".,:-") for match in _NUMBER.finditer(text)}
    return {re.sub(r"(?<=\d)\.0+$", "", item) for item in numbers}


def _counts(document: Any) -> set[str]:
    """What the brief counts: members, signals that cannot tell, and types of unusual calls, with those it shows."""
    types = {(entry["action"], entry["outcome"], entry["source"]) for entry in unusual_calls(document)[0]}
    return {
        str(len(document["members"])),
        str(sum(s["cannot_tell"] for s in document["signals"])),
        str(len(types)),
        str(min(len(types), brief.STEPS)),
    }


def _uncited(text: str) -> str:
    return "\n".join(_CITED.sub("", line) for line in text.splitlines())


def _citations(text: str) -> list[str]:
    matches = (_CITED.search(line) for line in text.splitlines())
    return [cite for match in matches if match for cite in match[1].split(", ")]


def _exists(cite: str, item: Told) -> bool:
    kind, _, name = cite.partition(":")
    document = item.document
    known = {
        "notable": {document["id"]},
        "signal": {s["id"] for s in document["signals"]},
        "step": {str(step["n"]) for step in item.plan["steps"]},
        "record": {
            *document["record_ids"],
            *(e["record_id"] for e in document["timeline"]),
            *(r for s in document["signals"] for r in s["record_ids"]),
            *(r for link in document["links"] for r in link["record_ids"]),
        },
    }
    return name in known[kind]


class Sum(NamedTuple):
    """Of all briefs."""

    incidents: int
    sentences: int
    cited: int
    """Sentences that end with a citation."""
    claims: int
    """Numbers, times and ids that were looked up."""
    untraceable: int
    planted: int
    through: int
    """Planted falsehoods that were not refused."""
    answered: int
    held: int
    copied: int
    """Of an endpoint that repeats the facts: sentences that hold, of `sentences_sent`."""
    sent: int


def measure(asked: Sequence[Told]) -> Sum:
    """Everything that the page says."""
    texts = [item.text for item in asked]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("- ")]
    claims = sum(len(_numbers(_uncited(text))) + len(_citations(text)) for text in texts)
    planted = [
        (line, masked)
        for item in asked
        for masked in [mask(item.facts)]
        for group in falsehoods(masked).values()
        for line in group
    ]
    through = sum(not copilot.check(line, masked).why for line, masked in planted)
    worded, copied = _asked(asked, plain), _asked(asked, copying)
    return Sum(
        len(asked),
        len(lines),
        sum(bool(_CITED.search(line)) for line in lines),
        claims,
        sum(len(untraceable(item)) for item in asked),
        len(planted),
        through,
        sum(w.answered for w in worded),
        sum(w.held for w in worded),
        sum(w.held for w in copied),
        sum(w.answered for w in copied),
    )


def _asked(asked: Sequence[Told], speaker: Any) -> list[copilot.WrittenBrief]:
    with endpoint(speaker) as (url, _):
        return [copilot.write(item.facts, Endpoint(url, "m")) for item in asked]


def page(s: Sum, seeds: Sequence[int]) -> str:
    """The figures as Markdown."""
    rows = (
        ("sentences with their proof", s.cited, s.sentences, ""),
        ("numbers, times and ids that stand in the notable or the plan", s.claims - s.untraceable, s.claims, ""),
        ("planted falsehoods that the verifier refused", s.planted - s.through, s.planted, ""),
        ("sentences that survive, of an endpoint that rephrases them", s.held, s.answered, _share(s.held, s.answered)),
        ("sentences that survive, of an endpoint that repeats them", s.copied, s.sent, _share(s.copied, s.sent)),
    )
    table = "\n".join(f"| {what} | {counted:,}{share} | {of:,} |" for what, counted, of, share in rows)
    return f"""# Briefs, measured

For anyone who asks what a language model may add. Written by `python tests/brief_measured.py`.

{s.incidents} incidents of {len(seeds)} simulated tenants (seeds {seeds[0]} to {seeds[-1]}, 16 days, 60 machines,
40 campaigns each), each with a notable that holds records of it; model `{model.load().id}`.

| what | counted | of |
|---|---|---|
{table}

Values are traced in the JSON of the notable and of the plan, not by the code that writes a brief. Falsehoods of twenty
kinds are planted in every sentence (values changed, negations, another's proof, an all-clear, markup). The endpoint
that rephrases imitates a language model (`tests/llm_double.py`). The template replaces what does not survive.
"""


def _share(part: int, total: int) -> str:
    return f" ({part / total:.0%})"


if __name__ == "__main__":
    _, mark, real = PAGE.read_text("utf-8").partition(BEGIN)  # what a real model did is measured by itself
    fresh = page(measure([incident for seed in SEEDS for incident in incidents(seed)]), SEEDS)
    PAGE.write_text(f"{fresh}\n{mark}{real}" if mark else fresh, "utf-8")
