"""Zoho's arithmetic, by the examples that are known of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.contacts import ContactIdentity
from domain.mapping_policy import MappingPolicy, TaxRounding
from domain.money import Money
from domain.orders import OrderDraft, OrderLine
from domain.payments import Buyer
from domain.totals import RoundingRules, Totals, line_amount, zoho_totals

CENTS = RoundingRules(price_precision=2)
BY_LINE = RoundingRules(price_precision=2, tax_rounding=TaxRounding.ITEM_LEVEL)


def line(rate: str, quantity: int = 1, *, discount: int = 0, tax: str | None = None) -> OrderLine:
    """A line of EUR; `discount` in cents."""
    return OrderLine(
        line_id="li_1",
        quantity=quantity,
        rate=Decimal(rate),
        discount=Money.of(discount, "EUR"),
        tax_percentage=None if tax is None else Decimal(tax),
    )


def draft(*lines: OrderLine, inclusive: bool = False, shipping: int = 0) -> OrderDraft:
    """An order of EUR with shipping in cents."""
    nothing = Money.of(0, "EUR")
    return OrderDraft(
        number="SO-1",
        reference="pi_1",
        order_date=date(2026, 11, 22),
        inclusive=inclusive,
        lines=lines,
        shipping_charge=Money.of(shipping, "EUR"),
        adjustment=nothing,
        tax=nothing,
        total=nothing,
        buyer=Buyer(),
        contact=ContactIdentity(currency="EUR", names=("Ada",)),
    )


def figures(sub_total: str, tax: str, whole: str) -> Totals:
    """Totals from text."""
    return Totals(sub_total=Decimal(sub_total), tax=Decimal(tax), total=Decimal(whole))


def test_tax_is_taken_of_the_rounded_line() -> None:
    """54.54545 plus 10 % is 60.01, as Zoho's users report."""
    assert zoho_totals(draft(line("54.54545", tax="10")), CENTS) == figures("54.55", "5.46", "60.01")


def test_halves_go_up() -> None:
    """Half a cent goes up, on a line (0.125 is 0.13) and in its tax (10 % of 0.45 is 0.05), whatever stands before."""
    assert zoho_totals(draft(line("0.125")), CENTS).total == Decimal("0.13")
    assert zoho_totals(draft(line("0.45", tax="10")), CENTS).tax == Decimal("0.05")
    assert zoho_totals(draft(line("0.25", tax="10")), CENTS).tax == Decimal("0.03")


def test_the_actual_price_would_give_a_cent_less() -> None:
    """The same price without the rounded line would be 60.00: what those users expected, and Zoho does not
    do.
    """
    actual = Decimal("54.54545") * Decimal("1.1")
    assert CENTS.rounded(actual) == Decimal("60.00")
    assert CENTS.rounded(Decimal("54.54545")) == Decimal("54.55")


def test_tax_is_rounded_once_a_rate_or_once_a_line() -> None:
    """Three lines of 0.33 at 5 % bear 0.05 of tax together, and 0.06 line by line."""
    order = draft(*[line("0.33", tax="5")] * 3)
    assert zoho_totals(order, CENTS) == figures("0.99", "0.05", "1.04")
    assert zoho_totals(order, BY_LINE) == figures("0.99", "0.06", "1.05")


def test_two_rates_are_two_sums() -> None:
    """Each tax rate is rounded over its own lines; 20 and 20.0 are the same rate."""
    order = draft(line("0.33", tax="20"), line("0.34", tax="20.0"), line("0.33", tax="7"), line("5"))
    assert zoho_totals(order, CENTS) == figures("6.00", "0.15", "6.15")


def test_gross_prices_hold_their_tax() -> None:
    """In an inclusive order tax is taken out of the amounts, and the total is their sum."""
    assert zoho_totals(draft(line("119", tax="19"), inclusive=True), CENTS) == figures("119.00", "19.00", "119.00")


def test_discount_comes_before_tax() -> None:
    """Tax is taken of what is left after the line's discount."""
    assert zoho_totals(draft(line("10", 3, discount=500, tax="20")), CENTS) == figures("25.00", "5.00", "30.00")


def test_shipping_bears_no_tax() -> None:
    """The shipping charge is added as it is."""
    assert zoho_totals(draft(line("10", tax="20"), shipping=499), CENTS) == figures("10.00", "2.00", "16.99")


@pytest.mark.parametrize(("places", "amount"), [(0, "1"), (2, "1.00"), (3, "0.999")])
def test_lines_round_at_the_currencys_decimals(places: int, amount: str) -> None:
    """Three times 0.3331 is 1, 1.00 or 0.999, as many decimals as Zoho keeps of the currency."""
    assert line_amount(line("0.3331", 3), RoundingRules(price_precision=places)) == Decimal(amount)


def test_the_shop_says_how_its_organisation_rounds() -> None:
    """The mapping's choices become the rules of a currency."""
    mapping = MappingPolicy(tax_rounding=TaxRounding.ITEM_LEVEL, rate_decimals=2)
    rules = RoundingRules.of(mapping, price_precision=3)
    assert (rules.price_precision, rules.tax_rounding, rules.rate_decimals) == (3, TaxRounding.ITEM_LEVEL, 2)
