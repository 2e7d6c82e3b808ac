"""Credit notes of one organisation: read, written, paid out and taken back, one HTTP request a method."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from clients.errors import NotFound
from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.documents import CustomField, NewComment
from clients.zoho.documents.credits import NewCreditLine, NewCreditNote, NewCreditRefund
from clients.zoho.records import Comment
from clients.zoho.records.credits import CreditNote, CreditNoteRefund, CreditNoteRow
from clients.zoho.records.invoices import Invoice
from clients.zoho.records.orders import SalesOrder
from clients.zoho.records.payments import Payment
from clients.zoho.translation.amounts import day_of, exact
from clients.zoho.translation.credits import sale_of
from domain.credits import (
    CreditedPieces,
    CreditInput,
    CreditLine,
    CreditWritten,
    PaidOut,
    PayOutInput,
    Sold,
    SoldLine,
)
from domain.hand_credits import CreditRow

_SHIPPING = "Shipping"
_RATE = Decimal("0.000001")  # what Zoho keeps of a unit price: rate times quantity still rounds to the amount


class ZohoCredits:
    """What a refund's run asks of Zoho. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def sold_order(self, salesorder_id: str, refund_id: str = "") -> Sold:
        """The order with its first invoice that stands, which of its lines have left the house, and its credit notes,
        of which one may name the refund.
        """
        request = Request("GET", path("salesorders", salesorder_id))
        order = await self._caller.one(request, SalesOrder, "salesorder", "sales_order")
        return sale_of(order, refund_id)

    async def sold_invoice(self, sold: Sold) -> Sold:
        """The sale with the lines of its invoice, each as shipped as the order's line it invoices."""
        request = Request("GET", path("invoices", sold.invoice_id))
        invoice = await self._caller.one(request, Invoice, "invoice")
        left = {line.line_item_id for line in sold.lines if line.shipped}
        lines = [
            SoldLine(
                line_item_id=line.line_item_id,
                order_line_id=line.salesorder_item_id,
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

    async def create(self, wanted: CreditInput, day: date, fields: Mapping[str, str]) -> CreditWritten:
        """A credit note, open at once, with the refund's (or dispute's) id as reference and these custom fields, by
        api_name. Twice makes two.
        """
        made_for = f" for adjustment {wanted.adjustment_id}" if wanted.adjustment_id else ""
        note = NewCreditNote(
            customer_id=wanted.sold.contact_id,
            date=day,
            reference_number=wanted.refund_id,
            is_inclusive_tax=True,
            exchange_rate=wanted.sold.exchange_rate,
            line_items=tuple(_line(line, wanted.sold.invoice_id) for line in wanted.lines),
            notes=f"Stripe {wanted.cause} {wanted.refund_id} of payment {wanted.payment_id}{made_for}",
            custom_fields=tuple(CustomField(api_name=name, value=value) for name, value in fields.items()),
        )
        links = {"invoice_id": wanted.sold.invoice_id}
        if wanted.return_id:
            links["salesreturn_id"] = wanted.return_id
        request = Request("POST", "/creditnotes", links, body=note.body())
        return _written(await self._caller.one(request, CreditNote, "creditnote"))

    async def find(self, reference: str) -> list[CreditWritten]:
        """The credit notes with this reference that are not void."""
        rows = await self._caller.find("/creditnotes", CreditNoteRow, "creditnotes", {"reference_number": reference})
        return [_written(row) for row in rows if row.status != "void"]

    async def of_customer(self, contact_id: str) -> list[CreditRow]:
        """The customer's newest credit notes, at most 200, void ones too."""
        rows = await self._caller.find("/creditnotes", CreditNoteRow, "creditnotes", {"customer_id": contact_id})
        return [
            CreditRow(
                creditnote_id=row.creditnote_id,
                number=row.creditnote_number,
                reference=row.reference_number,
                status=row.status,
                day=day_of(row.date),
                total=exact(row.total, row.currency_code) if row.currency_code else None,
            )
            for row in rows
        ]

    async def credited(self, creditnote_id: str) -> CreditedPieces:
        """The pieces that a credit note credits and no return is behind."""
        note = await self._caller.one(Request("GET", path("creditnotes", creditnote_id)), CreditNote, "creditnote")
        lines = [line for line in note.line_items if line.invoice_item_id and not line.salesreturn_item_id]
        told = () if note.salesreturn_id else tuple((line.invoice_item_id, line.quantity) for line in lines)
        return CreditedPieces(refund_id=note.reference_number, lines=told)

    async def order_of(self, creditnote_id: str) -> str:
        """The order that a credit note credits, "" where Zoho does not say, or the note is gone."""
        try:
            note = await self._caller.one(Request("GET", path("creditnotes", creditnote_id)), CreditNote, "creditnote")
        except NotFound:
            return ""
        return note.salesorder_id

    async def comment(self, creditnote_id: str, said: str) -> None:
        """Put a sentence into a credit note's history. Twice says it twice."""
        body = NewComment(description=said)
        await self._caller.call(Request("POST", path("creditnotes", creditnote_id, "comments"), body=body.body()))

    async def comments(self, creditnote_id: str) -> list[str]:
        """What a credit note's history says."""
        request = Request("GET", path("creditnotes", creditnote_id, "comments"))
        rows, _ = await self._caller.rows(request, Comment, "comments")
        return [row.description for row in rows]

    async def void(self, creditnote_id: str) -> None:
        """Make a credit note count no longer: what it returned to stock is taken out again."""
        await self._caller.call(Request("POST", path("creditnotes", creditnote_id, "void")))

    async def pay_out(self, wanted: PayOutInput, day: date, mode: str) -> PaidOut:
        """The money of a credit note as gone back out of an account. Twice makes two."""
        refund = NewCreditRefund(
            date=day,
            refund_mode=mode,
            reference_number=wanted.refund_id,
            amount=wanted.total.decimal(),
            exchange_rate=None if wanted.exchange_rate == 1 else wanted.exchange_rate,
            from_account_id=wanted.account_id,
        )
        request = Request("POST", path("creditnotes", wanted.creditnote_id, "refunds"), body=refund.body())
        made = await self._caller.one(request, CreditNoteRefund, "creditnote_refund")
        return _paid_out(made, wanted.exchange_rate and wanted.total.decimal() * wanted.exchange_rate)

    async def paid_out(self, creditnote_id: str) -> list[PaidOut]:
        """A credit note's refunds."""
        request = Request("GET", path("creditnotes", creditnote_id, "refunds"))
        rows, _ = await self._caller.rows(request, CreditNoteRefund, "creditnote_refunds")
        return [_paid_out(row) for row in rows]

    async def delete_refund(self, creditnote_id: str, zoho_refund_id: str) -> None:
        """Take the refund of a credit note back: the note is open again."""
        await self._caller.call(Request("DELETE", path("creditnotes", creditnote_id, "refunds", zoho_refund_id)))


def _paid_out(row: CreditNoteRefund, counted: Decimal | None = None) -> PaidOut:
    return PaidOut(zoho_refund_id=row.creditnote_refund_id, value=counted if row.amount_bcy is None else row.amount_bcy)


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
        salesreturn_item_id=line.salesreturn_item_id,
    )


def _written(note: CreditNoteRow) -> CreditWritten:
    return CreditWritten(
        creditnote_id=note.creditnote_id,
        number=note.creditnote_number,
        status=note.status,
        total=exact(note.total, note.currency_code),
    )
