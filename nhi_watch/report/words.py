"""Words for people: log values made harmless to look at, and short names, times and amounts."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from nhi_watch.context import frameworks
from nhi_watch.core import timestamps
from nhi_watch.core.documents import ControlDocument, IdentityDocument, NotableDocument
from nhi_watch.core.notable import BANDS, IMPACTS, LET_IN, clip, risk_of
from nhi_watch.core.status import BACK, INSTEAD, LITTLE, is_new, is_resolved, is_waiting, tells_calls, unusual_calls
from nhi_watch.core.timestamps import parse
from nhi_watch.detect import casework
from nhi_watch.detect.model import SUREST

# Characters that move, hide or recolour text: controls, bidi and other format characters, separators of
# lines, surrogates, private use and unassigned ones. words.js has the same.
_HIDING = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
_EMPTY = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters, marks and signs of which nothing is seen: with one of them a name looks like another."""
_STACK = 4
"""Marks above or below a letter, as any script has them; more of them cover the lines around it."""
_PLAIN = re.compile(r"[ -~]*")
_ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)", re.DOTALL)

KINDS = {"compromise": "Compromise", "exposure": "Exposure", "posture": "Posture", "blind_spot": "Blind spot"}


def visible(text: str, limit: int = 2000) -> str:
    """The text on one line, at most `limit` characters, with every character that hides written out.

    >>> visible("invoice\\u202egpj.exe\\x1b[31m")
    'invoice⟨U+202E⟩gpj.exe⟨U+001B⟩[31m'
    """
    text = clip(text, limit)
    if _PLAIN.fullmatch(text):
        return text
    shown, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category.startswith("M") else 0
        hides = category in _HIDING or marks > _STACK or _EMPTY.match(char)
        shown.append(_shown(char) if hides else char)
    return "".join(shown)


def _shown(char: str) -> str:
    return " " if char in "\t\n" else f"⟨U+{ord(char):04X}⟩"


def short_name(identity: IdentityDocument) -> str:
    """What people call the identity, without an ARN's first five parts.

    >>> short_name({"id": "aws:1:role:x", "name": "arn:aws:iam::1:role/x"})
    'role/x'
    """
    return bare_name(str(identity["name"] or identity["id"]))


def bare_name(name: str) -> str:
    """A name without an ARN's first five parts."""
    match = _ARN.fullmatch(name)
    return match.group(1) if match else name


def named(notable: NotableDocument) -> str:
    """The title, after the kind where that is not a compromise and the title does not say it."""
    kind, title = KINDS[notable["kind"]], str(notable["title"])
    return title if notable["kind"] == "compromise" or title.startswith(kind) else f"{kind}: {title}"


def short_severity(notable: NotableDocument) -> str:
    """The severity, as narrow columns have it."""
    return str(notable["severity"]).replace("informational", "info")


def spoken(name: str) -> str:
    """An id of ours as words.

    >>> spoken("secret_reading"), spoken("console_mfa")
    ('Secret reading', 'Console MFA')
    """
    words = " ".join(word.upper() if word in _SHORT else word for word in name.split("_"))
    return words[:1].upper() + words[1:]


_SHORT = frozenset({"api", "arn", "iam", "ip", "kms", "mfa", "oidc", "sts"})


def signed(points: float) -> str:
    """Points with their sign, two decimals, a true minus.

    >>> signed(1.234), signed(-0.5), signed(0)
    ('+1.23', '\u22120.50', '0.00')
    """
    if not points:
        return "0.00"
    return f"{points:+.2f}".replace("-", "\u2212")


def likely(likelihood: float) -> str:
    """A likelihood as people read it; nothing where no intrusion is claimed.

    A decimal is shown where the whole number would hide on which side of a line it is.

    >>> likely(86.5), likely(5.8), likely(6.0), likely(0.0)
    ('87%', '5.8%', '6%', '')
    """
    percent = int(likelihood + 0.5)
    shown = f"{likelihood:.1f}" if percent != likelihood and percent in _LINES else str(percent)
    return f"{shown.removesuffix('.0')}%" if likelihood else ""


_LINES = frozenset(low for low, _ in BANDS)


def all_refused(notable: NotableDocument) -> bool:
    """Whether nothing of it succeeded, which is why its severity is lower than its likelihood."""
    return any(factor["name"] == LET_IN and factor["value"] == "all refused" for factor in notable["impact"]["factors"])


