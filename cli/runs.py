"""How commands find payments' runs in Temporal, and what they say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from cli.exits import CannotStart, Exit, Stop
from workflows import contract

QUERY_PATIENCE = timedelta(seconds=5)  # for a worker to answer for its run


PAYMENTS = (contract.PAYMENT_WORKFLOW,)
ATTENDED = (contract.PAYMENT_WORKFLOW, contract.CHANGE_WORKFLOW)  # what may wait for a person


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
