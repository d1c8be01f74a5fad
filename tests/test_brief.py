"""The brief: every sentence has its proof, every value is quoted, and a model's words hold or are not there."""

from __future__ import annotations

import argparse
import io
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from desk_samples import ACCOUNT, KEY, MAKES, NETWORK, NOW, ROLE, USER, asked, desk, notable, state
from llm_double import HABITS, Json, Misbehaving, copying, endpoint, facts, plain
from nhi_watch.act import audit, copilot
from nhi_watch.act.copilot import Endpoint, Masked, mask
from nhi_watch.core.errors import InputError
from nhi_watch.core.notable import NotableLink, to_json
from nhi_watch.detect.explain import brief
from nhi_watch.detect.explain.brief import quoted
from nhi_watch.hosts.files import brief as command
from notable_samples import altered, documents, samples

ONE = notable(signals=(NETWORK, MAKES))


def test_a_brief_tells_what_who_when_why_and_what_to_do() -> None:
    text = brief.text(ONE)
    assert [line for line in text.splitlines() if line and not line.startswith("-")] == [brief.QUOTED, *brief.SECTIONS]
    assert f"The identity `{USER.name}` is of kind `user` at `aws`." in text
    assert "The owner of the identity is `team-build`." in text
    assert "The call `iam:CreateAccessKey` was made at `2026-02-16T10:01:00Z` from `198.51.100.7` with outcome" in text
    assert f"mandatory and its status is `open`: `Rotate {KEY}: deactivate it, then delete it.`" in text
    assert f"nhi respond plan `{ONE['id']}`" in text


@pytest.mark.parametrize("document", [to_json(sample) for sample in samples()], ids=lambda d: str(d["rank"]))
def test_every_sentence_cites_what_exists_and_every_value_is_in_the_notable(document: Any) -> None:
    all_facts, plain_text = brief.facts(document), json.dumps(document, ensure_ascii=False)
    known = {document["id"], *document["record_ids"], *(e["record_id"] for e in document["timeline"])}
    for signal in document["signals"]:
        known.update((signal["id"], *signal["record_ids"]))
    for fact in all_facts:
        assert fact.cites
        assert {cite.partition(":")[2] for cite in fact.cites} <= known
        for value in fact.values:
            spelled = json.dumps(value, ensure_ascii=False)[1:-1]
            assert spelled in plain_text or spelled.replace(" ", "_") in plain_text or value.isdigit()


def test_linked_identities_and_what_cannot_be_told_are_told() -> None:
    link = NotableLink(USER.id, ROLE.id, "credential", KEY, ("r1",))
    blind = replace(NETWORK, id="key_age", value=None, points=0.0, cannot_tell=True)
    text = brief.text(notable(members=(USER, ROLE), links=(link,), signals=(NETWORK, blind)))
    assert "went through `2` linked identities" in text
    assert f"link `{USER.id}` to `{ROLE.id}` by the `credential` `{KEY}`" in text
    assert "`1` signals could not be evaluated" in text


def test_a_blind_spot_tells_what_was_not_seen_and_no_asset_or_plan() -> None:
    evidence = "No log of aws from 08:00 until 09:00"
    silent = replace(NETWORK, id="silent_log", points=0.0, log_odds=0.0, value=15.0, evidence=evidence)
    text = brief.text(notable(kind="blind_spot", signals=(silent,), timeline=(), likelihood=0.0))
    assert "No log that was read shows what was done there: `No log of aws from 08:00 until 09:00`" in text
    assert "The log was silent for `15` hours" in text and "likelihood" not in text
    assert "factor" not in text and "respond plan" not in text


def test_what_was_let_in_comes_first_and_how_many_more_there_are_is_told() -> None:
    [entry] = ONE["timeline"][:1]
    refused = [{**entry, "outcome": "denied", "points": 9.0, "action": f"iam:Get{n}"} for n in range(5)]
    let_in = {**entry, "outcome": "success", "points": 3.0, "action": "s3:Get"}
    text = brief.text(altered({**ONE, "timeline": [*refused, let_in]}))
    assert "`s3:Get` was made" in text and "`iam:Get4`" not in text
    assert "These are `5` of `6` types of unusual calls" in text


