"""What Stripe kept of a payment, and what of it may stand as `bank_charges` on the payment in Zoho."""

from __future__ import annotations

from decimal import Decimal

from domain.currencies import exponent
from domain.money import Money
from domain.payments import Fact, Fee
from domain.policy import ForeignFee


class BookableFee(Fact):
    """What to write as `bank_charges`; None where nothing is to be written. `note` is for people."""

    charges: Money | None
    note: str = ""


def bookable(fee: Fee, currency: str, foreign: ForeignFee) -> BookableFee:
    """`fee` as bank charges of a payment in `currency`: never guessed, converted only where the shop wants that."""
    if fee.amount.currency == currency:
        return BookableFee(charges=fee.amount, note=f"Stripe kept {fee.amount}")
    if foreign is ForeignFee.LEAVE or not fee.exchange_rate:
        return BookableFee(
            charges=None, note=f"Stripe kept {fee.amount}, another currency than the payment's: booked with the payout"
        )
    minor = Decimal(fee.amount.minor) / fee.exchange_rate
    charges = Money.rounded(minor.scaleb(-exponent(currency)), currency)
    return BookableFee(
        charges=charges, note=f"Stripe kept {fee.amount}: {charges} by Stripe's own rate {fee.exchange_rate:f}"
    )
