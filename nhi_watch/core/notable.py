"""Notable: a ranked, explained episode; as types here, as one JSON object a line everywhere else.

Times are seconds since the epoch (UTC) in the types and RFC 3339 in JSON. The JSON shape is that of
`schemas/notable.schema.json`; `to_json` and `from_json` are each other's inverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, Optional, Union, get_args, get_origin, get_type_hints

from nhi_watch.core import timestamps
from nhi_watch.core.documents import DimensionDocument, ImpactDocument, NotableDocument
from nhi_watch.core.errors import InputError, RejectError
from nhi_watch.core.status import Folded, Receipt, Revision

KINDS = ("compromise", "exposure", "posture", "blind_spot")
SEVERITIES = ("informational", "low", "medium", "high", "critical")
MAX_RECORD_IDS = 1_000
MAX_TIMELINE = 500

IMPACTS = {"low": 0.5, "medium": 1.0, "high": 1.15, "critical": 1.3}
"""Level of impact → by what it multiplies the likelihood to give the expected loss."""
ACT = "act"
"""The factor of the impact that counts what was done."""
LET_IN = "let in"
"""The factor of the impact that counts what was refused."""
LINKED = "worst of those linked"
"""The factor of the impact that names the identity of several whose impact it is."""
BANDS = ((80.0, "critical"), (60.0, "high"), (30.0, "medium"), (6.0, "low"))
"""Expected loss from which a severity begins. High and critical stay in the list until a verdict, so most of them
must be true: at medium impact likelihoods from 60 to 80% are true two times of three, those above nine times of ten."""
_TIMES = frozenset({"created", "first_time", "last_time", "time", "first_seen", "last_seen", "last_grown"})
SHORTEST = 6
"""Letters of an id that are enough, unless several ids begin with them."""


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """Id → its beginning that no other id has, of six letters or more, and never a bare number, which is a rank.

    >>> short_ids(["352b57ff", "352b57aa", "123456a9", "99999999"])
    {'123456a9': '123456a', '352b57aa': '352b57a', '352b57ff': '352b57f', '99999999': '99999999'}
    """
    ordered = sorted(set(ids))
    shortened = {}
    for at, name in enumerate(ordered):
        beside = [*ordered[max(0, at - 1) : at], *ordered[at + 1 : at + 2]]
        length = max([SHORTEST, *(_shared(name, other) + 1 for other in beside)])
        while name[:length].isdigit() and length < len(name):
            length += 1
        shortened[name] = name[:length]
    return shortened


def _shared(first: str, other: str) -> int:
    """How many letters two ids begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(first, other)) if a != b), min(len(first), len(other)))


def severity_of(risk: float) -> str:
    """The severity of an expected loss: of a likelihood in percent, times the weight of the impact's level.

    >>> [severity_of(loss) for loss in (5.99, 6, 30, 60, 80)]
    ['informational', 'low', 'medium', 'high', 'critical']
    """
    return next((name for low, name in BANDS if risk >= low), "informational")


def clip(text: str, length: int) -> str:
    """At most `length` characters, an ellipsis where it was cut; texts from logs are bounded with it.

    >>> clip("abcdef", 4), clip("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def dimensions_of(notable: NotableDocument, name: str, identity: str = "") -> list[DimensionDocument]:
    """Usual against observed in one respect: of one of the notable's identities, or of each of them."""
    dimensions = (dimension for dimension in notable["usual"]["dimensions"] if dimension["name"] == name)
    return [dimension for dimension in dimensions if not identity or dimension.get("identity", "") in ("", identity)]


@dataclass(frozen=True)
class NotableIdentity:
    """Who acted, and who gives the verdict."""

    id: str
    name: str
    kind: str
    provider: str
    account: str
    owner: str
    """From the customer's asset table, or ""."""


