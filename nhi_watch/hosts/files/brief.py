"""`nhi brief`: a notable in sentences, each with the records or signals that prove it."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from rich.console import Console

from nhi_watch.core.errors import InputError
from nhi_watch.hosts.files import common, find
from nhi_watch.hosts.files.respond import Desk

if TYPE_CHECKING:
    from nhi_watch.act.copilot import Endpoint, WrittenBrief
    from nhi_watch.detect.explain.brief import BriefFact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi brief` takes."""
    parser.add_argument("id", metavar="ID", help=find.ABOUT)
    common.add_policy(parser)
    parser.add_argument("--llm", metavar="URL", help="let a language model word it: an OpenAI-compatible endpoint")
    parser.add_argument("--llm-model", metavar="NAME", help="the model's name at that endpoint")
    parser.add_argument("--llm-key-file", type=Path, metavar="FILE", help="file with the endpoint's key")
    parser.add_argument("--llm-seconds", type=float, default=60.0, metavar="N", help="total time limit (default: 60)")
    parser.add_argument("--llm-tokens", type=int, default=2000, metavar="N", help="limit of the answer (default: 2000)")
    common.add_trail(parser)
    common.add_state(parser, assets=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the brief.

    Raises:
        InputError: the notable, the policy or an option is wrong. An endpoint that fails is reported, and the brief is
            written without it.
    """
    from nhi_watch.act import copilot

    endpoint = _endpoint(args)
    with common.opened(args) as store:
        desk = Desk(args, store)
        written = copilot.write(_facts(desk), endpoint, lambda prompt: _note(desk, endpoint, prompt))
    if args.json:
        return common.answer(args, console, _plain(written))
    console.print(copilot.render(written), markup=False, soft_wrap=True, end="")
    if endpoint is not None:
        common.say(console, _remark(written))
    return 0


def _facts(desk: Desk) -> list[BriefFact]:
    from nhi_watch.act.response import plan
    from nhi_watch.detect.explain import brief

    draft = plan.draft(desk.notable, desk.policy, desk.subjects, plan.Breaks((), ()), desk.now)
    return brief.facts(desk.notable, plan.facts(draft))


def _endpoint(args: argparse.Namespace) -> Optional[Endpoint]:
    given = args.llm or args.llm_model or args.llm_key_file
    wrong = [
        (given and not args.llm, "--llm-model and --llm-key-file need --llm URL"),
        (args.llm and not args.llm_model, "--llm needs --llm-model: the model's name at that endpoint"),
        (not 1 <= args.llm_seconds <= 600, "--llm-seconds must be 1 to 600"),
        (not 1 <= args.llm_tokens <= 100_000, "--llm-tokens must be 1 to 100000"),
    ]
    if any(holds for holds, _ in wrong):
        raise InputError("; ".join(text for holds, text in wrong if holds))
    if not args.llm:
        return None
    from nhi_watch.act.copilot import Endpoint, address, token

    key = token(args.llm_key_file) if args.llm_key_file else ""
    return Endpoint(address(args.llm), args.llm_model, key, args.llm_seconds, args.llm_tokens)


def _note(desk: Desk, endpoint: Optional[Endpoint], prompt: str) -> None:
    """What goes out is in the trail, word for word, before it goes."""
    assert endpoint is not None
    facts = {
        "url": endpoint.url,
        "model": endpoint.model,
        "sha256": hashlib.sha256(prompt.encode()).hexdigest(),
        "sent": prompt,
    }
    desk.note("llm", facts)


def _plain(written: WrittenBrief) -> dict[str, Any]:
    from nhi_watch.detect.explain.brief import QUOTED

    lines = [{**line._asdict(), "cites": list(line.cites)} for line in written.lines]
    return {"quoted": QUOTED, **written._asdict(), "lines": lines, "refused": list(written.refused)}


def _remark(written: WrittenBrief) -> str:
    if written.fault:
        return f"Written by the template: {written.fault}."
    return f"Of {written.answered} sentences of the model are supported by the facts; the template words the rest."
