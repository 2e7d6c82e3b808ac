"""What an adjustment's pieces were paid with, and the documents of the refund it proposes: written once, taken back."""

from __future__ import annotations

from decimal import Decimal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.refunds import RefundActivities
    from domain.credits import CreditWritten, Sold, returned_lines
    from domain.given_back import ReturnMoney, counted
    from domain.money import Money
    from domain.numbers import order_number
    from domain.policy import CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY
    from domain.proposals import ProposalSeen, credited_before, proposed_pieces
    from domain.refunds import FetchedRefund, MarkInput, RefundRef
    from domain.returns import ReturnRef
    from domain.runs import UndoKind
    from workflows.calls import Calls
    from workflows.compensation import UndoStack
    from workflows.crediting import Crediting
    from workflows.return_books import Owed
    from workflows.returning import Returning


class ProposalBooks:
    """The books of one adjustment whose payment is known."""

    def __init__(self, calls: Calls, ref: ReturnRef, undo: UndoStack) -> None:
        self._calls = calls
        self._ref = ref
        self._undo = undo

    async def owed(self, order_id: str, seen: ProposalSeen, money: ReturnMoney) -> Owed:
        """What the pieces were paid with. ValueError says what does not fit the order."""
        sold = await self._crediting("").sale_of(order_id, money.captured, workflow.now())
        if not sold.invoice_id:
            raise ValueError("Zoho has no invoice of the order")
        before = await self._before(sold, money)
        lines = returned_lines(sold, money.captured, proposed_pieces(seen, sold, before), shipping=False)
        total = Money(minor=sum(line.gross.minor for line in lines), currency=money.captured.currency)
        if not total.minor:
            raise ValueError("nobody paid for these pieces")
        return Owed(sold, total, lines)

    async def credit_note(self, refund: FetchedRefund, owed: Owed) -> CreditWritten:
        """The credit note, which returns nothing to stock: the adjustment has."""
        crediting = self._crediting(refund.refund_id, refund.round)
        return await crediting.note(refund, owed.sold, owed.lines, adjustment_id=self._ref.return_id)

    async def pay_out(self, refund: FetchedRefund, owed: Owed, note: CreditWritten) -> str:
        """Books that the money of the credit note went back; Zoho's id of it."""
        return (await self._crediting(refund.refund_id, refund.round).pay_out(refund, owed.sold, note)).zoho_refund_id

    async def mark(self, refund: FetchedRefund, note: CreditWritten) -> None:
        """The refund names its credit note; the note names refund and adjustment since it was written."""
        metadata = {CREDIT_NOTE_ID_KEY: note.creditnote_id, CREDIT_NOTE_NUMBER_KEY: note.number}
        wanted = MarkInput(**dict(self._refund(refund.refund_id, refund.round)), metadata=metadata)
        self._undo.register(UndoKind.UNMARK_REFUND)
        summary = f"Write credit note {note.number} into the refund's metadata"
        await self._calls.write(RefundActivities.mark_refund, wanted, summary)

    async def take_out(self, refund_id: str, money: ReturnMoney) -> str:
        """No credit note of the refund stands, and it names none; what was taken back, in words."""
        crediting = self._crediting(refund_id)
        if note := await crediting.standing():
            await self._unmark(refund_id, money.times)
        return await crediting.take_back(note)

    async def take_back(self, money: ReturnMoney) -> list[str]:
        """Undoes what the run wrote, last first; what that was, in words."""
        # Of one that failed while a person was asked the note stands, too.
        said = await self.take_out(money.latest, money) if money.latest and self._undo.kinds else ""
        while self._undo.pop():
            pass
        return [said] if said else []

    async def _unmark(self, refund_id: str, times: int) -> None:
        keys = dict.fromkeys((CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY), "")
        wanted = MarkInput(**dict(self._refund(refund_id, times)), metadata=keys)
        summary = "Take the credit note out of the refund's metadata"
        await self._calls.write(RefundActivities.unmark_refund, wanted, summary)

    async def _before(self, sold: Sold, money: ReturnMoney) -> dict[str, Decimal]:
        """What came back otherwise, by the invoice's lines."""
        returning = Returning(self._calls, self._ref, self._undo)
        # What is entered only counts until our own money has gone back: then we were first.
        entered = () if money.refund_id else sold.returns
        returns = [await returning.read(other) for other in dict.fromkeys((*money.before, *entered))]
        back = [one for one in returns if one.return_id in money.before or not one.ended]
        notes = await self._crediting("").credited(sold.notes)
        return credited_before(sold, back, counted(notes, money))

    def _crediting(self, refund_id: str, round: int = 0) -> Crediting:
        number = order_number(self._ref.payment_id)
        return Crediting(self._calls, self._refund(refund_id, round), number, self._undo)

    def _refund(self, refund_id: str, round: int = 0) -> RefundRef:
        about = self._ref.model_dump(exclude={"return_id", "named_by"}) | {"round": round}
        return RefundRef(**about, refund_id=refund_id)