@dataclass(frozen=True)
class SignalPoints:
    """What one signal contributes."""

    id: str
    points: float
    """How much more common the value is on attack days than on others, as a power of two; see `detect.habits`."""
    log_odds: float
    """What it adds to the ordinary day's log-odds."""
    value: Optional[float]
    """The signal's value ≥ 0; None when it cannot tell."""
    evidence: str
    """One sentence."""
    record_ids: tuple[str, ...]
    cannot_tell: bool
    """The telemetry that the signal needs is missing; never the same as a value of 0."""
    without: Optional[float] = None
    """Of the heaviest reasons: the likelihood if no record showed it; None: not worked out."""
    bin: int = 0
    """The value's bin as the model's trees read it: what the identity's habits leave of it; see `detect.habits`."""
    identity: str = ""
    """Which member shows it, by id; "" where there is only one, or only all of them together show it."""


@dataclass(frozen=True)
class TimelineEntry:
    """One behaviour (`count` like events), at the time of its first event."""

    time: int
    action: str
    outcome: str
    """success | denied | failure"""
    source: str
    """The network or address that it came from."""
    record_id: str
    """One sample record."""
    points: float
    """Of the behaviour by itself, or of how often its call was made."""
    count: int
    identity: str = ""
    """Which member of the notable acted, by id; "" where there is only one. On another day than the one that is shown,
    one that is no member may have acted: it is given by its name."""
    targets: tuple[str, ...] = ()
    """What it touched, of calls of which each more is news: high-impact actions and changes of permissions."""
    also_from: tuple[str, ...] = ()
    """Further addresses of its network that it came from; last the network (`*`: any), where more may have been."""


@dataclass(frozen=True)
class NotableLink:
    """Two members of a notable, and the records that prove that they belong together."""

    source: str
    """A member's or another identity's id; of a credential: who handed it out."""
    target: str
    kind: str
    """credential | app | sp | oidc | arn | name | token | host"""
    value: str
    """What the records of both hold: the credential's id, the application's id, the address…"""
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class UsualValue:
    """A value that the identity was seen with before."""

    value: str
    days: int
    """On how many days."""


@dataclass(frozen=True)
class ObservedValue:
    """A value that the episode shows."""

    value: str
    new: bool
    """Never seen with this identity before the episode."""
    count: int
    """Events in the episode."""


@dataclass(frozen=True)
class Dimension:
    """Usual against observed, in one respect."""

    name: str
    """action | service | network | agent | region | hour | target | credential …"""
    usual: tuple[UsualValue, ...]
    """The most frequent first."""
    observed: tuple[ObservedValue, ...]
    """New ones first."""
    identity: str = ""
    """Of which member, by id; "" where there is only one."""
    active_days: int = 0
    """Days with any event of that identity before the episode."""


class Instead(NamedTuple):
    """A day that would have been normal, and its likelihood: each call once, from any one of the networks."""

    of: str
    """Whose habits these are: own | peers | tenant | world."""
    actions: tuple[str, ...]
    networks: tuple[str, ...]
    agent: str
    region: str
    credential: str
    credential_type: str
    hour: int
    """Of the day, UTC."""
    likelihood: float
    """In percent: the highest that any of the networks gives."""
    text: str
    """All of it in one sentence."""


@dataclass(frozen=True)
class Usual:
    """What would have been normal for this identity."""

    dimensions: tuple[Dimension, ...]
    """Those of the notable's identity first, then those of the other members."""
    active_days: int
    """Days with any event before the episode; 0 for a newcomer."""
    first_seen: Optional[int]
    last_seen: Optional[int]
    """Before the episode."""
    likelihood: Optional[float]
    """In percent, of the identity's normal behaviour; None when unknown."""
    instead: Optional[Instead] = None
    """What would have been normal; None: it was not worked out, as for exposures and posture."""


