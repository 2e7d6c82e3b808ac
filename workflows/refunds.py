"""A refund made in Stripe, carried to Zoho as a credit note, and taken back there where it fails."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.messages import MessageActivities
    from activities.proposals import ProposalActivities
    from activities.refunds import RefundActivities
    from activities.return_polls import ReturnPollActivities
    from domain.changes import reopens
    from domain.credits import CreditWritten, Sold
    from domain.notices import NotifyInput
    from domain.policy import CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY
    from domain.refunds import (
        FetchedRefund,
        MarkInput,
        RefundInput,
        RefundRef,
        RefundResult,
        RefundStatus,
    )
    from domain.return_polls import TellReturn
    from domain.returns import ReturnEvent
    from domain.runs import PaymentEvent, Stage, UndoKind
    from workflows import contract
    from workflows.attended import Attended
    from workflows.crediting import Crediting
    from workflows.notes_by_hand import NotesByHand

# A step, and what was found there: the credit note that somebody else entered, which is theirs to take back.
_BY_HAND = "by_hand"
# What takes a booked refund back, in the order of the steps.
_BOOKED = (UndoKind.VOID_CREDIT_NOTE, UndoKind.DELETE_CREDIT_REFUND, UndoKind.UNMARK_REFUND)


@workflow.defn(name=contract.REFUND_WORKFLOW)
class RefundWorkflow(Attended):
    """One run a refund; its id is the refund's. It reads from Stripe what is true, and makes Zoho say the same.

    It waits until the refund has settled and until nobody else writes the payment's documents. A refund that fails
    after its run has closed starts another run of the same id, which takes the credit note back.
    """

    _skippable = ("sale", "by_hand", "mark")

    @workflow.init
    def __init__(self, start: RefundInput) -> None:
        super().__init__(start)
        self._refund_id = start.refund_id
        self._heard = 0
        self._handed_over = False
        self._ref = self._ref.model_copy(update={"change": start.refund_id})

    @workflow.run
    async def run(self, start: RefundInput) -> RefundResult:
        """From "money goes back" to "the books say so"."""
        try:
            await self._wait_for_answer()
            refund = await self._wait_until_settled()
            if self._handed_over:
                return await self._hand_over(refund)
            await self._take_turn()
            if refund.status is RefundStatus.FAILED:
                return await self._reopen(refund)
            return await self._credit(refund)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    @workflow.signal(name=contract.REFUND_EVENT)
    def refund_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this refund; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_settled(self) -> FetchedRefund:
        """The refund once Stripe says that it arrived or failed; `refund_patience` is for one that does neither."""
        self._step = "settle"
        deadline = workflow.now() + self._start.policy.refund_patience
        while True:
            self._heard = heard = len(self._events)
            refund = await self._fetch()
            returned = bool(refund.return_id) and workflow.patched(contract.RETURN_RUNS)
            self._handed_over = returned or bool(refund.adjustment_id)
            if self._handed_over or refund.status is not RefundStatus.PENDING:
                return refund
            self._reach(Stage.WAITING_FOR_MONEY, note="Stripe says pending", index=True)
            try:
                await workflow.wait_condition(
                    partial(self._hears_more, heard),
                    timeout=max((deadline - workflow.now()).total_seconds(), 0),
                    timeout_summary="Ask a person when the refund has not settled by then",
                )
            except TimeoutError:
                raise ApplicationError(
                    f"Stripe still says pending of {self._refund_id}; look at it there, then retry",
                    type="RefundPending",
                    non_retryable=True,
                ) from None

    async def _hand_over(self, refund: FetchedRefund) -> RefundResult:
        """The run of the return or adjustment that it was made for books it, and takes it back where it failed."""
        self._step = "hand_over"
        said, failed = f"{refund.refund_id} {refund.status.value}", refund.status is RefundStatus.FAILED
        event = ReturnEvent(source="refund", said=said, payment_id=refund.payment_id, failed=failed)
        about, case_id = _made_for(refund), refund.return_id or refund.adjustment_id
        tell = ReturnPollActivities.tell_return if refund.return_id else ProposalActivities.tell_proposal
        wanted = TellReturn(connection=self._ref.connection, return_id=case_id, event=event, again=failed)
        await self._calls.write(tell, wanted, f"Tell the run of {about}")
        self._reach(Stage.CREDITED, note=f"the run of {about} books it", index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if any(reopens(event.type, event.changed) for event in self._events[self._heard :]):
            self._continue(reminders=0)
        return self._result(refund, Stage.CREDITED)

    async def _fetch(self) -> FetchedRefund:
        summary = f"Read {self._refund_id} from Stripe"
        refund = await self._calls.read(RefundActivities.fetch_refund, self._refund, summary)
        self._total = refund.money
        self._ref = self._ref.model_copy(update={"round": refund.round})
        return refund

    async def _take_turn(self) -> None:
        self._step = "turn"
        await self._calls.read(ChangeActivities.take_turn, self._ref, "Wait until nobody else writes its documents")

    async def _credit(self, refund: FetchedRefund) -> RefundResult:
        """The credit note and its refund, where the sale stands."""
        self._step = "sale"
        if self._step in self._start.carried.skipped:
            return await self._close(refund, Stage.CREDITED, "nothing was booked: left to a person")
        crediting = self._crediting()
        if others := _not_ours(refund):
            return await self._close(refund, Stage.CREDITED, others)
        sold = await crediting.sale(refund)
        if not sold.invoice_id:
            return await self._close(refund, Stage.CREDITED, await crediting.cancel(refund, sold))
        note = await self._by_hand(refund, sold) or await self._write(refund, sold)
        await self._mark(note)
        return await self._close(refund, Stage.CREDITED, f"credit note {note.number} over {refund.money}", note)

    async def _by_hand(self, refund: FetchedRefund, sold: Sold) -> CreditWritten | None:
        """The credit note of a refund from before that somebody entered; a live refund's is seen with its order alone.

        It stays as it is, whatever becomes of the run, and only what it lacks is booked: that the money went back.
        """
        ours = UndoKind.VOID_CREDIT_NOTE in self._undo.kinds
        if ours or not self._start.backfilled or _BY_HAND in self._start.carried.skipped:
            return None
        self._step = _BY_HAND
        theirs = self._notes_by_hand()
        note = await theirs.find(refund, sold)
        if note is not None:
            self._found[_BY_HAND] = note.creditnote_id
            self._notes.append(f"credit note {note.number} was entered by hand and is taken as this refund's")
            await theirs.settle(refund, sold, note)
        return note

    async def _write(self, refund: FetchedRefund, sold: Sold) -> CreditWritten:
        self._step = "sale"
        crediting = self._crediting()
        lines = crediting.lines(refund, sold, self._start.policy.restock)
        self._step = _BY_HAND
        if self._step not in self._start.carried.skipped and not sold.noted:
            self._notes_by_hand().see(refund, sold)
        self._step = "credit_note"
        note = await crediting.note(refund, sold, lines)
        self._reach(Stage.CREDITED, creditnote=note.creditnote_id)
        self._step = "pay_out"
        paid = await crediting.pay_out(refund, sold, note)
        self._found["credit_refund"] = paid.zoho_refund_id
        return note

    async def _mark(self, note: CreditWritten) -> None:
        self._step = "mark"
        if self._step in self._start.carried.skipped:
            return
        metadata = {CREDIT_NOTE_ID_KEY: note.creditnote_id, CREDIT_NOTE_NUMBER_KEY: note.number}
        wanted = MarkInput(**dict(self._refund), metadata=metadata)
        self._undo.register(UndoKind.UNMARK_REFUND)
        summary = f"Write credit note {note.number} into the refund's metadata"
        await self._calls.write(RefundActivities.mark_refund, wanted, summary)

    async def _unmark(self) -> None:
        keys = dict.fromkeys((CREDIT_NOTE_ID_KEY, CREDIT_NOTE_NUMBER_KEY), "")
        wanted = MarkInput(**dict(self._refund), metadata=keys)
        summary = "Take the credit note out of the refund's metadata"
        await self._calls.write(RefundActivities.unmark_refund, wanted, summary)

    async def _reopen(self, refund: FetchedRefund) -> RefundResult:
        """The money is with us again: what said that it went back is taken back."""
        self._step = "reopen"
        begun = bool(self._undo.kinds)
        # First of all, so that a cancelled run takes back as well; told again after an answer, what is left to do.
        if not begun:
            self._register_booked()
        note = await self._crediting().standing()
        undone = await self._backwards(note) if begun or note is not None else ""
        why = f"the refund failed in Stripe ({refund.reason or 'no reason given'})"
        said = f"{why}: {undone or 'nothing'} was taken back"
        if refund.cancelled:
            said += f"; order {self._number} was voided for it and stays void: refund again, or sell anew"
        return await self._close(refund, Stage.REOPENED, said)

    async def _close(
        self, refund: FetchedRefund, stage: Stage, note: str, written: CreditWritten | None = None
    ) -> RefundResult:
        self._step = "close"
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")
        message = f"{self._refund_id} of {self._start.payment_id} · {refund.money} · {note}"
        notice = NotifyInput(**dict(self._ref) | {"round": 0}, message=message, about=stage.value)
        if not self._start.backfilled:
            await self._calls.tell(MessageActivities.notify_refund, notice, "Tell people what became of the refund")
        self._reach(stage, note=note, index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        news = any(reopens(event.type, event.changed) for event in self._events[self._heard :])
        if news and stage is Stage.CREDITED:
            self._continue(reminders=0)  # told since Stripe was read: it is read again; what failed stays failed
        return self._result(refund, stage, written)

    def _result(self, refund: FetchedRefund, stage: Stage, written: CreditWritten | None = None) -> RefundResult:
        return RefundResult(
            refund_id=self._refund_id,
            payment_id=self._start.payment_id,
            stage=stage,
            creditnote_id=written.creditnote_id if written else "",
            number=written.number if written else "",
            zoho_refund_id=self._found.get("credit_refund", ""),
            money=refund.money,
            notes=tuple(self._notes),
        )

    async def _undone(self) -> str:
        """Take credit note and refund back; the money is not ours to fetch.

        Where the refund failed, what was booked earlier goes as well: a run that is cancelled leaves the books true.
        """
        if self._undo.kinds and workflow.patched(contract.CAREFUL_UNDO):
            await self._take_turn()  # others may have written while a person was asked
            self._step = "undo"
        elif not self._undo.kinds and (await self._fetch()).status is RefundStatus.FAILED:
            self._register_booked()
        theirs = _BY_HAND in self._found
        note = await self._crediting().standing() if self._undo.kinds and not theirs else None
        undone = await self._backwards(note) if self._undo.kinds else ""
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")
        return f"taken back: {undone or 'nothing had been written'}; the buyer has {self._total or 'the money'}"

    def _register_booked(self) -> None:
        for kind in _BOOKED:
            self._undo.register(kind)

    async def _backwards(self, note: CreditWritten | None) -> str:
        """What was taken back, the last step first. ApplicationError `UndoFailed` says what stands."""
        try:
            if UndoKind.UNMARK_REFUND in self._undo.kinds:
                await self._unmark()
                self._undo.pop()  # it is the last of them
            undone = await self._crediting().take_back(note)
        except (ActivityError, ApplicationError) as error:
            if is_cancelled_exception(error) and workflow.patched(contract.CANCELLED_UNDO):
                raise
            cause = error.cause if isinstance(error, ActivityError) else error
            raise ApplicationError(
                f"the credit note of {self._refund_id} could not be taken back and still stands: {cause}",
                type="UndoFailed",
                non_retryable=True,
            ) from None
        while self._undo.pop():
            pass
        return undone

    async def _let_go(self) -> None:
        """A refund reserves no goods."""

    def _crediting(self) -> Crediting:
        return Crediting(self._calls, self._refund, self._number, self._undo)

    def _notes_by_hand(self) -> NotesByHand:
        return NotesByHand(self._calls, self._refund, self._number)

    @property
    def _refund(self) -> RefundRef:
        return RefundRef(**dict(self._ref), refund_id=self._refund_id)

    @property
    def _number(self) -> str:
        return contract.business_ids(self._start.payment_id)[1]

    def _ids(self) -> list[str]:
        return [*super()._ids(), self._refund_id]


def _not_ours(refund: FetchedRefund) -> str:
    """Why there is nothing for this run to book, "" where there is."""
    if not refund.captured:
        return "the money was authorised only: nothing to credit"
    if refund.gone:
        return "its order was deleted in Zoho: nothing to credit"
    made_for = _made_for(refund)
    return f"made for {made_for}, whose own run books it" if made_for else ""


def _made_for(refund: FetchedRefund) -> str:
    """The return or the adjustment that the refund was made for, in words; "" for none."""
    if refund.return_id:
        return f"return {refund.return_id}"
    return f"adjustment {refund.adjustment_id}" if refund.adjustment_id else ""
