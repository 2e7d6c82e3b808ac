"""Temporal: reachable, remembering long enough, searchable, and holding to Zoho's pace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.checkups.finding import Finding, fail, ok, warn
from cli.reach import temporal_client
from cli.temporal_binary import SERVER_FLOOR
from cli.temporal_setup import RETENTION, Limits, namespace_retention, organisation_limit
from clients.settings import Settings
from clients.temporal import missing_search_attributes
from workflows import contract

SHORTEST = timedelta(days=7)  # Stripe retries a webhook for three days; a closed run has to be known longer


async def look(settings: Settings) -> AsyncIterator[Finding]:
    """CannotStart where Temporal cannot be reached."""
    client = await temporal_client(settings)
    try:
        for check in (_version, _retention, _attributes, _pace, _workers):
            async for finding in check(client):
                yield finding
    except RPCError as error:
        missing = error.status is RPCStatusCode.NOT_FOUND
        cure = f"temporal operator namespace create -n {client.namespace} --retention 720h"
        yield fail(
            f"Temporal namespace {client.namespace}",
            error.message,
            cure if missing else "give this client the right to read the namespace and its task queues",
        )


async def _version(client: Client) -> AsyncIterator[Finding]:
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    numbers = tuple(int(part) for part in info.server_version.split("-")[0].split(".") if part.isdigit())
    what, floor = "Temporal server", ".".join(map(str, SERVER_FLOOR))
    if numbers >= SERVER_FLOOR:
        yield ok(what, f"version {info.server_version}")
    else:
        cure = f"upgrade to {floor} or newer: limits for each organisation need it"
        yield warn(what, f"version {info.server_version or 'unknown'}", cure)


async def _retention(client: Client) -> AsyncIterator[Finding]:
    kept = await namespace_retention(client)
    what = f"retention of namespace {client.namespace}"
    cure = f"temporal operator namespace update -n {client.namespace} --retention {RETENTION.days * 24}h"
    if kept < SHORTEST:
        yield fail(what, f"{kept}: a late webhook would start a payment's run again", cure)
    elif kept < RETENTION:
        yield warn(what, f"{kept.days} days", cure)
    else:
        yield ok(what, f"{kept.days} days")


async def _attributes(client: Client) -> AsyncIterator[Finding]:
    missing = await missing_search_attributes(client, contract.SEARCH_ATTRIBUTES)
    if not missing:
        yield ok("search attributes", ", ".join(key.name for key in contract.SEARCH_ATTRIBUTES))
    for key in missing:
        kind = "".join(part.capitalize() for part in key.indexed_value_type.name.split("_"))
        cure = f"temporal operator search-attribute create -n {client.namespace} --name {key.name} --type {kind}"
        yield fail(f"search attribute {key.name}", "missing, or of another type", cure)


async def _pace(client: Client) -> AsyncIterator[Finding]:
    for queue, wanted in Limits().by_queue().items():
        limit = await organisation_limit(client, queue)
        what = f"pace of queue {queue}"
        cure = (
            f"temporal task-queue config set -n {client.namespace} --task-queue {queue} --task-queue-type activity "
            f"--fairness-key-rps-limit-default {wanted} (and matching.enableFairness=true on the server)"
        )
        if limit is None:
            rush = "one shop's rush slows the others down"
            harm = rush if queue == contract.MAIN_QUEUE else "Zoho will answer 429 under load"
            yield warn(what, f"no limit for each organisation: {harm}", cure)
        else:
            yield ok(what, f"{limit:g} calls a second for each organisation")


async def _workers(client: Client) -> AsyncIterator[Finding]:
    for queue in (contract.MAIN_QUEUE, contract.ZOHO_QUEUE, contract.ZOHO_BULK_QUEUE):
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            )
        )
        what = f"workers on queue {queue}"
        if answer.pollers:
            yield ok(what, f"{len(answer.pollers)} seen in the last minutes")
        else:
            yield warn(what, "none", "start one: throughline up")
