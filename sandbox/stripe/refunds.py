"""Refunds: made, settled, failed, cancelled; the money they move, and what each of that tells.

docs.stripe.com/refunds and docs.stripe.com/api/refunds. `charge.refund.updated` is deprecated and told all the same.
"""

from __future__ import annotations

from sandbox.stripe.amounts import exponent, step
from sandbox.stripe.balances import Movement, book
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, changed, merged

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
UNDER_WAY = ("pending", "requires_action")
FAILURES = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)


def create_refund(world: World, account: str, params: Doc) -> Doc:
    """Gives back all or part of a charge; tells `refund.created` and `charge.refunded`.

    It is settled as the switch `refund_after` says. Refused where less than that is left, before anything moves.
    """
    charge = _charge(world, account, params)
    amount = _amount(charge, params.get("amount"))
    reason = params.get("reason")
    if reason is not None and reason not in REASONS:
        raise ApiError(f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
    doc = _made(world, charge, amount, reason, params)
    doc["balance_transaction"] = _move(world, doc, -amount, "refund")["id"]
    world.table("refunds").save(doc)
    world.emit("refund.created", doc)
    _tell_charge(world, charge, amount)
    if world.switches.refund_fails:
        return fail(world, doc, "declined")
    arrange(world, doc)
    return doc


def _made(world: World, charge: Doc, amount: int, reason: str | None, params: Doc) -> Doc:
    base = world.base("refund", "re_3", charge["_account"])
    base.pop("livemode")  # a refund does not say it
    return {
        **base,
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": merged({}, params.get("metadata", {})),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
        "_may_lack": ["failure_balance_transaction"],
        **_standing(world),
    }


def _standing(world: World) -> Doc:
    """How far a new refund is: with the buyer, under way until the switch's time, or waiting for the buyer."""
    after, now = world.switches.refund_after, world.schedule.second()
    if world.switches.refund_asks_buyer:
        mail = {"email_sent_at": now, "email_sent_to": "guest@example.com"}
        details = {"email_sent": mail, "expires_at": now + 45 * 86400}
        action = {"type": "display_details", "display_details": details}
        return {"status": "requires_action", "next_action": action, "_due": None}
    if after == 0:
        return {"status": "succeeded", "_due": None}
    due = None if after is None else world.schedule.now() + after
    return {"status": "pending", "pending_reason": "processing", "_due": due}


def release(world: World, charge: Doc) -> None:
    """An authorisation is let go: nothing moves; tells `charge.refunded`, and a refund where the switch says so."""
    before = changed(charge, {"refunded": True, "amount_refunded": charge["amount"]})
    world.table("charges").save(charge)
    if world.switches.release_makes_refund:
        made = {**_made(world, charge, charge["amount"], None, {}), "status": "succeeded", "_due": None}
        _no_longer_under_way(made)
        world.table("refunds").save(made)
        world.emit("refund.created", made)
        _keep(world, charge)
    world.emit("charge.refunded", charge, before)


def _charge(world: World, account: str, params: Doc) -> Doc:
    """The charge that is named, or the one of the intent that is; ApiError where it cannot be refunded."""
    if params.get("charge"):
        charge = world.need("charges", params["charge"], account, "charge")
    elif params.get("payment_intent"):
        intent = world.need("payment_intents", params["payment_intent"], account, "payment_intent")
        if intent["latest_charge"] is None:
            message = "This PaymentIntent does not have a successful charge to refund."
            raise ApiError(message, code="payment_intent_unexpected_state", param="payment_intent")
        charge = world.need("charges", intent["latest_charge"], account)
    else:
        raise missing_parameter("charge")
    if charge["status"] != "succeeded" or not charge["captured"]:
        message = f"Charge {charge['id']} was not captured, so there is nothing to refund."
        raise ApiError(message, code="charge_not_refundable", stored=True)
    disputes = world.table("disputes").find(charge=charge["id"])
    if not all(dispute["is_charge_refundable"] for dispute in disputes):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise ApiError(message, code="charge_disputed", stored=True)
    return charge


def _amount(charge: Doc, wanted: int | None) -> int:
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise ApiError(message, code="charge_already_refunded", stored=True)
    amount: int = left if wanted is None else wanted
    if amount < 1 or amount % step(charge["currency"]):
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        # Which code this carries today is not known: none.
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise ApiError(message, param="amount", stored=True)
    return amount


def arrange(world: World, refund: Doc) -> None:
    """Puts the end of a pending refund on the schedule, also after a restart."""
    if refund["status"] == "pending" and refund["_due"] is not None:
        world.schedule.at(refund["_due"], lambda: _on_time(world, refund["id"]))


def _on_time(world: World, refund_id: str) -> None:
    refund = world.table("refunds").get(refund_id)
    if refund is not None and refund["status"] == "pending":
        settle(world, refund)
        world.database.commit()


def settle(world: World, refund: Doc) -> Doc:
    """A refund under way has arrived, or the buyer said where it is to go; tells `refund.updated`."""
    if refund["status"] not in UNDER_WAY:
        raise ApiError(f"Refund {refund['id']} is {refund['status']}, not pending")
    before = changed(refund, {"status": "succeeded"})
    _no_longer_under_way(refund)
    return _tell(world, refund, "refund.updated", before)


def fail(world: World, refund: Doc, reason: str = "expired_or_canceled_card") -> Doc:
    """The bank did not take it, also weeks after it succeeded: the money returns; tells `refund.failed`."""
    if refund["status"] not in ("succeeded", *UNDER_WAY):
        raise ApiError(f"Refund {refund['id']} is {refund['status']} already")
    if reason not in FAILURES:
        raise ApiError(f"Invalid failure reason: one of {', '.join(FAILURES)}", param="reason")
    return _tell(world, refund, "refund.failed", _return(world, refund, "failed", reason))


def cancel(world: World, refund: Doc, params: Doc) -> Doc:
    """The shop takes back a refund that waits for the buyer; no other can be cancelled. Tells as the switch says."""
    if refund["status"] != "requires_action":
        message = f"Refund {refund['id']} is {refund['status']}; only one that requires action can be canceled."
        raise ApiError(message, stored=True)
    kind = "refund.failed" if world.switches.refund_cancel_fails else "refund.updated"
    return _tell(world, refund, kind, _return(world, refund, "canceled", "merchant_request"))


def _return(world: World, refund: Doc, status: str, reason: str) -> Doc:
    """The money is with the shop again and can be refunded once more; what the changed fields held before."""
    returned = _move(world, refund, refund["amount"], "refund_failure")
    before = changed(refund, {"status": status, "failure_reason": reason})
    refund["failure_balance_transaction"] = returned["id"]
    _no_longer_under_way(refund)
    world.table("refunds").save(refund)
    charge = world.need("charges", refund["charge"], refund["_account"])
    changed(charge, {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False})
    _keep(world, charge)
    return before


def _no_longer_under_way(refund: Doc) -> None:
    for name in ("pending_reason", "next_action"):
        refund.pop(name, None)


def _tell_charge(world: World, charge: Doc, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    before = changed(charge, {"amount_refunded": refunded, "refunded": refunded == charge["amount_captured"]})
    _keep(world, charge)
    world.emit("charge.refunded", charge, before)


def _keep(world: World, charge: Doc) -> None:
    """Saves the charge with its refunds, the ten newest, as an expanded charge shows them."""
    found = list(world.table("refunds").find(newest_first=True, charge=charge["id"]))
    charge["+refunds"] |= {"data": found[:10], "has_more": len(found) > 10}
    world.table("charges").save(charge)


def _tell(world: World, refund: Doc, kind: str, before: Doc) -> Doc:
    world.table("refunds").save(refund)
    world.emit(kind, refund, before)
    world.emit("charge.refund.updated", refund, before)
    return refund


def _move(world: World, refund: Doc, amount: int, category: str) -> Doc:
    """The balance transaction of money that leaves (negative) or comes back.

    Stripe keeps the fee of the charge and takes none for the refund (some accounts pay one: the switch).
    """
    currency = refund["currency"]
    fee = world.switches.refund_fee if category == "refund" else 0
    text = f"REFUND OF {10 ** -exponent(currency) * abs(amount)} {currency}"
    what = Movement(amount, currency, category, category, text, fee, "Refund fee")
    return book(world, refund["_account"], refund["id"], what)
