"""Items, packages, shipments and changes of stock."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clients.zoho.documents.shipping import NewPackage, NewPackageLine, NewShipment
from clients.zoho.documents.stock import NewAdjustment, NewAdjustmentLine
from clients.zoho.records.stock import Item
from domain.documents import ItemFacts, ItemStock, OrderDocumentLine, Part
from domain.orders import OrderDraft


def item_facts(item: Item) -> ItemFacts:
    """What is remembered of an item."""
    return ItemFacts(item_id=item.item_id, sku=item.sku, active=item.status in ("", "active"))


def item_stock(item: Item) -> ItemStock:
    tracked = item.item_type == "inventory" if item.track_inventory is None else item.track_inventory
    left = item.available_for_sale_stock
    if left is None and item.stock_on_hand is not None and item.committed_stock is not None:
        left = item.stock_on_hand - item.committed_stock
    return ItemStock(item_id=item.item_id, sku=item.sku, tracked=tracked, combined=item.is_combo_product, left=left)


def new_package(draft: OrderDraft, goods: Sequence[OrderDocumentLine]) -> NewPackage:
    lines = tuple(NewPackageLine(so_line_item_id=line.line_item_id, quantity=line.quantity) for line in goods)
    return NewPackage(date=draft.order_date, line_items=lines, notes=f"Stripe payment {draft.reference}")


def new_shipment(draft: OrderDraft, number: str, delivery_method: str) -> NewShipment:
    return NewShipment(
        shipment_number=number,
        date=draft.order_date,
        delivery_method=delivery_method,
        reference_number=draft.reference,
    )


def new_adjustment(draft: OrderDraft, parts: Sequence[Part]) -> NewAdjustment:
    lines = tuple(NewAdjustmentLine(item_id=part.item_id, quantity_adjusted=Decimal(-part.quantity)) for part in parts)
    return NewAdjustment(
        date=draft.order_date,
        reason="Sold sets and gifts",
        description=f"Order {draft.number}, Stripe payment {draft.reference}",
        reference_number=draft.reference,
        line_items=lines,
    )
