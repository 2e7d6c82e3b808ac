"""Credit notes of one organisation: read, written, paid out and taken back, one HTTP request a method."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.documents import NewCreditLine, NewCreditNote, NewCreditRefund
from clients.zoho.records import CreditNote, CreditNoteRefund, CreditNoteRow, Invoice, Payment, SalesOrder
from clients.zoho.translation import exact
from domain.credits import CreditInput, CreditLine, CreditWritten, PayOutInput, Sold, SoldLine

_SHIPPING = "Shipping"
_RATE = Decimal("0.000001")  # what Zoho keeps of a unit price: rate times quantity still rounds to the amount


class ZohoCredits:
    """What a refund's run asks of Zoho. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def sold_order(self, salesorder_id: str) -> Sold:
        """The order with its first invoice that stands, and which of its lines have left the house."""
        request = Request("GET", path("salesorders", salesorder_id))
        order = await self._caller.one(request, SalesOrder, "salesorder", "sales_order")
        standing = [invoice for invoice in order.invoices if invoice.status != "void"]
        return Sold(
            salesorder_id=order.salesorder_id,
            status=order.order_status or order.status,
            contact_id=order.customer_id,
            invoice_id=standing[0].invoice_id if standing else "",
            zoho_payment_id=order.payments[0].payment_id if order.payments else "",
            lines=tuple(
                SoldLine(line_item_id=line.line_item_id, net=line.item_total, shipped=line.quantity_shipped > 0)
                for line in order.line_items
            ),
        )

    async def sold_invoice(self, sold: Sold) -> Sold:
        """The sale with the lines of its invoice, each as shipped as the order's line it invoices."""
        request = Request("GET", path("invoices", sold.invoice_id))
        invoice = await self._caller.one(request, Invoice, "invoice")
        left = {line.line_item_id for line in sold.lines if line.shipped}
        lines = [
            SoldLine(
                line_item_id=line.line_item_id,
                item_id=line.item_id,
                quantity=line.quantity,
                net=line.item_total,
                tax_id=line.tax_id,
                tax_percentage=line.tax_percentage,
                shipped=line.salesorder_item_id in left,
            )
            for line in invoice.line_items
        ]
        if invoice.shipping_charge:
            lines.append(SoldLine(name=_SHIPPING, net=invoice.shipping_charge))
        paid = invoice.payments[0].payment_id if invoice.payments else sold.zoho_payment_id
        rate = {"lines": tuple(lines), "zoho_payment_id": paid, "exchange_rate": invoice.exchange_rate}
        return sold.model_copy(update=rate)

    async def account_of(self, payment_id: str) -> str:
        """The account that a recorded payment came to."""
        request = Request("GET", path("customerpayments", payment_id))
        return (await self._caller.one(request, Payment, "payment")).account_id

    async def create(self, wanted: CreditInput, day: date) -> CreditWritten:
        """A credit note, open at once, with the refund's id as reference. Twice makes two."""
        note = NewCreditNote(
            customer_id=wanted.sold.contact_id,
            date=day,
            reference_number=wanted.refund_id,
            is_inclusive_tax=True,
            exchange_rate=wanted.sold.exchange_rate,
            line_items=tuple(_line(line, wanted.sold.invoice_id) for line in wanted.lines),
            notes=f"Stripe refund {wanted.refund_id} of payment {wanted.payment_id}",
        )
        request = Request("POST", "/creditnotes", {"invoice_id": wanted.sold.invoice_id}, body=note.body())
        return _written(await self._caller.one(request, CreditNote, "creditnote"))

    async def find(self, reference: str) -> list[CreditWritten]:
        """The credit notes with this reference that are not void."""
        rows = await self._caller.find("/creditnotes", CreditNoteRow, "creditnotes", {"reference_number": reference})
        return [_written(row) for row in rows if row.status != "void"]

    async def void(self, creditnote_id: str) -> None:
        """Make a credit note count no longer: what it returned to stock is taken out again."""
        await self._caller.call(Request("POST", path("creditnotes", creditnote_id, "void")))

    async def pay_out(self, wanted: PayOutInput, day: date, mode: str) -> str:
        """The money of a credit note as gone back out of an account; the refund's id in Zoho. Twice makes two."""
        refund = NewCreditRefund(
            date=day,
            refund_mode=mode,
            reference_number=wanted.refund_id,
            amount=wanted.total.decimal(),
            from_account_id=wanted.account_id,
        )
        request = Request("POST", path("creditnotes", wanted.creditnote_id, "refunds"), body=refund.body())
        made = await self._caller.one(request, CreditNoteRefund, "creditnote_refund")
        return made.creditnote_refund_id

    async def paid_out(self, creditnote_id: str) -> list[str]:
        """The ids of a credit note's refunds."""
        request = Request("GET", path("creditnotes", creditnote_id, "refunds"))
        rows, _ = await self._caller.rows(request, CreditNoteRefund, "creditnote_refunds")
        return [row.creditnote_refund_id for row in rows]

    async def delete_refund(self, creditnote_id: str, zoho_refund_id: str) -> None:
        """Take the refund of a credit note back: the note is open again."""
        await self._caller.call(Request("DELETE", path("creditnotes", creditnote_id, "refunds", zoho_refund_id)))


def _line(line: CreditLine, invoice_id: str) -> NewCreditLine:
    return NewCreditLine(
        item_id=line.item_id,
        name=line.name,
        rate=(line.gross.decimal() / line.quantity).quantize(_RATE),
        quantity=line.quantity,
        tax_id=line.tax_id,
        invoice_id=invoice_id if line.line_item_id else "",
        invoice_item_id=line.line_item_id,
        is_item_shipped=line.shipped,
        is_returned_to_stock=line.restock,
    )


def _written(note: CreditNoteRow) -> CreditWritten:
    return CreditWritten(
        creditnote_id=note.creditnote_id,
        number=note.creditnote_number,
        status=note.status,
        total=exact(note.total, note.currency_code),
    )
