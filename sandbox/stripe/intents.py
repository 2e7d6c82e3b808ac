"""Payment intents: made, confirmed, captured, cancelled, changed; and what each of that tells."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import charges, refunds
from sandbox.stripe.amounts import check_amount, check_currency
from sandbox.stripe.catalog import apply_update, shipping
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, merged

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")


def create_intent(world: World, account: str, params: Doc) -> Doc:
    """A new intent; tells `payment_intent.created`."""
    currency = check_currency(params["currency"])
    amount = check_amount(params["amount"], currency)
    if params.get("customer"):
        world.need("customers", params["customer"], account, "customer")
    method = params.get("payment_method")
    base = world.base("payment_intent", "pi_3", account)
    doc = {
        **base,
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": amount_details(params.get("amount_details"), amount),
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method") or "automatic_async",
        "client_secret": f"{base['id']}_secret_{world.new_id('', 25)}",
        "confirmation_method": params.get("confirmation_method") or "automatic",
        "currency": currency,
        "customer": params.get("customer"),
        "customer_account": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": merged({}, params.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": _payment_details(params.get("payment_details")),
        "payment_method": method,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [charges.kind_of(method)],
        "processing": None,
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": shipping(params.get("shipping")),
        "source": None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_lines": _detail_lines(world, params.get("amount_details")),
        **{name: params.get(name) for name in TEXTS},
    }
    world.table("payment_intents").save(doc)
    world.emit("payment_intent.created", doc)
    return doc


def create_or_confirm(world: World, account: str, params: Doc) -> Doc:
    """What the API's creation does: with `confirm` the new intent is paid at once."""
    doc = create_intent(world, account, params)
    return confirm_intent(world, doc, {}) if params.get("confirm") else doc


def _payment_details(given: Doc | None) -> Doc | None:
    if not given:
        return None
    return {name: given.get(name) for name in ("customer_reference", "order_reference")}


def amount_details(given: Doc | None, amount: int) -> Doc:
    """What the merchant said the amount is made of; ApiError where that does not add up and has to."""
    shown: Doc = {"tip": {}}
    if not given:
        return shown
    shown["discount_amount"] = given.get("discount_amount")
    shown["shipping"] = given.get("shipping")
    shown["tax"] = given.get("tax")
    if given.get("line_items"):
        sent = (given.get("shipping") or {}).get("amount") or 0
        if sum(map(_detail_total, given["line_items"])) + sent - (given.get("discount_amount") or 0) != amount:
            message = "The line items, shipping and discount do not add up to the amount."
            code = "amount_details_amount_mismatch"
            if given.get("enforce_arithmetic_validation") is not False:
                raise ApiError(message, code=code, param="amount_details")
            shown["error"] = {"code": code, "message": message}
    return shown


def _detail_total(row: Doc) -> int:
    tax = (row.get("tax") or {}).get("total_tax_amount") or 0
    total: int = row["unit_cost"] * row["quantity"] - (row.get("discount_amount") or 0) + tax
    return total


def _detail_lines(world: World, given: Doc | None) -> list[Doc]:
    rows = (given or {}).get("line_items") or []
    for index, row in enumerate(rows):
        if len(row.get("product_code") or "") > 12:
            param = f"amount_details[line_items][{index}][product_code]"
            raise ApiError("Invalid string: must be at most 12 characters", code="parameter_invalid", param=param)
    return [
        {
            "id": world.new_id("uli_1"),
            "object": "payment_intent_amount_details_line_item",
            "discount_amount": row.get("discount_amount"),
            "payment_method_options": None,
            "product_code": row.get("product_code"),
            "product_name": row["product_name"],
            "quantity": row["quantity"],
            "tax": row.get("tax"),
            "unit_cost": row["unit_cost"],
            "unit_of_measure": row.get("unit_of_measure"),
        }
        for row in rows
    ]


def update_intent(world: World, doc: Doc, params: Doc) -> Doc:
    """Changes what is named. Stripe has no event for it."""
    changes: dict[str, Any] = {
        name: value for name, value in params.items() if name not in ("metadata", "expand", "amount_details")
    }
    fixed = [name for name in ("amount", "currency", "customer") if name in changes]
    if fixed and doc["status"] not in OPEN:
        raise _unexpected_state(doc, "update")
    if "currency" in changes:
        changes["currency"] = check_currency(changes["currency"])
    if "amount" in changes:
        check_amount(changes["amount"], str(changes.get("currency") or doc["currency"]))
    if "shipping" in changes:
        changes["shipping"] = shipping(changes["shipping"])
    if "payment_details" in changes:
        changes["payment_details"] = _payment_details(changes["payment_details"])
    if "amount_details" in params:
        changes["amount_details"] = amount_details(
            params["amount_details"], int(changes.get("amount") or doc["amount"])
        )
        changes["_lines"] = _detail_lines(world, params["amount_details"])
    return apply_update(world, "payment_intents", doc, params, changes, None)


def confirm_intent(world: World, doc: Doc, params: Doc) -> Doc:
    """Takes the payment by the given method; a declined card is a 402 and leaves a failed charge behind."""
    if doc["status"] not in OPEN:
        raise _unexpected_state(doc, "confirm")
    method = params.get("payment_method") or doc["payment_method"]
    if not method:
        raise missing_parameter("payment_method")
    ours = ("payment_method", "off_session", "return_url", "expand")
    update_intent(world, doc, {name: value for name, value in params.items() if name not in ours})
    if method in charges.DECLINED:
        decline(world, doc, method)
        error = doc["last_payment_error"]
        extra = {
            "charge": doc["latest_charge"],
            "payment_intent": world.show(doc),
            "decline_code": error["decline_code"],
        }
        message = charges.DECLINE_MESSAGE
        raise ApiError(message, status=402, kind="card_error", code="card_declined", stored=True, extra=extra)
    return charge_intent(world, doc, method, None, delayed=charges.kind_of(method) != "card")


