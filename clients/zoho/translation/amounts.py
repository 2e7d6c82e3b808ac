"""Zoho's amounts and days as ours."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.money import Money


def exact(amount: Decimal, currency: str) -> Money | None:
    """`amount` major units as Money; None where it is finer than a minor unit, and so no amount of Stripe's."""
    try:
        return Money.from_decimal(amount, currency)
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """A date as Zoho writes it; None where it is unclear."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
