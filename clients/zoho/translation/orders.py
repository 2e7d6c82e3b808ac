"""An order as Zoho shows it, with its invoices, packages and shipments."""

from __future__ import annotations

from clients.zoho.records.invoices import Invoice, LinkedInvoice
from clients.zoho.records.orders import LinkedPackage, SalesOrder, Shipment
from clients.zoho.translation.amounts import exact
from clients.zoho.translation.contacts import address_of
from clients.zoho.translation.credits import total_of
from domain.contacts import address_fingerprint
from domain.documents import (
    InvoiceDocument,
    OrderDocument,
    OrderDocumentLine,
    OwnStep,
    PackageDocument,
    ShipmentDocument,
)
from domain.drift import CreditState, OrderState
from domain.orders import OrderDraft


def order_says(order: SalesOrder, draft: OrderDraft, marks: dict[str, str]) -> bool:
    """Whether the order has the draft's addresses, its custom fields and `marks`; what the draft lacks may be any."""
    places = ((order.billing_address, draft.billing), (order.shipping_address, draft.shipping))
    fields = {name: str(value) for name, value in order.custom_field_hash.items()}
    return all(
        wanted.is_empty() or address_fingerprint(address_of(row)) == address_fingerprint(wanted)
        for row, wanted in places
    ) and all(fields.get(name) == value for name, value in (draft.custom_fields | marks).items())


def order_document(order: SalesOrder) -> OrderDocument:
    currency = order.currency_code
    return OrderDocument(
        salesorder_id=order.salesorder_id,
        number=order.salesorder_number,
        reference=order.reference_number,
        status=order.order_status or order.status,
        customer_id=order.customer_id,
        total=exact(order.total, currency),
        lines=tuple(
            OrderDocumentLine(
                line_item_id=line.line_item_id,
                item_id=line.item_id,
                quantity=line.quantity,
                stocked=line.item_type == "inventory",
            )
            for line in order.line_items
        ),
        invoices=tuple(_linked(invoice, currency) for invoice in order.invoices),
        packages=tuple(map(_package, order.packages)),
        own_steps=own_steps(order.so_cycle_preference),
    )


def order_state(order: SalesOrder) -> OrderState:
    """The order with all that people may have changed of it."""
    currency = order.currency_code
    return OrderState(
        **dict(order_document(order)),
        billing=address_of(order.billing_address),
        shipping=address_of(order.shipping_address),
        fields={name: str(value) for name, value in order.custom_field_hash.items()},
        receipts={one.payment_id: exact(one.amount, currency) for one in order.payments},
        credits=tuple(
            CreditState(
                creditnote_id=one.creditnote_id,
                number=one.creditnote_number,
                status=one.status,
                total=total_of(one, currency),
                reference=one.reference_number,
            )
            for one in order.creditnotes
        ),
        repaid={
            one.creditnote_refund_id: None if one.amount is None else exact(one.amount, currency)
            for one in order.refunds
            if one.creditnote_refund_id
        },
        returned=bool(order.salesreturns),
    )


def own_steps(preference: dict[str, object]) -> tuple[OwnStep, ...]:
    """What the organisation does by itself with a confirmed order; () where that is off, or Zoho does not say."""
    if preference.get("is_feature_enabled") is not True:
        return ()
    invoice = preference.get("invoice_preference")
    pays = isinstance(invoice, dict) and invoice.get("record_payment") is True
    does = {
        OwnStep.INVOICE: preference.get("can_create_invoice") is True,
        OwnStep.PAYMENT: preference.get("can_create_invoice") is True and pays,
        OwnStep.PACKAGE: preference.get("can_create_package") is True,
        OwnStep.SHIPMENT: preference.get("can_create_shipment") is True,
    }
    return tuple(step for step, on in does.items() if on)


def _package(row: LinkedPackage) -> PackageDocument:
    shipment = ShipmentDocument(
        shipment_id=row.shipment_id,
        number=row.shipment_number,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        status=row.shipment_status or row.status,
        day=row.shipment_date,
    )
    return PackageDocument(
        package_id=row.package_id, number=row.package_number, shipment=shipment if row.shipment_id else None
    )


def _linked(invoice: LinkedInvoice, currency: str) -> InvoiceDocument:
    return InvoiceDocument(
        invoice_id=invoice.invoice_id,
        number=invoice.invoice_number,
        reference=invoice.reference_number,
        status=invoice.status,
        total=exact(invoice.total, currency),
        balance=exact(invoice.balance, currency),
    )


def shipment_document(row: Shipment) -> ShipmentDocument:
    return ShipmentDocument(
        shipment_id=row.shipment_id,
        number=row.shipment_number,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        status=row.status,
    )


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    stock = {line.item_id: line.available_for_sale_stock for line in invoice.line_items}
    more = {
        "payment_ids": tuple(payment.payment_id for payment in invoice.payments),
        "available": {item: left for item, left in stock.items() if left is not None},
    }
    return _linked(invoice, invoice.currency_code).model_copy(update=more)
