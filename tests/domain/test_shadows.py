"""How an order that stands differs from the one that would be written, field by field."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hand_orders import OrderRow
from domain.mapping import map_order
from domain.mapping_policy import MappingPolicy
from domain.money import Money
from domain.orders import OrderDraft
from domain.shadows import StandingLine, StandingSale, compare, sums
from domain.totals import RoundingRules, zoho_totals
from tests.domain.stripe_like import paid_line, payment, shipping

CENTS = RoundingRules(price_precision=2)


def draft_of(*rates: tuple[str, bool]) -> OrderDraft:
    """Three pieces and one, with a discount, and shipping."""
    facts = payment(
        paid_line("1999", 3, discount=500, rates=list(rates)),
        paid_line("1000", 1, rates=list(rates)),
        cost=shipping(499),
    )
    return map_order(facts, MappingPolicy(), time_zone="Europe/Berlin", settings=CENTS)


def written(draft: OrderDraft, **changes: Any) -> StandingSale:
    """The order as Zoho has it once it was written."""
    total = draft.total.decimal()
    row = OrderRow(salesorder_id="1", number=draft.number, status="confirmed", day=draft.order_date, total=draft.total)
    usual = {
        "row": row,
        "inclusive": draft.inclusive,
        "shipping": draft.shipping_charge.decimal(),
        "adjustment": draft.adjustment.decimal(),
        "tax": zoho_totals(draft, CENTS).tax,
        "lines": tuple(
            StandingLine(item_id=f"i{place}", sku=f"S{place}", quantity=Decimal(line.quantity), rate=line.rate)
            for place, line in enumerate(draft.lines)
        ),
        "invoiced": total,
        "open": Decimal(0),
    }
    return StandingSale(**{**usual, **changes})


def fields(draft: OrderDraft, sale: StandingSale) -> list[str]:
    """What differs."""
    return [one.field for one in compare(draft, ("i0", "i1"), sale, CENTS)]


@pytest.mark.parametrize("rates", [(), (("19", False),), (("7", True),)])
def test_what_we_wrote_differs_in_nothing(rates: tuple[tuple[str, bool], ...]) -> None:
    """Whatever the tax, and in whatever order the lines come back."""
    draft = draft_of(*rates)
    sale = written(draft)
    assert fields(draft, sale) == []
    assert fields(draft, sale.model_copy(update={"lines": sale.lines[::-1]})) == []


def test_each_field_is_told_by_itself() -> None:
    """A day, a cent, a piece, a missing line, what is not invoiced and what is not paid."""
    draft = draft_of(("19", False))
    sale = written(draft)
    first, second = sale.lines
    changes: dict[str, dict[str, Any]] = {
        "date": {"row": sale.row.model_copy(update={"day": draft.order_date + timedelta(days=1)})},
        "total": {"row": sale.row.model_copy(update={"total": draft.total + Money.of(1, "EUR")})},
        "tax": {"tax": sale.tax + Decimal("0.01")},
        "shipping": {"shipping": sale.shipping + Decimal("0.01")},
        "adjustment": {"adjustment": sale.adjustment - Decimal("0.01")},
        "invoiced": {"invoiced": Decimal(0)},
        "to be paid": {"open": Decimal("0.01")},
    }
    for name, changed in changes.items():
        assert fields(draft, sale.model_copy(update=changed)) == [name]
    pieces = first.model_copy(update={"quantity": first.quantity + 1})
    assert len(fields(draft, sale.model_copy(update={"lines": (pieces, second)}))) == 1
    assert len(fields(draft, sale.model_copy(update={"lines": (first,)}))) == 1
    other = second.model_copy(update={"item_id": "i9", "sku": "OTHER"})
    [missing, beyond] = fields(draft, sale.model_copy(update={"lines": (first, other)}))
    assert beyond == "line OTHER"
    assert missing.startswith("line ")


@given(cents=st.integers(-10_000, 10_000).filter(bool))
def test_a_difference_is_told_to_the_cent(cents: int) -> None:
    """Both amounts, as they are."""
    draft = draft_of()
    sale = written(draft)
    other = draft.total + Money.of(cents, "EUR")
    row = sale.row.model_copy(update={"total": other})
    [one] = compare(draft, ("i0", "i1"), sale.model_copy(update={"row": row}), CENTS)
    assert (one.field, one.ours, one.zoho) == ("total", str(draft.total), str(other))


def test_money_is_summed_by_currency() -> None:
    """What is not known is left out."""
    assert sums([Money.of(100, "EUR"), None, Money.of(250, "EUR"), Money.of(7, "JPY")]) == "3.50 EUR, 7 JPY"
    assert sums([None]) == ""
