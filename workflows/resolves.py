"""Which payment does an event mean? Invoices and thin events do not say; Stripe does."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.disputes import DisputeActivities
    from activities.refunds import RefundActivities
    from activities.starts import StartActivities
    from activities.stripe import StripeActivities
    from domain.changes import tells_dispute, tells_refund
    from domain.disputes import StartDisputeInput
    from domain.refunds import StartRefundInput
    from domain.runs import ResolveInput, StartPaymentInput
    from workflows import contract
    from workflows.attended import Attended


@workflow.defn(name=contract.RESOLVE_WORKFLOW)
class ResolveWorkflow(Attended):
    """A small run of two steps, so that the ingress reads nothing from Stripe.

    Where Stripe refuses the question it waits for a person, for nobody else knows of the event. It writes nothing.
    """

    _skippable = ("resolve",)

    @workflow.init
    def __init__(self, start: ResolveInput) -> None:
        # Until the payment is known, the run is named by what the event is about.
        super().__init__(start.model_copy(update={"payment_id": start.event.object_id}))
        self._event = start.event
        self._wanted = ResolveInput(connection=start.connection, event=start.event, policy=start.policy)

    @workflow.run
    async def run(self, start: ResolveInput) -> str:
        """The payment's id, "" where the event belongs to none (an invoice paid by credit); a customer has several."""
        try:
            await self._wait_for_answer()
            self._step = "resolve"
            found = "" if self._step in self._start.carried.skipped else await self._pass_on(self._wanted)
            await workflow.wait_condition(workflow.all_handlers_finished)
            return found
        except (ApplicationError, ActivityError, asyncio.CancelledError) as error:
            await self._park(error)

    async def _pass_on(self, wanted: ResolveInput) -> str:
        if wanted.event.object_id.startswith("cus_"):
            return await self._tell_payments_of_customer(wanted)
        if tells_refund(wanted.event.type):
            return await self._tell_refunds(wanted)
        if tells_dispute(wanted.event.type):
            return await self._tell_dispute(wanted)
        summary = f"Ask Stripe which payment {wanted.event.object_id} belongs to"
        found = await self._calls.read(StripeActivities.resolve_payment, wanted, summary)
        if found.payment_id:
            await self._tell(wanted, found.payment_id)
        return found.payment_id

    async def _tell_payments_of_customer(self, wanted: ResolveInput) -> str:
        """The newest carried payment of each currency: each currency is a contact of its own."""
        summary = f"Ask Stripe what {wanted.event.object_id} has paid"
        found = await self._calls.read(StripeActivities.resolve_customer, wanted, summary)
        for payment_id in found.payment_ids:
            await self._tell(wanted, payment_id)
        return " ".join(found.payment_ids)

    async def _tell_refunds(self, wanted: ResolveInput) -> str:
        """Every refund that the event may be about has a run of its own."""
        summary = f"Ask Stripe which refunds {wanted.event.object_id} means"
        found = await self._calls.read(RefundActivities.resolve_refunds, wanted, summary)
        for one in found.refunds:
            start = StartRefundInput(connection=wanted.connection, **dict(one), event=wanted.event)
            await self._calls.write(RefundActivities.start_refund, start, f"Tell the run of {one.refund_id}")
        return " ".join(one.refund_id for one in found.refunds)

    async def _tell_dispute(self, wanted: ResolveInput) -> str:
        summary = f"Ask Stripe which payment {wanted.event.object_id} disputes"
        found = await self._calls.read(DisputeActivities.resolve_dispute, wanted, summary)
        start = StartDisputeInput(connection=wanted.connection, **dict(found), event=wanted.event)
        await self._calls.write(DisputeActivities.start_dispute, start, f"Tell the run of {found.dispute_id}")
        return found.dispute_id

    async def _tell(self, wanted: ResolveInput, payment_id: str) -> None:
        start = StartPaymentInput(connection=wanted.connection, payment_id=payment_id, event=wanted.event)
        await self._calls.write(StartActivities.start_payment, start, f"Tell the run of {payment_id}")

    async def _undone(self) -> str:
        """Nothing was written."""
        return f"nothing was written; what {self._event.type} of {self._event.object_id} tells is carried nowhere"

    async def _let_go(self) -> None:
        """An event reserves no goods."""

    def _named(self) -> list[str]:
        return [self._event.object_id, self._event.type]

    def _ids(self) -> list[str]:
        return [self._event.object_id, self._event.event_id]
