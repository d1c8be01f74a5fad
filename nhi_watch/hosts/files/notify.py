"""`nhi notify`: people are notified of new or more severe notables, once each, by mail, chat, pager or webhook.

The library apprise speaks to the receivers. Row `sent/NOTABLE/RECEIVER` of the table `ledger` holds with what severity
it was sent, and when. It is written before anything is sent, so that no run sends again what another one sent
or was killed at; what a receiver refused, or who could not be reached, is taken back and tried by the next run. An
answer that never came counts as sent.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.errors import InputError, NhiError
from nhi_watch.core.notable import SEVERITIES, clip, short_ids
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.files import common, config, listing
from nhi_watch.report.words import likely, visible

if TYPE_CHECKING:
    from nhi_watch.hosts.files.config import Config, Notify
    from nhi_watch.hosts.files.listing import Row
    from nhi_watch.state.store import Rows

MOST = 20
"""Notables that a run sends one by one; of the rest it says how many they are."""
KEPT_DAYS = 400
"""Days after which it is forgotten that a notable, which is in no list any more, was sent."""
_SENT = "sent/"
_UNSURE = re.compile(r"read timed out|connection aborted|unexpectedly closed|connection reset", re.IGNORECASE)
"""What the library logs where a receiver may have taken a message and did not answer."""

Sent = dict[str, bytes]
"""Notable/receiver → index of the severity with which it was sent and the second, packed."""


class Message(NamedTuple):
    """What a receiver is sent about one notable, or about several that are too many to be sent one by one."""

    notables: tuple[str, ...]
    severity: str
    title: str
    body: str


class Delivery(NamedTuple):
    """What became of one receiver's messages."""

    receiver: str
    """As it may be shown: without secrets."""
    sent: int
    unsure: int
    """Without an answer: they count as sent."""
    failed: int
    why: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nhi notify` takes."""
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent, without sending it")
    parser.add_argument(
        "--digest", action="store_true", help="send one message: what is new, changed, back and resolved since a day"
    )
    parser.add_argument("--test", action="store_true", help="send each receiver a test message")
    common.add_state(parser, assets=False, now=False)


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell.

    Raises:
        InputError: no receivers are named, or one could not be reached.
    """
    asked = getattr(args, "config", config.NOTHING)
    if asked.notify is None:
        raise InputError(f"{asked.path or config.NAME}: notify: there are no receivers; see examples/{config.NAME}")
    _demand_apart(args, asked)
    receivers = _receivers(asked.notify)
    if args.digest:
        return _send_digest(args, console, asked.notify, receivers)
    if args.dry_run:
        with common.opened(args, read_only=True) as store:
            sent = _sent(store)
        rows = listing.with_verdicts(args, listing.rows(args.out))
        messages = dict.fromkeys(m for key, _ in receivers for m in _messages(rows, asked.notify, sent, key))
        lines = [f"{m.title}\n  {m.body}" for m in messages]
        return common.answer(args, console, [m._asdict() for m in messages], *(lines or [_NOTHING]))
    test = Message((), "informational", "nhi_watch: a test", "Notables will be sent here.")
    deliveries = [_send(receiver, [test])[0] for _, receiver in receivers] if args.test else tell(args, asked.notify)
    return _answer(args, console, deliveries)


def _demand_apart(args: argparse.Namespace, settings: Config) -> None:
    """Refuse receivers that were found among the logs that earlier runs read; here no logs are named.

    Raises:
        InputError: the folder of the settings held such a log.
    """
    from nhi_watch.hosts.files import originals
    from nhi_watch.state.sqlite import SqliteStore

    for folder in {args.out, common.state_of(args).parent}:  # the settings may name another state
        path = folder / originals.FILES
        if path.is_file():
            with closing(SqliteStore(path, read_only=True)) as store:
                config.demand_apart(settings, originals.Originals().know(store))


_NOTHING = "Nothing new to send."
_DIGEST = 30
"""Notables that a digest names."""


def _send_digest(
    args: argparse.Namespace, console: Console, asked: Notify, receivers: Sequence[tuple[str, Any]]
) -> int:
    """Send what is new, changed, back and resolved since a day before the data's end, each time it is asked for."""
    from nhi_watch.hosts.files import digest

    with common.opened(args, read_only=True) as store:
        contents = digest.make(store)
    notables = [(name, item) for name in digest.PARTS for item in contents.parts[name]]
    least, short = SEVERITIES.index(asked.min_severity), short_ids(item["id"] for _, item in notables)
    named = [pair for pair in notables if SEVERITIES.index(pair[1]["severity"]) >= least][:_DIGEST]
    lines = [_tame(f"{name}: {_headline(item)}; nhi explain {short[item['id']]}", 300) for name, item in named]
    more = len(notables) - len(named)
    lines += [f"and {more:,} more: nhi list --digest"] if more else []
    worst = max((SEVERITIES.index(item["severity"]) for name, item in named if name != "resolved"), default=0)
    message = Message((), SEVERITIES[worst], f"nhi_watch: {contents.headline}", "\n".join(lines) or "Nothing happened.")
    if args.dry_run:
        return common.answer(args, console, message._asdict(), f"{message.title}\n{message.body}")
    return _answer(args, console, [_send(receiver, [message])[0] for _, receiver in receivers])


def _answer(args: argparse.Namespace, console: Console, deliveries: Sequence[Delivery]) -> int:
    """Say what was sent.

    Raises:
        InputError: a receiver could not be reached.
    """
    common.answer(args, console, [item._asdict() for item in deliveries], *map(_line, deliveries))
    failed = [item for item in deliveries if item.failed]
    if failed:
        raise InputError(f"{len(failed)} of {len(deliveries)} receivers could not be reached; the next run tries again")
    return 0


def after_score(args: argparse.Namespace) -> None:
    """Tell what a run found, where the configuration says so; a failure is said, and stops nothing."""
    asked = getattr(args, "config", config.NOTHING)
    if asked.notify is None or not asked.notify.after_score or args.no_learn:
        return
    try:
        lines = [_line(delivery) for delivery in tell(args, asked.notify) if delivery.failed or delivery.unsure]
    except (NhiError, OSError) as error:
        lines = [f"nobody was notified: {error}"]
    common.warn(*lines)


def _line(delivery: Delivery) -> str:
    parts = [f"{delivery.sent} sent" if delivery.sent or not (delivery.failed or delivery.unsure) else ""]
    parts += [f"{delivery.unsure} sent without an answer, not sent again" if delivery.unsure else ""]
    parts += [f"{delivery.failed} not sent, the next run tries again: {delivery.why}" if delivery.failed else ""]
    return f"{delivery.receiver}: {'; '.join(filter(None, parts))}"


def tell(args: argparse.Namespace, asked: Notify) -> list[Delivery]:
    """Send each receiver what it was not sent yet.

    Raises:
        InputError: there are no results, or a receiver is not an address that apprise supports.
        StoreError: the state cannot be written: then nothing is sent.
    """
    from nhi_watch.state.store import pack, unpack

    deliveries = []
    for key, receiver in _receivers(asked):
        rows = {str(row["id"]): row for row in listing.with_verdicts(args, listing.rows(args.out))}
        with common.opened(args, own=True) as store:
            before, now = _sent(store), int(time.time())
            due = _messages(rows.values(), asked, before, key)
            put = {
                f"{name}/{key}": pack([SEVERITIES.index(rows[name]["severity"]), now])
                for message in due
                for name in message.notables
            }
            old = [
                name
                for name, raw in before.items()
                if name.partition("/")[0] not in rows and unpack(raw)[1] < now - KEPT_DAYS * DAY
            ]
            store.put("ledger", [(f"{_SENT}{name}", raw) for name, raw in {**put, **dict.fromkeys(old)}.items()])
        delivery, failed = _send(receiver, due)
        deliveries.append(delivery)
        if failed:
            names = [f"{name}/{key}" for message in failed for name in message.notables]
            with common.opened(args, own=True) as store:
                store.put("ledger", [(f"{_SENT}{name}", before.get(name)) for name in names])
    return deliveries


def _sent(store: Rows) -> Sent:
    """What each receiver was sent of a notable; earlier versions kept one row for all of its receivers."""
    from nhi_watch.state.store import pack, unpack

    sent: Sent = {}
    for key, raw in store.scan("ledger", _SENT, "sent0"):
        name = key[len(_SENT) :]
        each = {name: raw} if "/" in name else {f"{name}/{to}": pack(times) for to, times in unpack(raw).items()}
        sent.update(each)
    return sent


# ---- what is shown


def _messages(rows: Iterable[Row], asked: Notify, sent: Sent, key: str) -> list[Message]:
    """What one receiver is to be sent: what is listed, still active, and new to it or more severe than it was sent."""
    from nhi_watch.state.store import unpack

    every, least = list(rows), SEVERITIES.index(asked.min_severity)
    short = short_ids(row["id"] for row in every)
    due = []
    for row in every:
        name = f"{row['id']}/{key}"
        known = unpack(sent[name])[0] if name in sent else -1
        goes_on = listing.stands(row) and row["life"] in ("new", "ongoing") and row["kind"] != "posture"
        if goes_on and SEVERITIES.index(row["severity"]) >= max(least, known + 1):
            due.append((row, SEVERITIES[known] if known >= 0 else ""))
    messages = [_message(row, was, asked.detail, short[row["id"]]) for row, was in due[:MOST]]
    rest = [row for row, _ in due[MOST:]]
    if rest:
        title = f"nhi_watch: {len(rest):,} more notables of severity {asked.min_severity} and above"
        ids = tuple(row["id"] for row in rest)
        messages.append(Message(ids, rest[0]["severity"], title, "To list them: nhi list"))
    return messages


def _message(row: Row, was: str, detail: str, short: str) -> Message:
    """All that leaves the house: docs/notify.md spells it out."""
    grown = f"more severe than when it was sent ({was}), " if was else ""
    lines = [f"{grown}{row['kind']}, from {row['first_time']} to {row['last_time']}; nhi explain {short}"]
    if detail == "summary":
        who = row["identity"]
        lines.insert(0, row["summary"])
        lines.append(
            f"identity {who['name']} ({who['id']}), account {who['account'] or 'unknown'}, "
            f"owner {who['owner'] or 'unknown'}"
        )
    body = "\n".join(_tame(line, 1200) for line in lines)
    return Message((row["id"],), row["severity"], _tame(_headline(row), 200), body)


def _headline(row: NotableDocument) -> str:
    sure = f" {likely(row['likelihood'])}" if row["likelihood"] else ""
    return f"[{row['severity'].upper()}{sure}] {row['title']}"


def _tame(text: str, limit: int) -> str:
    """A text that mentions nobody and links nowhere, whatever a log has put into it.

    >>> _tame("<!channel> @everyone http://x.example svc@y.example", 99)
    '‹!channel› (at)everyone http[:]//x.example svc@y.example'
    """
    plain = visible(text, limit).replace("<", "‹").replace(">", "›").replace("://", "[:]//")
    return re.sub(r"(?<!\w)@(?=\w)", "(at)", plain)


# ---- sending


def _receivers(asked: Notify) -> list[tuple[str, Any]]:
    """Each receiver with the name under which the state knows it, which reveals no secret.

    Raises:
        InputError: the library is not installed, or does not know an address.
    """
    try:
        import apprise
    except ImportError as error:
        raise InputError("nhi notify needs the library apprise: pip install 'nhi_watch[notify]'") from error
    asset = apprise.AppriseAsset(app_id="nhi_watch", app_desc="nhi_watch", app_url="", secure_logging=True)
    receivers = []
    with _logged():
        for number, url in enumerate(asked.receivers, 1):
            receiver = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
            if receiver is None:
                scheme = url.partition(":")[0][:20]
                raise InputError(f"notify: receiver {number} ({scheme}:…) is not an address that apprise supports")
            receivers.append((hashlib.sha256(url.encode()).hexdigest()[:12], receiver))
    return receivers


def _send(receiver: Any, messages: Sequence[Message]) -> tuple[Delivery, list[Message]]:
    """Send messages in order, and give up at the first that fails; returns also those that are to be sent later."""
    shown, unsure = visible(receiver.url(privacy=True).partition("?")[0], 100), 0
    for number, message in enumerate(messages):
        kind = {"critical": "failure", "high": "warning"}.get(message.severity, "info")
        with _logged() as log:
            try:
                took = bool(
                    receiver.notify(title=message.title, body=message.body, notify_type=kind, body_format="text")
                )
            except (TypeError, ValueError, OSError) as error:
                took = False
                log.append(f"{type(error).__name__}: {error}")
        if not took and _UNSURE.search("\n".join(log)):
            unsure += 1
        elif not took:
            why = clip(" ".join(log[:1]) or "no reason was given", 200)
            return Delivery(shown, number - unsure, unsure, len(messages) - number, why), list(messages[number:])
    return Delivery(shown, len(messages) - unsure, unsure, 0, ""), []


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What the library logs meanwhile, instead of printing it."""
    log, logged = logging.getLogger("apprise"), list[str]()

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING or "xception" in record.getMessage():
                logged.append(record.getMessage())

    handler, level, up = Kept(), log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    try:
        yield logged
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = up
