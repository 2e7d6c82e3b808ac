"""Zoho's side of a refund: the sale it belongs to, its credit note, and the money that went back."""

from __future__ import annotations

from temporalio import activity

from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import Refused
from domain.credits import (
    CreditComment,
    CreditDocument,
    CreditedPieces,
    CreditInput,
    CreditQuery,
    CreditWritten,
    PaidOut,
    PayOutInput,
    Sold,
    but_ours,
)
from domain.hand_credits import CreditHandQuery, HandCredits, alike
from domain.refunds import RefundStatus
from domain.runs import StepDone

_NOTE = "credit_note"
PAID_OUT = "credit_note_refund"
VOID_CREDIT_NOTE = "void_credit_note"
DELETE_CREDIT_REFUND = "delete_credit_refund"


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
        """The order with its invoice, which of its lines have left the house, and credit notes that people wrote."""
        found = await self._shops[wanted.connection].zoho.credits.sold_order(wanted.document_id, wanted.refund_id)
        ours = {note.creditnote_id for note in await self._once.written(_NOTE, wanted, CreditWritten)}
        return but_ours(found, ours)

    @activity.defn
    async def read_sold_lines(self, wanted: CreditInput) -> Sold:
        """The sale with the lines of its invoice."""
        return await self._shops[wanted.connection].zoho.credits.sold_invoice(wanted.sold)

    @activity.defn
    async def read_credited(self, wanted: CreditQuery) -> CreditedPieces:
        """What a credit note of the sale credits without a return."""
        return await self._shops[wanted.connection].zoho.credits.credited(wanted.document_id)

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
        shop, day = self._shops[wanted.connection], await self._memory.day(wanted.connection, wanted.at)
        ours = wanted.return_id or wanted.adjustment_id
        fields = shop.policy.returns.says(wanted.refund_id, RefundStatus.SUCCEEDED) if ours else {}

        async def call() -> CreditWritten:
            return await shop.zoho.credits.create(wanted, day, fields)

        written = await self._once.write(_NOTE, wanted, CreditWritten, call, amount=wanted.total)
        await self._memory.keep_note(wanted.connection, written.creditnote_id, wanted.payment_id)
        return written

    @activity.defn
    async def comment_credit_note(self, wanted: CreditComment) -> StepDone:
        """Put the refund and how it stands into a credit note's history."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.credits.comment(wanted.creditnote_id, wanted.said)
            return StepDone()

        return await self._once.write(f"comment#{wanted.about}", wanted, StepDone, call)

    @activity.defn
    async def find_comment(self, wanted: CreditComment) -> StepDone | None:
        """Whether the credit note's history has the sentence, where the answer was lost."""
        if wanted.said not in await self._shops[wanted.connection].zoho.credits.comments(wanted.creditnote_id):
            return None
        await self._once.adopt(f"comment#{wanted.about}", wanted, StepDone())
        return StepDone()

    @activity.defn
    async def find_credit_note(self, wanted: CreditQuery) -> CreditWritten | None:
        """The refund's credit note by its reference; one that is void does not count. Closes what waits for that."""
        found = await self._shops[wanted.connection].zoho.credits.find(wanted.refund_id)
        if wanted.document_id and wanted.document_id not in [note.creditnote_id for note in found]:
            await self._once.adopt_begun(f"{VOID_CREDIT_NOTE}#{wanted.document_id}", wanted, StepDone())
        if not found:
            return None
        await self._once.adopt_begun(_NOTE, wanted, found[0], amount=found[0].total)
        await self._memory.keep_note(wanted.connection, found[0].creditnote_id, wanted.payment_id)
        return found[0]

    @activity.defn
    async def find_credits_by_hand(self, wanted: CreditHandQuery) -> HandCredits:
        """Credit notes of the customer that somebody may have entered for the refund, none that names another."""
        rows = await self._shops[wanted.connection].zoho.credits.of_customer(wanted.contact_id)
        first, last = [await self._memory.day(wanted.connection, at) for at in (wanted.since or wanted.at, wanted.at)]
        return alike(rows, wanted.total, first, last)

    @activity.defn
    async def pay_out(self, wanted: PayOutInput) -> PaidOut:
        """The money as gone back, out of the account that it came to."""
        shop, day = self._shops[wanted.connection], await self._memory.day(wanted.connection, wanted.at)

        async def call() -> PaidOut:
            return await shop.zoho.credits.pay_out(wanted, day, shop.mapping.payment_mode)

        return await self._once.write(PAID_OUT, wanted, PaidOut, call, amount=wanted.total)

    @activity.defn
    async def find_paid_out(self, wanted: CreditDocument) -> PaidOut | None:
        """The refund of the credit note, read off the note; closes what waits for one to be gone."""
        found = await self._shops[wanted.connection].zoho.credits.paid_out(wanted.creditnote_id)
        if wanted.zoho_refund_id and all(one.zoho_refund_id != wanted.zoho_refund_id for one in found):
            await self._once.adopt_begun(f"{DELETE_CREDIT_REFUND}#{wanted.zoho_refund_id}", wanted, StepDone())
        if not found:
            return None
        await self._once.adopt_begun(PAID_OUT, wanted, found[0])
        return found[0]

    @activity.defn
    async def delete_credit_refund(self, wanted: CreditDocument) -> StepDone:
        """Take the refund of the credit note back."""

        async def call() -> StepDone:
            zoho = self._shops[wanted.connection].zoho
            await zoho.credits.delete_refund(wanted.creditnote_id, wanted.zoho_refund_id)
            return StepDone()

        return await self._once.write(f"{DELETE_CREDIT_REFUND}#{wanted.zoho_refund_id}", wanted, StepDone, call)

    @activity.defn
    async def void_credit_note(self, wanted: CreditDocument) -> StepDone:
        """Take the credit note back."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.credits.void(wanted.creditnote_id)
            return StepDone()

        return await self._once.write(f"{VOID_CREDIT_NOTE}#{wanted.creditnote_id}", wanted, StepDone, call)
