"""Payments from before, each carried by a run of its own, a few at a time and within what the day leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.backfills import BackfillActivities
    from domain.backfills import (
        Backfilled,
        BackfillInput,
        BackfillRows,
        CaseRows,
        CasesFound,
        ChargePage,
        ChargesWanted,
        Phase,
        Watched,
        WatchInput,
        forecast,
        room,
        said,
    )
    from workflows import contract, policies

_AT_ONCE = 25  # runs started by one activity
_SOON = timedelta(seconds=1)  # the shortest time between two looks


@workflow.defn(name=contract.BACKFILL_WORKFLOW)
class BackfillWorkflow:
    """First it counts, then it carries, the oldest payment first. It asks nothing of Zoho itself.

    Once a payment is carried, its refunds and disputes are. What waits for a person holds nothing up. Paused, it starts
    no more; what is under way goes on.
    """

    @workflow.init
    def __init__(self, wanted: BackfillInput) -> None:
        self._wanted = wanted
        self._state = wanted.state or wanted.begun()
        self._nudged = False
        self._pause = min(_SOON, wanted.check_every)

    @workflow.run
    async def run(self, wanted: BackfillInput) -> Backfilled:
        """How many there were, and what became of them."""
        self._refuse_no_time()
        if self._state.phase is Phase.COUNT:
            await self._count()
        while not self._over():
            await self._hold_while_paused()
            await self._next_page()
            await self._look()
            await self._list_cases()
            if not (await self._start_cases() or await self._start_some()):
                await self._wait()
            await self._go_on_where_grown()
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._keep(waits="", done_at=workflow.now())
        return self._state

    @workflow.signal(name=contract.PAUSE)
    def pause(self, said: Any = None) -> None:
        """Start no more payments for now."""
        self._nudged = True
        self._keep(paused=True)

    @workflow.signal(name=contract.RESUME)
    def resume(self, said: Any = None) -> None:
        """Go on."""
        self._nudged = True
        self._keep(paused=False)

    @workflow.query(name=contract.PROGRESS)
    def progress(self) -> Backfilled:
        """How far it has come."""
        return self._state

    def _over(self) -> bool:
        state = self._state
        return state.at >= state.until and not state.queue and not state.open and state.cases.over

    async def _count(self) -> None:
        """How many payments there are: a request to Stripe for each hundred."""
        while self._state.at < self._state.until:
            page = await self._page(sift=False)
            self._keep(at=page.until, span=page.span, total=self._state.total + len(page.rows))
            await self._go_on_where_grown()
        self._keep(phase=Phase.CARRY, at=self._state.since)

    async def _next_page(self) -> None:
        """The next payments, once those before them are started."""
        state = self._state
        if state.queue or state.at >= state.until:
            return
        page = await self._page(sift=True)
        self._keep(
            at=page.until,
            span=page.span,
            queue=page.rows,
            known=state.known + page.known,
            refunded=state.refunded + sum(row.refunded or row.disputed for row in page.rows),
        )
        back = (*page.given_back, *(row for row in page.rows if row.refunded or row.disputed))
        if back and workflow.patched(contract.BACKFILL_CASES):
            self._keep_cases(due=(*self._state.cases.due, *back))

    async def _page(self, *, sift: bool) -> ChargePage:
        state = self._state
        wanted = ChargesWanted(
            connection=self._wanted.connection, since=state.at, until=state.until, span=state.span, sift=sift
        )
        read = policies.READ(self._wanted.policy) | workflow.ActivityConfig(
            summary=f"{'Find' if sift else 'Count'} payments from {state.at:%Y-%m-%d %H:%M} UTC on"
        )
        return await workflow.execute_activity_method(BackfillActivities.list_charges, wanted, **read)

    async def _look(self) -> None:
        """How the runs are doing that were started, and what the day leaves."""
        wanted = WatchInput(
            connection=self._wanted.connection,
            organization_id=self._wanted.organization_id,
            payment_ids=self._state.open,
            cases=self._state.cases.open,
        )
        about = f", {len(wanted.cases)} refunds and disputes" if wanted.cases else ""
        read = policies.READ(self._wanted.policy) | workflow.ActivityConfig(
            summary=f"See how {len(wanted.payment_ids)} payments{about} are doing"
        )
        seen: Watched = await workflow.execute_activity_method(BackfillActivities.watch_backfilled, wanted, **read)
        state = self._state
        # Looked at soon after one has ended, and ever more seldom while none does.
        still = seen.open == state.open and seen.cases.open == state.cases.open
        pause = self._pause * 2 if still else _SOON
        self._pause = min(pause, self._wanted.check_every)
        self._keep(
            open=seen.open,
            waiting=state.waiting + seen.waiting,
            completed=state.completed + seen.completed,
            failed=state.failed + seen.failed,
            quota=seen.quota,
        )
        cases = state.cases
        self._keep_cases(
            due=tuple(row for row in cases.due if row.payment_id not in seen.without_order),
            open=seen.cases.open,
            waiting=cases.waiting + seen.cases.waiting,
            completed=cases.completed + seen.cases.completed,
            failed=cases.failed + seen.cases.failed,
        )

    async def _list_cases(self) -> None:
        """The refunds and disputes of payments that are carried, a few payments at a time."""
        state = self._state
        under_way = {*state.open, *(row.payment_id for row in state.queue)}
        some = tuple(row for row in state.cases.due if row.payment_id not in under_way)[:_AT_ONCE]
        if state.cases.queue or not some:
            return
        rows = BackfillRows(connection=self._wanted.connection, rows=some)
        read = policies.READ(self._wanted.policy) | workflow.ActivityConfig(
            summary=f"List refunds and disputes of {len(some)} payments, {some[0].payment_id} first"
        )
        found: CasesFound = await workflow.execute_activity_method(BackfillActivities.list_cases, rows, **read)
        cases = self._state.cases
        left = tuple(row for row in cases.due if row not in some)
        self._keep_cases(due=left, queue=found.cases, known=cases.known + found.known)

    async def _start_cases(self) -> bool:
        """Start as many refunds and disputes as there is room for; whether any were."""
        count = min(self._room(), _AT_ONCE)
        some = self._state.cases.queue[:count]
        if not some or self._state.paused:
            return False
        wanted = CaseRows(connection=self._wanted.connection, cases=some)
        write = policies.WRITE(self._wanted.policy) | workflow.ActivityConfig(
            summary=f"Start {len(some)} refunds and disputes, {some[0].about} first"
        )
        await workflow.execute_activity_method(BackfillActivities.start_cases, wanted, **write)
        cases = self._state.cases
        self._keep_cases(queue=cases.queue[count:], open=(*cases.open, *some), started=cases.started + len(some))
        return True

    async def _start_some(self) -> bool:
        """Start as many as there is room for; whether any were."""
        count = min(self._room(), _AT_ONCE)
        some = self._state.queue[:count]
        if not some or self._state.paused:
            return False
        rows = BackfillRows(connection=self._wanted.connection, rows=some)
        write = policies.WRITE(self._wanted.policy) | workflow.ActivityConfig(
            summary=f"Start {len(some)} payments, {some[0].payment_id} first"
        )
        await workflow.execute_activity_method(BackfillActivities.start_backfilled, rows, **write)
        state = self._state
        self._keep(
            queue=state.queue[count:],
            open=(*state.open, *(row.payment_id for row in some)),
            started=state.started + len(some),
        )
        return True

    def _room(self) -> int:
        wanted, state = self._wanted, self._state
        return room(
            state.quota,
            state.busy,
            at_once=wanted.at_once,
            calls_each=wanted.calls_each,
            reserve=wanted.reserve,
        )

    async def _wait(self) -> None:
        """A little, for places to become free; until the next day, where this one leaves nothing."""
        state, pause = self._state, self._pause
        wants = bool(state.queue or state.cases.queue) and not state.busy
        if wants and state.quota.resets_at is not None and not self._room():
            pause = max(pause, state.quota.resets_at - workflow.now())
            when = f"{state.quota.resets_at:%Y-%m-%d %H:%M} UTC"
            self._keep(waits=f"waits until {when}: the rest of the day's quota is kept for live payments")
        await self._sleep(pause, self._state.waits or "See how the payments are doing")
        self._keep(waits="")

    async def _hold_while_paused(self) -> None:
        if self._state.paused:
            self._keep(waits="paused by a person; `throughline backfill resume` goes on")
            await workflow.wait_condition(lambda: not self._state.paused)
            self._keep(waits="")

    async def _sleep(self, pause: timedelta, why: str) -> None:
        """A signal ends it early."""
        self._nudged = False
        try:
            await workflow.wait_condition(lambda: self._nudged, timeout=pause, timeout_summary=why)
        except TimeoutError:
            return

    async def _go_on_where_grown(self) -> None:
        """The same backfill in a fresh history."""
        if workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self._wanted.model_copy(update={"state": self._state}))

    def _keep(self, **changes: Any) -> None:
        self._state = self._state.model_copy(update=changes)
        self._show()

    def _keep_cases(self, **changes: Any) -> None:
        self._keep(cases=self._state.cases.model_copy(update=changes))

    def _show(self) -> None:
        """The current details: how far it is, what it waits for, when it will be done."""
        state = self._state
        found = f"{state.total} payments" if state.phase is Phase.CARRY else f"counting: {state.total} payments so far"
        lines = [
            f"**{found} from {state.since:%Y-%m-%d %H:%M} to {state.until:%Y-%m-%d %H:%M} UTC**",
            "",
            *([f"**{state.waits}**", ""] if state.waits else []),
            f"- {state.started} started: {state.completed} completed, {len(state.open)} under way, "
            f"{state.waiting} wait for a person, {state.failed} closed without an order",
            f"- {state.known} were carried before, {state.left} are left",
        ]
        if state.cases.found or state.cases.due:
            lines.append(f"- {said(state.cases)}")
        if state.phase is Phase.CARRY and state.left and (done := self._forecast()):
            lines.append(done)
        workflow.set_current_details("\n".join(lines))

    def _forecast(self) -> str:
        wanted, state = self._wanted, self._state
        done = forecast(
            state.left + len(state.cases.queue) + state.busy,
            state.quota,
            workflow.now(),
            calls_each=wanted.calls_each,
            reserve=wanted.reserve,
            per_minute=wanted.per_minute,
        )
        return f"- done on {done:%A, %Y-%m-%d %H:%M} UTC at this plan" if done else ""

    def _refuse_no_time(self) -> None:
        since, until = self._wanted.since, self._wanted.until
        if since >= until or until > workflow.now():
            raise ApplicationError(
                f"{since.isoformat()} to {until.isoformat()} is no time that is over: name one",
                type="BadRange",
                non_retryable=True,
            )
