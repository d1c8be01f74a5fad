"""Values of records, read alike whatever shape they come in: text, numbers, truth, lists, times, secrets, ids."""

from __future__ import annotations

import json
import re
from hashlib import blake2b, sha256
from typing import Any, Optional

from nhi_watch.context import agents, networks
from nhi_watch.core.errors import RejectError
from nhi_watch.core.event import Event, Identity
from nhi_watch.core.identity import subject_of
from nhi_watch.core.timestamps import parse

_LONGEST = 512
_MISSING = ("", "-", "null")


def text(value: object, limit: int = _LONGEST) -> str:
    """Bounded text; numbers and truth values as JSON spells them; anything else, `-` and `null` count as missing.

    >>> text("a"), text(7), text(7.0), text(True), text(None), text("-"), text([1]), text(["a"])
    ('a', '7', '7', 'true', '', '', '1', 'a')
    """
    if value.__class__ is str:
        return "" if value in _MISSING else value[:limit]
    if value.__class__ is list and len(value) == 1:
        return "" if value[0].__class__ is list else text(value[0], limit)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    # A number of thousands of digits cannot be written in decimal since Python 3.11.
    return str(value) if isinstance(value, int) and value.bit_length() < 256 else ""


def name_of(value: object) -> str:
    """`text` of a name, which its holder may have chosen: `-` and `null` are names, too.

    >>> name_of("null"), name_of(["-"]), name_of(None), name_of(7)
    ('null', '-', '', '7')
    """
    content = value[0] if value.__class__ is list and len(value) == 1 else value
    return content[:_LONGEST] if isinstance(content, str) else text(content)


def plain(value: object) -> str:
    """`text` without a limit, for values that are cut afterwards.

    >>> plain("a"), plain("-"), plain(7), plain(None)
    ('a', '', '7', '')
    """
    if value.__class__ is str:
        return "" if value in _MISSING else value
    return "" if value is None else text(value)


def whole_number(value: object) -> Optional[int]:
    """A whole number, also out of text; None when it is none.

    >>> whole_number("12"), whole_number(12), whole_number(12.0), whole_number("x"), whole_number(True)
    (12, 12, 12, None, None)
    """
    digits = "" if isinstance(value, bool) else text(value, 20)
    return int(digits) if re.fullmatch(r"-?\d{1,19}", digits, re.ASCII) else None


def true(value: object) -> bool:
    """Whether a value says yes, in the spelling of any shape.

    >>> true(True), true("true"), true("True"), true(0), true(None)
    (True, True, True, False, False)
    """
    return text(value, 5).lower() in ("true", "1", "yes")


def listed(value: object) -> list[Any]:
    """A value as a list: Splunk and Elastic give lists of one as single values, Splunk also gives lines.

    >>> listed("a\\nb"), listed(["a"]), listed(None), listed({"a": 1})
    (['a', 'b'], ['a'], [], [{'a': 1}])
    """
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, str) and "\n" in value and value.lstrip()[:1] not in ("{", "["):
        return value.split("\n")
    return [value]


def secret_hash(value: object) -> str:
    """A stand-in for a secret found in a record: 16 hex digits of its SHA-256; "" for nothing.

    >>> secret_hash("hunter2"), secret_hash(None)
    ('f52fbd32b2b3b86f', '')
    """
    secret = text(value, 4096)
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:16] if secret else ""


def build_event(time: int, identity: Identity, action: str, **fields: Any) -> Event:
    """An Event of which only some is given: the rest is empty, which means *not given*.

    What follows from what is given need not be: the network of the address; of `user_agent` the agent's family, and
    the traits `attack_tool` and `browser`. `marks`: trait → whether it holds; it may override those.

    >>> robot = Identity("ours::robot:1", "robot-1", "service_account", "ours", "", "")
    >>> made = build_event(1772445600, robot, "ours:Start", address="198.51.100.7", user_agent="Mozilla/5.0 (X11)",
    ...                    marks={"mfa": True, "console": False}, traits=("public",))
    >>> made.service, made.outcome, made.error, made.network, made.agent
    ('ours', 'success', '', '198.51.100.0/24', 'browser')
    >>> made.traits
    ('browser', 'mfa', 'public')
    """
    address, user_agent = fields.pop("address", "")[:128], fields.pop("user_agent", "")
    family = agents.family(user_agent)
    marked_traits = {
        "browser": family == "browser",
        "attack_tool": agents.is_attack_tool(user_agent),
        **fields.pop("marks", {}),
    }
    known = {
        "time": time, "provider": identity.provider, "account": identity.account, "identity": identity,
        "credential": "", "credential_type": "none", "session": "", "action": action[:128],
        "service": action.partition(":")[0], "access": "unknown", "outcome": "success", "address": address,
        "network": networks.network_of(address), "agent": family,
    }  # fmt: skip
    traits = {*(trait for trait, holds in marked_traits.items() if holds), *fields.pop("traits", ())}
    return Event(**{**known, **fields, "traits": tuple(sorted(traits))})


