"""Starts payments' runs, and those that carry over what changed after."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy

from domain.changes import may_change, says_paid
from domain.corrections import ChangeInput
from domain.numbers import order_number
from domain.runs import PaymentEvent, PaymentInput, Rerun
from ingress.beginnings import Beginnings
from ingress.door import Started
from workflows import contract


class Payments(Beginnings):
    """One run a payment. TryLater from every method: Temporal did not accept; starting again is safe."""

    async def payment_event(
        self, connection: str, payment_id: str, seen: PaymentEvent, summary_hint: str = ""
    ) -> Started:
        """Tells `seen` to the payment's run, started if there is none. `summary_hint` such as `49.90 EUR`.

        An event that only tells a change starts no payment's run; of a closed one it gets a run of its own.
        """
        if not says_paid(seen.type):
            return await self._tell_change(connection, payment_id, seen)
        number = order_number(payment_id)
        start = PaymentInput(**self._start_of(connection, payment_id))
        told = await self._runs.start(
            contract.PAYMENT_WORKFLOW,
            start,
            id=contract.payment_workflow_id(connection, payment_id),
            ids=[payment_id, number, seen.object_id],
            connection=connection,
            summary=[payment_id, summary_hint, f"order {number}"],
            start_signal=contract.PAYMENT_EVENT,
            start_signal_args=[seen],
        )
        if told is Started.ALREADY_DONE and may_change(seen.type):
            return await self.change_event(connection, payment_id, seen)
        return told

    async def backfill_payment(self, connection: str, payment_id: str, charge_id: str) -> str:
        """Starts the run of a payment from before, whose calls wait for live ones; an open or completed one stays.

        It is the run that any event of the payment starts, by the same id, so nothing is carried twice.
        """
        number = order_number(payment_id)
        told = await self._runs.start(
            contract.PAYMENT_WORKFLOW,
            PaymentInput(**self._from_before(connection, payment_id)),
            id=contract.payment_workflow_id(connection, payment_id),
            ids=[payment_id, number, charge_id],
            connection=connection,
            summary=[payment_id, f"order {number}", "backfilled"],
        )
        return told.value

    async def rerun_payment(self, connection: str, payment_id: str, rerun: Rerun) -> None:
        """The payment's run once more, on purpose; an order that people entered is recognised, and nobody is told."""
        number = order_number(payment_id)
        usual = self._start_of(connection, payment_id)
        await self._runs.start(
            contract.PAYMENT_WORKFLOW,
            PaymentInput(**{**usual, "backfilled": True, "rerun": rerun}),
            id=contract.payment_workflow_id(connection, payment_id),
            ids=[payment_id, number],
            connection=connection,
            summary=[payment_id, f"order {number}", "once more"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )

    async def carry_again(self, connection: str, payment_id: str) -> Started:
        """A run of the payment that has ended is begun anew, for a person who wants it: nothing of it stands."""
        now = datetime.now(UTC)
        seen = PaymentEvent(event_id=f"again-{now:%Y%m%dT%H%M%S}", type="restored", object_id=payment_id, created=now)
        number = order_number(payment_id)
        return await self._runs.start(
            contract.PAYMENT_WORKFLOW,
            PaymentInput(**self._start_of(connection, payment_id)),
            id=contract.payment_workflow_id(connection, payment_id),
            ids=[payment_id, number],
            connection=connection,
            summary=[payment_id, "once more", f"order {number}"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal=contract.PAYMENT_EVENT,
            start_signal_args=[seen],
        )

    async def change_event(self, connection: str, payment_id: str, seen: PaymentEvent) -> Started:
        """A run that carries over what `seen` changed, once the payment's own run has closed."""
        start = ChangeInput(**self._start_of(connection, payment_id), event=seen)
        # A customer's event may change several payments.
        named = payment_id if seen.object_id.startswith("cus_") else ""
        return await self._runs.start(
            contract.CHANGE_WORKFLOW,
            start,
            id=contract.change_workflow_id(connection, seen.event_id, named),
            ids=[payment_id, order_number(payment_id), seen.event_id, seen.object_id],
            connection=connection,
            summary=[payment_id, f"{seen.type} afterwards", f"order {order_number(payment_id)}"],
        )

    async def is_open(self, connection: str, payment_id: str) -> bool | None:
        """Whether the payment's own run is open, None where there is none. TryLater where Temporal did not say."""
        described = await self._runs.described(contract.payment_workflow_id(connection, payment_id))
        return None if described is None else described.status is WorkflowExecutionStatus.RUNNING

    async def _tell_change(self, connection: str, payment_id: str, seen: PaymentEvent) -> Started:
        if await self._runs.signal(contract.payment_workflow_id(connection, payment_id), contract.PAYMENT_EVENT, seen):
            return Started.ACCEPTED
        # Nothing can be cancelled after the money has come.
        return await self.change_event(connection, payment_id, seen) if may_change(seen.type) else Started.ALREADY_DONE
