"""Starts the runs of what happens to a payment or to its money: refunds, disputes, returns, payouts."""

from __future__ import annotations

from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy

from domain.changes import begins_case, redecides, reopens
from domain.disputes import DisputeInput
from domain.numbers import order_number
from domain.proposals import ProposalInput
from domain.reconciling import PayoutInput
from domain.refunds import RefundInput
from domain.returns import ReturnEvent, ReturnInput
from domain.runs import PaymentEvent, Stage
from domain.sweeps import Case, Heard
from ingress.beginnings import Beginnings
from ingress.door import Started
from ingress.temporal import FAILED_ONLY
from workflows import contract


class Cases(Beginnings):
    """One run a case. TryLater from every method: Temporal did not accept; starting again is safe."""

    async def backfill_case(self, connection: str, heard: Heard) -> str:
        """Starts the run of a refund or dispute from before, the one its events start; its calls wait for live ones."""
        tell = self.refund_event if heard.case is Case.REFUND else self.dispute_event
        return (await tell(connection, heard.about, heard.payment_id, heard.event, before=True)).value

    async def refund_event(
        self, connection: str, refund_id: str, payment_id: str, seen: PaymentEvent, *, before: bool = False
    ) -> Started:
        """Tells `seen` to the refund's run, started if there is none; one that has closed only where it may reopen."""
        begin = self._from_before if before else self._start_of
        start = RefundInput(**begin(connection, payment_id), refund_id=refund_id, event=seen)
        return await self._case(
            contract.REFUND_WORKFLOW,
            start,
            refund_id,
            id=contract.refund_workflow_id(connection, refund_id),
            summary=f"refund of {payment_id}",
            reuse=_reuse(seen, again=reopens(seen.type, seen.changed)),
            start_signal=contract.REFUND_EVENT,
        )

    async def dispute_event(
        self, connection: str, dispute_id: str, payment_id: str, seen: PaymentEvent, *, before: bool = False
    ) -> Started:
        """Tells `seen` to the dispute's run, started if there is none; one that has closed only for another end."""
        begin = self._from_before if before else self._start_of
        start = DisputeInput(**begin(connection, payment_id), dispute_id=dispute_id, event=seen)
        return await self._case(
            contract.DISPUTE_WORKFLOW,
            start,
            dispute_id,
            id=contract.dispute_workflow_id(connection, dispute_id),
            summary=f"dispute of {payment_id}",
            reuse=_reuse(seen, again=redecides(seen.type, seen.changed)),
            start_signal=contract.DISPUTE_EVENT,
        )

    async def return_event(
        self, connection: str, return_id: str, event: ReturnEvent, *, again: bool = False
    ) -> Started:
        """Tells the return's run what was heard, started if there is none; one that has ended only `again`."""
        start = ReturnInput(**self._start_of(connection, ""), return_id=return_id, event=event)
        return await self._runs.start(
            contract.RETURN_WORKFLOW,
            start,
            id=contract.return_workflow_id(connection, return_id),
            ids=[return_id],
            connection=connection,
            summary=[f"return {return_id}"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=contract.RETURN_EVENT,
            start_signal_args=[event],
        )

    async def adjustment_event(
        self, connection: str, adjustment_id: str, event: ReturnEvent, *, again: bool = False
    ) -> Started:
        """Tells the adjustment's run what was heard, started if there is none.

        One that has ended is started anew `again`, and where it gave nothing back: the adjustment may say more by now.
        """
        name = contract.adjustment_workflow_id(connection, adjustment_id)
        again = again or await self._refused(name)
        # A refund that failed knows its payment, whatever has become of the adjustment.
        start = ProposalInput(**self._start_of(connection, event.payment_id), adjustment_id=adjustment_id, event=event)
        return await self._runs.start(
            contract.ADJUSTMENT_WORKFLOW,
            start,
            id=name,
            ids=[adjustment_id],
            connection=connection,
            summary=[f"adjustment {adjustment_id}"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=contract.RETURN_EVENT,
            start_signal_args=[event],
        )

    async def payout_event(
        self, connection: str, payout_id: str, seen: PaymentEvent, *, again: bool = False
    ) -> Started:
        """Tells `seen` to the payout's run, started if there is none; one that has completed only of a failure, or
        `again`: where it is known that no certificate tells the payout's state.
        """
        again = again or seen.type.removeprefix("v1.") == "payout.failed"
        return await self._runs.start(
            contract.PAYOUT_WORKFLOW,
            PayoutInput(**self._start_of(connection, payout_id), event=seen),
            id=contract.payout_workflow_id(connection, payout_id),
            ids=[payout_id],
            connection=connection,
            summary=[payout_id, "payout"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else FAILED_ONLY,
            start_signal=contract.PAYOUT_EVENT,
            start_signal_args=[seen],
        )

    async def _refused(self, id: str) -> bool:
        """Whether the run has completed and had nothing to do. TryLater where Temporal did not say."""
        described = await self._runs.described(id)
        if described is None or described.status is not WorkflowExecutionStatus.COMPLETED:
            return False
        return described.typed_search_attributes.get(contract.STAGE) == Stage.REFUSED.value

    async def _case(
        self, workflow: str, start: RefundInput | DisputeInput, case_id: str, *, summary: str, **how: Any
    ) -> Started:
        """The run of something that happened to a payment, told of the event that it starts with."""
        number = order_number(start.payment_id)
        return await self._runs.start(
            workflow,
            start,
            ids=[start.payment_id, number, case_id],
            connection=start.connection,
            summary=[case_id, summary, f"order {number}"],
            start_signal_args=[start.event],
            **how,
        )


def _reuse(seen: PaymentEvent, *, again: bool) -> WorkflowIDReusePolicy:
    """Whether the event starts a refund's or a dispute's run anew that has closed: `again` always; one that says that
    it began where the run did not come through; any other never, for what a person aborted is booked by hand.
    """
    if again:
        return WorkflowIDReusePolicy.ALLOW_DUPLICATE
    return FAILED_ONLY if begins_case(seen.type) else WorkflowIDReusePolicy.REJECT_DUPLICATE
