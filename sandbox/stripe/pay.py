"""A whole payment in one call, by any of the ways a shop takes money: what demos, tests and benchmarks use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.stripe import charges, checkout, intents, invoices
from sandbox.stripe.amounts import check_amount, check_currency, taxed
from sandbox.stripe.catalog import create_coupon, create_customer, create_price, shipping, tax_rate_for
from sandbox.stripe.errors import ApiError, missing_parameter, unknown_parameter
from sandbox.stripe.lines import Wish, discounts, shipping_cost
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World

WAYS = ("checkout", "invoice", "amount_details", "metadata", "bare", "charge_only")
KNOWN = frozenset({
    "account", "amount", "capture", "client_reference_id", "currency", "customer", "description", "discount", "guest",
    "lines", "metadata", "order_reference", "outcome", "payment_method", "receipt_email", "shipping",
    "shipping_details", "via",
})  # fmt: skip
LINE = frozenset({
    "sku", "name", "description", "unit_amount", "unit_amount_decimal", "quantity", "tax_percent", "tax_inclusive",
    "item_id",
})  # fmt: skip


def pay(world: World, account: str, wish: Doc) -> Doc:
    """Makes the payment `wish` describes and says the ids of what came of it.

    `via` is one of WAYS, `outcome` paid, async or unpaid, `capture` a capture method; a line is
    {sku, name, unit_amount, quantity, tax_percent, tax_inclusive, item_id}.
    """
    _known(wish, KNOWN)
    for line in wish.get("lines") or []:
        _check_line(line)
    if (wish.get("outcome") or "paid") not in ("paid", "async", "unpaid"):
        raise ApiError("outcome is paid, async or unpaid", param="outcome")
    via = wish.get("via") or "checkout"
    if via not in WAYS:
        raise ApiError(f"via is one of {', '.join(WAYS)}", param="via")
    wish = {**wish, "currency": check_currency(wish.get("currency") or "usd")}
    made: dict[str, Any] = {"account": account, "customer": _customer(world, account, wish, via == "invoice")}
    if via == "checkout":
        made |= _by_checkout(world, account, wish, made["customer"])
    elif via == "invoice":
        made |= _by_invoice(world, account, wish, made["customer"])
    elif via == "charge_only":
        made |= _by_charge(world, account, wish, made["customer"])
    else:
        made |= _by_intent(world, account, wish, made["customer"], via)
    return _told(world, made)


def _known(given: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in given:
        if name not in known:
            raise unknown_parameter(name)


def _check_line(line: Doc) -> None:
    _known(line, LINE)
    if not isinstance(line.get("unit_amount", 0), int) or not isinstance(line.get("quantity", 1), int):
        raise ApiError("unit_amount and quantity are whole numbers", param="lines")
    if line.get("unit_amount") is None and line.get("unit_amount_decimal") is None:
        raise missing_parameter("lines[unit_amount]")
    if line.get("quantity", 1) < 1:
        raise ApiError("quantity is at least 1", param="lines")


def _told(world: World, made: Doc) -> Doc:
    intent = world.table("payment_intents").get(made.get("payment_intent") or "")
    charge = world.table("charges").get((intent["latest_charge"] if intent else made.get("charge")) or "")
    source = intent or charge or {}
    blank = dict.fromkeys(("session", "invoice", "payment_intent"))
    about = {name: source.get(name) for name in ("amount", "currency", "status")}
    return {**blank, **made, "charge": charge["id"] if charge else None, **about}


def _customer(world: World, account: str, wish: Doc, always: bool) -> str | None:
    given = wish.get("customer") or (wish.get("guest") or {"email": "guest@example.com"} if always else None)
    if given is None:
        return None
    if isinstance(given, str):
        known: str = world.need("customers", given, account, "customer")["id"]
        return known
    if given.get("id") and world.table("customers").get(given["id"], account):
        return str(given["id"])
    sent = wish.get("shipping_details")
    return str(create_customer(world, account, {"shipping": sent, **given})["id"])


def _details(world: World, wish: Doc, customer: str | None) -> Doc:
    if wish.get("guest"):
        return dict(wish["guest"])
    known = world.table("customers").get(customer) if customer else None
    if known is not None:
        return {name: known[name] for name in ("address", "email", "name", "phone")}
    return {"email": wish.get("receipt_email") or "guest@example.com", "name": "Guest Buyer"}


def _wishes(world: World, account: str, wish: Doc) -> list[Wish]:
    if not wish.get("lines"):
        raise missing_parameter("lines")
    return [_wish(world, account, line, wish["currency"]) for line in wish["lines"]]


def _wish(world: World, account: str, line: Doc, currency: str) -> Wish:
    rates: tuple[Doc, ...] = ()
    if line.get("tax_percent") is not None:
        rates = (tax_rate_for(world, account, line["tax_percent"], bool(line.get("tax_inclusive"))),)
    price = _price(world, account, line, currency)
    return Wish(price, line.get("quantity", 1), rates, line.get("description"))


def _price(world: World, account: str, line: Doc, currency: str) -> Doc:
    """The price of a SKU, made at its first sale; only the first of a SKU holds the lookup key."""
    sku, behavior = line.get("sku"), "inclusive" if line.get("tax_inclusive") else "exclusive"
    exact = str(line.get("unit_amount_decimal", line.get("unit_amount")))
    metadata = {"sku": sku, "zoho_item_id": line.get("item_id")}
    metadata = {name: value for name, value in metadata.items() if value}
    priced = (exact, currency, behavior, metadata)
    taken = False
    for price in world.table("prices").find(_account=account, _sku=sku) if sku else ():
        names = ("unit_amount_decimal", "currency", "tax_behavior", "metadata")
        if tuple(price[name] for name in names) == priced:
            return price
        taken = taken or price["lookup_key"] == sku
    params = {
        "currency": currency,
        "lookup_key": None if taken else sku,
        "metadata": metadata,
        "product_data": {"name": line.get("name") or sku or "Something", "metadata": dict(metadata)},
        "tax_behavior": behavior,
        "unit_amount_decimal": exact,
    }
    return create_price(world, account, params)


def _coupon(world: World, account: str, wish: Doc) -> Doc | None:
    given = wish.get("discount")
    if not given:
        return None
    params = given if isinstance(given, dict) else {"amount_off": given}
    if params.get("amount_off"):
        params = {"currency": wish["currency"], **params}
    return create_coupon(world, account, params)


def _shipped(world: World, account: str, wish: Doc) -> Doc | None:
    given = wish.get("shipping")
    if not given:
        return None
    cost = given if isinstance(given, dict) else {"amount": given}
    rates: tuple[Doc, ...] = ()
    if cost.get("tax_percent") is not None:
        rates = (tax_rate_for(world, account, cost["tax_percent"], bool(cost.get("tax_inclusive"))),)
    return shipping_cost(cost["amount"], rates, wish["currency"], world.new_id("shr_1"))


def _by_checkout(world: World, account: str, wish: Doc, customer: str | None) -> Doc:
    coupon = _coupon(world, account, wish)
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
    shipped = _shipped(world, account, wish)
    session = checkout.open_session(world, account, _wishes(world, account, wish), params, shipped)
    given = {
        "customer_details": _details(world, wish, customer),
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
    wishes, shipped = _wishes(world, account, wish), _shipped(world, account, wish)
    doc = invoices.open_invoice(world, account, wishes, params, shipped, _coupon(world, account, wish))
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
    details, outcome = _details(world, wish, customer), wish.get("outcome") or "paid"
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
        billing_details=_details(world, wish, customer), status="failed" if failed else "succeeded",
    )  # fmt: skip
    if failed:
        charges.fail(world, charge)
        return {"charge": charge["id"]}
    world.emit("charge.succeeded", charge)
    if captured:
        charges.settle_later(world, charge)
    return {"charge": charge["id"]}
