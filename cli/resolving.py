"""`throughline exceptions resolve`: a person's answer, given to one waiting payment or to many."""

from __future__ import annotations

import asyncio
import getpass
import re
import sys
from collections.abc import Sequence
from datetime import timedelta

import typer
from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from cli.exceptions import risk_of
from cli.exits import Exit, Stop
from cli.output import Format, say, show_rows
from cli.reach import temporal_client
from cli.waiting import AT_ONCE, Selection, Waiting, ask, find_waiting
from clients.settings import load_settings
from domain.attention import Action, Answer, read_answer
from workflows import contract

COLUMNS = {"payment": "Payment", "connection": "Connection", "outcome": "Outcome", "detail": "Why"}
PATIENCE = timedelta(seconds=10)  # for a worker to take or refuse an answer
SHOWN = 10  # payments that a plan names one by one
TAKEN = "taken"


async def resolve(chosen: Selection, answer: Answer, *, sure: bool, form: Format) -> Exit:
    """Gives `answer` to every chosen payment and tells what became of each; FAILED where one did not take it.

    A choice by class, connection or query, an abort and a refund are shown first, and go on only when somebody says so.
    """
    if chosen == Selection():
        raise Stop("Name payments, or choose them by --class, --connection or --query.", Exit.USAGE)
    client = await temporal_client(load_settings())
    waiting = await find_waiting(client, chosen)
    if (not chosen.ids or answer.action in (Action.ABORT, Action.REFUND)) and any(one.trouble for one in waiting):
        _plan(answer, waiting)
        if not sure:
            waiting = await _confirmed(client, waiting)
    rows = await _answer_all(client, waiting, answer)
    if rows or form is Format.JSON:
        show_rows(rows, COLUMNS, form)
    taken = sum(row["outcome"] == TAKEN for row in rows)
    say(f"{taken} of {len(rows)} took the answer {answer.action.value} by {answer.by}." if rows else "Nothing waits.")
    return Exit.OK if taken == len(rows) else Exit.FAILED


def answer_of(action: str, *, reason: str, by: str, changes: Sequence[str], order: str = "") -> Answer:
    """What the person typed, as an answer; Stop says what is wrong with it. `by` "" is the system's user."""
    amendments = [_amendment(change) for change in changes]
    said = read_answer(
        {"action": action, "reason": reason, "by": by or user(), "amendments": amendments, "order": order}
    )
    if isinstance(said, str):
        raise Stop(f"This is no answer: {said}.", Exit.USAGE)
    return said


def _amendment(change: str) -> dict[str, str]:
    match = re.fullmatch(r"(?P<line>[^:=]+):(?P<field>\w+)=(?P<value>.+)", change)
    if match is None:
        raise Stop(f"{change!r} is no correction: write LINE:FIELD=VALUE, such as 1:sku=MUG.", Exit.USAGE)
    return match.groupdict()


def user() -> str:
    """Who types, as the system knows him; Stop where it does not."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise Stop("The system does not say who you are: say it with --by.", Exit.USAGE) from error


def _plan(answer: Answer, waiting: Sequence[Waiting]) -> None:
    troubles = [one.trouble for one in waiting if one.trouble]
    say(f"{answer.action.value}, by {answer.by}, to {len(troubles)} waiting, {risk_of(troubles)} at risk:")
    for one in waiting[:SHOWN]:
        asked = one.trouble
        what = f"{asked.attention_class.value} · {asked.at_risk or 'amount unknown'}" if asked else one.silent
        say(f"  {one.payment} · {what}")
    if len(waiting) > SHOWN:
        say(f"  and {len(waiting) - SHOWN} more")


async def _confirmed(client: Client, waiting: Sequence[Waiting]) -> list[Waiting]:
    """The payments as they are once the person said yes: one that asks something else by then is not answered."""
    if not sys.stdin.isatty():
        raise Stop("Nothing was answered: nobody can be asked here, so add --yes.", Exit.USAGE)
    if not typer.confirm("Go on?", err=True):
        raise Stop("Nothing was answered.")
    again = await ask(client, [one.run for one in waiting])
    return [new if new.trouble == old.trouble else _changed(new) for old, new in zip(waiting, again, strict=True)]


def _changed(one: Waiting) -> Waiting:
    return Waiting(one.run, silent=one.silent or "it changed while you were asked: look again")


async def _answer_all(client: Client, waiting: Sequence[Waiting], answer: Answer) -> list[dict[str, str]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(asked: Waiting) -> dict[str, str]:
        async with gate:
            outcome, detail = await _answer(client, asked, answer)
        return {"payment": asked.payment, "connection": asked.connection, "outcome": outcome, "detail": detail}

    return await asyncio.gather(*map(one, waiting))


async def _answer(client: Client, asked: Waiting, answer: Answer) -> tuple[str, str]:
    """What became of the answer to one run, and why."""
    if asked.trouble is None:
        return "not asked", asked.silent or "it does not wait for a person"
    handle = client.get_workflow_handle(asked.run.id)
    try:
        await handle.execute_update(contract.RESOLVE, answer.model_dump(mode="json"), rpc_timeout=PATIENCE)
    except WorkflowUpdateFailedError as error:
        return "refused", error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
    except RPCTimeoutOrCancelledError:
        return "unknown", "no worker answered in time: look again before you answer anew"
    except RPCError as error:
        ended = error.status is RPCStatusCode.NOT_FOUND
        return ("not asked", "its run has ended") if ended else ("unknown", error.message)
    return TAKEN, ""
