"""A brief that a language model has worded, sentence by sentence where its words hold; the template everywhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Optional

from nhi_watch.act.copilot import verifier
from nhi_watch.act.copilot.masking import SYSTEM, Masked, mask, restore
from nhi_watch.detect.explain.brief import QUOTED, SECTIONS, Fact, sentence

if TYPE_CHECKING:
    from nhi_watch.act.copilot.client import Endpoint


class Line(NamedTuple):
    """One sentence of a brief."""

    section: str
    text: str
    cites: tuple[str, ...]
    worded: bool
    """By the model; else by the template."""


class Written(NamedTuple):
    """A brief and how it came about."""

    lines: tuple[Line, ...]
    answered: int
    """Lines of the model's answer."""
    held: int
    """Those of them that hold."""
    refused: tuple[str, ...]
    """Why the others do not."""
    fault: str
    """Why there was no answer; "" when there was one."""


def write(
    told: Sequence[Fact],
    endpoint: Optional[Endpoint] = None,
    on_sent: Callable[[str], None] = lambda prompt: None,
    on_text: Callable[[str], None] = lambda text: None,
) -> Written:
    """The brief of some facts. `on_sent` is given what goes to the endpoint, before it goes."""
    if endpoint is None:
        return Written(_template(told), 0, 0, (), "")
    from nhi_watch.act.copilot.client import EndpointError, ask  # here: most briefs ask nobody

    masked = mask(told)
    on_sent(f"{SYSTEM}\n\n{masked.prompt}")
    try:
        answer = ask(endpoint, SYSTEM, masked.prompt, on_text)
    except EndpointError as error:
        return Written(_template(told), 0, 0, (), str(error))
    return assemble(told, masked, answer)


def _template(told: Sequence[Fact]) -> tuple[Line, ...]:
    return tuple(_line(fact) for fact in _ordered(told))


def _ordered(told: Sequence[Fact]) -> list[Fact]:
    return sorted(told, key=lambda fact: SECTIONS.index(fact.section))


def _line(fact: Fact) -> Line:
    return Line(fact.section, sentence(fact, cited=False), fact.cites, False)


def assemble(told: Sequence[Fact], masked: Masked, answer: str) -> Written:
    """Each fact once: in the model's words where they hold, else in the template's."""
    checked = [verifier.check(line, masked) for line in answer.splitlines() if line.strip()]
    place: dict[int, Line] = {}
    spoken: set[int] = set()
    for one in checked:
        facts = [masked.facts[name] for name in one.cites] if not one.why else []
        if not facts or any(id(fact) in spoken for fact in facts):
            continue
        spoken.update(id(fact) for fact in facts)
        cites = tuple(dict.fromkeys(cite for fact in facts for cite in fact.cites))
        place[id(facts[0])] = Line(facts[0].section, _ended(restore(one.text, masked)), cites, True)
    shown = [fact for fact in _ordered(told) if id(fact) in place or id(fact) not in spoken]
    lines = [place.get(id(fact)) or _line(fact) for fact in shown]
    refused = tuple(one.why for one in checked if one.why)
    return Written(tuple(lines), len(checked), len(checked) - len(refused), refused, "")


def _ended(text: str) -> str:
    return text if text.endswith((".", "!")) else f"{text}."


def render(written: Written) -> str:
    """A brief as plain text that is Markdown too."""
    parts = []
    for section in SECTIONS:
        lines = [f"- {line.text} {_cited(line)}" for line in written.lines if line.section == section]
        if lines:
            parts.append("\n".join([section, *lines]))
    return "\n\n".join([QUOTED, *parts]) + "\n"


def _cited(line: Line) -> str:
    return sentence(Fact(line.section, "", (), line.cites)).strip()
