"""A run to be started: apart, for Temporal's sandbox imports this file again."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.runs import PaymentEvent, PaymentInput
    from workflows import contract


@workflow.defn(name=contract.PAYMENT_WORKFLOW)
class OneEvent:
    """A payment's run that is content with its first event."""

    def __init__(self) -> None:
        self.seen: list[PaymentEvent] = []

    @workflow.run
    async def run(self, start: PaymentInput) -> list[str]:
        """The event ids it was told, and what it was started with."""
        await workflow.wait_condition(lambda: bool(self.seen))
        return [start.payment_id, start.organization_id, *(event.event_id for event in self.seen)]

    @workflow.signal(name=contract.PAYMENT_EVENT)
    def payment_event(self, event: PaymentEvent) -> None:
        """Stripe said something."""
        self.seen.append(event)
