"""The payments that wait for a person: which ones are meant, and what each of them asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from cli.exits import Exit, Stop
from cli.runs import ATTENDED, QUERY_PATIENCE, connection_is, find_runs, names_of, quoted
from domain.attention import AttentionClass, Trouble
from workflows import contract

AT_ONCE = 20  # runs that are asked or answered at the same time


@dataclass(frozen=True)
class Selection:
    """Which of the waiting payments are meant: the named ones, or all that match; `query` is Temporal's own."""

    ids: tuple[str, ...] = ()
    connection: str = ""
    attention_class: str = ""
    query: str = ""

    def clauses(self) -> list[str]:
        """The clauses of a visibility query for the waiting runs that match; Stop for a class there is none of."""
        clauses = [f"{contract.NEEDS_ATTENTION.name} = true", "ExecutionStatus = 'Running'"]
        clauses += connection_is(self.connection)
        if self.attention_class:
            clauses.append(f"{contract.ATTENTION_CLASS.name} = '{known_class(self.attention_class)}'")
        return [*clauses, f"({self.query})"] if self.query else clauses


@dataclass(frozen=True)
class Waiting:
    """A payment's run and what it asks: no `trouble` where it asks nothing, `silent` says why it did not tell."""

    run: WorkflowExecution
    trouble: Trouble | None = None
    silent: str = ""

    @property
    def payment(self) -> str:
        """The payment's id, or the event's where a change of a payment waits."""
        name = names_of(self.run)[1]
        return self.run.id if ":" in name else name

    @property
    def carried(self) -> str:
        """The id of the payment that it is about, under which the store keeps what was written."""
        ids = self.run.typed_search_attributes.get(contract.BUSINESS_IDS) or [self.payment]
        return ids[0]

    @property
    def connection(self) -> str:
        """The connection's name."""
        return names_of(self.run)[0]


def answers(run_id: str, step: str) -> bool:
    """Whether the effect `answer#n` or `answer#n@<case>` is an answer to the run, or to an earlier one of its id."""
    kind, _, about = run_id.split(":", 2)
    name, _, case = step.partition("@")
    if not name.startswith("answer#"):
        return False
    if kind == "check":  # each of its runs has a name of its own
        return case.startswith("check-")
    if kind in ("payment", "payout"):
        return case in ("", about)
    # A change that is told again after an answer counts its answers behind the event.
    return case.partition(".")[0] == about.partition(":")[0]


async def find_waiting(client: Client, chosen: Selection, limit: int | None = None) -> list[Waiting]:
    """The chosen runs, each with what it asks now, the one that waits longest first.

    A named run is among them even if it asks nothing; of the others only those that still wait.
    """
    if chosen.ids:
        named = [await _named(client, name, chosen) for name in chosen.ids]
        return await ask(client, list({run.id: run for run in named}.values()))
    found = await ask(client, await find_runs(client, chosen.clauses(), limit, kinds=ATTENDED))
    return sorted((one for one in found if one.trouble or one.silent), key=_since)


async def ask(client: Client, runs: Sequence[WorkflowExecution]) -> list[Waiting]:
    """What each run asks a person now, in the order of `runs`."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(run: WorkflowExecution) -> Waiting:
        if run.status is not WorkflowExecutionStatus.RUNNING:
            return Waiting(run)
        handle = client.get_workflow_handle(run.id)
        try:
            async with gate:
                said = await handle.query(contract.TROUBLE, rpc_timeout=QUERY_PATIENCE)
        except (RPCError, RPCTimeoutOrCancelledError, WorkflowQueryFailedError) as error:
            return Waiting(run, silent=f"no worker answered: {error}")
        return Waiting(run, Trouble.model_validate(said) if said else None)

    return await asyncio.gather(*map(one, runs))


async def _named(client: Client, name: str, chosen: Selection) -> WorkflowExecution:
    """The newest run of the one payment that `name` belongs to; Stop where there is none, or more than one."""
    ours = f"(WorkflowId = '{quoted(name)}' OR {contract.BUSINESS_IDS.name} = '{quoted(name)}')"
    newest: dict[str, WorkflowExecution] = {}
    for run in await find_runs(client, [*connection_is(chosen.connection), ours], kinds=ATTENDED):
        newest.setdefault(run.id, run)
    if len(newest) > 1:
        # A payment that has closed and its changes share ids: who waits is meant.
        newest = {run.id: run for run in newest.values() if run.status is WorkflowExecutionStatus.RUNNING} or newest
    if not newest:
        raise Stop(f"Temporal knows no payment with the id {name}. Try: throughline exceptions list")
    if len(newest) > 1:
        raise Stop(f"{name} belongs to several payments: {', '.join(sorted(newest))}. Name one of them.", Exit.USAGE)
    return newest.popitem()[1]


def _since(one: Waiting) -> float:
    return one.trouble.since.timestamp() if one.trouble else float("inf")


def known_class(attention_class: str) -> str:
    """The class; Stop for one there is none of."""
    known = [one.value for one in AttentionClass]
    if attention_class not in known:
        raise Stop(f"There is no class {attention_class!r}: there are {', '.join(known)}.", Exit.USAGE)
    return attention_class
