"""Every field of an order against its source in Stripe, for each kind of payment.

What is expected is worked out here from Stripe's ledger by hand-made rules, not by the mapping under test.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.house import BUYER, House

SENT_TO = {"name": "Byron", "address": {"line1": "Hafen 3", "city": "Kiel", "postal_code": "24103", "country": "DE"}}
CUSTOMER = {"id": "cus_f", "name": "Grace Hopper", "email": "grace@example.com", "address": BUYER["address"]}
DECIMALS = {"eur": 2, "usd": 2, "jpy": 0, "kwd": 3}


def mug(amount: int = 1500, quantity: int = 2, **more: Any) -> dict[str, Any]:
    """A line of mugs."""
    return {"sku": "MUG", "unit_amount": amount, "quantity": quantity, **more}


def tea(amount: int = 999, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """A line of tea."""
    return {"sku": "TEA", "unit_amount": amount, "quantity": quantity, **more}


PAYMENTS: dict[str, dict[str, Any]] = {
    "one line": {"guest": BUYER, "lines": [mug()]},
    "many lines": {"guest": BUYER, "lines": [mug(), tea(), {"sku": "POT", "unit_amount": 4990, "quantity": 3}]},
    "dollars": {"guest": BUYER, "currency": "usd", "lines": [mug(1729)]},
    "yen": {"guest": BUYER, "currency": "jpy", "lines": [mug(2450, 3)]},
    "dinars, three decimals": {"guest": BUYER, "currency": "kwd", "lines": [mug(4610, 3)]},
    "a discount over two lines": {"guest": BUYER, "lines": [mug(), tea()], "discount": 500},
    "tax on top": {"guest": BUYER, "lines": [mug(1501, 3, tax_percent=19), tea(tax_percent=7)]},
    "tax in the price": {"guest": BUYER, "lines": [mug(1501, 3, tax_percent=19, tax_inclusive=True)]},
    "shipping": {"guest": BUYER, "lines": [mug()], "shipping": 490, "shipping_details": SENT_TO},
    "discount, tax and shipping": {
        "guest": BUYER,
        "lines": [mug(1333, 7, tax_percent=19), tea(777, 3, tax_percent=7)],
        "discount": 333,
        "shipping": 490,
    },
    "a known customer": {"customer": CUSTOMER, "lines": [mug()], "metadata": {"cart": "7"}},
    "an invoice": {"customer": CUSTOMER, "via": "invoice", "lines": [mug(), tea()]},
    "amount details": {"guest": BUYER, "via": "amount_details", "lines": [mug(), tea()]},
    "lines in metadata": {"guest": BUYER, "via": "metadata", "lines": [mug(), tea()]},
    "a charge without an intent": {"guest": BUYER, "via": "charge_only", "lines": [mug()]},
}


@pytest.mark.parametrize("kind", list(PAYMENTS))
async def test_order_says_what_stripe_says(house: House, kind: str) -> None:
    """Number, date, status, lines, tax, shipping, addresses, total, currency, custom fields and contact."""
    wish = PAYMENTS[kind]
    paid = await house.pay(**wish)
    payment_id = paid["payment_intent"] or paid["charge"]
    result = await house.done(payment_id)
    stripe, zoho = await house.stripe(), await house.zoho()
    charge = next(row for row in stripe["charges"] if row["id"] == paid["charge"])
    order = next(row for row in zoho["salesorders"] if row["salesorder_id"] == result["salesorder_id"])
    invoice = next(row for row in zoho["invoices"] if row["invoice_id"] == result["invoice_id"])
    payment = next(row for row in zoho["payments"] if row["payment_id"] == result["zoho_payment_id"])

    step = Decimal(1).scaleb(-DECIMALS[charge["currency"]])
    amount = charge["amount_captured"] * step
    assert [order["total"], invoice["total"], payment["amount"]] == [amount] * 3
    assert {order["currency_code"], invoice["currency_code"]} == {charge["currency"].upper()}
    assert invoice["balance"] == 0
    day = datetime.fromtimestamp(charge["created"], UTC).astimezone(ZoneInfo("Europe/Berlin")).date()
    assert {order["date"], invoice["date"], payment["date"]} == {str(day)}
    assert order["shipment_date"] == str(day + timedelta(days=2))
    assert order["order_status"] == "confirmed"
    assert order["salesorder_number"].endswith(payment_id.partition("_")[2])
    assert {order["reference_number"], invoice["reference_number"], payment["reference_number"]} == {payment_id}
    assert order["custom_field_hash"]["cf_stripe_charge_id"] == paid["charge"]
    assert order["custom_field_hash"]["cf_stripe_payment_id"] == payment_id

    check_lines(order, wish, stripe, paid, step)
    check_money(order, stripe, paid, step)
    check_people(order, zoho, result, wish)


def check_lines(order: Any, wish: Any, stripe: Any, paid: Any, step: Decimal) -> None:
    """Item, quantity, rate and discount of each line."""
    session = next((row for row in stripe["sessions"] if row["id"] == paid["session"]), None)
    discounts = [row["amount_discount"] * step for row in session["line_items"]] if session else []
    lines = order["line_items"]
    assert len(lines) == len(wish["lines"])
    for i, (line, sold) in enumerate(zip(lines, wish["lines"], strict=True)):
        assert line["sku"] == sold["sku"]
        assert line["quantity"] == sold["quantity"]
        assert line["rate"] == sold["unit_amount"] * step
        assert Decimal(line["discount"] or 0) == (discounts[i] if discounts else 0)


def check_money(order: Any, stripe: Any, paid: Any, step: Decimal) -> None:
    """Tax, shipping and the adjustment, which closes rounding only."""
    session = next((row for row in stripe["sessions"] if row["id"] == paid["session"]), None)
    totals = session["total_details"] if session else {"amount_tax": 0, "amount_shipping": 0}
    lines = len(order["line_items"])
    assert abs(order["tax_total"] - totals["amount_tax"] * step) <= lines * step
    assert order["shipping_charge"] == (totals["amount_shipping"] or 0) * step
    assert abs(order["adjustment"]) <= lines * step


def check_people(order: Any, zoho: Any, result: Any, wish: Any) -> None:
    """The contact and both addresses."""
    who = wish.get("guest") or wish["customer"]
    contact = next(row for row in zoho["contacts"] if row["contact_id"] == result["contact_id"])
    assert order["customer_id"] == contact["contact_id"]
    assert contact["contact_name"] == who["name"]
    assert contact["contact_persons"][0]["email"] == who["email"]
    assert order["billing_address"]["address"] == who["address"]["line1"]
    assert order["billing_address"]["zip"] == who["address"]["postal_code"]
    if "shipping_details" in wish:
        assert order["shipping_address"]["attention"] == wish["shipping_details"]["name"]
        assert order["shipping_address"]["city"] == wish["shipping_details"]["address"]["city"]
