"""What came back of a sale, priced by the piece: Zoho's own arithmetic gives the refund, and all of it the payment."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import CreditLine, Returned, Sold, SoldLine, credit_lines, returned_lines
from domain.currencies import exponent
from domain.money import Money, total
from domain.orders import OrderLine
from domain.policy import Restock
from domain.totals import RoundingRules, zoho_totals
from tests.domain.test_credits import CAPTURED, SOLD, refund
from tests.domain.test_totals import draft

EUR = Money.of(CAPTURED, "EUR")


def gross_of(lines: tuple[CreditLine, ...]) -> list[tuple[str, int, int]]:
    """Line, pieces and minor units."""
    return [(line.line_item_id, int(line.quantity), line.gross.minor) for line in lines]


def test_one_mug_of_two_with_the_shipping() -> None:
    """Half of what the mugs came to, tax included, restocked; the shipping is no goods."""
    lines = returned_lines(SOLD, EUR, [Returned(line_item_id="l1", quantity=Decimal(1))], shipping=True)
    assert gross_of(lines) == [("l1", 1, 1785), ("", 1, 490)]
    assert [line.restock for line in lines] == [True, False]


def test_damaged_goods_are_credited_and_not_restocked() -> None:
    """The buyer has the money back; nobody can buy the pieces."""
    back = Returned(line_item_id="l1", quantity=Decimal(2), restock=False)
    assert [line.restock for line in returned_lines(SOLD, EUR, [back], shipping=False)] == [False]


@pytest.mark.parametrize(
    "back",
    [
        Returned(line_item_id="l9", quantity=Decimal(1)),
        Returned(line_item_id="l1", quantity=Decimal(3)),
        Returned(line_item_id="l1", quantity=Decimal(1), before=Decimal(2)),
        Returned(line_item_id="l1", quantity=Decimal(-1)),
    ],
)
def test_what_was_not_sold_cannot_come_back(back: Returned) -> None:
    """Another line, or more than is left of it."""
    with pytest.raises(ValueError, match=back.line_item_id):
        returned_lines(SOLD, EUR, [back], shipping=False)


def test_pieces_of_an_odd_price_are_two_lines_of_whole_cents() -> None:
    """10.00 for three pieces: two at 3.33 and one at 3.34, which every organisation keeps."""
    sold = Sold(
        salesorder_id="so",
        status="confirmed",
        lines=(SoldLine(line_item_id="l", item_id="i", quantity=Decimal(3), net=Decimal(10)),),
    )
    lines = credit_lines(sold, refund(1000, captured=1000), Restock.ALWAYS)
    assert gross_of(lines) == [("l", 2, 666), ("l", 1, 334)]


@st.composite
def sales(draw: st.DrawFn) -> tuple[Sold, Money]:
    """A sale of any lines and the money that it brought, which a correction may have parted from its lines."""
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    rates = st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("8.875")])
    lines = [
        SoldLine(
            line_item_id=f"l{number}",
            item_id=f"i{number}",
            quantity=Decimal(draw(st.integers(1, 40))),
            net=Decimal(draw(st.integers(1, 10**6))).scaleb(-exponent(currency)),
            tax_percentage=draw(rates),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    if draw(st.booleans()):
        lines.append(SoldLine(name="Shipping", net=Decimal(draw(st.integers(1, 10**4))).scaleb(-exponent(currency))))
    captured = Money.of(draw(st.integers(10**4, 10**7)), currency)
    return Sold(salesorder_id="so", status="confirmed", lines=tuple(lines)), captured


def zoho_makes(lines: tuple[CreditLine, ...], taxed: dict[str, Decimal], currency: str) -> Decimal:
    """The total of a tax inclusive credit note in an organisation that keeps no more than the currency's decimals."""
    precision = exponent(currency)
    step = Decimal(1).scaleb(-precision)
    note = draft(
        *(
            OrderLine(
                line_id=line.line_item_id,
                quantity=int(line.quantity),
                rate=(line.gross.decimal() / line.quantity).quantize(step),
                discount=Money.of(0, currency),
                tax_percentage=taxed.get(line.line_item_id),
            )
            for line in lines
        ),
        inclusive=True,
    )
    return zoho_totals(note, RoundingRules(price_precision=precision, rate_decimals=precision)).total


@given(sales(), st.data())
def test_returns_in_any_parts_come_to_the_payment(sale: tuple[Sold, Money], data: st.DataObject) -> None:
    """However many returns there are: each note is what Zoho makes of it, and together they are what was captured."""
    sold, captured = sale
    taxed = {line.line_item_id: line.tax_percentage for line in sold.lines}
    goods = [line for line in sold.lines if line.item_id]
    before = dict.fromkeys((line.line_item_id for line in goods), Decimal(0))
    refunded: list[Money] = []
    for shipping in (True, False, False):
        last = len(refunded) == 2
        back = []
        for line in goods:
            left = int(line.quantity - before[line.line_item_id])
            pieces = Decimal(left if last else data.draw(st.integers(0, left)))
            back.append(Returned(line_item_id=line.line_item_id, quantity=pieces, before=before[line.line_item_id]))
            before[line.line_item_id] += pieces
        lines = returned_lines(sold, captured, back, shipping=shipping)
        amount = total((line.gross for line in lines), captured.currency)
        assert zoho_makes(lines, taxed, captured.currency) == amount.decimal()
        refunded.append(amount)
    assert total(refunded, captured.currency) == captured


@given(sales())
def test_a_whole_refund_is_what_zoho_makes_of_its_note(sale: tuple[Sold, Money]) -> None:
    """Whatever the payment brought, and however few decimals of a unit price the organisation keeps."""
    sold, captured = sale
    taxed = {line.line_item_id: line.tax_percentage for line in sold.lines}
    whole = refund(captured.minor, captured=captured.minor, currency=captured.currency)
    lines = credit_lines(sold, whole, Restock.ALWAYS)
    assert zoho_makes(lines, taxed, captured.currency) == captured.decimal()
