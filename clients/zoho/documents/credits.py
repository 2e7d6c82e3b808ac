"""What Zoho is sent as credit notes, and as what went back of them."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal

from pydantic import Field

from clients.zoho.documents import CustomField, Document


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
    salesreturn_item_id: str = ""


class NewCreditNote(Document):
    """A credit note; Zoho numbers it, and it is open at once."""

    customer_id: str = Field(min_length=1)
    date: Date
    reference_number: str = Field(default="", max_length=100)
    is_inclusive_tax: bool = True
    exchange_rate: Decimal | None = None
    line_items: tuple[NewCreditLine, ...] = Field(min_length=1)
    notes: str = ""
    custom_fields: tuple[CustomField, ...] = ()


class NewCreditRefund(Document):
    """Money of a credit note that went back to the customer."""

    date: Date
    refund_mode: str = ""
    reference_number: str = Field(default="", max_length=100)
    amount: Decimal = Field(gt=0)
    exchange_rate: Decimal | None = None
    from_account_id: str = Field(min_length=1)
