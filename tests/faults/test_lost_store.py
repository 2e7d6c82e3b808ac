"""Our store is lost after a payment, Temporal forgets it, and its events come again: Zoho knows what was done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.endtoend.shops import Shop, a_street
from tests.faults.cells import Lane
from tests.faults.faults import PATIENCE, POLICY, STORE
from tests.faults.kinds import KINDS, Kind, forget

PAID = [kind for kind in KINDS.values() if kind.ends == "paid"]


async def forgotten_by_temporal(shop: Shop, payment: str) -> None:
    """The run is gone, as after its retention."""
    execution = WorkflowExecution(workflow_id=shop.run_of(payment).id)
    request = DeleteWorkflowExecutionRequest(namespace=shop.client.namespace, workflow_execution=execution)
    await shop.client.workflow_service.delete_workflow_execution(request)
    async with asyncio.timeout(30):
        while True:
            try:
                await shop.run_of(payment).describe()
            except RPCError:
                return
            await asyncio.sleep(0.05)


async def carried_again(shop: Shop, kind: Kind) -> list[str]:
    """What is wrong once the payment's events have come again to a house that remembers nothing."""
    lane = Lane(shop, kind)
    await lane.open()
    story = await lane.undisturbed()
    payment, before = lane.last, await shop.books()
    await forgotten_by_temporal(shop, payment)
    forget(shop, *STORE)
    await shop.resend(payment)
    await lane.close(payment, "retry", 2.0)
    wrong, _ = await lane.judged(payment, story, trail=False)
    after = await shop.books()
    kinds = ("contacts", "salesorders", "invoices", "payments", "items")
    return wrong + [f"{name} changed" for name in kinds if before[name] != after[name]]


@pytest.mark.timeout(180)
async def test_events_again_after_everything_was_forgotten_write_no_second_document(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Neither Temporal nor our store knows the payment: the new run adopts order, invoice and payment."""
    names = [kind.name for kind in PAID]
    async with a_street(temporal_client, tmp_path, names, policy=POLICY, zoho_seconds=PATIENCE) as street:
        found = await asyncio.gather(*(carried_again(street[kind.name], kind) for kind in PAID))
    assert {name: wrong for name, wrong in zip(names, found, strict=True) if wrong} == {}
