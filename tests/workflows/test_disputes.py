"""A dispute, told on the real server with activities that answer from a script."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from domain.disputes import DisputeInput, DisputeStatus
from domain.runs import Stage
from tests.workflows.fakes import Script, event, on_stage
from tests.workflows.samples import DISPUTE, QUICK
from tests.workflows.test_payments import until_stage
from workflows import contract

OPEN = DISPUTE.model_copy(
    update={"status": DisputeStatus.OPEN, "needs_response": True, "due_by": datetime(2026, 1, 1, tzinfo=UTC)}
)


async def test_people_are_reminded_once_before_evidence_is_due(temporal_client: Client) -> None:
    """The deadline is near: they hear of the dispute, of the deadline, and of the end."""
    script = Script({"fetch_dispute": [OPEN, DISPUTE]})
    async with on_stage(temporal_client, script) as stage:
        start = stage.payment(policy=QUICK.model_copy(update={"evidence_reminder": timedelta(days=1)}))
        dispute_id = f"du_{start.payment_id[3:]}"
        handle = await temporal_client.start_workflow(
            contract.DISPUTE_WORKFLOW,
            DisputeInput(**dict(start), dispute_id=dispute_id, event=event(dispute_id, "charge.dispute.created")),
            id=contract.dispute_workflow_id(start.connection, dispute_id),
            task_queue=stage.queue,
        )
        await until_stage(handle, Stage.DISPUTED)
        while [wanted.about for wanted in script.inputs("notify_dispute")] != ["open", "reminder"]:
            await asyncio.sleep(0.01)
        await handle.signal(contract.DISPUTE_EVENT, event(dispute_id, "charge.dispute.closed"))
        assert (await handle.result())["status"] == "won"
    assert [wanted.about for wanted in script.inputs("notify_dispute")] == ["open", "reminder", "won"]
    assert "evidence is due by 2026-01-01" in script.inputs("notify_dispute")[1].message
