"""Names the workflow an event belongs to, and starts or signals it: the one door into Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from clients.connections import Connection
from clients.errors import TryLater
from clients.tracing import current_trace_id
from domain.changes import begins_case, may_change, redecides, reopens, says_paid
from domain.corrections import ChangeInput
from domain.disputes import DisputeInput
from domain.numbers import order_number
from domain.refunds import RefundInput
from domain.runs import PaymentEvent, PaymentInput, ResolveInput, Stage
from workflows import contract

_FAILED_ONLY = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
_SUMMARY_BYTES = 200  # the server refuses more


class Started(StrEnum):
    """What became of an event that Temporal accepted."""

    ACCEPTED = "accepted"  # told to a run, new or open
    ALREADY_DONE = "already-done"  # the run has completed, and the event says only what it knew


class Starter:
    """Starts runs by name on `client`. `patience` bounds one start; `connections` are by slug.

    TryLater from every method: Temporal did not accept within `patience`; starting again is safe.
    """

    def __init__(
        self,
        client: Client,
        connections: Mapping[str, Connection],
        *,
        patience: timedelta = timedelta(seconds=5),
        task_queue: str = contract.MAIN_QUEUE,
        zoho_queue: str = contract.ZOHO_QUEUE,
    ) -> None:
        self._client = client
        self._connections = connections
        self._patience = patience
        self._task_queue = task_queue
        self._zoho_queue = zoho_queue

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
        told = await self._start(
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

    async def change_event(self, connection: str, payment_id: str, seen: PaymentEvent) -> Started:
        """A run that carries over what `seen` changed, once the payment's own run has closed."""
        start = ChangeInput(**self._start_of(connection, payment_id), event=seen)
        # A customer's event may change several payments.
        named = payment_id if seen.object_id.startswith("cus_") else ""
        return await self._start(
            contract.CHANGE_WORKFLOW,
            start,
            id=contract.change_workflow_id(connection, seen.event_id, named),
            ids=[payment_id, order_number(payment_id), seen.event_id, seen.object_id],
            connection=connection,
            summary=[payment_id, f"{seen.type} afterwards", f"order {order_number(payment_id)}"],
        )

    async def refund_event(self, connection: str, refund_id: str, payment_id: str, seen: PaymentEvent) -> Started:
        """Tells `seen` to the refund's run, started if there is none; one that has closed only where it may reopen."""
        start = RefundInput(**self._start_of(connection, payment_id), refund_id=refund_id, event=seen)
        return await self._case(
            contract.REFUND_WORKFLOW,
            start,
            refund_id,
            id=contract.refund_workflow_id(connection, refund_id),
            summary=f"refund of {payment_id}",
            reuse=_reuse(seen, again=reopens(seen.type, seen.changed)),
            start_signal=contract.REFUND_EVENT,
        )

    async def dispute_event(self, connection: str, dispute_id: str, payment_id: str, seen: PaymentEvent) -> Started:
        """Tells `seen` to the dispute's run, started if there is none; one that has closed only for another end."""
        start = DisputeInput(**self._start_of(connection, payment_id), dispute_id=dispute_id, event=seen)
        return await self._case(
            contract.DISPUTE_WORKFLOW,
            start,
            dispute_id,
            id=contract.dispute_workflow_id(connection, dispute_id),
            summary=f"dispute of {payment_id}",
            reuse=_reuse(seen, again=redecides(seen.type, seen.changed)),
            start_signal=contract.DISPUTE_EVENT,
        )

    async def is_open(self, connection: str, payment_id: str) -> bool:
        """Whether the payment's own run is open. TryLater where Temporal did not say."""
        handle = self._client.get_workflow_handle(contract.payment_workflow_id(connection, payment_id))
        try:
            described = await handle.describe(rpc_timeout=self._patience)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise TryLater("temporal", f"{handle.id} was not described: {error!r}") from error
        return described.status is WorkflowExecutionStatus.RUNNING

    async def _tell_change(self, connection: str, payment_id: str, seen: PaymentEvent) -> Started:
        handle = self._client.get_workflow_handle(contract.payment_workflow_id(connection, payment_id))
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await handle.signal(contract.PAYMENT_EVENT, seen, rpc_timeout=self._patience)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise TryLater("temporal", f"{handle.id} took no signal: {error!r}") from error
        except (RuntimeError, TimeoutError) as error:
            raise TryLater("temporal", f"{handle.id} took no signal: {error!r}") from error
        else:
            return Started.ACCEPTED
        # Nothing can be cancelled after the money has come.
        return await self.change_event(connection, payment_id, seen) if may_change(seen.type) else Started.ALREADY_DONE

    async def resolve_event(self, connection: str, seen: PaymentEvent) -> Started:
        """A small run that asks Stripe which payment `seen.object_id` belongs to, and passes `seen` on."""
        start = ResolveInput(connection=connection, event=seen, policy=self._connections[connection].policy)
        return await self._start(
            contract.RESOLVE_WORKFLOW,
            start,
            id=contract.resolve_workflow_id(connection, seen.event_id),
            ids=[seen.object_id, seen.event_id],
            connection=connection,
            summary=[seen.object_id, f"which payment is {seen.type} about"],
        )

    def _start_of(self, connection: str, payment_id: str) -> dict[str, Any]:
        """What every run of a payment starts with."""
        about = self._connections[connection]
        return {
            "connection": connection,
            "payment_id": payment_id,
            "organization_id": about.zoho.organization_id,
            "policy": about.policy,
            "zoho_queue": self._zoho_queue,
        }

    async def _case(
        self, workflow: str, start: RefundInput | DisputeInput, case_id: str, *, summary: str, **how: Any
    ) -> Started:
        """The run of something that happened to a payment, told of the event that it starts with."""
        number = order_number(start.payment_id)
        return await self._start(
            workflow,
            start,
            ids=[start.payment_id, number, case_id],
            connection=start.connection,
            summary=[case_id, summary, f"order {number}"],
            start_signal_args=[start.event],
            **how,
        )

    async def _start(
        self,
        workflow: str,
        start: PaymentInput | ResolveInput,
        *,
        id: str,
        ids: list[str],
        connection: str,
        summary: list[str],
        reuse: WorkflowIDReusePolicy = _FAILED_ONLY,
        **signal: Any,
    ) -> Started:
        trace = current_trace_id()
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._client.start_workflow(
                    workflow,
                    start,
                    id=id,
                    task_queue=self._task_queue,
                    id_reuse_policy=reuse,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    search_attributes=_searchable(connection, ids),
                    memo={contract.TRACE_ID: trace} if trace else None,
                    static_summary=_one_line(summary),
                    rpc_timeout=self._patience,
                    **signal,
                )
        except WorkflowAlreadyStartedError:
            return Started.ALREADY_DONE
        except (RPCError, RuntimeError, TimeoutError) as error:  # RuntimeError: never connected
            raise TryLater("temporal", f"{workflow} was not accepted: {error!r}") from error
        return Started.ACCEPTED


def _reuse(seen: PaymentEvent, *, again: bool) -> WorkflowIDReusePolicy:
    """Whether the event starts a refund's or a dispute's run anew that has closed: `again` always; one that says that
    it began where the run did not come through; any other never, for what a person aborted is booked by hand.
    """
    if again:
        return WorkflowIDReusePolicy.ALLOW_DUPLICATE
    return _FAILED_ONLY if begins_case(seen.type) else WorkflowIDReusePolicy.REJECT_DUPLICATE


def _searchable(connection: str, ids: list[str]) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(contract.BUSINESS_IDS, list(dict.fromkeys(ids))),
            SearchAttributePair(contract.CONNECTION, connection),
            SearchAttributePair(contract.STAGE, Stage.RECEIVED.value),
            SearchAttributePair(contract.NEEDS_ATTENTION, False),
        ]
    )


def _one_line(parts: list[str]) -> str:
    """What a shop owner reads in the list of runs: ids and money, never a name."""
    return " · ".join(filter(None, parts)).encode()[:_SUMMARY_BYTES].decode(errors="ignore")
