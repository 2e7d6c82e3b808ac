"""An order and its invoice, as they are sent."""

from __future__ import annotations

from decimal import Decimal

from clients.zoho.documents import CustomField
from clients.zoho.documents.sales import (
    ChangedLine,
    ChangedSalesOrder,
    NewInvoice,
    NewInvoiceLine,
    NewLine,
    NewSalesOrder,
)
from domain.corrections import OrderCorrection
from domain.orders import OrderDraft, OrderLine
from domain.sales import InvoiceInput, OrderInput

_ADJUSTED = "Rounding"


def _fields(draft: OrderDraft) -> tuple[CustomField, ...]:
    return tuple(CustomField(api_name=name, value=value) for name, value in draft.custom_fields.items())


def new_order(draft: OrderDraft, wanted: OrderInput) -> NewSalesOrder:
    lines = tuple(NewLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i])) for i, line in enumerate(draft.lines))
    return NewSalesOrder(
        **_sale(draft, wanted) | {"notes": _order_notes(draft, wanted)},
        salesorder_number=wanted.number,
        shipment_date=draft.shipment_date,
        custom_fields=_fields(draft),
        line_items=lines,
    )


def changed_order(draft: OrderDraft, wanted: OrderCorrection) -> ChangedSalesOrder:
    lines = tuple(
        ChangedLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i]), line_item_id=wanted.line_item_ids[i])
        for i, line in enumerate(draft.lines)
    )
    return ChangedSalesOrder(
        **_sale(draft, wanted),
        salesorder_number=wanted.number,
        shipment_date=draft.shipment_date,
        custom_fields=_fields(draft) + tuple(CustomField(api_name=k, value=v) for k, v in wanted.marks.items()),
        line_items=lines,
    )


def _order_notes(draft: OrderDraft, wanted: OrderInput) -> str:
    marked = f"Backordered: {', '.join(wanted.backordered)}" if wanted.backordered else ""
    return "\n".join(filter(None, (marked, draft.notes)))


def new_invoice(draft: OrderDraft, wanted: InvoiceInput) -> NewInvoice:
    lines = tuple(
        NewInvoiceLine(**_line(line, wanted.item_ids[i], wanted.tax_ids[i]), salesorder_item_id=wanted.line_item_ids[i])
        for i, line in enumerate(draft.lines)
    )
    return NewInvoice(**_sale(draft, wanted), due_date=draft.order_date, line_items=lines)


def _sale(draft: OrderDraft, wanted: OrderInput) -> dict[str, object]:
    return {
        "customer_id": wanted.contact_id,
        "reference_number": draft.reference,
        "date": draft.order_date,
        "is_inclusive_tax": draft.inclusive,
        "shipping_charge": draft.shipping_charge.decimal() if draft.shipping_charge else None,
        "adjustment": draft.adjustment.decimal() if draft.adjustment else None,
        "adjustment_description": _adjusted(draft),
        "exchange_rate": wanted.exchange_rate,
        "billing_address_id": wanted.addresses.billing_address_id,
        "shipping_address_id": wanted.addresses.shipping_address_id,
        "notes": draft.notes,
    }


def _adjusted(draft: OrderDraft) -> str:
    if draft.uncaptured:
        return f"{draft.uncaptured} not captured"
    return _ADJUSTED if draft.adjustment else ""


def _line(line: OrderLine, item_id: str, tax_id: str) -> dict[str, object]:
    return {
        "item_id": item_id,
        "name": line.name,
        "description": line.description,
        "rate": line.rate,
        "quantity": Decimal(line.quantity),
        "discount": line.discount.decimal() if line.discount else None,
        "tax_id": tax_id,
    }