@dataclass(frozen=True)
class Frameworks:
    """Ids, each backed by evidence, save the two that every notable carries."""

    owasp_nhi: tuple[str, ...]
    """`NHI-07` first, then such as `NHI2:2025`."""
    nist_csf: tuple[str, ...]
    """`DE.CM-1` first."""
    mitre_attack: tuple[str, ...]
    """Techniques, such as `T1078.004`."""
    mitre_atlas: tuple[str, ...]
    """Such as `AML.CS0030`."""


@dataclass(frozen=True)
class Control:
    """What to do, and why here."""

    id: str
    """rotate_secret | reduce_privilege | …"""
    required: bool
    reason: str
    """What it concretely means: which key, which permissions."""
    status: str
    """open | done | not_applicable"""


@dataclass(frozen=True)
class ImpactFactor:
    """One reason why the identity matters to the business."""

    name: str
    value: str
    weight: float
    """The factor by which it multiplies the impact; 1 changes nothing."""


@dataclass(frozen=True)
class Impact:
    """How bad it would be; expected loss = likelihood × the weight of the level."""

    level: str
    """low | medium | high | critical, from the product of the factors."""
    criticality: str
    environment: str
    privilege: str
    """Such as `admin`, `write`, `read`: what the logs show the identity may do."""
    reach: str
    """Such as `3 services, 2 regions`."""
    factors: tuple[ImpactFactor, ...]


@dataclass(frozen=True)
class Telemetry:
    """What the model could see."""

    sources: tuple[str, ...]
    """Providers whose logs contributed, such as `aws`."""
    lag: Optional[int]
    """Seconds between event and arrival, the median; None when unknown."""
    missing: tuple[str, ...]
    """Fields and logs that signals asked for in vain."""
    provisional: bool
    """True while the last hour is still open."""


@dataclass(frozen=True)
class ModelRef:
    """Which model."""

    id: str
    sha256: str
    ordinary: Optional[float] = None
    """Log-odds of an ordinary day, to which the signals add theirs; None: no such model scored it."""


@dataclass(frozen=True)
class BaselineRef:
    """Which state of learning: the last closed day."""

    id: str


@dataclass(frozen=True)
class Notable:
    """One case. `id` stays while it goes on; whatever is published of it is a new `revision`."""

    id: str
    revision: int
    kind: str
    rank: int
    likelihood: float
    """How likely it is an intrusion, in percent; 0 for posture and blind spots, which claim none."""
    severity: str
    title: str
    summary: str
    identity: NotableIdentity
    created: int
    first_time: int
    last_time: int
    signals: tuple[SignalPoints, ...]
    """Most points first."""
    timeline: tuple[TimelineEntry, ...]
    """Earliest first; at most 500, the ones with most points."""
    usual: Usual
    frameworks: Frameworks
    controls: tuple[Control, ...]
    impact: Impact
    telemetry: Telemetry
    record_ids: tuple[str, ...]
    """At most 1,000, the ones with most points first."""
    record_count: int
    model: ModelRef
    baseline: BaselineRef
    receipt: Receipt
    merged_into: Optional[str]
    members: tuple[NotableIdentity, ...] = ()
    """All identities of the intrusion where links join several, in the order of their first unusual call."""
    links: tuple[NotableLink, ...] = ()
    likelihood_range: tuple[float, ...] = ()
    """Lowest and highest likelihood that missing telemetry leaves open; nothing: none is missing."""
    listed: bool = True
    """Whether it has a row in the budget; what has none is not listed, and kept all the same."""
    listed_on: str = ""
    """The UTC date on which it got its row, or its severity last rose."""
    over_budget: bool = False
    """It is critical, and was listed although the allowance was used up."""
    folded: Optional[Folded] = None
    folded_into: Optional[str] = None
    """The listed notable that stands for it."""
    life: str = "new"
    """new | ongoing | quiet | closed"""
    closed_why: str = ""
    first_seen: Optional[int] = None
    last_grown: Optional[int] = None
    """When its first episode began, and when its newest one ended."""
    since: str = ""
    """Why it is back after a verdict, or that what it shows is of yesterday; "": it is all as it says."""
    predecessor: Optional[str] = None
    """The notable that went on for a month and ended where this one begins."""
    revisions: tuple[Revision, ...] = ()
    """Its episodes; the first and the latest 99."""
    late: bool = False
    """Its records came after their day was closed, and were scored by the habits of the day on which they came."""


