"""The measure of a backfill counts Zoho's calls and the payments that they carried."""

from __future__ import annotations

from pathlib import Path

from bench.backfills import FULL, TINY, Pace, measure, sheets


async def test_a_backfill_is_measured(tmp_path: Path) -> None:
    """Two payments of which nobody was told, carried and counted."""
    found = await measure(TINY, tmp_path / "bench")
    assert found.done is not None
    assert (found.done.completed, found.refused) == (2, 0)
    assert [len(sheet.rows) for sheet in sheets(found)][1:] == [7]


def test_only_the_time_that_counts_is_counted() -> None:
    """Ninety calls a minute after the first twenty seconds, more before; the busiest minute is any minute."""
    calls = [(second, 30 + second * 1.5 if second else 0) for second in range(201)]
    found = Pace(FULL, {}, calls=[(float(at), int(count)) for at, count in calls])
    assert found.span == FULL.seconds
    assert found.per_minute(found.calls) == 90
    assert found.busiest == 120
