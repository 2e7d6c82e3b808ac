"""What a return comes to, and its documents on both sides: written once each, and taken back."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.refunds import RefundActivities
    from domain.credits import CreditLine, CreditWritten, Sold, returned_lines
    from domain.given_back import ReturnMoney, counted
    from domain.money import Money
    from domain.numbers import order_number
    from domain.pieces import is_all, pieces_of
    from domain.policy import CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY, ReturnShipping
    from domain.refunds import FetchedRefund, MarkInput, RefundRef, RefundStatus
    from domain.returns import ReturnRef, ReturnSeen
    from domain.runs import UndoKind
    from workflows import contract
    from workflows.calls import Calls
    from workflows.compensation import UndoStack
    from workflows.crediting import Crediting
    from workflows.returning import Received, Returning


@dataclass(frozen=True)
class Owed:
    """What a return comes to: `total`, by `lines` of a credit note to be written, or by the `note` that is there."""

    sold: Sold
    total: Money
    lines: tuple[CreditLine, ...] = ()
    note: CreditWritten | None = None


class ReturnBooks:
    """The books of one return whose payment is known."""

    def __init__(self, calls: Calls, ref: ReturnRef, undo: UndoStack) -> None:
        self._calls = calls
        self._ref = ref
        self._undo = undo
        self._returning = Returning(calls, ref, undo)

    async def owed(self, seen: ReturnSeen, money: ReturnMoney) -> Owed:
        """What the pieces were paid with, or what the credit note says that somebody wrote.

        ApplicationError `ChangedByHand` where Zoho does not tell.
        """
        if len(seen.standing) > 1 and workflow.patched(contract.ONE_NOTE):
            named = ", ".join(f"{note.number} over {note.total}" for note in seen.standing)
            raise by_hand(f"return {seen.number} has several credit notes, {named}, and one return has one")
        sold = await self.crediting("").sale_of(seen.salesorder_id, money.captured, workflow.now())
        if not sold.invoice_id:
            raise by_hand(f"Zoho has no invoice of the order of return {seen.number}")
        lines: tuple[CreditLine, ...] = ()
        try:
            if seen.note:
                total = Money.from_decimal(seen.note.total, money.captured.currency)
            else:
                lines = await self._lines(seen, money, sold)
                total = Money(minor=sum(line.gross.minor for line in lines), currency=money.captured.currency)
        except ValueError as error:
            raise by_hand(str(error)) from None
        if total.minor <= 0:
            raise by_hand(f"return {seen.number} comes to {total}")
        return Owed(sold, total, lines, _note_of(seen))

    async def credit_note(self, refund: FetchedRefund, owed: Owed) -> CreditWritten:
        """The credit note that is there, or one that is written now."""
        if owed.note is not None:
            return owed.note
        crediting = self.crediting(refund.refund_id, refund.round)
        return await crediting.note(refund, owed.sold, owed.lines, return_id=self._ref.return_id)

    async def receive(self, seen: ReturnSeen, refund: FetchedRefund, received: Received) -> str:
        """Nothing that can be received is missing; what was received now, by Zoho's ids with commas between."""
        return ",".join(await self._returning.receive(seen, refund, received.before or ()))

    async def pay_out(self, refund: FetchedRefund, owed: Owed, note: CreditWritten, attempt: int) -> str:
        """Books that the money of the credit note went back, anew each time it was taken out; Zoho's id of it."""
        paid = await self.crediting(refund.refund_id, refund.round + attempt).pay_out(refund, owed.sold, note)
        return paid.zoho_refund_id

    async def mark(self, seen: ReturnSeen, refund: FetchedRefund, note: CreditWritten, attempt: int) -> None:
        """Each side names the other's documents, anew each time the money was taken out of the books."""
        metadata = {CREDIT_NOTE_ID_KEY: note.creditnote_id, CREDIT_NOTE_NUMBER_KEY: note.number}
        wanted = MarkInput(**dict(self._refund(refund.refund_id, refund.round + attempt)), metadata=metadata)
        self._undo.register(UndoKind.UNMARK_REFUND)
        summary = f"Write credit note {note.number} into the refund's metadata"
        await self._calls.write(RefundActivities.mark_refund, wanted, summary)
        await self._tell_zoho(seen, refund.refund_id, RefundStatus.SUCCEEDED)

    async def take_out(self, seen: ReturnSeen, refund_id: str, attempt: int) -> None:
        """The money is with us again: the credit note stands, for the goods are back, and is not paid out."""
        if note := _note_of(seen):
            await self.crediting(refund_id, attempt).unpay(note)
            await self._tell_zoho(seen, refund_id, RefundStatus.FAILED)

    async def take_back(self, money: ReturnMoney, received: Received) -> list[str]:
        """Undoes what the run wrote, last first, and what it `received`; what that was, in words."""
        undone: list[str] = []
        while self._undo.kinds:
            undone.append(await self._take_back(self._undo.kinds[-1], money, received))
            self._undo.pop()
        return [said for said in undone if said]

    def crediting(self, refund_id: str, round: int = 0) -> Crediting:
        """The documents of one of the return's refunds."""
        return Crediting(self._calls, self._refund(refund_id, round), order_number(self._ref.payment_id), self._undo)

    async def _lines(self, seen: ReturnSeen, money: ReturnMoney, sold: Sold) -> tuple[CreditLine, ...]:
        """The lines of the credit note; ValueError says what does not fit the sale."""
        earlier = [await self._returning.read(other) for other in money.before]
        told = {note.creditnote_id for one in (seen, *earlier) for note in one.notes}
        others = await self.crediting("").credited(note for note in sold.notes if note not in told)
        pieces = pieces_of(seen, earlier, sold, counted(others, money))
        shipping = self._calls.policy.returns.shipping is ReturnShipping.WITH_ALL and is_all([*earlier, seen], sold)
        return returned_lines(sold, money.captured, pieces, shipping=shipping)

    async def _tell_zoho(self, seen: ReturnSeen, refund_id: str, status: RefundStatus) -> None:
        """The return says its refund; so does a credit note that was not written with it."""
        await self._returning.mark(seen, refund_id, status)
        # One that this run wrote, before somebody was asked, says its refund already.
        if (note := _note_of(seen)) and UndoKind.VOID_CREDIT_NOTE not in self._undo.kinds:
            await self._returning.comment(self._refund(refund_id), note, status)

    async def _take_back(self, kind: UndoKind, money: ReturnMoney, received: Received) -> str:
        if kind is UndoKind.UNMARK_REFUND:
            keys = dict.fromkeys((CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY), "")
            wanted = MarkInput(**dict(self._refund(money.latest, money.times)), metadata=keys)
            summary = "Take the credit note out of the refund's metadata"
            await self._calls.write(RefundActivities.unmark_refund, wanted, summary)
            return ""
        if kind is UndoKind.DELETE_RECEIVE:
            return await self._returning.unreceive(received)
        if kind is UndoKind.VOID_CREDIT_NOTE and workflow.patched(contract.CAREFUL_UNDO):
            return await self._void_own(money)
        note = _note_of(await self._returning.read())
        if note is None:
            return ""
        crediting = self.crediting(money.latest, money.unpaid)
        if kind is UndoKind.VOID_CREDIT_NOTE:
            return await crediting.take_back(note)
        unpaid = await crediting.unpay(note, late=workflow.patched(contract.CAREFUL_UNDO))
        return f"the refund of credit note {note.number}" if unpaid else ""

    async def _void_own(self, money: ReturnMoney) -> str:
        """The credit note that names a refund of ours is void; one that somebody else wrote for the return stays."""
        for refund_id in money.made:
            crediting = self.crediting(refund_id, money.unpaid)
            if note := await crediting.standing():
                return await crediting.take_back(note)
        return ""

    def _refund(self, refund_id: str, round: int = 0) -> RefundRef:
        about = self._ref.model_dump(exclude={"return_id", "named_by"}) | {"round": round}
        return RefundRef(**about, refund_id=refund_id)


def by_hand(what: str) -> ApplicationError:
    """Nobody but a person can tell what is right."""
    why = f"{what}: put the return right in Zoho, then retry; or see to it by hand, then abort"
    return ApplicationError(why, type="ChangedByHand", non_retryable=True)


def _note_of(seen: ReturnSeen) -> CreditWritten | None:
    """The credit note that is there already."""
    if seen.note is None:
        return None
    return CreditWritten(creditnote_id=seen.note.creditnote_id, number=seen.note.number, status=seen.note.status)
