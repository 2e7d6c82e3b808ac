"""What a lost dispute does to the books, by policy, and how that is taken back when the money returns."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.credits import CreditWritten, Sold
    from domain.disputes import DisputeLoss, DisputeRef
    from domain.money import Money
    from domain.policy import DisputeLost, Restock
    from domain.refunds import RefundRef
    from domain.runs import UndoKind
    from workflows import contract
    from workflows.calls import Calls
    from workflows.compensation import UndoStack
    from workflows.crediting import Crediting
    from workflows.notes_by_hand import NotesByHand
    from workflows.writing_off import WritingOff

# What takes a booked loss back, in the order of the steps.
BOOKED = (
    UndoKind.VOID_CREDIT_NOTE,
    UndoKind.DELETE_CREDIT_REFUND,
    UndoKind.RESTORE_PAYMENT,
    UndoKind.CANCEL_WRITE_OFF,
)


@dataclass(frozen=True)
class Booked:
    """What was booked, in words and by its ids."""

    said: str
    creditnote_id: str = ""
    number: str = ""
    zoho_refund_id: str = ""
    written_off: str = ""


class Losing:
    """One lost dispute's documents. `number` is the number of the payment's order.

    `stood`: whether something was seen to stand that is taken back, also where that came to no end.
    """

    def __init__(self, calls: Calls, ref: DisputeRef, number: str, undo: UndoStack, *, before: bool = False) -> None:
        refund = RefundRef(**ref.model_dump(exclude={"dispute_id"}), refund_id=ref.dispute_id)
        # Of a dispute from before somebody may have entered the credit note, which is theirs to take back.
        self._theirs = NotesByHand(calls, refund, number, cause="dispute") if before else None
        self.crediting = Crediting(calls, refund, number, undo, cause="dispute")
        self._writing = WritingOff(calls, ref, number, undo)
        self._policy = calls.policy
        self._undo = undo
        self._number = number
        self.stood = False

    async def book(self, loss: DisputeLoss) -> Booked:
        """The loss by policy, where the sale stands. ApplicationErrors ask a person.

        `DisputeLost`: refunds have given back so much that the sale has less left than the bank took.
        """
        refund = loss.refund
        if loss.left < refund.money:
            raise ApplicationError(
                f"the dispute is lost and {refund.money} are gone, but {refund.captured - loss.left} of "
                f"{refund.captured} were given back before: only {loss.left} of the sale are left to book. Book the "
                "loss by hand, then skip, saying what you did",
                type="DisputeLost",
                non_retryable=True,
            )
        sold = await self.crediting.sale(refund)
        if not sold.invoice_id:
            return Booked(await self.crediting.cancel(refund, sold))
        if self._policy.dispute_lost is DisputeLost.WRITE_OFF:
            return await self._write_off(loss, sold)
        return await self._credit(loss, sold)

    async def take_back(self, money: Money) -> str:
        """Nothing of the loss stands any more; what was taken back, "" where nothing stood.

        ApplicationError `UndoFailed` says that it stands.
        """
        try:
            note = await self.crediting.standing()
            self.stood = note is not None
            taken = [await self.crediting.take_back(note)]
            if (written_off := await self._writing.recall(money)) is not None:
                self.stood = True
                taken.append(await self._writing.take_back(written_off))
            elif UndoKind.CANCEL_WRITE_OFF in self._undo.kinds and UndoKind.RESTORE_PAYMENT not in self._undo.kinds:
                why = "we do not remember the payment as it was before the write-off"
                raise ApplicationError(why, type="ChangedByHand", non_retryable=True)
        except (ActivityError, ApplicationError) as error:
            if is_cancelled_exception(error) and workflow.patched(contract.CANCELLED_UNDO):
                raise
            cause = error.cause if isinstance(error, ActivityError) else error
            raise ApplicationError(
                f"what was booked of the lost dispute could not be taken back and still stands: {cause}",
                type="UndoFailed",
                non_retryable=True,
            ) from None
        while self._undo.pop():
            pass
        return " and ".join(filter(None, taken))

    async def is_written_off(self, loss: DisputeLoss) -> bool:
        """Whether the sale's invoice says anything else than that it is paid; asked where nobody remembers."""
        sold = await self.crediting.sale(loss.refund)
        return bool(sold.invoice_id) and not await self._writing.is_paid(sold.invoice_id, loss.refund.money)

    async def _credit(self, loss: DisputeLoss, sold: Sold) -> Booked:
        """Goods that have left are the buyer's: a bank sends nothing back."""
        refund, never = loss.refund, self._policy.restock is Restock.NEVER
        theirs, ours = self._theirs, UndoKind.VOID_CREDIT_NOTE in self._undo.kinds
        if theirs and not ours and (entered := await theirs.find(refund, sold)):
            paid = await theirs.settle(refund, sold, entered)
            said = f"credit note {entered.number}, entered by hand, over {refund.money}"
            return Booked(said, entered.creditnote_id, entered.number, paid.zoho_refund_id)
        lines = self.crediting.lines(refund, sold, Restock.NEVER if never else Restock.WHEN_UNSHIPPED)
        note: CreditWritten = await self.crediting.note(refund, sold, lines)
        paid = await self.crediting.pay_out(refund, sold, note)
        said = f"credit note {note.number} over {refund.money}"
        return Booked(said, note.creditnote_id, note.number, paid.zoho_refund_id)

    async def _write_off(self, loss: DisputeLoss, sold: Sold) -> Booked:
        before = await self._writing.book(loss, sold)
        money = loss.refund.money
        said = f"{money} of order {self._number} were written off"
        if before and before.bank_charges and before.amount == money:
            said += f"; the payment recorded in Zoho is gone, and with it its bank charges of {before.bank_charges}"
        return Booked(said, written_off=sold.invoice_id)
