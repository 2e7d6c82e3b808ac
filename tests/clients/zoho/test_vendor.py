"""Everything the client can send exists in Zoho's specification, or among its known defects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal

import pytest

from clients.zoho.client import ZohoClient
from clients.zoho.codec import decode
from clients.zoho.documents import CustomField
from clients.zoho.documents.contacts import ChangedPerson, NewContact, NewContactPerson, ZohoAddress
from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.documents.sales import (
    ChangedLine,
    ChangedSalesOrder,
    NewInvoice,
    NewInvoiceLine,
    NewLine,
    NewSalesOrder,
)
from clients.zoho.documents.shipping import NewPackage, NewPackageLine, NewShipment
from clients.zoho.documents.stock import NewAdjustment, NewAdjustmentLine
from tests.clients.zoho.conftest import Zoho, answer, refusal
from tests.clients.zoho.test_client import READS, Method, names
from tests.sandbox.vendor.zoho_check import request_problems

# In the Books specification of the same contact, not in the Inventory one.
BOOKS_ONLY = {f"POST /contacts takes no field {kind}_address.phone" for kind in ("billing", "shipping")}
DAY = date(2026, 10, 9)
ONE = Decimal(1)
ADDRESS = ZohoAddress(attention="a", address="b", street2="c", city="d", state="e", zip="f", country="g", phone="h")
PERSON = NewContactPerson(first_name="a", last_name="b", email="c", phone="d")
FIELDS = (CustomField(api_name="cf_a", value="x"), CustomField(customfield_id="1", label="A", value=True))
LINE = NewLine(item_id="1", name="a", description="b", rate=ONE, quantity=ONE, discount=ONE, tax_id="2")
SALE = {
    "customer_id": "1",
    "reference_number": "pi_1",
    "date": DAY,
    "shipping_charge": ONE,
    "adjustment": ONE,
    "adjustment_description": "a",
    "exchange_rate": ONE,
    "custom_fields": FIELDS,
    "billing_address_id": "1",
    "shipping_address_id": "2",
    "notes": "b",
}
CONTACT = NewContact(
    contact_name="a",
    company_name="b",
    currency_id="1",
    billing_address=ADDRESS,
    shipping_address=ADDRESS,
    contact_persons=(PERSON,),
    notes="c",
)
ORDER = NewSalesOrder.model_validate(SALE | {"salesorder_number": "SO-1", "shipment_date": DAY, "line_items": (LINE,)})
CHANGED_ORDER = ChangedSalesOrder.model_validate(
    SALE
    | {
        "salesorder_number": "SO-1",
        "shipment_date": DAY,
        "line_items": (ChangedLine(**LINE.model_dump(), line_item_id="7"),),
    }
)
CHANGED_PERSON = ChangedPerson(contact_id="1", first_name="a", last_name="b", email="c", phone="d")
INVOICE = NewInvoice.model_validate(
    SALE | {"due_date": DAY, "line_items": (NewInvoiceLine(**LINE.model_dump(), salesorder_item_id="7"),)}
)
PAYMENT = NewPayment(
    customer_id="1",
    payment_mode="Stripe",
    amount=ONE,
    date=DAY,
    reference_number="pi_1",
    description="a",
    invoices=(InvoiceShare(invoice_id="1", amount_applied=ONE),),
    bank_charges=ONE,
    account_id="2",
    exchange_rate=ONE,
    custom_fields=FIELDS,
)
ADJUSTMENT = NewAdjustment(
    date=DAY,
    reason="Parts",
    description="a",
    reference_number="pi_1",
    line_items=(NewAdjustmentLine(item_id="1", quantity_adjusted=ONE),),
)
PACKAGE = NewPackage(date=DAY, line_items=(NewPackageLine(so_line_item_id="1", quantity=ONE),), notes="a")
SHIPMENT = NewShipment(
    shipment_number="SH-1",
    date=DAY,
    delivery_method="Post",
    reference_number="pi_1",
    tracking_number="2",
    notes="b",
)
WRITES: dict[str, Callable[[ZohoClient], Awaitable[object]]] = {
    "create_contact": lambda z: z.create_contact(CONTACT),
    "add_address": lambda z: z.add_address("1", ADDRESS),
    "create_sales_order": lambda z: z.create_sales_order(ORDER),
    "confirm_sales_order": lambda z: z.confirm_sales_order("1"),
    "void_sales_order": lambda z: z.void_sales_order("1"),
    "create_invoice": lambda z: z.create_invoice(INVOICE),
    "mark_invoice_sent": lambda z: z.mark_invoice_sent("1"),
    "void_invoice": lambda z: z.void_invoice("1"),
    "create_payment": lambda z: z.create_payment(PAYMENT),
    "update_payment": lambda z: z.update_payment("1", PAYMENT),
    "update_sales_order": lambda z: z.update_sales_order("1", CHANGED_ORDER),
    "update_contact_person": lambda z: z.update_contact_person("1", CHANGED_PERSON),
    "delete_payment": lambda z: z.delete_payment("1"),
    "create_adjustment": lambda z: z.create_adjustment(ADJUSTMENT),
    "delete_adjustment": lambda z: z.delete_adjustment("1"),
    "create_package": lambda z: z.create_package("1", PACKAGE),
    "delete_package": lambda z: z.delete_package("1"),
    "create_shipment": lambda z: z.create_shipment("1", ["2", "3"], SHIPMENT),
    "delete_shipment": lambda z: z.delete_shipment("1"),
}


@pytest.mark.parametrize(
    "document",
    [CONTACT, ORDER, CHANGED_ORDER, CHANGED_PERSON, INVOICE, PAYMENT, ADDRESS, LINE, PACKAGE, SHIPMENT, ADJUSTMENT],
    ids=lambda document: type(document).__name__,
)
def test_the_documents_below_leave_no_field_out(document: NewContact) -> None:
    """Each field of the model is in the body, so that the next test sees them all."""
    assert set(document.body()) == set(type(document).model_fields)


@pytest.mark.parametrize("name", WRITES)
async def test_every_write_is_known_to_the_specification(zoho: Zoho, client: ZohoClient, name: str) -> None:
    """Operation, query and each field of a body with all fields set."""
    zoho.says(refusal(400, 1, "enough"))
    with pytest.raises(Exception, match="enough"):
        await WRITES[name](client)
    (call,) = zoho.calls
    problems = request_problems(
        call.method, call.url.path, call.url.params, decode(call.content) if call.content else None
    )
    assert set(problems) - BOOKS_ONLY == set()


@pytest.mark.parametrize(("where", "method", "body"), READS, ids=names(READS))
async def test_every_read_is_known_to_the_specification(
    zoho: Zoho, client: ZohoClient, where: str, method: Method, body: dict[str, object]
) -> None:
    """Operation and query."""
    zoho.says(answer(body))
    await method(client)
    (call,) = zoho.calls
    assert request_problems(call.method, call.url.path, call.url.params) == []
