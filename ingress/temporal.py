"""Runs in Temporal: started by name or signalled, within a patience, and found again by their ids."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from clients.errors import TryLater
from clients.tracing import current_trace_id
from domain.runs import PaymentInput, ResolveInput, Stage
from ingress.door import Started
from workflows import contract

FAILED_ONLY = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
_SUMMARY_BYTES = 200  # the server refuses more


class Runs:
    """Runs on `client`. TryLater from all: Temporal did not accept within `patience`; doing it again is safe."""

    def __init__(self, client: Client, patience: timedelta, task_queue: str) -> None:
        self._client = client
        self._patience = patience
        self._task_queue = task_queue

    async def start(
        self,
        workflow: str,
        start: PaymentInput | ResolveInput,
        *,
        id: str,
        ids: list[str],
        connection: str,
        summary: list[str],
        reuse: WorkflowIDReusePolicy = FAILED_ONLY,
        **signal: Any,
    ) -> Started:
        """Starts the run, or tells the open one; `ids` are what people search it by, `summary` what they read.

        ALREADY_DONE where one has closed that `reuse` does not begin anew.
        """
        trace = current_trace_id()
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await self._client.start_workflow(
                    workflow,
                    start,
                    id=id,
                    task_queue=self._task_queue,
                    id_reuse_policy=reuse,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    search_attributes=_searchable(connection, ids),
                    # Shops take turns where workers are behind: one with a thousand payments waiting is one of them.
                    priority=Priority(fairness_key=connection),
                    memo={contract.TRACE_ID: trace} if trace else None,
                    static_summary=_one_line(summary),
                    rpc_timeout=self._patience,
                    **signal,
                )
        except WorkflowAlreadyStartedError:
            return Started.ALREADY_DONE
        except (RPCError, RuntimeError, TimeoutError) as error:  # RuntimeError: never connected
            raise TryLater("temporal", f"{workflow} was not accepted: {error!r}") from error
        return Started.ACCEPTED

    async def signal(self, id: str, name: str, said: object) -> bool:
        """Whether there is an open run `id`, which is told then."""
        handle = self._client.get_workflow_handle(id)
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                await handle.signal(name, said, rpc_timeout=self._patience)
        except (RPCError, RuntimeError, TimeoutError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise TryLater("temporal", f"{id} took no signal: {error!r}") from error
        return True

    async def described(self, id: str) -> WorkflowExecutionDescription | None:
        """The newest run `id`, None where there is none. TryLater where Temporal did not say."""
        handle = self._client.get_workflow_handle(id)
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                return await handle.describe(rpc_timeout=self._patience)
        except (RPCError, RuntimeError, TimeoutError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise TryLater("temporal", f"{id} was not described: {error!r}") from error


def _searchable(connection: str, ids: list[str]) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(contract.BUSINESS_IDS, list(dict.fromkeys(ids))),
            SearchAttributePair(contract.CONNECTION, connection),
            SearchAttributePair(contract.STAGE, Stage.RECEIVED.value),
            SearchAttributePair(contract.NEEDS_ATTENTION, False),
        ]
    )


def _one_line(parts: list[str]) -> str:
    """What a shop owner reads in the list of runs: ids and money, never a name."""
    return " · ".join(filter(None, parts)).encode()[:_SUMMARY_BYTES].decode(errors="ignore")
