"""Charges and the balance transactions that come to them later."""

from __future__ import annotations

from sandbox.stripe.catalog import address
from sandbox.stripe.errors import ApiError
from sandbox.stripe.fees import settled
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, changed

DECLINED = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
}
DELAYED = ("sepa_debit", "us_bank_account", "bacs_debit", "customer_balance")
DECLINE_MESSAGE = "Your card was declined."


def kind_of(payment_method: str | None) -> str:
    """The type of a payment method named by its type or by one of the test ids (`pm_card_visa`)."""
    name = (payment_method or "card").removeprefix("pm_")
    return next((kind for kind in DELAYED if name.startswith(kind)), "card")


def billing(details: Doc | None) -> Doc:
    """What the buyer said about himself, as a charge shows it."""
    given = details or {}
    texts = {part: given.get(part) for part in ("email", "name", "phone", "tax_id")}
    return {"address": address(given.get("address")), **texts}


def create_charge(
    world: World,
    account: str,
    amount: int,
    currency: str,
    *,
    intent: Doc | None = None,
    payment_method: str | None = None,
    billing_details: Doc | None = None,
    captured: bool = True,
    status: str = "succeeded",
    texts: Doc | None = None,
) -> Doc:
    """A new charge, copying from its intent what Stripe copies; tells nothing yet."""
    source = intent or texts or {}
    succeeded = status == "succeeded"
    taken = amount if captured and succeeded else 0
    doc = {
        **world.base("charge", "ch_3", account),
        "amount": amount,
        "amount_captured": taken,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None,
        "billing_details": billing(billing_details),
        "calculated_statement_descriptor": source.get("statement_descriptor") or "SANDBOX SHOP",
        "captured": captured and status != "failed",
        "currency": currency,
        "customer": source.get("customer"),
        "description": source.get("description"),
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "metadata": dict(source.get("metadata") or {}),
        "on_behalf_of": None,
        "outcome": _outcome(status),
        "paid": succeeded,
        "payment_intent": intent["id"] if intent else None,
        "payment_method": world.new_id("pm_1"),
        "payment_method_details": _method_details(kind_of(payment_method), amount, billing_details),
        "receipt_email": source.get("receipt_email"),
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": source.get("shipping"),
        "source_transfer": None,
        "statement_descriptor": source.get("statement_descriptor"),
        "statement_descriptor_suffix": source.get("statement_descriptor_suffix"),
        "status": status,
        "transfer_data": None,
        "transfer_group": None,
        "+refunds": {"object": "list", "data": [], "has_more": False, "url": ""},
    }
    doc["+refunds"]["url"] = f"/v1/charges/{doc['id']}/refunds"
    return world.table("charges").save(doc)


def _outcome(status: str) -> Doc:
    failed = status == "failed"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": "generic_decline" if failed else None,
        "risk_level": "normal",
        "risk_score": 17,
        "seller_message": "The bank did not return any further details." if failed else "Payment complete.",
        "type": "issuer_declined" if failed else "authorized",
    }


def _method_details(kind: str, amount: int, billing_details: Doc | None) -> Doc:
    country = ((billing_details or {}).get("address") or {}).get("country") or "US"
    if kind != "card":
        return {"type": kind, kind: {"country": country, "last4": "3000", "fingerprint": "bN4kd9xQ2LmS7vTc"}}
    card = {
        "amount_authorized": amount,
        "authorization_code": None,
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": country,
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": "AOB934RVNwzk6xtn",
        "funding": "credit",
        "installments": None,
        "last4": "4242",
        "mandate": None,
        "network": "visa",
        "network_token": {"used": False},
        "three_d_secure": None,
        "wallet": None,
    }
    return {"type": "card", "card": card}


def fail(world: World, charge: Doc, code: str = "generic_decline") -> None:
    """Declines a pending or new charge; tells `charge.failed`."""
    failure = {"failure_code": "card_declined", "failure_message": DECLINE_MESSAGE, "outcome": _outcome("failed")}
    charge.update({"status": "failed", "paid": False, "captured": False, "amount_captured": 0, **failure})
    charge["outcome"]["reason"] = code
    world.table("charges").save(charge)
    world.emit("charge.failed", charge)


def settle_later(world: World, charge: Doc) -> None:
    """Arranges the balance transaction of a captured charge, as the switch `balance_after` says."""
    after = world.switches.balance_after
    charge["_balance_due"] = None if after is None else world.schedule.now() + after
    world.table("charges").save(charge)
    arrange(world, charge)


def arrange(world: World, charge: Doc) -> None:
    """Puts a charge's balance transaction on the schedule, also after a restart."""
    due = charge.get("_balance_due")
    if due is not None and charge["balance_transaction"] is None:
        world.schedule.at(due, lambda: _on_time(world, charge["id"]))


def _on_time(world: World, charge_id: str) -> None:
    charge = world.table("charges").get(charge_id)
    if charge is not None and charge["balance_transaction"] is None:
        add_balance(world, charge)
        world.database.commit()


def add_balance(world: World, charge: Doc, tell: bool = True) -> Doc:
    """Gives a captured charge its balance transaction; tells `charge.updated` unless it is still new."""
    if charge["balance_transaction"] is not None or not charge["amount_captured"]:
        raise ApiError(f"Charge {charge['id']} has its balance transaction or is not captured")
    home = world.account(charge["_account"])["default_currency"]
    base = world.base("balance_transaction", "txn_3", charge["_account"])
    base.pop("livemode")  # the one object that does not say it
    doc = {
        **base,
        **settled(charge["amount_captured"], charge["currency"], home, world.switches),
        "available_on": base["created"] + 2 * 86400,
        "balance_type": "payments",
        "description": charge["description"],
        "reporting_category": "charge",
        "source": charge["id"],
        "status": "pending",
        "type": "charge" if charge["payment_method_details"]["type"] == "card" else "payment",
    }
    world.table("balance_transactions").save(doc)
    before = changed(charge, {"balance_transaction": doc["id"]})
    world.table("charges").save(charge)
    if tell:
        world.emit("charge.updated", charge, before)
    return doc
