"""Balance transactions of money that leaves or comes back after a charge: in the account's own currency."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.stripe.amounts import rounded
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.fees import rate
from sandbox.stripe.tables import Doc
from sandbox.stripe.wishes import check_names
from sandbox.stripe.world import World


@dataclass(frozen=True)
class Movement:
    """What moves: `amount` in `currency`, below zero where it leaves; `fee` in the account's own currency.

    `category` is the reporting category, `kind` the type of the balance transaction. `tax` is a part of the fee.
    """

    amount: int
    currency: str
    kind: str
    category: str
    description: str
    fee: int = 0
    fee_says: str = ""
    tax: int = 0


def book(world: World, account: str, source: str | None, what: Movement) -> Doc:
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
        "fee_details": [_fee(*part, home) for part in _parts(what)],
        "net": gross - what.fee,
        "reporting_category": what.category,
        "source": source,
        "status": "available",
        "type": what.kind,
    }
    return world.table("balance_transactions").save(doc)


def _parts(what: Movement) -> list[tuple[str, int, str]]:
    parts = [("stripe_fee", what.fee - what.tax, what.fee_says), ("tax", what.tax, "VAT")]
    return [part for part in parts if part[1]]


def _fee(kind: str, amount: int, says: str, home: str) -> Doc:
    return {"amount": amount, "application": None, "currency": home, "description": says, "type": kind}


def held(world: World, account: str) -> Doc:
    """The account's balance now, what is available and what is pending, as `GET /v1/balance` shows it."""
    owner, now = world.account(account), world.schedule.now()
    sums: dict[str, dict[str, int]] = {kind: {owner["default_currency"]: 0} for kind in ("available", "pending")}
    for row in world.table("balance_transactions").find(_account=account):
        found = sums["available" if row["available_on"] <= now else "pending"]
        found[row["currency"]] = found.get(row["currency"], 0) + row["net"]
    shown = {
        kind: [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in found.items()
        ]
        for kind, found in sums.items()
    }
    return {"object": "balance", **shown, "livemode": owner["livemode"]}


KNOWN = frozenset({"account", "amount", "currency", "kind", "category", "description", "fee", "tax"})


def move(world: World, account: str, given: Doc) -> Doc:
    """Any other movement, made by nothing: Radar's fee, a correction, a reserve; {amount, currency, kind, category,
    description, fee, tax}, whole numbers of minor units. Available at once.
    """
    check_names(given, KNOWN)
    for name in ("amount", "fee", "tax"):
        if type(given.get(name, 0)) is not int:
            raise ApiError(f"{name} is a whole number", param=name)
    for name in ("amount", "kind", "category"):
        if given.get(name) is None:
            raise missing_parameter(name)
    currency = given.get("currency") or world.account(account)["default_currency"]
    says, fee, tax = given.get("description") or "", given.get("fee", 0), given.get("tax", 0)
    what = Movement(given["amount"], currency, given["kind"], given["category"], says, fee, "Stripe fees", tax)
    return book(world, account, None, what)
