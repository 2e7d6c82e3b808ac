"""How much a backfill may start, and when it will be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backfills import Quota, forecast, overlap, room

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "busy", "places"),
    [
        (None, 0, 20),  # nobody knows: the calls themselves are refused before the reserve is touched
        (None, 18, 2),
        (10_000, 0, 20),
        (280, 0, 10),  # 80 calls above the reserve are ten payments
        (280, 7, 3),
        (207, 0, 0),
        (200, 0, 0),
        (0, 0, 0),
    ],
)
def test_a_payment_is_started_only_where_the_day_has_its_calls(left: int | None, busy: int, places: int) -> None:
    """What is under way has its calls set aside; the reserve is never counted."""
    assert room(Quota(left=left), busy, at_once=20, calls_each=8, reserve=200) == places


@pytest.mark.parametrize(
    ("payments", "per_minute", "done"),
    [
        (0, 15, NOON),
        (100, 0, NOON),  # 800 calls, and the day has 1,800
        (100, 15, NOON + timedelta(minutes=800 / 15)),
        (225, 0, NOON),
        # 1,808 calls: eight are left for tomorrow
        (226, 0, MIDNIGHT),
        (226, 15, MIDNIGHT + timedelta(minutes=8 / 15)),
        # 1,800 today and 2,300 each day: 6,400 calls are done the day after tomorrow
        (800, 0, MIDNIGHT + timedelta(days=1)),
    ],
)
def test_the_forecast_counts_days(payments: int, per_minute: int, done: datetime) -> None:
    """What the day leaves above the reserve, then whole days, each as long as the pace allows."""
    quota = Quota(left=2000, limit=2500, resets_at=MIDNIGHT)
    found = forecast(payments, quota, NOON, calls_each=8, reserve=200, per_minute=per_minute)
    assert found is not None
    assert abs(found - done) < timedelta(seconds=1)


def test_a_day_that_leaves_nothing_is_never_done() -> None:
    """A reserve as large as the day is no plan; and where nothing is known, nothing is promised."""
    quota = Quota(left=100, limit=200, resets_at=MIDNIGHT)
    assert forecast(1, quota, NOON, calls_each=8, reserve=200, per_minute=15) is None
    assert forecast(1, Quota(), NOON, calls_each=8, reserve=200, per_minute=0) is None
    assert forecast(30, Quota(), NOON, calls_each=8, reserve=200, per_minute=15) == NOON + timedelta(minutes=16)


@given(
    payments=st.integers(0, 20_000),
    left=st.integers(0, 5000),
    reserve=st.integers(0, 500),
    per_minute=st.integers(0, 100),
)
def test_nobody_is_promised_more_than_the_days_have(payments: int, left: int, reserve: int, per_minute: int) -> None:
    """By the promised moment the days until then have had room for every call, and one day less would not have."""
    quota = Quota(left=left, limit=5000, resets_at=MIDNIGHT)
    done = forecast(payments, quota, NOON, calls_each=8, reserve=reserve, per_minute=per_minute)
    assert done is not None
    calls, today, each = payments * 8, max(0, left - reserve), 5000 - reserve
    if per_minute:
        today, each = min(today, per_minute * 720), min(each, per_minute * 1440)
    days = ceil(max(0, calls - today) / each)
    assert done >= NOON
    assert (done < MIDNIGHT + timedelta(days=days)) or (days == 0 and done <= MIDNIGHT) or per_minute in (0, 1, 2, 3)
    assert done <= MIDNIGHT + timedelta(days=max(0, days), seconds=1)


def test_ranges_share_a_moment_or_do_not() -> None:
    """The end of a range is not part of it."""
    day = timedelta(days=1)
    assert overlap(NOON, NOON + day, NOON + day / 2, NOON + 2 * day)
    assert overlap(NOON, NOON + 3 * day, NOON + day, NOON + 2 * day)
    assert not overlap(NOON, NOON + day, NOON + day, NOON + 2 * day)
