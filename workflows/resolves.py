"""Which payment does an event mean? Invoices and thin events do not say; Stripe does."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.disputes import DisputeActivities
    from activities.refunds import RefundActivities
    from activities.starts import StartActivities
    from activities.stripe import StripeActivities
    from domain.changes import tells_dispute, tells_refund
    from domain.disputes import StartDisputeInput
    from domain.refunds import StartRefundInput
    from domain.runs import ResolveInput, StartPaymentInput
    from workflows import contract, policies


@workflow.defn(name=contract.RESOLVE_WORKFLOW)
class ResolveWorkflow:
    """A small run of two steps, so that the ingress reads nothing from Stripe."""

    @workflow.run
    async def run(self, wanted: ResolveInput) -> str:
        """The payment's id, "" where the event belongs to none (an invoice paid by credit); a customer has several."""
        if wanted.event.object_id.startswith("cus_"):
            return await self._tell_payments_of_customer(wanted)
        if tells_refund(wanted.event.type):
            return await self._tell_refunds(wanted)
        if tells_dispute(wanted.event.type):
            return await self._tell_dispute(wanted)
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(
            summary=f"Ask Stripe which payment {wanted.event.object_id} belongs to"
        )
        found = await workflow.execute_activity_method(StripeActivities.resolve_payment, wanted, **read)
        payment_id = found.payment_id
        if payment_id:
            await self._tell(wanted, payment_id)
        return payment_id

    async def _tell_payments_of_customer(self, wanted: ResolveInput) -> str:
        """The newest carried payment of each currency: each currency is a contact of its own."""
        summary = f"Ask Stripe what {wanted.event.object_id} has paid"
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(summary=summary)
        found = await workflow.execute_activity_method(StripeActivities.resolve_customer, wanted, **read)
        for payment_id in found.payment_ids:
            await self._tell(wanted, payment_id)
        return " ".join(found.payment_ids)

    async def _tell_refunds(self, wanted: ResolveInput) -> str:
        """Every refund that the event may be about has a run of its own."""
        summary = f"Ask Stripe which refunds {wanted.event.object_id} means"
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(summary=summary)
        found = await workflow.execute_activity_method(RefundActivities.resolve_refunds, wanted, **read)
        for one in found.refunds:
            start = StartRefundInput(connection=wanted.connection, **dict(one), event=wanted.event)
            write = policies.WRITE(wanted.policy) | workflow.ActivityConfig(summary=f"Tell the run of {one.refund_id}")
            await workflow.execute_activity_method(RefundActivities.start_refund, start, **write)
        return " ".join(one.refund_id for one in found.refunds)

    async def _tell_dispute(self, wanted: ResolveInput) -> str:
        summary = f"Ask Stripe which payment {wanted.event.object_id} disputes"
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(summary=summary)
        found = await workflow.execute_activity_method(DisputeActivities.resolve_dispute, wanted, **read)
        start = StartDisputeInput(connection=wanted.connection, **dict(found), event=wanted.event)
        write = policies.WRITE(wanted.policy) | workflow.ActivityConfig(summary=f"Tell the run of {found.dispute_id}")
        await workflow.execute_activity_method(DisputeActivities.start_dispute, start, **write)
        return found.dispute_id

    async def _tell(self, wanted: ResolveInput, payment_id: str) -> None:
        start = StartPaymentInput(connection=wanted.connection, payment_id=payment_id, event=wanted.event)
        write = policies.WRITE(wanted.policy) | workflow.ActivityConfig(summary=f"Tell the run of {payment_id}")
        await workflow.execute_activity_method(StartActivities.start_payment, start, **write)