def signal_bars(notable: NotableDocument) -> tuple[list[Any], list[Any]]:
    """The signals that are explained, and those that add so little that they are only named.

    One that cannot tell may add, too: an exposure counts for more while nobody knows that its credential is dead.
    """
    signals = notable["signals"]
    heavy = [s for s in signals if abs(s["log_odds"]) >= LITTLE]
    heavy = heavy or [s for s in signals if not s["cannot_tell"]]
    return heavy, [s for s in signals if s not in heavy and not s["cannot_tell"]]


def sum_of(notable: NotableDocument) -> str:
    """How the signals add up to the likelihood; nothing where no model's trees scored it."""
    ordinary = notable["model"].get("ordinary")
    if ordinary is None:
        return ""
    together = ordinary + sum(signal["log_odds"] for signal in notable["signals"])
    added = round(together, 2) - round(ordinary, 2)  # so that what is shown adds up
    most = " (the maximum)" if notable["likelihood"] >= SUREST else ""
    return (
        f"In log-odds: an ordinary day {signed(ordinary)}, the signals {signed(added)}, together "
        f"{signed(together)}, which is {notable['likelihood']:g}%{most}"
    )


def severity_line(notable: NotableDocument) -> str:
    """Why the severity is what it is: likelihood × impact; nothing where no intrusion is claimed."""
    if not notable["likelihood"]:
        return ""
    level = notable["impact"]["level"]
    bands = ", ".join(f"{name} from {low:g}" for low, name in BANDS)
    risk, unclipped = risk_of(notable), notable["likelihood"] * IMPACTS[level]
    came = f"{unclipped:.4g}, capped at 100" if unclipped > risk + 0.01 else f"{risk:g}"
    product = f"likelihood {notable['likelihood']:g} × {IMPACTS[level]:g} (impact {level}) = {came}"
    return f"Severity {notable['severity']}: {product}; {bands}"


def impact_line(notable: NotableDocument) -> str:
    """The level of the impact and what raises or lowers it.

    >>> impact_line({"impact": {"level": "low", "factors": [{"name": "reach", "value": "9 targets", "weight": 1.1},
    ...                                                    {"name": "let in", "value": "all refused", "weight": 0.5}]}})
    'Impact: low; raised by reach (9 targets); lowered by refusals (all refused)'
    """
    lines = [f"Impact: {notable['impact']['level']}"]
    for sign, how in ((1, "raised by"), (-1, "lowered by")):
        factors = [f for f in notable["impact"]["factors"] if (f["weight"] - 1) * sign > 0]
        named = (f"{'refusals' if f['name'] == LET_IN else f['name']} ({f['value']})" for f in factors)
        lines += [f"{how} {', '.join(named)}"] if factors else []
    return "; ".join(lines)


def amount(number: float) -> str:
    """A count with thousands separated.

    >>> amount(184221), amount(1.5)
    ('184,221', '1.5')
    """
    return f"{number:,}"


def some(count: int, name: str) -> str:
    """A count and what is counted.

    >>> some(1, "identity"), some(2000, "identity"), some(0, "day")
    ('1 identity', '2,000 identities', '0 days')
    """
    plural = f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"
    return f"{count:,} {name if count == 1 else plural}"


def clock(time: str) -> str:
    """An RFC 3339 time as people read it; UTC is said once elsewhere.

    >>> clock("2026-03-09T02:12:00Z")
    '2026-03-09 02:12'
    """
    return time[:16].replace("T", " ")


def span(seconds: int) -> str:
    """A duration in its two largest units.

    >>> span(0), span(2400), span(7500), span(90000)
    ('0 s', '40 min', '2 h 5 min', '1 d 1 h')
    """
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, unit in units:
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"


def shown(notable: NotableDocument) -> tuple[str, str]:
    """From when to when that happened which a notable shows: of several days, the unusual calls of the one it shows."""
    first, last = notable["first_time"], notable["last_time"]
    several = tells_calls(notable) and first[:10] != last[:10]
    unusual = unusual_calls(notable)[0] if several else ()
    if not unusual:
        return first, last
    day = unusual[0]["time"][:10]  # an entry has the time of its first call, the episode that of its last
    ends = [
        revision["time"]
        for revision in notable.get("revisions") or ()
        if revision["day"] == day == revision["time"][:10]
    ]
    return unusual[0]["time"], max([unusual[-1]["time"], *ends])


def lasted(notable: NotableDocument) -> list[str]:
    """How long that went on, and since which day the notable does; nothing where all was at once."""
    first, last = shown(notable)
    seconds = timestamps.parse(last) - timestamps.parse(first)
    began = notable["first_time"][:10]
    phrases = [f"for {span(seconds)}"] if seconds else []
    return phrases + [f"since {began}"] * (began < first[:10])


