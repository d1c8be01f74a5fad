"""Searches to copy: the records of a notable, and all else that its identity did, in the languages of four tools.

They look for plain words, whatever the log calls its fields: a record's own id, or what the log calls the identity.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from nhi_watch.core import timestamps
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.status import tells_calls, unusual_calls

Json = Mapping[str, Any]
_MOST = 20
"""Records that a search names: those with most points."""
_FILES = 20
"""Files that a search names."""
_MARGIN = 3600
"""Seconds before and after a notable in which its identity is looked at, too."""


def queries(notable: NotableDocument, events: Sequence[Json] = ()) -> list[tuple[str, dict[str, str]]]:
    """What is looked for → language → search. `events`: raw records behind it, which show what their log names.

    >>> one = {"identity": {"id": "aws:1:role:AROA1", "name": "arn:aws:iam::1:role/x"}, "record_ids": ["r-1"],
    ...        "first_time": "2026-03-09T02:12:00Z", "last_time": "2026-03-09T02:12:00Z"}
    >>> [(what, found["KQL"]) for what, found in queries(one)]  # doctest: +NORMALIZE_WHITESPACE
    [('the records behind it', '@timestamp >= "2026-03-09T01:12:00Z" and @timestamp <= "2026-03-09T03:12:00Z"
      and ("r-1")'),
     ('everything it did in that time', '@timestamp >= "2026-03-09T01:12:00Z" and @timestamp <= "2026-03-09T03:12:00Z"
      and ("AROA1")')]
    """
    first = timestamps.parse(notable["first_time"]) - _MARGIN
    last = timestamps.parse(notable["last_time"]) + _MARGIN
    text = "\n".join(str(event["raw"]) for event in events)
    files = list(dict.fromkeys(str(event["file"]) for event in events if event.get("file")))[:_FILES]
    ids = list(islice(filter(None, (_in(text, name) for name in notable["record_ids"])), _MOST))
    wanted = (("the records behind it", ids), ("everything it did in that time", _names(notable, text)))
    spans = max(first, 0), last
    return [(what, {**_spelled(words, *spans), "jq": _jq(words, files)}) for what, words in wanted if words]


def originals_of(notable: NotableDocument, most: int = 40) -> list[str]:
    """Ids of the records whose raw form is worth showing: first and last unusual call, odd behaviours, reasons."""
    heavy = sorted(notable["timeline"], key=lambda entry: -entry["points"])
    unusual = unusual_calls(notable)[0] if heavy and tells_calls(notable) else ()
    ids = [entry["record_id"] for entry in (*unusual[:1], *unusual[-1:], *heavy)]
    ids += [signal["record_ids"][0] for signal in notable["signals"] if signal["record_ids"]]
    return list(dict.fromkeys([*ids, *notable["record_ids"]]))[:most]


def _in(text: str, name: str) -> str:
    """As much of a record's id as its log has: some sources put a word of their own behind it."""
    return next((word for word in without_suffix(name) if not text or word in text), "")


def without_suffix(name: str) -> list[str]:
    """A record's id, and what is left of it without a word that its source put behind it.

    >>> without_suffix("r-1"), without_suffix("7f:response")
    (['r-1'], ['7f:response', '7f'])
    """
    return [word for word in (name, name.rpartition(":")[0]) if word]


def names(notable: NotableDocument) -> list[str]:
    """What logs may call the identity, the surest first."""
    identity = notable["identity"]
    names = [identity["id"].rpartition(":")[2], identity["name"], re.split(r"[/:]", identity["name"])[-1]]
    return [name for name in dict.fromkeys(names) if len(name) > 2]


def _names(notable: NotableDocument, text: str) -> list[str]:
    """What a log calls the identity: the first of its names that its records hold."""
    known = names(notable)
    return [next((name for name in known if name in text), known[0])] if known else []


def _spelled(words: Sequence[str], first: int, last: int) -> dict[str, str]:
    after, until = timestamps.render(first), timestamps.render(last)
    spelled = [quoted(word) for word in words]
    either = " OR ".join(spelled)
    return {
        "SPL": f"search index=* earliest={first} latest={last + 1} ({either}){_literally(words)} | sort 0 _time",
        "ES|QL": f'FROM logs-* METADATA _index, _id | WHERE @timestamp >= "{after}" AND @timestamp <= "{until}" '
        f"AND QSTR({quoted(either)}) | SORT @timestamp | LIMIT 1000",
        "KQL": f'@timestamp >= "{after}" and @timestamp <= "{until}" and ({" or ".join(spelled)})',
    }


def _literally(words: Sequence[str]) -> str:
    """SPL that keeps what holds one of the words as it stands: a search takes a star for a wildcard, quoted or not."""
    if not any("*" in word for word in words):
        return ""
    return " | where " + " OR ".join(f"mvcount(split(_raw, {quoted(_in_json(word))})) > 1" for word in words)


def _in_json(word: str) -> str:
    return quoted(word)[1:-1]


def _jq(words: Sequence[str], files: Sequence[str]) -> str:
    """For files, compressed or not; those that hold the records are named where they are known."""
    test = " or ".join(f"contains({quoted(_in_json(word))})" for word in words)
    return f"gzip -cdf -- {' '.join(map(_shell, files)) or 'FILE…'} | jq -c {_shell(_JQ % test)}"


_JQ = '(.Records? // .) | if type == "array" then .[] else . end | select(tojson | %s)'


def quoted(text: str) -> str:
    """A word as all of these languages quote it."""
    return json.dumps(text, ensure_ascii=False)


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
