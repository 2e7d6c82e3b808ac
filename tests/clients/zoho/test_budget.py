"""What an organisation may still be asked: each decision over its row, with a clock that moves by hand."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.zoho.budget import Budget, Hold, Outcome, Rules, after_call, hold, on_entry
from clients.zoho.codec import Limit, Quota

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
RULES = Rules(at_once=5, per_minute=0, reserve=200)
FRESH = Budget("org")


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def told(
    budget: Budget,
    remaining: int,
    at: datetime = AT,
    *,
    resets: datetime = MIDNIGHT,
    limit: int = 1000,
    bulk: bool = False,
) -> Budget:
    return after_call(budget, 1, Outcome(at, True, Quota(limit, remaining, resets), bulk=bulk), at)


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
    budget = told(FRESH, left, bulk=True)
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


def test_the_forecast_is_the_pace_of_the_last_hour() -> None:
    """600 of 1000 used in four hours from noon: gone at 18:40; at a sixth of that pace the day lasts."""
    budget = told(told(FRESH, 1000), 400, after(4 * 3600))
    assert budget.gone_at(after(4 * 3600)) == AT + timedelta(hours=4) * (1000 / 600)
    assert budget.short(after(4 * 3600)) == MIDNIGHT - AT - timedelta(hours=4) * (1000 / 600)
    lasts = told(told(FRESH, 1000), 900, after(4 * 3600))
    assert (lasts.gone_at(after(4 * 3600)), lasts.short(after(4 * 3600))) == (None, timedelta(0))
    assert told(FRESH, 900).gone_at(AT) is None
    assert FRESH.gone_at(AT) is None


def hour(budget: Budget, begin: int, calls: int, *, bulk: bool = False) -> Budget:
    """An hour with so many calls, evenly spread, that begins `begin` hours after AT."""
    for number in range(1, calls + 1):
        assert budget.day_left is not None
        at = after(begin * 3600 + number * 3600 / calls)
        budget = told(budget, budget.day_left - 1, at, limit=5000, bulk=bulk)
    return budget


def test_a_rush_is_seen_within_the_hour_and_forgotten_after_it() -> None:
    """Ten calls an hour, then a rush of 600: the forecast follows; an hour of quiet later the day lasts again."""
    budget = told(FRESH, 3000, limit=5000)
    for begin in range(3):
        budget = hour(budget, begin, 10)
    assert budget.gone_at(after(3 * 3600)) is None
    budget = hour(budget, 3, 600)
    gone = budget.gone_at(after(4 * 3600))
    assert gone is not None
    pace = 2370 / ((gone - after(4 * 3600)) / timedelta(hours=1))
    assert 450 < pace <= 600
    assert hour(budget, 4, 10).gone_at(after(5 * 3600)) != gone
    assert hour(hour(budget, 4, 10), 5, 10).gone_at(after(6 * 3600)) is None


def test_who_falls_silent_is_not_forecast_into_the_past() -> None:
    """Two hours after the last answer the moment is still ahead, or the day lasts: silence is a pace, too."""
    budget = hour(told(FRESH, 1500, limit=5000), 0, 600)
    for hours in (1, 2, 5):
        gone = budget.gone_at(after(hours * 3600))
        assert gone is None or gone > after(hours * 3600)


def test_work_in_bulk_is_no_part_of_the_forecast() -> None:
    """A backfill that uses hundreds of calls an hour stops at what is kept: payments run into no end of the day."""
    budget = told(FRESH, 3000, limit=5000)
    assert hour(budget, 0, 600, bulk=True).gone_at(after(3600)) is None
    mixed = budget
    for number in range(1, 601):
        assert mixed.day_left is not None
        mixed = told(mixed, mixed.day_left - 1, after(number * 6), limit=5000, bulk=number % 2 == 0)
    gone = mixed.gone_at(after(3600))
    assert gone is not None
    assert (gone - after(3600)) / timedelta(hours=1) == pytest.approx(2400 / 300, rel=0.05)


def test_live_calls_are_counted_by_days() -> None:
    """Today's and those of the day before; calls in bulk, and those without an answer, are not among them."""
    budget = hour(told(FRESH, 1000, limit=5000), 0, 5)
    budget = hour(after_call(budget, 1, Outcome(AT), AT), 1, 7, bulk=True)
    assert (budget.live_today, budget.live_before) == (6, 0)
    bought = told(budget, 9000, after(3 * 3600), limit=10_000)
    assert (bought.live_today, bought.live_before) == (7, 0)
    tomorrow = MIDNIGHT + timedelta(days=1)
    assert (told(bought, 10_000, MIDNIGHT, resets=tomorrow, limit=10_000).live_today) == 1
    assert (told(bought, 10_000, MIDNIGHT, resets=tomorrow, limit=10_000).live_before) == 7