def filled(event: Event, time: int, record_id: str, session: str, target: str, *more: object) -> Event:
    """The Event that records of one shape share, with what each has of its own; quicker than `_replace`.

    A record of which the log gives no id gets `derived_id`.
    """
    (_, provider, account, identity, credential, credential_type, _, action, service, access, outcome, error, address,
     network, agent, region, _, target_class, traits, issued, _, links, about) = event  # fmt: skip
    filled_event = tuple.__new__(Event, (  # as Event(…), without looking at each argument
        time, provider, account, identity, credential, credential_type, session, action, service, access, outcome,
        error, address, network, agent, region, target, target_class, traits, issued, record_id, links, about,
    ))  # fmt: skip
    return filled_event if record_id else filled_event._replace(record_id=derived_id(filled_event, *more))


_RECORD_ID = Event._fields.index("record_id")


def derived_id(event: Event, *more: object) -> str:
    """A record id for a log that gives none: a digest of what every shape has.

    `more` should hold what distinguishes two events of one second, e.g. a target's id.
    """
    content = json.dumps([*event[:3], event.identity.id, *event[4:_RECORD_ID], *map(text, more)])
    return "sha256:" + sha256(content.encode()).hexdigest()


_BOUND = "~"


def bound(source_text: str, *content: str) -> str:
    """An id that its writer may have chosen, bound to what the record says: else many records could be made one.

    >>> bound("id-1", "get", "/api"), bound("", "get")
    ('id-1~38d05e0f9d93', '')
    """
    if not source_text:
        return ""
    text = "\x1f".join((source_text, *content)).encode("utf-8", "surrogatepass")
    return f"{source_text[:100]}{_BOUND}{blake2b(text, digest_size=6).hexdigest()}"


def unbound(record_id: str) -> str:
    """The id as it was written, of one that was bound; "" of others.

    >>> unbound(bound("id-1", "get")), unbound("id-1")
    ('id-1', '')
    """
    return record_id[:-13] if record_id[-13:-12] == _BOUND else ""


def level_by_words(operation: str, level: str, reads: re.Pattern[str], grants: re.Pattern[str]) -> str:
    """The access level: the table's where it knows the operation, else by words that read or that grant."""
    if level != "unknown":
        return level
    if reads.search(operation):
        return "read"
    return "permissions" if grants.search(operation) else "write"


def first(*values: object) -> str:
    """The first value that is given, as text; of several values in one field, the first.

    >>> first(None, "-", ["a", "b"], "c")
    'a'
    """
    for value in values:
        content = text(value[0] if value.__class__ is list and value else value)
        if content:
            return content
    return ""


# ---- times, in every form that products use


_FIRST, _LAST = 1136073600, 4102444800  # 2006 to 2100: before and after, the clock is wrong
_DATE = re.compile(r"/?Date\((-?\d{1,19})(?:[+-]\d{4})?\)/?", re.ASCII)
_AMERICAN = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4}),? (\d\d?):(\d\d):(\d\d)(?:\.\d{1,9})?(?: ([AP])M)?(?: ?([+-]\d\d:\d\d))?", re.ASCII
)
_WORDY = re.compile(r"(.*T.*\d|.* \d\d:\d\d:\d\d(?:\.\d+)?) ?(?:UTC|GMT)", re.ASCII)


def moment(value: object) -> int:
    """Seconds since the epoch of a time in any form that a product uses.

    RFC 3339 with any fraction and zone, with a blank for `T` or `UTC` at the end; seconds, milli-, micro- and
    nanoseconds since the epoch, as number or text; `/Date(…)/`; `month/day/year h:mm:ss AM`, with or without a zone.

    Raises:
        RejectError: no_time, bad_time; clock: not between 2006 and 2100.

    >>> [moment(t) for t in (1688989500, "1688989500.5", 1688989500123, "1688989500123456", "/Date(1688989500123)/")]
    [1688989500, 1688989500, 1688989500, 1688989500, 1688989500]
    >>> [moment(t) for t in ("2023-07-10 11:45:00.000000000", "2023-07-10 11:45:00 UTC", "7/10/2023 11:45:00 AM")]
    [1688989500, 1688989500, 1688989500]
    >>> moment("7/10/2023 1:45:00.5 PM +02:00")
    1688989500
    """
    if value.__class__ is str and value[10:11] == "T" and value[-1:] == "Z":
        return _checked(parse(value))
    if value.__class__ is list and len(value) == 1:
        value = value[0]
    if value is None or value == "" or isinstance(value, bool):
        raise RejectError("no_time", "the time is missing")
    if isinstance(value, (int, float)):
        return _checked(_epoch(value))
    if not isinstance(value, str):
        raise RejectError("bad_time", f"a time cannot be a {type(value).__name__}")
    return _checked(_of_text(value.strip()[:64]))


def _checked(seconds: int) -> int:
    if not _FIRST <= seconds < _LAST:
        raise RejectError("clock", f"the time {seconds} is not between 2006 and 2100")
    return seconds


