"""What Zoho is sent as sales orders and invoices."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from clients.zoho.documents import CustomField, Document


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