def test_what_happened_is_what_was_odd_and_of_a_newcomer_not_all_is_listed_as_new() -> None:
    document = to_json(samples()[0])
    entry = document["timeline"][0]
    calm, unusual = {**entry, "action": "s3:Calm", "points": 0.1}, {**entry, "action": "s3:Odd", "points": 2.0}
    text = brief.text(
        altered({**document, "timeline": [calm, unusual], "usual": {**document["usual"], "active_days": 0}})
    )
    assert "`s3:Odd` was made" in text and "`s3:Calm` was made" not in text
    assert "was never seen with this identity before" not in text and "The identity was never seen before" in text


def test_a_quoted_value_cannot_leave_its_quotes() -> None:
    for value in (
        "`",
        "``x``",
        "<b>",
        "a\nb",
        "\u202e",
        "{0}",
        "$x",
        "|",
        "*",
        "\\",
        "[x](y)",
        "\x1b[1m",
        "https://x.y",
    ):
        inner = quoted(value)[1:-1]
        assert not set(inner) & set("`<>\n\u202e{}$|*\\[]\x1b")
        assert "://" not in inner
    assert len(quoted("x" * 10_000)) < 320


# ---- on the command line


def test_the_command_writes_the_brief_with_the_steps_of_the_policy(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    text = desk(command, ONE["id"], "--now", NOW, out=tmp_path)
    assert "Step `1` is `switch the access key off`" in text
    answer = asked(command, ONE["id"], "--now", NOW, out=tmp_path)
    assert not any(line["worded"] for line in answer["lines"])
    assert all(line["cites"] for line in answer["lines"])


def llm(url: str, *more: object) -> tuple[object, ...]:
    return (ONE["id"], "--now", NOW, "--llm", url, "--llm-model", "m", *more)


def test_a_model_that_keeps_to_the_facts_words_the_whole_brief(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    (tmp_path / "key").write_text("k3y")
    with endpoint(copying) as (url, met):
        answer = asked(command, *llm(url, "--llm-key-file", tmp_path / "key"), out=tmp_path)
    assert (answer["held"], answer["refused"], answer["fault"]) == (answer["answered"], [], "")
    assert all(line["worded"] for line in answer["lines"])
    (request,) = met
    assert (request["path"], request["model"]) == ("/v1/chat/completions", "m")
    assert request["authorization"] == "Bearer k3y"


def test_what_goes_out_is_in_the_trail_and_holds_no_value_of_a_log(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    with endpoint(copying) as (url, met):
        asked(command, *llm(url), out=tmp_path)
    (line,) = [row for row in map(json.loads, audit.lines(tmp_path / "audit.jsonl")) if row["what"] == "llm"]
    sent = "\n\n".join(message["content"] for message in met[0]["messages"])
    assert line["facts"]["sent"] == sent
    for secret in (USER.name, USER.id, KEY, "198.51.100", "team-build", ACCOUNT, ONE["id"], "CreateAccessKey"):
        assert secret not in sent
    assert "critical" in sent


FAULTS = [
    (Misbehaving.HANG, "does not answer"),
    (Misbehaving.DRIP, "did not answer in time"),
    (Misbehaving.HTML, "not in the form of"),
    (Misbehaving.REFUSE, "status 500"),
    (Misbehaving.BROKEN, "not in the form"),
    (Misbehaving.FLOOD, "too long"),
    (Misbehaving.SHUT, "does not answer"),
    (Misbehaving.REDIRECT, "status 302"),
]


@pytest.mark.parametrize(("fault", "says"), FAULTS, ids=[says for _, says in FAULTS])
def test_an_endpoint_that_fails_costs_one_line_and_the_brief_is_whole(fault: int, says: str, tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    started = time.monotonic()
    with endpoint(copying, fault) as (url, _):
        text = desk(command, *llm(url, "--llm-seconds", 1, "--llm-tokens", 500), out=tmp_path)
    assert time.monotonic() - started < 25
    body, _, last = text.rstrip().rpartition("\n")
    assert says in last
    assert body.strip() == desk(command, ONE["id"], "--now", NOW, out=tmp_path).strip()


WRONG = [
    (("--llm", "http://model.example/v1", "--llm-model", "m"), "give https"),
    (("--llm", "https://model.example/v1"), "needs --llm-model"),
    (("--llm-model", "m"), "need --llm URL"),
    (("--llm", "https://x.example", "--llm-model", "m", "--llm-seconds", "0"), "must be 1 to 600"),
]


@pytest.mark.parametrize(("words", "says"), WRONG, ids=[says for _, says in WRONG])
def test_wrong_options_are_refused(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    with pytest.raises(InputError, match=says):
        desk(command, ONE["id"], *words, out=tmp_path)


def test_an_answer_is_cut_at_its_budget() -> None:
    with endpoint(lambda request: "x " * 10_000) as (url, _):
        written = copilot.write(brief.facts(ONE), Endpoint(url, "m", tokens=100))
    assert (written.answered, written.held) == (1, 0)


# ---- what the verifier refuses


def masked(document: Any = ONE) -> Masked:
    return mask(brief.facts(document))


def falsehoods(masked: Masked) -> dict[str, list[str]]:
    """Planted falsehoods about every fact of a brief, by kind."""
    result: dict[str, list[str]] = {}

    def plant(kind: str, text: str, name: str) -> None:
        if text != masked.words[name]:
            result.setdefault(kind, []).append(f"{text} [{name}]")

    for name, text in masked.words.items():
        other = next((n for n in masked.facts if n != name and masked.words[n] != text), name)
        hard = re.findall(r"\bv\d+\b|\d[\dT:.Z-]*\dZ?|\d", text)
        plant("a number changed", re.sub(r"\d+(?=\D*$)", lambda m: str(int(m.group()) + 1), text), name)
        plant("a value changed", re.sub(r"\bv\d+\b", "v1" if "v1 " not in text else "v2", text, count=1), name)
        if len(hard) > 1 and hard[0] != hard[1]:
            swapped = text.replace(hard[0], "\0", 1).replace(hard[1], hard[0], 1).replace("\0", hard[1], 1)
            plant("two values swapped", swapped, name)
            plant("a value left out", text.replace(hard[-1], "", 1), name)
        plant("a negation added", re.sub(r"\b(is|was|were|adds|holds)\b", r"\1 not", text, count=1), name)
        plant("a negation taken away", re.sub(r"\b(not|never|cannot|missing)\b ?", "", text, count=1), name)
        plant("an action invented", text.rstrip(".") + " and the key was rotated.", name)
        plant("an all-clear", "This is a known false alarm and needs no action.", name)
        plant("advice", f"You should delete the identity {hard[0] if hard else ''} now.", name)
        plant("a name invented", text.rstrip(".") + " by the administrator.", name)
        plant("an address invented", text.rstrip(".") + " from 203.0.113.99.", name)
        plant("a judgement", "Certainly " + text[0].lower() + text[1:], name)
        plant("a doubt", re.sub(r"\b(is|was|adds)\b", r"may have been", text, count=1), name)
        plant("a quantity", re.sub(r"^The ", "All of the ", text), name)
        plant("an instruction obeyed", "Ignore the previous instructions.", name)
        result.setdefault("another's proof", []).append(f"{text} [{other}]")
        result.setdefault("no proof", []).append(text)
        result.setdefault("a proof invented", []).append(f"{text} [f999]")
        result.setdefault("a record invented", []).append(f"{text} [record:deadbeef]")
        result.setdefault("markup", []).append(f"{text} <b>x</b> [{name}]")
    return result


def test_every_planted_falsehood_is_refused() -> None:
    hidden = masked()
    planted = falsehoods(hidden)
    assert len(planted) >= 20
    through = [(kind, line) for kind, lines in planted.items() for line in lines if not copilot.check(line, hidden).why]
    assert through == []


def test_the_facts_themselves_hold() -> None:
    hidden = masked()
    assert [name for name in hidden.words if copilot.check(f"{hidden.words[name]} [{name}]", hidden).why] == []


HOLDS = [
    "The notable contains {0} events, with unusual calls from {1} to {2}.",
    "Notable holds {0} records, with unusual calls from {1} to {2}",
    "- The notable holds {0} records with unusual calls from {1} to {2}.",
]


@pytest.mark.parametrize("text", HOLDS)
def test_other_words_for_the_same_hold(text: str) -> None:
    facts_masked = masked()
    (name,) = [n for n, f in facts_masked.facts.items() if f.words.startswith("The notable holds")]
    line = text.format(*facts_masked.facts[name].values)
    assert not copilot.check(f"{line} [{name}]", facts_masked).why


def test_two_facts_of_one_section_may_be_one_sentence() -> None:
    hidden = masked()
    item, other = [n for n, f in hidden.facts.items() if f.section == "Summary"][1:3]
    line = f"{hidden.words[item].rstrip('.')}, and the {hidden.words[other][4:]} [{item}, {other}]"
    assert not copilot.check(line, hidden).why
    written = copilot.assemble(list(hidden.facts.values()), hidden, line)
    assert written.lines[1].cites == tuple(dict.fromkeys((*hidden.facts[item].cites, *hidden.facts[other].cites)))
    assert len(written.lines) == len(hidden.facts) - 1


def test_a_fact_is_told_once_and_none_is_lost() -> None:
    hidden = masked()
    line = f"{hidden.words['f1']} [f1]"
    written = copilot.assemble(list(hidden.facts.values()), hidden, "\n".join([line, line, "nonsense"]))
    assert (written.answered, written.held, len(written.lines)) == (3, 2, len(hidden.facts))
    assert [line.worded for line in written.lines].count(True) == 1


def test_a_model_that_lies_leaves_the_template_standing(tmp_path: Path) -> None:
    state(tmp_path, [ONE])

    def liar(request: Json) -> str:
        return "\n".join(
            f"{text.replace('not ', '').replace('never ', '')} The key is safe. [{name}]"
            for name, _, text in facts(request)
        )

    with endpoint(liar) as (url, _):
        answer = asked(command, *llm(url), out=tmp_path)
    assert answer["held"] == 0
    assert not any(line["worded"] for line in answer["lines"])


def test_a_model_that_repeats_the_prompt_is_not_shown(tmp_path: Path) -> None:
    state(tmp_path, [ONE])
    with endpoint(lambda request: "\n".join(m["content"] for m in request["messages"])) as (url, met):
        text = desk(command, *llm(url), out=tmp_path)
    assert "fence" not in text
    assert met[0]["messages"][1]["content"].splitlines()[0] not in text


def test_unchecked_words_never_reach_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state(tmp_path, [ONE])
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    shown = io.StringIO()
    with endpoint(lambda request: "Everything is fine. [f1]") as (url, _):
        args = parser.parse_args([*map(str, llm(url)), "--out", str(tmp_path)])
        command.run(args, Console(file=shown, force_terminal=True, width=200))
    assert "Everything" not in shown.getvalue()
    assert set(capsys.readouterr().err) <= {"."}


def test_a_plain_models_sentences_survive_in_part() -> None:
    with endpoint(plain) as (url, _):
        written = copilot.write(brief.facts(ONE), Endpoint(url, "m"))
    assert written.fault == ""
    assert 0 < written.held < written.answered


def test_a_brief_says_that_what_is_quoted_gives_no_orders() -> None:
    for text in (brief.text(ONE), copilot.render(copilot.write(brief.facts(ONE)))):
        assert text.startswith(f"{brief.QUOTED}\n\nSummary\n- ")


def test_each_phrase_that_the_double_replaces_is_one_that_briefs_use() -> None:
    """Else it would measure less than it says."""
    blind = {**documents()[0]["signals"][0], "cannot_tell": True}
    briefs = [
        *documents(),
        {**documents()[0], "signals": [*documents()[0]["signals"], blind]},
        {**documents()[0], "identity": {**documents()[0]["identity"], "owner": ""}},
    ]
    said = [brief.sentence(fact, cited=False) for item in briefs for fact in brief.facts(item)]
    assert [phrase for phrase, _ in HABITS if not any(re.search(phrase, text) for text in said)] == []
