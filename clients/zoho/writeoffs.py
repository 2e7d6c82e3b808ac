"""Write-offs of one organisation's invoices, and the recorded payments behind them, one HTTP request a method."""

from __future__ import annotations

from clients.zoho.caller import Caller, path
from clients.zoho.codec import Request
from clients.zoho.records.invoices import Invoice
from clients.zoho.translation.amounts import exact
from clients.zoho.translation.payments import changed_payment
from domain.documents import ReceiptRecord
from domain.money import Money
from domain.writeoffs import OweState, lowered, state_of


class ZohoWriteOffs:
    """What the loss of a dispute asks of Zoho. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def state(self, invoice_id: str, money: Money) -> OweState:
        """How the invoice stands of which `money` is, or is to be, written off."""
        invoice = await self._caller.one(Request("GET", path("invoices", invoice_id)), Invoice, "invoice")
        currency = invoice.currency_code
        return state_of(exact(invoice.balance, currency), exact(invoice.write_off_amount, currency), money)

    async def lower(self, record: ReceiptRecord, invoice_id: str, money: Money) -> None:
        """Says the payment anew with `money` less on the invoice; deletes it where nothing is left.

        ValueError where it did not bring so much. Twice changes nothing more, but for a deleted one: NotFound.
        """
        now = lowered(record, invoice_id, money)
        place = path("customerpayments", record.zoho_payment_id)
        if now is None:
            await self._caller.call(Request("DELETE", place))
        else:
            await self._caller.call(Request("PUT", place, body=changed_payment(now, now.bank_charges).body()))

    async def restore(self, record: ReceiptRecord, invoice_id: str, money: Money) -> None:
        """The reverse: the payment as it was. Where it was deleted, twice makes two."""
        body = changed_payment(record, record.bank_charges).body()
        if lowered(record, invoice_id, money) is None:
            await self._caller.call(Request("POST", "/customerpayments", body=body))
        else:
            await self._caller.call(Request("PUT", path("customerpayments", record.zoho_payment_id), body=body))

    async def write_off(self, invoice_id: str) -> None:
        """Gives up what the invoice still wants."""
        await self._caller.call(Request("POST", path("invoices", invoice_id, "writeoff")))

    async def cancel(self, invoice_id: str) -> None:
        """Wants again what was given up."""
        await self._caller.call(Request("POST", path("invoices", invoice_id, "writeoff", "cancel")))