def test_bulk_work_leaves_what_payments_will_want_until_midnight() -> None:
    """2,400 live calls yesterday are 100 an hour: at noon 1,100 are kept for eleven hours, and 200 on top."""
    bulk, budget = replace(RULES, bulk=True), replace(told(FRESH, 1301, bulk=True), live_before=2400)
    assert (budget.kept(RULES, AT), hold(budget, 0, bulk, AT)) == (1300, None)
    budget = told(budget, 1200, bulk=True)
    # An hour later, and some seconds, the 1,200 that are left are more than what the last ten hours want.
    assert hold(budget, 0, bulk, AT) == Hold("45", after(3618))
    assert hold(budget, 0, RULES, AT) is None
    assert hold(budget, 0, bulk, after(3618)) is None
    # A shop that is busier than yesterday keeps more: 2,600 in the day's first thirteen hours are 200 an hour.
    busy = replace(budget, live_today=2600)
    assert hold(told(busy, 2000, bulk=True), 0, bulk, after(3600)) is not None


@pytest.mark.parametrize("limit", [5, 60, 100, 1000])
def test_in_no_minute_are_there_more_calls_than_the_limit(limit: int) -> None:
    """Callers that ask without end, after an idle hour: at most the limit in any 60 s, at least 88 % of it."""
    rules, budget, times, now = replace(RULES, per_minute=limit), FRESH, [], AT
    while now < after(300):
        if hold(budget, 0, rules, now) is None:
            budget = on_entry(budget, rules, now)
            times.append(now)
        now += timedelta(milliseconds=20)
    assert busiest(times) <= limit
    assert len(times) / 5 >= limit * 0.88


BULK = replace(RULES, per_minute=100, bulk=True)
LIVE = replace(BULK, bulk=False)
INTERVAL = timedelta(seconds=60 / 92)


def entries(wanted: list[float], *, bulk_from: float | None, seconds: float) -> tuple[list[datetime], list[datetime]]:
    """When live calls that are `wanted` at these seconds were let in, and when bulk ones that never stop asking."""
    budget, now, waiting = FRESH, AT, sorted(wanted)
    live: list[datetime] = []
    bulk: list[datetime] = []
    while now < after(seconds):
        # Bulk asks first at each moment, which is the worse case for live calls.
        if bulk_from is not None and now >= after(bulk_from) and hold(budget, 0, BULK, now) is None:
            budget = on_entry(budget, BULK, now)
            bulk.append(now)
        while waiting and after(waiting[0]) <= now and hold(budget, 0, LIVE, now) is None:
            budget = on_entry(budget, LIVE, now)
            live.append(now)
            waiting.pop(0)
        now += timedelta(milliseconds=20)
    return live, bulk


def busiest(times: list[datetime]) -> int:
    """The most calls in any minute."""
    times = sorted(times)
    return max(bisect_left(times, begin + timedelta(seconds=60)) - place for place, begin in enumerate(times))


@given(wanted=st.lists(st.floats(0, 100), max_size=120))
@settings(max_examples=15, deadline=None)
def test_a_live_call_waits_for_bulk_work_one_interval_at_most(wanted: list[float]) -> None:
    """Bulk work that takes all it can get delays none by more than 0.65 s, and 100 a minute hold."""
    alone, _ = entries(wanted, bulk_from=None, seconds=200)
    beside, bulk = entries(wanted, bulk_from=0, seconds=200)
    assert len(alone) == len(beside) == len(wanted)
    tick = timedelta(milliseconds=20)
    assert all(late - soon <= INTERVAL + tick for soon, late in zip(alone, beside, strict=True))
    assert busiest([*beside, *bulk]) <= 100


def test_a_quiet_shop_gives_its_minute_and_takes_it_back_at_once() -> None:
    """Two quiet minutes: 91 a minute and more for bulk. Then a rush: within 3 s bulk has nothing. Then bulk again."""
    rush = [120 + number * 0.5 for number in range(120)]
    live, bulk = entries(rush, bulk_from=0, seconds=300)

    def count(times: list[datetime], begin: float, end: float) -> int:
        return sum(after(begin) <= one < after(end) for one in times)

    assert count(bulk, 0, 120) >= 2 * 91
    assert count(bulk, 123, 180) == 0
    assert count(live, 120, 180) >= 90
    over = (live[-1] - AT).total_seconds()
    assert over < 204
    assert count(bulk, over + 5, over + 65) >= 91
    assert busiest([*live, *bulk]) <= 100


@pytest.mark.parametrize("late", [0.02, 0.1, 0.5])
def test_a_caller_that_comes_a_little_late_loses_nothing(late: float) -> None:
    """Each wakes some time after its turn has come: in five minutes bulk work still makes 91 calls a minute."""
    budget, now, times = FRESH, AT, []
    while now < after(300):
        assert hold(budget, 0, BULK, now) is None
        budget = on_entry(budget, BULK, now)
        times.append(now)
        assert budget.next_at is not None
        now = max(budget.next_at + timedelta(seconds=late), now + timedelta(milliseconds=1))
    assert len(times) / 5 >= 91
    assert busiest(times) <= 94


def test_bulk_work_leaves_half_of_the_places_at_once() -> None:
    """Of five calls in process two are bulk's at most, however slow they are; a place that is alone it may have."""
    assert [hold(FRESH, busy, BULK, AT) for busy in (0, 1, 2)] == [None, None, Hold("1070")]
    assert hold(FRESH, 4, LIVE, AT) is None
    assert hold(FRESH, 0, replace(BULK, at_once=1), AT) is None
