"""Nothing is missed: what Stripe says happened, held against what was carried; what is lacking is started."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.quota import QuotaActivities
    from activities.sweeps import SweepActivities
    from domain.sweeps import EVENTS_KEPT, Gap, HealInput, Look, Source, SweepInput, SweepNote, SweepRef, Swept
    from workflows import contract, policies
    from workflows.ranges import refuse_no_time

_LOOKS: dict[Source, Any] = {
    Source.RECEIVED: SweepActivities.look_at_received,
    Source.EVENTS: SweepActivities.look_at_events,
    Source.BALANCE: SweepActivities.look_at_balance,
}
_SOURCES = tuple(_LOOKS)
_AT_ONCE = 25  # gaps healed by one activity


@workflow.defn(name=contract.SWEEP_WORKFLOW)
class SweepWorkflow:
    """Three sources, a window at a time. It reads Stripe, our store and Temporal; a healthy time asks nothing of Zoho.

    Where the sweep before ended is the result that Temporal hands on from run to run of a schedule. Without one it
    looks back further, and finds that what it looks at was carried.
    """

    @workflow.init
    def __init__(self, wanted: SweepInput) -> None:
        self._wanted = wanted
        self._since = self._until = self._end = workflow.now()
        self._done = wanted.done or Swept(since=self._since, until=self._since)

    @workflow.run
    async def run(self, wanted: SweepInput) -> Swept:
        """How far it came, what it looked at and what was missed."""
        await self._begin()
        for source in _SOURCES[_SOURCES.index(wanted.source) :]:
            await self._walk(source, after=wanted.after if source is wanted.source else "")
        self._done = self._done.model_copy(update={"until": self._end})
        if self._end < self._until:
            self._go_on(self._end, Source.RECEIVED, "")
        if wanted.regular:
            note = SweepNote(connection=wanted.connection, until=self._end)
            tell = policies.WRITE(wanted.policy) | workflow.ActivityConfig(summary="Note how far sweeps have come")
            await workflow.execute_activity_method(SweepActivities.note_sweep, note, **tell)
            await self._watch_quota()
        return self._done

    @workflow.query(name=contract.PROGRESS)
    def progress(self) -> Swept:
        """What was looked at and what was missed so far."""
        return self._done

    async def _watch_quota(self) -> None:
        """A sweep asks nothing of Zoho, and comes by often enough to see that others ask too much."""
        if not workflow.patched(contract.QUOTA_WATCHED):
            return
        look = policies.TELL(self._wanted.policy) | workflow.ActivityConfig(summary="Does the day's quota last?")
        try:
            ref = SweepRef(connection=self._wanted.connection)
            await workflow.execute_activity_method(QuotaActivities.watch_quota, ref, **look)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("people could not be told of the quota")

    async def _begin(self) -> None:
        """One run looks at a window of the time; the next one goes on behind."""
        wanted, begun = self._wanted, None
        until = wanted.until or workflow.now() - wanted.sweep.settle * (not wanted.pull)
        if wanted.since is None:
            self._since, begun = await self._place()
            self._until = max(self._since, until)
        else:
            refuse_no_time(wanted.since, until)
            self._since, self._until = wanted.since, until
        self._end = min(self._since + wanted.sweep.window, self._until)
        self._done = wanted.done or Swept(since=self._since, until=self._since, begun=begun)

    async def _place(self) -> tuple[datetime, datetime]:
        """Where a sweep of a schedule begins, and before what none of them ever looks."""
        wanted, now = self._wanted, workflow.now()
        before = workflow.get_last_completion_result(Swept) if workflow.has_last_completion_result() else None
        if before is not None:
            begun = before.begun or before.since
            return max(before.until - wanted.sweep.overlap, begun), begun
        ask = policies.READ(wanted.policy) | workflow.ActivityConfig(summary="When did the first event come?")
        ref = SweepRef(connection=wanted.connection)
        first = await workflow.execute_activity_method(SweepActivities.find_beginning, ref, **ask)
        begun = min(wanted.begun or now, first.at or now)
        return max(now - wanted.sweep.look_back, begun), begun

    async def _walk(self, source: Source, after: str) -> None:
        """Every page of a source, its gaps healed before the next page is looked at."""
        begin = self._first(source)
        while begin < self._end:
            look = Look(
                connection=self._wanted.connection,
                since=begin,
                until=self._end,
                pull=self._wanted.pull,
                after=after,
            )
            words = f"{source.value} {begin:%Y-%m-%d %H:%M} to {self._end:%Y-%m-%d %H:%M} UTC"
            read = policies.READ(self._wanted.policy) | workflow.ActivityConfig(summary=f"Look at {words}")
            page = await workflow.execute_activity_method(_LOOKS[source], look, **read)
            self._done = self._done.counted(source, page.count)
            if page.gaps:
                await self._heal(source, page.gaps)
            after = page.after
            if not after:
                return
            if workflow.info().is_continue_as_new_suggested():
                self._go_on(self._since, source, after)

    def _first(self, source: Source) -> datetime:
        """Stripe forgets its events after thirty days; what is older the money tells alone."""
        kept = workflow.now() - EVENTS_KEPT
        if source is not Source.EVENTS or self._since >= kept:
            return self._since
        self._done = self._done.model_copy(update={"events_from": min(kept, self._until)})
        return kept

    async def _heal(self, source: Source, gaps: tuple[Gap, ...]) -> None:
        """A few at a time, so that a slow Temporal still takes them all within an activity's time."""
        for begin in range(0, len(gaps), _AT_ONCE):
            some = gaps[begin : begin + _AT_ONCE]
            lacking = HealInput(connection=self._wanted.connection, source=source, gaps=some)
            words = f"Tell the runs of {len(some)} events, {some[0].heard.about} first"
            write = policies.WRITE(self._wanted.policy) | workflow.ActivityConfig(summary=words)
            healed = await workflow.execute_activity_method(SweepActivities.heal_gaps, lacking, **write)
            self._done = self._done.with_missed(healed.missed)

    def _go_on(self, since: datetime, source: Source, after: str) -> None:
        """The same sweep in a fresh history."""
        place = {"since": since, "until": self._until, "source": source, "after": after, "done": self._done}
        workflow.continue_as_new(self._wanted.model_copy(update=place))
