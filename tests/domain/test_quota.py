"""A day of Zoho calls, shared out and forecast: facts that hold for any numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.quota import bulk_resumes, kept_for_live, live_pace, moment, slid, used_up_at

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, 23, tzinfo=UTC)
counts, hours = st.integers(0, 20_000), st.floats(0, 24)


@given(counts, counts, hours, st.integers(0, 1000))
def test_what_is_kept_shrinks_with_the_day_and_ends_as_the_reserve(
    today: int, before: int, left: float, reserve: int
) -> None:
    """A shop like yesterday's leaves bulk work ever more as its day goes by."""
    remaining = timedelta(hours=left)
    pace = live_pace(today, before, remaining)
    kept = kept_for_live(reserve, pace, remaining)
    assert kept >= kept_for_live(reserve, pace, remaining / 2) >= reserve
    assert kept_for_live(reserve, pace, timedelta(0)) == reserve
    assert live_pace(today + 1, before, remaining) >= pace >= before / 24


def test_two_payments_just_after_midnight_are_no_rush() -> None:
    """The first hour counts as a whole one: ten calls in the first minute are ten an hour."""
    assert live_pace(10, 0, timedelta(hours=23, minutes=59)) == 10
    assert live_pace(10, 2400, timedelta(hours=23, minutes=59)) == 100
    assert live_pace(1200, 0, timedelta(hours=12)) == 100


@given(st.integers(1, 10_000), st.integers(0, 1000), st.floats(0.1, 2000))
def test_bulk_work_that_waits_finds_calls_when_it_resumes(left: int, reserve: int, pace: float) -> None:
    """Where live payments go on as they did, there is something left for it then; at the day's end at the latest."""
    at = bulk_resumes(left, reserve, pace, NOON, MIDNIGHT)
    assert NOON < at <= MIDNIGHT
    if at < MIDNIGHT:
        assert kept_for_live(reserve, pace, MIDNIGHT - at) < left


@given(st.integers(0, 10_000), st.floats(0, 100))
def test_an_older_pace_is_told_of_half_an_hour_and_stays_what_it_was(used: int, span: float) -> None:
    """Up to an hour nothing changes; after it the same pace is that of about the last half hour."""
    since = NOON - timedelta(hours=span)
    fewer, later = slid(used, since, NOON)
    if span <= 1:
        assert (fewer, later) == (used, since)
    elif fewer:
        assert fewer / (NOON - later).total_seconds() == pytest.approx(used / (NOON - since).total_seconds())
    else:
        assert used * 0.5 / span <= 0.5


def test_a_few_calls_are_no_forecast() -> None:
    """A pace is that of half an hour at least: ten calls within a second do not end the day."""
    assert used_up_at(10, NOON - timedelta(seconds=1), 500, NOON, MIDNIGHT) is None
    assert used_up_at(100, NOON - timedelta(seconds=1), 500, NOON, MIDNIGHT) == NOON + timedelta(hours=2.5)
    assert used_up_at(0, NOON - timedelta(hours=1), 500, NOON, MIDNIGHT) is None


def test_moments_are_told_in_the_shops_own_time() -> None:
    """And in UTC where nobody knows it, or the name means nothing."""
    assert moment(MIDNIGHT, "Europe/Berlin") == "2026-11-26 00:00 Europe/Berlin (23:00 UTC)"
    assert moment(MIDNIGHT, "") == moment(MIDNIGHT, "Atlantis/Capital") == "2026-11-25 23:00 UTC"
