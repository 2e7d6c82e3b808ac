"""The workers that a process runs: one for stories and Stripe, two for Zoho's calls."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.assembly import Activities
from activities.failures import FailureInterceptor
from workflows import contract
from workflows.adjustments import AdjustmentWorkflow
from workflows.backfills import BackfillWorkflow
from workflows.changes import ChangeWorkflow
from workflows.disputes import DisputeWorkflow
from workflows.order_checks import OrderCheckWorkflow
from workflows.order_polls import OrderPollWorkflow
from workflows.payments import PaymentWorkflow
from workflows.payout_checks import PayoutCheckWorkflow
from workflows.payouts import PayoutWorkflow
from workflows.refunds import RefundWorkflow
from workflows.resolves import ResolveWorkflow
from workflows.return_polls import AdjustmentPollWorkflow, ReturnPollWorkflow
from workflows.returns import ReturnWorkflow
from workflows.sweeps import SweepWorkflow

WORKFLOWS = [
    PaymentWorkflow,
    ChangeWorkflow,
    RefundWorkflow,
    DisputeWorkflow,
    ReturnWorkflow,
    PayoutWorkflow,
    ReturnPollWorkflow,
    OrderPollWorkflow,
    OrderCheckWorkflow,
    AdjustmentWorkflow,
    AdjustmentPollWorkflow,
    ResolveWorkflow,
    SweepWorkflow,
    BackfillWorkflow,
    PayoutCheckWorkflow,
]
QUEUES = (contract.MAIN_QUEUE, contract.ZOHO_QUEUE)
# Longer than a call to Zoho may take, so that a deploy lets the calls at hand end.
_GRACE = timedelta(seconds=50)
# Stories told at once: one interpreter tells them, so more would only wait in here, where shops do not take turns,
# instead of at the server, where they do.
_TASKS = 10


def make_workers(
    client: Client, activities: Activities, *, queues: tuple[str, str] = QUEUES, cached: int = 1000
) -> list[Worker]:
    """A worker of stories and Stripe, and two of Zoho calls only, whose pace the server sets: live ones and bulk."""
    main, zoho = queues
    interceptors = [FailureInterceptor()]
    return [
        Worker(
            client,
            task_queue=main,
            workflows=WORKFLOWS,
            activities=activities.main,
            interceptors=interceptors,
            max_cached_workflows=cached,
            graceful_shutdown_timeout=_GRACE,
            max_concurrent_workflow_tasks=_TASKS,
            # Begun by the worker itself, an activity would be counted neither among its shop's a second nor in turns.
            disable_eager_activity_execution=True,
        ),
        *(
            Worker(
                client,
                task_queue=queue,
                activities=calls,
                interceptors=interceptors,
                graceful_shutdown_timeout=_GRACE,
            )
            for queue, calls in ((zoho, activities.zoho), (contract.bulk_queue(zoho), activities.bulk))
        ),
    ]