def _epoch(value: float) -> int:
    """By magnitude: seconds, milli-, micro- or nanoseconds."""
    if not -1e20 < value < 1e20:
        raise RejectError("bad_time", "the time is out of range")
    whole_part = int(value)
    for limit, unit in ((10**11, 1), (10**14, 10**3), (10**17, 10**6)):
        if whole_part < limit:
            return whole_part // unit
    return whole_part // 10**9


def _of_text(content: str) -> int:
    if content[10:11] == "T" and content[-1:] not in "CT":  # at the end of UTC and GMT
        return parse(content)
    if re.fullmatch(r"\d{1,19}(?:\.\d{1,9})?", content, re.ASCII):
        return _epoch(int(content.partition(".")[0]))
    date = _DATE.fullmatch(content)
    if date:
        return int(date[1]) // 1000
    american = _AMERICAN.fullmatch(content)
    if american:
        month, day, year, hour, minute, second = map(int, american.groups()[:6])
        if american[7]:
            hour = hour % 12 + (12 if american[7] == "P" else 0)
        content = f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{american[8] or 'Z'}"
    wordy = _WORDY.fullmatch(content)
    return parse(wordy[1] if wordy else content)


GCP = "gcp"
_MACHINE = "gserviceaccount.com"
_PROJECT = re.compile(r"[^@]+@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com")
_AGENT = re.compile(
    r"service-\d+@.*|[^@]+@(?:gcp-sa-[a-z0-9-]+\.iam|system|cloudservices|containerregistry|.*\.google\.com\.iam)"
    r"\.gserviceaccount\.com"
)
_POOL = re.compile(
    r".*?/(?:locations/[^/]+/)?(workloadIdentityPools|workforcePools)/([^/]+)/(?:subject/)?(.+)", re.DOTALL
)


def google(content: str, project: str = "") -> Identity:
    """The identity of an address or a principal's name, within a project or organisation.

    >>> google("app@shop.iam.gserviceaccount.com").id, google("serviceAccount:a@b.iam.gserviceaccount.com").kind
    ('gcp:shop:service_account:app@shop.iam.gserviceaccount.com', 'service_account')
    >>> google("user:ann@example.com").human, google("").kind
    ('google_account', 'anonymous')
    >>> pools = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools"
    >>> google(f"{pools}/ci/subject/repo:a/b:ref:x").id
    'gcp::web_identity:ci:repo:a/b'
    """
    if "://" in content:
        return _federated(content, project)
    name = content.removeprefix("deleted:").partition(":")[2] if _typed(content) else content
    address, _, unique = name.partition("?uid=")
    address = address.strip().lower()
    if not address or address == "anonymous":
        return _make(project, "anonymous", "anonymous", "anonymous")
    if address.endswith((_MACHINE, "svc.id.goog")) or ".svc.id.goog[" in address:
        return _machine(address, unique, project)
    if "serviceaccount:" in content.lower():  # an account of a domain-wide kind, whatever its address
        return _make(project, f"service_account:{address}", address, "service_account")
    return _make("", f"user:{address}", address, "user", "google_account")


def _typed(content: str) -> bool:
    return content.startswith(("user:", "serviceAccount:", "deleted:", "group:", "domain:"))


def _machine(address: str, unique: str, project: str) -> Identity:
    match = _PROJECT.fullmatch(address)
    if _AGENT.fullmatch(address):
        return _make(project, f"service:{address}", address, "service")
    path = f"service_account:{address}" + (f":{unique}" if unique else "")
    return _make(match[1] if match else project, path, address, "service_account")


def _federated(content: str, project: str) -> Identity:
    match = _POOL.fullmatch(content)
    if match is None:
        return _make("", f"federated:{content}", content, "federated")
    kind, pool, subject = match.groups()
    if kind == "workforcePools":
        return _make("", f"federated:{pool}:{subject}", subject, "federated", "workforce_pool")
    stays = subject_of(subject)
    return _make("", f"web_identity:{pool}:{stays}", stays, "web_identity")


def _make(account: str, path: str, name: str, kind: str, human: str = "") -> Identity:
    return Identity(f"{GCP}:{account}:{path}"[:_LONGEST], name[:_LONGEST], kind, GCP, account, human)


def known_by_arn(identity: Identity) -> tuple[Identity, tuple[str, ...]]:
    """The identity, and the ARN among its links; where its id is made of the name, its name is no ARN.

    The ARN then is what links it to the identity that CloudTrail knows by its unique id.

    >>> identity = Identity("aws:111111111111:role:app", "arn:aws:iam::111111111111:role/app", "role", "aws", "", "")
    >>> known, links = known_by_arn(identity)
    >>> known.name, links
    ('role/app', ('arn:arn:aws:iam::111111111111:role/app',))
    >>> known_by_arn(identity._replace(id="aws:111111111111:role:AROAEXAMPLE"))[1]
    ()
    """
    arn = identity.name
    if not arn.startswith("arn:") or identity.id.rpartition(":")[2] != arn.rpartition("/")[2]:
        return identity, ()
    return identity._replace(name=arn.split(":", 5)[-1]), (f"arn:{arn}",)
