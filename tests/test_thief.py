"""The bench of a thief who has read the code: what it plays, what it counts as found, what it writes."""

from __future__ import annotations

from functools import cache

import pytest

from nhi_watch.detect import ranking
from nhi_watch.intake.sources import every
from nhi_watch.state.store import MemoryStore
from nhi_watch_lab.evaluation import thief
from nhi_watch_lab.simulator.basics import dice

ROW = {row.name: row for row in thief.ROWS}
TOR = ROW["Tor, a hoster"]
OWN = ROW["the victim's own place and client"]
THIRDS = ROW["in thirds over three days: a near network"]


@cache
def ground() -> thief.Ground:
    return thief.Ground(9101, 30)


def test_a_new_user_with_a_key_made_from_tor_is_listed_and_one_read_at_home_is_not() -> None:
    victim = ground().victims("AWS role", young=False)[0]
    played = thief.played(ground(), TOR, "AWS role", "new user with a key", victim, "tor")
    assert [answer.found for answer in ground().answers([played])] == [True]
    hand = thief.Hand(ground(), victim, "own", OWN, dice(1))
    usual = hand.play(hand.usual(1), thief.LEARNT)
    theft = frozenset({usual[0].record["eventID"]})
    assert ground().answers([thief.Play(usual, theft)]) == [thief.Answer(False, 0.0, ())]


@pytest.mark.parametrize("product", ["AWS role", "Kubernetes", "Entra app", "GitHub token"])
def test_every_record_of_an_attack_is_read_as_the_victims_own(product: str) -> None:
    victim = ground().victims(product, young=False)[0]
    hand = thief.Hand(ground(), victim, "own", OWN, dice(1))
    unread = []
    for attack in thief.ATTACKS[product].values():
        unread += [line for steps in hand.theft(attack) for line in hand.play(steps, thief.LEARNT)]
    events = [next(s for s in every() if s.claims(line.record)).read(line.record) for line in unread]
    usual = hand.play(hand.usual(1), thief.LEARNT)[0].record
    mine = next(s for s in every() if s.claims(usual)).read(usual)
    workflow = {"workflow"} if product == "GitHub token" else set()  # the run that a push starts is its repository's
    assert {e.identity.id for e in events if e.identity.kind not in workflow} == {mine.identity.id}
    assert {e.network for e in events if e.network and e.identity.kind not in workflow} == {mine.network}


def test_thirds_are_three_days_and_a_single_call_is_not_done_thrice() -> None:
    hand = thief.Hand(ground(), ground().victims("AWS role", young=False)[0], "near", THIRDS, dice(1))
    assert [len(day) for day in hand.theft(thief.ATTACKS["AWS role"]["secrets"])] == [3, 4, 4]
    assert [len(day) for day in hand.theft(thief.ATTACKS["AWS role"]["trail stopped"])] == [0, 0, 1]


QUARTER = ROW["a quarter of the theft on the eve: the victim's own place"]
PREPARED = ROW["a tenth of the theft on each of three days before: a hoster, a household"]


@pytest.mark.parametrize("row", [QUARTER, PREPARED, THIRDS])
def test_what_is_added_to_open_days_is_judged_as_if_every_day_was_lived_through(row: thief.Row) -> None:
    victim, built = ground().victims("AWS role", young=False)[0], ground()
    play = thief.played(built, row, "AWS role", "secrets", victim, row.places[0])
    midnight, store = built.tenant.company.midnight, MemoryStore()
    budget = 1000 * (ranking.week_allowance(10, built.ordinary.identities) + 1) / (7 * built.ordinary.identities)
    is_early = False
    for number, day in enumerate(built.tenant.days()):
        usual = [line.record for line in day.lines if line.product in thief.LOGS]
        stolen = [line.record for line in play.lines if midnight(number) <= line.second < midnight(number + 1)]
        result = built._run(store, [*usual, *stolen], budget)
        rows = [n for n in result.standing if n["listed"]]
        is_early |= number < thief.LEARNT and any(not play.prepared.isdisjoint(n["record_ids"]) for n in rows)
    wanted = thief._answer([n for n in (*result.standing, *result.below) if n["kind"] == "compromise"], play.theft)
    assert built.answers([play]) == [wanted._replace(is_early=is_early)]


def test_a_thief_whose_preparation_has_a_row_is_shown() -> None:
    assert thief.Told("", "AWS role", "secrets", found=False, likelihood=0.0, signals=(), is_early=True).is_shown
    prepared = ROW["a tenth of the theft on each of three days before: a hoster, a household"]
    seen = [thief.Told(prepared.name, "AWS role", str(n), False, 0.0, (), is_early=n < 3) for n in range(4)]
    assert [line.split("|")[2].strip()[:6] for line in thief._lines(prepared, seen)] == ["0.75 (", "0 of 1"]
