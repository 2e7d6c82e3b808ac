"""What of Stripe's fee may stand as bank charges."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fees import bookable
from domain.money import Money
from domain.payments import Fee
from domain.policy import ForeignFee
from tests.domain.stripe_like import PROPERTY


def fee(minor: int, currency: str, rate: str | None = None) -> Fee:
    """A fee as its balance transaction tells it."""
    exchange = None if rate is None else Decimal(rate)
    return Fee(transaction_id="txn_1", amount=Money.of(minor, currency), exchange_rate=exchange)


@pytest.mark.parametrize("foreign", list(ForeignFee))
def test_fee_in_the_payments_currency_is_booked_as_it_is(foreign: ForeignFee) -> None:
    """Nothing is converted where nothing has to be."""
    assert bookable(fee(175, "EUR"), "EUR", foreign).charges == Money.of(175, "EUR")


def test_foreign_fee_is_left_to_the_payout_unless_the_shop_says_otherwise() -> None:
    """The note says what was taken, so that nobody looks for it."""
    left = bookable(fee(175, "EUR", "0.92"), "USD", ForeignFee.LEAVE)
    assert left.charges is None
    assert "1.75 EUR" in left.note


@pytest.mark.parametrize(
    ("minor", "settled", "rate", "currency", "charges"),
    [
        (175, "EUR", "0.92", "USD", 190),  # 190.2
        (175, "EUR", "0.61", "JPY", 287),  # 286.88 yen for 175 cents at 0.61 cents a yen
        (5, "EUR", "2", "USD", 3),  # 2.5 is half up
        (100, "EUR", "0.0298", "KWD", 3356),  # 3355.7 fils
    ],
)
def test_foreign_fee_is_divided_by_stripes_own_rate(
    minor: int, settled: str, rate: str, currency: str, charges: int
) -> None:
    """Minor units times the rate are minor units of the settlement currency, whatever decimals either has."""
    booked = bookable(fee(minor, settled, rate), currency, ForeignFee.CONVERT)
    assert booked.charges == Money.of(charges, currency)
    assert rate in booked.note


@PROPERTY
@given(
    minor=st.integers(0, 10**9),
    rate=st.decimals("0.0001", "10000", places=6, allow_nan=False, allow_infinity=False),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_converted_back_it_is_the_fee_to_half_a_minor_unit(minor: int, rate: Decimal, currency: str) -> None:
    """Half up, and never further off than half of the least amount."""
    charges = bookable(fee(minor, "EUR", str(rate)), currency, ForeignFee.CONVERT).charges
    assert charges is not None
    assert abs(charges.minor - Decimal(minor) / rate) <= Decimal("0.5")


def test_without_a_rate_nothing_is_guessed() -> None:
    """Another currency and no rate: left to the payout."""
    assert bookable(fee(175, "EUR"), "USD", ForeignFee.CONVERT).charges is None
