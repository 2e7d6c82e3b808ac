"""Money is whole minor units: nothing is lost in a sum, a split or a rounding."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.currencies import exponent
from domain.money import CurrencyMismatch, Money, total
from tests.domain.stripe_like import CURRENCIES, PROPERTY

minors = st.integers(-(10**12), 10**12)
moneys = st.builds(Money.of, minors, st.sampled_from(CURRENCIES))
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@PROPERTY
@given(moneys)
def test_decimal_and_back(money: Money) -> None:
    """Major units and back are the same amount."""
    assert Money.from_decimal(money.decimal(), money.currency) == money


@PROPERTY
@given(moneys, weights)
def test_shares_sum_to_the_whole(money: Money, parts: list[int]) -> None:
    """Shares sum to the amount, none is off by a whole unit, and who weighs nothing gets nothing."""
    shares = money.split(parts)
    assert total(shares, money.currency) == money
    for share, weight in zip(shares, parts, strict=True):
        assert abs(share.minor - Decimal(money.minor) * weight / sum(parts)) < 1
        assert weight or not share


@PROPERTY
@given(st.decimals(-(10**9), 10**9, places=6), st.sampled_from(CURRENCIES))
def test_rounding_is_half_up(amount: Decimal, currency: str) -> None:
    """Rounded money is the decimal module's ROUND_HALF_UP at the currency's decimals."""
    step = Decimal(1).scaleb(-exponent(currency))
    assert Money.rounded(amount, currency).decimal() == amount.quantize(step, rounding=ROUND_HALF_UP)


@PROPERTY
@given(minors, minors, st.sampled_from(CURRENCIES))
def test_sums_are_integer_sums(left: int, right: int, currency: str) -> None:
    """Adding, subtracting and comparing money is adding, subtracting and comparing minor units."""
    a, b = Money.of(left, currency), Money.of(right, currency)
    assert (a + b).minor == left + right
    assert (a - b).minor == left - right
    assert (a < b, a <= b, bool(a)) == (left < right, left <= right, left != 0)
    assert abs(-a).minor == abs(left)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("0.005", "EUR", 1), ("-0.005", "EUR", -1), ("99.5", "JPY", 100), ("1.0005", "KWD", 1001)],
)
def test_a_half_goes_away_from_zero(amount: str, currency: str, minor: int) -> None:
    """A half of a minor unit is rounded up, and below zero down."""
    assert Money.rounded(Decimal(amount), currency).minor == minor


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "EUR"), ("1.5", "JPY"), ("0.0001", "KWD")])
def test_a_fraction_of_a_minor_unit_is_refused(amount: str, currency: str) -> None:
    """An amount that minor units cannot hold is never rounded in silence."""
    with pytest.raises(ValueError, match="fraction of a minor unit"):
        Money.from_decimal(Decimal(amount), currency)


@pytest.mark.parametrize("minor", [1.0, "1", Decimal(1)])
def test_only_integers_are_minor_units(minor: object) -> None:
    """A float, a text or a Decimal is no count of minor units."""
    with pytest.raises(ValidationError):
        Money.model_validate({"minor": minor, "currency": "EUR"})


def test_two_currencies_never_meet() -> None:
    """A sum, a difference or a comparison over two currencies is refused."""
    euro, yen = Money.of(1, "eur"), Money.of(1, "jpy")
    for meet in (euro.__add__, euro.__sub__, euro.__lt__, euro.__le__):
        with pytest.raises(CurrencyMismatch):
            meet(yen)


@pytest.mark.parametrize("parts", [[], [0, 0], [1, -1, 1]])
def test_an_amount_needs_weights(parts: list[int]) -> None:
    """Nothing can be split by no weight or a negative one."""
    with pytest.raises(ValueError, match="weights"):
        Money.of(100, "EUR").split(parts)


def test_money_reads_well() -> None:
    """People see major units and the code, with the currency's decimals."""
    assert [str(Money.of(5120, code)) for code in ("eur", "jpy", "kwd")] == [
        "51.20 EUR",
        "5120 JPY",
        "5.120 KWD",
    ]