def place_of(event: Mapping[str, Any]) -> str:
    """Where a raw record lies, or why it is there no more.

    >>> place_of({"file": "a.json", "line": 7}), place_of({"index": "logs-x-default", "document": "Zk1"})
    ('a.json:7', 'logs-x-default/Zk1')
    """
    if "index" in event:
        return f"{event['index']}/{event['document']}"
    return f"{event['file']}: {event['lost']}" if event.get("lost") else f"{event['file']}:{event['line']}"


def confirmed(run: Mapping[str, Any]) -> Mapping[str, str]:
    """Notable id → who confirmed it, out of run.json."""
    return (run.get("verdicts") or {}).get("confirmed") or {}


def in_work(run: Mapping[str, Any]) -> Collection[str]:
    """Ids of the notables that were confirmed and are worked on, out of run.json."""
    said = run.get("verdicts") or {}
    return said["in_work"] if "in_work" in said else confirmed(run)


def left_out(notable: NotableDocument, more: Sequence[Any] = ()) -> list[str]:
    """How many calls a timeline without the routine ones leaves out; `more`: unusual ones that have no room.

    >>> entries = [{"time": "2026-03-09T02:12:00Z", "points": p, "count": n} for p, n in ((9.0, 1), (0.0, 40))]
    >>> left_out({"timeline": entries, "baseline": {"id": "2026-03-08"}})
    ['Left out: 40 routine calls in 1 row; show them with --all']
    """
    unusual = {id(entry) for part in unusual_calls(notable) for entry in part}
    routine = [entry for entry in notable["timeline"] if id(entry) not in unusual]
    parts = [(more, "unusual"), (routine, "routine")]
    counted = [(sum(entry["count"] for entry in part), len(part), name) for part, name in parts if part]
    said = [f"{some(calls, f'{name} call')} in {some(rows, 'row')}" for calls, rows, name in counted]
    return [f"Left out: {' and '.join(said)}; show them with --all"] if said else []


def is_back(notable: NotableDocument) -> bool:
    """Whether a notable is listed again although people had dealt with it."""
    return str(notable.get("since") or "").startswith(BACK)


ORDERED = "New first, confirmed last, each by expected loss (likelihood × impact)"
NEW, STILL_OPEN, CONFIRMED = "New", "Still open", "Confirmed, work in progress"
PARTS = (NEW, STILL_OPEN, CONFIRMED, "Earlier", "Not listed", "Settled")
"""Of the list, in their order."""


def part_of(notable: NotableDocument, in_work: Collection[str] = ()) -> str:
    """The part of the list to which a notable belongs; `in_work`: ids of those that people confirmed and work on."""
    if is_resolved(notable):
        return "Settled"
    if not notable["listed"]:
        return "Not listed"
    if notable["life"] == "closed":
        return "Earlier"
    if notable["id"] in in_work:
        return CONFIRMED
    return NEW if is_new(notable) else STILL_OPEN


def is_going_on(notable: NotableDocument, in_work: Collection[str] = ()) -> bool:
    """Whether one line is enough for a notable: it was read before. A finding of posture is read as a table."""
    return part_of(notable, in_work) in (STILL_OPEN, CONFIRMED) and notable["kind"] != "posture"


def going_on(notable: NotableDocument, short_id: str, said: str, width: int) -> list[str]:
    """One line for a notable that was read before; on a narrow terminal its title has up to two lines of its own.

    `said`: its verdict and who works on it.
    """
    sure = f"{likely(notable['likelihood'])} {short_severity(notable)}".strip()
    since = notable["listed_on"] or notable["first_time"][:10]
    row, status = f"{notable['rank']:>3}  {short_id}  {sure}, since {since}", visible(f" ({said})" * bool(said), 60)
    if width >= _WIDE:
        return [f"{row}: {visible(named(notable), width - len(row) - 2 - len(status))}{status}"]
    width = max(width, _NARROW)
    lines = textwrap.wrap(visible(named(notable)), width - 5, break_on_hyphens=False)
    title = [*lines[:1], *([visible(" ".join(lines[1:]), width - 5)] if lines[1:] else ())]
    return [visible(f"{row}{status}", width), *(f"     {line}" for line in title)]


_WIDE, _NARROW = 120, 60
"""Columns from which one line is enough, and those that are used on any terminal."""


def handled(notable: NotableDocument, run: Mapping[str, Any]) -> str:
    """What people said of a notable and who works on it, out of run.json; "": nothing."""
    work = (run.get("work") or {}).get(notable["id"])
    parts = ["confirmed" if notable["id"] in confirmed(run) else "", casework.said(work) if work else ""]
    return ", ".join(filter(None, parts))


