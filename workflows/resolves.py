"""Which payment does an event mean? Invoices and thin events do not say; Stripe does."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.starts import StartActivities
    from activities.stripe import StripeActivities
    from domain.runs import ResolveInput, StartPaymentInput
    from workflows import contract, policies


@workflow.defn(name=contract.RESOLVE_WORKFLOW)
class ResolveWorkflow:
    """A small run of two steps, so that the ingress reads nothing from Stripe."""

    @workflow.run
    async def run(self, wanted: ResolveInput) -> str:
        """The payment's id, "" where the event belongs to no payment (an invoice paid by credit, for instance)."""
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(
            summary=f"Ask Stripe which payment {wanted.event.object_id} belongs to"
        )
        found = await workflow.execute_activity_method(StripeActivities.resolve_payment, wanted, **read)
        payment_id = found.payment_id
        if payment_id:
            start = StartPaymentInput(connection=wanted.connection, payment_id=payment_id, event=wanted.event)
            write = policies.WRITE(wanted.policy) | workflow.ActivityConfig(summary=f"Start the run of {payment_id}")
            await workflow.execute_activity_method(StartActivities.start_payment, start, **write)
        return payment_id
