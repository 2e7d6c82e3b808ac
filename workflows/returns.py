"""A return that somebody entered in Zoho: its money goes back in Stripe, and both sides say the same."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.credits import CreditWritten
    from domain.given_back import ReturnMoney
    from domain.policy import ReturnTrigger
    from domain.refunds import FetchedRefund
    from domain.returns import ReturnInput, ReturnResult, ReturnSeen
    from domain.runs import Stage
    from workflows import contract
    from workflows.giving_back import GivesBack
    from workflows.return_books import Owed, ReturnBooks, by_hand
    from workflows.returning import Received

_REFUND, _BEFORE = "refund", "received_before"


@workflow.defn(name=contract.RETURN_WORKFLOW)
class ReturnWorkflow(GivesBack[ReturnSeen]):
    """One run a return; its id is Zoho's. What it hears is a hint: it reads the return, and its payment in Stripe.

    It waits for what the policy names, gives the money back once, waits until Stripe says that it arrived, and writes
    what Zoho lacks: credit note, receive, refund of the credit note. A refund that fails later starts it again.
    """

    _skippable = ("receive", "mark")

    @workflow.init
    def __init__(self, start: ReturnInput) -> None:
        super().__init__(start, start.return_id)

    @workflow.run
    async def run(self, start: ReturnInput) -> ReturnResult:
        """From "it comes back" to "the buyer has the money, and the books say so"."""
        try:
            await self._wait_for_answer()
            seen = await self._look()
            if why := await self._find_payment(seen):
                return await self._close(Stage.REFUSED, why)
            seen = await self._wait_for_trigger(seen)
            await self._take_turn()
            money = await self._money_of(seen)
            if seen.ended:
                return await self._close(Stage.REFUSED, f"nothing went back: {seen.ended}")
            return await self._carry(seen, money)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _read(self) -> ReturnSeen:
        return await self._returning.read(before=self._received.before)

    async def _find_payment(self, seen: ReturnSeen) -> str:
        """Finds the payment that the return's order was written for; why there is none of ours, "" where there is."""
        self._step = "payment"
        if self._start.payment_id:
            return ""
        if seen.ended or not seen.salesorder_id:
            return f"nothing went back: {seen.ended or 'it names no order'}"
        return await self._find_payment_of(seen.salesorder_id, f"return {seen.number}")

    async def _wait_for_trigger(self, seen: ReturnSeen) -> ReturnSeen:
        """The return once the policy's trigger has come, or it has ended; looked at ever more rarely."""
        pause = self._policy.look_every
        # Once money has gone back, and did not arrive, it waits for a person only.
        while not (seen.ended or self._corrected or seen.triggers(self._policy.trigger) or await self._gave(seen)):
            self._step = "trigger"
            if self._stage is not Stage.WAITING_FOR_RETURN:
                self._reach(Stage.WAITING_FOR_RETURN, note=f"waits for {_WAITS[self._policy.trigger]}", index=True)
            await self._hear(pause.total_seconds(), "Look at the return again")
            pause = min(2 * pause, self._policy.look_at_most)
            seen = await self._look()
        return seen

    async def _gave(self, seen: ReturnSeen) -> bool:
        """Whether money went back already, so that the trigger counts no more; asks where it did not arrive."""
        if not (_REFUND in self._found or self._failures) or not workflow.patched(contract.MONEY_FIRST):
            return False
        await self._turn()
        money = await self._money_of(seen)
        if not money.refund_id:
            await self._end_turn()
        return bool(money.refund_id)

    async def _carry(self, seen: ReturnSeen, money: ReturnMoney) -> ReturnResult:
        """Money, then documents: what went back cannot be called back, what is not written yet can be written."""
        self._step = "sale"
        owed = await self._books.owed(seen, money)
        refund = await self._refund(seen, money, owed)
        self._step = "credit_note"
        note = await self._books.credit_note(refund, owed)
        self._reach(Stage.CREDITED, creditnote=note.creditnote_id)
        if self._policy.receive and self._begin("receive"):
            self._found.setdefault(_BEFORE, ",".join(seen.receives))
            received = await self._books.receive(seen, refund, self._received)
            self._found |= {"receive": received} if received else {}
        self._step = "pay_out"
        self._found["credit_refund"] = await self._books.pay_out(refund, owed, note, money.unpaid)
        if self._begin("mark"):
            await self._books.mark(seen, refund, note, money.unpaid)
        said = f"return {seen.number} · {refund.refund_id} over {refund.money} · credit note {note.number}"
        return await self._close(Stage.CREDITED, said, refund, note)

    async def _take_out(self, seen: ReturnSeen, refund_id: str, money: ReturnMoney) -> None:
        await self._books.take_out(seen, refund_id, money.unpaid)

    async def _undo_books(self, money: ReturnMoney) -> list[str]:
        return await self._books.take_back(money, self._received)

    @property
    def _received(self) -> Received:
        known, before = (_ids(self._found.get(name)) for name in ("receive", _BEFORE))
        return Received(known=known or (), before=before)

    async def _may_go_back(self, seen: ReturnSeen, money: ReturnMoney, owed: Owed) -> None:
        """Refuses what was settled elsewhere or is more than is left; asks a second person above the limit."""
        if owed.note and owed.note.status == "closed" and not await self._was_paid_out(owed.note):
            raise by_hand(
                f"credit note {owed.note.number} of return {seen.number} was settled in Zoho already, and this run did "
                "not give the money back"
            )
        self._enough_left(money, owed.total, f"return {seen.number}")
        agreed = self._start.carried.approved
        if self._policy.needs_approval(owed.total) and (agreed is None or agreed < owed.total):
            why = f"{owed.total} for return {seen.number} is above the limit: somebody else has to agree first"
            self._ask_approval(seen.requester, why)

    async def _was_paid_out(self, note: CreditWritten) -> bool:
        """Whether the policy lets a paid out credit note give money back, and this one was paid out."""
        if self._policy.trigger is not ReturnTrigger.CREDIT_NOTE_REFUND:
            return False
        return await self._books.crediting("").paid(note) is not None

    async def _close(
        self, stage: Stage, said: str, refund: FetchedRefund | None = None, note: CreditWritten | None = None
    ) -> ReturnResult:
        return ReturnResult(return_id=self._zoho_id, **await self._end(stage, said, refund, note))

    @property
    def _books(self) -> ReturnBooks:
        return ReturnBooks(self._calls, self._case, self._undo)


def _ids(found: str | None) -> tuple[str, ...] | None:
    """Ids with commas between; None where nothing was said of them."""
    return None if found is None else tuple(filter(None, found.split(",")))


_WAITS = {
    ReturnTrigger.OFF: "its goods to be received in Zoho",
    ReturnTrigger.CREDIT_NOTE_REFUND: "its credit note to be paid out in Zoho",
    ReturnTrigger.CREDIT_NOTE: "a credit note of it in Zoho",
    ReturnTrigger.RECEIVED: "its goods to be received in Zoho",
    ReturnTrigger.APPROVED: "its approval in Zoho",
}
