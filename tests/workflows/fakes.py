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
from domain.policy import PaymentPolicy
from domain.refunds import (
    RefundInput,
)
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
