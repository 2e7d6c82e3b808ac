"""A run to be started: apart, for Temporal's sandbox imports this file again."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.disputes import DisputeInput
    from domain.reconciling import PayoutInput
    from domain.refunds import RefundInput
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


@workflow.defn(name=contract.REFUND_WORKFLOW)
class OneRefund:
    """A refund's run that is content with its first event."""

    def __init__(self) -> None:
        self.seen: list[PaymentEvent] = []

    @workflow.run
    async def run(self, start: RefundInput) -> str:
        """The refund's id."""
        await workflow.wait_condition(lambda: bool(self.seen))
        return start.refund_id

    @workflow.signal(name=contract.REFUND_EVENT)
    def refund_event(self, event: PaymentEvent) -> None:
        """Stripe said something."""
        self.seen.append(event)


@workflow.defn(name=contract.PAYOUT_WORKFLOW)
class OnePayout:
    """A payout's run that is content with its first event."""

    def __init__(self) -> None:
        self.seen: list[PaymentEvent] = []

    @workflow.run
    async def run(self, start: PayoutInput) -> str:
        """The payout's id."""
        await workflow.wait_condition(lambda: bool(self.seen))
        return start.payment_id

    @workflow.signal(name=contract.PAYOUT_EVENT)
    def payout_event(self, event: PaymentEvent) -> None:
        """Stripe said something."""
        self.seen.append(event)


@workflow.defn(name=contract.DISPUTE_WORKFLOW)
class OneDispute:
    """A dispute's run that is content with its first event."""

    def __init__(self) -> None:
        self.seen: list[PaymentEvent] = []

    @workflow.run
    async def run(self, start: DisputeInput) -> str:
        """The dispute's id."""
        await workflow.wait_condition(lambda: bool(self.seen))
        return start.dispute_id

    @workflow.signal(name=contract.DISPUTE_EVENT)
    def dispute_event(self, event: PaymentEvent) -> None:
        """Stripe said something."""
        self.seen.append(event)
