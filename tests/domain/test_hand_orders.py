"""Which of Zoho's orders may be a payment's, entered by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.documents import OrderDocumentLine
from domain.hand_orders import FoundBy, HandOrders, HandQuery, OrderRow, fitted, sorted_out
from domain.money import Money

DAY = date(2026, 10, 31)
TOTAL = Money.of(4990, "EUR")


def row(**changes: Any) -> OrderRow:
    """An order of the customer that fits."""
    usual = {"salesorder_id": "1", "number": "H-1", "status": "confirmed", "contact_id": "c", "day": DAY}
    return OrderRow(**{**usual, "total": TOTAL, **changes})


def found(found_by: FoundBy, *rows: OrderRow, known: dict[str, str] | None = None) -> HandOrders:
    """What becomes of Zoho's answer."""
    wanted = HandQuery(
        connection="shop",
        payment_id="pi_1",
        found_by=found_by,
        words="x",
        order_ref="o",
        total=TOTAL,
        charge_id="ch_1",
    )
    return sorted_out(rows, known or {}, wanted, DAY)


@pytest.mark.parametrize(
    "other",
    [
        {"total": Money.of(4991, "EUR")},
        {"total": Money.of(4990, "USD")},
        {"total": None},
        {"day": DAY + timedelta(days=4)},
        {"day": DAY - timedelta(days=4)},
        {"day": None},
        {"status": "void"},
        {"reference": "pi_other"},
        {"number": "SO-1"},  # what we write ourselves: found by its number, not by its looks
    ],
)
def test_only_the_very_amount_of_these_days_is_alike(other: dict[str, Any]) -> None:
    """A cent, a currency, four days, a void order, another payment's: none of them is asked about."""
    assert found(FoundBy.CUSTOMER, row(**other)) == HandOrders()


@pytest.mark.parametrize("days", [-3, 0, 3])
def test_an_order_of_about_that_day_is_asked_about(days: int) -> None:
    """Three days before or after, over the end of a month too."""
    alike = row(day=DAY + timedelta(days=days), reference="phone order")
    assert found(FoundBy.CUSTOMER, alike) == HandOrders(alike=(alike,))


def test_an_order_that_names_payment_or_charge_is_sure() -> None:
    """Whatever it looks like, and so is one that was taken for this payment before."""
    for one in (row(reference="ch_1", day=None), row(reference="pi_1")):
        assert found(FoundBy.CUSTOMER, row(salesorder_id="2"), one).sure == one
    taken = row(reference="phone")
    assert found(FoundBy.CUSTOMER, taken, known={"1": "pi_1"}).sure == taken
    assert found(FoundBy.REFERENCE, row(status="void"), row(salesorder_id="2")).sure == row(salesorder_id="2")


def test_what_we_wrote_ourselves_nobody_entered() -> None:
    """Under our number and the payment's reference; void, it counts no more."""
    own = row(number="SO-1", reference="pi_1")
    for found_by in (FoundBy.REFERENCE, FoundBy.CUSTOMER):
        assert found(found_by, row(salesorder_id="2"), own) == HandOrders(own=True)
    assert found(FoundBy.REFERENCE, own.model_copy(update={"status": "void"})) == HandOrders()


def test_lines_fit_by_item_and_pieces_in_any_order() -> None:
    """The ids come in the order of the payment's lines; one piece more or one line more fits no longer."""
    lines = [
        OrderDocumentLine(line_item_id=name, item_id=item, quantity=Decimal(count))
        for name, item, count in (("a", "mug", 1), ("b", "tea", 2), ("c", "mug", 3))
    ]
    assert fitted(lines, [("mug", 3), ("mug", 1), ("tea", 2)]) == ("c", "a", "b")
    assert fitted(lines, [("mug", 3), ("mug", 1)]) == ()
    assert fitted(lines, [("mug", 3), ("mug", 1), ("tea", 3)]) == ()
    assert fitted([], []) == ()
