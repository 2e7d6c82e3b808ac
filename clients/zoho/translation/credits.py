"""Zoho's sales orders as sales that are credited."""

from __future__ import annotations

from decimal import Decimal

from clients.zoho.records.credits import LinkedCreditNote
from clients.zoho.records.orders import SalesOrder
from clients.zoho.translation.amounts import exact
from domain.credits import NoteByHand, Sold, SoldLine
from domain.matching import is_stripe_id
from domain.money import Money


def sale_of(order: SalesOrder, refund_id: str = "") -> Sold:
    """The order with its first invoice that stands, which of its lines have left the house, and its credit notes, of
    which one may name the refund.
    """
    standing = [invoice for invoice in order.invoices if invoice.status != "void"]
    notes = [note for note in order.creditnotes if note.status not in ("void", "draft")]
    named = [note for note in notes if refund_id and note.reference_number == refund_id]
    own = [note for note in notes if note.currency_code in ("", order.currency_code)]
    return Sold(
        salesorder_id=order.salesorder_id,
        status=order.order_status or order.status,
        contact_id=order.customer_id,
        invoice_id=standing[0].invoice_id if standing else "",
        zoho_payment_id=order.payments[0].payment_id if order.payments else "",
        returns=tuple(one.salesreturn_id for one in order.salesreturns),
        notes=tuple(note.creditnote_id for note in notes),
        credited=exact(sum((note.total for note in own), Decimal(0)), order.currency_code),
        by_hand=tuple(_by_hand(note, order) for note in notes if not is_stripe_id(note.reference_number)),
        named=tuple(_by_hand(note, order) for note in named),
        noted=bool(named),
        lines=tuple(
            SoldLine(line_item_id=line.line_item_id, net=line.item_total, shipped=line.quantity_shipped > 0)
            for line in order.line_items
        ),
    )


def total_of(note: LinkedCreditNote, currency: str) -> Money | None:
    """What the note comes to, in the currency that it says, or else in `currency`, its order's."""
    return exact(note.total, note.currency_code or currency)


def _by_hand(note: LinkedCreditNote, order: SalesOrder) -> NoteByHand:
    return NoteByHand(
        creditnote_id=note.creditnote_id,
        number=note.creditnote_number,
        status=note.status,
        total=total_of(note, order.currency_code),
    )
