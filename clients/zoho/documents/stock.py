"""What Zoho is sent as changes of stock."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from clients.zoho.documents import Document


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
