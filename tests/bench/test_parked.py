"""The measure of payments that wait for people parks, lists, answers and carries what it says."""

from __future__ import annotations

from pathlib import Path

from bench.parked import measure, sheets


async def test_every_parked_payment_is_listed_answered_and_paid(tmp_path: Path) -> None:
    """Of four that wait one is answered alone; the other three are listed and taken by one command."""
    found = await measure(4, 1, tmp_path / "bench")
    assert (len(found.carried), found.listed, found.resolved) == (1, 3, 3)
    assert 0 < found.resolving < found.closing
    assert [len(sheet.rows) for sheet in sheets(found)][1:] == [2, 4]
