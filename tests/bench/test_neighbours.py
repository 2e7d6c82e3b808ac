"""The measure of neighbours carries the others' payments beside a noisy one's, and heals what nobody was told of."""

from __future__ import annotations

from pathlib import Path

from bench.neighbours import TINY, measure, sheets


async def test_the_others_are_carried_beside_a_noisy_one(tmp_path: Path) -> None:
    """A shop's payment alone, beside two of another, and one that a sweep has to find."""
    found = await measure(TINY, tmp_path / "bench")
    assert (len(found.alone), len(found.beside), len(found.again), len(found.healing)) == (1, 1, 1, 1)
    assert 0 < found.sweeping[0] < found.healing[0]
    assert found.refused == 0
    assert [len(sheet.rows) for sheet in sheets(found)][1:] == [4, 2]
