"""A refund's documents in Zoho: its credit note and the money that went back, each written once, and their way back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.credits import CreditActivities
    from domain.credits import (
        CreditDocument,
        CreditedPieces,
        CreditInput,
        CreditLine,
        CreditQuery,
        CreditWritten,
        PaidOut,
        PayOutInput,
        Sold,
        credit_lines,
    )
    from domain.money import Money
    from domain.policy import Restock
    from domain.refunds import FetchedRefund, RefundRef
    from domain.runs import PaymentRef, StepDone, UndoKind
    from workflows import contract
    from workflows.calls import Calls
    from workflows.compensation import TakeBack, UndoStack


class Crediting:
    """One refund's documents, or those of another `cause`. `number` is the number of the payment's order."""

    def __init__(self, calls: Calls, ref: RefundRef, number: str, undo: UndoStack, cause: str = "refund") -> None:
        self._calls = calls
        self._ref = ref
        self._number = number
        self._undo = undo
        self._cause = cause

    async def sale(self, refund: FetchedRefund) -> Sold:
        """The sale with the lines of its invoice. ApplicationError `NotCarried` where Zoho has no such order."""
        return await self.sale_of(refund.salesorder_id or await self._find_order(), refund.money, refund.at)

    async def sale_of(self, order_id: str, total: Money, at: datetime) -> Sold:
        """The sale that this order of Zoho's is, with the lines of its invoice."""
        query = CreditQuery(**dict(self._ref), document_id=order_id)
        sold = await self._calls.zoho_read(CreditActivities.read_sale, query, f"Read sales order {self._number}")
        if not sold.invoice_id:
            return sold
        wanted = CreditInput(**dict(self._ref), sold=sold, lines=(), total=total, at=at)
        return await self._calls.zoho_read(CreditActivities.read_sold_lines, wanted, "Read the lines of its invoice")

    async def credited(self, note_ids: Iterable[str]) -> list[CreditedPieces]:
        """The pieces that these credit notes of the sale credit and no return is behind."""
        found = []
        for note_id in note_ids:
            query = CreditQuery(**dict(self._ref), document_id=note_id)
            summary = f"See which pieces credit note {note_id} credits"
            found.append(await self._calls.zoho_read(CreditActivities.read_credited, query, summary))
        return found

    async def cancel(self, refund: FetchedRefund, sold: Sold) -> str:
        """Of a sale without an invoice: its order is void, so that nothing is held back for it. What became of it.

        ApplicationError `ChangedByHand` where that would not be the whole of it: money was recorded, or some is left.
        """
        sale = PaymentRef(**self._ref.model_dump(exclude={"refund_id"}))
        if sold.status == "void":
            # By ourselves, before this run was parked: the end of that is still to be kept.
            if refund.cancelled and workflow.patched(contract.CLOSES_ROUND):
                await TakeBack(self._calls, sale, self._number, refund.money).run(UndoStack())
            return f"order {self._number} was taken back: nothing to credit"
        if sold.zoho_payment_id or not refund.whole:
            raise ApplicationError(
                f"Zoho has no invoice of order {self._number} any more, so that no credit note can be written: book "
                f"{refund.money} as given back by hand, then skip",
                type="ChangedByHand",
                non_retryable=True,
            )
        order = UndoStack((UndoKind.VOID_SALES_ORDER,))
        await TakeBack(self._calls, sale, self._number, refund.money).run(order)
        return f"order {self._number} was cancelled before it was invoiced: it is void"

    def lines(self, refund: FetchedRefund, sold: Sold, restock: Restock) -> tuple[CreditLine, ...]:
        """What the credit note says. ApplicationError `ChangedByHand` where nothing is left that could be credited."""
        try:
            return credit_lines(sold, refund, restock)
        except ValueError:
            raise ApplicationError(
                f"no line of the invoice of order {self._number} has so much left to credit: book {refund.money} as "
                "given back by hand, then skip",
                type="ChangedByHand",
                non_retryable=True,
            ) from None

    async def note(
        self,
        refund: FetchedRefund,
        sold: Sold,
        lines: tuple[CreditLine, ...],
        *,
        return_id: str = "",
        adjustment_id: str = "",
    ) -> CreditWritten:
        """The refund's credit note, over exactly the refund, for the return or the adjustment that it was made for.

        ApplicationError `TotalsDiffer` where Zoho disagrees.
        """
        said = {"return_id": return_id, "adjustment_id": adjustment_id, "cause": self._cause}
        about = {"sold": sold, "lines": lines, "total": refund.money, "at": refund.at, **said}
        wanted = CreditInput(**dict(self._ref), **about)
        self._undo.register(UndoKind.VOID_CREDIT_NOTE)

        async def write(after: int) -> CreditWritten:
            return await self._calls.zoho_write(
                CreditActivities.create_credit_note,
                wanted.model_copy(update={"after": after}),
                f"Write a credit note over {refund.money}",
            )

        # What our memory lost, or a person wrote for this refund, may be there already.
        known = refund.salesorder_id and not sold.noted
        there = None if known else await self._calls.look_twice(self.find_note, "credit note")
        if there is None and sold.named and workflow.patched(contract.ORDER_NAMES_NOTE):
            there = CreditWritten(**dict(sold.named[0]))
        note = there or await self._calls.settle(write, self.find_note, "credit note")
        if note.total != refund.money:
            raise ApplicationError(
                f"Zoho's credit note {note.number} comes to {note.total}, the {self._cause} to {refund.money}",
                type="TotalsDiffer",
                non_retryable=True,
            )
        return note

    async def pay_out(self, refund: FetchedRefund, sold: Sold, note: CreditWritten) -> PaidOut:
        """The money of the credit note as gone back, out of the account that the payment came to."""
        wanted = PayOutInput(
            **dict(self._ref),
            creditnote_id=note.creditnote_id,
            zoho_payment_id=sold.zoho_payment_id,
            total=refund.money,
            at=refund.at,
            # At its note's rate, which is the invoice's: of the sale itself nothing is left to gain or lose.
            exchange_rate=sold.exchange_rate,
        )
        summary = "See which account the payment came to"
        wanted = await self._calls.zoho_read(CreditActivities.find_account, wanted, summary)

        async def write(after: int) -> PaidOut:
            return await self._calls.zoho_write(
                CreditActivities.pay_out,
                wanted.model_copy(update={"after": after}),
                f"Book that {refund.money} went back",
            )

        async def look() -> PaidOut | None:
            return await self.paid(note)

        there = await look() if note.status == "closed" else None
        if there and workflow.patched(contract.THEIRS_STAYS):
            return there
        self._undo.register(UndoKind.DELETE_CREDIT_REFUND)
        return there or await self._calls.settle(write, look, "refund of the credit note")

    async def find_note(self, voided: str = "") -> CreditWritten | None:
        """The refund's credit note by its reference, None for none; closes what waits for `voided` to be so."""
        query = CreditQuery(**dict(self._ref), document_id=voided)
        summary = f"Look for a credit note of {self._ref.refund_id}"
        return await self._calls.zoho_read(CreditActivities.find_credit_note, query, summary)

    async def standing(self) -> CreditWritten | None:
        """The refund's credit note, a slow write of it too; None where none stands."""
        return await self._calls.look_twice(self.find_note, "credit note")

    async def take_back(self, note: CreditWritten | None) -> str:
        """No credit note of the refund stands any more; what was taken back, "" where nothing stood."""
        if note is None:
            return ""
        await self.unpay(note)
        await self._void(CreditDocument(**dict(self._ref), creditnote_id=note.creditnote_id), note)
        return f"credit note {note.number}"

    async def unpay(self, note: CreditWritten, *, late: bool = False) -> bool:
        """The money of the credit note has not gone back; whether that was booked before, or is `late` to show."""
        look = partial(self.paid, note)
        paid = await (self._calls.look_twice(look, "refund of the credit note") if late else look())
        if paid is None:
            return False
        document = CreditDocument(**dict(self._ref), creditnote_id=note.creditnote_id)
        await self._delete_refund(document.model_copy(update={"zoho_refund_id": paid.zoho_refund_id}), note)
        return True

    async def _find_order(self) -> str:
        query = CreditQuery(**dict(self._ref), number=self._number)
        summary = f"Look for sales order {self._number}"
        found = await self._calls.zoho_read(CreditActivities.find_sale, query, summary)
        if found is None:
            raise ApplicationError(
                f"Zoho has no order {self._number}, so this {self._cause} cannot be booked: carry the payment first, "
                f"then retry; or book the {self._cause} by hand and skip",
                type="NotCarried",
                non_retryable=True,
            )
        return found.salesorder_id

    async def paid(self, note: CreditWritten, deleted: str = "") -> PaidOut | None:
        """What went back of the credit note, as booked in Zoho; None where nothing did."""
        wanted = CreditDocument(**dict(self._ref), creditnote_id=note.creditnote_id, zoho_refund_id=deleted)
        summary = f"See what went back of credit note {note.number}"
        return await self._calls.zoho_read(CreditActivities.find_paid_out, wanted, summary)

    async def _delete_refund(self, wanted: CreditDocument, note: CreditWritten) -> None:
        async def write(after: int) -> StepDone:
            return await self._calls.zoho_undo(
                CreditActivities.delete_credit_refund,
                wanted.model_copy(update={"after": after}),
                f"Delete the refund of credit note {note.number}",
            )

        async def look() -> StepDone | None:
            return None if await self.paid(note, wanted.zoho_refund_id) else StepDone()

        await self._calls.settle(write, look, "undo")
        _gone(await look())

    async def _void(self, wanted: CreditDocument, note: CreditWritten) -> None:
        async def write(after: int) -> StepDone:
            return await self._calls.zoho_undo(
                CreditActivities.void_credit_note,
                wanted.model_copy(update={"after": after}),
                f"Void credit note {note.number}",
            )

        async def look() -> StepDone | None:
            return None if await self.find_note(wanted.creditnote_id) else StepDone()

        await self._calls.settle(write, look, "undo")
        _gone(await look())


def _gone(seen: StepDone | None) -> None:
    if seen is None:
        raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)
