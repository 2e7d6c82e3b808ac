"""A dispute of a payment: people hear of it and of its deadline, goods are held, and a lost one is booked by policy."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.changes import ChangeActivities
    from activities.disputes import DisputeActivities
    from activities.messages import MessageActivities
    from domain.changes import redecides
    from domain.disputes import (
        DisputeInput,
        DisputeLoss,
        DisputeRef,
        DisputeResult,
        DisputeStatus,
        FetchedDispute,
        MovesInput,
        holds,
    )
    from domain.notices import NotifyInput
    from domain.policy import DisputeHold, DisputeLost
    from domain.runs import PaymentEvent, Stage
    from workflows import contract
    from workflows.attended import Attended
    from workflows.holding import Holding
    from workflows.losing import BOOKED, Booked, Losing

_UNDECIDED = (DisputeStatus.INQUIRY, DisputeStatus.OPEN)
_REMINDER = "reminder"
_NOTHING = Booked("")


@workflow.defn(name=contract.DISPUTE_WORKFLOW)
class DisputeWorkflow(Attended):
    """One run a dispute, open until it is decided. It reads from Stripe what is true.

    While it is open, goods that have not left are held by policy. A lost one is booked by policy, once nobody else
    writes the payment's documents. One that is won after all starts another run of the same id, which takes that back.
    """

    _skippable = ("lost", "reopen")

    @workflow.init
    def __init__(self, start: DisputeInput) -> None:
        super().__init__(start)
        self._dispute_id = start.dispute_id
        self._heard = 0
        self._holding: Holding | None = None
        self._ref = self._ref.model_copy(update={"change": start.dispute_id})

    @workflow.run
    async def run(self, start: DisputeInput) -> DisputeResult:
        """From "the buyer's bank asks" to "it is decided, and the books say so"."""
        try:
            await self._wait_for_answer()
            dispute = await self._wait_until_decided()
            booked = await self._book(dispute)
            return await self._close(dispute, booked)
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    @workflow.signal(name=contract.DISPUTE_EVENT)
    def dispute_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this dispute; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_decided(self) -> FetchedDispute:
        """The dispute once it is decided; people are told of each of its states, and before evidence is due."""
        self._step = "watch"
        while True:
            self._heard = heard = len(self._events)
            dispute = await self._fetch()
            decided = dispute.status not in _UNDECIDED
            if decided and self._holding:
                self._holding.stop()
            await self._tell(dispute, dispute.status.value, _said(dispute))
            if decided:
                return dispute
            self._reach(Stage.DISPUTED, note=_said(dispute), index=True)
            self._hold(dispute)
            await self._wait_for_evidence(dispute, heard)

    async def _fetch(self) -> FetchedDispute:
        summary = f"Read {self._dispute_id} from Stripe"
        dispute = await self._calls.read(DisputeActivities.fetch_dispute, self._dispute, summary)
        self._total = dispute.money
        self._ref = self._ref.model_copy(update={"round": dispute.round})
        return dispute

    async def _hear(self, heard: int) -> None:
        await workflow.wait_condition(partial(self._hears_more, heard))

    async def _wait_for_evidence(self, dispute: FetchedDispute, heard: int) -> None:
        """Until Stripe says more; people are told once more a while before the evidence is due."""
        if dispute.due_by is None or not dispute.needs_response:
            return await self._hear(heard)
        pause = (dispute.due_by - self._start.policy.evidence_reminder - workflow.now()).total_seconds()
        try:
            await workflow.wait_condition(
                partial(self._hears_more, heard),
                timeout=max(pause, 0),
                timeout_summary="Remind people that evidence is due",
            )
        except TimeoutError:
            await self._tell(dispute, _REMINDER, f"evidence is due by {dispute.due_by:%Y-%m-%d %H:%M} UTC")
            await self._hear(heard)

    async def _tell(self, dispute: FetchedDispute, word: str, said: str) -> None:
        """Once for each word, however often Stripe says it."""
        message = f"{self._dispute_id} of {self._start.payment_id} · {dispute.money} · {said}"
        notice = NotifyInput(**dict(self._ref) | {"round": 0}, message=message, about=word)
        await self._calls.tell(MessageActivities.notify_dispute, notice, f"Tell people of the dispute: {word}")

    def _hold(self, dispute: FetchedDispute) -> None:
        """Goods that have not left stay, beside the wait: no trouble with Zoho keeps a deadline from being told."""
        wanted = self._start.policy.dispute_hold is DisputeHold.HOLD
        if wanted and self._holding is None and workflow.patched(contract.DISPUTE_BOOKS):
            self._holding = Holding(self._calls, self._dispute, self._number, dispute.marks)
            self._holding.begin(self._held)

    async def _held(self, word: str, said: str) -> None:
        self._notes.append(said)
        self._show()
        message = f"{self._dispute_id} of {self._start.payment_id} · {said}"
        notice = NotifyInput(**dict(self._ref) | {"round": 0}, message=message, about=word)
        await self._calls.tell(MessageActivities.notify_dispute, notice, f"Tell people of the order: {word}")

    async def _book(self, dispute: FetchedDispute) -> Booked:
        """A lost one by policy; of one that is not lost, nothing may stand in the books."""
        lost = dispute.status is DisputeStatus.LOST
        self._step = "lost" if lost else "reopen"
        skipped = self._step in self._start.carried.skipped
        if not workflow.patched(contract.DISPUTE_BOOKS):
            return self._ask(dispute) if lost and not skipped else _NOTHING
        await self._keep_moves(dispute)
        await self._free(dispute)
        if skipped:
            return _NOTHING
        if not lost:
            return await self._reopen(dispute)
        if self._start.policy.dispute_lost is DisputeLost.ASK:
            return self._ask(dispute)
        return await self._lose(dispute)

    def _ask(self, dispute: FetchedDispute) -> Booked:
        raise ApplicationError(
            f"the dispute is lost and {dispute.money} are gone: credit the sale or write it off in Zoho by hand, "
            "then skip, saying what you did",
            type="DisputeLost",
            non_retryable=True,
        )

    async def _keep_moves(self, dispute: FetchedDispute) -> None:
        moves = (*dispute.withdrawn, *dispute.reinstated)
        if moves:
            wanted = MovesInput(**dict(self._dispute) | {"round": 0}, moves=moves)
            await self._calls.write(DisputeActivities.keep_moves, wanted, "Keep what the dispute moved, for the payout")

    async def _free(self, dispute: FetchedDispute) -> None:
        """The hold's end: of a dispute that is won or dropped the order may go out again."""
        holding = self._holding or Holding(self._calls, self._dispute, self._number, dispute.marks)
        await holding.finished()
        if not holds(dispute) and (said := await holding.release()):
            self._notes.append(said)

    async def _lose(self, dispute: FetchedDispute) -> Booked:
        loss = await self._settled_loss()
        booked = await self._losing.book(loss)
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")
        await self._tell(dispute, "booked", booked.said)
        self._reach(Stage.DISPUTED, note=booked.said, creditnote=booked.creditnote_id)
        return booked

    async def _settled_loss(self) -> DisputeLoss:
        """The loss, once it is our turn and no refund of the payment is under way; `refund_patience` is for those."""
        deadline = workflow.now() + self._start.policy.refund_patience
        while True:
            await self._calls.read(ChangeActivities.take_turn, self._ref, "Wait until nobody else writes its documents")
            summary = f"Read what {self._dispute_id} has taken of {self._start.payment_id}"
            loss = await self._calls.read(DisputeActivities.fetch_loss, self._dispute, summary)
            if not loss.under_way:
                # Dated by the day it is booked: a dispute is decided months after it was opened.
                at = loss.refund.model_copy(update={"at": workflow.now()})
                return loss.model_copy(update={"refund": at})
            await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the refunds under way be carried over")
            await self._wait_for_refunds(loss, (deadline - workflow.now()))

    async def _wait_for_refunds(self, loss: DisputeLoss, left: timedelta) -> None:
        if left <= timedelta(0):
            raise ApplicationError(
                f"Stripe still says pending of {', '.join(loss.under_way)}, on which it depends what is left to book; "
                "look at it there, then retry",
                type="RefundPending",
                non_retryable=True,
            )
        pause = min(left, self._start.policy.remind_every)
        await workflow.sleep(pause, summary="Look again whether the refunds under way have settled")

    async def _reopen(self, dispute: FetchedDispute) -> Booked:
        """The money is ours: what said that it was lost is taken back."""
        if not (dispute.begun or dispute.forgotten or self._undo.kinds or "reopened" in self._found):
            return _NOTHING
        if dispute.forgotten and dispute.withdrawn and self._start.policy.dispute_lost is DisputeLost.WRITE_OFF:
            await self._refuse_forgotten_write_off()
        # First of all, so that a cancelled run takes back as well.
        for kind in BOOKED:
            self._undo.register(kind)
        await self._calls.read(ChangeActivities.take_turn, self._ref, "Wait until nobody else writes its documents")
        losing = self._losing
        try:
            undone = await losing.take_back(dispute.money)
        finally:
            if losing.stood:
                self._found["reopened"] = self._dispute_id  # an end that comes after a person's answer tells it, too
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")
        if self._found.pop("reopened", ""):
            said = f"the dispute is {dispute.status.value} after all: {undone or 'what was booked'} was taken back"
            self._notes.append(said)
            await self._tell(dispute, "reopened", said)
        return _NOTHING

    async def _refuse_forgotten_write_off(self) -> None:
        """Zoho keeps no reference of a write-off, so whether one is ours nobody can tell; that none stands, it can."""
        summary = f"Read what {self._dispute_id} has taken of {self._start.payment_id}"
        loss = await self._calls.read(DisputeActivities.fetch_loss, self._dispute, summary)
        if await self._losing.is_written_off(loss):
            raise ApplicationError(
                "our memory of the payment is gone, and its invoice is not just paid: where the loss was written off, "
                "cancel that in Zoho by hand and record the payment as it was, then retry",
                type="ChangedByHand",
                non_retryable=True,
            )

    async def _close(self, dispute: FetchedDispute, booked: Booked) -> DisputeResult:
        self._reach(Stage.DECIDED, note=_said(dispute), index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if any(redecides(event.type, event.changed) for event in self._events[self._heard :]):
            self._continue(reminders=0)  # told since Stripe was read: it is read again
        return DisputeResult(
            dispute_id=self._dispute_id,
            payment_id=self._start.payment_id,
            status=dispute.status,
            money=dispute.money,
            creditnote_id=booked.creditnote_id,
            number=booked.number,
            zoho_refund_id=booked.zoho_refund_id,
            written_off=booked.written_off,
            withdrawn=dispute.withdrawn,
            reinstated=dispute.reinstated,
            notes=tuple(self._notes),
        )

    async def _undone(self) -> str:
        """Take back what was booked; of a dispute that is not lost after all, what an earlier run booked as well."""
        nothing = "nothing was written, so nothing was taken back; the dispute itself goes on in Stripe"
        if not self._undo.kinds and not workflow.patched(contract.DISPUTE_BOOKS):
            return nothing
        dispute = await self._fetch()
        if not self._undo.kinds and (holds(dispute) or not dispute.begun):
            return nothing
        undone = await self._losing.take_back(dispute.money)
        await self._calls.write(ChangeActivities.end_turn, self._ref, "Let the next change be carried over")
        return f"taken back: {undone or 'nothing had been written'}; {self._dispute_id} is {dispute.status.value}"

    async def _let_go(self) -> None:
        """A dispute reserves no goods."""

    @property
    def _losing(self) -> Losing:
        return Losing(self._calls, self._dispute, self._number, self._undo, before=self._start.backfilled)

    @property
    def _dispute(self) -> DisputeRef:
        return DisputeRef(**dict(self._ref), dispute_id=self._dispute_id)

    @property
    def _number(self) -> str:
        return contract.business_ids(self._start.payment_id)[1]

    def _ids(self) -> list[str]:
        return [*super()._ids(), self._dispute_id]


def _said(dispute: FetchedDispute) -> str:
    """The dispute's state in words: ids and money only."""
    due = f", evidence due by {dispute.due_by:%Y-%m-%d}" if dispute.needs_response and dispute.due_by else ""
    gone = f", {', '.join(str(one.money) for one in dispute.withdrawn)} withdrawn" if dispute.withdrawn else ""
    back = f", {', '.join(str(one.money) for one in dispute.reinstated)} given back" if dispute.reinstated else ""
    return f"{dispute.status.value} ({dispute.reason or 'no reason given'}){due}{gone}{back}"
