"""The customer payment: Zoho has no unique key for it, so the guard and the invoice's balance are all there is."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.shops import Shops
from domain.documents import ReceiptRecord
from domain.receipts import FeeInput, ReceiptFound, ReceiptQuery
from domain.runs import PaymentRef, StepDone
from domain.sales import DocumentRef, ReceiptInput, ReceiptWritten

_STEP = "customer_payment"
FEE = "fee"
DELETE = "delete_payment"


class ReceiptActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, dossier: Dossier, once: Once) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once

    @activity.defn
    async def record_payment(self, wanted: ReceiptInput) -> ReceiptWritten:
        """Record the money on the invoice, with the payment's id as reference."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        shop = self._shops[wanted.connection]

        async def call() -> ReceiptWritten:
            receipt = await shop.zoho.record_payment(draft, wanted, shop.mapping)
            return ReceiptWritten(zoho_payment_id=receipt.payment_id, balance=receipt.balance, record=receipt.record)

        return await self._once.write(_STEP, wanted, ReceiptWritten, call, amount=wanted.total)

    @activity.defn
    async def find_payment(self, wanted: ReceiptInput) -> ReceiptWritten | None:
        """The payment on the invoice, read off the invoice itself; None while the invoice wants its whole total.

        Where Zoho does not list an invoice's payments, its balance alone says that the money is there.
        """
        invoice = await self._shops[wanted.connection].zoho.invoice(wanted.invoice_id)
        if not invoice.payment_ids and invoice.balance == invoice.total:
            return None
        payment_id = invoice.payment_ids[0] if invoice.payment_ids else ""
        found = ReceiptWritten(zoho_payment_id=payment_id, balance=invoice.balance)
        await self._once.adopt(_STEP, wanted, found, amount=wanted.total)
        return found

    @activity.defn
    async def find_receipt(self, wanted: PaymentRef) -> ReceiptFound:
        """The one payment with this payment's reference."""
        found = await self._shops[wanted.connection].zoho.find_receipts(wanted.payment_id)
        return ReceiptFound(zoho_payment_id=found[0] if len(found) == 1 else "")

    @activity.defn
    async def read_receipt(self, wanted: ReceiptQuery) -> ReceiptRecord | None:
        """The recorded payment as it stands; None where its amounts are no money of Stripe's."""
        return await self._shops[wanted.connection].zoho.receipt(wanted.zoho_payment_id, wanted.currency)

    @activity.defn
    async def book_fee(self, wanted: FeeInput) -> StepDone:
        """Put Stripe's fee on the recorded payment, which otherwise stays as it is."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.update_receipt(wanted.record, wanted.charges)
            return StepDone()

        return await self._once.write(FEE, wanted, StepDone, call, amount=wanted.charges)

    @activity.defn
    async def find_fee(self, wanted: FeeInput) -> StepDone | None:
        """Whether the recorded payment has the fee, read off the payment itself."""
        query = wanted.record.zoho_payment_id, wanted.charges.currency
        found = await self._shops[wanted.connection].zoho.receipt(*query)
        if found is None or found.bank_charges != wanted.charges:
            return None
        await self._once.adopt(FEE, wanted, StepDone(), amount=wanted.charges)
        return StepDone()

    @activity.defn
    async def delete_payment(self, wanted: DocumentRef) -> StepDone:
        """Take the record of the money back; the money itself stays where it is, in Stripe."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.delete_payment(wanted.document_id)
            return StepDone()

        # With the document's id: an invoice may have several.
        return await self._once.write(f"{DELETE}#{wanted.document_id}", wanted, StepDone, call, amount=wanted.total)
