"""A whole payment in one call, by any of the ways a shop takes money: what demos, tests and benchmarks use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.stripe import charges, checkout, intents, invoices
from sandbox.stripe.amounts import check_amount, check_currency, taxed
from sandbox.stripe.catalog import shipping
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.lines import discounts
from sandbox.stripe.tables import Doc
from sandbox.stripe.wishes import buyer_details, check_line, check_names, coupon_of, customer_of, shipped_of, wishes_of
from sandbox.stripe.world import World

WAYS = ("checkout", "invoice", "amount_details", "metadata", "bare", "charge_only")
KNOWN = frozenset({
    "account", "amount", "capture", "client_reference_id", "currency", "customer", "description", "discount", "guest",
    "lines", "metadata", "order_reference", "outcome", "payment_method", "receipt_email", "shipping",
    "shipping_details", "via",
})  # fmt: skip


def pay(world: World, account: str, wish: Doc) -> Doc:
    """Makes the payment `wish` describes and says the ids of what came of it.

    `via` is one of WAYS, `outcome` paid, async or unpaid, `capture` a capture method; a line is
    {sku, name, unit_amount, quantity, tax_percent, tax_inclusive, item_id}.
    """
    check_names(wish, KNOWN)
    for line in wish.get("lines") or []:
        check_line(line)
    if (wish.get("outcome") or "paid") not in ("paid", "async", "unpaid"):
        raise ApiError("outcome is paid, async or unpaid", param="outcome")
    via = wish.get("via") or "checkout"
    if via not in WAYS:
        raise ApiError(f"via is one of {', '.join(WAYS)}", param="via")
    wish = {**wish, "currency": check_currency(wish.get("currency") or "usd")}
    made: dict[str, Any] = {"account": account, "customer": customer_of(world, account, wish, via == "invoice")}
    if via == "checkout":
        made |= _by_checkout(world, account, wish, made["customer"])
    elif via == "invoice":
        made |= _by_invoice(world, account, wish, made["customer"])
    elif via == "charge_only":
        made |= _by_charge(world, account, wish, made["customer"])
    else:
        made |= _by_intent(world, account, wish, made["customer"], via)
    return _told(world, made)


def _told(world: World, made: Doc) -> Doc:
    intent = world.table("payment_intents").get(made.get("payment_intent") or "")
    charge = world.table("charges").get((intent["latest_charge"] if intent else made.get("charge")) or "")
    source = intent or charge or {}
    blank = dict.fromkeys(("session", "invoice", "payment_intent"))
    about = {name: source.get(name) for name in ("amount", "currency", "status")}
    return {**blank, **made, "charge": charge["id"] if charge else None, **about}


def _by_checkout(world: World, account: str, wish: Doc, customer: str | None) -> Doc:
    coupon = coupon_of(world, account, wish)
    texts = ("description", "receipt_email")
    params = {
        "client_reference_id": wish.get("client_reference_id"),
        "customer": customer,
        "discounts": [{"coupon": coupon["id"]}] if coupon else [],
        "metadata": wish.get("metadata") or {},
        "payment_intent_data": {
            "metadata": wish.get("metadata") or {},
            "capture_method": wish.get("capture"),
            **{name: wish.get(name) for name in texts},
        },
    }
    shipped = shipped_of(world, account, wish)
    session = checkout.open_session(world, account, wishes_of(world, account, wish), params, shipped)
    given = {
        "customer_details": buyer_details(world, wish, customer),
        "outcome": wish.get("outcome"),
        "payment_method": wish.get("payment_method"),
        "shipping_details": wish.get("shipping_details"),
    }
    checkout.complete_session(world, session, given)
    return {"session": session["id"], "payment_intent": session["payment_intent"]}


def _by_invoice(world: World, account: str, wish: Doc, customer: str) -> Doc:
    params = {
        "customer": customer,
        "description": wish.get("description"),
        "intent_metadata": wish.get("metadata") or {},
        "metadata": wish.get("metadata") or {},
    }
    wishes, shipped = wishes_of(world, account, wish), shipped_of(world, account, wish)
    doc = invoices.open_invoice(world, account, wishes, params, shipped, coupon_of(world, account, wish))
    if wish.get("outcome") == "async":
        raise ApiError("An invoice is paid at once or left unpaid", param="outcome")
    if wish.get("outcome") != "unpaid":
        invoices.pay_invoice(world, doc, wish)
    return {"invoice": doc["id"], "payment_intent": doc["_payment_intent"]}


def _texts(wish: Doc) -> Doc:
    return {
        "description": wish.get("description"),
        "metadata": {**_metadata_lines(wish), **(wish.get("metadata") or {})},
        "receipt_email": wish.get("receipt_email") or (wish.get("guest") or {}).get("email"),
    }


def _metadata_lines(wish: Doc) -> dict[str, str]:
    if wish.get("via") not in ("metadata", "charge_only"):
        return {}
    rows = wish.get("lines") or []
    if wish.get("discount") or wish.get("shipping") or any(row.get("tax_percent") for row in rows):
        raise ApiError("Lines in metadata know no discount, shipping or tax", param="lines")
    if not all(row.get("sku") and "unit_amount" in row for row in rows):
        raise ApiError("Lines in metadata need a sku and a unit_amount", param="lines")
    return {
        f"line_{number}": f"{row['sku']}*{row.get('quantity', 1)}@{row['unit_amount']}"
        for number, row in enumerate(rows, 1)
    }


def _amount(wish: Doc) -> int:
    if wish.get("amount") is not None:
        return int(wish["amount"])
    if not wish.get("lines"):
        raise missing_parameter("amount")
    return sum(row["unit_amount"] * row.get("quantity", 1) for row in wish["lines"])


def _by_intent(world: World, account: str, wish: Doc, customer: str | None, via: str) -> Doc:
    params = {
        "amount": _amount(wish),
        "capture_method": wish.get("capture"),
        "currency": wish["currency"],
        "customer": customer,
        "payment_details": {"order_reference": wish["order_reference"]} if wish.get("order_reference") else None,
        "shipping": wish.get("shipping_details"),
        **_texts(wish),
    }
    if via == "amount_details":
        params |= _itemised(wish)
    intent = intents.create_intent(world, account, params)
    details, outcome = buyer_details(world, wish, customer), wish.get("outcome") or "paid"
    method = wish.get("payment_method") or ("sepa_debit" if outcome == "async" else "card")
    if outcome == "unpaid":
        intents.decline(world, intent, method, details)
    else:
        intents.charge_intent(world, intent, method, details, delayed=outcome == "async")
    return {"payment_intent": intent["id"]}


def _itemised(wish: Doc) -> Doc:
    """The amount and its details: a discount is spread over the lines, taxes come on top of them."""
    rows, currency = wish.get("lines") or [], wish["currency"]
    if not all("unit_amount" in row for row in rows):
        raise ApiError("Itemised lines need a unit_amount", param="lines")
    before = [row["unit_amount"] * row.get("quantity", 1) for row in rows]
    given = wish.get("discount") or 0
    coupon = given if isinstance(given, dict) else {"amount_off": given}
    coupon = {"amount_off": None, "percent_off": None, **coupon}
    off = discounts(before, coupon if given else None, currency)
    given_shipping = wish.get("shipping") or 0
    sent = given_shipping["amount"] if isinstance(given_shipping, dict) else given_shipping
    items, total = [], sent
    for row, subtotal, less in zip(rows, before, off, strict=True):
        if row.get("tax_inclusive"):
            raise ApiError("The tax of an itemised amount comes on top", param="lines")
        tax = sum(taxed(subtotal - less, [(Decimal(str(row.get("tax_percent") or 0)), False)], currency))
        total += subtotal - less + tax
        items.append(_item(row, less, tax))
    return {"amount": total, "amount_details": {"line_items": items, "shipping": {"amount": sent} if sent else None}}


def _item(row: Doc, less: int, tax: int) -> Doc:
    return {
        "discount_amount": less or None,
        "product_code": row.get("sku"),
        "product_name": row.get("name") or row.get("sku"),
        "quantity": row.get("quantity", 1),
        "tax": {"total_tax_amount": tax} if tax else None,
        "unit_cost": row["unit_amount"],
    }


def _by_charge(world: World, account: str, wish: Doc, customer: str | None) -> Doc:
    amount = check_amount(_amount(wish), wish["currency"])
    texts = {**_texts(wish), "customer": customer, "shipping": shipping(wish.get("shipping_details"))}
    captured = wish.get("capture") != "manual"
    failed = wish.get("outcome") == "unpaid"
    if wish.get("outcome") == "async":
        raise ApiError("A charge without an intent is paid at once or declined", param="outcome")
    charge = charges.create_charge(
        world, account, amount, wish["currency"],
        texts=texts, payment_method=wish.get("payment_method"), captured=captured,
        billing_details=buyer_details(world, wish, customer), status="failed" if failed else "succeeded",
    )  # fmt: skip
    if failed:
        charges.fail(world, charge)
        return {"charge": charge["id"]}
    world.emit("charge.succeeded", charge)
    if captured:
        charges.settle_later(world, charge)
    return {"charge": charge["id"]}
