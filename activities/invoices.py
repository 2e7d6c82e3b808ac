"""The invoice of a sales order: created, found, marked sent."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.receipts import DELETE
from activities.shops import Shops
from domain.documents import InvoiceDocument
from domain.runs import StepDone
from domain.sales import DocumentRef, InvoiceInput, InvoiceWritten

_STEP = "invoice"
_SENT = "invoice_sent"
_VOID = "void_invoice"


class InvoiceActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, dossier: Dossier, once: Once) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once

    @activity.defn
    async def create_invoice(self, wanted: InvoiceInput) -> InvoiceWritten:
        """Write the invoice, line by line from the order; a draft until it is marked sent."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> InvoiceWritten:
            return written(await self._shops[wanted.connection].zoho.create_invoice(draft, wanted))

        return await self._once.write(_STEP, wanted, InvoiceWritten, call, amount=wanted.total)

    @activity.defn
    async def find_invoice(self, wanted: InvoiceInput) -> InvoiceWritten | None:
        """The order's own invoice, read off the order itself (lists may lag); None where there is none."""
        order = await self._shops[wanted.connection].zoho.sales_order(wanted.salesorder_id)
        alive = [invoice for invoice in order.invoices if invoice.status != "void"]
        if not alive:
            return None
        found = written(alive[0])
        await self._once.adopt(_STEP, wanted, found, amount=wanted.total)
        await self._see_sent(wanted, found)
        return found

    @activity.defn
    async def read_invoice(self, wanted: DocumentRef) -> InvoiceWritten:
        """The invoice as it stands."""
        found = written(await self._shops[wanted.connection].zoho.invoice(wanted.document_id))
        await self._see_sent(wanted, found)
        await self._see_taken_back(wanted, found)
        return found

    @activity.defn
    async def mark_invoice_sent(self, wanted: DocumentRef) -> StepDone:
        """Mark the invoice sent, without a mail: accounting stock moves now."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.mark_invoice_sent(wanted.document_id)
            return StepDone()

        return await self._once.write(_SENT, wanted, StepDone, call, amount=wanted.total)

    @activity.defn
    async def void_invoice(self, wanted: DocumentRef) -> StepDone:
        """Take the invoice back: what it took from accounting stock returns."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.void_invoice(wanted.document_id)
            return StepDone()

        return await self._once.write(_VOID, wanted, StepDone, call, amount=wanted.total)

    async def _see_sent(self, wanted: InvoiceInput | DocumentRef, found: InvoiceWritten) -> None:
        """Close a sent mark whose answer was lost."""
        if found.status not in ("draft", "void"):
            await self._once.adopt_begun(_SENT, wanted, StepDone(), amount=wanted.total)

    async def _see_taken_back(self, wanted: DocumentRef, found: InvoiceWritten) -> None:
        """Close a voiding, or a payment's deletion, whose answer was lost."""
        if found.status == "void":
            await self._once.adopt_begun(_VOID, wanted, StepDone(), amount=wanted.total)
        for gone in set(wanted.deleted) - set(found.payment_ids):
            await self._once.adopt_begun(f"{DELETE}#{gone}", wanted, StepDone(), amount=wanted.total)


def written(invoice: InvoiceDocument) -> InvoiceWritten:
    """The invoice in the words of a run; short are the items that have less than nothing left for sale."""
    return InvoiceWritten(
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        status=invoice.status,
        total=invoice.total,
        balance=invoice.balance,
        payment_ids=invoice.payment_ids,
        short_items=tuple(item for item, left in invoice.available.items() if left < 0),
    )
