"""What Zoho answers about items and changes of their stock."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from clients.zoho.records import Record


class StockFigures(Record):
    """Stock of an item; None where Zoho tells none (a service, an item that is not tracked).

    Which of the doubled names is the accounting ledger and which the physical one is not settled.
    """

    stock_on_hand: Decimal | None = None
    available_stock: Decimal | None = None
    actual_available_stock: Decimal | None = None
    committed_stock: Decimal | None = None
    available_for_sale_stock: Decimal | None = None


class Item(StockFigures):
    """Something sold."""

    item_id: str = Field(min_length=1)
    sku: str = ""
    name: str = ""
    status: str = ""
    last_modified_time: str = ""
    rate: Decimal = Decimal(0)
    product_type: str = ""
    item_type: str = ""
    tax_id: str = ""
    track_inventory: bool | None = None
    is_combo_product: bool = False


class Adjustment(Record):
    """A change of stock that belongs to no document. `status` is `adjusted` once it counts."""

    inventory_adjustment_id: str = Field(min_length=1)
    reference_number: str = ""
    reason: str = ""
    date: str = ""
    adjustment_type: str = ""
    status: str = ""
    last_modified_time: str = ""


class AdjustedLine(Record):
    """A line of an adjustment: pieces that came in, or, below zero, went out."""

    item_id: str = ""
    name: str = ""
    quantity_adjusted: Decimal = Decimal(0)


class AdjustmentDetail(Adjustment):
    """An adjustment with its lines. Who made it is in no document of Zoho's: taken where an answer tells it."""

    line_items: tuple[AdjustedLine, ...] = ()
    custom_field_hash: dict[str, object] = Field(default_factory=dict)
    created_by_name: str = ""
