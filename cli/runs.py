"""How commands find payments' runs in Temporal, and what they say of themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowExecution, WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from cli.exits import CannotStart, Exit, Stop
from cli.moments import stamp
from domain.payout_checks import PayoutCheckInput
from domain.sweeps import SweepInput
from workflows import contract

Result = TypeVar("Result", bound=BaseModel)
QUERY_PATIENCE = timedelta(seconds=5)  # for a worker to answer for its run
_EVERY = timedelta(seconds=1)  # between two looks at a run that is followed


PAYMENTS = (contract.PAYMENT_WORKFLOW,)
# What may wait for a person.
ATTENDED = (
    contract.PAYMENT_WORKFLOW,
    contract.CHANGE_WORKFLOW,
    contract.REFUND_WORKFLOW,
    contract.DISPUTE_WORKFLOW,
    contract.RETURN_WORKFLOW,
    contract.ORDER_CHECK_WORKFLOW,
    contract.ADJUSTMENT_WORKFLOW,
    contract.PAYOUT_WORKFLOW,
    contract.RESOLVE_WORKFLOW,
)


async def find_runs(
    client: Client, clauses: Iterable[str], limit: int | None = None, *, kinds: Iterable[str] = PAYMENTS
) -> list[WorkflowExecution]:
    """Runs of these kinds that match every clause, the newest first; Stop where a clause is no query of Temporal's."""
    try:
        return [run async for run in client.list_workflows(query_of(clauses, kinds), limit=limit)]
    except RPCError as error:
        raise no_list(error) from error


async def count_runs(client: Client, clauses: Iterable[str], *, kinds: Iterable[str] = PAYMENTS) -> int:
    """How many runs of these kinds match every clause; Stop as for `find_runs`."""
    try:
        return (await client.count_workflows(query_of(clauses, kinds))).count
    except RPCError as error:
        raise no_list(error) from error


async def run_asked_for(
    client: Client,
    workflow: str,
    usual: SweepInput | PayoutCheckInput,
    span: tuple[datetime, datetime],
    *,
    id_of: Callable[[str, str, str], str],
    what: str,
    gives: type[Result],
    queue: str,
    show: Callable[[Result], None],
) -> Result:
    """What the `usual` run came to for the span that a person asked for; the same asked twice is one run.

    `show` hears on the way how far it is. Stop where `what` failed.
    """
    since, until = span
    wanted = usual.model_copy(update={"since": since, "until": until, "regular": False})
    handle = await client.start_workflow(
        workflow,
        wanted,
        id=id_of(wanted.connection, stamp(since), stamp(until)),
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, wanted.connection)]),
        priority=Priority(fairness_key=wanted.connection),
        static_summary=f"{what} of {wanted.connection}",
        result_type=gives,
    )
    end = asyncio.ensure_future(handle.result())
    try:
        async for seen in progress_of(handle, end, gives):
            show(seen)
        return gives.model_validate(await end)
    except WorkflowFailureError as failure:
        raise Stop(f"The {what} {handle.id} failed: {failure.cause}. See it in Temporal's UI.") from failure
    finally:
        end.cancel()


async def progress_of(
    handle: WorkflowHandle[Any, Any], end: asyncio.Future[Any], gives: type[Result]
) -> AsyncIterator[Result]:
    """What the run says of how far it is, each second until its `end`; nothing while no worker answers."""
    while not end.done():
        try:
            seen = gives.model_validate(await handle.query(contract.PROGRESS, rpc_timeout=QUERY_PATIENCE))
        except RPCError:
            continue
        finally:
            await asyncio.wait([end], timeout=_EVERY.total_seconds())
        yield seen


def query_of(clauses: Iterable[str], kinds: Iterable[str] = PAYMENTS) -> str:
    """The visibility query for runs of these kinds that match every clause."""
    named = ", ".join(f"'{kind}'" for kind in kinds)
    return " AND ".join([f"WorkflowType IN ({named})", *clauses])


def no_list(error: RPCError) -> Stop:
    """Why Temporal gave no list, and what to type."""
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return Stop(f"Temporal does not understand the query: {error.message}.", Exit.USAGE)
    return CannotStart(f"Temporal did not answer the list: {error.message}. Try: throughline doctor")


def connection_is(connection: str) -> list[str]:
    """The clause for one connection; none for ""."""
    return [f"{contract.CONNECTION.name} = '{quoted(connection)}'"] if connection else []


def quoted(text: str) -> str:
    """`text` for a visibility query; Stop where it could end the quotation."""
    if not re.fullmatch(r"[\w.:-]+", text):
        raise Stop(f"{text!r} is no id or name.", Exit.USAGE)
    return text


def names_of(run: WorkflowExecution) -> tuple[str, str]:
    """Connection and payment of a payment's run, or connection and event of a change's, from its id."""
    _, connection, payment = run.id.split(":", 2)
    return connection, payment
