"""What Zoho's answers become. Samples use the key names and values of recorded live answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from clients.zoho.codec import decode
from clients.zoho.records.contacts import Contact
from clients.zoho.records.invoices import Invoice
from clients.zoho.records.orders import SalesOrder, SalesOrderRow
from clients.zoho.records.organizations import Currency
from clients.zoho.records.payments import Payment
from clients.zoho.records.stock import Item
from clients.zoho.translation.payments import looks_alike
from domain.money import Money

# Key names and literal values as recorded on 2026-10-09; amounts and ids made up.
SALES_ORDER = b"""{"salesorder": {
 "salesorder_id": "6087000000123456789", "salesorder_number": "SO-3ABC", "reference_number": "pi_3ABC",
 "status": "draft", "order_status": "draft", "current_sub_status": "draft",
 "invoiced_status": "", "paid_status": "", "shipped_status": "", "source": "Api", "shipment_date": "",
 "customer_id": "6087000000000000001", "currency_code": "EUR", "date": "2026-10-09",
 "created_time": "2026-10-09T14:30:52-0400", "is_inclusive_tax": true,
 "total": 49.90, "sub_total": 41.93, "tax_total": 7.97, "adjustment": "", "shipping_charge": 0.0,
 "balance": 49.9, "total_quantity": 1, "tax_rounding": "entity_level", "rounding_mode": "round_half_up",
 "line_items": [{"line_item_id": "6087000000123456790", "item_id": "6087000000000000002", "sku": "TEA-1",
   "rate": 49.90, "quantity": 1.0, "discount": "10.00%", "tax_id": "", "item_total": 41.93,
   "quantity_invoiced": 0, "quantity_packed": 0, "is_returnable": true}],
 "packages": [], "invoices": [], "payments": [], "salesreturns": [], "creditnotes": [], "refunds": [],
 "so_cycle_preference": {"is_feature_enabled": false, "invoice_preference": {"create": false}},
 "custom_field_hash": {"cf_stripe_payment_id": "pi_3ABC"}}}"""

# Key names and defaults as recorded on 2026-10-09.
PAYMENT = b"""{"payment": {"payment_id": "6087000000000000009", "payment_number": "7", "amount": 49.90,
 "bcy_amount": 54.3, "unused_amount": 0.0, "bank_charges": "", "account_name": "Undeposited Funds",
 "account_id": "6087000000000000042", "payment_status": "paid", "settlement_status": "",
 "reference_number": "pi_3ABC", "customer_id": "6087000000000000001", "payment_refunds": [],
 "invoices": [{"invoice_payment_id": "1", "invoice_id": "2", "amount_applied": 49.90, "total": 49.9,
   "balance": 0.0}]}}"""


def sample(content: bytes, key: str) -> object:
    body = decode(content)
    assert body is not None
    return body[key]


def test_a_recorded_sales_order_is_read_whole() -> None:
    """Ids stay strings, amounts exact, lines and lists are there, "" is absent."""
    order = SalesOrder.model_validate(sample(SALES_ORDER, "salesorder"))
    assert order.salesorder_id == "6087000000123456789"
    assert order.total == Decimal("49.90")
    assert order.tax_total == Decimal("7.97")
    assert order.adjustment == 0
    line = order.line_items[0]
    assert (line.rate, line.quantity, line.discount) == (Decimal("49.90"), Decimal("1.0"), "10.00%")
    assert line.tax_id == ""
    assert order.so_cycle_preference["is_feature_enabled"] is False


def test_unknown_fields_are_kept_and_unset_ones_are_not() -> None:
    """What we have no name for is still there; "" is not."""
    order = SalesOrder.model_validate(sample(SALES_ORDER, "salesorder"))
    extra = order.model_extra or {}
    assert extra["source"] == "Api"
    assert order.custom_field_hash == {"cf_stripe_payment_id": "pi_3ABC"}
    assert "paid_status" not in extra
    assert (order.line_items[0].model_extra or {})["is_returnable"] is True


def test_a_recorded_payment_is_read_whole() -> None:
    """Its amount, what it was applied to, and no charges where Zoho sent ""."""
    payment = Payment.model_validate(sample(PAYMENT, "payment"))
    assert payment.amount == Decimal("49.90")
    assert payment.bank_charges == payment.unused_amount == 0
    assert [(one.invoice_id, one.amount_applied) for one in payment.invoices] == [("2", Decimal("49.90"))]


@pytest.mark.parametrize("unset", ['""', "null"])
def test_an_unset_value_is_absent(unset: str) -> None:
    """ "" and null both give the default; stock that is not told is None, not zero."""
    row = decode(f'{{"item_id": "1", "sku": {unset}, "stock_on_hand": {unset}, "rate": {unset}}}'.encode())
    item = Item.model_validate(row)
    assert item.sku == ""
    assert item.stock_on_hand is None
    assert item.rate == 0


@pytest.mark.parametrize("kind", [SalesOrder, SalesOrderRow, Invoice, Payment, Contact, Item, Currency])
def test_a_record_without_its_id_is_no_record(kind: type[SalesOrder]) -> None:
    """An answer without the id, or with an empty one, cannot be used."""
    for row in ({}, {"salesorder_id": "", "invoice_id": "", "payment_id": "", "contact_id": "", "total": 1}):
        with pytest.raises(ValidationError):
            kind.model_validate(row)


def test_an_id_sent_as_a_number_keeps_its_digits() -> None:
    """Nineteen digits come through as they were."""
    row = decode(b'{"contact_id": 6087000000123456789}')
    assert Contact.model_validate(row).contact_id == "6087000000123456789"


def test_amounts_of_a_document_are_required() -> None:
    """An invoice without total or balance is refused: zero would be a lie."""
    with pytest.raises(ValidationError):
        Invoice.model_validate({"invoice_id": "1", "total": "", "balance": 1})
    with pytest.raises(ValidationError):
        SalesOrder.model_validate({"salesorder_id": "1"})


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"reference_number": "RE-77"}, True),
        ({"date": "2026-11-06"}, True),
        ({"currency_code": ""}, True),
        ({"date": "2026-11-07"}, False),
        ({"date": ""}, False),
        ({"amount": "49.91"}, False),
        ({"currency_code": "USD"}, False),
        ({"reference_number": "pi_3PJmb"}, False),
        ({"reference_number": "ch_3PJmb"}, False),
    ],
)
def test_a_payment_looks_like_money_by_amount_and_day(change: dict[str, str], fits: bool) -> None:
    """Three days around, to the cent, in its currency; one that names somebody of Stripe's is never taken for it."""
    row = {"payment_id": "1", "amount": "49.90", "date": "2026-11-03", "currency_code": "EUR"}
    paid = Payment.model_validate({**row, **change})
    assert looks_alike(paid, Money.of(4990, "EUR"), date(2026, 11, 3)) is fits
