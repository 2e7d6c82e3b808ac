"""Checkout sessions: made with their lines, completed by a buyer, settled later where the method is a delayed one."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe import charges, intents
from sandbox.stripe.amounts import check_amount, check_currency
from sandbox.stripe.catalog import address, create_customer, create_price, discount_of
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.lines import Wish, automatic_rates, price_lines, shipping_cost, totals
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, merged


def create_session(world: World, account: str, params: Doc) -> Doc:
    """An open session in mode `payment`, its lines priced."""
    if (params.get("mode") or "payment") != "payment":
        raise ApiError("This sandbox sells once: mode has to be payment", param="mode")
    if not params.get("line_items"):
        raise missing_parameter("line_items")
    automatic = bool((params.get("automatic_tax") or {}).get("enabled"))
    wishes = [_wish(world, account, row, automatic) for row in params["line_items"]]
    return open_session(world, account, wishes, params, _shipping(world, account, params, automatic))


def _wish(world: World, account: str, row: Doc, automatic: bool) -> Wish:
    if row.get("price"):
        price = world.need("prices", row["price"], account, "line_items[price]")
    elif row.get("price_data"):
        price = create_price(world, account, row["price_data"], active=False)
    else:
        raise missing_parameter("line_items[price]")
    if (row.get("quantity") or 0) < 1:
        raise ApiError("Quantity is required and at least 1", param="line_items[quantity]")
    rates = tuple(world.need("tax_rates", name, account, "tax_rates") for name in row.get("tax_rates") or [])
    if automatic:
        rates = automatic_rates(world, account, price["tax_behavior"])
    metadata = tuple((row.get("metadata") or {}).items())
    return Wish(price=price, quantity=row["quantity"], rates=rates, metadata=metadata)


def _shipping(world: World, account: str, params: Doc, automatic: bool) -> Doc | None:
    options = params.get("shipping_options") or []
    if not options:
        return None
    data = options[0].get("shipping_rate_data") or {}
    fixed = data.get("fixed_amount")
    if not fixed:
        raise missing_parameter("shipping_options[0][shipping_rate_data][fixed_amount]")
    rates = automatic_rates(world, account, data.get("tax_behavior")) if automatic else ()
    return shipping_cost(fixed["amount"], rates, fixed["currency"].lower(), world.new_id("shr_1"))


def open_session(world: World, account: str, wishes: Sequence[Wish], params: Doc, shipped: Doc | None) -> Doc:
    """An open session over lines already wished for; `shipped` is what `shipping_cost` made."""
    currencies = {wish.price["currency"] for wish in wishes}
    if len(currencies) != 1:
        raise ApiError("All line items have to be in the same currency", param="line_items")
    currency = check_currency(currencies.pop())
    if params.get("customer"):
        world.need("customers", params["customer"], account, "customer")
    base = world.base("checkout.session", "cs_test_a1", account, 56)
    discount = _discount(world, account, base["id"], params)
    rows = price_lines(world, wishes, currency, discount)
    summed = totals(rows, shipped)
    check_amount(summed["amount_total"], currency)
    doc = {**base, **_session_fields(base, params, discount), **summed, "currency": currency, "shipping_cost": shipped}
    url = f"/v1/checkout/sessions/{base['id']}/line_items"
    doc["_lines"] = rows
    doc["+line_items"] = {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}
    return world.table("sessions").save(doc)


def _discount(world: World, account: str, session: str, params: Doc) -> Doc | None:
    given = (params.get("discounts") or [{}])[0]
    code, name = given.get("promotion_code"), given.get("coupon")
    if code:
        name = world.need("promotion_codes", code, account, "discounts")["promotion"]["coupon"]
    if not name:
        return None
    coupon = world.need("coupons", name, account, "discounts")
    return discount_of(world, coupon, code, checkout_session=session, customer=params.get("customer"))


def _session_fields(base: Doc, params: Doc, discount: Doc | None) -> Doc:
    hosted = (params.get("ui_mode") or "hosted_page") == "hosted_page"
    source = discount["source"]["coupon"] if discount else None
    reduced = [{"coupon": source, "promotion_code": discount["promotion_code"]}] if discount else []
    return {
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "automatic_tax": {
            "enabled": bool((params.get("automatic_tax") or {}).get("enabled")),
            "liability": None, "provider": None, "status": "complete" if params.get("automatic_tax") else None,
        },
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None
        },
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": params.get("customer_creation") or "if_required",
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": reduced,
        "expires_at": params.get("expires_at") or base["created"] + 86400,
        "invoice": None,
        "invoice_creation": None,
        "locale": params.get("locale"),
        "metadata": merged({}, params.get("metadata", {})),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": bool((params.get("phone_number_collection") or {}).get("enabled"))},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params.get("success_url"),
        "ui_mode": params.get("ui_mode") or "hosted_page",
        "url": f"https://checkout.stripe.com/c/pay/{base['id']}" if hosted else None,
        "wallet_options": None,
        "_intent_data": params.get("payment_intent_data") or {},
    }  # fmt: skip


def complete_session(world: World, doc: Doc, given: Doc) -> Doc:
    """A buyer fills the page in and pays; `outcome` is paid, async (the money comes later) or unpaid (declined)."""
    if doc["status"] != "open":
        raise ApiError(f"This Checkout Session is {doc['status']}", param="session")
    outcome = given.get("outcome") or "paid"
    if outcome not in ("paid", "async", "unpaid"):
        raise ApiError("outcome is paid, async or unpaid", param="outcome")
    details = _details(world, doc, given.get("customer_details"))
    _customer(world, doc, details)
    intent = _intent(world, doc, given, details)
    doc["payment_intent"] = intent["id"]
    # A buyer whose card was declined is still on the page.
    if outcome == "unpaid":
        intents.decline(world, intent, given.get("payment_method"), details)
        return world.table("sessions").save(doc)
    method = given.get("payment_method") or ("sepa_debit" if outcome == "async" else "card")
    intents.charge_intent(world, intent, method, details, delayed=outcome == "async")
    doc.update({"status": "complete", "url": None, "customer_details": details})
    doc["payment_status"] = "unpaid" if outcome == "async" or intent["status"] == "requires_capture" else "paid"
    doc["payment_method_types"] = [charges.kind_of(method)]
    if intent["shipping"]:
        sent = {"address": intent["shipping"]["address"], "name": intent["shipping"]["name"]}
        doc["collected_information"] = {
            "business_name": None, "individual_name": None, "shipping_details": sent
        }  # fmt: skip
    world.table("sessions").save(doc)
    world.emit("checkout.session.completed", doc)
    return doc


def _details(world: World, doc: Doc, given: Doc | None) -> Doc:
    customer = world.table("customers").get(doc["customer"]) if doc["customer"] else None
    known = customer or {}
    said = {**{name: known.get(name) for name in ("address", "email", "name", "phone")}, **(given or {})}
    return {
        "address": address(said.get("address")),
        "business_name": said.get("business_name"),
        "email": said.get("email") or doc["customer_email"],
        "individual_name": said.get("individual_name"),
        "name": said.get("name"),
        "phone": said.get("phone"),
        "tax_exempt": said.get("tax_exempt") or "none",
        "tax_ids": said.get("tax_ids") or [],
    }


def _customer(world: World, doc: Doc, details: Doc) -> None:
    if doc["customer"] is None and doc["customer_creation"] == "always":
        said = {name: details[name] for name in ("address", "email", "name", "phone")}
        doc["customer"] = create_customer(world, doc["_account"], said)["id"]


def _intent(world: World, doc: Doc, given: Doc, details: Doc) -> Doc:
    if doc["payment_intent"] is not None:
        return world.need("payment_intents", doc["payment_intent"], doc["_account"])
    asked = doc["_intent_data"]
    params = {
        **asked,
        "amount": doc["amount_total"],
        "currency": doc["currency"],
        "customer": doc["customer"],
        "shipping": given.get("shipping_details") or asked.get("shipping"),
    }
    intent = intents.create_intent(world, doc["_account"], params)
    if doc["customer"] is None and intent["receipt_email"] is None:
        intent["receipt_email"] = details["email"]
    return intent


def settle_session(world: World, doc: Doc, given: Doc) -> Doc:
    """Ends a delayed payment; tells `checkout.session.async_payment_succeeded` or `…_failed`."""
    intent = world.need("payment_intents", doc["payment_intent"] or "", doc["_account"])
    failed = given.get("outcome") == "failed"
    intents.settle_intent(world, intent, failed)
    doc["payment_status"] = "unpaid" if failed else "paid"
    world.table("sessions").save(doc)
    world.emit(f"checkout.session.async_payment_{'failed' if failed else 'succeeded'}", doc)
    return doc


def expire_session(world: World, doc: Doc, given: Doc) -> Doc:
    """Closes an open session; tells `checkout.session.expired`."""
    if doc["status"] != "open":
        raise ApiError("Only Checkout Sessions with a status of open can be expired.", param="session")
    doc.update({"status": "expired", "url": None})
    world.table("sessions").save(doc)
    world.emit("checkout.session.expired", doc)
    return doc
