"""The workers that a process runs: one for stories and Stripe, one for Zoho's calls."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.assembly import Activities
from activities.failures import FailureInterceptor
from workflows.changes import ChangeWorkflow
from workflows.disputes import DisputeWorkflow
from workflows.payments import PaymentWorkflow
from workflows.refunds import RefundWorkflow
from workflows.resolves import ResolveWorkflow

WORKFLOWS = [PaymentWorkflow, ChangeWorkflow, RefundWorkflow, DisputeWorkflow, ResolveWorkflow]
# Longer than a call to Zoho may take, so that a deploy lets the calls at hand end.
_GRACE = timedelta(seconds=50)


def make_workers(
    client: Client, activities: Activities, *, queues: tuple[str, str], cached: int = 1000
) -> list[Worker]:
    """A worker of stories and Stripe, and one of Zoho calls only, whose pace the server sets."""
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
        ),
        Worker(
            client,
            task_queue=zoho,
            activities=activities.zoho,
            interceptors=interceptors,
            graceful_shutdown_timeout=_GRACE,
        ),
    ]
