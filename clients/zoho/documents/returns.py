"""What Zoho is sent about returns: what was received, and what is marked."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal

from pydantic import Field

from clients.zoho.documents import CustomField, Document


class ReceivedLine(Document):
    """Pieces of a return's line that came back."""

    line_item_id: str = Field(min_length=1)
    quantity: Decimal = Field(gt=0)


class NewReceive(Document):
    """Goods of a return that are here: physical stock goes up by them."""

    date: Date
    line_items: tuple[ReceivedLine, ...] = Field(min_length=1)
    notes: str = ""


class ReturnedLine(Document):
    """A line of a return as it stands: a change has to say them all."""

    line_item_id: str = Field(min_length=1)
    item_id: str = ""
    salesorder_item_id: str = ""
    quantity: Decimal
    non_receive_quantity: Decimal = Decimal(0)


class ChangedReturn(Document):
    """A return with other custom fields."""

    line_items: tuple[ReturnedLine, ...] = Field(min_length=1)
    custom_fields: tuple[CustomField, ...] = ()
