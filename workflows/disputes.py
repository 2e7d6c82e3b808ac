"""A dispute of a payment: people hear of it, of its deadline and its end; a lost one asks what becomes of the books."""

from __future__ import annotations

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.disputes import DisputeActivities
    from activities.messages import MessageActivities
    from domain.changes import redecides
    from domain.disputes import DisputeFacts, DisputeInput, DisputeRef, DisputeResult, DisputeStatus
    from domain.notices import NotifyInput
    from domain.runs import PaymentEvent, Stage
    from workflows import contract
    from workflows.attended import Attended

_UNDECIDED = (DisputeStatus.INQUIRY, DisputeStatus.OPEN)
_REMINDER = "reminder"


@workflow.defn(name=contract.DISPUTE_WORKFLOW)
class DisputeWorkflow(Attended):
    """One run a dispute, open until it is decided. It reads from Stripe what is true, and writes nothing to Zoho.

    What was withdrawn and given back is in the payout; whether a lost sale is credited or written off a person decides.
    """

    _skippable = ("lost",)

    @workflow.init
    def __init__(self, start: DisputeInput) -> None:
        super().__init__(start)
        self._dispute_id = start.dispute_id
        self._heard = 0
        self._ref = self._ref.model_copy(update={"change": start.dispute_id})

    @workflow.run
    async def run(self, start: DisputeInput) -> DisputeResult:
        """From "the buyer's bank asks" to "it is decided"."""
        try:
            await self._wait_for_answer()
            return await self._close(await self._wait_until_decided())
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    @workflow.signal(name=contract.DISPUTE_EVENT)
    def dispute_event(self, event: PaymentEvent) -> None:
        """Stripe said something about this dispute; the run reads from Stripe what is true."""
        self._events.append(event)

    async def _wait_until_decided(self) -> DisputeFacts:
        """The dispute once it is decided; people are told of each of its states, and before evidence is due."""
        self._step = "watch"
        while True:
            self._heard = heard = len(self._events)
            dispute = await self._fetch()
            await self._tell(dispute, dispute.status.value, _said(dispute))
            if dispute.status not in _UNDECIDED:
                return dispute
            self._reach(Stage.DISPUTED, note=_said(dispute), index=True)
            await self._wait_for_evidence(dispute, heard)

    async def _fetch(self) -> DisputeFacts:
        wanted = DisputeRef(**dict(self._ref), dispute_id=self._dispute_id)
        summary = f"Read {self._dispute_id} from Stripe"
        dispute = await self._calls.read(DisputeActivities.fetch_dispute, wanted, summary)
        self._total = dispute.money
        return dispute

    async def _hear(self, heard: int) -> None:
        await workflow.wait_condition(partial(self._hears_more, heard))

    async def _wait_for_evidence(self, dispute: DisputeFacts, heard: int) -> None:
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

    async def _tell(self, dispute: DisputeFacts, word: str, said: str) -> None:
        """Once for each word, however often Stripe says it."""
        message = f"{self._dispute_id} of {self._start.payment_id} · {dispute.money} · {said}"
        notice = NotifyInput(**dict(self._ref), message=message, about=word)
        await self._calls.tell(MessageActivities.notify_dispute, notice, f"Tell people of the dispute: {word}")

    async def _close(self, dispute: DisputeFacts) -> DisputeResult:
        self._step = "lost"
        if dispute.status is DisputeStatus.LOST and self._step not in self._start.carried.skipped:
            raise ApplicationError(
                f"the dispute is lost and {dispute.money} are gone: credit the sale or write it off in Zoho by hand, "
                "then skip, saying what you did",
                type="DisputeLost",
                non_retryable=True,
            )
        self._reach(Stage.DECIDED, note=_said(dispute), index=True)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if any(redecides(event.type, event.changed) for event in self._events[self._heard :]):
            self._continue(reminders=0)  # told since Stripe was read: it is read again
        return DisputeResult(
            dispute_id=self._dispute_id,
            payment_id=self._start.payment_id,
            status=dispute.status,
            money=dispute.money,
            notes=tuple(self._notes),
        )

    async def _undone(self) -> str:
        """Nothing was written."""
        return "nothing was written, so nothing was taken back; the dispute itself goes on in Stripe"

    async def _let_go(self) -> None:
        """A dispute reserves no goods."""

    def _ids(self) -> list[str]:
        return [*super()._ids(), self._dispute_id]


def _said(dispute: DisputeFacts) -> str:
    """The dispute's state in words: ids and money only."""
    due = f", evidence due by {dispute.due_by:%Y-%m-%d}" if dispute.needs_response and dispute.due_by else ""
    gone = f", {', '.join(str(one.money) for one in dispute.withdrawn)} withdrawn" if dispute.withdrawn else ""
    back = f", {', '.join(str(one.money) for one in dispute.reinstated)} given back" if dispute.reinstated else ""
    return f"{dispute.status.value} ({dispute.reason or 'no reason given'}){due}{gone}{back}"
