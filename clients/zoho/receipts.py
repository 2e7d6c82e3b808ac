"""Money received by one organisation."""

from __future__ import annotations

from datetime import date

from clients.zoho.client import ZohoClient
from clients.zoho.documents.payments import InvoiceShare, NewPayment
from clients.zoho.translation.amounts import exact
from clients.zoho.translation.payments import changed_payment, looks_alike, receipt_record
from domain.documents import ReceiptDocument, ReceiptRecord
from domain.mapping_policy import MappingPolicy
from domain.money import Money
from domain.orders import OrderDraft
from domain.sales import ReceiptInput


class ZohoReceipts:
    """Recorded payments, and what of them is the fee."""

    _client: ZohoClient

    async def record_payment(self, draft: OrderDraft, wanted: ReceiptInput, mapping: MappingPolicy) -> ReceiptDocument:
        """The whole amount on the invoice; the payment id is the reference."""
        paid = await self._client.create_payment(
            NewPayment(
                customer_id=wanted.contact_id,
                payment_mode=mapping.payment_mode,
                amount=wanted.total.decimal(),
                date=draft.order_date,
                reference_number=wanted.payment_id,
                invoices=(InvoiceShare(invoice_id=wanted.invoice_id, amount_applied=wanted.total.decimal()),),
                account_id=mapping.deposit_account_id,
                exchange_rate=wanted.exchange_rate,
                bank_charges=wanted.bank_charges.decimal() if wanted.bank_charges else None,
            )
        )
        left = [row.balance for row in paid.invoices if row.invoice_id == wanted.invoice_id]
        balance = left[0] if left else None
        return ReceiptDocument(
            payment_id=paid.payment_id,
            reference=paid.reference_number,
            amount=exact(paid.amount, wanted.total.currency),
            balance=None if balance is None else exact(balance, wanted.total.currency),
            record=receipt_record(paid, wanted.total.currency),
        )

    async def find_receipts(self, reference: str) -> list[str]:
        """The ids of the payments with this reference."""
        return [row.payment_id for row in await self._client.find_payments(reference_number=reference)]

    async def receipts_alike(self, money: Money, day: date) -> list[str]:
        """The ids of payments of this amount, recorded within three days of `day`, that name nobody of Stripe's."""
        rows = await self._client.payments_over(money.decimal())
        return [row.payment_id for row in rows if looks_alike(row, money, day)]

    async def receipt(self, payment_id: str, currency: str) -> ReceiptRecord | None:
        """The recorded payment; None where it holds amounts finer than a minor unit of `currency`."""
        return receipt_record(await self._client.get_payment(payment_id), currency)

    async def update_receipt(self, record: ReceiptRecord, charges: Money) -> None:
        """The recorded payment with these bank charges, and otherwise as it is."""
        await self._client.update_payment(record.zoho_payment_id, changed_payment(record, charges))

    async def delete_payment(self, payment_id: str) -> None:
        """Take the record of a payment back."""
        await self._client.delete_payment(payment_id)
