"""What Zoho is sent as packages and shipments."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal

from pydantic import Field

from clients.zoho.documents import Document


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
