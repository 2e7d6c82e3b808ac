"""A loss written off: the recorded payment lowered by it, what the invoice then wants given up, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.writeoffs import WriteOffActivities
    from domain.credits import Sold
    from domain.disputes import DisputeLoss, DisputeRef
    from domain.documents import ReceiptRecord
    from domain.money import Money
    from domain.runs import PaymentRef, StepDone, UndoKind
    from domain.writeoffs import OweState, WriteOffInput, WriteOffSeen
    from workflows.calls import Calls, Method
    from workflows.compensation import UndoStack
    from workflows.fees import read_record


class WritingOff:
    """One dispute's loss at one invoice. `number` is the number of the payment's order."""

    def __init__(self, calls: Calls, ref: DisputeRef, number: str, undo: UndoStack) -> None:
        self._calls = calls
        self._ref = ref
        self._number = number
        self._undo = undo

    async def book(self, loss: DisputeLoss, sold: Sold, begun: WriteOffInput | None) -> ReceiptRecord | None:
        """Lower the recorded payment, then give up what the invoice wants: just the loss. The payment as it was.

        `begun` is what was recalled of it. ApplicationError `ChangedByHand` where payment or invoice are not as they
        were carried.
        """
        wanted = begun or await self._as_found(loss, sold)
        if wanted.record is not None:
            self._undo.register(UndoKind.RESTORE_PAYMENT)
            await self._lower(wanted)
        self._undo.register(UndoKind.CANCEL_WRITE_OFF)
        if (await self._look(wanted)).state is OweState.OWED:
            await self._write_off(wanted)
        if (await self._look(wanted)).state is not OweState.WRITTEN_OFF:
            raise self._by_hand(f"its invoice does not say that {wanted.money} were written off")
        return wanted.record

    async def recall(self, money: Money) -> WriteOffInput | None:
        """What is, or was to be, written off for this dispute, as we remember it; None where nothing is."""
        summary = "See whether a payment was to be lowered"
        found = await self._calls.read(WriteOffActivities.recall_receipt, self._ref, summary)
        return None if found is None else WriteOffInput(**dict(self._ref), **dict(found), money=money)

    async def stands(self, wanted: WriteOffInput) -> bool:
        """Whether it is written off, and nothing else is owed."""
        return (await self._look(wanted)).state is OweState.WRITTEN_OFF

    async def is_paid(self, invoice_id: str, money: Money) -> bool:
        """Whether nothing is owed of the invoice, and nothing was written off."""
        wanted = WriteOffInput(**dict(self._ref), invoice_id=invoice_id, money=money)
        return (await self._look(wanted)).state is OweState.PAID

    async def take_back(self, wanted: WriteOffInput) -> str:
        """Nothing is written off for the dispute, and the payment is as it was; what was taken back."""
        if (await self._look(wanted)).state is OweState.WRITTEN_OFF:
            await self._undo_once(WriteOffActivities.cancel_write_off, wanted, OweState.OWED, "Cancel the write-off")
        if (await self._look(wanted)).state is OweState.OWED:
            said = f"Record the payment of {self._number} as it was"
            await self._undo_once(WriteOffActivities.restore_payment, wanted, OweState.PAID, said)
        if (await self._look(wanted)).state is not OweState.PAID:
            raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)
        return f"the write-off of {wanted.money}"

    async def _as_found(self, loss: DisputeLoss, sold: Sold) -> WriteOffInput:
        """The recorded payment before anything is lowered, on an invoice that is paid.

        Where just the loss is owed or written off already, a run did that of which we remember nothing, or a person.
        """
        money, payment = loss.refund.money, PaymentRef(**self._ref.model_dump(exclude={"dispute_id"}))
        wanted = WriteOffInput(**dict(self._ref), invoice_id=sold.invoice_id, money=money)
        state = (await self._look(wanted)).state
        if state in (OweState.OWED, OweState.WRITTEN_OFF):
            return wanted
        if state is not OweState.PAID:
            raise self._by_hand("its invoice is not just paid: something of it is owed or written off already")
        record = await read_record(self._calls, payment, sold.zoho_payment_id, money.currency)
        on_it = [share.amount for share in record.shares if share.invoice_id == sold.invoice_id]
        if on_it != [record.amount] or record.amount < money:
            raise self._by_hand(f"its recorded payment over {record.amount} is not all on its invoice")
        wanted = wanted.model_copy(update={"record": record})
        await self._calls.write(WriteOffActivities.keep_receipt, wanted, "Keep the recorded payment as it is")
        return wanted

    async def _lower(self, wanted: WriteOffInput) -> None:
        async def write(after: int) -> StepDone:
            summary = f"Lower the payment of {self._number} by {wanted.money}"
            return await self._calls.zoho_write(
                WriteOffActivities.lower_payment, wanted.model_copy(update={"after": after}), summary
            )

        await self._calls.settle(write, self._reaches(wanted, OweState.OWED), "lowered payment")

    async def _write_off(self, wanted: WriteOffInput) -> None:
        async def write(after: int) -> StepDone:
            summary = f"Write {wanted.money} of {self._number} off"
            return await self._calls.zoho_write(
                WriteOffActivities.write_off, wanted.model_copy(update={"after": after}), summary
            )

        await self._calls.settle(write, self._reaches(wanted, OweState.WRITTEN_OFF), "write-off")

    async def _undo_once(
        self,
        method: Method[WriteOffActivities, WriteOffInput, StepDone],
        wanted: WriteOffInput,
        after_it: OweState,
        summary: str,
    ) -> None:
        async def write(after: int) -> StepDone:
            return await self._calls.zoho_undo(method, wanted.model_copy(update={"after": after}), summary)

        await self._calls.settle(write, self._reaches(wanted, after_it), "undo")

    def _reaches(self, wanted: WriteOffInput, state: OweState) -> Callable[[], Awaitable[StepDone | None]]:
        async def look() -> StepDone | None:
            return StepDone() if (await self._look(wanted)).state is state else None

        return look

    async def _look(self, wanted: WriteOffInput) -> WriteOffSeen:
        summary = f"See what the invoice of {self._number} wants"
        return await self._calls.zoho_read(WriteOffActivities.see_owed, wanted, summary)

    def _by_hand(self, what: str) -> ApplicationError:
        return ApplicationError(
            f"order {self._number}: {what}; write the loss off by hand, then skip",
            type="ChangedByHand",
            non_retryable=True,
        )
