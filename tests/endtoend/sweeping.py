"""Sweeps of a house, started by hand, and what a test looks at afterwards."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pprint import pformat
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from domain.sweeps import Source, SweepInput, Swept, Why
from tests.endtoend.outcomes import canonical
from tests.house import House
from workflows import contract

HOUR = timedelta(hours=1)
Found = set[tuple[str, Source, Why]]


async def sweep(house: House, *, back: timedelta = HOUR, **changes: Any) -> Swept:
    """What a sweep of the last hour came to, up to this very second."""
    now = datetime.now(UTC)
    wanted = house.connection.sweeps().model_copy(
        update={"since": now - back, "until": now + timedelta(seconds=1), "regular": False, **changes}
    )
    return await asyncio.wait_for(start(house, wanted), 120)


async def start(house: House, wanted: SweepInput) -> Swept:
    """The result of a sweep that begins now."""
    found = await house.client.execute_workflow(
        contract.SWEEP_WORKFLOW,
        wanted,
        id=contract.sweep_workflow_id(house.slug, uuid.uuid4().hex, "now"),
        task_queue=house.queue,
        result_type=Swept,
    )
    return Swept.model_validate(found)


def found(swept: Swept) -> Found:
    """What was missed, where it was seen, and why."""
    return {(one.about, one.source, one.why) for one in swept.gaps}


async def calls(house: House) -> dict[str, int]:
    """How often Zoho was asked what."""
    return dict((await house.zoho(house.connection.zoho.organization_id, only="calls"))["calls"]["counts"])


async def all_closed(house: House, *, within: float = 90) -> None:
    """Waits until no run of the house is open."""
    query = f"Connection = '{house.slug}' AND ExecutionStatus = 'Running'"
    still: list[str] = []
    try:
        async with asyncio.timeout(within):
            while still := [run.id async for run in house.client.list_workflows(query)]:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"still open: {', '.join(still)}") from None


def documents(ledger: dict[str, Any], *sections: str) -> dict[str, list[str]]:
    """The documents of each section by themselves, without ids, numbers and times, in an order of their own."""
    return {name: sorted(pformat(canonical(row), width=160) for row in ledger[name]) for name in sections}


async def until(holds: Callable[[], Any], *, within: float = 60) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(within):
        while not await holds():
            await asyncio.sleep(0.1)


async def forget(house: House, run: WorkflowHandle[Any, Any]) -> None:
    """Temporal loses the run."""
    named = WorkflowExecution(workflow_id=run.id, run_id=(await run.describe()).run_id)
    request = DeleteWorkflowExecutionRequest(namespace=house.client.namespace, workflow_execution=named)
    await house.client.workflow_service.delete_workflow_execution(request)
    async with asyncio.timeout(60):
        while await counted(house, f"WorkflowId = '{run.id}'"):
            await asyncio.sleep(0.1)


async def counted(house: House, query: str) -> int:
    """How many runs match."""
    return (await house.client.count_workflows(query)).count
