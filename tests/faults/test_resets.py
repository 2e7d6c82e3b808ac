"""A finished payment's run is reset to each of its steps: everything is found done, and nothing is written twice."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.endtoend.shops import Shop
from tests.faults.cells import Lane
from tests.faults.kinds import KINDS, Kind
from tests.faults.singles import shops_of

PAID = [kind for kind in KINDS.values() if kind.ends_paid]


async def steps(shop: Shop, payment: str) -> tuple[str, dict[int, str]]:
    """The run, and for each moment at which it decided to call an activity, the last such activity's name."""
    history = await shop.run_of(payment).fetch_history()
    scheduled = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    about = [event.activity_task_scheduled_event_attributes for event in scheduled]
    run_id = history.events[0].workflow_execution_started_event_attributes.original_execution_run_id
    return run_id, {one.workflow_task_completed_event_id: one.activity_type.name for one in about}


async def reset(shop: Shop, payment: str, run_id: str, event_id: int) -> None:
    """What `temporal workflow reset --event-id` does; returns when the new run has closed."""
    request = ResetWorkflowExecutionRequest(
        namespace=shop.client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=shop.run_of(payment).id, run_id=run_id),
        reason="test",
        workflow_task_finish_event_id=event_id,
        request_id=str(uuid.uuid4()),
    )
    answer = await shop.client.workflow_service.reset_workflow_execution(request)
    again = shop.client.get_workflow_handle(shop.run_of(payment).id, run_id=answer.run_id)
    assert (await again.result())["stage"] == "paid"


async def requests(shop: Shop) -> dict[str, int]:
    """How often each kind of write was asked of Zoho."""
    counts = (await shop.books())["calls"]["counts"]
    return {name: count for name, count in counts.items() if not name.startswith("GET ")}


async def after_each_reset(shop: Shop, kind: Kind) -> list[str]:
    """What is wrong after any of the resets of one payment."""
    lane = Lane(shop, kind)
    await lane.open()
    story = await lane.undisturbed()
    payment = lane.last
    run_id, found = await steps(shop, payment)
    before = await requests(shop)
    wrong = [] if {"create_sales_order", "record_payment", "write_back"} <= set(found.values()) else ["steps missing"]
    for event_id, name in found.items():
        await reset(shop, payment, run_id, event_id)
        lines, status = await lane.judged(payment, story, trail=False)
        wrong += [f"reset to {name}: {line}" for line in lines]
        if status is not WorkflowExecutionStatus.COMPLETED:
            wrong.append(f"reset to {name}: {status.name.lower()}")
    if (after := await requests(shop)) != before:
        wrong.append(f"asked Zoho for {after}, before for {before}")
    return wrong


@pytest.mark.timeout(300)
async def test_reset_to_any_step_of_a_finished_payment_writes_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Not one write is even asked for: every effect is known as done."""
    names = [kind.name for kind in PAID]
    async with shops_of(temporal_client, tmp_path, {kind.name: kind for kind in PAID}) as street:
        found = await asyncio.gather(*(after_each_reset(street[kind.name], kind) for kind in PAID))
    assert {name: wrong for name, wrong in zip(names, found, strict=True) if wrong} == {}