def charge_intent(world: World, doc: Doc, method: str | None, billing: Doc | None, *, delayed: bool = False) -> Doc:
    """Charges an open intent: authorised only, succeeded, or pending where the method is a delayed one."""
    manual = doc["capture_method"] == "manual" and not delayed
    status = "pending" if delayed else "succeeded"
    charge = charges.create_charge(
        world,
        doc["_account"],
        doc["amount"],
        doc["currency"],
        intent=doc,
        payment_method=method,
        billing_details=billing,
        captured=not manual,
        status=status,
    )
    doc["latest_charge"], doc["payment_method"] = charge["id"], charge["payment_method"]
    doc["payment_method_types"] = [charges.kind_of(method)]
    doc["last_payment_error"] = None
    if delayed:
        doc["status"] = "processing"
        world.table("payment_intents").save(doc)
        world.emit("charge.pending", charge)
        world.emit("payment_intent.processing", doc)
    elif manual:
        doc["status"], doc["amount_capturable"] = "requires_capture", doc["amount"]
        world.table("payment_intents").save(doc)
        world.emit("charge.succeeded", charge)
        world.emit("payment_intent.amount_capturable_updated", doc)
    else:
        _succeeded(world, doc, charge, "charge.succeeded")
    return doc


def _succeeded(world: World, doc: Doc, charge: Doc, told: str) -> None:
    doc["status"], doc["amount_received"], doc["amount_capturable"] = "succeeded", charge["amount_captured"], 0
    doc["processing"] = None
    world.table("payment_intents").save(doc)
    if doc["capture_method"] == "automatic":
        charges.add_balance(world, charge, tell=False)
    world.emit(told, charge)
    world.emit("payment_intent.succeeded", doc)
    if charge["balance_transaction"] is None:
        charges.settle_later(world, charge)


def settle_intent(world: World, doc: Doc, failed: bool) -> Doc:
    """Ends a delayed payment: the money came, or it did not."""
    if doc["status"] != "processing":
        raise _unexpected_state(doc, "settle")
    charge = world.need("charges", doc["latest_charge"], doc["_account"])
    if failed:
        charges.fail(world, charge)
        _failed(world, doc, "generic_decline")
    else:
        charge.update({"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]})
        world.table("charges").save(charge)
        _succeeded(world, doc, charge, "charge.succeeded")
    return doc


def decline(world: World, doc: Doc, method: str | None, billing: Doc | None = None) -> Doc:
    """A failed attempt: a failed charge, the intent waits for another method."""
    charge = charges.create_charge(
        world, doc["_account"], doc["amount"], doc["currency"],
        intent=doc, payment_method=method, billing_details=billing, status="failed",
    )  # fmt: skip
    doc["latest_charge"] = charge["id"]
    code = charges.DECLINED.get(method or "", "generic_decline")
    charges.fail(world, charge, code)
    _failed(world, doc, code)
    return doc


def _failed(world: World, doc: Doc, decline_code: str) -> None:
    doc["last_payment_error"] = {
        "charge": doc["latest_charge"],
        "code": "card_declined",
        "decline_code": decline_code,
        "message": charges.DECLINE_MESSAGE,
        "type": "card_error",
    }
    doc["status"], doc["payment_method"] = "requires_payment_method", None
    world.table("payment_intents").save(doc)
    world.emit("payment_intent.payment_failed", doc)


def capture_intent(world: World, doc: Doc, params: Doc) -> Doc:
    """Takes all or part of what was authorised; the rest is let go. Tells `charge.captured`."""
    if doc["status"] != "requires_capture":
        raise _unexpected_state(doc, "capture")
    amount = doc["amount_capturable"] if params.get("amount_to_capture") is None else params["amount_to_capture"]
    check_amount(amount, doc["currency"], "amount_to_capture")
    if amount > doc["amount_capturable"]:
        message = "The amount to capture is greater than what was authorised."
        raise ApiError(message, code="amount_too_large", param="amount_to_capture", stored=True)
    if "metadata" in params:
        doc["metadata"] = merged(doc["metadata"], params["metadata"])
    charge = world.need("charges", doc["latest_charge"], doc["_account"])
    charge.update({"captured": True, "amount_captured": amount})
    world.table("charges").save(charge)
    _succeeded(world, doc, charge, "charge.captured")
    return doc


def cancel_intent(world: World, doc: Doc, params: Doc) -> Doc:
    """Gives up an unfinished payment; an authorisation is let go as a refund. Tells `payment_intent.canceled`."""
    if doc["status"] in ("succeeded", "canceled", "processing"):
        raise _unexpected_state(doc, "cancel")
    if doc["status"] == "requires_capture":
        refunds.release(world, world.need("charges", doc["latest_charge"], doc["_account"]))
    doc.update({"status": "canceled", "amount_capturable": 0, "canceled_at": world.schedule.second()})
    doc["cancellation_reason"] = params.get("cancellation_reason")
    world.table("payment_intents").save(doc)
    world.emit("payment_intent.canceled", doc)
    return doc


def _unexpected_state(doc: Doc, what: str) -> ApiError:
    message = f"You cannot {what} this PaymentIntent because it has a status of {doc['status']}."
    return ApiError(message, code="payment_intent_unexpected_state", stored=True)
