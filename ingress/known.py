"""Which runs there are: the newest of each workflow id, as Temporal remembers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from clients.errors import TryLater
from domain.runs import Stage
from domain.sweeps import RunSeen
from workflows import contract

_AT_ONCE = 50  # ids in one question: about 3 kB
_SETTLES = (Stage.WAITING_FOR_MONEY.value, Stage.DISPUTED.value)


async def known_runs(client: Client, ids: Sequence[str], patience: timedelta) -> dict[str, RunSeen]:
    """The newest run of each id that has one. One question for fifty ids, and one for each that the list lacks.

    The list may lag by a second, so what it does not show is asked for by name. TryLater where Temporal did not say.
    """
    wanted = list(dict.fromkeys(ids))
    newest: dict[str, WorkflowExecution] = {}
    try:
        for begin in range(0, len(wanted), _AT_ONCE):
            named = ", ".join(f"'{name}'" for name in wanted[begin : begin + _AT_ONCE])
            async for run in client.list_workflows(f"WorkflowId IN ({named})", rpc_timeout=patience):
                if run.id not in newest or newest[run.id].start_time < run.start_time:
                    newest[run.id] = run
        for name in wanted:
            if name not in newest and (found := await _described(client, name, patience)):
                newest[name] = found
    except (RPCError, RuntimeError, TimeoutError) as error:
        raise TryLater("temporal", f"runs were not listed: {error!r}") from error
    return {name: _seen(run) for name, run in newest.items()}


async def _described(client: Client, name: str, patience: timedelta) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(name).describe(rpc_timeout=patience)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _seen(run: WorkflowExecution) -> RunSeen:
    """A run that continued as new and whose next one the list does not show yet is open."""
    open_ = run.status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
    return RunSeen(
        open=open_,
        waiting=open_ and bool(run.typed_search_attributes.get(contract.NEEDS_ATTENTION)),
        settles=open_ and run.typed_search_attributes.get(contract.STAGE) in _SETTLES,
        succeeded=run.status is WorkflowExecutionStatus.COMPLETED,
        closed_at=None if open_ else run.close_time,
    )
