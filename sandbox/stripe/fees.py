"""What Stripe keeps, and how an amount becomes one of the account's own currency: deterministic, simulated.

`exchange_rate` times the charge's minor units is the row's minor units, as Stripe's documentation puts it.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.stripe.amounts import exponent, rounded
from sandbox.stripe.switches import Switches
from sandbox.stripe.tables import Doc

#: US dollars for one unit; a currency not named is worth one dollar.
DOLLARS = {
    "eur": "1.10", "gbp": "1.27", "chf": "1.13", "jpy": "0.0067", "kwd": "3.26", "bhd": "2.65", "cad": "0.73",
    "aud": "0.66", "inr": "0.012", "sek": "0.096", "nok": "0.094", "dkk": "0.147", "pln": "0.25", "isk": "0.0072",
}  # fmt: skip


def rate(source: str, target: str) -> Decimal | None:
    """Minor units of `target` for one minor unit of `source`, six significant digits; None for the same currency."""
    if source == target:
        return None
    units = Decimal(DOLLARS.get(source, "1")) / Decimal(DOLLARS.get(target, "1"))
    exact = units.scaleb(exponent(target) - exponent(source))
    return exact.quantize(Decimal(1).scaleb(exact.adjusted() - 5))


def settled(amount: int, currency: str, home: str, switches: Switches) -> Doc:
    """The amounts of a balance transaction for a charge of `amount`, in the account's `home` currency."""
    exchange = rate(currency, home)
    gross = amount if exchange is None else rounded(amount * exchange, home)
    fee = rounded(gross * switches.percent("fee_percent") / 100, home) + _fixed(home, switches)
    tax = rounded(fee * switches.percent("fee_tax_percent") / 100, home)
    details = [_detail("stripe_fee", fee, home, "Stripe processing fees")]
    if tax:
        details.append(_detail("tax", tax, home, "VAT"))
    return {
        "amount": gross,
        "currency": home,
        "exchange_rate": float(exchange) if exchange is not None else None,
        "fee": fee + tax,
        "fee_details": details,
        "net": gross - fee - tax,
    }


def _fixed(home: str, switches: Switches) -> int:
    return switches.fee_fixed * (10 if exponent(home) == 3 else 1)


def _detail(kind: str, amount: int, currency: str, description: str) -> Doc:
    return {
        "amount": amount, "application": None, "currency": currency, "description": description, "type": kind
    }  # fmt: skip
