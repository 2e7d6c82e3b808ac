"""Invoices with their lines, and the invoice payments that lead from an intent to its invoice."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.stripe import intents
from sandbox.stripe.amounts import check_currency
from sandbox.stripe.catalog import address, discount_of
from sandbox.stripe.errors import ApiError
from sandbox.stripe.lines import Wish, price_lines, totals
from sandbox.stripe.tables import Doc
from sandbox.stripe.world import World, merged


def open_invoice(
    world: World, account: str, wishes: Sequence[Wish], params: Doc, shipped: Doc | None, coupon: Doc | None
) -> Doc:
    """A finalized invoice with the intent that will pay it; tells created, finalized and the intent's creation."""
    currency = check_currency(wishes[0].price["currency"])
    base = world.base("invoice", "in_1", account)
    customer = world.need("customers", params["customer"], account, "customer")
    discount = discount_of(world, coupon, None, invoice=base["id"], customer=customer["id"]) if coupon else None
    rows = price_lines(world, wishes, currency, discount)
    lines = [_line(world, base, row, customer) for row in rows]
    summed = _sums(rows, shipped, discount)
    doc = {**base, **_fields(world, base, customer, params), **summed, "currency": currency, "shipping_cost": shipped}
    url = f"/v1/invoices/{base['id']}/lines"
    doc["lines"] = {"object": "list", "data": lines[:10], "has_more": len(lines) > 10, "url": url}
    doc["_lines"] = lines
    world.table("invoices").save(doc)
    world.emit("invoice.created", doc)
    intent = _intent(world, doc, params)
    doc["_payment_intent"] = intent["id"]
    _payment(world, doc, intent)
    world.table("invoices").save(doc)
    world.emit("invoice.finalized", doc)
    return doc


def _intent(world: World, doc: Doc, params: Doc) -> Doc:
    asked = {
        "amount": doc["total"],
        "currency": doc["currency"],
        "customer": doc["customer"],
        "description": f"Payment for Invoice {doc['number']}",
        "receipt_email": doc["customer_email"],
        "metadata": params.get("intent_metadata") or {},
        "shipping": doc["shipping_details"],
    }
    return intents.create_intent(world, doc["_account"], asked)


def _line(world: World, invoice: Doc, row: Doc, customer: Doc) -> Doc:
    price = row["price"]
    return {
        "id": world.new_id("il_1"),
        "object": "line_item",
        "amount": row["amount_subtotal"],
        "currency": row["currency"],
        "description": row["description"],
        "discount_amounts": [
            {"amount": less["amount"], "discount": less["discount"]["id"]} for less in row["+discounts"]
        ],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": invoice["livemode"],
        "metadata": row["metadata"],
        "parent": {
            "invoice_item_details": {
                "invoice_item": world.new_id("ii_1"), "proration": False, "proration_details": None,
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "period": {"end": invoice["created"], "start": invoice["created"]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": row["quantity"],
        "quantity_decimal": str(row["quantity"]),
        "subscription": None,
        "subtotal": row["amount_subtotal"],
        "taxes": [_tax(tax) for tax in row["+taxes"]],
    }  # fmt: skip


def _tax(tax: Doc) -> Doc:
    return {
        "amount": tax["amount"],
        "tax_behavior": "inclusive" if tax["rate"]["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": tax["rate"]["id"]},
        "taxability_reason": "not_available",
        "taxable_amount": tax["taxable_amount"],
        "type": "tax_rate_details",
    }


def _sums(rows: Sequence[Doc], shipped: Doc | None, discount: Doc | None) -> Doc:
    summed = totals(rows, shipped)
    details, total = summed["total_details"], summed["amount_total"]
    return {
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": total,
        "amount_shipping": details["amount_shipping"],
        "discounts": [discount["id"]] if discount else [],
        "subtotal": summed["amount_subtotal"],
        "subtotal_excluding_tax": summed["amount_subtotal"] - _inside(rows),
        "total": total,
        "total_discount_amounts": (
            [{"amount": details["amount_discount"], "discount": discount["id"]}] if discount else []
        ),
        "total_excluding_tax": total - details["amount_tax"],
        "total_pretax_credit_amounts": [],
        "total_taxes": [_tax(tax) for tax in details["+breakdown"]["taxes"]],
    }


def _inside(rows: Sequence[Doc]) -> int:
    return sum(tax["amount"] for row in rows for tax in row["+taxes"] if tax["rate"]["inclusive"])


def _fields(world: World, base: Doc, customer: Doc, params: Doc) -> Doc:
    account = world.account(base["_account"])
    customer["next_invoice_sequence"] += 1
    world.table("customers").save(customer)
    return {
        "account_country": account["country"],
        "account_name": account.get("name"),
        "account_tax_ids": None,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None
        },
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": address(customer["address"]) if customer["address"] else None,
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": params.get("description"),
        "due_date": None,
        "effective_at": base["created"],
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "metadata": merged({}, params.get("metadata", {})),
        "next_payment_attempt": None,
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence'] - 1:04d}",
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": None
        },
        "period_end": base["created"],
        "period_start": base["created"],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_details": customer["shipping"],
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "open",
        "status_transitions": {
            "finalized_at": base["created"], "marked_uncollectible_at": None, "paid_at": None, "voided_at": None
        },
        "test_clock": None,
        "webhooks_delivered_at": base["created"],
    }  # fmt: skip


def _payment(world: World, doc: Doc, intent: Doc) -> None:
    payment = {
        **world.base("invoice_payment", "inpay_1", doc["_account"]),
        "amount_paid": None,
        "amount_requested": doc["total"],
        "currency": doc["currency"],
        "invoice": doc["id"],
        "is_default": True,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
        "_payment_intent": intent["id"],
    }
    url = f"/v1/invoice_payments?invoice={doc['id']}"
    doc["+payments"] = {"object": "list", "data": [payment], "has_more": False, "url": url}
    world.table("invoice_payments").save(payment)


def pay_invoice(world: World, doc: Doc, given: Doc) -> Doc:
    """The customer pays; tells the charge, the intent, the invoice payment and the invoice (three times "paid")."""
    if doc["status"] != "open":
        raise ApiError("Invoice is already paid", code="invoice_already_paid" if doc["status"] == "paid" else None)
    intent = world.need("payment_intents", doc["_payment_intent"], doc["_account"])
    billing = {
        "address": doc["customer_address"],
        "email": doc["customer_email"],
        "name": doc["customer_name"],
        "phone": doc["customer_phone"],
    }
    intents.charge_intent(world, intent, given.get("payment_method") or "card", billing)
    now = world.schedule.second()
    payment = next(world.table("invoice_payments").find(invoice=doc["id"]))
    payment.update({"amount_paid": doc["total"], "status": "paid"})
    payment["status_transitions"]["paid_at"] = now
    doc.update({"amount_paid": doc["total"], "amount_remaining": 0, "attempt_count": 1, "attempted": True})
    doc["status"], doc["status_transitions"]["paid_at"] = "paid", now
    doc["+payments"]["data"] = [payment]
    world.table("invoice_payments").save(payment)
    world.table("invoices").save(doc)
    world.emit("invoice_payment.paid", payment)
    world.emit("invoice.paid", doc)
    world.emit("invoice.payment_succeeded", doc)
    return doc
