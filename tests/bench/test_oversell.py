"""The rounds of fifty buyers and ten pieces, once, with all programs as processes."""

from __future__ import annotations

from pathlib import Path

from bench.oversell import BUYERS, PIECES, Told, measure, sheets


async def test_a_round_sells_every_piece_once(tmp_path: Path) -> None:
    """Ten confirmed, forty held; the table says so."""
    told = await measure(1, tmp_path / "home")
    assert (told.confirmed, told.held, told.right) == ([PIECES], [BUYERS - PIECES], 1)
    (sheet,) = sheets(told)
    assert sheet.rows[1] == ("with 10 confirmed and 40 held", "1")


def test_a_piece_sold_twice_is_told() -> None:
    """Eleven of ten is no round that is right, and one that holds back a free piece is none either."""
    told = Told(confirmed=[11, 9, 10], held=[39, 41, 40], seconds=[1.0, 1.0, 1.0], calls=150)
    (sheet,) = sheets(told)
    assert told.right == 1
    assert [row[1] for row in sheet.rows] == ["3", "1", "1", "1", "1.0 and 1.0", "1.0"]
