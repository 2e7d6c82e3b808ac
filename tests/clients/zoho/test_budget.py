"""What an organisation may still be asked: each decision over its row, with a clock that moves by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clients.zoho.budget import Budget, Hold, Outcome, Rules, after_call, hold, on_entry
from clients.zoho.codec import Limit, Quota

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
RULES = Rules(at_once=5, per_minute=0, reserve=200)
FRESH = Budget("org")


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def told(
    budget: Budget, remaining: int, at: datetime = AT, *, resets: datetime = MIDNIGHT, limit: int = 1000
) -> Budget:
    return after_call(budget, 1, Outcome(at, True, Quota(limit, remaining, resets)), at)


def refused(budget: Budget, code: str, pause: float, busy: int = 1) -> Budget:
    return after_call(budget, busy, Outcome(AT, True, None, Limit(code, pause)), AT)


def test_nothing_is_held_that_nothing_speaks_against() -> None:
    """A new organisation's call goes at once, and so does one beside four others."""
    assert hold(FRESH, 0, RULES, AT) is None
    assert hold(FRESH, 4, RULES, AT) is None


def test_the_fifth_beside_five_waits_for_a_place() -> None:
    """As many calls at once as the setting says."""
    assert hold(FRESH, 5, RULES, AT) == Hold("1070")


@pytest.mark.parametrize(("code", "pause"), [("44", 60.0), ("1070", 2.0), ("45", 3600.0)])
def test_what_one_call_met_holds_all_until_it_is_over(code: str, pause: float) -> None:
    """Nobody else asks meanwhile; afterwards one call tries, and only its good answer lets the others go."""
    budget = refused(FRESH, code, pause)
    assert hold(budget, 0, RULES, after(pause - 1)) == Hold(code, after(pause))
    assert hold(budget, 0, RULES, after(pause)) is None
    assert hold(budget, 1, RULES, after(pause)) == Hold("1070")
    budget = after_call(budget, 1, Outcome(after(pause), True), after(pause + 1))
    assert hold(budget, 1, replace(RULES, at_once=2), after(pause + 3600)) is None


def test_a_good_answer_to_a_call_of_before_the_block_does_not_end_it() -> None:
    """Calls that were in process when the limit was met say nothing about it."""
    budget = after_call(refused(FRESH, "44", 60.0), 1, Outcome(after(-1), True), after(1))
    assert hold(budget, 0, RULES, after(2)) == Hold("44", after(60))


def test_a_call_without_an_answer_ends_no_block() -> None:
    """A broken connection is no word of Zoho's."""
    budget = after_call(refused(FRESH, "44", 60.0), 1, Outcome(after(61)), after(62))
    assert hold(budget, 1, RULES, after(62)) == Hold("1070")


def test_a_longer_block_is_not_shortened() -> None:
    """Of two refusals the later end counts."""
    assert refused(refused(FRESH, "45", 3600.0), "1070", 2.0).blocked_until == after(3600)


def test_calls_at_once_are_learned_down_and_slowly_up_again() -> None:
    """Refused as the fifth: four at once; one more after each ten minutes, never beyond the setting."""
    budget = refused(FRESH, "1070", 2.0, busy=5)
    assert budget.calls_at_once(RULES, after(2)) == 4
    budget = refused(budget, "1070", 2.0, busy=2)
    assert [budget.calls_at_once(RULES, after(minutes * 60)) for minutes in (0, 10, 20, 90)] == [1, 2, 3, 5]
    assert refused(FRESH, "1070", 2.0, busy=1).calls_at_once(RULES, AT) == 1


def test_the_day_is_over_when_the_headers_say_so() -> None:
    """No call is made with nothing left, until the moment the answer named."""
    budget = told(FRESH, 0)
    assert hold(budget, 0, RULES, AT) == Hold("45", MIDNIGHT)
    assert hold(budget, 0, RULES, MIDNIGHT) is None
    assert (budget.left(AT), budget.left(MIDNIGHT)) == (0, None)


@pytest.mark.parametrize(
    ("left", "live", "bulk"), [(201, None, None), (200, None, "45"), (1, None, "45"), (0, "45", "45")]
)
def test_bulk_work_leaves_the_reserve_to_live_payments(left: int, live: str | None, bulk: str | None) -> None:
    """Sweeps and backfills stop at the reserve, payments at zero."""
    budget = told(FRESH, left)
    found = [hold(budget, 0, replace(RULES, bulk=kind), AT) for kind in (False, True)]
    assert [one.code if one else None for one in found] == [live, bulk]


def test_answers_that_overtake_each_other_do_not_give_calls_back() -> None:
    """Within a day the smallest number counts, also where the reset is a second off."""
    budget = told(told(FRESH, 500), 501, after(1), resets=MIDNIGHT + timedelta(seconds=1))
    assert budget.left(after(1)) == 500


def test_a_new_day_and_a_bought_quota_count_anew() -> None:
    """Another reset or another limit is another count; an answer that came late from yesterday is none."""
    budget = told(told(FRESH, 0), 2500, limit=2500)
    assert budget.left(AT) == 2500
    tomorrow = MIDNIGHT + timedelta(days=1)
    budget = told(budget, 999, MIDNIGHT, resets=tomorrow)
    assert budget.left(MIDNIGHT) == 999
    late = told(budget, 3, MIDNIGHT + timedelta(seconds=1), resets=MIDNIGHT)
    assert late.left(MIDNIGHT + timedelta(seconds=1)) == 999


def test_the_forecast_is_the_pace_since_the_days_first_answer() -> None:
    """600 of 1000 used in four hours from noon: gone at 18:40; at half that pace the day lasts."""
    budget = told(told(FRESH, 1000), 400, after(4 * 3600))
    assert budget.gone_at(after(4 * 3600)) == AT + timedelta(hours=4) * (1000 / 600)
    assert told(told(FRESH, 1000), 900, after(4 * 3600)).gone_at(after(4 * 3600)) is None
    assert told(FRESH, 900).gone_at(AT) is None
    assert FRESH.gone_at(AT) is None


@pytest.mark.parametrize("limit", [5, 60, 100, 1000])
def test_in_no_minute_are_there_more_calls_than_the_limit(limit: int) -> None:
    """Callers that ask without end, after an idle hour: at most the limit in any 60 s, at least 85 % of it."""
    rules, budget, times, now = replace(RULES, per_minute=limit), FRESH, [], AT
    while now < after(300):
        if hold(budget, 0, rules, now) is None:
            budget = on_entry(budget, rules, now)
            times.append(now)
        now += timedelta(milliseconds=20)
    busiest = max(sum(begin <= one < begin + timedelta(seconds=60) for one in times) for begin in times)
    assert busiest <= limit
    assert len(times) / 5 >= limit * 0.85
