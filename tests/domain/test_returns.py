"""Returns of one order, whichever come to money and in which order: their pieces, their worth, and what is for sale."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.credits import CreditLine, Sold, SoldLine, returned_lines
from domain.money import Money, total
from domain.pieces import is_all, pieces_of
from domain.returns import ReturnLine, ReturnSeen


@st.composite
def sales(draw: st.DrawFn) -> tuple[Sold, Money]:
    """A sale of up to three lines with shipping, and what was captured, a little beside what its lines come to."""
    lines = [
        SoldLine(
            line_item_id=f"in{number}",
            order_line_id=f"so{number}",
            item_id=f"i{number}",
            quantity=Decimal(draw(st.integers(1, 12))),
            net=Decimal(draw(st.integers(1, 10**5))).scaleb(-2),
            tax_percentage=draw(st.sampled_from([Decimal(0), Decimal(7), Decimal(19)])),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        lines.append(SoldLine(name="Shipping", net=Decimal(draw(st.integers(1, 999))).scaleb(-2)))
    weight = sum(line.weight for line in lines)
    captured = weight // 10**6 + draw(st.integers(0, 3)) + 100
    return Sold(salesorder_id="so", status="confirmed", lines=tuple(lines)), Money.of(captured, "EUR")


def goods_of(sold: Sold) -> list[SoldLine]:
    """The lines that pieces can come back of."""
    return [line for line in sold.lines if line.order_line_id]


def drawn_return(data: st.DataObject, sold: Sold, left: dict[str, int], number: int, *, last: bool) -> ReturnSeen:
    """Some of the pieces that are left, receivable and credit-only ones; all of them where it is the last."""
    rows = []
    for line in goods_of(sold):
        rest = left[line.order_line_id]
        pieces = rest if last else data.draw(st.integers(0, rest))
        damaged = data.draw(st.integers(0, pieces))
        rows.append(
            ReturnLine(
                line_id=f"sr{number}-{line.order_line_id}",
                item_id=line.item_id,
                order_line_id=line.order_line_id,
                quantity=Decimal(pieces - damaged),
                credit_only=Decimal(damaged),
            )
        )
    return ReturnSeen(return_id=f"sr{number}", number=f"RMA-{number}", status="approved", lines=tuple(rows))


def credit(sold: Sold, captured: Money, seen: ReturnSeen, earlier: list[ReturnSeen]) -> tuple[CreditLine, ...]:
    """What a return gives back after those that money went back for, the shipping with the last of them."""
    pieces = pieces_of(seen, earlier, sold)
    return returned_lines(sold, captured, pieces, shipping=is_all([*earlier, seen], sold))


@given(sales(), st.data())
def test_all_pieces_of_any_returns_come_to_the_payment(sale: tuple[Sold, Money], data: st.DataObject) -> None:
    """Whichever of the returns that are entered come to nothing: those that are paid come to what was captured.

    No piece is worth more than its share of its line, rounded up; none that is credited only is for sale again.
    """
    sold, captured = sale
    left = {line.order_line_id: int(line.quantity) for line in goods_of(sold)}
    worth = dict(zip(sold.lines, captured.split([line.weight for line in sold.lines]), strict=True))
    paid: list[ReturnSeen] = []
    given_back: list[CreditLine] = []
    for number in range(data.draw(st.integers(0, 4)) + 1):
        seen = drawn_return(data, sold, left, number, last=False)
        if data.draw(st.booleans()) or not any(row.pieces for row in seen.lines):
            continue  # declined, or deleted: nothing went back for it; one of no pieces Zoho does not take
        lines = credit(sold, captured, seen, paid)
        for row in seen.lines:
            left[row.order_line_id] -= int(row.pieces)
            line = next(one for one in goods_of(sold) if one.order_line_id == row.order_line_id)
            mine = [one for one in lines if one.line_item_id == line.line_item_id]
            share = Fraction(worth[line].minor) * Fraction(row.pieces) / Fraction(line.quantity)
            assert abs(sum(one.gross.minor for one in mine) - share) <= 1
            assert sum(one.quantity for one in mine if one.restock) <= row.quantity
            assert all(one.gross.minor >= 0 for one in mine)
        paid.append(seen)
        given_back += lines
    if any(left.values()):
        given_back += credit(sold, captured, drawn_return(data, sold, left, 9, last=True), paid)
    assert total((line.gross for line in given_back), "EUR") == captured


@given(sales(), st.data())
def test_what_is_credited_only_is_never_for_sale_again(sale: tuple[Sold, Money], data: st.DataObject) -> None:
    """However much of it there is, and beside how many good pieces."""
    sold, captured = sale
    left = {line.order_line_id: int(line.quantity) for line in goods_of(sold)}
    seen = drawn_return(data, sold, left, 1, last=True)
    restocked: dict[str, Decimal] = {}
    for line in credit(sold, captured, seen, []):
        if line.restock:
            restocked[line.salesreturn_item_id] = restocked.get(line.salesreturn_item_id, Decimal(0)) + line.quantity
    assert all(restocked.get(row.line_id, Decimal(0)) <= row.quantity for row in seen.lines)
