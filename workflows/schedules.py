"""The schedules of an install: sweeps and checks of payouts for each connection, kept up to date by every worker's
start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from domain.payout_checks import PayoutCheckInput
from domain.sweeps import SweepInput
from workflows import contract

log = logging.getLogger(__name__)
Regular = SweepInput | PayoutCheckInput
_JITTER = 0.1  # of the step, so that many connections do not start together
_NIGHT_JITTER = timedelta(minutes=30)
_DAY = timedelta(days=1)
# After a time without Temporal the last missed start is made good at once; the run itself looks at all of the time.
_CATCH_UP = timedelta(minutes=1)


async def keep_schedules(
    client: Client, wanted: Iterable[Regular], now: datetime, *, queue: str = contract.MAIN_QUEUE
) -> None:
    """A schedule for each, as its connection's settings are now; one that a person paused stays paused.

    A new one looks at what happens from `now` on, and from before only where we remember events.

    Where Temporal refuses, it is said in the log: payments do not wait for it.
    """
    for one in wanted:
        try:
            await _keep(client, one.model_copy(update={"begun": now}), queue)
        except RPCError as error:
            log.warning("%s is not scheduled: %s", _id(one), error.message)


async def _keep(client: Client, wanted: Regular, queue: str) -> None:
    name = _id(wanted)

    def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
        made = found.description.info.created_at
        schedule = schedule_of(wanted.model_copy(update={"begun": made}), queue)
        schedule.state = found.description.schedule.state
        return ScheduleUpdate(schedule)

    try:
        await client.create_schedule(name, schedule_of(wanted, queue), search_attributes=_connection(wanted))
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(update)


def schedule_of(wanted: Regular, queue: str) -> Schedule:
    """A sweep each step, a check of payouts each night; the next one is skipped while one still runs."""
    sweeps = isinstance(wanted, SweepInput)
    spec, step = _steps(wanted) if isinstance(wanted, SweepInput) else _nights(wanted)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            contract.SWEEP_WORKFLOW if sweeps else contract.PAYOUT_CHECK_WORKFLOW,
            wanted,
            id=_id(wanted),
            task_queue=queue,
            typed_search_attributes=_connection(wanted),
            priority=Priority(fairness_key=wanted.connection),
            static_summary=f"{'sweep' if sweeps else 'check of the payouts'} of {wanted.connection}",
        ),
        spec=spec,
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=step + _CATCH_UP),
    )


def _steps(wanted: SweepInput) -> tuple[ScheduleSpec, timedelta]:
    step = wanted.sweep.step(wanted.pull)
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=step)], jitter=step * _JITTER), step


def _nights(wanted: PayoutCheckInput) -> tuple[ScheduleSpec, timedelta]:
    nights = ScheduleCalendarSpec(hour=[ScheduleRange(wanted.payouts.hour)], comment="every night")
    zone = wanted.time_zone or None
    # The start of the night before may be later than this one's by the jitter.
    return ScheduleSpec(calendars=[nights], jitter=_NIGHT_JITTER, time_zone_name=zone), _DAY + _NIGHT_JITTER


def _id(wanted: Regular) -> str:
    named = contract.sweep_schedule_id if isinstance(wanted, SweepInput) else contract.payout_check_schedule_id
    return named(wanted.connection)


def _connection(wanted: Regular) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(contract.CONNECTION, wanted.connection)])
