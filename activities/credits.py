"""Zoho's side of a refund: the sale it belongs to, its credit note, and the money that went back."""

from __future__ import annotations

from datetime import UTC, date, datetime

from temporalio import activity

from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import Refused
from domain.credits import CreditDocument, CreditInput, CreditQuery, CreditWritten, PaidOut, PayOutInput, Sold
from domain.mapping import order_day
from domain.runs import StepDone

_NOTE = "credit_note"
_PAID = "credit_note_refund"
VOID_CREDIT_NOTE = "void_credit_note"
_DELETE = "delete_credit_refund"


class CreditActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, memory: Memory, once: Once) -> None:
        self._shops = shops
        self._memory = memory
        self._once = once

    @activity.defn
    async def find_sale(self, wanted: CreditQuery) -> Sold | None:
        """The payment's order by its number, without its lines; None where Zoho has none."""
        found = await self._shops[wanted.connection].zoho.find_sales_order(wanted.number)
        return Sold(salesorder_id=found.salesorder_id, status=found.status) if found else None

    @activity.defn
    async def read_sale(self, wanted: CreditQuery) -> Sold:
        """The order with its invoice, and which of its lines have left the house."""
        return await self._shops[wanted.connection].zoho.credits.sold_order(wanted.document_id)

    @activity.defn
    async def read_sold_lines(self, wanted: CreditInput) -> Sold:
        """The sale with the lines of its invoice."""
        return await self._shops[wanted.connection].zoho.credits.sold_invoice(wanted.sold)

    @activity.defn
    async def find_account(self, wanted: PayOutInput) -> PayOutInput:
        """The same with the account that the payment came to; the shop's own where Zoho does not say."""
        shop = self._shops[wanted.connection]
        told = await shop.zoho.credits.account_of(wanted.zoho_payment_id) if wanted.zoho_payment_id else ""
        account = told or shop.mapping.deposit_account_id
        if not account:
            cure = "set mapping.deposit_account_id, restart the worker, retry"
            raise Refused("settings", f"Zoho does not say which account the payment came to; {cure}", code="no_account")
        return wanted.model_copy(update={"account_id": account})

    @activity.defn
    async def create_credit_note(self, wanted: CreditInput) -> CreditWritten:
        """The refund as a credit note, with the refund's id as reference."""
        day = await self._day(wanted.connection, wanted.at)

        async def call() -> CreditWritten:
            return await self._shops[wanted.connection].zoho.credits.create(wanted, day)

        return await self._once.write(_NOTE, wanted, CreditWritten, call, amount=wanted.total)

    @activity.defn
    async def find_credit_note(self, wanted: CreditQuery) -> CreditWritten | None:
        """The refund's credit note by its reference; one that is void does not count. Closes what waits for that."""
        found = await self._shops[wanted.connection].zoho.credits.find(wanted.refund_id)
        if wanted.document_id and wanted.document_id not in [note.creditnote_id for note in found]:
            await self._once.adopt_begun(f"{VOID_CREDIT_NOTE}#{wanted.document_id}", wanted, StepDone())
        if not found:
            return None
        await self._once.adopt_begun(_NOTE, wanted, found[0], amount=found[0].total)
        return found[0]

    @activity.defn
    async def pay_out(self, wanted: PayOutInput) -> PaidOut:
        """The money as gone back, out of the account that it came to."""
        shop, day = self._shops[wanted.connection], await self._day(wanted.connection, wanted.at)

        async def call() -> PaidOut:
            return PaidOut(zoho_refund_id=await shop.zoho.credits.pay_out(wanted, day, shop.mapping.payment_mode))

        return await self._once.write(_PAID, wanted, PaidOut, call, amount=wanted.total)

    @activity.defn
    async def find_paid_out(self, wanted: CreditDocument) -> PaidOut | None:
        """The refund of the credit note, read off the note; closes what waits for one to be gone."""
        found = await self._shops[wanted.connection].zoho.credits.paid_out(wanted.creditnote_id)
        if wanted.zoho_refund_id and wanted.zoho_refund_id not in found:
            await self._once.adopt_begun(f"{_DELETE}#{wanted.zoho_refund_id}", wanted, StepDone())
        if not found:
            return None
        await self._once.adopt_begun(_PAID, wanted, PaidOut(zoho_refund_id=found[0]))
        return PaidOut(zoho_refund_id=found[0])

    @activity.defn
    async def delete_credit_refund(self, wanted: CreditDocument) -> StepDone:
        """Take the refund of the credit note back."""

        async def call() -> StepDone:
            zoho = self._shops[wanted.connection].zoho
            await zoho.credits.delete_refund(wanted.creditnote_id, wanted.zoho_refund_id)
            return StepDone()

        return await self._once.write(f"{_DELETE}#{wanted.zoho_refund_id}", wanted, StepDone, call)

    @activity.defn
    async def void_credit_note(self, wanted: CreditDocument) -> StepDone:
        """Take the credit note back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.credits.void(wanted.creditnote_id)
            return StepDone()

        return await self._once.write(f"{VOID_CREDIT_NOTE}#{wanted.creditnote_id}", wanted, StepDone, call)

    async def _day(self, connection: str, at: datetime) -> date:
        """The organisation's calendar day of a moment; UTC's while our memory does not know the organisation."""
        organization = (await self._memory.catalogue(connection)).organization
        return order_day(at, organization.time_zone) if organization else at.astimezone(UTC).date()
