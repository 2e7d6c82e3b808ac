"""What our namespace needs of a running server: retention, search attributes, the limits of Zoho's queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    UpdateNamespaceRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client

from clients.temporal import add_search_attributes
from workflows.contract import MAIN_QUEUE, SEARCH_ATTRIBUTES, ZOHO_BULK_QUEUE, ZOHO_QUEUE

RETENTION = timedelta(days=30)
# Calls a second for one organisation: 90 of its 100 a minute. Work in bulk may have a few more while no payment wants
# any: the organisation's row in the store, which lets a bulk call through only then, is what limits it, and both
# together never above the limit.
ZOHO_RPS = 1.5
ZOHO_BULK_RPS = 1.6
# Activities a second for one shop on the main queue. A payment has two to four there, and Zoho takes eighteen payments
# a minute: none of them waits for this. A thousand announced at once begin one by one, beside the other shops'.
MAIN_RPS = 2.0
_REASON = "what Zoho takes from one organisation, and one shop from the workers"


@dataclass(frozen=True)
class Limits:
    """Activities a second for one organisation, or one shop, on each queue; None lifts the limit."""

    zoho: float | None = ZOHO_RPS
    zoho_bulk: float | None = ZOHO_BULK_RPS
    main: float | None = MAIN_RPS

    def by_queue(self) -> dict[str, float | None]:
        """The limit of each queue by the queue's name."""
        return {ZOHO_QUEUE: self.zoho, ZOHO_BULK_QUEUE: self.zoho_bulk, MAIN_QUEUE: self.main}


NO_LIMITS = Limits(None, None, None)


async def prepare(client: Client, limits: Limits, retention: timedelta = RETENTION) -> None:
    """Brings the client's namespace to what we need; repeating it changes nothing. Raises RPCError."""
    if await namespace_retention(client) < retention:
        span = Duration()
        span.FromTimedelta(retention)
        config = NamespaceConfig(workflow_execution_retention_ttl=span)
        request = UpdateNamespaceRequest(namespace=client.namespace, config=config)
        await client.workflow_service.update_namespace(request)
    await add_search_attributes(client, SEARCH_ATTRIBUTES)
    for queue, limit in limits.by_queue().items():
        await limit_each_organisation(client, queue, limit)


async def namespace_retention(client: Client) -> timedelta:
    """How long closed runs are remembered."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    answer = await client.workflow_service.describe_namespace(request)
    return answer.config.workflow_execution_retention_ttl.ToTimedelta()


async def limit_each_organisation(client: Client, queue: str, per_second: float | None) -> None:
    """Limits the activities of `queue` for each fairness key (an organisation, a shop); None lifts the limit."""
    limit = None if per_second is None else RateLimit(requests_per_second=per_second)
    await client.workflow_service.update_task_queue_config(
        UpdateTaskQueueConfigRequest(
            namespace=client.namespace,
            identity="throughline",
            task_queue=queue,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_fairness_key_rate_limit_default=UpdateTaskQueueConfigRequest.RateLimitUpdate(
                rate_limit=limit, reason=_REASON
            ),
        )
    )


async def organisation_limit(client: Client, queue: str) -> float | None:
    """The limit for each organisation that `queue` has now, None without one."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            report_config=True,
        )
    )
    default = answer.config.fairness_keys_rate_limit_default
    return default.rate_limit.requests_per_second if default.HasField("rate_limit") else None
