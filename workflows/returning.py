"""A return's own documents and its money: who paid, what goes back, what is received, each once, and their way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.credits import CreditActivities
    from activities.returns import ReturnActivities
    from domain.credits import CreditComment, CreditWritten
    from domain.given_back import GiveBackInput, GivenBack, ReturnMoney
    from domain.money import Money
    from domain.policy import CREDIT_NOTE_ID_KEY
    from domain.refunds import FetchedRefund, RefundRef
    from domain.returns import (
        ReceiveDocument,
        ReceiveInput,
        ReceiveWritten,
        ReturnedPayment,
        ReturnQuery,
        ReturnRef,
        ReturnSeen,
        StatusInput,
        TraceInput,
    )
    from domain.runs import StepDone, UndoKind
    from workflows import contract
    from workflows.calls import Calls
    from workflows.compensation import UndoStack


@dataclass(frozen=True)
class Received:
    """The receives of a run's own that it knows, and those that were there `before` it came to that; None: it had not
    yet, or was begun by an earlier release.
    """

    known: tuple[str, ...] = ()
    before: tuple[str, ...] | None = None


class Returning:
    """One return at Zoho and at Stripe."""

    def __init__(self, calls: Calls, ref: ReturnRef, undo: UndoStack) -> None:
        self._calls = calls
        self._ref = ref
        self._undo = undo

    async def read(self, other: str = "", *, before: tuple[str, ...] | None = None, deleted: str = "") -> ReturnSeen:
        """The return, or another of the same order; receives that were not there `before` are ours."""
        wanted = ReturnQuery(**dict(self._ref), document_id=other, before=before, deleted=deleted)
        summary = f"Read return {other or self._ref.return_id}"
        return await self._calls.zoho_read(ReturnActivities.read_return, wanted, summary)

    async def payment(self, order_id: str) -> ReturnedPayment:
        """The payment of the return's order: by memory, by the order's own words, by Stripe's metadata."""
        wanted = TraceInput(**dict(self._ref), salesorder_id=order_id)
        known = await self._calls.local(ReturnActivities.remember_payment, wanted, "Look whose payment the order was")
        if known.payment_id:
            return known
        trace = await self._calls.zoho_read(
            ReturnActivities.trace_order, wanted, "See what the order says of its payment"
        )
        asked = wanted.model_copy(update={"candidates": trace.candidates})
        return await self._calls.read(ReturnActivities.identify_payment, asked, "Ask Stripe which payment it is")

    async def money(self) -> ReturnMoney:
        """What the payment brought, and what has gone back of it."""
        summary = f"See what is left of {self._ref.payment_id}"
        return await self._calls.read(ReturnActivities.fetch_return_money, self._ref, summary)

    async def give_back(self, money: Money, note: CreditWritten | None, *, attempt: int, answers: int) -> str:
        """The refund's id. ApplicationError `RefundTooLarge` or `PaymentDisputed` where Stripe will not."""
        metadata = {self._ref.named_by: self._ref.return_id}
        if note:
            metadata[CREDIT_NOTE_ID_KEY] = note.creditnote_id
        wanted = GiveBackInput(**dict(self._ref), money=money, attempt=attempt, answers=answers, metadata=metadata)

        async def write(after: int) -> GivenBack:
            again = wanted.model_copy(update={"after": after})
            return await self._calls.write(ReturnActivities.give_back, again, f"Give {money} back in Stripe")

        async def look() -> GivenBack | None:
            return await self._calls.read(ReturnActivities.find_given_back, wanted, "Look whether the refund was made")

        made = await self._calls.settle(write, look, "refund")
        if made.refused == "disputed":
            raise stop(
                "PaymentDisputed",
                f"the bank disputes {self._ref.payment_id}: giving {money} back now would pay the buyer twice; wait "
                "for the dispute's end and retry, or abort",
            )
        if made.refused:
            raise stop(
                "RefundTooLarge",
                f"Stripe says that {money} is more than is left of {self._ref.payment_id}: see what went back already, "
                "put it right in Zoho, then retry; or abort",
            )
        return made.refund_id

    async def receive(self, seen: ReturnSeen, refund: FetchedRefund, before: tuple[str, ...]) -> tuple[str, ...]:
        """What can be received and was not is in stock again; the receives that this took, by Zoho's id."""
        if not seen.missing():
            return ()
        self._undo.register(UndoKind.DELETE_RECEIVE)
        wanted = ReceiveInput(**dict(self._ref), lines=seen.missing(), at=refund.at)

        async def write(after: int) -> ReceiveWritten:
            again = wanted.model_copy(update={"after": after})
            return await self._calls.zoho_write(ReturnActivities.receive_return, again, f"Receive return {seen.number}")

        async def look() -> ReceiveWritten | None:
            now = await self.read(before=before)
            ours = tuple(one for one in now.receives if one not in before)
            return ReceiveWritten(receive_ids=ours) if now.received else None

        return (await self._calls.settle(write, look, "receive")).receive_ids

    async def unreceive(self, received: Received) -> str:
        """What this run received, as it or our memory knows, is not in stock; which receives those were, in words."""
        found = tuple(dict.fromkeys((*received.known, *await self._own_receives())))
        # One that was on its way when the run was stopped shows late.
        if not found and received.before is not None and workflow.patched(contract.CAREFUL_UNDO):
            found = await self._calls.look_twice(partial(self._look_for_own, received.before), "receive") or ()
        for receive_id in found:
            await self._delete_receive(receive_id)
        return "the receive" if found else ""

    async def _own_receives(self) -> tuple[str, ...]:
        wanted, summary = self._ref, "See what this run received"
        return (await self._calls.read(ReturnActivities.own_receives, wanted, summary)).receive_ids

    async def _look_for_own(self, before: tuple[str, ...]) -> tuple[str, ...] | None:
        await self.read(before=before)
        return await self._own_receives() or None

    async def mark(self, seen: ReturnSeen, refund_id: str, status: str) -> None:
        """The return says its refund, and how that stands."""
        wanted = StatusInput(**dict(self._ref), seen=seen, refund_id=refund_id, status=status)

        async def write(after: int) -> StepDone:
            again, summary = wanted.model_copy(update={"after": after}), f"Write {refund_id} into return {seen.number}"
            return await self._calls.zoho_write(ReturnActivities.mark_return, again, summary)

        async def look() -> StepDone | None:
            summary = f"See whether return {seen.number} says it"
            return await self._calls.zoho_read(ReturnActivities.find_return_mark, wanted, summary)

        await self._calls.settle(write, look, "mark")

    async def comment(self, ref: RefundRef, note: CreditWritten, status: str) -> None:
        """A credit note that was there before says the same in its history."""
        said = f"Stripe refund {ref.refund_id} of payment {ref.payment_id}: {status}"
        wanted = CreditComment(
            **dict(ref), creditnote_id=note.creditnote_id, said=said, about=f"{ref.refund_id}-{status}"
        )

        async def write(after: int) -> StepDone:
            again, summary = wanted.model_copy(update={"after": after}), f"Tell credit note {note.number} of its refund"
            return await self._calls.zoho_write(CreditActivities.comment_credit_note, again, summary)

        async def look() -> StepDone | None:
            summary = f"See whether credit note {note.number} says it"
            return await self._calls.zoho_read(CreditActivities.find_comment, wanted, summary)

        await self._calls.settle(write, look, "comment")

    async def _delete_receive(self, receive_id: str) -> None:
        wanted = ReceiveDocument(**dict(self._ref), receive_id=receive_id)

        async def write(after: int) -> StepDone:
            again = wanted.model_copy(update={"after": after})
            return await self._calls.zoho_undo(ReturnActivities.delete_receive, again, "Take the receive back")

        async def look() -> StepDone | None:
            return None if receive_id in (await self.read(deleted=receive_id)).receives else StepDone()

        await self._calls.settle(write, look, "undo")
        if await look() is None:
            raise stop("UndoFailed", "Zoho says yes, but the receive still stands")


def stop(kind: str, why: str) -> ApplicationError:
    """The run waits for a person, who is told why."""
    return ApplicationError(why, type=kind, non_retryable=True)
