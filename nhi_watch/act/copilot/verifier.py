"""Whether a model's sentence says no more, and nothing else, than the facts that it cites.

A sentence is taken only if all of this holds; it is strict on purpose, because what fails is told by the template:

- it ends with the ids of facts that exist, of one section;
- it consists of words, placeholders, numbers, times and plain punctuation;
- its placeholders, numbers and times are those of the facts: all of them, in their order, and none else;
- every other word is a word of those facts, or one that means the same by a fixed table, in the facts' order;
- what follows a value directly still does; half of the facts' words are there;
- each word that turns a meaning round (not, never, cannot, missing …) is there just as often as in the facts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Optional

from nhi_watch.act.copilot.masking import Masked

LONGEST = 1_500
MOST_CITED = 2
_LINE = re.compile(r"(?:[-*•] |\d{1,2}[.)] )?(?P<text>[^\[\]]+?)\s*\[(?P<cites>f\d+(?:, ?f\d+)*)\][.]?", re.ASCII)
_TOKEN = re.compile(
    r"(?P<hard>v\d+\b|\d[0-9TZ:.-]*[0-9Z]|\d)|(?P<word>[A-Za-z]+(?:'[a-z]+)?)|(?P<mark>[ .,;:()\-–—])", re.ASCII
)
_FREE = frozenset({
    "the", "a", "an", "is", "are", "was", "were", "be", "been", "has", "have", "had", "its", "this", "that", "these",
    "which", "it", "and", "also", "there", "as",
})  # fmt: skip
"""Words that may come and go: they claim nothing."""
KEEP = frozenset({
    "not", "never", "no", "cannot", "can't", "isn't", "wasn't", "without", "missing", "none", "mandatory", "before",
    "only", "still", "may", "open", "if", "unless", "until", "except", "but",
})  # fmt: skip
"""Words without which, or with which, a sentence says something else."""
_GROUPS = (
    "seen observed noticed noted recorded", "call request invocation operation", "made issued performed executed",
    "record records event events", "time times", "identity principal", "known identified",
    "raises adds contributes gives", "likelihood", "mandatory required obligatory", "severity", "outcome result", "signal indicator",
    "notable alert incident", "holds contains comprises includes", "from", "with", "kind type", "rotate rotation",
    "secret credential", "reduce reduction", "privilege privileges permissions", "status state", "went passed moved",
    "link links connect connects tie ties", "linked connected", "telemetry data", "factor", "step", "needs requires",
    "approval approvals", "allowed permitted", "drafts proposes", "once", "cannot can't", "tell say",
    "before previously",
)  # fmt: skip
SAME = {word: group.split()[0] for group in _GROUPS for word in group.split()}
"""Word → the word that stands for all that mean the same."""


class Checked(NamedTuple):
    """What became of one line."""

    text: str
    """Without the citation; "" when it was refused."""
    cites: tuple[str, ...]
    why: str
    """Why it was refused; "" when it holds."""


class _Token(NamedTuple):
    text: str
    hard: bool


def check(line: str, masked: Masked) -> Checked:
    """One line of a model's answer against the facts that it cites."""
    found = _LINE.fullmatch(line.strip()) if len(line) <= LONGEST else None
    if found is None:
        return Checked("", (), "does not end with the ids of facts")
    cites = tuple(re.split(r", ?", found["cites"]))
    why = _cited(cites, masked) or _said(found["text"], cites, masked)
    return Checked("" if why else found["text"], cites, why)


def _cited(cites: Sequence[str], masked: Masked) -> str:
    if any(name not in masked.facts for name in cites):
        return "cites what does not exist"
    if len(cites) > MOST_CITED or len(set(cites)) < len(cites):
        return "cites too much"
    if len({masked.facts[name].section for name in cites}) > 1:
        return "mixes sections"
    return ""


def _said(text: str, cites: Sequence[str], masked: Masked) -> str:
    told = _tokens(text)
    if told is None:
        return "has characters that no sentence needs"
    facts = [token for name in cites for token in _tokens(masked.words[name]) or ()]
    if [t.text for t in told if t.hard] != [t.text for t in facts if t.hard]:
        return "has other values, or in another order, than the facts"
    if _kept(told) != _kept(facts):
        return "turns a meaning round"
    return _worded([t for t in told if _counts(t)], [t for t in facts if _counts(t)])


def _tokens(text: str) -> Optional[list[_Token]]:
    """The tokens of a text; None where something else is in it."""
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        at = found.end()
        if found["hard"]:
            tokens.append(_Token(found["hard"].rstrip("."), True))
        elif found["word"]:
            word = found["word"].lower()
            tokens.append(_Token(SAME.get(word, word), False))
    return tokens


def _kept(tokens: Sequence[_Token]) -> Counter[str]:
    return Counter(t.text for t in tokens if t.text in KEEP)


def _counts(token: _Token) -> bool:
    return token.hard or token.text not in _FREE


def _worded(told: Sequence[_Token], facts: Sequence[_Token]) -> str:
    """Whether the words are the facts' words in the facts' order."""
    at, used = 0, []
    for token in told:
        while at < len(facts) and facts[at] != token:
            at += 1
        if at == len(facts):
            return f"says {token.text!r}, which the facts do not say there"[:80]
        used.append(at)
        at += 1
    for place, after in zip(used, used[1:]):
        if facts[place].hard and not facts[after].hard and after != place + 1:
            return "puts a value before another word"
    words = sum(not t.hard for t in facts)
    if 2 * sum(not t.hard for t in told) < words:
        return "leaves out too much"
    return ""
