"""`throughline backfill`: payments of a time that is over, carried by a durable run; followed, paused and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowFailureError, WorkflowHandle
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from cli.exits import Exit, Stop
from cli.moments import range_of, said
from cli.output import Format, say, show_json, show_rows
from cli.reach import one_connection, open_store, temporal_client
from cli.runs import QUERY_PATIENCE, connection_is, find_runs, progress_of
from clients.connections import Connection
from clients.settings import Settings, load_settings
from domain.backfills import Backfilled, BackfillInput, Phase, forecast, overlap
from domain.backfills import said as said_of
from workflows import contract

BULK_PER_MINUTE = 91  # what a shop without live payments gives to calls in bulk; docs/architecture.md
_TIME = "%Y%m%dT%H%M%SZ"
COLUMNS = {
    "backfill": "Backfill",
    "state": "State",
    "payments": "Payments",
    "started": "Started",
    "completed": "Completed",
    "open": "Under way",
    "waiting": "Wait for a person",
    "failed": "Without an order",
    "known": "Carried before",
    "left": "Left",
    "forecast": "Done at this plan",
}


@dataclass(frozen=True)
class Range:
    """A time that is over, in whole seconds, as Stripe counts."""

    since: datetime
    until: datetime

    def id(self, connection: str) -> str:
        """The id of the run that carries it."""
        return contract.backfill_workflow_id(connection, self.since.strftime(_TIME), self.until.strftime(_TIME))

    @classmethod
    def of(cls, run_id: str) -> Range:
        """The time that a run of this id carries."""
        _, _, since, until = run_id.split(":")
        return cls(*(datetime.strptime(text, _TIME).replace(tzinfo=UTC) for text in (since, until)))


async def start(
    name: str,
    since: str,
    until: str,
    *,
    at_once: int,
    detach: bool,
    form: Format,
    queue: str = contract.MAIN_QUEUE,
) -> Exit:
    """Begins the backfill and follows it to its end. Stop where another one of the connection shares its time."""
    settings = load_settings()
    connection = one_connection(settings, name)
    wanted = await range_at(settings, connection, since, until)
    client = await temporal_client(settings)
    await _refuse_overlap(client, connection, wanted)
    handle = await _start(client, connection, wanted, at_once, queue)
    say(f"Backfilling {connection.slug} from {said(wanted.since)} to {said(wanted.until)}: {handle.id}")
    if detach:
        say(f"throughline backfill show {handle.id} tells how far it is.")
        return Exit.OK
    say("Ctrl-C leaves it running; throughline backfill pause holds it.")
    done = await _followed(handle)
    _show([(handle.id, done)], connection, form)
    return Exit.OK


async def show(named: str, name: str, form: Format) -> Exit:
    """One line for each backfill that runs, or the newest ones where none does."""
    settings = load_settings()
    client = await temporal_client(settings)
    connection = one_connection(settings, name)
    runs = await _runs(client, connection, named, running=True) or await _runs(client, connection, named, running=False)
    found = [(run.id, await _progress(client, run.id)) for run in _newest(runs)[:10]]
    _show(found, connection, form)
    return Exit.OK


async def pause(named: str, name: str) -> Exit:
    """The one backfill that runs starts no more payments. Stop where it is not clear which."""
    return await _tell(named, name, contract.PAUSE)


async def resume(named: str, name: str) -> Exit:
    """The one backfill that runs goes on. Stop where it is not clear which."""
    return await _tell(named, name, contract.RESUME)


async def _tell(named: str, name: str, signal: str) -> Exit:
    settings = load_settings()
    client = await temporal_client(settings)
    connection = one_connection(settings, name)
    runs = await _runs(client, connection, named, running=True)
    if len(runs) != 1:
        ids = ", ".join(run.id for run in runs)
        raise Stop(f"Name one of them: {ids}." if ids else f"No backfill of {connection.slug} is running.", Exit.USAGE)
    await client.get_workflow_handle(runs[0].id).signal(signal)
    say(f"{runs[0].id} was told to {signal}.")
    return Exit.OK


async def range_at(settings: Settings, connection: Connection, since: str, until: str) -> Range:
    """The time that was typed: a day is the organisation's own, where we know its time zone, else UTC's."""
    store = await open_store(settings)
    try:
        budget = await store.budgets.read(connection.zoho.organization_id)
    finally:
        await store.close()
    now = datetime.now(UTC)
    begin, end = range_of(since, until, now, zone=budget.time_zone if budget else "")
    assert begin is not None
    whole = timedelta(microseconds=end.microsecond)
    return Range(begin.replace(microsecond=0), end - whole)


async def _start(
    client: Client, connection: Connection, wanted: Range, at_once: int, queue: str
) -> WorkflowHandle[object, Backfilled]:
    given = BackfillInput(
        connection=connection.slug,
        organization_id=connection.zoho.organization_id,
        since=wanted.since,
        until=wanted.until,
        policy=connection.policy,
        at_once=at_once,
        reserve=connection.zoho.daily_reserve,
        per_minute=BULK_PER_MINUTE,
    )
    try:
        return await client.start_workflow(
            contract.BACKFILL_WORKFLOW,
            given,
            id=wanted.id(connection.slug),
            task_queue=queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, connection.slug)]),
            priority=Priority(fairness_key=connection.slug),
            static_summary=f"backfill of {connection.slug}",
            result_type=Backfilled,
        )
    except WorkflowAlreadyStartedError as error:
        raise _shares(error.workflow_id) from None


async def _refuse_overlap(client: Client, connection: Connection, wanted: Range) -> None:
    """Two of one time would do no harm, for each payment has one run; but nobody could tell which counts what."""
    for run in await _runs(client, connection, "", running=True):
        other = Range.of(run.id)
        if overlap(wanted.since, wanted.until, other.since, other.until):
            raise _shares(run.id)


def _shares(run_id: str) -> Stop:
    return Stop(
        f"{run_id} is running and shares some of that time: wait for it, name another time, or see throughline "
        "backfill show.",
        Exit.USAGE,
    )


async def _runs(client: Client, connection: Connection, named: str, *, running: bool) -> list[WorkflowExecution]:
    clauses = connection_is(connection.slug) + (["ExecutionStatus = 'Running'"] if running else [])
    runs = await find_runs(client, clauses, kinds=[contract.BACKFILL_WORKFLOW])
    return [run for run in runs if named in ("", run.id)]


def _newest(runs: Iterable[WorkflowExecution]) -> list[WorkflowExecution]:
    """The newest run of each id, the newest first."""
    found: dict[str, WorkflowExecution] = {}
    for run in runs:
        found.setdefault(run.id, run)
    return list(found.values())


async def _progress(client: Client, run_id: str) -> Backfilled | None:
    try:
        handle = client.get_workflow_handle(run_id)
        return Backfilled.model_validate(await handle.query(contract.PROGRESS, rpc_timeout=QUERY_PATIENCE))
    except RPCError:
        return None


async def _followed(handle: WorkflowHandle[object, Backfilled]) -> Backfilled:
    """What it came to; on the way it is told how far it is, whenever that changes."""
    end, told = asyncio.ensure_future(handle.result()), ""
    try:
        async for seen in progress_of(handle, end, Backfilled):
            if (words := _one_line(seen)) != told:
                say(words)
            told = words
        return Backfilled.model_validate(await end)
    except WorkflowFailureError as failure:
        raise Stop(f"The backfill {handle.id} ended: {failure.cause}. See it in Temporal's UI.") from failure
    finally:
        end.cancel()


def _one_line(seen: Backfilled) -> str:
    if seen.phase is Phase.COUNT:
        return f"  counting: {seen.total} payments so far"
    words = (
        f"  {seen.total} payments: {seen.completed} completed, {len(seen.open)} under way, {seen.waiting} wait for a "
        f"person, {seen.failed} without an order, {seen.known} carried before, {seen.left} left"
    )
    if seen.cases.found or seen.cases.due:
        words = f"{words}; {said_of(seen.cases)}"
    return f"{words}; {seen.waits}" if seen.waits else words


def _show(found: list[tuple[str, Backfilled | None]], connection: Connection, form: Format) -> None:
    if form is Format.JSON:
        show_json([{"backfill": name, **_facts(seen, connection)} for name, seen in found])
        return
    show_rows([{"backfill": name, **_row(seen, connection)} for name, seen in found], COLUMNS, form)
    for name, seen in found:
        if seen and (seen.cases.found or seen.cases.due):
            say(f"{name}: {said_of(seen.cases)}.")


def _facts(seen: Backfilled | None, connection: Connection) -> dict[str, object]:
    if seen is None:
        return {"state": "no worker answered"}
    kept = seen.model_dump(mode="json", exclude={"queue", "open", "span", "cases"})
    cases = seen.cases.model_dump(mode="json", exclude={"due", "queue", "open"})
    return {
        **kept,
        "open": len(seen.open),
        "cases": {**cases, "found": seen.cases.found, "open": len(seen.cases.open), "left": len(seen.cases.queue)},
        "left": seen.left,
        "state": _state(seen),
        "forecast": _done(seen, connection),
    }


def _row(seen: Backfilled | None, connection: Connection) -> dict[str, str]:
    if seen is None:
        return {"state": "no worker answered"}
    numbers = {
        name: str(getattr(seen, name)) for name in ("started", "completed", "waiting", "failed", "known", "left")
    }
    about = {"payments": str(seen.total), "open": str(len(seen.open))}
    return {**about, **numbers, "state": _state(seen), "forecast": _done(seen, connection)}


def _state(seen: Backfilled) -> str:
    if seen.done_at is not None:
        return "done"
    if seen.paused:
        return "paused"
    return seen.waits or ("counting" if seen.phase is Phase.COUNT else "carrying")


def _done(seen: Backfilled, connection: Connection) -> str:
    """`Thursday, 2026-12-03 14:00 UTC`; "" where it is done or nobody knows."""
    if seen.done_at is not None or seen.phase is Phase.COUNT:
        return ""
    each = BackfillInput.model_fields["calls_each"].default
    done = forecast(
        seen.left + len(seen.cases.queue) + seen.busy,
        seen.quota,
        datetime.now(UTC),
        calls_each=each,
        reserve=connection.zoho.daily_reserve,
        per_minute=BULK_PER_MINUTE,
    )
    return f"{done:%A, %Y-%m-%d %H:%M} UTC" if done else "not at this plan"
