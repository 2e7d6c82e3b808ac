"""Requests hold exactly what the API takes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from clients.zoho.codec import encode
from clients.zoho.documents import CustomField
from clients.zoho.documents.contacts import NewContact, NewContactPerson, ZohoAddress
from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.documents.sales import NewInvoice, NewInvoiceLine, NewLine, NewSalesOrder

DAY = date(2026, 10, 9)


def test_a_sales_order_is_sent_with_exact_amounts_and_without_empty_fields() -> None:
    """Every field under the API's name; what is not set does not appear; False does."""
    order = NewSalesOrder(
        customer_id="1",
        salesorder_number="SO-3ABC",
        reference_number="pi_3ABC",
        date=DAY,
        line_items=(
            NewLine(
                item_id="2",
                rate=Decimal("0.1"),
                quantity=Decimal(3),
                discount=Decimal("0.05"),
                tax_id="9",
            ),
        ),
        shipping_charge=Decimal("4.90"),
        adjustment=Decimal("-0.01"),
        custom_fields=(CustomField(api_name="cf_stripe_payment_id", value="pi_3ABC"),),
        exchange_rate=Decimal("1.0823456789"),
    )
    assert encode(order.body()) == (
        '{"customer_id":"1","reference_number":"pi_3ABC","date":"2026-10-09","discount_type":"item_level",'
        '"is_discount_before_tax":true,"is_inclusive_tax":false,"shipping_charge":4.90,"adjustment":-0.01,'
        '"exchange_rate":1.0823456789,'
        '"custom_fields":[{"api_name":"cf_stripe_payment_id","value":"pi_3ABC"}],'
        '"salesorder_number":"SO-3ABC",'
        '"line_items":[{"item_id":"2","rate":0.1,"quantity":3,"discount":0.05,"tax_id":"9"}]}'
    )


def test_zero_is_an_amount_and_is_sent() -> None:
    """A rate, an adjustment or a discount of zero is not an absent one."""
    line = NewLine(item_id="2", rate=Decimal(0), quantity=Decimal(1), discount=Decimal("0.00"))
    assert line.body() == {"item_id": "2", "rate": 0, "quantity": 1, "discount": 0}


def test_an_invoice_links_each_line_to_the_orders() -> None:
    """salesorder_item_id is on the line; there is no number, Zoho gives one."""
    line = NewInvoiceLine(item_id="2", rate=Decimal(1), quantity=Decimal(1), salesorder_item_id="77")
    body = NewInvoice(customer_id="1", date=DAY, due_date=DAY, line_items=(line,)).body()
    assert body["line_items"] == [{"item_id": "2", "rate": 1, "quantity": 1, "salesorder_item_id": "77"}]
    assert "invoice_number" not in body


def test_a_payment_names_its_invoices() -> None:
    """Amount, date, reference and the share of each invoice."""
    payment = NewPayment(
        customer_id="1",
        payment_mode="Stripe",
        amount=Decimal("49.90"),
        date=DAY,
        reference_number="pi_3ABC",
        invoices=(InvoiceShare(invoice_id="5", amount_applied=Decimal("49.90")),),
        bank_charges=Decimal("1.75"),
        account_id="42",
    )
    assert payment.body() == {
        "customer_id": "1",
        "payment_mode": "Stripe",
        "amount": Decimal("49.90"),
        "date": DAY,
        "reference_number": "pi_3ABC",
        "invoices": [{"invoice_id": "5", "amount_applied": Decimal("49.90")}],
        "bank_charges": Decimal("1.75"),
        "account_id": "42",
    }


def test_a_contact_without_an_address_sends_none() -> None:
    """Empty addresses are left out, so that they make no empty record."""
    person = NewContactPerson(email="ann@example.com")
    contact = NewContact(contact_name="Ann", billing_address=ZohoAddress(city="Ulm"), contact_persons=(person,))
    assert contact.body() == {
        "contact_name": "Ann",
        "contact_type": "customer",
        "billing_address": {"city": "Ulm"},
        "contact_persons": [{"email": "ann@example.com", "is_primary_contact": True}],
    }


def test_what_the_api_would_refuse_is_not_built() -> None:
    """No lines, no pieces, a name of 201 letters, an unknown field."""
    with pytest.raises(ValidationError):
        NewInvoice(customer_id="1", date=DAY, line_items=())
    with pytest.raises(ValidationError):
        NewLine(item_id="1", rate=Decimal(1), quantity=Decimal(0))
    with pytest.raises(ValidationError):
        NewContact(contact_name="x" * 201)
    with pytest.raises(ValidationError):
        ZohoAddress.model_validate({"postal_code": "89073"})
