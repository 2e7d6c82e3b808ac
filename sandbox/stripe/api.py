"""The endpoints of Stripe's API that are simulated: what each takes and what it does."""

from __future__ import annotations

from sandbox.stripe import balances, catalog, checkout, disputes, intents, payouts, refunds, webhooks
from sandbox.stripe.calls import Call, Endpoint, a_page, change, create, lines_of, retrieve, rows_of, search, update
from sandbox.stripe.errors import ApiError, missing_parameter
from sandbox.stripe.paging import made_within
from sandbox.stripe.parameters import (
    COUPON,
    CREATED,
    CUSTOMER,
    ENDPOINT,
    INTENT_CAPTURE,
    INTENT_CONFIRM,
    INTENT_CREATE,
    INTENT_UPDATE,
    PRICE,
    PRODUCT,
    PROMOTION_CODE,
    REFUND,
    SEARCH,
    SESSION_CREATE,
    SHIPPING,
    TAX_RATE,
    Spec,
    listed,
    optional,
)
from sandbox.stripe.tables import Doc

MOST_TYPES = 20  # docs.stripe.com/api/events/list


def _prices(call: Call) -> Doc:
    keys = call.params.get("lookup_keys")
    rows = call.world.table("prices").find(newest_first=True, _account=call.account)
    product = call.params.get("product")
    found = (row for row in rows if (not keys or row["lookup_key"] in keys) and product in (None, row["product"]))
    return a_page(call, found, "price")


def _balances(call: Call) -> Doc:
    if not call.params.get("payout"):
        return rows_of("balance_transactions")(call)
    rows = payouts.lines(call.world, call.account, call.params)
    return a_page(call, made_within(rows, call.params.get("created")), "balance transaction")


def _balance(call: Call) -> Doc:
    return balances.held(call.world, call.account)


def _payouts(call: Call) -> Doc:
    given = {"status": call.params["status"]} if call.params.get("status") else {}
    rows = call.world.table("payouts").find(newest_first=True, _account=call.account, **given)
    arrived = made_within(rows, call.params.get("arrival_date"), "arrival_date")
    return a_page(call, made_within(arrived, call.params.get("created")), "payout")


def _invoice_payments(call: Call) -> Doc:
    given, fields = call.params, {"_account": call.account}
    if given.get("payment"):
        if given["payment"]["type"] != "payment_intent":
            raise ApiError("Only payments by intent are simulated", param="payment[type]")
        if not given["payment"].get("payment_intent"):
            raise missing_parameter("payment[payment_intent]")
        fields["_payment_intent"] = given["payment"]["payment_intent"]
    fields |= {name: given[name] for name in ("invoice", "status") if given.get(name)}
    rows = call.world.table("invoice_payments").find(newest_first=True, **fields)
    return a_page(call, rows, "invoice_payment")


def _events(call: Call) -> Doc:
    given = call.params
    asked = set(given.get("types") or []) | ({given["type"]} if given.get("type") else set())
    if len(given.get("types") or []) > MOST_TYPES:
        raise ApiError(f"types takes {MOST_TYPES} at most", param="types")
    told = given.get("delivery_success")
    rows = call.world.table("events").find(newest_first=True, _account=call.account)
    since = call.world.schedule.second() - 30 * 86400
    found = (
        row
        for row in made_within(rows, given.get("created"))
        if row["created"] >= since
        and (not asked or row["type"] in asked)
        and (told is None or call.delivered(row["id"]) is told)
    )
    return a_page(call, found, "event")


def _thin_event(call: Call) -> Doc:
    for event in call.world.table("events").find(_account=call.account, _thin_id=call.ids["id"]):
        before = event["data"].get("previous_attributes") or {}
        after = {name: event["data"]["object"].get(name) for name in before}
        return {**webhooks.thin(event), "changes": {"before": before, "after": after}, "snapshot_event": event["id"]}
    raise ApiError(f"Event {call.ids['id']} not found.", status=404, code="not_found")


