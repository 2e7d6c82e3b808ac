"""Activities that write down what they are asked and answer from a script; names and shapes are the real ones."""

from __future__ import annotations

import typing
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.worker import Worker

from activities import assembly
from domain.corrections import ChangeInput
from domain.disputes import DisputeInput
from domain.order_polls import OrderCheckInput
from domain.policy import PaymentPolicy
from domain.proposals import ProposalInput
from domain.reconciling import PayoutInput
from domain.refunds import (
    RefundInput,
)
from domain.return_polls import PollInput
from domain.returns import ReturnEvent, ReturnInput
from domain.runs import (
    PaymentEvent,
    PaymentInput,
)
from tests.workflows.samples import ANSWERS, QUICK
from workflows import contract
from workflows.workers import WORKFLOWS

Answer = TypeVar("Answer")


@dataclass
class Script:
    """What was asked, in order, and what to answer: a value, a list of values one after the other, or a function.

    An exception among the answers is raised.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def names(self) -> list[str]:
        """The activities that ran, in order."""
        return [name for name, _ in self.asked]

    def inputs(self, name: str) -> list[Any]:
        """What one activity was asked."""
        return [arg for asked, arg in self.asked if asked == name]

    def answer(self, name: str, arg: Any) -> Any:
        """The next answer of `name`."""
        self.asked.append((name, arg))
        answer = self.answers.get(name, ANSWERS.get(name))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(arg)
        if isinstance(answer, Exception):
            raise answer
        return answer


def activities(script: Script) -> list[Callable[..., Any]]:
    """One fake for each real activity, which takes and gives what the real one does."""

    def fake(real: Callable[..., Any]) -> Callable[..., Any]:
        async def run(arg: Any) -> Any:
            return script.answer(real.__name__, arg)

        hints = typing.get_type_hints(real)
        gives = hints.pop("return")
        run.__annotations__ = {"arg": next(iter(hints.values())), "return": gives}
        return activity.defn(name=real.__name__)(run)

    return [fake(real) for real in real_activities()]


def real_activities() -> Iterator[Callable[..., Any]]:
    """Every activity that a worker has, unbound."""
    for kind in vars(assembly).values():
        if isinstance(kind, type):
            found = vars(kind).values()
            yield from (method for method in found if hasattr(method, "__temporal_activity_definition"))


@dataclass
class Stage:
    """A worker over a script, on queues of its own."""

    client: Client
    script: Script
    queue: str

    def payment(self, payment_id: str = "", policy: PaymentPolicy = QUICK) -> PaymentInput:
        """A start for a payment nobody else has."""
        return PaymentInput(
            connection="shop",
            payment_id=payment_id or f"pi_{uuid.uuid4().hex}",
            organization_id="10",
            policy=policy,
            zoho_queue=f"{self.queue}-zoho",
        )

    async def start(self, start: PaymentInput, kind: str = "payment_intent.succeeded") -> WorkflowHandle[Any, Any]:
        """Signal-with-start, as the ingress does it."""
        return await self.client.start_workflow(
            contract.PAYMENT_WORKFLOW,
            start,
            id=contract.payment_workflow_id(start.connection, start.payment_id),
            task_queue=self.queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.PAYMENT_EVENT,
            start_signal_args=[event(start.payment_id, kind)],
        )

    async def change(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run that carries over what `seen` changed."""
        return await self.client.start_workflow(
            contract.CHANGE_WORKFLOW,
            ChangeInput(**dict(start), event=seen),
            id=contract.change_workflow_id(start.connection, seen.event_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(contract.CONNECTION, start.connection),
                    SearchAttributePair(contract.BUSINESS_IDS, [start.payment_id, seen.event_id]),
                ]
            ),
        )

    async def refund(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run of the refund that `seen` is about."""
        return await self.client.start_workflow(
            contract.REFUND_WORKFLOW,
            RefundInput(**dict(start), refund_id=seen.object_id, event=seen),
            id=contract.refund_workflow_id(start.connection, seen.object_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.REFUND_EVENT,
            start_signal_args=[seen],
        )

    async def adjustment(
        self, adjustment_id: str, policy: PaymentPolicy, payment_id: str = ""
    ) -> WorkflowHandle[Any, Any]:
        """The run of an adjustment that may propose a refund; its payment is known where a refund tells of it."""
        start = self.payment(policy=policy).model_copy(update={"payment_id": payment_id})
        return await self.client.start_workflow(
            contract.ADJUSTMENT_WORKFLOW,
            ProposalInput(**dict(start), adjustment_id=adjustment_id),
            id=contract.adjustment_workflow_id(start.connection, adjustment_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.RETURN_EVENT,
            start_signal_args=[ReturnEvent(source="webhook")],
        )

    async def dispute(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run of the dispute that `seen` is about."""
        return await self.client.start_workflow(
            contract.DISPUTE_WORKFLOW,
            DisputeInput(**dict(start), dispute_id=seen.object_id, event=seen),
            id=contract.dispute_workflow_id(start.connection, seen.object_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.DISPUTE_EVENT,
            start_signal_args=[seen],
        )

    async def payout(self, start: PaymentInput, seen: PaymentEvent) -> WorkflowHandle[Any, Any]:
        """The run of the payout that `start` names."""
        return await self.client.start_workflow(
            contract.PAYOUT_WORKFLOW,
            PayoutInput(**dict(start), event=seen),
            id=contract.payout_workflow_id(start.connection, start.payment_id),
            task_queue=self.queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.PAYOUT_EVENT,
            start_signal_args=[seen],
        )

    async def return_(self, start: PaymentInput, return_id: str) -> WorkflowHandle[Any, Any]:
        """The run of a return that a webhook told of; it finds out itself which payment that is."""
        heard = ReturnEvent(source="webhook")
        return await self.client.start_workflow(
            contract.RETURN_WORKFLOW,
            ReturnInput(**{**dict(start), "payment_id": "", "return_id": return_id, "event": heard}),
            id=contract.return_workflow_id(start.connection, return_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
            start_signal=contract.RETURN_EVENT,
            start_signal_args=[heard],
        )

    async def polls(
        self, policy: PaymentPolicy, connection: str, polls: int = 0, *, adjustments: bool = False, told: bool = False
    ) -> WorkflowHandle[Any, Any]:
        """The run that reads the connection's list of returns, or `adjustments`, which it has read `polls` times.

        `told`: a worker that starts says so, as to one that runs.
        """
        start = PollInput(**{**dict(self.payment(policy=policy)), "connection": connection, "polls": polls})
        named = contract.adjustment_poll_workflow_id if adjustments else contract.return_poll_workflow_id
        return await self.client.start_workflow(
            contract.ADJUSTMENT_POLL_WORKFLOW if adjustments else contract.RETURN_POLL_WORKFLOW,
            start,
            id=named(connection),
            task_queue=self.queue,
            start_signal=contract.LOOK_NOW if told else None,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, connection)]),
        )

    async def order_polls(self, policy: PaymentPolicy, connection: str) -> WorkflowHandle[Any, Any]:
        """The run that reads what was changed in the connection's Zoho."""
        start = PollInput(**{**dict(self.payment(policy=policy)), "connection": connection})
        return await self.client.start_workflow(
            contract.ORDER_POLL_WORKFLOW,
            start,
            id=contract.order_poll_workflow_id(connection),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, connection)]),
        )

    async def check(self, start: PaymentInput) -> WorkflowHandle[Any, Any]:
        """The run that looks into the payment's order."""
        return await self.client.start_workflow(
            contract.ORDER_CHECK_WORKFLOW,
            OrderCheckInput(**dict(start), salesorder_id="so-1"),
            id=contract.order_check_workflow_id(start.connection, start.payment_id),
            task_queue=self.queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, start.connection)]),
        )


def event(object_id: str, kind: str = "payment_intent.succeeded", *changed: str) -> PaymentEvent:
    """A hint that something happened."""
    return PaymentEvent(
        event_id=f"evt_{uuid.uuid4().hex}",
        type=kind,
        object_id=object_id,
        created=datetime(2026, 11, 23, tzinfo=UTC),
        changed=changed,
    )


@asynccontextmanager
async def on_stage(client: Client, script: Script, *, cached: int = 1000) -> AsyncIterator[Stage]:
    """Workers for workflows and both kinds of activities, answering from `script`."""
    queue = f"fakes-{uuid.uuid4()}"
    fakes = activities(script)
    async with (
        Worker(
            client,
            task_queue=queue,
            workflows=WORKFLOWS,
            activities=fakes,
            max_cached_workflows=cached,
        ),
        Worker(client, task_queue=f"{queue}-zoho", activities=fakes),
    ):
        yield Stage(client, script, queue)
