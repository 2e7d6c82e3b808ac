"""Payments as Stripe would tell them: one builder for examples, one strategy for Hypothesis.

The arithmetic is written anew here, with fractions, so that a mistake of the domain's is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from domain.currencies import MULTIPLE_OF
from domain.money import Money
from domain.payments import (
    Buyer,
    LineSource,
    LineTax,
    PaidLine,
    PaymentFacts,
    PaymentStatus,
    ShippingCost,
)

PROPERTY = settings(max_examples=200, deadline=None, database=None)
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CLP", "KWD", "BHD", "ISK", "UGX")
PAID_AT = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

Rate = tuple[str, bool]  # percentage, inclusive


def half_up(amount: Fraction, step: int = 1) -> int:
    """`amount` >= 0 at the nearest multiple of `step`, halves up."""
    return floor(amount / step + Fraction(1, 2)) * step


def taxes_of(net_of_discount: int, rates: Sequence[Rate], currency: str) -> tuple[LineTax, ...]:
    """Stripe's taxes on a price less discount: each rate rounded by itself to what Stripe can charge."""
    inside = sum((Fraction(rate) for rate, inclusive in rates if inclusive), Fraction(0))
    base = net_of_discount * 100 / (100 + inside)
    step = MULTIPLE_OF.get(currency, 1)
    return tuple(
        LineTax(
            percentage=Decimal(rate),
            inclusive=inclusive,
            amount=Money.of(half_up(base * Fraction(rate) / 100, step), currency),
        )
        for rate, inclusive in rates
    )


def paid_line(
    unit: str = "1000",
    quantity: int = 1,
    *,
    currency: str = "EUR",
    discount: int = 0,
    rates: Sequence[Rate] = (),
    subtotal: int | None = None,
    sku: str = "MUG",
    line_id: str = "li_1",
) -> PaidLine:
    """`quantity` pieces at `unit` minor units; `subtotal` where tiers or packs make it another."""
    if subtotal is None:
        subtotal = half_up(Fraction(unit) * quantity, MULTIPLE_OF.get(currency, 1))
    taxes = taxes_of(subtotal - discount, rates, currency)
    added = sum(tax.amount.minor for tax in taxes if not tax.inclusive)
    return PaidLine(
        line_id=line_id,
        product_id="prod_1",
        sku=sku,
        description="Mug",
        quantity=quantity,
        unit_minor=Decimal(unit),
        subtotal=Money.of(subtotal, currency),
        discount=Money.of(discount, currency),
        tax=Money.of(sum(tax.amount.minor for tax in taxes), currency),
        total=Money.of(subtotal - discount + added, currency),
        taxes=taxes,
    )


def shipping(amount: int, *, currency: str = "EUR", rates: Sequence[Rate] = ()) -> ShippingCost:
    """Shipping at `amount` minor units, taxed by `rates`."""
    taxes = taxes_of(amount, rates, currency)
    added = sum(tax.amount.minor for tax in taxes if not tax.inclusive)
    return ShippingCost(
        subtotal=Money.of(amount, currency),
        tax=Money.of(sum(tax.amount.minor for tax in taxes), currency),
        total=Money.of(amount + added, currency),
        taxes=taxes,
    )


def payment(*lines: PaidLine, cost: ShippingCost | None = None, **changes: Any) -> PaymentFacts:
    """A paid payment for exactly `lines` and shipping; `changes` replace what it says."""
    currency = lines[0].total.currency if lines else "EUR"
    paid = sum(line.total.minor for line in lines) + (cost.total.minor if cost else 0)
    facts = PaymentFacts(
        payment_id="pi_3TestPayment",
        charge_id="ch_3TestPayment",
        account_id="acct_1",
        livemode=False,
        status=PaymentStatus.PAID,
        money=Money.of(paid, currency),
        created=PAID_AT,
        buyer=Buyer(name="Ada Example", email="Ada@Example.org"),
        line_source=LineSource.CHECKOUT,
        lines=lines,
        shipping_cost=cost,
    )
    return facts.model_copy(update=changes)


percentages = st.one_of(
    st.sampled_from(("0", "5", "7", "8.875", "10", "19", "20", "21", "25", "27.5")),
    st.decimals(0, Decimal("27.5"), places=3).map(str),
)


@st.composite
def shop_rates(draw: st.DrawFn) -> st.SearchStrategy[list[Rate]]:
    """How a shop taxes its lines: on top of the price, inside it, or both; one tax a line or two."""
    kind = draw(st.sampled_from((st.just(False), st.just(False), st.just(True), st.booleans())))
    return st.lists(st.tuples(percentages, kind), max_size=draw(st.sampled_from((1, 1, 2))))


@st.composite
def paid_lines(draw: st.DrawFn, currency: str, position: int, rates: st.SearchStrategy[list[Rate]]) -> PaidLine:
    """A line of `currency`: whole or fractional prices, tiers, packs, discounts, taxed by `rates`."""
    step = MULTIPLE_OF.get(currency, 1)
    quantity = draw(st.integers(1, 1000))
    whole = st.integers(0, 200_000).map(lambda price: str(price * step))
    unit = draw(st.one_of(whole, st.decimals(0, 20_000, places=draw(st.integers(1, 8))).map(str)))
    subtotal = half_up(Fraction(unit) * quantity, step)
    if draw(st.integers(0, 4)) == 0:
        subtotal = draw(st.integers(0, 10_000_000)) * step
    discount = draw(st.one_of(st.just(0), st.integers(0, subtotal // step))) * step
    return paid_line(
        unit,
        quantity,
        currency=currency,
        discount=discount,
        rates=draw(rates),
        subtotal=subtotal,
        line_id=f"li_{position}",
    )


@st.composite
def payments(draw: st.DrawFn, max_lines: int = 3) -> PaymentFacts:
    """A payment that adds up, in a currency with no, two or three decimals: taxed net, gross, or both."""
    currency = draw(st.sampled_from(CURRENCIES))
    rates = draw(shop_rates())
    count = draw(st.integers(1, max_lines))
    lines = [draw(paid_lines(currency, position, rates)) for position in range(count)]
    cost = None
    if draw(st.booleans()):
        amount = draw(st.integers(0, 5000)) * MULTIPLE_OF.get(currency, 1)
        cost = shipping(amount, currency=currency, rates=draw(rates))
    return payment(*lines, cost=cost)
