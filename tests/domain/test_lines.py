"""A line's amount is Stripe's, and its rate and discount are too wherever they can be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currencies import exponent
from domain.lines import SHIPPING_LINE, order_line, shipping_line, tax_rates
from domain.money import Money
from domain.payments import LineTax, PaidLine
from domain.totals import RoundingRules, line_amount
from tests.domain.stripe_like import CURRENCIES, PROPERTY, paid_line, paid_lines, shipping, shop_rates

CENTS = RoundingRules(price_precision=2)


def parts(line: PaidLine, *, inclusive: bool = False, rules: RoundingRules = CENTS) -> tuple[str, int]:
    """Rate and discount of the order's line, the discount in minor units."""
    written = order_line(line, inclusive=inclusive, rules=rules)
    return str(written.rate), written.discount.minor


@PROPERTY
@given(st.data(), st.sampled_from(CURRENCIES), st.booleans(), st.integers(0, 8))
def test_every_amount_is_stripes(data: st.DataObject, currency: str, inclusive: bool, decimals: int) -> None:
    """However few decimals Zoho keeps of a unit price, the line comes to Stripe's net, or gross, amount."""
    line = data.draw(paid_lines(currency, 1, data.draw(shop_rates())))
    rules = RoundingRules(price_precision=exponent(currency), rate_decimals=decimals)
    amount = line.total if inclusive else line.subtotal - line.discount
    written = order_line(line, inclusive=inclusive, rules=rules)
    assert line_amount(written, rules) == amount.decimal()
    assert written.discount.minor >= 0
    assert written.rate >= 0


@PROPERTY
@given(st.integers(0, 10**7), st.integers(1, 1000), st.data())
def test_whole_prices_are_carried_as_they_are(unit: int, quantity: int, data: st.DataObject) -> None:
    """A price in whole minor units keeps its rate and its discount to the cent."""
    discount = data.draw(st.integers(0, unit * quantity))
    line = paid_line(str(unit), quantity, discount=discount)
    written = order_line(line, inclusive=False, rules=CENTS)
    assert (written.rate, written.discount.minor) == (Decimal(unit) / 100, discount)
    assert written.quantity == quantity


@pytest.mark.parametrize(
    ("unit", "quantity", "subtotal", "rate", "discount"),
    [
        ("1000", 3, None, "10.00", 0),
        ("0.5", 300, None, "0.005", 0),
        ("33.3333333333", 3, None, "0.333333", 0),  # more decimals than Zoho keeps
        ("1000", 3, 2500, "8.333333", 0),  # tiers: the price of one is not what was paid for each
        ("0", 7, 1, "0.001429", 0),
    ],
)
def test_the_rate_explains_the_amount(unit: str, quantity: int, subtotal: int | None, rate: str, discount: int) -> None:
    """Stripe's unit price where it comes to the amount, else the amount divided by the quantity."""
    assert parts(paid_line(unit, quantity, subtotal=subtotal)) == (rate, discount)


def test_a_rate_that_cannot_be_is_rounded_up() -> None:
    """Where Zoho keeps two decimals, 25.00 for three is 8.34 each less 0.02."""
    rules = RoundingRules(price_precision=2, rate_decimals=2)
    assert parts(paid_line("1000", 3, subtotal=2500), rules=rules) == ("8.34", 2)


def test_a_net_price_in_a_gross_order_is_made_gross() -> None:
    """10.00 less 1.00 plus 20 % is 10.80: 12.00 gross, less 1.20."""
    line = paid_line("1000", discount=100, rates=[("20", False)])
    assert parts(line, inclusive=True) == ("12.00", 120)


def test_a_gross_price_stays() -> None:
    """A price that holds its tax is the rate of a gross order."""
    assert parts(paid_line("1190", 2, discount=100, rates=[("19", True)]), inclusive=True) == ("11.90", 100)


def test_rates_of_a_line_are_added() -> None:
    """Several taxes of a line are one percentage, which one tax group of Zoho's has to have."""
    line = paid_line(rates=[("5", False), ("9.975", False), ("0", False)])
    assert tax_rates(line) == (Decimal(5), Decimal("9.975"))
    assert order_line(line, inclusive=True, rules=CENTS).tax_percentage == Decimal("14.975")


@pytest.mark.parametrize("rates", [[], [("0", False)], [("0", True)]])
def test_no_tax_is_none(rates: list[tuple[str, bool]]) -> None:
    """A line without tax, or taxed at nothing, carries no tax of Zoho's."""
    assert order_line(paid_line(rates=rates), inclusive=False, rules=CENTS).tax_percentage is None


def test_a_tax_that_was_not_taken_is_none() -> None:
    """A rate that brought nothing although it would have come to a cent (exempt, reverse charge) is left out."""
    none = LineTax(percentage=Decimal(20), inclusive=False, amount=Money.of(0, "EUR"))
    some = LineTax(percentage=Decimal(5), inclusive=False, amount=Money.of(50, "EUR"))
    assert tax_rates(paid_line().model_copy(update={"taxes": (none,)})) == ()
    assert tax_rates(paid_line().model_copy(update={"taxes": (none, some)})) == (Decimal(5),)


def test_a_tax_that_rounded_to_nothing_counts() -> None:
    """A rate on 0.02, or on something given away, is still the line's rate."""
    assert tax_rates(paid_line("2", rates=[("20", False)])) == (Decimal(20),)
    assert tax_rates(paid_line("1000", discount=1000, rates=[("20", False)])) == (Decimal(20),)


def test_taxed_shipping_is_a_line() -> None:
    """Shipping with tax is one piece of the shop's service item."""
    line = shipping_line(shipping(500, rates=[("20", False)]), "SHIP")
    assert (line.line_id, line.sku, line.quantity, line.discount.minor) == (SHIPPING_LINE, "SHIP", 1, 0)
    assert parts(line) == ("5.00", 0)
    assert parts(line, inclusive=True) == ("6.00", 0)
