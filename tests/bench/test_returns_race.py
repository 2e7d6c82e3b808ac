"""A round of each kind of race for a payment's money, with all programs as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.races import A_LAMP, PAID, Kind, Race, trail_differs
from bench.returns_race import Told, measure, sheets
from cli.ledger_check import Violation


@pytest.mark.timeout(300)
async def test_each_race_leaves_one_refund_out(tmp_path: Path) -> None:
    """Returns by Zoho's own webhooks and list, refunds by Stripe's: nothing is wrong, and the table says so."""
    told = await measure(len(Kind), tmp_path / "home", shops=len(Kind))
    assert [str(one) for one in told.wrong] == []
    assert {race.kind for race in told.races} == set(Kind)
    assert all(len(race.stood) == len(race.returns) and sum(race.stood) < PAID for race in told.races)
    _, sheet = sheets(told)
    assert [(row[1], row[4]) for row in sheet.rows] == [("1", "0")] * len(Kind)


def test_an_effect_that_the_trail_has_twice_is_told() -> None:
    """And one that it lacks; a round that is wrong counts as such."""
    race = Race(Kind.TOLD_TWICE, "pi_1", ("sr1",), stood=(A_LAMP,), dashboard=False)
    steps = ["give_back#0@sr1", "credit_note@sr1", "credit_note_refund@sr1"]
    assert list(trail_differs([race], [("pi_1", step) for step in steps])) == []
    twice = [("pi_1", step) for step in [*steps, "credit_note@sr1"]]
    assert [str(one) for one in trail_differs([race], twice)] == [
        "I10 pi_1: has 2 entries of credit_note@sr1 in the audit trail, not one"
    ]
    race.violations += trail_differs([race], [("pi_1", step) for step in steps[1:]])
    told = Told(races=[race], seconds=[1.0], violations=[Violation("I10", "shop", "broken")])
    (sheet,) = sheets(told)
    assert (len(told.wrong), sheet.rows[0]) == (2, (Kind.TOLD_TWICE.value, "1", "0", "1", "1"))
