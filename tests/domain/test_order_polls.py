"""When a page of a list proves that no later page is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.order_polls import ListedRow, reaches_back

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
AGES = st.lists(st.integers(0, 60), max_size=8)


def rows(ages: list[int]) -> list[ListedRow]:
    """A page of documents that were changed so many minutes ago."""
    return [ListedRow(document_id=str(place), modified=NOON - timedelta(minutes=age)) for place, age in enumerate(ages)]


@given(AGES, st.integers(0, 60))
def test_a_sorted_page_that_ends_before_the_last_poll_ends_the_walk(ages: list[int], since: int) -> None:
    """One that is not sorted proves nothing, nor does an empty one, nor one that ends later."""
    wanted = NOON - timedelta(minutes=since)
    ends = bool(ages) and ages == sorted(ages) and ages[-1] > since
    assert reaches_back(rows(ages), wanted) == ends


@given(AGES)
def test_a_row_without_its_time_proves_nothing(ages: list[int]) -> None:
    """Zoho may leave it out: then all pages are read."""
    page = [*rows(sorted(ages)), ListedRow(document_id="x")]
    assert not reaches_back(page, NOON + timedelta(days=1))
