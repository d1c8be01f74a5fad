"""What notables claim is true: the counterfactual's likelihood, and that without the heaviest signal's records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from core_samples import TODAY, Options, record, run
from nhi_watch.context import actions
from nhi_watch.core.behaviour import Behaviour, BehaviourKey, IdentityDay, key_of_event
from nhi_watch.core.documents import NotableDocument
from nhi_watch.core.event import Identity
from nhi_watch.core.timestamps import DAY, HOUR, parse
from nhi_watch.detect import model
from nhi_watch.detect.explain import claims
from nhi_watch.detect.explain.claims import day_scored
from nhi_watch.detect.scoring import Baselines, Episode, features_together, score_day, values_together
from nhi_watch.detect.signals import NAMES, SIGNALS, EpisodeView
from nhi_watch.intake.batch import Intake
from nhi_watch.intake.sources import cloudtrail
from nhi_watch.state.state import State
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.simulator import Spec, Tenant
from test_pipeline import RAID, quiet, raid

CARD = model.load().aligned(NAMES)
Records = list[dict[str, Any]]


class Ran(NamedTuple):
    """A simulated run."""

    store: MemoryStore
    notables: list[NotableDocument]
    records: Records


@cache
def ran() -> Ran:
    spec = Spec(days=14, machines=24, seed=31, campaigns=14, events=4_000, quiet_days=2)
    records = [r for day in Tenant(spec).days() for r in day.records]
    store = MemoryStore()
    result = run(store, records, Options(budget=1000.0))
    return Ran(store, [*result.notables, *result.below], records)


@cache
def until(day: int) -> MemoryStore:
    """What a run of that day has stored: once it is closed, the profiles have learnt it."""
    store = MemoryStore()
    run(store, [r for r in ran().records if parse(r["eventTime"]) // DAY <= day], Options(budget=1000.0))
    return store


def on_eve(day: int, identity_days: dict[str, IdentityDay]) -> Baselines:
    """The baseline as it stood."""
    baselines = Baselines(CARD)
    State(until(day)).fill(baselines, identity_days, day)
    return baselines


def members_of(notable: Any) -> list[str]:
    return [member["id"] for member in notable["members"]] or [notable["identity"]["id"]]


def likelihood(parts: list[Episode]) -> float:
    values = values_together([(part.values, part.view) for part in parts])
    return parts[0].bound.model.likelihood(features_together(parts, values))


# ---- what would have been normal


def made_up(notable: Any, network: str) -> IdentityDay:
    """The day that the notable's own words describe."""
    text, who, day = notable["usual"]["instead"], notable["identity"], day_scored(notable)
    known = State(ran().store).load_day(day)[who["id"]].identity
    identity = Identity(who["id"], who["name"], who["kind"], who["provider"], who["account"], known.human)
    identity_day = IdentityDay(day)
    for call in text["actions"]:
        service, _, name = call.partition(":")
        key = BehaviourKey(
            identity,
            who["account"],
            text["credential"],
            text["credential_type"],
            call,
            service,
            actions.access(service, name),
            network,
            text["agent"],
            text["region"],
            "success",
            "",
            "own",
            (),
        )
        hour = day * 24 + text["hour"]
        b = identity_day.behaviours[key, hour] = Behaviour(key, hour)
        b.add(hour * HOUR, 0, f"made up {call}")
    return identity_day


def test_every_counterfactual_is_as_likely_as_it_claims() -> None:
    notables = ran().notables
    assert len(notables) >= 10, "the sample must raise notables"
    for notable in notables:
        text = notable["usual"]["instead"]
        assert text is not None
        days = [made_up(notable, network) for network in text["networks"]]
        baselines = on_eve(days[0].day, {days[0].identity.id: days[0]})
        likelihoods = [likelihood([score_day(baselines, day)]) for day in days]
        assert max(likelihoods) == text["likelihood"] == notable["usual"]["likelihood"], notable["title"]
        assert text["text"].endswith(f"(likelihood {text['likelihood']:g}%)")


def test_what_is_normal_is_less_likely_than_what_happened_where_that_is_worth_a_look() -> None:
    loud = [n for n in ran().notables if n["likelihood"] >= 20]
    assert len(loud) >= 2
    for notable in loud:
        instead = notable["usual"]["instead"]
        assert instead is not None and instead["likelihood"] < notable["likelihood"], notable["title"]


