"""A strict grammar of the commands and options that the app's searches use, from Splunk's Search Reference 9.4.

https://help.splunk.com/splunk-enterprise/spl-search-reference/9.4/search-commands: each command's Syntax there. What is
not in this table, or not written as there, is refused, also where Splunk would let it pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from splunk_conf import conf, stages
from splunk_eval import assignments, expression
from splunk_search import TIMES, matcher

BOOL = r"true|false|t|f|1|0"
INT = r"\d+"
NAME = r"[\w.:-]+"
TEXT = r'"(?:[^"\\]|\\.)*"|[^\s"]+'
_OPTION = re.compile(r'(\w+(?:\.\w+)?)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)\s*')
_TIME = re.compile(rf"(?<!\w)({'|'.join(TIMES)})=([^\s)]+)")
_MOMENT = re.compile(r"-?\d+[smhd](@[smhd])?|now|\d+|@[mhd]|\+\d+[smhd](@[smhd])?")
_CALL = r"(?:count|(?:count|dc|sum|min|max|values|list|avg|latest|earliest|first|last|perc\d+|median)\([\w.{}*]*\))"
_NAMED = rf"{_CALL}(?: AS (?:\w+|\"[^\"]+\"))?"
_AGGREGATES = re.compile(rf"\s*{_NAMED}(?:[\s,]+{_NAMED})*\s*")
_FIELDS = re.compile(r'(?:[\w.{}*]+|"[^"]+"|\'[^\']+\')(?:[\s,]+(?:[\w.{}*]+|"[^"]+"|\'[^\']+\'))*')


class RefusedError(AssertionError):
    """Splunk's reference does not have this."""


class Verb(NamedTuple):
    """A command: its options, and what checks the rest."""

    options: Mapping[str, str]
    rest: Callable[[str], None]
    generates: bool = False
    """May begin a search, behind a pipe."""
    only_first: bool = False


def _refuse(what: str) -> None:
    raise RefusedError(what)


def _shape(pattern: str) -> Callable[[str], None]:
    def check(rest: str) -> None:
        if not re.fullmatch(pattern, rest, re.DOTALL):
            _refuse(f"{rest!r} is not {pattern}")

    return check


def _aggregates(rest: str) -> None:
    functions, by, names = re.sub(r"\bby\b", "BY", rest).partition(" BY ")
    if not _AGGREGATES.fullmatch(functions):
        _refuse(f"no functions of stats: {functions!r}")
    if by and not _FIELDS.fullmatch(names.strip()):
        _refuse(f"BY needs fields: {names!r}")


def _tstats(rest: str) -> None:
    match = re.fullmatch(r"(.*?) where (.*) by (.+?)(?: span=\d+[smhd])?", rest)
    if not match:
        _refuse(f"tstats is written `function where … by … span=…`: {rest!r}")
    assert match
    if not _AGGREGATES.fullmatch(match[1]):
        _refuse(f"no functions of tstats: {match[1]!r}")
    _indexed(match[2])
    if not _FIELDS.fullmatch(match[3]):
        _refuse(f"by needs fields: {match[3]!r}")


def _indexed(condition: str) -> None:
    """tstats sees indexed fields only."""
    matcher(_TIME.sub("", condition))
    named = set(re.findall(r"([\w.]+)\s*(?:=|!=|\bIN\b)", re.sub(r'"[^"]*"', '""', _TIME.sub("", condition))))
    if not named <= {"index", "sourcetype", "source", "host", "_indextime", "_time"}:
        _refuse(f"tstats sees indexed fields only, not {sorted(named)}")


