"""Balance transactions of money that leaves or comes back after a charge: in the account's own currency."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.amounts import rounded
from sandbox.stripe.fees import rate
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World


@dataclass(frozen=True)
class Movement:
    """What moves: `amount` in `currency`, below zero where it leaves; `fee` in the account's own currency.

    `category` is the reporting category, `kind` the type of the balance transaction.
    """

    amount: int
    currency: str
    kind: str
    category: str
    description: str
    fee: int = 0
    fee_says: str = ""


def book(world: World, account: str, source: str, what: Movement) -> Doc:
    """The balance transaction of one movement, made by the object `source`. Converted at the sandbox's one rate."""
    home = world.account(account)["default_currency"]
    exchange = rate(what.currency, home)
    gross = what.amount if exchange is None else rounded(what.amount * exchange, home)
    base = world.base("balance_transaction", "txn_3", account)
    base.pop("livemode")
    doc = {
        **base,
        "amount": gross,
        "available_on": base["created"],
        "balance_type": "payments",
        "currency": home,
        "description": what.description,
        "exchange_rate": float(exchange) if exchange is not None else None,
        "fee": what.fee,
        "fee_details": [_fee(what, home)] if what.fee else [],
        "net": gross - what.fee,
        "reporting_category": what.category,
        "source": source,
        "status": "available",
        "type": what.kind,
    }
    return world.table("balance_transactions").save(doc)


def _fee(what: Movement, home: str) -> Doc:
    named = {"amount": what.fee, "currency": home, "description": what.fee_says}
    return {**named, "application": None, "type": "stripe_fee"}