def test_a_known_machine_is_offered_its_own_networks_and_calls() -> None:
    (notable,) = run(MemoryStore(), quiet(20) + raid()).notables
    text = notable["usual"]["instead"]
    assert text is not None
    assert (text["of"], text["networks"], text["actions"]) == ("own", ["52.95.110.0/24"], ["s3:GetObject"])
    assert text["agent"] == "boto3" and text["hour"] in (9, 10, 11)
    assert text["likelihood"] < 2 < 50 < notable["likelihood"]
    assert text["text"].startswith("from one of these networks: 52.95.110.0/24; with these calls: s3:GetObject")


def test_a_newcomer_is_offered_what_its_peers_do_and_on_the_first_day_what_the_world_does() -> None:
    peers = quiet(20, role="payments-web")
    (notable,) = [n for n in run(MemoryStore(), peers + raid()).notables if "payments-api" in n["title"]]
    text = notable["usual"]["instead"]
    assert text is not None and (text["of"], text["actions"]) == ("peers", ["s3:GetObject"])
    (identity_day,) = regrouped(raid(), {notable["identity"]["id"]})
    first = claims.instead(Baselines(CARD), score_day(Baselines(CARD), identity_day))
    assert (first.of, len(first.actions)) == ("world", claims.CHOICES)
    assert {call.partition(":")[0] for call in first.actions} <= {service for service, _ in RAID}, "not of elsewhere"


# ---- without the heaviest signal's records


def marks() -> dict[str, tuple[str, BehaviourKey, int]]:
    """Record id → identity, shape and hour of its behaviour."""
    events = [cloudtrail.read(r) for r in ran().records]
    return {e.record_id: (e.identity.id, key_of_event(e), e.time // HOUR) for e in events}


def shown_by(episode: Episode, at: int) -> Iterator[tuple[str, BehaviourKey, int]]:
    """The behaviours that show a signal, found without `usual`."""
    backing = SIGNALS[at].backing
    if SIGNALS[at].scope == "linked" and backing is not None:
        views = [view for part in episode.parts for view in part.view.views]
        behaviours = backing(EpisodeView(views, episode.view.baseline))
        yield from ((b.key.identity.id, b.key, b.hour) for b in behaviours)
        return
    for part in episode.members or (episode,):
        if backing is not None:
            behaviours = backing(part.view) if part.values[at] else []
        else:
            behaviours = [b for view in part.view.views if view.values[at] for b in view.behaviours]
        yield from ((part.identity.id, b.key, b.hour) for b in behaviours)


def test_removing_the_heaviest_signals_records_lowers_the_likelihood_to_what_was_claimed() -> None:
    """Records are taken away from the raw log, and what is left of the day is read and scored again."""
    known, fell = marks(), 0
    for notable in ran().notables:
        day, claimed = day_scored(notable), [s for s in notable["signals"] if s["without"] is not None]
        assert claimed == [s for s in notable["signals"] if s["points"] >= 0.05 and s["value"]][:3]
        identity_days = {name: State(ran().store).load_day(day)[name] for name in members_of(notable)}
        baselines = on_eve(day, identity_days)
        parts = [score_day(baselines, identity_day) for identity_day in identity_days.values()]
        joined = parts[0]._replace(members=tuple(parts) if len(parts) > 1 else ())
        for claim in claimed:
            gone = set(shown_by(joined, NAMES.index(claim["id"])))
            assert gone, claim["id"]
            assert set(claim["record_ids"]) <= {r for r, place in known.items() if place in gone}, claim["id"]
            rest = [r for r in ran().records if known[r["eventID"]] not in gone and known[r["eventID"]][2] // 24 == day]
            left = regrouped(rest, set(identity_days))
            again = likelihood([score_day(baselines, identity_day) for identity_day in left]) if left else 0.0
            assert claim["without"] == again, (notable["title"], claim["id"])
            fell += again < notable["likelihood"]
    assert fell >= 20


def regrouped(records: Records, names: set[str]) -> list[IdentityDay]:
    grouping = Intake([cloudtrail])
    grouping.feed(records, lambda index, reject: None)
    return [identity_day for day in grouping.batch.values() for name, identity_day in day.items() if name in names]


@pytest.mark.parametrize("members", [1, 2])
def test_a_day_that_is_nothing_but_the_signal_leaves_no_episode(members: int) -> None:
    day = [record(TODAY, "14:00", name="StopLogging", service="cloudtrail", role=f"r{n}") for n in range(members)]
    grouping = Intake([cloudtrail])
    grouping.feed(day, lambda index, reject: None)
    parts = [score_day(Baselines(CARD), identity_day) for identity_day in grouping.batch[TODAY].values()]
    episode = parts[0]._replace(members=tuple(parts) if members > 1 else ())
    at = NAMES.index("logging_tampered")
    assert claims.without(Baselines(CARD), episode, claims.behind(episode, SIGNALS[at])) == 0.0
