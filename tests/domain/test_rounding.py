"""Whatever was sold, Zoho's total is Stripe's amount: generated payments against an arithmetic of its own."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.currencies import exponent
from domain.mapping import map_order
from domain.mapping_policy import MappingPolicy, TaxRounding
from domain.orders import OrderDraft
from domain.payments import PaymentFacts
from domain.totals import RoundingRules, zoho_totals
from domain.validation import smallest_amount, validate_order
from tests.domain.stripe_like import PROPERTY, paid_line, payment, payments

MAPPING = MappingPolicy(shipping_sku="SHIPPING")
roundings = st.sampled_from(TaxRounding)


def rules_for(facts: PaymentFacts, rounding: TaxRounding, precision: int | None = None) -> RoundingRules:
    """Zoho with the currency's own decimals, or with `precision`."""
    places = exponent(facts.money.currency) if precision is None else precision
    return RoundingRules(price_precision=places, tax_rounding=rounding)


def mapped(facts: PaymentFacts, rules: RoundingRules) -> OrderDraft:
    """The order of `facts` at a shop in Berlin."""
    return map_order(facts, MAPPING, time_zone="Europe/Berlin", settings=rules)


def near(amount: Fraction, places: int) -> Fraction:
    """`amount` to `places` decimals, halves away from zero."""
    scaled = abs(amount) * 10**places
    return Fraction(floor(scaled + Fraction(1, 2)), 10**places) * (-1 if amount < 0 else 1)


def zoho_by_hand(draft: OrderDraft, places: int, rounding: TaxRounding) -> Fraction:
    """The total of the document as it is sent, adjustment included, in fractions and with plain loops."""
    total = Fraction(draft.shipping_charge.decimal()) + Fraction(draft.adjustment.decimal())
    by_rate: dict[Fraction, Fraction] = {}
    for line in draft.lines:
        amount = near(Fraction(line.rate) * line.quantity, places) - Fraction(line.discount.decimal())
        total += amount
        rate = Fraction(line.tax_percentage or 0)
        if draft.inclusive:
            continue
        if rounding is TaxRounding.ITEM_LEVEL:
            total += near(amount * rate / 100, places)
        else:
            by_rate[rate] = by_rate.get(rate, Fraction(0)) + amount
    return total + sum(near(amount * rate / 100, places) for rate, amount in by_rate.items())


@PROPERTY
@given(payments(), roundings)
def test_zoho_comes_to_stripes_amount(facts: PaymentFacts, rounding: TaxRounding) -> None:
    """A payment that adds up has no problem, and the document's total is its amount to the minor unit."""
    assume(facts.money.minor > 0)
    rules = rules_for(facts, rounding)
    draft = mapped(facts, rules)
    assert validate_order(facts, draft, rules) == ()
    computed = zoho_totals(draft, rules).total + draft.adjustment.decimal()
    assert computed == facts.money.decimal()
    assert zoho_by_hand(draft, rules.price_precision, rounding) == Fraction(facts.money.decimal())


@PROPERTY
@given(payments(max_lines=12), roundings)
def test_adjustment_stays_small(facts: PaymentFacts, rounding: TaxRounding) -> None:
    """Wherever no problem is named, the adjustment is at most one chargeable unit a line."""
    rules = rules_for(facts, rounding)
    draft = mapped(facts, rules)
    assume(not validate_order(facts, draft, rules))
    least = smallest_amount(facts.money.currency).minor
    assert abs(draft.adjustment.minor) <= least * len(draft.lines)
    assert zoho_totals(draft, rules).total + draft.adjustment.decimal() == facts.money.decimal()


@PROPERTY
@given(payments(max_lines=6), roundings)
def test_gross_orders_need_no_adjustment(facts: PaymentFacts, rounding: TaxRounding) -> None:
    """In a tax inclusive order the total does not hang on tax, so there is nothing to adjust."""
    draft = mapped(facts, rules_for(facts, rounding))
    assume(draft.inclusive)
    assert draft.adjustment.minor == 0


@PROPERTY
@given(payments(), roundings, st.integers(0, 4))
def test_other_decimals_are_met_or_named(facts: PaymentFacts, rounding: TaxRounding, precision: int) -> None:
    """With any decimals that Zoho may keep of the currency, the total is Stripe's or a problem is named."""
    rules = rules_for(facts, rounding, precision)
    draft = mapped(facts, rules)
    if not validate_order(facts, draft, rules):
        step = Decimal(1).scaleb(-precision)
        total = zoho_totals(draft, rules).total + draft.adjustment.decimal().quantize(step)
        assert total == facts.money.decimal()


@pytest.mark.parametrize(
    ("rates", "discount"),
    [((), 0), ((("20", False),), 333), ((("19", True),), 333), ((("5", False), ("9.975", False)), 0)],
)
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_a_thousand_odd_pieces(currency: str, rates: tuple[tuple[str, bool], ...], discount: int) -> None:
    """A thousand pieces at a third of a minor unit each come to Stripe's amount as well."""
    line = paid_line("333.333333333333", 1000, currency=currency, discount=discount * 10, rates=rates, subtotal=333330)
    facts = payment(line)
    rules = rules_for(facts, TaxRounding.ENTITY_LEVEL)
    draft = mapped(facts, rules)
    assert zoho_by_hand(draft, rules.price_precision, rules.tax_rounding) == Fraction(facts.money.decimal())
