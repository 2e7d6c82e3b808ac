"""Money as an integer of minor units and its currency. Floats are never accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, StrictInt, field_validator

from domain.currencies import exponent


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum."""


class Money(BaseModel):
    """An exact amount: `minor` units (cents, yen, fils) of the upper-case ISO `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minor: StrictInt
    currency: str

    @field_validator("currency")
    @classmethod
    def _known(cls, code: str) -> str:
        exponent(code.upper())
        return code.upper()

    @classmethod
    def of(cls, minor: int, currency: str) -> Self:
        """`minor` units of `currency` in any letter case (Stripe writes `eur`, Zoho `EUR`)."""
        return cls(minor=minor, currency=currency.upper())

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> Self:
        """The Money that is exactly `amount` major units; ValueError where minor units cannot hold it."""
        if isinstance(amount, float):
            raise TypeError("Money is made of int or Decimal, never float")
        minor = amount.scaleb(exponent(currency.upper()))
        if minor != minor.to_integral_value():
            raise ValueError(f"{amount} {currency.upper()} has a fraction of a minor unit")
        return cls.of(int(minor), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        """`amount` major units, rounded half up (away from zero) to the minor unit, as Zoho rounds."""
        step = Decimal(1).scaleb(-exponent(currency.upper()))
        return cls.from_decimal(amount.quantize(step, rounding=ROUND_HALF_UP), currency)

    def decimal(self) -> Decimal:
        """Major units: Money(4990, "EUR").decimal() == Decimal("49.90")."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def zero(self) -> Self:
        """Nothing, in this currency."""
        return self.model_copy(update={"minor": 0})

    def split(self, weights: Sequence[int]) -> list[Self]:
        """Shares in proportion to `weights` (>= 0) that sum to this amount exactly: largest remainder first.

        ValueError where there is no weight above zero.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("an amount is split by weights of zero or more, at least one above zero")
        sign = -1 if self.minor < 0 else 1
        shares = [divmod(abs(self.minor) * w, total) for w in weights]
        left = abs(self.minor) - sum(q for q, _ in shares)
        order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
        extra = set(order[:left])
        return [self.model_copy(update={"minor": sign * (q + (i in extra))}) for i, (q, _) in enumerate(shares)]

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self} and {other} are of different currencies")

    def __add__(self, other: Money) -> Self:
        self._same(other)
        return self.model_copy(update={"minor": self.minor + other.minor})

    def __sub__(self, other: Money) -> Self:
        return self + (-other)

    def __neg__(self) -> Self:
        return self.model_copy(update={"minor": -self.minor})

    def __abs__(self) -> Self:
        return self.model_copy(update={"minor": abs(self.minor)})

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __str__(self) -> str:
        return f"{self.decimal():f} {self.currency}"


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, all of `currency`; zero of it for none."""
    result = Money.of(0, currency)
    for amount in amounts:
        result += amount
    return result
