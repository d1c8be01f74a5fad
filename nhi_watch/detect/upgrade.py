"""States of versions before notables were folds of episodes: their notables carry over, with what was said of them.

Such a state keeps each notable as it stood at the end of each of its days. The last of them that is closed becomes the
episode of a case; of days that are still open the identities are scored again. What had ended can still be explained.
"""

from __future__ import annotations

from typing import Any, Optional, cast

from nhi_watch.core.timestamps import HOUR, parse
from nhi_watch.detect import blind_spots, publish
from nhi_watch.detect.cases import CASE, END, GAP, Case
from nhi_watch.detect.episodes import Document, head_of
from nhi_watch.detect.exposure import fast
from nhi_watch.detect.publish import CLOSED, PUB
from nhi_watch.state.state import State
from nhi_watch.state.store import pack, unpack

Row = tuple[str, Optional[bytes]]


def carry_over(state: State) -> None:
    """Make cases of the notables of an earlier version; a run that is cut off in it is simply run again."""
    rows, book = state.rows, state.daybook
    since = (book.days or [0])[-1] - GAP
    closed: dict[str, tuple[int, bytes]] = {}
    opened: dict[str, tuple[int, bytes]] = {}
    for key, raw in rows.scan("notable", "", ":"):
        (closed if book.is_closed(int(key[:6])) else opened)[key[7:]] = int(key[:6]), raw
    fresh: list[Row] = []
    for name in sorted({*closed, *opened}):
        day, raw = closed.get(name) or opened[name]
        latest = _complete(unpack((opened.get(name) or (day, raw))[1]))
        if latest["merged_into"]:
            continue
        episode = _complete(unpack(raw))
        head = head_of(episode, day, parse(episode["created"]) // HOUR)
        has_ended = name not in opened and (day < since or not head.is_row)
        latest = {**latest, "life": "closed"} if has_ended else latest
        row = pack([list(publish.published(latest, [head.id] if latest["listed"] else [])), latest])
        if has_ended:
            fresh += [(CLOSED + name, row), (f"{END}{day:06d}/{name}", b"1")]
            continue
        fresh.append((PUB + name, row))
        if name in closed and head.is_row:
            fresh += [(f"{day:06d}/{name}", pack(episode)), (CASE + name, pack(Case(head).to_row()))]
    rows.put("notable", fresh)
    for day in {day for day, _ in opened.values()}:
        documents = [unpack(raw) for of, raw in opened.values() if of == day]
        state.score_again(
            day, {who["id"] for document in documents for who in (document["identity"], *document["members"])}
        )
    rows.put("notable", [(f"{day:06d}/{name}", None) for name, (day, _) in opened.items()])
    publish.put(rows, [*fast.stored(rows), *blind_spots.stored(rows, since)])


def _complete(document: Any) -> Document:
    """A notable with what later versions say of it."""
    usual = document["usual"]
    dimensions = [
        {"identity": "", "active_days": usual["active_days"], **dimension} for dimension in usual["dimensions"]
    ]
    signals = [{"identity": "", **signal} for signal in document["signals"]]
    completed: Any = {"since": "", "predecessor": None, **document, "signals": signals}
    return cast(Document, {**completed, "usual": {**usual, "dimensions": dimensions}})