def _account(call: Call) -> Doc:
    if call.ids.get("id", call.account) != call.account:
        raise ApiError("The account does not exist or is not yours.", status=403, code="account_invalid")
    about = call.world.account(call.account)
    return {
        "id": call.account,
        "object": "account",
        "business_profile": {"name": about["name"], "support_email": None, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": about["country"],
        "created": about["created"],
        "default_currency": about["default_currency"],
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": about["name"], "timezone": "Etc/UTC"}},
        "type": "standard",
    }


def _new_endpoint(call: Call) -> Doc:
    doc = webhooks.create_endpoint(call.world, call.account, call.params)
    # Stripe shows the secret once, in the answer to the creation.
    return {**doc, "secret": doc["_secret"]}


def _change_endpoint(call: Call) -> Doc:
    doc, changes = call.doc("webhook_endpoints"), dict(call.params)
    disabled = changes.pop("disabled", None)
    if disabled is not None:
        changes["status"] = "disabled" if disabled else "enabled"
    kept = {name: value for name, value in changes.items() if name not in ("metadata", "expand")}
    return catalog.apply_update(call.world, "webhook_endpoints", doc, call.params, kept, None)


def _remove_endpoint(call: Call) -> Doc:
    doc = call.doc("webhook_endpoints")
    call.world.table("webhook_endpoints").remove(doc["id"])
    return {"id": doc["id"], "object": "webhook_endpoint", "deleted": True}


_IN: dict[str, Spec] = {"payment_intent": "str", "payment_link": "str", "customer": "str", "status": "str"}
_TEXTS: dict[str, Spec] = {"description": "str", "metadata": "map"}
_CHARGE: dict[str, Spec] = {**_TEXTS, "receipt_email": "str", "shipping": SHIPPING, "transfer_group": "str"}
_CANCEL: dict[str, Spec] = {"cancellation_reason": "str"}
_META: dict[str, Spec] = {"metadata": "map"}
_ENDPOINT_CHANGE: dict[str, Spec] = {
    "url": "str", "enabled_events": ["str"], "disabled": "bool", **_TEXTS
}  # fmt: skip
_PRICE_CHANGE: dict[str, Spec] = {"active": "bool", "nickname": "str", "lookup_key": "str", **_META}
_PRODUCT_CHANGE: dict[str, Spec] = {"active": "bool", **optional(PRODUCT)}
_PAYMENTS: dict[str, Spec] = {
    "payment": {"type!": "str", "payment_intent": "str"}, "invoice": "str", "status": "str"
}  # fmt: skip
_EVENTS: dict[str, Spec] = {"type": "str", "types": ["str"], "created": CREATED, "delivery_success": "bool"}

ENDPOINTS = [
    Endpoint("GET", "/v1/account", {}, _account),
    Endpoint("GET", "/v1/accounts/{id}", {}, _account),
    Endpoint("POST", "/v1/customers", CUSTOMER, create(catalog.create_customer)),
    Endpoint("GET", "/v1/customers", listed(email="str", created=CREATED), rows_of("customers")),
    Endpoint("GET", "/v1/customers/{id}", {}, retrieve("customers")),
    Endpoint("POST", "/v1/customers/{id}", CUSTOMER, change("customers", catalog.update_customer)),
    Endpoint("POST", "/v1/products", PRODUCT, create(catalog.create_product)),
    Endpoint("GET", "/v1/products", listed(active="bool", created=CREATED), rows_of("products")),
    Endpoint("GET", "/v1/products/{id}", {}, retrieve("products")),
    Endpoint("POST", "/v1/products/{id}", _PRODUCT_CHANGE, update("products", "product.updated")),
    Endpoint("POST", "/v1/prices", PRICE, create(catalog.create_price)),
    Endpoint("GET", "/v1/prices", listed(lookup_keys=["str"], product="str"), _prices),
    Endpoint("GET", "/v1/prices/{id}", {}, retrieve("prices")),
    Endpoint("POST", "/v1/prices/{id}", _PRICE_CHANGE, update("prices", "price.updated")),
    Endpoint("POST", "/v1/tax_rates", TAX_RATE, create(catalog.create_tax_rate)),
    Endpoint("GET", "/v1/tax_rates", listed(active="bool", inclusive="bool"), rows_of("tax_rates")),
    Endpoint("GET", "/v1/tax_rates/{id}", {}, retrieve("tax_rates")),
    Endpoint("POST", "/v1/coupons", COUPON, create(catalog.create_coupon)),
    Endpoint("GET", "/v1/coupons/{id}", {}, retrieve("coupons")),
    Endpoint("POST", "/v1/promotion_codes", PROMOTION_CODE, create(catalog.create_promotion_code)),
    Endpoint("GET", "/v1/promotion_codes/{id}", {}, retrieve("promotion_codes")),
    Endpoint("POST", "/v1/payment_intents", INTENT_CREATE, create(intents.create_or_confirm)),
    Endpoint("GET", "/v1/payment_intents", listed(customer="str", created=CREATED), rows_of("payment_intents")),
    Endpoint("GET", "/v1/payment_intents/search", SEARCH, search("payment_intents")),
    Endpoint("GET", "/v1/payment_intents/{id}", {}, retrieve("payment_intents")),
    Endpoint("POST", "/v1/payment_intents/{id}", INTENT_UPDATE, change("payment_intents", intents.update_intent)),
    Endpoint(
        "POST", "/v1/payment_intents/{id}/confirm", INTENT_CONFIRM, change("payment_intents", intents.confirm_intent)
    ),
    Endpoint(
        "POST", "/v1/payment_intents/{id}/capture", INTENT_CAPTURE, change("payment_intents", intents.capture_intent)
    ),
    Endpoint("POST", "/v1/payment_intents/{id}/cancel", _CANCEL, change("payment_intents", intents.cancel_intent)),
    Endpoint("GET", "/v1/payment_intents/{id}/amount_details_line_items", listed(), lines_of("payment_intents")),
    Endpoint("GET", "/v1/charges", listed(customer="str", payment_intent="str", created=CREATED), rows_of("charges")),
    Endpoint("GET", "/v1/charges/{id}", {}, retrieve("charges")),
    Endpoint("POST", "/v1/charges/{id}", _CHARGE, update("charges", "charge.updated")),
    Endpoint("POST", "/v1/refunds", REFUND, create(refunds.create_refund)),
    Endpoint("GET", "/v1/refunds", listed(charge="str", payment_intent="str", created=CREATED), rows_of("refunds")),
    Endpoint("GET", "/v1/refunds/{id}", {}, retrieve("refunds")),
    Endpoint("POST", "/v1/refunds/{id}", _META, update("refunds", "refund.updated")),
    Endpoint("POST", "/v1/refunds/{id}/cancel", {}, change("refunds", refunds.cancel)),
    Endpoint("GET", "/v1/disputes", listed(charge="str", payment_intent="str", created=CREATED), rows_of("disputes")),
    Endpoint("GET", "/v1/disputes/{id}", {}, retrieve("disputes")),
    Endpoint("POST", "/v1/disputes/{id}", _META, update("disputes", "charge.dispute.updated")),
    Endpoint("POST", "/v1/disputes/{id}/close", {}, change("disputes", disputes.give_up)),
    Endpoint("POST", "/v1/checkout/sessions", SESSION_CREATE, create(checkout.create_session)),
    Endpoint("GET", "/v1/checkout/sessions", listed(created=CREATED, **_IN), rows_of("sessions")),
    Endpoint("GET", "/v1/checkout/sessions/{id}", {}, retrieve("sessions")),
    Endpoint("POST", "/v1/checkout/sessions/{id}", _META, update("sessions")),
    Endpoint("GET", "/v1/checkout/sessions/{id}/line_items", listed(), lines_of("sessions")),
    Endpoint("POST", "/v1/checkout/sessions/{id}/expire", {}, change("sessions", checkout.expire_session)),
    Endpoint("GET", "/v1/invoices", listed(customer="str", status="str", created=CREATED), rows_of("invoices")),
    Endpoint("GET", "/v1/invoices/{id}", {}, retrieve("invoices")),
    Endpoint("POST", "/v1/invoices/{id}", _TEXTS, update("invoices", "invoice.updated")),
    Endpoint("GET", "/v1/invoices/{id}/lines", listed(), lines_of("invoices")),
    Endpoint("GET", "/v1/invoice_payments", listed(**_PAYMENTS), _invoice_payments),
    Endpoint("GET", "/v1/invoice_payments/{id}", {}, retrieve("invoice_payments")),
    Endpoint(
        "GET",
        "/v1/balance_transactions",
        listed(payout="str", source="str", type="str", currency="str", created=CREATED),
        _balances,
    ),
    Endpoint("GET", "/v1/balance_transactions/{id}", {}, retrieve("balance_transactions")),
    Endpoint("GET", "/v1/balance", {}, _balance),
    Endpoint("GET", "/v1/payouts", listed(status="str", arrival_date=CREATED, created=CREATED), _payouts),
    Endpoint("GET", "/v1/payouts/{id}", {}, retrieve("payouts")),
    Endpoint("GET", "/v1/events", listed(**_EVENTS), _events),
    Endpoint("GET", "/v1/events/{id}", {}, retrieve("events")),
    Endpoint("GET", "/v2/core/events/{id}", {}, _thin_event),
    Endpoint("POST", "/v1/webhook_endpoints", ENDPOINT, _new_endpoint),
    Endpoint("GET", "/v1/webhook_endpoints", listed(), rows_of("webhook_endpoints")),
    Endpoint("GET", "/v1/webhook_endpoints/{id}", {}, retrieve("webhook_endpoints")),
    Endpoint("POST", "/v1/webhook_endpoints/{id}", _ENDPOINT_CHANGE, _change_endpoint),
    Endpoint("DELETE", "/v1/webhook_endpoints/{id}", {}, _remove_endpoint),
]
