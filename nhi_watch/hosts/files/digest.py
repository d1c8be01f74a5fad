"""The morning digest: what is new, changed, back and resolved since a time; for `nhi list` and `nhi notify`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, cast

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.notable import SEVERITIES, order
from nhi_watch.core.status import RESOLVING, closed_by
from nhi_watch.core.timestamps import DAY, render
from nhi_watch.hosts.files import find
from nhi_watch.report import words
from nhi_watch.report.words import likely, named, short_severity, visible

if TYPE_CHECKING:
    from nhi_watch.detect.publish import Published
    from nhi_watch.state.store import Rows

Json = dict[str, Any]
PARTS = ("new", "changed", "back", "resolved")
RESOLVED = ("settled", "closed", "merged", "withdrawn")
"""Events of notables that left the list."""


DISPLACED = "no longer listed: what it shows now has no row; nhi list --all"


class Digest(NamedTuple):
    """What became of the list."""

    since: int
    parts: Mapping[str, list[NotableDocument]]
    """Each of PARTS → notables, the most severe first."""
    standing: int
    """How many are listed in all."""
    changes: Mapping[str, str]
    """Id of each that changed → what."""
    confirmed: Sequence[NotableDocument]
    """Those listed that people confirmed and work on, the most severe first: they are in none of `parts`."""

    @property
    def headline(self) -> str:
        """All of it in one line."""
        counts = ", ".join(f"{len(self.parts[name])} {name}" for name in PARTS)
        return f"{counts} since {words.clock(render(self.since))} UTC; {self.standing} listed in all{self._in_work}"

    @property
    def _in_work(self) -> str:
        return f", {len(self.confirmed)} of them confirmed" if self.confirmed else ""


def make(rows: Rows, since: Optional[int] = None) -> Digest:
    """The digest of a state; `since`: by the data's clock, and a day before the data's end unless given."""
    from nhi_watch.detect import changes, feedback, publish

    known = publish.latest(rows)
    first = max((published.at for published, _ in known), default=0) - DAY if since is None else since
    parts: dict[str, list[NotableDocument]] = {name: [] for name in PARTS}
    verdicts, standing = find.standing(rows, (item for _, item in known)), 0
    changed: dict[str, str] = {}
    in_work, confirmed = find.in_work(verdicts, (item for _, item in known)), list[NotableDocument]()
    for published, document in known:
        verdict = verdicts.get(document["id"])
        is_resolved = verdict is not None and verdict.verdict in RESOLVING and publish.is_shown(document)
        if is_resolved and verdict is not None:
            document = {**document, "closed_why": f"{feedback.named(verdict)}, from the next run on"}
        is_listed = publish.is_shown(document) and not is_resolved
        standing += is_listed
        name = "resolved" if is_resolved else _part(published, document, first)
        if name == "changed" and is_listed:
            changed[document["id"]] = changes.since_time(document, published.log, first)
        elif name == "changed":  # nobody resolved it, and it is in no list
            document = {**document, "closed_why": DISPLACED}
        if is_listed and document["id"] in in_work:
            confirmed.append(document)
        elif name:
            parts[name].append(_as_resolved(document) if name == "resolved" else document)
    ordered = {name: sorted(notables, key=order) for name, notables in parts.items()}
    return Digest(first, ordered, standing, changed, sorted(confirmed, key=order))


def _part(published: Published, document: NotableDocument, since: int) -> str:
    """The part to which a notable belongs; "": nothing has become of it since."""
    from nhi_watch.detect import publish

    if published.at <= since:  # the data of the run before this one ended then
        return ""
    if not publish.is_shown(document):
        is_over = document["life"] == "closed" or bool(document["merged_into"])
        return ("resolved" if is_over else "changed") if published.change in RESOLVED else ""
    listed, day = document["listed_on"] or document["created"][:10], render(since)[:10]
    if listed > day or (listed == day and document["life"] == "new"):
        return "back" if words.is_back(document) else "new"
    is_worth_it = published.escalated or document["kind"] == "compromise"  # an exposure grows with each use of its key
    return "changed" if published.change == "grown" and is_worth_it else ""


def _as_resolved(document: NotableDocument) -> NotableDocument:
    """What was resolved last of a notable: an earlier episode, which it shows once all are resolved, may be severer."""
    rows = [entry for entry in document["revisions"] if entry["severity"] != SEVERITIES[0]]
    if not rows or not document["closed_why"]:
        return document
    last = rows[-1]
    return {**document, "likelihood": last["likelihood"], "severity": last["severity"], "title": last["title"]}


def line(document: NotableDocument, short: str) -> str:
    """A notable of a digest."""
    sure = f"{likely(document['likelihood'])} {short_severity(document)}".strip()
    why = f" ({document['closed_why']})" if document["closed_why"] else ""
    return visible(f"{short}  {sure}: {named(document)}{why}", 400)


def lines(digest: Digest, short: Mapping[str, str]) -> list[str]:
    """A digest as it is printed."""
    text_lines = [digest.headline]
    for name in PARTS:
        # of what has a verdict, only the number is shown
        with_verdict = [item for item in digest.parts[name] if closed_by(item["closed_why"]) in RESOLVING]
        others = [item for item in digest.parts[name] if item not in with_verdict]
        if others or with_verdict:
            text_lines += ["", f"{name.capitalize()} ({len(digest.parts[name])})"]
            for item in others:
                text_lines += [f"  {line(item, short[item['id']])}", *_explained(digest, name, item)]
            text_lines += (
                [f"  {words.some(len(with_verdict), 'notable')} by verdicts: nhi feedback list"] if with_verdict else []
            )
    if digest.confirmed:
        text_lines += ["", f"{words.CONFIRMED} ({len(digest.confirmed)})"]
        for item in digest.confirmed:
            text = digest.changes.get(item["id"], "")
            text_lines.append(f"  {line(item, short[item['id']])}{f' ({visible(text, 200)})' if text else ''}")
    return text_lines


def _explained(digest: Digest, part: str, document: NotableDocument) -> list[str]:
    """What changed in a notable, or why it is back, on a line of its own."""
    text = digest.changes.get(document["id"], "") if part == "changed" else document["since"] * (part == "back")
    return [f"          {visible(text, 400)}"] if text else []


def plain(digest: Digest) -> Json:
    """A digest as JSON."""
    keys = ("id", "likelihood", "severity", "kind", "title", "since", "closed_why", "first_time", "last_time")
    shown = {**digest.parts, "confirmed": digest.confirmed}
    parts = {
        name: [
            {**{key: cast(Json, item)[key] for key in keys}, "changes": digest.changes.get(item["id"], "")}
            for item in notables
        ]
        for name, notables in shown.items()
    }
    return {"since": render(digest.since), "listed": digest.standing, **parts}