def expected_risk(likelihood: float, impact: Impact) -> float:
    """Likelihood × the weight of the impact's level, at most 100: what notables are ordered by, and severity follows.

    >>> low = Impact("low", "unknown", "unknown", "read", "1 service", ())
    >>> expected_risk(95.0, low), severity_of(expected_risk(95.0, low))
    (47.5, 'medium')
    """
    return round(min(100.0, likelihood * IMPACTS[impact.level]), 2)


def risk_of(document: NotableDocument) -> float:
    """The expected loss of a notable's JSON object; posture and blind spots go by their severity alone."""
    return weighed_risk(document["likelihood"], document["impact"])


def weighed_risk(likelihood: float, impact: ImpactDocument) -> float:
    """The expected loss of a likelihood and of an impact's JSON object."""
    return round(min(100.0, likelihood * IMPACTS[impact["level"]]), 2)


def order(document: NotableDocument) -> tuple[Any, ...]:
    """Sorts the most severe notable first: by severity, expected loss, likelihood."""
    severity = -SEVERITIES.index(document["severity"])
    return severity, -risk_of(document), -document["likelihood"], document["id"]


def to_json(notable: Notable) -> NotableDocument:
    """The JSON object of the schema: dataclasses become objects, tuples arrays, times RFC 3339."""
    document: NotableDocument = _plain(notable)
    return document


def from_json(document: Mapping[str, Any]) -> Notable:
    """The Notable of a JSON object.

    Raises:
        InputError: a field is missing, unknown, or of the wrong type; it names the field.
    """
    built: Notable = _build(Notable, document, "notable")
    return built


def _plain(value: Any) -> Any:
    names = _names(value.__class__)
    if names:
        return {name: _plain_field(name, getattr(value, name)) for name in names}
    return [*map(_plain, value)] if isinstance(value, tuple) else value


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a class; () where its instances are plain values."""
    return Instead._fields if kind is Instead else tuple(f.name for f in fields(kind)) if is_dataclass(kind) else ()


def _plain_field(name: str, value: Any) -> Any:
    return timestamps.render(value) if name in _TIMES and value is not None else _plain(value)


def _build(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is Union:
        return None if value is None else _build(get_args(hint)[0], value, where)
    if get_origin(hint) is tuple:
        _demand(isinstance(value, list), where, "an array")
        return tuple(_build(get_args(hint)[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if hint is Instead or is_dataclass(hint):
        return _build_object(hint, value, where)
    if hint is float and type(value) is int:
        return float(value)
    _demand(type(value) is hint, where, hint.__name__)
    return value


def _build_object(kind: Any, value: Any, where: str) -> Any:
    _demand(isinstance(value, Mapping), where, "an object")
    hints = get_type_hints(kind)
    later = set() if kind is Instead else {f.name for f in fields(kind) if f.default is not MISSING}
    unlike = sorted((set(hints) ^ set(value)) - (later - set(value)))
    _demand(not unlike, where, f"exactly the fields of {kind.__name__}; missing or unknown: {unlike}")
    return kind(**{name: _build_field(name, hints[name], value[name], where) for name in hints if name in value})


def _build_field(name: str, hint: Any, value: Any, where: str) -> Any:
    if name not in _TIMES or value is None:
        return _build(hint, value, f"{where}.{name}")
    try:
        return timestamps.parse(value)
    except RejectError as error:
        raise InputError(f"{where}.{name}: {error}") from error


def _demand(condition: bool, where: str, what: str) -> None:
    if not condition:
        raise InputError(f"{where}: expected {what}; is the file from another version?")
