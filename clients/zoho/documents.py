"""What Zoho is sent: exactly the fields its API takes, by its own names.

Amounts are Decimals in major units of the contact's currency (a document has no currency of its own). Absent
fields (None, "", no entries) are left out of the request. Source: Zoho Inventory's OpenAPI files; `discount`
of a line and `api_name` of a custom field are documented for Zoho Books, which shares the documents.
"""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A body of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def body(self) -> dict[str, object]:
        """The JSON object to send, still with Decimals and dates."""
        return _present(self.model_dump())


def _present(fields: dict[str, object]) -> dict[str, object]:
    kept = {key: _entry(value) for key, value in fields.items()}
    return {key: value for key, value in kept.items() if value not in (None, "", [], {})}


def _entry(value: object) -> object:
    if isinstance(value, dict):
        return _present(value)
    if isinstance(value, (list, tuple)):
        return [_entry(entry) for entry in value]
    return value


class ZohoAddress(Document):
    """A postal address: `attention` is the person, `address` the first line of the street."""

    attention: str = ""
    address: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    phone: str = ""


class NewContactPerson(Document):
    """A person of a contact; a contact's e-mail is that of its primary person."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    is_primary_contact: bool = True


class ChangedPerson(Document):
    """A person that a contact has already. Zoho wants a first name."""

    contact_id: str = Field(min_length=1)
    first_name: str = Field(min_length=1)
    last_name: str = ""
    email: str = ""
    phone: str = ""


class CustomField(Document):
    """A value for a custom field, named by any one of its three names."""

    api_name: str = ""
    label: str = ""
    customfield_id: str = ""
    value: str | Decimal | bool


class NewContact(Document):
    """A customer. `contact_name` must be unique unless the organisation allows duplicates."""

    contact_name: str = Field(min_length=1, max_length=200)
    contact_type: Literal["customer", "vendor"] = "customer"
    company_name: str = ""
    currency_id: str = ""
    billing_address: ZohoAddress = ZohoAddress()
    shipping_address: ZohoAddress = ZohoAddress()
    contact_persons: tuple[NewContactPerson, ...] = ()
    notes: str = ""


class NewLine(Document):
    """A line of a sales order. `rate` is gross in a tax inclusive order; `discount` is an amount."""

    item_id: str = Field(min_length=1)
    name: str = ""
    description: str = ""
    rate: Decimal
    quantity: Decimal = Field(gt=0)
    discount: Decimal | None = None
    tax_id: str = ""


class NewInvoiceLine(NewLine):
    """A line of an invoice; `salesorder_item_id` is the order line it invoices."""

    salesorder_item_id: str = ""


class _Sale(Document):
    """What a sales order and an invoice have in common."""

    customer_id: str = Field(min_length=1)
    reference_number: str = Field(default="", max_length=100)
    date: Date
    discount_type: Literal["item_level", "entity_level"] = "item_level"
    is_discount_before_tax: bool = True
    is_inclusive_tax: bool = False
    shipping_charge: Decimal | None = None
    adjustment: Decimal | None = None
    adjustment_description: str = ""
    exchange_rate: Decimal | None = None
    custom_fields: tuple[CustomField, ...] = ()
    billing_address_id: str = ""
    shipping_address_id: str = ""
    notes: str = ""


class NewSalesOrder(_Sale):
    """A sales order under a number of our own, which Zoho refuses when it has it already."""

    salesorder_number: str = Field(min_length=1)
    shipment_date: Date | None = None
    line_items: tuple[NewLine, ...] = Field(min_length=1)


class ChangedLine(NewLine):
    """A line that is there already."""

    line_item_id: str = Field(min_length=1)


class ChangedSalesOrder(_Sale):
    """A sales order said anew: what is left out may be lost, so everything is said."""

    salesorder_number: str = Field(min_length=1)
    shipment_date: Date | None = None
    line_items: tuple[ChangedLine, ...] = Field(min_length=1)


class NewInvoice(_Sale):
    """An invoice; Zoho numbers it."""

    due_date: Date | None = None
    line_items: tuple[NewInvoiceLine, ...] = Field(min_length=1)


class NewPackageLine(Document):
    """How much of an order's line goes into the package."""

    so_line_item_id: str = Field(min_length=1)
    quantity: Decimal = Field(gt=0)


class NewPackage(Document):
    """Goods of one order in one box; Zoho numbers it."""

    date: Date
    line_items: tuple[NewPackageLine, ...] = Field(min_length=1)
    notes: str = ""


class NewShipment(Document):
    """Packages on their way. The specification marks number, date, method and tracking number as required."""

    shipment_number: str = Field(min_length=1)
    date: Date
    delivery_method: str = Field(min_length=1)
    reference_number: str = Field(default="", max_length=100)
    tracking_number: str = ""
    notes: str = ""


class InvoiceShare(Document):
    """How much of a payment an invoice gets."""

    invoice_id: str = Field(min_length=1)
    amount_applied: Decimal


class NewPayment(Document):
    """Money received. `bank_charges`: the fee within `amount`; `account_id` "": to Undeposited Funds."""

    customer_id: str = Field(min_length=1)
    payment_mode: str = Field(min_length=1)
    amount: Decimal = Field(gt=0)
    date: Date
    reference_number: str = Field(default="", max_length=100)
    description: str = ""
    invoices: tuple[InvoiceShare, ...] = Field(min_length=1)
    bank_charges: Decimal | None = None
    account_id: str = ""
    exchange_rate: Decimal | None = None
    custom_fields: tuple[CustomField, ...] = ()


class NewAdjustmentLine(Document):
    """By how many pieces an item's stock changes; below zero takes them out."""

    item_id: str = Field(min_length=1)
    quantity_adjusted: Decimal


class NewAdjustment(Document):
    """A change of stock that belongs to no document. One code base reports that `reason` takes 50 characters."""

    date: Date
    reason: str = Field(min_length=1, max_length=50)
    description: str = ""
    reference_number: str = Field(default="", max_length=100)
    adjustment_type: Literal["quantity"] = "quantity"
    line_items: tuple[NewAdjustmentLine, ...] = Field(min_length=1)


class NewCreditLine(Document):
    """A line of a credit note, `rate` gross of one piece. With an `invoice_item_id` it credits that line of an invoice.

    Goods that `is_item_shipped` says never left are owed no longer; those `is_returned_to_stock` are sold anew.
    """

    item_id: str = ""
    name: str = ""
    rate: Decimal
    quantity: Decimal = Field(gt=0)
    tax_id: str = ""
    invoice_id: str = ""
    invoice_item_id: str = ""
    is_item_shipped: bool
    is_returned_to_stock: bool


class NewCreditNote(Document):
    """A credit note; Zoho numbers it, and it is open at once."""

    customer_id: str = Field(min_length=1)
    date: Date
    reference_number: str = Field(default="", max_length=100)
    is_inclusive_tax: bool = True
    exchange_rate: Decimal | None = None
    line_items: tuple[NewCreditLine, ...] = Field(min_length=1)
    notes: str = ""


class NewCreditRefund(Document):
    """Money of a credit note that went back to the customer."""

    date: Date
    refund_mode: str = ""
    reference_number: str = Field(default="", max_length=100)
    amount: Decimal = Field(gt=0)
    from_account_id: str = Field(min_length=1)