def waiting(still_open: Sequence[NotableDocument], run: Mapping[str, Any]) -> list[NotableDocument]:
    """Of those still open, what waits for a verdict: nothing was added for three days. They are shown as one line."""
    end = parse(str(run["data_end"])) if run.get("data_end") else 0
    return [notable for notable in still_open if is_waiting(notable, end)]


def waiting_line(waiting: Sequence[NotableDocument], confirmed: Collection[str] = ()) -> str:
    """One line for all that were quiet for three days; those that are confirmed wait for no verdict.

    >>> waiting_line([{"id": "a", "listed_on": "2026-03-02"}, {"id": "b", "listed_on": "2026-02-27"}])
    '     2 more, quiet for three days: 2 without a verdict; the oldest since 2026-02-27: nhi list shows them'
    >>> waiting_line([{"id": "a", "listed_on": "2026-03-02"}], ["a"])
    '     1 more, quiet for three days: 1 confirmed; the oldest since 2026-03-02: nhi list shows them'
    """
    oldest = min(str(notable["listed_on"]) for notable in waiting)
    known = sum(notable["id"] in confirmed for notable in waiting)
    counts = ((len(waiting) - known, "without a verdict"), (known, "confirmed"))
    said = ", ".join(f"{number} {what}" for number, what in counts if number)
    return f"{len(waiting):>6} more, quiet for three days: {said}; the oldest since {oldest}: nhi list shows them"


# ---- meanings
#
# What the short ids in a notable mean, in words, for those who read it.


CONTROLS = {
    "rotate_secret": ("Rotate the secret", "Issue a new credential, move the workload to it, disable the old one."),
    "reduce_privilege": ("Reduce privilege", "Remove the permissions that its usual work does not need."),
}

TACTICS = {
    "reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001", "execution": "TA0002",
    "persistence": "TA0003", "privilege-escalation": "TA0004", "defense-evasion": "TA0005",
    "credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008", "collection": "TA0009",
    "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}  # fmt: skip
"""ATT&CK's ids of the tactics, by the short names that `frameworks` uses."""


def framework(id_: str) -> str:
    """The name of a framework entry, or "" when it is not known here (a notable of another version).

    >>> framework("NHI7:2025"), framework("T9999")
    ('Long-Lived Secrets', '')
    """
    try:
        return frameworks.name(id_)
    except frameworks.UnknownIdError:
        return ""


def signal(id_: str) -> str:
    """The title of a signal, or its id as words when it is not known here.

    >>> signal("novel_classes"), signal("of_another_version")
    ('New kinds of sensitive calls', 'Of another version')
    """
    return _titles().get(id_) or spoken(id_)


@lru_cache
def _titles() -> dict[str, str]:
    from nhi_watch.detect.signals import SIGNALS  # here: they are many, and most commands name none

    return {signal.name: signal.title for signal in SIGNALS}


def tactics(techniques: list[str]) -> list[tuple[str, str]]:
    """Ids and names of the first tactic of each technique, without repeats.

    >>> tactics(["T1078.004", "T1078.004", "T1530", "T9999"])
    [('TA0001', 'Initial Access'), ('TA0009', 'Collection')]
    """
    first = [frameworks.tactics(item)[0] for item in techniques if framework(item)]
    return [(TACTICS[name], _title(name)) for name in dict.fromkeys(first)]


def _title(name: str) -> str:
    return name.replace("-", " ").title().replace(" And ", " and ")


def heading(entry: ControlDocument) -> str:
    """What a control comes to, by its reason: a role has no secret, and what an intruder made is deleted.

    >>> heading({"id": "rotate_secret", "reason": "Revoke the sessions of r issued before now"})
    'End its sessions'
    >>> heading({"id": "rotate_secret", "reason": "arn:aws:iam::1:user/x: Remove arn:aws:iam::1:user/x, which this "
    ...          "intrusion made: do not rotate it, delete it and its keys."})
    'Delete the user x'
    """
    if entry["id"] == "rotate_secret":
        match = _CREATED.search(entry["reason"])
        if match:
            name = match["name"].rpartition(":")[2] if match["name"].startswith("arn:") else match["name"]
            return f"Delete the {name.replace('/', ' ', 1)}" if "/" in name else f"Delete {name}"
        for words, instead in INSTEAD.items():
            if words in entry["reason"]:
                return instead.capitalize()
    return control(entry["id"])[0]


_CREATED = re.compile(r"Remove (?P<name>.{1,200}?), which this intrusion made")


def control(id_: str) -> tuple[str, str]:
    """The name of a control and what it means.

    >>> control("quarantine_identity")
    ('Quarantine identity', '')
    """
    return CONTROLS.get(id_, (spoken(id_), ""))
