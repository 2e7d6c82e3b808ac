"""Starts the runs that read Zoho's lists from time to time, and those that look into what the lists tell."""

from __future__ import annotations

import logging

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy

from clients.errors import TryLater
from domain.attention import Action, Answer, AttentionClass
from domain.numbers import order_number
from domain.order_polls import OrderCheckInput
from domain.return_polls import PollInput
from ingress.beginnings import Beginnings
from ingress.door import Started
from workflows import contract

log = logging.getLogger(__name__)


class Polls(Beginnings):
    """One run a connection and list. TryLater from every method: Temporal did not accept; starting again is safe."""

    async def poll_returns(self, connection: str) -> Started:
        """Has the connection's list of returns read now, and from time to time, by the policy of now.

        Where the shop wants none of it, a run that reads ends.
        """
        start = PollInput(**self._start_of(connection, ""))
        id = contract.return_poll_workflow_id(connection)
        if not start.policy.returns.polls:
            return await self._poll_no_more(id, start)
        return await self._poll(contract.RETURN_POLL_WORKFLOW, id, start, "Zoho's list of returns")

    async def poll_adjustments(self, connection: str) -> Started:
        """The same of the list of adjustments."""
        start = PollInput(**self._start_of(connection, ""))
        id = contract.adjustment_poll_workflow_id(connection)
        if not start.policy.returns.polls_adjustments:
            return await self._poll_no_more(id, start)
        return await self._poll(contract.ADJUSTMENT_POLL_WORKFLOW, id, start, "Zoho's list of adjustments")

    async def poll_orders(self, connection: str) -> Started:
        """The same of the lists that tell which orders were changed by hand."""
        start = PollInput(**self._that_can_wait(connection, ""))
        id = contract.order_poll_workflow_id(connection)
        if not start.policy.by_hand.polls:
            return await self._poll_no_more(id, start)
        return await self._poll(contract.ORDER_POLL_WORKFLOW, id, start, "what is changed in Zoho by hand")

    async def poll_all(self) -> None:
        """All of them for every connection. Where Temporal refuses, the log says it: payments do not wait for it."""
        for slug in self._connections:
            polls = {
                "returns": self.poll_returns, "adjustments": self.poll_adjustments, "changed orders": self.poll_orders
            }  # fmt: skip
            for what, poll in polls.items():
                try:
                    await poll(slug)
                except TryLater as error:
                    log.warning("%s: Zoho's list of %s is not read: %s", slug, what, error)

    async def check_order(self, connection: str, payment_id: str, salesorder_id: str) -> Started:
        """A run looks into an order that somebody changed; one that is open goes on."""
        number = order_number(payment_id)
        return await self._runs.start(
            contract.ORDER_CHECK_WORKFLOW,
            OrderCheckInput(**self._that_can_wait(connection, payment_id), salesorder_id=salesorder_id),
            id=contract.order_check_workflow_id(connection, payment_id),
            ids=[payment_id, number, salesorder_id],
            connection=connection,
            summary=[payment_id, "changed in Zoho", f"order {number}"],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )

    async def waits_for_goods(self, connection: str, payment_id: str) -> bool:
        """Whether the payment's run waits for a person because its goods are sold out."""
        found = await self._runs.described(contract.payment_workflow_id(connection, payment_id))
        if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
            return False
        said = found.typed_search_attributes
        waits = said.get(contract.NEEDS_ATTENTION)
        return bool(waits) and said.get(contract.ATTENTION_CLASS) == AttentionClass.OVERSOLD.value

    async def goods_are_there(self, connection: str, payment_id: str) -> bool:
        """Has such a run look again, as a person's retry does; whether one is open."""
        answer = Answer(action=Action.RETRY, by="throughline", reason="Zoho has enough again")
        told = answer.model_dump(mode="json", include={"action", "by", "reason"})
        return await self._runs.signal(contract.payment_workflow_id(connection, payment_id), contract.RESUME, told)

    async def _poll(self, workflow: str, id: str, start: PollInput, what: str) -> Started:
        return await self._runs.start(
            workflow,
            start,
            id=id,
            ids=[],
            connection=start.connection,
            summary=[what],
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal=contract.LOOK_NOW,
            start_signal_args=[start.policy],
        )

    async def _poll_no_more(self, id: str, start: PollInput) -> Started:
        told = await self._runs.signal(id, contract.LOOK_NOW, start.policy)
        return Started.ACCEPTED if told else Started.ALREADY_DONE
