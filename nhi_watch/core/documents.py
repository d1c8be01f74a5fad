"""A notable as one JSON object: the types of what `notable.to_json` gives, the state stores, and hosts write.

Each type has the fields of the dataclass beside it in `notable` and `status`, which say what they mean; times are
RFC 3339, arrays lists. These are plain dictionaries at run time. `Optional` fields that earlier versions did not write
are read with `get`.
"""

from __future__ import annotations

from typing import Any, Optional, TypedDict, cast


class IdentityDocument(TypedDict):
    """`notable.NotableIdentity`."""

    id: str
    name: str
    kind: str
    provider: str
    account: str
    owner: str


class SignalDocument(TypedDict):
    """`notable.SignalPoints`."""

    id: str
    points: float
    log_odds: float
    value: Optional[float]
    evidence: str
    record_ids: list[str]
    cannot_tell: bool
    without: Optional[float]
    bin: int
    identity: str


class TimelineDocument(TypedDict):
    """`notable.TimelineEntry`."""

    time: str
    action: str
    outcome: str
    source: str
    record_id: str
    points: float
    count: int
    identity: str
    targets: list[str]
    also_from: list[str]


class LinkDocument(TypedDict):
    """`notable.NotableLink`."""

    source: str
    target: str
    kind: str
    value: str
    record_ids: list[str]


class UsualValueDocument(TypedDict):
    """`notable.UsualValue`."""

    value: str
    days: int


class ObservedValueDocument(TypedDict):
    """`notable.ObservedValue`."""

    value: str
    new: bool
    count: int


class DimensionDocument(TypedDict):
    """`notable.Dimension`."""

    name: str
    usual: list[UsualValueDocument]
    observed: list[ObservedValueDocument]
    identity: str
    active_days: int


class InsteadDocument(TypedDict):
    """`notable.Instead`."""

    of: str
    actions: list[str]
    networks: list[str]
    agent: str
    region: str
    credential: str
    credential_type: str
    hour: int
    likelihood: float
    text: str


class UsualDocument(TypedDict):
    """`notable.Usual`."""

    dimensions: list[DimensionDocument]
    active_days: int
    first_seen: Optional[str]
    last_seen: Optional[str]
    likelihood: Optional[float]
    instead: Optional[InsteadDocument]


class FrameworksDocument(TypedDict):
    """`notable.Frameworks`."""

    owasp_nhi: list[str]
    nist_csf: list[str]
    mitre_attack: list[str]
    mitre_atlas: list[str]


class ControlDocument(TypedDict):
    """`notable.Control`."""

    id: str
    required: bool
    reason: str
    status: str


class ImpactFactorDocument(TypedDict):
    """`notable.ImpactFactor`."""

    name: str
    value: str
    weight: float


class ImpactDocument(TypedDict):
    """`notable.Impact`."""

    level: str
    criticality: str
    environment: str
    privilege: str
    reach: str
    factors: list[ImpactFactorDocument]


class TelemetryDocument(TypedDict):
    """`notable.Telemetry`."""

    sources: list[str]
    lag: Optional[int]
    missing: list[str]
    provisional: bool


class ModelDocument(TypedDict):
    """`notable.ModelRef`."""

    id: str
    sha256: str
    ordinary: Optional[float]


class BaselineDocument(TypedDict):
    """`notable.BaselineRef`."""

    id: str


class ReceiptDocument(TypedDict):
    """`status.Receipt`."""

    model: str
    signals: str
    baseline: str


class RevisionDocument(TypedDict):
    """`status.Revision`."""

    revision: int
    time: str
    day: str
    likelihood: float
    why: str
    identity: str
    signals: list[str]
    receipt: ReceiptDocument
    title: str
    severity: str
    identities: list[str]


class FoldedDocument(TypedDict):
    """`status.Folded`."""

    origin: str
    count: int
    ids: list[str]


class ListFields(TypedDict):
    """What follows from a notable's place in the list, and from what became of it."""

    listed: bool
    listed_on: str
    over_budget: bool
    folded_into: Optional[str]
    merged_into: Optional[str]
    closed_why: str
    since: str
    predecessor: Optional[str]
    life: str


class HistoryFields(TypedDict):
    """What is said of a notable's episodes."""

    revisions: list[RevisionDocument]
    first_seen: Optional[str]
    last_grown: Optional[str]


class NotableDocument(ListFields, HistoryFields):
    """`notable.Notable`."""

    id: str
    revision: int
    kind: str
    rank: int
    likelihood: float
    severity: str
    title: str
    summary: str
    identity: IdentityDocument
    created: str
    first_time: str
    last_time: str
    signals: list[SignalDocument]
    timeline: list[TimelineDocument]
    usual: UsualDocument
    frameworks: FrameworksDocument
    controls: list[ControlDocument]
    impact: ImpactDocument
    telemetry: TelemetryDocument
    record_ids: list[str]
    record_count: int
    model: ModelDocument
    baseline: BaselineDocument
    receipt: ReceiptDocument
    members: list[IdentityDocument]
    links: list[LinkDocument]
    likelihood_range: list[float]
    folded: Optional[FoldedDocument]
    late: bool


class ListedDocument(NotableDocument, total=False):
    """A notable of a list, with what people have said of it since the list was written."""

    verdict: str
    in_work: bool
    """Whether people confirmed it and work on it: nothing has to be decided."""
    work: Optional[dict[str, Any]]
    """Notes, who works on it, and whether somebody does."""


def framework_ids(notable: NotableDocument) -> list[str]:
    """The ids of all frameworks that a notable names."""
    return [name for ids in cast("dict[str, list[str]]", notable["frameworks"]).values() for name in ids]
