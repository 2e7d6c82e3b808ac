"""The story of a backfill: counted, carried a few at a time, paused, and kept within the day."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.backfills import (
    Backfilled,
    BackfillInput,
    BackfillRows,
    Cases,
    CasesFound,
    ChargePage,
    ChargeRow,
    ChargesWanted,
    Quota,
    Watched,
    WatchInput,
)
from domain.sweeps import Case, begun_case
from tests.workflows.fakes import Script, Stage, on_stage
from tests.workflows.samples import QUICK
from workflows import contract

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=20)


def charge(number: int) -> ChargeRow:
    """One of many."""
    return ChargeRow(payment_id=f"pi_{number}", charge_id=f"ch_{number}", at=NOON)


def pages(*sizes: int, known: int = 0) -> Any:
    """A day for each size, of which the first `known` payments are carried already."""
    rows = iter(range(10_000))
    days = [tuple(charge(next(rows)) for _ in range(size)) for size in sizes]

    def answer(wanted: ChargesWanted) -> ChargePage:
        some = days[(wanted.since - NOON) // DAY]
        kept = tuple(row for row in some if not wanted.sift or int(row.payment_id[3:]) >= known)
        return ChargePage(rows=kept, until=wanted.since + DAY, span=DAY, known=len(some) - len(kept))

    return answer


def wanted(days: int = 1, **changes: Any) -> BackfillInput:
    """A backfill of some days that are over."""
    usual = {"since": NOON, "until": NOON + days * DAY, "policy": QUICK, "check_every": MOMENT, "organization_id": "10"}
    return BackfillInput(connection="shop", **(usual | changes))


async def begin(stage: Stage, start: BackfillInput) -> WorkflowHandle[Any, Backfilled]:
    """Its run."""
    return await stage.client.start_workflow(
        contract.BACKFILL_WORKFLOW,
        start,
        id=contract.backfill_workflow_id("shop", uuid.uuid4().hex, ""),
        task_queue=stage.queue,
        result_type=Backfilled,
    )


def opened(script: Script) -> list[list[str]]:
    """What was started together."""
    return [[row.payment_id for row in one.rows] for one in script.inputs("start_backfilled")]


async def test_it_counts_and_then_carries_the_oldest_first(temporal_client: Client) -> None:
    """Every page to its end; what is carried already is counted and not started."""
    script = Script({"list_charges": pages(3, 0, 2, known=2)})
    async with on_stage(temporal_client, script) as stage:
        done = await (await begin(stage, wanted(3))).result()
    assert opened(script) == [["pi_2"], ["pi_3", "pi_4"]]
    assert (done.total, done.started, done.known, done.completed, done.left) == (5, 3, 2, 3, 0)
    assert [look.sift for look in script.inputs("list_charges")] == [False] * 3 + [True] * 3
    assert done.done_at is not None


async def test_no_more_than_so_many_are_open(temporal_client: Client) -> None:
    """Five at once: the next ones begin when others have closed; one that waits for a person holds no place."""
    seen: dict[str, int] = {}
    most = 0

    def watch(asked: WatchInput) -> Watched:
        nonlocal most
        most = max(most, len(asked.payment_ids))
        for name in asked.payment_ids:
            seen[name] = seen.get(name, 0) + 1
        over = [name for name in asked.payment_ids if seen[name] > 1]
        waits = [name for name in over if name == "pi_3"]
        left = tuple(name for name in asked.payment_ids if name not in over)
        return Watched(open=left, waiting=len(waits), completed=len(over) - len(waits))

    script = Script({"list_charges": pages(12), "watch_backfilled": watch})
    async with on_stage(temporal_client, script) as stage:
        done = await (await begin(stage, wanted(at_once=5))).result()
    assert most == 5
    assert (done.started, done.completed, done.waiting) == (12, 11, 1)


async def test_it_is_paused_and_resumed(temporal_client: Client) -> None:
    """Paused before it began, it starts nothing; resumed, everything."""
    script = Script({"list_charges": pages(4)})
    async with on_stage(temporal_client, script) as stage:
        start = wanted()
        handle = await begin(
            stage, start.model_copy(update={"state": start.begun().model_copy(update={"paused": True})})
        )
        async with asyncio.timeout(60):
            while not (paused := Backfilled.model_validate(await handle.query(contract.PROGRESS))).waits:
                await asyncio.sleep(0.05)
        assert (paused.paused, paused.total, paused.started) == (True, 4, 0)
        assert "start_backfilled" not in script.names()
        await handle.signal(contract.RESUME)
        done = await handle.result()
    assert (done.started, done.paused) == (4, False)


async def test_the_days_reserve_is_not_touched_and_the_next_day_goes_on(temporal_client: Client) -> None:
    """With calls for two payments above the reserve two are started; a second later the day is another."""
    ends: list[datetime] = []

    def watch(asked: WatchInput) -> Watched:
        now = datetime.now(UTC)
        if not opened(script):
            quota = Quota(left=216, limit=1000, resets_at=now + DAY)
        elif not ends or now < ends[0]:
            ends.extend([now + timedelta(seconds=1)] * (not ends))
            quota = Quota(left=207, limit=1000, resets_at=ends[0])
        else:
            quota = Quota()
        return Watched(completed=len(asked.payment_ids), quota=quota)

    script = Script({"list_charges": pages(5), "watch_backfilled": watch})
    async with on_stage(temporal_client, script) as stage:
        handle = await begin(stage, wanted(reserve=200, calls_each=8))
        await handle.result()
        timers = [
            event.user_metadata.summary.data.decode()
            for event in (await handle.fetch_history()).events
            if event.HasField("timer_started_event_attributes")
        ]
    assert datetime.now(UTC) >= ends[0]
    assert opened(script) == [["pi_0", "pi_1"], ["pi_2", "pi_3", "pi_4"]]
    assert any("kept for live payments" in summary for summary in timers)


async def test_a_state_that_is_taken_along_is_counted_no_second_time(temporal_client: Client) -> None:
    """A run that continues as new in the middle of a page starts the rest of it."""
    script = Script({"list_charges": pages(4, 1)})
    start = wanted(2)
    middle = Backfilled(
        **start.begun().model_dump(exclude={"phase", "at", "queue", "open", "total", "started", "span"}),
        phase="carry",
        at=NOON + DAY,
        span=DAY,
        total=5,
        started=2,
        queue=(charge(2), charge(3)),
        open=("pi_0", "pi_1"),
    )
    async with on_stage(temporal_client, script) as stage:
        done = await (await begin(stage, start.model_copy(update={"state": middle}))).result()
    assert opened(script) == [["pi_2", "pi_3"], ["pi_4"]]
    assert (done.total, done.started, done.completed, done.left) == (5, 5, 5, 0)


def given_back(*numbers: int) -> Any:
    """One day of four payments, of which those with these numbers were refunded, and one more that was before."""
    rows = tuple(charge(number).model_copy(update={"refunded": number in numbers}) for number in range(4))
    known = (charge(9).model_copy(update={"disputed": True}),)
    return lambda wanted: ChargePage(
        rows=rows if wanted.sift else (*rows, *known),
        until=wanted.since + DAY,
        span=DAY,
        known=int(wanted.sift),
        given_back=known if wanted.sift else (),
    )


def refunds_of(wanted: BackfillRows) -> CasesFound:
    """A refund of each payment, and one that was carried before."""
    found = [begun_case(Case.REFUND, f"re_{row.payment_id[3:]}", row.payment_id, NOON) for row in wanted.rows]
    return CasesFound(cases=tuple(found), known=1)


async def test_refunds_and_disputes_are_begun_once_their_payments_are_carried(temporal_client: Client) -> None:
    """Not those of a payment that closed without an order; what settles later, or waits for a person, is let go of."""
    looks: list[WatchInput] = []

    def watch(asked: WatchInput) -> Watched:
        looks.append(asked)
        first, names = "pi_0" in asked.payment_ids and len(looks) < 4, asked.payment_ids
        return Watched(
            open=("pi_0",) if first else (),
            completed=len(names) - first - ("pi_2" in names),
            failed=int("pi_2" in names),
            without_order=("pi_2",) if "pi_2" in names else (),
            cases=Cases(waiting=int(bool(asked.cases)), completed=max(0, len(asked.cases) - 1)),
        )

    script = Script({"list_charges": given_back(0, 1, 2), "watch_backfilled": watch, "list_cases": refunds_of})
    async with on_stage(temporal_client, script) as stage:
        done = await (await begin(stage, wanted())).result()
    listed = [[row.payment_id for row in one.rows] for one in script.inputs("list_cases")]
    # The known payment's at once; those of the page when they are carried, the one that takes longer after the other.
    assert listed == [["pi_9"], ["pi_1"], ["pi_0"]]
    started = [case.about for one in script.inputs("start_cases") for case in one.cases]
    assert started == ["re_9", "re_1", "re_0"]
    cases = done.cases
    assert (cases.started, cases.known, cases.waiting, cases.completed, cases.over) == (3, 3, 3, 0, True)
    assert (done.started, done.completed, done.failed, done.refunded) == (4, 3, 1, 3)


async def test_refunds_take_places_like_payments(temporal_client: Client) -> None:
    """Two at once, payments and refunds together; nothing is lost when the run goes on in a fresh history."""
    most = 0

    def watch(asked: WatchInput) -> Watched:
        nonlocal most
        most = max(most, len(asked.payment_ids) + len(asked.cases))
        return Watched(completed=len(asked.payment_ids), cases=Cases(completed=len(asked.cases)))

    script = Script({"list_charges": given_back(), "watch_backfilled": watch, "list_cases": refunds_of})
    start = wanted(at_once=2)
    rows = tuple(charge(number) for number in range(20, 25))
    state = start.begun().model_copy(
        update={
            "cases": Cases(
                due=rows, open=refunds_of(BackfillRows(connection="shop", rows=(charge(30),))).cases, started=1
            )
        }
    )
    async with on_stage(temporal_client, script) as stage:
        done = await (await begin(stage, start.model_copy(update={"state": state}))).result()
    assert most == 2
    assert (done.completed, done.cases.started, done.cases.completed) == (4, 7, 7)


@pytest.mark.parametrize(
    "until", [NOON, NOON - DAY, datetime(2999, 1, 1, tzinfo=UTC)], ids=["empty", "reversed", "future"]
)
async def test_a_time_that_is_not_over_is_refused(temporal_client: Client, until: datetime) -> None:
    """The run closes at once and says so."""
    script = Script()
    async with on_stage(temporal_client, script) as stage:
        handle = await begin(stage, wanted(until=until))
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    assert isinstance(failure.value.cause, ApplicationError)
    assert (failure.value.cause.type, script.names()) == ("BadRange", [])