def condition(text: str) -> None:
    """The condition of a search; times bound the whole search, so they stand outside of parentheses."""
    for name, value in _TIME.findall(text):
        if not _MOMENT.fullmatch(value.strip('"')):
            _refuse(f"{name}={value} is no time")
    depth = 0
    for token in re.findall(rf'"(?:[^"\\]|\\.)*"|[()]|\b(?:{"|".join(TIMES)})=', text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth and token.rstrip("=") in TIMES:
            _refuse(f"{token} in parentheses: which window that gives is not documented")
    matcher(_TIME.sub("", text))


def _inner(rest: str) -> str:
    """What stands in the brackets of a subsearch or a subpipeline."""
    match = re.fullmatch(r"\[(.*)\]", rest.strip(), re.DOTALL)
    if not match:
        _refuse(f"a subsearch stands in brackets: {rest!r}")
    assert match
    return match[1].strip()


def _subpipe(rest: str) -> None:
    for stage in stages(_inner(rest)):
        _stage(stage)


_LOOKUP = _shape(r"[\w.-]+")
VERBS: dict[str, Verb] = {
    "search": Verb({}, condition),
    "where": Verb({}, lambda rest: void(expression(rest))),
    "eval": Verb({}, lambda rest: void(assignments(rest))),
    "fields": Verb({}, lambda rest: _shape(_FIELDS.pattern)(re.sub(r"^[+-]\s+", "", rest))),
    "table": Verb({}, _shape(_FIELDS.pattern)),
    "head": Verb({}, _shape(INT)),
    "mvexpand": Verb({}, _shape(r"\w+")),
    "dedup": Verb({}, _shape(_FIELDS.pattern)),
    "sort": Verb({}, _shape(rf"{INT}(?: [+-]? ?(?:\w+|(?:num|str|ip|auto)\(\w+\))(?:,\s*)?)+")),
    "rename": Verb({}, _shape(r'[\w.{}*"]+ AS (?:\w+|"[^"]+")(?:, ?[\w.{}*"]+ AS (?:\w+|"[^"]+"))*')),
    "fillnull": Verb({"value": TEXT}, _shape(rf"(?:{_FIELDS.pattern})?")),
    "stats": Verb({}, _aggregates),
    "timechart": Verb({}, lambda rest: _aggregates(re.sub(r"^span=\d+[smhd] ", "", rest))),
    "tstats": Verb({}, _tstats, generates=True, only_first=True),
    "makeresults": Verb({"count": INT}, _shape(""), True, True),
    "inputlookup": Verb({"append": BOOL}, lambda rest: _lookup_where(rest), generates=True),
    "outputlookup": Verb({"append": BOOL, "override_if_empty": BOOL, "key_field": NAME}, _LOOKUP),
    "collect": Verb({"index": NAME, "addinfo": BOOL, "source": TEXT, "sourcetype": TEXT}, _shape("")),
    "addinfo": Verb({}, _shape("")),
    "append": Verb({"maxtime": INT, "maxout": INT}, lambda rest: check(_inner(rest).removeprefix("search "))),
    "appendpipe": Verb({}, _subpipe),
}
_IN_REST = frozenset({"search", "where", "eval", "rename"})
"""Commands whose equals signs are no options."""


def void(_: object) -> None:
    """What was read is not needed."""


def _lookup_where(rest: str) -> None:
    name, _, text = rest.partition(" ")
    _LOOKUP(name)
    if text:
        word, _, asked = text.partition(" ")
        if word.upper() != "WHERE":
            _refuse(f"behind the lookup's name may stand where: {text!r}")
        condition(asked)


def check(text: str) -> None:
    """Refuse a search that the reference does not have; macros must be expanded, own commands are known by nhi….

    >>> check('index=a sourcetype="b" | where len(nhi_id) > 0 | collect index=c addinfo=false')
    >>> check("index=a | collect index=c adinfo=false")
    Traceback (most recent call last):
    splunk_grammar.RefusedError: collect has no option adinfo
    """
    begins_with_pipe = text.lstrip().startswith("|")
    first, *rest = stages(text)
    if not begins_with_pipe:
        condition(SPANS.sub("", first).removeprefix("search "))
    else:
        verb = first.split()[0]
        if verb not in OWN_GENERATING and not (verb in VERBS and VERBS[verb].generates):
            _refuse(f"{verb} begins no search")
        _stage(first)
    for stage in rest:
        verb = stage.split()[0]
        if verb in VERBS and VERBS[verb].only_first:
            _refuse(f"{verb} must be the first command")
        if verb == "inputlookup" and "append=true" not in stage:
            _refuse("inputlookup further on needs append=true")
        _stage(stage)


_SPAN = r"\(earliest=\S+ latest=[^\s)]+\)"
SPANS = re.compile(rf"\(({_SPAN}(?: OR {_SPAN})+)\)")
"""Several time ranges of one search; see SearchReference/SearchTimeModifiers."""
OWN_GENERATING = frozenset({"nhidemo", "nhisetup"})


def _stage(stage: str) -> None:
    verb, _, rest = stage.partition(" ")
    if verb in conf("commands.conf"):
        return  # its own parser refuses what it does not know: see test_splunk_conf
    if verb not in VERBS:
        _refuse(f"the grammar has no command {verb}")
    known, rest = VERBS[verb], rest.strip()
    if verb not in _IN_REST:
        rest = _options(verb, known.options, rest)
    known.rest(rest)


def _options(verb: str, known: Mapping[str, str], rest: str) -> str:
    while match := _OPTION.match(rest):
        name, value = match[1], match[2]
        if verb in ("tstats", "timechart") and name not in known:
            return rest
        if name not in known:
            _refuse(f"{verb} has no option {name}")
        if not re.fullmatch(known[name], value, re.DOTALL):
            _refuse(f"{verb}: {name}={value} is not {known[name]}")
        rest = rest[match.end() :]
    return rest
