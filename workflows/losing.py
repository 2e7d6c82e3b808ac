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
    from domain.writeoffs import WriteOffInput
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
        self._theirs = NotesByHand(calls, refund, number, cause="dispute")
        self._before = before
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
        if entered := await self._entered(loss, sold):
            return entered
        lines = self.crediting.lines(refund, sold, Restock.NEVER if never else Restock.WHEN_UNSHIPPED)
        note: CreditWritten = await self.crediting.note(refund, sold, lines)
        paid = await self.crediting.pay_out(refund, sold, note)
        said = f"credit note {note.number} over {refund.money}"
        return Booked(said, note.creditnote_id, note.number, paid.zoho_refund_id)

    async def _entered(self, loss: DisputeLoss, sold: Sold) -> Booked | None:
        """The loss as somebody credited it by hand. ApplicationError `CreditByHand` asks about what only may be it."""
        refund = loss.refund
        note: CreditWritten | None = None
        ours = UndoKind.VOID_CREDIT_NOTE in self._undo.kinds
        if sold.named and not ours and _weighs():
            note = self._theirs.named(refund, sold)
        elif self._before and not ours:
            note = await self._theirs.find(refund, sold, loss.opened)
        if note is None:
            if sold.by_hand and not sold.noted and _weighs():
                self._theirs.see(refund, sold)
            return None
        paid = await self._theirs.settle(refund, sold, note)
        said = f"credit note {note.number}, entered by hand, over {refund.money}"
        return Booked(said, note.creditnote_id, note.number, paid.zoho_refund_id)

    async def _write_off(self, loss: DisputeLoss, sold: Sold) -> Booked:
        money, begun = loss.refund.money, await self._writing.recall(loss.refund.money)
        weighs = (self._before or sold.noted or sold.by_hand) and _weighs()
        if weighs and (booked := await self._instead(loss, sold, begun)):
            return booked
        before = await self._writing.book(loss, sold, begun)
        said = f"{money} of order {self._number} were written off"
        if before and before.bank_charges and before.amount == money:
            said += f"; the payment recorded in Zoho is gone, and with it its bank charges of {before.bank_charges}"
        return Booked(said, written_off=sold.invoice_id)

    async def _instead(self, loss: DisputeLoss, sold: Sold, begun: WriteOffInput | None) -> Booked | None:
        """The loss as a credit note that is for it, so that it is not written off as well; None for none.

        ApplicationError `CreditByHand` asks about one that may be it, and about any where the write-off has `begun`.
        """
        if begun is None and not sold.noted:
            return await self._entered(loss, sold)
        if begun is None and await self._writing.is_paid(sold.invoice_id, loss.refund.money):
            return await self._credit(loss, sold)
        if begun is None or not await self._writing.stands(begun):
            self._theirs.refuse(loss.refund, sold)
        return None


def _weighs() -> bool:
    """Whether the run looks at credit notes by hand: one that was begun by an earlier version does not."""
    return workflow.patched(contract.DISPUTES_SEE_NOTES)
