"""What Temporal alone costs: a workflow with as many activities as a known customer's payment, all of them empty."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

QUEUE = "bare"
ZOHO_QUEUE = "bare-zoho"
# A payment's: fetch and write back on the main queue, five calls to Zoho on their own, one local look at our memory.
MAIN = 2
ZOHO = 5
LOCAL = 1
_PATIENCE = timedelta(seconds=60)


@activity.defn
async def nothing(payment_id: str) -> str:
    """Nothing."""
    return payment_id


@workflow.defn
class BareWorkflow:
    """The same number of steps in the same order on the same kinds of queue."""

    @workflow.run
    async def run(self, payment_id: str) -> str:
        """One after the other, as a payment does."""
        await workflow.execute_activity(nothing, payment_id, start_to_close_timeout=_PATIENCE)
        for _ in range(LOCAL):
            await workflow.execute_local_activity(nothing, payment_id, start_to_close_timeout=_PATIENCE)
        for _ in range(ZOHO):
            await workflow.execute_activity(
                nothing, payment_id, task_queue=ZOHO_QUEUE, start_to_close_timeout=_PATIENCE
            )
        for _ in range(MAIN - 1):
            await workflow.execute_activity(nothing, payment_id, start_to_close_timeout=_PATIENCE)
        return payment_id
